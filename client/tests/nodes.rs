//! `sextant prove` from nodes: what reaches the server is what files would have given, and lies reach nobody.

mod common;
mod fake;
mod played;

use std::path::Path;

use common::{BOOTSTRAP, Folder, UPDATE_1150, assert_names, file, text};
use played::{FACTORY, asked_of_server, checkpoint, factory_slot, nodes, words};
use sextant_client::StatementInput;
use sextant_consensus::{Program, codec};
use sextant_fixtures::gloas;
use sextant_test_nodes::{Node, Reply, recorded::Recorded};

#[tokio::test]
async fn the_server_is_asked_for_what_the_nodes_know() {
    let handovers = Recorded::mainnet_handovers();
    let (beacon, rpc) = nodes(&handovers).await;
    let line = format!("prove committee-change --beacon BEACON --checkpoint 0x{}", checkpoint(&handovers));
    let (output, asked) = asked_of_server(words(&line, &beacon, &rpc)).await;
    let expected = codec::encode(&sextant_fixtures::committee_change(2));
    assert!(asked == Some(StatementInput::new(Program::CommitteeChange, expected)), "{output:?}");
    assert_names(&output, &["no prover here"]);

    let line = "prove committee-change --beacon BEACON --from 1151 --to 1152";
    let (output, asked) = asked_of_server(words(line, &beacon, &rpc)).await;
    assert!(asked.is_some(), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("note: no --checkpoint given"), "{stderr}");

    let mainnet = Recorded::mainnet();
    let (beacon, rpc) = nodes(&mainnet).await;
    let line = format!(
        "prove inclusion --beacon BEACON --rpc RPC --checkpoint {} --address {FACTORY} --slot 0x{}",
        checkpoint(&mainnet),
        factory_slot(),
    );
    let (output, asked) = asked_of_server(words(&line, &beacon, &rpc)).await;
    let expected = codec::encode(&sextant_fixtures::inclusion());
    assert!(asked == Some(StatementInput::new(Program::Inclusion, expected)), "{output:?}");
}

#[tokio::test]
async fn gloas_inclusions_are_asked_for_from_nodes_and_from_files() {
    let recorded = Recorded::gloas();
    let (beacon, rpc) = nodes(&recorded).await;
    let expected = StatementInput::new(Program::Inclusion, codec::encode(&gloas::inclusion()));
    let line = format!(
        "prove inclusion --network hoodi --beacon BEACON --rpc RPC --checkpoint {} --address {FACTORY} --slot 0x{}",
        checkpoint(&recorded),
        factory_slot(),
    );
    let (output, asked) = asked_of_server(words(&line, &beacon, &rpc)).await;
    assert!(asked == Some(expected.clone()), "{output:?}");

    let folder = Folder::new();
    let write = |name: &str, value: &serde_json::Value| folder.write(name, value.to_string());
    let bootstrap = write("bootstrap.json", &recorded.bootstraps[0]);
    let update = write("finality_update.json", &recorded.finality_update);
    let proof = write("proof.json", &recorded.proofs[0]);
    let block =
        write("block.json", &serde_json::json!({ "jsonrpc": "2.0", "id": 1, "result": recorded.blocks[0] }));
    let line = |more: &[&Path]| {
        let mut line = format!(
            "prove inclusion --network hoodi --bootstrap {} --finality-update {} --proof {}",
            text(&bootstrap),
            text(&update),
            text(&proof),
        );
        more.iter().for_each(|block| line += &format!(" --block-file {}", text(block)));
        words(&line, &beacon, &rpc)
    };
    let (output, asked) = asked_of_server(line(&[&block])).await;
    assert!(asked == Some(expected), "{output:?}");
    let (output, _) = asked_of_server(line(&[])).await;
    assert_names(&output, &["finality_update.json", "whose header is needed"]);
    let mut other = recorded.blocks[0].clone();
    other["gasUsed"] = "0x7".into();
    let (output, _) = asked_of_server(line(&[&write("other.json", &other)])).await;
    assert_names(&output, &["other.json", "`hash`"]);

    let updates = write("updates.json", &recorded.updates[0]);
    let line = format!(
        "prove committee-change --network hoodi --bootstrap {} --update {} --block-file {}",
        text(&bootstrap),
        text(&updates),
        text(&block),
    );
    let (output, asked) = asked_of_server(words(&line, &beacon, &rpc)).await;
    let expected = codec::encode(&gloas::committee_change_with_block());
    assert!(asked == Some(StatementInput::new(Program::CommitteeChange, expected)), "{output:?}");
}

