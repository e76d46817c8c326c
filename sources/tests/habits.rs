//! Nodes that are simply themselves: what clients were reported to answer, each served by a node of ours. What means
//! something is read strictly all the same.

mod common;

use common::{at, beacon, beacon_node, chain_of, execution, execution_node, names};
use serde_json::{Value, json};
use sextant_consensus::{
    chain::ChainConfig,
    networks::{HOODI, MAINNET},
};
use sextant_fixtures::devnet::{ELECTRA, ELECTRA_TO_FULU};
use sextant_sources::{
    Expected, LightClient, Watched,
    input::Sourced,
    prepare::{self, Finalized, Periods, Questions},
};
use sextant_test_nodes::{Ask, Node, Reply, json as encode, recorded::Recorded};

/// A node that has no update of these periods and says so in its own way.
async fn without(recorded: &Recorded, missing: &'static [u64], say: fn() -> Reply) -> Node {
    let source = recorded.clone();
    beacon_node(recorded, move |ask| {
        if !ask.path.ends_with("/updates") {
            return None;
        }
        let number = |name: &str| ask.query[name].parse::<u64>().unwrap();
        let (start, count) = (number("start_period"), number("count"));
        if missing.iter().any(|period| (start..start + count).contains(period)) {
            return Some(say());
        }
        Some(source.beacon(ask))
    })
    .await
}

fn genesis(recorded: &Recorded) -> [u8; 32] {
    *recorded.checkpoints().last().unwrap()
}

async fn change(nodes: &[&Node], recorded: &Recorded, periods: Periods) -> Result<usize, String> {
    let nodes = beacon(nodes);
    let chain = chain_of(recorded, &nodes).await;
    let prepared = prepare::committee_change(nodes, chain, periods, None).await;
    let prepared = prepared.map_err(|error| error.to_string())?;
    let input: sextant_consensus::committee_change::Input =
        sextant_consensus::codec::decode(&prepared.input.bytes).unwrap();
    Ok(input.handovers.len())
}

