//! The committed guest of chains of committees, executed. That the proofs in one hold is for the recursion: see
//! `verifier/tests/chain.rs`.

use sextant_artifacts::{CHAIN, COMMITTEE_CHANGE};
use sextant_consensus::{
    Program,
    bls::Plain,
    codec::{self, Blob},
    committee_chain::{self, Input, digest_of_key},
    committee_change,
    public_values::{CommitteeChain, CommitteeChange},
};
use sextant_tests::executor::{Execution, Executor};
use sp1_sdk::{HashableKey, SP1VerifyingKey};

fn changes(count: usize) -> Vec<CommitteeChange> {
    let inputs = sextant_fixtures::catch_up::one_by_one(count);
    inputs.iter().map(|input| committee_change::check(input, &mut Plain).unwrap()).collect()
}

fn extend(chain: Option<&CommitteeChain>, changes: &[CommitteeChange]) -> Input {
    Input {
        program_key: CHAIN.vk_hash,
        predecessor: chain.into_iter().map(|chain| Blob(chain.abi_encode())).collect(),
        changes: changes.iter().map(|change| Blob(change.abi_encode())).collect(),
    }
}

async fn run(executor: &Executor, input: &Input) -> (Execution, Result<CommitteeChain, String>) {
    let native = committee_chain::check(input).map_err(|error| error.to_string());
    (executor.run(Program::Chain, &codec::encode(input), &[]).await, native)
}

/// One period at a time, and every step costs what the one before it did.
#[tokio::test(flavor = "multi_thread")]
async fn the_guest_commits_what_the_native_check_says() {
    let executor = Executor::new().await;
    let all = changes(4);
    let (mut chain, mut costs) = (None, Vec::new());
    for change in &all {
        let (run, native) = run(&executor, &extend(chain.as_ref(), std::slice::from_ref(change))).await;
        assert_eq!(run.report.exit_code, 0, "{}", run.stderr);
        let native = native.unwrap();
        assert_eq!(run.public_values, native.abi_encode());
        chain = Some(native);
        costs.push(run.report.total_instruction_count());
    }
    assert_eq!(chain.unwrap().newest, all[3].learned[0]);
    let [_, later @ ..] = &costs[..] else { unreachable!() };
    let (least, most) = (later.iter().min().unwrap(), later.iter().max().unwrap());
    assert!(most - least <= least / 100, "{costs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guest_refuses_what_the_native_check_refuses_and_for_its_reason() {
    let executor = Executor::new().await;
    let all = changes(4);
    let chain = committee_chain::check(&extend(None, &all[..2])).unwrap();
    let mut other_anchor = chain.clone();
    other_anchor.newest.committee_root[0] ^= 1;
    let mut foreign = chain.clone();
    foreign.program_key[31] ^= 1;
    let mut other_chain = all[2].clone();
    other_chain.head.chain_digest[0] ^= 1;
    let key = |program_key| Input { program_key, ..extend(None, &all) };
    for input in [
        extend(None, &[]),
        extend(Some(&chain), &[]),
        // A skipped period, one done twice, and one behind another's.
        extend(Some(&chain), &all[3..]),
        extend(Some(&chain), &all[1..]),
        extend(Some(&other_anchor), &all[2..]),
        extend(Some(&foreign), &all[2..]),
        extend(Some(&chain), &[other_chain]),
        extend(None, &vec![all[0].clone(); committee_chain::MAX_CHANGES + 1]),
        key([1; 32]),
        Input { predecessor: vec![Blob(chain.abi_encode()); 2], ..extend(None, &all[2..]) },
    ] {
        let (run, native) = run(&executor, &input).await;
        let reason = native.expect_err("refused");
        assert_ne!(run.report.exit_code, 0, "{reason}");
        assert!(run.public_values.is_empty(), "{reason}");
        assert!(run.stderr.contains(&reason), "{reason}: {}", run.stderr);
    }
}

/// Which proofs the guest asks the recursion to find: of committee changes by the key that it pins, and of the chain so far
/// by the one that its public values name, which verifiers hold against the artifacts'.
#[test]
fn the_guest_asks_for_proofs_by_the_keys_of_the_artifacts() {
    let digest = |artifact: sextant_artifacts::Artifact| {
        let key: SP1VerifyingKey = bincode::deserialize(artifact.verifying_key).unwrap();
        key.hash_u32()
    };
    let pinned = include_str!("../../programs/chain/src/pinned.rs");
    let arm = format!("        Program::CommitteeChange => Some(&{:?}),\n", digest(COMMITTEE_CHANGE));
    assert!(
        pinned.contains(&arm),
        "{arm} is not in programs/chain/src/pinned.rs: run programs/build.sh --install"
    );
    for artifact in sextant_artifacts::ALL {
        assert_eq!(digest_of_key(&artifact.vk_hash), Some(digest(artifact)), "{}", artifact.program);
    }
}
