//! All of a log as one: its rotated files before the one at its path.
//!
//! ```text
//!   job          what is asked for, step by step
//!    |- scroll         the lines before or behind a place
//!    |- search         all lines that a filter shows, the nearest first (finds: how many, and where)
//!    '- seek           a place that people name
//!        |- bisect     ... by the time of its line (timestamps)
//!        |- latest     ... the last 14:05 there was: before the time of the last line
//!        '- index      ... by the number of its line
//!   numbers      those of lines that were told without one (index)
//!   places, extent     where something is, and how much there is in all
//!   view               a block through the log's lens: its lines, those that a filter shows
//!   walk               from one block to the next, up or down, over the borders between files
//! ```
//!
//! Does not know who asks, nor how an answer is told.

mod bisect;
mod extent;
mod finds;
pub(crate) mod index;
pub mod job;
mod latest;
mod numbers;
mod places;
mod scroll;
mod search;
mod seek;
pub mod timestamps;
mod view;
pub(crate) mod walk;

#[cfg(test)]
mod tests;

pub use job::{Doing, Found, Hit, Job, Place, Progress, SeekTo, Summary, Task, Work};
pub use timestamps::TimeSpec;
