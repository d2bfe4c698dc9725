"""Every text can be translated, German is complete, and languages are put on and taken off."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QLocale, QObject, Qt, QTranslator
from PySide6.QtWidgets import QApplication, QDialogButtonBox

import dev
from desktop import languages
from desktop.languages import Language, available, install, tr, trouble
from tests.gui.translating import PLACEHOLDER, Message, gathered, messages, written

GERMAN = dev.TRANSLATIONS / "attune_de.ts"
ENGLISH = dev.TRANSLATIONS / "attune_en.ts"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the languages that there are."""
    folder = tmp_path_factory.mktemp("languages")
    for file in (GERMAN, ENGLISH):
        dev.compile_translation(file, into=folder / f"{file.stem}.qm")
    return folder


@pytest.fixture
def app(qapp: QApplication, compiled: Path) -> Iterator[QApplication]:
    """Speaks English again afterwards."""
    locale = QLocale()
    yield qapp
    install(qapp, languages.ENGLISH, folder=compiled)
    QLocale.setDefault(locale)


# The texts -----------------------------------------------------------------------------------


def test_whatever_the_code_says_is_found_by_those_who_translate(tmp_path: Path) -> None:
    texts, faults = written()
    assert faults == []
    assert texts == {message.key for message in messages(gathered(tmp_path, language="xx"))}


@pytest.mark.parametrize("file", [GERMAN, ENGLISH], ids=lambda file: file.stem)
def test_no_text_of_the_window_is_missing_in_a_translation(file: Path, tmp_path: Path) -> None:
    fresh = gathered(tmp_path, language=file.stem.removeprefix("attune_"))
    wanted = {message.key for message in messages(fresh)}
    known = {message.key for message in messages(file)}
    assert known == wanted, "run `python3 dev.py translate`, then translate what is new"


@pytest.mark.parametrize("file", [GERMAN, ENGLISH], ids=lambda file: file.stem)
def test_every_text_is_translated_with_all_its_forms(file: Path) -> None:
    for message in messages(file):
        assert message.finished, message.key
        assert len(message.forms) == (2 if message.plural else 1), message.key
        assert all(form.strip() for form in message.forms), message.key


@pytest.mark.parametrize("file", [GERMAN, ENGLISH], ids=lambda file: file.stem)
def test_a_translation_keeps_what_is_put_into_its_text(file: Path) -> None:
    for message in messages(file):
        *singular, last = message.forms
        assert _slots(last) == _slots(message.text), message.key
        for form in singular:  # "one vote" needs no number
            assert _slots(message.text) - {"%n", "%Ln"} <= _slots(form), message.key
            assert _slots(form) <= _slots(message.text), message.key


def test_a_translation_keeps_keys_filters_and_edges() -> None:
    for message in messages(GERMAN):
        for form in message.forms:
            assert _mnemonics(form) == _mnemonics(message.text), message.key
            assert _filters(form) == _filters(message.text), message.key
            assert form.count(";;") == message.text.count(";;"), message.key
            assert _edges(form) == _edges(message.text), message.key


