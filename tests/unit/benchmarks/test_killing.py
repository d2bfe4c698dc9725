"""The runs that kill and fail writers: they see what they look for."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.reliability import commits, deeds, fuzz_profile, switches, write_errors
from benchmarks.reliability.commits import Commit, Home, Kept, difference
from benchmarks.reliability.deeds import DEEDS, Deed, Seen
from benchmarks.reliability.fuzz_profile import heard, mutated
from benchmarks.reliability.soak import Ended, Sample, Weight, findings, slope, weigh
from benchmarks.reliability.write_errors import CLAIMS, Bench, Told
from engine.errors import ProfileError
from engine.store import database, profile
from engine.store.record import Record
from tests.fakes.killing import needs_fork

if os.name == "posix":
    from benchmarks.reliability.forks import Child, Line

FULL = Path(__file__).parents[2] / "fixtures" / "profiles" / "v1-full.attune-profile"


# Children -----------------------------------------------------------------------------------


@needs_fork
def test_a_child_is_heard_until_it_is_killed() -> None:
    def act(line: Line) -> None:
        line.tell(b".")
        line.wait()

    child = Child(act)
    assert child.hear(until=lambda said: said == b".")
    assert child.kill()
    assert child.said == b"."


@needs_fork
def test_a_child_that_may_go_on_does_and_one_that_ended_is_not_waited_for() -> None:
    def act(line: Line) -> None:
        line.wait()
        line.tell(b"on")

    child = Child(act)
    child.let_go_on()
    assert child.end() == 0
    assert child.said == b"on"
    child = Child(lambda _: None)
    assert not child.hear(until=lambda said: bool(said))
    child.let_go_on()
    assert not child.kill()


@needs_fork
def test_what_goes_wrong_in_a_child_stays_there(capfd: pytest.CaptureFixture[str]) -> None:
    def act(_: object) -> None:
        raise KeyError("of the child")

    assert Child(act).end() == 1
    assert "of the child" in capfd.readouterr().err


# Commits ------------------------------------------------------------------------------------


def some(count: int, *, seed: int = 1) -> list[Commit]:
    return list(islice(commits.commits(random.Random(seed), "a"), count))


def test_what_is_done_is_what_has_to_be_there(tmp_path: Path) -> None:
    done = some(60)
    assert {commit.kind for commit in done} == set(commits.Kind.__args__)  # type: ignore[attr-defined]
    owner = commits.Owner(tmp_path, seed=1)
    for commit in done:
        owner.do(commit)
    meant = Kept().after(done)
    assert owner.found([*meant.duels]) == meant
    owner.close()
    assert commits.unsound(tmp_path) == ""


@pytest.mark.parametrize(
    ("commit", "harm", "said"),
    [(60, lambda kept: kept.chats.pop(), "chat is lost"),
     (60, lambda kept: kept.chats[0].pop(), "message is lost"),
     (60, lambda kept: kept.chats[0].__setitem__(0, ("user", "Quest", "whole")), "is torn"),
     (60, lambda kept: kept.duels.popitem(), "lost"),
     (60, lambda kept: kept.votes.popitem(), "votes are lost"),
     (60, lambda kept: kept.votes.update(x="first"), "more")],
    ids=range(6),
)  # fmt: skip
def test_what_is_lost_or_torn_is_named(
    commit: int, harm: Callable[[Kept], object], said: str
) -> None:
    meant = Kept().after(some(commit))
    found = meant.after([])
    assert found == meant
    harm(found)
    assert found != meant
    assert said in difference(meant, found)


@needs_fork
def test_a_few_kills_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PRAGMAS", _unsynced())
    life = commits.life(0, seed=3, kills=8)
    assert life.problem == ""
    assert (life.kills, life.checks) == (8, 1)
    assert life.told > 8


@needs_fork
def test_a_writer_that_tells_too_early_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Record, "vote", lambda *_: None)
    home = Home(tmp_path, random.Random(0))
    assert "votes are lost" in home.live(kills=20)


def _unsynced() -> tuple[tuple[str, object], ...]:
    return tuple((n, 0 if n == "synchronous" else value) for n, value in database.PRAGMAS)


# Deeds --------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_every_deed_changes_what_is_seen_and_leaves_nothing_about(
    deed: Deed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PRAGMAS", _unsynced())
    deeds.furnish(tmp_path)
    deed.furnish(tmp_path)
    old = deeds.seen(tmp_path)
    engine = deeds.opened(tmp_path)
    deed.act(engine, tmp_path)
    engine.close()
    new = deeds.seen(tmp_path)
    assert (new == old) == deed.reopens
    assert deeds.litter(tmp_path) == []
    assert deeds.unsound(tmp_path) == ""
    assert not deed.between(old, new, replace(old, votes=()))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Judges a vote, without doing one."""
    deeds.furnish(tmp_path / "owner")
    bench = Bench.__new__(Bench)
    bench._deed = next(deed for deed in DEEDS if deed.name == "vote")
    bench._folder, bench._root = tmp_path, tmp_path / "owner"
    bench._old = deeds.seen(bench._root)
    bench._new = replace(bench._old, votes=(*bench._old.votes, ("d3", "first")))
    return bench


