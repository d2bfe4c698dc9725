"""The `attune` command. Imports nothing heavy: most commands need no window."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from desktop import display

if TYPE_CHECKING:
    from engine.api import OpenWindow


_PROCESS = "-psn_"
"""How macOS begins the argument that is the number of a process, and means nothing to us."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; it asks for the window when it is wanted and there is a display."""
    from engine.cli.main import main as run

    arguments = sys.argv[1:] if argv is None else argv
    return run(
        [argument for argument in arguments if not argument.startswith(_PROCESS)],
        open_window=_open_window,
        has_display=display.available,
        window_trouble=display.trouble,
        language_trouble=_language_trouble,
    )


def _open_window(request: OpenWindow) -> int:
    from desktop.app import open_window

    return open_window(request)


def _language_trouble(language: str) -> str:
    from desktop.languages import trouble  # Qt comes with it

    return trouble(language)


if __name__ == "__main__":
    sys.exit(main())
