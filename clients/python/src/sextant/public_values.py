"""What a proof says: public values, version 2 (docs/statements.md, "What comes out")."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Self

from . import abi
from .abi import ADDRESS, BOOL, BYTES, HASH, UINT32, UINT64, UINT256, List, Only, Struct, UInt, value
from .errors import MalformedError
from .messages import Program

VERSION = 2


class _Tag(UInt):
    """A program by its tag, one of those that there are."""

    def __init__(self) -> None:
        super().__init__(32)

    def decode(self, data: bytes, at: int) -> tuple[Any, int]:
        tag, end = super().decode(data, at)
        try:
            return Program(tag), end
        except ValueError:
            raise MalformedError(f"public values, byte {at}: program {tag} is not known to this version") from None


@dataclass(frozen=True)
class Head:
    """Whose trust, and the finalized header and block. Numbers; hashes of 32 bytes.

    A zero state root means "not proven", never "empty".
    """

    version: int = value(UINT64)
    program: int = value(UINT64)
    chain_digest: bytes = value(HASH)
    signer_period: int = value(UINT64)
    signer_committee_root: bytes = value(HASH)
    participation: int = value(UINT64)
    finalized_slot: int = value(UINT64)
    finalized_root: bytes = value(HASH)
    block_number: int = value(UINT64)
    block_hash: bytes = value(HASH)
    state_root: bytes = value(HASH)


@dataclass(frozen=True)
class Learned:
    """A committee that became known, by its `hash_tree_root`, and the period in which it signs."""

    period: int = value(UINT64)
    committee_root: bytes = value(HASH)


@dataclass(frozen=True)
class CommitteeChange:
    """The sync committee handed over, once or several times."""

    head: Head = value(Struct(Head))
    learned: list[Learned] = value(List(Struct(Learned)))


@dataclass(frozen=True)
class Block:
    """The block that an inclusion is about. Zero receipts root and timestamp mean "not proven"."""

    number: int = value(UINT64)
    hash: bytes = value(HASH)
    state_root: bytes = value(HASH)
    receipts_root: bytes = value(HASH)
    timestamp: int = value(UINT64)


@dataclass(frozen=True)
class Slot:
    """A storage slot: its key, whether the trie holds it, and its value (zero if not)."""

    key: bytes = value(HASH)
    exists: bool = value(BOOL)
    value: int = value(UINT256)


@dataclass(frozen=True)
class Account:
    """An account; all but its address is zero if it does not exist. `balance` is in wei."""

    address: bytes = value(ADDRESS)
    exists: bool = value(BOOL)
    nonce: int = value(UINT64)
    balance: int = value(UINT256)
    storage_root: bytes = value(HASH)
    code_hash: bytes = value(HASH)
    slots: list[Slot] = value(List(Struct(Slot)))


@dataclass(frozen=True)
class Transaction:
    """A transaction. A zero hash means that only the receipt at its index is proven."""

    hash: bytes = value(HASH)
    index: int = value(UINT32)
    succeeded: bool = value(BOOL)


@dataclass(frozen=True)
class Log:
    """A log, by its transaction's index and its place in that receipt.

    Data of more than 1,024 bytes are named by `data_hash`, their Keccak-256, and `data` is empty.
    """

    transaction: int = value(UINT32)
    position: int = value(UINT32)
    address: bytes = value(ADDRESS)
    data_hash: bytes = value(HASH)
    topics: list[bytes] = value(List(HASH))
    data: bytes = value(BYTES)


@dataclass(frozen=True)
class NoLog:
    """No log of this address in the block begins with these topics; without topics, none of the address at all."""

    address: bytes = value(ADDRESS)
    topics: list[bytes] = value(List(HASH))


@dataclass(frozen=True)
class Inclusion:
    """What holds in a finalized block, or in an ancestor of it."""

    head: Head = value(Struct(Head))
    facts: Block = value(Struct(Block))
    accounts: list[Account] = value(List(Struct(Account)))
    learned: list[Learned] = value(List(Struct(Learned)))
    transactions: list[Transaction] = value(List(Struct(Transaction)))
    logs: list[Log] = value(List(Struct(Log)))
    no_logs: list[NoLog] = value(List(Struct(NoLog)))


@dataclass(frozen=True)
class Bundled:
    """A statement in a bundle: whose it is, and the SHA-256 of its public values, 32 bytes."""

    program: Program = value(_Tag())
    digest: bytes = value(HASH)

    @classmethod
    def of(cls, program: int, public_values: bytes) -> Self:
        """Names a statement of `program` with these public values."""
        return cls(Program(program), hashlib.sha256(public_values).digest())


@dataclass(frozen=True)
class Bundle:
    """Statements about one chain hold: 1 to 64 of them, in order. What they say is not in it."""

    version: int = value(UINT64)
    program: int = value(UINT64)
    chain_digest: bytes = value(HASH)
    parts: list[Bundled] = value(List(Struct(Bundled)))


@dataclass(frozen=True)
class CommitteeChain:
    """One committee leads to another, over any number of handovers.

    The head's signer is the anchor, where the chain begins and which has to be trusted; its finalized header and block are the
    last change's, its participation is the lowest of all. `program_key` is the hash of the verifying key by which every step
    was proven, 32 bytes: not to be believed, but to be compared with the pinned one.
    """

    head: Head = value(Struct(Head))
    program_key: bytes = value(HASH)
    newest: Learned = value(Only(Struct(Learned)))


InputStatement = CommitteeChange | Inclusion
"""What is proven from an input of its own; the others from proofs."""
Statement = InputStatement | Bundle | CommitteeChain

_STATEMENTS: dict[int, type[Statement]] = {
    Program.COMMITTEE_CHANGE: CommitteeChange,
    Program.INCLUSION: Inclusion,
    Program.BUNDLE: Bundle,
    Program.CHAIN: CommitteeChain,
}


def decode(program: int, data: bytes) -> Statement:
    """The statement of a proof by `program`.

    Raises :class:`MalformedError` unless `data` is the one encoding of such a statement.
    """
    if program not in _STATEMENTS:
        raise MalformedError(f"program {program} is not known to this version")
    if data[32:64] not in (b"", VERSION.to_bytes(32, "big")):
        version = int.from_bytes(data[32:64], "big")
        raise MalformedError(f"public values of version {version}; this program reads version {VERSION}")
    statement: Statement = abi.decode(_STATEMENTS[program], data)
    said = statement.program if isinstance(statement, Bundle) else statement.head.program
    if said != program:
        raise MalformedError(f"public values of program {said} in a proof by program {program}")
    return statement
