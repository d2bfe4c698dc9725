"""The one door: what the window and the command line may rely on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.api import Engine, describe_launch
from engine.errors import (
    DamagedModel,
    EmptyQuestion,
    EngineError,
    InvalidText,
    ModelNotFound,
    NotReady,
    StorageError,
)
from engine.models import catalogue
from engine.models.catalogue import STARTER_ID
from engine.types import Answer, Chunk, Launch, Notice, Preference, Ready, Started
from tests.fakes.asking import preferring, question
from tests.fakes.host import Trouble
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.conftest import MakeEngine, remember


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return write_tiny_llama(tmp_path / "Other.gguf", name="Other", seed=3)


def codes(events: Sequence[object]) -> list[str]:
    return [e.code if isinstance(e, Notice) else type(e).__name__ for e in events]


# Starting -----------------------------------------------------------------------------------


def test_the_starter_model_is_loaded_unless_another_one_is_chosen(make_engine: MakeEngine) -> None:
    (ready,) = make_engine().start()
    assert isinstance(ready, Ready)
    assert ready.model == "SmolLM2 135M Instruct"
    assert ready.template == "model"


def test_the_chosen_model_is_loaded(make_engine: MakeEngine, other: Path) -> None:
    engine = make_engine()
    engine.change(model=engine.add_model(other).id)
    (ready,) = engine.start()
    assert isinstance(ready, Ready)
    assert ready.model == "Other"


def test_a_model_can_be_used_for_one_run_by_its_path(make_engine: MakeEngine, other: Path) -> None:
    engine = make_engine()
    *_, ready = engine.start(str(other))
    assert isinstance(ready, Ready)
    assert ready.model == "Other"
    assert engine.settings.model == ""
    assert [card.id for card in engine.models()] == [STARTER_ID]


def test_the_first_start_finds_settings_and_the_second_knows_them(
    make_engine: MakeEngine, data: Path
) -> None:
    (data / "settings.json").unlink()
    crash = Trouble(at="trial", signal=signal.SIGSEGV, variant="newest", repacked=True)
    engine = make_engine(troubles=(crash,))
    assert codes(list(engine.start())) == ["self_test", "Ready"]
    found = engine.settings.launch
    assert found is not None
    assert found.variant == "haswell"
    assert codes(list(make_engine().start())) == ["Ready"]


def test_another_machine_is_tested_anew(make_engine: MakeEngine, data: Path) -> None:
    remember(data, launch_key="another machine")
    assert codes(list(make_engine().start()))[0] == "self_test"


def test_where_no_setting_works_one_sentence_says_what_to_do(
    make_engine: MakeEngine, data: Path
) -> None:
    (data / "settings.json").unlink()
    engine = make_engine(variants=("only",), troubles=(Trouble(at="load", signal=signal.SIGSEGV),))
    with pytest.raises(EngineError, match="attune doctor") as caught:
        list(engine.start())
    assert "only" in caught.value.detail
    assert engine.settings.launch is None


@pytest.mark.parametrize("trouble", ["gone", "never added", "no longer a model"])
def test_where_the_chosen_model_cannot_be_used_the_starter_answers(
    make_engine: MakeEngine, data: Path, other: Path, trouble: str
) -> None:
    engine = make_engine()
    card = engine.add_model(other)
    engine.change(model="unheard-of" if trouble == "never added" else card.id)
    if trouble == "gone":
        other.unlink()
    elif trouble == "no longer a model":
        other.write_bytes(b"a letter to a friend")
    notice, ready = engine.start()
    assert isinstance(notice, Notice)
    assert notice.code == "starter_instead"
    assert notice.text.endswith("The starter model answers.")
    assert isinstance(ready, Ready)
    assert ready.model == "SmolLM2 135M Instruct"


def test_a_model_that_was_asked_for_is_not_replaced(make_engine: MakeEngine) -> None:
    with pytest.raises(ModelNotFound):
        list(make_engine().start("unheard-of"))


def test_where_the_starter_fails_the_error_is_told(make_engine: MakeEngine) -> None:
    engine = make_engine(troubles=(Trouble(at="load", kind="damaged"),))
    with pytest.raises(DamagedModel):
        list(engine.start())


def test_after_a_bad_model_another_start_works(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine(answers=("Yes.",))
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF")
    with pytest.raises(DamagedModel, match=r"bad\.gguf"):
        list(engine.start(str(bad)))
    assert codes(list(engine.start())) == ["Ready"]
    *_, answer = engine.answer(question("Well?"))
    assert isinstance(answer, Answer)
    assert answer.text == "Yes."


def test_damaged_settings_are_told_once_and_cost_nothing_else(
    make_engine: MakeEngine, data: Path
) -> None:
    (data / "settings.json").write_text("{")
    engine = make_engine()
    assert codes(list(engine.start())) == ["settings_damaged", "self_test", "Ready"]
    assert codes(list(engine.start())) == ["Ready"]


def test_a_damaged_list_of_models_is_told_at_the_start(make_engine: MakeEngine, data: Path) -> None:
    (data / "models.json").write_text("{")
    assert codes(list(make_engine().start())) == ["models_damaged", "Ready"]


def test_without_a_starter_model_the_way_out_is_told(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "asset_folders", tuple)
    monkeypatch.setattr(catalogue, "_packaged", list)
    with pytest.raises(ModelNotFound, match="models add"):
        list(make_engine().start())


def test_a_data_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="--data-dir"):
        Engine(tmp_path / "file" / "data")


# Answering ----------------------------------------------------------------------------------


def test_an_answer_comes_as_started_chunks_and_the_whole(make_engine: MakeEngine) -> None:
    engine = make_engine(answers=("Water it.",))
    list(engine.start())
    events = list(engine.answer(question("Basil?")))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Answer)
    chunks = [e for e in events if isinstance(e, Chunk)]
    assert len(events) == len(chunks) + 2
    assert "".join(c.text for c in chunks) == events[-1].text == "Water it."
    assert events[-1].seed == 11
    assert events[-1].model == "SmolLM2 135M Instruct"


def test_a_steered_answer_says_its_strength_and_its_streams(make_engine: MakeEngine) -> None:
    engine = make_engine(answers=("Water it.",))
    list(engine.start())
    *_, answer = engine.answer(question("Basil?", steering=preferring("concise", gamma=3.5)))
    assert isinstance(answer, Answer)
    assert (answer.gamma, answer.streams, answer.text) == (3.5, 2, "Water it.")


def test_stopping_keeps_the_text_and_the_next_answer_works(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    engine = make_engine(answers=("Water it.", "Often."), gate=str(gate))
    list(engine.start())
    events = []
    for event in engine.answer(question("Basil?")):
        events.append(event)
        if isinstance(event, Chunk):
            engine.stop()
    answer = events[-1]
    assert isinstance(answer, Answer)
    assert answer.finish == "stopped"
    assert answer.text in {"W", "Wa"}
    gate.touch()
    *_, answer = engine.answer(question("How often?"))
    assert isinstance(answer, Answer)
    assert answer.text == "Often."


def test_a_crash_is_survived(make_engine: MakeEngine, tmp_path: Path) -> None:
    crash = Trouble(at="decode", tokens=3, times=1, count=str(tmp_path / "count"))
    engine = make_engine(answers=("Water it.",), troubles=(crash,))
    list(engine.start())
    events = list(engine.answer(question("Basil?")))
    assert codes(events)[-3:] == ["engine_crashed", "Answer", "Ready"]
    cut = events[-2]
    assert isinstance(cut, Answer)
    assert cut.finish == "interrupted"
    assert cut.text
    assert "Water it.".startswith(cut.text)
    *_, answer = engine.answer(question("Basil?"))
    assert isinstance(answer, Answer)
    assert answer.text == "Water it."


@pytest.mark.parametrize(
    ("text", "error"), [(" ", EmptyQuestion), ("\ud800", InvalidText)], ids=["empty", "surrogate"]
)
def test_what_cannot_be_asked_is_refused_and_the_child_stays(
    make_engine: MakeEngine, text: str, error: type[Exception]
) -> None:
    engine = make_engine(answers=("Yes.",))
    list(engine.start())
    with pytest.raises(error):
        list(engine.answer(question(text)))
    assert codes(list(engine.answer(question("Well?"))))[0] == "Started"


def test_before_the_start_a_question_is_refused(make_engine: MakeEngine) -> None:
    with pytest.raises(NotReady):
        list(make_engine().answer(question("Hello?")))


def test_stop_and_close_are_safe_at_any_time(make_engine: MakeEngine) -> None:
    engine = make_engine()
    engine.stop()
    list(engine.start())
    engine.stop()
    engine.close()
    engine.stop()
    engine.close()


# Models and settings ------------------------------------------------------------------------


def test_a_model_can_be_forgotten_after_its_file_is_gone(
    make_engine: MakeEngine, other: Path
) -> None:
    engine = make_engine()
    card = engine.add_model(other)
    engine.change(model=card.id)
    other.unlink()
    assert engine.remove_model(card.id).id == card.id
    assert engine.settings.model == ""
    assert [c.id for c in engine.models()] == [STARTER_ID]


def test_verifying_and_finding_go_by_id(make_engine: MakeEngine, other: Path) -> None:
    engine = make_engine()
    card = engine.add_model(other)
    assert engine.verify_model(card.id) == engine.find_model(card.id) == card
    with pytest.raises(ModelNotFound, match=card.id):
        engine.find_model(card.id[:-1] + "x")


def test_settings_outlive_the_engine(make_engine: MakeEngine) -> None:
    wanted = (Preference(text="concise"),)
    make_engine().change(preferences=wanted, gamma=4.0)
    assert (make_engine().settings.preferences, make_engine().settings.gamma) == (wanted, 4.0)


def test_settings_that_cannot_be_saved_are_not_claimed_to_be(
    make_engine: MakeEngine, data: Path
) -> None:
    engine = make_engine()
    before = engine.settings
    (data / "settings.json").unlink()
    (data / "settings.json").mkdir()
    with pytest.raises(StorageError):
        engine.change(gamma=9.0)
    assert engine.settings == before


# This machine -------------------------------------------------------------------------------


def test_a_diagnosis_tells_what_was_tried_and_remembers_it(
    make_engine: MakeEngine, data: Path
) -> None:
    crash = Trouble(at="trial", signal=signal.SIGILL, variant="newest", repacked=True)
    engine = make_engine(troubles=(crash,))
    found = engine.diagnose()
    assert found.remembered
    assert found.cpu_variant == "haswell"
    assert [trial.works for trial in found.self_test] == [False, True]
    assert found.devices == ("Fake processor",)
    assert json.loads((data / "settings.json").read_text())["launch"]["variant"] == "haswell"


def test_a_diagnosis_where_nothing_works_is_not_remembered(make_engine: MakeEngine) -> None:
    engine = make_engine(variants=("only",), troubles=(Trouble(at="load", kind="memory"),))
    before = engine.settings
    found = engine.diagnose()
    assert not found.remembered
    assert not any(trial.works for trial in found.self_test)
    assert engine.settings == before


def test_settings_of_the_launch_are_told_in_words() -> None:
    launch = Launch(variant="haswell", extra_bufts=False, threads=1, context=1024)
    assert describe_launch(launch) == (
        "CPU (haswell), without repacked weights, 1 thread, context 1024"
    )


def test_the_door_loads_neither_the_model_library_nor_numpy_nor_qt() -> None:
    code = "import sys, engine.api; print({'llama_cpp', 'numpy', 'PySide6'} & {*sys.modules})"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"
