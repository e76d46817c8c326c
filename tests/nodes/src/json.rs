//! The light-client objects in the beacon API's JSON, for those that were never recorded.

use serde_json::{Value, json};
use sextant_consensus::{
    beacon::BeaconBlockHeader,
    chain::{ChainConfig, Fork},
    hash::keccak256,
    light_client::{
        ExecutionPayloadHeader, LightClientBootstrap, LightClientFinalityUpdate, LightClientHeader,
        LightClientUpdate, SyncCommittee,
    },
    rlp::Item,
};

/// Bytes as `0x` and hex digits.
pub fn hex(bytes: &[u8]) -> Value {
    format!("0x{}", hex::encode(bytes)).into()
}

fn list<const N: usize>(items: &[[u8; N]]) -> Value {
    items.iter().map(|item| hex(item)).collect()
}

/// An answer of the API: `version` and `data`.
pub fn versioned(chain: &ChainConfig, slot: u64, data: Value) -> Value {
    json!({ "version": chain.fork_at(slot).expect("a fork").as_str(), "data": data })
}

/// `BeaconBlockHeader`.
pub fn header(header: &BeaconBlockHeader) -> Value {
    json!({
        "slot": header.slot.to_string(),
        "proposer_index": header.proposer_index.to_string(),
        "parent_root": hex(&header.parent_root),
        "state_root": hex(&header.state_root),
        "body_root": hex(&header.body_root),
    })
}

fn committee(committee: &SyncCommittee) -> Value {
    json!({ "pubkeys": list(&committee.pubkeys), "aggregate_pubkey": hex(&committee.aggregate_pubkey) })
}

fn payload(execution: &ExecutionPayloadHeader) -> Value {
    let mut value = json!({
        "parent_hash": hex(&execution.parent_hash),
        "fee_recipient": hex(&execution.fee_recipient),
        "state_root": hex(&execution.state_root),
        "receipts_root": hex(&execution.receipts_root),
        "logs_bloom": hex(&execution.logs_bloom),
        "prev_randao": hex(&execution.prev_randao),
        "block_number": execution.block_number.to_string(),
        "gas_limit": execution.gas_limit.to_string(),
        "gas_used": execution.gas_used.to_string(),
        "timestamp": execution.timestamp.to_string(),
        "extra_data": hex(&execution.extra_data),
        "base_fee_per_gas": small_number(&execution.base_fee_per_gas),
        "block_hash": hex(&execution.block_hash),
        "transactions_root": hex(&execution.transactions_root),
        "withdrawals_root": hex(&execution.withdrawals_root),
    });
    for (name, amount) in
        [("blob_gas_used", execution.blob_gas_used), ("excess_blob_gas", execution.excess_blob_gas)]
    {
        if let Some(amount) = amount {
            value[name] = amount.to_string().into();
        }
    }
    value
}

/// A small little-endian number in decimal.
fn small_number(number: &[u8; 32]) -> String {
    assert!(number[8..].iter().all(|byte| *byte == 0), "only small numbers here");
    u64::from_le_bytes(number[..8].try_into().expect("eight bytes")).to_string()
}

/// `LightClientHeader`.
pub fn light_client_header(light: &LightClientHeader) -> Value {
    let mut value = json!({ "beacon": header(&light.beacon) });
    if let Some(execution) = &light.execution {
        value["execution"] = payload(execution);
    }
    if let Some(hash) = &light.execution_block_hash {
        value["execution_block_hash"] = hex(hash);
    }
    value["execution_branch"] = list(&light.execution_branch);
    value
}

/// `LightClientBootstrap`.
pub fn bootstrap(bootstrap: &LightClientBootstrap) -> Value {
    json!({
        "header": light_client_header(&bootstrap.header),
        "current_sync_committee": committee(&bootstrap.current_sync_committee),
        "current_sync_committee_branch": list(&bootstrap.current_sync_committee_branch),
    })
}

