"""python -m benchmarks.quality.portfolio --model FILE…: how good is a small portfolio, and routing?

Builds a portfolio as the app does, from the settings of several models, and holds it against other
ways to choose as many members: spread evenly over the weights, drawn at random, the best single
one, the plain models. Then invented owners with hidden weights vote on pairs of measured answers,
noisily, and what the member that they are sent to lacks is measured on the other questions.

The build is resumable: answers are kept in benchmarks/quality/answers/portfolio. The raw scores are
written down beside the result, for `benchmarks.quality.recompute`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.api import Engine, Notice, Portfolio, Progress
from engine.numerics import F64
from engine.portfolio import gaps, routing, selection
from engine.portfolio.certificate import certify, halves
from engine.portfolio.rewards import Normalisation, mean
from engine.portfolio.weights import evenly, extremes
from engine.session import calibration, objectives, selecting
from engine.store.calibration import CalibrationRecord, StoredBuild

HERE = Path(__file__).parent
OWNERS = 200
CLICKS = (0, 5, 10, 20, 40)
SHARPNESS = 8.0
"""β of an invented owner: log-odds of a vote for each unit of reward."""

FLIPS = 0.1
DRAWN = 200_000
SUBSETS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Rewards by question, (n, N, d), with the halves; and the build that they belong to."""

    build: StoredBuild
    raw: F64
    rewards: F64
    choosing: list[int]
    certifying: list[int]
    members: list[int]
    floors: F64

    @property
    def R(self) -> F64:
        """Mean rewards on the certifying half, (n, d)."""
        return mean(self.rewards[:, self.certifying])


def main() -> int:
    arguments = _arguments()
    portfolio = _built(arguments)
    measured = _measured(arguments.data_dir)
    rng = np.random.default_rng(0)
    result = {
        "pool": [candidate.name for candidate in portfolio.candidates],
        "left_out": [[left.candidate.name, left.reason] for left in portfolio.left_out],
        "members": [portfolio.candidates[m.index].name for m in portfolio.members],
        "best_at": [member.best_at for member in portfolio.members],
        "certificate": asdict(portfolio.certificate),
        "rivals": _rivals(measured, rng),
        "sampled": _sampled(measured, rng),
        "routing": _routing(measured, rng),
        "seconds": _selection_time(rng),
        "measured": _written(measured),
    }
    arguments.out.write_text(json.dumps(result) + "\n", encoding="utf-8")
    arguments.out.with_suffix(".md").write_text(table(result), encoding="utf-8")
    print(table(result))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, action="append", default=[])
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--data-dir", type=Path, default=HERE / "answers" / "portfolio")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "portfolio.json")
    return parser.parse_args()


def _built(arguments: argparse.Namespace) -> Portfolio:
    """The portfolio of the starter model and the ones that were named."""
    engine = Engine(arguments.data_dir)
    try:
        for path in arguments.model:
            engine.add_model(path)
        engine.change(calibration_questions=arguments.questions)
        list(engine.start())  # finds the settings of this machine, where they are not known
        for event in engine.portfolio.build():
            match event:
                case Progress():
                    left = "" if event.left is None else f", {event.left / 60:.0f} min left"
                    print(f"\r{event.done} of {event.total}{left}   ", end="", file=sys.stderr)
                case Notice():
                    print(f"\n{event.text}", file=sys.stderr)
                case Portfolio():
                    return event
    finally:
        engine.close()
    sys.exit("The build did not end in a portfolio.")


def _measured(data_dir: Path) -> Measured:
    record = CalibrationRecord(data_dir / "calibration.db", clock=time.time)
    build = record.last_build()
    assert build is not None
    known = record.known({c.id: build.models[c.model] for c in build.candidates})
    record.close()
    sheet = calibration.sheet(build.questions)
    raw = calibration.raw_scores(build.candidates, sheet.scored, build.objectives, known)
    low, high = np.asarray(build.normalisation).T
    choosing, certifying = halves(len(sheet.scored), rng=np.random.default_rng(selecting.SEED))
    ids = [candidate.id for candidate in build.candidates]
    return Measured(
        build=build,
        raw=raw,
        rewards=Normalisation(low=low, high=high).apply(raw),
        choosing=choosing.tolist(),
        certifying=certifying.tolist(),
        members=[ids.index(member) for member in build.members],
        floors=objectives.floors(build.objectives),
    )


