//! What is looked at before anything is proven for a contract: on a real node, with the recorded proofs.

mod common;

use common::{Anvil, GENESIS, deployment, recorded};
use sextant_submit::{
    Address, B256, FixedBytes, Ours, PreflightError, SubmitError, Submitter, Trust, probe_verifier,
};

/// An hour after the recorded handover's finalized slot.
const TIME: u64 = GENESIS + 12 * 9_420_800 + 3600;

fn ours(trust: &Trust) -> Ours {
    let Trust { committee_change_key, inclusion_key, bundle_key, chain_digest, selector, .. } = trust.clone();
    let (bundle_key, selector) = (bundle_key.unwrap(), Some(selector));
    Ours { committee_change_key, inclusion_key, bundle_key, chain_digest, selector }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_contract_is_and_knows_is_read_in_one_call() {
    let anvil = Anvil::start(TIME, &[]);
    let record = recorded("one-handover.proof");
    let mut deployment = deployment(anvil.verifier().await, &record);
    (deployment.guardian, deployment.delay) = (Address::repeat_byte(7), 86_400);
    let deployed = deployment.deploy(&anvil.sender(0).await, &mut |_| Ok(())).await.unwrap();
    let submitter = Submitter::new(anvil.sender(1).await, deployed.contract).await.unwrap();
    let (first, count) = (deployment.period - 1, 4);
    let known = submitter.knowledge(first, count).await.unwrap();
    assert_eq!((&known.trust, &known.rules), (&deployment.trust, &deployment.rules));
    assert_eq!((known.guardian, known.delay), (Some(deployment.guardian), 86_400));
    assert!(known.head_slot == deployment.slot && known.time >= TIME);
    assert_eq!(known.committees, [(deployment.period, deployment.committee_root)].into());

    submitter.preflight(&ours(&deployment.trust)).await.unwrap();
    submitter.preflight_proofs(std::slice::from_ref(&record)).await.unwrap();
    submitter.submit(&record, &[], &mut |_| Ok(())).await.unwrap();
    let known = submitter.knowledge(first, count).await.unwrap();
    assert_eq!(known.committees.keys().copied().collect::<Vec<_>>(), [first + 1, first + 2]);
    assert_eq!(submitter.contradicted_at(known.head_slot).await.unwrap(), None);
}

/// What is accepted without proof is worse than none: a verifier for tests, or code that does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_that_accepts_anything_is_refused() {
    let anvil = Anvil::start(TIME, &[]);
    let nodes = anvil.nodes();
    let (selector, key) = (FixedBytes([1, 2, 3, 4]), B256::repeat_byte(1));
    // STOP; and one that only takes no proof at all: reverts unless the third argument's length is zero.
    for runtime in ["00", "6044356004013515600e575f5ffd5b00"] {
        let verifier = anvil.code(runtime).await;
        let error = probe_verifier(&nodes, verifier, selector, key).await.unwrap_err();
        assert!(
            matches!(error, SubmitError::Preflight(PreflightError::AcceptsAnything(at)) if at == verifier),
            "{runtime}: {error}"
        );
    }
    let verifier = anvil.verifier().await;
    let error = probe_verifier(&nodes, verifier, selector, key).await.unwrap_err();
    assert!(matches!(error, SubmitError::Preflight(PreflightError::OtherCircuits { .. })), "{error}");
    let record = recorded("one-handover.proof");
    let selector = FixedBytes::from_slice(&record.proof[..4]);
    probe_verifier(&nodes, verifier, selector, key).await.unwrap();
    let nobody = Address::repeat_byte(9);
    let error = probe_verifier(&nodes, nobody, selector, key).await.unwrap_err();
    assert!(matches!(error, SubmitError::NoContract(at) if at == nobody), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_no_light_client_is_refused() {
    let anvil = Anvil::start(TIME, &[]);
    // It says nothing to anything; it reverts; it is another kind of contract.
    for other in [anvil.code("00").await, anvil.code("5f5ffd").await, anvil.verifier().await] {
        let error = Submitter::new(anvil.sender(0).await, other).await.unwrap_err();
        assert!(
            matches!(error, SubmitError::Preflight(PreflightError::NoLightClient(at)) if at == other),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_for_other_proofs_is_refused() {
    let anvil = Anvil::start(TIME, &[]);
    let record = recorded("one-handover.proof");
    let deployment = deployment(anvil.verifier().await, &record);
    let ours = ours(&deployment.trust);
    for (edit, named) in [
        ((|trust| trust.committee_change_key = B256::repeat_byte(5)) as fn(&mut Trust), "committee changes"),
        (|trust| trust.selector = FixedBytes([5; 4]), "circuits"),
        (|trust| trust.chain_digest = B256::repeat_byte(5), "chain digest"),
    ] {
        let mut other = deployment.clone();
        edit(&mut other.trust);
        let deployed = other.deploy(&anvil.sender(0).await, &mut |_| Ok(())).await.unwrap();
        let submitter = Submitter::new(anvil.sender(1).await, deployed.contract).await.unwrap();
        for end in [
            submitter.preflight(&ours).await,
            submitter.preflight_proofs(std::slice::from_ref(&record)).await,
        ] {
            let error = end.unwrap_err();
            assert!(!error.is_passing() && error.to_string().contains(named), "{named}: {error}");
        }
    }
}

/// Proofs that no submission can lead up to: known before the first of them is paid for.
#[tokio::test(flavor = "multi_thread")]
async fn proofs_of_periods_that_do_not_meet_are_refused() {
    let anvil = Anvil::start(GENESIS + 12 * 9_567_552 + 3600, &[]);
    let (handover, inclusion) = (recorded("one-handover.proof"), recorded("inclusion.proof"));
    let deployment = deployment(anvil.verifier().await, &handover);
    let deployed = deployment.deploy(&anvil.sender(0).await, &mut |_| Ok(())).await.unwrap();
    let submitter = Submitter::new(anvil.sender(1).await, deployed.contract).await.unwrap();
    for records in [vec![inclusion.clone()], vec![handover.clone(), inclusion]] {
        let error = submitter.preflight_proofs(&records).await.unwrap_err();
        let apart = |error: &SubmitError| match error {
            SubmitError::Preflight(PreflightError::PeriodsApart { period, .. }) => {
                *period > deployment.period + 1
            }
            _ => false,
        };
        assert!(apart(&error), "{error}");
    }
    submitter.preflight_proofs(&[handover]).await.unwrap();
}
