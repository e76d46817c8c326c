//! Decoded public values for people (a table) and for programs (JSON).

use std::{
    fmt::{self, Display},
    time::Duration,
};

use indicatif::HumanCount;
use ruint::aliases::U256;
use serde_json::{Value, json};
use sextant_client::sources::forks;
use sextant_consensus::{
    chain::ChainConfig,
    hash::Root,
    networks,
    public_values::{Account, Head, Statement},
};

/// Rows of a label and a value, aligned, in sections.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<(String, Option<String>)>,
}

impl Table {
    /// Adds a row.
    pub fn row(&mut self, label: &str, value: impl Display) {
        self.rows.push((label.into(), Some(value.to_string())));
    }

    /// Begins a section.
    pub fn section(&mut self, title: &str) {
        self.rows.push((title.into(), None));
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.rows.iter().filter(|(_, value)| value.is_some());
        let width = values.map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        for (label, value) in &self.rows {
            match value {
                Some(value) => writeln!(f, "  {label:width$}  {value}")?,
                None => writeln!(f, "\n{label}")?,
            }
        }
        Ok(())
    }
}

/// Adds the rows of a statement.
pub fn statement(table: &mut Table, statement: &Statement) {
    head(table, statement.head());
    match statement {
        Statement::CommitteeChange(values) => {
            for learned in &values.learned {
                let label = format!("committee of {}", learned.period);
                table.row(&label, hex(&learned.committee_root));
            }
        }
        Statement::Inclusion(values) => {
            values.accounts.iter().for_each(|account| account_rows(table, account))
        }
    }
}

fn head(table: &mut Table, head: &Head) {
    let network = network_of(&head.chain_digest).unwrap_or("unknown");
    table.row("statement", head.program);
    table.row("network", format!("{network} (chain digest {})", hex(&head.chain_digest)));
    table.row("signer period", head.signer_period);
    table.row("signer committee", hex(&head.signer_committee_root));
    table.row("participation", head.participation);
    table.row("finalized slot", head.finalized_slot);
    table.row("finalized block root", hex(&head.finalized_root));
    table.row("execution block", head.block_number);
    table.row("block hash", hex(&head.block_hash));
    table.row("state root", hex(&head.state_root));
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

/// A statement as JSON: numbers as numbers, bytes as hex, balances as decimal strings of wei.
pub fn statement_json(statement: &Statement) -> Value {
    let head = statement.head();
    let mut value = json!({
        "program": head.program.as_str(),
        "network": network_of(&head.chain_digest),
        "chain_digest": hex(&head.chain_digest),
        "signer_period": head.signer_period,
        "signer_committee_root": hex(&head.signer_committee_root),
        "participation": head.participation,
        "finalized_slot": head.finalized_slot,
        "finalized_root": hex(&head.finalized_root),
        "block_number": head.block_number,
        "block_hash": hex(&head.block_hash),
        "state_root": hex(&head.state_root),
    });
    let (name, list): (_, Vec<Value>) = match statement {
        Statement::CommitteeChange(values) => {
            let learned = values.learned.iter().map(
                |learned| json!({ "period": learned.period, "committee_root": hex(&learned.committee_root) }),
            );
            ("learned", learned.collect())
        }
        Statement::Inclusion(values) => ("accounts", values.accounts.iter().map(account_json).collect()),
    };
    value[name] = list.into();
    value
}

fn account_json(account: &Account) -> Value {
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

/// Bytes as `0x` and hex digits.
pub fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// A time that somebody waits, rounded up to what can be planned with.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Digits in groups of three.
pub fn grouped(number: u64) -> String {
    HumanCount(number).to_string()
}

/// The name of a chain with this digest, if it is a known one, whichever of its forks have a date in it.
fn network_of(digest: &Root) -> Option<&'static str> {
    let has = |config: &ChainConfig| forks::agreeing(config, 0).iter().any(|chain| chain.digest() == *digest);
    networks::NETWORKS.iter().find(|(_, config)| has(config)).map(|(name, _)| *name)
}

/// A big-endian 256-bit number in decimal.
fn decimal(number: &[u8; 32]) -> String {
    U256::from_be_bytes(*number).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!([0, 7, 999, 1000, 1_234_567].map(grouped), ["0", "7", "999", "1,000", "1,234,567"]);
        assert_eq!(decimal(&[0; 32]), "0");
        let mut ether = [0; 32];
        ether[16..].copy_from_slice(&1_000_000_000_000_000_000u128.to_be_bytes());
        assert_eq!(decimal(&ether), "1000000000000000000");
        assert_eq!(
            decimal(&[0xff; 32]),
            "115792089237316195423570985008687907853269984665640564039457584007913129639935"
        );
    }

    #[test]
    fn tables_are_aligned() {
        let mut table = Table::default();
        table.row("a", 1);
        table.section("part");
        table.row("long", "x");
        assert_eq!(table.to_string(), "  a     1\n\npart\n  long  x\n");
    }
}
