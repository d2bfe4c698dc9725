"""The governor on simulated machines: it finds the right number and loses little on the way."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.inference.threads import (
    FIRST_WAIT,
    MOST_THREADS,
    SPELL,
    ThreadGovernor,
    most_threads,
)

Speeds = Mapping[int, float]
"""Steps per second for each number of threads."""

# Two cores as measured: one busy neighbour, and two threads wait for each other most of the time.
CALM: Speeds = {1: 45.0, 2: 78.0}
BUSY: Speeds = {1: 45.0, 2: 15.0}
CALM_8: Speeds = {1: 20.0, 2: 38.0, 4: 70.0, 8: 100.0}
BUSY_8: Speeds = {1: 20.0, 2: 38.0, 4: 65.0, 8: 12.0}


class Machine:
    """Takes as long for a step as its speeds say, give or take `noise`."""

    def __init__(self, *, start: int, most: int, seed: int = 0, noise: float = 0.1) -> None:
        self.governor = ThreadGovernor(start, most=most)
        self._rng = random.Random(seed)
        self._noise = noise
        self.changes = 0

    def run(
        self,
        steps: int,
        speeds: Speeds,
        *,
        streams: int = 2,
        longer: Callable[[int], float] = lambda _step: 1.0,
    ) -> list[int]:
        """The threads that each step was decoded with. `longer` multiplies the time of a step."""
        used = []
        for step in range(steps):
            threads = self.governor.threads
            used.append(threads)
            seconds = longer(step) / speeds[threads] * self._rng.uniform(1, 1 + self._noise)
            told = self.governor.observe(seconds, streams=streams)
            assert told == self.governor.threads
            self.changes += told != threads
        return used


def lost(used: list[int], speeds: Speeds) -> float:
    """Share of the time that the best constant choice would have saved."""
    return 1.0 - len(used) / max(speeds.values()) / sum(1 / speeds[t] for t in used)


def test_an_idle_machine_keeps_all_threads() -> None:
    machine = Machine(start=8, most=8)
    used = machine.run(2000, CALM_8)
    assert used[: FIRST_WAIT - 1] == [8] * (FIRST_WAIT - 1)
    assert machine.governor.threads == 8
    assert used.count(8) > 0.98 * len(used)
    assert lost(used, CALM_8) < 0.02


def test_a_busy_neighbour_sends_it_down_within_a_few_steps() -> None:
    machine = Machine(start=2, most=2)
    machine.run(300, CALM)
    used = machine.run(1000, BUSY)
    assert 1 in used[: 2 * SPELL]
    assert used.count(2) < 40
    assert lost(used, BUSY) < 0.1


def test_when_the_neighbour_leaves_it_comes_back() -> None:
    machine = Machine(start=2, most=2)
    machine.run(300, CALM)
    machine.run(6000, BUSY)
    assert machine.governor.threads == 1
    used = machine.run(1500, CALM)
    assert used.index(2) <= 512
    assert used[512 + SPELL :].count(1) < 30


def test_a_neighbour_who_comes_during_a_trial_is_noticed() -> None:
    machine = Machine(start=2, most=2)
    machine.run(2000, CALM)
    while machine.governor.threads == 2:
        machine.run(1, CALM)
    used = machine.run(200, BUSY)
    assert used.count(2) <= FIRST_WAIT + 2 * SPELL


def test_a_neighbour_who_comes_after_a_long_chat_is_noticed_in_a_short_one() -> None:
    machine = Machine(start=2, most=2)
    machine.run(2000, CALM, longer=lambda _step: 6.0)
    machine.run(100, CALM)
    used = machine.run(200, BUSY)
    assert used.count(2) <= 3 * SPELL


def test_a_neighbour_who_was_there_first_is_noticed_too() -> None:
    machine = Machine(start=2, most=2)
    used = machine.run(1000, BUSY)
    assert set(used[FIRST_WAIT : FIRST_WAIT + SPELL]) == {1}
    assert machine.governor.threads == 1
    assert used.count(2) < 0.1 * len(used)


def test_it_climbs_from_one_thread_to_all_where_that_is_faster() -> None:
    used = Machine(start=1, most=8).run(300, CALM_8)
    assert set(used[100:]) <= {8, 4}
    assert used[100:].count(8) > 180


def test_of_many_cores_it_gives_up_no_more_than_it_has_to() -> None:
    machine = Machine(start=8, most=8)
    machine.run(200, CALM_8)
    used = machine.run(2000, BUSY_8)
    assert machine.governor.threads == 4
    assert lost(used, BUSY_8) < 0.1


@pytest.mark.parametrize("most", [3, 6])
def test_numbers_that_are_no_powers_of_two_are_reached(most: int) -> None:
    speeds = {threads: 10.0 * threads for threads in range(1, most + 1)}
    machine = Machine(start=1, most=most)
    machine.run(300, speeds)
    assert machine.governor.threads == most


def test_a_chat_that_grows_slower_and_slower_is_no_neighbour() -> None:
    calm, growing = (Machine(start=2, most=2) for _ in range(2))
    calm.run(4000, CALM)
    used = growing.run(4000, CALM, longer=lambda step: 1 + step / 500)
    assert growing.governor.threads == 2
    assert used.count(2) > 0.98 * len(used)
    assert growing.changes <= calm.changes


def test_a_sudden_jump_in_length_costs_one_trial() -> None:
    machine = Machine(start=2, most=2)
    machine.run(400, CALM)
    used = machine.run(100, CALM, longer=lambda _step: 5.0)
    assert used.count(1) <= 2 * SPELL
    assert machine.governor.threads == 2


def test_a_single_slow_step_changes_nothing() -> None:
    machine = Machine(start=2, most=2)
    used = machine.run(FIRST_WAIT - 1, CALM, longer=lambda step: 50.0 if step % 7 == 3 else 1.0)
    assert set(used) == {2}


def test_a_single_core_is_left_in_peace() -> None:
    machine = Machine(start=1, most=1)
    assert set(machine.run(500, {1: 30.0}, longer=lambda step: 1 + 9 * (step > 250))) == {1}
    assert machine.changes == 0


def test_threads_that_change_nothing_are_left_as_they_are() -> None:
    # As on a graphics processor.
    machine = Machine(start=4, most=8)
    used = machine.run(3000, {1: 50.0, 2: 50.0, 4: 50.0, 8: 50.0})
    assert used.count(4) > 0.97 * len(used)


def test_batches_of_different_size_are_not_compared() -> None:
    machine = Machine(start=2, most=2, noise=0.0)
    slower = {threads: speed / 4 for threads, speed in CALM.items()}
    machine.run(FIRST_WAIT - SPELL - 1, CALM, streams=1)
    assert set(machine.run(SPELL, slower, streams=4)) == {2}


def test_a_trial_ends_undecided_when_the_batch_changes() -> None:
    machine = Machine(start=2, most=2)
    while machine.governor.threads == 2:
        machine.run(1, CALM, streams=1)
    faster = {threads: 100 * speed for threads, speed in CALM.items()}
    machine.run(1, faster, streams=4)
    assert machine.governor.threads == 2


def test_the_same_times_lead_to_the_same_threads() -> None:
    one, two = (Machine(start=4, most=8, seed=3) for _ in range(2))
    assert one.run(500, BUSY_8) == two.run(500, BUSY_8)


def test_steps_of_no_time_at_all_change_nothing() -> None:
    governor = ThreadGovernor(2, most=4)
    for _ in range(300):
        governor.observe(0.0, streams=1)
    assert governor.threads == 2


@given(
    seed=st.integers(0, 10_000),
    noise=st.floats(0.0, 0.3),
    start=st.sampled_from([1, 2, 4, 8]),
    right=st.sampled_from([1, 2, 4, 8]),
    steepness=st.floats(1.4, 3.0),
)
def test_wherever_it_starts_it_settles_where_decoding_is_fastest(
    seed: int, noise: float, start: int, right: int, steepness: float
) -> None:
    rank = {threads: abs(threads.bit_length() - right.bit_length()) for threads in (1, 2, 4, 8)}
    speeds = {threads: 60.0 / steepness ** rank[threads] for threads in rank}
    machine = Machine(start=start, most=8, seed=seed, noise=noise)
    machine.run(400, speeds)
    assert lost(machine.run(600, speeds), speeds) < 0.1


@given(times=st.lists(st.floats(1e-6, 10.0), max_size=300), start=st.integers(1, 6))
def test_it_never_leaves_its_bounds(times: list[float], start: int) -> None:
    governor = ThreadGovernor(start, most=6)
    assert all(1 <= governor.observe(t, streams=1 + int(t > 5)) <= 6 for t in times)


def test_the_most_is_what_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 3, 5}, raising=False)
    assert most_threads() == 3
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(64)), raising=False)
    assert most_threads() == MOST_THREADS


def test_without_affinity_the_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert most_threads() == 4
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert most_threads() == 1
