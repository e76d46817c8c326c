//! What has come out of a block's execution, under its header (execution-specs, end of `state_transition`).

use alloy_consensus::{Header, TxReceipt, proofs};
use alloy_primitives::{B256, Bloom};

use crate::execute::Outcome;
use crate::forks::Rules;
use crate::payload::requests_hash;
use crate::rules::deposits::{self, DepositError};

/// What a header says otherwise than the block's execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// Gas of all transactions.
    #[error("the transactions used {got} gas, and the header says {expected}")]
    GasUsed {
        /// By execution.
        got: u64,
        /// By the header.
        expected: u64,
    },
    /// Blob gas of all transactions.
    #[error("the transactions used {got} blob gas, and the header says {expected:?}")]
    BlobGasUsed {
        /// By execution.
        got: u64,
        /// By the header.
        expected: Option<u64>,
    },
    /// Root of the receipts.
    #[error("the receipts have root {got}, and the header says {expected}")]
    Receipts {
        /// By execution.
        got: B256,
        /// By the header.
        expected: B256,
    },
    /// Bloom filter of all logs.
    #[error("the bloom filter of the logs is not the header's")]
    LogsBloom,
    /// Requests to the consensus layer (EIP-7685).
    #[error("the requests have hash {got:?}, and the header says {expected:?}")]
    Requests {
        /// By execution; none where the fork has no requests.
        got: Option<B256>,
        /// By the header.
        expected: Option<B256>,
    },
    /// A deposit contract's log that is no deposit, or one that was left out.
    #[error(transparent)]
    Deposits(#[from] DepositError),
    /// Root of the state.
    #[error("the state after the block has root {got}, and the header says {expected}")]
    State {
        /// By execution.
        got: B256,
        /// By the header.
        expected: B256,
    },
}

/// Checks what `outcome` says but the state, which [`check_state`] does.
///
/// # Errors
/// The first field of `header` that is another.
pub fn check(header: &Header, outcome: &Outcome, rules: &Rules) -> Result<(), PostError> {
    if outcome.gas_used != header.gas_used {
        return Err(PostError::GasUsed { got: outcome.gas_used, expected: header.gas_used });
    }
    if Some(outcome.blob_gas_used) != header.blob_gas_used {
        return Err(PostError::BlobGasUsed { got: outcome.blob_gas_used, expected: header.blob_gas_used });
    }
    let bloom = outcome.receipts.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | receipt.bloom());
    if bloom != header.logs_bloom {
        return Err(PostError::LogsBloom);
    }
    let got = proofs::calculate_receipt_root(&outcome.receipts);
    if got != header.receipts_root {
        return Err(PostError::Receipts { got, expected: header.receipts_root });
    }
    let got = rules.is_prague().then(|| {
        requests_hash(
            outcome.requests.iter().filter_map(|list| list.split_first()).map(|(kind, data)| (*kind, data)),
        )
    });
    if got != header.requests_hash {
        return Err(PostError::Requests { got, expected: header.requests_hash });
    }
    if rules.is_prague() {
        deposits::check(&outcome.receipts, &outcome.requests, rules.deposit_contract())?;
    }
    Ok(())
}

/// Checks the root of the state after the block.
///
/// # Errors
/// [`PostError::State`].
pub fn check_state(header: &Header, got: B256) -> Result<(), PostError> {
    let expected = header.state_root;
    if got == expected { Ok(()) } else { Err(PostError::State { got, expected }) }
}

#[cfg(test)]
mod tests;
