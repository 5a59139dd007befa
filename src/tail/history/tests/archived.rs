//! Jobs that lead into a compressed file. While it is unpacked they go on at once: to wait is for what cannot be read.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::tail::disk::{Disk, Fault, Faults};

/// An archive that takes several steps to unpack, what is in it, and two younger lines.
fn scene() -> (Scene, Vec<u8>) {
    let mut scene = Scene::new(&[b"new 1\nnew 2\n".to_vec()], 64 * 1024);
    let old: Vec<u8> = (0..50_000).flat_map(|i| format!("old {i:013}\n").into_bytes()).collect();
    let archive = fs::File::create(scene.folder.path().join("app.log.1.gz")).unwrap();
    let mut encoder = GzEncoder::new(archive, Compression::fast());
    encoder.write_all(&old).unwrap();
    let younger = fs::metadata(scene.folder.path().join("app.log")).unwrap().modified().unwrap();
    encoder.finish().unwrap().set_modified(younger - Duration::from_secs(100)).unwrap();
    scene.now += Duration::from_secs(10);
    (scene, old)
}

#[test]
fn a_search_does_not_wait_for_what_it_unpacks() {
    let (mut scene, _) = scene();
    let (hits, summary) = scene.search(&filter("0000$|new"), None, 100);
    assert_eq!((hits.len(), summary.count), (7, 7));
}

#[test]
fn what_is_still_compressed_lies_before_the_first_byte_too() {
    let (mut scene, old) = scene();
    let end = scene.end();
    let task = Task::Older { before: end.clone(), lines: 2 };
    let (found, summary) = scene.run(task, None);
    let [Found::Lines { begins, text, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!((*begins, &**text), (Some(crate::tail::Begins::Rotated), &b"new 1\nnew 2\n"[..]));
    assert!(summary.more, "all of the archive");
    let above = scene.above(end, 10_000, None);
    assert!(above == [&old[..], b"new 1\nnew 2\n"].concat(), "{} bytes", above.len());
}

#[test]
fn what_was_let_go_is_unpacked_once_more_without_a_wait() {
    let (mut scene, old) = scene();
    let start = scene.place(SeekTo::Start).cursor;
    for _ in 0..2 {
        let below = scene.below(start.clone(), 100_000, None);
        assert!(below == [&old[..], b"new 1\nnew 2\n"].concat(), "{} bytes", below.len());
        let percent = scene.place(SeekTo::Percent(50.0));
        assert_eq!(&*percent.file, "app.log.1.gz");
        // Nobody has read it for a while.
        scene.now += Duration::from_secs(100);
        scene.follower.look(true, scene.now);
    }
}

#[test]
fn how_far_unpacking_has_come_is_told() {
    let (mut scene, _) = scene();
    let size = fs::metadata(scene.folder.path().join("app.log.1.gz")).unwrap().len();
    let mut job = scene.begin(Task::Search { filter: filter("0000$|new"), from: None, most: 100 }, None);
    let mut told = Vec::new();
    while !matches!(job.step(&mut scene.bench()), Work::Done(_)) {
        let Progress { what, done, total, .. } = job.progress(&scene.follower);
        if what == Doing::Unpacking {
            assert!(done <= total && total == size, "{done} of {total}");
            told.push(done);
        }
    }
    assert!(told.len() > 2 && told.is_sorted(), "{told:?}");
    assert_eq!(job.progress(&scene.follower).what, Doing::Searching);
}

/// Everything above the end, with a word for what cannot be had.
fn above_with_gaps(scene: &mut Scene, mut meanwhile: impl FnMut(&mut Scene, &Work)) -> String {
    let end = scene.end();
    let (mut job, mut parts) = (scene.begin(Task::Older { before: end, lines: 10_000 }, None), Vec::new());
    for _ in 0..1000 {
        let work = job.step(&mut scene.bench());
        meanwhile(scene, &work);
        match work {
            Work::Found(Found::Lines { text, .. }) => parts.push(String::from_utf8(text.to_vec()).unwrap()),
            Work::Found(Found::Gap { bytes, why, .. }) => parts.push(format!("<{why:?} {bytes:?}>")),
            Work::Again | Work::Later => {}
            Work::Done(summary) => {
                assert!(!summary.more);
                parts.reverse();
                return parts.concat();
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("no end of {parts:?}")
}

#[test]
fn an_archive_that_stays_unreadable_is_a_gap_and_what_lies_before_it_is_there() {
    let texts = ["one\n", "", "three\n", "four\n"].map(|text| text.as_bytes().to_vec());
    let mut scene = Scene::new(&texts, 1000);
    let at = |name: &str| scene.folder.path().join(name);
    fs::remove_file(at("app.log.2")).unwrap();
    fs::write(at("app.log.2.gz"), b"no archive at all").unwrap();
    let faults = Faults::anywhere();
    let open = |scene: &mut Scene| {
        let root = Rc::new(Root::wait_for(&Disk::with(&faults), scene.folder.path()));
        let path = Path::new("app.log").to_owned();
        scene.follower = Follower::open(root, path, Rc::default(), Rc::default(), scene.now);
    };
    open(&mut scene);
    let garbage = above_with_gaps(&mut scene, |_, _| {});
    assert_eq!(garbage, "one\n<Archive None>three\nfour\n");

    open(&mut scene);
    let mut waited = Duration::ZERO;
    let unreadable = above_with_gaps(&mut scene, |scene, work| match work {
        // Nothing can be read from there on, until nobody waits for the archive any more.
        Work::Found(Found::Lines { text, .. }) if **text == *b"four\n" => {
            faults.begin(Fault::BadSector, 1, u64::MAX);
        }
        Work::Later => {
            scene.now += Duration::from_secs(1);
            waited += Duration::from_secs(1);
        }
        Work::Found(Found::Gap { why: crate::tail::GapReason::Archive, .. }) => faults.end(),
        _ => {}
    });
    assert_eq!(unreadable, "one\n<Archive None><Rotated Some(6)>four\n");
    assert!(waited >= Duration::from_secs(5), "{waited:?}");
}

#[test]
fn a_made_up_place_is_looked_for_in_a_few_archives_at_a_time() {
    let mut scene = Scene::new(&[b"some text\n".to_vec()], 1000);
    for age in 1..=40 {
        let archive = fs::File::create(scene.folder.path().join(format!("app.log.{age}.gz"))).unwrap();
        let mut encoder = GzEncoder::new(archive, Compression::fast());
        encoder.write_all(format!("{age}\n").as_bytes()).unwrap();
        encoder.finish().unwrap();
    }
    let nowhere: Cursor = "8fff00000000ffff.0011223344556677.00112233.400".parse().unwrap();
    let mut job = scene.begin(Task::Older { before: nowhere, lines: 5 }, None);
    let mut steps = 0;
    loop {
        match job.step(&mut scene.bench()) {
            Work::Again => steps += 1,
            Work::Found(Found::Gap { bytes: None, .. }) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(steps >= 40 / 8, "{steps}");
}
