//! A block's receipts from nodes: all at once or one by one, and none that its header does not name.

mod common;

use common::{execution, execution_node, names};
use serde_json::{Value, json};
use sextant_consensus::hash::Root;
use sextant_fixtures::{
    data,
    mainnet_events::{LARGE, SMALL, block},
};
use sextant_test_nodes::{Ask, Node, Reply, recorded::Recorded};

/// The hash that is asked for; nodes here know one block each.
const BLOCK: Root = [0x57; 32];

fn recorded(number: u64) -> Value {
    let text = std::fs::read(data().join(format!("mainnet-events/receipts-{number}.json"))).unwrap();
    serde_json::from_slice::<Value>(&text).unwrap()["result"].take()
}

type Lie = fn(&mut Value);

fn unsupported() -> Reply {
    Reply::Json(json!({"id": 1, "error": {"code": -32601, "message": "the method does not exist"}}))
}

fn found(value: Value) -> Reply {
    Reply::Json(json!({"id": 1, "result": value}))
}

/// Answers of a node that has these receipts, all at once or only one by one.
fn answer(ask: &Ask, receipts: &Value, at_once: bool) -> Reply {
    let hash = |receipt: &Value| receipt["transactionHash"].clone();
    match ask.call["method"].as_str().unwrap() {
        "eth_getBlockReceipts" if at_once => found(receipts.clone()),
        "eth_getBlockByHash" => {
            let hashes: Vec<Value> = receipts.as_array().unwrap().iter().map(hash).collect();
            found(json!({ "transactions": hashes }))
        }
        "eth_getTransactionReceipt" => {
            let wanted = &ask.call["params"][0];
            let mut all = receipts.as_array().unwrap().iter();
            found(all.find(|receipt| hash(receipt) == *wanted).cloned().unwrap_or(Value::Null))
        }
        _ => unsupported(),
    }
}

async fn node(receipts: Value, at_once: bool) -> Node {
    execution_node(&Recorded::mainnet(), move |ask| Some(answer(ask, &receipts, at_once))).await
}

#[tokio::test]
async fn all_at_once_or_one_by_one() {
    for number in [SMALL, LARGE] {
        let block = block(number);
        let whole = node(recorded(number), true).await;
        assert_eq!(
            execution(&[&whole]).receipts(&BLOCK, &block.receipts_root).await.unwrap(),
            block.receipts
        );
        assert_eq!(whole.asked().len(), 1);
    }
    let block = block(SMALL);
    let single = node(recorded(SMALL), false).await;
    assert_eq!(execution(&[&single]).receipts(&BLOCK, &block.receipts_root).await.unwrap(), block.receipts);
    assert_eq!(single.asked().len(), 2 + block.receipts.len());
}

#[tokio::test]
async fn in_any_order() {
    let mut receipts = recorded(SMALL);
    receipts.as_array_mut().unwrap().reverse();
    let block = block(SMALL);
    let node = node(receipts, true).await;
    assert_eq!(execution(&[&node]).receipts(&BLOCK, &block.receipts_root).await.unwrap(), block.receipts);
}

#[tokio::test]
async fn a_receipt_that_the_header_does_not_name_is_refused() {
    let root = block(SMALL).receipts_root;
    let edits: [(Lie, &[&str]); 6] = [
        (|receipts| receipts[16]["logs"][0]["data"] = "0x00".into(), &["root of the receipts is 0x"]),
        (|receipts| receipts[3]["status"] = "0x0".into(), &["root of the receipts is 0x"]),
        (|receipts| drop(receipts.as_array_mut().unwrap().pop()), &["root of the receipts is 0x"]),
        (|receipts| receipts[3]["type"] = "0x7e".into(), &["transaction type 126 is not known"]),
        (|receipts| receipts[3]["status"] = Value::Null, &["from before Byzantium"]),
        (|receipts| receipts[3]["logsBloom"] = "0xzz".into(), &["not hex"]),
    ];
    for (edit, words) in edits {
        for at_once in [true, false] {
            let mut receipts = recorded(SMALL);
            edit(&mut receipts);
            let node = node(receipts, at_once).await;
            names(&execution(&[&node]).receipts(&BLOCK, &root).await.unwrap_err(), words);
        }
    }
}

#[tokio::test]
async fn a_node_that_lies_is_passed_over() {
    let block = block(SMALL);
    let mut receipts = recorded(SMALL);
    receipts[3]["status"] = "0x0".into();
    let (liar, honest) = (node(receipts, true).await, node(recorded(SMALL), true).await);
    let asked = execution(&[&liar, &honest]);
    assert_eq!(asked.receipts(&BLOCK, &block.receipts_root).await.unwrap(), block.receipts);
}
