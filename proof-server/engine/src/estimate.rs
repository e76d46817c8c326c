//! What a planned proof takes in seconds, memory and bytes.

use sextant_protocol::ProofKind;

use crate::{EngineSettings, Plan};

/// What a proof will take, roughly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Seconds on this machine.
    pub seconds: f64,
    /// Resident memory of the process that proves, bytes.
    pub memory: u64,
    /// Bytes of the proof.
    pub bytes: u64,
}

impl Plan {
    /// What a proof of `kind` takes with `settings` at `pace`.
    pub fn estimate(&self, kind: ProofKind, settings: &EngineSettings, pace: &Pace) -> Estimate {
        let shards = self.parts.len() as f64;
        let core = shards * pace.shard + self.cells as f64 * pace.cell;
        let (seconds, bytes) = match kind {
            ProofKind::Stark => (core, self.parts.len() as u64 * SHARD_PROOF),
            // Each shard is normalized; folding pairs takes one step less than there are shards, and at least one.
            _ => (core + shards * pace.normalize + (shards - 1.0).max(1.0) * pace.fold, COMPRESSED_PROOF),
        };
        Estimate { seconds, memory: settings.peak_memory(kind, self.largest_shard), bytes }
    }
}

/// Bytes of the proof of one shard, and of a compressed proof: `docs/benchmarks.md`.
const SHARD_PROOF: u64 = 1_700_000;
const COMPRESSED_PROOF: u64 = 1_300_000;

/// How fast this machine proves, seconds each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// A shard, whatever is in it.
    pub shard: f64,
    /// A cell.
    pub cell: f64,
    /// Turning a shard's proof into a recursion proof.
    pub normalize: f64,
    /// Folding two of those into one.
    pub fold: f64,
}

impl Pace {
    /// A first guess: what was measured on 2 cores with AVX-512, and with the square root of the number of cores on
    /// others (16 were 2.6 times as fast).
    pub fn guess(cores: usize) -> Self {
        let measured = Self { shard: 6.6, cell: 3.5e-7, normalize: 16.0, fold: 22.0 };
        measured.times((2.0 / cores.max(1) as f64).sqrt())
    }

    /// This pace after a proof took `actual` seconds where `estimated` were expected: half-way between the two, since
    /// whatever else the machine did counts too.
    #[must_use]
    pub fn learned(self, estimated: f64, actual: f64) -> Self {
        self.times(((1.0 + actual / estimated) / 2.0).clamp(0.25, 4.0))
    }

    fn times(self, factor: f64) -> Self {
        let Self { shard, cell, normalize, fold } = self;
        Self {
            shard: shard * factor,
            cell: cell * factor,
            normalize: normalize * factor,
            fold: fold * factor,
        }
    }
}
