//! What the tools that prove prove, by name.

use std::error::Error;

use sextant_consensus::{Program, check_with_hints, codec, committee_change};

use crate::executor;

/// The name of the empty program.
pub const EMPTY: &str = "nothing";
/// What the names of clients that were away begin with; their number of handovers comes after it.
pub const HANDOVERS: &str = "handovers-";

/// A guest and the buffers on its stdin.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The program.
    pub elf: &'static [u8],
    /// What it reads.
    pub inputs: Vec<Vec<u8>>,
}

impl Guest {
    /// The guest of a name of `sextant_fixtures::statements`, of [`EMPTY`], or of [`HANDOVERS`] and a number.
    ///
    /// # Errors
    /// If nothing is called so.
    pub fn named(name: &str) -> Result<Self, Box<dyn Error>> {
        if name == EMPTY {
            return Ok(Self { elf: sextant_artifacts::EMPTY_ELF, inputs: Vec::new() });
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
        Ok(Self { elf: executor::artifact(program).elf, inputs: vec![input, hints] })
    }
}
