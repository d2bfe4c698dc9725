"""What can be measured of an answer's style: counts, a formula, and how different two answers look.

No library: those for readability and sentiment bring syllable dictionaries, downloads of corpora
or web clients, while the formula of Flesch (1948) and counts of words are a few lines. The word
lists are short, English and our own. They see a habit in an answer of some length, not the meaning
of a sentence: "not happy" counts as a warm word, and possessive 's is not told from a contraction.

For other languages only length, lists, headings and numbers mean something; `scores` leaves the
rest out. Every pattern runs in time linear in the text, and any Unicode is safe.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

FEW_WORDS = 20
"""Rates take a shorter answer as if it had so many: one hit in five words is not a habit."""

WINDOW = 25
"""Words; the stretch in which distinct words are counted."""

SAME = 0.15
"""Answers that differ less are not worth a vote: one word in seven, or a paragraph break.

A reader has to search for such a difference, so the vote would mostly be noise. Two answers that a
model wrote under different settings hardly ever come so near: they differ by 0.6 to 0.9.
"""

_COMPARED = 5_000
"""Words; what two answers are like shows long before."""

# Word lists ---------------------------------------------------------------------------------


def _list(words: str) -> frozenset[str]:
    return frozenset(words.split())


_ENGLISH = _list(
    "the and to with for you this are that be from your can not it as by their have or which"
)
_CONTRACTED = _list(
    "it's that's there's here's what's who's where's how's he's she's let's gonna wanna gotta "
    "dunno kinda sorta y'all"
)
_CASUAL = _list(
    "hey hi yeah yep nope ok okay cool awesome stuff lol wow guys folks buddy pal totally super "
    "pretty bit tons bunch anyway basically honestly guess sure huh oh"
)
_FORMAL = _list(
    "therefore furthermore moreover consequently thus hence regarding additionally upon shall "
    "whereas nevertheless accordingly pursuant respective respectively subsequently thereby "
    "wherein utilize utilise ensure facilitate adhere recommend recommended essential crucial "
    "appropriate sufficient individuals however professional"
)
_HEDGES = _list(
    "may might could perhaps possibly probably likely unlikely usually often sometimes generally "
    "typically seem seems appear appears suggest suggests maybe somewhat roughly approximately "
    "potentially unclear uncertain tend tends presumably arguably depends depending"
)
_CERTAIN = _list(
    "always never definitely certainly clearly obviously must undoubtedly absolutely surely "
    "guaranteed every exactly undeniably proven"
)
_WARM = _list(
    "glad happy hope wonderful lovely great enjoy enjoying love loving dear friend friends welcome "
    "thank thanks please sorry caring feel feeling together delightful warm warmly kind gentle "
    "cheer cheers sweet proud smile exciting excited joy joyful beautiful comfort cozy cosy luck "
    "heart hug cherish"
)
_IMAGES = _list(
    "golden silver shimmering shimmer whisper whispers whispering dance dances dancing glow "
    "glowing sparkle sparkling velvet tapestry symphony canvas painted paint bloom blooming ocean "
    "river storm fire flame flames sunlight moonlight sunset dawn rainbow crimson emerald "
    "fragrant aroma lush vibrant melody gentle giant dragon treasure journey bridge blanket "
    "shadow shadows heartbeat breath silk crystal jewel magic magical imagine"
)
_YOU = _list("you your yours yourself yourselves you're you've you'll you'd")
_NUMBERS = _list(
    "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty "
    "seventy eighty ninety hundred hundreds thousand thousands million millions billion percent"
)

# Patterns -----------------------------------------------------------------------------------

_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3040-\ua4cf\uf900-\ufaff"
_UNSPACED += r"\U00020000-\U0003ffff"
_LETTER = rf"[^\W_{_UNSPACED}]"
_MARK = (
    r"\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u200c\u200d"
)
_SPACED_WORD = rf"{_LETTER}+(?:(?:['’-]|[{_MARK}]+|(?<=\d)[.,:/](?=\d)){_LETTER}+)*"
# Where words are not spaced, two characters are about a word.
_WORD = re.compile(rf"[{_UNSPACED}]{{1,2}}|{_SPACED_WORD}")
_SEEN = re.compile(rf"[{_UNSPACED}]|{_SPACED_WORD}|[^\w\s]")
_FENCE = re.compile(r"```|~~~")
_RULE = re.compile(r"[-=_*]{3,}")
_ITEM = re.compile(r"(?:[-*+•–]|\(?\d{1,3}[.)]|\(?[A-Za-z]\))\s+")
_HEADING = re.compile(r"#{1,6}\s+|\*\*[^*]{1,200}\*\*:?$|__[^_]{1,200}__:?$")
_BOLD = re.compile(r"\*\*[^*]{1,200}\*\*|__[^_]{1,200}__")
_LINK = re.compile(r"\[([^\[\]]{0,200})\]\([^()\s]{0,500}\)")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_MARKUP = re.compile(r"[*_`#]+")
_SHORTENED = re.compile(r"\b(e\.g|i\.e|etc|vs|dr|mr|mrs|ms|st|approx|no)\.(?=\s)", re.IGNORECASE)
_STOP = re.compile(r"[.!?…]+[\"'”’)\]]?(?=\s|$)|[。！？]+")
_NUMBER = re.compile(r"(?<!\w)\d+(?:[.,:/]\d+)*")
_EMOJI = re.compile(r"[\U0001f300-\U0001faff\u2600-\u27bf]")
_PAUSE = re.compile(r"[,;:，、；()（]")
_SIMILE = re.compile(
    r"\b(?:like an? |as if |as though |as (?!well|soon|long|far|many|much|such)\w{1,20} as )",
    re.IGNORECASE,
)
_VOWELS = re.compile(r"[aeiouyáéíóúàèäëïöü]+")
_SILENT = re.compile(r"[^aeiouyl]e(?:s|d)?$")

# What is measured ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Counts and rates of one answer. "_per_100" is per 100 words of prose, FEW_WORDS at least.

    words               all of them, code included; ≥ 0
    sentences           a list line or a heading is at least one; ≥ 0
    paragraphs          stretches of prose between empty lines; a whole list counts once
    blocks              paragraphs, with each list line and heading counted
    list_lines, headings, bold   a line that is bold throughout is a heading
    numbers             in digits, or English words from two on; not those that number a list
    questions, exclamations, emoji
    words_per_sentence  ≥ 0
    words_per_stop      the same, but a list line without a full stop ends no sentence, so that a
                        list of names does not pass for short sentences
    pauses_per_100      commas, semicolons, colons and opening brackets
    contractions_per_100, casual_per_100, formal_per_100, second_person_per_100,
    hedges_per_100, certain_per_100, warm_per_100, images_per_100   English word lists; images
                        are words of the senses and comparisons ("like a")
    long_word_share     words of more than six letters, in [0, 1]
    syllables_per_word  by groups of vowels; ≥ 1 where there are words, else 0
    flesch              reading ease, 206.835 − 1.015 words/sentence − 84.6 syllables/word, kept in
                        [−100, 122]; about 90 is easy, 30 is hard (Flesch 1948); 0 without words
    distinct_share      different words among all, in [0, 1]; falls with length
    window_distinct_share  the same in every stretch of WINDOW words, on average, in [0, 1]:
                        hardly depends on length (Covington and McFall 2010)
    repeated_triples    share of triples of words that occurred before, in [0, 1]; 0.3 is a loop
    english             the word lists apply
    """

    words: int
    sentences: int
    paragraphs: int
    blocks: int
    list_lines: int
    headings: int
    bold: int
    numbers: int
    questions: int
    exclamations: int
    emoji: int
    words_per_sentence: float
    words_per_stop: float
    pauses_per_100: float
    contractions_per_100: float
    casual_per_100: float
    formal_per_100: float
    second_person_per_100: float
    hedges_per_100: float
    certain_per_100: float
    warm_per_100: float
    images_per_100: float
    long_word_share: float
    syllables_per_word: float
    flesch: float
    distinct_share: float
    window_distinct_share: float
    repeated_triples: float
    english: bool


