//! Submitting what the contract does not know: each once, whatever its chain does in between.

mod common;

use std::{fs, sync::Mutex};

use common::{Checking, Failing, FolderContract, World, names, reverted, step};
use sextant_consensus::{Program, hash::keccak256};
use sextant_follow::{Cadence, Config, Event, FollowError, Status};
use sextant_protocol::ProofKind;
use sextant_submit::{B256, Refusal, SubmitError};
use sextant_test_nodes::simulated::PERIOD;
use tempfile::{TempDir, tempdir};

fn told<'a>(events: &'a [Event], name: &str) -> Vec<&'a Event> {
    let is_named = |event: &&Event| serde_json::to_value(event).unwrap()["event"] == name;
    events.iter().filter(is_named).collect()
}

fn snark(world: &World, folder: &TempDir) -> Config {
    Config { kind: ProofKind::Groth16, ..world.config(folder.path()) }
}

#[tokio::test]
async fn every_proof_is_submitted_once() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(2 * PERIOD + 16).await;
    let contract = FolderContract::begin(chain.path(), &world);
    let follower = world.open(snark(&world, &folder), Checking::default()).await.unwrap();
    let mut follower = follower.with_submission(Box::new(contract.clone()));
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    // Kept before anything is sent; the handovers before the inclusion, which needs the last committee, is even proven.
    let names: Vec<_> =
        events.iter().map(|event| serde_json::to_value(event).unwrap()["event"].clone()).collect();
    let each = ["proving", "written", "proof", "sent", "submitted"];
    assert_eq!(names, [&["head"][..], &each, &each].concat());

    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(events, [], "nothing new");
    world.chain.finalize(2 * PERIOD + 24);
    step(&mut follower).await.0.unwrap();
    let proven: Vec<_> = follower.proofs().unwrap().into_iter().map(|entry| entry.public_values).collect();
    assert_eq!(contract.signed(), proven, "in order, each once");
    drop(follower);
    let status = Status::read(folder.path()).unwrap().unwrap();
    let known = status.contract.expect("a contract");
    assert_eq!((status.submitted, &*known.target, known.known_period), (3, "a folder", 3));
    assert!(known.in_step);
}

/// A contract that is given later needs the handovers that it does not know and the latest inclusion; what was proven
/// before is used, STARKs are for no contract, and an inclusion that another has superseded is not paid for.
#[tokio::test]
async fn a_contract_given_later_gets_what_it_needs() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(16).await;
    let stark = world.config(folder.path());
    let mut follower = world.open(stark, Checking::default()).await.unwrap();
    step(&mut follower).await.0.unwrap();
    drop(follower);
    let mut follower = world.open(snark(&world, &folder), Checking::default()).await.unwrap();
    for slot in [24, 32, PERIOD + 16] {
        world.chain.finalize(slot);
        step(&mut follower).await.0.unwrap();
    }
    drop(follower);

    let contract = FolderContract::begin(chain.path(), &world);
    let prover = Checking::default();
    let follower = world.open(snark(&world, &folder), prover.clone()).await.unwrap();
    let mut follower = follower.with_submission(Box::new(contract.clone()));
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    // The first handover was a STARK: one proof of both is made.
    assert_eq!(told(&events, "submitted").len(), 2);
    assert_eq!(prover.asked.lock().unwrap().len(), 1);
    assert!(contract.knows(2).is_some());
    let proofs = follower.proofs().unwrap();
    let last = proofs.iter().rfind(|entry| entry.program == "inclusion").unwrap();
    assert!(contract.signed().contains(&last.public_values));
}

/// Whatever the contract or its nodes say against a submission, the next look tells whether it is still due.
#[tokio::test]
async fn refusals_and_troubles_are_tried_again() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(16).await;
    let contract = FolderContract::begin(chain.path(), &world);
    let errors = vec![
        SubmitError::NotMined { hash: B256::ZERO, seconds: 1 },
        SubmitError::Refused(reverted()),
        SubmitError::Refused(reverted()),
    ];
    let failing =
        Failing { contract: contract.clone(), program: Program::CommitteeChange, errors: Mutex::new(errors) };
    let prover = Checking::default();
    let follower = world.open(snark(&world, &folder), prover.clone()).await.unwrap();
    let mut follower = follower.with_submission(Box::new(failing));
    for attempt in 0..3 {
        let (outcome, events) = step(&mut follower).await;
        let error = outcome.unwrap_err();
        assert!(matches!(error, FollowError::Submission { .. }) && error.is_passing(), "{error}");
        names(&error, &["submitting committee-change-8-"]);
        // The first committee is known there: the accounts need no other.
        assert_eq!(told(&events, "submitted").len(), usize::from(attempt == 0));
    }
    assert_eq!(prover.asked.lock().unwrap().len(), 2, "both are proven all the same, and once");
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(told(&events, "submitted").len(), 1);
    assert_eq!((contract.signed().len(), contract.mined()), (2, 2));
}

#[tokio::test]
async fn what_was_reorganised_away_is_mined_again_by_its_own_transaction() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(16).await;
    let contract = FolderContract::begin(chain.path(), &world);
    let follower = world.open(snark(&world, &folder), Checking::default()).await.unwrap();
    let mut follower = follower.with_submission(Box::new(contract.clone()));
    step(&mut follower).await.0.unwrap();
    let before = contract.signed();
    contract.reorganise();
    assert_eq!(contract.knows(1), None);
    step(&mut follower).await.0.unwrap();
    assert!(contract.knows(1).is_some());
    assert_eq!((contract.signed(), contract.mined()), (before, 2), "and nothing else was signed");
}

