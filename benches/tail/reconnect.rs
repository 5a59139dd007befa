//! Two of three viewers lose their connection while the log goes on, and come back two seconds later: lines lost and
//! repeated.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::script::append;
use super::script::{LINE, Script};
use super::servers::{From, Kind, Running};
use super::support;
use super::support::v1;
use super::support::ws::Raw;
use super::table::{Row, Wanted};
use super::tally::Tally;

const VIEWERS: usize = 3;
const LEAVE: Duration = Duration::from_secs(2);
const RETURN: Duration = Duration::from_secs(4);
const SECONDS: usize = 6;
/// How long the last lines may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many lines those get who cannot say where they were.
const AGAIN: usize = 1000;

pub(crate) fn reconnect(wanted: Wanted) -> Vec<Row> {
    [100, 2_000].into_iter().map(|rate| row(wanted, rate)).collect()
}

fn row(wanted: Wanted, rate: usize) -> Row {
    // A pipe cannot be reconnected.
    let kinds: Vec<Kind> = wanted.kinds().into_iter().filter(|&kind| kind != Kind::Tail).collect();
    let folder = support::temp_dir();
    let path = folder.path().join("app.log");
    append(&path);
    let servers: Vec<Running> =
        kinds.iter().map(|&kind| Running::start(kind, &path, &[], From::Lines(AGAIN))).collect();
    let script = Script::new(rate * SECONDS, LINE);
    let begin = Instant::now();
    let writer = script.start_steadily(&path, rate);
    let (mut reached, mut viewers) = (Vec::new(), Vec::new());
    for (server, &kind) in servers.iter().zip(&kinds) {
        let address = server.address();
        let of_kind = (0..VIEWERS).map(|number| {
            let loses_it = number > 0;
            std::thread::spawn(move || match kind {
                Kind::Wiretail => watch_ours(address, begin, loses_it),
                _ => watch_theirs(address, begin, loses_it),
            })
        });
        viewers.push((kind, of_kind.collect::<Vec<_>>()));
    }
    writer.join().expect("the log was written");
    for (kind, viewers) in viewers {
        let (mut lost, mut repeated) = (0, 0);
        for viewer in viewers {
            let tally: Tally = viewer.join().expect("the viewer has watched to the end");
            lost += rate * SECONDS - tally.different();
            repeated += tally.too_many();
        }
        let told = format!("{lost} / {repeated}");
        println!("reconnect at {rate} lines/s, {}: lost / repeated {told}", kind.name());
        reached.push((kind, told));
    }
    let work = format!("2 of 3 viewers away for 2 s, at {rate} lines/s: lost / repeated");
    Row { work, goal: "0 / 0", reached, command: "reconnect" }
}

/// When a viewer's connections end.
fn ends(begin: Instant, loses_it: bool) -> Vec<Instant> {
    let last = begin + Duration::from_secs(SECONDS as u64) + PATIENCE;
    if loses_it { vec![begin + LEAVE, last] } else { vec![last] }
}

/// As the page does: it remembers the cursor, and says it when it comes back.
fn watch_ours(address: SocketAddr, begin: Instant, loses_it: bool) -> Tally {
    let (mut tally, mut cursor) = (Tally::default(), None);
    for end in ends(begin, loses_it) {
        let from = cursor.map_or_else(|| format!("lines={AGAIN}"), |cursor| format!("from={cursor}"));
        let mut viewer = v1::Viewer::connect(address, &format!("/tail/app.log?{from}"));
        while Instant::now() < end && viewer.next(end.saturating_duration_since(Instant::now())).is_some() {}
        tally.take(viewer.text.as_bytes());
        cursor = viewer.cursor.clone();
        drop(viewer);
        wait_for_return(begin);
    }
    tally
}

fn watch_theirs(address: SocketAddr, begin: Instant, loses_it: bool) -> Tally {
    let mut tally = Tally::default();
    for end in ends(begin, loses_it) {
        let mut viewer = Raw::connect(address, "/");
        while let Some((_, line)) = viewer.read_frame_within(end.saturating_duration_since(Instant::now())) {
            tally.take(&line);
            tally.take(b"\n");
            if Instant::now() >= end {
                break;
            }
        }
        drop(viewer);
        wait_for_return(begin);
    }
    tally
}

fn wait_for_return(begin: Instant) {
    std::thread::sleep((begin + RETURN).saturating_duration_since(Instant::now()));
}
