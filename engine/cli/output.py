"""What a command says: text for people, or one JSON object for programs."""

from __future__ import annotations

import json
import sys
from typing import Any

from engine.errors import AttuneError

_LONGEST_LINE = 400
"""Characters of a line on standard error; a name that it quotes may be of any length."""


class Output:
    """Standard output carries the result, standard error everything else."""

    def __init__(self, *, json: bool) -> None:
        self.json = json

    def text(self, text: str, *, end: str = "\n") -> None:
        """A result for people; silent with --json."""
        if not self.json:
            print(printable(text), end=end, flush=True)

    def result(self, value: dict[str, Any], *, error: AttuneError | None = None) -> int:
        """The result for programs; silent without --json. Returns the exit code.

        error  why the result is not whole; it stands beside the result, in the same object
        """
        if self.json:
            # ASCII alone: whatever reads it, no code page and no terminal can take it amiss.
            print(json.dumps(value | _described(error)))
        if error is None:
            return 0
        self.complain(error)
        return 1

    def note(self, text: str) -> None:
        """Something besides the result: one line, cut where it would fill the terminal."""
        line = printable(" ".join(text.splitlines()))
        if len(line) > _LONGEST_LINE:
            line = f"{line[: _LONGEST_LINE - 1]}…"
        print(line, file=sys.stderr, flush=True)

    def complain(self, error: AttuneError) -> None:
        """An error, for people."""
        self.note(f"attune: {error.message}")

    def fail(self, error: AttuneError) -> int:
        """The error in one line; returns the exit code."""
        return self.result({}, error=error)

    def misused(self, message: str, *, usage: str) -> int:
        """A command line that cannot be read; returns the exit code."""
        if self.json:
            print(json.dumps({"error": {"code": "usage", "message": message}}))
        if usage:
            print(printable(usage.rstrip()), file=sys.stderr, flush=True)
        self.note(f"attune: {message}")
        return 2


def _described(error: AttuneError | None) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": error.message}} if error else {}


def printable(text: str) -> str:
    """Text without control characters: a model's words must not steer the terminal."""
    return "".join(c for c in text if c in "\n\t" or c.isprintable() or c in _JOINERS)


_JOINERS = "\u200c\u200d\ufe0f"
"""Invisible, but parts of words and of emoji."""
