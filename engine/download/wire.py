"""Connections, each in the log before it is made; there is no other way out of this program."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import certifi
import httpcore
import httpx

from engine.errors import StorageError
from engine.models.connections import ConnectionLog
from engine.types.library import Connection

HTTPS = 443
NOTED_EVERY = 1.0
"""Seconds after which the bytes so far are in the log, also where the program is killed."""

_GUARDED = frozenset(
    f"socket.{what}"
    for what in (
        "connect", "getaddrinfo", "gethostbyaddr", "gethostbyname", "getnameinfo", "sendmsg",
        "sendto",
    )
)  # fmt: skip
"""What Python announces, whoever asks for it, before a name is looked up or a packet is sent."""


class Wire(httpcore.SyncBackend):
    """Makes the connections of an `httpcore` pool and keeps the log of them."""

    def __init__(
        self,
        log: ConnectionLog,
        *,
        purpose: str,
        clock: Callable[[], float],
        connected: Callable[[str], None],
    ) -> None:
        """
        purpose    what the log says that they are for
        clock      seconds since the epoch
        connected  is told the host of each connection that was made
        """
        self._log, self._purpose, self._clock = log, purpose, clock
        self._connected = connected
        self._entries: list[_Entry] = []
        self._connecting = threading.local()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        place = host if port == HTTPS else f"{host}:{port}"
        entry = _Entry(self._log, place, self._purpose, self._clock)
        self._entries.append(entry)
        with _ending(entry), self._allowed():
            stream = super().connect_tcp(host, port, timeout, local_address, socket_options)
        self._connected(place)
        return _Stream(stream, entry)

    def end(self, how: str) -> None:
        """Say of every connection that is open how it ended. Any thread."""
        for entry in self._entries:
            entry.end(how)

    def guard(self) -> None:
        """From now on a connection that is not made here fails, in this process and for good."""

        def look(event: str, _arguments: object) -> None:
            if event in _GUARDED and not getattr(self._connecting, "now", False):
                raise RuntimeError(f"{event} was asked for outside the log of connections")

        sys.addaudithook(look)

    @contextmanager
    def _allowed(self) -> Iterator[None]:
        self._connecting.now = True
        try:
            yield
        finally:
            self._connecting.now = False


class WiredTransport(httpx.HTTPTransport):
    """Sends requests over a `Wire`, with certificates checked."""

    def __init__(self, wire: Wire) -> None:
        context = trusting()
        super().__init__(verify=context, trust_env=False)
        # httpx has no parameter for the one thing that is needed here: who makes connections.
        self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=wire)


def trusting() -> ssl.SSLContext:
    """Checks certificates against what this computer trusts, and what Mozilla does."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def in_words(error: BaseException) -> str:
    """How a connection ended, for the log; from the error and those behind it."""
    chain = list(causes(error))
    kinds = (
        (socket.gaierror, "no such host"),
        (ssl.SSLCertVerificationError, "certificate refused"),
        (ssl.SSLError, "no TLS"),
        (ConnectionRefusedError, "refused"),
        (TimeoutError, "no answer in time"),
        (ConnectionError, "broken off"),
    )
    for kind, words in kinds:
        if any(isinstance(each, kind) for each in chain):
            return words
    return next((e.strerror for e in chain if isinstance(e, OSError) and e.strerror), "failed")


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was raised from."""
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__ or each.__context__


# ------------------------------------------------------------------------------------------------


class _Entry:
    """A line of the log while its connection is open."""

    def __init__(
        self, log: ConnectionLog, host: str, purpose: str, clock: Callable[[], float]
    ) -> None:
        self._log, self._clock = log, clock
        self._now = Connection(at=clock(), host=host, purpose=purpose, sent=0, received=0, ended="")
        self._place = log.add(self._now)
        self._noted = clock()
        self._lock = threading.Lock()

    def count(self, *, sent: int = 0, received: int = 0) -> None:
        now = self._clock()
        with self._lock:
            sent, received = self._now.sent + sent, self._now.received + received
            self._now = replace(self._now, sent=sent, received=received)
            if now - self._noted >= NOTED_EVERY and not self._now.ended:
                self._noted = now
                self._log.change(self._place, self._now)

    def end(self, how: str) -> None:
        """What it is told first is what stays."""
        with self._lock:
            if not self._now.ended:
                self._now = replace(self._now, ended=how)
                self._log.change(self._place, self._now)


class _Stream(httpcore.NetworkStream):
    """Counts what goes through."""

    def __init__(self, stream: httpcore.NetworkStream, entry: _Entry) -> None:
        self._stream, self._entry = stream, entry

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _ending(self._entry):
            data = self._stream.read(max_bytes, timeout)
        self._entry.count(received=len(data))
        if not data and max_bytes:
            self._entry.end("closed by the other side")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _ending(self._entry):
            self._stream.write(buffer, timeout)
        self._entry.count(sent=len(buffer))

    def close(self) -> None:
        self._stream.close()
        self._entry.end("done")

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        with _ending(self._entry):
            inner = self._stream.start_tls(ssl_context, server_hostname, timeout)
        return _Stream(inner, self._entry)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


@contextmanager
def _ending(entry: _Entry) -> Iterator[None]:
    """Whatever error ends the connection is in the log."""
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        entry.end(in_words(error))
        raise
