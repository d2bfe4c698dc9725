"""python -m benchmarks.quality.learning --model FILE: do votes make answers better for somebody?

Simulated owners with a taste that is never in a prompt vote on pairs of answers, noisily; after 0,
5, 10, 20 … votes the answers to other questions are compared with the untouched model's by the
owner's utility, a measured function of the text. Beside the curves: an oracle that steers with the
best pulls for the owner, baselines, what steering costs in fluency, and checkable facts.

Everything is resumable: answers are kept in benchmarks/quality/answers, one file for each model.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from benchmarks.bench import Bench, launch_here
from benchmarks.quality.panel import Panel
from benchmarks.quality.picture import draw_curves, interval
from engine.inference.threads import most_threads
from engine.models.catalogue import starter_path
from engine.preference.ballots import Evidence
from engine.preference.learner import Contrast, Learner, Serving, TraitPull, poles, scaled
from engine.preference.neural import NeuralLearner
from engine.preference.owners import OWNERS, Owner, find_owner, win
from engine.preference.scorers import measures
from engine.preference.traits import BUILT_IN
from engine.preference.utilities import UtilityLearner
from engine.session.duels import steered, told
from engine.session.questions import HELD_OUT, VOTED_ON
from engine.session.simulation import SAMPLING, Course, Plan, Point, question, simulate
from engine.types.answers import Answer, Message, Question
from engine.types.steering import Preference, Sampling, Steering

HERE = Path(__file__).parent
MEASURED = 5
SEARCHED = 4
"""Questions, of those voted on, that the oracle is found with."""

TRIED = (1.5,)
"""Weights θ that the oracle tries for each pole."""

PROFILES = 3
"""Owners whose profiles have to keep the facts right."""

Asking = Callable[[str], Question]


def main() -> int:
    arguments = _arguments()
    model: Path = arguments.model
    launch = replace(launch_here(), threads=arguments.threads or most_threads())
    bench = Bench(str(model), name=model.stem, launch=launch)
    panel = Panel(bench, cache=HERE / "answers" / f"{model.stem}.jsonl")
    study = Study(
        panel,
        owners=tuple(find_owner(n) for n in arguments.owners.split(",")),
        seeds=arguments.seeds,
        votes=tuple(arguments.votes),
    )
    out: Path = arguments.out or HERE / "results" / f"learning-{model.stem}.json"
    results = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    for part in arguments.parts:
        print(f"\n{part}", file=sys.stderr)
        results[part] = getattr(study, part)()
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        out.with_suffix(".md").write_text(_tables(results), encoding="utf-8")
    if "curves" in results:
        draw_curves(results, out.with_suffix(".png"))
    print(_tables(results))
    return 0


PARTS = ("curves", "quality", "oracle", "stated", "facts", "pairs", "random", "best", "neural")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=starter_path())
    parser.add_argument("--owners", default=",".join(owner.name for owner in OWNERS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--votes", type=int, nargs="+", default=[0, 5, 10, 20, 40])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--threads", type=int, help="all cores, unless the machine is shared")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


class Study:
    """The parts of the benchmark, each a method that returns what is written down."""

    def __init__(
        self, panel: Panel, *, owners: tuple[Owner, ...], seeds: int, votes: tuple[int, ...]
    ) -> None:
        self.panel, self.owners, self.seeds = panel, owners, seeds
        self.checkpoints = votes
        self.held_out, self.voted_on = HELD_OUT[:MEASURED], VOTED_ON
        self.base = panel.ask(tuple(self._plain(text) for text in self.held_out))
        self._courses: dict[str, Course] = {}

    # Parts ------------------------------------------------------------------------------------

    def curves(self) -> dict[str, object]:
        """Utilities as features, all owners and seeds."""
        self._courses = self.play(utilities, seeds=range(self.seeds))
        return _written(self._courses)

    def neural(self) -> dict[str, object]:
        """As published: one seed, since every token of it costs a batch of candidates."""
        width = self.panel.bench.model.shape.width
        return _written(self.play(lambda e: NeuralLearner(e, width=width), seeds=range(1)))

    def random(self) -> dict[str, object]:
        """The same learner, but the trait of a duel is drawn by chance."""
        return _written(self.play(RandomContrast, seeds=range(1)))

    def oracle(self) -> dict[str, object]:
        """The best pulls for each owner, searched with noiseless utilities on other questions."""
        return {
            owner.name: self._score(owner, self._asking(self._best(owner))) for owner in self.owners
        }

    def stated(self) -> dict[str, object]:
        """The taste in words: as a plain preference prompt, and with Linear Alignment."""
        found: dict[str, object] = {}
        for method in ("pref", "la"):
            for owner in self.owners:
                wanted = Steering(method=method, preferences=(Preference(text=owner.taste),))
                asking = self._with(wanted)
                found[f"{method} {owner.name}"] = self._score(owner, asking)
        return found

    def pairs(self) -> dict[str, object]:
        """The last three decided pairs in the prompt, best and worse, after 20 votes."""
        return {
            owner.name: self._score(owner, self._shown_pairs(self._course(owner)))
            for owner in self.owners
        }

    def best(self) -> dict[str, object]:
        """Best of four plain samples by the reward learned at the end."""
        return {owner.name: self._best_of(owner, 4) for owner in self.owners}

    def quality(self) -> dict[str, object]:
        """Fluency of steered answers at every checkpoint, and of the untouched model's."""
        self._course(self.owners[0])  # so that there are courses
        found: dict[str, object] = {"untouched": _fluency(self.base)}
        for i, votes in enumerate(self.checkpoints):
            answers = [a for c in self._courses.values() for a in c.points[i].answers]
            found[f"{votes} votes"] = _fluency(answers)
        return found

    def facts(self) -> dict[str, object]:
        """Share of checkable facts that are right, untouched and under some owners' profiles."""
        facts = [line.split("|", 1) for line in _lines("facts.txt")]
        servings = {"untouched": Serving()} | {
            owner.name: self._course(owner).points[-1].serving for owner in self.owners[:PROFILES]
        }
        return {name: self._right(facts, serving) for name, serving in servings.items()}

    # How --------------------------------------------------------------------------------------

    def play(
        self, learn: Callable[[Sequence[Evidence]], Learner], *, seeds: range
    ) -> dict[str, Course]:
        """A course of votes for each owner and seed, under "owner/seed"."""
        runs = {
            f"{owner.name}/{seed}": simulate(
                Plan(
                    owner=owner,
                    voted_on=_from(self.voted_on, start=seed * 17),
                    held_out=self.held_out,
                    checkpoints=self.checkpoints,
                    learn=learn,
                    seed=seed,
                )
            )
            for owner in self.owners
            for seed in seeds
        }
        return self.panel.play(runs)

    def _course(self, owner: Owner) -> Course:
        if not self._courses:
            self.curves()
        return self._courses[f"{owner.name}/0"]

    def _plain(self, text: str) -> Question:
        return question(text, Serving(), SAMPLING)

    def _asking(self, serving: Serving) -> Asking:
        return lambda text: question(text, serving, SAMPLING)

    def _with(self, steering: Steering) -> Asking:
        return lambda text: replace(self._plain(text), steering=steering, embed=False)

    def _score(self, owner: Owner, asking: Asking) -> dict[str, object]:
        answers = self.panel.ask(tuple(asking(text) for text in self.held_out))
        return self._scored(owner, [a.text for a in answers])

    def _scored(self, owner: Owner, texts: Sequence[str]) -> dict[str, object]:
        wins = [win(owner, t, b.text) for t, b in zip(texts, self.base, strict=True)]
        gains = [
            owner.utility(t) - owner.utility(b.text) for t, b in zip(texts, self.base, strict=True)
        ]
        return {"win_rate": fmean(wins), "gain": fmean(gains)}

    def _best(self, owner: Owner) -> Serving:
        """Up to three poles: the best of the sets of the one, two, three best poles alone."""
        texts = self.voted_on[:SEARCHED]
        base = self.panel.ask(tuple(self._plain(text) for text in texts))

        def gain(serving: Serving) -> float:
            answers = self.panel.ask(tuple(self._asking(serving)(text) for text in texts))
            return fmean(
                owner.utility(a.text) - owner.utility(b.text)
                for a, b in zip(answers, base, strict=True)
            )

        def alone(tried: tuple[TraitPull, float]) -> Serving:
            return Serving(pulls=(scaled(*tried),))

        ranked = []
        for trait in BUILT_IN:
            single = [(pole, theta) for pole in poles(trait) for theta in TRIED]
            best = max(single, key=lambda s: gain(alone(s)))
            ranked.append((gain(alone(best)), scaled(*best)))
        ranked.sort(key=lambda r: -r[0])
        sets = [Serving(pulls=tuple(p for _, p in islice(ranked, n))) for n in (1, 2, 3)]
        return max((Serving(), *sets), key=gain)

    def _shown_pairs(self, course: Course) -> Asking:
        outcomes = ("first", "second")
        decided = [c for c in course.choices[:20] if c.evidence.outcome in outcomes][-3:]
        shown = []
        for choice in decided:
            liked_first = choice.evidence.outcome == "first"
            better, worse = choice.texts if liked_first else choice.texts[::-1]
            shown.append(f"Question: {choice.question}\nI liked: {better}\nI liked less: {worse}")
        told_so = "Answer the way I like. Here is what I liked before.\n\n" + "\n\n".join(shown)

        def asking(text: str) -> Question:
            messages = (
                Message(role="system", text=told_so),
                Message(role="user", text=text),
            )
            return Question(messages=messages, sampling=replace(SAMPLING, seed=1))

        return asking

    def _best_of(self, owner: Owner, count: int) -> dict[str, object]:
        course = self._course(owner)
        learner = course.learner
        assert isinstance(learner, UtilityLearner)
        listening = Serving(pulls=tuple(scaled(p, 0.0) for p in learner.serving().pulls))
        chosen = []
        for text in self.held_out:
            asked = tuple(
                replace(
                    steered(self._plain(text), listening),
                    embed=False,
                    sampling=Sampling(max_tokens=SAMPLING.max_tokens, seed=seed),
                )
                for seed in range(count)
            )
            answers = self.panel.ask(asked)
            chosen.append(max(answers, key=lambda a: learner.reward(told(a, listening))).text)
        return self._scored(owner, chosen)

    def _right(self, facts: Sequence[Sequence[str]], serving: Serving) -> float:
        short = replace(SAMPLING, max_tokens=64)
        answers = self.panel.ask(tuple(question(text, serving, short) for text, _ in facts))
        return fmean(
            bool(re.search(pattern, answer.text.lower()))
            for (_, pattern), answer in zip(facts, answers, strict=True)
        )


