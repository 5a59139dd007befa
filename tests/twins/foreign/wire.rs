//! What one side has said, read from its bytes: the head, messages with their size on the wire, pings and pongs.
//!
//! Knows frames (RFC 6455 §5.2) by itself, without the library. Does not inflate: the other side does.

/// Everything that one side has said.
#[derive(Debug)]
pub(crate) struct Side {
    /// The request or the answer, with its fields.
    pub(crate) head: String,
    pub(crate) messages: Vec<Sent>,
    pub(crate) pings: Vec<Vec<u8>>,
    pub(crate) pongs: Vec<Vec<u8>>,
}

/// A message on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Its first frame has RSV1 set (RFC 7692 §6).
    pub(crate) compressed: bool,
    /// What its frames carry, in bytes.
    pub(crate) bytes: usize,
}

impl Side {
    /// # Panics
    /// If that is no head and frames, or there is half a frame.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut side = Self { head, messages: Vec::new(), pings: Vec::new(), pongs: Vec::new() };
        let mut rest = &bytes[end..];
        while let Some(more) = side.read_frame(rest) {
            rest = more;
        }
        assert!(rest.is_empty(), "half a frame: {rest:x?}");
        side
    }

    /// Takes one frame, and returns what is behind it.
    fn read_frame<'b>(&mut self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let (&[first, second], rest) = bytes.split_first_chunk()?;
        let (len, rest) = match second & 0x7f {
            126 => rest.split_first_chunk().map(|(len, rest)| (u64::from(u16::from_be_bytes(*len)), rest))?,
            127 => rest.split_first_chunk().map(|(len, rest)| (u64::from_be_bytes(*len), rest))?,
            short => (u64::from(short), rest),
        };
        let (key, rest) = match second & 0x80 {
            0 => ([0; 4], rest),
            _ => rest.split_first_chunk().map(|(key, rest)| (*key, rest))?,
        };
        let (payload, rest) = rest.split_at_checked(usize::try_from(len).expect("a 64-bit machine"))?;
        let unmasked = || payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        match first & 0x0f {
            0 => self.messages.last_mut().expect("a message that goes on").bytes += payload.len(),
            1 | 2 => self.messages.push(Sent { compressed: first & 0x40 != 0, bytes: payload.len() }),
            8 => {}
            9 => self.pings.push(unmasked()),
            10 => self.pongs.push(unmasked()),
            other => panic!("opcode {other}"),
        }
        Some(rest)
    }

    /// The value of `Sec-WebSocket-Extensions` in the head.
    pub(crate) fn extensions(&self) -> Option<&str> {
        let field = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut values = field.filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-extensions"));
        values.next().map(|(_, value)| value.trim())
    }
}

/// The parameters of permessage-deflate as one direction has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Direction {
    pub(crate) no_context_takeover: bool,
    pub(crate) window_bits: u8,
}

impl Direction {
    /// As `offer` and `answer` have them for `side`, `client` or `server`: each may bind, and the narrower one does
    /// (RFC 7692 §7.1).
    pub(crate) fn of(side: &str, offer: &str, answer: &str) -> Self {
        let mut direction = Self { no_context_takeover: false, window_bits: 15 };
        for parameter in offer.split(';').chain(answer.split(';')).map(str::trim) {
            if parameter == format!("{side}_no_context_takeover") {
                direction.no_context_takeover = true;
            }
            if let Some(bits) = parameter.strip_prefix(&format!("{side}_max_window_bits=")) {
                direction.window_bits = direction.window_bits.min(bits.parse().expect("a number"));
            }
        }
        direction
    }
}
