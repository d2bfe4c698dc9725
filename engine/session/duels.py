"""Duels: two answers to one question, side by side, that differ in what a vote would tell about."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace

from engine.errors import InputError
from engine.inference.model import MAX_STREAMS
from engine.preference.learner import WORTH, Contrast, Serving
from engine.preference.scorers import SAME, difference, scores
from engine.session import objectives
from engine.session.learning import Learning
from engine.session.supervisor import Supervisor
from engine.store.record import StoredAnswer, StoredDuel
from engine.types.answers import Answer, Question
from engine.types.learning import Duel, DuelEvent
from engine.types.scope import EVERYWHERE, Reach


class Duels:
    """Decides when two answers are worth it, has them written, and puts them on record."""

    def __init__(
        self,
        supervisor: Supervisor,
        learning: Learning,
        *,
        clock: Callable[[], float],
        rng: random.Random,
    ) -> None:
        """
        clock  seconds since the epoch
        rng    draws sides and names
        """
        self._supervisor, self._learning = supervisor, learning
        self._clock, self._rng = clock, rng
        self._alike: set[str] = set()

    def worth(self, reach: Reach = EVERYWHERE) -> str:
        """What a vote would tell now, in words; "" where it would tell too little."""
        contrast = self._learning.contrast(without=self._alike, reach=reach)
        return contrast.why if contrast and contrast.information >= WORTH else ""

    def hold(
        self,
        question: Question,
        *,
        member: Question,
        seed: int,
        keep_texts: bool,
        reach: Reach = EVERYWHERE,
    ) -> Iterator[DuelEvent]:
        """Stream both answers; ends with a Duel. See `engine.api.Engine.duel`.

        member  the question as the member of the portfolio answers it; where that states the very
                trait that the duel is about, both answers go without the member's preferences
        seed    of both answers, so that what differs is the steering
        """
        if not reach.learns:
            raise InputError(
                "Nothing is learned in this chat, so there is nothing to compare. Ask for one "
                "answer, or let the chat learn."
            )
        contrast = self._learning.contrast(without=self._alike, reach=reach)
        if contrast is None:
            raise InputError("No trait is left to compare. Add one, or bring one back.")
        stated = objectives.stated(member)
        if contrast.asked not in stated:
            question = member
            first, second = (objectives.without(arm, stated) for arm in contrast.arms)
            contrast = replace(contrast, arms=(first, second))
        swapped = self._rng.random() < 0.5
        arms = tuple(_fitting(arm, question) for arm in contrast.arms)
        shown = arms[::-1] if swapped else arms
        asked = tuple(_asked(question, serving, seed=seed) for serving in shown)
        answers: list[Answer] = []
        for event in self._supervisor.answer(*asked, seed=seed):
            if isinstance(event, Answer):
                answers.append(event)
                if len(answers) == 2:
                    yield self._close(contrast, shown, asked, answers, swapped, keep_texts)
            else:
                yield event

    def _close(
        self,
        contrast: Contrast,
        shown: tuple[Serving, ...],
        asked: tuple[Question, ...],
        answers: list[Answer],
        swapped: bool,
        keep_texts: bool,
    ) -> Duel:
        """Put a duel on record, if there is something to vote on."""
        first, second = answers
        found = Duel(id="", answers=(first, second), why=contrast.why)
        if any(answer.finish in ("stopped", "interrupted") for answer in answers):
            return replace(found, verdict="cut")
        if difference(first.text, second.text) < SAME:
            # Not asked about again before something else was: it would only come out alike again.
            self._alike.add(contrast.asked)
            return replace(found, verdict="same")
        self._alike.clear()
        stored = [
            _stored(answer, serving, keep_text=keep_texts)
            for answer, serving in zip(answers, shown, strict=True)
        ]
        duel = StoredDuel(
            id=f"{self._rng.getrandbits(32):08x}",
            at=self._clock(),
            model=first.model,
            learner="neural" if shown[0].reward else "utilities",
            trait=contrast.asked,
            why=contrast.why,
            question=asked[0].messages[-1].text if keep_texts else "",
            answers=(stored[0], stored[1]),
            swapped=swapped,
            detail=_detail(shown, asked[0]),
        )
        self._learning.record.open_duel(duel)
        return replace(found, id=duel.id)


def _fitting(serving: Serving, question: Question) -> Serving:
    """The serving with as many pulls as there are streams for, beside the stated preferences: the
    first, which the duel is about, always has one."""
    room = MAX_STREAMS // 2 - 1 - len(question.steering.preferences)
    return replace(serving, pulls=serving.pulls[:room])


def steered(question: Question, serving: Serving) -> Question:
    """The question with what was learned added to its own steering."""
    pulls = tuple(pull.pull for pull in serving.pulls)
    steering = replace(question.steering, pulls=pulls, reward=serving.reward)
    return replace(question, steering=steering)


def _asked(question: Question, serving: Serving, *, seed: int) -> Question:
    sampling = question.sampling
    if sampling.seed is None:
        sampling = replace(sampling, seed=seed)
    # The other form of learning needs it, should the owner change over; it costs next to nothing.
    return replace(steered(question, serving), sampling=sampling, embed=True)


def told(answer: Answer, serving: Serving) -> dict[str, float]:
    """φ of an answer in nats, by stream: what its own streams told."""
    phis = zip(serving.pulls, answer.utilities, strict=True)
    return {pull.stream: phi for pull, phi in phis}


def _stored(answer: Answer, serving: Serving, *, keep_text: bool) -> StoredAnswer:
    return StoredAnswer(
        text=answer.text if keep_text else "",
        finish=answer.finish,
        tokens=answer.tokens,
        utilities=told(answer, serving),
        embedding=answer.embedding,
        surprise=answer.surprise,
        scores=scores(answer.text),
    )


def _detail(shown: tuple[Serving, ...], question: Question) -> dict[str, object]:
    """What it takes to write the answers again, texts and rewards apart."""
    return {
        "pulls": [[asdict(pull) for pull in serving.pulls] for serving in shown],
        "sampling": asdict(question.sampling),
    }
