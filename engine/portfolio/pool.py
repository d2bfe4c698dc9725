"""The pool: the settings of every installed model that a portfolio is chosen from.

Source: PALM (arXiv 2604.04144) trains a policy for each weighting of the rewards. Differs from the
paper: nothing is trained; a candidate is a model with preference sentences and a strength, so it
costs no more than the model's file.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, combinations, islice, zip_longest

import numpy as np

from engine.errors import InvalidParameter
from engine.numerics import F64
from engine.portfolio.words import listed
from engine.types.portfolio import Candidate
from engine.types.steering import MAX_GAMMA, MAX_PREFERENCES, Sampling

MOST = 12
"""Settings of one model: each takes an answer to every calibration question."""

STATED, STRONG = 0.0, 2.0
"""Strengths γ of what is generated: the sentence alone, and pulled towards."""

MAX_LENGTH = 300
"""Characters of a preference, as everywhere."""

OVERHEAD = 300_000_000
"""Bytes that any model takes besides its file."""

LOADING = 500_000_000
"""Bytes a second that a model is read with from a common disk."""

PATIENCE = 10.0
"""Seconds of waiting for another model that count as much as all of the memory."""

_SHOWN = 40

Pole = tuple[str, str, str]
"""An objective's id ("short+"), an adjective for names ("short"), and its preference sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """An installed model: the id that `Candidate.model` names, and what people call it.

    adapted  an adapter acts on it
    """

    id: str
    name: str
    adapted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that a model is loaded from.

    id       the same for the same contents
    size     bytes
    adapter  it acts on another file, and needs no OVERHEAD of its own
    """

    id: str
    size: int
    adapter: bool = False


def generate(
    models: Sequence[Model], *, sampling: Sampling, poles: Sequence[Pole]
) -> tuple[Candidate, ...]:
    """The pool before the owner edits it: at most MOST settings of each model, always the plain
    one, model by model in the order given.

    sampling  how every candidate draws its tokens; the seed is left out
    poles     the most important first; both poles of a trait may be there, but are not paired

    Of each model there are, in this order and as far as MOST allows: the plain model; every pole
    at γ = 2, since these are the corners of what owners can want; then by turns a pair of poles of
    different traits at γ = 2, composed, and a single pole that is only stated. Pairs of important
    poles come first. The settings for fewer models, or for the first few poles, keep their ids.
    An adapted model is a setting in itself: of it there are the plain one and the poles at γ = 2.

    Raises InvalidParameter for a sentence that cannot be a preference.
    """
    return tuple(
        _candidate(model, adjectives, sentences, gamma=gamma, sampling=sampling)
        for model in models
        for adjectives, sentences, gamma in islice(_settings(poles, model), MOST)
    )


def own(model: Model, *, preferences: Sequence[str], gamma: float, sampling: Sampling) -> Candidate:
    """A setting of the owner's own.

    preferences  adjectives or sentences, 1 to MAX_PREFERENCES; white space is tidied
    gamma        strength γ in [0, MAX_GAMMA]

    Raises InvalidParameter for what is outside.
    """
    texts = tuple(" ".join(text.split()) for text in preferences)
    if not 1 <= len(texts) <= MAX_PREFERENCES:
        allowed = f"from 1 to {MAX_PREFERENCES}"
        raise InvalidParameter.outside("number of preferences", len(texts), allowed)
    if not 0.0 <= gamma <= MAX_GAMMA:
        raise InvalidParameter.outside("strength", gamma, f"from 0 to {MAX_GAMMA:g}")
    shown = tuple(map(_shown, texts))
    return _candidate(model, shown, texts, gamma=gamma, sampling=sampling)


def edited(
    generated: Sequence[Candidate], *, added: Sequence[Candidate], removed: Collection[str]
) -> tuple[Candidate, ...]:
    """The pool as the owner wants it: what was generated without those whose id is in `removed`,
    then what was added; each id once, where it stands first."""
    kept = (candidate for candidate in generated if candidate.id not in removed)
    unique: dict[str, Candidate] = {}
    for candidate in chain(kept, added):
        unique.setdefault(candidate.id, candidate)
    return tuple(unique.values())


