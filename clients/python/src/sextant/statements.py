"""Statement inputs from what nodes answer: beacon API and `eth_getProof` (EIP-1186) objects, as JSON has them.

Shapes are checked as far as building needs them. Whether a statement is true is checked by the server before it proves it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from .chain import Chain, Fork
from .errors import StatementError
from .flat import encode
from .inputs import (
    AccountProof,
    BeaconBlockHeader,
    CommitteeChangeInput,
    CommitteeOpening,
    ExecutionFacts,
    Handover,
    InclusionInput,
    SignedFinality,
    SlotProof,
)
from .merkle import branch_root, hash_pair, merkle_root, multiproof, padded, uint64_root
from .messages import Program, StatementInput

Json = Mapping[str, Any]

# Positions of state_root, block_number and block_hash in ExecutionPayloadHeader.
FACT_FIELDS = [2, 6, 12]
# Depths of generalized indices: execution_payload in BeaconBlockBody, and the block hash since Gloas.
PAYLOAD_DEPTH, GLOAS_HASH_DEPTH = 4, 11


def committee_change(chain: Chain, bootstrap: Json, updates: Sequence[Json], checkpoint: str | None = None) -> StatementInput:
    """Consecutive handovers, one an update, from the bootstrap's committee; the first is of the bootstrap's period.

    With a `checkpoint`, the bootstrap must be of that beacon block root. Raises :class:`StatementError`.
    """
    with _Naming("bootstrap or updates"):
        if not updates:
            raise StatementError("no update given: at least one is needed")
        committee = _trusted(chain, bootstrap, checkpoint)
        last = updates[-1]["finalized_header"]
        asked = CommitteeChangeInput(
            chain,
            chain.period(int(updates[0]["signature_slot"])),
            _committee_root(committee),
            _handovers(chain, committee, updates),
            _execution_facts(chain, last),
        )
    return StatementInput(Program.COMMITTEE_CHANGE, encode(asked))


def inclusion(
    chain: Chain,
    bootstrap: Json,
    finality_update: Json,
    accounts: Sequence[Json],
    updates: Sequence[Json] = (),
    checkpoint: str | None = None,
) -> StatementInput:
    """Accounts and slots, as `eth_getProof` answered for the finality update's finalized execution block.

    `updates` lead from the bootstrap's committee to the one that signed, one a period. With a `checkpoint`, the bootstrap
    must be of that beacon block root. Raises :class:`StatementError`.
    """
    with _Naming("bootstrap, updates or account proofs"):
        committee = _trusted(chain, bootstrap, checkpoint)
        signers = updates[-1]["next_sync_committee"] if updates else committee
        if "execution_block_hash" in finality_update["finalized_header"]:
            raise StatementError("since Gloas an inclusion needs the execution block's header, which this cannot check yet")
        pool = _NodePool()
        proofs = sorted((pool.account(account) for account in accounts), key=lambda one: one.address)
        _unique([one.address for one in proofs], "account")
        asked = InclusionInput(
            chain,
            _committee_root(committee),
            _signed(chain, signers, finality_update),
            _execution_facts(chain, finality_update["finalized_header"]),
            pool.nodes,
            proofs,
            _handovers(chain, committee, updates),
        )
    return StatementInput(Program.INCLUSION, encode(asked))


class _Naming:
    """Turns what Python says about a node's wrong JSON into a :class:`StatementError`."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, KeyError | TypeError | ValueError | AttributeError | OverflowError | IndexError):
            raise StatementError(f"{self.what}: {type(error).__name__}: {error}") from error


def hex_bytes(text: str, size: int | None = None) -> bytes:
    """Bytes of `0x` and hex digits; exactly `size` of them, if given."""
    if not text.startswith("0x"):
        raise StatementError(f"{text[:20]!r} does not begin with 0x")
    data = bytes.fromhex(text[2:])
    if size is not None and len(data) != size:
        raise StatementError(f"{size} bytes are due, here are {len(data)}: {text[:20]}...")
    return data


