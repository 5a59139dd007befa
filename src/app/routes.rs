//! What a request asks for: one table of addresses, behind one gate ([`access`](super::access)).
//!
//! Knows requests, responses and the names of logs; no sockets. A request can only name what the catalogue lists: a
//! name from an address is looked up, never made into a path.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::access::login::{self, CHALLENGE, Form as LoginForm, Frame, Note};
use super::access::users::Visitor;
use super::access::{Gate, token_of};
use super::download::{self, Begun};
use super::hearing::Flow;
use super::jobs::Ask;
use super::listing::{About, ListWish};
use super::logs::Logs;
use super::question::{Question, refused};
use super::reader::Stay;
use super::rooms::{Refused, Said};
use super::viewer::Wish;
use super::wire::{Code, Dialect, Form, Patterns, Refusal, SERVER, V1};
use crate::http::{MAX_BODY, Request, Response, Status, pages};
use crate::net::ConnId;
use crate::tail::Start;
use crate::tail::beneath::OpenError;
use crate::ws::deflate::Parameters;
use crate::ws::handshake;

/// The most lines before the end that a viewer may ask for; the reader has its own bound in bytes.
const MOST_LINES: usize = 100_000;

const NOTHING: &str = "There is nothing here.";
const NO_SUCH_LOG: &str = "There is no log of this name; /api/logs lists them all.";

/// What one has to get before one is known: the page where one logs in, and what it is made of.
const BEFORE_LOGIN: [&str; 5] = ["/style.css", "/login.css", "/login.js", "/theme.js", "/icon.svg"];

/// What is served.
#[derive(Debug)]
pub struct Site {
    /// The sub-path under which everything is served, without a slash at its end; empty for none.
    base: String,
    /// Whether `/ws/echo` is offered.
    lessons: bool,
    /// How many lines before the end a viewer gets who does not say.
    lines: usize,
    demo: bool,
}

/// Where a request leads.
pub enum Route {
    /// To an answer, and that is all.
    Respond(Answer),
    /// To the look at a password.
    LogIn(Box<LoginForm>),
    /// To the end of a session.
    LogOut,
    /// To the list of logs.
    List(ListWish),
    /// To the jobs.
    Job(Ask),
    /// To a log, over plain HTTP.
    Read(Wish, Form, Stay, Flow),
    /// To a log's past, over plain HTTP.
    Ask(Question),
    /// To a log that somebody writes into.
    Say(Said, Rc<str>),
    /// To a file's bytes.
    Raw(Begun),
    /// To an echo, after these bytes, with the compression agreed on.
    Echo(Vec<u8>, Option<Parameters>),
    /// To a log, after these bytes.
    Tail(Vec<u8>, Wish),
}

/// An answer, and whether the connection ends with it.
pub struct Answer {
    /// What is answered.
    pub response: Response,
    /// Whether to close the connection even if the client would keep it.
    pub close: bool,
}

