//! The bn254 pairing check against revm's, and the test of membership that rides on it.

use alloc::vec::Vec;

use alloy_primitives::{U256, Uint};
use revm::precompile::{Crypto, DefaultCrypto};

use super::super::bn254::{self, Fp, Fp2, TwistPoint};
use super::super::machine::{Bn254, Curve, Limbs};
use super::super::residue::{negate, to_bytes};
use super::{Random, join};

type Wide = Uint<1024, 16>;

const P: U256 = U256::from_limbs(Bn254::MODULUS);
const X: u64 = 4_965_661_367_192_848_881;
const ORDER: U256 = U256::from_limbs([
    0x43e1_f593_f000_0001,
    0x2833_e848_79b9_7091,
    0xb850_45b6_8181_585d,
    0x3064_4e72_e131_a029,
]);

/// Generator of the second group (EIP-197).
fn generator() -> TwistPoint {
    let fp = |digits: &str| Fp(digits.parse::<U256>().expect("a number").into_limbs());
    TwistPoint {
        x: Fp2 {
            c0: fp("10857046999023057135944570762232829481370756359578518086990519993285655852781"),
            c1: fp("11559732032986387107991004021392285783925812861821192530917403151452391805634"),
        },
        y: Fp2 {
            c0: fp("8495653923123431417604973247489272438418190587263600148770280649306958101930"),
            c1: fp("4082367875863433681332203403145435568316851327593401208105741076214120093531"),
        },
    }
}

/// The sum of two points of different x, or of one with itself.
fn add(p: &TwistPoint, q: &TwistPoint) -> TwistPoint {
    let (mut rise, mut run) = (q.y, q.x);
    rise.subtract(&p.y);
    run.subtract(&p.x);
    if run.is_zero() {
        rise = p.x.product(&p.x);
        rise.scale(&Fp([3, 0, 0, 0]));
        run = p.y;
        run.double();
    }
    let slope = rise.product(&run.inverse());
    let mut x = slope.product(&slope);
    x.subtract(&p.x);
    x.subtract(&q.x);
    let mut y = p.x;
    y.subtract(&x);
    y.multiply(&slope);
    y.subtract(&p.y);
    TwistPoint { x, y }
}

fn multiply<const BITS: usize, const LIMBS: usize>(p: &TwistPoint, k: Uint<BITS, LIMBS>) -> TwistPoint {
    let mut sum = *p;
    for i in (0..k.bit_len() - 1).rev() {
        sum = add(&sum, &sum);
        if k.bit(i) {
            sum = add(&sum, p);
        }
    }
    sum
}

fn encode(point: &TwistPoint) -> [u8; 128] {
    let coordinate = |c: &Fp2| join(&to_bytes(&c.c1.0), &to_bytes(&c.c0.0));
    let mut bytes = [0; 128];
    bytes[..64].copy_from_slice(&coordinate(&point.x));
    bytes[64..].copy_from_slice(&coordinate(&point.y));
    bytes
}

/// A multiple of the first group's generator.
fn first(k: U256) -> [u8; 64] {
    let generator = join(&to_bytes(&[1, 0, 0, 0]), &to_bytes(&[2, 0, 0, 0]));
    DefaultCrypto.bn254_g1_mul(&generator, &k.to_be_bytes::<32>()).expect("a point")
}

fn check(pairs: &[([u8; 64], [u8; 128])]) -> Result<bool, ()> {
    let pairs: Vec<(&[u8], &[u8])> = pairs.iter().map(|(p, q)| (p.as_slice(), q.as_slice())).collect();
    let verdict = bn254::pairing_check(&pairs).map_err(drop);
    assert_eq!(verdict, DefaultCrypto.bn254_pairing_check(&pairs).map_err(drop));
    verdict
}

/// A root in the base field, if there is one.
fn root(a: U256) -> Option<U256> {
    let root = a.pow_mod((P + U256::from(1)) >> 2usize, P);
    (root.mul_mod(root, P) == a).then_some(root)
}

/// A point of the twist, in all likelihood not of the second group.
fn point_of_the_twist(random: &mut Random) -> TwistPoint {
    let two_inverse = (P + U256::from(1)) >> 1usize;
    loop {
        let x: [U256; 2] = [0; 2].map(|_| U256::from_limbs([0; 4].map(|_: u64| random.word())) % P);
        let x = Fp2 { c0: Fp(x[0].into_limbs()), c1: Fp(x[1].into_limbs()) };
        // 3 / (9 + i) from the generator's own coordinates.
        let g = generator();
        let mut square = g.y.product(&g.y);
        square.subtract(&g.x.product(&g.x).product(&g.x));
        square.add(&x.product(&x).product(&x));
        let [a, b] = [&square.c0, &square.c1].map(|part| U256::from_limbs(part.0));
        let Some(norm) = root(a.mul_mod(a, P).add_mod(b.mul_mod(b, P), P)) else { continue };
        let real = [norm, P - norm].iter().find_map(|s| root(a.add_mod(*s, P).mul_mod(two_inverse, P)));
        let Some(real) = real.filter(|real| !real.is_zero()) else { continue };
        let inverse = real.add_mod(real, P).inv_mod(P).expect("not zero");
        let y = Fp2 { c0: Fp(real.into_limbs()), c1: Fp(b.mul_mod(inverse, P).into_limbs()) };
        if y.product(&y) == square {
            return TwistPoint { x, y };
        }
    }
}

