"""The owner's portfolio: what was chosen, whether it still holds, and which member answers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.errors import AttuneError, InputError, InvalidParameter
from engine.models import memory
from engine.models.catalogue import Catalogue
from engine.models.gguf import facts
from engine.models.header import read_header
from engine.models.identity import lost
from engine.numerics import F64
from engine.portfolio import routing
from engine.portfolio.weights import Flags, centre
from engine.portfolio.words import listed
from engine.session import calibration, objectives, selecting
from engine.session.building import Builder
from engine.session.pool import Candidates, Owned
from engine.store.calibration import CalibrationRecord, StoredBuild
from engine.store.record import Ballot, Record, Standing
from engine.types.models import ModelCard
from engine.types.portfolio import (
    BuildEvent,
    Candidate,
    Certificate,
    LeftOut,
    Member,
    Portfolio,
    Route,
)
from engine.types.work import Notice

SWITCH = 0.02
"""Expected reward that another model has to gain before it is loaded in the place of this one."""

SAME = 1e-6
"""Difference of two certificates, or two rewards, that is rounding."""

NOTABLE = 1.15
"""A weight is worth naming as a reason where it is so many times the usual one."""


class Portfolios:
    """What was built last, and what it means today; and building it anew.

    candidates  what a build would measure, for the owner to edit
    """

    def __init__(
        self,
        measured: CalibrationRecord,
        record: Record,
        catalogue: Catalogue,
        owned: Owned,
        *,
        candidates: Candidates,
        builder: Builder,
    ) -> None:
        self._measured, self._record = measured, record
        self._catalogue, self._owned = catalogue, owned
        self.candidates, self._builder = candidates, builder
        self._answering = ""  # id of the model

    def build(self) -> Iterator[BuildEvent]:
        """Measure what is missing, choose a few members and certify them; ends with the Portfolio.

        Blocks, for minutes; may be iterated in another thread than the one that asks. Where `stop`
        ends it, or something kills it, the next one goes on there.

        Raises InputError where there is nothing to choose from, EngineError, StorageError.
        """
        event = None
        for event in self._builder.build():
            yield event
        stopped = isinstance(event, Notice) and event.code == "build_stopped"
        portfolio = self.current()
        if portfolio is not None and not stopped:
            yield portfolio

    def stop(self) -> None:
        """End the build that is running; what it measured is kept. Any thread."""
        self._builder.stop()

    def current(self) -> Portfolio | None:
        """The last build, and how things stand with it now; None before the first. Blocks."""
        build = self._measured.last_build()
        if build is None:
            return None
        R, places = np.asarray(build.rewards), _places(build)
        reasons = self._reasons(build)
        return Portfolio(
            objectives=build.objectives,
            candidates=build.candidates,
            rewards=build.rewards,
            members=tuple(
                Member(
                    index=place,
                    best_at=selecting.best_at(place, places, R, build.objectives),
                    fits=not reasons[build.candidates[place].model],
                    reason=reasons[build.candidates[place].model],
                )
                for place in places
            ),
            certificate=build.certificate,
            left_out=build.left_out,
            weights=tuple(self._weights(build).tolist()),
            built_at=build.at,
            notices=(*_altered(build, self._owned.cards()), *self._outgrown(build)),
        )

    def check(self) -> tuple[Notice, ...]:
        """Read the models' files again, and compute the certificate again from the answers; says
        what is not as it was. Raises InputError where nothing was built."""
        build = self._needed()
        cards = self._owned.cards()
        found = [*_altered(build, cards), *self._verified(build, cards)]
        if build.scorers != selecting.version():  # which is found already
            return tuple(found)
        sheet = calibration.sheet(build.questions)
        known = self._measured.known({c.id: build.models[c.model] for c in build.candidates})
        if any(calibration.missing(c, sheet.all, known) for c in build.candidates):
            text = "Some answers that the certificate rests on are gone. Build again."
            return (*found, Notice(code="answers_missing", text=text))
        rewards, proof = selecting.certified(build, sheet, known, _places(build))
        again, kept = _figures(rewards, proof), _figures(build.rewards, build.certificate)
        if not np.allclose(again, kept, rtol=0.0, atol=SAME):
            text = "The kept answers no longer give the certificate that was kept. Build again."
            found.append(Notice(code="certificate_changed", text=text))
        return tuple(found)

    # Who answers ----------------------------------------------------------------------------

    def route(self) -> Route | None:
        """Which member suits the owner best now, and why; None where nothing is built, or no
        member can be had."""
        build = self._measured.last_build()
        if build is None:
            return None
        members = _members(build)
        reasons = self._reasons(build)
        allowed = np.asarray([not reasons[member.model] for member in members])
        if not allowed.any():
            return None
        weights, R = self._weights(build), _rewards(build, build.members)
        taken = self._taken(build, allowed)
        pick = taken if taken is not None else self._best(members, weights, R, allowed)
        self._answering = members[pick].model
        order = [int(i) for i in np.argsort(-(R @ weights)) if i != pick and allowed[i]]
        reason = _TAKEN if taken is not None else _reason(build, R[pick], R, weights)
        return Route(
            member=members[pick],
            why=f"{members[pick].name}, because {reason}.",
            others=tuple(members[i] for i in order),
            refused=tuple(
                LeftOut(candidate=m, reason=reasons[m.model]) for m in members if reasons[m.model]
            ),
        )

    def override(self, id: str) -> Route:
        """Another member answers, until a vote says more; that it was taken is evidence.

        Raises InvalidParameter for what is no member, InputError where it cannot be had now,
        StorageError.
        """
        build, route = self._needed(), self.route()
        if id not in build.members:
            known = ", ".join(build.members)
            raise InvalidParameter(f"There is no member {id!r}, only {known}.")
        for left in route.refused if route else ():
            if left.candidate.id == id:
                raise InputError(left.reason)
        if route is not None and id != route.member.id:
            taken, instead = _rewards(build, (id, route.member.id))
            gain = zip(build.objectives, (taken - instead).tolist(), strict=True)
            self._record.override(id, instead=route.member.id, gain={o.id: g for o, g in gain})
        found = self.route()
        if found is None:
            raise InputError("No member can answer now. See what is said of each of them.")
        return found

    def _best(self, members: Sequence[Candidate], weights: F64, R: F64, allowed: Flags) -> int:
        """Place of the member that suits best. Those of the model that answers take no loading."""
        loaded = allowed & np.asarray([member.model == self._answering for member in members])
        stay = routing.route(weights, R, allowed=loaded) if loaded.any() else None
        return routing.route(weights, R, allowed=allowed, current=stay, swap_cost=SWITCH)

    def _taken(self, build: StoredBuild, allowed: Flags) -> int | None:
        """Place of the member that the owner took, where no vote has come since."""
        standing = self._record.standing()
        if not standing.overrides:
            return None
        change, override = standing.overrides[-1]
        newest = max((ballot.change for ballot in standing.ballots), default=0)
        if override.taken not in build.members or change < newest:
            return None
        place = build.members.index(override.taken)
        return place if allowed[place] else None

    # What is known --------------------------------------------------------------------------

    def _weights(self, build: StoredBuild) -> F64:
        """The owner's weights: sliders as the prior, votes and choices as evidence."""
        standing, settings = self._record.standing(), self._owned.settings()
        dated = [(b.change, _voted(b, build, _mute(standing, b.change))) for b in standing.ballots]
        dated += [
            (change, _taking(override.gain, build, _mute(standing, change)))
            for change, override in standing.overrides
        ]
        sliders = [settings.sliders.get(o.id, 0.5) for o in build.objectives]
        return routing.believe(
            np.asarray(sliders),
            [said for _, said in sorted(dated, key=lambda pair: pair[0])],
            rng=np.random.default_rng(selecting.SEED),
            floors=objectives.floors(build.objectives),
            fade=settings.fade,
        ).mean

    def _reasons(self, build: StoredBuild) -> dict[str, str]:
        """Why a model cannot answer now, by id; "" where it can."""
        cards = self._owned.cards()
        return {model: _unfit(cards.get(model), digest) for model, digest in build.models.items()}

    def _verified(self, build: StoredBuild, cards: Mapping[str, ModelCard]) -> Iterator[Notice]:
        """What is wrong with the files behind the candidates; reads them whole, but for those that
        are known to be gone or others."""
        for model, digest in build.models.items():
            if _alteration(cards.get(model), digest):
                continue
            try:
                self._catalogue.verify(model)
            except AttuneError as error:
                yield Notice(code=error.code, text=error.message)

    def _outgrown(self, build: StoredBuild) -> Iterator[Notice]:
        """What the owner turned out to like since, and nothing was scored on."""
        known = {objective.id for objective in build.objectives}
        new = [id for id in objectives.liked(self._owned.learned()) if id not in known]
        if new:
            names = listed([objectives.name_of(id) for id in new])
            text = f"Your votes now ask for {names}, which was not measured. Build again."
            yield Notice(code="objectives_changed", text=text)

    def _needed(self) -> StoredBuild:
        build = self._measured.last_build()
        if build is None:
            raise InputError("There is no portfolio yet. Build one first.")
        return build


