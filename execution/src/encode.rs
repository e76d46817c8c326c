//! Writing what [`crate::input`] reads: for those who make an input of a block and a node's witness.

use alloc::vec::Vec;

use alloy_eips::{eip4895::Withdrawal, eip7685::Requests};

use crate::block::Block;
use crate::input::{PublicKeyBytes, Witness};
use crate::payload::{ExecutionPayload, ExecutionRequests, NewPayloadRequest, WithdrawalBytes};
use crate::schema::SchemaId;

/// A container in SSZ, from its fields in order: bytes of fixed size stand in place, the others follow at their offset.
fn container(fields: &[Part<'_>]) -> Vec<u8> {
    let fixed: usize = fields.iter().map(|field| if field.varies { 4 } else { field.bytes.len() }).sum();
    let mut out = Vec::with_capacity(fields.iter().map(|field| field.bytes.len() + 4).sum());
    let mut end = fixed;
    for field in fields {
        if field.varies {
            out.extend_from_slice(&(end as u32).to_le_bytes());
            end += field.bytes.len();
        } else {
            out.extend_from_slice(field.bytes);
        }
    }
    fields.iter().filter(|field| field.varies).for_each(|field| out.extend_from_slice(field.bytes));
    out
}

struct Part<'a> {
    bytes: &'a [u8],
    varies: bool,
}

fn fixed(bytes: &[u8]) -> Part<'_> {
    Part { bytes, varies: false }
}

fn varying(bytes: &[u8]) -> Part<'_> {
    Part { bytes, varies: true }
}

/// A list of byte lists.
fn byte_lists(items: &[&[u8]]) -> Vec<u8> {
    container(&items.iter().map(|item| varying(item)).collect::<Vec<_>>())
}

/// The bytes of an input, its schema id in front: what [`crate::input::StatelessInput::parse`] reads. `request` is in SSZ, as
/// [`NewPayloadRequest::encode`] makes it or a beacon node has sent it; keys may be left out.
pub fn stateless_input(
    schema: SchemaId,
    request: &[u8],
    witness: &Witness<'_>,
    chain_id: u64,
    public_keys: &[PublicKeyBytes],
) -> Vec<u8> {
    let ssz = container(&[
        varying(request),
        varying(&witness.encode()),
        fixed(&chain_id.to_le_bytes()),
        varying(public_keys.as_flattened()),
    ]);
    [&schema.number().to_be_bytes()[..], &ssz].concat()
}

/// The request to validate `block`, in SSZ. `requests` is what the block asks of the consensus layer, which a block names by
/// its hash alone: whoever has executed it knows ([`crate::statement::Checked::requests`]).
pub fn block_request(block: &Block<'_>, requests: &Requests) -> Vec<u8> {
    let header = block.header();
    let withdrawals: Vec<WithdrawalBytes> = block.withdrawals().iter().map(withdrawal).collect();
    let hashes: Vec<[u8; 32]> = block.versioned_hashes().map(|hash| hash.0).collect();
    // Lists of whole requests, as the system contracts' and the deposit contract's logs have made them.
    let list = |kind: u8| {
        let list = requests.iter().find(|list| list.first() == Some(&kind));
        list.map_or(&[][..], |list| &list[1..])
    };
    let requests = header.requests_hash.map(|_| ExecutionRequests {
        deposits: list(0).as_chunks().0,
        withdrawals: list(1).as_chunks().0,
        consolidations: list(2).as_chunks().0,
    });
    let mut base_fee_per_gas = [0; 32];
    base_fee_per_gas[..8].copy_from_slice(&header.base_fee_per_gas.unwrap_or_default().to_le_bytes());
    let payload = ExecutionPayload {
        parent_hash: header.parent_hash,
        fee_recipient: header.beneficiary,
        state_root: header.state_root,
        receipts_root: header.receipts_root,
        logs_bloom: header.logs_bloom,
        prev_randao: header.mix_hash,
        block_number: header.number,
        gas_limit: header.gas_limit,
        gas_used: header.gas_used,
        timestamp: header.timestamp,
        extra_data: &header.extra_data,
        base_fee_per_gas,
        block_hash: block.hash(),
        transactions: block.encoded_transactions().to_vec(),
        withdrawals: &withdrawals,
        blob_gas_used: header.blob_gas_used.unwrap_or_default(),
        excess_blob_gas: header.excess_blob_gas.unwrap_or_default(),
    };
    let parent_beacon_block_root = header.parent_beacon_block_root.unwrap_or_default();
    NewPayloadRequest { payload, versioned_hashes: &hashes, parent_beacon_block_root, requests }.encode()
}

fn withdrawal(withdrawal: &Withdrawal) -> WithdrawalBytes {
    let mut bytes = [0; 44];
    bytes[..8].copy_from_slice(&withdrawal.index.to_le_bytes());
    bytes[8..16].copy_from_slice(&withdrawal.validator_index.to_le_bytes());
    bytes[16..36].copy_from_slice(withdrawal.address.as_slice());
    bytes[36..].copy_from_slice(&withdrawal.amount.to_le_bytes());
    bytes
}

impl Witness<'_> {
    fn encode(&self) -> Vec<u8> {
        container(&[
            varying(&byte_lists(&self.state)),
            varying(&byte_lists(&self.codes)),
            varying(&byte_lists(&self.headers)),
        ])
    }
}

impl NewPayloadRequest<'_> {
    /// The request's SSZ, as a beacon node sends it.
    pub fn encode(&self) -> Vec<u8> {
        let payload = self.payload.encode();
        let mut fields = alloc::vec![
            varying(&payload),
            varying(self.versioned_hashes.as_flattened()),
            fixed(self.parent_beacon_block_root.as_slice()),
        ];
        let requests = self.requests.as_ref().map(ExecutionRequests::encode);
        fields.extend(requests.as_deref().map(varying));
        container(&fields)
    }
}

impl ExecutionPayload<'_> {
    fn encode(&self) -> Vec<u8> {
        container(&[
            fixed(self.parent_hash.as_slice()),
            fixed(self.fee_recipient.as_slice()),
            fixed(self.state_root.as_slice()),
            fixed(self.receipts_root.as_slice()),
            fixed(self.logs_bloom.as_slice()),
            fixed(self.prev_randao.as_slice()),
            fixed(&self.block_number.to_le_bytes()),
            fixed(&self.gas_limit.to_le_bytes()),
            fixed(&self.gas_used.to_le_bytes()),
            fixed(&self.timestamp.to_le_bytes()),
            varying(self.extra_data),
            fixed(&self.base_fee_per_gas),
            fixed(self.block_hash.as_slice()),
            varying(&byte_lists(&self.transactions)),
            varying(self.withdrawals.as_flattened()),
            fixed(&self.blob_gas_used.to_le_bytes()),
            fixed(&self.excess_blob_gas.to_le_bytes()),
        ])
    }
}

impl ExecutionRequests<'_> {
    fn encode(&self) -> Vec<u8> {
        container(&[
            varying(self.deposits.as_flattened()),
            varying(self.withdrawals.as_flattened()),
            varying(self.consolidations.as_flattened()),
        ])
    }
}
