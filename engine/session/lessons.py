"""What an adapter learns from: steered answers to questions of our own, and what is asked for it.

Nothing here does anything; see `engine.session.training`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from engine.errors import InputError, InvalidParameter, ModelError, UnknownTrait
from engine.jobs import protocol
from engine.jobs.training import check_memory
from engine.merging.shape import shape_of
from engine.models import memory
from engine.models.cards import MergeCard, check_place, marked, own_card
from engine.models.header import file_name
from engine.models.partial import check_space
from engine.models.weights import open_weights
from engine.portfolio import pool
from engine.portfolio.questions import QUESTIONS
from engine.preference.traits import BUILT_IN
from engine.session import calibration, objectives
from engine.session.calibration import Asked
from engine.session.questions import VOTED_ON
from engine.store.calibration import StoredCalibration
from engine.types.models import Launch, ModelCard
from engine.types.portfolio import Candidate, Objective
from engine.types.steering import Sampling

LESSONS, HELD_OUT = 32, 20
"""Questions whose steered answers are learned, and calibration questions that tell what came of it.
No lesson is a calibration question: a portfolio may measure the adapter with those, and what has
seen the questions would do better than it is."""

GAMMA = 2.0
"""Strength γ of the answers that are learned from."""

REPLY_TOKENS = 64
"""Of an answer that are learned: its style shows by then, and every token costs."""

PARTS = ("attn_output", "ffn_down")
"""Matrices that are adapted: those through which attention and the feed-forward part write. With
all seven a token takes a third longer (measured): every adapter costs two products of its own."""

STEPS, BATCH, RATE = 96, 4, 2e-3
RANK, ALPHA = 16, 32.0
MOST_STEPS = 1000

BYTES = 2
"""Of each number of an adapter."""

SUFFIX = ".gguf"

Slot = tuple[Candidate, Asked]
"""A setting and a question that it answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An adapter as the owner asks for it.

    trait  a pole that can be measured: "short+", "formal-"; without a sign it is "+"
    out    of the adapter, NAME.gguf
    instead  further names, taken in turn where what lies there is of another training
    base   id or path of a model; "" is the starter model
    steps  of training, in 1..1000
    """

    trait: str
    out: Path
    instead: Iterable[Path] = ()
    base: str = ""
    steps: int = STEPS
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is trained, on what, and what it is held against.

    card            of the base, with its hash
    plain, steered  settings of the base without and with the preference sentence
    """

    objective: Objective
    card: ModelCard
    launch: Launch
    out: Path
    plain: Candidate
    steered: Candidate
    lessons: tuple[Asked, ...]
    held_out: tuple[Asked, ...]


def measurable(trait: str) -> Objective:
    """The pole of a built-in trait, "+" where no sign is given. Raises UnknownTrait."""
    id = trait if trait.endswith(("+", "-")) else f"{trait}+"
    if id[:-1] not in {known.id for known in BUILT_IN}:
        names = ", ".join(known.id for known in BUILT_IN)
        raise UnknownTrait(
            f"There is no trait {trait!r} that can be measured, only {names}; with + or - for its "
            "pole."
        )
    return Objective(id=id, name=objectives.name_of(id))


def planned(wanted: Wanted, *, card: ModelCard, launch: Launch, sampling: Sampling) -> Plan:
    """What is trained and how; only the header of the base is read, unless its hash is not known.

    launch    how models run on this machine
    sampling  how answers are drawn

    Raises InputError (too little memory among it), StorageError where the adapter cannot be written
    there, and ModelError where the base has no gradients here.
    """
    if card.adapter:
        raise InputError(f"{card.name} has an adapter already; train one of the model without it.")
    objective, path = measurable(wanted.trait), Path(card.path)
    weights = open_weights(path)
    sizes = {name: weights.shape(name) for name in weights.tensors}
    shape = shape_of(weights.header.metadata, sizes)
    out = wanted.out.expanduser().absolute()
    _check(wanted, out)
    check_memory(shape, installed=memory.installed())
    adapted = [name for name in shape.matrices(PARTS) if name in sizes]
    size = sum(BYTES * RANK * sum(sizes[name]) for name in adapted)
    check_space(out.parent, size, file_name(out))
    model = pool.Model(id=card.id, name=card.name)
    sentence = objectives.sentence_of(objective.id)
    (plain,) = pool.generate([model], sampling=sampling, poles=())
    measured = [question for question in QUESTIONS if question.kind != "safety"]
    return Plan(
        objective=objective,
        card=card if card.sha256 else replace(card, sha256=marked(path).sha256),
        launch=replace(launch, context=calibration.CONTEXT),
        out=out,
        plain=plain,
        steered=pool.own(model, preferences=(sentence,), gamma=GAMMA, sampling=sampling),
        lessons=tuple(map(_lesson, VOTED_ON[:LESSONS])),
        held_out=tuple(measured[:HELD_OUT]),
    )


