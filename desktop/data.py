"""What is kept of the owner, in words: how many, how large, and where nothing goes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QDateTime, QLocale

from desktop.languages import tr
from desktop.portfolio import NO_BREAK
from desktop.prose import brief
from engine.api import Backup, DataExport, DataKind, DataOverview, DataPart, Exported, Receipt

KILO = 1_000
MEGA = 1_000_000


def headline(found: DataOverview) -> str:
    return tr("Everything is on this computer, in one folder: {0}.").format(size(found.size))


def size(count: int) -> str:
    """Bytes, as people read them."""
    if count < MEGA:
        share, unit = count / KILO, tr("kB")
    else:
        share, unit = count / MEGA, tr("MB")
    digits = 1 if 0 < share < 100 else 0
    return f"{QLocale().toString(share, 'f', digits)}{NO_BREAK}{unit}"


def name(kind: DataKind) -> str:
    return {
        "chats": tr("Chats"),
        "votes": tr("Votes"),
        "profile": tr("What I learned"),
        "answers": tr("Measured answers"),
        "models": tr("Models"),
        "made": tr("Made in the workshop"),
        "settings": tr("Settings"),
        "backups": tr("Copies"),
        "work": tr("Stopped work"),
    }[kind]


def told(part: DataPart) -> str:
    """How many, in a few words, or why that is not known."""
    if part.count is None:
        return brief(part.trouble)
    if not part.count:
        return tr("none")
    return _counted(part.kind, part.count)


def _counted(kind: DataKind, n: int) -> str:
    return {
        "chats": tr("%Ln, the trash included", "chats", n),
        "votes": tr("%Ln that count(s)", "votes", n),
        "profile": tr("%Ln trait(s), worked out from the votes", "", n),
        "answers": tr("%Ln, for the portfolio", "measured answers", n),
        "models": tr("a list of %Ln; the file(s) stay(s) where you have them", "models", n),
        "made": tr("%Ln adapter(s) and model(s)", "", n),
        "settings": tr("%Ln file(s)", "", n),
        "backups": tr("%Ln, of chats and votes", "copies", n),
        "work": tr("%Ln piece(s) that can go on", "", n),
    }[kind]


def copied(backup: Backup) -> str:
    """One line about a copy."""
    parts = [_of(backup), _when(backup.at), size(backup.size)]
    if backup.replaced:
        parts.append(tr("was replaced by a copy"))
    return "  ·  ".join(parts)


def restoring(backup: Backup) -> tuple[str, str]:
    """What is asked before a copy is put back, and what that does."""
    asked = {
        "chats.db": tr("Put back the chats of {0}?"),
        "record.db": tr("Put back the votes of {0}?"),
    }.get(backup.of, tr("Put back the copy of {0}?"))
    done = {
        "chats.db": tr("All chats of now are replaced, the newer ones too."),
        "record.db": tr("All votes of now are replaced, the newer ones too."),
    }.get(backup.of, tr("What is there now is replaced."))
    kept = tr("What is there now is kept as one more copy.")
    return asked.format(_when(backup.at)), f"{done} {kept}"


def put_back(backup: Backup) -> str:
    said = {
        "chats.db": tr("The chats of {0} are back. What was there is kept as one more copy."),
        "record.db": tr("The votes of {0} are back. What was there is kept as one more copy."),
    }.get(backup.of, tr("The copy of {0} is back. What was there is kept as one more copy."))
    return said.format(_when(backup.at))


def sound(problems: tuple[str, ...]) -> str:
    """What a check found."""
    if not problems:
        return tr("All files were checked; none is damaged.")
    return " ".join(brief(problem) for problem in problems)


def network(offline: bool | None) -> str:
    """What is true of this system, and no more."""
    said = tr(
        "Only Attune's download program opens connections, and it is started only when you ask for "
        "a model; nothing else in Attune opens one."
    )
    if offline is None:
        return said
    tried = tr("Tried just now: the process that runs models was refused one by the system.")
    if not offline:
        tried = tr("This system offers no way to forbid it to the process that runs models.")
    return f"{said} {tried}"


def exported(found: DataExport) -> str:
    files = tr("%Ln file(s)", "", len(found.files))
    said = tr("Everything is in {0}: {1}, {2}.").format(found.path, files, size(found.size))
    return " ".join([said, *map(brief, found.left_out)])


def profile_written(found: Exported) -> str:
    votes = tr("%n vote(s)", "", found.votes)
    said = tr("What I learned is in {0}: {1}, {2}.").format(found.path, votes, size(found.size))
    if not found.left_out:
        return said
    left_out = tr("Left out: %n that no profile may hold.", "votes", found.left_out)
    return f"{said} {left_out}"


def saved(path: Path) -> str:
    return tr("The receipt is in {0}.").format(path)


def gone(receipt: Receipt) -> str:
    """What an erasure came to."""
    said = tr("%n file(s) is/are erased, {0}.", "", len(receipt.erased)).format(size(receipt.size))
    if not receipt.failed:
        return said
    left = len(receipt.failed)
    rest = tr("%n could not be; the receipt says which, and why.", "erased files", left)
    return f"{said} {rest}"


def _of(backup: Backup) -> str:
    return {"chats.db": tr("Chats"), "record.db": tr("Votes")}.get(backup.of, backup.of)


def _when(at: float) -> str:
    moment = QDateTime.fromSecsSinceEpoch(int(at))
    return QLocale().toString(moment, QLocale.FormatType.ShortFormat)
