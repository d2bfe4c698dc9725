"""The settings worth keeping, one row each: what it is best at, and a button that takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One member.

    id       of its candidate
    told     what it is best at, and for how many
    trouble  why it cannot be had now; "" if it can
    next     it answers next
    free     it can be taken instead
    """

    id: str
    name: str
    told: str
    trouble: str = ""
    next: bool = False
    free: bool = True


class Badge(QWidget):
    """The number by which a member is found in the picture."""

    def __init__(self, number: int, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._number, self._look, self._yours = number, look, False
        self.setFixedSize(QSize(tokens.BADGE + 4, tokens.BADGE + 4))

    def show_state(self, *, yours: bool) -> None:
        self._yours = yours
        self.update()

    def set_look(self, look: Look) -> None:
        self._look = look
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = self._look, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shade = look.shade(self._number - 1)
        painter.setPen(QPen(look.accent if self._yours else shade, 1.5))
        painter.setBrush(shade)
        painter.drawEllipse(QRectF(self.rect()).adjusted(2, 2, -2, -2))
        font = tokens.strong(look.small)
        painter.setFont(font)
        painter.setPen(look.text)
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), str(self._number))
        painter.end()


class MemberRow(QWidget):
    """Shows one member.

    chosen()  it shall answer next
    """

    chosen = Signal()

    def __init__(self, number: int, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._badge = Badge(number, look, parent=self)
        self.name, self.told, self.trouble = QLabel(self), QLabel(self), QLabel(self)
        self.state = QLabel(self.tr("Answers next"), self)
        self.use = QPushButton(self.tr("Use this one"), self)
        self._arrange()
        self.set_look(look)

    def show_row(self, row: Row) -> None:
        self.name.setText(row.name)
        self.told.setText(row.told)
        self.trouble.setText(row.trouble)
        self.trouble.setVisible(bool(row.trouble))
        self._badge.show_state(yours=row.next)
        self.state.setVisible(row.next)
        self.use.setVisible(row.free and not row.next)
        self.use.setAccessibleName(self.tr("Use {0}").format(row.name))
        parts = [row.name, row.told, row.trouble, self.state.text() if row.next else ""]
        self.setAccessibleName(". ".join(part for part in parts if part))

    def set_look(self, look: Look) -> None:
        self._badge.set_look(look)
        strong = tokens.strong(look.plain)
        self.name.setFont(strong)
        for part in (self.told, self.trouble, self.state, self.use):
            part.setFont(look.plain)

    def _arrange(self) -> None:
        for label in (self.name, self.told, self.trouble):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        for label in (self.told, self.trouble, self.state):
            label.setObjectName("muted")
        self.use.setObjectName("plain")
        self.use.clicked.connect(self.chosen)
        words = QVBoxLayout()
        words.setSpacing(2)
        for label in (self.name, self.told, self.trouble):
            words.addWidget(label)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.PADDING)
        row.addWidget(self._badge, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        row.addWidget(self.state)
        row.addWidget(self.use)


class MemberList(QWidget):
    """All members, numbered as in the picture.

    chosen(str)  the id of the one that shall answer next
    """

    chosen = Signal(str)

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._shown: tuple[Row, ...] = ()
        self.rows: list[MemberRow] = []
        self._stack = QVBoxLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.setSpacing(tokens.PADDING)
        self.setAccessibleName(self.tr("Settings worth keeping"))

    def show_rows(self, rows: Sequence[Row]) -> None:
        self._shown = tuple(rows)
        while len(self.rows) > len(rows):
            row = self.rows.pop()
            row.hide()
            row.deleteLater()
        while len(self.rows) < len(rows):
            self.rows.append(self._row(len(self.rows)))
        for view, shown in zip(self.rows, rows, strict=True):
            if shown.next and view.use.hasFocus():
                self.setFocus()  # else a second press of the key would take the next one
            view.show_row(shown)

    def set_look(self, look: Look) -> None:
        self._look = look
        for row in self.rows:
            row.set_look(look)

    def _row(self, index: int) -> MemberRow:
        row = MemberRow(index + 1, self._look, parent=self)
        row.chosen.connect(partial(self._choose, index))
        self._stack.addWidget(row)
        row.show()
        return row

    def _choose(self, index: int) -> None:
        self.chosen.emit(self._shown[index].id)
