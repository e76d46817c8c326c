//! The recorded machine is SP1's: byte for byte, and at random points.

mod recorder;

use std::{collections::BTreeSet, marker::PhantomData, path::Path};

use sextant_stark_verifier::{
    HALTED, LOG_STACKING_HEIGHT, MAX_LOG_ROW_COUNT, MAX_LOG_SHARDS, NoRun, machine, recording::Recording,
};
use slop_algebra::{AbstractExtensionField, AbstractField};
use slop_multilinear::{MleEval, Point};
use sp1_core_executor::{ExecutionRecord, HALT_PC};
use sp1_core_machine::riscv::{MAX_LOG_NUMBER_OF_SHARDS, RiscvAir};
use sp1_hypercube::{
    AirOpenedValues, Chip, ChipOpenedValues, Interaction, MachineRecord, PROOF_MAX_NUM_PVS, ShardVerifier,
    VerifierPublicValuesConstraintFolder, air::MachineAir,
};
use sp1_primitives::{SP1ExtensionField, SP1Field, SP1GlobalContext};
use sp1_prover::{CpuSP1ProverComponents, SP1ProverComponents};

const RECORDED: &[u8] = include_bytes!("../riscv.bin");

#[test]
fn the_file_is_what_sp1_s_machine_is_recorded_as() {
    let recording = recorder::recorded();
    let bytes = recording.encode();
    if bytes != RECORDED {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("riscv.bin");
        std::fs::write(&file, bytes).expect("room for a file");
        panic!("SP1's machine is another; where that is meant, take {}", file.display());
    }
    assert_eq!(Recording::decode(RECORDED).expect("a recording"), recording);
}

/// Names, widths, sets and whatever the verifier asks for beside polynomials.
#[test]
fn the_shape_is_that_of_sp1_s_machine() {
    let (sp1, ours) = (RiscvAir::<SP1Field>::machine(), machine());
    assert_eq!(ours.num_pv_elts(), sp1.num_pv_elts());
    let names = |set: &BTreeSet<_>| set.iter().map(name).collect::<Vec<_>>();
    let sets = sp1.shape().chip_clusters.iter().map(names).collect::<Vec<_>>();
    assert_eq!(
        ours.shape().chip_clusters.iter().map(|set| set.iter().map(name).collect()).collect::<Vec<Vec<_>>>(),
        sets
    );
    assert!(sets.len() > 20, "{}", sets.len());

    let mentioned: BTreeSet<_> = sets.into_iter().flatten().collect();
    assert_eq!(ours.chips().iter().map(name).collect::<BTreeSet<_>>(), mentioned);
    for chip in sp1.chips() {
        // A shard has every table that the key fixes: one that no set has would have every proof refused.
        assert!(mentioned.contains(chip.name()) || chip.preprocessed_width() == 0, "{}", chip.name());
        let Some(recorded) = ours.chips().iter().find(|recorded| recorded.name() == chip.name()) else {
            continue;
        };
        assert_eq!(widths(recorded), widths(chip), "{}", chip.name());
        assert_eq!(recorded.num_constraints, chip.num_constraints, "{}", chip.name());
    }
}

#[test]
fn the_parameters_are_those_of_sp1_s_verifier() {
    let sp1 = CpuSP1ProverComponents::core_verifier(RiscvAir::machine());
    assert_eq!(sp1.log_stacking_height(), LOG_STACKING_HEIGHT);
    assert_eq!(sp1.max_log_row_count(), MAX_LOG_ROW_COUNT);
    let ours = sp1_primitives::fri_params::core_fri_config();
    assert_eq!(format!("{:?}", sp1.fri_config()), format!("{ours:?}"));
    assert_eq!(HALT_PC, u64::from(HALTED));
    assert_eq!(MAX_LOG_NUMBER_OF_SHARDS, MAX_LOG_SHARDS);
    assert_eq!(
        NoRun::interactions_in_public_values(),
        ExecutionRecord::interactions_in_public_values(),
        "kinds that public values may send"
    );
}

