"""Each rule against a slow, obvious reference, and the rules together in their order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.steering.amulet import Candidates
from engine.steering.sampling import (
    Sampler,
    check,
    draw,
    min_p,
    penalise,
    top_k,
    top_p,
)
from engine.types.steering import GREEDY, Sampling

NEVER = -math.inf
LAST = 1.0 - 2.0**-53
"""The largest number that a generator draws."""

# Halves: ties are common, and no probability lies where rounding would decide.
scores = st.lists(st.integers(-40, 40).map(lambda n: n / 2) | st.just(NEVER), min_size=1).filter(
    lambda found: max(found) > NEVER
)


def candidates(values: Sequence[float], *, ids: Sequence[int] | None = None) -> Candidates:
    return Candidates(
        scores=np.array(values, np.float32),
        ids=None if ids is None else np.array(ids, np.intp),
    )


def of_chances(*chances: float) -> Candidates:
    return candidates([math.log(p) if p else NEVER for p in chances])


def kept(found: Candidates) -> list[int]:
    return list(range(len(found.scores))) if found.ids is None else found.ids.tolist()


def generator(*draws: float) -> np.random.Generator:
    """One that draws these numbers."""
    left = list(draws)
    return cast(np.random.Generator, SimpleNamespace(random=lambda: left.pop(0)))


# Slow references ----------------------------------------------------------------------------

Pairs = list[tuple[int, float]]
"""Token ids and scores."""


def slow_chances(pairs: Pairs, *, temperature: float = 1.0) -> list[float]:
    top = max(score for _, score in pairs)
    shares = [math.exp((score - top) / temperature) for _, score in pairs]
    return [share / math.fsum(shares) for share in shares]


def slow_penalty(pairs: Pairs, recent: Iterable[int], penalty: float) -> Pairs:
    seen = set(recent)
    return [(i, score - math.log(penalty) if i in seen else score) for i, score in pairs]


def slow_min_p(pairs: Pairs, share: float) -> Pairs:
    chances = slow_chances(pairs)
    return [pair for pair, p in zip(pairs, chances, strict=True) if p >= share * max(chances)]


def slow_top_k(pairs: Pairs, count: int) -> Pairs:
    order = sorted(range(len(pairs)), key=lambda i: (-pairs[i][1], i))
    best = set(order[: count or len(pairs)])
    return [pair for i, pair in enumerate(pairs) if i in best]


def slow_top_p(pairs: Pairs, mass: float) -> Pairs:
    if mass >= 1.0:
        return pairs
    chances = slow_chances(pairs)
    best: list[int] = []
    for i in sorted(range(len(pairs)), key=lambda i: (-pairs[i][1], i)):
        best.append(i)
        if math.fsum(chances[i] for i in best) >= mass:
            break
    return [pair for i, pair in enumerate(pairs) if i in best]


def slow_draw(pairs: Pairs, temperature: float, rng: np.random.Generator) -> int:
    if temperature == 0.0 or len(pairs) == 1:
        return max(pairs, key=lambda pair: (pair[1], -pairs.index(pair)))[0]
    left = rng.random()
    for (i, _), p in zip(pairs, slow_chances(pairs, temperature=temperature), strict=True):
        left -= p
        if left < 0:
            return i
    raise AssertionError("probabilities do not reach one")


def slow_answer(rows: Sequence[Sequence[float]], s: Sampling) -> list[int]:
    """What a sampler with these settings draws from these scores, one after another."""
    rng, answer = np.random.default_rng(s.seed), list[int]()
    for row in rows:
        pairs = list(enumerate(row))
        pairs = slow_penalty(pairs, answer[-64:], s.repetition_penalty)
        if s.temperature > 0.0:
            pairs = slow_top_p(slow_top_k(slow_min_p(pairs, s.min_p), s.top_k), s.top_p)
        answer.append(slow_draw(pairs, s.temperature, rng))
    return answer


# Each rule ----------------------------------------------------------------------------------


@given(scores, st.floats(1.0, 10.0), st.sets(st.integers(0, 60)))
def test_the_penalty_is_its_reference(
    values: list[float], penalty: float, recent: set[int]
) -> None:
    ids = [2 * i for i in range(len(values))]
    found = penalise(candidates(values, ids=ids), recent=recent, penalty=penalty)
    slow = slow_penalty(list(zip(ids, values, strict=True)), recent, penalty)
    assert kept(found) == ids
    np.testing.assert_allclose(found.scores, [score for _, score in slow], rtol=1e-6)


def test_the_penalty_divides_the_probability_once_however_often_a_token_came() -> None:
    before = of_chances(0.5, 0.3, 0.2)
    found = penalise(before, recent=[0, 0, 0, 2], penalty=2.0)
    np.testing.assert_allclose(np.exp(found.scores), [0.25, 0.3, 0.1], rtol=1e-6)
    np.testing.assert_allclose(np.exp(before.scores), [0.5, 0.3, 0.2], rtol=1e-6)


def test_the_penalty_does_not_depend_on_the_zero_of_the_logits() -> None:
    low = penalise(candidates([-5.0, -6.0]), recent=[0], penalty=3.0)
    high = penalise(candidates([5.0, 4.0]), recent=[0], penalty=3.0)
    np.testing.assert_allclose(high.scores - 10.0, low.scores, rtol=1e-6)


@given(scores, st.integers(0, 80).map(lambda n: math.exp(-n / 2 - 0.25)))
def test_min_p_is_its_reference(values: list[float], share: float) -> None:
    found = kept(min_p(candidates(values), share=share))
    assert found == [i for i, _ in slow_min_p(list(enumerate(values)), share)]


@given(scores, st.integers(0, 60))
def test_top_k_is_its_reference(values: list[float], count: int) -> None:
    found = kept(top_k(candidates(values), count=count))
    assert found == [i for i, _ in slow_top_k(list(enumerate(values)), count)]


@given(scores, st.floats(0.0, 1.0))
def test_top_p_is_its_reference(values: list[float], mass: float) -> None:
    pairs = list(enumerate(values))
    reached = np.cumsum(sorted(slow_chances(pairs), reverse=True))
    assume(mass in {0.0, 1.0} or float(np.abs(reached - mass).min()) > 1e-5)
    assert kept(top_p(candidates(values), mass=mass)) == [i for i, _ in slow_top_p(pairs, mass)]


@given(scores, st.floats(0.0, LAST), st.floats(0.05, 5.0))
def test_a_draw_is_its_reference(values: list[float], drawn: float, temperature: float) -> None:
    pairs = list(enumerate(values))
    reached = np.cumsum(slow_chances(pairs, temperature=temperature))
    assume(float(np.abs(reached - drawn).min()) > 1e-5)
    found = draw(candidates(values), temperature=temperature, rng=generator(drawn))
    assert found == slow_draw(pairs, temperature, generator(drawn))


@given(scores, st.floats(0.0, LAST), st.floats(0.0, 5.0))
@example([0.0, 0.0, 0.0, NEVER], LAST, 1.0)
@example([NEVER, 0.0, 0.0], 0.0, 1.0)
def test_what_must_never_come_never_comes(
    values: list[float], drawn: float, temperature: float
) -> None:
    found = draw(candidates(values), temperature=temperature, rng=generator(drawn))
    assert values[found] > NEVER


def test_probabilities_that_do_not_quite_reach_one_let_no_impossible_token_through() -> None:
    # One third three times may be less than one in float32; what is missing belongs to nobody.
    for count in range(1, 100):
        whole = candidates([0.0] * count + [NEVER])
        assert draw(whole, temperature=1.0, rng=generator(LAST)) == count - 1


@given(scores, st.permutations(range(50)), st.floats(0.0, 1.0), st.integers(0, 50))
def test_cuts_keep_ids_with_their_scores_in_order(
    values: list[float], names: list[int], share: float, count: int
) -> None:
    ids = names[: len(values)]
    assume(len(ids) == len(values))
    name = dict(zip(ids, np.array(values, np.float32), strict=True))
    whole = candidates(values, ids=ids)
    for cut in (min_p(whole, share=share), top_k(whole, count=count), top_p(whole, mass=share)):
        assert [name[i] for i in kept(cut)] == cut.scores.tolist()
        assert kept(cut) == [i for i in ids if i in set(kept(cut))]
        assert cut.scores.dtype == np.float32
        assert len(cut.scores) >= 1


# By hand ------------------------------------------------------------------------------------


def test_cuts_of_a_tiny_distribution_by_hand() -> None:
    tiny = of_chances(0.1, 0.4, 0.2, 0.3)
    assert kept(min_p(tiny, share=0.45)) == [1, 2, 3]
    assert kept(min_p(tiny, share=0.6)) == [1, 3]
    assert kept(top_k(tiny, count=2)) == [1, 3]
    assert kept(top_p(tiny, mass=0.35)) == [1]
    assert kept(top_p(tiny, mass=0.65)) == [1, 3]
    assert kept(top_p(tiny, mass=0.85)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("drawn", "token"), [(0.0, 0), (0.24, 0), (0.26, 1), (0.74, 1), (0.76, 3), (LAST, 3)]
)
def test_a_draw_by_hand(drawn: float, token: int) -> None:
    tiny = of_chances(0.25, 0.5, 0.0, 0.25)
    assert draw(tiny, temperature=1.0, rng=generator(drawn)) == token


@pytest.mark.parametrize(("temperature", "token"), [(1.0, 0), (2.0, 1)])
def test_temperature_by_hand(temperature: float, token: int) -> None:
    # 4 : 1 becomes 2 : 1 at temperature 2, so that 0.7 falls to the second.
    found = draw(of_chances(0.8, 0.2), temperature=temperature, rng=generator(0.7))
    assert found == token


def test_ties_go_to_the_first() -> None:
    level = candidates([1.0, 2.0, 2.0, 2.0, 0.0])
    assert kept(top_k(level, count=2)) == [1, 2]
    assert kept(top_p(level, mass=0.1)) == [1]
    assert draw(level, temperature=0.0, rng=generator()) == 1
    assert kept(min_p(level, share=1.0)) == [1, 2, 3]


def test_neutral_values_keep_everything() -> None:
    whole = candidates([1.0, 2.0, NEVER])
    assert min_p(whole, share=0.0) is whole
    assert top_k(whole, count=0) is whole
    assert top_k(whole, count=3) is whole
    assert top_p(whole, mass=1.0) is whole
    assert penalise(whole, recent=[0, 1], penalty=1.0) is whole
    assert penalise(whole, recent=[], penalty=5.0) is whole


def test_frequencies_follow_the_probabilities() -> None:
    chances = (0.5, 0.25, 0.15, 0.1)
    whole, rng = of_chances(*chances), np.random.default_rng(7)
    drawn = Counter(draw(whole, temperature=1.0, rng=rng) for _ in range(4000))
    for token, chance in enumerate(chances):
        assert drawn[token] / 4000 == pytest.approx(chance, abs=0.025)


# Extremes -----------------------------------------------------------------------------------

ALL_ON = Sampling(temperature=1.0, top_k=5, top_p=0.9, min_p=0.1, repetition_penalty=1.5)


@pytest.mark.parametrize("sampling", [GREEDY, ALL_ON, Sampling()])
def test_a_single_token_is_drawn(sampling: Sampling) -> None:
    sampler = Sampler(sampling, rng=np.random.default_rng(0))
    assert [sampler.next(candidates([3.0], ids=[17])) for _ in range(3)] == [17, 17, 17]


@pytest.mark.parametrize("sampling", [GREEDY, ALL_ON, Sampling(temperature=5.0)])
def test_the_only_possible_token_is_drawn(sampling: Sampling) -> None:
    values = [NEVER] * 1000
    values[613] = -40.0
    sampler = Sampler(sampling, rng=np.random.default_rng(0))
    assert [sampler.next(candidates(values)) for _ in range(5)] == [613] * 5


@pytest.mark.parametrize("scale", [1e4, 1e30])
def test_huge_logits_draw_the_likeliest(scale: float) -> None:
    values = (np.arange(100, dtype=np.float32) % 37) * np.float32(scale)
    sampler = Sampler(replace(ALL_ON, top_k=1), rng=np.random.default_rng(0))
    assert sampler.next(Candidates(scores=values)) == 36


def test_a_tiny_temperature_draws_the_likeliest() -> None:
    values = np.random.default_rng(1).normal(size=500).astype(np.float32)
    sampler = Sampler(replace(GREEDY, temperature=1e-9), rng=np.random.default_rng(0))
    assert sampler.next(Candidates(scores=values)) == int(values.argmax())


# Together -----------------------------------------------------------------------------------


def rows(seed: int, *, count: int = 20, size: int = 12) -> list[list[float]]:
    found: list[list[float]] = np.random.default_rng(seed).normal(0, 2, (count, size)).tolist()
    return found


def answer(sampling: Sampling, given_rows: Sequence[Sequence[float]]) -> list[int]:
    sampler = Sampler(sampling, rng=np.random.default_rng(sampling.seed))
    return [sampler.next(candidates(row)) for row in given_rows]


@settings(max_examples=20)
@given(
    st.integers(0, 1000),
    st.builds(
        Sampling,
        temperature=st.sampled_from([0.0, 0.3, 1.0, 2.5]),
        top_k=st.integers(0, 12),
        top_p=st.sampled_from([0.0, 0.31, 0.83, 1.0]),
        min_p=st.sampled_from([0.0, 0.07, 0.52, 1.0]),
        repetition_penalty=st.sampled_from([1.0, 1.3, 10.0]),
        seed=st.integers(0, 99),
    ),
)
def test_the_rules_together_are_their_references_in_order(seed: int, sampling: Sampling) -> None:
    assert answer(sampling, rows(seed)) == slow_answer(rows(seed), sampling)


def drawn_of(sampling: Sampling, whole: Candidates, *, after: int | None = None) -> set[int]:
    """Every token that can come next."""
    found = set()
    for place in range(100):
        sampler = Sampler(sampling, rng=generator(place / 100))
        if after is not None:
            sampler.next(candidates([0.0], ids=[after]))
        found.add(sampler.next(whole))
    return found


def test_the_penalty_comes_before_the_cuts() -> None:
    sampling = replace(GREEDY, temperature=1.0, min_p=0.5, repetition_penalty=4.0)
    whole = of_chances(0.5, 0.3, 0.2)
    assert drawn_of(sampling, whole) == {0, 1}
    assert drawn_of(sampling, whole, after=0) == {1, 2}


def test_top_p_counts_what_top_k_and_min_p_left() -> None:
    # Of four, 0.4 does not reach one half; of the two that are left it is 0.57.
    whole = of_chances(0.4, 0.3, 0.2, 0.1)
    sampling = replace(GREEDY, temperature=1.0, top_p=0.5)
    assert drawn_of(sampling, whole) == {0, 1}
    assert drawn_of(replace(sampling, top_k=2), whole) == {0}
    assert drawn_of(replace(sampling, min_p=0.7), whole) == {0}


def test_a_high_temperature_brings_back_nothing_that_was_cut() -> None:
    whole = of_chances(0.9, 0.06, 0.04)
    sampling = replace(GREEDY, temperature=5.0)
    assert drawn_of(sampling, whole) == {0, 1, 2}
    assert drawn_of(replace(sampling, min_p=0.1), whole) == {0}
    assert drawn_of(replace(sampling, top_p=0.95), whole) == {0, 1}


@pytest.mark.parametrize(("between", "token"), [(63, 8), (64, 7)])
def test_the_penalty_looks_back_so_far_and_no_further(between: int, token: int) -> None:
    sampler = Sampler(replace(GREEDY, repetition_penalty=2.0), rng=np.random.default_rng(0))
    pair = candidates([0.5, 0.2], ids=[7, 8])
    assert sampler.next(pair) == 7
    for other in range(between):
        sampler.next(candidates([0.0], ids=[100 + other]))
    assert sampler.next(pair) == token


def test_the_same_seed_draws_the_same_and_another_one_something_else() -> None:
    sampling = Sampling(temperature=1.0, seed=4)
    assert answer(sampling, rows(0)) == answer(sampling, rows(0))
    assert answer(sampling, rows(0)) != answer(replace(sampling, seed=5), rows(0))


def test_two_samplers_with_one_seed_do_not_disturb_each_other() -> None:
    sampling = Sampling(temperature=1.0, seed=4)
    one, two = (Sampler(sampling, rng=np.random.default_rng(4)) for _ in range(2))
    pairs = [(one.next(candidates(row)), two.next(candidates(row))) for row in rows(0)]
    assert [a for a, _ in pairs] == [b for _, b in pairs] == answer(sampling, rows(0))


MOVED: dict[str, float] = {
    "temperature": 2.0,
    "top_k": 2,
    "top_p": 0.4,
    "min_p": 0.6,
    "repetition_penalty": 10.0,
    "seed": 2,
}


def test_every_parameter_of_sampling_is_tried_off_its_neutral_value() -> None:
    assert {f.name for f in fields(Sampling)} == MOVED.keys() | {"max_tokens"}


@pytest.mark.parametrize("name", MOVED)
def test_every_parameter_matters(name: str) -> None:
    neutral = replace(GREEDY, temperature=1.0, seed=1)
    moved = replace(neutral, **{name: MOVED[name]})  # type: ignore[arg-type]
    assert answer(moved, rows(3, count=60)) != answer(neutral, rows(3, count=60))


def test_greedy_decoding_needs_no_luck() -> None:
    sampler = Sampler(GREEDY, rng=generator())
    assert [sampler.next(candidates(row)) for row in rows(1)] == [
        row.index(max(row)) for row in rows(1)
    ]


def test_at_temperature_0_cuts_change_nothing() -> None:
    cut = replace(ALL_ON, temperature=0.0, repetition_penalty=1.0)
    assert answer(cut, rows(2)) == answer(GREEDY, rows(2))


# Ranges -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bad", "allowed"),
    [
        ("temperature", -0.1, "from 0 to 5"),
        ("temperature", 5.1, "from 0 to 5"),
        ("temperature", math.nan, "from 0 to 5"),
        ("temperature", math.inf, "from 0 to 5"),
        ("top_k", -1, "from 0 to 1000000"),
        ("top_p", -0.01, "from 0 to 1"),
        ("top_p", 1.01, "from 0 to 1"),
        ("top_p", math.nan, "from 0 to 1"),
        ("min_p", -0.01, "from 0 to 1"),
        ("min_p", 2.0, "from 0 to 1"),
        ("min_p", math.nan, "from 0 to 1"),
        ("repetition_penalty", 0.99, "from 1 to 10"),
        ("repetition_penalty", 10.5, "from 1 to 10"),
        ("repetition_penalty", math.nan, "from 1 to 10"),
        ("max_tokens", 0, "from 1 to 1000000"),
        ("max_tokens", 1_000_001, "from 1 to 1000000"),
        ("seed", -1, f"from 0 to {2**63 - 1}"),
        ("seed", 2**63, f"from 0 to {2**63 - 1}"),
    ],
)
def test_a_value_outside_its_range_is_refused_by_name_value_and_range(
    name: str, bad: float, allowed: str
) -> None:
    sampling = replace(Sampling(), **{name: bad})  # type: ignore[arg-type]
    with pytest.raises(InvalidParameter) as caught:
        check(sampling)
    assert caught.value.message == f"{name.replace('_', '-')} is {bad!r}, but must be {allowed}."
    with pytest.raises(InvalidParameter):
        Sampler(sampling, rng=generator())


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(),
        GREEDY,
        Sampling(temperature=5.0, top_k=1_000_000, top_p=0.0, min_p=1.0, repetition_penalty=10.0),
        Sampling(max_tokens=1, seed=0),
        Sampling(max_tokens=1_000_000, seed=2**63 - 1),
    ],
)
def test_the_ends_of_every_range_are_allowed(sampling: Sampling) -> None:
    check(sampling)
