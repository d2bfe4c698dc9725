"""Credible samples: of what a member answers to unlabelled prompts, what it is surest of.

A mask is trained on no labels but the members' own: each member answers its prompts once, and its
answers become the targets (pseudo-labels). The entropy of its predictions says how far each can
be believed; per class the least certain are left out.

Source: CALM (arXiv 2506.13406), class-balanced entropy minimisation. Letters: H entropy in nats,
r the credible share, n_c the samples of class c, V the size of the vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.errors import InvalidParameter
from engine.merging.packing import Example
from engine.numerics import F32, F64

Rule = Literal["ours", "code"]
RULES: tuple[Rule, ...] = ("ours", "code")

CREDIBLE = 0.9
"""r: share of each class that is kept."""

UNCERTAIN = 0.1
"""Share of the tokens of a reply that are no targets, the least certain ones."""

FEWEST = 2
"""Samples that "ours" keeps of each class that has as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a member wrote to one prompt, greedily.

    prompt       token ids as the member saw them: template, default system prompt and all
    tokens       token ids that it wrote
    uncertainty  H of the prediction that each of `tokens` was chosen from, nats, as many
    tag          what the prompt is about; stands for the class
    """

    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    uncertainty: tuple[float, ...]
    tag: str


def entropies(logits: F32) -> F64:
    """H = −Σ_c p_c ln p_c of each row's softmax, nats, in [0, ln C].

    logits   float32, (n, C); −inf is a class that is never chosen
    returns  float64, (n,)
    """
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    mass = np.exp(shifted)
    total = mass.sum(axis=1)
    shifted[mass == 0.0] = 0.0  # p ln p is 0 there, and not 0 times infinity
    found: F64 = np.log(total) - (mass * shifted).sum(axis=1) / total
    return found.clip(0.0, math.log(logits.shape[1]))


def credible(
    uncertainty: Sequence[float] | F64,
    classes: Sequence[Hashable],
    *,
    share: float = CREDIBLE,
    rule: Rule = "ours",
) -> dict[Hashable, tuple[int, ...]]:
    """Which samples to keep, per class, the surest first; equally sure ones in the given order.

    uncertainty  H of each sample, n of them
    classes      the class that is predicted for each
    share        r in (0, 1]
    rule         how many of n_c: "ours" min(n_c, max(2, ⌈r n_c⌉)), "code" ⌊r n_c⌋
    returns      class → indices, classes in the order of their first sample

    Differs from the paper's code: its rule drops every class with a single sample, even at
    r = 0.9; ours keeps each class that there is. Raises InvalidParameter.
    """
    if not 0.0 < share <= 1.0:
        raise InvalidParameter.outside("share", share, "above 0 and at most 1")
    if rule not in RULES:
        raise InvalidParameter.outside("rule", rule, " or ".join(RULES))
    members: dict[Hashable, list[int]] = {}
    for index, label in enumerate(classes):
        members.setdefault(label, []).append(index)
    kept: dict[Hashable, tuple[int, ...]] = {}
    for label, indices in members.items():
        surest = sorted(indices, key=lambda index: uncertainty[index])
        chosen = surest[: _count(len(indices), share, rule)]
        if chosen:
            kept[label] = tuple(chosen)
    return kept


def _count(size: int, share: float, rule: Rule) -> int:
    if rule == "code":
        return int(share * size)
    # 0.55 of 100 is 55.00000000000001 in floats, and nobody means 56.
    return min(size, max(FEWEST, math.ceil(share * size - 1e-9)))


def certain(uncertainty: Sequence[float] | F64, *, drop: float = UNCERTAIN) -> tuple[bool, ...]:
    """For each token of a reply, whether it is a target: all but the ⌊drop · n⌋ least certain.

    uncertainty  H of each, n of them
    drop         in [0, 1); of equally uncertain ones the later are dropped

    Raises InvalidParameter.
    """
    if not 0.0 <= drop < 1.0:
        raise InvalidParameter.outside("drop", drop, "at least 0 and below 1")
    surest = sorted(range(len(uncertainty)), key=lambda index: uncertainty[index])
    kept = set(surest[: len(surest) - int(drop * len(surest))])
    return tuple(index in kept for index in range(len(surest)))


def choose(
    replies: Iterable[Reply], *, share: float = CREDIBLE, drop: float = UNCERTAIN
) -> tuple[Example, ...]:
    """The credible replies of one member, in the order in which they came.

    The prediction of a token counts where it is part of the reply and a target.

    Differs from the paper, which is about classifiers: a sample is a prompt with its greedy
    reply, H the mean over the tokens of the reply, the class the prompt's tag, and the least
    certain tokens are no targets. Replies without a token are left out. Raises InvalidParameter.
    """
    written = [reply for reply in replies if reply.tokens]
    means = [math.fsum(reply.uncertainty) / len(reply.tokens) for reply in written]
    kept = credible(means, [reply.tag for reply in written], share=share)
    indices = sorted(index for chosen in kept.values() for index in chosen)
    return tuple(_example(written[index], drop) for index in indices)


def _example(reply: Reply, drop: float) -> Example:
    counts = (False,) * len(reply.prompt) + certain(reply.uncertainty, drop=drop)
    tokens = np.asarray(reply.prompt + reply.tokens, np.intp)
    return Example(tokens=tokens, weights=np.asarray(counts))
