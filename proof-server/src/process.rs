//! Facts about processes, read from `/proc`; where the system has none, everything is 0 or empty.

use std::{collections::BTreeSet, fs, path::PathBuf};

/// Where POSIX shared memory lives. SP1's executor leaves its files there when it is killed.
const SHARED_MEMORY: &str = "/dev/shm/";

/// Resident memory of a process and of its direct children, bytes.
pub(crate) fn resident_memory(pid: u32) -> u64 {
    let own = status_field(&status(pid), "VmRSS:");
    let begun = children(pid).into_iter().filter(|child| is_itself(*child, pid));
    // Children share mappings with their parent: only what is theirs alone counts.
    own + begun.map(|child| status_field(&status(child), "RssAnon:")).sum::<u64>()
}

/// Whether a child runs what it was started for. Between `fork` and `exec` all that its parent has looks like its own, which
/// for a prover is more than there is. Asked before its memory: what runs something else stays so.
fn is_itself(child: u32, parent: u32) -> bool {
    let command = |pid: u32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    command(child) != command(parent)
}

/// Processor time that a process and its direct children have used, in hundredths of a second.
pub(crate) fn processor_time(pid: u32) -> u64 {
    let used = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name may contain anything; fields are counted after its closing bracket.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let field = |number: usize| fields.split_whitespace().nth(number).and_then(|v| v.parse::<u64>().ok());
        // Fields 14 to 17 of proc(5): own time, and that of children that have ended.
        (11..15).filter_map(field).sum::<u64>()
    };
    used(pid) + children(pid).into_iter().map(used).sum::<u64>()
}

/// Settings of the allocators of a process that proves, which may plan with `memory` bytes. What the operator has set
/// stays. gnark's, which is Go's, would otherwise let garbage pile up to as much again as it needs.
#[cfg(feature = "prover")]
pub(crate) fn memory_settings(command: &mut std::process::Command, memory: u64) {
    let go_limit = (memory / 10 * 7).to_string();
    for (name, value) in sextant_engine::ALLOCATOR_ENVIRONMENT.into_iter().chain([("GOMEMLIMIT", &*go_limit)])
    {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
}

/// Peak resident memory of this process, bytes.
#[cfg(feature = "prover")]
pub(crate) fn own_peak_memory() -> u64 {
    status_field(&fs::read_to_string("/proc/self/status").unwrap_or_default(), "VmHWM:")
}

/// Shared-memory files of SP1's executor that a process has mapped.
pub(crate) fn shared_memory(pid: u32) -> BTreeSet<PathBuf> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    maps.lines().filter_map(shared_memory_path).collect()
}

fn shared_memory_path(mapping: &str) -> Option<PathBuf> {
    let path = &mapping[mapping.find(SHARED_MEMORY)?..];
    let name = path.strip_prefix(SHARED_MEMORY)?;
    let ours = name.starts_with("sp1_") || name.starts_with("sem.sp1_");
    (ours && !name.contains('/') && !name.ends_with(" (deleted)")).then(|| PathBuf::from(path))
}

/// Removes what a killed process left behind; a file that is gone already is no error.
pub(crate) fn remove_files(files: &BTreeSet<PathBuf>) {
    for file in files {
        if let Err(error) = fs::remove_file(file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(file = %file.display(), %error, "shared memory of a dead worker stays");
        }
    }
}

fn status(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default()
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|pids| pids.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// A field of a `/proc` file that is given in kB, in bytes; 0 if it is not there.
fn status_field(status: &str, field: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .and_then(|value| value.trim().strip_suffix("kB"))
        .and_then(|kib| kib.trim().parse::<u64>().ok())
        .map_or(0, |kib| kib << 10)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn fields_are_read_in_bytes() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nThreads:\t4\n";
        assert_eq!(status_field(status, "VmHWM:"), 2 << 20);
        assert_eq!(status_field(status, "Threads:"), 0);
        assert_eq!(status_field(status, "VmRSS:"), 0);
    }

    #[test]
    fn this_process_has_memory() {
        assert!(resident_memory(std::process::id()) > 1 << 20);
        #[cfg(feature = "prover")]
        assert!(own_peak_memory() >= 1 << 20);
        let before = processor_time(std::process::id());
        let until = std::time::Instant::now() + std::time::Duration::from_millis(100);
        while std::time::Instant::now() < until {
            std::hint::spin_loop();
        }
        assert!(processor_time(std::process::id()) > before);
    }

    /// What a child has of its own counts, and not what it has of its parent before it runs anything.
    #[test]
    fn what_a_child_holds_counts_once_it_runs_something() {
        const HELD: u64 = 40 << 20;
        let hold = format!(r#"x=$(head -c {HELD} /dev/zero | tr "\0" x)"#);
        // A shell's subshell is its copy, as a child is that has not come to `exec`.
        let copied = format!("{hold}; (echo; sleep 10; :) & read end; kill $!");
        let own = format!("sh -c '{hold}; echo; sleep 10; :' & read end; kill $!");
        for (script, counts) in [(copied, false), (own, true)] {
            let mut shell = std::process::Command::new("sh")
                .args(["-c", &script])
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            let mut said = [0];
            shell.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
            let (all, alone) = (resident_memory(shell.id()), status_field(&status(shell.id()), "VmRSS:"));
            // The end of its input is what it waits for.
            drop(shell.stdin.take());
            shell.wait().unwrap();
            assert_eq!(all - alone > HELD / 2, counts, "{script}: {all} bytes, {alone} of them its own");
        }
    }

    #[test]
    fn only_the_executors_shared_memory_is_taken() {
        let take = |line: &str| shared_memory_path(line).map(|path| path.display().to_string());
        let mapping = "7f00-7f01 rw-s 00000000 00:19 5    ";
        assert_eq!(take(&format!("{mapping}/dev/shm/sp1_a1_t")), Some("/dev/shm/sp1_a1_t".into()));
        assert_eq!(take(&format!("{mapping}/dev/shm/sem.sp1_a1")), Some("/dev/shm/sem.sp1_a1".into()));
        for other in
            ["/dev/shm/postgres", "/dev/shm/sp1_a1 (deleted)", "/dev/shm/sp1_x/../../etc", "/lib/libc.so"]
        {
            assert_eq!(take(&format!("{mapping}{other}")), None);
        }
    }
}
