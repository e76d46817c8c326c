"""Every message of the protocol: sections 3 to 6 of docs/protocol.md, in that page's words."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar

from .errors import ErrorCode, MalformedError
from .wire import BOOL, BYTES, HASH, TEXT, U32, U64, Array, Items, Reader, Record, Records, Tagged, field

VERSION = 3
MAX_HANDSHAKE_FRAME = 4_096
MAX_FRAME = 320 << 10
PART = 256 << 10
MAX_RECORD = 256 << 20


class Program(enum.IntEnum):
    """Which statement a proof is of."""

    COMMITTEE_CHANGE = 1
    INCLUSION = 2
    BUNDLE = 3
    CHAIN = 4


class ProofKind(enum.IntEnum):
    """Form of a proof: made fastest, one small size, for contracts, or for contracts as a place in a bundle of many."""

    STARK = 0
    COMPRESSED = 1
    GROTH16 = 2
    PLONK = 3
    BUNDLED = 4


class _Known:
    """A number of an enumeration; one of a later version reads as `None`, or as the number."""

    def __init__(self, cls: type[enum.IntEnum], keep: bool = False) -> None:
        self.cls, self.keep = cls, keep

    def write(self, value: int) -> bytes:
        return U32.write(value)

    def read(self, reader: Reader) -> int | None:
        number = U32.read(reader)
        try:
            return self.cls(number)
        except ValueError:
            return number if self.keep else None


KIND = _Known(ProofKind)
KINDS: Items[ProofKind] = Items(KIND)


@dataclass
class StatementInput:
    """A statement and its evidence, in the bytes that the guest program reads."""

    program: int = field(1, U32)
    data: bytes = field(2, BYTES)

    def digest(self) -> bytes:
        """The input digest, 32 bytes: SHA-256 of program tag and bytes."""
        return hashlib.sha256(U32.write(self.program) + self.data).digest()


# --- what a client asks ---------------------------------------------------------------------------------------------


@dataclass
class Ping:
    TAG: ClassVar[int] = 0


@dataclass
class Info:
    TAG: ClassVar[int] = 1


@dataclass
class _ProveFields:
    input: StatementInput = field(1, Record(StatementInput))
    kind: ProofKind = field(2, KIND)
    deadline_ms: int = field(3, U64, default=0)
    vk_hash: bytes | None = field(4, HASH, default=None)
    more: int = field(5, U64, default=0)


@dataclass
class Prove(_ProveFields):
    TAG: ClassVar[int] = 2


@dataclass
class Verify:
    TAG: ClassVar[int] = 3
    record: bytes = field(1, BYTES)
    more: int = field(2, U64, default=0)


@dataclass
class Submit(_ProveFields):
    TAG: ClassVar[int] = 4


@dataclass
class Fetch:
    TAG: ClassVar[int] = 5
    job: bytes = field(1, HASH)
    offset: int = field(2, U64, default=0)
    deadline_ms: int = field(3, U64, default=0)


@dataclass
class Withdraw:
    TAG: ClassVar[int] = 6
    job: bytes = field(1, HASH)


@dataclass
class _WrapFields:
    record: bytes = field(1, BYTES)
    kind: ProofKind = field(2, KIND)
    deadline_ms: int = field(3, U64, default=0)
    more: int = field(4, U64, default=0)


@dataclass
class Wrap(_WrapFields):
    TAG: ClassVar[int] = 7


@dataclass
class SubmitWrap(_WrapFields):
    TAG: ClassVar[int] = 8


@dataclass
class _BundleFields:
    records: bytes = field(1, BYTES)
    kind: ProofKind = field(2, KIND)
    deadline_ms: int = field(3, U64, default=0)
    vk_hash: bytes | None = field(4, HASH, default=None)
    more: int = field(5, U64, default=0)
    program: int = field(6, U32, default=Program.BUNDLE)


@dataclass
class Bundle(_BundleFields):
    TAG: ClassVar[int] = 9


@dataclass
class SubmitBundle(_BundleFields):
    TAG: ClassVar[int] = 10


REQUEST = Tagged(Ping, Info, Prove, Verify, Submit, Fetch, Withdraw, Wrap, SubmitWrap, Bundle, SubmitBundle)


@dataclass
class Hello:
    TAG: ClassVar[int] = 0
    magic: bytes = field(1, Array(8), default=b"SEXTANT\0")
    oldest: int = field(2, U32, default=VERSION)
    newest: int = field(3, U32, default=VERSION)
    agent: str = field(4, TEXT, default="")
    capabilities: list[str] = field(5, Items(TEXT), default_factory=list)


@dataclass
class Introduction:
    TAG: ClassVar[int] = 1
    token: str = field(1, TEXT, default="", repr=False)
    hops: int = field(2, U32, default=0)
    on_behalf: str = field(3, TEXT, default="")


@dataclass
class Request:
    TAG: ClassVar[int] = 2
    id: int = field(1, U64)
    request: object = field(2, REQUEST)


@dataclass
class ClientPart:
    TAG: ClassVar[int] = 3
    id: int = field(1, U64)
    offset: int = field(2, U64)
    data: bytes = field(3, BYTES)


@dataclass
class Cancel:
    TAG: ClassVar[int] = 4
    id: int = field(1, U64)


CLIENT = Tagged(Hello, Introduction, Request, ClientPart, Cancel)


# --- what a server answers ------------------------------------------------------------------------------------------


@dataclass
class Checking:
    """The statement is checked natively."""

    TAG: ClassVar[int] = 0


@dataclass
class Queued:
    """So many wait before it; 0 is next."""

    TAG: ClassVar[int] = 1
    position: int = field(1, U32, default=0)


@dataclass
class Preparing:
    """A worker gets ready."""

    TAG: ClassVar[int] = 2


@dataclass
class Executing:
    """The program runs; `cycles` so far."""

    TAG: ClassVar[int] = 3
    cycles: int = field(1, U64, default=0)


@dataclass
class Proving:
    """Shards proven, of those known."""

    TAG: ClassVar[int] = 4
    done: int = field(1, U32, default=0)
    total: int = field(2, U32, default=0)


@dataclass
class Compressing:
    """Recursion proofs made."""

    TAG: ClassVar[int] = 5
    done: int = field(1, U32, default=0)


@dataclass
class Verifying:
    """The server verifies what it has made."""

    TAG: ClassVar[int] = 6


@dataclass
class Done:
    """The answer follows."""

    TAG: ClassVar[int] = 7


@dataclass
class Shrinking:
    """A SNARK's second stage."""

    TAG: ClassVar[int] = 8


