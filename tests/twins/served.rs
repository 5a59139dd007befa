//! tungstenite as the client of the real program's `/ws/echo`, over TCP, in random pieces both ways.
//!
//! What the echo must say follows from what it was told: every message, a pong for every ping, the code of the close.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use tungstenite::{Error, WebSocket};

use crate::script::{Frame, Move, Random, chatter, goodbye};
use crate::support::Server;
use crate::theirs::{message, next_word};
use crate::word::{Word, same};
use crate::{draw, runner};

/// How many conversations, and how many of them at a time.
const CONVERSATIONS: usize = 60;
const AT_A_TIME: usize = 4;

/// How long an answer may take: far more than a busy machine needs.
const SOON: Duration = Duration::from_secs(20);

/// What the client does next.
#[derive(Clone, Debug)]
enum Step {
    Say(Move),
    /// Reads what is there.
    Listen,
    /// Waits until everything is answered.
    Rest,
}

#[derive(Clone, Debug)]
enum Ending {
    Close(Move),
    /// It goes without a word, whatever is under way.
    Vanish,
}

#[derive(Clone, Debug)]
struct Plan {
    steps: Vec<Step>,
    ending: Ending,
    /// The most bytes in one read or write, and what makes their sizes.
    most: usize,
    seed: u64,
}

fn plan(ending: impl Strategy<Value = Ending>) -> impl Strategy<Value = Plan> {
    let step =
        prop_oneof![5 => chatter().prop_map(Step::Say), 2 => Just(Step::Listen), 1 => Just(Step::Rest)];
    let most = prop::sample::select(vec![3, 100, 1400, 20_000, usize::MAX]);
    (prop::collection::vec(step, 0..30), ending, most, any::<u64>())
        .prop_map(|(steps, ending, most, seed)| Plan { steps, ending, most, seed })
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![4 => goodbye().prop_map(Ending::Close), 1 => Just(Ending::Vanish)]
}

/// A socket that takes and gives no more than a random number of bytes at a time.
struct Cutting {
    stream: TcpStream,
    most: usize,
    random: Random,
}

impl Cutting {
    /// Small pieces are mixed with larger ones, or the long messages would take too long.
    fn piece(&mut self, len: usize) -> usize {
        let piece = match self.random.next() % 4 {
            0 => self.most.saturating_mul(100),
            _ => self.most,
        };
        len.min(1 + self.random.next() as usize % piece)
    }
}

impl Read for Cutting {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.piece(buf.len());
        self.stream.read(&mut buf[..len])
    }
}

impl Write for Cutting {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let len = self.piece(buf.len());
        self.stream.write(&buf[..len])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One conversation.
struct Talk {
    socket: WebSocket<Cutting>,
    /// What the echo must say, while neither side closes.
    expected: Vec<Word>,
    heard: Vec<Word>,
    /// The server has closed the connection.
    ended: bool,
}

impl Talk {
    fn begin(addr: SocketAddr, plan: &Plan) -> Result<Self, String> {
        let stream = TcpStream::connect_timeout(&addr, SOON).map_err(|error| error.to_string())?;
        let options = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(SOON)));
        options.expect("the options of a socket");
        // tungstenite takes a handshake in more than 64 small pieces for an attack.
        let cutting = Cutting { stream, most: plan.most.max(50), random: Random(plan.seed) };
        let shaken = tungstenite::client(format!("ws://{addr}/ws/echo"), cutting);
        let (mut socket, _) = shaken.map_err(|error| format!("no handshake: {error}"))?;
        socket.get_mut().most = plan.most;
        socket.get_mut().stream.set_nonblocking(true).expect("an option of a socket");
        Ok(Self { socket, expected: Vec::new(), heard: Vec::new(), ended: false })
    }

    fn say(&mut self, frame: Frame) -> Result<(), String> {
        // The server may have said goodbye.
        if !self.socket.can_write() {
            return Ok(());
        }
        let sent = self.socket.send(message(&frame));
        unless_full(sent).map_err(|error| format!("sending: {error}"))?;
        match frame.says {
            Some(Word::Ping(payload)) => self.expected.push(Word::Pong(payload)),
            // "If an endpoint receives a Pong frame [...] unsolicited [...], a response is not expected" (§5.5.3)
            Some(Word::Pong(_)) | None => {}
            Some(Word::Close(code, _)) => self.expected.push(Word::Close(code, String::new())),
            Some(word) => self.expected.push(word),
        }
        Ok(())
    }

    /// Writes and reads as much as there is. True if something is still to be written.
    fn pump(&mut self) -> Result<bool, String> {
        let mut full = false;
        match self.socket.flush() {
            Err(Error::ConnectionClosed) => self.ended = true,
            flushed => full = unless_full(flushed).map_err(|error| format!("sending: {error}"))?,
        }
        while !self.ended {
            match next_word(&mut self.socket, &mut Vec::new()) {
                Ok(Some(word)) => self.heard.push(word),
                Ok(None) => return Ok(full),
                Err(Error::ConnectionClosed) => self.ended = true,
                Err(error) => return Err(format!("hearing: {error}")),
            }
        }
        Ok(false)
    }

    /// Writes and reads until `done`.
    fn wait(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + SOON;
        loop {
            let full = self.pump()?;
            if self.ended || done(self) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("waited for {what}"));
            }
            let flags = PollFlags::IN | if full { PollFlags::OUT } else { PollFlags::empty() };
            let mut socket = [PollFd::from_borrowed_fd(self.socket.get_ref().stream.as_fd(), flags)];
            let second = Timespec { tv_sec: 1, tv_nsec: 0 };
            // A signal, or nothing for a second: look again.
            let _ = poll(&mut socket, Some(&second));
        }
    }

    /// Whether every message is back, and the last ping has its pong.
    fn is_answered(&self) -> bool {
        let count = |words: &[Word]| words.iter().filter(|word| word.is_message()).count();
        let pong = |words: &[Word]| words.iter().rfind(|word| matches!(word, Word::Pong(_))).cloned();
        count(&self.heard) == count(&self.expected) && pong(&self.heard) == pong(&self.expected)
    }

    /// What was heard is what had to be heard.
    ///
    /// In one thing the echo is free: of pings that come while its output is stuck, it may answer the latest only
    /// (§5.5.3), once that output has left. So pongs may be missing, but must stand in their order.
    fn check(&self) -> Result<(), String> {
        let (pongs, heard) = split_pongs(&self.heard);
        let (asked, expected) = split_pongs(&self.expected);
        same("the echo", &expected, &heard)?;
        in_order(&pongs, &asked)
    }

    /// It ended early: what was heard is the beginning of what had to be heard.
    fn check_beginning(&self, heard: &[Word]) -> Result<(), String> {
        let (pongs, heard) = split_pongs(heard);
        let (asked, expected) = split_pongs(&self.expected);
        same("the beginning of the echo", &expected[..heard.len().min(expected.len())], &heard)?;
        in_order(&pongs, &asked)
    }
}

