//! Proof files that come along with a bundle's, for what they say.

use std::path::{Path, PathBuf};

use sextant_client::ProofRecord;
use sextant_consensus::public_values::Bundle;
use sextant_verifier::rules::places::{is_in, places};

use super::{Failure, read_proof};
use crate::{failure::Code, render};

/// What was read, with the files' names.
pub struct Statements {
    files: Vec<PathBuf>,
    records: Vec<ProofRecord>,
}

impl Statements {
    /// Reads the files.
    pub fn read(files: &[PathBuf]) -> Result<Self, Failure> {
        let records = files.iter().map(|file| read_proof(file)).collect::<Result<_, _>>()?;
        Ok(Self { files: files.into(), records })
    }

    /// Whether no file was named.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Refuses by its name what is in none of these bundles.
    pub fn check_belong(&self, bundles: &[&Bundle]) -> Result<(), Failure> {
        let mut all = self.files.iter().zip(&self.records);
        match all.find(|(_, record)| !bundles.iter().any(|bundle| is_in(bundle, record))) {
            Some((file, _)) => Err(Failure::new(
                Code::InvalidProof,
                format!("{}: its statement is not in the bundle", file.display()),
            )),
            None => Ok(()),
        }
    }

    /// File and record for each place of a bundle, where there is one.
    pub fn in_places(&self, bundle: &Bundle) -> Vec<Option<(&Path, &ProofRecord)>> {
        let found = |index: usize| (self.files[index].as_path(), &self.records[index]);
        places(bundle, &self.records).into_iter().map(|place| place.map(found)).collect()
    }

    /// File and record for each place of a bundle; names the first place for which there is none.
    pub fn all_of(&self, bundle: &Bundle) -> Result<Vec<(&Path, &ProofRecord)>, Failure> {
        let found = self.in_places(bundle).into_iter().zip(&bundle.parts).enumerate();
        let all = found.map(|(place, (found, part))| {
            found.ok_or_else(|| {
                Failure::usage(format!(
                    "statement {place} (from 0) of the bundle is missing, a {} with SHA-256 {}: name a proof file of it with \
                     --statement",
                    part.program,
                    render::hex(&part.digest)
                ))
            })
        });
        all.collect()
    }
}
