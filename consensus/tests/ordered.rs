//! The tries of transactions and receipts: against `alloy-trie` over random values, against `alloy-consensus` over random
//! receipts, and against the roots of recorded mainnet blocks.

use alloy_consensus::proofs::{calculate_receipt_root, calculate_transaction_root};
use alloy_consensus::transaction::{
    SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy,
};
use alloy_consensus::{
    EthereumTxEnvelope, Receipt as AlloyReceipt, ReceiptEnvelope, ReceiptWithBloom, TxReceipt,
};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Log, Signature, TxKind, U256};
use alloy_trie::root::ordered_trie_root_with_encoder;
use proptest::prelude::*;
use sextant_consensus::bloom::{self, Bloom};
use sextant_consensus::ordered::{ordered_path, ordered_root};
use sextant_consensus::receipt::{Receipt, open_envelope};
use sextant_consensus::trie::{EMPTY_ROOT, Node, TrieError, lookup_index};
use sextant_fixtures::mainnet_events::{LARGE, SMALL, block};

fn read<'a>(root: &[u8; 32], index: u32, path: &'a [Vec<u8>]) -> Result<Option<&'a [u8]>, TrieError> {
    lookup_index(root, index, path.iter().map(|node| Node::new(node)))
}

/// Values of all lengths, among them such as stand inside their parents.
fn values() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let value = prop_oneof![
        3 => proptest::collection::vec(any::<u8>(), 1..40),
        1 => proptest::collection::vec(any::<u8>(), 1..3),
        1 => proptest::collection::vec(any::<u8>(), 200..400),
    ];
    prop_oneof![proptest::collection::vec(value.clone(), 0..20), proptest::collection::vec(value, 120..300),]
}

fn log() -> impl Strategy<Value = Log> {
    let topics = proptest::collection::vec(any::<[u8; 32]>().prop_map(B256::from), 0..=4);
    let data = proptest::collection::vec(any::<u8>(), 0..90);
    (any::<[u8; 20]>(), topics, data).prop_map(|(address, topics, data)| {
        Log::new(Address::from(address), topics, Bytes::from(data)).expect("at most four topics")
    })
}

/// Receipts of every type, with their filters.
fn receipt() -> impl Strategy<Value = ReceiptEnvelope> {
    (0u8..5, any::<bool>(), any::<u64>(), proptest::collection::vec(log(), 0..5)).prop_map(
        |(kind, succeeded, cumulative_gas_used, logs)| {
            let receipt = AlloyReceipt { status: succeeded.into(), cumulative_gas_used, logs };
            let receipt: ReceiptWithBloom<_> = receipt.into_with_bloom();
            match kind {
                0 => ReceiptEnvelope::Legacy(receipt),
                1 => ReceiptEnvelope::Eip2930(receipt),
                2 => ReceiptEnvelope::Eip1559(receipt),
                3 => ReceiptEnvelope::Eip4844(receipt),
                _ => ReceiptEnvelope::Eip7702(receipt),
            }
        },
    )
}

