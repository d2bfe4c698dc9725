"""Whether anything may be downloaded, which its owner decides in three places."""

from __future__ import annotations

from collections.abc import Mapping

VARIABLE = "ATTUNE_OFFLINE"


def why(*, variables: Mapping[str, str], asked: bool = False, setting: bool = False) -> str:
    """Why not, in a sentence that says how to change it; "" where it may.

    variables  of the environment; ATTUNE_OFFLINE counts unless it is "" or "0"
    asked      on the command line, with --offline
    setting    the owner's
    """
    if asked:
        return "Nothing is downloaded with --offline. Leave it out to get the model."
    if variables.get(VARIABLE, "") not in ("", "0"):
        return f"Nothing is downloaded while the variable {VARIABLE} is set. Remove it first."
    if setting:
        return "Attune is set to work offline, so nothing is downloaded. Switch that off first."
    return ""
