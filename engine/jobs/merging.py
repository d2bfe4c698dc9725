"""Merging: members of one base become one model file, which is checked and gets a card."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from engine.errors import Stopped
from engine.jobs import mixing
from engine.jobs.consensus import CALM, REPLY_TOKENS, Consensus, Learned, stage
from engine.jobs.family import Family, gather
from engine.jobs.kept import Kept, held
from engine.jobs.mixing import Mix
from engine.jobs.protocol import LEARNED, Item, Merge, NoticeItem
from engine.merging.masks import Density, MaskSettings
from engine.merging.samples import CREDIBLE
from engine.models.cards import (
    CardSurvival,
    FileMark,
    MergeCard,
    Parameter,
    SharesOfAdded,
    marked,
    write_card,
)
from engine.models.header import file_name
from engine.models.members import Distance, made_for_another, measure
from engine.models.safetensors import weight_files
from engine.models.writing import Written, write_model
from engine.types.work import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a method came to: what is added to the base, and what the card says about it.

    method   the one whose result is written
    order    of the members, by their place in the request
    """

    method: str
    mix: Mix
    order: Sequence[int]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    density: tuple[SharesOfAdded, ...] = ()
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


class Reader(Protocol):
    """Who knows how the base reads a question."""

    def tokens(self, questions: Sequence[str]) -> tuple[tuple[int, ...], ...]:
        """Of the prompts, template and all. Raises Stopped after `cancel`, and any AttuneError."""
        ...

    def cancel(self) -> None:
        """End it soon. Any thread, at any time."""
        ...