def per_100(count: float, words: int) -> float:
    """So many in 100 words; an answer below FEW_WORDS words is taken as if it had FEW_WORDS."""
    return 100.0 * count / max(words, FEW_WORDS)


def measures(text: str) -> Measures:
    """Everything measured of an answer in Markdown; the same for the same text. 100 KB: < 0.1 s."""
    page = _page(text)
    prose = "\n".join(block.text for block in page.blocks)
    words = [word.lower().replace("’", "'") for word in _WORD.findall(prose)]
    counts = Counter(words)
    length = len(words)
    ends = [(block.kind, *_ends(block.text)) for block in page.blocks]
    sentences = sum(stopped + trailing for _, stopped, trailing in ends)
    stops = sum(stopped + (trailing and kind == "text") for kind, stopped, trailing in ends)
    per_word = _syllables_per_word(counts)
    per_sentence = length / sentences if sentences else 0.0

    def rate(listed: Iterable[str], more: int = 0) -> float:
        return per_100(sum(counts[word] for word in listed) + more, length)

    return Measures(
        words=length + len(_WORD.findall(page.code)),
        sentences=sentences,
        paragraphs=page.paragraphs,
        blocks=len(page.blocks),
        list_lines=page.count("item"),
        headings=page.count("heading"),
        bold=page.bold,
        numbers=len(_NUMBER.findall(prose)) + sum(counts[word] for word in _NUMBERS),
        questions=len(re.findall(r"[?？؟]+", prose)),
        exclamations=len(re.findall(r"[!！]+", prose)),
        emoji=len(_EMOJI.findall(prose)),
        words_per_sentence=per_sentence,
        words_per_stop=length / max(stops, 1),
        pauses_per_100=per_100(len(_PAUSE.findall(prose)), length),
        contractions_per_100=rate(word for word in counts if _contracted(word)),
        casual_per_100=rate(_CASUAL),
        formal_per_100=rate(_FORMAL),
        second_person_per_100=rate(_YOU),
        hedges_per_100=rate(_HEDGES),
        certain_per_100=rate(_CERTAIN),
        warm_per_100=rate(_WARM),
        images_per_100=rate(_IMAGES, more=len(_SIMILE.findall(prose))),
        long_word_share=_share(sum(n for word, n in counts.items() if len(word) > 6), length),
        syllables_per_word=per_word,
        flesch=_flesch(per_sentence, per_word),
        distinct_share=_share(len(counts), length),
        window_distinct_share=_window_distinct(words),
        repeated_triples=_repeated_triples(words),
        english=_is_english(counts, length),
    )


