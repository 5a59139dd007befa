//! DEFLATE as permessage-deflate uses it (RFC 7692 §7.2): whole messages in, payloads out, and back in bounded steps.
//!
//! The compressing is zlib-rs's. Does not know frames, roles or limits.

use std::fmt;

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Inflate, InflateFlush, Status};

use super::negotiation::WindowBits;

/// What a compressor's flush ends with, and a payload leaves out: an empty block without compression.
/// "Remove 4 octets (that are 0x00 0x00 0xff 0xff) from the tail end" (§7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// The fastest level: a log is compressed while it streams.
const LEVEL: i32 = 1;

/// The smallest window that the compressor has.
const LEAST_WINDOW: u8 = 9;

/// Compresses messages.
///
/// The examples of §7.2.3: "Hello", and "Hello" again with the context taken over:
///
/// ```
/// use wiretail::ws::deflate::{Deflater, WindowBits};
///
/// let mut deflater = Deflater::new(WindowBits::MOST).expect("only 8 bits cannot be done");
/// let mut payload = Vec::new();
/// deflater.compress(b"Hello", &mut payload);
/// assert_eq!(payload, b"\xf2\x48\xcd\xc9\xc9\x07\x00");
///
/// // Five bytes back, as long as the receiver has kept them ...
/// payload.clear();
/// deflater.compress(b"Hello", &mut payload);
/// assert!(payload.len() < 7); // f2 00 11 00 00 in §7.2.3.2; there are several ways to say it
///
/// // ... and in full where it has not: no context takeover, or a payload that is sent to several.
/// deflater.forget();
/// payload.clear();
/// deflater.compress(b"Hello", &mut payload);
/// assert_eq!(payload, b"\xf2\x48\xcd\xc9\xc9\x07\x00");
/// ```
///
/// A payload becomes a frame with [`compressed_server_header`](crate::ws::frame::compressed_server_header).
pub struct Deflater {
    stream: Deflate,
}

impl Deflater {
    /// About the bytes of memory of one with the largest window.
    pub const SIZE: usize = 320 * 1024;

    /// A compressor that refers back no further than `window`; `None` for 8 bits, which DEFLATE libraries do not do.
    pub fn new(window: WindowBits) -> Option<Self> {
        if window.bits() < LEAST_WINDOW {
            return None;
        }
        let config = DeflateConfig {
            level: LEVEL,
            // Negative: without the header and checksum of zlib's own format.
            window_bits: -i32::from(window.bits()),
            ..DeflateConfig::default()
        };
        Some(Self { stream: Deflate::new_with_config(config) })
    }

    /// Puts the payload of a compressed `message` behind what is in `out`. It may refer to the messages before it,
    /// unless [`forget`](Self::forget) was called in between.
    pub fn compress(&mut self, message: &[u8], out: &mut Vec<u8>) {
        // "If the resulting data does not end with an empty DEFLATE block [...]": a flush of nothing writes nothing, so
        // the block is written out, "a single octet of value 0x00" (§7.2.3.6).
        if message.is_empty() {
            return out.push(0);
        }
        let (start, mut rest) = (out.len(), message);
        let mut end = start;
        loop {
            out.resize(end + rest.len() / 2 + 64, 0);
            let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
            let compressed = self.stream.compress(rest, &mut out[end..], DeflateFlush::SyncFlush);
            debug_assert!(compressed.is_ok(), "the state and the buffers are sound");
            rest = &rest[(self.stream.total_in() - before_in) as usize..];
            end += (self.stream.total_out() - before_out) as usize;
            // A flush is complete when it leaves room.
            if rest.is_empty() && end < out.len() {
                break;
            }
        }
        debug_assert!(out[start..end].ends_with(&TAIL));
        out.truncate(end - TAIL.len());
    }

    /// The next message does not refer to those before it.
    pub fn forget(&mut self) {
        self.stream.reset();
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").finish_non_exhaustive()
    }
}

/// Inflates payloads.
///
/// What comes out is bounded by the buffer it goes into, so a few bytes cannot fill the memory:
///
/// ```
/// use wiretail::ws::deflate::{Deflater, Inflater, WindowBits};
///
/// let mut bomb = Vec::new();
/// Deflater::new(WindowBits::MOST).expect("a window").compress(&vec![0; 1 << 20], &mut bomb);
/// assert!(bomb.len() < 16 * 1024, "a megabyte");
///
/// let limit = 64 * 1024;
/// let (mut inflater, mut payload, mut all) = (Inflater::new(), &bomb[..], 0);
/// let mut step = [0; 4096];
/// while all <= limit {
///     let inflated = inflater.inflate(payload, &mut step).expect("it is DEFLATE");
///     payload = &payload[inflated.used..];
///     all += inflated.written;
/// }
/// assert_eq!(all, limit + step.len()); // here the peer is failed, with 1009
/// ```
pub struct Inflater {
    stream: Inflate,
    /// The last block said that it is the last one: what follows begins anew.
    ended: bool,
}

