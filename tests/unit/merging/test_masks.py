from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.merging.masks import (
    FAST,
    PUBLISHED,
    REGULARISATIONS,
    Array,
    Density,
    MaskSettings,
    MaskState,
    Pair,
    Regularisation,
    density,
    difference,
    finished,
    is_masked,
    kth_largest,
    learn,
    merge,
    slope,
    soft,
    start,
    step,
)
from tests.unit.merging import linear_tasks as tasks
from tests.unit.merging.linear_tasks import NAME, A, B

seeds = st.integers(0, 2**31)
DOWN, NORM, TABLE = "blk.1.ffn_down.weight", "blk.0.attn_norm.weight", "token_embd.weight"


def random_pair(seed: int, *, kind: type[np.floating] = np.float32) -> Pair:
    """Two block matrices, a norm and a table of embeddings."""
    rng = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {TABLE: (5, 4), NORM: (4,), NAME: (4, 4), DOWN: (4, 6)}

    def vector(scale: float) -> dict[str, Array]:
        return {n: (rng.normal(size=s) * scale).astype(kind) for n, s in shapes.items()}

    return Pair(base=vector(1.0), kept=vector(0.1), added=vector(0.1))


def quadratic(seed: int) -> Callable[..., tuple[float, dict[str, Array]]]:
    """A loss with a minimum that depends on the epoch, as shuffled samples would."""

    def objective(weights: Mapping[str, Array], epoch: int) -> tuple[float, dict[str, Array]]:
        rng = np.random.default_rng((seed, epoch))
        apart = {n: w - rng.normal(size=w.shape).astype(np.float32) for n, w in weights.items()}
        return sum(float((d**2).sum()) for d in apart.values()), {
            n: 2 * d for n, d in apart.items()
        }

    return objective


def small(**changes: object) -> MaskSettings:
    return replace(MaskSettings(eta=40.0, alpha=0.0, start_fraction=0.1, patience=None), **changes)  # type: ignore[arg-type]


# Cases worked by hand -----------------------------------------------------------------------


def test_the_mixture_and_the_gradient_of_the_mask_are_those_worked_by_hand() -> None:
    theta = soft(tasks.pair(), NAME, tasks.M)
    np.testing.assert_allclose(theta.ravel(), [0.484847, 0.273476, 0.292717, 0.329777], atol=2e-6)
    loss, gradient = tasks.loss_and_gradient(theta)
    assert loss == pytest.approx(1.373258, abs=1e-6)
    np.testing.assert_allclose(
        gradient.ravel(), [-0.079862, -0.110840, 0.079862, 0.110840], atol=1e-6
    )
    found = slope(tasks.M, gradient, B - A)
    np.testing.assert_allclose(found.ravel(), [0.012561, -0.015629, 0.007546, -0.010838], atol=1e-6)


@pytest.mark.parametrize(
    ("alpha", "reg", "after_one", "loss", "after_two"),
    [
        (0.0, "code", [-1.502458, 1.125150, 1.698140, 0.133534], 1.357024, None),
        (
            0.5,
            "code",
            [-1.600764, 1.242651, 1.750637, 0.011304],
            1.356827,
            [-1.810632, 1.580120, 1.671508, 0.376559],
        ),
        (
            0.5,
            "l1",
            [-1.600764, 1.007648, 1.645643, 0.011304],
            1.358073,
            [-1.813211, 1.217249, 1.422197, 0.147942],
        ),
    ],
)
def test_two_epochs_are_those_worked_by_hand(
    alpha: float,
    reg: Regularisation,
    after_one: list[float],
    loss: float,
    after_two: list[float] | None,
) -> None:
    state = MaskState(logits={NAME: tasks.M.astype(np.float32)})
    settings = small(alpha=alpha, reg=reg, epochs=2)
    states = learn(tasks.pair(), state, objective=tasks.objective, settings=settings)
    first = next(states)
    np.testing.assert_allclose(first.logits[NAME].ravel(), after_one, atol=3e-6)
    np.testing.assert_array_equal(first.logits[NAME] > 0, [[False, True], [True, True]])
    np.testing.assert_allclose(
        merge(tasks.pair(), first.logits)[NAME], [[0.5, 0.6], [0.4, -0.2]], atol=1e-7
    )
    second = next(states)
    assert second.losses == pytest.approx((1.373258, loss), abs=2e-6)
    if after_two is not None:
        np.testing.assert_allclose(second.logits[NAME].ravel(), after_two, atol=5e-6)


