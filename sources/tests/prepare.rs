//! Statement inputs from nodes: the same as those from recorded files, and no lie gets into one.

mod common;

use std::time::Duration;

use common::{at, beacon, beacon_node, chain_of, execution, execution_node, names};
use serde_json::Value;
use sextant_consensus::{Program, bls::Plain, check_statement, codec, public_values::Statement};
use sextant_fixtures::devnet::{Devnet, ELECTRA, ELECTRA_TO_FULU, FULU};
use sextant_protocol::StatementInput;
use sextant_sources::{
    LightClient, Watched,
    input::Prepared,
    prepare::{self, Finalized, Periods, PrepareError, Questions},
};
use sextant_test_nodes::{Ask, Node, Reply, recorded::Recorded};

async fn change(recorded: &Recorded, periods: Periods) -> Result<Prepared, PrepareError> {
    let node = beacon_node(recorded, |_| None).await;
    let nodes = beacon(&[&node]);
    let chain = chain_of(recorded, &nodes).await;
    prepare::committee_change(nodes, chain, periods, None).await
}

fn statement(prepared: &Prepared) -> Statement {
    let program = prepared.input.program().unwrap();
    check_statement(program, &prepared.input.bytes, &mut Plain).unwrap()
}

fn recorded_statement(net: Devnet) -> Statement {
    check_statement(Program::Inclusion, &codec::encode(&net.inclusion()), &mut Plain).unwrap()
}

fn learned(prepared: &Prepared) -> (u64, Vec<u64>) {
    let Statement::CommitteeChange(change) = statement(prepared) else { panic!("another statement") };
    (change.head.signer_period, change.learned.iter().map(|learned| learned.period).collect())
}

#[tokio::test]
async fn handovers_from_nodes_are_those_from_files() {
    let mainnet = Recorded::mainnet_handovers();
    let checkpoint = Some(mainnet.checkpoints()[0]);
    let two = change(&mainnet, Periods { checkpoint, ..Periods::default() }).await.unwrap();
    let expected = codec::encode(&sextant_fixtures::committee_change(2));
    assert!(two.input == StatementInput::new(Program::CommitteeChange, expected));
    let one = change(&mainnet, Periods { checkpoint, to: Some(1151), from: None }).await.unwrap();
    let expected = codec::encode(&sextant_fixtures::committee_change(1));
    assert!(one.input == StatementInput::new(Program::CommitteeChange, expected));

    let devnet = Recorded::devnet(ELECTRA_TO_FULU);
    let from_genesis = Some(devnet.checkpoints()[1]);
    let three = change(&devnet, Periods { checkpoint: from_genesis, ..Periods::default() }).await.unwrap();
    let expected = codec::encode(&ELECTRA_TO_FULU.committee_change());
    assert!(three.input == StatementInput::new(Program::CommitteeChange, expected));
}

#[tokio::test]
async fn any_part_of_the_way_can_be_asked_for() {
    let recorded = Recorded::devnet(ELECTRA_TO_FULU);
    let [finalized, genesis] = recorded.checkpoints()[..] else { panic!("two bootstraps") };
    let of = async |from, to, checkpoint| {
        learned(&change(&recorded, Periods { from, to, checkpoint }).await.unwrap())
    };
    assert_eq!(of(None, None, None).await, (2, vec![3]), "from the latest finalized block");
    assert_eq!(of(None, None, Some(finalized)).await, (2, vec![3]));
    assert_eq!(of(Some(1), None, None).await, (1, vec![2, 3]), "by the word of the update before");
    assert_eq!(of(Some(1), Some(2), None).await, (1, vec![2]));
    assert_eq!(of(Some(1), Some(3), Some(genesis)).await, (1, vec![2, 3]));
    assert_eq!(of(Some(2), None, Some(genesis)).await, (2, vec![3]));

    let refused =
        async |from, to, checkpoint| change(&recorded, Periods { from, to, checkpoint }).await.unwrap_err();
    names(&refused(Some(2), Some(2), None).await, &["committees from period 2 to 2"]);
    names(
        &refused(Some(1), None, Some(finalized)).await,
        &["period 1 is before the checkpoint, whose period is 2"],
    );
    names(&refused(Some(1), Some(9), Some(genesis)).await, &["no finalized handover to period 4 yet"]);
    names(&refused(Some(1), Some(9), None).await, &["no finalized handover to period 4 yet"]);
    names(&refused(Some(7), None, Some(genesis)).await, &["no finalized handover to period 7 yet"]);
    names(
        &refused(None, None, Some([7; 32])).await,
        &["bootstrap of 0x0707", "404", "LC bootstrap unavailable"],
    );
}