/// `LightClientFinalityUpdate`.
pub fn finality_update(update: &LightClientFinalityUpdate) -> Value {
    json!({
        "attested_header": light_client_header(&update.attested_header),
        "finalized_header": light_client_header(&update.finalized_header),
        "finality_branch": list(&update.finality_branch),
        "sync_aggregate": {
            "sync_committee_bits": hex(&update.sync_aggregate.sync_committee_bits),
            "sync_committee_signature": hex(&update.sync_aggregate.sync_committee_signature),
        },
        "signature_slot": update.signature_slot.to_string(),
    })
}

/// `LightClientUpdate`.
pub fn update(update: &LightClientUpdate) -> Value {
    let mut value = finality_update(&update.finality_update());
    value["next_sync_committee"] = committee(&update.next_sync_committee);
    value["next_sync_committee_branch"] = list(&update.next_sync_committee_branch);
    value
}

/// An execution block as `eth_getBlockByHash` gives it, from its header in RLP.
pub fn block(rlp: &[u8]) -> Value {
    const FIELDS: [(&str, bool); 21] = [
        ("parentHash", false),
        ("sha3Uncles", false),
        ("miner", false),
        ("stateRoot", false),
        ("transactionsRoot", false),
        ("receiptsRoot", false),
        ("logsBloom", false),
        ("difficulty", true),
        ("number", true),
        ("gasLimit", true),
        ("gasUsed", true),
        ("timestamp", true),
        ("extraData", false),
        ("mixHash", false),
        ("nonce", false),
        ("baseFeePerGas", true),
        ("withdrawalsRoot", false),
        ("blobGasUsed", true),
        ("excessBlobGas", true),
        ("parentBeaconBlockRoot", false),
        ("requestsHash", false),
    ];
    let mut rest = Item::only(rlp).and_then(Item::list).expect("a list");
    let mut block = json!({ "hash": hex(&keccak256(rlp)) });
    for (name, is_quantity) in FIELDS {
        let (item, _, tail) = Item::take(rest).expect("a field");
        let bytes = item.string().expect("a string");
        let digits = hex::encode(bytes);
        block[name] = match is_quantity {
            true if bytes.is_empty() => "0x0".into(),
            true => format!("0x{}", digits.trim_start_matches('0')).into(),
            false => hex(bytes),
        };
        rest = tail;
    }
    block
}

/// `/eth/v1/config/spec` of a chain, with slots of this length and its execution chain's id.
pub fn spec(chain: &ChainConfig, slot_millis: u64, execution_chain_id: u64) -> Value {
    let mut data = json!({
        "SLOTS_PER_EPOCH": chain.slots_per_epoch.to_string(),
        "EPOCHS_PER_SYNC_COMMITTEE_PERIOD": chain.epochs_per_period.to_string(),
        "SYNC_COMMITTEE_SIZE": chain.committee_size.to_string(),
        "SLOT_DURATION_MS": slot_millis.to_string(),
        "DEPOSIT_CHAIN_ID": execution_chain_id.to_string(),
    });
    for (fork, scheduled) in Fork::ALL.iter().zip(&chain.forks.0) {
        let name = fork.as_str().to_uppercase();
        match fork {
            Fork::Phase0 => data["GENESIS_FORK_VERSION"] = hex(&scheduled.version),
            _ => {
                data[format!("{name}_FORK_VERSION")] = hex(&scheduled.version);
                data[format!("{name}_FORK_EPOCH")] = scheduled.epoch.to_string().into();
            }
        }
    }
    json!({ "data": data })
}

/// `/eth/v1/beacon/genesis` of a chain.
pub fn genesis(chain: &ChainConfig, time: u64) -> Value {
    json!({ "data": {
        "genesis_time": time.to_string(),
        "genesis_validators_root": hex(&chain.genesis_validators_root),
        "genesis_fork_version": hex(&chain.forks.0[0].version),
    } })
}

/// `/eth/v1/beacon/headers/{block_id}`.
pub fn header_answer(block: &BeaconBlockHeader) -> Value {
    json!({ "data": {
        "root": hex(&block.root()),
        "canonical": true,
        "header": { "message": header(block), "signature": hex(&[0; 96]) },
    } })
}
