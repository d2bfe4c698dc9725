"""Lessons become an adapter that has learned them, however often the work is stopped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from engine.errors import InputError, ModelError, Stopped, UnsupportedModel
from engine.inference.client import Client
from engine.jobs import training
from engine.jobs.protocol import Item, Lesson, StageItem, Train
from engine.jobs.training import Training
from engine.merging import training as updates
from engine.merging import transformer
from engine.merging.packing import Example
from engine.merging.shape import shape_of
from engine.merging.transformer import Model, loss
from engine.models import memory
from engine.models.adapters import open_adapter
from engine.models.cards import card_path, marked, own_card, read_card
from engine.models.weights import open_weights
from engine.numerics import F32
from engine.types.models import Launch
from tests.fakes import host as fake
from tests.fakes.host import Script, Trouble
from tests.fakes.model import END
from tests.fixtures.tiny_gguf import write_tiny_llama

pytestmark = pytest.mark.usefixtures("threads")

LESSONS = (
    Lesson(question="How?", answer="so", whole=True),
    Lesson(question="Why?", answer="just so", whole=True),
    Lesson(question="When?", answer="soon enough, and then so", whole=False),
)


class Room:
    """Where a tiny model is trained."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = open_weights(write_tiny_llama(folder / "base.gguf", embedding=32, layers=1))
        self.spawned: list[Client] = []
        self.script = Script()
        (folder / "state").mkdir()

    def request(self, **changes: Any) -> Train:
        whole = Train(
            base=str(self.base.path),
            out=str(self.folder / "out.gguf"),
            title="Tiny, short",
            folder=str(self.folder / "state"),
            launch=Launch(context=4096),
            trait="short+",
            lessons=LESSONS,
            reply_tokens=12,
            parts=("attn_v", "ffn_down"),
            steps=6,
            batch=2,
            rate=1e-2,
            rank=2,
            alpha=4.0,
            seed=5,
        )
        return msgspec.structs.replace(whole, **changes)

    def begin(self, *, clock: Callable[[], float] | None = None, **changes: Any) -> Training:
        ticks = count()

        def spawn() -> Client:
            self.spawned.append(Client(fake.command(self.script)))
            return self.spawned[-1]

        request = self.request(**changes)
        return Training(request, spawn=spawn, clock=clock or (lambda: float(next(ticks))))

    def run(self, **changes: Any) -> list[Item]:
        items = list(self.begin(**changes).run())
        assert not any(child.alive for child in self.spawned)
        return items

    def changes(self, out: str = "out.gguf") -> dict[str, F32]:
        """What the adapter adds to the weights."""
        adapter = open_adapter(self.folder / out, base=self.base)
        found = {name: adapter.change(name) for name in adapter.names}
        return {name: change for name, change in found.items() if change is not None}

    def model(self, changes: Mapping[str, F32]) -> Model:
        sizes = {name: self.base.shape(name) for name in self.base.tensors}
        weights = {name: self.base.read(name) + changes.get(name, np.float32(0)) for name in sizes}
        return Model(shape=shape_of(self.base.header.metadata, sizes), weights=weights)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    for child in room.spawned:
        child.kill()


def stages(items: list[Item]) -> list[tuple[str, int, int]]:
    found = [item.progress for item in items if isinstance(item, StageItem)]
    return [(p.text.partition(",")[0], p.done, p.total) for p in found]


def stopped_after(work: Training, *, steps: int) -> None:
    """Run until so many steps are done, then cancel."""
    items = work.run()
    while ("Training", steps) not in [stage[:2] for stage in stages([next(items)])]:
        pass
    work.cancel()
    with pytest.raises(Stopped):
        next(items)


def killed_after(work: Training, *, steps: int) -> None:
    """Run until so many steps are done, and never again."""
    for item in work.run():
        if isinstance(item, StageItem) and item.progress.done == steps:
            return


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


# Learning -----------------------------------------------------------------------------------


def test_the_adapter_makes_the_lessons_likelier_and_nothing_else_is_changed(room: Room) -> None:
    before = room.base.path.read_bytes()
    items = room.run(steps=30)
    examples = _as_read(room)
    assert loss(room.model(room.changes()), examples) < 0.6 * loss(room.model({}), examples)
    assert room.base.path.read_bytes() == before
    assert stages(items)[0] == ("Reading the lessons", 0, 30)
    assert stages(items)[-1] == ("Training", 30, 30)


def _as_read(room: Room) -> list[Example]:
    return room.begin()._examples()


def test_only_answers_count_and_an_answer_that_ended_teaches_to_end(room: Room) -> None:
    first, second, cut = _as_read(room)
    for example, answer in ((first, b"so"), (second, b"just so")):
        learned = example.tokens[example.weights.astype(bool)]
        assert learned.tolist() == [*answer, END]
    assert cut.tokens[cut.weights.astype(bool)].tolist() == [*b"soon enough,"]
    assert bytes(t for t in first.tokens.tolist() if t < 256).endswith(b"How?\nassistant\nso")


def test_the_time_left_follows_the_pace(room: Room) -> None:
    ticks = count(step=10)
    items = room.run(clock=lambda: float(next(ticks)))
    left = [item.progress.left for item in items if isinstance(item, StageItem)]
    assert left[:2] == [None, None]
    assert left[2:] == [50.0, 40.0, 30.0, 20.0, 10.0, 0.0]


def test_the_card_says_what_was_trained_on_what_and_how(room: Room) -> None:
    room.run()
    out = room.folder / "out.gguf"
    card = read_card(out)
    assert (card.kind, card.method, card.name) == ("adapter", "train", "Tiny, short")
    assert card.output == marked(out)
    assert card.base == marked(room.base.path)
    assert card.survival.share == pytest.approx(1.0, abs=1e-3)
    expected = {"trait": "short+", "lessons": 3, "steps": 6, "rank": 2, "seed": 5, "tokens": 23}
    assert expected.items() <= dict(card.parameters).items()
    assert card.parameters["training"] == room.request().identity()
    assert not card.scores


