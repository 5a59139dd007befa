//! `wiretail cat URL`: a viewer in the terminal, on the client role of the same protocol core.
//!
//! Blocking and plain: one socket, one loop. It keeps the cursor behind the last text it has printed, so whatever
//! happens to the connection (or the server), it goes on exactly there.

use std::io::{self, IsTerminal, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::CliError;
use crate::app::wire::{FromServer, V1};
use crate::http::Status;
use crate::ws::deflate::Parameters;
use crate::ws::handshake::{self, Accepted, HandshakeError};
use crate::ws::{CloseCode, Closed, Connection, Event, Input, Limits, MaskKeys, Message};

/// The server pings after 15 s of silence; when nothing at all came for this long, it is gone.
const SILENCE: Duration = Duration::from_secs(40);
/// How long a connection attempt and the opening handshake may take.
const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The largest message accepted: a piece of log text and its line of JSON, with room to spare.
const LARGEST_MESSAGE: usize = 1024 * 1024;

/// What can be typed for `wiretail cat`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(
        help = "Where the log is served: http://127.0.0.1:8080/tail/app.log, or the page's address /#/app.log"
    )]
    url: String,
    /// How many of the last lines to begin with; as many as the server likes if not given
    #[arg(short = 'n', long)]
    lines: Option<u64>,
    /// Go on where a cursor points
    #[arg(long, value_name = "CURSOR", conflicts_with = "lines")]
    from: Option<String>,
    /// Print what is there, then end
    #[arg(long)]
    no_follow: bool,
}

/// Prints the log until it ends, the reader of our output leaves, or the server says no.
///
/// # Errors
/// A URL that is none, or a server that refuses. A lost connection is no error: it is made again.
pub fn run(args: &Args) -> Result<(), CliError> {
    let target = Target::parse(&args.url)?;
    let mut cat = Cat { args, target, cursor: args.from.clone(), absent: None, printer: Printer::new() };
    let mut pause = Duration::ZERO;
    loop {
        let before = cat.cursor.clone();
        match cat.watch() {
            Ok(()) => return Ok(()),
            Err(Trouble::Final(error)) => return Err(error),
            Err(Trouble::ReaderLeft) => return Ok(()),
            // Who asked for what is there now does not want to wait for a server to come.
            Err(Trouble::Passing(why)) if args.no_follow && cat.cursor.is_none() => {
                return Err(CliError::Failed(format!("{why}.")));
            }
            Err(Trouble::Passing(why)) => {
                if cat.cursor != before {
                    pause = Duration::ZERO;
                }
                pause = (pause * 2).clamp(Duration::from_millis(250), LONGEST_PAUSE);
                say(&format!("{why}; trying again in {:.1} s", pause.as_secs_f32()));
                // Not all at once when a server with many viewers comes back.
                std::thread::sleep(pause.mul_f32(0.75 + 0.5 * f32::from(random::<1>()[0]) / 255.0));
            }
        }
    }
}

/// Why a connection ended before the log did.
enum Trouble {
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

/// Where the server is, taken from the URL.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    /// As in `Host`: name and perhaps port.
    authority: String,
    /// Name and port to connect to.
    address: (String, u16),
    /// The path, as typed.
    path: String,
}

impl Target {
    fn parse(url: &str) -> Result<Self, CliError> {
        let wrong = |why: &str| CliError::Usage(format!("{url}: {why}"));
        let rest = match url.split_once("://") {
            Some(("http" | "ws", rest)) => rest,
            Some(("https" | "wss", _)) => {
                return Err(wrong("TLS is not spoken yet; ask a server or a tunnel that speaks plain HTTP."));
            }
            Some(_) => return Err(wrong("a URL begins with http:// or ws://.")),
            None => url,
        };
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (path, fragment) = path.split_once('#').unwrap_or((path, ""));
        if path.contains('?') {
            return Err(wrong("what stands behind the ? is said by --lines, --from and --no-follow here."));
        }
        // The page's own address, as it is copied from a browser: http://127.0.0.1:8080/#/app.log
        let path = match fragment.strip_prefix('/') {
            Some(name) if path.ends_with('/') => format!("{path}tail/{name}"),
            _ if fragment.is_empty() => path.to_owned(),
            _ => return Err(wrong("a # in a log's name is written as %23.")),
        };
        if !path.contains("/tail/") || path.ends_with("/tail/") {
            return Err(wrong(
                "the URL must name a log, as http://127.0.0.1:8080/tail/app.log; the page lists their names.",
            ));
        }
        let path = path.bytes().fold(String::new(), |path, byte| match byte {
            b'!'..=b'~' => path + char::from(byte).encode_utf8(&mut [0; 4]),
            _ => path + &format!("%{byte:02X}"),
        });
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| wrong("the port is no number."))?)
            }
            _ => (authority, 80),
        };
        if host.is_empty()
            || !authority.bytes().all(|byte| byte.is_ascii_graphic())
            || authority.contains('@')
        {
            return Err(wrong("the URL names no host."));
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { authority: authority.to_owned(), address: (host, port), path })
    }
}