fn watched(net: Devnet) -> Vec<Watched> {
    let slots = |account: &sextant_consensus::build::AccountNodes| {
        account.slots.iter().map(|(key, _)| *key).collect()
    };
    net.accounts().iter().map(|account| Watched { address: account.address, slots: slots(account) }).collect()
}

async fn inclusion(
    beacons: &[&Node],
    rpcs: &[&Node],
    recorded: &Recorded,
    wanted: &[Watched],
) -> Result<Prepared, PrepareError> {
    let nodes = beacon(beacons);
    let chain = chain_of(recorded, &nodes).await;
    let checkpoint = recorded.checkpoints()[0];
    let rpc = execution(rpcs);
    let finalized = Finalized::reach(nodes, &rpc, chain, Some(checkpoint)).await?;
    finalized.inclusion(&rpc, &Questions::accounts(wanted)).await
}

#[tokio::test]
async fn inclusions_from_nodes_are_those_from_files() {
    for net in [ELECTRA, FULU, ELECTRA_TO_FULU] {
        let recorded = Recorded::devnet(net);
        let (node, rpc) = (beacon_node(&recorded, |_| None).await, execution_node(&recorded, |_| None).await);
        let prepared = inclusion(&[&node], &[&rpc], &recorded, &watched(net)).await.unwrap();
        // Accounts are sorted before their nodes are pooled, so that the bytes may differ; what is said may not.
        assert!(statement(&prepared) == recorded_statement(net), "{}", net.folder);
        let asked = rpc.asked();
        let number = net.finality().1.finalized_header.execution.unwrap().block_number;
        assert!(
            asked.iter().all(|ask| ask.call["params"][2] == format!("{number:#x}")),
            "the finalized header's block"
        );
    }
    let recorded = Recorded::mainnet();
    let (node, rpc) = (beacon_node(&recorded, |_| None).await, execution_node(&recorded, |_| None).await);
    let factory = sextant_fixtures::uniswap_factory();
    let wanted = Watched { address: factory.address, slots: vec![factory.slots[0].0] };
    let prepared = inclusion(&[&node], &[&rpc], &recorded, &[wanted]).await.unwrap();
    let expected = codec::encode(&sextant_fixtures::inclusion());
    assert!(prepared.input == StatementInput::new(Program::Inclusion, expected));
}

