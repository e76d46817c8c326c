//! A program that does nothing: the yardstick for what starting, halting and proving cost by themselves.
#![no_main]
sp1_zkvm::entrypoint!(main);

fn main() {}
