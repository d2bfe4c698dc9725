from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputError, InvalidParameter, StorageError
from engine.models import partial
from engine.models.partial import creating, locked, replacing

WRITERS = [replacing, creating]

posix = pytest.mark.skipif(os.name != "posix", reason="locks are a matter of POSIX")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def write(writer: Any, path: Path, data: bytes = b"new") -> None:
    with writer(path) as file:
        file.write(data)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_has_its_name_when_it_is_whole(tmp_path: Path, writer: Any) -> None:
    path = tmp_path / "new.gguf"
    with writer(path) as file:
        file.write(b"half")
        (part,) = tmp_path.iterdir()
        assert part.match("new.gguf.attune-????????.part")
        assert len(part.name) == len(path.name) + partial.LONGER
        assert Path(file.name) == part
        if os.name == "posix":
            assert part.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == {"new.gguf"}
    assert path.read_bytes() == b"half"


@pytest.mark.parametrize("writer", WRITERS)
def test_an_old_file_stays_until_then_and_after_an_error(tmp_path: Path, writer: Any) -> None:
    path = tmp_path / "new.gguf"
    path.write_bytes(b"old")

    def broken() -> None:
        with writer(path) as file:
            file.write(b"half")
            assert path.read_bytes() == b"old"
            raise InvalidParameter("stop")

    with pytest.raises(InvalidParameter, match="stop"):
        broken()
    assert names(tmp_path) == {"new.gguf"}
    assert path.read_bytes() == b"old"


def test_what_is_replaced_is_the_new_one_then(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"much longer than what follows")
    write(replacing, tmp_path / "a.json", b"short")
    assert (tmp_path / "a.json").read_bytes() == b"short"


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("when", ["before", "at the last moment"])
def test_a_file_that_appears_meanwhile_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str, links: bool
) -> None:
    path = tmp_path / "new.gguf"
    if not links:
        monkeypatch.setattr(os, "link", refused)

    def whole(_part: Path) -> None:
        if when != "before":
            path.write_bytes(b"mine")

    def create() -> None:
        with creating(path, whole=whole) as file:
            file.write(b"new")
            if when == "before":
                path.write_bytes(b"mine")

    with pytest.raises(InputError, match=r"a file new\.gguf by now.*another name"):
        create()
    assert names(tmp_path) == {"new.gguf"}
    assert path.read_bytes() == b"mine"


def refused(*_: object, **__: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def test_where_there_are_no_links_a_file_gets_its_name_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refused)
    write(creating, tmp_path / "new.gguf")
    assert names(tmp_path) == {"new.gguf"}


def test_two_that_write_the_same_file_never_mix(tmp_path: Path) -> None:
    path = tmp_path / "new.gguf"
    with creating(path) as first:
        first.write(b"1" * 10)
        with creating(path) as second:
            second.write(b"2" * 20)
        assert path.read_bytes() == b"2" * 20
        path.unlink()
        first.write(b"1" * 10)
    assert path.read_bytes() == b"1" * 20


def test_a_whole_file_is_seen_before_it_has_its_name_and_what_is_raised_removes_it(
    tmp_path: Path,
) -> None:
    seen: list[bytes] = []

    def whole(part: Path) -> None:
        assert not (tmp_path / "new.gguf").exists()
        seen.append(part.read_bytes())
        raise InvalidParameter("no")

    def create() -> None:
        with creating(tmp_path / "new.gguf", whole=whole) as file:
            file.write(b"all of it")

    with pytest.raises(InvalidParameter):
        create()
    assert seen == [b"all of it"]
    assert names(tmp_path) == set()


def test_what_a_crash_has_left_is_removed_after_a_day_and_nothing_else_is(tmp_path: Path) -> None:
    old = tmp_path / "other.gguf.attune-0123abc_.part"
    recent = tmp_path / "new.gguf.attune-0123abcd.part"
    foreign = tmp_path / "film.download.part"
    now = tmp_path.stat().st_mtime
    for path, hours in ((old, 25), (recent, 23), (foreign, 1000)):
        path.write_bytes(b"half")
        os.utime(path, (now - hours * 3600, now - hours * 3600))
    write(replacing, tmp_path / "new.gguf")
    assert names(tmp_path) == {"new.gguf", recent.name, foreign.name}


@pytest.mark.parametrize("writer", WRITERS)
def test_what_the_system_refuses_is_said_in_a_sentence(tmp_path: Path, writer: Any) -> None:
    with pytest.raises(StorageError, match=r"new\.gguf could not be written \(No such file"):
        write(writer, tmp_path / "nowhere" / "new.gguf")


@pytest.mark.parametrize("stuck", [False, True])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_leaves_nothing_and_is_what_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: Any, stuck: bool
) -> None:
    """Also where the file cannot be removed any more."""
    if stuck:
        monkeypatch.setattr(Path, "unlink", refused)

    def fill() -> None:
        with writer(tmp_path / "new.gguf") as file:
            file.write(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        fill()
    assert len(names(tmp_path)) == stuck


# Locks --------------------------------------------------------------------------------------


@posix
def test_a_locked_folder_lets_nobody_else_in_until_it_is_left(tmp_path: Path) -> None:
    def enter() -> None:
        with locked(tmp_path, wait=False):
            pass

    with locked(tmp_path):
        with pytest.raises(BlockingIOError):
            enter()
        with locked(tmp_path.parent, wait=False):
            pass
    enter()
    assert names(tmp_path) == set()


@posix
def test_a_file_system_without_locks_lets_everybody_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    monkeypatch.setattr(fcntl, "flock", refused)
    with locked(tmp_path), locked(tmp_path, wait=False):
        pass
