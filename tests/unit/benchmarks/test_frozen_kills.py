"""The runs that kill the packaged program: they see what they look for. A script stands for it."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from benchmarks.reliability.commits import Commit, Kept, Owner, duel
from tests.fakes.killing import needs_fork

if os.name != "posix":
    pytest.skip("SIGKILL is a matter of POSIX", allow_module_level=True)

from benchmarks.reliability import frozen, frozen_lives
from benchmarks.reliability.forks import Child, Line
from benchmarks.reliability.frozen import Orphans, Program, Run
from benchmarks.reliability.frozen_judging import copied, found, judged, outlived
from benchmarks.reliability.frozen_kills import Home, Kill, findings
from benchmarks.reliability.frozen_lives import Course, Fuse, Talk
from engine.store.chat_files import from_json, to_json

HOLD, VOTE = Commit(kind="hold", duel="q"), Commit(kind="vote", duel="q", outcome="second")
OPEN = "It is not known yet whether you like shorter answers or longer answers."

# Judging ------------------------------------------------------------------------------------


def shown(question: str) -> str:
    first, second = duel(question).answers
    return f"A\n{first.text}\n\nB\n{second.text}\n"


def course(*told: Commit, under: tuple[Commit, ...] = ()) -> Course:
    return Course(told=[(commit,) for commit in told], under=under, shown={"q": shown("q")})


def test_what_was_told_has_to_be_there_and_what_was_under_way_may() -> None:
    held, voted = Kept(duels={"q": duel("q")}), Kept(duels={"q": duel("q")}, votes={"q": "second"})
    assert judged(Kept(), course(HOLD, VOTE), voted) == (False, "")
    assert judged(Kept(), course(HOLD, under=(VOTE,)), held) == (False, "")
    assert judged(Kept(), course(HOLD, under=(VOTE,)), voted) == (True, "")
    assert judged(Kept(), Course(under=(HOLD,)), held) == (True, "")


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (Kept(duels={"q": duel("q")}), "votes are lost"),
        (Kept(duels={"q": duel("q")}, votes={"q": "first"}), "votes are lost"),
        (Kept(votes={"q": "second"}), "duel q is lost"),
        (Kept(duels={"q": duel("other")}, votes={"q": "second"}), "not what was shown"),
        (Kept(duels={"q": duel("q"), "x": duel("x")}, votes={"q": "second"}), "more"),
    ],
    ids=range(5),
)
def test_what_is_lost_torn_or_too_much_is_named(there: Kept, said: str) -> None:
    assert said in judged(Kept(), course(HOLD, VOTE), there)[1]


def test_a_duel_that_was_there_must_stay_as_it_was() -> None:
    kept = Kept(duels={"q": duel("q")})
    other = Kept(duels={"q": replace(duel("q"), why="another")})
    assert judged(kept, Course(), kept) == (False, "")
    assert "torn" in judged(kept, Course(), other)[1]


def test_of_the_window_more_may_be_there_and_nothing_less() -> None:
    asked = ("user", "Why?", "whole")
    seen = Kept(
        chats=[[asked, ("assistant", "Beca", "partial")]],
        duels={"q": duel("q")},
        votes={"q": "first"},
    )
    later = Kept(
        chats=[[asked, ("assistant", "Because", "whole")], [asked]],
        duels={"q": duel("q"), "r": duel("r")},
        votes={"q": "first", "r": "equal"},
    )
    assert outlived(seen, seen) == outlived(seen, later) == ""
    torn = [[("user", "W", "whole"), seen.chats[0][1]]]
    assert "message is torn" in outlived(seen, replace(later, chats=torn))
    assert "message is lost" in outlived(seen, replace(later, chats=[[asked]]))
    assert "chat is lost" in outlived(seen, replace(later, chats=[]))
    assert "duel q is lost" in outlived(seen, replace(later, duels={}))
    assert "votes are lost" in outlived(seen, replace(later, votes={"r": "equal"}))


def test_a_copy_is_read_and_the_folder_is_left_as_it_is(tmp_path: Path) -> None:
    owner = Owner(tmp_path, seed=1)
    for commit in (HOLD, VOTE):
        owner.do(commit)
    owner.close()
    journal = tmp_path / "record.db-journal"
    journal.write_bytes(b"not a journal")
    with copied(tmp_path) as copy:
        there = found(copy)
    question = duel("q").question
    assert there == Kept(duels={question: duel("q")}, votes={question: "second"})
    assert journal.read_bytes() == b"not a journal"
    assert found(tmp_path / "nowhere") == Kept()


# What is done -------------------------------------------------------------------------------


def test_a_chat_goes_on_with_what_it_hears() -> None:
    talk = Talk(random.Random(1), "name")
    assert talk.heard("The model has no template.", str) is None
    question = talk.heard(f"Tiny answers. {frozen_lives.READY}", str)
    assert question == talk.course.under[0].duel
    assert str(question).startswith("Question name 1.")
    assert talk.heard("B came out nearly alike; the chat goes on with A.", str) != question
    (asked,) = talk.course.under
    reply = talk.heard(OPEN, lambda: "A\nthis\n\nB\nthat\n")
    assert talk.course.told == [(asked,)]
    assert talk.course.shown == {asked.duel: "A\nthis\n\nB\nthat\n"}
    assert reply in {"1", "2", "3", "4"}
    (vote,) = talk.course.under
    assert (vote.kind, vote.duel) == ("vote", asked.duel)
    assert talk.heard("Noted: as expected. /undo takes it back.", str) is not None
    assert talk.course.told == [(asked,), (vote,)]
    assert talk.heard("attune: The disk is full.", str) is None
    assert talk.course.problem == "attune: The disk is full."


def test_chats_that_are_taken_in_are_what_their_file_says(tmp_path: Path) -> None:
    draw = random.Random(3)
    deed = frozen_lives.conversation(draw, "name")
    chats = from_json(to_json(frozen_lives.archive(deed, draw)))
    owner = Owner(tmp_path, seed=1)
    assert owner._chats.put(chats) == ()
    owner.close()
    assert found(tmp_path).chats == Kept().after(list(deed)).chats
    assert len(chats) > 1


def test_the_kill_comes_after_what_was_wanted_and_within_the_next_step() -> None:
    fuse = Fuse(random.Random(0), wanted=2, pace={"vote": 10.0})
    fuse.begins("start")
    fuse.begins("answer", told=1)
    assert fuse.at == float("inf")
    fuse.begins("vote", told=1)
    assert 0.0 <= fuse.at - time.monotonic() <= 12.0


# Killing ------------------------------------------------------------------------------------

SCRIPT = f"""\
import subprocess, sys, time
def note(text): print(text, file=sys.stderr, flush=True)
note("Tiny answers. {frozen_lives.READY}")
for line in sys.stdin:
    if line.startswith("/undo"): note("Took back the vote on it.")
    elif line.startswith("Question"): print("A", flush=True); note("{OPEN}")
    elif line.strip(): note("Noted. /undo takes it back.")