def _lesson(text: str) -> Asked:
    """A question whose answer is learned and never scored, so that it needs no keys."""
    name = re.sub(r"[^a-z]+", "-", text.lower()).strip("-")
    return Asked(id=f"lesson-{name}", kind="explanation", text=text, keys=())


def training(
    plan: Plan, wanted: Wanted, answers: Sequence[StoredCalibration], *, folder: Path
) -> protocol.Train:
    """The work of learning these answers.

    folder  where what a stopped training needs to go on is kept

    Raises InputError where there are none.
    """
    if not answers:
        raise InputError("The base answered no question, so there is nothing to learn from.")
    texts = {asked.id: asked.text for asked in plan.lessons}
    return protocol.Train(
        base=plan.card.path,
        out=str(plan.out),
        title=f"{plan.card.name}, {objectives.adjective_of(plan.objective.id)}",
        folder=str(folder),
        launch=plan.launch,
        trait=plan.objective.id,
        lessons=tuple(
            protocol.Lesson(
                question=texts[each.question], answer=each.text, whole=each.finish == "end"
            )
            for each in answers
        ),
        reply_tokens=REPLY_TOKENS,
        parts=PARTS,
        steps=wanted.steps,
        batch=BATCH,
        rate=RATE,
        rank=RANK,
        alpha=ALPHA,
        seed=wanted.seed,
    )


def _check(wanted: Wanted, out: Path) -> None:
    if out.suffix != SUFFIX:
        raise InvalidParameter.outside("the name of the adapter", out.name, f"like NAME{SUFFIX}")
    if not 1 <= wanted.steps <= MOST_STEPS:
        raise InvalidParameter.outside("steps", wanted.steps, f"from 1 to {MOST_STEPS}")
    if not 0 <= wanted.seed < 2**63:
        raise InvalidParameter.outside("seed", wanted.seed, "from 0 to 2^63 - 1")
    check_place(out)
    if out.exists() and unscored(out) is None:
        raise InputError(f"{file_name(out)} exists already; choose another name or remove it.")


def placed(plan: Plan, work: protocol.Train, *, instead: Iterable[Path]) -> Path:
    """Where the adapter belongs: the first name under which nothing lies, or this very one that
    only lacks its scores. Raises InputError where there is none."""
    for out in chain((plan.out,), instead):
        if not out.exists() or _is_of(out, plan, work):
            return out
    raise InputError(f"{file_name(plan.out)} exists already; choose another name or remove it.")


def _is_of(out: Path, plan: Plan, work: protocol.Train) -> bool:
    card = unscored(out)
    same = card is not None and card.parameters.get("training") == work.identity()
    return card is not None and same and card.base.sha256 == plan.card.sha256


def unscored(out: Path) -> MergeCard | None:
    """The card of a trained adapter that was not compared yet."""
    try:
        card = own_card(out)
    except ModelError:
        return None
    return card if card.method == "train" and not card.scores else None


def keys(slots: Sequence[Slot]) -> list[str]:
    """What names the answer of each."""
    return [calibration.key(*slot) for slot in slots]


def subject(
    plan: Plan, slots: Sequence[Slot], *, adapted: bool = False, mark: str = ""
) -> protocol.Subject:
    """The base and what it is asked; keys begin with `mark`."""
    named = {mark + key: slot for key, slot in zip(keys(slots), slots, strict=True)}
    asked = calibration.subject(plan.card, plan.launch, named)
    return replace(asked, adapters=((str(plan.out), 1.0),)) if adapted else asked
