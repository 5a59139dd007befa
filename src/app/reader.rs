//! Somebody reading a log over plain HTTP: polling, long polling, server-sent events, or text without an end.
//!
//! The same log, the same cursors and the same filters as over WebSocket, so each of these can go on where another left
//! off. As there, nothing is queued: a stream is sent the next piece when it has taken the last, and a poll is answered
//! with what there is.
//!
//! Knows pieces and what HTTP says about an answer's length; not who asked, and nothing of WebSocket.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::Context;
use super::beginning::{Beginning, Begun, greeting};
use super::conversation::Outcome;
use super::hearing::Flow;
use super::pool::Share;
use super::turns::Slice;
use super::viewer::{LAG_EVERY, Wish};
use super::wire::{Form, Frames, FromServer, GapWhy};
use crate::http::{Length, Response, Status};
use crate::net::Bytes;
use crate::tail::{Cursor, Piece, PieceKind, Position, Start, Step};

/// The most that one poll is answered with, but for its last piece, as long as all answers together are not too large;
/// then it is that one piece.
pub const MOST_ANSWER: usize = 1 << 20;
/// A poll that does not wait is answered when it has everything: half a line may be worth the quarter of a second until it is
/// read as it is. But not for ever.
const EVERYTHING_WITHIN: Duration = Duration::from_secs(1);
/// ... unless there is something that it could not be given yet: what is due may have to be unpacked.
const SOMETHING_WITHIN: Duration = Duration::from_secs(55);
/// How often a stream of events says something, be it nothing: proxies close what is silent.
const SAY_SOMETHING: Duration = Duration::from_secs(15);
/// How long the reader may take nothing of what it is sent before it is given up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long somebody reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// Until there is something, or for so long.
    Once(Duration),
    /// For as long as both sides live.
    Following,
}

/// What is answered, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// How the log is to look.
    pub form: Form,
    /// How long the reader stays.
    pub stay: Stay,
    /// Whether the connection is kept behind the answer to a poll.
    pub keep: bool,
    /// Whether only the answer's head is wanted.
    pub head_only: bool,
    /// Whether the reader is sent the log, or only how much it misses.
    pub flow: Flow,
}

/// One reader of one log.
#[derive(Debug)]
pub struct Reader {
    log: Rc<str>,
    position: Position,
    form: Form,
    phase: Phase,
    flow: Flow,
    /// While it is still looked for where it begins: nothing is read then.
    beginning: Option<Box<Beginning>>,
    /// When something was sent last.
    sent: Instant,
    /// When it was told last how much it misses.
    told: Option<Instant>,
}

#[derive(Debug)]
enum Phase {
    /// Gathers the answer to a poll.
    Gathering(Box<Gathered>),
    /// The answer is on its way; whether the connection is kept behind it. What it holds counts until it is taken.
    Answered { keep: bool, _share: Share },
    /// Sends what comes as it comes.
    Following,
}

/// The answer to a poll so far.
#[derive(Debug)]
struct Gathered {
    /// What is said in front of the pieces.
    greeting: Vec<u8>,
    pieces: Vec<Bytes>,
    bytes: usize,
    gap: Option<String>,
    answer_by: Instant,
    /// When it is answered even though nothing of what there is could be read.
    give_up: Instant,
    /// Whether nothing at all would be an answer before that.
    patient: bool,
    share: Share,
    keep: bool,
    head_only: bool,
}

