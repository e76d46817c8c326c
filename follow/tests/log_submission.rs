//! Submitting proofs of watched logs: each of them, oldest first and once, whatever the contract's chain does in between.

mod common;
mod events;

use std::{fs, sync::Mutex};

use common::{Checking, Failing, FolderContract, GENESIS, names, step};
use events::{World, asked, recorded};
use sextant_consensus::{
    Program,
    hash::keccak256,
    public_values::{Log, Statement},
};
use sextant_fixtures::mainnet_events::LARGE;
use sextant_follow::{Config, Event, FollowError, Follower, ProofEntry, Submit};
use sextant_protocol::ProofKind;
use sextant_submit::{Refusal, SubmitError};
use tempfile::{TempDir, tempdir};

/// Logs in one proof.
const AT_ONCE: usize = 2;

fn snark(world: &World, folder: &TempDir) -> Config {
    Config { kind: ProofKind::Groth16, max_logs: AT_ONCE, ..world.config(folder.path()) }
}

/// A contract of this world's first committee.
fn contract(world: &World, folder: &TempDir) -> FolderContract {
    FolderContract::begin_with(folder.path(), world.digest, world.committee())
}

async fn follower(
    world: &World,
    config: Config,
    prover: &Checking,
    contract: impl Submit + 'static,
) -> Follower<Checking> {
    world.open(config, prover.clone()).await.unwrap().with_submission(Box::new(contract))
}

fn submitted(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Submitted { .. })).count()
}

/// The recorded proofs of logs.
fn of_logs(follower: &Follower<Checking>) -> Vec<ProofEntry> {
    follower.proofs().unwrap().into_iter().filter(|entry| entry.logs.is_some()).collect()
}

/// The logs that were mined, in the order of the recorded proofs.
fn mined(contract: &FolderContract, follower: &Follower<Checking>) -> Vec<Log> {
    let entries = of_logs(follower);
    let said = entries.iter().filter(|entry| contract.has(&entry.public_values)).map(|entry| {
        let bytes = hex::decode(&entry.public_values[2..]).unwrap();
        match Statement::abi_decode(Program::Inclusion, &bytes).unwrap() {
            Statement::Inclusion(values) => values.logs,
            other => panic!("{other:?}"),
        }
    });
    said.flatten().collect()
}

#[tokio::test]
async fn every_proof_of_logs_is_submitted_once() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let (world, _) = World::new(&[LARGE]).await;
    let (contract, prover) = (contract(&world, &chain), Checking::default());
    let mut follower = follower(&world, snark(&world, &folder), &prover, contract.clone()).await;
    step(&mut follower).await.0.unwrap();
    world.go_on();
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    let proofs = recorded(LARGE).len().div_ceil(AT_ONCE);
    assert!(proofs > 2, "{proofs}");
    assert_eq!((of_logs(&follower).len(), submitted(&events)), (proofs, proofs));
    assert_eq!(mined(&contract, &follower), recorded(LARGE));
    let proven: Vec<_> = follower.proofs().unwrap().into_iter().map(|entry| entry.public_values).collect();
    assert_eq!(contract.signed(), proven, "in order, each once, after the handovers that they need");

    // Neither a second look nor a new start submits anything again.
    assert_eq!(step(&mut follower).await.1, []);
    drop(follower);
    let mut follower = self::follower(&world, snark(&world, &folder), &prover, contract.clone()).await;
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!((events, contract.signed().len()), (vec![], proven.len()));
}

/// What was reorganised away is mined again by its own transaction. What has been there for long is looked for no more.
#[tokio::test]
async fn what_was_reorganised_away_is_made_up_for_until_it_is_settled() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let (world, _) = World::new(&[LARGE]).await;
    let (contract, prover) = (contract(&world, &chain), Checking::default());
    let open = async || follower(&world, snark(&world, &folder), &prover, contract.clone()).await;
    let mut follower = open().await;
    step(&mut follower).await.0.unwrap();
    world.go_on();
    step(&mut follower).await.0.unwrap();
    let (signed, entries) = (contract.signed(), of_logs(&follower));
    for entry in &entries {
        contract.forget(&entry.public_values);
        drop(follower);
        follower = open().await;
        step(&mut follower).await.0.unwrap();
        assert!(contract.has(&entry.public_values));
    }
    assert_eq!(contract.signed(), signed, "and nothing was signed anew");

    contract.set_time(GENESIS + 60 * 60);
    drop(follower);
    follower = open().await;
    step(&mut follower).await.0.unwrap();
    contract.forget(&entries[0].public_values);
    drop(follower);
    follower = open().await;
    assert_eq!(step(&mut follower).await.1, []);
    assert!(!contract.has(&entries[0].public_values));
}

