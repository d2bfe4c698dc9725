"""The tree of errors: codes that are stable and cross processes."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections import defaultdict
from collections.abc import Iterator

import pytest

import engine
from engine import errors
from engine.errors import AttuneError, InvalidParameter, from_code

HEAVY = "engine.inference.llama"
"""Loads the model library, and defines no errors."""


def below(root: type[AttuneError]) -> Iterator[type[AttuneError]]:
    yield root
    for child in root.__subclasses__():
        yield from below(child)


@pytest.fixture(scope="module")
def tree() -> list[type[AttuneError]]:
    """Every error there is, also those that live outside engine.errors."""
    for module in pkgutil.walk_packages(engine.__path__, "engine."):
        if module.name != HEAVY:
            importlib.import_module(module.name)
    return [error for error in dict.fromkeys(below(AttuneError)) if _ours(error)]


def _ours(error: type[AttuneError]) -> bool:
    return error.__module__.startswith("engine.")


def public() -> list[type[AttuneError]]:
    classes = [found for _, found in inspect.getmembers(errors, inspect.isclass)]
    return [found for found in classes if issubclass(found, AttuneError)]


def test_a_code_belongs_to_one_class_and_those_that_refine_it(
    tree: list[type[AttuneError]],
) -> None:
    owners = defaultdict(list)
    for error in tree:
        owners[error.code].append(error)
    for code, classes in owners.items():
        first, *others = sorted(classes, key=lambda error: len(error.__mro__))
        assert all(issubclass(other, first) for other in others), code


def test_in_the_public_tree_every_class_has_a_code_of_its_own() -> None:
    codes = [error.code for error in public()]
    assert len(codes) == len(set(codes)) > 15
    assert all("code" in vars(error) for error in public())


def test_codes_are_words_that_any_process_can_carry(tree: list[type[AttuneError]]) -> None:
    for error in tree:
        assert error.code.replace("_", "").isalpha()
        assert error.code.isascii()
        assert error.code.islower()


def test_every_class_says_in_a_sentence_what_it_means(tree: list[type[AttuneError]]) -> None:
    for error in tree:
        assert error.__doc__, error
        assert error.__doc__.split("\n")[0].endswith("."), error


@pytest.mark.parametrize("error", public(), ids=lambda error: error.code)
def test_a_code_leads_back_to_its_class(error: type[AttuneError]) -> None:
    told = from_code(error.code, "What happened.", detail="traceback")
    assert type(told) is error
    assert (told.message, told.detail, str(told)) == ("What happened.", "traceback", told.message)


def test_an_unknown_code_is_the_base_class_with_its_words() -> None:
    told = from_code("from_the_future", "Something new.")
    assert type(told) is AttuneError
    assert (told.message, told.detail) == ("Something new.", "")


def test_a_refinement_elsewhere_does_not_change_what_a_code_means(
    tree: list[type[AttuneError]],
) -> None:
    refined = [error for error in tree if error not in public()]
    assert refined, "ChildDied at least"
    for error in refined:
        if error.code in {p.code for p in public()}:
            assert type(from_code(error.code, "x")) in public()


def test_what_is_outside_is_said_with_name_value_and_range() -> None:
    error = InvalidParameter.outside("gamma", 11.5, "from 0 to 10")
    assert isinstance(error, InvalidParameter)
    assert error.message == "gamma is 11.5, but must be from 0 to 10."
