"""The rows of the page "Settings", in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QLocale

from desktop.heard import heard
from desktop.languages import tr
from engine.api import Ready

Name = Literal[
    "language", "colours", "size", "send_key", "duel_every", "scope", "running", "threads",
    "context", "cpu_only", "offline", "folder", "temperature", "max_tokens", "reset",
]  # fmt: skip

KNOWING: tuple[Name, ...] = ("temperature", "max_tokens")
"""Rows that are folded away: most never need them."""

TEMPERATURES = (0.3, 0.7, 1.0)
"""Steady, usual, lively."""

LENGTHS = (256, 512, 1024, 2048, 4096)
"""Tokens of an answer at most that are on offer."""

CONTEXTS = (0, 2048, 4096, 8192, 16384, 32768)
"""Tokens on offer; 0 is the usual number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of the page.

    told   what it does, in a sentence
    words  by which it is found, too
    """

    title: str
    told: str
    words: str

    def fits(self, wanted: str) -> bool:
        """Whether every word that is typed is in it somewhere."""
        here = f"{self.title} {self.told} {self.words}".casefold()
        return all(word in here for word in wanted.casefold().split())


def entries() -> dict[Name, Entry]:
    """All rows, from top to bottom."""
    return {**_looks(), **_asking(), **_running(), **_keeping(), **_drawing(), **_resetting()}


def paces() -> dict[int, str]:
    """How often two answers are shown at most: once in so many questions."""
    return {
        0: tr("Never"),
        10: tr("Rarely (every 10th)"),
        3: tr("Sometimes (every 3rd)"),
        1: tr("Often (every question)"),
    }


def running(ready: Ready | None, *, loading: bool) -> str:
    """What the model at hand runs on."""
    if loading:
        return tr("A model is being loaded.")
    if ready is None:
        return tr("No model is loaded.")
    context = QLocale().toString(ready.context)
    said = tr("{0} runs on {1}, with room for {2} tokens.")
    return said.format(ready.name, heard(ready.device), context)


def threads(count: int) -> str:
    return QLocale().toString(count) if count else tr("Automatic")


def context(tokens: int) -> str:
    return tr("{0} tokens").format(QLocale().toString(tokens)) if tokens else tr("Automatic")


def temperatures() -> list[str]:
    """Words for TEMPERATURES."""
    said = (tr("Steady ({0})"), tr("Usual ({0})"), tr("Lively ({0})"))
    return [word.format(_number(t)) for word, t in zip(said, TEMPERATURES, strict=True)]


def drawn(temperature: float) -> str:
    """What the temperature does, and which it is."""
    said = tr("Low keeps to likely words, high strays further. From the next answer on: {0}.")
    return said.format(_number(temperature))


def length(most: int) -> str:
    """How long an answer may be."""
    words = (tr("Short"), tr("Usual"), tr("Long"), tr("Longer"), tr("Longest"))
    known = dict(zip(LENGTHS, words, strict=True))
    if most not in known:
        return context(most)
    return tr("{0}, {1} tokens").format(known[most], QLocale().toString(most))


def _number(value: float) -> str:
    return QLocale().toString(value, "g", 3)


def size(scale: float) -> str:
    """How large text is, as a share of the system's."""
    return tr("Now {0} % of the system's.").format(QLocale().toString(round(100 * scale)))


def _looks() -> dict[Name, Entry]:
    return {
        "language": Entry(
            title=tr("Language"),
            told=tr("Of the window, from the next start."),
            words=tr("translation locale English Deutsch"),
        ),
        "colours": Entry(
            title=tr("Look"),
            told=tr("Light or dark, or whichever the system has."),
            words=tr("colours theme appearance night mode"),
        ),
        "size": Entry(
            title=tr("Text size"),
            told=tr("Of everything in the window."),
            words=tr("zoom font larger smaller scale"),
        ),
    }


def _asking() -> dict[Name, Entry]:
    return {
        "send_key": Entry(
            title=tr("Send with"),
            told=tr("With Enter, Shift+Enter begins a new line; with Ctrl+Enter, Enter does."),
            words=tr("key keyboard return newline question"),
        ),
        "duel_every": Entry(
            title=tr("Two answers"),
            told=tr("How often you are shown two answers to compare, at most."),
            words=tr("votes comparison duel thumbs rate"),
        ),
        "scope": Entry(
            title=tr("What a new chat's votes teach"),
            told=tr("For chats that you begin; the Learning menu changes it for one chat."),
            words=tr("scope learning private off memory"),
        ),
    }


def _running() -> dict[Name, Entry]:
    return {
        "running": Entry(
            title=tr("What runs now"),
            told="",
            words=tr("model cpu gpu device speed"),
        ),
        "threads": Entry(
            title=tr("Threads"),
            told=tr("At most so many; the model is loaded again."),
            words=tr("cpu cores processor speed performance"),
        ),
        "context": Entry(
            title=tr("Context"),
            told=tr("How much of a chat the model reads; more takes memory, and it loads again."),
            words=tr("tokens length window memory ram"),
        ),
        "cpu_only": Entry(
            title=tr("Graphics card"),
            told=tr("Used where that works; the model is loaded again."),
            words=tr("gpu layers vulkan cuda metal cpu only"),
        ),
    }


def _keeping() -> dict[Name, Entry]:
    return {
        "offline": Entry(
            title=tr("Network"),
            told=tr("Offline, Attune's download program is never started; all else works."),
            words=tr("internet connection privacy models get"),
        ),
        "folder": Entry(
            title=tr("Data folder"),
            told="",
            words=tr("files path location storage backup"),
        ),
    }


def _drawing() -> dict[Name, Entry]:
    return {
        "temperature": Entry(
            title=tr("How freely words are chosen"),
            told="",
            words=tr("temperature sampling random creative steady lively"),
        ),
        "max_tokens": Entry(
            title=tr("Length of an answer"),
            told=tr("It ends after so many tokens; four are about three words."),
            words=tr("max tokens limit maximum long short"),
        ),
    }


def _resetting() -> dict[Name, Entry]:
    return {
        "reset": Entry(
            title=tr("As at first"),
            told=tr("All of these settings but the network; what was said and learned stays."),
            words=tr("reset defaults restore factory"),
        ),
    }
