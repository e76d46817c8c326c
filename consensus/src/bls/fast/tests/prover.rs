//! A second prover of the pairing equation. It takes the choices from the test, true or not, and works out the
//! rest of the tape from them.

use super::polynomials::{divide, multiply, polynomial, quadratic, reduce, value};
use super::*;
use crate::bls::fast::constants::{GENERATOR_ALPHA2, GENERATOR_ALPHA3, GENERATOR_SCALE, Z_ABS};
use crate::bls::fast::g1::G1;
use crate::bls::fast::g2::{G2, Walk};
use crate::bls::fast::identity::{Identities, QUOTIENT};
use crate::bls::fast::pairing::{CLAIM_ENDS, INNER_CLAIMS, Pair, transcript};
use crate::bls::fast::tape::Tape;

pub fn ours(value: &fp::Fp) -> Fp {
    Fp::from_be_bytes_masked(&value.to_bytes()).unwrap()
}

pub fn ours2(value: &fp2::Fp2) -> Fp2 {
    Fp2 { c0: ours(&value.c0), c1: ours(&value.c1) }
}

/// Slope of the tangent at the walk's coordinates.
pub fn tangent(walk: &Walk) -> Fp2 {
    let (x, y) = (theirs2(walk.x()), theirs2(walk.y()));
    let x2 = x.square();
    ours2(&((x2 + x2 + x2) * (y + y).invert().unwrap()))
}

/// Slope of the chord for `Walk::add`; anything where there is none.
pub fn chord(walk: &Walk, other: &G2) -> Fp2 {
    let (x, y) = (theirs2(walk.x()), theirs2(walk.y()));
    let other_y = if walk.negated() { -theirs2(&other.y) } else { theirs2(&other.y) };
    ours2(&((y - other_y) * (x - theirs2(&other.x)).invert().unwrap_or(fp2::Fp2::one())))
}

/// `a0 + a1 w^2 + a2 w^4`, an element of `Fp6`.
pub type Even = [Fp2; 3];

pub fn random_even(rng: &mut StdRng) -> Even {
    core::array::from_fn(|_| random2(rng))
}

/// `a + w`.
pub fn shifted([a0, a1, a2]: Even) -> Fp12 {
    Fp12([a0, Fp2::ONE, a1, Fp2::ZERO, a2, Fp2::ZERO])
}

/// The `a` for which `a + w` is the element up to a factor from `Fp6`.
pub fn ratio(element: &Fp12) -> Even {
    let element = theirs12(element);
    let ratio = element.c0 * element.c1.invert().unwrap();
    [ratio.c0, ratio.c1, ratio.c2].each_ref().map(ours2)
}

/// The tape's part for the pairing equation, as it is made.
pub struct PairingProver {
    key: G1,
    message_point: G2,
    signature: G2,
    /// The hint for `-x/y` of the key.
    alpha: Fp,
    /// Slopes in the order of the tape.
    slopes: Vec<Fp2>,
    /// By claim, the factors of every bit but the square: its lines, and whether the witness is one.
    claims: Vec<Vec<(Vec<Vec<Fp>>, bool)>>,
}

impl PairingProver {
    pub fn new(key: &G1, message_point: &G2, signature: &G2) -> Self {
        let alpha = -(theirs(&key.x) * theirs(&key.y).invert().unwrap());
        Self::with_ratio(ours(&alpha), key, message_point, signature)
    }

    /// A prover who says that `-x/y` of the key is `alpha`, and goes on from there.
    pub fn with_ratio(alpha: Fp, key: &G1, message_point: &G2, signature: &G2) -> Self {
        let (mut alpha2, mut alpha3) = (alpha, alpha);
        alpha2.square();
        alpha3.mul(&alpha2);
        let mut scale = alpha3;
        scale.mul(&key.y);
        let mut pairs = [
            Pair::new(*message_point, &alpha2, &alpha3, scale),
            Pair::new(*signature, &GENERATOR_ALPHA2, &GENERATOR_ALPHA3, GENERATOR_SCALE),
        ];
        let mut slopes = Vec::new();
        let mut claims = Vec::from([Vec::new()]);
        for i in (0..Z_ABS.ilog2()).rev() {
            let mut lines = Vec::new();
            for pair in &mut pairs {
                let slope = tangent(&pair.walk);
                lines.push(line(&slope, pair));
                assert!(pair.walk.double(&slope));
                slopes.push(slope);
            }
            let one = Z_ABS >> i & 1 == 1;
            for pair in pairs.iter_mut().filter(|_| one) {
                let slope = chord(&pair.walk, &pair.base);
                lines.push(line(&slope, pair));
                assert!(pair.walk.add(&pair.base, &slope));
                slopes.push(slope);
            }
            claims.last_mut().unwrap().push((lines, one));
            if i > 0 && CLAIM_ENDS >> i & 1 == 1 {
                claims.push(Vec::new());
            }
        }
        assert_eq!(claims.len(), INNER_CLAIMS + 1);
        Self { key: *key, message_point: *message_point, signature: *signature, alpha, slopes, claims }
    }

