//! Requests as they come: one behind the other, in pieces of any size, each with its body (RFC 9112 §2.1).
//!
//! Where one ends is where the next begins, so after the first thing that is wrong nothing more is read. Does not know
//! which requests want a body: whoever reads says so, when the head is there and before a byte of the body is kept.

use super::bad_request::BadRequest;
use super::body::BodyReader;
use super::head::{HeadReader, StartLine};
use super::request::{Request, Version};

/// Reads one request after another from bytes that come in pieces of any size.
///
/// ```
/// use wiretail::http::{BadRequest, RequestReader, Response};
///
/// let mut reader = RequestReader::new();
/// // Half of a request, then the rest of it and all of the next one.
/// assert_eq!(reader.receive(b"GET /a HTTP/1.1\r\nHo")?, None);
/// let bytes = b"st: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n";
/// let (first, used) = reader.receive(bytes)?.expect("it is whole");
/// let (second, _) = reader.receive(&bytes[used..])?.expect("so is the next");
/// assert_eq!((first.path(), second.path()), ("/a", "/b"));
///
/// // Two hosts: two servers could each believe that they are meant. The refusal knows its answer.
/// let bad = reader.receive(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").unwrap_err();
/// assert_eq!(bad, BadRequest::ManyHosts);
/// let answer = Response::from(bad).into_bytes(false, false);
/// assert!(answer.starts_with(b"HTTP/1.1 400 Bad Request\r\n"));
/// # Ok::<(), BadRequest>(())
/// ```
#[derive(Debug)]
pub struct RequestReader {
    state: State,
}

#[derive(Debug)]
enum State {
    /// The head has not ended yet.
    Head(HeadReader),
    /// The head has ended, and a body is due.
    Body(Box<Pending>),
    /// Nothing that comes now can be trusted to be where a request begins.
    Failed(BadRequest),
}

#[derive(Debug)]
struct Pending {
    request: Request,
    /// How long its head was.
    head: usize,
    body: BodyReader,
    /// The client sends no body before it is told to.
    waits: bool,
}

impl RequestReader {
    /// Nothing has come yet.
    pub fn new() -> Self {
        Self { state: State::Head(HeadReader::new(StartLine::Request)) }
    }

    /// Whether any byte of the next request has come.
    pub fn started(&self) -> bool {
        match &self.state {
            State::Head(head) => head.started(),
            State::Body(_) | State::Failed(_) => true,
        }
    }

    /// About how many bytes of memory an unfinished request takes up.
    pub fn memory(&self) -> usize {
        match &self.state {
            State::Head(head) => head.memory(),
            State::Body(pending) => pending.head + pending.body.memory(),
            State::Failed(_) => 0,
        }
    }

