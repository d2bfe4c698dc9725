"""Profiles taken along: exact round trips, honest differences, old or new and never mixed."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.config import Settings, SettingsFile
from engine.errors import InvalidProfile, StorageError
from engine.preference import traits as trait_list
from engine.preference.traits import MAX_TRAITS
from engine.session import importing
from engine.session.importing import taste_of
from engine.store import database, profile
from engine.store.profile import Profile, ProfileTrait
from engine.store.record import Record, Standing
from engine.types.learning import Learned
from engine.types.steering import Preference
from tests.fakes.killing import doing, killed, needs_fork
from tests.fixtures.profile_files import (
    EXPORTED,
    FULL,
    MINIMAL,
    PLAIN,
    STATED,
    opened,
    vote,
)
from tests.unit.store.conftest import answer, duel

NAME = "mine.attune-profile"
_FAST = tuple((n, 0 if n == "synchronous" else v) for n, v in database.PRAGMAS)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PRAGMAS", _FAST)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty data folder."""
    made = tmp_path / "data"
    made.mkdir()
    return made


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A data folder with votes, forgetting, traits and settings of its own."""
    made = tmp_path / "used"
    made.mkdir()
    with recorded(made) as record:
        for number in range(6):
            trait = ("short", "warm", "own-rhyme-1")[number % 3]
            pole = {f"{trait}+": 9.25 - number, f"{trait}-": number - 8.5, "lists+": 1 / 3}
            two = answer("A", utilities=pole, scores={trait: 0.1}), answer("B", utilities=pole)
            record.open_duel(duel(f"a000000{number}", at=50.0 + number, trait=trait, answers=two))
            record.vote(f"a000000{number}", ("first", "second", "equal", "neither")[number % 4])
            if number == 3:
                record.forget("warm")
        record.withdraw("a0000002")
        record.add_trait(replace(trait_list.own("Rhyme.", existing=()), id="own-rhyme-1"))
        record.remove_trait("vivid")
    remember(made, gamma=3.5, sliders={"short+": 0.75}, fade=20.0)
    return made


class recorded:  # noqa: N801  # reads as a function
    """The record of a data folder, for a few lines."""

    def __init__(self, folder: Path) -> None:
        self._record = Record(folder / "record.db", clock=lambda: 1_000.0)

    def __enter__(self) -> Record:
        return self._record

    def __exit__(self, *_: object) -> None:
        self._record.close()


def remember(folder: Path, **changes: Any) -> None:
    SettingsFile(folder / "settings.json").write(replace(Settings(), **changes))


def settings(folder: Path) -> Settings:
    return SettingsFile(folder / "settings.json").read()[0]


def standing(folder: Path) -> Standing:
    with recorded(folder) as record:
        return record.standing()


def outcomes(folder: Path) -> list[tuple[str, str]]:
    return [(ballot.duel.id, ballot.outcome) for ballot in standing(folder).ballots]


def exported(folder: Path, path: Path, *, texts: bool = False) -> bytes:
    with opened(folder) as profiles:
        profiles.export(path, texts=texts)
    return path.read_bytes()


def holding(path: Path, *votes: profile.ProfileVote, **changes: Any) -> Path:
    facts: dict[str, Any] = {"exported": EXPORTED, "traits": (), "settings": PLAIN, "votes": votes}
    profile.write(path, Profile(**facts | changes))
    return path


def weights(learned: Learned) -> dict[str, tuple[float, float, float, float]]:
    return {t.trait.id: (t.weight, t.low, t.high, t.sure) for t in learned.traits}


# Round trips --------------------------------------------------------------------------------


@pytest.mark.parametrize("texts", [False, True])
def test_what_is_taken_into_an_empty_folder_comes_out_byte_by_byte(
    used: Path, folder: Path, tmp_path: Path, texts: bool
) -> None:
    first = exported(used, tmp_path / NAME, texts=texts)
    with opened(folder) as profiles:
        diff = profiles.import_(tmp_path / NAME)
    assert exported(folder, tmp_path / f"again{profile.SUFFIX}", texts=True) == first
    assert weights(diff.after) == {
        trait.id: (r.weight, r.low, r.high, r.sure)
        for trait in profile.read(tmp_path / NAME).traits
        if (r := trait.learned) is not None
    }
    with opened(used) as profiles:
        back = profiles.preview(tmp_path / NAME)
    assert weights(back.before) == weights(diff.after)
    assert taste_of(settings(folder)) == taste_of(settings(used))


def test_to_take_the_place_of_nothing_is_the_same(used: Path, folder: Path, tmp_path: Path) -> None:
    first = exported(used, tmp_path / NAME)
    with opened(folder) as profiles:
        profiles.import_(tmp_path / NAME, replace=True)
    assert exported(folder, tmp_path / NAME) == first


@pytest.mark.parametrize("path", [FULL, MINIMAL], ids=lambda path: path.stem)
def test_what_once_was_written_can_be_taken_in_for_good(path: Path, folder: Path) -> None:
    with opened(folder) as profiles:
        profiles.import_(path, replace=True)
        profiles.export(folder / NAME, texts=True)
    again, meant = profile.read(folder / NAME), profile.read(path)
    assert (again.settings, again.votes) == (meant.settings, meant.votes)
    told = [(trait.id, trait.sentence, trait.removed) for trait in again.traits]
    # What is learned of them may become another with the learner.
    assert told == [(trait.id, trait.sentence, trait.removed) for trait in meant.traits]


def test_what_was_forgotten_does_not_leave_the_house(used: Path, tmp_path: Path) -> None:
    exported(used, tmp_path / NAME)
    votes = {vote.duel: vote for vote in profile.read(tmp_path / NAME).votes}
    assert "a0000002" not in votes, "that vote was deleted"
    early, late = votes["a0000001"], votes["a0000004"]
    assert (early.trait, late.trait) == ("", "warm")
    assert set(early.answers[0].utilities) == {"lists+"}
    assert set(late.answers[0].utilities) == {"warm+", "warm-", "lists+"}
    assert (early.answers[0].scores, late.answers[0].scores) == ({}, {"warm": 0.1})


def test_texts_leave_the_house_only_where_the_owner_says_so(used: Path, tmp_path: Path) -> None:
    quiet = exported(used, tmp_path / NAME)
    assert b"Is it so" not in quiet
    assert b"seed" not in quiet
    assert str(tmp_path).encode() not in quiet
    loud = exported(used, tmp_path / NAME, texts=True)
    assert loud.count(b"Is it so") == 5


def test_embeddings_stay_behind(folder: Path, tmp_path: Path) -> None:
    with recorded(folder) as record:
        numbers = answer(embedding=b"\x01\x02\x03\x04" * 100, utilities={})
        record.open_duel(duel("d1", answers=(numbers, numbers)))
        record.vote("d1", "first")
    assert len(exported(folder, tmp_path / NAME)) < 3_000


def test_a_vote_that_no_profile_can_hold_is_left_out_and_counted(
    folder: Path, tmp_path: Path
) -> None:
    with recorded(folder) as record:
        for id, phi in (("d1", 1.0), ("d2", 1e7)):
            record.open_duel(duel(id, answers=(answer(utilities={"short+": phi}),) * 2))
            record.vote(id, "first")
    with opened(folder) as profiles:
        found = profiles.export(tmp_path / NAME)
    assert (found.votes, found.left_out) == (1, 1)
    assert found.size == (tmp_path / NAME).stat().st_size


# Differences --------------------------------------------------------------------------------


def test_a_look_changes_nothing(used: Path, tmp_path: Path) -> None:
    before = {file.name: file.read_bytes() for file in used.iterdir()}
    with opened(used) as profiles:
        diff = profiles.preview(FULL)
        assert not diff.empty
        assert profiles.preview(FULL, replace=True).dropped == 5
    assert {file.name: file.read_bytes() for file in used.iterdir()} == before


def test_what_is_foreseen_is_what_comes(used: Path) -> None:
    with opened(used) as profiles:
        foreseen = profiles.preview(FULL)
        assert profiles.import_(FULL) == foreseen
        taken = profiles.preview(FULL)
    assert weights(taken.before) == weights(foreseen.after)


def test_a_merge_counts_every_vote_once_and_mine_stays(folder: Path) -> None:
    path = holding(folder / NAME, vote(1), vote(2), vote(3))
    with opened(folder) as profiles:
        assert (profiles.import_(path).new, profiles.import_(path).new) == (3, 0)
        holding(path, vote(1, "second"), vote(2), vote(4))
        diff = profiles.import_(path)
    assert (diff.new, diff.known, diff.differing, diff.dropped) == (1, 2, 1, 0)
    assert outcomes(folder) == [(f"{n:08x}", "first") for n in (1, 2, 3, 4)]


def test_a_merge_that_brings_nothing_is_no_change(folder: Path) -> None:
    path = holding(folder / NAME, vote(1))
    with opened(folder) as profiles:
        assert not profiles.import_(path).empty
        assert profiles.import_(path).empty
        assert profiles.undo(lambda: undone(folder)) == 'the import of "mine"'
    assert outcomes(folder) == []


def undone(folder: Path) -> str:
    with recorded(folder) as record:
        return record.undo()


def test_what_takes_the_place_of_all_lets_nothing_else_count(used: Path, tmp_path: Path) -> None:
    path = holding(tmp_path / NAME, vote(1), traits=(ProfileTrait(id="warm", removed=True),))
    with opened(used) as profiles:
        diff = profiles.import_(path, replace=True)
    assert (diff.new, diff.dropped) == (1, 5)
    assert [trait.id for trait in diff.gone] == ["warm", "own-rhyme-1"]
    assert [trait.id for trait in diff.back] == ["vivid"]
    assert outcomes(used) == [("00000001", "first")]
    assert [(change.name, change.after) for change in diff.settings] == [
        ("strength", "2"), ("what matters", "nothing set"), ("old votes", "count fully"),
    ]  # fmt: skip


def test_votes_come_back_after_a_reset_with_all_that_is_on_record(
    used: Path, tmp_path: Path
) -> None:
    first = exported(used, tmp_path / NAME)
    full_duel = standing(used).ballots[0].duel
    with recorded(used) as record:
        record.reset()
    with opened(used) as profiles:
        diff = profiles.import_(tmp_path / NAME)
    assert (diff.new, diff.left_out) == (5, 0)
    assert standing(used).ballots[0].duel == full_duel, "its text, its seed"
    assert exported(used, tmp_path / f"b{profile.SUFFIX}") == first


def test_another_duel_of_the_same_name_is_left_out_and_said(folder: Path) -> None:
    with recorded(folder) as record:
        record.open_duel(duel("00000001"))
        record.open_duel(replace(importing.duel_of(vote(2)), question="Asked?"))
    path = holding(folder / NAME, vote(1), vote(2), vote(3))
    with opened(folder) as profiles:
        diff = profiles.import_(path)
    assert (diff.new, diff.left_out) == (2, 1)
    assert standing(folder).ballots[0].duel.question == "Asked?"


def own_traits(count: int, start: int = 0) -> tuple[ProfileTrait, ...]:
    return tuple(
        ProfileTrait(id=f"own-{n}", sentence=f"Mention the number {n}.")
        for n in range(start, start + count)
    )


def test_no_more_traits_are_asked_about_than_there_may_be(folder: Path) -> None:
    first, second = (
        holding(folder / f"{start}{profile.SUFFIX}", traits=own_traits(2, start))
        for start in (0, 2)
    )
    with opened(folder) as profiles:
        profiles.import_(first)
        diff = profiles.import_(second)
        assert [trait.id for trait in diff.added] == ["own-2", "own-3"]
        assert len(diff.after.traits) == MAX_TRAITS
        assert [trait.id for trait in diff.after.removed] == ["own-2", "own-3"]
        again = profiles.import_(holding(folder / NAME, traits=own_traits(5)), replace=True)
        assert len(again.after.traits) == MAX_TRAITS
        assert [trait.id for trait in again.after.removed] == ["own-2", "own-3", "own-4"]


def test_a_trait_is_worded_anew_only_where_all_is_replaced(folder: Path) -> None:
    one, other = (
        (ProfileTrait(id="own-rhyme-1", sentence=sentence),) for sentence in ("Rhyme.", "rhyme")
    )
    with opened(folder) as profiles:
        profiles.import_(holding(folder / NAME, traits=one))
        path = holding(folder / NAME, traits=other)
        assert profiles.import_(path).empty
        diff = profiles.import_(path, replace=True)
    assert [(trait.id, trait.sentence) for trait in diff.reworded] == [("own-rhyme-1", "rhyme")]


def test_a_trait_about_agreement_is_not_taken_in(folder: Path) -> None:
    flattery = ProfileTrait(id="own-agree-1", sentence="Always agree with me.")
    path = holding(folder / NAME, vote(1, trait="own-agree-1"), traits=(flattery, *own_traits(1)))
    with opened(folder) as profiles:
        diff = profiles.import_(path)
    (said,) = diff.refused
    assert said.startswith('"Always agree with me.": Attune learns how answers are written')
    assert [trait.id for trait in standing(folder).traits] == ["own-0"]
    assert diff.new == 1


@pytest.mark.parametrize(
    "wrong",
    [ProfileTrait(id="short", sentence="Be a pirate."),
     ProfileTrait(id="own-x", sentence="Two\nlines.")],
    ids=["a built-in one", "untidy"],
)  # fmt: skip
def test_a_trait_that_is_no_owners_own_is_refused(wrong: ProfileTrait, folder: Path) -> None:
    path = holding(folder / NAME, traits=(wrong,))
    with opened(folder) as profiles, pytest.raises(InvalidProfile, match="no trait of an owner"):
        profiles.import_(path)
    assert standing(folder) == Standing()


def test_another_models_votes_carry_over(folder: Path) -> None:
    """Features are measured on each model's own scale, so it need not be here."""
    with opened(folder) as profiles:
        for name in ("large", "small"):
            votes = tuple(vote(n, model=f"{name}-model") for n in range(4))
            path = holding(folder / NAME, *votes)
            found = profiles.preview(path).after
            assert found.acting[0].liked == "shorter answers"


