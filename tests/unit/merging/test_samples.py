import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.errors import InvalidParameter
from engine.merging.samples import (
    RULES,
    Reply,
    Rule,
    certain,
    choose,
    credible,
    entropies,
)
from engine.numerics import F32

LOGITS = np.asarray(
    [
        [3, 0, 0],
        [1, 0.5, 0],
        [2, 0, 1],
        [0, 4, 0],
        [0.2, 0.4, 0],
        [0, 1, 3],
        [1.5, 1.4, 1.3],
    ],
    np.float32,
)
H = [0.366594, 1.020191, 0.832396, 0.177324, 1.085411, 0.524267, 1.095287]
PREDICTED = [0, 0, 0, 1, 1, 2, 0]


def reply(*uncertainty: float, tag: str = "", first: int = 100) -> Reply:
    return Reply(
        prompt=(7, 8),
        tokens=tuple(range(first, first + len(uncertainty))),
        uncertainty=uncertainty,
        tag=tag,
    )


def test_entropies_are_those_worked_by_hand() -> None:
    np.testing.assert_allclose(entropies(LOGITS), H, atol=1e-6)


@pytest.mark.parametrize(
    ("rule", "share", "expected"),
    [
        ("code", 0.9, {0: (0, 2, 1), 1: (3,)}),
        ("code", 0.5, {0: (0, 2), 1: (3,)}),
        ("code", 0.3, {0: (0,)}),
        ("ours", 0.9, {0: (0, 2, 1, 6), 1: (3, 4), 2: (5,)}),
        ("ours", 0.5, {0: (0, 2), 1: (3, 4), 2: (5,)}),
        ("ours", 0.3, {0: (0, 2), 1: (3, 4), 2: (5,)}),
    ],
)
def test_the_surest_of_each_class_are_kept(
    rule: Rule, share: float, expected: dict[int, tuple[int, ...]]
) -> None:
    assert credible(H, PREDICTED, share=share, rule=rule) == expected


@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.integers(1, 9)),
        elements=st.floats(-50, 50, width=32),
    )
)
def test_an_entropy_lies_between_none_and_that_of_equal_chances(logits: F32) -> None:
    found = entropies(logits)
    assert (found >= 0.0).all()
    assert (found <= math.log(logits.shape[1])).all()
    mass = np.exp(logits.astype(np.float64))
    mass /= mass.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, -(mass * np.log(mass)).sum(axis=1), atol=1e-5)


def test_what_is_never_chosen_adds_no_entropy() -> None:
    never = np.asarray([[0.0, 0.0, -np.inf], [1.0, -np.inf, -np.inf]], np.float32)
    np.testing.assert_allclose(entropies(never), [math.log(2), 0.0], atol=1e-9)


classified = st.lists(st.tuples(st.floats(0, 5), st.integers(0, 3)), max_size=30)


@given(samples=classified, share=st.floats(0.01, 1.0))
def test_every_class_that_there_is_stays(samples: list[tuple[float, int]], share: float) -> None:
    uncertainty, classes = [h for h, _ in samples], [c for _, c in samples]
    kept = credible(uncertainty, classes, share=share)
    assert list(kept) == list(dict.fromkeys(classes))
    for label, indices in kept.items():
        size = sum(c == label for c in classes)
        assert min(size, 2) <= len(indices) <= size
        assert all(classes[index] == label for index in indices)
        left = [h for i, (h, c) in enumerate(samples) if c == label and i not in indices]
        assert max(uncertainty[index] for index in indices) <= min(left, default=math.inf)


@pytest.mark.parametrize("rule", RULES)
@given(samples=classified)
def test_a_share_of_one_keeps_all(rule: Rule, samples: list[tuple[float, int]]) -> None:
    kept = credible([h for h, _ in samples], [c for _, c in samples], share=1.0, rule=rule)
    assert sorted(i for indices in kept.values() for i in indices) == list(range(len(samples)))


def test_a_share_is_not_rounded_up_for_the_noise_of_floats() -> None:
    assert 0.55 * 100 > 55
    assert len(credible([0.0] * 100, ["one"] * 100, share=0.55)["one"]) == 55


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, math.nan])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(InvalidParameter, match="share"):
        credible([0.0], ["one"], share=share)


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="rule is 'best', but must be ours or code"):
        credible([0.0], ["one"], rule="best")  # type: ignore[arg-type]


def test_the_tenth_of_the_tokens_that_is_least_certain_is_no_target() -> None:
    uncertainty = [0.1, 3.0, 0.2, 0.3, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
    assert certain(uncertainty) == (True, False) + (True,) * 8
    assert certain(uncertainty[:9]) == (True,) * 9
    assert certain([1.0] * 20) == (True,) * 18 + (False,) * 2
    assert certain(uncertainty, drop=0.25).count(False) == 2


@pytest.mark.parametrize("drop", [-0.1, 1.0, math.nan])
def test_a_share_of_dropped_tokens_out_of_range_is_refused(drop: float) -> None:
    with pytest.raises(InvalidParameter, match="drop"):
        certain([0.0], drop=drop)


def test_a_reply_becomes_an_example_of_prompt_and_sure_tokens() -> None:
    (example,) = choose([reply(0.1, 0.2, 5.0)], drop=0.34)
    assert example.tokens.tolist() == [7, 8, 100, 101, 102]
    assert example.weights.tolist() == [False, False, True, True, False]


def test_replies_are_chosen_by_their_mean_entropy_within_their_tag() -> None:
    replies = [
        reply(0.9, 0.9, tag="a", first=0),
        reply(3.0, tag="b", first=10),
        reply(0.1, 0.1, 0.1, 0.1, 4.0, tag="a", first=20),
        reply(0.5, 0.5, tag="a", first=30),
    ]
    chosen = choose(replies, share=0.5)
    assert [int(example.tokens[2]) for example in chosen] == [10, 20, 30]


def test_an_empty_reply_is_left_out() -> None:
    chosen = choose([reply(), reply(1.0, first=5)])
    assert [example.tokens.tolist() for example in chosen] == [[7, 8, 5]]
    assert choose([]) == ()
