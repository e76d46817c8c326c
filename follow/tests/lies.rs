//! Nodes and provers that lie: nothing false is recorded, each lie is named in one line, and an honest node beside it is
//! enough to go on.

mod common;

use common::{Checking, World, names, open, proofs, step};
use serde_json::Value;
use sextant_consensus::public_values::Statement;
use sextant_follow::{Event, FollowError, Follower, Proven, Prover, ProverError};
use sextant_protocol::{ProofKind, ProofRecord, StatementInput, request::ProvingCost};
use sextant_test_nodes::simulated::PERIOD;
use tempfile::tempdir;

/// Changes the last digit of the text that `pointer` leads to, if it is there.
fn flip(value: &mut Value, pointer: &str) {
    if let Some(field) = value.pointer_mut(pointer) {
        let text = field.as_str().expect("text").to_owned();
        let last = if text.ends_with('0') { "1" } else { "0" };
        *field = format!("{}{last}", &text[..text.len() - 1]).into();
    }
}

#[tokio::test]
async fn lying_beacon_nodes() {
    let world = World::at(2 * PERIOD + 16).await;
    let lies = [
        ("finality_update", "/data/sync_aggregate/sync_committee_signature", "signature"),
        ("finality_update", "/data/sync_aggregate/sync_committee_bits", "signature"),
        ("finality_update", "/data/finalized_header/beacon/state_root", "finality_branch"),
        ("finality_update", "/data/finalized_header/execution_block_hash", "execution branch"),
        ("finality_update", "/version", "`version`"),
        ("updates", "/0/data/next_sync_committee/aggregate_pubkey", "next_sync_committee"),
        ("updates", "/1/data/next_sync_committee/pubkeys/9", "next_sync_committee"),
        ("updates", "/0/data/finality_branch/0", "finality_branch"),
        ("updates", "/1/data/signature_slot", "slots out of order"),
    ];
    for (path, pointer, reason) in lies {
        let lying = world
            .lying_beacon(move |ask, answer| {
                if ask.path.ends_with(path) {
                    flip(answer, pointer);
                    // 153 would become 150 and is attested at 152.
                    if pointer.ends_with("signature_slot") && answer.pointer(pointer).is_some() {
                        *answer.pointer_mut(pointer).unwrap() = "3".into();
                    }
                }
            })
            .await;
        let folder = tempdir().unwrap();
        let rpc = world.rpc.url();
        let mut follower = open(world.config(folder.path()), &[&lying.url()], &[&rpc], Checking::default())
            .await
            .expect(pointer);
        let (outcome, events) = step(&mut follower).await;
        let error = outcome.expect_err(pointer);
        names(&error, &[&lying.url(), reason]);
        // A head that is not believed holds up no handover that was checked by itself.
        let told = proofs(&events);
        let due = path == "finality_update" && told.iter().all(|proof| proof.0 == "committee-change");
        assert!(error.is_passing() && (due || told.is_empty()), "{pointer}: {events:?}");
        drop(follower);

        let both = [&*lying.url(), &world.beacon.url()];
        let mut follower =
            open(world.config(folder.path()), &both, &[&rpc], Checking::default()).await.unwrap();
        let (outcome, events) = step(&mut follower).await;
        outcome.expect(pointer);
        assert_eq!(proofs(&events).len(), 2, "{pointer}");
    }
}

/// A head of another chain's making, or an older one, moves nothing.
#[tokio::test]
async fn a_head_that_goes_back_is_named() {
    let folder = tempdir().unwrap();
    let world = World::at(PERIOD + 40).await;
    let mut follower = world.open(world.config(folder.path()), Checking::default()).await.unwrap();
    step(&mut follower).await.0.unwrap();
    let before = follower.proofs().unwrap();
    world.chain.finalize(16);
    let (outcome, events) = step(&mut follower).await;
    names(&outcome.unwrap_err(), &["stale: attested slot 32", "is final already", &world.beacon.url()]);
    assert_eq!((events, follower.proofs().unwrap()), (Vec::new(), before));
}

