"""EIP-7594: blobs of one transaction; EIP-7825: gas of one transaction. Both from Osaka on."""

from functools import partial

from ethereum_types.numeric import Uint

import system
from asm import asm
from chain import Case

CAP = 2**24


def cases(fork):
    case = Case(fork, "eip7594_6_blobs_of_a_transaction").send_blobs(6)
    yield case.valid()
    case = Case(fork, "eip7594_7_blobs_of_a_transaction").send_blobs(7)
    if fork.is_osaka:
        yield case.invalid("refused", "too many blobs", without=[partial(fork.patched, BLOB_COUNT_LIMIT=7)])
    else:
        yield case.valid()
    # Blobs that were none of EIP-4844 already.
    case = Case(fork, "eip7594_no_blob").send_blobs(0)
    yield case.invalid("refused", "empty blobs", executed=[])
    case = Case(fork, "eip7594_version").send_blobs(1, version=2)
    other = [partial(fork.patched, VERSIONED_HASH_VERSION_KZG=b"\x02")]
    yield case.invalid("refused", "blob version not supported", without=other)

    cap = [partial(fork.patched, TX_MAX_GAS_LIMIT=Uint(2**62))] if fork.is_osaka else []
    for kind in ("legacy", "fee_market"):
        yield Case(fork, f"eip7825_{kind}_of_the_cap").send(b"\x11" * 20, kind=kind, gas=CAP).valid()
        case = Case(fork, f"eip7825_{kind}_above").send(b"\x11" * 20, kind=kind, gas=CAP + 1)
        if fork.is_osaka:
            yield case.invalid("refused", "greater than the cap", without=cap)
        else:
            yield case.valid()
    # What the protocol calls itself has 30 million, above the cap.
    if fork.is_osaka:
        case = Case(fork, "eip7825_system_call_of_more")
        # Memory of 3 MB costs 17.4 million.
        case.accounts[system.WITHDRAWALS]["code"] = asm(fork, "3000000 MLOAD STOP")
        yield case.valid()
