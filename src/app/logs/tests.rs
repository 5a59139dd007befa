//! Watched logs, many at a time.

use std::collections::BTreeSet;

use super::*;
use crate::net::table::Ids;
use crate::tail::disk::Disk;

#[test]
fn many_watched_logs_are_looked_at_in_turns_and_each_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..300 {
        std::fs::write(folder.path().join(format!("{number:03}.log")), "text\n").unwrap();
    }
    let now = Instant::now();
    let sources = vec![Source::parse(folder.path().to_str().unwrap()).unwrap()];
    let catalogue = Catalogue::new(Disk::default(), sources, None, now).unwrap();
    let mut logs = Logs::new(catalogue, Duration::from_millis(10), 0);
    let mut ids = Ids::default();
    for number in 0..300 {
        assert!(logs.watch(&Rc::from(format!("{number:03}.log")), ids.issue(), now).is_some());
    }
    // They are due again before the last of them had its turn.
    let mut now = now;
    for _ in 0..3 {
        let mut told = BTreeSet::new();
        let mut turns = Vec::new();
        for _ in 0..3 {
            logs.look(now);
            let mut viewers = 0;
            logs.take_news(|viewer| {
                viewers += 1;
                told.insert(viewer);
            });
            turns.push(viewers);
            now += Duration::from_millis(11);
        }
        assert!(turns.iter().all(|&looked| looked <= LOOKS), "{turns:?}");
        assert_eq!(told.len(), 300, "{turns:?}");
    }
    assert!(logs.next_look(now) <= now, "and the next turn begins at once");
}

#[test]
fn a_hint_concerns_the_logs_at_its_path_and_is_forgotten_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    std::fs::write(&path, "text\n").unwrap();
    let (now, place) = (Instant::now(), path.display());
    let sources = [format!("x={place}"), format!("y={place}")];
    let sources = sources.iter().map(|source| Source::parse(source).unwrap()).collect();
    let catalogue = Catalogue::new(Disk::default(), sources, None, now).unwrap();
    let mut logs = Logs::new(catalogue, Duration::from_millis(10), 0);
    let (mut ids, later) = (Ids::default(), now + Duration::from_millis(1));
    let (one, other) = (ids.issue(), ids.issue());
    logs.watch(&Rc::from("x"), one, now).unwrap();
    logs.watch(&Rc::from("y"), other, now).unwrap();
    logs.look(now);
    assert!(logs.next_look(later) > later);
    logs.hint(&path, Change::Identity, later + GATHER);
    assert!(logs.watched.values().all(|watched| watched.hinted == Some(Change::Identity)));
    logs.unwatch(one);
    assert_eq!(logs.by_path.get(&path).map(Vec::len), Some(1));
    logs.unwatch(other);
    assert!(logs.by_path.is_empty() && logs.take_opened_or_closed());
}
