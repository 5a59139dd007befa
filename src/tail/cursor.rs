//! A place in a log, as a token for URLs and messages.
//!
//! A place is a generation of the log (one incarnation of its file) and an offset into it, counted in bytes of the
//! source. It must mean the same after a restart of the server, so the generation is named by what lies on the disk:
//! the file's inode, a fingerprint of its first bytes, and one of the bytes just before the offset.
//!
//! Does not know how to find the file that a place names: that is `lineage`.

use std::fmt;
use std::str::FromStr;

use sha1::{Digest, Sha1};

/// How much of a generation's beginning its fingerprint covers.
pub const HEAD: usize = 256;

/// How many bytes before an offset are looked at, to see that they are still the ones that were read.
pub const GUARD: usize = 64;

/// A copy of a file has another inode, so it is known by its content alone; with less than this there is too little
/// of it to be sure: many a log begins with the same banner or date.
pub const ENOUGH: usize = 64;

/// How far a viewer has come in a log: opaque to everybody outside of `tail`.
///
/// Normally one place. While a renamed file is still being written to beside its successor there are several, oldest
/// first. What it means:
///
/// - of the generation of each place, everything before the offset is had and nothing after it;
/// - of generations older than the last place and not listed, everything is had;
/// - of generations newer than the last place, nothing is.
///
/// ```text
///   4a1f.9c0d6e1122334455.0badcafe.1f40[~4a20.…]
///   inode  first bytes     guard    offset      all hexadecimal
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    places: Vec<Place>,
}

/// An offset in one generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file's number on its file system. The device is not part of it: it changes with each mount of an NFS. Where
    /// it was an archive, a number made of that and its first bytes.
    pub inode: u64,
    /// Fingerprint of the first min(offset, 256) bytes.
    pub head: HeadPrint,
    /// Fingerprint of the last min(offset, 64) bytes before the offset. Tells two generations apart that begin alike.
    pub guard: GuardPrint,
    /// Bytes of the generation before this place.
    pub offset: u64,
}

impl Cursor {
    /// More places than this do not occur: a follower reads at most that many generations at once.
    pub const MOST_PLACES: usize = 8;

    /// A cursor of these places, oldest first. There must be at least one.
    pub(crate) fn new(places: Vec<Place>) -> Self {
        debug_assert!(!places.is_empty() && places.len() <= Self::MOST_PLACES);
        Self { places }
    }

    /// The places, oldest first; never empty.
    pub fn places(&self) -> &[Place] {
        &self.places
    }
}

/// Fingerprint of a generation's first bytes: the first eight bytes of their SHA-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeadPrint([u8; 8]);

impl HeadPrint {
    /// The number by which places name a generation that was first seen in the archive with this inode, and begins like
    /// this. Its highest bit tells it from those of files: that of a log may be used again for an archive, as soon as the
    /// log has been compressed, and that of an archive for the next one.
    pub(crate) fn in_archive(self, inode: u64) -> u64 {
        u64::from_be_bytes(self.0) ^ inode | 1 << 63
    }

    /// Of a generation that begins with `bytes`, for a place at `offset`. `bytes` has at least min(offset, 256) bytes.
    pub fn of(bytes: &[u8], offset: u64) -> Self {
        let len = head_len(offset).min(bytes.len());
        Self(first_of_sha1(&bytes[..len]))
    }
}

/// Fingerprint of the bytes just before an offset: the first four bytes of their SHA-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GuardPrint([u8; 4]);

impl GuardPrint {
    /// Of the last bytes before an offset: at most [`GUARD`] of them, counted from the end, are looked at.
    pub fn of(before: &[u8]) -> Self {
        let start = before.len().saturating_sub(GUARD);
        Self(first_of_sha1(&before[start..]))
    }
}

