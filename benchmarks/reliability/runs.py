"""Long runs that can be broken off: each case is kept as it ends, a summary closes the run.

A case is a frozen dataclass of plain values with a `number`; the run with one seed and one name
always consists of the same cases, so the numbers tell which are still to be done.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import msgspec

RESULTS = Path(__file__).parent / "results"


class Numbered(Protocol):
    """What a kept case has to have."""

    @property
    def number(self) -> int: ...


Case = TypeVar("Case", bound=Numbered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One promise: what was found, what was wanted, whether it holds."""

    promise: str
    found: str
    target: str
    met: bool


class Ledger(Generic[Case]):
    """The cases of one run, a JSON line each below a line that says which run it is."""

    def __init__(self, path: Path, kind: type[Case], *, seed: int) -> None:
        """Raises SystemExit where the file holds another run."""
        self._path, self._kind = path, kind
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(json.dumps({"seed": seed}) + "\n", encoding="utf-8")
        first, *lines = path.read_bytes().split(b"\n")
        if json.loads(first)["seed"] != seed:
            raise SystemExit(f"{path} holds a run with another seed. Move it away, or use --out.")
        # A line that was broken off in the middle is done again; what follows it begins a new one.
        whole = lines[:-1]
        path.write_bytes(b"\n".join([first, *whole, b""]))
        self.cases: list[Case] = [msgspec.json.decode(line, type=kind) for line in whole]

    def missing(self, count: int) -> list[int]:
        """Numbers below `count` that are still to be done, in order."""
        done = {case.number for case in self.cases}
        return [number for number in range(count) if number not in done]

    def add(self, case: Case) -> None:
        """Keep a case at once."""
        self.cases.append(case)
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(case) + b"\n")


def chance(seed: int, number: int) -> random.Random:
    """The randomness of one case, the same whether or not those before it were done."""
    return random.Random(f"{seed}/{number}")


def arguments(about: str | None, *, name: str, count: int) -> argparse.ArgumentParser:
    """What every run can be told.

    name   of the files that it leaves in `results`
    count  cases of the full form
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=count, help=f"cases; {count} are the full run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS / f"{name}.jsonl", help="kept cases")
    return parser


def run(
    ledger: Ledger[Case], *, count: int, case: Callable[[int], Case], tell: Callable[[Case], str]
) -> None:
    """Do and keep what is missing; `tell` says in a line what came of a case."""
    for number in ledger.missing(count):
        done = case(number)
        ledger.add(done)
        print(f"{number + 1}/{count} {tell(done)}", flush=True)


def conclude(
    out: Path, *, title: str, about: Mapping[str, object], findings: Sequence[Finding]
) -> int:
    """Write the summary beside the kept cases, as JSON and as a table; 1 if a target is missed."""
    facts = {"machine": f"{platform.system()} {platform.machine()}", **about}
    rows = [msgspec.to_builtins(finding) for finding in findings]
    text = json.dumps({"title": title, "about": facts, "findings": rows}, indent=1)
    out.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    page = "\n".join(_page(title, facts, findings))
    out.with_suffix(".md").write_text(page + "\n", encoding="utf-8")
    print(page)
    return 0 if all(finding.met for finding in findings) else 1


def _page(title: str, about: Mapping[str, object], findings: Iterable[Finding]) -> Iterable[str]:
    yield f"# {title}\n"
    yield "; ".join(f"{key} {value}" for key, value in about.items()) + ".\n"
    yield "| promise | found | target | met |"
    yield "|---|---|---|---|"
    for finding in findings:
        met = "yes" if finding.met else "**no**"
        yield f"| {finding.promise} | {finding.found} | {finding.target} | {met} |"


def spread(values: Sequence[float], *, unit: str = "s") -> str:
    """Median, 95 % and the largest; "none" of nothing."""
    if not values:
        return "none"
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    middle = statistics.median(ordered)
    return f"median {middle:.3g} {unit}, 95 % {high:.3g}, most {ordered[-1]:.3g}"


def never(promise: str, broken: Sequence[Numbered], *, of: int, target: str = "") -> Finding:
    """That something happened in no case; names the first cases where it did."""
    first = ", ".join(str(case.number) for case in broken[:5])
    where = f" (cases {first}{' …' if len(broken) > 5 else ''})" if broken else ""
    return Finding(
        promise=promise,
        found=f"{len(broken)} of {of}{where}",
        target=target or "0",
        met=not broken and of > 0,
    )
