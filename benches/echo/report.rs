//! Figures of many rounds, as a table: the median of each, and its least and greatest.

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

/// The middle and the ends of some numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    /// The middle one; of an even count the mean of the middle two.
    pub(crate) median: f64,
    /// The smallest.
    pub(crate) least: f64,
    /// The greatest.
    pub(crate) most: f64,
}

impl Spread {
    /// Of at least one number.
    pub(crate) fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.collect();
        numbers.sort_by(f64::total_cmp);
        let (last, half) = (numbers.len() - 1, numbers.len() / 2);
        let median = f64::midpoint(numbers[half], numbers[last - half]);
        Self { median, least: numbers[0], most: numbers[last] }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{:.3} ({:.3}..{:.3})", self.median, self.least, self.most);
        f.pad(&text)
    }
}