def test_the_step_finds_the_best_of_all_masks_of_the_worked_case() -> None:
    def of(mask: tuple[int, ...]) -> float:
        return tasks.loss(tasks.BASE + np.where(np.reshape(mask, (2, 2)), B, A))

    assert of((0, 1, 1, 0)) == pytest.approx(1.361407, abs=1e-6)
    best = min(itertools.product((0, 1), repeat=4), key=of)
    assert best == (0, 1, 1, 1)
    assert of(best) == pytest.approx(1.351969, abs=1e-6)


@pytest.mark.parametrize(("fraction", "raised"), [(0.2, [1]), (0.3, [1, 3]), (0.09, [])])
def test_a_mask_starts_at_the_largest_changes(fraction: float, raised: list[int]) -> None:
    added = np.asarray([[0.5, -3, 0.1, 2, -0.2], [0.05, 0.3, -0.4, 1, 0.6]], np.float32)
    pair = Pair(base={NAME: added * 0}, kept={}, added={NAME: added})
    state = start(pair, settings=MaskSettings(start_fraction=fraction))
    assert state.logits[NAME].dtype == np.float32
    expected = np.full(10, -5.0)
    expected[raised] = 5.0
    np.testing.assert_array_equal(state.logits[NAME].ravel(), expected)


# Laws ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.float16, np.float32])
@given(seed=seeds)
def test_every_masked_weight_has_one_source_and_every_other_the_mean(
    kind: type[np.floating], seed: int
) -> None:
    pair = random_pair(seed, kind=kind)
    rng = np.random.default_rng(seed)
    logits = {n: rng.normal(size=pair.base[n].shape).astype(np.float32) for n in pair.masked}
    found = merge(pair, logits)
    assert list(found) == list(pair.base)
    for name in (NAME, DOWN):
        expected = np.where(logits[name] > 0, pair.added[name], pair.kept[name])
        np.testing.assert_array_equal(found[name], expected)
    for name in (NORM, TABLE):
        mean = 0.5 * (pair.kept[name].astype(np.float32) + pair.added[name].astype(np.float32))
        np.testing.assert_array_equal(found[name], mean.astype(kind))
    assert {array.dtype for array in found.values()} == {np.dtype(kind)}


def test_ties_go_to_what_was_there_first() -> None:
    pair = Pair(base={NAME: A * 0}, kept={NAME: A}, added={NAME: B})
    np.testing.assert_array_equal(merge(pair, {NAME: np.zeros((2, 2), np.float32)})[NAME], A)


@given(seed=seeds, data=st.data())
def test_the_gradient_of_the_mask_equals_central_differences(
    seed: int, data: st.DataObject
) -> None:
    rng = np.random.default_rng(seed)
    m = rng.normal(size=(2, 2)) * 3
    place = data.draw(st.tuples(st.integers(0, 1), st.integers(0, 1)))

    def total(shift: float) -> float:
        moved = m.copy()
        moved[place] += shift
        # In float64, which the differences of a loss need.
        s = 1.0 / (1.0 + np.exp(-moved))
        return tasks.loss(tasks.BASE + (1 - s) * A + s * B)

    _, gradient = tasks.loss_and_gradient(soft(tasks.pair(), NAME, m))
    slow = (total(1e-5) - total(-1e-5)) / 2e-5
    assert slope(m, gradient, B - A)[place] == pytest.approx(slow, abs=1e-6)


@given(seed=seeds)
def test_a_small_step_does_not_raise_the_loss(seed: int) -> None:
    m = np.random.default_rng(seed).normal(size=(2, 2)) * 2
    before, gradient = tasks.loss_and_gradient(soft(tasks.pair(), NAME, m))
    step(m, gradient, B - A, settings=small(eta=1e-2))
    assert tasks.loss(soft(tasks.pair(), NAME, m)) <= before + 1e-6


