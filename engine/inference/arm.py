"""One answer under way: its prompt variants, how it is steered and drawn, and the text so far."""

from __future__ import annotations

import codecs

import numpy as np

from engine.errors import DamagedModel
from engine.inference.model import LanguageModel
from engine.inference.templates import ChatFormat
from engine.inference.variants import Plan, plan
from engine.numerics import F32
from engine.steering.amulet import Candidates, log_norms, steer, utilities, weights
from engine.steering.network import Pooling
from engine.steering.sampling import Sampler, check
from engine.types.answers import Finish, Question


class TextFlow:
    """Tokens to text: whole characters only, and nothing beyond a stop text."""

    def __init__(self, model: LanguageModel, *, stops: tuple[str, ...]) -> None:
        self._model = model
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = stops
        self._held = ""
        self.text = ""
        self.stopped = False

    def feed(self, token: int) -> str:
        """Text that may be shown after this token; "" while a character is incomplete."""
        self._held += self._decoder.decode(self._model.piece(token))
        return self._release()

    def finish(self) -> str:
        """What was held back."""
        if self.stopped:
            return ""
        self._held += self._decoder.decode(b"", final=True)
        return self._emit(len(self._held))

    def _release(self) -> str:
        found = [i for s in self._stops if (i := self._held.find(s)) >= 0]
        if found:
            self.stopped = True
            return self._emit(min(found))
        return self._emit(len(self._held) - self._undecided())

    def _undecided(self) -> int:
        """Length of the longest tail that may still become a stop text."""
        tails = (n for s in self._stops for n in range(1, len(s)) if self._held.endswith(s[:n]))
        return max(tails, default=0)

    def _emit(self, length: int) -> str:
        new, self._held = self._held[:length], self._held[length:]
        if not self.text:
            new = new.lstrip()
        self.text += new
        return new


class Arm:
    """One answer to one question.

    finish  why it ended; None while it goes on
    pooled  hidden states of its tokens
    """

    def __init__(
        self, question: Question, *, model: LanguageModel, form: ChatFormat, name: str, seed: int
    ) -> None:
        """Checks the question. Raises InputError."""
        check(question.sampling)
        self.plan: Plan = plan(question)
        self.question = question
        self.seed = question.sampling.seed if question.sampling.seed is not None else seed
        self.count = 0
        self.finish: Finish | None = None
        self._model, self._name = model, name
        self._flow = TextFlow(model, stops=form.stops)
        self._sampler = Sampler(question.sampling, rng=np.random.default_rng(self.seed))
        stated = weights(self.plan.gamma, of=self.plan.weights)
        learned = np.asarray(self.plan.thetas, dtype=np.float32)
        self._theta: F32 = np.concatenate([stated, learned])
        self._scratch = np.empty(model.shape.vocabulary, np.float32)
        self._utilities = np.zeros(len(self._theta), np.float64)
        self._acting = np.flatnonzero(self._theta)
        self._surprise = 0.0
        self._heard = 0
        self.pooled = Pooling(model.shape.width)
        self._embedded = 0

    @property
    def streams(self) -> int:
        return len(self.plan.chats)

    @property
    def embeds(self) -> bool:
        """Whether the hidden states of its tokens are needed."""
        return self.question.embed or self.question.steering.reward is not None

    @property
    def text(self) -> str:
        return self._flow.text

    def draw(self, rows: F32) -> int:
        """The next token, from one row of logits for each prompt variant, float32, (streams, V)."""
        found, norms = self.weigh(rows)
        token = self._sampler.next(found)
        if norms is not None:
            self.hear(rows, token, norms)
        return token

    def weigh(self, rows: F32) -> tuple[Candidates, tuple[float, ...] | None]:
        """What may come next after steering, before it is drawn from; and `log_norms` of the rows
        where somebody wants to `hear` which it was."""
        if len(rows) == 1 and not self._listens:
            return self._finite(Candidates(scores=rows[0])), None
        kappa = self.question.steering.plausibility
        needed = self._listens or kappa is not None
        norms = log_norms(rows, scratch=self._scratch) if needed else None
        return self._finite(self._steered(rows, norms)), norms

    def hear(self, rows: F32, token: int, norms: tuple[float, ...]) -> None:
        """Add up what this token is worth to every stream."""
        self._utilities += utilities(rows, token, norms=norms)
        self._surprise += norms[0] - float(rows[0, token])
        self._heard += 1

    def embed(self, hidden: F32) -> None:
        """Add the last hidden state of a token of the answer, float32, (d,)."""
        self.pooled.add(hidden)
        self._embedded += 1

    def ends(self, token: int) -> bool:
        """Whether the token is no part of the text, but its end."""
        return self._model.is_end(token)

    def take(self, token: int, *, limit: int) -> str:
        """Append a token, or end with it; returns the text that may be shown now."""
        if self.ends(token):
            self.finish = "end"
            return ""
        self.count += 1
        text = self._flow.feed(token)
        if self._flow.stopped:
            self.finish = "end"
        elif self.count >= limit:
            asked = self.question.sampling.max_tokens
            self.finish = "length" if limit == asked else "context"
        return text

    def rest(self) -> str:
        """What was held back of the text; called once, at the end."""
        return self._flow.finish()

    @property
    def learned_utilities(self) -> tuple[float, ...]:
        """φ of each pull, in nats."""
        return tuple(float(u) for u in self._utilities[len(self.plan.weights) :])

    @property
    def mean_surprise(self) -> float:
        """Mean −log p of the tokens under the base stream, nats, that of the end too; 0 where
        nobody listens."""
        return self._surprise / max(1, self._heard)

    @property
    def embedding(self) -> bytes:
        """Mean hidden state, float32, (d,); b"" where none was wanted or the answer is empty."""
        wanted = self.question.embed and self._embedded
        return self.pooled.mean().tobytes() if wanted else b""

    @property
    def _listens(self) -> bool:
        return bool(self.plan.thetas) or self.embeds

    def _steered(self, rows: F32, norms: tuple[float, ...] | None) -> Candidates:
        if not len(self._acting):
            return Candidates(scores=rows[0])
        preferred, theta = rows[1:], self._theta
        if len(self._acting) < len(theta):
            # Streams that only listen have no say in the cut either.
            preferred, theta = preferred[self._acting], theta[self._acting]
            norms = norms and (norms[0], *(norms[1 + i] for i in self._acting))
        kappa = self.question.steering.plausibility
        return steer(
            rows[0], preferred, theta, plausibility=kappa, scratch=self._scratch, norms=norms
        )

    def _finite(self, found: Candidates) -> Candidates:
        if not np.isfinite(found.scores.max()):
            raise DamagedModel(f"{self._name} computes numbers that are not numbers. Verify it.")
        return found
