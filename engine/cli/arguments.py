"""The command line's words: which commands there are, what they take, and their help."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NoReturn

from engine.types.learning import OUTCOMES
from engine.types.steering import METHODS
from engine.types.workshop import MERGE_METHODS
from engine.version import __version__

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


class UsageError(Exception):
    """The command line cannot be read.

    usage  how it should look; "" where the message says so
    """

    def __init__(self, message: str, *, usage: str = "") -> None:
        super().__init__(message)
        self.message, self.usage = message, usage


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with an exception, so that programs can be told in their own way."""

    verbs: Any = None

    def add_subparsers(self, **how: Any) -> Any:
        self.verbs = super().add_subparsers(**how)
        return self.verbs

    def error(self, message: str) -> NoReturn:
        if self.verbs is not None and message.endswith(": VERB"):  # there is none
            message = f"say what to do: {', '.join(self.verbs.choices)}"
        raise UsageError(message, usage=self.format_usage())


def parser() -> argparse.ArgumentParser:
    """The whole command line. Common options may stand before or after the command.

    Raises UsageError where it is given what it cannot read.
    """
    top = _Parser(
        prog="attune",
        description="A local language model that answers the way you like. No command: the window.",
    )
    _add_common(top, before=True)
    _add_model(top, before=True)
    top.add_argument("--version", action="version", version=f"attune {__version__}")
    top.add_argument(
        "--lang", metavar="CODE", help="language of the window for this run, such as de"
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    _add_ask(commands)
    _add_chat(commands)
    _add_duel(commands)
    _add_vote(commands)
    _add_profile(commands)
    _add_portfolio(commands)
    _add_workshop(commands)
    _add_merge(commands)
    _add_simulate(commands)
    _add_models(commands)
    _add_chats(commands)
    _add_backups(commands)
    _add_data(commands)
    doctor = _command(commands, "doctor", "how Attune runs on this computer")
    doctor.add_argument("--renew", action="store_true", help="choose again what was remembered")
    return top


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
        "--log-level", choices=LOG_LEVELS, default=default(None),
        help="what is said on standard error while Attune works; error unless said otherwise",
    )  # fmt: skip
    command.add_argument(
        "--debug", action="store_true", default=default(False),
        help="say everything there, with texts",
    )  # fmt: skip
    command.add_argument(
        "--safe-mode", action="store_true", default=default(False),
        help="the starter model on the processor, no steering, the usual settings, for this run",
    )  # fmt: skip


def _add_model(command: argparse.ArgumentParser, *, before: bool = False) -> None:
    default = None if before else argparse.SUPPRESS
    command.add_argument(
        "--model", metavar="ID|PATH", default=default, help="model to use, for this run only"
    )


def _add_scope(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--scope", choices=("everywhere", "off"),
        help="whether votes teach and what they taught acts; as the settings say unless given",
    )  # fmt: skip


def _add_ask(commands: Any) -> None:
    ask = _command(commands, "ask", "answer one question")
    _add_model(ask)
    _add_scope(ask)
    _add_question(ask)
    _add_steering(ask)
    _add_sampling(ask)
    ask.add_argument(
        "--adapter", action="append", default=[], metavar="FILE[=SCALE]",
        help="an adapter of the model that acts on it, 1 strong unless said otherwise; may be "
        "given several times",
    )  # fmt: skip


def _add_chat(commands: Any) -> None:
    chat = _command(commands, "chat", "chat in the terminal")
    _add_model(chat)
    _add_scope(chat)
    chat.add_argument(
        "--duels", choices=("on", "off"),
        help="show two answers to vote on now and then; on where somebody types",
    )  # fmt: skip
    _add_steering(chat)
    _add_sampling(chat)


def _add_duel(commands: Any) -> None:
    duel = _command(commands, "duel", "two answers to one question, to vote on")
    _add_model(duel)
    _add_scope(duel)
    _add_question(duel)
    _add_sampling(duel)


def _add_vote(commands: Any) -> None:
    vote = _command(commands, "vote", "say which of two answers was better")
    vote.add_argument("duel", metavar="DUEL", help="the id that was shown with the answers")
    vote.add_argument("outcome", choices=OUTCOMES, help="which one, or that both are alike or bad")


