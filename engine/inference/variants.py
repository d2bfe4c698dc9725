"""Which prompt variants an answer needs, and with which weights they are mixed.

The base variant is the chat as it stands. A preferred variant adds a preference sentence, after
the owner's last question (all variants then share the history in the cache) or in the system
message (as published; every variant then has its own copy of the history).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.errors import EmptyQuestion, InvalidParameter, InvalidText
from engine.steering.sentences import compose, sentence
from engine.steering.strength import LINEAR_ALIGNMENT
from engine.types.answers import Message, Question
from engine.types.steering import (
    MAX_GAMMA,
    MAX_PREFERENCES,
    MAX_PULLS,
    MAX_THETA,
    MAX_WEIGHT,
    METHODS,
    Preference,
    Pull,
    Steering,
)

INSTRUCTION = "You are a helpful assistant. Answer the question clearly and truthfully."

Chat = tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is decoded for one answer.

    chats    prompt variants, the first one stands for Lb unless it is alone
    weights  w_j of the preferences, which come next
    gamma    strength that acts on them
    thetas   θ of what was learned, which comes last; with no weights and no thetas the first
             variant alone is drawn from
    """

    chats: tuple[Chat, ...]
    weights: tuple[float, ...]
    gamma: float
    thetas: tuple[float, ...] = ()


def plan(question: Question) -> Plan:
    """The variants of a question. Raises InputError where the question cannot be asked."""
    check(question)
    chat = _with_instruction(question.messages)
    steering = question.steering
    wanted = _preferred(chat, steering)
    if not steering.pulls:
        return wanted
    pulled = tuple(_with(chat, pull.sentence, steering) for pull in steering.pulls)
    stated = wanted.chats[-len(wanted.weights) :] if wanted.weights else ()
    return Plan(
        chats=(chat, *stated, *pulled),
        weights=wanted.weights,
        gamma=wanted.gamma,
        thetas=tuple(pull.theta for pull in steering.pulls),
    )


def _preferred(chat: Chat, steering: Steering) -> Plan:
    """The variants of the stated preferences alone."""
    if steering.method == "base" or not steering.preferences:
        return Plan(chats=(chat,), weights=(), gamma=0.0)
    gamma = _gamma(steering)
    sentences, weights = _sentences(steering)
    alone = len(sentences) == 1 and gamma * weights[0] == 0.0
    if alone and not steering.pulls:
        return Plan(chats=(_with(chat, sentences[0], steering),), weights=(), gamma=0.0)
    chats = (chat, *(_with(chat, text, steering) for text in sentences))
    return Plan(chats=chats, weights=weights, gamma=gamma)


def check(question: Question) -> None:
    """Refuse what cannot be answered, with one sentence."""
    if not question.messages or question.messages[-1].role != "user":
        raise EmptyQuestion("There is no question. Write something first.")
    if not question.messages[-1].text.strip():
        raise EmptyQuestion("The question is empty. Write something first.")
    for message in question.messages:
        _check_text(message.text)
    _check_steering(question.steering)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidText(
            f"The text has a character that is not valid Unicode at place {error.start + 1}. "
            "Remove it and ask again."
        ) from error


def _check_steering(steering: Steering) -> None:
    if steering.method not in METHODS:
        raise InvalidParameter.outside("method", steering.method, "one of " + ", ".join(METHODS))
    if not 0.0 <= steering.gamma <= MAX_GAMMA:
        raise InvalidParameter.outside("strength", steering.gamma, f"from 0 to {MAX_GAMMA:g}")
    kappa = steering.plausibility
    if kappa is not None and not 0.0 < kappa <= 1.0:
        raise InvalidParameter.outside("plausibility", kappa, "above 0 and at most 1, or off")
    if len(steering.preferences) > MAX_PREFERENCES:
        raise InvalidParameter(
            f"{len(steering.preferences)} preferences are set, but {MAX_PREFERENCES} are the most."
        )
    for preference in steering.preferences:
        _check_text(preference.text)
        sentence(preference)
        if not 0.0 <= preference.weight <= MAX_WEIGHT:
            raise InvalidParameter.outside("weight", preference.weight, f"from 0 to {MAX_WEIGHT:g}")
    _check_pulls(steering.pulls)


def _check_pulls(pulls: tuple[Pull, ...]) -> None:
    if len(pulls) > MAX_PULLS:
        raise InvalidParameter(f"{len(pulls)} learned traits act, but {MAX_PULLS} are the most.")
    for pull in pulls:
        _check_text(pull.sentence)
        sentence(Preference(text=pull.sentence))
        if not abs(pull.theta) <= MAX_THETA:
            allowed = f"from -{MAX_THETA:g} to {MAX_THETA:g}"
            raise InvalidParameter.outside("weight of a trait", pull.theta, allowed)


def _gamma(steering: Steering) -> float:
    fixed = {"pref": 0.0, "la": LINEAR_ALIGNMENT}
    return fixed.get(steering.method, steering.gamma)


def _sentences(steering: Steering) -> tuple[tuple[str, ...], tuple[float, ...]]:
    wanted: tuple[Preference, ...] = steering.preferences
    if steering.method == "pref" or (steering.combine == "compose" and len(wanted) > 1):
        mean = sum(p.weight for p in wanted) / len(wanted)
        return (compose(wanted),), (mean,)
    return tuple(sentence(p) for p in wanted), tuple(p.weight for p in wanted)


def _with_instruction(messages: Chat) -> Chat:
    if messages[0].role == "system":
        return messages
    return (Message(role="system", text=INSTRUCTION), *messages)


def _with(chat: Chat, text: str, steering: Steering) -> Chat:
    system, *_, last = chat
    if steering.place == "system":
        return (replace(system, text=f"{system.text} {text}"), *chat[1:])
    # In brackets, on the same line, small models took it for the question least often (measured).
    return (*chat[:-1], replace(last, text=f"{last.text} ({text})"))
