//! The compiled guest programs and their verifying keys, embedded.
//!
//! Files here are written by `programs/build.sh --install` and committed, so that running a server or verifying a
//! proof needs no guest compiler. `programs/build.sh --check` rebuilds them and compares.
#![no_std]

#[rustfmt::skip]
mod manifest;

pub use manifest::{
    BUNDLE, CHAIN, CIRCUIT_VERSION, COMMITTEE_CHANGE, EMPTY_ELF, INCLUSION, SP1_VERSION, TOOLCHAIN,
};

/// One guest program, ready to be proven and verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its name.
    pub program: &'static str,
    /// The program.
    pub elf: &'static [u8],
    /// SHA-256 of the ELF.
    pub elf_sha256: [u8; 32],
    /// The verifying key (`SP1VerifyingKey`, bincode).
    pub verifying_key: &'static [u8],
    /// The verifying key's hash: how a contract, and the proof's own public values, name the program.
    pub vk_hash: [u8; 32],
}

/// All programs, in the order of their tags.
pub const ALL: [Artifact; 4] = [COMMITTEE_CHANGE, INCLUSION, BUNDLE, CHAIN];

/// A program of the manifest. Its hashes stand there as one reads them elsewhere.
const fn artifact(
    program: &'static str,
    elf: &'static [u8],
    elf_sha256: &str,
    verifying_key: &'static [u8],
    vk_hash: &str,
) -> Artifact {
    Artifact { program, elf, elf_sha256: bytes32(elf_sha256), verifying_key, vk_hash: bytes32(vk_hash) }
}

/// 64 lower-case hexadecimal digits; anything else does not compile.
const fn bytes32(hex: &str) -> [u8; 32] {
    let digits = hex.as_bytes();
    assert!(digits.len() == 64);
    let mut bytes = [0; 32];
    let mut i = 0;
    while i < 64 {
        let digit = match digits[i] {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("not a hexadecimal digit"),
        };
        bytes[i / 2] = bytes[i / 2] << 4 | digit;
        i += 1;
    }
    bytes
}
