//! Execution nodes: proofs of what was asked, blocks that hash to what was asked.

mod common;

use common::{execution, execution_node, names};
use serde_json::{Value, json};
use sextant_consensus::{build::AccountNodes, hash::keccak256};
use sextant_fixtures::devnet::{ALL, CAPELLA, ELECTRA};
use sextant_sources::{Watched, input::Sourced};
use sextant_test_nodes::{Reply, recorded::Recorded};

fn watched(account: &AccountNodes) -> Watched {
    Watched { address: account.address, slots: account.slots.iter().map(|(key, _)| *key).collect() }
}

fn anything(_: &Sourced<AccountNodes>) -> Result<(), String> {
    Ok(())
}

#[tokio::test]
async fn recorded_proofs_and_blocks_are_read() {
    for net in ALL {
        let recorded = Recorded::devnet(net);
        let node = execution_node(&recorded, |_| None).await;
        let nodes = execution(&[&node]);
        nodes.check_chain(1337).await.unwrap();
        for account in net.accounts() {
            let answer = nodes.proof(128, &watched(&account), anything).await.unwrap();
            assert_eq!(answer.value, account);
        }
        let hash = net.finality().1.finalized_header.execution.unwrap().block_hash;
        let header = nodes.block_header(&hash).await.unwrap();
        assert_eq!(keccak256(&header.value), hash);
        let asked = node.asked().into_iter().find(|ask| ask.call["method"] == "eth_getProof").unwrap();
        assert_eq!(asked.call["params"][2], "0x80", "the block's number");
    }
}

/// A recorded answer, edited.
async fn proof_edited(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> String {
    let recorded = Recorded::devnet(ELECTRA);
    let honest = recorded.clone();
    let node = execution_node(&recorded, move |ask| {
        let Reply::Json(mut answer) = honest.execution(ask) else { panic!("JSON") };
        edit(&mut answer);
        Some(Reply::Json(answer))
    })
    .await;
    let asked = watched(&ELECTRA.accounts()[0]);
    let error = execution(&[&node]).proof(1, &asked, anything).await.unwrap_err();
    names(&error, &["proof of 0x", "in block 1", &node.url()]);
    let said = error.to_string();
    assert_eq!(said.matches("proof of 0x").count(), 1, "what was asked is named once: {said}");
    said
}

#[tokio::test]
async fn an_answer_to_another_question_is_named() {
    let error =
        proof_edited(|answer| answer["result"]["address"] = format!("0x{}", "11".repeat(20)).into()).await;
    names(&error, &["address is 0x1111"]);
    let error = proof_edited(|answer| {
        answer["result"]["storageProof"].as_array_mut().unwrap().pop();
    })
    .await;
    names(&error, &["list of slots"]);
    let error = proof_edited(|answer| answer["result"]["storageProof"][0]["key"] = "0x77".into()).await;
    names(&error, &["list of slots", &format!("{:0>64}", "77")]);
    names(&proof_edited(|answer| answer["id"] = 9.into()).await, &["id is 9, asked for 1"]);
    names(&proof_edited(|answer| answer["result"] = Value::Null).await, &["null", "no such block or state"]);
    let error = proof_edited(|answer| {
        *answer = json!({"id": 1, "error": {"code": -32000, "message": "missing trie node\n"}})
    })
    .await;
    names(&error, &["JSON-RPC error -32000: missing trie node\\n"]);
    names(&proof_edited(|answer| *answer = json!([])).await, &["empty list"]);
    names(&proof_edited(|answer| *answer = json!({"id": 1})).await, &["result"]);
}

#[tokio::test]
async fn a_node_of_another_chain_is_named() {
    let node = execution_node(&Recorded::devnet(ELECTRA), |_| None).await;
    names(&execution(&[&node]).check_chain(1).await.unwrap_err(), &["chain id is 1337, asked for 1"]);
    let odd =
        execution_node(&Recorded::devnet(ELECTRA), |_| Some(Reply::Json(json!({"id": 1, "result": 5}))))
            .await;
    names(&execution(&[&odd]).check_chain(1).await.unwrap_err(), &["not a quantity"]);
}

#[tokio::test]
async fn a_block_that_does_not_hash_to_what_was_asked_is_named() {
    let recorded = Recorded::devnet(ELECTRA);
    let hash = ELECTRA.finality().1.finalized_header.execution.unwrap().block_hash;
    let block = |edit: fn(&mut Value)| {
        let mut block = recorded.blocks[0].clone();
        edit(&mut block);
        let answer = json!({"id": 1, "result": block});
        let recorded = recorded.clone();
        async move {
            let node = execution_node(&recorded, move |_| Some(Reply::Json(answer.clone()))).await;
            execution(&[&node]).block_header(&hash).await.unwrap_err()
        }
    };
    names(&block(|block| block["gasUsed"] = "0x1".into()).await, &["`hash`", "hash to"]);
    names(&block(|block| *block = Value::Null).await, &["null"]);
    names(&block(|block| *block = Recorded::devnet(CAPELLA).blocks[0].clone()).await, &["block hash is 0x"]);
    names(&block(|block| block["stateRoot"] = "0xzz".into()).await, &["result.stateRoot", "not hex"]);
}