def _places(build: StoredBuild) -> list[int]:
    """Places of the members among the candidates."""
    ids = [candidate.id for candidate in build.candidates]
    return [ids.index(member) for member in build.members]


def _members(build: StoredBuild) -> list[Candidate]:
    return [build.candidates[place] for place in _places(build)]


def _rewards(build: StoredBuild, ids: Sequence[str]) -> F64:
    """Mean rewards of these candidates, (len(ids), d)."""
    known = [candidate.id for candidate in build.candidates]
    return np.asarray([build.rewards[known.index(id)] for id in ids])


def _unfit(card: ModelCard | None, digest: str) -> str:
    """Why a model cannot answer now; "" where it can."""
    if reason := _alteration(card, digest):
        return reason
    assert card is not None
    try:
        need = _needed_memory(card.path, os.stat(card.path).st_mtime_ns)
        need += os.stat(card.adapter).st_size if card.adapter else 0
    except AttuneError as error:
        return error.message
    except OSError as error:
        return f"The file of {card.name} cannot be read ({error.strerror})."
    have = memory.installed()
    if have is not None and need > have:
        return (
            f"{card.name} needs {need / 1e9:.1f} GB of memory; this computer has {have / 1e9:.1f}."
        )
    return ""


def _alteration(card: ModelCard | None, digest: str) -> str:
    """Why a model is not the one that was measured, as far as the list of models tells."""
    if card is None:
        return "Its model was removed. Add it again."
    if not card.available:
        what, _ = lost(card)
        return f"{what} of {card.name} is no longer there. Put it back."
    if card.digest != digest:
        return f"{card.name} is not the file that was measured. Build again."
    return ""


