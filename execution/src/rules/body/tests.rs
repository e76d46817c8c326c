use super::*;
use alloc::vec::Vec;
use alloy_consensus::{EthereumTxEnvelope, SignableTransaction, TxEip4844};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip4895::Withdrawal;
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::Signature;

use crate::block::tests::block_rlp;

fn rules(hardfork: EthereumHardfork) -> Rules {
    Rules::of(1, hardfork).unwrap()
}

/// A transaction with this many blobs.
fn with_blobs(count: usize) -> Vec<u8> {
    let transaction =
        TxEip4844 { blob_versioned_hashes: alloc::vec![B256::repeat_byte(1); count], ..TxEip4844::default() };
    let signed = transaction.into_signed(Signature::test_signature());
    EthereumTxEnvelope::<TxEip4844>::Eip4844(signed).encoded_2718()
}

/// The verdict on a block with these transactions, changed before it is judged.
fn changed(
    transactions: &[Vec<u8>],
    hardfork: EthereumHardfork,
    change: impl FnOnce(&mut Block<'_>),
) -> Result<(), BodyError> {
    let rlp = block_rlp(transactions, &[Withdrawal::default()]);
    let mut block = Block::from_rlp(&rlp).unwrap();
    change(&mut block);
    check(&block, &rules(hardfork))
}

#[test]
fn a_body_under_its_header_is_accepted() {
    for hardfork in [EthereumHardfork::Cancun, EthereumHardfork::Prague, EthereumHardfork::Bpo2] {
        assert_eq!(changed(&[], hardfork, |_| ()), Ok(()));
        assert_eq!(changed(&[with_blobs(1), with_blobs(5)], hardfork, |_| ()), Ok(()));
    }
}

#[test]
fn there_are_no_ommers() {
    let verdict = changed(&[], EthereumHardfork::Cancun, |block| block.has_ommers = true);
    assert_eq!(verdict, Err(BodyError::Ommers));
}

#[test]
fn transactions_are_those_of_the_header() {
    let transactions = [with_blobs(1), with_blobs(2)];
    let other = B256::repeat_byte(9);
    let verdict =
        changed(&transactions, EthereumHardfork::Cancun, |block| block.header.transactions_root = other);
    assert!(matches!(verdict, Err(BodyError::Transactions { expected, .. }) if expected == other));
    // The same header over transactions in another order.
    let (rlp, swapped) = (block_rlp(&transactions, &[]), block_rlp(&[with_blobs(2), with_blobs(1)], &[]));
    let mut block = Block::from_rlp(&swapped).unwrap();
    block.header = Block::from_rlp(&rlp).unwrap().header;
    let error = check(&block, &rules(EthereumHardfork::Cancun)).unwrap_err();
    assert!(matches!(error, BodyError::Transactions { .. }), "{error}");
}

#[test]
fn withdrawals_are_those_of_the_header() {
    for other in [None, Some(B256::repeat_byte(9))] {
        let verdict = changed(&[], EthereumHardfork::Cancun, |block| block.header.withdrawals_root = other);
        assert!(matches!(verdict, Err(BodyError::Withdrawals { expected, .. }) if expected == other));
    }
}

#[test]
fn blob_gas_is_that_of_the_header() {
    let got = 3 * DATA_GAS_PER_BLOB;
    for expected in [None, Some(0), Some(got - 1), Some(got + DATA_GAS_PER_BLOB)] {
        let transactions = [with_blobs(1), with_blobs(2)];
        let verdict =
            changed(&transactions, EthereumHardfork::Cancun, |block| block.header.blob_gas_used = expected);
        assert_eq!(verdict, Err(BodyError::BlobGasUsed { got, expected }));
    }
}

#[test]
fn each_fork_has_its_number_of_blobs() {
    let limits = [
        (EthereumHardfork::Cancun, 6),
        (EthereumHardfork::Prague, 9),
        (EthereumHardfork::Osaka, 9),
        (EthereumHardfork::Bpo1, 15),
        (EthereumHardfork::Bpo2, 21),
    ];
    for (hardfork, limit) in limits {
        let most = [with_blobs(limit as usize - 1), with_blobs(1)];
        assert_eq!(changed(&most, hardfork, |_| ()), Ok(()));
        let more = [with_blobs(limit as usize), with_blobs(1)];
        assert_eq!(changed(&more, hardfork, |_| ()), Err(BodyError::Blobs { got: limit + 1, limit }));
    }
}

#[test]
fn from_osaka_on_a_block_is_not_too_long() {
    let long = |size: usize| {
        move |block: &mut Block<'_>| {
            block.size = size;
        }
    };
    let (most, more) = (8_388_608, 8_388_609);
    assert_eq!(changed(&[], EthereumHardfork::Osaka, long(most)), Ok(()));
    assert_eq!(changed(&[], EthereumHardfork::Osaka, long(more)), Err(BodyError::Size(more)));
    assert_eq!(changed(&[], EthereumHardfork::Prague, long(more)), Ok(()));
}
