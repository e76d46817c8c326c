//! No single byte of an accepted input can be changed so that something else is proven: every changed input is
//! refused, or says the same.
//!
//! Two parts of an input are the statement's own and public, so that another one makes another statement, as true:
//! the chain configuration, bound by its digest, which whoever verifies pins; and the questions, the addresses and slots
//! asked for, where a proof for one key may show that another is absent. Nothing else may differ then. And the
//! slot of a signature is not signed: an inclusion may name the period after for the same committee, which no verifier
//! trusts in both.

use rayon::prelude::*;
use sextant_consensus::bls::Plain;
use sextant_consensus::public_values::Statement;
use sextant_consensus::{check_statement, codec, networks};
use sextant_fixtures::statements;

/// Inputs of which every single byte is changed; of the others a sample.
const WHOLE: [&str; 4] = [
    "mainnet-deneb-one-handover",
    "synthetic-gloas-one-handover-block-hash-only",
    "mainnet-deneb-one-contract-one-slot",
    "synthetic-gloas-one-contract-one-slot",
];
/// Changed bytes of every other input.
const SAMPLE: usize = 150;

#[derive(Debug, Default)]
struct Count {
    refused: usize,
    same: usize,
    other_chain: usize,
    other_question: usize,
    next_period: usize,
}

impl Count {
    fn add(self, other: &Self) -> Self {
        Self {
            refused: self.refused + other.refused,
            same: self.same + other.same,
            other_chain: self.other_chain + other.other_chain,
            other_question: self.other_question + other.other_question,
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

#[test]
fn one_changed_byte_never_proves_anything_else() {
    let chain_bytes = codec::encode(&networks::MAINNET).len();
    let mut total = 0;
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
                    Ok(statement) => {
                        // Every input begins with its chain configuration.
                        assert!(at < chain_bytes, "{name}: byte {at}: {statement:?}");
                        assert_ne!(
                            statement.head().chain_digest,
                            original.head().chain_digest,
                            "{name}: byte {at}"
                        );
                        count.other_chain += 1;
                    }
                }
                count
            })
            .collect();
        let sum = outcomes.iter().fold(Count::default(), Count::add);
        println!("{name}: {} of {} bytes changed: {sum:?}", outcomes.len(), input.len());
        total += outcomes.len();
    }
    println!("{total} mutations");
    assert!(total >= 2_000);
}
