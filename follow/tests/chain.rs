//! Keeping a chain of committees: one file that leads from the first committee to the newest, whatever happens meanwhile.

mod common;

use std::{fs, path::PathBuf};

use common::{Checking, World, names, record, step};
use sextant_consensus::public_values::{CommitteeChain, Statement};
use sextant_follow::{Config, Event, Follower};
use sextant_protocol::{ProofKind, ProofRecord};
use sextant_test_nodes::simulated::PERIOD;
use tempfile::{TempDir, tempdir};

/// A chain of long ago, and where a follower of it keeps its chain of committees.
struct Setting {
    world: World,
    folder: TempDir,
    file: PathBuf,
    prover: Checking,
}

impl Setting {
    /// The block of this slot is final.
    async fn at(finalized: u64) -> Self {
        let folder = tempdir().unwrap();
        let file = folder.path().join("chain.proof");
        Self { world: World::at(finalized).await, folder, file, prover: Checking::default() }
    }

    /// It watches nothing else.
    fn config(&self) -> Config {
        Config {
            kind: ProofKind::Compressed,
            chain: Some(self.file.clone()),
            watched: Vec::new(),
            ..self.world.config(&self.folder.path().join("state"))
        }
    }

    async fn follower(&self) -> Follower<Checking> {
        self.world.open(self.config(), self.prover.clone()).await.unwrap()
    }

    fn chain(&self) -> CommitteeChain {
        let record = ProofRecord::from_file_bytes(&fs::read(&self.file).unwrap()).unwrap();
        assert_eq!(record.kind, ProofKind::Compressed);
        CommitteeChain::abi_decode(&record.public_values).unwrap()
    }
}

/// Where the chain was extended to by these events, from its anchor.
fn extended(events: &[Event]) -> Vec<(u64, u64)> {
    let extended = |event: &Event| match event {
        Event::Chain { anchor_period, newest_period, .. } => Some((*anchor_period, *newest_period)),
        _ => None,
    };
    events.iter().filter_map(extended).collect()
}

#[tokio::test]
async fn one_file_leads_from_the_first_committee_to_the_newest() {
    let setting = Setting::at(10 * PERIOD + 16).await;
    let Setting { world, file, prover, .. } = &setting;
    let mut follower = setting.follower().await;

    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(extended(&events), [(0, 11)], "three proofs of handovers at once");
    let begun = setting.chain();
    let size = fs::metadata(file).unwrap().len();
    assert_eq!((begun.anchor().period, begun.newest.period), (0, 11));
    assert_eq!(extended(&step(&mut follower).await.1), [], "nothing new");

    // Each handover extends it by a proof of its own, and by the chain so far.
    for period in 11..14 {
        world.chain.finalize(period * PERIOD + 16);
        let (outcome, events) = step(&mut follower).await;
        outcome.unwrap();
        assert_eq!(extended(&events), [(0, period + 1)]);
        assert_eq!(prover.chained.lock().unwrap().last().unwrap().len(), 2);
        let longer = setting.chain();
        assert_eq!((longer.anchor(), longer.newest.period), (begun.anchor(), period + 1));
        assert_eq!(fs::metadata(file).unwrap().len(), size, "however long it is");
    }
}

#[tokio::test]
async fn what_was_proven_while_no_chain_could_be_made_is_made_up_for() {
    let setting = Setting::at(PERIOD + 16).await;
    let Setting { world, file, prover, .. } = &setting;
    let config = Config { keep: Some(1), ..setting.config() };
    let mut follower = world.open(config, prover.clone()).await.unwrap();
    *prover.refusing_chains.lock().unwrap() = Some("this server proves no chains".into());
    for period in 1..5 {
        world.chain.finalize(period * PERIOD + 16);
        let error = step(&mut follower).await.0.unwrap_err();
        assert!(error.is_passing(), "handovers go on");
        names(&error, &["this server proves no chains"]);
        assert!(!file.exists());
    }
    *prover.refusing_chains.lock().unwrap() = None;
    let (outcome, events) = step(&mut follower).await;
    outcome.unwrap();
    assert_eq!(extended(&events), [(0, 5)]);
    assert!(events.iter().any(|event| matches!(event, Event::Pruned { .. })), "needed until then");
}

