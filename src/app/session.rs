//! One connection's life, from its first byte to its last.
//!
//! ```text
//!                  .---------- keep-alive: the next request ----------.
//!                  v                                                  |
//!   Request --- it is complete ------> routes: page, list, refusal ---'
//!      |                          '--> Entering (a password) -------->'
//!      |                          '--> 200 --> Sending (a file) ---'--. it ended too soon, or nobody takes it
//!      |                          '--> 200 --> Listing, Reading --->' |
//!      |                          '--> 200 --> Inquiring ---------->' |
//!      |                          '--> 101 --> Watching (a log)  --.  |  close, loss, silence
//!      |                          '--> 101 --> Echoing           --+--+--> finished by the event loop
//!      '--- too slow, not HTTP ------------------------------------'
//! ```

use super::access::password::Password;
use super::access::sessions::cookie;
use super::conversation::Outcome;
use super::download::{Begun, Download};
use super::echo::Echo;
use super::entering::Entering;
use super::inquiry::{Ending, Inquiry};
use super::jobs;
use super::listing::Listing;
use super::pool::{Pool, Share};
use super::reader::{Manner, Reader};
use super::rooms;
use super::routes::{Answer, Route};
use super::turns::Slice;
use super::viewer::Viewer;
use super::{Context, REQUEST_WITHIN};
use crate::http::{BadRequest, Length, Request, RequestReader, Response, Status, Version};
use crate::net::Bytes;
use crate::ws::CloseCode;

/// What a connection is busy with.
#[derive(Debug)]
pub enum Session {
    /// Reading a request; no WebSocket yet.
    Request(Box<Asking>),
    /// Logging in.
    Entering(Box<Entering>),
    /// Being sent a file.
    Sending(Box<Download>),
    /// Asking for the list of logs.
    Listing(Box<Listing>),
    /// Reading a log, without WebSocket.
    Reading(Box<Reader>),
    /// Asking for a log's past, without WebSocket.
    Inquiring(Box<Inquiry>),
    /// Watching a log.
    Watching(Box<Viewer>),
    /// Saying back what it hears.
    Echoing(Box<Echo>),
}

/// Somebody whose request has not come yet, or not all of it.
#[derive(Debug)]
pub struct Asking {
    reader: RequestReader,
    share: Share,
}

impl Session {
    /// A connection that has just been opened, or whose last request has been answered. What it holds of the next one
    /// counts in `heads`.
    pub fn new(heads: &Pool) -> Self {
        Self::Request(Box::new(Asking { reader: RequestReader::new(), share: heads.share() }))
    }

    /// Whether it speaks WebSocket by now.
    pub fn is_upgraded(&self) -> bool {
        matches!(self, Self::Watching(_) | Self::Echoing(_))
    }

    /// Whether what it will ask for is not known yet: a filter may be part of it.
    pub fn is_asking(&self) -> bool {
        matches!(self, Self::Request(_))
    }

    /// Whether more input may be read while earlier output is `stuck`. An echo that goes on listening to a peer who
    /// does not read would have to keep everything it hears; so it stops, and the peer's own TCP holds it back. A viewer
    /// is always listened to: what it says is short, and it must be able to say that it pauses or leaves.
    pub fn wants_input(&self, stuck: bool) -> bool {
        match self {
            Self::Request(_) | Self::Echoing(_) => !stuck,
            // The next request waits until this one has its answer.
            Self::Entering(_) | Self::Sending(_) | Self::Listing(_) => false,
            Self::Reading(reader) => reader.wants_input(),
            Self::Inquiring(inquiry) => inquiry.wants_input(),
            Self::Watching(_) => true,
        }
    }

    /// Bytes came.
    pub fn receive(&mut self, bytes: &mut [u8], context: &mut Context<'_>) -> Outcome {
        match self {
            Self::Request(_) => self.read_requests(bytes, context),
            // Behind a stream nothing can be asked.
            Self::Reading(reader) if reader.wants_input() => Outcome::Open,
            Self::Entering(_) | Self::Sending(_) | Self::Listing(_) | Self::Reading(_) => {
                context.event_loop.put_back(context.id, bytes);
                Outcome::Open
            }
            Self::Inquiring(inquiry) => inquiry.receive(bytes, context),
            Self::Watching(viewer) => viewer.receive(bytes, context),
            Self::Echoing(echo) => echo.receive(bytes, context),
        }
    }

    /// The peer will say nothing more. Before a request, that is a plain goodbye. Of a WebSocket it is a loss: the
    /// protocol ends with close frames, not with the end of TCP (RFC 6455 §7.1.5: code 1006, which is never sent).
    pub fn receive_eof(&mut self) -> Outcome {
        match self {
            // A plain client may shut down its side and still read our answer.
            Self::Request(_) => Outcome::Over,
            Self::Entering(_) | Self::Sending(_) | Self::Listing(_) => Outcome::Open,
            Self::Reading(reader) => reader.receive_eof(),
            Self::Inquiring(inquiry) => inquiry.receive_eof(),
            Self::Watching(_) | Self::Echoing(_) => Outcome::Gone,
        }
    }

