//! What one viewer of a [`Log`] received, put together by cursor, and whether that is what it should have.

use std::collections::BTreeMap;

use wiretail::tail::cursor::{ENOUGH, Place};
use wiretail::tail::{Cursor, PieceKind};

use super::{Fate, Log};

/// What one viewer received, put together by cursor.
#[derive(Debug, Default)]
pub(crate) struct Record {
    cursor: Option<Cursor>,
    // Where the viewer began, or began again after a gap of unknown size.
    begun: BTreeMap<usize, u64>,
    first: usize,
    // Standing before the first byte of a generation, all of it and of later ones is to be had. Which one it is of
    // those that were in this inode, its place does not say; the first bytes will.
    vague: Option<u64>,
    spans: BTreeMap<usize, Vec<Span>>,
    // How much it had of a generation when that was copied and cut.
    had_when_copied: BTreeMap<usize, u64>,
    // Gaps before anything was read of a generation: its inode, and how far they go.
    unread: Vec<(u64, u64)>,
    // Bytes of generations that were too old to stand in the cursor.
    left_out: u64,
    truncations: usize,
    excused: usize,
    // Handles may have gone stale: what was written to a file before it lost its name or was cut, and after somebody looked,
    // is then out of reach.
    handles_lost: bool,
    // It has just begun, on a disk that may fail: then it may have been given fewer lines than it asked for, and is told so first.
    may_lack_lines: bool,
}

#[derive(Debug)]
struct Span {
    from: u64,
    to: u64,
    /// The file was not that at the path any more when this came: then half a character at its end is told as it is.
    over: bool,
    /// None for a gap.
    text: Option<Vec<u8>>,
}

impl Record {
    /// The viewer begins here.
    pub(crate) fn begin(&mut self, log: &Log, cursor: Cursor) {
        let known = cursor.places().iter().filter_map(|place| Some((log.named(place)?, place.offset)));
        self.begun = known.collect();
        let newest = cursor.places().last().copied().unwrap();
        let in_file = || log.in_file(newest.inode);
        // Before there was a file (inode 0), everything is to be had that comes.
        let to_come = log.current.unwrap_or(log.generations.len());
        self.first = log.named(&newest).or_else(in_file).unwrap_or(to_come);
        self.vague = (newest.offset == 0).then_some(newest.inode);
        self.cursor = Some(cursor);
    }

    /// The viewer returns: with this cursor.
    pub(crate) fn come_back(&mut self) -> Cursor {
        let cursor = self.cursor.clone().expect("it has begun");
        let newest = cursor.places().last().unwrap();
        self.vague = self.vague.or((newest.offset == 0).then_some(newest.inode));
        cursor
    }

    /// To be told before a [`Operation::CopyTruncate`]: a copy can only be recognised by what was read of the file.
    pub(crate) fn before_copy(&mut self, log: &Log) {
        if let Some(current) = log.current {
            self.had_when_copied.insert(current, self.end(current));
        }
    }

    /// Handles may go stale from now on.
    pub(crate) fn before_handles_are_lost(&mut self) {
        self.handles_lost = true;
    }

    /// The disk may have failed when it began.
    pub(crate) fn after_faults(&mut self) {
        self.may_lack_lines = true;
    }

    fn end(&self, generation: usize) -> u64 {
        let last = self.spans.get(&generation).and_then(|spans| spans.last());
        last.map_or(self.begun.get(&generation).copied().unwrap_or(0), |span| span.to)
    }

