//! Transactions, logs and their absence, in the finalized block and before it, from nodes that are believed by the roots in
//! proven headers alone.

mod common;

use common::{beacon, beacon_node, chain_of, execution, execution_node, names};
use serde_json::{Value, json};
use sextant_consensus::{
    Program,
    ancestry::HISTORY_ADDRESS,
    bls::Plain,
    check_statement,
    codec::decode,
    events::LogFilter,
    hash::{Root, keccak256},
    inclusion::Input,
    public_values::{Inclusion, Log, LogData, Statement},
    receipt::Receipt,
};
use sextant_fixtures::{
    events::{FAILED, LONG_LOG, TRANSFER, strangers},
    gloas,
    mainnet_events::{self, LARGE, SMALL},
};
use sextant_sources::{
    Watched,
    input::Prepared,
    prepare::{BlockName, Finalized, LogName, PrepareError, Questions},
};
use sextant_test_nodes::{
    Ask, Node, Reply,
    events::{Later, nodes},
    recorded::Recorded,
};

/// What nodes make of these questions, from their own checkpoint on.
async fn asked_of(
    recorded: &Recorded,
    rpcs: &[&Node],
    questions: &Questions,
) -> Result<Prepared, PrepareError> {
    let node = beacon_node(recorded, |_| None).await;
    let nodes = beacon(&[&node]);
    let chain = chain_of(recorded, &nodes).await;
    let rpc = execution(rpcs);
    let finalized = Finalized::reach(nodes, &rpc, chain, Some(recorded.checkpoints()[0])).await?;
    finalized.inclusion(&rpc, questions).await
}

async fn prepared(recorded: &Recorded, questions: &Questions) -> Result<Prepared, PrepareError> {
    let rpc = execution_node(recorded, |_| None).await;
    asked_of(recorded, &[&rpc], questions).await
}

async fn refused(recorded: &Recorded, questions: &Questions) -> PrepareError {
    prepared(recorded, questions).await.map(drop).unwrap_err()
}

fn said(prepared: &Prepared) -> Inclusion {
    match check_statement(Program::Inclusion, &prepared.input.bytes, &mut Plain) {
        Ok(Statement::Inclusion(values)) => values,
        other => panic!("{other:?}"),
    }
}

fn steps(prepared: &Prepared) -> Vec<bool> {
    let input: Input = decode(&prepared.input.bytes).unwrap();
    input.ancestry.iter().map(|step| !step.account.is_empty()).collect()
}

fn hash_of(block: u64, index: u32) -> Root {
    keccak256(&mainnet_events::block(block).transactions[index as usize])
}

/// Logs of a recorded receipt, as public values show them.
fn logs(block: u64, index: u32) -> Vec<Log> {
    let receipts = mainnet_events::block(block).receipts;
    let receipt = Receipt::read(&receipts[index as usize]).unwrap();
    let public = |(position, log): (u32, sextant_consensus::receipt::ReceiptLog<'_>)| Log {
        transaction: index,
        position,
        address: *log.address,
        topics: log.topics().map(|topic| *topic.unwrap()).collect(),
        data: LogData::of(log.data),
    };
    (0..).zip(receipt.logs().map(Result::unwrap)).map(public).collect()
}

fn of(transaction: Root, position: Option<u32>) -> LogName {
    LogName::Of { transaction, position }
}

#[tokio::test]
async fn a_transaction_and_its_logs() {
    let (recorded, block) = nodes(LARGE, Later::Same, false);
    let (transfer, long) = (hash_of(LARGE, TRANSFER), hash_of(LARGE, LONG_LOG.0));
    let questions = Questions {
        transactions: vec![hash_of(LARGE, FAILED), transfer],
        logs: vec![of(transfer, Some(0)), of(long, Some(LONG_LOG.1)), of(long, Some(0))],
        ..Questions::default()
    };
    let values = said(&prepared(&recorded, &questions).await.unwrap());
    let told: Vec<_> = values.transactions.iter().map(|it| (it.index, it.succeeded, it.hash)).collect();
    let expected =
        [(LONG_LOG.0, true), (FAILED, false), (TRANSFER, true)].map(|(i, s)| (i, s, hash_of(LARGE, i)));
    assert_eq!(told, expected);
    let all = logs(LARGE, LONG_LOG.0);
    let expected = [all[0].clone(), all[LONG_LOG.1 as usize].clone(), logs(LARGE, TRANSFER)[0].clone()];
    assert_eq!(values.logs, expected);
    assert_eq!((values.facts.number, values.facts.hash), (block.number, block.hash()));

    // All of one transaction; and one by its place in the block.
    let whole = Questions { logs: vec![of(long, None)], ..Questions::default() };
    assert_eq!(said(&prepared(&recorded, &whole).await.unwrap()).logs, all);
    let before: usize = (0..LONG_LOG.0).map(|index| logs(LARGE, index).len()).sum();
    let place = LogName::InBlock(before as u32 + LONG_LOG.1);
    let by_place = Questions { logs: vec![place], ..Questions::default() };
    let found = said(&prepared(&recorded, &by_place).await.unwrap()).logs;
    assert_eq!(found, all[LONG_LOG.1 as usize..][..1]);
}

