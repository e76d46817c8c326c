//! Transactions and logs of a recorded local network whose execution chain is older than the history contract reaches back:
//! in the finalized block, under its parents, and one and two steps of that contract before.

mod common;

use common::{beacon, beacon_node, chain_of, execution, execution_node};
use serde_json::Value;
use sextant_consensus::{
    Program,
    ancestry::HISTORY_WINDOW,
    bls::Plain,
    check_statement,
    codec::decode,
    events::LogFilter,
    hash::{Root, keccak256},
    inclusion::Input,
    public_values::{Inclusion, Log, LogData, Statement},
};
use sextant_sources::{
    Watched,
    input::Prepared,
    prepare::{BlockName, Finalized, LogName, PrepareError, Questions},
};
use sextant_test_nodes::{Ask, recorded::Recorded};

/// The network's: `tests/devnet/execution-genesis.js`, `transactions.js`.
const CONTRACT: &str = "c0ffee00000000000000000000000000000000c0";
const EMITTER: &str = "c0ffee00000000000000000000000000000000e0";
const EVENT: u32 = 0x0e_7e27;
const LONG: usize = 1_100;
/// Execution blocks from before the beacon chain, whose values count on from its slot 0.
const EARLIER: u64 = 8_400;

/// How far back a block with transactions is, and the steps there: whether each is by the history contract.
const BLOCKS: [(u64, &[bool]); 4] = [(0, &[]), (8, &[false; 8]), (4_000, &[true]), (8_400, &[true; 2])];

fn address(text: &str) -> [u8; 20] {
    hex::decode(text).unwrap().try_into().unwrap()
}

fn word(number: u64) -> Root {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&number.to_be_bytes());
    word
}

/// What nodes make of these questions, and what the execution node was asked for.
async fn prepared(recorded: &Recorded, questions: &Questions) -> (Result<Prepared, PrepareError>, Vec<Ask>) {
    let node = beacon_node(recorded, |_| None).await;
    let nodes = beacon(&[&node]);
    let chain = chain_of(recorded, &nodes).await;
    let rpc = execution_node(recorded, |_| None).await;
    let nodes_of_execution = execution(&[&rpc]);
    let checkpoint = Some(recorded.checkpoints()[0]);
    let finalized = Finalized::reach(nodes, &nodes_of_execution, chain, checkpoint).await.unwrap();
    (finalized.inclusion(&nodes_of_execution, questions).await, rpc.asked())
}

fn said(prepared: &Prepared) -> Inclusion {
    match check_statement(Program::Inclusion, &prepared.input.bytes, &mut Plain) {
        Ok(Statement::Inclusion(values)) => values,
        other => panic!("{other:?}"),
    }
}

fn finalized(recorded: &Recorded) -> u64 {
    let number = &recorded.finality_update["data"]["finalized_header"]["execution"]["block_number"];
    number.as_str().unwrap().parse().unwrap()
}

/// Hashes of a block's transactions, in their order.
fn transactions(recorded: &Recorded, block: u64) -> Vec<Root> {
    let of_block = |call: &&Value| {
        let number = format!("{block:#x}");
        call["method"] == "eth_getBlockByHash"
            && call["params"][1] == true
            && call["result"]["number"] == number
    };
    let found = recorded.calls.iter().find(of_block).expect("a recorded block");
    let hash = |transaction: &Value| transaction["hash"].as_str().unwrap()[2..].to_owned();
    let hashes = found["result"]["transactions"].as_array().unwrap().iter().map(hash);
    hashes.map(|hash| hex::decode(hash).unwrap().try_into().unwrap()).collect()
}

/// The four logs of the block's transactions 1, 2 and 4 that the emitter made of this value and data.
fn logs(block: u64, value: u64, transaction: u32, data: &[u8], sender: Root) -> [Log; 2] {
    let event = word(EVENT.into());
    let log = |position, topics, data| Log { transaction, position, address: address(EMITTER), topics, data };
    [
        log(0, vec![event, sender, word(block), word(value)], LogData::of(data)),
        log(1, vec![event], LogData::Whole(vec![])),
    ]
}

#[tokio::test]
async fn an_event_of_a_transaction_in_each_block() {
    let recorded = Recorded::old_chain();
    let last = finalized(&recorded);
    assert!(BLOCKS[3].0 > HISTORY_WINDOW && BLOCKS[2].0 < HISTORY_WINDOW);
    for (back, steps) in BLOCKS {
        let block = last - back;
        let value = block.checked_sub(EARLIER).filter(|slot| *slot > 0).unwrap_or(block);
        let hashes = transactions(&recorded, block);
        let questions = Questions {
            accounts: vec![Watched { address: address(CONTRACT), slots: vec![[0; 32]] }],
            transactions: vec![hashes[3]],
            logs: [1, 2, 4].map(|index| LogName::Of { transaction: hashes[index], position: None }).into(),
            ..Questions::default()
        };
        let (found, asked) = prepared(&recorded, &questions).await;
        let found = found.unwrap();
        let input: Input = decode(&found.input.bytes).unwrap();
        let taken: Vec<_> = input.ancestry.iter().map(|step| !step.account.is_empty()).collect();
        assert_eq!(taken, steps, "{back} blocks back");
        let values = said(&found);
        assert_eq!((values.head.block_number, values.facts.number), (last, block));
        assert_eq!(values.accounts[0].slots[0].value, word(value));
        let told: Vec<_> = values.transactions.iter().map(|it| (it.index, it.hash, it.succeeded)).collect();
        assert_eq!(told, [1, 2, 3, 4].map(|index| (index, hashes[index as usize], index != 3)));
        let sender = values.logs[0].topics[1];
        let long = [0x5e; LONG];
        let data: [(u32, &[u8]); 3] = [(1, &[]), (2, &[0x5e, 0x97, 0xa7]), (4, &long)];
        let expected = data.map(|(index, data)| logs(block, value, index, data, sender)).concat();
        assert_eq!(values.logs, expected);
        assert_eq!(values.logs[4].data, LogData::Hash(keccak256(&long)));
        // This client knows no block by its hash where all receipts are asked for at once.
        let single = |ask: &&Ask| ask.call["method"] == "eth_getTransactionReceipt";
        assert!(asked.iter().filter(single).count() >= hashes.len());
    }
}

/// By the bloom filter of a block two steps back; and where that does not exclude it, by all receipts.
#[tokio::test]
async fn no_such_log_long_ago() {
    let recorded = Recorded::old_chain();
    let block = finalized(&recorded) - BLOCKS[3].0;
    let excluded = LogFilter { address: address(CONTRACT), topics: vec![] };
    // The second topic of no log is the event's own; the filter knows no places of topics.
    let open = LogFilter { address: address(EMITTER), topics: vec![word(EVENT.into()); 2] };
    let mut questions = Questions {
        block: Some(BlockName::Number(block)),
        filters: vec![excluded.clone()],
        ..Questions::default()
    };
    let (found, asked) = prepared(&recorded, &questions).await;
    assert_eq!(said(&found.unwrap()).no_logs[0].address, excluded.address);
    assert!(!asked.iter().any(|ask| ask.call["method"] == "eth_getTransactionReceipt"), "not needed");
    questions.filters.push(open.clone());
    questions.all_receipts = true;
    let (found, _) = prepared(&recorded, &questions).await;
    let values = said(&found.unwrap());
    let absent: Vec<_> = values.no_logs.into_iter().map(|it| (it.address, it.topics)).collect();
    assert_eq!(absent, [excluded, open].map(|filter| (filter.address, filter.topics)));
    assert!(values.logs.is_empty());
}