impl Site {
    /// The site as configured; `base` as `/logs` or `/`.
    pub fn new(base: &str, lessons: bool, lines: usize, demo: bool) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), lessons, lines, demo }
    }

    /// How much of a body is welcome with `request`: nothing, but where something may be written.
    pub fn most_body(&self, request: &Request) -> usize {
        let path = request.path().strip_prefix(&self.base);
        let takes_one = request.method() == "POST"
            && path.is_some_and(|path| path.starts_with("/tail/") || path == "/login");
        if takes_one { MAX_BODY } else { 0 }
    }

    /// From now on one gets so many lines if one does not say how many.
    pub fn renew(&mut self, lines: usize) {
        self.lines = lines;
    }

    /// See [`new`](Self::new); without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Where `request` leads, which came on the connection `id`: nowhere past the gate if it is not let through.
    pub fn route(
        &self,
        request: &Request,
        id: ConnId,
        gate: &mut Gate,
        logs: &mut Logs,
        now: Instant,
    ) -> Route {
        if let Err(denied) = gate.check(request) {
            return refuse(Status::FORBIDDEN, &denied.to_string());
        }
        let Some(path) = request.path().strip_prefix(&self.base) else {
            return refuse(Status::NOT_FOUND, &format!("Everything here is below {}/.", self.base));
        };
        if path.is_empty() {
            // Relative addresses in the page need the slash.
            return respond(
                Response::new(Status::PERMANENT_REDIRECT).field("Location", format!("{}/", self.base)),
            );
        }
        if path == "/healthz" && matches!(request.method(), "GET" | "HEAD") {
            return respond(Response::text(Status::OK, "ok"));
        }
        let visitor = match (gate.admit(id, request, now), path) {
            (visitor, "/login") if gate.asks() => return self.login(request, visitor.as_ref()),
            (Some(_), "/logout") if gate.asks() => return logout(request),
            (Some(visitor), _) => visitor,
            (None, path) if BEFORE_LOGIN.contains(&path) => return page(request, path),
            (None, path) => return self.turn_away(request, path),
        };
        if path.starts_with("/tail/") {
            return self.tail(request, &visitor, logs, now);
        }
        if path.starts_with("/raw/") && matches!(request.method(), "GET" | "HEAD") {
            return self.raw(request, &visitor, logs);
        }
        if path.starts_with("/jobs/") {
            return self.job(request);
        }
        match path {
            "/ws/echo" if self.lessons => self.echo(request),
            _ if !matches!(request.method(), "GET" | "HEAD") => not_allowed("GET, HEAD"),
            "/api/logs" => self.list(request, &visitor),
            "/api/jobs" => Route::Job(Ask::List),
            // Nothing but what the login is made from.
            "/login.html" => refuse(Status::NOT_FOUND, NOTHING),
            _ => page(request, path),
        }
    }

    /// The page where one logs in, and its form.
    fn login(&self, request: &Request, visitor: Option<&Visitor>) -> Route {
        match request.method() {
            "GET" | "HEAD" => {
                let frame = Frame::of_query(request, &self.base);
                let name = visitor.and_then(Visitor::name).unwrap_or_default();
                respond(login::page(&frame, name, Note::of_query(request)))
            }
            "POST" => match LoginForm::of_request(request, &self.base) {
                Ok(form) => Route::LogIn(Box::new(form)),
                Err(why) => refuse(Status::BAD_REQUEST, why),
            },
            _ => not_allowed("GET, HEAD, POST"),
        }
    }

    /// Somebody who is not known is led to the login from pages; a program is told that it needs a token.
    fn turn_away(&self, request: &Request, path: &str) -> Route {
        let for_programs = ["/api/", "/tail/", "/raw/", "/jobs/", "/ws/", "/logout"];
        if for_programs.iter().any(|start| path.starts_with(start)) {
            let words = match token_of(request) {
                Some(_) => "This token is not known here.",
                None => "Log in first, or send a token (Authorization: Bearer TOKEN).",
            };
            let response = Response::text(Status::UNAUTHORIZED, words)
                .field("WWW-Authenticate", CHALLENGE)
                .field("Cache-Control", "no-store");
            return respond_and_close(response);
        }
        let query = request.target().split_once('?').map_or(String::new(), |(_, query)| format!("?{query}"));
        let address = login::address(&self.base, &format!("{}{path}{query}", self.base));
        respond(
            Response::new(Status::SEE_OTHER).field("Location", address).field("Cache-Control", "no-store"),
        )
    }

    fn list(&self, request: &Request, visitor: &Visitor) -> Route {
        let user = visitor.name().map(str::to_owned);
        let about = About { server: SERVER, lines: self.lines, demo: self.demo, user };
        // A version of another time, or none at all: whoever has it needs the whole list.
        let since = request.query("since").and_then(|version| version.parse().ok());
        match wait(request) {
            Ok(wait) => Route::List(ListWish { since, wait, about }),
            Err(why) => refuse(Status::BAD_REQUEST, &why),
        }
    }

    fn echo(&self, request: &Request) -> Route {
        match handshake::accept(request) {
            Ok(mut upgrade) => {
                let deflate = upgrade.agree_deflate(&Parameters::default());
                Route::Echo(upgrade.response(), deflate)
            }
            Err(refusal) => respond_and_close(refusal.response()),
        }
    }

    fn tail(&self, request: &Request, visitor: &Visitor, logs: &mut Logs, now: Instant) -> Route {
        let Some(name) = self.name_in(request).and_then(|name| logs.resolve(&name, visitor)) else {
            return refuse(Status::NOT_FOUND, NO_SUCH_LOG);
        };
        match request.method() {
            "GET" | "HEAD" => {}
            "POST" => return self.post(request, name, logs),
            _ if logs.is_room(&name) => return not_allowed("GET, HEAD, POST"),
            _ => return not_allowed("GET, HEAD"),
        }
        let is_upgrade = handshake::is_upgrade(request);
        let form = if is_upgrade { Form::Text } else { form(request) };
        if !is_upgrade {
            match Question::of(request, &name, form, logs, now) {
                Ok(None) => {}
                Ok(Some(question)) => return Route::Ask(question),
                Err(response) => return respond_and_close(response),
            }
        }
        let wish = match self.wish(request, name, logs, now) {
            Ok(wish) => wish,
            Err(refusal) => return respond_and_close(refused(&refusal)),
        };
        if !is_upgrade {
            return match stay(request, form).and_then(|stay| Ok((stay, flow(request)?))) {
                Ok((stay, flow)) => Route::Read(wish, form, stay, flow),
                Err(why) => respond_and_close(refused(&Refusal::new(Code::Other, why))),
            };
        }
        match handshake::accept(request) {
            Ok(mut upgrade) => {
                // A client that offers only sub-protocols we do not speak gets none (RFC 6455 §4.2.2), that is, plain
                // text.
                let dialect = if upgrade.choose_protocol(V1) { Dialect::V1 } else { Dialect::Plain };
                // A piece of a log is compressed once for all its viewers, so it cannot refer to what one of them had
                // before; and nothing is kept for a viewer between two messages.
                let deflate = upgrade.agree_deflate(&Parameters::without_context());
                Route::Tail(upgrade.response(), Wish { dialect, deflate, ..wish })
            }
            Err(refusal) => respond_and_close(refusal.response()),
        }
    }

    fn post(&self, request: &Request, name: Rc<str>, logs: &Logs) -> Route {
        if !logs.is_room(&name) {
            return respond(Refused::read_only().into());
        }
        match Said::of_request(request) {
            Ok(said) => Route::Say(said, name),
            Err(refused) => respond(refused.into()),
        }
    }

    fn raw(&self, request: &Request, visitor: &Visitor, logs: &Logs) -> Route {
        let Some(name) = self.name_in(request).and_then(|name| logs.resolve(&name, visitor)) else {
            return refuse(Status::NOT_FOUND, NO_SUCH_LOG);
        };
        if logs.redacts(&name) {
            let words = "Parts of this log are masked, so its file is not to be had as it is.";
            return respond(Response::text(Status::FORBIDDEN, words));
        }
        match logs.open(&name) {
            Ok((file, stat)) => match download::begin(request, file, &stat, &name) {
                Ok(begun) => Route::Raw(begun),
                Err(response) => respond(response),
            },
            Err(why @ (OpenError::Io(_) | OpenError::Denied | OpenError::Packed | OpenError::Crowded)) => {
                respond(Response::text(
                    Status::SERVICE_UNAVAILABLE,
                    &format!("The log is not to be had: {why}."),
                ))
            }
            Err(why) => {
                respond(Response::text(Status::NOT_FOUND, &format!("The log is not to be had: {why}.")))
            }
        }
    }

    fn job(&self, request: &Request) -> Route {
        let Some(name) = self.name_in(request) else {
            return refuse(Status::NOT_FOUND, "There is no job of this name; /api/jobs lists them all.");
        };
        match request.method() {
            "GET" | "HEAD" => Route::Job(Ask::Show(name)),
            "POST" => Route::Job(Ask::Start(name)),
            "DELETE" => Route::Job(Ask::Stop(name)),
            _ => not_allowed("GET, HEAD, POST, DELETE"),
        }
    }

    /// The name of a log or a job in `/BASE/tail/NAME`, `/BASE/raw/NAME` or `/BASE/jobs/NAME`, its segments percent-decoded one by one.
    fn name_in(&self, request: &Request) -> Option<String> {
        let before = self.base.matches('/').count() + 1;
        Some(request.segments()?.get(before..)?.join("/"))
    }

    /// What the query asks for.
    fn wish(&self, request: &Request, log: Rc<str>, logs: &mut Logs, now: Instant) -> Result<Wish, Refusal> {
        let bad = |why: String| Refusal::new(Code::Other, why);
        let lines = match request.query("lines") {
            None => self.lines,
            Some(text) => match text.parse::<usize>() {
                Ok(lines) => lines.min(MOST_LINES),
                Err(_) => return Err(bad("lines= takes a number of lines.".to_owned())),
            },
        };
        // A page that is left open while the server is updated may come with a cursor from another time. Refused, it
        // would ask again for ever, as a browser does not show it the status; so it is told, and shown the last lines.
        // A stream of events that broke is asked for again by the browser itself, with the id of the last one.
        let from = request.field("last-event-id").map(str::to_owned).or_else(|| request.query("from"));
        let (start, unreadable) = match from.map(|token| (token.parse(), token)) {
            None => (Start::Lines(lines), None),
            Some((Ok(cursor), _)) => (Start::Cursor(cursor), None),
            Some((Err(_), token)) => (Start::Lines(lines), Some(token)),
        };
        let follow = follow(request).map_err(bad)?.unwrap_or(true);
        let patterns = patterns(request).map_err(bad)?;
        let filter = match patterns.is_empty() {
            true => None,
            false => Some(logs.filters.get(patterns.spec(), now)?),
        };
        let (dialect, deflate) = (Dialect::Plain, None);
        Ok(Wish { log, start, unreadable, lines, filter, follow, dialect, deflate })
    }
}

