//! What holds between the shards of one run.
//!
//! A shard's proof says that its part of a run went by the rules, from a state to a state that its public values name.
//! Nothing in it says that the state it begins with is the one that another ended with. Here the parts are put together:
//! from the state that the verifying key names, without a gap, to the end of the program. The rules are those of SP1
//! (`SP1Verifier::verify` of `sp1-prover`), in its order and with its words, so that both refuse for the same reason; some
//! hold within each shard already, and are looked at again, as SP1 does.

use std::borrow::Borrow;

use slop_algebra::AbstractField;
use sp1_hypercube::{
    MachineVerifierError, MachineVerifyingKey, PROOF_MAX_NUM_PVS, ShardProof, air::SP1CorePublicValues,
};
use sp1_primitives::{SP1Field, SP1GlobalContext};

use crate::MachineError;

/// Where the program counter of a run is that has ended.
pub const HALTED: u32 = 1;
/// Logarithm of the number of shards that a run has to stay below: their sums must not wrap.
pub const MAX_LOG_SHARDS: usize = 24;

type Values = SP1CorePublicValues<SP1Field>;
type Key = MachineVerifyingKey<SP1GlobalContext>;
type Rule = Result<(), MachineError>;

/// Every rule, on the shards in their order.
pub(crate) fn check<P>(shards: &[ShardProof<SP1GlobalContext, P>], key: &Key) -> Rule {
    if shards.is_empty() {
        return Err(MachineVerifierError::EmptyProof);
    }
    // Before they are read as what they mean, which panics on too few.
    require(
        shards.iter().all(|shard| shard.public_values.len() == PROOF_MAX_NUM_PVS),
        "invalid public values length",
    )?;
    let values: Vec<&Values> = shards.iter().map(|shard| shard.public_values.as_slice().borrow()).collect();
    one_begins(&values)?;
    time(&values)?;
    program_counter(&values, key)?;
    exit_code(&values)?;
    nonce(&values)?;
    memory(&values, key)?;
    digests(&values)?;
    if shards.len() >= 1 << MAX_LOG_SHARDS {
        return Err(MachineVerifierError::TooManyShards);
    }
    global_sum(&values, key)
}

/// One shard, and no more, is the first that executes: there the registers have their first values.
fn one_begins(shards: &[&Values]) -> Rule {
    let mut found = false;
    for shard in shards {
        let first = shard.is_first_execution_shard;
        if first == SP1Field::one() {
            require(!found, "is_first_execution_shard is set to one for multiple shards")?;
            found = true;
        } else {
            require(first == SP1Field::zero(), "is_first_execution_shard is not boolean")?;
        }
    }
    require(found, "first execution shard is not set")
}

/// Time begins at 1, and goes on in each shard where it stopped in the one before. It passes where something is executed,
/// and only there: accesses to memory are told apart by it.
fn time(shards: &[&Values]) -> Rule {
    let mut now = [SP1Field::zero(), SP1Field::zero(), SP1Field::zero(), SP1Field::one()];
    for shard in shards {
        require(shard.initial_timestamp == now, "invalid initial timestamp")?;
        let stands = shard.initial_timestamp == shard.last_timestamp;
        require(
            shard.is_execution_shard == SP1Field::zero() || !stands,
            "timestamp should change on execution shard",
        )?;
        require(executes(shard) || stands, "timestamp should not change on non-execution shard")?;
        now = shard.last_timestamp;
    }
    Ok(())
}

/// The program begins where its key says, goes on in each shard where it stopped in the one before, and has ended.
fn program_counter(shards: &[&Values], key: &Key) -> Rule {
    let mut next = key.pc_start;
    for (index, shard) in shards.iter().enumerate() {
        require(
            shard.pc_start == next,
            if index == 0 {
                "pc_start != vk.pc_start: program counter should start at vk.pc_start"
            } else {
                "pc_start != prev_next_pc: pc_start should equal prev_next_pc for all shards"
            },
        )?;
        require(
            executes(shard) || shard.pc_start == shard.next_pc,
            "pc_start != next_pc: pc_start should equal next_pc for non-execution shards",
        )?;
        next = shard.next_pc;
    }
    let halted = [SP1Field::from_canonical_u32(HALTED), SP1Field::zero(), SP1Field::zero()];
    require(next == halted, "next_pc != HALT_PC: execution should have halted")
}

