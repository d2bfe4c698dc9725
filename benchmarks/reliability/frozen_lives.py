"""What an owner does with the packaged program until it is killed, and what it acknowledged.

Three ways: a chat in the terminal with duels and votes, commands one after the other, and the
window on a screen in memory, with keys pressed by xdotool. A deed is what one transaction holds; it
is told when the program has said so, and under way when it was asked for and not told.
"""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

from benchmarks.reliability.commits import Commit, Kept, commits
from benchmarks.reliability.frozen import PATIENCE, Program, Run
from engine.endings import NOW
from engine.paths import LOGS
from engine.store.chat_files import to_json
from engine.store.chat_trees import StoredChat, StoredMessage
from engine.types.learning import OUTCOMES

Deed = tuple[Commit, ...]

READY = "/help tells what else can be said here."
OPEN = re.compile(r"It is not known yet whether|One answer leans to|You seem to like")
ALIKE = "B came out nearly alike"
VOTED = "/undo takes it back."
UNDONE = "Took back the vote"
ERROR = "attune: "
"""What the terminal says, and when: a duel is on record, a vote, a vote taken back, none of it."""

LOOK = 0.2
"""Seconds between two looks at what the window has kept."""

_VOTES = ("ctrl+1", "ctrl+2", "ctrl+9", "ctrl+shift+9")


class Fuse:
    """When the kill comes: so many acknowledged deeds after the start, and then a share of the time
    that what is done next takes."""

    def __init__(self, draw: Random, *, wanted: int, pace: dict[str, float]) -> None:
        """pace  seconds that a step takes, by its name; learnt as the steps are done"""
        self._left, self._pace = wanted, pace
        self._share = draw.uniform(0.0, 1.2)
        self._step, self._since = "", 0.0
        self.at = float("inf")

    def begins(self, step: str, *, told: int = 0) -> None:
        """A step begins, the last one has ended and told of so many deeds."""
        now = time.monotonic()
        if self._step:
            known = self._pace.get(self._step, now - self._since)
            self._pace[self._step] = known + 0.1 * (now - self._since - known)
        self._step, self._since = step, now
        self._left -= told
        if self._left <= 0 and self.at == float("inf"):
            self.at = now + self._share * self._pace.get(step, 1.0)

    @property
    def patience(self) -> float:
        """Until when to listen: the kill, or what nobody waits for."""
        return min(self.at, time.monotonic() + PATIENCE)


@dataclass(slots=True)
class Course:
    """How a life went.

    told     deeds that were acknowledged, in order
    under    the one under way, () where there was none
    shown    what was on standard output for a duel, by its question
    moment   in which the kill came
    problem  what the program did that it should not, "" where nothing
    """

    moment: str = "start"
    told: list[Deed] = field(default_factory=list)
    under: Deed = ()
    shown: dict[str, str] = field(default_factory=dict)
    problem: str = ""


# In the terminal ----------------------------------------------------------------------------


class Talk:
    """One side of a chat in the terminal: hears its notes, and says what comes next."""

    def __init__(self, draw: Random, name: str) -> None:
        """name  that no other life of the folder has"""
        self.course = Course()
        self._draw, self._name, self._number = draw, name, 0
        self._question = ""

    def heard(self, note: str, shown: Callable[[], str]) -> str | None:
        """What to type after a note; None where it is none that is waited for.

        shown  what came on standard output since it was asked last
        """
        if note.startswith(ERROR):
            self.course.problem = note
        elif self.course.moment == "start" and note.endswith(READY):
            return self._ask()
        elif self.course.moment == "answer" and OPEN.match(note):
            self.course.shown[self._question] = shown()
            self._tell()
            return self._vote()
        elif self.course.moment == "answer" and note.startswith(ALIKE):
            shown()
            return self._ask()
        elif self.course.moment == "vote" and note.endswith(VOTED):
            self._tell()
            return self._undo() if self._draw.random() < 0.15 else self._ask()
        elif self.course.moment == "undo" and note.startswith(UNDONE):
            self._tell()
            return self._ask()
        return None

    def _tell(self) -> None:
        self.course.told.append(self.course.under)
        self.course.under = ()

    def _ask(self) -> str:
        self._number += 1
        more = "Bäume, 山 and words. " * self._draw.choice((0, 0, 3, 40))
        self._question = f"Question {self._name} {self._number}. {more}".strip()
        self._begin("answer", Commit(kind="hold", duel=self._question))
        return self._question

    def _vote(self) -> str:
        if self._draw.random() < 0.1:
            return f"\n{self._ask()}"
        place = self._draw.randrange(len(OUTCOMES))
        self._begin("vote", Commit(kind="vote", duel=self._question, outcome=OUTCOMES[place]))
        return str(place + 1)

    def _undo(self) -> str:
        self._begin("undo", Commit(kind="withdraw", duel=self._question))
        return "/undo"

    def _begin(self, moment: str, commit: Commit) -> None:
        self.course.moment, self.course.under = moment, (commit,)


