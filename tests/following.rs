//! Following a log file through all that happens to it, told as transcripts: what a viewer hears.
//!
//! Every story is told twice: with a look at the log between any two steps, and with none until the end.
#![cfg(feature = "tool")]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use wiretail::tail::beneath::Root;
use wiretail::tail::{Cursor, Feed, PieceKind, Position, Start, Step};

/// A folder with `app.log`, whoever writes it, one viewer, and a clock that only the story moves.
struct Story {
    folder: TempDir,
    feed: Feed<()>,
    viewer: Position,
    heard: String,
    now: Instant,
    looking: bool,
}

impl Story {
    fn begin(looking: bool, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("app.log"), text).unwrap();
        let now = Instant::now();
        let mut feed = open(&folder, now);
        let viewer = feed.start(&Start::Lines(1000), now);
        let mut story = Self { folder, feed, viewer, heard: String::new(), now, looking };
        story.listen();
        story
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&mut self, name: &str, text: &str) -> &mut Self {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        self.step()
    }

    fn rename(&mut self, from: &str, to: &str) -> &mut Self {
        fs::rename(self.path(from), self.path(to)).unwrap();
        self.step()
    }

    fn copy(&mut self, from: &str, to: &str) -> &mut Self {
        fs::copy(self.path(from), self.path(to)).unwrap();
        self.step()
    }

    fn truncate(&mut self, name: &str, len: u64) -> &mut Self {
        OpenOptions::new().write(true).open(self.path(name)).unwrap().set_len(len).unwrap();
        self.step()
    }

    fn remove(&mut self, name: &str) -> &mut Self {
        fs::remove_file(self.path(name)).unwrap();
        self.step()
    }

    /// Some of the stories look after each of their steps.
    fn step(&mut self) -> &mut Self {
        self.now += Duration::from_millis(1);
        if self.looking {
            self.feed.look_now(self.now);
            self.listen();
        }
        self
    }

    fn wait(&mut self, millis: u64) -> &mut Self {
        self.now += Duration::from_millis(millis);
        self.feed.look(self.now);
        self.listen();
        self
    }

    /// Looks as the clock would have it, for so long.
    fn watch(&mut self, millis: u64) -> &mut Self {
        for _ in 0..millis / 50 {
            self.wait(50);
        }
        self
    }

    fn listen(&mut self) {
        while let Step::Piece(piece, position) = self.feed.next(&self.viewer, self.now) {
            self.heard += &spoken(&piece.kind);
            self.viewer = position;
        }
    }

    /// The server goes away and comes back, and the viewer with it.
    fn restart(&mut self) -> &mut Self {
        let token = self.feed.cursor(&self.viewer).to_string();
        self.feed = open(&self.folder, self.now);
        self.viewer = self.feed.start(&Start::Cursor(token.parse::<Cursor>().unwrap()), self.now);
        self.step()
    }

    #[track_caller]
    fn hears(&mut self, expected: &str) -> &mut Self {
        self.feed.look_now(self.now);
        self.listen();
        assert_eq!(std::mem::take(&mut self.heard), expected, "looking between: {}", self.looking);
        self
    }
}

fn open(folder: &TempDir, now: Instant) -> Feed<()> {
    Feed::open(Rc::new(Root::open(folder.path()).unwrap()), "app.log".into(), Rc::default(), now)
}

fn spoken(kind: &PieceKind) -> String {
    match kind {
        PieceKind::Lines { text, .. } => String::from_utf8(text.to_vec()).unwrap(),
        PieceKind::Rotated { .. } => "[rotated]".into(),
        PieceKind::Truncated { .. } => "[truncated]".into(),
        PieceKind::Gap { bytes: Some(bytes), why, .. } => format!("[gap {bytes} {why:?}]"),
        PieceKind::Gap { bytes: None, why, .. } => format!("[gap ? {why:?}]"),
        PieceKind::Missing { why } => format!("[missing: {why}]"),
        PieceKind::Back => "[back]".into(),
    }
}

