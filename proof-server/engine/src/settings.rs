//! Engine settings for a machine: shard sizes, worker counts, buffers, allocator.
//!
//! SP1's own defaults are made for large machines: four shards at once, eight recursion provers, ring buffers of
//! gigabytes. [`EngineSettings::for_machine`] starts from what one shard needs and adds parallelism only where the
//! memory for it is there. However large a statement is, it is proven in shards of the size that fits: it takes longer,
//! not more memory.

use sextant_protocol::ProofKind;
use sp1_core_executor::{ELEMENT_THRESHOLD, HEIGHT_THRESHOLD, SP1CoreOpts, ShardingThreshold};
use sp1_prover::worker::SP1WorkerConfig;

const GIB: u64 = 1 << 30;

/// Environment of a process that proves with mimalloc as its allocator. Proving allocates and frees gigabytes in
/// rounds: pages that go back to the kernel are cleared again on the way in.
pub const ALLOCATOR_ENVIRONMENT: [(&str, &str); 2] =
    [("MIMALLOC_PURGE_DELAY", "-1"), ("MIMALLOC_ALLOW_LARGE_OS_PAGES", "1")];

/// Bytes that proving takes for a cell of the shard: the trace, its code words, and the sums over its interactions. A
/// single shard takes 140 (18.5 GiB for 134 million cells on 2 cores); several in a row leave holes behind, and more
/// cores more buffers (17.6 GiB for nine shards of 86 million on 16 cores).
const BYTES_PER_CELL: u64 = 190;
/// Bytes that the recursion prover takes at its peak, whatever it folds (13.9 GiB where twenty shards were folded).
const RECURSION_PEAK: u64 = 14 * GIB;

/// Cells of a proof of one handover, in one shard.
const ONE_HANDOVER: u64 = 21_000_000;

/// Bytes of memory with which the smallest proofs of a kind are made. With less none is; more takes larger shards.
pub const fn least_memory(kind: ProofKind) -> u64 {
    match kind {
        ProofKind::Stark => resident(kind) + ONE_HANDOVER * BYTES_PER_CELL,
        _ => RECURSION_PEAK,
    }
}

/// Bytes that stay in memory while shards are proven: programs and keys.
const fn resident(kind: ProofKind) -> u64 {
    match kind {
        ProofKind::Stark => GIB,
        // Recursion has programs and keys of its own.
        _ => 5 * GIB,
    }
}

/// The smallest shard that is worth its fixed cost.
const SMALLEST_SHARD: u64 = 1 << 25;

/// Numbers handed to SP1, all derived from cores and memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// Shards proven at once, and everything that feeds them.
    pub parallel_shards: usize,
    /// Shards traced before they are proven.
    pub shards_ahead: usize,
    /// Trace cells of one shard before it is split; decides peak memory.
    pub element_threshold: u64,
    /// Cycles for which event buffers are reserved per shard.
    pub shard_size: usize,
    /// Memory entries of one executor chunk, 16 bytes each where there are so many. A shard ends with its chunk, so a
    /// chunk holds a hundred handovers.
    pub trace_chunk_threshold: u64,
    /// Chunks in flight between executor and prover.
    pub trace_chunk_slots: usize,
    /// Memory the executor process may use, bytes.
    pub executor_memory: u64,
    /// Proofs folded at once when compressing; each value up to it costs a key of about 1.2 GB.
    pub reduce_arity: usize,
}

impl EngineSettings {
    /// Settings for proofs of `kind` with `memory` bytes of memory. Cores need no setting: rayon and tokio take what
    /// there is.
    pub fn for_machine(memory: u64, kind: ProofKind) -> Self {
        let roomy = memory >= 60 * GIB;
        let parallel_shards = (memory / (48 * GIB)).clamp(1, 4) as usize;
        // The rest is for the server, for verifying, and for what the system keeps of files.
        let planned = memory / 16 * 9;
        let shards = (parallel_shards + usize::from(roomy)) as u64;
        let element_threshold = planned.saturating_sub(resident(kind)) / shards / BYTES_PER_CELL;
        Self {
            parallel_shards,
            shards_ahead: usize::from(roomy),
            element_threshold: element_threshold.clamp(SMALLEST_SHARD, ELEMENT_THRESHOLD),
            shard_size: if roomy { 1 << 24 } else { 1 << 21 },
            trace_chunk_threshold: 1 << 25,
            trace_chunk_slots: 2,
            executor_memory: (memory / 6).clamp(2 * GIB, 24 * GIB),
            reduce_arity: if roomy { 4 } else { 2 },
        }
    }

    /// The same with shards so small that proofs of `kind` take at most `memory` bytes, as far as smaller ones help: a server
    /// is not always given the whole machine.
    #[must_use]
    pub fn within(mut self, memory: u64, kind: ProofKind) -> Self {
        let shards = (self.parallel_shards + self.shards_ahead) as u64;
        let most = memory.saturating_sub(resident(kind)) / shards / BYTES_PER_CELL;
        self.element_threshold = self.element_threshold.min(most.max(SMALLEST_SHARD));
        self
    }

    /// Resident memory of a process that proves shards of up to `shard_cells`, bytes.
    pub(crate) fn peak_memory(&self, kind: ProofKind, shard_cells: u64) -> u64 {
        let shards = (self.parallel_shards + self.shards_ahead) as u64;
        let core = resident(kind) + shards * shard_cells * BYTES_PER_CELL;
        if kind == ProofKind::Stark { core } else { core.max(RECURSION_PEAK) }
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
