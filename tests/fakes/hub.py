"""A hub in the test's own process: what huggingface_hub asks of one, and every way to fail at it.

A file is asked for by HEAD, which tells its hash and size and leads elsewhere, and by GET, which
is led there, too. What goes wrong is a `Fault`, used up one per download request.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
BLOCK = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to one request for the file's bytes.

    after   bytes of the answer that are sent before it
    cut     the connection is broken off
    hang    nothing more comes until the hub is closed
    status  this answer instead
    much    bytes that follow where nothing should
    later   bytes by which a part begins later than was asked for
    """

    after: int = 0
    cut: bool = False
    hang: bool = False
    status: int = 0
    much: int = 0
    later: int = 0


@dataclass(slots=True, kw_only=True)
class Hub:
    """What it holds, how it behaves, and what it was asked.

    ranges    whether it knows about ranges
    told_…    what HEAD tells, where that is not true of the contents
    refusal   an answer to everything, and the hub's word for it
    slowly    seconds between two blocks
    endpoint  where it is asked
    stores    where its bytes are; of another name, as those of the hub are
    sent      bytes of files
    """

    files: dict[str, bytes]
    ranges: bool = True
    told_sha256: str = ""
    told_size: int = 0
    hang_at_head: bool = False
    refusal: tuple[int, str] = (0, "")
    faults: list[Fault] = field(default_factory=list)
    slowly: float = 0.0
    endpoint: str = ""
    stores: str = ""
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    sent: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    def fetched(self) -> list[str]:
        """The ranges that bytes were asked for with, in order; "" is all."""
        return [asked for method, path, asked in self.requests if "/bytes/" in path]


@contextmanager
def serving(hub: Hub, *, tls: ssl.SSLContext | None = None) -> Iterator[Hub]:
    """While it lasts, `hub.endpoint` answers; over TLS where there is a certificate for it."""

    class Answers(_Answers):
        told = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = False
    scheme = "http"
    if tls is not None:
        scheme = "https"
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    hub.endpoint = f"{scheme}://127.0.0.1:{server.server_port}"
    hub.stores = f"{scheme}://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="hub")
    thread.start()
    try:
        yield hub
    finally:
        hub.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Answers(BaseHTTPRequestHandler):
    told: Hub
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_HEAD(self) -> None:
        self._note()
        if self.told.hang_at_head:
            self.told.closing.wait()
            self.close_connection = True
            return
        self._resolve()

    def do_GET(self) -> None:
        self._note()
        name = self.path.partition("/bytes/")[2]
        if name:
            self._bytes(self.told.files[name])
        else:
            self._resolve()

    def _resolve(self) -> None:
        """Where a file is, and what it is."""
        found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path)
        status, code = self.told.refusal
        if status == 0 and (found is None or found[3] not in self.told.files):
            status, code = 404, "EntryNotFound"
        if status:
            self._head(status, {"X-Error-Code": code, "Content-Length": "0"})
            return
        assert found is not None
        data = self.told.files[found[3]]
        sha256 = self.told.told_sha256 or hashlib.sha256(data).hexdigest()
        self._head(
            302,
            {
                "X-Repo-Commit": COMMIT,
                "X-Linked-ETag": f'"{sha256}"',
                "X-Linked-Size": str(self.told.told_size or len(data)),
                "Location": f"{self.told.stores}/bytes/{found[3]}",
                "Content-Length": "0",
            },
        )

    def _bytes(self, data: bytes) -> None:
        fault = self.told.faults.pop(0) if self.told.faults else None
        if fault is not None and fault.much:
            self._head(fault.status or 200, {"Connection": "close"})
            self._send((b"" if fault.status else data) + bytes(fault.much), None)
            return
        if fault is not None and fault.status:
            self._head(fault.status, {"Content-Length": "0"})
            return
        start = self._start()
        if fault is not None and fault.later:
            start, fault = start + fault.later, None
        if start >= len(data):
            self._head(416, {"Content-Length": "0"})
            return
        extent = {"Content-Length": str(len(data) - start)}
        if start:
            extent["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._head(206 if start else 200, extent)
        self._send(data[start:], fault)

    def _start(self) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(asked[1]) if asked and self.told.ranges else 0

    def _send(self, data: bytes, fault: Fault | None) -> None:
        most = len(data) if fault is None else fault.after
        for begin in range(0, most, BLOCK):
            block = data[begin : min(begin + BLOCK, most)]
            self.wfile.write(block)
            self.told.sent += len(block)
            if self.told.slowly and self.told.closing.wait(self.told.slowly):
                return
        if fault is None:
            return
        self.close_connection = True
        self.wfile.flush()
        if fault.hang:
            self.told.closing.wait()
        if fault.cut:
            # Closed like this, the other side is told that the connection was broken.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _note(self) -> None:
        self.told.requests.append((self.command, self.path, self.headers.get("Range", "")))
        self.told.agents.add(self.headers.get("User-Agent", ""))

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the other side has left, or never trusted this one
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """A test says what it found by itself."""
