//! What a proof says: the public values of both statements, ABI-encoded exactly as `abi.encode(struct)` of
//! Solidity would. `contracts` and clients read the same bytes.

use alloc::vec::Vec;

use crate::abi::{AbiError, Reader, Word, Writer, array_word, bool_word, u64_word};
use crate::hash::Root;
use crate::program::Program;

/// Version of the public values' layout; the first word of both statements.
pub const VERSION: u64 = 1;

/// What both statements begin with: eleven words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which statement.
    pub program: Program,
    /// [`crate::chain::ChainConfig::digest`].
    pub chain_digest: Root,
    /// Period of the committee that has to be trusted. It follows from the slot of the signature, which nobody signs:
    /// what is proven is that the committee below signed, in this period or, of an inclusion, in one of the attested
    /// header's period and the next. Whoever verifies compares the root with the one they trust for that period.
    pub signer_period: u64,
    /// `hash_tree_root` of that committee.
    pub signer_committee_root: Root,
    /// Seats that signed; the lowest number where several committees signed in a row.
    pub participation: u64,
    /// Slot of the finalized header.
    pub finalized_slot: u64,
    /// Beacon block root of the finalized header.
    pub finalized_root: Root,
    /// Execution block number; 0, together with a zero state root, if not proven.
    pub block_number: u64,
    /// Hash of the execution block that the finalized header proves: since Gloas that of the block it builds on.
    /// Zero before Capella.
    pub block_hash: Root,
    /// Execution state root under that block. Zero means "not proven", never "empty": before Capella nothing proves
    /// it, and since Gloas only a statement that brings the execution block's header does. An inclusion always has
    /// one.
    pub state_root: Root,
}

/// A committee that became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned {
    /// The period in which it signs.
    pub period: u64,
    /// `hash_tree_root(SyncCommittee)`.
    pub committee_root: Root,
}

/// Public values of a committee change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitteeChange {
    /// The trusted committee and the last finalized header.
    pub head: Head,
    /// The committees of the periods after it, in order.
    pub learned: Vec<Learned>,
}

/// A storage slot's proven content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The slot, 32 bytes as contracts address it.
    pub key: [u8; 32],
    /// Whether the trie holds it. Ethereum deletes zeros: an absent slot reads as zero.
    pub exists: bool,
    /// Big-endian; zero if absent.
    pub value: [u8; 32],
}

/// An account's proven content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its address.
    pub address: [u8; 20],
    /// Whether the state holds it; all that follows is zero if not.
    pub exists: bool,
    /// Transactions sent, or contracts made.
    pub nonce: u64,
    /// Wei, big-endian.
    pub balance: [u8; 32],
    /// Root of its storage trie.
    pub storage_root: Root,
    /// Keccak-256 of its code.
    pub code_hash: Root,
    /// The slots that were asked for, ascending.
    pub slots: Vec<Slot>,
}

/// Public values of an inclusion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The trusted committee and the finalized header.
    pub head: Head,
    /// The accounts that were asked for, ascending by address.
    pub accounts: Vec<Account>,
}

/// Either statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Statement 1.
    CommitteeChange(CommitteeChange),
    /// Statement 2.
    Inclusion(Inclusion),
}

impl Statement {
    /// Reads the public values of a proof by `program`.
    ///
    /// # Errors
    /// [`AbiError`] unless the bytes are exactly one encoding of that program's public values.
    pub fn abi_decode(program: Program, bytes: &[u8]) -> Result<Self, AbiError> {
        match program {
            Program::CommitteeChange => CommitteeChange::abi_decode(bytes).map(Self::CommitteeChange),
            Program::Inclusion => Inclusion::abi_decode(bytes).map(Self::Inclusion),
        }
    }

    /// The public values' bytes.
    pub fn abi_encode(&self) -> Vec<u8> {
        match self {
            Self::CommitteeChange(values) => values.abi_encode(),
            Self::Inclusion(values) => values.abi_encode(),
        }
    }

    /// What both statements begin with.
    pub fn head(&self) -> &Head {
        match self {
            Self::CommitteeChange(values) => &values.head,
            Self::Inclusion(values) => &values.head,
        }
    }
}

