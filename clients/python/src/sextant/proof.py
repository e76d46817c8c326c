"""Proof records and proof files: section 8 of docs/protocol.md."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from .errors import MalformedError
from .messages import MAX_RECORD, ProofKind
from .public_values import Statement
from .public_values import decode as decode_public_values
from .wire import BYTES, HASH, TEXT, U32, Reader

MAGIC = b"SXTPROOF\0\1"


@dataclass(frozen=True)
class ProofRecord:
    """A proof with all that says what it is of. None of it is to be believed before it is verified."""

    program: int
    kind: ProofKind
    development_circuits: bool
    circuit_version: str
    vk_hash: bytes
    public_values: bytes
    proof: bytes

    @property
    def statement(self) -> Statement:
        """What the proof says. Raises :class:`MalformedError` where the public values are none."""
        return decode_public_values(self.program, self.public_values)

    def encode(self) -> bytes:
        """The record's bytes."""
        numbers = (self.program, self.kind, int(self.development_circuits))
        return (
            b"".join(map(U32.write, numbers))
            + TEXT.write(self.circuit_version)
            + HASH.write(self.vk_hash)
            + BYTES.write(self.public_values)
            + BYTES.write(self.proof)
        )

    @classmethod
    def decode(cls, data: bytes) -> ProofRecord:
        """The record of these bytes, all of them. Raises :class:`MalformedError`."""
        reader = Reader(data)
        program, kind, circuits = (U32.read(reader) for _ in range(3))
        if kind not in set(ProofKind):
            raise MalformedError(f"proof record: kind {kind} is not known to this version")
        if circuits > 1:
            raise MalformedError(f"proof record: circuits {circuits}")
        record = cls(
            program,
            ProofKind(kind),
            circuits == 1,
            TEXT.read(reader),
            HASH.read(reader),
            BYTES.read(reader),
            BYTES.read(reader),
        )
        if reader:
            raise MalformedError(f"proof record: {len(reader.rest())} bytes left over")
        return record

    def to_file_bytes(self) -> bytes:
        """A proof file's bytes, which `sextant verify` takes too."""
        content = MAGIC + self.encode()
        return content + hashlib.sha256(content).digest()

    @classmethod
    def from_file_bytes(cls, data: bytes) -> ProofRecord:
        """The record in a proof file. Raises :class:`MalformedError` where it is damaged, or no proof file."""
        if data[:8] != MAGIC[:8]:
            raise MalformedError("this is no proof file")
        if data[8:10] != MAGIC[8:]:
            raise MalformedError("a proof file of another format version")
        if len(data) > len(MAGIC) + MAX_RECORD + 32:
            raise MalformedError("the proof file is larger than any record")
        content, checksum = data[:-32], data[-32:]
        if hashlib.sha256(content).digest() != checksum:
            raise MalformedError("the proof file is damaged: its checksum does not match")
        return cls.decode(content[len(MAGIC) :])
