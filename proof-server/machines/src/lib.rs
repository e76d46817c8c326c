//! The provers of SP1's three machines: [`sextant_prover::Prover`] for each.
//!
//! A crate of its own, because a prover with all tables of a machine takes minutes to compile: here that is done once,
//! and again only when the prover itself has changed.

mod any;

use sextant_prover::{KoalaBearTrees, Prover};
use slop_merkle_tree::BnProver;
use sp1_hypercube::ShardVerifier;
use sp1_primitives::{SP1ExtensionField, SP1Field, SP1GlobalContext, SP1OuterGlobalContext};
use sp1_prover::{CoreSC, RecursionSC, WrapSC};

pub use any::{AnyKey, AnyProver};

/// Proves shards of RISC-V programs.
pub type CoreProver = AnyProver<SP1GlobalContext, CoreSC>;
/// Proves recursion programs over the field of the RISC-V machine: normalizing, composing, shrinking.
pub type RecursionProver = AnyProver<SP1GlobalContext, RecursionSC>;
/// Proves recursion programs whose proofs a circuit over BN254's scalars verifies: wrapping.
pub type WrapProver = AnyProver<SP1OuterGlobalContext, WrapSC>;

/// A prover for each machine; its proofs are those that the given verifier accepts.
#[derive(Clone, Copy, Debug)]
pub struct Machines {
    /// Of RISC-V programs.
    pub core: fn(ShardVerifier<SP1GlobalContext, CoreSC>) -> CoreProver,
    /// Of recursion programs.
    pub recursion: fn(ShardVerifier<SP1GlobalContext, RecursionSC>) -> RecursionProver,
    /// Of the recursion program that SNARKs are of.
    pub wrap: fn(ShardVerifier<SP1OuterGlobalContext, WrapSC>) -> WrapProver,
}

/// Sextant's provers.
pub const OURS: Machines = Machines { core, recursion, wrap };

// Functions and not closures: those are compiled by whoever names the constant.

/// Sextant's prover of RISC-V shards.
pub fn core(verifier: ShardVerifier<SP1GlobalContext, CoreSC>) -> CoreProver {
    AnyProver::new(Prover::<_, _, KoalaBearTrees>::new(verifier, Prover::prove_traces))
}

/// Sextant's prover of recursion shards.
pub fn recursion(verifier: ShardVerifier<SP1GlobalContext, RecursionSC>) -> RecursionProver {
    AnyProver::new(Prover::<_, _, KoalaBearTrees>::new(verifier, Prover::prove_traces))
}

/// Sextant's prover of wrap shards.
pub fn wrap(verifier: ShardVerifier<SP1OuterGlobalContext, WrapSC>) -> WrapProver {
    type Trees = BnProver<SP1Field, SP1ExtensionField>;
    AnyProver::new(Prover::<_, _, Trees>::new(verifier, Prover::prove_traces))
}
