"""What the import of a profile changes."""

from __future__ import annotations

from dataclasses import dataclass

from engine.types.learning import Learned, Trait


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A profile that was written.

    votes     in it
    left_out  votes with features that no profile may hold
    size      of the file, bytes
    """

    path: str
    votes: int
    left_out: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """A setting that an import changes, in plain words: ("strength", "2", "4.5")."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileDiff:
    """What an import changes, or would.

    name       of the profile: its file's, without the extension
    exported   when it was written, seconds since the epoch
    replace    what stands here counts no more; else both count
    before     what is learned now, whichever form of learning answers
    after      what will be
    new        votes that count then and do not now
    known      votes that count here already and are passed over
    differing  of these, on how many the file says something else; a merge keeps what was said here
    left_out   votes on duels that are others here, by an id drawn twice or damage
    dropped    votes that count now and will not
    texts      new votes that come with question and answers
    added      the owner's own traits that are new here
    reworded   own traits whose sentence becomes another
    gone       traits, built-in or own, that are asked about now and will not be
    back       removed traits, built-in or own, that will be asked about again
    refused    sentences of own traits that are not taken in: they are about agreement
    settings   that become others
    """

    name: str
    exported: float
    replace: bool
    before: Learned
    after: Learned
    new: int = 0
    known: int = 0
    differing: int = 0
    left_out: int = 0
    dropped: int = 0
    texts: int = 0
    added: tuple[Trait, ...] = ()
    reworded: tuple[Trait, ...] = ()
    gone: tuple[Trait, ...] = ()
    back: tuple[Trait, ...] = ()
    refused: tuple[str, ...] = ()
    settings: tuple[SettingChange, ...] = ()

    @property
    def empty(self) -> bool:
        """A merge that changes nothing, and is not put on record."""
        traits = self.added or self.reworded or self.gone or self.back
        return not (self.replace or self.new or self.dropped or traits or self.settings)
