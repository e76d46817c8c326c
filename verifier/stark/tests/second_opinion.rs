//! SP1's verifier and this one say the same of every proof, to the word.

mod breaks;

use std::{
    borrow::{Borrow, BorrowMut},
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::LazyLock,
};

use breaks::{BREAKS, Values};
use sextant_artifacts::{Artifact, COMMITTEE_CHANGE, INCLUSION};
use sextant_protocol::ProofRecord;
use sextant_stark_verifier::{Shard, verify, verify_run, verify_shard};
use slop_algebra::AbstractField;
use sp1_hypercube::{
    PROOF_MAX_NUM_PVS, SP1VerifyingKey,
    air::{SP1_PROOF_NUM_PV_ELTS, SP1CorePublicValues},
    septic_digest::SepticDigest,
};
use sp1_primitives::SP1Field;
use sp1_prover::{
    SP1CoreProofData,
    verify::{SP1Verifier, VerifierRecursionVks},
};
use sp1_sdk::{LightProver, Prover, SP1Proof, SP1ProofWithPublicValues, SP1PublicValues};

static SP1: LazyLock<SP1Verifier> = LazyLock::new(|| SP1Verifier::new(VerifierRecursionVks::default()));

/// A recorded proof, taken apart.
struct Recorded {
    record: ProofRecord,
    shards: Vec<Shard>,
    key: SP1VerifyingKey,
}

fn key(program: Artifact) -> SP1VerifyingKey {
    bincode::deserialize(program.verifying_key).expect("a key")
}

fn recorded(name: &str, program: Artifact) -> Recorded {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(name);
    let record = ProofRecord::from_file_bytes(&std::fs::read(file).expect("a file")).expect("a proof file");
    let SP1Proof::Core(shards) = bincode::deserialize(&record.proof).expect("a proof of SP1") else {
        panic!("no core STARK")
    };
    Recorded { record, shards, key: key(program) }
}

/// Two shards: one of what a precompile did, and one that executes.
fn inclusion() -> Recorded {
    recorded("recorded-starks/inclusion.proof", INCLUSION)
}

fn failed_run() -> Recorded {
    recorded("failed-run/committee-change.proof", COMMITTEE_CHANGE)
}