/// One run of the command.
struct Cat<'a> {
    args: &'a Args,
    target: Target,
    /// Behind the last text that was printed.
    cursor: Option<String>,
    /// Why there was nothing to print.
    absent: Option<String>,
    printer: Printer,
}

impl Cat<'_> {
    /// One connection, from the handshake to its end. `Ok` when the log has ended as well.
    fn watch(&mut self) -> Result<(), Trouble> {
        let mut stream = self.connect()?;
        let mut buffer = vec![0; 64 * 1024];
        let (accepted, mut filled) = self.shake_hands(&mut stream, &mut buffer)?;
        stream.set_read_timeout(Some(SILENCE))?;
        let limits = Limits { message: LARGEST_MESSAGE, fragments: 1024 };
        let mut connection =
            Connection::client(limits, MaskKeys::new(random())).with_deflate(accepted.deflate);
        let mut out = Vec::new();
        let mut ended = false;
        loop {
            let mut input = Input::new(&mut buffer[..filled]);
            let mut closed = None;
            while let Some(event) = connection.receive(&mut input, &mut out) {
                match event {
                    Event::Message(Message::Text(text)) => ended |= self.hear(text.as_str())?,
                    Event::Message(Message::Binary(_)) | Event::Ping(_) | Event::Pong(_) => {}
                    Event::Closed(why) => closed = Some(why),
                }
            }
            self.printer.flush()?;
            if !out.is_empty() {
                stream.write_all(&out)?;
                out.clear();
            }
            if let Some(closed) = closed {
                return if ended { Ok(()) } else { Err(why_closed(&closed)) };
            }
            filled = read(&mut stream, &mut buffer)?;
            if filled == 0 {
                return if ended { Ok(()) } else { Err(Trouble::Passing("the server hung up".to_owned())) };
            }
        }
    }

    fn connect(&self) -> Result<TcpStream, Trouble> {
        let (host, port) = &self.target.address;
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
        Err(Trouble::Passing(format!("{} does not answer ({why})", self.target.authority)))
    }

    /// The opening handshake, as a client (RFC 6455 §4.1). Returns how much of the first frames came with the answer;
    /// it stands at the front of `buffer`.
    fn shake_hands(
        &mut self,
        stream: &mut TcpStream,
        buffer: &mut [u8],
    ) -> Result<(Accepted, usize), Trouble> {
        let target = format!("{}?{}", self.target.path, self.query());
        let mut client = handshake::Client::new(random(), &self.target.authority, &target, &[V1], &[])
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
                    return Err(refused(
                        "The server does not speak wiretail.v1; is it a wiretail?".to_owned(),
                    ));
                }
                Err(HandshakeError::Refused { status, .. }) => {
                    return Err(why_refused(status, &buffer[..count], stream));
                }
                Err(error) => return Err(refused(format!("This is no WebSocket server: {error}."))),
            }
        }
    }

    fn query(&self) -> String {
        let start = match (&self.cursor, self.args.lines) {
            (Some(cursor), _) => format!("from={cursor}"),
            (None, Some(lines)) => format!("lines={lines}"),
            (None, None) => String::new(),
        };
        let follow = if self.args.no_follow { "follow=0" } else { "follow=1" };
        format!("{follow}&{start}").trim_end_matches('&').to_owned()
    }

    /// Prints what a message brings. `true` when it was the last.
    fn hear(&mut self, message: &str) -> Result<bool, Trouble> {
        let (message, text) = FromServer::parse(message)
            .map_err(|error| refused(format!("The server speaks another protocol: {error}.")))?;
        match message {
            // Only to begin with. If bytes are missing, a gap follows the hello of a connection that resumes; were the
            // connection lost between the two, nobody would hear of them.
            FromServer::Hello { cursor, .. } => {
                self.cursor.get_or_insert(cursor);
            }
            FromServer::Lines { to, .. } => {
                self.absent = None;
                self.printer.print(text)?;
                self.cursor = Some(to);
            }
            FromServer::Rotated { cursor } => self.note(Some(cursor), "the file was rotated")?,
            FromServer::Truncated { cursor } => self.note(Some(cursor), "the file was truncated")?,
            FromServer::Gap { to, bytes, .. } => {
                let count = bytes.map_or("an unknown number of".to_owned(), |bytes| bytes.to_string());
                self.note(Some(to), &format!("{count} bytes are missing here"))?;
            }
            FromServer::Missing { why } if self.args.no_follow => self.absent = Some(why),
            FromServer::Missing { why } => self.note(None, &why)?,
            FromServer::Back {} => self.note(None, "the file is there again")?,
            FromServer::Behind { .. } | FromServer::Pong {} | FromServer::Filtered { .. } => {}
            // The answers to what is not asked.
            FromServer::Older(_)
            | FromServer::Newer(_)
            | FromServer::Place(_)
            | FromServer::Hits { .. }
            | FromServer::Progress(_)
            | FromServer::Done(_) => {}
            FromServer::End {} => {
                return self.absent.take().map_or(Ok(true), |why| Err(refused(clean_line(&why))));
            }
            FromServer::Error { message, .. } => self.note(None, &message)?,
        }
        Ok(false)
    }

    /// Says something about the log, on standard error and in its place between the lines.
    fn note(&mut self, cursor: Option<String>, what: &str) -> Result<(), Trouble> {
        if let Some(cursor) = cursor {
            self.cursor = Some(cursor);
        }
        self.printer.flush()?;
        say(&clean_line(what));
        Ok(())
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

fn refused(why: String) -> Trouble {
    Trouble::Final(CliError::Failed(why))
}

/// A server that is busy may be asked again; any other refusal is final. The body of its answer says why.
fn why_refused(status: Status, answer: &[u8], stream: &mut TcpStream) -> Trouble {
    const LONGEST: u64 = 4096;
    let mut answer = answer.to_vec();
    // What cannot be read is not needed: the status says the main thing.
    let _ = stream.take(LONGEST).read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    let body = clean_line(answer.split_once("\r\n\r\n").map_or("", |(_, body)| body));
    match status {
        Status(429 | 502..=504) => Trouble::Passing(format!("the server is busy ({status}: {body})")),
        _ => refused(format!("The server refuses ({status}): {body}")),
    }
}

fn why_closed(closed: &Closed) -> Trouble {
    match closed.code {
        Some(CloseCode::POLICY_VIOLATION) => {
            refused(format!("The server closed the connection: {}", clean_line(&closed.reason)))
        }
        _ if closed.reason.is_empty() => Trouble::Passing("the connection was closed".to_owned()),
        _ => Trouble::Passing(clean_line(&closed.reason)),
    }
}

/// Bytes nobody can guess, for the handshake's key and the masks (RFC 6455 §5.3: "derived from a strong source of
/// entropy").
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("the system gives no random bytes: {error}"),
        }
    }
    bytes
}

