//! Public values are what Solidity's `abi.encode` gives: compared both ways with `alloy-sol-types`.

use alloy_sol_types::{SolValue, sol};
use sextant_consensus::bls::Plain;
use sextant_consensus::public_values::{
    Account, Block, CommitteeChange, Inclusion, Learned, Log, LogData, MAX_LOG_DATA, NoLog, Slot, Transaction,
};
use sextant_consensus::{AbiError, committee_change, inclusion};

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
    struct SolBlock { uint64 number; bytes32 hash; bytes32 stateRoot; bytes32 receiptsRoot; uint64 timestamp; }
    struct SolTransaction { bytes32 hash; uint32 index; bool succeeded; }
    struct SolLog {
        uint32 transaction; uint32 position; address account; bytes32 dataHash; bytes32[] topics; bytes data;
    }
    struct SolNoLog { address account; bytes32[] topics; }
    struct SolInclusion {
        uint32 version; uint32 program; bytes32 chainDigest; uint64 signerPeriod; bytes32 signerCommitteeRoot;
        uint32 participation; uint64 finalizedSlot; bytes32 finalizedRoot;
        uint64 blockNumber; bytes32 blockHash; bytes32 stateRoot;
        SolBlock facts;
        SolAccount[] accounts;
        SolLearned[] learned;
        SolTransaction[] transactions;
        SolLog[] logs;
        SolNoLog[] noLogs;
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

/// The same with something in every list, and data of all lengths about a word's.
fn everything() -> Inclusion {
    let log = |position, topics: usize, data| Log {
        transaction: 3,
        position,
        address: [0xaa; 20],
        topics: vec![[position as u8; 32]; topics],
        data,
    };
    Inclusion {
        facts: Block {
            number: 9,
            hash: [1; 32],
            state_root: [2; 32],
            receipts_root: [3; 32],
            timestamp: u64::MAX,
        },
        learned: vec![Learned { period: 1168, committee_root: [4; 32] }; 2],
        transactions: vec![
            Transaction { hash: [0; 32], index: 3, succeeded: true },
            Transaction { hash: [5; 32], index: u32::MAX, succeeded: false },
        ],
        logs: vec![
            log(0, 0, LogData::of(&[])),
            log(1, 4, LogData::of(&[7; 31])),
            log(2, 1, LogData::of(&[7; 32])),
            log(3, 2, LogData::of(&[7; 33])),
            log(4, 3, LogData::of(&[7; MAX_LOG_DATA])),
            log(u32::MAX, 3, LogData::of(&[7; MAX_LOG_DATA + 1])),
        ],
        no_logs: vec![
            NoLog { address: [6; 20], topics: vec![] },
            NoLog { address: [7; 20], topics: vec![[8; 32], [9; 32]] },
        ],
        ..accounts()
    }
}

#[test]
fn committee_change_is_what_solidity_encodes() {
    let ours = handovers();
    let bytes = ours.abi_encode();
    let theirs = SolCommitteeChange::abi_decode_validate(&bytes).unwrap();
    assert_eq!(theirs.abi_encode(), bytes);
    assert_eq!((theirs.version, theirs.program, theirs.signerPeriod), (2, 1, 1150));
    assert_eq!(theirs.learned[1].committeeRoot, ours.learned[1].committee_root);
    assert_eq!(CommitteeChange::abi_decode(&theirs.abi_encode()), Ok(ours));
}

#[test]
fn inclusion_is_what_solidity_encodes() {
    let ours = accounts();
    let bytes = ours.abi_encode();
    let theirs = SolInclusion::abi_decode_validate(&bytes).unwrap();
    assert_eq!(theirs.abi_encode(), bytes);
    assert_eq!((theirs.version, theirs.program, theirs.blockNumber), (2, 2, 20_360_596));
    assert_eq!(theirs.accounts.len(), 3);
    assert_eq!(theirs.accounts[2].slots[2].key, [3; 32]);
    assert!(!theirs.accounts[2].exists);
    assert_eq!(Inclusion::abi_decode(&theirs.abi_encode()), Ok(ours));
}

#[test]
fn every_list_is_what_solidity_encodes() {
    let ours = everything();
    let bytes = ours.abi_encode();
    let theirs = SolInclusion::abi_decode_validate(&bytes).unwrap();
    assert_eq!(theirs.abi_encode(), bytes);
    assert_eq!((theirs.facts.number, theirs.facts.timestamp), (9, u64::MAX));
    assert_eq!((theirs.learned.len(), theirs.transactions.len(), theirs.noLogs.len()), (2, 2, 2));
    assert!(!theirs.transactions[1].succeeded);
    assert_eq!(theirs.noLogs[1].topics, [[8; 32], [9; 32]]);
    for (theirs, ours) in theirs.logs.iter().zip(&ours.logs) {
        let data = match &ours.data {
            LogData::Whole(data) => {
                assert_eq!(theirs.dataHash, [0; 32]);
                &data[..]
            }
            LogData::Hash(hash) => {
                assert_eq!((theirs.dataHash.0, ours.position), (*hash, u32::MAX));
                &[]
            }
        };
        assert_eq!((theirs.position, &theirs.data[..]), (ours.position, data));
        assert_eq!(theirs.topics.len(), ours.topics.len());
    }
    assert_eq!(Inclusion::abi_decode(&bytes), Ok(ours));
}

/// A guest pays for memory that a growing list leaves behind, and for what it never fills.
#[test]
fn as_much_memory_is_taken_as_is_filled() {
    for bytes in [handovers().abi_encode(), accounts().abi_encode(), everything().abi_encode()] {
        assert_eq!(bytes.capacity(), bytes.len());
    }
}

#[test]
fn data_are_whole_or_a_hash_and_never_both() {
    let values = |data| {
        let mut values = everything();
        values.logs.truncate(1);
        values.logs[0].data = data;
        values.abi_encode()
    };
    for data in [LogData::Whole(vec![1; MAX_LOG_DATA]), LogData::Hash([1; 32])] {
        assert!(Inclusion::abi_decode(&values(data)).is_ok());
    }
    // Too much of them, or a hash that says there is none.
    for data in [LogData::Whole(vec![1; MAX_LOG_DATA + 1]), LogData::Hash([0; 32])] {
        let bytes = values(data.clone());
        assert!(Inclusion::abi_decode(&bytes).map(|values| values.logs[0].data != data).unwrap_or(true));
    }
    let mut both = values(LogData::Whole(vec![1; 5]));
    let at = both.windows(32).position(|word| word[..12] == [0; 12] && word[12..] == [0xaa; 20]);
    both[at.expect("the log's address") + 63] = 1;
    assert!(Inclusion::abi_decode(&both).is_err());
}

/// However long they claim to be.
#[test]
fn data_that_are_not_all_there_are_refused() {
    let mut values = everything();
    values.logs.truncate(1);
    values.logs[0].data = LogData::of(&[7; 31]);
    let bytes = values.abi_encode();
    let at = bytes.windows(31).position(|bytes| bytes == [7; 31]).expect("the data");
    for length in [u64::MAX, u64::MAX - 31, bytes.len() as u64] {
        let mut edited = bytes.clone();
        edited[at - 8..at].copy_from_slice(&length.to_be_bytes());
        assert_eq!(Inclusion::abi_decode(&edited), Err(AbiError::Length), "{length} bytes");
    }
}

#[test]
fn anything_but_the_one_encoding_is_refused() {
    let (change, inclusion) = (handovers().abi_encode(), everything().abi_encode());
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
        assert!(Inclusion::abi_decode(&inclusion[..at]).is_err(), "{at} bytes");
        if let Ok(values) = Inclusion::abi_decode(&edited) {
            assert_eq!(values.abi_encode(), edited, "byte {at} is read but not written");
        }
    }
}
