//! Figures of many rounds, as a table: the median of each, and its least and greatest.

use super::spread::Spread;

/// What one server did in one round of one case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    /// How often in a second it was done: messages echoed, connections opened.
    pub(crate) per_second: f64,
    /// The server's CPU time for it each time, in nanoseconds.
    pub(crate) nanos: f64,
}

/// The cells of one server, one per round.
pub(crate) struct Column {
    /// The server.
    pub(crate) name: String,
    /// In the order of the rounds.
    pub(crate) cells: Vec<Cell>,
}

/// Prints a case: the first server is ours, and the others are told in relation to it, round by round.
pub(crate) fn print_case(name: &str, columns: &[Column]) {
    println!("\n{name}");
    println!(
        "  {:<24} {:>10} {:>26}   {:>9} {:>16}   {:>26}",
        "server", "per second", "ours in relation", "CPU each", "(least..most)", "its CPU time / ours"
    );
    let Some(ours) = columns.first() else { return };
    for column in columns {
        let speed = Spread::of(column.cells.iter().map(|cell| cell.per_second));
        let cpu = Spread::of(column.cells.iter().map(|cell| cell.nanos));
        let pairs = || column.cells.iter().zip(&ours.cells);
        let faster = Spread::of(pairs().map(|(theirs, ours)| ours.per_second / theirs.per_second));
        let cheaper = Spread::of(pairs().map(|(theirs, ours)| theirs.nanos / ours.nanos));
        println!(
            "  {:<24} {:>10.0} {:>26}   {:>6.2} us {:>16}   {:>26}",
            column.name,
            speed.median,
            faster.to_string(),
            cpu.median / 1000.0,
            format!("({:.2}..{:.2})", cpu.least / 1000.0, cpu.most / 1000.0),
            cheaper.to_string(),
        );
    }
}