@lru_cache(maxsize=64)
def _needed_memory(path: str, _modified: int) -> int:
    """Bytes. Kept, since a header with its vocabulary takes 0.1 to 0.3 s to read, and who answers
    is asked with every question. Raises ModelError."""
    return memory.needed(facts(read_header(Path(path))), context=calibration.CONTEXT)


def _altered(build: StoredBuild, cards: Mapping[str, ModelCard]) -> tuple[Notice, ...]:
    """Models that are not what they were when they were measured, a sentence each."""
    found = []
    for model, digest in build.models.items():
        if reason := _alteration(cards.get(model), digest):
            found.append(Notice(code="model_altered", text=f"{model}: {reason}"))
    if build.scorers != selecting.version():
        text = "Answers are scored in another way since this was built. Build again; it is quick."
        found.append(Notice(code="scorers_changed", text=text))
    return tuple(found)


def _figures(rewards: npt.ArrayLike, proof: Certificate) -> F64:
    """What is claimed, in numbers."""
    gaps = proof.epsilon.value, proof.delta.value, proof.low, proof.high, proof.mean, proof.p95
    return np.append(np.ravel(rewards), gaps)


def _mute(standing: Standing, change: int) -> frozenset[str]:
    """Traits that what was said with this change tells nothing about: they were forgotten since,
    or removed."""
    forgotten = {trait for trait, later in standing.forgotten.items() if change <= later}
    return standing.removed | forgotten


def _voted(ballot: Ballot, build: StoredBuild, mute: frozenset[str]) -> routing.Comparison:
    """A vote, by how far apart the two answers score, in units of normalised reward. These are not
    cut off at the pool's range: answers in a chat are longer than those that were measured."""
    first, second = (
        objectives.of_scores(
            build.objectives, {t: s for t, s in answer.scores.items() if t not in mute}
        )
        for answer in ballot.duel.answers
    )
    low, high = np.asarray(build.normalisation).T
    width = np.where(high > low, high - low, np.inf)
    difference = np.clip((first - second) / width, -1.0, 1.0)
    return routing.Comparison(difference=difference, outcome=ballot.outcome)


def _taking(
    gain: Mapping[str, float], build: StoredBuild, mute: frozenset[str]
) -> routing.Comparison:
    """A member taken in the place of another; what was not scored then is not known."""
    known = {id: value for id, value in gain.items() if objectives.trait_id(id) not in mute}
    difference = np.asarray([known.get(o.id, np.nan) for o in build.objectives])
    return routing.Comparison(difference=difference, outcome="first")


_TAKEN = "you took it"


def _reason(build: StoredBuild, own: F64, R: F64, weights: F64) -> str:
    """Why this member: what the owner likes more than usual, and it is no worse at than the members
    are on average; own (d,) and R (k, d) are mean rewards."""
    wanted = build.objectives
    usual = centre(objectives.floors(wanted), objectives=len(wanted))
    liked = (weights > NOTABLE * usual) & (own >= R.mean(axis=0) - SAME)
    names = [wanted[i].name for i in np.argsort(usual - weights, kind="stable") if liked[i]]
    return f"you like {listed(names[:2])}" if names else "it does best on the whole"
