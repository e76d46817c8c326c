//! Hoodi under Gloas, of our own making: a block with recorded mainnet transactions and receipts, over a recorded mainnet
//! state, and the finalized block that comes some blocks later.

use serde_json::{Value, json};
use sextant_consensus::{
    hash::{Root, keccak256},
    light_client::{LightClientBootstrap, LightClientUpdate},
    networks::HOODI,
};
use sextant_fixtures::{
    data,
    events::block_of,
    gloas,
    history::{Block, by_parents, finalized_number, one_step, state_naming},
    mainnet_events,
    synthetic::bootstrap,
};

use crate::{
    json as encode,
    recorded::{Content, Recorded, account},
    transactions::transaction,
};

/// How the finalized block follows on the one with events.
#[derive(Clone, Copy, Debug)]
pub enum Later {
    /// It is the same one.
    Same,
    /// So many blocks later, each of which is known.
    Parents(u64),
    /// So many blocks later, by its history contract.
    History(u64),
}

/// Nodes of such a chain, and its block with events. `away`: the bootstrap is of the period before the one that signs.
pub fn nodes(number: u64, later: Later, away: bool) -> (Recorded, Block) {
    let content = mainnet_events::block(number);
    let block = block_of(&content);
    let (headers, history) = match later {
        Later::Same => (vec![block.rlp()], None),
        Later::Parents(blocks) => {
            let (last, steps) = by_parents(&block, blocks);
            (std::iter::once(last.rlp()).chain(steps.into_iter().map(|step| step.header)).collect(), None)
        }
        Later::History(blocks) => {
            let (last, _) = one_step(&block, blocks);
            (vec![last.rlp(), block.rlp()], Some(state_naming(&block).1))
        }
    };
    let mut recorded = ending_with(&headers, away);
    recorded.proofs.extend(history.as_ref().map(account));
    recorded.contents.push(content_of(&content, number, &block));
    (recorded, block)
}

/// A chain in a row, from the finalized block back, without what is in the blocks.
fn ending_with(headers: &[Vec<u8>], away: bool) -> Recorded {
    let (trusted, handovers, update) = signed(keccak256(&headers[0]), away);
    let versioned = |data| encode::versioned(&HOODI, gloas::slots().attested, data);
    Recorded {
        bootstraps: vec![versioned(encode::bootstrap(&trusted))],
        updates: handovers.iter().map(|update| versioned(encode::update(update))).collect(),
        finality_update: versioned(encode::finality_update(&update.finality_update())),
        blocks: headers.iter().map(|header| encode::block(header)).collect(),
        ..Recorded::gloas()
    }
}

/// Two heads of one chain, a period apart: the first is empty; after it come a block with events of each of these recorded
/// ones in turn, and the second head, which is empty too. And the blocks with events.
pub fn two_heads(numbers: &[u64]) -> ([Recorded; 2], Vec<Block>) {
    let first = Block::over(gloas::state_root(), finalized_number() - 10);
    let mut chain = vec![first.clone()];
    let mut contents = Vec::new();
    let after = |last: &Block| (last.hash(), last.number + 1);
    for number in numbers {
        let content = mainnet_events::block(*number);
        let (parent, next) = after(chain.last().expect("the first"));
        let block = Block { parent, number: next, ..block_of(&content) };
        contents.push(content_of(&content, *number, &block));
        chain.push(block);
    }
    let blocks = chain[1..].to_vec();
    let (parent, next) = after(chain.last().expect("the first"));
    chain.push(Block { parent, ..Block::over(gloas::state_root(), next) });
    let headers: Vec<_> = chain.iter().rev().map(Block::rlp).collect();
    let heads = [ending_with(&headers[headers.len() - 1..], false), ending_with(&headers, true)];
    (heads.map(|head| Recorded { contents: contents.clone(), ..head }), blocks)
}

type Signed = (LightClientBootstrap, Vec<LightClientUpdate>, LightClientUpdate);

/// A block to trust, the handovers from there, and what was signed in the end.
fn signed(hash: Root, away: bool) -> Signed {
    let slot = gloas::slots().finalized - 16;
    if away {
        let (committee, [handover, update]) = gloas::handed_over(hash);
        (bootstrap(&HOODI, &committee.public, slot), vec![handover], update)
    } else {
        let (committee, update) = gloas::naming(hash);
        (bootstrap(&HOODI, &committee.public, slot), vec![update.clone()], update)
    }
}

/// Transactions and receipts as nodes serve them, in this block.
fn content_of(recorded: &mainnet_events::Recorded, number: u64, block: &Block) -> Content {
    let hash = block.hash();
    let path = data().join(format!("mainnet-events/receipts-{number}.json"));
    let mut answer: Value =
        serde_json::from_slice(&std::fs::read(path).expect("recorded file")).expect("JSON");
    let Value::Array(mut receipts) = answer["result"].take() else { panic!("a list") };
    for receipt in &mut receipts {
        receipt["blockHash"] = encode::hex(&hash);
        receipt["blockNumber"] = json!(format!("{:#x}", block.number));
    }
    let transactions = recorded.transactions.iter().enumerate();
    let transactions =
        transactions.map(|(index, envelope)| transaction(envelope, index, &hash, block.number)).collect();
    Content { block: encode::hex(&hash), transactions, receipts }
}
