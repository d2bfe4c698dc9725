"""What is proved of an installed Attune, one promise after the other."""

from __future__ import annotations

import json
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from installer.linux.prove import files, processors
from installer.linux.prove.roots import OWNER, Root, Said
from installer.linux.prove.screen import Screen

PROGRAM = "/opt/attune"
STARTS = 5
ODD_PLACE = "/home/owner/Grüße aus Łódź"
QUESTION = "What colour is the sky?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One promise, whether it was kept, and what was seen."""

    promise: str
    kept: bool
    seen: str


def install(root: Root, package: Path) -> Iterator[Finding]:
    """With dpkg alone it is refused in good order; apt brings what it depends on."""
    shutil.copyfile(package, root.path / "tmp" / "attune.deb")
    alone = root.run("dpkg", "-i", "/tmp/attune.deb")
    refused = alone.code != 0 and "dependency problems" in alone.text
    yield Finding(promise="dpkg alone says what is missing", kept=refused, seen=_last(alone))
    root.run("dpkg", "--purge", "attune")
    root.run("apt-get", "update", network=True)
    command = ("apt-get", "install", "--yes", "--no-install-recommends", "/tmp/attune.deb")
    brought = root.run(*command, network=True)
    yield Finding(promise="apt installs it", kept=brought.code == 0, seen=_last(brought))


def in_the_terminal(root: Root, user: str) -> Iterator[Finding]:
    """Offline: the self-test, an answer, and a sentence where there is no display."""
    tested = root.run("attune", "--self-test", user=user)
    yield Finding(promise=f"{user}: self-test", kept=tested.code == 0, seen=_lines(tested))
    asked = root.run("attune", "ask", QUESTION, "--max-tokens", "12", "--seed", "1", user=user)
    yield Finding(promise=f"{user}: answers offline", kept=asked.code == 0, seen=_last(asked))
    bare = root.run("attune", user=user)
    told = bare.code == 0 and "There is no display for the window" in bare.text
    yield Finding(
        promise=f"{user}: no display, a sentence", kept=told, seen=bare.text.strip()[:160]
    )


def window(root: Root, user: str, screen: Screen, pictures: Path) -> Iterator[Finding]:
    """It shows, without a network, is known by its entry, and leaves when it is asked to."""
    seconds = [shown(root, user, screen, pictures, number) for number in range(STARTS)]
    name = pictures.name
    yield Finding(
        promise=f"{user}: window in at most 0.6 s (median of {STARTS})",
        kept=statistics.median(seconds) <= 0.6,
        seen=f"{', '.join(f'{each:.2f}' for each in seconds)} s; see {name}",
    )


def shown(root: Root, user: str, screen: Screen, picture: Path, number: int) -> float:
    """Seconds from the start to a painted window; its picture is kept. Ends it with SIGTERM."""
    command = root.command("attune", user=user, variables={"DISPLAY": screen.name})
    screen.wait_until_empty()
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        seconds = screen.wait_for_window(begun)
        if number == 0:
            time.sleep(4)
            screen.save(picture)
            known = screen.window_class()
            assert '"attune"' in known, f"WM_CLASS is {known}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
    return seconds


def first_token(root: Root, user: str) -> Iterator[Finding]:
    """From the start of the program to the first token of an answer, once it knows the machine."""
    took = []
    for _ in range(STARTS):
        begun = time.monotonic()
        root.run("attune", "ask", QUESTION, "--max-tokens", "1", user=user)
        took.append(time.monotonic() - begun)
    yield Finding(
        promise=f"{user}: first token in at most 1.5 s (median of {STARTS})",
        kept=statistics.median(took) <= 1.5,
        seen=f"{', '.join(f'{each:.2f}' for each in took)} s",
    )


