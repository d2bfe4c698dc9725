"""One order from the first question to the final name of the file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx

from engine.download.hub import ENDPOINT, Remote, connected, describe
from engine.download.transfer import Tell, fetch
from engine.download.troubles import explain
from engine.download.wire import Wire
from engine.errors import AttuneError, InputError
from engine.models.header import printable
from engine.models.identity import sha256_of
from engine.models.order import Delivered, Order, final_name, part_name
from engine.models.partial import check_space, locked
from engine.paths import sync_folder

MARGIN = 100_000_000
"""Bytes that stay free: a disk that is full to the last one harms more than this download."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a file is fetched; other than this only in tests.

    patience  seconds of silence after which a connection is given up
    pauses    seconds before each new attempt where one brought nothing
    """

    endpoint: str = ENDPOINT
    patience: float = 20.0
    pauses: Sequence[float] = (1.0, 2.0, 4.0, 8.0, 16.0)
    sleep: Callable[[float], None] = time.sleep


def deliver(order: Order, *, wire: Wire, tell: Tell, manner: Manner) -> Delivered:
    """Get the file that is ordered; one that is there already is only hashed.

    Raises DownloadError, StorageError, InputError where another download is under way.
    """
    folder = Path(order.folder)
    with _explained(order, host=httpx.URL(manner.endpoint).host), _alone(folder):
        if (there := _there(folder, order.file, order.sha256, order.size)) is not None:
            return _delivered(there, order.sha256, order.revision)
        with connected(wire, endpoint=manner.endpoint, patience=manner.patience) as client:
            remote = describe(order, endpoint=manner.endpoint, patience=manner.patience)
            there = _there(folder, order.file, remote.sha256, remote.size)
            if there is None:
                there = _fetched(client, remote, folder, order, tell=tell, manner=manner)
        return _delivered(there, remote.sha256, remote.revision)


def _fetched(
    client: httpx.Client, remote: Remote, folder: Path, order: Order, *, tell: Tell, manner: Manner
) -> Path:
    part = folder / part_name(order.file, remote.sha256)
    begun = part.stat().st_size if part.exists() else 0
    check_space(folder, remote.size - begun + MARGIN, f"Getting {printable(order.file)}")
    fetch(
        client,
        remote,
        part,
        name=order.file,
        pauses=manner.pauses,
        sleep=manner.sleep,
        tell=tell,
    )
    path = next(path for path in _names(folder, order.file) if not os.path.lexists(path))
    os.replace(part, path)
    sync_folder(folder)
    return path


def _there(folder: Path, file: str, sha256: str, size: int) -> Path | None:
    """The file, where an earlier order has brought it."""
    for path in _names(folder, file):
        if not path.is_file():
            return None
        if path.stat().st_size == size and sha256_of(path, None) == sha256:
            return path
    return None


def _names(folder: Path, file: str) -> Iterator[Path]:
    """MODEL.gguf, MODEL-2.gguf …"""
    name = Path(final_name(file))
    yield folder / name
    yield from (folder / f"{name.stem}-{number}{name.suffix}" for number in count(2))


def _delivered(path: Path, sha256: str, revision: str) -> Delivered:
    return Delivered(path=str(path), sha256=sha256, size=path.stat().st_size, revision=revision)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        with locked(folder, wait=False):
            yield
    except BlockingIOError as error:
        raise InputError(
            "Another window or terminal is downloading a model. Wait for it, or stop it first."
        ) from error


@contextmanager
def _explained(order: Order, *, host: str) -> Iterator[None]:
    try:
        yield
    except AttuneError:
        raise
    except Exception as error:
        raise explain(error, order, host=host) from error
