//! Statement 2: in the execution block that a trusted committee finalized, or in an ancestor of it, these accounts and
//! slots have these values or are absent, and these transactions and logs are there or are not.

use alloc::vec::Vec;

use crate::accounts::{AccountsError, check_accounts};
use crate::ancestry::{self, AncestryError};
use crate::bls::AggregateVerifier;
use crate::chain::{ChainConfig, ChainError, Fork};
use crate::codec::{Blob, record};
use crate::committee_change::{Handover, HandoverError, hand_over};
use crate::events::{Events, EventsError, Questions};
use crate::execution::{ExecutionError, ExecutionFacts};
use crate::finality::{FinalityError, SignedFinality};
use crate::hash::Root;
use crate::program::Program;
use crate::public_values::{Account, Block, Head, Inclusion, Learned};
use crate::step;
use crate::trie_nodes::TrieNodes;

pub use crate::accounts::{AccountProof, ProofError, SlotProof};
pub use crate::ancestry::{Step, StepError};
pub use crate::events::{LogFilter, NoLogError, TransactionError, TransactionProof};

record! {
    /// The statement and its evidence.
    pub struct Input {
        /// The chain; its digest becomes public.
        pub chain: ChainConfig,
        /// `hash_tree_root` of the committee that has to be trusted: the one that signed or, where it handed over, the
        /// first one. Public: whoever verifies compares it with the one they trust.
        pub signer_committee_root: Root,
        /// The signed header and its finality.
        pub signed: SignedFinality,
        /// Execution facts of the finalized header.
        pub execution: ExecutionFacts,
        /// Trie nodes of all proofs, each once.
        pub nodes: Vec<Blob>,
        /// Accounts and slots asked for, strictly ascending by address.
        pub accounts: Vec<AccountProof>,
        /// From the trusted committee to the one that signed, one per period, in order. None: it signed itself.
        pub handovers: Vec<Handover>,
        /// From the finalized block back to the one that the facts are about. None: they are about the finalized one.
        pub ancestry: Vec<Step>,
        /// Transactions asked for, strictly ascending by index.
        pub transactions: Vec<TransactionProof>,
        /// Logs that the block does not have, strictly ascending by address and topics.
        pub no_logs: Vec<LogFilter>,
        /// All receipts of the block, where one of them needs all. Else none.
        pub receipts: Vec<Blob>,
    }
}

/// Why an inclusion is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InclusionError {
    /// The chain configuration is none this version speaks about.
    #[error("chain: {0}")]
    Chain(#[from] ChainError),
    /// Nothing is asked.
    #[error("nothing is asked for: no account, no transaction and no log")]
    Empty,
    /// A handover is refused.
    #[error("handover {index}: {error}")]
    Handover {
        /// Which one, from 0.
        index: usize,
        /// Why.
        error: HandoverError,
    },
    /// The handovers lead to the committee of another period than the signature's.
    #[error("signed in period {got}, the handovers lead to the committee of period {expected}")]
    SignerPeriod {
        /// Period of the signature.
        got: u64,
        /// Period of the committee learned last.
        expected: u64,
    },
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
    /// The block that the facts are about is not the finalized one's ancestor.
    #[error("earlier block: {0}")]
    Ancestry(#[from] AncestryError),
    /// An account or a slot is refused.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// A transaction, a log or the absence of a log is refused.
    #[error(transparent)]
    Events(#[from] EventsError),
    /// A node that no proof uses.
    #[error("trie node {0} is used by no proof")]
    UnusedNode(usize),
}

/// Checks the statement and returns its public values.
///
/// # Errors
/// [`InclusionError`] names the rule, and the part that breaks it.
pub fn check(input: &Input, bls: &mut impl AggregateVerifier) -> Result<Inclusion, InclusionError> {
    let chain = &input.chain;
    chain.validate()?;
    if input.accounts.is_empty() && input.transactions.is_empty() && input.no_logs.is_empty() {
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
    let (facts, accounts, events) = step!(Trie, facts(input))?;
    let (head, learned) = signed_head(input, bls)?;
    let Events { transactions, logs, no_logs } = events;
    Ok(Inclusion { head, facts, accounts, learned, transactions, logs, no_logs })
}

/// The block that the questions are about, found from the finalized execution block, and the answers in it.
///
/// SOUNDNESS: the execution facts are proven under the finalized header.
fn facts(input: &Input) -> Result<(Block, Vec<Account>, Events), InclusionError> {
    let mut nodes = TrieNodes::new(&input.nodes);
    let (finalized, header) = input.execution.block()?;
    let (facts, header) = ancestry::follow(finalized, header, &input.ancestry, &mut nodes)?;
    let accounts = check_accounts(&facts.state_root, &input.accounts, &mut nodes)?;
    let questions =
        Questions { transactions: &input.transactions, no_logs: &input.no_logs, receipts: &input.receipts };
    let events = questions.answer(header.as_ref(), &mut nodes)?;
    match nodes.unused() {
        Some(unused) => Err(InclusionError::UnusedNode(unused)),
        None => Ok((facts, accounts, events)),
    }
}

/// The signature over the finalized header, by the trusted committee or by the one that it handed over to.
fn signed_head(
    input: &Input,
    bls: &mut impl AggregateVerifier,
) -> Result<(Head, Vec<Learned>), InclusionError> {
    let (chain, signed) = (&input.chain, &input.signed);
    // Whoever hands over signs in its own period, which is checked below.
    let first = input.handovers.first().map_or(signed, |handover| &handover.signed);
    let trusted =
        Learned { period: chain.period(first.signature_slot), committee_root: input.signer_committee_root };
    let handed_over = hand_over(chain, trusted, &input.handovers, bls)
        .map_err(|(index, error)| InclusionError::Handover { index, error })?;
    let signer = handed_over.learned.last().unwrap_or(&trusted);
    let finalized = signed.verify(chain, &signer.committee_root, bls)?;
    if finalized.signer_period != signer.period {
        let (got, expected) = (finalized.signer_period, signer.period);
        return Err(InclusionError::SignerPeriod { got, expected });
    }
    let head = Head {
        program: Program::Inclusion,
        chain_digest: chain.digest(),
        signer_period: trusted.period,
        signer_committee_root: trusted.committee_root,
        participation: finalized.participation.min(handed_over.participation),
        finalized_slot: signed.finalized.slot,
        finalized_root: finalized.finalized_root,
        block_number: input.execution.block_number,
        block_hash: input.execution.block_hash,
        state_root: input.execution.state_root,
    };
    Ok((head, handed_over.learned))
}
