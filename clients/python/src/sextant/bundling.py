"""From compressed proofs that somebody has to one proof that all of them hold: a bundle of any, or a chain of committee changes.

What the one proof must say follows from what the others say: the rules are those of the consensus crate's `bundle` and
`committee_chain`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from . import pinned
from .errors import BundlingError, SextantError
from .expected import Expected
from .messages import Program, ProofKind
from .proof import ProofRecord
from .public_values import Bundled, CommitteeChain, CommitteeChange, Inclusion, Statement
from .wire import U32

MAX_PROOFS = 64


@dataclass(frozen=True)
class Bundling:
    """Compressed proofs that go together, as a request has them, and what the one proof of them must say."""

    program: Program
    records: bytes
    expected: Expected

    @classmethod
    def bundle(cls, proofs: Sequence[ProofRecord]) -> Self:
        """Proofs of statements about one chain, in this order. Raises :class:`BundlingError`."""
        _check_count(len(proofs), "proofs", "a bundle has")
        chain_digest: bytes | None = None
        for index, proof in enumerate(proofs):
            statement = _said(proof, index)
            if not isinstance(statement, CommitteeChange | Inclusion):
                raise BundlingError(f"it is of the program {_name(proof)}, which is not bundled", index)
            if chain_digest not in (None, statement.head.chain_digest):
                raise BundlingError("it is about another chain than the first", index)
            chain_digest = statement.head.chain_digest
        parts = [Bundled.of(proof.program, proof.public_values) for proof in proofs]
        expected = Expected(Program.BUNDLE, {"chain_digest": chain_digest, "parts": parts})
        return cls(Program.BUNDLE, _records(proofs), expected)

    @classmethod
    def chain(cls, changes: Sequence[ProofRecord], predecessor: ProofRecord | None = None) -> Self:
        """Proofs of committee changes, each of which begins where the one before it ends, the first at the end of
        `predecessor`, a proof of the chain so far. Raises :class:`BundlingError`; its index counts the changes alone.
        """
        _check_count(len(changes), "committee changes", "a chain is extended by")
        chain = None if predecessor is None else _chain_so_far(predecessor)
        for index, change in enumerate(changes):
            statement = _said(change, index)
            if not isinstance(statement, CommitteeChange):
                raise BundlingError(f"it is of the program {_name(change)}: a chain is extended by committee changes", index)
            chain = _follow(chain, statement, index)
        assert chain is not None, "there is at least one change"
        values = vars(chain.head) | {"program_key": chain.program_key, "newest": chain.newest}
        records = [*([] if predecessor is None else [predecessor]), *changes]
        return cls(Program.CHAIN, _records(records), Expected(Program.CHAIN, values))


def _check_count(count: int, what: str, holder: str) -> None:
    if not 1 <= count <= MAX_PROOFS:
        raise BundlingError(f"{count} {what}: {holder} 1 to {MAX_PROOFS}")


def _said(proof: ProofRecord, index: int | None) -> Statement:
    """What a proof says that becomes part of another. Whether it holds, the server sees, and names it where it does not."""
    if proof.kind != ProofKind.COMPRESSED:
        raise BundlingError(f"only a compressed proof can be bundled, this is of kind {proof.kind.name}", index)
    try:
        key, statement = pinned.vk_hash(proof.program), proof.statement
    except SextantError as error:
        raise BundlingError(str(error), index) from None
    if proof.vk_hash != key:
        raise BundlingError("it is by another program than the pinned one", index)
    return statement


def _chain_so_far(predecessor: ProofRecord) -> CommitteeChain:
    try:
        chain = _said(predecessor, None)
    except BundlingError as error:
        raise BundlingError(f"the chain so far: {error}") from None
    if not isinstance(chain, CommitteeChain):
        raise BundlingError(f"the chain so far is none, but of the program {_name(predecessor)}")
    # Whatever has another key in it may have been made by a program that says anything.
    if chain.program_key != pinned.vk_hash(Program.CHAIN):
        raise BundlingError("the chain so far is by another program than the pinned one")
    return chain


def _follow(chain: CommitteeChain | None, change: CommitteeChange, index: int) -> CommitteeChain:
    """The chain so far, longer by one change; or a new one, which begins where the change does."""
    head = change.head
    if not change.learned:
        raise BundlingError("it teaches no committee", index)
    period, root, participation = head.signer_period, head.signer_committee_root, head.participation
    if chain is not None:
        newest = chain.newest
        if head.chain_digest != chain.head.chain_digest:
            raise BundlingError("it is about another chain than what is before it", index)
        if period != newest.period:
            raise BundlingError(f"it begins in period {period}, the newest committee so far is that of {newest.period}", index)
        if root != newest.committee_root:
            raise BundlingError("it begins at another committee than the newest so far", index)
        period, root = chain.head.signer_period, chain.head.signer_committee_root
        participation = min(participation, chain.head.participation)
    anchored = dataclasses.replace(
        head, program=Program.CHAIN, signer_period=period, signer_committee_root=root, participation=participation
    )
    return CommitteeChain(anchored, pinned.vk_hash(Program.CHAIN), change.learned[-1])


def _records(proofs: Sequence[ProofRecord]) -> bytes:
    """Of each the length and the encoded record."""
    encoded = [proof.encode() for proof in proofs]
    return b"".join(U32.write(len(record)) + record for record in encoded)


def _name(proof: ProofRecord) -> str:
    return Program(proof.program).name
