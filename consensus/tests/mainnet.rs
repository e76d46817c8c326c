//! Both statements on recorded mainnet data. What is expected comes from the recordings' own fields, which the
//! statements do not read: committee roots from whole committees, facts from `eth_getProof`'s plain values.

use sextant_consensus::bls::Plain;
use sextant_consensus::light_client::LightClientUpdate;
use sextant_consensus::networks::MAINNET;
use sextant_consensus::public_values::Head;
use sextant_consensus::{Program, codec, committee_change, inclusion};
use sextant_fixtures as fixtures;

/// Checks a head against the objects it was made from.
fn assert_head(head: &Head, program: Program, signer_root: [u8; 32], update: &LightClientUpdate) {
    let finalized = &update.finalized_header;
    let execution = finalized.execution.as_ref().unwrap();
    assert_eq!(head.program, program);
    assert_eq!(head.chain_digest, MAINNET.digest());
    assert_eq!(head.signer_committee_root, signer_root);
    assert_eq!(head.finalized_slot, finalized.beacon.slot);
    assert_eq!(head.finalized_root, finalized.beacon.root());
    assert_eq!(head.block_number, execution.block_number);
    assert_eq!(head.block_hash, execution.block_hash);
    assert_eq!(head.state_root, execution.state_root);
}

#[test]
fn one_handover() {
    let values = committee_change::check(&fixtures::committee_change(1), &mut Plain).unwrap();
    let update = &fixtures::updates()[0];
    assert_head(&values.head, Program::CommitteeChange, fixtures::committee_1150().root(), update);
    assert_eq!(values.head.signer_period, 1150);
    assert_eq!(values.head.participation, 511);
    assert_eq!(values.learned.len(), 1);
    assert_eq!(values.learned[0].period, 1151);
    assert_eq!(values.learned[0].committee_root, update.next_sync_committee.root());
}

#[test]
fn two_handovers_in_one_statement() {
    let values = committee_change::check(&fixtures::committee_change(2), &mut Plain).unwrap();
    let updates = fixtures::updates();
    assert_head(&values.head, Program::CommitteeChange, fixtures::committee_1150().root(), &updates[1]);
    assert_eq!(values.head.signer_period, 1150);
    let learned: Vec<_> =
        values.learned.iter().map(|learned| (learned.period, learned.committee_root)).collect();
    let expected: Vec<_> =
        (1151..).zip(updates.iter().map(|update| update.next_sync_committee.root())).collect();
    assert_eq!(learned, expected);
}

#[test]
fn inclusion_of_one_contract_and_one_slot() {
    let values = inclusion::check(&fixtures::inclusion(), &mut Plain).unwrap();
    let (committee, update) = fixtures::finality_1167();
    assert_eq!(values.head.signer_committee_root, committee.root());
    assert_eq!(values.head.signer_period, 1167);
    assert_eq!(values.head.block_number, 20_360_596);
    let execution = update.finalized_header.execution.unwrap();
    assert_eq!(values.head.state_root, execution.state_root);
    assert_eq!(values.head.block_hash, execution.block_hash);

    let recorded: serde_json::Value = serde_json::from_str(
        &std::fs::read_to_string(fixtures::mainnet_file("inclusion-eth-get-proof.json")).unwrap(),
    )
    .unwrap();
    let result = &recorded["result"];
    let [account] = &values.accounts[..] else { panic!("one account") };
    assert!(account.exists);
    assert_eq!(format!("0x{}", hex::encode(account.address)), result["address"].as_str().unwrap());
    assert_eq!(format!("{:#x}", account.nonce), result["nonce"].as_str().unwrap());
    assert_eq!(account.balance, [0; 32], "{}", result["balance"]);
    assert_eq!(format!("0x{}", hex::encode(account.storage_root)), result["storageHash"].as_str().unwrap());
    assert_eq!(format!("0x{}", hex::encode(account.code_hash)), result["codeHash"].as_str().unwrap());
    let [slot] = &account.slots[..] else { panic!("one slot") };
    assert_eq!(result["storageProof"][0]["value"], "0x0");
    assert!(!slot.exists);
    assert_eq!(slot.value, [0; 32]);
}

#[test]
fn inputs_have_one_encoding() {
    let change = fixtures::committee_change(2);
    assert_eq!(codec::decode(&codec::encode(&change)), Ok(change));
    let inclusion = fixtures::inclusion();
    assert_eq!(codec::decode(&codec::encode(&inclusion)), Ok(inclusion));
}

#[test]
fn every_truncation_of_an_input_is_refused_without_panic() {
    for (name, program, input) in fixtures::statements() {
        for length in (0..input.len()).step_by(7) {
            let result = sextant_consensus::check_statement(program, &input[..length], &mut Plain);
            assert!(result.is_err(), "{name}: {length} bytes");
        }
    }
}
