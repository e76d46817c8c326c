//! The committed guest of bundles, executed. That the proofs in it hold is for the recursion: see `verifier/tests/bundle.rs`.

use std::collections::BTreeMap;

use sextant_artifacts::{COMMITTEE_CHANGE, INCLUSION};
use sextant_consensus::{
    Program,
    bls::Plain,
    bundle::{self, Input},
    check_statement,
    codec::{self, Blob},
};
use sextant_tests::executor::{Execution, Executor};
use sp1_sdk::{HashableKey, SP1VerifyingKey};

/// Public values of every recorded statement, by chain.
fn recorded() -> Vec<Vec<Blob>> {
    let mut chains = BTreeMap::<_, Vec<_>>::new();
    for (name, program, input) in sextant_fixtures::statements() {
        let statement = check_statement(program, &input, &mut Plain).expect(name);
        chains.entry(statement.chain_digest()).or_default().push(Blob(statement.abi_encode()));
    }
    chains.into_values().collect()
}

async fn run(executor: &Executor, statements: Vec<Blob>) -> (Execution, Result<Vec<u8>, String>) {
    let input = Input { statements };
    let native = bundle::check(&input).map(|bundle| bundle.abi_encode()).map_err(|error| error.to_string());
    (executor.run(Program::Bundle, &codec::encode(&input), &[]).await, native)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guest_commits_what_the_native_check_says() {
    let executor = Executor::new().await;
    let chains = recorded();
    assert!(chains.len() > 1 && chains.iter().any(|statements| statements.len() > 2));
    let most = vec![chains[0][0].clone(); bundle::MAX_STATEMENTS];
    for statements in chains.into_iter().chain([most]) {
        let (run, native) = run(&executor, statements).await;
        assert_eq!(run.report.exit_code, 0, "{}", run.stderr);
        assert_eq!(Ok(run.public_values), native);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guest_refuses_what_the_native_check_refuses_and_for_its_reason() {
    let executor = Executor::new().await;
    let chains = recorded();
    let [first, other] = [&chains[0][0], &chains[1][0]];
    let edited = |word: usize, value: u8| {
        let mut edited = first.clone();
        edited.0[32 * word + 31] = value;
        edited
    };
    for statements in [
        vec![],
        vec![first.clone(); bundle::MAX_STATEMENTS + 1],
        vec![first.clone(), other.clone()],
        vec![first.clone(), edited(1, 1)],
        // The programs of bundles, and of nothing.
        vec![edited(2, 3)],
        vec![edited(2, 9)],
        vec![first.clone(), Blob(first.0[..96].to_vec())],
    ] {
        let (run, native) = run(&executor, statements).await;
        let reason = native.expect_err("refused");
        assert_ne!(run.report.exit_code, 0, "{reason}");
        assert!(run.public_values.is_empty(), "{reason}");
        assert!(run.stderr.contains(&reason), "{reason}: {}", run.stderr);
    }
}

/// What the guest asks the recursion to find proofs of: only programs whose keys are these.
#[test]
fn the_guest_pins_the_keys_of_the_artifacts() {
    let pinned = include_str!("../../programs/bundle/src/pinned.rs");
    for (name, artifact) in [("CommitteeChange", COMMITTEE_CHANGE), ("Inclusion", INCLUSION)] {
        let key: SP1VerifyingKey = bincode::deserialize(artifact.verifying_key).unwrap();
        let arm = format!("        Program::{name} => Some(&{:?}),\n", key.hash_u32());
        assert!(
            pinned.contains(&arm),
            "{arm} is not in programs/bundle/src/pinned.rs: run programs/build.sh --install"
        );
    }
    assert_eq!(pinned.matches("Some(&[").count(), 2);
}
