//! A look for logs in many blocks in a row that a node's failure interrupts.

mod common;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use common::{execution, execution_node};
use serde_json::json;
use sextant_consensus::{events::LogFilter, light_client::LightClientHeader};
use sextant_fixtures::mainnet_events::{LARGE, SMALL};
use sextant_sources::prepare::{Scan, Scanned};
use sextant_test_nodes::{Ask, Node, Reply, events::two_heads, recorded::Recorded};

fn finalized(recorded: &Recorded) -> LightClientHeader {
    serde_json::from_value(recorded.finality_update["data"]["finalized_header"].clone()).unwrap()
}

/// Hashes that headers or receipts were asked for by more than once.
fn asked_again(node: &Node) -> BTreeSet<String> {
    let ask = |ask: &Ask| format!("{} {}", ask.call["method"], ask.call["params"][0].as_str().unwrap());
    let mut seen = BTreeSet::new();
    let again: Vec<String> = node.asked().iter().map(ask).filter(|ask| !seen.insert(ask.clone())).collect();
    again.iter().map(|ask| ask.split("0x").nth(1).unwrap().to_owned()).collect()
}

/// USDC, which all recorded blocks have logs of.
fn usdc() -> LogFilter {
    let address = hex::decode("a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48").unwrap().try_into().unwrap();
    LogFilter { address, topics: vec![] }
}

/// Three blocks with logs and an empty head, which a scan reads.
struct Looks {
    recorded: Recorded,
    after: u64,
}

impl Looks {
    fn new() -> Self {
        let ([_, recorded], blocks) = two_heads(&[SMALL, LARGE, SMALL]);
        Self { recorded, after: blocks[0].number - 1 }
    }

    async fn look(&self, nodes: &[&Node]) -> Scanned {
        let mut scan = Scan::new(vec![usdc()]);
        let (chain, head) = (&self.recorded.chain, finalized(&self.recorded));
        scan.until(chain, &head, &execution(nodes), Some(self.after)).await.unwrap()
    }
}

/// How many calls of this method a node got in batches, and how many by themselves.
fn counted(node: &Node, method: &str) -> (usize, usize) {
    let asked = node.asked();
    let calls = asked.iter().filter(|ask| ask.call["method"] == method);
    let (together, alone): (Vec<_>, Vec<_>) = calls.partition(|ask| ask.batch > 0);
    (together.len(), alone.len())
}

/// Answers come in an order of the node's own.
#[tokio::test]
async fn blocks_are_read_by_one_request() {
    let looks = Looks::new();
    let node = execution_node(&looks.recorded, |_| None).await;
    assert_eq!(looks.look(&[&node]).await.found.len(), 3);
    // All but the head, whose number its own header tells.
    assert_eq!(counted(&node, "eth_getBlockByNumber"), (3, 0));
    assert_eq!(counted(&node, "eth_getBlockByHash"), (0, 1));
}

/// However a node says that it takes no batches, or none of that size, blocks are read all the same.
#[tokio::test]
async fn a_node_without_batches_is_asked_block_by_block() {
    fn refusal(code: i64, message: &str) -> serde_json::Value {
        json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": message } })
    }
    type Fault = fn(&Ask) -> Option<Reply>;
    let faults: [(&str, Fault, usize); 8] = [
        ("HTTP 400", |_| Some(Reply::refused(400, "bad request")), 1),
        ("HTTP 413", |_| Some(Reply::refused(413, "too large")), 1),
        ("HTTP 429", |_| Some(Reply::refused(429, "too many requests")), 1),
        ("one error", |_| Some(Reply::Whole(refusal(-32600, "batch requests are not supported"))), 1),
        ("one error in a list", |_| Some(Reply::Whole(json!([refusal(-32600, "batch too large")]))), 1),
        ("no answer", |_| Some(Reply::Whole(json!([]))), 1),
        ("no list", |_| Some(Reply::Whole(json!({ "jsonrpc": "2.0", "id": 1, "result": null }))), 1),
        // The third one is too much: two at a time.
        (
            "the rest refused",
            |ask| {
                let answer = refusal(-32003, "response too large");
                (ask.call["id"] == 3).then(|| {
                    let mut answer = answer;
                    answer["id"] = 3.into();
                    Reply::Json(answer)
                })
            },
            0,
        ),
    ];
    let looks = Looks::new();
    let whole = execution_node(&looks.recorded, |_| None).await;
    let expected = looks.look(&[&whole]).await;
    for (name, fault, alone) in faults {
        let node =
            execution_node(&looks.recorded, move |ask| if ask.batch > 0 { fault(ask) } else { None }).await;
        assert_eq!(looks.look(&[&node]).await, expected, "{name}");
        let by_hash = counted(&node, "eth_getBlockByHash").1;
        // The head, and what no batch has brought.
        assert!(by_hash > alone, "{name}: {by_hash}");
        let together = counted(&node, "eth_getBlockByNumber").0;
        assert!((3..=5).contains(&together), "{name}: {together}");
    }
}

