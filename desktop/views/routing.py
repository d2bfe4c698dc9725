"""Which member answers, in the window: whether there is another to choose, and what was chosen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from desktop.desk import Desk
from desktop.views.menus import Menus
from desktop.views.places import Places


class Routing(QObject):
    """Joins the desk's choice of members to the menus.

    told(str)  what was chosen, for those who listen instead of looking
    """

    told = Signal(str)

    def __init__(
        self,
        desk: Desk,
        *,
        window: QObject,
        menus: Menus,
        places: Places,
        tell: Callable[[str], None],
    ) -> None:
        """tell  says a sentence in the conversation, where that is on the screen"""
        super().__init__(window)
        self._desk, self._menus, self._places = desk, menus, places
        desk.choosing.changed.connect(self.show)
        desk.taste_changed.connect(self.show)
        desk.choosing.failed.connect(tell)
        desk.choosing.took.connect(self._took)

    def show(self, _: object = None) -> None:
        """Whether there is something to choose from."""
        route = self._desk.choosing.route
        choice = self._desk.member is not None and route is not None and bool(route.others)
        self._menus.show_route(choice=choice)

    def _took(self, sentence: str) -> None:
        if self._places.at_chat:
            self.told.emit(sentence)  # the line that says it can be seen
