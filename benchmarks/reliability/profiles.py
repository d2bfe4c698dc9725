"""Files that are no profiles, or no longer: is each refused with one sentence, and nothing harmed?

    python -m benchmarks.reliability.profiles --count 100000 --seed 0 [--minutes 10]

Case n of a seed is always the same file: a golden one with other bytes, with other values and a
checksum that fits, or with other JSON; or a bomb. Every one is parsed, every hundredth is taken in
for good, beside votes and settings that must come out of it byte by byte. A run that was ended goes
on where its result file ends.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.config import Settings, SettingsFile
from engine.errors import ProfileError
from engine.session.profiles import Profiles
from engine.store import profile
from engine.store.record import Record, Standing

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "fixtures" / "profiles"
RESULTS = Path(__file__).parent / "results"
NAME = Path("case.attune-profile")

EACH = 100
"""One case in so many is taken in, not only parsed."""

LARGE = 500
"""One case in so many is of some megabytes."""

SLOW = 10.0
"""Seconds of computing after which a case counts as hanging."""

Make = Callable[[random.Random], bytes]


@dataclass(kw_only=True)
class Tally:
    """What came of the cases so far.

    outcomes  by the code of the error, or "taken"
    imports   the same of those that were taken in for good
    failures  cases that did something else, with what they did
    slowest   seconds of computing that the slowest case took
    peak      of memory that it took to read a large case, the file included, MiB
    """

    seed: int
    done: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    imports: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0
    peak: float = 0.0
    seconds: float = 0.0
    """Of computing, the making of the files apart."""


# The cases ------------------------------------------------------------------------------------


def goldens() -> list[bytes]:
    """The files of every version."""
    return [path.read_bytes() for path in sorted(GOLDEN.glob(f"*{profile.SUFFIX}"))]


def case(seed: int, number: int) -> bytes:
    """The file of a case."""
    rng = random.Random(f"{seed}/{number}")
    if number % LARGE == LARGE - 1:
        return _bomb(rng)
    kinds: tuple[Make, ...] = (_other_bytes, _other_values, _other_body, _any_json, _sound)
    return rng.choice(kinds)(rng)


def sealed(body: bytes, **head: object) -> bytes:
    """The file around a body, with a checksum that fits."""
    checksum = f"sha256:{hashlib.sha256(body).hexdigest()}"
    outside = {"format": "attune-profile", "version": 1, "checksum": checksum} | head
    return json.dumps(outside).encode()[:-1] + b', "profile": ' + body + b"}"


def _other_bytes(rng: random.Random) -> bytes:
    return _scrambled(rng.choice(goldens()), rng)


def _scrambled(data: bytes, rng: random.Random) -> bytes:
    """With a few bytes changed, left out, put in, doubled or cut off."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        place = rng.randrange(len(made) + 1)
        match rng.randrange(6):
            case 0:
                made[place : place + 1] = bytes([rng.randrange(256)])
            case 1:
                made[place : place + 1] = rng.choice(b'"{}[],:\\0-.eE').to_bytes()
            case 2:
                del made[place : place + rng.choice((1, 1, 8, 64))]
            case 3:
                made[place:place] = rng.randbytes(rng.choice((1, 4, 32)))
            case 4:
                made[place:place] = made[place : place + rng.choice((8, 64, 512))]
            case _:
                del made[len(made) - rng.randrange(min(64, len(made) + 1)) :]
    return bytes(made)


def _other_body(rng: random.Random) -> bytes:
    """Scrambled inside, under a checksum that fits."""
    body = json.dumps(json.loads(rng.choice(goldens()))["profile"]).encode()
    return sealed(_scrambled(body, rng))


def _other_values(rng: random.Random) -> bytes:
    """Sound JSON with a few values, names or lists that are others, and a checksum that fits."""
    whole = json.loads(rng.choice(goldens()))
    for _ in range(rng.choice((1, 1, 2, 4))):
        edit(whole["profile"], rng)
    head = {"version": rng.choice((0, 2, 2**70, "1"))} if rng.random() < 0.02 else {}
    return sealed(json.dumps(whole["profile"], allow_nan=True).encode(), **head)