# Other ways to choose ---------------------------------------------------------------------------


def _rivals(measured: Measured, rng: np.random.Generator) -> dict[str, dict[str, float]]:
    """ε, δ, mean and 95th percentile on the certifying half, at equal size."""
    chosen_on, floors = mean(measured.rewards[:, measured.choosing]), measured.floors
    count, pool = len(measured.members), len(measured.R)
    drawn = [rng.choice(pool, count, replace=False).tolist() for _ in range(SUBSETS)]
    plain = [i for i, c in enumerate(measured.build.candidates) if not c.preferences]
    found = {
        "ours": _worst(measured, [measured.members]),
        "spread evenly": _worst(measured, [_spread(chosen_on, count, floors)]),
        "drawn at random": _worst(measured, drawn),
        "the plain models": _worst(measured, [plain]),
    }
    for size in range(1, 8):
        members = list(selection.select(chosen_on, goal=0.0, most=size, floors=floors))
        found[f"ours, {size} at most"] = _worst(measured, [members])
    return found


def _spread(R: F64, count: int, floors: F64) -> list[int]:
    """The best candidate for each of some weights spread over the simplex, until there are enough:
    a grid that is made finer and finer."""
    members: list[int] = []
    for steps in range(1, 40):
        best = (_grid(R.shape[1], steps) @ extremes(floors, objectives=R.shape[1]).T @ R.T).argmax(
            1
        )
        members = list(dict.fromkeys(best.tolist()))
        if len(members) >= count:
            break
    return members[:count]


def _grid(objectives: int, steps: int) -> F64:
    """All weights in multiples of 1/steps, (…, d)."""
    rows = [row for row in np.ndindex(*(steps + 1,) * objectives) if sum(row) == steps]
    return np.asarray(rows, dtype=float) / steps


def _worst(measured: Measured, sets: list[list[int]]) -> dict[str, float]:
    """Mean over sets of members of what is certified of them."""
    R, floors = measured.R, measured.floors
    weights = evenly(20_000, floors=floors, objectives=R.shape[1], rng=np.random.default_rng(1))
    rows = []
    for members in sets:
        shares, _ = gaps.shortfalls(weights @ R.T, members)
        worst = gaps.multiplicative(R, members, floors=floors).value
        lead = gaps.additive(R, members, floors=floors).value
        rows.append((worst, lead, shares.mean(), np.percentile(shares, 95)))
    names = ("epsilon", "delta", "mean", "p95")
    means = np.asarray(rows).mean(axis=0).tolist()
    return {"members": len(sets[0])} | dict(zip(names, means, strict=True))


def _sampled(measured: Measured, rng: np.random.Generator) -> dict[str, float]:
    """The largest gaps at so many drawn weights, which must not exceed the exact ones."""
    R = measured.R
    weights = evenly(DRAWN, floors=measured.floors, objectives=R.shape[1], rng=rng)
    shares, leads = gaps.shortfalls(weights @ R.T, measured.members)
    return {"weights": DRAWN, "epsilon": float(shares.max()), "delta": float(leads.max())}


def _selection_time(rng: np.random.Generator) -> dict[str, float]:
    """Choosing 7 of 100 candidates by 4 objectives, and the certificate with its interval."""
    rewards = rng.uniform(size=(100, 1, 4)) ** 2 + rng.normal(0, 0.1, size=(100, 40, 4))
    rewards = np.clip(rewards, 0.0, 1.0)
    begun = time.perf_counter()
    members = selection.select(mean(rewards), goal=0.01, most=7)
    chosen = time.perf_counter() - begun
    certify(rewards, members, rng=rng, selecting=0.0)
    return {"selection": chosen, "both": time.perf_counter() - begun}


# Routing ----------------------------------------------------------------------------------------


def _routing(measured: Measured, rng: np.random.Generator) -> dict[str, list[float]]:
    """Mean regret after so many votes: what the member that answers lacks of the best one of the
    pool, and of the portfolio, in units of reward, on the certifying half."""
    pool, own = [], []
    for _ in range(OWNERS):
        weights = evenly(1, floors=measured.floors, objectives=len(measured.floors), rng=rng)[0]
        found = _owner(measured, weights, rng)
        pool.append([a for a, _ in found])
        own.append([b for _, b in found])
    return {
        "votes": list(CLICKS),
        "against the pool": np.mean(pool, axis=0).tolist(),
        "against the portfolio": np.mean(own, axis=0).tolist(),
    }


