//! What the query of a plain request asks of a log's past: the message that it would be over WebSocket.
//!
//! Knows queries and messages; not how they are answered.

use std::rc::Rc;
use std::time::Instant;

use super::logs::Logs;
use super::request::Request;
use super::routes::patterns;
use super::wire::asked::{HITS, LINES};
use super::wire::{Code, Form, FromViewer, Goal, Patterns, Refusal, Search};
use crate::http::{self, Response, Status};
use crate::tail::pattern::Filter;

/// What asks of the past. One of them stands in a query, or none.
const PARAMETERS: [&str; 4] = ["before", "after", "seek", "search"];

/// A question that makes sense.
#[derive(Debug)]
pub struct Question {
    /// Of which log.
    pub log: Rc<str>,
    /// What is asked.
    pub message: FromViewer,
    /// The same, looked at.
    pub request: Request,
    /// Which lines there are for who asks, if not all.
    pub filter: Option<Rc<Filter>>,
    /// How many lines are wanted.
    pub lines: usize,
    /// How the answer is to look.
    pub form: Form,
}

impl Question {
    /// What `request` asks of `log`; `None` if it does not ask of the past.
    ///
    /// # Errors
    /// The answer to a question that makes no sense, or that there is no memory for.
    pub fn of(
        request: &http::Request,
        log: &Rc<str>,
        form: Form,
        logs: &mut Logs,
        now: Instant,
    ) -> Result<Option<Self>, Response> {
        let asked = |name: &&&str| request.queries(name).next().is_some();
        let Some(parameter) = PARAMETERS.iter().find(asked) else { return Ok(None) };
        let question = if PARAMETERS.iter().filter(asked).count() > 1 {
            Err(other(format!("Of {} only one can be asked at a time.", PARAMETERS.join("=, ") + "=")))
        } else {
            Self::about(parameter, request, log, form, logs, now)
        };
        question.map(Some).map_err(|why| refused(&why))
    }

    fn about(
        parameter: &str,
        request: &http::Request,
        log: &Rc<str>,
        form: Form,
        logs: &mut Logs,
        now: Instant,
    ) -> Result<Self, Refusal> {
        let id = number(request, "id", "of the request, below 2^32", 0)?;
        let lines = number(request, "lines", "of lines", LINES)?;
        let patterns = patterns(request).map_err(other)?;
        let (message, own) = match parameter {
            "search" => (FromViewer::Search(search(id, patterns, request)?), None),
            "seek" => (FromViewer::Seek { id, to: goal(&text(request, parameter)?)? }, Some(patterns)),
            "before" => (FromViewer::Older { id, before: text(request, parameter)?, lines }, Some(patterns)),
            _ => (FromViewer::Newer { id, after: text(request, parameter)?, lines }, Some(patterns)),
        };
        let filter = match own.filter(|own| !own.is_empty()) {
            Some(own) => Some(logs.filters.get(own.spec(), now)?),
            None => None,
        };
        let request = Request::begin(&message, filter.clone(), logs, now).map_err(|why| match form {
            Form::Text => Refusal { message: format!("{parameter}=: {}", why.message), ..why },
            Form::Messages | Form::Events => why,
        })?;
        Ok(Self { log: Rc::clone(log), message, request, filter, lines, form })
    }
}

/// Why it is not answered. Those who come when there is no room are told to come again.
pub fn refused(why: &Refusal) -> Response {
    match why.code {
        Code::Busy => why.response(Status::SERVICE_UNAVAILABLE).field("Retry-After", "5"),
        _ => why.response(Status::BAD_REQUEST),
    }
}

/// A search for what `search=` says, once or several times, among the lines that the filter beside it shows.
fn search(id: u32, patterns: Patterns, request: &http::Request) -> Result<Search, Refusal> {
    let Patterns { mut grep, not, ignore_case, words, literal } = patterns;
    let sought: Option<Vec<String>> = request.queries("search").collect();
    let sought = sought.ok_or_else(|| unreadable("search"))?;
    grep.splice(0..0, sought.into_iter().filter(|pattern| !pattern.is_empty()));
    let most = number(request, "most", "of hits", HITS)?;
    Ok(Search { id, grep, not, ignore_case, words, literal, from: request.query("from"), most })
}

/// A place as a query says it: the words of [`Goal`].
fn goal(text: &str) -> Result<Goal, Refusal> {
    const TAKES: &str = "seek= takes start, end, line:NUMBER, percent:NUMBER, time:TIME or cursor:CURSOR.";
    let wrong = |code| Refusal::new(code, TAKES);
    match text.split_once(':').unwrap_or((text, "")) {
        ("start", "") => Ok(Goal::Start {}),
        ("end", "") => Ok(Goal::End {}),
        ("line", line) => line.parse().map(Goal::Line).map_err(|_| wrong(Code::Line)),
        ("percent", percent) => percent.parse().map(Goal::Percent).map_err(|_| wrong(Code::Percent)),
        ("time", time) => Ok(Goal::Time(time.to_owned())),
        ("cursor", cursor) => Ok(Goal::Cursor(cursor.to_owned())),
        _ => Err(wrong(Code::Other)),
    }
}

fn text(request: &http::Request, name: &str) -> Result<String, Refusal> {
    request.query(name).ok_or_else(|| unreadable(name))
}

fn number<N: std::str::FromStr>(
    request: &http::Request,
    name: &str,
    what: &str,
    unsaid: N,
) -> Result<N, Refusal> {
    match request.queries(name).next() {
        None => Ok(unsaid),
        Some(text) => text
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| other(format!("{name}= takes the number {what}."))),
    }
}

fn unreadable(name: &str) -> Refusal {
    other(format!("{name}= is not percent-encoded UTF-8."))
}

fn other(why: String) -> Refusal {
    Refusal::new(Code::Other, why)
}
