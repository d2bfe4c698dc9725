"""llama.cpp behind `LanguageModel`: the only module that imports llama_cpp.

Runs in the inference child. Everything here is a thin, typed skin over the C functions: batches
are filled through numpy views, logits are read through one, nothing is copied.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import llama_cpp._ggml as ggml
import llama_cpp.llama_cpp as api
import numpy as np

from engine.errors import AttuneError, DamagedModel, InternalError, OutOfMemory, UnsupportedModel
from engine.inference.death import tells_of_memory
from engine.inference.model import SEQUENCE_IDS, CacheFull, Entry, Interrupted, Shape
from engine.inference.threads import most_threads
from engine.models.final_norm import longest_hidden
from engine.models.header import file_name, printable
from engine.numerics import F32
from engine.types.models import Launch

log = logging.getLogger("engine.llama")

BATCH = 512
_LOADED: list[str | None] = []


def libraries() -> Path:
    """The folder that llama.cpp's own libraries lie in."""
    return Path(str(ggml.libggml_base_path))


def variants() -> tuple[str, ...]:
    """Names of the CPU libraries that this processor says it can run, best first.

    Each library carries a function that scores the processor (0: cannot). What the processor
    claims and what the machine allows may differ, hence the self-test.
    """
    scored = []
    for file in sorted(libraries().glob("*ggml-cpu-*")):
        try:
            score = ctypes.CDLL(str(file)).ggml_backend_score
        except (OSError, AttributeError):
            continue
        score.argtypes, score.restype = [], ctypes.c_int
        if (value := score()) > 0:
            scored.append((-value, file.stem.rpartition("ggml-cpu-")[2]))
    return tuple(name for _, name in sorted(scored))


def start(variant: str | None) -> None:
    """Load llama.cpp's back ends, once for the life of the process, before anything else.

    variant  name of one CPU library, or None for all that llama.cpp finds in its own folder;
             never the current folder, where a planted library could lie
    """
    if _LOADED:
        if _LOADED[0] != variant:
            raise InternalError(f"CPU variant {variant} asked for after {_LOADED[0]} was loaded.")
        return
    _route_log()
    if variant is None:
        _call_ggml("ggml_backend_load_all_from_path", libraries(), ctypes.c_void_p)
    else:
        for file in libraries().iterdir():
            if _is_backend(file, variant):
                _call_ggml("ggml_backend_load", file, ctypes.c_void_p)
    api.llama_backend_init()
    _LOADED.append(variant)


def devices() -> tuple[str, ...]:
    """What llama.cpp can compute on, in words; the processor last."""
    lib = ggml.libggml
    lib.ggml_backend_dev_count.restype = ctypes.c_size_t
    lib.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    lib.ggml_backend_dev_get.restype = ctypes.c_void_p
    lib.ggml_backend_dev_description.argtypes = [ctypes.c_void_p]
    lib.ggml_backend_dev_description.restype = ctypes.c_char_p
    found = [lib.ggml_backend_dev_get(i) for i in range(lib.ggml_backend_dev_count())]
    return tuple(lib.ggml_backend_dev_description(d).decode(errors="replace") for d in found)


def has_gpu() -> bool:
    """Whether layers can be put on a GPU."""
    return bool(api.llama_supports_gpu_offload())