/// What fingerprints are made with, so that nobody else can make them.
///
/// Of a log that is shown as it is, anybody may: they tell nothing that is not in it. Where parts are masked, a
/// fingerprint of what nobody may see would be a way to test guesses; so there a secret goes into it, and the offset, so
/// that the same bytes elsewhere look different.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Seal(Option<[u8; 20]>);

impl Seal {
    /// Made from a secret of this host, which must be the same after a restart if cursors are to outlive it.
    pub fn of(secret: &[u8]) -> Self {
        Self(Some(first_of_sha1(&[b"wiretail cursors\n", secret].concat())))
    }

    /// The fingerprint of a generation that begins with `bytes`, as [`HeadPrint::of`].
    pub(crate) fn head(&self, bytes: &[u8], offset: u64) -> HeadPrint {
        let len = head_len(offset).min(bytes.len());
        match self.0 {
            None => HeadPrint::of(bytes, offset),
            Some(key) => HeadPrint(first_of_sha1(&[&key[..], b"head", &bytes[..len]].concat())),
        }
    }

    /// The fingerprint of the last bytes before `offset`, as [`GuardPrint::of`].
    pub(crate) fn guard(&self, before: &[u8], offset: u64) -> GuardPrint {
        let start = before.len().saturating_sub(GUARD);
        match self.0 {
            None => GuardPrint::of(before),
            Some(key) => {
                let parts = [&key[..], b"guard", &offset.to_be_bytes(), &before[start..]];
                GuardPrint(first_of_sha1(&parts.concat()))
            }
        }
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Seal" } else { "no seal" })
    }
}

/// How many of a generation's first bytes the fingerprint of a place at `offset` covers.
pub fn head_len(offset: u64) -> usize {
    usize::try_from(offset).map_or(HEAD, |offset| offset.min(HEAD))
}

/// How many bytes before `offset` its guard covers.
pub fn guard_len(offset: u64) -> usize {
    usize::try_from(offset).map_or(GUARD, |offset| offset.min(GUARD))
}

fn first_of_sha1<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let digest = Sha1::digest(bytes);
    std::array::from_fn(|i| digest[i])
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // "~" is one of the few marks that mean nothing in any part of a URL (RFC 3986 §2.3); a "+" would arrive as
        // a space where forms are decoded.
        for (i, place) in self.places.iter().enumerate() {
            let separator = if i == 0 { "" } else { "~" };
            let head = u64::from_be_bytes(place.head.0);
            let guard = u32::from_be_bytes(place.guard.0);
            write!(f, "{separator}{:x}.{head:016x}.{guard:08x}.{:x}", place.inode, place.offset)?;
        }
        Ok(())
    }
}

/// The text is not a cursor that we wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACursor;

impl fmt::Display for NotACursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is not a cursor of wiretail")
    }
}

impl std::error::Error for NotACursor {}

impl FromStr for Cursor {
    type Err = NotACursor;

    /// Reads exactly what [`Display`](fmt::Display) writes, so that a place has one spelling. Bounded by
    /// [`MOST_PLACES`](Self::MOST_PLACES), whatever the length of `text`.
    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let mut places = Vec::new();
        for part in text.split('~') {
            if places.len() == Self::MOST_PLACES {
                return Err(NotACursor);
            }
            places.push(place(part).ok_or(NotACursor)?);
        }
        Ok(Self { places })
    }
}

fn place(text: &str) -> Option<Place> {
    let mut fields = text.split('.');
    let place = Place {
        inode: number(fields.next()?)?,
        head: HeadPrint(fixed(fields.next()?, 16)?.to_be_bytes()),
        guard: GuardPrint(u32::try_from(fixed(fields.next()?, 8)?).ok()?.to_be_bytes()),
        offset: number(fields.next()?)?,
    };
    fields.next().is_none().then_some(place)
}

fn number(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    if canonical && text.len() <= 16 { hexadecimal(text) } else { None }
}

fn fixed(text: &str, len: usize) -> Option<u64> {
    if text.len() == len { hexadecimal(text) } else { None }
}

