"""Sextant's client: succinct proofs about Ethereum from a proof server, over TCP or TLS."""

from . import nodes, public_values, statements
from .asking import Proof
from .chain import HOODI, MAINNET, NETWORKS, SEPOLIA, Chain
from .client import Client
from .errors import (
    BundlingError,
    ConnectionLostError,
    ErrorCode,
    InputTooLargeError,
    MalformedError,
    NotOfferedError,
    ServerError,
    SextantError,
    StatementError,
    WrongProofError,
)
from .messages import Program, ProofKind, ServerInfo, StatementInput
from .proof import ProofRecord

__all__ = [
    "HOODI",
    "MAINNET",
    "NETWORKS",
    "SEPOLIA",
    "BundlingError",
    "Chain",
    "Client",
    "ConnectionLostError",
    "ErrorCode",
    "InputTooLargeError",
    "MalformedError",
    "NotOfferedError",
    "Program",
    "Proof",
    "ProofKind",
    "ProofRecord",
    "ServerError",
    "ServerInfo",
    "SextantError",
    "StatementError",
    "StatementInput",
    "WrongProofError",
    "nodes",
    "public_values",
    "statements",
]