#[tokio::test]
async fn a_chain_without_a_name_is_pinned_by_its_digest() {
    let net = sextant_fixtures::devnet::ELECTRA_TO_FULU;
    let recorded = Recorded::devnet(net);
    let (beacon, rpc) = nodes(&recorded).await;
    let digest = hex::encode(net.chain().digest());
    let prove = |chain: &str| {
        words(&format!("prove committee-change --beacon BEACON --from 1 {chain}"), &beacon, &rpc)
    };
    let (output, asked) = asked_of_server(prove(&format!("--chain-digest 0x{digest}"))).await;
    assert!(asked.is_some(), "{output:?}");
    let other = "77".repeat(32);
    let (output, _) = asked_of_server(prove(&format!("--chain-digest {other}"))).await;
    assert_names(&output, &["another chain", &digest, &other]);
    let (output, _) = asked_of_server(prove("")).await;
    assert_names(&output, &["another chain", "genesis validators root"]);

    let files = |chain: &str| {
        let line = format!(
            "prove committee-change --bootstrap {} --update {} {chain}",
            text(&file(BOOTSTRAP)),
            text(&file(UPDATE_1150))
        );
        words(&line, &beacon, &rpc)
    };
    let (output, _) = asked_of_server(files(&format!("--chain-digest {digest}"))).await;
    assert_names(&output, &["--chain-digest needs --beacon"]);
}

#[tokio::test]
async fn what_is_wrong_with_nodes_is_said_in_one_line() {
    let recorded = Recorded::mainnet();
    let (beacon, rpc) = nodes(&recorded).await;
    let inclusion = |rpc: &Node, more: &str| {
        let line = format!(
            "prove inclusion --beacon BEACON --rpc RPC --checkpoint {} {more}",
            checkpoint(&recorded)
        );
        words(&line, &beacon, rpc)
    };
    let wanted = format!("--address {FACTORY} --slot 0x{}", factory_slot());
    let source = recorded.clone();
    let lying = Node::start(move |ask| {
        let Reply::Json(mut answer) = source.execution(ask) else { panic!("JSON") };
        if ask.call["method"] == "eth_getProof" {
            answer["result"]["accountProof"].as_array_mut().unwrap().swap(0, 1);
        }
        Reply::Json(answer)
    })
    .await;
    let (output, asked) = asked_of_server(inclusion(&lying, &wanted)).await;
    assert_names(&output, &["proof of 0x5c69bee7", &lying.url(), "refused"]);
    assert!(asked.is_none(), "nothing false is sent");

    let elsewhere = Recorded { chain_id: 5, ..recorded.clone() };
    let elsewhere = Node::start(move |ask| elsewhere.execution(ask)).await;
    let (output, _) = asked_of_server(inclusion(&elsewhere, &wanted)).await;
    assert_names(&output, &["chain id is 5, asked for 1"]);
    let (output, _) = asked_of_server(inclusion(&rpc, "")).await;
    assert_names(&output, &["nothing to look up", "--address"]);
    let line = format!("prove inclusion --beacon BEACON {wanted}");
    assert_names(&asked_of_server(words(&line, &beacon, &rpc)).await.0, &["--rpc", "no endpoint given"]);
    let (output, _) =
        asked_of_server(words("prove committee-change --beacon BEACON --checkpoint 0x1234", &beacon, &rpc))
            .await;
    assert_eq!(output.status.code(), Some(2), "not a root");
    let (output, _) = asked_of_server(words(
        "prove committee-change --beacon BEACON --bootstrap x --update y",
        &beacon,
        &rpc,
    ))
    .await;
    assert_eq!(output.status.code(), Some(2), "nodes or files");
}
