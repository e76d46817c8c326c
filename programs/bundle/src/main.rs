//! Guest: proves that other programs' proofs verify, in one proof.
//!
//! One buffer comes in: what the statements say. Their proofs are with the zkVM's recursion, which has to find, for each
//! call of `verify_sp1_proof` and in that order, one that holds; else there is no proof of this run.
#![no_main]

#[rustfmt::skip]
mod pinned;

use std::fmt::Display;

use sextant_consensus::bundle::{Input, check};
use sextant_consensus::{codec, step};
use sp1_zkvm::{io, lib::verify::verify_sp1_proof, syscalls::syscall_halt};

sp1_zkvm::entrypoint!(main);

fn main() {
    let input = io::read_vec();
    let input: Input = step!(Decode, codec::decode(&input)).unwrap_or_else(|reason| refuse(&reason));
    let bundle = check(&input).unwrap_or_else(|reason| refuse(&reason));
    for part in &bundle.parts {
        let key = pinned::key(part.program).unwrap_or_else(|| refuse(&"a program without a key"));
        verify_sp1_proof(key, &part.digest);
    }
    step!(Commit, io::commit_slice(&bundle.abi_encode()));
}

/// Ends without public values. The reason goes out in one write, which hosts show as one line.
fn refuse(reason: &dyn Display) -> ! {
    io::write(2, format!("refused: {reason}\n").as_bytes());
    syscall_halt(1)
}
