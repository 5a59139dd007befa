//! Two streams of a process in one text: what comes from standard error is marked at the beginning of each line.
//!
//! A line that one stream has not ended is ended for it when the other one has something to say: no line is of both. Knows
//! no files and no processes.

/// Where bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Output,
    Error,
}

/// What each line from standard error begins with.
pub(super) const MARK: &[u8] = b"E| ";

/// Puts streams together.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Whose line has not been ended yet.
    open: Option<Stream>,
}

impl Lines {
    /// `bytes` have come from `stream`; adds them to `text`.
    pub(super) fn add(&mut self, stream: Stream, bytes: &[u8], text: &mut Vec<u8>) {
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            if self.open.is_some_and(|open| open != stream) {
                text.push(b'\n');
                self.open = None;
            }
            if self.open.is_none() && stream == Stream::Error {
                text.extend_from_slice(MARK);
            }
            text.extend_from_slice(line);
            self.open = (line.last() != Some(&b'\n')).then_some(stream);
        }
    }

    /// Nothing comes any more: ends the last line.
    pub(super) fn end(&mut self, text: &mut Vec<u8>) {
        if self.open.take().is_some() {
            text.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Stream::{Error, Output};
    use super::*;

    fn together(pieces: &[(Stream, &str)]) -> String {
        let (mut lines, mut text) = (Lines::default(), Vec::new());
        for (stream, piece) in pieces {
            lines.add(*stream, piece.as_bytes(), &mut text);
        }
        lines.end(&mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn lines_of_standard_error_are_marked_and_no_line_is_of_both() {
        assert_eq!(
            together(&[(Output, "one\ntwo\n"), (Error, "bad\nworse\n")]),
            "one\ntwo\nE| bad\nE| worse\n"
        );
        assert_eq!(
            together(&[(Output, "half"), (Error, "bad\n"), (Output, " a line\n")]),
            "half\nE| bad\n a line\n"
        );
        assert_eq!(together(&[(Error, "half"), (Output, "x"), (Error, "\n")]), "E| half\nx\nE| \n");
        assert_eq!(together(&[(Output, "no end")]), "no end\n");
        assert_eq!(together(&[]), "");
    }

    #[test]
    fn how_a_stream_is_cut_makes_no_difference() {
        let whole = "a\n\nbc\nd";
        let expected = "E| a\nE| \nE| bc\nE| d\n";
        for first in 0..=whole.len() {
            for second in first..=whole.len() {
                let pieces =
                    [&whole[..first], &whole[first..second], &whole[second..]].map(|piece| (Error, piece));
                assert_eq!(together(&pieces), expected, "{first}, {second}");
            }
        }
    }
}
