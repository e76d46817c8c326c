//! Bundles on a real node: taken as the statements would be one by one, and refused with the statement named.

mod common;

use common::{Anvil, GENESIS, accepts_only, catch_up, deployment};
use sextant_consensus::{
    Program,
    public_values::{Bundle, Bundled, CommitteeChange, Head, Inclusion, Statement},
};
use sextant_protocol::ProofRecord;
use sextant_submit::{
    Address, B256, Deployment, Outcome, PreflightError, Refusal, SubmitError, Submitter, bundle_calldata,
    contract::LightClientErrors as Reason,
};

/// A record of a statement, with a proof that is none.
fn record(statement: &Statement) -> ProofRecord {
    let program = statement.program();
    let vk_hash = match program {
        Program::CommitteeChange => sextant_artifacts::COMMITTEE_CHANGE.vk_hash,
        Program::Inclusion => sextant_artifacts::INCLUSION.vk_hash,
        Program::Bundle => sextant_artifacts::BUNDLE.vk_hash,
        Program::Chain => sextant_artifacts::CHAIN.vk_hash,
    };
    let public_values = statement.abi_encode();
    ProofRecord { program: program.tag(), vk_hash, public_values, ..catch_up().0 }
}

/// The bundle of these.
fn bundle(statements: &[ProofRecord]) -> ProofRecord {
    let parts = statements.iter().map(|it| Bundled::of(it.program().unwrap(), &it.public_values)).collect();
    let chain_digest = catch_up().1.head.chain_digest;
    record(&Statement::Bundle(Bundle { chain_digest, parts }))
}

/// An inclusion that teaches a committee, and one that this committee signed.
fn taught_and_signed() -> (Inclusion, Inclusion) {
    let (_, first) = catch_up();
    let mut next = first.clone();
    let taught = first.learned[0];
    (next.head.signer_period, next.head.signer_committee_root) = (taught.period, taught.committee_root);
    next.learned.clear();
    (first, next)
}

fn inclusion(edit: impl FnOnce(&mut Inclusion)) -> ProofRecord {
    let mut statement = catch_up().1;
    edit(&mut statement);
    record(&Statement::Inclusion(statement))
}

fn anvil() -> Anvil {
    Anvil::start(GENESIS + 12 * catch_up().1.head.finalized_slot + 3600, &[])
}

/// A light client that knows the committee with which the first statement begins.
async fn client(anvil: &Anvil, verifier: Address, edit: impl FnOnce(&mut Deployment)) -> Submitter {
    let mut deployment = deployment(verifier, &catch_up().0);
    edit(&mut deployment);
    let deployed = deployment.deploy(&anvil.sender(0).await, &mut |_| Ok(())).await.unwrap();
    Submitter::new(anvil.sender(1).await, deployed.contract).await.unwrap()
}

