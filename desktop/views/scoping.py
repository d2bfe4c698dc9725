"""How far the chat that is open learns: chosen in the menu, shown where it is not as usual."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop import scopes
from desktop.desk import Desk
from desktop.views.menus import Menus
from desktop.widgets.status_line import StatusLine


class Scoping(QObject):
    """Joins the desk's scopes to the window.

    told(str)  what it means now, for those who listen instead of looking
    """

    told = Signal(str)

    def __init__(self, desk: Desk, *, window: QObject, menus: Menus, status: StatusLine) -> None:
        super().__init__(window)
        self._desk, self._menus, self._status = desk, menus, status
        self._shown = desk.asking.conversation, desk.asking.conversation.scope
        self._wanted = desk.options.values.scope
        desk.asking.scope_changed.connect(self._show)
        desk.options.changed.connect(self._follow)
        self._show()

    def _show(self) -> None:
        conversation = self._desk.asking.conversation
        scope = conversation.scope
        self._menus.show_scope(scope, private=conversation.private)
        self._status.show_scope("" if conversation.private else scopes.short(scope))
        before, former = self._shown
        self._shown = conversation, scope
        another = conversation is not before
        if conversation.private:
            return  # that is told where it is private
        if (another and scope != "everywhere") or (not another and scope != former):
            self.told.emit(scopes.told(scope))

    def _follow(self) -> None:
        """A chat in which nothing was said yet begins as the settings say."""
        asking, wanted = self._desk.asking, self._desk.options.values.scope
        empty = not asking.conversation.turns and not asking.conversation.chat
        chosen, self._wanted = wanted != self._wanted, wanted
        if chosen and empty:
            asking.set_scope(wanted)
