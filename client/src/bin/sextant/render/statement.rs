//! A statement for people: rows of a table.

use sextant_consensus::public_values::{
    Account, Bundle, Head, Inclusion, Learned, Log, LogData, NoLog, Statement, Transaction,
};
use sextant_verifier::rules::{
    networks,
    words::{decimal, hex, is_about_the_finalized, proven},
};

use super::{Table, grouped};

/// Adds the rows of a statement.
pub fn rows(table: &mut Table, statement: &Statement) {
    beginning(table, statement);
    if let Some(values) = statement.head() {
        head(table, values);
    }
    match statement {
        Statement::CommitteeChange(values) => learned_rows(table, &values.learned),
        Statement::Inclusion(values) => {
            learned_rows(table, &values.learned);
            facts(table, values);
            values.accounts.iter().for_each(|account| account_rows(table, account));
            for transaction in &values.transactions {
                let logs = values.logs.iter().filter(|log| log.transaction == transaction.index);
                transaction_rows(table, transaction, logs);
            }
            values.no_logs.iter().for_each(|no_log| no_log_rows(table, no_log));
        }
        Statement::Bundle(values) => bundle_rows(table, values),
        Statement::Chain(values) => learned_rows(table, &[values.newest]),
    }
}

fn beginning(table: &mut Table, statement: &Statement) {
    let chain = statement.chain_digest();
    let network = networks::name_of(&chain).unwrap_or("unknown");
    table.row("statement", statement.program());
    table.row("network", format!("{network} (chain digest {})", hex(&chain)));
}

/// Statements by their hashes: what each of them says is in its own public values.
fn bundle_rows(table: &mut Table, bundle: &Bundle) {
    table.row("statements", bundle.parts.len());
    for (index, part) in bundle.parts.iter().enumerate() {
        table.row(&format!("{index}: {}", part.program), hex(&part.digest));
    }
}

fn head(table: &mut Table, head: &Head) {
    table.row("signer period", head.signer_period);
    table.row("signer committee", hex(&head.signer_committee_root));
    table.row("participation", head.participation);
    table.row("finalized slot", head.finalized_slot);
    table.row("finalized block root", hex(&head.finalized_root));
    table.row("execution block", head.block_number);
    table.row("block hash", hex(&head.block_hash));
    table.row("state root", hex(&head.state_root));
}

fn learned_rows(table: &mut Table, learned: &[Learned]) {
    for learned in learned {
        table.row(&format!("committee of {}", learned.period), hex(&learned.committee_root));
    }
}

/// The block that everything below is about, said plainly where it is not the finalized one.
fn facts(table: &mut Table, values: &Inclusion) {
    let facts = &values.facts;
    if is_about_the_finalized(values) {
        table.row("what follows is about", "the finalized block above");
    } else {
        table.section("an EARLIER block than the finalized one; all that follows is about it");
        let back = grouped(values.head.block_number.saturating_sub(facts.number));
        table.row("block", format!("{}, {back} before the finalized one", facts.number));
        table.row("block hash", hex(&facts.hash));
        table.row("state root", hex(&facts.state_root));
    }
    if let Some(root) = proven(&facts.receipts_root) {
        table.row("receipts root", root);
        table.row("block's time", format!("{} (Unix seconds)", facts.timestamp));
    }
}

fn account_rows(table: &mut Table, account: &Account) {
    table.section(&format!("account {}", hex(&account.address)));
    if account.exists {
        table.row("nonce", account.nonce);
        table.row("balance", format!("{} wei", decimal(&account.balance)));
        table.row("storage root", hex(&account.storage_root));
        table.row("code hash", hex(&account.code_hash));
    } else {
        table.row("exists", "no: proven absent");
    }
    for slot in &account.slots {
        table.row("slot", hex(&slot.key));
        table.row("value", if slot.exists { hex(&slot.value) } else { "0: proven absent".into() });
    }
}

fn transaction_rows<'a>(table: &mut Table, transaction: &Transaction, logs: impl Iterator<Item = &'a Log>) {
    table.section(&format!("transaction {} of the block", transaction.index));
    table.row("hash", proven(&transaction.hash).unwrap_or_else(|| "not proven, only its receipt is".into()));
    table.row("status", if transaction.succeeded { "succeeded" } else { "failed" });
    for log in logs {
        table.row(&format!("log {}", log.position), format!("by {}", hex(&log.address)));
        log.topics.iter().for_each(|topic| table.row("topic", hex(topic)));
        match &log.data {
            LogData::Whole(data) => table.row("data", hex(data)),
            LogData::Hash(hash) => table.row("hash of its data", hex(hash)),
        }
    }
}

fn no_log_rows(table: &mut Table, no_log: &NoLog) {
    table.section(&format!("no log of {} in the block: proven absent", hex(&no_log.address)));
    match &no_log.topics[..] {
        [] => table.row("topics", "whichever"),
        topics => topics.iter().for_each(|topic| table.row("with topic", hex(topic))),
    }
}
