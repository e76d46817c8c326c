//! Guest: proves that one committee leads to another, by the proof of the chain so far and proofs of committee changes.
//!
//! One buffer comes in: what the statements say. Their proofs are with the zkVM's recursion, which has to find, for each
//! call of `verify_sp1_proof` and in that order, one that holds; else there is no proof of this run.
#![no_main]

#[rustfmt::skip]
mod pinned;

use std::fmt::Display;

use sextant_consensus::committee_chain::{CommitteeChainError, Input, check, digest_of_key};
use sextant_consensus::{Program, codec, hash::sha256, step};
use sp1_zkvm::{io, lib::verify::verify_sp1_proof, syscalls::syscall_halt};

sp1_zkvm::entrypoint!(main);

fn main() {
    let input = io::read_vec();
    let input: Input = step!(Decode, codec::decode(&input)).unwrap_or_else(|reason| refuse(&reason));
    let chain = check(&input).unwrap_or_else(|reason| refuse(&reason));
    // Whether this is the program's own key is for whoever reads the public values to say: it stands there.
    let own = digest_of_key(&chain.program_key).unwrap_or_else(|| refuse(&CommitteeChainError::Key));
    for chain_so_far in &input.predecessor {
        verify_sp1_proof(&own, &sha256(&[chain_so_far]));
    }
    let key = pinned::key(Program::CommitteeChange).unwrap_or_else(|| refuse(&"a program without a key"));
    for change in &input.changes {
        verify_sp1_proof(key, &sha256(&[change]));
    }
    step!(Commit, io::commit_slice(&chain.abi_encode()));
}

/// Ends without public values. The reason goes out in one write, which hosts show as one line.
fn refuse(reason: &dyn Display) -> ! {
    io::write(2, format!("refused: {reason}\n").as_bytes());
    syscall_halt(1)
}
