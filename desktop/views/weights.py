"""Where the owner stands among all tastes: the picture, and sliders that move it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop import portfolio as words
from desktop import simplex
from desktop.heard import heard
from desktop.languages import tr
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.widgets.matters import Matters
from desktop.widgets.weight_picture import Line, Region, Rows, Triangle, WeightPicture
from engine.api import Portfolio


class Weights(QWidget):
    """The two side by side, or stacked where the picture needs the room.

    moved(str, float)  how much an objective matters, by id; in [0, 1]
    reset_asked()      all that is left to the votes
    """

    moved = Signal(str, float)
    reset_asked = Signal()

    def __init__(self, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self.picture = WeightPicture(look, parent=self)
        self.matters = Matters(look, parent=self)
        self._title = QLabel(self.tr("What matters to you"), self)
        self._caption = QLabel(self)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._wide = False
        self._arrange()
        self.matters.moved.connect(self.moved)
        self.matters.reset_asked.connect(self.reset_asked)
        self.set_look(look)

    def show_portfolio(self, portfolio: Portfolio, *, yours: int | None) -> None:
        """yours  the number of the member that answers next, from 0"""
        told = _told(portfolio)
        self._wide = len(portfolio.objectives) != 3
        self._turn()
        self.picture.setVisible(len(portfolio.objectives) > 1)
        self.picture.show_picture(_picture(portfolio, yours), told=told)
        self._caption.setText(_caption(portfolio))
        self._caption.setAccessibleName(told)

    def show_sliders(self, portfolio: Portfolio, values: dict[str, float]) -> None:
        names = [(objective.id, heard(objective.name)) for objective in portfolio.objectives]
        self.matters.show_values(names, values)

    def set_look(self, look: Look) -> None:
        self._look = look
        self.picture.set_look(look)
        self.matters.set_look(look)
        strong = tokens.strong(look.plain)
        self._title.setFont(strong)
        self._caption.setFont(look.small)
        self._turn()

    def _arrange(self) -> None:
        self._title.setObjectName("section")
        self._title.setBuddy(self.matters)
        self._caption.setObjectName("muted")
        self._caption.setTextFormat(Qt.TextFormat.PlainText)
        self._caption.setWordWrap(True)
        left, right = QVBoxLayout(), QVBoxLayout()
        for side, parts in (
            (left, (self.picture, self._caption)), (right, (self._title, self.matters)),
        ):  # fmt: skip
            side.setSpacing(tokens.GAP)
            for part in parts:
                side.addWidget(part)
            side.addStretch(1)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(tokens.GUTTER)
        self._row.addLayout(left, 1)
        self._row.addLayout(right, 1)
        self.setLayout(self._row)

    def _turn(self) -> None:
        narrow = self._wide or (self.width() - tokens.GUTTER) // 2 < self._look.side_least
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._row.setDirection(down if narrow else across)

    # Qt ---------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._turn()
        super().resizeEvent(event)


def _picture(portfolio: Portfolio, yours: int | None) -> Triangle | Rows | None:
    names = tuple(heard(objective.name) for objective in portfolio.objectives)
    floors = tuple(objective.floor for objective in portfolio.objectives)
    rewards = [portfolio.rewards[member.index] for member in portfolio.members]
    you = simplex.placed(portfolio.weights, floors)
    if len(names) < 2:
        return None
    if len(names) == 3:
        regions = tuple(
            Region(
                number=number + 1, corners=area, yours=number == yours,
                centre=simplex.centre(area) if area else you,
                share=simplex.share(area) if area else 0.0,
            )
            for number, area in enumerate(simplex.areas(rewards, floors))
        )  # fmt: skip
        return Triangle(names=names, regions=regions, you=you)
    lines = tuple(
        Line(number=number + 1, weights=weights, yours=number == yours)
        for number, weights in enumerate(simplex.typical(rewards, floors))
        if weights
    )
    return Rows(names=names, lines=lines, you=you)


def _caption(portfolio: Portfolio) -> str:
    if len(portfolio.objectives) == 3:
        shown = tr(
            "Every spot of the triangle is a taste; each area is served best by the setting with "
            "its number."
        )
    else:
        shown = tr(
            "Each line is the taste that the setting with its number typically serves best; the "
            "dashed one is yours."
        )
    return f"{shown} {_yours(portfolio)}"


def _told(portfolio: Portfolio) -> str:
    """The picture for those who cannot see it."""
    lines = [
        f"{number}: {words.named(portfolio.candidates[member.index])}. "
        f"{words.strength(portfolio, number - 1)}."
        for number, member in enumerate(portfolio.members, start=1)
    ]
    return " ".join([*lines, _yours(portfolio)])


def _yours(portfolio: Portfolio) -> str:
    names = tuple(objective.name for objective in portfolio.objectives)
    floors = tuple(objective.floor for objective in portfolio.objectives)
    # As in the picture: what everybody gives an objective at least says nothing of this owner.
    you = simplex.placed(portfolio.weights, floors)
    return tr("Yours: {0}.").format(words.stance(names, you))