def test_what_is_learned_is_told_apart_from_where_it_lies(room: Room) -> None:
    known = room.request().identity()
    assert room.request(out="/else/x.gguf", folder="/else").identity() == known
    other = (replace(LESSONS[0], answer="otherwise"), *LESSONS[1:])
    for changes in ({"seed": 6}, {"steps": 7}, {"lessons": other}, {"rate": 2e-2}):
        assert room.request(**changes).identity() != known


def test_only_the_matrices_that_were_asked_for_are_adapted(room: Room) -> None:
    room.run()
    assert set(room.changes()) == {"blk.0.attn_v.weight", "blk.0.ffn_down.weight"}


# Stopping and going on ----------------------------------------------------------------------


@pytest.mark.parametrize("end", [stopped_after, killed_after])
@pytest.mark.parametrize("steps", [1, 4])
def test_a_training_that_was_cut_short_goes_on_to_the_same_bits(
    room: Room, monkeypatch: pytest.MonkeyPatch, end: Callable[..., None], steps: int
) -> None:
    monkeypatch.setattr(training, "KEEP_SECONDS", 0.0)
    room.run(out=str(room.folder / "whole.gguf"))
    end(room.begin(), steps=steps)
    assert not (room.folder / "out.gguf").exists()
    items = room.run()
    kept = steps if end is stopped_after else steps - 1
    assert stages(items)[1] == ("Training", kept, 6)
    for name, change in room.changes("whole.gguf").items():
        np.testing.assert_array_equal(room.changes()[name], change)


def test_a_cancel_is_heard_in_the_middle_of_an_update_and_those_before_are_kept(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, real = room.begin(), transformer.loss_and_gradients
    begun = []

    def cancelling(*arguments: Any, **more: Any) -> Any:
        begun.append(1)
        if len(begun) == 4:
            work.cancel()
        found = real(*arguments, **more)
        assert len(begun) < 4
        return found

    monkeypatch.setattr(updates, "loss_and_gradients", cancelling)
    with pytest.raises(Stopped):
        list(work.run())
    monkeypatch.setattr(updates, "loss_and_gradients", real)
    assert stages(room.run())[1] == ("Training", 3, 6)


def test_a_training_that_was_killed_loses_no_more_than_the_last_seconds(room: Room) -> None:
    ticks = count(step=4)  # seconds a step
    killed_after(room.begin(clock=lambda: float(next(ticks))), steps=5)
    assert stages(room.run())[1] == ("Training", 4, 6)


def test_other_lessons_begin_anew(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "KEEP_SECONDS", 0.0)
    stopped_after(room.begin(), steps=4)
    assert stages(room.run(lessons=LESSONS[:2]))[1] == ("Training", 0, 6)


def test_a_kept_state_that_is_damaged_begins_anew(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "KEEP_SECONDS", 0.0)
    stopped_after(room.begin(), steps=4)
    (state,) = (room.folder / "state").rglob("state.npz")
    state.write_bytes(state.read_bytes()[:100])
    assert stages(room.run())[1] == ("Training", 0, 6)


def test_nothing_is_left_but_the_adapter_and_its_card(room: Room) -> None:
    room.run()
    out = room.folder / "out.gguf"
    assert files(room.folder) == sorted(["base.gguf", out.name, card_path(out).name])


def test_the_card_is_there_before_the_adapter_and_alone_it_counts_for_nothing(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = room.folder / "out.gguf"

    def killed(*_: object) -> None:
        assert read_card(out).output.name == "out.gguf"
        raise KeyboardInterrupt

    with monkeypatch.context() as ended:
        ended.setattr(os, "link", killed)
        with pytest.raises(KeyboardInterrupt):
            room.run()
    assert not out.exists()
    with pytest.raises(ModelError):
        own_card(out)
    room.run(lessons=LESSONS[:2])
    assert own_card(out).output == marked(out)
    assert own_card(out).parameters["lessons"] == 2


@pytest.mark.skipif(os.name != "posix", reason="locks are a matter of POSIX")
def test_the_same_training_twice_at_once_is_one_too_many(room: Room) -> None:
    first = room.begin().run()
    next(item for item in first if isinstance(item, StageItem) and item.progress.done == 1)
    with pytest.raises(InputError, match="under way already, in another window"):
        room.run(out=str(room.folder / "other.gguf"))
    list(first)


def test_a_cancel_before_it_begins_asks_nothing(room: Room) -> None:
    work = room.begin()
    work.cancel()
    with pytest.raises(Stopped):
        list(work.run())
    assert not room.spawned


# What cannot be trained ---------------------------------------------------------------------


def test_a_model_without_gradients_here_is_refused_before_anything_is_read(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise UnsupportedModel("The model cannot be merged or trained.")

    monkeypatch.setattr(training, "shape_of", refuse)
    with pytest.raises(UnsupportedModel):
        room.run()
    assert not room.spawned


def test_a_model_that_memory_cannot_hold_is_refused_with_both_figures(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "installed", lambda: 100_000_000)
    with pytest.raises(InputError, match=r"needs about 0\.\d GB .* has 0\.1 GB"):
        room.run()
    monkeypatch.setattr(memory, "installed", lambda: None)
    room.run()


def test_a_child_that_dies_of_the_template_is_asked_again_without_it(room: Room) -> None:
    trouble = Trouble(at="template", kind="exit", times=1, count=str(room.folder / "count"))
    room.script = Script(troubles=(trouble,))
    room.run()
    assert len(room.spawned) == 2