    /// The accumulator at the end of a claim which begins with `start`, not reduced.
    fn run(&self, claim: usize, start: &Fp12, witness: &Fp12) -> Vec<Fp> {
        let mut f = polynomial(start).to_vec();
        for (lines, one) in &self.claims[claim] {
            f = multiply(&f, &f);
            f = lines.iter().fold(f, |f, line| multiply(&f, line));
            if *one {
                f = multiply(&f, &polynomial(witness));
            }
        }
        f
    }

    /// The accumulator at the end of a claim which begins with `start`.
    pub fn end(&self, claim: usize, start: &Fp12, witness: &Fp12) -> Fp12 {
        reduce(self.run(claim, start, witness)).0
    }

    /// What the last accumulator is multiplied by when the accumulator at the begin of `claim` is one, and how
    /// often that accumulator is squared.
    pub fn tail(&self, claim: usize, witness: &Fp12) -> (Fp12, usize) {
        let mut f = Fp12::ONE;
        for claim in claim..self.claims.len() {
            f = self.end(claim, &f, witness);
        }
        (f.mul(&witness.frobenius()), self.claims[claim..].iter().map(Vec::len).sum())
    }

    /// The accumulators that are true for a witness.
    pub fn accumulators(&self, witness: Even) -> Vec<Even> {
        let witness = shifted(witness);
        let mut f = witness;
        let next = |claim| {
            let even = ratio(&self.end(claim, &f, &witness));
            f = shifted(even);
            even
        };
        (0..INNER_CLAIMS).map(next).collect()
    }

    /// The claims' products, not reduced.
    fn products(&self, witness: Even, accumulators: &[Even]) -> Vec<Vec<Fp>> {
        let witness = shifted(witness);
        let mut f = witness;
        let mut products = Vec::new();
        for (claim, even) in accumulators.iter().enumerate() {
            let mut factor = polynomial(&shifted(*even));
            factor[1].neg();
            products.push(multiply(&self.run(claim, &f, &witness), &factor));
            f = shifted(*even);
        }
        let last = self.run(INNER_CLAIMS, &f, &witness);
        products.push(multiply(&last, &polynomial(&witness.frobenius())));
        products
    }

    /// The claims that do not hold.
    pub fn broken_claims(&self, witness: Even, accumulators: &[Even]) -> Vec<usize> {
        let products = self.products(witness, accumulators).into_iter().map(reduce);
        let broken = |element: Fp12| element.0.iter().skip(1).step_by(2).any(|odd| !odd.is_zero());
        products.enumerate().filter(|(_, (element, _))| broken(*element)).map(|(i, _)| i).collect()
    }

    /// The tape. `late` may change the combined element and the quotient, and is told the random point and the
    /// value there by which the identity is missed.
    pub fn hints(
        &self,
        witness: Even,
        accumulators: &[Even],
        late: impl FnOnce(&Fp, &Fp, &mut [Fp; 6], &mut [Fp; QUOTIENT]),
    ) -> Vec<Fp> {
        let halves = |even: &Even| -> [Fp; 6] {
            let polynomial = polynomial(&shifted(*even));
            core::array::from_fn(|i| polynomial[2 * i])
        };
        let claimed: Vec<Fp> = accumulators.iter().flat_map(halves).collect();
        let claimed: &[Fp; 6 * INNER_CLAIMS] = claimed.as_slice().try_into().unwrap();
        let drawn =
            || transcript(&self.key, &self.message_point, &self.signature, witness.each_ref(), claimed);
        let rho = drawn().challenge();
        let mut combination = alloc::vec![Fp::ZERO; QUOTIENT + 12];
        for product in self.products(witness, accumulators) {
            combination.iter_mut().for_each(|coefficient| coefficient.mul(&rho));
            combination.iter_mut().zip(&product).for_each(|(coefficient, term)| coefficient.add(term));
        }
        let (rest, mut quotient) = divide(combination);
        let mut element: [Fp; 6] = core::array::from_fn(|i| rest[2 * i]);
        let tape = [&element[..], &quotient].concat();
        let point = *Identities::draw(drawn(), &mut Tape::new(&tape)).unwrap().w();
        let odd: Vec<Fp> = (0..12).map(|i| if i % 2 == 1 { rest[i] } else { Fp::ZERO }).collect();
        late(&point, &value(&odd, &point), &mut element, &mut quotient);

        let mut elements: Vec<Fp> = witness.iter().flat_map(|part| [part.c0, part.c1]).collect();
        elements.extend(claimed);
        elements.extend(element);
        elements.extend(quotient);
        elements.push(self.alpha);
        elements.extend(self.slopes.iter().flat_map(|slope| [slope.c0, slope.c1]));
        elements
    }
}

/// The line of a pair's next step, as a polynomial that is not reduced.
fn line(slope: &Fp2, pair: &Pair) -> Vec<Fp> {
    let mut through = quadratic(pair.walk.x());
    through[2].add(&pair.scale);
    let mut line = multiply(&quadratic(slope), &through);
    line.iter_mut().zip(quadratic(pair.walk.y())).for_each(|(line, y)| line.sub(&y));
    if pair.walk.negated() {
        line[3].sub(&pair.scale);
    } else {
        line[3].add(&pair.scale);
    }
    line
}
