"""The one door to the engine: the window and the command line come in here and nowhere else.

Calls that take time are generators of events or say "blocks"; call them from a worker thread,
one at a time. `stop` alone may be called from any thread at any moment.
"""

from __future__ import annotations

import logging
import os
import platform
import random
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import endings
from engine.config import CONTEXTS, Colours, SendKey, Settings, SettingsFile
from engine.endings import FAULTS, Doing, Ending, RunNote
from engine.errors import (
    AttuneError,
    DamagedModel,
    EngineError,
    InputError,
    InvalidParameter,
    ModelError,
    ModelNotFound,
    ProfileError,
    Stopped,
    StorageError,
)
from engine.inference import ladder
from engine.inference.client import Client
from engine.inference.threads import most_threads
from engine.inference.variants import check as check_question
from engine.logs import Fact, mistakes_logged
from engine.models import memory
from engine.models.catalogue import STARTER_ID, Catalogue
from engine.models.gguf import check, facts
from engine.models.header import read_header
from engine.paths import data_folder, log_folder
from engine.portfolio.words import certified, worst_served
from engine.preference.learner import percent
from engine.session import report, selftest
from engine.session.chats import Chats
from engine.session.erasing import receipt_text
from engine.session.supervisor import Chosen, Supervisor
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
    from engine.session.building import Builder
    from engine.session.data import Data
    from engine.session.duels import Duels
    from engine.session.learning import Learning
    from engine.session.library import Library
    from engine.session.pool import Candidates, Owned
    from engine.session.portfolio import Portfolios
    from engine.session.profiles import Profiles
    from engine.session.workshop import Workshop

log = logging.getLogger("engine.api")

MAX_SCALE = 10.0
"""The strongest that an adapter may act."""

CONTEXT = 8192
"""Tokens in the cache unless memory or the owner says otherwise."""

