"""The page "Portfolio": the settings worth keeping, who answers next, and measuring them."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktop import portfolio as words
from desktop.actions import portfolio as actions
from desktop.actions import votes
from desktop.desk import Desk
from desktop.heard import heard
from desktop.languages import tr
from desktop.prose import brief
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.views.pool import PoolEditor
from desktop.views.weights import Weights
from desktop.widgets.build_line import BuildLine
from desktop.widgets.drawer import Drawer
from desktop.widgets.member_list import MemberList, Row
from desktop.widgets.paper import Paper
from desktop.widgets.toggle import Toggle
from engine.api import Portfolio, certified, worst_served


class PortfolioPage(Paper):
    """Shows what the desk knows of it, and passes on what its owner wants."""

    def __init__(self, desk: Desk, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(look, title=tr("Portfolio"), parent=parent)
        self._desk = desk
        self.building = BuildLine(
            look,
            name=self.tr("How far the models are measured"),
            stop=self.tr("Cancel"),
            stop_name=self.tr("Cancel measuring"),
            kept=self.tr("What is measured is kept"),
        )
        self.chooser = Toggle(self.tr("Choose for me before each answer"))
        self.next, self.why = QLabel(), QLabel()
        self.members = MemberList(look)
        self.weights = Weights(look)
        self.proof, self.worst, self.scope = QLabel(), QLabel(), QLabel()
        self._left_out = QLabel()
        self.left_out = Drawer(self._left_out)
        self.contents, self.measure = QLabel(), QPushButton()
        self.pool = PoolEditor(look)
        self.drawer = Drawer(self.pool)
        self._built = QWidget()
        self._entering = False
        self._sections: list[QLabel] = []
        self._arrange()
        self._connect()
        self.set_look(look)
        self.refresh()
        self._show_build()

    def enter(self) -> None:
        """It comes on the screen: ask anew, and put the keyboard where something can be done."""
        self.hush()
        self.pool.show_models(self._desk.loading.cards)
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self._entering = True  # until it is known what there is to put the keyboard on
        self._desk.choosing.fetch()

    def refresh(self) -> None:
        """Show how everything stands."""
        choosing = self._desk.choosing
        self._show_heading()
        self._built.setVisible(choosing.portfolio is not None)
        if choosing.portfolio is not None:
            self._show_portfolio(choosing.portfolio)
        if choosing.pool is not None:
            self.pool.show_pool(choosing.pool)
            self.contents.setText(words.contents(choosing.pool))
            count = len(choosing.pool.candidates)
            self.drawer.show_title(self.tr("What is measured: %n setting(s)", "", count))
        self.drawer.setVisible(choosing.pool is not None)
        left_out = choosing.portfolio.left_out if choosing.portfolio is not None else ()
        self.left_out.setVisible(bool(left_out))
        self._show_measure()
        self._take_focus()

    def set_look(self, look: Look) -> None:
        super().set_look(look)
        strong = tokens.strong(look.plain)
        for label in (*self._sections, self.next):
            label.setFont(strong)
        for label in (self.why, self.proof, self.worst, self._left_out, self.contents):
            label.setFont(look.plain)
        self.scope.setFont(look.small)
        for part in (self.chooser, self.measure):
            part.setFont(look.plain)
        for view in (
            self.building, self.chooser, self.members, self.weights, self.left_out, self.pool,
            self.drawer,
        ):  # fmt: skip
            view.set_look(look)

    # What there is ----------------------------------------------------------------------

    def _show_heading(self, _: object = None) -> None:
        choosing, teaching = self._desk.choosing, ""
        if choosing.trouble:
            lead = brief(choosing.trouble)
        elif choosing.portfolio is not None:
            lead = words.headline(choosing.portfolio)
            teaching = "\n".join(heard(brief(n.text)) for n in choosing.portfolio.notices)
        elif choosing.known:
            lead = self.tr("Nothing is measured yet.")
            teaching = self.tr(
                "Attune lets your models, asked in several ways, answer the same questions, keeps "
                "the few settings of which one is nearly the best for every taste, and can then "
                "choose for you before each answer. You can go on chatting meanwhile."
            )
        else:
            lead = self._desk.reading
        self._lead.setText(lead)
        self.teach(teaching)

    def _show_portfolio(self, portfolio: Portfolio) -> None:
        self._show_pick()
        route = self._desk.choosing.route
        best = route.member.id if route is not None else ""
        ids = [portfolio.candidates[member.index].id for member in portfolio.members]
        self.members.show_rows(self._rows(portfolio, ids))
        self.weights.show_portfolio(portfolio, yours=ids.index(best) if best in ids else None)
        self.weights.show_sliders(portfolio, self._desk.choosing.sliders)
        self.proof.setText(heard(certified(portfolio)))
        self.worst.setText(heard(worst_served(portfolio)))
        count = len(portfolio.left_out)
        self.left_out.show_title(self.tr("Left out: %n setting(s)", "", count))
        self._left_out.setText("\n".join(map(words.refusal, portfolio.left_out)))

    def _show_pick(self) -> None:
        choosing = self._desk.choosing
        blocked = self.chooser.blockSignals(True)
        self.chooser.setChecked(choosing.automatic)
        self.chooser.blockSignals(blocked)
        route, acts = choosing.route, self._desk.member is not None
        self._pick.setText(self.tr("Answers next") if acts else self.tr("Suits you best"))
        self._pick.setVisible(route is not None)
        self.next.setVisible(route is not None)
        parts = []
        if route is not None:
            self.next.setText(words.named(route.member))
            reason = words.reason(route)
            parts.append(f"{reason[:1].upper()}{reason[1:]}.")
        else:
            parts.append(self.tr("None of these settings can be had now."))
        if not choosing.automatic:
            parts.append(self.tr("Now you choose the model and the preferences yourself."))
        elif not self._desk.taste.personal:
            parts.append(self.tr("Neutral is on, so the untouched model answers."))
        self.why.setText(" ".join(parts))

    def _rows(self, portfolio: Portfolio, ids: list[str]) -> list[Row]:
        route, member = self._desk.choosing.route, self._desk.member
        others = route.others if route is not None and member is not None else ()
        free = {other.id for other in others}
        next_id = member.id if member is not None else ""
        return [
            Row(
                id=ids[number],
                name=words.named(portfolio.candidates[member.index]),
                told=words.strength(portfolio, number),
                trouble=words.trouble(member),
                next=ids[number] == next_id,
                free=ids[number] in free,
            )
            for number, member in enumerate(portfolio.members)
        ]

    def _show_measure(self) -> None:
        choosing, busy = self._desk.choosing, self._desk.building.busy
        pool, built = choosing.pool, choosing.portfolio is not None
        begun = pool is not None and 0 < pool.known < pool.answers
        if built:
            text = self.tr("Measure what is new") if begun else self.tr("Measure again")
        else:
            text = self.tr("Go on measuring") if begun else self.tr("Measure my models")
        self.measure.setText(text)
        self.measure.setAccessibleName(text)
        self._style(self.measure, "plain" if built else "primary")
        self.measure.setVisible(pool is not None and not busy)
        self.measure.setEnabled(pool is not None and bool(pool.candidates))
        self.contents.setVisible(pool is not None)

    # A build ----------------------------------------------------------------------------

    def _show_build(self) -> None:
        building = self._desk.building
        progress = building.progress
        if not building.busy and self.building.focused:
            self.setFocus()  # else a second press of the key would hit what comes next
        self.building.setVisible(building.busy)
        self.pool.show_building(building.busy)
        if building.ending:
            words_, doing = self.tr("Ending …"), self.tr("What is measured is kept.")
        elif progress is None:
            words_, doing = self.tr("Getting ready …"), ""
        else:
            words_, doing = words.advance(progress), heard(brief(progress.text))
        share = words.reached(progress) if progress is not None else None
        self.building.show_progress(share, words=words_, doing=doing)
        self.building.show_ending(building.ending)

    def _began(self) -> None:
        self.hush()
        taken = self.measure.hasFocus()
        self._show_build()
        self._show_measure()
        if taken:
            self.building.cancel.setFocus(Qt.FocusReason.OtherFocusReason)
        if self.isVisible():
            self.told.emit(self.tr("Measuring has begun."))

    def _ended(self) -> None:
        self._show_build()
        self._show_measure()

    def _finished(self, portfolio: Portfolio) -> None:
        self.say(self.tr("Your models are measured. {0}").format(words.headline(portfolio)))

    def _taste_changed(self, _: object) -> None:
        self.refresh()

    def _did(self, sentence: str) -> None:
        self.pool.accepted()
        self.say(brief(heard(sentence)))

    def _took(self, sentence: str) -> None:
        self.say(brief(sentence), button=self.tr("Undo"))

    def _undone(self, what: str) -> None:
        self.say(brief(self.tr("Taken back: {0}.").format(what)))

    def _said(self, sentence: str) -> None:
        self.say(brief(heard(sentence)))

    # Joining ----------------------------------------------------------------------------

    def _take_focus(self) -> None:
        if not self._entering or not self._desk.choosing.known:
            return
        self._entering = False
        if self.hasFocus():
            built, busy = self._desk.choosing.portfolio is not None, self._desk.building.busy
            button = self.building.cancel if busy else self.measure
            (self.chooser if built else button).setFocus(Qt.FocusReason.OtherFocusReason)

    def _follow_row(self, row: int) -> None:
        rows = self.pool.list
        if row >= 0 and rows.hasFocus():
            self.reveal(rows, rows.visualItemRect(rows.item(row)).center().y())

    def _connect(self) -> None:
        desk = self._desk
        desk.choosing.changed.connect(self.refresh)
        for moved in (desk.asking.asked, desk.asking.settled, desk.asking.withdrawn):
            moved.connect(self._show_heading)
        desk.taste_changed.connect(self._taste_changed)
        desk.choosing.did.connect(self._did)
        desk.choosing.took.connect(self._took)
        desk.choosing.failed.connect(self._said)
        desk.building.began.connect(self._began)
        desk.building.progressed.connect(self._show_build)
        desk.building.ended.connect(self._ended)
        desk.building.finished.connect(self._finished)
        desk.building.noticed.connect(self._said)
        desk.building.failed.connect(self._said)
        desk.learning.undone.connect(self._undone)
        desk.loading.listed.connect(self.pool.show_models)
        self.said.chosen.connect(partial(votes.undo, desk))
        self.measure.clicked.connect(partial(actions.measure, desk))
        self.building.cancel.clicked.connect(partial(actions.cancel, desk))
        self.chooser.toggled.connect(partial(actions.choose_for_me, desk))
        self.members.chosen.connect(partial(actions.take, desk))
        self.weights.moved.connect(partial(actions.set_slider, desk))
        self.weights.reset_asked.connect(partial(actions.leave_to_votes, desk))
        self.pool.list.currentRowChanged.connect(self._follow_row)
        self.pool.removed.connect(partial(actions.leave_out, desk))
        self.pool.restored.connect(partial(actions.take_in, desk))
        self.pool.added.connect(partial(actions.add_setting, desk))

    def _arrange(self) -> None:
        for label in (self.next, self.why, self.proof, self.worst, self.scope, self._left_out,
                      self.contents):  # fmt: skip
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        for label in (self.why, self.scope, self._left_out, self.contents):
            label.setObjectName("muted")
        self.chooser.setAccessibleName(self.chooser.text())
        self.building.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
        self._left_out.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
        self.scope.setText(
            self.tr("It holds for these settings, questions and scores, and says no more.")
        )
        self._arrange_built()
        stack = self.stack
        stack.addSpacing(tokens.GAP)
        stack.addWidget(self.building)
        stack.addWidget(self._built)
        stack.addSpacing(tokens.GAP)
        below = QVBoxLayout()
        below.setContentsMargins(tokens.INSET, 0, tokens.INSET, 0)
        below.setSpacing(tokens.PADDING)
        below.addWidget(self.contents)
        below.addWidget(self.measure, 0, Qt.AlignmentFlag.AlignLeft)
        stack.addLayout(below)
        stack.addSpacing(tokens.GAP)
        stack.addWidget(self.left_out)
        stack.addWidget(self.drawer)
        stack.addStretch(1)

    def _arrange_built(self) -> None:
        stack = QVBoxLayout(self._built)
        stack.setContentsMargins(tokens.INSET, tokens.GAP, tokens.INSET, 0)
        stack.setSpacing(tokens.GAP)
        self._pick = self._section("")
        stack.addWidget(self._pick)
        for part in (self.next, self.why):
            stack.addWidget(part)
        stack.addWidget(self.chooser, 0, Qt.AlignmentFlag.AlignLeft)
        stack.addSpacing(tokens.GUTTER - tokens.GAP)
        stack.addWidget(self._section(self.tr("Worth keeping")))
        stack.addWidget(self.members)
        stack.addSpacing(tokens.GUTTER - tokens.GAP)
        stack.addWidget(self.weights)
        stack.addSpacing(tokens.GUTTER - tokens.GAP)
        stack.addWidget(self._section(self.tr("How good they are")))
        for part in (self.proof, self.worst, self.scope):
            stack.addWidget(part)

    def _section(self, text: str) -> QLabel:
        label = QLabel(text)
        label.setObjectName("section")
        self._sections.append(label)
        return label

    @staticmethod
    def _style(button: QPushButton, name: str) -> None:
        if button.objectName() != name:
            button.setObjectName(name)
            button.style().unpolish(button)
            button.style().polish(button)