def odd_places(root: Root) -> Iterator[Finding]:
    """Nothing is written into the program's folder, and folders may have any name."""
    fixed = root.run("attune", "ask", QUESTION, "--max-tokens", "4", user=OWNER, read_only="/opt")
    yield Finding(promise="works from a read-only /opt", kept=fixed.code == 0, seen=_last(fixed))
    place = f"{ODD_PLACE}/data"
    root.run("mkdir", "-p", ODD_PLACE, user=OWNER)
    told = root.run("attune", "ask", QUESTION, "--max-tokens", "4", "--data-dir", place, user=OWNER)
    there = (root.path / place.lstrip("/") / "settings.json").exists()
    yield Finding(
        promise="data in a folder with spaces and other letters",
        kept=told.code == 0 and there,
        seen=_last(told),
    )


def files_themselves(root: Root) -> Iterator[Finding]:
    """Nothing is missing, nothing speaks to a network, nothing is too new."""
    missing = files.missing_libraries(root, PROGRAM)
    yield Finding(promise="no missing library", kept=not missing, seen=", ".join(missing) or "none")
    program = root.path / PROGRAM.lstrip("/")
    found = files.networked(program)
    yield Finding(promise="no socket, no TLS", kept=not found, seen="; ".join(found) or "none")
    texts = files.missing_texts(program)
    yield Finding(promise="no missing licence", kept=not texts, seen=", ".join(texts) or "none")
    newest = files.glibc(program)
    seen = ".".join(map(str, newest))
    yield Finding(promise="C library 2.35 is enough", kept=newest <= (2, 35), seen=seen)
    size = sum(each.lstat().st_size for each in program.rglob("*") if each.is_file())
    yield Finding(
        promise="installed at most 350 MB", kept=size <= 350e6, seen=f"{size / 1e6:.0f} MB"
    )


def upgrade(root: Root, package: Path) -> Iterator[Finding]:
    """What was learned is the same after a newer version came."""
    _profile(root, "add", "Be kind to beginners.")
    before = _profile(root, "show", "--json")
    newer = newer_version(package, root.path / "tmp" / "newer.deb")
    done = root.run("dpkg", "-i", "/tmp/newer.deb")
    after = _profile(root, "show", "--json")
    same = json.loads(before.text)["traits"] == json.loads(after.text)["traits"]
    kept = done.code == 0 and same and "kind to beginners" in after.text
    yield Finding(promise="an upgrade keeps the profile", kept=kept, seen=f"to {newer}")


def purge(root: Root) -> Iterator[Finding]:
    """Nothing is left of it but what it keeps for its owners."""
    gone = root.run("apt-get", "purge", "--yes", "attune")
    left = sorted(
        path for path in root.files()
        if "attune" in path.lower() and not path.startswith(("/root/", "/home/"))
    )  # fmt: skip
    kept = gone.code == 0 and not left
    yield Finding(promise="purge leaves nothing", kept=kept, seen=", ".join(left[:5]) or "nothing")
    data = root.path / "home" / OWNER / ".local/share/attune/settings.json"
    yield Finding(promise="purge keeps the owner's data", kept=data.exists(), seen=str(data.name))


def without_root(root: Root, archive: Path) -> Iterator[Finding]:
    """The archive installs for one user, in any folder, and goes again."""
    shutil.copyfile(archive, root.path / "tmp" / "attune.run")
    root.run("apt-get", "install", "--yes", "xz-utils", network=True)  # on every desktop
    before = root.files()
    place = f"{ODD_PLACE}/programs"
    done = root.run("sh", "/tmp/attune.run", "--prefix", place, user=OWNER)
    yield Finding(
        promise="the archive installs without root", kept=done.code == 0, seen=_last(done)
    )
    if done.code != 0:
        return
    asked = root.run(f"{place}/bin/attune", "ask", QUESTION, "--max-tokens", "4", user=OWNER)
    yield Finding(promise="and answers from there", kept=asked.code == 0, seen=_last(asked))
    entry = root.path / place.lstrip("/") / "share/applications/io.github.attune.Attune.desktop"
    line = next((x for x in entry.read_text().splitlines() if x.startswith("Exec=")), "")
    right = line == f'Exec="{place}/lib/attune/attune" %f'
    yield Finding(promise="its entry starts it there", kept=right, seen=line)
    again = root.run("sh", "/tmp/attune.run", "--prefix", place, user=OWNER)
    yield Finding(promise="installs over itself", kept=again.code == 0, seen=_last(again))
    root.run(f"{place}/lib/attune/uninstall", user=OWNER)
    left = sorted(
        path for path in root.files() - before if "/.local/share/attune" not in path
    )  # fmt: skip
    left = [
        path
        for path in left
        if path not in (place, "/home/owner/.local/share", "/home/owner/.local")
    ]
    yield Finding(
        promise="and uninstalls", kept=not left, seen=", ".join(left[:5]) or "nothing left"
    )


