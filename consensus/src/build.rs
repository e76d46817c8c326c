//! From the objects that nodes serve to statement inputs, for clients.
//!
//! Building checks shapes only as far as it needs them; whether the statement is true is for the statements' own
//! `check`, which a client runs on the result before asking anybody for a proof.

mod inclusion;
mod nodes;

use alloc::vec::Vec;

use crate::beacon::{CommitteeOpening, public_key_root};
use crate::chain::{ChainConfig, ChainError, Fork};
use crate::codec::Blob;
use crate::committee_change::{self, Handover};
use crate::execution::{
    BLOCK_HASH_FIELD, ExecutionError, ExecutionFacts, FACT_FIELDS, PAYLOAD_DEPTH, payload_field_depth,
};
use crate::finality::SignedFinality;
use crate::hash::{Root, hash_pair};
use crate::light_client::{
    ExecutionPayloadHeader, LightClientBootstrap, LightClientFinalityUpdate, LightClientHeader,
    LightClientUpdate, SyncCommittee,
};
use crate::merkle::{MerkleError, build_multiproof, verify_branch};

pub use self::inclusion::{Asked, StepNodes, TransactionNodes, asked_input, inclusion_input};
pub use self::nodes::AccountNodes;

/// Why no input can be made of the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A slot that the chain configuration does not speak about.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A committee of another size than the chain's.
    #[error("sync committee has {got} keys, the chain's committees have {expected}")]
    CommitteeSize {
        /// Keys given.
        got: usize,
        /// Keys of the chain's preset.
        expected: usize,
    },
    /// The bit list does not have one bit a seat.
    #[error("sync_committee_bits has {got} bytes, the committee needs {expected}")]
    Bits {
        /// Bytes given.
        got: usize,
        /// Bytes of one bit a seat.
        expected: usize,
    },
    /// The bootstrap's committee is not in its header's state.
    #[error("bootstrap: current_sync_committee_branch: {0}")]
    Bootstrap(MerkleError),
    /// A header of this fork has to carry an execution payload header of its fork's shape.
    #[error(
        "finalized_header at slot {slot} is of fork {fork}: its execution header is missing or of another fork"
    )]
    Execution {
        /// Slot of the header.
        slot: u64,
        /// Fork of that slot.
        fork: Fork,
    },
    /// The execution block's header is not that of the finalized header's block.
    #[error(transparent)]
    BlockHeader(#[from] ExecutionError),
    /// The execution branch does not have the depth of the payload in the body.
    #[error("execution_branch has {got} hashes, depth {expected} is due")]
    ExecutionBranch {
        /// Hashes given.
        got: usize,
        /// Depth of the payload in the block's body.
        expected: usize,
    },
    /// Nothing to prove.
    #[error("no update given")]
    NoUpdate,
    /// More trie nodes than a path can name.
    #[error("more than 65,536 trie nodes in one request")]
    TooManyNodes,
    /// The same account twice.
    #[error("account {0:02x?} is asked for twice")]
    DuplicateAccount([u8; 20]),
    /// The same slot of an account twice.
    #[error("slot {0:02x?} of one account is asked for twice")]
    DuplicateSlot([u8; 32]),
    /// The same transaction twice.
    #[error("transaction {0} is asked for twice")]
    DuplicateTransaction(u32),
    /// The same absent log twice.
    #[error("the absence of one log is asked for twice")]
    DuplicateNoLog,
}

/// The committee of a bootstrap, checked against its header's state root.
///
/// The header itself is the caller's to trust: compare its root with a checkpoint.
///
/// # Errors
/// [`BuildError::Bootstrap`] or [`BuildError::CommitteeSize`].
pub fn bootstrap_committee<'a>(
    chain: &ChainConfig,
    bootstrap: &'a LightClientBootstrap,
) -> Result<&'a SyncCommittee, BuildError> {
    let committee = &bootstrap.current_sync_committee;
    check_size(chain, committee)?;
    let header = &bootstrap.header.beacon;
    let gindex = chain.fork_at(header.slot)?.current_sync_committee_gindex();
    verify_branch(&committee.root(), &bootstrap.current_sync_committee_branch, gindex, &header.state_root)
        .map_err(BuildError::Bootstrap)?;
    Ok(committee)
}

/// The input that hands over from `committee`, of the first update's period, through all `updates` in order.
///
/// # Errors
/// [`BuildError`] names what has the wrong shape.
pub fn committee_change_input(
    chain: &ChainConfig,
    committee: &SyncCommittee,
    updates: &[LightClientUpdate],
) -> Result<committee_change::Input, BuildError> {
    let (first, last) = updates.first().zip(updates.last()).ok_or(BuildError::NoUpdate)?;
    Ok(committee_change::Input {
        signer_period: chain.period(first.signature_slot),
        signer_committee_root: committee.root(),
        handovers: handovers(chain, committee, updates)?,
        execution: execution_facts(chain, &last.finalized_header)?,
        chain: chain.clone(),
    })
}

/// The handovers from `committee` through all `updates` in order.
fn handovers(
    chain: &ChainConfig,
    committee: &SyncCommittee,
    updates: &[LightClientUpdate],
) -> Result<Vec<Handover>, BuildError> {
    let committees =
        core::iter::once(committee).chain(updates.iter().map(|update| &update.next_sync_committee));
    let handovers = updates.iter().zip(committees).map(|(update, signers)| {
        Ok(Handover {
            signed: signed_finality(chain, signers, &update.finality_update())?,
            next_committee_root: update.next_sync_committee.root(),
            next_committee_branch: update.next_sync_committee_branch.clone(),
        })
    });
    handovers.collect()
}

