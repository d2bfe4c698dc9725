"""What llama.cpp's skin promises beyond the contract: no copies, interruption from any thread."""

from __future__ import annotations

import ctypes
import threading
from typing import Any

import llama_cpp.llama_cpp as api
import numpy as np
import pytest
from gguf import GGUFReader

from engine.errors import DamagedModel, InternalError, ModelError, OutOfMemory, UnsupportedModel
from engine.inference import llama
from engine.inference.host import HostedModel
from engine.inference.model import Entry, Interrupted
from engine.types.models import Launch
from tests.contract.conftest import CELLS, Models
from tests.contract.decoding import entries, words
from tests.fixtures.tiny_gguf import write_tiny_llama


def as_llama(model: HostedModel) -> llama.LlamaModel:
    assert isinstance(model, llama.LlamaModel)
    return model


def test_rows_lie_where_llama_cpp_computed_them(llama_model: HostedModel) -> None:
    model = as_llama(llama_model)
    tokens = words(model)[:8]
    rows = model.decode([Entry(t, i, 0, i in {3, 7}) for i, t in enumerate(tokens)])
    addresses = [row.__array_interface__["data"][0] for row in rows]
    assert addresses == [model.row_address(3), model.row_address(7)]


def test_rows_of_several_sequences_lie_in_the_order_of_their_entries(
    llama_model: HostedModel,
) -> None:
    model = as_llama(llama_model)
    rows = model.decode(
        [Entry(t, 0, s, True) for s, t in zip((4, 1, 9), words(model), strict=False)]
    )
    addresses = [row.__array_interface__["data"][0] for row in rows]
    assert addresses == [model.row_address(i) for i in range(3)]


def test_logits_are_hidden_states_times_the_output_weight(
    tmp_path_factory: pytest.TempPathFactory, models: Models
) -> None:
    model = models.get("tiny")
    same = write_tiny_llama(tmp_path_factory.mktemp("same") / "tiny.gguf")
    weights = {tensor.name: np.array(tensor.data) for tensor in GGUFReader(same).tensors}
    tokens = words(model)[:12]
    model.keep_hidden(True)
    rows = model.decode([Entry(t, i, 0, True) for i, t in enumerate(tokens)])
    expected = model.hidden @ weights["output.weight"].T
    model.keep_hidden(False)
    np.testing.assert_allclose(rows, expected, atol=2e-3)
    assert np.abs(rows).max() > 1.0


def test_hidden_states_that_were_not_kept_are_our_own_mistake(llama_model: HostedModel) -> None:
    tokens = words(llama_model)[:3]
    batch = [Entry(t, i, 0, True) for i, t in enumerate(tokens)]
    llama_model.decode(batch)
    with pytest.raises(InternalError):
        _ = llama_model.hidden
    llama_model.forget()
    llama_model.keep_hidden(True)
    llama_model.decode([*batch[:1], batch[1]._replace(output=False), batch[2]])
    with pytest.raises(InternalError):
        _ = llama_model.hidden
    llama_model.keep_hidden(False)


def test_the_shape_is_what_the_file_and_the_launch_say(llama_model: HostedModel) -> None:
    shape = llama_model.shape
    assert shape.cells == CELLS
    assert shape.trained in {512, 8192}
    assert shape.shares


