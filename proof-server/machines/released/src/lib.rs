//! SP1's own provers of its three machines, as they are released: the reference that ours are compared with, by tests byte
//! for byte and by `bench` in seconds. No server has them.
//!
//! A crate of its own for the reason that ours are: they take minutes to compile.

use sextant_machines::{AnyProver, CoreProver, Machines, RecursionProver, WrapProver};
use sp1_hypercube::ShardVerifier;
use sp1_primitives::{SP1GlobalContext, SP1OuterGlobalContext};
use sp1_prover::{CoreSC, CpuSP1ProverComponents, RecursionSC, SP1ProverComponents, WrapSC};

/// SP1's provers.
pub const RELEASED: Machines = Machines { core, recursion, wrap };

/// SP1's prover of RISC-V shards.
pub fn core(verifier: ShardVerifier<SP1GlobalContext, CoreSC>) -> CoreProver {
    AnyProver::new(<CpuSP1ProverComponents as SP1ProverComponents>::CoreProver::new(verifier))
}

/// SP1's prover of recursion shards.
pub fn recursion(verifier: ShardVerifier<SP1GlobalContext, RecursionSC>) -> RecursionProver {
    AnyProver::new(<CpuSP1ProverComponents as SP1ProverComponents>::RecursionProver::new(verifier))
}

/// SP1's prover of wrap shards.
pub fn wrap(verifier: ShardVerifier<SP1OuterGlobalContext, WrapSC>) -> WrapProver {
    AnyProver::new(<CpuSP1ProverComponents as SP1ProverComponents>::WrapProver::new(verifier))
}
