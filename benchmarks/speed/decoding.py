"""Decoding: plain against llama-cpp-python's own, steered against plain, four streams against one,
a second turn with and without the cache."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import llama_cpp

from benchmarks.bench import Bench
from benchmarks.speed.measure import Row, in_turn
from engine.inference.prompts import fit
from engine.inference.threads import most_threads
from engine.inference.variants import plan
from engine.types.answers import Answer, Message, Question
from engine.types.steering import GREEDY, Preference, Steering

TOKENS = 96
ASKED = "Explain how a bicycle stays upright, and what a beginner should practise first."
FOLLOW_UP = "And what should they practise in the second week?"
STEERED = Steering(method="amulet", preferences=(Preference(text="verbose"),))


def question(steering: Steering | None = None, *, tokens: int = TOKENS) -> Question:
    """The question of all measurements."""
    return Question(
        messages=(Message(role="user", text=ASKED),),
        steering=steering or Steering(),
        sampling=replace(GREEDY, max_tokens=tokens),
    )


def run(bench: Bench, *, pairs: int, small: bool) -> list[Row]:
    """All decoding rows of one model. small: compute bound, with the looser targets."""
    return [
        against_binding(bench, pairs=pairs),
        steered(bench, pairs=pairs, target=1.6 if small else 1.2),
        share(bench),
        four_streams(bench, pairs=pairs, target=2.3 if small else 1.5),
        second_turn(bench, pairs=pairs),
    ]


def against_binding(bench: Bench, *, pairs: int) -> Row:
    """Whole answers, prompt included, on the same prompt tokens."""
    prompt = list(_prompts(bench, question())[0])
    reference = llama_cpp.Llama(
        bench.path,
        n_ctx=2048,
        n_batch=512,
        n_threads=bench.launch.threads,
        n_threads_batch=most_threads(),
        # llama.cpp's own default, which ours keeps; llama-cpp-python switches it off, and the
        # different rounding then changes a greedy text here and there.
        flash_attn=True,
        verbose=False,
    )
    texts: dict[str, str] = {}

    def theirs() -> float:
        reference.reset()
        begun = time.perf_counter()
        done = reference.create_completion(prompt, max_tokens=TOKENS, temperature=0.0)
        spent = time.perf_counter() - begun
        assert isinstance(done, dict)
        texts["theirs"] = done["choices"][0]["text"]
        return spent / done["usage"]["completion_tokens"]

    def ours() -> float:
        bench.streams.forget()
        begun = time.perf_counter()
        answer = bench.ask(question())
        texts["ours"] = answer.text
        return (time.perf_counter() - begun) / answer.tokens

    measured = in_turn(theirs, ours, pairs=pairs)
    reference.close()
    same = texts["theirs"].strip() == texts["ours"].strip()
    figures = f"{1 / median(measured.b):.1f} against {1 / median(measured.a):.1f} tokens/s"
    return measured.row(
        "plain decode, tokens/s: ours / create_completion",
        model=bench.name,
        target=1.0,
        low=False,
        detail=f"{figures}; {'same' if same else 'different'} text",
        holds=same,
    )


def steered(bench: Bench, *, pairs: int, target: float) -> Row:
    """Time per token after the first, two streams against one."""
    measured = in_turn(
        lambda: _per_token(bench.ask(question(STEERED))),
        lambda: _per_token(bench.ask(question())),
        pairs=pairs,
    )
    return measured.row(
        "time per token: steered / plain",
        model=bench.name,
        target=target,
        low=True,
        detail=measured.milliseconds,
    )


def share(bench: Bench) -> Row:
    """Our own work in a steered step, drawing with the default sampling."""
    asked = replace(question(STEERED), sampling=replace(question().sampling, temperature=0.7))
    return share_of_step(
        bench,
        asked,
        name="steering and sampling, share of a step",
        target=0.03,
        detail="cut and draw included",
    )


def share_of_step(bench: Bench, *asked: Question, name: str, target: float, detail: str) -> Row:
    """Our own work in a step of questions that are answered together."""
    shares = []
    for _ in range(5):
        seconds = bench.ask_together(*asked)[0].seconds
        shares.append(seconds.steer / (seconds.steer + seconds.decode))
    return Row(
        name=name,
        model=bench.name,
        ratio=median(shares),
        spread=(min(shares), max(shares)),
        target=target,
        low=True,
        detail=detail,
    )


def four_streams(bench: Bench, *, pairs: int, target: float) -> Row:
    """A step of a duel (two answers, two streams each) against a step of one stream."""
    prompts = _prompts(bench, question(STEERED))
    tokens = bench.model.tokenize(ASKED, special=False)

    def stepped(streams: int) -> Callable[[], float]:
        def measure() -> float:
            bench.streams.prepare(prompts[: min(streams, 2)])
            for stream in range(streams - 2):
                bench.streams.fork(stream)
            times = []
            for step in range(48):
                begun = time.perf_counter()
                bench.streams.step(dict.fromkeys(range(streams), tokens[step % len(tokens)]))
                times.append(time.perf_counter() - begun)
            return median(times)

        return measure

    measured = in_turn(stepped(4), stepped(1), pairs=pairs)
    return measured.row(
        "time per step: four streams / one",
        model=bench.name,
        target=target,
        low=True,
        detail=measured.milliseconds,
    )


def second_turn(bench: Bench, *, pairs: int) -> Row:
    """Time to the first token of a second turn, with the cache and from nothing."""
    first = question(tokens=200)

    def follow_up() -> Question:
        answer = bench.ask(first)
        told = Message(role="assistant", text=answer.text)
        asked = Message(role="user", text=FOLLOW_UP)
        messages = (*first.messages, told, asked)
        return replace(first, messages=messages, sampling=replace(GREEDY, max_tokens=1))

    def cached() -> float:
        return bench.ask(follow_up()).seconds.prefill

    def anew() -> float:
        asked = follow_up()
        bench.streams.forget()
        return bench.ask(asked).seconds.prefill

    measured = in_turn(cached, anew, pairs=pairs)
    return measured.row(
        "first token of a second turn: cached / anew",
        model=bench.name,
        target=0.25,
        low=True,
        detail=f"{1e3 * median(measured.a):.0f} against {1e3 * median(measured.b):.0f} ms",
    )


def _prompts(bench: Bench, asked: Question) -> tuple[tuple[int, ...], ...]:
    chats = plan(asked).chats
    return fit(chats, model=bench.model, form=bench.form, max_tokens=TOKENS).prompts


def _per_token(answer: Answer) -> float:
    speed = answer.tokens_per_second
    assert speed is not None
    return 1 / speed
