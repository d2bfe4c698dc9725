"""The profile file: what is written comes back, and what is none is refused with a sentence."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import (
    AttuneError,
    DamagedProfile,
    InputError,
    InvalidParameter,
    InvalidProfile,
    NewerProfile,
    NotAProfile,
    ProfileError,
    ProfileTooLarge,
    ProfileUnreadable,
    StorageError,
)
from engine.preference import traits
from engine.steering import sentences
from engine.store import profile
from engine.store.profile import (
    Profile,
    ProfileAnswer,
    ProfileSettings,
    ProfileTrait,
    ProfileVote,
    Reading,
    Stated,
)
from engine.types.learning import OUTCOMES
from tests.fixtures.profile_files import FULL, MINIMAL, PLAIN, SCHEMA, full, published_schema, vote

NAME = Path("mine.attune-profile")


def holding(*votes: ProfileVote) -> Profile:
    return Profile(exported=0.0, traits=(), settings=PLAIN, votes=votes)


NOTHING = holding()


def sealed(body: Any, **head: Any) -> bytes:
    """A file around any body, with the checksum that belongs to it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    checksum = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    outside = {"format": "attune-profile", "version": 1, "checksum": checksum} | head
    return json.dumps(outside).encode()[:-1] + b', "profile": ' + raw + b"}"


def body() -> Any:
    """The body of the full file, to be changed."""
    return json.loads(FULL.read_bytes())["profile"]


def refused(data: bytes, kind: type[ProfileError]) -> str:
    with pytest.raises(ProfileError) as caught:
        profile.decoded(data, NAME)
    assert type(caught.value) is kind, caught.value.message
    said = caught.value.message
    assert str(NAME) in said
    assert said.endswith(".")
    assert ". " not in said, "one sentence"
    assert len(said) < 400
    return said


# What is written comes back -----------------------------------------------------------------


@pytest.mark.parametrize("path", [FULL, MINIMAL], ids=lambda path: path.stem)
def test_what_once_was_written_is_understood_for_good(path: Path) -> None:
    found = profile.read(path)
    assert profile.encoded(found) == path.read_bytes()


def test_the_full_file_holds_what_it_says() -> None:
    found, meant = profile.read(FULL), full()
    assert (found.exported, found.settings, found.votes) == (
        meant.exported,
        meant.settings,
        meant.votes,
    )
    told = {(trait.id, trait.sentence, trait.removed) for trait in found.traits}
    assert {(trait.id, trait.sentence, trait.removed) for trait in meant.traits} <= told
    assert str(found.votes[0].answers[0].utilities["lists+"]) == "-0.0"


_NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,12}", fullmatch=True)
_MEASURED = st.floats(-1e6, 1e6)
_STREAMS = st.builds(lambda name, sign: name + sign, _NAMES, st.sampled_from("+-"))
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
_READINGS = st.builds(
    Reading,
    weight=st.floats(-1, 1),
    low=st.floats(-1, 1),
    high=st.floats(-1, 1),
    sure=st.floats(0, 1),
    votes=st.integers(0, 9),
)
_TRAITS = st.builds(
    ProfileTrait,
    id=_NAMES,
    sentence=_TEXTS,
    removed=st.booleans(),
    learned=st.none() | _READINGS,
)
_SETTINGS = st.builds(
    ProfileSettings,
    preferences=st.lists(
        st.builds(Stated, text=_TEXTS.filter(str.strip), weight=st.floats(0, 2)), max_size=4
    ).map(tuple),
    gamma=st.floats(0, 10),
    neutral=st.booleans(),
    sliders=st.dictionaries(_NAMES | _STREAMS, st.floats(0, 1), max_size=3),
    fade=st.none() | st.floats(1e-3, 1e9),
)
_ANSWERS = st.builds(
    ProfileAnswer,
    finish=st.sampled_from(["end", "length", "context", "stopped", "interrupted"]),
    tokens=st.integers(0, 1_000_000),
    surprise=_MEASURED,
    utilities=st.dictionaries(_STREAMS, _MEASURED, max_size=4),
    scores=st.dictionaries(_NAMES, _MEASURED, max_size=4),
    text=_TEXTS,
)
_VOTES = st.builds(
    ProfileVote,
    duel=_NAMES,
    at=st.floats(-1e12, 1e12),
    outcome=st.sampled_from(OUTCOMES),
    model=_NAMES,
    learner=st.sampled_from(["utilities", "neural"]),
    trait=st.just("") | _NAMES,
    answers=st.tuples(_ANSWERS, _ANSWERS),
    question=_TEXTS,
)
PROFILES = st.builds(
    Profile,
    exported=st.floats(-1e12, 1e12),
    traits=st.lists(_TRAITS, max_size=3, unique_by=lambda t: t.id).map(tuple),
    settings=_SETTINGS,
    votes=st.lists(_VOTES, max_size=3, unique_by=lambda v: v.duel).map(tuple),
)


