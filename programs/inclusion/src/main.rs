//! Guest: proves accounts and storage slots under a finalized execution state root.
//!
//! Two buffers come in, both from whoever proves: the statement with its evidence, and hints for the signature
//! check. Nothing in them is believed; what is true goes out as public values.
#![no_main]

use std::fmt::Display;

use sextant_consensus::bls::fast::HintedVerifier;
use sextant_consensus::inclusion::{Input, check};
use sextant_consensus::{codec, step};
use sp1_zkvm::{io, syscalls::syscall_halt};

sp1_zkvm::entrypoint!(main);

fn main() {
    let input = io::read_vec();
    let hints = io::read_vec();
    let input: Input = step!(Decode, codec::decode(&input)).unwrap_or_else(|reason| refuse(&reason));
    let mut signatures = HintedVerifier::new(&hints);
    let proven = check(&input, &mut signatures).unwrap_or_else(|reason| refuse(&reason));
    signatures.finish().unwrap_or_else(|reason| refuse(&reason));
    step!(Commit, io::commit_slice(&proven.abi_encode()));
}

/// Ends without public values. The reason goes out in one write, which hosts show as one line.
fn refuse(reason: &dyn Display) -> ! {
    io::write(2, format!("refused: {reason}\n").as_bytes());
    syscall_halt(1)
}
