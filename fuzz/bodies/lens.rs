//! What a log says, whoever reads it and however it was written: random bytes in some encoding, cut anywhere, with a
//! secret in it here and there.
//!
//! All that a viewer gets is what the whole log says when it is decoded at once; of one that is redacted, with masks
//! in place of the secret. So do filters, searches and the way back, and who comes later gets the end of the same.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use encoding_rs::Encoding;
use wiretail::tail::beneath::Root;
use wiretail::tail::cursor::Seal;
use wiretail::tail::history::job::{Found, Job, Task, Work};
use wiretail::tail::pattern::{Filter, FilterSpec};
use wiretail::tail::{Feed, Lens, PieceKind, Position, Start, Step};

use super::choices::Choices;
use super::follower::folder;

const LABELS: [&str; 11] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "gbk",
    "gb18030",
    "big5",
    "shift_jis",
    "euc-jp",
    "euc-kr",
    "windows-1252",
    "koi8-r",
];

const SECRET: &str = "PIN=7391";
const PART: &str = "739";
const MASK: &str = "█████";

/// So many writes make a log; more of them only make it slower to tell.
const MOST_WRITES: usize = 40;

/// Writes what `data` says, and reads it in all the ways there are.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let label = LABELS[choices.below(LABELS.len())];
    let redacts = choices.flag();
    let mut scene = Scene::new(label, redacts, &mut choices);
    for _ in 0..MOST_WRITES {
        if choices.is_empty() {
            break;
        }
        scene.play(&mut choices);
    }
    scene.finish();
}

/// A log, its feed, and those who read it.
struct Scene {
    folder: tempfile::TempDir,
    lens: Rc<Lens>,
    wide: Option<fn(u16) -> [u8; 2]>,
    log: File,
    written: Vec<u8>,
    encoding: &'static Encoding,
    redacts: bool,
    feed: Feed<()>,
    // From the first byte on, and of the lines that hold the part of the secret.
    whole: Viewer,
    sifted: Viewer,
    // Who came later, from where they came on.
    others: Vec<Viewer>,
    now: Instant,
}

struct Viewer {
    position: Position,
    text: String,
}

impl Scene {
    fn new(label: &'static str, redacts: bool, choices: &mut Choices<'_>) -> Self {
        let folder = folder();
        let rules: &[String] = if redacts { &[SECRET.to_owned()] } else { &[] };
        let lens = Rc::new(Lens::new(Some(label), rules, Seal::of(b"a secret")).expect("a label"));
        let encoding = Encoding::for_label(label.as_bytes()).expect("a label");
        let wide = match label {
            "utf-16le" => Some(u16::to_le_bytes as fn(u16) -> [u8; 2]),
            "utf-16be" => Some(u16::to_be_bytes as fn(u16) -> [u8; 2]),
            _ => None,
        };
        // A byte-order mark is written at once.
        let begins = choices.bytes(4);
        fs::write(folder.path().join("app.log"), begins).expect("a file can be written");
        let log = File::options().append(true).open(folder.path().join("app.log")).expect("it is there");
        let now = Instant::now();
        let mut feed = open(folder.path(), &lens, now);
        let position = feed.start(&Start::Beginning, now);
        let sifted = feed.filtered(&position, Some(literal(PART)), now);
        let viewer = |position| Viewer { position, text: String::new() };
        let (whole, sifted) = (viewer(position), viewer(sifted));
        let (written, others) = (begins.to_vec(), Vec::new());
        Self { folder, lens, wide, log, written, encoding, redacts, feed, whole, sifted, others, now }
    }

    fn play(&mut self, choices: &mut Choices<'_>) {
        match choices.below(8) {
            0 | 1 => {
                let secret = self.encoded(SECRET);
                let (front, back) = secret.split_at(choices.below(secret.len() + 1));
                self.write(front);
                self.read();
                self.write(back);
            }
            2 => self.write(&self.encoded("\n")),
            3 => {
                let start = match choices.below(8) {
                    0 => Start::End,
                    lines => Start::Lines(lines),
                };
                let position = self.feed.start(&start, self.now);
                self.others.push(Viewer { position, text: String::new() });
            }
            4 => self.restart(),
            _ => {
                let count = choices.below(16) + 1;
                self.write(choices.bytes(count));
            }
        }
        self.read();
    }

