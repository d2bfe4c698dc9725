"""Files that take long to write: NAME.part until they are whole, and only then NAME."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from engine.errors import StorageError
from engine.models.header import file_name
from engine.paths import sync_folder

SUFFIX = ".part"


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write and read that becomes `path` when the block ends without an error.

    Until then it is NAME.part beside it, which nobody takes for a model: it does not end in
    .gguf. What a crash has left there is overwritten by the next try; any error removes it. The
    file is on the disk before it gets its name.

    Raises StorageError instead of OSError.
    """
    part = path.with_name(path.name + SUFFIX)
    try:
        with part.open("w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        sync_folder(path.parent)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StorageError(
                f"{file_name(path)} could not be written ({error.strerror or error}); free some "
                "space or choose another folder."
            ) from error
        raise