@given(seed=seeds)
def test_without_step_and_regularisation_nothing_moves(seed: int) -> None:
    m = np.random.default_rng(seed).normal(size=(3, 4)).astype(np.float32)
    moved = m.copy()
    step(moved, np.ones_like(m), np.ones_like(m), settings=small(eta=0.0))
    np.testing.assert_array_equal(moved, m)


@given(seed=seeds, alpha=st.floats(0.1, 5.0))
def test_the_rule_of_the_code_pushes_away_from_zero_and_l1_pushes_down(
    seed: int, alpha: float
) -> None:
    m = np.append(np.random.default_rng(seed).normal(size=7) * 4, 0.0).astype(np.float32)
    away, down = m.copy(), m.copy()
    step(away, m, m, settings=small(eta=0.0, alpha=alpha, reg="code"))
    step(down, m, m, settings=small(eta=0.0, alpha=alpha, reg="l1"))
    assert (np.abs(away) > np.abs(m)).all()
    assert away[-1] < 0.0
    assert (down < m).all()


@pytest.mark.parametrize("reg", REGULARISATIONS)
def test_far_from_zero_the_regularisation_neither_overflows_nor_vanishes(
    reg: Regularisation,
) -> None:
    m = np.asarray([-500.0, -20.0, 20.0, 500.0], np.float32)
    moved = m.copy()
    step(moved, np.full(4, 1e12, np.float32), np.ones(4, np.float32), settings=small(reg=reg))
    assert np.isfinite(moved).all()
    assert moved[1] < m[1]
    assert moved[2] < m[2]


@given(seed=seeds)
def test_of_two_equal_members_the_mask_does_not_matter(seed: int) -> None:
    pair = random_pair(seed)
    same = replace(pair, added=pair.kept)
    state = start(same, settings=small(start_fraction=0.5))
    before = {name: logits.copy() for name, logits in state.logits.items()}
    (state,) = learn(same, state, objective=quadratic(seed), settings=small(epochs=1))
    for name, found in merge(same, state.logits).items():
        np.testing.assert_array_equal(found, same.kept[name])
        if name in before:
            np.testing.assert_array_equal(state.logits[name], before[name])


@given(seed=seeds, fraction=st.floats(0.0, 0.99))
def test_without_an_epoch_fewer_than_k_weights_come_from_the_added_one(
    seed: int, fraction: float
) -> None:
    pair = random_pair(seed)
    settings = small(start_fraction=fraction, epochs=0)
    state = start(pair, settings=settings)
    assert not list(learn(pair, state, objective=quadratic(0), settings=settings))
    taken = sum(int((logits > 0).sum()) for logits in state.logits.values())
    assert taken <= max(0, int(fraction * 40) - 1)


def test_the_order_of_the_tasks_does_not_matter() -> None:
    forward, backward = ({NAME: tasks.M.astype(np.float32)} for _ in range(2))
    swapped = tuple(reversed(tasks.TASKS))

    def reordered(weights: Mapping[str, Array], epoch: int) -> tuple[float, dict[str, Array]]:
        kept, tasks.TASKS = tasks.TASKS, swapped
        try:
            return tasks.objective(weights, epoch)
        finally:
            tasks.TASKS = kept

    settings = small(epochs=3)
    one = list(
        learn(tasks.pair(), MaskState(logits=forward), objective=tasks.objective, settings=settings)
    )
    two = list(
        learn(tasks.pair(), MaskState(logits=backward), objective=reordered, settings=settings)
    )
    np.testing.assert_allclose(one[-1].logits[NAME], two[-1].logits[NAME], atol=1e-6)


# Training -----------------------------------------------------------------------------------


@given(seed=seeds, stop=st.integers(0, 6))
def test_resuming_gives_the_bits_of_an_uninterrupted_run(seed: int, stop: int) -> None:
    pair, settings = random_pair(seed), small(eta=1.0, alpha=0.3, epochs=6)

    def run(state: MaskState, epochs: int) -> MaskState:
        limited = replace(settings, epochs=epochs)
        return [state, *learn(pair, state, objective=quadratic(seed), settings=limited)][-1]

    whole = run(start(pair, settings=settings), 6)
    half = run(start(pair, settings=settings), stop)
    saved = MaskState(
        logits={name: logits.copy() for name, logits in half.logits.items()}, losses=half.losses
    )
    resumed = run(saved, 6)
    assert resumed.losses == whole.losses
    assert resumed.epoch == 6
    for name, logits in whole.logits.items():
        np.testing.assert_array_equal(resumed.logits[name], logits)


