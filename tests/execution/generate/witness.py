"""Witnesses: all nodes of a state's tries, by the specification's own way to compute their roots."""

from contextlib import contextmanager

from ethereum.crypto.hash import keccak256
from ethereum_rlp import rlp
from ethereum_types.numeric import Uint

from spec import Fork


@contextmanager
def _recorded(fork: Fork, nodes: list[bytes]):
    """Notes the encoding of each node that is named by its hash."""
    encode = fork.trie.encode_internal_node
    hashed = fork.trie.keccak256

    def hashing(data):
        nodes.append(bytes(data))
        return hashed(data)

    def encoding(node):
        fork.trie.keccak256 = hashing
        try:
            return encode(node)
        finally:
            fork.trie.keccak256 = hashed

    fork.trie.encode_internal_node = encoding
    try:
        yield encoding
    finally:
        fork.trie.encode_internal_node = encode


def _nodes(fork: Fork, trie, storage_root=None) -> list[bytes]:
    if not trie._data:
        return []
    prepared = fork.trie._prepare_trie(trie, storage_root)
    nodes: list[bytes] = []
    with _recorded(fork, nodes) as encode:
        root = encode(fork.trie.patricialize(prepared, Uint(0)))
    if not isinstance(root, bytes):
        # A root is a node of its own, however short.
        nodes.append(bytes(rlp.encode(root)))
    assert keccak256(nodes[-1]) == fork.trie.root(trie, storage_root)
    return nodes


def state_nodes(fork: Fork, state) -> list[bytes]:
    """Each node once, in order of the hashes."""

    def storage_root(address):
        return fork.state.storage_root(state, address)

    nodes = _nodes(fork, state._main_trie, storage_root)
    for trie in state._storage_tries.values():
        nodes += _nodes(fork, trie)
    return sorted(set(nodes), key=keccak256)


def codes(state) -> list[bytes]:
    """Each code once, in order of the hashes."""
    found = {bytes(account.code) for account in state._main_trie._data.values() if account.code}
    return sorted(found, key=keccak256)
