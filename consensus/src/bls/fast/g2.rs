//! The twist: signature decompression, affine steps with hinted slopes, the endomorphism.

use super::constants::{PSI_X, PSI_Y, TWO_THIRDS};
use super::field::Fp;
use super::fp2::Fp2;
use super::tape::Tape;
use crate::bls::BlsError;

/// An affine point of `y^2 = x^3 + b` over the quadratic extension, for the `b` its maker says.
///
/// Both curves used here (the twist, `b = 4 (1 + i)` up to the isomorphisms of the pairing, and the one the
/// hash maps to) have odd order over the extension, so `y` is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct G2 {
    /// Abscissa.
    pub x: Fp2,
    /// Ordinate.
    pub y: Fp2,
}

/// The twist's constant, `4 (1 + i)`.
const TWIST_B: Fp2 = Fp2 { c0: Fp([4, 0, 0, 0, 0, 0]), c1: Fp([4, 0, 0, 0, 0, 0]) };

/// `x^3 + 4 (1 + i)`.
pub fn curve_equation(x: &Fp2) -> Fp2 {
    let mut right = *x;
    right.square();
    right.mul(x);
    right.add(&TWIST_B);
    right
}

/// The abscissa of a compressed point and whether its `y` is the larger root; `None` where the flags or the
/// numbers are not those of a point other than the identity.
pub fn parse(bytes: &[u8; 96]) -> Option<(Fp2, bool)> {
    let (c1, c0) = bytes.split_first_chunk::<48>()?;
    let c0: &[u8; 48] = c0.first_chunk()?;
    let flags = c1[0] >> 5;
    // Compressed (4) and not infinity (2); the second half has no flags.
    if flags & 6 != 4 || c0[0] >> 5 != 0 {
        return None;
    }
    let x = Fp2 { c0: Fp::from_be_bytes_masked(c0)?, c1: Fp::from_be_bytes_masked(c1)? };
    Some((x, flags & 1 == 1))
}

impl G2 {
    /// Decompresses a signature; on the curve, the subgroup is the caller's to check. The hint is `y`.
    ///
    /// # Errors
    /// [`BlsError::Signature`] for what no hint can mend, [`BlsError::Hint`] for a wrong root.
    pub fn decompress(bytes: &[u8; 96], tape: &mut Tape<'_>) -> Result<Self, BlsError> {
        let (x, largest) = parse(bytes).ok_or(BlsError::Signature)?;
        let y = tape.fp2("signature root")?;
        let mut square = *y;
        square.square();
        if square != curve_equation(&x) || y.is_lexicographically_largest() != largest {
            return Err(BlsError::Hint("signature root"));
        }
        Ok(Self { x, y: *y })
    }

    /// A point of the twist from the tape.
    pub fn hinted(tape: &mut Tape<'_>) -> Result<Self, BlsError> {
        let x = tape.fp2("cofactor point")?;
        let y = tape.fp2("cofactor point")?;
        let mut square = *y;
        square.square();
        if square != curve_equation(x) {
            return Err(BlsError::Hint("cofactor point"));
        }
        Ok(Self { x: *x, y: *y })
    }

    /// Adds `other`, the slope from the tape.
    pub fn add_hinted(self, other: &Self, tape: &mut Tape<'_>) -> Result<Self, BlsError> {
        let mut walk = Walk::new(&self);
        walk.add_hinted(other, tape)?;
        Ok(walk.into_point())
    }

    /// Multiplies by `scalar`, slopes from the tape.
    pub fn mul_hinted(&self, scalar: u64, tape: &mut Tape<'_>) -> Result<Self, BlsError> {
        let mut walk = Walk::new(self);
        for i in (0..scalar.ilog2()).rev() {
            walk.double_hinted(tape)?;
            if scalar >> i & 1 == 1 {
                walk.add_hinted(self, tape)?;
            }
        }
        Ok(walk.into_point())
    }

    /// The endomorphism psi: untwist, Frobenius, twist. It multiplies the subgroup by `p = z mod r`. It
    /// commutes with scaling `(x, y)` to `(a^2 x, a^3 y)` for `a` in the base field.
    pub fn psi(&mut self) {
        // conj(x) (v i) = x1 v + x0 v i
        core::mem::swap(&mut self.x.c0, &mut self.x.c1);
        self.x.mul_base(&PSI_X);
        self.y.conjugate();
        self.y.mul(&PSI_Y);
    }
}

