"""Answers that weigh their next token with a learned reward (T-POP).

For every token: the likeliest few candidates of all these answers are put together, each answer
tries every one of them on its own stream in one batch, and the hidden state that comes of it says
how much the owner is expected to like the answer with that token. What was tried and taken needs
no second decoding. The mathematics are in `engine.steering.network`.

An answer without exploration *leads*; one with it is measured against the first that leads, never
takes the token that the leader takes in the same step, and remembers where the two have differed.

Source: T-POP (arXiv 2509.24696), one round. The best score is taken: temperature and the cuts of
sampling do nothing here. Differs from the paper: probabilities are those after the repetition
penalty; where preferences are stated, after Amulet as well, and a token that Amulet's plausibility
cut leaves out is no candidate for that answer; an answer that has ended stays as it is.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import InternalError, InvalidParameter, UnsupportedModel
from engine.inference.arm import Arm
from engine.inference.model import SEQUENCE_IDS, LanguageModel
from engine.inference.stepping import Drawing, Rig, ranges
from engine.network import Network
from engine.numerics import F32, Ids, log_sum_exp
from engine.steering.amulet import Candidates
from engine.steering.network import (
    choose_first,
    choose_second,
    largest_gap,
    lipschitz,
    may_win,
    squashed,
    unsureness,
    widened,
)
from engine.steering.sampling import PENALTY_WINDOW, penalise, top_k
from engine.types.steering import Reward

MAX_CANDIDATES = SEQUENCE_IDS // 2
"""Two answers that share no candidate then try k each on both streams, a sequence for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Menu:
    """What one answer may take next.

    ids            token ids, ascending, (K,), K ≥ 1
    probabilities  float32, (K,)
    words          positions of those that are tried: all but the ends of the text
    """

    ids: Ids
    probabilities: F32
    words: list[int]

    def position(self, token: int | None) -> int | None:
        """Where a token stands; None where it does not."""
        if token is None:
            return None
        found = np.flatnonzero(self.ids == token)
        return int(found[0]) if len(found) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """What came of the words of a menu; rows of the last batch, valid until the next.

    rows    logits after each, float32, (words, V)
    states  their hidden states, float32, (words, d)
    """

    menu: _Menu
    rows: F32
    states: F32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rival:
    """The answer that an exploring one is measured against.

    feature  with its last token, float32, (d,)
    token    that it takes in this step; None where it has ended before
    """

    feature: F32
    token: int | None


class _Weighed:
    """One answer, the reward that it is weighed with, and how far it has come."""

    def __init__(self, arm: Arm, reward: Reward, *, model: LanguageModel) -> None:
        """Raises InvalidParameter where the reward does not make sense, or not for this model."""
        self.arm, self.reward = arm, reward
        self.network = _network(reward, width=model.shape.width)
        self._spread = _spread(reward, self.network)
        self.feature = arm.pooled.feature()
        self._slope, self._longest = lipschitz(self.network), model.longest_hidden
        self._recent: deque[int] = deque(maxlen=PENALTY_WINDOW)

    def look(self, rows: F32) -> list[int]:
        """Read what comes next, float32, (streams, V); returns the k likeliest, best first."""
        self._rows = rows
        found, self._norms = self.arm.weigh(rows)
        penalty = self.arm.question.sampling.repetition_penalty
        self._next = penalise(found, recent=self._recent, penalty=penalty)
        best = top_k(self._next, count=self.reward.candidates)
        ids = np.arange(len(best.scores)) if best.ids is None else best.ids
        order = np.argsort(-best.scores, kind="stable")
        return [int(i) for i in ids[order]]

    def menu(self, shared: Ids, *, leads: bool) -> _Menu:
        """Those of the candidates that this answer can take and, where it leads, may win with."""
        scores, ids = _among(self._next, shared)
        p: F32 = np.exp(scores - np.float32(log_sum_exp(self._next.scores)))
        if leads:
            reach = self.arm.pooled.reach(longest=self._longest)
            gap = largest_gap(self._slope, reach=reach, how=self.reward.squash)
            may = may_win(p, omega=self.reward.omega, gap=gap)
            ids, p = ids[may], p[may]
        words = [i for i, token in enumerate(ids) if not self.arm.ends(int(token))]
        return _Menu(ids=ids, probabilities=p, words=words)

    def take(self, tried: _Tried, rival: _Rival | None) -> tuple[int, int | None]:
        """Choose a token and grow by it; returns it, and which of the words it is, if any."""
        menu, X = tried.menu, self._features(tried)
        chosen = self._pick(menu, X, rival)
        token, self.feature = int(menu.ids[chosen]), X[chosen]
        self._recent.append(token)
        if self._norms is not None:
            self.arm.hear(self._rows, token, self._norms)
        if chosen not in menu.words:
            return token, None
        word = menu.words.index(chosen)
        self.arm.embed(tried.states[word])
        return token, word

    def _features(self, tried: _Tried) -> F32:
        """Of the answer with each candidate, float32, (K, d). An end of the text adds nothing to
        read: its feature is that of the answer as it stands."""
        pooled, menu = self.arm.pooled, tried.menu
        # Nobody has proved the bound for every architecture: what is seen goes before it.
        seen = np.linalg.norm(tried.states, axis=1).max(initial=0.0)
        self._longest = max(self._longest, float(seen))
        X = np.tile(pooled.feature(), (len(menu.ids), 1))
        X[menu.words] = pooled.features(tried.states)
        return X

    def _pick(self, menu: _Menu, X: F32, rival: _Rival | None) -> int:
        """Position of the token to take."""
        f = squashed(self.network.rewards(X), self.reward.squash)
        p, omega, nu = menu.probabilities, self.reward.omega, self.reward.exploration
        if rival is None:
            return choose_first(p, f, omega=omega)
        u = unsureness(self.network, X, rival.feature, self._spread)
        forbidden = menu.position(rival.token)
        chosen = choose_second(p, f, u, omega=omega, nu=nu, forbidden=forbidden)
        if rival.token is not None:
            self._spread = widened(self.network, rival.feature, X[chosen], self._spread)
        return chosen


