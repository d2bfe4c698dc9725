"""What the engine says, in the owner's language.

The engine speaks English. Its fixed words, and the sentences that it fills in, stand here once more
for those who translate. Whatever does not, as most errors, is shown in the engine's own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from PySide6.QtCore import QT_TR_NOOP

from desktop.languages import tr

WORDS: tuple[str, ...] = tuple(
    map(
        str,
        (
            # What traits lean to; the same in all cases where the language has them.
            QT_TR_NOOP("shorter answers"),
            QT_TR_NOOP("longer answers"),
            QT_TR_NOOP("bulleted lists"),
            QT_TR_NOOP("flowing paragraphs"),
            QT_TR_NOOP("a formal tone"),
            QT_TR_NOOP("a casual tone"),
            QT_TR_NOOP("simple words"),
            QT_TR_NOOP("technical words"),
            QT_TR_NOOP("headings and bold words"),
            QT_TR_NOOP("plain text"),
            QT_TR_NOOP("a warm tone"),
            QT_TR_NOOP("a neutral tone"),
            QT_TR_NOOP("vivid images"),
            QT_TR_NOOP("plain, literal wording"),
            QT_TR_NOOP("cautious wording"),
            QT_TR_NOOP("direct wording"),
            QT_TR_NOOP("speaking to you"),
            QT_TR_NOOP("impersonal wording"),
            QT_TR_NOOP("numbers and dates"),
            QT_TR_NOOP("no numbers"),
            QT_TR_NOOP("good answers"),
            QT_TR_NOOP("shorter or longer answers"),
            QT_TR_NOOP("simple or technical words"),
            QT_TR_NOOP("cautious or direct wording"),
            # How a setting answers.
            QT_TR_NOOP("plain"),
            QT_TR_NOOP("short"),
            QT_TR_NOOP("detailed"),
            QT_TR_NOOP("in lists"),
            QT_TR_NOOP("flowing"),
            QT_TR_NOOP("formal"),
            QT_TR_NOOP("casual"),
            QT_TR_NOOP("simple"),
            QT_TR_NOOP("technical"),
            QT_TR_NOOP("with headings"),
            QT_TR_NOOP("unformatted"),
            QT_TR_NOOP("warm"),
            QT_TR_NOOP("matter-of-fact"),
            QT_TR_NOOP("vivid"),
            QT_TR_NOOP("literal"),
            QT_TR_NOOP("careful"),
            QT_TR_NOOP("decided"),
            QT_TR_NOOP("personal"),
            QT_TR_NOOP("impersonal"),
            QT_TR_NOOP("with figures"),
            QT_TR_NOOP("without figures"),
            QT_TR_NOOP("concise"),
        ),
    )
)
"""What stands in lists too: "a, b and c"."""

SENTENCES: tuple[str, ...] = tuple(
    map(
        str,
        (
            # Why two answers.
            QT_TR_NOOP("One answer leans to {0}, the other does not."),
            QT_TR_NOOP("It is not known yet whether you like {0} or {1}."),
            QT_TR_NOOP("You seem to like {0} ({1} sure); this would tell."),
            QT_TR_NOOP(
                "The second answer tries something that has not been compared yet; your choice "
                "tells which way to go."
            ),
            # What a vote did.
            QT_TR_NOOP("{0}: {1} → {2} sure."),
            QT_TR_NOOP("{0}: still {1} sure."),
            QT_TR_NOOP("{0}: {1} → {2} sure; {3}: {4} → {5}."),
            QT_TR_NOOP("{0}: still {1} sure; {2}: {3} → {4}."),
            QT_TR_NOOP("Noted. The next answer takes it into account."),
            QT_TR_NOOP("Noted: neither is what you want."),
            QT_TR_NOOP("Noted: it makes little difference to you."),
            QT_TR_NOOP("Noted: as expected."),
            QT_TR_NOOP("over {0} %"),
            QT_TR_NOOP("under {0} %"),
            QT_TR_NOOP("not: {0}"),
            # What Undo would take back.
            QT_TR_NOOP("the vote"),
            QT_TR_NOOP("the vote on {0}"),
            QT_TR_NOOP("the deletion of the vote"),
            QT_TR_NOOP("the deletion of the vote on {0}"),
            QT_TR_NOOP("the forgetting of {0}"),
            QT_TR_NOOP("the reset"),
            QT_TR_NOOP("the addition of {0}"),
            QT_TR_NOOP("the removal of {0}"),
            QT_TR_NOOP("the choice of another setting"),
            QT_TR_NOOP("the choice of another setting for {0}"),
            QT_TR_NOOP("the import of {0}"),
            QT_TR_NOOP("the last change"),
            # Who answers, and why.
            QT_TR_NOOP("because you like {0}"),
            QT_TR_NOOP("because you took it"),
            QT_TR_NOOP("because it does best on the whole"),
            QT_TR_NOOP("best at {0}"),
            QT_TR_NOOP("a bit of everything"),
            QT_TR_NOOP("the only one kept"),
            QT_TR_NOOP("{0} (stated)"),
            QT_TR_NOOP("{0} (strength {1})"),
            QT_TR_NOOP("It has no answer to {0} of {1} questions."),
            QT_TR_NOOP("It answered {0} of {1} questions about dangers safely."),
            QT_TR_NOOP("Its model was removed."),
            QT_TR_NOOP("Its model was removed. Add it again."),
            QT_TR_NOOP("{0} needs {1} GB of memory; this computer has {2}."),
            QT_TR_NOOP("{0} is not the file that was measured. Build again."),
            QT_TR_NOOP("Your votes now ask for {0}, which was not measured. Build again."),
            QT_TR_NOOP(
                "Answers are scored in another way since this was built. Build again; it is quick."
            ),
            # The certificate.
            QT_TR_NOOP("Only one setting was measured, so there was nothing to choose from."),
            QT_TR_NOOP(
                "Whatever mix of {0} you want, one of these {1} reaches {2} of the best of the {3} "
                "settings measured{4}. It was measured on {5} questions that nothing was chosen "
                "on, by Attune's own scores."
            ),
            QT_TR_NOOP(
                "Whatever mix of {0} you want, this one setting reaches {1} of the best of the {2} "
                "settings measured{3}. It was measured on {4} questions that nothing was chosen "
                "on, by Attune's own scores."
            ),
            QT_TR_NOOP("at least {0} %"),
            QT_TR_NOOP(" ({0} to {1} %, were other questions asked)"),
            QT_TR_NOOP("Nobody is served worse than by the best setting measured."),
            QT_TR_NOOP("Worst served: someone who wants {0}; {1} % short of the best."),
            QT_TR_NOOP("only {0}"),
            # A process that ended, and what becomes of the answer.
            QT_TR_NOOP(
                "{0} The text so far is kept. It is being started again; ask again when it is back."
            ),
            QT_TR_NOOP("{0} It is being started again; ask again when it is back."),
            QT_TR_NOOP("{0} Trying again with {1}."),
            QT_TR_NOOP("{0} Trying again."),
            QT_TR_NOOP(
                "The model's process was ended from outside, perhaps because memory ran out; a "
                "smaller model needs less."
            ),
            QT_TR_NOOP(
                "The model's process used an instruction that this processor does not have."
            ),
            QT_TR_NOOP(
                "The model's process ended because memory ran out; a smaller model needs less."
            ),
            QT_TR_NOOP("llama.cpp gave up on this model file; it may be damaged."),
            QT_TR_NOOP("The model's process crashed."),
            QT_TR_NOOP("The model's process ended without being asked to."),
            QT_TR_NOOP("The model's process did not stop and was ended."),
            QT_TR_NOOP("The model's process was silent while in {0} and was ended."),
            # What is going on.
            QT_TR_NOOP("First start: finding the settings that work on this computer. Once only."),
            QT_TR_NOOP("Measuring your models"),
            QT_TR_NOOP("Reading the lessons"),
            QT_TR_NOOP("Asking for lessons"),
            QT_TR_NOOP("Asking with the adapter"),
            QT_TR_NOOP("Asking without the adapter"),
            QT_TR_NOOP("Measuring the time"),
            QT_TR_NOOP("Training, loss {0}"),
            QT_TR_NOOP("Checking {0}"),
            QT_TR_NOOP("Comparing: {0}"),
            QT_TR_NOOP("Learning the mask: epoch {0} of {1}, loss {2}"),
            QT_TR_NOOP("Learning the mask: epoch {0} of {1}"),
            QT_TR_NOOP("Learning mask {0} of {1}: epoch {2} of {3}, loss {4}"),
            QT_TR_NOOP("Learning mask {0} of {1}: epoch {2} of {3}"),
            QT_TR_NOOP("Writing the merged model"),
            QT_TR_NOOP("{0} thread"),
            QT_TR_NOOP("{0} threads"),
            QT_TR_NOOP("{0}, without repacked weights, {1}, context {2}"),
            QT_TR_NOOP("{0}, {1}, context {2}"),
            QT_TR_NOOP("It was stopped. Begun again, it goes on where it was."),
            QT_TR_NOOP("The merge was stopped. Begun again, the same one goes on where it was."),
            QT_TR_NOOP("The training was stopped. Begun again, the same one goes on where it was."),
            QT_TR_NOOP("{0} The starter model answers."),
            QT_TR_NOOP("{0} Until then answers are not steered by your votes."),
            QT_TR_NOOP(
                "The chat has outgrown what the model can read at once: its oldest {0} messages "
                "are no longer part of the question."
            ),
            # Models that can be had, and getting them.
            QT_TR_NOOP("The best that this machine runs well"),
            QT_TR_NOOP("Small, and runs well here"),
            QT_TR_NOOP("Small and quick"),
            QT_TR_NOOP("Better answers, but too large for this machine"),
            QT_TR_NOOP("Better answers, but a tight fit for this machine"),
            QT_TR_NOOP("Reading {0}"),
            QT_TR_NOOP("Getting {0}"),
            QT_TR_NOOP("Connected to {0}."),
            QT_TR_NOOP("no such host"),
            QT_TR_NOOP("certificate refused"),
            QT_TR_NOOP("no TLS"),
            QT_TR_NOOP("no answer in time"),
            QT_TR_NOOP("broken off"),
            QT_TR_NOOP("closed by the other side"),
            QT_TR_NOOP("Nothing is downloaded with --offline. Leave it out to get the model."),
            QT_TR_NOOP(
                "Attune is set to work offline, so nothing is downloaded. Switch that off first."
            ),
            # What a profile changes.
            QT_TR_NOOP("preferences"),
            QT_TR_NOOP("strength"),
            QT_TR_NOOP("neutral"),
            QT_TR_NOOP("what matters"),
            QT_TR_NOOP("old votes"),
            QT_TR_NOOP("none"),
            QT_TR_NOOP("on"),
            QT_TR_NOOP("off"),
            QT_TR_NOOP("nothing set"),
            QT_TR_NOOP("count fully"),
            QT_TR_NOOP("count half once {0} are newer"),
        ),
    )
)
"""{0}, {1} … stand in this order for what the engine puts there."""

_SHARE = r"(?: \(\d+ %\)|\N{NO-BREAK SPACE}?\d+%)?"
_BETWEEN = r", | and | or "


def heard(text: str) -> str:
    """What the engine said, translated as far as it is known; names and all else stay."""
    if text in _known():
        return tr(text)
    for template, pattern in _patterns():
        if (found := pattern.fullmatch(text)) is not None:
            return tr(template).format(*map(heard, found.groups()))
    if _lists().fullmatch(text) is not None:
        return _list(text)
    if not text[:1].isupper():
        return text
    # At the beginning of a sentence.
    small = f"{text[:1].lower()}{text[1:]}"
    return text if (said := heard(small)) == small else _capital(said)


def setting(name: str) -> str:
    """The name of a candidate: how it is asked is translated, what its model is called stays."""
    parts = name.split(", ")
    for place in range(1, len(parts)):
        manner = ", ".join(parts[place:])
        if (said := heard(manner)) != manner:
            return ", ".join([*parts[:place], said])
    return name


def _list(text: str) -> str:
    """ "a, b and c", each of them known, perhaps with its share."""
    first, *rest = re.split(f"({_BETWEEN})(?={_word()}{_SHARE}(?:{_BETWEEN}|$))", text)
    said = _item(first)
    for link, item in zip(rest[::2], rest[1::2], strict=True):
        joined = {
            ", ": tr("{0}, {1}", "a list"),
            " and ": tr("{0} and {1}"),
            " or ": tr("{0} or {1}"),
        }[link]
        said = joined.format(said, _item(item))
    return said


def _item(text: str) -> str:
    found = re.fullmatch(f"({_word()})({_SHARE})", text)
    return f"{tr(found[1])}{found[2]}" if found is not None else text


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


@cache
def _known() -> frozenset[str]:
    return frozenset((*WORDS, *(text for text in SENTENCES if "{0}" not in text)))


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((text, _pattern(text)) for text in SENTENCES if "{0}" in text)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("(.*?)".join(map(re.escape, re.split(r"\{\d\}", template))), re.DOTALL)


@cache
def _lists() -> re.Pattern[str]:
    item = f"{_word()}{_SHARE}"
    return re.compile(f"{item}(?:(?:{_BETWEEN}){item})*")


@cache
def _word() -> str:
    """Any of the words, the longest first: some have an "and" inside."""
    return _alternatives(sorted(WORDS, key=len, reverse=True))


def _alternatives(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, words))})"
