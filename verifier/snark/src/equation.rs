//! The equation of Groth16 (<https://eprint.iacr.org/2016/260>, section 3.2), over BN254.

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{
    CurveGroup, VariableBaseMSM,
    pairing::{Pairing, PairingOutput},
};

use crate::{
    numbers::{NUMBER, compressed_g1, compressed_g2},
    take,
};

/// What a circuit's key says to who verifies.
pub struct CircuitKey {
    alpha: G1Affine,
    beta: G2Affine,
    gamma: G2Affine,
    delta: G2Affine,
    /// One for the constant, then one for each public input.
    inputs: Vec<G1Affine>,
}

impl CircuitKey {
    /// Reads gnark's encoding: alpha, two points that only the prover needs, beta, gamma, another such point, delta, the
    /// number of the inputs' points in four bytes and the points. What follows is of circuits that commit to witnesses,
    /// which SP1's do not. `None` if it is none.
    pub fn from_gnark(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let alpha = compressed_g1(take(&mut rest)?)?;
        let _beta_in_the_other_group: &[u8; NUMBER] = take(&mut rest)?;
        let beta = compressed_g2(take(&mut rest)?)?;
        let gamma = compressed_g2(take(&mut rest)?)?;
        let _delta_in_the_other_group: &[u8; NUMBER] = take(&mut rest)?;
        let delta = compressed_g2(take(&mut rest)?)?;
        let count = u32::from_be_bytes(*take(&mut rest)?);
        let inputs = (0..count).map(|_| compressed_g1(take(&mut rest)?)).collect::<Option<_>>()?;
        Some(Self { alpha, beta, gamma, delta, inputs })
    }

    /// Points for public inputs: how many a proof has to have.
    pub fn inputs(&self) -> usize {
        self.inputs.len().saturating_sub(1)
    }

    /// Whether `e(A, B) = e(alpha, beta) e(L, gamma) e(C, delta)`, where L sums up the public inputs.
    ///
    /// # Panics
    /// If there are not as many public inputs as [`inputs`](Self::inputs) says.
    pub fn holds(&self, [a, c]: [G1Affine; 2], b: G2Affine, public: &[Fr]) -> bool {
        let (constant, points) = self.inputs.split_first().expect("a key has a point for the constant");
        let sum = G1Projective::msm(points, public).expect("as many inputs as the key has points");
        let sum = (sum + constant).into_affine();
        let product = Bn254::multi_pairing([-a, self.alpha, sum, c], [b, self.beta, self.gamma, self.delta]);
        // The neutral element, of a group that is written additively.
        product == PairingOutput::default()
    }
}
