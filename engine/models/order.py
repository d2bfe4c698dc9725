"""What is said between Attune and its download program: JSON lines, one order and what comes of it.

The program is started for one order, reads it as the first line of its standard input, and ends
with Delivered or Failed. Closing its input ends it at once; what came is kept.
"""

from __future__ import annotations

import re

import msgspec

from engine.errors import AttuneError, InternalError

_LONGEST_NAME = 120
"""Characters of the name of a delivered file."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Windows takes these for devices, whatever follows a dot."""


class _Line(msgspec.Struct, frozen=True, tag=True, kw_only=True, forbid_unknown_fields=True):
    """One line."""


class Order(_Line, frozen=True, kw_only=True):
    """A file to get.

    repository  on the hub, "owner/name"
    revision    commit, branch or tag
    file        its path in the repository
    sha256      what it must have, hex; "" where the hub's own word is taken
    size        bytes that it must have; 0 likewise
    folder      that it is put in; must exist
    log         file that every connection is written to
    """

    repository: str
    revision: str
    file: str
    sha256: str = ""
    size: int = 0
    folder: str
    log: str


class Connected(_Line, frozen=True, kw_only=True):
    """A connection was made; it is in the log."""

    host: str


class Progressed(_Line, frozen=True, kw_only=True):
    """Bytes that are there, of so many in all."""

    done: int
    total: int


class Delivered(_Line, frozen=True, kw_only=True):
    """The file is whole, has the right hash and its final name."""

    path: str
    sha256: str
    size: int
    revision: str


class Failed(_Line, frozen=True, kw_only=True):
    """Why there is no file: an error of `engine.errors`."""

    code: str
    message: str
    detail: str = ""


Report = Connected | Progressed | Delivered | Failed

_encode = msgspec.json.Encoder().encode
_order = msgspec.json.Decoder(Order)
_report = msgspec.json.Decoder(Report)


def line_of(message: Order | Report) -> bytes:
    """The message as a line."""
    return _encode(message) + b"\n"


def read_order(line: bytes) -> Order:
    """Raises InternalError."""
    try:
        return _order.decode(line)
    except msgspec.MsgspecError as error:
        raise InternalError("The order could not be read.", detail=str(error)) from error


def read_report(line: bytes) -> Report:
    """Raises InternalError."""
    try:
        report: Report = _report.decode(line)
    except msgspec.MsgspecError as error:
        raise InternalError(
            "The download program said something that cannot be read. Install Attune again.",
            detail=str(error),
        ) from error
    return report


def failed(error: AttuneError) -> Failed:
    """The error as a line."""
    return Failed(code=error.code, message=error.message, detail=error.detail)


def final_name(file: str) -> str:
    """The name of a file from the hub in our folder, whatever a stranger has called it there."""
    stem = re.sub(r"\.gguf$", "", file.rpartition("/")[2], flags=re.IGNORECASE)
    clean = re.sub(r"[^\w.+-]+", "-", stem, flags=re.ASCII)[:_LONGEST_NAME].strip("-.")
    if _RESERVED.fullmatch(clean):
        clean = f"model-{clean}"
    return f"{clean or 'model'}.gguf"


def part_name(file: str, sha256: str) -> str:
    """The name that it has until it is whole: nobody takes it for a model, and what is there of
    other contents is never gone on with."""
    return f"{final_name(file)}.{sha256[:16]}.part"
