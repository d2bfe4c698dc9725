"""Safe mode, and the note of what is being done: the engine's half of a run that ended badly."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import endings
from engine.api import Engine
from engine.config import SettingsFile
from engine.endings import RunNote
from engine.errors import AttuneError
from engine.inference import ladder
from engine.models.catalogue import STARTER_ID
from engine.session.running import SAFE_CONTEXT
from engine.types.answers import Ready
from engine.types.models import Launch
from engine.types.steering import Preference
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.conftest import MakeEngine, remember

SECRET = "How do I tell my mother?"


def saved(data: Path) -> bytes:
    return (data / "settings.json").read_bytes()


def test_it_begins_with_the_next_start_and_changes_nothing_that_is_remembered(
    make_engine: MakeEngine, data: Path, tmp_path: Path
) -> None:
    other = write_tiny_llama(tmp_path / "Other.gguf", name="Other", seed=3)
    remember(
        data, model="other", preferences=(Preference(text="concise"),), gamma=5.0, language="de",
        launch=Launch(variant="newest", gpu_layers=-1, context=4096),
    )  # fmt: skip
    engine = make_engine()
    engine.add_model(other)
    before = saved(data)
    engine.play_safe()
    (ready,) = (event for event in engine.start() if isinstance(event, Ready))
    assert ready.model == STARTER_ID
    launch = engine._running.supervisor._launch
    assert (launch.variant, launch.gpu_layers, launch.extra_bufts) == ("sse42", 0, False)
    assert launch.context == SAFE_CONTEXT
    settings = engine.settings
    assert (settings.neutral, settings.preferences, settings.gamma) == (True, (), 2.0)
    assert settings.language == "de", "its owner must be able to read"
    assert saved(data) == before


def test_what_is_changed_meanwhile_is_saved_and_nothing_else(
    make_engine: MakeEngine, data: Path
) -> None:
    remember(data, gamma=5.0, neutral=False)
    engine = make_engine()
    engine.play_safe()
    engine.change(duel_every=7)
    assert (engine.settings.duel_every, engine.settings.gamma) == (7, 2.0)
    kept, _ = SettingsFile(data / "settings.json").read()
    assert (kept.duel_every, kept.gamma, kept.neutral) == (7, 5.0, False)


def test_it_lasts_beyond_an_erasure(make_engine: MakeEngine) -> None:
    engine = make_engine()
    engine.play_safe()
    with engine._at_rest():
        pass
    assert engine.settings.neutral


def test_on_a_machine_that_was_never_tested_nothing_but_the_safest_is_tried(
    make_engine: MakeEngine, data: Path
) -> None:
    (data / "settings.json").unlink()
    engine = make_engine()
    engine.play_safe()
    notices = [event for event in engine.start() if not isinstance(event, Ready)]
    assert [notice.code for notice in notices if hasattr(notice, "code")] == []  # no self-test
    assert not engine._running.supervisor._launch.extra_bufts


@pytest.mark.parametrize(
    ("variants", "safest"),
    [
        ((), None),
        (("newest", "haswell", "sse42"), "sse42"),
        (("newest", "haswell"), "haswell"),
        (("apple_m1", "armv8"), "armv8"),
    ],
)
def test_the_safest_library_is_the_one_that_asks_least(
    variants: tuple[str, ...], safest: str | None
) -> None:
    launch = ladder.safest(variants, threads=2, context=1024)
    assert launch == Launch(variant=safest, extra_bufts=False, threads=2, context=1024)


# The note -------------------------------------------------------------------------------------


def test_while_a_model_is_loaded_the_note_says_which_and_how(
    make_engine: MakeEngine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine()
    note = RunNote(engine.log_dir, clock=lambda: 7.0)
    note.begin()
    engine.watch(note)
    seen: list[endings.Ending | None] = []
    prove = engine._running.supervisor._prove

    def look() -> None:
        seen.append(endings.last(engine.log_dir, window=False))
        prove()

    monkeypatch.setattr(engine._running.supervisor, "_prove", look)
    for _ in engine.start():
        pass
    (ending,) = seen
    assert ending is not None
    assert (ending.doing, ending.model) == ("loading", "SmolLM2 135M Instruct")
    assert ending.launch == Launch(variant="newest", context=4096)
    after = endings.last(engine.log_dir, window=False)
    assert after is not None
    assert after.doing == "running"


def test_while_settings_are_tried_the_note_says_so(
    make_engine: MakeEngine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "settings.json").unlink()
    engine = make_engine()
    note = RunNote(engine.log_dir, clock=lambda: 7.0)
    note.begin()
    engine.watch(note)
    doing: list[str] = []
    keep = engine._running._keep_found
    during = note.during

    def watched(what: endings.Doing, **how: object) -> object:
        doing.append(what)
        return during(what, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(note, "during", watched)
    for _ in engine.start():
        pass
    assert doing == ["trying", "loading"]
    assert keep is not None


# What a report holds --------------------------------------------------------------------------


def test_a_report_holds_versions_the_bad_end_and_the_log_and_no_texts(
    make_engine: MakeEngine,
) -> None:
    engine = make_engine()
    note = RunNote(engine.log_dir, clock=lambda: 1_750_000_000.0)
    note.begin()
    trace = (
        f'Fatal Python error: Aborted\n\nThread 1:\n  File "{Path.home()}/a/desktop/app.py", line 3'
    )
    (engine.log_dir / endings.FAULTS).write_text(trace)
    (engine.log_dir / "attune.log").write_text("2026-01-01 WARNING engine.api: something\n")
    text = engine.report(about=(("Qt", "6.11.3"),))
    for wanted in ("Attune      ", "Python", "llama-cpp-python", "SQLite", "Qt          6.11.3"):
        assert wanted in text
    assert "stopped while its window was open" in text
    assert "(Fatal Python error: Aborted)" in text
    assert 'File "desktop/app.py", line 3' in text
    assert str(Path.home() / "a") not in text
    assert text.endswith("WARNING engine.api: something\n")


def test_chats_and_votes_leave_no_text_in_the_log(
    make_engine: MakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    from engine import logs

    engine: Engine = make_engine(answers=(SECRET,))
    with logs.kept(engine.log_dir, level=1):
        for _ in engine.start():
            pass
        asked = engine.chats.ask(SECRET)
        engine.chats.begin_answer(asked.id)
        engine.learning.add_trait(SECRET)
        for path in engine.data_dir.glob("*.db"):
            engine.close()
            path.write_bytes(SECRET.encode() * 100)
        for call in (engine.learning.learned, lambda: engine.chats.ask(SECRET), engine.wants_duel):
            try:
                call()
            except AttuneError as error:
                logs.log.warning("tried: %s", error)
                logs.log.exception("tried")
    written = (engine.log_dir / "attune.log").read_text()
    assert "DamagedRecord" in written
    assert SECRET not in written
