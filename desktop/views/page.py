"""The conversation: the page that everything else is quiet beside."""

from __future__ import annotations

from time import perf_counter

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from desktop.conversation import Turn
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.views.turn import NoticeLine, TurnView
from desktop.views.welcome import Welcome
from desktop.widgets.column import Column

NEAR = 24
"""Pixels from the end within which the reader counts as being at the end."""


class Page(QScrollArea):
    """Shows turns and notices; paints at most 30 times a second, however fast text arrives.

    The scroll position belongs to the reader: it follows the text only while it is at the end.

    chosen(str)       a question of the empty chat
    link_chosen(str)  a link to the web; it has not been opened
    copy_asked(str)   code to be copied
    voted(Turn, str)  an Outcome for two answers
    skipped(Turn)     no vote on them
    reopened(Turn)    a vote on them after all
    undo_asked(Turn)  take the vote back
    bar_changed(int)  the width of the scroll bar; 0 while there is none
    """

    chosen = Signal(str)
    link_chosen = Signal(str)
    copy_asked = Signal(str)
    voted = Signal(object, str)
    skipped = Signal(object)
    reopened = Signal(object)
    undo_asked = Signal(object)
    bar_changed = Signal(int)

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._turns: list[TurnView] = []
        self._notices: list[NoticeLine] = []
        self._rows: list[Column] = []
        self._stale: set[TurnView] = set()
        self._offers: list[QAction] = []
        self._following = True
        self._pause = tokens.FRAME
        self._column = Column(look.wide)
        self._welcome = Welcome(look)
        self._middle = self._column_of(self._welcome)
        self._tick = QTimer(self, singleShot=True)
        self._tick.timeout.connect(self._paint)
        self._arrange()

    # What happens -----------------------------------------------------------------------

    def add_turn(self, turn: Turn) -> None:
        """A new question; the reader is taken to it."""
        if turn.previous is not None:
            self._drop(turn.previous)
        self._middle.hide()
        self._offer_on_last([])
        view = TurnView(turn, self._look, parent=self._column)
        view.link_chosen.connect(self.link_chosen)
        view.copy_asked.connect(self.copy_asked)
        view.voted.connect(self.voted)
        view.skipped.connect(self.skipped)
        view.reopened.connect(self.reopened)
        view.undo_asked.connect(self.undo_asked)
        self._turns.append(view)
        self._append(view)
        view.show()
        self._following = True

    def refresh(self, turn: Turn) -> None:
        """The turn changed; it is painted soon."""
        if (view := self._view(turn)) is not None:
            self._stale.add(view)
            if not self._tick.isActive():
                self._tick.start(self._pause)

    def settle(self, turn: Turn) -> None:
        """The turn is done, or its vote; what can be done with it is offered."""
        self.refresh(turn)
        self._offer_on_last(self._offers)

    def withdraw(self, turn: Turn) -> None:
        """The turn was refused or taken back."""
        self._drop(turn)
        if turn.previous is not None:
            self.add_turn(turn.previous)
            self.refresh(turn.previous)
        self._offer_on_last(self._offers)
        self._middle.setVisible(not self._turns)

    def notice(self, text: str) -> None:
        """A sentence that belongs to no turn, at the end."""
        line = NoticeLine(text, self._look)
        column = self._column_of(line)
        self._notices.append(line)
        self._rows.append(column)
        self._append(column)
        column.show()
        self._following = True

    def clear(self) -> None:
        for widget in (*self._turns, *self._rows):
            self._remove(widget)
        self._turns.clear()
        self._notices.clear()
        self._rows.clear()
        self._stale.clear()
        self._middle.show()

    def turn_pages(self, pages: int) -> None:
        """Scroll by so many screens; negative is up."""
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + pages * bar.pageStep())

    def set_offers(self, actions: list[QAction]) -> None:
        """What can be done with the last answer."""
        self._offers = actions

    def set_look(self, look: Look) -> None:
        self._look = look
        self._column.set_measure(look.wide)
        self._welcome.set_look(look)
        for line in self._notices:
            line.setFont(look.small)
        for column in (self._middle, *self._rows):
            column.set_measure(look.measure)
        for view in self._turns:
            view.set_look(look)
            self.refresh(view.turn)

    # How it is done ---------------------------------------------------------------------

    def _arrange(self) -> None:
        self.setObjectName("page")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(self.tr("Conversation"))
        stack = self._column.stack
        stack.setContentsMargins(0, tokens.GUTTER + tokens.GAP, 0, tokens.GAP_WIDE)
        stack.setSpacing(tokens.TURN_GAP)
        stack.addStretch(2)
        stack.addWidget(self._middle)
        stack.addStretch(3)
        self._welcome.chosen.connect(self.chosen)
        self.setWidget(self._column)
        bar = self.verticalScrollBar()
        bar.valueChanged.connect(self._scrolled)
        bar.rangeChanged.connect(self._grown)

    def _column_of(self, widget: QWidget) -> Column:
        """What is no pair of answers keeps to the measure."""
        column = Column(self._look.measure, gutter=0, parent=self._column)
        column.stack.addWidget(widget)
        return column

    def _append(self, widget: QWidget) -> None:
        self._column.stack.insertWidget(self._column.stack.count() - 1, widget)
        self._column.stack.setStretch(0, 0 if self._turns else 2)

    def _drop(self, turn: Turn) -> None:
        if (view := self._view(turn)) is not None:
            self._turns.remove(view)
            self._stale.discard(view)
            self._remove(view)

    def _remove(self, widget: QWidget) -> None:
        self._column.stack.removeWidget(widget)
        self._column.stack.setStretch(0, 0 if self._turns else 2)
        widget.hide()
        widget.deleteLater()

    def _view(self, turn: Turn) -> TurnView | None:
        return next((view for view in self._turns if view.turn is turn), None)

    def _offer_on_last(self, actions: list[QAction]) -> None:
        for view in self._turns:
            turn = view.turn
            stands = turn.pair is None or turn.pair.stage not in ("open", "voting")
            last = view is self._turns[-1] and turn.state == "done" and stands
            view.offer(actions if last else [])

    def _paint(self) -> None:
        begun = perf_counter()
        for view in list(self._stale):
            if not view.paint():
                self._stale.discard(view)
        spent = round((perf_counter() - begun) * 1000)
        rest = min(spent * tokens.FRAME_SHARE, tokens.FRAME_LONGEST)
        self._pause = max(tokens.FRAME, rest)
        if self._stale:
            self._tick.start(self._pause)

    def _scrolled(self, value: int) -> None:
        self._following = value >= self.verticalScrollBar().maximum() - NEAR

    def _grown(self, low: int, high: int) -> None:
        if self._following:
            self.verticalScrollBar().setValue(high)

    # Qt ---------------------------------------------------------------------------------

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.bar_changed.emit(self.width() - self.viewport().width())
        return super().viewportEvent(event)