    /// A piece has arrived.
    pub(crate) fn receive(&mut self, log: &Log, piece: &PieceKind) -> Result<(), String> {
        let may_lack_lines = std::mem::take(&mut self.may_lack_lines);
        match piece {
            PieceKind::Gap { from, to, bytes: None, .. } if from == to && may_lack_lines => {}
            // A cursor has room for so many places only: what is older is read on, but left out of it.
            PieceKind::Lines { from, to, bytes, .. }
                if from == to && from.places().len() == Cursor::MOST_PLACES =>
            {
                self.left_out += bytes;
            }
            PieceKind::Lines { from, to, text, bytes } => {
                let place = moved(from, to)?;
                let generation = log.named(&place).ok_or("lines of a generation that never was")?;
                self.add(log, generation, place.offset, *bytes, Some(text.to_vec()))?;
                self.cursor = Some(to.clone());
            }
            PieceKind::Gap { from, to, bytes: Some(bytes), .. } => {
                let place = moved(from, to)?;
                // Two generations may stand at the same offset of one file, and look alike if nothing is before it: it
                // is the one that has moved on.
                let count = |p: &Place, cursor: &Cursor| cursor.places().iter().filter(|q| *q == p).count();
                let moved_on = |p: &&Place| count(p, from) > count(p, to);
                // It may go on in a copy or an archive, which has a number of its own.
                let is_copy = log.generations.iter().all(|written| written.inode != place.inode);
                let starts =
                    |p: &&Place| (p.inode == place.inode || is_copy) && p.offset + bytes == place.offset;
                let before = from.places().iter().filter(moved_on).find(starts);
                let before = before.ok_or("a gap whose size is not the way between its ends")?;
                self.cursor = Some(to.clone());
                match log.named(before).or_else(|| self.in_gap(before.offset)) {
                    Some(generation)
                        if matches!(log.generations[generation].fate, Fate::Kept | Fate::Packed) =>
                    {
                        return Err(format!("a gap of {bytes} in generation {generation}, which exists"));
                    }
                    Some(generation) => self.add(log, generation, place.offset, *bytes, None)?,
                    None => self.add_unread(log, before, place.offset)?,
                }
            }
            // It begins with fewer lines than it asked for. From there on nothing is missing.
            PieceKind::Gap { from, to, bytes: None, .. } if from == to && self.spans.is_empty() => {}
            PieceKind::Gap { from, to, bytes: None, .. } => {
                self.check_unknown_gap(log, from)?;
                self.begin(log, to.clone());
                // Of all that came before the file that is there now, anything may be missing.
                self.excused = log.current.unwrap_or(log.generations.len());
            }
            PieceKind::Rotated { at } => self.cursor = Some(at.clone()),
            PieceKind::Truncated { at } => {
                self.truncations += 1;
                self.cursor = Some(at.clone());
            }
            PieceKind::Missing { .. } | PieceKind::Back => {}
        }
        Ok(())
    }

    /// The generation whose last bytes up to here were missing. What they were, no place can say.
    fn in_gap(&self, offset: u64) -> Option<usize> {
        let ends_here = |span: &Span| span.to == offset && span.text.is_none();
        self.spans
            .iter()
            .find(|(_, spans)| spans.last().is_some_and(ends_here))
            .map(|(&generation, _)| generation)
    }

    /// A gap in a generation of which not a byte was read. Several may have been in that inode, and its place does not
    /// say which it is; what comes after the gap will, if anything does.
    fn add_unread(&mut self, log: &Log, before: &Place, to: u64) -> Result<(), String> {
        let is_copy = log.generations.iter().all(|written| written.inode != before.inode);
        let lost = log.generations.iter().any(|written| {
            // If nothing was read of it before the handle was lost, nobody can tell which archive it is in.
            let exists = written.fate == Fate::Kept || written.fate == Fate::Packed && !self.handles_lost;
            // The copy may have been removed. Or compressed: then it is in yet another file, and with less than 64 bytes
            // nobody can tell that it is it.
            let copy = is_copy && (written.fate != Fate::Copied || written.bytes.len() < 64);
            let gone = !exists && written.bytes.len() as u64 >= to;
            gone && (written.inode == before.inode || copy)
        });
        let begun = self.unread.iter_mut().find(|gap| **gap == (before.inode, before.offset));
        match begun {
            Some(gap) => gap.1 = to,
            None if lost && before.offset == 0 => self.unread.push((before.inode, to)),
            None => return Err("a gap in a generation that never was".into()),
        }
        Ok(())
    }

    /// "Something is missing, and nobody knows how much": only where the viewer stood in something that is gone, or
    /// in what was copied when too little of it had been read to recognise the copy.
    fn check_unknown_gap(&self, log: &Log, from: &Cursor) -> Result<(), String> {
        let excused = from.places().iter().any(|place| match log.named(place) {
            None => true,
            Some(generation) => match log.generations[generation].fate {
                Fate::Kept => false,
                Fate::Copied | Fate::Packed => place.offset < ENOUGH as u64,
                Fate::Cut | Fate::Deleted => true,
            },
        });
        if excused { Ok(()) } else { Err("an unknown gap, though everything exists".into()) }
    }

