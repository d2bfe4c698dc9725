"""Settings survive: whole or not at all on disk, entry by entry when something is wrong."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import SCHEMA_VERSION, Settings, SettingsFile, write_atomically
from engine.errors import StorageError
from engine.types.models import Launch
from engine.types.steering import MAX_GAMMA, MAX_PREFERENCES, Preference, Sampling

MOVED: dict[str, Any] = {
    "model": "qwen",
    "preferences": (Preference(text="concise", weight=0.5), Preference(text="用中文")),
    "gamma": 3.5,
    "neutral": True,
    "sampling": Sampling(
        temperature=0.0,
        top_k=3,
        top_p=0.5,
        min_p=0.2,
        repetition_penalty=1.0,
        max_tokens=9,
        seed=2**63 - 1,
    ),
    "launch": Launch(variant="haswell", gpu_layers=-1, extra_bufts=False, threads=3, context=999),
    "launch_key": "this machine",
    "variants": ("icelake", "haswell"),
    "duel_every": 7,
    "learner": "neural",
    "fade": 30.0,
    "keep_texts": True,
    "routing": True,
    "sliders": {"short+": 0.25, "quality": 1.0},
    "members": 3,
    "calibration_questions": 70,
    "language": "de",
    "offline": True,
    "colours": "dark",
    "send_key": "ctrl+enter",
    "scope": "chat",
    "threads": 3,
    "context": 4096,
    "cpu_only": True,
}


@pytest.fixture(scope="module", autouse=True)
def a_disk_that_is_quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


def put(path: Path, **entries: object) -> SettingsFile:
    path.write_text(json.dumps(entries), encoding="utf-8")
    return SettingsFile(path)


# Saved and read again -----------------------------------------------------------------------


def test_no_file_means_defaults_without_a_word(path: Path) -> None:
    assert SettingsFile(path).read() == (Settings(), ())
    assert not path.exists()


def test_every_setting_is_tried_off_its_default() -> None:
    assert {f.name for f in fields(Settings)} == MOVED.keys()
    for name, value in MOVED.items():
        assert getattr(Settings(), name) != value


def test_what_is_saved_is_read_again(path: Path) -> None:
    settings = Settings(**MOVED)
    SettingsFile(path).write(settings)
    assert SettingsFile(path).read() == (settings, ())


@pytest.mark.parametrize("name", MOVED)
def test_each_setting_alone_is_saved_and_read_again(path: Path, name: str) -> None:
    settings = replace(Settings(), **{name: MOVED[name]})
    SettingsFile(path).write(settings)
    assert SettingsFile(path).read() == (settings, ())


def test_the_file_says_its_version_and_people_can_read_it(path: Path) -> None:
    SettingsFile(path).write(Settings(preferences=(Preference(text="用中文"),)))
    text = path.read_text(encoding="utf-8")
    assert json.loads(text)["schema_version"] == SCHEMA_VERSION
    assert "用中文" in text


def test_unknown_entries_outlive_reading_and_writing(path: Path) -> None:
    later = {"colour": "green", "nested": {"deep": [1, None]}}
    file = put(path, gamma=1.0, **later)
    settings, notices = file.read()
    assert notices == ()
    file.write(replace(settings, gamma=2.5))
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert {name: saved[name] for name in later} == later
    assert saved["gamma"] == 2.5


def test_an_entry_that_is_missing_has_its_default(path: Path) -> None:
    settings, notices = put(path, gamma=1.0).read()
    assert settings == replace(Settings(), gamma=1.0)
    assert notices == ()


@given(st.text(), st.text())
def test_any_text_can_be_saved(tmp_path_factory: pytest.TempPathFactory, a: str, b: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any-text.json"
    settings = Settings(model=a, launch_key=b)
    SettingsFile(path).write(settings)
    assert SettingsFile(path).read() == (settings, ())


def test_half_a_character_is_saved_and_read_again(path: Path) -> None:
    settings = Settings(model="\ud800 and \\ud800")
    SettingsFile(path).write(settings)
    assert SettingsFile(path).read() == (settings, ())


# Entries that are wrong ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("model", 7),
        ("gamma", "strong"),
        ("gamma", -0.1),
        ("gamma", MAX_GAMMA + 0.1),
        ("gamma", float("nan")),
        ("gamma", float("inf")),
        ("gamma", None),
        ("neutral", "yes"),
        ("duel_every", -1),
        ("duel_every", "often"),
        ("learner", "clever"),
        ("fade", 0),
        ("fade", -3.0),
        ("fade", float("nan")),
        ("keep_texts", 1),
        ("routing", "on"),
        ("sliders", {"short+": 1.1}),
        ("sliders", {"short+": float("nan")}),
        ("sliders", [0.5]),
        ("members", 0),
        ("members", 8),
        ("calibration_questions", 9),
        ("calibration_questions", 71),
        ("preferences", {}),
        ("preferences", [{"text": 1}]),
        ("preferences", [{"weight": 1.0}]),
        ("preferences", [{"text": "  "}]),
        ("preferences", [{"text": "brief", "weight": 2.1}]),
        ("preferences", [{"text": "brief", "weight": float("nan")}]),
        ("preferences", [{"text": "brief"}] * (MAX_PREFERENCES + 1)),
        ("sampling", {"temperature": 99.0}),
        ("sampling", {"temperature": float("nan")}),
        ("sampling", {"top_k": -1}),
        ("sampling", {"top_p": 1.5}),
        ("sampling", {"min_p": -0.5}),
        ("sampling", {"repetition_penalty": 0.5}),
        ("sampling", {"max_tokens": 0}),
        ("sampling", {"seed": -1}),
        ("sampling", {"seed": "lucky"}),
        ("launch", {"threads": 0}),
        ("launch", {"context": 0}),
        ("launch", {"gpu_layers": -2}),
        ("launch", {"threads": 513}),
        ("launch", {"context": (1 << 20) + 1}),
        ("launch", {"gpu_layers": 1 << 31}),
        ("launch", {"most_threads": -1}),
        ("launch", {"most_threads": 513}),
        ("launch", []),
        ("launch_key", None),
        ("variants", "haswell"),
        ("variants", [1]),
        ("colours", "green"),
        ("send_key", "tab"),
        ("scope", "nowhere"),
        ("scope", None),
        ("threads", -1),
        ("threads", 257),
        ("threads", 1.5),
        ("context", 1),
        ("context", 1023),
        ("context", -1),
        ("context", 2**20 + 1),
        ("cpu_only", 1),
    ],
)
def test_a_wrong_entry_is_reported_and_costs_nothing_but_itself(
    path: Path, name: str, bad: object
) -> None:
    good = json.loads(
        json.dumps({"gamma": 3.0, "model": "qwen", "neutral": True, "launch_key": "k"})
    )
    settings, (notice,) = put(path, **(good | {name: bad})).read()
    assert settings == Settings(**{k: v for k, v in good.items() if k != name})
    assert notice.code == "setting_reset"
    assert name in notice.text
    assert str(path) in notice.text
    assert "\n" not in notice.text


def test_several_wrong_entries_are_reported_in_the_order_of_the_settings(path: Path) -> None:
    file = put(path, variants=1, gamma=-1, model=3, neutral=True)
    settings, notices = file.read()
    assert settings == Settings(neutral=True)
    found = [name for notice in notices for name in MOVED if f"setting {name} " in notice.text]
    assert found == ["model", "gamma", "variants"]


def test_a_wrong_entry_stays_in_the_file_until_its_owner_sets_it(path: Path) -> None:
    file = put(path, gamma=-1, learner="clever", neutral=True)
    settings, notices = file.read()
    assert file.unusable == {"gamma", "learner"}
    file.write(replace(settings, neutral=False), chosen=("neutral",))
    assert SettingsFile(path).read() == (replace(settings, neutral=False), notices)
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert (saved["gamma"], saved["learner"], saved["neutral"]) == (-1, "clever", False)
    file.write(settings, chosen=("gamma",))
    assert file.unusable == {"learner"}
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert (saved["gamma"], saved["learner"]) == (Settings().gamma, "clever")


def test_a_value_that_was_found_out_takes_the_place_of_a_wrong_entry(path: Path) -> None:
    file = put(path, gamma=-1)
    settings, _ = file.read()
    file.write(replace(settings, gamma=4.0))
    assert SettingsFile(path).read() == (Settings(gamma=4.0), ())


def test_a_write_that_fails_forgets_no_wrong_entry(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(path, gamma=-1)
    settings, _ = file.read()
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        with pytest.raises(StorageError):
            file.write(replace(settings, gamma=4.0))
    file.write(settings)
    assert json.loads(path.read_text(encoding="utf-8"))["gamma"] == -1


def refuse(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_what_is_known_of_another_file_is_not_written_into_this_one(path: Path) -> None:
    file = put(path, gamma=-1)
    file.read()
    path.unlink()
    settings, _ = file.read()
    file.write(settings)
    assert SettingsFile(path).read() == (Settings(), ())


# Files that are wrong -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1, 2]",
        b'"text"',
        b"null",
        b"\xff\xfe{}",
        b'{"gamma": 1}}',
        b"[" * 200_000,
        b'{"gamma": ' + b"9" * 5000 + b"}",
    ],
    ids=range(9),
)
def test_a_damaged_file_is_set_aside_and_defaults_are_used(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    settings, (notice,) = SettingsFile(path).read()
    aside = path.with_name("settings.json.damaged")
    assert settings == Settings()
    assert notice.code == "settings_damaged"
    assert str(aside) in notice.text
    assert aside.read_bytes() == content
    assert not path.exists()


def test_a_folder_in_its_place_does_not_keep_attune_from_starting(path: Path) -> None:
    path.mkdir()
    settings, (notice,) = SettingsFile(path).read()
    assert settings == Settings()
    assert notice.code == "settings_damaged"


@given(st.binary(max_size=200))
def test_no_content_whatever_raises(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any-content.json"
    path.write_bytes(content)
    settings, _ = SettingsFile(path).read()
    assert isinstance(settings, Settings)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from(sorted(MOVED)), json_values))
def test_whatever_an_entry_is_the_settings_can_be_saved_again(
    tmp_path_factory: pytest.TempPathFactory, entries: dict[str, object]
) -> None:
    file = put(tmp_path_factory.getbasetemp() / "any-entries.json", **entries)
    settings, notices = file.read()
    file.write(settings)
    assert file.read() == (settings, notices)


# Whole or not at all ------------------------------------------------------------------------


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = SettingsFile(path)
    file.write(Settings(gamma=1.0))
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError) as caught:
        file.write(Settings(gamma=9.0))
    assert str(path) in caught.value.message
    assert "No space left on device" in caught.value.message
    assert "--data-dir" in caught.value.message
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_what_is_renamed_is_on_disk_before(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    sync, rename = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        happened.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def replace(old: str, new: Path) -> None:
        happened.append("rename")
        rename(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write_atomically(path, b"new")
    assert happened == ["file", "rename", *(["folder"] if os.name == "posix" else [])]
    assert path.read_bytes() == b"new"


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "settings.json"
    write_atomically(target, b"{}")
    assert target.read_bytes() == b"{}"


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
def test_nobody_else_can_read_the_settings(path: Path) -> None:
    SettingsFile(path).write(Settings())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
