"""A pool, a portfolio and its routes in memory: what the engine promises of them, and no more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from engine.api import (
    BuildEvent,
    Candidate,
    Certificate,
    Gap,
    LeftOut,
    Member,
    Notice,
    Objective,
    Pool,
    Portfolio,
    Progress,
    Route,
)
from engine.errors import InvalidParameter

NAMES = {
    "short+": "shorter answers", "simple+": "simple words", "warm+": "a warm tone",
    "formal+": "a formal tone", "quality": "good answers",
}  # fmt: skip

PLAIN = Candidate(id="smol", model="smollm2-135m", name="SmolLM2 135M")
BRIEF = Candidate(
    id="qwen-concise", model="qwen-0.5b", name="Qwen2.5 Coder 0.5B, concise",
    preferences=("concise",), gamma=2.0,
)  # fmt: skip
WARM = Candidate(
    id="smol-warm", model="smollm2-135m", name="SmolLM2 135M, warm & simple",
    preferences=("warm", "simple"), gamma=2.0,
)  # fmt: skip
LARGE = Candidate(id="large", model="gone", name="Lost & found 7B")

REWARDS = {
    "qwen-concise": (0.9, 0.2, 0.3, 0.3, 0.5),
    "smol-warm": (0.2, 0.5, 0.9, 0.3, 0.4),
    "smol": (0.3, 0.85, 0.2, 0.4, 0.45),
    "large": (0.3, 0.3, 0.3, 0.8, 0.9),
}
BEST = {
    "qwen-concise": "best at shorter answers", "smol-warm": "best at a warm tone",
    "smol": "best at simple words", "large": "best at a formal tone and good answers",
}  # fmt: skip


def objectives(count: int) -> tuple[Objective, ...]:
    return tuple(Objective(id=id, name=name) for id, name in list(NAMES.items())[:count])


def portfolio(
    count: int = 3, *, members: Sequence[Candidate] = (BRIEF, WARM, PLAIN), **rest: object
) -> Portfolio:
    """With so many objectives; the members share the tastes evenly but for the first one."""
    asked, kept = objectives(count), len(members)
    usage = (1.0 - 0.2 * (kept - 1), *([0.2] * (kept - 1)))
    weights = (0.6, *([0.4 / (count - 1)] * (count - 1)))
    proof = Certificate(
        epsilon=Gap(value=0.04, witness=(0.5, 0.5, *([0.0] * (count - 2)))),
        delta=Gap(value=0.03, witness=(0.5, 0.5, *([0.0] * (count - 2)))),
        low=0.02, high=0.07, selecting=0.01, mean=0.005, p95=0.02,
        usage=usage, perplexity=float(kept), prompts=24,
    )  # fmt: skip
    built = Portfolio(
        objectives=asked,
        candidates=tuple(members),
        rewards=tuple(REWARDS[member.id][:count] for member in members),
        members=tuple(Member(index=i, best_at=BEST[m.id]) for i, m in enumerate(members)),
        certificate=proof,
        left_out=(),
        weights=weights,
        built_at=1_750_000_000.0,
    )
    return replace(built, **rest)  # type: ignore[arg-type]


Steps = Callable[["ScriptedPortfolio"], Iterator[BuildEvent]]


def measures(built: Portfolio, *, total: int = 3) -> Steps:
    """Answer after answer, and at last this portfolio."""

    def steps(self: ScriptedPortfolio) -> Iterator[BuildEvent]:
        for done in range(total + 1):
            yield Progress(done=done, total=total, left=60.0 * (total - done), text="Measuring")
        yield built

    return steps


def waits(*, done: int = 412, total: int = 1296, left: float | None = 540.0) -> Steps:
    """Come so far and then go on until stopped."""

    def steps(self: ScriptedPortfolio) -> Iterator[BuildEvent]:
        yield Progress(done=done, total=total, left=left, text="Measuring your models")
        self.stopped.wait(10)
        self.measured = done
        yield Notice(code="build_stopped", text="Stopped. What was measured is kept.")

    return steps


class ScriptedPortfolio:
    """What was built, and the pool.

    built     the portfolio, or None before there is one
    steps     what the next build does
    refused   members that cannot be had
    taken     id of the member that the owner took; "" for none
    error     raised by the next call that changes or builds something
    broken    raised by every call that reads
    """

    def __init__(self, threads: set[int] | None = None) -> None:
        """threads  of those who ask; `threads` of its own are those that build"""
        self._asked = set() if threads is None else threads
        self.candidates = ScriptedCandidates(self)
        self.built: Portfolio | None = None
        self.steps: Steps = measures(portfolio())
        self.measured = 0
        self.refused: tuple[LeftOut, ...] = ()
        self.taken = ""
        self.why = "you like shorter answers"
        self.error: Exception | None = None
        self.broken: Exception | None = None
        self.stopped = threading.Event()
        self.threads: set[int] = set()

    def build(self) -> Iterator[BuildEvent]:
        self.threads.add(threading.get_ident())
        self.may_change()
        self.stopped.clear()
        for event in self.steps(self):
            if isinstance(event, Portfolio):
                self.built = event
            yield event

    def stop(self) -> None:
        self.stopped.set()

    def current(self) -> Portfolio | None:
        self.may_read()
        return self.built

    def route(self) -> Route | None:
        self.may_read()
        if self.built is None:
            return None
        away = {left.candidate.id for left in self.refused}
        members = [self.built.candidates[m.index] for m in self.built.members]
        free = [member for member in members if member.id not in away]
        if not free:
            return None
        first = next((m for m in free if m.id == self.taken), free[0])
        why = f"{first.name}, because {'you took it' if self.taken else self.why}."
        others = tuple(member for member in free if member is not first)
        return Route(member=first, why=why, others=others, refused=self.refused)

    def override(self, id: str) -> Route:
        self._asked.add(threading.get_ident())
        self.may_change()
        self.taken = id
        route = self.route()
        assert route is not None
        return route

    def may_change(self) -> None:
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def may_read(self) -> None:
        self._asked.add(threading.get_ident())
        if self.broken is not None:
            raise self.broken


class ScriptedCandidates:
    """
    there    what a build would measure
    removed  what the owner left out
    """

    def __init__(self, portfolio: ScriptedPortfolio) -> None:
        self._portfolio = portfolio
        self.there: tuple[Candidate, ...] = (BRIEF, WARM, PLAIN, LARGE)
        self.removed: tuple[Candidate, ...] = ()

    def pool(self) -> Pool:
        self._portfolio.may_read()
        answers = 40 * len(self.there)
        known = min(self._portfolio.measured, answers)
        return Pool(candidates=self.there, removed=self.removed, answers=answers, known=known)

    def remove(self, id: str) -> Pool:
        self._portfolio.may_change()
        gone = self._one(id, self.there)
        self.there = tuple(c for c in self.there if c.id != id)
        self.removed += gone
        return self.pool()

    def restore(self, id: str) -> Pool:
        self._portfolio.may_change()
        back = self._one(id, self.removed)
        self.removed = tuple(c for c in self.removed if c.id != id)
        self.there += back
        return self.pool()

    def add(self, model: str, *, preferences: tuple[str, ...], gamma: float) -> Pool:
        self._portfolio.may_change()
        id = f"{model} {preferences} {gamma}"
        if any(candidate.id == id for candidate in self.there):
            raise InvalidParameter("This setting is in the pool already.")
        name = ", ".join([model, *preferences])
        own = Candidate(id=id, model=model, name=name, preferences=preferences, gamma=gamma)
        self.there += (own,)
        return self.pool()

    @staticmethod
    def _one(id: str, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
        found = tuple(candidate for candidate in candidates if candidate.id == id)
        if not found:
            raise InvalidParameter(f"There is no candidate {id!r}.")
        return found
