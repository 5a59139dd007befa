//! What the server is to do, once what was typed has been understood and checked by `cli`: nothing behind this sees a
//! string from the command line.

pub mod file;
mod section;
pub mod user;

use std::time::Duration;

use mio::net::TcpListener;

use crate::app::access::Access;
use crate::app::rooms;
use crate::jobs::Jobs;
use crate::tail::catalogue::Catalogue;
use crate::tail::demo::Demo;
use crate::tail::spool::StdinSpool;

/// What can be changed while the server runs.
pub struct Renewal {
    /// Who may ask.
    pub access: Access,
    /// What is served. Nothing has been looked at yet.
    pub catalogue: Catalogue,
    /// How many lines before the end a viewer gets who does not say.
    pub lines: usize,
    /// What holds for rooms.
    pub rooms: rooms::Limits,
}

/// Everything the server needs to know before it runs: sockets are bound, names are unique, limits fit the system.
pub struct Config {
    /// Bound, and listening already.
    pub listeners: Vec<TcpListener>,
    /// Connections at once.
    pub connections: usize,
    /// Of these, from one address that is not this machine's own.
    pub per_address: usize,
    /// Who may ask.
    pub access: Access,
    /// The sub-path under which everything is served: `/` or `/logs`.
    pub base: String,
    /// What is served.
    pub catalogue: Catalogue,
    /// What visitors may start.
    pub jobs: Jobs,
    /// Standard input as a log, if it was named.
    pub stdin: Option<StdinSpool>,
    /// The log that writes itself, if nothing was named.
    pub demo: Option<Demo>,
    /// How many lines before the end a viewer gets who does not say.
    pub lines: usize,
    /// What holds for rooms.
    pub rooms: rooms::Limits,
    /// How often a growing file is looked at, at the quickest.
    pub tick: Duration,
    /// Whether SIGHUP means that the settings are to be read again. Without a file of settings it ends the program, as it
    /// does when a terminal is closed.
    pub renewable: bool,
    /// Whether to be woken early by the file system where it can.
    pub inotify: bool,
    /// Whether `/ws/echo` is offered.
    pub lessons: bool,
}
