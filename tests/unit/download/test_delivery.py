"""Files from a hub, whole or not at all: every way in which a download can go wrong."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.download import delivery, transfer
from engine.download.delivery import Manner, deliver
from engine.download.wire import Wire
from engine.errors import (
    AttuneError,
    ConnectionLost,
    DownloadError,
    InputError,
    NotOnHub,
    StorageError,
    Unreachable,
    WrongFile,
)
from engine.models.connections import ConnectionLog
from engine.models.order import Delivered, Order, final_name, part_name
from engine.models.partial import locked
from engine.types.library import Connection
from tests.fakes.hub import COMMIT, Fault, Hub, serving

DATA = random.Random(3).randbytes(300_000)
MUCH = 64 << 20
SHA256 = hashlib.sha256(DATA).hexdigest()
FILE = "model-q4.gguf"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub(files={FILE: DATA, "folder/other.gguf": b"other"})) as hub:
        yield hub


class Courier:
    """Orders a file into a folder, and remembers what was told."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        self.hub, self.folder = hub, folder / "downloaded"
        self.folder.mkdir()
        self.log = ConnectionLog(folder / "connections.jsonl")
        self.told: list[tuple[int, int]] = []
        self.slept: list[float] = []

    def bring(
        self,
        *,
        file: str = FILE,
        sha256: str = SHA256,
        size: int = len(DATA),
        endpoint: str = "",
        patience: float = 5.0,
        pauses: tuple[float, ...] = (1.0, 2.0),
    ) -> Delivered:
        order = Order(
            repository="owner/name",
            revision=COMMIT,
            file=file,
            sha256=sha256,
            size=size,
            folder=str(self.folder),
            log=str(self.folder.parent / "connections.jsonl"),
        )
        wire = Wire(self.log, purpose=file, clock=lambda: 1e9, connected=lambda host: None)
        manner = Manner(
            endpoint=endpoint or self.hub.endpoint,
            patience=patience,
            pauses=pauses,
            sleep=self.slept.append,
        )
        try:
            return deliver(
                order, wire=wire, tell=lambda *told: self.told.append(told), manner=manner
            )
        finally:
            wire.end("done")

    def fails(self, kind: type[AttuneError], **how: object) -> str:
        """The sentence; no file is there under a model's name afterwards."""
        with pytest.raises(kind) as caught:
            self.bring(**how)  # type: ignore[arg-type]
        assert type(caught.value) is kind
        assert caught.value.message.count("\n") == 0
        assert not list(self.folder.rglob("*.gguf"))
        return caught.value.message

    @property
    def part(self) -> Path:
        return self.folder / part_name(FILE, SHA256)

    def ends(self) -> list[str]:
        return [each.ended for each in reversed(self.log.read())]


@pytest.fixture
def courier(hub: Hub, tmp_path: Path) -> Courier:
    return Courier(hub, tmp_path)


# Whole --------------------------------------------------------------------------------------


def test_a_file_arrives_whole_under_its_name(courier: Courier) -> None:
    delivered = courier.bring()
    path = courier.folder / FILE
    assert delivered == Delivered(path=str(path), sha256=SHA256, size=len(DATA), revision=COMMIT)
    assert path.read_bytes() == DATA
    assert sorted(os.listdir(courier.folder)) == [FILE]
    assert courier.told[0] == (0, len(DATA))
    assert courier.told[-1] == (len(DATA), len(DATA))
    assert courier.told == sorted(courier.told)


def test_it_is_for_its_owner_alone_to_read(courier: Courier) -> None:
    courier.bring()
    assert (courier.folder / FILE).stat().st_mode & 0o077 == 0


def test_a_file_whose_hash_only_the_hub_knows_is_checked_with_that(courier: Courier) -> None:
    assert courier.bring(sha256="", size=0).sha256 == SHA256


def test_a_file_in_a_folder_of_the_repository_gets_its_last_name(courier: Courier) -> None:
    sha256 = hashlib.sha256(b"other").hexdigest()
    delivered = courier.bring(file="folder/other.gguf", sha256=sha256, size=5)
    assert Path(delivered.path) == courier.folder / "other.gguf"


def test_the_hub_learns_the_programs_name_and_nothing_else(courier: Courier) -> None:
    courier.bring()
    assert all(agent.startswith("attune/") for agent in courier.hub.agents)
    assert len(courier.hub.agents) == 1


