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
    Preference,
    Question,
    Sampling,
    Steering,
)
from engine.cli.ask import checked, sampling_of, steering_of
from engine.cli.output import Output
from engine.cli.terminal import decode, start, stream
from engine.errors import InvalidText

HELP = """\
  /prefer TEXT   answer like this from now on ("concise", or a sentence); alone: none
  /strength G    how strongly, 0 to 10
  /neutral       the untouched model, or back
  /again         answer the last question once more
  /new           forget the conversation
  /quit          leave (or Ctrl+D); Ctrl+C stops an answer"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Where the conversation stands.

    messages  questions, each with its answer
    asked     the last question and what was before it, whether it was answered or not
    """

    steering: Steering
    sampling: Sampling
    neutral: bool = False
    messages: tuple[Message, ...] = ()
    asked: tuple[Message, ...] = ()


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Chat until the input ends."""
    if output.json:
        raise InputError("A chat has no single result. Use 'attune ask' with --json.")
    engine = Engine(arguments.data_dir)
    try:
        chat = Chat(
            steering=steering_of(arguments, engine.settings),
            sampling=sampling_of(arguments, engine.settings),
        )
        ready = start(engine, arguments.model, output)
        output.note(f"{ready.name} answers. /help tells what else can be said here.")
        _loop(engine, chat, output)
    finally:
        engine.close()
    return 0


def _loop(engine: Engine, chat: Chat, output: Output) -> None:
    while (line := _next_line(output)) is not None:
        if line.strip() in {"/quit", "/exit"}:
            return
        try:
            chat = _turn(engine, chat, line.strip(), output)
        except AttuneError as error:
            output.complain(error)


def _next_line(output: Output) -> str | None:
    """The next line that is text, or None at the end of the input."""
    while True:
        try:
            return _typed() if sys.stdin.isatty() else _piped()
        except KeyboardInterrupt:
            output.note("")
        except InvalidText as error:
            output.complain(error)


def _typed() -> str | None:
    try:
        return decode(input("\n> ").encode(errors="surrogateescape"))
    except EOFError:
        return None
    except UnicodeError as error:
        raise InvalidText("The line is not valid UTF-8. Write it in UTF-8.") from error


def _piped() -> str | None:
    data = sys.stdin.buffer.readline()
    return decode(data) if data else None


def _turn(engine: Engine, chat: Chat, line: str, output: Output) -> Chat:
    if not line:
        return chat
    if line.startswith("/"):
        return _command(engine, chat, line, output)
    return _ask(engine, chat, (*chat.messages, Message(role="user", text=line)), output)


def _command(engine: Engine, chat: Chat, line: str, output: Output) -> Chat:
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
            return _again(engine, chat, output)
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


def _again(engine: Engine, chat: Chat, output: Output) -> Chat:
    if not chat.asked:
        raise InputError("There is no question to answer again.")
    return _ask(engine, chat, chat.asked, output)


def _ask(engine: Engine, chat: Chat, messages: tuple[Message, ...], output: Output) -> Chat:
    steering = NEUTRAL if chat.neutral else chat.steering
    question = Question(messages=messages, steering=steering, sampling=chat.sampling)
    chat = replace(chat, asked=messages)
    try:
        answer = stream(engine, question, output)
    except AttuneError as error:
        output.complain(error)
        return chat
    if not answer.text:  # a question without an answer must not stand before the next question
        return chat
    return replace(chat, messages=(*messages, Message(role="assistant", text=answer.text)))
