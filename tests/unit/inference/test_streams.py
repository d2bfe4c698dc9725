"""What the cache holds is always what Streams believes; nothing is decoded twice.

The same promises about logits stand in tests/contract; here the fake counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InternalError
from engine.inference.model import MAX_STREAMS, CacheFull, Entry, Interrupted
from engine.inference.streams import Streams, cells_needed, common_length
from tests.fakes.model import FakeModel, made_up

BEGINNING = tuple(b"The beginning that all of them share. ")
PROMPTS = tuple(BEGINNING + tuple(end) for end in (b"one", b"another", b"a third one"))


def expect(streams: Streams, model: FakeModel, prompts: Sequence[Sequence[int]]) -> int:
    """Prepare prompts, check every row; returns how many tokens were decoded for it."""
    before = model.decoded
    rows = streams.prepare(prompts).logits
    for row, prompt in zip(rows, prompts, strict=True):
        np.testing.assert_array_equal(row, made_up(prompt))
    return model.decoded - before


# Counting -----------------------------------------------------------------------------------


def test_what_prompts_share_is_decoded_once() -> None:
    model = FakeModel()
    decoded = expect(Streams(model), model, PROMPTS)
    # "another" and "a third one" begin alike, but only what all of them share is shared.
    assert decoded == len(BEGINNING) + sum(len(p) - len(BEGINNING) for p in PROMPTS)
    assert model.used == decoded


def test_a_second_turn_decodes_what_is_new_and_nothing_else() -> None:
    model = FakeModel()
    streams = Streams(model)
    expect(streams, model, PROMPTS)
    longer = [(*p, *b" and more") for p in PROMPTS]
    assert expect(streams, model, longer) == 3 * len(b" and more")


def test_the_same_prompts_again_cost_one_token_each() -> None:
    model = FakeModel()
    streams = Streams(model)
    expect(streams, model, PROMPTS)
    assert expect(streams, model, PROMPTS) == len(PROMPTS)
    assert len(model.batches[-1]) == len(PROMPTS)


def test_old_turns_give_their_cells_back() -> None:
    model = FakeModel()
    streams = Streams(model)
    for turn in range(40):
        expect(streams, model, [(*p, turn) for p in PROMPTS])
    assert model.used == cells_needed([(*p, 0) for p in PROMPTS], each=0)


def test_every_step_is_one_batch_with_one_token_for_each_stream() -> None:
    model = FakeModel()
    streams = Streams(model)
    streams.prepare(PROMPTS)
    streams.step(dict.fromkeys(range(3), 65))
    assert [entry.token for entry in model.batches[-1]] == [65] * 3
    assert [entry.position for entry in model.batches[-1]] == [len(p) for p in PROMPTS]


def test_a_fork_costs_nothing_until_it_is_stepped() -> None:
    model = FakeModel()
    streams = Streams(model)
    streams.prepare(PROMPTS[:1])
    decoded, used = model.decoded, model.used
    other = streams.fork(0)
    assert (model.decoded, model.used) == (decoded, used)
    rows = streams.step({0: 65, other: 66})
    np.testing.assert_array_equal(rows[0], made_up((*PROMPTS[0], 65)))
    np.testing.assert_array_equal(rows[1], made_up((*PROMPTS[0], 66)))


def test_a_recurrent_model_decodes_every_prompt_anew_and_alone() -> None:
    model = FakeModel(shares=False)
    streams = Streams(model)
    for _ in range(2):
        assert expect(streams, model, PROMPTS) == sum(map(len, PROMPTS))
        rows = streams.step(dict.fromkeys(range(3), 65))
        np.testing.assert_array_equal(rows[1], made_up((*PROMPTS[1], 65)))


@pytest.mark.parametrize("batch", [3, 4, 5, 16, 37, 1000])
def test_prompts_of_any_length_fit_any_batch(batch: int) -> None:
    model = FakeModel(batch=batch)
    for length in (1, 2, 3, 4, 5, 15, 16, 17, 37, 38):
        expect(Streams(model), model, [(*BEGINNING[:length], end) for end in (65, 66, 67)])
        model.forget()


def test_a_prompt_that_is_the_beginning_of_another_still_gets_a_row() -> None:
    model = FakeModel()
    streams = Streams(model)
    for _ in range(2):
        expect(streams, model, [BEGINNING[:n] for n in (5, 1, 9)])


def test_as_many_streams_as_there_may_be_take_turn_after_turn() -> None:
    model = FakeModel()
    streams = Streams(model)
    for turn in range(3):
        expect(streams, model, [(*BEGINNING, turn, n) for n in range(MAX_STREAMS)])


@pytest.mark.parametrize(
    "prompts", [[], [[1], []], [[1, n] for n in range(MAX_STREAMS + 1)]], ids=len
)
def test_a_senseless_number_of_prompts_is_our_own_mistake(prompts: list[list[int]]) -> None:
    with pytest.raises(InternalError):
        Streams(FakeModel()).prepare(prompts)


def test_more_forks_than_streams_are_our_own_mistake() -> None:
    streams = Streams(FakeModel())
    streams.prepare([BEGINNING])
    for _ in range(MAX_STREAMS - 1):
        streams.fork(0)
    with pytest.raises(InternalError):
        streams.fork(0)


# Branches -----------------------------------------------------------------------------------


def test_branches_cost_one_token_each_and_the_kept_one_no_second_time() -> None:
    model = FakeModel()
    streams = Streams(model)
    streams.prepare(PROMPTS)
    decoded, used = model.decoded, model.used
    for _ in range(5):
        streams.branch({0: b"abc", 2: b"de"})
        streams.keep({0: 1, 2: 0})
    assert model.decoded == decoded + 5 * 5
    assert model.used == used + 5 * 2
    rows = streams.step({0: 65, 1: 65})
    np.testing.assert_array_equal(rows[0], made_up((*PROMPTS[0], *b"bbbbb", 65)))
    np.testing.assert_array_equal(rows[1], made_up((*PROMPTS[1], 65)))


def test_streams_of_which_no_branch_is_kept_give_their_cells_back() -> None:
    model = FakeModel()
    streams = Streams(model)
    streams.prepare(PROMPTS)
    used = model.used
    streams.branch({0: b"abc", 1: b"d"})
    streams.keep({})
    assert model.used == used
    assert [streams.length(i) for i in range(3)] == [len(p) for p in PROMPTS]


def test_every_sequence_can_be_a_branch() -> None:
    model = FakeModel()
    streams = Streams(model)
    streams.prepare(PROMPTS)
    # The third stream keeps its own.
    assert streams.room(2) == 31
    assert len(streams.branch({0: range(15), 1: range(16)})) == 31


@pytest.mark.parametrize("tokens", [{0: b""}, {0: bytes(17), 1: bytes(15)}], ids=["none", "many"])
def test_a_senseless_number_of_branches_is_our_own_mistake(tokens: dict[int, bytes]) -> None:
    streams = Streams(FakeModel())
    streams.prepare(PROMPTS)
    with pytest.raises(InternalError):
        streams.branch(tokens)


def test_branches_are_chosen_from_before_there_are_new_ones() -> None:
    streams = Streams(FakeModel())
    streams.prepare(PROMPTS)
    streams.branch({0: b"ab"})
    with pytest.raises(InternalError):
        streams.branch({1: b"ab"})


def test_branches_that_do_not_fit_leave_the_streams_where_they_were() -> None:
    model = FakeModel(cells=len(BEGINNING) + 2)
    streams = Streams(model)
    streams.prepare([BEGINNING])
    with pytest.raises(CacheFull):
        streams.branch({0: b"abc"})
    assert streams.length(0) == len(BEGINNING)
    np.testing.assert_array_equal(streams.branch({0: b"ab"})[1], made_up((*BEGINNING, *b"b")))


# Interruptions ------------------------------------------------------------------------------


def interrupt_at(model: FakeModel, batch: int) -> None:
    """Interrupt the model at the batch of that number from now on."""
    left = batch

    def before(_entries: Sequence[Entry]) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            model.interrupt()

    model.before = before


@pytest.mark.parametrize("shares", [True, False])
@pytest.mark.parametrize("batch", range(12))
def test_a_prompt_interrupted_anywhere_can_be_asked_again(batch: int, shares: bool) -> None:
    model = FakeModel(batch=8, shares=shares)
    streams = Streams(model)
    expect(streams, model, PROMPTS[:2])
    interrupt_at(model, batch)
    try:
        streams.prepare([(*p, *b" with much more to read") for p in PROMPTS])
    except Interrupted:
        model.before = None
        model.resume()
    for sequence, tokens in streams._held.items():
        assert model.held(sequence) == tokens
    model.before = None
    expect(streams, model, PROMPTS)


def test_what_was_read_before_an_interruption_is_not_read_again() -> None:
    model = FakeModel(batch=8)
    streams = Streams(model)
    long = tuple(range(100))
    interrupt_at(model, 6)
    with pytest.raises(Interrupted):
        streams.prepare([long])
    model.before = None
    model.resume()
    assert expect(streams, model, [long]) <= len(long) - 5 * 8


def test_a_full_cache_in_the_middle_of_a_prompt_leaves_it_usable() -> None:
    model = FakeModel(cells=40, batch=8)
    streams = Streams(model)
    with pytest.raises(CacheFull):
        streams.prepare([tuple(range(60))])
    expect(streams, model, [tuple(range(20, 50))])


def test_a_full_cache_at_a_step_leaves_the_streams_where_they_were() -> None:
    model = FakeModel(cells=len(BEGINNING) + 1)
    streams = Streams(model)
    streams.prepare([BEGINNING])
    streams.step({0: 65})
    with pytest.raises(CacheFull):
        streams.step({0: 66})
    assert streams.length(0) == len(BEGINNING) + 1


# Anything at all ----------------------------------------------------------------------------

token = st.integers(0, 2)
prompt = st.lists(token, min_size=1, max_size=12).map(tuple)
turn = st.tuples(
    st.lists(prompt, min_size=1, max_size=4, unique=True),
    st.lists(token, max_size=3),
    st.one_of(st.none(), st.integers(0, 6)),
)


@given(turns=st.lists(turn, max_size=5), batch=st.integers(4, 9), shares=st.booleans())
def test_whatever_is_asked_and_interrupted_the_logits_are_right(
    turns: list[tuple[list[tuple[int, ...]], list[int], int | None]], batch: int, shares: bool
) -> None:
    model = FakeModel(batch=batch, shares=shares)
    streams = Streams(model)
    for prompts, steps, interruption in turns:
        if interruption is not None:
            interrupt_at(model, interruption)
        try:
            expect(streams, model, prompts)
            for count, token in enumerate(steps, 1):
                if shares and batch >= 2 * len(prompts):
                    rows = streams.branch(dict.fromkeys(range(len(prompts)), (token, 99)))[::2]
                    rows = rows.copy()
                    streams.keep(dict.fromkeys(range(len(prompts)), 0))
                else:
                    rows = streams.step(dict.fromkeys(range(len(prompts)), token))
                for row, held in zip(rows, prompts, strict=True):
                    np.testing.assert_array_equal(row, made_up((*held, *steps[:count])))
        except Interrupted:
            pass
        model.before = None
        model.resume()


# Counting helpers ---------------------------------------------------------------------------


@given(sequences=st.lists(st.lists(token, max_size=6), min_size=1, max_size=4))
def test_the_common_length_is_what_a_slow_count_finds(sequences: list[list[int]]) -> None:
    slow = 0
    while all(len(s) > slow for s in sequences) and len({s[slow] for s in sequences}) == 1:
        slow += 1
    assert common_length(*sequences) == slow


def test_cells_are_counted_once_where_they_are_shared() -> None:
    assert cells_needed([[1, 2, 3], [1, 2, 4, 5]], each=10) == 2 + 1 + 2 + 20
    assert cells_needed([[1, 2, 3]], each=0) == 3
