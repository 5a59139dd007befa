//! Somebody watching a log: a cursor, a dialect, and a conversation.
//!
//! There is no queue here. What a viewer has not been sent is in the file (or in the log's shared window), and the
//! viewer only remembers how far it got, so a slow one costs no more than a fast one.

mod away;

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::Context;
use super::beginning::{Beginning, Begun, greeting};
use super::conversation::{Conversation, Outcome};
use super::hearing::{Flow, Heard, Switch, hear};
use super::requests::Requests;
use super::rooms;
use super::turns::Slice;
use super::wire::answers::{self, Answer};
use super::wire::{self, Coding, Dialect, FromServer, Patterns, Refusal};
use crate::net::Bytes;
use crate::tail::history::job::Progress;
use crate::tail::pattern::Filter;
use crate::tail::{Piece, PieceKind, Position, Start, Step};
use crate::ws::deflate::Parameters;
use crate::ws::{CloseCode, Limits};
use away::Left;

/// How often, at most, a viewer is told how far it lags.
pub const LAG_EVERY: Duration = Duration::from_millis(500);
/// A viewer that gets everything with the next piece does not lag.
const WORTH_TELLING: u64 = 64 * 1024;
/// How often, at most, a viewer is told where it is while its filter lets nothing through.
const MOVED_EVERY: Duration = Duration::from_millis(250);

/// How many bytes of answers one read from a viewer brings, about: a thousand small messages fit in one read.
const MOST_ANSWERS: usize = 16 * 1024;

/// How many lines one read from a viewer may bring into a room.
const MOST_SAID: usize = 16;

/// What a viewer asked for when it came.
#[derive(Debug)]
pub struct Wish {
    /// The log's name.
    pub log: Rc<str>,
    /// Where to start.
    pub start: Start,
    /// A cursor that cannot be read: the viewer is told that it does not go on there.
    pub unreadable: Option<String>,
    /// How many lines before the end were asked for; told back in `hello`.
    pub lines: usize,
    /// Which lines to show, if not all.
    pub filter: Option<Rc<Filter>>,
    /// Whether to stay when everything has been sent.
    pub follow: bool,
    /// How to speak.
    pub dialect: Dialect,
    /// The compression that was agreed on.
    pub deflate: Option<Parameters>,
}

/// One viewer of one log.
#[derive(Debug)]
pub struct Viewer {
    conversation: Conversation,
    log: Rc<str>,
    position: Position,
    dialect: Dialect,
    coding: Coding,
    follow: bool,
    flow: Flow,
    /// Where it goes on, while nothing is read for it. Its position means nothing then.
    left: Option<Box<Left>>,
    /// What it wants of that, if it has not been done yet.
    switch: Option<Switch>,
    report: LagReport,
    /// Bytes that its filter let nothing through of, and that it was not told of yet.
    unsaid: Option<Box<Unsaid>>,
    /// What it has asked for; none if that is nothing.
    requests: Option<Box<Requests>>,
    /// While it is still looked for where it begins: it has not been greeted then.
    beginning: Option<Box<Beginning>>,
    /// When it was last told that what comes next is being unpacked.
    unpacking_told: Option<Instant>,
}

/// Where a viewer has come to without a word.
#[derive(Debug)]
struct Unsaid {
    from: Position,
    bytes: u64,
    since: Instant,
}

/// What the viewer knows of how far it is behind.
#[derive(Debug)]
struct LagReport {
    /// The number of bytes it was told last.
    told: u64,
    when: Instant,
    /// It has just paused or resumed, and is told at once: that is how it knows that it was heard.
    owed: bool,
}

impl Viewer {
    /// The opening handshake has just been answered: starts reading where the viewer wished.
    /// `None` when the log has vanished from the catalogue in between.
    pub fn begin(wish: Wish, context: &mut Context<'_>) -> Option<Self> {
        limit_send_buffer(context);
        let watched = context.logs.watch(&wish.log, context.id, context.now)?;
        let position = watched.feed.start(&wish.start, context.now);
        let beginning = Beginning::of(&wish, &mut watched.feed, context.now);
        let position = watched.feed.filtered(&position, wish.filter, context.now);
        let mut viewer = Self {
            conversation: Conversation::begin(Limits::default(), wish.deflate.as_ref(), context),
            log: wish.log,
            position,
            dialect: wish.dialect,
            coding: Coding::from(wish.deflate.as_ref()),
            follow: wish.follow,
            flow: Flow::Running,
            left: None,
            switch: None,
            report: LagReport { told: 0, when: context.now, owed: false },
            unsaid: None,
            requests: None,
            beginning,
            unpacking_told: None,
        };
        if viewer.beginning.is_none() {
            viewer.greet(wish.lines, wish.unreadable, false, context);
        }
        viewer.pump(context);
        Some(viewer)
    }

