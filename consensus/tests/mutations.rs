//! No single byte of an accepted input can be changed so that something else is proven: every changed input is
//! refused, or says the same.
//!
//! Two parts of an input are the statement's own and public, so that another one makes another statement, as true:
//! the chain configuration, bound by its digest, which whoever verifies pins; and the questions, the addresses and slots
//! asked for, where a proof for one key may show that another is absent, and the logs, where a receipt or a filter may
//! tell of another one: what it tells then is compared with the recorded block. Nothing else may differ then. And the
//! slot of a signature is not signed: an inclusion may name the period after for the same committee, which no verifier
//! trusts in both.

use rayon::prelude::*;
use sextant_consensus::bls::Plain;
use sextant_consensus::hash::keccak256;
use sextant_consensus::public_values::{LogData, Statement};
use sextant_consensus::receipt::Receipt;
use sextant_consensus::{check_statement, codec, networks};
use sextant_fixtures::mainnet_events::{LARGE, Recorded, SMALL, block};
use sextant_fixtures::statements;

/// Inputs of which every single byte is changed; of the others a sample.
const WHOLE: [&str; 9] = [
    "mainnet-deneb-one-handover",
    "synthetic-gloas-one-handover-block-hash-only",
    "mainnet-deneb-one-contract-one-slot",
    "synthetic-gloas-one-contract-one-slot",
    "synthetic-gloas-one-slot-8000-blocks-back",
    "mainnet-block-one-log-of-215-transactions",
    "mainnet-block-three-transactions-and-one-slot",
    "mainnet-block-no-log-by-filter",
    "mainnet-block-handover-slot-log-and-no-log-60-blocks-back",
];
/// Changed bytes of every other input.
const SAMPLE: usize = 150;

#[derive(Debug, Default)]
struct Count {
    refused: usize,
    same: usize,
    other_chain: usize,
    other_question: usize,
    other_event: usize,
    next_period: usize,
}

impl Count {
    fn add(self, other: &Self) -> Self {
        Self {
            refused: self.refused + other.refused,
            same: self.same + other.same,
            other_chain: self.other_chain + other.other_chain,
            other_question: self.other_question + other.other_question,
            other_event: self.other_event + other.other_event,
            next_period: self.next_period + other.next_period,
        }
    }
}

/// Whether `other` names the next period for the committee of `one`, and differs by nothing else.
fn claims_next_period(one: &Statement, other: &Statement) -> bool {
    let (Statement::Inclusion(one), Statement::Inclusion(other)) = (one, other) else { return false };
    let mut claimed = one.clone();
    claimed.head.signer_period += 1;
    claimed == *other
}

/// Whether `other` differs from `one` by addresses and slots asked for, which it finds absent, and by nothing else.
fn asks_otherwise(one: &Statement, other: &Statement) -> bool {
    let (Statement::Inclusion(one), Statement::Inclusion(other)) = (one, other) else { return false };
    let mut answered = other.clone();
    for (account, wanted) in answered.accounts.iter_mut().zip(&one.accounts) {
        if account.address != wanted.address
            && !account.exists
            && account.slots.iter().all(|slot| !slot.exists)
        {
            *account = wanted.clone();
        }
        for (slot, wanted) in account.slots.iter_mut().zip(&wanted.slots) {
            if slot.key != wanted.key && !slot.exists {
                *slot = *wanted;
            }
        }
    }
    answered == *one
}

