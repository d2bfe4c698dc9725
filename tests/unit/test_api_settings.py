"""The one door, its settings: saved, kept where they cannot be, and what the owner decided about
how models run. And how far what is learned in a chat goes."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.api import Engine
from engine.errors import InputError, StorageError
from engine.inference.host import Loaded
from engine.inference.templates import ChatFormat
from engine.models.partial import locked
from engine.types.answers import Answer, Ready
from engine.types.learning import Duel
from engine.types.models import Launch
from engine.types.scope import EVERYWHERE, Reach
from tests.fakes.asking import question
from tests.fakes.host import Trouble
from tests.unit.conftest import MakeEngine, remember

ASKED = replace(question("How do I keep basil alive?"), personal=True)


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def saved(data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((data / "settings.json").read_text(encoding="utf-8"))
    return found


def put(data: Path, **entries: object) -> None:
    body = saved(data) | entries
    (data / "settings.json").write_text(json.dumps(body), encoding="utf-8")


# Saving -------------------------------------------------------------------------------------


def test_a_setting_that_cannot_be_written_is_said_and_stays_as_it_was(
    make_engine: MakeEngine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="No space left"):
            engine.change(colours="dark")
    assert engine.settings.colours == "system"
    engine.change(send_key="ctrl+enter")
    assert (saved(data)["colours"], saved(data)["send_key"]) == ("system", "ctrl+enter")


def test_what_was_found_out_while_the_disk_was_full_is_saved_with_the_next_change(
    make_engine: MakeEngine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine()
    safer = Launch(variant="sse42", extra_bufts=False, context=4096)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        engine._running._remember(safer)
    assert engine.settings.launch == safer
    assert saved(data)["launch"]["variant"] == "newest"
    engine.change(colours="dark")
    assert engine.settings.launch == safer
    assert saved(data)["launch"]["variant"] == "sse42"
    engine.change(launch=None)
    assert saved(data)["launch"] is None, "it is saved once, and not for ever"


def test_a_value_of_a_newer_attune_outlives_all_changes_but_its_own(
    make_engine: MakeEngine, data: Path
) -> None:
    put(data, scope="friends", gamma=99, later={"deep": 1})
    engine = make_engine()
    assert (engine.settings.scope, engine.settings.gamma) == ("everywhere", 2.0)
    engine.change(colours="dark")
    engine.change(scope="everywhere", colours="light")
    found = saved(data)
    assert (found["scope"], found["gamma"], found["later"]) == ("everywhere", 99, {"deep": 1})


def test_what_another_attune_saved_stays_though_an_entry_is_damaged(
    make_engine: MakeEngine, data: Path
) -> None:
    put(data, gamma=-1)
    engine = make_engine()
    put(data, neutral=True, duel_every=7)
    engine.change(colours="dark")
    assert (engine.settings.neutral, engine.settings.duel_every) == (True, 7)
    assert saved(data)["gamma"] == -1


def test_an_entry_that_is_damaged_meanwhile_keeps_acting_as_it_was(
    make_engine: MakeEngine, data: Path
) -> None:
    engine = make_engine()
    engine.change(gamma=4.0)
    put(data, gamma="strong")
    engine.change(colours="dark")
    assert engine.settings.gamma == saved(data)["gamma"] == 4.0


@pytest.mark.skipif(os.name != "posix", reason="there are no such locks there")
def test_what_another_attune_is_about_to_save_is_waited_for(
    make_engine: MakeEngine, data: Path
) -> None:
    engine = make_engine()
    changing = threading.Thread(target=lambda: engine.change(gamma=4.0))
    with locked(data):
        theirs = saved(data)
        changing.start()
        changing.join(timeout=0.3)  # time enough to write, if it did not wait
        (data / "settings.json").write_text(json.dumps(theirs | {"colours": "dark"}))
    changing.join()
    assert (saved(data)["gamma"], saved(data)["colours"]) == (4.0, "dark")


# How models run -----------------------------------------------------------------------------


def test_what_the_owner_decided_goes_before_what_was_found(make_engine: MakeEngine) -> None:
    engine = make_engine()
    engine.change(threads=3, context=2048)
    *_, ready = engine.start()
    assert isinstance(ready, Ready)
    assert "3 threads" in ready.device
    assert ready.context == 2048
    assert engine.settings.launch == Launch(variant="newest", context=4096), "what was found stays"
    engine.change(threads=0, context=0)
    *_, again = engine.start()
    assert isinstance(again, Ready)
    assert ("1 thread" in again.device, again.context) == (True, 4096)


def test_no_gpu_is_used_where_the_owner_wants_none(make_engine: MakeEngine, data: Path) -> None:
    remember(data, launch=Launch(variant="newest", gpu_layers=-1, context=4096))
    engine = make_engine()
    assert engine._running.wished().gpu_layers == -1
    engine.change(cpu_only=True)
    assert engine._running.wished() == Launch(variant="newest", context=4096)


def test_after_a_crash_only_what_was_found_out_is_remembered(
    make_engine: MakeEngine, data: Path, tmp_path: Path
) -> None:
    remember(data, launch=Launch(variant="newest", gpu_layers=-1, context=4096), cpu_only=True)
    trouble = Trouble(at="load", signal=signal.SIGILL, repacked=True)
    engine = make_engine(troubles=(trouble,))
    engine.change(threads=2, context=2048)
    *_, ready = engine.start()
    assert isinstance(ready, Ready)
    launch = engine.settings.launch
    assert launch is not None
    assert not launch.extra_bufts
    assert (launch.threads, launch.context, launch.gpu_layers) == (1, 4096, -1)


def test_never_more_threads_are_tried_than_the_owner_allows() -> None:
    form = ChatFormat.__new__(ChatFormat)
    used: list[int] = []

    class Model:
        def use_threads(self, count: int) -> None:
            used.append(count)

    launch = Launch(threads=1, most_threads=1)
    loaded = Loaded(Model(), name="m", form=form, launch=launch)  # type: ignore[arg-type]
    for _ in range(600):
        loaded.pace(0.01, 1)
    assert used == []


# Scopes -------------------------------------------------------------------------------------


def started(make_engine: MakeEngine) -> Engine:
    engine = make_engine()
    for _ in engine.start():
        pass
    return engine


def hold(engine: Engine, reach: Reach = EVERYWHERE) -> str:
    (duel,) = (e for e in engine.duel(ASKED, reach=reach) if isinstance(e, Duel))
    return duel.id


def streams(engine: Engine, reach: Reach = EVERYWHERE) -> int:
    (answer,) = (e for e in engine.answer(ASKED, reach=reach) if isinstance(e, Answer))
    return answer.streams


def test_a_vote_that_is_kept_to_its_chat_steers_the_next_answer_there_and_nowhere_else(
    make_engine: MakeEngine,
) -> None:
    engine = started(make_engine)
    here, there = (Reach(chat=chat, scope="chat") for chat in ("c1", "c2"))
    engine.learning.vote(hold(engine, here), "first", reach=here)
    assert [streams(engine, reach) for reach in (here, there, EVERYWHERE)] == [2, 1, 1]
    assert engine.learning.undo() == "the vote on shorter or longer answers"
    assert streams(engine, here) == 1


def test_where_learning_is_off_nothing_learned_steers_and_no_two_answers_are_shown(
    make_engine: MakeEngine,
) -> None:
    engine = started(make_engine)
    engine.learning.vote(hold(engine), "first")
    off = Reach(chat="c1", scope="off")
    assert (streams(engine), streams(engine, off)) == (2, 1)
    engine.change(duel_every=1)
    assert engine.wants_duel()
    assert engine.wants_duel(reach=off) == ""
    with pytest.raises(InputError, match="Nothing is learned in this chat"):
        hold(engine, off)


def test_the_next_comparison_is_about_what_is_not_known_there(make_engine: MakeEngine) -> None:
    engine = started(make_engine)
    engine.change(duel_every=1)
    for _ in range(4):
        engine.learning.vote(hold(engine), "first")
    assert "shorter answers" not in engine.wants_duel()
    assert "shorter answers" in engine.wants_duel(reach=Reach(chat="c1", scope="chat"))
