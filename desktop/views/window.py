"""The window: joins its parts to the desk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QCloseEvent,
    QKeyEvent,
)
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from desktop import window_state
from desktop.actions import chat, help, links, preferences
from desktop.conversation import Turn
from desktop.desk import Desk
from desktop.prose import brief, plain
from desktop.style import tokens
from desktop.style.sheet import sheet
from desktop.style.theme import Theme
from desktop.style.tokens import Look
from desktop.taste import Taste
from desktop.views import standing
from desktop.views.alongside import Alongside
from desktop.views.browsing import Browsing
from desktop.views.carrying import Carrying
from desktop.views.chat_side import ChatSide
from desktop.views.foreseeing import Foreseeing
from desktop.views.guide import Guide
from desktop.views.hearing import Hearing
from desktop.views.mending import Mending
from desktop.views.menus import Menus
from desktop.views.model_line import ModelLine
from desktop.views.next_answer import NextAnswer
from desktop.views.page import Page
from desktop.views.places import Places
from desktop.views.routing import Routing
from desktop.views.scoping import Scoping
from desktop.views.sidebar import Sidebar
from desktop.views.thumbs import Thumbs
from desktop.views.tuning import Tuning
from desktop.widgets import escape
from desktop.widgets.column import Column
from desktop.widgets.composer import Composer
from desktop.widgets.status_line import StatusLine
from desktop.widgets.steering_bar import SteeringBar
from desktop.window_state import WindowState
from engine.api import Ending

LOOKS = (
    QEvent.Type.PaletteChange,
    QEvent.Type.ApplicationPaletteChange,
    QEvent.Type.ApplicationFontChange,
    QEvent.Type.ThemeChange,
)
"""Events after which the window may have to look different."""


class Window(QMainWindow):
    """Closing it ends the desk."""

    def __init__(
        self, desk: Desk, theme: Theme, *, folder: Path, state: WindowState,
        ending: Ending | None = None,
    ) -> None:  # fmt: skip
        """ending  how the last run ended, if that was badly"""
        self._theme = theme  # before anything that may make Qt send a change of palette
        super().__init__()
        self._desk, self._folder = desk, folder
        theme.setParent(self)
        desk.setParent(self)
        theme.set_colours(desk.options.values.colours)
        look = theme.look
        self.menus = Menus(self, desk)
        self.page = Page(look)
        self.composer = Composer(send=self.menus.send, stop=self.menus.stop)
        self.steering = SteeringBar()
        self.next = NextAnswer(desk)
        self.status = StatusLine(look, models=self.menus.models, scopes=self.menus.scope_menu)
        self.chats = ChatSide(look)
        self.sidebar = Sidebar(
            new_chat=self.menus.new_chat, chat=self.menus.chat, learned=self.menus.learned,
            portfolio=self.menus.portfolio, workshop=self.menus.workshop, models=self.menus.library,
            data=self.menus.data, settings=self.menus.settings,
            chats=self.chats,
        )  # fmt: skip
        self._dock = Column(look.measure)
        self._chat = QWidget()
        self.places = Places(self._chat, desk=desk, theme=theme)
        self._alongside = Alongside(
            desk, sidebar=self.sidebar, places=self.places, tell=self._noticed
        )
        self.carrying = Carrying(
            desk, window=self, places=self.places, look=lambda: theme.look, tell=self._noticed
        )
        self.browsing = Browsing(
            desk, window=self, side=self.chats, page=self.page, composer=self.composer,
            menus=self.menus, look=lambda: theme.look,
        )  # fmt: skip
        self.scoping = Scoping(desk, window=self, menus=self.menus, status=self.status)
        self.hearing = Hearing(desk, window=self, menus=self.menus, page=self.page)
        self._foreseeing = Foreseeing(desk, window=self, composer=self.composer, status=self.status)
        self.thumbs = Thumbs(
            desk, window=self, menus=self.menus, page=self.page, places=self.places,
            sidebar=self.sidebar, steering=self.steering, tell=self._noticed_here,
            keep_focus=self._keep_focus,
        )  # fmt: skip
        self.routing = Routing(
            desk, window=self, menus=self.menus, places=self.places, tell=self._noticed_here
        )
        self._model_line = ModelLine(
            desk, window=self, menus=self.menus, page=self.page, status=self.status
        )
        self._tuning = Tuning(desk, window=self, theme=theme, composer=self.composer)
        self._tuning.follow()
        self._arrange()
        self.guide = Guide(
            desk, window=self, page=self.page, shown=state.introduced, leave=self.composer.setFocus
        )
        self.mending = Mending(
            desk, window=self, page=self.page, look=look, ending=ending,
            leave=self.composer.setFocus,
        )  # fmt: skip
        self._connect_desk()
        self._connect_parts()
        self._connect_menus()
        standing.put(self, state)
        self.apply_look(look)
        self._show_taste(desk.taste)
        self.thumbs.show_learned()
        self.routing.show()
        self._show_busy()
        self.composer.setFocus()
        if self.mending.sheet is not None:
            self._model_line.show_none()
            self.mending.sheet.safe.setFocus()

    def apply_look(self, look: Look) -> None:
        """Colours, fonts and sizes as they are now."""
        self.setFont(look.plain)
        self.setStyleSheet(sheet(look))
        self._dock.set_measure(look.measure)
        for part in (
            self.page, self.composer, self.steering, self.next, self.status, self.sidebar,
            self.places, self.chats, self.browsing.aside, self.mending,
        ):  # fmt: skip
            part.set_look(look)

    # What the desk says -----------------------------------------------------------------

    def _asked(self, turn: Turn) -> None:
        self.places.show_chat()
        self.page.add_turn(turn)
        self._show_busy()

    def _settled(self, turn: Turn) -> None:
        self._show_busy()
        self.page.settle(turn)
        self.thumbs.show()
        self.hearing.say_end(turn)

    def _withdrawn(self, turn: Turn) -> None:
        self._show_busy()
        self.page.withdraw(turn)

    def _returned(self, text: str) -> None:
        self.composer.put_back(text)
        self.composer.setFocus()

    def _cleared(self) -> None:
        self.places.show_chat()
        self.page.clear()
        self._show_busy()
        self.composer.setFocus()

    def _opened(self) -> None:
        self.places.show_chat()
        self._show_busy()

    def _noticed(self, text: str) -> None:
        sentence = brief(text)
        self.page.notice(sentence)
        self._announce(sentence)

    def _show_taste(self, taste: Taste) -> None:
        self.menus.show_taste(taste)
        self.steering.show_values(
            taste.words, full=taste.full, strength=taste.strength, neutral=taste.neutral,
            learned=self.thumbs.acts,
        )  # fmt: skip

    def _show_busy(self) -> None:
        asking, loading = self._desk.asking, self._desk.loading
        turns = asking.conversation.turns
        self.menus.show_busy(
            answering=asking.busy, asked=bool(turns),
            # While the owner reads what Attune is, Escape is for that.
            loading=loading.busy and not self.guide.greets,
            answers=any(turn.text for turn in turns),
            teaches=self._desk.taste.personal and not asking.conversation.private
            and asking.conversation.reach.learns,
        )  # fmt: skip
        self.page.show_busy(asking.busy)
        self.composer.show_busy(asking.busy)
        self.thumbs.show()

    def _noticed_here(self, sentence: str) -> None:
        if self.places.at_chat:
            self._noticed(sentence)

    def _show_scope(self) -> None:
        self._show_busy()
        self.routing.show()

    def _moved(self, place: str) -> None:
        self.sidebar.show_place(place)
        self.thumbs.show()
        if place == "chat":
            self.composer.setFocus()

    # What the owner does ----------------------------------------------------------------

    def _send(self) -> None:
        if chat.ask(self._desk, self.composer.text, instead=self.browsing.editing):
            self.composer.clear()

    def _keep_focus(self) -> None:
        """The button that was pressed goes away: a second press must not hit its neighbour."""
        if self.page.isAncestorOf(self.focusWidget()):
            self.composer.setFocus()

    def _in_chat(self, run: Callable[[], object]) -> None:
        """Where the parts of the conversation are on the screen."""
        self.places.show_chat()
        run()

    def _zoom(self, steps: int) -> None:
        self._theme.set_zoom(self._theme.zoom + steps if steps else 0)

    def _toggle_full_screen(self, full: bool) -> None:
        self.setWindowState(
            Qt.WindowState.WindowFullScreen if full else Qt.WindowState.WindowNoState
        )

    def _stopped(self) -> None:
        if self.places.at_chat:
            self.composer.setFocus()

    def _guided(self) -> None:
        self._show_busy()
        window_state.write(self._folder, self._state())  # shown once, whatever comes next

    # Joining ----------------------------------------------------------------------------

    def _arrange(self) -> None:
        self.setWindowTitle("Attune")
        stack = self._dock.stack
        stack.setSpacing(tokens.GAP)
        stack.setContentsMargins(0, tokens.GAP, 0, tokens.PADDING)
        for part in (
            self.browsing.aside, self.composer, self.steering, self.next, self.status,
        ):  # fmt: skip
            stack.addWidget(part)
        right = QVBoxLayout(self._chat)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self.page, 1)
        right.addWidget(self._dock)
        centre = QWidget(self)
        centre.setObjectName("stack")
        row = QHBoxLayout(centre)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        row.addWidget(self.places, 1)
        self.setCentralWidget(centre)
        self.page.set_offers([self.menus.copy, self.menus.regenerate, self.menus.edit])

    def _connect_desk(self) -> None:
        desk = self._desk
        desk.asking.asked.connect(self._asked)
        desk.asking.grew.connect(self.page.refresh)
        desk.asking.settled.connect(self._settled)
        desk.asking.withdrawn.connect(self._withdrawn)
        desk.asking.returned.connect(self._returned)
        desk.asking.cleared.connect(self._cleared)
        desk.asking.opened.connect(self._opened)
        for part in (
            self.browsing, self.guide, self.mending, self.scoping, self.hearing, self.routing,
            self._model_line, self.places,
        ):  # fmt: skip
            part.told.connect(self._announce)
        desk.asking.scope_changed.connect(self._show_scope)
        self.guide.moved.connect(self._guided)
        for moved in (
            desk.loading.began, desk.loading.ready, desk.loading.failed, desk.loading.settled,
        ):  # fmt: skip
            moved.connect(lambda *_: self._show_busy())
        desk.voting.told.connect(self._announce)
        self.places.moved.connect(self._moved)
        desk.noticed.connect(self._noticed)
        for done in (desk.keeping.restored, desk.keeping.erased):
            done.connect(lambda _: self.places.show_data())  # where it is told; a new chat began
        desk.taste_changed.connect(self._show_taste)

    def _connect_parts(self) -> None:
        desk = self._desk
        self._theme.changed.connect(self.apply_look)
        self.composer.send_asked.connect(self._send)
        self.composer.pages_asked.connect(self.page.turn_pages)
        self.page.chosen.connect(partial(chat.ask, desk))
        self.page.link_chosen.connect(partial(links.open_link, parent=self))
        self.page.copy_asked.connect(chat.copy)
        self.page.bar_changed.connect(self._dock.set_bar)
        self.steering.add_asked.connect(partial(preferences.add_preference, desk))
        self.steering.remove_asked.connect(partial(preferences.remove_preference, desk))
        self.steering.strength_changed.connect(partial(preferences.set_strength, desk))
        self.steering.neutral_changed.connect(partial(preferences.set_neutral, desk))

    def _connect_menus(self) -> None:
        menus = self.menus
        for action, run in (
            (menus.send, self._send),
            (menus.stop, self._stopped),
            (menus.add_preference, partial(self._in_chat, self.steering.begin_preference)),
            (menus.choose, partial(self._in_chat, self.status.open_models)),
            (menus.learned, self.places.show_learned),
            (menus.portfolio, self.places.show_portfolio),
            (menus.workshop, self.places.show_workshop),
            (menus.library, self.places.show_models),
            (menus.data, self.places.show_data),
            (menus.settings, self.places.show_settings),
            (menus.import_profile, self.carrying.begin_import),
            (menus.export_profile, self.carrying.begin_export),
            (menus.another, partial(self._in_chat, self.next.open)),
            (menus.chat, self.places.show_chat),
            (menus.zoom_in, partial(self._zoom, 1)),
            (menus.zoom_out, partial(self._zoom, -1)),
            (menus.zoom_reset, partial(self._zoom, 0)),
            (menus.shortcuts, partial(help.show_shortcuts, menus.groups, parent=self)),
            (menus.about, partial(help.show_about, parent=self)),
        ):
            menus.on(action, run)
        menus.full_screen.triggered.connect(self._toggle_full_screen)

    # Remembering ------------------------------------------------------------------------

    def _state(self) -> WindowState:
        kept = WindowState(zoom=self._theme.zoom, introduced=self.guide.shown)
        return standing.seen(self, kept)

    # Small things -----------------------------------------------------------------------

    def _announce(self, text: str) -> None:
        event = QAccessibleAnnouncementEvent(self.page, plain(text))
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
        QAccessible.updateAccessibility(event)

    # Qt ---------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        # On another page Escape leads back.
        away = isinstance(event, QKeyEvent) and not self.places.at_chat
        if away and escape.taken(event, leave=self.places.show_chat):
            return True
        if self._skips(event):
            self.guide.skip()
            return True
        return super().event(event)

    def _skips(self, event: QEvent) -> bool:
        """Escape, where what Attune is can be read."""
        if not isinstance(event, QKeyEvent) or event.key() != Qt.Key.Key_Escape:
            return False
        return event.type() == QEvent.Type.KeyPress and self.guide.greets

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in LOOKS:
            self._theme.refresh()

    def closeEvent(self, event: QCloseEvent) -> None:
        window_state.write(self._folder, self._state())
        self.hide()  # ending the engine may take a moment, which is nobody's to wait for
        self._desk.close()
        super().closeEvent(event)
        QApplication.quit()
