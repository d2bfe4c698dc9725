"""Traits: the directions of style that votes can teach.

The sentences of the built-in ones are kept word for word: how strongly a model follows a sentence
depends on its wording, and these were chosen by measuring what they do to answers.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable

from engine.errors import InvalidParameter, UnknownTrait
from engine.types.learning import Trait

MAX_TRAITS = 12
"""In all: each one has to be asked about, and owners do not vote for ever."""

MAX_LENGTH = 300
"""Characters of a sentence; a preference is a sentence, not a document."""

BUILT_IN: tuple[Trait, ...] = (
    Trait(
        id="short",
        more="shorter answers",
        less="longer answers",
        sentence="Answer in one or two sentences.",
        opposite="Answer at length and in great detail.",
        visible=1.0,
    ),
    Trait(
        id="lists",
        more="bulleted lists",
        less="flowing paragraphs",
        sentence="Your answer should be a list of short bullet points.",
        opposite="Your answer should be one flowing paragraph.",
        visible=0.9,
    ),
    Trait(
        id="formal",
        more="a formal tone",
        less="a casual tone",
        sentence="Use a formal, professional tone.",
        opposite="Use a casual, chatty tone, as to a friend.",
        visible=0.9,
    ),
    Trait(
        id="simple",
        more="simple words",
        less="technical words",
        sentence="Your answer should be easy to understand.",
        opposite="Use precise technical vocabulary.",
        visible=0.8,
    ),
    Trait(
        id="headings",
        more="headings and bold words",
        less="plain text",
        sentence="Use headings and bold key words.",
        opposite="Write plain text without headings or bold words.",
        visible=0.8,
    ),
    Trait(
        id="warm",
        more="a warm tone",
        less="a neutral tone",
        sentence="Be warm and friendly.",
        opposite="Be neutral and matter-of-fact, without any emotion.",
        visible=0.7,
    ),
    Trait(
        id="vivid",
        more="vivid images",
        less="plain, literal wording",
        sentence="Use vivid images and metaphors.",
        opposite="Use plain, literal language.",
        visible=0.7,
    ),
    Trait(
        id="careful",
        more="cautious wording",
        less="direct wording",
        sentence="Be cautious: say what may, might or could be otherwise.",
        opposite="Be direct and certain, without hedging.",
        visible=0.6,
    ),
    Trait(
        id="personal",
        more="speaking to you",
        less="impersonal wording",
        sentence='Speak to the reader as "you".',
        opposite="Write impersonally, never addressing the reader.",
        visible=0.5,
    ),
    Trait(
        id="figures",
        more="numbers and dates",
        less="no numbers",
        sentence="Give numbers, dates and figures.",
        opposite="Do not use any numbers.",
        visible=0.5,
    ),
)

_SHOWN = 40
_SLUG = 24
_OWN_VISIBLE = 0.7

_REFUSED = (
    "Attune learns how answers are written, never whether they agree with you. "
    "Say how answers should read instead."
)

# Wishes about agreement, in English. Those *against* it are refused as well ("never flatter me"):
# a trait has two poles, and votes could push it to the other one.
_I_AM = r"\bi(?:'m| am| was)\b"
_GOOD = (
    r"\b(?:right|correct|smart|clever|brilliant|great|amazing|wonderful|perfect|special"
    r"|intelligent|wise|genius|the best)\b"
)
_MINE = (
    r"(?:my (?:\w+ )?(?:opinions?|views?|beliefs?|ideas?|decisions?|choices?|positions?|side)\b"
    r"|(?:what|whatever|everything|anything) i (?:think|say|believe|write|want|do)\b)"
)
_NEVER = r"\b(?:never|not|don't|dont|without|stop|avoid)\b"
_AGREEMENT = re.compile(
    "|".join(
        (
            r"\b(?:dis)?agree(?:s|ing|ment)? (?:with|to) (?:me|my|mine|us|our|all|what|whatever"
            r"|every|everything|anything|the (?:user|reader|owner))\b",
            r"\b(?:always|never|just|only|please|not|don't|dont|must|should) (?:dis)?agree\b",
            r"^(?:dis)?agree\b",
            r"\bcontradict(?:s|ing)? (?:me|my|mine|us|our|what)\b",
            rf"{_NEVER} (?:ever )?(?:contradict(?:ing)?\b|oppos(?:e|ing) |object(?:ing)? to "
            r"|argu(?:e|ing)(?: with|$))",
            rf"{_NEVER}.{{0,20}}\b(?:tell|say)\w*\b.{{0,20}}{_I_AM}.{{0,20}}\b(?:wrong|mistaken)\b",
            rf"{_NEVER}.{{0,20}}\b(?:challeng|criticis|criticiz|doubt|question|correct)\w* (?:me\b"
            rf"|{_MINE})",
            r"\b(?:prais(?:e|es|ing)|flatter(?:s|y|ing)?|sycophan\w+|compliment(?:s|ing)?"
            r"|admir(?:e|es|ing|ation)|applaud\w*|worship\w*)\b",
            rf"\b(?:tell|telling|say|saying|assure|assuring|confirm|admit|pretend)\b.{{0,40}}"
            rf"(?:{_I_AM}|\bmy (?:\w+ ){{1,2}}(?:is|are)\b).{{0,20}}{_GOOD}",
            rf"\b(?:assume|believe|think|act)\b.{{0,20}}{_I_AM}.{{0,10}}\b(?:right|correct)\b",
            rf"\bmake me feel (?:\w+ ){{0,2}}(?:good|important|proud|{_GOOD})",
            r"\bwhat i want to hear\b|\bnice things about (?:me|my)\b",
            rf"\bhow {_GOOD} (?:i am|my \w+ (?:is|are))\b",
            rf"\bcall me (?:\w+ ){{0,3}}{_GOOD}",
            r"\b(?:always|only|just) (?:say|answer|reply)(?: with)? [\"']?yes\b",
            r"\bnever (?:say|answer) [\"']?no\b",
            r"\byes[- ]?man\b",
            r"\b(?:take|taking|on) my side\b|\bside with (?:me|my)\b|\bsame side as (?:me|i)\b",
            rf"\b(?:validat|affirm|confirm|support|shar|approv|endors|defend)\w* (?:of )?{_MINE}",
            r"\b(?:validat|affirm)\w* me\b",
        )
    )
)


def own(sentence: str, *, existing: Collection[str]) -> Trait:
    """A trait in the owner's own words.

    sentence  what answers should be like; white space is tidied, nothing else is changed
    existing  the sentence of every trait there is, built-in and own, one for each

    Raises InvalidParameter when the sentence is empty, longer than MAX_LENGTH, not valid Unicode
    or already there, when there are MAX_TRAITS, and when it asks for agreement or flattery; that
    check knows English only.
    """
    text = _cleaned(sentence)
    _check_new(text, existing)
    if _AGREEMENT.search(_plain(text).replace("’", "'")):
        raise InvalidParameter(_REFUSED)
    shown = _shortened(text)
    return Trait(
        id=_identity(text),
        more=shown,
        less=f"not: {shown}",
        sentence=text,
        visible=_OWN_VISIBLE,
        own=True,
    )


def find(trait_id: str, traits: Iterable[Trait]) -> Trait:
    """The trait of that id. Raises UnknownTrait, naming those there are."""
    known = {trait.id: trait for trait in traits}
    if trait_id not in known:
        raise UnknownTrait(
            f"There is no trait {trait_id!r}. Known are {', '.join(known) or 'none yet'}."
        )
    return known[trait_id]


def _cleaned(sentence: str) -> str:
    try:
        sentence.encode()
    except UnicodeEncodeError as error:
        raise InvalidParameter(
            "The sentence is not valid Unicode. Type it again.", detail=str(error)
        ) from error
    shown = "".join(" " if unicodedata.category(char) == "Cc" else char for char in sentence)
    text = " ".join(shown.split())
    if not any(char.isalnum() for char in text):
        raise InvalidParameter("The sentence is empty. Say in a few words how answers should be.")
    if len(text) > MAX_LENGTH:
        raise InvalidParameter(
            f"The sentence has {len(text)} characters, but {MAX_LENGTH} are the most."
        )
    return text


def _check_new(text: str, existing: Collection[str]) -> None:
    if len(existing) >= MAX_TRAITS:
        raise InvalidParameter(
            f"There are {len(existing)} traits, and {MAX_TRAITS} are the most. Remove one first."
        )
    poles = {_plain(trait.sentence): trait.more for trait in BUILT_IN}
    poles |= {_plain(trait.opposite): trait.less for trait in BUILT_IN}
    known = {_plain(each): _shortened(each) for each in existing} | poles
    if (name := known.get(_plain(text))) is not None:
        raise InvalidParameter(f'There is already a trait with this sentence: "{name}".')


def _plain(text: str) -> str:
    """Equal for sentences that only differ in case, width, white space or the full stop."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.split()).rstrip(".!… ")


def _shortened(text: str) -> str:
    """For a button: at most _SHOWN characters, cut between words where there are words."""
    text = text.rstrip(". ")
    if len(text) <= _SHOWN:
        return text
    cut = text[: _SHOWN - 1]
    if not text[_SHOWN - 1].isspace() and " " in cut:
        cut = cut[: cut.rindex(" ")]
    return cut.rstrip(" ,;:–-") + "…"


def _identity(text: str) -> str:
    """The same for the same sentence on every machine, and legible in the record."""
    plain = _plain(text)
    ascii_only = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")
    if len(slug) > _SLUG:
        slug = slug[: _SLUG + 1].rpartition("-")[0] or slug[:_SLUG]
    digest = hashlib.sha256(plain.encode()).hexdigest()[:8]
    return "-".join(part for part in ("own", slug, digest) if part)
