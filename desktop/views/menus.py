"""Every action of the window, its keys, and the menu in which it is found."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from desktop.actions import chat, learning, mending, preferences, votes
from desktop.actions import models as model_actions
from desktop.desk import Desk
from desktop.prose import LONGEST_NAME, brief
from desktop.taste import Taste
from engine.api import MAX_PREFERENCES, ModelCard, Outcome, Scope

Keys = str | QKeySequence.StandardKey


class Menus(QObject):
    """Builds the menu bar. Actions carry a stable object name.

    What only the window can do (send, add a preference, zoom, …) it connects itself, by attribute.
    """

    def __init__(self, window: QMainWindow, desk: Desk) -> None:
        super().__init__(window)
        self._window, self._desk = window, desk
        self._private = False
        self.groups: list[tuple[str, list[QAction]]] = []
        self._build_chat()
        self._build_learning()
        self._build_preferences()
        self._build_model()
        self._build_view()
        self._build_help()

    @staticmethod
    def on(action: QAction, run: Callable[[], object]) -> None:
        """Call this, without arguments, when the action is chosen."""
        action.triggered.connect(lambda: run())

    # What changes -----------------------------------------------------------------------

    def show_busy(
        self, *, answering: bool, loading: bool, answers: bool, asked: bool, teaches: bool
    ) -> None:
        """Enable what can be done now.

        teaches  a vote on an answer to this chat could teach something
        answers  there are some
        asked    there is a question
        """
        self.stop.setEnabled(answering or loading)
        for action in (self.find, self.find_next, self.find_previous):
            action.setEnabled(asked)
        self.send.setEnabled(not answering)
        self.regenerate.setEnabled(asked and not answering)
        self.edit.setEnabled(asked and not answering)
        self.compare.setEnabled(asked and teaches and not answering)
        for action in self.scopes.values():
            action.setEnabled(not answering and not self._private)
        self.copy.setEnabled(answers)

    def show_chat(self, *, kept: bool, pinned: bool, others: bool) -> None:
        """Whether the chat that is open is kept, and pinned, and whether there are chats."""
        for action in (self.rename, self.pin, self.export, self.delete):
            action.setEnabled(kept)
        self.pin.setText(self.tr("Unp&in") if pinned else self.tr("P&in"))
        for action in (self.next_chat, self.previous_chat, self.export_all):
            action.setEnabled(others)

    def show_votes(self, *, votable: bool, undoable: bool) -> None:
        """Two answers wait for a vote; there is something that Undo would take back."""
        for action in (*self.votes, *self.hear):
            action.setEnabled(votable)
        self.undo.setEnabled(undoable)

    def show_scope(self, scope: Scope, *, private: bool) -> None:
        """How far what is learned in this chat goes; `show_busy` says whether it can be chosen.

        private  nothing is learned in it, whatever the scope
        """
        self._private = private
        self.scopes["off" if private else scope].setChecked(True)

    def show_route(self, *, choice: bool) -> None:
        """Whether another setting could be taken for the next answer."""
        self.another.setEnabled(choice)

    def show_taste(self, taste: Taste) -> None:
        """One entry per preference, to remove it."""
        self.add_preference.setEnabled(not taste.full)
        for index, action in enumerate(self._removals):
            known = index < len(taste.words)
            action.setVisible(known)
            action.setEnabled(known)
            word = taste.words[index].replace("&", "&&") if known else ""
            action.setText(self.tr("Remove “{0}”").format(word))
        self.neutral.setChecked(taste.neutral)
        steers = bool(taste.words) and not taste.neutral
        self.stronger.setEnabled(steers and taste.strength < 1)
        self.weaker.setEnabled(steers and taste.strength > 0)

    def show_models(self, cards: tuple[ModelCard, ...], current: str) -> None:
        """One entry per model; those that are not there say why."""
        for action in self._choices.actions():
            self._choices.removeAction(action)
            self.models.removeAction(action)
            action.deleteLater()
        for card in cards:
            action = QAction(self._label(card), self._choices, checkable=True)
            action.setObjectName("choice")
            action.setEnabled(card.available)
            action.setChecked(card.id == current)
            action.triggered.connect(partial(self._choose, card.id))
            self.models.insertAction(self._choices_end, action)

    # Building ---------------------------------------------------------------------------

    def _build_chat(self) -> None:
        menu = self._menu(self.tr("&Chat"))
        add, desk = partial(self._add, menu), self._desk
        self.new_chat = add(
            "new_chat", self.tr("&New chat"), [QKeySequence.StandardKey.New]
        )  # fmt: skip
        self.new_private = add("new_private", self.tr("New &private chat"), ["Ctrl+Shift+N"])
        self.search = add("search", self.tr("Search &all chats…"), ["Ctrl+K"])
        self.find = add(
            "find", self.tr("&Find in this chat…"), [QKeySequence.StandardKey.Find]
        )  # fmt: skip
        self.find_next = add("find_next", self.tr("Find next"), ["F3"])
        self.find_previous = add("find_previous", self.tr("Find previous"), ["Shift+F3"])
        self.next_chat = add("next_chat", self.tr("Ne&xt chat"), ["Ctrl+Tab"])
        self.previous_chat = add("previous_chat", self.tr("Pre&vious chat"), ["Ctrl+Shift+Tab"])
        menu.addSeparator()
        self.send = add("send", self.tr("&Send"), ["Ctrl+Return"])
        self.stop = add("stop", self.tr("S&top"), ["Esc"], partial(chat.stop, desk))
        self.regenerate = add(
            "regenerate", self.tr("&Regenerate"), ["Ctrl+R"], partial(chat.regenerate, desk)
        )
        self.copy = add(
            "copy", self.tr("&Copy last answer"), ["Ctrl+Shift+C"],
            partial(chat.copy_last_answer, desk),
        )  # fmt: skip
        self.copy.setIconText(self.tr("Copy"))
        self.edit = add("edit", self.tr("&Edit last question"), ["Ctrl+E"])
        self.edit.setIconText(self.tr("Edit question"))
        menu.addSeparator()
        self._build_kept(add)
        menu.addSeparator()
        self.settings = add("settings", self.tr("Settin&gs"), ["Ctrl+,"])
        self.settings.setMenuRole(QAction.MenuRole.PreferencesRole)
        self.quit = add("quit", self.tr("&Quit"), ["Ctrl+Q"], self._window.close)
        self.quit.setMenuRole(QAction.MenuRole.QuitRole)

    def _build_kept(self, add: Callable[[str, str, list[Keys]], QAction]) -> None:
        """What can be done with the chats that are kept; no bare key takes one away."""
        self.rename = add("rename", self.tr("Rena&me…"), ["F2"])
        self.pin = add("pin", self.tr("P&in"), ["Ctrl+Shift+P"])
        self.export = add("export", self.tr("Exp&ort…"), [QKeySequence.StandardKey.Save])
        self.delete = add("delete", self.tr("&Delete"), ["Ctrl+Shift+X"])
        self.export_all = add("export_all", self.tr("Export all chats…"), ["Ctrl+Shift+E"])
        self.import_chats = add("import_chats", self.tr("Import chats…"), ["Ctrl+Shift+I"])
        self.trash = add("trash", self.tr("Deleted chats…"), ["Ctrl+Shift+T"])

    def _build_learning(self) -> None:
        menu = self._menu(self.tr("&Learning"))
        add, desk = partial(self._add, menu), self._desk
        kinds: tuple[tuple[Outcome, str, str], ...] = (
            ("first", self.tr("&A is better"), "Ctrl+1"),
            ("second", self.tr("&B is better"), "Ctrl+2"),
            ("equal", self.tr("About &equal"), "Ctrl+9"),
            ("neither", self.tr("&Neither"), "Ctrl+Shift+9"),
        )
        self.votes = [
            add(f"vote_{outcome}", text, [key], partial(votes.vote, desk, outcome))
            for outcome, text, key in kinds
        ]
        self.votes.append(add("skip", self.tr("&Skip"), ["Ctrl+3"], partial(votes.skip, desk)))
        self.hear = [
            add("hear_first", self.tr("&Hear A"), ["F7"]),
            add("hear_second", self.tr("Hea&r B"), ["F8"]),
        ]
        menu.addSeparator()
        self.undo = add(
            "undo", self.tr("&Undo"), [QKeySequence.StandardKey.Undo], partial(votes.undo, desk)
        )
        self.compare = add(
            "compare", self.tr("&Two answers to the last question"), ["Ctrl+D"],
            partial(chat.compare, desk),
        )  # fmt: skip
        menu.addSeparator()
        self._build_scopes(add)
        menu.addSeparator()
        self.learned = add("learned", self.tr("&What I learned"), ["Ctrl+L"])
        self.import_profile = add("import_profile", self.tr("&Import profile…"), ["Ctrl+Shift+O"])
        self.export_profile = add("export_profile", self.tr("E&xport profile…"), ["Ctrl+Shift+S"])
        self.data = add("data", self.tr("Your &data"), ["Ctrl+Shift+D"])
        back = "Alt+Right" if self._window.isRightToLeft() else "Alt+Left"
        self.chat = add("chat", self.tr("Back to the &chat"), [back])

    def _build_scopes(self, add: Callable[[str, str, list[Keys]], QAction]) -> None:
        """How far what is learned in this chat goes; also for a menu of their own."""
        self.scope_menu = QMenu(self.tr("How far this chat learns"), self._window)
        self.scope_menu.setAccessibleName(self.scope_menu.title())
        group = QActionGroup(self)
        kinds: tuple[tuple[Scope, str, str], ...] = (
            ("everywhere", self.tr("&Learn everywhere"), "Ctrl+Shift+1"),
            ("chat", self.tr("Learn in this chat onl&y"), "Ctrl+Shift+2"),
            ("off", self.tr("Learn n&othing here"), "Ctrl+Shift+3"),
        )
        self.scopes: dict[Scope, QAction] = {}
        for scope, text, key in kinds:
            action = self.scopes[scope] = add(f"scope_{scope}", text, [key])
            action.setCheckable(True)
            group.addAction(action)
            self.scope_menu.addAction(action)
            self.on(action, partial(learning.set_scope, self._desk, scope))

    def _build_preferences(self) -> None:
        menu = self._menu(self.tr("&Preferences"))
        add, desk = partial(self._add, menu), self._desk
        self.add_preference = add("add_preference", self.tr("&Add a preference…"), ["Ctrl+Shift+A"])
        self._removals = [
            add(
                f"remove_{i + 1}", self.tr("Remove"), [f"Alt+{i + 1}"],
                partial(preferences.remove_preference, desk, i),
            )
            for i in range(MAX_PREFERENCES)
        ]  # fmt: skip
        menu.addSeparator()
        self.stronger = add(
            "stronger", self.tr("&Stronger"), ["Ctrl+]"], partial(preferences.stronger, desk)
        )
        self.weaker = add(
            "weaker", self.tr("&Weaker"), ["Ctrl+["], partial(preferences.weaker, desk)
        )
        self.neutral = add("neutral", self.tr("&Neutral answers"), ["Ctrl+U"])
        self.neutral.setCheckable(True)
        self.neutral.triggered.connect(self._set_neutral)

    def _build_model(self) -> None:
        self.models = self._menu(self.tr("&Model"))
        add = partial(self._add, self.models)
        self._choices = QActionGroup(self)
        self._choices_end = self.models.addSeparator()
        self.choose = add("choose_model", self.tr("&Choose a model…"), ["Ctrl+M"])
        self.open = add("open_model", self.tr("&Open GGUF…"), [QKeySequence.StandardKey.Open])
        self.open.triggered.connect(self._open)
        self.models.addSeparator()
        self.portfolio = add("portfolio", self.tr("&Portfolio"), ["Ctrl+P"])
        self.workshop = add("workshop", self.tr("&Workshop"), ["Ctrl+T"])
        self.library = add("models", self.tr("Mana&ge models"), ["Ctrl+G"])
        self.another = add("another", self.tr("Use &another setting…"), ["Ctrl+Shift+M"])

    def _build_view(self) -> None:
        add = partial(self._add, self._menu(self.tr("&View")))
        self.zoom_in = add(
            "zoom_in", self.tr("Zoom &in"), [QKeySequence.StandardKey.ZoomIn, "Ctrl+="]
        )
        self.zoom_out = add("zoom_out", self.tr("Zoom &out"), [QKeySequence.StandardKey.ZoomOut])
        self.zoom_reset = add("zoom_reset", self.tr("&Actual size"), ["Ctrl+0"])
        self.full_screen = add("full_screen", self.tr("&Full screen"), ["F11"])
        self.full_screen.setCheckable(True)

    def _build_help(self) -> None:
        add = partial(self._add, self._menu(self.tr("&Help")))
        self.shortcuts = add("shortcuts", self.tr("&Keyboard shortcuts"), ["F1", "Ctrl+/"])
        self._build_diagnosing(add)
        self.about = add("about", self.tr("&About Attune"), ["Ctrl+F1"])
        self.about.setMenuRole(QAction.MenuRole.AboutRole)

    def _build_diagnosing(self, add: Callable[..., QAction]) -> None:
        """What a report of a mistake needs; what came of it is said where notices are."""
        told, desk = self._desk.noticed.emit, self._desk
        self.diagnostics = add(
            "diagnostics", self.tr("&Copy diagnostics"), ["Shift+F1"],
            partial(mending.copy_diagnostics, desk, told=told),
        )  # fmt: skip
        self.log_folder = add(
            "log_folder", self.tr("Open the &log folder"), ["Ctrl+Shift+F1"],
            partial(mending.open_log_folder, desk, told=told),
        )  # fmt: skip

    def _menu(self, title: str) -> QMenu:
        menu = QMenu(title, self._window)
        menu.setAccessibleName(title.replace("&", ""))
        self._window.menuBar().addMenu(menu)
        self.groups.append((title.replace("&", ""), []))
        return menu

    def _add(
        self,
        menu: QMenu,
        name: str,
        text: str,
        keys: list[Keys],
        run: Callable[[], object] | None = None,
    ) -> QAction:
        action = QAction(text, self)
        action.setObjectName(name)
        action.setShortcuts([QKeySequence(key) for key in keys])
        if run is not None:
            self.on(action, run)
        menu.addAction(action)
        self.groups[-1][1].append(action)
        return action

    # Intentions -------------------------------------------------------------------------

    def _set_neutral(self, neutral: bool) -> None:
        preferences.set_neutral(self._desk, neutral)

    def _choose(self, model: str) -> None:
        model_actions.choose_model(self._desk, model)

    def _open(self) -> None:
        model_actions.open_model(self._desk, parent=self._window)

    def _label(self, card: ModelCard) -> str:
        name = brief(card.name, longest=LONGEST_NAME).replace("&", "&&")
        if not card.available:
            return self.tr("{0} (the file is not there)").format(name)
        return self.tr("{0} (starter model)").format(name) if card.starter else name
