//! Engine settings for a machine: shard sizes, worker counts, buffers, allocator.
//!
//! SP1's own defaults are made for large machines: four shards at once, eight recursion provers, ring buffers of
//! gigabytes. [`EngineSettings::for_machine`] starts from what one shard needs and adds parallelism only where the
//! memory for it is there.

use sp1_core_executor::{ELEMENT_THRESHOLD, HEIGHT_THRESHOLD, SP1CoreOpts, ShardingThreshold};
use sp1_prover::worker::SP1WorkerConfig;

const GIB: u64 = 1 << 30;

/// Environment of a process that proves with mimalloc as its allocator. Proving allocates and frees gigabytes in
/// rounds: pages that go back to the kernel are cleared again on the way in.
pub const ALLOCATOR_ENVIRONMENT: [(&str, &str); 2] =
    [("MIMALLOC_PURGE_DELAY", "-1"), ("MIMALLOC_ALLOW_LARGE_OS_PAGES", "1")];

/// Numbers handed to SP1, all derived from cores and memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// Shards proven at once, and everything that feeds them.
    pub parallel_shards: usize,
    /// Trace cells of one shard before it is split; decides peak memory.
    pub element_threshold: u64,
    /// Cycles for which event buffers are reserved per shard.
    pub shard_size: usize,
    /// Memory entries of one executor chunk.
    pub trace_chunk_threshold: u64,
    /// Chunks in flight between executor and prover.
    pub trace_chunk_slots: usize,
    /// Memory the executor process may use, bytes.
    pub executor_memory: u64,
    /// Proofs folded at once when compressing; each value up to it costs a key of about 1.2 GB.
    pub reduce_arity: usize,
}

impl EngineSettings {
    /// Settings for `memory` bytes of memory. Cores need no setting: rayon and tokio take what there is.
    pub fn for_machine(memory: u64) -> Self {
        // One shard at SP1's own threshold peaks at about 21 GB, at a third of it at about 10 GB.
        let roomy = memory >= 60 * GIB;
        let parallel_shards = (memory / (48 * GIB)).clamp(1, 4) as usize;
        Self {
            parallel_shards,
            element_threshold: if roomy { ELEMENT_THRESHOLD } else { 1 << 27 },
            shard_size: if roomy { 1 << 24 } else { 1 << 21 },
            trace_chunk_threshold: if roomy { 1 << 24 } else { 1 << 22 },
            trace_chunk_slots: if roomy { 5 } else { 2 },
            executor_memory: (memory / 6).clamp(2 * GIB, 24 * GIB),
            reduce_arity: if roomy { 4 } else { 2 },
        }
    }

    /// SP1's core options.
    pub(crate) fn core_opts(&self) -> SP1CoreOpts {
        SP1CoreOpts {
            minimal_trace_chunk_threshold: self.trace_chunk_threshold,
            trace_chunk_slots: self.trace_chunk_slots,
            gas_trace_chunk_slots: 1,
            memory_limit: self.executor_memory,
            shard_size: self.shard_size,
            sharding_threshold: ShardingThreshold {
                element_threshold: self.element_threshold,
                height_threshold: HEIGHT_THRESHOLD,
            },
            ..SP1CoreOpts::default()
        }
    }

    /// Applies the settings to SP1's recursion prover.
    pub(crate) fn apply(&self, config: &mut SP1WorkerConfig) {
        let n = self.parallel_shards;
        let recursion = &mut config.prover_config.recursion_prover_config;
        recursion.max_compose_arity = self.reduce_arity;
        recursion.num_prepare_reduce_workers = n;
        recursion.prepare_reduce_buffer_size = n;
        recursion.num_recursion_executor_workers = n;
        recursion.recursion_executor_buffer_size = n;
        recursion.num_recursion_prover_workers = n;
        recursion.recursion_prover_buffer_size = n;
        // The finished proof is verified by the worker; step by step as well would be twice.
        recursion.verify_intermediates = false;
    }
}
