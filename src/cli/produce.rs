//! `wiretail produce`: writes a log, as fast as wanted, for trying things out.
//!
//! What it writes is `tail::demo::chatter`'s; this file is about how much and how fast.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use signal_hook::consts::{SIGINT, SIGTERM};

use super::whole;
use crate::tail::demo::chatter::Chatter;
use crate::tail::demo::voice::{Format, Language, Voice};
use crate::tail::spool::{RotatingFile, Rotation};

/// What can be written after `wiretail produce`.
#[derive(Clone, Debug, clap::Args)]
#[command(
    about = "Write a realistic log, for trying things out",
    after_help = "Examples:\n  wiretail produce /tmp/shop.log --rate 20\n  wiretail produce - --rate 1000 | wiretail -\n  \
                  wiretail produce /tmp/app.log --format multiline --language zh --rotate 1M --how compress"
)]
pub struct Args {
    /// The file to append to, or - for standard output
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Lines per second, from 0.1 to 100000
    #[arg(long, value_name = "N", default_value = "10", value_parser = parse_rate)]
    pub rate: f64,

    /// Set the file aside as FILE.1 before it grows over this size, like 64K, 10M or 1G; 0 never does
    #[arg(long, value_name = "SIZE", default_value = "10M", value_parser = parse_size)]
    pub rotate: u64,

    /// How a full file is set aside: rename, copytruncate, or compress (renamed, then gzip)
    #[arg(long, value_name = "HOW", default_value = "rename", value_parser = parse_how)]
    pub how: Rotation,

    /// What the lines look like: mixed (of everything something), plain, json, colour, or multiline (stack traces)
    #[arg(long, value_name = "FORMAT", default_value = "mixed", value_parser = parse_format)]
    pub format: Looks,

    /// What they are written in: en, zh, or both; a mixed log is always in both
    #[arg(long, value_name = "LANGUAGE", default_value = "both", value_parser = parse_language)]
    pub language: Language,

    /// How many files that were set aside to keep
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = whole(0..=1000))]
    pub keep: u64,

    /// Stop after so many lines; otherwise Ctrl+C does it
    #[arg(long, value_name = "N", value_parser = whole(1..=u64::MAX))]
    pub lines: Option<u64>,
}

/// What the lines look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// Of everything something.
    Mixed,
    /// All the same.
    Uniform(Format),
}

fn parse_how(text: &str) -> Result<Rotation, String> {
    match text {
        "rename" => Ok(Rotation::Rename),
        "copytruncate" => Ok(Rotation::CopyTruncate),
        "compress" => Ok(Rotation::Compress),
        _ => Err("a full file is set aside by rename, copytruncate or compress".to_owned()),
    }
}

fn parse_format(text: &str) -> Result<Looks, String> {
    match text {
        "mixed" => Ok(Looks::Mixed),
        "plain" => Ok(Looks::Uniform(Format::Plain)),
        "json" => Ok(Looks::Uniform(Format::Json)),
        "colour" | "color" => Ok(Looks::Uniform(Format::Colour)),
        "multiline" => Ok(Looks::Uniform(Format::Multiline)),
        _ => Err("the formats are mixed, plain, json, colour and multiline".to_owned()),
    }
}

fn parse_language(text: &str) -> Result<Language, String> {
    match text {
        "en" => Ok(Language::English),
        "zh" => Ok(Language::Chinese),
        "both" => Ok(Language::Both),
        _ => Err("the languages are en, zh and both".to_owned()),
    }
}

fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.1..=100_000.0).contains(&rate) => Ok(rate),
        _ => Err("lines per second are a number from 0.1 to 100000".to_owned()),
    }
}

/// Understands `1048576`, `1024K`, `1M`, `1MB` and `1MiB` as the same.
fn parse_size(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.to_ascii_lowercase();
    let factor = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => 0,
    };
    match number.parse().ok().and_then(|number: u64| number.checked_mul(factor)) {
        Some(0) if number.trim_start_matches('0').is_empty() && factor > 0 => Ok(0),
        Some(size) if size >= 1024 => Ok(size),
        _ => Err("sizes are 0, or at least 1K; with K, M or G for 1024 and its powers, like 10M".to_owned()),
    }
}

/// Why writing ended before it should have.
#[derive(Debug)]
pub enum ProduceError {
    /// The signals that should end it cleanly cannot be caught.
    Signals(io::Error),
    /// The file cannot be opened, written or renamed.
    File(PathBuf, io::Error),
}

impl ProduceError {
    /// What the program ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Signals(_) | Self::File(..) => 1,
        }
    }
}

