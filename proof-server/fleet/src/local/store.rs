//! The local store: a map, or a folder with a file for each object. A file is written aside and renamed, and begins with a
//! checksum, so that what was cut off or damaged is never read as a whole.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{
    Answer, Bucket, BucketLimits, FleetError, ObjectName, ObjectRef, Store, StoreLimits, Stored, time,
};

/// The last byte is the format's version.
const MAGIC: &[u8; 8] = b"SXTOBJT\x01";
/// Bytes before an object's own: [`MAGIC`] and SHA-256.
const HEADER: usize = 40;
/// How the names of files begin that are being written: no key has a dot in front.
const UNFINISHED: &str = ".unfinished-";
/// Age at which nobody is writing such a file any more.
const ABANDONED: Duration = Duration::from_secs(600);

/// Objects of this process, in a folder if it has one.
#[derive(Clone)]
pub struct LocalStore(Arc<Shared>);

struct Shared {
    place: Place,
    limits: StoreLimits,
    /// One at a time writes, so that what is there stands, and that room is counted once.
    writing: Mutex<()>,
}

enum Place {
    Memory(Mutex<HashMap<ObjectName, (Bytes, SystemTime)>>),
    Folder(PathBuf),
}

/// An object as its bucket counts it.
struct Kept {
    name: String,
    length: u64,
    since: SystemTime,
}

impl LocalStore {
    /// Objects that live as long as their process.
    #[must_use]
    pub fn in_memory(limits: StoreLimits) -> Self {
        Self(Arc::new(Shared { place: Place::Memory(Mutex::default()), limits, writing: Mutex::default() }))
    }

