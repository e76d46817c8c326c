//! Accounts and storage slots under a state root, present and absent.

use alloc::vec::Vec;

use crate::codec::record;
use crate::hash::{Root, keccak256};
use crate::public_values::{Account, Slot};
use crate::rlp::{Item, RlpError, number};
use crate::trie::EMPTY_ROOT;
use crate::trie_nodes::{PathError, TrieNodes};

record! {
    /// One account and the slots asked of it.
    pub struct AccountProof {
        /// The address.
        pub address: [u8; 20],
        /// The path from the state root: positions in the statement's nodes.
        pub path: Vec<u16>,
        /// Strictly ascending by key.
        pub slots: Vec<SlotProof>,
    }
}

record! {
    /// One storage slot.
    pub struct SlotProof {
        /// The slot.
        pub key: [u8; 32],
        /// The path from the account's storage root: positions in the statement's nodes. Empty where that trie is.
        pub path: Vec<u16>,
    }
}

/// Why accounts or slots are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountsError {
    /// Accounts are repeated or unordered.
    #[error("account {0}: addresses must be unique and ascending")]
    AccountOrder(usize),
    /// An account's proof is refused.
    #[error("account {account}: {error}")]
    Account {
        /// Which one, from 0.
        account: usize,
        /// Why.
        error: ProofError,
    },
    /// Slots are repeated or unordered.
    #[error("account {account}, slot {slot}: slot keys must be unique and ascending")]
    SlotOrder {
        /// Which account, from 0.
        account: usize,
        /// Which of its slots, from 0.
        slot: usize,
    },
    /// A slot's proof is refused.
    #[error("account {account}, slot {slot}: {error}")]
    Slot {
        /// Which account, from 0.
        account: usize,
        /// Which of its slots, from 0.
        slot: usize,
        /// Why.
        error: ProofError,
    },
}

/// Why the proof of one account or slot is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The path does not lead through the trie.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The value at the path's end is not an account, or not a storage word.
    #[error("value: {0}")]
    Value(#[from] RlpError),
    /// The account's value does not have four fields.
    #[error("value: an account has four fields")]
    Fields,
    /// A zero in a storage trie, which Ethereum deletes.
    #[error("value: zero is never stored")]
    ZeroStored,
}

/// Checks every account under `state_root`.
pub(crate) fn check_accounts(
    state_root: &Root,
    proofs: &[AccountProof],
    nodes: &mut TrieNodes<'_>,
) -> Result<Vec<Account>, AccountsError> {
    let mut accounts: Vec<Account> = Vec::with_capacity(proofs.len());
    for (account, proof) in proofs.iter().enumerate() {
        if accounts.last().is_some_and(|before| before.address >= proof.address) {
            return Err(AccountsError::AccountOrder(account));
        }
        let mut facts = account_facts(state_root, &proof.address, &proof.path, nodes)
            .map_err(|error| AccountsError::Account { account, error })?;
        let storage_root = facts.storage();
        for (slot, proof) in proof.slots.iter().enumerate() {
            if facts.slots.last().is_some_and(|before| before.key >= proof.key) {
                return Err(AccountsError::SlotOrder { account, slot });
            }
            let content = slot_content(&storage_root, &proof.key, &proof.path, nodes)
                .map_err(|error| AccountsError::Slot { account, slot, error })?;
            facts.slots.push(content);
        }
        accounts.push(facts);
    }
    Ok(accounts)
}

impl Account {
    /// Where its slots are looked up. An account that is not there has no storage: every slot of it is absent.
    pub(crate) const fn storage(&self) -> Root {
        if self.exists { self.storage_root } else { EMPTY_ROOT }
    }
}

/// An account under `state_root`, without slots.
pub(crate) fn account_facts(
    state_root: &Root,
    address: &[u8; 20],
    path: &[u16],
    nodes: &mut TrieNodes<'_>,
) -> Result<Account, ProofError> {
    let mut account = Account {
        address: *address,
        exists: false,
        nonce: 0,
        balance: [0; 32],
        storage_root: [0; 32],
        code_hash: [0; 32],
        slots: Vec::new(),
    };
    if let Some(value) = nodes.lookup(state_root, &keccak256(address), path)? {
        let fields = Item::only(value)?.list()?;
        let (nonce, _, fields) = Item::take(fields)?;
        let (balance, _, fields) = Item::take(fields)?;
        let (storage_root, _, fields) = Item::take(fields)?;
        let code_hash = Item::only(fields)?;
        let root = |item: Item<'_>| item.string()?.try_into().map_err(|_| ProofError::Fields);
        account.exists = true;
        account.nonce = u64::from_be_bytes(number(nonce.string()?)?);
        account.balance = number(balance.string()?)?;
        account.storage_root = root(storage_root)?;
        account.code_hash = root(code_hash)?;
    }
    Ok(account)
}

/// A slot under an account's storage root.
pub(crate) fn slot_content(
    storage_root: &Root,
    key: &[u8; 32],
    path: &[u16],
    nodes: &mut TrieNodes<'_>,
) -> Result<Slot, ProofError> {
    let mut slot = Slot { key: *key, exists: false, value: [0; 32] };
    if let Some(value) = nodes.lookup(storage_root, &keccak256(key), path)? {
        slot.exists = true;
        slot.value = number(Item::only(value)?.string()?)?;
        if slot.value == [0; 32] {
            return Err(ProofError::ZeroStored);
        }
    }
    Ok(slot)
}
