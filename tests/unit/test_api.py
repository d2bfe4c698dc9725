"""The one door: what the window and the command line may rely on."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
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
    NotAModel,
    NotReady,
    Stopped,
    StorageError,
)
from engine.models import catalogue, memory
from engine.models.catalogue import STARTER_ID
from engine.session import selftest
from engine.session.running import CONTEXT
from engine.types.answers import Answer, Chunk, Ready, Started, StartEvent
from engine.types.models import Launch
from engine.types.steering import Preference
from engine.types.work import Notice
from tests.fakes.asking import preferring, question
from tests.fakes.host import Trouble
from tests.fakes.model import CHATML
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
    assert (ready.model, ready.name) == (STARTER_ID, "SmolLM2 135M Instruct")
    assert ready.template == "model"


def test_the_chosen_model_is_loaded(make_engine: MakeEngine, other: Path) -> None:
    engine = make_engine()
    card = engine.add_model(other)
    engine.change(model=card.id)
    (ready,) = engine.start()
    assert isinstance(ready, Ready)
    assert (ready.model, ready.name) == (card.id, "Other")


def test_a_model_can_be_used_for_one_run_by_its_path(make_engine: MakeEngine, other: Path) -> None:
    engine = make_engine()
    *_, ready = engine.start(str(other))
    assert isinstance(ready, Ready)
    assert (ready.model, ready.name) == (engine.find_model(str(other)).id, "Other")
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


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that the self-test is run with."""
    found: list[str] = []
    real = selftest.run

    def run(spawn: selftest.Spawn, *, model: str, context: int) -> selftest.SelfTest:
        found.append(model)
        return real(spawn, model=model, context=context)

    monkeypatch.setattr(selftest, "run", run)
    return found


@pytest.mark.parametrize("installed", [True, False], ids=["with", "without"])
def test_settings_are_found_with_the_small_model_where_it_is_there(
    make_engine: MakeEngine,
    data: Path,
    other: Path,
    tried: list[str],
    monkeypatch: pytest.MonkeyPatch,
    installed: bool,
) -> None:
    (data / "settings.json").unlink()
    engine = make_engine()
    starter = engine.find_model(STARTER_ID).path
    if not installed:
        monkeypatch.setattr(catalogue, "asset_folders", tuple)
        monkeypatch.setattr(catalogue, "_packaged", list)
    assert codes(list(engine.start(str(other)))) == ["self_test", "Ready"]
    assert tried == [starter if installed else str(other)]


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
    lost = trouble != "no longer a model"
    assert notice.code == ("model_lost" if lost else "starter_instead")
    assert notice.text.endswith("The starter model answers.")
    assert isinstance(ready, Ready)
    assert ready.model == STARTER_ID


def test_a_model_that_was_asked_for_is_not_replaced(make_engine: MakeEngine) -> None:
    with pytest.raises(ModelNotFound):
        list(make_engine().start("unheard-of"))


def test_a_model_that_is_not_there_is_told_before_anything_is_tried(
    make_engine: MakeEngine, data: Path, tmp_path: Path
) -> None:
    (data / "settings.json").unlink()
    letter = tmp_path / "letter.gguf"
    letter.write_bytes(b"Dear friend")
    engine = make_engine(troubles=(Trouble(at="start"),))
    for model, error in (("unheard-of", ModelNotFound), (str(letter), NotAModel)):
        events = engine.start(model)
        with pytest.raises(error):
            next(events)


def stop_until_it_ends(engine: Engine, ended: threading.Event) -> threading.Thread:
    """Asks to stop again and again, since a load is not heard before it has begun."""

    def ask() -> None:
        while not ended.wait(0.01):
            engine.stop()

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def test_a_load_that_is_stopped_is_not_followed_by_another(
    make_engine: MakeEngine, other: Path
) -> None:
    engine = make_engine(troubles=(Trouble(at="load", kind="hang"),))
    engine.change(model=engine.add_model(other).id)
    heard: list[StartEvent] = []
    ended = threading.Event()
    stopper = stop_until_it_ends(engine, ended)
    try:
        with pytest.raises(Stopped):
            heard.extend(engine.start())
    finally:
        ended.set()
        stopper.join()
    assert heard == []


def test_a_model_that_outgrows_the_memory_is_warned_of_and_tried_all_the_same(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "installed", lambda: 100_000_000)
    assert codes(list(make_engine().start())) == ["memory_short", "Ready"]


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
    assert events[-1].model == STARTER_ID


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


