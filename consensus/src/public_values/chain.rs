//! Public values of a chain of committees, word by word.

use alloc::vec::Vec;

use super::{Head, Learned, encoding::HEAD_WORDS};
use crate::abi::{AbiError, Reader, Writer, u64_word};
use crate::hash::Root;
use crate::program::Program;

/// Offset of the list, which follows the head, the key and its own offset word.
const LIST_OFFSET: u64 = (HEAD_WORDS + 2) * 32;
/// Words of all of it, with the offset before it and the list's length.
const WORDS: u64 = 1 + HEAD_WORDS + 2 + 3;

/// Public values of a chain of committees: those of a committee change that hides what is between, and the program's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitteeChain {
    /// Where the chain begins, as the trusted committee; the last finalized header; and the lowest number of seats that
    /// signed a handover in between.
    pub head: Head,
    /// Hash of the verifying key of the program that proved the chain, every time that it was extended. Not believed:
    /// whoever verifies compares it with the key that they pin.
    pub program_key: Root,
    /// The committee that the chain leads to: a list of one, as committee changes have it.
    pub newest: Learned,
}

impl CommitteeChain {
    /// The committee that has to be trusted.
    pub fn anchor(&self) -> Learned {
        let Head { signer_period: period, signer_committee_root: committee_root, .. } = self.head;
        Learned { period, committee_root }
    }

    /// `abi.encode` of the structure.
    pub fn abi_encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(WORDS * 32);
        out.word(u64_word(32));
        self.head.write(&mut out);
        out.word(self.program_key);
        out.word(u64_word(LIST_OFFSET));
        out.word(u64_word(1));
        out.word(u64_word(self.newest.period));
        out.word(self.newest.committee_root);
        out.finish()
    }

    /// Reads exactly what [`Self::abi_encode`] writes, and nothing else.
    ///
    /// # Errors
    /// [`AbiError`] names the first word that differs.
    pub fn abi_decode(bytes: &[u8]) -> Result<Self, AbiError> {
        let mut reader = Reader::new(bytes)?;
        reader.expect("offset", 32)?;
        let head = Head::read(Program::Chain, &mut reader)?;
        let program_key = reader.word()?;
        reader.expect("learned offset", LIST_OFFSET)?;
        reader.expect("learned", 1)?;
        let newest = Learned { period: reader.u64("learned period")?, committee_root: reader.word()? };
        reader.finish()?;
        Ok(Self { head, program_key, newest })
    }
}