fn twice(story: impl Fn(&mut Story)) {
    for looking in [true, false] {
        story(&mut Story::begin(looking, "one\n"));
    }
}

/// As long as it takes to be recognised by its content.
const LONG: &str = "a line that is long enough to be told from all others by what is in it\n";

#[test]
fn lines_arrive_as_they_are_written() {
    twice(|story| {
        story.append("app.log", "two\n").append("app.log", "three\n").hears("one\ntwo\nthree\n");
    });
}

#[test]
fn half_a_line_waits_a_moment_and_is_completed_in_place() {
    twice(|story| {
        story.append("app.log", "tw").hears("one\n").wait(200).hears("").wait(60).hears("tw");
        story.append("app.log", "o\nthr").hears("o\n").append("app.log", "ee\n").hears("three\n");
    });
}

#[test]
fn a_character_in_two_parts_arrives_whole_however_long_it_takes() {
    twice(|story| {
        let file = OpenOptions::new().append(true).open(story.path("app.log")).unwrap();
        (&file).write_all(b"x\xe2\x82").unwrap();
        story.hears("one\n").watch(1000).hears("x");
        (&file).write_all(b"\xac\n").unwrap();
        story.hears("\u{20ac}\n");
    });
}

#[test]
fn rename_and_create_loses_nothing() {
    twice(|story| {
        story.append("app.log", "two\nhalf").rename("app.log", "app.log.1").append("app.log.1", " late\n");
        story.append("app.log", "new\n");
        story.watch(500).hears("one\ntwo\nhalf late\n[rotated]new\n");
        story.append("app.log.1", "very late\n").append("app.log", "newer\n").hears("very late\nnewer\n");
    });
}

#[test]
fn a_renamed_file_is_left_once_it_has_been_quiet() {
    twice(|story| {
        story.rename("app.log", "app.log.1").append("app.log", "new\n").hears("one\n[rotated]new\n");
        story.watch(4_000).append("app.log.1", "late\n").hears("late\n");
        story.watch(4_000).append("app.log.1", "later\n").hears("later\n");
        story.watch(6_000).append("app.log.1", "too late\n").append("app.log", "newer\n").hears("newer\n");
    });
}

/// How long a file has been quiet is counted from when it was found to have been rotated: by a viewer that begins, after
/// nobody had looked for longer than that.
#[test]
fn a_file_that_was_rotated_while_nobody_looked_is_followed_from_the_moment_a_viewer_begins() {
    let mut story = Story::begin(false, "one\n");
    story.now += Duration::from_secs(6);
    story.rename("app.log", "app.log.1").append("app.log", "two\n");
    story.heard.clear();
    story.viewer = story.feed.start(&Start::Lines(9), story.now);
    story.hears("one\n[rotated]two\n");
    story.append("app.log.1", "late\n").hears("late\n");
}

#[test]
fn several_rotations_between_two_looks_are_read_through_in_order() {
    twice(|story| {
        for text in ["two\n", "three\n", "four\n"] {
            for number in (1..4).rev() {
                if story.path(&format!("app.log.{number}")).exists() {
                    story.rename(&format!("app.log.{number}"), &format!("app.log.{}", number + 1));
                }
            }
            story.rename("app.log", "app.log.1").append("app.log", text);
        }
        story.hears("one\n[rotated]two\n[rotated]three\n[rotated]four\n");
        story.append("app.log.2", "late two\n".replace("two", "three's brother").as_str());
        story.hears("late three's brother\n");
    });
}

#[test]
fn several_rotations_are_read_through_though_the_first_file_is_deleted() {
    let mut story = Story::begin(false, "one\n");
    story.hears("one\n");
    story.append("app.log", "more\n").rename("app.log", "app.log.1").append("app.log", "two\n");
    story.rename("app.log", "app.log.1").append("app.log", "three\n");
    story.hears("more\n[rotated]two\n[rotated]three\n");
}