/// A contract that is given later gets the proofs that there are; those in another form were not for contracts.
#[tokio::test]
async fn a_contract_given_later_gets_what_is_recorded() {
    for kind in [ProofKind::Groth16, ProofKind::Stark] {
        let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
        let (world, _) = World::new(&[LARGE]).await;
        // It begins with the committee that signed the second head.
        let contract = FolderContract::begin_with(chain.path(), world.digest, world.next_committee());
        let prover = Checking::default();
        let config = Config { kind, max_logs: AT_ONCE, ..world.config(folder.path()) };
        let mut follower = world.open(config, prover.clone()).await.unwrap();
        step(&mut follower).await.0.unwrap();
        world.go_on();
        step(&mut follower).await.0.unwrap();
        let proofs = of_logs(&follower).len();
        drop(follower);
        let mut follower = self::follower(&world, snark(&world, &folder), &prover, contract.clone()).await;
        step(&mut follower).await.0.unwrap();
        let logs = if kind == ProofKind::Groth16 { recorded(LARGE) } else { Vec::new() };
        assert_eq!(mined(&contract, &follower), logs, "{kind}");
        assert_eq!(of_logs(&follower).len(), proofs, "none was made anew");
    }
}

/// A proof whose file is gone, and one that is too old for the contract, are made anew, of the same logs, in their places.
#[tokio::test]
async fn a_proof_that_the_contract_cannot_take_is_made_anew() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let (world, _) = World::new(&[LARGE]).await;
    let (contract, prover) = (contract(&world, &chain), Checking::default());
    let mut follower = world.open(snark(&world, &folder), prover.clone()).await.unwrap();
    step(&mut follower).await.0.unwrap();
    world.go_on();
    step(&mut follower).await.0.unwrap();
    let entries = of_logs(&follower);
    drop(follower);
    let asked_before = asked(&prover).len();
    fs::remove_file(folder.path().join("proofs").join(&entries[1].file)).unwrap();
    let mut follower = self::follower(&world, snark(&world, &folder), &prover, contract.clone()).await;
    step(&mut follower).await.0.unwrap();
    assert_eq!(mined(&contract, &follower), recorded(LARGE));
    assert_eq!(asked(&prover).len(), asked_before + 1);
    assert_eq!(of_logs(&follower).len(), entries.len());

    // Too old, and no later header yet: it waits, and nothing is proven in vain.
    let other = tempdir().unwrap();
    let late = self::contract(&world, &other);
    late.set_time(GENESIS + entries[0].finalized_slot + 1_000_001);
    drop(follower);
    let mut follower = self::follower(&world, snark(&world, &folder), &prover, late.clone()).await;
    let _ = step(&mut follower).await;
    assert_eq!((mined(&late, &follower), asked(&prover).len()), (vec![], asked_before + 1));
}

/// One that is refused holds up none of the others, and is tried again; what no contract takes is made anew.
#[tokio::test]
async fn a_refusal_holds_up_no_other() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let (world, _) = World::new(&[LARGE]).await;
    let prover = Checking::default();
    let reason = |name: &[u8]| keccak256(name)[..4].to_vec();
    let reasons = [Vec::new(), reason(b"LearnedOutOfOrder()")];
    let refusals = reasons.map(|reason| SubmitError::Refused(Refusal::decode(&reason)));
    let contract = contract(&world, &chain);
    let refusing = Failing {
        contract: contract.clone(),
        program: Program::Inclusion,
        errors: Mutex::new(refusals.into()),
    };
    let mut follower = follower(&world, snark(&world, &folder), &prover, refusing).await;
    step(&mut follower).await.0.unwrap();
    world.go_on();
    let error = step(&mut follower).await.0.unwrap_err();
    names(&error, &["submitting inclusion-", "reverted without a reason"]);
    assert!(matches!(error, FollowError::Submission { .. }) && error.is_passing());
    let (entries, proven) = (of_logs(&follower), asked(&prover).len());
    assert_eq!(
        mined(&contract, &follower).len(),
        recorded(LARGE).len() - 2 * AT_ONCE,
        "the others are there"
    );
    assert!(!folder.path().join("proofs").join(&entries[1].file).exists(), "of use to nobody");
    step(&mut follower).await.0.unwrap();
    assert_eq!(mined(&contract, &follower), recorded(LARGE));
    assert_eq!(asked(&prover).len(), proven + 1, "the second one again");
}

/// What is still to be submitted stays, however few are to be kept.
#[tokio::test]
async fn old_proofs_of_logs_stay_until_they_are_settled() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let (world, _) = World::new(&[LARGE]).await;
    let (contract, prover) = (contract(&world, &chain), Checking::default());
    let config = Config { keep: Some(1), ..snark(&world, &folder) };
    let mut follower = follower(&world, config.clone(), &prover, contract.clone()).await;
    step(&mut follower).await.0.unwrap();
    world.go_on();
    step(&mut follower).await.0.unwrap();
    assert!(of_logs(&follower).len() > 1);
    contract.set_time(GENESIS + 60 * 60);
    drop(follower);
    let mut follower = self::follower(&world, config, &prover, contract).await;
    step(&mut follower).await.0.unwrap();
    assert_eq!(of_logs(&follower).len(), 1);
}