"""


def program(folder: Path, script: str) -> Program:
    path = folder / "attune"
    path.write_text(f"#!{sys.executable} -I\n{script}", encoding="utf-8")
    path.chmod(0o700)
    (folder / "data").mkdir()
    return Program(path=path, folder=folder / "data")


@needs_fork
def test_a_program_that_keeps_nothing_of_what_it_tells_is_noticed(tmp_path: Path) -> None:
    kills = killed(tmp_path, SCRIPT)
    assert {kill.way for kill in kills} == {"chat"}
    assert all("lost" in kill.problem for kill in kills if kill.told)
    assert any(kill.told > 1 for kill in kills)
    (row,) = [row for row in findings(kills) if "lost" in row.promise]
    assert not row.met


@needs_fork
def test_a_program_that_ends_or_complains_is_noticed(tmp_path: Path) -> None:
    (ended,) = killed(tmp_path, "", times=1)
    assert ended.problem == "it ended by itself"
    complains = "import sys; print('attune: It is full.', file=sys.stderr); sys.stdin.read()"
    (said,) = killed(tmp_path / "again", complains, times=1)
    assert said.problem == "attune: It is full."


@needs_fork
def test_what_outlives_a_program_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    brief = outliving("sleep 0.1")
    assert (brief.count, brief.left) == (1, ())
    assert 0.0 < brief.seconds < frozen.GONE_SECONDS
    monkeypatch.setattr(frozen, "GONE_SECONDS", 0.2)
    assert outliving("sleep 30").left == ("sleep 30",)


def outliving(command: str) -> Orphans:
    """What is left of a shell that was killed while it ran a command."""

    def act(line: Line) -> None:
        frozen.adopt_orphans()
        shell = Run(("sh", "-c", f"{command} 0<&- >&- 2>&- & echo begun; wait"), environment={})
        assert shell.answers(before=time.monotonic() + 60.0)
        assert shell.kill() == -signal.SIGKILL
        line.tell(msgspec.json.encode(frozen.orphans(but=())))

    child = Child(act)
    assert child.end() == 0
    return msgspec.json.decode(child.said, type=Orphans)


def killed(folder: Path, script: str, *, times: int = 4) -> list[Kill]:
    """Kills of a script, in a child: whoever adopts orphans does so for good."""
    folder.mkdir(exist_ok=True)
    home = Home(program(folder, script))

    def act(line: Line) -> None:
        frozen.adopt_orphans()
        pace = {"start": 0.5}
        for number in range(times):
            kill = home.kill(number, "chat", model="m", draw=random.Random(number), pace=pace)
            line.tell(msgspec.json.encode(kill) + b"\n")

    child = Child(act)
    assert child.end() == 0
    return [msgspec.json.decode(line, type=Kill) for line in child.said.splitlines()]
