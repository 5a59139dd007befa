//! The figures of the README: one log, its viewers, real sockets, the release binary as a child process.
//!
//! ```text
//! cargo bench --bench tail                     all of it, in about four minutes
//! cargo bench --bench tail -- --peers          ... and `tail -F` and websocketd in turns with it, in about eight
//! cargo bench --bench tail -- 1x100 100x10000 1000x1000 1000x10000
//!                                              viewers x lines a second: how long each line was on its way
//! cargo bench --bench tail -- tick             1x100 with the tick alone, without inotify
//! cargo bench --bench tail -- burst            as fast as the file takes it, to 10 and 100 viewers
//! cargo bench --bench tail -- slow             3 of 10 viewers stop reading for a while
//! cargo bench --bench tail -- backlog          the last 1,000 lines of a 2 GB file
//! cargo bench --bench tail -- hits             the first line and all lines with a literal in 2 GB, beside GNU `grep -c`
//! cargo bench --bench tail -- search           a 2 GB file is searched while another log is watched
//! cargo bench --bench tail -- idle             viewers who only wait
//! cargo bench --bench tail -- rotation         lines lost and repeated where a log is rotated
//! cargo bench --bench tail -- reconnect        ... and where a viewer comes back
//! cargo bench --bench tail -- files            ten thousand files that nobody watches, a thousand that are watched
//! cargo bench --bench tail -- transports       the same minute of a log by each way to read it; writes docs/transports.svg
//! cargo bench --bench tail -- compression      the same lines plain and compressed
//!     --rounds N                               how often each thing is measured; 3 if nothing is said
//! ```
//!
//! The servers have one CPU to themselves; the load has another, and so has whoever writes the log. A latency is the time
//! from just before a line's `write` to just after the `recv` that brought its last byte. CPU time is the scheduler's
//! count. In front of the table, each line tells a figure's middle, and in brackets the least and greatest of all rounds.
#![cfg(feature = "tool")]

mod backlog;
mod burst;
mod compression;
mod crowd;
mod files;
mod hits;
mod idle;
mod latencies;
#[path = "../common/machine.rs"]
mod machine;
mod priority;
mod reconnect;
mod rotation;
mod script;
mod search;
mod servers;
mod slow;
#[path = "../common/spread.rs"]
mod spread;
mod steady;
mod stream;
#[path = "../../tests/support/mod.rs"]
mod support;
mod table;
mod tally;
mod transports;

use table::{Row, Wanted};

/// Measures something, and tells it as rows of the table.
type Measure = fn(Wanted) -> Vec<Row>;

const ALL: [(&str, Measure); 16] = [
    ("1x100", steady::one),
    ("100x10000", steady::hundred),
    ("1000x1000", steady::thousand),
    ("1000x10000", steady::many),
    ("tick", steady::tick),
    ("burst", burst::burst),
    ("slow", slow::slow),
    ("backlog", backlog::backlog),
    ("hits", hits::hits),
    ("search", search::search),
    ("idle", idle::idle),
    ("rotation", rotation::rotation),
    ("reconnect", reconnect::reconnect),
    ("compression", compression::compression),
    ("files", files::files),
    ("transports", transports::transports),
];

fn main() {
    let (mut wanted, mut words) = (Wanted { rounds: 3, peers: false }, Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--peers" => wanted.peers = true,
            "--rounds" => {
                let rounds = args.next().and_then(|rounds| rounds.parse().ok()).filter(|rounds| *rounds > 0);
                wanted.rounds = rounds.expect("--rounds takes a number from 1 on");
            }
            word if ALL.iter().any(|(name, _)| *name == word) => words.push(arg),
            other => panic!("unknown: {other}; the top of benches/tail/main.rs says what there is"),
        }
    }
    machine::raise_descriptor_limit();
    priority::put_load_beside_servers();
    let chosen = ALL.iter().filter(|(name, _)| words.is_empty() || words.iter().any(|word| word == name));
    let rows: Vec<Row> = chosen.flat_map(|(_, measure)| measure(wanted)).collect();
    table::print(&rows, &wanted.kinds());
}
