"""The texts of the window as the translators' tools see them, and a language made of them."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import dev

DESKTOP = dev.ROOT / "desktop"
PLACEHOLDER = re.compile(r"\{\d\}|%L?n")

Key = tuple[str, str, str]
"""Context, text and note of a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An entry of a .ts file; one form of its translation, or two where numbers have two."""

    key: Key
    forms: tuple[str, ...]
    plural: bool
    finished: bool

    @property
    def text(self) -> str:
        return self.key[1]


def messages(file: Path) -> list[Message]:
    return [
        _message(context.findtext("name") or "", entry)
        for context in ET.parse(file).getroot().iter("context")
        for entry in context.iter("message")
    ]


def gathered(folder: Path, *, language: str) -> Path:
    """A fresh file with every text of the window, as lupdate finds them."""
    file = folder / f"attune_{language}.ts"
    head = f'<TS version="2.1" language="{language}" sourcelanguage="en"></TS>'
    file.write_text(head, encoding="utf-8")
    dev.gather_texts(file)
    return file


def written() -> tuple[set[Key], list[str]]:
    """The same, as Python reads the code, and what lupdate cannot see, each with its place."""
    calls = [_Calls(path) for path in sorted(DESKTOP.rglob("*.py"))]
    return {key for each in calls for key in each.keys}, [f for each in calls for f in each.faults]


def pseudo(folder: Path) -> Path:
    """A compiled language whose every text is in brackets, accented and longer than in English."""
    file = gathered(folder, language="eo")
    tree = ET.parse(file)
    for entry in tree.getroot().iter("message"):
        text, into = entry.findtext("source") or "", entry.find("translation")
        assert into is not None
        into.attrib.clear()
        forms = into.findall("numerusform")
        for part in forms or [into]:
            part.text = bracketed(text)
    tree.write(file, encoding="utf-8", xml_declaration=True)
    compiled = file.with_suffix(".qm")
    dev.compile_translation(file, into=compiled)
    return compiled


def bracketed(text: str) -> str:
    """As long as a translation may get; what stands in braces, and filters of files, stay."""
    accented = "".join(
        part if PLACEHOLDER.fullmatch(part) or part.startswith("(*") else part.translate(_ACCENTS)
        for part in re.split(r"(\{\d\}|%L?n|\(\*[^)]*\))", text)
    )
    share = 1.0 if len(text) <= 10 else 0.5 if len(text) <= 30 else 0.3
    tail = " ˷" * round(len(text) * share / 2)
    head, gap, rest = accented.partition("\n")
    return f"⟦{head}{gap}{rest}{tail}⟧"


_ACCENTS = str.maketrans("aeiouncsyAEIOUNCSY", "áëïöüñçšýÁËÏÖÜÑÇŠÝ")


def _message(context: str, entry: ET.Element) -> Message:
    into = entry.find("translation")
    assert into is not None
    plural = entry.get("numerus") == "yes"
    forms = [form.text or "" for form in into.iter("numerusform")] if plural else [into.text or ""]
    return Message(
        key=(context, entry.findtext("source") or "", entry.findtext("comment") or ""),
        forms=tuple(forms),
        plural=plural,
        finished=into.get("type") is None,
    )


class _Calls(ast.NodeVisitor):
    """Finds calls of tr in a file, each with the class that it stands in."""

    def __init__(self, path: Path) -> None:
        self._path, self._classes = path, [""]
        self._formatted = 0
        self.keys: list[Key] = []
        self.faults: list[str] = []
        self.visit(ast.parse(path.read_text(encoding="utf-8")))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._classes.append(node.name)
        self.generic_visit(node)
        self._classes.pop()

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._formatted += 1
        self.generic_visit(node)
        self._formatted -= 1

    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Name(id="tr" | "QT_TR_NOOP"):
                self._add(node, "", node.args)
            case ast.Attribute(value=ast.Name(id="self"), attr="tr"):
                self._add(node, self._classes[-1], node.args)
            case ast.Attribute(value=ast.Name(id="QCoreApplication"), attr="translate"):
                context = node.args[0]
                if isinstance(context, ast.Constant) and context.value:
                    self._add(node, str(context.value), node.args[1:])
            case ast.Name(id="_tr") | ast.Attribute(attr="tr"):
                self._fault(node, "lupdate knows only self.tr and tr")
        self.generic_visit(node)

    def _add(self, node: ast.Call, context: str, arguments: list[ast.expr]) -> None:
        texts = [each.value for each in arguments[:2] if isinstance(each, ast.Constant)]
        if len(texts) < len(arguments[:2]):
            if self._path.name != "heard.py":  # whose texts are marked where they stand
                self._fault(node, "not a literal")
            return
        text, note = str(texts[0]), str(texts[1]) if len(texts) > 1 else ""
        if self._formatted:
            self._fault(node, "lupdate does not look into f-strings")
        if ("%n" in text or "%Ln" in text) != (len(arguments) == 3):
            self._fault(node, "%n and a number belong together")
        self.keys.append((context, text, note))

    def _fault(self, node: ast.Call, what: str) -> None:
        self.faults.append(f"{self._path.relative_to(dev.ROOT)}:{node.lineno}: {what}")
