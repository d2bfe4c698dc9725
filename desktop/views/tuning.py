"""What settings do to the window, as soon as they are wished."""

from __future__ import annotations

from PySide6.QtCore import QObject

from desktop.desk import Desk
from desktop.style.theme import Theme
from desktop.widgets.composer import Composer


class Tuning(QObject):
    """Lets the window follow the desk's options."""

    def __init__(self, desk: Desk, *, window: QObject, theme: Theme, composer: Composer) -> None:
        super().__init__(window)
        self._options, self._theme, self._composer = desk.options, theme, composer
        self._options.changed.connect(self.follow)

    def follow(self) -> None:
        """Look and behave as the settings say."""
        values = self._options.values
        self._theme.set_colours(values.colours)
        self._composer.set_send_key(values.send_key)
