"""The page "What I learned": every trait, how sure it is, its votes, and ways to change it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop import findings
from desktop.actions import learning, preferences, votes
from desktop.desk import Desk
from desktop.languages import tr
from desktop.prose import brief
from desktop.style import tokens
from desktop.style.tokens import Look
from desktop.taste import Taste
from desktop.views.habits import Habits
from desktop.views.trait_detail import TraitDetail
from desktop.widgets.paper import Paper
from desktop.widgets.trait_plot import Mark
from desktop.widgets.trait_table import Row, TraitTable
from engine.api import Learned, LearnedTrait, PastVote


class LearnedPage(Paper):
    """Shows what the desk has learned, and passes on what its owner wants changed."""

    def __init__(self, desk: Desk, look: Look, *, parent: QWidget | None = None) -> None:
        super().__init__(look, title=tr("What I learned"), parent=parent)
        self._desk = desk
        self._adding = ""
        self._entering = False  # the rows are not there yet
        self.table = TraitTable(look)
        self.detail = TraitDetail(look)
        self.habits = Habits(look)
        self._fill()
        self._connect()
        self.set_look(look)
        self.refresh()
        self._show_habits()

    def enter(self) -> None:
        """It comes on the screen: ask anew, and put the keyboard where the rows are."""
        self.hush()
        self._desk.learning.fetch()
        self._entering = not self.table.isVisibleTo(self)
        first = self.habits.neutral if self._entering else self.table
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def refresh(self) -> None:
        """Show what is learned now."""
        learned = self._desk.learning.learned
        traits = learned.traits if learned is not None else ()
        unknown = self._desk.learning.trouble or self.tr("Reading …")
        self._lead.setText(_lead(learned, self._desk.learning.votes) if learned else brief(unknown))
        self._show_teaching(learned)
        self.table.show_rows([_row(trait) for trait in traits])
        self.table.setVisible(bool(traits))
        if self._entering and traits:
            self._entering = False
            if self.habits.neutral.hasFocus():  # else the owner has gone on already
                self.table.setFocus(Qt.FocusReason.OtherFocusReason)
        self._show_detail()
        if learned is not None:
            readable = learned.learner == "utilities"
            self.habits.show_learner(traits=readable, votes=learned.votes)
            self.habits.show_removed(learned.removed)
            kept = any(v.question or any(v.answers) for v in self._desk.learning.votes)
            self.habits.show_kept(kept)

    def set_look(self, look: Look) -> None:
        super().set_look(look)
        for part in (self.table, self.detail, self.habits):
            part.set_look(look)

    # What the desk says -----------------------------------------------------------------

    def _show_teaching(self, learned: Learned | None) -> None:
        text = ""
        if learned is not None and learned.learner == "neural":
            text = self.tr(
                "The neural learner has no traits that could be read: it knows as a whole what you "
                "like. Votes given while it learns say nothing about single traits later on."
            )
        elif learned is not None and not learned.traits:
            text = self.tr("No trait is asked about. Add one in your own words below.")
        elif learned is not None and not learned.votes:
            text = self.tr(
                "Now and then Attune writes two answers that differ in one of these traits. Say "
                "which you like better: its dot moves towards your side, and the line around it "
                "gets shorter as Attune gets surer. Every vote can be read and deleted here."
            )
        elif learned is not None:
            text = self.tr(
                "A dot lies on the side that you like; the line is where it surely is: the "
                "shorter, the surer. Filled dots steer your answers."
            )
        self.teach(text)

    def _show_detail(self, _: str = "") -> None:
        trait = self._current()
        self.detail.setVisible(trait is not None)
        if trait is not None:
            ids = set(trait.votes)
            about = trait.trait.id
            behind = [
                vote
                for vote in self._desk.learning.votes
                if vote.duel in ids or (vote.local and vote.trait == about)
            ]
            self.detail.show_trait(trait, behind)

    def _current(self) -> LearnedTrait | None:
        learned = self._desk.learning.learned
        traits = learned.traits if learned is not None else ()
        return next((t for t in traits if t.trait.id == self.table.current), None)

    def _show_habits(self, _: Taste | None = None) -> None:
        settings = self._desk.engine.settings
        self.habits.show_values(
            neutral=self._desk.taste.neutral, pace=settings.duel_every, keep=settings.keep_texts
        )

    def _did(self, sentence: str) -> None:
        if self._adding:
            self._adding = ""
            self.habits.field.clear()
        self._say(sentence, undo=True)

    def _failed(self, sentence: str) -> None:
        self._adding = ""
        self._say(sentence, undo=False)

    def _undone(self, words: str) -> None:
        self._say(self.tr("Taken back: {0}.").format(words), undo=False)

    def _erased(self, sentence: str) -> None:
        self._say(sentence, undo=False)

    def _noticed(self, sentence: str) -> None:
        """It stands in the conversation, too, which cannot be seen now."""
        if self.isVisible():
            self._say(sentence, undo=False, aloud=False)

    def _say(self, sentence: str, *, undo: bool, aloud: bool = True) -> None:
        self.say(brief(sentence), button=self.tr("Undo") if undo else "", aloud=aloud)

    # Joining ----------------------------------------------------------------------------

    def _connect(self) -> None:
        desk = self._desk
        desk.learning.changed.connect(self.refresh)
        desk.learning.did.connect(self._did)
        desk.learning.failed.connect(self._failed)
        desk.learning.undone.connect(self._undone)
        desk.learning.erased.connect(self._erased)
        desk.noticed.connect(self._noticed)
        desk.taste_changed.connect(self._show_habits)
        desk.settings_changed.connect(self._show_habits)
        self.table.selected.connect(self._show_detail)
        self.detail.delete_asked.connect(partial(learning.delete_vote, desk))
        self.detail.forget_asked.connect(partial(learning.forget_trait, desk))
        self.detail.remove_asked.connect(partial(learning.stop_asking, desk))
        self.habits.neutral_changed.connect(partial(preferences.set_neutral, desk))
        self.habits.pace_changed.connect(partial(learning.set_pace, desk))
        self.habits.keep_changed.connect(partial(learning.set_keep_texts, desk))
        self.habits.add_asked.connect(self._add)
        self.habits.erase_asked.connect(partial(learning.erase_texts, desk))
        self.habits.reset_asked.connect(partial(learning.start_over, desk))
        self.habits.restore_asked.connect(partial(learning.ask_again, desk))
        self.said.chosen.connect(partial(votes.undo, desk))

    def _add(self, sentence: str) -> None:
        self._adding = sentence
        learning.add_trait(self._desk, sentence)

    def _fill(self) -> None:
        stack = self.stack
        stack.addSpacing(tokens.GAP_WIDE)
        stack.addWidget(self.table)
        stack.addSpacing(tokens.GAP_WIDE)
        stack.addWidget(self.detail)
        stack.addSpacing(tokens.GUTTER)
        stack.addWidget(self.habits)
        stack.addStretch(1)


def _lead(learned: Learned, votes: Sequence[PastVote]) -> str:
    lines = (findings.headline(learned), findings.elsewhere(votes), findings.left_out(learned))
    return "\n".join(filter(None, lines))


def _row(trait: LearnedTrait) -> Row:
    leaning = 0 if findings.undecided(trait) else (1 if trait.sure >= 0.5 else -1)
    less, more = findings.poles(trait)
    told = tr("{0} or {1}: {2}").format(less, more, findings.belief(trait))
    return Row(
        id=trait.trait.id,
        less=less,
        more=more,
        leaning=leaning,
        sure=findings.sure(trait),
        told=told,
        mark=Mark(at=trait.weight, low=trait.low, high=trait.high, firm=bool(trait.theta)),
    )
