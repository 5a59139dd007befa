//! The extension at work in one conversation: which messages are compressed, and what is kept between them.
//!
//! A compressor and an inflater cost hundreds of kilobytes, so each is made when the first message needs it, and kept
//! only where both sides have agreed to go on with its context. Does not know frames.

use std::ops::RangeInclusive;

use super::codec::{Broken, Deflater, Inflated, Inflater};
use super::negotiation::{Parameters, WindowBits};
use crate::ws::close::ProtocolError;
use crate::ws::message::Limits;

/// The lengths of messages, in bytes, that are compressed. Smaller ones do not shrink enough to pay for it; larger ones
/// would take too long in one go. "An endpoint MAY send a message uncompressed" at any time (§6).
pub const WORTH_COMPRESSING: RangeInclusive<usize> = 256..=1 << 20;

/// One step of inflating writes at most this many bytes.
const STEP: usize = 16 * 1024;

/// Both directions of one conversation. Owns nothing between messages where no context is kept.
#[derive(Debug)]
pub(in crate::ws) struct PerMessageDeflate {
    window: WindowBits,
    our_context: Context,
    their_context: Context,
    deflater: Option<Box<Deflater>>,
    inflater: Option<Box<Inflater>>,
    /// How many bytes of compressed payload the frames of the message under way have announced.
    announced: u64,
}

/// What becomes of the earlier messages when a new one is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Context {
    TakenOver,
    Forgotten,
}

impl Context {
    fn new(no_context_takeover: bool) -> Self {
        if no_context_takeover { Self::Forgotten } else { Self::TakenOver }
    }
}

impl PerMessageDeflate {
    /// The server's side of what was agreed on.
    pub(in crate::ws) fn server(agreed: &Parameters) -> Self {
        Self {
            window: agreed.server_max_window_bits,
            our_context: Context::new(agreed.server_no_context_takeover),
            their_context: Context::new(agreed.client_no_context_takeover),
            deflater: None,
            inflater: None,
            announced: 0,
        }
    }

    /// The client's side of what was agreed on.
    pub(in crate::ws) fn client(agreed: &Parameters) -> Self {
        Self {
            window: agreed.client_max_window_bits,
            our_context: Context::new(agreed.client_no_context_takeover),
            their_context: Context::new(agreed.server_no_context_takeover),
            deflater: None,
            inflater: None,
            announced: 0,
        }
    }

    /// The payload of `message` compressed, or `None` if it is to be sent as it is.
    pub(in crate::ws) fn compress(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        if !WORTH_COMPRESSING.contains(&message.len()) {
            return None;
        }
        if self.deflater.is_none() {
            self.deflater = Some(Box::new(Deflater::new(self.window)?));
        }
        let mut payload = Vec::new();
        self.deflater.as_mut()?.compress(message, &mut payload);
        match self.our_context {
            // It belongs to the context now, so the peer must get it like this however long it has become.
            Context::TakenOver => Some(payload),
            Context::Forgotten => {
                self.deflater = None;
                (payload.len() < message.len()).then_some(payload)
            }
        }
    }

    /// Looks at the header of a frame of a compressed message, before any of its payload is inflated.
    ///
    /// What does not shrink grows when it is compressed: by five bytes for each block that is merely stored, and for
    /// each time that the sender flushes. Who goes far beyond that sends blocks of nothing.
    ///
    /// # Errors
    /// When the message is too big whatever it inflates to.
    pub(in crate::ws) fn admit(&mut self, payload_len: u64, limits: Limits) -> Result<(), ProtocolError> {
        let most = limits.message as u64 + limits.message as u64 / 8 + 1024;
        // Both are below 2^63.
        self.announced += payload_len;
        if self.announced > most { Err(ProtocolError::TooBig { limit: limits.message }) } else { Ok(()) }
    }

    /// Inflates the next run of a message's payload and hands the message's bytes to `take`, a step at a time. Returns
    /// how many they were.
    ///
    /// # Errors
    /// When the payload is not DEFLATE, and whatever `take` says: that is where the message's limit is held.
    pub(in crate::ws) fn inflate(
        &mut self,
        payload: &[u8],
        message_ends: bool,
        mut take: impl FnMut(&[u8]) -> Result<(), ProtocolError>,
    ) -> Result<usize, ProtocolError> {
        let inflater = self.inflater.get_or_insert_default();
        let mut written = inflate_all(inflater, payload, &mut take)?;
        if message_ends {
            self.announced = 0;
            written += inflate_all(inflater, inflater.tail(), &mut take)?;
            if self.their_context == Context::Forgotten {
                self.inflater = None;
            }
        }
        Ok(written)
    }

    /// About how many bytes of memory it owns beside itself.
    pub(in crate::ws) fn owned_bytes(&self) -> usize {
        let deflater = self.deflater.as_ref().map_or(0, |_| Deflater::SIZE);
        deflater + self.inflater.as_ref().map_or(0, |_| Inflater::SIZE)
    }

    /// Whether it holds no memory but its own.
    #[cfg(test)]
    pub(in crate::ws) fn owns_nothing(&self) -> bool {
        self.deflater.is_none() && self.inflater.is_none()
    }
}

fn inflate_all(
    inflater: &mut Inflater,
    mut payload: &[u8],
    take: &mut impl FnMut(&[u8]) -> Result<(), ProtocolError>,
) -> Result<usize, ProtocolError> {
    let mut out = [0; STEP];
    let mut all = 0;
    loop {
        let step = inflater.inflate(payload, &mut out);
        // What comes before the break is looked at first: which sin is found must not depend on how the network cut it.
        let written = step.map_or_else(|broken| broken.written, |inflated| inflated.written);
        take(&out[..written])?;
        let Inflated { used, .. } = step?;
        all += written;
        payload = &payload[used..];
        match (payload.is_empty(), used + written) {
            (true, _) if written < out.len() => return Ok(all),
            // No step without progress: a stream that stands still would be waited for until the end of time.
            (false, 0) => return Err(ProtocolError::BrokenDeflate),
            _ => {}
        }
    }
}

