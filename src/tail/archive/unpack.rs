//! Unpacking, in slices: gzip (RFC 1952) and Zstandard (RFC 8878), each with any number of parts one after the other.
//!
//! Neither the time nor the memory of a step depends on what is in the archive.
//!
//! Does not know where the bytes go.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::tail::disk::File;
use crate::tail::reading::read_fully;

/// What a step unpacks, and reads, about: bytes.
pub const STEP: usize = 256 * 1024;

/// What is read at once of gzip.
const PIECE: usize = 4096;

/// An archive that wants to look further back than this is not unpacked: it is how much RFC 8878 (§3.1.1.1.2) asks every
/// decoder to support.
const MOST_WINDOW: u64 = 8 * 1024 * 1024;

/// How a file is compressed, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstandard,
}

impl Format {
    /// The format, and the name the file had before it was compressed.
    pub(crate) fn of(name: &OsStr) -> Option<(Self, &OsStr)> {
        let path = Path::new(name);
        let format = match path.extension()?.to_str()? {
            "gz" => Self::Gzip,
            "zst" => Self::Zstandard,
            _ => return None,
        };
        Some((format, path.file_stem()?))
    }
}

/// How long an archive says that it is when it is unpacked. It may say anything; and of several parts, it is said of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// So many bytes.
    Bytes(u64),
    /// So many, less a multiple of 4 GiB.
    Modulo(u32),
}

impl Length {
    /// It may be so many bytes.
    pub(crate) fn is(self, bytes: u64) -> bool {
        match self {
            Self::Bytes(said) => said == bytes,
            Self::Modulo(said) => said == bytes as u32,
        }
    }
}

/// What the end of an archive of `size` bytes says of its length: "ISIZE ... This contains the size of the original
/// (uncompressed) input data modulo 2^32" (RFC 1952 §2.3.1).
pub(crate) fn trailer(format: Format, file: &File, size: u64) -> io::Result<Option<Length>> {
    let Some(at) = size.checked_sub(4).filter(|_| format == Format::Gzip) else {
        return Ok(None);
    };
    let mut said = [0; 4];
    let read = read_fully(file, &mut said, at)?;
    Ok((read == said.len()).then_some(Length::Modulo(u32::from_le_bytes(said))))
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpacked {
    /// There is more.
    More,
    /// That was all.
    All,
    /// What follows cannot be unpacked.
    Damaged,
}

/// Unpacks one archive.
pub struct Unpacker {
    decoder: Decoder,
}

enum Decoder {
    Gzip(Box<MultiGzDecoder<Source>>),
    Zstandard { frame: Box<FrameDecoder>, source: BufReader<Source> },
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacker").finish_non_exhaustive()
    }
}

impl Unpacker {
    /// Of the archive in `file`.
    pub fn new(format: Format, file: File) -> Self {
        let source = Source { file, at: 0, allowance: 0, failed: None };
        let decoder = match format {
            Format::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(source))),
            Format::Zstandard => {
                let mut frame = Box::new(FrameDecoder::new());
                frame.set_max_window_size(MOST_WINDOW);
                Decoder::Zstandard { frame, source: BufReader::with_capacity(STEP / 2, source) }
            }
        };
        Self { decoder }
    }

    /// Unpacks on, about `most` bytes, and adds them to `slice`: of Zstandard, 128 KiB more at the most.
    ///
    /// # Errors
    /// Those of the disk. What is damaged is no error.
    pub fn step(&mut self, most: usize, slice: &mut Vec<u8>) -> io::Result<Unpacked> {
        self.source().allowance = STEP;
        let unpacked = match &mut self.decoder {
            Decoder::Gzip(decoder) => gzip(decoder, most, slice),
            Decoder::Zstandard { frame, source } => zstandard(frame, source, most, slice),
        };
        match self.source().failed.take() {
            Some(error) => Err(error),
            None => Ok(unpacked),
        }
    }

    /// How long the part that was unpacked last says that it is, where that comes before it.
    pub(crate) fn says(&self) -> Option<Length> {
        match &self.decoder {
            Decoder::Gzip(_) => None,
            Decoder::Zstandard { frame, .. } => {
                Some(frame.content_size()).filter(|&said| said > 0).map(Length::Bytes)
            }
        }
    }

    /// How many bytes of the archive were read.
    pub(crate) fn read(&self) -> u64 {
        match &self.decoder {
            Decoder::Gzip(decoder) => decoder.get_ref().at,
            Decoder::Zstandard { source, .. } => source.get_ref().at,
        }
    }

    /// More than a step was read.
    pub(crate) fn is_late(&self) -> bool {
        self.read() > STEP as u64
    }

    fn source(&mut self) -> &mut Source {
        match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Zstandard { source, .. } => source.get_mut(),
        }
    }
}

