"""Attune opens no connection: by what it is made of, by what it calls, and cut off (R12).

    python -m benchmarks.reliability.network [--minutes 60] [--xvfb] [--out FILE]

1. The libraries of all packages that Attune requires: which of them could open a socket at all,
   and are any of those in use by the window or by the model's process?
2. The whole app, used by a script for so many minutes, under strace: AF_UNIX only.
3. At the same time as 2, the same in a network namespace of its own, where there is nothing but a
   loopback device, whose packets are counted.
4. The model's process is refused a socket by the system.

The window is off the screen, or on a virtual one (`--xvfb`). What this machine cannot do is said,
and counts as not met.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import msgspec

from benchmarks.reliability.runs import RESULTS, Finding, conclude
from benchmarks.reliability.session import Used, prepare
from engine.inference.client import Client
from engine.session import selftest

ROOT = Path(__file__).parents[2]
PATIENCE = 600.0
"""Seconds that a session may take longer than it was told."""
CALLS = "socket,connect,sendto,sendmsg,sendmmsg,bind,listen,accept,accept4,io_uring_setup"
_SOCKET_CALLS = """
socket connect bind listen accept accept4 send sendto sendmsg sendmmsg recv recvfrom recvmsg
recvmmsg getaddrinfo gethostbyname gethostbyname_r gethostbyaddr getnameinfo getpeername shutdown
res_query __res_query res_nquery SSL_connect SSL_new SSL_CTX_new curl_easy_init
"""
SOCKET_CALLS = frozenset(_SOCKET_CALLS.split())
MAY = (
    r"/_socket\.", r"/libpython3", r"/python3", r"/libdbus-", r"/libxcb\.", r"/libX11\.",
    r"/libc[.-]", r"/libglib-", r"/libgio-", r"/libsystemd\.", r"/libcap\.", r"/libresolv[.-]",
    r"/libcrypto", r"/libnss_", r"/libICE\.", r"/libselinux\.", r"/libQt6XcbQpa\.",
    r"/libxkbcommon", r"/libXdmcp\.", r"/libbsd\.", r"/libgpg-error\.", r"/libuuid\.",
)  # fmt: skip
"""Of the system and of Python: displays, message buses, hashes. libcrypto and others have sockets
and nobody calls them, which is what the second and third layer are for."""
MUST_NOT = (r"/_ssl\.", r"/libssl", r"Qt6?Network", r"libllama-common", r"libcurl", r"/tls/")

_FAMILY = re.compile(r"\b(?:socket|socketpair)\((AF_\w+|\d+)")
_ADDRESS = re.compile(r"sa_family=(AF_\w+)")
_DEVICE = re.compile(r"^\s*(\w+):\s*(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Libraries of the required packages: how many, and which could open a socket."""

    count: int
    able: tuple[str, ...]


# 1. What it is made of ----------------------------------------------------------------------


def inventory() -> Inventory:
    """Ask nm about every library of the packages in requirements.txt."""
    libraries = sorted(_libraries())
    able = tuple(str(library) for library in libraries if socket_calls(library))
    return Inventory(count=len(libraries), able=able)


def _libraries() -> set[Path]:
    found: set[Path] = set()
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if (name := re.match(r"([\w.-]+)==", line)) is None:
            continue
        try:
            files = metadata.distribution(name[1]).files or []
        except metadata.PackageNotFoundError:  # of another system
            continue
        paths = (Path(str(file.locate())) for file in files)
        found |= {path.resolve() for path in paths if is_elf(path)}
    return found


