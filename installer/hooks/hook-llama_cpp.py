"""Tells PyInstaller which libraries of llama.cpp go into the program: those, and no others."""

from importlib.util import find_spec
from pathlib import Path

from installer.contents import llama_libraries

_spec = find_spec("llama_cpp")
assert _spec is not None
assert _spec.origin is not None

binaries = [
    (str(file), "llama_cpp/lib") for file in llama_libraries(Path(_spec.origin).parent / "lib")
]
excludedimports = ["llama_cpp.server", "huggingface_hub", "transformers", "torch", "PIL"]
