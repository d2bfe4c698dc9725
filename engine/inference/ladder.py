"""Which settings to try, fastest first, and where to step down to after a crash.

A processor may claim what the machine does not allow (seen: AMX on virtual machines, where the
first matrix product faults), so nothing but a trial decides. Each rung differs from the one above
by the least that could help.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.types.models import Launch

SMALLEST_CONTEXT = 1024
_WIDELY_SAFE = ("haswell", "sse42")
"""Libraries that run on nearly any x86-64 processor of the last ten, or fifteen, years. Elsewhere
the last one that claims to run is the safest."""


def rungs(variants: Sequence[str], *, gpu: bool, threads: int, context: int) -> tuple[Launch, ...]:
    """Settings for the self-test, best first.

    variants  names of the CPU libraries that claim to run here, best first; empty where llama.cpp
              was built for one processor only
    """
    bottom = Launch(threads=threads, context=context)
    if not variants:
        cpu = [bottom, replace(bottom, extra_bufts=False)]
    else:
        cpu = [replace(bottom, variant=name) for name in variants[:2]]
        cpu.append(replace(bottom, variant=variants[0], extra_bufts=False))
        others = [name for name in _safest(variants) if name in variants[2:]]
        cpu += [replace(bottom, variant=name, extra_bufts=False) for name in others]
    on_gpu = [replace(rung, gpu_layers=-1) for rung in cpu[:1]] if gpu else []
    return (*on_gpu, *cpu)


def safest(variants: Sequence[str], *, threads: int, context: int) -> Launch:
    """Settings that run if any do: on the CPU, with the library that asks least of it.

    variants  as in `rungs`
    """
    return Launch(
        variant=_safest(variants)[-1] if variants else None,
        extra_bufts=False,
        threads=threads,
        context=context,
    )


def below(launch: Launch, variants: Sequence[str]) -> Launch | None:
    """One step safer after a crash, or None at the bottom: GPU → CPU → no repacked weights →
    older processor → half the context."""
    if launch.gpu_layers:
        return replace(launch, gpu_layers=0)
    if launch.extra_bufts:
        return replace(launch, extra_bufts=False)
    if older := _older(launch.variant, variants):
        return replace(launch, variant=older)
    if launch.context // 2 >= SMALLEST_CONTEXT:
        return replace(launch, context=launch.context // 2)
    return None


def after(cause: str, launch: Launch, variants: Sequence[str]) -> Launch | None:
    """As `below`, but a cause that is known goes straight to what helps."""
    if cause == "memory" and not launch.gpu_layers:
        half = launch.context // 2
        return replace(launch, context=half) if half >= SMALLEST_CONTEXT else None
    if cause == "processor" and not launch.gpu_layers:
        if older := _older(launch.variant, variants):
            return replace(launch, variant=older, extra_bufts=False)
        return replace(launch, extra_bufts=False) if launch.extra_bufts else None
    return below(launch, variants)


def describe(launch: Launch) -> str:
    """A rung in words."""
    where = "GPU" if launch.gpu_layers else "CPU"
    name = f" ({launch.variant})" if launch.variant else ""
    repacked = "" if launch.extra_bufts else ", without repacked weights"
    threads = f"{launch.threads} thread" + ("s" if launch.threads != 1 else "")
    return f"{where}{name}{repacked}, {threads}, context {launch.context}"


def _older(variant: str | None, variants: Sequence[str]) -> str | None:
    if variant is None or variant not in variants:
        return None
    rest = list(variants)[list(variants).index(variant) + 1 :]
    return next((name for name in _safest(variants) if name in rest), None)


def _safest(variants: Sequence[str]) -> list[str]:
    return [name for name in _WIDELY_SAFE if name in variants] or list(variants[-1:])
