"""Two small tasks on a linear model, with everything worked by hand: logits = X θᵀ."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.merging.masks import Array, Pair

NAME = "blk.0.attn_q.weight"
BASE = np.asarray([[0.2, -0.1], [0.0, 0.3]])
A = np.asarray([[0.5, 0.0], [-0.5, 0.2]])
B = np.asarray([[-0.3, 0.6], [0.4, -0.2]])
M = np.asarray([[-1.0, 0.5], [2.0, -0.3]])

TASKS = (
    (np.asarray([[1.0, 0.0], [0.5, 0.5]]), np.asarray([0, 0])),
    (np.asarray([[0.0, 1.0], [1.0, 1.0]]), np.asarray([0, 1])),
)


def pair() -> Pair:
    return Pair(base={NAME: BASE}, kept={NAME: A}, added={NAME: B})


def loss_and_gradient(theta: Array) -> tuple[float, Array]:
    """Mean cross-entropy per task, summed over the tasks, and its gradient."""
    total, gradient = 0.0, np.zeros(theta.shape)
    for x, labels in TASKS:
        logits = x @ theta.T
        mass = np.exp(logits - logits.max(axis=1, keepdims=True))
        mass /= mass.sum(axis=1, keepdims=True)
        rows = np.arange(len(labels))
        total -= float(np.log(mass[rows, labels]).mean())
        mass[rows, labels] -= 1.0
        gradient += mass.T @ x / len(labels)
    return total, gradient


def loss(theta: Array) -> float:
    return loss_and_gradient(theta)[0]


def objective(weights: Mapping[str, Array], epoch: int) -> tuple[float, dict[str, Array]]:
    found, gradient = loss_and_gradient(weights[NAME].astype(np.float64))
    return found, {NAME: gradient}
