"""Every connection that Attune's download program ever made, for its owner to see."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from desktop import models as words
from desktop.heard import heard
from desktop.languages import tr
from desktop.prose import brief
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.log_table import Line, LogTable
from engine.api import Connection


class Connections(QWidget):
    """A sentence, and below it the table; without a connection the sentence alone."""

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.told = QLabel(self.tr("Reading which connections were made …"), self)
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.told.setWordWrap(True)
        columns = (
            self.tr("When"), self.tr("What for"), self.tr("How it ended"), self.tr("Received"),
            self.tr("Connected to"),
        )  # fmt: skip
        self.table = LogTable(columns, look, name=self.tr("Every connection, the newest first"))
        stack = QVBoxLayout(self)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(tokens.GAP)
        stack.addWidget(self.told)
        stack.addWidget(self.table)
        self.table.hide()
        self.set_look(look)

    def show_log(self, connections: Sequence[Connection] | None, *, trouble: str) -> None:
        """trouble  why they cannot be read; "" where they can"""
        found = connections or ()
        if trouble:
            self.told.setText(brief(heard(trouble)))
        elif connections is not None:
            self.told.setText(words.connected(found))
        if not found and self.table.hasFocus():
            self.setFocus()  # else the keyboard would go on by itself
        self.table.show_lines([_line(connection) for connection in found])
        self.table.setVisible(bool(found))

    def set_look(self, look: Look) -> None:
        self.told.setFont(look.plain)
        self.table.set_look(look)


def _line(connection: Connection) -> Line:
    when = words.when(connection.at)
    purpose = brief(connection.purpose, longest=words.LONGEST_PLACE)
    host = brief(connection.host, longest=words.LONGEST_PLACE)
    ended, received = words.ended(connection), words.traffic(connection.received)
    said = tr("{0}: connected to {1} for {2}. Received {3}, sent {4}. It ended: {5}.")
    told = said.format(when, host, purpose, received, words.traffic(connection.sent), ended)
    return Line(cells=(when, purpose, ended, received, host), told=told)
