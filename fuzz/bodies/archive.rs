//! Unpacking, step by step, against its definition: RFC 1952 and RFC 1951 read byte by byte for gzip, and for Zstandard the
//! library that is used, asked for each frame at once.
//!
//! Whatever is in an archive, it comes to an end in small steps; all of it is there exactly if the definition says so, and
//! else a beginning of what there would be.

use std::io::Write;

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use wiretail::tail::archive::unpack::{Format, STEP, Unpacked, Unpacker};

use super::choices::Choices;
use super::rfc1951::{self, End};

/// No more is unpacked (in bytes): what is slow is the definition.
const MOST: usize = 512 * 1024;

/// A window that every decoder has to support (RFC 8878 §3.1.1.1.2).
const WINDOW: u64 = 8 * 1024 * 1024;

/// What an archive means.
struct Meant {
    bytes: Vec<u8>,
    /// That is all, and nothing is wrong with it; if `None`, there is more than was looked for.
    whole: Option<bool>,
}

/// Takes `data` for an archive, or makes one of it.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let (kind, small) = (choices.below(4), choices.flag());
    let most = if small { usize::from(choices.byte()) + 1 } else { STEP };
    match kind {
        0 => check(Format::Gzip, choices.rest(), most),
        1 => check(Format::Gzip, &members(choices), most),
        2 => check(Format::Zstandard, choices.rest(), most),
        _ => check(Format::Zstandard, &frames(choices), most),
    }
}

/// Members of which only what is compressed may be wrong.
fn members(mut choices: Choices<'_>) -> Vec<u8> {
    let mut archive = Vec::new();
    while !choices.is_empty() {
        let (is_damaged, len) = (choices.below(16) == 15, usize::from(choices.two_bytes()) % 1024);
        let packed = choices.bytes(len);
        let (inflated, used) = rfc1951::inflate_one(packed, MOST);
        archive.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
        archive.extend_from_slice(&packed[..used.min(packed.len())]);
        let checked = crc32(&inflated.bytes) ^ u32::from(is_damaged);
        archive.extend_from_slice(&checked.to_le_bytes());
        archive.extend_from_slice(&(inflated.bytes.len() as u32).to_le_bytes());
    }
    archive
}

/// Frames of raw, repeated and compressed blocks with what is in `choices` in them.
fn frames(mut choices: Choices<'_>) -> Vec<u8> {
    let mut archive = Vec::new();
    while !choices.is_empty() {
        if choices.below(8) == 7 {
            let skipped = choices.below(16);
            archive.extend_from_slice(&[0x5f, 0x2a, 0x4d, 0x18, skipped as u8, 0, 0, 0]);
            archive.extend_from_slice(choices.bytes(skipped));
            continue;
        }
        // With a window of 1 KiB to 16 MiB, of which the last is too much.
        archive.extend_from_slice(&[0x28, 0xb5, 0x2f, 0xfd, 0, (choices.below(15) as u8) << 3]);
        for left in (0..choices.below(4)).rev() {
            let (kind, len) = (choices.below(3), choices.below(200));
            let bytes = choices.bytes(if kind == 1 { 1 } else { len });
            let said = if kind == 1 { len * 600 } else { bytes.len() };
            let header = (said as u32) << 3 | (kind as u32) << 1 | u32::from(left == 0);
            archive.extend_from_slice(&header.to_le_bytes()[..3]);
            archive.extend_from_slice(bytes);
        }
    }
    archive
}

