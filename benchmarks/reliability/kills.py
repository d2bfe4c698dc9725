"""The model's process is killed at random moments; the text, the chat and the engine survive (R4).

    python -m benchmarks.reliability.kills [--count 1000] [--seed 0] [--out FILE]

A real engine answers with the starter model on one thread. The process is ended with SIGKILL while
it loads, before the first token, or in the middle of an answer. Kills that follow one another
within minutes make Attune choose safer settings; here ten minutes pass between two of them, by a
clock that is put forward. The program that runs this stands for the window's process.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.reliability.engines import asked, child_of, children, remember_settings
from benchmarks.reliability.runs import (
    Finding,
    Ledger,
    arguments,
    chance,
    conclude,
    never,
    run,
    spread,
)
from engine.api import Engine
from engine.session.supervisor import SPELL_SECONDS
from engine.types.answers import Answer, AnswerEvent, Chunk, Ready
from engine.types.work import Notice

NOTICED_SECONDS, READY_SECONDS = 0.5, 2.0
STORY = "Tell me a long story about a lighthouse, a storm and two brothers who disagree. "
LONGEST_ANSWER, LATEST_TOKEN = 200, 40
TRIES = 10
MOMENTS = ("load", "first", "stream")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """What became of one kill.

    moment   "load", "idle" (it had just loaded), "first" (no token yet) or "stream"
    shown    characters that had been shown
    noticed  seconds until the notice; None where there is none to give
    ready    seconds until the model was there again
    load     of these, what loading took
    problem  what was not as promised, "" where all was
    """

    number: int
    moment: str
    shown: int
    noticed: float | None
    ready: float
    load: float
    problem: str


class Shot:
    """Kills a process once, from a thread of its own."""

    def __init__(self, *, when: Callable[[], int | None], delay: float) -> None:
        """when   asked again and again for the process to be killed; None is not yet
        delay  seconds between that and the kill
        """
        self.at = 0.0
        self._when, self._delay = when, delay
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._aim, name="shot")

    def __enter__(self) -> Shot:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _aim(self) -> None:
        while (pid := self._when()) is None:
            if self._over.wait(0.001):
                return
        if not self._over.wait(self._delay):
            self.at = time.monotonic()
            os.kill(pid, signal.SIGKILL)


@dataclass(slots=True)
class Heard:
    """What an owner sees of the events, and when."""

    shown: str = ""
    tokens: int = 0
    answer: Answer | None = None
    notices: list[tuple[float, Notice]] = field(default_factory=list)
    readies: list[tuple[float, Ready]] = field(default_factory=list)

    def hear(self, events: Iterable[AnswerEvent]) -> None:
        for event in events:
            now = time.monotonic()
            match event:
                case Chunk():
                    self.shown += event.text
                    self.tokens = event.tokens
                case Answer():
                    self.answer = event
                case Notice():
                    self.notices.append((now, event))
                case Ready():
                    self.readies.append((now, event))
                case _:
                    pass

    def problem(self) -> str:
        """What is wrong with an answer that was cut by a kill."""
        if self.answer is None:
            return "no answer at the end"
        if self.answer.finish != "interrupted":
            return f"finish {self.answer.finish}"
        if self.answer.text != self.shown:
            return "the text that was shown is not the text that was kept"
        return self.unexplained()

    def unexplained(self) -> str:
        """What is missing of the notice and of the return of the model."""
        if not any("memory ran out" in notice.text for _, notice in self.notices):
            return "no notice names the cause"
        return "" if self.readies else "not ready again"


class Range:
    """An engine under fire."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self._engine = Engine(folder, seeds=lambda: 1)
        self._seed = seed
        self._hours = 0.0
        self._engine._running.supervisor._clock = lambda: time.monotonic() + self._hours
        begun = time.monotonic()
        list(self._engine.start())
        self._start_seconds = time.monotonic() - begun
        self._first_seconds = self._until_first_token()

    def close(self) -> None:
        self._engine.close()

    def kill(self, number: int) -> Kill:
        """One case; a shot that came too late is tried again."""
        draw = chance(self._seed, number)
        moment = draw.choice(MOMENTS)
        for _ in range(TRIES):
            self._hours += SPELL_SECONDS + 1.0
            done = (
                self._at_load(number, draw) if moment == "load" else self._at(moment, number, draw)
            )
            if done is not None:
                return done
        raise SystemExit(f"Case {number}: {TRIES} answers ended before they could be killed.")

    def _until_first_token(self) -> float:
        begun = time.monotonic()
        for event in self._engine.answer(asked(STORY * 4, max_tokens=2)):
            if isinstance(event, Chunk):
                break
        spent = time.monotonic() - begun
        list(self._engine.answer(asked("Yes?", max_tokens=1)))
        return spent

    def _at_load(self, number: int, draw: Random) -> Kill | None:
        before = set(children())

        def newcomer() -> int | None:
            return next((pid for pid in children() if pid not in before), None)

        heard = Heard()
        with Shot(when=newcomer, delay=draw.uniform(0.0, self._start_seconds)) as shot:
            heard.hear(self._engine.start())
        if not shot.at:
            return None
        idle = shot.at >= heard.readies[0][0] and not heard.notices
        return self._judged(
            number, "idle" if idle else "load", heard, shot, "" if idle else heard.unexplained()
        )

    def _at(self, moment: str, number: int, draw: Random) -> Kill | None:
        heard = Heard()
        wanted = draw.randint(1, LATEST_TOKEN) if moment == "stream" else 0
        delay = draw.uniform(0.0, 0.05 if wanted else self._first_seconds)

        def soon() -> int | None:
            return child_of(self._engine) if heard.tokens >= wanted else None

        # Another beginning each time, so that the whole prompt has to be read.
        text = f"{number}. " + STORY * (1 if wanted else 4)
        with Shot(when=soon, delay=delay) as shot:
            heard.hear(self._engine.answer(asked(text, max_tokens=LONGEST_ANSWER)))
        if not shot.at or (heard.answer is not None and heard.answer.finish in ("end", "length")):
            return None
        shown = "stream" if heard.shown else "first"
        return self._judged(number, shown, heard, shot, heard.problem())

    def _judged(self, number: int, moment: str, heard: Heard, shot: Shot, problem: str) -> Kill:
        after = Heard()
        begun = time.monotonic()
        after.hear(self._engine.answer(asked("Is it over?", max_tokens=3)))
        if after.answer is None or after.answer.finish == "interrupted":
            problem = problem or "the next question was not answered"
        # A process that was killed while it had nothing to do is started by the next question.
        begin, readies = (begun, after.readies) if moment == "idle" else (shot.at, heard.readies)
        back, load = (
            (readies[-1][0], readies[-1][1].seconds) if readies else (time.monotonic(), 0.0)
        )
        noticed = [when - shot.at for when, _ in heard.notices]
        return Kill(
            number=number,
            moment=moment,
            shown=len(heard.shown),
            noticed=round(noticed[0], 4) if noticed else None,
            ready=round(back - begin, 4),
            load=round(load, 4),
            problem=problem,
        )