#[test]
fn constraints_are_sp1_s_at_random_points() {
    let mut random = Random(0x5e_c7a7);
    let (sp1, ours) = (RiscvAir::<SP1Field>::machine(), machine());
    let mut constrained = 0;
    for recorded in ours.chips() {
        let chip = sp1.chips().iter().find(|chip| chip.name() == recorded.name()).expect("a chip of SP1");
        let opening = ChipOpenedValues {
            preprocessed: AirOpenedValues { local: random.extensions(chip.preprocessed_width()) },
            main: AirOpenedValues { local: random.extensions(widths(chip).0) },
            degree: Point::default(),
        };
        let (alpha, public) = (random.extension(), random.elements(PROOF_MAX_NUM_PVS));
        let theirs = Theirs::eval_constraints(chip, &opening, alpha, &public);
        assert_eq!(Ours::eval_constraints(recorded, &opening, alpha, &public), theirs, "{}", chip.name());
        assert_eq!(
            Ours::compute_padded_row_adjustment(recorded, alpha, &public),
            Theirs::compute_padded_row_adjustment(chip, alpha, &public),
            "{}",
            chip.name()
        );
        constrained += usize::from(theirs != SP1ExtensionField::zero());

        let (betas, one) = (random.extensions(128), random.extension());
        let at = |interactions: &[Interaction<SP1Field>]| {
            let row = |values: &AirOpenedValues<_>| MleEval::from(values.local.clone());
            let preprocessed = row(&opening.preprocessed);
            let main = row(&opening.main);
            interactions
                .iter()
                .map(|one_of| {
                    (one_of.kind, one_of.scope, one_of.eval(Some(&preprocessed), &main, one, &betas))
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(at(recorded.sends()), at(chip.sends()), "{}", chip.name());
        assert_eq!(at(recorded.receives()), at(chip.receives()), "{}", chip.name());
    }
    assert!(constrained > 40, "{constrained} chips have constraints");
}

#[test]
fn constraints_of_public_values_are_sp1_s_at_random_points() {
    let mut random = Random(77);
    for _ in 0..8 {
        let (challenge, alpha, betas) = (random.extension(), random.extension(), random.extensions(128));
        let public = random.elements(PROOF_MAX_NUM_PVS);
        let folder = || VerifierPublicValuesConstraintFolder::<SP1GlobalContext> {
            perm_challenges: (&alpha, &betas),
            alpha: challenge,
            accumulator: SP1ExtensionField::zero(),
            local_interaction_digest: SP1ExtensionField::zero(),
            public_values: &public,
            _marker: PhantomData,
        };
        let (mut theirs, mut ours) = (folder(), folder());
        ExecutionRecord::eval_public_values(&mut theirs);
        NoRun::eval_public_values(&mut ours);
        assert_ne!(theirs.accumulator, SP1ExtensionField::zero());
        assert_eq!(ours.accumulator, theirs.accumulator);
        assert_eq!(ours.local_interaction_digest, theirs.local_interaction_digest);
    }
}

type Theirs = ShardVerifier<SP1GlobalContext, sp1_prover::CoreSC>;
type Ours = ShardVerifier<SP1GlobalContext, sp1_hypercube::InnerSC<sextant_stark_verifier::RecordedChip>>;

fn name<A: MachineAir<SP1Field>>(chip: &Chip<SP1Field, A>) -> &'static str {
    chip.name()
}

fn widths<A: MachineAir<SP1Field>>(chip: &Chip<SP1Field, A>) -> (usize, usize) {
    (slop_air::BaseAir::<SP1Field>::width(chip), chip.preprocessed_width())
}

/// Numbers that nobody chose: xorshift.
struct Random(u64);

impl Random {
    fn element(&mut self) -> SP1Field {
        for shift in [13_i32, -7, 17] {
            self.0 ^= if shift < 0 { self.0 >> -shift } else { self.0 << shift };
        }
        SP1Field::from_wrapped_u64(self.0 >> 16)
    }

    fn elements(&mut self, count: usize) -> Vec<SP1Field> {
        (0..count).map(|_| self.element()).collect()
    }

    fn extension(&mut self) -> SP1ExtensionField {
        SP1ExtensionField::from_base_fn(|_| self.element())
    }

    fn extensions(&mut self, count: usize) -> Vec<SP1ExtensionField> {
        (0..count).map(|_| self.extension()).collect()
    }
}
