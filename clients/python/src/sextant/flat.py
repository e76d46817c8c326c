"""The flat encoding of statement inputs, the bytes that a guest program reads.

Integers are little-endian and fixed-width, byte arrays stand as they are, a list is a `u32` count and its elements, a blob a
`u32` length and its bytes. A structure is a dataclass whose fields are made by :func:`part`.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Generic, TypeVar

from .errors import MalformedError
from .wire import Array, Integer, Reader, Type

T = TypeVar("T")


class Blob:
    """Bytes after their length."""

    def write(self, value: bytes) -> bytes:
        return U32.write(len(value)) + value

    def read(self, reader: Reader) -> bytes:
        return reader.take(U32.read(reader))


class ListOf(Generic[T]):
    """Elements after their count."""

    def __init__(self, item: Type[T]) -> None:
        self.item = item

    def write(self, value: list[T]) -> bytes:
        return U32.write(len(value)) + b"".join(map(self.item.write, value))

    def read(self, reader: Reader) -> list[T]:
        items = []
        for _ in range(U32.read(reader)):
            if not reader:  # every element takes at least one byte
                raise MalformedError("a list ends before its count")
            items.append(self.item.read(reader))
        return items


class Fixed(Generic[T]):
    """So many elements, without a count."""

    def __init__(self, item: Type[T], count: int) -> None:
        self.item, self.count = item, count

    def write(self, value: list[T]) -> bytes:
        return b"".join(map(self.item.write, value))

    def read(self, reader: Reader) -> list[T]:
        return [self.item.read(reader) for _ in range(self.count)]


class Struct(Generic[T]):
    """A dataclass, field by field in order."""

    def __init__(self, cls: type[T]) -> None:
        self.cls = cls
        fields = dataclasses.fields(cls)  # type: ignore[arg-type]
        self.parts: list[tuple[str, Type[Any]]] = [(f.name, f.metadata["flat"]) for f in fields]

    def write(self, value: T) -> bytes:
        return b"".join(kind.write(getattr(value, name)) for name, kind in self.parts)

    def read(self, reader: Reader) -> T:
        return self.cls(**{name: kind.read(reader) for name, kind in self.parts})


def part(kind: Type[Any], **options: Any) -> Any:
    """A field of a structure."""
    return dataclasses.field(metadata={"flat": kind}, **options)


def encode(value: Any) -> bytes:
    """The bytes of a structure."""
    return Struct(type(value)).write(value)


def decode(cls: type[T], data: bytes) -> T:
    """The structure that takes up all of `data`. Raises :class:`MalformedError`."""
    reader = Reader(data)
    value = Struct(cls).read(reader)
    if reader:
        raise MalformedError(f"{len(reader.rest())} bytes left over")
    return value


U16, U32, U64 = Integer(2), Integer(4), Integer(8)
HASH, ADDRESS, BLOB = Array(32), Array(20), Blob()
