//! Real proofs of real statements about mainnet, on a real node: accepted once, and refused for each reason.

mod common;

use common::{Anvil, GENESIS, deployment, patience, recorded};
use sextant_consensus::public_values::Statement;
use sextant_protocol::ProofRecord;
use sextant_submit::{
    Address, B256, Fees, Meaning, Outcome, Patience, Refusal, Sent, SubmitError, Submitter,
    contract::{LightClientErrors as Client, VerifiersErrors as Verifier},
};

/// An hour after the later of the two statements' finalized slots.
const TIME: u64 = GENESIS + 12 * 9_567_552 + 3600;

/// Gas that a submission may cost, first use of storage included: one handover, two, an inclusion of one slot.
const GAS: [(&str, u64); 3] =
    [("one-handover.proof", 320_000), ("committee-change.proof", 345_000), ("inclusion.proof", 300_000)];

fn change() -> ProofRecord {
    recorded("committee-change.proof")
}

fn inclusion() -> ProofRecord {
    recorded("inclusion.proof")
}

fn statement(record: &ProofRecord) -> Statement {
    let program = record.program().unwrap();
    Statement::abi_decode(program, &record.public_values).unwrap()
}

/// The proof under a statement that is edited.
fn with_statement(record: &ProofRecord, edit: impl Fn(&mut Statement)) -> ProofRecord {
    let mut statement = statement(record);
    edit(&mut statement);
    ProofRecord { public_values: statement.abi_encode(), ..record.clone() }
}

/// A light client for a statement, and someone who submits to it.
async fn submitter(anvil: &Anvil, verifier: Address, record: &ProofRecord) -> Submitter {
    let deployed =
        deployment(verifier, record).deploy(&anvil.sender(0).await, &mut |_| Ok(())).await.unwrap();
    Submitter::new(anvil.sender(1).await, deployed.contract).await.unwrap()
}

async fn submit(submitter: &Submitter, record: &ProofRecord) -> Result<Outcome, SubmitError> {
    submitter.submit(record, &[], &mut |_| Ok(())).await
}

/// What a dry run is refused with.
async fn refusal(submitter: &Submitter, record: &ProofRecord) -> Refusal {
    match submitter.dry_run(record).await {
        Err(SubmitError::Refused(refusal)) => refusal,
        other => panic!("not refused by the contract: {other:?}"),
    }
}