@dataclass
class Wrapping:
    """A SNARK's third stage."""

    TAG: ClassVar[int] = 9


@dataclass
class Snark:
    """A SNARK's last stage."""

    TAG: ClassVar[int] = 10


@dataclass
class Bundling:
    """Proofs of a bundle verified, of those in it."""

    TAG: ClassVar[int] = 11
    done: int = field(1, U32, default=0)
    total: int = field(2, U32, default=0)


@dataclass
class Gathering:
    """Proofs made for a bundle, of the statements that go into it so far, and for how many milliseconds others may come."""

    TAG: ClassVar[int] = 12
    done: int = field(1, U32, default=0)
    total: int = field(2, U32, default=0)
    wait_ms: int = field(3, U64, default=0)


PROGRESS = Tagged(
    Checking,
    Queued,
    Preparing,
    Executing,
    Proving,
    Compressing,
    Verifying,
    Done,
    Shrinking,
    Wrapping,
    Snark,
    Bundling,
    Gathering,
)
Progress = (
    Checking
    | Queued
    | Preparing
    | Executing
    | Proving
    | Compressing
    | Verifying
    | Done
    | Shrinking
    | Wrapping
    | Snark
    | Bundling
    | Gathering
)


@dataclass
class ServerFailure:
    """`ServerError` on the wire."""

    code: int = field(1, _Known(ErrorCode, keep=True))
    message: str = field(2, TEXT, default="")
    retry_after_ms: int = field(3, U64, default=0)


@dataclass
class ProvingCost:
    """What a proof took: cycles, milliseconds in the queue and at work, the worker's peak memory in bytes."""

    cycles: int = field(1, U64, default=0)
    queued_ms: int = field(2, U64, default=0)
    proving_ms: int = field(3, U64, default=0)
    peak_memory: int = field(4, U64, default=0)


