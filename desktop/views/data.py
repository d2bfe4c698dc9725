"""The page "Your data": what is kept and where, copies, the network, and erasing all of it."""

from __future__ import annotations

from datetime import date
from functools import partial

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop import data as words
from desktop.actions import data as actions
from desktop.desk import Desk
from desktop.heard import heard
from desktop.languages import tr
from desktop.prose import brief
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.views.connections import Connections
from desktop.views.erase_dialogs import EraseEverything, ReceiptView
from desktop.widgets.flow import FlowLayout
from desktop.widgets.ledger import Ledger
from desktop.widgets.paper import Paper
from engine.api import Backup, Receipt

SHOWN = 5
"""Copies that are seen without scrolling."""

ALWAYS = ("chats", "votes", "profile", "settings")
"""Kinds that are named even where there are none."""


class DataPage(Paper):
    """Shows what the desk knows of it, and passes on what its owner wants."""

    def __init__(self, desk: Desk, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(look, title=tr("Your data"), parent=parent)
        self._desk, self._look = desk, look
        self.kept = Ledger(look, name=self.tr("What is kept"))
        self.folder = self._button(self.tr("Open the folder"))
        self.export = self._button(self.tr("Export everything…"))
        self.list = QListWidget()
        self.restore = self._button(self.tr("Restore…"))
        self.check = self._button(self.tr("Check now"))
        self.erase = self._button(self.tr("Erase everything…"))
        self.network = QLabel()
        self.connections = Connections(look)
        self._copies, self._erasing = QLabel(), QLabel()
        self._sections: list[QLabel] = []
        self._backups: tuple[Backup, ...] = ()
        self._arrange()
        self._connect()
        self.set_look(look)
        self.refresh()

    def enter(self) -> None:
        """It comes on the screen: ask anew, and put the keyboard where something can be done."""
        self.hush()
        self._desk.keeping.fetch()
        self._desk.library.fetch_log()
        self.folder.setFocus(Qt.FocusReason.OtherFocusReason)

    def refresh(self, _: object = None) -> None:
        """Show how everything stands."""
        keeping = self._desk.keeping
        found = keeping.overview
        if keeping.trouble:
            self._lead.setText(brief(keeping.trouble))
        else:
            self._lead.setText(words.headline(found) if found else self._desk.reading)
        self.teach(found.folder if found is not None else "")
        parts = found.parts if found is not None else ()
        self.kept.show_rows(
            [
                (
                    words.name(part.kind),
                    words.told(part),
                    words.size(part.size) if part.size else "",
                )
                for part in parts
                if part.kind in ALWAYS or part.count != 0 or part.size
            ]
        )
        self._show_copies()
        self.network.setText(words.network(keeping.offline))
        for button in (self.export, self.check, self.erase):
            button.setEnabled(not keeping.busy)

    def set_look(self, look: Look) -> None:
        super().set_look(look)
        self._look = look
        strong = tokens.strong(look.plain)
        for label in self._sections:
            label.setFont(strong)
        for part in (
            self._copies, self._erasing, self.network, self.list, self.folder, self.export,
            self.restore, self.check, self.erase,
        ):  # fmt: skip
            part.setFont(look.plain)
        self.kept.set_look(look)
        self.connections.set_look(look)
        self._fit()

    # Copies -----------------------------------------------------------------------------

    def _show_copies(self) -> None:
        backups = self._desk.keeping.backups
        if backups != self._backups:
            kept = max(self.list.currentRow(), 0)
            self._backups = backups
            self.list.clear()
            self.list.addItems([words.copied(backup) for backup in backups])
            self.list.setCurrentRow(min(kept, len(backups) - 1))
            self._fit()
        self.list.setVisible(bool(backups))
        if not backups and self.restore.hasFocus():
            self.setFocus()  # else a second press of the key would hit the next button
        self.restore.setEnabled(bool(backups) and not self._desk.keeping.busy)
        said = self.tr(
            "Once a day chats and votes are copied and the copies checked; of the newest days, "
            "weeks and months one each stays."
        )
        none = self.tr("There are no copies yet.")
        known = bool(backups) or self._desk.keeping.overview is None
        self._copies.setText(said if known else f"{said} {none}")

    def _fit(self) -> None:
        height = self.list.fontMetrics().height() + tokens.GAP
        for row in range(self.list.count()):
            self.list.item(row).setSizeHint(QSize(0, height))
        self.list.setFixedHeight(height * max(min(self.list.count(), SHOWN), 1) + 2)

    def _restore(self) -> None:
        if 0 <= (row := self.list.currentRow()) < len(self._backups):
            actions.restore(self._desk, self._backups[row], parent=self)

    def _show_log(self) -> None:
        library = self._desk.library
        self.connections.show_log(library.connections, trouble=library.unread)

    # What the owner does ----------------------------------------------------------------

    def _open_folder(self) -> None:
        if not actions.open_folder(self._desk):
            folder = self._desk.engine.data_dir
            self._said(self.tr("The folder cannot be opened. It is {0}").format(folder))

    def _export(self) -> None:
        actions.export(self._desk, today=date.today(), parent=self)

    def _ask_to_erase(self) -> None:
        dialog = EraseEverything(self._look, parent=self.window())
        dialog.agreed.connect(self._erase)
        dialog.open()

    def _erase(self) -> None:
        if not actions.erase(self._desk):
            self._said(
                self.tr(
                    "Attune is measuring, making or getting a model. Cancel that first, then erase."
                )
            )

    def _erased(self, receipt: Receipt) -> None:
        self._said(words.gone(receipt))
        dialog = ReceiptView(receipt, self._look, parent=self.window())
        dialog.save_asked.connect(partial(actions.save_receipt, self._desk, parent=dialog))
        dialog.open()

    def _said(self, sentence: str) -> None:
        self.say(brief(heard(sentence)))

    # Joining ----------------------------------------------------------------------------

    def _connect(self) -> None:
        keeping = self._desk.keeping
        keeping.changed.connect(self.refresh)
        asking = self._desk.asking
        for moved in (asking.asked, asking.settled, asking.withdrawn):
            moved.connect(self.refresh)
        keeping.did.connect(self._said)
        keeping.failed.connect(self._said)
        keeping.erased.connect(self._erased)
        self._desk.library.logged.connect(self._show_log)
        self.folder.clicked.connect(self._open_folder)
        self.export.clicked.connect(self._export)
        self.restore.clicked.connect(self._restore)
        self.check.clicked.connect(partial(actions.check, self._desk))
        self.erase.clicked.connect(self._ask_to_erase)

    def _button(self, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName("plain")
        button.setAccessibleName(text)
        return button

    def _section(self, text: str) -> QLabel:
        label = QLabel(text)
        label.setObjectName("section")
        self._sections.append(label)
        return label

    def _arrange(self) -> None:
        self._teach.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._erasing.setText(
            self.tr(
                "Every file that Attune made in the folder, for good. You get a receipt that names "
                "each of them, and what stays."
            )
        )
        for label in (self._copies, self._erasing, self.network):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setObjectName("muted")
        self.list.setObjectName("list")
        self.list.setAccessibleName(self.tr("Copies, the newest first"))
        self.list.setFrameShape(self.list.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        inside = QVBoxLayout()
        inside.setContentsMargins(tokens.INSET, tokens.GAP_WIDE, tokens.INSET, 0)
        inside.setSpacing(tokens.GAP)
        for title, parts in (
            (self.tr("What is kept"), (self.kept, self._row(self.folder, self.export))),
            (
                self.tr("Copies"),
                (self._copies, self.list, self._row(self.restore, self.check)),
            ),
            (self.tr("Network"), (self.network, self.connections)),
            (self.tr("Erase everything"), (self._erasing, self._row(self.erase))),
        ):
            inside.addWidget(self._section(title))
            for part in parts:
                if part is not parts[0] and part is parts[-1]:
                    inside.addSpacing(tokens.GAP)
                inside.addWidget(part)
            inside.addSpacing(tokens.GUTTER - tokens.GAP)
        self.stack.addLayout(inside)
        self.stack.addStretch(1)

    def _row(self, *buttons: QPushButton) -> QWidget:
        row = QWidget()
        flow = FlowLayout(row)
        for button in buttons:
            flow.addWidget(button)
        return row
