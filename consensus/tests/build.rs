//! What cannot be made an input of.

use sextant_consensus::build::{Asked, BuildError, TransactionNodes, asked_input};
use sextant_consensus::events::LogFilter;
use sextant_fixtures::devnet::ELECTRA;

/// What is said about an input that asks this of a recorded network.
fn said(asked: &Asked<'_>) -> Result<(), BuildError> {
    let (committee, update) = ELECTRA.finality();
    asked_input(&ELECTRA.chain(), &committee, &update, asked).map(drop)
}

#[test]
fn nothing_is_asked_twice() {
    let accounts = ELECTRA.accounts();
    assert_eq!(said(&Asked { accounts: &accounts, ..Asked::default() }), Ok(()));
    let twice = [&accounts[..], &accounts[..1]].concat();
    assert_eq!(
        said(&Asked { accounts: &twice, ..Asked::default() }),
        Err(BuildError::DuplicateAccount(accounts[0].address))
    );
    let filters: Vec<_> = [1, 2].map(|byte| LogFilter { address: [byte; 20], topics: Vec::new() }).into();
    assert_eq!(said(&Asked { no_logs: &filters, ..Asked::default() }), Ok(()));
    let twice = [&filters[..], &filters[..1]].concat();
    assert_eq!(said(&Asked { no_logs: &twice, ..Asked::default() }), Err(BuildError::DuplicateNoLog));
    let transactions = [1, 2].map(|index| TransactionNodes { index, ..TransactionNodes::default() });
    assert_eq!(said(&Asked { transactions: &transactions, ..Asked::default() }), Ok(()));
    let twice = [&transactions[..], &transactions[..1]].concat();
    assert_eq!(
        said(&Asked { transactions: &twice, ..Asked::default() }),
        Err(BuildError::DuplicateTransaction(1))
    );
}

#[test]
fn committees_are_of_the_chains_size() {
    let ((mut committee, update), chain) = (ELECTRA.finality(), ELECTRA.chain());
    committee.pubkeys.pop();
    let refused = asked_input(&chain, &committee, &update, &Asked::default()).map(drop);
    assert_eq!(refused, Err(BuildError::CommitteeSize { got: 511, expected: 512 }));
}