@dataclass
class ProgramInfo:
    """One program of a server, with its queue."""

    program: int = field(1, U32)
    vk_hash: bytes = field(2, HASH)
    elf_sha256: bytes = field(3, HASH, default=bytes(32))
    queued: int = field(4, U32, default=0)
    queue_capacity: int = field(5, U32, default=0)
    running: int = field(6, U32, default=0)
    kinds: list[ProofKind] = field(7, KINDS, default_factory=list)
    ready: bool = field(8, BOOL, default=True)


@dataclass
class ServerLimits:
    """Bytes of an input and of a record, open requests, and milliseconds; 0: not said."""

    input: int = field(1, U64, default=0)
    record: int = field(2, U64, default=0)
    requests: int = field(3, U32, default=0)
    deadline_ms: int = field(4, U64, default=0)


@dataclass
class Pong:
    TAG: ClassVar[int] = 0


@dataclass
class ServerInfo:
    """What a server says about itself."""

    TAG: ClassVar[int] = 1
    agent: str = field(1, TEXT, default="")
    circuit_version: str = field(2, TEXT, default="")
    programs: list[ProgramInfo] = field(3, Records(ProgramInfo), default_factory=list)
    kinds: list[ProofKind] = field(4, KINDS, default_factory=list)
    ready: bool = field(5, BOOL, default=True)
    reason: str = field(6, TEXT, default="")
    networks: list[str] = field(7, Items(TEXT), default_factory=list)
    oldest_version: int = field(8, U32, default=3)
    newest_version: int = field(9, U32, default=3)
    limits: ServerLimits = field(10, Record(ServerLimits), default_factory=ServerLimits)
    uptime_s: int = field(11, U64, default=0)


@dataclass
class Verified:
    TAG: ClassVar[int] = 2


@dataclass
class ProofAnswer:
    """A proof's record, or its beginning."""

    TAG: ClassVar[int] = 3
    input_digest: bytes = field(1, HASH)
    sha256: bytes = field(4, HASH)
    record: bytes = field(6, BYTES)
    cost: ProvingCost = field(2, Record(ProvingCost), default_factory=ProvingCost)
    job: bytes = field(3, HASH, default=bytes(32))
    offset: int = field(5, U64, default=0)
    more: int = field(7, U64, default=0)


@dataclass
class Submitted:
    """A job was taken on: its name, and how long (seconds) it is known why it failed."""

    TAG: ClassVar[int] = 4
    job: bytes = field(1, HASH)
    kept_s: int = field(2, U64, default=0)


@dataclass
class Withdrawn:
    TAG: ClassVar[int] = 5


RESPONSE = Tagged(Pong, ServerInfo, Verified, ProofAnswer, Submitted, Withdrawn)


class _Result:
    """A byte, 0 and a response, or 1 and an error."""

    failure = Record(ServerFailure)

    def write(self, value: object) -> bytes:
        return b"\1" + self.failure.write(value) if isinstance(value, ServerFailure) else b"\0" + RESPONSE.write(value)

    def read(self, reader: Reader) -> object:
        which = reader.integer(1)
        if which > 1:
            raise MalformedError(f"a result that is neither success nor error: {which}")
        return self.failure.read(reader) if which else RESPONSE.read(reader)


@dataclass
class Welcome:
    TAG: ClassVar[int] = 0
    version: int = field(1, U32)
    agent: str = field(2, TEXT, default="")
    capabilities: list[str] = field(3, Items(TEXT), default_factory=list)


@dataclass
class Refused(ServerFailure):
    TAG: ClassVar[int] = 1


@dataclass
class ServerProgress:
    TAG: ClassVar[int] = 2
    id: int = field(1, U64)
    progress: Progress | None = field(2, PROGRESS)


@dataclass
class Answer:
    TAG: ClassVar[int] = 3
    id: int = field(1, U64)
    result: object = field(2, _Result())


@dataclass
class ServerPart:
    TAG: ClassVar[int] = 4
    id: int = field(1, U64)
    offset: int = field(2, U64)
    data: bytes = field(3, BYTES)


SERVER = Tagged(Welcome, Refused, ServerProgress, Answer, ServerPart)


def decode(side: Tagged, body: bytes) -> Any:
    """The message in a frame's body; `None` for one of a later version."""
    if not body:
        raise MalformedError("an empty message")
    return side.read(Reader(body))
