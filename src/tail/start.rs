//! Where a viewer begins: so many lines before the end, or where it left off.
//!
//! Does not know the window, nor what viewers get from there on.

use std::io;
use std::time::Instant;

use crate::tail::backlog::{self, MOST_SCANNED};
use crate::tail::beneath::OpenError;
use crate::tail::catchup::with_revived;
use crate::tail::cursor::{Cursor, Place};
use crate::tail::follower::{Follower, MOST_OLDER};
use crate::tail::generation::Generation;
use crate::tail::lens::Stretch;
use crate::tail::reading::{read_exactly, stat_of};
use crate::tail::scratch::Scratch;
use crate::tail::sieve::{Begun, Half, Halves, LONGEST};
use crate::tail::standing::{GenerationId, Spot, Standing};
use crate::tail::window::GapReason;

/// A file with fewer lines than wanted is continued into the one it followed, and so on, over so many.
const MOST_FILES: usize = 4;

/// So much is read of the line that a viewer begins in the middle of: in any encoding enough to tell whether its text is
/// longer than a line may be.
const MOST_OF_A_LINE: u64 = 2 * LONGEST as u64;

/// Where a viewer begins.
#[derive(Debug)]
pub(crate) struct Found {
    /// Here.
    pub(crate) at: Standing,
    /// If it is due something from before that and cannot have it: why.
    pub(crate) lost: Option<GapReason>,
}

impl From<Standing> for Found {
    fn from(at: Standing) -> Self {
        Self { at, lost: None }
    }
}

impl Follower {
    /// The standing of a reader at `offset` of the newest generation, who has nothing more to get of the older ones
    /// than what is written to them from now on. None if the file cannot be read.
    fn standing_in_newest(&mut self, offset: u64, now: Instant) -> Option<Standing> {
        let id = self.newest;
        let place = self.place_at(id, offset, now)?;
        Some(self.head().with(Spot { id, place }))
    }

    /// The place at `offset` of a generation, for which its file is asked; none if it cannot be read.
    pub(crate) fn place_at(&mut self, id: GenerationId, offset: u64, now: Instant) -> Option<Place> {
        if !self.lineage.make_open(id, now).ok()? {
            return None;
        }
        let generation = self.lineage.get(id)?;
        generation.place_at(offset).ok()
    }

    /// At the first byte of the file at the path; if there is none, where it will begin.
    pub(crate) fn at_beginning(&self) -> Standing {
        if self.is_path_empty() {
            return Standing::clone(self.head());
        }
        let id = self.newest;
        let start = self.lineage.get(id).map(Generation::start_place);
        start.map_or_else(|| Standing::clone(self.head()), |place| self.head().with(Spot { id, place }))
    }

    /// Where a reader stands that has had nothing of what is known.
    pub(crate) fn at_oldest(&self) -> Standing {
        let id = self.lineage.oldest();
        let start = self.lineage.get(id).map(Generation::start_place);
        start.map_or_else(|| Standing::clone(self.head()), |place| Standing::new(vec![Spot { id, place }]))
    }

    /// At the end of the newest file, which may be ahead of the head.
    pub(crate) fn at_end(&mut self, now: Instant) -> Standing {
        let end = self.lineage.get(self.newest).and_then(|newest| {
            let file = newest.file().filter(|_| !newest.has_ended())?;
            newest.lens().border(file, stat_of(file).ok()?.size).ok()
        });
        let standing = end.and_then(|end| self.standing_in_newest(end, now));
        standing.unwrap_or_else(|| Standing::clone(self.head()))
    }

    /// Before the last `lines` lines. Where the newest file has fewer, the one before it is looked through too.
    ///
    /// Reads at most 8 MiB in all, backwards.
    pub(crate) fn before_last_lines(&mut self, lines: usize, now: Instant) -> Found {
        let mut at = self.at_end(now);
        let went = if lines > 0 { self.go_back(&mut at, lines, now) } else { Ok(()) };
        // Who begins here was promised nothing of what cannot be opened for now.
        drop(self.follow_since(at.newest().id, now));
        // What we may not read, or would have to unpack, is not looked into.
        let lost = matches!(went, Err(OpenError::Io(_))).then_some(GapReason::Unknown);
        Found { at, lost }
    }

