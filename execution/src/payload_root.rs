//! `hash_tree_root(NewPayloadRequest)`: the one name of a block in a proof's public values.

use alloc::vec::Vec;

use sextant_consensus::hash::Root;

use crate::payload::{
    ConsolidationBytes, DepositBytes, ExecutionPayload, ExecutionRequests, NewPayloadRequest,
    WithdrawalBytes, WithdrawalRequestBytes,
};
use crate::ssz::{byte_list_root, bytes_root, container_root, list_root, padded, u64_root};

// Depths of the lists' trees: logarithms of the limits in `payload.rs`, for bytes of the limit's number of chunks.
const TRANSACTIONS: usize = 20;
const TRANSACTION: usize = 25;
const WITHDRAWALS: usize = 4;
const VERSIONED_HASHES: usize = 12;
const DEPOSITS: usize = 13;
const WITHDRAWAL_REQUESTS: usize = 4;
const CONSOLIDATIONS: usize = 1;

impl NewPayloadRequest<'_> {
    /// The root: of three fields in Cancun's shape, of four with requests. In both cases a tree of two levels.
    pub fn root(&self) -> Root {
        let fields = [
            self.payload.root(),
            list_root(self.versioned_hashes.to_vec(), VERSIONED_HASHES),
            self.parent_beacon_block_root.0,
        ];
        match &self.requests {
            None => container_root(&fields),
            Some(requests) => container_root(&[fields[0], fields[1], fields[2], requests.root()]),
        }
    }
}

impl ExecutionPayload<'_> {
    /// Roots of the fields, in the payload's order: what a payload header is made of.
    pub fn field_roots(&self) -> [Root; 17] {
        let transactions: Vec<Root> =
            self.transactions.iter().map(|bytes| byte_list_root(bytes, TRANSACTION)).collect();
        let withdrawals = self.withdrawals.iter().map(withdrawal_root).collect();
        [
            self.parent_hash.0,
            padded(self.fee_recipient.as_slice()),
            self.state_root.0,
            self.receipts_root.0,
            bytes_root(self.logs_bloom.as_slice(), 3),
            self.prev_randao.0,
            u64_root(self.block_number),
            u64_root(self.gas_limit),
            u64_root(self.gas_used),
            u64_root(self.timestamp),
            byte_list_root(self.extra_data, 0),
            self.base_fee_per_gas,
            self.block_hash.0,
            list_root(transactions, TRANSACTIONS),
            list_root(withdrawals, WITHDRAWALS),
            u64_root(self.blob_gas_used),
            u64_root(self.excess_blob_gas),
        ]
    }

    /// The payload's root, which is its header's root too.
    pub fn root(&self) -> Root {
        container_root(&self.field_roots())
    }
}

impl ExecutionRequests<'_> {
    /// The root of the three lists.
    pub fn root(&self) -> Root {
        container_root(&[
            list_root(self.deposits.iter().map(deposit_root).collect(), DEPOSITS),
            list_root(self.withdrawals.iter().map(withdrawal_request_root).collect(), WITHDRAWAL_REQUESTS),
            list_root(self.consolidations.iter().map(consolidation_root).collect(), CONSOLIDATIONS),
        ])
    }
}

fn withdrawal_root(bytes: &WithdrawalBytes) -> Root {
    let [index, validator, address, amount] = cut(bytes, [8, 8, 20, 8]);
    container_root(&[padded(index), padded(validator), padded(address), padded(amount)])
}

fn deposit_root(bytes: &DepositBytes) -> Root {
    let [key, credentials, amount, signature, index] = cut(bytes, [48, 32, 8, 96, 8]);
    let (key, signature) = (bytes_root(key, 1), bytes_root(signature, 2));
    container_root(&[key, padded(credentials), padded(amount), signature, padded(index)])
}

fn withdrawal_request_root(bytes: &WithdrawalRequestBytes) -> Root {
    let [address, key, amount] = cut(bytes, [20, 48, 8]);
    container_root(&[padded(address), bytes_root(key, 1), padded(amount)])
}

fn consolidation_root(bytes: &ConsolidationBytes) -> Root {
    let [address, source, target] = cut(bytes, [20, 48, 48]);
    container_root(&[padded(address), bytes_root(source, 1), bytes_root(target, 1)])
}

/// The fields of a container of fixed size.
fn cut<const N: usize, const BYTES: usize>(bytes: &[u8; BYTES], sizes: [usize; N]) -> [&[u8]; N] {
    let mut rest = &bytes[..];
    sizes.map(|size| {
        let (field, tail) = rest.split_at(size);
        rest = tail;
        field
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, hex};

    /// Roots by remerkleable 0.1.28 (PyPI) of elements whose bytes count up from 0.
    #[test]
    fn elements_have_the_roots_of_another_implementation() {
        let roots: [(Root, [u8; 32]); 4] = [
            (
                withdrawal_root(&counting()),
                hex!("9772b174446b933663655fa2d3a3d57f82543c75e332ef96db4b04e14fff289f"),
            ),
            (
                deposit_root(&counting()),
                hex!("ea8fdceaf5809f4c4f543ed679c461a210fd4df1d4524f19e2a459c8d15a1f5d"),
            ),
            (
                withdrawal_request_root(&counting()),
                hex!("969a80abab779bceb315853945a85fbd23ef5720e9cdc3cedc1a2b9e76a247de"),
            ),
            (
                consolidation_root(&counting()),
                hex!("7fd63a0eece19691650d9f26f27ae628317e5d18bcb30733fed2be2c75d41636"),
            ),
        ];
        for (index, (got, expected)) in roots.into_iter().enumerate() {
            assert_eq!(B256::new(got), B256::new(expected), "element {index}");
        }
    }

    #[test]
    fn requests_have_the_root_of_another_implementation() {
        let requests = ExecutionRequests {
            deposits: &[counting(), [7; 192], counting()],
            withdrawals: &[counting()],
            consolidations: &[counting(), [9; 116]],
        };
        assert_eq!(
            B256::new(requests.root()),
            B256::new(hex!("9fae88c1223937e1569deba2f1fc649a373e21f0e938e924b5fbfe452772798a"))
        );
        let none = ExecutionRequests { deposits: &[], withdrawals: &[], consolidations: &[] };
        assert_eq!(
            B256::new(none.root()),
            B256::new(hex!("85e253b40599d0df756be043ea6949e49a07e756deef72b3588a4b05362206b5"))
        );
    }

    fn counting<const N: usize>() -> [u8; N] {
        core::array::from_fn(|i| i as u8)
    }
}
