"""The installed program that downloads, apart from the other: it alone may open connections."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Carry out the order on standard input, or try whether all is there that this needs."""
    if arguments == ["--self-test"]:
        return self_test()
    from engine.download.program import main as download

    return download(arguments)


def self_test() -> int:
    """Import everything, and make what secures a connection; opens none. 0 where that works."""
    import ssl

    from engine import download

    names = [
        found.name
        for found in pkgutil.walk_packages(download.__path__, "engine.download.")
        if not found.name.endswith("__main__")
    ]
    for name in names:
        importlib.import_module(name)
    authorities = ssl.create_default_context(cafile=importlib.import_module("certifi").where())
    print(f"{len(names)} modules, {len(authorities.get_ca_certs())} authorities")
    return 0 if names and authorities.get_ca_certs() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
