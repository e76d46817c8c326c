//! Transactions and logs of one block, with what proves them, from execution nodes.

use sextant_consensus::{
    events::LogFilter,
    execution_header::ExecutionHeader,
    hash::keccak256,
    receipt::{Receipt, ReceiptError},
};

use super::{PrepareError, Questions};
use crate::{
    ExecutionNodes,
    input::{
        Parts,
        events::{Block, find_in, left_open},
    },
};

/// Adds what is asked about the events of the block with this header, which is proven, to `parts`.
pub(super) async fn find(
    execution: &ExecutionNodes,
    header: &[u8],
    questions: &Questions,
    parts: &mut Parts,
) -> Result<(), PrepareError> {
    let hash = keccak256(header);
    let header = ExecutionHeader::read(header)?;
    let Some(open) = left_open(&header, questions, parts)? else { return Ok(()) };
    let block = Block {
        number: header.number,
        receipts: execution.receipts(&hash, &header.receipts_root).await?,
        transactions: execution.transactions(&hash, &header.transactions_root).await?,
    };
    Ok(find_in(block, open, questions, parts)?)
}

/// Places among all logs of a block of those that pass a filter.
pub(super) fn places(receipts: &[Vec<u8>], filters: &[&LogFilter]) -> Result<Vec<u32>, ReceiptError> {
    let mut places = Vec::new();
    let mut place = 0;
    for receipt in receipts {
        for log in Receipt::read(receipt)?.logs() {
            let log = log?;
            let mut passes = false;
            for filter in filters {
                passes |= log.matches(&filter.address, &filter.topics)?;
            }
            if passes {
                places.push(place);
            }
            place += 1;
        }
    }
    Ok(places)
}
