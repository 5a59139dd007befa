//! What Linux tells about a process in `/proc`.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// The files that process `pid` holds open, as their paths are now (` (deleted)` behind those that have none).
pub fn open_files(pid: u32) -> Vec<PathBuf> {
    let folder = fs::read_dir(format!("/proc/{pid}/fd")).expect("the process runs");
    // A descriptor may be closed between the listing and the look.
    folder.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()).collect()
}

/// How many sockets process `pid` holds open.
pub fn open_sockets(pid: u32) -> usize {
    open_files(pid).iter().filter(|path| path.to_string_lossy().starts_with("socket:")).count()
}

/// The memory of process `pid` that is in use, in bytes.
pub fn rss_bytes(pid: u32) -> u64 {
    status(pid, "VmRSS:")
}

/// The most memory that process `pid` has ever had in use, in bytes.
pub fn peak_rss_bytes(pid: u32) -> u64 {
    status(pid, "VmHWM:")
}

/// A line of `/proc/PID/status` in bytes.
fn status(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("status has the line");
    let kib = line.trim().strip_suffix(" kB").expect("memory is counted in kB");
    kib.trim().parse::<u64>().expect("a number") * 1024
}

/// The time that process `pid` has spent computing, for itself and in the kernel; in steps of 10 ms.
pub fn cpu_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    // The second field is the program's name in brackets and may itself hold spaces and brackets. Counted from the
    // third on, `utime` and `stime` (the 14th and 15th in proc(5)) are numbers 11 and 12, in ticks of 1/100 s.
    let (_, fields) = stat.rsplit_once(')').expect("the name is in brackets");
    let ticks: u64 = fields
        .split_ascii_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().expect("ticks"))
        .sum();
    Duration::from_millis(ticks * 10)
}
