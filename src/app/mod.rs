//! The program: the only layer that knows all the others.
//!
//! One `match` over what the event loop says ([`App::run`]); each arm is a sentence. What a connection is busy with is
//! its [`Session`]; what is being watched is in [`logs`]. Only [`App::run`] and the event loop ask the
//! clock; everything below is handed `now`.
//!
//! Reading order: [`access`] (who may ask), [`routes`] (what they ask for), [`logs`] (what is there), [`wire`] (the tail
//! sub-protocol), [`conversation`] (a WebSocket with a pulse), [`beginning`], [`hearing`], [`request`], [`requests`], [`viewer`]
//! (somebody watching a log), [`reader`], [`question`] and [`inquiry`] (the same without WebSocket, and a log's past), [`rooms`]
//! (what visitors write), [`listing`], [`jobs`], [`download`], [`turns`] (work that takes long), [`pool`] and [`echo`],
//! [`session`] (one connection's life), `guests` (those whom the gate has let through), and this file.

pub mod access;
pub mod beginning;
pub mod changes;
mod context;
pub mod conversation;
pub mod download;
pub mod echo;
pub mod entering;
pub mod filters;
mod guests;
pub mod hearing;
mod inputs;
pub mod inquiry;
pub mod jobs;
mod limits;
pub mod listing;
pub mod logs;
pub mod pace;
pub mod pool;
pub mod pulse;
pub mod question;
pub mod reader;
pub mod request;
pub mod requests;
pub mod rooms;
pub mod routes;
pub mod session;
pub mod turns;
pub mod viewer;
pub mod wake;
pub mod wire;

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant, SystemTime};

use crate::config::{Config, Renewal};
use crate::jobs::Jobs;
use crate::net::{self, Bytes, ConnId, EventLoop, Received, Table, WatchId};
use crate::tail::catalogue::{Catalogue, Source};
use access::Gate;
use changes::Changes;
pub use context::Context;
use conversation::Outcome;
use inputs::Inputs;
use limits::limits;
use logs::{Logs, Rescanned};
use pool::Pool;
use rooms::Rooms;
use routes::Site;
use session::Session;
use turns::{Slice, Turns};
use wire::Framer;

/// One read takes at most this much: what one connection can cost the others in a turn.
const READ_BUDGET: usize = 64 * 1024;
/// A request must be complete, its body included, this long after the connection was accepted, or after the last answer.
const REQUEST_WITHIN: Duration = Duration::from_secs(5);
/// What all echoes together may hold (messages half heard, echoes not taken, contexts of compression) before the large
/// ones are closed; those of up to 64 KiB may stay in any case.
const ECHOES: usize = 256 << 20;
/// What all unfinished requests together may hold. A head may be 8 KiB long and a body 16 KiB, and ten thousand peers who
/// each hold back the last byte of theirs would take up 240 MiB.
const REQUESTS: usize = 32 << 20;
/// What all answers to polls together may hold before a poll gets no more than one piece of a log.
const ANSWERS: usize = 64 << 20;
/// So many viewers are given what is new in a turn: at 6 to 8 µs each, most of it the write, that takes two milliseconds.
const PUMPS: usize = 256;
/// How often jobs are looked at of which no socket tells.
const JOBS_AGAIN: Duration = Duration::from_secs(1);
/// How long a finished connection may take to hear our last words.
const LINGER: Duration = Duration::from_secs(2);
/// How long everybody may take to say goodbye when the server stops: the 2 s of a closing handshake and a little more,
/// so that we are gone within three seconds on a busy machine, too.
const FAREWELL: Duration = Duration::from_millis(2200);

/// The whole server: see [`App::run`].
pub struct App {
    event_loop: EventLoop,
    sessions: Table<Session>,
    buffer: Vec<u8>,
    framer: Framer,
    logs: Logs,
    jobs: Jobs,
    gate: Gate,
    site: Site,
    heads: Pool,
    echoes: Pool,
    answers: Pool,
    rooms: Rooms,
    inputs: Inputs,
    /// Who has work that takes long.
    turns: Turns,
    /// Who may have something new to be given.
    waiting: Turns,
    /// When the last goodbye is over, once the server is stopping.
    stopping: Option<Instant>,
    /// Somebody wants the settings to be read again.
    to_renew: bool,
    /// They have been, and somebody wants to hear what has changed.
    renewed: Option<Changes>,
}

/// Why [`App::run`] has come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// A signal has ended it.
    Stopped,
    /// The settings are to be read again: see [`App::renew`]. Then it is to be run again, soon.
    ToRenew,
    /// Those that it was [renewed](App::renew) with hold from now on; this is what has become of the logs. It is to be run
    /// again, soon.
    Renewed(Changes),
}

