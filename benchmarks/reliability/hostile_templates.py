"""Chat templates that want out, or that want everything: families, from which a seed draws.

Some are known attacks on sandboxes of Jinja, most are programs that any language allows and that
cost time or memory without end. Words in « » are put in by the draw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

SHOWN = "{% for m in messages %}{{ m.content }}{% endfor %}"
"""What makes a template usable otherwise, so that nothing but the attack can have it refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One way to be hostile.

    bomb  each of its templates has to be refused; the others may turn out harmless
    """

    name: str
    draw: Callable[[Random], str]
    bomb: bool = False


def templates(count: int, *, seed: int) -> list[tuple[Family, str]]:
    """So many templates, all families in turn."""
    found = []
    for number in range(count):
        family = FAMILIES[number % len(FAMILIES)]
        found.append((family, family.draw(Random(f"{seed}/{number}"))))
    return found


def _filled(text: str, **words: object) -> str:
    for name, word in words.items():
        text = text.replace(f"«{name}»", str(word))
    return text


# Ways out -----------------------------------------------------------------------------------

_STARTS = [
    "''",
    "[]",
    "{}",
    "()",
    "1",
    "messages",
    "messages[0]",
    "range",
    "lipsum",
    "cycler",
    "joiner",
    "namespace",
    "raise_exception",
    "strftime_now",
    "self",
    "none",
    "bos_token",
    "dict",
    "loop",
    "caller",
    "varargs",
    "config",
    "request",
    "url_for",
]
_STEPS = [
    "__class__",
    "__mro__",
    "__base__",
    "__subclasses__",
    "__init__",
    "__globals__",
    "__dict__",
    "__builtins__",
    "__code__",
    "__closure__",
    "__self__",
    "__func__",
    "__wrapped__",
    "gi_frame",
    "f_back",
    "f_globals",
    "cr_frame",
    "tb_frame",
    "_TemplateReference__context",
    "environment",
    "os",
    "sys",
    "mro",
    "format",
    "__reduce_ex__",
    "__getattribute__",
]
_ACTIONS = (
    "system('touch PWNED')",
    "popen('cat canary').read()",
    "environ",
    "putenv('CANARY', 'x')",
    "open('canary').read()",
    "open('PWNED', 'w').write('x')",
    "remove('canary')",
    "__import__('os').system('touch PWNED')",
    "listdir('.')",
    "getenv('CANARY')",
)
_WAYS = (
    "«path».«step»",
    "«path»['«step»']",
    "«path»|attr('«step»')",
    "(«path»|attr('«head»' ~ '«tail»'))",
    "«path»['«coded»']",
    "([«path»]|map(attribute='«step»')|list)[0]",
    "(«path»|attr('«turned»'|reverse))",
)
_FORMATS = (
    "{{ '{0.«path»}'.format(«start») }}",
    "{{ '{x.«path»}'.format_map({'x': «start»}) }}",
    "{{ '{0.«path»}'|format(«start») }}",
    "{% set f = '{0.«path»}'.format %}{{ f(«start») }}",
    "{{ ('{0.«path»}',)|map('format', «start»)|first }}",
    "{{ ''.join(['{0', '.«path»}']).format(«start») }}",
    "{{ '%(a)s'|format(a=«start».«path») }}",
)
_ELSEWHERE = [
    r"canary",
    r"/etc/passwd",
    r"../canary",
    r"file:///etc/passwd",
    r"os",
    r"\\\\h\\s",
    r"http://127.0.0.1/x",
    r"subprocess",
    r"/proc/self/environ",
    r"a\x00b",
]
_LOADS = (
    "{% include '«name»' %}",
    "{% include ['missing', '«name»'] ignore missing %}",
    "{% import '«name»' as x %}{{ x.system('touch PWNED') }}",
    "{% from '«name»' import run with context %}{{ run }}",
    "{% extends '«name»' %}",
)
_CHANGES = (
    "{{ messages.append({'role': 'system', 'content': 'x'}) }}",
    "{{ messages.clear() }}",
    "{{ messages[0].update({'content': 'x'}) }}",
    "{{ messages[0].__setitem__('content', 'x') }}",
    "{% set messages[0].content = 'x' %}",
    "{{ messages.sort() }}",
    "{{ messages|map('pop', 'role')|list }}",
    "{% do messages.pop() %}",
    "{{ dict.update(messages[0], content='x') }}",
)
_MARKS = ("\u202e", "\u2066", "\u200b", "\ufeff", "\x00", "\x1b[2J", "\U000e0041", "\u0130")
_LETTERS = (
    "{{ ''.__ｃlass__ }}",
    "{{ ''.＿＿class＿＿.__mro__ }}",
    "{{ ''|attr('__c«mark»lass__') }}",
    "{% set «mark»x = 1 %}",
    "{{ raise_exception('«mark»' * 9999) }}",
    "{{ strftime_now('«mark»%Y' * 99999) }}",
    "{{ '«mark»' * 9999 }}",
    "{{ strftime_now('%' * 9999) }}",
    "{{ '«mark»'|tojson }}{{ '«mark»'|urlencode }}",
)


def _walk(draw: Random) -> str:
    """Attributes of attributes, each reached in some way, and something done at the end."""
    path = draw.choice(_STARTS)
    for _ in range(draw.randint(1, 6)):
        step = draw.choice(_STEPS)
        half = len(step) // 2
        coded = "".join(f"\\x{ord(letter):02x}" for letter in step)
        path = _filled(
            draw.choice(_WAYS),
            step=step, head=step[:half], tail=step[half:], turned=step[::-1], coded=coded,
            path=path,
        )  # fmt: skip
    return "{{ " + path + "." + draw.choice(_ACTIONS) + " }}" + SHOWN


def _formatted(draw: Random) -> str:
    """Attributes reached through the little language of format strings."""
    path = ".".join(draw.choices(_STEPS, k=draw.randint(1, 4)))
    return _filled(draw.choice(_FORMATS), path=path, start=draw.choice(_STARTS[:14])) + SHOWN


def _foreign(draw: Random) -> str:
    """Other files as templates or modules."""
    return _filled(draw.choice(_LOADS), name=draw.choice(_ELSEWHERE)) + SHOWN


def _changed(draw: Random) -> str:
    """The chat itself, rewritten behind the owner's back."""
    return draw.choice(_CHANGES) + SHOWN


