"""How many wrong fields kill llama.cpp, and how many of those the pre-check refuses first.

    python -m benchmarks.reliability.gguf_fields MODEL.gguf --out FILE [--edits 200] [--seed 0]

Each case is the model with one field of its header changed, added, or left out. The case is judged
by `engine.models.gguf.check` and then, whatever that said, loaded by llama.cpp in a process of its
own, which tokenizes, decodes a prompt, and writes one more token. A death is a signal or silence.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import math
import os
import platform
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import ModelError
from engine.models.gguf import check, read_header

ROOT = Path(__file__).parents[2]
PROMPT = "Hello wörld, 你好 🙂\n\tone two 3"
SECONDS = 60.0
CLEAN, LOADED = 0, 10

LAYOUTS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<B",
    10: "<Q",
    11: "<q",
    12: "<d",
}
U32, F32, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9


# A header in pieces, so that one can be exchanged -------------------------------------------


@dataclass(frozen=True)
class Field:
    key: str
    type: int
    raw: bytes

    @property
    def number(self) -> float:
        value: float = struct.unpack(LAYOUTS[self.type], self.raw)[0]
        return value


@dataclass(frozen=True)
class Info:
    name: str
    dims: tuple[int, ...]
    type: int
    offset: int


@dataclass(frozen=True)
class Pieces:
    fields: tuple[Field, ...]
    tensors: tuple[Info, ...]
    data: int
    """Bytes before the weights in the original file."""

    def encoded(self) -> bytes:
        parts = [b"GGUF", struct.pack("<IQQ", 3, len(self.tensors), len(self.fields))]
        for field in self.fields:
            parts += [_text(field.key), struct.pack("<I", field.type), field.raw]
        for tensor in self.tensors:
            dims = struct.pack(f"<I{len(tensor.dims)}Q", len(tensor.dims), *tensor.dims)
            parts += [_text(tensor.name), dims, struct.pack("<IQ", tensor.type, tensor.offset)]
        body = b"".join(parts)
        return body + bytes(-len(body) % 32)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def pieces(path: Path) -> Pieces:
    """Takes a sound file apart; not bounded, so only for files that the pre-check passed."""
    blob, at = _head(path), 24

    def number(layout: str) -> int:
        nonlocal at
        value: int = struct.unpack_from(layout, blob, at)[0]
        at += struct.calcsize(layout)
        return value

    def text() -> str:
        nonlocal at
        length = number("<Q")
        at += length
        return blob[at - length : at].decode()

    def skip(kind: int) -> None:
        nonlocal at
        if kind == STRING:
            length = number("<Q")
            at += length
        elif kind == ARRAY:
            inner, count = number("<I"), number("<Q")
            if inner in LAYOUTS:
                at += count * struct.calcsize(LAYOUTS[inner])
            else:
                for _ in range(count):
                    skip(inner)
        else:
            at += struct.calcsize(LAYOUTS[kind])

    _, n_tensors, n_fields = struct.unpack_from("<IQQ", blob, 4)
    fields = []
    for _ in range(n_fields):
        key, kind = text(), number("<I")
        start = at
        skip(kind)
        fields.append(Field(key, kind, blob[start:at]))
    tensors = []
    for _ in range(n_tensors):
        name, n_dims = text(), number("<I")
        dims = tuple(number("<Q") for _ in range(n_dims))
        tensors.append(Info(name, dims, number("<I"), number("<Q")))
    return Pieces(tuple(fields), tuple(tensors), at + (-at % 32))


def _head(path: Path) -> bytes:
    header = read_header(path)
    with open(path, "rb") as file:
        return file.read(header.data_offset)


# The edits ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edit:
    what: str
    apply: Callable[[Pieces], Pieces]


def edits(original: Pieces, draw: random.Random) -> list[Edit]:
    """Every edit on offer, in a fixed order."""
    arch = next(_string(f) for f in original.fields if f.key == "general.architecture")
    found = list(_replacements(original, draw))
    found += [_field_edit(f"without {f.key}", f.key, None) for f in original.fields]
    found += list(_retyped(original))
    found += [_added(field) for field in _extra_fields(arch)]
    found += list(_tensor_edits(original))
    return found


def _field_edit(what: str, key: str, new: Field | None) -> Edit:
    def apply(p: Pieces) -> Pieces:
        fields = (new if f.key == key else f for f in p.fields)
        return replace(p, fields=tuple(f for f in fields if f is not None))

    return Edit(what, apply)


def _added(field: Field) -> Edit:
    def apply(p: Pieces) -> Pieces:
        others = tuple(f for f in p.fields if f.key != field.key)
        return replace(p, fields=(*others, field))

    return Edit(f"{field.key} := {_shown(field)}", apply)


def _shown(field: Field) -> str:
    if field.type == STRING:
        return repr(_string(field))[:40]
    return str(field.number) if field.type in LAYOUTS else "array"


def _string(field: Field) -> str:
    return field.raw[8:].decode("utf-8", "replace")


def _replacements(original: Pieces, draw: random.Random) -> Iterator[Edit]:
    for field in original.fields:
        for label, raw in _other_values(field, draw):
            if raw != field.raw:
                yield _field_edit(f"{field.key} := {label}", field.key, replace(field, raw=raw))


def _other_values(field: Field, draw: random.Random) -> Iterator[tuple[str, bytes]]:
    if field.type in (F32, 12):
        yield from _other_floats(field)
    elif field.type in LAYOUTS:
        yield from _other_integers(field)
    elif field.type == STRING:
        yield from _other_strings(field, draw)
    else:
        yield from _other_arrays(field, draw)


def _other_floats(field: Field) -> Iterator[tuple[str, bytes]]:
    for value in (0.0, -1e-5, -1.0, 1.0, 2.0, 1e-38, 1e30, math.nan, math.inf, -math.inf):
        yield str(value), struct.pack(LAYOUTS[field.type], value)


def _other_integers(field: Field) -> Iterator[tuple[str, bytes]]:
    now = int(field.number)
    wanted = [0, 1, 2, 3, 7, 513, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1]
    for value in [*wanted, now - 1, now + 1, now * 2, now // 2]:
        try:
            yield str(value), struct.pack(LAYOUTS[field.type], value)
        except struct.error:
            continue


def _other_strings(field: Field, draw: random.Random) -> Iterator[tuple[str, bytes]]:
    known = {
        "general.architecture": "bert clip t5 gpt2 qwen2 gemma3 mamba falcon phi3 starcoder2 "
        "gptneox bloom stablelm olmo command-r deepseek2 minicpm internlm2 nonsense",
        "general.type": "adapter mmproj vocab imatrix nonsense",
        "tokenizer.ggml.model": "llama gpt2 bert t5 rwkv plamo2 none test gemma4 nonsense",
        "tokenizer.ggml.pre": "default llama-bpe qwen2 gemma4 chatglm-bpe nonsense",
    }
    values = known.get(field.key, "").split()
    values += ["", "x", "".join(draw.choices("abc{}%\x01é", k=len(field.raw) - 8))]
    for value in values:
        yield repr(value)[:40], _text(value)
    yield "2 MiB long", _text("x" * (2 << 20))
    yield "length 2^63", struct.pack("<Q", 1 << 63) + field.raw[8:]
    yield "not UTF-8", struct.pack("<Q", 3) + b"\xff\xfe\x80"


def _other_arrays(field: Field, draw: random.Random) -> Iterator[tuple[str, bytes]]:
    kind, count = struct.unpack_from("<IQ", field.raw)
    body = field.raw[12:]
    for number in (0, count - 1, count + 1, 1 << 31, 1 << 62):
        yield f"count {number}", struct.pack("<IQ", kind, number) + body
    yield "type 5", struct.pack("<IQ", 5, count) + body
    yield "arrays inside", struct.pack("<IQ", ARRAY, count) + body
    yield "empty", struct.pack("<IQ", kind, 0)
    if kind == STRING:
        items = list(_items(body, count))
        for label, changed in _other_lists(items, draw):
            raw = b"".join(struct.pack("<Q", len(i)) + i for i in changed)
            yield label, struct.pack("<IQ", kind, len(changed)) + raw
    elif kind in LAYOUTS:
        size = struct.calcsize(LAYOUTS[kind])
        yield "one less", struct.pack("<IQ", kind, count - 1) + body[:-size]
        yield "noise", struct.pack("<IQ", kind, count) + draw.randbytes(len(body))


def _items(body: bytes, count: int) -> Iterator[bytes]:
    at = 0
    for _ in range(count):
        (length,) = struct.unpack_from("<Q", body, at)
        yield body[at + 8 : at + 8 + length]
        at += 8 + length


def _other_lists(items: list[bytes], draw: random.Random) -> Iterator[tuple[str, list[bytes]]]:
    last, some = len(items) - 1, draw.randrange(len(items))
    yield "one less", items[:-1]
    yield "one more", [*items, b"more"]
    yield "first twice", [*items[:-1], items[0]]
    yield f"item {some} empty", [*items[:some], b"", *items[some + 1 :]]
    yield f"item {some} not UTF-8", [*items[:some], b"\xff\xfe", *items[some + 1 :]]
    yield "newline gone", _without(items, b"<0x0A>", "Ċ".encode())
    yield "letter gone", _without(items, b"<0xF0>", "ð".encode())
    yield "last with NUL", [*items[:last], items[0] + b"\0tail"]
    yield "shuffled", draw.sample(items, len(items))


def _without(items: list[bytes], *gone: bytes) -> list[bytes]:
    return [b"gone: " + item if item in gone else item for item in items]


def _retyped(original: Pieces) -> Iterator[Edit]:
    for field in original.fields:
        for kind in (U32, 10, F32, BOOL, STRING):
            if kind == field.type or field.type not in LAYOUTS:
                continue
            raw = _text("8") if kind == STRING else _converted(field, kind)
            label = f"{field.key} as type {kind}"
            yield _field_edit(label, field.key, replace(field, type=kind, raw=raw))


def _converted(field: Field, kind: int) -> bytes:
    value = field.number if kind == F32 else int(field.number) & 0xFF
    return struct.pack(LAYOUTS[kind], value)


def _extra_fields(arch: str) -> Iterator[Field]:
    integers = {
        f"{arch}.expert_count": (1, 4, 8, 1024, 1025, 1 << 31),
        f"{arch}.expert_used_count": (1, 2, 1025),
        f"{arch}.expert_group_count": (1, 2),
        f"{arch}.nextn_predict_layers": (1, 1000),
        f"{arch}.attention.key_length": (0, 1, 2, 31, 63, 65, 128, 1 << 31),
        f"{arch}.attention.value_length": (0, 1, 2, 31, 63, 65, 128, 1 << 31),
        f"{arch}.attention.sliding_window": (0, 1, 128, 1 << 31, (1 << 32) - 1),
        f"{arch}.rope.dimension_count": (0, 1, 2, 63, 66, 128, 1 << 31),
        f"{arch}.rope.scaling.original_context_length": (0, 1, (1 << 32) - 1),
        f"{arch}.pooling_type": (1, 4, 99),
        f"{arch}.embedding_length_out": (1, 64, 1 << 31),
        "general.alignment": (0, 1, 3, 16, 64, 1 << 16, 1 << 20, 1 << 31),
        "tokenizer.ggml.eot_token_id": (1, (1 << 32) - 1),
        "tokenizer.ggml.token_type_count": (0, (1 << 32) - 1),
    }
    for key, numbers in integers.items():
        for number in numbers:
            yield Field(key, U32, struct.pack("<I", number))
    for key in ("scaling.factor", "scaling.attn_factor", "freq_base", "scale_linear"):
        for value in (0.0, -1.0, 1e-45, math.nan, math.inf):
            yield Field(f"{arch}.rope.{key}", F32, struct.pack("<f", value))
    for key in ("logit_scale", "attention.clamp_kqv", "attention.max_alibi_bias"):
        for value in (0.0, -1.0, math.nan, math.inf):
            yield Field(f"{arch}.{key}", F32, struct.pack("<f", value))
    for kind in ("none", "linear", "yarn", "longrope", "nonsense", ""):
        yield Field(f"{arch}.rope.scaling.type", STRING, _text(kind))
    yield Field(f"{arch}.attention.causal", BOOL, b"\0")
    yield Field("tokenizer.ggml.add_bos_token", BOOL, b"\1")
    yield Field("tokenizer.ggml.add_eos_token", BOOL, b"\1")
    yield Field("split.count", 2, struct.pack("<H", 2))
    for key in ("attention.head_count", "attention.head_count_kv", "feed_forward_length"):
        for values in ((0,) * 4, (1,) * 30, (3,) * 512):
            raw = struct.pack(f"<IQ{len(values)}I", U32, len(values), *values)
            yield Field(f"{arch}.{key}", ARRAY, raw)


def _tensor_edits(original: Pieces) -> Iterator[Edit]:
    wanted = "token_embd output_norm output blk.0.attn_q blk.0.attn_norm blk.0.ffn_down"
    names = [t.name for t in original.tensors]
    for name in (f"{stem}.weight" for stem in wanted.split()):
        if name in names:
            yield from _edits_of(original.tensors[names.index(name)], names[-1])
    yield from _edits_of(original.tensors[-1], names[0])


def _edits_of(tensor: Info, other: str) -> Iterator[Edit]:
    for kind in (0, 1, 2, 4, 9, 15, 24, 25, 26, 28, 30, 36, 43, 255):
        yield _tensor_edit(f"type {kind}", tensor, replace(tensor, type=kind))
    dims = tensor.dims
    shapes = [(*dims[:-1], dims[-1] + 1), (*dims[:-1], dims[-1] - 1), dims[::-1], (*dims, 1)]
    shapes += [(), (0, *dims[1:]), (1 << 62, *dims[1:]), (1 << 63, *dims[1:]), (*dims, 1, 1, 1, 1)]
    for shape in shapes:
        yield _tensor_edit(f"shape {shape}", tensor, replace(tensor, dims=shape))
    for offset in (tensor.offset + 1, tensor.offset + 32, 1 << 40, (1 << 64) - 32):
        yield _tensor_edit(f"offset {offset}", tensor, replace(tensor, offset=offset))
    for name in ("", "x", other, "x" * 64, "blk.99.attn_q.weight"):
        yield _tensor_edit(f"named {name[:24]!r}", tensor, replace(tensor, name=name))


def _tensor_edit(label: str, old: Info, new: Info) -> Edit:
    def apply(p: Pieces) -> Pieces:
        return replace(p, tensors=tuple(new if t.name == old.name else t for t in p.tensors))

    return Edit(f"{old.name} {label}", apply)


# Trying one -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    edit: str
    refused: str
    """The sentence of the pre-check, "" where it passed."""
    outcome: str
    """refused | loaded | exception | hang | SIG…: what llama.cpp did."""
    seconds: float

    @property
    def death(self) -> bool:
        return self.outcome not in ("refused", "loaded")


class Bench:
    """One scratch copy of the model whose header is exchanged; the weights are copied once."""

    def __init__(self, model: Path, folder: Path) -> None:
        self.original = pieces(model)
        self._file = folder / "edited.gguf"
        shutil.copyfile(model, self._file)
        self._model = model
        self._at = self.original.data

    def run(self, edit: Edit) -> Trial:
        self._write(edit.apply(self.original).encoded())
        started = time.perf_counter()
        outcome = alone(self._file)
        spent = round(time.perf_counter() - started, 3)
        return Trial(edit.what, _refusal(self._file), outcome, spent)

    def _write(self, header: bytes) -> None:
        if len(header) != self._at:  # the weights move
            with open(self._model, "rb") as source, open(self._file, "wb") as target:
                source.seek(self.original.data)
                target.write(header)
                shutil.copyfileobj(source, target, 8 << 20)
            self._at = len(header)
            return
        with open(self._file, "r+b") as target:
            target.write(header)


def _refusal(path: Path) -> str:
    try:
        check(read_header(path))
    except ModelError as error:
        return error.message
    return ""


def alone(path: Path) -> str:
    """What llama.cpp does with a file that nobody checked before, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.reliability.gguf_fields", "--probe", str(path)]
    try:
        # Without it an abort waits for a debugger to print where it happened.
        env = os.environ | {"GGML_NO_BACKTRACE": "1"}
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return "hang"
    if done.returncode < 0:
        return signal.Signals(-done.returncode).name
    return {CLEAN: "refused", LOADED: "loaded"}.get(done.returncode, "exception")