/// The proof goes onto a contract of its own once, for at most `limit` gas.
async fn accepted_once(anvil: &Anvil, verifier: Address, name: &str, limit: u64) {
    let record = recorded(name);
    let submitter = submitter(anvil, verifier, &record).await;
    assert_eq!(submitter.proven_at(&record.public_values).await.unwrap(), None);
    let mut sent = Vec::new();
    let mut on_sent = |transaction: &Sent| {
        sent.push(transaction.clone());
        Ok(())
    };
    let outcome = submitter.submit(&record, &[], &mut on_sent).await.unwrap();
    let Outcome::Accepted(mined) = outcome else { panic!("{outcome:?}") };
    println!("{name}: {} gas", mined.gas_used);
    assert!(mined.gas_used <= limit, "{} gas, at most {limit}", mined.gas_used);
    assert_eq!(sent.iter().map(|sent| sent.hash).collect::<Vec<_>>(), [mined.hash]);
    assert!(submitter.proven_at(&record.public_values).await.unwrap().is_some());

    // Again: known, and nothing is sent. After a crash: found by its transaction.
    let again = submitter.submit(&record, &[], &mut |_| panic!("sent twice")).await.unwrap();
    assert!(matches!(again, Outcome::Known(refusal) if refusal.is_known()));
    let resumed = submitter.submit(&record, &sent, &mut |_| panic!("sent twice")).await.unwrap();
    assert_eq!(resumed, Outcome::Accepted(mined));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_proof_is_accepted_once() {
    let anvil = Anvil::start(TIME, &[]);
    let verifier = anvil.verifier().await;
    for (name, limit) in GAS {
        accepted_once(&anvil, verifier, name, limit).await;
    }
}

/// A handover, a slot and a log in one transaction, for a client of the committee before.
#[tokio::test(flavor = "multi_thread")]
async fn a_catch_up_with_a_slot_and_a_log_is_accepted_once() {
    let name = "catch-up-slot-and-log.proof";
    let finalized = statement(&recorded(name)).head().unwrap().finalized_slot;
    // The contract counts its slots from mainnet's first one.
    let anvil = Anvil::start(GENESIS + 12 * finalized + 3600, &[]);
    accepted_once(&anvil, anvil.verifier().await, name, 370_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_hold_is_refused_for_its_reason() {
    let anvil = Anvil::start(TIME, &[]);
    let verifier = anvil.verifier().await;
    let (change, inclusion) = (change(), inclusion());
    let on_change = submitter(&anvil, verifier, &change).await;
    let on_inclusion = submitter(&anvil, verifier, &inclusion).await;

    // A statement whose signers nobody introduced.
    let unknown = refusal(&on_change, &inclusion).await;
    assert!(matches!(unknown, Refusal::Contract(Client::UnknownCommittee(_))), "{unknown}");
    // The other program's proof, and a proof with a bit turned: the pairing does not come out, or points are none.
    let other = ProofRecord { proof: inclusion.proof.clone(), ..change.clone() };
    assert!(matches!(refusal(&on_change, &other).await, Refusal::Verifier(Verifier::ProofInvalid(_))));
    let mut turned = change.clone();
    *turned.proof.last_mut().unwrap() ^= 1;
    assert!(matches!(refusal(&on_change, &turned).await, Refusal::Verifier(Verifier::ProofInvalid(_))));
    // A proof that says that the program ended with an error; one of other recursion keys; one of other circuits.
    for (position, is_reason) in [
        (
            35,
            (|reason| matches!(reason, Refusal::Verifier(Verifier::InvalidExitCode(_))))
                as fn(&Refusal) -> bool,
        ),
        (67, |reason| matches!(reason, Refusal::Verifier(Verifier::InvalidVkRoot(_)))),
        (0, |reason| matches!(reason, Refusal::Contract(Client::WrongCircuits(_)))),
    ] {
        let mut edited = change.clone();
        edited.proof[position] ^= 1;
        let refusal = refusal(&on_change, &edited).await;
        assert!(is_reason(&refusal), "{position}: {refusal}");
    }
    // Edited public values that are still a statement's: another learned root, another balance.
    let edited_change = with_statement(&change, |statement| match statement {
        Statement::CommitteeChange(values) => values.learned.last_mut().unwrap().committee_root[31] ^= 1,
        _ => unreachable!("a committee change"),
    });
    let edited_inclusion = with_statement(&inclusion, |statement| match statement {
        Statement::Inclusion(values) => values.accounts[0].balance[31] ^= 1,
        _ => unreachable!("an inclusion"),
    });
    for (submitter, edited) in [(&on_change, edited_change), (&on_inclusion, edited_inclusion)] {
        let refusal = refusal(submitter, &edited).await;
        assert!(matches!(refusal, Refusal::Verifier(Verifier::ProofInvalid(_))), "{refusal}");
    }
    // A contract of another chain; one for which the statement is too old.
    let mut foreign = deployment(verifier, &change);
    foreign.trust.chain_digest = B256::repeat_byte(7);
    let mut strict = deployment(verifier, &change);
    strict.rules.max_age = 24 * 60 * 60;
    for (deployment, is_reason, meaning) in [
        (foreign, (|error| matches!(error, Client::WrongChain(_))) as fn(&Client) -> bool, Meaning::Passing),
        (strict, |error| matches!(error, Client::TooOld(_)), Meaning::Outdated),
    ] {
        let deployed = deployment.deploy(&anvil.sender(0).await, &mut |_| Ok(())).await.unwrap();
        let submitter = Submitter::new(anvil.sender(1).await, deployed.contract).await.unwrap();
        let error = submit(&submitter, &change).await.unwrap_err();
        let SubmitError::Refused(refusal) = &error else { panic!("{error}") };
        assert!(matches!(refusal, Refusal::Contract(reason) if is_reason(reason)), "{error}");
        assert!(refusal.meaning() == meaning && error.is_passing(), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_without_a_verifier_is_not_deployed() {
    let anvil = Anvil::start(TIME, &[]);
    let sender = anvil.sender(0).await;
    let nobody = Address::repeat_byte(9);
    let error = deployment(nobody, &change()).deploy(&sender, &mut |_| panic!("sent")).await.unwrap_err();
    assert!(matches!(error, SubmitError::NoContract(address) if address == nobody));
    let error = Submitter::new(sender, nobody).await.unwrap_err();
    assert!(matches!(error, SubmitError::NoContract(_)));
}

/// Two followers by mistake, with one key and at once: one pays, the other learns that it is done.
#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_do_no_harm() {
    let anvil = Anvil::start(TIME, &["--block-time", "1"]);
    let (record, verifier) = (change(), anvil.verifier().await);
    let first = submitter(&anvil, verifier, &record).await;
    let second = Submitter::new(anvil.sender(1).await, first.contract()).await.unwrap();
    let (one, other) = tokio::join!(submit(&first, &record), submit(&second, &record));
    let accepted = [&one, &other].iter().filter(|end| matches!(end, Ok(Outcome::Accepted(_)))).count();
    assert!(accepted >= 1, "{one:?} {other:?}");
    for end in [one, other] {
        assert!(end.is_ok(), "{end:?}");
    }
    assert!(first.proven_at(&record.public_values).await.unwrap().is_some());
}

/// A transaction that no block takes is replaced by one that pays more, until the cap.
#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_transaction_is_replaced() {
    let anvil = Anvil::start(TIME, &[]);
    let record = change();
    let stuck = submitter(&anvil, anvil.verifier().await, &record).await;
    let nodes = anvil.nodes();
    nodes.call("evm_setAutomine", serde_json::json!([false])).await.unwrap();
    let mut sent: Vec<Sent> = Vec::new();
    let mut on_sent = |transaction: &Sent| {
        sent.push(transaction.clone());
        Ok(())
    };
    let miner = async {
        tokio::time::sleep(std::time::Duration::from_millis(3500)).await;
        nodes.call("evm_mine", serde_json::json!([])).await.unwrap();
    };
    let (outcome, ()) = tokio::join!(stuck.submit(&record, &[], &mut on_sent), miner);
    let Outcome::Accepted(mined) = outcome.unwrap() else { panic!("not accepted") };
    assert!(sent.len() >= 3, "replaced every second: {}", sent.len());
    assert!(sent.iter().all(|transaction| transaction.nonce == sent[0].nonce));
    assert_eq!(mined.hash, sent.last().unwrap().hash, "the last one pays most");
}

/// Where blocks are wanted on top, a transaction that is in a block is neither replaced nor taken for lost meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn confirmations_are_waited_for() {
    let anvil = Anvil::start(TIME, &[]);
    let record = change();
    let contract = submitter(&anvil, anvil.verifier().await, &record).await.contract();
    let careful = Patience { confirmations: 3, ..patience() };
    let sender = anvil.sender_with(1, Fees::default(), careful).await;
    let submitter = Submitter::new(sender, contract).await.unwrap();
    let nodes = anvil.nodes();
    let miner = async {
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        nodes.call("anvil_mine", serde_json::json!(["0x3"])).await.unwrap();
        std::time::Instant::now()
    };
    let mut sent = 0;
    let mut on_sent = |_: &Sent| {
        sent += 1;
        Ok(())
    };
    let (outcome, mined_at) = tokio::join!(submitter.submit(&record, &[], &mut on_sent), miner);
    assert!(matches!(outcome.unwrap(), Outcome::Accepted(_)));
    assert!(mined_at.elapsed() < std::time::Duration::from_secs(1));
    assert_eq!(sent, 1);
}

/// A block that is replaced takes its transactions along: what was in it is sent again, as it was signed.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_reorganisation_takes_away_is_sent_again() {
    let anvil = Anvil::start(TIME, &[]);
    let record = change();
    let contract = submitter(&anvil, anvil.verifier().await, &record).await.contract();
    // Nothing is replaced meanwhile.
    let careful =
        Patience { confirmations: 2, replace_after: std::time::Duration::from_secs(60), ..patience() };
    let submitter =
        Submitter::new(anvil.sender_with(1, Fees::default(), careful).await, contract).await.unwrap();
    let nodes = anvil.nodes();
    let before = nodes.call("evm_snapshot", serde_json::json!([])).await.unwrap();
    let reorganisation = async {
        while submitter.proven_at(&record.public_values).await.unwrap().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        // Long enough to be seen in its block.
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        nodes.call("evm_revert", serde_json::json!([before])).await.unwrap();
        while submitter.proven_at(&record.public_values).await.unwrap().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        nodes.call("anvil_mine", serde_json::json!(["0x2"])).await.unwrap();
    };
    let mut sent = 0;
    let mut on_sent = |_: &Sent| {
        sent += 1;
        Ok(())
    };
    let (outcome, ()) = tokio::join!(submitter.submit(&record, &[], &mut on_sent), reorganisation);
    assert!(matches!(outcome.unwrap(), Outcome::Accepted(_)));
    assert_eq!(sent, 1, "the same transaction");
}

/// In a block is not yet the end where blocks are wanted on top: that it is there is said.
#[tokio::test(flavor = "multi_thread")]
async fn what_stays_unconfirmed_is_told_apart_from_what_is_in_no_block() {
    let anvil = Anvil::start(TIME, &[]);
    let record = change();
    let contract = submitter(&anvil, anvil.verifier().await, &record).await.contract();
    let hasty = Patience { confirmations: 9, total: std::time::Duration::from_secs(1), ..patience() };
    let hasty = Submitter::new(anvil.sender_with(1, Fees::default(), hasty).await, contract).await.unwrap();
    let error = submit(&hasty, &record).await.unwrap_err();
    assert!(
        matches!(error, SubmitError::Unconfirmed { confirmations: 9, .. }) && error.is_passing(),
        "{error}"
    );
}

/// Without a block there is an end to waiting, and what was sent is still good afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_and_goes_on_later() {
    let anvil = Anvil::start(TIME, &[]);
    let record = change();
    let contract = submitter(&anvil, anvil.verifier().await, &record).await.contract();
    let nodes = anvil.nodes();
    nodes.call("evm_setAutomine", serde_json::json!([false])).await.unwrap();
    let hasty = Patience { total: std::time::Duration::from_millis(500), ..patience() };
    let sender = anvil.sender_with(1, Fees::default(), hasty).await;
    let hasty = Submitter::new(sender, contract).await.unwrap();
    let mut sent = Vec::new();
    let mut on_sent = |transaction: &Sent| {
        sent.push(transaction.clone());
        Ok(())
    };
    let error = hasty.submit(&record, &[], &mut on_sent).await.unwrap_err();
    assert!(matches!(error, SubmitError::NotMined { .. }) && error.is_passing(), "{error}");
    nodes.call("evm_mine", serde_json::json!([])).await.unwrap();
    let outcome = hasty.submit(&record, &sent, &mut |_| panic!("sent twice")).await.unwrap();
    assert!(matches!(outcome, Outcome::Accepted(mined) if mined.hash == sent[0].hash));
}

/// What was sent before a crash and is stuck, or was refused for its fee, is replaced by one that pays more; what another
/// account signed is left alone.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_resumed_can_be_replaced() {
    let anvil = Anvil::start(TIME, &[]);
    let record = change();
    let submitter = submitter(&anvil, anvil.verifier().await, &record).await;
    let nodes = anvil.nodes();
    nodes.call("evm_setAutomine", serde_json::json!([false])).await.unwrap();
    // Signed and kept, and then the power went out: no node has it.
    let mut kept: Vec<Sent> = Vec::new();
    let mut on_sent = |transaction: &Sent| {
        kept.push(transaction.clone());
        Err("power".into())
    };
    assert!(submitter.submit(&record, &[], &mut on_sent).await.is_err());
    assert_eq!(kept.len(), 1);
    let mut more: Vec<Sent> = Vec::new();
    let mut on_sent = |transaction: &Sent| {
        more.push(transaction.clone());
        Ok(())
    };
    let miner = async {
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        nodes.call("evm_mine", serde_json::json!([])).await.unwrap();
    };
    let (outcome, ()) = tokio::join!(submitter.submit(&record, &kept, &mut on_sent), miner);
    let Outcome::Accepted(mined) = outcome.unwrap() else { panic!("not accepted") };
    assert_eq!((mined.hash, more[0].nonce), (more[0].hash, kept[0].nonce), "the same nonce, another fee");

    let stranger = anvil.sender(0).await;
    assert_eq!(stranger.resume(&kept, &mut |_| panic!("signed")).await.unwrap(), None);
}