/// Unpacks, in steps of about `most` bytes, and compares.
fn check(format: Format, archive: &[u8], most: usize) {
    let meant = match format {
        Format::Gzip => gzip(archive),
        Format::Zstandard => zstandard(archive),
    };
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(archive).expect("room on the disk");
    let mut unpacker = Unpacker::new(format, file.into());
    let (mut bytes, mut steps) = (Vec::new(), 0);
    let unpacked = loop {
        let before = bytes.len();
        let unpacked = unpacker.step(most, &mut bytes).expect("the disk works");
        assert!(bytes.len() - before <= most + 128 * 1024, "{} bytes in a step", bytes.len() - before);
        steps += 1;
        assert!(steps <= 2 + bytes.len() + archive.len(), "{steps} steps for {} bytes", bytes.len());
        if unpacked != Unpacked::More {
            break Some(unpacked);
        }
        if bytes.len() > 2 * MOST {
            break None;
        }
    };
    let common = bytes.len().min(meant.bytes.len());
    assert!(bytes[..common] == meant.bytes[..common], "other bytes");
    match meant.whole {
        Some(whole) => {
            assert_eq!(unpacked == Some(Unpacked::All), whole, "{} bytes", bytes.len());
            assert!(bytes.len() <= meant.bytes.len() && (!whole || bytes == meant.bytes));
        }
        None => assert!(unpacked != Some(Unpacked::All) || bytes.len() > MOST),
    }
}

/// What RFC 1952 says of it.
fn gzip(archive: &[u8]) -> Meant {
    let (mut bytes, mut rest) = (Vec::new(), archive);
    loop {
        let Some(packed) = behind_header(rest) else {
            return Meant { bytes, whole: Some(false) };
        };
        let (inflated, used) = rfc1951::inflate_one(packed, MOST - bytes.len());
        bytes.extend_from_slice(&inflated.bytes);
        match inflated.end {
            End::Between { .. } => {}
            End::TooMuch => return Meant { bytes, whole: None },
            End::Inside | End::Broken => return Meant { bytes, whole: Some(false) },
        }
        let (crc, len) = (crc32(&inflated.bytes).to_le_bytes(), (inflated.bytes.len() as u32).to_le_bytes());
        let behind = packed[used..].strip_prefix(&[crc, len].concat()[..]);
        match behind {
            Some([]) => return Meant { bytes, whole: Some(true) },
            Some(behind) => rest = behind,
            None => return Meant { bytes, whole: Some(false) },
        }
    }
}

/// What follows a member's header (§2.3), if that is one.
fn behind_header(member: &[u8]) -> Option<&[u8]> {
    let (fixed, mut rest) = member.split_first_chunk::<10>()?;
    let flags = fixed[3];
    // "Reserved FLG bits must be zero."
    if fixed[..3] != [0x1f, 0x8b, 8] || flags & 0xe0 != 0 {
        return None;
    }
    if flags & 4 != 0 {
        let (len, behind) = rest.split_first_chunk::<2>()?;
        rest = behind.get(usize::from(u16::from_le_bytes(*len))..)?;
    }
    for _ in 0..(flags >> 3 & 1) + (flags >> 4 & 1) {
        let end = rest.iter().position(|&byte| byte == 0)?;
        rest = &rest[end + 1..];
    }
    if flags & 2 != 0 {
        let header = &member[..member.len() - rest.len()];
        let (said, behind) = rest.split_first_chunk::<2>()?;
        if u16::from_le_bytes(*said) != crc32(header) as u16 {
            return None;
        }
        rest = behind;
    }
    Some(rest)
}

/// The checksum of §8, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
}

/// What the library says of it, asked for each frame at once.
fn zstandard(archive: &[u8]) -> Meant {
    let (mut bytes, mut rest) = (Vec::new(), archive);
    let mut frame = FrameDecoder::new();
    frame.set_max_window_size(WINDOW);
    while !rest.is_empty() {
        match frame.init(&mut rest) {
            Ok(()) => {}
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                // What is skipped need not be there.
                rest = rest.get(length as usize..).unwrap_or_default();
                continue;
            }
            Err(_) => return Meant { bytes, whole: Some(false) },
        }
        let decoded = frame.decode_blocks(&mut rest, BlockDecodingStrategy::UptoBytes(MOST));
        let collected = frame.collect_to_writer(&mut bytes);
        if bytes.len() > MOST || decoded.as_ref().is_ok_and(|finished| !finished) {
            return Meant { bytes, whole: None };
        }
        let said = frame.get_checksum_from_data();
        let is_sound = said.is_none() || said == frame.get_calculated_checksum();
        if decoded.is_err() || collected.is_err() || !is_sound {
            return Meant { bytes, whole: Some(false) };
        }
    }
    Meant { bytes, whole: Some(true) }
}
