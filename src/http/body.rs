//! The body of a request: how long it is, by what its head says, and its bytes as they come (RFC 9112 §6).
//!
//! Where a body ends is where the next request begins. So whatever could be understood in two ways is refused: two
//! lengths, a length beside chunks, a coding that is not `chunked` alone, a line end that is none. Nothing is reserved on a
//! peer's word: memory grows with the bytes that have come.
//!
//! Does not know what a body means, nor who may send one.

use super::bad_request::BadRequest;
use super::head::Fields;
use super::request::Version;

/// The longest body that anything here takes: a message for a room, or a form.
pub const MAX_BODY: usize = 16 * 1024;

/// The most that a body in chunks may hold beside its data: sizes, extensions, line ends and trailers.
const MAX_FRAMING: usize = 8 * 1024;

/// How a request says where its body ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none, or it is empty.
    None,
    /// After so many bytes, at least one.
    Length(u64),
    /// Behind the chunk of size zero.
    Chunked,
}

impl Framing {
    /// What these fields say.
    pub(super) fn of(fields: &Fields, version: Version) -> Result<Self, BadRequest> {
        let lengths: Vec<&str> = fields.all("Content-Length").collect();
        if fields.all("Transfer-Encoding").next().is_none() {
            return match lengths[..] {
                [] => Ok(Self::None),
                [length] => Self::of_length(length),
                // Several lengths, even equal ones, may be refused (RFC 9110 §8.6), and nobody honest sends them.
                _ => Err(BadRequest::Length),
            };
        }
        // "A server MAY reject a request that contains both Content-Length and Transfer-Encoding" (§6.1), and where one
        // party goes by the one and the next by the other, they see two different requests. "A server or client that
        // receives an HTTP/1.0 message containing a Transfer-Encoding header field MUST treat the message as if the
        // framing is faulty".
        if !lengths.is_empty() || version == Version::Http10 {
            return Err(BadRequest::Length);
        }
        let is_chunked = |coding: &str| coding.eq_ignore_ascii_case("chunked");
        match fields.list("Transfer-Encoding").collect::<Vec<_>>()[..] {
            [only] if is_chunked(only) => Ok(Self::Chunked),
            // "A server that receives a request message with a transfer coding it does not understand SHOULD respond with
            // 501" (§6.1). Chunks within chunks are no coding at all: "a sender MUST NOT apply the chunked transfer coding
            // more than once".
            [ref others @ .., last] if is_chunked(last) && !others.iter().copied().any(is_chunked) => {
                Err(BadRequest::Coding)
            }
            // "If a Transfer-Encoding header field is present in a request and the chunked transfer coding is not the
            // final encoding, the message body length cannot be determined reliably; the server MUST respond with the 400"
            // (§6.3).
            _ => Err(BadRequest::Length),
        }
    }

    fn of_length(length: &str) -> Result<Self, BadRequest> {
        if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(BadRequest::Length);
        }
        // What no number can hold is too long for everybody.
        Ok(match length.parse().unwrap_or(u64::MAX) {
            0 => Self::None,
            length => Self::Length(length),
        })
    }
}

/// Gathers a body that comes in pieces of any size.
#[derive(Debug)]
pub(super) struct BodyReader {
    bytes: Vec<u8>,
    most: usize,
    rest: Rest,
}

/// What is still to come.
#[derive(Debug)]
enum Rest {
    Bytes(usize),
    Chunks { at: Chunks, framing: usize },
}

/// Where in a chunked body the next byte stands (RFC 9112 §7.1).
#[derive(Clone, Copy, Debug)]
enum Chunks {
    /// In the size of a chunk: its digits so far, if any.
    Size(Option<usize>),
    /// In the extensions behind that size, which mean nothing to us.
    Extension(usize),
    /// Behind the CR of that line.
    SizeEnd(usize),
    /// So many bytes before the end of a chunk's data.
    Data(usize),
    /// Before the CR behind the data, or, if that has come, before its LF.
    DataEnd { after_cr: bool },
    /// In a line of the trailers, which mean nothing to us either: whether it is empty so far.
    Trailer { empty: bool },
    /// Behind the CR of that line.
    TrailerEnd { empty: bool },
    /// There is nothing more.
    Over,
}

