//! (filled by the steps that follow)

pub mod beneath;
pub mod catalogue;
pub mod chatter;
pub mod demo;
mod entry;
mod folder;
mod names;
mod scan;
pub mod siblings;
pub mod source;
pub mod spool;
mod stat;
pub mod utc;
mod watch;
