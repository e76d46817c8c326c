//! Submitting what is due together as one bundle: nothing is lost, and nothing sent twice, whatever comes between.

mod common;
mod events;

use std::{fs, sync::Mutex, time::Duration};

use common::{Checking, Failing, FolderContract, World, names, reverted, step};
use sextant_consensus::{Program, public_values::Statement};
use sextant_fixtures::mainnet_events::LARGE;
use sextant_follow::{Cadence, Config, Event, FollowError, Follower, ProofEntry, Submit};
use sextant_protocol::ProofKind;
use sextant_submit::{B256, SubmitError};
use sextant_test_nodes::simulated::PERIOD;
use tempfile::{TempDir, tempdir};

const LATER: Duration = Duration::from_secs(60 * 60);

/// What is due is bundled within this time; one handover in a proof.
fn within(world: &World, folder: &TempDir, time: Duration) -> Config {
    Config {
        kind: ProofKind::Groth16,
        bundle_for: Some(time),
        max_handovers: 1,
        ..world.config(folder.path())
    }
}

fn at_once(world: &World, folder: &TempDir) -> Config {
    within(world, folder, Duration::ZERO)
}

async fn follower(
    world: &World,
    config: Config,
    prover: &Checking,
    contract: impl Submit + 'static,
) -> Follower<Checking> {
    world.open(config, prover.clone()).await.unwrap().with_submission(Box::new(contract))
}

fn refusing(contract: &FolderContract, errors: Vec<SubmitError>) -> Failing {
    Failing { contract: contract.clone(), program: Program::Bundle, errors: Mutex::new(errors) }
}

fn told(events: &[Event]) -> Vec<String> {
    let name = |event| serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned();
    events.iter().map(name).collect()
}

/// How many proofs each bundle had that was asked for, and how many were wrapped.
fn asked(prover: &Checking) -> (Vec<usize>, usize) {
    let bundled = prover.bundled.lock().unwrap().iter().map(Vec::len).collect();
    (bundled, prover.wrapped.lock().unwrap().len())
}

fn proofs(follower: &Follower<Checking>) -> Vec<ProofEntry> {
    follower.proofs().unwrap()
}

/// Handovers up to this period and the latest proof of the accounts are there.
#[track_caller]
fn assert_whole(contract: &FolderContract, follower: &Follower<Checking>, period: u64) {
    for period in 0..=period {
        assert!(contract.knows(period).is_some(), "the committee of period {period} is missing");
    }
    let last = proofs(follower).into_iter().rfind(ProofEntry::is_of_accounts).unwrap();
    assert!(contract.has(&last.public_values), "{last}");
}

#[tokio::test]
async fn what_is_due_together_is_one_transaction() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(2 * PERIOD + 16).await;
    let (contract, prover) = (FolderContract::begin(chain.path(), &world), Checking::default());
    let mut follower = follower(&world, at_once(&world, &folder), &prover, contract.clone()).await;
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    // All are proven, the handovers first; the last one's committee signed for the accounts.
    let proven = ["proving", "written", "proof"];
    let bundled = ["bundling", "written", "sent", "submitted"];
    assert_eq!(told(&events), [&["head"][..], &proven, &proven, &proven, &proven, &bundled].concat());
    assert!(proofs(&follower).iter().all(|entry| entry.kind == "compressed" && entry.to_bundle));
    assert_eq!((asked(&prover), contract.signed().len()), ((vec![4], 0), 1));
    assert_whole(&contract, &follower, 3);

    // Neither a second look nor a new start submits anything again.
    assert_eq!(step(&mut follower).await.1, []);
    drop(follower);
    let mut follower = self::follower(&world, at_once(&world, &folder), &prover, contract.clone()).await;
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!((events, contract.signed().len()), (vec![], 1));
}

