"""Merging models of one base into one file, in a process of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import InputError, InvalidParameter, Stopped
from engine.jobs import protocol
from engine.jobs.client import JobClient
from engine.jobs.protocol import LEARNED
from engine.models.cards import MergeCard, read_card
from engine.models.catalogue import Catalogue
from engine.paths import made
from engine.portfolio.questions import QUESTIONS
from engine.session.course import Course
from engine.session.job import Job
from engine.session.questions import HELD_OUT
from engine.types.models import Launch, ModelCard
from engine.types.work import Notice, Progress
from engine.types.workshop import MERGE_METHODS, MERGE_STORAGES, MergeMethod, MergeStorage

PROMPTS = 12
"""Calibration questions that masks are trained on: each costs every epoch its share."""

COMPARED_ON = 8
"""Questions that methods are compared on; masks never see them."""

CONTEXT = 2048
"""Tokens of cache of the child that reads the prompts."""

EPOCHS, MOST_EPOCHS = 20, 1000
"""Of a mask at most: as a rule, and as asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A merge as the owner asks for it.

    base     id or path of a model
    members  paths of fine-tuned models and adapters of it, or ids
    out      of the new file
    method   "calm" writes the learned merge, "best" what keeps the members best
    storage  of the changed matrices
    epochs   of each mask at most, in 1..1000
    seed     of the questions that masks are trained on, and of random masks
    """

    base: str
    members: Sequence[str]
    out: Path
    method: MergeMethod = "calm"
    storage: MergeStorage = "Q8_0"
    epochs: int = EPOCHS
    seed: int = 0


class Merger:
    """One merge at a time; `merge` may be iterated in a thread of its own, `stop` is for any."""

    def __init__(
        self,
        catalogue: Catalogue,
        folder: Path,
        *,
        spawn: Callable[[], JobClient],
        launch: Callable[[], Launch],
        clock: Callable[[], float],
    ) -> None:
        """
        folder  where what a stopped merge needs to go on is kept
        spawn   starts a job child
        launch  how models run on this machine
        clock   counts seconds
        """
        self._catalogue, self._folder = catalogue, folder
        self._launch, self._clock = launch, clock
        self._job = Job("merge", spawn=spawn)

    def merge(
        self, wanted: Wanted, *, first: Iterable[Notice] = ()
    ) -> Iterator[Notice | Progress | MergeCard]:
        """Check, learn, write; ends with the card of the new file, which stands beside it.

        first  what has to be found out before, as it comes; a stop is heard meanwhile

        Where it is stopped or killed, the same merge goes on where it was.

        Raises Stopped, InputError (also where a merge is under way already), ModelError,
        StorageError, EngineError where the job died.
        """
        with self._job.begun():
            yield from first
            work = self._work(wanted)
            yield from self._run(work)
            yield read_card(Path(work.out))

    def stop(self) -> None:
        """End the merge that is running. Any thread."""
        self._job.stop()

    # ----------------------------------------------------------------------------------------

    def _run(self, work: protocol.Merge) -> Iterator[Notice | Progress]:
        course = Course(efforts(work), clock=self._clock)
        with closing(self._job.run(work)) as items:
            for item in items:
                match item:
                    case protocol.StageItem():
                        yield course.told(item.part, item.progress)
                    case protocol.NoticeItem():
                        yield item.notice
                    case protocol.Cancelled():
                        raise Stopped(
                            "The merge was stopped. Begun again, the same one goes on where it was."
                        )
                    case _:
                        pass

    def _work(self, wanted: Wanted) -> protocol.Merge:
        _check(wanted)
        return protocol.Merge(
            base=str(base_file(self._catalogue.get(wanted.base))),
            members=tuple(self._path(member) for member in wanted.members),
            out=str(wanted.out.expanduser().absolute()),
            folder=str(made(self._folder)),
            method=wanted.method,
            storage=wanted.storage,
            epochs=wanted.epochs,
            seed=wanted.seed,
            launch=replace(self._launch(), context=CONTEXT),
            prompts=prompts(PROMPTS, seed=wanted.seed),
            held_out=held_out(COMPARED_ON),
        )

    def _path(self, member: str) -> str:
        path = Path(member).expanduser()
        # An adapter is no model that the catalogue would know.
        return str(path.absolute() if path.exists() else file_of(self._catalogue.get(member)))


def efforts(work: protocol.Merge) -> Mapping[str, float]:
    """The parts of a merge, in their order, and about how many seconds each takes with members of
    the starter model on two cores (measured). How many masks there are shows later; one is usual.
    """
    members = len(work.members)
    if work.method not in LEARNED:
        return {"checking": 1.0 * members, "writing": 5.0}
    return {
        "checking": 1.0 * members,
        "replies": 10.0 * members,
        "alone": 4.0 * (members + 1),
        "masks": 4.5 * members * work.epochs,
        "mixes": 25.0,
        "writing": 5.0,
    }


def base_file(card: ModelCard) -> Path:
    """Of a model to start from. Raises InputError for one with an adapter."""
    if card.adapter:
        raise InputError(
            f"{card.name} is a model with an adapter; name the model alone as the base, and the "
            "adapter as a member."
        )
    return Path(card.path)


def file_of(card: ModelCard) -> Path:
    """What a model is as a member: of one with an adapter that is the adapter."""
    return Path(card.adapter or card.path)


def _check(wanted: Wanted) -> None:
    if wanted.method not in MERGE_METHODS:
        raise InvalidParameter.outside("method", wanted.method, " or ".join(MERGE_METHODS))
    if wanted.storage not in MERGE_STORAGES:
        raise InvalidParameter(
            f"type is {wanted.storage!r}, but must be {' or '.join(MERGE_STORAGES)}: rounded to "
            "fewer bits, most weights would fall back to those of the base."
        )
    if not 1 <= wanted.epochs <= MOST_EPOCHS:
        raise InvalidParameter.outside("epochs", wanted.epochs, f"from 1 to {MOST_EPOCHS}")
    if not 0 <= wanted.seed < 2**63:
        raise InvalidParameter.outside("seed", wanted.seed, "from 0 to 2^63 - 1")


def prompts(count: int, *, seed: int) -> tuple[protocol.Prompted, ...]:
    """Some calibration questions, none about safety, with their kinds."""
    asked = [question for question in QUESTIONS if question.kind != "safety"]
    drawn = random.Random(seed).sample(asked, count)
    return tuple(protocol.Prompted(tag=question.kind, text=question.text) for question in drawn)


def held_out(count: int) -> tuple[protocol.Prompted, ...]:
    """Questions of our own that no calibration question repeats."""
    return tuple(protocol.Prompted(tag="held-out", text=text) for text in HELD_OUT[:count])
