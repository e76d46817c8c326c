//! Public values of a bundle, word by word.

use alloc::vec::Vec;

use super::VERSION;
use crate::abi::{AbiError, Reader, Writer, u64_word};
use crate::hash::{Root, sha256};
use crate::program::Program;

/// Words before the list: version, program, chain digest and the list's offset.
const HEAD_WORDS: u64 = 4;
/// Words of a [`Bundled`].
const PART_WORDS: u64 = 2;

/// Public values of a bundle: `(uint256 version, uint256 program, bytes32 chainDigest, Part[] parts)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The chain that every statement in it is about: [`crate::chain::ChainConfig::digest`].
    pub chain_digest: Root,
    /// The statements that are proven, in order.
    pub parts: Vec<Bundled>,
}

/// A statement in a bundle, by its hash: `(uint256 program, bytes32 digest)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundled {
    /// Whose statement it is.
    pub program: Program,
    /// SHA-256 of its public values, as the proof that was bundled binds them.
    pub digest: Root,
}

impl Bundled {
    /// Names a statement of `program` with these public values.
    pub fn of(program: Program, public_values: &[u8]) -> Self {
        Self { program, digest: sha256(&[public_values]) }
    }
}

impl Bundle {
    /// `abi.encode` of the structure.
    pub fn abi_encode(&self) -> Vec<u8> {
        let parts = self.parts.len() as u64;
        let mut out = Writer::with_capacity((1 + HEAD_WORDS + 1 + PART_WORDS * parts) * 32);
        out.word(u64_word(32));
        out.word(u64_word(VERSION));
        out.word(u64_word(Program::Bundle.tag().into()));
        out.word(self.chain_digest);
        out.word(u64_word(HEAD_WORDS * 32));
        out.word(u64_word(parts));
        for Bundled { program, digest } in &self.parts {
            out.word(u64_word(program.tag().into()));
            out.word(*digest);
        }
        out.finish()
    }

    /// Reads exactly what [`Self::abi_encode`] writes, and nothing else.
    ///
    /// # Errors
    /// [`AbiError`] names the first word that differs.
    pub fn abi_decode(bytes: &[u8]) -> Result<Self, AbiError> {
        let mut reader = Reader::new(bytes)?;
        reader.expect("offset", 32)?;
        reader.expect("version", VERSION)?;
        reader.expect("program", Program::Bundle.tag().into())?;
        let chain_digest = reader.word()?;
        reader.expect("parts offset", HEAD_WORDS * 32)?;
        let count = reader.count("parts", PART_WORDS)?;
        let parts = (0..count).map(|_| {
            let program = Program::from_tag(reader.u32("program of a part")?);
            let program = program.ok_or(AbiError::Unexpected("program of a part"))?;
            Ok(Bundled { program, digest: reader.word()? })
        });
        let parts = parts.collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self { chain_digest, parts })
    }
}
