"""From rows of logits to text: whole characters, stops, limits, reasons for the end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DamagedModel, EmptyQuestion, InvalidParameter
from engine.inference.arm import TextFlow
from engine.inference.model import CacheFull, Entry
from engine.inference.templates import plain
from engine.types.answers import Started
from tests.fakes.asking import Asker, preferring, question
from tests.fakes.model import FakeModel

STOPS = ("\nQuestion:", "\nAnswer:")


def feed(data: bytes, *, stops: tuple[str, ...] = ()) -> tuple[list[str], TextFlow]:
    """Give the bytes one token at a time; returns what was shown after each, and the rest."""
    flow = TextFlow(FakeModel(), stops=stops)
    shown = []
    for byte in data:
        shown.append(flow.feed(byte))
        if flow.stopped:
            break
    return [*shown, flow.finish()], flow


# Text ---------------------------------------------------------------------------------------


def test_a_character_split_over_tokens_is_shown_whole() -> None:
    shown, flow = feed("a👩é".encode())
    assert shown == ["a", "", "", "", "👩", "", "é", ""]
    assert flow.text == "a👩é"


def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    _, flow = feed(b"ok \xff\xfe end")
    assert flow.text == "ok \ufffd\ufffd end"


def test_a_character_cut_off_at_the_end_is_replaced() -> None:
    shown, flow = feed("é".encode()[:1])
    assert shown == ["", "\ufffd"]
    assert flow.text == "\ufffd"


def test_white_space_at_the_start_is_left_out_and_kept_elsewhere() -> None:
    assert feed(b" \n a b \n")[1].text == "a b \n"


def test_nothing_of_a_stop_text_and_nothing_after_it_is_shown() -> None:
    shown, flow = feed(b"Yes.\nQuestion: next", stops=STOPS)
    assert "".join(shown) == flow.text == "Yes."
    assert flow.stopped


def test_what_only_looks_like_a_stop_text_is_shown_in_the_end() -> None:
    shown, flow = feed(b"Yes.\nQuestions", stops=STOPS)
    assert "".join(shown) == flow.text == "Yes.\nQuestions"
    assert "\nQ" not in "".join(shown[:6])


def test_a_stop_text_that_never_came_to_its_end_is_shown() -> None:
    assert feed(b"Yes.\nAnsw", stops=STOPS)[1].text == "Yes.\nAnsw"


@given(
    text=st.text(st.sampled_from("ab\nQuestion:Awer é👩"), max_size=40),
    stops=st.sampled_from([(), STOPS, ("ab", "aab"), ("aa", "aab")]),
)
def test_the_text_is_what_stands_before_the_first_stop(text: str, stops: tuple[str, ...]) -> None:
    shown, flow = feed(text.encode(), stops=stops)
    ends = [i for i in (text.find(s) for s in stops) if i >= 0]
    assert "".join(shown) == flow.text
    if not ends:
        assert flow.text == text.lstrip()
    elif len({text.find(s) for s in stops if s in text}) == 1 or stops == STOPS:
        assert flow.text == text[: min(ends)].lstrip()
    assert flow.stopped == bool(ends)


# Why an answer ends -------------------------------------------------------------------------


def test_the_models_own_end_ends_the_answer() -> None:
    answer = Asker(FakeModel(answers=["Water it."])).ask(question("Basil?")).answer
    assert (answer.text, answer.finish, answer.tokens) == ("Water it.", "end", 9)


def test_a_stop_text_ends_the_answer_like_an_end_token() -> None:
    model = FakeModel(answers=["Water it.\nQuestion: Why?"], header="Answer:")
    form = plain(marks=("", ""), speaks_chatml=False, reason="it has none")
    answer = Asker(model, form=form).ask(question("Basil?")).answer
    assert (answer.text, answer.finish) == ("Water it.", "end")


def test_without_a_template_the_question_is_still_asked() -> None:
    model = FakeModel(answers=["Yes."], header="Answer:", template="")
    form = plain(marks=("", ""), speaks_chatml=False, reason="it has none")
    asked = Asker(model, form=form)
    assert asked.ask(question("Is it so?")).answer.text == "Yes."
    assert b"Question: Is it so?\n\nAnswer:" in bytes(t for t in model.held(0) if t < 256)


def test_an_answer_as_long_as_the_context_ends_with_that_reason() -> None:
    asker = Asker(FakeModel(cells=400, trained=160))
    heard = asker.ask(question("Go on", max_tokens=100_000))
    assert heard.answer.finish == "context"
    assert heard.started is not None
    assert heard.started.prompt_tokens + heard.answer.tokens == 160


def test_a_cache_that_fills_up_ends_the_answer_and_not_the_engine() -> None:
    model = FakeModel()
    steps = 0

    def before(entries: Sequence[Entry]) -> None:
        nonlocal steps
        steps += all(e.output for e in entries)
        if steps == 3:
            raise CacheFull

    model.before = before
    asker = Asker(model)
    answer = asker.ask(question("Go on", max_tokens=50)).answer
    assert answer.finish == "context"
    assert answer.tokens == 3
    model.before = None
    assert asker.ask(question("Go on", max_tokens=5)).answer.tokens == 5


def test_a_model_that_computes_nonsense_is_called_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeModel()
    bad = np.full((1, model.shape.vocabulary), np.nan, np.float32)
    monkeypatch.setattr(model, "decode", lambda _entries: bad)
    with pytest.raises(DamagedModel, match="Fake computes"):
        Asker(model).ask(question("Hello"))


# What is refused at once --------------------------------------------------------------------


def test_an_empty_question_is_refused_before_anything_is_decoded() -> None:
    model = FakeModel()
    for nothing in (question(), question("  \n "), question("Hi", "Hello")):
        with pytest.raises(EmptyQuestion):
            Asker(model).ask(nothing)
    assert model.decoded == 0


def test_sampling_outside_its_range_is_refused_before_anything_is_decoded() -> None:
    model = FakeModel()
    with pytest.raises(InvalidParameter, match="temperature"):
        Asker(model).ask(question("Hi", temperature=-1.0))
    assert model.decoded == 0


# What is told -------------------------------------------------------------------------------


def test_the_prompt_is_announced_after_the_template_and_before_it_is_read() -> None:
    model = FakeModel()
    decoded: list[int] = []
    Asker(model).ask(question("Hi", max_tokens=1), on_prompt=lambda: decoded.append(model.decoded))
    assert decoded == [0]


def test_started_comes_before_the_text_and_tells_what_is_read() -> None:
    asker = Asker(FakeModel(answers=["One", "Two"]))
    events = list(asker.generation(question("Hi")).run())
    assert isinstance(events[0], Started)
    assert events[0].streams == 1
    assert events[0].cached_tokens == 0
    again = asker.ask(question("Hi")).started
    assert again is not None
    assert again.cached_tokens == again.prompt_tokens - 1


def test_steps_are_told_with_their_streams_and_seconds() -> None:
    steps: list[tuple[float, int]] = []
    asker = Asker(FakeModel())
    answer = asker.ask(
        question("Hi", steering=preferring("concise"), max_tokens=4),
        on_step=lambda seconds, streams: steps.append((seconds, streams)),
    ).answer
    assert steps == [(1.0, 2)] * 3
    assert answer.seconds.decode == 3.0
    assert answer.seconds.prefill == 1.0
    assert answer.seconds.steer == 4.0


@pytest.mark.parametrize("turns", [9, 10, 11, 30])
def test_dropped_messages_are_counted_and_the_rest_begins_with_a_question(turns: int) -> None:
    model = FakeModel(cells=2048, trained=420)
    texts = [f"turn {i:02} " + "x" * 30 for i in range(2 * turns - 1)]
    heard = Asker(model).ask(question(*texts, max_tokens=4))
    assert heard.started is not None
    kept = bytes(t for t in model.held(0) if t < 256).decode(errors="replace")
    missing = sum(f"turn {i:02}" not in kept for i in range(2 * turns - 1))
    assert heard.started.dropped == missing > 0
    assert [notice.code for notice in heard.notices] == ["messages_dropped"]
    assert f"oldest {missing} messages" in heard.notices[0].text
    assert f"turn {2 * turns - 2:02}" in kept
    assert "helpful assistant" in kept


def test_a_chat_that_fits_drops_nothing_and_says_nothing() -> None:
    heard = Asker(FakeModel()).ask(question("a", "b", "c", max_tokens=2))
    assert heard.notices == ()
    assert heard.started is not None
    assert heard.started.dropped == 0


def test_a_model_trained_for_short_texts_answers_short_questions() -> None:
    answer = Asker(FakeModel(trained=240)).ask(question("Hi", max_tokens=512)).answer
    assert answer.tokens > 0
