"""What the workshop starts from and what it made, as last told by the engine. On the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.bridge import Bridge, Job, Listener, once
from engine.api import AttuneError, Engine, Fit, Made, ModelCard, Objective

log = logging.getLogger("desktop.shelf")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """How everything stands."""

    poles: tuple[Objective, ...]
    bases: tuple[ModelCard, ...]
    made: tuple[Made, ...]


class Shelf(QObject):
    """Every change of what was made goes through here.

    poles    what an adapter can be taught
    bases    models to start from, the one chosen now first
    made     what was made, the newest first
    fits     of the members asked about last, by path: whether they can be merged
    checking whether that is not known yet
    unfit    why that could not be found out, in a sentence; "" if it could
    trouble  why nothing could be read the last time, in a sentence; "" if it could
    known    what there is was read

    changed()  something of what there is is new
    checked()  something about the members asked about is new
    listed()   the models that can be chosen are others now
    did(str)   what the owner wanted is done, in a sentence
    failed(str)  it could not be done, and why
    """

    changed = Signal()
    checked = Signal()
    listed = Signal()
    did = Signal(str)
    failed = Signal(str)

    def __init__(self, engine: Engine, bridge: Bridge) -> None:
        super().__init__()
        self._engine, self._bridge = engine, bridge
        self.poles: tuple[Objective, ...] = ()
        self.bases: tuple[ModelCard, ...] = ()
        self.made: tuple[Made, ...] = ()
        self.fits: dict[str, Fit] = {}
        self.checking = False
        self.unfit = ""
        self.trouble = ""
        self.known = False
        self._check: Job | None = None

    # Asking -----------------------------------------------------------------------------

    def fetch(self) -> None:
        """Ask for everything."""
        listener = Listener(heard=self._hear, failed=self._unread)
        self._bridge.submit(once(self._look), listener)

    def check(self, base: ModelCard | None, members: Sequence[str]) -> None:
        """Ask whether these files can be merged; what was asked before does not matter any more.

        base  None where there is none, so that nothing can be merged
        """
        if self._check is not None:
            self._bridge.withdraw(self._check)
            self._check = None
        self.fits, self.unfit = {}, ""
        self.checking = base is not None and bool(members)
        if base is not None and members:
            asked = tuple(members)
            listener = Listener(heard=partial(self._fitted, asked), failed=self._not_fitted)
            work = once(partial(self._compare, base.id, asked))
            self._check = self._bridge.submit(work, listener)
        self.checked.emit()

    # Changing ---------------------------------------------------------------------------

    def add(self, made: Made) -> None:
        """Put it among the owner's models."""
        said = self.tr("{0} is among your models now.").format(made.name)
        self._do(partial(self._engine.add_model, Path(made.path)), said)

    def take_out(self, made: Made) -> None:
        """It is none of the owner's models any more; its file stays."""
        said = self.tr("{0} is not among your models any more.").format(made.name)
        self._do(partial(self._engine.remove_model, made.model), said)

    def remove(self, made: Made) -> None:
        """Delete its file."""
        said = self.tr("{0} is deleted.").format(made.name)
        self._do(partial(self._delete, Path(made.path)), said)

    # ------------------------------------------------------------------------------------

    def _do(self, call: Callable[[], object], said: str) -> None:
        def heard(item: object) -> None:
            self._hear(item)
            self.listed.emit()
            self.did.emit(said)

        work = once(partial(self._change, call))
        self._bridge.submit(work, Listener(heard=heard, failed=self._failed), lasting=True)

    def _hear(self, item: object) -> None:
        if isinstance(item, _Told):
            self.poles, self.bases, self.made = item.poles, item.bases, item.made
            self.known, self.trouble = True, ""
            self.changed.emit()

    def _unread(self, error: AttuneError) -> None:
        self.trouble = error.message
        self.changed.emit()

    def _failed(self, error: AttuneError) -> None:
        self.failed.emit(error.message)

    def _fitted(self, members: tuple[str, ...], fits: object) -> None:
        if isinstance(fits, tuple):
            self.fits = dict(zip(members, fits, strict=True))
            self.checking = False
            self.checked.emit()

    def _not_fitted(self, error: AttuneError) -> None:
        self.checking, self.unfit = False, error.message
        self.checked.emit()

    # On the lane's thread ---------------------------------------------------------------

    def _look(self) -> _Told:
        workshop = self._engine.workshop
        return _Told(poles=workshop.poles(), bases=workshop.bases(), made=workshop.made())

    def _compare(self, base: str, members: tuple[str, ...]) -> tuple[Fit, ...]:
        return self._engine.workshop.check(base, members)

    def _delete(self, path: Path) -> object:
        return self._engine.workshop.remove(path)

    def _change(self, call: Callable[[], object]) -> _Told | None:
        call()
        try:
            return self._look()
        except AttuneError as error:
            # The change itself is made: to call it a failure would invite a second one.
            log.warning("what was made cannot be read: %s", error.message)
            return None
