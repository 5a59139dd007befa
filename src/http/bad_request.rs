//! Requests that nobody has to look at: what is wrong with them, and the status that says so.

use std::fmt;

use super::head::HeadError;
use super::response::{Response, Status};

/// Why a request is refused before anybody asked what it wants.
///
/// ```
/// use wiretail::http::{BadRequest, RequestReader, Status};
///
/// let bytes = b"POST /login HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n";
/// let bad = RequestReader::new().receive(bytes).unwrap_err();
/// assert_eq!((bad, bad.status()), (BadRequest::Body, Status::CONTENT_TOO_LARGE));
/// assert_eq!(bad.to_string(), "a request may not have a body here");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRequest {
    /// It is not even a head, or beyond the limits.
    Head(HeadError),
    /// The first line is not a method, a target and a version with one space between them.
    RequestLine,
    /// The target has none of the four forms.
    Target,
    /// A version of HTTP that is neither 1.0 nor 1.1.
    Version,
    /// The name of a field is not a token, or whitespace stands before the colon.
    FieldName,
    /// The value of a field holds what no value may.
    FieldValue,
    /// HTTP/1.1 without a `Host`.
    NoHost,
    /// More than one `Host`.
    ManyHosts,
    /// The `Host` is not a host.
    Host,
    /// What is said of the body's length is no number, is said twice, or leaves open where it ends.
    Length,
    /// A transfer coding that is not spoken here.
    Coding,
    /// The chunks of the body are malformed.
    Chunk,
    /// There is a body, and none is wanted.
    Body,
    /// The body is longer than so many bytes, or wrapped into too much beside them.
    BodyTooLarge(usize),
}

impl BadRequest {
    /// The status to answer with. The connection is closed behind the answer in any case.
    pub fn status(self) -> Status {
        match self {
            Self::Head(HeadError::StartLineTooLong) => Status::URI_TOO_LONG,
            Self::Head(HeadError::TooLarge | HeadError::TooManyFields) => Status::FIELDS_TOO_LARGE,
            Self::Head(HeadError::BareLineEnd | HeadError::FoldedLine | HeadError::ControlCharacter(_))
            | Self::RequestLine
            | Self::Target
            | Self::FieldName
            | Self::FieldValue
            | Self::NoHost
            | Self::ManyHosts
            | Self::Host
            | Self::Length
            | Self::Chunk => Status::BAD_REQUEST,
            Self::Coding => Status::NOT_IMPLEMENTED,
            Self::Version => Status::VERSION_NOT_SUPPORTED,
            Self::Body | Self::BodyTooLarge(_) => Status::CONTENT_TOO_LARGE,
        }
    }
}

/// The answer that says so, for people; the connection is to be closed behind it.
impl From<BadRequest> for Response {
    fn from(bad: BadRequest) -> Self {
        Self::text(bad.status(), &bad.to_string())
    }
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head(error) => return error.fmt(f),
            Self::RequestLine => "the request line is malformed",
            Self::Target => "the request target is malformed",
            Self::Version => "only HTTP/1.1 and HTTP/1.0 are spoken here",
            Self::FieldName => "the name of a field is malformed",
            Self::FieldValue => "the value of a field is malformed",
            Self::NoHost => "the Host field is missing",
            Self::ManyHosts => "there is more than one Host field",
            Self::Host => "the Host field is malformed",
            Self::Length => "the length of the body is malformed, or told in two ways",
            Self::Coding => "the only transfer coding that is spoken here is chunked",
            Self::Chunk => "the chunks of the body are malformed",
            Self::Body => "a request may not have a body here",
            Self::BodyTooLarge(most) => return write!(f, "the body is longer than {most} bytes"),
        })
    }
}

impl std::error::Error for BadRequest {}