def test_a_false_claim_a_loss_and_an_exception_are_noticed(bench: Bench) -> None:
    old, new = bench._old, bench._new
    lost = replace(old, votes=())
    done, said = Told(how="done"), Told(how="said", text="The disk is full. Nothing was saved.")
    sorry = Told(how="said", text="The disk is full.")
    assert [bench._problem(done, new), bench._problem(said, old), bench._problem(sorry, new)] == (
        [""] * 3
    )
    assert "claimed done" in bench._problem(done, old)
    assert "something did" in bench._problem(said, new)
    assert "neither" in bench._problem(sorry, lost)
    assert bench._problem(Told(how="raised", text="OSError()"), old) == "OSError()"
    assert "plain sentence" in bench._problem(Told(how="said", text="[Errno 5] no."), old)
    assert "unreadable" in bench._problem(sorry, "it is unreadable")
    assert all(claim in "Nothing was. nothing is. nothing was." for claim in CLAIMS)


def test_a_next_try_that_fails_is_noticed(bench: Bench) -> None:
    first = Told(how="said", text="The disk is full.")
    done, said = Told(how="done"), Told(how="said", text="It cannot be written.")
    assert "something else" in bench._again(done, bench._old, first=first)  # nothing was done
    assert "fails, too" in bench._again(said, bench._old, first=first)
    bench._new = bench._old
    assert bench._again(done, bench._old, first=first) == ""


def test_every_error_meets_every_deed_once_and_for_good() -> None:
    kinds = write_errors.kinds()
    assert len({(deed.name, error, lasts) for deed, error, lasts in kinds}) == len(kinds)
    assert {error for _, error, _ in kinds} == {errno.ENOSPC, errno.EIO, errno.EROFS}
    names = " ".join(deed.name for deed in DEEDS)
    for what in ("vote", "message", "answer", "export", "import", "settings", "backup", "restore",
                 "migration", "export all", "chat import"):  # fmt: skip
        assert what in names


def test_every_past_version_is_brought_along_in_the_runs() -> None:
    found = {path.stem for path in FULL.parents[1].glob("record-v*.db")}
    assert found
    assert {deed.name.split()[-1] for deed in switches.SWITCHES if deed.reopens} == found


def test_a_mixture_is_noticed(tmp_path: Path) -> None:
    old = deeds_seen(tmp_path)
    new = replace(old, votes=(), taste=replace(old.taste, gamma=9.0))
    room = switches.Range.__new__(switches.Range)
    room._deed, room._old, room._new = deeds.IMPORTS[0], old, new
    assert room._state(old) == ("old", "")
    assert room._state(new) == ("new", "")
    assert room._state(replace(old, votes=()))[1]
    assert room._state(replace(old, taste=new.taste))[1]