impl BodyReader {
    /// For a body of at most `most` bytes, which is asked if there is one to come; else `None`.
    ///
    /// # Errors
    /// If it is longer by its own word, or there may be none at all.
    pub(super) fn new(framing: Framing, most: impl FnOnce() -> usize) -> Result<Option<Self>, BadRequest> {
        let rest = match framing {
            Framing::None => return Ok(None),
            Framing::Length(length) => Rest::Bytes(usize::try_from(length).unwrap_or(usize::MAX)),
            Framing::Chunked => Rest::Chunks { at: Chunks::Size(None), framing: 0 },
        };
        let most = most();
        match rest {
            _ if most == 0 => return Err(BadRequest::Body),
            Rest::Bytes(length) if length > most => return Err(BadRequest::BodyTooLarge(most)),
            Rest::Bytes(_) | Rest::Chunks { .. } => {}
        }
        Ok(Some(Self { bytes: Vec::new(), most, rest }))
    }

    /// The bytes of memory that it takes up.
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// What has come: all of it, once [`receive`](Self::receive) has said so.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Takes the next bytes. Once the body is whole: how many of *these* belong to it.
    ///
    /// # Errors
    /// At the first byte that shows the sin. The reader is of no use after that.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Result<Option<usize>, BadRequest> {
        let Rest::Chunks { at, framing } = &mut self.rest else { return Ok(self.receive_counted(bytes)) };
        let mut used = 0;
        while used < bytes.len() {
            if let Chunks::Data(left) = *at {
                let now = left.min(bytes.len() - used);
                self.bytes.extend_from_slice(&bytes[used..used + now]);
                used += now;
                *at =
                    if now == left { Chunks::DataEnd { after_cr: false } } else { Chunks::Data(left - now) };
                continue;
            }
            *framing += 1;
            if *framing > MAX_FRAMING {
                return Err(BadRequest::BodyTooLarge(self.most));
            }
            let room = self.most - self.bytes.len();
            *at = at.step(bytes[used], room).map_err(|sin| match sin {
                Sin::Malformed => BadRequest::Chunk,
                Sin::TooLarge => BadRequest::BodyTooLarge(self.most),
            })?;
            used += 1;
            if matches!(at, Chunks::Over) {
                return Ok(Some(used));
            }
        }
        Ok(None)
    }

    fn receive_counted(&mut self, bytes: &[u8]) -> Option<usize> {
        let Rest::Bytes(left) = &mut self.rest else { return None };
        let now = bytes.len().min(*left);
        self.bytes.extend_from_slice(&bytes[..now]);
        *left -= now;
        (*left == 0).then_some(now)
    }
}

/// Why a byte cannot stand where it does.
enum Sin {
    Malformed,
    TooLarge,
}

impl Chunks {
    /// What comes after a byte that is no data, in a body that has `room` for so many more bytes of it.
    fn step(self, byte: u8, room: usize) -> Result<Self, Sin> {
        Ok(match (self, byte) {
            (Self::Size(digits), byte) if byte.is_ascii_hexdigit() => {
                let digit = char::from(byte).to_digit(16).map_or(0, |digit| digit as usize);
                // No more than 16 times the room, so it cannot overflow.
                let size = digits.unwrap_or(0) * 16 + digit;
                if size > room {
                    return Err(Sin::TooLarge);
                }
                Self::Size(Some(size))
            }
            (Self::Size(Some(size)) | Self::Extension(size), b'\r') => Self::SizeEnd(size),
            (Self::Size(Some(size)), b';') => Self::Extension(size),
            (Self::Extension(size), byte) if is_text(byte) => Self::Extension(size),
            (Self::SizeEnd(0), b'\n') => Self::Trailer { empty: true },
            (Self::SizeEnd(size), b'\n') => Self::Data(size),
            (Self::DataEnd { after_cr: false }, b'\r') => Self::DataEnd { after_cr: true },
            (Self::DataEnd { after_cr: true }, b'\n') => Self::Size(None),
            (Self::Trailer { empty }, b'\r') => Self::TrailerEnd { empty },
            (Self::Trailer { .. }, byte) if is_text(byte) => Self::Trailer { empty: false },
            (Self::TrailerEnd { empty: true }, b'\n') => Self::Over,
            (Self::TrailerEnd { empty: false }, b'\n') => Self::Trailer { empty: true },
            _ => return Err(Sin::Malformed),
        })
    }
}

