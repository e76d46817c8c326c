//! Gloas: headers name only the execution block's hash, and the block's own header proves the rest.

use sextant_consensus::accounts::{AccountsError, ProofError};
use sextant_consensus::bls::Plain;
use sextant_consensus::build::{AccountNodes, inclusion_input};
use sextant_consensus::hash::keccak256;
use sextant_consensus::inclusion::InclusionError;
use sextant_consensus::networks::HOODI;
use sextant_consensus::trie::TrieError;
use sextant_consensus::{committee_change, inclusion};
use sextant_fixtures::synthetic::{Committee, Slots, block_header, update_over};
use sextant_fixtures::{forged, gloas};

#[test]
fn a_handover_proves_the_block_hash_and_nothing_else_without_the_block_header() {
    let values = committee_change::check(&gloas::committee_change(), &mut Plain).unwrap();
    assert_eq!(values.head.chain_digest, HOODI.digest());
    assert_eq!(values.head.signer_period, gloas::PERIOD);
    assert_eq!(values.head.participation, 507);
    assert_eq!(values.head.block_hash, keccak256(&gloas::finalized_block_header()));
    assert_eq!((values.head.block_number, values.head.state_root), (0, [0; 32]));
}

#[test]
fn a_block_header_adds_number_and_state_root() {
    let values = committee_change::check(&gloas::committee_change_with_block(), &mut Plain).unwrap();
    assert_eq!(values.head.block_number, gloas::slots().finalized / 2);
    assert_eq!(values.head.state_root, gloas::state_root());
}

#[test]
fn inclusion_under_the_block_header() {
    let values = inclusion::check(&gloas::inclusion(), &mut Plain).unwrap();
    assert_eq!(values.head.signer_period, gloas::PERIOD);
    assert_eq!(values.head.state_root, gloas::state_root());
    let recorded = inclusion::check(&sextant_fixtures::inclusion(), &mut Plain).unwrap();
    assert_eq!(values.accounts, recorded.accounts);
}

/// An inclusion's slots may lie in three periods: what is finalized is the first one's, who signed is the last one's.
#[test]
fn an_inclusion_names_the_finalized_slot_and_the_period_of_the_signature() {
    let [committee, next] = [7, 8].map(|seed| Committee::new(seed, 512, 512));
    let start = gloas::PERIOD * 8192;
    for (attested, signature, period) in [
        (start + 5, start + 6, gloas::PERIOD),
        (start + 8191, start + 8192, gloas::PERIOD + 1),
        (start + 5, start + 8192 + 9, gloas::PERIOD + 1),
    ] {
        let slots = Slots { finalized: start - 32, attested, signature };
        let update = update_over(gloas::state_root(), &HOODI, &committee, &next.public, slots, |_| true);
        let accounts = [sextant_fixtures::uniswap_factory()];
        let mut input =
            inclusion_input(&HOODI, &committee.public, &update.finality_update(), &accounts).unwrap();
        let header = block_header(slots.finalized, gloas::state_root());
        input.execution = input.execution.with_block_header(header).unwrap();
        let head = inclusion::check(&input, &mut Plain).unwrap().head;
        assert_eq!((head.signer_period, head.finalized_slot), (period, start - 32));
        assert_eq!(head.finalized_root, update.finalized_header.beacon.root());
    }
}

/// An account that is not there has no storage: its slots need no proof of their own, and take nobody else's.
#[test]
fn slots_of_an_absent_account_are_absent() {
    let (root, there) = forged::one_slot(0x2a);
    let (key, path_of_the_other) = there.slots[0].clone();
    let absent =
        |path| AccountNodes { address: [0x33; 20], nodes: there.nodes.clone(), slots: vec![(key, path)] };
    let values = inclusion::check(&gloas::inclusion_over(root, &[absent(vec![])]), &mut Plain).unwrap();
    let account = &values.accounts[0];
    assert!(!account.exists && !account.slots[0].exists);
    let borrowed = inclusion::check(&gloas::inclusion_over(root, &[absent(path_of_the_other)]), &mut Plain);
    let surplus = ProofError::Path(TrieError::Surplus.into());
    assert_eq!(
        borrowed,
        Err(InclusionError::Accounts(AccountsError::Slot { account: 0, slot: 0, error: surplus }))
    );
}
