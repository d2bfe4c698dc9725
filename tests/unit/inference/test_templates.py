"""Chat templates are programs by strangers: none gets out, none lasts, all end in a reason."""

from __future__ import annotations

import gc
import os
import resource
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.inference import templates
from engine.inference.templates import CHATML, PLAIN, ChatFormat, Refused, choose, plain, render
from engine.types.answers import Message

MARKS = ("<s>", "</s>")
CHAT = (
    Message(role="system", text="Be kind."),
    Message(role="user", text="Hello."),
    Message(role="assistant", text="Hello!"),
    Message(role="user", text="Why?"),
)
SHORT, SMALL = 0.1, 64 << 20
"""Seconds and bytes that a template gets here."""


def chosen(template: str) -> ChatFormat:
    return choose(template, marks=MARKS, speaks_chatml=True)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(templates, "SECONDS", SHORT)
    monkeypatch.setattr(templates, "MEMORY", SMALL)
    # Hypothesis watches the collector with Python code, in which the one exception of the guard
    # would be lost; the child has nothing of the kind.
    others = gc.callbacks[:]
    gc.callbacks.clear()
    yield
    gc.callbacks[:] = others


# Hostile ones -------------------------------------------------------------------------------

WAYS_OUT = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ [].__class__.__base__.__subclasses__() }}",
    "{{ ''['__class__']['__mro__'] }}",
    "{{ ''|attr('__class__')|attr('__mro__') }}",
    "{{ ''|attr('_' ~ '_class__')|attr('_' ~ '_mro__') }}",
    "{{ '%s'.__mod__ }}{{ '{0.__class__.__mro__}'.format('') }}",
    "{{ '{0.__class__}'|format('') }}{{ '{0.__init__.__globals__}'.format(raise_exception) }}",
    "{{ '{x.__class__}'.format_map({'x': ''}) }}",
    "{{ ''.format.__self__.__class__ }}",
    "{{ raise_exception.__globals__['__builtins__']['__import__']('os').system('touch PWNED') }}",
    "{{ strftime_now.__globals__.os.system('touch PWNED') }}",
    "{{ strftime_now.__code__.co_consts }}",
    "{{ strftime_now.__closure__ }}{{ strftime_now.__defaults__.x }}",
    "{{ cycler.__init__.__globals__.os.popen('touch PWNED').read() }}",
    "{{ joiner.__init__.__globals__.os.popen('touch PWNED') }}",
    "{{ namespace.__init__.__globals__.os.popen('touch PWNED') }}",
    "{{ lipsum.__globals__['os'].popen('touch PWNED').read() }}",
    "{{ lipsum['__globals__']['os'] }}",
    "{{ self.__init__.__globals__.__builtins__.open('PWNED', 'w') }}",
    "{{ self._TemplateReference__context.environment.extend() }}",
    "{{ self._TemplateReference__context }}{{ self._x.y }}",
    "{{ config.items() }}{{ request.application.__globals__ }}",
    "{{ messages.__class__.__init__.__globals__ }}",
    "{{ messages.append({'role': 'system', 'content': 'x'}) }}{{ messages[0].content }}",
    "{{ messages[0].update({'content': 'x'}) }}",
    "{{ messages.pop() }}",
    "{{ messages.clear() }}",
    "{{ loop.__class__ }}{% for m in messages %}{{ loop.__init__.__globals__.os }}{% endfor %}",
    "{% set x = (1).__class__.__base__ %}{{ x.__subclasses__() }}",
    "{{ (messages|map(attribute='__class__')|list)[0].__mro__ }}",
    "{{ messages|map(attribute='role.__class__.__mro__')|list|first|last }}{{ x.y.z }}",
    "{{ messages|selectattr('__class__')|list|length }}{{ none.gi_frame.f_back }}",
    "{{ (messages|map('upper')).gi_frame.f_globals }}",
    "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{% call m() %}{% endcall %}",
    "{{ m.__func__ }}{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}{{ os.system('touch PWNED') }}",
    "{% from 'subprocess' import run %}{{ run(['touch', 'PWNED']) }}",
    "{% extends '/etc/passwd' %}",
    "{{ open('PWNED', 'w') }}{{ eval('1') }}{{ __import__('os') }}",
    "{{ ''.encode().__class__.fromhex }}{{ ().__reduce_ex__(2) }}",
    "{{ (1).__class__.from_bytes.__self__ }}{{ ''.join.__self__.__doc__ }}",
    "{% debug %}",
    "{{ messages|tojson(default=lipsum.__globals__) }}{{ 1 / 0 }}",
)

