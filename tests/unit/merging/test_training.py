import io
import math
from collections.abc import Mapping
from dataclasses import asdict, replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.merging.adapters import lora_a, lora_b
from engine.merging.layers import Floats
from engine.merging.packing import Example
from engine.merging.shape import ATTENTION
from engine.merging.training import Plan, State, Update, begin, train
from engine.merging.transformer import Model, forward, loss, loss_and_gradients
from engine.numerics import Ids
from tests.unit.merging.tiny import TINY, random_example, random_model

SMALL = replace(TINY, width=16, heads=2, kv_heads=1, head_dim=8, ff=24, vocab=32)
PLAN = Plan(steps=6, batch=2, rate=1e-2, warm_up=2, rank=2, alpha=4.0)
NAMES = SMALL.matrices()


def model(*, dtype: type[np.floating] = np.float32) -> Model:
    return random_model(SMALL, dtype=dtype)


def examples(count: int = 5) -> list[Example]:
    rng = np.random.default_rng(7)
    return [random_example(rng, length=6, vocab=SMALL.vocab) for _ in range(count)]


def fresh(plan: Plan = PLAN, *, count: int = 5, names: tuple[str, ...] = NAMES) -> State:
    return begin(model(), names, count=count, plan=plan, rng=np.random.default_rng(3))


def through_a_file(arrays: Mapping[str, npt.NDArray[np.generic]]) -> State:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    file.seek(0)
    with np.load(file, allow_pickle=False) as saved:
        return State.of(saved)


def test_training_lowers_the_loss_and_only_with_adapters() -> None:
    plain, data = model(), examples(3)
    before = {name: weight.copy() for name, weight in plain.weights.items()}
    plan = replace(PLAN, steps=40, batch=3, rate=3e-2)
    state = fresh(plan, count=3)
    updates = list(train(plain, data, state, plan=plan))
    tuned = replace(plain, adapters=state.adapters, scale=plan.scale)
    assert updates[0].loss == pytest.approx(loss(plain, data), rel=1e-6)
    assert loss(tuned, data) < 0.3 * updates[0].loss
    for name, weight in plain.weights.items():
        np.testing.assert_array_equal(weight, before[name])


def test_a_run_that_is_stopped_saved_and_taken_up_again_ends_with_the_same_bits() -> None:
    whole = fresh()
    told = list(train(model(), examples(), whole, plan=PLAN))
    stopped = fresh()
    retold: list[Update] = []
    for update in train(model(), examples(), stopped, plan=PLAN):
        retold.append(update)
        if update.step == 4:
            break
    again = through_a_file(stopped.arrays())
    retold += train(model(), examples(), again, plan=PLAN)
    assert retold == told
    assert again.arrays().keys() == whole.arrays().keys()
    for name, array in whole.arrays().items():
        assert array.dtype == again.arrays()[name].dtype
        np.testing.assert_array_equal(again.arrays()[name], array)


def test_a_finished_run_has_nothing_left_to_do() -> None:
    state = fresh()
    assert [update.step for update in train(model(), examples(), state, plan=PLAN)] == [
        *range(1, 7)
    ]
    assert not list(train(model(), examples(), state, plan=PLAN))


def test_what_was_saved_stays_as_it_is() -> None:
    state = fresh()
    restored = State.of(state.arrays())
    next(train(model(), examples(), restored, plan=PLAN))
    assert state.step == 0
    assert not any(array.any() for array in (*state.first.values(), *state.second.values()))
    assert not state.adapters[lora_b(NAMES[0])].any()


def test_the_same_generator_gives_the_same_run_and_another_another() -> None:
    other = begin(model(), NAMES, count=5, plan=PLAN, rng=np.random.default_rng(4))
    one, same = fresh(), fresh()
    for name, array in one.arrays().items():
        np.testing.assert_array_equal(array, same.arrays()[name])
    assert (one.order != other.order).any()
    assert (one.adapters[lora_a(NAMES[0])] != other.adapters[lora_a(NAMES[0])]).any()


def test_training_begins_with_the_model_as_it_is() -> None:
    plain, tokens = model(), np.arange(5)
    begun = replace(plain, adapters=fresh().adapters, scale=PLAN.scale)
    np.testing.assert_array_equal(forward(begun, tokens), forward(plain, tokens))


def test_only_the_matrices_that_are_named_get_adapters() -> None:
    state = fresh(names=SMALL.matrices(ATTENTION))
    expected = {half(name) for name in SMALL.matrices(ATTENTION) for half in (lora_a, lora_b)}
    assert state.adapters.keys() == expected


@given(steps=st.integers(1, 12), batch=st.integers(1, 9), count=st.integers(1, 7))
def test_each_example_is_taken_once_before_any_is_taken_again(
    steps: int, batch: int, count: int
) -> None:
    state = fresh(replace(PLAN, steps=steps, batch=batch, warm_up=0), count=count)
    assert state.order.shape == (steps, min(batch, count))
    taken = np.bincount(state.order.ravel(), minlength=count)
    assert taken.max() - taken.min() <= 1