def _add_profile(commands: Any) -> None:
    profile = _command(commands, "profile", "what was learned from votes")
    verbs = profile.add_subparsers(dest="verb", metavar="VERB", required=True)
    _command(verbs, "show", "how you seem to like answers, and how sure that is")
    votes = _command(verbs, "votes", "the votes that count, the newest first")
    votes.add_argument("--trait", metavar="TRAIT", help="only those about this one")
    _command(verbs, "undo", "take the newest change back")
    _command(verbs, "reset", "let no vote so far count any more")
    _command(verbs, "rebuild", "derive everything from the votes anew")
    _command(verbs, "drop-texts", "erase the questions and answers kept with votes")
    _add_about_trait(verbs, "forget", "let votes so far say nothing about a trait")
    _add_about_trait(verbs, "remove", "ask no more about a trait")
    _add_about_trait(verbs, "restore", "ask about a removed trait again")
    delete = _command(verbs, "delete", "let one vote count no more")
    delete.add_argument("duel", metavar="DUEL", help="the id that 'attune profile votes' shows")
    add = _command(verbs, "add", "learn about something in your own words, too")
    add.add_argument("text", metavar="TEXT", help="how answers should be, in one sentence")
    _add_set(verbs)
    _add_file(verbs)


def _add_about_trait(verbs: Any, name: str, what: str) -> None:
    verb = _command(verbs, name, what)
    verb.add_argument("trait", metavar="TRAIT", help="its id, or how that begins")


def _add_file(verbs: Any) -> None:
    export = _command(verbs, "export", "write what was learned to a file, without texts")
    export.add_argument("file", type=Path, metavar="FILE", help="its name ends in .attune-profile")
    export.add_argument(
        "--with-texts", action="store_true", help="with the questions and answers that were kept"
    )
    export.add_argument(
        "--force", action="store_true", help="replace a profile of that name that is there already"
    )
    take_in = _command(verbs, "import", "take in what such a file says; shows what that changes")
    take_in.add_argument("file", type=Path, metavar="FILE")
    take_in.add_argument("--dry-run", action="store_true", help="only show it")
    take_in.add_argument(
        "--replace", action="store_true", help="what was learned here before counts no more"
    )


def _add_set(verbs: Any) -> None:
    change = _command(verbs, "set", "how Attune learns; alone: show it")
    change.add_argument(
        "--duels", type=int, metavar="N",
        help="two answers at most once in N questions; 0 is never",
    )  # fmt: skip
    change.add_argument(
        "--learner", choices=("utilities", "neural"),
        help="learn by traits that can be read, or as T-POP was published",
    )  # fmt: skip
    change.add_argument(
        "--keep-texts", choices=("on", "off"), help="keep questions and answers with their votes"
    )
    change.add_argument("--neutral", choices=("on", "off"), help="the untouched model answers")
    change.add_argument(
        "--fade", metavar="N|off", help="after N votes an older one counts half; off: never"
    )


def _add_portfolio(commands: Any) -> None:
    portfolio = _command(commands, "portfolio", "the settings worth keeping, and who answers")
    verbs = portfolio.add_subparsers(dest="verb", metavar="VERB", required=True)
    build = _command(verbs, "build", "measure the pool and choose from it; goes on where it was")
    build.add_argument(
        "--questions", type=int, metavar="N", help="questions that each setting answers, 10 to 70"
    )
    build.add_argument("--most", type=int, metavar="N", help="members at most, 1 to 7")
    _command(verbs, "show", "members, what each is best at, and how near to the best they are")
    _command(verbs, "check", "whether the models are unchanged and the certificate still holds")
    route = _command(verbs, "route", "who answers next, and why")
    route.add_argument(
        "--take", metavar="ID", help="this member answers next; tells about you, too"
    )
    route.add_argument(
        "--automatic", choices=("on", "off"), help="let the member that suits you best answer"
    )
    route.add_argument(
        "--slider", action="append", default=[], metavar="OBJECTIVE=X",
        help='how much something matters, 0 to 1, 0.5 is neutral: "short+=0.9"',
    )  # fmt: skip
    pool = _command(verbs, "pool", "what a build measures")
    pool.add_argument("--remove", metavar="ID", help="leave this setting out")
    pool.add_argument("--restore", metavar="ID", help="take it in again")
    pool.add_argument("--add", metavar="MODEL", help="take in a setting of this model")
    pool.add_argument(
        "--prefer", action="append", default=[], metavar="TEXT", help="of the setting to add"
    )
    pool.add_argument("--strength", type=float, default=2.0, metavar="G", help="of it, 0 to 10")


