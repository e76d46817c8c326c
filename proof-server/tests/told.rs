//! Statements in JSON over HTTP: what nodes have answered, of which the server makes the input.

mod common;

use common::{
    HANGS, Server, good_requests,
    http::{ask, get},
};
use serde_json::{Value, json};
use sextant_protocol::Request;

const COMMITTEE_CHANGE: &str = "/v1/proofs?program=committee-change";
const INCLUSION: &str = "/v1/proofs?program=inclusion";
const JSON: &[(&str, &str)] = &[("content-type", "application/json; charset=utf-8")];

fn recorded(name: &str) -> Value {
    let file = sextant_fixtures::data().join("mainnet-deneb").join(name);
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn change() -> Value {
    json!({
        "network": "mainnet",
        "bootstrap": recorded("bootstrap-9425184.json"),
        "updates": [recorded("update-9420873.json")],
    })
}

fn slot() -> Value {
    json!({
        "bootstrap": recorded("inclusion-bootstrap.json"),
        "finality_update": recorded("inclusion-finality-update-9567542.json"),
        "accounts": recorded("inclusion-eth-get-proof.json"),
    })
}

/// A job's id is made of what is proven: the same statement is the same job, however it was told.
#[tokio::test]
async fn a_statement_in_json_is_the_same_job_as_its_input() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    let inputs: Vec<_> = good_requests()
        .into_iter()
        .map(|request| match request {
            Request::Prove(request) => request.input,
            _ => unreachable!(),
        })
        .collect();
    for (path, document) in [(COMMITTEE_CHANGE, change()), (INCLUSION, slot())] {
        let told = ask(server.http, "POST", path, JSON, document.to_string()).await;
        assert_eq!(told.status, 202, "{told:?}");
        let job = told.json()["id"].clone();
        let mut same = 0;
        for input in inputs.iter().filter(|input| path.ends_with(&input.program().unwrap().to_string())) {
            let bytes = ask(server.http, "POST", path, &[], input.bytes.clone()).await;
            same += usize::from(bytes.json()["id"] == job);
        }
        assert_eq!(same, 1, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_document_is_said_by_its_field() {
    let server = Server::start(Some(HANGS), |config| config.max_input = 400_000).await;
    let mut false_one = change();
    let bits = &mut false_one["updates"][0]["data"]["sync_aggregate"]["sync_committee_bits"];
    *bits = bits.as_str().unwrap().replacen('f', "e", 1).into();
    let mut foreign = change();
    foreign["accounts"] = json!([]);
    let mut broken = change();
    broken["updates"][0]["data"]["signature_slot"] = json!("soon");
    let mut elsewhere = change();
    elsewhere["network"] = json!("goerli");
    for (document, problem, word) in [
        ("{".to_owned(), (400, "Malformed"), "line 1"),
        ("{}".to_owned(), (400, "Malformed"), "bootstrap"),
        (foreign.to_string(), (400, "Malformed"), "accounts"),
        (elsewhere.to_string(), (422, "Unsupported"), "goerli"),
        (broken.to_string(), (422, "InvalidStatement"), "updates[0]: field `data.signature_slot`"),
        (false_one.to_string(), (422, "InvalidStatement"), "signature"),
        (format!("{}{}", change(), " ".repeat(400_000)), (413, "TooLarge"), "400000"),
        (format!("{{\"{}\": 1}}", "x".repeat(10_000)), (400, "Malformed"), "xxx"),
    ] {
        let answer = ask(server.http, "POST", COMMITTEE_CHANGE, JSON, document).await;
        let (status, name) = answer.problem();
        assert_eq!((status, name.as_str()), problem, "{answer:?}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(word) && detail.len() < 1_100, "{word}: {detail}");
    }
    // A proof is a file, and nothing else.
    let file = ask(server.http, "POST", "/v1/verifications", JSON, "{}").await;
    assert_eq!(file.problem(), (415, "Unsupported".into()));
    server.stop().await;
}

/// A document becomes larger in memory than it is: where there is no room for that, it is not read.
#[tokio::test]
async fn a_document_takes_memory_for_its_reading() {
    let document = change().to_string();
    let server = Server::start(Some(HANGS), |config| config.buffers = document.len() * 4).await;
    let (status, name) = ask(server.http, "POST", COMMITTEE_CHANGE, JSON, document.clone()).await.problem();
    assert_eq!((status, name.as_str()), (429, "Busy"));
    server.stop().await;
    let server = Server::start(Some(HANGS), |config| config.buffers = document.len() * 64).await;
    let answer = ask(server.http, "POST", COMMITTEE_CHANGE, JSON, document).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    server.stop().await;
}

/// What makers of clients are told is what is taken: each field is, and no other.
#[tokio::test]
async fn the_document_is_described() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    let told = get(server.http, "/v1/openapi.json").await.json();
    let content = &told["paths"]["/v1/proofs"]["post"]["requestBody"]["content"];
    assert!(content["application/octet-stream"].is_object());
    let schema = &content["application/json"]["schema"];
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], json!(["bootstrap"]));
    let described: Vec<_> = schema["properties"].as_object().unwrap().keys().cloned().collect();
    let unknown = ask(server.http, "POST", COMMITTEE_CHANGE, JSON, "{\"none\": 1}").await.json();
    let mut taken: Vec<_> =
        unknown["detail"].as_str().unwrap().split('`').skip(3).step_by(2).map(str::to_owned).collect();
    taken.sort();
    assert_eq!(described, taken);
    server.stop().await;
}
