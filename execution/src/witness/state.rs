//! Accounts and storage before a block, by the nodes in its witness, and the root of the state after it.

use alloc::vec::Vec;

use alloy_primitives::map::{AddressMap, Entry, HashMap};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use alloy_rlp::Encodable;
use alloy_trie::TrieAccount;
use revm::database::{BundleAccount, BundleState};
use revm::state::AccountInfo;

use super::WitnessError;
use crate::trie::{EMPTY_ROOT, Nodes, Trie};

/// An account that has been looked up.
#[derive(Debug)]
struct Known {
    /// Keccak-256 of its address.
    key: B256,
    /// None if there is none.
    account: Option<TrieAccount>,
    /// Its storage, once that is looked at.
    storage: Option<Trie>,
}

/// The state, as far as a witness has it.
#[derive(Debug)]
pub(super) struct State<'a> {
    nodes: Nodes<'a>,
    accounts: Trie,
    known: AddressMap<Known>,
    slots: SlotKeys,
    met: Met,
}

/// What can be said of all accounts that have been looked up.
#[derive(Debug)]
struct Met {
    /// Whether one of them holds storage, and neither code nor a nonce.
    storage_alone: bool,
    /// Their balances, as far as there is room.
    wei: Option<U256>,
}

/// Keys of slots in storage tries: their Keccak-256. What is written has been read before, and contracts use the same slots.
#[derive(Debug, Default)]
struct SlotKeys(HashMap<U256, B256>);

impl SlotKeys {
    fn get(&mut self, slot: U256) -> B256 {
        *self.0.entry(slot).or_insert_with(|| keccak256(slot.to_be_bytes::<32>()))
    }
}

impl<'a> State<'a> {
    /// The state with this root.
    pub(super) fn new(nodes: &[&'a [u8]], root: B256) -> Result<Self, WitnessError> {
        let mut nodes = Nodes::new(nodes);
        let accounts = Trie::new(root, &mut nodes).map_err(WitnessError::Accounts)?;
        Ok(Self {
            nodes,
            accounts,
            known: AddressMap::default(),
            slots: SlotKeys::default(),
            met: Met { storage_alone: false, wei: Some(U256::ZERO) },
        })
    }

    /// An account; `None` if there is none.
    pub(super) fn account(&mut self, address: Address) -> Result<Option<&TrieAccount>, WitnessError> {
        Ok(self.known(address)?.0.account.as_ref())
    }

    /// The word in a slot of an account's storage.
    pub(super) fn slot(&mut self, address: Address, slot: U256) -> Result<U256, WitnessError> {
        let key = self.slots.get(slot);
        let (known, nodes) = self.known(address)?;
        let at = |error| WitnessError::Storage { address, error };
        let storage = known.storage(nodes).map_err(at)?;
        let Some(value) = storage.get(&key, nodes).map_err(at)? else { return Ok(U256::ZERO) };
        match alloy_rlp::decode_exact::<U256>(value) {
            Ok(word) if !word.is_zero() => Ok(word),
            _ => Err(WitnessError::Slot { address, slot }),
        }
    }

    pub(super) const fn has_met_storage_alone(&self) -> bool {
        self.met.storage_alone
    }

    pub(super) const fn wei(&self) -> Option<U256> {
        self.met.wei
    }

    pub(super) fn is_storage_alone(&mut self, address: Address) -> Result<bool, WitnessError> {
        Ok(self.account(address)?.is_some_and(is_storage_alone))
    }

    /// The root with the changes of a block. The state is of no use after it.
    ///
    /// What is written comes before what is removed, in each trie: where a branch gets a new way before it loses one, it needs
    /// no sibling.
    pub(super) fn root_after(&mut self, changes: &BundleState) -> Result<B256, WitnessError> {
        let mut removed = Vec::new();
        for (address, change) in &changes.state {
            // An account that is empty is none (EIP-161).
            match change.info.as_ref().filter(|info| !info.is_empty()) {
                Some(info) => self.write(*address, info, change)?,
                None => removed.push(*address),
            }
        }
        for address in removed {
            let key = self.known(address)?.0.key;
            self.accounts.remove(&key, &mut self.nodes).map_err(WitnessError::Accounts)?;
        }
        self.accounts.root(&self.nodes).map_err(WitnessError::Accounts)
    }

    fn write(
        &mut self,
        address: Address,
        info: &AccountInfo,
        change: &BundleAccount,
    ) -> Result<(), WitnessError> {
        let storage_root = self.storage_root_after(address, change)?;
        let account = TrieAccount::new(info.nonce, info.balance, storage_root, info.code_hash);
        let (known, _) = self.known(address)?;
        if known.account.as_ref() == Some(&account) {
            return Ok(());
        }
        let key = known.key;
        let mut rlp = Vec::with_capacity(account.length());
        account.encode(&mut rlp);
        self.accounts.insert(&key, rlp, &mut self.nodes).map_err(WitnessError::Accounts)
    }

    fn storage_root_after(&mut self, address: Address, change: &BundleAccount) -> Result<B256, WitnessError> {
        let Self { nodes, accounts, known, slots, met } = self;
        let known = look_up(known, accounts, nodes, met, address)?;
        let at = |error| WitnessError::Storage { address, error };
        // Of an account that was destroyed nothing is left but what has been written since, which is all that is listed.
        let is_wiped = change.was_destroyed();
        if is_wiped {
            known.storage = Some(Trie::empty());
        } else if !change.storage.values().any(|slot| slot.is_changed()) {
            return Ok(known.storage_root());
        }
        let storage = known.storage(nodes).map_err(at)?;
        let changed = || change.storage.iter().filter(|(_, slot)| is_wiped || slot.is_changed());
        for (slot, value) in changed().filter(|(_, slot)| !slot.present_value.is_zero()) {
            let mut rlp = Vec::with_capacity(33);
            value.present_value.encode(&mut rlp);
            storage.insert(&slots.get(*slot), rlp, nodes).map_err(at)?;
        }
        for (slot, _) in changed().filter(|(_, slot)| slot.present_value.is_zero()) {
            storage.remove(&slots.get(*slot), nodes).map_err(at)?;
        }
        storage.root(nodes).map_err(at)
    }

    fn known(&mut self, address: Address) -> Result<(&mut Known, &mut Nodes<'a>), WitnessError> {
        let Self { nodes, accounts, known, met, .. } = self;
        let known = look_up(known, accounts, nodes, met, address)?;
        Ok((known, nodes))
    }
}

impl Known {
    fn storage_root(&self) -> B256 {
        self.account.as_ref().map_or(EMPTY_ROOT, |account| account.storage_root)
    }

