//! Hoodi under Gloas, of our own making: a block with recorded mainnet transactions and receipts, over a recorded mainnet
//! state, and the finalized block that comes some blocks later.

use serde_json::{Value, json};
use sextant_consensus::{hash::Root, light_client::LightClientUpdate, networks::HOODI};
use sextant_fixtures::{
    data, gloas,
    history::{Block, by_parents, one_step},
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
    let block = sextant_fixtures::events::block_of(&content);
    let (headers, history) = match later {
        Later::Same => (vec![block.rlp()], None),
        Later::Parents(blocks) => {
            let (last, steps) = by_parents(&block, blocks);
            (std::iter::once(last.rlp()).chain(steps.into_iter().map(|step| step.header)).collect(), None)
        }
        Later::History(blocks) => {
            let (last, _) = one_step(&block, blocks);
            let (_, proof) = sextant_fixtures::history::state_naming(&block);
            (vec![last.rlp(), block.rlp()], Some(proof))
        }
    };
    let blocks: Vec<Value> = headers.iter().map(|header| encode::block(header)).collect();
    let hash = sextant_consensus::hash::keccak256(&headers[0]);
    let (trusted, handovers, update) = signed(hash, away);
    let versioned = |data| encode::versioned(&HOODI, gloas::slots().attested, data);
    let mut proofs = Recorded::gloas().proofs;
    proofs.extend(history.as_ref().map(account));
    let recorded = Recorded {
        bootstraps: vec![versioned(encode::bootstrap(&trusted))],
        updates: handovers.iter().map(|update| versioned(encode::update(update))).collect(),
        finality_update: versioned(encode::finality_update(&update.finality_update())),
        blocks,
        proofs,
        contents: vec![content_of(&content, number, &block)],
        ..Recorded::gloas()
    };
    (recorded, block)
}

type Signed =
    (sextant_consensus::light_client::LightClientBootstrap, Vec<LightClientUpdate>, LightClientUpdate);

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
