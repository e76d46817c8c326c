"""EIP-7951: signatures of P-256 are verified by a precompile, from Osaka on."""

import hashlib
from functools import partial

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from ethereum_types.numeric import Uint

from asm import probe
from chain import Case

ADDRESS = bytes(18) + b"\x01\x00"
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def private(number: int) -> int:
    return int.from_bytes(hashlib.sha256(b"p256 %d" % number).digest(), "big") % N


def signature(number: int, digest: bytes | None = None) -> tuple[bytes, int, int, int, int]:
    """A digest, the signature (by the nonce of RFC 6979, the same each time), and the public key."""
    key = ec.derive_private_key(private(number), ec.SECP256R1())
    digest = digest or hashlib.sha256(b"message %d" % number).digest()
    algorithm = ec.ECDSA(utils.Prehashed(SHA256()), deterministic_signing=True)
    r, s = utils.decode_dss_signature(key.sign(digest, algorithm))
    public = key.public_key().public_numbers()
    return digest, r, s, public.x, public.y


def add(one, other):
    """Sum of two points, none of them at infinity nor each other's inverse."""
    (x1, y1), (x2, y2) = one, other
    if one == other:
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P)
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def multiple(point, factor: int):
    """Factor times a point, for a factor above zero."""
    result = None
    for bit in bin(factor)[2:]:
        if result is not None:
            result = add(result, result)
        if bit == "1":
            result = point if result is None else add(result, point)
    return result


def wrapped() -> bytes:
    """A signature whose r is the point's x less the group's order: x stands between that and the field's."""
    x = N + 1
    while True:
        square = (x**3 - 3 * x + B) % P
        y = pow(square, (P + 1) // 4, P)
        if y * y % P == square:
            break
        x += 1
    r, s, digest = x - N, 7, hashlib.sha256(b"wrapped").digest()
    minus = N - int.from_bytes(digest, "big") % N
    key = multiple(add(multiple((x, y), s), multiple(G, minus)), pow(r, -1, N))
    return digest + word(r) + word(s) + word(key[0]) + word(key[1])


def cases(fork):
    def case(name, *inputs, gas=10_000):
        made = Case(fork, f"eip7951_{name}")
        contract = made.contract(1, probe(fork, ADDRESS, gas))
        for item in inputs:
            made.send(contract, item, gas=200_000)
        return made

    digest, r, s, x, y = signature(1)
    good = digest + word(r) + word(s) + word(x) + word(y)
    valid = case("valid", good, digest + word(r) + word(N - s) + word(x) + word(y))
    yield valid.valid()
    if fork.is_osaka:
        # Without the contract, the call succeeds and returns nothing.
        yield valid.invalid("not_there", "after execution", without=[partial(fork.precompile, ADDRESS)])
        yield valid.invalid(
            "at_half_the_price", "after execution", without=[partial(fork.patched, GAS_P256VERIFY=Uint(3450))]
        )
    more = [signature(number) for number in range(2, 6)]
    yield case("more_keys", *(d + word(a) + word(b) + word(c) + word(e) for d, a, b, c, e in more)).valid()
    yield case("length", b"", good[:-1], good + b"\0", bytes(160)).valid()
    yield case("gas", good, gas=6900).valid()
    yield case("too_little_gas", good, gas=6899).valid()

    def changed(**other):
        fields = {"r": r, "s": s, "x": x, "y": y} | other
        return digest + b"".join(word(fields[name]) for name in "rsxy")

    yield case("r", *(changed(r=v) for v in (0, N, r + 1, 2**256 - 1, N - 1, 1))).valid()
    yield case("s", *(changed(s=v) for v in (0, N, s + 1, 2**256 - 1, N - 1, 1))).valid()
    yield case(
        "key", *(changed(x=a, y=b) for a, b in ((0, 0), (x, P - y), (x, y + 1), (P, y), (x, P), (y, x), (x, 0)))
    ).valid()
    yield case("digest", bytes(32) + good[32:], b"\xff" * 32 + good[32:], bytes([good[0] ^ 1]) + good[1:]).valid()
    # Digests that are reduced by the group's order, and zero.
    for name, value in (("zero", 0), ("the_order", N), ("above_the_order", N + 5), ("greatest", 2**256 - 1)):
        d, a, b, c, e = signature(9, word(value))
        yield case(f"digest_{name}", d + word(a) + word(b) + word(c) + word(e)).valid(check=verified(fork))
    yield case("r_wraps_around", wrapped()).valid(check=verified(fork))
    # The point is at infinity: digest + r * key = 0.
    at_infinity = word(-r * private(1) % N)
    yield case("point_at_infinity", at_infinity + good[32:]).valid()


def verified(fork):
    def check(header, requests, output):
        (log,) = output.block_logs
        returned = 32 if fork.is_osaka else 0
        assert log.data[64:] == (word(1) if returned else b""), log.data.hex()

    return check
