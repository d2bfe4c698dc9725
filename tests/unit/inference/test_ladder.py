"""The rungs of the self-test, and the way down after a crash."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.inference.death import Cause
from engine.inference.ladder import SMALLEST_CONTEXT, after, below, describe, rungs
from engine.types.models import Launch

X86 = ("sapphirerapids", "icelake", "skylakex", "haswell", "sandybridge", "sse42", "x64")

launches = st.builds(
    Launch,
    variant=st.sampled_from((None, "unheard-of", *X86)),
    gpu_layers=st.sampled_from([-1, 0, 20]),
    extra_bufts=st.booleans(),
    threads=st.integers(1, 8),
    context=st.integers(1, 32_768),
)
variants = st.lists(st.sampled_from(X86), unique=True).map(
    lambda found: tuple(sorted(found, key=X86.index))
)


def changed(one: Launch, other: Launch) -> set[str]:
    before, now = asdict(one), asdict(other)
    return {name for name in before if before[name] != now[name]}


# The self-test ------------------------------------------------------------------------------


def test_a_build_for_one_processor_is_tried_with_and_without_repacked_weights() -> None:
    plain = Launch(threads=3, context=4096)
    assert rungs((), gpu=False, threads=3, context=4096) == (
        plain,
        replace(plain, extra_bufts=False),
    )


def test_a_graphics_processor_comes_first_and_the_rest_stays() -> None:
    without = rungs(X86, gpu=False, threads=2, context=2048)
    first, *rest = rungs(X86, gpu=True, threads=2, context=2048)
    assert first == replace(without[0], gpu_layers=-1)
    assert tuple(rest) == without


def test_the_rungs_of_a_new_processor_by_hand() -> None:
    found = [(r.variant, r.extra_bufts) for r in rungs(X86, gpu=False, threads=2, context=2048)]
    assert found == [
        ("sapphirerapids", True),
        ("icelake", True),
        ("sapphirerapids", False),
        ("haswell", False),
        ("sse42", False),
    ]


def test_the_rungs_of_an_old_processor_by_hand() -> None:
    found = [
        (r.variant, r.extra_bufts) for r in rungs(("x64",), gpu=False, threads=1, context=2048)
    ]
    assert found == [("x64", True), ("x64", False)]


@given(variants, st.booleans(), st.integers(1, 16), st.integers(1024, 16_384))
def test_no_rung_is_tried_twice_and_all_have_what_was_asked_for(
    claimed: tuple[str, ...], gpu: bool, threads: int, context: int
) -> None:
    found = rungs(claimed, gpu=gpu, threads=threads, context=context)
    assert len(set(found)) == len(found) >= 2
    assert {(r.threads, r.context) for r in found} == {(threads, context)}
    assert {r.variant for r in found} <= set(claimed or [None])
    assert sum(r.gpu_layers != 0 for r in found) == gpu


# After a crash ------------------------------------------------------------------------------


def test_the_way_down_by_hand() -> None:
    step: Launch | None = Launch(variant="icelake", gpu_layers=-1, threads=2, context=4096)
    way = []
    while step is not None:
        way.append((step.gpu_layers, step.extra_bufts, step.variant, step.context))
        step = below(step, X86)
    assert way == [
        (-1, True, "icelake", 4096),
        (0, True, "icelake", 4096),
        (0, False, "icelake", 4096),
        (0, False, "haswell", 4096),
        (0, False, "sse42", 4096),
        (0, False, "sse42", 2048),
        (0, False, "sse42", 1024),
    ]


@given(launches, variants)
def test_every_step_down_changes_one_thing_and_the_way_ends(
    launch: Launch, claimed: tuple[str, ...]
) -> None:
    seen = [launch]
    while (safer := below(seen[-1], claimed)) is not None:
        assert len(changed(seen[-1], safer)) == 1
        assert safer not in seen
        seen.append(safer)
    bottom = seen[-1]
    assert (bottom.gpu_layers, bottom.extra_bufts) == (0, False)
    assert bottom.context < 2 * SMALLEST_CONTEXT
    assert bottom.context >= min(launch.context, SMALLEST_CONTEXT)
    assert bottom.threads == launch.threads


@given(st.sampled_from(get_args(Cause)), launches, variants)
def test_after_any_cause_the_way_down_ends(
    cause: str, launch: Launch, claimed: tuple[str, ...]
) -> None:
    seen: list[Launch] = []
    step: Launch | None = launch
    while step is not None:
        assert step not in seen
        seen.append(step)
        step = after(cause, step, claimed)


def test_memory_that_ran_out_halves_the_context_and_nothing_else() -> None:
    launch = Launch(variant="icelake", context=8192)
    assert after("memory", launch, X86) == replace(launch, context=4096)
    assert after("memory", replace(launch, context=2 * SMALLEST_CONTEXT - 1), X86) is None


def test_memory_that_ran_out_on_the_gpu_leaves_the_gpu_first() -> None:
    launch = Launch(gpu_layers=-1, context=8192)
    assert after("memory", launch, X86) == replace(launch, gpu_layers=0)


def test_an_unknown_instruction_goes_straight_to_an_older_processor() -> None:
    launch = Launch(variant="sapphirerapids")
    assert after("processor", launch, X86) == replace(launch, variant="haswell", extra_bufts=False)
    assert after("processor", replace(launch, gpu_layers=-1), X86) == launch


def test_an_unknown_instruction_in_the_only_build_leaves_out_repacked_weights() -> None:
    # Seen where a virtual machine advertises AMX and does not have it.
    launch = Launch()
    assert after("processor", launch, ()) == replace(launch, extra_bufts=False)
    assert after("processor", replace(launch, extra_bufts=False), ()) is None


@pytest.mark.parametrize("cause", ["fault", "ended", "file"])
def test_an_unknown_cause_takes_one_step_down(cause: str) -> None:
    launch = Launch(variant="icelake")
    assert after(cause, launch, X86) == below(launch, X86)


# Words --------------------------------------------------------------------------------------


def test_a_rung_in_words() -> None:
    assert describe(Launch(threads=2, context=4096)) == "CPU, 2 threads, context 4096"
    assert (
        describe(Launch(variant="haswell", extra_bufts=False, threads=1, context=1024))
        == "CPU (haswell), without repacked weights, 1 thread, context 1024"
    )
    assert describe(Launch(gpu_layers=-1, threads=4)).startswith("GPU, 4 threads")