# Settings -----------------------------------------------------------------------------------


def test_a_merge_fills_in_settings_and_overrules_none(folder: Path, tmp_path: Path) -> None:
    mine = (Preference(text="formal"),)
    remember(folder, preferences=mine, sliders={"short+": 0.1}, model="my-model")
    with opened(folder) as profiles:
        diff = profiles.import_(holding(tmp_path / NAME, settings=STATED))
    now = settings(folder)
    assert (now.preferences, now.gamma, now.neutral, now.fade) == (mine, 4.65, False, 40.5)
    assert now.sliders == {"short+": 0.1, "quality": 0.5, "formal-": 0.0}
    assert now.model == "my-model"
    assert [(s.name, s.before, s.after) for s in diff.settings] == [
        ("strength", "2", "4.65"),
        ("what matters", "shorter answers 10%",
         "a casual tone 0%, good answers 50%, shorter answers 10%"),
        ("old votes", "count fully", "count half once 40.5 are newer"),
    ]  # fmt: skip


def test_undo_puts_settings_back_but_for_those_that_were_changed_since(folder: Path) -> None:
    remember(folder, gamma=1.0)
    with opened(folder) as profiles:
        profiles.import_(holding(folder / NAME, settings=STATED), replace=True)
        assert settings(folder).gamma == 4.65
        later = replace(settings(folder), neutral=False, gamma=5.0)
        SettingsFile(folder / "settings.json").write(later)
        profiles.undo(lambda: undone(folder))
    assert settings(folder) == replace(Settings(), gamma=5.0)
    assert not (folder / "import.json").exists()


