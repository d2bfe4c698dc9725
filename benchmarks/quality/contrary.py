"""python -m benchmarks.quality.contrary --model FILE: should a vote count for what came out?

A duel steers two answers apart along a trait, and the vote counts for what was steered. Two other
traits only listen, and have their say where the finished texts show the same as their streams. Now
and then the scorer of the texts sees the opposite of what was steered, or no difference. Here the
votes of `benchmarks.quality.learning` are learned from again, read in other ways. What it is judged
by is the same for all: the next votes, and what the owner thinks, without noise, of texts that were
steered to one pole of a trait and to the other. The duels are those that a learner asks for which
believes whatever listened.

Answers come from the same file as those of `benchmarks.quality.learning`; those that are missing
are written, which takes hours.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean, pstdev
from typing import Literal, get_args

import numpy as np

from benchmarks.bench import Bench, launch_here
from benchmarks.quality.learning import HERE, Study, utilities
from benchmarks.quality.panel import Panel
from engine.models.catalogue import starter_path
from engine.preference.ballots import Evidence, lean, log_likelihood
from engine.preference.owners import OWNERS, Owner, find_owner
from engine.preference.utilities import UtilityLearner
from engine.session.simulation import Choice

VOTES = 20
FROM = 3
"""Votes before the first one that is foretold."""
JUDGED = (5, 10, 15, 19)
"""Votes after which what would act is judged."""
PAIRS = 5
"""Fewer pairs about a trait say nothing about its worth."""

Seen = Literal["agrees", "contrary", "nothing", "not scored"]
SEEN: tuple[Seen, ...] = get_args(Seen)
Reading = Callable[[Evidence, Seen], Evidence]


def seen(choice: Choice, trait: str | None = None) -> Seen:
    """Whether the scorer of a trait, of the one asked about unless another is named, sees in the
    texts what the trait's own streams tell."""
    evidence = choice.evidence
    trait = evidence.asked if trait is None else trait
    first, second = (side.get(trait) for side in evidence.scores)
    if first is None or second is None:
        return "not scored"
    if first == second:
        return "nothing"
    return "agrees" if (first - second) * _apart(evidence, trait) > 0.0 else "contrary"


def _apart(evidence: Evidence, trait: str) -> float:
    return lean(evidence.first, trait) - lean(evidence.second, trait)


def _steered(evidence: Evidence) -> float:
    return _apart(evidence, evidence.asked)


