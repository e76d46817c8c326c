//! The rules by which a proof file is accepted, all but those of the proof system for STARKs.
//!
//! They are in one place because two verifiers follow them: the native one, whose STARKs are verified by SP1's SDK, and
//! the one for browsers, where that does not compile. Each hands [`check`] its own way to verify a STARK; order,
//! pins and words of all else are these, so that both say the same of every file. No I/O, no threads.

pub mod decode;
mod error;
pub mod expectation;
pub mod json;
pub mod networks;
mod place;
pub mod places;
pub mod record;
pub mod values;
pub mod words;

pub use error::{AcceptError, PlaceError, VerifyError};
pub use expectation::{Expectation, ExpectationError};
pub use place::bundle_of;
pub use record::{Checked, MAX_PROOF, artifact, check, pinned_vk_hash, proven_by};
pub use sextant_artifacts::CIRCUIT_VERSION;
pub use values::{ValuesError, check_version, claimed};

/// Largest proof file that is read, bytes: the largest record, and what says that it is one.
pub const MAX_FILE: usize = sextant_protocol::proof::MAX_RECORD + 64;