/// Lodestar answered 500 for a range that holds a period to come, and answers 404.
#[tokio::test]
async fn a_range_that_holds_a_period_to_come_is_asked_for_without_it() {
    let recorded = Recorded::devnet(ELECTRA_TO_FULU);
    let says: [fn() -> Reply; 2] = [
        || Reply::refused(500, "No partialUpdate available for period 2"),
        || Reply::refused(404, "No partialUpdate available"),
    ];
    let checkpoint = Some(genesis(&recorded));
    for say in says {
        let node = without(&recorded, &[2], say).await;
        // No further than asked for, and then as far as there is.
        let periods = |to| Periods { from: Some(0), to, checkpoint };
        assert_eq!(change(&[&node], &recorded, periods(Some(1))).await, Ok(1));
        assert_eq!(change(&[&node], &recorded, periods(Some(2))).await, Ok(2));
        let by_its_word = Periods { from: Some(1), to: Some(2), checkpoint: None };
        assert_eq!(change(&[&node], &recorded, by_its_word).await, Ok(1));
        let nodes = beacon(&[&node]);
        let take = |updates: Vec<Sourced<_>>| {
            let count = updates.len();
            Ok::<_, String>((count, count))
        };
        assert_eq!(nodes.updates(&recorded.chain, 0, 3, take).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn an_empty_answer_is_passed_over_for_a_fuller_one() {
    let recorded = Recorded::devnet(ELECTRA_TO_FULU);
    let whole = beacon_node(&recorded, |_| None).await;
    let says: [fn() -> Reply; 5] = [
        || Reply::Json(json!([])),
        || Reply::refused(404, "none"),
        || Reply::refused(500, "no"),
        || Reply::refused(501, "not implemented"),
        || Reply::refused(503, "syncing"),
    ];
    for say in says {
        let pruned = without(&recorded, &[0, 1, 2], say).await;
        let periods = Periods { checkpoint: Some(genesis(&recorded)), ..Periods::default() };
        for nodes in [[&pruned, &whole], [&whole, &pruned]] {
            assert_eq!(change(&nodes, &recorded, periods).await, Ok(3));
        }
    }
    // The most counts where nobody has all.
    let less =
        without(&recorded, &[1, 2], || Reply::Json(Recorded::devnet(ELECTRA_TO_FULU).updates[0].clone()))
            .await;
    let least = without(&recorded, &[0, 1, 2], || Reply::Json(json!([]))).await;
    let periods = Periods { from: Some(0), to: Some(1), checkpoint: Some(genesis(&recorded)) };
    assert_eq!(change(&[&least, &less], &recorded, periods).await, Ok(1));
}

/// A committee that is known already needs no update, and the node may have none.
#[tokio::test]
async fn an_inclusion_that_needs_no_update_asks_for_none() {
    let recorded = Recorded::mainnet();
    let source = recorded.clone();
    let node = Node::start(move |ask| match ask.path.ends_with("/updates") {
        true => Reply::refused(501, "not implemented"),
        false => source.beacon(ask),
    })
    .await;
    let rpc = execution_node(&recorded, |_| None).await;
    let nodes = beacon(&[&node]);
    let chain = chain_of(&recorded, &nodes).await;
    let factory = sextant_fixtures::uniswap_factory();
    let watched = [Watched { address: factory.address, slots: vec![factory.slots[0].0] }];
    let checkpoint = Some(recorded.checkpoints()[0]);
    let execution = execution(&[&rpc]);
    let finalized = Finalized::reach(nodes, &execution, chain, checkpoint).await.unwrap();
    finalized.inclusion(&execution, &Questions::accounts(&watched)).await.unwrap();
    assert!(!node.asked().iter().any(|ask| ask.path.ends_with("/updates")));
}

/// Lighthouse answered one update more than asked for, and lists in an SSZ of its own.
#[tokio::test]
async fn lighthouse_is_served_for() {
    let recorded = Recorded::devnet(ELECTRA_TO_FULU);
    let source = recorded.clone();
    let generous = beacon_node(&recorded, move |ask: &Ask| {
        let mut ask = ask.clone();
        let count = ask.query.get("count")?.parse::<u64>().unwrap() + 1;
        ask.query.insert("count".into(), count.to_string());
        Some(source.beacon(&ask))
    })
    .await;
    let periods = Periods { from: Some(0), to: Some(1), checkpoint: Some(genesis(&recorded)) };
    assert_eq!(change(&[&generous], &recorded, periods).await, Ok(1));

    let broken = beacon_node(&recorded, |ask| {
        let ssz = ask.path.ends_with("/updates") && ask.accept.contains("octet-stream");
        // A list of variable containers: offsets first, where the API has a length before each.
        ssz.then(|| Reply::Ssz([&4u32.to_le_bytes()[..], &[7; 900]].concat(), ""))
    })
    .await;
    let nodes = beacon(&[&broken]);
    let take = |updates: Vec<Sourced<_>>| {
        let count = updates.len();
        Ok::<_, String>((count, count))
    };
    for asked in [2, 3] {
        assert_eq!(nodes.updates(&recorded.chain, 0, 3, take).await.unwrap(), 3);
        assert_eq!(broken.asked().len(), asked, "asked for JSON at once, and from then on");
    }
}

/// Who signed too few is the beacon node's to answer for, and so is a header that is not final.
#[tokio::test]
async fn poor_finality_is_passed_over_and_its_node_named() {
    let recorded = Recorded::devnet(ELECTRA_TO_FULU);
    let honest = beacon_node(&recorded, |_| None).await;
    let poor = |edit: fn(&mut Value)| {
        let mut answer = recorded.finality_update.clone();
        edit(&mut answer["data"]);
        beacon_node(&recorded, at("finality_update", move || Reply::Json(answer.clone())))
    };
    let few: fn(&mut Value) = |data| {
        let bits = data["sync_aggregate"]["sync_committee_bits"].as_str().unwrap().to_owned();
        data["sync_aggregate"]["sync_committee_bits"] =
            format!("0x{}{}", "00".repeat(32), &bits[66..]).into();
    };
    let unfinal: fn(&mut Value) = |data| zero(&mut data["finalized_header"]);
    for (edit, reason) in [(few, "below two thirds"), (unfinal, "nothing is final in it")] {
        let node = poor(edit).await;
        let start = async |nodes: &[&Node]| {
            let nodes = beacon(nodes);
            let chain = chain_of(&recorded, &nodes).await;
            LightClient::start(nodes, chain, &genesis(&recorded)).await.unwrap().advance().await
        };
        let error = start(&[&node]).await.unwrap_err();
        names(&error, &["finality update", &node.url(), reason]);
        assert_eq!(start(&[&node, &honest]).await.expect(reason).updates.len(), 3);
    }
}

/// Every number and every byte of it 0.
fn zero(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(zero),
        Value::Array(items) => items.iter_mut().for_each(zero),
        Value::String(text) if text.starts_with("0x") => {
            *text = format!("0x{}", "0".repeat(text.len() - 2));
        }
        Value::String(text) => *text = "0".into(),
        _ => {}
    }
}

#[tokio::test]
async fn a_specification_is_read_as_nodes_write_it() {
    let recorded = Recorded::devnet(ELECTRA_TO_FULU);
    let chain = async |edits: &[(&str, Value)], expected: Expected| {
        let mut spec = recorded.spec.clone();
        for (name, value) in edits {
            spec["data"][name] = value.clone();
        }
        let node = beacon_node(&recorded, at("/spec", move || Reply::Json(spec.clone()))).await;
        beacon(&[&node]).chain(&expected).await
    };
    let expected = || Expected::Config(recorded.chain.clone());
    let odd = [
        ("DEPOSIT_CHAIN_ID", json!(1337)),
        ("EIP7594_FORK_EPOCH", json!("")),
        ("EIP7805_FORK_EPOCH", json!("18446744073709551615")),
        ("BLOB_SCHEDULE", json!([{ "EPOCH": "1" }])),
    ];
    let read = chain(&odd, expected()).await.unwrap();
    assert_eq!((read.execution_chain_id, read.ahead.len()), (Some(1337), 0));
    names(
        &chain(&[("DEPOSIT_CHAIN_ID", json!([1]))], expected()).await.unwrap_err(),
        &["DEPOSIT_CHAIN_ID", "not a number"],
    );
    names(&chain(&[("EIP7805_FORK_EPOCH", json!("9"))], expected()).await.unwrap_err(), &["does not know"]);

    // A date that lies ahead changes nothing, of whatever fork, and is told.
    let far = 4_000_000_000u64.to_string();
    let dated = [("GLOAS_FORK_EPOCH", json!(far)), ("HEZE_FORK_EPOCH", json!(far))];
    for expected in [expected(), Expected::Digest(recorded.chain.digest())] {
        let read = chain(&dated, expected).await.unwrap();
        assert_eq!(read.statement_config().digest(), recorded.chain.digest());
        let ahead: Vec<_> = read.ahead.iter().map(|fork| (&*fork.fork, fork.prepared)).collect();
        assert_eq!(ahead, [("gloas", false), ("heze", false)]);
    }
}

/// When a slot begins is the network's to say, not a node's: a shifted clock would let an old checkpoint pass for young.
#[tokio::test]
async fn a_node_with_another_clock_than_its_network_is_refused_by_name() {
    let answer = async |chain: &ChainConfig, genesis: u64, millis: u64, id: u64| {
        let (spec, genesis) = (encode::spec(chain, millis, id), encode::genesis(chain, genesis));
        let node = Node::start(move |ask| {
            Reply::Json(if ask.path.ends_with("/spec") { spec.clone() } else { genesis.clone() })
        })
        .await;
        let [named, pinned] = [Expected::Config(chain.clone()), Expected::Digest(chain.digest())];
        let outcome = beacon(&[&node]).chain(&named).await.map(|chain| chain.genesis_time);
        let by_digest = beacon(&[&node]).chain(&pinned).await.map(|chain| chain.genesis_time);
        assert_eq!(outcome.is_ok(), by_digest.is_ok(), "however it is named");
        outcome
    };
    assert_eq!(answer(&MAINNET, 1_606_824_023, 12_000, 1).await.unwrap(), 1_606_824_023);
    let year = 365 * 86_400;
    names(
        &answer(&MAINNET, 1_606_824_023 + year, 12_000, 1).await.unwrap_err(),
        &["the genesis time is 1638360023, expected 1606824023"],
    );
    names(
        &answer(&MAINNET, 1_606_824_023, 1000, 1).await.unwrap_err(),
        &["the length of a slot in milliseconds is 1000, expected 12000"],
    );
    names(
        &answer(&HOODI, 1_742_213_400, 12_000, 1).await.unwrap_err(),
        &["DEPOSIT_CHAIN_ID is 1, expected 560048"],
    );
}

/// A node answers an account's proof in `edit`'s way.
async fn proof_of(edit: fn(&mut Value), slots: bool) -> Result<(), String> {
    let recorded = Recorded::devnet(ELECTRA);
    let node = beacon_node(&recorded, |_| None).await;
    let source = recorded.clone();
    let rpc = execution_node(&recorded, move |ask| {
        let Reply::Json(mut answer) = source.execution(ask) else { panic!("JSON") };
        if ask.call["method"] == "eth_getProof" {
            edit(&mut answer);
        }
        Some(Reply::Json(answer))
    })
    .await;
    let nodes = beacon(&[&node]);
    let chain = chain_of(&recorded, &nodes).await;
    let proof = &recorded.proofs[0];
    let text = |value: &Value| hex::decode(&value.as_str().unwrap()[2..]).unwrap();
    let watched = Watched {
        address: text(&proof["address"]).try_into().unwrap(),
        slots: if slots { vec![[0; 32]] } else { Vec::new() },
    };
    let execution = execution(&[&rpc]);
    let finalized = Finalized::reach(nodes, &execution, chain, Some(genesis(&recorded))).await.unwrap();
    let prepared = finalized.inclusion(&execution, &Questions::accounts(&[watched])).await;
    prepared.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn an_account_proof_is_read_as_nodes_write_it() {
    assert_eq!(proof_of(|answer| answer["result"]["storageProof"] = Value::Null, false).await, Ok(()));
    let gone: fn(&mut Value) = |answer| {
        answer["result"].as_object_mut().unwrap().remove("storageProof");
    };
    assert_eq!(proof_of(gone, false).await, Ok(()));
    assert_eq!(
        proof_of(|answer| answer["result"]["storageProof"][0]["key"] = "0x".into(), true).await,
        Ok(())
    );
    names(&proof_of(gone, true).await.unwrap_err(), &["list of slots"]);
    names(
        &proof_of(|answer| answer["result"]["accountProof"] = Value::Null, false).await.unwrap_err(),
        &["accountProof"],
    );
}

/// An execution node whose first answers are `say`, and then all is well.
async fn after(recorded: &Recorded, times: usize, say: fn(&Value) -> Reply) -> Node {
    let count = std::sync::atomic::AtomicUsize::new(0);
    execution_node(recorded, move |ask| {
        let due = ask.call["method"] == "eth_getProof"
            && count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < times;
        due.then(|| say(&ask.call["id"]))
    })
    .await
}

#[tokio::test]
async fn busy_gateways_and_nodes_of_another_moment_are_asked_again() {
    let recorded = Recorded::devnet(ELECTRA);
    let says: [fn(&Value) -> Reply; 7] = [
        |id| {
            Reply::Json(
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32005, "message": "limit" } }),
            )
        },
        |id| {
            Reply::Json(
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": 429, "message": "slow down" } }),
            )
        },
        |_| Reply::Json(json!({ "error": "too many requests" })),
        |id| {
            Reply::Json(
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32603, "message": "internal error" } }),
            )
        },
        |id| {
            Reply::Json(
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32000, "message": "missing trie node 2a1b (path )" } }),
            )
        },
        |_| {
            Reply::Raw(
                429,
                vec![("content-type", "application/json".into())],
                br#"{"error":{"code":-32005,"message":"limit"}}"#.to_vec(),
            )
        },
        |_| Reply::Raw(503, Vec::new(), b"<html>".to_vec()),
    ];
    let address = recorded.proofs[0]["address"].as_str().unwrap()[2..].to_owned();
    let watched = Watched { address: hex::decode(address).unwrap().try_into().unwrap(), slots: Vec::new() };
    for (index, say) in says.into_iter().enumerate() {
        let node = after(&recorded, 2, say).await;
        let asked = execution(&[&node]).proof(7, &watched, |_| Ok::<_, String>(())).await;
        asked.unwrap_or_else(|error| panic!("{index}: {error}"));
        assert_eq!(node.asked().len(), 3, "{index}");
    }
    // What will not pass is said at once, with the node's own words, whatever its HTTP status.
    let refused: fn(&Value) -> Reply = |_| {
        let body = br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"invalid params"}}"#.to_vec();
        Reply::Raw(400, vec![("content-type", "application/json".into())], body)
    };
    let node = after(&recorded, 9, refused).await;
    let error = execution(&[&node]).proof(7, &watched, |_| Ok::<_, String>(())).await.unwrap_err();
    names(&error, &["JSON-RPC error -32602: invalid params"]);
    assert_eq!(node.asked().len(), 1);
    let reverted: fn(&Value) -> Reply = |_| {
        let body = br#"{"error":{"code":3,"message":"execution reverted","data":"0x0102"}}"#.to_vec();
        Reply::Raw(400, vec![("content-type", "application/json".into())], body)
    };
    let node = after(&recorded, 9, reverted).await;
    let error = execution(&[&node]).proof(7, &watched, |_| Ok::<_, String>(())).await.unwrap_err();
    assert_eq!(error.revert(), Some(&[1, 2][..]));
}

