//! The witness of a block as revm's database: the state before it by trie nodes, codes by their hash, the hashes of earlier
//! blocks by their headers.
//!
//! What is not in the witness is an error, never an empty answer: absence too is shown, by the nodes where a key's way
//! ends. Nothing is looked up in advance, so whatever is not used may be wrong or missing.

mod ancestors;
mod code;
mod state;
#[cfg(test)]
mod tests;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use revm::bytecode::Bytecode;
use revm::database::BundleState;
use revm::database_interface::{DBErrorMarker, Database};
use revm::state::AccountInfo;
use sextant_consensus::execution_header::HeaderError;

use crate::by_hash::ByHash;
use crate::forks::Rules;
use crate::input::Witness;
use crate::trie::TrieError;
use ancestors::Ancestors;
use state::State;

/// Why a witness does not say what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// No header, or more than BLOCKHASH reaches.
    #[error("{0} headers, where a witness has 1 to 256")]
    Headers(usize),
    /// A header is not that of the block before the next one, or the last is not the parent's.
    #[error("header {index} is that of block {got}, where the next block's parent is {expected}")]
    Ancestor {
        /// Its position in the list.
        index: usize,
        /// Its hash.
        got: B256,
        /// The next block's parent hash.
        expected: B256,
    },
    /// A header's number is not the one before the next block's.
    #[error("header {index} has the number {got} below {next}")]
    AncestorNumber {
        /// Its position in the list.
        index: usize,
        /// Its number.
        got: u64,
        /// The next block's.
        next: u64,
    },
    /// A header cannot be read.
    #[error("header {index}: {error}")]
    Header {
        /// Its position in the list.
        index: usize,
        /// What is wrong with it.
        error: HeaderError,
    },
    /// The parent's header has fields that none has.
    #[error("the parent's header: {0}")]
    Parent(alloy_rlp::Error),
    /// The account trie cannot be read.
    #[error("account trie: {0}")]
    Accounts(TrieError),
    /// A leaf of the account trie is no account.
    #[error("account {address}: {error}")]
    Account {
        /// Whose.
        address: Address,
        /// What is wrong with it.
        error: alloy_rlp::Error,
    },
    /// An account has neither a nonce, nor a balance, nor code: since EIP-7523 no chain has such an account.
    #[error("account {0} is empty (EIP-7523)")]
    Empty(Address),
    /// An account's storage trie cannot be read.
    #[error("storage of {address}: {error}")]
    Storage {
        /// Whose.
        address: Address,
        /// What is wrong with it.
        error: TrieError,
    },
    /// A leaf of a storage trie is no word, or zero, which no trie holds.
    #[error("slot {slot:#x} of {address} is not a word other than zero")]
    Slot {
        /// Whose.
        address: Address,
        /// Which.
        slot: U256,
    },
    /// The code with this hash is not there.
    #[error("the code {0} is not in the witness")]
    Code(B256),
    /// The headers do not reach this block, whose hash is asked for.
    #[error("no header in the witness leads to block {0}")]
    BlockHash(u64),
}

impl DBErrorMarker for WitnessError {}

impl WitnessError {
    /// Whether something is missing, in place of being wrong.
    pub const fn is_missing(&self) -> bool {
        matches!(
            self,
            Self::Headers(0)
                | Self::Code(_)
                | Self::BlockHash(_)
                | Self::Accounts(TrieError::Missing { .. })
                | Self::Storage { error: TrieError::Missing { .. }, .. }
        )
    }
}

/// A witness as revm's database.
#[derive(Debug)]
pub struct WitnessDb<'a> {
    ancestors: Ancestors,
    state: State<'a>,
    codes: ByHash<'a>,
    has_delegations: bool,
}

impl<'a> WitnessDb<'a> {
    /// The state after the block with the hash `parent_hash`, which a header in the witness must have, for a block under
    /// `rules`.
    ///
    /// # Errors
    /// [`WitnessError`] for headers that are not a chain up to the parent, and without the root of the account trie.
    pub fn new(witness: &Witness<'a>, parent_hash: B256, rules: &Rules) -> Result<Self, WitnessError> {
        let ancestors = Ancestors::new(&witness.headers, parent_hash)?;
        let state = State::new(&witness.state, ancestors.parent().state_root)?;
        let codes = ByHash::new(&witness.codes);
        Ok(Self { ancestors, state, codes, has_delegations: rules.is_prague() })
    }

    /// The parent's header, bound by its hash.
    pub const fn parent(&self) -> &Header {
        self.ancestors.parent()
    }

    /// Root of the state with the changes of a block, which is the end of this one: afterwards it would be neither the state
    /// before the block nor that after it.
    ///
    /// # Errors
    /// [`WitnessError`] where nodes that change are missing or malformed; also siblings of what is removed.
    pub fn state_root_after(mut self, changes: &BundleState) -> Result<B256, WitnessError> {
        self.state.root_after(changes)
    }

    /// What all accounts that have been looked up own together, in wei; `None` if that is 2^256 or more.
    pub const fn wei(&self) -> Option<U256> {
        self.state.wei()
    }

    /// Whether an account that holds storage, and neither code nor a nonce, has been met so far: no contract can be created
    /// there (EIP-7610).
    pub const fn has_met_storage_alone(&self) -> bool {
        self.state.has_met_storage_alone()
    }

    /// Whether an account holds storage, and neither code nor a nonce.
    ///
    /// # Errors
    /// [`WitnessError`] where the witness does not say.
    pub fn is_storage_alone(&mut self, address: Address) -> Result<bool, WitnessError> {
        self.state.is_storage_alone(address)
    }
}

impl Database for WitnessDb<'_> {
    type Error = WitnessError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, WitnessError> {
        let account = self.state.account(address)?;
        Ok(account.map(|account| AccountInfo {
            nonce: account.nonce,
            balance: account.balance,
            code_hash: account.code_hash,
            account_id: None,
            // Most accounts' code is never asked for.
            code: None,
        }))
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, WitnessError> {
        if hash == KECCAK256_EMPTY {
            return Ok(Bytecode::default());
        }
        let code = self.codes.get(&hash).ok_or(WitnessError::Code(hash))?;
        Ok(code::bytecode(code, self.has_delegations))
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, WitnessError> {
        self.state.slot(address, slot)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, WitnessError> {
        self.ancestors.hash_of(number).ok_or(WitnessError::BlockHash(number))
    }
}
