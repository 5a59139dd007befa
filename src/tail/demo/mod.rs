//! A log that writes itself, for when `wiretail` is started without a source.
//!
//! Is told the time and never waits. Who shows the log does not know that we write it.

pub mod chatter;
pub mod voice;

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::tail::spool::{RotatingFile, private_folder};
use chatter::{Chatter, Random};

/// `demo.log` in a temporary folder, with a past of some minutes and a few new lines each second.
///
/// It is rotated after half a minute or so and then every other minute, so that this can be watched, too.
#[derive(Debug)]
pub struct Demo {
    chatter: Chatter,
    pace: Pace,
    next: SystemTime,
    file: RotatingFile,
    // Removes the folder and the files in it when it is dropped.
    _folder: TempDir,
}

/// How many lines there are before anybody looks.
const PAST_LINES: usize = 2000;

/// How much the file grows before it is rotated.
const FILE_SIZE: u64 = 48 * 1024;

/// How much it does so for the first time: whoever tries the demo should not wait long to see it.
const FIRST_GROWTH: u64 = 20 * 1024;

/// How many rotated files are kept.
const KEEP: u32 = 4;

/// The most that one tick writes.
const LINES_PER_TICK: usize = 100;

impl Demo {
    /// Writes the past and begins the present.
    pub fn start(now: SystemTime) -> io::Result<Self> {
        let folder = private_folder()?;
        let mut chatter = Chatter::new(0x7769_7265);
        let mut pace = Pace { random: Random(0x7461_696c), left: 0 };
        let gaps: Vec<Duration> = (0..PAST_LINES).map(|_| pace.next_gap()).collect();
        let mut moment = now.checked_sub(gaps.iter().sum()).unwrap_or(SystemTime::UNIX_EPOCH);
        let mut file = RotatingFile::open(&folder.path().join("demo.log"), u64::MAX, KEEP)?;
        for gap in gaps {
            put_line(&mut file, &mut chatter, moment);
            moment += gap;
        }
        file.flush()?;
        file.set_limit(file.size() + FIRST_GROWTH);
        Ok(Self { chatter, pace, next: now, file, _folder: folder })
    }

    /// The log.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Writes the lines that are due, at most a hundred.
    ///
    /// An error (a full disk) costs nothing but time: call again.
    pub fn tick(&mut self, now: SystemTime) -> io::Result<()> {
        // What could not be written is enough to remember.
        self.file.flush()?;
        // The clock was set, or we slept: the missed lines are of no interest to anybody.
        const FAR: Duration = Duration::from_secs(10);
        if self.next + FAR < now || now + FAR < self.next {
            self.next = now;
        }
        for _ in 0..LINES_PER_TICK {
            if self.next > now {
                break;
            }
            put_line(&mut self.file, &mut self.chatter, self.next);
            self.next += self.pace.next_gap();
        }
        let size_before = self.file.size();
        self.file.flush()?;
        if self.file.size() < size_before {
            self.file.set_limit(FILE_SIZE);
        }
        Ok(())
    }
}

fn put_line(file: &mut RotatingFile, chatter: &mut Chatter, moment: SystemTime) {
    file.push(chatter.next_line(moment).as_bytes());
    file.push(b"\n");
}

/// Bursts of lines with pauses between them: people come, click around, and go.
#[derive(Debug)]
struct Pace {
    random: Random,
    // In this burst.
    left: u64,
}

impl Pace {
    /// How long after a line the next one comes.
    fn next_gap(&mut self) -> Duration {
        let millis = if self.left > 0 {
            self.left -= 1;
            self.random.below(150)
        } else {
            self.left = self.random.below(20);
            300 + self.random.below(2200)
        };
        Duration::from_millis(millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::utc::Utc;
    use std::fs;

    fn lines(path: &Path) -> Vec<String> {
        fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn there_is_a_past() {
        let now = SystemTime::now();
        let demo = Demo::start(now).unwrap();
        let lines = lines(demo.path());
        assert_eq!(lines.len(), PAST_LINES);
        let mut times: Vec<&str> =
            lines.iter().filter(|line| line.starts_with('2')).map(|line| &line[..24]).collect();
        assert!(times.is_sorted());
        assert!(times.pop().unwrap() <= Utc::from(now).to_string().as_str());
        let minutes_ago = Utc::from(now - Duration::from_secs(120)).to_string();
        assert!(times[0] < minutes_ago.as_str());
    }

    #[test]
    fn a_few_lines_come_each_second() {
        let mut now = SystemTime::now();
        let mut demo = Demo::start(now).unwrap();
        let mut counts = Vec::new();
        for _ in 0..100 {
            let before = demo.file.size();
            demo.tick(now).unwrap();
            demo.tick(now).unwrap();
            counts.push(demo.file.size() - before);
            now += Duration::from_millis(100);
        }
        let grown = counts.iter().sum::<u64>();
        assert!((1000..20_000).contains(&grown), "{grown} bytes in ten seconds");
        assert!(counts.iter().filter(|&&count| count == 0).count() > 20, "there are pauses");
    }

    #[test]
    fn it_is_rotated_within_two_minutes_and_again() {
        let mut now = SystemTime::now();
        let mut demo = Demo::start(now).unwrap();
        let rotated = |number| demo_path(&demo, number);
        let (first, second) = (rotated(1), rotated(2));
        let end = now + Duration::from_secs(120);
        while now < end {
            demo.tick(now).unwrap();
            now += Duration::from_millis(250);
        }
        assert!(first.exists());
        while now < end + Duration::from_secs(240) {
            demo.tick(now).unwrap();
            now += Duration::from_millis(250);
        }
        assert!(second.exists());
        assert!(demo.file.size() <= FILE_SIZE);
    }

    fn demo_path(demo: &Demo, number: u32) -> std::path::PathBuf {
        demo.path().with_file_name(format!("demo.log.{number}"))
    }

    #[test]
    fn a_clock_that_jumps_does_no_harm() {
        let now = SystemTime::now();
        let mut demo = Demo::start(now).unwrap();
        let hour = Duration::from_secs(3600);
        for moment in [now + hour, now, now + Duration::from_secs(3)] {
            let before = demo.file.size();
            demo.tick(moment).unwrap();
            let grown = demo.file.size() - before;
            assert!((1..8000).contains(&grown), "{grown} bytes");
        }
    }

    #[test]
    fn it_leaves_nothing_behind() {
        let demo = Demo::start(SystemTime::now()).unwrap();
        let folder = demo.path().parent().unwrap().to_owned();
        drop(demo);
        assert!(!folder.exists());
    }
}
