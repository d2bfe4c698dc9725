"""The chats in the window: found, opened, gone on with, put away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QMenu, QWidget

from desktop.actions import chats as actions
from desktop.chat_words import Row, listed, results, title
from desktop.conversation import Turn
from desktop.desk import Desk
from desktop.prose import brief
from desktop.reopening import Reopened, take_pair
from desktop.style.tokens import Look
from desktop.views.chat_side import ChatSide
from desktop.views.finding import Finding
from desktop.views.menus import Menus
from desktop.views.page import Page
from desktop.views.trash import Trash
from desktop.widgets.composer import Composer
from desktop.widgets.said import Said
from engine.api import Chat


class Browsing(QObject):
    """Joins the desk's chats to the window.

    aside  the quiet line above the question: private, kept no more, editing

    told(str)  something happened, for those who listen instead of looking
    """

    told = Signal(str)

    def __init__(
        self, desk: Desk, *, window: QWidget, side: ChatSide, page: Page, composer: Composer,
        menus: Menus, look: Callable[[], Look],
    ) -> None:  # fmt: skip
        super().__init__(window)
        self._desk, self._window, self._side, self._page = desk, window, side, page
        self._composer, self._menus, self._look = composer, menus, look
        self.aside = Said(look())
        self.finding = Finding(
            window=window, page=page, composer=composer, menus=menus, look=look()
        )
        self.editing: Turn | None = None
        self._deleted: Chat | None = None
        self._taken: Chat | None = None
        self._version = ""
        self._connect_desk()
        self._connect_parts()
        self._connect_menus()
        self._show()
        self._show_aside()

    # The list ---------------------------------------------------------------------------

    @property
    def chat(self) -> Chat | None:
        """What an action of the menu is about: where the keyboard is, or else what is open."""
        if self._side.list.hasFocus():
            return self._side.list.current
        return self._find(self._desk.asking.conversation.chat)

    def _find(self, id: str) -> Chat | None:
        chats = self._desk.chats
        known = [*chats.chats, *(found.chat for found in chats.found)]
        if self._taken is not None:
            known.append(self._taken)
        return next((chat for chat in known if chat.id == id), None) if id else None

    def _show(self) -> None:
        chats, told = self._desk.chats, ""
        rows: list[Row] = []
        if chats.words:
            rows = results(chats.found)
            told = "" if rows else self.tr("Nothing found.")
        else:
            rows = listed(chats.chats, today=date.today())
        if chats.trouble:
            told = brief(chats.trouble)
        elif not rows and not chats.words:
            told = self.tr("What you ask is kept here, on this computer.")
        self._side.show_rows(rows, more=chats.more and not chats.words, told=told)
        self._mark()

    def _mark(self) -> None:
        """Show which one is open, and what can be done with it."""
        id = self._desk.asking.conversation.chat
        self._side.list.rows.mark(id)
        chat = self._find(id)
        self._menus.show_chat(
            kept=bool(id), pinned=chat is not None and chat.pinned,
            others=bool(self._desk.chats.chats),
        )  # fmt: skip

    def _step(self, step: int) -> None:
        """To the next chat of the list, or the one before, round and round."""
        ids = [chat.id for chat in self._desk.chats.chats]
        open_id = self._desk.asking.conversation.chat
        if not ids:
            return
        before = ids.index(open_id) if open_id in ids else (-1 if step > 0 else 0)
        self._open(ids[(before + step) % len(ids)])

    # Opening and leaving ----------------------------------------------------------------

    def _open(self, id: str) -> None:
        if id == self._desk.asking.conversation.chat:
            self._composer.setFocus()
            self._menus.chat.trigger()
        elif actions.may_leave(self._desk, parent=self._window):
            actions.open_chat(self._desk, id)

    def _begin(self, *, private: bool) -> None:
        if actions.may_leave(self._desk, parent=self._window):
            self._desk.asking.clear(private=private)

    def _took(self, item: Reopened) -> None:
        self._taken = item.opened.chat  # it may be far down the list, and not be read yet

    def _opened(self) -> None:
        self._stop_editing()
        conversation = self._desk.asking.conversation
        had_focus = self._page.isAncestorOf(self._window.focusWidget())
        self._page.show_turns(conversation.turns)
        self._side.list.go_to(conversation.chat)
        self._mark()
        self._show_aside()
        if not (self._version and had_focus and self._focus_version()):
            self._composer.setFocus()
            self.told.emit(self.tr("{0} is open.").format(brief(conversation.title)))
        self._version = ""

    def _focus_version(self) -> bool:
        """Who goes through the versions by key stays with them."""
        line = self._page.versions_of(self._version)
        if line is not None:
            line.take_focus()
            self.told.emit(line.words.accessibleName())
        return line is not None

    def _choose(self, message: str) -> None:
        self._version = message
        actions.choose_version(self._desk, message)

    def _read_duels(self, turns: list[Turn]) -> None:
        """Of duels that came on the page, show the other answer, too."""
        wanted = {turn.answer_id: turn for turn in turns if turn.kept.duel}

        def heard(found: object) -> None:
            for id, answers in found.items() if isinstance(found, dict) else ():
                if take_pair(wanted[id], answers):
                    self._page.refresh(wanted[id])

        if wanted:
            self._desk.chats.read_duels(wanted, heard)

    def _lost(self, sentence: str) -> None:
        self._version = ""
        self._say(sentence)

    # Editing a question -----------------------------------------------------------------

    def edit(self, turn: Turn) -> None:
        """Put a question back into the field; what is sent is another version of it."""
        self.editing = turn
        self._composer.put_back(turn.question)
        self._composer.setFocus()
        self._show_aside()

    def _edit_last(self) -> None:
        if (last := self._desk.asking.conversation.last) is not None:
            self.edit(last)

    def _stop_editing(self) -> None:
        if self.editing is not None:
            self.editing = None
            self._show_aside()

    def _cancel(self) -> None:
        self._composer.clear()
        self._composer.setFocus()
        self._stop_editing()

    def _show_aside(self) -> None:
        conversation = self._desk.asking.conversation
        if self.editing is not None:
            said = self.tr("You are changing a question. The chat as it was stays beside it.")
            button, name = self.tr("Cancel"), self.tr("Leave the question as it was")
            self.aside.show_sentence(said, button=button, name=name, quiet=True)
            return
        said = ""
        if conversation.private:
            said = self.tr(
                "Private: nothing of this chat is kept, and nothing is learned from it. It is gone "
                "when you leave it."
            )
        elif conversation.trouble:
            said = self.tr("This chat is kept no more, and is gone when you leave it.")
        self.aside.show_sentence(said, quiet=True)

    # Changing ---------------------------------------------------------------------------

    def _on_chat(self, run: Callable[[Chat], object]) -> None:
        if (chat := self.chat) is not None:
            run(chat)

    def _rename(self, chat: Chat) -> None:
        actions.rename(self._desk, chat, parent=self._window)

    def _export(self, chat: Chat) -> None:
        actions.export(self._desk, chat, parent=self._window)

    def _deleted_one(self, chat: Chat) -> None:
        self._deleted = chat
        if chat.id == self._desk.asking.conversation.chat:
            self._desk.asking.clear()
        name = self.tr("Bring back {0}").format(title(chat))
        self._side.note.show_sentence(self.tr("Deleted."), button=self.tr("Undo"), name=name)
        self.told.emit(self.tr("{0} is deleted.").format(title(chat)))

    def _undo(self) -> None:
        self._side.note.show_sentence("")
        if self._deleted is not None:
            actions.undelete(self._desk, self._deleted)
            self._deleted = None

    def _show_trash(self) -> None:
        trash = Trash(self._desk, self._look(), parent=self._window)
        trash.finished.connect(trash.deleteLater)
        trash.open()

    def _offer(self, chat: Chat, place: QPoint) -> None:
        menu = QMenu(self._window)
        menu.setObjectName("chat_menu")
        menu.setAccessibleName(self.tr("What can be done with {0}").format(title(chat)))
        pinning = self.tr("Unpin") if chat.pinned else self.tr("Pin")
        for text, run in (
            (self.tr("Open"), lambda: self._open(chat.id)),
            (self.tr("Rename…"), lambda: self._rename(chat)),
            (pinning, lambda: actions.pin(self._desk, chat)),
            (self.tr("Export…"), lambda: self._export(chat)),
            (self.tr("Delete"), lambda: actions.delete(self._desk, chat)),
        ):
            menu.addAction(text).triggered.connect(run)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)

    def _say(self, sentence: str) -> None:
        self._side.note.show_sentence(brief(sentence))
        self.told.emit(brief(sentence))

    # Joining ----------------------------------------------------------------------------

    def _connect_desk(self) -> None:
        chats, asking = self._desk.chats, self._desk.asking
        chats.changed.connect(self._show)
        chats.searched.connect(self._show)
        chats.opened.connect(self._took)
        chats.lost.connect(self._lost)
        chats.deleted.connect(self._deleted_one)
        chats.did.connect(self._say)
        chats.failed.connect(self._say)
        asking.opened.connect(self._opened)
        asking.asked.connect(lambda _: self._stop_editing())
        for moved in (asking.cleared, asking.keeping_changed):
            moved.connect(self._mark)
            moved.connect(self._show_aside)
        asking.cleared.connect(self._stop_editing)
        asking.cleared.connect(self.finding.close)

    def _connect_parts(self) -> None:
        side, page, desk = self._side, self._page, self._desk
        side.chosen.connect(lambda chat: self._open(chat.id))
        side.menu_asked.connect(self._offer)
        side.searched.connect(desk.chats.search)
        side.more_asked.connect(desk.chats.fetch_more)
        side.left.connect(self._composer.setFocus)
        side.undo_asked.connect(self._undo)
        page.version_chosen.connect(self._choose)
        page.edit_asked.connect(self.edit)
        page.earlier_shown.connect(self._read_duels)
        self.aside.chosen.connect(self._cancel)
        self.finding.told.connect(self.told)

    def _connect_menus(self) -> None:
        menus, desk, window = self._menus, self._desk, self._window
        for action, run in (
            (menus.new_chat, partial(self._begin, private=False)),
            (menus.new_private, partial(self._begin, private=True)),
            (menus.search, self._side.begin_search),
            (menus.next_chat, partial(self._step, 1)),
            (menus.previous_chat, partial(self._step, -1)),
            (menus.edit, self._edit_last),
            (menus.rename, partial(self._on_chat, self._rename)),
            (menus.pin, partial(self._on_chat, partial(actions.pin, desk))),
            (menus.export, partial(self._on_chat, self._export)),
            (menus.delete, partial(self._on_chat, partial(actions.delete, desk))),
            (menus.export_all, partial(actions.export_all, desk, parent=window)),
            (menus.import_chats, partial(actions.import_chats, desk, parent=window)),
            (menus.trash, self._show_trash),
        ):
            menus.on(action, run)
