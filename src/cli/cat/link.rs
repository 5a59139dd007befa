//! One connection to a server, in the client's role of the same protocol core: blocking and plain.
//!
//! Knows WebSocket; not what the messages mean.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::printer::clean_line;
use super::target::Target;
use super::token::Token;
use crate::app::access::secret::random;
use crate::app::wire::{FromServer, V1};
use crate::cli::CliError;
use crate::http::Status;
use crate::ws::deflate::Parameters;
use crate::ws::handshake::{self, Accepted, HandshakeError};
use crate::ws::{CloseCode, Closed, Connection, Event, Input, Limits, MaskKeys, Message};

/// The server pings after 15 s of silence; when nothing at all came for this long, it is gone.
const SILENCE: Duration = Duration::from_secs(40);
/// How long a connection attempt and the opening handshake may take.
const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// The largest message accepted: a piece of log text and its line of JSON, with room to spare.
const LARGEST_MESSAGE: usize = 1024 * 1024;

/// What a message of the server's says, and the log text behind it; `None` if only a newer program than this one would know.
pub(super) fn understood(message: &str) -> Result<Option<(FromServer, &str)>, Trouble> {
    FromServer::parse(message)
        .map_err(|error| refused(format!("The server speaks another protocol: {error}.")))
}

/// Why a connection ended before the log did.
pub(super) enum Trouble {
    /// Worth another try.
    Passing(String),
    /// Not worth another try.
    Final(CliError),
    /// Whoever reads our output has left: nothing more to do.
    ReaderLeft,
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                Self::Passing("the server is silent".to_owned())
            }
            _ => Self::Passing(format!("the connection broke ({error})")),
        }
    }
}

/// An open WebSocket that speaks `wiretail.v1`.
pub(super) struct Link {
    stream: TcpStream,
    connection: Connection,
    buffer: Vec<u8>,
    /// So much of the buffer has come and was not dealt with.
    filled: usize,
    out: Vec<u8>,
}

impl Link {
    /// Connects, with this query.
    pub(super) fn open(target: &Target, query: &str) -> Result<Self, Trouble> {
        let mut stream = connect(target)?;
        let mut buffer = vec![0; 64 * 1024];
        let (accepted, filled) = shake_hands(target, query, &mut stream, &mut buffer)?;
        stream.set_read_timeout(Some(SILENCE))?;
        let limits = Limits { message: LARGEST_MESSAGE, fragments: 1024 };
        // The masks are "derived from a strong source of entropy" (RFC 6455 §5.3).
        let connection = Connection::client(limits, MaskKeys::new(random())).with_deflate(accepted.deflate);
        Ok(Self { stream, connection, buffer, filled, out: Vec::new() })
    }

    /// Says something, with what is said next.
    pub(super) fn say(&mut self, message: &str) -> Result<(), Trouble> {
        self.connection.send_text(message, &mut self.out);
        self.flush()
    }

    /// Hands every message that has come to `hear`, answers what the protocol wants answered, and tells why the server
    /// has closed, if it has. Then [`wait`](Self::wait) for more.
    pub(super) fn deal(
        &mut self,
        mut hear: impl FnMut(&str) -> Result<(), Trouble>,
    ) -> Result<Option<Closed>, Trouble> {
        let mut input = Input::new(&mut self.buffer[..self.filled]);
        let mut closed = None;
        while let Some(event) = self.connection.receive(&mut input, &mut self.out) {
            match event {
                Event::Message(Message::Text(text)) => hear(text.as_str())?,
                Event::Message(Message::Binary(_)) | Event::Ping(_) | Event::Pong(_) => {}
                Event::Closed(why) => closed = Some(why),
            }
        }
        self.filled = 0;
        self.flush()?;
        Ok(closed)
    }

    /// Waits for more to come; false if the server has hung up.
    pub(super) fn wait(&mut self) -> Result<bool, Trouble> {
        self.filled = read(&mut self.stream, &mut self.buffer)?;
        Ok(self.filled > 0)
    }

