"""Changing what was learned, and how often it is asked for."""

from __future__ import annotations

from desktop.desk import Desk
from engine.api import LearnedTrait, PastVote, Scope, Trait


def delete_vote(desk: Desk, vote: PastVote) -> None:
    desk.learning.delete_vote(vote.duel)


def forget_trait(desk: Desk, trait: LearnedTrait) -> None:
    """Earlier votes say nothing about it any more."""
    desk.learning.forget(trait)


def stop_asking(desk: Desk, trait: LearnedTrait) -> None:
    """Ask no more about it, and steer by it no more."""
    desk.learning.remove(trait)


def ask_again(desk: Desk, trait: Trait) -> None:
    """Ask about a removed trait again; its votes count again."""
    desk.learning.restore(trait)


def add_trait(desk: Desk, sentence: str) -> None:
    """Learn about something in the owner's own words."""
    if sentence.strip():
        desk.learning.add(" ".join(sentence.split()))


def start_over(desk: Desk) -> None:
    """No vote counts any more; Undo brings them back."""
    desk.learning.reset()


def erase_texts(desk: Desk) -> None:
    """Erase the questions and answers that were kept with votes; that cannot be undone."""
    desk.learning.erase_texts()


def set_scope(desk: Desk, scope: Scope) -> None:
    """How far what is learned in the chat that is open goes."""
    desk.asking.set_scope(scope)


def set_pace(desk: Desk, every: int) -> None:
    """Two answers at most once in so many questions; 0 is never."""
    desk.remember(duel_every=every)


def set_keep_texts(desk: Desk, keep: bool) -> None:
    desk.remember(keep_texts=keep)