def _from(questions: tuple[str, ...], *, start: int) -> tuple[str, ...]:
    """The same questions, begun elsewhere: other seeds meet other questions first."""
    return questions[start:] + questions[:start]


def utilities(evidence: Sequence[Evidence]) -> UtilityLearner:
    """What the app learns by, but that duels carry no other trait."""
    # Duels without the strongest other trait are the same for many owners, so that each has to be
    # written only once.
    return UtilityLearner(BUILT_IN, evidence, carried=0)


class RandomContrast(UtilityLearner):
    """Asks about any trait, whatever is known."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        super().__init__(BUILT_IN, evidence, carried=0)
        self._drawn = np.random.default_rng(len(evidence))

    def contrast(self, *, without: Collection[str] = ()) -> Contrast:
        choices = self._choices()
        return self._contrast(choices[int(self._drawn.integers(len(choices)))], 0.0)


def _fluency(answers: Sequence[Answer]) -> dict[str, float]:
    """Perplexity under the untouched model over all tokens, loops, share cut at the limit."""
    tokens = sum(a.tokens for a in answers)
    return {
        "perplexity": math.exp(sum(a.surprise * a.tokens for a in answers) / max(1, tokens)),
        "repetition": fmean(measures(a.text).repeated_triples for a in answers),
        "cut": fmean(a.finish == "length" for a in answers),
        "words": fmean(measures(a.text).words for a in answers),
    }


def _written(courses: dict[str, Course]) -> dict[str, object]:
    return {name: [_point(point) for point in course.points] for name, course in courses.items()}


def _point(point: Point) -> dict[str, object]:
    return {
        "votes": point.votes,
        "win_rate": point.win_rate,
        "utility": point.utility,
        "wins": point.wins,
        "utilities": point.utilities,
        "pulls": [[p.trait, p.pole, p.pull.theta] for p in point.serving.pulls],
    }


def _lines(name: str) -> tuple[str, ...]:
    return tuple((HERE / name).read_text(encoding="utf-8").splitlines())


# What is written --------------------------------------------------------------------------------


def _tables(results: dict[str, object]) -> str:
    """The results as Markdown."""
    parts = [
        _curve_table(name, results[part])
        for part, name in (
            ("curves", "Utilities as features"),
            ("random", "The same, duels by chance"),
            ("neural", "As published"),
        )
        if part in results
    ]
    simple = ("oracle", "stated", "pairs", "best")
    parts += [_score_table(part, results[part]) for part in simple if part in results]
    if "quality" in results:
        parts.append(_fluency_table(results["quality"]))
    if "facts" in results:
        parts.append(_facts_table(results["facts"]))
    return "\n\n".join(parts) + "\n"


def _curve_table(name: str, runs: Any) -> str:
    owners = dict.fromkeys(run.split("/")[0] for run in runs)
    votes = [point["votes"] for point in next(iter(runs.values()))]
    lines = [f"## {name}: win rate against the untouched model", ""]
    lines.append("| owner | " + " | ".join(f"{v} votes" for v in votes) + " |")
    lines.append("|---" * (len(votes) + 1) + "|")
    for owner in owners:
        own = [run for key, run in runs.items() if key.split("/")[0] == owner]
        cells = (f"{fmean(run[i]['win_rate'] for run in own):.2f}" for i in range(len(votes)))
        lines.append(f"| {owner} | " + " | ".join(cells) + " |")
    bands = [interval(runs, i) for i in range(len(votes))]
    cells = (f"{mean:.2f} ({low:.2f}–{high:.2f})" for mean, low, high in bands)
    lines.append("| **mean** | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _score_table(part: str, scores: Any) -> str:
    lines = [f"## {part}", "", "| | win rate | gain |", "|---|---|---|"]
    lines += [f"| {n} | {s['win_rate']:.2f} | {s['gain']:+.2f} |" for n, s in scores.items()]
    kinds = {n.split(" ")[0] if part == "stated" else part for n in scores}
    for kind in sorted(kinds):
        own = [s for n, s in scores.items() if part != "stated" or n.startswith(kind + " ")]
        rate, gain = fmean(s["win_rate"] for s in own), fmean(s["gain"] for s in own)
        lines.append(f"| **{kind}, mean** | {rate:.2f} | {gain:+.2f} |")
    return "\n".join(lines)


def _fluency_table(found: Any) -> str:
    lines = ["## Fluency", "", "| answers | perplexity | repetition | cut off | words |"]
    lines.append("|---|---|---|---|---|")
    for name, f in found.items():
        lines.append(
            f"| {name} | {f['perplexity']:.2f} | {f['repetition']:.3f} | {f['cut']:.2f} | "
            f"{f['words']:.0f} |"
        )
    return "\n".join(lines)


def _facts_table(found: Any) -> str:
    lines = ["## Checkable facts", "", "| profile | right |", "|---|---|"]
    lines += [f"| {name} | {share:.2f} |" for name, share in found.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
