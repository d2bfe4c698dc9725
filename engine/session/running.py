"""A model kept running on this machine: with settings that work here, as its owner wants it."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from engine.endings import Doing, RunNote
from engine.errors import EngineError, InvalidParameter, ModelNotFound
from engine.inference import ladder
from engine.inference.client import Client
from engine.inference.threads import most_threads
from engine.models import memory
from engine.models.catalogue import STARTER_ID, Catalogue
from engine.models.gguf import check, facts
from engine.models.header import read_header
from engine.session import selftest
from engine.session.supervisor import Chosen, Supervisor
from engine.session.wishes import Wishes
from engine.types.answers import StartEvent
from engine.types.models import Diagnosis, Launch, ModelCard
from engine.types.work import Notice
from engine.version import __version__

MAX_SCALE = 10.0
"""The strongest that an adapter may act."""

CONTEXT = 8192
"""Tokens in the cache unless memory or the owner says otherwise."""

SAFE_CONTEXT = 2048
"""The same in safe mode."""


class Running:
    """Finds settings, loads, and remembers what worked.

    supervisor  has the child; another one after `renew`
    note        where it is written down what is done that may end badly; None where nowhere
    """

    def __init__(
        self, catalogue: Catalogue, wishes: Wishes, *, spawn: Callable[[], Client]
    ) -> None:
        """spawn  starts an inference child"""
        self._catalogue, self._wishes, self._spawn = catalogue, wishes, spawn
        self.note: RunNote | None = None
        self.supervisor = self._new_supervisor()

    def renew(self) -> None:
        """After the supervisor was closed: a model can be loaded again."""
        self.supervisor = self._new_supervisor()

    def load(
        self, card: ModelCard, adapters: Sequence[tuple[Path, float]] = ()
    ) -> Iterator[StartEvent]:
        """Load a model; ends with Ready. See `Engine.start`."""
        if not card.available:
            raise ModelNotFound(
                f"{card.name} is no longer at {card.path}. Put the file back, or choose another "
                "model."
            )
        header = read_header(Path(card.path))
        check(header)
        worn = self._checked(card, adapters)
        launch = yield from self.launch(card)
        if (warning := memory.shortage(facts(header), context=launch.context)) is not None:
            yield warning
        needed = memory.needed(facts(header), context=launch.context)
        chosen = Chosen(id=card.id, path=card.path, name=card.name, adapters=worn, needed=needed)
        variants = self._wishes.values.variants
        yield from self.supervisor.start(chosen, launch=launch, variants=variants)

    def launch(self, card: ModelCard) -> Generator[Notice, None, Launch]:
        """Settings that work on this machine; the self-test finds them at the first start."""
        if self._wishes.safe:
            known = self._wishes.values.variants
            return self._safest(known or selftest.probe(self._spawn).variants)
        if self.known() is not None:
            return self.wished()
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
        return self.wished()

    def known(self) -> Launch | None:
        """What is remembered of this machine, if it still is this machine."""
        same = self._wishes.values.launch_key == selftest.machine_key()
        return self._wishes.values.launch if same else None

    def wished(self) -> Launch:
        """What is remembered of this machine, but where its owner decided."""
        found, wish = self.known() or Launch(), self._wishes.values
        return replace(
            found,
            threads=wish.threads or found.threads,
            most_threads=wish.threads,
            context=wish.context or found.context,
            gpu_layers=0 if wish.cpu_only else found.gpu_layers,
        )

    def diagnose(self, *, data_dir: Path, renew: bool) -> Diagnosis:
        """Run the self-test and tell how Attune runs on this machine; see `Engine.diagnose`."""
        tested = selftest.run(self._spawn, model=self._trial_model(), context=CONTEXT)
        safe = self._wishes.safe
        if renew or (self.known() is None and not safe):
            self._keep_found(tested)
        launch = self.wished() if self.known() is not None else None
        if safe:
            launch = self._safest(tested.machine.variants)
        return Diagnosis(
            version=__version__,
            system=f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
            cpu=selftest.cpu_name(),
            cpu_variant=(launch.variant if launch else None) or "built-in",
            variants=tested.machine.variants,
            devices=tested.machine.devices,
            threads=launch.threads if launch else 0,
            model=self._wishes.values.model or STARTER_ID,
            data_dir=str(data_dir),
            sqlite=sqlite3.sqlite_version,
            launch=launch or Launch(),
            self_test=tested.trials,
            remembered=any(trial.works for trial in tested.trials),
            offline=tested.machine.offline,
        )

    # ----------------------------------------------------------------------------------------

    def _safest(self, variants: Sequence[str]) -> Launch:
        return ladder.safest(variants, threads=most_threads(), context=SAFE_CONTEXT)

    def _new_supervisor(self) -> Supervisor:
        def around_load(model: str, launch: Launch) -> AbstractContextManager[None]:
            return self._noted("loading", model=model, launch=launch)

        return Supervisor(spawn=self._spawn, on_launch=self._remember, around_load=around_load)

    def _noted(
        self, doing: Doing, *, model: str = "", launch: Launch | None = None
    ) -> AbstractContextManager[None]:
        if self.note is None:
            return nullcontext()
        return self.note.during(doing, model=model, launch=launch)

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
            self._wishes.keep(
                launch=tested.launch,
                launch_key=selftest.machine_key(),
                variants=tested.machine.variants,
            )

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

    def _remember(self, launch: Launch) -> None:
        """Settings that loaded after others crashed; what the owner decided is no finding."""
        if self._wishes.safe:
            return
        found = self.known()
        if found is not None:
            layers = found.gpu_layers if self._wishes.values.cpu_only else launch.gpu_layers
            launch = replace(
                found, variant=launch.variant, extra_bufts=launch.extra_bufts, gpu_layers=layers
            )
        self._wishes.keep(launch=launch)
