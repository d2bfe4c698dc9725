"""`attune chat`: a conversation in the terminal."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace

from engine.api import (
    NEUTRAL,
    AttuneError,
    Engine,
    InputError,
    Message,
    Preference,
    Question,
    Sampling,
    Steering,
)
from engine.cli.ask import sampling_of, steering_of
from engine.cli.output import Output
from engine.cli.terminal import decode, start, stream

HELP = """\
  /prefer TEXT   answer like this from now on ("concise", or a sentence); alone: none
  /strength G    how strongly, 0 to 10
  /neutral       the untouched model, or back
  /again         answer the last question once more
  /new           forget the conversation
  /quit          leave (or Ctrl+D); Ctrl+C stops an answer"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Where the conversation stands."""

    steering: Steering
    sampling: Sampling
    neutral: bool = False
    messages: tuple[Message, ...] = ()


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
        start(engine, arguments.model, output)
        output.note("Ask anything. /help tells what else can be said here.")
        _loop(engine, chat, output)
    finally:
        engine.close()
    return 0


def _loop(engine: Engine, chat: Chat, output: Output) -> None:
    while True:
        try:
            line = _line()
        except KeyboardInterrupt:
            output.note("")
            continue
        if line is None or line.strip() in {"/quit", "/exit"}:
            return
        try:
            chat = _turn(engine, chat, line.strip(), output)
        except AttuneError as error:
            output.note(f"attune: {error.message}")


def _line() -> str | None:
    """The next line, or None at the end of the input."""
    if sys.stdin.isatty():
        try:
            return input("\n> ")
        except EOFError:
            return None
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
            return replace(chat, messages=())
        case _:
            output.note(HELP)
            return chat


def _prefer(chat: Chat, text: str, output: Output) -> Chat:
    if not text:
        output.note("No preference.")
        return replace(chat, steering=NEUTRAL)
    output.note(f"From now on: {text}")
    wanted = (*chat.steering.preferences, Preference(text=text))
    steering = replace(chat.steering, method="amulet", preferences=wanted)
    return replace(chat, steering=steering)


def _strength(chat: Chat, text: str, output: Output) -> Chat:
    try:
        gamma = float(text)
    except ValueError as error:
        raise InputError(f"The strength is {text!r}, but must be a number from 0 to 10.") from error
    output.note(f"Strength {gamma:g}.")
    return replace(chat, steering=replace(chat.steering, gamma=gamma))


def _again(engine: Engine, chat: Chat, output: Output) -> Chat:
    messages = chat.messages
    if messages and messages[-1].role == "assistant":
        messages = messages[:-1]
    if not messages:
        raise InputError("There is no question to answer again.")
    return _ask(engine, chat, messages, output)


def _ask(engine: Engine, chat: Chat, messages: tuple[Message, ...], output: Output) -> Chat:
    steering = NEUTRAL if chat.neutral else chat.steering
    question = Question(messages=messages, steering=steering, sampling=chat.sampling)
    answer = stream(engine, question, output)
    if not answer.text:
        return replace(chat, messages=messages)
    return replace(chat, messages=(*messages, Message(role="assistant", text=answer.text)))
