//! Logs: following files without losing, repeating or silently skipping a byte.
//!
//! A log is an ordered list of *generations*: one incarnation of the file each, ended by a rotation or a truncation.
//! A viewer is a [`Cursor`] into that list. There are no queues: the files are the queue.
//!
//! ```text
//!   feed         what viewers read from: the follower, the window, and the way back into the files
//!    |- window   the recent pieces, read once and shared by all
//!    |- catchup  reading on from before the window
//!    |- sieve    what a filter leaves of the pieces: whole lines that pass
//!    |- history  all of the log, from one file into the next: scrolling, jumping, searching
//!    |- start    where a viewer begins: so many lines before the end (backlog), or at its cursor
//!    '- follower the head: reads what is new
//!        |- path        what stands at the log's path, and what follows from its change
//!        |- lineage     the generations in their order, and finding those that a cursor names
//!        |   |- generation  one incarnation: its file (holder), its first bytes, how far it has been read
//!        |   |- siblings    what lies beside the file: app.log.1, app.log-20261120, app.log.2.gz
//!        |   |- archive     compressed siblings, unpacked a slice at a time
//!        |   '- patience    how long what cannot be read is waited for
//!        |- reread      reading again what the head has read, if it is still there
//!        |- lens        what the bytes mean: where they may be cut, and what is shown of them
//!        |- reading     what files are asked at offsets: bytes, size, holes
//!        '- cursor      a place in a log as a token (standing: the same within this process)
//!   pattern      which lines are shown: grep and not
//!   matches      all that an expression matches in a line, and not at any cost
//!   beneath      opening files beneath a folder, and nowhere else
//!   disk         the seam to the system: what it is asked, and how a test lets that fail
//!   catalogue    which logs there are, and what each is called
//!   spool        standard input as a log; files that rotate themselves
//!   room         a log that people write into: a line at its end
//!   demo         a log that writes itself
//!   utc          moments as people write them
//! ```
//!
//! Nothing here touches a socket, sleeps or asks the clock: instants are arguments.

pub mod archive;
mod backlog;
pub mod beneath;
pub mod catalogue;
mod catchup;
pub mod cursor;
pub mod demo;
pub mod disk;
pub mod feed;
mod follower;
mod generation;
pub mod history;
mod holder;
pub mod lens;
mod lineage;
mod matches;
mod path;
mod patience;
pub mod pattern;
mod reading;
mod reread;
pub mod room;
mod scratch;
mod siblings;
mod sieve;
pub mod spool;
mod standing;
mod start;
pub mod utc;
pub mod window;

pub use cursor::Cursor;
pub use feed::{Feed, Position, Start, Step};
pub use generation::Begins;
pub use lens::Lens;
pub use window::{GapReason, Piece, PieceKind};
