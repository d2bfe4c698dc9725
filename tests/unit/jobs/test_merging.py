"""What merging writes, what its card says, what it refuses, and that it goes on where it was."""

from __future__ import annotations

import errno
import hashlib
import math
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, get_args
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pytest

from engine.errors import (
    AttuneError,
    InputError,
    InvalidParameter,
    Stopped,
    StorageError,
    UnsupportedModel,
)
from engine.jobs import consensus, family, mixing
from engine.jobs.consensus import contradictions
from engine.jobs.protocol import StageItem
from engine.merging import baselines
from engine.merging.greedy import write
from engine.merging.masks import MaskSettings, is_masked
from engine.merging.packing import Example
from engine.merging.shape import shape_of
from engine.merging.transformer import Model, loss
from engine.models import layout, memory, writing
from engine.models.adapters import write_adapter
from engine.models.cards import (
    CardSurvival,
    MergeCard,
    card_path,
    marked,
    read_card,
    write_card,
)
from engine.models.weights import Weights, open_weights
from engine.numerics import F32
from engine.types.workshop import MergeMethod
from tests.fakes.killing import needs_fork
from tests.fixtures.tiny_gguf import write_tiny_llama
from tests.unit.jobs.merges import HELD_OUT, Merged, Workshop
from tests.unit.models.model_files import MATRIX, changes, rewritten

UNTRAINED: tuple[MergeMethod, ...] = ("average", "arithmetic", "ties", "random-mask")
METHODS = ("average", "arithmetic 1", "arithmetic 0.3", "ties", "random-mask")


@pytest.fixture(scope="module", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """What is on the disk after the power fails is tested nowhere, and waiting for it is slow."""
    with patch.object(os, "fsync"):
        yield


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workshop, Merged]:
    """A learned merge of three members that nothing has disturbed."""
    shop = Workshop(tmp_path_factory.mktemp("whole"))
    return shop, shop.merge(members=paths(shop.members))


def paths(members: Sequence[Weights]) -> tuple[str, ...]:
    return tuple(str(member.path) for member in members)


