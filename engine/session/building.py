"""Building a portfolio: has the missing answers written, in a process of its own, and chooses."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import InputError, StorageError
from engine.jobs import protocol
from engine.jobs.client import JobClient
from engine.models import memory
from engine.models.identity import lost
from engine.models.partial import locked
from engine.paths import made
from engine.portfolio import pool as pools
from engine.session import calibration, selecting
from engine.session.calibration import Asked, Sheet
from engine.session.job import Job
from engine.session.pool import Candidates, Owned
from engine.store.calibration import CalibrationRecord, StoredBuild
from engine.types.models import Launch, ModelCard
from engine.types.portfolio import Candidate, Objective
from engine.types.work import Notice, Progress

Slots = dict[str, tuple[Candidate, Asked]]
"""What the key of each answer stands for."""

Troubles = dict[str, str]
"""Candidate id → why it has no answers, in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is built, as it was when the build began: meanwhile the owner votes, and adds and
    removes models.

    cards  models by id
    most   members at most
    """

    pool: tuple[Candidate, ...]
    sheet: Sheet
    wanted: tuple[Objective, ...]
    cards: Mapping[str, ModelCard]
    most: int


class Builder:
    """One build at a time; `build` may be iterated in a thread of its own, `stop` is for any."""

    def __init__(
        self,
        measured: CalibrationRecord,
        candidates: Candidates,
        owned: Owned,
        *,
        folder: Path,
        spawn: Callable[[], JobClient],
        launch: Callable[[], Launch],
        clock: Callable[[], float],
    ) -> None:
        """
        folder  the data folder: in it only one Attune builds at a time
        spawn   starts a job child
        launch  how models run on this machine
        clock   seconds since the epoch
        """
        self._measured, self._candidates, self._owned = measured, candidates, owned
        self._folder, self._launch, self._clock = folder, launch, clock
        self._job = Job("build", spawn=spawn)

    def build(self) -> Iterator[Notice | Progress]:
        """Measure what is missing, choose, certify and keep it. Where it is stopped, it ends with
        a Notice "build_stopped", and the next build goes on there.

        Raises InputError where there is nothing to choose from or a build is under way already, in
        another program too, EngineError where the job died, StorageError.
        """
        with self._job.begun(), self._alone():
            yield from self._build()

    def stop(self) -> None:
        """End the build that is running. Any thread."""
        self._job.stop()

    # ----------------------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two programs would measure the same, each with all cores."""
        with ExitStack() as stack:
            try:
                # A folder of its own: the data folder itself is held for what is noted in it.
                stack.enter_context(locked(made(self._folder / "building"), wait=False))
            except BlockingIOError as error:
                raise InputError(
                    "A build is under way already, in another window or terminal. Wait for it, or "
                    "stop it there."
                ) from error
            except OSError as error:
                raise StorageError(
                    f"The data folder {self._folder} cannot be used ({error.strerror or error}); "
                    "check its permissions."
                ) from error
            yield

    def _build(self) -> Iterator[Notice | Progress]:
        plan = self._plan()
        if not plan.pool:
            raise InputError("The pool is empty. Take a setting in again, or add a model.")
        troubles = yield from self._measure(plan)
        if self._job.stopped:
            text = "Stopped. What was measured is kept; the next build goes on there."
            yield Notice(code="build_stopped", text=text)
        else:
            self._measured.keep_build(self._chosen(plan, troubles))

    def _plan(self) -> Plan:
        return Plan(
            pool=self._candidates.pool().candidates,
            sheet=self._candidates.sheet(),
            wanted=self._candidates.wanted(),
            cards=self._owned.cards(),
            most=self._owned.settings().members,
        )

    def _measure(self, plan: Plan) -> Generator[Notice | Progress, None, Troubles]:
        """Have the missing answers written; returns why there are still some missing."""
        work, slots = self._work(plan)
        troubles: Troubles = {}
        if not work.subjects:
            return troubles
        # Closed with this one, so that no child outlives a build that nobody listens to any more.
        with closing(self._job.run(work)) as items:
            for item in items:
                if isinstance(item, protocol.AnsweredItem):
                    candidate, asked = slots[item.key]
                    digest = plan.cards[candidate.model].digest
                    self._measured.keep((calibration.stored(candidate, asked, item, digest),))
                elif isinstance(item, protocol.ProgressItem):
                    text = "Measuring your models"
                    yield Progress(done=item.done, total=item.total, left=item.left, text=text)
                elif isinstance(item, protocol.QuestionFailed | protocol.ModelFailed):
                    told, reasons = _failed(item, slots, plan)
                    troubles |= reasons
                    yield Notice(code=item.code, text=told)
        return troubles

    def _work(self, plan: Plan) -> tuple[protocol.Calibrate, Slots]:
        """What is still to be answered."""
        known = self._candidates.known(plan.pool)
        launch = replace(self._launch(), context=calibration.CONTEXT)
        subjects: list[protocol.Subject] = []
        slots: Slots = {}
        for model in dict.fromkeys(candidate.model for candidate in plan.pool):
            if model not in plan.cards or not plan.cards[model].available:
                continue
            own: Slots = {
                calibration.key(candidate, asked): (candidate, asked)
                for candidate in plan.pool
                if candidate.model == model
                for asked in calibration.missing(candidate, plan.sheet.all, known)
            }
            slots |= own
            if own:
                subjects.append(calibration.subject(plan.cards[model], launch, own))
        return protocol.Calibrate(subjects=tuple(subjects)), slots

    def _chosen(self, plan: Plan, troubles: Troubles) -> StoredBuild:
        cards = self._owned.cards()  # as they are now: what was removed is not chosen
        found = selecting.selected(
            plan.pool,
            plan.sheet,
            self._candidates.known(plan.pool),
            wanted=plan.wanted,
            costs=_costs(plan.pool, cards),
            most=plan.most,
            troubles=troubles | _gone(plan.pool, cards),
        )
        range_of = found.normalisation
        return StoredBuild(
            at=self._clock(),
            scorers=selecting.version(),
            objectives=plan.wanted,
            normalisation=tuple(zip(range_of.low.tolist(), range_of.high.tolist(), strict=True)),
            candidates=found.candidates,
            rewards=tuple(map(tuple, found.rewards.tolist())),
            members=tuple(found.candidates[i].id for i in found.members),
            certificate=found.certificate,
            left_out=found.left_out,
            models={c.model: cards[c.model].digest for c in found.candidates},
            questions=plan.sheet.count,
        )


