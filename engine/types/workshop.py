"""Adapters that were trained and models that were merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MergeMethod = Literal["calm", "average", "arithmetic", "ties", "random-mask", "best"]
MergeStorage = Literal["Q8_0", "F16"]
MERGE_METHODS: tuple[MergeMethod, ...] = (
    "calm", "average", "arithmetic", "ties", "random-mask", "best",
)  # fmt: skip
"""How models are merged; "best" tries all and takes what keeps the members best."""

MERGE_STORAGES: tuple[MergeStorage, ...] = ("Q8_0", "F16")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedAdapter:
    """An adapter that was trained, and how it does on questions that it was not trained on.

    objective  what was learned ("short+"); `name` is that in plain words
    base       id of the model that it was made for
    plain, amulet, adapter  mean score of the objective without steering, with Amulet and with the
               adapter alone; the unit is the trait's own, more is more of it
    kept       (adapter - plain) / (amulet - plain), None where Amulet moves nothing
    time       seconds per token with the adapter over those of Amulet's two streams; None where
               it could not be measured
    questions  that the means are over
    """

    path: str
    objective: str
    name: str
    base: str
    plain: float
    amulet: float
    adapter: float
    kept: float | None
    time: float | None
    questions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Whether a file can be a member of a merge.

    name     of the file, or of what the workshop made
    kind     "adapter", "model", or "" where it is neither
    problem  why it cannot, in a sentence; "" where it can
    warning  what would make the merge worse, in a sentence; "" where nothing is known
    """

    path: str
    name: str
    kind: str
    problem: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Of the masked weights of a merge, the share taken from the member that was added.

    rows     layers, the first first
    columns  kinds of matrix ("attn_q"), in the order in which they act
    cells    in [0, 1], rows × columns; None where there is no such matrix
    """

    share: float
    rows: tuple[int, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An adapter or a merged model that the workshop made, as its card tells.

    name      what people call it: "SmolLM2 135M Instruct, short"
    kind      "adapter" or "model"
    at        when the file was written, seconds since the epoch
    base      name of the file that it was made from
    base_sha256  of that file, hex
    size      of the file, bytes
    method    "train", "calm", "average" …
    members   names of what was merged, in order; of an adapter none
    trait     what an adapter was taught, in plain words; "" of a model
    kept      of an adapter: share of what Amulet does to that trait; None where it was not measured
    time      of an adapter: time per token over Amulet's; None where it was not measured
    losses    of a learned merge: name of a model, this one, a member or a baseline → mean loss of
              each member's own answers, nats per token; the smaller the better it keeps it
    best      of a learned merge: the name in `losses` of the method that keeps the members best
    shares    of a learned merge, one for each mask
    survival  share of the change that is in the file, in [0, 1]
    notices   what was said while it was made
    model     id where it is among the models that can be chosen; "" where it is not
    """

    path: str
    name: str
    kind: str
    at: float
    base: str
    size: int
    method: str
    base_sha256: str = ""
    members: tuple[str, ...] = ()
    trait: str = ""
    kept: float | None = None
    time: float | None = None
    losses: tuple[tuple[str, tuple[float, ...]], ...] = ()
    best: str = ""
    shares: tuple[Shares, ...] = ()
    survival: float = 1.0
    notices: tuple[str, ...] = ()
    model: str = ""