#[tokio::test]
async fn it_is_gone_on_with_after_a_start_and_begun_anew_where_the_file_is_gone() {
    let setting = Setting::at(2 * PERIOD + 16).await;
    let Setting { world, file, prover, .. } = &setting;
    let mut follower = setting.follower().await;
    step(&mut follower).await.0.unwrap();
    drop(follower);

    world.chain.finalize(3 * PERIOD + 16);
    let mut follower = setting.follower().await;
    assert_eq!(extended(&step(&mut follower).await.1), [(0, 4)]);
    assert_eq!(prover.chained.lock().unwrap().last().unwrap().len(), 2, "by what was missing alone");
    drop(follower);

    fs::remove_file(file).unwrap();
    let mut follower = setting.follower().await;
    assert_eq!(extended(&step(&mut follower).await.1), [(0, 4)], "from the same committee");
    drop(follower);

    // Where what it began with is not here any more, it does not silently begin elsewhere.
    fs::remove_file(file).unwrap();
    let pruned = Config { keep: Some(1), chain: None, ..setting.config() };
    step(&mut world.open(pruned, prover.clone()).await.unwrap()).await.0.unwrap();
    let mut follower = setting.follower().await;
    let error = step(&mut follower).await.0.unwrap_err();
    names(&error, &["period 0", "period 3", "sextant chain"]);
    assert!(error.is_passing() && !file.exists());
}

#[tokio::test]
async fn what_is_no_chain_of_this_folder_is_left_alone_and_named() {
    let setting = Setting::at(2 * PERIOD + 16).await;
    let Setting { file, prover, .. } = &setting;
    let mut follower = setting.follower().await;
    step(&mut follower).await.0.unwrap();
    drop(follower);
    let good = ProofRecord::from_file_bytes(&fs::read(file).unwrap()).unwrap();
    let asked = prover.asked.lock().unwrap()[0].clone();

    let with = |adjust: &dyn Fn(&mut CommitteeChain)| {
        let mut chain = setting.chain();
        adjust(&mut chain);
        ProofRecord { public_values: chain.abi_encode(), ..good.clone() }.to_file_bytes()
    };
    let wrong = [
        (b"a photograph".to_vec(), "not a Sextant proof file"),
        (ProofRecord { proof: vec![1], ..good.clone() }.to_file_bytes(), "no stamp"),
        (ProofRecord { kind: ProofKind::Groth16, ..good.clone() }.to_file_bytes(), "groth16"),
        (record(&asked, ProofKind::Compressed).0.to_file_bytes(), "committee-change"),
        (with(&|chain| chain.newest.committee_root[0] ^= 1), "another committee of period 3"),
        (with(&|chain| chain.newest.period += 9), "period 12, of which this folder has no committee"),
    ];
    for (bytes, reason) in wrong {
        fs::write(file, &bytes).unwrap();
        let mut follower = setting.follower().await;
        let error = step(&mut follower).await.0.unwrap_err();
        names(&error, &["chain.proof", reason, "move it away"]);
        assert!(!error.is_passing(), "{reason}: somebody has to look at it");
        assert_eq!(fs::read(file).unwrap(), bytes, "{reason}");
    }
}

#[tokio::test]
async fn a_chain_of_something_else_is_not_taken() {
    let setting = Setting::at(2 * PERIOD + 16).await;
    let Setting { file, prover, .. } = &setting;
    *prover.lying.lock().unwrap() = true;
    let mut follower = setting.follower().await;
    names(&step(&mut follower).await.0.unwrap_err(), &["another statement"]);
    assert!(!file.exists());
    *prover.lying.lock().unwrap() = false;
    assert_eq!(extended(&step(&mut follower).await.1), [(0, 3)]);
}

/// What the statements say, not only what the file is called.
#[tokio::test]
async fn every_link_is_a_handover_that_was_proven() {
    let setting = Setting::at(6 * PERIOD + 16).await;
    let prover = &setting.prover;
    let mut follower = setting.follower().await;
    step(&mut follower).await.0.unwrap();
    let chained = prover.chained.lock().unwrap()[0].clone();
    let changes: Vec<_> = chained
        .iter()
        .map(|proof| match Statement::abi_decode(proof.program().unwrap(), &proof.public_values).unwrap() {
            Statement::CommitteeChange(change) => change,
            other => panic!("{other:?}"),
        })
        .collect();
    let learned: Vec<_> = changes.iter().flat_map(|change| &change.learned).map(|one| one.period).collect();
    assert_eq!(learned, (1..=7).collect::<Vec<_>>());
    assert_eq!(setting.chain().newest, *changes.last().unwrap().learned.last().unwrap());
}
