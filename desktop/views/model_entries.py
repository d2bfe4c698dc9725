"""What the rows of the page "Models" say, and what can be done with each."""

from __future__ import annotations

from dataclasses import dataclass

from desktop import models as words
from desktop.heard import heard
from desktop.languages import tr
from desktop.prose import brief
from desktop.widgets.entries import Entry, Verb
from engine.api import FoundModel, InstalledModel, RecommendedModel

USE, VERIFY, REMOVE, GET = "use", "verify", "remove", "get"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How things stand around the rows.

    answers  id of the model that answers now; "" for none
    loading  id of the one that is being loaded; "" for none
    busy     one is being got, taken in or verified
    offline  why nothing can be downloaded; "" where it can
    """

    answers: str
    loading: str
    busy: bool
    offline: str


def installed(model: InstalledModel, standing: Standing) -> Entry:
    """One that can be chosen."""
    card = model.card
    name = words.named(card.name)
    answers = card.id == standing.answers
    verbs = []
    if card.available and not answers:
        why = tr("It is being loaded.") if card.id == standing.loading else ""
        verbs.append(Verb(id=USE, text=tr("Use it"), told=tr("Use {0}").format(name), why=why))
    if card.available:
        told = tr("Verify {0}").format(name)
        verbs.append(Verb(id=VERIFY, text=tr("Verify"), told=told, why=_busy(standing)))
    if not card.starter:
        why = tr("It answers now. Use another one first.") if answers else ""
        told = tr("Remove {0}").format(name)
        verbs.append(Verb(id=REMOVE, text=tr("Remove"), told=told, why=why))
    return Entry(
        id=card.id,
        name=name,
        state=_state(model, standing),
        facts=words.facts(model),
        note=words.history(model),
        hint=words.place(model),
        verbs=tuple(verbs),
    )


def _state(model: InstalledModel, standing: Standing) -> str:
    if not model.card.available:
        return tr("The file is not there")
    if model.card.id == standing.loading:
        return tr("Is being loaded …")
    return tr("Answers now") if model.card.id == standing.answers else ""


def offered(model: RecommendedModel, standing: Standing) -> Entry:
    """One that can be had; one that is here says so and offers nothing."""
    told = tr("Go on getting {0}, {1}") if model.begun else tr("Get {0}, {1}")
    get = Verb(
        id=GET,
        text=tr("Go on") if model.begun else tr("Get it"),
        told=told.format(words.named(model.name), words.size(model.size)),
        main=True,
        why=standing.offline or _busy(standing),
    )
    return Entry(
        id=model.id,
        name=brief(heard(model.why)).rstrip("."),
        state=tr("On this computer") if model.installed else "",
        facts=words.offer(model),
        note="" if model.installed else words.begun(model),
        hint=tr("From {0}").format(brief(f"{model.repository}/{model.file}")),
        verbs=() if model.installed else (get,),
    )


def elsewhere(model: FoundModel, standing: Standing) -> Entry:
    """A file of another program."""
    name = words.named(model.name)
    use = Verb(
        id=USE,
        text=tr("Use it from there (nothing is copied)"),
        told=tr("Use {0} from there; nothing is copied").format(name),
        why=_busy(standing),
    )
    return Entry(
        id=model.path,
        name=name,
        facts=words.elsewhere(model),
        hint=brief(model.path),
        verbs=() if model.problem else (use,),
    )


def _busy(standing: Standing) -> str:
    return tr("One thing is done at a time.") if standing.busy else ""