def costs(
    files: Mapping[str, Sequence[File]], *, installed: int | None, candidates: Sequence[Candidate]
) -> F64:
    """What keeping each candidate costs, float64, (n,), in [0, 1]; selection divides by 1 + cost.

    files      that each model is loaded from, by the model's id
    installed  bytes of memory in this computer; None where that is not known

    A file costs the mean of its share of the memory, min(1, (size + OVERHEAD) / installed), and
    of the patience that loading it takes, min(1, size / LOADING / PATIENCE); the latter alone
    where the memory is not known. The candidates of one file bear its cost together, in equal
    parts, since the second of them needs no memory and no loading of its own: an adapted model
    shares its base's file with the base, and its adapter with nobody. A model whose files are not
    known costs 1.
    """
    sharing = Counter(file for c in candidates for file in files.get(c.model, ()))
    unknown = Counter(candidate.model for candidate in candidates)
    found = [
        sum(_file_cost(file, installed) / sharing[file] for file in files[c.model])
        if c.model in files
        else 1.0 / unknown[c.model]
        for c in candidates
    ]
    return np.minimum(1.0, np.asarray(found, dtype=np.float64))


def _file_cost(file: File, installed: int | None) -> float:
    loading = min(1.0, file.size / LOADING / PATIENCE)
    if installed is None:
        return loading
    overhead = 0 if file.adapter else OVERHEAD
    return 0.5 * (min(1.0, (file.size + overhead) / installed) + loading)


# Settings of one model ----------------------------------------------------------------------

_Setting = tuple[tuple[str, ...], tuple[str, ...], float]


def _settings(poles: Sequence[Pole], model: Model) -> Iterator[_Setting]:
    """Adjectives, sentences and γ of every setting there is, the most useful first."""
    alone = [(pole,) for pole in poles]
    pairs = [(poles[i], poles[j]) for i, j in _by_importance(len(poles)) if _differ(poles, i, j)]
    yield (), (), STATED
    yield from (_setting(each, STRONG) for each in alone)
    if model.adapted:
        return
    for pair, single in zip_longest(pairs, alone):
        if pair is not None:
            yield _setting(pair, STRONG)
        if single is not None:
            yield _setting(single, STATED)


def _setting(poles: Sequence[Pole], gamma: float) -> _Setting:
    _, adjectives, sentences = zip(*poles, strict=True)
    return adjectives, sentences, gamma


def _by_importance(count: int) -> list[tuple[int, int]]:
    """Places of pairs; that of the first and the third pole comes before the second and third."""
    return sorted(combinations(range(count), 2), key=sum)


def _differ(poles: Sequence[Pole], i: int, j: int) -> bool:
    """Whether two poles are of different traits; their ids end in the sign."""
    return poles[i][0][:-1] != poles[j][0][:-1]


def _candidate(
    model: Model,
    shown: Sequence[str],
    preferences: Sequence[str],
    *,
    gamma: float,
    sampling: Sampling,
) -> Candidate:
    for text in preferences:
        _check(text)
    return Candidate(
        id=_identity(model.id, preferences, gamma=gamma, sampling=sampling),
        model=model.id,
        name=f"{model.name}, {_manner(shown, gamma)}",
        preferences=tuple(preferences),
        gamma=gamma,
        sampling=replace(sampling, seed=None),
    )


def _check(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise InvalidParameter(
            f"A preference has {len(text)} characters, but {MAX_LENGTH} are the most."
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidParameter(
            "A preference is not valid Unicode. Type it again.", detail=str(error)
        ) from error
    if not any(char.isalnum() for char in text):
        raise InvalidParameter("A preference is empty. Say in a few words how answers should be.")


def _manner(shown: Sequence[str], gamma: float) -> str:
    if not shown:
        return "plain"
    strengths = {STATED: " (stated)", STRONG: ""}
    return listed(shown) + strengths.get(gamma, f" (strength {gamma:g})")


def _shown(text: str) -> str:
    """A preference of the owner's own, for a name; at most _SHOWN characters."""
    text = text.rstrip(". ")
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1].rstrip() + "…"


def _identity(model: str, preferences: Sequence[str], *, gamma: float, sampling: Sampling) -> str:
    """The same for the same setting on every machine: 12 hex digits of its SHA-256."""
    left_out = ("seed", "max_tokens")  # neither changes what a candidate is
    drawn = {name: value for name, value in asdict(sampling).items() if name not in left_out}
    # 2 and 2.0 are the same setting, but not the same JSON.
    numbers = {name: float(value) for name, value in drawn.items()}
    whole = json.dumps([model, list(preferences), float(gamma), numbers], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:12]
