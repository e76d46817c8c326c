//! Public values are what Solidity's `abi.encode` gives: compared both ways with `alloy-sol-types`.

use alloy_sol_types::{SolValue, sol};
use sextant_consensus::bls::Plain;
use sextant_consensus::public_values::{Account, CommitteeChange, Inclusion, Slot};
use sextant_consensus::{committee_change, inclusion};

sol! {
    struct SolLearned { uint64 period; bytes32 committeeRoot; }
    struct SolCommitteeChange {
        uint32 version; uint32 program; bytes32 chainDigest; uint64 signerPeriod; bytes32 signerCommitteeRoot;
        uint32 participation; uint64 finalizedSlot; bytes32 finalizedRoot;
        uint64 blockNumber; bytes32 blockHash; bytes32 stateRoot;
        SolLearned[] learned;
    }
    struct SolSlot { bytes32 key; bool exists; bytes32 value; }
    struct SolAccount {
        address account; bool exists; uint64 nonce; uint256 balance; bytes32 storageRoot; bytes32 codeHash;
        SolSlot[] slots;
    }
    struct SolInclusion {
        uint32 version; uint32 program; bytes32 chainDigest; uint64 signerPeriod; bytes32 signerCommitteeRoot;
        uint32 participation; uint64 finalizedSlot; bytes32 finalizedRoot;
        uint64 blockNumber; bytes32 blockHash; bytes32 stateRoot;
        SolAccount[] accounts;
    }
}

fn handovers() -> CommitteeChange {
    committee_change::check(&sextant_fixtures::committee_change(2), &mut Plain).unwrap()
}

fn accounts() -> Inclusion {
    let mut values = inclusion::check(&sextant_fixtures::inclusion(), &mut Plain).unwrap();
    let slot = |byte: u8, exists| Slot { key: [byte; 32], exists, value: [byte; 32] };
    values.accounts.push(Account { slots: vec![], address: [0xee; 20], ..values.accounts[0].clone() });
    values.accounts.push(Account {
        address: [0xff; 20],
        exists: false,
        nonce: u64::MAX,
        balance: [0xff; 32],
        slots: vec![slot(1, true), slot(2, false), slot(3, true)],
        ..values.accounts[0].clone()
    });
    values
}

#[test]
fn committee_change_is_what_solidity_encodes() {
    let ours = handovers();
    let bytes = ours.abi_encode();
    let theirs = SolCommitteeChange::abi_decode_validate(&bytes).unwrap();
    assert_eq!(theirs.abi_encode(), bytes);
    assert_eq!((theirs.version, theirs.program, theirs.signerPeriod), (1, 1, 1150));
    assert_eq!(theirs.learned[1].committeeRoot, ours.learned[1].committee_root);
    assert_eq!(CommitteeChange::abi_decode(&theirs.abi_encode()), Ok(ours));
}

#[test]
fn inclusion_is_what_solidity_encodes() {
    let ours = accounts();
    let bytes = ours.abi_encode();
    let theirs = SolInclusion::abi_decode_validate(&bytes).unwrap();
    assert_eq!(theirs.abi_encode(), bytes);
    assert_eq!((theirs.version, theirs.program, theirs.blockNumber), (1, 2, 20_360_596));
    assert_eq!(theirs.accounts.len(), 3);
    assert_eq!(theirs.accounts[2].slots[2].key, [3; 32]);
    assert!(!theirs.accounts[2].exists);
    assert_eq!(Inclusion::abi_decode(&theirs.abi_encode()), Ok(ours));
}

#[test]
fn anything_but_the_one_encoding_is_refused() {
    let (change, inclusion) = (handovers().abi_encode(), accounts().abi_encode());
    for length in (0..change.len()).filter(|length| *length != change.len()) {
        assert!(CommitteeChange::abi_decode(&change[..length]).is_err(), "{length} bytes");
    }
    for bytes in [[&change[..], &[0; 32]].concat(), [&change[..], &[0]].concat()] {
        assert!(CommitteeChange::abi_decode(&bytes).is_err());
    }
    // The other program's values, and every byte that only padding or an offset may hold.
    assert!(CommitteeChange::abi_decode(&inclusion).is_err());
    assert!(Inclusion::abi_decode(&change).is_err());
    for at in 0..inclusion.len() {
        let mut edited = inclusion.clone();
        edited[at] ^= 0x40;
        if let Ok(values) = Inclusion::abi_decode(&edited) {
            assert_eq!(values.abi_encode(), edited, "byte {at} is read but not written");
        }
    }
}
