//! `sextant prove inclusion` beyond accounts in the finalized block: catching up, earlier blocks, transactions and logs.

mod common;
mod fake;
mod played;

use std::{
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use common::{Folder, assert_names, text};
use played::{FACTORY, asked_of_server, checkpoint, factory_slot, nodes, words};
use serde_json::json;
use sextant_client::StatementInput;
use sextant_consensus::{
    Program,
    bls::Plain,
    check_statement,
    hash::{Root, keccak256},
    public_values::{Inclusion, Statement},
};
use sextant_fixtures::{
    devnet::ELECTRA_TO_FULU,
    events::{LONG_LOG, TRANSFER, strangers},
    gloas,
    mainnet_events::{self, LARGE, SMALL},
};
use sextant_test_nodes::{
    Node,
    events::{Later, nodes as with_events},
    recorded::Recorded,
    simulated::{PERIOD, Simulated},
};

fn said(asked: Option<&StatementInput>, output: &Output) -> Statement {
    let input = asked.unwrap_or_else(|| panic!("nothing was asked: {output:?}"));
    check_statement(input.program().unwrap(), &input.bytes, &mut Plain).unwrap()
}

fn inclusion(asked: Option<&StatementInput>, output: &Output) -> Inclusion {
    match said(asked, output) {
        Statement::Inclusion(values) => values,
        other => panic!("{other:?}"),
    }
}

/// What the server is asked of a chain on Hoodi with these nodes.
async fn of_hoodi(recorded: &Recorded, more: &str) -> (Output, Option<StatementInput>) {
    let (beacon, rpc) = nodes(recorded).await;
    let line = format!(
        "prove inclusion --network hoodi --beacon BEACON --rpc RPC --checkpoint {} {more}",
        checkpoint(recorded)
    );
    asked_of_server(words(&line, &beacon, &rpc)).await
}

fn hash_of(block: u64, index: u32) -> Root {
    keccak256(&mainnet_events::block(block).transactions[index as usize])
}

/// One command, from a transaction's hash to a proof that this event happened in it: its block is found, and gone back to.
#[tokio::test]
async fn an_event_of_a_transaction() {
    let (recorded, block) = with_events(LARGE, Later::History(60), false);
    let hash = hash_of(LARGE, TRANSFER);
    let (output, asked) = of_hoodi(&recorded, &format!("--log 0x{}:0", hex::encode(hash))).await;
    let values = inclusion(asked.as_ref(), &output);
    assert_eq!((values.facts.number, values.facts.hash), (block.number, block.hash()));
    assert_eq!((values.transactions[0].hash, values.logs.len()), (hash, 1));
    assert_eq!((values.logs[0].transaction, values.logs[0].position), (TRANSFER, 0));
}

/// Everything at once, in one statement that begins at the committee that is trusted.
#[tokio::test]
async fn all_of_it_in_one_proof() {
    let (recorded, block) = with_events(LARGE, Later::Parents(2), true);
    let absent = "0x0000f90827f1c53a10cb7a02335b175320002935";
    let more = format!(
        "--address {FACTORY} --slot 0x{} --log {}:{} --transaction {} --logs {absent} --block {}",
        factory_slot(),
        hex::encode(hash_of(LARGE, LONG_LOG.0)),
        LONG_LOG.1,
        hex::encode(hash_of(LARGE, TRANSFER)),
        block.number,
    );
    let (output, asked) = of_hoodi(&recorded, &more).await;
    let values = inclusion(asked.as_ref(), &output);
    assert_eq!((values.head.signer_period, values.learned.len()), (gloas::PERIOD, 1));
    assert_eq!((values.accounts.len(), values.accounts[0].slots.len()), (1, 1));
    assert_eq!((values.transactions.len(), values.logs.len(), values.no_logs.len()), (2, 1, 1));
    assert_eq!(values.head.block_number, block.number + 2);

    let (output, asked) = of_hoodi(&recorded, &format!("{more} --separate")).await;
    let Statement::CommitteeChange(change) = said(asked.as_ref(), &output) else { panic!("the first one") };
    assert_eq!(change.learned, values.learned);
}

#[tokio::test]
async fn what_absence_costs_is_said_before_it_is_asked_for() {
    let (recorded, _) = with_events(SMALL, Later::Same, false);
    let filter = strangers(&mainnet_events::block(SMALL));
    let topics: Vec<_> = filter.topics.iter().map(hex::encode).collect();
    let logs = format!("--logs {} {}", hex::encode(filter.address), topics.join(" "));
    let (output, asked) = of_hoodi(&recorded, &logs).await;
    assert_names(&output, &["57 receipts", "30098 bytes", "gas of proving", "--all-receipts"]);
    assert_eq!((asked, output.status.code()), (None, Some(2)));
    let (output, asked) = of_hoodi(&recorded, &format!("{logs} --all-receipts")).await;
    assert_eq!(inclusion(asked.as_ref(), &output).no_logs.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_proven_is_named_and_nothing_is_asked() {
    let (recorded, block) = with_events(SMALL, Later::History(60), false);
    let hash = hex::encode(hash_of(SMALL, 3));
    let late = (block.number + 61).to_string();
    for (more, parts, status) in [
        (format!("--transaction {}", "07".repeat(32)), vec!["no node knows", "0707"], 7),
        (format!("--log {hash}:9999"), vec!["no log 9999", &hash], 2),
        (format!("--transaction {hash} --block {late}"), vec!["not final yet", &late, "--min-block"], 7),
        (format!("--transaction {hash} --block 7"), vec!["too far before"], 2),
        (String::new(), vec!["--transaction, --log or --logs"], 2),
    ] {
        let (output, asked) = of_hoodi(&recorded, &more).await;
        assert_names(&output, &parts);
        assert_eq!((asked, output.status.code()), (None, Some(status)), "{more}");
    }
}

/// The checkpoint's committee is of an earlier period: from nodes and from files the same one statement.
#[tokio::test]
async fn an_old_checkpoint_is_caught_up_with() {
    let recorded = Recorded::devnet(ELECTRA_TO_FULU);
    let (beacon, rpc) = nodes(&recorded).await;
    let account = &ELECTRA_TO_FULU.accounts()[1];
    let genesis = hex::encode(recorded.checkpoints()[1]);
    let digest = hex::encode(recorded.chain.digest());
    let line = format!(
        "prove inclusion --chain-digest {digest} --beacon BEACON --rpc RPC --checkpoint {genesis} --address 0x{}",
        hex::encode(account.address)
    );
    let (output, asked) = asked_of_server(words(&line, &beacon, &rpc)).await;
    let values = inclusion(asked.as_ref(), &output);
    let learned: Vec<_> = values.learned.iter().map(|learned| learned.period).collect();
    assert_eq!((values.head.signer_period, learned), (0, vec![1, 2]));
}

/// The same from files, and as two statements.
#[tokio::test]
async fn files_lead_from_an_old_committee_to_one_proof() {
    let (recorded, _) = with_events(LARGE, Later::Same, true);
    let (beacon, rpc) = nodes(&recorded).await;
    let folder = Folder::new();
    let write =
        |name: &str, value: &serde_json::Value| text(&folder.write(name, value.to_string())).to_owned();
    let result = |value: &serde_json::Value| json!({ "jsonrpc": "2.0", "id": 1, "result": value });
    let line = |update: &str| {
        format!(
            "prove inclusion --network hoodi --bootstrap {} {update} --finality-update {} --proof {} --block-file {}",
            write("bootstrap.json", &recorded.bootstraps[0]),
            write("finality_update.json", &recorded.finality_update),
            write("proof.json", &result(&recorded.proofs[0])),
            write("block.json", &result(&recorded.blocks[0])),
        )
    };
    let update = format!("--update {}", write("update.json", &recorded.updates[0]));
    let (output, asked) = asked_of_server(words(&line(&update), &beacon, &rpc)).await;
    let values = inclusion(asked.as_ref(), &output);
    assert_eq!((values.head.signer_period, values.learned.len()), (gloas::PERIOD, 1));
    let by_nodes = format!("--address {FACTORY} --slot 0x{}", factory_slot());
    let (_, same) = of_hoodi(&recorded, &by_nodes).await;
    assert!(asked == same && asked.is_some());

    let (output, asked) = asked_of_server(words(&line(&(update + " --separate")), &beacon, &rpc)).await;
    assert_eq!(asked.map(|asked| asked.program()), Some(Some(Program::CommitteeChange)), "{output:?}");
    let (output, _) = asked_of_server(words(&line(""), &beacon, &rpc)).await;
    assert_names(&output, &["finality_update.json", "does not connect", "bootstrap.json"]);
}

/// A block is waited for until it is final, and what is asked is answered then.
#[tokio::test]
async fn a_block_to_come_is_waited_for() {
    let chain = Arc::new(Simulated::old(8));
    chain.finalize(2 * PERIOD + 8);
    let (source, execution, looks) = (chain.clone(), chain.clone(), Arc::new(AtomicUsize::new(0)));
    let beacon = Node::start(move |ask| {
        // After a few looks the chain has gone on, over a period's end.
        if ask.path.ends_with("finality_update") && looks.fetch_add(1, Ordering::Relaxed) == 2 {
            source.finalize(3 * PERIOD + 8);
        }
        source.beacon(ask)
    })
    .await;
    let rpc = Node::start(move |ask| execution.execution(ask)).await;
    let account = Simulated::account();
    let least = (3 * PERIOD + 8) / 2;
    let line = |deadline: u64, least: u64| {
        format!(
            "prove inclusion --beacon BEACON --rpc RPC --chain-digest {} --checkpoint {} --address 0x{} --slot 0x{} \
             --min-block {least} --deadline {deadline}",
            hex::encode(chain.chain.digest()),
            hex::encode(chain.checkpoint(2)),
            hex::encode(account.address),
            hex::encode(account.slots[0].0),
        )
    };
    let (output, asked) = asked_of_server(words(&line(60, least), &beacon, &rpc)).await;
    let values = inclusion(asked.as_ref(), &output);
    assert_eq!((values.head.block_number, values.head.signer_period), (least, 2));
    assert_eq!(values.learned.len(), 1);
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(notes.contains(&format!("note: block {least} is not final yet")), "{notes}");

    let (output, asked) = asked_of_server(words(&line(1, least + 1), &beacon, &rpc)).await;
    assert_eq!((asked, output.status.code()), (None, Some(10)), "{output:?}");
}
