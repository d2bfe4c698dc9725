"""The model's process runs out of memory; the message says so and the window is unharmed (R5).

    python -m benchmarks.reliability.shortages [--count 100] [--seed 0] [--out FILE]

The limit is one of address space (RLIMIT_AS) on the model's process alone: before it begins, so
that loading fails somewhere, or while it runs, just above what it uses. That makes allocations
fail inside the process. The other way to run out, the system killing it, looks from outside like
the kills of `benchmarks.reliability.kills`; a control group to cause it needs privileges, and is
not used here.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from benchmarks.reliability.engines import (
    address_space,
    asked,
    child_of,
    limited_host,
    remember_settings,
)
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
from engine.errors import AttuneError
from engine.types.answers import Answer, Ready
from engine.types.work import Notice

LOAD_MEGABYTES = (150, 480)
"""With less the process does not even begin, with more nothing fails."""
HEADROOM_MEGABYTES = 8
"""A stack of a thread; with more than that an answer needs nothing new."""
TRIES = 20
LONG = "Why is the sea blue, and why is it salty? " * 60
OFFERS = ("smaller", "Trying again with")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """What became of one.

    form       "load" or "answer"
    megabytes  the limit, or how much above what was used
    said       the sentences that the owner got
    seconds    until the model answered again, once the limit was gone
    problem    what was not as promised, "" where all was
    """

    number: int
    form: str
    megabytes: int
    said: tuple[str, ...]
    seconds: float
    problem: str


def case(number: int, folder: Path, *, seed: int) -> Shortage:
    """One shortage; limits that nothing failed under are drawn again."""
    draw = chance(seed, number)
    form = draw.choice(("load", "answer"))
    for _ in range(TRIES):
        if form == "load":
            megabytes = draw.randint(*LOAD_MEGABYTES)
            said, seconds, problem = _at_load(folder, megabytes)
        else:
            megabytes = draw.randint(0, HEADROOM_MEGABYTES)
            said, seconds, problem = _at_answer(folder, megabytes)
        if said:
            return Shortage(
                number=number, form=form, megabytes=megabytes, said=tuple(said),
                seconds=round(seconds, 3), problem=problem or _unnamed(said),
            )  # fmt: skip
    raise SystemExit(f"Case {number}: nothing failed under {TRIES} limits.")


def _at_load(folder: Path, megabytes: int) -> tuple[list[str], float, str]:
    engine = Engine(folder, host=limited_host(megabytes))
    try:
        said = heard(chain(engine.start(), engine.answer(asked(LONG, max_tokens=3))))
    finally:
        engine.close()
    begun = time.monotonic()
    relieved = Engine(folder)
    try:
        problem = "" if not heard(relieved.start()) else "trouble without a limit"
        return said, time.monotonic() - begun, problem or _silent(relieved)
    finally:
        relieved.close()


def _at_answer(folder: Path, megabytes: int) -> tuple[list[str], float, str]:
    engine = Engine(folder)
    try:
        list(engine.start())
        pid = child_of(engine)
        limit = address_space(pid) + (megabytes << 20)
        resource.prlimit(pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        said = heard(engine.answer(asked(LONG, max_tokens=3)))
        begun = time.monotonic()
        if child_of(engine) == pid:
            free = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(pid, resource.RLIMIT_AS, free)
        problem = _silent(engine)
        return said, time.monotonic() - begun, problem
    finally:
        engine.close()


def heard(events: Iterable[object]) -> list[str]:
    """The sentences that the owner gets while these events come, an error's included."""
    said: list[str] = []
    try:
        for event in events:
            if isinstance(event, Notice):
                said.append(event.text)
    except AttuneError as error:
        said.append(error.message)
    return said


def _silent(engine: Engine) -> str:
    """Whether a next question is left without an answer."""
    try:
        events = list(engine.answer(asked("Is it over?", max_tokens=2)))
    except AttuneError as error:
        return f"the next question: {error.message}"
    answered = any(isinstance(event, Answer) and event.tokens for event in events)
    restarted = any(isinstance(event, Ready) for event in events)
    return "" if answered else f"the next question has no answer (restarted: {restarted})"


def _unnamed(said: list[str]) -> str:
    if not any("memory" in sentence for sentence in said):
        return "memory is not named"
    wrong = [
        s for s in said if "report" in s or "template" in s or "damaged" in s or "crashed" in s
    ]
    if wrong:
        return f"something else is blamed: {wrong[0]}"
    return "" if any(offer in s for s in said for offer in OFFERS) else "no way out is offered"


def findings(cases: list[Shortage]) -> list[Finding]:
    """The promises of R5."""
    count = len(cases)
    loads = sum(case.form == "load" for case in cases)
    return [
        Finding(
            promise="shortages, and the process of the window alive after each",
            found=f"{count}: {loads} while loading, {count - loads} while answering",
            target="100 in the full run",
            met=count > 0,
        ),
        never(
            "memory not named, no smaller context or model offered, or no answer afterwards",
            [case for case in cases if case.problem],
            of=count,
        ),
        Finding(
            promise="until it answers again, once there is memory",
            found=spread([case.seconds for case in cases]),
            target="–",
            met=True,
        ),
    ]


def main() -> int:
    given = arguments(__doc__, name="shortages", count=100).parse_args()
    ledger = Ledger(given.out, Shortage, seed=given.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        remember_settings(folder)
        run(
            ledger,
            count=given.count,
            case=lambda number: case(number, folder, seed=given.seed),
            tell=lambda c: f"{c.form} {c.megabytes} MB {c.problem}",
        )
    about = {"model": "SmolLM2-135M-Instruct Q4_1, one thread", "limit": "RLIMIT_AS"}
    return conclude(
        given.out, title="R5: the model's process without memory",
        about=about | {"seed": given.seed}, findings=findings(ledger.cases),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
