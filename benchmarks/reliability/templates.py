"""Hostile chat templates in a process like the model's: no side effect, an end, a reason (R8).

    python -m benchmarks.reliability.templates [--count 200] [--seed 0] [--out FILE]

Each template is judged by the code that judges those of model files, in a fresh process with the
confinement of the model's process. There, Python tells of every file, process, socket and import;
beside it lie a file and a variable with a secret. A template may end the process; a model is then
loaded again with a plain one. What does not is ended when the window would lose patience.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from benchmarks.reliability.hostile_templates import Family, templates
from benchmarks.reliability.runs import (
    Finding,
    Ledger,
    arguments,
    conclude,
    never,
    run,
    spread,
)
from engine.inference.client import SILENCE_SECONDS
from engine.inference.templates import MEMORY, SECONDS

ROOT = Path(__file__).parents[2]
MARKS = ("<s>", "</s>")
TOLERANCE = 0.5
"""Seconds in which a machine with other work on it notices that time is up."""
CANARY = "canary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """What became of one template.

    source    whose template answers in the end: "model" or "plain"
    reason    the sentence that the owner gets, "" for the model's own
    seconds   until that was known
    grown     MB that the process grew by
    ended     "" where the process lived, else what ended it
    offences  what it did that no template needs
    problem   what was not as promised, "" where all was
    """

    number: int
    family: str
    template: str
    source: str
    reason: str
    seconds: float
    grown: float
    ended: str
    offences: tuple[str, ...]
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the process says of itself; where it was ended, the beginning alone.

    before  bytes of memory before the template came
    shown   the prompt that was rendered
    """

    before: int = 0
    source: str = "plain"
    reason: str = ""
    seconds: float | None = None
    offences: tuple[str, ...] = ()
    shown: str = ""


def attack(number: int, family: Family, template: str) -> Attack:
    """Try one template."""
    secret = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / CANARY).write_text(secret)
        told, seconds, peak, ended = _in_a_process(folder, template, secret)
        touched = [path.name for path in folder.iterdir() if path.name != CANARY]
        spoiled = not (folder / CANARY).is_file() or (folder / CANARY).read_text() != secret
    offences = [*told.offences, *(f"made {name}" for name in touched)]
    offences += ["changed the canary"] if spoiled else []
    offences += ["told the secret"] if secret in repr(told) else []
    return Attack(
        number=number,
        family=family.name,
        template=template[:200],
        source=told.source,
        reason=told.reason[:200],
        seconds=round(seconds if told.seconds is None else told.seconds, 3),
        grown=round((peak - told.before) / 1e6, 1),
        ended=ended,
        offences=tuple(offences),
        problem="a bomb was let through" if family.bomb and told.source == "model" else "",
    )


