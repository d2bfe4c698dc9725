"""Answers weighed with a reward: the same as a slow, obvious round of T-POP, and its laws."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidParameter, UnsupportedModel
from engine.inference.arm import Arm
from engine.inference.generation import Generation
from engine.inference.model import CacheFull, Entry
from engine.inference.prompts import fit
from engine.inference.variants import plan
from engine.inference.weighing import Weighing, _Weighed
from engine.network import Network
from engine.numerics import F32, Ids, log_softmax
from engine.preference.refit import initial
from engine.types.answers import Answer, Question
from engine.types.steering import Reward, Steering
from tests.fakes.asking import Asker, preferring, question
from tests.fakes.model import WIDTH, FakeModel, hidden_state, made_up

UNITS = 5
ASKED = "How do I keep basil alive?"
ENDS = frozenset(b"qz")
"""Letters that end an answer where a model wants to."""


def network(seed: int = 0, *, scale: float = 3.0) -> Network:
    """Steep enough to change what is written."""
    start = initial(UNITS, WIDTH, np.random.default_rng(seed))
    return replace(start, W1=start.W1 * np.float32(scale), w2=start.w2 * np.float32(scale))


def reward(net: Network | None = None, *, explores: bool = False, **changes: Any) -> Reward:
    net = net or network()
    spread = np.ones(net.size, np.float32).tobytes() if explores else b""
    exploration = 0.5 if explores else 0.0
    found = Reward(network=net.pack(), units=net.units, exploration=exploration, spread=spread)
    return replace(found, **changes)


def weighed(found: Reward, *, steering: Steering | None = None, **changes: Any) -> Question:
    asked = question(ASKED, **{"max_tokens": 24, **changes})
    return replace(asked, steering=replace(steering or asked.steering, reward=found), embed=True)


def events(asker: Asker, *questions: Question, **hooks: Any) -> Iterator[object]:
    """All questions in the same batches."""
    hooks = {"clock": lambda: 0.0, "stopped": lambda: False, "seed": 0, **hooks}
    model, streams, form = asker.model, asker.streams, asker.form
    yield from Generation(
        *questions, model=model, streams=streams, form=form, name="Fake", **hooks
    ).run()


def duel(asker: Asker, *questions: Question, **hooks: Any) -> list[Answer]:
    return [e for e in events(asker, *questions, **hooks) if isinstance(e, Answer)]


def both(
    net: Network | None = None, *, candidates: int = 8, **changes: Any
) -> tuple[Question, Question]:
    """The two answers of a duel."""
    leader, explorer = (reward(net, explores=e, candidates=candidates) for e in (False, True))
    return weighed(leader, **changes), weighed(explorer, **changes)


def text_of(tokens: Sequence[int]) -> str:
    """White space at the start of an answer is not shown."""
    return bytes(tokens).decode().lstrip()


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    """A model that ends its answers now and then."""
    model = FakeModel()
    monkeypatch.setattr(model, "is_end", lambda token: token in ENDS)
    return model


# Slow and obvious ---------------------------------------------------------------------------


@dataclass
class Slow:
    """One answer of section 2.2, everything from scratch at every token."""

    tokens: list[int]
    g: Any = None
    over: bool = False


def feature(prompt: Sequence[int], tokens: Sequence[int]) -> F32:
    """From the hidden state of every token of an answer."""
    total = np.zeros(WIDTH)
    for n in range(1, len(tokens) + 1):
        total += hidden_state([*prompt, *tokens[:n]])
    length = np.linalg.norm(total)
    return np.asarray(total / length if length else total, np.float32)


def slow_round(
    prompt: Sequence[int],
    net: Network,
    *,
    k: int,
    nu: float,
    limit: int,
    ends: frozenset[int] = frozenset(),
    omega: float = 1.0,
    arms: int = 2,
) -> list[list[int]]:
    """Both answers of a duel, or the single one, as tokens."""
    answers = [Slow([]) for _ in range(arms)]
    V = np.ones(net.size)

    def extended(answer: Slow, token: int) -> F32:
        grown = answer.tokens if token in ends else [*answer.tokens, token]
        return feature(prompt, grown)

    def squash(r: float) -> float:
        return 1.0 / (1.0 + math.exp(-r))

    for _ in range(limit):
        live = [a for a in answers if not a.over]
        if not live:
            break
        together = len(live) == 2
        pis = {
            id(a): np.exp(log_softmax(made_up([*prompt, *a.tokens])).astype(float)) for a in live
        }
        candidates = sorted({int(v) for p in pis.values() for v in np.argsort(-p)[:k]})
        first = -1
        for number, answer in enumerate(answers):
            if answer.over:
                continue
            p = pis[id(answer)]
            xs = [extended(answer, v) for v in candidates]
            gs = [net.gradients(x[None])[0].astype(float) for x in xs]
            fs = [squash(float(net.rewards(x[None])[0])) for x in xs]
            scores = np.array([p[v] + omega * f for v, f in zip(candidates, fs, strict=True)])
            if number == 1:
                us = [np.sqrt(((g - answers[0].g) ** 2 / V).sum()) for g in gs]
                scores += omega * nu * np.array(us)
                if together:
                    scores[[v == first for v in candidates]] = -np.inf
            best = int(scores.argmax())
            token, answer.g = candidates[best], gs[best]
            if number == 0:
                first = token
            elif together:
                V = V + (answers[0].g - answer.g) ** 2
            if token in ends:
                answer.over = True
            else:
                answer.tokens.append(token)
    return [a.tokens for a in answers]


def prompt_of(asker: Asker) -> tuple[int, ...]:
    chats = plan(question(ASKED)).chats
    return fit(chats, model=asker.model, form=asker.form, max_tokens=1).prompts[0]


@pytest.mark.parametrize("ends", [frozenset(), ENDS], ids=["endless", "ending"])
@pytest.mark.parametrize("k", [2, 3, 8])
@pytest.mark.parametrize("seed", range(3))
def test_a_duel_is_written_as_the_slow_round_writes_it(
    seed: int, k: int, ends: frozenset[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = FakeModel()
    monkeypatch.setattr(model, "is_end", lambda token: token in ends)
    asker, net = Asker(model), network(seed)
    slow = slow_round(prompt_of(asker), net, k=k, nu=0.5, limit=24, ends=ends)
    found = duel(asker, *both(net, candidates=k))
    assert [a.text for a in found] == [text_of(t) for t in slow]
    assert [a.tokens for a in found] == [len(t) for t in slow]


@given(seed=st.integers(0, 99), scale=st.sampled_from([0.3, 1.0, 4.0]), k=st.integers(2, 9))
@settings(max_examples=20)
def test_a_single_answer_is_the_slow_rounds_first_though_it_tries_fewer(
    seed: int, scale: float, k: int
) -> None:
    asker, net = Asker(FakeModel()), network(seed, scale=scale)
    slow = slow_round(prompt_of(asker), net, k=k, nu=0.0, limit=24, arms=1)
    (found,) = duel(asker, weighed(reward(net, candidates=k)))
    assert (found.text, found.tokens) == (text_of(slow[0]), len(slow[0]))


# Laws ---------------------------------------------------------------------------------------


def silent(net: Network) -> Network:
    """A reward that is the same for everything."""
    return replace(net, w2=np.zeros_like(net.w2))


@pytest.mark.parametrize("penalty", [1.0, 2.0])
def test_a_reward_without_weight_or_without_opinion_leaves_the_greedy_answer(
    penalty: float,
) -> None:
    asker = Asker(FakeModel())
    how: dict[str, Any] = {"repetition_penalty": penalty}
    greedy = asker.ask(question(ASKED, max_tokens=24, **how)).answer.text
    weightless = reward(omega=0.0), reward(explores=True, omega=0.0)
    opinionless = reward(silent(network())), reward(silent(network()), explores=True)
    for leader, explorer in (weightless, opinionless):
        assert duel(asker, weighed(leader, **how))[0].text == greedy
        first, second = duel(asker, weighed(leader, **how), weighed(explorer, **how))
        assert first.text == greedy != second.text
    assert duel(asker, weighed(reward(), **how))[0].text != greedy


@pytest.mark.parametrize("kappa", [None, 1e-4])
def test_stated_preferences_take_the_place_of_the_plain_distribution(kappa: float | None) -> None:
    asker = Asker(FakeModel())
    stated = preferring("concise", "formal", gamma=0.01, plausibility=kappa)
    steered = asker.ask(question(ASKED, steering=stated, max_tokens=24)).answer
    (weightless,) = duel(asker, weighed(reward(omega=0.0), steering=stated))
    assert (weightless.text, weightless.streams) == (steered.text, 3)
    first, second = duel(asker, *both(steering=stated))
    assert len({steered.text, first.text, second.text}) == 3


class Spy:
    """What answers take and could take, step by step."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken: list[dict[int, int]] = []
        self.best: list[list[int]] = []
        self.shared: list[list[int]] = []
        choose, look, shared = Weighing.choose, _Weighed.look, Weighing._shared

        def spy_choose(it: Weighing, live: Sequence[int]) -> dict[int, int]:
            self.best.append([])
            self.taken.append(choose(it, live))
            return self.taken[-1]

        def spy_look(it: _Weighed, rows: F32) -> list[int]:
            found = look(it, rows)
            self.best[-1].append(int(rows[0].argmax()))
            return found

        def spy_shared(it: Weighing, live: Sequence[int]) -> Ids:
            found = shared(it, live)
            self.shared.append([int(token) for token in found])
            return found

        monkeypatch.setattr(Weighing, "choose", spy_choose)
        monkeypatch.setattr(_Weighed, "look", spy_look)
        monkeypatch.setattr(Weighing, "_shared", spy_shared)


