"""Tiny models to merge, and a reader that needs no child."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from engine.jobs.merging import Merging
from engine.jobs.protocol import Item, Merge, NoticeItem, Prompted, StageItem
from engine.models.cards import MergeCard, read_card
from engine.models.weights import Weights, open_weights
from engine.types.models import Launch
from engine.types.work import Progress
from tests.unit.models.model_files import changes, rewritten, tiny

PROMPTS = tuple(Prompted(tag=f"tag{n % 2}", text=f"How is {n}?") for n in range(4))
HELD_OUT = tuple(Prompted(tag="held-out", text=f"Why {n}?") for n in range(2))


class Letters:
    """Reads a question as its bytes, between two control tokens."""

    def __init__(self) -> None:
        self.asked = 0
        self.cancelled = 0

    def tokens(self, questions: Sequence[str]) -> tuple[tuple[int, ...], ...]:
        self.asked += 1
        return tuple((1, *(3 + byte for byte in text.encode()), 1) for text in questions)

    def cancel(self) -> None:
        self.cancelled += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a merge said, and what it left."""

    items: list[Item]
    card: MergeCard
    model: Weights

    @property
    def notices(self) -> list[str]:
        return [item.notice.code for item in self.items if isinstance(item, NoticeItem)]

    @property
    def progress(self) -> list[Progress]:
        return [item.progress for item in self.items if isinstance(item, StageItem)]


class Workshop:
    """A folder with a base and three members of it."""

    def __init__(self, folder: Path, *, label: str = "Q8_0", member: str = "F16") -> None:
        self.folder = folder
        self.base = tiny(folder, label=label)
        self.members = [
            rewritten(
                self.base,
                folder / f"m{n}.gguf",
                label=member,
                change=changes(self.base, scale=2e-2, seed=n),
            )
            for n in (1, 2, 3)
        ]
        (folder / "state").mkdir()
        self.letters = Letters()

    def request(self, **others: Any) -> Merge:
        facts: dict[str, Any] = {
            "base": str(self.base.path),
            "members": tuple(str(member.path) for member in self.members[:2]),
            "out": str(self.folder / "out.gguf"),
            "folder": str(self.folder / "state"),
            "method": "calm",
            "storage": "F16",
            "epochs": 3,
            "seed": 5,
            "launch": Launch(context=512),
            "prompts": PROMPTS,
            "held_out": HELD_OUT,
        }
        return Merge(**facts | others)

    def begin(self, **others: Any) -> Merging:
        ticks = count()
        return Merging(
            self.request(**others), reading=self.letters, clock=lambda: float(next(ticks))
        )

    def merge(self, **others: Any) -> Merged:
        """The whole of it, as the wire would carry it."""
        out = Path(self.request(**others).out)
        items = [_sent(item) for item in self.begin(**others).run()]
        return Merged(items=items, card=read_card(out), model=open_weights(out))

    def left(self) -> Iterator[str]:
        """Names of what a merge may have left beside the models and in its own folder."""
        known = {member.path.name for member in (self.base, *self.members)}
        for path in sorted(self.folder.iterdir()):
            if path.name not in known and not path.name.startswith("source"):
                yield path.name


def _sent(item: Item) -> Item:
    decoder: msgspec.json.Decoder[Item] = msgspec.json.Decoder(Item)
    return decoder.decode(msgspec.json.encode(item))