/// Since Gloas the execution block is asked for by its hash, and its header becomes part of the input.
#[tokio::test]
async fn gloas_inclusions_bring_the_execution_blocks_header() {
    let recorded = Recorded::gloas();
    let (node, rpc) = (beacon_node(&recorded, |_| None).await, execution_node(&recorded, |_| None).await);
    let factory = sextant_fixtures::uniswap_factory();
    let wanted = Watched { address: factory.address, slots: vec![factory.slots[0].0] };
    let prepared = inclusion(&[&node], &[&rpc], &recorded, std::slice::from_ref(&wanted)).await.unwrap();
    let expected = codec::encode(&sextant_fixtures::gloas::inclusion());
    assert!(prepared.input == StatementInput::new(Program::Inclusion, expected));
    let methods: Vec<_> = rpc.asked().iter().map(|ask| ask.call["method"].clone()).collect();
    assert_eq!(methods, ["eth_getBlockByHash", "eth_getProof"]);

    let nodes = beacon(&[&node]);
    let chain = chain_of(&recorded, &nodes).await;
    let periods = Periods { checkpoint: Some(recorded.checkpoints()[0]), ..Periods::default() };
    let with_block =
        prepare::committee_change(nodes, chain, periods, Some(&execution(&[&rpc]))).await.unwrap();
    let expected = codec::encode(&sextant_fixtures::gloas::committee_change_with_block());
    assert!(with_block.input == StatementInput::new(Program::CommitteeChange, expected));

    let mut block = recorded.blocks[0].clone();
    block["stateRoot"] = block["parentHash"].clone();
    let lying = Recorded { blocks: vec![block], ..recorded.clone() };
    let lying = execution_node(&lying, |_| None).await;
    let error = inclusion(&[&node], &[&lying], &recorded, &[wanted]).await.unwrap_err();
    names(&error, &["block 0x", &lying.url(), "hash"]);
}

/// Changes the first recorded byte string that `path` leads to.
fn flip(value: &mut Value, pointer: &str) {
    let field = value.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    let text = field.as_str().expect("hex").to_owned();
    let last = if text.ends_with('0') { "1" } else { "0" };
    *field = format!("{}{last}", &text[..text.len() - 1]).into();
}

