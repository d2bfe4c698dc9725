from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidParameter, UnsupportedModel
from engine.merging import packing, transformer
from engine.merging.adapters import change, initial, lora_a, lora_b
from engine.merging.layers import Floats
from engine.merging.packing import Example, packs
from engine.merging.shape import (
    ATTENTION,
    EMBEDDING,
    HEAD,
    LAST_NORM,
    Shape,
    block_tensor,
    check_supported,
    shape_of,
)
from engine.merging.transformer import Model, forward, loss, loss_and_gradients
from engine.numerics import Ids
from tests.unit.merging.tiny import TINY, example, random_example, random_model, random_weights

UNTIED = replace(TINY, tied=False, base=100.0, epsilon=1e-2)
seeds = st.integers(0, 2**31)

# Slow and obvious ---------------------------------------------------------------------------

Numbers = npt.NDArray[np.inexact]


def slow_logits(weights: Mapping[str, Numbers], shape: Shape, tokens: Ids) -> list[Numbers]:
    """Token by token, head by head and pair by pair, with a cache; also for complex weights."""
    keys: list[list[Numbers]] = [[] for _ in range(shape.layers)]
    values: list[list[Numbers]] = [[] for _ in range(shape.layers)]
    found: list[Numbers] = []
    for position, token in enumerate(tokens):
        x = weights[EMBEDDING][token]
        for layer in range(shape.layers):
            w = {
                part: weights[block_tensor(layer, part)]
                for part in (
                    *("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output"),
                    *("ffn_norm", "ffn_gate", "ffn_up", "ffn_down"),
                )
            }
            h = slow_norm(x, w["attn_norm"], shape)
            q = slow_turn((w["attn_q"] @ h).reshape(shape.heads, -1), position, shape)
            keys[layer].append(
                slow_turn((w["attn_k"] @ h).reshape(shape.kv_heads, -1), position, shape)
            )
            values[layer].append((w["attn_v"] @ h).reshape(shape.kv_heads, -1))
            mixed = []
            for head in range(shape.heads):
                source = head * shape.kv_heads // shape.heads
                scores = np.asarray([(q[head] * key[source]).sum() for key in keys[layer]])
                p = np.exp(scores / shape.head_dim**0.5)
                seen = np.asarray([value[source] for value in values[layer]])
                mixed.append((p / p.sum()) @ seen)
            x = x + w["attn_output"] @ np.concatenate(mixed)
            h = slow_norm(x, w["ffn_norm"], shape)
            gate = w["ffn_gate"] @ h
            x = x + w["ffn_down"] @ (gate / (1 + np.exp(-gate)) * (w["ffn_up"] @ h))
        head_weight = weights[EMBEDDING if shape.tied else HEAD]
        found.append(head_weight @ slow_norm(x, weights[LAST_NORM], shape))
    return found


def slow_norm(x: Numbers, weight: Numbers, shape: Shape) -> Numbers:
    normed: Numbers = weight * x / np.sqrt((x * x).mean() + shape.epsilon)
    return normed


