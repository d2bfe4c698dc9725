"""Questions put to the model that runs: as the member, with what was learned, once or twice."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from engine.config import Settings
from engine.errors import StorageError
from engine.session.running import Running
from engine.types.answers import AnswerEvent, Question
from engine.types.learning import DuelEvent
from engine.types.portfolio import Candidate
from engine.types.scope import Reach
from engine.types.work import Notice

# Numpy comes with these; the window is up before they are needed.
if TYPE_CHECKING:
    from engine.session.duels import Duels
    from engine.session.learning import Learning
    from engine.session.portfolio import Portfolios

log = logging.getLogger("engine.session.asking")


class Asking:
    """One run's questions: says who answers, and when two answers are worth it."""

    def __init__(
        self,
        running: Running,
        *,
        settings: Callable[[], Settings],
        learning: Callable[[], Learning],
        portfolio: Callable[[], Portfolios],
        seeds: Callable[[], int],
        clock: Callable[[], float],
    ) -> None:
        """
        settings   as they are now
        learning   what the votes taught, asked for late
        portfolio  what is chosen from, asked for late
        seeds      where the seed of an answer comes from when the question has none
        clock      seconds since the epoch
        """
        self._running, self._settings = running, settings
        self._learning, self._portfolio = learning, portfolio
        self._seeds, self._clock = seeds, clock
        self._since_duel = first_pause(settings())
        self._told_unusable = False

    def answer(self, question: Question, *, reach: Reach) -> Iterator[AnswerEvent]:
        """Stream one answer; see `Engine.answer`."""
        if question.personal:
            asked = self._as_member(question, reach)
            question = yield from self._personal(asked, reach)
        self._since_duel += 1
        yield from self._running.supervisor.answer(question, seed=self._seeds())

    def wants_duel(self, reach: Reach) -> str:
        """Why two answers would be worth it; "" where one is better. See `Engine.wants_duel`."""
        settings = self._settings()
        every = settings.duel_every
        if settings.neutral or not every or self._since_duel + 1 < every:
            return ""
        try:
            return self._duels.worth(reach)
        except StorageError as error:
            log.warning("whether to show two answers is not known: %s", error)
            return ""

    def duel(self, question: Question, *, reach: Reach) -> Iterator[DuelEvent]:
        """Stream two answers, then a Duel; see `Engine.duel`."""
        self._since_duel = 0
        keep = self._settings().keep_texts
        member = self._as_member(question, reach)
        yield from self._duels.hold(
            question, member=member, seed=self._seeds(), keep_texts=keep, reach=reach
        )

    def member(self) -> Candidate | None:
        """The member that answers next, where Attune is to choose; None else, also where what was
        built cannot be read: answers do not depend on it."""
        settings = self._settings()
        if not settings.routing or settings.neutral:
            return None
        try:
            route = self._portfolio().route()
        except StorageError as error:
            log.warning("what was built cannot be read: %s", error)
            return None
        return route.member if route else None

    # ----------------------------------------------------------------------------------------

    @cached_property
    def _duels(self) -> Duels:
        from engine.session.duels import Duels

        rng = random.Random(self._seeds())
        return Duels(self._running.supervisor, self._learning(), clock=self._clock, rng=rng)

    def _as_member(self, question: Question, reach: Reach) -> Question:
        """The question as the member answers it whose model is loaded; the owner's own preferences
        come before a member's. In a chat that does not follow what is learned everywhere, neither
        does the choice of a member."""
        member = self.member() if reach.scope == "everywhere" else None
        stated = question.steering.preferences
        if member is None or member.model != self._running.supervisor.model or stated:
            return question
        from engine.session.calibration import steering

        return replace(question, steering=steering(member))

    def _personal(self, question: Question, reach: Reach) -> Generator[Notice, None, Question]:
        """The question with what was learned; as it is where the record cannot be read."""
        from engine.session.duels import steered
        from engine.session.objectives import stated, without

        try:
            return steered(question, without(self._learning().serving(reach), stated(question)))
        except StorageError as error:
            if not self._told_unusable:
                self._told_unusable = True
                text = f"{error.message} Until then answers are not steered by your votes."
                yield Notice(code="learning_unavailable", text=text)
            return question


def first_pause(settings: Settings) -> int:
    """Questions that count as asked before the first: two answers come no earlier than with the
    second, unless the owner wants them to every question."""
    return max(settings.duel_every - 2, 0)
