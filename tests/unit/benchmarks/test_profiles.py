"""The fuzzer of profiles, short, and that it would notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.reliability import profiles
from benchmarks.reliability.profiles import LARGE, Tally, case, report, run
from engine.session.profiles import Profiles
from engine.store import profile
from engine.types.profiles import ProfileDiff


def numbers(count: int) -> list[int]:
    """Cases without the large ones, which take their time; the first is taken in, too."""
    return [number for number in range(count) if number % LARGE != LARGE - 1]


def fuzzed(count: int, *, seed: int = 0) -> Tally:
    tally = Tally(seed=seed)
    run(tally, numbers(count), on_case=lambda: True)
    return tally


def test_nothing_but_a_sentence_comes_of_a_few_hundred_damaged_files() -> None:
    tally = fuzzed(400)
    assert tally.failures == []
    assert sum(tally.outcomes.values()) == 400
    assert sum(tally.imports.values()) == 4
    assert len(tally.outcomes) >= 4, "they get as far as different checks"
    assert "0 of them failures" in report(tally)


def test_a_case_is_the_same_file_at_any_time() -> None:
    assert [case(3, n) for n in range(20)] == [case(3, n) for n in range(20)]
    assert len({case(3, n) for n in range(20)}) > 15


def test_a_parser_that_fails_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes, path: Path) -> profile.Profile:
        raise KeyError("version")

    monkeypatch.setattr(profile, "decoded", broken)
    tally = Tally(seed=0)
    with pytest.raises(KeyError):  # the owner's own profile cannot be read any more
        run(tally, numbers(1), on_case=lambda: True)
    monkeypatch.undo()
    monkeypatch.setattr(profiles, "parsed", lambda data: broken(data, profiles.NAME))
    run(tally, numbers(1), on_case=lambda: True)
    assert tally.failures == ["case 0: KeyError('version')"]


def test_a_profile_that_is_harmed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Profiles.import_

    def careless(self: Profiles, path: Path, *, replace: bool = False) -> ProfileDiff:
        if path.name == profiles.NAME.name:
            (path.parent / "settings.json").write_bytes(b"{}")
        return real(self, path, replace=replace)

    monkeypatch.setattr(Profiles, "import_", careless)
    tally = fuzzed(1)
    assert len(tally.failures) == 1
    assert "changed" in tally.failures[0] or "undo" in tally.failures[0]
