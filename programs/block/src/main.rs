//! Guest: proves that an execution block is valid.
//!
//! One buffer comes in, the canonical bytes of a `StatelessInput`, from whoever proves; nothing in it is believed. What
//! goes out as public values are the 43 bytes of a `StatelessValidationResult` whose verdict is true. A block that is
//! not valid ends the guest with exit code 1 and without public values: no proof ever says `false`.
#![no_main]

#[cfg(target_os = "zkvm")]
mod memory;

use std::fmt::Display;

use sextant_execution::{crypto, statement};
use sp1_zkvm::{io, syscalls::syscall_halt};

sp1_zkvm::entrypoint!(main);

fn main() {
    crypto::install();
    // The machine puts the buffer where words begin, so that it can be read in place.
    let input = io::read_vec();
    let valid = statement::validate(&input).unwrap_or_else(|reason| refuse(&reason));
    io::commit_slice(&valid.output());
}

/// What alloy calls for every Keccak-256, with its feature `native-keccak`.
///
/// # Safety
/// `bytes` leads to `len` readable bytes, `output` to 32 writable ones.
#[unsafe(no_mangle)]
unsafe extern "C" fn native_keccak256(bytes: *const u8, len: usize, output: *mut u8) {
    // SAFETY: the caller's.
    unsafe { crypto::keccak::keccak256_raw(bytes, len, output) }
}

/// Ends without public values. The reason goes out in one write, which hosts show as one line.
fn refuse(reason: &dyn Display) -> ! {
    io::write(2, format!("refused: {reason}\n").as_bytes());
    syscall_halt(1)
}
