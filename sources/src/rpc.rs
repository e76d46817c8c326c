//! JSON-RPC errors as nodes and gateways write them, and which of them pass.

use serde_json::Value;

use crate::{Reason, http};

/// The error in a JSON-RPC answer: an object, or with some gateways a text.
pub(crate) fn error(answer: &Value) -> Option<Reason> {
    let error = answer.get("error").filter(|error| !error.is_null())?;
    let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
    let message = error.get("message").and_then(Value::as_str).or_else(|| error.as_str());
    let message = http::clip(message.unwrap_or("no message"));
    Some(Reason::Rpc { code, message, data: revert_data(code, error) })
}

/// What a reverted call returned, if the error says that one was: code 3, or the words of the clients that have another.
/// Anything else with hex digits as its data, or that word in its text, is a node's own trouble. Nodes agree on the name of
/// the data, but some put it into an object once more, or a word before it.
fn revert_data(code: i64, error: &Value) -> Option<Vec<u8>> {
    const WORDS: [&str; 3] = ["execution reverted", "vm exception while processing", "vm execution error"];
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
    if code != 3 && !says(message, &WORDS) {
        return None;
    }
    let data = error.get("data").and_then(|data| data.as_str().or_else(|| data.get("data")?.as_str()));
    let text = data.map(|text| text.strip_prefix("Reverted ").unwrap_or(text)).unwrap_or_default();
    Some(text.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok()).unwrap_or_default())
}

/// Codes of rate limits and of a node's own trouble: EIP-1474's "limit exceeded" and "internal error", HTTP's 429, and
/// those of QuickNode (-32007), Infura and Ankr (-32016, -32029) and Alchemy (-32097).
const PASSING_CODES: [i64; 7] = [-32005, -32603, 429, -32007, -32016, -32029, -32097];

/// What a busy gateway says under any code.
const BUSY: [&str; 6] = [
    "rate limit",
    "too many requests",
    "limit exceeded",
    "capacity exceeded",
    "request timed out",
    "try again",
];

/// What a node says that has the state of another moment: behind a load balancer the next answer is another node's.
const NO_STATE: [&str; 7] = [
    "missing trie node",
    "maximum proof window",
    "historical state",
    "state is not available",
    "no state available",
    "world state unavailable",
    "block is too old",
];

/// Whether asking again may help.
pub(crate) fn is_passing(code: i64, message: &str) -> bool {
    PASSING_CODES.contains(&code) || says(message, &BUSY) || lacks_state(message)
}

/// Whether a node has not the state that it is asked about.
pub(crate) fn lacks_state(message: &str) -> bool {
    says(message, &NO_STATE)
}

fn says(message: &str, texts: &[&str]) -> bool {
    let message = message.to_lowercase();
    texts.iter().any(|text| message.contains(text))
}