def test_a_file_that_is_there_is_not_fetched_again(courier: Courier) -> None:
    courier.bring()
    before = list(courier.hub.requests)
    assert courier.bring().path == str(courier.folder / FILE)
    assert courier.hub.requests == before


def test_a_file_of_that_name_with_other_contents_stays(courier: Courier) -> None:
    (courier.folder / FILE).write_bytes(b"mine")
    delivered = courier.bring()
    assert delivered.path == str(courier.folder / "model-q4-2.gguf")
    assert (courier.folder / FILE).read_bytes() == b"mine"


def test_bytes_that_lie_elsewhere_are_followed_there(courier: Courier) -> None:
    with serving(Hub(files={FILE: DATA})) as other:
        courier.hub.stores = other.stores
        courier.bring()
        assert len(other.fetched()) == 1
        hosts = {each.host for each in courier.log.read()}
        assert hosts == {
            courier.hub.endpoint.removeprefix("http://"),
            other.stores.removeprefix("http://"),
        }


# Cut and gone on with -----------------------------------------------------------------------


def test_a_cut_connection_is_gone_on_with_where_it_was(courier: Courier) -> None:
    courier.hub.faults = [Fault(after=100_000, cut=True), Fault(after=50_000, cut=True)]
    courier.bring()
    assert (courier.folder / FILE).read_bytes() == DATA
    first, second, third = courier.hub.fetched()
    starts = [int(each.removeprefix("bytes=").rstrip("-")) for each in (second, third)]
    assert first == ""
    assert 0 < starts[0] <= 100_000
    assert starts[0] < starts[1] <= starts[0] + 50_000
    assert courier.slept == [1.0, 1.0]  # each brought something


def test_what_a_polite_end_left_out_is_fetched(courier: Courier) -> None:
    courier.hub.faults = [Fault(after=81_920)]
    courier.bring()
    assert courier.hub.fetched() == ["", "bytes=81920-"]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, 120_000), max_size=4))
