"""`attune chat`: a conversation in the terminal."""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass, replace

from engine.api import (
    MAX_GAMMA,
    MAX_PREFERENCES,
    NEUTRAL,
    AttuneError,
    Engine,
    InputError,
    Message,
    Method,
    Outcome,
    Preference,
    Question,
    Sampling,
    Settings,
    Steering,
)
from engine.cli.ask import checked, chosen, is_personal, reason, sampling_of, steering_of
from engine.cli.output import Output
from engine.cli.terminal import Lines, hold, start, stream

HELP = """\
  /prefer TEXT   answer like this from now on ("concise", or a sentence); alone: none
  /strength G    how strongly, 0 to 10
  /neutral       the untouched model, or back
  /again         answer the last question once more
  /undo          take the last vote back
  /new           forget the conversation
  /quit          leave (or Ctrl+D); Ctrl+C stops an answer"""


_PROMPT = "[1] first  [2] second  [3] equal  [4] neither  [Enter] skip: "
_CHOICES: dict[str, Outcome] = {
    "1": "first",
    "a": "first",
    "first": "first",
    "2": "second",
    "b": "second",
    "second": "second",
    "3": "equal",
    "equal": "equal",
    "4": "neither",
    "neither": "neither",
}
_LONGEST_CHOICE = max(map(len, _CHOICES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Where the conversation stands.

    personal  what was learned from votes steers, too
    duels     two answers may be shown, to vote on
    named     the owner named the model, so that no other one is loaded
    model     id of the loaded model
    tried     id of the member's model that was to be loaded last, whether that went well or not
    told      id of the member that was said to answer last; "" for none
    messages  questions, each with its answer
    asked     the last question and what was before it, whether it was answered or not
    """

    steering: Steering
    sampling: Sampling
    neutral: bool = False
    personal: bool = True
    duels: bool = False
    named: bool = False
    model: str = ""
    tried: str = ""
    told: str = ""
    messages: tuple[Message, ...] = ()
    asked: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Seat:
    """Who sits where: the engine, what is typed, what is said."""

    engine: Engine
    lines: Lines
    output: Output


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Chat until the input ends."""
    if output.json:
        raise InputError("A chat has no single result. Use 'attune ask' with --json.")
    engine = Engine(arguments.data_dir, safe=arguments.safe_mode)
    try:
        chat = _begun(arguments, engine.settings)
        ready = start(engine, arguments.model, output)
        output.note(f"{ready.name} answers. /help tells what else can be said here.")
        route = chosen(engine)
        chat = replace(chat, model=ready.model, tried=route.member.model if route else "")
        seat = Seat(engine, Lines(output), output)
        _loop(seat, _called(seat, chat))
    finally:
        engine.close()
    return 0


def _begun(arguments: argparse.Namespace, settings: Settings) -> Chat:
    """The chat that the command line and the settings ask for. Raises InputError."""
    neutral = arguments.neutral or (settings.neutral and not arguments.prefer)
    if neutral:  # what steers once /neutral is taken back
        arguments = argparse.Namespace(**vars(arguments) | {"neutral": False})
        settings = replace(settings, neutral=False)
    return Chat(
        steering=steering_of(arguments, settings),
        sampling=sampling_of(arguments, settings),
        neutral=neutral,
        personal=is_personal(arguments, settings),
        named=bool(arguments.model),
        duels=sys.stdin.isatty() if arguments.duels is None else arguments.duels == "on",
    )


def _loop(seat: Seat, chat: Chat) -> None:
    while (line := seat.lines.read("\n> ")) is not None:
        if line.strip() in {"/quit", "/exit"}:
            return
        try:
            chat = _turn(seat, chat, line.strip())
        except AttuneError as error:
            seat.output.complain(error)


def _turn(seat: Seat, chat: Chat, line: str) -> Chat:
    if not line:
        return chat
    if line.startswith("/"):
        return _command(seat, chat, line)
    return _ask(seat, chat, (*chat.messages, Message(role="user", text=line)))


def _command(seat: Seat, chat: Chat, line: str) -> Chat:
    output = seat.output
    word, _, rest = line.partition(" ")
    match word:
        case "/prefer":
            return _prefer(chat, rest.strip(), output)
        case "/strength":
            return _strength(chat, rest.strip(), output)
        case "/neutral":
            output.note("The untouched model answers." if not chat.neutral else "Steering is back.")
            return replace(chat, neutral=not chat.neutral)
        case "/again":
            return _again(seat, chat)
        case "/undo":
            output.note(f"Took back {seat.engine.learning.undo()}.")
            return chat
        case "/new":
            output.note("A new conversation.")
            return replace(chat, messages=(), asked=())
        case _:
            for entry in HELP.splitlines():
                output.note(entry)
            return chat


def _prefer(chat: Chat, text: str, output: Output) -> Chat:
    if not text:
        output.note("No preference.")
        return replace(chat, steering=replace(chat.steering, method="base", preferences=()))
    wanted = (*chat.steering.preferences, Preference(text=text))
    if len(wanted) > MAX_PREFERENCES:
        raise InputError(f"{MAX_PREFERENCES} preferences are the most. /prefer alone clears them.")
    method: Method = "amulet" if chat.steering.method == "base" else chat.steering.method
    steering = checked(replace(chat.steering, method=method, preferences=wanted))
    output.note(f"From now on: {text}")
    return replace(chat, steering=steering)


def _strength(chat: Chat, text: str, output: Output) -> Chat:
    method = chat.steering.method
    if method in {"pref", "la"}:
        raise InputError(
            f"The method {method} ignores the strength. /prefer alone leaves it; preferences "
            "after that have a strength."
        )
    gamma = _number(text)
    if not 0.0 <= gamma <= MAX_GAMMA:  # NaN, which is no number, too
        raise InputError(f"The strength is {text!r}, but must be a number from 0 to {MAX_GAMMA:g}.")
    output.note(f"Strength {gamma:g}.")
    return replace(chat, steering=replace(chat.steering, gamma=gamma))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _again(seat: Seat, chat: Chat) -> Chat:
    if not chat.asked:
        raise InputError("There is no question to answer again.")
    return _ask(seat, chat, chat.asked)


def _ask(seat: Seat, chat: Chat, messages: tuple[Message, ...]) -> Chat:
    question = Question(
        messages=messages,
        steering=NEUTRAL if chat.neutral else chat.steering,
        sampling=chat.sampling,
        personal=chat.personal and not chat.neutral,
    )
    chat = replace(chat, asked=messages)
    try:
        chat = _called(seat, chat)
        text = _answer(seat, question, duels=chat.duels)
    except AttuneError as error:
        seat.output.complain(error)
        return chat
    if not text:  # a question without an answer must not stand before the next question
        return chat
    return replace(chat, messages=(*messages, Message(role="assistant", text=text)))


def _called(seat: Seat, chat: Chat) -> Chat:
    """The chat once the member that is to answer is there, and said to be where it is another."""
    if chat.neutral or not chat.personal or (route := chosen(seat.engine)) is None:
        return chat
    member = route.member
    loads = not chat.named and member.model not in (chat.model, chat.tried)
    if member.id != chat.told and (loads or member.model == chat.model):
        seat.output.note(f"Answers next: {reason(route, chat.steering)}")
        chat = replace(chat, told=member.id)
    if loads:
        ready = start(seat.engine, None, seat.output)
        chat = replace(chat, model=ready.model, tried=member.model)
    return chat


# Duels --------------------------------------------------------------------------------------


def _answer(seat: Seat, question: Question, *, duels: bool) -> str:
    """The answer, or of two answers the better one."""
    if duels and question.personal and seat.engine.wants_duel():
        return _duel(seat, question)
    return stream(seat.engine, question, seat.output).text


def _duel(seat: Seat, question: Question) -> str:
    held = hold(seat.engine, question, seat.output)
    first, second = held.texts
    if held.error is not None:
        seat.output.text(f"\nB\n{second}\n")
        seat.output.complain(held.error)
        return first
    duel = held.duel
    assert duel is not None
    if duel.verdict == "same":
        seat.output.note("B came out nearly alike; the chat goes on with A.")
    if duel.verdict != "open":
        return first
    seat.output.text(f"\nB\n{second}\n")
    seat.output.note(duel.why)
    outcome = _choice(seat)
    if outcome is not None:
        _vote(seat, duel.id, outcome)
    return second if outcome == "second" else first


def _choice(seat: Seat) -> Outcome | None:
    """What is voted; None where the vote is skipped. The next question may be typed instead."""
    while line := (seat.lines.read(_PROMPT, interrupted="") or "").strip():
        if outcome := _CHOICES.get(line.casefold()):
            return outcome
        if line.startswith("/") or len(line) > _LONGEST_CHOICE:
            seat.lines.put_back(line)
            return None
        seat.output.note("Type 1, 2, 3 or 4, or press Enter to skip.")
    return None


def _vote(seat: Seat, duel: str, outcome: Outcome) -> None:
    try:
        voted = seat.engine.learning.vote(duel, outcome)
    except AttuneError as error:  # the answer stays, whatever became of the vote
        seat.output.complain(error)
    else:
        seat.output.note(f"{voted.sentence} /undo takes it back.")
