//! Who comes first on a machine that does other things as well: servers and load have real-time priority (`SCHED_RR`) if
//! that is permitted, and whoever writes the log comes before those who read it.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::machine;

/// What may stand in front of a command here: `taskset` keeps it on the servers' CPU, `chrt` gives it priority.
fn words() -> &'static [&'static str] {
    static WORDS: OnceLock<Vec<&str>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let all = [&["taskset", "--cpu-list", machine::SERVERS][..], &["chrt", "--rr", "1"]];
        let (allowed, denied): (Vec<_>, Vec<_>) = all.into_iter().partition(|words| {
            let status = Command::new(words[0]).args(&words[1..]).arg("true").status();
            status.is_ok_and(|status| status.success())
        });
        for words in denied {
            eprintln!("{words:?} is not permitted here: the figures are noisier");
        }
        allowed.concat()
    })
}

/// The same command, as a server.
pub(crate) fn confined(command: &Command) -> Command {
    let mut all = words().iter().map(OsStr::new).chain([command.get_program()]).chain(command.get_args());
    let mut confined = Command::new(all.next().expect("the program at least"));
    confined.args(all).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => confined.env(name, value),
            None => confined.env_remove(name),
        };
    }
    confined
}

/// Gives this process, the load, its own CPU and the priority of the servers.
pub(crate) fn put_load_beside_servers() {
    let pid = std::process::id();
    machine::pin(pid, machine::LOAD);
    prioritize("1", &pid.to_string());
}

/// This thread comes before all others of the load.
pub(crate) fn put_this_thread_first() {
    let thread = std::fs::read_link("/proc/thread-self").expect("Linux tells who we are");
    prioritize("2", &thread.file_name().expect("a number").to_string_lossy());
}

/// A process that will use its CPU without a pause gets an ordinary priority, the highest: the kernel stops those with a
/// real-time one for 50 ms in each second that they do not sleep in (`sched_rt_runtime_us`).
pub(crate) fn let_work_without_pause(pid: u32) {
    if words().contains(&"chrt") {
        let pid = pid.to_string();
        for command in [&["chrt", "--other", "--pid", "0", &pid][..], &["renice", "-n", "-20", "-p", &pid]] {
            let done = Command::new(command[0]).args(&command[1..]).stdout(Stdio::null()).status();
            assert!(done.is_ok_and(|status| status.success()), "{command:?} is permitted to whom `chrt` is");
        }
    }
}

fn prioritize(priority: &str, thread: &str) {
    if words().contains(&"chrt") {
        let done = Command::new("chrt").args(["--rr", "--pid", priority, thread]).status();
        assert!(done.is_ok_and(|status| status.success()), "what is permitted to others is permitted to us");
    }
}
