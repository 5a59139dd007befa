//! Files that we write ourselves: one that rotates, and standard input spooled into such a one.
//!
//! Standard input cannot be read twice, and a viewer who comes later wants to see what was there before. So
//! it goes into a file, and is then a log like any other: followed, rotated, read by many. The file is
//! bounded, as whoever writes into the pipe is not.
//!
//! Does not know who reads the files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Stdin, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use memchr::{memchr, memrchr};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tempfile::TempDir;

/// A file that is only appended to and that is renamed when it is full: to `.1`, what was `.1` to `.2`, and
/// so on.
///
/// [`push`](Self::push) what is to be written, then [`flush`](Self::flush). All that can fail happens in
/// `flush`, and what it could not write stays for the next one: a full disk delays, it loses nothing and
/// writes nothing twice.
#[derive(Debug)]
pub struct RotatingFile {
    path: PathBuf,
    file: File,
    size: u64,
    limit: u64,
    keep: u32,
    how: Rotation,
    // Old files have been moved on for the one that is full. Should the rest fail, that is not to be done again.
    has_room_for_old: bool,
    // So far the file ends with a whole line.
    at_line_end: bool,
    unwritten: Vec<u8>,
}

/// How a full file is set aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rotation {
    /// It is renamed, and another one begun.
    #[default]
    Rename,
    /// It is copied, and cut to nothing: for programs that cannot be told to open another one.
    CopyTruncate,
    /// It is renamed, and then compressed with gzip.
    Compress,
}

/// How far a file may grow over its limit so that it ends with a whole line.
const SLACK: u64 = 1 << 20;

impl RotatingFile {
    /// Opens the file at `path` to be appended to, or makes it. It is renamed before it grows over `limit`
    /// bytes, and `keep` renamed ones are kept.
    ///
    /// A file ends with a whole line, be it up to 1 MiB beyond the limit; a longer line is cut.
    pub fn open(path: &Path, limit: u64, keep: u32) -> io::Result<Self> {
        let file = open_to_append(path)?;
        let size = file.metadata()?.len();
        // Whether an old file ends with a whole line is not looked up: it was written by us, or is another's
        // to end.
        let path = path.to_owned();
        let (how, has_room_for_old) = (Rotation::default(), false);
        Ok(Self {
            path,
            file,
            size,
            limit,
            keep,
            how,
            has_room_for_old,
            at_line_end: true,
            unwritten: Vec::new(),
        })
    }

    /// The same, set aside in another way.
    pub fn rotated_by(self, how: Rotation) -> Self {
        Self { how, ..self }
    }

    /// The file that is written to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes have been written into the file as it is now.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Rotates at another size from now on.
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// Takes bytes that the next [`flush`](Self::flush) will write. They are held in memory until then.
    pub fn push(&mut self, bytes: &[u8]) {
        self.unwritten.extend_from_slice(bytes);
    }

    /// How many bytes wait for the next [`flush`](Self::flush).
    pub fn unwritten(&self) -> usize {
        self.unwritten.len()
    }

