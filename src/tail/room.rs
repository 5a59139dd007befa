//! Writing into a log that others read, and that others may write into as well: one line, at its end.
//!
//! The file is opened for each line by its name, so whoever rotates it need not tell anybody; and to be appended to
//! (`O_APPEND`), so that the system puts each line behind what is there, whoever else writes at the moment. Half a line that
//! somebody else has left at the end is ended first: no line is continued by another's.
//!
//! Does not know who writes, nor what.

use std::fmt;
use std::io;
use std::path::Path;
use std::rc::Rc;

use rustix::io::Errno;

use crate::tail::beneath::{OpenError, Root, Stat};
use crate::tail::cursor::Cursor;
use crate::tail::lens::Lens;
use crate::tail::reading::{before, place};

/// Why a line was not written, or not to its end. Reads as a sentence after the log's name and a colon.
#[derive(Debug)]
pub enum WriteError {
    /// With it, the file would be larger than so many bytes.
    Full(u64),
    /// The file cannot be opened, nor made.
    Open(OpenError),
    /// The system did not take it, or not all of it: the next line begins on a line of its own in any case.
    Io(io::Error),
}

impl WriteError {
    /// Whether there is no room for it, rather than something broken.
    pub fn is_for_want_of_room(&self) -> bool {
        match self {
            Self::Full(_) => true,
            Self::Io(error) => {
                matches!(Errno::from_io_error(error), Some(Errno::NOSPC | Errno::DQUOT | Errno::FBIG))
            }
            Self::Open(_) => false,
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(most) => write!(f, "it is full: its file may have {most} bytes"),
            Self::Open(OpenError::Denied) => f.write_str("this program may not write it"),
            Self::Open(why) => why.fmt(f),
            Self::Io(error) if self.is_for_want_of_room() => {
                write!(f, "there is no room for it on the disk: {error}")
            }
            Self::Io(error) => write!(f, "it cannot be written: {error}"),
        }
    }
}

impl std::error::Error for WriteError {}

/// Makes the file at `rel` beneath `root` if there is none, and sees whether it can be written.
///
/// # Errors
/// If it cannot.
pub fn open(root: &Root, rel: &Path) -> Result<(), WriteError> {
    root.open_to_append(rel).map(drop).map_err(WriteError::Open)
}

