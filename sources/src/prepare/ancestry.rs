//! The way from the finalized block back to the one that is asked about, by the steps that cost least.

use std::sync::{Mutex, PoisonError};

use sextant_consensus::{
    ancestry::{HISTORY_ADDRESS, HISTORY_WINDOW, MAX_STEPS, history_slot},
    build::{AccountNodes, StepNodes},
    chain::Fork,
    execution_header::ExecutionHeader,
};

use super::{PrepareError, inclusion::Basis};
use crate::{ExecutionNodes, Reason, SourceError, Watched, input::Sourced};

/// Gas of a step to the parent, and of one by the history contract (`docs/statements.md`).
const PARENT_GAS: u64 = 13_200;
const HISTORY_GAS: u64 = 130_000;

/// How far back each step by the history contract goes, and how many parents follow them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Way {
    history: Vec<u64>,
    parents: u64,
}

impl Way {
    /// The cheapest way that many blocks back, if a statement has enough steps. The history contract comes first: the
    /// finalized block's state is the one that nodes are likeliest to have.
    fn back(distance: u64, has_history: bool) -> Option<Self> {
        let most = MAX_STEPS as u64;
        let steps = |parents: u64| (distance - parents).div_ceil(HISTORY_WINDOW);
        let possible = (0..=distance.min(most))
            .filter(|parents| parents + steps(*parents) <= most && (has_history || *parents == distance));
        let parents = possible.min_by_key(|parents| parents * PARENT_GAS + steps(*parents) * HISTORY_GAS)?;
        let mut left = distance - parents;
        let mut history = Vec::new();
        while left > 0 {
            let back = left.min(HISTORY_WINDOW);
            history.push(back);
            left -= back;
        }
        Some(Self { history, parents })
    }
}

/// Goes back to the block of this number; its steps are `basis`' then.
pub(super) async fn go_back(
    basis: &mut Basis<'_>,
    execution: &ExecutionNodes,
    number: u64,
) -> Result<(), PrepareError> {
    let finalized = basis.block.number;
    let distance = finalized.checked_sub(number).ok_or(PrepareError::NotFinal { number, finalized })?;
    let fork = basis.config.fork_at(basis.parts.finality.value.finalized_header.beacon.slot);
    let has_history = fork.is_ok_and(|fork| fork >= Fork::Electra);
    let way = Way::back(distance, has_history).ok_or(PrepareError::TooFar { number, finalized })?;
    for back in way.history {
        let (step, hash) = by_history(basis, execution, back).await?;
        basis.step_back(hash, step);
    }
    for _ in 0..way.parents {
        let header = basis.header(execution).await?;
        let parent = ExecutionHeader::read(&header)?.parent_hash;
        let header = execution.block_header(&parent).await?;
        let step = header.map(|header| StepNodes { history: None, header });
        basis.step_back(parent, step);
    }
    Ok(())
}

/// One step by the history contract: what it says is taken from a proof in the state of the block stepped from.
async fn by_history(
    basis: &Basis<'_>,
    execution: &ExecutionNodes,
    back: u64,
) -> Result<(Sourced<StepNodes>, [u8; 32]), PrepareError> {
    let number = basis.block.number - back;
    let watched = Watched { address: HISTORY_ADDRESS, slots: vec![history_slot(number)] };
    let named = Mutex::new([0; 32]);
    let accept = |account: &Sourced<AccountNodes>| {
        let values = basis.proves(account)?;
        let slot = values.accounts.first().and_then(|account| account.slots.first());
        match slot.filter(|slot| slot.exists) {
            Some(slot) => {
                *named.lock().unwrap_or_else(PoisonError::into_inner) = slot.value;
                Ok(())
            }
            None => {
                Err(format!("the history contract holds no hash of block {number}: it does since Prague"))
            }
        }
    };
    let account = execution.proof(basis.block.number, &watched, accept).await?;
    let hash = named.into_inner().unwrap_or_else(PoisonError::into_inner);
    let header = execution.block_header(&hash).await?;
    let source = header.source.clone();
    let step = StepNodes::by_history(account.value, header.value).ok_or_else(|| {
        let reason = Reason::refused("not the history contract's proof");
        let failure = crate::Failure { endpoint: account.source, reason };
        SourceError { request: source.clone(), failures: vec![failure] }
    })?;
    Ok((Sourced { source, value: step }, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(distance: u64) -> (Vec<u64>, u64) {
        let Way { history, parents } = Way::back(distance, true).unwrap();
        (history, parents)
    }

    #[test]
    fn the_cheapest_way_is_taken() {
        assert_eq!(way(0), (vec![], 0));
        assert_eq!(way(9), (vec![], 9));
        assert_eq!(way(10), (vec![10], 0));
        assert_eq!(way(8_191), (vec![8_191], 0));
        assert_eq!(way(8_193), (vec![8_191], 2));
        assert_eq!(way(8_191 + 400), (vec![8_191, 400], 0));
        assert_eq!(way(20_000), (vec![8_191, 8_191, 3_618], 0));
        for distance in (0..40_000).step_by(997) {
            let (history, parents) = way(distance);
            assert_eq!(history.iter().sum::<u64>() + parents, distance);
        }
    }

    /// Before Prague there are parents only; and no statement has more than 256 steps.
    #[test]
    fn what_no_statement_reaches_has_no_way() {
        assert_eq!(Way::back(256, false), Some(Way { history: vec![], parents: 256 }));
        assert_eq!(Way::back(257, false), None);
        assert_eq!(way(256 * 8_191).0.len(), 256);
        assert_eq!(Way::back(256 * 8_191 + 1, true), None);
    }
}
