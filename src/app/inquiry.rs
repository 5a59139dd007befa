//! Somebody asking for a log's past over plain HTTP: lines before or behind a place, where something is, a search.
//!
//! What a viewer asks over WebSocket, and answered by the same [`Request`]; but one connection has one question at a time,
//! and closing it is how one gives up. Messages and hits are told as they are found. Log text alone is gathered first, as the
//! nearest part of it is found first and is not the first to be read.
//!
//! Knows answers and what HTTP says about their length; nothing of WebSocket.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::Context;
use super::conversation::Outcome;
use super::pool::Share;
use super::question::Question;
use super::reader::{MOST_ANSWER, PATIENCE, head};
use super::request::Request;
use super::turns::Slice;
use super::viewer::limit_send_buffer;
use super::wire::answers::Answer;
use super::wire::{Done, Form, FromServer, FromViewer, Stretch};
use crate::http::{Length, Response, Status, write_chunk};
use crate::net::Bytes;
use crate::tail::pattern::Filter;

/// So long log text is gathered before who asks is given what there is: proxies give up after a minute, many of them.
const GATHERED_WITHIN: Duration = Duration::from_secs(55);

/// What becomes of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// Whether it is kept behind the answer.
    pub keep: bool,
    /// Whether only the answer's head is wanted.
    pub head_only: bool,
    /// Whether an answer may come in chunks.
    pub chunks: bool,
}

/// One question, and its answer so far.
#[derive(Debug)]
pub struct Inquiry {
    log: Rc<str>,
    filter: Option<Rc<Filter>>,
    request: Request,
    lines: usize,
    form: Form,
    phase: Phase,
    ending: Ending,
    /// Another request waits behind this one.
    followed: bool,
    /// When something was sent last.
    sent: Instant,
}

#[derive(Debug)]
enum Phase {
    /// Tells what is found when it is found.
    Telling,
    /// Gathers log text.
    Gathering(Box<Gathered>),
    /// All of the answer is on its way. What it holds counts until it is taken.
    Answered { _share: Option<Share> },
}

/// Log text, in its order.
#[derive(Debug)]
struct Gathered {
    parts: VecDeque<Rc<[u8]>>,
    bytes: usize,
    share: Share,
    /// Where to go on; none as long as a place is looked for.
    cursor: Option<String>,
    /// Where a place was found, and its lines are still to be read.
    place: Option<String>,
    gap: Option<String>,
    more: bool,
    /// Why there is nothing.
    note: Option<String>,
}

impl Inquiry {
    /// Begins with the answer. `None` when the log has vanished from the catalogue in between.
    pub fn begin(question: Question, ending: Ending, context: &mut Context<'_>) -> Option<Self> {
        context.event_loop.settle(context.id);
        context.logs.watch(&question.log, context.id, context.now)?;
        let Question { log, message, request, filter, lines, form } = question;
        let mut inquiry = Self {
            log,
            filter,
            request,
            lines,
            form,
            phase: Phase::Telling,
            ending,
            followed: false,
            sent: context.now,
        };
        match message {
            FromViewer::Older { before: cursor, .. } | FromViewer::Newer { after: cursor, .. }
                if form == Form::Text =>
            {
                inquiry.gather(Some(cursor), context);
            }
            FromViewer::Seek { .. } if form == Form::Text => inquiry.gather(None, context),
            _ => inquiry.tell(context),
        }
        context.turns.add(context.id);
        Some(inquiry)
    }

    fn gather(&mut self, cursor: Option<String>, context: &mut Context<'_>) {
        context.wake_at(context.now + GATHERED_WITHIN);
        self.phase = Phase::Gathering(Box::new(Gathered {
            parts: VecDeque::new(),
            bytes: 0,
            share: context.answers.share(),
            cursor,
            place: None,
            gap: None,
            more: false,
            note: None,
        }));
    }

    fn tell(&mut self, context: &mut Context<'_>) {
        limit_send_buffer(context);
        let length = if self.ending.chunks { Length::Chunked } else { Length::UntilClosed };
        self.ending.keep &= self.ending.chunks;
        context.send(Bytes::Own(context.dated(head(self.form)).head_bytes(length, self.ending.keep)));
        context.wake_at(context.now + PATIENCE);
        if self.ending.head_only {
            self.answered(None, context);
        }
    }

    /// A slice of what takes long, if what was said before has been taken.
    pub fn work(&mut self, context: &mut Context<'_>) -> Slice {
        if matches!(self.phase, Phase::Answered { .. }) {
            return Slice::Done;
        }
        if context.unsent() > 0 {
            // Then it goes on.
            context.tell_when_drained();
            return Slice::Done;
        }
        let worked = self.request.work(&self.log, self.filter.clone(), context.logs, context.now);
        worked.answers.into_iter().for_each(|answer| self.hear(answer, context));
        // A stream of events may go on for what nobody waits for; who gets the answer as a whole would wait.
        let over = worked.slice == Slice::Done || self.request.is_done() && self.form != Form::Events;
        let slice = if over { self.end(context) } else { worked.slice };
        if let Phase::Gathering(gathered) = &mut self.phase
            && gathered.is_full()
        {
            self.give(context);
            return Slice::Done;
        }
        slice
    }

    fn hear(&mut self, answer: Answer, context: &mut Context<'_>) {
        match &mut self.phase {
            Phase::Telling => self.send(&self.form.answer(&answer), context),
            Phase::Gathering(gathered) => gathered.hear(answer),
            Phase::Answered { .. } => {}
        }
    }

