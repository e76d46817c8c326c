//! The pairing equation: one Miller loop for both pairs, and a residue witness in place of the final
//! exponentiation.
//!
//! With `N = |z|` and `f_N,Q` the function of the optimal ate pairing (its conjugate, for the negative `z`,
//! changes nothing below), the equation is `g^((p^12 - 1) / r) = 1` for `g = f_N,Q(key) f_N,S(G)`, where
//! `S` is the signature, `H(message) = [k] Q` with `k = 4 z^2 - 2 z - 1`, and `G = -[1/k] g1` is a
//! constant.
//!
//! Residue witness (Novakovic and Eagen, "On proving pairings", 2024/640, section 4):
//! `lambda = p - z = r (z - 1)^2 / 3` is a multiple of `r`. The check is that `g d^lambda` is in the subfield `Fp6` for a
//! hinted `d` other than zero. SOUNDNESS: then `g = c d^-lambda` with `c` in `Fp6*`; both factors vanish in
//! the final exponent `(p^12 - 1) / r`, the second as `r | lambda`, the first as `p^6 - 1` divides the
//! exponent (`r` divides `p^6 + 1`). That is all; no more need be known of `c`. Completeness: for `g` an
//! `r`-th power, `g = s t` with `s` of order dividing `9 (|z| + 1)` and the order of `t` prime to that and
//! to `r` (no prime but those divides both `lambda` and `p^12 - 1`); `s` is in `Fp3`, and `lambda` is
//! invertible for `t`. By the same reasoning a factor from `Fp6*` may be added to `g` and `d` anywhere: `d`
//! is scaled to `a + w` with `a` in `Fp6`, lines leave out verticals and are scaled by elements of `Fp` and
//! by `w^3` (in `Fp4`, whose order divides the exponent too).
//!
//! As `d^lambda = d^p d^N`, the second factor comes from starting the loop's accumulator at `d` and
//! multiplying `d` in at each of `N`'s ones.
//!
//! A subgroup's points come from the loop's end: `psi(Q) = [z] Q`, where `[z] Q` is minus the point that
//! the loop ends at. The loop's points are right whatever the order of `Q`: slopes of tangents have one
//! solution, chords between points of one abscissa are refused. The key's component outside of G1 has no
//! influence: the reduced Tate pairing is defined modulo multiples of `r` in its second argument.

use super::constants::{FROBENIUS, GENERATOR_ALPHA2, GENERATOR_ALPHA3, GENERATOR_SCALE, Z_ABS};
use super::field::Fp;
use super::fp2::Fp2;
use super::g1::G1;
use super::g2::{G2, Walk};
use super::identity::{Identities, LinePowers};
use super::tape::Tape;
use super::transcript::Transcript;
use crate::bls::BlsError;

/// Where a claim ends, by the index of the bit of `N` whose step it ends with: with every one, before every
/// one, and else every second. Between claims there are so at most two doublings, and no addition but at
/// the end of a single one.
///
/// The accumulator counts up to factors in `Fp6`, so each claim's end replaces it by `a + w`, with `a` in
/// `Fp6` from the tape. SOUNDNESS: the claim is that the old accumulator times `a - w` is in `Fp6`; as
/// `(a + w) (a - w)` is in `Fp6` and not zero, old and new then differ by a factor from `Fp6*` (no accumulator
/// is zero: lines and `a + w` are not).
///
/// Degrees: `a + w` has 10, a line 12. So two doublings give `4 * 10 + 2 * 24 + 24 + 10 = 122`, one with an
/// addition `2 * 10 + 24 + 24 + 10 + 10 = 88`, and the last claim, which has the image of `d` in place of
/// `a - w`, 122 again.
pub const CLAIM_ENDS: u64 = {
    let mut ends = 1;
    let mut open = false;
    let mut i = 63;
    while i > 0 {
        i -= 1;
        let one = Z_ABS >> i & 1 == 1;
        let before_one = i > 0 && Z_ABS >> (i - 1) & 1 == 1;
        if one || before_one || open {
            ends |= 1 << i;
            open = false;
        } else {
            open = true;
        }
    }
    ends
};
/// Claims between the first and the last.
pub const INNER_CLAIMS: usize = CLAIM_ENDS.count_ones() as usize - 1;

/// One pair: a point of the twist in coordinates scaled for its point of G1, and its running multiple.
pub struct Pair {
    pub base: G2,
    pub walk: Walk,
    pub scale: Fp,
}

impl Pair {
    /// The pair of `base` with the point `(x, y)` of G1 for which `alpha2 = (x/y)^2`, `alpha3 = -(x/y)^3` and
    /// `scale = -x^3 / y^2`.
    ///
    /// At `(x, y)`, the line of slope `l` through `(u, v)` is `y w^3 - l x w^2 + l u - v`. In the coordinates
    /// `(alpha^2 u, alpha^3 v)` with `alpha = -x/y`, where slopes are `alpha l`, and times `alpha^3`, that is
    /// `s w^3 + s l w^2 + l u - v` with `s = alpha^3 y`.
    pub fn new(mut base: G2, alpha2: &Fp, alpha3: &Fp, scale: Fp) -> Self {
        base.x.mul_base(alpha2);
        base.y.mul_base(alpha3);
        Self { base, walk: Walk::new(&base), scale }
    }

    /// A doubling: its line's value is multiplied into `f`.
    #[inline(always)]
    fn double(
        &mut self,
        f: &mut Fp,
        at: &Identities,
        powers: &LinePowers,
        tape: &mut Tape<'_>,
    ) -> Result<(), BlsError> {
        let slope = tape.fp2("tangent")?;
        at.multiply_by_line(f, slope, &self.walk, powers);
        if self.walk.double(slope) { Ok(()) } else { Err(BlsError::Hint("tangent")) }
    }

