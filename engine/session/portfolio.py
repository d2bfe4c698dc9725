"""The owner's portfolio: what was chosen, whether it still holds, and which member answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from engine.errors import AttuneError, InputError, InvalidParameter
from engine.models import memory
from engine.models.catalogue import Catalogue
from engine.models.gguf import facts
from engine.models.header import read_header
from engine.numerics import F64
from engine.portfolio import routing
from engine.portfolio.weights import Flags
from engine.portfolio.words import listed
from engine.session import calibration, objectives, selecting
from engine.session.pool import Owned
from engine.store.calibration import CalibrationRecord, StoredBuild
from engine.store.record import Ballot, Record
from engine.types import (
    Candidate,
    LeftOut,
    Member,
    ModelCard,
    Notice,
    Portfolio,
    Route,
)

SWITCH = 0.02
"""Expected reward that another model has to gain before it is loaded in the place of this one."""

SAME = 1e-6
"""Difference of two certificates that is rounding."""


class Portfolios:
    """What was built last, and what it means today."""

    def __init__(
        self, measured: CalibrationRecord, record: Record, catalogue: Catalogue, owned: Owned
    ) -> None:
        self._measured, self._record = measured, record
        self._catalogue, self._owned = catalogue, owned
        self._answering = ""

    def current(self) -> Portfolio | None:
        """The last build, and how things stand with it now; None before the first."""
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
            notices=_altered(build, self._owned.cards()),
        )

    def check(self) -> tuple[Notice, ...]:
        """Read the models' files again, and compute the certificate again from the answers; says
        what is not as it was. Raises InputError where nothing was built."""
        build = self._needed()
        found = [*_altered(build, self._owned.cards()), *self._verified(build)]
        sheet = calibration.sheet(build.questions)
        known = self._measured.known({c.id: build.models[c.model] for c in build.candidates})
        if any(calibration.missing(c, sheet.all, known) for c in build.candidates):
            text = "Some answers that the certificate rests on are gone. Build again."
            return (*found, Notice(code="answers_missing", text=text))
        again = selecting.certified(build, sheet, known, _places(build))
        if abs(again.epsilon.value - build.certificate.epsilon.value) > SAME:
            text = "The kept answers no longer give the certificate that was kept. Build again."
            found.append(Notice(code="certificate_changed", text=text))
        return tuple(found)

    # Who answers ----------------------------------------------------------------------------

    def route(self) -> Route | None:
        """Who answers next; None where nothing is built, or no member can be had."""
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
        pick = taken if taken is not None else self._best(build, weights, R, allowed)
        self._answering = members[pick].id
        order = [int(i) for i in np.argsort(-(R @ weights)) if i != pick and allowed[i]]
        return Route(
            member=members[pick],
            why=_why(build, members[pick], weights, taken=taken is not None),
            others=tuple(members[i] for i in order),
            refused=tuple(
                LeftOut(candidate=m, reason=reasons[m.model]) for m in members if reasons[m.model]
            ),
        )

    def override(self, id: str) -> Route:
        """Another member answers, until a vote says more; that it was taken is evidence.

        Raises InvalidParameter for what is no member, InputError where it cannot be had now.
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

    def _best(self, build: StoredBuild, weights: F64, R: F64, allowed: Flags) -> int:
        current = self._answering if self._answering in build.members else None
        return routing.route(
            weights,
            R,
            allowed=allowed,
            current=build.members.index(current) if current else None,
            swap_cost=SWITCH,
        )

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
        dated = [(b.change, _voted(b, build)) for b in standing.ballots]
        dated += [(change, _taking(o.gain, build)) for change, o in standing.overrides]
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

    def _verified(self, build: StoredBuild) -> Iterator[Notice]:
        """What is wrong with the files behind the candidates; reads them whole."""
        for model in build.models:
            try:
                self._catalogue.verify(model)
            except AttuneError as error:
                yield Notice(code=error.code, text=error.message)

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
    if card is None:
        return "Its model was removed. Add it again."
    if not card.available:
        return f"The file of {card.name} is no longer there. Put it back."
    if card.sha256 != digest:
        return f"{card.name} is not the file that was measured. Build again."
    try:
        need = memory.needed(facts(read_header(Path(card.path))), context=calibration.CONTEXT)
    except AttuneError as error:
        return error.message
    have = memory.installed()
    if have is not None and need > have:
        return (
            f"{card.name} needs {need / 1e9:.1f} GB of memory; this computer has {have / 1e9:.1f}."
        )
    return ""


def _altered(build: StoredBuild, cards: Mapping[str, ModelCard]) -> tuple[Notice, ...]:
    """Models that are not what they were when they were measured, a sentence each."""
    found = []
    for model, digest in build.models.items():
        card = cards.get(model)
        if card is None or not card.available or card.sha256 != digest:
            text = f"{model}: {_unfit(card, digest)}"
            found.append(Notice(code="model_altered", text=text))
    if build.scorers != selecting.version():
        text = "Answers are scored in another way since this was built. Build again; it is quick."
        found.append(Notice(code="scorers_changed", text=text))
    return tuple(found)


def _voted(ballot: Ballot, build: StoredBuild) -> routing.Comparison:
    """A vote, by the rewards of the two answers that it was about."""
    first, second = (
        objectives.of_scores(build.objectives, answer.scores) for answer in ballot.duel.answers
    )
    low, high = np.asarray(build.normalisation).T
    width = np.where(high > low, high - low, np.inf)
    difference = np.clip((first - second) / width, -1.0, 1.0)
    return routing.Comparison(difference=difference, outcome=ballot.outcome)


def _taking(gain: Mapping[str, float], build: StoredBuild) -> routing.Comparison:
    """A member taken in the place of another; what was not scored then is not known."""
    difference = np.asarray([gain.get(o.id, np.nan) for o in build.objectives])
    return routing.Comparison(difference=difference, outcome="first")


def _why(build: StoredBuild, member: Candidate, weights: F64, *, taken: bool) -> str:
    """Who answers and why, in a sentence."""
    if taken:
        return f"{member.name}, because you took it."
    floors = objectives.floors(build.objectives)
    even = floors + (1.0 - floors.sum()) / len(floors)
    liked = [
        objective.name
        for objective, weight, usual in zip(build.objectives, weights, even, strict=True)
        if weight > 1.15 * usual
    ]
    if not liked:
        return f"{member.name}, because it does a bit of everything."
    return f"{member.name}, because you like {listed(liked[:2])}."
