"""Profile files grown towards what was not reached yet, by the branches that they take (R9).

    pip install --target FOLDER atheris        # no requirement of Attune; Linux
    PYTHONPATH=FOLDER python -m benchmarks.reliability.fuzz_profile [--minutes 60] [--corpus DIR]

Beginning with the golden files, atheris changes what reached something new: as bytes, and, every
second time, as JSON of which a few values, names or lists become others, under a checksum that
fits. Each file is judged as those of `profiles` are: it is read and comes back as it was, or it is
refused with one sentence; one in a thousand is taken in for good, beside votes and settings that
must be what they were afterwards. A file that is not is left in the corpus, as `crash-…`. A corpus
that is given is gone on with.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.reliability.runs import RESULTS, Finding, conclude

# The parser and what judges it are loaded where the fuzzer can watch that, in its process.

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "fixtures" / "profiles"
EACH = 1000
"""One file in so many is taken in, not only parsed."""
LONGEST = 65_536
"""Bytes of a file; those of megabytes are for `profiles`."""
SLOWEST = 10
"""Seconds after which a file counts as hanging."""
MOST = 2048
"""MB that the fuzzer's process may take."""

_COVERED = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")

Mutate = Callable[[bytes, int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzed:
    """What came of a run.

    files     that were judged
    outcomes  by the code of the error, or "taken"; "taken in" of those that were, for good
    branches  of the parser that were taken, and files in the corpus
    failed    the last words of a fuzzer that found something
    """

    files: int
    outcomes: dict[str, int]
    branches: int
    corpus: int
    failed: str


# In the fuzzer's process --------------------------------------------------------------------


class Judge:
    """Looks at one file after the other; raises where one is not as promised."""

    def __init__(self, folder: Path) -> None:
        from benchmarks.reliability.profiles import Owner, parsed

        self._owner, self._parsed = Owner(folder), parsed
        self._told = folder / "outcomes.json"
        self._outcomes: Counter[str] = Counter()
        self._number = 0

    def __call__(self, data: bytes) -> None:
        self._outcomes[self._parsed(data)] += 1
        if self._number % EACH == 0:
            self._owner.try_on(data, replace=self._number % (2 * EACH) == 0)
            self._outcomes["taken in"] += 1
            # The fuzzer ends the process without what a program does at its end.
            self._told.write_bytes(msgspec.json.encode(self._outcomes))
        self._number += 1


def mutated(data: bytes, longest: int, *, rng: random.Random, otherwise: Mutate) -> bytes:
    """Another file: one of sound JSON as often as one of other bytes."""
    from benchmarks.reliability.profiles import edit, sealed

    if rng.random() < 0.5:
        with suppress(ValueError, RecursionError, TypeError, KeyError):
            body = json.loads(data)["profile"]
            for _ in range(rng.choice((1, 1, 2, 4))):
                edit(body, rng)
            made = sealed(json.dumps(body).encode())
            if len(made) <= longest:
                return made
    return otherwise(data, longest)


def inside(folder: Path, flags: list[str]) -> None:
    """Fuzz until the fuzzer ends the process."""
    import atheris  # type: ignore[import-untyped]  # no requirement of ours

    with atheris.instrument_imports(include=["engine.store.profile", "engine.store.pieces"]):
        import engine.store.profile  # noqa: F401

    def mutator(data: bytes, longest: int, seed: int) -> bytes:
        return mutated(data, longest, rng=random.Random(seed), otherwise=atheris.Mutate)

    atheris.Setup([sys.argv[0], *flags], Judge(folder), custom_mutator=mutator)
    atheris.Fuzz()


# Outside ------------------------------------------------------------------------------------


def fuzz(corpus: Path, *, minutes: float, seed: int) -> Fuzzed:
    """Fuzz for so long. Raises SystemExit where atheris is not there."""
    corpus.mkdir(parents=True, exist_ok=True)
    for path in GOLDEN.iterdir():
        (corpus / path.name).write_bytes(path.read_bytes())
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        flags = (
            str(corpus), f"-max_total_time={max(1, round(60 * minutes))}", f"-seed={seed + 1}",
            f"-max_len={LONGEST}", f"-timeout={SLOWEST}", f"-rss_limit_mb={MOST}",
            f"-artifact_prefix={corpus}/", "-len_control=0",
        )  # fmt: skip
        command = (
            sys.executable, "-m", "benchmarks.reliability.fuzz_profile", "--inside", name, *flags,
        )  # fmt: skip
        threads = {"OPENBLAS_NUM_THREADS": "1"}
        told = subprocess.run(
            command, cwd=ROOT, env=os.environ | threads, stderr=subprocess.PIPE, check=False
        )
        said = told.stderr.decode("utf-8", "replace")
        if "No module named 'atheris'" in said:
            raise SystemExit("This needs atheris: pip install --target FOLDER atheris, and FOLDER "
                             "in PYTHONPATH.")  # fmt: skip
        outcomes = Path(name) / "outcomes.json"
        found = outcomes.read_bytes() if outcomes.exists() else b"{}"
    return heard(said, msgspec.json.decode(found, type=dict[str, int]), code=told.returncode)


def heard(said: str, outcomes: dict[str, int], *, code: int) -> Fuzzed:
    """What the fuzzer's words come to."""
    covered = _COVERED.findall(said)
    branches, _, corpus = (int(number) for number in covered[-1]) if covered else (0, 0, 0)
    done = re.findall(r"Done (\d+) runs|#(\d+)", said)
    return Fuzzed(
        files=max((int(a or b) for a, b in done), default=0),
        outcomes=outcomes,
        branches=branches,
        corpus=corpus,
        failed="" if code == 0 else said[-2_000:],
    )


def findings(found: Fuzzed, *, minutes: float) -> list[Finding]:
    """The promises of R9 that fuzzing keeps."""
    kinds = sorted(found.outcomes.items(), key=lambda pair: -pair[1])
    return [
        Finding(
            promise="files that grew out of the golden ones, and minutes",
            found=f"{found.files:,} in {minutes:g}",
            target="60 minutes in the full run",
            met=found.files > 0,
        ),
        Finding(
            promise="what came of them, as last counted",
            found=", ".join(f"{n:,} {kind}" for kind, n in kinds),
            target="–",
            met=True,
        ),
        Finding(
            promise="branches of the parser that were taken, files in the corpus",
            found=f"{found.branches}, {found.corpus}",
            target="–",
            met=True,
        ),
        Finding(
            promise="exceptions, hangs, profiles harmed",
            found=f"one: {found.failed.splitlines()[-1]}" if found.failed else "0",
            target="0",
            met=not found.failed,
        ),
    ]


def main() -> int:
    if sys.argv[1:2] == ["--inside"]:
        inside(Path(sys.argv[2]), sys.argv[3:])
        return 0
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, help="kept files; a folder for a moment otherwise")
    parser.add_argument("--out", type=Path, default=RESULTS / "fuzz-profile.json")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="corpus-") as name:
        corpus = (given.corpus or Path(name)).absolute()
        found = fuzz(corpus, minutes=given.minutes, seed=given.seed)
        if found.failed:
            print(found.failed)
    about = {"fuzzer": "atheris", "seed": given.seed}
    return conclude(
        given.out, title="R9: profile files grown by coverage", about=about,
        findings=findings(found, minutes=given.minutes),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
