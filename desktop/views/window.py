"""The window: joins its parts to the desk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QCloseEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
)
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from desktop import window_state
from desktop.actions import chat, help, links, preferences, votes
from desktop.conversation import Turn
from desktop.desk import Desk
from desktop.findings import acting
from desktop.heard import heard
from desktop.prose import LONGEST_NAME, brief, plain
from desktop.style import tokens
from desktop.style.sheet import sheet
from desktop.style.theme import Theme
from desktop.style.tokens import Look
from desktop.taste import Taste
from desktop.views.alongside import Alongside
from desktop.views.browsing import Browsing
from desktop.views.carrying import Carrying
from desktop.views.chat_side import ChatSide
from desktop.views.data import DataPage
from desktop.views.foreseeing import Foreseeing
from desktop.views.guide import Guide
from desktop.views.hearing import Hearing
from desktop.views.learned import LearnedPage
from desktop.views.mending import Mending
from desktop.views.menus import Menus
from desktop.views.models import ModelsPage
from desktop.views.next_answer import NextAnswer
from desktop.views.page import Page
from desktop.views.places import Places
from desktop.views.portfolio import PortfolioPage
from desktop.views.scoping import Scoping
from desktop.views.settings import SettingsPage
from desktop.views.sidebar import Sidebar
from desktop.views.tuning import Tuning
from desktop.views.workshop import WorkshopPage
from desktop.widgets.column import Column
from desktop.widgets.composer import Composer
from desktop.widgets.status_line import StatusLine
from desktop.widgets.steering_bar import SteeringBar
from desktop.window_state import WindowState
from engine.api import Ending, ModelCard, Ready

LONGEST_SPOKEN = 2_000
"""Characters of an answer that a screen reader is asked to say."""


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
        self.places = Places(
            self._chat, learned=self._make_learned, portfolio=self._make_portfolio,
            workshop=self._make_workshop, models=self._make_models, data=self._make_data,
            settings=self._make_settings,
        )  # fmt: skip
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
        self._connect_votes()
        self._connect_portfolio()
        self._connect_parts()
        self._connect_menus()
        self._take_place(state)
        self.apply_look(look)
        self._show_taste(desk.taste)
        self._show_learned()
        self._show_route()
        self._show_busy()
        self.composer.setFocus()
        if self.mending.sheet is not None:
            self._show_model(self.tr("is not loaded"))
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
        self._show_votes()
        if turn.pair is not None and turn.pair.open:
            keys = (
                action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
                for action in (*self.menus.hear, *self.menus.votes[:2])
            )
            ready = self.tr(
                "Both answers are ready. {0} says A, {1} says B; {2} if A is better, {3} if B is."
            )
            self._announce(ready.format(*keys))
            return
        spoken = turn.text[:LONGEST_SPOKEN]
        self._announce(self.tr("The answer is finished. {0}").format(spoken))

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

    def _measured(self, used: int, speed: float | None) -> None:
        ready = self._desk.loading.current
        self.status.show_speed(speed)
        self.status.show_context(used, ready.context if ready else 0)

    def _loading(self) -> None:
        self._show_model(self.tr("is being loaded …"))
        self._show_busy()

    def _passing(self, text: str) -> None:
        sentence = brief(heard(text))
        self.page.show_passing(sentence)
        self._announce(sentence)

    def _ready(self, ready: Ready) -> None:
        self._show_model(ready.device)
        self.status.show_context(self._desk.asking.used, ready.context)
        self.menus.show_models(self._desk.loading.cards, ready.model)
        self._show_busy()

    def _failed(self, _: str) -> None:
        ready = self._desk.loading.current
        self._show_model(ready.device if ready else self.tr("is not loaded"))
        self.menus.show_models(self._desk.loading.cards, ready.model if ready else "")
        self._show_busy()

    def _list_models(self, cards: tuple[ModelCard, ...]) -> None:
        ready = self._desk.loading.current
        self.menus.show_models(cards, ready.model if ready else "")
        if ready is not None and not self._desk.loading.busy:
            self._show_model(ready.device)

    def _show_taste(self, taste: Taste) -> None:
        self.menus.show_taste(taste)
        learned = self._desk.learning.learned
        self.steering.show_values(
            taste.words, full=taste.full, strength=taste.strength, neutral=taste.neutral,
            learned=learned is not None and bool(acting(learned)),
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
        self._show_votes()

    def _show_votes(self) -> None:
        votable = self._desk.asking.conversation.open_turn() is not None
        learned = self._desk.learning.learned
        undoable = learned is not None and bool(learned.undoable)
        self.menus.show_votes(votable=votable and self.places.at_chat, undoable=undoable)

    def _show_learned(self) -> None:
        learned = self._desk.learning.learned
        self.sidebar.show_votes(learned.votes if learned is not None else 0)
        self.steering.show_learned(learned is not None and bool(acting(learned)))
        self._show_votes()

    def _vote_changed(self, turn: Turn) -> None:
        if turn.pair is not None and not turn.pair.open:
            self._keep_focus()
        self.page.settle(turn)
        self._show_votes()

    def _undone(self, words: str) -> None:
        if self.places.at_chat:
            self._noticed(self.tr("Taken back: {0}.").format(words))

    def _not_learned(self, sentence: str) -> None:
        if self.places.at_chat:
            self._noticed(sentence)

    def _show_scope(self) -> None:
        self._show_busy()
        self._show_route()

    def _show_route(self, _: object = None) -> None:
        route = self._desk.choosing.route
        choice = self._desk.member is not None and route is not None and bool(route.others)
        self.menus.show_route(choice=choice)

    def _took(self, sentence: str) -> None:
        if self.places.at_chat:
            self._announce(sentence)  # the line that says it can be seen

    def _moved(self, place: str) -> None:
        self.sidebar.show_place(place)
        self._show_votes()
        if place == "chat":
            self.composer.setFocus()

    # What the owner does ----------------------------------------------------------------

    def _send(self) -> None:
        if chat.ask(self._desk, self.composer.text, instead=self.browsing.editing):
            self.composer.clear()

    def _take_back(self, turn: Turn) -> None:
        self._keep_focus()
        votes.take_back(self._desk, turn)

    def _keep_focus(self) -> None:
        """The button that was pressed goes away: a second press must not hit its neighbour."""
        if self.page.isAncestorOf(self.focusWidget()):
            self.composer.setFocus()

    def _in_chat(self, run: Callable[[], object]) -> None:
        """Where the parts of the conversation are on the screen."""
        self.places.show_chat()
        run()

    def _make_learned(self) -> LearnedPage:
        page = LearnedPage(self._desk, self._theme.look)
        page.told.connect(self._announce)
        return page

    def _make_portfolio(self) -> PortfolioPage:
        page = PortfolioPage(self._desk, self._theme.look)
        page.told.connect(self._announce)
        return page

    def _make_workshop(self) -> WorkshopPage:
        page = WorkshopPage(self._desk, self._theme.look)
        page.told.connect(self._announce)
        return page

    def _make_models(self) -> ModelsPage:
        page = ModelsPage(self._desk, self._theme.look)
        page.told.connect(self._announce)
        return page

    def _make_settings(self) -> SettingsPage:
        page = SettingsPage(self._desk, self._theme)
        page.told.connect(self._announce)
        page.left.connect(self.places.show_chat)
        return page

    def _make_data(self) -> DataPage:
        page = DataPage(self._desk, self._theme.look)
        page.told.connect(self._announce)
        return page

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
        window_state.write(self._folder, self._place())  # shown once, whatever comes next

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
        for part in (self.browsing, self.guide, self.mending, self.scoping, self.hearing):
            part.told.connect(self._announce)
        desk.asking.scope_changed.connect(self._show_scope)
        self.guide.moved.connect(self._guided)
        desk.asking.measured.connect(self._measured)
        desk.loading.began.connect(self._loading)
        desk.loading.ready.connect(self._ready)
        desk.loading.failed.connect(self._failed)
        desk.loading.passing.connect(self._passing)
        for over in (desk.loading.settled, desk.loading.failed):
            over.connect(lambda *_: self.page.show_passing(""))
        desk.loading.settled.connect(self._show_busy)
        desk.loading.listed.connect(self._list_models)
        desk.noticed.connect(self._noticed)
        for done in (desk.keeping.restored, desk.keeping.erased):
            done.connect(lambda _: self.places.show_data())  # where it is told; a new chat began
        desk.taste_changed.connect(self._show_taste)

    def _connect_votes(self) -> None:
        desk = self._desk
        desk.learning.changed.connect(self._show_learned)
        desk.learning.failed.connect(self._not_learned)
        desk.voting.changed.connect(self._vote_changed)
        desk.voting.told.connect(self._announce)
        desk.voting.undone.connect(self._undone)
        self.places.moved.connect(self._moved)
        self.page.voted.connect(partial(votes.vote_on, desk))
        self.page.skipped.connect(partial(votes.skip_turn, desk))
        self.page.reopened.connect(partial(votes.vote_after_all, desk))
        self.page.undo_asked.connect(self._take_back)

    def _connect_portfolio(self) -> None:
        desk = self._desk
        desk.choosing.changed.connect(self._show_route)
        desk.taste_changed.connect(self._show_route)
        desk.choosing.failed.connect(self._not_learned)
        desk.choosing.took.connect(self._took)

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

    def _take_place(self, state: WindowState) -> None:
        self.resize(state.width, state.height)
        if state.x is not None and state.y is not None:
            place = QRect(state.x, state.y, state.width, state.height)
            # A screen may have been taken away since.
            if any(s.availableGeometry().intersects(place) for s in QGuiApplication.screens()):
                self.move(state.x, state.y)
        if state.maximized:
            self.setWindowState(Qt.WindowState.WindowMaximized)

    def _place(self) -> WindowState:
        place = self.normalGeometry() if self.isMaximized() or self.isFullScreen() else QRect()
        place = place if place.isValid() else QRect(self.pos(), self.size())
        return WindowState(
            x=place.x(), y=place.y(), width=place.width(), height=place.height(),
            maximized=self.isMaximized(), zoom=self._theme.zoom, introduced=self.guide.shown,
        )  # fmt: skip

    # Small things -----------------------------------------------------------------------

    def _show_model(self, state: str) -> None:
        ready = self._desk.loading.current
        name = ready.name if ready else self.tr("The model")
        self.status.show_model(brief(name, longest=LONGEST_NAME), state=brief(heard(state)))

    def _announce(self, text: str) -> None:
        event = QAccessibleAnnouncementEvent(self.page, plain(text))
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
        QAccessible.updateAccessibility(event)

    # Qt ---------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        # On another page Escape leads back, and does not stop the answer at the same time.
        if (
            isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
            and not self.places.at_chat
        ):
            event.accept()
            if event.type() == QEvent.Type.KeyPress:
                self.places.show_chat()
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
        window_state.write(self._folder, self._place())
        self.hide()  # ending the engine may take a moment, which is nobody's to wait for
        self._desk.close()
        super().closeEvent(event)
        QApplication.quit()