/// Nothing is sent where gas costs more than allowed, where the account is empty, or where nobody can keep it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_beyond_its_limits() {
    let anvil = Anvil::start(TIME, &[]);
    let record = change();
    let contract = submitter(&anvil, anvil.verifier().await, &record).await.contract();
    let cheap = Fees { cap: 1, tip: None };
    let poor = Submitter::new(anvil.sender_with(1, cheap, patience()).await, contract).await.unwrap();
    let error = poor.submit(&record, &[], &mut |_| panic!("sent")).await.unwrap_err();
    assert!(matches!(error, SubmitError::Fee { cap: 1, .. }) && error.is_passing(), "{error}");

    let submitter = Submitter::new(anvil.sender(1).await, contract).await.unwrap();
    let error = submitter.submit(&record, &[], &mut |_| Err("disk full".into())).await.unwrap_err();
    assert!(matches!(&error, SubmitError::Journal(reason) if reason == "disk full"), "{error}");

    let account = submitter.sender().account();
    anvil.nodes().call("anvil_setBalance", serde_json::json!([account, "0x1"])).await.unwrap();
    let error = submitter.submit(&record, &[], &mut |_| panic!("sent")).await.unwrap_err();
    assert!(matches!(error, SubmitError::Funds { has: 1, .. }), "{error}");
    assert_eq!(submitter.proven_at(&record.public_values).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_chain_is_refused() {
    let anvil = Anvil::start(TIME, &[]);
    let key = sextant_submit::Key::from_hex("test", common::KEYS[0]).unwrap();
    let sender = sextant_submit::Sender::new(anvil.nodes(), key, Some(1), Fees::default(), patience()).await;
    assert!(matches!(sender, Err(SubmitError::OtherChain { got: 31337, expected: 1 })));
}
