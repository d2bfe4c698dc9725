"""`python -m engine.download`, for one order."""

from __future__ import annotations

import sys

from engine.download.program import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