    /// Leads `at`, which is the end, back over so many lines. If something cannot be read for now: as far as that.
    fn go_back(&mut self, at: &mut Standing, lines: usize, now: Instant) -> Result<(), OpenError> {
        let (mut missing, mut left) = (lines, MOST_SCANNED);
        let newest = self.newest;
        let mut next = Some(self.lineage.last());
        for _ in 0..MOST_FILES {
            let Some(id) = next else { break };
            if !self.lineage.make_open(id, now)? {
                break;
            }
            let Some(generation) = self.lineage.get(id) else { break };
            let Some(file) = generation.file() else { break };
            // Of the older ones, what was delivered; the rest will come as late lines.
            let end = if id == newest { at.newest().place.offset } else { generation.offset() };
            let found =
                backlog::last_lines(file, generation.lens(), end, missing, left, &mut Scratch::take())?;
            let place = generation.place_at(found.offset)?;
            let older = self.head().spots().iter().copied().filter(|spot| spot.id < id);
            *at = Standing::new(older.chain([Spot { id, place }]).collect());
            missing -= found.lines;
            left = left.saturating_sub(end - found.offset);
            if missing == 0 || left == 0 || found.offset > generation.start() {
                break;
            }
            let known = Some(id.before()).filter(|&older| older >= self.lineage.oldest());
            next = known.map_or_else(|| self.extend_back(now), |known| Ok(Some(known)))?;
        }
        Ok(())
    }

    /// A generation that a viewer begins in or comes back to may still be written to, and so may those that came after it.
    fn follow_since(&mut self, id: GenerationId, now: Instant) -> Result<(), OpenError> {
        let newest = self.newest;
        let older = self.lineage.ids_from(id).rev().filter(|&id| id < newest);
        older.take(MOST_OLDER).try_for_each(|id| self.follow_again(id, now))
    }

    /// Where `cursor` leads: to a generation that we know, or to one that is found in the folder.
    ///
    /// If its last place is not to be found, there is no telling what was had of what is there now. Then the reader
    /// is told so, and begins at the first byte of the newest file. Older files are not read again: most of what is
    /// in them was had, and to repeat is as bad as to miss.
    ///
    /// An error if nobody can tell for now.
    pub(crate) fn at_cursor(&mut self, cursor: &Cursor, now: Instant) -> Result<Found, OpenError> {
        let (last, older) = cursor.places().split_last().expect("a cursor has at least one place");
        let (at, mut lost) = match self.spot_named(last, now)? {
            Some(spot) => (spot, None),
            // It may be in the file at the path, if only that could be read.
            None if self.is_path_empty() && !self.is_path_deserted() => {
                return Err(OpenError::Io(io::ErrorKind::Other.into()));
            }
            None => (self.first_of_path(now), Some(self.why_lost(last))),
        };
        self.follow_since(at.id, now)?;
        let mut standing = Standing::new(vec![at]);
        // Where the last place is lost, what is older is lost with it.
        let older = if lost.is_some() { &[] } else { older };
        // The youngest first: not all may be followed.
        for place in older.iter().rev() {
            match self.lineage.find(place, now)?.filter(|&older| older < at.id) {
                Some(older) => {
                    standing = standing.with(Spot { id: older, place: self.aligned(older, *place) });
                    // It was still written to when the viewer left.
                    self.follow_again(older, now)?;
                }
                None => lost = Some(GapReason::Rotated),
            }
        }
        Ok(Found { at: with_revived(self, &standing, now), lost })
    }

    /// What a place names, if that can be found.
    pub(crate) fn spot_named(&mut self, place: &Place, now: Instant) -> Result<Option<Spot>, OpenError> {
        self.make_sure_of_last(now)?;
        // The place before there was any file.
        if place.inode == 0 {
            let id = self.lineage.after_void(place, now)?;
            let start = |id| Some(Spot { id, place: self.lineage.get(id)?.start_place() });
            return Ok(id.and_then(start));
        }
        let id = self.lineage.find(place, now)?;
        Ok(id.map(|id| Spot { id, place: self.aligned(id, *place) }))
    }

