"""EIP-2935: hashes of old blocks in a contract's storage; and BLOCKHASH, whose reach stays as it was."""

from functools import partial

import system
from asm import asm, logs_top, probe
from chain import PARENT_NUMBER, Case


def cases(fork):
    case = Case(fork, "eip2935_parent_hash_is_stored")
    yield case.valid()
    elsewhere = fork.types.Address(bytes([0xEE] * 20))
    yield case.invalid(
        "not",
        "the state after the block",
        without=[partial(fork.patched, HISTORY_STORAGE_ADDRESS=elsewhere)],
    )

    # The block's own number less one; older ones are not there, later and too old ones are refused.
    case = Case(fork, "eip2935_contract_is_asked")
    slot = (PARENT_NUMBER - 9) % 8191
    case.accounts[system.HISTORY]["storage"][slot] = 0xABCD
    contract = case.contract(1, probe(fork, system.HISTORY, 100_000))
    number = PARENT_NUMBER + 1
    for asked in (number - 1, number - 10, number - 2, number, number - 8191, number - 8192, 2**64):
        case.send(contract, asked.to_bytes(32, "big"))
    case.send(contract, b"\x01")
    yield case.valid()

    case = Case(fork, "eip2935_no_contract")
    del case.accounts[system.HISTORY]
    yield case.valid()

    case = Case(fork, "eip2935_contract_fails")
    case.accounts[system.HISTORY]["code"] = asm(fork, "1 0 SSTORE INVALID")
    yield case.valid()

    case = Case(fork, "eip2935_blockhash")
    case.ancestors = 6
    contract = case.contract(1, asm(fork, "0 CALLDATALOAD BLOCKHASH") + logs_top(fork))
    for asked in (number - 1, number - 2, number - 6, number, number + 1, number - 257, 0, 2**200):
        case.send(contract, asked.to_bytes(32, "big"))
    yield case.valid()

    if fork.name == "prague":
        case = Case(fork, "eip2935_blockhash_of_the_oldest")
        case.ancestors = 256
        contract = case.contract(1, asm(fork, "0 CALLDATALOAD BLOCKHASH") + logs_top(fork))
        for asked in (number - 256, number - 255, number - 257):
            case.send(contract, asked.to_bytes(32, "big"))
        yield case.valid()
