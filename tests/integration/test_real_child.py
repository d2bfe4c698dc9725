"""The whole way from a question to the model's process and back, with the model that is shipped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from gguf import GGUFValueType

from engine.api import Engine
from engine.errors import (
    DamagedModel,
    ModelError,
    ModelNotFound,
    NotAModel,
    PromptTooLong,
    UnsupportedModel,
)
from engine.inference.client import Client
from engine.models.catalogue import starter_path
from engine.session import selftest
from engine.types.answers import Answer, Chunk, Ready, Started
from engine.types.work import Notice
from tests.fakes.asking import preferring, question
from tests.fixtures.tiny_gguf import Field, write_tiny_llama
from tests.integration.conftest import MakeEngine

pytestmark = [pytest.mark.model, pytest.mark.slow]
ROOT = Path(__file__).parents[2]


def codes(events: Sequence[object]) -> list[str]:
    return [e.code if isinstance(e, Notice) else type(e).__name__ for e in events]


def ask(engine: Engine, text: str, *, max_tokens: int = 6) -> Answer:
    *_, answer = engine.answer(question(text, max_tokens=max_tokens))
    assert isinstance(answer, Answer)
    return answer


def child(engine: Engine) -> int:
    client = engine._running.supervisor._client
    assert client is not None
    return client.pid


def gone(pid: int) -> bool:
    """Whether the process has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def until(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


# Answers ------------------------------------------------------------------------------------


def test_a_preference_moves_the_answer_and_a_second_turn_reuses_the_first(
    make_engine: MakeEngine,
) -> None:
    engine = make_engine()
    assert codes(list(engine.start())) == ["Ready"]
    plain = ask(engine, "What is the sea?", max_tokens=12)
    wanted = preferring("extremely formal", gamma=3.0, plausibility=0.1)
    events = list(engine.answer(question("What is the sea?", steering=wanted, max_tokens=12)))
    steered = events[-1]
    assert isinstance(steered, Answer)
    assert (steered.streams, plain.streams) == (2, 1)
    assert steered.text != plain.text
    started = events[0]
    assert isinstance(started, Started)
    assert started.cached_tokens > 20


def test_the_self_test_finds_what_works_here() -> None:
    found = selftest.run(Client, model=str(starter_path()), context=256)
    assert found.launch is not None
    assert found.trials[-1].tokens_per_second > 0
    assert all(trial.outcome for trial in found.trials)


# Crashes and stops --------------------------------------------------------------------------


def test_a_kill_in_the_middle_keeps_the_text_and_the_model_is_back_soon(
    make_engine: MakeEngine,
) -> None:
    engine = make_engine()
    (ready,) = engine.start()
    assert isinstance(ready, Ready)
    shown, killed, back = "", 0.0, 0.0
    for event in engine.answer(question("Tell me a long story.", max_tokens=200)):
        if isinstance(event, Chunk):
            shown += event.text
            if event.tokens == 5:
                os.kill(child(engine), signal.SIGKILL)
                killed = time.monotonic()
        elif isinstance(event, Answer):
            assert (event.text, event.finish) == (shown, "interrupted")
        elif isinstance(event, Ready):
            back = time.monotonic() - killed
            # Twice the load measured before, since this machine may be busy meanwhile.
            assert back < 2.0 + 2.0 * max(event.seconds, ready.seconds)
    assert shown
    assert back
    assert ask(engine, "Hello?").tokens > 0


def test_a_stop_ends_a_long_prompt_before_it_is_read(make_engine: MakeEngine) -> None:
    engine = make_engine()
    list(engine.start())
    events = engine.answer(question("Tell me about the sea. " * 120))
    seen: list[bool] = []

    def stop_while_reading() -> None:
        client = engine._running.supervisor._client
        assert client is not None
        seen.append(until(lambda: client._phase == "prefill", seconds=10.0))
        engine.stop()

    stopper = threading.Thread(target=stop_while_reading)
    stopper.start()
    begun = time.monotonic()
    *_, answer = events
    stopper.join()
    assert seen == [True]
    assert isinstance(answer, Answer)
    assert (answer.finish, answer.tokens) == ("stopped", 0)
    assert time.monotonic() - begun < 5.0
    assert ask(engine, "Hello?").tokens > 0


def test_a_stop_ends_an_answer_within_a_token(make_engine: MakeEngine) -> None:
    engine = make_engine()
    list(engine.start())
    tokens = 0
    for event in engine.answer(question("Tell me a long story.", max_tokens=300)):
        if isinstance(event, Chunk):
            tokens = event.tokens
            if tokens >= 4:
                engine.stop()
        elif isinstance(event, Answer):
            assert event.finish == "stopped"
            assert event.tokens < 300
    assert ask(engine, "Hello?").tokens > 0


def test_the_child_leaves_when_its_parent_dies(make_engine: MakeEngine, tmp_path: Path) -> None:
    make_engine()
    code = (
        "import sys; from pathlib import Path; from engine.api import *\n"
        "engine = Engine(Path(sys.argv[1]))\n"
        "for _ in engine.start(): pass\n"
        "message = Message(role='user', text='Tell me a very long story.')\n"
        "sampling = Sampling(max_tokens=100000)\n"
        "for event in engine.answer(Question(messages=(message,), sampling=sampling)):\n"
        "    print(engine._running.supervisor._client.pid, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "data")], stdout=subprocess.PIPE, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
    assert until(lambda: gone(pid), seconds=5.0), "the child outlived its parent"


# Bad files ----------------------------------------------------------------------------------


def test_a_bad_file_is_one_sentence_and_the_starter_still_answers(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine()
    text = tmp_path / "letter.gguf"
    text.write_bytes(b"Dear friend, " * 100)
    short = tmp_path / "short.gguf"
    with starter_path().open("rb") as file:
        short.write_bytes(file.read(4 << 20))
    reads = tmp_path / "embedder.gguf"
    overrides: dict[str, Field | None] = {
        "llama.attention.causal": (False, GGUFValueType.BOOL),
        "llama.pooling_type": (1, GGUFValueType.UINT32),
    }
    write_tiny_llama(reads, overrides=overrides)
    deep = tmp_path / "deep.gguf"
    write_tiny_llama(deep, overrides={"llama.block_count": (100_000, GGUFValueType.UINT32)})
    cases: list[tuple[Path, type[ModelError]]] = [
        (tmp_path / "missing.gguf", ModelNotFound),
        (tmp_path, ModelError),
        (text, NotAModel),
        (short, DamagedModel),
        (reads, UnsupportedModel),
        (deep, DamagedModel),
    ]
    for path, error in cases:
        with pytest.raises(error) as caught:
            list(engine.start(str(path)))
        assert path.name in caught.value.message
        assert "\n" not in caught.value.message
    assert codes(list(engine.start())) == ["Ready"]
    assert ask(engine, "Hello?").tokens > 0


TEMPLATES = {
    "a way out": "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ messages[-1].content }}",
    "a bomb": "{{ 'x' * 10**10 }}",
    "none": None,
}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_a_model_without_a_usable_template_answers_and_says_so(
    make_engine: MakeEngine, tmp_path: Path, template: str | None
) -> None:
    path = write_tiny_llama(tmp_path / "Odd.gguf", name="Odd", chat_template=template)
    engine = make_engine()
    events = list(engine.start(str(path)))
    assert codes(events) == ["plain_template", "Ready"]
    assert ask(engine, "Hello?").tokens > 0


def test_a_question_longer_than_the_context_is_refused_and_the_next_one_answered(
    make_engine: MakeEngine,
) -> None:
    engine = make_engine()
    list(engine.start())
    with pytest.raises(PromptTooLong):
        ask(engine, "All work and no play. " * 500)
    assert ask(engine, "Hello?").tokens > 0


def test_an_answer_that_fills_the_context_ends_there(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    path = write_tiny_llama(tmp_path / "Tiny.gguf", context=256)
    engine = make_engine()
    *_, ready = engine.start(str(path))
    assert isinstance(ready, Ready)
    assert ready.context == 256
    answers = [ask(engine, f"Hello {i}?", max_tokens=4000) for i in range(3)]
    assert {answer.finish for answer in answers} <= {"context", "end"}
    assert all(0 < answer.used <= 256 for answer in answers)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing forbids it")
def test_the_process_that_runs_models_can_open_no_connection() -> None:
    assert selftest.probe(Client).offline
