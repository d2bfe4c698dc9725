"""Votes that stay in the bytes of their file: each as if it had been decoded with all others."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidProfile, NotAProfile
from engine.store import profile
from engine.store.pieces import Pieces
from engine.store.profile import Profile
from tests.fixtures.profile_files import PLAIN, vote

NAME = Path("mine.attune-profile")


class Thing(msgspec.Struct, frozen=True):
    """Nested as deeply as a vote."""

    text: str
    inner: dict[str, list[dict[str, str]]] = {}


_things = msgspec.json.Decoder(Thing)
_TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from('{}[]",\\'), max_size=8)
THINGS = st.builds(
    Thing,
    text=_TEXTS,
    inner=st.dictionaries(
        _TEXTS, st.lists(st.dictionaries(_TEXTS, _TEXTS, max_size=2), max_size=2), max_size=2
    ),
)


def pieces(text: bytes, *, most: int = 9) -> Pieces[Thing]:
    return Pieces(memoryview(text), decoder=_things, most=most)


@given(things=st.lists(THINGS, max_size=4), space=st.sampled_from([0, 1, 4]))
def test_whatever_is_in_the_texts_and_between_them_each_comes_back(
    things: list[Thing], space: int
) -> None:
    text = msgspec.json.format(msgspec.json.encode(things), indent=space)
    found = pieces(text)
    assert list(found) == things == msgspec.json.decode(text, type=list[Thing])
    assert found == things
    assert found == pieces(msgspec.json.encode(things))
    assert found[1:] == tuple(things[1:])
    assert found != [*things, Thing(text="one more")]


def test_others_are_not_equal() -> None:
    found = pieces(b'[{"text":"a"}]')
    assert found != [Thing(text="b")]
    assert found != 7
    with pytest.raises(IndexError):
        _ = found[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [(b"{}", "array"), (b"7", "array"), (b'[{"text":"a"},7]', r"votes\[1\]"),
     (b'["{}"]', r"votes\[0\]"), (b'[{"text":"a"},{"text":7}]', r"str.*votes\[1\]"),
     (b'[{"text":"a","inner":{"b":[{"c":{}}]}}]', r"votes\[0\]"),
     (b'[{"text":"a"},{"text":"b"},{"text":"c"}]', "at most 2")],
    ids=range(7),
)  # fmt: skip
def test_the_first_that_is_none_is_named(text: bytes, said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        pieces(text, most=2)


def test_a_comma_too_many_is_no_vote() -> None:
    whole = profile.encoded(Profile(exported=0.0, traits=(), settings=PLAIN, votes=(vote(1),)))
    broken = whole.replace(b"}\n]", b"},\n]")
    assert broken != whole
    with pytest.raises((InvalidProfile, NotAProfile)):
        profile.decoded(broken, NAME)


def test_reading_takes_hardly_more_memory_than_the_file() -> None:
    votes = tuple(vote(number) for number in range(1_000))
    data = profile.encoded(Profile(exported=0.0, traits=(), settings=PLAIN, votes=votes))
    profile.decoded(data, NAME)  # what is made once and for all
    tracemalloc.start()
    try:
        found = profile.decoded(data, NAME)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.votes == votes
    assert most < len(data), "besides the file itself"
