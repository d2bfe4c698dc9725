"""What is kept of the owner, in words: how many, how large, and where nothing goes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from desktop.portfolio import NO_BREAK
from desktop.prose import brief
from engine.api import Backup, DataExport, DataKind, DataOverview, DataPart, Exported, Receipt

KILO = 1_000
MEGA = 1_000_000


def headline(found: DataOverview) -> str:
    return _tr("Everything is on this computer, in one folder: {0}.").format(size(found.size))


def size(count: int) -> str:
    """Bytes, as people read them."""
    if count < MEGA:
        share, unit = count / KILO, _tr("kB")
    else:
        share, unit = count / MEGA, _tr("MB")
    digits = 1 if 0 < share < 100 else 0
    return f"{QLocale().toString(share, 'f', digits)}{NO_BREAK}{unit}"


def name(kind: DataKind) -> str:
    return {
        "chats": _tr("Chats"),
        "votes": _tr("Votes"),
        "profile": _tr("What I learned"),
        "answers": _tr("Measured answers"),
        "models": _tr("Models"),
        "made": _tr("Made in the workshop"),
        "settings": _tr("Settings"),
        "backups": _tr("Copies"),
        "work": _tr("Stopped work"),
    }[kind]


def told(part: DataPart) -> str:
    """How many, in a few words, or why that is not known."""
    if part.count is None:
        return brief(part.trouble)
    one, more = {
        "chats": (_tr("one, those in the trash counted"), _tr("{0}, those in the trash counted")),
        "votes": (_tr("one that counts"), _tr("{0} that count")),
        "profile": (_tr("one trait"), _tr("{0} traits, worked out from the votes")),
        "answers": (_tr("one, for the portfolio"), _tr("{0}, for the portfolio")),
        "models": (
            _tr("a list of one; its file stays where you have it"),
            _tr("a list of {0}; their files stay where you have them"),
        ),
        "made": (_tr("one adapter or model"), _tr("{0} adapters and models")),
        "settings": (_tr("one file"), _tr("{0} files")),
        "backups": (_tr("one, of chats or votes"), _tr("{0}, of chats and votes")),
        "work": (_tr("one piece that can go on"), _tr("{0} pieces that can go on")),
    }[part.kind]
    if not part.count:
        return _tr("none")
    return one if part.count == 1 else more.format(QLocale().toString(part.count))


def copied(backup: Backup) -> str:
    """One line about a copy."""
    parts = [_of(backup), _when(backup.at), size(backup.size)]
    if backup.replaced:
        parts.append(_tr("was replaced by a copy"))
    return "  ·  ".join(parts)


def restoring(backup: Backup) -> tuple[str, str]:
    """What is asked before a copy is put back, and what that does."""
    asked = {
        "chats.db": _tr("Put back the chats of {0}?"),
        "record.db": _tr("Put back the votes of {0}?"),
    }.get(backup.of, _tr("Put back the copy of {0}?"))
    done = {
        "chats.db": _tr("All chats of now are replaced, the newer ones too."),
        "record.db": _tr("All votes of now are replaced, the newer ones too."),
    }.get(backup.of, _tr("What is there now is replaced."))
    kept = _tr("What is there now is kept as one more copy.")
    return asked.format(_when(backup.at)), f"{done} {kept}"


def put_back(backup: Backup) -> str:
    said = _tr("The {0} of {1} are back. What was there is kept as one more copy.")
    return said.format(_of(backup).lower(), _when(backup.at))


def sound(problems: tuple[str, ...]) -> str:
    """What a check found."""
    if not problems:
        return _tr("All files were checked; none is damaged.")
    return " ".join(brief(problem) for problem in problems)


def network(offline: bool | None) -> str:
    """What is true of this system, and no more."""
    if offline is None:
        return _tr("No connection was ever made: nothing in Attune opens one.")
    if offline:
        return _tr(
            "No connection was ever made: nothing in this window opens one, and the system refuses "
            "one to the process that runs models."
        )
    return _tr(
        "No connection was ever made: nothing in Attune opens one. This system offers no way to "
        "forbid it to the process that runs models."
    )


def exported(found: DataExport) -> str:
    files = _tr("one file") if len(found.files) == 1 else _tr("{0} files").format(len(found.files))
    said = _tr("Everything is in {0}: {1}, {2}.").format(found.path, files, size(found.size))
    return " ".join([said, *map(brief, found.left_out)])


def profile_written(found: Exported) -> str:
    votes = _tr("one vote") if found.votes == 1 else _tr("{0} votes").format(found.votes)
    said = _tr("What I learned is in {0}: {1}, {2}.").format(found.path, votes, size(found.size))
    if not found.left_out:
        return said
    return f"{said} {_tr('Left out: {0} that no profile may hold.').format(found.left_out)}"


def saved(path: Path) -> str:
    return _tr("The receipt is in {0}.").format(path)


def gone(receipt: Receipt) -> str:
    """What an erasure came to."""
    count = len(receipt.erased)
    files = _tr("One file is") if count == 1 else _tr("{0} files are").format(count)
    said = _tr("{0} erased, {1}.").format(files, size(receipt.size))
    if receipt.failed:
        left = len(receipt.failed)
        rest = _tr("One could not be") if left == 1 else _tr("{0} could not be").format(left)
        said = f"{said} {rest}; {_tr('the receipt says which, and why.')}"
    return said


def _of(backup: Backup) -> str:
    return {"chats.db": _tr("Chats"), "record.db": _tr("Votes")}.get(backup.of, backup.of)


def _when(at: float) -> str:
    moment = QDateTime.fromSecsSinceEpoch(int(at))
    return QLocale().toString(moment, QLocale.FormatType.ShortFormat)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Data", text)