/// Whether to stay for what is still to come, if the query says so. `tail=` is how older viewers write it.
fn follow(request: &Request) -> Result<Option<bool>, String> {
    match request.query("follow").or_else(|| request.query("tail")).as_deref() {
        None => Ok(None),
        Some("1") => Ok(Some(true)),
        Some("0") => Ok(Some(false)),
        Some(_) => Err("follow= takes 0 or 1.".to_owned()),
    }
}

/// How long a poll waits for something, at most: proxies give up after a minute, many of them.
const LONGEST_WAIT: u64 = 55;

/// What form a log has over plain HTTP, as `Accept` says.
fn form(request: &Request) -> Form {
    let accepts = |kind: &str| {
        let mut accepted = request.list("accept").filter_map(|accepted| accepted.split(';').next());
        accepted.any(|accepted| accepted.trim().eq_ignore_ascii_case(kind))
    };
    let forms = [Form::Events, Form::Messages];
    let media_type = |form: &Form| form.content_type().split(';').next().unwrap_or_default();
    forms.into_iter().find(|form| accepts(media_type(form))).unwrap_or(Form::Text)
}

fn stay(request: &Request, form: Form) -> Result<Stay, String> {
    let wait = wait(request)?;
    let follow = follow(request)?.unwrap_or(form == Form::Events) && request.method() == "GET";
    Ok(if follow { Stay::Following } else { Stay::Once(wait) })
}