# Scores of the built-in traits --------------------------------------------------------------


def _formal(m: Measures) -> float:
    loose = m.contractions_per_100 + m.casual_per_100 + per_100(m.exclamations + m.emoji, m.words)
    return m.formal_per_100 - loose


def _warm(m: Measures) -> float:
    return m.warm_per_100 + per_100(0.5 * m.exclamations + m.emoji, m.words)


_SCORES: dict[str, Callable[[Measures], float]] = {
    "short": lambda m: -math.log1p(m.words),
    "lists": lambda m: _share(m.list_lines, m.blocks),
    "formal": _formal,
    "simple": lambda m: m.flesch - 100.0 * m.long_word_share,
    "headings": lambda m: per_100(m.headings + m.bold, m.words),
    "warm": _warm,
    "vivid": lambda m: m.images_per_100,
    "careful": lambda m: m.hedges_per_100 - m.certain_per_100,
    "personal": lambda m: m.second_person_per_100,
    "figures": lambda m: per_100(m.numbers, m.words),
}
_ANY_LANGUAGE = frozenset({"short", "lists", "headings", "figures"})


def scores(text: str) -> dict[str, float]:
    """How much of each built-in trait's first pole is in a text; higher is more.

    Each trait has a unit of its own: scores of one trait may be compared, those of two may not.
    A trait is left out where its score would mean nothing: there are no words, or they are in a
    language that we do not count.
    """
    found = measures(text)
    if not found.words:
        return {}
    return {
        trait_id: scored(found)
        for trait_id, scored in _SCORES.items()
        if found.english or trait_id in _ANY_LANGUAGE
    }


# Two answers --------------------------------------------------------------------------------


def difference(first: str, second: str) -> float:
    """How different two answers look to a reader: 0 identical, 1 nothing in common. Symmetric.

    d = 1 − (1 − w)(1 − l/2), with

    w = 1 − 2·c/(n₁ + n₂): c words and signs in common in the same order (longest common
    subsequence) of n₁ and n₂; capitals do not count
    l = Σ|a_k − b_k| / (4 + Σ(a_k + b_k)) over the numbers of list lines, headings, bold words,
    paragraphs and pieces of code; the 4 keeps a single paragraph break small

    Only the first 5,000 words are compared. Not difflib: its result depends on the order of the
    two, and texts that repeat themselves take it seconds.
    """
    if first == second:
        return 0.0
    pages = _page(first), _page(second)
    wording = _wording(_seen(pages[0]), _seen(pages[1]))
    layouts = _layout(pages[0]), _layout(pages[1])
    apart = sum(abs(a - b) for a, b in zip(*layouts, strict=True))
    look = apart / (4 + sum(map(sum, layouts)))
    return 1.0 - (1.0 - wording) * (1.0 - 0.5 * look)


def _wording(first: list[str], second: list[str]) -> float:
    if not first and not second:
        return 0.0
    return 1.0 - 2.0 * _common(first, second) / (len(first) + len(second))


def _common(first: list[str], second: list[str]) -> int:
    """Length of the longest common subsequence, a whole row of the table in one integer.

    Bit i of `free` is 0 where the row steps up at first[i] (Hyyrö 2004). Time is the product of
    the lengths over 64, whatever the words.
    """
    places: dict[str, int] = {}
    for i, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << i
    every = (1 << len(first)) - 1
    free = every
    for word in second:
        matched = free & places.get(word, 0)
        free = ((free + matched) | (free - matched)) & every
    return len(first) - free.bit_count()


