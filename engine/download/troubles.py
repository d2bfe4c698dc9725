"""What went wrong on the way to the hub, as errors of ours: a sentence and what to do."""

from __future__ import annotations

import errno
import socket
import ssl
from http import HTTPStatus

import httpx
from huggingface_hub import errors as hub

from engine.download.wire import causes
from engine.errors import (
    AttuneError,
    ConnectionLost,
    DownloadError,
    NotOnHub,
    StorageError,
    Unreachable,
)
from engine.models.header import printable
from engine.models.order import Order

PASSING = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
"""Answers after which the same question may get another one."""

_KEPT = "What came is kept: get it again to go on there."


def explain(error: Exception, order: Order, *, host: str) -> AttuneError:
    """Our error for one of the network, the hub or the disk.

    host  that was asked
    """
    host = _host(error) or host
    if isinstance(error, hub.HfHubHTTPError):
        return _answered(error, order, host)
    if isinstance(error, httpx.HTTPError):
        return _unreached(error, host)
    if isinstance(error, OSError):
        return _unwritten(error)
    return DownloadError(
        f"{host} said something that Attune does not understand ({type(error).__name__}). Try "
        "again later, or update Attune.",
        detail=str(error),
    )


def passing(error: Exception) -> bool:
    """Whether it may be gone when the same is tried again in a moment."""
    if isinstance(error, hub.HfHubHTTPError):
        return error.response.status_code in PASSING
    if isinstance(error, httpx.UnsupportedProtocol):
        return False
    untrusted = any(isinstance(each, ssl.SSLCertVerificationError) for each in causes(error))
    return isinstance(error, httpx.TransportError) and not untrusted


def _unwritten(error: OSError) -> StorageError:
    """What kept the file from being written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(f"The disk is full. Free some space. {_KEPT}")
    return StorageError(
        f"The download could not be written ({error.strerror or error}). Check the folder "
        f"'downloaded' in the data folder. {_KEPT}"
    )


# ------------------------------------------------------------------------------------------------


def _answered(error: hub.HfHubHTTPError, order: Order, host: str) -> AttuneError:
    status = error.response.status_code
    file, repository = printable(order.file), printable(order.repository)
    match error:
        case hub.RemoteEntryNotFoundError():
            return NotOnHub(f"There is no file {file} in {repository} on {host}; check its name.")
        case hub.RevisionNotFoundError():
            return NotOnHub(
                f"{repository} on {host} no longer has the version {printable(order.revision)} of "
                f"{file}. Update Attune, or name the file yourself."
            )
        case _ if isinstance(error, hub.GatedRepoError | hub.DisabledRepoError) or status == 403:
            return NotOnHub(
                f"{host} does not give {file} of {repository} to everybody. Get it there with "
                "your account and add the file, or choose another model."
            )
        case _ if isinstance(error, hub.RepositoryNotFoundError) or status in (401, 404, 410):
            return NotOnHub(
                f"There is no {repository} with {file} on {host} that everybody may have; check "
                "both names, or choose another model."
            )
    return DownloadError(f"{host} answered with error {status}. Try again later. {_KEPT}")


def _unreached(error: httpx.HTTPError, host: str) -> AttuneError:
    chain = tuple(causes(error))
    if any(isinstance(each, socket.gaierror) for each in chain):
        return Unreachable(
            f"{host} cannot be found. Check that this computer is connected to the internet, and "
            "try again."
        )
    for each in chain:
        if isinstance(each, ssl.SSLCertVerificationError):
            return Unreachable(
                f"The certificate of {host} is not right ({each.verify_message}), so nothing was "
                "fetched. Check the clock of this computer, and whether somebody reads along."
            )
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol):
        return Unreachable(f"{host} takes no connection ({_reason(chain)}). Try again later.")
    if isinstance(error, httpx.TimeoutException):
        return ConnectionLost(f"{host} fell silent. Try again later. {_KEPT}")
    return ConnectionLost(f"The connection to {host} broke off. Try again later. {_KEPT}")


def _reason(chain: tuple[BaseException, ...]) -> str:
    for each in chain:
        if isinstance(each, OSError) and each.strerror:
            return each.strerror
    return "no answer in time" if isinstance(chain[0], httpx.TimeoutException) else str(chain[0])


def _host(error: Exception) -> str:
    """That the request went to which failed, which may be another one after a redirect."""
    if isinstance(error, httpx.HTTPError | hub.HfHubHTTPError):
        try:
            return error.request.url.host
        except RuntimeError:  # there was none
            return ""
    return ""