@given(found=PROFILES)
def test_every_profile_comes_back_as_it_was(found: Profile) -> None:
    data = profile.encoded(found)
    again = profile.decoded(data, NAME)
    assert again == found
    assert profile.encoded(again) == data
    assert all(profile.fits(vote) for vote in found.votes)


def test_a_file_can_be_read_and_checked_by_others() -> None:
    data = FULL.read_bytes()
    assert json.loads(data)["profile"]["settings"]["gamma"] == 4.65
    start, end = data.index(b'"profile":') + len(b'"profile":'), data.rindex(b"\n}")
    digest = hashlib.sha256(data[start:end]).hexdigest()
    assert f'"checksum":"sha256:{digest}"'.encode() in data


# The schema ---------------------------------------------------------------------------------


def obeys(value: Any, rule: dict[str, Any], root: dict[str, Any]) -> bool:
    """As much of JSON Schema as the published one uses."""
    if "$ref" in rule:
        return obeys(value, root["$defs"][rule["$ref"].rpartition("/")[2]], root)
    if "anyOf" in rule:
        return any(obeys(value, each, root) for each in rule["anyOf"])
    if "enum" in rule:
        return value in rule["enum"]
    kinds: dict[str, Callable[[], bool]] = {
        "object": lambda: isinstance(value, dict) and _object(value, rule, root),
        "array": lambda: isinstance(value, list) and _array(value, rule, root),
        "string": lambda: isinstance(value, str) and _string(value, rule),
        "number": lambda: type(value) in (int, float) and _number(value, rule),
        "integer": lambda: type(value) is int and _number(value, rule),
        "boolean": lambda: isinstance(value, bool),
        "null": lambda: value is None,
    }
    return kinds[rule["type"]]()


def _object(value: dict[str, Any], rule: dict[str, Any], root: dict[str, Any]) -> bool:
    known, others = rule.get("properties", {}), rule.get("additionalProperties", True)
    return (
        set(rule.get("required", ())) <= set(value)
        and len(value) <= rule.get("maxProperties", len(value))
        and all(obeys(value[key], known[key], root) for key in set(value) & set(known))
        and all(
            isinstance(others, dict)
            and obeys(value[key], others, root)
            and _string(key, rule["propertyNames"])
            for key in set(value) - set(known)
        )
    )


def _array(value: list[Any], rule: dict[str, Any], root: dict[str, Any]) -> bool:
    first = rule.get("prefixItems", [])
    rules = [*first, *[rule["items"]] * (len(value) - len(first))]
    inside = rule.get("minItems", 0) <= len(value) <= rule.get("maxItems", len(value))
    return inside and all(obeys(v, r, root) for v, r in zip(value, rules, strict=True))


def _string(value: str, rule: dict[str, Any]) -> bool:
    return bool(re.search(rule.get("pattern", ""), value)) and len(value) <= rule.get(
        "maxLength", len(value)
    )


def _number(value: float, rule: dict[str, Any]) -> bool:
    above: bool = value > rule.get("exclusiveMinimum", -float("inf"))
    inside: bool = rule.get("minimum", value) <= value <= rule.get("maximum", value)
    return above and inside


def test_the_published_schema_is_what_is_checked() -> None:
    said = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert said == published_schema(), "run python -m tests.fixtures.profile_files"
    assert said["$schema"].endswith("2020-12/schema")
    for path in (FULL, MINIMAL):
        assert obeys(json.loads(path.read_bytes()), said, said)


# What is refused ----------------------------------------------------------------------------

