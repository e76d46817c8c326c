//! `sextant prove inclusion` from files of nodes' answers, for transactions and logs and for earlier blocks: what nodes would
//! have been asked for makes the same statement.

mod common;
mod fake;
mod played;

use std::{path::PathBuf, process::Output};

use common::{Folder, assert_names, text};
use played::{FACTORY, asked_of_server, checkpoint, factory_slot, nodes, words};
use serde_json::{Value, json};
use sextant_client::{StatementInput, input::Told};
use sextant_consensus::{
    Program,
    ancestry::{HISTORY_ADDRESS, history_slot},
    bls::Plain,
    check_statement,
    execution_header::ExecutionHeader,
    hash::keccak256,
    public_values::{Inclusion, Statement},
    receipt::Receipt,
};
use sextant_fixtures::{
    data,
    events::strangers,
    history::Block,
    mainnet_events::{self, LARGE, SMALL},
};
use sextant_test_nodes::{
    Ask, Reply,
    events::{Later, nodes as with_events},
    recorded::Recorded,
};

/// A contract without logs in the blocks.
const EXCLUDED: &str = "0x0000f90827f1c53a10cb7a02335b175320002935";

/// A chain's answers in files.
struct Files {
    folder: Folder,
    recorded: Recorded,
    block: Block,
    number: u64,
}

impl Files {
    fn new(number: u64, later: Later) -> Self {
        let (recorded, block) = with_events(number, later, false);
        Self { folder: Folder::new(), recorded, block, number }
    }

    fn write(&self, name: &str, value: &Value) -> PathBuf {
        self.folder.write(name, value.to_string())
    }

