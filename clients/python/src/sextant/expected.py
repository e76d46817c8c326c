"""What a proof must say, as far as it follows from the input that was asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from . import flat
from .errors import MalformedError, WrongProofError
from .inputs import CommitteeChangeInput, Handover, InclusionInput, SignedFinality
from .messages import Program, StatementInput
from .proof import ProofRecord
from .public_values import Bundle, Bundled, CommitteeChain, Inclusion, Learned, Statement


@dataclass(frozen=True)
class Expected:
    """Names of what is proven, with the values due. What a state holds is for the proof to say."""

    program: int
    values: dict[str, Any]
    public_values: bytes | None = None

    @classmethod
    def of(cls, statement: StatementInput) -> Self:
        """What a proof of this input says. Raises :class:`MalformedError` for bytes that are no input."""
        if statement.program == Program.COMMITTEE_CHANGE:
            return cls(statement.program, _committee_change(flat.decode(CommitteeChangeInput, statement.data)))
        if statement.program == Program.INCLUSION:
            return cls(statement.program, _inclusion(flat.decode(InclusionInput, statement.data)))
        raise MalformedError(f"program {statement.program} has no input of its own, or is not known to this version")

    @classmethod
    def same_as(cls, record: ProofRecord) -> Self:
        """What another proof says."""
        return cls(record.program, {}, record.public_values)

    def check(self, record: ProofRecord) -> None:
        """Raises :class:`WrongProofError` where a proof is about something else."""
        if record.program != self.program:
            raise WrongProofError(f"a proof by program {record.program}, asked for {self.program}")
        if self.public_values is not None and record.public_values != self.public_values:
            raise WrongProofError("a proof of another statement")
        statement = record.statement
        said = said_by(statement)
        for name, due in self.values.items():
            if said[name] != due:
                raise WrongProofError(f"a proof of another statement: {_difference(name, said[name], due)}")


def said_by(statement: Statement) -> dict[str, Any]:
    """A statement's values under the names of :class:`Expected`."""
    if isinstance(statement, Bundle):
        return dict(vars(statement))
    said: dict[str, Any] = dict(vars(statement.head))
    if isinstance(statement, CommitteeChain):
        return said | {"program_key": statement.program_key, "newest": statement.newest}
    said["learned"] = [(one.period, one.committee_root) for one in statement.learned]
    if isinstance(statement, Inclusion):
        said["accounts"] = [(one.address, [slot.key for slot in one.slots]) for one in statement.accounts]
        said["transactions"] = [one.index for one in statement.transactions]
        said["logs"] = [(one.transaction, one.position) for one in statement.logs]
        said["no_logs"] = [(one.address, one.topics) for one in statement.no_logs]
    return said


def _signed(signed: SignedFinality) -> dict[str, Any]:
    return {"finalized_slot": signed.finalized.slot, "finalized_root": signed.finalized.root}


def _learned(first: int, handovers: list[Handover]) -> list[tuple[int, bytes]]:
    return [(first + i, handover.next_committee_root) for i, handover in enumerate(handovers, 1)]


def _committee_change(asked: CommitteeChangeInput) -> dict[str, Any]:
    last = asked.handovers[-1].signed if asked.handovers else None
    return {
        "chain_digest": asked.chain.digest,
        "signer_period": asked.signer_period,
        "signer_committee_root": asked.signer_committee_root,
        "participation": min((one.signed.participation for one in asked.handovers), default=0),
        "block_hash": asked.execution.block_hash,
        "learned": _learned(asked.signer_period, asked.handovers),
    } | (_signed(last) if last else {})


def _inclusion(asked: InclusionInput) -> dict[str, Any]:
    signatures = [*(one.signed for one in asked.handovers), asked.signed]
    signer = asked.chain.period(asked.signed.signature_slot) - len(asked.handovers)
    return {
        "chain_digest": asked.chain.digest,
        "signer_period": signer,
        "signer_committee_root": asked.signer_committee_root,
        "participation": min(one.participation for one in signatures),
        "block_hash": asked.execution.block_hash,
        "learned": _learned(signer, asked.handovers),
        "accounts": [(one.address, [slot.key for slot in one.slots]) for one in asked.accounts],
        "transactions": [one.index for one in asked.transactions],
        "logs": [(one.index, position) for one in asked.transactions for position in one.logs],
        "no_logs": [(one.address, one.topics) for one in asked.no_logs],
    } | _signed(asked.signed)


def _difference(name: str, said: Any, due: Any) -> str:
    if name != "parts":
        return f"its {name} is {_shown(said)}, {_shown(due)} is due"
    # Of up to 64 statements the first that differs is enough.
    if len(said) != len(due):
        return f"its bundle has {len(said)} statements, {len(due)} are due"
    index = next(index for index, (one, other) in enumerate(zip(said, due, strict=True)) if one != other)
    return f"statement {index} of its bundle is {_shown(said[index])}, {_shown(due[index])} is due"


def _shown(value: Any) -> str:
    match value:
        case bytes():
            return f"0x{value.hex()}"
        case Bundled():
            return f"{value.program.name} {_shown(value.digest)}"
        case Learned():
            return f"committee {_shown(value.committee_root)} of period {value.period}"
        case _:
            return str(value)
