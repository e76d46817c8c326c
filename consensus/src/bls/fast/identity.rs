//! Identities in the pairing's field, checked all at once at one random point.
//!
//! The pairing's field is `Fp[X] / M` with `M = (X^6 - 1)^2 + 1`, by `w = X` and `i = X^6 - 1`; its
//! subfield `Fp6` is the polynomials in `X^2`. The claims are that products `R_0` to `R_n` of elements are in
//! the subfield. A product is taken as the product of the elements' polynomials, not reduced. The prover
//! gives, for a random `rho`, an element `E` of the subfield and a quotient `Q` with
//! `sum rho^(n-j) R_j = E + Q M`, and that is checked at a random point. Polynomials of degree about a
//! hundred are never multiplied here: all it takes is their values.
//!
//! SOUNDNESS (Fiat-Shamir, in the random oracle model for [`Transcript`]): when `rho` is drawn, everything
//! the `R_j` consist of is in the transcript or follows from what is there. If some `R_j` is not in the
//! subfield, then at some odd index the coefficients of `R_0` to `R_n` modulo `M` are not all zero, and the
//! combination's coefficient there, a polynomial in `rho`, is zero for at most `n` of about `2^248` values. If
//! the combination is not in the subfield, `combination - E - Q M` is not zero, its degree is at most
//! [`DEGREE`], and so it vanishes at no more than that many of the about `2^248` values of the point, drawn
//! after `E` and `Q` are in the transcript.

use super::field::Fp;
use super::fp2::Fp2;
use super::g2::Walk;
use super::tape::Tape;
use super::transcript::Transcript;
use crate::bls::BlsError;

/// Bound on the degree of every `R_j`, see [`super::pairing`].
pub const DEGREE: usize = 122;
/// Coefficients of the quotient.
pub const QUOTIENT: usize = DEGREE - 12 + 1;

/// The values of `s w^2` and `s w^3` for a scale `s` of lines.
pub struct LinePowers {
    square: Fp,
    cube: Fp,
}

/// The random point, its powers, and the checks so far.
pub struct Identities {
    point: Fp,
    square: Fp,
    cube: Fp,
    /// The value of `i`.
    imaginary: Fp,
    rho: Fp,
    combination: Fp,
    /// The value of the element and the quotient times the modulus.
    expected: Fp,
}

impl Identities {
    /// Draws `rho`, reads the element and the quotient and draws the point.
    pub fn draw(mut transcript: Transcript, tape: &mut Tape<'_>) -> Result<Self, BlsError> {
        let rho = transcript.challenge();
        let element = tape.array::<6>("combined element")?;
        transcript.absorb_all(element);
        let quotient = tape.array::<QUOTIENT>("quotient")?;
        transcript.absorb_all(quotient);
        let point = transcript.challenge();
        let mut square = point;
        square.square();
        let mut cube = square;
        cube.mul(&point);
        let mut imaginary = cube;
        imaginary.square();
        imaginary.sub(&Fp::ONE);
        let mut modulus = imaginary;
        modulus.square();
        modulus.add(&Fp::ONE);
        let mut expected = horner(quotient, &point);
        expected.mul(&modulus);
        expected.add(&horner(element, &square));
        Ok(Self { point, square, cube, imaginary, rho, combination: Fp::ZERO, expected })
    }

    /// The value of an element of the subfield given by the coefficients of its polynomial, lowest first.
    #[inline]
    pub fn subfield(&self, coefficients: &[Fp; 6]) -> Fp {
        horner(coefficients, &self.square)
    }

    /// The value of an element of the quadratic field.
    #[inline(always)]
    pub fn quadratic(&self, element: &Fp2) -> Fp {
        let mut value = element.c1.copy();
        value.mul(&self.imaginary);
        value.add(&element.c0);
        value
    }

    /// The value of `a0 + a1 w^2 + a2 w^4`.
    #[inline(always)]
    pub fn even(&self, [a0, a1, a2]: [&Fp2; 3]) -> Fp {
        let mut value = self.quadratic(a2);
        value.mul(&self.square);
        value.add(&self.quadratic(a1));
        value.mul(&self.square);
        value.add(&self.quadratic(a0));
        value
    }

    /// The value of `w`.
    pub fn w(&self) -> &Fp {
        &self.point
    }

    /// Powers for the lines of one pair, see [`LinePowers`].
    pub fn line_powers(&self, scale: &Fp) -> LinePowers {
        let (mut square, mut cube) = (self.square, self.cube);
        square.mul(scale);
        cube.mul(scale);
        LinePowers { square, cube }
    }

    /// Multiplies `f` by the value of the line of slope `slope` through the walk's coordinates `(x, y)`:
    /// `slope (x + s w^2) - y + s w^3` for the scale `s` of `powers`, products not reduced. For a negated
    /// point that is the line of the negation; the point's own, negated, has `-s w^3` instead.
    #[inline(never)]
    pub fn multiply_by_line(&self, f: &mut Fp, slope: &Fp2, through: &Walk, powers: &LinePowers) {
        let mut value = self.quadratic(through.x());
        value.add(&powers.square);
        value.mul(&self.quadratic(slope));
        value.sub(&self.quadratic(through.y()));
        if through.negated() {
            value.sub(&powers.cube);
        } else {
            value.add(&powers.cube);
        }
        f.mul(&value);
    }

    /// Claims that an element of this value is in the subfield.
    #[inline(always)]
    pub fn claim(&mut self, value: &Fp) {
        self.combination.mul(&self.rho);
        self.combination.add(value);
    }

    /// Whether all claims hold.
    pub fn hold(&self) -> bool {
        self.combination == self.expected
    }
}

/// The value of a polynomial, lowest coefficient first.
#[inline(never)]
fn horner(coefficients: &[Fp], point: &Fp) -> Fp {
    let Some((last, rest)) = coefficients.split_last() else { return Fp::ZERO };
    let mut value = last.copy();
    for coefficient in rest.iter().rev() {
        value.mul(point);
        value.add(coefficient);
    }
    value
}