#[tokio::test]
async fn lying_beacon_nodes_are_named_and_passed_over() {
    let recorded = Recorded::devnet(ELECTRA_TO_FULU);
    let honest = beacon_node(&recorded, |_| None).await;
    let rpc = execution_node(&recorded, |_| None).await;
    let lies: [(&'static str, &str, &str); 7] = [
        ("finality_update", "/data/sync_aggregate/sync_committee_signature", "signature"),
        ("finality_update", "/data/finality_branch/3", "finality_branch"),
        ("finality_update", "/data/finalized_header/beacon/state_root", "finality_branch"),
        ("finality_update", "/data/finalized_header/execution/state_root", "execution branch"),
        ("/updates", "/0/data/next_sync_committee/pubkeys/7", "next_sync_committee"),
        ("/updates", "/0/data/sync_aggregate/sync_committee_bits", "signature"),
        ("/bootstrap", "/data/current_sync_committee/pubkeys/3", "current_sync_committee"),
    ];
    let [_, genesis] = recorded.checkpoints()[..] else { panic!("two bootstraps") };
    for (path, pointer, reason) in lies {
        let source = recorded.clone();
        let lying = beacon_node(&recorded, move |ask: &Ask| {
            ask.path.contains(path).then(|| {
                let Reply::Json(mut answer) = source.beacon(ask) else { panic!("JSON") };
                flip(&mut answer, pointer);
                Reply::Json(answer)
            })
        })
        .await;
        let go = async |nodes: &[&Node]| {
            let nodes = beacon(nodes);
            let chain = chain_of(&recorded, &nodes).await;
            let execution = execution(&[&rpc]);
            let finalized = Finalized::reach(nodes, &execution, chain, Some(genesis)).await?.separately();
            finalized.inclusion(&execution, &Questions::accounts(&watched(ELECTRA_TO_FULU))).await
        };
        let error = go(&[&lying]).await.expect_err(pointer);
        names(&error, &[&lying.url(), reason]);
        let prepared = go(&[&lying, &honest]).await.expect(pointer);
        assert!(statement(&prepared) == recorded_statement(ELECTRA_TO_FULU), "{pointer}");
    }
}

#[tokio::test]
async fn lying_execution_nodes_are_named_and_passed_over() {
    let recorded = Recorded::devnet(ELECTRA);
    let node = beacon_node(&recorded, |_| None).await;
    let honest = execution_node(&recorded, |_| None).await;
    type Lie = fn(&mut Value);
    let lies: [(&str, Lie); 5] = [
        ("a node's byte", |answer| flip(answer, "/result/accountProof/0")),
        ("a slot's node", |answer| flip(answer, "/result/storageProof/0/proof/0")),
        ("cut short", |answer| {
            answer["result"]["accountProof"].as_array_mut().unwrap().pop();
        }),
        ("the proof of another account", |answer| {
            answer["result"]["accountProof"] = Recorded::devnet(ELECTRA).proofs[1]["accountProof"].clone();
        }),
        ("a slot declared absent", |answer| {
            answer["result"]["storageProof"][0]["proof"] = serde_json::json!([])
        }),
    ];
    let wanted = &watched(ELECTRA)[..1];
    for (name, lie) in lies {
        let source = recorded.clone();
        let lying = execution_node(&recorded, move |ask| {
            let Reply::Json(mut answer) = source.execution(ask) else { panic!("JSON") };
            lie(&mut answer);
            Some(Reply::Json(answer))
        })
        .await;
        let error = inclusion(&[&node], &[&lying], &recorded, wanted).await.expect_err(name);
        names(&error, &[&lying.url(), "proof of 0x", "refused", "account 0"]);
        let prepared = inclusion(&[&node], &[&lying, &honest], &recorded, wanted).await.expect(name);
        let Statement::Inclusion(values) = statement(&prepared) else { panic!("another statement") };
        assert_eq!(values.accounts.len(), 1, "{name}");
    }
}

#[tokio::test]
async fn nodes_that_are_behind_or_ahead_are_named() {
    let recorded = Recorded::devnet(ELECTRA_TO_FULU);
    let node = beacon_node(&recorded, |_| None).await;
    let [_, genesis] = recorded.checkpoints()[..] else { panic!("two bootstraps") };
    let start = async |node: &Node| {
        let nodes = beacon(&[node]);
        let chain = chain_of(&recorded, &nodes).await;
        LightClient::start(nodes, chain, &genesis).await.unwrap()
    };
    let mut behind = start(&node).await.with_max_age(Some(Duration::from_secs(1)));
    names(&behind.advance().await.unwrap_err(), &["behind", "finality update"]);

    let mut client = start(&node).await;
    let advance = client.advance().await.unwrap();
    assert_eq!(advance.updates.len(), 3);
    assert_eq!(client.finalized(), &advance.finality.value.finalized_header.beacon);
    assert!(client.signers(2).is_some() && client.signers(3).is_some() && client.signers(1).is_none());
    let asked = node.asked().len();
    let again = client.advance().await.expect("nothing new is no error");
    assert_eq!(
        (again.updates.len(), node.asked().len()),
        (0, asked + 1),
        "one request is enough to see that"
    );

    // The same client, whose node went back in time.
    let old = Recorded::devnet(ELECTRA_TO_FULU).updates[0].clone();
    let stale = beacon_node(&recorded, at("finality_update", move || Reply::Json(old.clone()))).await;
    let signers = |period| client.signers(period).unwrap().committee;
    let mut resumed = LightClient::resume(
        beacon(&[&stale]),
        client.chain().clone(),
        *client.finalized(),
        signers(2),
        Some(signers(3)),
    );
    names(
        &resumed.advance().await.unwrap_err(),
        &["stale: attested slot 128", "is final already", &stale.url()],
    );
    let mut resumed =
        LightClient::resume(beacon(&[&node]), client.chain().clone(), *client.finalized(), signers(2), None);
    assert_eq!(resumed.advance().await.expect("goes on where the first was").updates.len(), 1);

    let mut future = recorded.finality_update.clone();
    future["data"]["signature_slot"] = "99999999999".into();
    let ahead = beacon_node(&recorded, at("finality_update", move || Reply::Json(future.clone()))).await;
    names(&start(&ahead).await.advance().await.unwrap_err(), &["signed in slot 99999999999"]);
}
