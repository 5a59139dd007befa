//! Whether this machine has what the settings need: files that can be read, folders and programs that are there, and the
//! rights to them.
//!
//! Looks, and makes nothing: `check` asks here, and so does `serve` before it begins, and when the settings are read again.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::mistakes::Mistakes;
use super::settings::{JobSettings, Settings};
use crate::config::file::Given;
use crate::jobs::Job;
use crate::tail::catalogue::{Catalogue, LogEntry, LogKind, LogState, Source};
use crate::tail::disk::Disk;

/// Notes what is missing.
pub(super) fn look(settings: &Settings, mistakes: &mut Mistakes) {
    for (source, given) in &settings.sources {
        look_at_file(source, given, mistakes);
    }
    if let Some((folder, given)) = &settings.job_folder
        && let Err(what) = may_hold(folder)
    {
        mistakes.lacking(given, &format!("the runs of jobs cannot be kept there: {what}"));
    }
    for job in &settings.jobs {
        look_at_job(job, mistakes);
    }
}

/// A file that was named and is there, but cannot be served, and a room that cannot be written. What is not there yet is
/// waited for.
fn look_at_file(source: &Source, given: &Given<String>, mistakes: &mut Mistakes) {
    if !source.is_one_file() {
        return;
    }
    let Ok(alone) = Catalogue::new(Disk::default(), vec![source.clone()], None, Instant::now()) else {
        return;
    };
    for entry in alone.logs().filter(|entry| entry.outright) {
        match (entry.state(), entry.kind) {
            (LogState::Refused(why), _) => mistakes.lacking(given, &format!("it cannot be served: {why}")),
            (state, LogKind::Room) => {
                if let Err(what) = is_writable(entry, &state) {
                    mistakes.lacking(given, &format!("it cannot be a room: {what}"));
                }
            }
            _ => {}
        }
    }
}

fn is_writable(entry: &LogEntry, state: &LogState) -> Result<(), String> {
    let (folder, path) = (entry.root.path(), entry.root.path().join(&entry.rel));
    match state {
        LogState::Missing => may_hold_files(folder),
        _ if may(&path, Access::WRITE_OK) => Ok(()),
        _ => Err("this program may not write it".to_owned()),
    }
}

/// Where a job runs, and the program that it is.
fn look_at_job(settings: &JobSettings, mistakes: &mut Mistakes) {
    let JobSettings { job, program, folder: given, .. } = settings;
    let folder = job.folder.as_deref().unwrap_or(Path::new("/"));
    if let Some(given) = given
        && !folder.is_dir()
    {
        // Whether the program is there may depend on it.
        return mistakes.lacking(given, "there is no such folder; make it, or name the one to run in");
    }
    if program.value.is_empty() {
        return;
    }
    if let Err(what) = can_run(job, &program.value, folder) {
        mistakes.lacking(program, &what);
    }
}

/// Whether the system would find `program`, as execvp(3) does.
fn can_run(job: &Job, program: &str, folder: &Path) -> Result<(), String> {
    let is_program = |path: &Path| path.is_file() && may(path, Access::EXEC_OK);
    let not_executable = "this file may not be run; make it executable (chmod +x), or name what runs it before it, as \
                          \"sh\"";
    if program.contains('/') {
        let path = folder.join(program);
        return match (path.is_file(), is_program(&path)) {
            (_, true) => Ok(()),
            (true, false) => Err(not_executable.to_owned()),
            (false, false) => Err(format!("there is no program {}", path.display())),
        };
    }
    let own = job.environment.iter().rev().find(|(name, _)| name == "PATH").map(|(_, path)| path.into());
    let path: OsString = own.or_else(|| env::var_os("PATH")).unwrap_or_default();
    let places: Vec<_> = env::split_paths(&path).map(|place| folder.join(place).join(program)).collect();
    match places.iter().any(|path| is_program(path)) {
        true => Ok(()),
        false if places.iter().any(|path| path.is_file()) => Err(not_executable.to_owned()),
        false => Err(format!(
            "there is no program of this name in {}; give its whole path, or PATH=... in environment",
            path.display()
        )),
    }
}

/// Whether `folder` is there, or can be made, and files in it.
fn may_hold(folder: &Path) -> Result<(), String> {
    // What is to be made begins beneath what is there.
    let there = folder.ancestors().find(|path| path.symlink_metadata().is_ok()).unwrap_or(Path::new("/"));
    may_hold_files(there)
}

fn may_hold_files(folder: &Path) -> Result<(), String> {
    match folder.symlink_metadata() {
        Err(_) => Err(format!("there is no folder {}", folder.display())),
        Ok(_) if !folder.is_dir() => Err(format!("{} is no folder", folder.display())),
        Ok(_) if may(folder, Access::WRITE_OK | Access::EXEC_OK) => Ok(()),
        Ok(_) => Err(format!("this program may not write into {}", folder.display())),
    }
}

/// Whether the system would let us.
fn may(path: &Path, access: Access) -> bool {
    accessat(CWD, path, access, AtFlags::EACCESS).is_ok()
}
