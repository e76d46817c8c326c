//! How much a fleet keeps, and for how long. Both implementations go by the same numbers.

use std::time::Duration;

use crate::Bucket;

const HOUR: Duration = Duration::from_secs(3600);

/// Limits of a queue.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// Messages that wait or are worked on, in all lines together.
    pub messages: usize,
    /// Workers that a message may have had before it is given up.
    pub deliveries: u32,
    /// How long work goes on for which nobody waits: a client that was cut off may come back, to another server too.
    pub patience: Duration,
    /// How long a message waits at most.
    pub message_age: Duration,
    /// How long it is known what stages have made.
    pub made_age: Duration,
    /// How long it is known what came of a job.
    pub outcome_age: Duration,
    /// How long dead letters are kept.
    pub dead_age: Duration,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            messages: 50_000,
            deliveries: 4,
            patience: Duration::from_secs(30),
            message_age: 24 * HOUR,
            made_age: 6 * HOUR,
            outcome_age: 24 * HOUR,
            dead_age: 7 * 24 * HOUR,
        }
    }
}

/// Limits of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketLimits {
    /// All objects together.
    pub bytes: u64,
    /// How long each is kept.
    pub age: Duration,
}

/// Limits of a store.
#[derive(Clone, Copy, Debug)]
pub struct StoreLimits {
    /// Of [`Bucket::Inputs`].
    pub inputs: BucketLimits,
    /// Of [`Bucket::Parts`].
    pub parts: BucketLimits,
    /// Of [`Bucket::Proofs`].
    pub proofs: BucketLimits,
}

impl StoreLimits {
    /// Limits of a store that takes `bytes`: half of them for proofs.
    #[must_use]
    pub fn of(bytes: u64) -> Self {
        let bucket = |bytes, hours| BucketLimits { bytes, age: hours * HOUR };
        Self {
            inputs: bucket(bytes / 8, 24),
            parts: bucket(bytes / 8 * 3, 6),
            proofs: bucket(bytes / 2, 7 * 24),
        }
    }

    /// Those of one bucket.
    #[must_use]
    pub fn bucket(&self, bucket: Bucket) -> BucketLimits {
        match bucket {
            Bucket::Inputs => self.inputs,
            Bucket::Parts => self.parts,
            Bucket::Proofs => self.proofs,
        }
    }
}
