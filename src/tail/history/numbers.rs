//! The numbers of lines that were told without one: what nobody waits for.
//!
//! To know a line's number, all lines before it in its file have to be counted, which for gigabytes takes longer than a
//! search. So whoever was told of a line has its number later, file by file, the youngest first.
//!
//! Does not know how lines are counted, nor who asks.

use crate::tail::history::index::Counted;
use crate::tail::history::job::{Bench, Found, Summary, Work};
use crate::tail::standing::GenerationId;

/// A line that was told without its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unnumbered {
    /// Its file.
    pub(crate) id: GenerationId,
    /// A place in it.
    pub(crate) offset: u64,
    /// The how manieth it was of all that were told, from 0.
    pub(crate) which: usize,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Numbers {
    // Sorted. Those of the last file are next, and of these the first.
    owed: Vec<Unnumbered>,
}

impl Numbers {
    /// Of these lines.
    pub(crate) fn of(mut owed: Vec<Unnumbered>) -> Self {
        owed.sort_unstable();
        Self { owed }
    }

    /// Counts one block, or tells the numbers of the lines in one.
    pub(crate) fn step(&mut self, bench: &mut Bench<'_>) -> Work {
        let Some(&Unnumbered { id, .. }) = self.owed.last() else {
            return Work::Done(Summary::default());
        };
        let from = self.owed.partition_point(|line| line.id < id);
        let of_file = &self.owed[from..];
        if !bench.indexes.covers(id, of_file[0].offset) {
            match bench.count_on(id) {
                Counted::More => return Work::Again,
                Counted::Later => return Work::Later,
                Counted::All if bench.indexes.covers(id, of_file[0].offset) => {}
                // There is less of it now, or nothing.
                Counted::All => {
                    self.owed.truncate(from);
                    return Work::Again;
                }
            }
        }
        let covered = |line: &&Unnumbered| bench.indexes.covers(id, line.offset);
        let offsets: Vec<u64> = of_file.iter().take_while(covered).map(|line| line.offset).collect();
        let Some(lines) = bench.lines_at(id, &offsets) else {
            self.owed.truncate(from);
            return Work::Again;
        };
        let told = self.owed.drain(from..from + lines.len());
        Work::Found(Found::Numbers(told.zip(lines).map(|(told, line)| (told.which, line)).collect()))
    }
}