#[tokio::test]
async fn a_proof_whose_file_is_gone_is_made_anew_where_it_is_needed() {
    let (folder, first, second) = (tempdir().unwrap(), tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(16).await;
    let contract = FolderContract::begin(first.path(), &world);
    let follower = world.open(snark(&world, &folder), Checking::default()).await.unwrap();
    let mut follower = follower.with_submission(Box::new(contract));
    step(&mut follower).await.0.unwrap();
    drop(follower);
    for file in fs::read_dir(folder.path().join("proofs")).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    let other = FolderContract::begin(second.path(), &world);
    let follower = world.open(snark(&world, &folder), Checking::default()).await.unwrap();
    let mut follower = follower.with_submission(Box::new(other.clone()));
    step(&mut follower).await.0.unwrap();
    assert!(other.knows(1).is_some());
    assert_eq!(follower.proofs().unwrap().len(), 2, "one entry a file");
    world.chain.finalize(24);
    step(&mut follower).await.0.unwrap();
    assert_eq!(other.mined(), 2);
}

#[tokio::test]
async fn old_proofs_go_and_what_the_contract_needs_stays() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(16).await;
    let contract = FolderContract::begin(chain.path(), &world);
    let errors = (0..4).map(|_| SubmitError::Refused(reverted())).collect();
    let failing =
        Failing { contract: contract.clone(), program: Program::CommitteeChange, errors: Mutex::new(errors) };
    let config = Config { keep: Some(1), max_handovers: 1, ..snark(&world, &folder) };
    let follower = world.open(config, Checking::default()).await.unwrap();
    let mut follower = follower.with_submission(Box::new(failing));
    let mut pruned = 0;
    for slot in [16, 24, 32, 40, PERIOD + 16, 2 * PERIOD + 16] {
        world.chain.finalize(slot);
        let (_, events) = step(&mut follower).await;
        pruned += told(&events, "pruned").len();
        let files = fs::read_dir(folder.path().join("proofs")).unwrap().count();
        assert_eq!(
            files,
            follower.proofs().unwrap().len(),
            "a file for each entry, and an entry for each file"
        );
    }
    assert!(pruned > 0);
    // The first handover was refused four times, and had to stay while inclusions came and went.
    assert!(contract.knows(3).is_some());
    let programs: Vec<_> = follower.proofs().unwrap().into_iter().map(|entry| entry.program).collect();
    assert_eq!(programs.iter().filter(|program| *program == "inclusion").count(), 1);
    drop(follower);
    let status = Status::read(folder.path()).unwrap().unwrap();
    assert_eq!(status.proofs, 9, "three handovers and six inclusions were recorded");
}

/// Where only changes count, a proof that never reached the contract and is too old for it by now is made anew.
#[tokio::test]
async fn an_unchanged_account_that_the_contract_has_is_not_proven_anew() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(16).await;
    let contract = FolderContract::begin(chain.path(), &world);
    let config = Config { cadence: Cadence::OnChange, ..snark(&world, &folder) };
    let follower = world.open(config, Checking::default()).await.unwrap();
    let mut follower = follower.with_submission(Box::new(contract.clone()));
    step(&mut follower).await.0.unwrap();
    world.chain.finalize(24);
    assert!(step(&mut follower).await.1.contains(&Event::Unchanged { finalized_slot: 24 }));
    assert_eq!(contract.mined(), 2);
    // Its file is gone and the contract, on a chain that lost it, does not have it.
    let entry = follower.proofs().unwrap().pop().unwrap();
    fs::remove_file(folder.path().join("proofs").join(entry.file)).unwrap();
    contract.reorganise();
    world.chain.finalize(32);
    step(&mut follower).await.0.unwrap();
    assert_eq!(contract.mined(), 2);
}

/// What no contract would ever take is of no use to anybody, and is made anew; what only this one does not take today stays.
#[tokio::test]
async fn a_proof_that_deserves_no_better_is_made_anew() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(16).await;
    let contract = FolderContract::begin(chain.path(), &world);
    let refused = |reason: &[u8]| SubmitError::Refused(Refusal::decode(&keccak256(reason)[..4]));
    let errors = vec![refused(b"InvalidProof()"), refused(b"LearnedOutOfOrder()")];
    let failing =
        Failing { contract: contract.clone(), program: Program::CommitteeChange, errors: Mutex::new(errors) };
    let prover = Checking::default();
    let config = Config { watched: Vec::new(), ..snark(&world, &folder) };
    let follower = world.open(config, prover.clone()).await.unwrap();
    let mut follower = follower.with_submission(Box::new(failing));
    step(&mut follower).await.0.unwrap_err();
    assert!(
        folder.path().join("proofs").join(&follower.proofs().unwrap()[0].file).exists(),
        "it verifies here"
    );
    step(&mut follower).await.0.unwrap_err();
    assert_eq!(prover.asked.lock().unwrap().len(), 1);
    step(&mut follower).await.0.unwrap();
    assert_eq!((prover.asked.lock().unwrap().len(), contract.mined()), (2, 1));
}