def _failed(
    item: protocol.QuestionFailed | protocol.ModelFailed, slots: Slots, plan: Plan
) -> tuple[str, Troubles]:
    """What to say of it, and what it means for the candidates that it is about."""
    if isinstance(item, protocol.ModelFailed):
        told = f"{plan.cards[item.model].name} is left out: {item.message}"
        return told, {c.id: item.message for c in plan.pool if c.model == item.model}
    candidate, asked = slots[item.key]
    reason = f"could not answer {asked.text!r}: {item.message}"
    return f"{candidate.name} {reason}", {candidate.id: f"It {reason}"}


def _gone(pool: Sequence[Candidate], cards: Mapping[str, ModelCard]) -> Troubles:
    """Candidates whose model cannot be had."""
    found = {c.id: "Its model was removed." for c in pool if c.model not in cards}
    away = [c for c in pool if c.model in cards and not cards[c.model].available]
    return found | {c.id: _away(cards[c.model]) for c in away}


def _away(card: ModelCard) -> str:
    what, _ = lost(card)
    return f"{what} of {card.name} is not there."


def _costs(pool: Sequence[Candidate], cards: Mapping[str, ModelCard]) -> dict[str, float]:
    """Candidate id → what keeping it costs."""
    plain = {card.sha256: card.size for card in cards.values() if not card.adapter}
    files = {model: _files(card, plain) for model, card in cards.items()}
    costs = pools.costs(files, installed=memory.installed(), candidates=pool)
    return dict(zip((candidate.id for candidate in pool), costs.tolist(), strict=True))


def _files(card: ModelCard, plain: Mapping[str, int]) -> tuple[pools.File, ...]:
    """What a model is loaded from; plain is SHA-256 → bytes of the models without an adapter."""
    if not card.adapter:
        return (pools.File(id=card.sha256, size=card.size),)
    weights = plain.get(card.sha256, card.size)
    adapter = pools.File(id=card.adapter_sha256, size=card.size - weights, adapter=True)
    return pools.File(id=card.sha256, size=weights), adapter
