"""Why a child process died, in words: from its exit status and what it was doing."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Literal

Cause = Literal["processor", "memory", "file", "fault", "ended"]

_ILLEGAL_INSTRUCTION = 0xC000001D  # Windows' name for SIGILL

_NO_MEMORY = (
    "mem_buffer != NULL",
    "bad_alloc",
    "MemoryError",
    "Cannot allocate memory",
    "failed to allocate",
    "unable to allocate",
    "failed to map segment",
    "can't start new thread",
)
"""What llama.cpp, C++, Python and the system say when memory runs out. Where an allocation fails,
llama.cpp aborts as it does over a damaged file, so its last words have to tell the two apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """cause and phase are for code, `text` is a sentence for a person.

    phase   what the child was busy with ("load", "template", "prefill", "decode", "idle")
    killed  somebody else ended it: the system, where memory ran out, or another program
    """

    cause: Cause
    text: str
    phase: str = "idle"
    killed: bool = False

    @property
    def by_template(self) -> bool:
        """Whether the model's own chat template is likely to have done it. Its memory is limited,
        so a process that is ended for want of it, or by somebody else, is not its doing."""
        return self.phase == "template" and self.cause != "memory"


def tells_of_memory(words: str) -> bool:
    """Whether an error, or the last words of a process, say that memory ran out."""
    return any(mark in words for mark in _NO_MEMORY)


def explain(status: int | None, *, phase: str, last_words: str = "") -> Death:
    """The likeliest cause.

    status      as subprocess reports it: negative for a signal, None where it is unknown
    phase       what the child was busy with
    last_words  what it said last on its standard error
    """
    cause = _cause(status, phase, last_words)
    killed = status == -_number("SIGKILL")
    text = _KILLED if killed else _SENTENCES[cause]
    return Death(cause=cause, text=text, phase=phase, killed=killed)


def _cause(status: int | None, phase: str, last_words: str) -> Cause:
    if status == -_number("SIGILL") or (status or 0) & 0xFFFFFFFF == _ILLEGAL_INSTRUCTION:
        return "processor"
    if status == -_number("SIGKILL"):
        return "memory"
    if status and tells_of_memory(last_words):
        return "memory"
    if status == -_number("SIGABRT") and phase == "load":
        return "file"
    return "ended" if status == 0 else "fault"


def _number(name: str) -> int:
    """A signal's number; one that no status has where the system does not know it."""
    return int(getattr(signal, name, 10_000))


_KILLED = (
    "The model's process was ended from outside, perhaps because memory ran out; a smaller model "
    "needs less."
)
_SENTENCES: dict[Cause, str] = {
    "processor": "The model's process used an instruction that this processor does not have.",
    "memory": "The model's process ended because memory ran out; a smaller model needs less.",
    "file": "llama.cpp gave up on this model file; it may be damaged.",
    "fault": "The model's process crashed.",
    "ended": "The model's process ended without being asked to.",
}