/// Only when something has been due for so long, all that is due by then goes; of the accounts the latest proof.
#[tokio::test]
async fn what_is_due_waits_for_more_over_a_new_start_too() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(16).await;
    let (contract, prover) = (FolderContract::begin(chain.path(), &world), Checking::default());
    let mut follower = follower(&world, within(&world, &folder, LATER), &prover, contract.clone()).await;
    for slot in [16, 24, PERIOD + 16] {
        world.chain.finalize(slot);
        step(&mut follower).await.0.unwrap();
        step(&mut follower).await.0.unwrap();
    }
    assert_eq!((asked(&prover), contract.mined()), ((vec![], 0), 0));
    drop(follower);
    let mut follower = self::follower(&world, at_once(&world, &folder), &prover, contract.clone()).await;
    step(&mut follower).await.0.unwrap();
    // Two handovers and three proofs of the accounts, of which two are superseded.
    assert_eq!((asked(&prover), contract.signed().len()), ((vec![3], 0), 1));
    assert_whole(&contract, &follower, 2);

    // What comes next has its own time to wait.
    drop(follower);
    let mut follower =
        self::follower(&world, within(&world, &folder, LATER), &prover, contract.clone()).await;
    world.chain.finalize(2 * PERIOD + 16);
    step(&mut follower).await.0.unwrap();
    assert_eq!(contract.signed().len(), 1);
}

/// One second: it is looked at again before anything else happens.
#[tokio::test]
async fn the_time_is_over_without_a_new_head() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(16).await;
    let (contract, prover) = (FolderContract::begin(chain.path(), &world), Checking::default());
    let config = within(&world, &folder, Duration::from_secs(1));
    let mut follower = follower(&world, config, &prover, contract.clone()).await;
    for _ in 0..100 {
        step(&mut follower).await.0.unwrap();
        if contract.mined() > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((asked(&prover), contract.signed().len()), ((vec![2], 0), 1));
}

/// A single one needs no bundle, be it a handover or a proof of the accounts.
#[tokio::test]
async fn what_is_due_alone_goes_alone() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(16).await;
    let (contract, prover) = (FolderContract::begin(chain.path(), &world), Checking::default());
    let config = Config { watched: Vec::new(), ..at_once(&world, &folder) };
    let mut follower = follower(&world, config, &prover, contract.clone()).await;
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(told(&events)[4..], ["written", "proof", "sent", "submitted"]);
    assert!(contract.knows(1).is_some());
    drop(follower);
    let mut follower = self::follower(&world, at_once(&world, &folder), &prover, contract.clone()).await;
    world.chain.finalize(24);
    step(&mut follower).await.0.unwrap();
    assert_whole(&contract, &follower, 1);
    assert_eq!((asked(&prover), contract.signed().len()), ((vec![], 2), 2));
    // In the place of the compressed ones.
    assert!(proofs(&follower).iter().all(|entry| entry.kind == "groth16" && !entry.to_bundle));
    let files = fs::read_dir(folder.path().join("proofs")).unwrap().count();
    assert_eq!((proofs(&follower).len(), files), (2, 2));
    assert_eq!(step(&mut follower).await.1, []);
}

/// The one for which a bundle is refused goes alone, and the others in another bundle: a handover after those before it.
#[tokio::test]
async fn a_bundle_that_is_refused_for_one_statement_falls_apart() {
    for culprit in 0..3 {
        let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
        let world = World::at(PERIOD + 16).await;
        let (contract, prover) = (FolderContract::begin(chain.path(), &world), Checking::default());
        let refused = SubmitError::Bundled { index: culprit, refusal: reverted() };
        let refusing = refusing(&contract, vec![refused]);
        let mut follower = follower(&world, at_once(&world, &folder), &prover, refusing).await;
        let (outcome, events) = step(&mut follower).await;
        outcome.unwrap();
        assert_eq!(told(&events).last().unwrap(), "dissolved");
        let Some(Event::Dissolved { reason, .. }) = events.last() else { panic!("{events:?}") };
        assert!(reason.contains(".proof: ") && reason.contains("reverted without a reason"), "{reason}");
        assert_eq!(contract.mined(), 0);
        for _ in 0..=usize::from(culprit == 1) {
            step(&mut follower).await.0.unwrap();
        }
        assert_whole(&contract, &follower, 2);
        let expected = if culprit == 1 { ((vec![3], 3), 3) } else { ((vec![3, 2], 1), 2) };
        assert_eq!((asked(&prover), contract.signed().len()), expected, "{culprit}");
        assert_eq!(step(&mut follower).await.1, []);
        let bundles = fs::read_dir(folder.path().join("proofs")).unwrap();
        let is_bundle = |name: &std::ffi::OsString| name.to_str().unwrap().starts_with("bundle-");
        let bundles = bundles.filter(|file| is_bundle(&file.as_ref().unwrap().file_name())).count();
        assert_eq!(bundles, usize::from(culprit != 1), "that of what was refused is gone");
    }
}