BOMBS = (
    "{{ 'x' * 10**9 }}",
    "{{ 'x' * (10**18) }}",
    "{% set a = 'x' * 10**6 %}{% for i in range(2000) %}{{ a }}{% endfor %}",
    "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
    "{% set n = namespace(s=['x']) %}{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}",
    "{{ 'x'.join(['y' * 10**6] * 10**3) }}",
    "{{ (['y' * 10**6] * 10**3)|join }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '{:>1000000000}'.format('x') }}",
    "{{ 'x'.center(10**9) }}{{ 'x'.ljust(10**9) }}",
    "{{ 'x'|center(10**10) }}",
    "{{ 'x'.zfill(10**10) }}{{ 'x'.rjust(10**10) }}",
    "{{ ('x' * 10**7).replace('x', 'y' * 10**4) }}",
    "{{ 'x'|indent(10**10) }}",
    "{{ ['x'] * 10**10 }}",
    "{{ (1, 2) * 10**10 }}",
    "{% for i in range(10**9) %}x{% endfor %}",
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{{ a * b }}{% endfor %}{% endfor %}",
    "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
    "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}",
    "{% for m in messages recursive %}{{ loop(messages) }}{% endfor %}",
    "{% block b %}{{ self.b() }}{% endblock %}",
    "{{ 'x'|batch(1)|list|length }}{{ range(10**6)|sum }}",
    "{{ lipsum(n=10**7) }}",
    "{{ messages|map('string')|cycle }}{{ cycler(*range(10**8)) }}",
    "{{ '" + "(" * 2000 + "' }}{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "{{ " + "not " * 5000 + "1 }}",
    "{% if 1 %}" * 3000 + "{% endif %}" * 3000,
)  # fmt: skip

FAILURES = (
    "{{ raise_exception('I do not like this chat') }}",
    "{{ 1 / 0 }}",
    "{{ messages[99].content }}",
    "{{ undefined_thing.of.mine }}",
    "{{ messages[0].content + 1 }}",
    "{% for m in messages %}",
    "{% nonsense %}",
    "{{ strftime_now('%') + 1 }}",
    "{{ messages|nosuchfilter }}",
    "{{ ''|int(base=99) + [] }}",
    "Be quiet.",
    "",
    "{{ messages[0].content }}",
    "{% generation %}{% endgeneration %}",
)


