"""Answers are kept while they stream; chats are taken out, taken in, and erased everywhere."""

from __future__ import annotations

import os
import random
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from engine.api import Engine
from engine.errors import InputError, StorageError, UnknownChat, UnknownMessage
from engine.paths import DataFolder
from engine.session.chats import JSON_NAME, PIECE_SECONDS, PIECE_TOKENS, Chats
from engine.store import database
from engine.store.chats import TRASH_SECONDS
from engine.store.record import Record
from engine.types.answers import Answer, Finish, Seconds
from engine.types.chats import MessageState

DAY = 86_400.0

OLD = Path(__file__).parents[2] / "fixtures" / "chats-v1.db"


class Kept:
    """Chats in a folder, and two clocks to set."""

    def __init__(self, root: Path) -> None:
        self.now, self.ticks = 1_790_000_000.0, 50.0
        self.folder = DataFolder(root=root)
        self.record = Record(self.folder.record, clock=lambda: self.now)
        self.chats = self.opened(seed=1)

    def opened(self, *, seed: int) -> Chats:
        return Chats(
            self.folder,
            self.record,
            clock=lambda: self.now,
            rng=random.Random(seed),
            monotonic=lambda: self.ticks,
        )

    def text(self, message: str) -> str:
        """What another process reads."""
        other = self.opened(seed=2)
        (found,) = (m for m in other.versions(message) if m.id == message)
        other.close()
        return found.text

    def talk(self, question: str = "Well?", text: str = "Yes.") -> str:
        asked = self.chats.ask(question)
        begun = self.chats.begin_answer(asked.id)
        self.chats.finish(begun.id, answer(text))
        return asked.chat


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    fast = tuple((n, 0 if n == "synchronous" else v) for n, v in database.PRAGMAS)
    monkeypatch.setattr(database, "PRAGMAS", fast)
    made = Kept(tmp_path)
    yield made
    made.chats.close()
    made.record.close()


def answer(text: str = "Yes.", finish: Finish = "end") -> Answer:
    return Answer(
        text=text, finish=finish, tokens=3, streams=2, gamma=2.0, seed=1, used=9, context=99,
        model="tiny", seconds=Seconds(load=1.0, prefill=0.25, decode=0.5, steer=0.125),
    )  # fmt: skip


# Streaming ----------------------------------------------------------------------------------


def test_an_answer_is_kept_a_piece_at_a_time_by_the_clock(kept: Kept) -> None:
    begun = kept.chats.begin_answer(kept.chats.ask("Well?").id)
    kept.chats.append(begun.id, "a", tokens=1)
    kept.ticks += PIECE_SECONDS - 0.01
    kept.chats.append(begun.id, "b", tokens=2)
    assert kept.text(begun.id) == ""
    kept.ticks += 0.01
    kept.chats.append(begun.id, "c", tokens=3)
    assert kept.text(begun.id) == "abc"
    kept.ticks += PIECE_SECONDS - 0.01
    kept.chats.append(begun.id, "d", tokens=4)
    assert kept.text(begun.id) == "abc"


def test_an_answer_is_kept_a_piece_at_a_time_by_the_tokens(kept: Kept) -> None:
    begun = kept.chats.begin_answer(kept.chats.ask("Well?").id)
    pieces = [f"{n} " for n in range(1, 2 * PIECE_TOKENS + 2)]
    for number, text in enumerate(pieces, 1):
        kept.chats.append(begun.id, text, tokens=number)
        on_disk = number // PIECE_TOKENS * PIECE_TOKENS
        assert kept.text(begun.id) == "".join(pieces[:on_disk])


def test_two_answers_of_a_duel_stream_side_by_side(kept: Kept) -> None:
    asked = kept.chats.ask("Which?")
    first = kept.chats.begin_answer(asked.id)
    second = kept.chats.begin_answer(asked.id, choose=False)
    for n in range(1, PIECE_TOKENS + 1):
        kept.chats.append(first.id, "a", tokens=n)
        kept.chats.append(second.id, "b", tokens=n)
    assert kept.text(first.id) == "a" * PIECE_TOKENS
    assert kept.text(second.id) == "b" * PIECE_TOKENS
    kept.chats.finish(first.id, answer("A"), duel="d1")
    kept.chats.finish(second.id, answer("B"), duel="d1")
    assert [m.text for m in kept.chats.choose(second.id).messages] == ["Which?", "B"]
    assert [m.duel for m in kept.chats.versions(first.id)] == ["d1", "d1"]