def is_elf(path: Path) -> bool:
    """Whether this is a program or library of Linux."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def socket_calls(library: Path) -> frozenset[str]:
    """Which of the calls that make connections a library wants from others. Needs nm."""
    command = ("nm", "--dynamic", "--undefined-only", "--format=posix", str(library))
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    names = {line.split()[0].partition("@")[0] for line in told.splitlines() if line.split()}
    return SOCKET_CALLS & names


def strangers(mapped: Iterable[str]) -> tuple[str, ...]:
    """Of the files that a process uses, those that could open a socket and are not expected to."""
    libraries = [path for path in mapped if is_elf(Path(path))]
    return tuple(
        path
        for path in libraries
        if any(re.search(never, path) for never in MUST_NOT)
        or (socket_calls(Path(path)) and not any(re.search(may, path) for may in MAY))
    )


# 2. and 3. What it does ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Outing:
    """A scripted session: what was used, its seconds, families of sockets, packets sent.

    families  None where nobody watched the calls; likewise packets
    """

    used: Used
    seconds: float
    families: dict[str, int] | None = None
    packets: int | None = None


def watched(minutes: float, *, xvfb: bool) -> Outing:
    """A session under strace."""
    with tempfile.TemporaryDirectory() as name:
        trace = Path(name) / "trace"
        folder = Path(name) / "data"
        used, seconds, _ = _session(folder, minutes, before=watching(trace), xvfb=xvfb)
        with trace.open(encoding="utf-8", errors="replace") as lines:
            return Outing(used=used, seconds=seconds, families=families(lines))


def watching(trace: Path) -> tuple[str, ...]:
    """How a command is watched. Needs strace."""
    # Not with --seccomp-bpf: it hides the calls that the filter of the model's process refuses.
    return ("strace", "-f", "-qq", "-e", f"trace={CALLS}", "-o", str(trace))


def isolated(minutes: float) -> Outing:
    """A session that sees no network but a loopback device."""
    with tempfile.TemporaryDirectory() as name:
        line = 'ip link set lo up; "$@"; code=$?; cat /proc/net/dev; exit $code'
        before = (*apart(), "sh", "-c", line, "sh")
        used, seconds, rest = _session(Path(name) / "data", minutes, before=before, xvfb=False)
        return Outing(used=used, seconds=seconds, packets=packets(rest))


def apart() -> tuple[str, ...]:
    """How a network namespace is made here; () where it cannot be."""
    for command in (("unshare", "-n"), ("unshare", "-rn")):
        found = shutil.which(command[0])
        if found and subprocess.run((*command, "true"), capture_output=True).returncode == 0:
            return command
    return ()


def _session(
    folder: Path, minutes: float, *, before: Sequence[str], xvfb: bool
) -> tuple[Used, float, str]:
    """What was used, seconds, and what came on standard output afterwards."""
    # The display's own process is outside of what is watched.
    screen = ("xvfb-run", "-a") if xvfb else ()
    platform = "xcb" if xvfb else "offscreen"
    script = (sys.executable, "-m", "benchmarks.reliability.session", str(folder))
    environment = os.environ | {"QT_QPA_PLATFORM": platform, "OPENBLAS_NUM_THREADS": "1"}
    prepare(folder)  # tries on purpose whether a socket is refused, so it is not to be watched
    begun = time.monotonic()
    done = subprocess.run(
        (*screen, *before, *script, "--minutes", str(minutes)),
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True, text=True,
        timeout=60.0 * minutes + PATIENCE,
    )  # fmt: skip
    told, _, rest = done.stdout.partition("\n")
    return msgspec.json.decode(told, type=Used), time.monotonic() - begun, rest


def families(lines: Iterable[str]) -> dict[str, int]:
    """How often sockets of each family were made or addressed, refused attempts included."""
    found: Counter[str] = Counter()
    for line in lines:
        found.update(_FAMILY.findall(line) + _ADDRESS.findall(line))
        if "io_uring_setup(" in line:
            found["io_uring"] += 1
    return dict(found)


def packets(table: str) -> int:
    """Packets that all devices of /proc/net/dev have received or sent."""
    rows = (row[2].split() for row in _DEVICE.finditer(table))
    return sum(int(row[1]) + int(row[9]) for row in rows if len(row) > 9)


# The table ----------------------------------------------------------------------------------


def findings(minutes: float, *, xvfb: bool) -> tuple[list[Finding], dict[str, object]]:
    """The promises of R12, and lists for whoever wants to look."""
    rows: list[Finding] = []
    facts: dict[str, object] = {"window": "Xvfb" if xvfb else "off the screen"}
    have = {tool: shutil.which(tool) is not None for tool in ("nm", "strace", "ip")}
    # Side by side: each takes an hour, most of which a process waits for its own model.
    with ThreadPoolExecutor(2) as pool:
        traced = pool.submit(watched, minutes, xvfb=xvfb) if have["strace"] else None
        cut_off = pool.submit(isolated, minutes) if have["ip"] and apart() else None
    outing = traced.result() if traced else None
    alone = cut_off.result() if cut_off else None
    if outing is not None:
        rows.append(_watched_row(outing))
    else:
        rows.append(_impossible("AF_UNIX only, under strace", "strace is not installed"))
    if alone is not None:
        rows.append(_isolated_row(alone))
    else:
        rows.append(_impossible("works cut off", "no network namespace can be made here"))
    outing = outing or alone
    if have["nm"] and outing is not None:
        rows += _static_rows(outing.used, facts)
    else:
        rows.append(_impossible("libraries that could", "nm is not installed"))
    offline = selftest.probe(Client).offline
    rows.append(
        Finding(
            promise="the model's process is refused a socket", found="yes" if offline else "no",
            target="yes", met=offline,
        )
    )  # fmt: skip
    return rows, facts


def _static_rows(used: Used, facts: dict[str, object]) -> list[Finding]:
    made = inventory()
    rows = [
        Finding(
            promise="libraries of the packages that could open a socket",
            found=f"{len(made.able)} of {made.count}",
            target="none of them in use",
            met=not set(made.able) & {str(Path(path).resolve()) for path in _all(used)},
        )
    ]
    facts["could"] = ", ".join(sorted({Path(path).name for path in made.able})) or "none"
    for name, paths in (("window", used.window), ("model's process", used.child)):
        strange = strangers(paths)
        shown = ", ".join(Path(path).name for path in strange) or "none"
        libraries = sum(is_elf(Path(path)) for path in paths)
        rows.append(
            Finding(
                promise=f"in use by the {name}, could open a socket, not expected to",
                found=f"{shown} (of {libraries})",
                target="none",
                met=not strange,
            )
        )
    return rows


def _all(used: Used) -> tuple[str, ...]:
    return (*used.window, *used.child)


def _watched_row(outing: Outing) -> Finding:
    seen = outing.families or {}
    # Whether the filter holds is found out by trying; the attempts are refused.
    shown = ", ".join(f"{count} {family}" for family, count in sorted(seen.items())) or "none"
    return Finding(
        promise=f"sockets, under strace, {_length(outing)}",
        found=shown,
        target="AF_UNIX only",
        met=set(seen) <= {"AF_UNIX"},
    )


def _isolated_row(outing: Outing) -> Finding:
    return Finding(
        promise=f"works where there is no network, {_length(outing)}",
        found=f"yes, {outing.packets} packets",
        target="0 packets; 60 min in the full run",
        met=outing.packets == 0,
    )


def _length(outing: Outing) -> str:
    done = ", ".join(f"{count} × {what}" for what, count in outing.used.done.items())
    return f"{outing.seconds / 60:.1f} min: {done}"


def _impossible(promise: str, why: str) -> Finding:
    return Finding(promise=promise, found=f"not run: {why}", target="", met=False)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--out", type=Path, default=RESULTS / "network.json")
    parser.add_argument("--xvfb", action="store_true", help="on a virtual screen")
    given = parser.parse_args()
    rows, facts = findings(given.minutes, xvfb=given.xvfb)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    return conclude(given.out, title="R12: no network", about=facts, findings=rows)


if __name__ == "__main__":
    sys.exit(main())