/// Says something beside the log. That nobody listens to it is no reason to end.
fn say(what: &str) {
    let _ = writeln!(io::stderr(), "wiretail: {what}");
}

/// One line of somebody else's, fit for a terminal.
fn clean_line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

/// Prints log text. On a terminal, control characters other than line ends, tabs and colours are shown as pictures:
/// a log must not be able to drive the terminal.
struct Printer {
    out: io::BufWriter<io::Stdout>,
    escapes: Option<Escapes>,
}

impl Printer {
    fn new() -> Self {
        let stdout = io::stdout();
        let escapes = stdout.is_terminal().then(Escapes::default);
        Self { out: io::BufWriter::with_capacity(64 * 1024, stdout), escapes }
    }

    fn print(&mut self, text: &str) -> Result<(), Trouble> {
        let written = match &mut self.escapes {
            None => self.out.write_all(text.as_bytes()),
            Some(escapes) => self.out.write_all(escapes.clean(text).as_bytes()),
        };
        written.map_err(|_| Trouble::ReaderLeft)
    }

    fn flush(&mut self) -> Result<(), Trouble> {
        self.out.flush().map_err(|_| Trouble::ReaderLeft)
    }
}

/// Lets colours (`ESC [ digits and ; m`) through and nothing else. A sequence cut in two by the network is held back.
#[derive(Debug, Default)]
struct Escapes {
    held: String,
}