    /// Takes the next bytes. Once a request is whole: the request, and how many of *these* bytes belong to it. What
    /// stands behind them is the caller's; after that the reader is ready for the next request.
    ///
    /// # Errors
    /// As soon as it is clear that no request will come of it, and ever after; a request with a body is refused.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<(Request, usize)>, BadRequest> {
        self.receive_with_body(bytes, |_| 0)
    }

    /// Like [`receive`](Self::receive), for those who take bodies: `most` says, of a request that has one, how many bytes of
    /// it are welcome. It is asked once, when the head is there.
    ///
    /// ```
    /// use wiretail::http::{BadRequest, RequestReader};
    ///
    /// let bytes = b"POST /tail/room HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
    /// let (request, used) = RequestReader::new().receive_with_body(bytes, |_| 100)?.expect("it is whole");
    /// assert_eq!((request.body(), used), (&b"hello"[..], bytes.len()));
    ///
    /// // Refused at the head: nothing of the body has to come for that.
    /// let head = &bytes[..bytes.len() - 5];
    /// let refused = RequestReader::new().receive_with_body(head, |_| 4);
    /// assert_eq!(refused, Err(BadRequest::BodyTooLarge(4)));
    /// # Ok::<(), BadRequest>(())
    /// ```
    ///
    /// # Errors
    /// As there, and if the body is longer than that.
    pub fn receive_with_body(
        &mut self,
        bytes: &[u8],
        most: impl FnOnce(&Request) -> usize,
    ) -> Result<Option<(Request, usize)>, BadRequest> {
        let result = self.step(bytes, most);
        if let Err(error) = result {
            self.state = State::Failed(error);
        }
        result
    }

    fn step(
        &mut self,
        bytes: &[u8],
        most: impl FnOnce(&Request) -> usize,
    ) -> Result<Option<(Request, usize)>, BadRequest> {
        let mut used = 0;
        if let State::Head(reader) = &mut self.state {
            let Some((head, of_these)) = reader.receive(bytes).map_err(BadRequest::Head)? else {
                return Ok(None);
            };
            used = of_these;
            let (request, head) = (Request::parse(head)?, head.len());
            let Some(body) = BodyReader::new(request.framing(), || most(&request))? else {
                *self = Self::new();
                return Ok(Some((request, used)));
            };
            let waits = waits_to_be_told(&request);
            self.state = State::Body(Box::new(Pending { request, head, body, waits }));
        }
        match &mut self.state {
            State::Head(_) => Ok(None),
            State::Failed(error) => Err(*error),
            State::Body(pending) => {
                let rest = &bytes[used..];
                pending.waits &= rest.is_empty();
                let Some(of_body) = pending.body.receive(rest)? else { return Ok(None) };
                let State::Body(pending) = std::mem::take(self).state else {
                    return Ok(None);
                };
                let Pending { request, body, .. } = *pending;
                Ok(Some((request.with_body(body.into_bytes()), used + of_body)))
            }
        }
    }

    /// Whether the client waits to be told to send the body, by a `100 Continue` (RFC 9110 §10.1.1). True once: whoever asks
    /// is about to tell it.
    ///
    /// ```
    /// use wiretail::http::RequestReader;
    ///
    /// let mut reader = RequestReader::new();
    /// let head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n";
    /// assert_eq!(reader.receive_with_body(head, |_| 1)?, None);
    /// assert!(reader.take_expectation());
    /// assert!(!reader.take_expectation());
    /// # Ok::<(), wiretail::http::BadRequest>(())
    /// ```
    pub fn take_expectation(&mut self) -> bool {
        match &mut self.state {
            State::Body(pending) => std::mem::take(&mut pending.waits),
            State::Head(_) | State::Failed(_) => false,
        }
    }
}

/// "A server that receives a 100-continue expectation in an HTTP/1.0 request MUST ignore that expectation" (RFC 9110
/// §10.1.1).
fn waits_to_be_told(request: &Request) -> bool {
    request.version() == Version::Http11 && request.all_fields().lists("Expect", "100-continue")
}

impl Default for RequestReader {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 30;

    /// All requests in these bytes, up to the first that is refused: whole, cut at every position, and byte by byte alike.
    fn read(bytes: &[u8]) -> (Vec<Request>, Option<u16>) {
        let whole = read_pieces(std::iter::once(bytes));
        for cut in 0..=bytes.len() {
            let (one, two) = bytes.split_at(cut);
            assert_eq!(read_pieces([one, two].into_iter()), whole, "cut at {cut}");
        }
        assert_eq!(read_pieces(bytes.chunks(1)), whole, "byte by byte");
        whole
    }

