from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.merging.adapters import Gradients, Linear, change, initial, lora_a, lora_b
from engine.merging.layers import (
    Floats,
    attend,
    attend_reverse,
    cross_entropy,
    rms_norm,
    rms_norm_reverse,
    rotate,
    swiglu,
    swiglu_reverse,
    turns,
)

seeds = st.integers(0, 2**31)
counts = st.integers(1, 5)


def slope(of: Callable[[Floats], float], at: Floats) -> Floats:
    """Gradient by central differences, number by number."""
    found = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[place] = 1e-5
        found[place] = (of(at + step) - of(at - step)) / 2e-5
    return found


def near(found: Floats, expected: npt.ArrayLike, *, within: float = 1e-6) -> None:
    np.testing.assert_allclose(found, np.asarray(expected, np.float64), atol=within, rtol=0)


# Norm ---------------------------------------------------------------------------------------


def test_a_norm_worked_by_hand() -> None:
    x, weight = np.asarray([[1, -2, 3, 0.5]]), np.asarray([1, 0.5, 2, 1])
    near(rms_norm(x, weight, epsilon=1e-5), [[0.529812, -0.529812, 3.178873, 0.264906]])
    dy = np.asarray([[0.1, 0.2, -0.3, 0.4]])
    dx, dweight = rms_norm_reverse(dy, x, weight, epsilon=1e-5)
    near(dx, [[0.116187, -0.073430, -0.128271, 0.243528]])
    near(dweight, [0.052981, -0.211925, -0.476831, 0.105962])


@settings(max_examples=20, deadline=None)
@given(seed=seeds, count=counts, width=counts, epsilon=st.sampled_from([1e-6, 1e-5, 0.3]))
def test_the_reverse_of_a_norm_is_its_slope(
    seed: int, count: int, width: int, epsilon: float
) -> None:
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(size=(2, count, width))
    x += np.copysign(0.1, x)  # next to 0 the slope turns faster than differences can follow
    weight = rng.normal(size=width)
    dx, dweight = rms_norm_reverse(dy, x, weight, epsilon=epsilon)
    near(dx, slope(lambda at: (dy * rms_norm(at, weight, epsilon=epsilon)).sum(), x))
    near(dweight, slope(lambda at: (dy * rms_norm(x, at, epsilon=epsilon)).sum(), weight))


# Rotary position ------------------------------------------------------------------------------


def test_a_rotation_worked_by_hand() -> None:
    x = np.asarray([[[1.0, 2.0, 3.0, 4.0]]])
    by = turns(np.asarray([3]), size=4, base=10_000.0, like=x)
    near(rotate(x, by), [[[-1.272233, -1.838865, 2.878668, 4.088187]]])


@settings(max_examples=20, deadline=None)
@given(seed=seeds, count=counts, heads=counts, pairs=counts, base=st.floats(10.0, 1e6))
def test_the_reverse_of_a_rotation_turns_back(
    seed: int, count: int, heads: int, pairs: int, base: float
) -> None:
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(size=(2, count, heads, 2 * pairs))
    by = turns(rng.integers(0, 5000, count), size=2 * pairs, base=base, like=x)
    near(rotate(rotate(x, by), by.conj()), x, within=1e-12)
    assert np.vdot(dy, rotate(x, by)) == pytest.approx(np.vdot(rotate(dy, by.conj()), x))


def test_position_0_is_not_turned() -> None:
    x = np.random.default_rng(0).normal(size=(1, 2, 6))
    near(rotate(x, turns(np.asarray([0]), size=6, base=10.0, like=x)), x, within=0)


def test_products_of_rotated_vectors_depend_on_the_distance_alone() -> None:
    q, k = np.random.default_rng(0).normal(size=(2, 1, 1, 8))

    def product(p: int, r: int) -> float:
        by = [turns(np.asarray([at]), size=8, base=100.0, like=q) for at in (p, r)]
        return float(np.vdot(rotate(q, by[0]), rotate(k, by[1])))

    assert product(7, 3) == pytest.approx(product(104, 100))


# Attention ------------------------------------------------------------------------------------