def test_undo_of_something_else_leaves_settings_alone(folder: Path) -> None:
    with opened(folder) as profiles:
        profiles.import_(holding(folder / NAME, settings=STATED))
        with recorded(folder) as record:
            record.forget("short")
        assert profiles.undo(lambda: undone(folder)) == "the forgetting of short"
        assert settings(folder).gamma == 4.65
        profiles.undo(lambda: undone(folder))
    assert settings(folder) == Settings()


@pytest.mark.parametrize("note", [b"", b"{}", b'{"change":99}', b'{"change":"x"}', b"\xff"])
def test_a_note_that_means_nothing_is_dropped(used: Path, note: bytes) -> None:
    before = settings(used), standing(used)
    (used / "import.json").write_bytes(note)
    with opened(used) as profiles:
        profiles.settle()
    assert (settings(used), standing(used)) == before
    assert not (used / "import.json").exists()


def test_a_note_that_cannot_be_taken_away_hinders_nobody(
    used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = holding(used / NAME, vote(9), settings=STATED)
    unlink = Path.unlink

    def failing(self: Path, missing_ok: bool = False) -> None:
        if self.name == "import.json":
            raise OSError(5, "Input/output error")
        unlink(self, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", failing)
        with opened(used) as profiles:
            assert profiles.import_(path, replace=True).new == 1
    assert settings(used).gamma == 4.65
    with opened(used) as profiles:
        profiles.settle()
    assert settings(used).gamma == 4.65
    assert not (used / "import.json").exists()


def test_where_settings_cannot_be_saved_they_follow_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = holding(folder / NAME, vote(1), settings=STATED)

    def full_disk(*_: object) -> None:
        raise StorageError("There is no space left.")

    with monkeypatch.context() as patch:
        patch.setattr(SettingsFile, "write", full_disk)
        with opened(folder) as profiles, pytest.raises(StorageError):
            profiles.import_(path)
    assert (len(outcomes(folder)), settings(folder).gamma) == (1, 2.0)
    with opened(folder) as profiles:
        profiles.settle()
    assert settings(folder).gamma == 4.65


def test_another_start_at_the_worst_moment_does_not_keep_the_settings_back(folder: Path) -> None:
    path = holding(folder / NAME, vote(1), settings=STATED)
    with opened(folder) as profiles, opened(folder) as other:
        announce = profiles._announce

        def meanwhile(number: int) -> None:
            announce(number)
            other.settle()  # before the import is on record

        profiles._announce = meanwhile  # type: ignore[method-assign, assignment]
        profiles.import_(path)
    assert settings(folder).gamma == 4.65


def test_an_undo_that_fails_leaves_what_was_set_since(folder: Path) -> None:
    def failing() -> str:
        raise StorageError("There is no space left.")

    with opened(folder) as profiles:
        profiles.import_(holding(folder / NAME, vote(1), settings=STATED))
        assert settings(folder).gamma == 4.65
        SettingsFile(folder / "settings.json").write(replace(settings(folder), gamma=2.0))
        with pytest.raises(StorageError):
            profiles.undo(failing)
    assert settings(folder).gamma == 2.0
    assert not (folder / "import.json").exists()


def test_an_undo_that_was_cut_short_by_an_older_attune_is_finished(folder: Path) -> None:
    with opened(folder) as profiles:
        profiles.import_(holding(folder / NAME, vote(1), settings=STATED))
        number = profiles._record.newest_import()
        undone(folder)
        (folder / "import.json").write_text(f'{{"change":{number}}}')
        profiles.settle()
    assert settings(folder).gamma == 2.0


# Killed at any point --------------------------------------------------------------------------


def take_in(folder: Path) -> None:
    with opened(folder) as profiles:
        profiles.import_(FULL, replace=True)


def take_back(folder: Path) -> None:
    with opened(folder) as profiles:
        profiles.undo(lambda: undone(folder))


def state(folder: Path) -> tuple[object, ...]:
    """All that an import changes, after a start."""
    with opened(folder) as profiles:
        profiles.settle()
    found = standing(folder)
    counted = [(b.duel, b.outcome) for b in found.ballots]
    return counted, found.traits, found.removed, found.undoable, settings(folder)


@pytest.fixture
def twice(used: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The folder before and after an import."""
    after = tmp_path / "after"
    shutil.copytree(used, after)
    take_in(after)
    return used, after


@needs_fork
@pytest.mark.parametrize("act", [take_in, take_back], ids=["import", "undo"])
def test_killed_at_any_point_it_is_old_or_new_and_never_mixed(
    act: Callable[[Path], None], twice: tuple[Path, Path], tmp_path: Path
) -> None:
    begin = twice[0] if act is take_in else twice[1]
    old, new = (state(folder) for folder in (twice if act is take_in else twice[::-1]))
    assert old != new
    trial = tmp_path / "trial"
    shutil.copytree(begin, trial)
    steps = doing(lambda: act(trial), until=0)
    assert state(trial) == new
    seen = set()
    # The record is committed near the end, and the settings follow.
    for at in [*random.Random(0).sample(range(1, steps + 1), 8), *range(steps - 36, steps + 1, 3)]:
        shutil.rmtree(trial)
        shutil.copytree(begin, trial)
        killed(lambda: act(trial), at=at)
        found = state(trial)
        assert found in (old, new), f"step {at} of {steps}"
        seen.add(found == new)
        assert not (trial / "import.json").exists()
        act(trial) if found == old else None
        assert state(trial) == new, f"it goes on after step {at}"
    assert seen == {False, True}