def _sound(rng: random.Random) -> bytes:
    """Of somebody else: nothing in it is wrong, and most of it is new."""
    body = json.loads(max(goldens(), key=len))["profile"]
    votes = [_voted(rng.choice(body["votes"]), rng) for _ in range(rng.choice((0, 1, 5, 40)))]
    body["votes"] = list({vote["duel"]: vote for vote in votes}.values())
    body["traits"] = rng.sample(body["traits"], rng.randrange(len(body["traits"])))
    settings = body["settings"]
    settings["gamma"], settings["neutral"] = rng.uniform(0.0, 10.0), rng.random() < 0.5
    settings["fade"] = rng.choice((None, 0.5, 40.0))
    return sealed(json.dumps(body).encode())


def _voted(vote: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    streams = ("short+", "short-", "warm+", "own-x+", "unheard-of-")
    answers = [
        answer | {"utilities": {s: rng.gauss(0.0, 10.0) * 10 ** rng.randrange(4) for s in streams}}
        for answer in vote["answers"]
    ]
    return vote | {
        "duel": f"{rng.randrange(12):08x}",
        "at": rng.uniform(0.0, 2e9),
        "outcome": rng.choice(("first", "second", "equal", "neither")),
        "trait": rng.choice(("", "short", "warm", "unheard-of")),
        "answers": answers,
    }


def edit(value: Any, rng: random.Random) -> None:
    """Change something somewhere below."""
    while True:
        if isinstance(value, dict) and value:
            key: Any = rng.choice(sorted(value))
        elif isinstance(value, list) and value:
            key = rng.randrange(len(value))
        else:
            return
        if rng.random() < 0.3 or not isinstance(value[key], (dict, list)) or not value[key]:
            break
        value = value[key]
    match rng.randrange(4):
        case 0:
            del value[key]
        case 1 if isinstance(value, dict):
            value[_any_text(rng)] = value.pop(key)
        case 2 if isinstance(value, list):
            value.insert(rng.randrange(len(value) + 1), value[key])
        case _:
            value[key] = _near(value[key], rng)


def _near(value: Any, rng: random.Random) -> Any:
    """Another value, often of the same kind."""
    if isinstance(value, float) and rng.random() < 0.7:
        return rng.choice((-value, value * 10, 0.0, -0.0, 5e-324, 1e6, -1e6, 1e6 + 1, 1e308))
    if isinstance(value, str) and rng.random() < 0.7:
        others = ("", "second", "neither", "neural", "length", value * 2, value[:-1], f"{value}\n")
        return rng.choice(others)
    return _any_value(rng)


def _any_value(rng: random.Random, depth: int = 0) -> Any:
    if depth < 4 and rng.random() < 0.3:
        inner = [_any_value(rng, depth + 1) for _ in range(rng.randrange(4))]
        return inner if rng.random() < 0.5 else {_any_text(rng): each for each in inner}
    numbers = (0, 1, -1, 2**31, 2**63, 10**30, 0.5, 1e-300, 1e300, float("nan"), float("inf"))
    return rng.choice((None, True, False, _any_text(rng), *numbers))


def _any_text(rng: random.Random) -> str:
    texts = (
        "",
        "short",
        "short+",
        "own-x",
        "a" * 301,
        "../../x",
        "\0",
        "\ud800",
        "🙂",
        "\u202e",
        "x\n",
    )
    return rng.choice((*texts, "".join(chr(rng.randrange(1, 0x3000)) for _ in range(8))))


def _any_json(rng: random.Random) -> bytes:
    keys = ("exported", "traits", "settings", "votes", "format", "version", "checksum", "profile")
    found = {key: _any_value(rng) for key in rng.sample(keys, rng.randrange(1, 8))}
    data = json.dumps(found).encode()
    return data if rng.random() < 0.5 else sealed(data)


def _bomb(rng: random.Random) -> bytes:
    """Some megabytes of something deep, long or many; or of votes that are sound."""
    size = rng.choice((1, 4, 8, 15, 17)) << 20
    unit = rng.choice(
        (b"[", b'{"a":', b"[],", b'"",', b"0,", b"\\", b'"', b" ", b"\0", b'{"a":0},')
    )
    many = unit * (size // len(unit))
    around: tuple[bytes, ...] = (
        many,
        b"[" + many + b"0]",
        b'{"format":"attune-profile","version":1,"profile":[' + many + b"0]}",
        sealed(b'{"exported":0,"traits":[],"votes":[' + many + b"0]}"),
        sealed(b'{"exported":0,"traits":[{"id":"a","sentence":"' + b"x" * size + b'"}]}'),
        sealed(b'{"settings":{"sliders":{%b}}}' % _names(size)),
        sealed(_votes(size)),
    )
    return rng.choice(around)


def _names(size: int) -> bytes:
    return b",".join(b'"a%x":0.5' % number for number in range(size // 13))


def _votes(size: int) -> bytes:
    body = json.loads(goldens()[0])["profile"]
    vote = json.dumps(body["votes"][2]).replace(body["votes"][2]["duel"], "%08x").encode()
    many = b",".join(vote % number for number in range(size // len(vote)))
    return (
        json.dumps(body | {"votes": []}).encode().replace(b'"votes": []', b'"votes": [%b]' % many)
    )


# The runs -------------------------------------------------------------------------------------


class Owner:
    """A data folder with votes and settings, that nothing may harm."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._file = folder, SettingsFile(folder / "settings.json")
        self._file.write(replace(Settings(), gamma=3.5, sliders={"warm+": 0.75}))
        self._record = Record(folder / "record.db", clock=lambda: 0.0)
        self._profiles = Profiles(
            self._record,
            settings=lambda: self._file.read()[0],
            change=self._change,
            note=folder / "import.json",
            clock=lambda: 0.0,
        )
        self._profiles.import_(next(GOLDEN.glob("v1-full*")))

    def _change(self, **changes: Any) -> Settings:
        wanted = replace(self._file.read()[0], **changes)
        self._file.write(wanted)
        return wanted

    def try_on(self, data: bytes, *, replace: bool) -> str:
        """Take a file in, and back again. Raises AssertionError where anything else is left."""
        path = self.folder / NAME
        path.write_bytes(data)
        before, stood = self._bytes(), self._stands()
        try:
            diff = self._profiles.import_(path, replace=replace)
        except ProfileError as error:
            assert self._bytes() == before, "the live profile was changed"
            return error.code
        if not diff.empty:
            self._profiles.undo(self._record.undo)
        assert self._stands() == stood, "undo does not bring back what was"
        return "taken"

    def _bytes(self) -> list[bytes]:
        names = ("record.db", "settings.json")
        return [(self.folder / name).read_bytes() for name in names]

    def _stands(self) -> tuple[Standing, Settings]:
        return self._record.standing(), self._file.read()[0]

    def close(self) -> None:
        self._record.close()


def parsed(data: bytes) -> str:
    """What came of it: a code, or "taken". Raises what ought not to be raised."""
    try:
        found = profile.decoded(data, NAME)
    except ProfileError as error:
        said = error
    else:
        again = profile.encoded(found)
        assert profile.encoded(profile.decoded(again, NAME)) == again, "it does not come back"
        return "taken"
    assert str(NAME) in said.message
    assert said.message.endswith(".")
    assert len(said.message) < 500
    return said.code


def run(tally: Tally, numbers: Iterable[int], *, on_case: Callable[[], bool]) -> None:
    """Go through the cases; `on_case` says whether to go on."""
    outcomes, imports = Counter(tally.outcomes), Counter(tally.imports)
    folder = Path(tempfile.mkdtemp(prefix="profiles-"))
    owner = Owner(folder)
    try:
        for number in numbers:
            data, begun = case(tally.seed, number), time.process_time()
            large = number % LARGE == LARGE - 1
            try:
                outcomes[_weighed(data, tally, folder=folder) if large else parsed(data)] += 1
                if number % EACH == 0:
                    imports[owner.try_on(data, replace=number % (2 * EACH) == 0)] += 1
            except Exception as error:  # noqa: BLE001  # whatever it is, it is what is looked for
                tally.failures.append(f"case {number}: {error!r}"[:300])
            took = time.process_time() - begun
            if took > SLOW:
                tally.failures.append(f"case {number}: took {took:.1f} s")
            tally.slowest = max(tally.slowest, took)
            tally.seconds += took
            tally.done = number + 1
            tally.outcomes, tally.imports = dict(outcomes), dict(imports)
            if not on_case():
                break
    finally:
        owner.close()
        shutil.rmtree(folder)


def _weighed(data: bytes, tally: Tally, *, folder: Path) -> str:
    """Parsed as before; and in a process of its own, where no memory was freed before that could
    be used again, with the most that it takes."""
    path = folder / "large"
    path.write_bytes(data)
    command = [sys.executable, "-m", "benchmarks.reliability.profiles", "--weigh", str(path)]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    tally.peak = max(tally.peak, float(said.stdout))
    return parsed(data)


def _weigh(path: Path) -> int:
    """Say how many MiB it takes to read a file, beyond those of the program."""
    before = _memory("VmRSS")
    with suppress(ProfileError):
        profile.read(path)
    print(max(0.0, _memory("VmHWM") - before))
    return 0


def _memory(which: str) -> float:
    """MiB; 0 where the system does not tell."""
    try:
        told = Path("/proc/self/status").read_text()
    except OSError:
        return 0.0
    return int(told.split(f"{which}:")[1].split()[0]) / 1024


# The command ----------------------------------------------------------------------------------


def report(tally: Tally) -> str:
    """The result in words."""
    rate = tally.done / tally.seconds if tally.seconds else 0.0
    lines = [
        "# Damaged and hostile profiles",
        "",
        f"`python -m benchmarks.reliability.profiles --count {tally.done} --seed {tally.seed}`",
        "",
        f"{tally.done} files, {len(tally.failures)} of them failures; {rate:.0f} a second, the "
        f"slowest took {tally.slowest:.2f} s; a file of megabytes took "
        f"{tally.peak:.0f} MiB of memory at most to be read "
        f"({platform.machine()}, Python {platform.python_version()}).",
        "",
        "| outcome | parsed | taken in |",
        "|---|---|---|",
    ]
    for outcome in sorted(tally.outcomes, key=lambda o: -tally.outcomes[o]):
        parsed_, taken = tally.outcomes[outcome], tally.imports.get(outcome, 0)
        lines.append(f"| {outcome} | {parsed_} | {taken} |")
    return "\n".join([*lines, "", *tally.failures, ""]).rstrip() + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--out", type=Path, default=RESULTS / "profiles.json")
    parser.add_argument("--weigh", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.weigh:
        return _weigh(given.weigh)
    tally = Tally(seed=given.seed)
    if given.out.exists():
        earlier = Tally(**json.loads(given.out.read_text()))
        tally = earlier if earlier.seed == given.seed else tally
    end = time.monotonic() + 60.0 * given.minutes

    def on_case() -> bool:
        if tally.done % 5_000 == 0:
            _keep(tally, given.out)
        left: bool = time.monotonic() < end
        return left

    run(tally, range(tally.done, given.count), on_case=on_case)
    _keep(tally, given.out)
    print(report(tally))
    return 1 if tally.failures else 0


def _keep(tally: Tally, out: Path) -> None:
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(asdict(tally), indent=1) + "\n")
    out.with_suffix(".md").write_text(report(tally))


if __name__ == "__main__":
    sys.exit(main())