def test_the_gradient_is_asked_at_the_mixture_of_all_tensors() -> None:
    pair, settings = random_pair(3), small(epochs=2)
    state, seen = start(pair, settings=settings), []

    def objective(weights: Mapping[str, Array], epoch: int) -> tuple[float, dict[str, Array]]:
        seen.append(epoch)
        for name in pair.base:
            change = 0.5 * (pair.kept[name] + pair.added[name])
            if name in state.logits:
                s = 1.0 / (1.0 + np.exp(-state.logits[name].astype(np.float64)))
                change = (1 - s) * pair.kept[name] + s * pair.added[name]
            np.testing.assert_allclose(weights[name], pair.base[name] + change, atol=1e-6)
        assert {w.dtype for w in weights.values()} == {np.dtype(np.float32)}
        return 1.0, {name: np.ones(pair.base[name].shape, np.float32) for name in pair.masked}

    list(learn(pair, state, objective=objective, settings=settings))
    assert seen == [0, 1]


def test_the_base_and_the_members_stay_as_they_are() -> None:
    pair, untouched = random_pair(5), random_pair(5)
    list(learn(pair, start(pair), objective=quadratic(1), settings=small(epochs=2)))
    for now, before in zip(
        (pair.base, pair.kept, pair.added),
        (untouched.base, untouched.kept, untouched.added),
        strict=True,
    ):
        for name, array in before.items():
            np.testing.assert_array_equal(now[name], array)


def test_a_tensor_that_a_member_leaves_alone_is_unchanged_by_it() -> None:
    full = random_pair(8)
    zeros = {name: np.zeros_like(array) for name, array in full.base.items()}
    kept = {NAME: full.kept[NAME], NORM: full.kept[NORM]}
    added = {NAME: full.added[NAME], DOWN: full.added[DOWN]}
    sparse = Pair(base=full.base, kept=kept, added=added)
    dense = Pair(base=full.base, kept=zeros | kept, added=zeros | added)
    assert sparse.changed == (NORM, NAME, DOWN)
    assert sparse.masked == (NAME, DOWN)

    def run(pair: Pair) -> dict[str, Array]:
        settings = small(eta=1.0, epochs=2)
        (*_, state) = learn(
            pair, start(pair, settings=settings), objective=quadratic(2), settings=settings
        )
        return merge(pair, state.logits)

    found, expected = run(sparse), run(dense)
    for name in sparse.changed:
        np.testing.assert_array_equal(found[name], expected[name])
    np.testing.assert_array_equal(expected[TABLE], zeros[TABLE])


def test_training_stops_when_the_loss_has_stopped_falling() -> None:
    def after(*losses: float, patience: int | None = 2) -> bool:
        state = MaskState(logits={}, losses=losses)
        return finished(state, settings=small(epochs=9, patience=patience, tolerance=0.01))

    assert not after()
    assert not after(1.0, 1.0)
    assert after(1.0, 1.0, 1.0)
    assert after(1.0, 2.0, 3.0)
    assert after(0.5, 1.0, 0.9, 0.8)
    assert not after(1.0, 0.999, 0.998)
    assert not after(2.0, 1.0, 0.98, 5.0)
    assert after(2.0, 1.0, 0.991, 5.0)
    assert not after(1.0, 1.0, 1.0, patience=None)
    assert after(*[1.0 / 2**n for n in range(9)], patience=None)


def test_a_run_ends_early_where_nothing_is_gained() -> None:
    def flat(weights: Mapping[str, Array], epoch: int) -> tuple[float, dict[str, Array]]:
        return 1.0, {name: np.zeros_like(weights[name]) for name in (NAME, DOWN)}

    pair, settings = random_pair(1), small(epochs=30, patience=3)
    states = list(learn(pair, start(pair), objective=flat, settings=settings))
    assert [state.epoch for state in states] == [1, 2, 3, 4]