def chat(program: Program, model: str, fuse: Fuse, talk: Talk, *, tokens: int) -> Course:
    """Ask, vote and take back in `attune chat` until the kill."""
    course = talk.course
    fuse.begins("start")
    run = program.begin("chat", "--model", model, "--duels", "on", "--max-tokens", str(tokens))
    while not course.problem:
        note = run.word(before=fuse.patience)
        if note is None:
            break
        before = len(course.told)
        if (reply := talk.heard(note, run.taken)) is not None:
            run.say(reply)
            fuse.begins(course.moment, told=len(course.told) - before)
    _kill(run, course, fuse)
    moment = "streaming" if course.moment == "answer" and run.streams else course.moment
    # What was acknowledged before the kill and not heard yet counts; what it would have been
    # answered with was never said.
    rest = [talk.heard(note, run.taken) for note in _rest(run)]
    if any(reply is not None for reply in rest):
        course.under = ()
    course.moment = moment
    return course


def _kill(run: Run, course: Course, fuse: Fuse) -> None:
    early = time.monotonic() < fuse.at and not course.problem
    hangs = early and run.speaks
    if run.kill() != -signal.SIGKILL or early:
        course.problem = course.problem or ("it hangs" if hangs else "it ended by itself")


def _rest(run: Run) -> Iterator[str]:
    while (note := run.word(before=time.monotonic() + 1.0)) is not None:
        yield note


# Commands -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """A command that changes something, and says so in a line on standard output."""

    step: str
    words: tuple[str, ...]
    deed: Deed


def errands(draw: Random, name: str, *, open: Sequence[tuple[str, str]], into: Path) -> Iterator[
    Errand
]:  # fmt: skip
    """Chats that are taken in, and votes on duels that have none.

    open  id and question of those
    into  a folder for the files of the chats
    """
    left = list(open)
    for number in range(1000):
        if left and draw.random() < 0.5:
            id, question = left.pop(draw.randrange(len(left)))
            outcome = draw.choice(OUTCOMES)
            vote = Commit(kind="vote", duel=question, outcome=outcome)
            yield Errand(step="command vote", words=("vote", id, outcome), deed=(vote,))
        else:
            file = into / f"{number}.json"
            deed = conversation(draw, f"{name} {number}")
            file.write_bytes(to_json(archive(deed, draw)))
            yield Errand(step="command import", words=("chats", "import", str(file)), deed=deed)


def conversation(draw: Random, name: str) -> Deed:
    """A few chats with questions and whole answers."""
    kinds = ("ask", "begin", "finish")
    done = [c for c in islice(commits(draw, name), 60) if c.kind in kinds]
    while done[-1].kind != "finish":
        done.pop()
    return tuple(done)


def archive(deed: Deed, draw: Random) -> list[StoredChat]:
    """The chats that a deed comes to, as a file of them holds them."""
    chats: list[list[Commit]] = []
    for commit in deed:
        if commit.fresh:
            chats.append([])
        if commit.kind != "begin":
            chats[-1].append(commit)
    return [_stored(said, draw) for said in chats]


