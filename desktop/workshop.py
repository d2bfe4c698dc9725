"""What the workshop can do, does and made, in words: percentages and plain words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QDateTime, QLocale

from desktop.crafting import Merge, Training
from desktop.heard import heard
from desktop.languages import tr
from desktop.portfolio import NO_BREAK, advance, percentage
from desktop.prose import LONGEST_NAME, brief
from engine.api import Fit, Made, MergeMethod, ModelCard, Progress, TrainedAdapter

MILLION = 1_000_000
LITTLE = 0.001
"""A share that is not told apart from smaller ones."""


def named(name: str) -> str:
    """A name, which comes from a file, on one line of limited length."""
    return brief(name, longest=LONGEST_NAME)


def headline(made: Sequence[Made]) -> str:
    """How much was made."""
    adapters = sum(each.kind == "adapter" for each in made)
    models = len(made) - adapters
    parts = []
    if adapters:
        parts.append(tr("%n adapter(s)", "", adapters))
    if models:
        parts.append(tr("%n merged model(s)", "", models))
    if not parts:
        return tr("Nothing is made yet.")
    all_of_it = tr("{0} and {1}").format(*parts) if len(parts) == 2 else parts[0]
    return tr("Made so far: {0}.").format(all_of_it)


def methods() -> tuple[tuple[MergeMethod, str], ...]:
    """How models can be merged, the usual way first."""
    return (
        ("calm", tr("CALM: learns which weights to take")),
        ("best", tr("Best of all methods")),
        ("average", tr("Average")),
        ("arithmetic", tr("Task arithmetic")),
        ("ties", tr("TIES")),
        ("random-mask", tr("Random mask")),
    )


def method(name: str) -> str:
    """A method as a word in a sentence; "arithmetic 0.3" is one with its scale."""
    kind, _, scale = name.partition(" ")
    said = {
        "calm": tr("CALM"),
        "average": tr("averaging"),
        "arithmetic": tr("task arithmetic"),
        "ties": tr("TIES"),
        "random-mask": tr("a random mask"),
    }.get(kind, named(kind))
    if not scale:
        return said
    return tr("{0}, {1} of each change").format(said, _scaled(scale))


def _scaled(scale: str) -> str:
    try:
        return percentage(float(scale))
    except ValueError:
        return named(scale)


# What was made ------------------------------------------------------------------------------


def told(made: Made) -> str:
    """What it is, on one line."""
    if made.kind == "adapter":
        taught = tr("Taught {0}").format(_pole(made)) if made.trait else tr("An adapter")
        return f"{taught}  ·  {kept(made.kept, made.time)}"
    return tr("Merged from %n by {0}", "members", len(made.members)).format(method(made.method))


def _pole(made: Made) -> str:
    return named(heard(made.trait))


def kept(share: float | None, time: float | None) -> str:
    """What an adapter does of what steering does, and what that costs."""
    if share is None and time is None:
        return tr("what it keeps of steering is not measured")
    if share is None:
        return tr("steering itself changes nothing here, so there is nothing to keep")
    if share <= 0.0:
        return tr("does nothing of what steering does")
    said = tr("keeps {0} of what steering does").format(percentage(share))
    if time is None:
        return said
    return tr("{0}, at {1} of its time per token").format(said, percentage(time))


def facts(made: Made) -> str:
    """Where it comes from: what it was made of, when, how large it is."""
    moment = QDateTime.fromSecsSinceEpoch(int(made.at))
    when = QLocale().toString(moment, QLocale.FormatType.ShortFormat)
    origin = tr("Made for {0}") if made.kind == "adapter" else tr("Made from {0}")
    return "  ·  ".join([origin.format(named(made.base)), when, megabytes(made.size)])


def megabytes(size: int) -> str:
    """Bytes, as people read them."""
    if size < MILLION:
        return tr("less than one megabyte")
    return tr("{0} MB").format(QLocale().toString(round(size / MILLION))).replace(" ", NO_BREAK)


def survival(made: Made) -> str:
    """What of the change is in the file."""
    if made.survival >= 1.0:
        return tr("All of what was learned is in the file.")
    share = exact(made.survival)
    said = tr("{0} of what was learned is in the file; the rest was lost to rounding.")
    return said.format(f"{share[:1].upper()}{share[1:]}")


def notices(made: Made) -> str:
    """What was said while it was made, a line each."""
    return "\n".join(brief(notice) for notice in made.notices)


def exact(share: float) -> str:
    """A share with a digit behind the point; what is nearly nothing, or nearly all, is no more."""
    if 0.0 < share < LITTLE:
        return tr("under {0}").format(_tenths(LITTLE))
    if 1.0 - LITTLE < share < 1.0:
        return tr("over {0}").format(_tenths(1.0 - LITTLE))
    return percentage(share) if share in (0.0, 1.0) else _tenths(share)


def _tenths(share: float) -> str:
    return f"{QLocale().toString(100.0 * share, 'f', 1)}{NO_BREAK}%"


def matrix(kind: str) -> str:
    """A kind of matrix, in words."""
    return {
        "attn_q": tr("queries"),
        "attn_k": tr("keys"),
        "attn_v": tr("values"),
        "attn_output": tr("attention"),
        "ffn_gate": tr("gate"),
        "ffn_up": tr("up"),
        "ffn_down": tr("down"),
    }.get(kind, named(kind))


# What can be merged -------------------------------------------------------------------------


def nature(made: Made) -> str:
    """What of the workshop's own could be merged."""
    base = named(made.base)
    if made.kind != "adapter":
        return tr("Merged model, from {0}").format(base)
    if not made.trait:
        return tr("Adapter for {0}").format(base)
    return tr("Adapter for {0}, taught {1}").format(base, _pole(made))


def fitting(fit: Fit) -> str:
    """Whether it can be merged, or why not."""
    if fit.problem:
        return tr("Does not fit: {0}").format(brief(fit.problem))
    if fit.warning:
        return tr("Fits, but: {0}").format(brief(fit.warning))
    return tr("Fits")


def merge_button(count: int) -> str:
    if count < 2:
        return tr("Merge")
    return tr("Merge %n member(s)", "", count)


def base_of(made: Made, bases: Sequence[ModelCard]) -> ModelCard | None:
    """What it was made for, where that can still be started from."""
    return next((card for card in bases if card.sha256 == made.base_sha256), None)


# What is being made -------------------------------------------------------------------------


def doing(task: Training | Merge | None) -> str:
    """What is made now."""
    match task:
        case Training():
            said = tr("Teaching {0}: {1}")
            return said.format(named(task.base.name), brief(heard(task.pole.name)))
        case Merge():
            return tr("Merging %n member(s)", "", len(task.members))
        case None:
            return ""


def advancing(task: Training | Merge | None, progress: Progress | None) -> str:
    """What is made now, how far that is and how long it will take."""
    how_far = advance(progress) if progress is not None else tr("getting ready …")
    return f"{doing(task)}  ·  {how_far}"


def step(progress: Progress | None) -> str:
    """What happens at this moment, and that it need not be waited for."""
    later = tr("You can stop it and go on later, and chat meanwhile.")
    if progress is None or not progress.text:
        return later
    return f"{heard(brief(progress.text).rstrip('.'))}. {later}"


def finished(result: object) -> str:
    """What came of it."""
    if not isinstance(result, TrainedAdapter):
        return tr("The merged model is made.")
    said = tr("The adapter for {0} is made.").format(brief(heard(result.name)))
    if result.kept is None:
        return said
    does = tr("It {0}.").format(kept(result.kept, result.time))
    return f"{said} {does}"
