"""What is generated from the installed models, what the owner makes of it, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.portfolio.pool import (
    LOADING,
    MOST,
    OVERHEAD,
    PATIENCE,
    STRONG,
    File,
    Model,
    Pole,
    costs,
    edited,
    generate,
    own,
)
from engine.types.portfolio import Candidate
from engine.types.steering import MAX_GAMMA, MAX_PREFERENCES, Sampling

SMALL = Model(id="small-135m", name="Small 135M")
LARGE = Model(id="large-8b", name="Large 8B")
TUNED = Model(id="tuned", name="Small 135M, tuned", adapted=True)
SHORT: Pole = ("short+", "short", "Answer in one or two sentences.")
WARM: Pole = ("warm+", "warm", "Be warm and friendly.")
SIMPLE: Pole = ("simple+", "simple", "Your answer should be easy to understand.")
FORMAL: Pole = ("formal+", "formal", "Use a formal, professional tone.")
LONG: Pole = ("short-", "detailed", "Answer at length and in great detail.")
SAMPLING = Sampling(temperature=0.7, max_tokens=512, seed=11)

poles_of_traits = st.lists(
    st.sampled_from("abcdefgh").flatmap(lambda trait: st.sampled_from([f"{trait}+", f"{trait}-"])),
    unique=True,
    max_size=14,
).map(lambda ids: [(id, f"very {id}", f"Be {id} now.") for id in ids])


def pool(*poles: Pole, models: tuple[Model, ...] = (SMALL,)) -> tuple[Candidate, ...]:
    return generate(models, sampling=SAMPLING, poles=poles)


def alone(sizes: Mapping[str, int]) -> dict[str, tuple[File, ...]]:
    """Models that are one file each, of so many bytes."""
    return {id: (File(id=f"contents of {id}", size=size),) for id, size in sizes.items()}


def trait(sentence: str) -> str:
    return sentence.split()[1][:-1]


# What is generated --------------------------------------------------------------------------


def test_two_poles_give_every_setting() -> None:
    shown = [(c.name, c.preferences, c.gamma) for c in pool(SHORT, WARM)]
    assert shown == [
        ("Small 135M, plain", (), 0.0),
        ("Small 135M, short", (SHORT[2],), 2.0),
        ("Small 135M, warm", (WARM[2],), 2.0),
        ("Small 135M, short and warm", (SHORT[2], WARM[2]), 2.0),
        ("Small 135M, short (stated)", (SHORT[2],), 0.0),
        ("Small 135M, warm (stated)", (WARM[2],), 0.0),
    ]


def test_both_poles_of_a_trait_are_there_but_never_together() -> None:
    names = [c.name.removeprefix("Small 135M, ") for c in pool(SHORT, LONG, WARM)]
    assert names[1:4] == ["short", "detailed", "warm"]
    assert "short and warm" in names
    assert "detailed and warm" in names
    assert "short and detailed" not in names


def test_of_four_poles_the_first_ones_are_paired_and_stated() -> None:
    names = [c.name.removeprefix("Small 135M, ") for c in pool(SHORT, WARM, SIMPLE, FORMAL)]
    assert names == [
        "plain",
        "short",
        "warm",
        "simple",
        "formal",
        "short and warm",
        "short (stated)",
        "short and simple",
        "warm (stated)",
        "short and formal",
        "simple (stated)",
        "warm and simple",
    ]


def test_with_nothing_to_want_each_model_is_plain() -> None:
    found = pool(models=(SMALL, LARGE))
    assert [(c.model, c.name) for c in found] == [
        ("small-135m", "Small 135M, plain"),
        ("large-8b", "Large 8B, plain"),
    ]
    assert generate((), sampling=SAMPLING, poles=[SHORT]) == ()


def test_every_candidate_draws_alike_and_without_a_seed() -> None:
    assert {c.sampling for c in pool(SHORT, WARM)} == {replace(SAMPLING, seed=None)}


@given(poles_of_traits)
def test_the_most_useful_settings_of_each_model_are_generated(poles: list[Pole]) -> None:
    found = generate((SMALL, LARGE), sampling=SAMPLING, poles=poles)
    first, second = ([c for c in found if c.model == m.id] for m in (SMALL, LARGE))
    assert found == (*first, *second)
    assert [(c.preferences, c.gamma) for c in first] == [(c.preferences, c.gamma) for c in second]
    assert len({c.id for c in found}) == len(found)
    assert len({c.name for c in found}) == len(found)

    pairs = [(a, b) for i, a in enumerate(poles) for b in poles[i + 1 :] if a[0][0] != b[0][0]]
    assert len(first) == min(MOST, 1 + 2 * len(poles) + len(pairs))
    assert first[0].preferences == ()
    corners = [c.preferences for c in first[1 : 1 + len(poles)]]
    assert corners == [(pole[2],) for pole in poles][: MOST - 1]
    rest = first[1 + len(poles) :]
    paired, stated = ([c for c in rest if len(c.preferences) == n] for n in (2, 1))
    assert all(c.gamma == STRONG for c in paired)
    assert all(c.gamma == 0.0 for c in stated)
    assert all(trait(c.preferences[0]) != trait(c.preferences[1]) for c in paired)
    if len(paired) < len(pairs) and len(stated) < len(poles):
        assert len(stated) <= len(paired) <= len(stated) + 1


@given(poles_of_traits)
def test_important_poles_are_paired_first(poles: list[Pole]) -> None:
    place = {pole[2]: i for i, pole in enumerate(poles)}
    paired = [c.preferences for c in pool(*poles) if len(c.preferences) == 2]
    ranks = [place[a] + place[b] for a, b in paired]
    assert all(place[a] < place[b] for a, b in paired)
    assert all(earlier <= later for earlier, later in pairwise(ranks))


@given(poles_of_traits)
def test_an_adapted_model_is_plain_and_pulled_to_each_pole(poles: list[Pole]) -> None:
    found = pool(*poles, models=(SMALL, TUNED))
    plain = [c for c in found if c.model == SMALL.id]
    tuned = [c for c in found if c.model == TUNED.id]
    wanted = [((), 0.0), *(((pole[2],), STRONG) for pole in poles)][:MOST]
    assert [(c.preferences, c.gamma) for c in tuned] == wanted
    assert tuple(plain) == pool(*poles)


# Identity -----------------------------------------------------------------------------------


def test_an_id_is_the_same_for_ever() -> None:
    """Answers that were measured are kept by it."""
    plain, short, *_ = generate([SMALL], sampling=Sampling(), poles=[SHORT])
    assert (plain.id, short.id) == ("7881deeabe46", "2f3acd11d93d")


def test_an_id_tells_neither_name_nor_seed_nor_length_nor_company() -> None:
    (found,) = (c for c in pool(SHORT, WARM) if c.preferences == (WARM[2],) and c.gamma == 2.0)
    renamed = generate(
        [LARGE, Model(id=SMALL.id, name="Other")],
        sampling=replace(SAMPLING, seed=None, max_tokens=9),
        poles=[("x+", "cosy", WARM[2])],
    )
    assert found.id in {c.id for c in renamed}


@pytest.mark.parametrize(
    "other",
    [
        own(LARGE, preferences=["kind", "brief"], gamma=2.0, sampling=SAMPLING),
        own(SMALL, preferences=["brief", "kind"], gamma=2.0, sampling=SAMPLING),
        own(SMALL, preferences=["kind brief"], gamma=2.0, sampling=SAMPLING),
        own(SMALL, preferences=["kind", "brief"], gamma=2.5, sampling=SAMPLING),
        own(SMALL, preferences=["kind", "brief"], gamma=2.0, sampling=replace(SAMPLING, top_k=0)),
        own(SMALL, preferences=["kind", "brief"], gamma=2.0, sampling=replace(SAMPLING, min_p=0)),
    ],
    ids=["model", "order", "split", "strength", "top k", "min p"],
)
def test_every_part_of_a_setting_changes_its_id(other: Candidate) -> None:
    found = own(SMALL, preferences=["kind", "brief"], gamma=2, sampling=SAMPLING)
    assert found.id != other.id
    again = own(
        SMALL, preferences=["kind", "brief"], gamma=2.0, sampling=replace(SAMPLING, temperature=0.7)
    )
    assert found.id == again.id


# The owner's own ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preferences", "gamma", "name"),
    [
        (["kind"], 2.0, "Small 135M, kind"),
        ([" Be  brief.\n"], 0.0, "Small 135M, Be brief (stated)"),
        (["kind", "brief", "dry"], 4.65, "Small 135M, kind, brief and dry (strength 4.65)"),
        (["ab " * 20], 2.0, f"Small 135M, {'ab ' * 12}ab…"),
    ],
)
def test_a_setting_of_ones_own_is_named_by_what_it_wants(
    preferences: list[str], gamma: float, name: str
) -> None:
    found = own(SMALL, preferences=preferences, gamma=gamma, sampling=SAMPLING)
    assert found.name == name
    assert found.preferences == tuple(" ".join(text.split()) for text in preferences)
    assert (found.model, found.gamma) == (SMALL.id, gamma)


def test_a_setting_that_is_generated_too_is_the_same_one() -> None:
    mine = own(SMALL, preferences=[SHORT[2]], gamma=2.0, sampling=SAMPLING)
    assert mine.id in {c.id for c in pool(SHORT)}


@pytest.mark.parametrize(
    ("preferences", "gamma", "message"),
    [
        ([], 2.0, r"number of preferences is 0, but must be from 1 to 4"),
        (["a"] * (MAX_PREFERENCES + 1), 2.0, r"is 5, but must be from 1 to 4"),
        (["kind", " \n"], 2.0, r"preference is empty"),
        (["…"], 2.0, r"preference is empty"),
        (["a" * 301], 2.0, r"301 characters, but 300"),
        (["a\ud800"], 2.0, r"not valid Unicode"),
        (["kind"], -0.1, r"strength is -0.1, but must be from 0 to 10"),
        (["kind"], MAX_GAMMA + 0.1, r"strength is 10.1"),
        (["kind"], float("nan"), r"strength is nan"),
    ],
)
def test_what_cannot_be_a_setting_is_refused(
    preferences: list[str], gamma: float, message: str
) -> None:
    with pytest.raises(InvalidParameter, match=message):
        own(SMALL, preferences=preferences, gamma=gamma, sampling=SAMPLING)


def test_a_sentence_that_cannot_be_a_preference_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="empty"):
        pool(("own+", "own", " "))


# Edited -------------------------------------------------------------------------------------


def test_edits_take_out_and_add() -> None:
    generated = pool(SHORT, WARM)
    mine = own(SMALL, preferences=["dry"], gamma=1.0, sampling=SAMPLING)
    removed = {generated[1].id, "not there"}
    found = edited(generated, added=[mine], removed=removed)
    assert found == (generated[0], *generated[2:], mine)


def test_nothing_is_there_twice() -> None:
    generated = pool(SHORT)
    mine = own(SMALL, preferences=["dry"], gamma=1.0, sampling=SAMPLING)
    same = own(SMALL, preferences=[SHORT[2]], gamma=2.0, sampling=SAMPLING)
    assert edited(generated, added=[mine, same, mine], removed=()) == (*generated, mine)


def test_what_was_added_stays_where_its_twin_was_taken_out() -> None:
    generated = pool(SHORT)
    same = own(SMALL, preferences=[SHORT[2]], gamma=2.0, sampling=SAMPLING)
    found = edited(generated, added=[same], removed={same.id})
    assert found == (generated[0], generated[2], same)


@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_edits_are_those_of_sets(taken: set[int], added: set[int]) -> None:
    everything = pool(SHORT, WARM, SIMPLE)
    assert len(everything) == 10
    generated, others = everything[:5], [everything[i] for i in sorted(added)]
    removed = {everything[i].id for i in taken}
    found = edited(generated, added=others, removed=removed)
    wanted = {i for i in range(5) if i not in taken} | added
    assert {c.id for c in found} == {everything[i].id for i in wanted}
    assert len(found) == len(wanted)
    assert edited(found, added=others, removed=()) == found


# Costs --------------------------------------------------------------------------------------


def test_costs_worked_by_hand() -> None:
    candidates = [*pool(SHORT), *pool(models=(LARGE,))]
    files = alone({SMALL.id: 100_000_000, LARGE.id: 3_700_000_000})
    found = costs(files, installed=8_000_000_000, candidates=candidates)
    # Three share (0.4 / 8 + 0.1 / 5) / 2 = 0.035; one bears (4 / 8 + 3.7 / 5) / 2 = 0.62.
    np.testing.assert_allclose(found, [0.035 / 3] * 3 + [0.62], rtol=1e-12)
    assert found.dtype == np.float64
    unknown = costs(files, installed=None, candidates=candidates)
    np.testing.assert_allclose(unknown, [0.02 / 3] * 3 + [0.74], rtol=1e-12)


def test_an_adapted_model_shares_the_file_of_its_base_and_bears_its_adapter() -> None:
    weights = File(id="weights", size=100_000_000)
    adapter = File(id="adapter", size=40_000_000, adapter=True)
    files = {SMALL.id: (weights,), TUNED.id: (weights, adapter)}
    candidates = [*pool(SHORT), *pool(SHORT, models=(TUNED,))]
    found = costs(files, installed=8_000_000_000, candidates=candidates)
    # Five share the weights' (0.4 / 8 + 0.1 / 5) / 2 = 0.035, two the adapter's
    # (0.04 / 8 + 0.04 / 5) / 2 = 0.0065: it needs no program of its own.
    np.testing.assert_allclose(found, [0.007] * 3 + [0.007 + 0.00325] * 2, rtol=1e-12)


def test_adapters_of_one_base_do_not_share() -> None:
    weights = File(id="weights", size=100)
    models = [replace(TUNED, id=id) for id in "ab"]
    files = {id: (weights, File(id=id, size=10**9, adapter=True)) for id in "ab"}
    candidates = generate(models, sampling=SAMPLING, poles=())
    found = costs(files, installed=None, candidates=candidates)
    np.testing.assert_allclose(found, [10**9 / LOADING / PATIENCE + 50 / LOADING / PATIENCE] * 2)


def test_a_model_that_is_gone_costs_all_there_is() -> None:
    assert costs({}, installed=None, candidates=pool()).tolist() == [1.0]
    np.testing.assert_allclose(costs({}, installed=None, candidates=pool(SHORT)), [1 / 3] * 3)
    assert costs({}, installed=None, candidates=[]).shape == (0,)


byte_sizes = st.integers(0, 10**12)


@given(byte_sizes, byte_sizes, st.none() | st.integers(1, 10**12), st.integers(1, 12))
def test_costs_are_shares_and_grow_with_the_file(
    size: int, more: int, installed: int | None, sharing: int
) -> None:
    candidates = pool(SHORT, WARM, SIMPLE, LONG)[:sharing]
    small, large = (
        costs(alone({SMALL.id: bytes}), installed=installed, candidates=candidates)
        for bytes in (size, size + more)
    )
    assert ((small >= 0.0) & (small <= large) & (large <= 1.0)).all()
    assert (small == small[0]).all()


@given(byte_sizes, byte_sizes, st.none() | st.integers(1, 10**12), st.integers(1, 4))
def test_a_candidate_never_costs_more_than_all_there_is(
    weights: int, adapter: int, installed: int | None, adapted: int
) -> None:
    base = File(id="weights", size=weights)
    files = {SMALL.id: (base,), TUNED.id: (base, File(id="adapter", size=adapter, adapter=True))}
    plain, tuned = pool(), pool(SHORT, WARM, SIMPLE, models=(TUNED,))[:adapted]
    found = costs(files, installed=installed, candidates=[*plain, *tuned])
    assert ((found >= 0.0) & (found <= 1.0)).all()
    assert (found[1:] >= found[0]).all()
    assert (found[1:] == found[1]).all()


@given(byte_sizes, st.none() | st.integers(1, 10**12), st.integers(1, 12))
def test_settings_of_one_file_cost_together_what_the_file_costs(
    size: int, installed: int | None, sharing: int
) -> None:
    files = alone({SMALL.id: size, LARGE.id: 10**9})
    candidates = pool(SHORT, WARM, SIMPLE, LONG)
    single = costs(files, installed=installed, candidates=candidates[:1])
    among = [*candidates[:sharing], *pool(SHORT, models=(LARGE,))]
    together = costs(files, installed=installed, candidates=among)
    assert together[:sharing].sum() == pytest.approx(single[0])


def test_a_file_that_fills_memory_and_patience_costs_all_there_is() -> None:
    size = int(LOADING * PATIENCE)
    full, half = (
        costs(alone({SMALL.id: size}), installed=installed, candidates=pool()).item()
        for installed in (size, 2 * (size + OVERHEAD))
    )
    assert full == 1.0
    assert half == pytest.approx(0.75)
