//! Inputs of inclusions: what is asked, with the nodes that prove it.

use alloc::vec::Vec;

use super::nodes::{AccountNodes, NodePool};
use super::{BuildError, execution_facts, execution_hash, handovers, signed_finality};
use crate::ancestry::{HISTORY_ADDRESS, Step};
use crate::chain::ChainConfig;
use crate::codec::Blob;
use crate::events::{LogFilter, TransactionProof};
use crate::inclusion::Input;
use crate::light_client::{LightClientFinalityUpdate, LightClientUpdate, SyncCommittee};

/// What an inclusion is asked to prove, and by what. The default asks nothing.
#[derive(Clone, Debug, Default)]
pub struct Asked<'a> {
    /// Updates from the trusted committee to the one that signed, one a period.
    pub handovers: &'a [LightClientUpdate],
    /// The finalized execution block's own header in RLP. Transactions and logs in that block, and a first step to its
    /// parent, need it, and since Gloas everything does. None: what the light-client header says is enough.
    pub block_header: Option<&'a [u8]>,
    /// From the finalized block back to the one asked about.
    pub ancestry: &'a [StepNodes],
    /// Accounts and slots, in any order.
    pub accounts: &'a [AccountNodes],
    /// Transactions and logs, in any order.
    pub transactions: &'a [TransactionNodes],
    /// Logs that are not there, in any order.
    pub no_logs: &'a [LogFilter],
    /// All receipts of the block as their trie holds them, where they are needed.
    pub receipts: &'a [Vec<u8>],
}

/// One step back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepNodes {
    /// Whole nodes of the history contract and of its slot, root first, in the state of the block before; none for a step
    /// to the parent.
    pub history: Option<(Vec<Vec<u8>>, Vec<Vec<u8>>)>,
    /// The earlier block's header in RLP.
    pub header: Vec<u8>,
}

/// One transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionNodes {
    /// Its place in the block.
    pub index: u32,
    /// Whole nodes from the transactions root down; none if its hash is not asked for.
    pub transaction: Vec<Vec<u8>>,
    /// Whole nodes from the receipts root down; none where all receipts are given.
    pub receipt: Vec<Vec<u8>>,
    /// Positions of the logs asked for in its receipt, ascending.
    pub logs: Vec<u32>,
}

impl StepNodes {
    /// The step by the history contract whose proof `eth_getProof` has given: of [`HISTORY_ADDRESS`] with one slot.
    ///
    /// Returns `None` for the proof of anything else.
    pub fn by_history(proof: AccountNodes, header: Vec<u8>) -> Option<Self> {
        let [(_, slot)] = <[_; 1]>::try_from(proof.slots).ok()?;
        (proof.address == HISTORY_ADDRESS).then_some(Self { history: Some((proof.nodes, slot)), header })
    }
}

/// The input that proves `accounts` under the finalized header of `update`, which `committee` signed.
///
/// Since Gloas that header names only a block hash: give the execution block's own header to the input's facts, by
/// [`crate::execution::ExecutionFacts::with_block_header`].
///
/// # Errors
/// [`BuildError`] names what has the wrong shape.
pub fn inclusion_input(
    chain: &ChainConfig,
    committee: &SyncCommittee,
    update: &LightClientFinalityUpdate,
    accounts: &[AccountNodes],
) -> Result<Input, BuildError> {
    asked_input(chain, committee, update, &Asked { accounts, ..Asked::default() })
}

/// The input that proves all that is asked; `trusted` is the committee of the first handover, or else the one that signed
/// `update`.
///
/// # Errors
/// [`BuildError`] names what has the wrong shape.
pub fn asked_input(
    chain: &ChainConfig,
    trusted: &SyncCommittee,
    update: &LightClientFinalityUpdate,
    asked: &Asked<'_>,
) -> Result<Input, BuildError> {
    let signers = asked.handovers.last().map_or(trusted, |update| &update.next_sync_committee);
    let mut pool = NodePool::default();
    let ancestry = asked.ancestry.iter().map(|step| pool.step(step)).collect::<Result<_, _>>()?;

    let mut accounts =
        asked.accounts.iter().map(|account| pool.account(account)).collect::<Result<Vec<_>, _>>()?;
    accounts.sort_by_key(|proof| proof.address);
    if let Some(pair) = accounts.windows(2).find(|pair| pair[0].address == pair[1].address) {
        return Err(BuildError::DuplicateAccount(pair[0].address));
    }
    let mut transactions =
        asked.transactions.iter().map(|nodes| pool.transaction(nodes)).collect::<Result<Vec<_>, _>>()?;
    transactions.sort_by_key(|proof| proof.index);
    if let Some(pair) = transactions.windows(2).find(|pair| pair[0].index == pair[1].index) {
        return Err(BuildError::DuplicateTransaction(pair[0].index));
    }
    let mut no_logs = asked.no_logs.to_vec();
    no_logs.sort();
    if no_logs.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(BuildError::DuplicateNoLog);
    }
    Ok(Input {
        chain: chain.clone(),
        signer_committee_root: trusted.root(),
        signed: signed_finality(chain, signers, update)?,
        execution: match asked.block_header {
            Some(rlp) => execution_hash(chain, &update.finalized_header)?.with_block_header(rlp.to_vec())?,
            None => execution_facts(chain, &update.finalized_header)?,
        },
        nodes: pool.nodes,
        accounts,
        handovers: handovers(chain, trusted, asked.handovers)?,
        ancestry,
        transactions,
        no_logs,
        receipts: asked.receipts.iter().cloned().map(Blob).collect(),
    })
}

impl NodePool {
    fn step(&mut self, step: &StepNodes) -> Result<Step, BuildError> {
        let (account, slot) = match &step.history {
            Some((account, slot)) => (self.path(account)?, self.path(slot)?),
            None => Default::default(),
        };
        Ok(Step { account, slot, header: Blob(step.header.clone()) })
    }

    fn transaction(&mut self, nodes: &TransactionNodes) -> Result<TransactionProof, BuildError> {
        Ok(TransactionProof {
            index: nodes.index,
            transaction: self.path(&nodes.transaction)?,
            receipt: self.path(&nodes.receipt)?,
            logs: nodes.logs.clone(),
        })
    }
}
