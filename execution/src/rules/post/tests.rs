use super::*;
use alloc::vec;
use alloy_consensus::{Receipt, ReceiptEnvelope};
use alloy_eips::eip7685::{EMPTY_REQUESTS_HASH, Requests};
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::{Address, Bytes, Log};
use revm::database::BundleState;

fn rules(hardfork: EthereumHardfork) -> Rules {
    Rules::of(1, hardfork).unwrap()
}

/// What came out of a block of two transactions, one of them with a log, that asks for a consolidation.
fn outcome() -> Outcome {
    let receipt = |cumulative_gas_used, logs| {
        ReceiptEnvelope::Eip1559(Receipt { status: true.into(), cumulative_gas_used, logs }.with_bloom())
    };
    let log =
        Log::new_unchecked(Address::repeat_byte(1), vec![B256::repeat_byte(2)], Bytes::from_static(b"data"));
    Outcome {
        receipts: vec![receipt(21_000, vec![]), receipt(50_000, vec![log])],
        requests: Requests::new(vec![[&[2][..], &[7; 116]].concat().into()]),
        gas_used: 50_000,
        blob_gas_used: 131_072,
        changes: BundleState::default(),
    }
}

/// The header that says so.
fn header(outcome: &Outcome) -> Header {
    Header {
        gas_used: outcome.gas_used,
        blob_gas_used: Some(outcome.blob_gas_used),
        logs_bloom: outcome.receipts[0].bloom() | outcome.receipts[1].bloom(),
        receipts_root: proofs::calculate_receipt_root(&outcome.receipts),
        requests_hash: Some(outcome.requests.iter().fold(B256::ZERO, |_, list| {
            let list = sextant_consensus::hash::sha256(&[list]);
            B256::new(sextant_consensus::hash::sha256(&[&list]))
        })),
        ..Header::default()
    }
}

/// The verdict on a header that is changed, under the rules of Prague.
fn changed(change: impl FnOnce(&mut Header)) -> Result<(), PostError> {
    let outcome = outcome();
    let mut header = header(&outcome);
    change(&mut header);
    check(&header, &outcome, &rules(EthereumHardfork::Prague))
}

#[test]
fn what_the_header_says_is_accepted() {
    assert_eq!(changed(|_| ()), Ok(()));
    let before_prague = Outcome { requests: Requests::default(), ..outcome() };
    let header = Header { requests_hash: None, ..header(&outcome()) };
    assert_eq!(check(&header, &before_prague, &rules(EthereumHardfork::Cancun)), Ok(()));
}

#[test]
fn gas_is_that_of_the_header() {
    for expected in [0, 49_999, 50_001] {
        let error = PostError::GasUsed { got: 50_000, expected };
        assert_eq!(changed(|header| header.gas_used = expected), Err(error));
    }
}

#[test]
fn blob_gas_is_that_of_the_header() {
    for expected in [None, Some(0), Some(262_144)] {
        let error = PostError::BlobGasUsed { got: 131_072, expected };
        assert_eq!(changed(|header| header.blob_gas_used = expected), Err(error));
    }
}

#[test]
fn logs_and_receipts_are_those_of_the_header() {
    // A bit more, and a bit less.
    assert_eq!(changed(|header| header.logs_bloom = Bloom::repeat_byte(0xff)), Err(PostError::LogsBloom));
    assert_eq!(changed(|header| header.logs_bloom = Bloom::ZERO), Err(PostError::LogsBloom));
    let expected = B256::repeat_byte(3);
    let error = changed(|header| header.receipts_root = expected).unwrap_err();
    assert!(matches!(error, PostError::Receipts { expected: e, .. } if e == expected), "{error}");
    // What a receipt says beside its logs is in the root.
    let failed = |outcome: &mut Outcome| {
        if let ReceiptEnvelope::Eip1559(receipt) = &mut outcome.receipts[0] {
            receipt.receipt.status = false.into();
        }
    };
    let mut other = outcome();
    failed(&mut other);
    let error = check(&header(&outcome()), &other, &rules(EthereumHardfork::Prague)).unwrap_err();
    assert!(matches!(error, PostError::Receipts { .. }), "{error}");
}

#[test]
fn requests_are_those_of_the_header() {
    for other in [None, Some(EMPTY_REQUESTS_HASH), Some(B256::ZERO)] {
        let error = changed(|header| header.requests_hash = other).unwrap_err();
        assert!(
            matches!(error, PostError::Requests { got: Some(_), expected } if expected == other),
            "{error}"
        );
    }
    // Before Prague there are none to name.
    let header = header(&outcome());
    let expected = header.requests_hash;
    let error = PostError::Requests { got: None, expected };
    assert_eq!(check(&header, &outcome(), &rules(EthereumHardfork::Cancun)), Err(error));
}

/// Requests for deposits that no log has: another rule than the hash, which is right.
#[test]
fn deposits_are_those_of_the_logs() {
    let deposits =
        Outcome { requests: Requests::new(vec![[&[0][..], &[7; 192]].concat().into()]), ..outcome() };
    let verdict = check(&header(&deposits), &deposits, &rules(EthereumHardfork::Prague));
    assert_eq!(verdict, Err(PostError::Deposits(DepositError::Others)));
}

#[test]
fn the_state_is_that_of_the_header() {
    let header = Header { state_root: B256::repeat_byte(1), ..Header::default() };
    assert_eq!(check_state(&header, B256::repeat_byte(1)), Ok(()));
    let error = PostError::State { got: B256::repeat_byte(2), expected: B256::repeat_byte(1) };
    assert_eq!(check_state(&header, B256::repeat_byte(2)), Err(error));
}
