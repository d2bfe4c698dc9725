"""The whole way from calibration questions to the model's process and back, by the job child."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from engine.jobs import protocol
from engine.jobs.client import JobClient
from engine.jobs.protocol import AnsweredItem, Asked, Calibrate, ProgressItem, Subject
from engine.models.catalogue import STARTER_ID, starter_path
from engine.types.answers import Answer
from tests.fakes.asking import preferring, question
from tests.integration.conftest import safe_launch

pytestmark = [pytest.mark.model, pytest.mark.slow]


def test_questions_are_answered_together_by_a_model_that_may_be_killed_meanwhile() -> None:
    path = starter_path()
    plain = [Asked(key=f"p{n}", question=question(f"{n} + {n}?", max_tokens=8)) for n in range(3)]
    brief = question("What is the sea?", steering=preferring("concise"), max_tokens=8)
    subject = Subject(
        model=STARTER_ID,
        name="SmolLM2",
        path=str(path),
        size=path.stat().st_size,
        launch=safe_launch(),
        questions=(*plain, Asked(key="brief", question=brief)),
    )
    client = JobClient()
    items = []
    answers: dict[str, Answer] = {}
    try:
        for item in client.run(Calibrate(subjects=(subject,))):
            items.append(item)
            if isinstance(item, AnsweredItem):
                if not answers:  # while the second batch is being answered
                    os.kill(_model_of(client), signal.SIGKILL)
                answers[item.key] = item.answer
    finally:
        client.close()
    assert isinstance(items[-1], protocol.Done)
    assert set(answers) == {asked.key for asked in subject.questions}
    assert {answer.model for answer in answers.values()} == {STARTER_ID}
    assert {answers["p0"].streams, answers["brief"].streams} == {1, 2}
    assert all(answer.text for answer in answers.values())


def test_a_cancel_ends_a_long_work_in_about_two_seconds() -> None:
    path = starter_path()
    long = [Asked(key=f"{n}", question=question("Tell me a story.", max_tokens=120)) for n in "ab"]
    subject = Subject(
        model=STARTER_ID,
        name="SmolLM2",
        path=str(path),
        size=path.stat().st_size,
        launch=safe_launch(context=2048),
        questions=tuple(long),
    )
    client = JobClient()
    items = []
    cancelled = 0.0
    try:
        for item in client.run(Calibrate(subjects=(subject,))):
            items.append(item)
            under_way = isinstance(item, ProgressItem) and item.left is not None
            if under_way and not cancelled:
                cancelled = time.monotonic()
                client.cancel()
        assert cancelled
        assert time.monotonic() - cancelled < 3.0
    finally:
        client.close()
    assert isinstance(items[-1], protocol.Cancelled)


def _model_of(client: JobClient) -> int:
    """The process that the job child has started."""
    found: list[int] = []
    for task in Path(f"/proc/{client.pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    (pid,) = found
    return pid