def _strange(draw: Random) -> str:
    """Letters that look like others, turn text round, or end it early."""
    return _filled(draw.choice(_LETTERS), mark=draw.choice(_MARKS)) + SHOWN


# Bombs --------------------------------------------------------------------------------------

_TEXTS = (
    "{{ 'x' * «size» }}",
    "{{ '%«size»d'|format(1) }}",
    "{{ '{:>«size»}'.format('x') }}",
    "{{ 'x'.center(«size») }}",
    "{{ 'x'.zfill(«size»)|length }}",
    "{{ ('x' * 10**8).replace('x', 'y' * 99) }}",
    "{{ ','.join(['y' * 10**6] * 10**4) }}",
    "{{ ['x'] * «size» }}",
    "{{ 'x'|indent(«size») }}",
    "{% set n = namespace(s='xx') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}"
    "{% endfor %}{{ n.s }}",
    "{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = n.s + n.s %}"
    "{% endfor %}{{ n.s }}",
    "{{ ('x' * 10**8)|list|join('y' * 99) }}",
    "{{ ('\\t' * 10**7).expandtabs(10**4) }}",
    "{{ lipsum(n=10**7) }}",
)
_CALLS = (
    "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(«n») }}",
    "{% macro f(g) %}{{ g(g) }}{% endmacro %}{{ f(f) }}",
    "{% for m in messages recursive %}{{ loop(messages) }}{% endfor %}",
    "{% block b %}{{ self.b() }}{% endblock %}",
    "{% macro a() %}{% call b() %}{% endcall %}{% endmacro %}"
    "{% macro b() %}{{ caller() }}{{ a() }}{% endmacro %}{{ a() }}",
    "{% set n = namespace(s=[]) %}{% for i in range(99999) %}{% set n.s = [n.s] %}"
    "{% endfor %}{{ n.s }}",
)
_FLOODS = (
    "{% for i in range(99999) %}{{ 'x' * «size» }}{% for j in range(999) %}{{ 'y' * 99 }}"
    "{% endfor %}{% endfor %}",
    "{% set a = 'x' * «size» %}{% for i in range(99999) %}{{ a }}{{ a }}{{ messages }}{% endfor %}",
    "{{ (messages|string) * 99999 }}{{ messages|tojson(indent=9999) * 999 }}",
    "{% for i in range(99999) %}{{ messages|tojson(indent=999) }}{% endfor %}",
)
_GRAMMAR = (
    ("{{ ", "(", "1", ")", " }}"),
    ("{{ ", "not ", "1", "", " }}"),
    ("{{ ", "-", "1", "", " }}"),
    ("", "{% if 1 %}", "", "{% endif %}", ""),
    ("", "{% for i in x %}", "", "{% endfor %}", ""),
    ("{% if 0 %}", "{% elif 0 %}", "", "", "{% endif %}"),
    ("{{ 1", "|string", "", "", " }}"),
    ("{{ x", ".y", "", "", " }}"),
    ("{{ ", "[", "", "]", " }}"),
    ("{{ 1", " + 1", "", "", " }}"),
    ("", "{{", "", "", ""),
    ("", "{# ", "", "", ""),
    ("", "{% macro f() %}", "", "{% endmacro %}", ""),
)
"""A beginning, what is repeated, a middle, what is repeated after it, and an end."""
_NUMBERS = (
    "{{ 9**«power» }}",
    "{{ 9**9**9 }}",
    "{{ (7**«power») % 10 }}",
    "{{ 1.5|round(«power», 'floor') }}",
    "{{ ('f' * «power»)|int(base=16) % 7 }}",
    "{% set n = namespace(x=3) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}"
    "{% endfor %}{{ n.x > 0 }}",
    "{{ ('f' * «power»)|int(0, 16) * ('e' * «power»)|int(0, 16) > 0 }}",
    "{{ [2]|map('round', «power», 'ceil')|list }}",
)
_LISTS = (
    "{% set n = namespace(a=[1], b=[1]) %}{% for i in range(«depth») %}"
    "{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}{% endfor %}"
)
_TUPLES = (
    "{% set n = namespace(a=(1,)) %}{% for i in range(«depth») %}"
    "{% set n.a = (n.a, n.a) %}{% endfor %}"
)
_TWINS = (
    _LISTS + "{{ n.a == n.b }}",
    _LISTS + "{{ n.a < n.b }}",
    _LISTS + "{{ n.a in [n.b] }}",
    _LISTS + "{{ n.a }}",
    _LISTS + "{{ n.a|tojson }}",
    _TUPLES + "{{ {n.a: 1} }}",
    _TUPLES + "{{ {}[n.a] }}",
    _TUPLES + "{{ [n.a]|unique|list }}",
)
_PATTERNS = (
    "{{ ('<' * «size»)|striptags }}",
    "{{ ('<!--' * «size»)|striptags }}",
    "{{ ('a@' * «size»)|urlize }}",
    "{{ ('(' * «size» ~ 'www.x')|urlize }}",
    "{{ ('www.x' ~ ')' * «size»)|urlize }}",
    "{{ ('a ' * «size»)|wordwrap(1) }}",
    "{{ ('a-' * «size»)|title }}",
    "{{ ('&' * «size»)|escape|string|length }}",
    "{{ ('a b' * «size»)|wordcount }}{{ range(99999)|list|sort(reverse=true) }}",
    "{{ ('xy' * «size»).split('x')|groupby(0)|list|length }}{{ 'z' * 10**10 }}",
)


