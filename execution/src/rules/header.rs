//! A header on its parent's (execution-specs, `fork.py` `validate_header`).
//!
//! The parent is not judged: it is whatever block the parent hash names. Its fields are numbers that anybody may have
//! chosen, so that nothing here may overflow or divide by zero for any of them.

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header};
use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use alloy_primitives::U256;

use crate::forks::Rules;

/// Bytes of `extra_data` at most.
const MAX_EXTRA_DATA: usize = 32;
/// By how much of itself the gas limit may change from block to block: less than this part.
const GAS_LIMIT_PART: u64 = 1024;
/// The least gas limit.
const MIN_GAS_LIMIT: u64 = 5000;
/// The greatest (EIP-1985, and what clients enforce): a limit fits in 63 bits.
const MAX_GAS_LIMIT: u64 = i64::MAX as u64;

/// Which rule a header breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The number is not the parent's plus one.
    #[error("block {got} on block {parent}")]
    Number {
        /// The block's.
        got: u64,
        /// The parent's.
        parent: u64,
    },
    /// Time has not moved on.
    #[error("time {got} on a parent of {parent}")]
    Timestamp {
        /// The block's, in seconds.
        got: u64,
        /// The parent's.
        parent: u64,
    },
    /// A field of proof of work is not what it has been since EIP-3675.
    #[error("{0} is not that of a block without work")]
    Work(&'static str),
    /// The extra data is too long.
    #[error("{0} bytes of extra data, where {MAX_EXTRA_DATA} are allowed")]
    ExtraData(usize),
    /// More gas is used than the block may use.
    #[error("{used} gas used under a limit of {limit}")]
    GasUsed {
        /// The header's gas used.
        used: u64,
        /// Its gas limit.
        limit: u64,
    },
    /// The gas limit has moved too far.
    #[error("gas limit {got} on a parent with {parent}")]
    GasLimit {
        /// The block's.
        got: u64,
        /// The parent's.
        parent: u64,
    },
    /// The gas limit is outside of what any block may have.
    #[error("gas limit {0} is not between {MIN_GAS_LIMIT} and 2^63 - 1")]
    GasLimitRange(u64),
    /// A field that every block of the fork has is missing, or one is there that none has.
    #[error("field {name} is {}", if *.present { "not one of this fork" } else { "missing" })]
    Field {
        /// Which.
        name: &'static str,
        /// Whether the header has it.
        present: bool,
    },
    /// The base fee does not follow from the parent (EIP-1559).
    #[error("base fee {got}, where the parent leads to {expected:?}")]
    BaseFee {
        /// The block's, in wei.
        got: u64,
        /// What it has to be; none if the parent leads to no fee at all.
        expected: Option<u64>,
    },
    /// The excess of blob gas does not follow from the parent (EIP-4844, EIP-7918).
    #[error("excess blob gas {got}, where the parent leads to {expected:?}")]
    ExcessBlobGas {
        /// The block's.
        got: u64,
        /// What it has to be; none if it has no place in 64 bits.
        expected: Option<u64>,
    },
    /// All blobs that a block may have would cost 2^128 wei or more, which the EVM here cannot hold.
    #[error("excess blob gas {0} makes a price of 2^128 wei or more for a block's blobs")]
    BlobFee(u64),
}

/// Checks `header` on `parent`. That it is the parent, by hash, is the witness's part.
///
/// # Errors
/// The first rule that is broken.
pub fn check(header: &Header, parent: &Header, rules: &Rules) -> Result<(), HeaderError> {
    use HeaderError as E;

    require(parent.number.checked_add(1) == Some(header.number), || E::Number {
        got: header.number,
        parent: parent.number,
    })?;
    require(header.timestamp > parent.timestamp, || E::Timestamp {
        got: header.timestamp,
        parent: parent.timestamp,
    })?;
    require(header.difficulty == U256::ZERO, || E::Work("difficulty"))?;
    require(header.nonce.is_zero(), || E::Work("nonce"))?;
    require(header.ommers_hash == EMPTY_OMMER_ROOT_HASH, || E::Work("ommers_hash"))?;
    require(header.extra_data.len() <= MAX_EXTRA_DATA, || E::ExtraData(header.extra_data.len()))?;
    check_fields(header, rules)?;
    check_gas(header, parent)?;
    check_blob_gas(header, parent, rules)
}

fn require(holds: bool, error: impl FnOnce() -> HeaderError) -> Result<(), HeaderError> {
    if holds { Ok(()) } else { Err(error()) }
}

