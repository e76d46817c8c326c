//! A body under its header: what can be said of transactions and withdrawals before any of them is executed.

use alloy_consensus::Transaction;
use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use alloy_primitives::B256;

use crate::block::Block;
use crate::forks::Rules;

/// Bytes of a block in RLP at most, from Osaka on (EIP-7934): 10 MiB less 2 MiB for the beacon block around it.
pub const MAX_BLOCK_BYTES: usize = 8 << 20;

/// Which rule a body breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// There are ommers, which there have been none of since EIP-3675.
    #[error("the block has ommers")]
    Ommers,
    /// The header names other transactions.
    #[error("transactions have root {got}, and the header says {expected}")]
    Transactions {
        /// Root of the transactions.
        got: B256,
        /// The header's word for it.
        expected: B256,
    },
    /// The header names other withdrawals.
    #[error("withdrawals have root {got}, and the header says {expected:?}")]
    Withdrawals {
        /// Root of the withdrawals.
        got: B256,
        /// The header's word for it.
        expected: Option<B256>,
    },
    /// The header says another number for the blobs' gas.
    #[error("blobs use {got} gas, and the header says {expected:?}")]
    BlobGasUsed {
        /// By the transactions.
        got: u64,
        /// By the header.
        expected: Option<u64>,
    },
    /// More blobs than a block may have (EIP-4844, EIP-7691, EIP-7892).
    #[error("{got} blobs, where {limit} are allowed")]
    Blobs {
        /// Blobs of the transactions.
        got: u64,
        /// Blobs allowed.
        limit: u64,
    },
    /// The block is too long (EIP-7934).
    #[error("a block of {0} bytes, where {MAX_BLOCK_BYTES} are allowed")]
    Size(usize),
}

/// Checks the body of `block` under its header.
///
/// # Errors
/// The first rule that is broken.
pub fn check(block: &Block<'_>, rules: &Rules) -> Result<(), BodyError> {
    let header = &block.header;
    if block.has_ommers {
        return Err(BodyError::Ommers);
    }
    if rules.is_osaka() && block.size > MAX_BLOCK_BYTES {
        return Err(BodyError::Size(block.size));
    }
    if block.transactions_root != header.transactions_root {
        return Err(BodyError::Transactions {
            got: block.transactions_root,
            expected: header.transactions_root,
        });
    }
    if Some(block.withdrawals_root) != header.withdrawals_root {
        return Err(BodyError::Withdrawals {
            got: block.withdrawals_root,
            expected: header.withdrawals_root,
        });
    }
    let blobs: u64 = block.transactions.iter().filter_map(Transaction::blob_count).sum();
    let limit = rules.blob_params().max_blob_count;
    if blobs > limit {
        return Err(BodyError::Blobs { got: blobs, limit });
    }
    let got = blobs * DATA_GAS_PER_BLOB;
    if header.blob_gas_used != Some(got) {
        return Err(BodyError::BlobGasUsed { got, expected: header.blob_gas_used });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
