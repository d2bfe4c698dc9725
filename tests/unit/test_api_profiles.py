"""The one door, for profiles: what comes in by a file is undone like a vote, settings and all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.api import ProfileError, Settings
from engine.config import SettingsFile
from engine.errors import NotAProfile
from engine.session.profiles import Profiles
from engine.store.record import Record
from tests.fixtures.profile_files import FULL
from tests.unit.cli.records import have_voted
from tests.unit.conftest import MakeEngine, remember


def saved(data: Path) -> Settings:
    return SettingsFile(data / "settings.json").read()[0]


def test_undo_takes_back_what_a_profile_brought(make_engine: MakeEngine, data: Path) -> None:
    remember(data, gamma=1.5)
    engine = make_engine()
    diff = engine.profiles.import_(FULL, replace=True)
    assert (diff.new, engine.learning.learned().votes) == (4, 4)
    assert (engine.settings.gamma, saved(data).gamma) == (4.65, 4.65)
    assert engine.settings.launch is not None, "what is no taste stays"
    assert engine.learning.learned().undoable == 'the import of "v1-full"'
    assert engine.learning.undo() == 'the import of "v1-full"'
    assert engine.learning.learned().votes == 0
    assert (engine.settings.gamma, saved(data).gamma) == (1.5, 1.5)


def test_a_profile_named_like_a_trait_is_called_by_its_own_name(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine()
    (tmp_path / "short").write_bytes(FULL.read_bytes())
    engine.profiles.import_(tmp_path / "short")
    assert engine.learning.learned().undoable == 'the import of "short"'


def test_a_vote_is_still_undone_by_itself(make_engine: MakeEngine, data: Path) -> None:
    have_voted(data, "first", times=1)
    engine = make_engine()
    assert engine.learning.undo() == "the vote on shorter or longer answers"


def test_what_another_attune_set_meanwhile_is_seen(make_engine: MakeEngine, data: Path) -> None:
    window, terminal = make_engine(), make_engine()
    terminal.profiles.import_(FULL)
    assert window.settings.gamma == 2.0, "not read again yet"
    assert window.learning.undo() == 'the import of "v1-full"'
    assert (saved(data).gamma, window.settings.gamma) == (2.0, 2.0)


def test_an_import_that_was_cut_short_is_finished_at_the_next_start(
    make_engine: MakeEngine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Profiles, "settle", lambda self: None)  # it never came so far
        make_engine().profiles.import_(FULL)
    assert (saved(data).gamma, (data / "import.json").exists()) == (2.0, True)
    engine = make_engine()
    assert (engine.settings.gamma, saved(data).gamma) == (4.65, 4.65)
    assert not (data / "import.json").exists()


def test_attune_starts_where_an_import_cannot_be_finished(
    make_engine: MakeEngine, data: Path
) -> None:
    (data / "import.json").write_text('{"change":1}')
    (data / "record.db").write_bytes(b"no database")
    assert make_engine().settings.gamma == 2.0
    assert (data / "import.json").exists()


def test_a_start_without_an_import_opens_no_record(
    make_engine: MakeEngine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Record, "imported", None)
    make_engine()
    assert not (data / "record.db").exists()


def test_a_file_that_is_none_changes_nothing(make_engine: MakeEngine, data: Path) -> None:
    engine = make_engine()
    before = saved(data)
    with pytest.raises(ProfileError) as caught:
        engine.profiles.import_(data / "settings.json")
    assert type(caught.value) is NotAProfile
    assert (saved(data), engine.learning.learned().undoable) == (before, "")


LOOK = """
import sys
from pathlib import Path
from engine.api import Engine
engine = Engine(Path(sys.argv[1]))
engine.profiles.preview(Path(sys.argv[2]))
engine.close()
print(sorted({m.split(".")[0] for m in sys.modules} & {"llama_cpp", "highspy", "gguf"}))
"""


def test_to_look_loads_no_model(data: Path) -> None:
    root = Path(__file__).parents[2]
    said = subprocess.run(
        [sys.executable, "-c", LOOK, data, FULL],
        cwd=root, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert said.stdout == "[]\n"
