//! The machine: its name, and what it has to give, its memory or what control groups leave of it.

use std::{
    fs,
    path::{Component, Path},
};

/// What is assumed where the system does not say: the smallest machine the server is made for.
const UNKNOWN: u64 = 16 << 30;

/// Memory that a server may plan with, bytes: the machine's, or the smallest limit of the control groups it is in.
pub(crate) fn memory() -> u64 {
    let total = meminfo(&fs::read_to_string("/proc/meminfo").unwrap_or_default());
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limit = group_limit(Path::new("/sys/fs/cgroup"), &groups);
    total.into_iter().chain(limit).min().unwrap_or(UNKNOWN)
}

/// What the machine is called by those who have set it up.
pub(crate) fn host_name() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().into()
}

fn meminfo(text: &str) -> Option<u64> {
    let kib = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB"))?;
    kib.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

/// The smallest memory limit of the groups in `/proc/self/cgroup` and of those around them, which limit it as well:
/// systemd sets some on services and slices, containers on the group that they see as the root.
fn group_limit(mount: &Path, groups: &str) -> Option<u64> {
    let limits = groups.lines().flat_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let (folder, file) = match controllers {
            // Version 2; below `unified` where both versions are mounted.
            "" if mount.join("unified").is_dir() => ("unified", "memory.max"),
            "" => ("", "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => ("memory", "memory.limit_in_bytes"),
            _ => return Vec::new(),
        };
        let mut group = mount.join(folder);
        let mut limits = vec![fs::read_to_string(group.join(file))];
        // A group that is not in sight from here (`/../..`, or a path of the host) leaves those that are.
        for name in Path::new(path).components() {
            if let Component::Normal(name) = name {
                group.push(name);
                limits.push(fs::read_to_string(group.join(file)));
            }
        }
        limits
    });
    // `max` is no number, and no limit.
    limits.flatten().filter_map(|limit| limit.trim().parse().ok()).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(files: &[(&str, &str)]) -> tempfile::TempDir {
        let mount = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = mount.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        mount
    }

    #[test]
    fn the_smallest_limit_on_the_way_to_the_group_counts() {
        // A service of systemd in a slice with a limit of its own; no limit at the root, where there is no file.
        let v2 = mount(&[
            ("system.slice/memory.max", "3000\n"),
            ("system.slice/a.service/memory.max", "max\n"),
            ("system.slice/a.service/inner/memory.max", "4000\n"),
            ("other.slice/memory.max", "1\n"),
        ]);
        let limit = |groups| group_limit(v2.path(), groups);
        assert_eq!(limit("0::/system.slice/a.service/inner\n"), Some(3000));
        assert_eq!(limit("0::/\n"), None);
        // In a container that sees its own group as the root, and in one that sees the host's path.
        let container = mount(&[("memory.max", "2147483648\n")]);
        for groups in ["0::/\n", "0::/../..\n", "0::/kubepods/pod1/c1\n"] {
            assert_eq!(group_limit(container.path(), groups), Some(2 << 30), "{groups}");
        }
        assert_eq!(group_limit(container.path(), ""), None);
    }

    #[test]
    fn the_first_version_of_control_groups_is_read_too() {
        let v1 = mount(&[
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory/docker/memory.limit_in_bytes", "2147483648\n"),
            ("cpu/docker/memory.limit_in_bytes", "1\n"),
        ]);
        let groups = "12:cpu,cpuacct:/docker\n5:memory:/docker\n1:name=systemd:/docker\n0::/docker\n";
        assert_eq!(group_limit(v1.path(), groups), Some(2 << 30));
        // Both at once: version 2 lies beside the controllers of version 1.
        let hybrid = mount(&[("unified/a/memory.max", "7000\n"), ("memory/memory.limit_in_bytes", "8000\n")]);
        assert_eq!(group_limit(hybrid.path(), "5:memory:/a\n0::/a\n"), Some(7000));
    }

    #[test]
    fn this_machine_has_memory() {
        assert!(memory() > 1 << 28);
        assert_eq!(meminfo("MemTotal:       24689000 kB\nMemFree: 1 kB\n"), Some(24689000 << 10));
        assert_eq!(meminfo(""), None);
    }
}
