"""Short forms of the reliability runs, with the real child and the model that is shipped."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.reliability import commits, faults, gguf_bytes, network, shortages, templates
from benchmarks.reliability.engines import remember_settings
from benchmarks.reliability.gguf_bytes import Workshop
from benchmarks.reliability.hostile_templates import FAMILIES
from benchmarks.reliability.hostile_templates import templates as hostile_templates
from benchmarks.reliability.kills import Kill, Range
from engine.inference.templates import SECONDS
from engine.types.answers import Ready
from engine.types.work import Notice
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.integration.conftest import MakeEngine

pytestmark = [pytest.mark.model, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@linux
def test_kills_at_any_moment_lose_no_text_and_the_next_question_is_answered(
    tmp_path: Path,
) -> None:
    remember_settings(tmp_path)  # with a context that can be halved
    killed: list[Kill] = []
    wanted = {"load", "first", "stream"}
    engine = Range(tmp_path, seed=1)
    try:
        while not {kill.moment for kill in killed} >= wanted and len(killed) < 15:
            killed.append(engine.kill(len(killed)))
    finally:
        engine.close()
    assert {kill.moment for kill in killed} >= wanted
    assert [kill for kill in killed if kill.problem] == []


@linux
@pytest.mark.parametrize("number", [0, 3], ids=["answering", "loading"])
def test_without_memory_it_says_so_offers_less_and_works_again_later(
    tmp_path: Path, number: int
) -> None:
    remember_settings(tmp_path, context=2048)
    found = shortages.case(number, tmp_path, seed=0)
    assert found.form == ("load" if number else "answer")
    assert found.problem == ""


def test_damaged_files_end_in_a_sentence_or_an_answer(tmp_path: Path) -> None:
    remember_settings(tmp_path / "data", context=512)
    model = write_tiny_llama(tmp_path / "tiny.gguf")
    workshop = Workshop(model, tmp_path, seed=0)
    try:
        found = [workshop.case(number) for number in range(2 * len(gguf_bytes.KINDS))]
    finally:
        workshop.close()
    assert [(case.what, case.problem) for case in found if case.problem] == []
    assert {case.kind for case in found} == {"bytes", "field", "cut"}
    assert any(case.refused for case in found)
    assert not any(case.deaths for case in found)


LASTING = {"loops", "long texts", "huge numbers", "twins", "patterns"}
"""Families that may take their five seconds."""


@linux
def test_hostile_templates_leave_no_trace_and_are_judged() -> None:
    for number, (family, text) in enumerate(hostile_templates(len(FAMILIES), seed=0)):
        if family.name not in LASTING:
            found = templates.attack(number, family, text)
            assert found.offences == (), family.name
            assert found.problem == "", family.name
            assert found.seconds < SECONDS
            assert not found.ended


def test_a_template_that_ends_the_process_is_replaced_by_a_plain_one(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    twins = (
        "{% set n = namespace(a=(1,)) %}{% for i in range(60) %}{% set n.a = (n.a, n.a) %}"
        "{% endfor %}{{ {n.a: 1} }}{{ messages[-1].content }}"
    )
    path = write_tiny_llama(tmp_path / "Odd.gguf", name="Odd", chat_template=twins)
    *_, notice, ready = make_engine().start(str(path))
    assert isinstance(notice, Notice)
    assert notice.code == "plain_template"
    assert isinstance(ready, Ready)
    assert ready.template == "plain"


def test_killed_writers_lose_nothing_that_they_acknowledged() -> None:
    found = commits.life(0, seed=1, kills=20)
    assert found.problem == ""
    assert (found.kills, found.checks) == (20, 2)
    assert found.told >= 100


def ran(module: str, *options: str, out: Path) -> dict[str, bool]:
    """A run in a process of its own: of each promise whether it was kept."""
    command = (sys.executable, "-m", f"benchmarks.reliability.{module}", *options)
    shown = subprocess.run(
        (*command, "--out", str(out)), cwd=ROOT, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert out.with_suffix(".json").exists(), shown.stderr
    found = json.loads(out.with_suffix(".json").read_text())
    return {row["promise"]: row["met"] for row in found["findings"]}


needs_gcc = pytest.mark.skipif(not faults.possible(), reason="needs Linux and gcc")


@needs_gcc
@pytest.mark.parametrize("deed", ["vote", "profile import, beside", "restore of chats.db"])
def test_calls_that_fail_are_said_and_cost_nothing(tmp_path: Path, deed: str) -> None:
    kept = ran("write_errors", "--only", deed, "--every", "13", out=tmp_path / "out.jsonl")
    assert [promise for promise, met in kept.items() if not met] == []


@needs_gcc
def test_killed_between_two_states_it_is_in_one_of_them(tmp_path: Path) -> None:
    kept = ran("switches", "--count", "24", out=tmp_path / "out.jsonl")
    assert [promise for promise, met in kept.items() if not met] == []


LOSSES = (
    "cuts that lost or tore one of them, or after which SQLite finds a file damaged",
    "other deeds that were acknowledged and are not there, are neither done nor undone, or leave a "
    "damaged file",
)


@needs_gcc
def test_what_was_acknowledged_outlives_a_loss_of_power(tmp_path: Path) -> None:
    kept = ran("power_cuts", "--count", "120", out=tmp_path / "out.jsonl")
    assert [promise for promise, met in kept.items() if not met] == []
    assert {*LOSSES} <= kept.keys()


@needs_gcc
@pytest.mark.parametrize("synchronous", ["0", "2"], ids=["OFF", "FULL"])
def test_a_store_that_waits_for_less_is_found_to_lose_what_it_acknowledged(
    tmp_path: Path, synchronous: str
) -> None:
    options = ("--count", "60", "--synchronous", synchronous)
    kept = ran("power_cuts", *options, out=tmp_path / "out.jsonl")
    assert [promise for promise, met in kept.items() if not met] == [*LOSSES]


@linux
def test_the_app_is_used_for_a_while_and_weighed(tmp_path: Path) -> None:
    out = tmp_path / "soak.jsonl"
    kept = ran("soak", "--minutes", "0.3", out=out)
    assert kept["minutes of use"]
    assert kept["warnings and errors in the log"]
    assert len(out.read_text().splitlines()) >= 2


SESSION = """
import sys
heard = []
sys.addaudithook(lambda event, given: heard.append(event) if event.startswith("socket.") else None)
from pathlib import Path
from benchmarks.reliability.engines import asked
from engine.api import Duel, Engine
engine = Engine(Path(sys.argv[1]))
for event in engine.start(): print(type(event).__name__)
for event in engine.answer(asked("What is the sea?", max_tokens=8)): pass
events = list(engine.duel(asked("What is the sea?", max_tokens=8)))
assert isinstance(events[-1], Duel)
if events[-1].verdict == "open": engine.learning.vote(events[-1].id, "first")
engine.learning.learned()
engine.models()
engine.close()
assert not heard, heard
print("done")
"""


@linux
def test_a_session_opens_no_socket_to_a_network(tmp_path: Path) -> None:
    remember_settings(tmp_path / "data", context=1024)
    trace = tmp_path / "trace"
    strace = shutil.which("strace")
    before = network.watching(trace) if strace else ()
    shown = subprocess.run(
        (*before, sys.executable, "-c", SESSION, str(tmp_path / "data")),
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (shown.returncode, shown.stdout.split()[-1:]) == (0, ["done"]), shown.stderr
    if strace:
        assert set(network.families(trace.read_text().splitlines())) <= {"AF_UNIX"}


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_an_attempt_is_seen_even_where_the_filter_refuses_it(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    attempt = (
        "import socket\n"
        "from engine.inference.confinement import confine\n"
        "confine()\n"
        "try: socket.socket()\n"
        "except PermissionError: print('refused')\n"
    )
    command = (*network.watching(trace), sys.executable, "-c", attempt)
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout == "refused\n"
    assert network.families(trace.read_text().splitlines()) == {"AF_INET": 1}
