//! What JSON-RPC errors are taken for: a revert is the contract's word and counts at once, a busy node is asked again, and
//! whatever a node says reaches the reader, with whichever status.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::{execution, names};
use serde_json::{Value, json};
use sextant_sources::SourceError;
use sextant_test_nodes::{Node, Reply};

/// How a call ends whose first answers are these, and then a result; and how often the node was asked.
async fn call(answers: Vec<(u16, Value)>) -> (Result<Value, SourceError>, usize) {
    let next = AtomicUsize::new(0);
    let node = Node::start(move |_| match answers.get(next.fetch_add(1, Ordering::SeqCst)) {
        Some((200, answer)) => Reply::Json(answer.clone()),
        Some((status, answer)) => Reply::Raw(
            *status,
            vec![("content-type", "application/json".into())],
            answer.to_string().into_bytes(),
        ),
        None => Reply::Json(json!({"jsonrpc": "2.0", "id": 1, "result": "0x1"})),
    })
    .await;
    let end = execution(&[&node]).call("eth_call", json!([])).await;
    (end, node.asked().len())
}

fn error(code: i64, message: &str, data: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message, "data": data}})
}

#[tokio::test]
async fn busy_nodes_are_asked_again() {
    for code in [-32005, -32603, 429, -32007, -32016, -32029, -32097] {
        let (end, asked) = call(vec![(200, error(code, "busy", Value::Null))]).await;
        assert_eq!((end.unwrap(), asked), (json!("0x1"), 2), "{code}");
    }
    let (end, asked) = call(vec![(429, error(-32000, "slower", Value::Null))]).await;
    assert_eq!((end.unwrap(), asked), (json!("0x1"), 2));
    let (end, asked) = call(vec![(200, error(-32602, "invalid params", Value::Null))]).await;
    names(&end.unwrap_err(), &["-32602", "invalid params"]);
    assert_eq!(asked, 1, "the same question gets the same answer");
}

/// A revert is no trouble of the node's, by whichever code and status it comes.
#[tokio::test]
async fn reverts_are_told_at_once_with_their_data() {
    let wrapped = json!({"message": "reverted", "data": "0x01020304"});
    for (status, code, message, data) in [
        (200, 3, "execution reverted", json!("0x01020304")),
        (400, 3, "execution reverted: 0x01020304", json!("0x01020304")),
        (500, 3, "execution reverted", json!("0x01020304")),
        (200, -32015, "VM execution error.", json!("Reverted 0x01020304")),
        (200, -32603, "Error: VM Exception while processing transaction: reverted", wrapped),
    ] {
        let (end, asked) = call(vec![(status, error(code, message, data))]).await;
        let end = end.unwrap_err();
        assert_eq!((end.revert(), asked), (Some(&[1, 2, 3, 4][..]), 1), "{status} {code}: {end}");
    }
    for (code, message) in [(-32000, "will revert to normal soon"), (-32000, "header not found")] {
        let (end, _) = call(vec![(200, error(code, message, json!("0x01020304")))]).await;
        assert_eq!(end.unwrap_err().revert(), None, "{message}");
    }
}

#[tokio::test]
async fn what_a_node_says_is_repeated_with_any_status_and_in_any_form() {
    let text = json!({"error": "no such key here"});
    for (status, answer, said) in [
        (200, text.clone(), "no such key here"),
        (400, error(-32602, "invalid argument 0", Value::Null), "invalid argument 0"),
        (403, text, "no such key here"),
    ] {
        let (end, _) = call(vec![(status, answer)]).await;
        names(&end.unwrap_err(), &[said]);
    }
    let (end, _) = call(vec![(200, error(-32601, "the method does not exist", Value::Null))]).await;
    assert!(end.unwrap_err().is_unsupported());
}
