//! Public keys: decompression and their sum, affine, with hinted roots and slopes.

use super::constants::TWO_THIRDS;
use super::field::Fp;
use super::tape::Tape;
use crate::bls::BlsError;

/// An affine point of `y^2 = x^3 + 4`. Never the identity. The curve's order is odd, so `y` is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct G1 {
    /// Abscissa.
    pub x: Fp,
    /// Ordinate.
    pub y: Fp,
}

/// The curve's constant.
const FOUR: Fp = Fp([4, 0, 0, 0, 0, 0]);

/// The abscissa of a compressed point and whether its `y` is the larger root; `None` where the flags or the
/// number are not those of a point other than the identity.
#[inline(always)]
pub fn parse(bytes: &[u8; 48]) -> Option<(Fp, bool)> {
    let flags = bytes[0] >> 5;
    // Compressed (4) and not infinity (2).
    if flags & 6 != 4 {
        return None;
    }
    Some((Fp::from_be_bytes_masked(bytes)?, flags & 1 == 1))
}

/// `x^3 + 4`.
#[inline(always)]
pub fn curve_equation(x: &Fp) -> Fp {
    let mut right = *x;
    right.square();
    right.mul(x);
    right.add(&FOUR);
    right
}

impl G1 {
    /// Adds a key, or its negation, in place; `None` is the identity. Complete: equal and opposite points
    /// are told apart. The hints are the key's `y` and the slope of the chord or tangent, where there is
    /// one.
    ///
    /// # Errors
    /// `malformed` for what no hint can mend, [`BlsError::Hint`] for a wrong root or slope. An `x` that is
    /// on no point has no root, so nothing is accepted for it.
    #[inline(always)]
    pub fn add_key(
        sum: &mut Option<Self>,
        bytes: &[u8; 48],
        negate: bool,
        malformed: BlsError,
        tape: &mut Tape<'_>,
    ) -> Result<(), BlsError> {
        let Some((x, largest)) = parse(bytes) else {
            return Err(malformed);
        };
        let y = tape.fp("key root")?;
        let mut square = y.copy();
        square.square();
        if square != curve_equation(&x) || y.is_lexicographically_largest() != largest ^ negate {
            return Err(BlsError::Hint("key root"));
        }
        Self::add_complete(sum, &x, y, tape)
    }

    /// Adds the point `(x, y)` in place.
    #[inline(always)]
    fn add_complete(sum: &mut Option<Self>, x: &Fp, y: &Fp, tape: &mut Tape<'_>) -> Result<(), BlsError> {
        let Some(point) = sum else {
            *sum = Some(Self { x: *x, y: *y });
            return Ok(());
        };
        if point.x == *x {
            if point.y != *y {
                // Both are on the curve, so they are opposite.
                *sum = None;
                return Ok(());
            }
            return point.double(tape);
        }
        // slope (x1 - x2) == y1 - y2 has one solution, for x1 != x2.
        let slope = tape.fp("key chord")?;
        point.y.sub(y);
        let mut run = point.x.copy();
        run.sub(x);
        run.mul(slope);
        if run != point.y {
            return Err(BlsError::Hint("key chord"));
        }
        // x3 = slope^2 - x1 - x2, y3 = slope (x2 - x3) - y2
        run = slope.copy();
        run.square();
        run.sub(&point.x);
        run.sub(x);
        point.x = run.copy();
        point.y = x.copy();
        point.y.sub(&run);
        point.y.mul(slope);
        point.y.sub(y);
        Ok(())
    }

    /// Doubles in place.
    #[inline(never)]
    fn double(&mut self, tape: &mut Tape<'_>) -> Result<(), BlsError> {
        let slope = tape.fp("key tangent")?;
        let mut left = *slope;
        left.mul(&self.y);
        left.mul(&TWO_THIRDS);
        let mut right = self.x;
        right.square();
        // One solution, as y is not zero.
        if left != right {
            return Err(BlsError::Hint("key tangent"));
        }
        left = *slope;
        left.square();
        left.sub(&self.x);
        left.sub(&self.x);
        self.x.sub(&left);
        self.x.mul(slope);
        self.x.sub(&self.y);
        *self = Self { x: left, y: self.x };
        Ok(())
    }
}

/// The sum over the signers: everybody's key less the absentees'.
///
/// # Errors
/// Names the first key that is malformed; [`BlsError::IdentityKey`] where nothing is left.
#[inline(never)]
pub fn signers_key(aggregate: &[u8; 48], absent: &[[u8; 48]], tape: &mut Tape<'_>) -> Result<G1, BlsError> {
    let mut sum = None;
    G1::add_key(&mut sum, aggregate, false, BlsError::AggregateKey, tape)?;
    for (i, key) in absent.iter().enumerate() {
        G1::add_key(&mut sum, key, true, BlsError::AbsentKey(i), tape)?;
    }
    sum.ok_or(BlsError::IdentityKey)
}