def test_no_byte_is_fetched_twice_wherever_it_is_cut(
    cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    faults = [Fault(after=after) for after in cuts]
    with serving(Hub(files={FILE: DATA}, faults=faults)) as hub:
        courier = Courier(hub, tmp_path_factory.mktemp("cut"))
        courier.bring()
        assert hub.sent <= len(DATA)
        assert (courier.folder / FILE).read_bytes() == DATA


def test_what_is_given_up_is_gone_on_with_the_next_time(courier: Courier) -> None:
    courier.hub.faults = [Fault(after=100_000)] + [Fault(status=503)] * 3
    message = courier.fails(DownloadError)
    assert "503" in message
    assert "kept" in message
    assert courier.slept == [1.0, 2.0]
    assert courier.part.stat().st_size == 100_000
    courier.bring()
    assert courier.hub.fetched()[-1] == "bytes=100000-"
    assert courier.hub.sent == len(DATA)
    assert sorted(os.listdir(courier.folder)) == [FILE]


def test_a_hub_that_knows_no_ranges_sends_all_again(courier: Courier) -> None:
    courier.hub.ranges = False
    courier.hub.faults = [Fault(after=100_000)]
    courier.bring()
    assert (courier.folder / FILE).read_bytes() == DATA
    assert courier.hub.sent == len(DATA) + 100_000


def test_another_part_than_was_asked_for_is_not_taken(courier: Courier) -> None:
    courier.hub.faults = [Fault(after=81_920), Fault(later=8)]
    courier.bring()
    assert (courier.folder / FILE).read_bytes() == DATA
    assert courier.hub.fetched() == ["", "bytes=81920-", ""]


def test_a_part_that_is_too_long_is_begun_anew(courier: Courier) -> None:
    courier.part.write_bytes(DATA + b"more")
    courier.bring()
    assert courier.hub.fetched() == [""]


def test_a_part_that_is_whole_is_only_hashed(courier: Courier) -> None:
    courier.part.write_bytes(DATA)
    courier.bring()
    assert courier.hub.fetched() == []
    assert (courier.folder / FILE).read_bytes() == DATA


def test_a_part_with_other_contents_is_found_out_and_deleted(courier: Courier) -> None:
    courier.part.write_bytes(b"x" * 1000)
    message = courier.fails(WrongFile)
    assert "deleted" in message
    assert os.listdir(courier.folder) == []


# Wrong --------------------------------------------------------------------------------------


def test_contents_with_another_hash_never_become_a_model(courier: Courier) -> None:
    wrong = bytearray(DATA)
    wrong[200_000] ^= 1
    courier.hub.files[FILE] = bytes(wrong)
    courier.hub.told_sha256 = SHA256
    message = courier.fails(WrongFile)
    assert hashlib.sha256(wrong).hexdigest()[:12] in message
    assert SHA256[:12] in message
    assert os.listdir(courier.folder) == []


def test_a_hub_that_names_another_hash_is_asked_for_no_byte(courier: Courier) -> None:
    courier.hub.files[FILE] = DATA + b"!"
    assert "nothing was fetched" in courier.fails(WrongFile)
    assert courier.hub.fetched() == []


def test_a_hub_that_names_another_size_is_asked_for_no_byte(courier: Courier) -> None:
    courier.hub.told_size = len(DATA) + 1
    message = courier.fails(WrongFile)
    assert "300,001 bytes, not 300,000" in message
    assert courier.hub.fetched() == []


def test_a_file_with_no_hash_is_not_fetched(courier: Courier) -> None:
    courier.hub.told_sha256 = "5d41402abc4b2a76b9719d911017c592aaaaaaaa"  # git's own
    assert "SHA-256" in courier.fails(NotOnHub, sha256="", size=0)


def test_what_is_longer_than_it_should_be_is_cut_off_and_found_out(courier: Courier) -> None:
    courier.hub.files[FILE] = b"x" + DATA
    courier.hub.told_sha256, courier.hub.told_size = SHA256, len(DATA)
    courier.fails(WrongFile)


def test_nothing_is_waited_for_when_the_file_is_whole(courier: Courier) -> None:
    courier.hub.faults = [Fault(much=MUCH)]
    courier.bring()
    assert (courier.folder / FILE).read_bytes() == DATA
    assert courier.hub.sent < MUCH / 2
    assert courier.told.count((len(DATA), len(DATA))) == 1


def test_what_follows_an_error_is_not_read(courier: Courier) -> None:
    courier.hub.faults = [Fault(status=503, much=MUCH)]
    courier.bring()
    assert courier.hub.sent < len(DATA) + MUCH / 2


def test_a_hub_that_tells_no_size_is_asked_for_no_byte(courier: Courier) -> None:
    courier.part.write_bytes(DATA[:1000])
    courier.hub.told_size = -1
    assert "how large" in courier.fails(NotOnHub, sha256="", size=0)
    assert courier.hub.fetched() == []
    assert courier.part.exists()


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("nul.gguf", "model-nul.gguf"), ("CON.Q4_0.gguf", "model-CON.Q4_0.gguf"),
        ("folder/com1.gguf", "model-com1.gguf"), ("..\\..\\x.gguf", "x.gguf"),
        ("\u202eabc\x1b.gguf", "abc.gguf"), ("console.gguf", "console.gguf"),
    ],
)  # fmt: skip
def test_no_name_from_the_hub_means_anything_to_a_system(file: str, name: str) -> None:
    assert final_name(file) == name


def test_what_is_shorter_than_it_should_be_is_given_up(courier: Courier) -> None:
    courier.hub.files[FILE] = DATA[:-1]
    courier.hub.told_sha256, courier.hub.told_size = SHA256, len(DATA)
    assert "sends less" in courier.fails(ConnectionLost)
    assert courier.slept == [1.0, 2.0]


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ((404, "EntryNotFound"), "There is no file model-q4.gguf in owner/name"),
        ((404, "RevisionNotFound"), "no longer has the version"),
        ((401, "RepoNotFound"), "There is no owner/name"),
        ((404, ""), "There is no owner/name"),
        ((403, "GatedRepo"), "does not give"),
        ((403, ""), "does not give"),
    ],
)
def test_what_the_hub_does_not_have_is_said(
    courier: Courier, refusal: tuple[int, str], words: str
) -> None:
    courier.hub.refusal = refusal
    assert words in courier.fails(NotOnHub)
    assert len(courier.hub.requests) == 1  # asked once, and no oftener


def test_a_hub_in_trouble_is_said(courier: Courier) -> None:
    courier.hub.refusal = (500, "")
    assert "error 500" in courier.fails(DownloadError)


# Out of reach -------------------------------------------------------------------------------


def test_a_hub_that_hangs_before_it_answers_is_given_up(courier: Courier) -> None:
    courier.hub.hang_at_head = True
    assert "fell silent" in courier.fails(ConnectionLost, patience=0.2)
    assert courier.ends() == ["no answer in time"]