@pytest.mark.parametrize(
    ("finish", "state"),
    [
        ("end", "whole"), ("length", "whole"), ("context", "whole"),
        ("stopped", "stopped"), ("interrupted", "interrupted"),
    ],
)  # fmt: skip
def test_the_engines_last_word_counts(kept: Kept, finish: Finish, state: MessageState) -> None:
    begun = kept.chats.begin_answer(kept.chats.ask("Well?").id)
    kept.chats.append(begun.id, "Ye", tokens=1)
    ended = kept.chats.finish(begun.id, answer("Yes.", finish), facts={"member": "m"})
    assert (ended.text, ended.state, ended.finish, ended.model) == ("Yes.", state, finish, "tiny")
    assert (ended.tokens, ended.facts) == (3, {"seconds": 1.875, "member": "m"})
    assert kept.text(begun.id) == "Yes."
    assert kept.chats._pieces == {}


def test_an_answer_that_breaks_off_keeps_every_token_that_came(kept: Kept) -> None:
    begun = kept.chats.begin_answer(kept.chats.ask("Well?").id)
    kept.chats.append(begun.id, "Ye", tokens=1)
    kept.chats.append(begun.id, "s", tokens=2)
    ended = kept.chats.break_off(begun.id)
    assert (ended.text, ended.state, ended.tokens) == ("Yes", "interrupted", 2)
    empty = kept.chats.begin_answer(begun.parent)
    assert kept.chats.break_off(empty.id).text == ""
    assert kept.chats._pieces == {}


