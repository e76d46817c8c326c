//! The rounds of a sumcheck: what the prover says, and the point that the transcript answers with.

use slop_algebra::{Field, UnivariatePolynomial};
use slop_challenger::FieldChallenger;
use slop_challenger::{IopCtx, VariableLengthChallenger};
use slop_multilinear::Point;
use slop_sumcheck::PartialSumcheckProof;

/// A sumcheck on its way: the polynomials sent, and the coordinates received, last variable first.
pub(crate) struct Rounds<'a, GC: IopCtx> {
    challenger: &'a mut GC::Challenger,
    messages: Vec<UnivariatePolynomial<GC::EF>>,
    coordinates: Vec<GC::EF>,
}

impl<'a, GC: IopCtx> Rounds<'a, GC> {
    pub(crate) fn new(challenger: &'a mut GC::Challenger) -> Self {
        Self { challenger, messages: Vec::new(), coordinates: Vec::new() }
    }

    /// Sends the round's polynomial; the answer is where its variable is fixed.
    pub(crate) fn send(&mut self, message: UnivariatePolynomial<GC::EF>) -> GC::EF {
        self.challenger.observe_constant_length_extension_slice(&message.coefficients);
        self.messages.push(message);
        let coordinate = self.challenger.sample_ext_element();
        self.coordinates.push(coordinate);
        coordinate
    }

    /// The whole sumcheck: `claimed` was to be shown, and `value` at the point is what is left to show.
    pub(crate) fn finish(self, claimed: GC::EF, value: GC::EF) -> PartialSumcheckProof<GC::EF> {
        let point: Point<GC::EF> = self.coordinates.into_iter().rev().collect();
        PartialSumcheckProof {
            univariate_polys: self.messages,
            claimed_sum: claimed,
            point_and_eval: (point, value),
        }
    }
}

/// Where `eq(z, x)` is zero, as a function of `x`: each round's polynomial vanishes there, which saves an evaluation.
pub(crate) fn root_of_eq<F: Field>(z: F) -> F {
    (F::one() - z) / (F::one() - z.double())
}

/// `eq(z, x)` of one variable.
pub(crate) fn eq<F: Field>(z: F, x: F) -> F {
    z * x + (F::one() - z) * (F::one() - x)
}