class Weighing:
    """How answers take a step where some of them have a reward; the others draw for themselves."""

    spare = SEQUENCE_IDS

    def __init__(self, *, arms: Sequence[Arm], places: Sequence[range], rig: Rig) -> None:
        """Raises InvalidParameter, or UnsupportedModel where nothing can be tried."""
        if not rig.model.shape.shares:
            raise UnsupportedModel(
                "Learning in the neural form needs a model that can try several next words at "
                "once, and this one cannot. Choose the other form of learning, or another model."
            )
        self._places, self._rig = places, rig
        self._plain = Drawing(arms=arms, places=places, rig=rig)
        self._weighed = {
            n: _Weighed(arm, arm.question.steering.reward, model=rig.model)
            for n, arm in enumerate(arms)
            if arm.question.steering.reward is not None
        }
        leading = [n for n, w in self._weighed.items() if not w.reward.exploration]
        # An explorer that is alone has nothing to differ from and leads itself.
        self._leader = leading[0] if leading else -1
        self._explorers = [n for n in self._weighed if leading and n not in leading]
        self._rows: dict[int, F32] = {}

    def begin(self, rows: F32) -> None:
        self._plain.begin(rows)
        # Copies: the first batch of candidates overwrites what the model gave.
        self._rows = {n: rows[p.start : p.stop].copy() for n, p in enumerate(self._places)}

    def choose(self, live: Sequence[int]) -> dict[int, int]:
        tokens = self._plain.choose([n for n in live if n not in self._weighed])
        if weighed := [n for n in live if n in self._weighed]:
            tokens |= self._weigh(weighed)
        return {n: tokens[n] for n in live}

    def advance(self, taken: Mapping[int, int]) -> None:
        self._follow({n: t for n, t in taken.items() if n in self._weighed})
        # Last, because those who draw look at the rows where the model left them.
        self._plain.advance({n: t for n, t in taken.items() if n not in self._weighed})

    # ----------------------------------------------------------------------------------------

    def _follow(self, taken: Mapping[int, int]) -> None:
        """Decode what weighed answers took on their other streams, those of preferences. The first
        stream of each was decoded when its candidates were."""
        going = [n for n in taken if self._weighed[n].arm.finish is None]
        others = {place: taken[n] for n in going for place in self._places[n][1:]}
        if not others:
            return
        rows = self._rig.decode(lambda: self._rig.streams.step(others), tokens=len(others))
        for n, own in zip(going, ranges([len(self._places[n]) - 1 for n in going]), strict=True):
            self._rows[n] = np.concatenate([self._rows[n], rows[own.start : own.stop]])

    def _weigh(self, live: Sequence[int]) -> dict[int, int]:
        """Try the candidates of these answers, and take one for each."""
        tried = self._try(live)
        tokens: dict[int, int] = {}
        kept: dict[int, int] = {}
        for n in sorted(live, key=lambda n: n in self._explorers):  # leaders first
            tokens[n], word = self._weighed[n].take(tried[n], self._rival(n, tokens))
            if word is not None:
                kept[self._places[n].start] = word
                self._rows[n] = tried[n].rows[word][None].copy()
        self._rig.streams.keep(kept)
        return tokens

    def _try(self, live: Sequence[int]) -> dict[int, _Tried]:
        """Decode every candidate of these answers, all in one batch."""
        shared = self._shared(live)
        menus = {n: self._weighed[n].menu(shared, leads=n not in self._explorers) for n in live}
        todo = {self._places[n].start: [int(m.ids[w]) for w in m.words] for n, m in menus.items()}
        todo = {place: words for place, words in todo.items() if words}
        count = sum(map(len, todo.values()))
        rows, states = self._nothing()
        if todo:
            rows = self._rig.decode(lambda: self._rig.streams.branch(todo), tokens=count)
            states = self._rig.model.hidden
        own = ranges([len(menu.words) for menu in menus.values()])
        return {
            n: _Tried(menu=menu, rows=rows[r.start : r.stop], states=states[r.start : r.stop])
            for (n, menu), r in zip(menus.items(), own, strict=True)
        }

    def _nothing(self) -> tuple[F32, F32]:
        """Rows and states of no words: nothing but ends of the text is left to choose from."""
        shape = self._rig.model.shape
        return np.empty((0, shape.vocabulary), np.float32), np.empty((0, shape.width), np.float32)

    def _shared(self, live: Sequence[int]) -> Ids:
        """The k likeliest of every one of these answers, together; ascending token ids.

        Fewer than k where there are too few sequences to try them all.
        """
        likeliest = [self._weighed[n].look(self._rows[n]) for n in live]
        room = self._rig.streams.room(len(live)) // len(live)
        for k in range(max(map(len, likeliest)), 0, -1):
            union = {token for tokens in likeliest for token in tokens[:k]}
            if len(union) <= room:
                return np.asarray(sorted(union), np.intp)
        raise InternalError(f"{len(live)} answers have no room for a candidate each.")

    def _rival(self, n: int, tokens: Mapping[int, int]) -> _Rival | None:
        """What answer n is measured against, once that has its token of this step."""
        if n not in self._explorers:
            return None
        leader = self._weighed[self._leader]
        return _Rival(feature=leader.feature, token=tokens.get(self._leader))


