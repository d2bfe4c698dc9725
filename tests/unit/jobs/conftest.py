"""Models under calibration, and questions for them."""

from __future__ import annotations

from typing import Any

from engine.jobs.protocol import Asked, Subject
from engine.types.answers import Question
from engine.types.models import Launch
from tests.fakes.asking import question


def asked(key: str, text: str = "", *, max_tokens: int = 4, **changes: Any) -> Asked:
    """A question to be answered greedily; its text is made of the key where none is given."""
    whole: Question = question(text or f"What is {key}?", max_tokens=max_tokens, **changes)
    return Asked(key=key, question=whole)


def subject(*questions: Asked, **changes: Any) -> Subject:
    """A model that is asked these."""
    facts: dict[str, Any] = {
        "model": "fake",
        "name": "Fake",
        "path": "fake.gguf",
        "size": 1000,
        "launch": Launch(context=4096),
        "questions": questions,
    }
    return Subject(**facts | changes)