    fn encoded(&self, text: &str) -> Vec<u8> {
        match self.wide {
            Some(to_bytes) => text.encode_utf16().flat_map(to_bytes).collect(),
            None => text.as_bytes().to_vec(),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.log.write_all(bytes).expect("a file can be written to");
        self.written.extend_from_slice(bytes);
    }

    /// Those who have no filter come back with their cursors; a half line is not in a cursor.
    fn restart(&mut self) {
        let returning = std::iter::once(&mut self.whole).chain(&mut self.others);
        let cursors: Vec<String> =
            returning.map(|viewer| self.feed.cursor(&viewer.position).to_string()).collect();
        self.feed = open(self.folder.path(), &self.lens, self.now);
        let returning = std::iter::once(&mut self.whole).chain(&mut self.others);
        for (viewer, cursor) in returning.zip(cursors) {
            viewer.position = self.feed.start(&Start::Cursor(cursor.parse().expect("a cursor")), self.now);
        }
        let position = self.feed.start(&Start::Beginning, self.now);
        let position = self.feed.filtered(&position, Some(literal(PART)), self.now);
        self.sifted = Viewer { position, text: String::new() };
    }

    fn read(&mut self) {
        self.now += Duration::from_millis(300);
        self.feed.look_now(self.now);
        let all = [&mut self.whole, &mut self.sifted].into_iter().chain(&mut self.others);
        for viewer in all {
            while let Step::Piece(piece, position) = self.feed.next(&viewer.position, self.now) {
                viewer.position = position;
                match &piece.kind {
                    PieceKind::Lines { text, .. } => {
                        viewer.text.push_str(std::str::from_utf8(text).expect("valid UTF-8"));
                    }
                    PieceKind::Gap { .. } => panic!("{piece:?}"),
                    _ => {}
                }
            }
        }
    }

    /// The log is over: what is unfinished stays so. Compares all that was said.
    fn finish(mut self) {
        fs::rename(self.folder.path().join("app.log"), self.folder.path().join("app.log.1"))
            .expect("renamed");
        fs::write(self.folder.path().join("app.log"), "").expect("a file can be written");
        for _ in 0..30 {
            self.read();
        }
        let said = self.encoding.decode(&self.written).0;
        let said = if self.redacts { masked(&said) } else { said.into_owned() };
        assert!(!self.redacts || !said.contains(SECRET));
        assert_eq!(self.whole.text, said, "{:x?}", self.written);
        for other in &self.others {
            assert!(said.ends_with(&other.text), "{:?} is no end of {said:?}", other.text);
        }
        let lines = |text: &str| -> Vec<String> {
            let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
            lines.map(|line| line.strip_suffix('\r').unwrap_or(line).to_owned()).collect()
        };
        let of_part: Vec<String> = lines(&said).into_iter().filter(|line| line.contains(PART)).collect();
        let sifted = if self.sifted.text.is_empty() { Vec::new() } else { lines(&self.sifted.text) };
        assert_eq!(sifted, of_part);
        assert_eq!(self.older(), said, "upwards");
        let of_secret = lines(&said).iter().filter(|line| line.contains(SECRET)).count();
        assert_eq!(self.search(SECRET), of_secret as u64);
        assert_eq!(self.search(PART), of_part.len() as u64);
    }

    fn older(&mut self) -> String {
        let before = self.feed.cursor(&self.whole.position);
        let (found, _) = self.run(Task::Older { before, lines: 100_000 });
        let text = found.iter().rev().map(|found| match found {
            Found::Lines { text, .. } => std::str::from_utf8(text).expect("valid UTF-8"),
            other => panic!("{other:?}"),
        });
        text.collect()
    }

    /// How many lines are found to have `text` in them.
    fn search(&mut self, text: &str) -> u64 {
        let (found, count) = self.run(Task::Search { filter: literal(text), from: None, most: 100_000 });
        let shown: usize = found
            .iter()
            .map(|found| match found {
                Found::Hits(hits) => hits.len(),
                other => panic!("{other:?}"),
            })
            .sum();
        assert_eq!(shown as u64, count);
        count
    }

    fn run(&mut self, task: Task) -> (Vec<Found>, u64) {
        let (mut job, mut found) = (Job::new(task, None), Vec::new());
        for _ in 0..10_000 {
            match self.feed.work(&mut job, self.now) {
                Work::Again => {}
                Work::Found(next) => found.push(next),
                Work::Done(summary) => return (found, summary.count),
                Work::Later => panic!("all can be read"),
            }
        }
        panic!("no end after {found:?}");
    }
}

fn open(folder: &Path, lens: &Rc<Lens>, now: Instant) -> Feed<()> {
    let root = Rc::new(Root::open(folder).expect("a folder"));
    Feed::open(root, "app.log".into(), Rc::clone(lens), now)
}

fn literal(text: &str) -> Rc<Filter> {
    let spec = FilterSpec { grep: vec![text.to_owned()], literal: true, ..FilterSpec::default() };
    Rc::new(Filter::new(&spec).expect("a text"))
}

/// With a mask for each secret, and one for those that touch each other.
fn masked(text: &str) -> String {
    let parts: Vec<&str> = text.split(SECRET).collect();
    let mut masked = parts[0].to_owned();
    for (i, part) in parts.iter().enumerate().skip(1) {
        if i == 1 || !parts[i - 1].is_empty() {
            masked.push_str(MASK);
        }
        masked.push_str(part);
    }
    masked
}
