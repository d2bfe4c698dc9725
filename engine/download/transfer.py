"""The bytes of a file: fetched from where they stopped, hashed as they come."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import httpx
from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

from engine.download.hub import Remote
from engine.download.troubles import passing
from engine.errors import ConnectionLost, WrongFile
from engine.models.header import printable

_BLOCK = 1 << 20
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

Tell = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes in all."""


def fetch(
    client: httpx.Client,
    remote: Remote,
    part: Path,
    *,
    name: str,
    pauses: Sequence[float],
    sleep: Callable[[float], None],
    tell: Tell,
) -> None:
    """Bring the part to its full size and compare its hash; what is there already is kept.

    name    what messages call it
    pauses  seconds before each new attempt where one brought nothing; after the last it is given up

    Raises WrongFile, and the part is deleted then; what the network, the hub and the disk raise,
    and what came is kept then.
    """
    with _Part(part) as file:
        file.read_back(remote.size, tell)
        tries, furthest = 0, file.size
        while file.size < remote.size:
            trouble = _attempt(client, remote, file, tell)
            if file.size > furthest:
                tries, furthest = 0, file.size
            if file.size < remote.size:
                if tries == len(pauses):
                    raise trouble
                sleep(pauses[tries])
                tries += 1
        digest = file.finish()
    if digest != remote.sha256:
        part.unlink()
        raise WrongFile(
            f"{printable(name)} came with other contents than it should have (its SHA-256 begins "
            f"with {digest[:12]}, not {remote.sha256[:12]}), so it was deleted. Get it again; if "
            "that does not help, somebody on the way changes it."
        )


def _attempt(client: httpx.Client, remote: Remote, file: _Part, tell: Tell) -> Exception:
    """Fetch as much as comes; returns why there is no more. Raises what no new attempt mends."""
    try:
        _receive(client, remote, file, tell)
    except (httpx.HTTPError, OSError) as error:  # the hub's own errors are both
        if not passing(error):
            raise
        return error
    return ConnectionLost(
        f"{httpx.URL(remote.url).host} sends less of the file than it promised. What came is kept: "
        "get it again later to go on there."
    )


def _receive(client: httpx.Client, remote: Remote, file: _Part, tell: Tell) -> None:
    headers = {"range": f"bytes={file.size}-"} if file.size else {}
    # From the hub each time: the address that it leads to is good for a while only.
    with client.stream("GET", remote.url, headers=headers, follow_redirects=True) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and file.size:
            file.restart()
            return
        if response.is_error:
            response.close()  # before it is read for its words: nobody says how long they are
        hf_raise_for_status(response)
        if file.size and not _goes_on(response, file.size, remote.size):
            file.restart()
            if response.status_code == httpx.codes.PARTIAL_CONTENT:
                return  # of something else: the next attempt asks for all of it
        for block in response.iter_raw():
            file.write(block[: remote.size - file.size])
            tell(file.size, remote.size)
            if file.size == remote.size:
                return


def _goes_on(response: httpx.Response, start: int, size: int) -> bool:
    """Whether it is the rest that was asked for, and not the whole or something else."""
    told = _RANGE.fullmatch(response.headers.get("content-range", ""))
    if response.status_code != httpx.codes.PARTIAL_CONTENT or told is None:
        return False
    return int(told[1]) == start and told[2] in ("*", str(size))


class _Part:
    """The file while it is not whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self.size = 0

    def __enter__(self) -> _Part:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | _BINARY, 0o600)
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def read_back(self, most: int, tell: Tell) -> None:
        """Hash what an earlier download has left; what is longer than the file is not of it."""
        if os.fstat(self._file.fileno()).st_size > most:
            self.restart()
        while block := self._file.read(_BLOCK):
            self._digest.update(block)
            self.size += len(block)
        tell(self.size, most)

    def write(self, block: bytes) -> None:
        view = memoryview(block)
        while view:
            written = self._file.write(view) or 0
            self._digest.update(view[:written])
            self.size += written
            view = view[written:]

    def restart(self) -> None:
        self._file.truncate(0)
        self._file.seek(0)
        self._digest = hashlib.sha256()
        self.size = 0

    def finish(self) -> str:
        """Onto the disk; returns the SHA-256, hex."""
        os.fsync(self._file.fileno())
        return self._digest.hexdigest()


_BINARY: int = getattr(os, "O_BINARY", 0)