/// Whatever passes is waited out with the same bundle, proven once; it takes along what somebody else submitted meanwhile.
#[tokio::test]
async fn a_bundle_that_does_not_get_through_is_handed_in_again() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(PERIOD + 16).await;
    let (contract, prover) = (FolderContract::begin(chain.path(), &world), Checking::default());
    let errors =
        vec![SubmitError::NotMined { hash: B256::ZERO, seconds: 1 }, SubmitError::Refused(reverted())];
    let failing = refusing(&contract, errors);
    let mut follower = follower(&world, at_once(&world, &folder), &prover, failing).await;
    for _ in 0..2 {
        let error = step(&mut follower).await.0.unwrap_err();
        assert!(matches!(error, FollowError::Submission { .. }) && error.is_passing(), "{error}");
        names(&error, &["submitting bundle-3-"]);
    }
    // Another relayer's.
    let record = prover.bundled.lock().unwrap()[0][0].clone();
    contract.submit(&record, &[], &mut |_| Ok(())).await.unwrap();
    drop(follower);
    let mut follower = self::follower(&world, at_once(&world, &folder), &prover, contract.clone()).await;
    step(&mut follower).await.0.unwrap();
    assert_whole(&contract, &follower, 2);
    assert_eq!((asked(&prover), contract.signed().len()), ((vec![3], 0), 2));
}

#[tokio::test]
async fn a_bundle_that_was_reorganised_away_is_mined_again_by_its_own_transaction() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(16).await;
    let (contract, prover) = (FolderContract::begin(chain.path(), &world), Checking::default());
    let mut follower = follower(&world, at_once(&world, &folder), &prover, contract.clone()).await;
    step(&mut follower).await.0.unwrap();
    let before = contract.signed();
    contract.reorganise();
    step(&mut follower).await.0.unwrap();
    assert_whole(&contract, &follower, 1);
    assert_eq!((contract.signed(), asked(&prover)), (before, (vec![2], 0)), "and nothing else was signed");
}

/// What was proven to be bundled is submitted where nothing is bundled any more: by choice, or by the contract's guardian.
#[tokio::test]
async fn what_was_to_be_bundled_is_not_lost_without_bundles() {
    for by_choice in [true, false] {
        let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
        let world = World::at(PERIOD + 16).await;
        let (contract, prover) = (FolderContract::begin(chain.path(), &world), Checking::default());
        let waiting = within(&world, &folder, LATER);
        let mut follower = follower(&world, waiting.clone(), &prover, contract.clone()).await;
        step(&mut follower).await.0.unwrap();
        assert_eq!(contract.mined(), 0);
        drop(follower);
        let config = if by_choice { Config { bundle_for: None, ..waiting } } else { waiting };
        if !by_choice {
            contract.take_no_bundles();
        }
        let mut follower = self::follower(&world, config, &prover, contract.clone()).await;
        step(&mut follower).await.0.unwrap();
        assert_whole(&contract, &follower, 2);
        assert_eq!((asked(&prover), contract.signed().len()), ((vec![], 3), 3));
        assert_eq!(prover.asked.lock().unwrap().len(), 3, "nothing was proven anew");
    }
}

/// A proof of the accounts that waits for its bundle is good enough as long as nothing changes.
#[tokio::test]
async fn an_unchanged_account_is_not_proven_anew_while_it_waits() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(16).await;
    let (contract, prover) = (FolderContract::begin(chain.path(), &world), Checking::default());
    let config = Config { cadence: Cadence::OnChange, ..within(&world, &folder, LATER) };
    let mut follower = follower(&world, config, &prover, contract.clone()).await;
    step(&mut follower).await.0.unwrap();
    world.chain.finalize(24);
    assert!(step(&mut follower).await.1.contains(&Event::Unchanged { finalized_slot: 24 }));
    assert_eq!(contract.mined(), 0);
}

