//! The message's point, by RFC 9380 (suite `BLS12381G2_XMD:SHA-256_SSWU_RO_` with the tag of the consensus
//! specification), up to a known factor: see [`message_point`].

use sha2::{Digest, Sha256};

use super::constants::{
    ISOGENY_KERNEL, ISOGENY_SCALE_X, ISOGENY_SCALE_Y, ISOGENY_T, ISOGENY_U, SSWU_A, SSWU_B,
    SSWU_MINUS_B_OVER_A, SSWU_Z, TWO_POW_256, Z_ABS,
};
use super::field::{Fp, swap_bytes};
use super::fp2::Fp2;
use super::g2::G2;
use super::tape::Tape;
use crate::bls::BlsError;

/// The point `Q` of the r-torsion for which `H(message) = [4 z^2 - 2 z - 1] Q`, once the caller has checked
/// that it is in the subgroup.
///
/// Let `P` be the point that RFC 9380 has before it clears the cofactor. The twist's group is the direct sum
/// of the subgroup G2 (of prime order `r`, dividing the group's order once) and the cofactor's part. Clearing
/// multiplies by `[z^2 - z - 1] + [z - 1] psi + [2] psi^2` (appendix G.3), which is `4 z^2 - 2 z - 1` on G2,
/// where `psi = z`, and zero on the other part. So `H(message)` is that multiple of `P`'s component in G2.
/// Here the tape gives a point `D` of the twist and `Q = P - psi(D) + [z] D`. The map `psi - z` is zero on
/// G2 and keeps the cofactor's part, so `P - Q` has no component in G2, whatever `D` is: if `Q` is in G2, it
/// is the component of `P` there. The honest `D` is `[1 / (p - z)] (P - psi(P))`, the inverse taken modulo
/// the cofactor: `(psi - z) (1 - psi) = p - z` as `psi^2 - (z + 1) psi + p = 0`.
#[inline(never)]
pub fn message_point(message: &[u8], tag: &[u8], tape: &mut Tape<'_>) -> Result<G2, BlsError> {
    let [u0, u1] = hash_to_field(message, tag);
    let mut point = map_to_curve(&u0, tape)?;
    let other = map_to_curve(&u1, tape)?;
    // The isogeny is a homomorphism, so one evaluation after the addition serves both.
    point = point.add_hinted(&other, tape)?;
    isogeny(&mut point, tape)?;

    let preimage = G2::hinted(tape)?;
    let mut multiple = preimage.mul_hinted(Z_ABS, tape)?;
    multiple.y.neg();
    let mut image = preimage;
    image.psi();
    image.y.neg();
    // z is negative: [z] D = -[|z|] D.
    point.add_hinted(&image, tape)?.add_hinted(&multiple, tape)
}

/// `hash_to_field` with two elements of the quadratic extension (RFC 9380, 5.2 and 5.3.1).
/// `tag` has at most 94 bytes.
#[inline]
pub fn hash_to_field(message: &[u8], tag: &[u8]) -> [Fp2; 2] {
    let mut first = Aligned([0; 32]);
    Sha256::new()
        .chain_update([0; 64])
        .chain_update(message)
        .chain_update([1, 0, 0])
        .chain_update(tag)
        .chain_update([tag.len() as u8])
        .finalize_into((&mut first.0).into());
    // What the others hash is put together here, aligned: the last hash, a counter, and the tag with its
    // length.
    let mut buffer = Aligned([0; 128]);
    buffer.0[33..33 + tag.len()].copy_from_slice(tag);
    buffer.0[33 + tag.len()] = tag.len() as u8;
    let mut next = || {
        for i in 0..4 {
            let word = buffer.word(i) ^ first.word(i);
            buffer.0[8 * i..8 * i + 8].copy_from_slice(&word.to_ne_bytes());
        }
        buffer.0[32] += 1;
        let hasher = Sha256::new_with_prefix(&buffer.0[..34 + tag.len()]);
        if let Some(place) = buffer.0.first_chunk_mut::<32>() {
            hasher.finalize_into(place.into());
        }
        let word = |i| swap_bytes(buffer.word(i).to_le());
        Fp([word(3), word(2), word(1), word(0), 0, 0])
    };
    // 64 bytes an element, as 2^256 high + low; both halves are below 2^256, so canonical.
    let mut element = || {
        let mut value = next();
        value.mul(&TWO_POW_256);
        value.add(&next());
        value
    };
    let mut pair = || Fp2 { c0: element(), c1: element() };
    [pair(), pair()]
}