#[tokio::test]
async fn every_log_that_passes_is_found() {
    let (recorded, _) = nodes(SMALL, Later::Same, false);
    let all: Vec<Log> = (0..57).flat_map(|index| logs(SMALL, index)).collect();
    let wanted = all.iter().find(|log| !log.topics.is_empty()).unwrap();
    for topics in [&[][..], &wanted.topics[..1], &wanted.topics] {
        let filter = LogFilter { address: wanted.address, topics: topics.to_vec() };
        let questions = Questions { filters: vec![filter], ..Questions::default() };
        let values = said(&prepared(&recorded, &questions).await.unwrap());
        let passes = |log: &&Log| log.address == wanted.address && log.topics.starts_with(topics);
        assert_eq!(values.logs, all.iter().filter(passes).cloned().collect::<Vec<_>>());
        assert!(values.no_logs.is_empty() && !values.logs.is_empty());
    }
}

/// By the filter where it excludes the log; else by all receipts, which has to be allowed.
#[tokio::test]
async fn a_log_that_is_not_there_is_proven_absent() {
    let (recorded, _) = nodes(SMALL, Later::Same, false);
    let rpc = execution_node(&recorded, |_| None).await;
    let excluded = LogFilter { address: HISTORY_ADDRESS, topics: vec![] };
    let questions = Questions { filters: vec![excluded], ..Questions::default() };
    let values = said(&asked_of(&recorded, &[&rpc], &questions).await.unwrap());
    assert_eq!((values.no_logs.len(), values.logs.len()), (1, 0));
    assert!(!rpc.asked().iter().any(|ask| ask.call["method"] == "eth_getBlockReceipts"), "not needed");

    let open = strangers(&mainnet_events::block(SMALL));
    let mut questions = Questions { filters: vec![open.clone()], ..questions };
    let error = refused(&recorded, &questions).await;
    names(&error, &[&hex::encode(open.address), "57 receipts", "30098 bytes", "gas", "--all-receipts"]);
    questions.all_receipts = true;
    questions.logs = vec![of(hash_of(SMALL, 16), Some(6))];
    let values = said(&prepared(&recorded, &questions).await.unwrap());
    assert_eq!((values.no_logs.len(), values.logs), (1, vec![logs(SMALL, 16)[6].clone()]));
}

#[tokio::test]
async fn a_transactions_own_block_is_found_and_gone_back_to() {
    for (later, expected) in [
        (Later::Same, vec![]),
        (Later::Parents(3), vec![false; 3]),
        (Later::History(60), vec![true]),
        (Later::History(8_191), vec![true]),
    ] {
        let (recorded, block) = nodes(LARGE, later, false);
        let factory = sextant_fixtures::uniswap_factory();
        let account = Watched { address: factory.address, slots: vec![factory.slots[0].0] };
        let log = of(hash_of(LARGE, TRANSFER), Some(0));
        let mut questions = Questions { accounts: vec![account], logs: vec![log], ..Questions::default() };
        let found = prepared(&recorded, &questions).await.unwrap();
        let values = said(&found);
        assert_eq!(steps(&found), expected, "{later:?}");
        assert_eq!((values.facts.number, values.facts.hash), (block.number, block.hash()));
        assert_eq!((values.accounts[0].slots.len(), values.logs.len()), (1, 1));
        assert_eq!(
            values.head.block_number - block.number,
            match later {
                Later::Same => 0,
                Later::Parents(back) | Later::History(back) => back,
            }
        );
        for name in [BlockName::Number(block.number), BlockName::Hash(block.hash())] {
            questions.block = Some(name);
            assert_eq!(prepared(&recorded, &questions).await.unwrap().input, found.input);
        }
    }
}

