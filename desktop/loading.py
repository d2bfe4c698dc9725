"""Which model answers: loading it, choosing another, adding a file. Lives on the GUI thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.bridge import Bridge, Listener, Work, once
from engine.api import AttuneError, Engine, ModelCard, ModelNotFound, Notice, Ready


@dataclass(frozen=True, slots=True)
class _Leaving:
    """The old model is let go: from here on only a Ready makes answers possible."""


class Loading(QObject):
    """Keeps one model loaded.

    began()            a model is being loaded
    ready(Ready)       it can answer
    failed(str)        it cannot, and why, in a sentence
    settled()          loading is over and a model is there
    noticed(str)       something the owner should know meanwhile
    passing(str)       the same, true only until loading is over
    lost()             the file of the model that was wanted is not where it was
    listed(tuple)      the models that can be chosen (of ModelCard)
    """

    began = Signal()
    ready = Signal(object)
    failed = Signal(str)
    settled = Signal()
    noticed = Signal(str)
    passing = Signal(str)
    lost = Signal()
    listed = Signal(object)

    def __init__(self, engine: Engine, bridge: Bridge, *, model: str | None = None) -> None:
        super().__init__()
        self._engine, self._bridge = engine, bridge
        self._wish = model
        self._pending = 0
        self.current: Ready | None = None
        self.cards: tuple[ModelCard, ...] = ()

    @property
    def busy(self) -> bool:
        """A model is being loaded, or is about to be."""
        return self._pending > 0

    @property
    def wished(self) -> bool:
        """A model was named for this run, which Attune's own choice gives way to."""
        return self._wish is not None

    def start(self) -> None:
        """Load the model of this run, and look which others there are."""
        self.fetch()  # first: loading may take long, and one may want to choose another meanwhile
        self._load(partial(self._start, self._wish))

    def start_usual(self) -> None:
        """Load the model that the settings say, whatever was named for this run."""
        self._wish = None
        self.start()

    def ensure(self, model: str = "") -> None:
        """A question is waiting: load again if the last try failed, or this model if it is another.

        model  id of the one that Attune chose to answer; "" is any
        """
        if self.busy:
            return
        if model and (self.current is None or self.current.model != model):
            self._load(partial(self._start, None))  # the engine knows best which one it chooses
        elif self.current is None:
            self.start()

    def choose(self, model: str) -> None:
        """Load a model by its id; it is remembered once it has proved to work."""
        self._wish = None
        self._load(partial(self._start_and_remember, model))

    def add(self, path: Path) -> None:
        """Add a GGUF file, then answer with it."""
        self._wish = None
        self._load(partial(self._add_and_start, path))
        self.fetch()

    def reload(self) -> None:
        """Load the model at hand again, as the settings say now; what is under way ends first."""
        if self.busy or self.current is not None:
            self._load(partial(self._start, self._wish))

    def fetch(self) -> None:
        """Ask which models there are."""
        self._bridge.submit(once(self._engine.models), Listener(heard=self._listed))

    def heard(self, event: object) -> None:
        """What the engine says about the model, here or in the middle of an answer."""
        if isinstance(event, _Leaving):
            self.current = None
        elif isinstance(event, Ready):
            self.current = event
            self.ready.emit(event)
        elif isinstance(event, Notice) and event.code == "self_test":
            self.passing.emit(event.text)
        elif isinstance(event, Notice):
            self.noticed.emit(event.text)
            if event.code == "model_lost":
                self.lost.emit()

    # On the lane's thread ---------------------------------------------------------------

    def _start(self, model: str | None) -> Iterator[object]:
        yield _Leaving()
        yield from self._engine.start(model)

    def _start_and_remember(self, model: str) -> Iterator[object]:
        yield from self._start(model)
        self._engine.change(model=model)

    def _add_and_start(self, path: Path) -> Iterator[object]:
        # A file that is refused costs nothing: the model at hand is still loaded.
        yield from self._start_and_remember(self._engine.add_model(path).id)

    # On the GUI thread again ------------------------------------------------------------

    def _load(self, work: Work) -> None:
        self._pending += 1
        listener = Listener(heard=self.heard, failed=self._failed, done=self._done)
        self._bridge.submit(work, listener)
        self.began.emit()

    def _listed(self, cards: object) -> None:
        if isinstance(cards, tuple):
            self.cards = cards
            self.listed.emit(cards)

    def _failed(self, error: AttuneError) -> None:
        self._pending -= 1
        if self.busy:  # it was ended in favour of another
            return
        self.failed.emit(error.message)
        if isinstance(error, ModelNotFound):
            self.lost.emit()

    def _done(self) -> None:
        self._pending -= 1
        if self.busy:
            return
        if self.current is None:
            self.failed.emit(self.tr("No model is loaded. Choose one, or just ask to try again."))
        else:
            self.settled.emit()