def _in_a_process(folder: Path, template: str, secret: str) -> tuple[Told, float, int, str]:
    """What it told, seconds, bytes of memory at the most, and what ended it."""
    command = (sys.executable, "-m", "benchmarks.reliability.templates", "--inside", str(folder))
    environment = {"PATH": os.environ["PATH"], "CANARY": secret, "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(template.encode())
        process.stdin.close()
        first = process.stdout.readline()
        begun = time.monotonic()
        watchdog = threading.Timer(SILENCE_SECONDS["template"], process.kill)
        watchdog.start()
        second = process.stdout.readline()
        seconds = time.monotonic() - begun
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        watchdog.cancel()
    told = msgspec.json.decode(second or first, type=Told)
    ended = "" if second else f"status {process.returncode}"
    return told, seconds, usage.ru_maxrss * 1024, ended


# Inside the process -------------------------------------------------------------------------

_READ_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_DEEDS = ("os.", "subprocess.", "socket.", "shutil.", "pty.", "sqlite3.", "urllib.", "ftplib.")
_OURS = ("jinja2", "markupsafe", "engine")


class Watch:
    """Remembers what the process does, as Python itself tells of it."""

    def __init__(self) -> None:
        self.offences: list[str] = []
        self._homes = (str(ROOT), sys.prefix, sys.base_prefix, os.path.realpath(sys.prefix))
        self._on = False
        sys.addaudithook(self._hear)

    def begin(self) -> None:
        self._on = True

    def end(self) -> None:
        self._on = False

    def _hear(self, event: str, given: tuple[object, ...]) -> None:
        if self._on and len(self.offences) < 20 and self._offends(event, given):
            self.offences.append(f"{event} {given!r:.100}")

    def _offends(self, event: str, given: tuple[object, ...]) -> bool:
        if event == "open":
            path, _, flags = given
            reads = isinstance(flags, int) and not flags & _READ_FLAGS
            return not (reads and (path == "/proc/self/statm" or self._at_home(path)))
        if event in ("os.listdir", "os.scandir"):
            return not self._at_home(given[0])
        if event == "import":
            name = str(given[0]).partition(".")[0]
            return name not in sys.stdlib_module_names and name not in _OURS
        return event.startswith(_DEEDS)

    def _at_home(self, path: object) -> bool:
        return isinstance(path, str) and path.startswith(self._homes)


def inside(folder: Path) -> int:
    """Judge the template on standard input; tells the memory before, and then what came of it."""
    from engine.inference.confinement import confine
    from engine.inference.templates import Refused, choose, may_end_process
    from engine.types.answers import Message

    template = sys.stdin.buffer.read().decode()
    os.chdir(folder)
    confine()
    may_end_process()
    variables = dict(os.environ)
    watch = Watch()
    told = Told(before=_resident())
    _tell(told)
    watch.begin()
    begun = time.perf_counter()
    form = choose(template, marks=MARKS, speaks_chatml=True)
    shown = ""
    try:
        shown = form.render((Message(role="user", text="What is in the file?"),))
    except Refused as refused:
        shown = str(refused)
    seconds = time.perf_counter() - begun
    watch.end()
    offences = [*watch.offences, *(["changed the environment"] if variables != os.environ else [])]
    told = replace(
        told, source=form.source, reason=form.reason, seconds=seconds, offences=tuple(offences),
        shown=shown[:10_000],
    )  # fmt: skip
    _tell(told)
    return 0


def _tell(told: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


# The table ----------------------------------------------------------------------------------


def findings(cases: list[Attack]) -> list[Finding]:
    """The promises of R8."""
    count = len(cases)
    late = [case for case in cases if case.seconds > SECONDS + TOLERANCE]
    limit = MEMORY / 1e6
    return [
        Finding(
            promise="hostile templates",
            found=f"{count}: {sum(c.source == 'plain' for c in cases)} replaced by a plain one",
            target="200 in the full run",
            met=count > 0,
        ),
        never("with a side effect", [case for case in cases if case.offences], of=count),
        never("a bomb that was let through", [case for case in cases if case.problem], of=count),
        Finding(
            promise="of these, ended with the process, since nothing else ends them",
            found=f"{sum(bool(case.ended) for case in cases)} of {count}",
            target="–",
            met=True,
        ),
        never(f"not judged within {SECONDS:g} s and {TOLERANCE:g} s of grace", late, of=count),
        Finding(
            promise="until judged",
            found=spread([case.seconds for case in cases]),
            target=f"≤ {SECONDS + TOLERANCE:g} s",
            met=not late,
        ),
        Finding(
            promise="memory beyond what the process had",
            found=spread([case.grown for case in cases], unit="MB"),
            target=f"≤ {limit:.0f} MB",
            met=all(case.grown <= limit for case in cases),
        ),
    ]


def main() -> int:
    parser = arguments(__doc__, name="templates", count=200)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        return inside(given.inside)
    hostile = templates(given.count, seed=given.seed)
    ledger = Ledger(given.out, Attack, seed=given.seed)
    run(
        ledger,
        count=given.count,
        case=lambda number: attack(number, *hostile[number]),
        tell=lambda c: f"{c.family}: {c.source} {c.seconds} s {c.ended} {c.reason} {c.problem}",
    )
    return conclude(
        given.out, title="R8: hostile chat templates", about={"seed": given.seed},
        findings=findings(ledger.cases),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