/// States are asked for in the block that they are of.
#[tokio::test]
async fn proofs_are_asked_for_in_their_own_blocks() {
    let (recorded, block) = nodes(SMALL, Later::History(60), false);
    let rpc = execution_node(&recorded, |_| None).await;
    let factory = sextant_fixtures::uniswap_factory();
    let account = Watched { address: factory.address, slots: vec![factory.slots[0].0] };
    let name = Some(BlockName::Number(block.number));
    let questions = Questions { block: name, ..Questions::accounts(&[account]) };
    asked_of(&recorded, &[&rpc], &questions).await.unwrap();
    let asked = rpc.asked();
    let proofs = asked.iter().filter(|ask| ask.call["method"] == "eth_getProof");
    let blocks: Vec<_> = proofs.map(|ask| ask.call["params"][2].clone()).collect();
    assert_eq!(blocks, [format!("{:#x}", block.number + 60), format!("{:#x}", block.number)]);
}

/// A client that trusts the committee before the one that signed gets it all in one statement.
#[tokio::test]
async fn whoever_was_away_catches_up_in_the_same_statement() {
    let (recorded, _) = nodes(LARGE, Later::History(60), true);
    let factory = sextant_fixtures::uniswap_factory();
    let questions = Questions {
        logs: vec![of(hash_of(LARGE, TRANSFER), Some(0))],
        filters: vec![LogFilter { address: HISTORY_ADDRESS, topics: vec![] }],
        ..Questions::accounts(&[Watched { address: factory.address, slots: vec![factory.slots[0].0] }])
    };
    let found = prepared(&recorded, &questions).await.unwrap();
    let everything = sextant_consensus::codec::encode(&sextant_fixtures::events::everything());
    let expected = match check_statement(Program::Inclusion, &everything, &mut Plain).unwrap() {
        Statement::Inclusion(values) => values,
        other => panic!("{other:?}"),
    };
    // The fixture counts its blocks back from another number.
    let values = said(&found);
    assert_eq!((values.head.signer_period, values.learned.len()), (gloas::PERIOD, 1));
    assert_eq!(values.head.signer_committee_root, expected.head.signer_committee_root);
    assert_eq!((values.learned, values.accounts), (expected.learned, expected.accounts));
    assert_eq!((values.transactions, values.logs), (expected.transactions, expected.logs));
    assert_eq!(values.no_logs, expected.no_logs);

    let node = beacon_node(&recorded, |_| None).await;
    let nodes = beacon(&[&node]);
    let chain = chain_of(&recorded, &nodes).await;
    let rpc = execution_node(&recorded, |_| None).await;
    let rpc = execution(&[&rpc]);
    let finalized = Finalized::reach(nodes, &rpc, chain, Some(recorded.checkpoints()[0])).await.unwrap();
    let change = finalized.committee_change().unwrap().expect("another committee signed");
    let change = check_statement(Program::CommitteeChange, &change.input.bytes, &mut Plain).unwrap();
    let apart = said(&finalized.separately().inclusion(&rpc, &questions).await.unwrap());
    let Statement::CommitteeChange(change) = change else { panic!("another statement") };
    assert_eq!(change.learned[0].committee_root, apart.head.signer_committee_root);
    assert_eq!((apart.head.signer_period, apart.learned.len()), (gloas::PERIOD + 1, 0));
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let (recorded, block) = nodes(SMALL, Later::History(60), false);
    let at = |block, more: Questions| Questions { block: Some(block), ..more };
    let one = || Questions { transactions: vec![hash_of(SMALL, 0)], ..Questions::default() };
    let unknown = Questions { transactions: vec![[7; 32]], ..Questions::default() };
    names(&refused(&recorded, &unknown).await, &["no node knows", "0x0707"]);
    let here = BlockName::Number(block.number);
    let number = block.number.to_string();
    names(&refused(&recorded, &at(here, unknown)).await, &["no transaction 0x0707", &number]);
    let log = |name| at(here, Questions { logs: vec![name], ..Questions::default() });
    let count = logs(SMALL, 16).len() as u32;
    names(
        &refused(&recorded, &log(of(hash_of(SMALL, 16), Some(count)))).await,
        &["no log", &count.to_string(), &hex::encode(hash_of(SMALL, 16))],
    );
    names(&refused(&recorded, &log(LogName::InBlock(100_000))).await, &["no log 100000", &number]);

    let finalized = block.number + 60;
    names(
        &refused(&recorded, &at(BlockName::Number(finalized + 1), one())).await,
        &["not final yet", &(finalized + 1).to_string(), &finalized.to_string(), "--min-block"],
    );
    names(
        &refused(&recorded, &at(BlockName::Number(1), one())).await,
        &["block 1 is too far before", &finalized.to_string()],
    );
    names(&refused(&recorded, &at(BlockName::Hash([5; 32]), one())).await, &["block 0x0505", "null"]);
    // A block of another branch, which the node knows.
    let (other, stranger) = nodes(SMALL, Later::Same, false);
    let mut fork = sextant_fixtures::history::Block { timestamp: stranger.timestamp + 1, ..stranger };
    fork.number = block.number;
    let mut both = recorded.clone();
    both.blocks.extend(other.blocks);
    both.blocks.push(sextant_test_nodes::json::block(&fork.rlp()));
    names(
        &refused(&both, &at(BlockName::Hash(fork.hash()), one())).await,
        &[&hex::encode(fork.hash()), "no ancestor", &hex::encode(block.hash())],
    );
}

