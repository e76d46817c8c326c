//! Makes hint tapes. Native only; nothing here is trusted by the check.

mod exponents;
mod pairing;
mod polynomials;
mod roots;

use alloc::vec::Vec;

use bls12_381::{G2Affine, G2Projective, Scalar};

use self::roots::{invert, invert2, sqrt, sqrt2};
use super::constants::{ISOGENY_KERNEL, SSWU_MINUS_B_OVER_A, SSWU_Z, Z_ABS};
use super::field::Fp;
use super::fp2::Fp2;
use super::g1::{self, G1};
use super::g2::{self, G2, Walk};
use super::tape::Tape;
use super::{check, hash};
use crate::bls::plain::CIPHERSUITE;
use crate::bls::{AggregateVerifier, BlsError, Plain};

/// Verifies signatures natively, with the plain reference, and records the hints that
/// [`HintedVerifier`](super::HintedVerifier) needs for the same checks in the same order.
#[derive(Debug, Default)]
pub struct HintRecorder {
    pub(super) elements: Vec<Fp>,
}

impl HintRecorder {
    /// An empty tape.
    pub fn new() -> Self {
        Self::default()
    }

    /// The hints of all checks so far.
    pub fn into_hints(self) -> Vec<u8> {
        self.elements.iter().flat_map(|element| element.0).flat_map(u64::to_le_bytes).collect()
    }

    fn push2(&mut self, value: &Fp2) {
        self.elements.extend([value.c0, value.c1]);
    }

    /// Records one check, and tells whether the pairing equation holds; the subgroup is not looked at.
    pub(super) fn record(
        &mut self,
        aggregate: &[u8; 48],
        absent: &[[u8; 48]],
        message: &[u8; 32],
        signature: &[u8; 96],
    ) -> Option<bool> {
        let key = self.signers_key(aggregate, absent)?;
        let signature = self.signature(signature)?;
        let message = self.message_point(message, CIPHERSUITE)?;
        self.pairing(&key, message, signature)
    }

    fn signers_key(&mut self, aggregate: &[u8; 48], absent: &[[u8; 48]]) -> Option<G1> {
        let mut sum = None;
        for (i, bytes) in core::iter::once(aggregate).chain(absent).enumerate() {
            let negate = i > 0;
            let start = self.elements.len();
            let key = self.key(bytes, negate)?;
            let slope = sum.as_ref().and_then(|sum| slope(sum, &key));
            self.elements.extend(slope);
            let mut tape = Tape::new(&self.elements[start..]);
            G1::add_key(&mut sum, bytes, negate, BlsError::AggregateKey, &mut tape).ok()?;
        }
        sum
    }

    fn key(&mut self, bytes: &[u8; 48], negate: bool) -> Option<G1> {
        let (x, largest) = g1::parse(bytes)?;
        let mut y = sqrt(&g1::curve_equation(&x))?;
        if y.is_lexicographically_largest() != largest ^ negate {
            y.neg();
        }
        self.elements.push(y);
        Some(G1 { x, y })
    }

    fn signature(&mut self, bytes: &[u8; 96]) -> Option<G2> {
        let (x, largest) = g2::parse(bytes)?;
        let mut y = sqrt2(&g2::curve_equation(&x))?;
        if y.is_lexicographically_largest() != largest {
            y.neg();
        }
        self.push2(&y);
        Some(G2 { x, y })
    }

    pub(super) fn message_point(&mut self, message: &[u8], tag: &[u8]) -> Option<G2> {
        let [u0, u1] = hash::hash_to_field(message, tag);
        let mut point = self.map_to_curve(&u0)?;
        let other = self.map_to_curve(&u1)?;
        point = self.add(&point, &other)?;

        let mut distance = point.x;
        distance.sub(&ISOGENY_KERNEL);
        let inverse = invert2(&distance);
        self.push2(&inverse);
        hash::isogeny(&mut point, &mut Tape::new(&[inverse.c0, inverse.c1])).ok()?;

        let preimage = cofactor_preimage(&point)?;
        self.push2(&preimage.x);
        self.push2(&preimage.y);
        let mut walk = Walk::new(&preimage);
        for i in (0..Z_ABS.ilog2()).rev() {
            let slope = tangent(&walk);
            self.push2(&slope);
            walk.double(&slope).then_some(())?;
            if Z_ABS >> i & 1 == 1 {
                let slope = chord(&walk, &preimage);
                self.push2(&slope);
                walk.add(&preimage, &slope).then_some(())?;
            }
        }
        let mut multiple = walk.into_point();
        multiple.y.neg();
        let mut image = preimage;
        image.psi();
        image.y.neg();
        point = self.add(&point, &image)?;
        self.add(&point, &multiple)
    }