impl App {
    /// Everything in its place, listening on `config.listeners`, nothing running yet.
    ///
    /// # Errors
    /// When the system refuses a poll, a signal handler or a temporary folder.
    pub fn new(config: Config) -> io::Result<Self> {
        wake::survive_full_files()?;
        let mut event_loop =
            EventLoop::new(config.listeners, limits(config.connections, config.per_address))?;
        let gate = Gate::new(config.access)?;
        let Config { renewable, inotify, stdin, demo, .. } = config;
        let inputs = Inputs::new(&mut event_loop, &gate, renewable, inotify, stdin, demo)?;
        let site = Site::new(&config.base, config.lessons, config.lines, inputs.demo.is_some());
        Ok(Self {
            event_loop,
            sessions: Table::default(),
            buffer: vec![0; READ_BUDGET],
            framer: Framer::default(),
            heads: Pool::new(REQUESTS),
            echoes: Pool::new(ECHOES),
            answers: Pool::new(ANSWERS),
            rooms: Rooms::of(config.rooms),
            logs: Logs::new(config.catalogue, config.tick, RandomState::new().hash_one(0) as u32),
            jobs: config.jobs,
            gate,
            site,
            inputs,
            turns: Turns::default(),
            waiting: Turns::default(),
            stopping: None,
            to_renew: false,
            renewed: None,
        })
    }

    /// The life of the program: until a signal ends it, or wants the settings to be read again.
    ///
    /// # Errors
    /// Only when the poll itself fails.
    pub fn run(&mut self) -> io::Result<Left> {
        while !self.is_over() {
            if std::mem::take(&mut self.to_renew) {
                return Ok(Left::ToRenew);
            }
            if let Some(changes) = self.renewed.take() {
                return Ok(Left::Renewed(changes));
            }
            match self.event_loop.next_event()? {
                net::Event::Opened(id, peer) => {
                    log::debug!("{id}: opened from {peer}");
                    self.welcome(id);
                }
                net::Event::Readable(id) => self.attend(id, Self::read),
                net::Event::Drained(id) => self.attend(id, Self::drained),
                net::Event::Expired(id) => self.attend(id, Self::expired),
                net::Event::Closed(id) => self.forget(id),
                net::Event::Woken(watch) => self.woken(watch),
                net::Event::Tick(now) => self.tick(now),
            }
        }
        Ok(Left::Stopped)
    }

    /// Goes on with other settings. The logs are looked at first, in slices; until that is done the old ones are served.
    /// Then viewers of logs that are not served any more, or are to be read another way, are told to come back; the others
    /// notice nothing.
    pub fn renew(&mut self, renewal: Renewal) {
        let Renewal { access, catalogue, lines, rooms } = renewal;
        self.gate.renew(access, self.event_loop.now());
        self.see_off();
        self.site.renew(lines);
        self.rooms.renew(rooms);
        self.logs.renew(catalogue);
        self.event_loop.tick_at(self.event_loop.now());
    }

    /// The catalogue that follows this one, of other sources.
    ///
    /// # Errors
    /// If a name is given twice, or standard input is wanted that was not from the beginning.
    pub fn next_catalogue(&self, sources: Vec<Source>) -> Result<Catalogue, String> {
        let stdin = self.inputs.stdin.as_ref().map(|(spool, _)| spool.path());
        if stdin.is_none() && sources.iter().any(Source::is_stdin) {
            return Err("standard input can be a log only if it was one from the beginning".to_owned());
        }
        self.logs.next_catalogue(sources, stdin, self.event_loop.now())
    }

