//! A log to look for things in: each line has its number and a time, one in ten an ox.

/// The lines with these numbers, a second apart from one another.
pub fn numbered(from: usize, to: usize) -> String {
    let line = |number: usize| {
        let (hours, minutes, seconds) = (number / 3600, number / 60 % 60, number % 60);
        let beast = if number.is_multiple_of(10) { "ox" } else { "dog" };
        format!("2026-11-25T{hours:02}:{minutes:02}:{seconds:02} INFO line {number} of a {beast}\n")
    };
    (from..to).map(line).collect()
}