def header(beacon: Json) -> BeaconBlockHeader:
    """A beacon API header."""
    roots = [hex_bytes(beacon[name], 32) for name in ("parent_root", "state_root", "body_root")]
    return BeaconBlockHeader(int(beacon["slot"]), int(beacon["proposer_index"]), *roots)


def _hashes(texts: Sequence[str]) -> list[bytes]:
    return [hex_bytes(text, 32) for text in texts]


def _unique(names: Sequence[bytes], what: str) -> None:
    for name, following in itertools.pairwise(names):
        if name == following:
            raise StatementError(f"{what} 0x{name.hex()} is asked for twice")


# --- committees and signatures --------------------------------------------------------------------------------------


def _key_root(key: bytes) -> bytes:
    return hash_pair(key[:32], key[32:] + bytes(16))


def _committee_root(committee: Json) -> bytes:
    keys = [_key_root(hex_bytes(key, 48)) for key in committee["pubkeys"]]
    return hash_pair(merkle_root(keys), _key_root(hex_bytes(committee["aggregate_pubkey"], 48)))


def _trusted(chain: Chain, bootstrap: Json, checkpoint: str | None) -> Json:
    """The bootstrap's committee, which its header's state must hold."""
    trusted = header(bootstrap["header"]["beacon"])
    if checkpoint is not None and trusted.root != hex_bytes(checkpoint, 32):
        raise StatementError(f"the bootstrap is of block 0x{trusted.root.hex()}, not of the checkpoint {checkpoint}")
    committee: Json = bootstrap["current_sync_committee"]
    gindex = chain.fork_at(trusted.slot).current_sync_committee_gindex
    siblings = _hashes(bootstrap["current_sync_committee_branch"])
    if (
        len(siblings) != gindex.bit_length() - 1
        or branch_root(_committee_root(committee), siblings, gindex) != trusted.state_root
    ):
        raise StatementError("the bootstrap's committee is not in its header's state")
    return committee