fn check_size(chain: &ChainConfig, committee: &SyncCommittee) -> Result<(), BuildError> {
    let (got, expected) = (committee.pubkeys.len(), chain.size());
    if got == expected { Ok(()) } else { Err(BuildError::CommitteeSize { got, expected }) }
}

fn signed_finality(
    chain: &ChainConfig,
    committee: &SyncCommittee,
    update: &LightClientFinalityUpdate,
) -> Result<SignedFinality, BuildError> {
    check_size(chain, committee)?;
    let bits = &update.sync_aggregate.sync_committee_bits;
    let (got, expected) = (bits.len(), chain.size() / 8);
    if got != expected {
        return Err(BuildError::Bits { got, expected });
    }
    let absent: Vec<u64> =
        (0..chain.committee_size).filter(|seat| bits[*seat as usize / 8] >> (seat % 8) & 1 == 0).collect();
    let seats: Vec<Root> = committee.pubkeys.iter().map(public_key_root).collect();
    Ok(SignedFinality {
        attested: update.attested_header.beacon,
        finalized: update.finalized_header.beacon,
        finality_branch: update.finality_branch.clone(),
        signature_slot: update.signature_slot,
        bits: Blob(bits.clone()),
        signature: update.sync_aggregate.sync_committee_signature,
        committee: CommitteeOpening {
            aggregate: committee.aggregate_pubkey,
            keys: absent.iter().map(|seat| committee.pubkeys[*seat as usize]).collect(),
            proof: build_multiproof(&seats, &absent),
        },
    })
}

/// What a header proves of its execution block where that block's own header tells the rest: its hash.
fn execution_hash(chain: &ChainConfig, header: &LightClientHeader) -> Result<ExecutionFacts, BuildError> {
    if header.execution_block_hash.is_some() {
        return execution_facts(chain, header);
    }
    let slot = header.beacon.slot;
    let Payload { execution, mut fields } = payload(header, slot, chain.fork_at(slot)?)?;
    let mut position = BLOCK_HASH_FIELD;
    let mut branch = Vec::new();
    while fields.len() > 1 {
        branch.push(fields[position ^ 1]);
        fields = fields.chunks_exact(2).map(|pair| hash_pair(&pair[0], &pair[1])).collect();
        position /= 2;
    }
    branch.extend_from_slice(&header.execution_branch);
    Ok(ExecutionFacts::of_block_hash(execution.block_hash, branch))
}

/// A payload header in its fork's shape.
struct Payload {
    execution: ExecutionPayloadHeader,
    /// Roots of its fields, filled up to a power of two.
    fields: Vec<Root>,
}

/// The payload header of a header of `fork`, with a branch of the right length.
fn payload(header: &LightClientHeader, slot: u64, fork: Fork) -> Result<Payload, BuildError> {
    let refuse = BuildError::Execution { slot, fork };
    let execution = header.execution.clone().ok_or(refuse)?.shaped(fork);
    let depth = payload_field_depth(fork).map_err(|_| refuse)?;
    let mut fields = execution.field_roots();
    if fields.len() != if fork == Fork::Capella { 15 } else { 17 } {
        return Err(refuse);
    }
    fields.resize(1 << depth, [0; 32]);
    let (got, expected) = (header.execution_branch.len(), PAYLOAD_DEPTH as usize);
    if got == expected {
        Ok(Payload { execution, fields })
    } else {
        Err(BuildError::ExecutionBranch { got, expected })
    }
}

/// What a header proves of its execution block: three facts with their multiproof, or the block hash alone; nothing
/// before Capella.
fn execution_facts(chain: &ChainConfig, header: &LightClientHeader) -> Result<ExecutionFacts, BuildError> {
    let slot = header.beacon.slot;
    let fork = chain.fork_at(slot)?;
    let Some(hash_gindex) = fork.execution_block_hash_gindex() else { return Ok(ExecutionFacts::default()) };
    if let Some(block_hash) = header.execution_block_hash {
        // A header of an earlier fork in Gloas' form has zeros in front of its branch.
        let (got, expected) = (header.execution_branch.len(), hash_gindex.ilog2() as usize);
        let surplus = got.checked_sub(expected).ok_or(BuildError::ExecutionBranch { got, expected })?;
        return Ok(ExecutionFacts::of_block_hash(block_hash, header.execution_branch[surplus..].to_vec()));
    }
    let Payload { execution, fields } = payload(header, slot, fork)?;
    // The payload is position 9 of 16 in the body, 0b1001: from the top right, left, left, right. A walk from left
    // to right meets the siblings on the left first, outermost first, then the payload, then those on the right.
    let [lowest, second, third, top] = [0, 1, 2, 3].map(|level| header.execution_branch[level]);
    let mut proof = alloc::vec![top, lowest];
    proof.extend(build_multiproof(&fields, &FACT_FIELDS));
    proof.extend([second, third]);
    Ok(ExecutionFacts {
        block_number: execution.block_number,
        block_hash: execution.block_hash,
        state_root: execution.state_root,
        proof,
        block_header: Blob::default(),
    })
}
