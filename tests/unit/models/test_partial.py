from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InvalidParameter, StorageError
from engine.models.partial import replacing


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_has_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new.gguf"
    with replacing(path) as file:
        file.write(b"half")
        assert names(tmp_path) == {"new.gguf.part"}
    assert names(tmp_path) == {"new.gguf"}
    assert path.read_bytes() == b"half"


def test_an_old_file_stays_until_then_and_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "new.gguf"
    path.write_bytes(b"old")

    def broken() -> None:
        with replacing(path) as file:
            file.write(b"half")
            assert path.read_bytes() == b"old"
            raise InvalidParameter("stop")

    with pytest.raises(InvalidParameter, match="stop"):
        broken()
    assert names(tmp_path) == {"new.gguf"}
    assert path.read_bytes() == b"old"


def test_what_a_crash_has_left_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "new.gguf.part").write_bytes(b"much longer than what follows")
    with replacing(tmp_path / "new.gguf") as file:
        file.write(b"short")
    assert (tmp_path / "new.gguf").read_bytes() == b"short"
    assert names(tmp_path) == {"new.gguf"}


def test_what_the_system_refuses_is_said_in_a_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match=r"new\.gguf could not be written \(No such file"),
        replacing(tmp_path / "nowhere" / "new.gguf"),
    ):
        pytest.fail("there is nothing to write to")


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    def fill() -> None:
        with replacing(tmp_path / "new.gguf") as file:
            file.write(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        fill()
    assert names(tmp_path) == set()
