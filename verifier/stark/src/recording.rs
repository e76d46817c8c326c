//! The RISC-V machine of SP1 as data: `riscv.bin`.
//!
//! `tests/recording.rs` makes it of SP1's own chips, and holds the file against what it makes, byte for byte.

use std::sync::LazyLock;

use bincode::Options;
use serde::{Deserialize, Serialize};
use slop_air::{PairCol, VirtualPairCol};
use sp1_hypercube::{Interaction, InteractionKind, air::InteractionScope};
use sp1_primitives::SP1Field;

use crate::circuit::{Circuit, element};

/// The machine that this crate verifies proofs of.
pub(crate) static RISCV: LazyLock<Recording> = LazyLock::new(|| {
    Recording::decode(include_bytes!("../riscv.bin")).expect("the recorded machine decodes")
});

/// All of a machine that its proofs are verified by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// How many public values of a shard mean something.
    pub public_values: u32,
    /// What holds of the public values of every shard, and what they send and receive.
    pub public: Circuit,
    /// The kinds of what public values may send and receive.
    pub public_kinds: Vec<u8>,
    /// The chips that some shard may have.
    pub chips: Vec<ChipData>,
    /// The sets of chips that a shard may have, as indices.
    pub clusters: Vec<Vec<u32>>,
}

/// A table of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChipData {
    /// Its name, by which proofs know it.
    pub name: String,
    /// Columns that the prover commits to.
    pub width: u32,
    /// Columns that the verifying key fixes.
    pub preprocessed_width: u32,
    /// What holds of every row.
    pub circuit: Circuit,
    /// What each row sends to other tables.
    pub sends: Vec<Lookup>,
    /// What each row receives.
    pub receives: Vec<Lookup>,
}

/// Something that a row sends or receives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// Number of its kind.
    pub kind: u8,
    /// Whether it is between shards.
    pub global: bool,
    /// How often.
    pub multiplicity: Affine,
    /// What.
    pub values: Vec<Affine>,
}

/// A sum of columns with weights, and a constant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affine {
    /// The constant.
    pub constant: i32,
    /// Weights of columns that the prover commits to.
    pub main: Vec<(u32, i32)>,
    /// Weights of columns that the verifying key fixes.
    pub preprocessed: Vec<(u32, i32)>,
}

impl Recording {
    /// Reads what [`Recording::encode`] wrote.
    ///
    /// # Errors
    /// Where the bytes are not one recording, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, bincode::Error> {
        encoding().deserialize(bytes)
    }

    /// As it is stored.
    ///
    /// # Panics
    /// Never: it is written to memory.
    pub fn encode(&self) -> Vec<u8> {
        encoding().serialize(self).expect("memory takes everything")
    }
}

/// Small numbers in one byte; nothing may be left over.
fn encoding() -> impl Options {
    bincode::DefaultOptions::new()
}

impl Lookup {
    /// As SP1's verifier has it.
    pub(crate) fn interaction(&self) -> Interaction<SP1Field> {
        Interaction::new(
            self.values.iter().map(Affine::columns).collect(),
            self.multiplicity.columns(),
            kind(self.kind),
            scope(self.global),
        )
    }
}

impl Affine {
    fn columns(&self) -> VirtualPairCol<SP1Field> {
        let main = self.main.iter().map(|&(column, weight)| (PairCol::Main(column as usize), weight));
        let preprocessed = self
            .preprocessed
            .iter()
            .map(|&(column, weight)| (PairCol::Preprocessed(column as usize), weight));
        let weights = main.chain(preprocessed).map(|(column, weight)| (column, element(weight))).collect();
        VirtualPairCol::new(weights, element(self.constant))
    }
}

/// # Panics
/// On a number that no kind has: the recording would be of another release.
pub(crate) fn kind(number: u8) -> InteractionKind {
    let kinds = InteractionKind::all_kinds();
    kinds.into_iter().find(|kind| *kind as usize == usize::from(number)).expect("a kind of message")
}

pub(crate) fn scope(global: bool) -> InteractionScope {
    if global { InteractionScope::Global } else { InteractionScope::Local }
}
