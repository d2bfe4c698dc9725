"""Memory that runs out is called by its name; a template that nothing stops ends its process."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from engine.errors import InternalError, OutOfMemory
from engine.inference import host, templates
from engine.inference.death import explain, tells_of_memory
from engine.inference.templates import CHATML, Refused, choose, render
from engine.types.answers import Message

ROOT = Path(__file__).parents[3]
MARKS = ("<s>", "</s>")
CHAT = (Message(role="system", text="Be kind."), Message(role="user", text="Why?"))
ABORTED, ENDLESS = (
    -6,
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
)
TWINS = (
    "{% set n = namespace(a=(1,)) %}{% for i in range(60) %}{% set n.a = (n.a, n.a) %}{% endfor %}"
    "{{ {n.a: 1} }}"
)
"""A value of a few bytes that holds itself 2**60 times over: a single call that lasts for years."""

posix = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no alarm")


# Words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "ggml.c:1644: GGML_ASSERT(ctx->mem_buffer != NULL) failed",
        "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  …",
        "error loading model: mmap failed: Cannot allocate memory",
        "libgfortran.so.5: failed to map segment from shared object",
        "Traceback …\nMemoryError",
    ],
)
@pytest.mark.parametrize("phase", ["start", "load", "prefill", "decode"])
def test_a_process_that_says_there_is_no_memory_died_of_that(words: str, phase: str) -> None:
    assert explain(ABORTED, phase=phase, last_words=f"earlier\n{words}").cause == "memory"
    assert tells_of_memory(words)


def test_other_last_words_change_nothing() -> None:
    words = "GGML_ASSERT(hparams.n_layer <= LLAMA_MAX_LAYERS) failed"
    assert explain(ABORTED, phase="load", last_words=words).cause == "file"
    assert explain(0, phase="load", last_words="MemoryError").cause == "ended"
    assert explain(-4, phase="load", last_words="MemoryError").cause == "processor"


def test_the_sentence_offers_a_way_out() -> None:
    assert "smaller" in explain(-9, phase="decode").text


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("can't start new thread"), ImportError("failed to map segment")],
)
def test_an_exception_for_want_of_memory_is_no_mistake_of_ours(error: Exception) -> None:
    told = host._unexpected(error)
    assert isinstance(told, OutOfMemory)
    assert "smaller" in told.message


def test_other_exceptions_are_to_be_reported() -> None:
    assert isinstance(host._unexpected(ValueError("x")), InternalError)


def test_a_template_is_not_blamed_for_a_thread_that_could_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(MemoryError, match="thread"):
        choose(CHATML, marks=MARKS, speaks_chatml=True)


# Time ---------------------------------------------------------------------------------------


def test_a_second_try_gets_the_time_that_the_first_one_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(templates, "SECONDS", 0.4)
    spend = "{% for i in range(99999) %}{% for j in range(«n») %}{% endfor %}{% endfor %}"
    template = (
        "{% if messages[0].role == 'system' %}"
        + spend.replace("«n»", "1")
        + "{{ raise_exception('No system.') }}{% endif %}"
        + ENDLESS
    )
    begun = time.monotonic()
    with pytest.raises(Refused, match=r"more than 0\.4 seconds"):
        render(template, CHAT, marks=MARKS)
    assert time.monotonic() - begun < 0.75


def judged_elsewhere(template: str) -> subprocess.CompletedProcess[str]:
    script = (
        "import sys\n"
        "from engine.inference import templates\n"
        "templates.SECONDS = 0.3\n"
        "templates.may_end_process()\n"
        "form = templates.choose(sys.argv[1], marks=('<s>', '</s>'), speaks_chatml=True)\n"
        "import time; time.sleep(0.8)\n"
        "print(form.source, form.reason)\n"
    )
    return subprocess.run(
        (sys.executable, "-c", script, template), cwd=ROOT, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


@posix
def test_a_call_that_nothing_interrupts_ends_the_process_that_may_be_ended() -> None:
    assert judged_elsewhere(TWINS).returncode == -signal.SIGALRM


@posix
def test_a_loop_is_interrupted_before_that_and_an_alarm_ends_with_its_template() -> None:
    assert judged_elsewhere(ENDLESS).stdout == "plain it ran for more than 0.3 seconds\n"
    assert judged_elsewhere(CHATML).stdout == "model \n"


def test_a_process_is_not_ended_unless_it_said_that_it_may() -> None:
    assert not templates._may_end
