"""`attune`: which command was meant, and how it ends.

Exit codes: 0 done, 1 a clear error of one line, 2 usage. With --json one JSON object goes to
standard output; everything else goes to standard error.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.output import Output
from engine.errors import AttuneError, InvalidText
from engine.version import __version__

if TYPE_CHECKING:
    from engine.api import OpenWindow

Open = Callable[["OpenWindow"], int]


def main(
    argv: Sequence[str],
    *,
    open_window: Open | None = None,
    has_display: Callable[[], bool] = lambda: True,
) -> int:
    """Carry out one command.

    open_window  opens the window and returns its exit code; None where there is no window to open
    has_display  whether a window could be shown; asked only when one is wanted
    """
    try:
        _check_unicode(argv)
        arguments = parser().parse_args(list(argv))
    except AttuneError as error:
        return Output(json="--json" in argv).fail(error)
    _log(arguments)
    _never_fail_to_print()
    output = Output(json=arguments.json)
    try:
        if arguments.command is not None:
            return _run(arguments, output)
        if open_window is not None and has_display():
            return _window(arguments, open_window)
        return _chat_instead(arguments, output)
    except AttuneError as error:
        logging.getLogger("engine.cli").debug("%s", error.detail)
        return output.fail(error)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone; point it elsewhere so that closing it is quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def parser() -> argparse.ArgumentParser:
    """The whole command line. Common options may stand before or after the command."""
    top = argparse.ArgumentParser(
        prog="attune",
        description="A local language model that answers the way you like. No command: the window.",
    )
    _add_common(top, before=True)
    _add_model(top, before=True)
    top.add_argument("--version", action="version", version=f"attune {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    _add_ask(commands)
    _add_chat(commands)
    _add_models(commands)
    doctor = _command(commands, "doctor", "how Attune runs on this computer")
    doctor.add_argument("--renew", action="store_true", help="choose again what was remembered")
    return top


def _run(arguments: argparse.Namespace, output: Output) -> int:
    if arguments.command == "ask":
        from engine.cli import ask

        return ask.run(arguments, output)
    if arguments.command == "chat":
        from engine.cli import chat

        return chat.run(arguments, output)
    if arguments.command == "models":
        from engine.cli import models

        return models.run(arguments, output)
    from engine.cli import doctor

    return doctor.run(arguments, output)


def _window(arguments: argparse.Namespace, open_window: Open) -> int:
    from engine.api import OpenWindow

    return open_window(OpenWindow(data_dir=arguments.data_dir, model=arguments.model))


def _chat_instead(arguments: argparse.Namespace, output: Output) -> int:
    output.note("There is no display for the window; the chat is here in the terminal.")
    from engine.cli import chat

    # The window's arguments are fewer than the chat's; the rest keep their defaults.
    return chat.run(parser().parse_args(["chat"], arguments), output)


# The commands' arguments --------------------------------------------------------------------


def _command(commands: Any, name: str, what: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=what, description=what)
    _add_common(command)
    return command


def _add_common(command: argparse.ArgumentParser, *, before: bool = False) -> None:
    """before: ahead of the command. Only there do they have defaults, since a command's own would
    undo what was said ahead of it."""

    def default(value: object) -> object:
        return value if before else argparse.SUPPRESS

    command.add_argument(
        "--data-dir", type=Path, metavar="DIR", default=default(None),
        help="where Attune keeps things",
    )  # fmt: skip
    command.add_argument(
        "--json", action="store_true", default=default(False),
        help="one JSON object on standard output",
    )  # fmt: skip
    command.add_argument(
        "--debug", action="store_true", default=default(False), help="say more on standard error"
    )


def _add_model(command: argparse.ArgumentParser, *, before: bool = False) -> None:
    default = None if before else argparse.SUPPRESS
    command.add_argument(
        "--model", metavar="ID|PATH", default=default, help="model to use, for this run only"
    )


def _add_ask(commands: Any) -> None:
    ask = _command(commands, "ask", "answer one question")
    _add_model(ask)
    ask.add_argument("question", metavar="Q", help="the question; - reads it from standard input")
    _add_steering(ask)


def _add_chat(commands: Any) -> None:
    chat = _command(commands, "chat", "chat in the terminal")
    _add_model(chat)
    _add_steering(chat)


def _add_steering(command: argparse.ArgumentParser) -> None:
    steering = command.add_argument_group("steering")
    steering.add_argument(
        "--prefer", action="append", default=[], metavar="TEXT",
        help='how answers should be, "concise" or a sentence; may be given several times',
    )  # fmt: skip
    steering.add_argument(
        "--strength", type=float, metavar="G",
        help="strength from 0 (only state the preference) to 10; 2 unless said otherwise",
    )  # fmt: skip
    steering.add_argument("--method", choices=("base", "pref", "la", "amulet"))
    steering.add_argument("--neutral", action="store_true", help="the untouched model")
    steering.add_argument("--place", choices=("end", "system"), default="end")
    steering.add_argument("--combine", choices=("sum", "compose"), default="sum")
    steering.add_argument(
        "--plausibility", metavar="K", default="0.1",
        help="cut tokens K times less likely than the likeliest before steering; off for the paper",
    )  # fmt: skip
    game = command.add_argument_group("the published game, instead of --strength")
    for name, kind in (("alpha", float), ("lambda", float), ("eta", float), ("rounds", int)):
        game.add_argument(f"--{name}", type=kind, dest=f"game_{name}", metavar=name[0].upper())
    sampling = command.add_argument_group("sampling")
    for name, kind in (
        ("max-tokens", int), ("temperature", float), ("top-k", int), ("top-p", float),
        ("min-p", float), ("repetition-penalty", float), ("seed", int),
    ):  # fmt: skip
        sampling.add_argument(f"--{name}", type=kind, metavar="N" if kind is int else "X")


def _add_models(commands: Any) -> None:
    models = _command(commands, "models", "the models to choose from")
    verbs = models.add_subparsers(dest="verb", metavar="VERB", required=True)
    _command(verbs, "list", "what can be chosen")
    add = _command(verbs, "add", "remember a GGUF file where it is")
    add.add_argument("path", type=Path, metavar="FILE")
    verify = _command(verbs, "verify", "compare a file with its hash")
    verify.add_argument("id", metavar="ID", nargs="?", help="all where none is named")
    remove = _command(verbs, "remove", "forget a model, keep its file")
    remove.add_argument("id", metavar="ID")
    use = _command(verbs, "use", "answer with this model from now on")
    use.add_argument("id", metavar="ID")


# ----------------------------------------------------------------------------------------------


def _check_unicode(argv: Sequence[str]) -> None:
    for position, argument in enumerate(argv, 1):
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise InvalidText(
                f"Argument {position} is not valid UTF-8. Write it in UTF-8 and try again."
            ) from error


def _never_fail_to_print() -> None:
    """Where the terminal knows no such letter it shows a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _log(arguments: argparse.Namespace) -> None:
    level = logging.DEBUG if arguments.debug else logging.WARNING
    form = "%(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=level, stream=sys.stderr, format=form)