/// What a verifier says, panics as well.
fn said<E: std::fmt::Display>(check: impl FnOnce() -> Result<(), E>) -> String {
    match catch_unwind(AssertUnwindSafe(check)) {
        Ok(Ok(())) => "valid".into(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "a panic".into(),
    }
}

/// What both say of the shards.
#[track_caller]
fn both(shards: &[Shard], key: &SP1VerifyingKey) -> String {
    let ours = said(|| verify_run(shards, key));
    let theirs = said(|| SP1.verify(&SP1CoreProofData(shards.to_vec()), key));
    assert_eq!(ours, theirs, "this verifier, and SP1's");
    ours
}

#[test]
fn recorded_proofs_are_valid() {
    let Recorded { record, shards, key } = inclusion();
    assert_eq!(shards.len(), 2);
    assert_eq!(both(&shards, &key), "valid");
    verify(&shards, &record.public_values, &key).expect("a valid proof");

    // One whose run failed: every shard is good.
    let Recorded { record, shards, key } = failed_run();
    for shard in &shards {
        verify_shard(shard, &key).expect("a good shard");
    }
    assert!(both(&shards, &key).contains("non-zero exit codes"));
    let error = verify(&shards, &record.public_values, &key).expect_err("a run that failed");
    assert_eq!(error.to_string(), "Unexpected exit code: 1");
}

#[tokio::test]
async fn what_the_sdk_looks_at_first() {
    let Recorded { record, shards, key } = inclusion();
    let prover = LightProver::new().await;
    let agree = |shards: &[Shard], public_values: &[u8], key: &SP1VerifyingKey| {
        let ours = said(|| verify(shards, public_values, key));
        let bundle = SP1ProofWithPublicValues::new(
            SP1Proof::Core(shards.to_vec()),
            SP1PublicValues::from(public_values),
            record.circuit_version.clone(),
        );
        assert_eq!(ours, said(|| prover.verify(&bundle, key, None)));
        ours
    };
    let values = &record.public_values[..];
    assert_eq!(agree(&shards, values, &key), "valid");
    assert_eq!(agree(&[], values, &key), "Core machine verification error: Empty core proof");
    assert_eq!(agree(&shards, &values[1..], &key), "Invalid public values");
    assert_eq!(agree(&shards, &[], &key), "Invalid public values");
    let other_program = agree(&shards, values, &other_key());
    assert!(
        other_program.starts_with("Core machine verification error: invalid public values: pc_start"),
        "{other_program}"
    );

    let changed = |edit: &dyn Fn(&mut Vec<SP1Field>)| {
        let mut shards = shards.clone();
        edit(&mut shards[1].public_values);
        agree(&shards, values, &key)
    };
    let places = places();
    assert_eq!(changed(&|values| values.truncate(186)), "Invalid public values");
    assert_eq!(changed(&|values| values[places.exit_code] = SP1Field::two()), "Unexpected exit code: 2");
    let digest = places.committed_value_digest[3][1];
    assert_eq!(changed(&|values| values[digest] += SP1Field::one()), "Invalid public values");
    // SP1 cuts numbers down to bytes here, and finds later that it is none.
    let mut wide = shards.clone();
    wide[1].public_values[digest] += SP1Field::from_canonical_u32(256);
    assert_eq!(said(|| verify(&wide, values, &key)), "Invalid public values");
    assert_ne!(both(&wide, &key), "valid");
}

fn other_key() -> SP1VerifyingKey {
    key(COMMITTEE_CHANGE)
}

/// Where each public value is.
fn places() -> SP1CorePublicValues<usize> {
    let indices: Vec<usize> = (0..SP1_PROOF_NUM_PV_ELTS).collect();
    *indices.as_slice().borrow()
}

/// Each public value of each shard, changed alone.
#[test]
fn every_public_value_is_bound() {
    let Recorded { shards, key, .. } = inclusion();
    for shard in 0..shards.len() {
        for place in 0..PROOF_MAX_NUM_PVS {
            let mut changed = shards.clone();
            changed[shard].public_values[place] += SP1Field::one();
            assert_ne!(both(&changed, &key), "valid", "shard {shard}, value {place}");
        }
    }
}

#[test]
fn every_rule_between_shards_has_its_word() {
    let Recorded { shards, key, .. } = inclusion();
    let mut seen = BTreeSet::new();
    for (words, edit) in BREAKS {
        let mut changed = shards.clone();
        let [a, b] = &mut changed[..] else { panic!("two shards") };
        edit(a.public_values.as_mut_slice().borrow_mut(), b.public_values.as_mut_slice().borrow_mut());
        if words.contains("exceptional") {
            // The point at which the sum stands already: SP1 adds no point to itself.
            let [begun, nothing] = [SepticDigest::<SP1Field>::starting_digest().0, SepticDigest::zero().0];
            let stands = begun.add_incomplete(key.vk.initial_global_cumulative_sum.0).sub_incomplete(nothing);
            let values: &mut Values = a.public_values.as_mut_slice().borrow_mut();
            values.global_cumulative_sum = SepticDigest(stands);
        }
        assert_eq!(both(&changed, &key), format!("invalid public values: {words}"));
        assert!(seen.insert(words), "{words}: twice");
    }
    let mut short = shards.clone();
    short[0].public_values.pop();
    assert_eq!(both(&short, &key), "invalid public values: invalid public values length");
    assert_eq!(both(&[], &key), "empty proof");
}

#[test]
fn shards_cannot_be_left_out_doubled_or_exchanged() {
    let Recorded { shards, key, .. } = inclusion();
    let pick = |indices: &[usize]| indices.iter().map(|&index| shards[index].clone()).collect::<Vec<_>>();
    for picked in [&[0][..], &[1], &[1, 0], &[0, 0], &[1, 1], &[0, 1, 1], &[0, 0, 1], &[0, 1, 0, 1]] {
        assert_ne!(both(&pick(picked), &key), "valid", "{picked:?}");
    }
    assert_ne!(both(&shards, &other_key()), "valid");
}

/// Nothing between shards notices these.
#[test]
fn tables_are_those_that_sp1_knows() {
    let Recorded { shards, key, .. } = inclusion();
    type EditShard = fn(&mut Shard);
    let edits: [EditShard; 9] = [
        |shard| drop(shard.opened_values.chips.pop_first()),
        |shard| drop(shard.opened_values.chips.pop_last()),
        // A chip that only SP1's recording for its feature `mprotect` has a set with, and one that nobody knows.
        |shard| rename(shard, "AddUser"),
        |shard| rename(shard, "Sextant"),
        |shard| rename(shard, "Sha256Compress"),
        |shard| shard.opened_values.chips.clear(),
        |shard| {
            let mut chips = shard.opened_values.chips.values_mut();
            chips.next().expect("a table").main.local.pop();
        },
        |shard| {
            let mut chips = shard.opened_values.chips.values_mut();
            let degree = &mut chips.next().expect("a table").degree;
            let last = degree.dimension() - 1;
            *degree[last] = SP1Field::one() - *degree[last];
        },
        |shard| {
            let rounds = &mut shard.evaluation_proof.row_counts_and_column_counts;
            rounds[1][0].0 ^= 1;
        },
    ];
    for shard in 0..shards.len() {
        for (index, edit) in edits.iter().enumerate() {
            let mut changed = shards.clone();
            edit(&mut changed[shard]);
            assert_ne!(both(&changed, &key), "valid", "shard {shard}, edit {index}");
        }
    }
}

fn rename(shard: &mut Shard, name: &str) {
    let (_, opened) = shard.opened_values.chips.pop_last().expect("a table");
    shard.opened_values.chips.insert(name.into(), opened);
    let evaluations = &mut shard.logup_gkr_proof.logup_evaluations.chip_openings;
    let (_, opened) = evaluations.pop_last().expect("a table");
    evaluations.insert(name.into(), opened);
}

/// A bit of the proof as it is sent, at many places: what decodes is refused, by both for the same reason.
#[test]
fn a_bit_anywhere_is_noticed() {
    const PLACES: usize = 64;
    let Recorded { record, shards, key } = inclusion();
    let mut decoded = 0;
    let mut words = BTreeSet::new();
    for place in 0..PLACES {
        let mut bytes = record.proof.clone();
        // 12 bytes before are the kind and the number of shards. A step that no structure has.
        let at = 12 + (place * ((bytes.len() - 12) / PLACES) + place * 7) % (bytes.len() - 12);
        bytes[at] ^= 1 << (place % 8);
        let Ok(SP1Proof::Core(changed)) = bincode::deserialize(&bytes) else { continue };
        if bincode::serialize(&changed).expect("bytes") == bincode::serialize(&shards).expect("bytes") {
            continue;
        }
        decoded += 1;
        let said = both(&changed, &key);
        assert_ne!(said, "valid", "byte {at}");
        words.insert(said.split([':', '(']).take(3).collect::<String>());
    }
    assert!(decoded > PLACES / 2, "{decoded} decode");
    assert!(words.len() > 3, "{words:?}");
}
