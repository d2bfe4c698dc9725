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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.cli.arguments import UsageError, parser
from engine.cli.output import Output
from engine.errors import AttuneError, InputError, InvalidText

if TYPE_CHECKING:
    from engine.api import OpenWindow

Open = Callable[["OpenWindow"], int]

_PROFILE, _MODEL = ".attune-profile", ".gguf"
"""Endings of the files that Attune opens."""

_NO_DISPLAY = "There is no display for the window."


def main(
    argv: Sequence[str],
    *,
    open_window: Open | None = None,
    has_display: Callable[[], bool] = lambda: True,
    window_trouble: Callable[[], str] = lambda: "",
    language_trouble: Callable[[str], str] = lambda _language: "",
) -> int:
    """Carry out one command.

    open_window     opens the window and returns its exit code; None where there is no window to
                    open
    has_display     whether a window could be shown; asked only when one is wanted
    window_trouble  why none can be shown although there is a display, in a sentence; "" if one can

    language_trouble
                    why the window cannot be in a language, in a sentence; "" if it can

    A file in the place of a command, as a double click names it, is opened in the window.
    """
    try:
        _check_unicode(argv)
        file, rest = _file_first(argv)
        arguments = parser().parse_args(rest)
        if arguments.lang and (trouble := language_trouble(arguments.lang)):
            raise UsageError(trouble)
    except UsageError as error:
        return Output(json="--json" in argv).misused(error.message, usage=error.usage)
    except AttuneError as error:
        return Output(json="--json" in argv).fail(error)
    _never_fail_to_print()
    output = Output(json=arguments.json)
    try:
        with _logged(arguments):
            if arguments.command is not None:
                return _run(arguments, output)
            if open_window is None or not has_display():
                return _without_window(arguments, output, file, _NO_DISPLAY)
            if trouble := window_trouble():
                return _without_window(arguments, output, file, trouble)
            return _window(arguments, open_window, file)
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


def _run(arguments: argparse.Namespace, output: Output) -> int:
    """Import what the command needs, and nothing before: most need little."""
    match arguments.command:
        case "ask":
            from engine.cli.ask import run
        case "chat":
            from engine.cli.chat import run
        case "duel":
            from engine.cli.duel import run
        case "vote":
            from engine.cli.vote import run
        case "profile":
            from engine.cli.profile import run
        case "portfolio":
            from engine.cli.portfolio import run
        case "workshop":
            from engine.cli.workshop import run
        case "merge":
            from engine.cli.merge import run
        case "simulate":
            from engine.cli.simulate import run
        case "chats":
            from engine.cli.chats import run
        case "backups":
            from engine.cli.backups import run
        case "data":
            from engine.cli.data import run
        case "models":
            from engine.cli.models import run
        case _:
            from engine.cli.doctor import run
    return run(arguments, output)


def _window(arguments: argparse.Namespace, open_window: Open, file: str) -> int:
    from engine.api import OpenWindow

    files = (file,) if file else ()
    request = OpenWindow(
        data_dir=arguments.data_dir, model=arguments.model, files=files, language=arguments.lang,
        safe=arguments.safe_mode,
    )  # fmt: skip
    return open_window(request)


def _without_window(arguments: argparse.Namespace, output: Output, file: str, why: str) -> int:
    # The window's arguments are fewer than a command's; the rest keep their defaults.
    if file.endswith(_PROFILE):
        output.note(f"{why} This is what the profile would change.")
        look = ["profile", "import", "--dry-run", "--", file]
        return _run(parser().parse_args(look, arguments), output)
    output.note(f"{why} The chat is here in the terminal.")
    arguments.model = file or arguments.model
    return _run(parser().parse_args(["chat"], arguments), output)


# ----------------------------------------------------------------------------------------------


def _file_first(argv: Sequence[str]) -> tuple[str, list[str]]:
    """The file that stands in the place of a command, "" for none, and everything else."""
    first, rest = "".join(argv[:1]), list(argv[1:])
    if not first.endswith((_PROFILE, _MODEL)):
        return "", list(argv)
    if not os.path.isfile(first):
        raise InputError(f"There is no file {first}; check its name.")
    return first, rest


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


@contextmanager
def _logged(arguments: argparse.Namespace) -> Iterator[None]:
    """Log meanwhile: to the file what it may hold, to standard error what was asked for."""
    from engine import logs
    from engine.paths import log_folder

    level = logging.DEBUG if arguments.debug else _level(arguments.log_level or "error")
    handler, root = logging.StreamHandler(sys.stderr), logging.getLogger()
    handler.setLevel(level)
    # Texts are shown to nobody who did not ask for them: a desktop keeps what a window prints.
    form = "%(levelname)s %(name)s: %(message)s"
    handler.setFormatter(logging.Formatter(form) if arguments.debug else logs.SafeFormatter())
    root.addHandler(handler)
    try:
        with logs.kept(log_folder(arguments.data_dir), level=min(level, logging.INFO)):
            yield
    finally:
        root.removeHandler(handler)


def _level(name: str) -> int:
    return logging.getLevelNamesMapping()[name.upper()]