impl Reader {
    /// Starts reading where `wish` says. A stream's head is sent at once, a poll is answered when there is something.
    /// `None` when the log has vanished from the catalogue in between.
    pub fn begin(wish: Wish, manner: Manner, context: &mut Context<'_>) -> Option<Self> {
        let Manner { form, stay, keep, head_only, flow } = manner;
        context.event_loop.settle(context.id);
        let watched = context.logs.watch(&wish.log, context.id, context.now)?;
        let position = watched.feed.start(&wish.start, context.now);
        let beginning = Beginning::of(&wish, &mut watched.feed, context.now);
        let position = watched.feed.filtered(&position, wish.filter, context.now);
        let phase = match stay {
            Stay::Following => {
                context.wake_at(context.now + SAY_SOMETHING);
                let head = head(form);
                context.send(Bytes::Own(context.dated(head).head_bytes(Length::UntilClosed, false)));
                Phase::Following
            }
            Stay::Once(wait) => {
                let answer_by = context.now + wait.max(EVERYTHING_WITHIN);
                context.wake_at(answer_by);
                let gathered = Gathered {
                    greeting: Vec::new(),
                    pieces: Vec::new(),
                    bytes: 0,
                    gap: None,
                    answer_by,
                    give_up: context.now + SOMETHING_WITHIN,
                    patient: !wait.is_zero(),
                    share: context.answers.share(),
                    keep,
                    head_only,
                };
                Phase::Gathering(Box::new(gathered))
            }
        };
        let (log, sent) = (wish.log, context.now);
        let mut reader = Self { log, position, form, phase, flow, beginning, sent, told: None };
        if reader.beginning.is_none() {
            let goes_on = matches!(wish.start, Start::Cursor(_));
            reader.greet(wish.lines, wish.unreadable, goes_on, false, context);
        }
        reader.pump(context);
        Some(reader)
    }

    /// Where it begins is known: it is greeted, but for a poll that goes on where another left off. If it came with a cursor
    /// that cannot be read, it is told that it does not go on there.
    fn greet(
        &mut self,
        lines: usize,
        unreadable: Option<String>,
        goes_on: bool,
        bounded: bool,
        context: &mut Context<'_>,
    ) {
        self.say_where(context);
        let lost = unreadable.is_some();
        let greeting = greeting(&self.log, &self.position, lines, unreadable, bounded, context);
        let words = greeting.iter().flat_map(|message| self.form.line_of(message)).collect::<Vec<u8>>();
        match &mut self.phase {
            Phase::Gathering(gathered) => {
                gathered.gap = lost.then(|| GapWhy::Unknown.word().to_owned());
                gathered.greeting = if goes_on { Vec::new() } else { words };
            }
            // Text has no word for it.
            Phase::Following if !words.is_empty() => context.send(Bytes::Own(words)),
            Phase::Following | Phase::Answered { .. } => {}
        }
    }

    /// Tells a stream of events where it stands. "To protect against such proxy servers, authors can include a comment line
    /// ... every 15 seconds or so" (HTML, 9.2.7). An id without data is no event either (9.2.6), and says how far a filter has
    /// been through the log.
    fn say_where(&mut self, context: &mut Context<'_>) {
        if self.form != Form::Events || !matches!(self.phase, Phase::Following) {
            return;
        }
        if let Some(watched) = context.logs.watched(&self.log) {
            let cursor = watched.feed.cursor(&self.position);
            context.send(Bytes::Own(format!("id: {cursor}\n\n").into_bytes()));
        }
        self.sent = context.now;
    }

    /// Looks further for the place where it begins.
    fn look_for_beginning(&mut self, context: &mut Context<'_>) -> Slice {
        let Some(watched) = context.logs.watched(&self.log) else { return Slice::Done };
        if let Some(beginning) = &mut self.beginning
            && let Begun::Here { position, bounded } = beginning.look(&mut watched.feed, context.now)
        {
            let (lines, unreadable) = (beginning.lines, beginning.unreadable.take());
            self.position = position;
            self.beginning = None;
            self.greet(lines, unreadable, false, bounded, context);
        }
        Slice::More
    }

    /// Whether bytes that come are listened to: of a stream only its end, by which a quiet log learns that nobody reads.
    pub fn wants_input(&self) -> bool {
        matches!(self.phase, Phase::Following)
    }

    /// The peer says nothing more. A stream has nobody left to read it; a poll is still to be answered.
    pub fn receive_eof(&mut self) -> Outcome {
        if self.wants_input() { Outcome::Gone } else { Outcome::Open }
    }

