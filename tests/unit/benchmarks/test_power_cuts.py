"""The disk that loses power: what was synced is there, and all else may be missing, or torn."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.reliability import power_cuts, recorder
from benchmarks.reliability.disk import Disk, Fate, Keep, Left, put
from benchmarks.reliability.power_cuts import FIRST, Cut
from benchmarks.reliability.recorder import Call

FILE, OTHER, BELOW = 10, 11, 12
"""Numbers of files and a folder."""

NEW = (
    Call(what="create", path="a", node=FILE),
    Call(what="write", node=FILE, data=b"new"),
)
SYNC = Call(what="sync", node=FILE)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "disk"
    path.mkdir()
    return path


def after(root: Path, calls: Iterable[Call]) -> Disk:
    disk = Disk(root)
    for call in calls:
        disk.do(call)
    return disk


def synced(root: Path) -> Call:
    """Of the folder itself."""
    return Call(what="sync", node=root.stat().st_ino)


def left(disk: Disk, *, keep: Keep, seed: int = 0) -> Left:
    return disk.left(Fate(Random(seed), keep=keep))


def outcomes(disk: Disk, *, seeds: int = 300) -> list[Left]:
    """What may be left, each once."""
    found: list[Left] = []
    for seed in range(seeds):
        one = left(disk, keep="some", seed=seed)
        if one not in found:
            found.append(one)
    return found


# Names --------------------------------------------------------------------------------------


def test_a_name_outlives_a_cut_where_its_folder_was_synced_and_content_where_the_file_was(
    root: Path,
) -> None:
    assert left(after(root, NEW), keep="none") == Left()
    assert left(after(root, NEW), keep="all") == Left(files={"a": b"new"})
    assert left(after(root, [*NEW, SYNC]), keep="none") == Left()
    assert left(after(root, [*NEW, synced(root)]), keep="none") == Left(files={"a": b""})
    safe = after(root, [*NEW, SYNC, synced(root)])
    assert outcomes(safe) == [Left(files={"a": b"new"})]
    assert safe.waiting() == 0


def test_what_was_deleted_may_come_back_until_the_folder_is_synced(root: Path) -> None:
    (root / "a").write_bytes(b"old")
    deleted = Call(what="unlink", path="a")
    found = outcomes(after(root, [deleted]))
    assert sorted(map(str, found)) == sorted(map(str, [Left(), Left(files={"a": b"old"})]))
    assert outcomes(after(root, [deleted, synced(root)])) == [Left()]


def test_a_file_that_was_replaced_is_the_old_or_the_new_one_and_never_missing(root: Path) -> None:
    (root / "a").write_bytes(b"old")
    new = Call(what="create", path="b", node=OTHER)
    write = Call(what="write", node=OTHER, data=b"new")
    move = Call(what="rename", path="b", to="a")
    careful = after(root, [new, write, Call(what="sync", node=OTHER), synced(root), move])
    contents = {(one.files.get("a"), one.files.get("b")) for one in outcomes(careful)}
    assert contents == {(b"old", b"new"), (b"new", None)}
    careless = after(root, [new, write, move])
    torn = {one.files["a"] for one in outcomes(careless)}
    assert {b"old", b"new", b""} <= torn


def test_names_of_one_folder_reach_the_disk_in_any_order(root: Path) -> None:
    made = [Call(what="create", path=name, node=n) for n, name in enumerate("abc", FILE)]
    found = {"".join(sorted(one.files)) for one in outcomes(after(root, made))}
    assert found == {"", "a", "b", "c", "ab", "ac", "bc", "abc"}


def test_a_folder_whose_name_is_lost_takes_all_that_is_in_it_along(root: Path) -> None:
    calls = [
        Call(what="mkdir", path="below", node=BELOW),
        Call(what="create", path="below/a", node=FILE),
        Call(what="write", node=FILE, data=b"new"),
        SYNC,
        Call(what="sync", node=BELOW),
    ]
    assert left(after(root, calls), keep="none") == Left()
    kept = left(after(root, [*calls, synced(root)]), keep="none")
    assert kept == Left(folders=("below",), files={"below/a": b"new"})


def test_two_names_of_one_file_lead_to_the_same_bytes(root: Path, tmp_path: Path) -> None:
    (root / "a").write_bytes(b"old")
    disk = after(root, [Call(what="link", path="a", to="b"), synced(root)])
    number = (root / "a").stat().st_ino
    disk.do(Call(what="write", node=number, data=b"new"))
    both = left(disk, keep="all")
    assert both == Left(files={"a": b"new"}, links={"b": "a"})
    put(both, tmp_path / "made")
    assert (tmp_path / "made" / "a").samefile(tmp_path / "made" / "b")
    assert all(one.links == {"b": "a"} for one in outcomes(disk))


# Content ------------------------------------------------------------------------------------


def test_a_write_is_torn_between_sectors_and_not_inside_one(root: Path) -> None:
    (root / "a").write_bytes(b"o" * 1024)
    number = (root / "a").stat().st_ino
    disk = after(root, [Call(what="write", node=number, data=b"n" * 1024)])
    found = {one.files["a"] for one in outcomes(disk)}
    assert found == {
        first * 512 + second * 512 for first in (b"o", b"n") for second in (b"o", b"n")
    }


def test_a_sector_holds_what_it_held_at_one_moment(root: Path) -> None:
    (root / "a").write_bytes(b"1111")
    number = (root / "a").stat().st_ino
    writes = [
        Call(what="write", node=number, place=place, data=data)
        for place, data in ((0, b"2"), (3, b"3"))
    ]
    found = {one.files["a"] for one in outcomes(after(root, writes))}
    assert found == {b"1111", b"2111", b"2113"}  # and not 1113: the first was there by then


def test_of_bytes_that_were_not_written_the_length_may_be_there(root: Path) -> None:
    calls = [*NEW[:1], synced(root), Call(what="write", node=FILE, data=b"n" * 600)]
    found = {one.files["a"] for one in outcomes(after(root, calls))}
    assert {b"", b"n" * 600, bytes(600)} <= found
    assert any(len(one) == 600 and not {*one} <= {0, ord("n")} for one in found)  # noise


def test_a_file_that_was_cut_short_has_one_of_its_lengths(root: Path) -> None:
    (root / "a").write_bytes(b"longer")
    number = (root / "a").stat().st_ino
    cut = Call(what="truncate", node=number, place=2)
    assert {one.files["a"] for one in outcomes(after(root, [cut]))} == {b"longer", b"lo"}
    grown = Call(what="truncate", node=number, place=8)
    assert left(after(root, [grown]), keep="all").files == {"a": b"longer\0\0"}


def test_each_file_is_on_its_own(root: Path) -> None:
    for name in "ab":
        (root / name).write_bytes(b"o")
    numbers = [(root / name).stat().st_ino for name in "ab"]
    disk = after(root, [Call(what="write", node=n, data=b"n") for n in numbers])
    found = {one.files["a"] + one.files["b"] for one in outcomes(disk)}
    assert found == {b"oo", b"on", b"no", b"nn"}


# Against a real folder ------------------------------------------------------------------------

NAMES = ("a", "b", "below/a", "below/b")


def _done(root: Path, draw: Random) -> Call | None:
    """Something that is really done in the folder; None where it cannot be."""
    path, to = root / draw.choice(NAMES), root / draw.choice(NAMES)
    there, name = path.exists(), str(path.relative_to(root))
    number = path.stat().st_ino if there else 0
    what = draw.choice(("create", "write", "write", "truncate", "rename", "link", "unlink", "sync"))
    data, place = draw.randbytes(draw.randint(1, 900)), draw.randint(0, 1500)
    if there == (what == "create") or (what in ("rename", "link") and to.exists()):
        return None
    match what:
        case "create":
            path.touch()
            return Call(what="create", path=name, node=path.stat().st_ino)
        case "write":
            with path.open("r+b") as file:
                file.seek(place)
                file.write(data)
            return Call(what="write", node=number, place=place, data=data)
        case "truncate":
            os.truncate(path, place)
            return Call(what="truncate", node=number, place=place)
        case "rename" | "link":
            getattr(os, what)(path, to)
            return Call(what=what, path=name, to=str(to.relative_to(root)))
        case "unlink":
            path.unlink()
            return Call(what="unlink", path=name)
    return Call(what="sync", node=number)


@given(seed=st.integers(0, 2**32))
def test_before_a_cut_the_disk_is_as_the_folder_and_once_synced_it_stays_so(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root, draw = tmp_path_factory.mktemp("real"), Random(seed)
    (root / "below").mkdir()
    (root / "a").write_bytes(b"old" * 300)
    disk = Disk(root)
    for _ in range(30):
        if (call := _done(root, draw)) is not None:
            disk.do(call)
    real = left(Disk(root), keep="none")
    assert left(disk, keep="all", seed=seed) == real
    for path in (root, *root.rglob("*")):
        disk.do(Call(what="sync", node=path.stat().st_ino))
    assert left(disk, keep="none", seed=seed) == left(disk, keep="some", seed=seed) == real


# The log ------------------------------------------------------------------------------------


def test_what_was_written_down_is_read_in_order(tmp_path: Path) -> None:
    def entry(
        letter: bytes, first: bytes, second: bytes = b"", node: int = 0, at: int = 0
    ) -> bytes:
        return struct.pack("<cIIQq", letter, len(first), len(second), node, at) + first + second

    log = tmp_path / "log"
    log.write_bytes(
        entry(b"c", b"/home/x/a", node=7)
        + entry(b"w", b"/home/x/", node=7, at=3)  # bytes that look like a path stay as they are
        + entry(b"r", b"/home/x/a", b"/home/x/below/../b")
        + entry(b"s", b"", node=7)
        + entry(b"d", b"/home/x", node=8)
        + entry(b"m", b"told")
    )
    assert recorder.read(log, Path("/home/x")) == [
        Call(what="create", path="a", node=7),
        Call(what="write", node=7, place=3, data=b"/home/x/"),
        Call(what="rename", path="a", to="b"),
        Call(what="sync", node=7),
        Call(what="mkdir", path="", node=8),
        Call(what="mark", data=b"told"),
    ]


# The table ----------------------------------------------------------------------------------


def test_a_loss_among_commits_and_one_of_another_deed_miss_a_target_each() -> None:
    def cut(number: int, what: str, problem: str = "") -> Cut:
        return Cut(number=number, what=what, keep="some", at=1, of=2, waiting=1, told=3,
                   seconds=0.1, problem=problem)  # fmt: skip

    fine = [cut(0, FIRST), cut(1, "settings")]
    assert all(finding.met for finding in power_cuts.findings(fine))
    for what in (FIRST, "settings"):
        found = power_cuts.findings([*fine, cut(2, what, "a chat is lost")])
        (missed,) = (finding for finding in found if not finding.met)
        assert "cases 2" in missed.found
