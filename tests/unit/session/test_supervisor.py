"""The owner sees a crash as a notice and a short answer; the next answer works again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence

import pytest

from engine.errors import (
    DamagedModel,
    EngineCrashed,
    EngineError,
    NotReady,
    OutOfMemory,
    Stopped,
)
from engine.inference import client as client_module
from engine.inference.client import Client
from engine.session.supervisor import (
    FORGIVEN,
    FORGIVEN_ELSE,
    SPELL_SECONDS,
    Chosen,
    Supervisor,
)
from engine.types.answers import Answer, AnswerEvent, Chunk, Ready, StartEvent
from engine.types.models import Launch
from engine.types.work import Notice
from tests.fakes import host as fake
from tests.fakes import puppet
from tests.fakes.asking import question
from tests.fakes.host import Trouble
from tests.fakes.puppet import say

Moves = Sequence[list[str | int]]
NEEDED = 1_000_000_000
CHOSEN = Chosen(id="basil-1b", path="/models/basil.gguf", name="Basil 1B", needed=NEEDED)
VARIANTS = ("newest", "haswell", "sse42")
LAUNCH = Launch(variant="newest", context=4096)
HEAR: list[str | int] = ["hear"]
LOADED = say("Loaded", id=1, device="CPU", context=4096, template="model", reason="", seconds=0.25)
LOADING = say("Phase", id=1, seq=1, phase="load")


TEMPLATE = say("Phase", id=2, seq=1, phase="template")
STARTED = say(
    "StartedItem",
    id=2,
    seq=1,
    started={
        "prompt_tokens": 20, "cached_tokens": 0, "context": 4096, "dropped": 0, "streams": 2,
        "seed": 5, "gamma": 3.5,
    },
)  # fmt: skip


def chunk(text: str, *, tokens: int = 1) -> list[str | int]:
    return say("ChunkItem", id=2, seq=1, chunk={"text": text, "tokens": tokens})


def answered(text: str) -> list[str | int]:
    answer = {"text": text, "finish": "end", "tokens": 1, "streams": 1, "gamma": 0.0, "seed": 1}
    return say("Answered", id=2, answers=[answer | {"used": 1, "context": 2, "model": "Basil 1B"}])


def dies(number: int) -> list[str | int]:
    return ["die", int(number)]


GOOD: Moves = (HEAR, LOADED, HEAR, chunk("Water it."), answered("Water it."))


class Case:
    """A supervisor whose children are given one after another."""

    def __init__(self, *children: Moves) -> None:
        self._children = [puppet.command(puppet.hello(), *moves) for moves in children]
        self.started = 0
        self.remembered: list[Launch] = []
        self.now = 0.0
        self.free: int | None = NEEDED
        self.supervisor = Supervisor(
            spawn=self._spawn,
            on_launch=self.remembered.append,
            available=lambda: self.free,
            clock=lambda: self.now,
        )

    def start(self, launch: Launch = LAUNCH) -> list[StartEvent]:
        return list(self.supervisor.start(CHOSEN, launch=launch, variants=VARIANTS))

    def answer(self) -> list[AnswerEvent]:
        return list(self.supervisor.answer(question("Basil?"), seed=1))

    @property
    def launch(self) -> Launch:
        return self.supervisor._launch

    def _spawn(self) -> Client:
        self.started += 1
        return Client(self._children.pop(0))


@pytest.fixture
def cases() -> Iterator[list[Case]]:
    made: list[Case] = []
    yield made
    for case in made:
        case.supervisor.close()


@pytest.fixture
def children(cases: list[Case]) -> type[Case]:
    """Makes cases and closes them."""

    class Kept(Case):
        def __init__(self, *children: Moves) -> None:
            super().__init__(*children)
            cases.append(self)

    return Kept


def codes(events: Sequence[object]) -> list[str]:
    return [e.code if isinstance(e, Notice) else type(e).__name__ for e in events]


# Starting -----------------------------------------------------------------------------------


def test_starting_ends_with_ready(children: type[Case]) -> None:
    events = children(GOOD).start()
    assert events == [
        Ready(
            model="basil-1b",
            name="Basil 1B",
            device="CPU",
            context=4096,
            template="model",
            seconds=0.25,
        )
    ]


def test_a_plain_template_is_mentioned_with_its_reason(children: type[Case]) -> None:
    loaded = say(
        "Loaded", id=1, device="CPU", context=1, template="plain", reason="it has none", seconds=0
    )
    events = children((HEAR, loaded)).start()
    assert codes(events) == ["plain_template", "Ready"]
    assert isinstance(events[0], Notice)
    assert "it has none" in events[0].text


def test_an_answer_is_passed_on_as_it_comes(children: type[Case]) -> None:
    case = children(GOOD)
    case.start()
    events = case.answer()
    assert codes(events) == ["Chunk", "Answer"]
    assert case.started == 1


def test_an_answer_names_its_model_by_id_as_ready_does(children: type[Case]) -> None:
    case = children(GOOD)
    (ready,) = case.start()
    answer = case.answer()[-1]
    assert isinstance(ready, Ready)
    assert isinstance(answer, Answer)
    assert answer.model == ready.model == CHOSEN.id


def test_without_a_model_a_question_says_so(children: type[Case]) -> None:
    with pytest.raises(NotReady):
        children().answer()


@pytest.mark.parametrize(
    ("number", "expected", "remembered"),
    [
        (signal.SIGSEGV, Launch(variant="newest", extra_bufts=False, context=4096), True),
        (signal.SIGILL, Launch(variant="haswell", extra_bufts=False, context=4096), True),
        (signal.SIGKILL, Launch(variant="newest", context=2048), False),
    ],
)
def test_a_crash_while_loading_steps_down_to_what_helps(
    children: type[Case], number: int, expected: Launch, remembered: bool
) -> None:
    case = children((HEAR, LOADING, dies(number)), GOOD)
    events = case.start()
    assert codes(events) == ["stepped_down", "Ready"]
    assert case.launch == expected
    assert case.remembered == ([expected] if remembered else [])


def test_settings_are_remembered_once_a_load_with_them_has_succeeded(children: type[Case]) -> None:
    case = children((HEAR, LOADING, dies(signal.SIGILL)), GOOD)
    events = case.supervisor.start(CHOSEN, launch=LAUNCH, variants=VARIANTS)
    assert codes([next(events)]) == ["stepped_down"]
    assert case.remembered == []
    assert codes(list(events)) == ["Ready"]
    assert case.remembered == [case.launch]


def test_a_smaller_context_is_not_remembered_with_the_rest(children: type[Case]) -> None:
    """Memory depends on the model; another one may well have room for the whole context."""
    crashes = (signal.SIGSEGV, signal.SIGKILL)
    case = children(*[(HEAR, LOADING, dies(number)) for number in crashes], GOOD)
    assert codes(case.start()) == ["stepped_down", "stepped_down", "Ready"]
    assert case.launch == Launch(variant="newest", extra_bufts=False, context=2048)
    assert case.remembered == [Launch(variant="newest", extra_bufts=False, context=4096)]


def test_what_worked_is_remembered_once(children: type[Case]) -> None:
    case = children((HEAR, LOADING, dies(signal.SIGSEGV)), (HEAR, LOADED, ["exit", 0]), GOOD)
    case.start()
    client = case.supervisor._client
    assert client is not None
    client._process.wait()
    case.answer()
    assert case.started == 3
    assert len(case.remembered) == 1


def test_a_model_that_crashes_on_every_rung_leaves_nothing_behind(children: type[Case]) -> None:
    case = children(*[(HEAR, LOADING, dies(signal.SIGSEGV))] * 4)
    with pytest.raises(EngineCrashed, match="No safer setting"):
        case.start(Launch(variant="newest", context=1024))
    assert case.started == 4
    assert case.remembered == []


def test_a_file_that_aborts_llama_cpp_is_called_damaged_and_not_tried_again(
    children: type[Case],
) -> None:
    case = children((HEAR, LOADING, dies(signal.SIGABRT)))
    with pytest.raises(DamagedModel, match="Basil 1B"):
        case.start()
    assert case.started == 1


def test_at_the_bottom_of_the_ladder_the_crash_is_told(children: type[Case]) -> None:
    case = children((HEAR, LOADING, dies(signal.SIGKILL)))
    with pytest.raises(EngineCrashed, match="No safer setting is left for Basil 1B"):
        case.start(Launch(context=1024))


def test_too_little_memory_halves_the_context_until_it_fits(children: type[Case]) -> None:
    full = say("Failed", id=1, code="out_of_memory", message="There is not enough memory.")
    case = children((HEAR, full), (HEAR, full), GOOD)
    assert codes(case.start()) == ["stepped_down", "stepped_down", "Ready"]
    assert case.launch.context == 1024
    assert case.remembered == []


def test_too_little_memory_for_the_smallest_context_is_told(children: type[Case]) -> None:
    full = say("Failed", id=1, code="out_of_memory", message="There is not enough memory.")
    with pytest.raises(OutOfMemory):
        children((HEAR, full)).start(Launch(context=1024))


def test_an_error_of_the_file_is_raised_as_it_is(children: type[Case]) -> None:
    bad = say("Failed", id=1, code="damaged_model", message="basil.gguf is cut off.")
    with pytest.raises(DamagedModel, match="cut off"):
        children((HEAR, bad)).start()


def test_stopping_a_load_ends_it(children: type[Case]) -> None:
    case = children((HEAR, LOADING, HEAR, say("Cancelled", id=1)))
    events = case.supervisor.start(CHOSEN, launch=LAUNCH, variants=VARIANTS)
    stopper = threading.Timer(0.05, case.supervisor.stop)
    stopper.start()
    with pytest.raises(Stopped):
        list(events)
    stopper.join()


def start_with_a_bad_template(trouble: Trouble) -> tuple[list[StartEvent], list[Launch]]:
    """Events, and the settings that were remembered."""
    command = fake.command(troubles=(trouble,))
    remembered: list[Launch] = []
    supervisor = Supervisor(spawn=lambda: Client(command), on_launch=remembered.append)
    try:
        return list(supervisor.start(CHOSEN, launch=LAUNCH, variants=VARIANTS)), remembered
    finally:
        supervisor.close()


@pytest.mark.usefixtures("threads")
def test_a_template_that_hangs_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(client_module.SILENCE_SECONDS, "template", 0.1)
    events, _ = start_with_a_bad_template(Trouble(at="template", kind="deaf"))
    assert codes(events) == ["plain_template", "Ready"]
    assert isinstance(events[0], Notice)
    assert "too long" in events[0].text


@pytest.mark.usefixtures("threads")
def test_a_template_that_kills_the_child_is_skipped_and_no_setting_is_blamed() -> None:
    events, remembered = start_with_a_bad_template(Trouble(at="template", signal=signal.SIGSEGV))
    assert codes(events) == ["plain_template", "Ready"]
    assert remembered == []


def test_a_crash_at_the_plain_template_is_the_fault_of_the_settings(children: type[Case]) -> None:
    crash: Moves = (HEAR, say("Phase", id=1, seq=1, phase="template"), dies(signal.SIGSEGV))
    case = children(crash, crash, GOOD)
    assert codes(case.start()) == ["stepped_down", "Ready"]
    assert case.supervisor._plain
    assert not case.launch.extra_bufts


def test_a_kill_while_the_template_is_tried_is_want_of_memory_and_not_its_fault(
    children: type[Case],
) -> None:
    killed: Moves = (HEAR, say("Phase", id=1, seq=1, phase="template"), dies(signal.SIGKILL))
    case = children(killed, GOOD)
    events = case.start()
    assert codes(events) == ["stepped_down", "Ready"]
    assert isinstance(events[0], Notice)
    assert "memory" in events[0].text
    assert not case.supervisor._plain
    assert case.launch.context == LAUNCH.context // 2


# Crashes while answering --------------------------------------------------------------------


def test_a_crash_keeps_the_text_says_so_and_the_next_answer_works(children: type[Case]) -> None:
    crash = (HEAR, LOADED, HEAR, chunk("Water "), chunk("it"), dies(signal.SIGSEGV))
    case = children(crash, GOOD)
    case.start()
    events = case.answer()
    assert codes(events) == ["Chunk", "Chunk", "engine_crashed", "Answer", "Ready"]
    notice, answer = events[2:4]
    assert isinstance(notice, Notice)
    assert "kept" in notice.text
    assert isinstance(answer, Answer)
    assert (answer.text, answer.finish) == ("Water it", "interrupted")
    assert codes(case.answer()) == ["Chunk", "Answer"]


def test_an_answer_cut_short_keeps_what_was_known_of_it(children: type[Case]) -> None:
    crash = (HEAR, LOADED, HEAR, STARTED, chunk("Water "), chunk("it", tokens=3))
    case = children((*crash, dies(signal.SIGSEGV)), GOOD)
    case.start()
    (cut,) = [e for e in case.answer() if isinstance(e, Answer)]
    assert cut == Answer(
        text="Water it",
        finish="interrupted",
        tokens=3,
        streams=2,
        gamma=3.5,
        seed=5,
        used=20 + 3,
        context=4096,
        model="basil-1b",
    )


def test_an_answer_cut_short_before_it_started_claims_nothing(children: type[Case]) -> None:
    case = children((HEAR, LOADED, HEAR, dies(signal.SIGSEGV)), GOOD)
    case.start()
    (cut,) = [e for e in case.answer() if isinstance(e, Answer)]
    assert (cut.text, cut.tokens, cut.used, cut.streams) == ("", 0, 0, 0)
    assert (cut.seed, cut.model) == (1, "basil-1b")


def test_a_crash_before_any_text_does_not_speak_of_text(children: type[Case]) -> None:
    case = children((HEAR, LOADED, HEAR, dies(signal.SIGKILL)), GOOD)
    case.start()
    notice = case.answer()[0]
    assert isinstance(notice, Notice)
    assert "memory" in notice.text
    assert "kept" not in notice.text


def test_an_error_that_the_child_survives_is_raised_and_the_child_stays(
    children: type[Case],
) -> None:
    failed = say("Failed", id=2, code="prompt_too_long", message="Too long.")
    good = say("Answered", id=3, answers=[msg_answer("Yes.")])
    case = children((HEAR, LOADED, HEAR, failed, HEAR, good))
    case.start()
    with pytest.raises(Exception, match="Too long"):
        case.answer()
    assert codes(case.answer()) == ["Answer"]
    assert case.started == 1


def msg_answer(text: str) -> dict[str, object]:
    return {
        "text": text, "finish": "end", "tokens": 1, "streams": 1, "gamma": 0.0, "seed": 1,
        "used": 1, "context": 2, "model": "Basil 1B",
    }  # fmt: skip


def test_a_child_that_died_while_idle_is_started_again_for_the_next_question(
    children: type[Case],
) -> None:
    case = children((HEAR, LOADED, ["exit", 0]), GOOD)
    case.start()
    client = case.supervisor._client
    assert client is not None
    client._process.wait()
    assert codes(case.answer()) == ["Ready", "Chunk", "Answer"]


CRASH: Moves = (HEAR, LOADED, HEAR, dies(signal.SIGSEGV))


def test_a_few_crashes_are_forgiven_and_one_more_steps_down(children: type[Case]) -> None:
    case = children(*[CRASH] * (FORGIVEN_ELSE + 1), GOOD)
    case.start()
    told = [codes(case.answer()) for _ in range(FORGIVEN_ELSE + 1)]
    assert told[:-1] == [["engine_crashed", "Answer", "Ready"]] * FORGIVEN_ELSE
    assert told[-1] == ["engine_crashed", "Answer", "stepped_down", "Ready"]
    assert not case.launch.extra_bufts
    assert case.remembered == [case.launch]


def test_crashes_long_ago_are_forgotten(children: type[Case]) -> None:
    case = children(*[CRASH] * (FORGIVEN_ELSE + 1), GOOD)
    case.start()
    for _ in range(FORGIVEN_ELSE + 1):
        assert codes(case.answer()) == ["engine_crashed", "Answer", "Ready"]
        case.now += SPELL_SECONDS
    assert case.launch == LAUNCH


def test_one_lack_of_memory_is_forgiven_and_the_second_halves_the_context(
    children: type[Case],
) -> None:
    assert FORGIVEN["memory"] == 1
    case = children(*[(HEAR, LOADED, HEAR, dies(signal.SIGKILL))] * 2, GOOD)
    case.start()
    assert codes(case.answer()) == ["engine_crashed", "Answer", "Ready"]
    assert case.launch == LAUNCH
    assert codes(case.answer()) == ["engine_crashed", "Answer", "stepped_down", "Ready"]
    assert case.launch == Launch(variant="newest", context=2048)
    assert case.remembered == []


KILLED: Moves = (HEAR, LOADED, HEAR, dies(signal.SIGKILL))


def test_kills_where_plenty_of_memory_is_free_are_put_down_to_somebody_else(
    children: type[Case],
) -> None:
    case = children(*[KILLED] * (FORGIVEN_ELSE + 1), GOOD)
    case.free = 3 * NEEDED
    case.start()
    for _ in range(FORGIVEN_ELSE):
        assert codes(case.answer()) == ["engine_crashed", "Answer", "Ready"]
        assert case.launch == LAUNCH
    assert codes(case.answer()) == ["engine_crashed", "Answer", "stepped_down", "Ready"]


def test_a_kill_while_loading_is_tried_again_once_where_plenty_of_memory_is_free(
    children: type[Case],
) -> None:
    killed: Moves = (HEAR, LOADING, dies(signal.SIGKILL))
    case = children(killed, GOOD)
    case.free = 3 * NEEDED
    assert codes(case.start()) == ["loading_again", "Ready"]
    assert case.launch == LAUNCH
    twice = children(killed, killed, GOOD)
    twice.free = 3 * NEEDED
    assert codes(twice.start()) == ["loading_again", "stepped_down", "Ready"]
    unknown = children(killed, GOOD)
    unknown.free = None
    assert codes(unknown.start()) == ["stepped_down", "Ready"]


def test_after_a_crash_it_is_said_that_the_answer_is_not_written_again(
    children: type[Case],
) -> None:
    case = children((HEAR, LOADED, HEAR, chunk("Water "), dies(signal.SIGSEGV)), GOOD)
    case.start()
    (notice,) = [event for event in case.answer() if isinstance(event, Notice)]
    assert notice.text.endswith(
        "The text so far is kept. It is being started again; ask again when it is back."
    )


def test_an_instruction_that_the_processor_lacks_steps_down_at_once(children: type[Case]) -> None:
    case = children((HEAR, LOADED, HEAR, dies(signal.SIGILL)), GOOD)
    case.start()
    assert codes(case.answer()) == ["engine_crashed", "Answer", "stepped_down", "Ready"]
    assert case.launch.variant == "haswell"


def test_a_template_that_hangs_on_one_chat_is_skipped_from_then_on(
    children: type[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(client_module.SILENCE_SECONDS, "template", 0.1)
    case = children((HEAR, LOADED, HEAR, TEMPLATE, ["sleep"]), GOOD)
    case.start()
    assert codes(case.answer())[-1] == "Ready"
    assert case.supervisor._plain


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGILL])
def test_a_template_that_kills_the_child_on_one_chat_is_skipped_from_then_on(
    children: type[Case], number: int
) -> None:
    case = children((HEAR, LOADED, HEAR, TEMPLATE, dies(number)), GOOD)
    case.start()
    assert codes(case.answer()) == ["engine_crashed", "Answer", "Ready"]
    assert case.supervisor._plain
    assert case.launch == LAUNCH


def test_a_kill_in_the_template_of_one_chat_does_not_take_the_template_away(
    children: type[Case],
) -> None:
    case = children((HEAR, LOADED, HEAR, TEMPLATE, dies(signal.SIGKILL)), GOOD)
    case.start()
    assert codes(case.answer()) == ["engine_crashed", "Answer", "Ready"]
    assert not case.supervisor._plain
    assert case.launch == LAUNCH


# Stopping and closing -----------------------------------------------------------------------


def test_a_stop_that_the_child_does_not_hear_still_ends_the_answer(
    children: type[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "STOP_SECONDS", 0.1)
    case = children((HEAR, LOADED, HEAR, chunk("Water"), ["sleep"]), GOOD)
    case.start()
    events: list[AnswerEvent] = []
    for event in case.supervisor.answer(question("Basil?"), seed=1):
        events.append(event)
        if isinstance(event, Chunk) and len(events) == 1:
            case.supervisor.stop()
    assert codes(events) == ["Chunk", "Answer", "Ready"]
    answer = events[1]
    assert isinstance(answer, Answer)
    assert (answer.text, answer.finish) == ("Water", "stopped")
    assert codes(case.answer()) == ["Chunk", "Answer"]


def test_a_stop_with_nothing_running_is_harmless(children: type[Case]) -> None:
    case = children(GOOD)
    case.supervisor.stop()
    case.start()
    case.supervisor.stop()
    assert codes(case.answer()) == ["Chunk", "Answer"]


def test_closing_while_an_answer_runs_ends_it_as_it_stands(
    children: type[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "STOP_SECONDS", 0.1)
    case = children((HEAR, LOADED, HEAR, chunk("Water"), ["sleep"]))
    case.start()
    events: list[AnswerEvent] = []
    closer = threading.Thread(target=case.supervisor.close)
    for event in case.supervisor.answer(question("Basil?"), seed=1):
        events.append(event)
        if isinstance(event, Chunk):
            closer.start()
    closer.join()
    assert codes(events) == ["Chunk", "Answer"]
    assert case.started == 1


def test_closing_while_a_child_is_being_started_ends_that_child_too() -> None:
    clients: list[Client] = []

    def spawn() -> Client:
        clients.append(Client(puppet.command(puppet.hello())))
        supervisor.close()
        return clients[-1]

    supervisor = Supervisor(spawn=spawn, on_launch=lambda _: None)
    with pytest.raises(EngineError):
        list(supervisor.start(CHOSEN, launch=LAUNCH, variants=VARIANTS))
    assert not clients[0].alive


def test_closing_twice_and_before_the_start_is_safe(children: type[Case]) -> None:
    case = children()
    case.supervisor.close()
    case.supervisor.close()
