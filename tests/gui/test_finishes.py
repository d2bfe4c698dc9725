"""How an answer ended, in words."""

from __future__ import annotations

from typing import get_args

from desktop.finishes import how_it_ended
from engine.types.answers import Finish


def test_an_end_that_is_not_the_answers_own_has_a_sentence_of_its_own() -> None:
    said = {finish: how_it_ended(finish) for finish in get_args(Finish)}
    assert said.pop("end") == ""
    assert said.pop("interrupted") == ""  # the page says more about it
    assert said["length"] == "Ended at the longest answer allowed."
    assert said["context"] == "Ended because the context is full."
    assert all(said.values())
    assert len(set(said.values())) == len(said)
