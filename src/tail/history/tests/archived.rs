//! Jobs that lead into a compressed file. While it is unpacked they go on at once: to wait is for what cannot be read.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

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
