"""How far the whole of some work is, told from how far its parts are."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from engine.session.course import FINE, Course
from engine.types.work import Progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def at(done: int, total: int, *, left: float | None = None) -> Progress:
    return Progress(done=done, total=total, left=left, text=f"{done} of {total}")


def test_a_part_has_the_place_of_its_effort_in_the_whole() -> None:
    course = Course({"ask": 20.0, "train": 50.0, "time": 30.0}, clock=Clock())
    told = [
        course.told(part, at(done, 4))
        for part, done in (("ask", 0), ("ask", 4), ("train", 2), ("time", 1), ("time", 4))
    ]
    assert [each.done for each in told] == [0, 200, 450, 775, 1000]
    assert {each.total for each in told} == {FINE}
    assert told[2].text == "2 of 4"


def test_what_is_left_is_what_the_part_says_and_the_others_at_the_pace_so_far() -> None:
    clock = Clock()
    course = Course({"ask": 20.0, "train": 50.0, "time": 30.0}, clock=clock)
    assert course.told("ask", at(0, 4)).left is None
    clock.now += 40.0
    # 20 of effort took 40 s, so the 80 that are left take 160.
    assert course.told("ask", at(4, 4)).left == 160.0
    clock.now += 10.0
    # 45 took 50 s; the part itself knows that it takes 7 s more, the last 30 at that pace.
    assert course.told("train", at(25, 50, left=7.0)).left == 7.0 + 30.0 * 50.0 / 45.0


def test_what_an_earlier_start_had_done_says_nothing_of_the_pace() -> None:
    clock = Clock()
    course = Course({"ask": 50.0, "train": 50.0}, clock=clock)
    course.told("train", at(0, 10))
    clock.now += 5.0
    left = course.told("train", at(1, 10)).left
    assert left is not None
    assert abs(left - 45.0) < 1e-9


def test_parts_that_are_passed_over_leave_no_gap_at_the_end() -> None:
    course = Course({"check": 1.0, "masks": 90.0, "write": 9.0}, clock=Clock())
    course.told("check", at(1, 1))
    assert course.told("write", at(1, 1)).done == FINE


@given(
    st.lists(st.floats(0.1, 1e4), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 9)), max_size=20),
)
def test_it_never_goes_back_and_never_leaves_the_whole(
    efforts: list[float], told: Sequence[tuple[int, int, int]]
) -> None:
    clock = Clock()
    course = Course({str(n): effort for n, effort in enumerate(efforts)}, clock=clock)
    last = 0
    for part, done, total in told:
        clock.now += 1.0
        progress = course.told(str(part % len(efforts)), at(done, total))
        assert last <= progress.done <= FINE
        assert progress.left is None or progress.left >= 0.0
        last = progress.done
