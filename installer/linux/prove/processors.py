"""Whether the program runs on processors that this machine is not: emulated by qemu.

qemu emulates one process and not those that it starts, so the child that runs models is started
by it directly, and spoken to as Attune does.
"""

from __future__ import annotations

import shutil
from functools import partial

from engine.inference.client import Client
from engine.models.catalogue import STARTER_FILE
from engine.program import BE
from engine.session import selftest
from installer.linux.prove.roots import OWNER, Root

QEMU = "/usr/bin/qemu-x86_64-static"
MODELS = ("Nehalem", "SandyBridge", "Haswell")
CONTEXT = 512

_PROGRAM = "/opt/attune/attune"
# What the program's own start would set before it begins anew as itself, which qemu cannot follow.
_STARTED = {
    "LD_LIBRARY_PATH": "/opt/attune/_internal",
    "_PYI_ARCHIVE_FILE": _PROGRAM,
    "_PYI_PARENT_PROCESS_LEVEL": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def answers_on(root: Root, processor: str) -> str:
    """Which library of llama.cpp the starter model ran with on that processor, of which, and why
    those before it failed. Raises EngineError where not even probing went well."""
    shutil.copyfile(QEMU, root.path / "qemu")
    (root.path / "qemu").chmod(0o755)
    command = root.command(
        "/qemu", "-cpu", processor, _PROGRAM, BE, "engine.inference.host",
        user=OWNER, variables=_STARTED,
    )  # fmt: skip
    model = f"/opt/attune/_internal/assets/models/{STARTER_FILE}"
    found = selftest.run(partial(Client, command, background=True), model=model, context=CONTEXT)
    works = next((trial for trial in found.trials if trial.works), None)
    failed = selftest.failures([trial for trial in found.trials if not trial.works])
    if works is None:
        return f"nothing works: {failed}"
    told = f"{works.launch.variant}, of {', '.join(found.machine.variants)}"
    return f"{told}; before it: {failed}" if failed else told


def window_on(root: Root, processor: str) -> str:
    """The lines of the self-test about modules and the window, on that processor."""
    said = root.run(
        "/qemu", "-cpu", processor, _PROGRAM, "--self-test",
        user=OWNER, variables=_STARTED, seconds=900,
    )  # fmt: skip
    lines = [line for line in said.text.splitlines() if line[7:15].strip() in ("modules", "window")]
    return "; ".join(" ".join(line.split()) for line in lines) or said.text[-300:]
