"""The reward network of T-POP: one hidden layer of ReLU units on the feature of an answer.

Source: T-POP (arXiv 2509.24696). A feature x is the mean hidden state of an answer, normalised;
the reward says how much the owner is expected to like the answer. Votes teach it
(`engine.preference.refit`), and it weighs tokens while an answer is written
(`engine.steering.network`).

Letters: m is the number of hidden units here, d the length of a feature, K a number of features,
θ = (W1, b1, w2, b2) all weights of the network in this order, n = m d + 2 m + 1 their number.
Results have the dtype of the network, which is float32 everywhere but in tests of exactness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import InvalidParameter
from engine.numerics import F32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """r(x) = w2 · relu(W1 x + b1) + b2          (paper, reward model)

    W1  float32, (m, d): rows are hidden units
    b1  float32, (m,)
    w2  float32, (m,)
    b2  the reward of nothing; no vote can move it, since only differences of rewards are learned
    """

    W1: F32
    b1: F32
    w2: F32
    b2: float

    @property
    def units(self) -> int:
        """m."""
        return len(self.b1)

    @property
    def width(self) -> int:
        """d."""
        return int(self.W1.shape[1])

    @property
    def size(self) -> int:
        """n, the number of weights."""
        return self.W1.size + 2 * self.units + 1

    def hidden(self, X: F32) -> F32:
        """h = relu(W1 x + b1) of each row; (K, d) gives (K, m)."""
        Z: F32 = X @ self.W1.T
        Z += self.b1
        return np.maximum(Z, 0, out=Z)

    def rewards(self, X: F32) -> F32:
        """r(x) of each row; (K, d) gives (K,), unbounded."""
        return self.of_hidden(self.hidden(X))

    def of_hidden(self, H: F32) -> F32:
        """Rewards where the hidden layer is known; (K, m) gives (K,)."""
        rewards: F32 = H @ self.w2
        rewards += self.w2.dtype.type(self.b2)
        return rewards

    def slopes(self, H: F32) -> F32:
        """a = ∂r/∂z = w2 · 1[z > 0], from the hidden layer; (K, m) gives (K, m)."""
        return self.w2 * (H > 0)

    def gradients(self, X: F32) -> F32:
        """∂r/∂θ of each row, written out: (K, d) gives (K, n), W1 row by row, b1, w2, b2.

        ∂W1 = a xᵀ, ∂b1 = a, ∂w2 = h, ∂b2 = 1. Takes 4 K n bytes, some 7 MB for 32 features;
        what is needed for every token has cheaper forms.
        """
        H = self.hidden(X)
        A = self.slopes(H)
        outer = (A[:, :, None] * X[:, None, :]).reshape(len(X), -1)
        return np.concatenate([outer, A, H, np.ones_like(H[:, :1])], axis=1)

    def vector(self) -> F32:
        """θ in one piece; a copy, (n,)."""
        b2 = np.asarray([self.b2], dtype=self.w2.dtype)
        return np.concatenate([self.W1.ravel(), self.b1, self.w2, b2])

    @classmethod
    def of(cls, vector: F32, *, units: int) -> Network:
        """The network with these weights; its arrays are views of `vector`.

        vector  float32, (n,), in the order of `vector()`; d follows from n and m
        units   m ≥ 1

        Raises InvalidParameter where no d ≥ 1 gives that n.
        """
        outer = len(vector) - 2 * units - 1
        if units < 1 or outer < units or outer % units:
            raise InvalidParameter(
                f"{len(vector)} numbers are no reward network with {units} hidden units. "
                "Learn it again from the votes."
            )
        return cls(
            W1=vector[:outer].reshape(units, -1),
            b1=vector[outer : outer + units],
            w2=vector[outer + units : -1],
            b2=float(vector[-1]),
        )

    def pack(self) -> bytes:
        """θ as float32 in native byte order: 4 n bytes."""
        return self.vector().astype(np.float32).tobytes()

    @classmethod
    def unpack(cls, data: bytes, *, units: int) -> Network:
        """What `pack` wrote, bit for bit; its arrays are read-only.

        Raises InvalidParameter for a wrong length, and for a number that is not finite: it would
        make every comparison of rewards false.
        """
        if len(data) % 4:
            raise InvalidParameter(
                f"{len(data)} bytes are no float32 numbers. Learn the reward network again."
            )
        vector: F32 = np.frombuffer(data, dtype=np.float32)
        network = cls.of(vector, units=units)
        if not np.isfinite(vector).all():
            raise InvalidParameter.outside("a weight of the reward network", "nan", "finite")
        return network
