"""Markdown from a model, read into the values of `prose`, without Qt.

There is no HTML on the way to the screen: what the parser does not know stays text, raw HTML is
text, images are their alternative text, and a link is kept only if it leads to the web.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from desktop.prose import (
    Align,
    Block,
    Code,
    Item,
    Paragraph,
    Passage,
    Place,
    Rule,
    Span,
    Table,
    plain,
    web_address,
    without_overrides,
)

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

MAX_ROWS, MAX_COLUMNS = 100, 16
"""A larger table is shown as its source: laying it out would stop the window."""

PORTION = 6_000
"""Characters that are read at a time: about 20 ms on a slow machine."""

MAX_LINE = 12_000
"""Characters; a longer line is shown as its source, in portions."""


def passages(source: str) -> tuple[Passage, ...]:
    """Read Markdown into passages, in order."""
    lines = source.split("\n")
    if max(map(len, lines)) > MAX_LINE:
        return (_verbatim(source),)
    tokens = _parser().parse(source)
    return tuple(_passage(group, lines) for group in _groups(tokens))


def portion(source: str) -> tuple[tuple[Passage, ...], int]:
    """Read as much of the beginning as takes little time; also tells how many characters that is.

    Where text is left over, what was read stays as it is when the rest follows. A line that is
    too long is cut anywhere: laying out 100 000 letters without a space stops the window.
    """
    if (long := _long_line(source)) == 0:
        return (_verbatim(source[:PORTION]),), PORTION
    if long is not None:
        return portion(source[:long])
    cut = _line_after(source, PORTION)
    while cut < len(source):
        found = passages(source[:cut])
        if len(found) > 1:
            return found[:-1], line_start(source, found[-1].line)
        if not (found and _is_code(found[0])):
            return _forced(source[:cut])
        cut = _line_after(source, 2 * cut)
    return passages(source), len(source)


def _long_line(source: str) -> int | None:
    """Where the first line of the next portion that is too long begins."""
    at = 0
    while at <= PORTION and len(source) - at > MAX_LINE:
        end = _line_after(source, at)
        if end - at > MAX_LINE:
            return at
        at = end
    return None


def line_start(source: str, line: int) -> int:
    """Where a line begins, in characters."""
    at = 0
    for _ in range(line):
        at = source.index("\n", at) + 1
    return at


def _forced(source: str) -> tuple[tuple[Passage, ...], int]:
    """Cut within a passage that does not end, before a line that may begin a new one."""
    cut = len(source)
    for match in re.finditer(r"^(?=[^\s])", source, re.MULTILINE):
        cut = match.start() or cut
    return passages(source[:cut]), cut


def _is_code(passage: Passage) -> bool:
    return len(passage.blocks) == 1 and isinstance(passage.blocks[0], Code)


def _line_after(source: str, at: int) -> int:
    end = source.find("\n", at)
    return len(source) if end < 0 else end + 1


def _verbatim(source: str) -> Passage:
    """A line of absurd length is not worth the time that reading it would take."""
    return Passage(line=0, blocks=(Paragraph(spans=(Span(text=without_overrides(source)),)),))


@cache
def _parser() -> MarkdownIt:
    # Imported late: the window is on the screen before this is needed.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False})
    parser.enable(["table", "strikethrough"])
    # Raw HTML must stay text, so its rules go as well; `html` alone would do.
    parser.disable(["html_block", "html_inline"])
    parser.block.ruler.before("table", "long_table", _long_table)
    # Every address is let through here and judged by `web_address`.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    return parser


def _long_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A rule of the parser: a table that is too large becomes a code block."""
    stop = start
    while stop < end and "|" in _line(state, stop):
        stop += 1
    columns = _line(state, start).count("|")
    if stop - start <= MAX_ROWS and (columns <= MAX_COLUMNS + 1 or stop - start < 2):
        return False
    if not silent:
        token = state.push("fence", "code", 0)
        token.content = state.getLines(start, stop, state.blkIndent, False)
        token.map = [start, stop]
        state.line = stop
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] : state.eMarks[number]]