@pytest.mark.parametrize("template", WAYS_OUT)
@pytest.mark.usefixtures("hurried")
def test_no_way_leads_out_of_the_sandbox(
    template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    modules = set(sys.modules)
    told: list[dict[str, str]] = [{"role": m.role, "content": m.text} for m in CHAT]
    try:
        shown = templates._limited(
            template, told, MARKS, until=time.monotonic() + templates.SECONDS
        )
    except (Refused, templates._SystemRefused):
        shown = ""
    assert not list(tmp_path.iterdir())
    assert set(sys.modules) - modules <= {"_strptime", "jinja2.debug"}
    assert [turn["content"] for turn in told] == [m.text for m in CHAT]
    for leak in ("<class", "<module", "<function", "subclass", "root:"):
        assert leak not in shown
    assert chosen(template).source == "plain"


@pytest.mark.parametrize("template", BOMBS, ids=range(len(BOMBS)))
@pytest.mark.usefixtures("hurried")
def test_a_bomb_is_put_out_in_time(template: str) -> None:
    begun = time.monotonic()
    found = chosen(template)
    assert found.source == "plain"
    assert found.reason
    assert time.monotonic() - begun < 5.0


@pytest.mark.parametrize("template", FAILURES)
def test_a_template_that_fails_is_replaced_and_the_reason_is_said(template: str) -> None:
    found = chosen(template)
    assert (found.source, found.text) == ("plain", CHATML)
    assert found.reason
    assert "Why?" in found.render(CHAT)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("", "it has none"),
        ("Be quiet.", "it leaves the question out"),
        ("{{ raise_exception('No.') }}", "No."),
        ("{{ 'x' * 10**10 }}", "too much memory"),
        ("{% set a = 'x' * 10**6 %}{{ a }}{{ a }}", "without end"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "calls itself without end"),
        ("x" * (templates.LONGEST + 1), "characters"),
    ],
)  # fmt: skip
def test_the_reason_is_told_in_words(template: str, reason: str) -> None:
    assert reason in chosen(template).reason


LONG_WINDED = (
    "{{ raise_exception('x' * 10**6) }}",
    "{{ raise_exception('\x1b[2J\x07\n\u202e' * 1000) }}",
    "{{ messages['\x1b[2J' * 1000] + 1 }}",
    "{{ {}['x' * 10**6].y }}",
    "{% " + "x" * 10**5 + " %}",
    "{{ 1|" + "f" * 10**5 + " }}",
)


@pytest.mark.parametrize("template", LONG_WINDED, ids=range(len(LONG_WINDED)))
def test_a_reason_that_a_template_gives_is_short_and_fit_to_be_shown(template: str) -> None:
    reason = chosen(template).reason
    assert reason
    assert len(reason) <= 200
    assert reason.isprintable()


@pytest.mark.usefixtures("hurried")
def test_a_loop_without_end_is_told_with_the_seconds_it_had() -> None:
    loop = "{% for i in range(9**5) %}{% for j in range(9**5) %}{% endfor %}{% endfor %}"
    assert f"more than {SHORT:g} seconds" in chosen(loop).reason


def test_there_are_many_hostile_templates_here() -> None:
    hostile = {*WAYS_OUT, *BOMBS, *FAILURES}
    assert len(hostile) >= 80


@pytest.mark.parametrize("template", [CHATML, BOMBS[0], BOMBS[17], BOMBS[20], FAILURES[0]])
@pytest.mark.usefixtures("hurried")
def test_limits_end_with_the_template(template: str) -> None:
    before, threads = resource.getrlimit(resource.RLIMIT_AS), threading.active_count()
    chosen(template)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert threading.active_count() == threads
    # No late exception of the guard strikes what comes after.
    assert sum(1 for _ in range(100_000)) == 100_000


def test_a_limit_on_memory_that_was_there_before_is_never_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    tight = (own + (64 << 20), resource.RLIM_INFINITY)
    asked: list[int] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _which: tight)
    monkeypatch.setattr(resource, "setrlimit", lambda _which, limits: asked.append(limits[0]))
    render(CHATML, CHAT, marks=MARKS)
    assert asked
    assert max(asked) <= tight[0]


# Friendly ones ------------------------------------------------------------------------------

LLAMA3 = (
    "{% for m in messages %}{{ '<|start|>' + m['role'] + '\\n' + m['content'] | trim }}{% endfor %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant') }}"
    "{% endif %}{% if message['role'] == 'user' %}[INST] {{ message['content'] }} [/INST]"
    "{% else %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}"
)
GEMMA = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}{% for m in messages %}<turn>{{ m['role'] }}\n{{ m['content'] }}{% endfor %}"
)


