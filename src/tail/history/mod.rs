//! All of a log as one: its rotated files before the one at its path.
//!
//! Does not know who asks, nor how an answer is told.

pub(crate) mod walk;
