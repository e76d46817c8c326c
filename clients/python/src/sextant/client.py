"""The client: asks a Sextant server for proofs, and looks at what it gets."""

from __future__ import annotations

import contextlib
import hashlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Self

from . import messages as m
from . import pinned
from .connection import Connection, failure
from .errors import InputTooLargeError, MalformedError, SextantError, WrongProofError
from .expected import Expected
from .messages import ProofKind, StatementInput
from .proof import ProofRecord
from .public_values import Statement

DEFAULT_PORT = 7100
DEFAULT_MAX_RECORD = 64 << 20

OnProgress = Callable[[m.Progress], None]


@dataclass(frozen=True)
class Proof:
    """A proof that is about what was asked for. Whether it is true, :meth:`Client.verify` asks a server that you trust."""

    record: ProofRecord
    statement: Statement
    cost: m.ProvingCost
    job: bytes


class Client:
    """A connection to a Sextant server. Made by :meth:`connect`; ends with its `async with` block, or by :meth:`close`.

    A server is believed nothing that can be seen here: a proof by another program than the pinned one, of another kind, or
    about another committee, header, account or slot than the input's is a :class:`WrongProofError`. What cannot be seen
    without a verifier is whether the proof is true: give it to :meth:`verify` of a server that you trust, or to
    `sextant verify`.
    """

    def __init__(self, connection: Connection, max_record: int, allow_development_circuits: bool = False) -> None:
        self._connection = connection
        self.max_record = max_record
        self._allow_development_circuits = allow_development_circuits
        self._limits: m.ServerLimits | None = None

    @classmethod
    async def connect(
        cls,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        *,
        tls: bool | ssl.SSLContext = False,
        token: str = "",
        allow_plain_token: bool = False,
        timeout: float = 10,
        max_record: int = DEFAULT_MAX_RECORD,
        allow_development_circuits: bool = False,
    ) -> Self:
        """Connects and greets within `timeout` seconds. Proofs of over `max_record` bytes are refused.

        So are SNARKs by circuits for tests, which whoever has built those can forge, unless `allow_development_circuits`.

        `tls` is an own context, or true for the authorities that this system trusts. A `token` is a secret: without TLS it
        is sent to this machine only, unless `allow_plain_token`.
        """
        context = ssl.create_default_context() if tls is True else tls or None
        if token and context is None and not allow_plain_token and not _is_this_machine(host):
            raise ValueError("the token would be sent without TLS, for whoever listens on the way to read")
        connection = await Connection.open(host, port, context, token, timeout)
        return cls(connection, max_record, allow_development_circuits)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection. Open requests are given up; what was submitted goes on."""
        await self._connection.close()

    async def ping(self) -> None:
        """Returns when the server has answered."""
        await self._ask(m.Ping(), m.Pong)

    async def info(self) -> m.ServerInfo:
        """What the server says about itself."""
        info: m.ServerInfo = await self._ask(m.Info(), m.ServerInfo)
        self._limits = info.limits
        return info

    async def prove(
        self,
        statement: StatementInput,
        kind: ProofKind = ProofKind.STARK,
        *,
        deadline: float = 0,
        on_progress: OnProgress | None = None,
    ) -> Proof:
        """Asks for the proof of a statement and waits for it. Cancelling this cancels the request.

        One that is larger than the server takes is not sent: :class:`InputTooLargeError`.

        `deadline` is in seconds, queueing included; 0 is the server's own maximum.
        """
        expected = Expected.of(statement)
        await self._check_size(statement)
        first, rest = statement.data[: m.PART], statement.data[m.PART :]
        request = m.Prove(
            StatementInput(statement.program, first), kind, _milliseconds(deadline), pinned.vk_hash(statement.program), len(rest)
        )
        answer = await self._download(request, rest, on_progress)
        return self._proof(answer, kind, expected)

    async def submit(self, statement: StatementInput, kind: ProofKind = ProofKind.STARK, *, deadline: float = 0) -> m.Submitted:
        """Asks like :meth:`prove`, and returns the job's name at once: the job goes on whoever is connected."""
        await self._check_size(statement)
        first, rest = statement.data[: m.PART], statement.data[m.PART :]
        request = m.Submit(
            StatementInput(statement.program, first), kind, _milliseconds(deadline), pinned.vk_hash(statement.program), len(rest)
        )
        submitted: m.Submitted = await self._ask(request, m.Submitted, rest)
        return submitted

    async def fetch(
        self,
        job: bytes,
        statement: StatementInput,
        kind: ProofKind = ProofKind.STARK,
        *,
        deadline: float = 0,
        on_progress: OnProgress | None = None,
    ) -> Proof:
        """Waits for a job that was submitted, on any connection; it must be the proof of `statement`."""
        answer = await self._download(m.Fetch(job, 0, _milliseconds(deadline)), b"", on_progress)
        return self._proof(answer, kind, Expected.of(statement))

    async def withdraw(self, job: bytes) -> None:
        """Takes back a job that this client has submitted."""
        await self._ask(m.Withdraw(job), m.Withdrawn)

    async def wrap(
        self,
        proof: Proof,
        kind: ProofKind = ProofKind.GROTH16,
        *,
        deadline: float = 0,
        on_progress: OnProgress | None = None,
    ) -> Proof:
        """Asks for the SNARK of a compressed proof."""
        if "wrap" not in self._connection.capabilities:
            raise SextantError("this server does not make SNARKs of proofs that are there already")
        data = proof.record.encode()
        first, rest = data[: m.PART], data[m.PART :]
        answer = await self._download(m.Wrap(first, kind, _milliseconds(deadline), len(rest)), rest, on_progress)
        return self._proof(answer, kind, Expected.same_as(proof.record))

    async def verify(self, record: ProofRecord) -> None:
        """Asks the server whether a proof is true: worth as much as you trust the server.

        Raises :class:`ServerError` with `INVALID_PROOF` where it is not.
        """
        data = record.encode()
        first, rest = data[: m.PART], data[m.PART :]
        await self._ask(m.Verify(first, len(rest)), m.Verified, rest)

    async def _check_size(self, statement: StatementInput) -> None:
        """What is larger than the server takes is not sent; it is asked once what it takes."""
        limit = (self._limits or (await self.info()).limits).input
        if limit and len(statement.data) > limit:
            raise InputTooLargeError(len(statement.data), limit)

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

    def _proof(self, answer: m.ProofAnswer, kind: ProofKind, expected: Expected) -> Proof:
        record = ProofRecord.decode(answer.record)
        if record.kind != kind:
            raise WrongProofError(f"a proof of kind {record.kind.name}, asked for {kind.name}")
        if record.vk_hash != pinned.vk_hash(record.program):
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


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