@pytest.mark.parametrize("broken", ["loss", "gradient"])
def test_a_run_that_breaks_down_says_so(broken: str) -> None:
    def objective(weights: Mapping[str, Array], epoch: int) -> tuple[float, dict[str, Array]]:
        gradient = {name: np.zeros_like(weights[name]) for name in (NAME, DOWN)}
        if broken == "gradient":
            gradient[DOWN][0, 0] = math.nan
        return (math.nan if broken == "loss" else 1.0), gradient

    pair = random_pair(1)
    with pytest.raises(InvalidParameter, match=f"In epoch 1 the {broken}.*differ less"):
        next(learn(pair, start(pair), objective=objective))


# Parts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "dimensions", "expected"),
    [
        (NAME, 2, True),
        ("blk.11.ffn_gate_exps.weight", 3, True),
        (NORM, 1, False),
        (TABLE, 2, False),
        ("output.weight", 2, False),
        ("blk.0.attn_q.bias", 1, False),
    ],
)
def test_only_matrices_of_blocks_are_masked(name: str, dimensions: int, expected: bool) -> None:
    assert is_masked(name, dimensions) is expected


@given(seed=seeds, k=st.integers(1, 60), kind=st.sampled_from([np.float16, np.float32]))
def test_the_kth_largest_is_that_of_sorting(seed: int, k: int, kind: type[np.floating]) -> None:
    rng = np.random.default_rng(seed)
    vector = {
        n: rng.choice([-2, 0, 1e-7, 1, 3.5], size=s) * rng.normal()
        for n, s in (("a", 7), ("b", (4, 5)))
    }
    typed: dict[str, npt.NDArray[np.floating]] = {n: v.astype(kind) for n, v in vector.items()}
    values = sorted(
        (abs(float(x)) for array in typed.values() for x in array.ravel()), reverse=True
    )
    assert kth_largest(typed, k) == (values[k - 1] if k <= len(values) else 0.0)


def test_a_density_counts_by_layer_and_by_kind() -> None:
    logits = {
        "blk.0.attn_q.weight": np.asarray([[1.0, -1.0], [0.0, -2.0]], np.float32),
        "blk.0.ffn_down.weight": np.asarray([[3.0, 1.0]], np.float32),
        "blk.11.attn_q.weight": np.asarray([[1.0, 1.0], [1.0, -2.0]], np.float32),
    }
    assert density(logits) == Density(
        share=0.6,
        by_layer={0: 0.5, 11: 0.75},
        by_kind={"attn_q": 0.5, "ffn_down": 1.0},
        by_tensor={
            "blk.0.attn_q.weight": 0.25,
            "blk.0.ffn_down.weight": 1.0,
            "blk.11.attn_q.weight": 0.75,
        },
    )
    assert density({}) == Density(share=0.0, by_layer={}, by_kind={}, by_tensor={})


def test_the_difference_of_members_is_taken_in_single_precision() -> None:
    pair = Pair(
        base={NAME: np.zeros((1, 1), np.float16)},
        kept={NAME: np.full((1, 1), 1e-4, np.float16)},
        added={NAME: np.full((1, 1), 1.0, np.float16)},
    )
    expected = np.float32(1.0) - np.float32(np.float16(1e-4))
    assert difference(pair, NAME)[0, 0] == expected


def test_the_published_settings_are_those_of_the_code() -> None:
    assert (PUBLISHED.eta, PUBLISHED.epochs, PUBLISHED.patience) == (1e7, 100, None)
    for settings in (FAST, PUBLISHED):
        assert (settings.start_logit, settings.start_fraction) == (5.0, 1e-5)
        assert (settings.alpha, settings.reg) == (1.0, "code")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("eta", -1.0),
        ("eta", math.inf),
        ("alpha", math.nan),
        ("start_logit", 0.0),
        ("start_logit", -5.0),
        ("start_fraction", 1.0),
        ("start_fraction", -0.1),
        ("epochs", -1),
        ("patience", 0),
        ("tolerance", -1e-3),
        ("reg", "l2"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InvalidParameter, match=name):
        replace(FAST, **{name: value})  # type: ignore[arg-type]
