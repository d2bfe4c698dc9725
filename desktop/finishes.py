"""How an answer ended where its last words do not tell, in words."""

from __future__ import annotations

from desktop.languages import tr


def how_it_ended(finish: str) -> str:
    """A sentence about the `Finish` of an answer; "" where there is nothing to say."""
    match finish:
        case "stopped":
            return tr("Stopped.")
        case "length":
            return tr("Ended at the longest answer allowed.")
        case "context":
            return tr("Ended because the context is full.")
    return ""
