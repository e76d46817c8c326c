//! A whole state, the witness that has all of it, and what a block makes of it.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::proof::ProofRetainer;
use alloy_trie::{HashBuilder, Nibbles, TrieAccount};
use revm::database::BundleState;
use sextant_execution::input::Witness;

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// How many transactions it has sent, or contracts created.
    pub nonce: u64,
    /// In wei.
    pub balance: U256,
    /// Its code.
    pub code: Bytes,
    /// Words of its storage that are not zero.
    pub storage: BTreeMap<U256, U256>,
}

/// Accounts by address.
pub type World = BTreeMap<Address, Account>;

/// A witness that owns its parts.
#[derive(Clone, Debug, Default)]
pub struct Owned {
    /// Nodes of all tries.
    pub state: Vec<Vec<u8>>,
    /// Codes of all contracts.
    pub codes: Vec<Vec<u8>>,
    /// Headers, ascending.
    pub headers: Vec<Vec<u8>>,
}

impl Owned {
    /// As validation takes it.
    pub fn as_witness(&self) -> Witness<'_> {
        Witness { state: slices(&self.state), codes: slices(&self.codes), headers: slices(&self.headers) }
    }
}

fn slices(items: &[Vec<u8>]) -> Vec<&[u8]> {
    items.iter().map(Vec::as_slice).collect()
}

/// Root of a state, and the nodes and codes in it.
pub fn witness(world: &World) -> (B256, Owned) {
    let mut owned = Owned::default();
    let mut accounts = BTreeMap::new();
    for (address, account) in world {
        let slot =
            |(slot, word): (&U256, &U256)| (keccak256(slot.to_be_bytes::<32>()), alloy_rlp::encode(word));
        let storage_root = trie(&account.storage.iter().map(slot).collect(), &mut owned.state);
        let code_hash = if account.code.is_empty() {
            KECCAK256_EMPTY
        } else {
            owned.codes.push(account.code.to_vec());
            keccak256(&account.code)
        };
        let leaf = TrieAccount::new(account.nonce, account.balance, storage_root, code_hash);
        accounts.insert(keccak256(address), alloy_rlp::encode(leaf));
    }
    let root = trie(&accounts, &mut owned.state);
    (root, owned)
}

/// Root of a trie with these entries, by another implementation than the one under test; its nodes go to `nodes`.
fn trie(entries: &BTreeMap<B256, Vec<u8>>, nodes: &mut Vec<Vec<u8>>) -> B256 {
    let keys = entries.keys().map(Nibbles::unpack).collect();
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(keys));
    for (key, value) in entries {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    let root = builder.root();
    if !entries.is_empty() {
        let all: BTreeSet<_> = builder.take_proof_nodes().into_inner().into_values().collect();
        // Shorter ones stand in their parents.
        let by_hash = all.into_iter().filter(|node| node.len() >= 32 || keccak256(node) == root);
        nodes.extend(by_hash.map(|node| node.to_vec()));
    }
    root
}

/// Makes of a state what a block has made of it.
pub fn apply(world: &mut World, changes: &BundleState) {
    for (address, change) in &changes.state {
        let Some(info) = &change.info else {
            world.remove(address);
            continue;
        };
        let account = world.entry(*address).or_default();
        if change.was_destroyed() {
            *account = Account::default();
        }
        account.nonce = info.nonce;
        account.balance = info.balance;
        if info.code_hash == KECCAK256_EMPTY {
            account.code = Bytes::new();
        } else if let Some(code) = changes.contracts.get(&info.code_hash) {
            account.code = code.original_bytes();
        }
        account.storage.extend(change.storage.iter().map(|(slot, word)| (*slot, word.present_value)));
        account.storage.retain(|_, word| !word.is_zero());
    }
}
