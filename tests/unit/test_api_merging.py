"""A merge through the front door and from the command line; the job runs in this process."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from engine.api import Engine, Notice, Progress
from engine.cli.main import main
from engine.errors import (
    AttuneError,
    EngineCrashed,
    InputError,
    InvalidParameter,
    ModelNotFound,
    Stopped,
    StorageError,
)
from engine.jobs import protocol
from engine.jobs.merging import Merging
from engine.models.cards import MergeCard, card_path, read_card
from engine.portfolio.questions import QUESTIONS
from engine.session import merging
from tests.unit.conftest import MakeEngine
from tests.unit.jobs.merges import Letters, Workshop


class Job:
    """Stands in for the job child: does the work here, and sends what it says through JSON."""

    def __init__(self) -> None:
        self.works: list[protocol.Merge] = []
        self.closed = 0
        self.die_at = ""
        self.interrupt_at = ""
        self._work: Merging | None = None

    def run(
        self, work: protocol.Merge
    ) -> Iterator[protocol.Item | protocol.Done | protocol.Cancelled]:
        self.works.append(_sent(work))
        ticks = count(step=60)
        doing = self._work = Merging(
            self.works[-1], reading=Letters(), clock=lambda: float(next(ticks))
        )
        try:
            for item in doing.run():
                if self.die_at and self.die_at in str(item):
                    raise EngineCrashed("The process for long work crashed.")
                if self.interrupt_at and self.interrupt_at in str(item):
                    signal.raise_signal(signal.SIGINT)
                    while not doing._stopping:
                        pass
                yield item
        except Stopped:
            yield protocol.Cancelled(id=1)
        else:
            yield protocol.Done(id=1)

    def cancel(self) -> None:
        if self._work is not None:
            self._work.cancel()

    def close(self) -> None:
        self.closed += 1


def _sent(work: protocol.Merge) -> protocol.Merge:
    import msgspec

    line = msgspec.json.encode(protocol.Begin(id=1, work=work))
    request = protocol.read_request(line)
    assert isinstance(request, protocol.Begin)
    assert isinstance(request.work, protocol.Merge)
    return request.work


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Job:
    found = Job()
    monkeypatch.setattr(Engine, "_spawn_job", lambda _: found)
    monkeypatch.setattr(merging, "PROMPTS", 4)
    monkeypatch.setattr(merging, "COMPARED_ON", 2)
    return found


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    folder = tmp_path / "shop"
    folder.mkdir()
    return Workshop(folder)


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    return make_engine()


def members(shop: Workshop) -> list[str]:
    return [str(member.path) for member in shop.members[:2]]


def merge(engine: Engine, shop: Workshop, **others: Any) -> list[Notice | Progress | MergeCard]:
    facts: dict[str, Any] = {"out": shop.folder / "out.gguf", "epochs": 2}
    return list(engine.workshop.merge(str(shop.base.path), members(shop), **facts | others))


def test_a_merge_ends_with_the_card_that_stands_beside_the_file(
    engine: Engine, job: Job, shop: Workshop
) -> None:
    *events, card = merge(engine, shop)
    assert card == read_card(shop.folder / "out.gguf")
    assert isinstance(card, MergeCard)
    assert card.method == "calm"
    assert any(isinstance(event, Progress) and "epoch 2" in event.text for event in events)
    assert job.closed == 1


def test_what_is_merged_can_be_added_and_answers(engine: Engine, job: Job, shop: Workshop) -> None:
    merge(engine, shop, method="average")
    added = engine.add_model(shop.folder / "out.gguf")
    assert added.id in {card.id for card in engine.models()}


def test_models_are_named_by_id_or_by_path(engine: Engine, job: Job, shop: Workshop) -> None:
    ids = [engine.add_model(member.path).id for member in shop.members[:2]]
    base = engine.add_model(shop.base.path).id
    list(engine.workshop.merge(base, ids, out=shop.folder / "ids.gguf", method="average"))
    (work,) = job.works
    assert work.base == str(shop.base.path)
    assert list(work.members) == members(shop)


def test_masks_never_see_what_methods_are_compared_on(
    engine: Engine, job: Job, shop: Workshop
) -> None:
    merge(engine, shop)
    (work,) = job.works
    learned = {asked.text for asked in work.prompts}
    compared = {asked.text for asked in work.held_out}
    assert (len(learned), len(compared)) == (4, 2)
    assert not compared & {question.text for question in QUESTIONS}
    safety = {question.text for question in QUESTIONS if question.kind == "safety"}
    assert not learned & safety


@pytest.mark.parametrize(
    ("others", "kind"),
    [
        ({"method": "magic"}, InvalidParameter),
        ({"storage": "Q4_0"}, InvalidParameter),
        ({"epochs": 0}, InvalidParameter),
        ({"epochs": 1001}, InvalidParameter),
        ({"seed": -1}, InvalidParameter),
    ],
)
def test_what_makes_no_sense_starts_nothing(
    engine: Engine, job: Job, shop: Workshop, others: dict[str, Any], kind: type[AttuneError]
) -> None:
    with pytest.raises(kind):
        merge(engine, shop, **others)
    assert job.works == []


def test_a_member_that_is_nowhere_is_named(engine: Engine, job: Job, shop: Workshop) -> None:
    with pytest.raises(ModelNotFound, match="nowhere"):
        list(
            engine.workshop.merge(
                str(shop.base.path), ["nowhere", "m"], out=shop.folder / "out.gguf"
            )
        )


def test_a_stop_keeps_what_was_learned_and_the_next_merge_goes_on(
    engine: Engine, job: Job, shop: Workshop
) -> None:
    out = shop.folder / "out.gguf"
    running = engine.workshop.merge(str(shop.base.path), members(shop), out=out, epochs=3)
    next(event for event in running if "epoch 2" in str(event))
    engine.workshop.stop()
    with pytest.raises(Stopped, match="goes on"):
        list(running)
    assert not out.exists()
    again = merge(engine, shop, epochs=3)
    epochs = [e.text for e in again if isinstance(e, Progress) and "epoch" in e.text]
    assert "epoch 2" in epochs[0]


def test_a_stop_before_the_job_is_there_is_heard(
    engine: Engine, job: Job, shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spawn(_: Engine) -> Job:
        engine.workshop.stop()
        return job

    monkeypatch.setattr(Engine, "_spawn_job", spawn)
    with pytest.raises(Stopped):
        merge(engine, shop)


def test_a_job_that_dies_is_closed_and_the_next_merge_goes_on(
    engine: Engine, job: Job, shop: Workshop
) -> None:
    job.die_at = "epoch 1 of"
    with pytest.raises(EngineCrashed):
        merge(engine, shop)
    assert job.closed == 1
    job.die_at = ""
    texts = [event.text for event in merge(engine, shop) if isinstance(event, Progress)]
    assert "epoch 1 of" in next(text for text in texts if "epoch" in text)


def test_two_merges_at_once_are_one_too_many(engine: Engine, job: Job, shop: Workshop) -> None:
    running = engine.workshop.merge(
        str(shop.base.path), members(shop), out=shop.folder / "out.gguf"
    )
    next(running)
    with pytest.raises(InputError, match="under way"):
        merge(engine, shop, out=shop.folder / "other.gguf")
    running.close()  # type: ignore[attr-defined]
    merge(engine, shop, method="average")


def test_a_data_folder_that_takes_no_more_is_said(engine: Engine, job: Job, shop: Workshop) -> None:
    (engine.data_dir / "merging").write_bytes(b"in the way")
    with pytest.raises(StorageError, match="merging"):
        merge(engine, shop)


# The command --------------------------------------------------------------------------------


def command(shop: Workshop, data: Path, *more: str) -> list[str]:
    out = str(shop.folder / "out.gguf")
    rest = ["--out", out, "--data-dir", str(data), "--epochs", "2", *more]
    return ["merge", str(shop.base.path), *members(shop), *rest]


def test_the_command_says_the_card_as_one_object(
    job: Job, shop: Workshop, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(shop, data, "--json", "--type", "f16", "--seed", "3")) == 0
    said = capsys.readouterr()
    card = json.loads(said.out)["card"]
    assert card["method"] == "calm"
    assert card["output"]["sha256"] == read_card(shop.folder / "out.gguf").output.sha256
    assert {"base", "members", "parameters", "density", "scores", "survival"} <= card.keys()
    assert (card["parameters"]["seed"], card["parameters"]["type"]) == (3, "F16")
    assert "epoch 1 of 2" in said.err
    assert "min left" in said.err


def test_the_command_says_scores_and_survival_to_people(
    job: Job, shop: Workshop, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(shop, data)) == 0
    out = capsys.readouterr().out
    for word in ("out.gguf", "m1.gguf alone", "average", "random-mask", "of the merged change"):
        assert word in out


def test_ctrl_c_stops_the_merge_in_good_order(
    job: Job, shop: Workshop, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job.interrupt_at = "epoch 1 of"
    before = signal.getsignal(signal.SIGINT)
    assert main(command(shop, data, "--json")) == 130
    assert signal.getsignal(signal.SIGINT) is before
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "stopped"
    assert not (shop.folder / "out.gguf").exists()
    job.interrupt_at = ""
    assert main(command(shop, data, "--json")) == 0
    assert card_path(shop.folder / "out.gguf").exists()


@pytest.mark.parametrize("missing", [["--out"], ["--method", "q"], ["--type", "q4_0"]])
def test_a_command_that_cannot_be_read_is_a_usage_error(
    job: Job, shop: Workshop, data: Path, missing: list[str]
) -> None:
    assert main([*command(shop, data), *missing]) == 2


# The workshop's own folder ------------------------------------------------------------------


def test_a_merge_without_a_name_gets_one_and_is_told_of(
    engine: Engine, job: Job, shop: Workshop
) -> None:
    merge(engine, shop, out=None)
    (made,) = engine.workshop.made()
    assert Path(made.path) == engine.data_dir / "made" / "base-merged.gguf"
    assert (made.kind, made.method, made.members) == ("model", "calm", ("m1.gguf", "m2.gguf"))
    assert made.best == read_card(Path(made.path)).parameters["best"] != ""
    assert (made.base, made.size) == ("base.gguf", Path(made.path).stat().st_size)
    names = [name for name, _ in made.losses]
    assert {"base", "calm", "average", "ties", "m1.gguf alone"} <= set(names)
    assert all(len(losses) == 2 for _, losses in made.losses)
    merge(engine, shop, out=None, method="average")
    assert [Path(each.path).stem for each in engine.workshop.made()] == [
        "base-merged-2",
        "base-merged",
    ]


def test_the_shares_of_a_mask_are_a_table_of_layers_and_kinds(
    engine: Engine, job: Job, shop: Workshop
) -> None:
    *_, card = merge(engine, shop, out=None)
    assert isinstance(card, MergeCard)
    ((shares,), (density,)) = engine.workshop.made()[0].shares, card.density
    assert shares.rows == (0, 1)
    assert shares.columns[:4] == ("attn_q", "attn_k", "attn_v", "attn_output")
    assert shares.columns[4:] == ("ffn_gate", "ffn_up", "ffn_down")
    assert shares.share == density.share
    for row, cells in zip(shares.rows, shares.cells, strict=True):
        for column, cell in zip(shares.columns, cells, strict=True):
            assert cell == density.by_tensor[f"blk.{row}.{column}.weight"]


def test_what_was_added_to_the_models_is_not_removed_before_it_is_taken_out(
    engine: Engine, job: Job, shop: Workshop
) -> None:
    merge(engine, shop, out=None, method="average")
    (made,) = engine.workshop.made()
    assert made.model == ""
    added = engine.add_model(Path(made.path))
    assert engine.workshop.made()[0].model == added.id
    with pytest.raises(InputError, match=added.id):
        engine.workshop.remove(Path(made.path))
    engine.remove_model(added.id)
    assert engine.workshop.remove(Path(made.path)) == ()
    assert list((engine.data_dir / "made").iterdir()) == []


def test_only_what_the_workshop_made_is_removed(engine: Engine, job: Job, shop: Workshop) -> None:
    with pytest.raises(InputError, match=r"m1\.gguf was not made in the workshop"):
        engine.workshop.remove(shop.members[0].path)
    assert shop.members[0].path.exists()


def test_files_whose_card_is_gone_or_damaged_are_passed_over(
    engine: Engine, job: Job, shop: Workshop
) -> None:
    merge(engine, shop, out=None, method="average")
    (made,) = engine.workshop.made()
    card_path(Path(made.path)).write_bytes(b"{")
    assert engine.workshop.made() == ()
    card_path(Path(made.path)).unlink()
    assert engine.workshop.made() == ()


def test_members_are_checked_one_by_one(engine: Engine, shop: Workshop) -> None:
    asked = [*members(shop), "nowhere", str(shop.folder / "state")]
    one, two, missing, folder = engine.workshop.check(str(shop.base.path), asked)
    assert (one.name, one.kind, one.problem) == ("m1.gguf", "model", "")
    assert (two.path, two.problem) == (asked[1], "")
    assert "nowhere" in missing.problem
    assert folder.problem
    assert missing.kind == folder.kind == ""


def test_a_member_of_another_base_of_the_same_shapes_is_warned_of(
    engine: Engine, job: Job, shop: Workshop
) -> None:
    """Where the hash of the base is known."""
    merge(engine, shop, out=None, method="average")
    (made,) = engine.workshop.made()
    assert made.base_sha256 == read_card(Path(made.path)).base.sha256
    other = str(shop.members[2].path)
    assert engine.workshop.check(other, [made.path])[0].warning == ""
    added = engine.add_model(Path(other))
    (fit,) = engine.workshop.check(added.id, [made.path])
    assert fit.problem == ""
    assert "was made from another file, base.gguf" in fit.warning


def test_what_was_made_is_known_behind_a_link(
    make_engine: MakeEngine, job: Job, shop: Workshop, tmp_path: Path, data: Path
) -> None:
    data.mkdir(exist_ok=True)
    (tmp_path / "link").symlink_to(data)
    engine = Engine(tmp_path / "link")
    merge(engine, shop, out=None, method="average")
    (made,) = engine.workshop.made()
    added = engine.add_model(Path(made.path))
    assert engine.workshop.made()[0].model == added.id
    with pytest.raises(InputError, match=added.id):
        engine.workshop.remove(Path(made.path))
    engine.close()


def test_a_coarse_member_is_warned_of_before_any_work(engine: Engine, tmp_path: Path) -> None:
    shop = Workshop(tmp_path, label="F16", member="Q4_0")
    (fit,) = engine.workshop.check(str(shop.base.path), members(shop)[:1])
    assert fit.problem == ""
    assert "bits" in fit.warning


def test_bases_have_gradients_here_and_the_chosen_one_comes_first(
    engine: Engine, shop: Workshop
) -> None:
    starter = engine.workshop.bases()[0].id
    added = engine.add_model(shop.base.path)
    assert [card.id for card in engine.workshop.bases()] == [starter, added.id]
    engine.change(model=added.id)
    assert [card.id for card in engine.workshop.bases()] == [added.id, starter]