def _add_workshop(commands: Any) -> None:
    workshop = _command(commands, "workshop", "adapters that make steering free")
    verbs = workshop.add_subparsers(dest="verb", metavar="VERB", required=True)
    train = _command(verbs, "train", "train an adapter on steered answers; goes on where it was")
    train.add_argument(
        "trait", metavar="TRAIT", help='what to learn: "short+", "formal-"; without a sign it is +'
    )
    train.add_argument("--out", type=Path, metavar="FILE", required=True, help="the new adapter")
    train.add_argument(
        "--base", metavar="ID|PATH", default="", help="the model; the starter model if left out"
    )
    train.add_argument(
        "--steps", type=int, metavar="N", help="of training; 48 unless said otherwise"
    )
    train.add_argument("--seed", type=int, metavar="S", default=0, help="of all that is chance")


def _add_merge(commands: Any) -> None:
    merge = _command(commands, "merge", "several fine-tuned models of one base become one model")
    merge.add_argument("base", metavar="BASE", help="id or path of what all were made from")
    merge.add_argument(
        "members", metavar="MEMBER", nargs="+",
        help="a fine-tuned model or adapter, GGUF; or a model as Hugging Face keeps it: its "
        "folder, model.safetensors, or the index of its shards",
    )  # fmt: skip
    merge.add_argument("--out", type=Path, metavar="FILE", required=True, help="the new model")
    merge.add_argument(
        "--method", choices=MERGE_METHODS, default="calm",
        help="calm learns which member every weight is taken from (the default, slow); best tries "
        "all methods and takes what keeps the members best; the others learn nothing and are quick",
    )  # fmt: skip
    merge.add_argument(
        "--type", choices=("q8_0", "f16"), default="q8_0", help="how changed weights are stored"
    )
    merge.add_argument(
        "--epochs", type=int, metavar="N", default=20, help="rounds of learning at most"
    )
    merge.add_argument("--seed", type=int, metavar="S", default=0, help="of all that is chance")


def _add_simulate(commands: Any) -> None:
    simulate = _command(commands, "simulate", "learn from the votes of an invented owner")
    _add_model(simulate)
    simulate.add_argument("--user", metavar="NAME", required=True, help="which invented owner")
    simulate.add_argument("--votes", type=int, metavar="N", required=True, help="how many votes")
    simulate.add_argument("--seed", type=int, metavar="S", default=0, help="of all that is chance")
    simulate.add_argument(
        "--questions", type=int, metavar="N", default=6, help="how many questions measure, to 16"
    )


def _add_question(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "question", metavar="Q", help="the question; - reads it from standard input"
    )


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
    steering.add_argument(
        "--method", choices=METHODS,
        help="what a preference does: nothing (base), it is stated (pref), it pulls each word with "
        "strength 2 (la) or with the strength asked for (amulet, the default)",
    )  # fmt: skip
    steering.add_argument("--neutral", action="store_true", help="the untouched model")
    steering.add_argument(
        "--place", choices=("end", "system"), default="end",
        help="where a preference stands: after the question (end, the default) or in the system "
        "message, as published",
    )  # fmt: skip
    steering.add_argument(
        "--combine", choices=("sum", "compose"), default="sum",
        help="several preferences: each pulls for itself (sum, the default), or they are put into "
        "one sentence (compose), which is faster",
    )  # fmt: skip
    steering.add_argument(
        "--plausibility", metavar="K", default="0.1",
        help="cut tokens K times less likely than the likeliest before steering; off for the paper",
    )  # fmt: skip
    game = command.add_argument_group("the published game, instead of --strength")
    for name, kind in (("alpha", float), ("lambda", float), ("eta", float), ("rounds", int)):
        game.add_argument(f"--{name}", type=kind, dest=f"game_{name}", metavar=name[0].upper())


def _add_sampling(command: argparse.ArgumentParser) -> None:
    sampling = command.add_argument_group("sampling")
    for name, kind in (
        ("max-tokens", int), ("temperature", float), ("top-k", int), ("top-p", float),
        ("min-p", float), ("repetition-penalty", float), ("seed", int),
    ):  # fmt: skip
        sampling.add_argument(f"--{name}", type=kind, metavar="N" if kind is int else "X")


