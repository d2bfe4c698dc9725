"""The objects of a JSON array, left in the bytes of their file until they are looked at.

Decoded all at once, votes take some five times the memory of their text. So each is decoded,
checked and let go, and decoded again whenever somebody asks for it.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from typing import TypeVar, overload

import msgspec

Piece = TypeVar("Piece")

_DEPTH = 3
"""Objects in each other, at the most; msgspec has seen that brackets match."""

_START = re.compile(rb"\s*+\[\s*+")
_NEXT = re.compile(rb"\s*+(,\s*+)?+")


def _object(depth: int) -> bytes:
    """A pattern that takes a whole object and never goes back, however long it is."""
    inside = rb'[^"{}]++|"(?:[^"\\]++|\\.)*+"'
    if depth > 1:
        inside += b"|" + _object(depth - 1)
    return rb"\{(?:%b)*+\}" % inside


_OBJECT = re.compile(_object(_DEPTH), re.DOTALL)


class Pieces(Sequence[Piece]):
    """What stands in an array; each look makes a new one. Equal to any sequence of equal ones."""

    def __init__(
        self, text: memoryview, *, decoder: msgspec.json.Decoder[Piece], most: int
    ) -> None:
        """Checks every one.

        text  of a JSON array, as msgspec let it through
        most  so many there may be

        Raises msgspec.ValidationError, RecursionError for the first that the decoder refuses.
        """
        self._text, self._decoder = text, decoder
        self._starts, self._ends = array("Q"), array("Q")
        self._split(most)

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, place: int) -> Piece: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Piece, ...]: ...

    def __getitem__(self, place: int | slice) -> Piece | tuple[Piece, ...]:
        if isinstance(place, slice):
            return tuple(self[each] for each in range(*place.indices(len(self))))
        return self._decoder.decode(self._text[self._starts[place] : self._ends[place]])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def _split(self, most: int) -> None:
        begin = _START.match(self._text)
        if begin is None:
            raise msgspec.ValidationError("Expected an `array` - at `$.votes`")
        end, last = begin.end(), self._text.nbytes - 1
        while end < last:
            found = _OBJECT.match(self._text, end)
            if found is None:
                raise msgspec.ValidationError(f"Expected a vote - at `$.votes[{len(self)}]`")
            self._take(*found.span(), most=most)
            space = _NEXT.match(self._text, found.end())
            assert space is not None, "it matches nothing at all, too"
            end = space.end()

    def _take(self, start: int, end: int, *, most: int) -> None:
        number = len(self)
        if number == most:
            raise msgspec.ValidationError(f"Expected at most {most} - at `$.votes`")
        try:
            self._decoder.decode(self._text[start:end])
        except msgspec.ValidationError as error:
            raise msgspec.ValidationError(f"{error}, of `$.votes[{number}]`") from error
        self._starts.append(start)
        self._ends.append(end)
