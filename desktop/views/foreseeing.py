"""Says, while a question is typed, what it will leave of the context, and what it will cost."""

from __future__ import annotations

from PySide6.QtCore import QLocale, QObject, QTimer

from desktop import room
from desktop.desk import Desk
from desktop.widgets.composer import Composer
from desktop.widgets.status_line import StatusLine

REST = 200
"""Milliseconds without typing before it is estimated."""

NOTABLE = 0.01
"""Share of the context that a question must take to be worth a word …"""

SCARCE = 0.25
"""… unless so little is left."""


class Foreseeing(QObject):
    """Keeps the status line up to date with what is in the composer."""

    def __init__(
        self, desk: Desk, *, window: QObject, composer: Composer, status: StatusLine
    ) -> None:
        super().__init__(window)
        self._desk, self._composer, self._status = desk, composer, status
        self._rest = QTimer(self, singleShot=True, interval=REST)
        self._rest.timeout.connect(self._show)
        composer.typed.connect(self._rest.start)
        for moved in (desk.asking.measured, desk.asking.settled, desk.loading.ready):
            moved.connect(lambda *_: self._rest.start())

    def _show(self) -> None:
        asking, ready, text = self._desk.asking, self._desk.loading.current, self._composer.text
        if ready is None or not text.strip() or asking.busy:
            self._status.show_ahead("", told="", taken=0.0)
            return
        found = room.foresee(
            text,
            asking.conversation.turns,
            used=asking.used,
            context=ready.context,
            answer=self._desk.engine.settings.sampling.max_tokens,
        )
        text, told = self._words(found)
        self._status.show_ahead(text, told=told, taken=found.taken)

    def _words(self, found: room.Room) -> tuple[str, str]:
        """In a few words, and in a sentence."""
        if not found.fits:
            said = self.tr("This question is longer than what the model can read. Shorten it.")
            return self.tr("too long for the model"), said
        if found.dropped:
            said = self.tr(
                "With this question the chat is longer than what the model can read: of its oldest "
                "messages about %n will be left out. They stay here for you.", "", found.dropped,
            )  # fmt: skip
            return self.tr("drops the oldest %n message(s)", "", found.dropped), said
        if found.taken < NOTABLE and found.left > SCARCE:
            return "", ""
        share = QLocale().toString(round(100 * found.left))
        said = self.tr("This question leaves about {0} % of what the model can read at once.")
        return self.tr("leaves about {0} % of the room").format(share), said.format(share)