    /// Whether a poll's answer has been handed over, and if so whether the connection is kept.
    pub fn answered(&self) -> Option<bool> {
        match self.phase {
            Phase::Answered { keep, .. } => Some(keep),
            Phase::Gathering(_) | Phase::Following => None,
        }
    }

    /// There may be something to send: it is sent, or where that may take long, worked on in its turn.
    pub fn pump(&mut self, context: &mut Context<'_>) {
        if self.position.is_filtered() {
            context.turns.add(context.id);
        } else {
            self.work(context);
        }
    }

    /// Gets on with it; under a filter by one piece, as it may be read in vain.
    pub fn work(&mut self, context: &mut Context<'_>) -> Slice {
        let slice = match self.phase {
            Phase::Answered { .. } => return Slice::Done,
            _ if self.beginning.is_some() => return self.look_for_beginning(context),
            Phase::Gathering(_) if self.flow == Flow::Paused => Slice::Done,
            Phase::Following if self.flow == Flow::Paused => {
                self.tell_lag(context);
                return Slice::Done;
            }
            Phase::Gathering(_) => self.gather(context),
            Phase::Following => self.follow(context),
        };
        if slice == Slice::Done {
            self.answer_if_due(context);
        }
        slice
    }

    /// Tells a stream that is paused how much it misses.
    fn tell_lag(&mut self, context: &mut Context<'_>) {
        let due = self.told.is_none_or(|told| context.now >= told + LAG_EVERY);
        if !due || context.unsent() > 0 {
            return;
        }
        if let Some(watched) = context.logs.watched(&self.log) {
            let behind = FromServer::Behind { bytes: watched.feed.lag(&self.position) };
            context.send(Bytes::Own(self.form.line_of(&behind)));
        }
        (self.told, self.sent) = (Some(context.now), context.now);
    }

    fn follow(&mut self, context: &mut Context<'_>) -> Slice {
        while context.unsent() == 0 {
            let Some(piece) = self.next(context) else { return Slice::Done };
            if let Some(bytes) = self.form.of(&piece).filter(|_| !is_empty(&piece)) {
                context.send(Bytes::Shared(bytes));
                self.sent = context.now;
            }
            if self.position.is_filtered() {
                return Slice::More;
            }
        }
        context.tell_when_drained();
        Slice::Done
    }

    fn gather(&mut self, context: &mut Context<'_>) -> Slice {
        loop {
            if let Phase::Gathering(gathered) = &mut self.phase
                && gathered.is_full()
            {
                return Slice::Done;
            }
            let Some(piece) = self.next(context) else { return Slice::Done };
            let Phase::Gathering(gathered) = &mut self.phase else { return Slice::Done };
            if let PieceKind::Gap { bytes, why, .. } = &piece.kind {
                let why = GapWhy::from(*why).word();
                gathered.gap =
                    Some(bytes.map_or_else(|| why.to_owned(), |bytes| format!("{why}; bytes={bytes}")));
            }
            if let Some(bytes) = self.form.of(&piece).filter(|_| !is_empty(&piece)) {
                gathered.add(Bytes::Shared(bytes));
            }
            if self.position.is_filtered() {
                return Slice::More;
            }
        }
    }

    /// The next piece, and moves on behind it.
    fn next(&mut self, context: &mut Context<'_>) -> Option<Rc<Piece<Frames>>> {
        let watched = context.logs.watched(&self.log)?;
        let newest = watched.feed.newest();
        let step = watched.feed.next(&self.position, context.now);
        if watched.feed.newest() != newest {
            // What this reader was the first to read is news to those who wait.
            context.logs.note_news(&self.log);
        }
        let Step::Piece(piece, position) = step else { return None };
        self.position = position;
        Some(piece)
    }