class LlamaModel:
    """One GGUF file, one context, one KV cache that all streams share."""

    def __init__(
        self,
        path: str,
        *,
        launch: Launch,
        keep_loading: Callable[[float], bool] | None = None,
        adapters: Sequence[tuple[str, float]] = (),
    ) -> None:
        """Load the file. `start` has been called.

        keep_loading  called with the share done, 0..1; False abandons the load
        adapters      paths of LoRA files that change the model, and the scale of each

        Raises Interrupted, DamagedModel, UnsupportedModel or OutOfMemory.
        """
        self._model: Any = None
        self._context: Any = None
        self._memory: Any = None
        self._batch: api.llama_batch | None = None
        self._adapters: list[Any] = []
        self._shape = Shape(vocabulary=0, cells=0, trained=0, batch=BATCH, shares=False)
        # strlen reads this as 0 while it is empty: a stop flag that llama.cpp polls between
        # tensor operations without ever waiting for the interpreter.
        self._flag = ctypes.create_string_buffer(2)
        try:
            self._load(path, launch=launch, keep_loading=keep_loading)
            self._open(launch)
            self._wear(adapters)
        except BaseException:
            self.close()
            raise
        self._pieces: dict[int, bytes] = {}
        self._path = Path(path)
        self._wants_hidden = False
        self._hidden_rows = 0

    # LanguageModel --------------------------------------------------------------------------

    @property
    def shape(self) -> Shape:
        return self._shape

    @property
    def template(self) -> str:
        text = api.llama_model_chat_template(self._model, None)
        return text.decode(errors="replace") if text else ""

    @property
    def marks(self) -> tuple[str, str]:
        begin, end = api.llama_vocab_bos(self._vocab), api.llama_vocab_eos(self._vocab)
        return self.control_text(begin), self.control_text(end)

    def tokenize(self, text: str, *, special: bool, begin: bool = False) -> list[int]:
        data = text.encode()
        room = len(data) + 8
        tokens = (api.llama_token * room)()
        count = api.llama_tokenize(self._vocab, data, len(data), tokens, room, begin, special)
        if count < 0:
            room = -count
            tokens = (api.llama_token * room)()
            count = api.llama_tokenize(self._vocab, data, len(data), tokens, room, begin, special)
        return list(tokens[:count])

    def piece(self, token: int) -> bytes:
        if token not in self._pieces:
            self._pieces[token] = self._piece(token, special=False)
        return self._pieces[token]

    def is_end(self, token: int) -> bool:
        return bool(api.llama_vocab_is_eog(self._vocab, token))

    def is_control(self, token: int) -> bool:
        return bool(api.llama_vocab_is_control(self._vocab, token))

    def control_text(self, token: int) -> str:
        return self._piece(token, special=True).decode(errors="replace") if token >= 0 else ""

    def decode(self, entries: Sequence[Entry]) -> F32:
        if self._flag[0] != b"\0":  # not every back end looks at the flag by itself
            raise Interrupted
        self._set_threads(len(entries))
        outputs = self._fill(entries)
        # llama.cpp makes every entry an output while it keeps hidden states: a prompt would get
        # rows that nobody asked for, and one that is longer than n_outputs_max ends the process.
        keep = self._wants_hidden and outputs == len(entries)
        api.llama_set_embeddings(self._context, keep)
        self._hidden_rows = outputs if keep else 0
        code = api.llama_decode(self._context, self._batch)
        if code == 0:
            return self._logits(outputs)
        if code == 1:
            raise CacheFull
        if code == 2:
            raise Interrupted
        raise InternalError(f"llama.cpp refused a batch of {len(entries)} tokens (code {code}).")

    def keep_hidden(self, on: bool) -> None:
        self._wants_hidden = on

    @property
    def hidden(self) -> F32:
        pointer = api.llama_get_embeddings(self._context)
        if not pointer or not self._hidden_rows:
            raise InternalError("Hidden states were asked for but not kept.")
        rows = np.ctypeslib.as_array(pointer, shape=(self._hidden_rows, self._shape.width))
        rows.flags.writeable = False
        return rows

    @cached_property
    def longest_hidden(self) -> float:
        return longest_hidden(self._path)  # only a few answers ask for it

    def copy(self, source: int, target: int, *, length: int) -> None:
        api.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def truncate(self, sequence: int, *, length: int) -> bool:
        return bool(api.llama_memory_seq_rm(self._memory, sequence, length, -1))

    def forget(self) -> None:
        api.llama_memory_clear(self._memory, False)

    def close(self) -> None:
        if self._batch is not None:
            api.llama_batch_free(self._batch)
            self._batch = None
        if self._context:
            api.llama_free(self._context)
            self._context = None
        while self._adapters:
            api.llama_adapter_lora_free(self._adapters.pop())
        if self._model:
            api.llama_model_free(self._model)
            self._model = None

    # Beyond the contract --------------------------------------------------------------------

    def interrupt(self) -> None:
        """Make the running `decode` raise Interrupted soon, from any thread; see `resume`."""
        self._flag[0] = b"\1"

    def resume(self) -> None:
        """Take `interrupt` back."""
        self._flag[0] = b"\0"

    def use_threads(self, count: int) -> None:
        """Take steps with `count` threads from now on; long prompts keep all."""
        self._threads = count

    def row_address(self, position: int) -> int:
        """Address of the logits of batch entry `position`, as llama.cpp itself tells it."""
        pointer = api.llama_get_logits_ith(self._context, position)
        return ctypes.cast(pointer, ctypes.c_void_p).value or 0

    # ----------------------------------------------------------------------------------------

    def _load(
        self, path: str, *, launch: Launch, keep_loading: Callable[[float], bool] | None
    ) -> None:
        abandoned = []

        def progress(share: float, _data: object) -> bool:
            go_on = keep_loading is None or keep_loading(share)
            if not go_on:
                abandoned.append(share)
            return go_on

        callback = api.llama_progress_callback(progress)
        params = api.llama_model_default_params()
        params.n_gpu_layers = launch.gpu_layers if launch.gpu_layers >= 0 else 999
        params.use_extra_bufts = launch.extra_bufts
        params.progress_callback = callback
        _MESSAGES.clear()
        self._model = api.llama_model_load_from_file(path.encode(), params)
        if abandoned:
            raise Interrupted
        if not self._model:
            raise _load_error(path)
        if not api.llama_model_has_decoder(self._model):
            raise UnsupportedModel(f"{file_name(Path(path))} reads text but does not write any.")

    def _open(self, launch: Launch) -> None:
        self._vocab = api.llama_model_get_vocab(self._model)
        recurrent = api.llama_model_is_recurrent(self._model)
        hybrid = api.llama_model_is_hybrid(self._model)
        trained = api.llama_model_n_ctx_train(self._model)
        params = api.llama_context_default_params()
        params.n_ctx = launch.context
        params.n_batch = params.n_ubatch = BATCH
        params.n_seq_max = SEQUENCE_IDS
        params.n_outputs_max = SEQUENCE_IDS
        self._threads = self._threads_now = launch.threads
        self._most_threads = launch.most_threads or max(launch.threads, most_threads())
        params.n_threads = params.n_threads_batch = launch.threads
        params.pooling_type = api.LLAMA_POOLING_TYPE_NONE  # hidden states token by token
        params.kv_unified = True
        # Without the full-size cache a sliding-window model forgets prefixes that could be reused.
        params.swa_full = True
        params.no_perf = True
        strlen = ctypes.cast(ctypes.CDLL(None).strlen, ctypes.c_void_p) if _POSIX else None
        if strlen is not None:
            params.abort_callback = ctypes.cast(strlen, api.ggml_abort_callback)
            params.abort_callback_data = ctypes.addressof(self._flag)
        self._context = api.llama_init_from_model(self._model, params)
        if not self._context:
            raise OutOfMemory(
                f"There is not enough memory for a context of {launch.context} tokens. "
                "Choose a smaller context or a smaller model.",
                detail=_said(),
            )
        self._memory = api.llama_get_memory(self._context)
        self._shape = Shape(
            vocabulary=api.llama_vocab_n_tokens(self._vocab),
            cells=api.llama_n_ctx(self._context),
            trained=trained if trained > 0 else launch.context,
            batch=BATCH,
            shares=not (recurrent or hybrid),
            width=api.llama_model_n_embd_out(self._model),
        )
        self._batch = api.llama_batch_init(BATCH, 0, 1)
        self._map_batch()

    def _wear(self, adapters: Sequence[tuple[str, float]]) -> None:
        """Let adapters act on every batch from now on. Raises UnsupportedModel, DamagedModel."""
        if not adapters:
            return
        for path, _ in adapters:
            _MESSAGES.clear()
            adapter = api.llama_adapter_lora_init(self._model, path.encode())
            if not adapter:
                raise _adapter_error(path)
            self._adapters.append(adapter)
        count = len(adapters)
        pointers = (api.llama_adapter_lora_p_ctypes * count)(*self._adapters)
        scales = (ctypes.c_float * count)(*(scale for _, scale in adapters))
        if api.llama_set_adapters_lora(self._context, pointers, count, scales):
            raise InternalError(f"llama.cpp refused {count} adapters.", detail=_said())

    def _map_batch(self) -> None:
        batch = self._batch
        assert batch is not None
        view = np.ctypeslib.as_array
        self._tokens = view(batch.token, shape=(BATCH,))
        self._positions = view(batch.pos, shape=(BATCH,))
        self._wanted = view(batch.logits, shape=(BATCH,))
        view(batch.n_seq_id, shape=(BATCH,))[:] = 1
        self._sequences = batch.seq_id

    def _fill(self, entries: Sequence[Entry]) -> int:
        assert self._batch is not None
        self._batch.n_tokens = len(entries)
        outputs = 0
        for i, (token, position, sequence, output) in enumerate(entries):
            self._tokens[i] = token
            self._positions[i] = position
            self._sequences[i][0] = sequence
            self._wanted[i] = output
            outputs += output
        return outputs

    def _set_threads(self, entries: int) -> None:
        """A long prompt gains from every core, even from one that is busy; a step, which waits for
        the slowest thread after every layer, may not."""
        wanted = self._threads if entries <= SEQUENCE_IDS else self._most_threads
        if wanted != self._threads_now:
            # llama.cpp takes the second number for any batch of more than one token.
            api.llama_set_n_threads(self._context, wanted, wanted)
            self._threads_now = wanted

    def _logits(self, outputs: int) -> F32:
        if outputs == 0:
            return np.empty((0, self._shape.vocabulary), np.float32)
        pointer = api.llama_get_logits(self._context)
        rows = np.ctypeslib.as_array(pointer, shape=(outputs, self._shape.vocabulary))
        rows.flags.writeable = False
        return rows

    def _piece(self, token: int, *, special: bool) -> bytes:
        buffer = ctypes.create_string_buffer(256)
        size = api.llama_token_to_piece(self._vocab, token, buffer, 256, 0, special)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = api.llama_token_to_piece(self._vocab, token, buffer, -size, 0, special)
        return buffer.raw[:size]


