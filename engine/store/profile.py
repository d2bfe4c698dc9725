"""The profile file: what was learned about an owner, to take along; `docs/profile-format.md`.

One JSON object in UTF-8 whose member `profile` is sealed with a checksum of its bytes. A file comes
from anywhere, so everything is checked before anything is made of it: size, encoding, nesting,
version, checksum, then type, range and length of every field. The checksum tells of damage; what
protects are the other checks.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.config import write_atomically
from engine.errors import (
    DamagedProfile,
    InputError,
    InvalidParameter,
    InvalidProfile,
    NewerProfile,
    NotAProfile,
    ProfileTooLarge,
    ProfileUnreadable,
    StorageError,
)
from engine.store.pieces import Pieces
from engine.types.answers import Finish
from engine.types.learning import LearnerName, Outcome
from engine.types.steering import MAX_GAMMA, MAX_PREFERENCES, MAX_WEIGHT

SUFFIX = ".attune-profile"
FORMAT = "attune-profile"
VERSION = 1

MAX_SIZE = 16 * 1024 * 1024
"""Bytes; some 15,000 votes."""

MAX_SENTENCE = 300
"""Characters of a sentence, as elsewhere."""

_MAX_DEPTH = 16
_MAX_PIECES = 2_000_000
_MAX_ROW = 512
"""Strings without a bracket between them: of a million names an object of a hundred MiB is made."""

_MAX_TEXT = 1_000_000
_MAX_VOTES = 100_000
_MAX_REASON = 160
_CHUNK = 1 << 16
_QUOTE = ord('"')

# The fields. No pattern ends with `$` alone, which would let a line break through. ------------

_TraitId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$(?!\n)")]
_Asked = Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9-]{0,63})?$(?!\n)")]
_Stream = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}[+-]$(?!\n)")]
_Objective = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}[+-]?$(?!\n)")]
_DuelId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$(?!\n)")]
_ModelId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$(?!\n)")]
_Sentence = Annotated[str, Meta(max_length=MAX_SENTENCE)]
_Text = Annotated[str, Meta(max_length=_MAX_TEXT)]
_Measured = Annotated[float, Meta(ge=-1e6, le=1e6)]
_Moment = Annotated[float, Meta(ge=-1e12, le=1e12)]
_Weight = Annotated[float, Meta(ge=-1, le=1)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Count = Annotated[int, Meta(ge=0, le=1_000_000)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A piece of the file."""


class Reading(_Part, frozen=True):
    """What was learned of a trait when the file was written, for readers: an import derives it
    from the votes. As `LearnedTrait` tells them; `votes` is how many asked about it."""

    weight: _Weight
    low: _Weight
    high: _Weight
    sure: _Share
    votes: _Count


class ProfileTrait(_Part, frozen=True, omit_defaults=True):
    """A trait, built in where it has no sentence, else the owner's own; removed is not asked
    about."""

    id: _TraitId
    sentence: _Sentence = ""
    removed: bool = False
    learned: Reading | None = None


class Stated(_Part, frozen=True):
    """A preference in words; its weight multiplies γ."""

    text: _Sentence
    weight: Annotated[float, Meta(ge=0, le=MAX_WEIGHT)]


class ProfileSettings(_Part, frozen=True):
    """The settings that belong to a taste, as in `engine.config.Settings`."""

    preferences: Annotated[tuple[Stated, ...], Meta(max_length=MAX_PREFERENCES)]
    gamma: Annotated[float, Meta(ge=0, le=MAX_GAMMA)]
    neutral: bool
    sliders: Annotated[dict[_Objective, _Share], Meta(max_length=64)]
    fade: Annotated[float, Meta(gt=0, le=1e9)] | None


class ProfileAnswer(_Part, frozen=True, omit_defaults=True):
    """One answer of a duel, as in `engine.store.duels.StoredAnswer`; φ and surprise in nats."""

    finish: Finish
    tokens: _Count
    surprise: _Measured
    utilities: Annotated[dict[_Stream, _Measured], Meta(max_length=128)]
    scores: Annotated[dict[_TraitId, _Measured], Meta(max_length=128)]
    text: _Text = ""


class ProfileVote(_Part, frozen=True, omit_defaults=True):
    """A vote that counts, with the duel that it is on; `at` is when that was held, `trait` what it
    asked about, "" where that was forgotten."""

    duel: _DuelId
    at: _Moment
    outcome: Outcome
    model: _ModelId
    learner: LearnerName
    trait: _Asked
    answers: tuple[ProfileAnswer, ProfileAnswer]
    question: _Text = ""