#[tokio::test]
async fn lying_execution_nodes() {
    let world = World::at(16).await;
    let lies: [(&str, &str, &str, &str); 6] = [
        ("eth_getProof", "/result/accountProof/0", "account 0", "refused"),
        ("eth_getProof", "/result/storageProof/0/proof/0", "account 0, slot 0", "refused"),
        ("eth_getProof", "/result/address", "address", "answers another question"),
        ("eth_getProof", "/result/storageProof/0/key", "list of slots", "answers another question"),
        ("eth_getBlockByHash", "/result/stateRoot", "`hash`", "hash to"),
        ("eth_getBlockByHash", "/result/hash", "`hash`", "hash to"),
    ];
    for (method, pointer, what, reason) in lies {
        let lying = world
            .lying_rpc(move |ask, answer| {
                if ask.call["method"] == method {
                    flip(answer, pointer);
                }
            })
            .await;
        let folder = tempdir().unwrap();
        let beacon = world.beacon.url();
        let mut follower =
            open(world.config(folder.path()), &[&beacon], &[&lying.url()], Checking::default())
                .await
                .unwrap();
        let (outcome, events) = step(&mut follower).await;
        names(&outcome.expect_err(pointer), &[&lying.url(), what, reason]);
        assert!(!proofs(&events).iter().any(|proof| proof.0 == "inclusion"), "{pointer}");
        drop(follower);
        let both = [&*lying.url(), &world.rpc.url()];
        let mut follower =
            open(world.config(folder.path()), &[&beacon], &both, Checking::default()).await.unwrap();
        step(&mut follower).await.0.expect(pointer);
        assert_eq!(follower.proofs().unwrap().len(), 2, "{pointer}");
    }
}

/// Updates that no node gives any more hold the handovers up, and nothing else.
#[tokio::test]
async fn accounts_are_proven_where_handovers_cannot_be() {
    let world = World::at(2 * PERIOD + 16).await;
    let folder = tempdir().unwrap();
    let config = sextant_follow::Config { max_handovers: 1, ..world.config(folder.path()) };
    // The light client asks for several at once, the follower for one.
    let pruned = world
        .lying_beacon(|ask, answer| {
            if ask.path.ends_with("updates") && ask.query["count"] == "1" {
                *answer = serde_json::json!([]);
            }
        })
        .await;
    let mut follower =
        open(config, &[&pruned.url()], &[&world.rpc.url()], Checking::default()).await.unwrap();
    let (outcome, events) = step(&mut follower).await;
    names(
        &outcome.unwrap_err(),
        &["update of period 0", "no update of period 0 by which two thirds hand over"],
    );
    assert_eq!(proofs(&events), [("inclusion", 2, 2, 2 * PERIOD + 16)]);
}

/// Gives out a proof of what it likes.
struct Lying(fn(&mut Proven));

impl Prover for Lying {
    async fn prove(&self, input: StatementInput, kind: ProofKind) -> Result<Proven, ProverError> {
        let (record, statement) = common::record(&input, kind);
        let mut proven = Proven { record, statement, cost: ProvingCost::default() };
        self.0(&mut proven);
        Ok(proven)
    }

    async fn bundle_of(&self, _: Vec<ProofRecord>, _: ProofKind) -> Result<Proven, ProverError> {
        panic!("nothing is bundled here")
    }

    async fn chain_of(&self, _: Vec<ProofRecord>) -> Result<Proven, ProverError> {
        panic!("nothing is chained here")
    }

    async fn snark_of(&self, _: ProofRecord) -> Result<Proven, ProverError> {
        panic!("nothing is wrapped here")
    }

    async fn verify(&self, _: ProofRecord) -> Result<Statement, ProverError> {
        panic!("nothing is found on disk here")
    }
}

#[tokio::test]
async fn a_proof_of_something_else_is_not_recorded() {
    let world = World::at(16).await;
    let edits: [fn(&mut Proven); 4] = [
        |proven| proven.record.public_values[40] ^= 1,
        |proven| proven.record.kind = ProofKind::Compressed,
        |proven| proven.record.program = 2,
        |proven| match &mut proven.statement {
            Statement::CommitteeChange(change) => change.learned[0].committee_root[0] ^= 1,
            Statement::Inclusion(_) => {}
            Statement::Bundle(_) | Statement::Chain(_) => unreachable!("nothing about proofs is followed"),
        },
    ];
    for edit in edits {
        let folder = tempdir().unwrap();
        let nodes =
            sextant_sources::BeaconNodes::new(vec![world.beacon.url().parse().unwrap()], Default::default());
        let config = sextant_follow::Config { watched: Vec::new(), ..world.config(folder.path()) };
        let mut follower = Follower::open(config, nodes.unwrap(), None, Lying(edit)).await.unwrap();
        let mut events = Vec::new();
        let error = follower.step(&mut |event| events.push(event)).await.unwrap_err();
        assert!(matches!(error, FollowError::OtherStatement), "{error}");
        assert!(follower.proofs().unwrap().is_empty());
        assert!(!events.iter().any(|event| matches!(event, Event::Written { .. })), "{events:?}");
        let files = std::fs::read_dir(folder.path().join("proofs")).unwrap().count();
        assert_eq!(files, 0, "nothing is left on disk");
    }
}
