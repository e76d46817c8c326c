//! Whether a server takes an input of this size, before it is sent; and where it does not, what makes it large.

use std::fmt;

use sextant_consensus::{
    Program,
    codec::{self, Codec},
    committee_change, inclusion,
};
use sextant_protocol::{StatementInput, request::ServerLimits};

/// An input that is larger than the server takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the input of this statement has {got} bytes, this server takes {limit} at most: {}", advice(.parts))]
pub struct InputTooLarge {
    /// Its bytes.
    pub got: u64,
    /// The most that the server takes.
    pub limit: u64,
    /// What there could be less of, the largest first.
    pub parts: Vec<Part>,
}

/// Some of what an input is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub of: PartOf,
    /// How many there are.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What an input is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartOf {
    /// From one committee to the next.
    Handovers,
    /// All receipts of a block, by which it is shown that a log is not there.
    Receipts,
    /// Accounts, slots, transactions and logs: the nodes on the paths to them.
    Facts,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, count, bytes } = self;
        let name = match of {
            PartOf::Handovers => "handovers",
            PartOf::Receipts => "receipts",
            PartOf::Facts => "accounts, slots, transactions and logs",
        };
        write!(f, "fewer {name} ({count} take {bytes} bytes)")
    }
}

fn advice(parts: &[Part]) -> String {
    match parts {
        [] => "no statement of its kind is smaller".into(),
        parts => format!(
            "smaller with {}",
            parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", or with ")
        ),
    }
}

/// Whether an input is small enough for a server with these limits.
///
/// # Errors
/// [`InputTooLarge`] names both sizes, and what would make it smaller.
pub fn check_size(input: &StatementInput, limits: &ServerLimits) -> Result<(), InputTooLarge> {
    let (got, limit) = (input.bytes.len() as u64, limits.input);
    // Zero: the server does not say.
    if limit == 0 || got <= limit {
        return Ok(());
    }
    let mut parts = match input.program() {
        Some(Program::CommitteeChange) => of_change(&input.bytes),
        Some(Program::Inclusion) => of_inclusion(&input.bytes),
        // Statements about proofs are asked for by those and not by an input.
        Some(Program::Bundle | Program::Chain) | None => Vec::new(),
    };
    parts.sort_by_key(|part| std::cmp::Reverse(part.bytes));
    Err(InputTooLarge { got, limit, parts })
}

fn of_change(bytes: &[u8]) -> Vec<Part> {
    let Ok(input) = codec::decode::<committee_change::Input>(bytes) else { return Vec::new() };
    // One is the least.
    if input.handovers.len() < 2 { Vec::new() } else { vec![part(PartOf::Handovers, &input.handovers)] }
}

fn of_inclusion(bytes: &[u8]) -> Vec<Part> {
    let Ok(input) = codec::decode::<inclusion::Input>(bytes) else { return Vec::new() };
    let slots: usize = input.accounts.iter().map(|account| account.slots.len()).sum();
    let logs: usize = input.transactions.iter().map(|transaction| transaction.logs.len()).sum();
    let facts = input.accounts.len() + slots + input.transactions.len() + logs + input.no_logs.len();
    let mut parts = vec![part(PartOf::Handovers, &input.handovers), part(PartOf::Receipts, &input.receipts)];
    parts.retain(|part| part.count > 0);
    // One is the least.
    if facts > 1 {
        parts.push(Part { count: facts as u64, ..part(PartOf::Facts, &input.nodes) });
    }
    parts
}

fn part<T: Codec>(of: PartOf, items: &[T]) -> Part {
    let bytes = items.iter().map(|item| codec::encode(item).len() as u64).sum();
    Part { of, count: items.len() as u64, bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(program: Program, bytes: Vec<u8>) -> String {
        let input = StatementInput::new(program, bytes);
        let size = input.bytes.len() as u64;
        let check = |limit| check_size(&input, &ServerLimits { input: limit, ..ServerLimits::default() });
        assert_eq!(check(0), Ok(()), "a server that does not say");
        assert_eq!(check(size), Ok(()), "as much as it takes");
        let error = check(size - 1).unwrap_err();
        assert_eq!((error.got, error.limit), (size, size - 1));
        error.to_string()
    }

    #[test]
    fn what_would_be_smaller_is_named() {
        let change = |handovers| codec::encode(&sextant_fixtures::committee_change(handovers));
        let said = refused(Program::CommitteeChange, change(2));
        assert!(said.contains("smaller with fewer handovers (2 take "), "{said}");
        let said = refused(Program::CommitteeChange, change(1));
        assert!(said.ends_with("no statement of its kind is smaller"), "{said}");

        let mut input = sextant_fixtures::inclusion();
        let said = refused(Program::Inclusion, codec::encode(&input));
        assert!(said.contains("smaller with fewer accounts, slots"), "{said}");
        assert!(!said.contains("receipts") && !said.contains("handovers"), "{said}");
        input.receipts = vec![input.nodes[0].clone(); 100];
        let said = refused(Program::Inclusion, codec::encode(&input));
        let (receipts, facts) = (said.find("fewer receipts (100 take "), said.find("fewer accounts"));
        assert!(receipts.is_some() && receipts < facts, "the larger part first: {said}");
    }

    /// Rubbish has no parts: the check of the statement says what is wrong with it.
    #[test]
    fn what_does_not_decode_is_only_large() {
        let said = refused(Program::Inclusion, vec![7; 100]);
        assert!(said.contains("100 bytes"), "{said}");
    }
}