def slow_turn(x: Numbers, position: int, shape: Shape) -> Numbers:
    turned = x.copy()
    for pair in range(shape.head_dim // 2):
        angle = position * shape.base ** (-2 * pair / shape.head_dim)
        first, second = x[:, 2 * pair], x[:, 2 * pair + 1]
        turned[:, 2 * pair] = first * np.cos(angle) - second * np.sin(angle)
        turned[:, 2 * pair + 1] = first * np.sin(angle) + second * np.cos(angle)
    return turned


def slow_loss(weights: Mapping[str, Numbers], shape: Shape, examples: Sequence[Example]) -> complex:
    total, counted = 0j, 0.0
    for one in examples:
        logits = slow_logits(weights, shape, one.tokens)
        for i in range(1, len(one.tokens)):
            log_norm = np.log(np.exp(logits[i - 1]).sum())
            total += one.weights[i] * (log_norm - logits[i - 1][one.tokens[i]])
            counted += one.weights[i]
    return total / counted


def complex_step(model: Model, examples: Sequence[Example], name: str, direction: Floats) -> float:
    """Slope of the slow loss along a direction, exact to rounding: Im L(θ + iεd) / ε."""
    weights: dict[str, Numbers] = {**model.weights}
    weights[name] = model.weights[name] + 1e-20j * direction
    return slow_loss(weights, model.shape, examples).imag / 1e-20


def some_examples(seed: int, lengths: Sequence[int] = (7, 2, 5)) -> list[Example]:
    rng = np.random.default_rng(seed)
    return [random_example(rng, length=length) for length in lengths]


def beginning_alike(seed: int, *, shared: int = 4) -> list[Example]:
    """Three sequences with a common beginning in which nothing counts."""
    rng = np.random.default_rng(seed)
    start = rng.integers(0, TINY.vocab, shared)
    found = []
    for length in (2, 1, 3):
        tokens = np.concatenate([start, rng.integers(0, TINY.vocab, length)])
        found.append(Example(tokens=tokens, weights=np.arange(shared + length) >= shared))
    return found


# Forwards -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [TINY, UNTIED])
def test_logits_are_those_of_the_slow_model(shape: Shape) -> None:
    model = random_model(shape)
    tokens = np.random.default_rng(1).integers(0, shape.vocab, 9)
    np.testing.assert_allclose(
        forward(model, tokens), slow_logits(model.weights, shape, tokens), atol=1e-12
    )


@settings(max_examples=10, deadline=None)
@given(
    seed=seeds,
    layers=st.integers(1, 3),
    kv_heads=st.integers(1, 3),
    share=st.integers(1, 3),
    half=st.integers(1, 4),
    width=st.integers(1, 9),
    base=st.sampled_from([100.0, 10_000.0]),
    epsilon=st.sampled_from([1e-6, 1e-2]),
    tied=st.booleans(),
)
def test_any_shape_is_computed(
    seed: int,
    layers: int,
    kv_heads: int,
    share: int,
    half: int,
    width: int,
    base: float,
    epsilon: float,
    tied: bool,
) -> None:
    shape = Shape(
        layers=layers,
        width=width,
        heads=kv_heads * share,
        kv_heads=kv_heads,
        head_dim=2 * half,
        ff=3,
        vocab=11,
        base=base,
        epsilon=epsilon,
        tied=tied,
    )
    model = random_model(shape, seed=seed)
    one = random_example(np.random.default_rng(seed), length=4, vocab=11)
    slow = slow_logits(model.weights, shape, one.tokens)
    np.testing.assert_allclose(forward(model, one.tokens), slow, atol=1e-10)
    assert loss(model, [one]) == pytest.approx(slow_loss(model.weights, shape, [one]).real)


@pytest.mark.parametrize(
    "examples", [some_examples(2), beginning_alike(2)], ids=["different", "beginning alike"]
)
def test_the_loss_is_the_weighted_mean_of_the_slow_one(examples: list[Example]) -> None:
    model = random_model()
    slow = slow_loss(model.weights, TINY, examples)
    assert loss(model, examples) == pytest.approx(slow.real, rel=1e-12)


def test_later_tokens_change_no_earlier_logits() -> None:
    model, tokens = random_model(), np.arange(6)
    np.testing.assert_allclose(forward(model, tokens)[:3], forward(model, tokens[:3]), atol=1e-12)


def test_float32_is_kept_and_close_to_float64() -> None:
    exact, examples = random_model(), some_examples(0)
    rounded = Model(shape=TINY, weights={k: v.astype(np.float32) for k, v in exact.weights.items()})
    assert forward(rounded, examples[0].tokens).dtype == np.float32
    wanted = tuple(TINY.tensors())
    near, gradients = loss_and_gradients(rounded, examples, wanted=wanted)
    value, precise = loss_and_gradients(exact, examples, wanted=wanted)
    assert near == pytest.approx(value, rel=1e-5)
    for name in wanted:
        assert gradients[name].dtype == np.float32
        apart = np.linalg.norm(gradients[name] - precise[name])
        assert apart < 1e-4 * np.linalg.norm(precise[name])


# Backwards ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "examples"),
    [(TINY, beginning_alike(3)), (UNTIED, some_examples(3, lengths=(4, 2, 3)))],
    ids=["tied, beginning alike", "untied, different"],
)
def test_gradients_are_the_slopes_of_the_slow_loss(shape: Shape, examples: list[Example]) -> None:
    model, rng = random_model(shape, seed=4), np.random.default_rng(5)
    _, gradients = loss_and_gradients(model, examples, wanted=tuple(shape.tensors()))
    assert gradients.keys() == shape.tensors().keys()
    for name, size in shape.tensors().items():
        direction = rng.normal(size=size)
        slope = complex_step(model, examples, name, direction)
        assert np.vdot(gradients[name], direction) == pytest.approx(slope, rel=1e-9), name