#[test]
fn truncation_in_place_is_told_and_the_file_read_from_its_start() {
    twice(|story| {
        story.hears("one\n").truncate("app.log", 0).append("app.log", "x\n").hears("[truncated]x\n");
        story.truncate("app.log", 0).append("app.log", "longer than before\n");
        story.hears("[truncated]longer than before\n");
    });
}

#[test]
fn a_file_that_is_cut_after_others_wrote_more_than_anybody_read_has_a_gap_of_that_size() {
    let mut story = Story::begin(false, "one\n");
    story.hears("one\n").append("app.log", "unread\n");
    // Seen, but nobody asks for it.
    story.feed.look(story.now);
    story.truncate("app.log", 0).append("app.log", "x\n").hears("[gap 7 Truncated][truncated]x\n");
}

#[test]
fn half_a_line_that_was_read_is_delivered_though_it_is_cut_off() {
    let mut story = Story::begin(true, "one\n");
    story
        .append("app.log", "half")
        .truncate("app.log", 0)
        .append("app.log", "x\n")
        .hears("one\nhalf[truncated]x\n");
}

#[test]
fn copytruncate_loses_nothing_that_is_in_the_copy() {
    twice(|story| {
        story.append("app.log", LONG).hears(&format!("one\n{LONG}"));
        story.append("app.log", "two\n").copy("app.log", "app.log.1").truncate("app.log", 0);
        story.append("app.log", "new\n").hears("two\n[truncated]new\n");
        story.append("app.log", LONG).hears(LONG).copy("app.log.1", "app.log.2").append("app.log", "three\n");
        story.copy("app.log", "app.log.1").truncate("app.log", 0).append("app.log", "newer\n");
        story.hears("three\n[truncated]newer\n");
    });
}

#[test]
fn a_deleted_file_is_read_to_its_end_and_waited_for() {
    twice(|story| {
        story.append("app.log", "two\n").remove("app.log").hears("one\ntwo\n");
        story.watch(300).hears("[missing: there is no such file]").watch(10_000).hears("");
        story.append("app.log", "new\n").hears("[back][rotated]new\n");
        story.remove("app.log").append("app.log", "newer\n").hears("[rotated]newer\n");
    });
}

#[test]
fn a_file_that_was_moved_away_and_back_goes_on_where_it_was() {
    for away in [1_000, 10_000] {
        twice(|story| {
            story.hears("one\n").rename("app.log", "elsewhere").watch(away);
            story.hears("[missing: there is no such file]").rename("elsewhere", "app.log");
            story.append("app.log", "two\n").hears("[back]two\n");
        });
    }
}

#[test]
fn a_file_that_comes_back_after_another_goes_on_where_it_was() {
    twice(|story| {
        story.hears("one\n").rename("app.log", "elsewhere").append("app.log", "other\n");
        story.hears("[rotated]other\n").rename("app.log", "away").rename("elsewhere", "app.log");
        story.append("app.log", "two\n").hears("[rotated]two\n");
        story.append("app.log", "three\n").hears("three\n");
    });
}

#[test]
fn atomic_replacement_is_a_rotation() {
    twice(|story| {
        for text in ["first\n", "second\n"] {
            story.append("new", text).rename("new", "app.log");
        }
        let heard =
            if story.looking { "one\n[rotated]first\n[rotated]second\n" } else { "one\n[rotated]second\n" };
        story.hears(heard);
    });
}

#[test]
fn what_is_no_regular_file_is_neither_read_nor_waited_upon() {
    twice(|story| {
        story.hears("one\n").remove("app.log");
        fs::create_dir(story.path("app.log")).unwrap();
        story.watch(600).hears("[missing: it is a folder, and only regular files are read]");
        fs::remove_dir(story.path("app.log")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", story.path("app.log")).unwrap();
        story.watch(600).hears("[missing: it leads out of its folder]");
        // That there was nothing at all for a moment is not worth another word.
        story.remove("app.log").append("app.log", "new\n").watch(300);
        story.hears("[back][rotated]new\n");
    });
}

#[test]
fn a_log_that_does_not_exist_yet_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let now = Instant::now();
    let mut feed = open(&folder, now);
    assert_eq!((feed.size(), feed.missing()), (None, Some("there is no such file")));
    let viewer = feed.start(&Start::Lines(10), now);
    let mut story = Story { folder, feed, viewer, heard: String::new(), now, looking: true };
    story.hears("[missing: there is no such file]");
    story
        .append("app.log", "new\n")
        .hears("[back]new\n")
        .restart()
        .append("app.log", "more\n")
        .hears("more\n");
}

