//! Headers of many blocks in a row by one request: a JSON-RPC batch. Nodes and gateways limit batches, each in its own way,
//! or take none at all: how many calls are sent at once follows from what came of the batches before.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};
use sextant_consensus::{
    execution_header::ExecutionHeader,
    hash::{Root, keccak256},
};

use crate::{
    ExecutionNodes, Reason, SourceError,
    execution::{BLOCK_LIMIT, hex},
    http::Request,
    input::{Answer, Encoding, read},
    rpc,
};

/// Most calls in one batch: as many blocks as an epoch has slots. Limits that are documented go from 20 calls to 1,000.
const MOST: usize = 32;
/// Largest answer to a batch. Of blocks on mainnet 32 have some 700 KB.
const ANSWER_LIMIT: u64 = 32 << 20;

/// How many calls go into a batch.
#[derive(Debug)]
pub(crate) struct BatchSize(Mutex<Size>);

#[derive(Clone, Copy, Debug)]
struct Size {
    now: usize,
    /// More were refused.
    most: usize,
}

impl Default for BatchSize {
    fn default() -> Self {
        Self(Mutex::new(Size { now: MOST, most: MOST }))
    }
}

impl BatchSize {
    fn now(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now
    }

    /// Of `asked` calls so many were answered.
    fn answered(&self, asked: usize, answered: usize) {
        let mut size = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answered < asked {
            // The limit may be one of bytes: these were as many as there was room for.
            size.most = answered.max(1);
        }
        size.now = (size.now * 2).min(size.most);
    }

    /// A batch of so many calls was not answered.
    fn failed(&self, asked: usize, error: &SourceError) {
        let mut size = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if error.failures.iter().all(|failure| is_refusal(&failure.reason)) {
            size.most = (asked / 2).max(1);
            size.now = size.most;
        } else {
            // Where it was the moment, the next one may be answered.
            size.now = (asked / 2).max(2).min(size.most);
        }
    }
}

/// Whether a node has refused the batch as such: not for now, and not for what is in it.
fn is_refusal(reason: &Reason) -> bool {
    let about_content = matches!(reason, Reason::Nothing | Reason::Mismatch { .. } | Reason::Answer(_));
    !about_content && !reason.is_passing()
}

impl ExecutionNodes {
    /// Headers, in RLP, of the block with this number and hash and of those before it, the newest first, `count` at most: as
    /// many as come by one request. Each hashes to what the one after it names as its parent. None where no node serves
    /// batches, or answers now: a block that is asked for by itself is not refused.
    pub(crate) async fn headers_at_once(&self, number: u64, hash: &Root, count: usize) -> Vec<Vec<u8>> {
        let before = usize::try_from(number).unwrap_or(MOST).saturating_add(1);
        let count = count.min(before).min(self.batch.now());
        if count < 2 {
            return Vec::new();
        }
        match self.pool.ask_once(&batch(number, count), |answer| in_a_row(&answer, hash, count)).await {
            Ok(headers) => {
                self.batch.answered(count, headers.len());
                headers
            }
            Err(error) => {
                self.batch.failed(count, &error);
                Vec::new()
            }
        }
    }
}

/// Asks for this block and those before it, by their numbers.
fn batch(number: u64, count: usize) -> Request {
    let call = |back: u64| {
        let params = json!([format!("{:#x}", number - back), false]);
        json!({ "jsonrpc": "2.0", "id": back + 1, "method": "eth_getBlockByNumber", "params": params })
    };
    Request {
        name: format!("{count} blocks back from block {number}"),
        path: String::new(),
        query: Vec::new(),
        call: Some((0..count as u64).map(call).collect()),
        ssz: false,
        less: None,
        limit: (BLOCK_LIMIT * count as u64).min(ANSWER_LIMIT),
    }
}

/// The headers in the answers, as far as one is the parent of the other.
fn in_a_row(answer: &Answer, hash: &Root, count: usize) -> Result<Vec<Vec<u8>>, Reason> {
    let answers = by_id(answer)?;
    let mut expected = *hash;
    let mut headers = Vec::with_capacity(count);
    for id in 1..=count as u64 {
        match header(answers.get(&id), &expected) {
            Ok((header, parent)) => {
                headers.push(header);
                expected = parent;
            }
            Err(reason) if headers.is_empty() => return Err(reason),
            // A node may answer some calls of a batch, and refuse the rest.
            Err(_) => break,
        }
    }
    Ok(headers)
}

/// The answers to the calls of a batch, which may come in any order.
fn by_id(answer: &Answer) -> Result<BTreeMap<u64, Value>, Reason> {
    let whole: Value = serde_json::from_slice(&answer.bytes).map_err(Reason::refused)?;
    match whole {
        Value::Array(answers) => {
            let id = |answer: Value| Some((answer.get("id")?.as_u64()?, answer));
            Ok(answers.into_iter().filter_map(id).collect())
        }
        // Those who take no batches answer it as one call.
        whole => Err(rpc::error(&whole).unwrap_or_else(|| Reason::refused("no list of answers to a batch"))),
    }
}

/// One block's header, and the hash of its parent.
fn header(answer: Option<&Value>, hash: &Root) -> Result<(Vec<u8>, Root), Reason> {
    let answer = answer.ok_or_else(|| Reason::refused("a call of the batch is not answered"))?;
    if let Some(error) = rpc::error(answer) {
        return Err(error);
    }
    if answer.get("result").is_none_or(Value::is_null) {
        return Err(Reason::Nothing);
    }
    let (source, bytes) = (format!("block {}", hex(hash)), answer.to_string().into_bytes());
    let header = read::block_header(&Answer { source, encoding: Encoding::Json, bytes })?.value;
    match keccak256(&header) {
        got if got == *hash => {
            let parent = ExecutionHeader::read(&header).map_err(Reason::refused)?.parent_hash;
            Ok((header, parent))
        }
        got => Err(Reason::mismatch("block hash", hex(&got), hex(hash))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Failure;

    fn error(reason: Reason) -> SourceError {
        SourceError { request: "batch".into(), failures: vec![Failure { endpoint: "node".into(), reason }] }
    }

    #[test]
    fn what_is_refused_stays_refused_and_what_passes_is_tried_again() {
        let size = BatchSize::default();
        size.failed(32, &error(Reason::Timeout(std::time::Duration::ZERO)));
        assert_eq!(size.now(), 16);
        size.answered(16, 16);
        assert_eq!(size.now(), 32, "a node that was slow once");
        size.failed(32, &error(Reason::refused("batch too large")));
        for _ in 0..3 {
            size.answered(16, 16);
        }
        assert_eq!(size.now(), 16, "not more than it takes");
        size.answered(16, 10);
        assert_eq!(size.now(), 10, "a limit of bytes");
        for asked in [10, 5, 2, 2] {
            size.failed(asked, &error(Reason::Nothing));
        }
        assert_eq!(size.now(), 2, "a node that is behind");
        (0..3).for_each(|_| size.answered(size.now(), size.now()));
        assert_eq!(size.now(), 10);
        for asked in [10, 5, 2] {
            size.failed(asked, &error(Reason::refused("no batches")));
        }
        size.answered(1, 1);
        assert_eq!(size.now(), 1, "none at all");
    }
}