#[test]
fn products_of_pairings_are_revms() {
    let mut random = Random::new();
    let g = generator();
    let mut number = || U256::from_limbs([random.word(), random.word(), random.word(), random.word() >> 3]);
    for _ in 0..3 {
        let (a, b) = (number() % ORDER, number() % ORDER);
        let (ab, q) = (a.mul_mod(b, ORDER), multiply(&g, b));
        // e(a P, b Q) e(-ab P, Q) = 1
        let right = [(first(a), encode(&q)), (first(ORDER - ab), encode(&g))];
        assert_eq!(check(&right), Ok(true));
        assert_eq!(check(&right[..1]), Ok(false));
        assert_eq!(check(&[right[0], (first(ab), encode(&g))]), Ok(false));
        let three = [
            (first(a), encode(&g)),
            (first(b), encode(&g)),
            (first(ORDER - a.add_mod(b, ORDER)), encode(&g)),
        ];
        assert_eq!(check(&three), Ok(true));
        assert_eq!(check(&three[1..]), Ok(false));
    }
}

#[test]
fn pairs_with_infinity_count_for_nothing() {
    let g = encode(&generator());
    let one = U256::from(1);
    assert_eq!(check(&[]), Ok(true));
    assert_eq!(check(&[([0; 64], g)]), Ok(true));
    assert_eq!(check(&[(first(one), [0; 128])]), Ok(true));
    assert_eq!(check(&[([0; 64], [0; 128])]), Ok(true));
    assert_eq!(check(&[([0; 64], g), (first(one), g)]), Ok(false));
    assert_eq!(check(&[(first(one), g), (first(ORDER - one), g), ([0; 64], g)]), Ok(true));
}

#[test]
fn points_outside_of_the_group_are_refused() {
    let mut random = Random::new();
    let p = first(U256::from(1));
    let wide = |limbs: U256| Wide::from(limbs);
    let cofactor = wide(P) * Wide::from(2) - wide(ORDER);
    // The cofactor's smallest prime factor: points of so small an order meet the formulas' exceptions.
    let small = Wide::from(10_069);
    assert_eq!(cofactor % small, Wide::ZERO);
    for _ in 0..3 {
        let outside = point_of_the_twist(&mut random);
        assert_eq!(check(&[(p, encode(&outside))]), Err(()));
        assert_eq!(check(&[([0; 64], encode(&outside))]), Err(()));
        let of_small_order = multiply(&outside, wide(ORDER) * (cofactor / small));
        assert_eq!(check(&[(p, encode(&of_small_order))]), Err(()));
        for k in 2..8u64 {
            assert_eq!(check(&[(p, encode(&multiply(&of_small_order, U256::from(k))))]), Err(()));
        }
        let inside = multiply(&outside, cofactor);
        assert_eq!(check(&[(p, encode(&inside))]), Ok(false));
        // A point of the group moved by one of small order.
        assert_eq!(check(&[(p, encode(&add(&inside, &of_small_order)))]), Err(()));
    }
}

#[test]
fn coordinates_that_are_none_are_refused() {
    let p = first(U256::from(1));
    let good = encode(&generator());
    for (at, word) in
        (0..4).flat_map(|at| [(at, P), (at, P + U256::from(1)), (at, U256::MAX), (at, U256::from(7))])
    {
        let mut bad = good;
        bad[32 * at..32 * at + 32].copy_from_slice(&word.to_be_bytes::<32>());
        assert_eq!(check(&[(p, bad)]), Err(()));
    }
    let mut negated = generator();
    negated.y.c0 = Fp(negate(&negated.y.c0.0, &Bn254::MODULUS));
    assert_eq!(check(&[(p, encode(&negated))]), Err(()), "half of a negation");
}

/// The norm of `6x + 2 + psi - psi^2 + psi^3` shares with the twist's number of points the group's order and no more.
#[test]
fn what_the_loop_ends_at_tells_the_group() {
    let (x, p, r) = (Wide::from(X), Wide::from(P), Wide::from(ORDER));
    let t = Wide::from(6) * x * x + Wide::from(1);
    assert_eq!(p + Wide::from(1) - t, r);
    let points = r * (Wide::from(2) * p - r);
    // psi^2 = t psi - p makes it a + b psi; both are negative.
    let a = t * p - p - Wide::from(6) * x - Wide::from(2);
    let b = p + t - t * t - Wide::from(1);
    // (a + b psi)(a + b psi') = a^2 + a b t + b^2 p
    let norm = a * a + a * b * t + b * b * p;
    assert_eq!(gcd(norm, points), r);
    assert_ne!(points % (r * r), Wide::ZERO);
}

fn gcd(a: Wide, b: Wide) -> Wide {
    if b.is_zero() { a } else { gcd(b, a % b) }
}

#[test]
fn a_wrong_length_is_refused() {
    let limbs: Limbs = [1, 0, 0, 0];
    assert!(bn254::add(&to_bytes(&limbs), &[0; 64]).is_err());
    assert!(bn254::multiply(&[0; 64], &[0; 31]).is_err());
    assert!(bn254::pairing_check(&[(&[0; 64], &[0; 127])]).is_err());
}
