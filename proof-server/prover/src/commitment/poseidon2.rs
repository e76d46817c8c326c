//! The Poseidon2 permutation of SP1's hashes (ePrint 2023/323): 16 elements of KoalaBear, in as many lanes as a register has.
//!
//! The released permutation multiplies each element twice in each of the 20 internal rounds, by the diagonal and by the
//! factor that its constants are scaled with. Here both are one constant, and the whole stays in registers.

use slop_algebra::{AbstractField, PackedField};
use slop_koala_bear::{
    DiffusionMatrixKoalaBear, KoalaBear, KoalaBear_BEGIN_EXT_CONSTS, KoalaBear_END_EXT_CONSTS,
    KoalaBear_PARTIAL_CONSTS,
};
use slop_symmetric::Permutation;

/// Elements of a state.
pub(super) const STATE: usize = 16;

/// The constants of the rounds, and those of the internal rounds' matrix: `diagonal` on the diagonal, and `shared` added
/// everywhere.
pub(super) struct Poseidon2 {
    begin: [[KoalaBear; STATE]; 4],
    internal: [KoalaBear; 20],
    end: [[KoalaBear; STATE]; 4],
    diagonal: [KoalaBear; STATE],
    shared: KoalaBear,
}

impl Default for Poseidon2 {
    fn default() -> Self {
        // The matrix is read off its columns.
        let column = |at: usize| {
            let mut unit = [KoalaBear::zero(); STATE];
            unit[at] = KoalaBear::one();
            DiffusionMatrixKoalaBear.permute(unit)
        };
        let shared = column(0)[1];
        Self {
            begin: *KoalaBear_BEGIN_EXT_CONSTS,
            internal: *KoalaBear_PARTIAL_CONSTS,
            end: *KoalaBear_END_EXT_CONSTS,
            diagonal: std::array::from_fn(|at| column(at)[at] - shared),
            shared,
        }
    }
}

impl Poseidon2 {
    /// Permutes a state in each lane.
    #[inline]
    pub(super) fn permute<P: PackedField<Scalar = KoalaBear>>(&self, state: &mut [P; STATE]) {
        mix(state);
        for constants in &self.begin {
            external(state, constants);
        }
        for constant in self.internal {
            state[0] = cube(state[0] + P::from(constant));
            let sum = sum(state) * P::from(self.shared);
            for (element, factor) in state.iter_mut().zip(self.diagonal) {
                *element = *element * P::from(factor) + sum;
            }
        }
        for constants in &self.end {
            external(state, constants);
        }
    }
}

#[inline(always)]
fn external<P: PackedField<Scalar = KoalaBear>>(state: &mut [P; STATE], constants: &[KoalaBear; STATE]) {
    for (element, constant) in state.iter_mut().zip(constants) {
        *element = cube(*element + P::from(*constant));
    }
    mix(state);
}

#[inline(always)]
fn cube<P: PackedField>(value: P) -> P {
    value * value * value
}

/// A tree of additions: a chain of 15 would wait for each.
#[inline(always)]
fn sum<P: PackedField>(state: &[P; STATE]) -> P {
    let quarters: [P; 4] =
        std::array::from_fn(|at| (state[at] + state[at + 4]) + (state[at + 8] + state[at + 12]));
    (quarters[0] + quarters[1]) + (quarters[2] + quarters[3])
}

/// The external matrix: circ(2M, M, M, M) of the matrix M with the rows 2 3 1 1, 1 2 3 1, 1 1 2 3 and 3 1 1 2.
#[inline(always)]
fn mix<P: PackedField>(state: &mut [P; STATE]) {
    for quarter in state.chunks_exact_mut(4) {
        let [a, b, c, d] = [quarter[0], quarter[1], quarter[2], quarter[3]];
        let (ab, cd) = (a + b, c + d);
        let all = ab + cd;
        let (with_b, with_d) = (all + b, all + d);
        quarter.copy_from_slice(&[with_b + ab, with_b + (c + c), with_d + cd, with_d + (a + a)]);
    }
    let sums: [P; 4] =
        std::array::from_fn(|at| (state[at] + state[at + 4]) + (state[at + 8] + state[at + 12]));
    for (at, element) in state.iter_mut().enumerate() {
        *element += sums[at % 4];
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};
    use slop_algebra::{Field, PackedValue};
    use slop_koala_bear::my_kb_16_perm;

    use super::*;

    #[test]
    fn it_is_the_released_permutation_in_every_lane() {
        type Lanes = <KoalaBear as Field>::Packing;
        let mut rng = StdRng::seed_from_u64(1);
        let (ours, released) = (Poseidon2::default(), my_kb_16_perm());
        for round in 0..20 {
            let states: Vec<[KoalaBear; STATE]> = (0..Lanes::WIDTH)
                .map(|_| std::array::from_fn(|_| if round == 0 { -KoalaBear::one() } else { rng.r#gen() }))
                .collect();
            let mut packed: [Lanes; STATE] =
                std::array::from_fn(|at| Lanes::from_fn(|lane| states[lane][at]));
            ours.permute(&mut packed);
            for (lane, state) in states.into_iter().enumerate() {
                let expected = released.permute(state);
                assert_eq!(packed.map(|element| element.as_slice()[lane]), expected, "{round}, {lane}");
                let mut alone = state;
                ours.permute(&mut alone);
                assert_eq!(alone, expected, "one at a time");
            }
        }
    }
}
