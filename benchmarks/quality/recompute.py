"""python -m benchmarks.quality.recompute RESULT: the certificate once more, from the scores.

Shares no code with Attune: it reads the raw scores that `benchmarks.quality.portfolio` wrote down,
normalises them, and looks at every point where the worst-served owner can be. For a fixed set of
members both gaps are largest where d − 1 of these hold with equality: an objective has its least
weight, or two members are equally good. All such points are tried, which is slow and obvious.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import combinations
from pathlib import Path

import numpy as np

CLOSE = 1e-6


def main() -> int:
    """Print both certificates; exit code 1 where they differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path)
    result = json.loads(parser.parse_args().result.read_text(encoding="utf-8"))
    measured, told = result["measured"], result["certificate"]
    raw = np.asarray(measured["raw"])[:, measured["certifying"]]
    low, high = (np.asarray(measured[name]) for name in ("low", "high"))
    width = np.where(high > low, high - low, 1.0)
    rewards = np.where(high > low, np.clip((raw - low) / width, 0.0, 1.0), 0.5).mean(axis=1)
    epsilon, delta = gaps(rewards, measured["members"], np.asarray(measured["floors"]))
    print(f"epsilon {epsilon:.6f}, written down {told['epsilon']['value']:.6f}")
    print(f"delta   {delta:.6f}, written down {told['delta']['value']:.6f}")
    same = abs(epsilon - told["epsilon"]["value"]) < CLOSE
    same = same and abs(delta - told["delta"]["value"]) < CLOSE
    print("They agree." if same else "They differ.")
    return 0 if same else 1


def gaps(rewards: np.ndarray, members: list[int], floors: np.ndarray) -> tuple[float, float]:
    """Largest multiplicative and additive gap over all weights ≥ floors that sum to 1."""
    count = rewards.shape[1]
    kept = rewards[members]
    planes = [(row, floor) for row, floor in zip(np.eye(count), floors, strict=True)]
    planes += [(kept[p] - kept[q], 0.0) for p, q in combinations(range(len(kept)), 2)]
    epsilon = delta = 0.0
    for chosen in combinations(planes, count - 1):
        system = np.stack([*(row for row, _ in chosen), np.ones(count)])
        if abs(np.linalg.det(system)) < 1e-12:
            continue
        weights = np.linalg.solve(system, [*(value for _, value in chosen), 1.0])
        if (weights < floors - 1e-9).any():
            continue
        best, ours = (rewards @ weights).max(), (kept @ weights).max()
        epsilon, delta = max(epsilon, 1.0 - ours / best), max(delta, best - ours)
    return epsilon, delta


if __name__ == "__main__":
    sys.exit(main())
