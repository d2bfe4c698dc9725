"""Building a portfolio: has the missing answers written, in a process of its own, and chooses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from engine.errors import InputError
from engine.jobs import protocol
from engine.jobs.client import JobClient
from engine.models import memory
from engine.portfolio import pool as pools
from engine.session import calibration, selecting
from engine.session.calibration import Asked, Sheet
from engine.session.pool import Candidates, Owned
from engine.store.calibration import CalibrationRecord, StoredBuild, StoredCalibration
from engine.types import Candidate, Launch, ModelCard, Notice, Progress

Slots = dict[str, tuple[Candidate, Asked]]
"""What the key of each answer stands for."""


class Builder:
    """One build at a time; `build` may be iterated in a thread of its own, `stop` is for any."""

    def __init__(
        self,
        measured: CalibrationRecord,
        candidates: Candidates,
        owned: Owned,
        *,
        spawn: Callable[[], JobClient],
        launch: Callable[[], Launch],
        clock: Callable[[], float],
    ) -> None:
        """
        spawn   starts a job child
        launch  how models run on this machine
        clock   seconds since the epoch
        """
        self._measured, self._candidates, self._owned = measured, candidates, owned
        self._spawn, self._launch, self._clock = spawn, launch, clock
        self._job: JobClient | None = None
        self._stopping = threading.Event()

    def build(self) -> Iterator[Notice | Progress]:
        """Measure what is missing, choose, certify and keep it. Where it is stopped, it ends with
        a Notice "build_stopped", and the next build goes on there.

        Raises InputError where there is nothing to choose from, EngineError where the job died.
        """
        self._stopping.clear()
        pool, sheet = self._candidates.pool().candidates, self._candidates.sheet()
        if not pool:
            raise InputError("The pool is empty. Take a setting in again, or add a model.")
        yield from self._measure(pool, sheet)
        if self._stopping.is_set():
            text = "Stopped. What was measured is kept; the next build goes on there."
            yield Notice(code="build_stopped", text=text)
        else:
            self._measured.keep_build(self._chosen(pool, sheet))

    def stop(self) -> None:
        """End the build that is running. Any thread."""
        self._stopping.set()
        if (job := self._job) is not None:
            job.cancel()

    # ----------------------------------------------------------------------------------------

    def _measure(self, pool: Sequence[Candidate], sheet: Sheet) -> Iterator[Notice | Progress]:
        work, slots = self._work(pool, sheet)
        if not work.subjects:
            return
        job = self._job = self._spawn()
        try:
            for item in job.run(work):
                if self._stopping.is_set():  # before there was a job to cancel
                    job.cancel()
                yield from self._heard(item, slots)
        finally:
            self._job = None
            job.close()

    def _work(self, pool: Sequence[Candidate], sheet: Sheet) -> tuple[protocol.Calibrate, Slots]:
        """What is still to be answered."""
        known, cards = self._candidates.known(pool), self._owned.cards()
        launch = replace(self._launch(), context=calibration.CONTEXT)
        subjects: list[protocol.Subject] = []
        slots: Slots = {}
        for model in dict.fromkeys(candidate.model for candidate in pool):
            if model not in cards or not cards[model].available:
                continue
            own: Slots = {
                f"{candidate.id} {asked.id}": (candidate, asked)
                for candidate in pool
                if candidate.model == model
                for asked in calibration.missing(candidate, sheet.all, known)
            }
            slots |= own
            if own:
                subjects.append(_subject(cards[model], launch, own))
        return protocol.Calibrate(subjects=tuple(subjects)), slots

    def _heard(
        self, item: protocol.Item | protocol.Done | protocol.Cancelled, slots: Slots
    ) -> Iterator[Notice | Progress]:
        match item:
            case protocol.AnsweredItem():
                self._measured.keep((self._stored(item, *slots[item.key]),))
            case protocol.QuestionFailed():
                candidate, asked = slots[item.key]
                text = f"{candidate.name} could not answer {asked.text!r}: {item.message}"
                yield Notice(code=item.code, text=text)
            case protocol.ModelFailed():
                name = self._owned.cards()[item.model].name
                yield Notice(code=item.code, text=f"{name} is left out: {item.message}")
            case protocol.ProgressItem():
                text = "Measuring your models"
                yield Progress(done=item.done, total=item.total, left=item.left, text=text)
            case _:
                pass

    def _stored(
        self, item: protocol.AnsweredItem, candidate: Candidate, asked: Asked
    ) -> StoredCalibration:
        return StoredCalibration(
            candidate=candidate.id,
            model=self._owned.cards()[candidate.model].sha256,
            question=asked.id,
            question_hash=calibration.question_hash(candidate, asked),
            text=item.answer.text,
            tokens=item.answer.tokens,
            finish=item.answer.finish,
            seconds=item.seconds,
        )

    def _chosen(self, pool: Sequence[Candidate], sheet: Sheet) -> StoredBuild:
        wanted, cards = self._candidates.wanted(), self._owned.cards()
        found = selecting.selected(
            pool,
            sheet,
            self._candidates.known(pool),
            wanted=wanted,
            costs=_costs(pool, cards),
            most=self._owned.settings().members,
        )
        range_of = found.normalisation
        return StoredBuild(
            at=self._clock(),
            scorers=selecting.version(),
            objectives=wanted,
            normalisation=tuple(zip(range_of.low.tolist(), range_of.high.tolist(), strict=True)),
            candidates=found.candidates,
            rewards=tuple(map(tuple, found.rewards.tolist())),
            members=tuple(found.candidates[i].id for i in found.members),
            certificate=found.certificate,
            left_out=found.left_out,
            models={c.model: cards[c.model].sha256 for c in found.candidates},
            questions=len(sheet.all),
        )


def _subject(
    card: ModelCard, launch: Launch, slots: Mapping[str, tuple[Candidate, Asked]]
) -> protocol.Subject:
    return protocol.Subject(
        model=card.id,
        name=card.name,
        path=card.path,
        size=card.size,
        launch=launch,
        questions=tuple(
            protocol.Asked(key=key, question=calibration.question(candidate, asked))
            for key, (candidate, asked) in slots.items()
        ),
    )


def _costs(pool: Sequence[Candidate], cards: Mapping[str, ModelCard]) -> dict[str, float]:
    """Candidate id → what keeping it costs."""
    sizes = {model: card.size for model, card in cards.items()}
    costs = pools.costs(sizes, installed=memory.installed(), candidates=pool)
    return dict(zip((candidate.id for candidate in pool), costs.tolist(), strict=True))