class _Taste(_Part, frozen=True):
    """What was learned, but for the votes."""

    exported: _Moment
    traits: Annotated[tuple[ProfileTrait, ...], Meta(max_length=256)]
    settings: ProfileSettings


class Profile(_Taste, frozen=True):
    """What was learned; times in seconds since the epoch.

    exported  when the file was written
    traits    built-in ones in the program's order, then the owner's own as they were added
    votes     in the order that they count in
    """

    votes: Annotated[Sequence[ProfileVote], Meta(max_length=_MAX_VOTES)]


class ProfileFile(_Part, frozen=True):
    """The file; `checksum` is of the bytes of `profile` as they stand in it."""

    format: Literal["attune-profile"]
    version: Literal[1]
    checksum: Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$(?!\n)")]
    profile: Profile


class _Head(msgspec.Struct):
    """What every version has."""

    format: str
    version: int


class _Sealed(_Part, frozen=True):
    format: str
    version: int
    checksum: str
    profile: msgspec.Raw


class _Unread(_Taste, frozen=True):
    """A profile with its votes as they stand in the file."""

    votes: msgspec.Raw


_head = msgspec.json.Decoder(_Head)
_sealed = msgspec.json.Decoder(_Sealed)
_unread = msgspec.json.Decoder(_Unread)
_vote = msgspec.json.Decoder(ProfileVote)
_WRONG = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


# Reading ------------------------------------------------------------------------------------


