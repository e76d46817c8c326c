//! The internal linear layer of Poseidon2 over BN254, width 3.
//!
//! Reference: <https://github.com/HorizenLabs/poseidon2/blob/main/plain_implementations/src/poseidon2/poseidon2_instance_bn256.rs>

use p3_field::AbstractField;
use p3_poseidon2::DiffusionPermutation;
use p3_symmetric::Permutation;
use serde::{Deserialize, Serialize};

use crate::Bn254Fr;

/// The matrix of ones plus the diagonal (1, 1, 2).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DiffusionMatrixBN254;

impl<AF: AbstractField<F = Bn254Fr>> Permutation<[AF; 3]> for DiffusionMatrixBN254 {
    /// Upstream multiplies by the diagonal; additions give the same.
    #[inline]
    fn permute_mut(&self, state: &mut [AF; 3]) {
        let [s0, s1, s2] = state;
        let sum = s0.clone() + s1.clone() + s2.clone();
        *s0 += sum.clone();
        *s1 += sum.clone();
        *s2 = s2.double() + sum;
    }
}

impl<AF: AbstractField<F = Bn254Fr>> DiffusionPermutation<AF, 3> for DiffusionMatrixBN254 {}
