"""The owner's settings in this run: changed and saved, and what acts where they cannot be."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.config import Settings, SettingsFile
from engine.errors import StorageError
from engine.models.partial import locked

log = logging.getLogger("engine.session.wishes")


class Wishes:
    """
    values  what acts now; replaced as a whole
    early   what there was to say of the file when it was read
    safe    this run plays it safe
    """

    def __init__(self, path: Path) -> None:
        self._path, self.safe = path, False
        self.read()

    def read(self) -> None:
        """Begin anew with what the file says."""
        self._file = SettingsFile(self._path)  # an old one keeps unknown keys
        self.values, self.early = self._file.read()
        self._unsaved: dict[str, Any] = {}

    def remembered(self) -> Settings:
        """What the file says now."""
        return self._file.read()[0]

    def change(self, **changes: Any) -> Settings:
        """Change settings by name and save them; what another Attune saved meanwhile stays, and
        what was found out and could not be saved before is saved, too.

        Raises StorageError if they cannot be saved; nothing is changed then.
        """
        changes = self._unsaved | changes
        with self._alone():
            wanted = replace(self._saved(), **changes)
            self._file.write(wanted, chosen=changes.keys())
        acting = replace(self.values, **changes) if self.safe else wanted
        self.values, self._unsaved = acting, {}
        return acting

    def keep(self, **changes: Any) -> None:
        """Remember what was found out; where that fails it acts all the same, and is saved with the
        next change that can be."""
        try:
            self.change(**changes)
        except StorageError as error:
            self._unsaved |= changes
            self.values = replace(self.values, **changes)
            log.warning("what was found out is not saved yet: %s", error)

    def play_safe(self, *, variants: tuple[str, ...]) -> None:
        """From the next `start` on, until this run is over: the starter model on the processor, no
        steering, the usual settings. What is remembered stays as it is."""
        was = self.values
        self.safe = True
        self.values = Settings(
            neutral=True,
            cpu_only=True,
            variants=variants,
            language=was.language,
            colours=was.colours,
            send_key=was.send_key,
        )

    # ----------------------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """What another Attune saves between reading and writing would be lost."""
        folder = self._file.path.parent
        with ExitStack() as stack:
            # A folder that is gone is made by writing; one that cannot be used says so there.
            with suppress(OSError):
                stack.enter_context(locked(folder))
            yield

    def _saved(self) -> Settings:
        """The settings in the file; in the place of what is damaged there, what acts here."""
        saved, notices = self._file.read()
        if any(notice.code == "settings_damaged" for notice in notices):
            return self.values
        return replace(saved, **{n: getattr(self.values, n) for n in self._file.unusable})
