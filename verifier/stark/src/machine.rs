//! The recorded machine, as SP1's verifier of shards takes machines.
//!
//! That verifier is generic in the chips: it asks them for names, widths and constraints, and the machine for the sets of
//! chips that a shard may have. So it runs here as it is. What it never asks for, tables of a run, there is not.

use std::{collections::BTreeSet, mem::MaybeUninit, sync::Arc};

use slop_air::{Air, AirBuilderWithPublicValues, BaseAir, PairBuilder};
use slop_algebra::AbstractField;
use slop_matrix::Matrix;
use sp1_hypercube::{
    Chip, InnerSC, InteractionKind, Machine, MachineRecord, MachineShape, ShardVerifier, UntrustedConfig,
    air::{AirInteraction, MachineAir, MachineProgram, SP1AirBuilder},
    septic_digest::SepticDigest,
};
use sp1_primitives::{SP1Field, SP1GlobalContext, fri_params::core_fri_config};

use crate::recording::{ChipData, RISCV, kind, scope};

/// Verifies single shards.
pub(crate) type Shards = ShardVerifier<SP1GlobalContext, InnerSC<RecordedChip>>;

/// Logarithm of the height to which a shard's columns are stacked before they are committed to.
pub const LOG_STACKING_HEIGHT: u32 = 21;
/// Logarithm of the rows that a table has at most.
pub const MAX_LOG_ROW_COUNT: usize = 22;

/// Sets up the verifier of shards.
pub(crate) fn shards() -> Shards {
    Shards::from_basefold_parameters(core_fri_config(), LOG_STACKING_HEIGHT, MAX_LOG_ROW_COUNT, machine())
}

/// The recorded machine.
pub fn machine() -> Machine<SP1Field, RecordedChip> {
    let chips: Vec<_> = RISCV.chips.iter().map(chip).collect();
    let clusters = RISCV.clusters.iter().map(|indices| {
        let chosen = indices.iter().map(|&index| chips[index as usize].clone());
        chosen.collect::<BTreeSet<_>>()
    });
    let shape = MachineShape::new(clusters.collect());
    Machine::new(chips, RISCV.public_values as usize, shape)
}

fn chip(data: &'static ChipData) -> Chip<SP1Field, RecordedChip> {
    let interactions = |lookups: &[crate::recording::Lookup]| {
        Arc::new(lookups.iter().map(crate::recording::Lookup::interaction).collect::<Vec<_>>())
    };
    Chip {
        air: Arc::new(RecordedChip(data)),
        sends: interactions(&data.sends),
        receives: interactions(&data.receives),
        num_constraints: data.circuit.zeros.len(),
    }
}

/// A chip of the recorded machine.
#[derive(Clone, Copy, Debug)]
pub struct RecordedChip(&'static ChipData);

impl<F> BaseAir<F> for RecordedChip {
    fn width(&self) -> usize {
        self.0.width as usize
    }
}

impl<AB: PairBuilder + AirBuilderWithPublicValues> Air<AB> for RecordedChip {
    fn eval(&self, builder: &mut AB) {
        let (main, preprocessed) = (builder.main(), builder.preprocessed());
        let (main, preprocessed) = (main.row_slice(0), preprocessed.row_slice(0));
        let circuit = &self.0.circuit;
        let values = circuit.run::<AB>(&main, &preprocessed, builder.public_values());
        circuit.assert(&values, builder);
    }
}

impl MachineAir<SP1Field> for RecordedChip {
    type Record = NoRun;
    type Program = NoProgram;

    fn name(&self) -> &'static str {
        &self.0.name
    }

    fn preprocessed_width(&self) -> usize {
        self.0.preprocessed_width as usize
    }

    fn generate_trace_into(&self, _: &NoRun, _: &mut NoRun, _: &mut [MaybeUninit<SP1Field>]) {
        unreachable!("whoever verifies has no run")
    }

    fn included(&self, _: &NoRun) -> bool {
        unreachable!("whoever verifies has no run")
    }
}

/// In place of the events of a run. It says what holds of public values, as that of SP1 does.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRun;

impl MachineRecord for NoRun {
    fn stats(&self) -> hashbrown::HashMap<String, usize> {
        unreachable!("whoever verifies has no run")
    }

    fn append(&mut self, _: &mut Self) {
        unreachable!("whoever verifies has no run")
    }

    fn public_values<F: AbstractField>(&self) -> Vec<F> {
        unreachable!("whoever verifies has no run")
    }

    fn eval_public_values<AB: SP1AirBuilder>(builder: &mut AB) {
        let circuit = &RISCV.public;
        let values = circuit.run::<AB>(&[], &[], builder.public_values());
        circuit.assert(&values, builder);
        for message in &circuit.messages {
            let of = |step: &u32| values[*step as usize].clone();
            let content = message.values.iter().map(of).collect();
            let interaction = AirInteraction::new(content, of(&message.multiplicity), kind(message.kind));
            if message.received {
                builder.receive(interaction, scope(message.global));
            } else {
                builder.send(interaction, scope(message.global));
            }
        }
    }

    fn interactions_in_public_values() -> Vec<InteractionKind> {
        RISCV.public_kinds.iter().map(|&number| kind(number)).collect()
    }
}

/// In place of a program: whoever verifies has its verifying key.
#[derive(Debug)]
pub enum NoProgram {}

impl MachineProgram<SP1Field> for NoProgram {
    fn pc_start(&self) -> [SP1Field; 3] {
        match *self {}
    }

    fn initial_global_cumulative_sum(&self) -> SepticDigest<SP1Field> {
        match *self {}
    }

    fn untrusted_config(&self) -> UntrustedConfig<SP1Field> {
        match *self {}
    }
}
