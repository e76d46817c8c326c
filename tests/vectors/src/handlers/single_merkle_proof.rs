//! `single_merkle_proof`: a branch into a whole state or block body, whose root is computed here from its SSZ.

use serde::Deserialize;
use sextant_consensus::chain::Fork;
use sextant_consensus::hash::Root;
use sextant_consensus::merkle::verify_branch;

use crate::case::{Case, Failure};
use crate::config::bytes;
use crate::ssz::schema::{beacon_block_body, beacon_state};

#[derive(Deserialize)]
struct Proof {
    leaf: String,
    leaf_index: u64,
    branch: Vec<String>,
}

pub(super) fn run(case: &Case) -> Result<usize, Failure> {
    let fork = case.fork()?;
    let is_mainnet = case.preset == "mainnet";
    let (kind, expected) = match case.suite.as_str() {
        "BeaconState" => (beacon_state(fork, is_mainnet), expected_in_state(fork, &case.name)),
        "BeaconBlockBody" => (beacon_block_body(fork, is_mainnet), expected_in_body(fork)),
        other => return Err(format!("unknown type {other}")),
    };
    let root = kind.root(&case.ssz("object")?)?;
    let proof: Proof = case.yaml("proof.yaml")?;
    if Some(proof.leaf_index) != expected {
        return Err(format!("generalized index {}, here {expected:?}", proof.leaf_index));
    }
    let branch = proof.branch.iter().map(|node| bytes(node)).collect::<Result<Vec<Root>, _>>()?;
    verify_branch(&bytes(&proof.leaf)?, &branch, proof.leaf_index, &root).map_err(|e| e.to_string())?;
    Ok(1)
}

/// The index that the light-client rules use for that leaf.
fn expected_in_state(fork: Fork, name: &str) -> Option<u64> {
    match name {
        "current_sync_committee_merkle_proof" => Some(fork.current_sync_committee_gindex()),
        "next_sync_committee_merkle_proof" => Some(fork.next_sync_committee_gindex()),
        "finality_root_merkle_proof" => Some(fork.finalized_root_gindex()),
        _ => None,
    }
}

fn expected_in_body(fork: Fork) -> Option<u64> {
    if fork < Fork::Gloas { Some(25) } else { fork.execution_block_hash_gindex() }
}
