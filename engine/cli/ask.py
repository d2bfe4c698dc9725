"""`attune ask`: one question, one answer."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from engine.api import (
    Answer,
    Engine,
    EngineError,
    InputError,
    Message,
    Method,
    Preference,
    Question,
    Route,
    Sampling,
    Settings,
    Steering,
    StorageError,
    bounded_gamma,
    check_question,
)
from engine.cli.learned import acted
from engine.cli.output import Output
from engine.cli.terminal import decode, start, stream
from engine.errors import InvalidParameter
from engine.types.steering import out_of_range

_LONGEST_INPUT = 4 << 20
_GAME = {
    "game_alpha": "alpha",
    "game_lambda": "lam",
    "game_eta": "eta",
    "game_rounds": "rounds",
}
"""Where the command line keeps the parameters of the published game, and what they are called."""


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Answer and print; the answer streams unless JSON is asked for."""
    text = read_question(arguments.question)
    adapters = [adapter_of(given) for given in arguments.adapter]
    engine = Engine(arguments.data_dir, safe=arguments.safe_mode)
    try:
        steering = steering_of(arguments, engine.settings)
        sampling = sampling_of(arguments, engine.settings)
        personal = is_personal(arguments, engine.settings)
        question = Question(
            messages=(Message(role="user", text=text),),
            steering=steering,
            sampling=sampling,
            personal=personal,
        )
        _expect_effect(arguments, steering)
        check_question(question)
        ready = start(engine, arguments.model, output, adapters=adapters)
        route = chosen(engine) if personal else None
        if route is not None and route.member.model != ready.model:
            route = None  # the owner named another model, or the member's could not be loaded
        if route is not None:
            output.note(f"Answers: {reason(route, steering)}")
        answer = stream(engine, question, output)
        learned = _learned(engine) if personal else []
    finally:
        engine.close()
    error = None
    if answer.finish == "interrupted":
        error = EngineError("The answer is not complete: the model's process died. Ask again.")
    if answer.finish in {"length", "context"}:
        output.note(f"Cut after {answer.tokens} tokens.")
    result = _result(answer, load=ready.seconds) | {"member": _member(route), "learned": learned}
    code = output.result(result, error=error)
    return 130 if answer.finish == "stopped" else code


def read_question(question: str) -> str:
    """The question, which "-" reads from standard input. Raises InputError."""
    if question != "-":
        return question
    data = sys.stdin.buffer.read(_LONGEST_INPUT + 1)
    if len(data) > _LONGEST_INPUT:
        raise InputError(f"The question is longer than {_LONGEST_INPUT >> 20} MiB. Shorten it.")
    return decode(data)


def adapter_of(text: str) -> tuple[Path, float]:
    """A file and its scale, 1 where none is given; a name with "=" in it that is there is a name.

    Raises InvalidParameter.
    """
    name, equals, number = text.rpartition("=")
    if not equals or Path(text).exists():
        return Path(text), 1.0
    try:
        return Path(name), float(number)
    except ValueError as error:
        raise InvalidParameter.outside("adapter", text, "FILE or FILE=SCALE") from error


def is_personal(arguments: argparse.Namespace, settings: Settings) -> bool:
    """Whether what was learned from votes steers."""
    return learns(arguments, settings) and not (arguments.neutral or settings.neutral)


def learns(arguments: argparse.Namespace, settings: Settings) -> bool:
    """Whether what is said here has to do with learning. A chat in the terminal is kept nowhere:
    where votes are to count in their chats only, none can count here."""
    return (arguments.scope or settings.scope) == "everywhere"


def chosen(engine: Engine) -> Route | None:
    """Who answers by Attune's choice; None where that is off, or what was built cannot be read."""
    if not engine.settings.routing or engine.settings.neutral:
        return None
    try:
        return engine.portfolio.route()
    except StorageError:
        return None  # answers do not depend on it


