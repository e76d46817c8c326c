use super::*;
use alloc::vec;
use alloy_consensus::{
    BlobTransactionSidecar, EthereumTxEnvelope, SignableTransaction, TxEip1559, TxEip4844WithSidecar,
    TxLegacy,
};
use alloy_eips::{eip4844::DATA_GAS_PER_BLOB, eip7685::Requests};
use alloy_primitives::{Signature, TxKind};
use sextant_consensus::rlp::{encode_list, encode_string};

use crate::encode::block_request;
use crate::payload::NewPayloadRequest;
use crate::schema::Fork;

fn legacy(nonce: u64) -> Vec<u8> {
    let transaction = TxLegacy { nonce, to: TxKind::Call(Address::ZERO), ..TxLegacy::default() };
    BlockTransaction::Legacy(transaction.into_signed(Signature::test_signature())).encoded_2718()
}

fn typed(input: &'static [u8]) -> Vec<u8> {
    let transaction = TxEip1559 { input: Bytes::from_static(input), ..TxEip1559::default() };
    BlockTransaction::Eip1559(transaction.into_signed(Signature::test_signature())).encoded_2718()
}

fn blob() -> TxEip4844 {
    TxEip4844 {
        blob_versioned_hashes: vec![B256::repeat_byte(1), B256::repeat_byte(2)],
        ..TxEip4844::default()
    }
}

fn with_blobs() -> Vec<u8> {
    BlockTransaction::Eip4844(blob().into_signed(Signature::test_signature())).encoded_2718()
}

/// Transactions as a block's list holds them.
fn transactions_rlp(transactions: &[Vec<u8>]) -> Vec<u8> {
    let items = transactions.iter().map(|bytes| match bytes.first() {
        Some(0xc0..) => bytes.clone(),
        _ => encode_string(bytes),
    });
    encode_list(&items.collect::<Vec<_>>().concat())
}

/// Header, of Cancun, over these transactions and withdrawals.
fn header(transactions: &[Vec<u8>], withdrawals: &[Withdrawal]) -> Header {
    let blobs = transactions.iter().filter_map(|bytes| {
        BlockTransaction::decode_2718_exact(bytes).ok().and_then(|transaction| transaction.blob_count())
    });
    Header {
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        transactions_root: proofs::ordered_trie_root_encoded(transactions),
        withdrawals_root: Some(proofs::calculate_withdrawals_root(withdrawals)),
        base_fee_per_gas: Some(7),
        blob_gas_used: Some(blobs.sum::<u64>() * DATA_GAS_PER_BLOB),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::repeat_byte(3)),
        extra_data: Bytes::from_static(b"extra"),
        number: 5,
        ..Header::default()
    }
}

/// A block in RLP, its header over the body.
pub(crate) fn block_rlp(transactions: &[Vec<u8>], withdrawals: &[Withdrawal]) -> Vec<u8> {
    let header = alloy_rlp::encode(header(transactions, withdrawals));
    let withdrawals = alloy_rlp::encode(withdrawals.to_vec());
    encode_list(&[header, transactions_rlp(transactions), vec![0xc0], withdrawals].concat())
}

fn all() -> [Vec<u8>; 4] {
    [legacy(1), typed(b""), with_blobs(), typed(&[7; 300])]
}

const WITHDRAWALS: [Withdrawal; 2] = [
    Withdrawal { index: 1, validator_index: 300, address: Address::repeat_byte(4), amount: 70_000 },
    Withdrawal { index: 2, validator_index: 3, address: Address::repeat_byte(5), amount: 0 },
];

#[test]
fn a_block_in_rlp_is_read() {
    let rlp = block_rlp(&all(), &WITHDRAWALS);
    let block = Block::from_rlp(&rlp).unwrap();
    assert_eq!(block.header, header(&all(), &WITHDRAWALS));
    assert_eq!(block.hash, block.header.hash_slow());
    assert_eq!(block.encoded, all());
    assert_eq!(block.transactions.len(), 4);
    assert_eq!(block.transactions_root, block.header.transactions_root);
    assert_eq!(Some(block.withdrawals_root), block.header.withdrawals_root);
    assert_eq!(block.withdrawals, WITHDRAWALS);
    assert_eq!((block.size, block.has_ommers), (rlp.len(), false));
}

