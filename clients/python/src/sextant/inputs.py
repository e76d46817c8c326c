"""The layout of statement inputs: the consensus crate's `committee_change::Input` and `inclusion::Input`."""

from __future__ import annotations

from dataclasses import dataclass

from .chain import Chain
from .flat import ADDRESS, BLOB, HASH, U16, U32, U64, ListOf, Struct, part
from .merkle import merkle_root, uint64_root
from .wire import Array

HASHES, PATH = ListOf(HASH), ListOf(U16)
KEY, SIGNATURE = Array(48), Array(96)


@dataclass
class BeaconBlockHeader:
    """The specification's container."""

    slot: int = part(U64)
    proposer_index: int = part(U64)
    parent_root: bytes = part(HASH)
    state_root: bytes = part(HASH)
    body_root: bytes = part(HASH)

    @property
    def root(self) -> bytes:
        """`hash_tree_root`."""
        numbers = [uint64_root(self.slot), uint64_root(self.proposer_index)]
        return merkle_root([*numbers, self.parent_root, self.state_root, self.body_root])


@dataclass
class CommitteeOpening:
    """A committee's aggregate key, and the keys of the seats that did not sign, in one multiproof."""

    aggregate: bytes = part(KEY)
    keys: list[bytes] = part(ListOf(KEY))
    proof: list[bytes] = part(HASHES)


@dataclass
class SignedFinality:
    """A signed header, the finalized header in its state, and the signature's evidence."""

    attested: BeaconBlockHeader = part(Struct(BeaconBlockHeader))
    finalized: BeaconBlockHeader = part(Struct(BeaconBlockHeader))
    finality_branch: list[bytes] = part(HASHES)
    signature_slot: int = part(U64)
    bits: bytes = part(BLOB)
    signature: bytes = part(SIGNATURE)
    committee: CommitteeOpening = part(Struct(CommitteeOpening))

    @property
    def participation(self) -> int:
        """Seats that signed."""
        return sum(byte.bit_count() for byte in self.bits)


@dataclass
class Handover:
    """A committee signs a header whose state names the next one."""

    signed: SignedFinality = part(Struct(SignedFinality))
    next_committee_root: bytes = part(HASH)
    next_committee_branch: list[bytes] = part(HASHES)


@dataclass
class ExecutionFacts:
    """The execution block in a finalized header, with its proof."""

    block_number: int = part(U64, default=0)
    block_hash: bytes = part(HASH, default=bytes(32))
    state_root: bytes = part(HASH, default=bytes(32))
    proof: list[bytes] = part(HASHES, default_factory=list)
    block_header: bytes = part(BLOB, default=b"")


@dataclass
class CommitteeChangeInput:
    """Statement 1 with its evidence."""

    chain: Chain = part(Struct(Chain))
    signer_period: int = part(U64)
    signer_committee_root: bytes = part(HASH)
    handovers: list[Handover] = part(ListOf(Struct(Handover)))
    execution: ExecutionFacts = part(Struct(ExecutionFacts))


@dataclass
class SlotProof:
    """A slot, and which nodes lead to it."""

    key: bytes = part(HASH)
    path: list[int] = part(PATH)


@dataclass
class AccountProof:
    """An account, its slots, and which nodes lead to it."""

    address: bytes = part(ADDRESS)
    path: list[int] = part(PATH)
    slots: list[SlotProof] = part(ListOf(Struct(SlotProof)))


@dataclass
class Step:
    """A step back to an earlier block."""

    account: list[int] = part(PATH)
    slot: list[int] = part(PATH)
    header: bytes = part(BLOB)


@dataclass
class TransactionProof:
    """A transaction, and the places of the logs that are asked for."""

    index: int = part(U32)
    transaction: list[int] = part(PATH)
    receipt: list[int] = part(PATH)
    logs: list[int] = part(ListOf(U32))


@dataclass
class LogFilter:
    """Logs that are not there."""

    address: bytes = part(ADDRESS)
    topics: list[bytes] = part(HASHES)


@dataclass
class InclusionInput:
    """Statement 2 with its evidence."""

    chain: Chain = part(Struct(Chain))
    signer_committee_root: bytes = part(HASH)
    signed: SignedFinality = part(Struct(SignedFinality))
    execution: ExecutionFacts = part(Struct(ExecutionFacts))
    nodes: list[bytes] = part(ListOf(BLOB))
    accounts: list[AccountProof] = part(ListOf(Struct(AccountProof)))
    handovers: list[Handover] = part(ListOf(Struct(Handover)), default_factory=list)
    ancestry: list[Step] = part(ListOf(Struct(Step)), default_factory=list)
    transactions: list[TransactionProof] = part(ListOf(Struct(TransactionProof)), default_factory=list)
    no_logs: list[LogFilter] = part(ListOf(Struct(LogFilter)), default_factory=list)
    receipts: list[bytes] = part(ListOf(BLOB), default_factory=list)