    fn add(
        &mut self,
        log: &Log,
        generation: usize,
        to: u64,
        bytes: u64,
        text: Option<Vec<u8>>,
    ) -> Result<(), String> {
        let from = to - bytes;
        let unread = |(inode, to): &(u64, u64)| *to == from && log.was_in(generation, *inode);
        if let Some(gap) = self.unread.iter().position(unread)
            && !self.spans.contains_key(&generation)
            && !self.begun.contains_key(&generation)
        {
            self.unread.remove(gap);
            self.spans.insert(generation, vec![Span { from: 0, to: from, over: true, text: None }]);
        }
        if self.vague == Some(log.generations[generation].inode) && from == 0 {
            self.first = self.first.min(generation);
        }
        // A place before the first byte names no more than an inode. If something else is in there when the viewer
        // returns, it is taken for that.
        let from_start = generation > self.first || (generation == self.first && self.vague.is_some());
        let mistaken = self.vague.is_some() && log.generations[generation].fate != Fate::Kept
            || generation < self.mistaken(log);
        let expected = match self.spans.get(&generation).and_then(|spans| spans.last()) {
            Some(span) => Some(span.to),
            // Of one that was older when the viewer came, only late lines arrive, from wherever they begin.
            None if from_start && !mistaken => Some(self.begun.get(&generation).copied().unwrap_or(0)),
            None => self.begun.get(&generation).copied(),
        };
        let skipped = |expected| from > expected + self.left_out && generation >= self.excused;
        if expected.is_some_and(|expected| from < expected || skipped(expected)) {
            return Err(format!("generation {generation} goes on at {from} instead of {expected:?}"));
        }
        if to > log.generations[generation].bytes.len() as u64 {
            return Err(format!("generation {generation} has no offset {to}"));
        }
        let over = log.current != Some(generation);
        self.spans.entry(generation).or_default().push(Span { from, to, over, text });
        Ok(())
    }

    /// Standing before the first byte of what is gone, a viewer is taken to stand in what else is in that inode now, and
    /// then nothing is missed of what lies between.
    fn mistaken(&self, log: &Log) -> usize {
        let gone = log.generations.get(self.first).is_some_and(|written| written.fate != Fate::Kept);
        self.vague.filter(|_| gone).and_then(|inode| log.in_file(inode)).unwrap_or(0)
    }

    /// After everything has been read: is all there that was written, and nothing else?
    pub(crate) fn check(&self, log: &Log) -> Result<(), String> {
        for (&generation, spans) in &self.spans {
            let written = &log.generations[generation].bytes;
            // What came late behind half a character begins another one.
            let half = |span: &Span| {
                span.over && ends_in_a_character(&written[span.from as usize..span.to as usize])
            };
            let goes_on =
                |a: &Span, b: &Span| a.text.is_some() && b.text.is_some() && a.to == b.from && !half(a);
            for run in spans.chunk_by(goes_on) {
                let text: Vec<u8> =
                    run.iter().filter_map(|span| span.text.as_deref()).flatten().copied().collect();
                let (from, to) = (run[0].from as usize, run[run.len() - 1].to as usize);
                if run[0].text.is_some() && text != String::from_utf8_lossy(&written[from..to]).as_bytes() {
                    return Err(format!("generation {generation} from {from} to {to} reads differently"));
                }
            }
        }
        for generation in self.first.max(self.excused).max(self.mistaken(log))..log.generations.len() {
            self.check_whole(log, generation)?;
        }
        Ok(())
    }

    fn check_whole(&self, log: &Log, generation: usize) -> Result<(), String> {
        let (written, had) = (&log.generations[generation], self.end(generation));
        let rest = &written.bytes[had as usize..];
        // The last character may be unfinished, as long as more can come.
        let unfinished = std::str::from_utf8(rest).is_err_and(|error| error.error_len().is_none());
        if rest.len() as u64 <= self.left_out
            || (unfinished && rest.len() <= 3 && log.current == Some(generation))
        {
            return Ok(());
        }
        let excused = match written.fate {
            Fate::Kept => false,
            // If the handle was lost before anything was seen in it, nobody can tell which archive it is in.
            Fate::Packed => had == 0 && self.handles_lost && !written.was_seen,
            // What came and went before anybody looked was never seen. What was seen is delivered, or counted, to
            // its last byte, unless it was cut: of what was written between the last look and the cut, nobody knows.
            // The mark says so.
            Fate::Deleted => had == 0 || self.handles_lost,
            Fate::Cut => had == 0 || self.truncations > 0 || self.handles_lost,
            Fate::Copied => self.had_when_copied.get(&generation).is_none_or(|&had| had < ENOUGH as u64),
        };
        if excused {
            return Ok(());
        }
        let (len, fate) = (written.bytes.len(), written.fate);
        Err(format!("generation {generation} ({fate:?}, {len} bytes) was read to {had} only"))
    }
}

/// Whether the last character has begun, and is not all there.
fn ends_in_a_character(bytes: &[u8]) -> bool {
    let begun = |len: usize| {
        let tail = std::str::from_utf8(&bytes[bytes.len() - len..]);
        tail.is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=bytes.len().min(3)).any(begun)
}

/// The one place that lies further on in `to` than in `from`.
fn moved(from: &Cursor, to: &Cursor) -> Result<Place, String> {
    let moved: Vec<&Place> = to.places().iter().filter(|place| !from.places().contains(place)).collect();
    match moved[..] {
        [place] => Ok(*place),
        _ => Err(format!("from {from} to {to} is not a step in one generation")),
    }
}
