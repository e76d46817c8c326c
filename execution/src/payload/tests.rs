use super::*;
use crate::ssz::SszError;
use alloc::vec;

/// A payload with something in every field.
fn request<'a>(
    withdrawals: &'a [WithdrawalBytes],
    hashes: &'a [[u8; 32]],
    fork: Fork,
) -> NewPayloadRequest<'a> {
    let payload = ExecutionPayload {
        parent_hash: B256::repeat_byte(1),
        fee_recipient: Address::repeat_byte(2),
        state_root: B256::repeat_byte(3),
        receipts_root: B256::repeat_byte(4),
        logs_bloom: Bloom::repeat_byte(5),
        prev_randao: B256::repeat_byte(6),
        block_number: 7,
        gas_limit: 8,
        gas_used: 9,
        timestamp: 10,
        extra_data: b"extra",
        base_fee_per_gas: [11; 32],
        block_hash: B256::repeat_byte(12),
        transactions: vec![b"one", b"", b"three"],
        withdrawals,
        blob_gas_used: 13,
        excess_blob_gas: 14,
    };
    let requests = fork.has_requests().then_some(ExecutionRequests {
        deposits: &[[15; 192], [16; 192]],
        withdrawals: &[[17; 76]],
        consolidations: &[[18; 116]],
    });
    NewPayloadRequest {
        payload,
        versioned_hashes: hashes,
        parent_beacon_block_root: B256::repeat_byte(19),
        requests,
    }
}

#[test]
fn what_is_written_is_read_in_the_shape_of_the_fork() {
    for fork in Fork::ALL {
        let request = request(&[[20; 44], [21; 44]], &[[22; 32]], fork);
        let bytes = request.encode();
        assert_eq!(NewPayloadRequest::parse(fork, &bytes), Ok(request));
        // In the other shape it is nothing.
        let other = if fork.has_requests() { Fork::Cancun } else { Fork::Prague };
        assert!(matches!(NewPayloadRequest::parse(other, &bytes), Err(SszError::Offset { .. })), "{fork}");
    }
}

#[test]
fn every_list_has_its_limit() {
    let refused = |fork, bytes: &[u8], what, got, limit| {
        assert_eq!(NewPayloadRequest::parse(fork, bytes), Err(SszError::Limit { what, got, limit }));
    };
    let good = |request: NewPayloadRequest<'_>| {
        let bytes = request.encode();
        assert!(NewPayloadRequest::parse(Fork::Prague, &bytes).is_ok());
    };
    let fork = Fork::Prague;

    let withdrawals = [[0; 44]; 17];
    good(request(&withdrawals[..16], &[], fork));
    refused(fork, &request(&withdrawals, &[], fork).encode(), "withdrawals", 17, 16);

    let hashes = vec![[0; 32]; 4097];
    good(request(&[], &hashes[..4096], fork));
    refused(fork, &request(&[], &hashes, fork).encode(), "versioned_hashes", 4097, 4096);

    let mut long = request(&[], &[], fork);
    long.payload.extra_data = &[0; 32];
    good(long.clone());
    long.payload.extra_data = &[0; 33];
    refused(fork, &long.encode(), "extra_data", 33, 32);

    let deposits = vec![[0; 192]; 8193];
    let with = |requests| NewPayloadRequest { requests: Some(requests), ..request(&[], &[], fork) };
    let none = ExecutionRequests { deposits: &[], withdrawals: &[], consolidations: &[] };
    good(with(ExecutionRequests { deposits: &deposits[..8192], ..none }));
    refused(fork, &with(ExecutionRequests { deposits: &deposits, ..none }).encode(), "deposits", 8193, 8192);
    good(with(ExecutionRequests { withdrawals: &[[0; 76]; 16], ..none }));
    let many = with(ExecutionRequests { withdrawals: &[[0; 76]; 17], ..none }).encode();
    refused(fork, &many, "withdrawal_requests", 17, 16);
    good(with(ExecutionRequests { consolidations: &[[0; 116]; 2], ..none }));
    let many = with(ExecutionRequests { consolidations: &[[0; 116]; 3], ..none }).encode();
    refused(fork, &many, "consolidations", 3, 2);
}

/// By hand from EIP-7685: empty lists are left out, types stand in front.
#[test]
fn the_hash_of_requests() {
    let none = ExecutionRequests { deposits: &[], withdrawals: &[], consolidations: &[] };
    // SHA-256 of nothing: what blocks without requests have.
    let empty = alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
    assert_eq!(none.hash(), empty);
    let two = ExecutionRequests { withdrawals: &[[1; 76], [2; 76]], consolidations: &[[3; 116]], ..none };
    let withdrawals = sha256(&[&[1], &[1; 76], &[2; 76]]);
    let consolidations = sha256(&[&[2], &[3; 116]]);
    assert_eq!(two.hash(), B256::new(sha256(&[&withdrawals, &consolidations])));
}

#[test]
fn every_field_is_in_the_root() {
    for fork in [Fork::Cancun, Fork::Prague] {
        let base = request(&[[20; 44]], &[[22; 32]], fork);
        let bytes = base.encode();
        let root = base.root();
        let mut read = 0;
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            // Offsets are not in the root, but then they are not in their place either.
            if let Ok(request) = NewPayloadRequest::parse(fork, &other) {
                assert_ne!(request.root(), root, "{fork}: byte {at}");
                read += 1;
            }
        }
        assert!(read > 600, "{fork}: only {read} bytes are of values");
    }
}