class Merging:
    """Merge under way; see `Working`."""

    def __init__(self, request: Merge, *, reading: Reader, clock: Callable[[], float]) -> None:
        """
        reading  makes tokens of questions as the base reads them
        clock    counts seconds
        """
        self._request, self._reading, self._clock = request, reading, clock
        self._stopping = False
        self._notices: list[Notice] = []

    def cancel(self) -> None:
        """End soon; what was learned is kept for the next time. Any thread."""
        self._stopping = True
        self._reading.cancel()

    def run(self) -> Generator[Item, None, None]:
        """Progress and notices; at the end file and card are there. Raises Stopped after
        `cancel`, and any error of checking, reading or writing."""
        family = gather(self._request)
        yield from self._measure(family)
        base, *members = self._marks()
        for member in family.members:
            for notice in made_for_another(member.path, base=base.sha256):
                yield from self._tell(notice)
        if self._request.method not in LEARNED:
            yield from self._write(family, self._mixed(family), base=base, members=members)
            return
        with self._kept(base, members) as kept:
            outcome = yield from self._learned(family, kept)
            yield from self._write(family, outcome, base=base, members=members)
            kept.remove()

    # ----------------------------------------------------------------------------------------

    def _measure(self, family: Family) -> Iterator[Item]:
        """Read every member once; what could make the merge worse is told."""
        for number, member in enumerate(family.members):
            text = f"Checking {file_name(member.path)}"
            yield stage("checking", text, number, len(family.members))
            distance: Distance = measure(member, base=family.base, progress=self._watch)
            for notice in distance.notices:
                yield from self._tell(notice)

    def _marks(self) -> list[FileMark]:
        """Of the base and the members, in the order of the request."""
        found = []
        for path in map(Path, (self._request.base, *self._request.members)):
            self._watch()
            found.append(marked(path, files=weight_files(path)))
        return found

    def _kept(self, base: FileMark, members: Sequence[FileMark]) -> AbstractContextManager[Kept]:
        """Of a merge of just these files with just these questions and settings."""
        request = self._request
        hashes = [mark.sha256 for mark in (base, *members)]
        asked = (request.prompts, request.held_out)
        settings = (MaskSettings(epochs=request.epochs), CREDIBLE, REPLY_TOKENS)
        return held(Path(request.folder), hashes, *asked, *settings, request.seed)

    def _learned(self, family: Family, kept: Kept) -> Generator[Item, None, Outcome]:
        """The learned merge, or what keeps the members better where the best is wanted."""
        consensus = Consensus(
            family,
            self._request,
            kept=kept,
            read=self._reading.tokens,
            tell=self._tell,
            watch=self._watch,
            clock=self._clock,
        )
        learned = yield from consensus.run()
        best = learned.ranking[0]
        if self._request.method == "calm" and best != CALM:
            yield from self._tell(_surpassed(learned, best))
        name = best if self._request.method == "best" else CALM
        method, _, scale = name.partition(" ")
        parameters = self._parameters(learned, consensus.settings, best)
        return Outcome(
            method=method,
            mix=learned.mixes[name],
            order=(*learned.order.first, *learned.order.then),
            parameters=parameters | ({"scale": float(scale)} if scale else {}),
            density=tuple(map(_shares, learned.densities)) if name == CALM else (),
            scores=learned.scores,
        )

    def _parameters(
        self, learned: Learned, settings: MaskSettings, best: str
    ) -> dict[str, Parameter]:
        return {
            "best": best,
            "first": len(learned.order.first),
            "first_scale": learned.order.scale,
            "epochs": ", ".join(map(str, learned.epochs)),
            "most_epochs": settings.epochs,
            "eta": settings.eta,
            "alpha": settings.alpha,
            "reg": settings.reg,
            "start_logit": settings.start_logit,
            "start_fraction": settings.start_fraction,
            "credible": CREDIBLE,
            "prompts": len(self._request.prompts),
            "held_out": len(self._request.held_out),
            "reply_tokens": REPLY_TOKENS,
            "seed": self._request.seed,
        }

    def _mixed(self, family: Family) -> Outcome:
        """A method without training."""
        members, seed = family.members, self._request.seed
        order = range(len(members))
        match self._request.method:
            case "average":
                return Outcome(method="average", mix=mixing.average(members), order=order)
            case "arithmetic":
                mix = mixing.arithmetic(members, scale=1.0)
                return Outcome(method="arithmetic", mix=mix, order=order, parameters={"scale": 1.0})
            case "ties":
                mix = mixing.ties(members, base=family.base, watch=self._watch)
                return Outcome(method="ties", mix=mix, order=order)
            case _:
                frame = mixing.at_odds(len(members), seed=seed)
                mix = mixing.random_mask(members, frame)
                parameters: dict[str, Parameter] = {"seed": seed}
                return Outcome(method="random-mask", mix=mix, order=order, parameters=parameters)

    def _write(
        self, family: Family, outcome: Outcome, *, base: FileMark, members: Sequence[FileMark]
    ) -> Iterator[Item]:
        """The model and its card; the card first, so that no model is ever without."""
        yield stage("writing", "Writing the merged model", 0, 1)
        out = Path(self._request.out)

        def describe(part: Path, written: Written) -> None:
            output = replace(marked(part), name=out.name)
            marks = (output, base, *(members[place] for place in outcome.order))
            write_card(self._card(outcome, written, marks), beside=out)

        write_model(
            out,
            base=family.base,
            change=outcome.mix,
            name=out.stem,
            storage=self._request.storage,
            progress=self._watch,
            describe=describe,
        )
        yield stage("writing", "Writing the merged model", 1, 1)

    def _card(self, outcome: Outcome, written: Written, marks: Sequence[FileMark]) -> MergeCard:
        """marks  of the new file, the base, and the members in their order"""
        (output, base, *members), survival = marks, written.survival
        worst, worst_share = survival.worst
        return MergeCard(
            kind="model",
            name=Path(output.name).stem,
            output=output,
            base=base,
            members=tuple(members),
            method=outcome.method,
            parameters={**outcome.parameters, "type": self._request.storage},
            density=outcome.density,
            scores=outcome.scores,
            survival=CardSurvival(
                share=survival.share,
                noise=survival.noise,
                worst=worst,
                worst_share=worst_share,
            ),
            notices=tuple(notice.text for notice in self._notices),
        )

    def _tell(self, notice: Notice) -> Iterator[Item]:
        """Say something, and have the card say it, too."""
        self._notices.append(notice)
        yield NoticeItem(notice=notice)

    def _watch(self, _done: int = 0, _total: int = 0) -> None:
        """Raises Stopped where all is to end."""
        if self._stopping:
            raise Stopped("The merge was stopped.")


def _surpassed(learned: Learned, best: str) -> Notice:
    ours, theirs = (sum(learned.scores[name].values()) for name in (CALM, best))
    text = (
        f"On questions that no mask has seen, {best} kept the members better than the learned mask "
        f"({theirs:.3f} against {ours:.3f} nats, summed over members). The method best writes it."
    )
    return Notice(code="surpassed", text=text)


def _shares(found: Density) -> SharesOfAdded:
    layers = {str(layer): share for layer, share in found.by_layer.items()}
    return SharesOfAdded(
        share=found.share, by_layer=layers, by_kind=found.by_kind, by_tensor=found.by_tensor
    )