/// What lets a node prove older blocks, by what `web3_clientVersion` says it is, or else by its own words.
pub(crate) fn proof_window_hint(client: &str, message: &str) -> &'static str {
    let client = client.to_lowercase();
    let is =
        |name: &str, words: &str| client.contains(name) || (client.is_empty() && message.contains(words));
    if is("reth", "maximum proof window") {
        "Reth proves as many blocks back as --rpc.eth-proof-window says, by default none: give it 256 or more"
    } else if is("geth", "missing trie node") {
        "Geth keeps the tries of the last 128 blocks (path mode): a finalized block is within them only for some \
         minutes; run it with --gcmode archive for more"
    } else if is("erigon", "block is too old") {
        "Erigon proves old blocks only where it keeps commitment history: \
         --prune.include-commitment-history, or --rpc.maxgetproofrewindblockcount.limit in version 2"
    } else if is("nethermind", "no state available") {
        "Nethermind keeps as many states as --Pruning.PruningBoundary says, by default those of the last 64 blocks"
    } else if is("besu", "world state unavailable") {
        "Besu goes as many blocks back as --bonsai-historical-block-limit says, by default 512"
    } else {
        "the node keeps no state of that block: see docs/nodes.md for each client's setting, or ask an archive node"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_was_reverted_has_data() {
        let data = |code: i64, message: &str, data: Value| {
            revert_data(code, &json!({ "code": code, "message": message, "data": data }))
        };
        let four = vec![1, 2, 3, 4];
        for (code, message, said, returned) in [
            (3, "execution reverted: custom error", json!("0x01020304"), &four),
            (3, "execution reverted", Value::Null, &vec![]),
            (-32000, "execution reverted", json!("0x"), &vec![]),
            (-32015, "VM execution error.", json!("Reverted 0x01020304"), &four),
            (
                -32603,
                "Error: VM Exception while processing transaction: reverted",
                json!("0x01020304"),
                &four,
            ),
        ] {
            assert_eq!(data(code, message, said).as_ref(), Some(returned), "{code} {message}");
        }
        for (code, message, said) in [
            (-32000, "rate limited, will revert to normal soon", Value::Null),
            (-32005, "limit exceeded", json!("0x")),
            (-32000, "header not found", json!("0x01020304")),
            (-32603, "internal error", Value::Null),
        ] {
            assert_eq!(data(code, message, said), None, "{code} {message}");
        }
    }

    fn of(answer: Value) -> (i64, String, Option<Vec<u8>>, bool) {
        let reason = error(&answer).expect("an error");
        let passing = reason.is_passing();
        let Reason::Rpc { code, message, data } = reason else { panic!("{reason}") };
        (code, message, data, passing)
    }

    #[test]
    fn errors_are_read_in_every_form() {
        let (code, message, data, _) =
            of(json!({ "error": { "code": 3, "message": "execution reverted: no", "data": "0x01" } }));
        assert_eq!((code, &*message, data), (3, "execution reverted: no", Some(vec![1])));
        let (_, _, data, _) =
            of(json!({ "error": { "code": 3, "message": "x", "data": { "data": "0x02" } } }));
        assert_eq!(data, Some(vec![2]));
        let (code, message, data, passing) = of(json!({ "error": "too many requests" }));
        assert_eq!((code, &*message, data, passing), (0, "too many requests", None, true));
        assert!(error(&json!({ "error": null, "result": 1 })).is_none());
    }

    #[test]
    fn rate_limits_and_missing_states_pass_and_refusals_do_not() {
        let passes =
            |code: i64, message: &str| of(json!({ "error": { "code": code, "message": message } })).3;
        for code in PASSING_CODES {
            assert!(passes(code, "no"), "{code}");
        }
        assert!(passes(-32000, "rate limited, will revert to normal soon"));
        assert!(passes(-32000, "missing trie node 2a1b (path ) state 0x1 is not available"));
        assert!(passes(-32602, "distance to target block exceeds maximum proof window"));
        for (code, message) in
            [(-32601, "method not found"), (-32602, "invalid params"), (3, "execution reverted")]
        {
            assert!(!passes(code, message), "{message}");
        }
        let reverted = json!({ "error": { "code": -32603, "message": "execution reverted", "data": "0x" } });
        assert!(!of(reverted).3, "a revert is the contract's word, whatever its code");
    }

    #[test]
    fn empty_data_is_a_revert_only_where_the_message_says_so() {
        let data =
            |message: &str| of(json!({ "error": { "code": -32005, "message": message, "data": "0x" } })).2;
        assert_eq!(data("limit exceeded"), None);
        assert_eq!(data("rate limited, will revert to normal soon"), None);
        assert_eq!(data("execution reverted"), Some(Vec::new()));
        assert_eq!(data("VM Exception while processing transaction: revert"), Some(Vec::new()));
    }

    #[test]
    fn hints_name_the_clients_setting() {
        for (client, setting) in [
            ("reth/v1.9.3", "--rpc.eth-proof-window"),
            ("Geth/v1.16.7-stable", "128 blocks"),
            ("erigon/3.2.0", "--prune.include-commitment-history"),
            ("Nethermind/v1.35", "--Pruning.PruningBoundary"),
            ("besu/v25.11", "--bonsai-historical-block-limit"),
        ] {
            assert!(proof_window_hint(client, "").contains(setting), "{client}");
        }
        assert!(proof_window_hint("", "exceeds maximum proof window").contains("Reth"));
        assert!(proof_window_hint("other/1", "").contains("docs/nodes.md"));
    }
}
