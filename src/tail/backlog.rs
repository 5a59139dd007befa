//! The last lines of a file, looked for backwards from its end.
//!
//! Does not know what is done with them; reads blocks until there are enough newlines, never the file from its start.

use std::io;

use crate::tail::disk::File;
use crate::tail::lens::Lens;
use crate::tail::reading::read_fully;

/// No more than this is looked through. A line of 64 MiB, or a hole as large as the disk, costs no more either.
pub(crate) const MOST_SCANNED: u64 = 8 * 1024 * 1024;

/// Where the last lines begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backlog {
    /// The offset of the first of them.
    pub(crate) offset: u64,
    /// How many there are, a last one without its newline included.
    pub(crate) lines: usize,
}

/// Finds where the last `lines` lines before `end` begin. Reads at most `most` bytes, in blocks.
///
/// If so much holds fewer lines, those are it; if it holds not even one beginning, it is cut inside the line, between
/// two characters.
pub(crate) fn last_lines(
    file: &File,
    lens: &Lens,
    end: u64,
    lines: usize,
    most: u64,
    block: &mut [u8],
) -> io::Result<Backlog> {
    let mut found = Backlog { offset: end, lines: 0 };
    let stop = end.saturating_sub(most);
    let mut at = end;
    while at > stop && found.lines < lines {
        let len = usize::try_from(at - stop).map_or(block.len(), |left| left.min(block.len()));
        // A newline of two bytes is not to lie in two blocks.
        let len = if (at - len as u64) % 2 == 1 && len > 1 { len - 1 } else { len };
        at -= len as u64;
        let read = read_fully(file, &mut block[..len], at)?;
        // The newline at the very end closes the last line, it does not begin another one.
        let closes = at + read as u64 == end && lens.after_last_newline(at, &block[..read]) == Some(read);
        let newlines = &block[..read - if closes { lens.newline_len() } else { 0 }];
        // To count them all is several times as fast as to go through them one by one.
        let lines_here = lens.newlines(at, newlines);
        let first = if found.lines + lines_here < lines {
            lens.after_first_newline(at, newlines)
        } else {
            lens.after_last_newlines(at, newlines, lines - found.lines)
        };
        if let Some(begin) = first {
            let lines = lines.min(found.lines + lines_here);
            found = Backlog { offset: at + begin as u64, lines };
        }
    }
    if found.lines < lines && stop == 0 && end > 0 {
        // The first line of the file has no newline before it.
        return Ok(Backlog { offset: 0, lines: found.lines + 1 });
    }
    if found.lines == 0 && lines > 0 && stop > 0 {
        return Ok(Backlog { offset: lens.border(file, stop)?, lines: 1 });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file_of(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.into()
    }

    fn last(file: &File, end: u64, lines: usize) -> Backlog {
        last_lines(file, &Lens::default(), end, lines, MOST_SCANNED, &mut [0; 4096]).unwrap()
    }

    /// Splits the text and counts.
    fn naive(bytes: &[u8], lines: usize) -> Backlog {
        let all: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
        let kept = &all[all.len().saturating_sub(lines)..];
        let len: usize = kept.iter().map(|line| line.len()).sum();
        Backlog { offset: (bytes.len() - len) as u64, lines: kept.len() }
    }

    #[test]
    fn finds_what_splitting_the_text_would_for_every_block_size() {
        let text = b"one\n\nthree\n\n\nsix six six six\nseven";
        for end in 0..=text.len() {
            let file = file_of(text);
            for lines in 0..10 {
                for size in 1..20 {
                    let (lens, mut block) = (Lens::default(), vec![0; size]);
                    let found = last_lines(&file, &lens, end as u64, lines, 1000, &mut block).unwrap();
                    assert_eq!(found, naive(&text[..end], lines), "{lines} before {end}, blocks of {size}");
                }
            }
        }
    }

    #[test]
    fn a_line_longer_than_the_bound_is_cut_between_two_characters() {
        let mut text = "\u{20ac}".repeat(4_000_000).into_bytes();
        text.insert(0, b'\n');
        let file = file_of(&text);
        let end = text.len() as u64;
        let found = last(&file, end, 10);
        assert_eq!(found.lines, 1);
        assert!((end - MOST_SCANNED - 3..=end - MOST_SCANNED).contains(&found.offset));
        let tail = &text[usize::try_from(found.offset).unwrap()..];
        assert!(std::str::from_utf8(tail).is_ok());
    }

    #[test]
    fn short_lines_after_a_line_beyond_the_bound_are_all_there_is() {
        let mut text = vec![b'x'; 9_000_000];
        text.extend_from_slice(b"\nlast\n");
        assert_eq!(last(&file_of(&text), text.len() as u64, 10), Backlog { offset: 9_000_001, lines: 1 });
    }

    #[test]
    fn a_hole_as_large_as_a_disk_costs_no_more() {
        let file = tempfile::tempfile().unwrap();
        let end = 1 << 40;
        file.set_len(end).unwrap();
        assert_eq!(last(&file.into(), end, 1000), Backlog { offset: end - MOST_SCANNED, lines: 1 });
    }
}
