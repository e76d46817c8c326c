"""The client: asks a Sextant server for proofs, and looks at what it gets."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, Self

from . import messages as m
from . import pinned
from .asking import Asking, OnProgress, Proof, S, milliseconds
from .bundling import Bundling
from .connection import Connection
from .errors import InputTooLargeError
from .expected import Expected
from .messages import Program, ProofKind, StatementInput
from .proof import ProofRecord
from .public_values import Bundle, CommitteeChain, InputStatement

DEFAULT_PORT = 7100
DEFAULT_MAX_RECORD = 64 << 20


class Client(Asking):
    """A connection to a Sextant server. Made by :meth:`connect`; ends with its `async with` block, or by :meth:`close`.

    A server is believed nothing that can be seen here: a proof by another program than the pinned one, of another kind, or
    about another committee, header, account or slot than the input's is a :class:`WrongProofError`. What cannot be seen
    without a verifier is whether the proof is true: give it to :meth:`verify` of a server that you trust, or to
    `sextant verify`.
    """

    def __init__(self, connection: Connection, max_record: int, allow_development_circuits: bool = False) -> None:
        super().__init__(connection, max_record, allow_development_circuits)
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
    ) -> Proof[InputStatement]:
        """Asks for the proof of a statement and waits for it. Cancelling this cancels the request.

        One that is larger than the server takes is not sent: :class:`InputTooLargeError`.

        `deadline` is in seconds, queueing included; 0 is the server's own maximum.
        """
        expected = Expected.of(statement)
        await self._check_size(statement)
        first, rest = statement.data[: m.PART], statement.data[m.PART :]
        request = m.Prove(
            StatementInput(statement.program, first), kind, milliseconds(deadline), pinned.vk_hash(statement.program), len(rest)
        )
        answer = await self._download(request, rest, on_progress)
        return self._proof(answer, kind, expected)

    async def submit(self, statement: StatementInput, kind: ProofKind = ProofKind.STARK, *, deadline: float = 0) -> m.Submitted:
        """Asks like :meth:`prove`, and returns the job's name at once: the job goes on whoever is connected."""
        await self._check_size(statement)
        first, rest = statement.data[: m.PART], statement.data[m.PART :]
        request = m.Submit(
            StatementInput(statement.program, first), kind, milliseconds(deadline), pinned.vk_hash(statement.program), len(rest)
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
    ) -> Proof[InputStatement]:
        """Waits for a job that was submitted, on any connection; it must be the proof of `statement`."""
        answer = await self._download(m.Fetch(job, 0, milliseconds(deadline)), b"", on_progress)
        return self._proof(answer, kind, Expected.of(statement))

    async def withdraw(self, job: bytes) -> None:
        """Takes back a job that this client has submitted."""
        await self._ask(m.Withdraw(job), m.Withdrawn)

    async def wrap(
        self,
        proof: Proof[S],
        kind: ProofKind = ProofKind.GROTH16,
        *,
        deadline: float = 0,
        on_progress: OnProgress | None = None,
    ) -> Proof[S]:
        """Asks for the SNARK of a compressed proof. Raises :class:`NotOfferedError` where the server cannot."""
        self._check_offered("wrap", "make SNARKs of proofs that are there already")
        data = proof.record.encode()
        first, rest = data[: m.PART], data[m.PART :]
        answer = await self._download(m.Wrap(first, kind, milliseconds(deadline), len(rest)), rest, on_progress)
        return self._proof(answer, kind, Expected.same_as(proof.record))

    async def bundle(
        self,
        proofs: Sequence[ProofRecord],
        kind: ProofKind = ProofKind.GROTH16,
        *,
        deadline: float = 0,
        on_progress: OnProgress | None = None,
    ) -> Proof[Bundle]:
        """Asks for one proof that 1 to 64 compressed proofs of one chain hold, and waits for it, as :meth:`prove` does.

        What comes back names just their statements, in their order. Before anything is sent, proofs that do not go together
        are a :class:`BundlingError`, and a server that cannot bundle is a :class:`NotOfferedError`. One that does not hold is
        the server's to find: :class:`ServerError` with `INVALID_PROOF`.
        """
        return await self._bundle(Bundling.bundle(proofs), kind, deadline, on_progress)

    async def submit_bundle(
        self, proofs: Sequence[ProofRecord], kind: ProofKind = ProofKind.GROTH16, *, deadline: float = 0
    ) -> m.Submitted:
        """Asks like :meth:`bundle`, and returns the job's name at once."""
        return await self._submit_bundle(Bundling.bundle(proofs), kind, deadline)

    async def fetch_bundle(
        self,
        job: bytes,
        proofs: Sequence[ProofRecord],
        kind: ProofKind = ProofKind.GROTH16,
        *,
        deadline: float = 0,
        on_progress: OnProgress | None = None,
    ) -> Proof[Bundle]:
        """Waits for a job of :meth:`submit_bundle`, on any connection; it must be the bundle of `proofs`."""
        return await self._fetch_bundle(job, Bundling.bundle(proofs), kind, deadline, on_progress)

    async def chain(
        self,
        changes: Sequence[ProofRecord],
        predecessor: ProofRecord | None = None,
        kind: ProofKind = ProofKind.COMPRESSED,
        *,
        deadline: float = 0,
        on_progress: OnProgress | None = None,
    ) -> Proof[CommitteeChain]:
        """Asks for one proof that leads from an anchor to the newest committee, and waits for it, as :meth:`prove` does.

        `changes` are 1 to 64 compressed proofs of committee changes that follow each other. The first follows `predecessor`,
        the compressed proof of the chain so far; without one a chain begins, at the committee at which that change does. What
        comes back begins at the same anchor, and ends where the last change does. Errors are those of :meth:`bundle`.
        """
        return await self._bundle(Bundling.chain(changes, predecessor), kind, deadline, on_progress)

    async def submit_chain(
        self,
        changes: Sequence[ProofRecord],
        predecessor: ProofRecord | None = None,
        kind: ProofKind = ProofKind.COMPRESSED,
        *,
        deadline: float = 0,
    ) -> m.Submitted:
        """Asks like :meth:`chain`, and returns the job's name at once."""
        return await self._submit_bundle(Bundling.chain(changes, predecessor), kind, deadline)

    async def fetch_chain(
        self,
        job: bytes,
        changes: Sequence[ProofRecord],
        predecessor: ProofRecord | None = None,
        kind: ProofKind = ProofKind.COMPRESSED,
        *,
        deadline: float = 0,
        on_progress: OnProgress | None = None,
    ) -> Proof[CommitteeChain]:
        """Waits for a job of :meth:`submit_chain`, on any connection; it must be the chain of these proofs."""
        return await self._fetch_bundle(job, Bundling.chain(changes, predecessor), kind, deadline, on_progress)

    async def verify(self, record: ProofRecord) -> None:
        """Asks the server whether a proof is true: worth as much as you trust the server.

        Raises :class:`ServerError` with `INVALID_PROOF` where it is not.
        """
        data = record.encode()
        first, rest = data[: m.PART], data[m.PART :]
        await self._ask(m.Verify(first, len(rest)), m.Verified, rest)

    async def _bundle(self, bundling: Bundling, kind: ProofKind, deadline: float, on_progress: OnProgress | None) -> Proof[Any]:
        request, rest = self._bundle_request(m.Bundle, bundling, kind, deadline)
        return self._proof(await self._download(request, rest, on_progress), kind, bundling.expected)

    async def _submit_bundle(self, bundling: Bundling, kind: ProofKind, deadline: float) -> m.Submitted:
        request, rest = self._bundle_request(m.SubmitBundle, bundling, kind, deadline)
        submitted: m.Submitted = await self._ask(request, m.Submitted, rest)
        return submitted

    async def _fetch_bundle(
        self, job: bytes, bundling: Bundling, kind: ProofKind, deadline: float, on_progress: OnProgress | None
    ) -> Proof[Any]:
        answer = await self._download(m.Fetch(job, 0, milliseconds(deadline)), b"", on_progress)
        return self._proof(answer, kind, bundling.expected)

    def _bundle_request(
        self, cls: type[m.Bundle] | type[m.SubmitBundle], bundling: Bundling, kind: ProofKind, deadline: float
    ) -> tuple[m.Bundle | m.SubmitBundle, bytes]:
        """What is sent to a server that knows the request, and the bytes of it that go in parts."""
        program, records = bundling.program, bundling.records
        if program == Program.CHAIN:
            self._check_offered("chain", "extend a chain of committees")
        else:
            self._check_offered("bundle", "bundle proofs")
        first, rest = records[: m.PART], records[m.PART :]
        return cls(first, kind, milliseconds(deadline), pinned.vk_hash(program), len(rest), program), rest

    async def _check_size(self, statement: StatementInput) -> None:
        """What is larger than the server takes is not sent; it is asked once what it takes."""
        limit = (self._limits or (await self.info()).limits).input
        if limit and len(statement.data) > limit:
            raise InputTooLargeError(len(statement.data), limit)


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
