//! Finished proofs by the names of their jobs, kept a while: in memory, and in a folder where one is configured. Losing them loses nothing but
//! time. Files are checked when they are read, and clients verify what they get anyway.

mod disk;
mod file;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use disk::Disk;
use lru::LruCache;
use sextant_protocol::{JobKey, ProofAnswer};

use crate::{config::CacheConfig, metrics::Metrics};

/// Kept proofs.
pub(crate) struct Cache {
    memory: Mutex<Memory>,
    limit: usize,
    disk: Option<Arc<Disk>>,
}

struct Memory {
    proofs: LruCache<JobKey, ProofAnswer>,
    bytes: usize,
}

impl Cache {
    /// An empty cache on top of whatever the folder holds.
    ///
    /// # Errors
    /// If the folder cannot be made, or not be written to.
    pub(crate) fn new(config: &CacheConfig, metrics: &Arc<Metrics>) -> std::io::Result<Self> {
        let open = |folder| Disk::open(folder, config.disk, metrics.clone()).map(Arc::new);
        let disk = config.folder.as_deref().map(open).transpose()?;
        let memory = Mutex::new(Memory { proofs: LruCache::unbounded(), bytes: 0 });
        Ok(Self { memory, limit: config.memory, disk })
    }

    /// The proof in memory.
    pub(crate) fn recall(&self, job: &JobKey) -> Option<ProofAnswer> {
        self.memory().proofs.get(job).cloned()
    }

    /// The proof in memory or in the folder.
    pub(crate) async fn get(&self, job: &JobKey) -> Option<ProofAnswer> {
        if let Some(made) = self.recall(job) {
            return Some(made);
        }
        let (disk, wanted) = (self.disk.clone()?, *job);
        let made = tokio::task::spawn_blocking(move || disk.read(&wanted)).await.ok()??;
        self.remember(*job, &made);
        Some(made)
    }

    /// Keeps a proof. The folder is written in the background.
    pub(crate) fn insert(&self, job: JobKey, made: &ProofAnswer) {
        self.remember(job, made);
        if let Some(disk) = self.disk.clone() {
            let made = made.clone();
            tokio::task::spawn_blocking(move || disk.write(&job, &made));
        }
    }

    /// Bytes of proofs in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.memory().bytes
    }

    fn remember(&self, job: JobKey, made: &ProofAnswer) {
        if made.record.len() > self.limit {
            return;
        }
        let mut memory = self.memory();
        let old = memory.proofs.put(job, made.clone());
        memory.bytes += made.record.len();
        memory.bytes -= old.map_or(0, |old| old.record.len());
        while memory.bytes > self.limit {
            let Some((_, oldest)) = memory.proofs.pop_lru() else { break };
            memory.bytes -= oldest.record.len();
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Nothing panics while it holds the lock.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use sextant_protocol::{
        ProofKind, ProofRecord,
        proof::{Circuits, ProofView},
        request::ProvingCost,
    };

    use super::*;
    use crate::made::ProofKey;

    /// A proof whose record takes `size` bytes, another one for each name, with its job's.
    pub(super) fn made(name: u8, size: usize) -> (JobKey, ProofAnswer) {
        let record = |filling: usize| ProofRecord {
            program: 1,
            kind: ProofKind::Stark,
            circuits: Circuits::Release,
            circuit_version: "v1".into(),
            vk_hash: [9; 32],
            public_values: vec![name],
            proof: vec![name; filling],
        };
        let cost = ProvingCost { cycles: u64::from(name), ..ProvingCost::default() };
        let answer = |filling, job| ProofAnswer::new(&record(filling), [name; 32], cost, job);
        let empty = answer(0, JobKey::default());
        let job = ProofKey::of(&ProofView::of(&empty.record).unwrap()).job();
        (job, answer(size - empty.record.len(), job))
    }

    #[tokio::test]
    async fn memory_is_bounded_and_forgets_what_was_used_longest_ago() {
        let config = CacheConfig { memory: 500, ..CacheConfig::default() };
        let cache = Cache::new(&config, &Arc::new(Metrics::new())).unwrap();
        let keep = |name, size| cache.insert(made(name, size).0, &made(name, size).1);
        let job = |name| made(name, 200).0;
        keep(1, 200);
        keep(2, 200);
        assert_eq!(cache.get(&job(1)).await.unwrap(), made(1, 200).1);
        keep(3, 200);
        assert!(cache.get(&job(2)).await.is_none(), "the first was used since");
        keep(3, 200);
        assert_eq!(cache.bytes(), 400, "the same again takes no more room");
        keep(4, 501);
        assert!(cache.get(&job(4)).await.is_none());
    }
}
