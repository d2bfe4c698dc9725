"""Writing greedily with kept keys and values is writing greedily."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidParameter
from engine.merging.adapters import initial
from engine.merging.greedy import Written, write
from engine.merging.samples import entropies
from engine.merging.transformer import Model, forward
from tests.unit.merging.tiny import TINY, random_model

prompts = st.lists(
    st.lists(st.integers(0, TINY.vocab - 1), min_size=1, max_size=6), min_size=1, max_size=4
)


def slowly(model: Model, prompt: list[int], *, most: int, ends: set[int]) -> Written:
    """Reads everything anew for every token."""
    tokens, nats = list(prompt), []
    for _ in range(most):
        row = forward(model, np.asarray(tokens))[-1:].astype(np.float32)
        nats.append(float(entropies(row)[0]))
        tokens.append(int(row.argmax()))
        if tokens[-1] in ends:
            break
    return Written(tokens=tuple(tokens[len(prompt) :]), uncertainty=tuple(nats))


@settings(max_examples=15, deadline=None)
@given(prompts, st.integers(1, 6), st.integers(0, 3))
def test_it_is_what_reading_everything_anew_for_every_token_gives(
    asked: list[list[int]], most: int, seed: int
) -> None:
    model = random_model(seed=seed)
    ends = set(range(0, TINY.vocab, 5))
    found = write(model, asked, most=most, ends=ends)
    for written, prompt in zip(found, asked, strict=True):
        wanted = slowly(model, prompt, most=most, ends=ends)
        assert written.tokens == wanted.tokens
        assert written.uncertainty == pytest.approx(wanted.uncertainty, abs=1e-5)


def test_an_end_is_the_last_token_and_part_of_the_reply() -> None:
    model = random_model()
    (free,) = write(model, [[1, 2, 3]], most=5, ends=())
    assert len(free.tokens) == 5
    (ended,) = write(model, [[1, 2, 3]], most=5, ends={free.tokens[1]})
    stop = free.tokens.index(free.tokens[1]) + 1
    assert ended.tokens == free.tokens[:stop]
    assert len(ended.uncertainty) == stop


def test_an_adapter_has_its_say() -> None:
    model = random_model(dtype=np.float32)
    rng = np.random.default_rng(3)
    adapters = initial(model.weights, TINY.matrices(), rank=2, rng=rng)
    changed = {n: a + rng.normal(size=a.shape).astype(np.float32) for n, a in adapters.items()}
    adapted = replace(model, adapters=changed)
    assert write(adapted, [[7]], most=4, ends=()) != write(model, [[7]], most=4, ends=())
    found = write(adapted, [[7]], most=4, ends=())[0].tokens
    assert found == slowly(adapted, [7], most=4, ends=set()).tokens


def test_no_prompts_have_no_replies() -> None:
    assert write(random_model(), [], most=3, ends=()) == ()


@pytest.mark.parametrize(("asked", "most"), [([[1]], 0), ([[1], []], 4)])
def test_what_cannot_be_continued_is_refused(asked: list[list[int]], most: int) -> None:
    with pytest.raises(InvalidParameter):
        write(random_model(), asked, most=most, ends=())
