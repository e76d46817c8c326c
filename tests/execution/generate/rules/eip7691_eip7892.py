"""EIP-7691, EIP-7892: how many blobs a block may have, and how their price moves, by fork."""

from functools import partial

from ethereum_types.numeric import U64, Uint

from asm import asm, logs_top
from chain import Case

BLOB = 2**17
# EIP-7594, which holds besides, from Osaka on.
PER_TRANSACTION = 6


def blobs(case: Case, count: int, **fields) -> Case:
    while count:
        case.send_blobs(min(count, PER_TRANSACTION), **fields)
        count -= min(count, PER_TRANSACTION)
    return case


def cases(fork):
    eip = "eip7691" if fork.name in ("prague", "osaka") else "eip7892"
    most, target = fork.max_blobs, fork.target_blobs

    yield blobs(Case(fork, f"{eip}_{most}_blobs"), most).valid()
    more = blobs(Case(fork, f"{eip}_{most + 1}_blobs"), most + 1)
    unlimited = [partial(fork.patched, MAX_BLOB_GAS_PER_BLOCK=U64(BLOB * 100))]
    yield more.invalid("refused", f"{most + 1} blobs, where {most}", without=unlimited)
    used = blobs(Case(fork, f"{eip}_blob_gas_used"), 2)
    yield used.invalid("wrong", "blobs use", change={"blob_gas_used": U64(3 * BLOB)})

    # The price, by the fork's fraction: BLOBBASEFEE, and what is burnt.
    fraction = int(fork.gas.BLOB_BASE_FEE_UPDATE_FRACTION)
    others = {"cancun": 3338477, "prague": 5007716, "bpo1": 8346193, "bpo2": 11684671}
    for excess_blobs in (target + 1, 200, 1000):
        case = Case(fork, f"{eip}_price_at_an_excess_of_{excess_blobs}_blobs")
        # From a parent at the target, the excess stays; its base fee is too low for EIP-7918 to matter.
        case.parent |= {"excess_blob_gas": U64(excess_blobs * BLOB), "blob_gas_used": U64(target * BLOB)}
        case.parent["base_fee_per_gas"] = Uint(8)
        shows = case.contract(1, asm(fork, "BLOBBASEFEE") + logs_top(fork))
        case.send(shows).send_blobs(2, to=shows, max_fee_per_blob_gas=10**15)
        yield case.valid()
        if excess_blobs == 200:
            for name, other in others.items():
                if other != fraction:
                    without = [partial(fork.patched, BLOB_BASE_FEE_UPDATE_FRACTION=Uint(other))]
                    yield case.invalid(f"by_the_fraction_of_{name}", "after execution", without=without)
            price = int(fork.gas.calculate_blob_gas_price(U64(excess_blobs * BLOB)))
            exact = Case(fork, f"{eip}_offer_of_the_price")
            exact.parent = case.parent
            exact.send_blobs(1, max_fee_per_blob_gas=price)
            yield exact.valid()
            short = Case(fork, f"{eip}_offer")
            short.parent = case.parent
            short.send_blobs(1, max_fee_per_blob_gas=price - 1)
            cheap = [partial(fork.patched, calculate_blob_gas_price=lambda excess: Uint(1))]
            yield short.invalid("below_the_price", "greater than max fee per blob gas", without=cheap)

    # The excess, by the fork's target.
    for used in (0, target - 1, target, target + 1, most):
        case = Case(fork, f"{eip}_excess_after_{used}_blobs")
        case.parent |= {"excess_blob_gas": U64(BLOB * 100), "blob_gas_used": U64(used * BLOB)}
        case.parent["base_fee_per_gas"] = Uint(8)
        yield case.valid()
        if used == target + 1:
            for other in {3, 6, 10, 14} - {target}:
                without = [partial(fork.patched, TARGET_BLOB_GAS_PER_BLOCK=U64(BLOB * other))]
                yield case.invalid(f"by_a_target_of_{other}", "excess blob gas", without=without)
    case = Case(fork, f"{eip}_excess_below_the_target")
    case.parent |= {"excess_blob_gas": U64(BLOB), "blob_gas_used": U64(BLOB)}
    yield case.valid()

    # The consensus layer's word for the blobs, which is no part of the block.
    case = blobs(Case(fork, f"{eip}_versioned_hashes"), 2)
    hashes = case._versioned_hashes()
    for name, other in (("missing", hashes[:1]), ("swapped", hashes[::-1]), ("more", hashes + hashes[:1])):
        yield case.invalid(name, "versioned hashes", hashes=other)
