//! What a contract knows while it takes statements one after the other: its rules, natively, so that of many statements the
//! one that would be refused can be named before anything is sent. The contract's `_judge` and `_settle` are the rules.

use alloy_primitives::{B256, FixedBytes, U256};
use sextant_consensus::{Program, public_values::Statement};

use crate::{
    Knowledge,
    contract::{LightClient as Client, LightClientErrors as Reason},
    learned,
};

/// A contract's knowledge, as it grows.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub knowledge: Knowledge,
    /// As much of the head's root as the contract keeps.
    pub head_root: FixedBytes<23>,
}

impl Ledger {
    /// Takes a statement whose proof holds. The contract must have been asked for the committees of the periods from the
    /// signer's to the last that it teaches.
    ///
    /// # Errors
    /// The contract's reason to refuse it.
    pub fn take(&mut self, statement: &Statement) -> Result<(), Reason> {
        let Some(head) = statement.head() else { return Err(Reason::NotCanonical(Client::NotCanonical {})) };
        self.check_chain(head.chain_digest.into(), head.finalized_slot)?;
        let (period, got) = (head.signer_period, B256::from(head.signer_committee_root));
        match self.knowledge.committees.get(&period) {
            None => return Err(Reason::UnknownCommittee(Client::UnknownCommittee { period })),
            Some(&known) if known != got => {
                return Err(Reason::UntrustedCommittee(Client::UntrustedCommittee { period, got, known }));
            }
            Some(_) => {}
        }
        self.check_signers(head.participation)?;
        self.check_time(head.finalized_slot)?;
        let learned = learned(statement);
        let is_in_order = (1..).zip(learned).all(|(after, learned)| {
            Some(learned.period) == period.checked_add(after) && learned.committee_root != [0; 32]
        });
        let is_change = statement.program() == Program::CommitteeChange;
        if !is_in_order || (is_change && learned.is_empty()) {
            return Err(Reason::LearnedOutOfOrder(Client::LearnedOutOfOrder {}));
        }

        // What contradicts what is known teaches nothing, and moves nothing.
        let root = FixedBytes::<23>::from_slice(&head.finalized_root[..23]);
        let known = &mut self.knowledge;
        let agrees = learned
            .iter()
            .all(|it| known.committees.get(&it.period).is_none_or(|known| *known == it.committee_root));
        if agrees && (head.finalized_slot != known.head_slot || root == self.head_root) {
            known.committees.extend(learned.iter().map(|it| (it.period, it.committee_root.into())));
            if head.finalized_slot > known.head_slot {
                (known.head_slot, self.head_root) = (head.finalized_slot, root);
            }
        }
        Ok(())
    }

    fn check_chain(&self, got: B256, slot: u64) -> Result<(), Reason> {
        let trust = &self.knowledge.trust;
        match trust.next_fork {
            _ if self.knowledge.takes_chain(&got, slot) => Ok(()),
            Some(next) if got == trust.chain_digest => {
                Err(Reason::ForkLeftOut(Client::ForkLeftOut { finalizedSlot: slot, forkSlot: next.slot }))
            }
            _ => Err(Reason::WrongChain(Client::WrongChain { got, expected: trust.chain_digest })),
        }
    }

    fn check_signers(&self, participation: u64) -> Result<(), Reason> {
        let expected = self.knowledge.rules.min_participation;
        // No committee has more than a word of 32 bits counts.
        let got = u32::try_from(participation).unwrap_or(u32::MAX);
        match got < expected {
            true => Err(Reason::TooFewSigners(Client::TooFewSigners { got, expected })),
            false => Ok(()),
        }
    }

    fn check_time(&self, slot: u64) -> Result<(), Reason> {
        let Knowledge { rules, time, .. } = &self.knowledge;
        let begun = u128::from(rules.genesis_time) + u128::from(slot) * u128::from(rules.seconds_per_slot);
        let (finalized_slot, now) = (slot, U256::from(*time));
        if begun > u128::from(*time) {
            let future = Client::FromTheFuture { finalizedSlot: finalized_slot, time: now };
            return Err(Reason::FromTheFuture(future));
        }
        match self.knowledge.is_too_old(slot, *time) {
            true => Err(Reason::TooOld(Client::TooOld { finalizedSlot: finalized_slot, time: now })),
            false => Ok(()),
        }
    }
}
