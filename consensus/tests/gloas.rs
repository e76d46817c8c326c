//! Gloas: headers name only the execution block's hash, and the block's own header proves the rest.

use sextant_consensus::bls::Plain;
use sextant_consensus::hash::keccak256;
use sextant_consensus::networks::HOODI;
use sextant_consensus::{committee_change, inclusion};
use sextant_fixtures::gloas;

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
