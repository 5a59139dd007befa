//! Frames out of whatever the network cut: bytes go in, unmasked runs of payload come out.
//!
//! Keeps at most the [`MAX_HEADER`] bytes of a header that is cut in two. A payload that is cut in two is unmasked as
//! it arrives and handed on; who wants all of it gathers it. Does not know which side we are or what a message is.

use super::close::ProtocolError;
use super::frame::{FrameHeader, MAX_HEADER};
use super::mask;

/// Bytes as they came from the peer, taken off the front and unmasked where they lie.
#[derive(Debug)]
pub struct Input<'b>(&'b mut [u8]);

impl<'b> Input<'b> {
    /// All of `bytes` is still to be read.
    pub fn new(bytes: &'b mut [u8]) -> Self {
        Self(bytes)
    }

    /// The number of bytes not read yet.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether everything is read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes `count` bytes, or as many as there are.
    fn take(&mut self, count: usize) -> &'b mut [u8] {
        let bytes = std::mem::take(&mut self.0);
        let (front, rest) = bytes.split_at_mut(count.min(bytes.len()));
        self.0 = rest;
        front
    }

    /// Throws away what is left.
    pub fn discard(&mut self) {
        self.0 = &mut [];
    }
}

/// A run of unmasked payload bytes, all of one frame.
#[derive(Debug, PartialEq, Eq)]
pub struct Chunk<'b> {
    /// The frame these bytes belong to.
    pub header: FrameHeader,
    /// Unmasked in place; may be empty.
    pub payload: &'b [u8],
    /// Nothing of this frame came before. A frame's first chunk comes as soon as its header is whole, so that it can
    /// be refused before any of its payload is kept.
    pub first: bool,
    /// Nothing of this frame comes after.
    pub last: bool,
}

/// Cuts the peer's bytes into chunks.
#[derive(Debug)]
pub struct Decoder {
    state: State,
}

#[derive(Debug)]
enum State {
    /// Reading a header, of which `len` bytes came in earlier pieces.
    Header { spill: [u8; MAX_HEADER], len: u8 },
    /// Reading the payload behind `header`, of which `left` bytes have not come.
    Payload { header: FrameHeader, left: u64 },
}

const BETWEEN_FRAMES: State = State::Header { spill: [0; MAX_HEADER], len: 0 };

impl Decoder {
    /// Nothing has come yet.
    pub fn new() -> Self {
        Self { state: BETWEEN_FRAMES }
    }

    /// The next run of payload, or `None` once `input` is used up.
    ///
    /// # Errors
    /// If a header is malformed. The decoder is of no use after that.
    pub fn next_chunk<'b>(&mut self, input: &mut Input<'b>) -> Result<Option<Chunk<'b>>, ProtocolError> {
        let (header, left, first) = match &mut self.state {
            State::Payload { .. } if input.is_empty() => return Ok(None),
            State::Payload { header, left } => (*header, *left, false),
            State::Header { spill, len } => match read_header(spill, len, input)? {
                Some(header) => (header, header.payload_len, true),
                None => return Ok(None),
            },
        };
        let payload = input.take(usize::try_from(left).unwrap_or(usize::MAX));
        if let Some(key) = header.mask {
            mask::apply(payload, key, header.payload_len - left);
        }
        let left = left - payload.len() as u64;
        self.state = if left == 0 { BETWEEN_FRAMES } else { State::Payload { header, left } };
        Ok(Some(Chunk { header, payload, first, last: left == 0 }))
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes a header off the front of `input`, begun in `spill` perhaps; if it does not end there, `spill` keeps it.
fn read_header(
    spill: &mut [u8; MAX_HEADER],
    len: &mut u8,
    input: &mut Input<'_>,
) -> Result<Option<FrameHeader>, ProtocolError> {
    let spilt = usize::from(*len);
    if spilt == 0
        && let Some((header, used)) = FrameHeader::parse(input.0)?
    {
        input.take(used);
        return Ok(Some(header));
    }
    // No header is longer than the spill, so what does not fit in it belongs to the payload.
    let more = input.len().min(MAX_HEADER - spilt);
    spill[spilt..spilt + more].copy_from_slice(&input.0[..more]);
    match FrameHeader::parse(&spill[..spilt + more])? {
        Some((header, used)) => {
            // What was spilt before did not make a header, so `used` is beyond it.
            input.take(used - spilt);
            Ok(Some(header))
        }
        None => {
            input.take(more);
            *len += more as u8;
            Ok(None)
        }
    }
}