def _among(found: Candidates, ids: Ids) -> tuple[F32, Ids]:
    """Scores of those of the ids that are candidates, and these ids; all ascending."""
    if found.ids is None:
        scores = found.scores[ids]
    else:
        ids = np.intersect1d(ids, found.ids)
        scores = found.scores[np.searchsorted(found.ids, ids)]
    possible = np.isfinite(scores)
    return scores[possible], ids[possible]


def _network(reward: Reward, *, width: int) -> Network:
    """Checks the reward. Raises InvalidParameter."""
    for name, value in (
        ("weight of the reward", reward.omega),
        ("exploration", reward.exploration),
    ):
        if not 0.0 <= value < math.inf:
            raise InvalidParameter.outside(name, value, "a finite number ≥ 0")
    if reward.squash not in ("sigmoid", "raw"):
        raise InvalidParameter.outside("squash", reward.squash, "sigmoid or raw")
    # With a single candidate the explorer would have to take what the leader takes.
    if not 2 <= reward.candidates <= MAX_CANDIDATES:
        allowed = f"from 2 to {MAX_CANDIDATES}"
        raise InvalidParameter.outside("candidates", reward.candidates, allowed)
    network = Network.unpack(reward.network, units=reward.units)
    if network.width != width:
        raise InvalidParameter(
            "What was learned here was learned with another model: its hidden states have "
            f"{network.width} numbers, those of this one {width}. Choose that model, or vote anew."
        )
    return network


def _spread(reward: Reward, network: Network) -> F32:
    """V, float32, (n,); read-only. Raises InvalidParameter."""
    if not reward.exploration:
        return np.empty(0, np.float32)
    if len(reward.spread) != 4 * network.size:
        count = f"{len(reward.spread)} bytes"
        raise InvalidParameter.outside("spread", count, f"{4 * network.size} bytes")
    spread: F32 = np.frombuffer(reward.spread, np.float32)
    if not (np.isfinite(spread) & (spread > 0.0)).all():
        raise InvalidParameter("spread holds a number that is not finite and above 0.")
    return spread