impl From<Broken> for ProtocolError {
    fn from(_: Broken) -> Self {
        Self::BrokenDeflate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `deflate` hears in a payload that comes in pieces of `size`.
    fn hear(deflate: &mut PerMessageDeflate, payload: &[u8], size: usize) -> Result<Vec<u8>, ProtocolError> {
        let mut message = Vec::new();
        let mut take = |bytes: &[u8]| {
            message.extend_from_slice(bytes);
            Ok(())
        };
        for piece in payload.chunks(size) {
            deflate.inflate(piece, false, &mut take)?;
        }
        deflate.inflate(b"", true, &mut take)?;
        Ok(message)
    }

    fn fresh() -> PerMessageDeflate {
        PerMessageDeflate::client(&Parameters::default())
    }

    /// §7.2.3.1 to §7.2.3.6: "Hello" in every way that the RFC writes it, and nothing.
    const HELLOS: [(&[u8], &[u8]); 5] = [
        (b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"Hello"),
        (b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", b"Hello"),
        (b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", b"Hello"),
        (b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", b"Hello"),
        (b"\x00", b""),
    ];

    #[test]
    fn s7_2_3_the_examples_of_the_rfc_wherever_they_are_cut() {
        for (payload, message) in HELLOS {
            for size in 1..=payload.len() {
                assert_eq!(hear(&mut fresh(), payload, size).as_deref(), Ok(message), "{payload:x?}");
            }
        }
    }

    #[test]
    fn s7_2_3_2_the_second_hello_refers_to_the_first() {
        let mut deflate = fresh();
        assert_eq!(hear(&mut deflate, b"\xf2\x48\xcd\xc9\xc9\x07\x00", 9).as_deref(), Ok(&b"Hello"[..]));
        assert_eq!(hear(&mut deflate, b"\xf2\x00\x11\x00\x00", 9).as_deref(), Ok(&b"Hello"[..]));
        assert_eq!(hear(&mut fresh(), b"\xf2\x00\x11\x00\x00", 9), Err(ProtocolError::BrokenDeflate));
    }

    #[test]
    fn s7_2_3_4_a_stream_that_ends_is_followed_by_another() {
        // The final block with and without the empty block behind it, and then a message like any other.
        for ending in [&b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"[..], b"\xf3\x48\xcd\xc9\xc9\x07\x00"] {
            let mut deflate = fresh();
            for payload in [ending, ending, b"\xf2\x48\xcd\xc9\xc9\x07\x00"] {
                assert_eq!(hear(&mut deflate, payload, 3).as_deref(), Ok(&b"Hello"[..]));
            }
        }
    }

    #[test]
    fn what_is_not_deflate_is_refused_and_never_waited_for() {
        for broken in [&b"\xff\xff\xff"[..], b"\x07", b"\x00\x05\x00\x00\x00Hello"] {
            for size in 1..=broken.len() {
                assert_eq!(
                    hear(&mut fresh(), broken, size),
                    Err(ProtocolError::BrokenDeflate),
                    "{broken:x?}"
                );
            }
        }
    }

    #[test]
    fn whatever_was_agreed_the_other_side_hears_what_was_said_and_nothing_is_kept_that_need_not_be() {
        let text: Vec<u8> =
            (0..20_000u32).flat_map(|n| format!("line {} ", n * n % 997).into_bytes()).collect();
        let noise: Vec<u8> = (0..3000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let messages: [&[u8]; 5] = [&text[..256], &text, &noise, &text[100..5000], &text[..256]];
        for no_context in [false, true] {
            for bits in [9, 12, 15] {
                let agreed = Parameters {
                    server_no_context_takeover: no_context,
                    client_no_context_takeover: no_context,
                    server_max_window_bits: WindowBits::new(bits).unwrap(),
                    client_max_window_bits: WindowBits::new(24 - bits).unwrap(),
                };
                let mut ends = [PerMessageDeflate::server(&agreed), PerMessageDeflate::client(&agreed)];
                for message in messages {
                    let [sender, receiver] = &mut ends;
                    match sender.compress(message) {
                        Some(payload) => assert_eq!(hear(receiver, &payload, 1000).as_deref(), Ok(message)),
                        None => assert!(no_context && message == noise, "only noise does not shrink"),
                    }
                    ends.reverse();
                }
                assert_eq!(ends.iter().all(PerMessageDeflate::owns_nothing), no_context);
            }
        }
    }

    #[test]
    fn a_window_too_small_for_the_library_means_no_compression() {
        let agreed = Parameters { server_max_window_bits: WindowBits::LEAST, ..Parameters::default() };
        assert_eq!(PerMessageDeflate::server(&agreed).compress(&[b'x'; 1000]), None);
        assert!(PerMessageDeflate::client(&agreed).compress(&[b'x'; 1000]).is_some());
    }

    #[test]
    fn small_and_huge_messages_stay_as_they_are() {
        for len in [0, 255, (1 << 20) + 1] {
            assert_eq!(fresh().compress(&vec![b'x'; len]), None, "{len}");
        }
        for len in [256, 1 << 20] {
            assert!(fresh().compress(&vec![b'x'; len]).is_some(), "{len}");
        }
    }
}
