//! Finished proofs, kept a while: in memory, and in a folder where one is configured. Losing them loses nothing but
//! time. Files are checked when they are read, and clients verify what they get anyway.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use bytes::Bytes;
use lru::LruCache;
use sextant_protocol::{JobKey, ProofKind, encoding};
use sha2::{Digest, Sha256};

use crate::config::CacheConfig;

/// What a proof is kept under: input digest, program's key, and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ProofKey {
    pub(crate) input_digest: [u8; 32],
    pub(crate) vk_hash: [u8; 32],
    pub(crate) kind: ProofKind,
}

impl ProofKey {
    /// What clients call the job by.
    pub(crate) fn job(&self) -> JobKey {
        let kind = encoding::encode(&self.kind);
        JobKey(
            Sha256::new()
                .chain_update(self.input_digest)
                .chain_update(self.vk_hash)
                .chain_update(kind)
                .finalize()
                .into(),
        )
    }
}

/// Kept proofs: encoded answers by key.
pub(crate) struct Cache {
    memory: Mutex<Memory>,
    limit: usize,
    disk: Option<Arc<Disk>>,
}

struct Memory {
    proofs: LruCache<ProofKey, Bytes>,
    bytes: usize,
}

struct Disk {
    folder: PathBuf,
    limit: u64,
    /// One thread at a time tidies up.
    tidying: Mutex<()>,
}

impl Cache {
    /// An empty cache on top of whatever the folder holds.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub(crate) fn new(config: &CacheConfig) -> std::io::Result<Self> {
        let disk = match &config.folder {
            Some(folder) => {
                std::fs::create_dir_all(folder)?;
                Some(Arc::new(Disk { folder: folder.clone(), limit: config.disk, tidying: Mutex::new(()) }))
            }
            None => None,
        };
        let memory = Mutex::new(Memory { proofs: LruCache::unbounded(), bytes: 0 });
        Ok(Self { memory, limit: config.memory, disk })
    }

    /// The response in memory.
    pub(crate) fn recall(&self, key: &ProofKey) -> Option<Bytes> {
        self.memory().proofs.get(key).cloned()
    }

    /// The response in memory or in the folder.
    pub(crate) async fn get(&self, key: &ProofKey) -> Option<Bytes> {
        if let Some(response) = self.recall(key) {
            return Some(response);
        }
        let (disk, wanted) = (self.disk.clone()?, *key);
        let response = tokio::task::spawn_blocking(move || disk.read(&wanted)).await.ok()??;
        self.remember(*key, &response);
        Some(response)
    }

    /// Keeps a response. The folder is written in the background.
    pub(crate) fn insert(&self, key: ProofKey, response: &Bytes) {
        self.remember(key, response);
        if let Some(disk) = self.disk.clone() {
            let response = response.clone();
            tokio::task::spawn_blocking(move || {
                if let Err(error) = disk.write(&key, &response) {
                    tracing::warn!(%error, "a finished proof is not kept on disk");
                }
            });
        }
    }

    /// Proofs and bytes in memory.
    pub(crate) fn size(&self) -> (usize, usize) {
        let memory = self.memory();
        (memory.proofs.len(), memory.bytes)
    }

    fn remember(&self, key: ProofKey, response: &Bytes) {
        if response.len() > self.limit {
            return;
        }
        let mut memory = self.memory();
        let old = memory.proofs.put(key, response.clone());
        memory.bytes += response.len();
        memory.bytes -= old.map_or(0, |old| old.len());
        while memory.bytes > self.limit {
            let Some((_, oldest)) = memory.proofs.pop_lru() else { break };
            memory.bytes -= oldest.len();
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Nothing panics while it holds the lock.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    fn path(&self, key: &ProofKey) -> PathBuf {
        let name = format!(
            "{}-{}-{}.response",
            hex::encode(key.input_digest),
            hex::encode(&key.vk_hash[..8]),
            key.kind
        );
        self.folder.join(name)
    }

    /// A file is the response and its SHA-256; a damaged one is removed.
    fn read(&self, key: &ProofKey) -> Option<Bytes> {
        let path = self.path(key);
        let mut bytes = std::fs::read(&path).ok()?;
        let sound = bytes
            .split_last_chunk::<32>()
            .is_some_and(|(response, checksum)| Sha256::digest(response)[..] == checksum[..]);
        if !sound {
            tracing::warn!(file = %path.display(), "a kept proof is damaged; it is removed");
            let _ = std::fs::remove_file(&path);
            return None;
        }
        bytes.truncate(bytes.len() - 32);
        Some(bytes.into())
    }

    fn write(&self, key: &ProofKey, response: &[u8]) -> std::io::Result<()> {
        let _tidying = self.tidying.lock().unwrap_or_else(PoisonError::into_inner);
        // Written aside and renamed: another process with the same folder never sees half a file.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        std::io::Write::write_all(&mut file, response)?;
        std::io::Write::write_all(&mut file, &Sha256::digest(response))?;
        file.persist(self.path(key)).map_err(|error| error.error)?;
        self.tidy()
    }

    /// Removes the oldest files until the rest is within the limit.
    fn tidy(&self) -> std::io::Result<()> {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = std::fs::read_dir(&self.folder)?
            .flatten()
            .filter(|file| Path::new(&file.file_name()).extension().is_some_and(|e| e == "response"))
            .filter_map(|file| {
                let metadata = file.metadata().ok()?;
                Some((metadata.modified().ok()?, metadata.len(), file.path()))
            })
            .collect();
        files.sort();
        let mut total: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in files {
            if total <= self.limit {
                break;
            }
            std::fs::remove_file(path)?;
            total -= length;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: u8) -> ProofKey {
        ProofKey { input_digest: [name; 32], vk_hash: [9; 32], kind: ProofKind::Stark }
    }

    #[tokio::test]
    async fn memory_is_bounded_and_forgets_what_was_used_longest_ago() {
        let cache = Cache::new(&CacheConfig { memory: 250, ..CacheConfig::default() }).unwrap();
        let response = Bytes::from(vec![1; 100]);
        cache.insert(key(1), &response);
        cache.insert(key(2), &response);
        assert!(cache.get(&key(1)).await.is_some());
        cache.insert(key(3), &response);
        assert!(cache.get(&key(2)).await.is_none(), "the first was used since");
        assert_eq!(cache.size(), (2, 200));
        cache.insert(key(3), &response);
        assert_eq!(cache.size(), (2, 200), "the same again takes no more room");
        cache.insert(key(4), &Bytes::from(vec![1; 251]));
        assert!(cache.get(&key(4)).await.is_none());
        let other = ProofKey { kind: ProofKind::Compressed, ..key(1) };
        assert!(cache.get(&other).await.is_none());
    }

    #[test]
    fn the_folder_is_bounded_and_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk { folder: folder.path().into(), limit: 300, tidying: Mutex::new(()) };
        let names = || std::fs::read_dir(folder.path()).unwrap().count();
        for name in 1..=3 {
            disk.write(&key(name), &[name; 100]).unwrap();
            // Files are told apart by their times.
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        assert_eq!(names(), 2, "132 bytes each");
        assert!(disk.read(&key(1)).is_none());
        assert_eq!(disk.read(&key(3)).unwrap(), vec![3; 100]);
        let path = disk.path(&key(3));
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[5] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(disk.read(&key(3)).is_none());
        assert_eq!(names(), 1, "the damaged file is gone");
    }
}