# llama.cpp's own words ----------------------------------------------------------------------

_MESSAGES: list[tuple[int, str]] = []
"""Level and words of the last warnings (3) and errors (4)."""

_POSIX = hasattr(ctypes, "CDLL") and not hasattr(ctypes, "WinDLL")


def _route_log() -> None:
    api.llama_log_set(_MESSAGE_CALLBACK, ctypes.c_void_p(0))


def _on_message(level: int, text: bytes, _data: object) -> None:
    line = text.decode(errors="replace").rstrip()
    if level >= 3:
        _MESSAGES.append((level, line))
        del _MESSAGES[:-20]
        log.debug("%s", line)


_MESSAGE_CALLBACK = api.llama_log_callback(_on_message)
"""Kept here because llama.cpp keeps only its address."""


def _call_ggml(name: str, path: Path, restype: Any) -> None:
    function = getattr(ggml.libggml, name)
    function.argtypes, function.restype = [ctypes.c_char_p], restype
    function(str(path).encode())


def _is_backend(file: Path, variant: str) -> bool:
    """The chosen CPU library, and every GPU library that was built."""
    if file.suffix not in {".so", ".dylib", ".dll"}:
        return False
    name = file.stem.removeprefix("lib")
    if name.startswith("ggml-cpu"):
        return name == f"ggml-cpu-{variant}"
    return name.startswith("ggml-") and name != "ggml-base"