def test_gradients_are_central_differences_number_by_number() -> None:
    model, examples, rng = random_model(seed=6), some_examples(6), np.random.default_rng(6)
    _, gradients = loss_and_gradients(model, examples, wanted=tuple(TINY.tensors()))
    for name, size in TINY.tensors().items():
        place = tuple(int(rng.integers(length)) for length in size)
        if name == EMBEDDING:
            place = (int(examples[0].tokens[0]), place[1])
        step = np.zeros(size)
        step[place] = 1e-5
        either = [
            loss(replace(model, weights={**model.weights, name: model.weights[name] + d}), examples)
            for d in (step, -step)
        ]
        assert gradients[name][place] == pytest.approx((either[0] - either[1]) / 2e-5, abs=1e-8)


def with_adapters(model: Model, *, seed: int = 0) -> Model:
    """Rank 3 on every matrix, and not at the start."""
    rng = np.random.default_rng(seed)
    adapters = initial(model.weights, model.shape.matrices(), rank=3, rng=rng)
    moved = {name: array + 0.1 * rng.normal(size=array.shape) for name, array in adapters.items()}
    return replace(model, adapters=moved, scale=1.5)


def test_a_model_with_adapters_is_the_one_with_their_changes_folded_in() -> None:
    model, examples = with_adapters(random_model()), some_examples(7)
    weights = {
        name: weight + change(model.adapters, name, scale=model.scale)
        if lora_a(name) in model.adapters
        else weight
        for name, weight in model.weights.items()
    }
    folded = Model(shape=TINY, weights=weights)
    tokens = examples[0].tokens
    np.testing.assert_allclose(forward(model, tokens), forward(folded, tokens), atol=1e-12)
    wanted = (*TINY.tensors(), *model.adapters)
    value, found = loss_and_gradients(model, examples, wanted=wanted)
    expected, dense = loss_and_gradients(folded, examples, wanted=tuple(TINY.tensors()))
    assert value == pytest.approx(expected)
    for name in TINY.tensors():
        np.testing.assert_allclose(found[name], dense[name], atol=1e-12)
    for name in TINY.matrices():
        a, b = model.adapters[lora_a(name)], model.adapters[lora_b(name)]
        dw = model.scale * dense[name]
        np.testing.assert_allclose(found[lora_a(name)], b.T @ dw, atol=1e-12)
        np.testing.assert_allclose(found[lora_b(name)], dw @ a.T, atol=1e-12)


def test_a_small_step_against_the_gradient_lowers_the_loss() -> None:
    model, examples = random_model(), some_examples(8)
    before, gradients = loss_and_gradients(model, examples, wanted=TINY.matrices())
    weights = {
        name: weight - 1e-3 * gradients[name] if name in gradients else weight
        for name, weight in model.weights.items()
    }
    assert loss(replace(model, weights=weights), examples) < before


@pytest.mark.parametrize(
    "wanted",
    [
        (block_tensor(1, "ffn_down"),),
        (block_tensor(1, "attn_k"), block_tensor(0, "ffn_norm")),
        (LAST_NORM,),
        (EMBEDDING,),
        (),
    ],
)
def test_fewer_gradients_are_the_same_gradients(wanted: tuple[str, ...]) -> None:
    model, examples = random_model(), some_examples(9)
    everything = loss_and_gradients(model, examples, wanted=tuple(TINY.tensors()))
    value, found = loss_and_gradients(model, examples, wanted=wanted)
    assert value == everything[0]
    assert found.keys() == set(wanted)
    for name in wanted:
        np.testing.assert_array_equal(found[name], everything[1][name])


def test_gradients_of_tasks_add_up_in_place() -> None:
    model, one, other = random_model(), some_examples(10), some_examples(11)
    wanted = (EMBEDDING, block_tensor(0, "attn_q"), LAST_NORM)
    first, second = (loss_and_gradients(model, task, wanted=wanted)[1] for task in (one, other))
    into: dict[str, Floats] = {}
    loss_and_gradients(model, one, wanted=wanted, into=into)
    kept = into[LAST_NORM]
    value, both = loss_and_gradients(model, other, wanted=wanted, into=into)
    assert both is into
    assert both[LAST_NORM] is kept
    assert value == pytest.approx(loss(model, other))
    for name in wanted:
        np.testing.assert_allclose(both[name], first[name] + second[name], atol=1e-14)