def _seen(page: _Page) -> list[str]:
    text = "\n".join([*(block.text for block in page.blocks), page.code])
    return [word.casefold() for word in _SEEN.findall(text)[:_COMPARED]]


def _layout(page: _Page) -> tuple[int, ...]:
    kinds = page.count("item"), page.count("heading"), page.count("text")
    return *kinds, page.bold, int(bool(page.code))


# Reading Markdown ---------------------------------------------------------------------------


class _Block(NamedTuple):
    kind: Literal["item", "heading", "text"]
    text: str


class _Page(NamedTuple):
    """An answer taken apart; an open fence runs to the end, since answers get cut off."""

    blocks: list[_Block]
    code: str
    bold: int
    paragraphs: int

    def count(self, kind: str) -> int:
        return sum(block.kind == kind for block in self.blocks)


def _page(text: str) -> _Page:
    blocks: list[_Block] = []
    code: list[str] = []
    paragraph: list[str] = []
    bold = 0
    fenced = False

    def close() -> None:
        if paragraph:
            blocks.append(_Block("text", _undressed(" ".join(paragraph))))
            paragraph.clear()

    for line in map(str.strip, text.splitlines()):
        if _FENCE.match(line):
            close()
            fenced = not fenced
        elif fenced:
            code.append(line)
        elif not line or _RULE.fullmatch(line):
            close()
        elif (block := _single(line)) is not None:
            close()
            blocks.append(block)
            bold += len(_BOLD.findall(line)) if block.kind == "item" else 0
        else:
            paragraph.append(line)
            bold += len(_BOLD.findall(line))
    close()
    return _Page(blocks, "\n".join(code), bold, _paragraphs(blocks))


def _single(line: str) -> _Block | None:
    """A line that stands for itself: of a list, or a heading."""
    if _HEADING.match(line):
        return _Block("heading", _undressed(line))
    if found := _ITEM.match(line):
        return _Block("item", _undressed(line[found.end() :]))
    return None


def _undressed(text: str) -> str:
    """Without what Markdown does not show: signs of emphasis, addresses."""
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    return _MARKUP.sub(" ", _ADDRESS.sub(" ", text))


def _paragraphs(blocks: list[_Block]) -> int:
    kinds = [block.kind for block in blocks if block.kind != "heading"]
    return sum(kind == "text" or i == 0 or kinds[i - 1] == "text" for i, kind in enumerate(kinds))


# Counting -----------------------------------------------------------------------------------


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0


def _ends(block: str) -> tuple[int, bool]:
    """How many sentences end in a stop, and whether words follow the last."""
    text = _SHORTENED.sub(r"\1", block) if "." in block else block
    count = 0
    start = 0
    for stop in _STOP.finditer(text):
        count += _WORD.search(text, start, stop.start()) is not None
        start = stop.end()
    return count, _WORD.search(text, start) is not None


def _contracted(word: str) -> bool:
    return word in _CONTRACTED or word.endswith(("n't", "'re", "'ve", "'ll", "'d", "'m"))


def _syllables(word: str) -> int:
    groups = len(_VOWELS.findall(word))
    silent = groups > 1 and _SILENT.search(word) is not None and not word.endswith(("ted", "ded"))
    return max(1, groups - silent)


def _syllables_per_word(counts: Counter[str]) -> float:
    """Of words; digits are left out."""
    spelled = {word: n for word, n in counts.items() if not word[0].isdigit()}
    total = sum(n * _syllables(word) for word, n in spelled.items())
    return _share(total, sum(spelled.values()))


def _flesch(per_sentence: float, per_word: float) -> float:
    if per_sentence == 0.0:
        return 0.0
    ease = 206.835 - 1.015 * per_sentence - 84.6 * per_word
    return min(122.0, max(-100.0, ease))


def _window_distinct(words: list[str]) -> float:
    if len(words) <= WINDOW:
        return _share(len(set(words)), len(words))
    inside = Counter(words[:WINDOW])
    total = len(inside)
    for gone, come in zip(words, words[WINDOW:], strict=False):
        inside[gone] -= 1
        if not inside[gone]:
            del inside[gone]
        inside[come] += 1
        total += len(inside)
    return total / (WINDOW * (len(words) - WINDOW + 1))


def _repeated_triples(words: list[str]) -> float:
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return _share(len(triples) - len(set(triples)), len(triples))


def _is_english(counts: Counter[str], length: int) -> bool:
    """By its small words; too few words to tell are taken as English where they are ASCII."""
    small = sum(counts[word] for word in _ENGLISH)
    if small >= 0.07 * length and small:
        return True
    return 0 < length < WINDOW and all(word.isascii() for word in counts)