/// Words of [`Head`].
const HEAD_WORDS: u64 = 11;
/// Offset of the list that follows the head and its own offset word.
const LIST_OFFSET: u64 = (HEAD_WORDS + 1) * 32;
/// Words of an [`Account`] before its slots' offset.
const ACCOUNT_WORDS: u64 = 6;
/// Offset of an account's slots.
const SLOTS_OFFSET: u64 = (ACCOUNT_WORDS + 1) * 32;
/// Words of a [`Slot`].
const SLOT_WORDS: u64 = 3;

impl Head {
    fn write(&self, out: &mut Writer) {
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

    fn read(program: Program, reader: &mut Reader<'_>) -> Result<Self, AbiError> {
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

impl CommitteeChange {
    /// `abi.encode` of the structure.
    pub fn abi_encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.word(u64_word(32));
        self.head.write(&mut out);
        out.word(u64_word(LIST_OFFSET));
        out.word(u64_word(self.learned.len() as u64));
        for learned in &self.learned {
            out.word(u64_word(learned.period));
            out.word(learned.committee_root);
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
        let head = Head::read(Program::CommitteeChange, &mut reader)?;
        reader.expect("learned offset", LIST_OFFSET)?;
        let count = reader.count("learned", 2)?;
        let learned = (0..count)
            .map(|_| Ok(Learned { period: reader.u64("learned period")?, committee_root: reader.word()? }))
            .collect::<Result<_, AbiError>>()?;
        reader.finish()?;
        Ok(Self { head, learned })
    }
}

impl Inclusion {
    /// `abi.encode` of the structure.
    pub fn abi_encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.word(u64_word(32));
        self.head.write(&mut out);
        out.word(u64_word(LIST_OFFSET));
        out.word(u64_word(self.accounts.len() as u64));
        for offset in account_offsets(self.accounts.iter().map(|account| account.slots.len() as u64)) {
            out.word(u64_word(offset));
        }
        self.accounts.iter().for_each(|account| account.write(&mut out));
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
        reader.expect("accounts offset", LIST_OFFSET)?;
        let count = reader.count("accounts", 1 + ACCOUNT_WORDS)?;
        let offsets = (0..count).map(|_| reader.u64("account offset")).collect::<Result<Vec<_>, _>>()?;
        let accounts = (0..count).map(|_| Account::read(&mut reader)).collect::<Result<Vec<_>, _>>()?;
        reader.finish()?;
        if !account_offsets(accounts.iter().map(|account| account.slots.len() as u64)).eq(offsets) {
            return Err(AbiError::Unexpected("account offset"));
        }
        Ok(Self { head, accounts })
    }
}

/// Where each account begins, counted from behind the list's length: `slots` gives their numbers of slots.
fn account_offsets(slots: impl ExactSizeIterator<Item = u64>) -> impl Iterator<Item = u64> {
    let first = slots.len() as u64 * 32;
    slots.scan(first, |next, count| {
        let offset = *next;
        *next += SLOTS_OFFSET + 32 + count * SLOT_WORDS * 32;
        Some(offset)
    })
}

impl Account {
    fn write(&self, out: &mut Writer) {
        out.word(array_word(&self.address));
        out.word(bool_word(self.exists));
        out.word(u64_word(self.nonce));
        out.word(self.balance);
        out.word(self.storage_root);
        out.word(self.code_hash);
        out.word(u64_word(SLOTS_OFFSET));
        out.word(u64_word(self.slots.len() as u64));
        for slot in &self.slots {
            out.word(slot.key);
            out.word(bool_word(slot.exists));
            out.word(slot.value);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, AbiError> {
        let address = reader.array("address")?;
        let exists = reader.bool("exists")?;
        let nonce = reader.u64("nonce")?;
        let [balance, storage_root, code_hash]: [Word; 3] = [reader.word()?, reader.word()?, reader.word()?];
        reader.expect("slots offset", SLOTS_OFFSET)?;
        let count = reader.count("slots", SLOT_WORDS)?;
        let slots = (0..count)
            .map(|_| {
                Ok(Slot { key: reader.word()?, exists: reader.bool("slot exists")?, value: reader.word()? })
            })
            .collect::<Result<_, AbiError>>()?;
        Ok(Self { address, exists, nonce, balance, storage_root, code_hash, slots })
    }
}