/// Bytes that may be read as words.
#[repr(C, align(8))]
struct Aligned<const N: usize>([u8; N]);

impl<const N: usize> Aligned<N> {
    /// The word at eight times `i`, in the machine's order.
    #[inline(always)]
    fn word(&self, i: usize) -> u64 {
        let mut word = [0; 8];
        word.copy_from_slice(&self.0[8 * i..8 * i + 8]);
        u64::from_ne_bytes(word)
    }
}

/// The simplified SWU map (RFC 9380, 6.6.2) to `y^2 = g(x) = x^3 + A x + B`. The hints are
/// `1 / (Z^2 u^4 + Z u^2)` and `y`.
///
/// The map takes the abscissa `x1` where `g(x1)` is a square, else `x2 = Z u^2 x1`. As `g(x2) = (Z u^2)^3
/// g(x1)` and `Z` is no square, a `y` other than zero with `y^2 = g(x2)` proves that `g(x1)` is none.
///
/// # Errors
/// [`BlsError::Hint`] also where `Z^2 u^4 + Z u^2` or `y` is zero: the specification defines the map there,
/// but no message is known to hash to such a `u`, and refusing is safe.
#[inline(never)]
pub fn map_to_curve(u: &Fp2, tape: &mut Tape<'_>) -> Result<G2, BlsError> {
    let mut zu2 = *u;
    zu2.square();
    zu2.mul(&SSWU_Z);
    let mut denominator = zu2;
    denominator.square();
    denominator.add(&zu2);
    let inverse = tape.fp2("map inverse")?;
    denominator.mul(inverse);
    if denominator != Fp2::ONE {
        return Err(BlsError::Hint("map inverse"));
    }
    // x1 = -B/A (1 + inverse)
    let mut x = *inverse;
    x.c0.add(&Fp::ONE);
    x.mul(&SSWU_MINUS_B_OVER_A);

    let y = tape.fp2("map root")?;
    let mut square = *y;
    square.square();
    if square != map_equation(&x) {
        x.mul(&zu2);
        if square != map_equation(&x) || square.is_zero() {
            return Err(BlsError::Hint("map root"));
        }
    }
    if y.is_odd() != u.is_odd() {
        return Err(BlsError::Hint("map root sign"));
    }
    Ok(G2 { x, y: *y })
}

/// `x^3 + A x + B`.
pub fn map_equation(x: &Fp2) -> Fp2 {
    let mut value = *x;
    value.square();
    value.add(&SSWU_A);
    value.mul(x);
    value.add(&SSWU_B);
    value
}

/// The 3-isogeny to the twist (RFC 9380, appendix E.3), in Velu's form: with `d = 1 / (x - k)`,
/// `x' = s^2 (x + d (t + u d))` and `y' = s^3 y (1 - d^2 (t + 2 u d))`. The hint is `d`; there is none for a
/// point of the kernel, which no message is known to hash to.
#[inline(never)]
pub fn isogeny(point: &mut G2, tape: &mut Tape<'_>) -> Result<(), BlsError> {
    let inverse = tape.fp2("isogeny inverse")?;
    let mut product = point.x;
    product.sub(&ISOGENY_KERNEL);
    product.mul(inverse);
    if product != Fp2::ONE {
        return Err(BlsError::Hint("isogeny inverse"));
    }
    let mut u_term = *inverse;
    u_term.mul(&ISOGENY_U);
    let mut first = u_term;
    first.add(&ISOGENY_T);
    let mut second = first;
    second.add(&u_term);

    first.mul(inverse);
    point.x.add(&first);
    point.x.mul_base(&ISOGENY_SCALE_X);

    let mut slope = *inverse;
    slope.square();
    slope.mul(&second);
    slope.neg();
    slope.c0.add(&Fp::ONE);
    point.y.mul(&slope);
    point.y.mul_base(&ISOGENY_SCALE_Y);
    Ok(())
}