FUSSY = (
    "{% if 'basil' in messages[-1].content %}{{ raise_exception('\x1bNo gardening.') }}{% endif %}"
    + CHATML
)


def test_a_template_that_refuses_one_chat_is_replaced_and_the_answer_comes(
    make_engine: MakeEngine,
) -> None:
    engine = make_engine(template=FUSSY)
    (ready,) = engine.start()
    assert isinstance(ready, Ready)
    assert ready.template == "model"
    assert codes(list(engine.answer(question("Well?"))))[0] == "Started"
    notice, *events = engine.answer(question("How do I water basil?"))
    assert isinstance(notice, Notice)
    assert notice.code == "plain_template"
    assert notice.text.isprintable()
    assert "No gardening." in notice.text
    assert ready.name in notice.text
    answer = events[-1]
    assert isinstance(answer, Answer)
    assert answer.text
    assert answer.finish in {"end", "length"}
    # It stays replaced, and that is said once.
    assert codes(list(engine.answer(question("Why?"))))[0] == "Started"


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
    shutil.rmtree(data)
    data.touch()
    with pytest.raises(StorageError):
        engine.change(gamma=9.0)
    assert engine.settings == before


def test_what_another_window_saved_meanwhile_stays(make_engine: MakeEngine) -> None:
    one, two = make_engine(), make_engine()
    wanted = (Preference(text="concise"),)
    one.change(gamma=4.0)
    two.change(preferences=wanted)
    for engine in (two, make_engine()):
        assert (engine.settings.gamma, engine.settings.preferences) == (4.0, wanted)


def test_where_another_program_spoiled_the_file_what_is_known_here_is_saved(
    make_engine: MakeEngine, data: Path
) -> None:
    engine = make_engine()
    engine.change(gamma=4.0)
    known = engine.settings.launch
    (data / "settings.json").write_text("{")
    engine.change(neutral=True)
    again = make_engine().settings
    assert (again.gamma, again.neutral, again.launch) == (4.0, True, known)


# This machine -------------------------------------------------------------------------------


CRASH = Trouble(at="trial", signal=signal.SIGILL, variant="newest", repacked=True)


def saved_variant(data: Path) -> str:
    found = json.loads((data / "settings.json").read_text())["launch"]["variant"]
    assert isinstance(found, str)
    return found


def test_the_first_diagnosis_tells_what_was_tried_and_remembers_it(
    make_engine: MakeEngine, data: Path
) -> None:
    (data / "settings.json").unlink()
    found = make_engine(troubles=(CRASH,)).diagnose()
    assert found.remembered
    assert found.cpu_variant == "haswell"
    assert [trial.works for trial in found.self_test] == [False, True]
    assert found.devices == ("Fake processor",)
    assert found.launch == found.self_test[-1].launch
    assert saved_variant(data) == "haswell"


def test_another_diagnosis_keeps_what_is_remembered_unless_told_to_choose_again(
    make_engine: MakeEngine, data: Path
) -> None:
    """What is remembered may be safer than what a short trial finds, because of crashes since."""
    remember(data, launch=Launch(variant="sse42", threads=1, context=4096))
    engine = make_engine()
    known = engine.settings.launch
    found = engine.diagnose()
    assert (found.launch, found.cpu_variant, found.remembered) == (known, "sse42", True)
    assert engine.settings.launch == known
    assert saved_variant(data) == "sse42"
    renewed = engine.diagnose(renew=True)
    assert (renewed.cpu_variant, renewed.launch.context) == ("newest", CONTEXT)
    assert engine.settings.launch == renewed.launch
    assert saved_variant(data) == "newest"


def test_what_another_machine_remembered_is_not_kept(make_engine: MakeEngine, data: Path) -> None:
    remember(data, launch_key="another machine", launch=Launch(variant="sse42"))
    assert make_engine().diagnose().cpu_variant == "newest"
    assert saved_variant(data) == "newest"


@pytest.mark.parametrize("renew", [False, True])
def test_a_diagnosis_where_nothing_works_changes_nothing_and_says_so(
    make_engine: MakeEngine, renew: bool
) -> None:
    engine = make_engine(variants=("only",), troubles=(Trouble(at="load", kind="memory"),))
    before = engine.settings
    found = engine.diagnose(renew=renew)
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
