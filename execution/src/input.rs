//! `StatelessInput`: a block and all that is needed to validate it without a node's database, read in place.
//!
//! The layout of execution-specs' `stateless_ssz.py` (tests-zkevm v0.8): a schema id, then SSZ.

use alloc::vec::Vec;

use crate::payload::NewPayloadRequest;
use crate::schema::{SchemaError, SchemaId};
use crate::ssz::{Field, SszError, byte_lists, container, elements, uint64};

/// `MAX_WITNESS_NODES`.
pub(crate) const MAX_NODES: usize = 1 << 22;
/// `MAX_BYTES_PER_WITNESS_NODE`: a branch has 532 bytes.
pub(crate) const MAX_NODE_BYTES: usize = 1 << 10;
/// `MAX_WITNESS_CODES`.
pub(crate) const MAX_CODES: usize = 1 << 18;
/// `MAX_BYTES_PER_CODE`.
pub(crate) const MAX_CODE_BYTES: usize = 1 << 16;
/// `MAX_WITNESS_HEADERS`: as many as BLOCKHASH reaches.
pub(crate) const MAX_HEADERS: usize = 256;
/// `MAX_BYTES_PER_HEADER`.
pub(crate) const MAX_HEADER_BYTES: usize = 1 << 10;
/// `MAX_PUBLIC_KEYS`.
pub(crate) const MAX_PUBLIC_KEYS: usize = 1 << 15;

/// An uncompressed public key of secp256k1: 4, x, y.
pub type PublicKeyBytes = [u8; 65];

/// What a block's validation reads beside the block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witness<'a> {
    /// Nodes of the state trie and of storage tries before the block.
    ///
    /// SOUNDNESS: found by their Keccak-256 alone, from the parent's state root down.
    pub state: Vec<&'a [u8]>,
    /// Codes of contracts.
    ///
    /// SOUNDNESS: found by their Keccak-256 alone, as accounts name it.
    pub codes: Vec<&'a [u8]>,
    /// Headers in RLP, ascending, the last of them the parent's.
    ///
    /// SOUNDNESS: bound by the block's parent hash, and each by the parent hash in the next.
    pub headers: Vec<&'a [u8]>,
}

/// An input to stateless validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatelessInput<'a> {
    /// Layout and fork.
    pub schema: SchemaId,
    /// The block. Its root is the proof's subject.
    pub request: NewPayloadRequest<'a>,
    /// State before it.
    pub witness: Witness<'a>,
    /// Which chain. Public.
    pub chain_id: u64,
    /// Keys of the transactions' senders, in their order.
    ///
    /// SOUNDNESS: hints that save work and are never believed: a signature must verify under a key that is used.
    pub public_keys: &'a [PublicKeyBytes],
}

/// Why bytes are no input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// A schema that is not read here.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Not the SSZ that the schema asks for.
    #[error("input: {0}")]
    Ssz(#[from] SszError),
}

const INPUT: [Field; 4] =
    [("new_payload_request", None), ("witness", None), ("chain_id", Some(8)), ("public_keys", None)];
const WITNESS: [Field; 3] = [("state", None), ("codes", None), ("headers", None)];

impl<'a> StatelessInput<'a> {
    /// Reads an input that takes up all of `bytes`.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, InputError> {
        let (schema, ssz) = SchemaId::take(bytes)?;
        let [request, witness, chain_id, public_keys] = container(ssz, &INPUT)?;
        Ok(Self {
            schema,
            request: NewPayloadRequest::parse(schema.fork, request)?,
            witness: Witness::parse(witness)?,
            chain_id: uint64(chain_id),
            public_keys: elements("public_keys", public_keys, MAX_PUBLIC_KEYS)?,
        })
    }
}

impl<'a> Witness<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, SszError> {
        let [state, codes, headers] = container(bytes, &WITNESS)?;
        Ok(Self {
            state: byte_lists("state", state, MAX_NODES, MAX_NODE_BYTES)?,
            codes: byte_lists("codes", codes, MAX_CODES, MAX_CODE_BYTES)?,
            headers: byte_lists("headers", headers, MAX_HEADERS, MAX_HEADER_BYTES)?,
        })
    }
}

#[cfg(test)]
mod tests;
