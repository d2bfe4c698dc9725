from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from gguf import GGUFReader, GGUFValueType

from engine.errors import DamagedModel
from engine.models import layout
from engine.models.header import read_header
from engine.models.layout import TOKENIZER, Entry, header_bytes, raw_fields, tokenizer_hash
from tests.fixtures.tiny_gguf import SMALLEST_VOCABULARY, write_tiny_llama

TEXT, ARRAY, FLOAT = GGUFValueType.STRING, GGUFValueType.ARRAY, GGUFValueType.FLOAT32


def test_fields_and_tensors_give_the_header_again_byte_for_byte(tmp_path: Path) -> None:
    path = write_tiny_llama(tmp_path / "tiny.gguf")
    header = read_header(path)
    entries = [Entry(name=t.name, shape=t.dims[::-1], type=t.type) for t in header.tensors]
    found = header_bytes(raw_fields(header), entries)
    assert found == path.read_bytes()[: header.data_offset]


def test_tensors_of_any_size_and_format_lie_where_the_header_says(tmp_path: Path) -> None:
    path = write_tiny_llama(tmp_path / "tiny.gguf")
    shapes = {"a": ((3, 32), 8), "b": ((7,), 0), "c": ((2, 64), 3), "d": ((5, 3), 1)}
    entries = [Entry(name=n, shape=shape, type=type) for n, (shape, type) in shapes.items()]
    data = header_bytes(raw_fields(read_header(path)), entries, alignment=64)
    path.write_bytes(data.ljust(len(data) + 4096, b"\0"))
    header = read_header(path)
    assert [t.offset for t in header.tensors] == [0, 128, 192, 320]
    assert [(t.dims[::-1], t.type) for t in header.tensors] == list(shapes.values())


def test_what_is_no_text_is_kept_as_it_stands(tmp_path: Path) -> None:
    words = [f"w{i}".encode() for i in range(SMALLEST_VOCABULARY)]
    words[3] = b"\xff\xfe broken"
    path = write_tiny_llama(
        tmp_path / "tiny.gguf",
        overrides={"tokenizer.ggml.tokens": (words, ARRAY, TEXT)},  # type: ignore[dict-item]
        vocab=SMALLEST_VOCABULARY,
    )
    field = raw_fields(read_header(path))["tokenizer.ggml.tokens"]
    assert words[3] in field
    assert field.endswith(words[-1])


def test_fields_made_here_are_read_by_the_package_of_the_format(tmp_path: Path) -> None:
    fields = {
        "general.architecture": layout.text("llama"),
        "a.text": layout.text("grün"),
        "a.number": layout.uint32(7),
        "a.float": layout.float32(0.25),
    }
    path = tmp_path / "fields.gguf"
    path.write_bytes(header_bytes(fields, []) + bytes(32))
    found = GGUFReader(path).fields
    assert [found[key].contents() for key in list(fields)[1:]] == ["grün", 7, 0.25]


def test_a_file_that_has_changed_meanwhile_is_told(tmp_path: Path) -> None:
    path = write_tiny_llama(tmp_path / "tiny.gguf")
    header, whole = read_header(path), path.read_bytes()
    path.write_bytes(whole[:300])
    with pytest.raises(DamagedModel, match="not what it was"):
        raw_fields(header)
    path.write_bytes(whole)
    last = replace(header, data_offset=whole.index(b"tokenizer.chat_template") + 200)
    with pytest.raises(DamagedModel, match="not what it was"):
        raw_fields(last)
    path.write_bytes(b"GGUF" + bytes(300).replace(b"\0", b"\xee"))
    with pytest.raises(DamagedModel, match="not what it was"):
        raw_fields(replace(header, data_offset=300))


@pytest.mark.parametrize("key", TOKENIZER)
def test_the_hash_of_a_tokenizer_depends_on_each_of_its_fields(key: str, tmp_path: Path) -> None:
    fields = raw_fields(read_header(write_tiny_llama(tmp_path / "tiny.gguf")))
    assert tokenizer_hash(fields | {key: b"another"}) != tokenizer_hash(fields)


def test_the_hash_of_a_tokenizer_does_not_depend_on_the_template(tmp_path: Path) -> None:
    one, two = (
        raw_fields(read_header(write_tiny_llama(tmp_path / name, chat_template=template)))
        for name, template in (("one.gguf", None), ("two.gguf", "{{ messages }}"))
    )
    assert tokenizer_hash(one) == tokenizer_hash(two)