async fn submit(submitter: &Submitter, statements: &[ProofRecord]) -> Result<Outcome, SubmitError> {
    submitter.submit_bundle(&bundle(statements), statements, &[], &mut |_| Ok(())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_statement_teaches_signs_the_next() {
    let anvil = anvil();
    let (first, next) = taught_and_signed();
    let all = [first, next].map(|it| record(&Statement::Inclusion(it)));
    let reversed = [all[1].clone(), all[0].clone()];
    let (bundled, other) = (bundle(&all), bundle(&reversed));
    let submitter = client(&anvil, accepts_only(&anvil, &[&bundled, &other]).await, |_| ()).await;
    for error in [
        submitter.preflight_bundle(&other, &reversed).await.unwrap_err(),
        submitter.dry_run_bundle(&other, &reversed).await.unwrap_err(),
        submit(&submitter, &reversed).await.unwrap_err(),
    ] {
        let SubmitError::Bundled { index: 0, refusal: Refusal::Contract(Reason::UnknownCommittee(_)) } =
            &error
        else {
            panic!("{error}")
        };
        assert!(error.is_passing() && error.to_string().contains("statement 0"), "{error}");
    }
    submitter.preflight_bundle(&bundled, &all).await.unwrap();
    let outcome = submit(&submitter, &all).await.unwrap();
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    for statement in &all {
        assert!(submitter.proven_at(&statement.public_values).await.unwrap().is_some());
    }

    // Again: known, and nothing is sent.
    let again = submitter.submit_bundle(&bundled, &all, &[], &mut |_| panic!("sent twice")).await.unwrap();
    assert!(matches!(again, Outcome::Known(_)), "{again:?}");
}

/// Somebody was faster with one of them: the other one is still worth the proof.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_there_is_passed_over() {
    let anvil = anvil();
    let (first, next) = taught_and_signed();
    let all = [first, next].map(|it| record(&Statement::Inclusion(it)));
    let bundled = bundle(&all);
    let submitter = client(&anvil, accepts_only(&anvil, &[&all[0], &bundled]).await, |_| ()).await;
    submitter.submit(&all[0], &[], &mut |_| Ok(())).await.unwrap();
    submitter.preflight_bundle(&bundled, &all).await.unwrap();
    let outcome = submit(&submitter, &all).await.unwrap();
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    assert!(submitter.proven_at(&all[1].public_values).await.unwrap().is_some());
}

/// What is said of a statement before anything is sent is what the contract says, and with its index.
#[tokio::test(flavor = "multi_thread")]
async fn natively_as_on_the_contract() {
    let anvil = anvil();
    // Accepts everything: what is refused, the light client refuses.
    let submitter = client(&anvil, anvil.code("00").await, |_| ()).await;
    let (good, time) = (inclusion(|_| ()), catch_up().1.head.finalized_slot);
    let change =
        |head: Head| record(&Statement::CommitteeChange(CommitteeChange { head, learned: Vec::new() }));
    let edits: [fn(&mut Inclusion); 9] = [
        |it| it.head.chain_digest = [9; 32],
        |it| it.head.signer_period += 9,
        |it| it.head.signer_committee_root = [9; 32],
        |it| it.head.participation = 341,
        |it| it.head.finalized_slot += 100_000,
        |it| it.head.finalized_slot -= 1_000_000,
        |it| it.learned[0].period += 1,
        |it| it.learned[0].committee_root = [0; 32],
        // Several at once: the first counts.
        |it| (it.head.participation, it.head.finalized_slot) = (1, 1),
    ];
    let mut bad: Vec<_> = edits.into_iter().map(inclusion).collect();
    bad.push(change(Head { program: Program::CommitteeChange, finalized_slot: time, ..catch_up().1.head }));
    bad.push(ProofRecord { public_values: [&good.public_values[..], &[0; 32]].concat(), ..good.clone() });
    let mut reasons = std::collections::BTreeSet::new();
    for bad in bad {
        let statements = [good.clone(), bad];
        let bundled = bundle(&statements);
        let data = bundle_calldata(&bundled, &statements).unwrap();
        let theirs = match submitter.sender().dry_run(Some(submitter.contract()), &data).await {
            Err(SubmitError::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        };
        let error = submitter.preflight_bundle(&bundled, &statements).await.unwrap_err();
        let SubmitError::Bundled { index: 1, refusal } = error else { panic!("{error}, {theirs}") };
        assert_eq!(refusal, theirs);
        let told = format!("{refusal:?}");
        reasons.insert(told.split('(').nth(1).unwrap().to_owned());
    }
    assert_eq!(reasons.len(), 8, "{reasons:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_left_out_is_named() {
    let anvil = anvil();
    let slot = catch_up().1.head.finalized_slot;
    let next_fork = sextant_submit::NextFork { slot, digest: B256::repeat_byte(4) };
    let verifier = anvil.code("00").await;
    let submitter = client(&anvil, verifier, |it| it.trust.next_fork = Some(next_fork)).await;
    let all = [inclusion(|it| it.head.finalized_slot -= 32), inclusion(|_| ())];
    let error = submitter.dry_run_bundle(&bundle(&all), &all).await.unwrap_err();
    assert!(
        matches!(
            &error,
            SubmitError::Bundled { index: 1, refusal: Refusal::Contract(Reason::ForkLeftOut(_)) }
        ),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn other_statements_than_the_bundles_are_named() {
    let anvil = anvil();
    let submitter = client(&anvil, anvil.code("00").await, |_| ()).await;
    let all = [inclusion(|_| ()), inclusion(|it| it.head.participation -= 1)];
    let bundled = bundle(&all);
    for (statements, reason) in [
        (vec![all[0].clone(), all[0].clone()], "statement 1 (from 0) is another one"),
        (vec![all[0].clone()], "1 statements came with a bundle of 2"),
    ] {
        for error in [
            submitter.preflight_bundle(&bundled, &statements).await.unwrap_err(),
            submitter.dry_run_bundle(&bundled, &statements).await.unwrap_err(),
        ] {
            assert!(error.to_string().contains(reason) && !error.is_passing(), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_with_another_bundle_program_or_none() {
    let anvil = anvil();
    let verifier = anvil.verifier().await;
    let all = [inclusion(|_| ())];
    let submitter = client(&anvil, verifier, |it| it.trust.bundle_key = None).await;
    let error = submitter.preflight_bundle(&bundle(&all), &all).await.unwrap_err();
    assert!(matches!(error, SubmitError::Preflight(PreflightError::NoBundles)), "{error}");
    let error = submitter.dry_run_bundle(&bundle(&all), &all).await.unwrap_err();
    assert!(matches!(&error, SubmitError::Refused(Refusal::Contract(Reason::NoBundles(_)))), "{error}");
    let submitter = client(&anvil, verifier, |it| it.trust.bundle_key = Some(B256::repeat_byte(5))).await;
    let error = submitter.preflight_bundle(&bundle(&all), &all).await.unwrap_err();
    assert!(error.to_string().contains("verifying key of bundles"), "{error}");
}

/// A committee lied within a bundle: it is accepted, and said.
#[tokio::test(flavor = "multi_thread")]
async fn a_contradiction_within_a_bundle_is_told() {
    let anvil = anvil();
    let all = [inclusion(|_| ()), inclusion(|it| it.learned[0].committee_root = [7; 32])];
    let submitter = client(&anvil, accepts_only(&anvil, &[&bundle(&all)]).await, |_| ()).await;
    submitter.preflight_bundle(&bundle(&all), &all).await.unwrap();
    let outcome = submit(&submitter, &all).await.unwrap();
    assert!(matches!(outcome, Outcome::Contradicts(_)), "{outcome:?}");
}
