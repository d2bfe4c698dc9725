"""Every call that writes fails in turn: one sentence, nothing claimed, nothing lost (R3).

    python -m benchmarks.reliability.write_errors [--every 1] [--only NAME] [--seed 0] [--out FILE]

For each deed of an owner the calls that write are counted; then the first fails, in a folder of its
own, then the second, and so on until none is left: with no space, with an error of the disk that
takes half of what was to be written, and with a file system that became read-only; alone, or with
every later call. Each deed is done by a forked child that has the engine of a program just started.
A case is one deed with one error. Linux with gcc: `faults.py` says how.
"""

from __future__ import annotations

import errno
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from benchmarks.reliability import faults
from benchmarks.reliability.deeds import DEEDS, Deed, Seen, furnish, litter, opened, seen, unsound
from benchmarks.reliability.faults import Fault
from benchmarks.reliability.forks import Child, Line
from benchmarks.reliability.runs import Finding, Ledger, arguments, conclude, never
from engine.errors import AttuneError, InternalError

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS)
CLAIMS = ("Nothing was", "nothing is", "nothing was")
"""Who says so must be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What became of one deed, call by call.

    error     its name in errno.h
    lasts     every later call failed, too
    calls     that it makes, and that failed in turn
    said      times that it ended with a sentence
    done      times that it was done all the same
    litter    times that a file was left that was to be there for a moment only
    problems  what was not as promised
    """

    number: int
    deed: str
    error: str
    lasts: bool
    calls: int
    said: int
    done: int
    litter: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a child tells: how a try ended.

    how   "done", "said" or "raised"
    text  what was said or raised
    """

    how: Literal["done", "said", "raised"]
    text: str = ""
    calls: int = 0


def attempt(deed: Deed, root: Path, fault: Fault, *, again: bool) -> Callable[[Line], None]:
    """What a child does: the deed with a fault, and, when it may go on, once more without it."""

    def act(line: Line) -> None:
        engine = opened(root)
        with faults.armed(root, fault) as counted:
            how, text = _ended(lambda: deed.act(engine, root))
        line.tell(msgspec.json.encode(Told(how=how, text=text, calls=counted[0])) + b"\n")
        line.wait()
        if again:
            how, text = _ended(lambda: deed.act(engine, root))
            line.tell(msgspec.json.encode(Told(how=how, text=text)) + b"\n")
        engine.close()

    return act


def _ended(act: Callable[[], object]) -> tuple[Literal["done", "said", "raised"], str]:
    try:
        act()
    except AttuneError as error:
        return ("raised" if isinstance(error, InternalError) else "said"), error.message
    except BaseException as error:  # noqa: BLE001  # whatever it is, it is what is looked for
        return "raised", repr(error)
    return "done", ""


class Bench:
    """Does one deed again and again, each time in a fresh copy of the same folder."""

    def __init__(self, deed: Deed, folder: Path) -> None:
        self._deed, self._folder = deed, folder
        self._first, self._root = folder / "first", folder / "owner"
        furnish(self._first)
        deed.furnish(self._first)
        _copy(self._first, self._root)
        self._old = seen(self._root)
        child = self._begin(Fault(), again=False)
        self._end(child)
        (counted,) = _told(child)
        if counted.how != "done":
            raise SystemExit(f"{deed.name} fails without any fault: {counted.text}")
        self.calls, self._new = counted.calls, seen(self._root)

    def series(self, number: int, *, error: int, lasts: bool, every: int = 1) -> Series:
        """Let each call fail, or each `every`-th."""
        said = done = left = 0
        problems = []
        tried = range(1, self.calls + 1, every)
        for at in tried:
            # The same program tries again, or the next one does.
            same = (at // every) % 2 == int(lasts)
            told, problem = self._case(Fault(at=at, error=error, lasts=lasts), same=same)
            said, done = said + (told == "said"), done + (told == "done")
            left += bool(litter(self._folder / "look"))
            if problem:
                problems.append(f"call {at}: {problem}")
        return Series(
            number=number, deed=self._deed.name, error=errno.errorcode[error], lasts=lasts,
            calls=len(tried), said=said, done=done, litter=left, problems=tuple(problems),
        )  # fmt: skip

    def _case(self, fault: Fault, *, same: bool) -> tuple[str, str]:
        """How the try ended, and what is wrong."""
        _copy(self._first, self._root)
        child = self._begin(fault, again=same)
        between = self._now()
        self._end(child)
        told = _told(child)
        if not told:
            return "raised", "the process ended, or hangs"
        if problem := self._problem(told[0], between):
            return told[0].how, problem
        if not same:
            child = self._begin(Fault(), again=False)
            self._end(child)
            told += _told(child)
        if len(told) < 2:
            return told[0].how, "the process ended at the next try, or hangs"
        return told[0].how, self._again(told[1], between, first=told[0])

    def _problem(self, told: Told, now: Seen | str) -> str:
        """What is wrong with the first try."""
        if told.how == "raised":
            return told.text
        if isinstance(now, str):
            return f"{now}, after: {told.text}"
        if told.how == "done":
            return "" if now == self._new else "it is claimed done, and is not"
        if problem := _wanting(told.text):
            return problem
        if now == self._old or self._deed.between(self._old, self._new, now):
            return ""  # where it has several steps, the sentence is about the one that failed
        if any(claim in told.text for claim in CLAIMS):
            return f"nothing is said to have changed, and something did: {told.text}"
        if now == self._new:
            return ""
        return f"neither old nor new, after: {told.text}"

    def _again(self, told: Told, between: Seen | str, *, first: Told) -> str:
        """What is wrong with the next try, which nothing hindered."""
        now = self._now()
        if isinstance(now, str):
            return f"{now}, after the next try"
        if told.how == "done":
            # Where the first one was done, this one does it twice.
            fine = now == self._new or first.how == "done" or between != self._old
            return "" if fine else "the next try comes to something else"
        if told.how == "said" and now == self._new == between:
            return ""  # it was done already, and that is said
        return f"the next try fails, too: {told.text}"

    def _begin(self, fault: Fault, *, again: bool) -> Child:
        """A child that has done it once."""
        child = Child(attempt(self._deed, self._root, fault, again=again))
        child.hear(until=lambda said: b"\n" in said)
        return child

    def _end(self, child: Child) -> None:
        child.let_go_on()
        child.end()

    def _now(self) -> Seen | str:
        """What a program finds that starts now, or what is wrong. It looks at a copy: it may mend
        what the one that runs would stumble over."""
        look = self._folder / "look"
        _copy(self._root, look)
        try:
            found = seen(look)
        except AttuneError as error:
            return f"it cannot be read any more ({error.message})"
        return unsound(look) or found


def _copy(source: Path, to: Path) -> None:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(source, to)


def _told(child: Child) -> list[Told]:
    return [msgspec.json.decode(line, type=Told) for line in child.said.splitlines()]


def _wanting(text: str) -> str:
    """What is wrong with a sentence."""
    plain = text.isprintable() and text.endswith(".") and len(text) < 500
    return "" if plain and "Errno" not in text else f"not a plain sentence: {text!r}"


# The table ----------------------------------------------------------------------------------


def kinds() -> list[tuple[Deed, int, bool]]:
    """Every deed with every error, one call or all from then on."""
    return [(deed, error, lasts) for deed in DEEDS for error in ERRORS for lasts in (False, True)]


def findings(series: list[Series]) -> list[Finding]:
    """The promises of R3."""
    calls = sum(one.calls for one in series)
    said, done = sum(one.said for one in series), sum(one.done for one in series)
    broken = [one for one in series if one.problems]
    deeds = {one.deed for one in series}
    most = max((one.calls for one in series), default=0)
    return [
        Finding(
            promise="calls that failed in turn",
            found=f"{calls:,} in {len(deeds)} deeds, up to {most} in one",
            target="all of each deed",
            met=calls > 0,
        ),
        Finding(
            promise="how they ended",
            found=f"{said:,} with a sentence, {done:,} done all the same",
            target="–",
            met=True,
        ),
        never(
            "deeds with an exception, a false claim, a loss, or a next try that fails",
            broken,
            of=len(series),
        ),
        Finding(
            promise="of the calls",
            found=f"{sum(len(one.problems) for one in broken)}",
            target="0",
            met=not broken,
        ),
        Finding(
            promise="times that something was left that was to be there for a moment only",
            found=f"{sum(one.litter for one in series):,}",
            target="–",
            met=True,
        ),
    ]


def measure(ledger: Ledger[Series], *, only: str, every: int) -> None:
    """Do what is missing."""
    wanted = kinds()
    benches: dict[str, Bench] = {}

    def case(number: int, folder: Path) -> Series:
        deed, error, lasts = wanted[number]
        if deed.name not in benches:
            benches[deed.name] = Bench(deed, folder / str(number))
        return benches[deed.name].series(number, error=error, lasts=lasts, every=every)

    with tempfile.TemporaryDirectory(prefix="write-errors-") as name:
        for number in ledger.missing(len(wanted)):
            if only in wanted[number][0].name:
                done = case(number, Path(name))
                ledger.add(done)
                print(_line(done), flush=True)


def _line(done: Series) -> str:
    return "\n  ".join(
        (f"{done.deed}, {done.error}{' from then on' if done.lasts else ''}: {done.calls} calls, "
         f"{done.said} said, {done.done} done, {done.litter} left something", *done.problems[:3])
    )  # fmt: skip


def main() -> int:
    if not faults.loaded():
        return faults.run_again("benchmarks.reliability.write_errors", sys.argv[1:])
    parser = arguments(__doc__, name="write-errors", count=len(kinds()))
    parser.add_argument("--every", type=int, default=1, help="let only every so many calls fail")
    parser.add_argument("--only", default="", help="deeds with this in their names")
    given = parser.parse_args()
    ledger = Ledger(given.out, Series, seed=given.seed)
    measure(ledger, only=given.only, every=given.every)
    about = {"errors": ", ".join(errno.errorcode[error] for error in ERRORS)}
    return conclude(
        given.out, title="R3: each call that writes fails in turn", about=about,
        findings=findings(ledger.cases),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
