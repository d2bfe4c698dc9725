"""One quiet line: which model, where it runs, how fast, how full."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QWidget

from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.elided import ElidedLabel
from desktop.widgets.meter import Meter


class StatusLine(QWidget):
    """Shows values; the model's name opens the menu of models, how far the chat learns that of the
    scopes."""

    def __init__(
        self, look: Look, *, models: QMenu, scopes: QMenu, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._model, self.scope = QPushButton(self), QPushButton(self)
        self._state = ElidedLabel(self)
        self._speed, self._context = QLabel(self), QLabel(self)
        self._meter = Meter(look, parent=self)
        self._used = self._ahead = self._usage = ""
        self._counted = False
        self._prepare(models, scopes)
        self._arrange()

    def show_model(self, name: str, *, state: str) -> None:
        """The model's name and where it runs, or what is happening to it."""
        self._model.setText(name.replace("&", "&&"))
        self._model.setAccessibleName(self.tr("Model: {0}. Choose another").format(name))
        self._state.setText(state)
        self._fit()

    def show_scope(self, text: str) -> None:
        """How far what is learned in this chat goes; "" where that is as usual."""
        self.scope.setText(text)
        self.scope.setAccessibleName(self.tr("{0}. Change that").format(text))
        self._fit()

    def show_speed(self, speed: float | None) -> None:
        text = self.tr("{0} tokens/s").format(QLocale().toString(speed, "f", 0)) if speed else ""
        self._speed.setText(text)
        self._fit()

    def show_context(self, used: int, context: int) -> None:
        """How much of the context the chat occupies."""
        shown = context > 0
        self._meter.setVisible(shown)
        self._context.setVisible(shown)
        self._counted = shown
        if not shown:
            return
        share = used / context
        self._meter.show_share(share)
        self._used = self.tr("{0} % of context").format(round(100 * share))
        self._context.setText(self._ahead or self._used)
        told = self.tr(
            "{0} of {1} tokens are in use. When the chat no longer fits, its oldest messages are "
            "left out of what the model reads; they stay here for you."
        ).format(QLocale().toString(used), QLocale().toString(context))
        self._usage = told
        for part in (self._context, self._meter):
            part.setToolTip(told)
            part.setAccessibleDescription(told)
        self._fit()

    def show_ahead(self, text: str, *, told: str, taken: float) -> None:
        """What the question that is being typed will leave of the context; "" where that is not
        worth a word.

        told   the same in a sentence
        taken  by that question, as a share of the context
        """
        self._ahead = text
        self._meter.show_ahead(taken)
        self._context.setText(text or self._used)
        for part in (self._context, self._meter):
            part.setToolTip(told or self._usage)
            part.setAccessibleDescription(told or self._usage)
        self._fit()

    def _fit(self) -> None:
        """What is about to happen goes before how the model runs, where there is room for one."""
        ahead = bool(self._ahead)
        self._state.setVisible(not ahead)
        parts = (self._model, self.scope, self._meter, self._context)
        needed = sum(part.sizeHint().width() + tokens.GAP for part in parts) + tokens.INSET
        fits = needed <= self.width()
        self.scope.setVisible(bool(self.scope.text()) and (fits or not ahead))
        # The meter says the same as its words, which would be cut.
        self._context.setVisible(self._counted and (fits or ahead or not self.scope.text()))
        speed = self._speed.sizeHint().width() + tokens.GAP
        self._speed.setVisible(not ahead and needed + speed <= self.width())

    def open_models(self) -> None:
        self._model.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._model.showMenu()

    def set_look(self, look: Look) -> None:
        self._meter.set_look(look)
        for part in (self._model, self._state, self.scope, self._speed, self._context):
            part.setFont(look.small)
        self._fit()

    def _prepare(self, models: QMenu, scopes: QMenu) -> None:
        for button, menu in ((self._model, models), (self.scope, scopes)):
            button.setObjectName("quiet")
            button.setProperty("soft", True)
            button.setMenu(menu)
        self.scope.setToolTip(self.tr("How far what is learned in this chat goes"))
        self.scope.hide()
        self._model.setToolTip(self.tr("Choose a model (Ctrl+M)"))
        for label in (self._state, self._speed, self._context):
            label.setObjectName("muted")
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._context.setMinimumWidth(1)
        self._meter.setAccessibleName(self.tr("Context in use"))
        self._meter.hide()
        self._context.hide()

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.GAP)
        row.addWidget(self._model)
        row.addWidget(self._state, 1)
        row.addStretch(0)
        row.addWidget(self.scope)
        row.addWidget(self._speed)
        row.addWidget(self._meter)
        row.addWidget(self._context)
        row.addSpacing(tokens.INSET)

    # Qt ---------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