#[test]
fn a_request_for_a_block_gives_that_block_again() {
    for (transactions, withdrawals) in [(&[][..], &[][..]), (&all(), &WITHDRAWALS)] {
        let rlp = block_rlp(transactions, withdrawals);
        let block = Block::from_rlp(&rlp).unwrap();
        let ssz = block_request(&block, &Requests::default());
        let request = NewPayloadRequest::parse(Fork::Cancun, &ssz).unwrap();
        let again = Block::of_request(&request).unwrap();
        assert_eq!(again.header, block.header);
        assert_eq!(again.hash, block.hash);
        assert_eq!(again.encoded, block.encoded);
        assert_eq!(again.transactions, block.transactions);
        assert_eq!(again.withdrawals, block.withdrawals);
        assert_eq!(again.transactions_root, block.transactions_root);
        assert_eq!(again.withdrawals_root, block.withdrawals_root);
        // The length that EIP-7934 limits is of bytes that the payload does not hold.
        assert_eq!(again.size, rlp.len());
    }
}

/// Every field of a payload is under its hash.
#[test]
fn a_payload_of_another_hash_is_refused() {
    let rlp = block_rlp(&all(), &WITHDRAWALS);
    let block = Block::from_rlp(&rlp).unwrap();
    let ssz = block_request(&block, &Requests::default());
    let good = NewPayloadRequest::parse(Fork::Cancun, &ssz).unwrap();
    let changes: [fn(&mut NewPayloadRequest<'_>); 19] = [
        |request| request.payload.parent_hash.0[0] ^= 1,
        |request| request.payload.fee_recipient.0[0] ^= 1,
        |request| request.payload.state_root.0[0] ^= 1,
        |request| request.payload.receipts_root.0[0] ^= 1,
        |request| request.payload.logs_bloom.0[0] ^= 1,
        |request| request.payload.prev_randao.0[0] ^= 1,
        |request| request.payload.block_number += 1,
        |request| request.payload.gas_limit += 1,
        |request| request.payload.gas_used += 1,
        |request| request.payload.timestamp += 1,
        |request| request.payload.extra_data = b"other",
        |request| request.payload.base_fee_per_gas[0] ^= 1,
        |request| request.payload.block_hash.0[0] ^= 1,
        |request| request.payload.transactions.truncate(3),
        |request| request.payload.withdrawals = &[],
        |request| request.payload.blob_gas_used += 1,
        |request| request.payload.excess_blob_gas += 1,
        |request| request.parent_beacon_block_root.0[0] ^= 1,
        |request| {
            let none =
                crate::payload::ExecutionRequests { deposits: &[], withdrawals: &[], consolidations: &[] };
            request.requests = Some(none);
        },
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut other = good.clone();
        change(&mut other);
        let error = Block::of_request(&other).unwrap_err();
        assert!(matches!(error, FormatError::Hash { .. }), "change {index}: {error}");
    }
}

#[test]
fn blobs_are_those_that_the_request_names() {
    let rlp = block_rlp(&all(), &[]);
    let ssz = block_request(&Block::from_rlp(&rlp).unwrap(), &Requests::default());
    let good = NewPayloadRequest::parse(Fork::Cancun, &ssz).unwrap();
    assert_eq!(good.versioned_hashes, [[1; 32], [2; 32]]);
    for hashes in [&[][..], &[[1; 32]], &[[2; 32], [1; 32]], &[[1; 32], [2; 32], [3; 32]]] {
        let request = NewPayloadRequest { versioned_hashes: hashes, ..good.clone() };
        let error = Block::of_request(&request).unwrap_err();
        let expected = hashes.len();
        assert!(
            matches!(error, FormatError::VersionedHashes { got: 2, expected: e } if e == expected),
            "{expected} hashes: {error}"
        );
    }
}

#[test]
fn a_base_fee_of_more_than_64_bits_is_refused() {
    let rlp = block_rlp(&[], &[]);
    let ssz = block_request(&Block::from_rlp(&rlp).unwrap(), &Requests::default());
    let mut request = NewPayloadRequest::parse(Fork::Cancun, &ssz).unwrap();
    request.payload.base_fee_per_gas[8] = 1;
    assert!(matches!(Block::of_request(&request), Err(FormatError::BaseFee(_))));
}

/// Bytes that are no transaction of a block, from RLP and from a payload alike; the hash is right in both.
fn refused(bytes: Vec<u8>) -> FormatError {
    let transactions = [legacy(1), bytes];
    let rlp = block_rlp(&transactions, &[]);
    let from_rlp = Block::from_rlp(&rlp).unwrap_err();

    let header = header(&transactions, &[]);
    let base = block_rlp(&[], &[]);
    let ssz = block_request(&Block::from_rlp(&base).unwrap(), &Requests::default());
    let mut request = NewPayloadRequest::parse(Fork::Cancun, &ssz).unwrap();
    request.payload.transactions = transactions.iter().map(|bytes| &bytes[..]).collect();
    request.payload.blob_gas_used = header.blob_gas_used.unwrap();
    request.payload.block_hash = header.hash_slow();
    let of_request = Block::of_request(&request).unwrap_err();
    assert_eq!(alloc::format!("{from_rlp}"), alloc::format!("{of_request}"));
    from_rlp
}

/// A trap: the usual envelope takes a blob transaction with its sidecar, as the network sends it.
#[test]
fn a_blob_transaction_with_its_sidecar_is_refused() {
    let sidecar = BlobTransactionSidecar::default();
    let transaction = TxEip4844WithSidecar { tx: blob(), sidecar };
    let signed = transaction.into_signed(Signature::test_signature());
    let bytes =
        EthereumTxEnvelope::<TxEip4844WithSidecar<BlobTransactionSidecar>>::Eip4844(signed).encoded_2718();
    assert!(matches!(refused(bytes), FormatError::Transaction { index: 1, .. }));
}

#[test]
fn what_is_no_transaction_is_refused() {
    let unknown = [&[5], &typed(b"")[1..]].concat();
    assert!(matches!(refused(unknown), FormatError::Transaction { index: 1, .. }));
    let longer = [&typed(b"")[..], &[0]].concat();
    assert!(matches!(refused(longer), FormatError::Transaction { index: 1, .. }));
    let mut cut = typed(&[7; 300]);
    cut.pop();
    assert!(matches!(refused(cut), FormatError::Transaction { index: 1, .. }));
}

#[test]
fn a_legacy_transaction_in_a_string_is_refused() {
    let header = alloy_rlp::encode(header(&[legacy(1)], &[]));
    let wrapped = encode_list(&encode_string(&legacy(1)));
    let rlp = encode_list(&[header, wrapped, vec![0xc0], vec![0xc0]].concat());
    let error = Block::from_rlp(&rlp).unwrap_err();
    let expected = RlpError::Expected("typed transaction");
    assert!(matches!(error, FormatError::Rlp { what: "transactions", error } if error == expected));
    // And a typed one without.
    let bare = encode_list(&typed(b""));
    let rlp = encode_list(
        &[alloy_rlp::encode(super::tests::header(&[], &[])), bare, vec![0xc0], vec![0xc0]].concat(),
    );
    assert!(Block::from_rlp(&rlp).is_err());
}

#[test]
fn parts_that_are_missing_or_too_many_are_refused() {
    let header = alloy_rlp::encode(header(&[], &[]));
    let empty = vec![0xc0];
    let parts = [header, empty.clone(), empty.clone(), empty.clone(), empty];
    for count in [0, 1, 2, 3, 5] {
        let rlp = encode_list(&parts[..count].concat());
        assert!(matches!(Block::from_rlp(&rlp), Err(FormatError::Rlp { .. })), "{count} parts");
    }
    assert!(Block::from_rlp(&encode_list(&parts[..4].concat())).is_ok());
    assert!(Block::from_rlp(&[&encode_list(&parts[..4].concat())[..], &[0]].concat()).is_err());
}

#[test]
fn ommers_are_seen() {
    let header = alloy_rlp::encode(header(&[], &[]));
    let ommers = encode_list(&header);
    let rlp = encode_list(&[header, vec![0xc0], ommers, vec![0xc0]].concat());
    assert!(Block::from_rlp(&rlp).unwrap().has_ommers);
}
