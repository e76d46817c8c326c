//! Logs in many blocks in a row: every block since one that was looked at is read by its parent hash from a finalized block
//! on, so that no node can leave one out.

use std::collections::VecDeque;

use sextant_consensus::{
    bloom::Bloom,
    chain::ChainConfig,
    events::LogFilter,
    execution_header::ExecutionHeader,
    hash::{Root, keccak256},
    light_client::LightClientHeader,
};

use super::{PrepareError, events, inclusion::FinalBlock};
use crate::ExecutionNodes;

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

/// Looks for logs in blocks in a row. What was read stays read: where a node fails in between, or a later head comes, the
/// next look goes on from there.
#[derive(Clone, Debug)]
pub struct Scan {
    filters: Vec<LogFilter>,
    /// The one that is being read is the last.
    stretches: Vec<Stretch>,
}

/// Blocks in a row that were read.
#[derive(Clone, Debug)]
struct Stretch {
    /// Number and hash of the newest.
    top: (u64, Root),
    /// The parent of the oldest.
    next: (u64, Root),
    /// The newest first.
    found: Vec<BlockLogs>,
}

impl Scan {
    /// For logs that pass one of `filters`.
    pub fn new(filters: Vec<LogFilter>) -> Self {
        Self { filters, stretches: Vec::new() }
    }

    /// Looks in the finalized block of this header, which is proven, and in its ancestors after block `after`. None: in the
    /// finalized block alone. May be dropped half-way.
    ///
    /// # Errors
    /// [`PrepareError`].
    pub async fn until(
        &mut self,
        config: &ChainConfig,
        finalized: &LightClientHeader,
        execution: &ExecutionNodes,
        after: Option<u64>,
    ) -> Result<Scanned, PrepareError> {
        let block = FinalBlock::of(finalized, config, execution).await?;
        let (last, top) = (block.number, (block.number, block.hash));
        let after = after.unwrap_or(last.saturating_sub(1));
        // Headers that were read ahead.
        let mut ahead: VecDeque<_> = block.header.map(|header| header.value).into_iter().collect();
        self.stretches.push(Stretch { top, next: top, found: Vec::new() });
        // Numbers are the headers' own: each is one less than its child's.
        while let Some(next) = self.join().filter(|(number, _)| *number > after) {
            let fits = |header: &Vec<u8>| keccak256(header) == next.1;
            let header = match ahead.pop_front().filter(fits) {
                Some(header) => header,
                None => {
                    let wanted = next.0 - self.known_below(next.0).max(after);
                    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
                    ahead = execution.headers_at_once(next.0, &next.1, wanted).await.into();
                    match ahead.pop_front() {
                        Some(header) => header,
                        None => execution.block_header(&next.1).await?.value,
                    }
                }
            };
            self.read(next, &header, execution).await?;
        }
        let Some(read) = self.stretches.pop() else { return Ok(Scanned { last, found: Vec::new() }) };
        let found = read.found.iter().rev().filter(|block| block.number > after).cloned().collect();
        self.stretches = vec![read];
        Ok(Scanned { last, found })
    }

    /// Number of the newest block below this one that was read before; 0: none.
    fn known_below(&self, number: u64) -> u64 {
        let tops = self.stretches.iter().map(|stretch| stretch.top.0);
        tops.filter(|top| *top < number).max().unwrap_or_default()
    }

    /// Joins what was read before to the stretch that is being read, where that has come so far. Returns its next block.
    fn join(&mut self) -> Option<(u64, Root)> {
        let mut newest = self.stretches.pop()?;
        while let Some(index) = self.stretches.iter().position(|older| older.top == newest.next) {
            let older = self.stretches.remove(index);
            newest.next = older.next;
            newest.found.extend(older.found);
        }
        let next = newest.next;
        self.stretches.push(newest);
        Some(next)
    }

    /// Looks into the block of this number and hash, whose header this is.
    async fn read(
        &mut self,
        (number, hash): (u64, Root),
        header: &[u8],
        execution: &ExecutionNodes,
    ) -> Result<(), PrepareError> {
        let header = ExecutionHeader::read(header)?;
        let bloom = Bloom(header.logs_bloom()?);
        let passes = |filter: &&LogFilter| !bloom.excludes(&filter.address, &filter.topics);
        let open: Vec<_> = self.filters.iter().filter(passes).collect();
        let places = match open.is_empty() {
            true => Vec::new(),
            false => events::places(&execution.receipts(&hash, &header.receipts_root).await?, &open)?,
        };
        if let Some(stretch) = self.stretches.last_mut() {
            stretch.next = (number.saturating_sub(1), header.parent_hash);
            if !places.is_empty() {
                stretch.found.push(BlockLogs { number, hash, places });
            }
        }
        Ok(())
    }
}
