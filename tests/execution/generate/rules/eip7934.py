"""EIP-7934: a block has 8 MiB in RLP at most, from Osaka on. Its call data is zero, so that it packs well."""

from functools import partial

from ethereum_rlp import rlp
from ethereum_types.numeric import Uint

from chain import Case

FORKS = ("prague", "osaka")
LIMIT = 8 << 20


def block(fork, last: int) -> tuple[Case, int]:
    case = Case(fork, "eip7934_block")
    case.parent |= {"gas_limit": Uint(120_000_000), "gas_used": Uint(60_000_000)}
    for _ in range(5):
        case.send(b"\x11" * 20, bytes(1_600_000), gas=16_200_000)
    case.send(b"\x11" * 20, bytes(last), gas=16_200_000)
    headers = case._headers()
    with fork.patched(MAX_RLP_BLOCK_SIZE=2**40) if fork.is_osaka else fork.patched():
        header, _ = case._seal(headers, case.transactions)
    return case, len(rlp.encode(fork.blocks.Block(header, tuple(case.transactions), (), ())))


def cases(fork):
    _, size = block(fork, 380_000)
    for suffix, at in (("of_the_limit", LIMIT), ("above", LIMIT + 1)):
        case, got = block(fork, 380_000 + at - size)
        assert got == at, (got, at)
        if at > LIMIT and fork.is_osaka:
            unlimited = [partial(fork.patched, MAX_RLP_BLOCK_SIZE=2**40)]
            yield case.invalid(f"{suffix}_refused", f"a block of {at} bytes", without=unlimited)
        else:
            yield case.valid(f"_{suffix}")
