//! Statements for torture: recorded ones, and as many others as it takes, true or not.

use std::sync::LazyLock;

use sextant_consensus::{Program, codec, committee_change};
use sextant_protocol::{ProofKind, ProveRequest, Request, StatementInput};

/// Recorded statements about committee changes, asked for as STARKs.
pub(super) fn committee_changes() -> Vec<Request> {
    let statements = sextant_fixtures::statements().into_iter();
    let changes = statements.filter(|(_, program, _)| *program == Program::CommitteeChange);
    changes.map(|(_, program, bytes)| stark(program, bytes)).collect()
}

/// A true one: each number is one about another chain, which has its own version of a fork that lies ahead of all that is
/// signed.
pub(super) fn truth(number: u32) -> Request {
    let mut input = MAINNET.clone();
    input.chain.forks.0.last_mut().expect("forks").version = number.to_be_bytes();
    stark(Program::CommitteeChange, codec::encode(&input))
}

/// An untrue one, which only the signature shows: each number is one about a chain with another genesis.
pub(super) fn untruth(number: u32) -> Request {
    let mut input = MAINNET.clone();
    input.chain.genesis_validators_root[..4].copy_from_slice(&number.to_be_bytes());
    stark(Program::CommitteeChange, codec::encode(&input))
}

static MAINNET: LazyLock<committee_change::Input> = LazyLock::new(|| sextant_fixtures::committee_change(1));

fn stark(program: Program, bytes: Vec<u8>) -> Request {
    Request::Prove(ProveRequest::new(StatementInput::new(program, bytes), ProofKind::Stark))
}
