//! What stands between some people and the server: a proxy that lets no WebSocket through, or holds back whatever has no end.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// A proxy on a port of its own; it takes connections as long as the test runs.
pub struct Proxy {
    addr: SocketAddr,
    blocks: Arc<Blocks>,
}

/// What it does not let through.
#[derive(Default)]
struct Blocks {
    websocket: AtomicBool,
    events: AtomicBool,
}

impl Proxy {
    /// In front of the server at `server`; lets everything through.
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let addr = listener.local_addr().expect("a listener has an address");
        let blocks = Arc::new(Blocks::default());
        let shared = Arc::clone(&blocks);
        thread::spawn(move || {
            for client in listener.incoming() {
                let blocks = Arc::clone(&shared);
                thread::spawn(move || client.map(|client| serve(client, server, &blocks)));
            }
        });
        Self { addr, blocks }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    /// Whether a WebSocket is answered with 403 from now on.
    pub fn block_websocket(&self, on: bool) {
        self.blocks.websocket.store(on, Ordering::SeqCst);
    }

    /// Whether server-sent events are held back from now on, as by a proxy that passes an answer on when it is whole.
    pub fn block_events(&self, on: bool) {
        self.blocks.events.store(on, Ordering::SeqCst);
    }
}

/// One request, and one answer.
fn serve(mut client: TcpStream, server: SocketAddr, blocks: &Blocks) -> std::io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(60)))?;
    let head = read_head(&mut client)?;
    let lower = head.to_ascii_lowercase();
    let upgrade = lower.contains("\r\nupgrade: websocket\r\n");
    if upgrade && blocks.websocket.load(Ordering::SeqCst) {
        return client.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let mut upstream = TcpStream::connect(server)?;
    // One connection, one request: then its end is that of the answer.
    upstream
        .write_all(head.replace("\r\nConnection: keep-alive\r\n", "\r\nConnection: close\r\n").as_bytes())?;
    let (mut to_server, mut from_client) = (upstream.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        // The client's end is the server's to know, too.
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    if lower.contains("text/event-stream") && blocks.events.load(Ordering::SeqCst) {
        // All of it is read before any of it is passed on.
        let mut whole = Vec::new();
        upstream.read_to_end(&mut whole)?;
        client.write_all(&whole)?;
    } else {
        std::io::copy(&mut upstream, &mut client)?;
    }
    client.shutdown(Shutdown::Both)
}

fn read_head(client: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte)? > 0 {
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