/// One step of inflating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inflated {
    /// How many bytes of the payload were used.
    pub used: usize,
    /// How many bytes of the message were written.
    pub written: usize,
}

/// What came is not DEFLATE.
///
/// ```
/// use wiretail::ws::deflate::Inflater;
///
/// // A block of type 3, which RFC 1951 does not define.
/// assert!(Inflater::new().inflate(b"\x07", &mut [0; 16]).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// How many bytes of the message were written before that was seen.
    pub written: usize,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a compressed message cannot be inflated")
    }
}

impl std::error::Error for Broken {}

impl Inflater {
    /// About the bytes of memory of one, whatever window the peer uses.
    pub const SIZE: usize = 46 * 1024;

    /// An inflater that knows no earlier message. It takes any window, as a larger one understands all smaller ones.
    pub fn new() -> Self {
        Self { stream: Inflate::new(false, WindowBits::MOST.bits()), ended: false }
    }

    /// Inflates as much of `payload` as there is room for in `out`. When all is used and `out` was not filled, there is
    /// nothing more to be had from it.
    ///
    /// # Errors
    /// When `payload` is not DEFLATE. The inflater is of no use after that.
    ///
    /// ```
    /// use wiretail::ws::deflate::{Broken, Inflated, Inflater};
    ///
    /// let mut inflater = Inflater::new();
    /// let mut out = [0; 16];
    /// // The two fragments of §7.2.3.1, and the tail that stands for the end of the message.
    /// let mut message = Vec::new();
    /// for piece in [&b"\xf2\x48\xcd"[..], b"\xc9\xc9\x07\x00", inflater.tail()] {
    ///     let Inflated { used, written } = inflater.inflate(piece, &mut out)?;
    ///     assert_eq!(used, piece.len());
    ///     message.extend_from_slice(&out[..written]);
    /// }
    /// assert_eq!(message, b"Hello");
    /// # Ok::<(), Broken>(())
    /// ```
    pub fn inflate(&mut self, payload: &[u8], out: &mut [u8]) -> Result<Inflated, Broken> {
        // "the last block [...] BFINAL bit to 1" is allowed (§7.2.3.4), and another stream may follow behind it. Who
        // ends a stream begins the next one with an empty window: so every compressor we know of does, and we take it
        // for granted, as the library cannot keep a window beyond an end.
        if self.ended && !payload.is_empty() {
            self.stream.reset(false);
            self.ended = false;
        }
        if self.ended {
            return Ok(Inflated { used: 0, written: 0 });
        }
        let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
        let status = self.stream.decompress(payload, out, InflateFlush::SyncFlush);
        let used = (self.stream.total_in() - before_in) as usize;
        let written = (self.stream.total_out() - before_out) as usize;
        match status {
            Ok(Status::Ok | Status::BufError) => {}
            Ok(Status::StreamEnd) => self.ended = true,
            Err(_) => return Err(Broken { written }),
        }
        Ok(Inflated { used, written })
    }

    /// What is to be inflated behind the last byte of a message's payload: "Append 4 octets of 0x00 0x00 0xff 0xff to
    /// the tail end of the payload of the message" (§7.2.2). Nothing, if that has ended by itself.
    pub fn tail(&self) -> &'static [u8] {
        if self.ended { &[] } else { &TAIL }
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").field("ended", &self.ended).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compressor_writes_hello_as_the_rfc_does() {
        let mut deflater = Deflater::new(WindowBits::MOST).unwrap();
        let mut out = b"before".to_vec();
        deflater.compress(b"Hello", &mut out);
        assert_eq!(out, b"before\xf2\x48\xcd\xc9\xc9\x07\x00");
        out.clear();
        deflater.compress(b"", &mut out);
        assert_eq!(out, b"\x00");
    }

    #[test]
    fn what_is_forgotten_is_not_referred_to() {
        let message = b"the same words and the same words again, the same words".repeat(9);
        let mut deflater = Deflater::new(WindowBits::MOST).unwrap();
        let payloads = [false, true].map(|forget| {
            let (mut first, mut second) = (Vec::new(), Vec::new());
            deflater.forget();
            deflater.compress(&message, &mut first);
            if forget {
                deflater.forget();
            }
            deflater.compress(&message, &mut second);
            (first, second)
        });
        assert!(payloads[0].1.len() < payloads[0].0.len());
        assert_eq!(payloads[1].1, payloads[1].0);
    }

    #[test]
    fn a_bomb_goes_off_in_steps() {
        let mut bomb = Vec::new();
        Deflater::new(WindowBits::MOST).unwrap().compress(&vec![0; 8 << 20], &mut bomb);
        assert!(bomb.len() < 128 * 1024, "{}", bomb.len());
        let (mut inflater, mut rest, mut all) = (Inflater::new(), &bomb[..], 0);
        let mut out = [1; 4096];
        while all < 8 << 20 {
            let Inflated { used, written } = inflater.inflate(rest, &mut out).unwrap();
            assert!(out[..written].iter().all(|&byte| byte == 0));
            rest = &rest[used..];
            all += written;
        }
        assert_eq!(all, 8 << 20);
    }
}
