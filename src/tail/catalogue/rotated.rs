//! Rotated files and the logs they were, by their names alone.
//!
//! Rotation renames `app.log` to something that can be recognised: `app.log.1`, `app.log-20261120`,
//! `app-2026-11-20.log`, compressed or not. Such a file is part of the history of `app.log`, not a log to be
//! watched. Whether it really is one is known only to its content; this file knows no files.

/// The endings compressed files have. Their content is not text, so they are no logs to be watched.
const COMPRESSED: [&str; 6] = [".gz", ".xz", ".zst", ".bz2", ".lz4", ".zip"];

/// What is put behind a name to set the file aside.
const SET_ASIDE: [&str; 3] = [".old", ".bak", "~"];

/// Whether a file of this name holds compressed data.
pub fn is_compressed(name: &str) -> bool {
    COMPRESSED.iter().any(|ending| name.ends_with(ending))
}

/// The names of the logs that a file of this name may be a rotated part of, closest first. None for most names.
///
/// ```
/// use wiretail::tail::catalogue::rotated::bases;
/// assert_eq!(bases("app.log.2.gz"), ["app.log.2", "app.log"]);
/// assert_eq!(bases("app.log-20261120"), ["app.log"]);
/// assert_eq!(bases("app-2026-11-20.log"), ["app.log"]);
/// assert_eq!(bases("worker-1.log"), [""; 0]);
/// ```
pub fn bases(name: &str) -> Vec<String> {
    let mut bases = Vec::new();
    let mut rest = name;
    for ending in COMPRESSED {
        rest = rest.strip_suffix(ending).unwrap_or(rest);
    }
    if rest != name {
        bases.push(rest.to_owned());
    }
    if let Some(base) = SET_ASIDE.iter().find_map(|ending| rest.strip_suffix(ending)) {
        bases.push(base.to_owned());
    }
    bases.extend(before_stamps(rest, Stamp::NumberOrDate).map(str::to_owned));
    // The date in front of the extension, as logrotate's `extension` and many logging libraries have it. A
    // number there is more often one of several logs of equal rank: `worker-1.log`.
    if let Some((stem, extension)) = rest.rsplit_once('.')
        && extension.contains(char::is_alphabetic)
    {
        bases.extend(before_stamps(stem, Stamp::Date).map(|base| format!("{base}.{extension}")));
    }
    bases.retain(|base| !base.is_empty());
    bases
}

/// What counts as the mark of a rotation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stamp {
    /// At least the eight digits of a day, in whatever grouping.
    Date,
    /// Such a date, or a plain number behind a dot.
    NumberOrDate,
}

/// What is left of `name` when a stamp is taken off its end. Longest first: of `worker-1-20261120` first
/// `worker-1`, then `worker`, for `-1-20261120` might be a stamp as well.
fn before_stamps(name: &str, stamp: Stamp) -> impl Iterator<Item = &str> {
    let base =
        name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | '.' | ':' | 'T' | '+'));
    // `backup2026` is a name that ends in digits; a stamp is set off.
    let starts = name.rmatch_indices(['-', '_', '.']).map(|(start, _)| start);
    starts.take_while(|&start| start >= base.len()).filter_map(move |start| {
        let (base, tail) = name.split_at(start);
        let digits = tail.chars().filter(char::is_ascii_digit).count();
        let number =
            tail.strip_prefix('.').is_some_and(|rest| (1..=4).contains(&digits) && digits == rest.len());
        let fits = digits >= 8 || (stamp == Stamp::NumberOrDate && number);
        fits.then_some(base)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_names_lead_to_their_log() {
        for (rotated, base) in [
            ("app.log.1", "app.log"),
            ("app.log.12", "app.log"),
            ("syslog.1", "syslog"),
            ("app.log.old", "app.log"),
            ("app.log~", "app.log"),
            ("app.log.gz", "app.log"),
            ("app.log.3.gz", "app.log"),
            ("app.log-20261120", "app.log"),
            ("app.log-20261120.xz", "app.log"),
            ("app.log-2026112013", "app.log"),
            ("app.log.2026-11-20", "app.log"),
            ("app.log.2026-11-20T13:00:00.zst", "app.log"),
            ("app.log.2026-11-20.1", "app.log"),
            ("app-20261120.log", "app.log"),
            ("app.2026-11-20.log.gz", "app.log"),
            ("app-2026-11-20.0.log", "app.log"),
            ("app__2026-11-20_00-00-00.log", "app.log"),
            ("worker-1-20261120.log", "worker-1.log"),
            ("日志-20261120.log", "日志.log"),
        ] {
            let bases = bases(rotated);
            assert!(bases.contains(&base.to_owned()), "{rotated}: {bases:?}");
        }
    }

    #[test]
    fn other_names_lead_nowhere() {
        for name in [
            "app.log",
            "worker-1.log",
            "worker1",
            "worker-1",
            "error_log",
            "a",
            "",
            ".1",
            "1",
            "20261120",
            "backup2026",
            "app.v2.log",
            "x.",
            "node-18.log",
            "port.8080.log",
        ] {
            assert_eq!(bases(name), [""; 0], "{name}");
        }
    }

    #[test]
    fn compressed_files_are_told_by_their_endings() {
        assert!(is_compressed("app.log.1.gz") && is_compressed("x.zst"));
        assert!(!is_compressed("app.log") && !is_compressed("gz"));
    }
}
