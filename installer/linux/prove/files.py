"""What the installed files themselves show: what they link to, and that they know no network."""

from __future__ import annotations

import subprocess
from pathlib import Path

from installer.licences import COMMON, REFERRED
from installer.linux.prove.roots import Root

SOCKETS = frozenset({
    "socket", "connect", "bind", "listen", "accept", "accept4", "getaddrinfo", "gethostbyname",
    "gethostbyname_r", "res_query", "SSL_new", "SSL_connect", "gnutls_init",
})  # fmt: skip
"""Functions that nobody needs who opens no connection."""

MAY = (
    "_socket.",          # Python's own module: whether a display is there is asked through it
    "libdbus-1.so",      # the desktop's own bus, a socket in a folder
    "libsystemd.so",     # which libdbus links to
    "libX11.so", "libxcb", "libXau.so", "libXdmcp.so",  # the display, a socket in a folder
    "libgpg-error.so",   # which libsystemd links to, by way of libgcrypt
    "libglib-2.0.so",    # the system's log, a socket in a folder
)  # fmt: skip
"""Files that hold them all the same, and why."""

ABSENT = ("libssl", "libcrypto", "_ssl.", "QtNetwork", "Qt6Network", "llama-common")


def networked(program: Path) -> list[str]:
    """Files of the program, the downloader's apart, that know how to open a connection and are not
    among those that may, and files that should not be there at all."""
    found = []
    for file in elves(program):
        if program / "download" in file.parents:
            continue
        calls = undefined(file) & SOCKETS
        if calls and not file.name.startswith(MAY):
            found.append(f"{file.name} calls {', '.join(sorted(calls))}")
        if any(name in file.name for name in ABSENT):
            found.append(f"{file.name} is there")
    return sorted(found)


def glibc(program: Path) -> tuple[int, int]:
    """The newest version of the C library that any file asks for."""
    newest = (0, 0)
    for file in elves(program):
        listing = subprocess.run(["objdump", "-T", str(file)], capture_output=True, text=True)
        for word in listing.stdout.replace("(", " ").replace(")", " ").split():
            if word.startswith("GLIBC_2."):
                numbers = word.removeprefix("GLIBC_").split(".")
                newest = max(newest, (int(numbers[0]), int(numbers[1])))
    return newest


def missing_texts(program: Path) -> list[str]:
    """Licences that others refer to, or that everybody looks for, and that are not there."""
    texts = program / "_internal" / "licences" / "texts"
    wanted = {"pyside6-essentials/LGPL-3.0.txt", "llama.cpp/llama.cpp.txt", "attune/LICENSE.txt"}
    for file in (file for file in texts.rglob("*") if file.is_file()):
        said = REFERRED.findall(file.read_text(encoding="utf-8", errors="replace"))
        wanted |= {f"{COMMON}/{name}.txt" for name in said}
    return sorted(name for name in wanted if not (texts / name).is_file())


def missing_libraries(root: Root, program: str) -> list[str]:
    """What any file of the program links to and the system does not have."""
    missing = set()
    for part in (program, f"{program}/download"):
        folder = root.path / part.lstrip("/") / "_internal"
        if not folder.is_dir():
            continue
        inside = {"LD_LIBRARY_PATH": f"{part}/_internal"}
        names = [f"/{file.relative_to(root.path)}" for file in elves(folder)]
        said = root.run("ldd", *names, variables=inside).text
        missing |= {line.split()[0] for line in said.splitlines() if "not found" in line}
    return sorted(missing)


def elves(folder: Path) -> list[Path]:
    """Every program and library in a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return [path for path in files if path.open("rb").read(4) == b"\x7fELF"]


def undefined(file: Path) -> set[str]:
    """Names of the functions that a library wants of others."""
    listing = subprocess.run(
        ["nm", "-D", "--undefined-only", str(file)], capture_output=True, text=True, check=False
    )
    return {line.split()[-1].partition("@")[0] for line in listing.stdout.splitlines() if line}