SAFE_CONTEXT = 2048
"""The same in safe mode."""


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
        self._file = SettingsFile(self._folder.settings)
        self._settings, self._early = self._file.read()
        self._unsaved: dict[str, Any] = {}
        self._catalogue = Catalogue(self._folder.models)
        self._note: RunNote | None = None
        self._supervisor = self._new_supervisor()
        self._record = Record(self._folder.record, clock=clock)
        self._measured = CalibrationRecord(self._folder.calibration, clock=clock)
        self._clock = clock
        self._since_duel = self._first_pause()
        self._told_unusable = False
        self.safe = False
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
        return self._settings

    def change(self, **changes: Any) -> Settings:
        """Change settings by name and save them; what another Attune saved meanwhile stays, and
        what was found out and could not be saved before is saved, too.

        Raises StorageError if they cannot be saved; nothing is changed then.
        """
        changes = self._unsaved | changes
        wanted = replace(self._saved(), **changes)
        self._file.write(wanted, chosen=changes.keys())
        acting = replace(self._settings, **changes) if self.safe else wanted
        self._settings, self._unsaved = acting, {}
        return acting

    def play_safe(self) -> None:
        """From the next `start` on, until this run is over: the starter model on the processor, no
        steering, the usual settings. What is remembered stays as it is."""
        was = self._settings
        self.safe = True
        self._settings = Settings(
            neutral=True,
            cpu_only=True,
            variants=was.variants if self._known() else (),
            language=was.language,
            colours=was.colours,
            send_key=was.send_key,
        )

    def watch(self, note: RunNote) -> None:
        """Write down in this note, from now on, what is done that may end badly."""
        self._note = note

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
        yield from self._early
        self._early = ()
        wanted = model or self._member_model() or self._settings.model or STARTER_ID
        try:
            card = self._catalogue.get(wanted)
            yield from self._catalogue.notices
            yield from self._load(card, adapters)
        except Stopped:
            raise
        except (ModelError, EngineError) as error:
            if model or adapters or wanted == STARTER_ID:
                raise
            code = "model_lost" if isinstance(error, ModelNotFound) else "starter_instead"
            yield Notice(code=code, text=f"{error.message} The starter model answers.")
            yield from self._load(self._catalogue.get(STARTER_ID))

    def answer(self, question: Question, *, reach: Reach = EVERYWHERE) -> Iterator[AnswerEvent]:
        """Stream one answer; the last Answer event carries the whole text. Blocks.

        reach  where it is asked, and whose votes act there

        If the child dies meanwhile, a Notice names the cause, an Answer with finish "interrupted"
        keeps the text so far, and Ready follows once the child is back.

        Raises InputError where the question cannot be answered as it stands.
        """
        if question.personal:
            asked = self._as_member(question, reach)
            question = yield from self._personal(asked, reach)
        self._since_duel += 1
        for event in self._supervisor.answer(question, seed=self._seeds()):
            if isinstance(event, Answer):
                self.library.measure(event, pid=self._supervisor.pid)
            yield event

    def stop(self) -> None:
        """End the running answer within one token, or a load in progress. Any thread."""
        self._supervisor.stop()

    # Learning -------------------------------------------------------------------------------

    def wants_duel(self, *, reach: Reach = EVERYWHERE) -> str:
        """Why two answers to the next question would be worth it; "" where one is better.

        They are where a vote would tell enough and the owner's limit allows it. Blocks.
        """
        every = self._settings.duel_every
        if self._settings.neutral or not every or self._since_duel + 1 < every:
            return ""
        try:
            return self._duels.worth(reach)
        except StorageError as error:
            log.warning("whether to show two answers is not known: %s", error)
            return ""

    def duel(self, question: Question, *, reach: Reach = EVERYWHERE) -> Iterator[DuelEvent]:
        """Stream two answers side by side, then a Duel to vote on. Blocks.

        Chunks say which of the two they belong to; sides are random. A pair that came out nearly
        alike, or that was cut short, is not to be voted on; the answers are there all the same.

        Raises InputError, StorageError.
        """
        self._since_duel = 0
        keep = self._settings.keep_texts
        member = self._as_member(question, reach)
        yield from self._duels.hold(
            question, member=member, seed=self._seeds(), keep_texts=keep, reach=reach
        )

    def vote(self, duel: str, outcome: Outcome, *, reach: Reach = EVERYWHERE) -> Voted:
        """Record a vote; it is on the disk when this returns. Blocks.

        reach  where it is given, and how far it counts

        Raises UnknownDuel, AlreadyVoted, StorageError, and InputError where nothing is learned;
        nothing is recorded then.
        """
        return self._learning.vote(duel, outcome, reach=reach)

    def learned(self, *, reach: Reach = EVERYWHERE) -> Learned:
        """What the votes say that count there. Blocks."""
        return self._learning.learned(reach)

    def past_votes(self, trait: str | None = None) -> tuple[PastVote, ...]:
        """The votes that count, the newest first; those behind one trait, where one is named."""
        return self._learning.past_votes(trait)

    def undo(self) -> str:
        """Take the newest change back: a vote, a deletion, a forgotten trait … Returns which.

        Raises NothingToUndo.
        """
        return self.profiles.undo(self._learning.undo)

    def delete_vote(self, duel: str) -> Learned:
        """A vote counts no more; Undo brings it back. Raises UnknownDuel."""
        self._learning.record.withdraw(duel)
        return self.learned()

    def forget_trait(self, trait: str) -> Learned:
        """Earlier votes say nothing about a trait any more. Raises UnknownTrait."""
        self._learning.record.forget(self._learning.find(trait).id)
        return self.learned()

    def add_trait(self, sentence: str) -> Learned:
        """Learn about something in the owner's own words, too. Raises InvalidParameter."""
        self._learning.add_trait(sentence)
        return self.learned()

    def remove_trait(self, trait: str) -> Learned:
        """Ask no more about a trait, and steer by it no more. Raises UnknownTrait."""
        self._learning.record.remove_trait(self._learning.find(trait).id)
        return self.learned()

    def restore_trait(self, trait: str) -> Learned:
        """Ask about a removed trait again; its votes count again.

        Raises UnknownTrait, and InvalidParameter where it is not removed or there is no room.
        """
        self._learning.restore_trait(trait)
        return self.learned()

    def reset_learning(self) -> Learned:
        """No vote counts any more; Undo brings them back."""
        self._learning.record.reset()
        return self.learned()

    def drop_texts(self) -> None:
        """Erase every question and answer that was kept with a vote, in the copies too; the votes
        stay. Raises StorageError; nothing is erased from the record then."""
        backups, path = self.chats.backups, self._folder.record
        backups.drop_unfinished(path)
        self._learning.record.drop_texts(also=backups.copies_of(path))

    def rebuild(self) -> Learned:
        """Derive everything from the record anew."""
        return self._learning.rebuild()

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
            learner=self._settings.learner,
            width=lambda: self._supervisor.width,
        )
        return play(plan, ask=partial(self._supervisor.answer, seed=0))

    # Portfolio ------------------------------------------------------------------------------

    def pool(self) -> Pool:
        """What a build would measure: settings of the installed models. Blocks."""
        return self._candidates.pool()

    def remove_candidate(self, id: str) -> Pool:
        """Leave a setting out of the pool. Raises InvalidParameter."""
        return self._candidates.remove(id)

    def restore_candidate(self, id: str) -> Pool:
        """Take a setting in again that was left out. Raises InvalidParameter."""
        return self._candidates.restore(id)

    def add_candidate(self, model: str, *, preferences: tuple[str, ...], gamma: float) -> Pool:
        """Take in a setting of the owner's own. Raises InvalidParameter."""
        return self._candidates.add(model, preferences=preferences, gamma=gamma)

    def build_portfolio(self) -> Iterator[BuildEvent]:
        """Measure what is missing, choose a few members and certify them; ends with the Portfolio.

        Blocks, for minutes; may be iterated in another thread than the one that asks. Where
        `stop_build` ends it, or something kills it, the next one goes on there.

        Raises InputError where there is nothing to choose from, EngineError, StorageError.
        """
        event = None
        for event in self._builder.build():
            yield event
        stopped = isinstance(event, Notice) and event.code == "build_stopped"
        portfolio = self.portfolio()
        if portfolio is not None and not stopped:
            yield portfolio

    def stop_build(self) -> None:
        """End the build that is running; what it measured is kept. Any thread."""
        self._builder.stop()

    def portfolio(self) -> Portfolio | None:
        """The last build, and how things stand with it now; None before the first. Blocks."""
        return self._portfolios.current()

    def check_portfolio(self) -> tuple[Notice, ...]:
        """Compare the models' files and the certificate with what was built; reads every file.

        Returns what is not as it was, a sentence each. Raises InputError where nothing was built.
        """
        return self._portfolios.check()

    def route(self) -> Route | None:
        """Which member suits the owner best now, and why; None where there is none to be had."""
        return self._portfolios.route()

    def override(self, candidate: str) -> Route:
        """Another member answers, until a vote says more; taking it is evidence.

        Raises InvalidParameter, InputError, StorageError.
        """
        return self._portfolios.override(candidate)

    # Parts of their own ---------------------------------------------------------------------

    @cached_property
    def workshop(self) -> Workshop:
        """Where adapters are trained and models are merged."""
        from engine.session.merging import Merger
        from engine.session.training import Trainer
        from engine.session.workshop import Workshop

        launch = self._wished
        root, spawn = self._folder.root, self._spawn_job
        trainer = Trainer(
            self._catalogue,
            self._measured,
            root / "workshop",
            spawn=spawn,
            launch=launch,
            sampling=lambda: self._settings.sampling,
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
            learned=self.learned,
            chosen=lambda: self._settings.model or STARTER_ID,
            launched=self._launch,
        )

    @cached_property
    def data(self) -> Data:
        """Everything that is kept, as a whole: shown, taken out, erased."""
        from engine.session.data import Data

        return Data(
            self._folder,
            chats=lambda: self.chats,
            profiles=lambda: self.profiles,
            learned=self.learned,
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
            provenance, context=lambda: self._wished().context, machine=selftest.machine_key
        )
        return Library(
            self._catalogue,
            self._folder,
            downloader=Downloader(self._downloader),
            fitting=fitting,
            provenance=provenance,
            chosen=lambda: self._settings.model or STARTER_ID,
            in_use=self._in_use,
            forgotten=self._forgotten,
            is_offline=lambda: self._settings.offline,
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
        if self._settings.model == card.id:
            self.change(model="")
        return card

    # This machine ---------------------------------------------------------------------------

    def diagnose(self, *, renew: bool = False) -> Diagnosis:
        """Run the self-test and tell how Attune runs on this machine. Blocks.

        renew  use what the self-test finds from now on, instead of what is remembered, which
               may be safer because of crashes since
        """
        tested = selftest.run(self._spawn, model=self._trial_model(), context=CONTEXT)
        if renew or self._known() is None:
            self._keep_found(tested)
        launch = self._wished() if self._known() is not None else None
        return Diagnosis(
            version=__version__,
            system=f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
            cpu=selftest.cpu_name(),
            cpu_variant=(launch.variant if launch else None) or "built-in",
            variants=tested.machine.variants,
            devices=tested.machine.devices,
            threads=launch.threads if launch else 0,
            model=self._settings.model or STARTER_ID,
            data_dir=str(self._folder.root),
            sqlite=sqlite3.sqlite_version,
            launch=launch or Launch(),
            self_test=tested.trials,
            remembered=any(trial.works for trial in tested.trials),
            offline=tested.machine.offline,
        )

    def last_bad_end(self) -> Ending | None:
        """How a window ended last that did not close; None where none is known."""
        return endings.last(self.log_dir, window=self.data.in_use())

    def report(self, *, about: Sequence[tuple[str, str]] = ()) -> str:
        """What a report of a mistake should hold, as text: versions, the system, what runs, the end
        of the log. No texts of the owner's. Blocks for a moment.

        about  more of it: what it is, and its value
        """
        facts = [*about, ("Runs with", ladder.describe(self._wished()))]
        return report.text(self.log_dir, ending=self.last_bad_end(), about=facts)

    def close(self) -> None:
        """End the child and a download, and close the record. Safe to call twice."""
        if "library" in self.__dict__:
            self.library.stop()
        self._supervisor.close()
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
            settings=lambda: self._file.read()[0],
            change=self.change,
            note=self._import_note,
            clock=self._clock,
        )

    @cached_property
    def _learning(self) -> Learning:
        from engine.session.learning import Answering, Learning, Manner

        def manner() -> Manner:
            s = self._settings
            return Manner(learner=s.learner, fade=s.fade, neutral=s.neutral)

        def model() -> Answering:
            return Answering(id=self._supervisor.model, width=self._supervisor.width)

        return Learning(self._record, manner=manner, model=model)

    @cached_property
    def _duels(self) -> Duels:
        from engine.session.duels import Duels

        rng = random.Random(self._seeds())
        return Duels(self._supervisor, self._learning, clock=self._clock, rng=rng)

    @cached_property
    def _owned(self) -> Owned:
        from engine.session.pool import Owned

        return Owned(
            models=self._catalogue.list,
            settings=lambda: self._settings,
            learned=lambda: self._learning.learned(),
        )

    @cached_property
    def _candidates(self) -> Candidates:
        from engine.session.pool import Candidates

        return Candidates(self._measured, self._owned)

    @cached_property
    def _builder(self) -> Builder:
        from engine.session.building import Builder

        return Builder(
            self._measured,
            self._candidates,
            self._owned,
            folder=self._folder.root,
            spawn=self._spawn_job,
            launch=self._wished,
            clock=self._clock,
        )

    @cached_property
    def _portfolios(self) -> Portfolios:
        from engine.session.portfolio import Portfolios

        return Portfolios(self._measured, self._record, self._catalogue, self._owned)

    @property
    def _import_note(self) -> Path:
        return self._folder.root / "import.json"

    @contextmanager
    def _at_rest(self) -> Iterator[None]:
        """No child runs and no file of the data folder is open meanwhile; then all begins anew."""
        for name in ("_builder", "workshop"):
            if name in self.__dict__:
                self.__dict__[name].stop()
        self.close()
        try:
            yield
        finally:
            self._supervisor = self._new_supervisor()
            self.__dict__.pop("_duels", None)  # it would ask the one that has ended
            self._file = SettingsFile(self._folder.settings)  # the old one keeps unknown keys
            self._settings, self._early = self._file.read()
            self._unsaved = {}
            self._since_duel = self._first_pause()
            self._told_unusable = False
            if self.safe:
                self.play_safe()

    def _in_use(self) -> str:
        """Id of the model that is loaded, here or, as far as can be told, in a window."""
        if self._supervisor.pid is not None:
            return self._supervisor.model
        return (self._settings.model or STARTER_ID) if self.data.in_use() else ""

    def _forgotten(self, model: str) -> None:
        if self._settings.model == model:
            self.change(model="")

    def _finish_import(self) -> None:
        """Where an import of a profile was interrupted, bring the settings to what it came to."""
        if self._import_note.exists():
            try:
                self.profiles.settle()
            except StorageError as error:
                log.warning("the import of a profile was not finished: %s", error)

    def _member(self) -> Candidate | None:
        """The member that answers next, where Attune is to choose; None else, also where what was
        built cannot be read: answers do not depend on it."""
        if not self._settings.routing or self._settings.neutral:
            return None
        try:
            route = self._portfolios.route()
        except StorageError as error:
            log.warning("what was built cannot be read: %s", error)
            return None
        return route.member if route else None

    def _member_model(self) -> str:
        member = self._member()
        return member.model if member else ""

    def _as_member(self, question: Question, reach: Reach) -> Question:
        """The question as the member answers it whose model is loaded; the owner's own preferences
        come before a member's. In a chat that does not follow what is learned everywhere, neither
        does the choice of a member."""
        member = self._member() if reach.scope == "everywhere" else None
        stated = question.steering.preferences
        if member is None or member.model != self._supervisor.model or stated:
            return question
        from engine.session.calibration import steering

        return replace(question, steering=steering(member))

    def _personal(self, question: Question, reach: Reach) -> Generator[Notice, None, Question]:
        """The question with what was learned; as it is where the record cannot be read."""
        from engine.session.duels import steered
        from engine.session.objectives import stated, without

        try:
            return steered(question, without(self._learning.serving(reach), stated(question)))
        except StorageError as error:
            if not self._told_unusable:
                self._told_unusable = True
                text = f"{error.message} Until then answers are not steered by your votes."
                yield Notice(code="learning_unavailable", text=text)
            return question

    def _spawn(self) -> Client:
        return Client(self._host)

    def _spawn_job(self) -> JobClient:
        from engine.jobs.client import JobClient

        return JobClient(self._job_host)

    def _known(self) -> Launch | None:
        """What is remembered of this machine, if it still is this machine."""
        same = self._settings.launch_key == selftest.machine_key()
        return self._settings.launch if same else None

    def _wished(self) -> Launch:
        """What is remembered of this machine, but where its owner decided."""
        found, wish = self._known() or Launch(), self._settings
        return replace(
            found,
            threads=wish.threads or found.threads,
            most_threads=wish.threads,
            context=wish.context or found.context,
            gpu_layers=0 if wish.cpu_only else found.gpu_layers,
        )

    def _launch(self, card: ModelCard) -> Generator[Notice, None, Launch]:
        """Settings that work on this machine; the self-test finds them at the first start."""
        if self.safe:
            return self._safest()
        if self._known() is not None:
            return self._wished()
        yield Notice(
            code="self_test",
            text="First start: finding the settings that work on this computer. Once only.",
        )
        model = self._trial_model(otherwise=card)
        with self._noted("trying"):
            tested = selftest.run(self._spawn, model=model, context=CONTEXT)
        if tested.launch is None:
            raise EngineError(
                "No setting works on this computer. Run 'attune doctor' and report what it says.",
                detail=selftest.failures(tested.trials),
            )
        self._keep_found(tested)
        return self._wished()

    def _safest(self) -> Launch:
        variants = self._settings.variants or selftest.probe(self._spawn).variants
        return ladder.safest(variants, threads=most_threads(), context=SAFE_CONTEXT)

    def _new_supervisor(self) -> Supervisor:
        def around_load(model: str, launch: Launch) -> AbstractContextManager[None]:
            return self._noted("loading", model=model, launch=launch)

        return Supervisor(
            spawn=self._spawn, on_launch=self._remember_launch, around_load=around_load
        )

    def _noted(
        self, doing: Doing, *, model: str = "", launch: Launch | None = None
    ) -> AbstractContextManager[None]:
        if self._note is None:
            return nullcontext()
        return self._note.during(doing, model=model, launch=launch)

    def _first_pause(self) -> int:
        """Questions that count as asked before the first: two answers come no earlier than with the
        second, unless the owner wants them to every question."""
        return max(self._settings.duel_every - 2, 0)

    def _trial_model(self, *, otherwise: ModelCard | None = None) -> str:
        """The small model to try settings with: the starter, where it is there."""
        try:
            return self._catalogue.get(STARTER_ID).path
        except ModelNotFound:
            if otherwise is None:
                raise
            return otherwise.path

    def _keep_found(self, tested: selftest.SelfTest) -> None:
        if tested.launch is not None:
            self._keep(
                launch=tested.launch,
                launch_key=selftest.machine_key(),
                variants=tested.machine.variants,
            )

    def _load(
        self, card: ModelCard, adapters: Sequence[tuple[Path, float]] = ()
    ) -> Iterator[StartEvent]:
        if not card.available:
            raise ModelNotFound(
                f"{card.name} is no longer at {card.path}. Put the file back, or choose another "
                "model."
            )
        header = read_header(Path(card.path))
        check(header)
        worn = self._checked(card, adapters)
        launch = yield from self._launch(card)
        if (warning := memory.shortage(facts(header), context=launch.context)) is not None:
            yield warning
        chosen = Chosen(id=card.id, path=card.path, name=card.name, adapters=worn)
        variants = self._settings.variants
        yield from self._supervisor.start(chosen, launch=launch, variants=variants)

    def _checked(
        self, card: ModelCard, adapters: Sequence[tuple[Path, float]]
    ) -> tuple[tuple[str, float], ...]:
        """The model's own adapter and these, each known to fit before llama.cpp sees it."""
        if card.adapter:
            adapters = ((Path(card.adapter), 1.0), *adapters)
        if not adapters:
            return ()
        from engine.models.adapters import open_adapter
        from engine.models.weights import open_weights

        base = open_weights(Path(card.path))
        for path, scale in adapters:
            if not abs(scale) <= MAX_SCALE:
                allowed = f"from -{MAX_SCALE:g} to {MAX_SCALE:g}"
                raise InvalidParameter.outside("scale of an adapter", scale, allowed)
            open_adapter(path, base=base)
        return tuple((str(path.absolute()), scale) for path, scale in adapters)

    def _remember_launch(self, launch: Launch) -> None:
        """Settings that loaded after others crashed; what the owner decided is no finding."""
        if self.safe:
            return
        found = self._known()
        if found is not None:
            layers = found.gpu_layers if self._settings.cpu_only else launch.gpu_layers
            launch = replace(
                found, variant=launch.variant, extra_bufts=launch.extra_bufts, gpu_layers=layers
            )
        self._keep(launch=launch)

    def _saved(self) -> Settings:
        """The settings in the file; in the place of what is damaged there, what acts here."""
        saved, notices = self._file.read()
        if any(notice.code == "settings_damaged" for notice in notices):
            return self._settings
        return replace(saved, **{n: getattr(self._settings, n) for n in self._file.unusable})

    def _keep(self, **changes: Any) -> None:
        """Remember what was found out; where that fails it acts all the same, and is saved with the
        next change that can be."""
        try:
            self.change(**changes)
        except StorageError as error:
            self._unsaved |= changes
            self._settings = replace(self._settings, **changes)
            log.warning("what was found out is not saved yet: %s", error)


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