def probe(path: Path) -> int:
    """Load, tokenize, decode, write one token; CLEAN where llama.cpp refuses with an error."""
    import llama_cpp as llama

    _load_backends()
    llama.llama_backend_init()
    settings = llama.llama_model_default_params()
    settings.use_extra_bufts = False  # repacking for AMX faults on some virtual machines
    settings.n_gpu_layers = 0
    model = llama.llama_model_load_from_file(str(path).encode(), settings)
    if not model:
        return CLEAN
    wanted = llama.llama_context_default_params()
    wanted.n_ctx, wanted.n_batch, wanted.n_threads, wanted.n_threads_batch = 256, 256, 1, 1
    context = llama.llama_init_from_model(model, wanted)
    if not context:
        return CLEAN
    return _write_a_token(llama, model, context)


def _load_backends() -> None:
    """From the folder of the library alone; where they are built in, there is nothing to load."""
    from llama_cpp import _ggml

    load = _ggml.libggml.ggml_backend_load_all_from_path
    load.argtypes, load.restype = [ctypes.c_char_p], None
    load(str(_ggml.libggml_base_path).encode())


def _write_a_token(llama: object, model: object, context: object) -> int:
    cpp: ctypes.CDLL = llama  # type: ignore[assignment]
    vocab = cpp.llama_model_get_vocab(model)
    text, tokens = PROMPT.encode(), (ctypes.c_int32 * 256)()
    count = cpp.llama_tokenize(vocab, text, len(text), tokens, 256, True, True)
    if count <= 0:
        return CLEAN
    for _ in range(2):
        if cpp.llama_decode(context, cpp.llama_batch_get_one(tokens, count)):
            return CLEAN
        size = cpp.llama_vocab_n_tokens(vocab)
        logits = cpp.llama_get_logits_ith(context, -1)
        best = max(range(size), key=lambda i: logits[i])
        piece = ctypes.create_string_buffer(256)
        cpp.llama_token_to_piece(vocab, best, piece, 256, 0, True)
        tokens[0], count = best, 1
    return LOADED