impl fmt::Display for ProduceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signals(error) => write!(f, "cannot catch SIGINT: {error}"),
            Self::File(path, error) if error.kind() == io::ErrorKind::NotFound => {
                write!(f, "cannot write {path:?}: {error}; the folder it is in has to exist")
            }
            Self::File(path, error) => write!(f, "cannot write {path:?}: {error}"),
        }
    }
}

impl std::error::Error for ProduceError {}

/// Writes until the lines are written, or until SIGINT or SIGTERM.
pub fn run(args: &Args) -> Result<(), ProduceError> {
    let stopping = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stopping)).map_err(ProduceError::Signals)?;
    }
    let failed = |error| ProduceError::File(args.file.clone(), error);
    let mut out = Out::open(args).map_err(failed)?;
    let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    match produce(args, &mut out, chatter(args, seed), &stopping) {
        // Whoever read from the pipe has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.map_err(failed),
    }
}

fn chatter(args: &Args, seed: u64) -> Chatter {
    match args.format {
        Looks::Mixed => Chatter::new(seed),
        Looks::Uniform(format) => Chatter::speaking(seed, Voice { format, language: args.language }),
    }
}

/// Writes what is due, sleeps, and so on. What came too late, because the disk or the reader was slow, is
/// caught up.
fn produce(args: &Args, out: &mut Out, mut chatter: Chatter, stopping: &AtomicBool) -> io::Result<()> {
    // The most that is written at once, so that a stop is heard soon.
    const BATCH: u64 = 2000;
    // How soon a stop is heard at a low rate; at a high one, how many lines come together (these are the 10
    // ms).
    const LONGEST_SLEEP: Duration = Duration::from_millis(100);
    const SHORTEST_SLEEP: Duration = Duration::from_millis(10);

    let started = Instant::now();
    let mut written = 0;
    while !stopping.load(Ordering::Relaxed) && args.lines.is_none_or(|lines| written < lines) {
        // The first line is due at once.
        let due = 1 + (started.elapsed().as_secs_f64() * args.rate) as u64;
        let due = due.min(args.lines.unwrap_or(u64::MAX));
        let now = SystemTime::now();
        for _ in written..due.min(written + BATCH) {
            out.push(chatter.next_line(now));
        }
        written = due.min(written + BATCH);
        out.flush()?;
        if written == due {
            let next = Duration::from_secs_f64(written as f64 / args.rate).saturating_sub(started.elapsed());
            thread::sleep(next.clamp(SHORTEST_SLEEP, LONGEST_SLEEP));
        }
    }
    Ok(())
}

/// Where the lines go.
enum Out {
    File(RotatingFile),
    Stdout(Vec<u8>),
}

impl Out {
    fn open(args: &Args) -> io::Result<Self> {
        if args.file == Path::new("-") {
            return Ok(Self::Stdout(Vec::new()));
        }
        let limit = if args.rotate == 0 { u64::MAX } else { args.rotate };
        let file = RotatingFile::open(&args.file, limit, u32::try_from(args.keep).unwrap_or(u32::MAX))?;
        Ok(Self::File(file.rotated_by(args.how)))
    }