def slow_attention(q: Floats, k: Floats, v: Floats) -> Floats:
    """Query by query and head by head."""
    out = np.zeros_like(q)
    before, share = len(k) - len(q), q.shape[1] // k.shape[1]
    for row, head in np.ndindex(q.shape[:2]):
        keys = k[: before + row + 1, head // share]
        scores = np.exp(keys @ q[row, head] / np.sqrt(q.shape[2]))
        out[row, head] = scores @ v[: before + row + 1, head // share] / scores.sum()
    return out


def test_attention_worked_by_hand() -> None:
    q, k, v = (np.asarray(x).reshape(2, 1, 1) for x in ([1, 0.5], [0.2, -1], [1.0, 3.0]))
    near(attend(q, k, v).ravel(), [1, 1.708687])
    dq, dk, dv = attend_reverse(np.asarray([0.4, -0.6]).reshape(2, 1, 1), q, k, v)
    near(dq.ravel(), [0, 0.329449])
    near(dk.ravel(), [0.137271, -0.137271])
    near(dv.ravel(), [0.012606, -0.212606])


@settings(max_examples=15, deadline=None)
@given(
    seed=seeds,
    count=st.integers(1, 4),
    before=st.integers(0, 3),
    kv_heads=st.integers(1, 3),
    share=st.integers(1, 3),
    size=st.integers(1, 4),
)
def test_attention_is_its_definition_and_its_reverse_the_slope(
    seed: int, count: int, before: int, kv_heads: int, share: int, size: int
) -> None:
    rng = np.random.default_rng(seed)
    q, dy = rng.normal(size=(2, count, kv_heads * share, size))
    k, v = rng.normal(size=(2, before + count, kv_heads, size))
    near(attend(q, k, v), slow_attention(q, k, v), within=1e-12)
    dq, dk, dv = attend_reverse(dy, q, k, v)
    near(dq, slope(lambda at: (dy * slow_attention(at, k, v)).sum(), q))
    near(dk, slope(lambda at: (dy * slow_attention(q, at, v)).sum(), k))
    near(dv, slope(lambda at: (dy * slow_attention(q, k, at)).sum(), v))


def test_attention_does_not_overflow() -> None:
    q = np.full((2, 1, 4), 1e4, np.float32)
    assert np.isfinite(attend(q, q, q)).all()
    assert all(np.isfinite(part).all() for part in attend_reverse(q, q, q, q))


# Feed-forward ---------------------------------------------------------------------------------


def test_a_swiglu_worked_by_hand() -> None:
    gate, up = np.asarray([[0.5, -1]]), np.asarray([[2.0, 3.0]])
    near(swiglu(gate, up), [[0.622459, -0.806824]])
    dgate, dup = swiglu_reverse(np.asarray([[0.1, -0.2]]), gate, up)
    near(dgate, [[0.147992, -0.043398]])
    near(dup, [[0.031123, 0.053788]])


@settings(max_examples=20, deadline=None)
@given(seed=seeds, count=counts, width=counts, size=st.floats(0.1, 30))
def test_the_reverse_of_a_swiglu_is_its_slope(
    seed: int, count: int, width: int, size: float
) -> None:
    rng = np.random.default_rng(seed)
    gate, up, dy = rng.normal(size=(3, count, width))
    gate *= size
    dgate, dup = swiglu_reverse(dy, gate, up)
    near(dgate, slope(lambda at: (dy * swiglu(at, up)).sum(), gate))
    near(dup, slope(lambda at: (dy * swiglu(gate, at)).sum(), up))


def test_a_swiglu_does_not_overflow() -> None:
    gate = np.asarray([[-1000, 1000]], np.float32)
    near(swiglu(gate, np.ones_like(gate)), [[0, 1000]])
    near(swiglu_reverse(np.ones_like(gate), gate, np.ones_like(gate))[0], [[0, 1]])


# Loss -----------------------------------------------------------------------------------------


def test_a_cross_entropy_worked_by_hand() -> None:
    loss, gradient = cross_entropy(np.asarray([[2.0, 1, 0]]), np.asarray([1]), np.ones(1))
    assert loss == pytest.approx(1.407606, abs=1e-6)
    near(gradient, [[0.665241, -0.755272, 0.090031]])


@settings(max_examples=20, deadline=None)
@given(seed=seeds, count=counts, vocab=st.integers(1, 6))
def test_the_gradient_of_a_cross_entropy_is_its_slope(seed: int, count: int, vocab: int) -> None:
    rng = np.random.default_rng(seed)
    logits, targets = rng.normal(size=(count, vocab)) * 3, rng.integers(0, vocab, count)
    weights = rng.uniform(0, 2, count)

    def slow(at: Floats) -> float:
        log_p = at - np.log(np.exp(at).sum(axis=1, keepdims=True))
        return float(-(weights * log_p[np.arange(count), targets]).sum())

    loss, gradient = cross_entropy(logits.copy(), targets, weights)
    assert loss == pytest.approx(slow(logits))
    near(gradient, slope(slow, logits))


def test_a_row_of_weight_0_counts_for_nothing() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 5))
    targets, weights = np.asarray([1, 3]), np.asarray([0.5, 0.0])
    loss, gradient = cross_entropy(logits.copy(), targets, weights)
    alone, _ = cross_entropy(logits[:1].copy(), targets[:1], weights[:1])
    assert loss == alone
    near(gradient[1], 0, within=0)