def findings(kills: list[Kill]) -> list[Finding]:
    """The promises of R4."""
    noticed = [kill.noticed for kill in kills if kill.noticed is not None]
    beyond = [kill.ready - kill.load for kill in kills]
    count = len(kills)
    return [
        Finding(
            promise="kills, and the process of the window alive after each",
            found=f"{count}: "
            + ", ".join(f"{sum(k.moment == m for k in kills)} {m}" for m in (*MOMENTS, "idle")),
            target="1,000 in the full run",
            met=count > 0,
        ),
        never(
            "shown text lost, no notice, or the next question unanswered",
            [kill for kill in kills if kill.problem],
            of=count,
        ),
        Finding(
            promise="until the notice",
            found=spread(noticed),
            target=f"≤ {NOTICED_SECONDS} s",
            met=bool(noticed) and max(noticed) <= NOTICED_SECONDS,
        ),
        Finding(
            promise="until ready again, less the load itself",
            found=spread(beyond),
            target=f"≤ {READY_SECONDS:g} s",
            met=bool(beyond) and max(beyond) <= READY_SECONDS,
        ),
        Finding(
            promise="until ready again",
            found=spread([kill.ready for kill in kills]),
            target="–",
            met=True,
        ),
    ]


def measure(ledger: Ledger[Kill], *, count: int, seed: int) -> None:
    """Do what is missing of so many kills."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        remember_settings(folder)
        engine = Range(folder, seed=seed)
        try:
            run(ledger, count=count, case=engine.kill, tell=lambda k: f"{k.moment} {k.problem}")
        finally:
            engine.close()


def main() -> int:
    given = arguments(__doc__, name="kills", count=1000).parse_args()
    ledger = Ledger(given.out, Kill, seed=given.seed)
    measure(ledger, count=given.count, seed=given.seed)
    about = {"model": "SmolLM2-135M-Instruct Q4_1, one thread", "seed": given.seed}
    return conclude(
        given.out, title="R4: kills of the model's process", about=about,
        findings=findings(ledger.cases),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
