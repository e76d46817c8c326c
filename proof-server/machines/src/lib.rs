//! The provers of SP1's three machines: [`sextant_prover::Prover`] for each.
//!
//! A crate of its own, because a prover with all tables of a machine takes minutes to compile: here that is done once,
//! and again only when the prover itself has changed.

use sextant_prover::{KoalaBearTrees, Prover};
use slop_merkle_tree::BnProver;
use sp1_hypercube::ShardVerifier;
use sp1_primitives::{SP1ExtensionField, SP1Field, SP1GlobalContext, SP1OuterGlobalContext};
use sp1_prover::{CoreSC, RecursionSC, WrapSC};

/// Proves shards of RISC-V programs.
pub type CoreProver = Prover<SP1GlobalContext, CoreSC, KoalaBearTrees>;
/// Proves recursion programs over the field of the RISC-V machine: normalizing, composing, shrinking.
pub type RecursionProver = Prover<SP1GlobalContext, RecursionSC, KoalaBearTrees>;
/// Proves recursion programs whose proofs a circuit over BN254's scalars verifies: wrapping.
pub type WrapProver = Prover<SP1OuterGlobalContext, WrapSC, BnProver<SP1Field, SP1ExtensionField>>;

/// A prover whose proofs this verifier accepts.
pub fn core(verifier: ShardVerifier<SP1GlobalContext, CoreSC>) -> CoreProver {
    Prover::new(verifier, Prover::prove_traces)
}

/// A prover whose proofs this verifier accepts.
pub fn recursion(verifier: ShardVerifier<SP1GlobalContext, RecursionSC>) -> RecursionProver {
    Prover::new(verifier, Prover::prove_traces)
}

/// A prover whose proofs this verifier accepts.
pub fn wrap(verifier: ShardVerifier<SP1OuterGlobalContext, WrapSC>) -> WrapProver {
    Prover::new(verifier, Prover::prove_traces)
}