/// What may stand in a line whose content we do not look at.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = Result<Option<(Vec<u8>, usize)>, BadRequest>;

    /// What becomes of these bytes in chunks: whole, cut at every position, and byte by byte alike.
    fn chunks(bytes: &[u8]) -> Read {
        let whole = read_pieces(std::iter::once(bytes));
        for cut in 0..=bytes.len() {
            let (one, two) = bytes.split_at(cut);
            assert_eq!(read_pieces([one, two].into_iter()), whole, "cut at {cut}");
        }
        assert_eq!(read_pieces(bytes.chunks(1)), whole, "byte by byte");
        whole
    }

    fn read_pieces<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Read {
        let mut reader = BodyReader::new(Framing::Chunked, || 20)?.expect("there is a body");
        let mut before = 0;
        for piece in pieces {
            if let Some(used) = reader.receive(piece)? {
                return Ok(Some((reader.into_bytes(), before + used)));
            }
            before += piece.len();
        }
        Ok(None)
    }

    #[track_caller]
    fn whole(bytes: &str, body: &str) {
        let more = format!("{bytes}GET / HTTP/1.1\r\n");
        assert_eq!(chunks(more.as_bytes()), Ok(Some((body.into(), bytes.len()))), "{bytes:?}");
        for cut in 0..bytes.len() {
            assert_eq!(chunks(&bytes.as_bytes()[..cut]), Ok(None), "{bytes:?} cut off at {cut}");
        }
    }

    #[test]
    fn chunks_make_one_body_and_what_follows_is_left() {
        whole("0\r\n\r\n", "");
        whole("5\r\nhello\r\n0\r\n\r\n", "hello");
        whole("5\r\nhello\r\ne\r\n, two\r\n0\r\n\r\n..\r\n000\r\n\r\n", "hello, two\r\n0\r\n\r\n..");
        whole("0000000A\r\n0123456789\r\n00\r\n\r\n", "0123456789");
    }

    #[test]
    fn extensions_and_trailers_mean_nothing() {
        whole("2;a=\"b;c\"\r\nhi\r\n0;\r\nX: y\r\nContent-Length: 99\r\n\r\n", "hi");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for bad in [
            "\r\n",
            ";\r\n",
            "g\r\n",
            "0x1\r\n",
            "+1\r\n",
            "-1\r\n",
            " 1\r\n",
            "1 \r\n",
            "1\n",
            "1\rx",
            "1;a\n",
            "1;\0",
            "1\r\nab",
            "1\r\na\n",
            "1\r\na\rb",
            "0\r\n\n",
            "0\r\nx\n",
            "0\r\n\rx",
            "0\r\n\0",
        ] {
            assert_eq!(chunks(bad.as_bytes()), Err(BadRequest::Chunk), "{bad:?}");
        }
    }

    #[test]
    fn a_chunk_that_is_too_large_is_refused_at_its_size() {
        for bad in ["15", "ffffffffffffffffffffffff", "000000000000000015", "5\r\nhello\r\n10"] {
            assert_eq!(chunks(bad.as_bytes()), Err(BadRequest::BodyTooLarge(20)), "{bad:?}");
        }
    }

    #[test]
    fn there_is_a_limit_to_what_is_no_data() {
        let read = |bytes: &[u8]| read_pieces(std::iter::once(bytes));
        let size = |len: usize| ["0".repeat(len).as_bytes(), b"\r\n\r\n"].concat();
        assert!(matches!(read(&size(MAX_FRAMING - 4)), Ok(Some(_))));
        assert_eq!(read(&size(MAX_FRAMING - 3)), Err(BadRequest::BodyTooLarge(20)));
        let trailers = ["0\r\n", &"a: b\r\n".repeat(2000)].concat();
        assert_eq!(read(trailers.as_bytes()), Err(BadRequest::BodyTooLarge(20)));
    }

    #[test]
    fn a_length_is_counted_and_nothing_is_reserved_for_it() {
        let mut reader = BodyReader::new(Framing::Length(20), || 20).unwrap().unwrap();
        assert_eq!((reader.receive(b""), reader.memory()), (Ok(None), 0));
        assert_eq!(reader.receive(b"0123456789"), Ok(None));
        assert_eq!(reader.receive(b"0123456789GET /"), Ok(Some(10)));
        assert_eq!(reader.into_bytes(), b"01234567890123456789");
        for length in [21, u64::MAX] {
            assert!(matches!(
                BodyReader::new(Framing::Length(length), || 20),
                Err(BadRequest::BodyTooLarge(20))
            ));
        }
        assert!(matches!(BodyReader::new(Framing::Length(1), || 0), Err(BadRequest::Body)));
        assert!(matches!(BodyReader::new(Framing::Chunked, || 0), Err(BadRequest::Body)));
        assert!(matches!(BodyReader::new(Framing::None, || unreachable!()), Ok(None)));
    }
}
