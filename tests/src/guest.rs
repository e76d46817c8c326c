//! What the tools that prove prove, by name.

use std::error::Error;

use sextant_consensus::{
    Program, bundle, check_with_hints,
    codec::{self, Blob},
    committee_change,
};
use sextant_protocol::ProofRecord;
use sp1_sdk::SP1Proof;

use crate::executor;

/// The name of the empty program.
pub const EMPTY: &str = "nothing";
/// What the names of clients that were away begin with; their number of handovers comes after it.
pub const HANDOVERS: &str = "handovers-";

/// What the names of bundles begin with; their number of statements comes after it.
pub const BUNDLE: &str = "bundle-";

/// A guest and the buffers on its stdin.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The program.
    pub elf: &'static [u8],
    /// What it reads.
    pub inputs: Vec<Vec<u8>>,
    /// Compressed proofs that it verifies.
    pub proofs: Vec<SP1Proof>,
}

impl Guest {
    /// The guest of a name of `sextant_fixtures::statements`, of [`EMPTY`], or of [`HANDOVERS`] or [`BUNDLE`] and a number.
    ///
    /// # Errors
    /// If nothing is called so.
    pub fn named(name: &str) -> Result<Self, Box<dyn Error>> {
        if name == EMPTY {
            return Ok(Self { elf: sextant_artifacts::EMPTY_ELF, inputs: Vec::new(), proofs: Vec::new() });
        }
        if let Some(count) = name.strip_prefix(BUNDLE) {
            return Self::bundle(count.parse()?);
        }
        let (program, input) = match name.strip_prefix(HANDOVERS) {
            Some(count) => {
                let input = sextant_fixtures::catch_up::handovers(count.parse()?);
                (Program::CommitteeChange, codec::encode::<committee_change::Input>(&input))
            }
            None => {
                let mut statements = sextant_fixtures::statements().into_iter();
                let found = statements.find(|(known, ..)| *known == name);
                let (_, program, input) = found.ok_or_else(|| format!("no fixture is called {name}"))?;
                (program, input)
            }
        };
        let (_, hints) = check_with_hints(program, &input)?;
        Ok(Self { elf: executor::artifact(program).elf, inputs: vec![input, hints], proofs: Vec::new() })
    }

    /// A recorded compressed proof so many times: to the recursion each is another.
    fn bundle(count: usize) -> Result<Self, Box<dyn Error>> {
        let file = sextant_fixtures::data().join("recorded-starks/committee-change-compressed.proof");
        let record = ProofRecord::from_file_bytes(&std::fs::read(file)?)?;
        let input = bundle::Input { statements: vec![Blob(record.public_values); count] };
        bundle::check(&input)?;
        let proof: SP1Proof = bincode::deserialize(&record.proof)?;
        Ok(Self {
            elf: executor::artifact(Program::Bundle).elf,
            inputs: vec![codec::encode(&input)],
            proofs: vec![proof; count],
        })
    }
}