def _groups(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens of each top-level block."""
    group: list[Token] = []
    depth = 0
    for token in tokens:
        group.append(token)
        depth += token.nesting
        if depth == 0:
            yield group
            group = []


def _passage(group: list[Token], lines: list[str]) -> Passage:
    start = group[0].map[0] if group[0].map else 0
    return Passage(line=start, blocks=tuple(_Reading(lines).blocks(group)))


@dataclass(slots=True)
class _List:
    """A list that is being read."""

    number: int
    next: int | None


@dataclass(slots=True)
class _Reading:
    """Walks over the tokens of one passage."""

    lines: list[str]
    place: Place = field(default_factory=Place)
    open_lists: list[_List] = field(default_factory=list)
    lists: int = 0
    item: Item | None = None

    def blocks(self, tokens: list[Token]) -> Iterator[Block]:
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token.type == "table_open":
                end = next(i for i in range(at, len(tokens)) if tokens[i].type == "table_close")
                yield self._table(tokens[at:end])
                at = end
            elif (step := _STEPS.get(token.type)) is not None:
                step(self, token)
            elif token.type == "inline":
                yield self._paragraph(tokens[at - 1], token)
            elif token.type in ("fence", "code_block"):
                yield self._code(token)
            elif token.type == "hr":
                yield Rule(place=self.place)
            at += 1

    def _paragraph(self, opening: Token, inline: Token) -> Paragraph:
        item, self.item = self.item, None
        level = int(opening.tag[1]) if opening.type == "heading_open" else 0
        return Paragraph(
            spans=tuple(_spans(inline.children or [])),
            place=self.place,
            level=level,
            item=item,
            tight=opening.hidden,
        )

    def _code(self, token: Token) -> Code:
        self.item = None
        info = plain(token.info).split()
        return Code(
            text=without_overrides(token.content.removesuffix("\n")),
            language=info[0][:24] if info else "",
            place=self.place,
            open=token.type == "fence" and not self._closed(token),
        )

    def _closed(self, fence: Token) -> bool:
        if not fence.map or not fence.markup:
            return True
        first, end = fence.map
        return end - first > 1 and self.lines[end - 1].strip(" >").startswith(fence.markup)

    def _table(self, tokens: list[Token]) -> Table:
        self.item = None
        return Table(rows=tuple(_rows(tokens)), aligns=_aligns(tokens), place=self.place)

    # What opens and closes --------------------------------------------------------------

    def open_list(self, token: Token) -> None:
        start = token.attrs.get("start", 1) if token.type == "ordered_list_open" else None
        self.lists += 1
        self.open_lists.append(_List(self.lists, None if start is None else int(start)))
        self._move(depth=1)

    def close_list(self, token: Token) -> None:
        self.open_lists.pop()
        self._move(depth=-1)

    def open_item(self, token: Token) -> None:
        here = self.open_lists[-1]
        self.item = Item(list=here.number, number=here.next)
        if here.next is not None:
            here.next += 1

    def open_quote(self, token: Token) -> None:
        self._move(quote=1)

    def close_quote(self, token: Token) -> None:
        self._move(quote=-1)

    def _move(self, *, depth: int = 0, quote: int = 0) -> None:
        place = self.place
        self.place = replace(place, depth=place.depth + depth, quote=place.quote + quote)


_STEPS: dict[str, Callable[[_Reading, Token], None]] = {
    "bullet_list_open": _Reading.open_list,
    "ordered_list_open": _Reading.open_list,
    "bullet_list_close": _Reading.close_list,
    "ordered_list_close": _Reading.close_list,
    "list_item_open": _Reading.open_item,
    "blockquote_open": _Reading.open_quote,
    "blockquote_close": _Reading.close_quote,
}


def _rows(tokens: list[Token]) -> Iterator[tuple[tuple[Span, ...], ...]]:
    row: list[tuple[Span, ...]] = []
    for token in tokens:
        if token.type == "tr_open":
            row = []
        elif token.type == "inline":
            row.append(tuple(_spans(token.children or [])))
        elif token.type == "tr_close":
            yield tuple(row)


def _aligns(tokens: list[Token]) -> tuple[Align, ...]:
    styles = [str(t.attrs.get("style", "")) for t in tokens if t.type == "th_open"]
    return tuple(
        "right" if "right" in style else "center" if "center" in style else "left"
        for style in styles
    )


def _marked(look: Span, kind: str, on: bool) -> Span:
    match kind:
        case "strong":
            return replace(look, bold=on)
        case "em":
            return replace(look, italic=on)
        case _:
            return replace(look, strike=on)


def _spans(children: list[Token]) -> Iterator[Span]:
    """Inline tokens as runs of text."""
    look = Span(text="")
    for token in children:
        kind, _, edge = token.type.rpartition("_")
        if kind in ("strong", "em", "s"):
            look = _marked(look, kind, edge == "open")
        elif token.type == "link_open":
            look = replace(look, link=web_address(str(token.attrs.get("href", ""))))
        elif token.type == "link_close":
            look = replace(look, link="")
        else:
            yield _run(look, token)


def _run(look: Span, token: Token) -> Span:
    if token.type in ("softbreak", "hardbreak"):
        # Models write lines; folding them as print would do loses poems and addresses.
        return replace(look, text="\n")
    clean = plain if look.link else without_overrides
    if token.type == "code_inline":
        return replace(look, text=clean(token.content), code=True)
    if token.type == "image":
        return replace(look, text=clean(_alt(token)), italic=True)
    return replace(look, text=clean(token.content))


def _alt(image: Token) -> str:
    return "".join(child.content for child in image.children or []) or image.content
