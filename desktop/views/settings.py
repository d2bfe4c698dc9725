"""The page "Settings": each takes effect at once, and a field finds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Qt, QThread, Signal
from PySide6.QtWidgets import QPushButton, QWidget

from desktop import languages, scopes
from desktop import settings as words
from desktop.actions import data as actions
from desktop.actions import library
from desktop.desk import Desk
from desktop.heard import heard
from desktop.languages import tr
from desktop.prose import brief
from desktop.settings import Entry, Name
from desktop.style import tokens
from desktop.style.theme import Theme
from desktop.style.tokens import Look
from desktop.widgets.choice import Choice
from desktop.widgets.flow import FlowLayout
from desktop.widgets.paper import Paper
from desktop.widgets.picker import Picker
from desktop.widgets.search_field import SearchField
from desktop.widgets.setting_row import SettingRow
from desktop.widgets.toggle import Toggle
from engine.api import SCOPES, Colours, Sampling, SendKey

COLOURS: tuple[Colours, ...] = ("system", "light", "dark")
SEND_KEYS: tuple[SendKey, ...] = ("enter", "ctrl+enter")


class SettingsPage(Paper):
    """Shows what the desk's options are, and changes them.

    left()  back to where one was
    """

    left = Signal()

    def __init__(self, desk: Desk, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(theme.look, title=tr("Settings"), parent=parent)
        self._desk, self._theme = desk, theme
        self._entries = words.entries()
        self._former: int | None = None
        self.search = SearchField()
        self.language = Picker(name=self._entries["language"].title)
        self.colours = self._choice("colours", self._looks())
        self.smaller = self._button(self.tr("Smaller"))
        self.larger = self._button(self.tr("Larger"))
        self.actual = self._button(self.tr("As the system's"))
        self.send_key = self._choice("send_key", [self.tr("Enter"), self.tr("Ctrl+Enter")])
        self.pace = Choice(words.paces(), name=self._entries["duel_every"].title)
        self.scope = self._choice("scope", [scopes.word(scope) for scope in SCOPES])
        self.threads = Picker(name=self._entries["threads"].title)
        self.context = Picker(name=self._entries["context"].title)
        self.graphics = self._choice("cpu_only", [self.tr("Automatic"), self.tr("CPU only")])
        self.offline = Toggle(self.tr("Offline"))
        self.knowing = self._button("")
        self.knowing.setCheckable(True)
        self.temperature = self._choice("temperature", words.temperatures())
        self.length = Picker(name=self._entries["max_tokens"].title)
        self.folder = self._button(self.tr("Open the data folder"))
        self.reset = self._button(self.tr("Reset these settings"))
        self.rows = self._rows()
        self._arrange()
        self._connect()
        self.set_look(theme.look)
        self.refresh()

    def enter(self) -> None:
        """It comes on the screen; the keyboard is where settings are searched for."""
        self.hush()
        self.refresh()
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def refresh(self) -> None:
        """Show how everything stands."""
        values, loading = self._desk.options.values, self._desk.loading
        self.language.show_words(self._languages(values.language))
        self.language.show_chosen(values.language)
        self.colours.show_value(COLOURS.index(values.colours))
        self.send_key.show_value(SEND_KEYS.index(values.send_key))
        self.pace.show_value(values.duel_every)
        self.scope.show_value(SCOPES.index(values.scope))
        self.graphics.show_value(int(values.cpu_only))
        self._show_numbers(self.threads, _counts(values.threads), words.threads, values.threads)
        self._show_numbers(self.context, _contexts(values.context), words.context, values.context)
        self._show_drawn(values.sampling)
        blocked = self.offline.blockSignals(True)
        self.offline.setChecked(values.offline)
        self.offline.blockSignals(blocked)
        self.rows["size"].tell(words.size(self._theme.scale))
        self.rows["running"].tell(brief(words.running(loading.current, loading=loading.busy)))
        self.rows["folder"].tell(str(self._desk.engine.data_dir))

    def show_found(self, text: str) -> None:
        """Only the rows in which every word of this is."""
        found = [name for name, entry in self._entries.items() if entry.fits(text)]
        searching = bool(text.strip())
        self.knowing.setVisible(not searching)
        for name, row in self.rows.items():
            folded = name in words.KNOWING and not (searching or self.knowing.isChecked())
            row.setVisible(name in found and not folded)
        self.teach("" if found else self.tr("No setting is called that. Try another word."))

    def set_look(self, look: Look) -> None:
        super().set_look(look)
        for row in self.rows.values():
            row.set_look(look)
        for choice in (
            self.colours, self.send_key, self.pace, self.scope, self.graphics, self.temperature,
        ):  # fmt: skip
            choice.set_look(look)
        for picker in (self.language, self.threads, self.context, self.length):
            picker.set_look(look)
        self.offline.set_look(look)
        for part in (
            self.search, self.offline, self.smaller, self.larger, self.actual, self.folder,
            self.reset, self.knowing,
        ):  # fmt: skip
            part.setFont(look.plain)

    # What the owner does ----------------------------------------------------------------

    def _zoom(self, steps: int) -> None:
        self._theme.set_zoom(self._theme.zoom + steps if steps else 0)
        self.rows["size"].tell(words.size(self._theme.scale))
        if self.isVisible():
            self.told.emit(self.rows["size"].told)

    def _reset(self) -> None:
        self._former = self._theme.zoom
        self._zoom(0)
        self._desk.options.reset()

    def _undo(self) -> None:
        if self._former is not None:
            self._zoom(self._former - self._theme.zoom)
            self._former = None
            self._desk.options.undo()
            self.say(self.tr("These settings are as they were before."))

    def _set_offline(self, offline: bool) -> None:
        if offline:
            library.end_download(self._desk)
        self._desk.options.change(offline=offline)

    def _open_folder(self) -> None:
        if not actions.open_folder(self._desk):
            self.say(self.tr("The folder cannot be opened. Its path is above."))

    def _go_on(self) -> None:
        """From the field to the first setting that it found."""
        row = next((row for row in self.rows.values() if row.isVisible() and row.control), None)
        if row is not None and row.control is not None:
            _first_stop(row.control).setFocus(Qt.FocusReason.TabFocusReason)

    def _unfold(self) -> None:
        shown, hidden = self.tr("For those who know — hide"), self.tr("For those who know — show")
        said = shown if self.knowing.isChecked() else hidden
        self.knowing.setText(said)
        self.knowing.setAccessibleName(said)
        self.show_found(self.search.text())

    # What is on offer -------------------------------------------------------------------

    def _looks(self) -> list[str]:
        return [self.tr("As the system"), self.tr("Light"), self.tr("Dark")]

    def _languages(self, chosen: str) -> list[tuple[str, str]]:
        found = [(known.code, known.name) for known in languages.available()]
        if chosen not in ("", *(code for code, _ in found)):
            found.append((chosen, chosen))  # its file is not there any more
        return [("", self.tr("The system's")), *found]

    def _show_numbers(
        self, picker: Picker, numbers: Sequence[int], word: Callable[[int], str], chosen: int
    ) -> None:
        picker.show_words([(str(number), word(number)) for number in numbers])
        picker.show_chosen(str(chosen))

    def _show_drawn(self, sampling: Sampling) -> None:
        known = {value: place for place, value in enumerate(words.TEMPERATURES)}
        self.temperature.show_value(known.get(sampling.temperature, -1))
        self.rows["temperature"].tell(words.drawn(sampling.temperature))
        lengths = sorted({sampling.max_tokens, *words.LENGTHS})
        self._show_numbers(self.length, lengths, words.length, sampling.max_tokens)

    # Parts ------------------------------------------------------------------------------

    def _choice(self, name: Name, said: Sequence[str]) -> Choice:
        return Choice(dict(enumerate(said)), name=self._entries[name].title)

    def _button(self, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName("plain")
        button.setAccessibleName(text)
        return button

    def _rows(self) -> dict[Name, SettingRow]:
        sizes = QWidget()
        flow = FlowLayout(sizes)
        for button in (self.smaller, self.larger, self.actual):
            flow.addWidget(button)
        controls: dict[Name, QWidget | None] = {
            "language": self.language, "colours": self.colours, "size": sizes,
            "send_key": self.send_key, "duel_every": self.pace, "scope": self.scope,
            "running": None, "threads": self.threads, "context": self.context,
            "cpu_only": self.graphics, "offline": self.offline, "folder": self.folder,
            "temperature": self.temperature, "max_tokens": self.length, "reset": self.reset,
        }  # fmt: skip
        return {name: _row(entry, controls[name]) for name, entry in self._entries.items()}

    def _arrange(self) -> None:
        self._lead.hide()
        self.search.setAccessibleName(self.tr("Search the settings"))
        self.search.setPlaceholderText(self.tr("Search"))
        self.offline.setAccessibleName(self.offline.text())
        self.smaller.setAccessibleName(self.tr("Smaller text"))
        self.larger.setAccessibleName(self.tr("Larger text"))
        self.actual.setAccessibleName(self.tr("Text as large as the system's"))
        self.stack.insertWidget(1, self._inset(self.search))
        self.stack.addSpacing(tokens.GAP_WIDE)
        self.stack.setSpacing(0)
        for name, row in self.rows.items():
            if name == words.KNOWING[0]:
                self.stack.addWidget(self._inset(self.knowing))
            self.stack.addWidget(row)
        self.stack.addStretch(1)
        self._unfold()
        self.teach("")

    def _inset(self, part: QWidget) -> QWidget:
        """With the room at its sides that text has."""
        around = QWidget()
        flow = FlowLayout(around)
        flow.setContentsMargins(tokens.INSET, tokens.GAP, tokens.INSET, tokens.GAP)
        part.setMinimumWidth(min(260, tokens.SIDEBAR))
        flow.addWidget(part)
        return around

    # Joining ----------------------------------------------------------------------------

    def _connect(self) -> None:
        options, loading = self._desk.options, self._desk.loading
        options.changed.connect(self.refresh)
        options.failed.connect(lambda sentence: self.say(brief(heard(sentence))))
        options.did.connect(lambda sentence: self.say(sentence, button=self.tr("Undo")))
        self.said.chosen.connect(self._undo)
        for moved in (loading.began, loading.ready, loading.failed, loading.settled):
            moved.connect(lambda *_: self.refresh())
        self._theme.changed.connect(lambda _: self.refresh())
        self.search.searched.connect(self.show_found)
        self.search.down_asked.connect(self._go_on)
        self.search.left.connect(self.left)
        self.smaller.clicked.connect(lambda: self._zoom(-1))
        self.larger.clicked.connect(lambda: self._zoom(1))
        self.actual.clicked.connect(lambda: self._zoom(0))
        self.folder.clicked.connect(self._open_folder)
        self.reset.clicked.connect(self._reset)
        self.knowing.toggled.connect(self._unfold)
        self._connect_values()

    def _connect_values(self) -> None:
        change = self._desk.options.change

        def to(name: str, value: Callable[[Any], object]) -> Callable[[Any], None]:
            return lambda chosen: change(**{name: value(chosen)})

        self.language.chosen.connect(to("language", str))
        self.colours.chosen.connect(to("colours", COLOURS.__getitem__))
        self.send_key.chosen.connect(to("send_key", SEND_KEYS.__getitem__))
        self.pace.chosen.connect(to("duel_every", int))
        self.scope.chosen.connect(to("scope", SCOPES.__getitem__))
        self.threads.chosen.connect(to("threads", int))
        self.context.chosen.connect(to("context", int))
        self.graphics.chosen.connect(to("cpu_only", bool))
        self.offline.toggled.connect(self._set_offline)
        draw = self._desk.options.draw
        self.temperature.chosen.connect(lambda at: draw(temperature=words.TEMPERATURES[at]))
        self.length.chosen.connect(lambda most: draw(max_tokens=int(most)))


def _row(entry: Entry, control: QWidget | None) -> SettingRow:
    return SettingRow(entry.title, entry.told, control)


def _counts(chosen: int) -> list[int]:
    """Threads on offer; 0 is automatic."""
    return sorted({0, chosen, *range(1, max(QThread.idealThreadCount(), 1) + 1)})


def _contexts(chosen: int) -> list[int]:
    return sorted({chosen, *words.CONTEXTS})


def _first_stop(control: QWidget) -> QWidget:
    """The first part of a control that the keyboard stops at; itself, where it has none."""
    if control.focusPolicy() & Qt.FocusPolicy.TabFocus:
        return control
    return next(
        part for part in control.findChildren(QWidget)
        if part.focusPolicy() & Qt.FocusPolicy.TabFocus
    )  # fmt: skip
