//! Logs in many blocks in a row: every block since one that was looked at is read by its parent hash from a finalized block
//! on, so that no node can leave one out.

use sextant_consensus::{
    bloom::Bloom, chain::ChainConfig, events::LogFilter, execution_header::ExecutionHeader, hash::Root,
    light_client::LightClientHeader,
};

use super::{PrepareError, events, inclusion::FinalBlock};
use crate::{ExecutionNodes, input::Sourced};

/// Logs of one block that pass a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockLogs {
    /// The block's number.
    pub number: u64,
    /// Its hash.
    pub hash: Root,
    /// Places of the logs among all of the block, ascending, as in [`super::LogName::InBlock`].
    pub places: Vec<u32>,
}

/// What a scan found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// Number of the finalized block, up to which was looked.
    pub last: u64,
    /// Blocks with logs that pass, in their order.
    pub found: Vec<BlockLogs>,
}

/// Looks for logs that pass one of `filters` in the finalized block of this header, which is proven, and in its ancestors
/// after block `after`. None: in the finalized block alone.
///
/// # Errors
/// [`PrepareError`].
pub async fn scan_logs(
    config: &ChainConfig,
    finalized: &LightClientHeader,
    execution: &ExecutionNodes,
    filters: &[LogFilter],
    after: Option<u64>,
) -> Result<Scanned, PrepareError> {
    let block = FinalBlock::of(finalized, config, execution).await?;
    let (last, mut hash) = (block.number, block.hash);
    let after = after.unwrap_or(last.saturating_sub(1));
    let mut known = block.header;
    let mut found = Vec::new();
    // Numbers are the headers' own: each is one less than its child's.
    for number in (after.saturating_add(1)..=last).rev() {
        let Sourced { value: rlp, .. } = match known.take() {
            Some(header) => header,
            None => execution.block_header(&hash).await?,
        };
        let header = ExecutionHeader::read(&rlp)?;
        let bloom = Bloom(header.logs_bloom()?);
        let open: Vec<_> =
            filters.iter().filter(|filter| !bloom.excludes(&filter.address, &filter.topics)).collect();
        if !open.is_empty() {
            let receipts = execution.receipts(&hash, &header.receipts_root).await?;
            let places = events::places(&receipts, &open)?;
            if !places.is_empty() {
                found.push(BlockLogs { number, hash, places });
            }
        }
        hash = header.parent_hash;
    }
    found.reverse();
    Ok(Scanned { last, found })
}