#[test]
fn a_large_hole_is_told_and_not_read() {
    twice(|story| {
        let len = 1 << 40;
        story.hears("one\n").truncate("app.log", len);
        story.append("app.log", "behind\n").watch(300);
        let heard = std::mem::take(&mut story.heard);
        let shown: String = heard.chars().filter(|c| *c != '\0').collect();
        let gap: u64 = shown["[gap ".len()..].split_once(' ').unwrap().0.parse().unwrap();
        assert!(gap > len - 100_000, "{shown}");
        assert!(shown.ends_with("behind\n"));
    });
}

#[test]
fn a_viewer_goes_on_after_a_restart_of_the_server_where_it_was() {
    twice(|story| {
        story.append("app.log", LONG).hears(&format!("one\n{LONG}"));
        story.restart().hears("").append("app.log", "two\n").hears("two\n");
        // Away while the log is rotated twice, the second time by copying.
        let token = story.feed.cursor(&story.viewer);
        story.append("app.log", "three\n").rename("app.log", "app.log.2").append("app.log", LONG);
        story.copy("app.log", "app.log.1").truncate("app.log", 0).append("app.log", "new\n");
        story.feed = open(&story.folder, story.now);
        story.viewer = story.feed.start(&Start::Cursor(token), story.now);
        story.heard.clear();
        story.hears(&format!("three\n[rotated]{LONG}[rotated]new\n"));
    });
}

#[test]
fn a_cursor_into_what_is_gone_is_answered_by_a_gap_and_the_file_from_its_start() {
    let mut story = Story::begin(false, LONG);
    story.hears(LONG).remove("app.log").append("app.log", "new\n").restart();
    let heard = std::mem::take(&mut story.heard);
    // The inode may have been used again at once.
    assert!(["[gap ? Unknown]new\n", "[gap ? Truncated]new\n"].contains(&heard.as_str()) || heard.is_empty());
    story.truncate("app.log", 0).append("app.log", "x\n").restart().watch(50);
    assert!(story.heard.ends_with("x\n"), "{}", story.heard);
}

#[test]
fn a_viewer_may_leave_while_a_renamed_file_is_still_written_to() {
    twice(|story| {
        story.append("app.log", LONG).hears(&format!("one\n{LONG}"));
        story.rename("app.log", "app.log.1").append("app.log", "new\n").hears("[rotated]new\n");
        assert_eq!(story.feed.cursor(&story.viewer).places().len(), 2);
        story.append("app.log.1", "late\n").append("app.log", "newer\n");
        let heard = if story.looking { "late\nnewer\n" } else { "" };
        assert_eq!(std::mem::take(&mut story.heard), heard);
        let rest = if story.looking { "" } else { "late\nnewer\n" };
        story.restart().hears(rest);
        story.append("app.log.1", "later\n").hears("later\n");
    });
}

#[test]
fn the_last_lines_are_continued_into_the_file_before() {
    let mut story = Story::begin(false, "one\ntwo\nthree\n");
    story.rename("app.log", "app.log.1").append("app.log", "four\nfi");
    story.feed = open(&story.folder, story.now);
    for (lines, expected) in [
        (0, ""),
        (1, "fi"),
        (2, "four\nfi"),
        (3, "three\n[rotated]four\nfi"),
        (9, "one\ntwo\nthree\n[rotated]four\nfi"),
    ] {
        story.viewer = story.feed.start(&Start::Lines(lines), story.now);
        story.heard.clear();
        story.listen();
        assert_eq!(story.heard, expected, "{lines} lines");
    }
}

