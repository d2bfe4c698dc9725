"""What is measured: the settings, which of them are left out, and adding one."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop import portfolio as words
from desktop.prose import LONGEST_NAME, brief
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.strength import Strength
from desktop.widgets.tick_list import TickList
from engine.api import MAX_GAMMA, Candidate, ModelCard, Pool

LONGEST = 300
"""Characters of the preferences of a setting."""

USUAL = 0.2
"""The strength that is offered, as a fraction."""


class PoolEditor(QWidget):
    """A list in which what is ticked is measured.

    removed(Candidate)      it shall not be measured
    restored(Candidate)     it shall be measured again
    added(str, tuple, float)  one more: id of its model, preferences, strength γ
    """

    removed = Signal(object)
    restored = Signal(object)
    added = Signal(str, object, float)

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._order: list[str] = []
        self._shown: dict[str, Candidate] = {}
        self._measured: set[str] = set()
        self._cards: tuple[ModelCard, ...] = ()
        self._model = ""
        named = self.tr("Settings that are measured; the space bar changes it")
        self.list = TickList(look, name=named, parent=self)
        self.menu = QMenu(self.tr("Model"), self)
        self._models = QActionGroup(self)
        self.model = QPushButton(self)
        self.field = QLineEdit(self)
        self.strength = Strength(parent=self)
        self.add = QPushButton(self.tr("Add"), self)
        self._title = QLabel(self.tr("Add a setting"), self)
        self._arrange()
        self._connect()
        self.set_look(look)

    def show_pool(self, pool: Pool) -> None:
        """Rows keep their places, so that ticking one does not move it away."""
        self._measured = {candidate.id for candidate in pool.candidates}
        found = {c.id: c for c in (*pool.candidates, *pool.removed)}
        self._order = [id for id in self._order if id in found]
        self._order += [id for id in found if id not in self._order]
        self._shown = found
        kept = max(self.list.currentRow(), 0)
        blocked = self.list.blockSignals(True)
        while self.list.count() > len(self._order):
            self.list.takeItem(self.list.count() - 1)
        while self.list.count() < len(self._order):
            self.list.addItem(QListWidgetItem())
        for row, id in enumerate(self._order):
            self._write(self.list.item(row), found[id], measured=id in self._measured)
        self.list.setCurrentRow(min(kept, self.list.count() - 1))
        self.list.blockSignals(blocked)
        self._fit()

    def show_models(self, cards: tuple[ModelCard, ...]) -> None:
        """The models that a setting can be added for."""
        self._cards = tuple(card for card in cards if card.available)
        self.menu.clear()
        for card in self._cards:
            name = brief(card.name, longest=LONGEST_NAME).replace("&", "&&")
            action = QAction(name, self._models, checkable=True)
            action.setData(card.id)
            self.menu.addAction(action)
        known = {card.id for card in self._cards}
        if self._model not in known:
            self._model = self._cards[0].id if self._cards else ""
        self._show_model()

    def show_building(self, building: bool) -> None:
        """While it is measured the pool stays as it is."""
        for part in (self.list, self.model, self.field, self.strength, self.add):
            part.setEnabled(not building)

    def accepted(self) -> None:
        """What was to be added is."""
        self.field.clear()

    def set_look(self, look: Look) -> None:
        self.setFont(look.plain)
        self.list.set_look(look)
        for part in (self.model, self.field, self.strength, self.add):
            part.setFont(look.plain)
        strong = tokens.strong(look.plain)
        self._title.setFont(strong)
        self._fit()

    # Parts ------------------------------------------------------------------------------

    def _write(self, item: QListWidgetItem, candidate: Candidate, *, measured: bool) -> None:
        item.setText(words.named(candidate))
        item.setFlags(
            Qt.ItemFlag.ItemIsEnabled
            | Qt.ItemFlag.ItemIsSelectable
            | Qt.ItemFlag.ItemIsUserCheckable
        )
        item.setCheckState(Qt.CheckState.Checked if measured else Qt.CheckState.Unchecked)

    def _fit(self) -> None:
        height = self.list.fontMetrics().height() + tokens.GAP
        for row in range(self.list.count()):
            self.list.item(row).setSizeHint(QSize(0, height))
        self.list.setFixedHeight(height * max(self.list.count(), 1) + 2)

    def _show_model(self) -> None:
        for action in self._models.actions():
            action.setChecked(action.data() == self._model)
        name = next((card.name for card in self._cards if card.id == self._model), "")
        shown = brief(name, longest=LONGEST_NAME)
        self.model.setText(shown.replace("&", "&&"))
        self.model.setAccessibleName(self.tr("Model: {0}. Choose another").format(shown))
        self.add.setEnabled(bool(self._model) and self.list.isEnabled())

    def _arrange(self) -> None:
        self._title.setObjectName("section")
        self._title.setBuddy(self.field)
        self.model.setObjectName("plain")
        self.model.setMenu(self.menu)
        self.field.setObjectName("field")
        self.field.setMaxLength(LONGEST)
        self.field.setPlaceholderText(self.tr("concise, warm"))
        self.field.setAccessibleName(self.tr("What it prefers, separated by commas"))
        self.strength.show_fraction(USUAL, resting=False)
        self.add.setObjectName("plain")
        self.add.setAccessibleName(self.tr("Add this setting"))
        top, bottom = QHBoxLayout(), QHBoxLayout()
        for row in (top, bottom):
            row.setSpacing(tokens.GAP)
        top.addWidget(self.model)
        top.addWidget(self.field, 1)
        bottom.addWidget(self.strength)
        bottom.addStretch(1)
        bottom.addWidget(self.add)
        stack = QVBoxLayout(self)
        stack.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
        stack.setSpacing(tokens.GAP)
        stack.addWidget(self.list)
        stack.addSpacing(tokens.GAP)
        stack.addWidget(self._title)
        stack.addLayout(top)
        stack.addLayout(bottom)

    def _connect(self) -> None:
        self._fraction = USUAL
        self.list.itemChanged.connect(self._ticked)
        self.menu.triggered.connect(self._choose)
        self.strength.changed.connect(self._pull)
        self.field.returnPressed.connect(self._add)
        self.add.clicked.connect(self._add)

    def _ticked(self, item: QListWidgetItem) -> None:
        candidate = self._shown[self._order[self.list.row(item)]]
        ticked = item.checkState() == Qt.CheckState.Checked
        if ticked == (candidate.id in self._measured):
            return  # its height or its text changed
        (self.restored if ticked else self.removed).emit(candidate)

    def _choose(self, action: QAction) -> None:
        self._model = str(action.data())
        self._show_model()

    def _pull(self, fraction: float) -> None:
        self._fraction = fraction

    def _add(self) -> None:
        if self._model:
            wanted = preferences(self.field.text())
            gamma = round(self._fraction * MAX_GAMMA, 2) if wanted else 0.0
            self.added.emit(self._model, wanted, gamma)


def preferences(text: str) -> tuple[str, ...]:
    """Words separated by commas; what ends with a full stop is one sentence, commas and all."""
    clean = " ".join(text.split())
    parts = [clean] if clean.endswith((".", "!")) else clean.split(",")
    return tuple(part.strip() for part in parts if part.strip())
