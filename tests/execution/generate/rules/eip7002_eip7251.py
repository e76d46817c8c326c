"""EIP-7002 and EIP-7251: requests to exit, withdraw and consolidate wait in contracts; system calls take them."""

from functools import partial

import system
from asm import asm
from chain import Case

KINDS = (
    ("eip7002", system.WITHDRAWALS, 1, 56, 16),
    ("eip7251", system.CONSOLIDATIONS, 2, 96, 2),
)
INHIBITOR = 2**256 - 1


def cases(fork):
    for eip, address, kind, length, per_block in KINDS:
        data = bytes(range(length))
        one = Case(fork, f"{eip}_request").send(address, data, value=1)
        yield one.valid(check=lambda header, requests, output, kind=kind: _kinds(requests, [kind]))
        reason = "the requests have hash"
        made = []
        one.valid(check=lambda header, requests, output, made=made: made.extend(requests))
        yield one.invalid("left_out", reason, requests=[])
        changed = made[0][:-1] + bytes([made[0][-1] ^ 1])
        yield one.invalid("other", reason, requests=[changed])
        yield one.invalid("twice", reason, requests=[made[0] + made[0][1:]])
        # Left in the queue: the system call is not made.
        yield one.invalid(
            "not_taken",
            reason,
            without=[partial(fork.patched, process_checked_system_transaction=_skip(fork, address))],
        )
        yield one.invalid(
            "not_taken_but_named",
            "the state after the block",
            without=[partial(fork.patched, process_checked_system_transaction=_skip(fork, address, made[0][1:]))],
        )

        # One more than a block takes, by a contract that asks so often; the fee is that of the block's beginning.
        many = Case(fork, f"{eip}_more_than_a_block_takes")
        code = asm(fork, "CALLDATASIZE 0 0 CALLDATACOPY")
        for _ in range(per_block + 1):
            code += asm(fork, "NUMBER 0 MSTORE8 0 0", length, "0 1", address, "GAS CALL POP")
        many.send(many.contract(1, code, balance=100), data, gas=10_000_000)
        yield many.valid(check=lambda header, requests, output, kind=kind: _kinds(requests, [kind]))

        # Waiting since an earlier block; the fee rises with the excess, and is not enough.
        waiting = Case(fork, f"{eip}_waiting")
        storage = {0: 20, 1: 0, 2: 1, 3: 2}
        words = -(-length // 32) + 1
        storage |= {4 + words + offset: 2**255 + offset for offset in range(words)}
        waiting.accounts[address]["storage"] = storage
        waiting.send(address, data, value=1).send(address, data, value=5)
        yield waiting.valid()
        waiting.name += "_at_the_price"
        waiting.send(address, b"").send(address, data, value=100, gas=500_000)
        yield waiting.valid()

        inhibited = Case(fork, f"{eip}_not_yet_active")
        inhibited.accounts[address]["storage"] = {0: INHIBITOR}
        inhibited.send(address, data, value=100)
        yield inhibited.valid()

        missing = Case(fork, f"{eip}_contract")
        del missing.accounts[address]
        yield missing.invalid(
            "missing", f"no system contract of {eip.upper().replace('EIP', 'EIP-')}", **_skipped(fork, address)
        )
        for word, code in (("reverts", asm(fork, "0 0 REVERT")), ("halts", asm(fork, "INVALID"))):
            failing = Case(fork, f"{eip}_contract")
            failing.accounts[address]["code"] = code
            yield failing.invalid(word, "after the transactions", **_skipped(fork, address))

        # Whatever it returns is what is requested.
        other = Case(fork, f"{eip}_another_contract")
        size = length + 20
        other.accounts[address]["code"] = asm(fork, f"NUMBER 0 MSTORE CALLER 32 MSTORE {size} 0 RETURN")
        yield other.valid(check=lambda header, requests, output, kind=kind: _kinds(requests, [kind]))

        # It was not created in this block, and so stays (EIP-6780).
        destroyed = Case(fork, f"{eip}_destroys_itself")
        destroyed.accounts[address]["code"] = asm(fork, "CALLER SELFDESTRUCT")
        yield destroyed.valid()

    both = Case(fork, "eip7685_all_three_kinds")
    for _, address, _, length, _ in KINDS[::-1]:
        both.send(address, bytes(length), value=1)
    yield both.valid(check=lambda header, requests, output: _kinds(requests, [1, 2]))
    both.withdraw(b"\x22" * 20, 10**9)
    both.name += "_and_a_withdrawal"
    yield both.valid()


def _skip(fork, skipped: bytes, data=b""):
    checked = fork.fork.process_checked_system_transaction

    def call(block_env, target_address, **more):
        if target_address != skipped:
            return checked(block_env=block_env, target_address=target_address, **more)
        interpreter = fork.module("vm.interpreter")
        return interpreter.MessageCallOutput(0, 0, (), set(), None, data)

    return call


def _skipped(fork, address: bytes) -> dict:
    return {"without": [partial(fork.patched, process_checked_system_transaction=_skip(fork, address))]}


def _kinds(requests, expected):
    assert [item[0] for item in requests] == expected, requests
