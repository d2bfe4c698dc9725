"""Closed-form steering against the published loop, both in numpy."""

from __future__ import annotations

import time
from statistics import median

import numpy as np

from benchmarks.speed.measure import Row, in_turn
from engine.numerics import F32, log_softmax
from engine.steering.amulet import steer, weights
from engine.steering.strength import gamma

VOCABULARY = 151_936


def published_loop(preferred: F32, base: F32) -> F32:
    """The game as published (Amulet, arXiv 2502.19148): α 2, λ 2, η 10, T 60."""
    alpha, lam, eta, rounds = np.float32(2), np.float32(2), np.float32(10), 60
    liked, plain = log_softmax(preferred), log_softmax(base)
    policy, total = liked, np.zeros_like(liked)
    for t in range(1, rounds + 1):
        total = total + alpha * (policy - plain)
        policy = (lam * liked + total / np.float32(t) + policy / (eta * np.float32(t))) / (
            lam + 1 / (eta * np.float32(t))
        )
        if t < rounds:
            policy = log_softmax(policy)
    return policy


def run(*, pairs: int) -> list[Row]:
    """Time both on the same random logits; the token must be the same."""
    rng = np.random.default_rng(1)
    rows = (3 * rng.standard_normal((2, VOCABULARY))).astype(np.float32)
    base, preferred = rows[0], rows[1:]
    theta = weights(gamma(), of=(1.0,))
    scratch = np.empty(VOCABULARY, np.float32)

    def closed() -> float:
        times = []
        for _ in range(50):
            begun = time.perf_counter()
            steer(base, preferred, theta, plausibility=None, scratch=scratch).scores.argmax()
            times.append(time.perf_counter() - begun)
        return median(times)

    def loop() -> None:
        published_loop(preferred[0], base).argmax()

    measured = in_turn(loop, closed, pairs=pairs)
    same = published_loop(preferred[0], base).argmax() == (
        steer(base, preferred, theta, plausibility=None, scratch=scratch).scores.argmax()
    )
    detail = f"{1e3 * median(measured.a):.1f} ms against {1e6 * median(measured.b):.0f} µs a token"
    return [
        measured.row(
            "published loop / closed form, argmax included",
            model=f"V = {VOCABULARY:,}",
            target=500,
            low=False,
            detail=f"{detail}; {'same' if same else 'different'} argmax",
            holds=bool(same),
        )
    ]
