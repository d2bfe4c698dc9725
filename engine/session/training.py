"""Training an adapter that makes a model answer of itself as Amulet makes it answer.

Amulet steers with a second stream; an adapter that was trained on its answers needs one. Answers
are asked first, and kept with those of the portfolio; then the adapter is trained; then all three,
plain, steered and with the adapter, are compared on questions that it was not trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from engine.errors import InputError, Stopped, from_code
from engine.jobs import protocol
from engine.jobs.client import JobClient
from engine.models.cards import read_card, write_card
from engine.models.catalogue import Catalogue
from engine.paths import made
from engine.session import calibration, objectives
from engine.session.course import Course
from engine.session.job import Job
from engine.session.lessons import (
    STEPS,
    Plan,
    Slot,
    Wanted,
    keys,
    placed,
    planned,
    subject,
    training,
)
from engine.store.calibration import CalibrationRecord, StoredCalibration
from engine.types.answers import Answer
from engine.types.models import Launch
from engine.types.steering import Sampling
from engine.types.work import Notice, Progress
from engine.types.workshop import TrainedAdapter

TIMED, ROUNDS = 3, 4
"""Questions of a round, each answered alone; rounds with and without the adapter take turns."""

TIMED_TOKENS = 48
"""Of an answer that is timed, at most."""

EFFORTS = {"lessons": 20.0, "training": 100.0, "without": 27.0, "with": 10.0, "time": 15.0}
"""The parts of a training, in their order, and the seconds that each takes with the starter model
on two cores (measured); so many steps as are the rule."""

ASKING = {
    "lessons": "Asking for lessons",
    "without": "Asking without the adapter",
    "with": "Asking with the adapter",
    "time": "Measuring the time",
}

Events = Iterator[Notice | Progress]


class Trainer:
    """One training at a time; `train` may be iterated in a thread of its own, `stop` is for any."""

    def __init__(
        self,
        catalogue: Catalogue,
        measured: CalibrationRecord,
        folder: Path,
        *,
        spawn: Callable[[], JobClient],
        launch: Callable[[], Launch],
        sampling: Callable[[], Sampling],
        clock: Callable[[], float],
    ) -> None:
        """
        clock     counts seconds
        folder    where what a stopped training needs to go on is kept
        spawn     starts a job child
        launch    how models run on this machine
        sampling  how answers are drawn
        """
        self._catalogue, self._measured, self._folder = catalogue, measured, folder
        self._launch, self._sampling, self._clock = launch, sampling, clock
        self._job = Job("training", spawn=spawn)
        self._course = Course(EFFORTS, clock=clock)

    def train(
        self, wanted: Wanted, *, first: Iterable[Notice] = ()
    ) -> Iterator[Notice | Progress | TrainedAdapter]:
        """Ask, train, compare; ends with what came of it, which the adapter's card says, too.

        first  what has to be found out before, as it comes; a stop is heard meanwhile

        Where it is stopped or killed, the same training goes on where it was.

        Raises Stopped, InputError, ModelError, StorageError, EngineError where the job died.
        """
        with self._job.begun():
            yield from first
            self._watch()
            steps = EFFORTS["training"] * wanted.steps / STEPS
            self._course = Course(EFFORTS | {"training": steps}, clock=self._clock)
            yield from self._train(wanted)

    def stop(self) -> None:
        """End the training that is running. Any thread."""
        self._job.stop()

    # ----------------------------------------------------------------------------------------

    def _train(self, wanted: Wanted) -> Iterator[Notice | Progress | TrainedAdapter]:
        plan = planned(
            wanted,
            card=self._catalogue.get(wanted.base),
            launch=self._launch(),
            sampling=self._sampling(),
        )
        slots = [(plan.steered, asked) for asked in plan.lessons]
        answers = yield from self._answers(plan, slots, "lessons")
        known = [answers[key] for key in keys(slots) if key in answers]
        work = training(plan, wanted, known, folder=made(self._folder))
        plan = replace(plan, out=placed(plan, work, instead=wanted.instead))
        if not plan.out.exists():
            yield from self._learn(msgspec.structs.replace(work, out=str(plan.out)))
        slots = [(who, asked) for asked in plan.held_out for who in (plan.plain, plan.steered)]
        before = yield from self._answers(plan, slots, "without")
        after = yield from self._adapted(plan)
        time = yield from self._timed(plan)
        trained = _compared(plan, before, after, time=time)
        if trained.kept is None:
            text = f"The base does not answer with {trained.name} when it is told to."
            yield Notice(code="not_steered", text=text)
        _tell_card(trained, plan.objective.id)
        yield trained

    def _answers(
        self, plan: Plan, slots: Sequence[Slot], part: str
    ) -> Generator[Notice | Progress, None, dict[str, StoredCalibration]]:
        """Answers by key; those that were not on record are asked for, and kept."""
        hashes = {who.id: plan.card.sha256 for who, _ in slots}
        known = self._measured.known(hashes)
        missing = [s for s in slots if (s[0].id, calibration.question_hash(*s)) not in known]
        by_key = dict(zip(keys(missing), missing, strict=True))
        work = protocol.Calibrate(subjects=(subject(plan, missing),) if missing else ())
        for item in self._done(work):
            if isinstance(item, protocol.AnsweredItem):
                answer = calibration.stored(*by_key[item.key], item, plan.card.sha256)
                self._measured.keep((answer,))
            else:
                yield from self._told(item, part, before=len(slots) - len(missing))
        known = self._measured.known(hashes)
        found = {
            key: known.get((slot[0].id, calibration.question_hash(*slot)))
            for key, slot in zip(keys(slots), slots, strict=True)
        }
        return {key: answer for key, answer in found.items() if answer is not None}

    def _learn(self, work: protocol.Train) -> Events:
        for item in self._done(work):
            yield from self._told(item, "training")

    def _adapted(self, plan: Plan) -> Generator[Notice | Progress, None, dict[str, Answer]]:
        """Answers with the adapter to the questions that are held out, by their id."""
        slots = [(plan.plain, asked) for asked in plan.held_out]
        work = protocol.Calibrate(subjects=(subject(plan, slots, adapted=True),))
        found: dict[str, Answer] = {}
        for item in self._done(work):
            if isinstance(item, protocol.AnsweredItem):
                found[item.key] = item.answer
            else:
                yield from self._told(item, "with")
        return found

    def _timed(self, plan: Plan) -> Generator[Notice | Progress, None, float | None]:
        """Seconds per token with the adapter over those of Amulet's two streams, each in its
        fastest round: what else the machine does, and trying other numbers of threads, only adds.
        """
        subjects = []
        for number in range(ROUNDS):
            asked = plan.held_out[number * TIMED : (number + 1) * TIMED]
            for who, adapted in ((plan.steered, False), (plan.plain, True)):
                mark = f"{number} {'adapted' if adapted else 'steered'} "
                slots = [(who, each) for each in asked]
                subjects.append(_shortened(subject(plan, slots, adapted=adapted, mark=mark)))
        spent: dict[str, list[float]] = {}
        for item in self._done(protocol.Calibrate(subjects=tuple(subjects), alone=True)):
            if isinstance(item, protocol.AnsweredItem) and item.answer.tokens:
                seconds = item.answer.seconds
                total = spent.setdefault(" ".join(item.key.split()[:2]), [0.0, 0.0])
                total[0] += seconds.decode + seconds.steer
                total[1] += item.answer.tokens
            else:
                yield from self._told(item, "time")
        return _ratio({who: seconds / tokens for who, (seconds, tokens) in spent.items()})

    def _done(self, work: protocol.Work) -> Iterator[protocol.Item]:
        """Have work done and yield what comes of it. Raises Stopped, and what the work raises."""
        if isinstance(work, protocol.Calibrate) and not work.subjects:
            return
        self._watch()
        with closing(self._job.run(work)) as items:
            for item in items:
                if isinstance(item, protocol.ModelFailed):
                    raise from_code(item.code, item.message, detail=item.detail)
                if not isinstance(item, protocol.Done | protocol.Cancelled):
                    yield item
            self._watch()

    def _told(self, item: protocol.Item, part: str, *, before: int = 0) -> Events:
        """before  answers that were there already"""
        match item:
            case protocol.StageItem():
                yield self._course.told(part, item.progress)
            case protocol.ProgressItem():
                done, total = before + item.done, before + item.total
                text = f"{ASKING[part]}: {done} of {total}"
                progress = Progress(done=done, total=total, left=item.left, text=text)
                yield self._course.told(part, progress)
            case protocol.QuestionFailed():
                yield Notice(code=item.code, text=f"A question was left out: {item.message}")
            case _:
                pass

    def _watch(self) -> None:
        if self._job.stopped:
            raise Stopped(
                "The training was stopped. Begun again, the same one goes on where it was."
            )


# What came of it ----------------------------------------------------------------------------


def _compared(
    plan: Plan,
    before: Mapping[str, StoredCalibration],
    after: Mapping[str, Answer],
    *,
    time: float | None,
) -> TrainedAdapter:
    """Mean scores on those held-out questions that all three answered. Raises InputError."""
    rows = []
    for asked in plan.held_out:
        plain, steered = keys([(plan.plain, asked), (plan.steered, asked)])
        if plain in before and steered in before and plain in after:
            rows.append([before[plain].text, before[steered].text, after[plain].text])
    if not rows:
        raise InputError("No question was answered with and without the adapter; try again.")
    raw = np.asarray([[objectives.style((plan.objective,), t)[0] for t in row] for row in rows])
    # As in calibration, silence is as bad as the worst answer.
    worst = np.nanmin(raw) if not np.isnan(raw).all() else 0.0
    plain, amulet, adapter = np.where(np.isnan(raw), worst, raw).mean(axis=0).tolist()
    return TrainedAdapter(
        path=str(plan.out),
        objective=plan.objective.id,
        name=plan.objective.name,
        base=plan.card.id,
        plain=plain,
        amulet=amulet,
        adapter=adapter,
        kept=(adapter - plain) / (amulet - plain) if amulet > plain else None,
        time=time,
        questions=len(rows),
    )


def _shortened(subject: protocol.Subject) -> protocol.Subject:
    """The same with short answers."""
    asked = []
    for each in subject.questions:
        sampling = replace(each.question.sampling, max_tokens=TIMED_TOKENS)
        asked.append(replace(each, question=replace(each.question, sampling=sampling)))
    return replace(subject, questions=tuple(asked))


def _ratio(per_token: Mapping[str, float]) -> float | None:
    """The fastest rounds of both ways; None where one of them has none."""
    ours, theirs = (
        [seconds for name, seconds in per_token.items() if name.endswith(way)]
        for way in ("adapted", "steered")
    )
    return min(ours) / min(theirs) if ours and theirs else None


def _tell_card(trained: TrainedAdapter, task: str) -> None:
    out = Path(trained.path)
    adapter = {task: trained.adapter}
    adapter |= {"kept": trained.kept} if trained.kept is not None else {}
    adapter |= {"time": trained.time} if trained.time is not None else {}
    scores = {"plain": {task: trained.plain}, "amulet": {task: trained.amulet}, "adapter": adapter}
    write_card(replace(read_card(out), scores=scores), beside=out)