    /// The first message: where the viewer begins.
    fn greet(&self, lines: usize, unreadable: Option<String>, bounded: bool, context: &mut Context<'_>) {
        if self.dialect == Dialect::V1 {
            let greeting = greeting(&self.log, &self.position, lines, unreadable, bounded, context);
            greeting.into_iter().for_each(|message| context.send(Bytes::Own(message.to_frame())));
        }
    }

    /// Looks further for the place where the viewer begins.
    fn look_for_beginning(&mut self, context: &mut Context<'_>) -> Slice {
        let Some(watched) = context.logs.watched(&self.log) else { return Slice::Done };
        if let Some(beginning) = &mut self.beginning
            && let Begun::Here { position, bounded } = beginning.look(&mut watched.feed, context.now)
        {
            let (lines, unreadable) = (beginning.lines, beginning.unreadable.take());
            self.position = position;
            self.beginning = None;
            self.greet(lines, unreadable, bounded, context);
            self.obey_switch(context);
        }
        Slice::More
    }

    /// There may be something to send: it is sent, or where that may take long, worked on in its turn.
    pub fn pump(&mut self, context: &mut Context<'_>) {
        if self.left.is_some() {
            return;
        }
        if self.position.is_filtered() || self.requests.is_some() || self.beginning.is_some() {
            context.turns.add(context.id);
        } else {
            self.serve(context);
        }
    }

    /// A slice of what takes long: what was asked for comes before what flows.
    pub fn work(&mut self, context: &mut Context<'_>) -> Slice {
        if !self.conversation.may_send() || self.left.is_some() {
            return Slice::Done;
        }
        if self.beginning.is_some() {
            return self.look_for_beginning(context);
        }
        let asked = self.answer(context);
        let slice = if context.unsent() == 0 { self.serve(context) } else { Slice::Done };
        asked.max(slice)
    }

    /// Does something about what was asked for, unless earlier output is still on its way.
    fn answer(&mut self, context: &mut Context<'_>) -> Slice {
        let Some(mut requests) = self.requests.take() else { return Slice::Done };
        let mut slice = Slice::Done;
        if context.unsent() == 0 {
            if let Some(patterns) = requests.take_filter() {
                self.change_filter(&patterns, context);
            } else {
                let worked = requests.work(&self.log, &self.position, context.logs, context.now);
                worked.answers.into_iter().flat_map(Answer::into_frame).for_each(|bytes| context.send(bytes));
                slice = worked.slice;
            }
        }
        if context.unsent() > 0 {
            // Then it goes on.
            context.tell_when_drained();
            slice = Slice::Done;
        }
        let idle = requests.are_idle();
        self.requests = Some(requests).filter(|_| !idle);
        slice
    }

    fn change_filter(&mut self, patterns: &Patterns, context: &mut Context<'_>) {
        let filter = match patterns.is_empty() {
            true => Ok(None),
            false => context.logs.filters.get(patterns.spec(), context.now).map(Some),
        };
        let Some(watched) = context.logs.watched(&self.log) else { return };
        let answer = match filter {
            Ok(filter) => {
                let active = filter.is_some();
                self.position = watched.feed.filtered(&self.position, filter, context.now);
                self.unsaid = None;
                FromServer::Filtered { cursor: watched.feed.cursor(&self.position).to_string(), active }
            }
            Err(error) => Refusal::from(error).answer(None),
        };
        context.send(Bytes::Own(answer.to_frame()));
    }

