//! The middle of some numbers, and how far they are apart.

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