fn gzip(decoder: &mut MultiGzDecoder<Source>, most: usize, slice: &mut Vec<u8>) -> Unpacked {
    let (start, end) = (slice.len(), slice.len() + most);
    slice.resize(end, 0);
    let mut at = start;
    let unpacked = loop {
        if at == end {
            break Unpacked::More;
        }
        // What a read had unpacked before it met damage is lost with it, so they are short.
        let piece = end.min(at + PIECE);
        match decoder.read(&mut slice[at..piece]) {
            Ok(0) => break Unpacked::All,
            Ok(read) => at += read,
            // The allowance is used up. Members without a byte in them could be read on for hours.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Unpacked::More,
            Err(_) => break Unpacked::Damaged,
        }
    };
    slice.truncate(at);
    unpacked
}

fn zstandard(
    frame: &mut FrameDecoder,
    source: &mut BufReader<Source>,
    most: usize,
    slice: &mut Vec<u8>,
) -> Unpacked {
    let end = slice.len() + most;
    // A block takes and gives 128 KiB at most, and cannot be read in part. Those of nothing are counted instead.
    source.get_mut().allowance = usize::MAX;
    let began = source.get_ref().at;
    for _ in 0..MOST_PARTS {
        if slice.len() >= end || source.get_ref().at - began > STEP as u64 {
            return Unpacked::More;
        }
        // With the end of a frame comes all that later blocks might have referred to: megabytes.
        let ready = frame.can_collect();
        if ready > 0 {
            collect(frame, ready.min(end - slice.len()), slice);
            continue;
        }
        if frame.is_finished() {
            if !is_sound(frame) {
                return Unpacked::Damaged;
            }
            match source.fill_buf().map(<[u8]>::is_empty) {
                Ok(true) => return Unpacked::All,
                Ok(false) => {}
                Err(_) => return Unpacked::Damaged,
            }
            match frame.init(&mut *source) {
                Ok(()) => {}
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    skip(source, u64::from(length));
                    continue;
                }
                Err(_) => return Unpacked::Damaged,
            }
        }
        if frame.decode_blocks(&mut *source, BlockDecodingStrategy::UptoBlocks(1)).is_err() {
            // Also what came before the damage.
            collect(frame, frame.can_collect(), slice);
            return Unpacked::Damaged;
        }
    }
    Unpacked::More
}

/// Adds so many of the bytes that are ready to `slice`.
fn collect(frame: &mut FrameDecoder, len: usize, slice: &mut Vec<u8>) {
    let from = slice.len();
    slice.resize(from + len, 0);
    let read = frame.read(&mut slice[from..]).unwrap_or(0);
    slice.truncate(from + read);
}

/// Parts of a Zstandard archive in one step, however small they are.
const MOST_PARTS: usize = 1000;

/// The checksum, if the frame is finished and has one, is that of the bytes.
fn is_sound(frame: &FrameDecoder) -> bool {
    let said = frame.get_checksum_from_data();
    !frame.is_finished() || said.is_none() || said == frame.get_calculated_checksum()
}

fn skip(source: &mut BufReader<Source>, length: u64) {
    let buffered = source.buffer().len();
    let from_buffer = usize::try_from(length).map_or(buffered, |length| length.min(buffered));
    source.consume(from_buffer);
    let source = source.get_mut();
    source.at = source.at.saturating_add(length - from_buffer as u64);
}

/// A file read from its beginning, of which a step may read only so much.
struct Source {
    file: File,
    at: u64,
    allowance: usize,
    // What the disk said, if it said anything.
    failed: Option<io::Error>,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.allowance);
        if most == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        match self.file.read_at(&mut buffer[..most], self.at) {
            Ok(read) => {
                self.at += read as u64;
                self.allowance -= read;
                Ok(read)
            }
            Err(error) => {
                self.failed = Some(error);
                Err(io::ErrorKind::Other.into())
            }
        }
    }
}
