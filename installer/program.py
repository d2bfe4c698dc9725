"""The installed program: the window, the command line, and the children that it starts of itself.

PyInstaller freezes this file. It is told apart by its arguments what the process is to be, so that
there is one program on the disk, and nothing but the wanted part is imported.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence

from engine.program import BE

_PATH, _BEFORE = "LD_LIBRARY_PATH", "LD_LIBRARY_PATH_ORIG"


def main(arguments: Sequence[str]) -> int:
    """Be what the arguments say, and return the exit code."""
    match arguments:
        case [option, part] if option == BE:
            return _be(part)
        case ["--self-test"]:
            from installer.self_test import run

            return run()
        case ["--licences"]:
            from installer.papers import show

            return show()
        case _:
            from desktop.__main__ import main as attune

            return attune(_meant(arguments))


def _be(part: str) -> int:
    # Literal imports: what is frozen is found by reading them.
    match part:
        case "engine.inference.host":
            from engine.inference import host

            return host.main()
        case "engine.jobs.host":
            from engine.jobs import host as job_host

            return job_host.main()
        case _:
            print(f"This is no part of Attune: {part}.", file=sys.stderr)
            return 2


def _meant(arguments: Sequence[str]) -> list[str]:
    """Without what macOS adds when it starts an application by a click."""
    return [each for each in arguments if not each.startswith("-psn_")]


def give_back_libraries() -> None:
    """Have programs that Attune starts, such as a browser, find the system's own libraries.

    The loader has read the variable when this process began; what comes later reads ours.
    """
    before = os.environ.pop(_BEFORE, None)
    if before is not None:
        os.environ[_PATH] = before
    else:
        os.environ.pop(_PATH, None)


if __name__ == "__main__":
    multiprocessing.freeze_support()
    give_back_libraries()
    sys.exit(main(sys.argv[1:]))
