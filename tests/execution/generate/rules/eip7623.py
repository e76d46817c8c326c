"""EIP-7623: a floor under the price of call data."""

from functools import partial

from ethereum_types.numeric import Uint

from asm import asm
from chain import Case

TO = b"\x33" * 20


def cases(fork):
    free = [partial(fork.patched, FLOOR_CALLDATA_COST=Uint(0))]

    case = Case(fork, "eip7623_floor")
    case.send(TO, b"\x01" * 1000).send(TO, bytes(1000), kind="legacy").send(TO, b"\0\x01" * 300)
    yield case.valid(check=lambda header, requests, output: _gas(header, 61_000 + 31_000 + 36_000))
    yield case.invalid("not_charged", "gas, and the header says", without=free)

    # As much gas as the floor, and less by one.
    case = Case(fork, "eip7623_limit_at_the_floor").send(TO, b"\x01" * 1000, gas=61_000)
    yield case.valid()
    case = Case(fork, "eip7623_limit").send(TO, b"\x01" * 1000, gas=60_999)
    yield case.invalid("under_the_floor", "gas floor", without=free)
    case = Case(fork, "eip7623_limit").send(TO, b"\x01" * 1000, gas=21_000)
    yield case.invalid("under_the_intrinsic_gas", "call gas cost", executed=[])

    # Execution that is dearer, around the point where both are the same: 24,000 of 40,000 gas for 1,000 bytes.
    case = Case(fork, "eip7623_execution")
    spends = case.contract(1, asm(fork, "JUMPDEST 0 CALLDATALOAD GAS GT 0 JUMPI STOP"))
    for left in (83_000, 77_500, 77_000, 50_000):
        case.send(spends, left.to_bytes(32, "big") + b"\x01" * 968, gas=100_000)
    yield case.valid()

    # A refund does not lead below it.
    case = Case(fork, "eip7623_refund")
    clears = case.contract(1, asm(fork, "0 0 SSTORE 0 1 SSTORE 0 2 SSTORE STOP"), storage={0: 1, 1: 1, 2: 1})
    case.send(clears, b"\x01" * 600)
    yield case.valid()
    yield case.invalid("below_the_floor", "gas, and the header says", without=free)

    # Creation has it as well, an access list adds nothing to it.
    case = Case(fork, "eip7623_creation").send(None, b"\0" + b"\x5b" * 4000, gas=300_000)
    yield case.valid()
    access = fork.transactions.Access(account=fork.types.Address(TO), slots=())
    case = Case(fork, "eip7623_access_list").send(TO, b"\x01" * 100, access_list=(access,) * 2)
    yield case.valid()


def _gas(header, expected):
    assert header.gas_used == expected, header.gas_used
