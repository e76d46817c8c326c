//! An inclusion from what is at hand, without any node: the blocks that lead back from the finalized one, and in the last of
//! them accounts, transactions and logs.

use std::collections::VecDeque;

use sextant_consensus::{
    ancestry::{HISTORY_ADDRESS, history_slot},
    build::{AccountNodes, StepNodes},
    chain::{ChainConfig, Fork},
    execution_header::ExecutionHeader,
    hash::Root,
    ordered::ordered_root,
};

use crate::{
    Block, InputError, Parts, Prepared, QuestionError, Questions, Signers, Sourced, events, inclusion::asked,
};

/// Nodes' answers about execution blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The finalized block and those on the way back from it, in any order. The last one that they lead to is asked about.
    pub blocks: Vec<Sourced<Block>>,
    /// Proofs of the history contract (EIP-2935), each in the state of the block that it leads on from, the finalized one
    /// first. Where there are none, one block is the parent of the other.
    pub history: Vec<Sourced<AccountNodes>>,
    /// All receipts of the block that is asked about.
    pub receipts: Option<Sourced<Vec<Vec<u8>>>>,
}

/// What is asked of the block that `given` leads to: accounts as they stand in `parts`, events as `questions` names them.
/// `trusted` and `parts` as in [`asked`].
///
/// # Errors
/// [`QuestionError`]. That the result is true is for [`sextant_consensus::check_statement`] to say, which a client asks before
/// it asks a server.
pub fn inclusion_given(
    chain: &ChainConfig,
    trusted: &Signers,
    mut parts: Parts,
    given: Given,
    questions: &Questions,
) -> Result<Prepared, QuestionError> {
    let receipts = given.receipts.clone();
    let (number, block) = go_back(chain, &mut parts, given)?;
    if questions.has_events() {
        let missing = |what| InputError::Missing { block: number, what };
        let block = block.ok_or_else(|| missing("header and transactions"))?;
        let header = ExecutionHeader::read(&block.value.header)?;
        if let Some(open) = events::left_open(&header, questions, &mut parts)? {
            let Some(transactions) = block.value.transactions else {
                return Err(missing("transactions").into());
            };
            let transactions = Sourced { source: block.source, value: transactions };
            let receipts = receipts.ok_or_else(|| missing("receipts"))?;
            let content = events::Block {
                number,
                transactions: whole(transactions, "transactions", number, header.transactions_root)?,
                receipts: whole(receipts, "receipts", number, header.receipts_root)?,
            };
            events::find_in(content, open, questions, &mut parts)?;
        }
    }
    Ok(asked(chain, trusted, parts)?)
}

/// Refuses what is not all of the block's.
fn whole(
    list: Sourced<Vec<Vec<u8>>>,
    what: &'static str,
    block: u64,
    expected: Root,
) -> Result<Vec<Vec<u8>>, InputError> {
    match ordered_root(&list.value) {
        got if got == expected => Ok(list.value),
        got => Err(InputError::Content { source_file: list.source, what, block, got, expected }),
    }
}

/// Number of the block that the given ones lead back to, and the block where it is among them; the steps become part of
/// `parts`.
fn go_back(
    chain: &ChainConfig,
    parts: &mut Parts,
    given: Given,
) -> Result<(u64, Option<Sourced<Block>>), QuestionError> {
    let finalized = &parts.finality.value.finalized_header;
    let (mut number, hash) = match (&finalized.execution, finalized.execution_block_hash) {
        (Some(payload), _) => (payload.block_number, payload.block_hash),
        (None, Some(hash)) => (0, hash),
        (None, None) => {
            return Err(QuestionError::NoExecution(
                chain.fork_at(finalized.beacon.slot).unwrap_or(Fork::Phase0),
            ));
        }
    };
    let Given { blocks: mut left, history, .. } = given;
    let mut history = VecDeque::from(history);
    let mut here = take(&mut left, |block| block.hash() == hash);
    // A block that is another one than the finalized is refused with the rest of the statement.
    if here.is_none() && history.is_empty() && !left.is_empty() {
        here = Some(left.remove(0));
    }
    parts.block = here.clone().map(|block| block.map(|block| block.header));
    if let Some(block) = &here {
        number = ExecutionHeader::read(&block.value.header)?.number;
    }
    loop {
        let step = match history.pop_front() {
            Some(account) => Some(by_history(account, &mut left)?),
            None => by_parent(here.as_ref(), &mut left)?,
        };
        let Some((step, block)) = step else { break };
        number = ExecutionHeader::read(&block.value.header)?.number;
        parts.ancestry.push(step);
        here = Some(block);
    }
    match left.into_iter().next() {
        None => Ok((number, here)),
        Some(Sourced { source: source_file, value }) => {
            let (number, hash) = (ExecutionHeader::read(&value.header)?.number, value.hash());
            let reason = "neither the parents between them nor a proof of the history contract were given";
            Err(InputError::Astray { source_file, number, hash, reason }.into())
        }
    }
}

type Step = (Sourced<StepNodes>, Sourced<Block>);

/// The step to the parent, if that was given.
fn by_parent(
    here: Option<&Sourced<Block>>,
    left: &mut Vec<Sourced<Block>>,
) -> Result<Option<Step>, QuestionError> {
    let Some(here) = here else { return Ok(None) };
    let parent = ExecutionHeader::read(&here.value.header)?.parent_hash;
    Ok(take(left, |block| block.hash() == parent).map(|block| {
        let step = StepNodes { history: None, header: block.value.header.clone() };
        (Sourced { source: block.source.clone(), value: step }, block)
    }))
}

/// The step to the block whose hash a proof of the history contract is about.
fn by_history(account: Sourced<AccountNodes>, left: &mut Vec<Sourced<Block>>) -> Result<Step, InputError> {
    let refuse = |reason| InputError::History { source_file: account.source.clone(), reason };
    if account.value.address != HISTORY_ADDRESS {
        return Err(refuse("not a proof of the history contract"));
    }
    let is_named = |block: &Block| {
        ExecutionHeader::read(&block.header).is_ok_and(|header| {
            account.value.slots.iter().any(|(slot, _)| *slot == history_slot(header.number))
        })
    };
    let block = take(left, is_named).ok_or_else(|| refuse("its slot is that of no block that was given"))?;
    let step = StepNodes::by_history(account.value.clone(), block.value.header.clone())
        .ok_or_else(|| refuse("a step back takes a proof of one slot"))?;
    Ok((Sourced { source: account.source.clone(), value: step }, block))
}

fn take(left: &mut Vec<Sourced<Block>>, is_it: impl Fn(&Block) -> bool) -> Option<Sourced<Block>> {
    let index = left.iter().position(|block| is_it(&block.value))?;
    Some(left.remove(index))
}