def _slots(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def _mnemonics(text: str) -> int:
    """How many letters are marked; which ones is the language's own."""
    return len(re.findall(r"&\w", text))


def _filters(text: str) -> list[str]:
    return re.findall(r"\(\*[^)]*\)", text)


def _edges(text: str) -> tuple[bool, bool, bool]:
    return text.startswith(" "), text.endswith(" "), text.endswith(("…", "..."))


# Putting them on ------------------------------------------------------------------------------


def test_english_comes_first_and_others_are_called_in_their_own_words(compiled: Path) -> None:
    english, *others = available(compiled)
    assert english == Language(code="en", name="English")
    assert others == [Language(code="de", name="Deutsch")]


def test_without_files_there_is_english(tmp_path: Path, app: QApplication) -> None:
    assert available(tmp_path) == (Language(code="en", name="English"),)
    assert available(tmp_path / "nowhere") == (Language(code="en", name="English"),)
    assert install(app, "de", folder=tmp_path) == "en"
    assert tr("Nothing learned yet") == "Nothing learned yet"
    assert tr("%n vote(s)", "", 3) == "3 vote(s)"


def test_german_says_what_qt_says_too_and_writes_numbers_its_way(
    app: QApplication, compiled: Path
) -> None:
    assert install(app, "de", folder=compiled) == "de"
    assert tr("Nothing learned yet") == "Noch nichts gelernt"
    assert [tr("%n vote(s)", "", n) for n in (0, 1, 2)] == ["0 Stimmen", "eine Stimme", "2 Stimmen"]
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    assert box.button(QDialogButtonBox.StandardButton.Cancel).text() == "Abbrechen"
    assert QLocale().toString(1234.5, "f", 1) == "1.234,5"
    assert app.layoutDirection() == Qt.LayoutDirection.LeftToRight


def test_english_has_its_plurals(app: QApplication, compiled: Path) -> None:
    assert install(app, "en", folder=compiled) == "en"
    assert [tr("%n vote(s)", "", n) for n in (0, 1, 2)] == ["0 votes", "one vote", "2 votes"]


def test_a_country_gets_the_language_and_what_is_unknown_the_system_s(
    app: QApplication, compiled: Path
) -> None:
    assert install(app, "de_AT", folder=compiled) == "de"
    assert install(app, "de-CH", folder=compiled) == "de"
    assert install(app, "klingon", folder=compiled) == install(app, "", folder=compiled)


def test_a_language_that_is_not_there_is_named_with_those_that_are(
    app: QApplication, compiled: Path
) -> None:
    assert [trouble(code, folder=compiled) for code in ("de", "de_AT", "en", "en-GB")] == [""] * 4
    said = trouble("xx", folder=compiled)
    assert said == "The window does not speak 'xx'; say one of de, en after --lang."


def test_a_former_language_is_gone(app: QApplication, compiled: Path) -> None:
    for code in ("de", "en", "de", "en"):
        install(app, code, folder=compiled)
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert tr("Nothing learned yet") == "Nothing learned yet"
    assert len(app.findChildren(QTranslator, "attune")) == 2


def test_a_language_from_right_to_left_turns_the_window(app: QApplication, tmp_path: Path) -> None:
    shutil.copy(gathered(tmp_path, language="ar"), tmp_path / "texts.ts")
    dev.compile_translation(tmp_path / "texts.ts", into=tmp_path / "attune_ar.qm")
    assert install(app, "ar", folder=tmp_path) == "ar"
    assert app.layoutDirection() == Qt.LayoutDirection.RightToLeft
    install(app, "en", folder=tmp_path)
    assert app.layoutDirection() == Qt.LayoutDirection.LeftToRight


def test_methods_of_every_kind_of_object_are_translated(app: QApplication, compiled: Path) -> None:
    class Asking(QObject):
        """Called like the class whose texts it has."""

    install(app, "de", folder=compiled)
    assert Asking().tr("The answer ended early.") == "Die Antwort endete vorzeitig."


SPOKEN = """
import os, sys, pathlib
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
import dev
import desktop.app as app
from desktop import languages
from engine.api import OpenWindow
from tests.gui.scripted_engine import ScriptedEngine

class German(ScriptedEngine):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._set(language=sys.argv[3])

app.Engine = German
languages._FOLDERS = (pathlib.Path(sys.argv[2]),)
begin = app._begin
def look(desk, files):
    begin(desk, files)
    window = next(w for w in QApplication.topLevelWidgets() if hasattr(w, "sidebar"))
    print(window.sidebar.learned.text())
    QTimer.singleShot(0, window.close)
app._begin = look
lang = sys.argv[4] or None
sys.exit(app.open_window(OpenWindow(data_dir=pathlib.Path(sys.argv[1]), language=lang)))
"""


@pytest.mark.parametrize(
    ("setting", "option", "said"),
    [
        ("de", "", "Was ich gelernt habe"),
        ("de", "en", "What I learned"),
    ],
)
@pytest.mark.slow
def test_the_window_speaks_the_language_that_was_chosen(
    compiled: Path, tmp_path: Path, setting: str, option: str, said: str
) -> None:
    arguments = [str(tmp_path), str(compiled), setting, option]
    done = subprocess.run(
        [sys.executable, "-c", SPOKEN, *arguments], cwd=dev.ROOT, capture_output=True, text=True,
        timeout=60, env={"PATH": "", "QT_QPA_PLATFORM": "offscreen", "LANG": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == said


def test_a_message_is_read_with_its_forms() -> None:
    """What the tests above rely on."""
    found = {message.key: message for message in messages(ENGLISH)}
    assert found["", "%n vote(s)", ""] == Message(
        key=("", "%n vote(s)", ""), forms=("one vote", "%n votes"), plural=True, finished=True
    )