def test_a_hub_that_hangs_in_the_middle_is_asked_again_and_given_up(courier: Courier) -> None:
    courier.hub.faults = [Fault(after=100_000, hang=True), *[Fault(hang=True)] * 2]
    message = courier.fails(ConnectionLost, patience=0.2, pauses=(1.0,))
    assert "fell silent" in message
    assert courier.part.stat().st_size == 100_000
    courier.hub.faults = []
    courier.bring()
    assert courier.hub.sent == len(DATA)


def test_an_unknown_host_is_said_at_once(courier: Courier) -> None:
    message = courier.fails(Unreachable, endpoint="http://hub.invalid")
    assert "hub.invalid cannot be found" in message
    assert courier.slept == []
    assert courier.ends() == ["no such host"]


def test_a_closed_door_is_said_at_once(courier: Courier) -> None:
    message = courier.fails(Unreachable, endpoint="http://127.0.0.1:1")
    assert "takes no connection" in message
    assert courier.ends() == ["refused"]


def test_a_server_that_speaks_no_tls_gets_no_request(courier: Courier) -> None:
    secure = courier.hub.endpoint.replace("http://", "https://")
    assert "takes no connection" in courier.fails(Unreachable, endpoint=secure)
    assert courier.ends() == ["no TLS"]


# The disk -----------------------------------------------------------------------------------


def test_a_file_that_has_no_room_is_refused_before_its_bytes(
    courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MARGIN", 1 << 60)
    assert "are free" in courier.fails(StorageError)
    assert courier.hub.fetched() == []


def test_a_disk_that_fills_up_keeps_what_came(
    courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = transfer._Part.write

    def full(part: transfer._Part, block: bytes) -> None:
        if part.size + len(block) > 200_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(part, block)

    with monkeypatch.context() as patch:
        patch.setattr(transfer._Part, "write", full)
        assert "The disk is full" in courier.fails(StorageError)
    assert 0 < courier.part.stat().st_size <= 200_000
    courier.bring()
    assert (courier.folder / FILE).read_bytes() == DATA


def test_two_downloads_into_one_folder_do_not_meet(courier: Courier) -> None:
    with locked(courier.folder):
        assert "Another window or terminal" in courier.fails(InputError)
    assert courier.hub.requests == []


# The log ------------------------------------------------------------------------------------


def test_every_connection_is_in_the_log(courier: Courier) -> None:
    courier.hub.faults = [Fault(after=100_000, cut=True)]
    courier.bring()
    rest, first, asked = courier.log.read()
    hosts = courier.hub.endpoint, courier.hub.stores, courier.hub.stores
    assert [each.host for each in (asked, first, rest)] == [
        h.removeprefix("http://") for h in hosts
    ]
    assert {each.purpose for each in (asked, first, rest)} == {FILE}
    assert [each.ended for each in (asked, first, rest)] == ["done", "broken off", "done"]
    assert 0 < asked.received < 2_000
    assert 0 < asked.sent < 2_000
    assert first.received < 110_000
    assert len(DATA) < first.received + rest.received < len(DATA) + 2_000


def test_no_connection_is_made_that_cannot_be_logged(courier: Courier, tmp_path: Path) -> None:
    (tmp_path / "connections.jsonl").mkdir()
    assert "log of connections" in courier.fails(StorageError)
    assert courier.hub.requests == []


def test_the_bytes_so_far_are_in_the_log_before_the_end(courier: Courier) -> None:
    """A clock that runs fast has them written at once."""
    seen: list[Connection] = []
    ticks = iter(range(10**6))
    wire = Wire(
        courier.log, purpose="x", clock=lambda: float(next(ticks)), connected=lambda host: None
    )
    order = Order(
        repository="owner/name", revision=COMMIT, file=FILE, sha256=SHA256, size=len(DATA),
        folder=str(courier.folder), log="",
    )  # fmt: skip
    manner = Manner(endpoint=courier.hub.endpoint)
    deliver(order, wire=wire, tell=lambda *_: seen.extend(courier.log.read()), manner=manner)
    assert any(0 < each.received < len(DATA) and each.ended == "" for each in seen)


def test_threads_of_the_hub_end_with_it() -> None:
    before = threading.active_count()
    with serving(Hub(files={})):
        assert threading.active_count() > before
    assert threading.active_count() == before