/// The fields that came with forks: exactly those of this one.
fn check_fields(header: &Header, rules: &Rules) -> Result<(), HeaderError> {
    let fields = [
        ("base_fee_per_gas", header.base_fee_per_gas.is_some(), true),
        ("withdrawals_root", header.withdrawals_root.is_some(), true),
        ("blob_gas_used", header.blob_gas_used.is_some(), true),
        ("excess_blob_gas", header.excess_blob_gas.is_some(), true),
        ("parent_beacon_block_root", header.parent_beacon_block_root.is_some(), true),
        ("requests_hash", header.requests_hash.is_some(), rules.is_prague()),
        ("block_access_list_hash", header.block_access_list_hash.is_some(), false),
        ("slot_number", header.slot_number.is_some(), false),
    ];
    fields
        .into_iter()
        .try_for_each(|(name, present, due)| require(present == due, || HeaderError::Field { name, present }))
}

fn check_gas(header: &Header, parent: &Header) -> Result<(), HeaderError> {
    let (used, limit) = (header.gas_used, header.gas_limit);
    require((MIN_GAS_LIMIT..=MAX_GAS_LIMIT).contains(&limit), || HeaderError::GasLimitRange(limit))?;
    require(limit.abs_diff(parent.gas_limit) < parent.gas_limit / GAS_LIMIT_PART, || {
        HeaderError::GasLimit { got: limit, parent: parent.gas_limit }
    })?;
    require(used <= limit, || HeaderError::GasUsed { used, limit })?;
    // Present: checked before.
    let got = header.base_fee_per_gas.unwrap_or_default();
    let expected = next_base_fee(parent);
    require(expected == Some(got), || HeaderError::BaseFee { got, expected })
}

/// The base fee of a block on `parent` (EIP-1559, execution-specs `calculate_base_fee_per_gas`).
fn next_base_fee(parent: &Header) -> Option<u64> {
    const ELASTICITY: u64 = 2;
    const MAX_CHANGE: u128 = 8;
    let fee = parent.base_fee_per_gas?;
    let target = parent.gas_limit / ELASTICITY;
    // A product of two numbers of 64 bits has room in 128.
    let change =
        |gas: u64| Some((u128::from(fee) * u128::from(gas)).checked_div(u128::from(target))? / MAX_CHANGE);
    if parent.gas_used > target {
        let up = change(parent.gas_used - target)?.max(1);
        u64::try_from(u128::from(fee).checked_add(up)?).ok()
    } else {
        let down = u64::try_from(change(target - parent.gas_used)?).ok()?;
        fee.checked_sub(down)
    }
}

fn check_blob_gas(header: &Header, parent: &Header, rules: &Rules) -> Result<(), HeaderError> {
    // Present: checked before.
    let got = header.excess_blob_gas.unwrap_or_default();
    let expected = next_excess_blob_gas(parent, rules);
    require(expected == Some(got), || HeaderError::ExcessBlobGas { got, expected })?;
    // The computation stops at the greatest number instead of wrapping around, and so does revm's of what blobs cost.
    let params = rules.blob_params();
    let dearest = params.calc_blob_fee(got).checked_mul(params.max_blob_gas_per_block().into());
    require(dearest.is_some(), || HeaderError::BlobFee(got))
}

/// The excess blob gas of a block on `parent` under the block's own rules (EIP-4844, and EIP-7918 from Osaka on;
/// execution-specs `calculate_excess_blob_gas`). A parent from before Cancun counts as without blobs.
fn next_excess_blob_gas(parent: &Header, rules: &Rules) -> Option<u64> {
    let params = rules.blob_params();
    let excess = u128::from(parent.excess_blob_gas.unwrap_or_default());
    let used = u128::from(parent.blob_gas_used.unwrap_or_default());
    let target = u128::from(params.target_blob_gas_per_block());
    let total = excess + used;
    let Some(above) = total.checked_sub(target) else { return Some(0) };
    let next = if rules.is_osaka() && is_execution_dearer(parent, rules) {
        let (max, target) = (u128::from(params.max_blob_count), u128::from(params.target_blob_count));
        excess + used * (max - target) / max
    } else {
        above
    };
    u64::try_from(next).ok()
}

/// EIP-7918: whether the least gas that a transaction with a blob needs costs more than the blob.
fn is_execution_dearer(parent: &Header, rules: &Rules) -> bool {
    let params = rules.blob_params();
    let execution =
        U256::from(params.blob_base_cost) * U256::from(parent.base_fee_per_gas.unwrap_or_default());
    let fee = params.calc_blob_fee(parent.excess_blob_gas.unwrap_or_default());
    execution > U256::from(DATA_GAS_PER_BLOB) * U256::from(fee)
}

#[cfg(test)]
mod tests;
