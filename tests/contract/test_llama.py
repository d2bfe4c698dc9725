"""What llama.cpp's skin promises beyond the contract: no copies, interruption from any thread."""

from __future__ import annotations

import threading

import pytest

from engine.errors import DamagedModel, InternalError, ModelError
from engine.inference import llama
from engine.inference.host import HostedModel
from engine.inference.model import Entry, Interrupted
from engine.types import Launch
from tests.contract.conftest import CELLS
from tests.contract.decoding import entries, words


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


def test_the_shape_is_what_the_file_and_the_launch_say(llama_model: HostedModel) -> None:
    shape = llama_model.shape
    assert shape.cells == CELLS
    assert shape.trained in {512, 8192}
    assert shape.shares


@pytest.mark.model
def test_decoding_stops_soon_when_another_thread_says_so(starter: HostedModel) -> None:
    todo = entries((words(starter) * 50)[: starter.shape.batch])
    stopper = threading.Timer(0.02, starter.interrupt)
    stopper.start()
    with pytest.raises(Interrupted):
        starter.decode(todo)
    stopper.join()


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