def _stored(said: list[Commit], draw: Random) -> StoredChat:
    ids = ["", *(f"{draw.getrandbits(48):012x}" for _ in said), ""]
    messages = tuple(
        StoredMessage(
            id=ids[n], parent=ids[n - 1], chosen=ids[n + 1], text=commit.text, at=0.0,
            role="user" if commit.kind == "ask" else "assistant",
        )
        for n, commit in enumerate(said, 1)
    )  # fmt: skip
    return StoredChat(
        id=f"{draw.getrandbits(32):08x}", title=said[0].text[:80], named=False, created=0.0,
        changed=0.0, pinned=False, first=ids[1], messages=messages,
    )  # fmt: skip


def command(program: Program, fuse: Fuse, todo: Iterator[Errand]) -> Course:
    """One command after the other until the kill."""
    course = Course()
    told = 0
    for errand in todo:
        course.moment, course.under = errand.step, errand.deed
        fuse.begins(errand.step, told=told)
        run = program.begin(*errand.words)
        told = _carried_out(run, course, fuse)
        if not told:
            return course
    raise SystemExit("There are no errands left.")


def _carried_out(run: Run, course: Course, fuse: Fuse) -> int:
    """Deeds that were told, 1, where the command came to its end; 0 where it was killed."""
    ended = run.answers(before=fuse.patience) and run.ends(before=fuse.patience)
    hangs = run.speaks and time.monotonic() < fuse.at
    code = run.end() if ended else run.kill()
    if run.streams:
        _acknowledge(course)
    if code == 0 and not course.under:  # maybe just before the kill, which the next one then meets
        return 1
    if code != -signal.SIGKILL or hangs:
        course.problem = "it hangs" if hangs else f"{course.moment} ended with {code}"
    return 0


def _acknowledge(course: Course) -> None:
    course.told.append(course.under)
    course.under = ()


# The window ---------------------------------------------------------------------------------


def window(
    program: Program, fuse: Fuse, name: str, kept: Callable[[], Kept]
) -> tuple[Course, Kept]:
    """Type questions into the window and vote by key until the kill; with what another reader of
    the data folder found the moment before.

    kept  reads the data folder as it is
    """
    course = Course(moment="window start")
    fuse.begins("window start")
    ended_badly = (program.folder / LOGS / NOW).exists()
    run = program.begin()
    for number in range(1000):
        if number == 0 and not _comes_up(program, run, fuse):
            break
        if number == 0 and ended_badly:  # it asks how to go on; as ever is its second button
            _press(program, "key", "Tab", "space")
        question = f"Question {name} {number}"
        course.moment = "window"
        fuse.begins("window", told=min(number, 1))
        _press(program, "type", "--delay", "1", question)
        _press(program, "key", "Return")
        if not _until(lambda q=question: _answered(kept(), q), run, fuse):  # type: ignore[misc]
            break
        _press(program, "key", _VOTES[number % len(_VOTES)])
    seen = kept()
    _kill(run, course, fuse)
    return course, seen


def _comes_up(program: Program, run: Run, fuse: Fuse) -> bool:
    def shown() -> bool:
        found = _press(program, "search", "--onlyvisible", "--pid", str(run.pid)).split()
        if found:
            _press(program, "windowfocus", found[0])
        return bool(found)

    return _until(shown, run, fuse)


def _answered(found: Kept, question: str) -> bool:
    """Whether the question is there, and whatever follows it is complete."""
    for messages in found.chats:
        texts = [text for _, text, _ in messages]
        if question in texts:
            after = messages[texts.index(question) + 1 :]
            return bool(after) and all(state != "partial" for _, _, state in after)
    return False


def _until(there: Callable[[], bool], run: Run, fuse: Fuse) -> bool:
    until = fuse.patience
    while not there():
        if run.ends(before=min(until, time.monotonic() + LOOK)) or time.monotonic() >= until:
            return False
    return True


def _press(program: Program, *words: str) -> str:
    command = ("xdotool", *words)
    done = subprocess.run(
        command, env=program.environment, capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    return done.stdout
