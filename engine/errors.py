"""Every error that Attune raises on purpose, one tree on one page.

Classes follow what the caller does next. `message` is for a person: what happened, with which
value, what to do. `detail` is for the log. `code` is stable and crosses processes.
"""

from __future__ import annotations

from typing import ClassVar


class AttuneError(Exception):
    """Anything that Attune can explain in one sentence."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


# Fix the input ------------------------------------------------------------------------------


class InputError(AttuneError):
    """The request cannot be carried out as it stands; change it and ask again."""

    code = "input"


class InvalidParameter(InputError):
    """A number or name is outside what is allowed."""

    code = "invalid_parameter"

    @classmethod
    def outside(cls, name: str, value: object, allowed: str) -> InvalidParameter:
        return cls(f"{name} is {value!r}, but must be {allowed}.")


class EmptyQuestion(InputError):
    """There is nothing to answer."""

    code = "empty_question"


class InvalidText(InputError):
    """The text is not valid Unicode."""

    code = "invalid_text"


class PromptTooLong(InputError):
    """One message alone does not fit the context."""

    code = "prompt_too_long"


class UnknownDuel(InputError):
    """No duel of that name is on record."""

    code = "unknown_duel"


class UnknownChat(InputError):
    """No chat of that id is kept."""

    code = "unknown_chat"


class UnknownMessage(InputError):
    """No message of that id is kept, or it is none of that chat."""

    code = "unknown_message"


class UnreadableArchive(InputError):
    """The file holds no chats that can be taken in; nothing was."""

    code = "unreadable_archive"


class UnknownBackup(InputError):
    """There is no copy of that name."""

    code = "unknown_backup"


class AlreadyVoted(InputError):
    """A vote on this duel counts already; take it back first."""

    code = "already_voted"


class UnknownTrait(InvalidParameter):
    """There is no trait of that name."""

    code = "unknown_trait"


class NothingToUndo(InputError):
    """Every change is undone already, or there was none."""

    code = "nothing_to_undo"


class ProfileError(InputError):
    """A profile file cannot be taken in; nothing was changed."""

    code = "profile"


class ProfileUnreadable(ProfileError):
    """It is not there, or the system does not let it be read."""

    code = "profile_unreadable"


class ProfileTooLarge(ProfileError):
    """It has more bytes than a profile may have."""

    code = "profile_too_large"


class NotAProfile(ProfileError):
    """It is a file of something else."""

    code = "not_a_profile"


class NewerProfile(ProfileError):
    """A newer Attune wrote it; update this one."""

    code = "newer_profile"


class DamagedProfile(ProfileError):
    """It is not what was written: the checksum says so."""

    code = "damaged_profile"


class InvalidProfile(ProfileError):
    """It is whole, but holds what no profile may hold."""

    code = "invalid_profile"


class Offline(InputError):
    """The owner said that nothing may be downloaded."""

    code = "offline"


class ModelInUse(InputError):
    """The model answers now; choose another one first."""

    code = "model_in_use"


# Choose another model -----------------------------------------------------------------------


class ModelError(AttuneError):
    """The model file is the trouble; another one works."""

    code = "model"


class ModelNotFound(ModelError):
    """No such file, or no model of that name."""

    code = "model_not_found"


class NotAModel(ModelError):
    """The file is not a GGUF file."""

    code = "not_a_model"


class DamagedModel(ModelError):
    """The file is a GGUF file, but its contents cannot be right."""

    code = "damaged_model"


class UnsupportedModel(ModelError):
    """The file is sound, but not a model that writes text."""

    code = "unsupported_model"


class ModelChanged(ModelError):
    """The file is no longer the one that was added."""

    code = "model_changed"


# Try again ----------------------------------------------------------------------------------


class EngineError(AttuneError):
    """The inference child is the trouble; it is restarted, ask again."""

    code = "engine"


class EngineCrashed(EngineError):
    """The inference child died; the message names the likely cause."""

    code = "engine_crashed"


class EngineSilent(EngineError):
    """The inference child did not answer in time and was ended."""

    code = "engine_silent"


class EngineMismatch(EngineError):
    """The two halves are of different versions; install Attune again."""

    code = "engine_mismatch"


class Stopped(EngineError):
    """Loading was ended because somebody asked for it."""

    code = "stopped"


class OutOfMemory(EngineError):
    """Not enough memory for this model and context."""

    code = "out_of_memory"


class NotReady(EngineError):
    """No model is loaded."""

    code = "not_ready"


# Get it again -------------------------------------------------------------------------------


class DownloadError(AttuneError):
    """The hub, or the way to it, is the trouble; what came is kept, try again later."""

    code = "download"


class Unreachable(DownloadError):
    """No connection came about, or the certificate was not right."""

    code = "unreachable"


class ConnectionLost(DownloadError):
    """The connection ended, or fell silent, again and again."""

    code = "connection_lost"


class NotOnHub(DownloadError):
    """There is no such file, or not for everybody."""

    code = "not_on_hub"


class WrongFile(DownloadError):
    """What came is not the file that was asked for; it was deleted."""

    code = "wrong_file"


# Mend the place where things are kept -------------------------------------------------------


class StorageError(AttuneError):
    """The data folder or a file in it cannot be used."""

    code = "storage"


class NewerRecord(StorageError):
    """A newer Attune wrote the record of votes; update this one."""

    code = "newer_record"


class DamagedRecord(StorageError):
    """The record of votes is not what it should be; put a copy of it back."""

    code = "damaged_record"


# Report it ----------------------------------------------------------------------------------


class InternalError(AttuneError):
    """A mistake of ours, told apart so that it gets reported."""

    code = "internal"


def _tree(root: type[AttuneError]) -> dict[str, type[AttuneError]]:
    found: dict[str, type[AttuneError]] = {}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found | {root.code: root}


def from_code(code: str, message: str, *, detail: str = "") -> AttuneError:
    """The error that another process described; an unknown code becomes the base class."""
    return _tree(AttuneError).get(code, AttuneError)(message, detail=detail)
