"""What all requests have in common: asking, waiting for a proof, and looking at what comes."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from . import messages as m
from . import pinned
from .connection import Connection, failure
from .errors import MalformedError, NotOfferedError, WrongProofError
from .expected import Expected
from .messages import ProofKind
from .proof import ProofRecord
from .public_values import Statement

OnProgress = Callable[[m.Progress], None]
S = TypeVar("S", bound=Statement, covariant=True)


@dataclass(frozen=True)
class Proof(Generic[S]):
    """A proof that is about what was asked for. Whether it is true, :meth:`Client.verify` asks a server that you trust."""

    record: ProofRecord
    statement: S
    cost: m.ProvingCost
    job: bytes


class Asking:
    """A connection, and what is believed of what comes over it. The requests themselves are :class:`Client`'s."""

    def __init__(self, connection: Connection, max_record: int, allow_development_circuits: bool = False) -> None:
        self._connection = connection
        self.max_record = max_record
        self._allow_development_circuits = allow_development_circuits

    def _check_offered(self, capability: str, what: str) -> None:
        """A server that does not list it does not know the request. Raises :class:`NotOfferedError`."""
        if capability not in self._connection.capabilities:
            raise NotOfferedError(capability, what)

    async def _ask(self, request: object, response: type[Any], rest: bytes = b"") -> Any:
        async with contextlib.aclosing(self._connection.request(request, rest)) as incoming:  # type: ignore[type-var]
            async for message in incoming:
                if isinstance(message, m.Answer):
                    return _success(message, response)
        raise AssertionError("requests end with an answer or an error")

    async def _download(self, request: object, rest: bytes, on_progress: OnProgress | None) -> m.ProofAnswer:
        answer: m.ProofAnswer | None = None
        record = bytearray()
        async with contextlib.aclosing(self._connection.request(request, rest)) as incoming:  # type: ignore[type-var]
            async for message in incoming:
                if isinstance(message, m.ServerProgress):
                    if message.progress is not None and on_progress is not None:
                        on_progress(message.progress)
                    continue
                if isinstance(message, m.Answer):
                    answer = _success(message, m.ProofAnswer)
                    if answer.offset or (total := len(answer.record) + answer.more) > min(self.max_record, m.MAX_RECORD):
                        raise MalformedError(
                            f"a proof of {total} bytes" if not answer.offset else "a proof without its beginning"
                        )
                    record += answer.record
                elif answer is None or message.offset != len(record):
                    raise MalformedError("a part of a proof at another place than its own")
                else:
                    record += message.data
                if len(record) >= total:
                    break
        assert answer is not None, "requests end with an answer or an error"
        answer.record = bytes(record)
        if hashlib.sha256(answer.record).digest() != answer.sha256:
            raise MalformedError("the proof has arrived damaged: its hash is another one")
        return answer

    def _proof(self, answer: m.ProofAnswer, kind: ProofKind, expected: Expected) -> Proof[Any]:
        record = ProofRecord.decode(answer.record)
        if record.kind != kind:
            raise WrongProofError(f"a proof of kind {record.kind.name}, asked for {kind.name}")
        if record.vk_hash != pinned.vk_hash(record.program, record.kind):
            raise WrongProofError("a proof by another program than the pinned one")
        if record.development_circuits and not self._allow_development_circuits:
            raise WrongProofError("a proof by circuits for tests, which proves nothing")
        expected.check(record)
        return Proof(record, record.statement, answer.cost, answer.job)


def _success(answer: m.Answer, response: type[Any]) -> Any:
    if isinstance(answer.result, m.ServerFailure):
        raise failure(answer.result)
    if not isinstance(answer.result, response):
        raise MalformedError(f"the server answers {type(answer.result).__name__}, {response.__name__} is due")
    return answer.result


def milliseconds(seconds: float) -> int:
    """A deadline as it is on the wire."""
    return max(0, round(seconds * 1000))