/// Whether the log is sent, or only how much is missed of it.
fn flow(request: &Request) -> Result<Flow, String> {
    Ok(if flag(request, "paused")? { Flow::Paused } else { Flow::Running })
}

/// How long to wait for something, by the query.
fn wait(request: &Request) -> Result<Duration, String> {
    let seconds = match request.query("wait") {
        None => 0,
        Some(text) => text.parse::<u64>().map_err(|_| "wait= takes a number of seconds.".to_owned())?,
    };
    Ok(Duration::from_secs(seconds.min(LONGEST_WAIT)))
}

/// The filter in the query.
pub fn patterns(request: &Request) -> Result<Patterns, String> {
    let texts = |name: &str| {
        let texts: Option<Vec<String>> = request.queries(name).collect();
        texts.ok_or_else(|| format!("{name}= takes a pattern, percent-encoded, in UTF-8."))
    };
    Ok(Patterns {
        grep: texts("grep")?,
        not: texts("not")?,
        ignore_case: flag(request, "ignore_case")?,
        words: flag(request, "words")?,
        literal: flag(request, "literal")?,
    })
}

fn flag(request: &Request, name: &str) -> Result<bool, String> {
    match request.query(name).as_deref() {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(_) => Err(format!("{name}= takes 0 or 1.")),
    }
}

fn page(request: &Request, path: &str) -> Route {
    let Some(page) = pages::find(path) else {
        return refuse(Status::NOT_FOUND, NOTHING);
    };
    let response = if request.list("if-none-match").any(|tag| tag == page.etag() || tag == "*") {
        Response::new(Status::NOT_MODIFIED)
    } else {
        Response::new(Status::OK).body(page.content_type, page.bytes)
    };
    // A new version of the program must not meet an old page: ask each time, be told "not modified" most times.
    respond(response.field("ETag", page.etag()).field("Cache-Control", "no-cache"))
}

fn logout(request: &Request) -> Route {
    if request.method() == "POST" { Route::LogOut } else { not_allowed("POST") }
}

/// A method that means nothing here; these do.
fn not_allowed(methods: &'static str) -> Route {
    let words = format!("What is understood here: {methods}.");
    respond(Response::text(Status::METHOD_NOT_ALLOWED, &words).field("Allow", methods))
}

fn respond(response: Response) -> Route {
    Route::Respond(Answer { response, close: false })
}

fn respond_and_close(response: Response) -> Route {
    Route::Respond(Answer { response, close: true })
}

fn refuse(status: Status, why: &str) -> Route {
    respond_and_close(Response::text(status, why))
}