/// The exit code is 0 before the program says another, which it does once; and here it has to be 0 in the end: a proof of
/// a run that failed proves nothing.
fn exit_code(shards: &[&Values]) -> Rule {
    let mut before = SP1Field::zero();
    for shard in shards {
        require(
            shard.prev_exit_code == before,
            "public_values.prev_exit_code != prev_exit_code: prev_exit_code does not match previous shard's exit_code",
        )?;
        let stays = shard.prev_exit_code == shard.exit_code;
        require(
            executes(shard) || stays,
            "prev_exit_code != exit_code: exit code should be same in non-execution shards",
        )?;
        require(
            shard.prev_exit_code == SP1Field::zero() || stays,
            "prev_exit_code != exit_code: exit code should change at most once",
        )?;
        before = shard.exit_code;
    }
    require(
        before == SP1Field::zero(),
        "Verifying proofs with non-zero exit codes requires the `experimental` feature",
    )
}

/// All shards are of the same proof, as far as its maker says.
fn nonce(shards: &[&Values]) -> Rule {
    require(
        shards.iter().all(|shard| shard.proof_nonce == shards[0].proof_nonce),
        "proof_nonce != proof_nonce_first_shard",
    )
}

/// Memory is filled before the run and read after it in the order of addresses, each once: each shard goes on after the
/// last address of the one before, and some did both. The same for pages. Programs may not write programs unless the key
/// says so.
fn memory(shards: &[&Values], key: &Key) -> Rule {
    let zero = [SP1Field::zero(); 3];
    let (mut filled, mut read, mut pages_filled, mut pages_read) = (zero, zero, zero, zero);
    for shard in shards {
        require(shard.previous_init_addr == filled, "previous_init_addr != last_init_addr_prev")?;
        require(shard.previous_finalize_addr == read, "previous_finalize_addr != last_finalize_addr_prev")?;
        require(
            shard.previous_init_page_idx == pages_filled,
            "previous_init_page_idx != last_init_page_idx_prev",
        )?;
        require(
            shard.previous_finalize_page_idx == pages_read,
            "previous_finalize_page_idx != last_finalize_page_idx_prev",
        )?;
        require(
            shard.is_untrusted_programs_enabled == key.untrusted_config.enable_untrusted_programs,
            "public_values.is_untrusted_programs_enabled != vk.untrusted_config.enable_untrusted_programs",
        )?;
        filled = shard.last_init_addr;
        read = shard.last_finalize_addr;
        pages_filled = shard.last_init_page_idx;
        pages_read = shard.last_finalize_page_idx;
    }
    require(filled != zero, "the zero address was never initialized")?;
    require(read != zero, "the zero address was never finalized")
}

/// What the program commits to, and the proofs that it relies on, are zero before the first shard and go on from shard to
/// shard; whether they were committed to as well, and in the end they were.
fn digests(shards: &[&Values]) -> Rule {
    let (mut committed, mut deferred) = ([[SP1Field::zero(); 4]; 8], [SP1Field::zero(); 8]);
    let (mut has_committed, mut has_deferred) = (SP1Field::zero(), SP1Field::zero());
    for shard in shards {
        require(
            shard.prev_committed_value_digest == committed,
            "prev_committed_value_digest doesn't equal the previous shard's committed_value_digest",
        )?;
        require(
            shard.prev_deferred_proofs_digest == deferred,
            "prev_deferred_proofs_digest doesn't equal the previous shard's deferred_proofs_digest",
        )?;
        require(
            shard.prev_commit_syscall == has_committed,
            "prev_commit_syscall doesn't equal the previous shard's commit_syscall",
        )?;
        require(
            shard.prev_commit_deferred_syscall == has_deferred,
            "prev_commit_deferred_syscall doesn't equal the previous shard's commit_deferred_syscall",
        )?;
        committed = shard.committed_value_digest;
        deferred = shard.deferred_proofs_digest;
        has_committed = shard.commit_syscall;
        has_deferred = shard.commit_deferred_syscall;
    }
    require(has_committed == SP1Field::one(), "COMMIT syscall was never called")?;
    require(has_deferred == SP1Field::one(), "COMMIT_DEFERRED_PROOFS syscall was never called")
}

/// What shards send to each other is what they receive from each other: the sum over all, with the key's own (the memory
/// that the program begins with), is that of nothing.
fn global_sum(shards: &[&Values], key: &Key) -> Rule {
    let mut sum = key.initial_global_cumulative_sum;
    for shard in shards {
        sum =
            sum.checked_add(shard.global_cumulative_sum).ok_or(MachineVerifierError::InvalidPublicValues(
                "global cumulative sum has an exceptional curve addition",
            ))?;
    }
    require(sum.is_zero(), "global cumulative sum is not zero")
}

fn executes(shard: &Values) -> bool {
    shard.is_execution_shard == SP1Field::one()
}

fn require(holds: bool, otherwise: &'static str) -> Rule {
    if holds { Ok(()) } else { Err(MachineVerifierError::InvalidPublicValues(otherwise)) }
}