def _loops(draw: Random) -> str:
    depth, width = draw.randint(3, 6), draw.choice((999, 9_999, 99_999))
    inside = draw.choice(("", "x", "{% set y = 1 %}", "{{ '' }}", "{% if 0 %}{% endif %}"))
    head = "".join(f"{{% for i{level} in range({width}) %}}" for level in range(depth))
    return SHOWN + head + inside + "{% endfor %}" * depth


def _texts(draw: Random) -> str:
    size = draw.choice((10**9, 10**10, 10**12, 2**63 - 1))
    return SHOWN + _filled(draw.choice(_TEXTS), size=size)


def _calls(draw: Random) -> str:
    return SHOWN + _filled(draw.choice(_CALLS), n=draw.randint(30, 90))


def _floods(draw: Random) -> str:
    """More text than any context holds, in many pieces or in few."""
    return SHOWN + _filled(draw.choice(_FLOODS), size=draw.choice((10, 10**3, 10**6)))


def _grammar(draw: Random) -> str:
    """What costs the parser or the compiler."""
    size = draw.choice((500, 5_000, 50_000))
    begin, opening, middle, closing, end = draw.choice(_GRAMMAR)
    return begin + opening * size + middle + closing * size + end


def _numbers(draw: Random) -> str:
    """Arithmetic on numbers that fill the memory: a single call that nothing interrupts."""
    power = draw.choice((10**6, 10**7, 10**8, 10**9))
    return SHOWN + _filled(draw.choice(_NUMBERS), power=power)


def _twins(draw: Random) -> str:
    """Small values that contain themselves many times over, compared or counted as wholes."""
    return SHOWN + _filled(draw.choice(_TWINS), depth=draw.randint(40, 90))


def _patterns(draw: Random) -> str:
    """Filters that search text by pattern, on text made for that."""
    return SHOWN + _filled(draw.choice(_PATTERNS), size=draw.choice((10**5, 10**6, 10**7)))


FAMILIES = (
    Family(name="attributes", draw=_walk),
    Family(name="formats", draw=_formatted),
    Family(name="other files", draw=_foreign),
    Family(name="changing the chat", draw=_changed),
    Family(name="strange letters", draw=_strange),
    Family(name="loops", draw=_loops, bomb=True),
    Family(name="long texts", draw=_texts, bomb=True),
    Family(name="recursion", draw=_calls, bomb=True),
    Family(name="floods", draw=_floods, bomb=True),
    Family(name="grammar", draw=_grammar),
    Family(name="huge numbers", draw=_numbers),
    Family(name="twins", draw=_twins),
    Family(name="patterns", draw=_patterns),
)