Change = Callable[[Any], object]
EDITS: dict[str, Change] = {
    "a field is missing": lambda b: b.pop("settings"),
    "a field nobody knows": lambda b: b.update(mood="new"),
    "a field of a vote nobody knows": lambda b: b["votes"][0].update(path="/home/me"),
    "another type": lambda b: b["votes"][0].update(at="now"),
    "true is no number": lambda b: b["votes"][0].update(at=True),
    "a moment beyond all calendars": lambda b: b.update(exported=1e13),
    "an outcome nobody knows": lambda b: b["votes"][0].update(outcome="third"),
    "a learner nobody knows": lambda b: b["votes"][0].update(learner="x" * 9_999),
    "no answers": lambda b: b["votes"][0].update(answers=[]),
    "an id with a path in it": lambda b: b["votes"][0].update(model="../../etc"),
    "an id with a line break": lambda b: b["votes"][0].update(duel="0000\n"),
    "an id that is empty": lambda b: b["votes"][0].update(duel=""),
    "a trait's id in capitals": lambda b: b["traits"][0].update(id="Short"),
    "a stream without its side": lambda b: b["votes"][0]["answers"][0]["utilities"].update(x=1.0),
    "an utility beyond all bounds": lambda b: b["votes"][0]["answers"][0]["utilities"].update(
        {"x+": 1.1e6}
    ),
    "tokens below none": lambda b: b["votes"][0]["answers"][0].update(tokens=-1),
    "half a token": lambda b: b["votes"][0]["answers"][0].update(tokens=1.5),
    "too long a sentence": lambda b: b["traits"][0].update(sentence="x" * 301),
    "too many preferences": lambda b: b["settings"].update(
        preferences=[{"text": "x", "weight": 1.0}] * 5
    ),
    "an empty preference": lambda b: b["settings"].update(
        preferences=[{"text": " \n", "weight": 1.0}]
    ),
    "too strong": lambda b: b["settings"].update(gamma=10.5),
    "a slider beyond its end": lambda b: b["settings"]["sliders"].update({"short+": 1.5}),
    "a fade of nothing": lambda b: b["settings"].update(fade=0.0),
    "too many sliders": lambda b: b["settings"]["sliders"].update({f"a{i}": 1 for i in range(65)}),
    "too many traits": lambda b: b["traits"].extend([{"id": f"a{i}"} for i in range(250)]),
    "a duel twice": lambda b: b["votes"].append(b["votes"][0]),
    "a trait twice": lambda b: b["traits"].append(b["traits"][0]),
}
NOT_IN_THE_SCHEMA = {"a duel twice", "a trait twice", "an empty preference"}


@pytest.mark.parametrize("edit", EDITS)
def test_what_no_profile_may_hold_is_refused_where_it_stands(edit: str) -> None:
    changed = body()
    EDITS[edit](changed)
    said = refused(sealed(changed), InvalidProfile)
    assert "export it again" in said
    schema = published_schema()
    whole = {"format": "attune-profile", "version": 1, "checksum": f"sha256:{'0' * 64}"}
    assert obeys(whole | {"profile": changed}, schema, schema) == (edit in NOT_IN_THE_SCHEMA)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999", b"01", b"--1"])
def test_a_number_that_is_none_is_refused(number: bytes) -> None:
    raw = json.dumps(body()).encode().replace(b"4.65", number)
    with pytest.raises(ProfileError) as caught:
        profile.decoded(sealed(raw), NAME)
    assert type(caught.value) in (InvalidProfile, NotAProfile)


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"[]", b"null", b'"attune-profile"', b"{}", b'{"format":"recipe","version":1}',
     b'{"format":"attune-profile"}', b'{"format":"attune-profile","version":"1"}',
     b'{"format":"attune-profile","version":0}', b'{"format":"attune-profile","version":1e400}',
     b"GGUF\x03\0\0\0", b"\xff\xfe{\0}\0", FULL.read_bytes()[:-20], b'{"format":"\xc3'],
)  # fmt: skip
def test_what_is_something_else_is_refused(data: bytes) -> None:
    assert "choose a file that Attune exported" in refused(data, NotAProfile)


