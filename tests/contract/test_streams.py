"""What Streams promises: however prompts were batched, shared or reused, logits are the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from engine.inference.host import HostedModel
from engine.inference.model import Interrupted
from engine.inference.streams import Streams
from engine.numerics import F32
from tests.contract.decoding import alone, close, words

SHARED = 14


def variants(model: HostedModel, count: int = 3) -> list[list[int]]:
    """Prompts that begin alike and end differently, in different lengths."""
    tokens = words(model)
    return [[*tokens[:SHARED], *tokens[i : 2 * i + 1]] for i in range(1, count + 1)]


def check(model: HostedModel, rows: F32, prompts: Sequence[Sequence[int]]) -> None:
    """The rows say what each prompt, decoded alone, says. Empties the cache."""
    for row, prompt in zip(rows.copy(), prompts, strict=True):
        expected = alone(model, prompt)
        assert close(model, row, expected)
        assert row.argmax() == expected.argmax()


def test_prompts_that_share_a_beginning_get_the_logits_they_get_alone(model: HostedModel) -> None:
    prompts = variants(model)
    check(model, Streams(model).prepare(prompts).logits, prompts)


def test_prompts_that_share_nothing_get_the_logits_they_get_alone(model: HostedModel) -> None:
    tokens = words(model)
    prompts = [tokens[:5], tokens[1:9], tokens[3:6]]
    check(model, Streams(model).prepare(prompts).logits, prompts)


def test_a_prompt_that_is_the_beginning_of_another_gets_its_own_logits(model: HostedModel) -> None:
    tokens = words(model)
    prompts = [tokens[:4], tokens[:9], tokens[:5]]
    check(model, Streams(model).prepare(prompts).logits, prompts)


def test_prompts_of_a_single_token_are_prepared(model: HostedModel) -> None:
    tokens = words(model)
    prompts = [tokens[:1], tokens[1:2]]
    check(model, Streams(model).prepare(prompts).logits, prompts)


def test_one_prompt_of_a_single_token_is_prepared_twice(model: HostedModel) -> None:
    tokens = words(model)
    streams = Streams(model)
    streams.prepare([tokens[:1]])
    check(model, streams.prepare([tokens[:1]]).logits, [tokens[:1]])


def test_prompts_longer_than_a_batch_are_split(model: HostedModel) -> None:
    long = (words(model) * 60)[: model.shape.batch + 40]
    prompts = [[*long, *long[:3]], [*long, *long[5:12]]]
    check(model, Streams(model).prepare(prompts).logits, prompts)


def test_stepping_several_streams_equals_stepping_each_alone(model: HostedModel) -> None:
    prompts = variants(model)
    steps = words(model)[5:9]
    together = Streams(model)
    together.prepare(prompts)
    rows = [together.step(dict.fromkeys(range(len(prompts)), token)) for token in steps]
    check(model, rows[-1], [[*prompt, *steps] for prompt in prompts])


def test_streams_may_take_different_tokens_and_rows_keep_their_order(model: HostedModel) -> None:
    prompts = variants(model)
    streams = Streams(model)
    streams.prepare(prompts)
    a, b = words(model)[6:8]
    rows = streams.step({2: a, 0: b})
    check(model, rows, [[*prompts[2], a], [*prompts[0], b]])


def test_a_stream_that_is_left_out_of_a_step_stays_where_it_was(model: HostedModel) -> None:
    prompts = variants(model)
    streams = Streams(model)
    streams.prepare(prompts)
    a, b = words(model)[6:8]
    streams.step({0: a, 2: a})
    rows = streams.step({0: b, 1: b})
    check(model, rows, [[*prompts[0], a, b], [*prompts[1], b]])


def test_a_second_turn_decodes_only_what_is_new(model: HostedModel) -> None:
    prompts = variants(model)
    tokens = words(model)
    streams = Streams(model)
    streams.prepare(prompts)
    for token in tokens[4:7]:
        streams.step(dict.fromkeys(range(len(prompts)), token))
    first, longest = prompts[0], prompts[-1]
    second = [[*first, *tokens[4:7], *tokens[:2]], [*longest, *tokens[4:7], *tokens[:6]]]
    prepared = streams.prepare(second)
    assert prepared.cached == len(longest) + 3
    check(model, prepared.logits, second)


def test_a_turn_with_more_streams_shares_the_one_there_was(model: HostedModel) -> None:
    tokens = words(model)
    streams = Streams(model)
    streams.prepare([tokens[:SHARED]])
    prompts = variants(model)
    prepared = streams.prepare(prompts)
    assert prepared.cached == SHARED
    check(model, prepared.logits, prompts)


def test_a_turn_with_fewer_streams_forgets_the_others(model: HostedModel) -> None:
    prompts = variants(model)
    streams = Streams(model)
    streams.prepare(prompts)
    prepared = streams.prepare(prompts[1:2])
    assert streams.live == 1
    assert prepared.cached == len(prompts[1]) - 1
    check(model, prepared.logits, prompts[1:2])


def test_the_same_question_again_decodes_one_token_for_each_stream(model: HostedModel) -> None:
    prompts = variants(model)
    streams = Streams(model)
    streams.prepare(prompts)
    streams.step(dict.fromkeys(range(len(prompts)), words(model)[3]))
    prepared = streams.prepare(prompts)
    assert prepared.cached == len(prompts[-1]) - 1
    check(model, prepared.logits, prompts)


def test_an_edited_history_is_reused_up_to_the_edit(model: HostedModel) -> None:
    tokens = words(model)
    streams = Streams(model)
    streams.prepare([tokens])
    edited = [*tokens[:10], tokens[0], *tokens[11:]]
    prepared = streams.prepare([edited])
    assert prepared.cached == 10
    check(model, prepared.logits, [edited])


def test_many_turns_leave_nothing_behind(model: HostedModel) -> None:
    tokens = words(model)
    streams = Streams(model)
    for turn in range(12):
        prompts = variants(model, 2 + turn % 3)
        streams.prepare([[*tokens[:turn], *prompt] for prompt in prompts])
    check(model, streams.prepare(variants(model)).logits, variants(model))


def test_following_a_text_says_what_stepping_through_it_says(model: HostedModel) -> None:
    tokens = words(model)
    prompt, text = tokens[:6], (tokens[6:] * 8)[:70]
    followed = Streams(model)
    followed.prepare([prompt])
    rows = [row.copy() for piece in followed.follow(0, text) for row in piece]
    assert len(rows) == len(text)
    for place in (0, 1, 31, 32, 69):
        check(model, rows[place][None], [[*prompt, *text[: place + 1]]])


def test_a_fork_goes_on_from_where_its_stream_stands(model: HostedModel) -> None:
    tokens = words(model)
    streams = Streams(model)
    streams.prepare([tokens[:6]])
    streams.step({0: tokens[6]})
    other = streams.fork(0)
    assert streams.live == 2
    assert streams.length(other) == 7
    rows = streams.step({0: tokens[7], other: tokens[1]})
    check(model, rows, [tokens[:8], [*tokens[:7], tokens[1]]])


def test_a_branch_says_what_stepping_its_token_says(model: HostedModel) -> None:
    prompts = variants(model)
    a, b, c, d = words(model)[5:9]
    streams = Streams(model)
    streams.prepare(prompts)
    rows = streams.branch({2: [a, b, c], 0: [b], 1: [d, a]})
    texts = [[*prompts[i], t] for i, t in ((2, a), (2, b), (2, c), (0, b), (1, d), (1, a))]
    check(model, rows, texts)


def test_as_many_branches_as_there_is_room_for_can_be_tried_at_once(model: HostedModel) -> None:
    prompts = variants(model, 2)
    tokens = words(model)
    streams = Streams(model)
    streams.prepare(prompts)
    half = streams.room(2) // 2
    assert half == 16
    rows = streams.branch({0: tokens[:half], 1: tokens[2 : 2 + half]})
    check(
        model,
        rows,
        [[*p, t] for p, at in zip(prompts, (0, 2), strict=True) for t in tokens[at : at + half]],
    )


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_kept_branch_is_the_stream_from_then_on(model: HostedModel, which: int) -> None:
    prompts = variants(model, 2)
    tokens = words(model)
    streams = Streams(model)
    streams.prepare(prompts)
    for _ in range(3):
        streams.branch({0: tokens[5:8], 1: tokens[1:3]})
        streams.keep({0: which, 1: which % 2})
    lengths = [streams.length(0), streams.length(1)]
    assert lengths == [len(prompts[0]) + 3, len(prompts[1]) + 3]
    rows = streams.step({1: tokens[0], 0: tokens[9]})
    check(
        model,
        rows,
        [
            [*prompts[1], *[tokens[1 + which % 2]] * 3, tokens[0]],
            [*prompts[0], *[tokens[5 + which]] * 3, tokens[9]],
        ],
    )


def test_a_stream_of_which_no_branch_is_kept_stays_where_it_was(model: HostedModel) -> None:
    prompts = variants(model, 3)
    tokens = words(model)
    streams = Streams(model)
    streams.prepare(prompts)
    streams.branch({0: tokens[5:8], 2: tokens[:2]})
    streams.keep({0: 1})
    rows = streams.step(dict.fromkeys(range(3), tokens[4]))
    check(
        model,
        rows,
        [[*prompts[0], tokens[6], tokens[4]], [*prompts[1], tokens[4]], [*prompts[2], tokens[4]]],
    )


def test_branches_that_nobody_chose_from_do_not_disturb_the_next_turn(model: HostedModel) -> None:
    prompts = variants(model)
    streams = Streams(model)
    streams.prepare(prompts)
    streams.branch({0: words(model)[:9], 1: words(model)[:9]})
    check(model, streams.prepare(prompts).logits, prompts)


def test_interrupted_branches_can_be_tried_again(model: HostedModel) -> None:
    prompts = variants(model, 2)
    tokens = words(model)
    streams = Streams(model)
    streams.prepare(prompts)
    model.interrupt()
    with pytest.raises(Interrupted):
        streams.branch({0: tokens[:4], 1: tokens[:4]})
    model.resume()
    rows = streams.branch({1: tokens[:2], 0: tokens[3:5]})
    texts = [(1, 0), (1, 1), (0, 3), (0, 4)]
    check(model, rows, [[*prompts[i], tokens[t]] for i, t in texts])


def test_an_interrupted_prompt_can_be_asked_again(model: HostedModel) -> None:
    prompts = variants(model)
    streams = Streams(model)
    streams.prepare([prompts[0]])
    model.interrupt()
    with pytest.raises(Interrupted):
        streams.prepare(prompts)
    model.resume()
    check(model, streams.prepare(prompts).logits, prompts)


def test_an_interrupted_step_can_be_taken_again(model: HostedModel) -> None:
    prompts = variants(model)
    streams = Streams(model)
    streams.prepare(prompts)
    token = words(model)[4]
    step = dict.fromkeys(range(len(prompts)), token)
    model.interrupt()
    with pytest.raises(Interrupted):
        streams.step(step)
    model.resume()
    check(model, streams.step(step), [[*prompt, token] for prompt in prompts])


def test_an_emptied_cache_starts_afresh(model: HostedModel) -> None:
    prompts = variants(model)
    streams = Streams(model)
    streams.prepare(prompts)
    streams.forget()
    assert streams.live == 0
    prepared = streams.prepare(prompts)
    assert prepared.cached == 0
    check(model, prepared.logits, prompts)


def test_logits_are_finite_for_every_stream(model: HostedModel) -> None:
    prepared = Streams(model).prepare(variants(model, 8))
    assert prepared.logits.shape == (8, model.shape.vocabulary)
    assert np.isfinite(prepared.logits).all()