def close(found: F32, wanted: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """As near as F16 and float16 task vectors come."""
    near: npt.NDArray[np.bool_] = np.isclose(found, wanted, rtol=2e-3, atol=2e-4)
    return near


def read(model: Weights) -> dict[str, F32]:
    return {name: model.read(name) for name in model.tensors}


# Methods ------------------------------------------------------------------------------------


def test_the_average_is_in_the_middle_of_all_members(shop: Workshop) -> None:
    merged = shop.merge(method="average", members=paths(shop.members))
    for name, found in read(merged.model).items():
        middle = np.mean([member.read(name) for member in shop.members], axis=0)
        assert close(found, middle).all(), name


def test_arithmetic_adds_all_changes_up(shop: Workshop) -> None:
    merged = shop.merge(method="arithmetic")
    for name, found in read(merged.model).items():
        base = shop.base.read(name)
        total = base + sum(member.read(name) - base for member in shop.members[:2])
        assert close(found, total).all(), name
    assert merged.card.parameters["scale"] == 1.0


def test_ties_trims_over_the_whole_model_elects_a_sign_and_takes_the_mean(shop: Workshop) -> None:
    merged = shop.merge(method="ties")
    base = read(shop.base)
    vectors = []
    for member in shop.members[:2]:
        vector = {name: member.read(name) - base[name] for name in base}
        flat = np.sort(np.abs(np.concatenate([v.ravel() for v in vector.values()])))[::-1]
        floor = flat[int(0.2 * len(flat)) - 1]
        vectors.append({n: np.where(np.abs(v) >= floor, v, 0) for n, v in vector.items()})
    for name, found in read(merged.model).items():
        stacked = np.stack([vector[name] for vector in vectors])
        agrees = (np.sign(stacked) == np.sign(stacked.sum(axis=0))) & (stacked != 0)
        mean = (stacked * agrees).sum(axis=0) / np.maximum(1, agrees.sum(axis=0))
        assert close(found, base[name] + mean).all(), name


def test_a_random_mask_takes_every_masked_weight_from_one_member(shop: Workshop) -> None:
    merged = shop.merge(method="random-mask", members=paths(shop.members))
    took = np.zeros(3)
    for name, found in read(merged.model).items():
        from_each = np.stack([close(found, member.read(name)) for member in shop.members])
        if is_masked(name, found.ndim):
            assert from_each.any(axis=0).all(), name
            took += from_each.sum(axis=(1, 2))
    assert (took / took.sum()).tolist() == pytest.approx([1 / 3] * 3, abs=0.02)


def test_the_seed_and_nothing_else_decides_a_random_mask(shop: Workshop) -> None:
    def contents(seed: int) -> bytes:
        merged = shop.merge(method="random-mask", seed=seed)
        data = merged.model.path.read_bytes()
        merged.model.path.unlink()
        return data

    assert contents(1) == contents(1) != contents(2)


@pytest.mark.parametrize("method", UNTRAINED)
def test_without_training_no_model_is_asked_and_nothing_is_kept(
    shop: Workshop, method: MergeMethod
) -> None:
    merged = shop.merge(method=method)
    assert shop.letters.asked == 0
    assert not list((shop.folder / "state").iterdir())
    assert merged.card.method == method
    assert merged.card.scores == {}


def test_an_adapter_is_a_member_like_any_other(shop: Workshop) -> None:
    rng = np.random.default_rng(4)
    outputs, inputs = shop.base.shape(MATRIX)
    a = rng.normal(size=(2, inputs)).astype(np.float32)
    b = (rng.normal(size=(outputs, 2)) * 1e-1).astype(np.float32)
    path = shop.folder / "a.gguf"
    halves = {f"{MATRIX}.lora_a": a, f"{MATRIX}.lora_b": b}
    write_adapter(path, base=shop.base, halves=halves, alpha=2.0, name="A", storage="F32")
    merged = shop.merge(members=(str(path), str(shop.members[0].path)), method="average")
    middle = (shop.base.read(MATRIX) + b @ a + shop.members[0].read(MATRIX)) / 2
    assert close(merged.model.read(MATRIX), middle).all()
    (shop.folder / "out.gguf").unlink()
    learned = shop.merge(members=(str(path), str(shop.members[0].path)))
    assert learned.card.method == "calm"


# The learned mask ---------------------------------------------------------------------------


def test_calm_takes_every_masked_weight_from_one_source_and_the_rest_from_both(
    shop: Workshop,
) -> None:
    merged = shop.merge()
    one, other = shop.members[:2]
    taken = masked = 0
    for name, found in read(merged.model).items():
        a, b = one.read(name), other.read(name)
        if is_masked(name, found.ndim):
            from_a, from_b = close(found, a), close(found, b)
            assert (from_a | from_b).all(), name
            taken, masked = taken + int((from_b & ~from_a).sum()), masked + found.size
        else:
            assert close(found, (a + b) / 2).all(), name
    (density,) = merged.card.density
    assert 0.0 < density.share < 1.0
    assert taken / masked == pytest.approx(density.share, abs=0.03)


def test_three_members_are_merged_in_the_order_of_their_likeness(
    whole: tuple[Workshop, Merged],
) -> None:
    _, merged = whole
    assert len(merged.card.members) == 3
    assert merged.card.parameters["first"] == 2
    assert merged.card.parameters["first_scale"] == 1.0
    assert len(merged.card.density) == 1


def test_the_card_says_what_was_merged_how_and_what_came_of_it(
    whole: tuple[Workshop, Merged],
) -> None:
    shop, merged = whole
    card = merged.card
    data = merged.model.path.read_bytes()
    assert (card.output.sha256, card.output.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert card.base.sha256 == hashlib.sha256(shop.base.path.read_bytes()).hexdigest()
    names = [member.path.name for member in shop.members]
    assert sorted(mark.name for mark in card.members) == names
    assert list(card.scores) == ["base", *(f"{name} alone" for name in names), "calm", *METHODS]
    assert all(list(tasks) == names for tasks in card.scores.values())
    assert card.parameters["seed"] == 5
    assert card.parameters["eta"] == 1e8
    assert card.parameters["type"] == "F16"
    assert card.parameters["epochs"] == "3"
    assert set(card.density[0].by_kind) == {
        "attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down",
    }  # fmt: skip
    assert set(card.density[0].by_layer) == {"0", "1"}
    assert card.survival.share == pytest.approx(1.0, abs=0.01)
    assert list((shop.folder / "state").iterdir()) == []


def test_scores_are_what_the_models_make_of_the_members_own_replies(
    whole: tuple[Workshop, Merged],
) -> None:
    shop, merged = whole
    prompts = shop.letters.tokens([asked.text for asked in HELD_OUT])
    middle: dict[str, F32] = {
        name: np.stack([member.read(name) for member in shop.members]).mean(axis=0)
        for name in shop.base.tensors
    }
    models = {"average": model_of(shop, middle), "base": model_of(shop, read(shop.base))}
    for member in shop.members:
        own = model_of(shop, read(member))
        models[f"{member.path.name} alone"] = own
        written = write(own, prompts, most=consensus.REPLY_TOKENS, ends={2})
        examples = [
            Example(
                tokens=np.asarray(prompt + reply.tokens),
                weights=np.asarray([False] * len(prompt) + [True] * len(reply.tokens)),
            )
            for prompt, reply in zip(prompts, written, strict=True)
        ]
        for name, model in models.items():
            found = merged.card.scores[name][member.path.name]
            assert found == pytest.approx(loss(model, examples), rel=1e-3), name


def model_of(shop: Workshop, weights: dict[str, F32]) -> Model:
    sizes = {name: shop.base.shape(name) for name in shop.base.tensors}
    return Model(shape=shape_of(shop.base.header.metadata, sizes), weights=weights)


def test_the_best_is_what_keeps_all_members_best_and_calm_says_when_it_is_not(
    shop: Workshop,
) -> None:
    best = shop.merge(method="best").card
    sums = {name: sum(best.scores[name].values()) for name in ("calm", *METHODS)}
    winner = min(sums, key=lambda name: sums[name])
    assert best.parameters["best"] == winner
    assert best.method == winner.split()[0]
    (shop.folder / "out.gguf").unlink()
    calm = shop.merge(method="calm")
    assert calm.card.scores == best.scores
    assert calm.card.method == "calm"
    assert ("surpassed" in calm.notices) == (winner != "calm")
    if winner != "calm":
        assert any(winner in notice for notice in calm.card.notices)


@pytest.mark.parametrize("ahead", ["calm", "ties"])
def test_whoever_is_ahead_is_named(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, ahead: str
) -> None:
    """The losses are given here, so that both cases come up."""
    told = iter(range(100))

    def given(model: Model, examples: Sequence[Example]) -> float:
        place = next(told) // 2  # two tasks
        names = ["base", "m1", "m2", "calm", *METHODS]
        return 1.0 if names[place] == ahead else 2.0

    monkeypatch.setattr(consensus, "loss", given)
    merged = shop.merge()
    assert merged.card.parameters["best"] == ahead
    assert ("surpassed" in merged.notices) == (ahead != "calm")
    assert merged.card.method == "calm"


def test_members_that_expect_each_others_answers_less_than_the_base_are_pointed_out() -> None:
    scores = {
        "base": {"a": 3.0, "b": 3.0, "c": 3.0},
        "a alone": {"a": 0.1, "b": 3.4, "c": 2.0},
        "b alone": {"a": 4.4, "b": 0.1, "c": 3.5},
        "c alone": {"a": 2.5, "b": 2.9, "c": 0.1},
    }
    (notice,) = contradictions(scores, ["a", "b", "c"])
    assert notice.code == "contradiction"
    assert "a and b" in notice.text


def test_progress_tells_epochs_losses_and_the_time_left(whole: tuple[Workshop, Merged]) -> None:
    _, merged = whole
    epochs = [progress for progress in merged.progress if "epoch" in progress.text]
    assert [progress.done for progress in epochs] == [0, 1, 2, 3]
    assert [progress.left for progress in epochs] == [None, 2.0, 1.0, 0.0]
    assert all("loss" in progress.text for progress in epochs[1:])


# Refusals -----------------------------------------------------------------------------------

Trouble = Callable[[Workshop], dict[str, Any]]


def other_shape(shop: Workshop) -> dict[str, Any]:
    path = write_tiny_llama(shop.folder / "wide.gguf", feed_forward=160)
    return {"members": (str(path), str(shop.members[0].path))}


def other_tokenizer(shop: Workshop) -> dict[str, Any]:
    from gguf import GGUFValueType

    text = ("llama-bpe", GGUFValueType.STRING)
    path = shop.folder / "tongue.gguf"
    write_tiny_llama(path, overrides={"tokenizer.ggml.pre": text})
    return {"members": (str(path), str(shop.members[0].path))}


def other_setting(shop: Workshop) -> dict[str, Any]:
    from gguf import GGUFValueType

    base = (50000.0, GGUFValueType.FLOAT32)
    path = shop.folder / "turned.gguf"
    write_tiny_llama(path, overrides={"llama.rope.freq_base": base})
    return {"members": (str(path), str(shop.members[0].path))}


def other_adapter(shop: Workshop) -> dict[str, Any]:
    wide = open_weights(write_tiny_llama(shop.folder / "wide.gguf", feed_forward=160))
    name = "blk.0.ffn_up.weight"
    outputs, inputs = wide.shape(name)
    halves = {
        f"{name}.lora_a": np.ones((1, inputs), np.float32),
        f"{name}.lora_b": np.ones((outputs, 1), np.float32),
    }
    path = shop.folder / "adapter.gguf"
    write_adapter(path, base=wide, halves=halves, alpha=1.0, name="A")
    return {"members": (str(path), str(shop.members[0].path))}


def the_base_again(shop: Workshop) -> dict[str, Any]:
    path = shutil.copy(shop.base.path, shop.folder / "copy.gguf")
    return {"members": (str(path), str(shop.members[0].path))}


def a_stranger(shop: Workshop) -> dict[str, Any]:
    path = write_tiny_llama(shop.folder / "stranger.gguf", seed=9)
    return {"members": (str(path), str(shop.members[0].path))}


def named_twice(shop: Workshop) -> dict[str, Any]:
    return {"members": (str(shop.members[0].path),) * 2}


def only_one(shop: Workshop) -> dict[str, Any]:
    return {"members": (str(shop.members[0].path),)}


def there_already(shop: Workshop) -> dict[str, Any]:
    (shop.folder / "there.gguf").write_bytes(b"mine")
    return {"out": str(shop.folder / "there.gguf")}


def a_folder_that_is_not_there(shop: Workshop) -> dict[str, Any]:
    return {"out": str(shop.folder / "nowhere" / "out.gguf")}


def a_name_too_long_for_its_card(shop: Workshop) -> dict[str, Any]:
    return {"out": str(shop.folder / ("x" * 226 + ".gguf"))}


def an_adapter_of_peft(shop: Workshop) -> dict[str, Any]:
    folder = shop.folder / "peft"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(b"")
    return {"members": (str(folder), str(shop.members[0].path))}


def not_a_model_name(shop: Workshop) -> dict[str, Any]:
    return {"out": str(shop.folder / "out.bin")}


REFUSED: list[tuple[Trouble, type[AttuneError], str]] = [
    (other_shape, UnsupportedModel, "feed_forward_length"),
    (other_tokenizer, UnsupportedModel, "tokenizer.ggml.pre"),
    (other_setting, UnsupportedModel, "llama.rope.freq_base"),
    (other_adapter, UnsupportedModel, "blk.0.ffn_up.weight"),
    (the_base_again, UnsupportedModel, "copy.gguf hardly differs"),
    (a_stranger, UnsupportedModel, "stranger.gguf differs"),
    (named_twice, InputError, "m1.gguf is named twice"),
    (only_one, InputError, "1 members"),
    (there_already, InputError, "there.gguf exists already"),
    (not_a_model_name, InvalidParameter, "out.bin"),
    (a_folder_that_is_not_there, StorageError, "nowhere that can be written to"),
    (a_name_too_long_for_its_card, InvalidParameter, "224 bytes are the most"),
    (an_adapter_of_peft, UnsupportedModel, "peft is an adapter as PEFT keeps it; convert"),
]


@pytest.mark.parametrize("method", ["calm", "average"])
@pytest.mark.parametrize(
    ("trouble", "kind", "words"), REFUSED, ids=lambda x: getattr(x, "__name__", x)
)
def test_what_cannot_be_merged_is_refused_before_any_work(
    shop: Workshop, trouble: Trouble, kind: type[AttuneError], words: str, method: MergeMethod
) -> None:
    facts = trouble(shop)
    with pytest.raises(kind, match=words):
        list(shop.begin(method=method, **facts).run())
    assert shop.letters.asked == 0
    assert "out.gguf" not in shop.left()
    assert not list((shop.folder / "state").iterdir())


def unsupported(folder: Path) -> Workshop:
    """A workshop whose models have a field that gradients know nothing of."""
    folder.mkdir()
    shop = Workshop(folder)
    for model in (shop.base, *shop.members):
        fields = layout.raw_fields(model.header)
        fields["llama.rope.scaling.factor"] = layout.float32(4.0)
        data = model.path.read_bytes()[model.header.data_offset :]
        entries = [
            layout.Entry(name=n, shape=model.shape(n), type=t.type)
            for n, t in model.tensors.items()
        ]
        model.path.write_bytes(layout.header_bytes(fields, entries) + data)
    return shop


@pytest.mark.parametrize("method", ["calm", "best"])
def test_without_gradients_only_what_needs_them_is_refused(
    tmp_path: Path, method: MergeMethod
) -> None:
    shop = unsupported(tmp_path / "other")
    with pytest.raises(UnsupportedModel, match=r"llama\.rope\.scaling\.factor.*average"):
        list(shop.begin(method=method).run())
    for untrained in UNTRAINED:
        merged = shop.merge(method=untrained, out=str(shop.folder / f"{untrained}.gguf"))
        assert merged.card.method == untrained


def test_too_little_memory_is_said_before_any_work(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "installed", lambda: 10**8)
    with pytest.raises(InputError, match=r"needs about 0\.\d GB.*has 0\.1 GB.*average"):
        list(shop.begin().run())
    shop.merge(method="average")


def test_the_memory_of_the_starter_model_is_guessed_at_what_was_measured() -> None:
    """135M weights: 20 bytes each, and the rows of a pack, and their logits."""
    from engine.merging.shape import Shape

    shape = Shape(layers=30, width=576, heads=9, kv_heads=3, head_dim=64, ff=1536, vocab=49152)
    assert 3.2e9 < family.needed_memory(shape, weights=134_515_008) < 4.5e9


@pytest.mark.parametrize("method", ["calm", "average"])
def test_too_little_space_is_said_before_any_work(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, method: MergeMethod
) -> None:
    usage = shutil.disk_usage(shop.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(StorageError, match="0 MB are free"):
        list(shop.begin(method=method).run())


def test_a_member_in_four_bits_is_merged_with_a_warning(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    change = changes(shop.base, scale=5e-2, seed=8)
    path = rewritten(shop.base, shop.folder / "q4.gguf", label="Q4_0", change=change).path
    merged = shop.merge(members=(str(path), str(shop.members[0].path)), method="average")
    assert merged.notices == ["coarse_member"]
    assert any("q4.gguf" in notice for notice in merged.card.notices)


# Stopping and going on ----------------------------------------------------------------------


def places(merged: Merged) -> list[int]:
    """How many items there were when each part of the work, and each epoch, had begun."""
    texts = [item.progress.text if isinstance(item, StageItem) else "" for item in merged.items]
    parts = [text.partition(" ")[0] + text.partition("epoch ")[2][:1] for text in texts]
    return [parts.index(part) + 1 for part in dict.fromkeys(parts) if part]


def test_a_merge_that_is_killed_anywhere_goes_on_and_comes_to_the_same_bits(
    whole: tuple[Workshop, Merged], tmp_path: Path
) -> None:
    shop, merged = whole
    wanted = merged.model.path.read_bytes()
    for place in places(merged):
        folder = tmp_path / str(place)
        folder.mkdir()
        out = folder / "out.gguf"
        facts = {"members": paths(shop.members), "folder": str(folder), "out": str(out)}
        run = shop.begin(**facts).run()
        for _ in range(place):
            next(run)
        run.close()  # as a kill does: nothing but what is on the disk is left
        assert not out.exists()
        again = shop.merge(**facts)
        assert out.read_bytes() == wanted, place
        assert again.card.scores == merged.card.scores


def test_a_member_may_have_another_name_when_a_merge_goes_on(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shop.begin().run()
    next(item for item in run if "epoch 2" in str(item))
    run.close()
    renamed = shop.members[0].path.rename(shop.folder / "renamed.gguf")
    compared = count_calls(monkeypatch, consensus, "loss")
    merged = shop.merge(members=(str(renamed), str(shop.members[1].path)))
    assert len(compared) == 2 * (1 + len(METHODS))
    assert list(merged.card.scores)[:3] == ["base", "renamed.gguf alone", "m2.gguf alone"]
    assert list(merged.card.scores["base"]) == ["renamed.gguf", "m2.gguf"]


def test_a_member_whose_card_names_another_base_is_merged_with_a_warning(shop: Workshop) -> None:
    path = shop.members[0].path
    for base, told in ((marked(path), ["other_base"]), (marked(shop.base.path), [])):
        card = MergeCard(
            kind="model", name="m1", output=marked(path), base=base, method="average",
            survival=CardSurvival(share=1.0),
        )  # fmt: skip
        write_card(card, beside=path)
        out = shop.folder / f"out{len(told)}.gguf"
        merged = shop.merge(method="average", out=str(out))
        assert merged.notices == told
        assert len(merged.card.notices) == len(told)


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        ("engine.jobs.merging", "REPLY_TOKENS", 40),
        ("engine.jobs.merging", "CREDIBLE", 0.5),
        ("engine.jobs.merging", "MaskSettings", partial(MaskSettings, eta=1.0)),
    ],
)
def test_what_was_learned_with_other_settings_is_not_gone_on_with(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, module: str, name: str, value: object
) -> None:
    _until(shop.begin().run(), "epoch 1")
    monkeypatch.setattr(f"{module}.{name}", value)
    told = _until(shop.begin().run(), "epoch 0")
    assert told
    assert len(list((shop.folder / "state").iterdir())) == 2


@needs_fork
def test_killed_while_it_is_written_it_leaves_a_model_with_its_card_or_none(shop: Workshop) -> None:
    def act(folder: Path, until: int) -> int:
        folder.mkdir()
        out = str(folder / "out.gguf")
        return doing(lambda: list(shop.begin(method="average", out=out).run()), until=until)

    steps, found, alone = act(shop.folder / "whole", 0), set(), shop.folder
    for at in range(1, steps + 1):
        folder = shop.folder / str(at)
        child = os.fork()
        if not child:
            act(folder, at)
            os._exit(1)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        out = folder / "out.gguf"
        found.add((out.exists(), card_path(out).exists()))
        if out.exists():
            assert read_card(out).output == marked(out)
        elif card_path(out).exists():
            alone = out
    assert found == {(False, False), (False, True), (True, True)}
    merged = shop.merge(method="average", out=str(alone))
    assert merged.card.output == marked(alone)


def doing(act: Callable[[], object], *, until: int) -> int:
    """Kill this process before or after what gives or takes a name, at the `until`-th such moment;
    returns how many there were, where there are fewer."""
    steps = count(1)

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            if next(steps) == until:
                os.kill(os.getpid(), signal.SIGKILL)
            found = real(*arguments, **more)
            if next(steps) == until:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        return call

    with ExitStack() as patched:
        for name in ("open", "fsync", "link", "replace", "unlink"):
            patched.enter_context(patch.object(os, name, watched(getattr(os, name))))
        act()
    return next(steps) - 1


def test_another_merge_to_the_same_name_leaves_the_first_with_its_card(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are under way at once; the later one has learned, and goes on under another name."""
    real = consensus.Consensus.run

    def meanwhile(self: consensus.Consensus) -> Any:
        learned = yield from real(self)
        shop.merge(method="average")
        return learned

    with monkeypatch.context() as both:
        both.setattr(consensus.Consensus, "run", meanwhile)
        with pytest.raises(InputError, match=r"a file out\.gguf by now.*another name"):
            list(shop.begin().run())
    out = shop.folder / "out.gguf"
    assert (read_card(out).method, read_card(out).output) == ("average", marked(out))
    trained = count_calls(monkeypatch, consensus, "loss_and_gradients")
    other = shop.merge(out=str(shop.folder / "other.gguf"))
    assert (other.card.method, trained) == ("calm", [])
    assert "out.gguf" not in {path.name for path in (shop.folder / "state").rglob("*")}


@pytest.mark.skipif(os.name != "posix", reason="locks are a matter of POSIX")
def test_the_same_merge_twice_at_once_is_one_too_many(shop: Workshop) -> None:
    first = shop.begin().run()
    next(item for item in first if "epoch 1" in str(item))
    with pytest.raises(InputError, match="under way already, in another window"):
        list(shop.begin(out=str(shop.folder / "other.gguf")).run())
    shop.merge(method="average", out=str(shop.folder / "quick.gguf"))
    list(first)
    assert shop.merge(out=str(shop.folder / "other.gguf")).card.method == "calm"


def test_what_was_done_is_not_done_again(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = count_calls(monkeypatch, consensus, "loss_and_gradients")
    written = count_calls(monkeypatch, consensus, "write")
    run = shop.begin().run()
    for item in run:
        if "epoch 2" in str(item):
            break
    run.close()
    assert (len(trained), len(written), shop.letters.asked) == (4, 2, 1)
    merged = shop.merge()
    assert (len(trained), len(written), shop.letters.asked) == (6, 2, 1)
    assert merged.card.parameters["epochs"] == "3"


def count_calls(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[str]:
    calls: list[str] = []
    real = getattr(module, name)

    def counted(*arguments: Any, **more: Any) -> Any:
        calls.append(name)
        return real(*arguments, **more)

    monkeypatch.setattr(module, name, counted)
    return calls


@pytest.mark.parametrize("damage", [b"", b"{", b"PK\3\4 nonsense", b"[1, 2]"])
def test_what_was_kept_and_is_damaged_is_done_again(shop: Workshop, damage: bytes) -> None:
    run = shop.begin().run()
    for item in run:
        if "epoch 2" in str(item):
            break
    run.close()
    (state,) = (shop.folder / "state").iterdir()
    assert {file.name for file in state.iterdir()} == {
        "prompts.json", "replies-0.json", "replies-1.json", "scores.json", "mask-0.npz",
    }  # fmt: skip
    for file in state.iterdir():
        file.write_bytes(damage)
    merged = shop.merge()
    assert merged.model.path.read_bytes() == undisturbed(shop)


def undisturbed(shop: Workshop) -> bytes:
    """The same merge without anything to go on from; the name of the file is part of it."""
    (shop.folder / "out.gguf").unlink()
    fresh = shop.folder / "fresh"
    fresh.mkdir()
    return shop.merge(folder=str(fresh)).model.path.read_bytes()


def test_other_members_prompts_or_settings_do_not_go_on_from_there(shop: Workshop) -> None:
    run = shop.begin().run()
    for item in run:
        if "epoch 1" in str(item):
            break
    run.close()
    others: list[dict[str, Any]] = [
        {"epochs": 4},
        {"seed": 6},
        {"members": paths(shop.members[1:])},
        {"held_out": HELD_OUT[:1]},
    ]
    for number, other in enumerate(others):
        run = shop.begin(**other).run()
        told = [str(item) for item in _until(run, "epoch 0")]
        assert any("epoch 0" in text for text in told)
        assert shop.letters.asked == number + 2


def _until(run: Any, words: str) -> list[Any]:
    found = []
    for item in run:
        found.append(item)
        if words in str(item):
            break
    run.close()
    return found


def test_states_that_were_given_up_long_ago_are_removed(shop: Workshop) -> None:
    old, recent = shop.folder / "state" / "old", shop.folder / "state" / "recent"
    for folder, days in ((old, 15), (recent, 13)):
        folder.mkdir()
        (folder / "mask-0.npz").write_bytes(b"x")
        then = (shop.folder.stat().st_mtime) - days * 24 * 3600
        os.utime(folder, (then, then))
    shop.merge()
    assert not old.exists()
    assert recent.exists()


def test_a_cancel_ends_it_at_every_stage_and_leaves_no_file(
    whole: tuple[Workshop, Merged], tmp_path: Path
) -> None:
    shop, merged = whole
    for place in places(merged):
        folder = tmp_path / str(place)
        folder.mkdir()
        out = str(folder / "out.gguf")
        work = shop.begin(members=paths(shop.members), folder=str(folder), out=out)
        run = work.run()
        for _ in range(place):
            next(run)
        work.cancel()
        with pytest.raises(Stopped):
            list(run)
        assert not list(folder.glob("out*"))
    assert shop.letters.cancelled


@pytest.mark.parametrize("called", ["loss_and_gradients", "loss", "write", "cosines"])
def test_a_cancel_is_heard_in_the_middle_of_a_part(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, called: str
) -> None:
    work = shop.begin()
    real = getattr(consensus, called)
    ended = []

    def cancelling(*arguments: Any, **more: Any) -> Any:
        work.cancel()
        found = real(*arguments, **more)
        ended.append(called)
        return found

    monkeypatch.setattr(consensus, called, cancelling)
    with pytest.raises(Stopped):
        list(work.run())
    assert ended == []


@pytest.mark.parametrize("method", ["ties", "calm"])
def test_a_cancel_is_heard_while_ties_reads_the_members(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, method: MergeMethod
) -> None:
    read = count_calls(monkeypatch, mixing.Changes, "__getitem__")
    whole = len(shop.base.tensors)
    work = shop.begin(method=method)
    real = baselines.trim_floor

    def cancelling(*arguments: Any, **more: Any) -> float:
        work.cancel()
        return real(*arguments, **more)

    monkeypatch.setattr(baselines, "trim_floor", cancelling)
    with pytest.raises(Stopped):
        list(work.run())
    assert len(read) == 1
    monkeypatch.setattr(baselines, "trim_floor", real)
    read.clear()
    shop.merge(method=method)
    assert len(read) == 2 * 2 * whole


def test_a_merge_that_is_cancelled_before_it_runs_does_nothing(shop: Workshop) -> None:
    work = shop.begin()
    work.cancel()
    with pytest.raises(Stopped):
        list(work.run())
    assert not list((shop.folder / "state").iterdir())


# A full disk --------------------------------------------------------------------------------


def full(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("method", ["calm", "average"])
def test_a_disk_that_fills_up_leaves_no_file_and_what_was_learned_stays(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, method: MergeMethod
) -> None:
    with monkeypatch.context() as filled:
        filled.setattr(writing, "encode", full)
        with pytest.raises(StorageError, match=r"out\.gguf could not be written"):
            list(shop.begin(method=method).run())
    assert not list(shop.folder.glob("out*"))
    trained = count_calls(monkeypatch, consensus, "loss_and_gradients")
    shop.merge(method=method)
    assert trained == []


def test_a_disk_that_fills_up_while_a_mask_is_kept_leaves_the_epoch_before(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shop.begin().run()
    for item in run:
        if "epoch 1" in str(item):
            break
    with monkeypatch.context() as filled:
        filled.setattr(np, "savez", full)
        with pytest.raises(StorageError, match=r"mask-0\.npz could not be written"):
            list(run)
    trained = count_calls(monkeypatch, consensus, "loss_and_gradients")
    merged = shop.merge()
    assert len(trained) == 4
    assert merged.model.path.read_bytes() == undisturbed(shop)


def test_the_card_needs_no_numbers_that_json_has_no_word_for(
    whole: tuple[Workshop, Merged],
) -> None:
    card: MergeCard = whole[1].card
    assert all(math.isfinite(x) for tasks in card.scores.values() for x in tasks.values())
    assert set(get_args(MergeMethod)) == {"calm", "best", *UNTRAINED}