def _owner(measured: Measured, weights: F64, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Regrets of one invented owner at every number of votes."""
    R, kept = measured.R, measured.R[measured.members]
    votes = [_vote(measured, weights, rng) for _ in range(max(CLICKS))]
    regrets = []
    for count in CLICKS:
        believed = routing.believe(
            np.full(len(weights), 0.5),
            votes[:count],
            rng=np.random.default_rng(selecting.SEED),
            floors=measured.floors,
        ).mean
        pick = int((kept @ believed).argmax())
        served = float(kept[pick] @ weights)
        regrets.append(
            (float((R @ weights).max()) - served, float((kept @ weights).max()) - served)
        )
    return regrets


def _vote(measured: Measured, weights: F64, rng: np.random.Generator) -> routing.Comparison:
    """A vote on two measured answers to one question of the choosing half. Quality is not measured
    of answers that are voted on, so it is not seen, though it counts for the owner."""
    question = rng.choice(measured.choosing)
    first, second = measured.rewards[rng.choice(len(measured.R), 2, replace=False), question]
    likes = rng.uniform() < 1.0 / (1.0 + np.exp(-SHARPNESS * weights @ (first - second)))
    if rng.uniform() < FLIPS:
        likes = not likes
    seen = np.where(
        [o.id == objectives.QUALITY for o in measured.build.objectives], np.nan, first - second
    )
    return routing.Comparison(difference=seen, outcome="first" if likes else "second")


# What is written --------------------------------------------------------------------------------


def _written(measured: Measured) -> dict[str, object]:
    """For `benchmarks.quality.recompute`."""
    return {
        "objectives": [objective.name for objective in measured.build.objectives],
        "floors": measured.floors.tolist(),
        "raw": np.round(measured.raw, 9).tolist(),
        "low": [low for low, _ in measured.build.normalisation],
        "high": [high for _, high in measured.build.normalisation],
        "choosing": measured.choosing,
        "certifying": measured.certifying,
        "members": measured.members,
    }


def table(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    proof, measured = result["certificate"], result["measured"]
    lines = [
        f"## {len(result['members'])} of {len(result['pool'])} settings, by "
        f"{', '.join(measured['objectives'])}",
        "",
        f"ε {proof['epsilon']['value']:.3f} (95 % {proof['low']:.3f}–{proof['high']:.3f}), "
        f"δ {proof['delta']['value']:.3f}, on {proof['prompts']} questions that nothing was chosen "
        f"on; {proof['selecting']:.3f} on the others.",
        "",
        "| member | | share of tastes |",
        "|---|---|---|",
    ]
    rows = zip(result["members"], result["best_at"], proof["usage"], strict=True)
    lines += [f"| {name} | {best} | {share:.2f} |" for name, best, share in rows]
    lines += [
        "",
        "| chosen by | members | ε | δ | mean | 95th percentile |",
        "|---|---|---|---|---|---|",
    ]
    for name, r in result["rivals"].items():
        figures = " | ".join(f"{r[key]:.3f}" for key in ("epsilon", "delta", "mean", "p95"))
        lines.append(f"| {name} | {r['members']} | {figures} |")
    lines += ["", "| votes | " + " | ".join(map(str, result["routing"]["votes"])) + " |"]
    lines.append("|---" * (1 + len(result["routing"]["votes"])) + "|")
    for name in ("against the pool", "against the portfolio"):
        figures = " | ".join(f"{regret:.3f}" for regret in result["routing"][name])
        lines.append(f"| mean regret {name} | {figures} |")
    seconds, sampled = result["seconds"], result["sampled"]
    lines += [
        "",
        f"{sampled['weights']:,} drawn weights find ε {sampled['epsilon']:.4f} and δ "
        f"{sampled['delta']:.4f} at most. 100 candidates by 4 objectives: chosen in "
        f"{seconds['selection']:.2f} s, with certificate and interval {seconds['both']:.2f} s.",
        "",
        "Left out: " + ("; ".join(f"{n}: {why}" for n, why in result["left_out"]) or "nothing."),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