    /// The jobs.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    fn is_over(&self) -> bool {
        let all_gone = || self.event_loop.connections() == 0 && !self.jobs.are_ending();
        self.stopping.is_some_and(|end| all_gone() || self.event_loop.now() >= end)
    }

    fn welcome(&mut self, id: ConnId) {
        self.sessions.insert(id, Session::new(&self.heads));
        self.event_loop.set_deadline(id, Some(self.event_loop.now() + REQUEST_WITHIN));
    }

    /// Does something for one connection; should it panic, that connection ends and the others go on.
    fn attend(&mut self, id: ConnId, work: impl FnOnce(&mut Self, ConnId)) {
        if catch_unwind(AssertUnwindSafe(|| work(self, id))).is_err() {
            log::error!("{id}: this connection's turn panicked; it is closed, the others go on");
            self.event_loop.unsay(id);
            if self.sessions.get(id).is_some_and(Session::is_upgraded) {
                // A close frame with 1011 (RFC 6455 §7.4.1), written out by hand: the connection's own state is not
                // trusted any more.
                self.event_loop.send(id, Bytes::Own(vec![0x88, 2, 0x03, 0xf3]));
            }
            self.event_loop.finish(id, LINGER);
            self.forget(id);
        }
    }

    /// Reads once, at most 64 KiB, and hands the bytes to whatever the connection is busy with.
    fn read(&mut self, id: ConnId) {
        let Some(session) = self.sessions.get(id) else { return };
        if !session.wants_input(self.event_loop.is_stuck(id)) {
            return;
        }
        // One filter is made a turn, and each request may come with one.
        if session.is_asking() && self.logs.filters.made_one(self.event_loop.now()) {
            return self.event_loop.read_later(id);
        }
        match self.event_loop.read(id, &mut self.buffer) {
            Received::Bytes(count) => {
                self.converse(id, |session, context, buffer| session.receive(&mut buffer[..count], context));
            }
            Received::Nothing => {}
            Received::Eof => self.converse(id, |session, _, _| session.receive_eof()),
            Received::Broken(error) => {
                log::debug!("{id}: broken: {error}");
                self.event_loop.discard(id);
                self.forget(id);
            }
        }
    }

    /// There is room for more output: the next piece of the log, or the input that was put off.
    fn drained(&mut self, id: ConnId) {
        self.converse(id, |session, context, _| session.drained(context));
        self.event_loop.read_later(id);
    }

    fn expired(&mut self, id: ConnId) {
        self.converse(id, |session, context, _| session.expired(context));
    }

    /// One exchange with a session: it does its work, and what follows for the connection is carried out.
    fn converse(
        &mut self,
        id: ConnId,
        work: impl FnOnce(&mut Session, &mut Context<'_>, &mut [u8]) -> Outcome,
    ) {
        let Some(outcome) = self.with_session(id, work) else { return };
        match outcome {
            Outcome::Open => {}
            Outcome::Over => {
                self.event_loop.finish(id, LINGER);
                self.forget(id);
            }
            Outcome::Gone => {
                self.event_loop.discard(id);
                self.forget(id);
            }
        }
        if self.logs.has_news() {
            self.pump_news();
        }
        if self.logs.take_opened_or_closed() {
            self.refresh_watches();
        }
        self.see_off();
        self.ask_for_turns();
    }

    /// Whoever has work that takes long gets on with it at the end of this turn of the loop.
    fn ask_for_turns(&mut self) {
        if let Some(due) = self.turns.due(self.event_loop.now()) {
            self.event_loop.tick_at(due);
        }
    }

    /// Gets on with what takes long, for about two milliseconds.
    fn work(&mut self) {
        let mut turns = std::mem::take(&mut self.turns);
        // What is added meanwhile, for others, comes behind them.
        turns.run(Instant::now, |turns, id| {
            let slice = self.slice(id);
            self.turns.drain_into(turns);
            slice
        });
        self.turns = turns;
        if self.logs.has_news() {
            self.pump_news();
        }
        self.ask_for_turns();
    }

    fn slice(&mut self, id: ConnId) -> Slice {
        let mut slice = Slice::Done;
        self.attend(id, |app, id| {
            slice = app.with_session(id, |session, context, _| session.work(context)).unwrap_or(Slice::Done);
        });
        slice
    }

    /// Watches the file system for the logs that are open now.
    fn refresh_watches(&mut self) {
        if let Some((files, _)) = &mut self.inputs.files {
            files.keep_only(self.logs.watched_paths());
        }
    }

    fn forget(&mut self, id: ConnId) {
        self.logs.unwatch(id);
        self.gate.forget(id);
        self.sessions.remove(id);
    }

    /// Hands new pieces to those who wait at the head of a log that has grown. Bound: 256 viewers are given one piece each,
    /// of at most 64 KiB; the others have their turn before those come again.
    fn pump_news(&mut self) {
        self.logs.take_news(|viewer| self.waiting.add(viewer));
        for viewer in self.waiting.take(PUMPS) {
            self.attend(viewer, Self::pump);
        }
        if let Some(due) = self.waiting.due(self.event_loop.now()) {
            self.event_loop.tick_at(due);
        }
    }

    fn pump(&mut self, id: ConnId) {
        self.with_session(id, |session, context, _| session.pump(context));
    }

    /// Lets a session do something, with all it may need, and with the bytes that were read last.
    fn with_session<T>(
        &mut self,
        id: ConnId,
        what: impl FnOnce(&mut Session, &mut Context<'_>, &mut [u8]) -> T,
    ) -> Option<T> {
        let now = self.event_loop.now();
        let session = self.sessions.get_mut(id)?;
        let Self {
            event_loop,
            buffer,
            framer,
            logs,
            gate,
            jobs,
            site,
            heads,
            echoes,
            answers,
            turns,
            rooms,
            ..
        } = self;
        let wall_clock = SystemTime::now;
        let mut context = Context {
            id,
            now,
            event_loop,
            framer,
            logs,
            gate,
            jobs,
            site,
            heads,
            echoes,
            answers,
            turns,
            rooms,
            wall_clock,
        };
        Some(what(session, &mut context, buffer))
    }

    fn woken(&mut self, watch: WatchId) {
        let now = self.event_loop.now();
        if watch == self.inputs.signals.1 {
            for _ in 0..self.inputs.signals.0.drain() {
                self.stop();
            }
        } else if let Some((signals, _)) = self.inputs.renewal.as_mut().filter(|(_, own)| watch == *own) {
            self.to_renew |= signals.drain() > 0;
        } else if self.inputs.verdicts == Some(watch) {
            self.hear_verdicts();
        } else if self.inputs.files.as_ref().is_some_and(|(_, files_watch)| watch == *files_watch) {
            self.hinted(now);
        } else {
            self.read_stdin();
            self.hear_jobs(now);
            self.look(now);
        }
    }

    /// The file system has a hint for us. While lines are being gathered the first one is put off until they are; another
    /// one may be of another log.
    fn hinted(&mut self, now: Instant) {
        let Some((files, _)) = &mut self.inputs.files else { return };
        match self.logs.gathered_at(now) {
            Some(then) if !files.has_unheard() => {
                files.put_off();
                self.event_loop.tick_at(then);
            }
            _ => {
                files.drain(|path, change| self.logs.hint(path, change, now));
                self.look(now);
            }
        }
    }

    /// What the clock drives: hints that were put off, the demo, standard input, the catalogue, and a look at every watched file that is due.
    fn tick(&mut self, now: Instant) {
        self.inputs.write_demo(SystemTime::now());
        self.read_stdin();
        if self.jobs.needs_looking_at() {
            self.hear_jobs(now);
        }
        self.gate.expire(now);
        self.see_off();
        self.rescan(now);
        if let Some((files, _)) = &mut self.inputs.files
            && files.has_unheard()
        {
            files.drain(|path, change| self.logs.hint(path, change, now));
        }
        self.look(now);
        self.work();
    }

    /// What the jobs have to say.
    fn hear_jobs(&mut self, now: Instant) {
        if jobs::hear(&mut self.jobs, &mut self.logs, now) {
            // Who waits for the list is told at the next tick.
            self.event_loop.tick_at(now);
        }
        if self.jobs.needs_looking_at() {
            self.event_loop.tick_at(now + JOBS_AGAIN);
        }
    }

    /// A slice of looking for new and vanished files; whoever waited for the list to change hears of it.
    fn rescan(&mut self, now: Instant) {
        let Rescanned { due, waiters, mut displaced, changes } = self.logs.rescan(now);
        let mut why = "this log is another one now; come back";
        if changes.is_some() {
            displaced.extend(self.trespassers());
            why = "the settings have changed; come back";
        }
        self.renewed = changes.or(self.renewed.take());
        self.event_loop.tick_at(due);
        for waiter in waiters {
            self.attend(waiter, Self::pump);
        }
        for viewer in displaced {
            self.attend(viewer, |app, id| app.farewell(id, why));
        }
    }

    /// Moves what waits on standard input into its file, at most 256 KiB a turn.
    fn read_stdin(&mut self) {
        // There may be more, and no edge will tell: the next turn goes on.
        if self.inputs.read_stdin() {
            self.event_loop.tick_at(self.event_loop.now());
        }
    }

    /// Looks at the files that are due, feeds their viewers, and asks for the next tick.
    fn look(&mut self, now: Instant) {
        self.logs.look(now);
        self.pump_news();
        let incomplete = self.inputs.files.as_ref().is_some_and(|(files, _)| files.is_incomplete());
        if self.logs.take_opened_or_closed() || incomplete {
            self.refresh_watches();
        }
        let mut next = self.logs.next_look(now);
        if self.inputs.demo.is_some() {
            next = next.min(now + Duration::from_millis(100));
        }
        if let Some(then) = self.gate.next_look() {
            next = next.min(then);
        }
        self.ask_for_turns();
        self.event_loop.tick_at(self.stopping.map_or(next, |end| next.min(end)));
    }

    /// A signal asked us to end. The first time everyone is told and given a moment; the second time that is over.
    fn stop(&mut self) {
        let now = self.event_loop.now();
        if self.stopping.is_some() {
            self.stopping = Some(now);
            return;
        }
        log::info!("stopping: saying goodbye to {} connections", self.sessions.len());
        self.stopping = Some(now + FAREWELL);
        self.event_loop.tick_at(now + FAREWELL);
        self.event_loop.stop_listening();
        self.jobs.end();
        for id in self.sessions.ids() {
            self.attend(id, |app, id| app.farewell(id, "the server is going down"));
        }
    }
}