def damaged_archive(archive: Path) -> Iterator[Finding]:
    """A byte that changed on the way is found before anything is unpacked."""
    with tempfile.TemporaryDirectory() as folder:
        broken = Path(folder) / "broken.run"
        data = bytearray(archive.read_bytes())
        data[len(data) // 2] ^= 1
        broken.write_bytes(data)
        done = subprocess.run(
            ["sh", str(broken), "--prefix", f"{folder}/prefix"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        kept = done.returncode == 1 and "damaged" in done.stderr
        untouched = not (Path(folder) / "prefix").exists()
    yield Finding(
        promise="a damaged archive is refused", kept=kept and untouched, seen=done.stderr.strip()
    )


def old_processors(root: Root) -> Iterator[Finding]:
    """It starts and answers on processors since 2008; see `processors` for how that is tried."""
    for processor in processors.MODELS:
        try:
            seen = processors.answers_on(root, processor)
        except Exception as error:  # noqa: BLE001 - that it ended, however, is the finding
            seen = f"failed: {error}"
        kept = not seen.startswith(("failed", "nothing"))
        yield Finding(promise=f"answers on {processor} (emulated)", kept=kept, seen=seen)
        shows = processors.window_on(root, processor)
        yield Finding(
            promise=f"starts on {processor} (emulated)", kept=shows.count("ok ") == 2, seen=shows
        )


def papers(package: Path) -> Iterator[Finding]:
    """What Debian's and the desktops' own checkers say."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "-x", str(package), folder], check=True)
        share = Path(folder) / "usr" / "share"
        name = "io.github.attune.Attune"
        manual = str(share / "man/man1/attune.1.gz")
        commands: Mapping[str, list[str]] = {
            "lintian": ["lintian", "--fail-on", "error,warning", str(package)],
            "desktop entry": ["desktop-file-validate", str(share / f"applications/{name}.desktop")],
            "metadata": ["appstreamcli", "validate", "--no-net",
                         str(share / f"metainfo/{name}.metainfo.xml")],
            "manual": ["sh", "-c", f"man --warnings -E UTF-8 -l {manual} 2>&1 >/dev/null | "
                       "{ ! grep . ; }"],
        }  # fmt: skip
        for what, command in commands.items():
            if shutil.which(command[0]) is None:
                yield Finding(promise=f"{what} is valid", kept=False, seen=f"no {command[0]} here")
                continue
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            seen = (done.stdout + done.stderr).strip()
            yield Finding(promise=f"{what} is valid", kept=done.returncode == 0, seen=seen[-400:])


def newer_version(package: Path, into: Path) -> str:
    """The same package as a version that comes after it, not compressed again for long."""
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / "package"
        subprocess.run(["dpkg-deb", "-R", str(package), str(unpacked)], check=True)
        control = unpacked / "DEBIAN" / "control"
        text = control.read_text(encoding="utf-8")
        version = next(x for x in text.splitlines() if x.startswith("Version: ")) + "+1"
        lines = [version if x.startswith("Version: ") else x for x in text.splitlines()]
        control.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [
            "dpkg-deb",
            "-b",
            "--root-owner-group",
            "-Zgzip",
            "-z1",
            str(unpacked),
            str(into),
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return version.removeprefix("Version: ")


def _profile(root: Root, *words: str) -> Said:
    return root.run("attune", "profile", *words, user=OWNER)


def _last(said: Said) -> str:
    lines = said.text.strip().splitlines()
    return lines[-1][:160] if lines else f"code {said.code}"


def _lines(said: Said) -> str:
    return "; ".join(" ".join(line.split())[:120] for line in said.text.strip().splitlines())
