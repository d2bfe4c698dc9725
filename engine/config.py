"""The owner's settings: one typed value, one JSON file, written whole or not at all.

Values out of range are reported and replaced one by one, and the entries in the file stay as they
are until their owner sets them; unknown keys are kept. So a file from a newer or a damaged
installation loses nothing, and never costs more than the entry that is wrong.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_type_hints

import msgspec

from engine.errors import StorageError
from engine.paths import sync_folder
from engine.types.learning import LearnerName
from engine.types.models import Launch
from engine.types.portfolio import MAX_MEMBERS, QUESTIONS
from engine.types.scope import Scope
from engine.types.steering import (
    MAX_GAMMA,
    MAX_PREFERENCES,
    MAX_WEIGHT,
    Preference,
    Sampling,
    out_of_range,
)
from engine.types.work import Notice

SCHEMA_VERSION = 1

Colours = Literal["system", "light", "dark"]
SendKey = Literal["enter", "ctrl+enter"]

MOST_THREADS = 256
CONTEXTS = (1024, 1 << 20)
"""The fewest and the most tokens of context that can be asked for."""

_LLAMA_THREADS, _LLAMA_LAYERS = 512, 10_000
"""llama.cpp ends its process where it is given more threads; no model has so many layers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that is remembered between starts, chats and votes apart.

    model        id of the chosen model, "" for the starter model
    preferences  the preference chips
    gamma        the strength control
    neutral      the untouched model answers while this is on
    sampling     how tokens are drawn
    launch       what the self-test found, or None before it ran
    launch_key   the machine and build that `launch` was found on
    variants     CPU libraries that claim to run there, best first
    duel_every   two answers at most once in so many questions; 0 is never
    learner      the form of T-POP that learns
    fade         votes after which an older one counts half; None never
    keep_texts   whether questions and answers are kept with the votes on them
    routing      the member of the portfolio that suits the owner answers
    sliders      how much each objective matters, by id, in [0, 1]; 0.5, or not there, is neutral
    members      the most that a portfolio may have, in [1, 7]
    calibration_questions   that each candidate answers, in [10, 70]
    language     code of the window's language, such as "de"; "" is the system's
    colours      of the window
    send_key     what sends a question; the other one begins a new line
    scope        how far what is learned goes, in chats that are begun from now on
    threads      that models run on, at most 256; 0 as many as the self-test found best
    context      tokens that a chat may have, in [1024, 2^20]; 0 is the usual number
    cpu_only     no GPU is used, whatever the self-test found
    offline      the download program is never started
    """

    model: str = ""
    preferences: tuple[Preference, ...] = ()
    gamma: float = 2.0
    neutral: bool = False
    sampling: Sampling = field(default_factory=Sampling)
    launch: Launch | None = None
    launch_key: str = ""
    variants: tuple[str, ...] = ()
    duel_every: int = 3
    learner: LearnerName = "utilities"
    fade: float | None = None
    keep_texts: bool = False
    routing: bool = False
    sliders: dict[str, float] = field(default_factory=dict)
    members: int = 5
    calibration_questions: int = 40
    language: str = ""
    colours: Colours = "system"
    send_key: SendKey = "enter"
    scope: Scope = "everywhere"
    threads: int = 0
    context: int = 0
    cpu_only: bool = False
    offline: bool = False


class SettingsFile:
    """Reads and writes `Settings`; keeps keys that it does not know, and what it cannot use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._unknown: dict[str, Any] = {}
        self._unusable: dict[str, Any] = {}

    @property
    def unusable(self) -> frozenset[str]:
        """Names of the entries that had to be replaced when the file was read last."""
        return frozenset(self._unusable)

    def read(self) -> tuple[Settings, tuple[Notice, ...]]:
        """The settings, and a sentence for each entry that had to be replaced."""
        self._unusable = {}
        try:
            raw = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Settings(), ()
        except (OSError, ValueError, RecursionError) as error:
            return Settings(), (self._damaged(str(error)),)
        if not isinstance(raw, dict):
            return Settings(), (self._damaged("not an object"),)
        return self._convert(raw)

    def write(self, settings: Settings, *, chosen: Collection[str] = ()) -> None:
        """Replace the file; the old one stays until the new one is safe on disk.

        chosen  names of the settings that the owner has just set; of the others an entry that could
                not be used is written as it was found

        Raises StorageError.
        """
        usual = Settings()
        kept = {
            name: raw
            for name, raw in self._unusable.items()
            if name not in chosen and getattr(settings, name) == getattr(usual, name)
        }
        known = msgspec.to_builtins(settings) | kept
        body = {"schema_version": SCHEMA_VERSION} | self._unknown | known
        text = json.dumps(body, indent=2, ensure_ascii=False)
        try:
            # What UTF-8 cannot hold, half a character, is written the way JSON escapes it.
            write_atomically(self.path, text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise StorageError(
                f"The settings could not be saved to {self.path} ({error.strerror}). "
                "Free some space or choose another folder with --data-dir."
            ) from error
        self._unusable = kept

    def _convert(self, raw: dict[str, Any]) -> tuple[Settings, tuple[Notice, ...]]:
        known = {f.name: f for f in fields(Settings)}
        self._unknown = {k: v for k, v in raw.items() if k not in known and k != "schema_version"}
        settings, notices, types = Settings(), [], get_type_hints(Settings)
        for name in (name for name in known if name in raw):
            try:
                value = msgspec.convert(raw[name], types[name])
                settings = _checked(replace(settings, **{name: value}))
            except (msgspec.ValidationError, ValueError) as error:
                self._unusable[name] = raw[name]
                text = (
                    f"The setting {name} in {self.path} is not usable ({error}); the usual value "
                    "acts until you set another."
                )
                notices.append(Notice(code="setting_reset", text=text))
        return settings, tuple(notices)

    def _damaged(self, reason: str) -> Notice:
        aside = self.path.with_name(f"{self.path.name}.damaged")
        try:
            os.replace(self.path, aside)
        except OSError:
            aside = self.path
        text = f"The settings could not be read ({reason}); kept as {aside}, defaults are used."
        return Notice(code="settings_damaged", text=text)


def write_atomically(path: Path, data: bytes) -> None:
    """Old or new content, never half: temporary file beside it, fsync, rename, fsync the folder."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _checked(settings: Settings) -> Settings:
    if not 0.0 <= settings.gamma <= MAX_GAMMA:
        raise ValueError(f"{settings.gamma} is not in [0, {MAX_GAMMA:g}]")
    if len(settings.preferences) > MAX_PREFERENCES:
        raise ValueError(f"more than {MAX_PREFERENCES} preferences")
    for preference in settings.preferences:
        if not preference.text.strip():
            raise ValueError("a preference is empty")
        if not 0.0 <= preference.weight <= MAX_WEIGHT:
            raise ValueError(f"weight {preference.weight} is not in [0, {MAX_WEIGHT:g}]")
    if broken := out_of_range(settings.sampling):
        name, value, allowed = broken
        raise ValueError(f"{name} is {value}, not {allowed}")
    if settings.duel_every < 0:
        raise ValueError(f"{settings.duel_every} is below 0")
    if settings.fade is not None and not settings.fade > 0.0:
        raise ValueError(f"{settings.fade} is not above 0")
    if not all(0.0 <= value <= 1.0 for value in settings.sliders.values()):
        raise ValueError("a slider is not in [0, 1]")
    if not 1 <= settings.members <= MAX_MEMBERS:
        raise ValueError(f"{settings.members} members are not in [1, {MAX_MEMBERS}]")
    if not QUESTIONS[0] <= settings.calibration_questions <= QUESTIONS[1]:
        raise ValueError(f"{settings.calibration_questions} questions are not in {QUESTIONS}")
    if not 0 <= settings.threads <= MOST_THREADS:
        raise ValueError(f"{settings.threads} threads are not in [0, {MOST_THREADS}]")
    if settings.context and not CONTEXTS[0] <= settings.context <= CONTEXTS[1]:
        raise ValueError(f"{settings.context} tokens are not in {CONTEXTS}")
    if settings.launch:
        _check_launch(settings.launch)
    return settings


def _check_launch(launch: Launch) -> None:
    for value, least, most in (
        (launch.threads, 1, _LLAMA_THREADS),
        (launch.most_threads, 0, _LLAMA_THREADS),
        (launch.context, 1, CONTEXTS[1]),
        (launch.gpu_layers, -1, _LLAMA_LAYERS),
    ):
        if not least <= value <= most:
            raise ValueError(f"{value} is not in [{least}, {most}]")