#[tokio::test]
async fn transactions_of_two_blocks_are_two_statements() {
    let (mut recorded, block) = nodes(SMALL, Later::Same, false);
    let elsewhere = &mut recorded.contents[0].receipts[3];
    elsewhere["blockHash"] = format!("0x{}", "33".repeat(32)).into();
    elsewhere["blockNumber"] = "0x7".into();
    let transactions = vec![hash_of(SMALL, 0), hash_of(SMALL, 3)];
    let questions = Questions { transactions, ..Questions::default() };
    names(&refused(&recorded, &questions).await, &["one block", "block 7", &block.number.to_string()]);
}

type Lie = fn(&mut Value);

/// The answers of a node that lies about transactions or receipts, history or headers.
fn lying(recorded: &Recorded, method: &'static str, lie: Lie) -> impl Fn(&Ask) -> Option<Reply> + use<> {
    let recorded = recorded.clone();
    move |ask| {
        let Reply::Json(mut answer) = recorded.execution(ask) else { panic!("JSON") };
        let full = ask.call["params"][1] != json!(false);
        if ask.call["method"] == method && full {
            lie(&mut answer["result"]);
        }
        Some(Reply::Json(answer))
    }
}

#[tokio::test]
async fn lies_about_events_are_named_and_passed_over() {
    let (recorded, _) = nodes(SMALL, Later::History(60), false);
    let honest = execution_node(&recorded, |_| None).await;
    let questions = Questions { logs: vec![of(hash_of(SMALL, 16), Some(0))], ..Questions::default() };
    let expected = said(&prepared(&recorded, &questions).await.unwrap());
    let lies: [(&'static str, Lie, &str); 10] = [
        ("eth_getBlockReceipts", |r| r[16]["logs"][0]["data"] = "0x01".into(), "root of the receipts"),
        ("eth_getBlockReceipts", |r| r[3]["type"] = "0x7e".into(), "transaction type 126 is not known"),
        ("eth_getBlockByHash", |b| b["transactions"][2]["nonce"] = "0x1234567".into(), "hash to"),
        ("eth_getBlockByHash", |b| b["transactions"][2]["type"] = "0x7e".into(), "transaction type 126"),
        ("eth_getBlockByHash", |b| b["transactions"][2]["hash"] = json!(null), "transaction 2"),
        (
            "eth_getBlockByHash",
            |b| b["transactions"] = b["transactions"].as_array().unwrap()[1..].into(),
            "root of the transactions",
        ),
        ("eth_getBlockByHash", |b| b["transactions"] = json!(null), "refused"),
        (
            "eth_getProof",
            |p| {
                let nodes = p["storageProof"][0]["proof"].as_array_mut().unwrap();
                let leaf = nodes.last_mut().unwrap();
                *leaf = leaf.as_str().unwrap().replacen("0xf8", "0xf9", 1).into();
            },
            "account 0",
        ),
        ("eth_getProof", |p| p["storageProof"][0]["proof"].as_array_mut().unwrap().truncate(1), "account 0"),
        (
            "eth_getTransactionReceipt",
            |r| r["transactionHash"] = json!(format!("0x{}", "11".repeat(32))),
            "transaction is",
        ),
    ];
    for (method, lie, reason) in lies {
        let node = execution_node(&recorded, lying(&recorded, method, lie)).await;
        let error = asked_of(&recorded, &[&node], &questions).await.map(drop).expect_err(reason);
        names(&error, &[&node.url(), reason]);
        let found = asked_of(&recorded, &[&node, &honest], &questions).await.expect(reason);
        assert!(said(&found) == expected, "{reason}");
    }
}

/// Before Gloas the header of the light client tells all of a finalized block but its filter, which its own header has.
#[tokio::test]
async fn before_gloas_the_blocks_header_is_asked_for_where_it_is_needed() {
    let net = sextant_fixtures::devnet::FULU;
    let recorded = Recorded::devnet(net);
    let filters = vec![LogFilter { address: [0x77; 20], topics: vec![] }];
    let questions = Questions { filters, ..Questions::default() };
    let values = said(&prepared(&recorded, &questions).await.unwrap());
    assert_eq!(values.no_logs.len(), 1);
    assert!(values.facts.receipts_root != [0; 32] && values.facts.hash == values.head.block_hash);
}
