//! States made up for tests, with their whole witness.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::TrieAccount;

use crate::input::Witness;
use crate::trie::tests::{Map, whole};

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub nonce: u64,
    pub balance: U256,
    pub code: Bytes,
    pub storage: BTreeMap<U256, U256>,
}

/// All accounts there are.
pub(crate) type World = BTreeMap<Address, Account>;

/// A witness that owns its items.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owned {
    pub state: Vec<Vec<u8>>,
    pub codes: Vec<Vec<u8>>,
    pub headers: Vec<Vec<u8>>,
}

impl Owned {
    pub fn as_witness(&self) -> Witness<'_> {
        fn slices(items: &[Vec<u8>]) -> Vec<&[u8]> {
            items.iter().map(Vec::as_slice).collect()
        }
        Witness { state: slices(&self.state), codes: slices(&self.codes), headers: slices(&self.headers) }
    }

    /// The hash of the last header.
    pub fn parent_hash(&self) -> B256 {
        keccak256(self.headers.last().expect("a header"))
    }
}

/// Root and nodes of an account's storage.
pub(crate) fn storage(account: &Account) -> (B256, Vec<Vec<u8>>) {
    let slot = |(slot, word): (&U256, &U256)| (keccak256(slot.to_be_bytes::<32>()), alloy_rlp::encode(word));
    let map: Map = account.storage.iter().filter(|(_, word)| !word.is_zero()).map(slot).collect();
    whole(&map)
}

/// Root of a state, and everything that is in it, below the header of a block 7.
pub(crate) fn witness(world: &World) -> (B256, Owned) {
    let mut owned = Owned::default();
    let mut accounts = Map::new();
    for (address, account) in world {
        let (storage_root, nodes) = storage(account);
        owned.state.extend(nodes);
        let code_hash = if account.code.is_empty() {
            KECCAK256_EMPTY
        } else {
            owned.codes.push(account.code.to_vec());
            keccak256(&account.code)
        };
        let leaf = TrieAccount::new(account.nonce, account.balance, storage_root, code_hash);
        accounts.insert(keccak256(address), alloy_rlp::encode(leaf));
    }
    let (root, nodes) = whole(&accounts);
    owned.state.extend(nodes);
    let header = Header { number: 7, state_root: root, ..Header::default() };
    owned.headers.push(alloy_rlp::encode(header));
    (root, owned)
}