def test_steps_of_every_size_take_the_threads_asked_for_and_long_prompts_take_all(
    llama_model: HostedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = as_llama(llama_model)
    monkeypatch.setattr(model, "_most_threads", 2)
    tokens = (words(model) * 10)[:48]

    def used() -> tuple[int, int]:
        context = model._context
        return api.llama_n_threads(context), api.llama_n_threads_batch(context)

    model.use_threads(1)
    model.decode(entries(tokens))
    assert used() == (2, 2)
    model.decode([Entry(tokens[0], len(tokens), 0, True), Entry(tokens[0], 0, 1, True)])
    assert used() == (1, 1)


@pytest.mark.model
def test_decoding_stops_soon_when_another_thread_says_so(starter: HostedModel) -> None:
    todo = entries((words(starter) * 50)[: starter.shape.batch])
    stopper = threading.Timer(0.02, starter.interrupt)
    stopper.start()
    with pytest.raises(Interrupted):
        starter.decode(todo)
    stopper.join()


def test_an_interrupted_model_does_not_even_ask_the_back_end(
    llama_model: HostedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every back end looks at the flag by itself."""
    asked: list[object] = []
    monkeypatch.setattr(api, "llama_decode", lambda *args: asked.append(args))
    llama_model.interrupt()
    with pytest.raises(Interrupted):
        llama_model.decode(entries(words(llama_model)[:4]))
    assert not asked
    llama_model.resume()


def test_a_text_with_more_tokens_than_room_is_read_again(
    llama_model: HostedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = words(llama_model)
    real, rooms = api.llama_tokenize, []

    def tokenize(vocab: Any, data: bytes, size: int, out: Any, room: int, *flags: bool) -> int:
        rooms.append(room)
        count: int = real(vocab, data, size, out, room, *flags)
        if len(rooms) > 1:
            return count
        ctypes.memset(out, 0, ctypes.sizeof(out))
        return -count

    monkeypatch.setattr(api, "llama_tokenize", tokenize)
    assert words(llama_model) == expected
    assert rooms[1] == len(expected)


def test_libraries_are_chosen_once_in_the_life_of_a_process(llama_model: HostedModel) -> None:
    with pytest.raises(InternalError, match="asked for after"):
        llama.start("another")


def test_a_file_that_is_no_model_is_refused_with_its_name(
    llama_model: HostedModel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("bad") / "holiday.gguf"
    file.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(DamagedModel, match=r"holiday\.gguf"):
        llama.LlamaModel(str(file), launch=Launch(context=CELLS))


HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202e" + "x" * 10**6


@pytest.fixture
def said(llama_model: HostedModel, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """What llama.cpp has said, none of it yet."""
    fresh: list[tuple[int, str]] = []
    monkeypatch.setattr(llama, "_MESSAGES", fresh)
    return fresh


@pytest.mark.usefixtures("said")
@pytest.mark.parametrize("level", [3, 4])
def test_what_llama_cpp_says_of_a_hostile_file_is_short_and_fit_to_be_shown(level: int) -> None:
    llama._on_message(level, HOSTILE.encode(), None)
    error = llama._load_error("/models/holiday.gguf")
    assert isinstance(error, DamagedModel)
    reason = error.message.partition("(")[2].rpartition(")")[0]
    assert "owned" in reason
    assert len(reason) <= 200
    assert error.message.isprintable()


def test_an_error_goes_before_a_warning(said: list[tuple[int, str]]) -> None:
    said += [(3, "the licence is odd"), (4, "tensor 7 is cut off"), (4, "failed to load")]
    assert "(tensor 7 is cut off)" in llama._load_error("/models/x.gguf").message


def test_where_llama_cpp_says_nothing_that_is_said(said: list[tuple[int, str]]) -> None:
    assert said == []
    assert "(no reason given)" in llama._load_error("/models/x.gguf").message


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("unknown model architecture: 'new'", UnsupportedModel),
        ("failed to allocate buffer", OutOfMemory),
        ("unable to allocate CPU buffer", OutOfMemory),
    ],
)
def test_what_llama_cpp_says_decides_what_it_is(
    said: list[tuple[int, str]], words: str, error: type[Exception]
) -> None:
    said.append((4, words))
    found = llama._load_error("/models/x.gguf")
    assert isinstance(found, error)
    assert words in found.detail


def test_a_missing_file_is_an_error_and_no_crash(llama_model: HostedModel) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.gguf"):
        llama.LlamaModel("/does/not/exist/nowhere.gguf", launch=Launch(context=CELLS))


@pytest.mark.model
def test_a_load_can_be_abandoned(starter: HostedModel) -> None:
    from engine.models.catalogue import starter_path

    with pytest.raises(Interrupted):
        llama.LlamaModel(
            str(starter_path()), launch=Launch(context=CELLS), keep_loading=lambda _share: False
        )


def test_closing_twice_is_safe(llama_model: HostedModel, models: object) -> None:
    from tests.contract.conftest import Models

    assert isinstance(models, Models)
    other = models._load("tiny")
    other.close()
    other.close()
