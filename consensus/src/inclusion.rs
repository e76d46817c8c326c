//! Statement 2: in a finalized execution state these accounts and storage slots have these values, or are absent.

use alloc::vec::Vec;

use crate::bls::AggregateVerifier;
use crate::chain::{ChainConfig, ChainError, Fork};
use crate::codec::{Blob, record};
use crate::execution::{ExecutionError, ExecutionFacts};
use crate::finality::{FinalityError, SignedFinality};
use crate::hash::{Root, keccak256};
use crate::program::Program;
use crate::public_values::{Account, Head, Inclusion, Slot};
use crate::rlp::{Item, RlpError, number};
use crate::step;
use crate::trie::{self, EMPTY_ROOT, Node, TrieError};

record! {
    /// The statement and its evidence.
    pub struct Input {
        /// The chain; its digest becomes public.
        pub chain: ChainConfig,
        /// `hash_tree_root` of the committee that signed. Public: whoever verifies compares it with the one they trust.
        pub signer_committee_root: Root,
        /// The signed header and its finality.
        pub signed: SignedFinality,
        /// Execution facts of the finalized header.
        pub execution: ExecutionFacts,
        /// Trie nodes of all proofs, each once.
        pub nodes: Vec<Blob>,
        /// What is asked, strictly ascending by address.
        pub accounts: Vec<AccountProof>,
    }
}

record! {
    /// One account and the slots asked of it.
    pub struct AccountProof {
        /// The address.
        pub address: [u8; 20],
        /// The path from the state root: positions in [`Input::nodes`].
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
        /// The path from the account's storage root: positions in [`Input::nodes`]. Empty where that trie is.
        pub path: Vec<u16>,
    }
}

/// Why an inclusion is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InclusionError {
    /// The chain configuration is none this version speaks about.
    #[error("chain: {0}")]
    Chain(#[from] ChainError),
    /// Nothing is asked.
    #[error("no account is asked for")]
    Empty,
    /// The signed header is refused.
    #[error(transparent)]
    Finality(#[from] FinalityError),
    /// The finalized header's fork proves no execution state.
    #[error("the finalized header is of fork {0}, which proves no execution state")]
    NoExecution(Fork),
    /// The execution facts do not belong to the finalized header.
    #[error("execution facts: {0}")]
    Execution(#[from] ExecutionError),
    /// The facts prove the execution block's hash alone: no state root to look under.
    #[error(
        "no state root is proven: the finalized header names only the execution block's hash, whose header is needed"
    )]
    NoStateRoot,
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
    /// A node that no proof uses.
    #[error("trie node {0} is used by no proof")]
    UnusedNode(usize),
}

/// Why the proof of one account or slot is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The path names a node that is not there.
    #[error("path names node {0}, which is not in the input")]
    NoNode(u16),
    /// The walk through the trie fails.
    #[error(transparent)]
    Trie(#[from] TrieError),
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

/// Checks the statement and returns its public values.
///
/// # Errors
/// [`InclusionError`] names the rule, the account and the slot.
pub fn check(input: &Input, bls: &mut impl AggregateVerifier) -> Result<Inclusion, InclusionError> {
    let chain = &input.chain;
    chain.validate()?;
    if input.accounts.is_empty() {
        return Err(InclusionError::Empty);
    }
    let finalized_fork = chain.fork_at(input.signed.finalized.slot)?;
    if finalized_fork < Fork::Capella {
        return Err(InclusionError::NoExecution(finalized_fork));
    }
    step!(Branches, input.execution.verify(finalized_fork, &input.signed.finalized.body_root))?;
    if input.execution.state_root == [0; 32] {
        return Err(InclusionError::NoStateRoot);
    }
    let accounts = step!(Trie, check_accounts(&input.execution.state_root, &input.nodes, &input.accounts))?;
    let finalized = input.signed.verify(chain, &input.signer_committee_root, bls)?;
    Ok(Inclusion {
        head: Head {
            program: Program::Inclusion,
            chain_digest: chain.digest(),
            signer_period: finalized.signer_period,
            signer_committee_root: input.signer_committee_root,
            participation: finalized.participation,
            finalized_slot: input.signed.finalized.slot,
            finalized_root: finalized.finalized_root,
            block_number: input.execution.block_number,
            block_hash: input.execution.block_hash,
            state_root: input.execution.state_root,
        },
        accounts,
    })
}

/// Checks every account under `state_root`; each node of `nodes` must be used.
fn check_accounts(
    state_root: &Root,
    nodes: &[Blob],
    proofs: &[AccountProof],
) -> Result<Vec<Account>, InclusionError> {
    let mut nodes = NodePool::new(nodes);
    let mut accounts: Vec<Account> = Vec::with_capacity(proofs.len());
    for (account, proof) in proofs.iter().enumerate() {
        if accounts.last().is_some_and(|before| before.address >= proof.address) {
            return Err(InclusionError::AccountOrder(account));
        }
        let mut facts = account_facts(state_root, proof, &mut nodes)
            .map_err(|error| InclusionError::Account { account, error })?;
        // An account that is not there has no storage: every slot of it is absent.
        let storage_root = if facts.exists { facts.storage_root } else { EMPTY_ROOT };
        for (slot, proof) in proof.slots.iter().enumerate() {
            if facts.slots.last().is_some_and(|before| before.key >= proof.key) {
                return Err(InclusionError::SlotOrder { account, slot });
            }
            let content = slot_content(&storage_root, proof, &mut nodes)
                .map_err(|error| InclusionError::Slot { account, slot, error })?;
            facts.slots.push(content);
        }
        accounts.push(facts);
    }
    match nodes.used.iter().position(|used| !used) {
        Some(unused) => Err(InclusionError::UnusedNode(unused)),
        None => Ok(accounts),
    }
}

/// The nodes of all proofs, hashed once each.
struct NodePool<'a> {
    nodes: Vec<Node<'a>>,
    used: Vec<bool>,
}

impl<'a> NodePool<'a> {
    fn new(nodes: &'a [Blob]) -> Self {
        Self {
            nodes: nodes.iter().map(|rlp| Node::new(rlp)).collect(),
            used: alloc::vec![false; nodes.len()],
        }
    }

    fn lookup(&mut self, root: &Root, key: &Root, path: &[u16]) -> Result<Option<&'a [u8]>, ProofError> {
        for position in path {
            *self.used.get_mut(usize::from(*position)).ok_or(ProofError::NoNode(*position))? = true;
        }
        Ok(trie::lookup(root, key, path.iter().map(|position| self.nodes[usize::from(*position)]))?)
    }
}

fn account_facts(
    state_root: &Root,
    proof: &AccountProof,
    nodes: &mut NodePool<'_>,
) -> Result<Account, ProofError> {
    let mut account = Account {
        address: proof.address,
        exists: false,
        nonce: 0,
        balance: [0; 32],
        storage_root: [0; 32],
        code_hash: [0; 32],
        slots: Vec::with_capacity(proof.slots.len()),
    };
    if let Some(value) = nodes.lookup(state_root, &keccak256(&proof.address), &proof.path)? {
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

fn slot_content(
    storage_root: &Root,
    proof: &SlotProof,
    nodes: &mut NodePool<'_>,
) -> Result<Slot, ProofError> {
    let mut slot = Slot { key: proof.key, exists: false, value: [0; 32] };
    if let Some(value) = nodes.lookup(storage_root, &keccak256(&proof.key), &proof.path)? {
        slot.exists = true;
        slot.value = number(Item::only(value)?.string()?)?;
        if slot.value == [0; 32] {
            return Err(ProofError::ZeroStored);
        }
    }
    Ok(slot)
}
