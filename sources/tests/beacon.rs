//! Beacon nodes: what they answer is read in both encodings, and must be about what was asked.

mod common;

use common::{at, beacon, beacon_node, chain_of, finality, names};
use serde_json::Value;
use sextant_consensus::{chain::ChainConfig, networks::MAINNET};
use sextant_fixtures::devnet::{ALL, CAPELLA, ELECTRA, ELECTRA_TO_FULU};
use sextant_sources::{BlockId, Expected, input::Sourced};
use sextant_test_nodes::{Node, Reply, recorded::Recorded};

fn same<T>(value: Sourced<T>) -> Result<T, String> {
    Ok(value.value)
}

fn all<T>(values: Vec<Sourced<T>>) -> Result<(Vec<T>, usize), String> {
    let count = values.len();
    Ok((values.into_iter().map(|value| value.value).collect(), count))
}

#[tokio::test]
async fn every_recorded_network_is_read() {
    for net in ALL {
        let recorded = Recorded::devnet(net);
        let node = beacon_node(&recorded, |_| None).await;
        let nodes = beacon(&[&node]);
        let chain = chain_of(&recorded, &nodes).await;
        assert_eq!(chain.config, net.chain());
        // The Capella network's beacon node was left with mainnet's number.
        assert_eq!(chain.execution_chain_id, Some(if net == CAPELLA { 1 } else { 1337 }));
        assert!(chain.genesis_time > 1_700_000_000 && chain.slot.as_secs() > 0);
        for root in recorded.checkpoints() {
            let bootstrap = nodes.bootstrap(&chain.config, &root, same).await.unwrap();
            assert_eq!(bootstrap.header.beacon.root(), root);
        }
        let start = chain.config.period(net.updates()[0].attested_header.beacon.slot);
        let updates = nodes.updates(&chain.config, start, 128, all).await.unwrap();
        assert_eq!(updates, net.updates());
        let finality = nodes.finality_update(&chain.config, same).await.unwrap();
        assert_eq!(finality, net.finality().1);
        nodes.optimistic_update(&chain.config, same).await.unwrap();
        let (root, header) = nodes.header(BlockId::Finalized).await.unwrap();
        assert_eq!(
            (root, header),
            (finality.finalized_header.beacon.root(), finality.finalized_header.beacon)
        );
    }
}

#[tokio::test]
async fn ssz_is_read_where_the_node_offers_it() {
    let recorded = Recorded::devnet(ELECTRA_TO_FULU);
    let file = |name: &str| std::fs::read(ELECTRA_TO_FULU.file(name)).unwrap();
    let node = beacon_node(&recorded, move |ask| {
        assert!(!ask.path.contains("light_client") || ask.accept.starts_with("application/octet-stream"));
        let name = ask.path.rsplit('/').find(|name| name.contains("update"))?;
        let version = if name == "updates" { "fulu,fulu,fulu" } else { "fulu" };
        Some(Reply::Ssz(file(&format!("{name}.ssz")), version))
    })
    .await;
    let nodes = beacon(&[&node]);
    let chain = recorded.chain.clone();
    assert_eq!(nodes.updates(&chain, 0, 3, all).await.unwrap(), ELECTRA_TO_FULU.updates());
    assert_eq!(nodes.finality_update(&chain, same).await.unwrap(), ELECTRA_TO_FULU.finality().1);
    nodes.optimistic_update(&chain, same).await.unwrap();
}

/// Nodes label by the fork of the signature, or write it their own way: the slot in the object says which fork it is.
#[tokio::test]
async fn a_label_of_another_fork_counts_for_nothing_and_one_of_none_is_named() {
    let recorded = Recorded::devnet(ELECTRA);
    let read = async |reply: Reply| {
        let node = beacon_node(&recorded, at("finality_update", move || reply.clone())).await;
        finality(&beacon(&[&node]), &recorded).await
    };
    let truth = ELECTRA.finality().1.attested_header.beacon.slot;
    let labelled = |version: &str| {
        let mut answer = recorded.finality_update.clone();
        answer["version"] = version.into();
        Reply::Json(answer)
    };
    for version in ["deneb", "fulu", "Electra", "ELECTRA"] {
        assert_eq!(read(labelled(version)).await.unwrap(), truth, "{version}");
    }
    names(&read(labelled("osaka")).await.unwrap_err(), &["`version`", "\"osaka\" is not a known fork"]);
    let json = vec![("content-type", "application/json".into()), ("eth-consensus-version", "gloas".into())];
    let body = recorded.finality_update.to_string().into_bytes();
    assert_eq!(read(Reply::Raw(200, json, body)).await.unwrap(), truth);
    let ssz = std::fs::read(ELECTRA.file("finality_update.ssz")).unwrap();
    assert_eq!(read(Reply::Ssz(ssz, "deneb")).await.unwrap(), truth);
}

