"""Whether there is a display, asked before Qt would end the process over it."""

from __future__ import annotations

import ctypes
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import desktop.__main__ as command
from desktop import app, display
from engine.api import AttuneError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there always is one")

VARIABLES = (
    "DISPLAY", "QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "XDG_SESSION_TYPE",
)  # fmt: skip

NOBODY = ":7777"
"""A display number that no X server has."""


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def no_library(name: str) -> ctypes.CDLL:
    raise OSError(f"{name}: cannot open shared object file")


def test_where_nothing_is_said_there_is_none() -> None:
    assert not display.available()


def test_an_x_server_that_does_not_answer_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", NOBODY)
    try:
        ctypes.CDLL("libxcb.so.1")
    except OSError:
        pytest.skip("nobody can tell here")
    assert not display.available()
    with pytest.raises(AttuneError, match="No display"):
        app._application()


def test_where_nobody_can_tell_an_x_server_is_believed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", NOBODY)
    monkeypatch.setattr(ctypes, "CDLL", no_library)
    assert display.available()


@pytest.mark.parametrize("absolute", [False, True])
def test_a_wayland_compositor_is_one_while_it_listens(
    absolute: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "wayland-5"
    monkeypatch.setenv("WAYLAND_DISPLAY", str(path) if absolute else path.name)
    if not absolute:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert not display.available()
    with socket.socket(socket.AF_UNIX) as compositor:
        compositor.bind(str(path))
        compositor.listen()
        assert display.available()
    assert path.exists()
    assert not display.available()


def test_a_wayland_session_has_a_usual_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with socket.socket(socket.AF_UNIX) as compositor:
        compositor.bind(str(tmp_path / "wayland-0"))
        compositor.listen()
        assert display.available()


@pytest.mark.parametrize(
    ("platform", "there"),
    [
        ("offscreen", True),
        ("minimal", True),
        ("vnc:size=800x600", True),
        ("xcb", False),
        ("wayland", False),
        ("wayland;xcb", False),
        ("xcb;offscreen", True),
    ],
)
def test_a_platform_that_was_asked_for_decides(
    platform: str, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", platform)
    assert display.available() is there


def test_a_platform_whose_libraries_are_there_is_no_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert display.trouble() == ""


@pytest.mark.parametrize(
    ("library", "hint"),
    [
        ("libxcb-cursor.so.0", " (the package libxcb-cursor0 on Debian and Ubuntu)"),
        ("libunheard.so.3", ""),
    ],
)
def test_a_library_that_the_system_lacks_is_named(
    library: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacks(name: str) -> ctypes.CDLL:
        raise OSError(f"{library}: cannot open shared object file: No such file or directory")

    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.setattr(ctypes, "CDLL", lacks)
    said = f"The window needs {library}, which this system lacks; install it{hint}."
    assert display.trouble() == said


def test_one_platform_that_loads_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks(name: str) -> object:
        if "xcb" in name:
            raise OSError("libxcb-cursor.so.0: cannot open shared object file")
        return object()

    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb;offscreen")
    monkeypatch.setattr(ctypes, "CDLL", lacks)
    assert display.trouble() == ""


def test_a_platform_that_attune_does_not_know_is_left_to_qt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "somebody-elses")
    assert display.trouble() == ""


def test_the_command_line_is_told_how_to_find_out(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Callable[[], bool]] = []

    def run(argv: Sequence[str], *, has_display: Callable[[], bool], **_: object) -> int:
        given.append(has_display)
        return 0

    monkeypatch.setattr("engine.cli.main.main", run)
    assert command.main([]) == 0
    assert [tell() for tell in given] == [False]
