"""EIP-2537: seven precompiles for BLS12-381, with input as it should be and otherwise."""

from functools import partial

from py_ecc.fields import optimized_bls12_381_FQ as FQ
from py_ecc.fields import optimized_bls12_381_FQ2 as FQ2
from py_ecc.optimized_bls12_381 import G1, G2, curve_order, multiply, neg, normalize

from asm import probe
from chain import Case

# The price is the same in all of them; Osaka's other precompile stands beside these.
FORKS = ("prague", "osaka")
P = FQ.field_modulus
ORDER = curve_order


def address(number: int) -> bytes:
    return bytes(19) + bytes([number])


G1_ADD, G1_MSM, G2_ADD, G2_MSM, PAIRING, MAP_G1, MAP_G2 = (address(n) for n in range(0x0B, 0x12))


def fp(value: int) -> bytes:
    return int(value).to_bytes(64, "big")


def g1(point) -> bytes:
    x, y = normalize(point)
    return fp(x.n) + fp(y.n)


def g2(point) -> bytes:
    x, y = normalize(point)
    return b"".join(fp(c) for c in (*x.coeffs, *y.coeffs))


def scalar(value: int) -> bytes:
    return value.to_bytes(32, "big")


def outside_g1(start: int) -> bytes:
    """A point of the curve that is in no group of the order."""
    x = start
    while True:
        square = (x**3 + 4) % P
        y = pow(square, (P + 1) // 4, P)
        if y * y % P == square and multiply((FQ(x), FQ(y), FQ(1)), ORDER)[2] != FQ(0):
            return fp(x) + fp(y)
        x += 1


def sqrt2(value: FQ2):
    """A square root in Fp2, where P = 3 mod 4."""
    a1 = value ** ((P - 3) // 4)
    x0 = a1 * value
    alpha = a1 * x0
    if alpha == FQ2([P - 1, 0]):
        root = FQ2([0, 1]) * x0
    else:
        root = (alpha + FQ2.one()) ** ((P - 1) // 2) * x0
    return root if root * root == value else None


def outside_g2(start: int) -> bytes:
    x = FQ2([start, 1])
    while True:
        y = sqrt2(x * x * x + FQ2([4, 4]))
        if y is not None:
            return b"".join(fp(c) for c in (*x.coeffs, *y.coeffs))
        x += FQ2.one()


ZERO1, ZERO2 = bytes(128), bytes(256)


def cases(fork):
    p1, p2 = g1(G1), g2(G2)
    q1, q2 = g1(multiply(G1, 77)), g2(multiply(G2, 99))
    n1, n2 = g1(neg(G1)), g2(neg(G2))
    out1, out2 = outside_g1(7), outside_g2(3)
    off1 = p1[:-1] + bytes([p1[-1] ^ 1])
    off2 = p2[:-1] + bytes([p2[-1] ^ 1])
    # Elements that are not below the modulus, and ones whose first 16 bytes are not zero.
    big1 = (int.from_bytes(p1[:64], "big") + P).to_bytes(64, "big") + p1[64:]
    high1 = b"\x01" + p1[1:]
    big2 = (int.from_bytes(p2[:64], "big") + P).to_bytes(64, "big") + p2[64:]
    high2 = p2[:64] + b"\x01" + p2[65:]
    p_as_zero = fp(P) + bytes(64)

    def malformed(good: bytes) -> list[bytes]:
        return [b"", good[:-1], good + b"\0"]

    points1, points2 = [off1, big1, high1, p_as_zero], [off2, big2, high2]
    both = {
        # What is only added need not be of the group.
        G1_ADD: (
            "g1_add",
            [p1 + q1, p1 + p1, p1 + n1, p1 + ZERO1, ZERO1 + q1, ZERO1 + ZERO1, out1 + p1, out1 + out1],
            malformed(p1 + q1) + [bad + p1 for bad in points1] + [p1 + bad for bad in points1],
        ),
        G2_ADD: (
            "g2_add",
            [p2 + q2, p2 + p2, p2 + n2, p2 + ZERO2, ZERO2 + q2, ZERO2 + ZERO2, out2 + p2],
            malformed(p2 + q2) + [bad + p2 for bad in points2] + [p2 + bad for bad in points2],
        ),
        G1_MSM: (
            "g1_msm",
            [
                p1 + scalar(2),
                p1 + scalar(0),
                p1 + scalar(ORDER),
                p1 + scalar(2**256 - 1),
                ZERO1 + scalar(5),
                p1 + scalar(3) + q1 + scalar(ORDER - 1),
                p1 + scalar(3) + n1 + scalar(3),
                p1 + scalar(1) + ZERO1 + scalar(9) + q1 + scalar(0),
            ],
            malformed(p1 + scalar(2))
            + [bad + scalar(2) for bad in [*points1, out1]]
            + [p1 + scalar(1) + out1 + scalar(0)],
        ),
        G2_MSM: (
            "g2_msm",
            [
                p2 + scalar(2),
                p2 + scalar(0),
                p2 + scalar(ORDER + 1),
                ZERO2 + scalar(5),
                p2 + scalar(3) + q2 + scalar(ORDER - 1),
                p2 + scalar(3) + n2 + scalar(3),
            ],
            malformed(p2 + scalar(2))
            + [bad + scalar(2) for bad in [*points2, out2]]
            + [p2 + scalar(1) + out2 + scalar(0)],
        ),
        PAIRING: (
            "pairing",
            [p1 + p2, p1 + p2 + n1 + p2, p1 + q2 + p1 + n2, ZERO1 + p2, p1 + ZERO2, ZERO1 + ZERO2],
            malformed(p1 + p2)
            + [bad + p2 for bad in [*points1, out1]]
            + [p1 + bad for bad in [*points2, out2]]
            + [out1 + ZERO2, ZERO1 + out2],
        ),
        MAP_G1: (
            "map_fp_to_g1",
            [fp(0), fp(1), fp(P - 1), fp(2**200 + 5)],
            malformed(fp(1)) + [fp(P), fp(P + 1), b"\x01" + fp(1)[1:]],
        ),
        MAP_G2: (
            "map_fp2_to_g2",
            [fp(0) + fp(0), fp(1) + fp(0), fp(0) + fp(1), fp(P - 1) + fp(12345)],
            malformed(fp(1) + fp(2)) + [fp(P) + fp(1), fp(1) + fp(P), fp(1) + b"\x01" + fp(1)[1:]],
        ),
    }
    for to, (name, good, bad) in both.items():
        case = called(fork, f"{name}_valid", to, good)
        yield case.valid(check=_all(1))
        if fork.name == "prague":
            # Nobody at that address: the call succeeds, and returns nothing.
            yield case.invalid("not_there", "after execution", without=[partial(fork.precompile, to)])
        yield called(fork, f"{name}_malformed", to, bad).valid(check=_all(0))

    # The price: by the number of pairs, with its discount, to the gas.
    if fork.name == "prague":
        ones = p1 + scalar(1)
        twos = p2 + scalar(1)
        yield called(fork, "g1_msm_discount", G1_MSM, [ones * k for k in (1, 2, 3, 8, 127, 128, 129)]).valid()
        yield called(fork, "g2_msm_discount", G2_MSM, [twos * k for k in (1, 2, 3, 8)]).valid()
        for to, name, item, price in (
            (G1_ADD, "g1_add", p1 + q1, 375),
            (G2_ADD, "g2_add", p2 + q2, 600),
            (G1_MSM, "g1_msm", p1 + scalar(1), 12_000),
            (G2_MSM, "g2_msm", p2 + scalar(1), 22_500),
            (PAIRING, "pairing", ZERO1 + ZERO2, 32_600 + 37_700),
            (MAP_G1, "map_fp_to_g1", fp(1), 5_500),
            (MAP_G2, "map_fp2_to_g2", fp(1) + fp(0), 23_800),
        ):
            yield called(fork, f"{name}_gas", to, [item], gas=price).valid()
            yield called(fork, f"{name}_too_little_gas", to, [item], gas=price - 1).valid()


def called(fork, name: str, to: bytes, inputs, gas=2_500_000) -> Case:
    case = Case(fork, f"eip2537_{name}")
    contract = case.contract(1, probe(fork, to, gas))
    for item in inputs:
        case.send(contract, item, gas=gas + 1_500_000)
    return case


def _all(success: int):
    """Whether all of the calls have succeeded, or none."""

    def check(header, requests, output):
        assert [log.data[31] for log in output.block_logs] == [success] * len(output.receipt_keys)

    return check
