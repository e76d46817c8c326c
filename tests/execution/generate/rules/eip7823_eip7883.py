"""EIP-7823 and EIP-7883: modular exponentiation has bounds, and another price, from Osaka on."""

from functools import partial

from asm import probe
from chain import Case
from spec import fork as other_fork

MODEXP = bytes(19) + b"\x05"


def data(base: bytes, exponent: bytes, modulus: bytes) -> bytes:
    lengths = b"".join(len(item).to_bytes(32, "big") for item in (base, exponent, modulus))
    return lengths + base + exponent + modulus


def number(length: int, byte=0xB7) -> bytes:
    return bytes([byte]) + bytes((7 * n + byte) % 256 for n in range(1, length)) if length else b""


def case(fork, name: str, inputs, gas=2_000_000) -> Case:
    made = Case(fork, name)
    contract = made.contract(1, probe(fork, MODEXP, gas))
    for item in inputs:
        made.send(contract, item, gas=gas + 1_000_000)
    return made


def cases(fork):
    small = [
        b"",
        data(b"", b"", b""),
        data(b"\x03", b"\x02", b"\x05"),
        data(b"\x03", b"", b"\x05"),
        data(b"", b"\x02", b"\x05"),
        data(b"\x03", b"\x02", b""),
        data(b"\x03", b"\x02", b"\x00"),
        data(b"\x03", b"\x02", b"\x01"),
        data(b"\x03", bytes(40), b"\x05"),
        data(number(32), number(32), number(32)),
        data(number(33), b"\x01\x00\x01", number(31)),
        data(number(33), number(33), number(33))[:-9],
    ]
    prices = case(fork, "eip7883_price_of_small_numbers", small)
    yield prices.valid()
    large = [
        data(number(256), b"\x01\x00\x01", number(256)),
        data(number(64), number(40), number(64)),
        data(number(1024), b"\x03", number(1024)),
        data(number(5), b"\x02", number(1024)),
        data(b"\x02", bytes(30) + number(34), number(64)),
    ]
    prices_of_large = case(fork, "eip7883_price_of_large_numbers", large)
    yield prices_of_large.valid()
    # 500 is the least; with less the call fails.
    yield case(fork, "eip7883_too_little_gas", small[2:3], gas=499).valid()
    yield case(fork, "eip7883_least_gas", small[2:3], gas=500).valid()

    beyond = []
    for lengths in ((1025, 1, 1), (1, 1025, 1), (1, 1, 1025), (1024, 1024, 1024), (2**64, 0, 0), (0, 2**255, 0)):
        head = b"".join(length.to_bytes(32, "big") for length in lengths)
        beyond.append(head + b"\x02" * 8)
    beyond.append(data(number(1025), b"\x03", number(3)))
    beyond_bounds = case(fork, "eip7823_bounds", beyond, gas=300_000)
    yield beyond_bounds.valid()

    if fork.is_osaka:
        before = other_fork("prague").precompiles[MODEXP]
        as_before = [partial(fork.precompile, MODEXP, _translated(fork, before))]
        yield prices.invalid("as_before", "after execution", without=as_before)
        yield prices_of_large.invalid("as_before", "after execution", without=as_before)
        yield beyond_bounds.invalid("not_there", "after execution", without=as_before)


def _translated(fork, before):
    """Prague's contract under this fork: it fails with this fork's errors."""
    ours, theirs = fork.module("vm.exceptions"), other_fork("prague").module("vm.exceptions")

    def run(evm):
        try:
            before(evm)
        except theirs.ExceptionalHalt as error:
            raise ours.ExceptionalHalt from error

    return run
