//! The statement: the block that a new payload request describes is valid on the block that its parent hash names, under
//! the rules of the fork and chain that the input names.
//!
//! It says nothing of the parent: neither that it is valid, nor that it is on any chain that somebody follows. An input
//! with another witness either comes to the same statement or to none.

use alloy_eips::eip7685::Requests;
use alloy_primitives::B256;
use revm::database::BundleState;
use sextant_consensus::hash::Root;

use crate::block::{Block, FormatError};
use crate::execute::{self, ExecuteError};
use crate::forks::{ForkError, Rules};
use crate::input::{InputError, PublicKeyBytes, StatelessInput, Witness};
use crate::rules::{
    body::{self, BodyError},
    header::{self, HeaderError},
    post::{self, PostError},
};
use crate::schema::SchemaId;
use crate::senders::{self, SenderError};
use crate::witness::{WitnessDb, WitnessError};

/// Bytes of [`Validated::output`].
pub const OUTPUT_BYTES: usize = 43;

/// Why an input proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// It cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It asks for a fork's rules that the chain has not.
    #[error(transparent)]
    Fork(#[from] ForkError),
    /// Its payload is no block, or not the block that it names.
    #[error("payload: {0}")]
    Format(#[from] FormatError),
    /// The block is not valid, or the witness does not show it.
    #[error(transparent)]
    Block(#[from] BlockError),
}

/// Why a block is not shown to be valid.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// The witness is not one of the block's parent, or leaves something out.
    #[error("witness: {0}")]
    Witness(#[from] WitnessError),
    /// The header breaks a rule.
    #[error("header: {0}")]
    Header(#[from] HeaderError),
    /// The body breaks a rule.
    #[error("body: {0}")]
    Body(#[from] BodyError),
    /// A transaction has no sender.
    #[error("senders: {0}")]
    Sender(#[from] SenderError),
    /// The block cannot be executed.
    #[error("execution: {0}")]
    Execute(#[from] ExecuteError),
    /// Execution comes to something else than the header says.
    #[error("after execution: {0}")]
    Post(#[from] PostError),
}

/// A block that is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validated {
    /// Root of the new payload request: the block's name in public.
    pub request_root: Root,
    /// The chain that its transactions and rules are of.
    pub chain_id: u64,
    /// The fork whose rules hold.
    pub schema: SchemaId,
    /// The block's hash.
    pub block_hash: B256,
    /// The hash of the block that it is valid on.
    pub parent_hash: B256,
    /// The block's number.
    pub number: u64,
    /// The block's time in seconds.
    pub timestamp: u64,
    /// Root of the state after it.
    pub state_root: B256,
    /// Gas of its transactions.
    pub gas_used: u64,
    /// How many there are.
    pub transactions: usize,
}

impl Validated {
    /// What a proof says: SSZ of execution-specs' `StatelessValidationResult` (request root, `successful_validation`, chain id,
    /// schema id), where success is always 1. A block that is not valid has no output.
    pub fn output(&self) -> [u8; OUTPUT_BYTES] {
        let mut output = [0; OUTPUT_BYTES];
        output[..32].copy_from_slice(&self.request_root);
        output[32] = 1;
        output[33..41].copy_from_slice(&self.chain_id.to_le_bytes());
        output[41..].copy_from_slice(&self.schema.number().to_le_bytes());
        output
    }
}

/// Validates an input.
///
/// # Errors
/// [`ExecutionError`], for any bytes that are not a valid block's.
pub fn validate(input: &[u8]) -> Result<Validated, ExecutionError> {
    let input = StatelessInput::parse(input)?;
    let payload = &input.request.payload;
    let rules = Rules::at(input.chain_id, input.schema.fork, payload.timestamp)?;
    let block = Block::of_request(&input.request)?;
    check_block(&block, &input.witness, input.public_keys, &rules)?;
    let header = block.header();
    Ok(Validated {
        request_root: input.request.root(),
        chain_id: input.chain_id,
        schema: input.schema,
        block_hash: block.hash(),
        parent_hash: header.parent_hash,
        number: header.number,
        timestamp: header.timestamp,
        state_root: header.state_root,
        gas_used: header.gas_used,
        transactions: block.transactions().len(),
    })
}

/// What the execution of a valid block came to, beside what its header says.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Lists of requests to the consensus layer (EIP-7685), each with its type in front.
    pub requests: Requests,
    /// Accounts and storage as the block leaves them.
    pub changes: BundleState,
}

/// Checks a block by the state in `witness`. `public_keys` are the senders' as hints; there may be none.
///
/// # Errors
/// [`BlockError`]: the first rule that the block breaks, or what the witness lacks.
pub fn check_block(
    block: &Block<'_>,
    witness: &Witness<'_>,
    public_keys: &[PublicKeyBytes],
    rules: &Rules,
) -> Result<Checked, BlockError> {
    let mut db = WitnessDb::new(witness, block.header().parent_hash, rules)?;
    header::check(block.header(), db.parent(), rules)?;
    body::check(block, rules)?;
    let senders = senders::recover(block.transactions(), public_keys)?;
    let outcome = execute::execute(block, &senders, &mut db, rules)?;
    post::check(block.header(), &outcome, rules)?;
    post::check_state(block.header(), db.state_root_after(&outcome.changes)?)?;
    Ok(Checked { requests: outcome.requests, changes: outcome.changes })
}
