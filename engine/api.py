"""The one door to the engine: the window and the command line come in here and nowhere else.

Calls that take time are generators of events or say "blocks"; call them from a worker thread,
one at a time. `stop` alone may be called from any thread at any moment.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import endings
from engine.config import CONTEXTS, Colours, SendKey, Settings
from engine.endings import FAULTS, Ending, RunNote
from engine.errors import (
    AttuneError,
    DamagedModel,
    EngineError,
    InputError,
    ModelError,
    ModelNotFound,
    ProfileError,
    Stopped,
    StorageError,
)
from engine.inference import ladder
from engine.inference.client import Client
from engine.inference.variants import check as check_question
from engine.logs import Fact, mistakes_logged
from engine.models.catalogue import STARTER_ID, Catalogue
from engine.paths import data_folder, log_folder
from engine.portfolio.words import certified, worst_served
from engine.preference.learner import percent
from engine.session import report, selftest
from engine.session.asking import Asking
from engine.session.chats import Chats
from engine.session.erasing import receipt_text
from engine.session.running import Running
from engine.session.wishes import Wishes
from engine.steering.strength import bounded_gamma
from engine.store.calibration import CalibrationRecord
from engine.store.record import Record
from engine.types.answers import (
    Answer,
    AnswerEvent,
    Chunk,
    Message,
    Question,
    Ready,
    Seconds,
    Started,
    StartEvent,
)
from engine.types.chats import Chat, ChatMessage, Found, Imported, OpenChat
from engine.types.data import (
    Backup,
    DataExport,
    DataFile,
    DataKind,
    DataOverview,
    DataPart,
    Erasable,
    Erased,
    Receipt,
)
from engine.types.learning import (
    Duel,
    DuelEvent,
    Learned,
    LearnedTrait,
    LearnerName,
    Moved,
    Outcome,
    PastVote,
    Simulated,
    Trait,
    Voted,
)
from engine.types.library import (
    Connection,
    FoundModel,
    GetEvent,
    InstalledModel,
    MemoryFit,
    RecommendedModel,
    VerifyEvent,
)
from engine.types.models import Diagnosis, Launch, ModelCard, Trial
from engine.types.portfolio import (
    MAX_MEMBERS,
    QUESTIONS,
    BuildEvent,
    Candidate,
    Certificate,
    Gap,
    LeftOut,
    Member,
    Objective,
    Pool,
    Portfolio,
    Route,
)
from engine.types.profiles import Exported, ProfileDiff, SettingChange
from engine.types.scope import EVERYWHERE, SCOPES, Reach, Scope
from engine.types.steering import (
    GREEDY,
    MAX_GAMMA,
    MAX_PREFERENCES,
    METHODS,
    NEUTRAL,
    Method,
    Preference,
    Sampling,
    Steering,
)
from engine.types.work import Notice, Progress
from engine.types.workshop import MERGE_METHODS, Fit, Made, MergeMethod, Shares, TrainedAdapter
from engine.version import __version__

if TYPE_CHECKING:
    from engine.jobs.client import JobClient
    from engine.session.data import Data
    from engine.session.learning import Learning
    from engine.session.library import Library
    from engine.session.portfolio import Portfolios
    from engine.session.profiles import Profiles
    from engine.session.workshop import Workshop

log = logging.getLogger("engine.api")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWindow:
    """What the command line hands to the window: where to keep things, what to open, and the code
    of its language for this run, None for the one that was chosen; and whether to play it safe."""

    data_dir: Path | None = None
    model: str | None = None
    files: tuple[str, ...] = ()
    language: str | None = None
    safe: bool = False


class Engine:
    """One owner's data folder and one inference child."""

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        host: Sequence[str] | None = None,
        job_host: Sequence[str] | None = None,
        downloader: Sequence[str] | None = None,
        seeds: Callable[[], int] = lambda: random.SystemRandom().getrandbits(32),
        clock: Callable[[], float] = time.time,
        safe: bool = False,
    ) -> None:
        """Reads the settings; starts nothing.

        data_dir  where everything of the owner's lives; None is the platform's place
        host      command line of the inference child, for tests; None is Attune's own
        job_host  the same of the child that does long work
        downloader  the same of the download program
        seeds     where the seed of an answer comes from when the question has none
        clock     seconds since the epoch, for the record
        safe      as after `play_safe`

        Raises StorageError where the data folder cannot be used.
        """
        # Before numpy comes, whoever needs it first: its matrices here are small, and threads of
        # their own would only fight the model's for the cores.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        self._folder = data_folder(data_dir)
        self.log_dir = log_folder(data_dir)
        self._host, self._job_host, self._seeds = host, job_host, seeds
        self._downloader = downloader
        self._wishes = Wishes(self._folder.settings)
        self._catalogue = Catalogue(self._folder.models)
        self._running = Running(self._catalogue, self._wishes, spawn=self._spawn)
        self._record = Record(self._folder.record, clock=clock)
        self._measured = CalibrationRecord(self._folder.calibration, clock=clock)
        self._clock = clock
        self._asking = self._new_asking()
        if safe:
            self.play_safe()
        self._finish_import()

    @property
    def data_dir(self) -> Path:
        """The folder that everything of the owner's lives in."""
        return self._folder.root

    @property
    def settings(self) -> Settings:
        """What is remembered; replaced as a whole by `change`."""
        return self._wishes.values

    def change(self, **changes: Any) -> Settings:
        """Change settings by name and save them; what another Attune saved meanwhile stays, and
        what was found out and could not be saved before is saved, too.

        Raises StorageError if they cannot be saved; nothing is changed then.
        """
        return self._wishes.change(**changes)

    @property
    def safe(self) -> bool:
        """Whether this run plays it safe."""
        return self._wishes.safe

    def play_safe(self) -> None:
        """From the next `start` on, until this run is over: the starter model on the processor, no
        steering, the usual settings. What is remembered stays as it is."""
        known = self._running.known() is not None
        self._wishes.play_safe(variants=self.settings.variants if known else ())

    def watch(self, note: RunNote) -> None:
        """Write down in this note, from now on, what is done that may end badly."""
        self._running.note = note

    # Answering ------------------------------------------------------------------------------

    def start(
        self, model: str | None = None, *, adapters: Sequence[tuple[Path, float]] = ()
    ) -> Iterator[StartEvent]:
        """Start the child, test it on the first start, load a model; ends with `Ready`. Blocks.

        model     id or path for this run only; None is that of the member that answers next, else
                  the chosen one, and where that cannot be used the starter model with a notice why
        adapters  files of adapters made for this model that act on it in this run, besides the
                  one that it may have, and how strongly, from -10 to 10; 1 is as it was trained

        Raises what loading raises; of an adapter InvalidParameter, UnsupportedModel, DamagedModel.
        """
        yield from self._wishes.early
        self._wishes.early = ()
        wanted = model or self._member_model() or self.settings.model or STARTER_ID
        try:
            card = self._catalogue.get(wanted)
            yield from self._catalogue.notices
            yield from self._running.load(card, adapters)
        except Stopped:
            raise
        except (ModelError, EngineError) as error:
            if model or adapters or wanted == STARTER_ID:
                raise
            code = "model_lost" if isinstance(error, ModelNotFound) else "starter_instead"
            yield Notice(code=code, text=f"{error.message} The starter model answers.")
            yield from self._running.load(self._catalogue.get(STARTER_ID))

    def answer(self, question: Question, *, reach: Reach = EVERYWHERE) -> Iterator[AnswerEvent]:
        """Stream one answer; the last Answer event carries the whole text. Blocks.

        reach  where it is asked, and whose votes act there

        If the child dies meanwhile, a Notice names the cause, an Answer with finish "interrupted"
        keeps the text so far, and Ready follows once the child is back.

        Raises InputError where the question cannot be answered as it stands.
        """
        for event in self._asking.answer(question, reach=reach):
            if isinstance(event, Answer):
                self.library.measure(event, pid=self._running.supervisor.pid)
            yield event

    def stop(self) -> None:
        """End the running answer within one token, or a load in progress. Any thread."""
        self._running.supervisor.stop()

    # Learning -------------------------------------------------------------------------------

    def wants_duel(self, *, reach: Reach = EVERYWHERE) -> str:
        """Why two answers to the next question would be worth it; "" where one is better.

        They are where a vote would tell enough and the owner's limit allows it. Blocks.
        """
        return self._asking.wants_duel(reach)

    def duel(self, question: Question, *, reach: Reach = EVERYWHERE) -> Iterator[DuelEvent]:
        """Stream two answers side by side, then a Duel to vote on. Blocks.

        Chunks say which of the two they belong to; sides are random. A pair that came out nearly
        alike, or that was cut short, is not to be voted on; the answers are there all the same.

        Raises InputError, StorageError.
        """
        return self._asking.duel(question, reach=reach)

    def simulate(
        self, owner: str, *, votes: int, seed: int, questions: int = 6
    ) -> Iterator[Answer | tuple[Simulated, ...]]:
        """Let a simulated owner vote, and measure; yields every answer and at last the curve.

        The owner's own record is neither read nor written. Blocks while it is iterated, once a
        model is there.

        owner      name of a simulated owner
        votes      in 1..200
        seed       of the simulation
        questions  that measure, in 1..16

        Raises InvalidParameter.
        """
        from engine.session.simulation import play, standard

        plan = standard(
            owner,
            votes=votes,
            seed=seed,
            questions=questions,
            learner=self.settings.learner,
            width=lambda: self._running.supervisor.width,
        )
        return play(plan, ask=partial(self._running.supervisor.answer, seed=0))

    # Parts of their own ---------------------------------------------------------------------

    @cached_property
    def learning(self) -> Learning:
        """What the votes taught: told, voted on, changed, and undone."""
        from engine.session.learning import Answering, Learning, Manner

        def manner() -> Manner:
            s = self.settings
            return Manner(learner=s.learner, fade=s.fade, neutral=s.neutral)

        def model() -> Answering:
            return Answering(
                id=self._running.supervisor.model, width=self._running.supervisor.width
            )

        return Learning(
            self._record,
            manner=manner,
            model=model,
            take_back=lambda: self.profiles.undo(self._record.undo),
            copies=lambda: self.chats.backups.whole_copies_of(self._folder.record),
        )

    @cached_property
    def portfolio(self) -> Portfolios:
        """A few settings of the models that serve every taste: built, told, and chosen from."""
        from engine.session.building import Builder
        from engine.session.pool import Candidates, Owned
        from engine.session.portfolio import Portfolios

        owned = Owned(
            models=self._catalogue.list,
            settings=lambda: self.settings,
            learned=lambda: self.learning.learned(),
        )
        candidates = Candidates(self._measured, owned)
        builder = Builder(
            self._measured,
            candidates,
            owned,
            folder=self._folder.root,
            spawn=self._spawn_job,
            launch=self._running.wished,
            clock=self._clock,
        )
        return Portfolios(
            self._measured,
            self._record,
            self._catalogue,
            owned,
            candidates=candidates,
            builder=builder,
        )

    @cached_property
    def workshop(self) -> Workshop:
        """Where adapters are trained and models are merged."""
        from engine.session.merging import Merger
        from engine.session.training import Trainer
        from engine.session.workshop import Workshop

        launch = self._running.wished
        root, spawn = self._folder.root, self._spawn_job
        trainer = Trainer(
            self._catalogue,
            self._measured,
            root / "workshop",
            spawn=spawn,
            launch=launch,
            sampling=lambda: self.settings.sampling,
            clock=time.monotonic,
        )
        merger = Merger(
            self._catalogue, root / "merging", spawn=spawn, launch=launch, clock=time.monotonic
        )
        return Workshop(
            self._catalogue,
            root / "made",
            trainer=trainer,
            merger=merger,
            learned=lambda: self.learning.learned(),
            chosen=lambda: self.settings.model or STARTER_ID,
            launched=self._running.launch,
        )

    @cached_property
    def data(self) -> Data:
        """Everything that is kept, as a whole: shown, taken out, erased."""
        from engine.session.data import Data

        return Data(
            self._folder,
            logs=self.log_dir,
            chats=lambda: self.chats,
            profiles=lambda: self.profiles,
            learned=lambda: self.learning.learned(),
            models=self._catalogue.list,
            spawn=self._spawn,
            at_rest=self._at_rest,
            clock=self._clock,
        )

    @cached_property
    def library(self) -> Library:
        """The models of this machine, and those that can be had."""
        from engine.models.provenance import Provenance
        from engine.session.downloading import Downloader
        from engine.session.fitting import Fitting
        from engine.session.library import Library

        provenance = Provenance(self._folder.provenance)
        fitting = Fitting(
            provenance, context=lambda: self._running.wished().context, machine=selftest.machine_key
        )
        return Library(
            self._catalogue,
            self._folder,
            downloader=Downloader(self._downloader),
            fitting=fitting,
            provenance=provenance,
            chosen=lambda: self.settings.model or STARTER_ID,
            in_use=self._in_use,
            forgotten=self._forgotten,
            is_offline=lambda: self.settings.offline,
            clock=self._clock,
        )

    # Models ---------------------------------------------------------------------------------

    def models(self) -> tuple[ModelCard, ...]:
        """The models that can be chosen, the starter model first."""
        return self._catalogue.list()

    def find_model(self, model: str) -> ModelCard:
        """The card of an id. Raises ModelNotFound, with a hint where a name is nearly right."""
        return self._catalogue.get(model)

    def add_model(self, path: Path, *, base: str = "") -> ModelCard:
        """Check a GGUF file and remember where it is; the file is not copied. Blocks.

        base  of an adapter, the id of the model that it acts on; "" is found out

        Raises InputError where that cannot be found out, ModelError, StorageError.
        """
        if base:
            return self._catalogue.add(path, base=base)
        *_, card = self.library.link(path)
        assert isinstance(card, ModelCard)
        return card

    def verify_model(self, model: str) -> ModelCard:
        """Compare a file with the hash recorded for it. Blocks. Raises ModelChanged."""
        *_, found = self.library.verify(model)
        assert isinstance(found, InstalledModel)
        return found.card

    def remove_model(self, model: str) -> ModelCard:
        """Forget a model; the file stays where it is."""
        # Not `get`, which wants the file to be there.
        known = {card.id: card for card in self._catalogue.list()}
        self._catalogue.remove(model)
        card = known[model]
        if self.settings.model == card.id:
            self.change(model="")
        return card

    # This machine ---------------------------------------------------------------------------

    def diagnose(self, *, renew: bool = False) -> Diagnosis:
        """Run the self-test and tell how Attune runs on this machine. Blocks.

        renew  use what the self-test finds from now on, instead of what is remembered, which
               may be safer because of crashes since
        """
        return self._running.diagnose(data_dir=self.data_dir, renew=renew)

    def last_bad_end(self) -> Ending | None:
        """How a window ended last that did not close; None where none is known."""
        return endings.last(self.log_dir, window=self.data.in_use())

    def report(self, *, about: Sequence[tuple[str, str]] = ()) -> str:
        """What a report of a mistake should hold, as text: versions, the system, what runs, the end
        of the log. No texts of the owner's. Blocks for a moment.

        about  more of it: what it is, and its value
        """
        facts = [*about, ("Runs with", ladder.describe(self._running.wished()))]
        return report.text(self.log_dir, ending=self.last_bad_end(), about=facts)

    def close(self) -> None:
        """End the child and a download, and close the record. Safe to call twice."""
        if "library" in self.__dict__:
            self.library.stop()
        self._running.supervisor.close()
        self._record.close()
        self._measured.close()
        if "chats" in self.__dict__:
            self.chats.close()

    # ----------------------------------------------------------------------------------------

    @cached_property
    def chats(self) -> Chats:
        """The chats that are kept; the file is opened when it is first asked for something."""
        rng = random.Random(self._seeds())
        return Chats(self._folder, self._record, clock=self._clock, rng=rng)

    # Numpy comes with these; the window is up before they are needed.

    @cached_property
    def profiles(self) -> Profiles:
        """Profile files, written and taken in."""
        from engine.session.profiles import Profiles

        return Profiles(
            self._record,
            settings=self._wishes.remembered,
            change=self.change,
            note=self._import_note,
            clock=self._clock,
        )

    @property
    def _import_note(self) -> Path:
        return self._folder.root / "import.json"

    @contextmanager
    def _at_rest(self) -> Iterator[None]:
        """No child runs and no file of the data folder is open meanwhile; then all begins anew."""
        for name in ("portfolio", "workshop"):
            if name in self.__dict__:
                self.__dict__[name].stop()
        self.close()
        try:
            yield
        finally:
            self._running.renew()
            self._wishes.read()
            self._asking = self._new_asking()
            if self.safe:
                self.play_safe()

    def _new_asking(self) -> Asking:
        return Asking(
            self._running,
            settings=lambda: self.settings,
            learning=lambda: self.learning,
            portfolio=lambda: self.portfolio,
            seeds=self._seeds,
            clock=self._clock,
        )

    def _member_model(self) -> str:
        member = self._asking.member()
        return member.model if member else ""

    def _in_use(self) -> str:
        """Id of the model that is loaded, here or, as far as can be told, in a window."""
        if self._running.supervisor.pid is not None:
            return self._running.supervisor.model
        return (self.settings.model or STARTER_ID) if self.data.in_use() else ""

    def _forgotten(self, model: str) -> None:
        if self.settings.model == model:
            self.change(model="")

    def _finish_import(self) -> None:
        """Where an import of a profile was interrupted, bring the settings to what it came to."""
        if self._import_note.exists():
            try:
                self.profiles.settle()
            except StorageError as error:
                log.warning("the import of a profile was not finished: %s", error)

    def _spawn(self) -> Client:
        return Client(self._host)

    def _spawn_job(self) -> JobClient:
        from engine.jobs.client import JobClient

        return JobClient(self._job_host)


