"""The card of something that was made: what it was made of and what came of it."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from desktop import workshop as words
from desktop.languages import tr
from desktop.portfolio import percentage
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.heat_map import HeatMap
from desktop.widgets.heat_map import Shares as Shown
from desktop.widgets.loss_table import Cell, LossTable, Row
from engine.api import Made, Shares

BASE, ALONE = "base", " alone"
"""What the losses call the base, and what follows the name of a member by itself."""

TOPS = (0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
"""Shares that the scale of a picture can end with."""


class MadeCard(QWidget):
    """Built once: what was made stays as it is.

    spoken(str)  what the keys point at, for those who cannot see it
    """

    spoken = Signal(str)

    def __init__(self, made: Made, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._plain: list[QLabel] = []
        self._small: list[QLabel] = []
        self._strong: list[QLabel] = []
        self.table: LossTable | None = None
        self.maps: list[HeatMap] = []
        self._stack = QVBoxLayout(self)
        self._stack.setContentsMargins(tokens.INSET, 0, 0, tokens.GAP_WIDE)
        self._stack.setSpacing(tokens.GAP)
        self._label(words.facts(made), self._small)
        if made.members:
            self._add_members(made)
        if made.losses:
            self._add_losses(made)
        for number, shares in enumerate(made.shares):
            self._add_map(made, number, shares)
        self._label(words.survival(made), self._plain)
        if made.notices:
            self._label(self.tr("What was said while it was made"), self._strong)
            self._label(words.notices(made), self._small)
        self.set_look(look)

    @property
    def stops(self) -> list[QWidget]:
        """Where the keyboard can go, from the top."""
        table = [self.table] if self.table is not None else []
        return [*table, *self.maps]

    def set_look(self, look: Look) -> None:
        self._look = look
        strong = tokens.strong(look.plain)
        for fonts, labels in (
            (look.plain, self._plain), (look.small, self._small), (strong, self._strong),
        ):  # fmt: skip
            for label in labels:
                label.setFont(fonts)
        for view in (self.table, *self.maps):
            if view is not None:
                view.set_look(look)

    # Parts ------------------------------------------------------------------------------

    def _add_members(self, made: Made) -> None:
        self._label(self.tr("Its members"), self._strong)
        names = enumerate(_columns(made), 1)
        self._label("\n".join(f"{n}  {words.named(name)}" for n, name in names), self._plain)

    def _add_losses(self, made: Made) -> None:
        self._label(self.tr("How well it keeps them"), self._strong)
        columns = [*(str(number) for number in range(1, len(_columns(made)) + 1)), self.tr("Sum")]
        name = self.tr("How well each model keeps each member")
        self.table = LossTable(columns, _rows(made), self._look, name=name)
        self._stack.addWidget(self.table)
        if made.best and made.best != _own(made):
            said = self.tr("{0} keeps the members best.").format(words.method(made.best))
            self._label(_sentence(said), self._plain)
        self._label(
            self.tr(
                "How unlikely each model finds the members' own answers, in nats per token: the "
                "smaller, the better it keeps that member. A dot marks the best merge for each."
            ),
            self._small,
        )

    def _add_map(self, made: Made, number: int, shares: Shares) -> None:
        added = _added(made, number)
        said = self.tr("{0} of the weights were taken from {1}").format(
            words.exact(shares.share), added
        )
        self._label(said, self._strong)
        if not shares.rows:
            return
        name = self.tr("Picture of where: layers from top to bottom, matrices from left to right")
        picture = HeatMap(_shown(shares), self._look, name=f"{said}. {name}", parent=self)
        caption = self._label("", self._small, add=False)
        rest = self.tr(
            "Each row is a layer, each column a kind of matrix; point at one to read it."
        )
        caption.setText(rest)
        picture.pointed.connect(lambda text: caption.setText(text or rest))
        picture.spoken.connect(self.spoken)
        self.maps.append(picture)
        self._stack.addWidget(picture)
        self._stack.addWidget(caption)

    def _label(self, text: str, kind: list[QLabel], *, add: bool = True) -> QLabel:
        if kind is self._strong:
            self._stack.addSpacing(tokens.GAP)
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setMinimumWidth(1)
        label.setObjectName("section" if kind is self._strong else "muted")
        kind.append(label)
        if add:
            self._stack.addWidget(label)
        return label


# Losses -------------------------------------------------------------------------------------


def _columns(made: Made) -> tuple[str, ...]:
    """Names of the members in the order of the losses, which need not be that of the merge."""
    alone = tuple(name.removesuffix(ALONE) for name, _ in made.losses if name.endswith(ALONE))
    return alone if len(alone) == len(made.members) else made.members


def _rows(made: Made) -> list[Row]:
    """The base, this model, the other methods, and each member by itself."""
    losses = {name: (*values, sum(values)) for name, values in made.losses}
    columns = (*_columns(made), "")
    merges, own = _merges(made), _own(made)
    best = [min((losses[name][at] for name in merges), default=None) for at in range(len(columns))]

    def row(name: str, said: str, *, strong: bool = False) -> Row:
        rival = name in merges
        cells = tuple(
            _cell(said, column, value, best=rival and value == least)
            for column, value, least in zip(columns, losses[name], best, strict=True)
        )
        return Row(name=said, cells=cells, strong=strong)

    found = [row(BASE, tr("The base, before"))] if BASE in losses else []
    if own:
        found.append(row(own, tr("This model: {0}").format(words.method(own)), strong=True))
    found += [row(name, _sentence(words.method(name))) for name in merges if name != own]
    alone = [losses.get(f"{column}{ALONE}") for column in columns[:-1]]
    values = [each[at] for at, each in enumerate(alone) if each is not None]
    if len(values) == len(alone):
        said = tr("Each member by itself")
        values.append(sum(values))
        cells = (_cell(said, column, value) for column, value in zip(columns, values, strict=True))
        found.append(Row(name=said, cells=tuple(cells)))
    return found


def _merges(made: Made) -> list[str]:
    """What the losses call the merges: all but the base and the members."""
    return [name for name, _ in made.losses if name != BASE and not name.endswith(ALONE)]


def _own(made: Made) -> str:
    """What they call this model: of its method, the one that keeps the members best."""
    losses = dict(made.losses)
    alike = [name for name in _merges(made) if name.partition(" ")[0] == made.method]
    return min(alike, key=lambda name: sum(losses[name]), default="")


def _cell(model: str, column: str, value: float, *, best: bool = False) -> Cell:
    """column  the member, or "" for the sum over all of them"""
    text = QLocale().toString(value, "f", 3)
    said = tr("{0}, answers of {1}: {2} nats per token") if column else tr("{0}, sum: {2}")
    told = said.format(model, words.named(column), text)
    return Cell(text=text, told=tr("{0}, the best merge").format(told) if best else told, best=best)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


# Masks --------------------------------------------------------------------------------------


def _added(made: Made, mask: int) -> str:
    """The member that came in by this mask: those that have one are the last."""
    at = len(made.members) - len(made.shares) + mask
    if not 0 <= at < len(made.members):
        return tr("the member that was added")
    return words.named(made.members[at])


def _shown(shares: Shares) -> Shown:
    known = [share for cells in shares.cells for share in cells if share is not None]
    top = next((top for top in TOPS if top >= max(known, default=0.0)), 1.0)
    kinds = [words.matrix(kind) for kind in shares.columns]
    return Shown(
        rows=tuple(tr("Layer {0}").format(row) for row in shares.rows),
        columns=tuple(kinds),
        cells=shares.cells,
        words=tuple(
            tuple(_told(row, kind, share) for kind, share in zip(kinds, cells, strict=True))
            for row, cells in zip(shares.rows, shares.cells, strict=True)
        ),
        scale=(percentage(0.0), percentage(top)),
        top=top,
    )


def _told(row: int, kind: str, share: float | None) -> str:
    where = tr("Layer {0}, {1}").format(row, kind)
    if share is None:
        return tr("{0}: there is none").format(where)
    return f"{where}: {words.exact(share)}"
