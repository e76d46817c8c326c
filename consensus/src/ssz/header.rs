//! Headers: the beacon block's, the execution payload's, and the light client's around both.

use super::{Shape, SszError, SszReason, array, branch_size, exact, roots, split, uint64};
use crate::beacon::BeaconBlockHeader;
use crate::chain::Fork;
use crate::light_client::{ExecutionPayloadHeader, LightClientHeader};

/// `EXECUTION_PAYLOAD_GINDEX`.
const PAYLOAD_GINDEX: u64 = 25;
/// `EXECUTION_BLOCK_HASH_GINDEX_GLOAS`.
const HASH_GINDEX: u64 = 2856;
/// Bytes of `BeaconBlockHeader`.
const BEACON: usize = 112;

fn beacon(bytes: &[u8]) -> Result<BeaconBlockHeader, SszError> {
    let [slot, proposer_index, parent_root, state_root, body_root] = split(
        bytes,
        [
            ("slot", Some(8)),
            ("proposer_index", Some(8)),
            ("parent_root", Some(32)),
            ("state_root", Some(32)),
            ("body_root", Some(32)),
        ],
    )?;
    Ok(BeaconBlockHeader {
        slot: uint64(slot),
        proposer_index: uint64(proposer_index),
        parent_root: array(parent_root),
        state_root: array(state_root),
        body_root: array(body_root),
    })
}

fn execution(fork: Fork, bytes: &[u8]) -> Result<ExecutionPayloadHeader, SszError> {
    const FIELDS: [(&str, Option<usize>); 15] = [
        ("parent_hash", Some(32)),
        ("fee_recipient", Some(20)),
        ("state_root", Some(32)),
        ("receipts_root", Some(32)),
        ("logs_bloom", Some(256)),
        ("prev_randao", Some(32)),
        ("block_number", Some(8)),
        ("gas_limit", Some(8)),
        ("gas_used", Some(8)),
        ("timestamp", Some(8)),
        ("extra_data", None),
        ("base_fee_per_gas", Some(32)),
        ("block_hash", Some(32)),
        ("transactions_root", Some(32)),
        ("withdrawals_root", Some(32)),
    ];
    /// `MAX_EXTRA_DATA_BYTES`.
    const EXTRA_DATA: usize = 32;

    let mut parts = [&[][..]; 17];
    if fork < Fork::Deneb {
        parts[..15].copy_from_slice(&split(bytes, FIELDS)?);
    } else {
        let mut fields = [("", None); 17];
        fields[..15].copy_from_slice(&FIELDS);
        fields[15..].copy_from_slice(&[("blob_gas_used", Some(8)), ("excess_blob_gas", Some(8))]);
        parts = split(bytes, fields)?;
    }
    let extra_data = parts[10];
    if extra_data.len() > EXTRA_DATA {
        let reason = SszReason::Limit { got: extra_data.len(), limit: EXTRA_DATA };
        return Err(SszError::new(reason).within("extra_data"));
    }
    let blob = |part: &[u8]| (fork >= Fork::Deneb).then(|| uint64(part));
    Ok(ExecutionPayloadHeader {
        parent_hash: array(parts[0]),
        fee_recipient: array(parts[1]),
        state_root: array(parts[2]),
        receipts_root: array(parts[3]),
        logs_bloom: array(parts[4]),
        prev_randao: array(parts[5]),
        block_number: uint64(parts[6]),
        gas_limit: uint64(parts[7]),
        gas_used: uint64(parts[8]),
        timestamp: uint64(parts[9]),
        extra_data: extra_data.to_vec(),
        base_fee_per_gas: array(parts[11]),
        block_hash: array(parts[12]),
        transactions_root: array(parts[13]),
        withdrawals_root: array(parts[14]),
        blob_gas_used: blob(parts[15]),
        excess_blob_gas: blob(parts[16]),
    })
}

/// Size of a light-client header; `None` where the payload's header, with its list, makes it vary.
pub(super) fn size(fork: Fork) -> Option<usize> {
    match fork {
        Fork::Phase0 | Fork::Altair | Fork::Bellatrix => Some(BEACON),
        Fork::Capella | Fork::Deneb | Fork::Electra | Fork::Fulu => None,
        Fork::Gloas => Some(BEACON + 32 + branch_size(HASH_GINDEX)),
    }
}

/// A light-client header that takes up all of `bytes`.
pub(super) fn light_client_header(shape: Shape, bytes: &[u8]) -> Result<LightClientHeader, SszError> {
    let fork = shape.fork;
    if fork < Fork::Capella {
        let beacon = beacon(exact(bytes, BEACON)?).map_err(|e| e.within("beacon"))?;
        return Ok(LightClientHeader { beacon, ..Default::default() });
    }
    let (execution_field, branch) = if fork < Fork::Gloas {
        (("execution", None), branch_size(PAYLOAD_GINDEX))
    } else {
        (("execution_block_hash", Some(32)), branch_size(HASH_GINDEX))
    };
    let [beacon_bytes, payload, branch] =
        split(bytes, [("beacon", Some(BEACON)), execution_field, ("execution_branch", Some(branch))])?;
    let mut header = LightClientHeader {
        beacon: beacon(beacon_bytes).map_err(|e| e.within("beacon"))?,
        execution_branch: roots(branch),
        ..Default::default()
    };
    if fork < Fork::Gloas {
        header.execution = Some(execution(fork, payload).map_err(|e| e.within("execution"))?);
    } else {
        header.execution_block_hash = Some(array(payload));
    }
    Ok(header)
}