    fn flush(&mut self) -> Result<(), Trouble> {
        if !self.out.is_empty() {
            self.stream.write_all(&self.out)?;
            self.out.clear();
        }
        Ok(())
    }
}

fn connect(target: &Target) -> Result<TcpStream, Trouble> {
    let (host, port) = &target.address;
    let addresses = (host.as_str(), *port)
        .to_socket_addrs()
        .map_err(|error| Trouble::Passing(format!("{host} cannot be found ({error})")))?;
    let mut last = None;
    for address in addresses {
        match TcpStream::connect_timeout(&address, OPEN_WITHIN) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(OPEN_WITHIN))?;
                stream.set_write_timeout(Some(SILENCE))?;
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    let why = last.map_or("it has no address".to_owned(), |error| error.to_string());
    Err(Trouble::Passing(format!("{} does not answer ({why})", target.authority)))
}

/// The opening handshake, as a client (RFC 6455 §4.1). Returns how much of the first frames came with the answer;
/// it stands at the front of `buffer`.
fn shake_hands(
    target: &Target,
    query: &str,
    stream: &mut TcpStream,
    buffer: &mut [u8],
) -> Result<(Accepted, usize), Trouble> {
    let resource = format!("{}?{query}", target.path);
    let token = target.token.as_ref().map(Token::field);
    let fields: Vec<_> = token.iter().map(|token| ("Authorization", token.as_str())).collect();
    let mut client = handshake::Client::new(random(), &target.authority, &resource, &[V1], &fields)
        .offering_deflate(&Parameters::default());
    stream.write_all(client.request())?;
    loop {
        let count = read(stream, buffer)?;
        if count == 0 {
            return Err(Trouble::Passing("the server hung up during the handshake".to_owned()));
        }
        match client.receive(&buffer[..count]) {
            Ok(None) => {}
            Ok(Some((accepted, used))) if accepted.protocol.as_deref() == Some(V1) => {
                buffer.copy_within(used..count, 0);
                return Ok((accepted, count - used));
            }
            Ok(Some(_)) => {
                return Err(refused("The server does not speak wiretail.v1; is it a wiretail?".to_owned()));
            }
            Err(HandshakeError::Refused { status, .. }) => {
                return Err(why_refused(status, target, &buffer[..count], stream));
            }
            Err(error) => return Err(refused(format!("This is no WebSocket server: {error}."))),
        }
    }
}

/// Reads once. That the program was stopped and continued (Ctrl-Z, `fg`) ends a read with a timeout, and means nothing.
fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

pub(super) fn refused(why: String) -> Trouble {
    Trouble::Final(CliError::Failed(why))
}

/// A server that is busy may be asked again; any other refusal is final. The body of its answer says why.
fn why_refused(status: Status, target: &Target, answer: &[u8], stream: &mut TcpStream) -> Trouble {
    const LONGEST: u64 = 4096;
    let mut answer = answer.to_vec();
    // What cannot be read is not needed: the status says the main thing.
    let _ = stream.take(LONGEST).read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    let body = clean_line(answer.split_once("\r\n\r\n").map_or("", |(_, body)| body));
    match status {
        Status::UNAUTHORIZED if target.token.is_some() => {
            refused(format!("{} does not know this token (401).", target.authority))
        }
        Status::UNAUTHORIZED => refused(format!(
            "{} wants to know who asks (401): put a token into WIRETAIL_TOKEN, or into a file for --token-file. \
             `wiretail hash-password --token` makes one, and what to write for it into the server's configuration.",
            target.authority
        )),
        Status(429 | 502..=504) => Trouble::Passing(format!("the server is busy ({status}: {body})")),
        _ => refused(format!("The server refuses ({status}): {body}")),
    }
}

pub(super) fn why_closed(closed: &Closed) -> Trouble {
    match closed.code {
        Some(CloseCode::POLICY_VIOLATION) => {
            refused(format!("The server closed the connection: {}", clean_line(&closed.reason)))
        }
        _ if closed.reason.is_empty() => Trouble::Passing("the connection was closed".to_owned()),
        _ => Trouble::Passing(clean_line(&closed.reason)),
    }
}
