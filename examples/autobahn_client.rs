//! The client role under the Autobahn test suite: runs the cases of its fuzzing server, saying back what it hears.
//!
//! ```text
//! wstest -m fuzzingserver -u 0        then, beside it:
//! cargo run --example autobahn_client [HOST:PORT [CASES]]
//! ```
//!
//! `CASES` is `9` or `1-301`, counted as that server counts those of its configuration; without it, all are run. The
//! verdicts are in the report that the server writes at the end. Our own status tells whether every case came to an end:
//! it is not zero if the server could not be reached, refused the handshake, or fell silent.

use std::error::Error;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use wiretail::ws::deflate::Parameters;
use wiretail::ws::handshake::Client;
use wiretail::ws::{Connection, Event, Input, Limits, MaskKeys, Message};

/// Who we are in the report.
const AGENT: &str = "wiretail";
/// How long the server may say nothing at all, and take nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// How long one case may last. The suite itself gives up on its slowest ones after 480 s.
const LONGEST_CASE: Duration = Duration::from_secs(600);
/// How long a server may take to close TCP once everything is said, which is its part (RFC 6455 §7.1.1).
const LINGER: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().unwrap_or_else(|| "127.0.0.1:9001".to_owned());
    match run(&server, arguments.next().as_deref()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failures) => {
            eprintln!("{failures} cases did not come to an end");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{server}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the cases one after the other. Returns how many did not come to an end.
fn run(server: &str, cases: Option<&str>) -> Result<usize, Box<dyn Error>> {
    let (first, last) = match cases.map(|cases| cases.split_once('-').unwrap_or((cases, cases))) {
        Some((first, last)) => (first.parse()?, last.parse()?),
        None => (1, count_cases(server)?),
    };
    let mut failures = 0;
    for case in first..=last {
        let target = format!("/runCase?case={case}&agent={AGENT}");
        if let Err(error) = converse(server, &target, Connection::send_message) {
            eprintln!("case {case}: {error}");
            failures += 1;
        }
    }
    converse(server, &format!("/updateReports?agent={AGENT}"), |_, _, _| {})?;
    println!("{} cases run", last + 1 - first);
    Ok(failures)
}

fn count_cases(server: &str) -> Result<usize, Box<dyn Error>> {
    let mut count = None;
    converse(server, "/getCaseCount", |_, message, _| {
        if let Message::Text(number) = message {
            count = number.as_str().parse().ok();
        }
    })?;
    count.ok_or_else(|| "the server does not say how many cases it has".into())
}

/// One connection from its opening handshake to its end; whatever message comes is given to `heard`.
///
/// That the server breaks the protocol, or just hangs up, is no error: the cases are about that.
fn converse(
    server: &str,
    target: &str,
    mut heard: impl FnMut(&mut Connection, &Message<'_>, &mut Vec<u8>),
) -> Result<(), Box<dyn Error>> {
    let deadline = Instant::now() + LONGEST_CASE;
    let mut stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(SILENCE))?;
    let mut buffer = vec![0; 64 * 1024];
    let (mut connection, mut filled) = shake_hands(&mut stream, server, target, &mut buffer)?;
    let mut out = Vec::new();
    loop {
        let mut input = Input::new(&mut buffer[..filled]);
        while let Some(event) = connection.receive(&mut input, &mut out) {
            if let Event::Message(message) = event {
                heard(&mut connection, &message, &mut out);
            }
        }
        // A server that has failed us may be gone already: what we had to say is its loss.
        let written = stream.write_all(&out);
        out.clear();
        let patience = if connection.is_over() { LINGER } else { SILENCE };
        match written.and_then(|()| read(&mut stream, &mut buffer, deadline, patience)) {
            Ok(0) => return Ok(()),
            Ok(count) => filled = count,
            Err(error) if is_timeout(&error) => {
                return if connection.is_over() { Ok(()) } else { Err("the server is silent".into()) };
            }
            Err(_) => return Ok(()),
        }
    }
}

/// The opening handshake. What stood behind the answer is at the front of `buffer` then.
fn shake_hands(
    stream: &mut TcpStream,
    server: &str,
    target: &str,
    buffer: &mut [u8],
) -> Result<(Connection, usize), Box<dyn Error>> {
    let deadline = Instant::now() + SILENCE;
    let client = Client::new(random()?, server, target, &[], &[]);
    let mut client = client.offering_deflate(&Parameters::default());
    stream.write_all(client.request())?;
    loop {
        let count = read(stream, buffer, deadline, SILENCE)?;
        if count == 0 {
            return Err("the server hung up during the handshake".into());
        }
        if let Some((accepted, used)) = client.receive(&buffer[..count])? {
            buffer.copy_within(used..count, 0);
            let connection = Connection::client(Limits::echo(), MaskKeys::new(random()?));
            return Ok((connection.with_deflate(accepted.deflate), count - used));
        }
    }
}

/// Reads once, waiting for `patience` but not beyond `deadline`.
fn read(
    stream: &mut TcpStream,
    buffer: &mut [u8],
    deadline: Instant,
    patience: Duration,
) -> std::io::Result<usize> {
    let left = deadline.saturating_duration_since(Instant::now()).min(patience);
    // A timeout of zero would mean none.
    stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
    stream.read(buffer)
}

/// What a read or a write that took too long says; which of the two depends on the system.
fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Bytes nobody can guess, for the handshake's key and the masks (RFC 6455 §4.1, §5.3).
fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}