    /// Sends the next piece if there is one and nothing is still on its way: at most 64 KiB of log text. Tells how far
    /// behind that leaves the viewer, if it is worth telling.
    fn serve(&mut self, context: &mut Context<'_>) -> Slice {
        if !self.conversation.may_send() {
            return Slice::Done;
        }
        let lag = self.lag(context);
        if context.unsent() == 0 && self.report.is_due(lag, self.flow, context.now) {
            self.tell_lag(lag, context);
        }
        let slice = self.read_on(context);
        self.tell_moved(context);
        let lag = self.lag(context);
        if lag == 0 && self.report.told > 0 {
            self.tell_lag(0, context);
        }
        if context.unsent() > 0 {
            // Then the next piece.
            context.tell_when_drained();
        } else if !self.follow && lag == 0 && slice == Slice::Done && self.requests.is_none() {
            self.end(context);
        }
        slice
    }

    fn lag(&self, context: &mut Context<'_>) -> u64 {
        context.logs.watched(&self.log).map_or(0, |watched| watched.feed.lag(&self.position))
    }

    /// Reads until there is something to send; under a filter only one piece, as it may be read in vain.
    fn read_on(&mut self, context: &mut Context<'_>) -> Slice {
        let Some(watched) = context.logs.watched(&self.log) else { return Slice::Done };
        let newest = watched.feed.newest();
        let (mut slice, mut unpacking) = (Slice::Done, None);
        // Markers are small, and some have no words in the plain dialect: go on behind them.
        while slice == Slice::Done && self.flow == Flow::Running && context.event_loop.unsent(context.id) == 0
        {
            let Step::Piece(piece, position) = watched.feed.next(&self.position, context.now) else {
                unpacking = watched.feed.unpacking();
                break;
            };
            let from = std::mem::replace(&mut self.position, position);
            if self.position.is_filtered() {
                slice = Slice::More;
                if self.keep_unsaid(from, &piece, context.now) {
                    continue;
                }
            }
            if let Some(frame) = context.framer.frame_of(&piece, self.dialect, self.coding) {
                context.event_loop.send(context.id, Bytes::Shared(frame.front));
                if let Some(text) = frame.text {
                    context.event_loop.send(context.id, Bytes::Shared(text));
                }
            }
        }
        if watched.feed.newest() != newest {
            // What this viewer was the first to read is news to those who wait.
            context.logs.note_news(&self.log);
        }
        if let Some(progress) = unpacking {
            self.tell_unpacking(progress, context);
        }
        slice
    }

    /// What comes next has to be unpacked: tells how far that has come, now and then.
    fn tell_unpacking(&mut self, progress: Progress, context: &mut Context<'_>) {
        let due = self.unpacking_told.is_none_or(|told| context.now >= told + LAG_EVERY);
        if due && self.dialect == Dialect::V1 {
            self.unpacking_told = Some(context.now);
            context.send(Bytes::Own(answers::progress_of(None, progress).to_frame()));
        }
    }

    /// Whether the filter has left nothing of a piece. Then the viewer is told where it is when more such have come.
    fn keep_unsaid(&mut self, from: Position, piece: &Piece<wire::Frames>, now: Instant) -> bool {
        match &piece.kind {
            PieceKind::Lines { text, bytes, .. } if text.is_empty() => {
                let unsaid =
                    self.unsaid.get_or_insert_with(|| Box::new(Unsaid { from, bytes: 0, since: now }));
                unsaid.bytes += bytes;
                true
            }
            // What comes now says where it is.
            _ => {
                self.unsaid = None;
                false
            }
        }
    }

    /// Tells a viewer who has not been told for a while where it is.
    fn tell_moved(&mut self, context: &mut Context<'_>) {
        let due = |unsaid: &mut Box<Unsaid>| context.now >= unsaid.since + MOVED_EVERY;
        if context.unsent() > 0 {
            return;
        }
        if let Some(unsaid) = self.unsaid.take_if(due)
            && self.dialect == Dialect::V1
            && let Some(watched) = context.logs.watched(&self.log)
        {
            let [from, to] =
                [&unsaid.from, &self.position].map(|position| watched.feed.cursor(position).to_string());
            let lines = FromServer::Lines { from, to, bytes: unsaid.bytes };
            context.send(Bytes::Own(lines.to_frame()));
        }
    }

