"""Blocks on a small state: made by the specification, and judged by it."""

import hashlib
from dataclasses import dataclass, replace

from coincurve import PrivateKey
from ethereum.crypto.hash import keccak256
from ethereum.exceptions import EthereumException
from ethereum_rlp import rlp
from ethereum_rlp.exceptions import DecodingError
from ethereum_types.bytes import Bytes, Bytes0, Bytes8, Bytes32, Bytes256
from ethereum_types.numeric import U8, U64, U256, Uint

import ssz
import system
import witness
from spec import Fork, all_of

# No chain that anybody follows.
CHAIN_ID = 202_505_071_203
PARENT_NUMBER = 20_000
PARENT_TIME = 1_700_000_000
COINBASE = bytes.fromhex("c01dba5e00000000000000000000000000000000")
ETHER = 10**18
HALF_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 // 2


@dataclass
class Vector:
    """An input with the output that is due; none where it is to be refused, and then for what."""

    name: str
    input: bytes
    output: bytes | None
    reason: str | None


class Key:
    """An account that signs."""

    def __init__(self, number: int):
        self.secret = PrivateKey(hashlib.sha256(b"sextant execution vectors %d" % number).digest())
        public = self.secret.public_key.format(compressed=False)[1:]
        self.address = keccak256(public)[12:]

    def sign(self, digest: bytes) -> tuple[int, int, int]:
        signature = self.secret.sign_recoverable(digest, hasher=None)
        return signature[64], int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")


SENDER = Key(0)


