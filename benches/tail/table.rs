//! What was measured, as the table of the README has it; and rounds, in which all servers take turns.

use super::servers::Kind;
use super::spread::Spread;

/// What was asked for on the command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// How often each thing is measured.
    pub(crate) rounds: usize,
    /// With others beside wiretail.
    pub(crate) peers: bool,
}

impl Wanted {
    /// Who is measured.
    pub(crate) fn kinds(self) -> Vec<Kind> {
        if self.peers { Kind::all() } else { vec![Kind::Wiretail] }
    }

    /// Measures every one of `kinds` so many times, in an order that is turned round each time.
    pub(crate) fn rounds<const N: usize>(
        self,
        kinds: &[Kind],
        mut measure: impl FnMut(Kind) -> [f64; N],
    ) -> Vec<(Kind, Figures<N>)> {
        let mut all: Vec<(Kind, Figures<N>)> = kinds.iter().map(|&kind| (kind, Vec::new())).collect();
        for round in 0..self.rounds {
            let mut turns: Vec<_> = all.iter_mut().collect();
            if round % 2 == 1 {
                turns.reverse();
            }
            for (kind, figures) in turns {
                figures.push(measure(*kind));
            }
        }
        all
    }
}

/// What one server did, round by round.
pub(crate) type Figures<const N: usize> = Vec<[f64; N]>;

/// The middle of one of the figures, and its ends.
pub(crate) fn spread<const N: usize>(figures: &Figures<N>, which: usize) -> Spread {
    Spread::of(figures.iter().map(|figures| figures[which]))
}

/// A row of the README.
#[derive(Debug)]
pub(crate) struct Row {
    /// What is done.
    pub(crate) work: String,
    /// What is to be reached.
    pub(crate) goal: &'static str,
    /// What was reached, and by whom.
    pub(crate) reached: Vec<(Kind, String)>,
    /// The word behind `cargo bench --bench tail --`.
    pub(crate) command: &'static str,
}

/// All rows, as Markdown.
pub(crate) fn print(rows: &[Row], kinds: &[Kind]) {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    println!("\n| work | goal | {} | `cargo bench --bench tail --` |", names.join(" | "));
    println!("|---|---|{}---|", "---|".repeat(names.len()));
    for row in rows {
        let figure =
            |kind: &Kind| row.reached.iter().find(|(by, _)| by == kind).map_or("-", |(_, figure)| figure);
        let figures: Vec<&str> = kinds.iter().map(figure).collect();
        println!("| {} | {} | {} | `{}` |", row.work, row.goal, figures.join(" | "), row.command);
    }
}

/// A number with as many digits as tell something.
pub(crate) fn short(number: f64) -> String {
    match number {
        ..10.0 => format!("{number:.2}"),
        ..100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

/// The same of a spread: the middle, and the ends in brackets.
pub(crate) fn short_spread(spread: Spread) -> String {
    format!("{} ({}..{})", short(spread.median), short(spread.least), short(spread.most))
}

/// Bytes as MB.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