def test_a_cross_entropy_of_huge_logits_is_finite() -> None:
    logits = np.asarray([[3e38, -3e38, 0]], np.float32) / 2
    loss, gradient = cross_entropy(logits, np.asarray([0]), np.ones(1, np.float32))
    assert loss == 0.0
    near(gradient, 0, within=0)


# Linear layers and adapters ---------------------------------------------------------------------


def adapted(rng: np.random.Generator, *, rank: int = 2, scale: float = 0.7) -> Linear:
    return Linear(
        name="w",
        weight=rng.normal(size=(4, 5)),
        a=rng.normal(size=(rank, 5)),
        b=rng.normal(size=(4, rank)),
        scale=scale,
    )


def folded(linear: Linear) -> Floats:
    assert linear.a is not None
    assert linear.b is not None
    return linear.weight + linear.scale * linear.b @ linear.a


@settings(max_examples=20, deadline=None)
@given(seed=seeds, count=counts, rank=st.integers(1, 4), scale=st.floats(-3, 3))
def test_an_adapter_acts_as_if_it_were_folded_in(
    seed: int, count: int, rank: int, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    linear = adapted(rng, rank=rank, scale=scale)
    x, dy = rng.normal(size=(count, 5)), rng.normal(size=(count, 4))
    near(linear.apply(x), x @ folded(linear).T, within=1e-12)
    near(linear.reverse(dy, x, gradients=Gradients(())), dy @ folded(linear), within=1e-12)


@settings(max_examples=10, deadline=None)
@given(seed=seeds, count=counts, scale=st.floats(-3, 3))
def test_gradients_of_a_linear_layer_are_its_slopes(seed: int, count: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    linear = adapted(rng, scale=scale)
    x, dy = rng.normal(size=(count, 5)), rng.normal(size=(count, 4))
    gradients = Gradients(("w", lora_a("w"), lora_b("w")))
    linear.reverse(dy, x, gradients=gradients)
    w, a, b = linear.weight, linear.a, linear.b
    assert a is not None
    assert b is not None

    def total(w: Floats, a: Floats, b: Floats) -> float:
        return float((dy * (x @ (w + scale * b @ a).T)).sum())

    near(gradients.by_name["w"], slope(lambda at: total(at, a, b), w))
    near(gradients.by_name[lora_a("w")], slope(lambda at: total(w, at, b), a))
    near(gradients.by_name[lora_b("w")], slope(lambda at: total(w, a, at), b))


def test_only_wanted_gradients_are_kept() -> None:
    rng = np.random.default_rng(0)
    gradients = Gradients((lora_b("w"),))
    adapted(rng).reverse(rng.normal(size=(3, 4)), rng.normal(size=(3, 5)), gradients=gradients)
    assert list(gradients.by_name) == [lora_b("w")]


def test_gradients_of_a_table_add_up_over_repeated_rows() -> None:
    gradients, table = Gradients(("t",)), np.zeros((3, 2))
    dy = np.asarray([[1.0, 2], [10, 20], [100, 200]])
    for _ in range(2):
        gradients.add_rows("t", np.asarray([2, 0, 2]), dy, like=table)
    near(gradients.by_name["t"], np.asarray([[20, 40], [0, 0], [202, 404]]), within=0)


def test_new_adapters_change_nothing_and_can_learn() -> None:
    weights = {"w": np.zeros((4, 6), np.float32)}
    adapters = initial(weights, ["w"], rank=3, rng=np.random.default_rng(0))
    assert adapters[lora_a("w")].shape == (3, 6)
    assert adapters[lora_a("w")].dtype == np.float32
    assert 0.3 < np.abs(adapters[lora_a("w")]).max() <= 6**-0.5
    assert not change(adapters, "w", scale=5.0).any()


def test_what_an_adapter_adds_is_its_product() -> None:
    adapters = {lora_a("w"): np.asarray([[1.0, 2, 3]]), lora_b("w"): np.asarray([[10.0], [-1]])}
    near(change(adapters, "w", scale=0.5), [[5.0, 10.0, 15.0], [-0.5, -1.0, -1.5]], within=0)


@pytest.mark.parametrize("rank", [0, 5])
def test_a_rank_that_does_not_fit_is_refused(rank: int) -> None:
    with pytest.raises(InvalidParameter, match="from 1 to 4 for w"):
        initial({"w": np.zeros((4, 6))}, ["w"], rank=rank, rng=np.random.default_rng(0))