class Case:
    """A state, and a block on it."""

    def __init__(self, fork: Fork, name: str):
        self.fork = fork
        self.name = f"{fork.name}_{name}"
        self.accounts: dict[bytes, dict] = {}
        for address, code in system.CODES.items():
            self.account(address, code=code, nonce=1)
        self.account(SENDER.address, balance=10**6 * ETHER)
        self.transactions: list = []
        self.nonces: dict[bytes, int] = {}
        self.withdrawals: list = []
        self.ancestors = 1
        self.parent = {
            "gas_limit": Uint(60_000_000),
            # As much as leaves the base fee where it is.
            "gas_used": Uint(30_000_000),
            "base_fee_per_gas": Uint(1000),
            "blob_gas_used": U64(0),
            "excess_blob_gas": U64(0),
        }

    def account(self, address: bytes, balance=0, nonce=0, code=b"", storage=None) -> bytes:
        self.accounts[bytes(address)] = {
            "balance": balance,
            "nonce": nonce,
            "code": code,
            "storage": storage or {},
        }
        return bytes(address)

    def contract(self, number: int, code: bytes, **more) -> bytes:
        return self.account(bytes([0xCC] * 18) + number.to_bytes(2, "big"), nonce=1, code=code, **more)

    # Transactions, signed, with the next nonce of who signs.

    def send(self, to: bytes | None, data=b"", kind="fee_market", key=SENDER, **fields):
        transactions = self.fork.transactions
        address = bytes(key.address)
        start = self.accounts.get(address, {"nonce": 0})["nonce"]
        nonce = self.nonces.get(address, start)
        self.nonces[address] = nonce + 1
        common = {
            "nonce": nonce,
            "gas": 1_000_000,
            "to": Bytes0(b"") if to is None else self.fork.types.Address(to),
            "value": 0,
            "data": Bytes(data),
            "y_parity": U256(0),
            "r": U256(0),
            "s": U256(0),
        }
        if kind == "legacy":
            common |= {"gas_price": 1100}
            del common["y_parity"]
            common["v"] = U256(0)
            make, digest = transactions.LegacyTransaction, transactions.signing_hash_155
        else:
            common |= {"chain_id": U64(CHAIN_ID), "access_list": (), "max_priority_fee_per_gas": 100}
            common |= {"max_fee_per_gas": 2000}
            if kind == "fee_market":
                make, digest = transactions.FeeMarketTransaction, transactions.signing_hash_1559
            elif kind == "blob":
                make, digest = transactions.BlobTransaction, transactions.signing_hash_4844
            elif kind == "set_code":
                make, digest = transactions.SetCodeTransaction, transactions.signing_hash_7702
        types = {"nonce": U256, "value": U256, "gas": Uint, "gas_price": Uint}
        types |= {"max_priority_fee_per_gas": Uint, "max_fee_per_gas": Uint, "max_fee_per_blob_gas": U256}
        if kind == "set_code":
            types["nonce"] = U64
        fields = common | fields
        fields = {name: types[name](value) if name in types else value for name, value in fields.items()}
        transaction = make(**fields)
        digest = digest(transaction, U64(CHAIN_ID)) if kind == "legacy" else digest(transaction)
        parity, r, s = key.sign(digest)
        if kind == "legacy":
            transaction = replace(transaction, v=U256(parity + 35 + 2 * CHAIN_ID), r=U256(r), s=U256(s))
        else:
            transaction = replace(transaction, y_parity=U256(parity), r=U256(r), s=U256(s))
        self.transactions.append(transactions.encode_transaction(transaction))
        return self

    def send_blobs(self, count: int, version=1, **fields):
        hashes = tuple(Bytes32(bytes([version]) + hashlib.sha256(b"blob %d" % n).digest()[1:]) for n in range(count))
        fields = {"max_fee_per_blob_gas": 10**9} | fields
        return self.send(fields.pop("to", b"\x11" * 20), kind="blob", blob_versioned_hashes=hashes, **fields)

    def authorization(self, key: Key, to: bytes, nonce=0, chain_id=CHAIN_ID, **other):
        message = b"\x05" + rlp.encode((U256(chain_id), self.fork.types.Address(to), U64(nonce)))
        parity, r, s = key.sign(keccak256(message))
        fields = {"y_parity": U8(parity), "r": U256(r), "s": U256(s)} | other
        return self.fork.types.Authorization(
            chain_id=U256(chain_id), address=self.fork.types.Address(to), nonce=U64(nonce), **fields
        )

    def withdraw(self, address: bytes, gwei: int):
        self.withdrawals.append(
            self.fork.blocks.Withdrawal(
                index=U64(len(self.withdrawals)),
                validator_index=U64(7),
                address=self.fork.types.Address(address),
                amount=U256(gwei),
            )
        )
        return self

    # The block.

    def _state(self):
        module, types = self.fork.state, self.fork.types
        state = module.State()
        for address, account in self.accounts.items():
            made = types.Account(
                nonce=Uint(account["nonce"]), balance=U256(account["balance"]), code=Bytes(account["code"])
            )
            module.set_account(state, types.Address(address), made)
            for slot, word in account["storage"].items():
                key = Bytes32(slot.to_bytes(32, "big"))
                module.set_storage(state, types.Address(address), key, U256(word))
        return state

    def _headers(self) -> list:
        """The parent and those before it, ascending."""
        types = self.fork.types
        headers: list = []
        for back in range(self.ancestors - 1, -1, -1):
            parent_hash = keccak256(rlp.encode(headers[-1]) if headers else b"before")
            header = self.fork.blocks.Header(
                parent_hash=parent_hash,
                ommers_hash=self.fork.fork.EMPTY_OMMER_HASH,
                coinbase=types.Address(COINBASE),
                state_root=self.fork.trie.EMPTY_TRIE_ROOT,
                transactions_root=self.fork.trie.EMPTY_TRIE_ROOT,
                receipt_root=self.fork.trie.EMPTY_TRIE_ROOT,
                bloom=Bytes256(bytes(256)),
                difficulty=Uint(0),
                number=Uint(PARENT_NUMBER - back),
                timestamp=U256(PARENT_TIME - 12 * back),
                extra_data=Bytes(b""),
                prev_randao=Bytes32(bytes(32)),
                nonce=Bytes8(bytes(8)),
                withdrawals_root=self.fork.trie.EMPTY_TRIE_ROOT,
                parent_beacon_block_root=Bytes32(bytes(32)),
                requests_hash=self.fork.requests.compute_requests_hash([]),
                **self.parent,
            )
            headers.append(header)
        headers[-1] = replace(headers[-1], state_root=self.fork.state.state_root(self._state()))
        return headers

    def _chain(self, headers):
        blocks = [self.fork.blocks.Block(h, (), (), ()) for h in headers]
        return self.fork.fork.BlockChain(blocks=blocks, state=self._state(), chain_id=U64(CHAIN_ID))

    def _seal(self, headers, executed):
        """Header and requests of the block, by executing it."""
        fork, parent = self.fork, headers[-1]
        header = replace(
            parent,
            parent_hash=keccak256(rlp.encode(parent)),
            number=parent.number + Uint(1),
            timestamp=parent.timestamp + U256(12),
            prev_randao=Bytes32(hashlib.sha256(b"randao").digest()),
            parent_beacon_block_root=Bytes32(hashlib.sha256(b"beacon root").digest()),
            base_fee_per_gas=fork.fork.calculate_base_fee_per_gas(
                parent.gas_limit, parent.gas_limit, parent.gas_used, parent.base_fee_per_gas
            ),
            excess_blob_gas=fork.gas.calculate_excess_blob_gas(parent),
        )
        chain = self._chain(headers)
        environment = fork.vm.BlockEnvironment(
            chain_id=chain.chain_id,
            state=chain.state,
            block_gas_limit=header.gas_limit,
            block_hashes=fork.fork.get_last_256_block_hashes(chain),
            coinbase=header.coinbase,
            number=header.number,
            base_fee_per_gas=header.base_fee_per_gas,
            time=header.timestamp,
            prev_randao=header.prev_randao,
            excess_blob_gas=header.excess_blob_gas,
            parent_beacon_block_root=header.parent_beacon_block_root,
        )
        output = fork.fork.apply_body(environment, tuple(executed), tuple(self.withdrawals))
        requests = [bytes(item) for item in output.requests]
        header = replace(
            header,
            state_root=fork.state.state_root(environment.state),
            transactions_root=self._transactions_root(),
            receipt_root=fork.trie.root(output.receipts_trie),
            bloom=fork.fork.logs_bloom(output.block_logs),
            gas_used=output.block_gas_used,
            withdrawals_root=fork.trie.root(output.withdrawals_trie),
            blob_gas_used=output.blob_gas_used,
            requests_hash=fork.requests.compute_requests_hash(requests),
        )
        self.output = output
        return header, requests

    def _transactions_root(self):
        trie = self.fork.trie.Trie(secured=False, default=None)
        for index, transaction in enumerate(self.transactions):
            self.fork.trie.trie_set(trie, rlp.encode(Uint(index)), transaction)
        return self.fork.trie.root(trie)

    def _vector(self, suffix: str, headers, header, requests, reason, hashes=None) -> Vector:
        if hashes is None:
            hashes = self._versioned_hashes()
        request = ssz.new_payload_request(header, self.transactions, self.withdrawals, requests, hashes)
        state = self._state()
        encoded = ssz.stateless_input(
            self.fork.index,
            request,
            witness.state_nodes(self.fork, state),
            witness.codes(state),
            [bytes(rlp.encode(h)) for h in headers],
            CHAIN_ID,
        )
        output = None if reason else ssz.output(self.fork.index, request, CHAIN_ID)
        return Vector(self.name + suffix, encoded, output, reason)

    def _versioned_hashes(self) -> list[bytes]:
        hashes: list[bytes] = []
        for transaction in self.transactions:
            if isinstance(transaction, bytes) and transaction[0] == 3:
                hashes += rlp.decode(transaction[1:])[10]
        return hashes

    def valid(self, suffix="", check=None) -> Vector:
        """The block, which the specification takes. `check` looks at header, requests and the output of execution."""
        headers = self._headers()
        header, requests = self._seal(headers, self.transactions)
        block = self.fork.blocks.Block(header, tuple(self.transactions), (), tuple(self.withdrawals))
        self.fork.fork.state_transition(self._chain(headers), block)
        if check:
            check(header, requests, self.output)
        return self._vector(suffix, headers, header, requests, None)

    def invalid(self, suffix, reason, without=(), change=None, requests=None, executed=None, hashes=None) -> Vector:
        """The block as it would be without a rule, which the specification refuses for `reason`, as the crate puts it.

        `without` leaves rules out while the block is made; `change` are other fields of the header; `requests` others
        than were made; `executed` other transactions than the block has.
        """
        headers = self._headers()
        with all_of(without):
            header, made = self._seal(headers, self.transactions if executed is None else executed)
        if requests is not None:
            made = requests
            header = replace(header, requests_hash=self.fork.requests.compute_requests_hash(requests))
        header = replace(header, **(change(header) if callable(change) else change or {}))
        block = self.fork.blocks.Block(header, tuple(self.transactions), (), tuple(self.withdrawals))
        try:
            self.fork.fork.state_transition(self._chain(headers), block)
        except (EthereumException, DecodingError) as error:
            self.refusal = error
        else:
            # Of what only the request says, the specification's block knows nothing.
            assert hashes is not None, f"{self.name}{suffix} is valid"
        return self._vector("_" + suffix, headers, header, made, reason, hashes)
