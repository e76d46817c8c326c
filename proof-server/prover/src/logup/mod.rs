//! The sum over all interactions of all rows is zero: LogUp, by a GKR circuit.
//!
//! Each interaction of a row is a fraction `multiplicity / fingerprint`. The circuit ([`circuit`]) adds fractions two by
//! two, over the rows of each table, until each interaction of a machine has two left: those are the circuit's output. The
//! prover then goes back from the output to the first layer, one sumcheck a layer ([`layer`]), and ends with a claim
//! about the values of the traces at one point. Defined by `sp1_hypercube::logup_gkr`, after "Improving logarithmic
//! derivative lookups using GKR" (Papini, Haböck, ePrint 2023/1284).

mod circuit;
mod fractions;
mod layer;

use std::collections::{BTreeMap, BTreeSet};

use circuit::{Challenges, Circuit};
use slop_algebra::AbstractField;
use slop_alloc::CpuBackend;
use slop_challenger::{CanObserve, FieldChallenger, GrindingChallenger, IopCtx, VariableLengthChallenger};
use slop_multilinear::{Mle, MultilinearPcsChallenger, Point};
use sp1_hypercube::{
    Chip, ChipEvaluation, GKR_GRINDING_BITS, LogUpEvaluations, LogUpGkrOutput, LogupGkrProof, ShardContext,
    air::MachineAir, prover::Traces,
};

use crate::{lagrange::EqTable, step};

/// A LogUp proof in the types of SP1.
pub(crate) type Proof<GC> =
    LogupGkrProof<<<GC as IopCtx>::Challenger as GrindingChallenger>::Witness, <GC as IopCtx>::EF>;

/// Proves that the interactions of `chips` balance.
pub(crate) fn prove<GC: IopCtx, SC: ShardContext<GC>>(
    chips: &BTreeSet<Chip<GC::F, SC::Air>>,
    preprocessed: &Traces<GC::F, CpuBackend>,
    main: &Traces<GC::F, CpuBackend>,
    challenger: &mut GC::Challenger,
) -> Proof<GC> {
    let witness = challenger.grind(GKR_GRINDING_BITS);
    let challenges = challenges::<GC, SC>(chips, challenger);
    let circuit = step("logup circuit", || Circuit::new(chips, preprocessed, main, &challenges));
    let (numerator, denominator) = circuit.output();

    challenger.observe_variable_length_extension_slice(&numerator);
    challenger.observe_variable_length_extension_slice(&denominator);
    let mut point: Point<GC::EF> = challenger.sample_point(circuit.interaction_variables() as u32 + 1);
    let weights = EqTable::new(&point.to_vec(), numerator.len());
    let sum = |values: &[GC::EF]| values.iter().zip(weights.weights()).map(|(v, w)| *v * *w).sum::<GC::EF>();
    let (mut numerator_value, mut denominator_value) = (sum(&numerator), sum(&denominator));

    let interaction_variables = circuit.interaction_variables();
    let mut round_proofs = Vec::new();
    for layer in circuit.into_layers_from_the_last() {
        let proof =
            layer.prove::<GC>(&point, interaction_variables, numerator_value, denominator_value, challenger);
        challenger.observe_ext_element(proof.numerator_0);
        challenger.observe_ext_element(proof.numerator_1);
        challenger.observe_ext_element(proof.denominator_0);
        challenger.observe_ext_element(proof.denominator_1);
        point = proof.sumcheck_proof.point_and_eval.0.clone();
        let last: GC::EF = challenger.sample_ext_element();
        numerator_value = proof.numerator_0 + (proof.numerator_1 - proof.numerator_0) * last;
        denominator_value = proof.denominator_0 + (proof.denominator_1 - proof.denominator_0) * last;
        point.add_dimension_back(last);
        round_proofs.push(proof);
    }

    LogupGkrProof {
        circuit_output: LogUpGkrOutput {
            numerator: Mle::from(numerator),
            denominator: Mle::from(denominator),
        },
        round_proofs,
        logup_evaluations: step("logup values", || {
            evaluations::<GC, SC>(chips, preprocessed, main, &point, challenger)
        }),
        witness,
    }
}

fn challenges<GC: IopCtx, SC: ShardContext<GC>>(
    chips: &BTreeSet<Chip<GC::F, SC::Air>>,
    challenger: &mut GC::Challenger,
) -> Challenges<GC::EF> {
    let widest = chips
        .iter()
        .flat_map(|chip| chip.sends().iter().chain(chip.receives()))
        .map(|interaction| interaction.values.len() + 1)
        .max()
        .expect("tables of a machine talk to each other");
    let alpha = challenger.sample_ext_element();
    let seed: Vec<GC::EF> =
        (0..widest.next_power_of_two().ilog2()).map(|_| challenger.sample_ext_element()).collect();
    // For public values, which the verifier sums by itself.
    let _: GC::EF = challenger.sample_ext_element();
    let betas = EqTable::new(&seed, widest.next_power_of_two()).weights().to_vec();
    Challenges { alpha, betas }
}

/// The values of the traces where the last layer's sumcheck ended.
fn evaluations<GC: IopCtx, SC: ShardContext<GC>>(
    chips: &BTreeSet<Chip<GC::F, SC::Air>>,
    preprocessed: &Traces<GC::F, CpuBackend>,
    main: &Traces<GC::F, CpuBackend>,
    point: &Point<GC::EF>,
    challenger: &mut GC::Challenger,
) -> LogUpEvaluations<GC::EF> {
    let variables = main.values().next().expect("a shard has tables").num_variables();
    let point = point.last_k(variables as usize);
    let weights = Mle::from(EqTable::new(&point.to_vec(), 1 << variables).weights().to_vec());
    challenger.observe(GC::F::from_canonical_usize(chips.len()));
    let mut chip_openings = BTreeMap::new();
    for chip in chips {
        let at = |traces: &Traces<GC::F, CpuBackend>| {
            traces.get(chip.name()).map(|trace| trace.eval_at_eq(&point, &weights))
        };
        let openings = ChipEvaluation {
            main_trace_evaluations: at(main).expect("every chip of a shard has a trace"),
            preprocessed_trace_evaluations: at(preprocessed),
        };
        if let Some(values) = &openings.preprocessed_trace_evaluations {
            challenger.observe_variable_length_extension_slice(values);
        }
        challenger.observe_variable_length_extension_slice(&openings.main_trace_evaluations);
        chip_openings.insert(chip.name().to_owned(), openings);
    }
    LogUpEvaluations { point, chip_openings }
}
