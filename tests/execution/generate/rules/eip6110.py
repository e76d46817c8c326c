"""EIP-6110: deposits are requests, read from the deposit contract's logs.

In the contract's place stands one that logs what it is called with: the first word is the topic, the rest the log.
"""

from functools import partial

import system
from asm import asm
from chain import Case

VALUES = ((160, 48), (256, 32), (320, 8), (384, 96), (512, 8))
NAMES = ("pubkey", "withdrawal_credentials", "amount", "signature", "index")


def deposit(byte: int) -> bytes:
    """A log as the contract writes it."""
    log = bytearray(576)
    for number, (at, length) in enumerate(VALUES):
        log[32 * number : 32 * number + 32] = at.to_bytes(32, "big")
        log[at : at + 32] = length.to_bytes(32, "big")
        log[at + 32 : at + 32 + length] = bytes([byte + number]) * length
    return bytes(log)


def lenient(data: bytes) -> bytes:
    """The five values, wherever the log says that they are."""
    return b"".join(data[at + 32 : at + 32 + length] for at, length in VALUES)


def as_abi(data: bytes) -> bytes:
    """The five values as ABI has them: at the offset that the log says, of the length that stands there."""
    values = b""
    for number in range(5):
        at = int.from_bytes(data[32 * number : 32 * number + 32], "big")
        length = int.from_bytes(data[at : at + 32], "big")
        values += data[at + 32 : at + 32 + length]
    return values


def case(fork, name: str) -> Case:
    made = Case(fork, f"eip6110_{name}")
    made.account(
        system.DEPOSITS,
        nonce=1,
        code=asm(fork, "32 CALLDATASIZE SUB 32 0 CALLDATACOPY 0 CALLDATALOAD 32 CALLDATASIZE SUB 0 LOG1 STOP"),
    )
    return made


def cases(fork):
    one = case(fork, "deposit").send(system.DEPOSITS, system.DEPOSIT_EVENT + deposit(1))
    yield one.valid(check=lambda header, requests, output: _is(requests, [b"\0" + lenient(deposit(1))]))
    reason = "the requests have hash"
    yield one.invalid("left_out", reason, requests=[])
    yield one.invalid("twice", reason, requests=[b"\0" + 2 * lenient(deposit(1))])
    yield one.invalid("other", reason, requests=[b"\0" + lenient(deposit(2))])

    several = case(fork, "deposits_in_order")
    for byte in (9, 3, 6):
        several.send(system.DEPOSITS, system.DEPOSIT_EVENT + deposit(byte))
    yield several.valid()
    swapped = [b"\0" + b"".join(lenient(deposit(byte)) for byte in (3, 9, 6))]
    yield several.invalid("swapped", reason, requests=swapped)

    # Of another contract, with another topic, without one, and in a call that is reverted.
    none = case(fork, "no_deposit")
    other = none.contract(1, none.accounts[system.DEPOSITS]["code"])
    none.send(other, system.DEPOSIT_EVENT + deposit(1))
    none.send(system.DEPOSITS, bytes(32) + deposit(1))
    none.send(system.DEPOSITS, bytes(32) + b"no deposit")
    yield none.valid(check=lambda header, requests, output: _is(requests, []))
    bare = case(fork, "no_topic")
    bare.accounts[system.DEPOSITS]["code"] = asm(fork, "CALLDATASIZE 0 0 CALLDATACOPY CALLDATASIZE 0 LOG0 STOP")
    yield bare.send(system.DEPOSITS, deposit(1)).valid()
    reverted = case(fork, "reverted")
    call = asm(fork, "CALLDATASIZE 0 0 CALLDATACOPY 0 0 CALLDATASIZE 0 0", system.DEPOSITS, "GAS CALL 0 0 REVERT")
    yield reverted.send(reverted.contract(1, call), system.DEPOSIT_EVENT + deposit(1)).valid()

    without = [partial(fork.patched, extract_deposit_data=lenient)]
    for length, log in ((575, deposit(1)[:-1]), (577, deposit(1) + b"\0"), (0, b"")):
        wrong = case(fork, f"log_of_{length}").send(system.DEPOSITS, system.DEPOSIT_EVENT + log)
        requests = [b"\0" + lenient(deposit(1))]
        yield wrong.invalid("bytes", "deposit", without=without, requests=requests)
    for number, name in enumerate(NAMES):
        for what, at, byte in (
            ("offset", 32 * number + 31, 0x20),
            ("offset_above_64_bits", 32 * number, 0x80),
            ("size_above_64_bits", VALUES[number][0] + 23, 1),
        ):
            log = bytearray(deposit(1))
            log[at] ^= byte
            wrong = case(fork, f"{name}_{what}").send(system.DEPOSITS, system.DEPOSIT_EVENT + bytes(log))
            yield wrong.invalid("wrong", "deposit", without=without)
    # Logs that ABI would read, with as many bytes as a deposit has: one value longer and the next one shorter, or two
    # of the same length in each other's place.
    without = [partial(fork.patched, extract_deposit_data=as_abi)]
    for number, (name, following) in enumerate(zip(NAMES, NAMES[1:])):
        log = bytearray(deposit(1))
        log[VALUES[number][0] + 31] += 1
        log[VALUES[number + 1][0] + 31] -= 1
        wrong = case(fork, f"{name}_longer").send(system.DEPOSITS, system.DEPOSIT_EVENT + bytes(log))
        yield wrong.invalid(f"{following}_shorter", f"has value {number} elsewhere", without=without)
    log = bytearray(deposit(1))
    log[64:96], log[128:160] = log[128:160], log[64:96]
    wrong = case(fork, "amount_and_index").send(system.DEPOSITS, system.DEPOSIT_EVENT + bytes(log))
    yield wrong.invalid("swapped", "has value 2 elsewhere", without=without)


def _is(got, expected):
    assert got == expected, got