def test_nothing_that_is_passed_in_is_changed() -> None:
    model, examples = with_adapters(random_model()), some_examples(12)
    before = {k: v.copy() for k, v in (*model.weights.items(), *model.adapters.items())}
    loss_and_gradients(model, examples, wanted=(*TINY.tensors(), *model.adapters))
    for name, array in (*model.weights.items(), *model.adapters.items()):
        np.testing.assert_array_equal(array, before[name])


# Packing --------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    seed=seeds,
    lengths=st.lists(st.integers(2, 8), min_size=1, max_size=5),
    shared=st.integers(0, 4),
    rows=st.sampled_from([1, 6, 12, 512]),
    head_rows=st.sampled_from([1, 3, 256]),
)
def test_however_examples_are_packed_they_mean_the_same(
    seed: int, lengths: list[int], shared: int, rows: int, head_rows: int
) -> None:
    rng = np.random.default_rng(seed)
    shape = replace(TINY, width=8, heads=2, kv_heads=1, head_dim=4, ff=8, vocab=5)
    model = random_model(shape, seed=seed)
    start = rng.integers(0, 5, shared)
    examples = []
    for length in lengths:
        own = random_example(rng, length=length, vocab=5)
        quiet = np.zeros(shared) if rng.uniform() < 0.8 else np.ones(shared)
        examples.append(
            Example(
                tokens=np.concatenate([start, own.tokens]),
                weights=np.concatenate([quiet, own.weights]),
            )
        )
    wanted = tuple(shape.tensors())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "ROWS", rows)
        patch.setattr(transformer, "HEAD_ROWS", head_rows)
        value, gradients = loss_and_gradients(model, examples, wanted=wanted)
    alone = [loss_and_gradients(model, [one], wanted=wanted) for one in examples]
    share = np.asarray([one.total for one in examples])
    share /= share.sum()
    assert value == pytest.approx(share @ [one[0] for one in alone])
    for name in wanted:
        mean = sum(part * one[1][name] for part, one in zip(share, alone, strict=True))
        np.testing.assert_allclose(gradients[name], mean, atol=1e-10)


def test_a_common_beginning_is_computed_once() -> None:
    (pack,) = packs(beginning_alike(0, shared=4))
    assert pack.spans[0].stop == 3  # the fourth row is asked for what differs
    assert len(pack.tokens) == 3 + (2 + 1 + 3)


def test_rows_after_the_last_token_that_counts_are_left_out() -> None:
    quiet = example([3, 4], [1.0, 0.0])
    (pack,) = packs([example([5, 6, 7, 8, 9], [1.0, 0.5, 0.25, 0.0, 0.0]), quiet])
    assert pack.tokens.tolist() == [5, 6]
    assert pack.targets.tolist() == [6, 7]
    assert pack.weights.tolist() == [0.5, 0.25]


def test_packs_hold_no_more_rows_than_they_should() -> None:
    rng = np.random.default_rng(0)
    examples = [random_example(rng, length=200) for _ in range(9)]
    sizes = [len(pack.tokens) for pack in packs(examples)]
    assert sizes == [398, 398, 398, 398, 199]


def test_a_longer_sequence_has_a_pack_of_its_own() -> None:
    rng = np.random.default_rng(0)
    lengths = (10, packing.ROWS + 50, 10)
    sizes = [len(pack.tokens) for pack in packs([random_example(rng, length=n) for n in lengths])]
    assert sizes == [9, packing.ROWS + 49, 9]


def test_a_mask_is_as_good_as_weights() -> None:
    model, tokens = random_model(), np.arange(5)
    mask = np.asarray([False, True, False, True, True])
    assert loss(model, [Example(tokens=tokens, weights=mask)]) == loss(
        model, [Example(tokens=tokens, weights=mask.astype(np.float64))]
    )


def test_weights_are_relative() -> None:
    model, (one, *_) = random_model(), some_examples(13)
    twice = Example(tokens=one.tokens, weights=2 * one.weights)
    assert loss(model, [one]) == pytest.approx(loss(model, [twice]))


# Bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tokens", "weights"),
    [
        ([1], [1.0]),
        ([1, 2], [1.0]),
        ([1, 2], [0.0, -1.0]),
        ([1, 2], [0.0, np.nan]),
        ([1, 2], [0.0, np.inf]),
    ],
)
def test_an_example_that_cannot_be_is_refused(tokens: list[int], weights: list[float]) -> None:
    with pytest.raises(InvalidParameter, match="weight"):
        example(tokens, weights)


@pytest.mark.parametrize("token", [-1, 256])
def test_a_token_outside_the_vocabulary_is_refused(token: int) -> None:
    with pytest.raises(InvalidParameter, match="from 0 to 255"):
        loss(random_model(), [example([1, token, 2], [0, 1, 1])])
    with pytest.raises(InvalidParameter, match="from 0 to 255"):
        forward(random_model(), np.asarray([token]))


def test_no_tokens_are_refused() -> None:
    with pytest.raises(InvalidParameter, match="no tokens"):
        forward(random_model(), np.zeros(0, np.intp))


@pytest.mark.parametrize("examples", [[], [example([1, 2], [1.0, 0.0])]])
def test_a_loss_of_nothing_is_refused(examples: list[Example]) -> None:
    with pytest.raises(InvalidParameter, match="No token"):
        loss(random_model(), examples)


def test_a_gradient_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidParameter, match=r"output\.weight"):
        loss_and_gradients(random_model(), some_examples(0), wanted=(EMBEDDING, HEAD))


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (None, "missing"),
        (np.zeros((64, 63)), r"shape \(64, 63\)"),
        (np.zeros((64, 64), np.float32), "float32"),
    ],
)
def test_weights_that_do_not_fit_are_refused(array: Floats | None, problem: str) -> None:
    weights = random_weights(TINY, np.random.default_rng(0))
    del weights["blk.1.attn_q.weight"]
    if array is not None:
        weights["blk.1.attn_q.weight"] = array
    with pytest.raises(UnsupportedModel, match=rf"blk\.1\.attn_q\.weight is .*{problem}"):
        Model(shape=TINY, weights=weights)


def test_half_precision_is_refused() -> None:
    weights = random_weights(TINY, np.random.default_rng(0), dtype=np.float16)
    with pytest.raises(UnsupportedModel, match="must be float32"):
        Model(shape=TINY, weights=weights)


def half_adapted(change: str) -> dict[str, Floats]:
    adapters = dict(with_adapters(random_model()).adapters)
    a, b = (half("blk.1.ffn_up.weight") for half in (lora_a, lora_b))
    match change:
        case "no A":
            del adapters[a]
        case "no B":
            del adapters[b]
        case "other rank":
            adapters[b] = adapters[b][:, :2]
        case "other type":
            adapters[a] = adapters[a].astype(np.float32)
        case "other width":
            adapters[a] = adapters[a][:, 1:]
        case _:
            adapters[change] = np.zeros((3, 64))
    return adapters


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("no A", r"ffn_up\.weight\.lora_a is missing"),
        ("no B", r"ffn_up\.weight\.lora_b is missing"),
        ("other rank", r"ffn_up\.weight\.lora_b is .*\(96, 2\)"),
        ("other type", r"ffn_up\.weight\.lora_a is float32"),
        ("other width", r"ffn_up\.weight\.lora_a is .*\(3, 63\)"),
        ("token_embd.weight.lora_a", r"changes token_embd\.weight\.lora_a"),
        ("blk.7.ffn_up.weight.lora_a", r"changes blk\.7\.ffn_up\.weight\.lora_a"),
    ],
)
def test_adapters_that_do_not_fit_are_refused(change: str, problem: str) -> None:
    with pytest.raises(UnsupportedModel, match=problem):
        replace(random_model(), adapters=half_adapted(change))


# Which models -----------------------------------------------------------------------------------


def metadata(**changed: object) -> dict[str, object]:
    """Of a file with the shape TINY; "__" stands for a dot."""
    fields: dict[str, object] = {
        "general.architecture": "llama",
        "general.name": "Tiny",
        "llama.block_count": 2,
        "llama.context_length": 2048,
        "llama.embedding_length": 64,
        "llama.feed_forward_length": 96,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": 16,
        "tokenizer.ggml.model": "gpt2",
    }
    return fields | {name.replace("__", "."): value for name, value in changed.items()}


def test_a_plain_llama_model_is_supported() -> None:
    check_supported(metadata(), TINY.tensors())
    assert shape_of(metadata(), TINY.tensors()) == TINY
    untied = replace(TINY, tied=False)
    assert shape_of(metadata(), untied.tensors()) == untied


