"""Calibration: models answer questions, one model after another, many questions at once.

A batch that kills the child is asked again, since it may have been chance; then it is halved until
the question is found that does it. Two such questions in a row, and it is the model.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from engine.errors import AttuneError, InputError, Stopped
from engine.inference.client import Client
from engine.jobs.pace import Pace, seconds_left
from engine.jobs.packing import Batch, Sized, packed, sized
from engine.jobs.protocol import (
    AnsweredItem,
    Calibrate,
    Item,
    ModelFailed,
    ProgressItem,
    QuestionFailed,
    Subject,
)
from engine.jobs.respondent import FATAL, Respondent
from engine.types.answers import Answer, Chunk

PROGRESS_SECONDS = 1.0
"""How often progress is told while a batch is under way, at most."""

FIRST_SHARE = 0.25
"""Of the first batch that has to be done before the time left is guessed: reading the prompts comes
first, and looks like slowness."""

FATAL_QUESTIONS = 2
"""Questions in a row that are fatal when asked alone: then the model is at fault."""


@dataclass(slots=True, kw_only=True)
class _Course:
    """One model's part: its batches, the questions that cannot be asked, and those not told yet."""

    subject: Subject
    batches: Sequence[Batch]
    refused: Sequence[QuestionFailed]
    pace: Pace
    left: int
    fatal: int = 0


class Calibration:
    """Calibrate under way; see `Working`."""

    def __init__(
        self, request: Calibrate, *, spawn: Callable[[], Client], clock: Callable[[], float]
    ) -> None:
        """spawn starts an inference child; clock counts seconds."""
        self._seed, self._spawn, self._clock = request.seed, spawn, clock
        self._courses = [_course(each, alone=request.alone) for each in request.subjects]
        self._total = sum(course.left for course in self._courses)
        self._told_at = clock()
        self._stopping = False
        self._respondent: Respondent | None = None

    def cancel(self) -> None:
        """End soon; what is finished is still told. Any thread."""
        self._stopping = True
        if (respondent := self._respondent) is not None:
            respondent.cancel()

    def run(self) -> Generator[Item, None, None]:
        """Answers, failures and progress. Raises Stopped after `cancel`."""
        for course in self._courses:
            yield from self._examine(course)
        if self._stopping:
            raise Stopped("The work was stopped.")

    # ----------------------------------------------------------------------------------------

    def _examine(self, course: _Course) -> Iterator[Item]:
        """All that one model answers."""
        for refused in course.refused:
            course.left -= 1
            yield refused
        yield self._progress()
        respondent = self._respondent = Respondent(
            course.subject,
            seed=self._seed,
            spawn=self._spawn,
            stopping=lambda: self._stopping,
        )
        try:
            for batch in course.batches:
                yield from self._answer(batch, course, respondent)
                yield self._progress()
        except Stopped:
            raise
        except AttuneError as error:
            yield _model_failed(course, error)
            yield self._progress()
        finally:
            self._respondent = None
            respondent.close()

    def _answer(
        self, batch: Batch, course: _Course, respondent: Respondent, *, again: bool = True
    ) -> Iterator[Item]:
        """The answers of a batch; where they cannot be had together, of what parts they can."""
        respondent.ready()
        try:
            yield from self._ask(batch, course, respondent)
            return
        except Stopped:
            raise
        except AttuneError as caught:
            error = caught
        course.pace.part = 0.0
        if again and isinstance(error, FATAL):
            yield from self._answer(batch, course, respondent, again=False)
        elif len(batch) > 1:
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                yield from self._answer(half, course, respondent, again=False)
        else:
            yield _question_failed(batch[0], course, error)

    def _ask(self, batch: Batch, course: _Course, respondent: Respondent) -> Iterator[Item]:
        """The answers of a batch. Raises what `Respondent.ask` raises."""
        pace, work = course.pace, sum(question.streams for question in batch)
        longest = max(question.longest for question in batch)
        before, begun = pace.seconds, self._clock()
        for reply in respondent.ask([question.asked.question for question in batch]):
            pace.seconds = before + self._clock() - begun
            if isinstance(reply, Chunk):
                # The longest answer decides how far the batch is.
                share = reply.tokens / longest
                if pace.done or share >= FIRST_SHARE:
                    pace.part = max(pace.part, work * share)
                if self._clock() - self._told_at >= PROGRESS_SECONDS:
                    yield self._progress()
            else:
                pace.left, pace.done, pace.part = pace.left - work, pace.done + work, 0.0
                course.fatal = 0
                seconds = (pace.seconds - before) / len(batch)
                yield from _told(batch, reply, course, seconds=seconds)

    def _progress(self) -> ProgressItem:
        self._told_at = self._clock()
        return ProgressItem(
            done=self._total - sum(course.left for course in self._courses),
            total=self._total,
            left=seconds_left([course.pace for course in self._courses]),
        )


def _course(subject: Subject, *, alone: bool) -> _Course:
    questions, refused = [], []
    for asked in subject.questions:
        try:
            questions.append(sized(asked))
        except InputError as error:
            refused.append(QuestionFailed(key=asked.key, code=error.code, message=error.message))
    return _Course(
        subject=subject,
        batches=[(question,) for question in questions]
        if alone
        else packed(questions, cells=subject.launch.context),
        refused=refused,
        pace=Pace(size=subject.size, left=sum(question.streams for question in questions)),
        left=len(subject.questions),
    )


def _told(
    batch: Batch, answers: Sequence[Answer], course: _Course, *, seconds: float
) -> Iterator[AnsweredItem]:
    """The finished ones of the answers."""
    for question, answer in zip(batch, answers, strict=True):
        if answer.finish != "stopped":
            course.left -= 1
            own = replace(answer, model=course.subject.model)
            yield AnsweredItem(key=question.asked.key, answer=own, seconds=seconds)


def _question_failed(question: Sized, course: _Course, error: AttuneError) -> QuestionFailed:
    """Raises the error itself where the model is to blame."""
    if isinstance(error, FATAL):
        course.fatal += 1
        if course.fatal == FATAL_QUESTIONS:
            raise error
    course.left -= 1
    course.pace.left -= question.streams
    return QuestionFailed(
        key=question.asked.key, code=error.code, message=error.message, detail=error.detail
    )


def _model_failed(course: _Course, error: AttuneError) -> ModelFailed:
    course.left, course.pace.left, course.pace.part = 0, 0.0, 0.0
    return ModelFailed(
        model=course.subject.model, code=error.code, message=error.message, detail=error.detail
    )