impl Escapes {
    fn clean(&mut self, text: &str) -> String {
        const LONGEST: usize = 32;
        let mut clean = String::with_capacity(text.len());
        for c in text.chars() {
            let continues = match self.held.len() {
                0 => c == '\x1b',
                1 => c == '[' && self.held == "\x1b",
                len => len < LONGEST && (c.is_ascii_digit() || c == ';'),
            };
            if continues {
                self.held.push(c);
                continue;
            }
            if self.held.len() > 1 && c == 'm' {
                clean.push_str(&self.held);
                clean.push('m');
                self.held.clear();
                continue;
            }
            match self.held.as_str() {
                "\r" if c == '\n' => self.held.clear(),
                _ => clean.extend(self.held.drain(..).map(picture)),
            }
            match c {
                // Of a line that ends with \r\n nobody wants to see the \r.
                '\x1b' | '\r' => self.held.push(c),
                _ => clean.push(picture(c)),
            }
        }
        clean
    }
}

/// A control character as the picture Unicode has for it.
fn picture(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        '\0'..='\x1f' => char::from_u32(0x2400 + c as u32).unwrap_or('?'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' => '\u{fffd}',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_host_and_a_log() {
        let target = Target::parse("http://localhost:8080/logs/tail/a/b%20c").unwrap();
        assert_eq!(target.address, ("localhost".to_owned(), 8080));
        assert_eq!(target.path, "/logs/tail/a/b%20c");
        assert_eq!(Target::parse("http://h/tail/a b日").unwrap().path, "/tail/a%20b%E6%97%A5", "as typed");
        let page = Target::parse("http://h/logs/#/a/b%20c").unwrap();
        assert_eq!(page.path, "/logs/tail/a/b%20c", "the page's own address");
        assert_eq!(Target::parse("ws://[::1]:90/tail/x").unwrap().address, ("::1".to_owned(), 90));
        assert_eq!(Target::parse("[::1]/tail/x").unwrap().address, ("::1".to_owned(), 80));
        for bad in [
            "",
            "http://",
            "http://h/",
            "http://h/tail/",
            "https://h/tail/x",
            "ftp://h/tail/x",
            "http://h:x/tail/y",
            "http:///tail/x",
            "http://h/tail/x?lines=5",
            "http://h/tail/a#b",
            "http://h/#/",
            "http://u@h/tail/x",
        ] {
            assert!(Target::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_end_of_a_line_from_windows_is_no_picture() {
        let mut escapes = Escapes::default();
        assert_eq!(escapes.clean("a\r\nb\r"), "a\nb");
        assert_eq!(escapes.clean("\n\r\rc\r[1m\x1b\r\n"), "\n\u{240d}\u{240d}c\u{240d}[1m\u{241b}\n");
    }

    #[test]
    fn a_log_cannot_drive_the_terminal_wherever_it_is_cut() {
        let evil =
            "a\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J\x1b[H\x1bc \r\x08\x7f\u{9b}31m \x1b[1;3\x1b[4mz\n";
        let whole = Escapes::default().clean(evil);
        assert!(whole.starts_with("a\x1b[31mred\x1b[0m "), "colours stay: {whole:?}");
        assert!(whole.ends_with("\x1b[4mz\n"));
        let mut rest = whole.clone();
        for colour in ["\x1b[31m", "\x1b[0m", "\x1b[4m"] {
            rest = rest.replacen(colour, "", 1);
        }
        assert!(!rest.chars().any(|c| c.is_control() && c != '\n'), "{rest:?}");
        for (cut, _) in evil.char_indices() {
            let mut escapes = Escapes::default();
            let parts = escapes.clean(&evil[..cut]) + &escapes.clean(&evil[cut..]);
            assert_eq!(parts, whole, "cut at {cut}");
        }
    }
}