    /// Everything owed has been written.
    pub fn drained(&mut self, context: &mut Context<'_>) -> Outcome {
        match self {
            Self::Request(_) | Self::Entering(_) => {}
            Self::Sending(download) if download.is_done() => {
                let keep = download.keeps();
                return self.taken(keep, context);
            }
            Self::Sending(download) => return download.drained(context),
            Self::Listing(listing) => {
                if let Some(keep) = listing.answered() {
                    return self.taken(keep, context);
                }
            }
            Self::Reading(reader) => match reader.answered() {
                Some(keep) => return self.taken(keep, context),
                None => reader.drained(context),
            },
            Self::Inquiring(inquiry) => {
                if let Some(keep) = inquiry.drained(context) {
                    return self.taken(keep, context);
                }
            }
            Self::Watching(viewer) => viewer.drained(context),
            Self::Echoing(echo) => echo.drained(context),
        }
        Outcome::Open
    }

    /// The deadline has passed.
    pub fn expired(&mut self, context: &mut Context<'_>) -> Outcome {
        match self {
            Self::Request(asking) if asking.reader.started() => {
                refuse(Status::REQUEST_TIMEOUT, "The request took too long.", context)
            }
            Self::Request(_) => Outcome::Over,
            Self::Entering(entering) => {
                let keep = entering.expired(context);
                self.taken(keep, context)
            }
            Self::Sending(download) => download.expired(context),
            Self::Listing(listing) => listing.expired(context),
            Self::Reading(reader) => reader.expired(context),
            Self::Inquiring(inquiry) => inquiry.expired(context),
            Self::Watching(viewer) => viewer.expired(context),
            Self::Echoing(echo) => echo.expired(context),
        }
    }

    /// The log may have grown, or the list of logs changed.
    pub fn pump(&mut self, context: &mut Context<'_>) {
        match self {
            Self::Watching(viewer) => viewer.pump(context),
            Self::Reading(reader) => reader.pump(context),
            Self::Listing(listing) => listing.pump(context),
            Self::Request(_)
            | Self::Entering(_)
            | Self::Sending(_)
            | Self::Inquiring(_)
            | Self::Echoing(_) => {}
        }
    }

    /// A slice of what takes long.
    pub fn work(&mut self, context: &mut Context<'_>) -> Slice {
        match self {
            Self::Watching(viewer) => viewer.work(context),
            Self::Reading(reader) => reader.work(context),
            Self::Inquiring(inquiry) => inquiry.work(context),
            Self::Listing(listing) => listing.work(context),
            Self::Request(_) | Self::Entering(_) | Self::Sending(_) | Self::Echoing(_) => Slice::Done,
        }
    }

    /// The password that was sent has been looked at: if it was right, what is kept of it.
    pub fn judged(&mut self, right: Option<&Password>, context: &mut Context<'_>) -> Outcome {
        let Self::Entering(entering) = self else { return Outcome::Open };
        let keep = entering.judged(right, context);
        self.taken(keep, context)
    }

    /// The server is going down, or what is watched is not served any more (RFC 6455 §7.4.1: "1001 indicates that an endpoint
    /// is 'going away'"); or whoever watches may not any more (1008).
    pub fn farewell(&mut self, code: CloseCode, why: &str, context: &mut Context<'_>) -> Outcome {
        match self {
            Self::Request(_) | Self::Entering(_) => return Outcome::Over,
            // Its reader sees that something is missing.
            Self::Sending(_) | Self::Listing(_) | Self::Inquiring(_) => return Outcome::Gone,
            Self::Reading(reader) => return reader.farewell(context),
            Self::Watching(viewer) => viewer.close(code, why, context),
            Self::Echoing(echo) => echo.close(code, why, context),
        }
        Outcome::Open
    }

    /// The whole answer has been taken: that was all, or there may be another request.
    fn taken(&mut self, keep: bool, context: &mut Context<'_>) -> Outcome {
        if !keep {
            return Outcome::Over;
        }
        *self = Self::next_request(context);
        Outcome::Open
    }

    /// The last request has been answered, and there may be another.
    fn next_request(context: &mut Context<'_>) -> Self {
        context.wake_at(context.now + REQUEST_WITHIN);
        Self::new(context.heads)
    }

    /// Takes requests off the front of `bytes`, answering each; what lies behind an upgrade belongs to the WebSocket.
    /// Bound: 16 requests. Should all requests that have begun hold too much by now, the oldest connection that has not
    /// settled makes room.
    fn read_requests(&mut self, bytes: &mut [u8], context: &mut Context<'_>) -> Outcome {
        let (mut rest, mut answers) = (bytes, 0);
        loop {
            // "the server ... considers the WebSocket connection to be in the OPEN state" (§4.2.2) once the 101 is
            // sent; what was pipelined behind the request is its first input.
            let Self::Request(asking) = self else { return self.receive(rest, context) };
            let site = context.site;
            match asking.reader.receive_with_body(rest, |request| site.most_body(request)) {
                Ok(None) => {
                    if !asking.share.set(asking.reader.memory()) && !context.event_loop.make_room() {
                        let words = "Too many requests have begun; try again in a moment.";
                        return refuse(Status::SERVICE_UNAVAILABLE, words, context);
                    }
                    if asking.reader.take_expectation() {
                        context.send(Bytes::Own(CONTINUE.to_vec()));
                    }
                    return Outcome::Open;
                }
                Ok(Some((request, used))) => {
                    rest = &mut rest[used..];
                    answers += 1;
                    let may_stay = answers < MOST_ANSWERS && context.unsent() < MOST_UNSENT;
                    let Some(session) = answer(&request, may_stay, context) else { return Outcome::Over };
                    *self = session;
                    if rest.is_empty() {
                        return Outcome::Open;
                    }
                }
                Err(bad) => return refuse_bad(bad, context),
            }
        }
    }
}

