//! Jobs over HTTP: what there is to start, what became of it, and the start and the stop.
//!
//! ```text
//!   GET    /api/jobs       all jobs, each with its last run
//!   GET    /jobs/NAME      one job, with all runs that are kept
//!   POST   /jobs/NAME      starts it
//!   DELETE /jobs/NAME      asks it to end
//! ```
//!
//! What a run says is the job's log, as any other: who may see that sees the job. Knows the jobs and the logs, and asks the
//! [`Visitor`] whether it may start them.

use std::time::Instant;

use serde::Serialize;

use super::Context;
use super::access::users::Visitor;
use super::logs::Logs;
use super::wire::{Code, Refusal};
use crate::http::{Response, Status};
use crate::jobs::records::{End, Run, Stop};
use crate::jobs::{Jobs, Refused, Status as JobStatus};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// For all jobs.
    List,
    /// For one of them.
    Show(String),
    /// To start it.
    Start(String),
    /// To stop it.
    Stop(String),
}

#[derive(Serialize)]
struct JobInfo<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'a str>,
    running: bool,
    /// Whether this visitor may start and stop it.
    startable: bool,
    survives: bool,
    /// The newest first.
    runs: Vec<RunInfo<'a>>,
}

#[derive(Serialize)]
struct RunInfo<'a> {
    run: u64,
    /// Milliseconds since 1970.
    started: u64,
    /// In milliseconds.
    took: Option<u64>,
    end: Option<&'a End>,
    stopped: Option<Stop>,
    /// How many bytes at its beginning are not kept.
    dropped: u64,
    /// Where its output begins in the job's log.
    from: Option<String>,
    /// And where it ended, before the line that says how.
    to: Option<String>,
}

#[derive(Serialize)]
struct Started<'a> {
    run: u64,
    log: &'a str,
}

/// The answer.
pub fn answer(ask: &Ask, context: &mut Context<'_>) -> Response {
    let visitor = context.visitor();
    if let Ask::Show(name) | Ask::Start(name) | Ask::Stop(name) = ask
        && context.logs.resolve(name, &visitor).is_none()
    {
        return refusal(&Refused::Unknown);
    }
    match ask {
        Ask::List => {
            let seen = |status: &JobStatus<'_>| context.logs.resolve(&status.job.name, &visitor).is_some();
            let jobs = context.jobs.all().filter(seen);
            let jobs: Vec<JobInfo<'_>> = jobs.map(|status| info(status, 1, context.logs, &visitor)).collect();
            json(Status::OK, &serde_json::json!({ "jobs": jobs }))
        }
        Ask::Show(name) => match context.jobs.find(name) {
            Some(status) => json(Status::OK, &info(status, usize::MAX, context.logs, &visitor)),
            None => refusal(&Refused::Unknown),
        },
        Ask::Start(name) | Ask::Stop(name)
            if context.jobs.find(name).is_some() && !visitor.may_start(name) =>
        {
            Response::text(Status::FORBIDDEN, "You may see this job, but not start or stop it.")
        }
        Ask::Start(name) => start(name, context),
        Ask::Stop(name) => match context.jobs.stop(name) {
            Ok(()) => Response::text(Status::ACCEPTED, "It is asked to end."),
            Err(why) => refusal(&why),
        },
    }
}

fn start(name: &str, context: &mut Context<'_>) -> Response {
    let (run, socket) = match context.jobs.start(name) {
        Ok(started) => started,
        Err(why) => return refusal(&why),
    };
    log::info!("{}: started run {run} of {name}", context.id);
    // Without it nobody would hear that the run has ended.
    if let Err(error) = context.event_loop.watch(socket) {
        log::warn!("what becomes of {name} is looked at once a second: {error}");
        context.jobs.is_not_heard(name);
    }
    context.logs.touch(name, context.now);
    // Whoever waits for the list to change is told at the next tick.
    context.event_loop.tick_at(context.now);
    json(Status::CREATED, &Started { run, log: name })
}

fn info<'a>(status: JobStatus<'a>, most: usize, logs: &Logs, visitor: &Visitor) -> JobInfo<'a> {
    let JobStatus { job, running, runs } = status;
    let of_run = |(age, run): (usize, &'a Run)| {
        // The file of each run was renamed by every later one.
        let ending = if age == 0 { String::new() } else { format!(".{age}") };
        let at = |offset: u64| logs.cursor_in(&job.name, &ending, offset).map(|cursor| cursor.to_string());
        let (from, to) = (at(run.begins), run.ends.and_then(at));
        let Run { number, started, took, ref end, stopped, dropped, .. } = *run;
        RunInfo { run: number, started, took, end: end.as_ref(), stopped, dropped, from, to }
    };
    let runs = runs.iter().rev().enumerate().take(most).map(of_run).collect();
    let startable = visitor.may_start(&job.name);
    JobInfo { name: &job.name, about: job.about.as_deref(), running, startable, survives: job.survives, runs }
}

fn json(status: Status, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("strings and numbers always make JSON");
    Response::new(status).field("Cache-Control", "no-store").body("application/json", body)
}

fn refusal(why: &Refused) -> Response {
    let (status, code) = match why {
        Refused::Unknown => (Status::NOT_FOUND, Code::NoJob),
        Refused::Running => (Status::CONFLICT, Code::Running),
        Refused::NotRunning => (Status::CONFLICT, Code::NotRunning),
        Refused::Io(_) => (Status::SERVICE_UNAVAILABLE, Code::Unstarted),
    };
    let words = match why {
        Refused::Unknown => "There is no job of this name; /api/jobs lists them all.".to_owned(),
        Refused::Running => "It runs already; its log shows how far it is.".to_owned(),
        Refused::NotRunning => "It does not run.".to_owned(),
        Refused::Io(error) => format!("The system did not let us: {error}."),
    };
    Refusal::new(code, words).response(status)
}

/// Hears what `jobs` have to say, and has their logs looked at. True if there was anything.
pub fn hear(jobs: &mut Jobs, logs: &mut Logs, now: Instant) -> bool {
    let news = jobs.hear();
    for name in &news {
        log::debug!("job {name}: there is news");
        logs.touch(name, now);
    }
    !news.is_empty()
}