def test_a_piece_that_could_not_be_kept_is_kept_with_the_next(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = kept.chats.begin_answer(kept.chats.ask("Well?").id)
    with monkeypatch.context() as patch:
        patch.setattr(database, "PRAGMAS", (*database.PRAGMAS, ("query_only", 1)))
        kept.chats.close()
        with pytest.raises(StorageError):
            kept.chats.append(begun.id, "a", tokens=PIECE_TOKENS)
    kept.chats.close()
    kept.chats.append(begun.id, "b", tokens=PIECE_TOKENS + 1)
    assert kept.text(begun.id) == "ab"


def test_an_answer_whose_chat_was_erased_meanwhile_is_said(kept: Kept) -> None:
    asked = kept.chats.ask("Well?")
    begun = kept.chats.begin_answer(asked.id)
    kept.chats.erase(asked.chat)
    with pytest.raises(UnknownMessage, match="erased"):
        kept.chats.append(begun.id, "a", tokens=PIECE_TOKENS)


# The list -----------------------------------------------------------------------------------


def test_everything_in_the_list_can_be_changed_and_found(kept: Kept) -> None:
    first = kept.talk("First?")
    kept.now += 1
    second = kept.talk("Second?")
    assert [chat.id for chat in kept.chats.page()] == [second, first]
    kept.chats.pin(first)
    kept.chats.rename(second, "Renamed")
    assert [c.title for c in kept.chats.page(limit=1)] == ["First?"]
    assert [c.title for c in kept.chats.page(before=first)] == ["Renamed"]
    assert [found.chat.id for found in kept.chats.search("renam")] == [second]
    kept.chats.delete(second)
    assert [c.id for c in kept.chats.page(trash=True)] == [second]
    kept.chats.undelete(second)
    kept.chats.withdraw(kept.chats.ask("Third?").id)
    assert len(kept.chats.page()) == 2


def test_an_engine_has_chats_and_opens_no_file_before_they_are_asked_for(tmp_path: Path) -> None:
    engine = Engine(tmp_path, seeds=lambda: 3, clock=lambda: 7.0)
    try:
        chats = engine.chats
        assert not (tmp_path / "chats.db").exists()
        asked = chats.ask("Well?")
        assert (asked.at, engine.chats.open(asked.chat).chat.created) == (7.0, 7.0)
    finally:
        engine.close()


# Gone for good ------------------------------------------------------------------------------


def everything(folder: Path) -> bytes:
    return b"".join(p.read_bytes().lower() for p in folder.rglob("*") if p.is_file())


def test_what_is_erased_is_in_no_copy_either(kept: Kept) -> None:
    gone, stays = kept.talk("Quetzalword?", "Zyzzyvaword."), kept.talk("Stays?")
    (copy,) = kept.chats.backups.make()
    kept.chats.backups.restore(copy.name)
    assert everything(kept.folder.root).count(b"yzzyvaword") >= 3
    kept.chats.erase(gone)
    assert b"yzzyvaword" not in everything(kept.folder.root)
    assert b"uetzalword" not in everything(kept.folder.root)
    kept.chats.backups.restore(copy.name)
    assert [chat.id for chat in kept.chats.page()] == [stays]
    with pytest.raises(UnknownChat):
        kept.chats.erase(gone)


def test_what_is_erased_is_in_no_copy_of_an_older_version_either(kept: Kept) -> None:
    kept.folder.backups.mkdir()
    for path in (kept.folder.chats, kept.folder.backups / "chats-2026-01-02T030405Z.db"):
        shutil.copy(OLD, path)
    (basil,) = (chat.id for chat in kept.chats.page() if "basil" in chat.title)
    assert kept.folder.chats.with_name("chats.db.before-v2").exists()
    assert everything(kept.folder.root).count(b"water it") >= 3
    kept.chats.erase(basil)
    assert b"water it" not in everything(kept.folder.root)
    assert b"basil" not in everything(kept.folder.root)
    assert [backup.of for backup in kept.chats.backups.list()] == ["chats.db"]


def test_a_copy_that_cannot_be_read_is_named_and_the_rest_is_erased(kept: Kept) -> None:
    gone = kept.talk()
    (copy,) = kept.chats.backups.make()
    path = kept.folder.backups / copy.name
    path.write_bytes(b"damaged" * 1000)
    with pytest.raises(StorageError, match=copy.name):
        kept.chats.erase(gone)
    assert kept.chats.page() == kept.chats.page(trash=True) == ()


def test_tending_erases_what_was_in_the_trash_for_long_and_makes_copies(kept: Kept) -> None:
    assert kept.chats.tend() == ()
    assert not kept.folder.chats.exists()
    gone, stays = kept.talk("Quetzalword?"), kept.talk("Stays?")
    kept.chats.delete(gone)
    (copy,) = kept.chats.tend()
    kept.now += TRASH_SECONDS
    (later,) = kept.chats.tend()
    assert len(kept.chats.page(trash=True)) == 1
    kept.now += 1.0
    assert kept.chats.tend() == ()
    assert kept.chats.page(trash=True) == ()
    assert b"uetzalword" not in everything(kept.folder.root)
    assert [c.name for c in kept.chats.backups.list()] == [later.name, copy.name]
    assert [chat.id for chat in kept.chats.page()] == [stays]


def test_a_damaged_copy_does_not_stop_the_tending(kept: Kept) -> None:
    kept.chats.delete(kept.talk())
    (copy,) = kept.chats.tend()
    (kept.folder.backups / copy.name).write_bytes(b"damaged" * 1000)
    kept.now += TRASH_SECONDS + DAY
    assert len(kept.chats.tend()) == 1
    assert kept.chats.page(trash=True) == ()


# Taking out ---------------------------------------------------------------------------------


def test_a_chat_can_be_read_as_markdown(kept: Kept, tmp_path: Path) -> None:
    id = kept.talk("How *is* it?", "# Good\n\n- very\n")
    other = kept.chats.begin_answer(kept.chats.open(id).messages[0].id, model="other")
    kept.chats.finish(other.id, answer("Cut", "stopped"))
    (file,) = kept.chats.export(tmp_path / "chat.md", chats=[id])
    assert file == tmp_path / "chat.md"
    assert file.read_text("utf-8") == (
        "# How *is* it?\n\n2026-09-21 14:13 UTC to 2026-09-21 14:13 UTC\n\n"
        "## You\n\nHow *is* it?\n\n## tiny (stopped)\n\nCut\n"
    )
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_markdown_of_an_unfinished_answer_says_so_and_what_else_is_finished(
    kept: Kept, tmp_path: Path
) -> None:
    id = kept.talk("How is it?", "Good.")
    asked = kept.chats.open(id).messages[0].id
    begun = kept.chats.begin_answer(asked, model="other")
    (file,) = kept.chats.export(tmp_path / "none.md", chats=[id])
    mention = "*Another version of this answer is finished; choose it to export it.*"
    assert file.read_text("utf-8").endswith(
        f"## other (not finished)\n\n*Nothing was written yet.*\n\n{mention}\n"
    )
    kept.chats.append(begun.id, "So far", tokens=2)
    (file,) = kept.chats.export(tmp_path / "some.md", chats=[id])
    assert file.read_text("utf-8").endswith(f"## other (not finished)\n\nSo far\n\n{mention}\n")
    kept.chats.finish(begun.id, answer("So far, so good."))
    (file,) = kept.chats.export(tmp_path / "whole.md", chats=[id])
    assert file.read_text("utf-8").endswith("## tiny\n\nSo far, so good.\n")


def test_all_chats_come_as_a_file_each_with_names_that_fit_anywhere(
    kept: Kept, tmp_path: Path
) -> None:
    ids = [kept.talk('What is "a/b\\c:*?" <|>..\n' + "long " * 30), kept.talk("???"), kept.talk()]
    kept.chats.delete(ids[2])
    files = kept.chats.export(tmp_path / "out")
    names = [file.name for file in files]
    assert names == [
        f"2026-09-21-What-is-a-b-c-{ids[0]}.md",
        f"2026-09-21-{ids[1]}.md",
    ]
    assert sorted(os.listdir(tmp_path / "out")) == sorted(names)


def test_everything_comes_as_json_and_can_be_taken_in_elsewhere(kept: Kept, tmp_path: Path) -> None:
    ids = [kept.talk("One?"), kept.talk("Two?")]
    kept.chats.ask("One, edited?", chat=ids[0])
    (file,) = kept.chats.export(tmp_path, format="json")
    assert file == tmp_path / JSON_NAME
    elsewhere = Kept(tmp_path / "elsewhere")
    elsewhere.folder.root.mkdir()
    imported = elsewhere.chats.import_file(file)
    assert (imported.chats, imported.messages, imported.skipped) == (2, 5, 0)
    for id in ids:
        assert elsewhere.chats.open(id) == kept.chats.open(id)
    again = elsewhere.chats.import_file(file)
    assert (again.chats, again.messages, again.skipped) == (0, 0, 2)
    elsewhere.chats.close()


def test_an_export_never_writes_over_anything(kept: Kept, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no chats"):
        kept.chats.export(tmp_path)
    first, second = kept.talk(), kept.talk()
    out = tmp_path / "out"
    (only,) = kept.chats.export(tmp_path / "one.md", chats=[second])
    out.mkdir()
    (there,) = kept.chats.export(out, chats=[second])
    there.write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        kept.chats.export(out)
    with pytest.raises(InputError, match="is there already"):
        kept.chats.export(only, chats=[first], format="json")
    assert os.listdir(out) == [there.name]
    assert there.read_text() == "mine"
    with pytest.raises(StorageError, match="cannot be written"):
        kept.chats.export(tmp_path / "none" / "there" / "one.md", chats=[first])
    with pytest.raises(UnknownChat):
        kept.chats.export(out, chats=["none"])


# Another program, a full disk ---------------------------------------------------------------


def test_a_chat_that_is_brought_back_while_the_trash_is_emptied_stays(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("Back?", "Again?", "Erased?", "Gone?")
    back, again, erased, gone = (kept.talk(question) for question in names)
    for chat in (back, again, erased, gone):
        kept.chats.delete(chat)
    kept.now += TRASH_SECONDS + 1.0
    erase_copies = kept.chats._erase_copies

    def meanwhile(chats: Sequence[str]) -> list[Path]:
        other = kept.opened(seed=2)
        other.undelete(back)
        other.undelete(again)
        other.delete(again)
        other._store.erase([erased])
        other.close()
        return erase_copies(chats)

    monkeypatch.setattr(kept.chats, "_erase_copies", meanwhile)
    kept.chats.tend()
    assert [chat.id for chat in kept.chats.page()] == [back]
    assert [chat.id for chat in kept.chats.page(trash=True)] == [again]


def test_damaged_chats_do_not_keep_the_votes_from_being_copied(kept: Kept) -> None:
    kept.record.reset()
    kept.folder.chats.write_bytes(b"no database at all" * 500)
    with pytest.raises(StorageError):
        kept.chats.tend()
    assert [copy.of for copy in kept.chats.backups.list()] == ["record.db"]


def test_what_is_erased_is_in_no_copy_that_a_crash_left_half_made(kept: Kept) -> None:
    gone = kept.talk("Quetzalword?")
    (copy,) = kept.chats.backups.make()
    part = kept.folder.backups / f"{copy.name[:-3]}.db.part"
    part.write_bytes((kept.folder.backups / copy.name).read_bytes())
    kept.chats.erase(gone)
    assert not part.exists()
    assert b"uetzalword" not in everything(kept.folder.root)


def test_a_full_disk_is_said_with_the_name_of_the_file(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    chat = kept.talk()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        with pytest.raises(StorageError, match=r"one\.md cannot be written \(No space left"):
            kept.chats.export(tmp_path / "one.md", chats=[chat])
    assert not (tmp_path / "one.md").exists()


def test_a_name_that_no_system_takes_is_said(kept: Kept, tmp_path: Path) -> None:
    chat = kept.talk()
    for format in ("md", "json"):
        with pytest.raises(StorageError, match="cannot be written"):
            kept.chats.export(tmp_path / ("x" * 300), chats=[chat], format=format)


def test_a_title_of_any_letters_makes_a_name_that_fits(kept: Kept, tmp_path: Path) -> None:
    for letter in ("\U0001d400", "\u4e00", "e"):
        kept.talk(letter * 80)
    files = kept.chats.export(tmp_path / "out")
    assert len({file.name for file in files}) == 3
    assert all(len(file.name.encode()) <= 255 for file in files)
