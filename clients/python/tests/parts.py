"""Recorded proofs that become one, and what a server may say that it has made of them."""

import contextlib
import dataclasses
import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from sextant import Client, Program, ProofKind, ProofRecord, public_values
from sextant import messages as m
from sextant.frames import frame

from .support import DATA
from .test_lies import answer, liar

COMPRESSED = ProofKind.COMPRESSED
ALL = ("bundle", "chain", "wrap")


def recorded(name: str) -> ProofRecord:
    """A recorded compressed proof; the core STARK among them as if it were one, which only a verifier notices."""
    record = ProofRecord.from_file_bytes((DATA / "recorded-starks" / f"{name}.proof").read_bytes())
    return dataclasses.replace(record, kind=COMPRESSED)


HANDOVER, INCLUSION = recorded("committee-change-compressed"), recorded("inclusion")
BUNDLE = recorded("bundle-compressed")
CHAINS = [recorded("chain-1-compressed"), recorded("chain-2-compressed")]


def words(*values: int | bytes) -> bytes:
    """Numbers and hashes, of 32 bytes each."""
    return b"".join(value if isinstance(value, bytes) else value.to_bytes(32, "big") for value in values)


def bundle_of(*parts: ProofRecord, chain_digest: bytes | None = None) -> ProofRecord:
    """A proof that says to be the bundle of these."""
    digest = chain_digest or parts[0].statement.head.chain_digest  # type: ignore[union-attr]
    named = [(part.program, hashlib.sha256(part.public_values).digest()) for part in parts]
    values = words(32, 2, 3, digest, 128, len(parts), *(word for pair in named for word in pair))
    return dataclasses.replace(BUNDLE, public_values=values)


def change_to(chain: ProofRecord, after: ProofRecord | None = None, **changes: Any) -> ProofRecord:
    """The committee change by which this chain is longer than `after`; or something like it."""
    statement = chain.statement
    assert isinstance(statement, public_values.CommitteeChain)
    head, newest = dataclasses.replace(statement.head, program=Program.COMMITTEE_CHANGE), [statement.newest]
    if after is not None:
        begin = after.statement.newest  # type: ignore[union-attr]
        head = dataclasses.replace(head, signer_period=begin.period, signer_committee_root=begin.committee_root)
    newest = changes.pop("learned", newest)
    head = dataclasses.replace(head, **changes)
    learned = [word for one in newest for word in (one.period, one.committee_root)]
    values = words(32, *vars(head).values(), 384, len(newest), *learned)
    return dataclasses.replace(HANDOVER, public_values=values)


CHANGES = [change_to(CHAINS[0]), change_to(CHAINS[1], CHAINS[0])]


@contextlib.asynccontextmanager
async def client_of(
    answers: Callable[[m.Request], bytes], heard: list[Any] | None = None, capabilities: tuple[str, ...] = ALL
) -> AsyncIterator[Client]:
    """A client of a server that answers like this."""
    welcome = frame(m.SERVER, m.Welcome(m.VERSION, capabilities=list(capabilities)))
    async with liar(answers, welcome, heard) as port, await Client.connect(port=port) as client:
        yield client


def in_parts(request: m.Request, record: ProofRecord) -> bytes:
    """A proof's answer with what is larger than a frame in parts."""
    data = record.encode()
    said = answer(request, data[: m.PART], sha256=hashlib.sha256(data).digest(), more=max(0, len(data) - m.PART))
    for offset in range(m.PART, len(data), m.PART):
        said += frame(m.SERVER, m.ServerPart(request.id, offset, data[offset : offset + m.PART]))
    return said