def exchanged(evidence: Evidence) -> Evidence:
    """As if each answer had been steered to where the other one was."""
    own = {evidence.asked + sign for sign in "+-"}

    def crossed(side: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
        return _without(side, own) | {s: phi for s, phi in other.items() if s in own}

    first, second = evidence.first, evidence.second
    return replace(evidence, first=crossed(first, second), second=crossed(second, first))


def silent(evidence: Evidence) -> Evidence:
    """As if the vote had been about everything but the trait asked about."""
    own = {evidence.asked + sign for sign in "+-"}
    return replace(
        evidence, first=_without(evidence.first, own), second=_without(evidence.second, own)
    )


def told(evidence: Evidence) -> Evidence:
    """As if nobody had counted anything: what listened is believed, seen or not."""
    return replace(evidence, scores=({}, {}))


def asked_alone(evidence: Evidence) -> Evidence:
    """As if nothing had listened."""
    streams = {s for side in (evidence.first, evidence.second) for s in side}
    others = {stream for stream in streams if stream[:-1] != evidence.asked}
    return replace(
        evidence,
        first=_without(evidence.first, others),
        second=_without(evidence.second, others),
    )


def _without(side: Mapping[str, float], streams: Collection[str]) -> dict[str, float]:
    return {stream: phi for stream, phi in side.items() if stream not in streams}


def _believing(votes: Sequence[Evidence]) -> UtilityLearner:
    return utilities([told(vote) for vote in votes])


def _where(*kinds: Seen, change: Callable[[Evidence], Evidence]) -> Reading:
    return lambda evidence, found: change(evidence) if found in kinds else evidence


READINGS: dict[str, Reading] = {
    "what was steered, and what listened where it shows (the app)": lambda evidence, _: evidence,
    "whatever listened, seen or not": lambda evidence, _: told(evidence),
    "nothing that listened": lambda evidence, _: asked_alone(evidence),
    "the app, asked: exchanged where contrary": _where("contrary", change=exchanged),
    "the app, asked: silent where contrary": _where("contrary", change=silent),
    "the app, asked: silent where nothing is seen": _where("nothing", change=silent),
    "the app, asked: silent where either": _where("contrary", "nothing", change=silent),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One reading, over all owners and seeds.

    loss   mean −log P of the next vote, nats
    gains  mean utility that the poles that would act are worth to the owner, logits, by votes
    """

    loss: float
    gains: dict[int, float]


class Worths:
    """What owners think of texts steered to the first pole of a trait, less the other pole's."""

    def __init__(self, choices: Sequence[Choice]) -> None:
        self._pairs: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for choice in choices:
            first, second = choice.texts
            ordered = (first, second) if _steered(choice.evidence) > 0.0 else (second, first)
            self._pairs[choice.evidence.asked].add(ordered)

    def of(self, owner: Owner, trait: str) -> float:
        """Mean difference in utility, logits; 0 where there are too few pairs."""
        pairs = self._pairs.get(trait, set())
        if len(pairs) < PAIRS:
            return 0.0
        return fmean(owner.utility(more) - owner.utility(less) for more, less in sorted(pairs))


def judge(courses: Mapping[str, Sequence[Choice]], reading: Reading, worths: Worths) -> Judged:
    """Learn from every course again, reading its duels like this.

    courses  choices, oldest first, under "owner/seed"
    """
    losses: list[float] = []
    gains: dict[int, list[float]] = defaultdict(list)
    for name, choices in courses.items():
        owner = find_owner(name.split("/")[0])
        read = [reading(choice.evidence, seen(choice)) for choice in choices]
        for votes in range(FROM, len(choices)):
            learner = utilities(read[:votes])
            losses.append(_surprise(learner, choices[votes].evidence))
            if votes in JUDGED:
                pulls = learner.serving().pulls
                gains[votes].append(sum(pull.pole * worths.of(owner, pull.trait) for pull in pulls))
    return Judged(loss=fmean(losses), gains={v: fmean(found) for v, found in gains.items()})


def _surprise(learner: UtilityLearner, vote: Evidence) -> float:
    """−log P(vote) with the most likely weights, nats."""
    first, second = (np.asarray(learner.reward(side)) for side in (vote.first, vote.second))
    return -float(log_likelihood(vote.outcome, first, second))


# The table ----------------------------------------------------------------------------------


def heard(choices: Sequence[Choice]) -> dict[str, Counter[Seen]]:
    """How often the scorer saw what a trait's streams told that only listened, by trait."""
    found: dict[str, Counter[Seen]] = defaultdict(Counter)
    for choice in choices:
        evidence = choice.evidence
        for trait in {stream[:-1] for stream in (*evidence.first, *evidence.second)}:
            if trait != evidence.asked:
                found[trait][seen(choice, trait)] += 1
    return dict(found)


def counted(choices: Sequence[Choice]) -> dict[str, Counter[Seen]]:
    """How often the scorer saw what was steered, by trait."""
    found: dict[str, Counter[Seen]] = defaultdict(Counter)
    for choice in choices:
        found[choice.evidence.asked][seen(choice)] += 1
    return dict(found)


def effects(choices: Sequence[Choice]) -> dict[str, float]:
    """How far steering moves a trait's own score, in standard deviations of that difference
    (Cohen's d for pairs); of traits with too few different pairs, or no spread, nothing."""
    found: dict[str, dict[frozenset[str], float]] = defaultdict(dict)
    for choice in choices:
        asked = choice.evidence.asked
        first, second = (side.get(asked) for side in choice.evidence.scores)
        if first is not None and second is not None:
            towards = 1.0 if _steered(choice.evidence) > 0.0 else -1.0
            found[asked][frozenset(choice.texts)] = towards * (first - second)
    moved = {trait: list(pairs.values()) for trait, pairs in found.items() if len(pairs) >= PAIRS}
    return {t: fmean(pairs) / pstdev(pairs) for t, pairs in moved.items() if pstdev(pairs) > 0.0}


Counts = Mapping[str, Mapping[Seen, int]]


def _count_lines(title: str, counts: Counts, moved: Mapping[str, float]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| trait | " + " | ".join(SEEN) + " | effect in standard deviations |"
    yield "|---" * (2 + len(SEEN)) + "|"
    for trait, found in sorted(counts.items(), key=lambda row: -sum(row[1].values())):
        cells = [str(found.get(kind, 0)) for kind in SEEN]
        cells.append(f"{moved[trait]:.1f}" if trait in moved else "–")
        yield f"| {trait} | " + " | ".join(cells) + " |"
    yield ""


def _judged_lines(judged: Mapping[str, Judged]) -> Iterator[str]:
    yield "## What is learned, where a vote counts for\n"
    after = " | ".join(f"worth of what acts after {votes}" for votes in JUDGED)
    yield f"| | next vote, nats | {after} votes, logits |"
    yield "|---" * (2 + len(JUDGED)) + "|"
    for name, found in judged.items():
        cells = " | ".join(f"{found.gains[votes]:.2f}" for votes in JUDGED)
        yield f"| {name} | {found.loss:.3f} | {cells} |"


def _write(out: Path, choices: Sequence[Choice], judged: Mapping[str, Judged]) -> None:
    asked, listened, moved = counted(choices), heard(choices), effects(choices)
    readings = {name: asdict(found) for name, found in judged.items()}
    told = {"asked": asked, "heard": listened, "effects": moved, "readings": readings}
    out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    lines = (
        *_count_lines("The trait asked about: what its scorer sees in the texts", asked, moved),
        *_count_lines("Traits that only listened", listened, {}),
        *_judged_lines(judged),
    )
    page = "\n".join(lines) + "\n"
    out.with_suffix(".md").write_text(page, encoding="utf-8")
    print(page)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=starter_path())
    parser.add_argument("--owners", default=",".join(owner.name for owner in OWNERS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    model: Path = given.model
    bench = Bench(str(model), name=model.stem, launch=launch_here())
    panel = Panel(bench, cache=HERE / "answers" / f"{model.stem}.jsonl")
    owners = tuple(find_owner(name) for name in given.owners.split(","))
    study = Study(panel, owners=owners, seeds=given.seeds, votes=(0, 5, 10, VOTES))
    played = study.play(_believing, seeds=range(given.seeds))
    courses = {name: course.choices for name, course in played.items()}
    everything = [choice for choices in courses.values() for choice in choices]
    worths = Worths(everything)
    judged = {name: judge(courses, reading, worths) for name, reading in READINGS.items()}
    out: Path = given.out or HERE / "results" / f"contrary-{model.stem}.json"
    _write(out, everything, judged)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
