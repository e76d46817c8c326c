//! Runs of two shards, the first of a precompile, the second executing, in which one rule between shards is broken.

use slop_algebra::AbstractField;
use sp1_hypercube::air::SP1CorePublicValues;
use sp1_primitives::SP1Field;

/// The public values of a shard.
pub type Values = SP1CorePublicValues<SP1Field>;
/// A change to the public values of the two shards.
pub type Edit = fn(&mut Values, &mut Values);

/// One for each rule between shards, such that no rule before it is broken.
pub const BREAKS: [(&str, Edit); 30] = [
    ("is_first_execution_shard is set to one for multiple shards", |a, b| {
        (a.is_first_execution_shard, b.is_first_execution_shard) = (SP1Field::one(), SP1Field::one());
    }),
    ("is_first_execution_shard is not boolean", |a, _| a.is_first_execution_shard = SP1Field::two()),
    ("first execution shard is not set", |a, b| {
        (a.is_first_execution_shard, b.is_first_execution_shard) = (SP1Field::zero(), SP1Field::zero());
    }),
    ("invalid initial timestamp", |_, b| b.initial_timestamp[3] += SP1Field::one()),
    ("timestamp should change on execution shard", |_, b| {
        b.is_execution_shard = SP1Field::one();
        b.last_timestamp = b.initial_timestamp;
    }),
    ("timestamp should not change on non-execution shard", |_, b| {
        b.is_execution_shard = SP1Field::zero();
        b.last_timestamp[3] = b.initial_timestamp[3] + SP1Field::one();
    }),
    ("pc_start != vk.pc_start: program counter should start at vk.pc_start", |a, _| {
        a.pc_start[1] += SP1Field::one()
    }),
    ("pc_start != prev_next_pc: pc_start should equal prev_next_pc for all shards", |_, b| {
        b.pc_start[0] += SP1Field::one();
    }),
    ("pc_start != next_pc: pc_start should equal next_pc for non-execution shards", |_, b| {
        b.is_execution_shard = SP1Field::zero();
        b.last_timestamp = b.initial_timestamp;
        b.next_pc[0] = b.pc_start[0] + SP1Field::one();
    }),
    ("next_pc != HALT_PC: execution should have halted", |_, b| b.next_pc[2] += SP1Field::one()),
    (
        "public_values.prev_exit_code != prev_exit_code: prev_exit_code does not match previous shard's exit_code",
        |_, b| b.prev_exit_code = SP1Field::one(),
    ),
    ("prev_exit_code != exit_code: exit code should be same in non-execution shards", |a, _| {
        a.exit_code = SP1Field::one();
    }),
    ("prev_exit_code != exit_code: exit code should change at most once", |a, b| {
        a.is_execution_shard = SP1Field::one();
        a.last_timestamp[3] += SP1Field::one();
        b.initial_timestamp = a.last_timestamp;
        (a.exit_code, b.prev_exit_code, b.exit_code) = (SP1Field::one(), SP1Field::one(), SP1Field::two());
    }),
    ("Verifying proofs with non-zero exit codes requires the `experimental` feature", |_, b| {
        b.exit_code = SP1Field::one();
    }),
    ("proof_nonce != proof_nonce_first_shard", |_, b| b.proof_nonce[2] += SP1Field::one()),
    ("previous_init_addr != last_init_addr_prev", |_, b| b.previous_init_addr[0] += SP1Field::one()),
    ("previous_finalize_addr != last_finalize_addr_prev", |_, b| {
        b.previous_finalize_addr[2] += SP1Field::one()
    }),
    ("previous_init_page_idx != last_init_page_idx_prev", |_, b| {
        b.previous_init_page_idx[0] += SP1Field::one()
    }),
    ("previous_finalize_page_idx != last_finalize_page_idx_prev", |_, b| {
        b.previous_finalize_page_idx[1] += SP1Field::one();
    }),
    (
        "public_values.is_untrusted_programs_enabled != vk.untrusted_config.enable_untrusted_programs",
        |_, b| b.is_untrusted_programs_enabled += SP1Field::one(),
    ),
    ("the zero address was never initialized", |_, b| b.last_init_addr = [SP1Field::zero(); 3]),
    ("the zero address was never finalized", |_, b| b.last_finalize_addr = [SP1Field::zero(); 3]),
    ("prev_committed_value_digest doesn't equal the previous shard's committed_value_digest", |_, b| {
        b.prev_committed_value_digest[7][3] += SP1Field::one();
    }),
    ("prev_deferred_proofs_digest doesn't equal the previous shard's deferred_proofs_digest", |a, _| {
        a.deferred_proofs_digest[7] += SP1Field::one();
    }),
    ("prev_commit_syscall doesn't equal the previous shard's commit_syscall", |_, b| {
        b.prev_commit_syscall += SP1Field::one();
    }),
    ("prev_commit_deferred_syscall doesn't equal the previous shard's commit_deferred_syscall", |_, b| {
        b.prev_commit_deferred_syscall += SP1Field::one();
    }),
    ("COMMIT syscall was never called", |_, b| b.commit_syscall = SP1Field::zero()),
    ("COMMIT_DEFERRED_PROOFS syscall was never called", |_, b| b.commit_deferred_syscall = SP1Field::two()),
    ("global cumulative sum is not zero", |a, b| {
        a.global_cumulative_sum = b.global_cumulative_sum;
    }),
    ("global cumulative sum has an exceptional curve addition", |_, _| {}),
];
