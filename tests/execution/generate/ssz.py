"""`StatelessInput` and what a proof of it says, by remerkleable (consensus-specs' SSZ).

Containers of deneb/beacon-chain.md, electra/beacon-chain.md and execution-specs' `stateless_ssz.py` (tests-zkevm v0.8).
"""

from ethereum.crypto.hash import keccak256
from ethereum_rlp import rlp
from remerkleable.basic import boolean, uint16, uint64, uint256
from remerkleable.byte_arrays import ByteList, Bytes32, Bytes48, Bytes96, ByteVector
from remerkleable.complex import Container, List

REVISION = 1

Bytes20 = ByteVector[20]
Bytes65 = ByteVector[65]
Bytes256 = ByteVector[256]


class Withdrawal(Container):
    index: uint64
    validator_index: uint64
    address: Bytes20
    amount: uint64


class ExecutionPayload(Container):
    parent_hash: Bytes32
    fee_recipient: Bytes20
    state_root: Bytes32
    receipts_root: Bytes32
    logs_bloom: Bytes256
    prev_randao: Bytes32
    block_number: uint64
    gas_limit: uint64
    gas_used: uint64
    timestamp: uint64
    extra_data: ByteList[32]
    base_fee_per_gas: uint256
    block_hash: Bytes32
    transactions: List[ByteList[2**30], 2**20]
    withdrawals: List[Withdrawal, 16]
    blob_gas_used: uint64
    excess_blob_gas: uint64


class DepositRequest(Container):
    pubkey: Bytes48
    withdrawal_credentials: Bytes32
    amount: uint64
    signature: Bytes96
    index: uint64


class WithdrawalRequest(Container):
    source_address: Bytes20
    validator_pubkey: Bytes48
    amount: uint64


class ConsolidationRequest(Container):
    source_address: Bytes20
    source_pubkey: Bytes48
    target_pubkey: Bytes48


class ExecutionRequests(Container):
    deposits: List[DepositRequest, 2**13]
    withdrawals: List[WithdrawalRequest, 16]
    consolidations: List[ConsolidationRequest, 2]


class NewPayloadRequest(Container):
    execution_payload: ExecutionPayload
    versioned_hashes: List[Bytes32, 2**12]
    parent_beacon_block_root: Bytes32
    execution_requests: ExecutionRequests


class ExecutionWitness(Container):
    state: List[ByteList[2**10], 2**22]
    codes: List[ByteList[2**16], 2**18]
    headers: List[ByteList[2**10], 256]


class StatelessInput(Container):
    new_payload_request: NewPayloadRequest
    witness: ExecutionWitness
    chain_id: uint64
    public_keys: List[Bytes65, 2**15]


class StatelessValidationResult(Container):
    new_payload_request_root: Bytes32
    successful_validation: boolean
    chain_id: uint64
    schema_id: uint16


def execution_requests(lists: list[bytes]) -> ExecutionRequests:
    """From EIP-7685's lists, each with its type in front."""
    by_kind = {0: b"", 1: b"", 2: b""} | {item[0]: bytes(item[1:]) for item in lists}
    requests = ExecutionRequests.decode_bytes(
        b"".join(
            offset.to_bytes(4, "little")
            for offset in (12, 12 + len(by_kind[0]), 12 + len(by_kind[0]) + len(by_kind[1]))
        )
        + by_kind[0]
        + by_kind[1]
        + by_kind[2]
    )
    return requests


def new_payload_request(header, transactions, withdrawals, requests, versioned_hashes) -> NewPayloadRequest:
    payload = ExecutionPayload(
        parent_hash=header.parent_hash,
        fee_recipient=header.coinbase,
        state_root=header.state_root,
        receipts_root=header.receipt_root,
        logs_bloom=header.bloom,
        prev_randao=header.prev_randao,
        block_number=int(header.number),
        gas_limit=int(header.gas_limit),
        gas_used=int(header.gas_used),
        timestamp=int(header.timestamp),
        extra_data=header.extra_data,
        base_fee_per_gas=int(header.base_fee_per_gas),
        block_hash=keccak256(rlp.encode(header)),
        transactions=[tx if isinstance(tx, bytes) else bytes(rlp.encode(tx)) for tx in transactions],
        withdrawals=[
            Withdrawal(
                index=int(w.index),
                validator_index=int(w.validator_index),
                address=w.address,
                amount=int(w.amount),
            )
            for w in withdrawals
        ],
        blob_gas_used=int(header.blob_gas_used),
        excess_blob_gas=int(header.excess_blob_gas),
    )
    return NewPayloadRequest(
        execution_payload=payload,
        versioned_hashes=versioned_hashes,
        parent_beacon_block_root=header.parent_beacon_block_root,
        execution_requests=execution_requests(requests),
    )


def schema(index: int) -> int:
    return index << 8 | REVISION


def stateless_input(index: int, request, nodes, codes, headers, chain_id: int) -> bytes:
    witness = ExecutionWitness(state=nodes, codes=codes, headers=headers)
    ssz = StatelessInput(new_payload_request=request, witness=witness, chain_id=chain_id, public_keys=[])
    return schema(index).to_bytes(2, "big") + ssz.encode_bytes()


def output(index: int, request, chain_id: int) -> bytes:
    result = StatelessValidationResult(
        new_payload_request_root=request.hash_tree_root(),
        successful_validation=True,
        chain_id=chain_id,
        schema_id=schema(index),
    )
    return result.encode_bytes()
