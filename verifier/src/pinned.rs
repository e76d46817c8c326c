//! The program keys that this build accepts.

use sextant_consensus::Program;
use sextant_verifier_rules::artifact;
use sp1_sdk::{HashableKey, SP1VerifyingKey};

/// A program's key as embedded, decoded once.
pub(crate) struct Pinned {
    pub(crate) verifying_key: SP1VerifyingKey,
}

impl Pinned {
    /// # Panics
    /// If the embedded key does not decode or does not have the embedded hash: the build itself is broken.
    pub(crate) fn new(program: Program) -> Self {
        let artifact = artifact(program);
        let verifying_key: SP1VerifyingKey =
            bincode::deserialize(artifact.verifying_key).expect("the embedded verifying key decodes");
        // The textual form: `bytes32_raw` of SP1 6.10 panics for hashes that begin with a zero byte.
        assert_eq!(
            verifying_key.bytes32(),
            hex(&artifact.vk_hash),
            "the embedded hash is that of the embedded key"
        );
        Self { verifying_key }
    }
}

fn hex(bytes: &[u8; 32]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::from("0x"), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
