//! What an import will take, told before it starts, so that it fails with a sentence and not with a full disk.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nix::sys::statvfs::statvfs;

use super::error::ImportError;

/// What the import of an extract takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// All files of the area together.
    pub disk_bytes: u64,
    /// At the import's peak.
    pub memory_bytes: u64,
    /// On two threads of a machine of 2026.
    pub seconds: f64,
}

// Measured on Neubrandenburg (1.3 MB), the Isle of Man (2.1 MB), Malta (6.0 MB) and a made-up city of a million
// junctions (17.9 MB): 32, 36, 111 and 868 MB of memory, 1.4, 2.1, 5.3 and 98 MB of disk, and 1, 2, 3 and 50 seconds of a
// core. The lines lie above all of them: the city's streets and house numbers are packed more densely than real ones, and
// its searches have more landmarks.
const MEMORY_BYTES: u64 = 50_000_000;
const MEMORY_PER_BYTE: u64 = 50;
const DISK_BYTES: u64 = 2_000_000;
const DISK_PER_BYTE: u64 = 6;
const SECONDS: f64 = 0.5;
const SECONDS_PER_BYTE: f64 = 2.8e-6;

/// What importing `extract` will take, by its size.
///
/// # Errors
/// [`ImportError::Unreadable`].
pub fn estimate(extract: &Path) -> Result<Estimate, ImportError> {
    let bytes = fs::metadata(extract).map_err(|error| ImportError::unreadable(extract, error))?.len();
    Ok(of_size(bytes))
}

fn of_size(bytes: u64) -> Estimate {
    Estimate {
        disk_bytes: DISK_BYTES + DISK_PER_BYTE * bytes,
        memory_bytes: MEMORY_BYTES + MEMORY_PER_BYTE * bytes,
        seconds: SECONDS + SECONDS_PER_BYTE * bytes as f64,
    }
}

/// Refuses an import for which there is no room.
///
/// # Errors
/// [`ImportError::Disk`], [`ImportError::Memory`], [`ImportError::Unreadable`].
pub(super) fn check(extract: &Path, into: &Path) -> Result<(), ImportError> {
    let need = estimate(extract)?;
    let disk = statvfs(into).map_err(|error| ImportError::unwritable(into, error.into()))?;
    let have = Room {
        disk_bytes: disk.blocks_available() as u64 * disk.fragment_size() as u64,
        memory_bytes: free_memory_bytes(),
    };
    have.is_enough(&need, into)
}

/// What is free.
struct Room {
    disk_bytes: u64,
    /// `None` where the system does not tell.
    memory_bytes: Option<u64>,
}

impl Room {
    fn is_enough(&self, need: &Estimate, folder: &Path) -> Result<(), ImportError> {
        if self.disk_bytes < need.disk_bytes {
            let (need_bytes, have_bytes) = (need.disk_bytes, self.disk_bytes);
            return Err(ImportError::Disk { folder: folder.to_owned(), need_bytes, have_bytes });
        }
        match self.memory_bytes {
            Some(have_bytes) if have_bytes < need.memory_bytes => {
                Err(ImportError::Memory { need_bytes: need.memory_bytes, have_bytes })
            }
            _ => Ok(()),
        }
    }
}

/// The least of what the machine has and what each control group around this process may still take.
fn free_memory_bytes() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available_bytes(&text));
    let groups = fs::read_to_string("/proc/self/cgroup").map(|text| groups(&text)).unwrap_or_default();
    groups.iter().filter_map(|group| group_bytes(group)).chain(machine).min()
}

fn available_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The folders of this process' control group and of all around it, of the second version of control groups.
fn groups(cgroup: &str) -> Vec<PathBuf> {
    let Some(own) = cgroup.lines().find_map(|line| line.strip_prefix("0::/")) else { return Vec::new() };
    let root = Path::new("/sys/fs/cgroup");
    root.join(own).ancestors().take_while(|folder| folder.starts_with(root)).map(Path::to_owned).collect()
}

/// `None` when the group has no limit.
fn group_bytes(folder: &Path) -> Option<u64> {
    let number = |file: &str| fs::read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok();
    let (limit, used) = (number("memory.max")?, number("memory.current")?);
    let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    // Files that were read count as used and give way at once.
    let cached = stat.lines().find_map(|line| line.strip_prefix("inactive_file ")).and_then(|text| text.parse().ok());
    Some(limit.saturating_sub(used.saturating_sub(cached.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEED: Estimate = Estimate { disk_bytes: 30_000_001, memory_bytes: 500_000_000, seconds: 1.0 };

    #[test]
    fn too_little_room_is_refused_with_what_is_needed_and_what_is_there() {
        let check = |disk_bytes, memory_bytes| {
            Room { disk_bytes, memory_bytes }.is_enough(&NEED, Path::new("data")).map_err(|error| error.to_string())
        };
        assert_eq!(check(30_000_001, Some(500_000_000)), Ok(()));
        assert_eq!(check(u64::MAX, None), Ok(()));
        let disk = "the import needs 31 MB of free disk space in data, which has 30 MB";
        assert_eq!(check(30_000_000, None), Err(disk.to_owned()));
        let memory = "the import needs 500 MB of memory, of which 499 MB are free";
        assert_eq!(check(u64::MAX, Some(499_999_999)), Err(memory.to_owned()));
    }

    #[test]
    fn what_is_free_is_read_as_linux_writes_it() {
        let text = "MemTotal:       24682764 kB\nMemFree:         1234 kB\nMemAvailable:   23912120 kB\n";
        assert_eq!(available_bytes(text), Some(23_912_120 * 1024));
        assert_eq!(available_bytes("MemTotal: 3 kB"), None);
        let groups: Vec<String> =
            groups("1:name=x:/y\n0::/a.slice/b\n").iter().map(|path| path.display().to_string()).collect();
        assert_eq!(groups, ["/sys/fs/cgroup/a.slice/b", "/sys/fs/cgroup/a.slice", "/sys/fs/cgroup"]);
    }

    #[test]
    fn the_larger_the_extract_the_more_it_takes() {
        let (small, large) = (of_size(1_000_000), of_size(20_000_000));
        assert!(small.disk_bytes < large.disk_bytes && small.memory_bytes < large.memory_bytes);
        assert!(small.seconds < 5.0 && large.seconds < 90.0 && large.memory_bytes < 2_000_000_000);
        let city = of_size(17_897_630);
        assert!(city.memory_bytes > 868_000_000 && city.disk_bytes > 98_200_000 && city.seconds > 50.0, "{city:?}");
    }
}
