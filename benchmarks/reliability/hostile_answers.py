"""Answers that a model may have been made to give: HTML and Markdown that want to be no text.

Words in « » are put in by the draw; «near» and «far» are places that nobody may read or call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

LARGE = 100_000
"""Characters of the large ones."""
EVERY = 5
"""One answer in so many is a large one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One answer. `large` ones are also timed."""

    number: int
    family: str
    text: str
    large: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What became of an answer in the reader.

    seconds   the longest time without returning to the window
    offences  what Python told of, and links that led to something
    """

    number: int
    seconds: float
    offences: tuple[str, ...]


def payloads(count: int, *, seed: int, near: str) -> list[Payload]:
    """So many answers, all families in turn.

    near  a folder of this machine whose files are to be read by nobody
    """
    return [_payload(number, Random(f"{seed}/{number}"), near) for number in range(count)]


def _payload(number: int, draw: Random, near: str) -> Payload:
    family = tuple(FAMILIES)[number // EVERY % len(FAMILIES)]
    large = number % EVERY == 0
    text = _filled(draw.choice(FAMILIES[family]), draw, near)
    if large:
        between = draw.choice(("", " ", "\n", "\n\n"))
        text = (text + between) * (LARGE // len(text + between) + 1)
    else:
        text = draw.choice(("", "Here you are:\n\n", "- ", "> ", "1. ")) + text
    return Payload(number=number, family=family, text=text[:LARGE], large=large)


def _filled(text: str, draw: Random, near: str) -> str:
    words = {
        "near": draw.choice(_near(near)),
        "far": draw.choice(_FAR),
        "scheme": draw.choice(_SCHEMES),
        "mark": draw.choice(_MARKS),
        "many": "«it»" * draw.choice((3, 30, 3000)),
        "it": draw.choice(_REPEATED),
    }
    for name, word in words.items():
        text = text.replace(f"«{name}»", word)
    return text


def _near(folder: str) -> Sequence[str]:
    return (
        f"file://{folder}/canary.png",
        f"{folder}/canary.png",
        f"{folder}/canary.css",
        f"file://localhost{folder}/canary.png",
        f"file:{folder}/canary.svg",
        "canary.png",
        "../canary.png",
        "file:///etc/passwd",
        "qrc:/qt-project.org/canary.png",
        "file:///dev/zero",
        "/proc/self/environ",
    )


_FAR = (
    "http://127.0.0.1:9/t.png",
    "https://localhost:9/t",
    "//127.0.0.1/share/t.png",
    r"\\127.0.0.1\share\t.png",
    "file://127.0.0.1/share/t.png",
    "ftp://127.0.0.1:9/t",
    "smb://127.0.0.1/share",
    "ws://127.0.0.1:9/",
    "http://[::1]:9/t",
    "HTTP://127.0.0.1:9/%00",
)
_SCHEMES = (
    "javascript:alert(1)", "vbscript:x", "data:text/html,<script>x</script>", "about:blank",
    "data:image/png;base64,iVBORw0KGgo=", "mailto:a@b.c", "copy:0", "copy:-1", "copy:x",
    "ms-msdt:/id x", "search-ms:query=x", "intent://x#Intent;end", "view-source:x", "tel:1",
    "steam://run/1", "JaVaScRiPt:x", "java\tscript:x", " javascript:x", "&#106;avascript:x",
    "file:///etc/passwd", "http:x", "https:", "http://", "http://a@b:99999", "http://[",
    "https://example.org/\u202egnp.exe", "https://ex\u200bample.org", "http://%zz",
)  # fmt: skip
_MARKS = (
    "\u202e", "\u202d", "\u2066", "\u2069", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u2028",
    "\u2029", "\ufffc", "\ufdd0", "\ufdd1", "\x00", "\x08", "\x1b[2J", "\x7f", "\u0085", "\ue000",
    "\U000e0041", "\U000f0000", "\u0301" * 40, "\u115f", "\u3164", "\ud7a3", "\U0001f468\u200d",
)  # fmt: skip
_REPEATED = (
    "> ", "- ", "* ", "1. ", "  ", "\t", "#", "`", "*", "_", "~", "[", "]", "![", "](", "(", "<",
    "&", "|", "\\", "<b>", "<!--", "&amp;", "a\n", "\n", "\r", "\u202e", "\u0301", "*a_", "[a](",
    "a@b.c ", "http://a ", "\u0627", "\u4e00", "\U0001f600", "-\n", "=\n", "|\n", "\ufffc", "\x00",
)  # fmt: skip

FAMILIES: dict[str, tuple[str, ...]] = {
    "images": (
        "![a](«near»)", "![a](«far»)", "![a](<«near»>)", "![a][x]\n\n[x]: «far»", "![a](«scheme»)",
        "[![a](«near»)](«far»)", "![![a](«near»)](«far»)", '![a](«far» "«near»")',
    ),
    "HTML images": (
        "<img src='«near»'>", '<img src="«far»">', "<img srcset='«far» 1x, «near» 2x'>",
        "<picture><source srcset='«far»'><img src='«near»'></picture>", "<IMG SRC=«near»>",
        "<input type=image src='«far»'>", "<image xlink:href='«near»'>", "<img src='«scheme»'",
        "<img\nsrc\n=\n'«near»'\n/>", "&lt;img src='«near»'&gt;",
    ),
    "styles": (
        "<style>@import url(«far»);</style>", "<link rel=stylesheet href='«near»'>",
        "<p style=\"background:url('«near»')\">x</p>", "<body background='«near»'>",
        "<table background='«far»'><tr><td background='«near»'>x</table>",
        "<style>@font-face{font-family:x;src:url(«far»)}</style><p style='font-family:x'>x",
        "<ul style='list-style-image:url(«near»)'><li>x</ul>",
    ),
    "programs": (
        "<script>alert(1)</script>", "<script src='«far»'></script>", "<svg onload=alert(1)>",
        "<svg><use href='«near»'/><script>x</script></svg>", "<a href=# onclick=x>x</a>",
        "<math><mtext></mtext><script>x</script></math>", "<details ontoggle=x open>x",
    ),
    "frames": (
        "<iframe src='«far»'></iframe>", "<iframe srcdoc='<img src=«near»>'>",
        "<base href='«far»'>",
        "<object data='«near»'></object>", "<embed src='«near»'>", "<frameset><frame src='«far»'>",
        "<meta http-equiv=refresh content='0;url=«far»'>", "<video src='«near»' poster='«far»'>",
        "<audio autoplay src='«far»'>", "<form action='«far»'><button>x</button></form>",
    ),
    "links": (
        "[a](«scheme»)", "<«scheme»>", "[a]\n\n[a]: «scheme»", "[a](«near»)", "[a](«far»)",
        '<a href="«scheme»">a</a>', "[`a`](«scheme»)", "[**a**](<«scheme»>)", "[«far»](«scheme»)",
        "[a](«scheme» 'https://example.org')", "https://example.org«mark»/«scheme»",
    ),
    "letters": (
        "«mark»", "a«mark»b", "[a«mark»](https://example.org/«mark»)", "`«mark»`", "**«mark»**",
        "```«mark»\n«mark»\n```", "|«mark»|\n|-|\n|«mark»|", "# «mark»", "«mark»«many»",
        "https://example.org/«mark»exe.txt",
    ),
    "tables": (
        "|a|b|\n|-|-|\n|«near»|![x](«near»)|\n", "|" + "a|" * 300 + "\n|" + "-|" * 300 + "\n",
        "|a|\n|-|\n" + "|x|\n" * 400, "|a|\n|-|\n|«many»|\n", "|" * 500 + "\n|-|", "|«many»|\n|-|",
        "<table>" * 200 + "x", "|a|b|\n|:-|-:|\n" + "|`x`|**y**|\n" * 90,
    ),
    "nesting": (
        "> " * 300 + "x", "- " * 300 + "x", "1. " * 200 + "x", "**" * 500 + "x", "[" * 500 + "x",
        "![" * 300 + "x" + "](y)" * 300, "<div>" * 500, "*a **b " * 300, "> - " * 150 + "x",
        "\n".join("  " * depth + "- x" for depth in range(60)), "`" * 999 + "x",
    ),
    "code": (
        "```html\n<img src='«near»'>\n```", "```«scheme»\nx\n```", "```\n«many»", "~~~«many»\nx",
        "```python\n'''" + "\\" * 500 + "\n```", "    «near»\n    «far»", "```" + "x" * 999 + "\ny",
        "```json\n" + "[" * 500 + "\n```", "```sql\n" + "'" * 999 + "\n```",
        "```regex\n(«many»\n```",
    ),
    "lengths": (
        "«many»", "«many» «many»", "x" * 3000, "«it»«near»" * 30, "«many»\n\n«many»", "&#«many»;",
        "99999999999999999999. x", "# " * 100 + "x", "=" * 999 + "\n" + "x\n" + "-" * 999,
        "\n" * 500 + "x", "«mark»" * 200,
    ),
}  # fmt: skip
