//! Both statements, word by word.

use alloc::vec::Vec;

use super::{Block, CommitteeChange, Head, Inclusion, Learned, VERSION, accounts, events};
use crate::abi::{AbiError, Reader, Writer, u64_word};
use crate::program::Program;

/// Words of [`Head`].
pub(super) const HEAD_WORDS: u64 = 11;
/// Words of [`Block`].
const BLOCK_WORDS: u64 = 5;
/// Offset of a committee change's list, which follows the head and its own offset word.
const LEARNED_OFFSET: u64 = (HEAD_WORDS + 1) * 32;
/// Lists of an inclusion.
const LISTS: u64 = 5;
/// Offset of the first of them: they follow head, block and their offset words.
const LISTS_OFFSET: u64 = (HEAD_WORDS + BLOCK_WORDS + LISTS) * 32;
/// Words of a [`Learned`].
const LEARNED_WORDS: u64 = 2;

impl Head {
    pub(super) fn write(&self, out: &mut Writer) {
        out.word(u64_word(VERSION));
        out.word(u64_word(self.program.tag().into()));
        out.word(self.chain_digest);
        out.word(u64_word(self.signer_period));
        out.word(self.signer_committee_root);
        out.word(u64_word(self.participation));
        out.word(u64_word(self.finalized_slot));
        out.word(self.finalized_root);
        out.word(u64_word(self.block_number));
        out.word(self.block_hash);
        out.word(self.state_root);
    }

    pub(super) fn read(program: Program, reader: &mut Reader<'_>) -> Result<Self, AbiError> {
        reader.expect("version", VERSION)?;
        reader.expect("program", program.tag().into())?;
        Ok(Self {
            program,
            chain_digest: reader.word()?,
            signer_period: reader.u64("signer period")?,
            signer_committee_root: reader.word()?,
            participation: reader.u64("participation")?,
            finalized_slot: reader.u64("finalized slot")?,
            finalized_root: reader.word()?,
            block_number: reader.u64("block number")?,
            block_hash: reader.word()?,
            state_root: reader.word()?,
        })
    }
}

impl Block {
    fn write(&self, out: &mut Writer) {
        out.word(u64_word(self.number));
        out.word(self.hash);
        out.word(self.state_root);
        out.word(self.receipts_root);
        out.word(u64_word(self.timestamp));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, AbiError> {
        Ok(Self {
            number: reader.u64("number of the facts' block")?,
            hash: reader.word()?,
            state_root: reader.word()?,
            receipts_root: reader.word()?,
            timestamp: reader.u64("timestamp")?,
        })
    }
}

/// Bytes of the list of committees, with its length.
const fn learned_size(learned: &[Learned]) -> u64 {
    32 + learned.len() as u64 * LEARNED_WORDS * 32
}

fn write_learned(learned: &[Learned], out: &mut Writer) {
    out.word(u64_word(learned.len() as u64));
    for learned in learned {
        out.word(u64_word(learned.period));
        out.word(learned.committee_root);
    }
}

fn read_learned(reader: &mut Reader<'_>) -> Result<Vec<Learned>, AbiError> {
    let count = reader.count("learned", LEARNED_WORDS)?;
    (0..count)
        .map(|_| Ok(Learned { period: reader.u64("learned period")?, committee_root: reader.word()? }))
        .collect()
}

impl CommitteeChange {
    /// `abi.encode` of the structure.
    pub fn abi_encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(32 + LEARNED_OFFSET + learned_size(&self.learned));
        out.word(u64_word(32));
        self.head.write(&mut out);
        out.word(u64_word(LEARNED_OFFSET));
        write_learned(&self.learned, &mut out);
        out.finish()
    }

    /// Reads exactly what [`Self::abi_encode`] writes, and nothing else.
    ///
    /// # Errors
    /// [`AbiError`] names the first word that differs.
    pub fn abi_decode(bytes: &[u8]) -> Result<Self, AbiError> {
        let mut reader = Reader::new(bytes)?;
        reader.expect("offset", 32)?;
        let head = Head::read(Program::CommitteeChange, &mut reader)?;
        reader.expect("learned offset", LEARNED_OFFSET)?;
        let learned = read_learned(&mut reader)?;
        reader.finish()?;
        Ok(Self { head, learned })
    }
}

impl Inclusion {
    /// `abi.encode` of the structure.
    pub fn abi_encode(&self) -> Vec<u8> {
        let offsets = self.list_offsets();
        let end = offsets[offsets.len() - 1] + events::no_logs_size(&self.no_logs);
        let mut out = Writer::with_capacity(32 + end);
        out.word(u64_word(32));
        self.head.write(&mut out);
        self.facts.write(&mut out);
        for offset in offsets {
            out.word(u64_word(offset));
        }
        accounts::write(&self.accounts, &mut out);
        write_learned(&self.learned, &mut out);
        events::write_transactions(&self.transactions, &mut out);
        events::write_logs(&self.logs, &mut out);
        events::write_no_logs(&self.no_logs, &mut out);
        out.finish()
    }

    /// Reads exactly what [`Self::abi_encode`] writes, and nothing else.
    ///
    /// # Errors
    /// [`AbiError`] names the first word that differs.
    pub fn abi_decode(bytes: &[u8]) -> Result<Self, AbiError> {
        let mut reader = Reader::new(bytes)?;
        reader.expect("offset", 32)?;
        let head = Head::read(Program::Inclusion, &mut reader)?;
        let facts = Block::read(&mut reader)?;
        let mut offsets = [0; LISTS as usize];
        for offset in &mut offsets {
            *offset = reader.u64("list offset")?;
        }
        let values = Self {
            head,
            facts,
            accounts: accounts::read(&mut reader)?,
            learned: read_learned(&mut reader)?,
            transactions: events::read_transactions(&mut reader)?,
            logs: events::read_logs(&mut reader)?,
            no_logs: events::read_no_logs(&mut reader)?,
        };
        reader.finish()?;
        if values.list_offsets() == offsets { Ok(values) } else { Err(AbiError::Unexpected("list offset")) }
    }

    /// Where each list begins, counted from the head's first word.
    fn list_offsets(&self) -> [u64; LISTS as usize] {
        let learned = LISTS_OFFSET + accounts::size(&self.accounts);
        let transactions = learned + learned_size(&self.learned);
        let logs = transactions + events::transactions_size(&self.transactions);
        let no_logs = logs + events::logs_size(&self.logs);
        [LISTS_OFFSET, learned, transactions, logs, no_logs]
    }
}
