"""Connections are trusted, and made, only as they should be."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from engine.download import wire
from engine.download.hub import connected
from engine.download.wire import Wire
from engine.models.connections import ConnectionLog
from tests.fakes.hub import Hub, serving

FILE = "m.gguf"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of localhost, signed by nobody but itself, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    file = tmp_path / "own.pem"
    subprocess.run(
        ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", file, "-out", tmp_path / "cert.pem", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes(file.read_bytes() + (tmp_path / "cert.pem").read_bytes())
    return file


@pytest.fixture
def secure(certificate: Path) -> Iterator[Hub]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(Hub(files={FILE: b"contents"}), tls=context) as hub:
        yield hub


@pytest.fixture
def log(tmp_path: Path) -> ConnectionLog:
    return ConnectionLog(tmp_path / "connections.jsonl")


def client(log: ConnectionLog, endpoint: str) -> Iterator[httpx.Client]:
    own = Wire(log, purpose="x", clock=lambda: 0.0, connected=lambda host: None)
    with connected(own, endpoint=endpoint, patience=5.0) as made:
        yield made


def test_a_certificate_that_nobody_vouches_for_gets_no_request(
    secure: Hub, log: ConnectionLog
) -> None:
    for made in client(log, secure.stores):
        with pytest.raises(httpx.ConnectError):
            made.get(f"{secure.stores}/bytes/{FILE}")
    assert secure.requests == []
    (entry,) = log.read()
    assert (entry.ended, entry.sent) == ("certificate refused", 0)


def test_a_certificate_of_another_host_gets_no_request(
    secure: Hub, certificate: Path, log: ConnectionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "trusting", lambda: _trusting(certificate))
    for made in client(log, secure.endpoint):  # by its number, which the certificate lacks
        with pytest.raises(httpx.ConnectError):
            made.get(f"{secure.endpoint}/bytes/{FILE}")
    assert secure.requests == []


def test_one_that_is_vouched_for_does(
    secure: Hub, certificate: Path, log: ConnectionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "trusting", lambda: _trusting(certificate))
    for made in client(log, secure.stores):
        assert made.get(f"{secure.stores}/bytes/{FILE}").content == b"contents"
    (entry,) = log.read()
    assert entry.ended == "done"
    assert entry.received > len(b"contents")


def test_no_redirect_leads_away_from_tls(log: ConnectionLog) -> None:
    with serving(Hub(files={FILE: b"contents"})) as plain:
        for made in client(log, "https://hub.example"):
            with pytest.raises(httpx.UnsupportedProtocol):
                made.get(f"{plain.stores}/bytes/{FILE}")
        assert plain.requests == []
    assert log.read() == ()


def _trusting(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certificate)
    return context