def deeds_seen(root: Path) -> Seen:
    deeds.furnish(root)
    return deeds.seen(root)


# The soak -----------------------------------------------------------------------------------


def test_a_line_is_laid_through_points_by_least_squares() -> None:
    assert slope([(0.0, 1.0), (3600.0, 3.0)]) == pytest.approx(2.0)
    # By hand: x −1, 0, 1 and y 0, 1, 5 about their means: (1 · 2 + 1 · 3) / 2.
    assert slope([(0.0, 0.0), (3600.0, 1.0), (7200.0, 5.0)]) == pytest.approx(2.5)
    assert slope([(5.0, 5.0)]) == 0.0


def soaked(*, grows: float, opens: int) -> list[Sample]:
    """Two hours in which the window grows by so many MB an hour and files are left open."""
    light = Weight(rss=90.0, pss=80.0, descriptors=6, threads=3)
    return [
        Sample(
            at=60.0 * minute,
            rounds=minute,
            window=Weight(
                rss=150.0 + grows * minute / 60, pss=99.0, descriptors=20 + opens * (minute // 60),
                threads=6,
            ),
            child=light,
        )
        for minute in range(121)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("grows", "opens", "missed"),
    [(0.0, 0, []), (4.9, 0, []), (6.0, 0, ["RSS of the window, after the warm-up"]),
     (120.0, 0, ["RSS of the window, after the warm-up", "RSS of the window after 60 minutes"]),
     (0.0, 1, ["descriptors of the window, the median of the first half and of the second"])],
    ids=range(5),
)  # fmt: skip
def test_what_keeps_growing_is_noticed(grows: float, opens: int, missed: list[str]) -> None:
    samples = soaked(grows=grows, opens=opens)
    found = findings(samples, Ended(done={"round": 9}, warnings=()))
    assert [finding.promise for finding in found if not finding.met] == missed


def test_a_window_that_was_never_weighed_kept_no_promise() -> None:
    assert [finding.met for finding in findings([], Ended(done={}, warnings=()))] == [False]


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs /proc")
def test_a_process_is_weighed() -> None:
    before = weigh(os.getpid())
    held = bytearray(os.urandom(1 << 20)) * 30
    descriptor = os.open(os.devnull, os.O_RDONLY)
    after = weigh(os.getpid())
    os.close(descriptor)
    assert len(held) / 1e6 <= after.rss - before.rss + 1
    assert after.descriptors == before.descriptors + 1
    assert after.threads >= 1


# Fuzzing ------------------------------------------------------------------------------------


def test_half_of_the_files_are_sound_json_under_a_checksum_that_fits() -> None:
    codes = []
    for seed in range(60):
        data = mutated(
            FULL.read_bytes(), 65_536, rng=random.Random(seed), otherwise=lambda data, _: data
        )
        try:
            profile.decoded(data, Path("x"))
            codes.append("same" if data == FULL.read_bytes() else "sound")
        except ProfileError as error:
            codes.append(error.code)
    assert 15 < codes.count("same") < 45
    assert {"same", "sound", "invalid_profile"} <= set(codes)
    assert "damaged_profile" not in codes


def test_what_the_fuzzer_says_is_understood() -> None:
    said = "#8\tNEW    cov: 90 ft: 120 corp: 7/21Kb\n#99\tDONE   cov: 91 ft: 130 corp: 9/30Kb\n"
    found = heard(f"{said}Done 99 runs in 1 second(s)\n", {"taken": 3}, code=0)
    assert (found.files, found.branches, found.corpus, found.failed) == (99, 91, 9, "")
    bad = heard("#8\tNEW cov: 1 ft: 1 corp: 1\nUncaught Python exception: KeyError", {}, code=77)
    assert (bad.files, bad.failed[-8:]) == (8, "KeyError")
    rows = fuzz_profile.findings(bad, minutes=1.0)
    assert [row.promise for row in rows if not row.met] == ["exceptions, hangs, profiles harmed"]