def _signed(chain: Chain, committee: Json, update: Json) -> SignedFinality:
    keys = [hex_bytes(key, 48) for key in committee["pubkeys"]]
    if len(keys) != chain.committee_size:
        raise StatementError(f"the sync committee has {len(keys)} keys, the chain's have {chain.committee_size}")
    aggregate = update["sync_aggregate"]
    bits = hex_bytes(aggregate["sync_committee_bits"], chain.committee_size // 8)
    absent = [seat for seat in range(len(keys)) if not bits[seat // 8] >> (seat % 8) & 1]
    return SignedFinality(
        header(update["attested_header"]["beacon"]),
        header(update["finalized_header"]["beacon"]),
        _hashes(update["finality_branch"]),
        int(update["signature_slot"]),
        bits,
        hex_bytes(aggregate["sync_committee_signature"], 96),
        CommitteeOpening(
            hex_bytes(committee["aggregate_pubkey"], 48),
            [keys[seat] for seat in absent],
            multiproof([_key_root(key) for key in keys], absent),
        ),
    )


def _handovers(chain: Chain, committee: Json, updates: Sequence[Json]) -> list[Handover]:
    handovers = []
    for update in updates:
        following = update["next_sync_committee"]
        branch = _hashes(update["next_sync_committee_branch"])
        handovers.append(Handover(_signed(chain, committee, update), _committee_root(following), branch))
        committee = following
    return handovers


# --- execution facts ------------------------------------------------------------------------------------------------


def _payload_fields(execution: Json, fork: Fork) -> list[bytes]:
    """Roots of `ExecutionPayloadHeader`'s fields, filled up to a power of two."""

    def number(name: str) -> bytes:
        return uint64_root(int(execution[name]))

    def root(name: str) -> bytes:
        return hex_bytes(execution[name], 32)

    bloom, extra = hex_bytes(execution["logs_bloom"], 256), hex_bytes(execution["extra_data"])
    if len(extra) > 32:
        raise StatementError("extra_data of more than 32 bytes")
    fields = [
        root("parent_hash"),
        hex_bytes(execution["fee_recipient"], 20) + bytes(12),
        root("state_root"),
        root("receipts_root"),
        merkle_root([bloom[i : i + 32] for i in range(0, 256, 32)]),
        root("prev_randao"),
        number("block_number"),
        number("gas_limit"),
        number("gas_used"),
        number("timestamp"),
        hash_pair(extra.ljust(32, b"\0"), uint64_root(len(extra))),
        int(execution["base_fee_per_gas"]).to_bytes(32, "little"),
        root("block_hash"),
        root("transactions_root"),
        root("withdrawals_root"),
    ]
    if fork >= Fork.DENEB:
        fields += [number("blob_gas_used"), number("excess_blob_gas")]
    return padded(fields)


def _execution_facts(chain: Chain, light_header: Json) -> ExecutionFacts:
    """Three facts with their multiproof; since Gloas the block hash alone; before Capella nothing."""
    fork = chain.fork_at(int(light_header["beacon"]["slot"]))
    if fork < Fork.CAPELLA:
        return ExecutionFacts()
    branch = _hashes(light_header["execution_branch"])
    if "execution_block_hash" in light_header:
        depth = {Fork.CAPELLA: 8, Fork.GLOAS: GLOAS_HASH_DEPTH}.get(fork, 9)
        if len(branch) < depth:
            raise StatementError(f"execution_branch has {len(branch)} hashes, {depth} are due")
        # A header of an earlier fork in Gloas' form has zeros in front of its branch.
        surplus = len(branch) - depth
        return ExecutionFacts(block_hash=hex_bytes(light_header["execution_block_hash"], 32), proof=branch[surplus:])
    if len(branch) != PAYLOAD_DEPTH:
        raise StatementError(f"execution_branch has {len(branch)} hashes, {PAYLOAD_DEPTH} are due")
    execution = light_header["execution"]
    # The payload is position 9 of 16 in the body, 0b1001. From left to right the siblings on its left come first, the
    # outermost before the others, then the payload, then those on its right.
    lowest, second, third, top = branch
    inner = multiproof(_payload_fields(execution, fork), FACT_FIELDS)
    return ExecutionFacts(
        int(execution["block_number"]),
        hex_bytes(execution["block_hash"], 32),
        hex_bytes(execution["state_root"], 32),
        [top, lowest, *inner, second, third],
    )


# --- accounts -------------------------------------------------------------------------------------------------------


class _NodePool:
    """Trie nodes, each once."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self._positions: dict[bytes, int] = {}

    def account(self, proof: Json) -> AccountProof:
        slots = [SlotProof(_slot_key(slot["key"]), self._path(slot["proof"])) for slot in proof["storageProof"]]
        slots.sort(key=lambda slot: slot.key)
        _unique([slot.key for slot in slots], "slot")
        return AccountProof(hex_bytes(proof["address"], 20), self._path(proof["accountProof"]), slots)

    def _path(self, nodes: Sequence[str]) -> list[int]:
        # Some nodes prove an empty trie by the empty string's RLP; its root already says so. And trie nodes of less than
        # 32 bytes stand inside their parent, though some servers list them again.
        whole = [hex_bytes(node) for node in nodes]
        own = [node for depth, node in enumerate(whole) if len(node) >= 32 or (depth == 0 and node != b"\x80")]
        return [self._position(node) for node in own]

    def _position(self, node: bytes) -> int:
        if node not in self._positions:
            self._positions[node] = len(self.nodes)
            self.nodes.append(node)
        return self._positions[node]


def _slot_key(text: str) -> bytes:
    """A slot's key: nodes answer with all 32 bytes, or as a number without leading zeros."""
    digits = text.removeprefix("0x")
    return bytes.fromhex(digits.rjust(64, "0")) if len(digits) <= 64 else hex_bytes(text, 32)