    fn push(&mut self, line: &str) {
        match self {
            Self::File(file) => {
                file.push(line.as_bytes());
                file.push(b"\n");
            }
            Self::Stdout(unwritten) => {
                unwritten.extend_from_slice(line.as_bytes());
                unwritten.push(b'\n');
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stdout(unwritten) => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(unwritten)?;
                unwritten.clear();
                stdout.flush()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        args: Args,
    }

    fn typed(words: &[&str]) -> Result<Args, clap::Error> {
        Typed::try_parse_from(std::iter::once(&"produce").chain(words)).map(|typed| typed.args)
    }

    fn never() -> AtomicBool {
        AtomicBool::new(false)
    }

    /// Writes with `words` behind the file's name, and gives back what is in the files, the newest first.
    fn written(words: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.log");
        let args = typed(&[&[path.to_str().unwrap()], words].concat()).unwrap();
        produce(&args, &mut Out::open(&args).unwrap(), chatter(&args, 1), &never()).unwrap();
        let numbered = (1..).map(|number| folder.path().join(format!("shop.log.{number}")));
        std::iter::once(path.clone())
            .chain(numbered)
            .map_while(|path| std::fs::read_to_string(path).ok())
            .collect()
    }

    #[test]
    fn as_many_lines_as_asked_for_are_written() {
        let files = written(&["--rate", "100000", "--lines", "5000"]);
        assert_eq!(files.iter().map(|text| text.lines().count()).collect::<Vec<_>>(), [5000]);
        assert!(files[0].ends_with('\n'));
    }

    #[test]
    fn full_files_are_rotated_at_line_ends() {
        let files = written(&["--rate", "100000", "--lines", "1000", "--rotate", "4K", "--keep", "2"]);
        assert_eq!(files.len(), 3);
        assert!(files.iter().all(|text| text.len() <= 4096 && text.ends_with('\n')));
        let whole = written(&["--rate", "100000", "--lines", "1000", "--rotate", "0"]);
        // The times differ; the rest of the last line does not.
        assert_eq!(files[0].lines().next_back().unwrap()[24..], whole[0].lines().next_back().unwrap()[24..]);
    }

    #[test]
    fn the_same_lines_are_written_however_a_full_file_is_set_aside() {
        let whole = |how: &str| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("shop.log");
            let words =
                ["--rate", "100000", "--lines", "3000", "--rotate", "16K", "--keep", "100", "--how", how];
            let words = [&[path.to_str().unwrap(), "--format", "json"], &words[..]].concat();
            let args = typed(&words).unwrap();
            produce(&args, &mut Out::open(&args).unwrap(), chatter(&args, 1), &never()).unwrap();
            let ending = if how == "compress" { ".gz" } else { "" };
            let mut text = std::fs::read_to_string(&path).unwrap();
            let mut files = 0;
            for number in 1.. {
                let Ok(file) = std::fs::File::open(folder.path().join(format!("shop.log.{number}{ending}")))
                else {
                    break;
                };
                let part = match ending {
                    "" => io::read_to_string(file),
                    _ => io::read_to_string(flate2::read::GzDecoder::new(file)),
                };
                text = part.unwrap() + &text;
                files += 1;
            }
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), files + 1, "no other file is left");
            assert!(files > 10, "{files}");
            // The times differ.
            text.lines().map(|line| line[line.find("level").unwrap()..].to_owned()).collect::<Vec<_>>()
        };
        let renamed = whole("rename");
        assert_eq!(renamed.len(), 3000);
        assert_eq!(whole("copytruncate"), renamed);
        assert_eq!(whole("compress"), renamed);
    }

    #[test]
    fn without_old_files_to_keep_there_is_one_file_whatever_the_way() {
        for how in ["rename", "copytruncate", "compress"] {
            let words =
                ["--rate", "100000", "--lines", "1000", "--rotate", "4K", "--keep", "0", "--how", how];
            let files = written(&words);
            assert!(files.len() == 1 && files[0].len() <= 4096, "{how}: {files:?}");
        }
    }

    #[test]
    fn the_pace_is_kept() {
        let started = Instant::now();
        assert_eq!(written(&["--rate", "100", "--lines", "21"])[0].lines().count(), 21);
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(200), "{took:?}");
    }

    #[test]
    fn a_stop_is_heard() {
        let args = typed(&["-", "--rate", "0.1"]).unwrap();
        let stopping = AtomicBool::new(true);
        produce(&args, &mut Out::open(&args).unwrap(), Chatter::new(1), &stopping).unwrap();
    }

    #[test]
    fn sizes_and_rates() {
        for (text, size) in [
            ("0", 0),
            ("1024", 1024),
            ("64k", 64 << 10),
            ("10M", 10 << 20),
            ("1GiB", 1 << 30),
            ("2MB", 2 << 20),
        ] {
            assert_eq!(parse_size(text), Ok(size), "{text}");
        }
        for text in ["", "M", "-1", "1.5M", "10X", "1000", "99999999999G", "10 M", "0x10", "bb"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        assert_eq!((parse_rate("0.1"), parse_rate("100000")), (Ok(0.1), Ok(100_000.0)));
        for text in ["0", "0.09", "100001", "-1", "NaN", "inf", "fast"] {
            assert!(parse_rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn wrong_words_are_named() {
        let complaint = typed(&["x.log", "--rotate", "10X"]).unwrap_err().to_string();
        assert!(complaint.contains("10X") && complaint.contains("like 10M"), "{complaint}");
        for (words, said) in [
            (["x.log", "--format", "xml"], "mixed, plain, json, colour and multiline"),
            (["x.log", "--how", "move"], "rename, copytruncate or compress"),
            (["x.log", "--language", "de"], "en, zh and both"),
        ] {
            let complaint = typed(&words).unwrap_err().to_string();
            assert!(complaint.contains(words[2]) && complaint.contains(said), "{complaint}");
        }
        let complaint = typed(&["x.log", "--rate", "0"]).unwrap_err().to_string();
        assert!(complaint.contains("from 0.1 to 100000"), "{complaint}");
    }

    #[test]
    fn a_folder_that_is_missing_is_told() {
        let args = typed(&["/no/such/folder/x.log"]).unwrap();
        let error = run(&args).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(
            error.to_string().contains("/no/such/folder/x.log") && error.to_string().contains("has to exist")
        );
    }
}
