"""Clean systems to install in: made by debootstrap, entered by chroot, thrown away."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

UBUNTU = ("jammy", "noble")
SUITES = ("bookworm", "trixie", *UBUNTU)
"""Each comes from where debootstrap finds it, which checks the signatures of all of them."""

OWNER = "owner"
SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a command in a root ended."""

    code: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """One system in a folder.

    Whatever is mounted for a command is so for that command alone, and is gone with it.
    """

    path: Path

    def run(
        self,
        *command: str,
        user: str = "root",
        network: bool = False,
        variables: Mapping[str, str] | None = None,
        read_only: str = "",
        seconds: float = SECONDS,
    ) -> Said:
        """Run a command to its end.

        network    whether it may reach one
        read_only  a folder that nobody can write to meanwhile
        """
        whole = self.command(
            *command, user=user, network=network, variables=variables, read_only=read_only
        )
        try:
            done = subprocess.run(
                whole, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            return Said(code=124, text=(late.output or b"").decode(errors="replace"))
        return Said(code=done.returncode, text=done.stdout.decode(errors="replace"))

    def command(
        self,
        *command: str,
        user: str = "root",
        network: bool = False,
        variables: Mapping[str, str] | None = None,
        read_only: str = "",
    ) -> list[str]:
        """The command line that enters the root and becomes the command: one process, no other."""
        root = shlex.quote(str(self.path))
        steps = [
            f"mount -t proc proc {root}/proc",
            f"mount --rbind /dev {root}/dev",
            f"mkdir -p {root}/tmp/.X11-unix",
            f"mount --bind /tmp/.X11-unix {root}/tmp/.X11-unix",
        ]
        if read_only:
            place = shlex.quote(f"{self.path}{read_only}")
            steps += [f"mount --bind {place} {place}", f"mount -o remount,ro,bind {place}"]
        home = "/root" if user == "root" else f"/home/{user}"
        told = {"HOME": home, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        told |= {"DEBIAN_FRONTEND": "noninteractive"} | dict(variables or {})
        words = ["chroot", f"--userspec={user}:{user}", str(self.path), "env", "-i"]
        words += [f"{name}={value}" for name, value in told.items()] + list(command)
        script = " && ".join([*steps, f"exec {shlex.join(words)}"])
        return ["unshare", "--mount", *([] if network else ["--net"]), "sh", "-c", script]

    def files(self) -> set[str]:
        """Every path, less what a package manager keeps about itself and about what was there."""
        kept = ("/var/lib/", "/var/cache/", "/var/log/", "/proc/", "/dev/", "/tmp/", "/run/")
        found = (f"/{path.relative_to(self.path)}" for path in self.path.rglob("*"))
        return {path for path in found if not path.startswith(kept)}


def fresh(suite: str, name: str, *, work: Path) -> Root:
    """A new copy of a bare system, with one user. Fetches the system the first time."""
    bare = work / suite
    if not (bare / "usr").is_dir() or not (bare / "etc" / "apt").is_dir():
        command = ["debootstrap", "--variant=minbase", *_keyring(suite, work), suite, str(bare)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    path = work / name
    discard(Root(path=path))
    subprocess.run(["cp", "-a", str(bare), str(path)], check=True)
    for file in ("resolv.conf", "hosts"):
        shutil.copyfile(f"/etc/{file}", path / "etc" / file)
    _trust_this_network(path)
    root = Root(path=path)
    root.run("useradd", "--create-home", OWNER)
    return root


def discard(root: Root) -> None:
    """Remove a system. Nothing is mounted in it any more when its commands have ended."""
    if root.path.exists():
        subprocess.run(["rm", "-rf", "--one-file-system", str(root.path)], check=True)


def _keyring(suite: str, work: Path) -> Sequence[str]:
    """Debian does not bring Ubuntu's keys; put the package's file beside the roots."""
    file = work / "ubuntu-archive-keyring.gpg"
    return [f"--keyring={file}"] if suite in UBUNTU and file.exists() else []


def _trust_this_network(root: Path) -> None:
    """Where apt needs a proxy here, it needs it in there, too."""
    for file in Path("/etc/apt/apt.conf.d").glob("*prox*"):
        shutil.copyfile(file, root / "etc/apt/apt.conf.d" / file.name)
