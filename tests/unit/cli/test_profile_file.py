"""`attune profile export` and `import`: what is shown, what is changed, what is refused."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from engine.store import profile
from tests.fixtures.profile_files import FULL, PLAIN, full, vote
from tests.unit.cli.conftest import Attune
from tests.unit.cli.records import have_voted, put_duel
from tests.unit.conftest import remember

KEYS = {
    "name", "exported", "replace", "dry_run", "empty", "new", "known", "differing", "left_out",
    "dropped", "texts", "added", "reworded", "gone", "back", "refused", "settings", "before",
    "after",
}  # fmt: skip


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return tmp_path / "mine.attune-profile"


def holding(path: Path, *votes: profile.ProfileVote) -> Path:
    profile.write(path, profile.Profile(exported=0.0, traits=(), settings=PLAIN, votes=votes))
    return path


# Export -------------------------------------------------------------------------------------


def test_what_was_learned_is_written_to_a_file(attune: Attune, data: Path, mine: Path) -> None:
    have_voted(data, "first")
    said = attune("profile", "export", mine)
    assert (said.code, said.err) == (0, "")
    size = f"{mine.stat().st_size / 1000:.1f}"
    assert said.out == f"Wrote {mine}: 6 votes, {size} kB.\n"
    found = attune("profile", "export", mine, "--force", "--json").json
    assert found == {"path": str(mine), "votes": 6, "left_out": 0, "size": mine.stat().st_size}


def test_a_file_that_is_there_is_replaced_only_where_that_is_said(
    attune: Attune, mine: Path
) -> None:
    attune("profile", "export", mine)
    before = mine.read_bytes()
    said = attune("profile", "export", mine, "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "input")
    assert "--force" in said.err
    assert mine.read_bytes() == before
    mine.write_text("a letter")
    assert attune("profile", "export", mine, "--force").code == 1
    assert mine.read_text() == "a letter"


def test_texts_are_written_only_where_they_are_asked_for(
    attune: Attune, data: Path, mine: Path
) -> None:
    attune("vote", put_duel(data, question="Why?", texts=("So.", "Thus.")), "first")
    attune("profile", "export", mine)
    assert b"Why?" not in mine.read_bytes()
    attune("profile", "export", mine, "--with-texts", "--force")
    (kept,) = profile.read(mine).votes
    assert (kept.question, kept.answers[1].text) == ("Why?", "Thus.")


def test_votes_that_do_not_fit_are_said(
    attune: Attune, mine: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_voted(data, "first", times=1)
    monkeypatch.setattr(profile, "fits", lambda vote: False)
    said = attune("profile", "export", mine)
    assert "Left out: one vote, with features that no profile may hold." in said.out
    assert "0 votes" in said.out


def test_another_name_is_refused(attune: Attune, tmp_path: Path) -> None:
    said = attune("profile", "export", tmp_path / "mine.txt")
    assert said.code == 1
    assert "ends in .attune-profile" in said.err


# Import -------------------------------------------------------------------------------------


def test_a_look_shows_what_would_change_and_changes_nothing(attune: Attune, data: Path) -> None:
    attune("vote", put_duel(data), "second")
    before = attune("profile", "show", "--json").json
    said = attune("profile", "import", FULL, "--dry-run")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0].startswith('The profile "v1-full", written 20')
    assert lines[1] == "  4 new votes, 0 known already."
    assert "  With question and answers: one vote." in lines
    assert "  Adds your own: Be kind to beginners." in lines
    assert "  Asks no more about: numbers and dates" in lines
    assert "  Strength: 2 → 4.65" in lines
    assert '  Preferences: none → "concise", "Wie für Kinder. 🙂" × 0.25' in lines
    assert any(re.fullmatch(r"  no numbers +\d\d % +–", line) for line in lines)
    assert any(re.fullmatch(r"  not: Be kind to beginners +– +\d\d %", line) for line in lines)
    assert lines[-1] == "Nothing was changed; without --dry-run it is."
    assert all(len(line) <= 100 for line in lines)
    assert attune("profile", "show", "--json").json == before


def test_an_import_is_taken_back_by_undo(attune: Attune) -> None:
    said = attune("profile", "import", FULL)
    assert said.out.splitlines()[-1] == "Taken in. 'attune profile undo' takes it back."
    assert attune("profile", "show", "--json").json["votes"] == 4
    assert "'attune profile undo' takes back the import of \"v1-full\"." in (
        attune("profile", "show").out
    )
    assert attune("profile", "undo").out.startswith('Took back the import of "v1-full".')
    assert attune("profile", "show", "--json").json["votes"] == 0


def test_the_object_of_an_import_has_what_scripts_rely_on(attune: Attune) -> None:
    looked = attune("profile", "import", FULL, "--dry-run", "--json").json
    done = attune("profile", "import", FULL, "--json").json
    assert set(looked) == set(done) == KEYS
    assert looked | {"dry_run": False} == done
    assert (done["new"], done["replace"], done["empty"], done["texts"]) == (4, False, False, 1)
    assert done["added"][0] == {
        "id": "own-be-kind-c9c0d0a1", "sentence": "Be kind to beginners.",
    }  # fmt: skip
    assert {"name": "strength", "before": "2", "after": "4.65"} in done["settings"]
    assert attune("profile", "show", "--json").json["traits"] == done["after"]


def test_the_same_again_says_that_there_is_nothing_new(attune: Attune, mine: Path) -> None:
    holding(mine, vote(1))
    attune("profile", "import", mine)
    said = attune("profile", "import", mine)
    assert said.out.splitlines()[1:] == [
        "  0 new votes, 1 known already.",
        "",
        "There is nothing in it that is not here already.",
    ]


def test_whose_vote_counts_is_said_where_two_differ(attune: Attune, mine: Path) -> None:
    attune("profile", "import", holding(mine, vote(1)))
    holding(mine, vote(1, "second"))
    merged = attune("profile", "import", mine, "--dry-run").out
    assert "On one vote the outcomes differ; yours stays." in merged
    replaced = attune("profile", "import", mine, "--dry-run", "--replace").out
    assert "On one vote the outcomes differ; the file's counts." in replaced


def test_what_is_replaced_is_said(attune: Attune, data: Path, mine: Path) -> None:
    have_voted(data, "first")
    remember(data, gamma=3.0)
    said = attune("profile", "import", holding(mine, vote(77)), "--replace").out
    assert "  One new vote, 0 known already, 6 of yours count no more." in said
    assert "  Strength: 3 → 2" in said
    assert attune("profile", "show", "--json").json["votes"] == 1


def test_what_is_left_out_and_what_is_refused_is_said(
    attune: Attune, data: Path, mine: Path
) -> None:
    put_duel(data, "00000001")
    flattery = profile.ProfileTrait(id="own-agree-1", sentence="Always agree with me.")
    found = profile.Profile(
        exported=1e12, traits=(flattery,), settings=PLAIN, votes=(vote(1), vote(2))
    )
    profile.write(mine, found)
    said = attune("profile", "import", mine).out
    assert "written at an unknown time" in said
    assert "Left out: one vote; their duels are others here." in said
    assert '  Not taken in: "Always agree with me.": Attune learns how answers are' in said


def test_a_trait_that_is_known_on_one_side_only_has_a_dash(attune: Attune, mine: Path) -> None:
    profile.write(mine, full())
    rows = attune("profile", "import", mine).out.splitlines()
    assert any(re.fullmatch(r"  .*Be kind to beginners +– +5\d %", row) for row in rows)
    assert any(re.fullmatch(r"  numbers and dates +50 % +–", row) for row in rows)


def test_a_file_that_is_none_is_refused_in_one_line(attune: Attune, mine: Path) -> None:
    shutil.copy(Path(__file__), mine)
    said = attune("profile", "import", mine)
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert said.err.startswith(f"attune: {mine} is no profile of Attune")
    error = attune("profile", "import", mine, "--json").json["error"]
    assert error["code"] == "not_a_profile"
    assert attune("profile", "import").code == 2