def test_fields_that_change_nothing_are_no_hindrance() -> None:
    check_supported(
        metadata(
            llama__rope__scaling__type="none",
            llama__rope__scaling__factor=1.0,
            llama__expert_count=np.uint32(0),
            llama__vocab_size=256,
            llama__attention__key_length=np.uint32(16),
            llama__attention__value_length=16,
        ),
        TINY.tensors(),
    )


def test_sizes_are_read_from_the_file() -> None:
    shape = Shape(
        layers=1,
        width=10,
        heads=6,
        kv_heads=6,
        head_dim=8,
        ff=7,
        vocab=13,
        base=5e5,
        epsilon=1e-6,
        tied=False,
    )
    fields = metadata(
        llama__block_count=1,
        llama__embedding_length=10,
        llama__feed_forward_length=7,
        llama__attention__head_count=6,
        llama__attention__key_length=8,
        llama__rope__dimension_count=8,
        llama__rope__freq_base=np.float32(5e5),
        llama__attention__layer_norm_rms_epsilon=1e-6,
    )
    del fields["llama.attention.head_count_kv"]
    assert shape_of(fields, shape.tensors()) == shape


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"general__architecture": "qwen2"}, "general.architecture is 'qwen2'"),
        ({"llama__rope__scaling__type": "linear"}, "llama.rope.scaling.type is 'linear'"),
        ({"llama__rope__scaling__factor": 2.0}, "llama.rope.scaling.factor is 2.0"),
        ({"llama__rope__scale_linear": 4.0}, "llama.rope.scale_linear is 4.0"),
        ({"llama__expert_count": 8}, "llama.expert_count is 8"),
        ({"llama__attention__causal": False}, "llama.attention.causal is False"),
        ({"llama__logit_scale": 0.5}, "llama.logit_scale (0.5) is not known"),
        ({"llama__attention__head_count_kv": 3}, "llama.attention.head_count is 4"),
        ({"llama__attention__head_count": [4, 4]}, "llama.attention.head_count is [4, 4]"),
        ({"llama__attention__value_length": 8}, "llama.attention.value_length is 8"),
        ({"llama__rope__dimension_count": 8}, "llama.rope.dimension_count is 8"),
        ({"llama__block_count": None}, "llama.block_count is None"),
        ({"llama__block_count": 0}, "llama.block_count is 0"),
        ({"llama__attention__layer_norm_rms_epsilon": None}, "rms_epsilon is None"),
        ({"llama__rope__freq_base": -1.0}, "llama.rope.freq_base is -1.0"),
        ({"llama__feed_forward_length": 95}, "the shape of blk.0.ffn_gate.weight is (96, 64)"),
    ],
)
def test_a_field_that_means_another_model_is_named(changed: dict[str, object], named: str) -> None:
    with pytest.raises(UnsupportedModel) as caught:
        shape_of(metadata(**changed), TINY.tensors())
    assert named in caught.value.message.replace("field ", "")


def test_heads_of_odd_size_are_refused() -> None:
    fields = metadata(llama__embedding_length=60, llama__rope__dimension_count=15)
    with pytest.raises(UnsupportedModel, match="size of a head is 15"):
        check_supported(fields, TINY.tensors())


@pytest.mark.parametrize(
    "tensor",
    [
        "blk.0.attn_q.bias",
        "blk.1.attn_q_norm.weight",
        "rope_freqs.weight",
        "blk.0.ffn_gate_inp.weight",
        "blk.2.attn_q.weight",
    ],
)
def test_a_tensor_that_means_another_model_is_named(tensor: str) -> None:
    with pytest.raises(UnsupportedModel, match=tensor):
        check_supported(metadata(), [*TINY.tensors(), tensor])


def test_a_missing_tensor_is_named() -> None:
    names = set(TINY.tensors()) - {"blk.1.ffn_up.weight"}
    with pytest.raises(UnsupportedModel, match=r"blk\.1\.ffn_up\.weight is missing"):
        check_supported(metadata(), names)


def test_matrices_are_listed_by_part() -> None:
    assert TINY.matrices(("attn_q",)) == ("blk.0.attn_q.weight", "blk.1.attn_q.weight")
    assert len(TINY.matrices()) == 14
    assert set(TINY.matrices(ATTENTION)) < set(TINY.matrices()) < TINY.tensors().keys()
