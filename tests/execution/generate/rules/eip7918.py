"""EIP-7918: while blobs cost less than the gas around them, their excess falls slower, or not at all."""

from functools import partial

from ethereum_types.numeric import U64, Uint

from chain import Case

BLOB = 2**17


def cases(fork):
    target, most = fork.target_blobs, fork.max_blobs
    free = [partial(fork.patched, BLOB_BASE_COST=Uint(0))] if fork.is_osaka else []
    for excess in (0, target - 1, target, 50, 300):
        for used in sorted({0, 1, target, most}):
            case = Case(fork, f"eip7918_excess_of_{excess}_and_{used}_blobs")
            case.parent |= {
                "base_fee_per_gas": Uint(10**9),
                "excess_blob_gas": U64(excess * BLOB),
                "blob_gas_used": U64(used * BLOB),
            }
            yield case.valid()
            if fork.is_osaka and excess + used > target and used != most:
                yield case.invalid("as_before", "excess blob gas", without=free)

    # The base fee at which both are the same, and the next one: 2^13 of its gas against 2^17 of the blob's.
    excess = 100
    price = int(fork.gas.calculate_blob_gas_price(U64(excess * BLOB)))
    for name, fee in (("same", 16 * price), ("dearer", 16 * price + 1)):
        case = Case(fork, f"eip7918_execution_{name}")
        case.parent |= {
            "base_fee_per_gas": Uint(fee),
            "excess_blob_gas": U64(excess * BLOB),
            "blob_gas_used": U64(target * BLOB),
        }
        yield case.valid()
