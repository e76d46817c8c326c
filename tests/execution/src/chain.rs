//! Runs a case: each block on the state of its parent, by a witness of all of that state.

use std::collections::HashMap;

use alloy_consensus::Header;
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::{B256, keccak256};
use sextant_execution::block::Block;
use sextant_execution::forks::Rules;
use sextant_execution::statement::{BlockError, Checked, check_block};

use crate::case::Case;
use crate::world::{World, apply, witness};

/// The chain id of all cases.
const CHAIN_ID: u64 = 1;
/// Headers in a witness: as far back as BLOCKHASH reaches.
const HEADERS: usize = 256;

/// What a case has shown.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Valid blocks that were accepted.
    pub accepted: usize,
    /// Why each invalid block should be refused, and why it was.
    pub refused: Vec<(String, String)>,
    /// What is wrong, in words.
    pub wrong: Vec<String>,
}

/// A block's state, and the headers up to its own.
#[derive(Clone)]
struct Tip {
    world: World,
    headers: Vec<Vec<u8>>,
}

/// Runs a case.
pub fn run(case: &Case) -> Outcome {
    let mut outcome = Outcome::default();
    let (hash, genesis) = match genesis(case) {
        Ok(genesis) => genesis,
        Err(error) => {
            outcome.wrong.push(format!("genesis: {error}"));
            return outcome;
        }
    };
    let mut tips = HashMap::from([(hash, genesis)]);
    let mut head = hash;
    for (index, block) in case.blocks.iter().enumerate() {
        let verdict = check(&block.rlp.0, &tips, head);
        match (verdict, &block.expect_exception) {
            (Ok((hash, tip)), None) => {
                outcome.accepted += 1;
                tips.insert(hash, tip);
                head = hash;
            }
            (Err(refusal), Some(expected)) => {
                if refusal.is_witness {
                    outcome.wrong.push(format!(
                        "block {index}, invalid ({expected}): refused for its witness: {}",
                        refusal.text
                    ));
                }
                outcome.refused.push((expected.clone(), refusal.text));
            }
            (Err(refusal), None) => {
                outcome.wrong.push(format!("block {index}, valid: refused: {}", refusal.text));
            }
            (Ok(_), Some(expected)) => {
                outcome.wrong.push(format!("block {index}, invalid ({expected}): accepted"));
            }
        }
    }
    match tips.get(&case.last.0) {
        None => outcome.wrong.push(format!("no block {} at the end", case.last.0)),
        Some(tip) if case.after().is_some_and(|after| after != tip.world) => {
            outcome.wrong.push("another state at the end".to_owned());
        }
        Some(_) => {}
    }
    outcome
}

/// The first block's hash and state.
fn genesis(case: &Case) -> Result<(B256, Tip), String> {
    let block = Block::from_rlp(&case.genesis.0).map_err(|error| error.to_string())?;
    let world = case.before();
    let (root, _) = witness(&world);
    let header = block.header();
    if header.state_root != root {
        return Err(format!("state root {}, and {root} of the state that is given", header.state_root));
    }
    Ok((block.hash(), Tip { world, headers: vec![encode(header)] }))
}

/// Why a block is refused.
struct Refusal {
    text: String,
    /// Whether the witness is to blame.
    is_witness: bool,
}

fn check(rlp: &[u8], tips: &HashMap<B256, Tip>, head: B256) -> Result<(B256, Tip), Refusal> {
    let of_block = |text| Refusal { text, is_witness: false };
    let block = Block::from_rlp(rlp).map_err(|error| of_block(format!("block: {error}")))?;
    let parent_hash = block.header().parent_hash;
    // A block on no block that is known is given the head's witness.
    let tip = tips.get(&parent_hash).unwrap_or(&tips[&head]);
    let (_, mut owned) = witness(&tip.world);
    owned.headers = tip.headers[tip.headers.len().saturating_sub(HEADERS)..].to_vec();
    let rules = Rules::of(CHAIN_ID, EthereumHardfork::Cancun).map_err(|error| of_block(error.to_string()))?;
    let Checked { changes, .. } = check_block(&block, &owned.as_witness(), &[], &rules).map_err(|error| {
        Refusal { is_witness: is_witness(&error) && tips.contains_key(&parent_hash), text: error.to_string() }
    })?;
    let mut next = tip.clone();
    apply(&mut next.world, &changes);
    let header = encode(block.header());
    debug_assert_eq!(keccak256(&header), block.hash());
    next.headers.push(header);
    Ok((block.hash(), next))
}

/// Whether a witness is to blame, which here has everything: then the rule that should have refused the block was not reached.
fn is_witness(error: &BlockError) -> bool {
    match error {
        BlockError::Witness(_) => true,
        // Inside of the EVM it is an error among others.
        other => {
            let text = other.to_string();
            ["in the witness", "account trie", "storage of 0x"].iter().any(|words| text.contains(words))
        }
    }
}

fn encode(header: &Header) -> Vec<u8> {
    alloy_rlp::encode(header)
}
