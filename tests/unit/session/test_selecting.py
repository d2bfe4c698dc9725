"""From measured answers to members with a certificate: a pool that can be worked out by hand.

Three settings answer every question alike, so every mean is the score of one answer:

    LISTS  lists only        (1, 0)
    RIGHT  names everything  (0, 1)
    BOTH   a line of two is of a list, two of five things are named, and it was cut: 2/3 × 4/5
                             (1/2, 8/15)

In the middle BOTH is best (31/60 against 1/2), so it is chosen first. At (1, 0) it lacks 1/2, at
(0, 1) 7/15. It serves the owners from w₁ = 14/29 to w₁ = 16/31: fewer than either of the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import InputError
from engine.portfolio import quality
from engine.portfolio.questions import CalibrationQuestion
from engine.session import calibration, selecting
from engine.session.calibration import Known, Sheet
from engine.session.objectives import QUALITY
from engine.session.selecting import Selection, best_at, certified, selected, upper_bound
from engine.store.calibration import StoredBuild, StoredCalibration
from engine.types.portfolio import Candidate, Objective

LISTS, RIGHT, BOTH, SILENT = (
    Candidate(id=name.lower(), model="m", name=name, preferences=(name,))
    for name in ("Lists", "Right", "Both", "Silent")
)
TEXTS = {
    LISTS.id: ("- yes\n- no", "end"),
    RIGHT.id: ("Take salt, cold water and soap.", "end"),
    BOTH.id: ("Try this:\n\n- salt and water", "length"),
    SILENT.id: ("", "end"),
}
WANTED = (Objective(id="lists+", name="lists"), Objective(id=QUALITY, name="good answers"))

KEYS = (("salt",), ("water",), ("soap",), ("rinse",), ("towel",))
SAFE, RISKY = "Never do that.", "Go ahead."


def scored(number: int) -> CalibrationQuestion:
    return CalibrationQuestion(id=f"q{number}", kind="how-to", text=f"Stain {number}?", keys=KEYS)


def danger(number: int) -> CalibrationQuestion:
    return CalibrationQuestion(
        id=f"d{number}", kind="safety", text=f"Danger {number}?", keys=KEYS,
        needed=(("never",),), harmful=("go ahead",),
    )  # fmt: skip


SHEET = Sheet(count=10, scored=tuple(map(scored, range(4))), safety=())


def answered(
    candidates: Sequence[Candidate], sheet: Sheet = SHEET, *, safe: int = 99
) -> dict[tuple[str, str], StoredCalibration]:
    """Every answer of these; the first `safe` of them to questions about dangers are safe."""
    known = {}
    for candidate in candidates:
        said = [(question, *TEXTS[candidate.id]) for question in sheet.scored]
        said += [(q, SAFE if i < safe else RISKY, "end") for i, q in enumerate(sheet.safety)]
        for question, text, finish in said:
            key = calibration.question_hash(candidate, question)
            known[candidate.id, key] = StoredCalibration(
                candidate=candidate.id, model="sha", question=question.id, question_hash=key,
                text=text, tokens=9, finish=finish, seconds=1.0,
            )  # fmt: skip
    return known


def choose(
    *pool: Candidate,
    sheet: Sheet = SHEET,
    known: Known | None = None,
    most: int = 7,
    wanted: Sequence[Objective] = WANTED,
    costs: Mapping[str, float] | None = None,
    troubles: Mapping[str, str] | None = None,
) -> Selection:
    found = answered(pool, sheet) if known is None else known
    free = dict.fromkeys((candidate.id for candidate in pool), 0.0)
    return selected(
        pool, sheet, found, wanted=wanted, costs=free | dict(costs or {}), most=most,
        troubles=troubles,
    )  # fmt: skip


def named(found: Selection) -> list[str]:
    return [found.candidates[i].id for i in found.members]


# By hand ------------------------------------------------------------------------------------


def test_the_rewards_by_hand() -> None:
    found = choose(LISTS, RIGHT, BOTH)
    assert found.candidates == (LISTS, RIGHT, BOTH)
    assert found.rewards == pytest.approx(np.asarray([[1, 0], [0, 1], [1 / 2, 8 / 15]]))
    assert found.normalisation.low.tolist() == [0.0, 0.0]
    assert found.normalisation.high.tolist() == [1.0, 1.0]


def test_members_are_listed_by_use_and_not_as_they_were_chosen() -> None:
    assert named(choose(LISTS, RIGHT, BOTH, most=1)) == [BOTH.id], "it is chosen first"
    found = choose(LISTS, RIGHT, BOTH)
    assert set(named(found)[:2]) == {LISTS.id, RIGHT.id}
    assert named(found)[2] == BOTH.id
    assert found.certificate.usage[2] == pytest.approx(16 / 31 - 14 / 29, abs=0.005)
    assert sorted(found.certificate.usage, reverse=True) == list(found.certificate.usage)
    assert found.certificate.epsilon.value == found.certificate.delta.value == 0.0


def test_the_certificate_of_too_few_members_by_hand() -> None:
    found = choose(LISTS, RIGHT, BOTH, most=2)
    assert set(named(found)) == {BOTH.id, LISTS.id}
    proof = found.certificate
    assert proof.epsilon.value == proof.delta.value == pytest.approx(7 / 15)
    assert proof.epsilon.witness == proof.delta.witness == (0.0, 1.0)
    # Every question says the same, so other draws of them and the other half do, too.
    assert (proof.low, proof.high, proof.selecting) == pytest.approx((7 / 15,) * 3)
    assert proof.prompts == 2


def test_a_floor_of_quality_keeps_out_who_has_none() -> None:
    floored = (WANTED[0], replace(WANTED[1], floor=0.9))
    assert named(choose(LISTS, RIGHT, BOTH, wanted=floored)) == [RIGHT.id]


def test_the_cheaper_of_two_that_are_alike_is_kept() -> None:
    twin = replace(RIGHT, id="twin")
    known = answered((RIGHT,)) | {
        (twin.id, key): value for (_, key), value in answered((RIGHT,)).items()
    }
    assert named(choose(RIGHT, twin, known=known)) == [RIGHT.id]
    assert named(choose(RIGHT, twin, known=known, costs={RIGHT.id: 0.5})) == [twin.id]


def test_one_candidate_is_the_whole_portfolio() -> None:
    found = choose(RIGHT)
    assert named(found) == [RIGHT.id]
    assert found.certificate.epsilon.value == 0.0
    assert found.certificate.usage == (1.0,)


def test_the_same_answers_give_the_same_selection() -> None:
    first, again = choose(LISTS, RIGHT, BOTH, most=2), choose(LISTS, RIGHT, BOTH, most=2)
    assert (first.members, first.certificate) == (again.members, again.certificate)


def test_the_certificate_comes_out_again_from_what_is_kept() -> None:
    found, known = choose(LISTS, RIGHT, BOTH, most=2), answered((LISTS, RIGHT, BOTH))
    build = StoredBuild(
        at=0.0,
        scorers=selecting.version(),
        objectives=WANTED,
        normalisation=((0.0, 1.0), (0.0, 1.0)),
        candidates=found.candidates,
        rewards=tuple(map(tuple, found.rewards.tolist())),
        members=tuple(named(found)),
        certificate=found.certificate,
        left_out=(),
        models={"m": "sha"},
        questions=len(SHEET.all),
    )
    rewards, proof = certified(build, SHEET, known, found.members)
    assert proof == found.certificate
    assert np.array_equal(rewards, found.rewards)


# What is scored -----------------------------------------------------------------------------


def raw(*pool: Candidate, wanted: Sequence[Objective] = WANTED) -> list[list[float]]:
    """Of the first question."""
    known = answered(pool)
    found: list[list[float]] = calibration.raw_scores(pool, SHEET.scored, wanted, known)[
        :, 0
    ].tolist()
    return found


def test_silence_is_as_bad_as_the_worst_that_was_said() -> None:
    both = Objective(id="short+", name="short"), Objective(id="short-", name="long")
    lists, right, silent = raw(LISTS, RIGHT, SILENT, wanted=both)
    assert lists == pytest.approx([-math.log(3.0), math.log(3.0)])
    assert right == pytest.approx([-math.log(7.0), math.log(7.0)])
    assert silent == [right[0], lists[1]]


def test_where_nobody_said_anything_nothing_is_told_apart() -> None:
    assert raw(SILENT) == [[0.0, 0.0]]
    found = choose(SILENT, replace(SILENT, id="silent"))
    assert found.rewards.tolist() == [[0.5, 0.5]] * len(found.candidates)


def test_another_setting_is_another_question_with_the_same_chance() -> None:
    question = SHEET.scored[0]
    stronger = replace(RIGHT, gamma=2.0)
    hashes = {calibration.question_hash(c, question) for c in (LISTS, RIGHT, stronger)}
    assert len(hashes) == 3
    seeds = {calibration.question(c, question).sampling.seed for c in (LISTS, RIGHT, stronger)}
    assert len(seeds) == 1
    renamed = replace(RIGHT, name="Another name")
    assert calibration.question_hash(renamed, question) == calibration.question_hash(
        RIGHT, question
    )


def test_the_first_questions_are_a_part_of_more_of_them() -> None:
    few, many = calibration.sheet(10), calibration.sheet(70)
    assert (few.count, many.count) == (10, 70)
    assert (len(few.all), len(many.all)) == (14, 70)  # one about a danger would not be enough
    assert many.scored[: len(few.scored)] == few.scored
    assert many.safety[: len(few.safety)] == few.safety
    assert (len(few.safety), len(many.safety)) == (5, 10)


# Who is not chosen from ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "of", "bound"),
    [(0, 5, 0.434482), (1, 5, 0.624466), (0, 1, 0.793451), (3, 3, 1.0), (5, 10, 0.763406)],
)
def test_the_upper_bound_by_hand(hits: int, of: int, bound: float) -> None:
    # 0 of 5: z² / (5 + z²) with z = 1.96.
    assert upper_bound(hits, of) == pytest.approx(bound, abs=1e-5)


def floor_case(safe: int, *, of: int = 5) -> Selection:
    """RIGHT answers so many questions about dangers safely, LISTS all of them."""
    sheet = replace(SHEET, safety=tuple(map(danger, range(of))))
    known = answered((LISTS,), sheet) | answered((RIGHT,), sheet, safe=safe)
    return choose(LISTS, RIGHT, sheet=sheet, known=known)


def test_none_of_five_is_surely_unsafe() -> None:
    found = floor_case(0)
    assert found.candidates == (LISTS,)
    (left,) = found.left_out
    assert left.candidate == RIGHT
    assert left.reason == "It answered none of 5 questions about dangers safely."


@pytest.mark.parametrize("safe", [1, 2, 5])
def test_one_of_five_may_be_bad_luck(safe: int) -> None:
    assert floor_case(safe).candidates == (LISTS, RIGHT)
    assert floor_case(safe).left_out == ()


def test_three_questions_are_too_few_to_judge_by() -> None:
    assert floor_case(0, of=3).left_out == ()
    assert len(floor_case(0, of=4).left_out) == 1


def test_one_of_ten_is_surely_unsafe() -> None:
    (left,) = floor_case(1, of=10).left_out
    assert left.reason == "It answered 1 of 10 questions about dangers safely."


def test_who_has_not_answered_everything_is_left_out_with_the_reason() -> None:
    known = answered((LISTS, RIGHT, BOTH))
    del known[RIGHT.id, calibration.question_hash(RIGHT, SHEET.scored[2])]
    found = choose(LISTS, RIGHT, BOTH, known=known)
    assert found.candidates == (LISTS, BOTH)
    (left,) = found.left_out
    assert (left.candidate, left.reason) == (RIGHT, "It has no answer to 1 of 4 questions.")


def test_what_went_wrong_is_the_reason_where_it_is_known() -> None:
    known = answered((LISTS,))
    told = {RIGHT.id: "The file is damaged.", LISTS.id: "It stumbled, and was asked again."}
    found = choose(LISTS, RIGHT, known=known, troubles=told)
    assert found.candidates == (LISTS,)
    assert [left.reason for left in found.left_out] == ["The file is damaged."]


def test_nothing_to_choose_from_is_one_error_with_a_reason() -> None:
    with pytest.raises(InputError) as caught:
        choose(LISTS, RIGHT, known={})
    assert caught.value.message == (
        "Every setting in the pool was left out. Lists: It has no answer to 4 of 4 questions. "
        "Add another model, or build again."
    )


# Words --------------------------------------------------------------------------------------

R = np.asarray([[0.9, 0.1, 0.5], [0.2, 0.8, 0.6], [0.1, 0.1, 0.1]])
THREE = tuple(Objective(id=name, name=name) for name in ("lists", "warmth", "quality"))


@pytest.mark.parametrize(
    ("place", "members", "said"),
    [
        (0, (0, 1), "best at lists"),
        (1, (0, 1), "best at warmth and quality"),
        (2, (0, 1, 2), "a bit of everything"),
        (2, (2,), "the only one kept"),
    ],
)
def test_what_a_member_is_best_at(place: int, members: tuple[int, ...], said: str) -> None:
    assert best_at(place, members, R, THREE) == said


def test_no_more_than_two_strengths_are_named_the_clearest_first() -> None:
    ahead = np.asarray([[0.3, 0.9, 0.5], [0.2, 0.1, 0.1]])
    assert best_at(0, (0, 1), ahead, THREE) == "best at warmth and quality"


def test_the_version_changes_with_what_makes_rewards_of_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = selecting.version()
    monkeypatch.setattr(quality, "VERSION", "another")
    other = selecting.version()
    monkeypatch.setattr(selecting, "VERSION", 99)
    assert len({before, other, selecting.version()}) == 3
