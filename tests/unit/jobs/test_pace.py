"""How long it will still take follows from how long it took."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.jobs.pace import Pace, seconds_left


def test_before_anything_is_done_nothing_is_known() -> None:
    assert seconds_left([]) is None
    assert seconds_left([Pace(size=10, left=5.0), Pace(size=10, left=0.0)]) is None


def test_a_model_goes_on_as_it_went() -> None:
    # 4 in 20 seconds, 6 to go.
    assert seconds_left([Pace(size=10, left=6.0, done=4.0, seconds=20.0)]) == 30.0


def test_a_part_of_a_batch_counts_as_done_already() -> None:
    # 1 of 10 in 3 seconds: 9 to go at that pace.
    assert seconds_left([Pace(size=10, left=10.0, part=1.0, seconds=3.0)]) == 27.0


def test_a_model_that_has_not_begun_takes_time_by_the_size_of_its_file() -> None:
    first = Pace(size=100, left=0.0, done=4.0, seconds=8.0)  # 2 seconds each
    assert seconds_left([first, Pace(size=300, left=5.0)]) == 30.0


def test_sizes_that_nobody_knows_count_as_alike() -> None:
    first = Pace(size=0, left=0.0, done=4.0, seconds=8.0)
    assert seconds_left([first, Pace(size=0, left=5.0)]) == 10.0


PACES = st.lists(
    st.builds(
        Pace,
        size=st.integers(0, 10**10),
        left=st.floats(16.0, 500.0),
        done=st.sampled_from([0.0, 1.0, 16.0, 480.0]),
        part=st.floats(0.0, 16.0),
        seconds=st.floats(0.0, 10_000.0),
    ),
    min_size=1,
    max_size=5,
)


@given(paces=PACES, factor=st.floats(0.1, 10.0))
def test_twice_as_slow_takes_twice_as_long(paces: list[Pace], factor: float) -> None:
    left = seconds_left(paces)
    slower = seconds_left([replace(p, seconds=factor * p.seconds) for p in paces])
    if left is None:
        assert slower is None
    else:
        assert left >= 0.0
        assert slower == pytest.approx(factor * left)


@given(paces=PACES)
def test_a_model_that_is_done_adds_nothing_and_their_order_does_not_matter(
    paces: list[Pace],
) -> None:
    begun = [replace(pace, done=1.0) for pace in paces]
    done = replace(begun[0], left=0.0, part=0.0)
    one_by_one = [seconds_left([pace]) for pace in begun]
    assert seconds_left([done]) == 0.0
    assert seconds_left(begun) == pytest.approx(sum(left for left in one_by_one if left))
    assert seconds_left(begun[::-1]) == pytest.approx(seconds_left(begun))
