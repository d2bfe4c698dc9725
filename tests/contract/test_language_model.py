"""What every LanguageModel promises."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from engine.inference.host import HostedModel
from engine.inference.model import SEQUENCE_IDS, CacheFull, Entry, Interrupted
from engine.numerics import F32
from tests.contract.decoding import alone, close, decode, entries, words

TEXTS = (
    "Hello, world.",
    "  two spaces, a tab\t, a line\nand another\r\n",
    "naïve café, 東京, здравствуй, 👩‍🚀 and e\u0301",
    "def f(x): return x ** 2  # {{ not a template }}",
    "<b>&amp;</b> 0123456789 ~!@#$%^&*()",
)

# Text and tokens ----------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS)
def test_the_pieces_of_a_text_make_the_text_again(model: HostedModel, text: str) -> None:
    tokens = model.tokenize(text, special=False)
    assert b"".join(model.piece(t) for t in tokens).decode() == text


def test_the_empty_text_has_no_tokens(model: HostedModel) -> None:
    assert model.tokenize("", special=False) == []


def test_tokens_are_inside_the_vocabulary(model: HostedModel) -> None:
    tokens = [t for text in TEXTS for t in model.tokenize(text, special=True)]
    assert 0 <= min(tokens) <= max(tokens) < model.shape.vocabulary


def test_a_control_token_written_out_is_one_token_only_where_that_is_wanted(
    model: HostedModel,
) -> None:
    (token,) = model.tokenize("<|im_end|>", special=True)
    assert model.is_control(token)
    assert model.control_text(token) == "<|im_end|>"
    as_text = model.tokenize("<|im_end|>", special=False)
    assert len(as_text) > 1
    assert not any(model.is_control(t) for t in as_text)
    assert b"".join(model.piece(t) for t in as_text) == b"<|im_end|>"


def test_control_tokens_have_no_text(model: HostedModel) -> None:
    (token,) = model.tokenize("<|im_start|>", special=True)
    assert model.piece(token) == b""


def test_a_turn_ends_with_its_control_token_and_with_no_letter(model: HostedModel) -> None:
    (end,) = model.tokenize("<|im_end|>", special=True)
    assert model.is_end(end)
    assert not any(model.is_end(t) for t in words(model))


def test_the_marks_are_control_tokens(model: HostedModel) -> None:
    for mark in model.marks:
        (token,) = model.tokenize(mark, special=True)
        assert model.is_control(token)


def test_the_template_is_text_that_names_the_messages(model: HostedModel) -> None:
    assert "messages" in model.template


# Decoding -----------------------------------------------------------------------------------


def test_there_is_one_row_for_each_entry_that_wants_one_in_their_order(model: HostedModel) -> None:
    tokens = words(model)
    wanted = (2, 5, 9)
    batch = [Entry(t, i, 0, i in wanted) for i, t in enumerate(tokens[:12])]
    rows = model.decode(batch).copy()
    assert rows.shape == (len(wanted), model.shape.vocabulary)
    for row, position in zip(rows, wanted, strict=True):
        assert close(model, row, alone(model, tokens[: position + 1]))


def test_logits_are_float32_and_finite(model: HostedModel) -> None:
    rows = model.decode(entries(words(model)[:8]))
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()


def test_logits_are_a_view_that_nobody_can_write_to(model: HostedModel) -> None:
    rows = model.decode(entries(words(model)[:8]))
    assert not rows.flags.owndata
    assert not rows.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        rows[0, 0] = 0.0


def test_a_batch_that_wants_nothing_gives_no_rows(model: HostedModel) -> None:
    tokens = words(model)[:4]
    rows = model.decode([Entry(t, i, 0, False) for i, t in enumerate(tokens)])
    assert rows.shape == (0, model.shape.vocabulary)


def test_the_same_tokens_give_the_same_logits_bit_for_bit(model: HostedModel) -> None:
    tokens = words(model)
    np.testing.assert_array_equal(alone(model, tokens), alone(model, tokens))


@pytest.mark.parametrize("cut", [1, 2, 7, 11])
def test_logits_do_not_depend_on_how_the_prompt_was_batched(model: HostedModel, cut: int) -> None:
    tokens = words(model)
    expected = alone(model, tokens)
    decode(model, tokens[:cut])
    found = decode(model, tokens, start=cut)
    assert close(model, found, expected)
    assert found.argmax() == expected.argmax()


def test_logits_do_not_depend_on_what_other_sequences_do(model: HostedModel) -> None:
    tokens = words(model)[:10]
    texts = [tokens[s:] + tokens[:s] for s in range(3)]
    expected = [alone(model, text) for text in texts]
    mixed = [e for pair in zip(*map(entries, texts), strict=True) for e in pair]
    batch = [e._replace(sequence=i % 3) for i, e in enumerate(mixed)]
    rows = model.decode(batch).copy()
    for row, right in zip(rows, expected, strict=True):
        assert close(model, row, right)
        assert row.argmax() == right.argmax()


def test_every_sequence_id_can_be_used(model: HostedModel) -> None:
    tokens = words(model)
    expected = alone(model, tokens[:3])
    rows = [decode(model, tokens[:3], sequence=s) for s in range(SEQUENCE_IDS)]
    assert all(close(model, row, expected) for row in rows)


def test_one_batch_can_want_logits_of_every_sequence(model: HostedModel) -> None:
    token = words(model)[0]
    batch = [Entry(token, 0, s, True) for s in range(min(SEQUENCE_IDS, model.shape.batch))]
    assert len(model.decode(batch)) == len(batch)


# Hidden states ------------------------------------------------------------------------------


def states(model: HostedModel, tokens: list[int]) -> tuple[F32, F32]:
    """Logits and hidden states of every token, decoded in one batch."""
    model.forget()
    model.keep_hidden(True)
    rows = model.decode([Entry(t, i, 0, True) for i, t in enumerate(tokens)]).copy()
    found = model.hidden.copy()
    model.forget()
    return rows, found


@pytest.fixture
def hidden_model(model: HostedModel) -> Iterator[HostedModel]:
    """A model that keeps no hidden states once the test is over."""
    yield model
    model.keep_hidden(False)


def test_hidden_states_change_no_logits(hidden_model: HostedModel) -> None:
    tokens = words(hidden_model)[:12]
    batch = [Entry(t, i, 0, True) for i, t in enumerate(tokens)]
    without = hidden_model.decode(batch).copy()
    rows, found = states(hidden_model, tokens)
    np.testing.assert_array_equal(rows, without)
    assert found.shape == (len(tokens), hidden_model.shape.width)
    assert found.dtype == np.float32


def test_there_is_a_hidden_state_for_each_entry_in_their_order(hidden_model: HostedModel) -> None:
    model, tokens = hidden_model, words(hidden_model)[:9]
    _, expected = states(model, tokens)
    for sequence in (4, 1):
        decode(model, tokens[:5], sequence=sequence)
    model.decode([Entry(tokens[5], 5, 1, True), Entry(tokens[5], 5, 4, True)])
    both = model.hidden.copy()
    model.decode([Entry(tokens[6], 6, 4, True), Entry(tokens[0], 0, 9, True)])
    mixed = model.hidden.copy()
    for found, right in ((both[0], 5), (both[1], 5), (mixed[0], 6), (mixed[1], 0)):
        nearest = np.linalg.norm(expected - found, axis=1).argmin()
        assert nearest == right


def test_a_prompt_of_any_length_gives_the_rows_it_wants_while_hidden_states_are_kept(
    hidden_model: HostedModel,
) -> None:
    """llama.cpp by itself would give a row for every token, or end the process."""
    model = hidden_model
    tokens = (words(model) * 40)[: 3 * SEQUENCE_IDS]
    for on in (False, True, False, True):
        model.keep_hidden(on)
        model.forget()
        first = decode(model, tokens)
        wanted = (2, 5, 9)
        model.forget()
        rows = model.decode([Entry(t, i, 0, i in wanted) for i, t in enumerate(tokens[:12])])
        assert rows.shape == (len(wanted), model.shape.vocabulary)
        few = rows.copy()
        for row, position in zip(few, wanted, strict=True):
            assert close(model, row, alone(model, tokens[: position + 1]))
        assert close(model, first, alone(model, tokens))


def test_hidden_states_are_there_after_steps_between_prompts(hidden_model: HostedModel) -> None:
    model, tokens = hidden_model, words(hidden_model)[:10]
    _, expected = states(model, tokens)
    for _ in range(2):
        model.forget()
        model.keep_hidden(True)
        decode(model, tokens[:7])
        model.decode([Entry(tokens[7], 7, 0, True)])
        assert np.linalg.norm(expected - model.hidden[0], axis=1).argmin() == 7
        model.keep_hidden(False)
        model.decode([Entry(tokens[8], 8, 0, True)])
        model.keep_hidden(True)
        model.decode([Entry(tokens[9], 9, 0, True)])
        assert np.linalg.norm(expected - model.hidden[0], axis=1).argmin() == 9


def test_no_hidden_state_is_longer_than_the_model_says(hidden_model: HostedModel) -> None:
    _, found = states(hidden_model, words(hidden_model)[:16])
    lengths = np.linalg.norm(found, axis=1)
    assert 0 < lengths.max() <= hidden_model.longest_hidden < np.inf


# The cache ----------------------------------------------------------------------------------


def test_a_copied_prefix_serves_as_if_it_had_been_decoded(model: HostedModel) -> None:
    tokens = words(model)
    other = [*tokens[:12], *reversed(tokens[12:])]
    expected = alone(model, other)
    decode(model, tokens)
    model.copy(0, 5, length=12)
    found = decode(model, other, sequence=5, start=12)
    assert close(model, found, expected)
    assert found.argmax() == expected.argmax()


def test_a_copy_and_its_source_go_their_own_ways(model: HostedModel) -> None:
    tokens = words(model)
    expected = alone(model, tokens)
    decode(model, tokens[:9])
    model.copy(0, 1, length=9)
    decode(model, [*tokens[:9], *reversed(tokens)], sequence=1, start=9)
    assert close(model, decode(model, tokens, start=9), expected)


def test_a_copy_outlives_its_source(model: HostedModel) -> None:
    tokens = words(model)
    expected = alone(model, tokens)
    decode(model, tokens[:9])
    model.copy(0, 1, length=9)
    assert model.truncate(0, length=0)
    assert close(model, decode(model, tokens, sequence=1, start=9), expected)


def test_what_was_cut_off_no_longer_counts(model: HostedModel) -> None:
    tokens = words(model)
    expected = alone(model, tokens)
    decode(model, [*tokens[:6], *reversed(tokens)])
    assert model.truncate(0, length=6)
    assert close(model, decode(model, tokens, start=6), expected)


def test_cutting_nothing_off_changes_nothing(model: HostedModel) -> None:
    tokens = words(model)
    expected = alone(model, tokens)
    decode(model, tokens[:6])
    assert model.truncate(0, length=6)
    assert model.truncate(3, length=0)
    assert close(model, decode(model, tokens, start=6), expected)


def test_forgetting_empties_every_sequence(model: HostedModel) -> None:
    tokens = words(model)
    expected = alone(model, tokens)
    for sequence in (0, 1):
        decode(model, tokens[::-1], sequence=sequence)
    model.forget()
    for sequence in (0, 1):
        assert close(model, decode(model, tokens, sequence=sequence), expected)


def test_a_full_cache_says_so_and_stays_as_it_was(model: HostedModel) -> None:
    size = model.shape.batch
    rounds, rest = divmod(model.shape.cells, size)
    tokens = (words(model) * size)[:size]
    for sequence in range(rounds):
        decode(model, tokens, sequence=sequence)
    with pytest.raises(CacheFull):
        decode(model, tokens[: rest + 1], sequence=rounds)
    # What was there is there still: it goes on once another sequence has made room.
    expected = decode(model, tokens[:1], sequence=rounds) if rest else None
    assert model.truncate(0, length=2)
    found = decode(model, tokens[:1], sequence=rounds + 1)
    assert expected is None or close(model, found, expected)


def test_shared_cells_count_once(model: HostedModel) -> None:
    tokens = (words(model) * 40)[: model.shape.cells // 4]
    decode(model, tokens)
    for sequence in range(1, 8):
        model.copy(0, sequence, length=len(tokens))
    model.decode([Entry(tokens[0], len(tokens), s, True) for s in range(8)])


# Interrupting -------------------------------------------------------------------------------


def test_an_interrupted_model_decodes_nothing_until_it_is_resumed(model: HostedModel) -> None:
    tokens = words(model)
    expected = alone(model, tokens)
    decode(model, tokens[:5])
    model.interrupt()
    for _ in range(2):
        with pytest.raises(Interrupted):
            model.decode(entries(tokens, start=5)[: model.shape.batch])
        assert model.truncate(0, length=5)
    model.resume()
    assert close(model, decode(model, tokens, start=5), expected)


def test_threads_change_the_speed_and_not_the_answer(model: HostedModel) -> None:
    tokens = words(model)[:6]
    expected = alone(model, tokens)
    model.use_threads(2)
    found = alone(model, tokens)
    model.use_threads(1)
    assert close(model, found, expected)
    assert found.argmax() == expected.argmax()