/// The body may come (RFC 9110 §15.2.1).
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// How many answers one read brings at most, and how many bytes of them may be unsent when another is made: a peer that
/// sends thousands of requests and reads nothing must not have thousands of answers kept for it. The last one says that
/// the connection closes, upon which a client "SHOULD retry unanswered requests" (RFC 9112 §9.3.2).
const MOST_ANSWERS: usize = 16;
const MOST_UNSENT: usize = 64 * 1024;

/// Answers one request, and says what the connection is busy with then; `None` if that was its end. So it is unless it
/// `may_stay`.
fn answer(request: &Request, may_stay: bool, context: &mut Context<'_>) -> Option<Session> {
    let head_only = request.method() == "HEAD";
    match context.site.route(request, context.id, context.gate, context.logs, context.now) {
        Route::Respond(Answer { response, close }) => {
            let keep = request.keep_alive() && !close && may_stay;
            respond(response, head_only, keep, context)
        }
        Route::LogIn(form) => match Entering::begin(*form, request.keep_alive() && may_stay, context) {
            Ok(entering) => Some(Session::Entering(Box::new(entering))),
            Err(response) => respond(response, head_only, request.keep_alive() && may_stay, context),
        },
        Route::LogOut => {
            context.gate.log_out(context.id);
            let gone = cookie(None, context.site.base(), false, context.gate.lifetime());
            let response = Response::new(Status::SEE_OTHER)
                .field("Location", format!("{}/login?why=out", context.site.base()))
                .field("Set-Cookie", gone);
            respond(response, head_only, request.keep_alive() && may_stay, context)
        }
        Route::Say(said, room) => {
            let response = rooms::answer(&said, &room, context);
            respond(response, head_only, request.keep_alive() && may_stay, context)
        }
        Route::Job(ask) => {
            let keep = request.keep_alive() && may_stay;
            let response = jobs::answer(&ask, context);
            respond(response, head_only, keep, context)
        }
        Route::Raw(Begun { head, part }) => {
            let keep = request.keep_alive() && may_stay;
            context.send(Bytes::Own(context.dated(head).head_bytes(Length::Known(part.len), keep)));
            context.event_loop.settle(context.id);
            if part.len > 0 && !head_only {
                return Some(Session::Sending(Box::new(Download::start(part, keep, context))));
            }
            if keep { Some(Session::next_request(context)) } else { None }
        }
        Route::List(wish) => {
            let keep = request.keep_alive() && may_stay;
            Some(Session::Listing(Box::new(Listing::begin(wish, keep, head_only, context))))
        }
        Route::Read(wish, form, stay, flow) => {
            let manner = Manner { form, stay, keep: request.keep_alive() && may_stay, head_only, flow };
            Reader::begin(wish, manner, context).map(|reader| Session::Reading(Box::new(reader)))
        }
        Route::Ask(question) => {
            let keep = request.keep_alive() && may_stay;
            let ending = Ending { keep, head_only, chunks: request.version() == Version::Http11 };
            Inquiry::begin(question, ending, context).map(|inquiry| Session::Inquiring(Box::new(inquiry)))
        }
        Route::Echo(switching, deflate) => {
            context.output().extend_from_slice(&switching);
            context.event_loop.settle(context.id);
            Some(Session::Echoing(Box::new(Echo::begin(deflate.as_ref(), context))))
        }
        Route::Tail(switching, wish) => {
            context.output().extend_from_slice(&switching);
            context.event_loop.settle(context.id);
            Viewer::begin(wish, context).map(|viewer| Session::Watching(Box::new(viewer)))
        }
    }
}

fn respond(response: Response, head_only: bool, keep: bool, context: &mut Context<'_>) -> Option<Session> {
    context.send(Bytes::Own(context.dated(response).into_bytes(head_only, keep)));
    keep.then(|| Session::next_request(context))
}

fn refuse_bad(bad: BadRequest, context: &mut Context<'_>) -> Outcome {
    log::debug!("{}: {bad}", context.id);
    refuse(bad.status(), &bad.to_string(), context)
}

fn refuse(status: Status, why: &str, context: &mut Context<'_>) -> Outcome {
    let response = context.dated(Response::text(status, why));
    context.send(Bytes::Own(response.into_bytes(false, false)));
    Outcome::Over
}
