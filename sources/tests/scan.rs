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
use sextant_consensus::{events::LogFilter, light_client::LightClientHeader};
use sextant_fixtures::mainnet_events::{LARGE, SMALL};
use sextant_sources::prepare::Scan;
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

#[tokio::test]
async fn what_was_read_stays_read() {
    let ([first, second], blocks) = two_heads(&[SMALL, LARGE, SMALL]);
    // USDC, which all of them have logs of.
    let address = hex::decode("a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48").unwrap().try_into().unwrap();
    let usdc = LogFilter { address, topics: vec![] };
    let (chain, head) = (&second.chain, finalized(&second));
    let after = Some(blocks[0].number - 1);
    let whole = execution_node(&second, |_| None).await;
    let mut scan = Scan::new(vec![usdc.clone()]);
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
    let mut scan = Scan::new(vec![usdc]);
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
