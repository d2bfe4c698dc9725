"""The languages of the window: which there are, and how one is put on.

English is in the code. The others are beside it, compiled by `dev.py translate`; so are the plurals
of English. Without these files the window speaks English, with "vote(s)" for a number of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator
from PySide6.QtGui import QGuiApplication

ENGLISH = "en"

_NAME = "attune"
_HERE = Path(__file__).parent
_FOLDERS = (_HERE / "assets" / "translations", _HERE.parent / "assets" / "translations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language of the window.

    code  as in the setting and after --lang: "de", "pt_BR"
    name  what it calls itself: "Deutsch"
    """

    code: str
    name: str


def available(folder: Path | None = None) -> tuple[Language, ...]:
    """English, then the languages whose compiled file is there, by name.

    folder  where the files are, if not where Attune keeps them
    """
    others = (_language(code) for code in _codes(folder or _folder()) if code != ENGLISH)
    return (_language(ENGLISH), *sorted(others, key=lambda language: language.name.casefold()))


def install(app: QGuiApplication, code: str = "", *, folder: Path | None = None) -> str:
    """Make this the language of every text from now on, of Qt's own too, and of numbers and dates.

    code    of a language; "", and one that is not there, stand for the system's
    folder  as in `available`

    Returns the code of the language that it came to be: English where nothing fits. Texts that are
    on the screen stay as they are; Qt sends a LanguageChange to whoever can build them again.
    """
    place = folder or _folder()
    known = {language.code for language in available(place)}
    found = _best([code], known) or _best(QLocale.system().uiLanguages(), known) or ENGLISH
    for former in app.findChildren(QTranslator, _NAME):
        app.removeTranslator(former)
        former.deleteLater()
    locale = _locale(found)
    QLocale.setDefault(locale)
    # The last is asked first: what a language lacks is said in English, with its plurals.
    _add(app, ENGLISH, place)
    if found != ENGLISH:
        _add(app, found, place)
    _add_own_of_qt(app, QLocale(found))
    app.setLayoutDirection(QLocale(found).textDirection())
    return found


def trouble(code: str, *, folder: Path | None = None) -> str:
    """Why there is no such language, in a sentence for the terminal; "" where there is.

    folder  as in `available`
    """
    known = sorted({ENGLISH, *_codes(folder or _folder())})
    if _best([code], known):
        return ""
    return f"The window does not speak {code!r}; say one of {', '.join(known)} after --lang."


def tr(text: str, note: str = "", n: int = -1) -> str:
    """To a function what `QObject.tr` is to a method.

    text  a literal, or else it is not found by those who translate
    note  tells equal texts apart for them; "" for none
    n     the number that stands for %n and chooses the plural
    """
    return QCoreApplication.translate("", text, note, n)


def _folder() -> Path:
    """Beside the code where Attune is installed, beside its folder where it is developed."""
    return next((folder for folder in _FOLDERS if folder.is_dir()), _FOLDERS[0])


def _codes(folder: Path) -> list[str]:
    return [path.stem.removeprefix(f"{_NAME}_") for path in folder.glob(f"{_NAME}_*.qm")]


def _language(code: str) -> Language:
    if code == ENGLISH:
        return Language(code=code, name="English")  # Qt would say which English
    name = QLocale(code).nativeLanguageName()
    return Language(code=code, name=f"{name[:1].upper()}{name[1:]}" or code)


def _best(wanted: Iterable[str], known: Collection[str]) -> str:
    """The first of those that are wanted that there is, a wider one for a narrow one; or ""."""
    for tag in wanted:
        parts = tag.replace("-", "_").split("_")
        for length in range(len(parts), 0, -1):
            if (code := "_".join(parts[:length])) in known:
                return code
    return ""


def _locale(code: str) -> QLocale:
    """The system's where it speaks that language too: it knows the owner's country."""
    system = QLocale.system()
    return system if system.language() == QLocale(code).language() else QLocale(code)


def _add(app: QGuiApplication, code: str, folder: Path) -> None:
    translator = _translator(app)
    if translator.load(f"{_NAME}_{code}", str(folder)):
        app.installTranslator(translator)


def _add_own_of_qt(app: QGuiApplication, locale: QLocale) -> None:
    translator = _translator(app)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(locale, "qtbase", "_", folder):
        app.installTranslator(translator)


def _translator(app: QGuiApplication) -> QTranslator:
    translator = QTranslator(app)
    translator.setObjectName(_NAME)
    return translator
