//! The folder of kept proofs. Several servers may share one: files appear whole, and that one is gone is no error.

use std::{
    fs::{self, File, FileTimes},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use sextant_protocol::{JobKey, ProofAnswer};

use super::file;
use crate::metrics::Metrics;

/// How the names of files begin that are being written.
const UNFINISHED: &str = "unfinished-";
/// Age at which nobody is writing such a file any more.
const ABANDONED: Duration = Duration::from_secs(600);

pub(super) struct Disk {
    folder: PathBuf,
    limit: u64,
    metrics: Arc<Metrics>,
    /// One thread at a time writes and tidies up.
    writing: Mutex<()>,
}

/// A file of this cache.
struct Kept {
    used: SystemTime,
    length: u64,
    path: PathBuf,
    unfinished: bool,
}

impl Disk {
    /// The cache in `folder`, which is made if it is not there; what killed servers left half-written is removed.
    ///
    /// # Errors
    /// If nothing can be written there.
    pub(super) fn open(folder: &Path, limit: u64, metrics: Arc<Metrics>) -> io::Result<Self> {
        let wrong = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
        fs::create_dir_all(folder).map_err(wrong)?;
        let disk = Self { folder: folder.into(), limit, metrics, writing: Mutex::new(()) };
        drop(disk.unfinished().map_err(wrong)?);
        disk.tidy();
        Ok(disk)
    }

    /// The proof of `job`. A file that holds something else is removed.
    pub(super) fn read(&self, job: &JobKey) -> Option<ProofAnswer> {
        let path = self.folder.join(file::name(job));
        let bytes = self.note("read", &path, fs::read(&path))?;
        match file::decode(job, bytes) {
            Ok(made) => {
                // Used now: what was not used for long goes first.
                let now = FileTimes::new().set_modified(SystemTime::now());
                self.note("touch", &path, File::open(&path).and_then(|file| file.set_times(now)));
                Some(made)
            }
            Err(reason) => {
                self.metrics.cache_error("damaged");
                tracing::warn!(file = %path.display(), reason, "a kept proof is none; it is removed");
                self.note("remove", &path, fs::remove_file(&path));
                None
            }
        }
    }

    /// Keeps a proof.
    pub(super) fn write(&self, job: &JobKey, made: &ProofAnswer) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.folder.join(file::name(job));
        let written = self.unfinished().and_then(|mut unfinished| {
            unfinished.write_all(&file::encode(job, made))?;
            unfinished.persist(&path).map_err(|error| error.error)
        });
        self.note("write", &path, written);
        self.tidy();
    }

    /// A file that is written aside and renamed, so that another server never sees half of it.
    fn unfinished(&self) -> io::Result<tempfile::NamedTempFile> {
        tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.folder)
    }

    /// Removes what nobody writes any more, and then what was used longest ago until the rest is within the limit.
    fn tidy(&self) {
        if let Some(files) = self.note("list", &self.folder, self.files()) {
            self.tidy_among(files);
        }
    }

    /// [`Self::tidy`], of what was there a moment ago.
    fn tidy_among(&self, mut files: Vec<Kept>) {
        files.sort_by_key(|file| file.used);
        let mut total: u64 = files.iter().map(|file| file.length).sum();
        for file in files {
            let abandoned = file.unfinished && file.used.elapsed().is_ok_and(|age| age > ABANDONED);
            if abandoned || (total > self.limit && !file.unfinished) {
                self.note("remove", &file.path, fs::remove_file(&file.path));
                total -= file.length;
            }
        }
    }

    fn files(&self) -> io::Result<Vec<Kept>> {
        let kept = |entry: fs::DirEntry| {
            let (name, path) = (entry.file_name(), entry.path());
            let unfinished = name.to_str().is_some_and(|name| name.starts_with(UNFINISHED));
            let ours = unfinished || path.extension().is_some_and(|end| end == file::EXTENSION);
            // Gone again: another server tidies up too.
            let metadata = entry.metadata().ok().filter(|metadata| ours && metadata.is_file())?;
            Some(Kept { used: metadata.modified().ok()?, length: metadata.len(), path, unfinished })
        };
        Ok(fs::read_dir(&self.folder)?.flatten().filter_map(kept).collect())
    }

    /// Counts and logs what went wrong; that a file is not there is not wrong.
    fn note<T>(&self, what: &'static str, path: &Path, result: io::Result<T>) -> Option<T> {
        result
            .inspect_err(|error| {
                if error.kind() != ErrorKind::NotFound {
                    self.metrics.cache_error(what);
                    tracing::warn!(file = %path.display(), %error, "kept proofs: {what}");
                }
            })
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::made, *};

    fn disk(folder: &Path, limit: u64) -> Disk {
        Disk::open(folder, limit, Arc::new(Metrics::new())).unwrap()
    }

    fn keep(disk: &Disk, name: u8) {
        let (job, answer) = made(name, 200);
        disk.write(&job, &answer);
        // Files are told apart by their times.
        std::thread::sleep(Duration::from_millis(20));
    }

    fn get(disk: &Disk, name: u8) -> Option<ProofAnswer> {
        disk.read(&made(name, 200).0)
    }

    /// What went wrong once, out of all that is counted.
    fn errors(disk: &Disk) -> Vec<String> {
        let text = disk.metrics.encode(crate::metrics::TextFormat::OpenMetrics);
        let counted = text.lines().filter_map(|line| line.split_once("cache_errors_total{operation=\""));
        let mut once: Vec<_> =
            counted.filter_map(|(_, rest)| Some(rest.strip_suffix("\"} 1")?.to_owned())).collect();
        once.sort();
        once
    }

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().flatten();
        names.map(|entry| entry.file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn the_folder_is_bounded_and_forgets_what_was_used_longest_ago() {
        let folder = tempfile::tempdir().unwrap();
        let (job, answer) = made(1, 200);
        let length = file::encode(&job, &answer).len() as u64;
        let disk = disk(folder.path(), 2 * length);
        keep(&disk, 1);
        keep(&disk, 2);
        assert!(get(&disk, 1).is_some());
        keep(&disk, 3);
        assert!(get(&disk, 2).is_none(), "the first was used since");
        assert_eq!((get(&disk, 1), get(&disk, 3)), (Some(made(1, 200).1), Some(made(3, 200).1)));
    }

    #[test]
    fn a_renamed_file_is_no_proof_of_its_new_name() {
        let folder = tempfile::tempdir().unwrap();
        let disk = disk(folder.path(), 1 << 20);
        keep(&disk, 1);
        let path = |name| folder.path().join(file::name(&made(name, 200).0));
        fs::rename(path(1), path(2)).unwrap();
        assert_eq!((get(&disk, 2), get(&disk, 1)), (None, None));
        assert!(names(folder.path()).is_empty(), "it is removed");
        assert_eq!(errors(&disk), ["damaged"]);
    }

    /// Proofs are answered all the same; whoever runs the server sees it in numbers.
    #[test]
    fn a_proof_that_cannot_be_kept_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let disk = disk(&folder.path().join("proofs"), 1 << 20);
        keep(&disk, 1);
        assert_eq!(errors(&disk), [""; 0]);
        fs::remove_dir_all(&disk.folder).unwrap();
        // What is in its place takes no files.
        File::create(&disk.folder).unwrap();
        keep(&disk, 2);
        assert_eq!(errors(&disk), ["list", "write"]);
    }

    /// What another server has removed meanwhile is gone as it should be.
    #[test]
    fn two_servers_tidy_one_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (disk(folder.path(), 1 << 20), disk(folder.path(), 0));
        keep(&one, 1);
        let seen = one.files().unwrap();
        other.tidy();
        assert_eq!((names(folder.path()).len(), seen.len()), (0, 1));
        let small = Disk { limit: 0, ..one };
        small.tidy_among(seen);
        assert_eq!((errors(&small), errors(&other)), (vec![], vec![]));
    }

    #[test]
    fn what_killed_servers_left_is_removed_and_others_files_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, age| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        };
        make("unfinished-old", 3600);
        make("unfinished-new", 1);
        make("notes.txt", 3600);
        let _disk = disk(folder.path(), 0);
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, ["notes.txt", "unfinished-new"]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_said_at_the_start() {
        let error = Disk::open(Path::new("/proc/nope"), 0, Arc::new(Metrics::new())).err().unwrap();
        assert!(error.to_string().contains("/proc/nope"), "{error}");
    }
}
