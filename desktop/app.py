"""Opens the window: the one place that joins the concrete parts."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QSocketNotifier,
    Qt,
    QTimer,
)
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QMessageBox

from desktop import crashes, data_folder, display, highlight, languages, markdown, window_state
from desktop.actions.profiles import open_file
from desktop.bridge import Listener, once
from desktop.desk import Desk
from desktop.doorbell import Doorbell, ring
from desktop.handed import HandedFiles, be_told_apart
from desktop.languages import tr
from desktop.profile_files import SUFFIX
from desktop.prose import brief
from desktop.style.theme import Theme
from desktop.views.window import Window
from engine.api import AttuneError, Engine, RunNote, log_folder

if TYPE_CHECKING:
    from engine.api import Ending, OpenWindow

APP_ID = "io.github.attune.Attune"

log = logging.getLogger("desktop.app")


def open_window(request: OpenWindow) -> int:
    """Show the window and stay until it is closed; where one is open on this data folder already,
    that one comes up. Raises AttuneError if it cannot be shown.

    The window is on the screen before anything of the engine is started.
    """
    crashes.log_qt(lambda: None)
    with ExitStack() as until_end:
        until_end.enter_context(crashes.watched(log_folder(request.data_dir)))
        app = _application()
        handed = HandedFiles(app, listens=sys.platform == "darwin")
        languages.install(app, request.language or "")
        make = partial(Engine, safe=request.safe)
        home = data_folder.settle(
            request.data_dir, make=make, ask=data_folder.ask, choose=data_folder.choose,
            until_end=until_end,
        )  # fmt: skip
        bell = home.bell
        if bell is None:
            with _explained():
                _check(home.engine, request.files)
                bell = ring(home.engine.data_dir, request.files)
        if bell is None:
            print("Attune is open already; its window came up.")
            return 0
        languages.install(app, request.language or home.engine.settings.language)
        return _stay(app, request, home.engine, bell, handed, temporary=home.temporary)


def _stay(
    app: QApplication, request: OpenWindow, engine: Engine, bell: Doorbell, handed: HandedFiles,
    *, temporary: bool,
) -> int:  # fmt: skip
    """Until the window is closed."""
    note = RunNote(engine.log_dir, clock=time.time, boot=crashes.boot())

    def leave() -> None:
        note.clear()
        QTimer.singleShot(0, app.quit)  # the loop may not run yet

    with _signals(leave):
        ending = note.begin()
        engine.watch(note)
        desk = _laid(app, request, engine, bell, handed, ending, temporary=temporary)
        crashes.log_qt(note.clear)
        app.commitDataRequest.connect(lambda _: note.clear())  # the session ends
        code = app.exec()
        note.clear()
    desk.close()
    crashes.log_qt(lambda: None)
    bell.close()
    return code


def _laid(
    app: QApplication, request: OpenWindow, engine: Engine, bell: Doorbell, handed: HandedFiles,
    ending: Ending | None, *, temporary: bool,
) -> Desk:  # fmt: skip
    """The desk of a window that is shown, with what is to be done first."""
    desk = Desk(engine, model=request.model)
    window = build(desk, ending=ending)
    window.show()
    if temporary:
        desk.noticed.emit(tr("A temporary folder is used: nothing of this is kept."))
    bell.rang.connect(partial(_answer, window, desk))
    # What may have ended the last run is not begun anew before its owner has said so.
    waits = ending is not None and ending.doing != "running" and not engine.safe
    begin = _begin_without_model if waits else _begin
    QTimer.singleShot(0, lambda: begin(desk, request.files))
    if ending is None:  # else once its owner has said how to go on
        QTimer.singleShot(0, desk.resume)
    QTimer.singleShot(0, lambda: bell.begin(window.isVisible))
    QTimer.singleShot(0, lambda: handed.begin(partial(_answer, window, desk)))
    return desk


def build(desk: Desk, *, ending: Ending | None = None) -> Window:
    """The window for a desk, where it was last time.

    ending  how the last run ended, if that was badly
    """
    folder = desk.engine.data_dir
    state = window_state.read(folder)
    return Window(desk, Theme(zoom=state.zoom), folder=folder, state=state, ending=ending)


@contextmanager
def _explained() -> Iterator[None]:
    """Whoever started Attune by a click sees no terminal."""
    try:
        yield
    except AttuneError as error:
        box = QMessageBox(QMessageBox.Icon.Warning, "Attune", brief(error.message))
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.exec()
        raise


def _check(engine: Engine, files: tuple[str, ...]) -> None:
    """Who opens a profile that is none hears of it, and not only the window that is open.

    Raises ProfileError.
    """
    if files and Path(files[0]).suffix == SUFFIX:
        engine.profiles.check(Path(files[0]))


def _begin(desk: Desk, files: tuple[str, ...]) -> None:
    file = Path(files[0]) if files else None
    if file is None or file.suffix == SUFFIX:
        desk.loading.start()
    _open(desk, file)


def _begin_without_model(desk: Desk, files: tuple[str, ...]) -> None:
    desk.loading.fetch()
    _open(desk, Path(files[0]) if files else None)


def _open(desk: Desk, file: Path | None) -> None:
    if file is not None:
        open_file(desk, file)
    desk.chats.fetch()
    # Behind the model in the queue: the first answer then finds everything in place.
    desk.bridge.submit(once(_warm), Listener())


def _answer(window: Window, desk: Desk, files: tuple[str, ...]) -> None:
    """Somebody started Attune again."""
    if window.isMinimized():
        window.showNormal()
    window.raise_()
    window.activateWindow()
    if files:
        open_file(desk, Path(files[0]))


def _warm() -> None:
    """Import, off the GUI thread, what the first answer needs."""
    markdown.passages("`warm`")
    highlight.coloured("warm", language="python", style="xcode")


def _application() -> QApplication:
    if not display.available():
        # Qt would not fail: it would end the process.
        raise AttuneError("No display was found. Use `attune chat` in a terminal instead.")
    be_told_apart(APP_ID)
    app = QApplication(sys.argv[:1])
    app.setApplicationName("attune")
    app.setApplicationDisplayName("Attune")
    app.setDesktopFileName(APP_ID)
    app.setWindowIcon(_icon())
    return app


def _icon() -> QIcon:
    here = Path(__file__).parent
    for folder in (here / "assets", here.parent / "assets"):
        if (path := folder / f"{APP_ID}.svg").is_file():
            return QIcon(str(path))
    return QIcon()


@contextmanager
def _signals(close: Callable[[], object]) -> Iterator[None]:
    """Ctrl+C and kill close the window in good order.

    Python runs a handler only when its interpreter next runs, which Qt's loop may put off for
    long: on POSIX a pipe wakes it, on Windows, where Qt cannot listen to pipes, a slow timer.
    """
    kinds = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP"):
        kinds.append(signal.SIGHUP)
    before = {kind: signal.signal(kind, lambda *_: close()) for kind in kinds}
    sleep = _wake_by_timer() if os.name == "nt" else _wake_by_pipe()
    try:
        yield
    finally:
        sleep()
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _wake_by_pipe() -> Callable[[], None]:
    end, begin = os.pipe()
    os.set_blocking(end, False)
    os.set_blocking(begin, False)
    notifier = QSocketNotifier(end, QSocketNotifier.Type.Read)
    notifier.activated.connect(lambda: os.read(end, 64))
    former = signal.set_wakeup_fd(begin, warn_on_full_buffer=False)

    def sleep() -> None:
        signal.set_wakeup_fd(former)
        notifier.setEnabled(False)
        os.close(end)
        os.close(begin)

    return sleep


def _wake_by_timer() -> Callable[[], None]:
    timer = QTimer(interval=250)
    timer.timeout.connect(lambda: None)
    timer.start()
    return timer.stop