    fn map_to_curve(&mut self, u: &Fp2) -> Option<G2> {
        let mut zu2 = *u;
        zu2.square();
        zu2.mul(&SSWU_Z);
        let mut denominator = zu2;
        denominator.square();
        denominator.add(&zu2);
        let inverse = invert2(&denominator);
        self.push2(&inverse);
        let mut x = inverse;
        x.c0.add(&Fp::ONE);
        x.mul(&SSWU_MINUS_B_OVER_A);
        let mut y = match sqrt2(&hash::map_equation(&x)) {
            Some(y) => y,
            None => {
                x.mul(&zu2);
                sqrt2(&hash::map_equation(&x))?
            }
        };
        if y.is_odd() != u.is_odd() {
            y.neg();
        }
        self.push2(&y);
        Some(G2 { x, y })
    }

    fn add(&mut self, point: &G2, other: &G2) -> Option<G2> {
        let mut walk = Walk::new(point);
        let slope = chord(&walk, other);
        self.push2(&slope);
        walk.add(other, &slope).then(|| walk.into_point())
    }
}

impl AggregateVerifier for HintRecorder {
    fn verify(
        &mut self,
        aggregate: &[u8; 48],
        absent: &[[u8; 48]],
        message: &[u8; 32],
        signature: &[u8; 96],
    ) -> Result<(), BlsError> {
        Plain.verify(aggregate, absent, message, signature)?;
        let mut part = Self::new();
        let holds = part.record(aggregate, absent, message, signature).ok_or(BlsError::Hint("none found"))?;
        debug_assert!(holds, "the plain reference has accepted");
        check(aggregate, absent, message, signature, &mut Tape::new(&part.elements))?;
        self.elements.append(&mut part.elements);
        Ok(())
    }
}

/// Slope of the line through two points, unless it is a vertical.
fn slope(point: &G1, other: &G1) -> Option<Fp> {
    let (mut rise, mut run) = (point.y, point.x);
    rise.sub(&other.y);
    run.sub(&other.x);
    if point == other {
        (rise, run) = (point.x, point.y);
        rise.square();
        rise.mul(&Fp([3, 0, 0, 0, 0, 0]));
        run.double();
    }
    rise.mul(&invert(&run));
    (!run.is_zero()).then_some(rise)
}

/// Slope of the tangent at the walk's coordinates.
fn tangent(walk: &Walk) -> Fp2 {
    let (mut rise, mut run) = (*walk.x(), *walk.y());
    rise.square();
    rise.mul_base(&Fp([3, 0, 0, 0, 0, 0]));
    run.double();
    rise.mul(&invert2(&run));
    rise
}

/// Slope of the chord for [`Walk::add`].
fn chord(walk: &Walk, other: &G2) -> Fp2 {
    let (mut rise, mut run) = (*walk.y(), *walk.x());
    if walk.negated() {
        rise.add(&other.y);
    } else {
        rise.sub(&other.y);
    }
    run.sub(&other.x);
    rise.mul(&invert2(&run));
    rise
}

/// `[1 / (p - z) mod cofactor] (point - psi(point))`, see [`hash::message_point`].
fn cofactor_preimage(point: &G2) -> Option<G2> {
    let point = G2Projective::from(export(point)?);
    let difference = point - point.psi();
    // The scalar in two parts below the order of the scalar field, as the point is of another order.
    let [l0, l1, l2, l3, h0, h1, h2, h3] = exponents::COFACTOR_PREIMAGE;
    let scalar = |limbs: [u64; 4]| Scalar::from_raw(limbs);
    let mut shifted = difference;
    for _ in 0..256 {
        shifted = shifted.double();
    }
    let mut low = difference;
    for _ in 0..128 {
        low = low.double();
    }
    let product = difference * scalar([l0, l1, 0, 0])
        + low * scalar([l2, l3, 0, 0])
        + shifted * scalar([h0, h1, h2, h3]);
    import(&product.into())
}

/// The point in the reference library's form.
pub(super) fn export(point: &G2) -> Option<G2Affine> {
    let mut bytes = [0; 192];
    let parts = [&point.x.c1, &point.x.c0, &point.y.c1, &point.y.c0];
    for (part, bytes) in parts.iter().zip(bytes.chunks_exact_mut(48)) {
        for (limb, bytes) in part.0.iter().rev().zip(bytes.chunks_exact_mut(8)) {
            bytes.copy_from_slice(&limb.to_be_bytes());
        }
    }
    G2Affine::from_uncompressed_unchecked(&bytes).into()
}

/// The point in this folder's form; `None` for the identity.
pub(super) fn import(point: &G2Affine) -> Option<G2> {
    if bool::from(point.is_identity()) {
        return None;
    }
    let bytes = point.to_uncompressed();
    let part = |i: usize| Fp::from_be_bytes_masked(bytes[48 * i..].first_chunk()?);
    Some(G2 { x: Fp2 { c0: part(1)?, c1: part(0)? }, y: Fp2 { c0: part(3)?, c1: part(2)? } })
}
