//! Beacon and execution node of a recorded or simulated chain on loopback, to try the commands without any node:
//!
//!     cargo run --release -p sextant-test-nodes --example replay -- mainnet
//!
//! Prints the options to give `sextant`, and answers until interrupted.

use std::{env, sync::Arc};

use sextant_consensus::hash::keccak256;
use sextant_fixtures::{
    devnet::{CAPELLA, ELECTRA, ELECTRA_TO_FULU, FULU},
    events::TRANSFER,
    mainnet_events::{self, LARGE},
};
use sextant_test_nodes::{
    Node,
    events::{Later, nodes},
    recorded::Recorded,
    simulated::{PERIOD, Simulated},
};

#[tokio::main]
async fn main() {
    let name = env::args().nth(1).unwrap_or_default();
    let recorded = match name.as_str() {
        "mainnet" => Recorded::mainnet(),
        "mainnet-handovers" => Recorded::mainnet_handovers(),
        "capella" => Recorded::devnet(CAPELLA),
        "electra" => Recorded::devnet(ELECTRA),
        "fulu" => Recorded::devnet(FULU),
        "electra-to-fulu" => Recorded::devnet(ELECTRA_TO_FULU),
        "gloas" => Recorded::gloas(),
        "events" => events(),
        "simulated" => return simulated().await,
        _ => {
            let known = "mainnet, mainnet-handovers, capella, electra, fulu, electra-to-fulu, gloas, events, simulated";
            eprintln!("usage: replay NETWORK, one of {known}");
            std::process::exit(2);
        }
    };
    let (digest, checkpoints) = (recorded.chain.digest(), recorded.checkpoints());
    let (beacon, execution) = (recorded.clone(), recorded);
    let beacon = Node::start(move |ask| beacon.beacon(ask)).await;
    let execution = Node::start(move |ask| execution.execution(ask)).await;
    let checkpoint = checkpoints.last().expect("a bootstrap");
    say(&beacon, &execution, &digest, checkpoint).await;
}

/// A block with recorded transactions, 60 before the finalized one; the checkpoint is of the period before.
fn events() -> Recorded {
    let hash = keccak256(&mainnet_events::block(LARGE).transactions[TRANSFER as usize]);
    println!("--log 0x{}:0", hex::encode(hash));
    nodes(LARGE, Later::History(60), true).0
}

/// Five periods, and a slot to watch.
async fn simulated() {
    let chain = Arc::new(Simulated::old(8));
    chain.finalize(4 * PERIOD + 16);
    let (beacon, execution) = (chain.clone(), chain.clone());
    let beacon = Node::start(move |ask| beacon.beacon(ask)).await;
    let execution = Node::start(move |ask| execution.execution(ask)).await;
    let account = Simulated::account();
    let (address, slot) = (hex::encode(account.address), hex::encode(account.slots[0].0));
    println!("--address 0x{address} --slot 0x{slot}");
    say(&beacon, &execution, &chain.chain.digest(), &chain.checkpoint(0)).await;
}

async fn say(beacon: &Node, execution: &Node, digest: &[u8; 32], checkpoint: &[u8; 32]) {
    let (digest, checkpoint) = (hex::encode(digest), hex::encode(checkpoint));
    println!(
        "--beacon {} --rpc {} --chain-digest 0x{digest} --checkpoint 0x{checkpoint}",
        beacon.url(),
        execution.url()
    );
    std::future::pending().await
}
