"""What an installed Attune says about the work of others in it."""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = "licences"
"""Where they lie in the installed program, beside its libraries."""

TABLE = "LICENCES.md"
BILL = "components.cdx.json"


def folder() -> Path:
    """The folder of licences of the installed program that this is."""
    return Path(str(getattr(sys, "_MEIPASS", ""))) / FOLDER


def show() -> int:
    """Print what is inside, under which licence, and where the texts are."""
    print((folder() / TABLE).read_text(encoding="utf-8"))
    print(f"The full texts: {folder()}")
    return 0