def reason(route: Route, steering: Steering) -> str:
    """Who answers and why.

    steering  of the question; its preferences come before the member's
    """
    if steering.preferences and route.member.preferences:
        return f"{route.why} Your own preferences act instead of its."
    return route.why


def steering_of(arguments: argparse.Namespace, settings: Settings) -> Steering:
    """What --prefer and its companions ask for. Raises InputError."""
    preferences = tuple(Preference(text=text) for text in arguments.prefer)
    if not preferences and not arguments.neutral:
        preferences = () if settings.neutral else settings.preferences
    method: Method = "amulet" if preferences else "base"
    if arguments.neutral or arguments.method:
        method = "base" if arguments.neutral else arguments.method
    if method != "base" and not preferences:
        raise InputError(f"The method {method} needs a preference. Say which with --prefer.")
    if arguments.method not in {None, "amulet"} and _strength_given(arguments):
        raise InputError(
            f"The method {arguments.method} ignores --strength and the game's parameters. Leave "
            "them out, or use --method amulet."
        )
    steering = Steering(
        method=method,
        preferences=preferences if method != "base" else (),
        gamma=_gamma(arguments, settings),
        plausibility=_plausibility(arguments.plausibility),
        place=arguments.place,
        combine=arguments.combine,
    )
    return checked(steering)


def checked(steering: Steering) -> Steering:
    """The same, refused now rather than with the next question. Raises InvalidParameter."""
    check_question(Question(messages=(Message(role="user", text="?"),), steering=steering))
    return steering


def sampling_of(arguments: argparse.Namespace, settings: Settings) -> Sampling:
    """The remembered sampling with what the command line changes. Raises InvalidParameter."""
    names = [field.name for field in fields(Sampling)]
    given = {name: getattr(arguments, name) for name in names}
    wanted = replace(settings.sampling, **{k: v for k, v in given.items() if v is not None})
    if broken := out_of_range(wanted):
        raise InvalidParameter.outside(*broken)
    return wanted


def _expect_effect(arguments: argparse.Namespace, steering: Steering) -> None:
    """In a chat a preference may follow; one question has all that it will have."""
    if steering.method == "base" and not arguments.neutral and _strength_given(arguments):
        raise InputError("A strength needs a preference to act on. Say which with --prefer.")


def _strength_given(arguments: argparse.Namespace) -> bool:
    return arguments.strength is not None or bool(_game(arguments))


def _game(arguments: argparse.Namespace) -> dict[str, Any]:
    given = {name: getattr(arguments, place) for place, name in _GAME.items()}
    return {name: value for name, value in given.items() if value is not None}


def _gamma(arguments: argparse.Namespace, settings: Settings) -> float:
    given = _game(arguments)
    if given and arguments.strength is not None:
        raise InputError("Give either --strength or the game's parameters, not both.")
    if given:
        published: dict[str, Any] = {"alpha": 2.0, "lam": 2.0, "eta": 10.0, "rounds": 60}
        return bounded_gamma(**(published | given))
    return settings.gamma if arguments.strength is None else float(arguments.strength)


def _plausibility(text: str) -> float | None:
    if text == "off":
        return None
    try:
        return float(text)
    except ValueError as error:
        raise InvalidParameter.outside("plausibility", text, "a number, or off") from error


def _result(answer: Answer, *, load: float) -> dict[str, Any]:
    return {
        "text": answer.text,
        "finish": answer.finish,
        "tokens": answer.tokens,
        "streams": answer.streams,
        "gamma": answer.gamma,
        "seed": answer.seed,
        "seconds": asdict(replace(answer.seconds, load=load)),
        "context": {"used": answer.used, "size": answer.context},
        "model": answer.model,
    }


def _member(route: Route | None) -> dict[str, str] | None:
    if route is None:
        return None
    return {"id": route.member.id, "name": route.member.name, "why": route.why}


def _learned(engine: Engine) -> list[dict[str, Any]]:
    """What of the votes acted on the answer."""
    try:
        return acted(engine.learning.learned())
    except StorageError:
        return []  # nothing acted then, and a notice said so