def _load_error(path: str) -> AttuneError:
    said = _said()
    name = file_name(Path(path))
    if "unknown model architecture" in said:
        return UnsupportedModel(
            f"{name} is of a kind that this version of Attune does not know.", detail=said
        )
    if tells_of_memory(said):
        return OutOfMemory(
            f"There is not enough memory for {name}. Choose a smaller model.", detail=said
        )
    errors = [line for level, line in _MESSAGES if level >= 4] or said.splitlines()
    reason = printable(errors[0], 200) if errors else "no reason given"
    return DamagedModel(f"{name} could not be loaded ({reason}).", detail=said)


_MISFITS = ("mismatch", "does not exist in base model", "incorrect shape", "general.type", "lora")
"""What llama.cpp says, among other things, of a sound file that is no adapter of this model."""


def _adapter_error(path: str) -> AttuneError:
    said, name = _said(), file_name(Path(path))
    errors = [line for level, line in _MESSAGES if level >= 4] or said.splitlines()
    reason = printable(errors[-1], 200) if errors else "no reason given"
    if any(word in reason for word in _MISFITS):
        return UnsupportedModel(
            f"{name} does not fit this model ({reason}); choose an adapter that was made for it.",
            detail=said,
        )
    return DamagedModel(f"The adapter {name} could not be loaded ({reason}).", detail=said)


def _said() -> str:
    return "\n".join(line for _, line in _MESSAGES)