#[tokio::test]
async fn a_proof_of_another_bundle_is_not_submitted() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(16).await;
    let (contract, prover) = (FolderContract::begin(chain.path(), &world), Checking::default());
    *prover.lying.lock().unwrap() = true;
    let mut follower = follower(&world, at_once(&world, &folder), &prover, contract.clone()).await;
    let error = step(&mut follower).await.0.unwrap_err();
    assert!(matches!(error, FollowError::OtherStatement), "{error}");
    assert_eq!(contract.mined(), 0);
    *prover.lying.lock().unwrap() = false;
    step(&mut follower).await.0.unwrap();
    assert_whole(&contract, &follower, 1);
}

/// A statement of a bundle is gone: the others are due all the same, and it comes back with the next head. A handover is only
/// proven again.
#[tokio::test]
async fn a_bundle_that_lost_a_statement_falls_apart() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let world = World::at(PERIOD + 16).await;
    let (contract, prover) = (FolderContract::begin(chain.path(), &world), Checking::default());
    let errors = vec![SubmitError::NotMined { hash: B256::ZERO, seconds: 1 }];
    let failing = refusing(&contract, errors);
    let mut follower = follower(&world, at_once(&world, &folder), &prover, failing).await;
    step(&mut follower).await.0.unwrap_err();
    let entries = proofs(&follower);
    let [handover, _, accounts] = &entries[..] else { panic!("{entries:?}") };
    for gone in [handover, accounts] {
        fs::remove_file(folder.path().join("proofs").join(&gone.file)).unwrap();
    }
    let (_, events) = step(&mut follower).await;
    assert_eq!(told(&events), ["proving", "written", "proof", "dissolved"], "{events:?}");
    step(&mut follower).await.0.unwrap();
    assert!(contract.knows(1).is_some() && contract.knows(2).is_some());
    world.chain.finalize(PERIOD + 24);
    step(&mut follower).await.0.unwrap();
    assert_whole(&contract, &follower, 2);
    assert_eq!((asked(&prover), contract.signed().len()), ((vec![3, 2], 1), 2));
}

/// Logs, each of whose proofs tells of other events, go with the handover that made their signer known.
#[tokio::test]
async fn proofs_of_logs_are_bundled() {
    let (folder, chain) = (tempdir().unwrap(), tempdir().unwrap());
    let (world, _) = events::World::new(&[LARGE]).await;
    let contract = FolderContract::begin_with(chain.path(), world.digest, world.committee());
    let prover = Checking::default();
    let config = |bundle_for| Config {
        kind: ProofKind::Groth16,
        bundle_for: Some(bundle_for),
        max_logs: 2,
        ..world.config(folder.path())
    };
    let open = async |config| {
        world.open(config, prover.clone()).await.unwrap().with_submission(Box::new(contract.clone()))
    };
    let mut follower = open(config(LATER)).await;
    step(&mut follower).await.0.unwrap();
    world.go_on();
    step(&mut follower).await.0.unwrap();
    let logs: Vec<_> = proofs(&follower).into_iter().filter(|entry| entry.logs.is_some()).collect();
    assert!(logs.len() > 2 && contract.mined() == 0, "{}", logs.len());
    drop(follower);
    let mut follower = open(config(Duration::ZERO)).await;
    step(&mut follower).await.0.unwrap();
    assert!(logs.iter().all(|entry| contract.has(&entry.public_values)));
    let (bundled, wrapped) = asked(&prover);
    assert_eq!((bundled.len(), wrapped, contract.signed().len()), (1, 0, 1));
    // In the order in which each is known what it is signed with.
    let bundle = prover.bundled.lock().unwrap()[0].clone();
    let programs: Vec<_> = bundle.iter().map(|record| record.program().unwrap()).collect();
    let first = programs.iter().position(|program| *program == Program::Inclusion).unwrap();
    assert!(programs[first..].iter().all(|program| *program == Program::Inclusion), "{programs:?}");
    let said = Statement::abi_decode(Program::Inclusion, &bundle[first].public_values);
    assert!(matches!(said, Ok(Statement::Inclusion(said)) if !said.logs.is_empty()));
    assert_eq!(step(&mut follower).await.1, []);
}