fn hexadecimal(text: &str) -> Option<u64> {
    // from_str_radix alone would take capitals and a leading "+" as well.
    let ours = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if ours { u64::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_at(offset: u64) -> Place {
        let text: Vec<u8> = (0..=255).cycle().take(300).collect();
        let before = &text[..usize::try_from(offset).unwrap()];
        Place { inode: 0x4a1f, head: HeadPrint::of(&text, offset), guard: GuardPrint::of(before), offset }
    }

    #[test]
    fn a_token_reads_back_as_the_same_cursor() {
        for places in [vec![place_at(0)], vec![place_at(255), place_at(256), place_at(300)]] {
            let cursor = Cursor::new(places);
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn a_token_written_out_by_hand() {
        let empty = "0.da39a3ee5e6b4b0d.da39a3ee.0";
        let cursor: Cursor = empty.parse().unwrap();
        let nothing = HeadPrint::of(b"", 0);
        assert_eq!(
            cursor.places(),
            [Place { inode: 0, head: nothing, guard: GuardPrint::of(b""), offset: 0 }]
        );
        assert_eq!(cursor.to_string(), empty);
    }

    #[test]
    fn every_other_spelling_is_refused() {
        let good = Cursor::new(vec![place_at(0x1f)]).to_string();
        assert!(good.parse::<Cursor>().is_ok());
        let mut bad =
            vec![String::new(), "~".into(), format!("{good}~"), format!("0{good}"), format!("+{good}")];
        bad.extend([good.to_uppercase(), format!("{good}.0"), format!(" {good}"), good.replace('.', "..")]);
        bad.push("f".repeat(17) + &good);
        bad.push(vec![good.clone(); Cursor::MOST_PLACES + 1].join("~"));
        bad.push("é.é.é.é".into());
        for text in bad {
            assert_eq!(text.parse::<Cursor>(), Err(NotACursor), "{text}");
        }
    }

    #[test]
    fn every_shortened_token_is_refused_or_names_another_place() {
        let good = Cursor::new(vec![place_at(0x1f), place_at(0x123)]);
        let text = good.to_string();
        for len in 0..text.len() {
            assert_ne!(text[..len].parse(), Ok(good.clone()), "cut at {len}");
        }
    }

    #[test]
    fn a_sealed_fingerprint_is_another_one_for_each_secret_and_offset() {
        let (none, one, two) = (Seal::default(), Seal::of(b"one"), Seal::of(b"two"));
        assert_eq!(none.guard(b"pin=1234", 8), GuardPrint::of(b"pin=1234"));
        assert_eq!(none.head(b"pin=1234", 8), HeadPrint::of(b"pin=1234", 8));
        let guards = [none.guard(b"x", 1), one.guard(b"x", 1), two.guard(b"x", 1), one.guard(b"x", 2)];
        let different: std::collections::HashSet<_> = guards.into_iter().collect();
        assert_eq!(different.len(), guards.len());
        assert_ne!(one.head(b"x", 1), two.head(b"x", 1));
        assert_eq!(one.guard(&[7; 1000], 9), one.guard(&[7; 64], 9), "no more is covered than without it");
        assert_eq!(one.head(&[7; 1000], 300), one.head(&[7; 256], 256));
        assert!(!format!("{one:?}").contains(char::is_numeric));
    }

    #[test]
    fn a_fingerprint_covers_no_more_than_it_says() {
        let long = [7; 1000];
        assert_eq!(HeadPrint::of(&long, 1000), HeadPrint::of(&long[..256], 256));
        assert_ne!(HeadPrint::of(&long, 255), HeadPrint::of(&long, 256));
        assert_eq!(GuardPrint::of(&long), GuardPrint::of(&long[..64]));
        assert_ne!(GuardPrint::of(&long[..63]), GuardPrint::of(&long[..64]));
    }
}