def read(path: Path) -> Profile:
    """The profile in a file. Raises ProfileError; reads at most MAX_SIZE bytes, and files only."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _unreadable(path, "it is no file")
        with open(path, "rb") as file:
            data = file.read(MAX_SIZE + 1)
    except (OSError, ValueError) as error:  # a name with a null character is a ValueError
        raise _unreadable(path, getattr(error, "strerror", None) or str(error)) from error
    return decoded(data, path)


def decoded(data: bytes, path: Path) -> Profile:
    """The profile in these bytes; `path` is what messages name. Raises ProfileError."""
    if len(data) > MAX_SIZE:
        most = f"{MAX_SIZE // 2**20} MiB"
        raise ProfileTooLarge(
            f"{path} has more than the {most} that a profile may have; choose another file."
        )
    _check_text(data, path)
    _check_version(data, path)
    profile = _opened(_unsealed(data, path), path)
    _check_names(path, "trait", (trait.id for trait in profile.traits))
    _check_names(path, "duel", (vote.duel for vote in profile.votes))
    if any(not stated.text.strip() for stated in profile.settings.preferences):
        raise invalid(path, "a preference is empty")
    return profile


def _check_text(data: bytes, path: Path) -> None:
    """Valid UTF-8, and nowhere nested deeper or in more pieces than a profile can be."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _CHUNK):
            decoder.decode(data[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_one(path, "it is no text in UTF-8") from error
    depth = row = 0
    for count, token in enumerate(_TOKEN.finditer(data)):
        mark = data[token.start()]
        row = row + 1 if mark == _QUOTE else 0
        depth += (mark in b"[{") - (mark in b"]}")
        if depth > _MAX_DEPTH or row > _MAX_ROW or count > _MAX_PIECES:
            raise _not_one(path, "it is nested too deeply, or in too many pieces")


def _check_version(data: bytes, path: Path) -> None:
    try:
        head = _head.decode(data)
    except _WRONG as error:
        raise _not_one(path, _brief(error)) from error
    if head.format != FORMAT or head.version < 1:
        raise _not_one(path, "its format is another")
    if head.version > VERSION:
        raise NewerProfile(
            f"The profile {path} was written by a newer Attune (its version is "
            f"{_cut(str(head.version))}, this one knows {VERSION}); update Attune."
        )


def _unsealed(data: bytes, path: Path) -> msgspec.Raw:
    try:
        sealed = _sealed.decode(data)
    except _WRONG as error:
        raise invalid(path, str(error)) from error
    if sealed.checksum != _checksum(sealed.profile):
        raise DamagedProfile(
            f"The profile {path} is damaged, its checksum is another; get a new copy of it, or "
            "export it again."
        )
    return sealed.profile


def _opened(body: msgspec.Raw, path: Path) -> Profile:
    """The profile, every field of it checked, with its votes left where they are: decoded all at
    once they take five times the memory of the file."""
    try:
        found = _unread.decode(body)
        votes = Pieces(memoryview(found.votes), decoder=_vote, most=_MAX_VOTES)
    except _WRONG as error:
        raise invalid(path, str(error)) from error
    return Profile(
        exported=found.exported, traits=found.traits, settings=found.settings, votes=votes
    )


def _check_names(path: Path, what: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for id in ids:
        if id in seen:
            raise invalid(path, f"the {what} {id} is there twice")
        seen.add(id)


# Writing ------------------------------------------------------------------------------------


def write(path: Path, profile: Profile) -> int:
    """Put a profile into a file, whole or not at all; returns its bytes.

    A profile that is there already is replaced, and nothing else is. Raises InvalidParameter for
    a name that is no profile's, InputError for what cannot be written, StorageError.
    """
    if path.suffix != SUFFIX:
        raise InvalidParameter(
            f"The name of a profile ends in {SUFFIX}; {path.name or str(path)} does not."
        )
    data = encoded(profile)
    if len(data) > MAX_SIZE:
        raise InputError(
            f"These {len(profile.votes)} votes take more than the {MAX_SIZE // 2**20} MiB that a "
            "profile may have; export them without texts, or delete old ones."
        )
    try:
        decoded(data, path)
    except InvalidProfile as error:
        raise InputError(
            f"What was learned does not fit into a profile ({error.detail}); look at the settings."
        ) from error
    try:
        if not path.absolute().parent.is_dir():
            raise FileNotFoundError(2, "there is no such folder")
        if path.exists() and not _is_profile(path):
            raise InputError(f"{path} is there already, and is no profile; choose another name.")
        write_atomically(path.absolute(), data)
    except OSError as error:
        raise StorageError(
            f"The profile {path} cannot be written ({error.strerror or error}); choose another "
            "place for it."
        ) from error
    return len(data)


def encoded(profile: Profile) -> bytes:
    """The bytes of the file: a line for each trait and vote, so that people can read it and
    programs can compare two."""
    json = msgspec.json.encode
    body = b'{\n"exported":%b,\n"traits":%b,\n"settings":%b,\n"votes":%b\n}' % (
        json(profile.exported),
        _lines(profile.traits),
        json(profile.settings, order="deterministic"),
        _lines(profile.votes),
    )
    head = f'"format":"{FORMAT}",\n"version":{VERSION},\n"checksum":"{_checksum(body)}"'
    return b'{\n%b,\n"profile":%b\n}\n' % (head.encode(), body)


def fits(vote: ProfileVote) -> bool:
    """Whether a vote made here is one that a file can hold."""
    try:
        return _vote.decode(msgspec.json.encode(vote)) == vote
    except _WRONG:
        return False


def _lines(parts: Sequence[msgspec.Struct]) -> bytes:
    if not parts:
        return b"[]"
    return b"[\n%b\n]" % b",\n".join(
        msgspec.json.encode(part, order="deterministic") for part in parts
    )


def _checksum(body: msgspec.Raw | bytes) -> str:
    return f"sha256:{hashlib.sha256(memoryview(body)).hexdigest()}"


def _is_profile(path: Path) -> bool:
    with open(path, "rb") as file:
        return FORMAT.encode() in file.read(len(FORMAT) + 32)


# What is said -------------------------------------------------------------------------------


def invalid(path: Path, reason: str) -> InvalidProfile:
    """Of a file that is whole and holds what no profile may."""
    return InvalidProfile(
        f"The profile {path} holds what no profile may ({_cut(reason)}); export it again.",
        detail=reason,
    )


def _unreadable(path: Path, reason: str) -> ProfileUnreadable:
    return ProfileUnreadable(
        f"The profile {path} cannot be read ({reason}); look whether it is there and yours to read."
    )


def _not_one(path: Path, reason: str) -> NotAProfile:
    return NotAProfile(
        f"{path} is no profile of Attune ({_cut(reason)}); choose a file that Attune exported."
    )


def _brief(error: Exception) -> str:
    """Of what a decoder says: where it may quote the file, only that."""
    return str(error) if isinstance(error, msgspec.MsgspecError) else "it is no JSON"


def _cut(reason: str) -> str:
    return reason if len(reason) <= _MAX_REASON else f"{reason[:_MAX_REASON]}…"
