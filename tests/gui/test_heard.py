"""What the engine says is known to those who translate, word for word; all else is left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QTranslator
from PySide6.QtWidgets import QApplication

from desktop.heard import SENTENCES, WORDS, heard, setting
from engine.api import Launch, certified, describe_launch, worst_served
from engine.inference import death
from engine.preference.traits import BUILT_IN
from engine.session import objectives
from engine.session.importing import _NAMES as SETTINGS
from engine.store.changes import _TAKEN_BACK, in_words
from tests.gui.scripted_engine import WHY
from tests.gui.scripted_portfolio import portfolio
from tests.gui.translating import PLACEHOLDER, pseudo


@pytest.fixture(scope="module")
def brackets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pseudo(tmp_path_factory.mktemp("pseudo"))


@pytest.fixture
def foreign(qapp: QApplication, brackets: Path) -> Iterator[None]:
    """Every text that is known comes out in brackets."""
    translator = QTranslator()
    assert translator.load(str(brackets))
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


def untranslated(text: str) -> str:
    """What is left of it without what is in brackets; names of models are in braces here."""
    said, before = heard(text), None
    while said != before:
        before, said = said, re.sub("⟦[^⟦⟧]*⟧", "", said)
    return re.sub(r"[\d\s%→,;:.()]|„|“", "", said)


@given(st.text(max_size=80))
def test_in_english_the_engine_s_own_words_stay(text: str) -> None:
    assert heard(text) == text


@pytest.mark.parametrize("text", [*WORDS, *SENTENCES])
def test_in_english_what_is_known_stays_too(text: str) -> None:
    said = PLACEHOLDER.sub("shorter answers", text)
    assert heard(said) == said


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize(
    "text",
    [pole for trait in BUILT_IN for pole in (trait.more, trait.less)]
    + [f"{trait.more} or {trait.less}" for trait in BUILT_IN]
    + list(objectives._ADJECTIVES.values())
    + [objective.name for objective in portfolio().objectives]
    + list(SETTINGS.values()),
)
def test_the_engine_s_words_are_known(text: str) -> None:
    assert untranslated(text) == ""
    assert untranslated(f"{text[0].upper()}{text[1:]}") == ""


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize("kind", [*_TAKEN_BACK, "another"])
def test_what_undo_takes_back_is_known(kind: str) -> None:
    if kind not in ("reset", "another"):
        assert untranslated(in_words(kind, body="{}", trait="shorter or longer answers")) == ""
    if kind not in ("forget", "add_trait", "remove_trait", "import"):  # they are about something
        assert untranslated(in_words(kind, body="{}", trait=None)) == ""


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize(
    "text",
    [
        WHY,
        "One answer leans to a warm tone, the other does not.",
        "You seem to like shorter answers (78 % sure); this would tell.",
        "Shorter answers: 60 % → 71 % sure.",
        "Shorter answers: still over 99 % sure.",
        "Shorter answers: 60 % → 71 % sure; a warm tone: 50 % → 66 %.",
        "because you like headings and bold words and good answers",
        "best at numbers and dates and good answers",
        "shorter answers (60 %) and good answers (40 %)",
        certified(portfolio()),
        worst_served(portfolio()),
        "It was stopped. Begun again, it goes on where it was.",
    ],
)
def test_sentences_of_the_engine_are_known(text: str) -> None:
    assert untranslated(text) == ""


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize("extra_bufts", [True, False])
def test_how_a_model_was_loaded_is_known(extra_bufts: bool) -> None:
    launch = Launch(variant="haswell", threads=4, extra_bufts=extra_bufts)
    said = heard(describe_launch(launch))
    assert untranslated(said) == ""
    assert "CPU (haswell)" in said


@pytest.mark.usefixtures("foreign")
def test_names_and_unknown_sentences_stay_as_they_are() -> None:
    for text in ("Qwen2.5 0.5B", "bread and butter", "The disk is full.", "{0}", "", "⟦a⟧"):
        assert heard(text) == text
    assert "Gemma" in heard("Gemma needs 3.0 GB of memory; this computer has 2.0.")
    assert heard('the import of "warm"').count('"warm"') == 1


@pytest.mark.usefixtures("foreign")
def test_of_a_setting_the_model_keeps_its_name() -> None:
    assert setting("SmolLM2, short and warm (strength 3)").startswith("SmolLM2, ⟦")
    assert setting("a, b, plain").startswith("a, b, ⟦")
    assert setting("a, b, c") == "a, b, c"
    assert setting("short") == "short"


def test_no_sentence_shadows_another() -> None:
    """Each, filled in, is read by its own pattern."""
    for number, text in enumerate(SENTENCES):
        slots = re.findall(r"\{(\d)\}", text)
        assert slots == [str(place) for place in range(len(slots))], text
        assert text not in SENTENCES[:number]


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize("text", [*death._SENTENCES.values(), death._KILLED])
def test_how_a_process_ended_is_known(text: str) -> None:
    assert untranslated(text) == ""


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize(
    "next_step",
    [
        " It is being started again; ask again when it is back.",
        " The text so far is kept. It is being started again; ask again when it is back.",
        " Trying again.",
        " Trying again with {CPU (generic)}, 2 threads, context 4096.",
    ],
)
def test_what_comes_after_a_crash_is_known(next_step: str) -> None:
    said = re.sub(r"\{[^}]*\}", "", heard(f"The model's process crashed.{next_step}"))
    before = None
    while said != before:
        before, said = said, re.sub("⟦[^⟦⟧]*⟧", "", said)
    assert re.sub(r"[\d\s,.]", "", said) == ""
