//! A broken disk, through the door: the server says so once, goes on for the others, and recovers without a restart.
//!
//! The server runs in a thread of the test, on a disk that fails in one of two folders when the test says so. Its
//! viewers are real ones, over WebSocket; time is real.
#![cfg(feature = "tool")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use support::v1::Viewer;
use support::ws::post;
use support::{SOON, TempDir, temp_dir};
use wiretail::app::App;
use wiretail::app::access::Access;
use wiretail::config::Config;
use wiretail::tail::catalogue::{Catalogue, Source};
use wiretail::tail::disk::{Disk, Fault, Faults};

/// What befalls a disk for a while. An interrupted call is made again at once, and a short one read on.
const LASTING: [Fault; 5] =
    [Fault::Broken, Fault::Stale, Fault::Denied, Fault::NoDescriptors, Fault::BadSector];

/// Two logs on one server; the disk under one of them may fail.
struct Scene {
    folder: TempDir,
    faults: Arc<Faults>,
    addr: SocketAddr,
}

impl Scene {
    fn new() -> Self {
        let folder = temp_dir();
        for log in ["sick", "sound"] {
            fs::create_dir(folder.path().join(log)).unwrap();
            append(&folder.path().join(log).join("app.log"), "before\n");
        }
        let faults = Faults::below(&folder.path().join("sick"));
        let addr = serve(folder.path().to_owned(), Disk::with(&faults));
        Self { folder, faults, addr }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(name).join("app.log")
    }

    fn viewer(&self, target: &str) -> Viewer {
        Viewer::connect(self.addr, target)
    }
}

/// Runs a server in a thread that ends with the test. Where it listens.
fn serve(folder: PathBuf, disk: Disk) -> SocketAddr {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let source = |name: &str| Source::named(name, &folder.join(name).join("app.log")).unwrap();
        let room = Source::named("chat", &folder.join("sick/chat.log")).and_then(Source::into_room).unwrap();
        let sources = vec![source("sick"), source("sound"), room];
        let listener = mio::net::TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        tell.send(listener.local_addr().unwrap()).unwrap();
        let config = Config {
            listeners: vec![listener],
            connections: 100,
            per_address: 100,
            access: Access::default(),
            base: "/".to_owned(),
            catalogue: Catalogue::new(disk, sources, None, Instant::now()).unwrap(),
            jobs: wiretail::jobs::Jobs::default(),
            stdin: None,
            demo: None,
            lines: 1000,
            rooms: wiretail::app::rooms::Limits::default(),
            tick: Duration::from_millis(10),
            renewable: false,
            inotify: true,
            lessons: false,
        };
        App::new(config).unwrap().run().unwrap();
    });
    told.recv_timeout(SOON).expect("the server begins")
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_fault_under_one_log_is_told_once_and_the_other_goes_on() {
    for fault in LASTING {
        let scene = Scene::new();
        let [mut sick, mut sound] = ["/tail/sick", "/tail/sound"].map(|target| scene.viewer(target));
        for viewer in [&mut sick, &mut sound] {
            viewer.lines_until(|lines| lines == ["before"], SOON);
        }
        let cursor = sick.cursor.clone().unwrap();

        scene.faults.begin(fault, 1, u64::MAX);
        append(&scene.log("sick"), "unread\n");
        fs::rename(scene.log("sick"), scene.log("sick").with_file_name("app.log.1")).unwrap();
        append(&scene.log("sick"), "rotated\n");
        let why = sick.wait_for("missing", SOON).value["why"].as_str().unwrap().to_owned();
        let sentence = match fault {
            Fault::Denied => "this program may not read it",
            _ => "it cannot be read: ",
        };
        assert!(why.starts_with(sentence), "{fault:?}: {why}");
        // Somebody returns just now.
        let mut returned = scene.viewer(&format!("/tail/sick?from={cursor}"));
        returned.wait_for("missing", SOON);

        // The others do not notice, and the server does not spin.
        let (begun, calls) = (Instant::now(), scene.faults.calls());
        for number in 0..100 {
            append(&scene.log("sound"), &format!("line {number}\n"));
            sound.lines_until(|lines| lines.len() == number + 2, SOON);
            std::thread::sleep(Duration::from_millis(5));
        }
        let (calls, millis) = (scene.faults.calls() - calls, begun.elapsed().as_millis());
        eprintln!("{fault:?}: {calls} calls in {millis} ms");
        assert!(u128::from(calls) < 100 + millis, "{fault:?}: {calls} calls on the disk in {millis} ms");

        scene.faults.end();
        sick.lines_until(|lines| lines == ["before", "unread", "rotated"], SOON);
        returned.lines_until(|lines| lines == ["unread", "rotated"], SOON);
        for viewer in [&mut sick, &mut returned] {
            if viewer.count("back") == 0 {
                viewer.wait_for("back", SOON);
            }
            let told = ["missing", "back", "rotated", "gap"].map(|kind| viewer.count(kind));
            assert_eq!(told, [1, 1, 1, 0], "{fault:?}");
        }
        assert_eq!(["missing", "gap"].map(|kind| sound.count(kind)), [0, 0]);
        append(&scene.log("sick"), "after\n");
        sick.lines_until(|lines| lines.last() == Some(&"after"), SOON);
    }
}

#[test]
fn a_disk_without_room_refuses_what_is_said_and_takes_it_when_it_has_some() {
    let scene = Scene::new();
    let say = |message: &str| {
        let fields = [("Content-Type", "text/plain")];
        let (status, _, body) = post(scene.addr, "/tail/chat?who=ada", &fields, message.as_bytes());
        (status, String::from_utf8(body).unwrap())
    };
    assert_eq!(say("before").0, 201);
    scene.faults.begin(Fault::Full, 1, u64::MAX);
    let (status, said) = say("meanwhile");
    assert_eq!(status, 507, "{said}");
    assert!(said.contains("there is no room for it on the disk: No space left on device"), "{said}");
    scene.faults.end();
    assert_eq!(say("after").0, 201);
    let written = fs::read_to_string(scene.folder.path().join("sick/chat.log")).unwrap();
    let said: Vec<&str> = written.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(said, ["ada: before", "ada: after"]);
}