#[tokio::test]
async fn a_state_that_is_gone_is_told_with_the_setting_that_keeps_it() {
    let recorded = Recorded::devnet(ELECTRA);
    let watched = Watched { address: [7; 20], slots: Vec::new() };
    for (client, message, hint) in [
        ("reth/v1.9.3", "distance to target block exceeds maximum proof window", "--rpc.eth-proof-window"),
        ("Geth/v1.16.7", "missing trie node 2a1b (path ) state 0x1 is not available", "128 blocks"),
        ("erigon/3.2", "requested block is too old, block must be within 100000 blocks", "commitment"),
        ("Nethermind/v1.35.0", "No state available for block 0x2a1b", "--Pruning.PruningBoundary"),
        ("besu/v25.11.0", "World state unavailable", "--bonsai-historical-block-limit"),
        // Gateways say nothing of the client behind them: its own words tell it apart.
        ("", "distance to target block exceeds maximum proof window", "--rpc.eth-proof-window"),
        ("", "missing trie node 2a1b (path ) state 0x1 is not available", "128 blocks"),
        ("a gateway", "missing trie node 2a1b (path )", "docs/nodes.md"),
    ] {
        let node = execution_node(&recorded, move |ask| {
            let mut answer = json!({ "jsonrpc": "2.0", "id": ask.call["id"] });
            match ask.call["method"].as_str() {
                Some("web3_clientVersion") if !client.is_empty() => answer["result"] = client.into(),
                _ => answer["error"] = json!({ "code": -32000, "message": message }),
            }
            Some(Reply::Json(answer))
        })
        .await;
        let error = execution(&[&node]).proof(7, &watched, |_| Ok::<_, String>(())).await.unwrap_err();
        names(&error, &[message, hint]);
    }
}