    /// What an execution node answers.
    fn answer(&self, method: &str, params: Value) -> Value {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        match self.recorded.execution(&Ask { call, ..Ask::default() }) {
            Reply::Json(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    fn hash(&self) -> String {
        format!("0x{}", hex::encode(self.block.hash()))
    }

    /// The finality and who signed it.
    fn beacon(&self) -> String {
        let bootstrap = self.write("bootstrap.json", &self.recorded.bootstraps[0]);
        let update = self.write("finality_update.json", &self.recorded.finality_update);
        let (bootstrap, update) = (text(&bootstrap), text(&update));
        format!("prove inclusion --network hoodi --bootstrap {bootstrap} --finality-update {update}")
    }

    /// The finalized block and those before it, the last with its transactions.
    fn blocks(&self) -> Vec<PathBuf> {
        let blocks = self.recorded.blocks.iter().enumerate();
        let write = |(index, block): (usize, &Value)| {
            let whole = block["hash"] == self.hash();
            let answer = self.answer("eth_getBlockByHash", json!([block["hash"], whole]));
            self.write(&format!("block-{index}.json"), &answer)
        };
        blocks.map(write).collect()
    }

    fn receipts(&self) -> PathBuf {
        self.write("receipts.json", &self.answer("eth_getBlockReceipts", json!([self.hash()])))
    }

    fn line(&self, blocks: &[PathBuf], more: &str) -> String {
        let blocks: Vec<_> = blocks.iter().map(|block| text(block)).collect();
        format!("{} --block-file {} {more}", self.beacon(), blocks.join(" "))
    }

    async fn run(&self, line: &str) -> (Output, Option<StatementInput>) {
        let (beacon, rpc) = nodes(&self.recorded).await;
        asked_of_server(words(line, &beacon, &rpc)).await
    }

    /// What the same makes of nodes.
    async fn of_nodes(&self, more: &str) -> StatementInput {
        let trusted = checkpoint(&self.recorded);
        let line = format!(
            "prove inclusion --network hoodi --beacon BEACON --rpc RPC --checkpoint {trusted} --block {} {more}",
            self.block.number
        );
        let (output, asked) = self.run(&line).await;
        asked.unwrap_or_else(|| panic!("nothing was asked: {output:?}"))
    }

    /// The hash of a transaction with two logs, and of the last one.
    fn transactions(&self) -> [String; 2] {
        let block = mainnet_events::block(self.number);
        let logs = |receipt: &Vec<u8>| Receipt::read(receipt).unwrap().logs().count();
        let index = block.receipts.iter().position(|receipt| logs(receipt) > 1).unwrap();
        [index, block.transactions.len() - 1].map(|index| hex::encode(keccak256(&block.transactions[index])))
    }

    /// A log, a transaction, a log that the filter excludes.
    fn events(&self) -> String {
        let [with_logs, last] = self.transactions();
        format!("--log {with_logs}:1 --transaction {last} --logs {EXCLUDED}")
    }

    /// The same in one document, with the blocks and receipts in it.
    fn told(&self) -> Value {
        let [with_logs, last] = self.transactions().map(|hash| format!("0x{hash}"));
        let block = |block: &Value| {
            let whole = block["hash"] == self.hash();
            self.answer("eth_getBlockByHash", json!([block["hash"], whole]))
        };
        json!({
            "network": "hoodi",
            "bootstrap": self.recorded.bootstraps[0],
            "finality_update": self.recorded.finality_update,
            "blocks": self.recorded.blocks.iter().map(block).collect::<Vec<_>>(),
            "receipts": self.answer("eth_getBlockReceipts", json!([self.hash()])),
            "logs": [{ "transaction": with_logs, "position": 1 }],
            "transactions": [last],
            "filters": [{ "address": EXCLUDED }],
        })
    }
}

fn input_of(document: &Value) -> StatementInput {
    let told = Told::read(document.to_string().as_bytes()).unwrap();
    told.input(Program::Inclusion).unwrap().input
}

fn said(asked: &StatementInput) -> Inclusion {
    match check_statement(asked.program().unwrap(), &asked.bytes, &mut Plain).unwrap() {
        Statement::Inclusion(values) => values,
        other => panic!("{other:?}"),
    }
}

/// In the finalized block and some parents before it.
#[tokio::test]
async fn files_say_of_events_what_nodes_say() {
    for (number, later, steps) in [(LARGE, Later::Same, 0), (SMALL, Later::Parents(2), 2)] {
        let files = Files::new(number, later);
        let (mut blocks, receipts) = (files.blocks(), files.receipts());
        // Whichever comes first.
        blocks.reverse();
        let events = files.events();
        // And an account in that block's state.
        let slot = factory_slot();
        let proof = files.answer("eth_getProof", json!([FACTORY, [format!("0x{slot}")], "0x1"]));
        let proof = files.write("proof.json", &proof);
        let more = format!("--receipts-file {} --proof {} {events}", text(&receipts), text(&proof));
        let (output, asked) = files.run(&files.line(&blocks, &more)).await;
        let asked = asked.unwrap_or_else(|| panic!("nothing was asked: {output:?}"));
        let same = files.of_nodes(&format!("--address {FACTORY} --slot 0x{slot} {events}")).await;
        assert!(asked == same, "{number}");
        // And told in one document.
        let mut document = files.told();
        document["accounts"] = files.answer("eth_getProof", json!([FACTORY, [format!("0x{slot}")], "0x1"]));
        assert!(input_of(&document) == asked, "{number}");
        let values = said(&asked);
        assert_eq!(values.facts.number + steps, values.head.block_number);
        assert_eq!((values.accounts.len(), values.transactions.len()), (1, 2));
        assert_eq!((values.logs.len(), values.no_logs.len()), (1, 1));
    }
}

/// 60 blocks back by the history contract, whose proof is a file too; and the receipts one by one.
#[tokio::test]
async fn files_lead_back_by_the_history_contract() {
    let files = Files::new(LARGE, Later::History(60));
    let key = format!("0x{}", hex::encode(history_slot(files.block.number)));
    let address = format!("0x{}", hex::encode(HISTORY_ADDRESS));
    let proof = files.answer("eth_getProof", json!([address, [key], "0x1"]));
    let history = files.write("history.json", &proof);
    let all = files.answer("eth_getBlockReceipts", json!([files.hash()]));
    let mut singles: Vec<Value> = all["result"].as_array().unwrap().clone();
    singles.reverse();
    let singles: Vec<_> = singles.into_iter().map(|receipt| json!({ "id": 1, "result": receipt })).collect();
    let singles_told = Value::from(singles);
    let receipts = files.write("receipts.json", &singles_told);
    let events = files.events();
    let more = format!("--history-proof {} --receipts-file {} {events}", text(&history), text(&receipts));
    let (output, asked) = files.run(&files.line(&files.blocks(), &more)).await;
    let asked = asked.unwrap_or_else(|| panic!("nothing was asked: {output:?}"));
    assert!(asked == files.of_nodes(&events).await);
    let mut document = files.told();
    document["history"] = json!([proof]);
    document["receipts"] = singles_told;
    assert!(input_of(&document) == asked);
    assert_eq!(said(&asked).facts.number + 60, said(&asked).head.block_number);

    // Without the proof no way leads there, and the proof leads to no other block.
    let line = |more: &str| {
        files.line(&files.blocks(), &format!("{more} --receipts-file {} {events}", text(&receipts)))
    };
    let (output, _) = files.run(&line("")).await;
    assert_names(&output, &["block-1.json", "no way leads", "history contract"]);
    let finalized = &files.blocks()[..1];
    let more = format!("--history-proof {} {events}", text(&history));
    let (output, _) = files.run(&files.line(finalized, &more)).await;
    assert_names(&output, &["history.json", "no block that was given"]);
}

/// The answer of a mainnet node as it was recorded: whichever block it names, the root tells whose receipts they are.
#[tokio::test]
async fn all_receipts_prove_absence_from_files_too() {
    let files = Files::new(SMALL, Later::Same);
    let filter = strangers(&mainnet_events::block(SMALL));
    let topics: Vec<_> = filter.topics.iter().map(hex::encode).collect();
    let logs = format!("--logs {} {}", hex::encode(filter.address), topics.join(" "));
    let recorded = data().join(format!("mainnet-events/receipts-{SMALL}.json"));
    let line = files.line(&files.blocks(), &format!("--receipts-file {} {logs}", text(&recorded)));
    let (output, asked) = files.run(&line).await;
    assert_names(&output, &["57 receipts", "30098 bytes", "--all-receipts"]);
    assert_eq!((asked, output.status.code()), (None, Some(2)));
    let (_, asked) = files.run(&format!("{line} --all-receipts")).await;
    let no_logs = said(&asked.unwrap()).no_logs;
    assert_eq!((no_logs.len(), no_logs[0].address), (1, filter.address));
}

#[tokio::test]
async fn what_is_not_the_blocks_own_is_named_with_its_file() {
    let files = Files::new(SMALL, Later::Same);
    let (blocks, receipts, events) = (files.blocks(), files.receipts(), files.events());
    let whole = files.answer("eth_getBlockByHash", json!([files.hash(), true]));
    let edited = |name: &str, edit: &dyn Fn(&mut Value)| {
        let mut block = whole.clone();
        edit(&mut block["result"]);
        files.write(name, &block)
    };
    let mut short = files.answer("eth_getBlockReceipts", json!([files.hash()]));
    short["result"].as_array_mut().unwrap().pop();
    let mut forged = files.answer("eth_getBlockReceipts", json!([files.hash()]));
    forged["result"][3]["status"] = "0x0".into();
    let (short, forged) = (files.write("short.json", &short), files.write("forged.json", &forged));
    let other = data().join(format!("mainnet-events/receipts-{LARGE}.json"));
    let bare = files.write("bare.json", &files.answer("eth_getBlockByHash", json!([files.hash(), false])));
    let fewer = edited("fewer.json", &|block| {
        block["transactions"].as_array_mut().unwrap().remove(7);
    });
    let changed = edited("changed.json", &|block| block["transactions"][7]["nonce"] = "0x1234".into());
    let nothing = files.write("null.json", &json!({ "id": 1, "result": null }));
    let receipts = text(&receipts).to_owned();
    let unknown = format!("--transaction {}", "07".repeat(32));
    let block = blocks[0].clone();
    for (block, receipts, more, status, parts) in [
        (&block, text(&short), &events, 5, vec!["short.json", "not the receipts of block"]),
        (&block, text(&forged), &events, 5, vec!["forged.json", "not the receipts of block"]),
        (&block, text(&other), &events, 5, vec!["receipts-22432102.json", "not the receipts"]),
        (&block, text(&nothing), &events, 5, vec!["null.json", "is null"]),
        (&fewer, &receipts, &events, 5, vec!["fewer.json", "not the transactions of block"]),
        (&changed, &receipts, &events, 5, vec!["changed.json", "transaction 7", "its fields hash to"]),
        (&bare, &receipts, &events, 2, vec!["transactions are needed"]),
        (&block, &receipts, &unknown, 2, vec!["has no transaction 0x0707"]),
    ] {
        let line = files.line(std::slice::from_ref(block), &format!("--receipts-file {receipts} {more}"));
        let (output, asked) = files.run(&line).await;
        assert_names(&output, &parts);
        assert_eq!((asked, output.status.code()), (None, Some(status)), "{parts:?}");
    }
    let (output, _) = files.run(&files.line(&blocks, &events)).await;
    assert_names(&output, &["receipts are needed"]);
    let (output, _) = files.run(&format!("{} {events}", files.beacon())).await;
    assert_names(&output, &["header and transactions are needed"]);
    let (output, _) = files.run(&files.beacon()).await;
    assert_names(&output, &["nothing to look up: give --proof, or --transaction"]);
    let strange = Files::new(LARGE, Later::Same);
    let both = [block, strange.blocks()[0].clone()];
    let (output, _) = files.run(&files.line(&both, &format!("--receipts-file {receipts} {events}"))).await;
    assert_names(&output, &["block-0.json", "no way leads from the finalized block"]);
    let number = ExecutionHeader::read(&strange.block.rlp()).unwrap().number;
    assert_names(&output, &[&format!("to block {number}")]);
}
