"""Chat templates from model files: programs by strangers, run under limits.

A template is Jinja code inside the GGUF. It is rendered in the inference child, in Jinja's
immutable sandbox, with a limit on time everywhere and on memory where the system offers one; a
template that fails is replaced by a plain one, and the owner is told why.
"""

from __future__ import annotations

import ctypes
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.models.header import printable
from engine.types.answers import Message

SECONDS = 5.0
MEMORY = 256 * 2**20
GRACE = 0.25
"""Seconds beyond SECONDS after which a process that may be ended is ended."""
LONGEST = 1 << 20
"""Characters of a template, and of what it may render beyond the chat itself."""


class Refused(Exception):
    """The template cannot be used; the text says why."""


class TookTooLong(Exception):
    """Raised inside the rendering thread when its time is up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFormat:
    """How a chat becomes text.

    source   "model" or "plain"
    reason   why the plain one is used, "" otherwise
    stops    text that ends an answer, for formats without an end token
    """

    source: str
    text: str
    reason: str
    stops: tuple[str, ...]
    marks: tuple[str, str]

    def render(self, messages: Sequence[Message]) -> str:
        """The prompt, ending where the answer begins. Raises Refused."""
        return render(self.text, messages, marks=self.marks)


CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"  # an expression: Jinja strips a newline at the very end
)
PLAIN = (
    "{% for m in messages %}{{ {'system': '', 'user': 'Question: ', 'assistant': 'Answer: '}"
    "[m.role] }}{{ m.content }}\n\n{% endfor %}Answer:"
)


_may_end = False


def may_end_process() -> None:
    """From now on a template that nothing else can stop ends this process, by SIGALRM: some single
    calls, such as comparing values that hold themselves many times over, last for ever and let no
    other thread run. For a process that owns nothing. Where there is no such signal, the patience
    of the parent has to do."""
    global _may_end
    _may_end = hasattr(signal, "setitimer")


def choose(template: str, *, marks: tuple[str, str], speaks_chatml: bool) -> ChatFormat:
    """The model's own template if it stands a trial, otherwise a plain one.

    speaks_chatml  whether the vocabulary has ChatML's control tokens
    """
    reason = "it has none"
    if template:
        try:
            _try(template, marks=marks)
            return ChatFormat(source="model", text=template, reason="", stops=(), marks=marks)
        except Refused as refused:
            reason = str(refused)
    return plain(marks=marks, speaks_chatml=speaks_chatml, reason=reason)


def plain(*, marks: tuple[str, str], speaks_chatml: bool, reason: str) -> ChatFormat:
    """A format of our own; `reason` says why it is needed."""
    text, stops = (CHATML, ()) if speaks_chatml else (PLAIN, ("\nQuestion:", "\nAnswer:"))
    return ChatFormat(source="plain", text=text, reason=reason, stops=stops, marks=marks)


def render(template: str, messages: Sequence[Message], *, marks: tuple[str, str]) -> str:
    """Render a chat under limits.

    Raises Refused with the reason in words, and MemoryError where none was left to begin with.
    """
    turns = [{"role": m.role, "content": m.text} for m in messages]
    until = time.monotonic() + SECONDS
    try:
        return _limited(template, turns, marks, until=until)
    except _SystemRefused:
        return _limited(template, _without_system(turns), marks, until=until)


def _try(template: str, *, marks: tuple[str, str]) -> None:
    if len(template) > LONGEST:
        raise Refused(f"it has {len(template)} characters")
    probe = "what-the-owner-asked"
    turns = (
        Message(role="system", text="Be kind."),
        Message(role="user", text="Hello."),
        Message(role="assistant", text="Hello!"),
        Message(role="user", text=probe),
    )
    if probe not in render(template, turns, marks=marks):
        raise Refused("it leaves the question out")


class _SystemRefused(Exception):
    """The template wants no system message."""


def _limited(
    template: str, turns: list[dict[str, str]], marks: tuple[str, str], *, until: float
) -> str:
    if len(template) > LONGEST:
        raise Refused(f"it has {len(template)} characters")
    room = LONGEST + sum(len(turn["content"]) for turn in turns)
    guard = _Guard(until)  # a thread cannot start once memory is short
    try:
        with _limits(guard):
            return _collect(template, turns, marks, room=room)
    except TookTooLong:
        raise Refused(f"it ran for more than {SECONDS:g} seconds") from None
    except (MemoryError, OverflowError):
        raise Refused("it wanted too much memory") from None
    except RecursionError:
        raise Refused("it calls itself without end") from None
    except (Refused, _SystemRefused):
        raise
    except TemplateError as error:
        # Some say "no system role", some count roles: the text with the first question suits both.
        if len(turns) > 1 and turns[0]["role"] == "system":
            raise _SystemRefused from error
        raise Refused(printable(f"{type(error).__name__}: {error}", 160)) from None
    except Exception as error:  # noqa: BLE001 - a stranger's program can raise anything
        raise Refused(printable(f"{type(error).__name__}: {error}", 160)) from None


def _collect(
    template: str, turns: list[dict[str, str]], marks: tuple[str, str], *, room: int
) -> str:
    begin, end = marks
    parts, size = [], 0
    rendered = (
        _environment()
        .from_string(template)
        .generate(messages=turns, add_generation_prompt=True, bos_token=begin, eos_token=end)
    )
    for part in rendered:
        parts.append(part)
        size += len(part)
        if size > room:
            raise Refused("it writes without end")
    return "".join(parts)


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    environment.filters["tojson"] = _to_json
    return environment


def _raise(message: str) -> None:
    raise TemplateError(message)


def _to_json(value: Any, indent: int | None = None, **_others: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _without_system(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    """The system message moved to the head of the first question."""
    system, first, *rest = turns
    return [first | {"content": f"{system['content']}\n\n{first['content']}"}, *rest]


@contextmanager
def _limits(guard: _Guard) -> Iterator[None]:
    """No longer than the guard says, and MEMORY more memory where the system knows such a limit."""
    restore = _limit_memory()
    guard.arm()
    _set_alarm(guard.left + GRACE)
    try:
        yield
    finally:
        _set_alarm(0.0)
        guard.disarm()
        restore()


class _Guard:
    """Raises TookTooLong in the thread that made it, once its time is over.

    An exception set from another thread is seen between bytecodes, which is enough for loops; a
    single long call inside the C library is left to the alarm, and to the parent's patience.
    """

    def __init__(self, until: float) -> None:
        """until  when time is over, by the monotonic clock

        Raises MemoryError where there is none left for a thread.
        """
        self._until = until
        self._target = threading.get_ident()
        self._armed, self._done = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="template-guard", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # the template, which has not run yet, is not to blame
            raise MemoryError(str(error)) from error

    @property
    def left(self) -> float:
        """Seconds until time is over, at least 0."""
        return max(0.0, self._until - time.monotonic())

    def arm(self) -> None:
        """From now on time counts."""
        self._armed.set()

    def disarm(self) -> None:
        """No exception comes any more, not even one that is on its way."""
        while self._thread.is_alive():
            try:
                self._done.set()
                self._armed.set()
                self._thread.join()
            except TookTooLong:
                continue
        self._raise(None)

    def _watch(self) -> None:
        self._armed.wait()
        patience = self.left
        while not self._done.wait(patience):
            # Again and again: one that lands in a destructor is swallowed there.
            self._raise(TookTooLong)
            patience = 0.1

    def _raise(self, error: type[BaseException] | None) -> None:
        told = ctypes.py_object(error) if error is not None else None
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._target), told)


def _set_alarm(seconds: float) -> None:
    """End the process after so many seconds; 0 calls it off."""
    if _may_end:
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _limit_memory() -> Callable[[], None]:
    """Let the process grow by MEMORY at most; returns what takes the limit back."""
    try:
        import resource
        from pathlib import Path

        pages = int(Path("/proc/self/statm").read_bytes().split()[0])
    except (ImportError, OSError):
        return lambda: None
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limits = [pages * resource.getpagesize() + MEMORY, soft, hard]
    wanted = min(limit for limit in limits if limit != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