@pytest.mark.parametrize("seed", range(4))
def test_two_answers_under_way_never_take_the_same_token(
    seed: int, ending: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy(monkeypatch)
    first, second = duel(Asker(ending), *both(network(seed)))
    steps = [tokens for tokens in spy.taken if len(tokens) == 2]
    assert steps
    assert all(tokens[0] != tokens[1] for tokens in steps)
    assert first.text != second.text


def test_the_likeliest_token_of_every_answer_is_a_candidate_of_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spy = Spy(monkeypatch)
    duel(Asker(FakeModel()), *both(max_tokens=12))
    assert len(spy.shared) == 12
    for best, shared in zip(spy.best, spy.shared, strict=True):
        assert set(best) <= set(shared)
        assert shared == sorted(shared)


@pytest.mark.parametrize("seed", range(6))
def test_an_answer_that_has_ended_stays_as_it_is(
    seed: int, ending: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy(monkeypatch)
    answers = duel(Asker(ending), *both(network(seed), max_tokens=40))
    for number, answer in enumerate(answers):
        own = [tokens[number] for tokens in spy.taken if number in tokens]
        if answer.finish == "end":
            assert own.pop() in ENDS
        assert not ENDS & set(own)
        assert answer.text == text_of(own)
        assert all(number in tokens for tokens in spy.taken[: len(own)])


def test_the_same_call_twice_gives_the_same_texts() -> None:
    asker = Asker(FakeModel())
    assert [a.text for a in duel(asker, *both())] == [a.text for a in duel(asker, *both())]
    single = weighed(reward())
    assert duel(asker, single)[0].text == duel(asker, single)[0].text


def test_sides_may_be_swapped() -> None:
    asker = Asker(FakeModel())
    leader, explorer = both()
    texts = [a.text for a in duel(asker, leader, explorer)]
    assert [a.text for a in duel(asker, explorer, leader)] == texts[::-1]


def test_the_leader_of_a_duel_writes_what_it_writes_alone_where_the_candidates_are_enough() -> None:
    """Only candidates that the other answer brings in could make a difference."""
    asker = Asker(FakeModel())
    gentle = network(scale=1.0)
    (alone,) = duel(asker, weighed(reward(gentle, candidates=16)))
    first, _ = duel(asker, *(both(gentle)))
    assert first.text == alone.text


def test_an_explorer_alone_has_nothing_to_differ_from() -> None:
    asker = Asker(FakeModel())
    (explorer,) = duel(asker, weighed(reward(explores=True)))
    (leader,) = duel(asker, weighed(reward()))
    assert explorer.text == leader.text


def test_answers_with_and_without_a_reward_are_written_together() -> None:
    asker = Asker(FakeModel())
    plain = question(ASKED, max_tokens=24)
    steered = question(ASKED, steering=preferring("concise"), max_tokens=9)
    both_ways = weighed(reward(), steering=preferring("formal", gamma=0.01), max_tokens=15)
    for questions in ((plain, weighed(reward()), steered), (steered, both_ways, plain)):
        alone = [duel(asker, q)[0].text for q in questions]
        assert [a.text for a in duel(asker, *questions)] == alone


# What is told of an answer ------------------------------------------------------------------


def mean_hidden(asker: Asker, answer: Answer, tokens: Sequence[int]) -> F32:
    prompt = prompt_of(asker)
    assert answer.tokens == len(tokens)
    states = [hidden_state([*prompt, *tokens[:n]]) for n in range(1, len(tokens) + 1)]
    mean: F32 = np.mean(states, axis=0, dtype=np.float32)
    return mean


@pytest.mark.parametrize("rewarded", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_the_embedding_is_the_mean_over_exactly_the_tokens_of_the_answer(
    seed: int, rewarded: bool, ending: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker, taken = Asker(ending), dict[int, list[int]]()
    take = Arm.take

    def spy(it: Arm, token: int, *, limit: int) -> str:
        taken.setdefault(id(it), []).append(token)
        return take(it, token, limit=limit)

    monkeypatch.setattr(Arm, "take", spy)
    plain = replace(question(ASKED, max_tokens=24, temperature=1.0, seed=seed), embed=True)
    answers = duel(asker, *(both(network(seed)) if rewarded else (plain,)))
    for answer, own in zip(answers, taken.values(), strict=True):
        tokens = own[:-1] if answer.finish == "end" else own
        found = np.frombuffer(answer.embedding, np.float32)
        np.testing.assert_allclose(found, mean_hidden(asker, answer, tokens), atol=1e-5)


def test_no_embedding_is_told_where_none_was_wanted() -> None:
    asked = replace(weighed(reward()), embed=False)
    assert duel(Asker(FakeModel()), asked)[0].embedding == b""


def test_surprise_is_that_of_the_untouched_model() -> None:
    asker = Asker(FakeModel())
    (answer,) = duel(asker, weighed(reward(), max_tokens=1))
    row = log_softmax(made_up(prompt_of(asker)))
    assert any(np.isclose(answer.surprise, -row[t]) for t in range(256))
    plain = replace(question(ASKED, max_tokens=1), embed=True)
    assert duel(asker, plain)[0].surprise == pytest.approx(-row.max())


def test_the_steps_are_told_with_the_tokens_that_were_tried() -> None:
    steps: list[tuple[float, int]] = []
    model = FakeModel()
    duel(Asker(model), *both(max_tokens=3), on_step=lambda *step: steps.append(step))
    assert [count for _, count in steps] == [len(batch) for batch in model.batches[-3:]]


# Fewer candidates ---------------------------------------------------------------------------


def test_candidates_that_cannot_win_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = weighed(reward(network(scale=0.3)))
    decoded, texts = [], []
    for longest in (FakeModel().longest_hidden, np.inf):
        monkeypatch.setattr(FakeModel, "longest_hidden", longest)
        model = FakeModel()
        texts.append(duel(Asker(model), asked)[0].text)
        decoded.append(model.decoded)
    assert texts[0] == texts[1]
    assert decoded[0] < decoded[1]


def test_a_bound_that_the_model_breaks_is_widened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeModel, "longest_hidden", 1e-6)
    seen: list[float] = []
    take = _Weighed.take

    def spy(it: _Weighed, *args: Any) -> Any:
        found = take(it, *args)
        seen.append(it._longest)
        return found

    monkeypatch.setattr(_Weighed, "take", spy)
    duel(Asker(FakeModel()), weighed(reward()))
    assert seen == sorted(seen)
    assert seen[0] > 1.0


def test_where_sequences_are_few_fewer_candidates_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spy = Spy(monkeypatch)
    model = FakeModel()
    stated = preferring("concise", "formal", "warm")
    duel(Asker(model), *both(steering=stated, candidates=16, max_tokens=6))
    assert max(map(len, model.batches)) <= 32
    assert max(map(len, spy.shared)) <= (32 - 8 + 2) // 2


# Interruptions ------------------------------------------------------------------------------


def disturb_at(model: FakeModel, batch: int, disturb: Callable[[], None]) -> None:
    """Do that at the batch of that number after the prompt, which fits one batch or two."""
    left = batch

    def before(entries: Sequence[Entry]) -> None:
        nonlocal left
        if all(entry.output for entry in entries):
            left -= 1
            if left < 0:
                disturb()

    model.before = before


def full() -> None:
    raise CacheFull


@pytest.mark.parametrize("batch", range(6))
@pytest.mark.parametrize("stated", [False, True])
@pytest.mark.parametrize("why", ["stopped", "context"])
def test_after_a_disturbance_anywhere_the_next_answer_is_as_ever(
    batch: int, stated: bool, why: str
) -> None:
    steering = preferring("concise") if stated else None
    expected = [a.text for a in duel(Asker(FakeModel()), *both(steering=steering))]
    model = FakeModel()
    asker = Asker(model)
    duel(asker, *both(steering=steering, max_tokens=2))
    disturb_at(model, batch, model.interrupt if why == "stopped" else full)
    answers = duel(asker, *both(steering=steering)) if why == "stopped" or batch else []
    model.before = None
    model.resume()
    for answer, text in zip(answers, expected, strict=False):
        assert text.startswith(answer.text)
        assert answer.finish == why
    for sequence, tokens in asker.streams._held.items():
        assert model.held(sequence) == tokens
    assert [a.text for a in duel(asker, *both(steering=steering))] == expected


def test_a_stop_is_seen_before_the_next_candidates_are_tried() -> None:
    steps: list[float] = []
    answers = duel(
        Asker(FakeModel()),
        *both(),
        stopped=lambda: len(steps) >= 3,
        on_step=lambda seconds, _tokens: steps.append(seconds),
    )
    assert [(a.finish, a.tokens) for a in answers] == [("stopped", 3)] * 2


def test_a_small_cache_ends_the_answers_and_not_the_engine() -> None:
    asker = Asker(FakeModel(cells=260))
    answers = duel(asker, *both(max_tokens=1000))
    assert [a.finish for a in answers] == ["context"] * 2
    assert all(a.tokens > 1 for a in answers)
    assert duel(asker, weighed(reward(), max_tokens=3))[0].tokens == 3


# What is refused ----------------------------------------------------------------------------


def test_a_model_whose_cache_cannot_be_shared_is_refused_with_a_way_out() -> None:
    model = FakeModel(shares=False)
    with pytest.raises(UnsupportedModel, match="other form of learning"):
        duel(Asker(model), weighed(reward()))
    assert model.decoded == 0


def test_what_was_learned_with_another_model_is_refused_with_both_widths() -> None:
    other = initial(UNITS, WIDTH + 1, np.random.default_rng(0))
    with pytest.raises(InvalidParameter, match=f"{WIDTH + 1} numbers, those of this one {WIDTH}"):
        duel(Asker(FakeModel()), weighed(reward(other)))


@pytest.mark.parametrize(
    "changes",
    [
        {"omega": -0.1},
        {"omega": float("nan")},
        {"exploration": float("inf")},
        {"candidates": 1},
        {"candidates": 17},
        {"squash": "tanh"},
        {"units": 0},
        {"network": b"abc"},
        {"spread": b""},
        {"spread": np.zeros(network().size, np.float32).tobytes()},
        {"spread": np.full(network().size, np.nan, np.float32).tobytes()},
    ],
    ids=lambda changes: f"{changes}"[:24],
)
def test_a_reward_outside_its_range_is_refused_before_anything_is_decoded(
    changes: dict[str, Any],
) -> None:
    model = FakeModel()
    with pytest.raises(InvalidParameter):
        duel(Asker(model), weighed(reward(explores=True, **changes)))
    assert model.decoded == 0