    /// Writes what was pushed, rotating where the limit says so.
    pub fn flush(&mut self) -> io::Result<()> {
        while !self.unwritten.is_empty() {
            let fitting = self.fitting();
            if fitting == 0 {
                self.rotate()?;
                continue;
            }
            match self.file.write(&self.unwritten[..fitting]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.size += written as u64;
                    self.at_line_end = self.unwritten[written - 1] == b'\n';
                    self.unwritten.drain(..written);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// How much of what is unwritten belongs into the file as it is; nothing if the file is full.
    fn fitting(&self) -> usize {
        let up_to = |limit: u64| usize::try_from(limit.saturating_sub(self.size)).unwrap_or(usize::MAX);
        let room = up_to(self.limit);
        if self.unwritten.len() <= room {
            return self.unwritten.len();
        }
        if let Some(end) = memrchr(b'\n', &self.unwritten[..room]) {
            return end + 1;
        }
        if self.at_line_end && self.size > 0 {
            return 0;
        }
        // In the middle of a line: on to its end.
        let room = up_to(self.limit.saturating_add(SLACK)).min(self.unwritten.len());
        memchr(b'\n', &self.unwritten[..room]).map_or(room, |end| end + 1)
    }

    /// Begins a new file, however full this one is. Call it when nothing waits to be written.
    ///
    /// # Errors
    /// If the old file cannot be moved, or the new one not be made.
    pub fn rotate(&mut self) -> io::Result<()> {
        if !self.has_room_for_old {
            self.make_room_for_old()?;
            self.has_room_for_old = true;
        }
        let first = self.numbered(1, "");
        match self.how {
            Rotation::CopyTruncate => {
                if self.keep > 0 {
                    gone_is_fine(fs::copy(&self.path, &first).map(drop))?;
                }
                self.file.set_len(0)?;
            }
            Rotation::Rename | Rotation::Compress => {
                let moved =
                    if self.keep == 0 { fs::remove_file(&self.path) } else { fs::rename(&self.path, &first) };
                gone_is_fine(moved)?;
                self.file = open_to_append(&self.path)?;
            }
        }
        self.size = self.file.metadata()?.len();
        (self.at_line_end, self.has_room_for_old) = (true, false);
        // Last: what cannot be compressed now is when the next file is full.
        self.compress_first()
    }

    /// Throws away what is in the file, and what waits to be written.
    ///
    /// # Errors
    /// If it cannot be cut; then all is as it was.
    pub fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.unwritten.clear();
        (self.size, self.at_line_end) = (0, true);
        Ok(())
    }

    /// Moves each old file on by one number.
    fn make_room_for_old(&self) -> io::Result<()> {
        self.compress_first()?;
        let ending = if self.how == Rotation::Compress { ".gz" } else { "" };
        for number in (1..self.keep).rev() {
            gone_is_fine(fs::rename(self.numbered(number, ending), self.numbered(number + 1, ending)))?;
        }
        Ok(())
    }

    /// As `gzip` does it: a file goes when all of it is in the other one.
    fn compress_first(&self) -> io::Result<()> {
        let (plain, packed) = (self.numbered(1, ""), self.numbered(1, ".gz"));
        if self.how != Rotation::Compress || !plain.exists() {
            return Ok(());
        }
        let mut packed = GzEncoder::new(File::create(packed)?, Compression::default());
        io::copy(&mut File::open(&plain)?, &mut packed)?;
        packed.finish()?.sync_data()?;
        fs::remove_file(plain)
    }

    fn numbered(&self, number: u32, ending: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(format!(".{number}{ending}"));
        path.into()
    }
}

fn open_to_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Others may have taken a file away; then there is nothing to be done about it.
fn gone_is_fine(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A temporary folder that only we may enter, removed when it is dropped. (Not if we are killed: nobody is
/// there to do it. It lies where `TMPDIR` says.)
pub(crate) fn private_folder() -> io::Result<TempDir> {
    let only_us = fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix("wiretail-").permissions(only_us).tempdir()
}

/// What is read from standard input at once.
const CHUNK: usize = 64 * 1024;

/// How many chunks one [`pump`](StdinSpool::pump) reads.
const CHUNKS: usize = 4;

/// Standard input on its way into a file. At most 128 MiB are on the disk, what came last.
///
/// Standard input is shared with whoever started us, and so is its "do not block" flag: setting it would make
/// a shell or a pager beside us fail. So each read is preceded by the question whether it would have to wait,
/// poll(2). It would still wait if somebody else reads from the same pipe and takes the bytes between
/// question and read; two readers of one pipe are not served well by anything.
#[derive(Debug)]
pub struct StdinSpool<F = Stdin> {
    input: F,
    has_ended: bool,
    chunk: Box<[u8]>,
    file: RotatingFile,
    // Removes the folder and the files in it when it is dropped.
    _folder: TempDir,
}

/// What one [`pump`](StdinSpool::pump) did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pumped {
    /// There was nothing to read.
    Nothing,
    /// So many bytes went into the file; there may be more.
    Bytes(usize),
    /// Nothing will come any more.
    Ended,
}

impl StdinSpool {
    /// Begins to spool standard input.
    pub fn start() -> io::Result<Self> {
        Self::of(io::stdin())
    }
}

impl<F: AsFd> StdinSpool<F> {
    /// Begins to spool what comes from `input`.
    pub fn of(input: F) -> io::Result<Self> {
        // Rotates a little earlier than 64 MiB, to stay below it with a line that wants to be ended.
        const LIMIT: u64 = (64 << 20) - SLACK;
        let folder = private_folder()?;
        let file = RotatingFile::open(&folder.path().join("stdin.log"), LIMIT, 1)?;
        let chunk = vec![0; CHUNK].into_boxed_slice();
        Ok(Self { input, has_ended: false, chunk, file, _folder: folder })
    }

    /// The file that everything goes into.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Reads what is there, at most 256 KiB, and writes it into the file. Never waits.
    ///
    /// After an error the next call goes on where this one ended. Until what was read is written nothing more
    /// is read, so it is the writer of the pipe who waits while our disk is full.
    pub fn pump(&mut self) -> io::Result<Pumped> {
        self.file.flush()?;
        let mut bytes = 0;
        while !self.has_ended && bytes < CHUNKS * CHUNK && self.can_read()? {
            let len = match rustix::io::read(&self.input, &mut self.chunk[..]) {
                Ok(0) => {
                    self.has_ended = true;
                    break;
                }
                Ok(len) => len,
                Err(Errno::AGAIN | Errno::INTR) => break,
                Err(error) => return Err(error.into()),
            };
            self.file.push(&self.chunk[..len]);
            self.file.flush()?;
            bytes += len;
        }
        match bytes {
            0 if self.has_ended => Ok(Pumped::Ended),
            0 => Ok(Pumped::Nothing),
            _ => Ok(Pumped::Bytes(bytes)),
        }
    }

    /// Whether a read would return at once, be it with the end or an error.
    fn can_read(&self) -> io::Result<bool> {
        let mut fds = [PollFd::new(&self.input, PollFlags::IN)];
        match poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{PipeReader, PipeWriter, pipe};

    struct Place(TempDir);

    impl Place {
        fn new() -> Self {
            Self(private_folder().unwrap())
        }

        fn log(&self) -> PathBuf {
            self.0.path().join("x.log")
        }

        fn open(&self, limit: u64, keep: u32) -> RotatingFile {
            RotatingFile::open(&self.log(), limit, keep).unwrap()
        }

        /// The contents of `x.log`, `x.log.1`, ...
        fn contents(&self) -> Vec<String> {
            let numbered = (1..).map(|number| self.0.path().join(format!("x.log.{number}")));
            let paths = std::iter::once(self.log()).chain(numbered);
            paths.map_while(|path| fs::read_to_string(path).ok()).collect()
        }
    }

    fn write(file: &mut RotatingFile, text: &str) {
        file.push(text.as_bytes());
        file.flush().unwrap();
    }

    #[test]
    fn a_full_file_is_renamed_and_so_many_are_kept() {
        let place = Place::new();
        let mut file = place.open(8, 2);
        for line in ["one\n", "two\n", "three\n", "four\n", "five\n"] {
            write(&mut file, line);
        }
        assert_eq!(place.contents(), ["five\n", "four\n", "three\n"]);
        write(&mut file, "six\n");
        assert_eq!(place.contents(), ["six\n", "five\n", "four\n"]);
        assert_eq!(file.size(), 4);
    }

    #[test]
    fn many_lines_at_once_rotate_as_one_by_one() {
        let (together, apart) = (Place::new(), Place::new());
        let lines: Vec<String> = (0..50).map(|number| format!("line {number}\n")).collect();
        write(&mut together.open(40, 100), &lines.concat());
        let mut file = apart.open(40, 100);
        lines.iter().for_each(|line| write(&mut file, line));
        assert_eq!(together.contents(), apart.contents());
        assert!(together.contents().iter().all(|text| text.len() <= 40 && text.ends_with('\n')));
    }

    #[test]
    fn lines_stay_whole_across_writes_and_beyond_the_limit() {
        let place = Place::new();
        let mut file = place.open(8, 9);
        for part in ["abc", "defghi", "jk\nnext\n", "a line that is longer than the limit\n", "x"] {
            write(&mut file, part);
        }
        assert_eq!(
            place.contents(),
            ["x", "a line that is longer than the limit\n", "next\n", "abcdefghijk\n"]
        );
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let place = Place::new();
        write(&mut place.open(8, 1), &"x".repeat(SLACK as usize + 10));
        let sizes: Vec<usize> = place.contents().iter().map(String::len).collect();
        assert_eq!(sizes, [2, SLACK as usize + 8]);
    }

    #[test]
    fn nothing_kept_means_starting_anew() {
        let place = Place::new();
        let mut file = place.open(4, 0);
        ["one\n", "two\n"].iter().for_each(|line| write(&mut file, line));
        assert_eq!(place.contents(), ["two\n"]);
    }

    #[test]
    fn an_existing_file_is_appended_to_and_counts() {
        let place = Place::new();
        fs::write(place.log(), "old\n").unwrap();
        let mut file = place.open(10, 1);
        write(&mut file, "new\n");
        write(&mut file, "more\n");
        assert_eq!(place.contents(), ["more\n", "old\nnew\n"]);
    }

    #[test]
    fn what_could_not_be_written_is_written_by_the_next_flush() {
        let place = Place::new();
        let mut file = place.open(4, 1);
        write(&mut file, "one\n");
        // In the way of the renaming, even for root: a folder that is not empty.
        fs::create_dir_all(place.0.path().join("x.log.1/in the way")).unwrap();
        file.push(b"two\n");
        assert!(file.flush().is_err());
        assert_eq!(file.unwritten(), 4);
        fs::remove_dir_all(place.0.path().join("x.log.1")).unwrap();
        file.flush().unwrap();
        assert_eq!(place.contents(), ["two\n", "one\n"]);
    }

    fn spool() -> (PipeWriter, StdinSpool<PipeReader>) {
        let (reader, writer) = pipe().unwrap();
        (writer, StdinSpool::of(reader).unwrap())
    }

    #[test]
    fn what_comes_is_spooled_and_nothing_is_waited_for() {
        let (mut writer, mut spool) = spool();
        assert_eq!(spool.pump().unwrap(), Pumped::Nothing);
        writer.write_all(b"half a").unwrap();
        assert_eq!(spool.pump().unwrap(), Pumped::Bytes(6));
        assert_eq!(spool.pump().unwrap(), Pumped::Nothing);
        writer.write_all(b" line\n").unwrap();
        drop(writer);
        assert_eq!(spool.pump().unwrap(), Pumped::Bytes(6));
        assert_eq!(spool.pump().unwrap(), Pumped::Ended);
        assert_eq!(spool.pump().unwrap(), Pumped::Ended);
        assert_eq!(fs::read_to_string(spool.path()).unwrap(), "half a line\n");
    }

    #[test]
    fn one_pump_is_bounded() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![b'\n'; 5 * CHUNK]).unwrap();
        io::Seek::rewind(&mut file).unwrap();
        let mut spool = StdinSpool::of(file).unwrap();
        assert_eq!(spool.pump().unwrap(), Pumped::Bytes(CHUNKS * CHUNK));
        assert_eq!(spool.pump().unwrap(), Pumped::Bytes(CHUNK));
        assert_eq!(spool.pump().unwrap(), Pumped::Ended);
    }

    #[test]
    fn the_input_stays_as_it_was_shared() {
        let (_writer, mut spool) = spool();
        let before = rustix::fs::fcntl_getfl(&spool.input).unwrap();
        spool.pump().unwrap();
        assert_eq!(rustix::fs::fcntl_getfl(&spool.input).unwrap(), before);
        assert!(!before.contains(rustix::fs::OFlags::NONBLOCK));
    }

    #[test]
    fn the_spool_is_private_and_goes_with_its_owner() {
        let (_writer, spool) = spool();
        let folder = spool.path().parent().unwrap().to_owned();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        drop(spool);
        assert!(!folder.exists());
    }
}
