"""What the workshop can do, does and made, in words: percentages and plain words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from desktop.crafting import Merge, Training
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
        one, more = _tr("one adapter"), _tr("{0} adapters")
        parts.append(one if adapters == 1 else more.format(adapters))
    if models:
        one, more = _tr("one merged model"), _tr("{0} merged models")
        parts.append(one if models == 1 else more.format(models))
    if not parts:
        return _tr("Nothing is made yet.")
    all_of_it = _tr("{0} and {1}").format(*parts) if len(parts) == 2 else parts[0]
    return _tr("Made so far: {0}.").format(all_of_it)


def methods() -> tuple[tuple[MergeMethod, str], ...]:
    """How models can be merged, the usual way first."""
    return (
        ("calm", _tr("CALM: learns which weights to take")),
        ("best", _tr("Best of all methods")),
        ("average", _tr("Average")),
        ("arithmetic", _tr("Task arithmetic")),
        ("ties", _tr("TIES")),
        ("random-mask", _tr("Random mask")),
    )


def method(name: str) -> str:
    """A method as a word in a sentence; "arithmetic 0.3" is one with its scale."""
    kind, _, scale = name.partition(" ")
    said = {
        "calm": _tr("CALM"),
        "average": _tr("averaging"),
        "arithmetic": _tr("task arithmetic"),
        "ties": _tr("TIES"),
        "random-mask": _tr("a random mask"),
    }.get(kind, named(kind))
    if not scale:
        return said
    return _tr("{0}, {1} of each change").format(said, _scaled(scale))


def _scaled(scale: str) -> str:
    try:
        return percentage(float(scale))
    except ValueError:
        return named(scale)


# What was made ------------------------------------------------------------------------------


def told(made: Made) -> str:
    """What it is, on one line."""
    if made.kind == "adapter":
        taught = _tr("Taught {0}").format(named(made.trait)) if made.trait else _tr("An adapter")
        return f"{taught}  ·  {kept(made.kept, made.time)}"
    said = _tr("Merged from {0} by {1}")
    return said.format(len(made.members), method(made.method))


def kept(share: float | None, time: float | None) -> str:
    """What an adapter does of what steering does, and what that costs."""
    if share is None and time is None:
        return _tr("what it keeps of steering is not measured")
    if share is None:
        return _tr("steering itself changes nothing here, so there is nothing to keep")
    if share <= 0.0:
        return _tr("does nothing of what steering does")
    said = _tr("keeps {0} of what steering does").format(percentage(share))
    if time is None:
        return said
    return _tr("{0}, at {1} of its time per token").format(said, percentage(time))


def facts(made: Made) -> str:
    """Where it comes from: what it was made of, when, how large it is."""
    moment = QDateTime.fromSecsSinceEpoch(int(made.at))
    when = QLocale().toString(moment, QLocale.FormatType.ShortFormat)
    origin = _tr("Made for {0}") if made.kind == "adapter" else _tr("Made from {0}")
    return "  ·  ".join([origin.format(named(made.base)), when, megabytes(made.size)])


def megabytes(size: int) -> str:
    """Bytes, as people read them."""
    if size < MILLION:
        return _tr("less than one megabyte")
    return _tr("{0} MB").format(QLocale().toString(round(size / MILLION))).replace(" ", NO_BREAK)


def survival(made: Made) -> str:
    """What of the change is in the file."""
    if made.survival >= 1.0:
        return _tr("All of what was learned is in the file.")
    share = exact(made.survival)
    said = _tr("{0} of what was learned is in the file; the rest was lost to rounding.")
    return said.format(f"{share[:1].upper()}{share[1:]}")


def notices(made: Made) -> str:
    """What was said while it was made, a line each."""
    return "\n".join(brief(notice) for notice in made.notices)


def exact(share: float) -> str:
    """A share with a digit behind the point; what is nearly nothing, or nearly all, is no more."""
    if 0.0 < share < LITTLE:
        return _tr("under {0}").format(_tenths(LITTLE))
    if 1.0 - LITTLE < share < 1.0:
        return _tr("over {0}").format(_tenths(1.0 - LITTLE))
    return percentage(share) if share in (0.0, 1.0) else _tenths(share)


def _tenths(share: float) -> str:
    return f"{QLocale().toString(100.0 * share, 'f', 1)}{NO_BREAK}%"


def matrix(kind: str) -> str:
    """A kind of matrix, in words."""
    return {
        "attn_q": _tr("queries"),
        "attn_k": _tr("keys"),
        "attn_v": _tr("values"),
        "attn_output": _tr("attention"),
        "ffn_gate": _tr("gate"),
        "ffn_up": _tr("up"),
        "ffn_down": _tr("down"),
    }.get(kind, named(kind))


# What can be merged -------------------------------------------------------------------------


def nature(made: Made) -> str:
    """What of the workshop's own could be merged."""
    base = named(made.base)
    if made.kind != "adapter":
        return _tr("Merged model, from {0}").format(base)
    if not made.trait:
        return _tr("Adapter for {0}").format(base)
    return _tr("Adapter for {0}, taught {1}").format(base, named(made.trait))


def fitting(fit: Fit) -> str:
    """Whether it can be merged, or why not."""
    if fit.problem:
        return _tr("Does not fit: {0}").format(brief(fit.problem))
    if fit.warning:
        return _tr("Fits, but: {0}").format(brief(fit.warning))
    return _tr("Fits")


def merge_button(count: int) -> str:
    if count < 2:
        return _tr("Merge")
    return _tr("Merge {0} members").format(count)


def base_of(made: Made, bases: Sequence[ModelCard]) -> ModelCard | None:
    """What it was made for, where that can still be started from."""
    return next((card for card in bases if card.sha256 == made.base_sha256), None)


# What is being made -------------------------------------------------------------------------


def doing(task: Training | Merge | None) -> str:
    """What is made now."""
    match task:
        case Training():
            said = _tr("Teaching {0}: {1}")
            return said.format(named(task.base.name), brief(task.pole.name))
        case Merge():
            return _tr("Merging {0} members").format(len(task.members))
        case None:
            return ""


def advancing(task: Training | Merge | None, progress: Progress | None) -> str:
    """What is made now, how far that is and how long it will take."""
    how_far = advance(progress) if progress is not None else _tr("getting ready …")
    return f"{doing(task)}  ·  {how_far}"


def step(progress: Progress | None) -> str:
    """What happens at this moment, and that it need not be waited for."""
    later = _tr("You can stop it and go on later, and chat meanwhile.")
    if progress is None or not progress.text:
        return later
    return f"{brief(progress.text).rstrip('.')}. {later}"


def finished(result: object) -> str:
    """What came of it."""
    if not isinstance(result, TrainedAdapter):
        return _tr("The merged model is made.")
    said = _tr("The adapter for {0} is made.").format(brief(result.name))
    if result.kept is None:
        return said
    return f"{said} {_tr('It {0}.').format(kept(result.kept, result.time))}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("Workshop", text)
