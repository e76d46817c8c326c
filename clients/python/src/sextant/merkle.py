"""SHA-256 Merkle trees, as SSZ makes them (ssz/simple-serialize.md and ssz/merkle-proofs.md of the specification)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

ZERO = bytes(32)


def hash_pair(left: bytes, right: bytes) -> bytes:
    """The node above two."""
    return hashlib.sha256(left + right).digest()


def padded(leaves: Sequence[bytes]) -> list[bytes]:
    """Filled up with zeros to a power of two."""
    size = 1 << max(0, len(leaves) - 1).bit_length()
    return [*leaves, *[ZERO] * (size - len(leaves))]


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Every level of the tree over a power of two of leaves, the lowest first."""
    found = [list(leaves)]
    while len(found[-1]) > 1:
        below = found[-1]
        found.append([hash_pair(below[i], below[i + 1]) for i in range(0, len(below), 2)])
    return found


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Root over `leaves`, filled up with zeros: `hash_tree_root` of a container of these fields."""
    return levels(padded(leaves))[-1][0]


def branch(leaves: Sequence[bytes], position: int) -> list[bytes]:
    """The siblings from a leaf up to the root, of a power of two of leaves."""
    return [level[(position >> height) ^ 1] for height, level in enumerate(levels(leaves)[:-1])]


def branch_root(leaf: bytes, siblings: Sequence[bytes], gindex: int) -> bytes:
    """Where a branch leads from the leaf at a generalized index."""
    for height, sibling in enumerate(siblings):
        leaf = hash_pair(sibling, leaf) if gindex >> height & 1 else hash_pair(leaf, sibling)
    return leaf


def multiproof(leaves: Sequence[bytes], positions: Sequence[int]) -> list[bytes]:
    """What is needed besides the leaves at `positions` (ascending) to compute the root, from left to right, of a power of two
    of leaves."""
    if not positions:
        return [merkle_root(leaves)]
    if len(leaves) == 1:
        return []
    half = len(leaves) // 2
    left = [position for position in positions if position < half]
    right = [position - half for position in positions if position >= half]
    return multiproof(leaves[:half], left) + multiproof(leaves[half:], right)


def uint64_root(value: int) -> bytes:
    """`hash_tree_root` of a `uint64`."""
    return value.to_bytes(32, "little")
