//! The guest programs as the server knows them.

use sextant_artifacts::{Artifact, COMMITTEE_CHANGE, INCLUSION};
use sextant_consensus::Program;

/// The pinned build of `program`.
pub(crate) fn artifact(program: Program) -> Artifact {
    match program {
        Program::CommitteeChange => COMMITTEE_CHANGE,
        Program::Inclusion => INCLUSION,
    }
}
