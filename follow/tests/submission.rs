//! Submitting what was proven: in order, each once, and what a contract refuses holds nothing up.

mod common;

use std::sync::Mutex;

use common::{Answering, Checking, FolderContract, World, reverted, step};
use sextant_follow::{Config, Event, FollowError, Status};
use sextant_protocol::ProofKind;
use sextant_submit::{
    B256, Outcome, Refusal, SubmitError,
    contract::{LightClient, LightClientErrors as Client, Verifiers, VerifiersErrors},
};
use sextant_test_nodes::simulated::PERIOD;
use tempfile::tempdir;

fn told<'a>(events: &'a [Event], name: &str) -> Vec<&'a Event> {
    let is_named = |event: &&Event| serde_json::to_value(event).unwrap()["event"] == name;
    events.iter().filter(is_named).collect()
}

#[tokio::test]
async fn every_proof_is_submitted_once() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(2 * PERIOD + 16).await;
    let config = Config { kind: ProofKind::Groth16, ..world.config(folder.path()) };
    let contract = FolderContract(chain.path().into());
    let follower = world.open(config, Checking::default()).await.unwrap();
    let mut follower = follower.with_submission(Box::new(contract.clone()));
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!((told(&events, "sent").len(), told(&events, "submitted").len()), (2, 2));
    // A journal that is kept before anything is sent.
    let names: Vec<_> =
        events.iter().map(|event| serde_json::to_value(event).unwrap()["event"].clone()).collect();
    assert_eq!(names[names.len() - 4..], ["sent", "submitted", "sent", "submitted"]);

    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(events, [], "nothing new");
    world.chain.finalize(2 * PERIOD + 24);
    step(&mut follower).await.0.unwrap();
    let proven: Vec<_> = follower.proofs().unwrap().into_iter().map(|entry| entry.public_values).collect();
    assert_eq!(contract.signed(), proven, "in order, each once");
    drop(follower);
    let status = Status::read(folder.path()).unwrap().unwrap();
    assert_eq!((status.submitted, status.contract.as_deref()), (3, Some("a folder")));
}

/// Proofs made before are submitted by a follower that is given a contract later; STARKs are for no contract.
#[tokio::test]
async fn a_contract_given_later_gets_all_that_is_for_contracts() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(16).await;
    let stark = world.config(folder.path());
    let mut follower = world.open(stark.clone(), Checking::default()).await.unwrap();
    step(&mut follower).await.0.unwrap();
    drop(follower);
    world.chain.finalize(24);
    let snark = Config { kind: ProofKind::Groth16, ..stark };
    let mut follower = world.open(snark.clone(), Checking::default()).await.unwrap();
    step(&mut follower).await.0.unwrap();
    drop(follower);

    let contract = FolderContract(chain.path().into());
    let follower = world.open(snark, Checking::default()).await.unwrap();
    let mut follower = follower.with_submission(Box::new(contract.clone()));
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(told(&events, "submitted").len(), 1);
    let proofs = follower.proofs().unwrap();
    assert_eq!(contract.signed(), [proofs.last().unwrap().public_values.clone()]);
}

/// What a contract refuses because of what it knows or trusts today it may take tomorrow: to settle that would leave a hole in
/// its chain of committees for ever. So does what its verifier refuses and the follower's own accepts.
#[tokio::test]
async fn only_what_the_proof_deserves_settles_it() {
    let folder = tempdir().unwrap();
    let world = World::at(16).await;
    let config = Config { kind: ProofKind::Groth16, watched: Vec::new(), ..world.config(folder.path()) };
    let refusals = [
        reverted(),
        Refusal::Contract(Client::UnknownCommittee(LightClient::UnknownCommittee { period: 0 })),
        Refusal::Contract(Client::WrongChain(LightClient::WrongChain {
            got: B256::ZERO,
            expected: B256::ZERO,
        })),
        Refusal::Verifier(VerifiersErrors::RouteIsFrozen(Verifiers::RouteIsFrozen {
            selector: [1; 4].into(),
        })),
        Refusal::Verifier(VerifiersErrors::ProofInvalid(Verifiers::ProofInvalid {})),
    ];
    let mut answers: Vec<_> =
        refusals.into_iter().map(|refusal| Err(SubmitError::Refused(refusal))).collect();
    answers.push(Ok(Outcome::Known(reverted())));
    let count = answers.len() - 1;
    let follower = world.open(config, Checking::default()).await.unwrap();
    let mut follower = follower.with_submission(Box::new(Answering(Mutex::new(answers))));
    for _ in 0..count {
        let error = step(&mut follower).await.0.unwrap_err();
        assert!(matches!(error, FollowError::Submit(_)) && error.is_passing(), "{error}");
        assert_eq!(Status::read(folder.path()).unwrap().unwrap().submitted, 0, "{error}");
    }
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(told(&events, "known").len(), 1);
}

/// Known and refused proofs are settled; a chain that is stuck is tried again, and holds up no proof.
#[tokio::test]
async fn refusals_are_told_and_troubles_tried_again() {
    let folder = tempdir().unwrap();
    let world = World::at(16).await;
    let config = Config { kind: ProofKind::Groth16, ..world.config(folder.path()) };
    let late = || SubmitError::NotMined { hash: B256::ZERO, seconds: 1 };
    let answers = vec![
        Err(late()),
        // The second step: both proofs of the first.
        Ok(Outcome::Known(reverted())),
        Err(SubmitError::Refused(Refusal::Contract(Client::NotCanonical(LightClient::NotCanonical {})))),
    ];
    let follower = world.open(config, Checking::default()).await.unwrap();
    let mut follower = follower.with_submission(Box::new(Answering(Mutex::new(answers))));
    let (outcome, events) = step(&mut follower).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, FollowError::Submit(_)) && error.is_passing(), "{error}");
    assert_eq!(told(&events, "proof").len(), 2, "both are proven all the same");

    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert!(matches!(&events[..], [Event::Known { .. }, Event::Refused { .. }]), "{events:?}");
    assert_eq!(Status::read(folder.path()).unwrap().unwrap().submitted, 2);
}
