//! Archives as simple as their formats allow, written by hand: nothing in them is compressed, and still every program
//! that reads gzip or Zstandard reads them. What real compressors make is for the tests of `tail::archive`.

/// How a rotated file is compressed, and how far that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// To `.gz` or `.zst`; then the plain file is removed.
    Done(Format),
    /// The archive is finished, and the plain file still there.
    Beside(Format),
    /// Half of the archive has been written.
    Half(Format),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Gzip,
    Zstandard,
}

impl Packing {
    /// One of them for each number.
    pub(crate) fn choose(number: u8) -> Self {
        let format = if number.is_multiple_of(2) { Format::Gzip } else { Format::Zstandard };
        match number / 2 % 6 {
            0 => Self::Half(format),
            1 => Self::Beside(format),
            _ => Self::Done(format),
        }
    }

    pub(super) fn format(self) -> Format {
        match self {
            Self::Done(format) | Self::Beside(format) | Self::Half(format) => format,
        }
    }
}

impl Format {
    /// What it adds to a file's name.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Gzip => ".gz",
            Self::Zstandard => ".zst",
        }
    }

    /// The archive of `bytes`: in two parts, as those are that were compressed one after the other.
    pub(crate) fn pack(self, bytes: &[u8]) -> Vec<u8> {
        let parts = bytes.split_at(bytes.len() / 3);
        match self {
            Self::Gzip => [gzip(parts.0), gzip(parts.1)].concat(),
            Self::Zstandard => [zstandard(parts.0), zstandard(parts.1)].concat(),
        }
    }
}

/// RFC 1952, with stored blocks (RFC 1951 §3.2.4).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut archive = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(0xffff).peekable();
    if blocks.peek().is_none() {
        archive.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let len = block.len() as u16;
        archive.push(u8::from(blocks.peek().is_none()));
        archive.extend_from_slice(&len.to_le_bytes());
        archive.extend_from_slice(&(!len).to_le_bytes());
        archive.extend_from_slice(block);
    }
    archive.extend_from_slice(&crc32(bytes).to_le_bytes());
    archive.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    archive
}

/// The checksum of RFC 1952 §8, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
}

/// RFC 8878, with raw blocks (§3.1.1.2.2) and a window of 128 KiB.
fn zstandard(bytes: &[u8]) -> Vec<u8> {
    let mut archive = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3];
    let mut blocks = bytes.chunks(100_000).peekable();
    if blocks.peek().is_none() {
        archive.extend_from_slice(&[1, 0, 0]);
    }
    while let Some(block) = blocks.next() {
        let header = (block.len() as u32) << 3 | u32::from(blocks.peek().is_none());
        archive.extend_from_slice(&header.to_le_bytes()[..3]);
        archive.extend_from_slice(block);
    }
    archive
}