    /// The objects in `folder`, which is made if it is not there. Several processes may share one.
    ///
    /// # Errors
    /// [`FleetError::Refused`] if nothing can be written there.
    pub fn open(folder: &Path, limits: StoreLimits) -> Result<Self, FleetError> {
        for bucket in Bucket::ALL {
            let bucket = folder.join(bucket.as_str());
            let usable = fs::create_dir_all(&bucket).and_then(|()| tempfile::tempfile_in(&bucket));
            usable.map_err(|error| FleetError::Refused {
                what: "the store's folder",
                reason: format!("{}: {error}", bucket.display()),
            })?;
        }
        let shared = Shared { place: Place::Folder(folder.into()), limits, writing: Mutex::default() };
        for bucket in Bucket::ALL {
            match shared.make_room(bucket, 0) {
                // The limit was larger before: what is there is good all the same.
                Ok(()) | Err(FleetError::Full(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self(Arc::new(shared)))
    }

    async fn run<T: Send + 'static>(
        &self,
        step: impl FnOnce(&Shared) -> Result<T, FleetError> + Send + 'static,
    ) -> Result<T, FleetError> {
        let shared = self.0.clone();
        let step = tokio::task::spawn_blocking(move || step(&shared));
        step.await.map_err(|error| FleetError::Refused { what: "the store", reason: error.to_string() })?
    }
}

impl Store for LocalStore {
    fn put<'a>(&'a self, name: &'a ObjectName, bytes: Bytes) -> Answer<'a, ObjectRef> {
        let name = name.clone();
        Box::pin(self.run(move |store| store.put(name, bytes)))
    }

    fn read<'a>(&'a self, name: &'a ObjectName) -> Answer<'a, Option<Bytes>> {
        let name = name.clone();
        Box::pin(self.run(move |store| store.read(&name)))
    }

    fn find<'a>(&'a self, name: &'a ObjectName) -> Answer<'a, Option<ObjectRef>> {
        let name = name.clone();
        Box::pin(self.run(move |store| store.find(name)))
    }

    fn remove<'a>(&'a self, name: &'a ObjectName) -> Answer<'a, ()> {
        let name = name.clone();
        Box::pin(self.run(move |store| store.remove(name.bucket(), name.key())))
    }

    fn list(&self, bucket: Bucket) -> Answer<'_, Vec<Stored>> {
        Box::pin(self.run(move |store| store.listing(bucket)))
    }
}

impl Shared {
    fn put(&self, name: ObjectName, bytes: Bytes) -> Result<ObjectRef, FleetError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = self.read(&name)? {
            return Ok(ObjectRef::to(name, &there));
        }
        self.make_room(name.bucket(), bytes.len() as u64)?;
        let object = ObjectRef::to(name, &bytes);
        match &self.place {
            Place::Memory(objects) => {
                lock(objects).insert(object.name.clone(), (bytes, SystemTime::now()));
            }
            Place::Folder(folder) => {
                let bucket = folder.join(object.name.bucket().as_str());
                let write = || {
                    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&bucket)?;
                    file.write_all(MAGIC)?;
                    file.write_all(&object.sha256)?;
                    file.write_all(&bytes)?;
                    file.persist(bucket.join(object.name.key())).map_err(|error| error.error)
                };
                write().map_err(|error| disk(&error))?;
            }
        }
        Ok(object)
    }

    fn read(&self, name: &ObjectName) -> Result<Option<Bytes>, FleetError> {
        let age = self.limits.bucket(name.bucket()).age;
        match &self.place {
            Place::Memory(objects) => {
                let mut objects = lock(objects);
                let Some((bytes, since)) = objects.get_mut(name).filter(|(_, since)| !is_old(*since, age))
                else {
                    return Ok(None);
                };
                if name.bucket() == Bucket::Proofs {
                    *since = SystemTime::now();
                }
                Ok(Some(bytes.clone()))
            }
            Place::Folder(folder) => {
                let path = folder.join(name.bucket().as_str()).join(name.key());
                let Some(since) = there(fs::metadata(&path).and_then(|file| file.modified()))? else {
                    return Ok(None);
                };
                let Some(bytes) = there(fs::read(&path))?.map(Bytes::from) else { return Ok(None) };
                let whole = bytes.len() >= HEADER
                    && bytes.starts_with(MAGIC)
                    && bytes[MAGIC.len()..HEADER] == Sha256::digest(&bytes[HEADER..])[..];
                if !whole {
                    tracing::warn!(file = %path.display(), "an object is damaged; it is removed");
                }
                if !whole || is_old(since, age) {
                    self.remove(name.bucket(), name.key())?;
                    return Ok(None);
                }
                if name.bucket() == Bucket::Proofs {
                    // Used now. That this fails is no harm: it goes a little earlier.
                    let _ = File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
                }
                Ok(Some(bytes.slice(HEADER..)))
            }
        }
    }

    fn find(&self, name: ObjectName) -> Result<Option<ObjectRef>, FleetError> {
        if let Place::Memory(_) = &self.place {
            return Ok(self.read(&name)?.map(|bytes| ObjectRef::to(name, &bytes)));
        }
        let Place::Folder(folder) = &self.place else { return Ok(None) };
        let path = folder.join(name.bucket().as_str()).join(name.key());
        let Some(mut file) = there(File::open(path))? else { return Ok(None) };
        let metadata = file.metadata().map_err(|error| disk(&error))?;
        let since = metadata.modified().unwrap_or_else(|_| SystemTime::now());
        let mut header = [0; HEADER];
        // What is wrong with it is seen, and seen to, when it is read.
        if file.read_exact(&mut header).is_err() || is_old(since, self.limits.bucket(name.bucket()).age) {
            return Ok(None);
        }
        let sha256 = std::array::from_fn(|byte| header[MAGIC.len() + byte]);
        let length = metadata.len() - HEADER as u64;
        Ok(header.starts_with(MAGIC).then_some(ObjectRef { name, length, sha256 }))
    }

    fn remove(&self, bucket: Bucket, key: &str) -> Result<(), FleetError> {
        match &self.place {
            Place::Memory(objects) => {
                lock(objects).retain(|name, _| name.bucket() != bucket || name.key() != key);
                Ok(())
            }
            Place::Folder(folder) => {
                there(fs::remove_file(folder.join(bucket.as_str()).join(key))).map(|_| ())
            }
        }
    }

    /// Takes away what is too old, and finished proofs as far as room is needed: those that were used longest ago.
    fn make_room(&self, bucket: Bucket, bytes: u64) -> Result<(), FleetError> {
        let BucketLimits { bytes: limit, age } = self.limits.bucket(bucket);
        let mut objects = self.list(bucket)?;
        objects.sort_by_key(|object| object.since);
        let mut total = objects.iter().map(|object| object.length).sum::<u64>();
        for Kept { name, length, since } in objects {
            let age = if name.starts_with(UNFINISHED) { ABANDONED } else { age };
            let in_the_way = bucket == Bucket::Proofs && total.saturating_add(bytes) > limit;
            if is_old(since, age) || (in_the_way && !name.starts_with(UNFINISHED)) {
                self.remove(bucket, &name)?;
                total -= length;
            }
        }
        if total.saturating_add(bytes) > limit {
            return Err(FleetError::Full(match bucket {
                Bucket::Inputs => "the store of inputs",
                Bucket::Parts => "the store of parts",
                Bucket::Proofs => "the store of proofs",
            }));
        }
        Ok(())
    }

    /// The objects in a bucket that a reader would find.
    fn listing(&self, bucket: Bucket) -> Result<Vec<Stored>, FleetError> {
        let age = self.limits.bucket(bucket).age;
        let header = if matches!(self.place, Place::Folder(_)) { HEADER as u64 } else { 0 };
        let objects = self.list(bucket)?.into_iter().filter(|kept| !is_old(kept.since, age));
        let stored = objects.filter_map(|Kept { name, length, since }| {
            let name = format!("{}/{name}", bucket.as_str()).parse().ok()?;
            Some(Stored { name, length: length.saturating_sub(header), since_ms: time::unix_ms_of(since) })
        });
        let mut stored: Vec<_> = stored.collect();
        stored.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(stored)
    }

    fn list(&self, bucket: Bucket) -> Result<Vec<Kept>, FleetError> {
        match &self.place {
            Place::Memory(objects) => {
                let objects = lock(objects);
                let of_bucket = objects.iter().filter(|(name, _)| name.bucket() == bucket);
                let kept = of_bucket.map(|(name, (bytes, since))| Kept {
                    name: name.key().into(),
                    length: bytes.len() as u64,
                    since: *since,
                });
                Ok(kept.collect())
            }
            Place::Folder(folder) => {
                let entries = fs::read_dir(folder.join(bucket.as_str())).map_err(|error| disk(&error))?;
                let kept = |entry: fs::DirEntry| {
                    let name = entry.file_name().into_string().ok()?;
                    // Gone again: another process tidies up too.
                    let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                    Some(Kept { name, length: metadata.len(), since: metadata.modified().ok()? })
                };
                Ok(entries.flatten().filter_map(kept).collect())
            }
        }
    }
}

fn is_old(since: SystemTime, age: Duration) -> bool {
    since.elapsed().is_ok_and(|elapsed| elapsed > age)
}

fn there<T>(result: io::Result<T>) -> Result<Option<T>, FleetError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(disk(&error)),
    }
}

fn disk(error: &io::Error) -> FleetError {
    FleetError::disk("the store's folder", error)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
