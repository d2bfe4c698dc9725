"""No sockets but those of this machine: a filter on system calls, on Linux.

The kernel runs it before each call of this process and of all that it starts; no privilege is
needed, and nobody can take it off again. See seccomp(2) and the kernel's
Documentation/userspace-api/seccomp_filter.rst. Written by hand because the library that generates
such filters is a shared one that systems may lack, and eleven instructions need none.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys
from dataclasses import dataclass

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
"""BPF: load a word of `struct seccomp_data`, jump if equal, jump if at least, return."""

_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
"""Offsets in `struct seccomp_data`; the low half of the argument, these machines being
little-endian."""

_UNIX, _INTERNET, _INTERNET_6, _DATAGRAM = 1, 2, 10, 2
"""Families and a type of socket. Python's own module for them is not to be loaded here."""

_X32 = 0x40000000
"""From here on x86-64 has other numbers for the same calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numbers:
    """Of an architecture: its mark in linux/audit.h, and its numbers of two system calls."""

    mark: int
    socket: int
    io_uring_setup: int


_KNOWN = {
    "x86_64": _Numbers(mark=0xC000003E, socket=41, io_uring_setup=425),
    "aarch64": _Numbers(mark=0xC00000B7, socket=198, io_uring_setup=425),
}


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("if_true", ctypes.c_ubyte),
        ("if_false", ctypes.c_ubyte),
        ("value", ctypes.c_uint),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("first", ctypes.POINTER(_Instruction)))


def forbid_sockets() -> None:
    """From now on this thread, those that it starts, and child processes open no socket but of
    AF_UNIX, and no io_uring, which could open one unseen. Needs PR_SET_NO_NEW_PRIVS.

    Raises OSError where the system does not offer it.
    """
    numbers = _KNOWN.get(platform.machine())
    if sys.platform != "linux" or numbers is None:
        raise OSError(errno.ENOSYS, f"no filter is known for {sys.platform} {platform.machine()}")
    instructions = _filter(numbers)
    program = _Program(len(instructions), (_Instruction * len(instructions))(*instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def sockets_are_refused() -> bool:
    """Whether this process really can open no socket to a network; found out by trying."""
    if os.name != "posix":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    for family in (_INTERNET, _INTERNET_6):
        descriptor = libc.socket(family, _DATAGRAM, 0)
        if descriptor >= 0:
            os.close(descriptor)
            return False
    return True


def _filter(numbers: _Numbers) -> list[_Instruction]:
    """Eleven instructions; a jump counts from the one after it."""
    return [
        _Instruction(_LOAD, 0, 0, _ARCHITECTURE),
        _Instruction(_EQUAL, 0, 8, numbers.mark),
        _Instruction(_LOAD, 0, 0, _NUMBER),
        _Instruction(_AT_LEAST, 6, 0, _X32),
        _Instruction(_EQUAL, 5, 0, numbers.io_uring_setup),
        _Instruction(_EQUAL, 0, 3, numbers.socket),
        _Instruction(_LOAD, 0, 0, _FIRST_ARGUMENT),
        _Instruction(_EQUAL, 1, 0, _UNIX),
        _Instruction(_RETURN, 0, 0, _ERRNO | errno.EACCES),
        _Instruction(_RETURN, 0, 0, _ALLOW),
        _Instruction(_RETURN, 0, 0, _ERRNO | errno.EACCES),
    ]
