"""The programs whose proofs this version takes, by the hashes of their verifying keys (artifacts/manifest.json)."""

from .errors import WrongProofError
from .messages import Program, ProofKind

VK_HASHES = {
    Program.COMMITTEE_CHANGE: bytes.fromhex("00aad550bd6344dc93eff15cbfd7831b81b0c14e7e3c7d0eb9413119cc7b7707"),
    Program.INCLUSION: bytes.fromhex("0039e655a2b617a0ffbec0beb1b137335b4d7bbb341d4c76ee9f82fdf4156ee7"),
    Program.BUNDLE: bytes.fromhex("008b033474612aa864c570adabdbc899f50148ed0d9a32ac91cc7053b1ffead6"),
    Program.CHAIN: bytes.fromhex("002d74596086a5eeba47b472d9f5174bbd96a46a7b365bbd02f5cc0052efd0d1"),
}


def vk_hash(program: int, kind: ProofKind | None = None) -> bytes:
    """The pinned hash of the verifying key that a proof is by, 32 bytes: the program's own, or of a place in a bundle that of the
    bundle program."""
    try:
        return VK_HASHES[Program.BUNDLE if kind == ProofKind.BUNDLED else Program(program)]
    except ValueError:
        raise WrongProofError(f"program {program} is not known to this version") from None
