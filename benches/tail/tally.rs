//! Which lines have come, by their numbers: for logs whose lines may come in another order than they were written in, as
//! when two files are written to at once.

/// The lines of one viewer.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How often each line has come.
    times: Vec<u32>,
    /// The beginning of a line whose end has not come yet.
    half: Vec<u8>,
    /// Lines that nobody wrote.
    strange: usize,
}

impl Tally {
    /// More of the log.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.half.extend_from_slice(bytes);
        while let Some(end) = self.half.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.half.drain(..=end).collect();
            let number =
                std::str::from_utf8(&line).ok().and_then(|line| line.split(' ').next()?.parse().ok());
            match number.filter(|&number| line == super::script::line(number, line.len())) {
                Some(number) => {
                    self.times.resize(self.times.len().max(number + 1), 0);
                    self.times[number] += 1;
                }
                None => self.strange += 1,
            }
        }
    }

    /// How many different lines have come.
    pub(crate) fn different(&self) -> usize {
        self.times.iter().filter(|&&times| times > 0).count()
    }

    /// How many came more than once, or were never written.
    pub(crate) fn too_many(&self) -> usize {
        let again: u32 = self.times.iter().map(|times| times.saturating_sub(1)).sum();
        again as usize + self.strange
    }
}
