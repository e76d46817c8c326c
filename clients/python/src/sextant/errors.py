"""What may go wrong, one class a kind."""

from __future__ import annotations

import enum


class ErrorCode(enum.IntEnum):
    """Why a server refuses, by the number on the wire (docs/protocol.md, "Errors")."""

    VERSION = 0
    MALFORMED = 1
    TOO_LARGE = 2
    UNSUPPORTED = 3
    INVALID_STATEMENT = 4
    INVALID_PROOF = 5
    BUSY = 6
    DEADLINE_EXCEEDED = 7
    CANCELLED = 8
    PROVER_FAILED = 9
    SHUTTING_DOWN = 10
    DUPLICATE_REQUEST = 11
    UNAUTHORIZED = 12
    INTERNAL = 13
    UNKNOWN_JOB = 14


class SextantError(Exception):
    """Everything that this package raises by itself."""


class MalformedError(SextantError):
    """Bytes that are not what they should be: a message, a proof file, public values, a node's answer."""


class ConnectionLostError(SextantError):
    """The connection is not there any more; `submit` and `fetch` outlive that."""


class ServerError(SextantError):
    """The server's own answer to a request that it does not fulfil.

    `code` is an :class:`ErrorCode`, or a plain number that this version does not know. `retry_after` is in seconds; 0 means
    that asking again changes nothing.
    """

    def __init__(self, code: int, message: str, retry_after: float) -> None:
        super().__init__(f"{code.name if isinstance(code, ErrorCode) else f'error {code}'}: {message}")
        self.code = code
        self.message = message
        self.retry_after = retry_after


class InputTooLargeError(SextantError):
    """A statement's input is larger than the server takes; nothing was sent. `got` and `limit` are bytes."""

    def __init__(self, got: int, limit: int) -> None:
        super().__init__(f"the input of this statement has {got} bytes, this server takes {limit} at most")
        self.got = got
        self.limit = limit


class NotOfferedError(SextantError):
    """The server does not know how to do what is asked; nothing was sent.

    `capability` is the name that it would have to list (docs/protocol.md, section 3).
    """

    def __init__(self, capability: str, what: str) -> None:
        super().__init__(f"this server does not know how to {what}")
        self.capability = capability


class BundlingError(SextantError):
    """Proofs that do not become one: nothing was sent.

    `index` says which of them is at fault, from 0; `None` where it is not one of them alone, or the chain that is extended.
    """

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message if index is None else f"proof {index}: {message}")
        self.index = index


class WrongProofError(SextantError):
    """The server's proof is about something else than what was asked for, or by another program than the pinned one."""


class StatementError(SextantError):
    """No statement can be made of what a node has answered."""
