//! An inclusion that begins with handovers, on a real node: one transaction teaches its committees and proves its facts.

mod common;

use common::{Anvil, GENESIS, accepts_only, catch_up as record, deployment, recorded};
use sextant_consensus::public_values::{Inclusion, Statement};
use sextant_protocol::ProofRecord;
use sextant_submit::{B256, Deployment, Outcome, PreflightError, SubmitError, Submitter, learned};

/// A light client that knows the committee with which the statement begins, and someone who submits to it.
async fn client(anvil: &Anvil, edit: impl FnOnce(&mut Deployment)) -> Submitter {
    let (record, _) = record();
    let mut deployment = deployment(accepts_only(anvil, &[&record]).await, &record);
    edit(&mut deployment);
    let deployed = deployment.deploy(&anvil.sender(0).await, &mut |_| Ok(())).await.unwrap();
    Submitter::new(anvil.sender(1).await, deployed.contract).await.unwrap()
}

/// Gas that a handover, a slot and a log may cost in one transaction, with the verifier.
const GAS: u64 = 370_000;

fn anvil() -> Anvil {
    Anvil::start(GENESIS + 12 * record().1.head.finalized_slot + 3600, &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn one_submission_teaches_what_later_ones_need() {
    let anvil = anvil();
    let submitter = client(&anvil, |_| ()).await;
    let (record, statement) = record();
    let (first, taught) = (statement.head.signer_period, statement.learned.clone());
    assert!(!taught.is_empty());
    assert!(!submitter.knowledge(first, 8).await.unwrap().committees.contains_key(&taught[0].period));

    // Signed by a committee that only the first one of the two teaches.
    let mut later = statement.clone();
    (later.head.signer_period, later.head.signer_committee_root) =
        (taught[0].period, taught[0].committee_root);
    later.learned.clear();
    let later = ProofRecord { public_values: later.abi_encode(), ..record.clone() };
    let error = submitter.preflight_proofs(&[later.clone(), record.clone()]).await.unwrap_err();
    let apart = |error: &SubmitError| match error {
        SubmitError::Preflight(PreflightError::PeriodsApart { period, .. }) => *period == taught[0].period,
        _ => false,
    };
    assert!(apart(&error), "{error}");
    submitter.preflight_proofs(&[record.clone(), later.clone()]).await.unwrap();

    let outcome = submitter.submit(&record, &[], &mut |_| Ok(())).await.unwrap();
    let Outcome::Accepted(mined) = outcome else { panic!("{outcome:?}") };
    println!("{} gas beside the verifier", mined.gas_used);
    let known = submitter.knowledge(first, 8).await.unwrap();
    for learned in learned(&Statement::Inclusion(statement.clone())) {
        assert_eq!(known.committees.get(&learned.period), Some(&learned.committee_root.into()));
    }
    assert_eq!(known.head_slot, statement.head.finalized_slot);
    submitter.preflight_proofs(&[later]).await.unwrap();

    // Again: known, and nothing is sent.
    submitter.preflight_proofs(std::slice::from_ref(&record)).await.unwrap();
    let again = submitter.submit(&record, &[], &mut |_| panic!("sent twice")).await.unwrap();
    assert!(matches!(again, Outcome::Known(_)), "{again:?}");
}

/// With a real proof, and the verifier of its circuits.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_proof_teaches_and_proves_for_its_gas() {
    const NAME: &str = "catch-up-slot-and-log.proof";
    let record = recorded(NAME);
    let statement = Inclusion::abi_decode(&record.public_values).unwrap();
    assert!(!statement.learned.is_empty() && !statement.accounts.is_empty() && !statement.logs.is_empty());
    let anvil = Anvil::start(GENESIS + 12 * statement.head.finalized_slot + 3600, &[]);
    let deployment = deployment(anvil.verifier().await, &record);
    let deployed = deployment.deploy(&anvil.sender(0).await, &mut |_| Ok(())).await.unwrap();
    let submitter = Submitter::new(anvil.sender(1).await, deployed.contract).await.unwrap();
    submitter.preflight_proofs(std::slice::from_ref(&record)).await.unwrap();
    let outcome = submitter.submit(&record, &[], &mut |_| Ok(())).await.unwrap();
    let Outcome::Accepted(mined) = outcome else { panic!("{outcome:?}") };
    println!("{NAME}: {} gas", mined.gas_used);
    assert!(mined.gas_used <= GAS, "{} gas, at most {GAS}", mined.gas_used);
    let known = submitter.knowledge(statement.head.signer_period, 8).await.unwrap();
    let learned = statement.learned.last().unwrap();
    assert_eq!(known.committees.get(&learned.period), Some(&learned.committee_root.into()));
}

/// The contract begins at the committee that signed. That one would do, but the statement begins before it.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_begins_before_the_contract_is_refused_by_name() {
    let anvil = anvil();
    let (record, statement) = record();
    let last = statement.learned.last().unwrap();
    let submitter = client(&anvil, |deployment| {
        (deployment.period, deployment.committee_root) = (last.period, last.committee_root.into());
    })
    .await;
    let error = submitter.preflight_proofs(std::slice::from_ref(&record)).await.unwrap_err();
    let expected =
        PreflightError::BeginsTooEarly { period: statement.head.signer_period, known: last.period };
    assert!(matches!(&error, SubmitError::Preflight(got) if *got == expected), "{error}");
    assert!(submitter.submit(&record, &[], &mut |_| panic!("sent")).await.is_err());
}

/// A committee lied: the contract says so instead of learning.
#[tokio::test(flavor = "multi_thread")]
async fn another_committee_than_the_known_one_is_a_contradiction() {
    let anvil = anvil();
    let (first, statement) = record();
    let mut other = statement.clone();
    other.learned[0].committee_root = [7; 32];
    let other = ProofRecord { public_values: other.abi_encode(), ..first.clone() };
    let deployment = deployment(accepts_only(&anvil, &[&first, &other]).await, &first);
    let deployed = deployment.deploy(&anvil.sender(0).await, &mut |_| Ok(())).await.unwrap();
    let submitter = Submitter::new(anvil.sender(1).await, deployed.contract).await.unwrap();
    submitter.submit(&first, &[], &mut |_| Ok(())).await.unwrap();
    submitter.preflight_proofs(std::slice::from_ref(&other)).await.unwrap();
    let outcome = submitter.submit(&other, &[], &mut |_| Ok(())).await.unwrap();
    assert!(matches!(outcome, Outcome::Contradicts(_)), "{outcome:?}");
    let known = submitter.knowledge(statement.learned[0].period, 1).await.unwrap();
    let root = B256::from(statement.learned[0].committee_root);
    assert_eq!(known.committees.values().collect::<Vec<_>>(), [&root]);
}
