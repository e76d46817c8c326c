"""Solidity's ABI encoding, as far as public values use it: dataclasses whose fields are made by :func:`value`.

Only the one encoding that `abi.encode` writes is read: each offset where it puts it, zeros for padding, nothing left over.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from .errors import MalformedError

T = TypeVar("T")
WORD = 32


class Kind(Protocol):
    """How values of a type are laid out. `dynamic` ones stand behind the others, which hold their offset."""

    dynamic: bool
    size: int  # bytes in the head, of one that is not dynamic

    def decode(self, data: bytes, at: int) -> tuple[Any, int]:
        """The value at `at`, and where it ends."""
        ...


class UInt:
    """An unsigned integer of so many bits."""

    dynamic, size = False, WORD

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def decode(self, data: bytes, at: int) -> tuple[Any, int]:
        number = int.from_bytes(_word(data, at), "big")
        if number >> self.bits:
            raise MalformedError(f"public values, byte {at}: no uint{self.bits}")
        return number, at + WORD


class Bool(UInt):
    """0 or 1."""

    def __init__(self) -> None:
        super().__init__(1)

    def decode(self, data: bytes, at: int) -> tuple[Any, int]:
        number, end = super().decode(data, at)
        return bool(number), end


class Hash:
    """`bytes32`."""

    dynamic, size = False, WORD

    def decode(self, data: bytes, at: int) -> tuple[Any, int]:
        return _word(data, at), at + WORD


class Address(UInt):
    """Twenty bytes."""

    def __init__(self) -> None:
        super().__init__(160)

    def decode(self, data: bytes, at: int) -> tuple[Any, int]:
        number, end = super().decode(data, at)
        return number.to_bytes(20, "big"), end


class Bytes:
    """`bytes`."""

    dynamic, size = True, WORD

    def decode(self, data: bytes, at: int) -> tuple[Any, int]:
        length, start = UINT64.decode(data, at)
        end = start + -(-length // WORD) * WORD
        if end > len(data) or any(data[start + length : end]):
            raise MalformedError(f"public values, byte {at}: bytes of the wrong length, or padded with something")
        return data[start : start + length], end


class List:
    """`T[]`."""

    dynamic, size = True, WORD

    def __init__(self, item: Kind) -> None:
        self.item = item

    def decode(self, data: bytes, at: int) -> tuple[Any, int]:
        count, start = UINT64.decode(data, at)
        if count * (WORD if self.item.dynamic else self.item.size) > len(data) - start:
            raise MalformedError(f"public values, byte {at}: a list of {count} does not fit")
        return _members([self.item] * count, data, start)


class Only(List):
    """`T[]` that has just one, which stands for it."""

    def decode(self, data: bytes, at: int) -> tuple[Any, int]:
        items, end = super().decode(data, at)
        if len(items) != 1:
            raise MalformedError(f"public values, byte {at}: a list of {len(items)}, of one is due")
        return items[0], end


class Struct:
    """A dataclass."""

    def __init__(self, cls: type[Any]) -> None:
        self.cls = cls
        self.kinds: list[Kind] = [f.metadata["abi"] for f in dataclasses.fields(cls)]
        self.dynamic = any(kind.dynamic for kind in self.kinds)
        self.size = sum(WORD if kind.dynamic else kind.size for kind in self.kinds)

    def decode(self, data: bytes, at: int) -> tuple[Any, int]:
        values, end = _members(self.kinds, data, at)
        return self.cls(*values), end


def value(kind: Kind) -> Any:
    """A field of a structure."""
    return dataclasses.field(metadata={"abi": kind})


def decode(cls: type[T], data: bytes) -> T:
    """What `abi.encode` made `data` of: a dynamic structure.

    Raises :class:`MalformedError` for anything else than its one encoding.
    """
    (result,), end = _members([Struct(cls)], data, 0)
    if end != len(data):
        raise MalformedError(f"public values: {len(data) - end} bytes left over")
    return result  # type: ignore[no-any-return]


def _word(data: bytes, at: int) -> bytes:
    word = data[at : at + WORD]
    if len(word) != WORD:
        raise MalformedError(f"public values end at byte {len(data)}, in the middle")
    return word


def _members(kinds: Sequence[Kind], data: bytes, base: int) -> tuple[list[Any], int]:
    values = []
    head, tail = base, base + sum(WORD if kind.dynamic else kind.size for kind in kinds)
    for kind in kinds:
        if kind.dynamic:
            offset, head = UINT64.decode(data, head)
            if base + offset != tail:
                raise MalformedError(f"public values, byte {head - WORD}: an offset that leads elsewhere")
            item, tail = kind.decode(data, tail)
        else:
            item, head = kind.decode(data, head)
        values.append(item)
    return values, tail


UINT32, UINT64, UINT256 = UInt(32), UInt(64), UInt(256)
BOOL, HASH, ADDRESS, BYTES = Bool(), Hash(), Address(), Bytes()