__all__ = [
    "CONTEXTS",
    "EVERYWHERE",
    "FAULTS",
    "GREEDY",
    "MAX_GAMMA",
    "MAX_MEMBERS",
    "MAX_PREFERENCES",
    "MERGE_METHODS",
    "METHODS",
    "NEUTRAL",
    "QUESTIONS",
    "SCOPES",
    "Answer",
    "AnswerEvent",
    "AttuneError",
    "Backup",
    "BuildEvent",
    "Candidate",
    "Certificate",
    "Chat",
    "ChatMessage",
    "Chats",
    "Chunk",
    "Colours",
    "Connection",
    "DamagedModel",
    "DataExport",
    "DataFile",
    "DataKind",
    "DataOverview",
    "DataPart",
    "Diagnosis",
    "Duel",
    "DuelEvent",
    "Ending",
    "Engine",
    "EngineError",
    "Erasable",
    "Erased",
    "Exported",
    "Fact",
    "Fit",
    "Found",
    "FoundModel",
    "Gap",
    "GetEvent",
    "Imported",
    "InputError",
    "InstalledModel",
    "Launch",
    "Learned",
    "LearnedTrait",
    "LearnerName",
    "LeftOut",
    "Made",
    "Member",
    "MemoryFit",
    "MergeMethod",
    "Message",
    "Method",
    "ModelCard",
    "ModelError",
    "ModelNotFound",
    "Moved",
    "Notice",
    "Objective",
    "OpenChat",
    "OpenWindow",
    "Outcome",
    "PastVote",
    "Pool",
    "Portfolio",
    "Preference",
    "ProfileDiff",
    "ProfileError",
    "Progress",
    "Question",
    "Reach",
    "Ready",
    "Receipt",
    "RecommendedModel",
    "Route",
    "RunNote",
    "Sampling",
    "Scope",
    "Seconds",
    "SendKey",
    "SettingChange",
    "Settings",
    "Shares",
    "Simulated",
    "StartEvent",
    "Started",
    "Steering",
    "StorageError",
    "TrainedAdapter",
    "Trait",
    "Trial",
    "VerifyEvent",
    "Voted",
    "__version__",
    "bounded_gamma",
    "certified",
    "check_question",
    "describe_launch",
    "described_end",
    "log_folder",
    "mistakes_logged",
    "percent",
    "receipt_text",
    "worst_served",
]

describe_launch = ladder.describe
described_end = report.described