/// Whether the socket is full, which is no error: what was written waits in tungstenite.
fn unless_full(sent: Result<(), Error>) -> Result<bool, Error> {
    match sent {
        Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
        sent => sent.map(|()| false),
    }
}

/// The pongs, and everything else.
fn split_pongs(words: &[Word]) -> (Vec<Word>, Vec<Word>) {
    words.iter().cloned().partition(|word| matches!(word, Word::Pong(_)))
}

fn in_order(pongs: &[Word], asked: &[Word]) -> Result<(), String> {
    let mut asked = asked.iter();
    match pongs.iter().find(|pong| !asked.any(|ping| ping == *pong)) {
        None => Ok(()),
        Some(pong) => Err(format!("{pong:?} was not asked for, or came out of order")),
    }
}

fn say_all(talk: &mut Talk, steps: &[Step]) -> Result<(), String> {
    for step in steps {
        match step {
            Step::Say(said) => said.frames().into_iter().try_for_each(|frame| talk.say(frame))?,
            Step::Listen => drop(talk.pump()?),
            Step::Rest => talk.wait("every answer", Talk::is_answered)?,
        }
    }
    Ok(())
}

fn play(addr: SocketAddr, plan: &Plan) -> Result<(), String> {
    let mut talk = Talk::begin(addr, plan)?;
    say_all(&mut talk, &plan.steps)?;
    match &plan.ending {
        Ending::Vanish => talk.check_beginning(&talk.heard),
        Ending::Close(close) => {
            close.frames().into_iter().try_for_each(|frame| talk.say(frame))?;
            talk.wait("the end", |_| false)?;
            talk.check()
        }
    }
}

/// Plays `plans`, some at a time, and fails with the first that fails.
fn play_all(plans: &[Plan], play: impl Fn(&Plan) -> Result<(), String> + Sync) {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(None));
    let work = || {
        while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(why) = play(plan) {
                failed.lock().expect("nobody panics here").get_or_insert(format!("{why}\nin {plan:?}"));
            }
        }
    };
    std::thread::scope(|scope| (0..AT_A_TIME).for_each(|_| drop(scope.spawn(work))));
    if let Some(why) = failed.into_inner().expect("nobody panics here") {
        panic!("{why}");
    }
}

#[test]
fn the_echo_says_what_it_was_told() {
    let server = Server::start(&[concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    let (mut runner, conversations) = runner(CONVERSATIONS);
    let plans: Vec<Plan> = (0..conversations).map(|_| draw(&plan(ending()), &mut runner)).collect();
    play_all(&plans, |plan| play(server.addr(), plan));
    assert!(server.stop().success(), "the server is well");
}

/// The server is told to leave while its clients talk: each has heard the beginning of its echo, and then 1001.
#[test]
fn a_server_that_leaves_says_goodbye_between_two_messages() {
    let (mut runner, _) = runner(0);
    for _ in 0..3 {
        let server = Server::start(&[concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
        let plans: Vec<Plan> =
            (0..AT_A_TIME).map(|_| draw(&plan(Just(Ending::Vanish)), &mut runner)).collect();
        let begun = AtomicUsize::new(0);
        play_all(&plans, |plan| {
            let mut talk = Talk::begin(server.addr(), plan)?;
            say_all(&mut talk, &plan.steps[..plan.steps.len() / 2])?;
            // The last to come here sends the signal.
            if begun.fetch_add(1, Ordering::Relaxed) + 1 == AT_A_TIME {
                server.signal(Signal::TERM);
            }
            say_all(&mut talk, &plan.steps[plan.steps.len() / 2..])?;
            talk.wait("the end", |_| false)?;
            match talk.heard.split_last() {
                Some((Word::Close(Some(1001), _), before)) => talk.check_beginning(before),
                other => Err(format!("no goodbye: {other:?}")),
            }
        });
    }
}
