//! A statement as JSON: numbers as numbers, bytes as hex, balances as decimal strings of wei. What a statement leaves
//! unproven is `null`.

use serde_json::{Value, json};
use sextant_consensus::public_values::{
    Account, Bundled, Head, Inclusion, Learned, Log, LogData, NoLog, Statement, Transaction,
};

use crate::{
    networks,
    words::{decimal, hex, is_about_the_finalized, proven},
};

/// A whole statement.
pub fn statement(statement: &Statement) -> Value {
    let mut value = statement.head().map_or_else(|| beginning(statement), head);
    match statement {
        Statement::CommitteeChange(values) => value["learned"] = learned(&values.learned),
        Statement::Inclusion(values) => {
            value["facts"] = facts(values);
            value["accounts"] = values.accounts.iter().map(account).collect();
            value["learned"] = learned(&values.learned);
            value["transactions"] = values.transactions.iter().map(transaction).collect();
            value["logs"] = values.logs.iter().map(log).collect();
            value["no_logs"] = values.no_logs.iter().map(no_log).collect();
        }
        Statement::Bundle(values) => value["statements"] = values.parts.iter().map(bundled).collect(),
        Statement::Chain(values) => {
            value["learned"] = learned(&[values.newest]);
            value["program_key"] = hex(&values.program_key).into();
        }
    }
    value
}

/// What every statement has.
fn beginning(statement: &Statement) -> Value {
    let chain = statement.chain_digest();
    json!({
        "program": statement.program().as_str(),
        "network": networks::name_of(&chain),
        "chain_digest": hex(&chain),
    })
}

fn bundled(part: &Bundled) -> Value {
    json!({ "program": part.program.as_str(), "digest": hex(&part.digest) })
}

fn head(head: &Head) -> Value {
    json!({
        "program": head.program.as_str(),
        "network": networks::name_of(&head.chain_digest),
        "chain_digest": hex(&head.chain_digest),
        "signer_period": head.signer_period,
        "signer_committee_root": hex(&head.signer_committee_root),
        "participation": head.participation,
        "finalized_slot": head.finalized_slot,
        "finalized_root": hex(&head.finalized_root),
        "block_number": head.block_number,
        "block_hash": hex(&head.block_hash),
        "state_root": hex(&head.state_root),
    })
}

fn learned(learned: &[Learned]) -> Value {
    let entry = |learned: &Learned| json!({ "period": learned.period, "committee_root": hex(&learned.committee_root) });
    learned.iter().map(entry).collect()
}

fn facts(values: &Inclusion) -> Value {
    let facts = &values.facts;
    let receipts_root = proven(&facts.receipts_root);
    json!({
        "is_finalized_block": is_about_the_finalized(values),
        "block_number": facts.number,
        "block_hash": hex(&facts.hash),
        "state_root": hex(&facts.state_root),
        "timestamp": receipts_root.is_some().then_some(facts.timestamp),
        "receipts_root": receipts_root,
    })
}

fn account(account: &Account) -> Value {
    let slots: Vec<Value> = account
        .slots
        .iter()
        .map(|slot| json!({ "key": hex(&slot.key), "exists": slot.exists, "value": hex(&slot.value) }))
        .collect();
    json!({
        "address": hex(&account.address),
        "exists": account.exists,
        "nonce": account.nonce,
        "balance": decimal(&account.balance),
        "storage_root": hex(&account.storage_root),
        "code_hash": hex(&account.code_hash),
        "slots": slots,
    })
}

fn transaction(transaction: &Transaction) -> Value {
    json!({
        "hash": proven(&transaction.hash),
        "index": transaction.index,
        "succeeded": transaction.succeeded,
    })
}

fn log(log: &Log) -> Value {
    let (data, data_hash) = match &log.data {
        LogData::Whole(data) => (Some(hex(data)), None),
        LogData::Hash(hash) => (None, Some(hex(hash))),
    };
    json!({
        "transaction": log.transaction,
        "position": log.position,
        "address": hex(&log.address),
        "topics": topics(&log.topics),
        "data": data,
        "data_hash": data_hash,
    })
}

fn no_log(no_log: &NoLog) -> Value {
    json!({ "address": hex(&no_log.address), "topics": topics(&no_log.topics) })
}

fn topics(topics: &[[u8; 32]]) -> Value {
    topics.iter().map(|topic| Value::from(hex(topic))).collect()
}