    fn read_pieces<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Request>, Option<u16>) {
        let (mut reader, mut requests) = (RequestReader::new(), Vec::new());
        for mut rest in pieces {
            while !rest.is_empty() {
                match reader.receive_with_body(rest, |_| MOST) {
                    Ok(None) => break,
                    Ok(Some((request, used))) => {
                        rest = &rest[used..];
                        requests.push(request);
                    }
                    Err(bad) => return (requests, Some(bad.status().0)),
                }
            }
        }
        (requests, None)
    }

    fn post(fields: &str, body: &str) -> String {
        format!("POST / HTTP/1.1\r\nHost: h\r\n{fields}\r\n{body}")
    }

    fn refused(fields: &str) -> Option<u16> {
        let (requests, refused) = read(post(fields, "").as_bytes());
        assert_eq!(requests, []);
        refused
    }

    #[test]
    fn requests_come_one_behind_the_other() {
        let bytes = b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\n\r\nGET /2 HTTP/1.0\r\n\r\n";
        let mut reader = RequestReader::new();
        let (first, used) = reader.receive(bytes).unwrap().unwrap();
        assert!(!reader.started());
        let (second, rest) = reader.receive(&bytes[used..]).unwrap().unwrap();
        assert_eq!((first.path(), second.path(), used + rest), ("/1", "/2", bytes.len()));
        assert!(first.keep_alive() && !second.keep_alive());
    }

    #[test]
    fn after_a_failure_nothing_is_read_any_more() {
        let mut reader = RequestReader::new();
        let error = reader.receive(b"GET / HTTP/1.1\r\n\r\n").unwrap_err();
        assert_eq!(reader.receive(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"), Err(error));
        assert!(reader.started());
    }

    #[test]
    fn bodies_are_parted_from_the_requests_behind_them() {
        let bytes = [
            post("Content-Length: 29\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n.."),
            post("Transfer-Encoding: Chunked\r\n", "3\r\none\r\n4\r\n two\r\n0\r\nA: b\r\n\r\n"),
            post("", ""),
            post("Content-Length: 0\r\n", ""),
            post("Transfer-Encoding: ,chunked ,\r\n", "0\r\n\r\n"),
        ]
        .concat();
        let (requests, refused) = read(bytes.as_bytes());
        let bodies: Vec<&[u8]> = requests.iter().map(Request::body).collect();
        assert_eq!(bodies, [&b"GET / HTTP/1.1\r\nHost: h\r\n\r\n.."[..], b"one two", b"", b"", b""]);
        assert_eq!(refused, None);
    }

    #[test]
    fn a_length_that_is_none_or_too_large_is_refused_at_the_head() {
        for length in ["-1", "+1", "0x1", "", "1, 1", "1 1", "\u{661}"] {
            assert_eq!(refused(&format!("Content-Length: {length}\r\n")), Some(400), "{length}");
        }
        for length in ["31", "99999999999999999999", "18446744073709551617"] {
            assert_eq!(refused(&format!("Content-Length: {length}\r\n")), Some(413), "{length}");
        }
        assert_eq!(refused("Content-Length: 00000000000000000000030\r\n"), None);
    }

    #[test]
    fn two_ways_to_say_where_a_body_ends_are_refused() {
        for fields in [
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 0\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
            "Transfer-Encoding: chunked, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: chunked;q=1\r\n",
            "Transfer-Encoding: \u{b}chunked\r\n",
            "Transfer-Encoding:\r\n",
        ] {
            assert_eq!(refused(fields), Some(400), "{fields:?}");
        }
        for fields in [
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: gzip\r\ntransfer-encoding: chunked\r\n",
        ] {
            assert_eq!(refused(fields), Some(501), "{fields:?}");
        }
        let old = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
        assert_eq!(read(old), (Vec::new(), Some(400)));
    }

    #[test]
    fn whoever_takes_no_bodies_refuses_them() {
        for fields in [
            "Content-Length: 1\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Transfer-Encoding: chunked\r\n",
        ] {
            let refused = RequestReader::new().receive(post(fields, "").as_bytes());
            assert_eq!(refused, Err(BadRequest::Body), "{fields:?}");
            assert_eq!(BadRequest::Body.status().0, 413);
        }
        assert!(RequestReader::new().receive(post("Content-Length: 0\r\n", "").as_bytes()).is_ok());
    }

    #[test]
    fn a_body_takes_no_more_memory_than_has_come_of_it() {
        let mut reader = RequestReader::new();
        let head = post("Content-Length: 16384\r\n", "");
        reader.receive_with_body(head.as_bytes(), |_| 1 << 14).unwrap();
        assert_eq!(reader.memory(), head.len());
        reader.receive_with_body(&[b'x'; 100], |_| panic!("it is asked once")).unwrap();
        assert!((100..=300).contains(&(reader.memory() - head.len())), "{}", reader.memory());
        assert!(reader.started());
    }

    #[test]
    fn who_waits_to_be_told_is_told_unless_the_body_comes_anyway() {
        let expecting = "Content-Length: 1\r\nExpect: 100-Continue\r\n";
        let waits = |bytes: &str| {
            let mut reader = RequestReader::new();
            let whole = reader.receive_with_body(bytes.as_bytes(), |_| MOST).unwrap().is_some();
            (reader.take_expectation(), whole)
        };
        assert_eq!(waits(&post(expecting, "")), (true, false));
        assert_eq!(waits(&post(expecting, "x")), (false, true));
        assert_eq!(waits(&post("Content-Length: 2\r\nExpect: 100-continue\r\n", "x")), (false, false));
        assert_eq!(waits(&post("Content-Length: 2\r\n", "")), (false, false));
        assert_eq!(
            waits("POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"),
            (false, false)
        );
    }
}