    /// An addition of the base: its line's value is multiplied into `f`.
    #[inline(always)]
    fn add(
        &mut self,
        f: &mut Fp,
        at: &Identities,
        powers: &LinePowers,
        tape: &mut Tape<'_>,
    ) -> Result<(), BlsError> {
        let slope = tape.fp2("chord")?;
        at.multiply_by_line(f, slope, &self.walk, powers);
        if self.walk.add(&self.base, slope) { Ok(()) } else { Err(BlsError::Hint("chord")) }
    }

    /// Whether the base is in the subgroup, at the loop's end (Scott, "A note on group membership tests for
    /// G1, G2 and GT on BLS pairing-friendly curves", 2021/1130).
    fn is_in_subgroup(&self) -> bool {
        let mut image = self.base;
        image.psi();
        image.y.neg();
        image == self.walk.into_point()
    }
}

/// The pair of `key`. SOUNDNESS: `alpha` is the only solution of `alpha y + x = 0`, and there is none where
/// `y` is zero; `x` is not zero. No point of the subgroup has either.
fn key_pair(key: &G1, base: G2, tape: &mut Tape<'_>) -> Result<Pair, BlsError> {
    let alpha = tape.fp("key ratio")?;
    let mut sum = *alpha;
    sum.mul(&key.y);
    sum.add(&key.x);
    if !sum.is_zero() || key.x.is_zero() || key.y.is_zero() {
        return Err(BlsError::Hint("key ratio"));
    }
    let mut alpha2 = *alpha;
    alpha2.square();
    let mut alpha3 = alpha2;
    alpha3.mul(alpha);
    let mut scale = alpha3;
    scale.mul(&key.y);
    Ok(Pair::new(base, &alpha2, &alpha3, scale))
}

/// What the claims consist of: the points (ratios and slopes follow from them), the witness, the
/// accumulators' parts in `Fp6`.
pub fn transcript(
    key: &G1,
    message_point: &G2,
    signature: &G2,
    witness: [&Fp2; 3],
    claimed: &[Fp; 6 * INNER_CLAIMS],
) -> Transcript {
    let mut transcript = Transcript::new();
    transcript.absorb(&[key.x, key.y, message_point.x.c0, message_point.x.c1]);
    transcript.absorb(&[message_point.y.c0, message_point.y.c1, signature.x.c0, signature.x.c1]);
    transcript.absorb(&[signature.y.c0, signature.y.c1, witness[0].c0, witness[0].c1]);
    transcript.absorb(&[witness[1].c0, witness[1].c1, witness[2].c0, witness[2].c1]);
    transcript.absorb_all(claimed);
    transcript
}

/// Checks `e(key, H(message)) == e(g1, signature)`. Whether `message_point` and `signature` are in the
/// subgroup is checked here.
pub fn check(key: &G1, message_point: G2, signature: G2, tape: &mut Tape<'_>) -> Result<(), BlsError> {
    let witness = [tape.fp2("residue witness")?, tape.fp2("residue witness")?, tape.fp2("residue witness")?];
    let claimed = tape.array("accumulator")?;
    let transcript = transcript(key, &message_point, &signature, witness, claimed);
    let mut at = Identities::draw(transcript, tape)?;

    let mut message = key_pair(key, message_point, tape)?;
    let mut signature = Pair::new(signature, &GENERATOR_ALPHA2, &GENERATOR_ALPHA3, GENERATOR_SCALE);
    let (key_powers, generator_powers) = (at.line_powers(&message.scale), at.line_powers(&signature.scale));
    let mut d = at.even(witness);
    d.add(at.w());
    let mut claims = claimed.as_chunks::<6>().0.iter();
    let mut f = d;
    for i in (0..Z_ABS.ilog2()).rev() {
        f.square();
        message.double(&mut f, &at, &key_powers, tape)?;
        signature.double(&mut f, &at, &generator_powers, tape)?;
        if Z_ABS >> i & 1 == 1 {
            message.add(&mut f, &at, &key_powers, tape)?;
            signature.add(&mut f, &at, &generator_powers, tape)?;
            f.mul(&d);
        }
        if CLAIM_ENDS >> i & 1 == 1
            && let Some(claim) = claims.next()
        {
            let mut factor = at.subfield(claim);
            factor.sub(at.w());
            f.mul(&factor);
            at.claim(&f);
            f = factor;
            f.add(at.w());
            f.add(at.w());
        }
    }
    if !signature.is_in_subgroup() {
        return Err(BlsError::Signature);
    }
    if !message.is_in_subgroup() {
        return Err(BlsError::Hint("cofactor point"));
    }
    f.mul(&frobenius(witness, &at));
    at.claim(&f);
    if at.hold() { Ok(()) } else { Err(BlsError::Mismatch) }
}

/// The value of `d^p` for `d = a0 + w + a1 w^2 + a2 w^4`.
fn frobenius([a0, a1, a2]: [&Fp2; 3], at: &Identities) -> Fp {
    let image = |element: &Fp2, factor: &Fp2| {
        let mut image = *element;
        image.conjugate();
        image.mul(factor);
        image
    };
    let mut value = at.quadratic(&FROBENIUS[0]);
    value.mul(at.w());
    value.add(&at.even([&image(a0, &Fp2::ONE), &image(a1, &FROBENIUS[1]), &image(a2, &FROBENIUS[3])]));
    value
}