def by_the_book(
    plan: Plan, start: Mapping[str, Floats], order: Ids, *, updates: int
) -> dict[str, Floats]:
    """Adam as it is written down."""
    weights, data = dict(start), examples()
    m, v = dict.fromkeys(weights, np.zeros(())), dict.fromkeys(weights, np.zeros(()))
    for t in range(1, updates + 1):
        tuned = replace(model(dtype=np.float64), adapters=weights, scale=plan.scale)
        g = loss_and_gradients(tuned, [data[i] for i in order[t - 1]], wanted=weights)[1]
        norm = math.sqrt(sum(float((array**2).sum()) for array in g.values()))
        rate = plan.rate_at(t - 1)
        for name, old in weights.items():
            clipped = g[name] * min(1.0, plan.clip / norm)
            m[name] = 0.9 * m[name] + 0.1 * clipped
            v[name] = 0.999 * v[name] + 0.001 * clipped**2
            step = (m[name] / (1 - 0.9**t)) / (np.sqrt(v[name] / (1 - 0.999**t)) + 1e-8)
            weights[name] = old - rate * step
    return weights


@pytest.mark.parametrize("clip", [0.05, 100.0])
def test_updates_are_those_of_adam(clip: float) -> None:
    plan, exact = replace(PLAN, clip=clip), model(dtype=np.float64)
    state = begin(exact, NAMES, count=5, plan=plan, rng=np.random.default_rng(3))
    start = {name: array.copy() for name, array in state.adapters.items()}
    expected = by_the_book(plan, start, state.order, updates=plan.steps)
    norms = [update.norm for update in train(exact, examples(), state, plan=plan)]
    assert all((norm > clip) == (clip < 1.0) for norm in norms)
    for name, array in state.adapters.items():
        np.testing.assert_allclose(array, expected[name], atol=1e-10)


def test_without_a_gradient_weights_stay() -> None:
    """B begins at 0, so that nothing pulls at A in the first update."""
    plan = replace(PLAN, warm_up=0)
    state, before = fresh(plan), fresh(plan).adapters
    next(train(model(), examples(), state, plan=plan))
    name = lora_a(NAMES[0])
    np.testing.assert_array_equal(state.adapters[name], before[name])


# The rate ---------------------------------------------------------------------------------------


def test_the_rate_rises_and_falls() -> None:
    plan = Plan(steps=6, rate=0.8, warm_up=2)
    expected = [0.4, 0.8, 0.8, 0.4 + 0.4 * 0.5**0.5, 0.4, 0.4 - 0.4 * 0.5**0.5]
    assert [plan.rate_at(i) for i in range(6)] == pytest.approx(expected)


@given(steps=st.integers(1, 40), data=st.data())
def test_the_rate_stays_above_0_and_reaches_its_largest(steps: int, data: st.DataObject) -> None:
    warm_up = data.draw(st.integers(0, steps))
    plan = Plan(steps=steps, rate=0.1, warm_up=warm_up)
    rates = [plan.rate_at(i) for i in range(steps)]
    assert max(rates) == pytest.approx(0.1)
    assert min(rates) > 0.0
    assert rates[:warm_up] == sorted(rates[:warm_up])
    assert rates[warm_up:] == sorted(rates[warm_up:], reverse=True)


# Bad input --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("batch", 0),
        ("rank", 0),
        ("rate", 0.0),
        ("rate", math.nan),
        ("clip", 0.0),
        ("alpha", -1.0),
        ("alpha", math.inf),
        ("warm_up", -1),
        ("warm_up", 7),
    ],
)
def test_a_plan_outside_its_ranges_is_refused(name: str, value: float) -> None:
    with pytest.raises(InvalidParameter, match=name):
        Plan(**(asdict(PLAN) | {name: value}))


def test_adapters_on_anything_but_block_matrices_are_refused() -> None:
    for name in ("token_embd.weight", "blk.0.attn_norm.weight", "blk.9.attn_q.weight"):
        with pytest.raises(InvalidParameter, match=name):
            fresh(names=(name,))


def test_training_on_nothing_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="no examples"):
        fresh(count=0)


def test_another_plan_cannot_take_a_run_up() -> None:
    with pytest.raises(InvalidParameter, match="begun for 6 steps"):
        next(train(model(), examples(), fresh(), plan=replace(PLAN, steps=8)))


def test_a_training_that_runs_away_is_stopped_before_it_does_harm() -> None:
    plan = replace(PLAN, rate=1e30, warm_up=0)
    state = fresh(plan)
    with pytest.raises(InvalidParameter, match=r"ran away at step .*1e\+30"):
        list(train(model(), examples(), state, plan=plan))
    assert state.step < plan.steps
    assert all(np.isfinite(array).all() for array in state.adapters.values())