#[test]
fn viewers_share_what_is_read_at_the_head_and_join_again_when_they_were_slow() {
    let mut story = Story::begin(true, "one\n");
    let slow = story.viewer.clone();
    let mut written = String::new();
    for i in 0..100_000 {
        written += &format!("{i:08} and so on, until the window is full of lines\n");
    }
    story.append("app.log", &written);
    assert_eq!(story.heard.len(), 4 + written.len());
    assert_eq!(story.feed.lag(&slow), written.len() as u64);
    let (mut at, mut got, mut shared) = (slow, String::new(), false);
    let again = story.feed.start(&Start::Beginning, story.now);
    while let Step::Piece(piece, position) = story.feed.next(&at, story.now) {
        let PieceKind::Lines { text, .. } = &piece.kind else { panic!("{piece:?}") };
        assert!(text.len() <= 64 * 1024);
        got += std::str::from_utf8(text).unwrap();
        shared |= Rc::strong_count(&piece) > 1;
        at = position;
    }
    assert!(got == written && shared);
    assert_eq!(story.feed.lag(&at), 0);
    assert_eq!(story.feed.lag(&again), 4 + written.len() as u64);
}

#[test]
fn a_slow_viewer_is_told_exactly_how_much_of_a_deleted_file_it_missed() {
    let mut story = Story::begin(true, "one\n");
    let slow = story.viewer.clone();
    let text = "a line\n".repeat(1_000_000);
    story.append("app.log", &text);
    story.remove("app.log").append("app.log", "new\n").watch(6_000);
    story.viewer = slow;
    story.heard.clear();
    story.listen();
    // The window has the end of it still.
    let heard = story.heard.strip_prefix("[gap ").expect("the beginning is gone");
    let (missed, rest) = heard.split_once(" Rotated]").unwrap();
    let rest = rest.strip_suffix("[rotated]new\n").unwrap();
    assert_eq!(missed.parse::<usize>().unwrap() + rest.len(), text.len());
    assert!(rest.len() > 3_000_000 && text.ends_with(rest));
}

#[test]
fn rotations_that_nobody_reads_cost_no_handles_and_lose_nothing_that_is_there() {
    let mut story = Story::begin(false, "one\n");
    story.hears("one\n");
    for day in 0..80 {
        story
            .rename("app.log", &format!("app.log-{}", 20260101 + day))
            .append("app.log", &format!("day {day}\n"));
        story.now += Duration::from_secs(6);
        story.feed.look_now(story.now);
    }
    let open = fs::read_dir("/proc/self/fd").unwrap().filter(|entry| {
        let target = fs::read_link(entry.as_ref().unwrap().path()).unwrap_or_default();
        target.starts_with(story.folder.path())
    });
    // The folder itself, the file at the path, and those that were only just left.
    assert!(open.count() < 10);
    // Siblings are looked for among the youngest 64; what is in older ones is counted.
    let days = |days: std::ops::Range<u32>| -> String {
        days.map(|day| {
            if day < 15 {
                format!("[rotated][gap {} Rotated]", 5 + day.to_string().len())
            } else {
                format!("[rotated]day {day}\n")
            }
        })
        .collect()
    };
    story.listen();
    assert_eq!(std::mem::take(&mut story.heard), days(0..80));
}

#[test]
fn a_file_of_ten_gigabytes_opens_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create(folder.path().join("app.log")).unwrap();
    file.write_all_at(b"\nlast\n", 10 << 30).unwrap();
    let begun = Instant::now();
    let mut feed = open(&folder, begun);
    let viewer = feed.start(&Start::Lines(1), begun);
    let Step::Piece(piece, _) = feed.next(&viewer, begun) else { panic!("there is a line") };
    assert_eq!(spoken(&piece.kind), "last\n");
    assert!(begun.elapsed() < Duration::from_secs(1));
}