/// Whether `other` differs from `one` by transactions and logs asked for, and by nothing else, and what it says of them
/// is so in the recorded block.
fn asks_of_other_events(one: &Statement, other: &Statement, blocks: &[Recorded]) -> bool {
    let (Statement::Inclusion(one), Statement::Inclusion(other)) = (one, other) else { return false };
    let Some(block) = blocks.iter().find(|block| block.receipts_root == other.facts.receipts_root) else {
        return false;
    };
    let mut rest = other.clone();
    rest.transactions.clone_from(&one.transactions);
    rest.logs.clone_from(&one.logs);
    rest.no_logs.clone_from(&one.no_logs);
    let receipt = |index: u32| Receipt::read(&block.receipts[index as usize]).unwrap();
    let transactions = other.transactions.iter().all(|transaction| {
        let hash = keccak256(&block.transactions[transaction.index as usize]);
        (transaction.hash == [0; 32] || transaction.hash == hash)
            && transaction.succeeded == receipt(transaction.index).succeeded
    });
    let logs = other.logs.iter().all(|log| {
        let there = receipt(log.transaction).logs().nth(log.position as usize).unwrap().unwrap();
        let topics: Vec<[u8; 32]> = there.topics().map(|topic| *topic.unwrap()).collect();
        (log.address, &log.topics, &log.data) == (*there.address, &topics, &LogData::of(there.data))
    });
    let no_logs = other.no_logs.iter().all(|no_log| {
        let mut all = (0..block.receipts.len() as u32).flat_map(|index| receipt(index).logs());
        all.all(|log| !log.unwrap().matches(&no_log.address, &no_log.topics).unwrap())
    });
    rest == *one && transactions && logs && no_logs
}

/// Whether a statement says more than that accounts and slots are in the finalized block, by the trusted committee itself.
fn is_of_events_or_earlier_blocks(statement: &Statement) -> bool {
    let Statement::Inclusion(values) = statement else { return false };
    let plain = values.transactions.is_empty() && values.no_logs.is_empty() && values.learned.is_empty();
    !plain || values.facts.number != values.head.block_number
}

#[test]
fn one_changed_byte_never_proves_anything_else() {
    let chain_bytes = codec::encode(&networks::MAINNET).len();
    let blocks = [SMALL, LARGE].map(block);
    let (mut total, mut of_events_and_earlier_blocks) = (0, 0);
    for (name, program, input) in statements() {
        let original = check_statement(program, &input, &mut Plain).expect(name);
        let step = if WHOLE.contains(&name) { 1 } else { input.len().div_ceil(SAMPLE) };
        let outcomes: Vec<Count> = (0..input.len())
            .into_par_iter()
            .step_by(step)
            .map(|at| {
                let mut changed = input.clone();
                // One bit here, many there: by a fixed rule, so that a failure can be seen again.
                changed[at] ^= if at % 2 == 0 { 1 << (at / 2 % 8) } else { 1 + (at * 151 % 255) as u8 };
                let mut count = Count::default();
                match check_statement(program, &changed, &mut Plain) {
                    Err(_) => count.refused += 1,
                    Ok(statement) if statement == original => count.same += 1,
                    Ok(statement) if claims_next_period(&original, &statement) => count.next_period += 1,
                    Ok(statement) if asks_otherwise(&original, &statement) => count.other_question += 1,
                    Ok(statement) if asks_of_other_events(&original, &statement, &blocks) => {
                        count.other_event += 1;
                    }
                    Ok(statement) => {
                        // Every input begins with its chain configuration.
                        assert!(at < chain_bytes, "{name}: byte {at}: {statement:?}");
                        assert_ne!(statement.chain_digest(), original.chain_digest(), "{name}: byte {at}");
                        count.other_chain += 1;
                    }
                }
                count
            })
            .collect();
        let sum = outcomes.iter().fold(Count::default(), Count::add);
        println!("{name}: {} of {} bytes changed: {sum:?}", outcomes.len(), input.len());
        total += outcomes.len();
        if is_of_events_or_earlier_blocks(&original) {
            of_events_and_earlier_blocks += outcomes.len();
        }
    }
    println!("{total} mutations, {of_events_and_earlier_blocks} of events, earlier blocks and catch-up");
    assert!(total - of_events_and_earlier_blocks >= 20_000);
    assert!(of_events_and_earlier_blocks >= 20_000);
}
