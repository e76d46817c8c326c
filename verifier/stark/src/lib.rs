//! Verifies core STARKs of SP1 6.10 without the crates of SP1's prover: natively, and where those do not compile, as in
//! browsers.
//!
//! A core STARK is one proof per shard of a run. SP1's verifier of shards (`sp1-hypercube`) is generic in the machine that
//! they are about, and compiles for WebAssembly; the RISC-V machine (`sp1-core-machine`) brings the executor and does not.
//! Its chips are data here ([`recording`]), interpreted ([`circuit`]) under SP1's own verifier of shards, which runs as it
//! is: transcript, commitments, LogUp-GKR, zerocheck and openings are its code. What holds between shards is written anew.
//!
//! # Each check of SP1's verifier, and where it is here
//!
//! | SP1 | what | here |
//! |---|---|---|
//! | `verify_proof` of `sp1-sdk` | some shard; length of the last one's public values | [`verify`] |
//! | | exit code 0 | [`verify`] |
//! | | the committed digest is that of the public values | [`verify`] |
//! | `SP1Verifier::verify` of `sp1-prover` | lengths of public values | `across::check` |
//! | | one first execution shard | `across::one_begins` |
//! | | timestamps | `across::time` |
//! | | program counter: the key's, gapless, halted | `across::program_counter` |
//! | | exit code: gapless, set once, 0 | `across::exit_code` |
//! | | nonce | `across::nonce` |
//! | | addresses and pages, untrusted programs | `across::memory` |
//! | | committed values, deferred proofs, both syscalls | `across::digests` |
//! | | number of shards | `across::check` |
//! | | global cumulative sum | `across::global_sum` |
//! | `ShardVerifier::verify_shard` of `sp1-hypercube`, for each shard after the key | everything in it | the same code |
//! | `RiscvAir::machine` of `sp1-core-machine` | chips with widths, constraints and lookups, and their sets | `riscv.bin` |
//! | `ExecutionRecord::eval_public_values` of `sp1-core-executor` | constraints and lookups of public values | `riscv.bin` |
//! | `core_verifier` of `sp1-prover` | heights; queries, rate and grinding | `machine::shards` |
//!
//! Chips of no set are left out: they are those of SP1's feature `mprotect`, which is off. SP1 refuses a shard that has one
//! because no set has it, this crate because it does not know it; both say "invalid shape". Circuit version and verifying
//! key are compared before, where the record is read.
//!
//! # What holds this to SP1
//!
//! `tests/recording.rs` makes `riscv.bin` anew of SP1's machine, compares byte for byte, and has SP1's chips and the recorded
//! ones calculate at random points, where polynomials that differ do not agree but by an accident that never happens.
//! `tests/second_opinion.rs` asks SP1's verifier and this one about recorded proofs, and about each with every public value
//! and every other part changed: they agree, to the word.

pub mod circuit;
pub mod recording;

mod across;
mod each;
mod machine;

use std::{borrow::Borrow, sync::LazyLock};

use slop_algebra::{AbstractField, PrimeField32};
use sp1_hypercube::{
    MachineVerifierConfigError, MachineVerifierError, PROOF_MAX_NUM_PVS, SP1InnerPcs, SP1PcsProofInner,
    SP1VerifyingKey, ShardProof,
    air::{SP1_PROOF_NUM_PV_ELTS, SP1CorePublicValues},
};
use sp1_primitives::{
    SP1Field, SP1GlobalContext,
    io::{blake3_hash, sha256_hash},
};

pub use across::{HALTED, MAX_LOG_SHARDS};
pub use machine::{LOG_STACKING_HEIGHT, MAX_LOG_ROW_COUNT, NoProgram, NoRun, RecordedChip, machine};

/// What is wrong with shards, in the words of SP1.
pub type MachineError = MachineVerifierConfigError<SP1GlobalContext, SP1InnerPcs>;

/// The proof of a shard.
pub type Shard = ShardProof<SP1GlobalContext, SP1PcsProofInner>;

// With SP1's feature `mprotect` public values have more parts, which nothing here looks at.
const _: () = assert!(SP1_PROOF_NUM_PV_ELTS == 160);

/// Why a STARK does not hold, in the words of SP1's SDK.
#[derive(Debug, thiserror::Error)]
pub enum StarkError {
    /// The public values are not those that the program committed to.
    #[error("Invalid public values")]
    PublicValues,
    /// The program failed.
    #[error("Unexpected exit code: {0}")]
    ExitCode(u32),
    /// A shard does not hold, or the shards do not make one run.
    #[error("Core machine verification error: {0}")]
    Core(#[from] CoreError),
}

/// What is wrong with the shards.
#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    /// There is none.
    #[error("Empty core proof")]
    Empty,
    /// In the words of SP1.
    #[error(transparent)]
    Machine(Box<MachineError>),
}

/// Verifies that the program with the verifying key `key` ran to its end with exit code 0 and committed to `public_values`.
///
/// May panic on hostile bytes, as SP1's verifier of shards may: whoever verifies strangers' proofs contains that.
///
/// # Errors
/// [`StarkError`] names the first thing that is wrong; cheap checks come first.
pub fn verify(shards: &[Shard], public_values: &[u8], key: &SP1VerifyingKey) -> Result<(), StarkError> {
    let last = shards.last().ok_or(CoreError::Empty)?;
    if last.public_values.len() != PROOF_MAX_NUM_PVS {
        return Err(StarkError::PublicValues);
    }
    let values: &SP1CorePublicValues<SP1Field> = last.public_values.as_slice().borrow();
    if values.exit_code != SP1Field::zero() {
        return Err(StarkError::ExitCode(values.exit_code.as_canonical_u32()));
    }
    // As numbers: cut down to bytes, others would do too.
    let digest = values.committed_value_digest.as_flattened();
    let is = |hash: Vec<u8>| hash.into_iter().map(SP1Field::from_canonical_u8).eq(digest.iter().copied());
    if !is(sha256_hash(public_values)) && !is(blake3_hash(public_values)) {
        return Err(StarkError::PublicValues);
    }
    verify_run(shards, key).map_err(|error| CoreError::Machine(Box::new(error)).into())
}

/// Verifies that the shards are a run of the program to its end with exit code 0, whatever it committed to.
///
/// # Errors
/// What is wrong first: what holds between shards is looked at before they are, and of them the first in order that does not
/// hold is named, whichever was found out first.
pub fn verify_run(shards: &[Shard], key: &SP1VerifyingKey) -> Result<(), MachineError> {
    across::check(shards, &key.vk)?;
    each::in_order(shards, |shard| verify_shard(shard, key)).map_err(MachineVerifierError::InvalidShardProof)
}

/// Verifies one shard, whatever the others are.
///
/// # Errors
/// What SP1's verifier of shards says.
pub fn verify_shard(shard: &Shard, key: &SP1VerifyingKey) -> Result<(), ShardError> {
    static SHARDS: LazyLock<machine::Shards> = LazyLock::new(machine::shards);
    let mut challenger = SHARDS.challenger();
    key.vk.observe_into(&mut challenger);
    SHARDS.verify_shard(&key.vk, shard, &mut challenger)
}

/// What is wrong with one shard, in the words of SP1.
pub type ShardError = sp1_hypercube::ShardVerifierConfigError<SP1GlobalContext, SP1InnerPcs>;
