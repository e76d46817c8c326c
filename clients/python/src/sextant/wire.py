"""The encoding of messages: section 2 of docs/protocol.md.

A dataclass whose fields are made by :func:`field` is a record. A :class:`Tagged` is one of several records, told apart by a
tag in front.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Generic, Protocol, TypeVar

from .errors import MalformedError

T = TypeVar("T")


class Reader:
    """Takes values off the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count > len(self._data):
            raise MalformedError(f"{count} bytes wanted, {len(self._data)} left")
        head, self._data = bytes(self._data[:count]), self._data[count:]
        return head

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data))

    def integer(self, size: int) -> int:
        """A little-endian integer of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def __bool__(self) -> bool:
        return bool(self._data)


class Type(Protocol[T]):
    """How values of one kind are written and read."""

    def write(self, value: T) -> bytes: ...

    def read(self, reader: Reader) -> T: ...


class Integer:
    """An unsigned integer of fixed width."""

    def __init__(self, size: int) -> None:
        self.size = size

    def write(self, value: int) -> bytes:
        return value.to_bytes(self.size, "little")

    def read(self, reader: Reader) -> int:
        return reader.integer(self.size)


class Bool:
    """One byte, 0 or 1."""

    def write(self, value: bool) -> bytes:
        return bytes([value])

    def read(self, reader: Reader) -> bool:
        byte = reader.integer(1)
        if byte > 1:
            raise MalformedError(f"{byte} is no truth value")
        return byte == 1


class Array:
    """So many bytes, without a length."""

    def __init__(self, size: int) -> None:
        self.size = size

    def write(self, value: bytes) -> bytes:
        if len(value) != self.size:
            raise ValueError(f"{self.size} bytes are wanted, not {len(value)}")
        return value

    def read(self, reader: Reader) -> bytes:
        return reader.take(self.size)


class Bytes:
    """Bytes after their count."""

    def write(self, value: bytes) -> bytes:
        return len(value).to_bytes(8, "little") + value

    def read(self, reader: Reader) -> bytes:
        return reader.take(reader.integer(8))


class Text:
    """UTF-8 after its length in bytes."""

    def write(self, value: str) -> bytes:
        return Bytes().write(value.encode())

    def read(self, reader: Reader) -> str:
        try:
            return Bytes().read(reader).decode()
        except UnicodeDecodeError as error:
            raise MalformedError(f"text that is no UTF-8: {error}") from None


class Items(Generic[T]):
    """Values of one type after their count. Those that this version does not know, read as `None`, are left out."""

    def __init__(self, item: Type[Any]) -> None:
        self.item = item

    def write(self, value: list[T]) -> bytes:
        return len(value).to_bytes(8, "little") + b"".join(map(self.item.write, value))

    def read(self, reader: Reader) -> list[T]:
        items: list[T] = []
        for _ in range(reader.integer(8)):
            if not reader:
                raise MalformedError("a list ends before its count")
            item = self.item.read(reader)
            if item is not None:
                items.append(item)
        return items


class Record(Generic[T]):
    """A dataclass, field by field, to the end of the bytes."""

    def __init__(self, cls: type[T]) -> None:
        self.cls = cls
        # By tag: a dataclass has its fields without default first.
        fields = sorted(dataclasses.fields(cls), key=lambda f: f.metadata["tag"])  # type: ignore[arg-type]
        self.fields: dict[int, tuple[str, Type[Any]]] = {f.metadata["tag"]: (f.name, f.metadata["type"]) for f in fields}

    def write(self, value: T) -> bytes:
        out = bytearray()
        for tag, (name, kind) in self.fields.items():
            content = getattr(value, name)
            if content is None:
                continue
            encoded = kind.write(content)
            out += tag.to_bytes(2, "little") + len(encoded).to_bytes(4, "little") + encoded
        return bytes(out)

    def read(self, reader: Reader) -> T:
        found: dict[str, Any] = {}
        last = -1
        while reader:
            tag, length = reader.integer(2), reader.integer(4)
            if tag <= last:
                raise MalformedError(f"{self.cls.__name__}: field {tag} after field {last}")
            last = tag
            content = Reader(reader.take(length))
            if tag not in self.fields:
                continue  # of a later version
            name, kind = self.fields[tag]
            found[name] = kind.read(content)
            if content:
                raise MalformedError(f"{self.cls.__name__}.{name}: {len(content.rest())} bytes left over")
        try:
            return self.cls(**found)
        except TypeError as error:
            raise MalformedError(f"{self.cls.__name__}: {error}") from None


class Records(Generic[T]):
    """Records, each after its length."""

    def __init__(self, cls: type[T]) -> None:
        self.record = Record(cls)

    def write(self, value: list[T]) -> bytes:
        encoded = map(self.record.write, value)
        return b"".join(len(one).to_bytes(4, "little") + one for one in encoded)

    def read(self, reader: Reader) -> list[T]:
        items = []
        while reader:
            items.append(self.record.read(Reader(reader.take(reader.integer(4)))))
        return items


class Tagged:
    """One of several records after its tag. A tag that this version does not know reads as `None`."""

    def __init__(self, *classes: type[Any]) -> None:
        self.by_tag = {cls.TAG: Record(cls) for cls in classes}

    def write(self, value: Any) -> bytes:
        return int(value.TAG).to_bytes(2, "little") + self.by_tag[value.TAG].write(value)

    def read(self, reader: Reader) -> Any:
        record = self.by_tag.get(reader.integer(2))
        if record is None:
            reader.rest()
            return None
        return record.read(reader)


def field(tag: int, kind: Type[Any], **options: Any) -> Any:
    """A dataclass field that travels under `tag`. One that is `None` is left out."""
    return dataclasses.field(metadata={"tag": tag, "type": kind}, **options)


BOOL, BYTES, TEXT = Bool(), Bytes(), Text()
U32, U64, HASH = Integer(4), Integer(8), Array(32)