    fn send(&mut self, part: &[u8], context: &mut Context<'_>) {
        if part.is_empty() {
            return;
        }
        self.sent = context.now;
        if self.ending.chunks {
            write_chunk(context.output(), part);
        } else {
            context.output().extend_from_slice(part);
        }
    }

    /// The request has come to its end. A place that was found is shown by the lines behind it.
    fn end(&mut self, context: &mut Context<'_>) -> Slice {
        match &mut self.phase {
            Phase::Gathering(gathered) => {
                if let Some(after) = gathered.place.take() {
                    gathered.cursor = Some(after.clone());
                    let newer = FromViewer::Newer { id: self.request.id(), after, lines: self.lines };
                    self.request = Request::asked(self.request.id(), newer);
                    return Slice::More;
                }
                self.give(context);
            }
            Phase::Telling => {
                if self.ending.chunks {
                    write_chunk(context.output(), b"");
                }
                self.answered(None, context);
            }
            Phase::Answered { .. } => {}
        }
        Slice::Done
    }

    /// Gives the text that was gathered.
    fn give(&mut self, context: &mut Context<'_>) {
        let Phase::Gathering(gathered) = std::mem::replace(&mut self.phase, Phase::Telling) else { return };
        let Ending { keep, head_only, .. } = self.ending;
        let Gathered { parts, bytes, share, cursor, gap, more, note, .. } = *gathered;
        let Some(cursor) = cursor else {
            let response = match note {
                Some(note) => Response::text(Status::NOT_FOUND, &note),
                None => Response::text(Status::SERVICE_UNAVAILABLE, TOO_LONG).field("Retry-After", "5"),
            };
            context.send(Bytes::Own(context.dated(response).into_bytes(head_only, keep)));
            return self.answered(None, context);
        };
        let mut head = head(self.form).field("Wiretail-Cursor", cursor);
        if more {
            head = head.field("Wiretail-More", "yes");
        }
        if let Some(gap) = gap {
            head = head.field("Wiretail-Gap", gap);
        }
        context.send(Bytes::Own(context.dated(head).head_bytes(Length::Known(bytes as u64), keep)));
        if !head_only {
            parts.into_iter().for_each(|part| context.send(Bytes::Shared(part)));
        }
        self.answered(Some(share), context);
    }

    fn answered(&mut self, share: Option<Share>, context: &mut Context<'_>) {
        self.phase = Phase::Answered { _share: share };
        self.sent = context.now;
        context.logs.unwatch(context.id);
        context.wake_at(context.now + PATIENCE);
        context.tell_when_drained();
    }

    /// What was sent has been taken. If that was all, says whether the connection is kept.
    pub fn drained(&mut self, context: &mut Context<'_>) -> Option<bool> {
        if matches!(self.phase, Phase::Answered { .. }) {
            return Some(self.ending.keep);
        }
        context.turns.add(context.id);
        None
    }

    /// Whether bytes that come are listened to: only so one hears that nobody waits for the answer any more.
    pub fn wants_input(&self) -> bool {
        !self.followed && !matches!(self.phase, Phase::Answered { .. })
    }

    /// The next request waits until this one has its answer.
    pub fn receive(&mut self, bytes: &[u8], context: &mut Context<'_>) -> Outcome {
        self.followed = true;
        context.event_loop.put_back(context.id, bytes);
        Outcome::Open
    }

    /// Who asked has gone, and nothing is looked for any more.
    pub fn receive_eof(&self) -> Outcome {
        if self.wants_input() { Outcome::Gone } else { Outcome::Open }
    }

    /// Text has been gathered long enough; and who takes nothing is given up.
    pub fn expired(&mut self, context: &mut Context<'_>) -> Outcome {
        if let Phase::Gathering(gathered) = &mut self.phase {
            gathered.more = true;
            self.give(context);
            return Outcome::Open;
        }
        let took = context.took_at().map_or(self.sent, |took| took.max(self.sent));
        if context.unsent() > 0 && context.now >= took + PATIENCE {
            return Outcome::Gone;
        }
        context.wake_at(context.now + PATIENCE / 4);
        Outcome::Open
    }
}

const TOO_LONG: &str =
    "Looking for this place takes longer than an answer may; ask for events (Accept: text/event-stream).";

impl Gathered {
    fn hear(&mut self, Answer { message, text }: Answer) {
        let gap = |stretch: &Stretch| {
            let why = stretch.gap?.word();
            Some(stretch.bytes.map_or_else(|| why.to_owned(), |bytes| format!("{why}; bytes={bytes}")))
        };
        self.bytes += text.as_ref().map_or(0, |text| text.len());
        match message {
            FromServer::Older(stretch) => {
                self.gap = gap(&stretch).or(self.gap.take());
                self.cursor = Some(stretch.from);
                text.into_iter().for_each(|text| self.parts.push_front(text));
            }
            FromServer::Newer(stretch) => {
                self.gap = gap(&stretch).or(self.gap.take());
                self.cursor = Some(stretch.to);
                self.parts.extend(text);
            }
            FromServer::Place(place) => self.place = Some(place.cursor),
            FromServer::Done(Done { more, note, .. }) => (self.more, self.note) = (more, note),
            _ => {}
        }
    }

    /// Whether it is as large as it may be; then there may be more.
    fn is_full(&mut self) -> bool {
        let modest = self.share.set(self.bytes);
        let is_full = self.bytes >= MOST_ANSWER || !modest && self.bytes > 0;
        self.more |= is_full;
        is_full
    }
}
