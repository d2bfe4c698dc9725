"""What the hub tells of a file before it is fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from huggingface_hub import close_session, set_client_factory
from huggingface_hub.file_download import get_hf_file_metadata, hf_hub_url

from engine.download.wire import Wire, WiredTransport
from engine.errors import NotOnHub, WrongFile
from engine.models.header import printable
from engine.models.order import Order
from engine.version import __version__

ENDPOINT = "https://huggingface.co"

HEADERS = {"user-agent": f"attune/{__version__}", "accept-encoding": "identity"}
"""Of every request: who asks, and nothing about the computer or its owner."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A file on the hub.

    url       that leads to it, by redirects
    size      bytes
    sha256    hex
    revision  the commit that it was found in
    """

    url: str
    size: int
    sha256: str
    revision: str


@contextmanager
def connected(wire: Wire, *, endpoint: str, patience: float) -> Iterator[httpx.Client]:
    """A client that the hub's library uses, too, while this lasts.

    endpoint  https, except for a test's own server
    patience  seconds without an answer, or a byte, after which a connection is given up
    """
    plain = endpoint.startswith("http://")

    def check(request: httpx.Request) -> None:
        if request.url.scheme != "https" and not plain:
            raise httpx.UnsupportedProtocol("a connection without TLS", request=request)

    client = httpx.Client(
        transport=WiredTransport(wire),
        timeout=patience,
        headers=HEADERS,
        event_hooks={"request": [check]},
        trust_env=False,
    )
    set_client_factory(lambda: client)
    try:
        yield client
    finally:
        close_session()
        client.close()


def describe(order: Order, *, endpoint: str, patience: float) -> Remote:
    """Ask the hub. Raises NotOnHub, WrongFile, and what the network raises."""
    url = hf_hub_url(order.repository, order.file, revision=order.revision, endpoint=endpoint)
    found = get_hf_file_metadata(
        url, token=False, timeout=patience, headers=HEADERS, endpoint=endpoint
    )
    told = found.etag or ""
    if not order.sha256 and not _SHA256.fullmatch(told):
        raise NotOnHub(
            f"The hub does not tell the SHA-256 of {printable(order.file)}, so that it could not "
            "be checked. Choose a file that it keeps as a large one, as it does with models."
        )
    if order.sha256 and _SHA256.fullmatch(told) and told != order.sha256:
        raise WrongFile(
            f"{printable(order.file)} on the hub is another file than the one that was measured "
            f"(its SHA-256 begins with {told[:12]}, not {order.sha256[:12]}); nothing was fetched. "
            "Update Attune."
        )
    size = found.size or order.size
    if order.size and size != order.size:
        raise WrongFile(
            f"{printable(order.file)} on the hub has {size:,} bytes, not {order.size:,}; nothing "
            "was fetched. Update Attune."
        )
    if size < 1:
        raise NotOnHub(
            f"The hub does not tell how large {printable(order.file)} is; nothing was fetched. "
            "Choose another file."
        )
    return Remote(
        url=url,
        size=size,
        sha256=order.sha256 or told,
        revision=found.commit_hash or order.revision,
    )
