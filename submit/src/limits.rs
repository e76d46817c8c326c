//! What a transaction may cost, and how long it is waited for.

use std::time::Duration;

/// What a transaction may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// Most per gas, base fee and tip together, wei. Default: 200 gwei.
    pub cap: u128,
    /// Tip per gas, wei. Default: what the node suggests.
    pub tip: Option<u128>,
}

impl Default for Fees {
    fn default() -> Self {
        Self { cap: 200_000_000_000, tip: None }
    }
}

/// How long is waited for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Between two looks. Default: 2 s.
    pub poll: Duration,
    /// Before a transaction is replaced by one that pays more. Default: 90 s.
    pub replace_after: Duration,
    /// In all. Default: 15 min.
    pub total: Duration,
    /// Blocks that must lie on top. Until then the transaction is looked at again and again: one whose block was replaced by
    /// another is sent again. Default: 2.
    pub confirmations: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(2),
            replace_after: Duration::from_secs(90),
            total: Duration::from_secs(900),
            confirmations: 2,
        }
    }
}
