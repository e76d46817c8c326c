//! Hints of the pairing equation.

use alloc::vec::Vec;

use super::roots::{invert, ratio, residue_witness};
use super::{HintRecorder, chord, polynomials, tangent};
use crate::bls::fast::constants::{GENERATOR_ALPHA2, GENERATOR_ALPHA3, GENERATOR_SCALE, Z_ABS};
use crate::bls::fast::field::Fp;
use crate::bls::fast::fp2::Fp2;
use crate::bls::fast::fp12::Fp12;
use crate::bls::fast::g1::G1;
use crate::bls::fast::g2::{G2, Walk};
use crate::bls::fast::pairing::{CLAIM_ENDS, INNER_CLAIMS, Pair, transcript};

/// A line of the Miller loop.
struct Line {
    slope: Fp2,
    through: Walk,
    scale: Fp,
    inverse_scale: Fp,
}

impl Line {
    /// Multiplies `f` by the line, up to a factor from the base field.
    fn multiply(&self, f: &Fp12) -> Fp12 {
        let (mut constant, mut slope) = (*self.through.x(), self.slope);
        constant.mul(&slope);
        constant.sub(self.through.y());
        constant.mul_base(&self.inverse_scale);
        if self.through.negated() {
            constant.neg();
            slope.neg();
        }
        f.mul_line(&constant, &slope)
    }
}

impl HintRecorder {
    /// Hints of the pairing equation, and whether it holds. Where it does not, they are as good as can be
    /// made.
    pub(in crate::bls::fast) fn pairing(
        &mut self,
        key: &G1,
        message_point: G2,
        signature: G2,
    ) -> Option<bool> {
        let mut alpha = invert(&key.y);
        alpha.mul(&key.x);
        alpha.neg();
        let (mut alpha2, mut alpha3) = (alpha, alpha);
        alpha2.square();
        alpha3.mul(&alpha2);
        let mut scale = alpha3;
        scale.mul(&key.y);
        let mut pairs = [
            Pair::new(message_point, &alpha2, &alpha3, scale),
            Pair::new(signature, &GENERATOR_ALPHA2, &GENERATOR_ALPHA3, GENERATOR_SCALE),
        ];
        let lines = miller_loop(&mut pairs)?;

        let mut g = Fp12::ONE;
        for lines in &lines {
            g = lines.iter().fold(g.square(), |g, line| line.multiply(&g));
        }
        let [a0, a1, a2] = residue_witness(&g)?;
        let witness = Fp12([a0, Fp2::ONE, a1, Fp2::ZERO, a2, Fp2::ZERO]);
        let accumulators = accumulators(&lines, &witness)?;
        let claimed: Vec<Fp> = accumulators.iter().flat_map(even_part).collect();
        let claimed: &[Fp; 6 * INNER_CLAIMS] = claimed.as_slice().try_into().ok()?;

        let transcript = transcript(key, &message_point, &signature, [&a0, &a1, &a2], claimed);
        let combination = combination(&lines, &witness, &accumulators, &transcript.challenge());
        let (rest, quotient) = polynomials::divide(combination)?;

        for coefficient in [a0, a1, a2] {
            self.push2(&coefficient);
        }
        self.elements.extend(claimed);
        self.elements.extend(rest.iter().step_by(2));
        self.elements.extend(quotient);
        self.elements.push(alpha);
        for line in lines.iter().flatten() {
            self.push2(&line.slope);
        }
        Some(rest.iter().skip(1).step_by(2).all(Fp::is_zero))
    }
}

/// The lines of each bit's step.
fn miller_loop(pairs: &mut [Pair; 2]) -> Option<Vec<Vec<Line>>> {
    let inverses = [invert(&pairs[0].scale), invert(&pairs[1].scale)];
    let step = |i: u32| {
        let mut lines = Vec::new();
        for (pair, inverse_scale) in pairs.iter_mut().zip(inverses) {
            let (slope, through) = (tangent(&pair.walk), pair.walk);
            lines.push(Line { slope, through, scale: pair.scale, inverse_scale });
            pair.walk.double(&slope).then_some(())?;
        }
        if Z_ABS >> i & 1 == 1 {
            for (pair, inverse_scale) in pairs.iter_mut().zip(inverses) {
                let (slope, through) = (chord(&pair.walk, &pair.base), pair.walk);
                lines.push(Line { slope, through, scale: pair.scale, inverse_scale });
                pair.walk.add(&pair.base, &slope).then_some(())?;
            }
        }
        Some(lines)
    };
    (0..Z_ABS.ilog2()).rev().map(step).collect()
}

/// Walks through the loop: `square`, `line` and `witness` are the factors, `end` the end of a claim but the
/// last.
fn walk<T>(
    lines: &[Vec<Line>],
    mut f: T,
    square: impl Fn(T) -> T,
    line: impl Fn(T, &Line) -> T,
    witness: impl Fn(T) -> T,
    mut end: impl FnMut(T) -> Option<T>,
) -> Option<T> {
    for (i, lines) in (0..lines.len()).rev().zip(lines) {
        f = lines.iter().fold(square(f), &line);
        if Z_ABS >> i & 1 == 1 {
            f = witness(f);
        }
        if i > 0 && CLAIM_ENDS >> i & 1 == 1 {
            f = end(f)?;
        }
    }
    Some(f)
}

/// The accumulators at the claims' ends, scaled to `a + w`.
fn accumulators(lines: &[Vec<Line>], witness: &Fp12) -> Option<Vec<Fp12>> {
    let mut accumulators = Vec::new();
    walk(
        lines,
        *witness,
        |f| f.square(),
        |f, line| line.multiply(&f),
        |f| f.mul(witness),
        |f| {
            let [a0, a1, a2] = ratio(&f)?;
            let f = Fp12([a0, Fp2::ONE, a1, Fp2::ZERO, a2, Fp2::ZERO]);
            accumulators.push(f);
            Some(f)
        },
    )?;
    Some(accumulators)
}

/// The even coefficients of an element's polynomial.
fn even_part(element: &Fp12) -> [Fp; 6] {
    let polynomial = polynomials::element(element);
    core::array::from_fn(|i| polynomial[2 * i])
}

/// The claims' polynomials, combined.
fn combination(lines: &[Vec<Line>], witness: &Fp12, accumulators: &[Fp12], rho: &Fp) -> Vec<Fp> {
    let mut combination = Vec::new();
    let start = polynomials::element(witness);
    let mut accumulators = accumulators.iter();
    let f = walk(
        lines,
        start.to_vec(),
        |f| polynomials::multiply(&f, &f),
        |f, line| polynomials::multiply(&f, &polynomials::line(&line.slope, &line.through, &line.scale)),
        |f| polynomials::multiply(&f, &start),
        |f| {
            let next = polynomials::element(accumulators.next()?);
            let mut factor = next;
            factor[1].neg();
            polynomials::combine(&mut combination, rho, &polynomials::multiply(&f, &factor));
            Some(next.to_vec())
        },
    );
    if let Some(f) = f {
        let f = polynomials::multiply(&f, &polynomials::element(&witness.frobenius()));
        polynomials::combine(&mut combination, rho, &f);
    }
    combination
}