/// Writes `line`, which ends with a newline, at the end of the file at `rel` beneath `root`, which is made if there is none
/// and does not grow over `most` bytes. Gives the place behind it, for those who read on from there through `lens`; none if
/// somebody has cut the file meanwhile.
///
/// # Errors
/// [`WriteError`]; what others have written is as it was.
pub fn write_line(
    root: &Root,
    rel: &Path,
    lens: &Rc<Lens>,
    line: &str,
    most: u64,
) -> Result<Option<Cursor>, WriteError> {
    let file = root.open_to_append(rel).map_err(WriteError::Open)?;
    let size = Stat::of(&file).map_err(WriteError::Open)?.size;
    if size.saturating_add(line.len() as u64) > most {
        return Err(WriteError::Full(most));
    }
    let ends_in_half = size > 0 && before(&file, size).map_err(WriteError::Io)?.last() != Some(&b'\n');
    let line = if ends_in_half { format!("\n{line}") } else { line.to_owned() };
    let end = file.append(line.as_bytes()).map_err(WriteError::Io)?;
    Ok(place(&file, end, lens).ok().map(|place| Cursor::new(vec![place])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::time::Instant;

    use tempfile::TempDir;

    use crate::tail::disk::{Disk, Fault, Faults};
    use crate::tail::{Feed, PieceKind, Start, Step};

    const MOST: u64 = 1000;

    struct Scene {
        folder: TempDir,
        root: Root,
        faults: std::sync::Arc<Faults>,
    }

    impl Scene {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let faults = Faults::below(folder.path());
            let root = Root::wait_for(&Disk::with(&faults), folder.path());
            Self { folder, root, faults }
        }

        fn write(&self, line: &str) -> Result<Option<Cursor>, WriteError> {
            write_line(&self.root, Path::new("room"), &Rc::default(), line, MOST)
        }

        fn path(&self) -> std::path::PathBuf {
            self.folder.path().join("room")
        }

        fn content(&self) -> String {
            fs::read_to_string(self.path()).unwrap()
        }
    }

    #[test]
    fn lines_go_to_the_end_of_a_file_that_is_made_for_them() {
        let scene = Scene::new();
        scene.write("one\n").unwrap();
        fs::rename(scene.path(), scene.folder.path().join("room.1")).unwrap();
        scene.write("two\n").unwrap();
        scene.write("three\n").unwrap();
        assert_eq!(scene.content(), "two\nthree\n");
    }

    #[test]
    fn half_a_line_of_somebody_else_is_ended_first() {
        let scene = Scene::new();
        fs::write(scene.path(), "half").unwrap();
        scene.write("one\n").unwrap();
        scene.write("two\n").unwrap();
        assert_eq!(scene.content(), "half\none\ntwo\n");
    }

    #[test]
    fn the_place_behind_a_line_is_where_the_next_one_is_read_from() {
        let scene = Scene::new();
        for number in 0..40 {
            let line = format!("line {number}\n");
            let cursor = scene.write(&line).unwrap().expect("nobody has cut the file");
            scene.write("next\n").unwrap();
            let root = Rc::new(Root::open(scene.folder.path()).unwrap());
            let mut feed: Feed<()> = Feed::open(root, "room".into(), Rc::default(), Instant::now());
            let position = feed.start(&Start::Cursor(cursor.clone()), Instant::now());
            assert_eq!(feed.cursor(&position), cursor, "it is known as that");
            let Step::Piece(piece, _) = feed.next(&position, Instant::now()) else { panic!("there is more") };
            let PieceKind::Lines { text, .. } = &piece.kind else { panic!("{:?}", piece.kind) };
            assert_eq!(&text[..], b"next\n");
        }
    }

    #[test]
    fn a_file_grows_to_its_limit_and_not_beyond() {
        let scene = Scene::new();
        fs::write(scene.path(), vec![b'\n'; 990]).unwrap();
        assert!(matches!(scene.write("0123456789\n"), Err(WriteError::Full(MOST))));
        scene.write("012345678\n").unwrap();
        let full = scene.write("\n").unwrap_err();
        assert!(full.is_for_want_of_room());
        assert_eq!(full.to_string(), "it is full: its file may have 1000 bytes");
        assert_eq!(scene.content().len(), 1000);
    }

    #[test]
    fn what_is_no_file_beneath_the_folder_is_not_written() {
        let scene = Scene::new();
        let outside = tempfile::tempdir().unwrap();
        let secret = outside.path().join("secret");
        fs::write(&secret, "secret").unwrap();
        symlink(&secret, scene.path()).unwrap();
        assert!(matches!(scene.write("x\n"), Err(WriteError::Open(OpenError::LeadsOut))));
        fs::remove_file(scene.path()).unwrap();
        symlink(outside.path().join("new"), scene.path()).unwrap();
        assert!(matches!(scene.write("x\n"), Err(WriteError::Open(_))));
        fs::remove_file(scene.path()).unwrap();
        fs::create_dir(scene.path()).unwrap();
        assert!(matches!(scene.write("x\n"), Err(WriteError::Open(OpenError::NotRegular(_)))));
        assert_eq!(fs::read_to_string(&secret).unwrap(), "secret");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    }

    #[test]
    fn whatever_call_fails_the_lines_that_were_there_stay_and_the_next_one_is_whole() {
        for fault in [
            Fault::Interrupted,
            Fault::Broken,
            Fault::Stale,
            Fault::Denied,
            Fault::NoDescriptors,
            Fault::Full,
        ] {
            for nth in 1.. {
                let scene = Scene::new();
                scene.write("before\n").unwrap();
                scene.faults.begin(fault, nth, 1);
                let outcome = scene.write("meanwhile\n");
                let met = scene.faults.met() > 0;
                scene.faults.end();
                scene.write("after\n").unwrap();
                let content = scene.content();
                let whole = if content.contains("meanwhile") {
                    "before\nmeanwhile\nafter\n"
                } else {
                    "before\nafter\n"
                };
                assert_eq!(content, whole, "{fault:?} at {nth}");
                if outcome.is_ok() {
                    assert!(
                        content.contains("meanwhile"),
                        "{fault:?} at {nth}: what is said to be written is there"
                    );
                }
                if !met {
                    break;
                }
                assert!(nth < 50, "{fault:?} is met for ever");
            }
        }
    }
}