    /// Where only whole lines are shown, every cursor we made lies where a line began, and nobody else can make any. But the
    /// log may have been read in another encoding then, which has its lines elsewhere. So a cursor is led back to the
    /// beginning of the line that it lies in: else its second half would not be shown, and to others neither, if the head
    /// went there.
    fn aligned(&self, id: GenerationId, place: Place) -> Place {
        let Some(generation) =
            self.lineage.get(id).filter(|generation| generation.lens().wants_whole_lines())
        else {
            return place;
        };
        // What came before the end was shown, though it was half a line.
        if generation.has_ended() && place.offset == generation.end() {
            return place;
        }
        let border = generation.file().and_then(|file| generation.lens().border(file, place.offset).ok());
        let border = border.filter(|&border| border != place.offset && border >= generation.start());
        border.and_then(|border| generation.place_at(border).ok()).unwrap_or(place)
    }

    /// The first byte of the file at the path; if there is none, the end of the file before.
    fn first_of_path(&mut self, now: Instant) -> Spot {
        let id = self.newest;
        let generation = self.lineage.get(id);
        let end = generation.map_or(0, Generation::end);
        let place = match generation.map(Generation::start_place).filter(|_| !self.is_path_empty()) {
            Some(start) => Some(start),
            None => self.place_at(id, end, now),
        };
        place.map_or(self.head().newest(), |place| Spot { id, place })
    }

    /// The beginnings of the lines that a reader at `at` is in the middle of. What cannot be read is not known to have begun.
    pub(crate) fn halves_at(&mut self, at: &Standing, now: Instant) -> Halves {
        let half = |spot: &Spot| self.half_at(*spot, now).map(|begun| Half { id: spot.id, begun });
        Halves::new(at.spots().iter().filter_map(half).collect())
    }

    fn half_at(&mut self, spot: Spot, now: Instant) -> Option<Begun> {
        if !self.lineage.make_open(spot.id, now).ok()? {
            return None;
        }
        let generation = self.lineage.get(spot.id)?;
        let offset = spot.place.offset;
        let from = offset.saturating_sub(MOST_OF_A_LINE).max(generation.start()).min(offset);
        // At most 128 KiB.
        let len = usize::try_from(offset - from).ok()?;
        let bytes = read_exactly(generation.file()?, from, len).ok()?;
        let lens = generation.lens();
        let begun = match lens.after_last_newline(from, &bytes) {
            Some(begun) => begun,
            None if from == generation.start() => 0,
            None => return Some(Begun::Long),
        };
        let (at, bytes) = (from + begun as u64, &bytes[begun..]);
        Begun::of(lens.text(&Stretch { at, bytes, begins_line: true, is_last: false }))
    }

    fn why_lost(&self, place: &Place) -> GapReason {
        let newest = self.lineage.get(self.newest);
        let same_file = newest.is_some_and(|newest| newest.inode() == place.inode);
        if same_file { GapReason::Truncated } else { GapReason::Unknown }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::rc::Rc;
    use std::time::Instant;

    use crate::tail::beneath::Root;
    use crate::tail::cursor::Seal;
    use crate::tail::{Feed, Lens, PieceKind, Start, Step};

    #[test]
    fn a_cursor_from_before_the_encoding_was_set_right_is_led_to_the_beginning_of_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let text: Vec<u8> = "a\nuser=7\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let now = Instant::now();
        let open = |label: &str| -> Feed<()> {
            let root = Rc::new(Root::open(folder.path()).unwrap());
            let lens = Lens::new(Some(label), &["[0-9]+".to_owned()], Seal::of(b"test")).unwrap();
            Feed::open(root, "app.log".into(), Rc::new(lens), now)
        };
        // In UTF-8, a line ends in the middle of the newline's two bytes.
        fs::write(folder.path().join("app.log"), &text[..3]).unwrap();
        let mut feed = open("utf-8");
        let end = feed.start(&Start::End, now);
        let cursor = feed.cursor(&end);
        assert_eq!(cursor.places()[0].offset, 3);
        fs::write(folder.path().join("app.log"), &text).unwrap();
        let mut feed = open("utf-16le");
        let mut position = feed.start(&Start::Cursor(cursor), now);
        let mut shown = String::new();
        while let Step::Piece(piece, next) = feed.next(&position, now) {
            let PieceKind::Lines { text, .. } = &piece.kind else { panic!("{piece:?}") };
            shown.push_str(std::str::from_utf8(text).unwrap());
            position = next;
        }
        assert_eq!(shown, "a\nuser=█████\n");
    }
}
