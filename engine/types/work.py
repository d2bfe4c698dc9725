"""What long work says while it goes on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the owner should know that is not an error: one sentence."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far long work has come; `left` is an estimate in seconds, None before there is one."""

    done: int
    total: int
    left: float | None
    text: str


def template_notice(name: str, reason: str) -> Notice:
    """Said where a model's chat template is replaced."""
    text = f"{name} comes without a usable chat template ({reason}); a plain one is used."
    return Notice(code="plain_template", text=text)