def _add_chats(commands: Any) -> None:
    chats = _command(commands, "chats", "the chats that are kept")
    verbs = chats.add_subparsers(dest="verb", metavar="VERB", required=True)
    listing = _command(verbs, "list", "pinned ones first, then the newest")
    listing.add_argument("--limit", type=int, metavar="N", default=50, help="at most, 1 to 500")
    listing.add_argument("--before", metavar="ID", default="", help="those after this one")
    listing.add_argument("--trash", action="store_true", help="those that were deleted")
    _add_about_chat(verbs, "show", "what was said, on the current branch")
    search = _command(verbs, "search", "chats that hold every word; the last one may go on")
    search.add_argument("text", metavar="TEXT")
    search.add_argument("--limit", type=int, metavar="N", default=20, help="chats at most")
    export = _command(verbs, "export", "write chats to new files")
    which = export.add_mutually_exclusive_group(required=True)
    which.add_argument("id", metavar="ID", nargs="?", help="one chat")
    which.add_argument("--all", action="store_true", help="all that are not in the trash")
    export.add_argument(
        "--to", type=Path, metavar="DIR|FILE", required=True, help="a folder, or the new file"
    )
    export.add_argument(
        "--format", choices=("md", "json"), default="md",
        help="md to read (the default), json to take in again with everything in it",
    )  # fmt: skip
    take_in = _command(verbs, "import", "take in chats: our JSON, ChatGPT's or Open WebUI's export")
    take_in.add_argument("file", type=Path, metavar="FILE")
    _add_about_chat(verbs, "delete", "put a chat into the trash, for 30 days")
    _add_about_chat(verbs, "undelete", "take a chat out of the trash")
    _add_about_chat(verbs, "erase", "erase a chat for good, from the backups, too")
    rename = _add_about_chat(verbs, "rename", "give a chat another title")
    rename.add_argument("title", metavar="TITLE")
    _add_about_chat(verbs, "pin", "keep a chat at the top of the list")
    _add_about_chat(verbs, "unpin", "do so no more")


def _add_about_chat(verbs: Any, name: str, what: str) -> argparse.ArgumentParser:
    verb = _command(verbs, name, what)
    verb.add_argument("id", metavar="ID", help="as 'attune chats list' shows it")
    return verb


def _add_backups(commands: Any) -> None:
    backups = _command(commands, "backups", "copies of the chats and the votes")
    verbs = backups.add_subparsers(dest="verb", metavar="VERB", required=True)
    _command(verbs, "list", "the newest first")
    _command(verbs, "make", "copy both files now, and thin out older copies")
    restore = _command(verbs, "restore", "put a copy in the place of its file, which is kept")
    restore.add_argument("name", metavar="NAME", help="as 'attune backups list' shows it")


def _add_data(commands: Any) -> None:
    data = _command(commands, "data", "everything that Attune keeps of you")
    verbs = data.add_subparsers(dest="verb", metavar="VERB", required=True)
    _command(verbs, "show", "what is kept where, and how much of it")
    export = _command(verbs, "export", "write everything as open files")
    export.add_argument(
        "to", type=Path, metavar="DIR", help="a new folder, or a new file that ends in .zip"
    )
    erase = _command(verbs, "erase", "erase everything; without --yes only say what that would be")
    erase.add_argument("--yes", action="store_true", help="do it; there is no way back")


def _add_models(commands: Any) -> None:
    models = _command(commands, "models", "the models to choose from, and those to be had")
    verbs = models.add_subparsers(dest="verb", metavar="VERB", required=True)
    _command(verbs, "list", "what can be chosen, and how it does on this machine")
    add = _command(verbs, "add", "remember a GGUF file where it is")
    add.add_argument("path", type=Path, metavar="FILE", help="a model, or an adapter of one")
    add.add_argument(
        "--base", metavar="ID", default="",
        help="the model that an adapter acts on; found out where only one is possible",
    )  # fmt: skip
    verify = _command(verbs, "verify", "compare a file with its hash")
    verify.add_argument("id", metavar="ID", nargs="?", help="all where none is named")
    remove = _command(verbs, "remove", "forget a model; a downloaded one is deleted, too")
    remove.add_argument("id", metavar="ID")
    remove.add_argument("--yes", action="store_true", help="delete the file of a downloaded one")
    _command(verbs, "find", "models that other programs keep here; add one to use it from there")
    _command(verbs, "recommended", "a few to get, measured with Attune")
    get = _command(verbs, "get", "download a model; goes on where it was")
    get.add_argument(
        "id", metavar="ID|OWNER/NAME", help="a recommended one, or a repository on the hub"
    )
    get.add_argument("file", metavar="FILE", nargs="?", default="", help="of a repository: which")
    _command(verbs, "connections", "every connection that was ever made")
    for verb in verbs.choices.values():
        verb.add_argument("--offline", action="store_true", help="make no connection")
    use = _command(verbs, "use", "answer with this model from now on")
    use.add_argument("id", metavar="ID")