/// What a batch says is believed no more than what one answer says: a block of another number is none of the chain.
#[tokio::test]
async fn a_false_block_in_a_batch_is_not_taken() {
    let looks = Looks::new();
    let whole = execution_node(&looks.recorded, |_| None).await;
    let expected = looks.look(&[&whole]).await;
    for place in 1..=3 {
        let honest = looks.recorded.clone();
        let node = execution_node(&looks.recorded, move |ask| {
            let is_false = ask.batch > 0 && ask.call["id"] == place;
            is_false.then(|| {
                let Reply::Json(mut answer) = honest.execution(ask) else { panic!("JSON") };
                answer["result"] = honest.blocks[0].clone();
                Reply::Json(answer)
            })
        })
        .await;
        assert_eq!(looks.look(&[&node]).await, expected, "place {place}");
        // And beside a node that has it right.
        let second = execution_node(&looks.recorded, |_| None).await;
        assert_eq!(looks.look(&[&node, &second]).await, expected, "place {place}");
    }
}

#[tokio::test]
async fn what_was_read_stays_read() {
    let ([first, second], blocks) = two_heads(&[SMALL, LARGE, SMALL]);
    let (chain, head) = (&second.chain, finalized(&second));
    let after = Some(blocks[0].number - 1);
    let whole = execution_node(&second, |_| None).await;
    let mut scan = Scan::new(vec![usdc()]);
    let expected = scan.until(chain, &head, &execution(&[&whole]), after).await.unwrap();
    let numbers: Vec<_> = expected.found.iter().map(|block| block.number).collect();
    assert_eq!(numbers, blocks.iter().map(|block| block.number).collect::<Vec<_>>());

    // The oldest block's header is not to be had for a while.
    let oldest = hex::encode(blocks[0].hash());
    let down = Arc::new(AtomicBool::new(true));
    let (hash, is_down) = (format!("0x{oldest}"), down.clone());
    let node = execution_node(&second, move |ask| {
        let fails = is_down.load(Ordering::Relaxed) && ask.call["params"][0] == hash;
        fails.then(|| Reply::refused(404, "gone"))
    })
    .await;
    let nodes = execution(&[&node]);
    let mut scan = Scan::new(vec![usdc()]);
    scan.until(chain, &head, &nodes, after).await.unwrap_err();
    down.store(false, Ordering::Relaxed);
    assert_eq!(scan.until(chain, &head, &nodes, after).await.unwrap(), expected);
    // Since Gloas a head's number is told by the block's own header.
    let again = [hex::encode(head.execution_block_hash.unwrap()), oldest];
    assert_eq!(asked_again(&node), again.into());

    // What is done is told no more, and an earlier head tells of no later block.
    let later = scan.until(chain, &head, &nodes, Some(blocks[1].number)).await.unwrap();
    assert_eq!(later.found, expected.found[2..]);
    let earlier = scan.until(chain, &finalized(&first), &nodes, None).await.unwrap();
    assert!(earlier.found.is_empty());
}