    /// A poll is answered when it has something and all that there is, when it has enough, or when its time is up.
    fn answer_if_due(&mut self, context: &mut Context<'_>) {
        // That takes no long time, and before it there is no cursor to go on from.
        if self.beginning.is_some() {
            return;
        }
        let Some(watched) = context.logs.watched(&self.log) else { return };
        let (lag, cursor) = (watched.feed.lag(&self.position), watched.feed.cursor(&self.position));
        let Phase::Gathering(gathered) = &mut self.phase else { return };
        let has_all = lag == 0 && (gathered.bytes > 0 || gathered.gap.is_some() || !gathered.patient);
        let paused = self.flow == Flow::Paused;
        let has_some = paused || lag == 0 || gathered.bytes > 0 || context.now >= gathered.give_up;
        let has_all = has_all || paused && !gathered.patient;
        if has_all || gathered.is_full() || has_some && context.now >= gathered.answer_by {
            self.answer(lag, &cursor, context);
        }
    }

    fn answer(&mut self, lag: u64, cursor: &Cursor, context: &mut Context<'_>) {
        let Phase::Gathering(gathered) = std::mem::replace(&mut self.phase, Phase::Following) else { return };
        let Gathered { greeting, pieces, bytes, gap, share, keep, head_only, .. } = *gathered;
        let mut head = head(self.form).field("Wiretail-Cursor", cursor.to_string());
        if lag > 0 {
            head = head.field("Wiretail-Behind", lag.to_string());
        }
        if let Some(gap) = gap {
            head = head.field("Wiretail-Gap", gap);
        }
        let length = Length::Known((greeting.len() + bytes) as u64);
        context.send(Bytes::Own(context.dated(head).head_bytes(length, keep)));
        if !head_only {
            context.send(Bytes::Own(greeting));
            pieces.into_iter().for_each(|piece| context.send(piece));
        }
        context.logs.unwatch(context.id);
        context.wake_at(context.now + PATIENCE);
        context.tell_when_drained();
        self.phase = Phase::Answered { keep, _share: share };
    }

    /// What was sent has been taken: the next piece.
    pub fn drained(&mut self, context: &mut Context<'_>) {
        self.pump(context);
    }

    /// A poll's time is up; a silent stream says that it is there; and whoever takes nothing is given up.
    pub fn expired(&mut self, context: &mut Context<'_>) -> Outcome {
        if let Phase::Gathering(_) = self.phase {
            // While it is not known where it begins, or nothing of it could be read, there is nothing to answer.
            context.wake_at(context.now + EVERYTHING_WITHIN);
            self.work(context);
            self.answer_if_due(context);
            return Outcome::Open;
        }
        let took = context.took_at().map_or(self.sent, |took| took.max(self.sent));
        if context.unsent() > 0 && context.now >= took + PATIENCE {
            return Outcome::Gone;
        }
        if context.unsent() == 0 && context.now >= self.sent + SAY_SOMETHING {
            self.say_where(context);
        }
        context.wake_at(context.now + SAY_SOMETHING);
        Outcome::Open
    }

    /// The server is going down: a poll has its answer, a stream ends.
    pub fn farewell(&mut self, context: &mut Context<'_>) -> Outcome {
        if let Phase::Gathering(gathered) = &mut self.phase {
            (gathered.keep, gathered.answer_by, gathered.give_up) = (false, context.now, context.now);
            self.answer_if_due(context);
        }
        Outcome::Over
    }
}

impl Gathered {
    fn add(&mut self, piece: Bytes) {
        self.bytes += piece.as_ref().len();
        self.pieces.push(piece);
    }

    /// Whether it is as large as it may be.
    fn is_full(&mut self) -> bool {
        let modest = self.share.set(self.bytes);
        self.bytes >= MOST_ANSWER || !modest && self.bytes > 0
    }
}

/// Lines of which a filter has left nothing.
fn is_empty(piece: &Piece<Frames>) -> bool {
    matches!(&piece.kind, PieceKind::Lines { text, .. } if text.is_empty())
}

/// What is said in front of either.
pub fn head(form: Form) -> Response {
    Response::new(Status::OK).field("Content-Type", form.content_type()).field("Cache-Control", "no-store")
}