/// A running multiple of a point. Each step leaves the negation of what it says, as that is had without a
/// copy: `negated` tells whether the coordinates are those of the multiple's negation.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    /// The abscissa is the one that `negated` selects; a step writes the other.
    x: [Fp2; 2],
    y: Fp2,
    negated: bool,
}

impl Walk {
    /// The walk's first point.
    #[inline(always)]
    pub fn new(start: &G2) -> Self {
        Self { x: [start.x.copy(), start.x.copy()], y: start.y.copy(), negated: false }
    }

    /// The abscissa.
    #[inline(always)]
    pub fn x(&self) -> &Fp2 {
        &self.x[usize::from(self.negated)]
    }

    /// The ordinate, of the negation where [`Walk::negated`] says so.
    #[inline(always)]
    pub fn y(&self) -> &Fp2 {
        &self.y
    }

    /// Whether the coordinates are the negation's.
    #[inline(always)]
    pub fn negated(&self) -> bool {
        self.negated
    }

    /// The point.
    pub fn into_point(mut self) -> G2 {
        if self.negated {
            self.y.neg();
        }
        G2 { x: *self.x(), y: self.y }
    }

    /// The abscissas, old and new.
    #[inline(always)]
    fn abscissas(&mut self) -> (&mut Fp2, &mut Fp2, &mut Fp2) {
        let [even, odd] = &mut self.x;
        if self.negated { (odd, even, &mut self.y) } else { (even, odd, &mut self.y) }
    }

    /// Doubles if `slope` is the tangent's at the coordinates, else says `false`.
    #[inline(always)]
    #[must_use]
    pub fn double(&mut self, slope: &Fp2) -> bool {
        let (x, x3, y) = self.abscissas();
        let valid = tangent_step(x, x3, y, slope);
        self.negated = !self.negated;
        valid
    }

    /// Adds `other` (to the multiple, not to the coordinates, where they differ) if `slope` is the chord's
    /// at the coordinates, else says `false`.
    #[inline(always)]
    #[must_use]
    pub fn add(&mut self, other: &G2, slope: &Fp2) -> bool {
        let negated = self.negated;
        let (x, x3, y) = self.abscissas();
        let valid = chord_step(x, x3, y, other, negated, slope);
        self.negated = !negated;
        valid
    }

    /// Doubles, the slope from the tape.
    #[inline(always)]
    pub fn double_hinted(&mut self, tape: &mut Tape<'_>) -> Result<(), BlsError> {
        if self.double(tape.fp2("tangent")?) { Ok(()) } else { Err(BlsError::Hint("tangent")) }
    }

    /// Adds `other`, the slope from the tape.
    pub fn add_hinted(&mut self, other: &G2, tape: &mut Tape<'_>) -> Result<(), BlsError> {
        if self.add(other, tape.fp2("chord")?) { Ok(()) } else { Err(BlsError::Hint("chord")) }
    }
}

/// Checks the slope and doubles: `2/3 slope y == x^2` has one solution, as `y` is not zero; then `x3 =
/// slope^2 - 2 x` and `-y3 = y - slope (x - x3)`, in place of `y`. 32 calls, 12 copies. Functions of their
/// own have small stack frames, whose addresses are cheap.
#[inline(never)]
fn tangent_step(x: &mut Fp2, x3: &mut Fp2, y: &mut Fp2, slope: &Fp2) -> bool {
    let mut left = slope.copy();
    left.mul(y);
    left.mul_base(&TWO_THIRDS);
    *x3 = x.copy();
    x3.square();
    let valid = left == *x3;
    *x3 = slope.copy();
    x3.square();
    x3.sub(x);
    x3.sub(x);
    x.sub(x3);
    x.mul(slope);
    y.sub(x);
    valid
}

/// Checks the slope and adds `other`, or its negation. SOUNDNESS: points of one abscissa are refused, else
/// any slope would pass for equal points. No honest run comes there: its points have the order of the
/// subgroup, or are hashes.
#[inline(never)]
fn chord_step(x: &mut Fp2, x3: &mut Fp2, y: &mut Fp2, other: &G2, negate: bool, slope: &Fp2) -> bool {
    let mut run = x.copy();
    run.sub(&other.x);
    let distinct = !run.is_zero();
    run.mul(slope);
    *x3 = y.copy();
    if negate {
        x3.add(&other.y);
    } else {
        x3.sub(&other.y);
    }
    let valid = distinct && run == *x3;
    *x3 = slope.copy();
    x3.square();
    x3.sub(x);
    x3.sub(&other.x);
    x.sub(x3);
    x.mul(slope);
    y.sub(x);
    valid
}