#[tokio::test]
async fn an_answer_to_another_question_is_named() {
    let recorded = Recorded::devnet(ELECTRA_TO_FULU);
    let [first, second] = recorded.checkpoints()[..] else { panic!("two bootstraps") };
    let swapped = recorded.bootstraps[1].clone();
    let node = beacon_node(&recorded, move |ask| {
        ask.path.contains("bootstrap").then(|| Reply::Json(swapped.clone()))
    })
    .await;
    let error = beacon(&[&node]).bootstrap(&recorded.chain, &first, same).await.unwrap_err();
    names(&error, &["bootstrap of", "answers another question", &hex::encode(second), &hex::encode(first)]);
    assert!(error.is_lie());

    let all_three = Value::Array(recorded.updates.clone());
    let node = beacon_node(&recorded, at("/updates", move || Reply::Json(all_three.clone()))).await;
    let nodes = beacon(&[&node]);
    names(&nodes.updates(&recorded.chain, 1, 3, all).await.unwrap_err(), &["period is 0, asked for 1"]);
    assert_eq!(nodes.updates(&recorded.chain, 0, 2, all).await.unwrap().len(), 2, "what is over is ignored");

    let other = sextant_test_nodes::json::header_answer(&ELECTRA.finality().1.finalized_header.beacon);
    let node = Node::start(move |_| Reply::Json(other.clone())).await;
    let nodes = beacon(&[&node]);
    names(&nodes.header(BlockId::Root(first)).await.unwrap_err(), &["block root"]);
    names(&nodes.header(BlockId::Slot(7)).await.unwrap_err(), &["slot is", "asked for 7"]);
    let mut lying = sextant_test_nodes::json::header_answer(&ELECTRA.finality().1.finalized_header.beacon);
    lying["data"]["root"] = sextant_test_nodes::json::hex(&first);
    let node = Node::start(move |_| Reply::Json(lying.clone())).await;
    names(&beacon(&[&node]).header(BlockId::Root(first)).await.unwrap_err(), &["header root"]);
}

#[tokio::test]
async fn a_node_without_updates_has_none() {
    let recorded = Recorded::devnet(ELECTRA);
    let node = beacon_node(&recorded, |_| None).await;
    assert_eq!(beacon(&[&node]).updates(&recorded.chain, 7, 2, all).await.unwrap(), []);
}

#[tokio::test]
async fn a_node_of_another_chain_is_named() {
    let recorded = Recorded::devnet(ELECTRA);
    let node = beacon_node(&recorded, |_| None).await;
    let nodes = beacon(&[&node]);
    let error = nodes.chain(&Expected::Config(MAINNET)).await.unwrap_err();
    names(&error, &["specification", "another chain", "genesis validators root"]);
    assert!(nodes.chain(&Expected::Digest(recorded.chain.digest())).await.is_ok());
    let error = nodes.chain(&Expected::Digest(MAINNET.digest())).await.unwrap_err();
    names(&error, &["digest", &hex::encode(MAINNET.digest())]);

    let expected = Expected::Config(recorded.chain.clone());
    let refused = async |name: &str, value: &str| {
        let mut spec = recorded.spec.clone();
        spec["data"][name] = value.into();
        let node = beacon_node(&recorded, at("/spec", move || Reply::Json(spec.clone()))).await;
        beacon(&[&node]).chain(&expected).await.unwrap_err()
    };
    names(&refused("SLOTS_PER_EPOCH", "8").await, &["SLOTS_PER_EPOCH is 8"]);
    names(&refused("HEZE_FORK_EPOCH", "9").await, &["HEZE_FORK_EPOCH", "does not know"]);
    names(&refused("SLOT_DURATION_MS", "0").await, &["length of a slot"]);
    names(&refused("FULU_FORK_EPOCH", "soon").await, &["FULU_FORK_EPOCH", "soon"]);
}

/// An endpoint whose answer the caller refuses is as bad as one that does not answer.
#[tokio::test]
async fn a_refused_answer_is_asked_for_elsewhere() {
    let recorded = Recorded::devnet(ELECTRA);
    let mut lie = recorded.finality_update.clone();
    lie["data"]["signature_slot"] = "161".into();
    let lying = beacon_node(&recorded, at("finality_update", move || Reply::Json(lie.clone()))).await;
    let honest = beacon_node(&recorded, |_| None).await;
    let truth = ELECTRA.finality().1.signature_slot;
    assert_ne!(truth, 161);
    let accept = |update: Sourced<sextant_consensus::light_client::LightClientFinalityUpdate>| match update
        .value
        .signature_slot
    {
        slot if slot == truth => Ok(slot),
        slot => Err(format!("made-up slot {slot}")),
    };
    let chain: &ChainConfig = &recorded.chain;
    assert_eq!(beacon(&[&lying, &honest]).finality_update(chain, accept).await.unwrap(), truth);
    let error = beacon(&[&lying]).finality_update(chain, accept).await.unwrap_err();
    names(&error, &["refused: made-up slot 161", &lying.url()]);
}