def test_a_newer_file_is_refused_whatever_else_is_in_it() -> None:
    said = refused(b'{"format":"attune-profile","version":2,"profile":[{"new":1}]}', NewerProfile)
    assert "its version is 2, this one knows 1); update Attune" in said
    refused(b'{"format":"attune-profile","version":%d}' % 2**63, NewerProfile)


def test_a_seal_that_is_missing_is_refused() -> None:
    refused(b'{"format":"attune-profile","version":1}', InvalidProfile)
    refused(sealed(body(), path="/home/me"), InvalidProfile)


@pytest.mark.parametrize("place", range(0, 3_600, 300))
def test_a_digit_that_became_another_is_damage(place: int) -> None:
    data = bytearray(FULL.read_bytes())
    place = next(i for i in range(data.index(b"exported") + place, len(data)) if data[i] in b"012")
    data[place] += 1
    assert "get a new copy of it" in refused(bytes(data), DamagedProfile)


NEWER = b'{"format":"attune-profile","version":2,"new":%b}'
"""What no check but those of the pieces would find."""


@pytest.mark.parametrize(
    "bomb",
    [b"[" * 1_000_000, b'{"a":' * 200_000, b'"' + b"\\" * 4_000_001, b'"' * 3_000_001,
     NEWER % (b"[" * 16 + b"]" * 16), NEWER % (b"[" + b"[]," * 1_200_000 + b"[]]"),
     NEWER % (b"[" + b'"",' * 1_000 + b"0]")],
    ids=range(7),
)  # fmt: skip
def test_bombs_are_refused_at_once(bomb: bytes) -> None:
    begun = time.perf_counter()
    refused(bomb, NotAProfile)
    assert time.perf_counter() - begun < 5.0


def test_depth_and_brackets_in_texts_do_not_count() -> None:
    said = holding(vote(7, texts=("[" * 99 + '\\"' + "{" * 99, "]", "\\")))
    assert profile.decoded(profile.encoded(said), NAME) == said


def test_sentences_may_be_as_long_as_elsewhere() -> None:
    assert profile.MAX_SENTENCE == traits.MAX_LENGTH == sentences.MAX_LENGTH


def test_there_are_few_kinds_of_refusal_and_each_has_a_code() -> None:
    kinds: list[type[AttuneError]] = [ProfileError, *ProfileError.__subclasses__()]
    assert len({kind.code for kind in kinds}) == len(kinds) <= 12


# Files --------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path, tmp_path / "nul\0"):
        with pytest.raises(ProfileUnreadable) as caught:
            profile.read(path)
        assert path.name in caught.value.message


@pytest.mark.skipif(os.name != "posix", reason="pipes in folders are a matter of POSIX")
def test_a_pipe_or_a_device_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(ProfileUnreadable, match="it is no file"):
            profile.read(path)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.truncate(10 * profile.MAX_SIZE)
    with pytest.raises(ProfileTooLarge, match="16 MiB"):
        profile.read(path)


def test_a_profile_is_written_whole_closed_to_others_and_replaces_only_its_like(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mine.attune-profile"
    assert profile.write(path, full()) == path.stat().st_size
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    profile.write(path, NOTHING)
    assert profile.read(path) == NOTHING
    assert os.listdir(tmp_path) == [path.name]
    path.write_bytes(b"a letter")
    with pytest.raises(InputError, match="is no profile; choose another name"):
        profile.write(path, NOTHING)
    assert path.read_bytes() == b"a letter"


def test_a_profile_has_its_own_ending(tmp_path: Path) -> None:
    for name in ("mine", "mine.json", ".attune-profile"):
        with pytest.raises(InvalidParameter, match=r"ends in \.attune-profile"):
            profile.write(tmp_path / name, NOTHING)
    assert not os.listdir(tmp_path)


def test_a_folder_that_is_missing_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no such folder"):
        profile.write(tmp_path / "nowhere" / NAME, NOTHING)
    assert not os.listdir(tmp_path)


def test_what_would_be_refused_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="does not fit into a profile"):
        profile.write(tmp_path / NAME, holding(vote(1), vote(1)))
    monkeypatch.setattr(profile, "MAX_SIZE", 2**20)
    many = tuple(vote(number) for number in range(3_000))
    with pytest.raises(InputError, match="3000 votes take more than the 1 MiB"):
        profile.write(tmp_path / NAME, holding(*many))
    assert not os.listdir(tmp_path)
