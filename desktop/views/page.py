"""The conversation: the page that everything else is quiet beside."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from PySide6.QtCore import QEvent, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QPushButton, QScrollArea, QWidget

from desktop.conversation import Turn
from desktop.reopening import AT_ONCE
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.views.turn import NoticeLine, TurnView
from desktop.views.welcome import Welcome
from desktop.widgets.column import Column
from desktop.widgets.offer import Choice, Offer
from desktop.widgets.reader import Reader
from desktop.widgets.versions import Versions

NEAR = 24
"""Pixels from the end within which the reader counts as being at the end."""

EARLIER = 10
"""Turns that come at once where the reader goes up."""

BUDGET = 0.02
"""Seconds after which a paint begins no further turn."""

REACH = 400
"""Pixels from the top at which they come."""

SETTLING = 120
"""Milliseconds after the last paint in which what was painted may still find its height."""


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
    version_chosen(str)  the id of another version of a question or an answer
    edit_asked(Turn)     ask something else instead
    earlier_shown(list)  turns that came on the page where the reader went up
    painted()        what is on the page may be another text than it was
    """

    chosen = Signal(str)
    link_chosen = Signal(str)
    copy_asked = Signal(str)
    voted = Signal(object, str)
    skipped = Signal(object)
    reopened = Signal(object)
    undo_asked = Signal(object)
    bar_changed = Signal(int)
    version_chosen = Signal(str)
    edit_asked = Signal(object)
    earlier_shown = Signal(list)
    painted = Signal()

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._turns: list[TurnView] = []
        self._notices: list[NoticeLine] = []
        self._rows: list[Column] = []
        self._stale: set[TurnView] = set()
        self._offers: list[QAction] = []
        self._following = True
        self._busy = False
        self._earlier: list[Turn] = []
        self._anchor: tuple[QWidget, int] | None = None
        self._held: TurnView | None = None
        self._above: QWidget | None = None
        self._pause = tokens.FRAME
        self._column = Column(look.wide)
        self.welcome = Welcome(look)
        self._middle = self._column_of(self.welcome)
        self.offer, self._offered_by = Offer(look), ""
        self._passing = NoticeLine("", look)
        self._passing.hide()
        self._foot = self._column_of(self._passing)
        self._foot.stack.addWidget(self.offer)
        self._more = QPushButton(self.tr("Show earlier"))
        self._top = self._column_of(self._more)
        self._still = QTimer(self, singleShot=True, interval=SETTLING)
        self._still.timeout.connect(self._let_go)
        self._tick = QTimer(self, singleShot=True)
        self._tick.timeout.connect(self._paint)
        self._arrange()

    # What happens -----------------------------------------------------------------------

    def add_turn(self, turn: Turn) -> None:
        """A new question; the reader is taken to it."""
        for replaced in turn.replaced:
            self._drop(replaced)
        self._middle.hide()
        self._held = None
        self._offer_on_last([])
        view = self._view_of(turn)
        self._turns.append(view)
        self._append(view)
        view.show()
        self._following = True

    def show_turns(self, turns: Sequence[Turn]) -> None:
        """Another chat, or another branch: what is on the page already stays as it is."""
        stay = self._common(turns)
        if len(turns) - len(self._earlier) - stay > AT_ONCE:
            stay = 0
        if not stay:
            self.clear()
            self._earlier = list(turns[:-AT_ONCE])
            self._following = True
        for view in self._turns[stay:]:
            self._drop(view.turn)
        for turn in turns[len(self._earlier) + stay :]:
            view = self._view_of(turn)
            self._turns.append(view)
            self._append(view)
            view.show()
            self.refresh(turn)
        self._middle.setVisible(not self._turns)
        self._top.setVisible(bool(self._earlier))
        self._offer_on_last(self._offers)

    def show_earlier(self) -> None:
        """Some turns more at the top; what the reader looks at stays where it is."""
        turns, self._earlier = self._earlier[-EARLIER:], self._earlier[:-EARLIER]
        if not turns:
            return
        first = self._turns[0]
        self._anchor = (first, self.verticalScrollBar().value() - first.y())
        self._following = False
        place = self._column.stack.indexOf(first)
        views = [self._view_of(turn) for turn in turns]
        for step, view in enumerate(views):
            self._column.stack.insertWidget(place + step, view)
            view.show()
        self._turns[:0] = views
        for turn in turns:
            self.refresh(turn)
        self._top.setVisible(bool(self._earlier))
        self.earlier_shown.emit(turns)

    def versions_of(self, message: str) -> Versions | None:
        """The line under this question or answer which leads to its other versions."""
        for view in self._turns:
            if view.turn.kept.question == message:
                return view.questions
            if view.turn.answer_id == message:
                return view.answers
        return None

    def focus_answer(self, turn: Turn, number: int) -> None:
        """Put the keyboard on one of the two answers of a turn."""
        view = self._view(turn)
        if view in self._stale:
            self._paint()  # who is told that they are there may be quicker than the next frame
        if view is not None and view.pair is not None:
            view.pair.sides[number].reader.setFocus(Qt.FocusReason.TabFocusReason)

    def show_busy(self, busy: bool) -> None:
        """While an answer is under way no other version can be chosen."""
        if busy != self._busy:
            self._busy = busy
            for view in self._turns:
                view.show_busy(busy)

    def refresh(self, turn: Turn) -> None:
        """The turn changed; it is painted soon."""
        if (view := self._view(turn)) is not None:
            self._stale.add(view)
            if not self._tick.isActive():
                self._tick.start(self._pause)

    def settle(self, turn: Turn) -> None:
        """The turn is done, or its vote; what can be done with it is offered."""
        self._hold_pair(turn)
        self.refresh(turn)
        self._offer_on_last(self._offers)

    def _hold_pair(self, turn: Turn) -> None:
        """Two answers are compared from their beginnings: who followed them is taken there."""
        if self._following and turn.pair is not None and turn.pair.open:
            self._held = self._view(turn)

    def _show_held(self) -> None:
        view = self._held
        if view is not None and view.pair is not None:
            self.verticalScrollBar().setValue(view.y() + view.pair.y() - tokens.GAP)

    def withdraw(self, turn: Turn) -> None:
        """The turn was refused or taken back."""
        self._drop(turn)
        for replaced in turn.replaced:
            self.add_turn(replaced)
            self.refresh(replaced)
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

    def show_passing(self, text: str) -> None:
        """A sentence at the end that is true for the moment only; "" takes it away."""
        self._passing.setText(text)
        self._passing.setAccessibleName(text)
        self._passing.setVisible(bool(text))
        self._show_foot()

    def show_offer(self, by: str, sentence: str, choices: Sequence[Choice]) -> None:
        """Something that can be done now, at the end; "" takes it away, if it is of the same.

        by  who offers it
        """
        if sentence or by == self._offered_by:
            self._offered_by = by if sentence else ""
            self.offer.show_offer(sentence, choices)
            self._show_foot()

    def put_first(self, sheet: QWidget) -> None:
        """Show this in the empty chat, in the place of the questions to try."""
        self.welcome.hide()
        self._middle.stack.insertWidget(0, sheet)

    def take_away(self, sheet: QWidget) -> None:
        """What was put first has been read."""
        self._middle.stack.removeWidget(sheet)
        sheet.hide()
        sheet.deleteLater()
        self.welcome.show()

    @property
    def readers(self) -> list[Reader]:
        """Every text that is on the page, from the top to the bottom."""
        return [reader for view in self._turns for reader in view.readers]

    def put_above(self, line: QWidget) -> None:
        """Keep a line, hidden so far, that stays at the top while the conversation scrolls."""
        line.setParent(self)
        line.hide()
        self._above = line

    def show_above(self, *, shown: bool) -> None:
        """Show that line or take it away; while it is there, earlier turns come by themselves."""
        if self._above is None:
            return
        bar, before = self.verticalScrollBar(), self.viewportMargins().top()
        height = self._above.sizeHint().height() if shown else 0
        following = self._following
        self._above.setVisible(shown)
        self.setViewportMargins(0, height, 0, 0)
        self._place_above()
        # What the reader looks at stays where it is on the screen.
        bar.setValue(bar.maximum() if following else bar.value() + height - before)
        self._still.start()

    def show_place(self, reader: Reader, place: QRect) -> None:
        """Scroll to a place of a text, unless it is well on the screen."""
        below = self.verticalScrollBar().value() + self.place_of(reader, place)
        self.ensureVisible(0, below, 0, self.viewport().height() // 4)

    def place_of(self, reader: Reader, place: QRect) -> int:
        """How far below the top of the screen it is, in pixels; negative above it."""
        below = reader.viewport().mapTo(self._column, place.bottomLeft()).y()
        return below - self.verticalScrollBar().value()

    def clear(self) -> None:
        for widget in (*self._turns, *self._rows):
            self._remove(widget)
        self._turns.clear()
        self._notices.clear()
        self._rows.clear()
        self._stale.clear()
        self._earlier.clear()
        self._anchor = self._held = None
        self._top.hide()
        self._middle.show()
        self.painted.emit()

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
        self.welcome.set_look(look)
        self.offer.set_look(look)
        for line in (self._passing, *self._notices):
            line.setFont(look.small)
        self._more.setFont(look.small)
        for column in (self._middle, self._top, self._foot, *self._rows):
            column.set_measure(look.measure)
        self._place_above()
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
        stack.addWidget(self._top)
        self._more.setObjectName("quiet")
        self._more.setProperty("soft", True)
        self._more.setAccessibleName(self._more.text())
        self._more.clicked.connect(self.show_earlier)
        self._top.hide()
        stack.addWidget(self._foot)
        self._foot.hide()
        stack.addStretch(3)
        self.welcome.chosen.connect(self.chosen)
        self.setWidget(self._column)
        bar = self.verticalScrollBar()
        bar.valueChanged.connect(self._scrolled)
        bar.rangeChanged.connect(self._grown)

    def _show_foot(self) -> None:
        self._foot.setVisible(bool(self._passing.text() or self.offer.text))

    def _column_of(self, widget: QWidget) -> Column:
        """What is no pair of answers keeps to the measure."""
        column = Column(self._look.measure, gutter=0, parent=self._column)
        column.stack.addWidget(widget)
        return column

    def _view_of(self, turn: Turn) -> TurnView:
        view = TurnView(turn, self._look, parent=self._column)
        view.show_busy(self._busy)
        view.link_chosen.connect(self.link_chosen)
        view.copy_asked.connect(self.copy_asked)
        view.voted.connect(self.voted)
        view.skipped.connect(self.skipped)
        view.reopened.connect(self.reopened)
        view.undo_asked.connect(self.undo_asked)
        view.version_chosen.connect(self.version_chosen)
        view.edit_asked.connect(self.edit_asked)
        return view

    def _common(self, turns: Sequence[Turn]) -> int:
        """How many views can stay: those of the first turns, if these are at the same place."""
        before = len(self._earlier)
        if list(turns[:before]) != self._earlier:
            return 0
        pairs = zip(self._turns, turns[before:], strict=False)
        return next(
            (place for place, (view, turn) in enumerate(pairs) if view.turn is not turn),
            min(len(self._turns), len(turns) - before),
        )

    def _append(self, widget: QWidget) -> None:
        self._column.stack.insertWidget(self._column.stack.indexOf(self._foot), widget)
        self._column.stack.setStretch(0, 0 if self._turns else 2)

    def _drop(self, turn: Turn) -> None:
        if (view := self._view(turn)) is not None:
            self._turns.remove(view)
            self._stale.discard(view)
            self._held = None
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
        # The newest first: that is where the reader is.
        for view in [view for view in reversed(self._turns) if view in self._stale]:
            if not view.paint():
                self._stale.discard(view)
            if perf_counter() - begun > BUDGET:
                break
        spent = round((perf_counter() - begun) * 1000)
        rest = min(spent * tokens.FRAME_SHARE, tokens.FRAME_LONGEST)
        self._pause = max(tokens.FRAME, rest)
        if self._stale:
            self._tick.start(self._pause)
        else:
            self._still.start()
        self.painted.emit()

    def _place_above(self) -> None:
        if self._above is not None:
            height = self.viewportMargins().top()
            self._above.setGeometry(0, 0, self.viewport().width(), height)

    def _scrolled(self, value: int) -> None:
        self._following = value >= self.verticalScrollBar().maximum() - NEAR
        if self._anchor is not None:
            self._anchor = (self._anchor[0], value - self._anchor[0].y())
        self._reach()

    def _grown(self, low: int, high: int) -> None:
        if self._held is not None:
            self._show_held()
        elif self._following:
            self.verticalScrollBar().setValue(high)
        elif self._anchor is not None:
            self.verticalScrollBar().setValue(self._anchor[0].y() + self._anchor[1])

    def _reach(self) -> None:
        """Earlier turns come before the reader is at the top."""
        near = self.verticalScrollBar().value() < REACH and not self._following
        wanted = near or bool(self.viewportMargins().top())
        if wanted and self._earlier and not self._stale and self._anchor is None:
            self.show_earlier()

    def _let_go(self) -> None:
        """Everything has its height."""
        self._show_held()
        self._anchor = self._held = None
        self._reach()

    # Qt ---------------------------------------------------------------------------------

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.bar_changed.emit(self.width() - self.viewport().width())
            self._place_above()
        return super().viewportEvent(event)
