"""One question and its answer, or its two."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from PySide6.QtCore import QLocale, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.conversation import Turn
from desktop.finishes import how_it_ended
from desktop.pair import Pair
from desktop.prose import LONGEST_NAME, brief
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.views.pair import LETTERS, PairView
from desktop.widgets.column import Column
from desktop.widgets.fold import Fold
from desktop.widgets.reader import Reader
from desktop.widgets.said import Said
from desktop.widgets.versions import Versions

LONGEST_QUESTION = 20_000
"""Characters of a question that are shown."""


class NoticeLine(QLabel):
    """A quiet sentence in the conversation."""

    def __init__(self, text: str, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("muted")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setContentsMargins(tokens.INSET, tokens.GAP_SMALL, 0, tokens.GAP_SMALL)
        self.setText(text)
        self.setAccessibleName(text)
        self.setFont(look.small)


class TurnView(QWidget):
    """Shows a turn as it grows; `paint` brings it up to date.

    link_chosen(str)     a link to the web in the answer
    copy_asked(str)      code of the answer
    voted(Turn, str)     an Outcome for its two answers
    skipped(Turn)        no vote on them
    reopened(Turn)       a vote after all
    undo_asked(Turn)     take the vote back
    version_chosen(str)  the id of another version of the question or the answer
    edit_asked(Turn)     ask something else instead
    """

    link_chosen = Signal(str)
    copy_asked = Signal(str)
    voted = Signal(object, str)
    skipped = Signal(object)
    reopened = Signal(object)
    undo_asked = Signal(object)
    version_chosen = Signal(str)
    edit_asked = Signal(object)

    def __init__(self, turn: Turn, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.turn = turn
        self._look = look
        self._lines: list[NoticeLine] = []
        self._head, self._body = (Column(look.measure, gutter=0, parent=self) for _ in range(2))
        self._question = Reader(look, bubble=True, parent=self._head)
        self._answer = Reader(look, parent=self._body)
        self._state = NoticeLine("", look, parent=self._body)
        self._said = Said(look, parent=self._body)
        self.questions = Versions(
            look, earlier=self.tr("Earlier version of the question"),
            later=self.tr("Later version of the question"), parent=self._head,
        )  # fmt: skip
        self.answers = Versions(
            look, earlier=self.tr("Earlier answer"), later=self.tr("Later answer"),
            parent=self._body,
        )  # fmt: skip
        self._busy = False
        self._foot = QWidget(self._body)
        self._buttons = QHBoxLayout(self._foot)
        self._above, self._below = QVBoxLayout(), QVBoxLayout()
        self._stack = QVBoxLayout(self)
        self.pair: PairView | None = None
        self.fold: Fold | None = None
        self._arrange()
        self.paint()

    @property
    def readers(self) -> list[Reader]:
        """Every text of it that is shown, from the top to the bottom."""
        return [reader for reader in self.findChildren(Reader) if reader.isVisibleTo(self)]

    def paint(self) -> bool:
        """Show what the turn is now; True if there is more text than could be shown at once."""
        more = self._paint_pair(self.turn.pair) if self.turn.pair else self._paint_answer()
        self._show_notes()
        self._show_state()
        self._show_versions()
        return more

    def show_busy(self, busy: bool) -> None:
        """Whether an answer is under way, here or elsewhere."""
        self._busy = busy
        self._show_versions()

    def offer(self, actions: list[QAction]) -> None:
        """Put actions on this answer under it: it is the last one, and done."""
        while (item := self._buttons.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for action in actions:
            self._buttons.addWidget(self._button(action))
        self._buttons.addStretch(1)
        self._foot.setVisible(bool(actions))

    def set_look(self, look: Look) -> None:
        self._look = look
        versions = (self.questions, self.answers)
        for part in (self._question, self._answer, self._said, self.pair, self.fold, *versions):
            if part is not None:
                part.set_look(look)
        for line in (*self._lines, self._state):
            line.setFont(look.small)
        self._measure()

    # Parts ------------------------------------------------------------------------------

    def _arrange(self) -> None:
        self._question.setAccessibleName(self.tr("You asked"))
        self._answer.setAccessibleName(self.tr("Answer"))
        self._answer.hide()
        for reader in (self._question, self._answer):
            self._pass_on(reader)
        self._question.show_text(self._shown_question())
        self._said.chosen.connect(self._take_back)
        self._buttons.setContentsMargins(0, 0, 0, 0)
        self._buttons.setSpacing(0)
        self._foot.hide()
        for versions in (self.questions, self.answers):
            versions.chosen.connect(self.version_chosen)
        self._question.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._question.customContextMenuRequested.connect(self._offer_edit)
        self._fill(self._head, (self._question, self.questions, self._above))
        self._fill(
            self._body,
            (self._answer, self._below, self._state, self._said, self.answers, self._foot),
        )
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.setSpacing(tokens.GAP + tokens.GAP_SMALL)
        self._stack.addWidget(self._head)
        self._stack.addWidget(self._body)
        self._measure()

    def _shown_question(self) -> str:
        """As much of it as is laid out in a moment; a pasted log would stop the window."""
        text = self.turn.question
        if len(text) <= LONGEST_QUESTION:
            return text
        rest = QLocale().toString(len(text) - LONGEST_QUESTION)
        more = self.tr("{0} more characters are not shown; an export has them.").format(rest)
        return f"{text[:LONGEST_QUESTION]}…\n\n{more}"

    @staticmethod
    def _fill(column: Column, parts: Iterable[QWidget | QVBoxLayout]) -> None:
        stack = column.stack
        stack.setSpacing(tokens.GAP)
        for part in parts:
            stack.addLayout(part) if isinstance(part, QVBoxLayout) else stack.addWidget(part)

    def _pass_on(self, part: Reader | PairView | Fold) -> None:
        part.link_chosen.connect(self.link_chosen)
        part.copy_asked.connect(self.copy_asked)

    # One answer -------------------------------------------------------------------------

    def _paint_answer(self) -> bool:
        if self.turn.text:
            self._answer.show_markdown(self.turn.text)
            self._answer.show()
        return self._answer.advance()

    # Two --------------------------------------------------------------------------------

    def _paint_pair(self, pair: Pair) -> bool:
        view = self.pair
        if view is None and pair.stage != "past":
            view = self._add_pair(pair)
        if view is not None:
            view.setVisible(not pair.settled and (pair.stage != "cut" or bool(pair.begun)))
        self._answer.setVisible(pair.settled)
        folded = pair.settled and pair.stage != "same"
        if self.fold is not None:
            self.fold.setVisible(folded)
        self._show_said(pair)
        if not pair.settled and view is not None:
            if self.fold is not None:
                self.fold.close_up()
            return view.paint()
        more = self._paint_answer()
        if folded:
            fold = self.fold or self._add_fold()
            fold.show_text(pair.text_of(1 - pair.chosen), title=self._folded(pair))
            more = fold.advance() or more
        self._answer.setAccessibleName(self.tr("Answer {0}").format(LETTERS[pair.chosen]))
        return more

    def _add_pair(self, pair: Pair) -> PairView:
        view = self.pair = PairView(pair, self._look, parent=self)
        self._pass_on(view)
        view.voted.connect(partial(self.voted.emit, self.turn))
        view.skipped.connect(partial(self.skipped.emit, self.turn))
        self._stack.insertWidget(1, view)
        return view

    def _add_fold(self) -> Fold:
        fold = self.fold = Fold(self._look, parent=self._body)
        self._pass_on(fold)
        fold.toggled.connect(self.paint)
        self._body.stack.insertWidget(1, fold)
        fold.show()
        return fold

    def _folded(self, pair: Pair) -> str:
        letter = LETTERS[1 - pair.chosen]
        if pair.outcome in ("first", "second"):
            better = pair.outcome == ("first", "second")[1 - pair.chosen]
            said = self.tr("Answer {0}, the better one") if better else ""
            return (said or self.tr("Answer {0}, not chosen")).format(letter)
        return self.tr("Answer {0}").format(letter)

    def _show_said(self, pair: Pair) -> None:
        """What became of the vote, and the way back."""
        sentence, button = pair.said, ""
        if pair.stage == "voted":
            sentence = f"✓ {sentence}"
            button = self.tr("Undo") if pair.newest else ""
        elif pair.stage == "skipped":
            sentence = self.tr("Skipped: nothing was learned from these two.")
            button = self.tr("Vote after all")
        elif pair.stage == "voting":
            sentence = self.tr("Saving your vote …")
        elif pair.stage == "same":
            sentence = self.tr("Both answers came out alike, so there is nothing to compare.")
        elif pair.stage == "cut":
            sentence = self._cut(pair)
        name = self.tr("Undo the vote") if pair.stage == "voted" else ""
        quiet = pair.stage in ("voting", "same", "cut")
        self._said.show_sentence(sentence, button=button, name=name, quiet=quiet)

    def _cut(self, pair: Pair) -> str:
        if not pair.begun:
            return self.tr("Nothing of the two was written, so there is nothing to vote on.")
        if pair.both_cut:
            return self.tr("Both were cut short, so there is nothing to vote on.")
        return self.tr("One of the two was cut short, so there is nothing to vote on.")

    def _take_back(self) -> None:
        if self.turn.pair is not None and self.turn.pair.stage == "skipped":
            self.reopened.emit(self.turn)
        else:
            self.undo_asked.emit(self.turn)

    # Lines ------------------------------------------------------------------------------

    def _show_notes(self) -> None:
        shown = {line.text() for line in self._lines}
        for layout, sentences in ((self._above, self.turn.before), (self._below, self.turn.after)):
            for sentence in sentences:
                if sentence not in shown:
                    line = NoticeLine(sentence, self._look, parent=layout.parentWidget())
                    layout.addWidget(line)
                    self._lines.append(line)

    def _show_versions(self) -> None:
        """What else was asked and answered here; both answers of a duel are on the page."""
        kept, pair = self.turn.kept, self.turn.pair
        over = pair is None or pair.settled or pair.stage == "cut"
        settled = self.turn.state == "done" and over
        others = kept.versions if settled and set(kept.versions) != set(kept.answers) else ()
        self.answers.show_versions(others, self.turn.answer_id, enabled=not self._busy)
        self.questions.show_versions(kept.questions, kept.question, enabled=not self._busy)

    def _offer_edit(self, place: QPoint) -> None:
        menu = self._question.createStandardContextMenu()
        edit = QAction(self.tr("Edit this question"), menu)
        edit.setEnabled(not self._busy)
        edit.triggered.connect(lambda: self.edit_asked.emit(self.turn))
        menu.insertAction(menu.actions()[0] if menu.actions() else edit, edit)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self._question.mapToGlobal(place))

    def _show_state(self) -> None:
        text = self._words()
        self._state.setText(text)
        self._state.setAccessibleName(text)
        self._state.setVisible(bool(text))

    def _words(self) -> str:
        """What is happening to the answer, or how it ended."""
        match self.turn.state:
            case "waiting":
                return self.tr("Waiting for the model …")
            case "reading":
                return self.tr("Reading …")
            case "writing":
                return ""
        model = brief(self.turn.model, longest=LONGEST_NAME)
        parts = (self._ending(), self._steered(), self._learned(), model)
        return "  ·  ".join(part for part in parts if part)

    def _ending(self) -> str:
        if self.turn.past and not self.turn.text:
            return self.tr("Nothing was written yet.")
        if self.turn.broken and not self.turn.text:
            return self.tr("Interrupted before anything was written.")
        if self.turn.broken and self.turn.past:
            return self.tr("This answer was cut off.")
        if self.turn.broken:
            return self.tr("Interrupted: this is what there was.")
        pair = self.turn.pair
        if pair is not None and not pair.settled and pair.begun:
            return ""  # each of the two says so beneath itself
        return how_it_ended(self.turn.finish_word)

    def _steered(self) -> str:
        if not self.turn.steered:
            return ""
        return self.tr("Steered towards: {0}").format(brief(", ".join(self.turn.steered)))

    def _learned(self) -> str:
        if not self.turn.learned or self.turn.pair is not None:
            return ""
        return self.tr("Learned: {0}").format(", ".join(self.turn.learned))

    def _button(self, action: QAction) -> QPushButton:
        button = QPushButton(action.iconText(), self._foot)
        button.setObjectName("quiet")
        button.setProperty("soft", True)
        button.setFont(self._look.small)
        button.setAccessibleName(action.text().replace("&", ""))
        native = QKeySequence.SequenceFormat.NativeText
        button.setToolTip(action.shortcut().toString(native))
        button.clicked.connect(action.trigger)
        return button

    def _measure(self) -> None:
        """Prose no wider than the measure; two answers have all the room there is."""
        for part in (self._head, self._body):
            part.set_measure(self._look.measure)
        room = min(self.width(), self._look.measure)
        ideal = self._question.ideal_width()
        self._question.setFixedWidth(max(min(ideal, room), 48))

    # Qt ---------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._measure()