    fn tell_lag(&mut self, lag: u64, context: &mut Context<'_>) {
        self.report = LagReport { told: lag, when: context.now, owed: false };
        if self.dialect == Dialect::V1 {
            context.send(Bytes::Own(FromServer::Behind { bytes: lag }.to_frame()));
        }
    }

    /// Everything that was there has been sent, and the viewer did not want to wait for more.
    fn end(&mut self, context: &mut Context<'_>) {
        let unfinished = context.logs.watched(&self.log).and_then(|log| log.feed.unfinished(&self.position));
        if let Some(frame) =
            unfinished.and_then(|piece| context.framer.frame_of(&piece, self.dialect, self.coding))
        {
            context.send(Bytes::Shared(frame.front));
            frame.text.into_iter().for_each(|text| context.send(Bytes::Shared(text)));
        }
        if self.dialect == Dialect::V1 {
            context.send(Bytes::Own(FromServer::End {}.to_frame()));
        }
        self.conversation.close(CloseCode::NORMAL, "", context);
    }

    /// Hears what the viewer says. A viewer that does not take what it was sent before is heard but not answered; nor is
    /// one that shouts, beyond the first 16 KiB of answers to one read.
    pub fn receive(&mut self, bytes: &mut [u8], context: &mut Context<'_>) -> Outcome {
        let (dialect, answers) = (self.dialect, !context.is_stuck());
        let (flow, owed, requests) = (&mut self.flow, &mut self.report.owed, &mut self.requests);
        let (switch, is_on, mut said) = (&mut self.switch, self.left.is_none(), Vec::new());
        let outcome = self.conversation.receive(bytes, context, |connection, message, out| {
            let answer = match hear(dialect, &message) {
                Heard::Flow(heard) => {
                    (*flow, *owed) = (heard, true);
                    None
                }
                Heard::Switch(heard) => {
                    *switch = Some(heard);
                    None
                }
                Heard::Request(request) if is_on => {
                    requests.get_or_insert_default().hear(request);
                    None
                }
                Heard::Request(request) => Some(away::stopped().answer(request.id()).to_json()),
                Heard::Said(id, _) if said.len() == MOST_SAID => {
                    Some(rooms::too_often().answer(Some(id)).to_json())
                }
                Heard::Said(id, message) => {
                    said.push((id, message));
                    None
                }
                Heard::Answer(answer) => Some(answer),
                Heard::Nothing => None,
            };
            if let Some(answer) = answer.filter(|_| answers && out.len() < MOST_ANSWERS) {
                connection.send_text(&answer, out);
            }
        });
        for (id, said) in said {
            self.say(id, &said, answers, context);
        }
        if outcome == Outcome::Open {
            self.obey_switch(context);
            self.pump(context);
        }
        outcome
    }

    /// See [`Conversation::drained`]; then the next piece.
    pub fn drained(&mut self, context: &mut Context<'_>) {
        self.conversation.drained(context);
        self.pump(context);
    }

    /// See [`Conversation::expired`].
    pub fn expired(&mut self, context: &mut Context<'_>) -> Outcome {
        self.conversation.expired(context)
    }

    /// See [`Conversation::close`].
    pub fn close(&mut self, code: CloseCode, reason: &str, context: &mut Context<'_>) {
        self.conversation.close(code, reason, context);
    }
}

impl LagReport {
    /// Whether the viewer is to be told its lag, apart from the end of it, which is told in any case.
    fn is_due(&self, lag: u64, flow: Flow, now: Instant) -> bool {
        let worth_it = lag != self.told && (flow == Flow::Paused || lag > WORTH_TELLING);
        self.owed || worth_it && now >= self.when + LAG_EVERY
    }
}

/// Keeps the kernel from storing megabytes for a slow viewer: they would cost memory, delay the answer to a ping past
/// its time, and have to be sent again when the viewer returns. What waits, waits in the file.
pub fn limit_send_buffer(context: &Context<'_>) {
    const SEND_BUFFER: usize = 128 * 1024;
    if let Some(socket) = context.event_loop.socket(context.id)
        && let Err(error) = rustix::net::sockopt::set_socket_send_buffer_size(socket, SEND_BUFFER)
    {
        log::debug!("{}: the send buffer keeps its size: {error}", context.id);
    }
}