    fn storage(&mut self, nodes: &mut Nodes<'_>) -> Result<&mut Trie, crate::trie::TrieError> {
        let storage = match self.storage.take() {
            Some(storage) => storage,
            None => Trie::new(self.storage_root(), nodes)?,
        };
        Ok(self.storage.insert(storage))
    }
}

fn is_storage_alone(account: &TrieAccount) -> bool {
    account.nonce == 0 && account.code_hash == KECCAK256_EMPTY && account.storage_root != EMPTY_ROOT
}

/// The account, read from the trie if it is not known yet.
fn look_up<'k>(
    known: &'k mut AddressMap<Known>,
    accounts: &mut Trie,
    nodes: &mut Nodes<'_>,
    met: &mut Met,
    address: Address,
) -> Result<&'k mut Known, WitnessError> {
    let vacant = match known.entry(address) {
        Entry::Occupied(known) => return Ok(known.into_mut()),
        Entry::Vacant(vacant) => vacant,
    };
    let key = keccak256(address);
    let account = accounts
        .get(&key, nodes)
        .map_err(WitnessError::Accounts)?
        .map(alloy_rlp::decode_exact::<TrieAccount>)
        .transpose()
        .map_err(|error| WitnessError::Account { address, error })?;
    if let Some(account) = &account {
        if account.nonce == 0 && account.balance.is_zero() && account.code_hash == KECCAK256_EMPTY {
            return Err(WitnessError::Empty(address));
        }
        met.storage_alone |= is_storage_alone(account);
        met.wei = met.wei.and_then(|wei| wei.checked_add(account.balance));
    }
    Ok(vacant.insert(Known { key, account, storage: None }))
}