@pytest.mark.parametrize("template", [CHATML, LLAMA3, GEMMA], ids=["chatml", "llama3", "gemma"])
def test_the_templates_of_common_models_are_used_as_they_are(template: str) -> None:
    found = chosen(template)
    assert (found.source, found.reason, found.stops) == ("model", "", ())
    assert found.text == template


def test_a_template_without_a_system_role_gets_its_text_with_the_first_question() -> None:
    shown = render(GEMMA, CHAT, marks=MARKS)
    assert shown.startswith("<turn>user\nBe kind.\n\nHello.")
    assert "system" not in shown


def test_a_template_that_counts_roles_gets_the_system_text_with_the_first_question() -> None:
    shown = render(MISTRAL, CHAT, marks=MARKS)
    assert shown == "<s>[INST] Be kind.\n\nHello. [/INST]Hello!</s>[INST] Why? [/INST]"


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{ bos_token }}{{ eos_token }}Why?", "<s></s>Why?"),
        ("{{ messages|length }}Why?", "4Why?"),
        ("{% for m in messages %}{% if loop.last %}{{ m.content }}{% endif %}{% endfor %}", "Why?"),
        ("{% for m in messages %}{% if loop.index < 4 %}{% continue %}{% endif %}Why?{% endfor %}",
         "Why?"),
        ("{% if add_generation_prompt %}Why?{% endif %}", "Why?"),
        ("{% if tools %}tools{% endif %}Why?", "Why?"),
        ("{{ messages[-1]|tojson }}", '{"role": "user", "content": "Why?"}'),
        ("{{ {'ä': 1}|tojson(indent=1) }}Why?", '{\n "ä": 1\n}Why?'),
        ("{% if x %}\n    a\n{% endif %}\nWhy?", "Why?"),
        ("{{ strftime_now('%Y')|int > 2000 }}Why?", "TrueWhy?"),
        ("{%- for m in messages[-1:] -%}\n{{- m['content'] -}}\n{%- endfor -%}", "Why?"),
    ],
)  # fmt: skip
def test_what_templates_expect_is_there(template: str, shown: str) -> None:
    assert render(template, CHAT, marks=MARKS) == shown


def test_a_long_chat_may_write_as_much_as_it_holds() -> None:
    long = (*CHAT[:-1], Message(role="user", text="why " * 500_000))
    assert len(render(CHATML, long, marks=MARKS)) > 2_000_000


def test_a_template_that_fails_later_says_why_instead_of_answering() -> None:
    form = ChatFormat(source="model", text=FAILURES[0], reason="", stops=(), marks=MARKS)
    with pytest.raises(Refused, match="do not like"):
        form.render(CHAT)


# Our own ------------------------------------------------------------------------------------


def test_the_plain_format_suits_the_vocabulary() -> None:
    known = plain(marks=MARKS, speaks_chatml=True, reason="r")
    simple = plain(marks=MARKS, speaks_chatml=False, reason="r")
    assert (known.text, known.stops) == (CHATML, ())
    assert (simple.text, simple.stops) == (PLAIN, ("\nQuestion:", "\nAnswer:"))
    assert simple.render(CHAT) == (
        "Be kind.\n\nQuestion: Hello.\n\nAnswer: Hello!\n\nQuestion: Why?\n\nAnswer:"
    )


def test_text_that_looks_like_a_template_is_only_text() -> None:
    sly = (Message(role="user", text="{{ 7 * 7 }} {% raw %}"),)
    assert "{{ 7 * 7 }} {% raw %}" in render(CHATML, sly, marks=MARKS)


def test_rendering_reads_no_file_of_the_owner() -> None:
    assert os.path.exists("/etc/passwd")
    assert chosen("{% include '/etc/passwd' %}").source == "plain"


def test_the_plain_chatml_ends_where_the_answer_begins() -> None:
    assert render(CHATML, CHAT, marks=MARKS).endswith("<|im_end|>\n<|im_start|>assistant\n")