/// Transactions of every type.
fn transaction() -> impl Strategy<Value = EthereumTxEnvelope<TxEip4844>> {
    let input = proptest::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from);
    (0u8..5, any::<u64>(), any::<[u8; 20]>(), any::<u64>(), input).prop_map(
        |(kind, nonce, to, value, input)| {
            let signature = Signature::new(U256::from(value), U256::from(nonce), value % 2 == 0);
            let (to, value) = (Address::from(to), U256::from(value));
            let call = TxKind::Call(to);
            match kind {
                0 => TxLegacy { nonce, to: call, value, input, ..Default::default() }
                    .into_signed(signature)
                    .into(),
                1 => TxEip2930 { nonce, to: call, value, input, ..Default::default() }
                    .into_signed(signature)
                    .into(),
                2 => TxEip1559 { nonce, to: call, value, input, ..Default::default() }
                    .into_signed(signature)
                    .into(),
                3 => {
                    TxEip4844 { nonce, to, value, input, ..Default::default() }.into_signed(signature).into()
                }
                _ => {
                    TxEip7702 { nonce, to, value, input, ..Default::default() }.into_signed(signature).into()
                }
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn random_values(values in values(), beyond in 0u32..70_000) {
        let root = ordered_trie_root_with_encoder(&values, |value, out| out.extend_from_slice(value)).0;
        prop_assert_eq!(ordered_root(&values), root);
        for (index, value) in (0..).zip(&values) {
            let path = ordered_path(&values, index);
            prop_assert_eq!(read(&root, index, &path), Ok(Some(&value[..])), "index {}", index);
        }
        let beyond = values.len() as u32 + beyond;
        let path = ordered_path(&values, beyond);
        prop_assert_eq!(read(&root, beyond, &path), Ok(None), "index {}", beyond);
    }

    #[test]
    fn nothing_but_the_whole_path_will_do(values in values(), index in any::<prop::sample::Index>()) {
        prop_assume!(!values.is_empty());
        let index = index.index(values.len()) as u32;
        let (root, path) = (ordered_root(&values), ordered_path(&values, index));
        for length in 0..path.len() {
            prop_assert!(read(&root, index, &path[..length]).is_err(), "cut to {}", length);
        }
        let longer = [&path[..], &[vec![0xc0; 40]]].concat();
        prop_assert_eq!(read(&root, index, &longer), Err(TrieError::Surplus));
        for (node, at) in (0..path.len()).flat_map(|node| (0..path[node].len()).map(move |at| (node, at))) {
            let mut edited = path.clone();
            edited[node][at] ^= 1;
            prop_assert!(read(&root, index, &edited).is_err(), "node {} byte {}", node, at);
        }
    }

    #[test]
    fn random_receipts(receipts in proptest::collection::vec(receipt(), 0..40)) {
        let encoded: Vec<Vec<u8>> = receipts.iter().map(|receipt| receipt.encoded_2718()).collect();
        prop_assert_eq!(ordered_root(&encoded), calculate_receipt_root(&receipts).0);
        for (ours, theirs) in encoded.iter().zip(&receipts) {
            let receipt = Receipt::read(ours).unwrap();
            prop_assert_eq!(receipt.succeeded, theirs.status());
            prop_assert_eq!(receipt.logs().count(), theirs.logs().len());
            for (ours, theirs) in receipt.logs().zip(theirs.logs()) {
                let ours = ours.unwrap();
                prop_assert_eq!(&ours.address[..], &theirs.address[..]);
                prop_assert_eq!(ours.data, &theirs.data.data[..]);
                let topics: Vec<[u8; 32]> = ours.topics().map(|topic| *topic.unwrap()).collect();
                prop_assert_eq!(topics, theirs.topics().iter().map(|topic| topic.0).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn random_transactions(transactions in proptest::collection::vec(transaction(), 0..40)) {
        let encoded: Vec<Vec<u8>> = transactions.iter().map(|transaction| transaction.encoded_2718()).collect();
        prop_assert_eq!(ordered_root(&encoded), calculate_transaction_root(&transactions).0);
        for (ours, theirs) in encoded.iter().zip(&transactions) {
            prop_assert_eq!(open_envelope(ours).unwrap().0, theirs.tx_type() as u8);
            prop_assert_eq!(sextant_consensus::hash::keccak256(ours), theirs.tx_hash().0);
        }
    }
}

#[test]
fn recorded_mainnet_blocks() {
    for (number, count) in [(SMALL, 57), (LARGE, 215)] {
        let block = block(number);
        assert_eq!([block.transactions.len(), block.receipts.len()], [count; 2]);
        assert_eq!(ordered_root(&block.transactions), block.transactions_root);
        assert_eq!(ordered_root(&block.receipts), block.receipts_root);
        for (root, values) in
            [(block.transactions_root, &block.transactions), (block.receipts_root, &block.receipts)]
        {
            for (index, value) in (0..).zip(values) {
                let path = ordered_path(values, index);
                assert_eq!(read(&root, index, &path), Ok(Some(&value[..])), "block {number}, index {index}");
                // Another index's path, and the other trie's, lead nowhere.
                let other = (index + 1) % count as u32;
                assert_ne!(read(&root, other, &path), Ok(Some(&value[..])));
            }
        }
        for (index, (json, transaction)) in block.receipts_json.iter().zip(&block.transactions).enumerate() {
            assert_eq!(json.index(), Some(index as u32));
            assert_eq!(json.transaction_hash, sextant_consensus::hash::keccak256(transaction));
        }
    }
}

#[test]
fn the_filter_of_a_block_is_that_of_its_logs() {
    for number in [SMALL, LARGE] {
        let block = block(number);
        let mut filter = [0; Bloom::BYTES];
        for receipt in &block.receipts {
            for log in Receipt::read(receipt).unwrap().logs() {
                let log = log.unwrap();
                bloom::insert(&mut filter, log.address);
                log.topics().for_each(|topic| bloom::insert(&mut filter, topic.unwrap()));
            }
        }
        assert_eq!(filter[..], block.logs_bloom[..]);
        for receipt in &block.receipts {
            for log in Receipt::read(receipt).unwrap().logs() {
                let log = log.unwrap();
                let topics: Vec<[u8; 32]> = log.topics().map(|topic| *topic.unwrap()).collect();
                assert!(!Bloom(&filter).excludes(log.address, &topics));
            }
        }
    }
}

#[test]
fn the_empty_trie_holds_nothing() {
    assert_eq!(ordered_root::<Vec<u8>>(&[]), EMPTY_ROOT);
    assert_eq!(ordered_path::<Vec<u8>>(&[], 0), Vec::<Vec<u8>>::new());
    assert_eq!(read(&EMPTY_ROOT, 0, &[]), Ok(None));
}
