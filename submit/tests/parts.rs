//! Statements that share the proof of a bundle, on a real node: each is submitted by itself and ends as it would alone.

mod common;

use common::{Anvil, GENESIS, accepts_only, catch_up, deployment};
use sextant_consensus::{
    Program,
    public_values::{Bundle, Bundled, Inclusion},
};
use sextant_protocol::ProofRecord;
use sextant_submit::{
    Address, Deployment, Outcome, PreflightError, Refusal, SubmitError, Submitter, calldata,
    contract::LightClientErrors as Reason,
};

/// An inclusion that teaches a committee, and one that this committee signed.
fn statements() -> [Vec<u8>; 2] {
    let (_, first) = catch_up();
    let mut next: Inclusion = first.clone();
    let taught = first.learned[0];
    (next.head.signer_period, next.head.signer_committee_root) = (taught.period, taught.committee_root);
    next.learned.clear();
    [first.abi_encode(), next.abi_encode()]
}

/// The bundle of these inclusions, with a proof that is none.
fn bundle(statements: &[Vec<u8>]) -> ProofRecord {
    let parts = statements.iter().map(|values| Bundled::of(Program::Inclusion, values)).collect();
    let bundle = Bundle { chain_digest: catch_up().1.head.chain_digest, parts };
    ProofRecord {
        program: Program::Bundle.tag(),
        vk_hash: sextant_artifacts::BUNDLE.vk_hash,
        public_values: bundle.abi_encode(),
        ..catch_up().0
    }
}

fn placed(statement: &[u8], index: u32, bundle: &ProofRecord) -> ProofRecord {
    ProofRecord::in_bundle(Program::Inclusion, statement.to_vec(), index, bundle)
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

/// The verifier takes the bundle's proof and no other.
#[tokio::test(flavor = "multi_thread")]
async fn each_goes_by_itself_and_is_known_then() {
    let anvil = anvil();
    let all = statements();
    let bundle = bundle(&all);
    let [first, next] = [0, 1].map(|index| placed(&all[index], index as u32, &bundle));
    let submitter = client(&anvil, accepts_only(&anvil, &[&bundle]).await, |_| ()).await;
    // Its committee is taught by the first.
    let error = submitter.preflight_proofs(std::slice::from_ref(&next)).await.unwrap_err();
    assert!(matches!(error, SubmitError::Preflight(PreflightError::PeriodsApart { .. })), "{error}");
    let error = submitter.dry_run(&next).await.unwrap_err();
    assert!(
        matches!(&error, SubmitError::Refused(Refusal::Contract(Reason::UnknownCommittee(_)))),
        "{error}"
    );
    submitter.preflight_proofs(&[first.clone(), next.clone()]).await.unwrap();
    for part in [&first, &next] {
        submitter.dry_run(part).await.unwrap();
        let outcome = submitter.submit(part, &[], &mut |_| Ok(())).await.unwrap();
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        assert!(submitter.proven_at(&part.public_values).await.unwrap().is_some());
        let again = submitter.submit(part, &[], &mut |_| panic!("sent twice")).await.unwrap();
        assert!(matches!(again, Outcome::Known(_)), "{again:?}");
    }
}

/// What is said of a place before anything is sent is what the contract says.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_elsewhere_is_refused_natively_as_on_the_contract() {
    let anvil = anvil();
    let all = statements();
    let bundle = bundle(&all);
    let submitter = client(&anvil, accepts_only(&anvil, &[&bundle]).await, |_| ()).await;
    let mut edited = all[0].clone();
    *edited.last_mut().unwrap() ^= 1;
    for part in [placed(&all[0], 1, &bundle), placed(&all[0], 2, &bundle), placed(&edited, 0, &bundle)] {
        let data = calldata(&part).unwrap();
        let theirs = match submitter.sender().dry_run(Some(submitter.contract()), &data).await {
            Err(SubmitError::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        };
        let error = submitter.preflight_proofs(std::slice::from_ref(&part)).await.unwrap_err();
        let SubmitError::Refused(refusal) = &error else { panic!("{error}, {theirs}") };
        assert_eq!(refusal, &theirs);
        assert!(error.to_string().contains("another one than the bundle has there") && !error.is_passing());
    }
    let torn = ProofRecord { proof: vec![1], ..placed(&all[0], 0, &bundle) };
    let error = submitter.preflight_proofs(&[torn]).await.unwrap_err();
    assert!(matches!(error, SubmitError::Place(_)), "{error}");
}

/// The key that counts is the bundle program's.
#[tokio::test(flavor = "multi_thread")]
async fn a_contract_without_a_bundle_program_is_named() {
    let anvil = anvil();
    let all = statements();
    let part = placed(&all[0], 0, &bundle(&all));
    let submitter = client(&anvil, anvil.verifier().await, |it| it.trust.bundle_key = None).await;
    let error = submitter.preflight_proofs(std::slice::from_ref(&part)).await.unwrap_err();
    assert!(matches!(error, SubmitError::Preflight(PreflightError::NoBundles)), "{error}");
    let error = submitter.dry_run(&part).await.unwrap_err();
    assert!(matches!(&error, SubmitError::Refused(Refusal::Contract(Reason::NoBundles(_)))), "{error}");
}
