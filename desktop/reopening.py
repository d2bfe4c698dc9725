"""Chats that were kept become turns again. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from desktop.conversation import Conversation, Kept, Turn
from desktop.pair import Pair
from engine.api import ChatMessage, Chats, OpenChat

AT_ONCE = 30
"""Turns that are shown when a chat is opened; earlier ones come when they are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """A chat as it was read.

    duels  both answers of the duels among the turns that are shown at first, by id of the one that
           the chat went on with
    """

    opened: OpenChat
    duels: Mapping[str, tuple[ChatMessage, ...]]


def read(chats: Chats, opened: OpenChat) -> Reopened:
    """Look up what is shown at first. On a thread of the engine's."""
    newest = opened.messages[-2 * AT_ONCE :]
    found = duels(chats, (message.id for message in newest if message.duel))
    return Reopened(opened=opened, duels=found)


def unfinished(opened: OpenChat) -> bool:
    """Whether its last answer did not come to its end, or was not begun."""
    last = opened.messages[-1] if opened.messages else None
    if last is None:
        return False
    return last.role == "user" or last.state in ("partial", "interrupted")


def duels(chats: Chats, answers: Iterable[str]) -> dict[str, tuple[ChatMessage, ...]]:
    """Both answers of each duel that one of these was written in, the older first."""
    found = {}
    for answer in answers:
        versions = chats.versions(answer)
        duel = next(message.duel for message in versions if message.id == answer)
        found[answer] = tuple(message for message in versions if message.duel == duel)
    return found


def conversation(
    item: Reopened, *, names: Mapping[str, str], before: Conversation | None = None
) -> Conversation:
    """The chat to go on with.

    names   of models, by id
    before  the same chat as it was on the screen: its turns stay where they are the same still
    """
    chat = item.opened.chat
    turns = [_turn(pair, item, names=names) for pair in _in_pairs(item.opened.messages)]
    known = before.turns if before is not None and before.chat == chat.id else []
    for place, (old, new) in enumerate(zip(known, turns, strict=False)):
        if (old.kept.question, old.answer_id) != (new.kept.question, new.answer_id):
            break
        if old.pair is None and new.pair is not None:
            continue
        old.kept = replace(new.kept, answers=old.kept.answers)  # there may be other versions now
        turns[place] = old
    return Conversation(turns, chat=chat.id, title=chat.title, scope=chat.scope)


def pair_of(answers: tuple[ChatMessage, ...], *, chosen: str) -> Pair | None:
    """Two answers of a duel that is over; None where one of them is gone."""
    if len(answers) != 2:
        return None
    went_on = 1 if answers[1].id == chosen else 0
    return Pair(pieces=([answers[0].text], [answers[1].text]), stage="past", went_on=went_on)


def take_pair(turn: Turn, answers: tuple[ChatMessage, ...]) -> bool:
    """Have a turn show both answers of its duel; False where there are none any more."""
    pair = pair_of(answers, chosen=turn.answer_id)
    if pair is not None:
        turn.pair = pair
        turn.kept = replace(turn.kept, answers=tuple(answer.id for answer in answers))
    turn.kept = replace(turn.kept, duel="")
    return pair is not None


def _in_pairs(
    messages: tuple[ChatMessage, ...],
) -> Iterable[tuple[ChatMessage, ChatMessage | None]]:
    """Questions with their answers; the last one may have none."""
    questions, answers = messages[::2], messages[1::2]
    for place, question in enumerate(questions):
        yield question, answers[place] if place < len(answers) else None


def _turn(
    said: tuple[ChatMessage, ChatMessage | None], item: Reopened, *, names: Mapping[str, str]
) -> Turn:
    question, answer = said
    kept = Kept(question=question.id, questions=question.versions)
    turn = Turn(question=question.text, kept=kept, state="done", past=True)
    if answer is None:
        turn.broken = True
        return turn
    turn.kept = replace(kept, answers=(answer.id,), versions=answer.versions, duel=answer.duel)
    turn.pieces = [answer.text] if answer.text else []
    turn.broken = answer.state in ("partial", "interrupted")
    turn.ended_by = answer.finish
    turn.model = names.get(answer.model, answer.model)
    turn.steered = _words(answer.facts.get("steered"))
    if answer.id in item.duels:
        take_pair(turn, item.duels[answer.id])
    return turn


def _words(value: object) -> tuple[str, ...]:
    """What may come from a file, and be anything."""
    return tuple(str(word) for word in value) if isinstance(value, list) else ()