# The table ----------------------------------------------------------------------------------


def summary(trials: list[Trial]) -> dict[str, object]:
    """Counts by outcome, and the share of deaths that the pre-check prevents."""
    deaths = [t for t in trials if t.death]
    caught = sum(bool(t.refused) for t in deaths)
    return {
        "edits": len(trials),
        "outcomes": dict(Counter(t.outcome for t in trials)),
        "refused_by_check": dict(Counter(t.outcome for t in trials if t.refused)),
        "deaths": len(deaths),
        "deaths_refused_first": caught,
        "share": round(caught / len(deaths), 4) if deaths else None,
        "deaths_missed": [t.edit for t in deaths if not t.refused],
    }


def report(found: dict[str, object]) -> None:
    outcomes, refused = found["outcomes"], found["refused_by_check"]
    assert isinstance(outcomes, dict)
    assert isinstance(refused, dict)
    print(f"{'llama.cpp':<12}{'files':>7}{'refused by the pre-check':>27}")
    for outcome, count in sorted(outcomes.items()):
        print(f"{outcome:<12}{count:>7}{refused.get(outcome, 0):>27}")
    print(f"deaths {found['deaths']}, refused first {found['deaths_refused_first']}")
    print("missed:", *(found["deaths_missed"] or ["none"]), sep="\n  ")  # type: ignore[misc]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--edits", type=int, default=200, help="0 is all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--probe", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.probe:
        return probe(given.probe)
    if given.model is None:
        parser.error("a model is needed")
    found = _measure(given.model, given.edits, given.seed)
    report(found)
    if given.out:
        given.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    return 0


def _measure(model: Path, number: int, seed: int) -> dict[str, object]:
    check(read_header(model))
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(model, Path(folder))
        chosen = edits(bench.original, draw)
        if number:
            chosen = draw.sample(chosen, min(number, len(chosen)))
        trials = [bench.run(edit) for edit in chosen]
    with open(model, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    about = {"model": model.name, "sha256": digest, "seed": seed, "machine": platform.machine()}
    cases = [vars(trial) for trial in trials]
    return about | summary(trials) | {"cases": cases}


if __name__ == "__main__":
    sys.exit(main())
