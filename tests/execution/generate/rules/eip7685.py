"""EIP-7685: the header names the block's requests by a hash of their hashes, by ascending type, without empty lists."""

from chain import Case
from rules.eip6110 import deposit, lenient


def cases(fork):
    case = Case(fork, "eip7685_no_request")
    yield case.valid()
    reason = "the requests have hash"
    for name, item in (
        ("deposit", b"\0" + lenient(deposit(1))),
        ("withdrawal", b"\1" + bytes(76)),
        ("consolidation", b"\2" + bytes(116)),
    ):
        yield case.invalid(f"but_a_{name}", reason, requests=[item])
    # Another hash in the header than that of the request's lists: another block than the request names.
    for name, other in (("zero", bytes(32)), ("with_an_empty_list", fork.requests.compute_requests_hash([b"\0"]))):
        change = {"requests_hash": fork.types.Root(other)}
        yield case.invalid(f"hash_{name}", "payload: block hash", change=change)
