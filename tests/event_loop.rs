//! The event loop with real sockets: what it promises about edges, writing, closing and crowds.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::{Duration, Instant};

use wiretail::net::{Bytes, ConnId, Event, EventLoop, Limits, Received};

const PATIENCE: Duration = Duration::from_secs(5);

fn event_loop(connections: usize) -> (EventLoop, SocketAddr) {
    let listener = mio::net::TcpListener::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let limits =
        Limits { connections, per_address: 2, no_room: b"no room".to_vec(), too_many: b"too many".to_vec() };
    (EventLoop::new(vec![listener], limits).unwrap(), address)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Turns the loop until `wanted` picks an event.
fn until<T>(event_loop: &mut EventLoop, mut wanted: impl FnMut(&mut EventLoop, Event) -> Option<T>) -> T {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let event = event_loop.next_event().unwrap();
        if let Some(found) = wanted(event_loop, event) {
            return found;
        }
    }
    panic!("the event did not come within {PATIENCE:?}");
}

fn opened(event_loop: &mut EventLoop) -> ConnId {
    until(event_loop, |_, event| match event {
        Event::Opened(id, _) => Some(id),
        _ => None,
    })
}

/// What arrives at `client` until the server closes its side.
fn read_to_end(mut client: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    client.read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn bytes_and_the_end_that_came_together_are_both_seen() {
    let (mut event_loop, address) = event_loop(10);
    let mut client = connect(address);
    let id = opened(&mut event_loop);
    client.write_all(b"last words").unwrap();
    drop(client);
    let (mut heard, mut buffer) = (Vec::new(), [0; 64]);
    until(&mut event_loop, |event_loop, event| match event {
        Event::Readable(readable) => {
            assert_eq!(readable, id);
            match event_loop.read(id, &mut buffer) {
                Received::Bytes(count) => heard.extend_from_slice(&buffer[..count]),
                Received::Eof => return Some(()),
                Received::Nothing => {}
                Received::Broken(error) => panic!("{error}"),
            }
            None
        }
        _ => None,
    });
    assert_eq!(heard, b"last words");
}

#[test]
fn a_small_buffer_gets_everything_in_several_turns() {
    let (mut event_loop, address) = event_loop(10);
    let mut client = connect(address);
    let id = opened(&mut event_loop);
    let sent: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    client.write_all(&sent).unwrap();
    let (mut heard, mut buffer, mut other_events) = (Vec::new(), [0; 64], 0);
    event_loop.tick_at(event_loop.now());
    until(&mut event_loop, |event_loop, event| {
        match event {
            Event::Readable(_) => {
                if let Received::Bytes(count) = event_loop.read(id, &mut buffer) {
                    heard.extend_from_slice(&buffer[..count]);
                }
            }
            _ => other_events += 1,
        }
        event_loop.tick_at(event_loop.now());
        (heard.len() == sent.len()).then_some(())
    });
    assert_eq!(heard, sent);
    assert!(other_events > 10, "between two reads the loop turns, and others get their turn");
}

#[test]
fn what_is_put_back_is_read_again_before_anything_else_also_with_smaller_buffers() {
    let (mut event_loop, address) = event_loop(10);
    let mut client = connect(address);
    let _id = opened(&mut event_loop);
    let sent: Vec<u8> = (0..=255).cycle().take(3000).collect();
    client.write_all(&sent).unwrap();
    drop(client);
    let (mut heard, mut sizes) = (Vec::new(), [1000, 100, 30, 7].into_iter().cycle());
    until(&mut event_loop, |event_loop, event| {
        let Event::Readable(id) = event else { return None };
        let mut buffer = vec![0; sizes.next().unwrap()];
        match event_loop.read(id, &mut buffer) {
            // Half of it is dealt with, and the rest later.
            Received::Bytes(count) => {
                let (now, later) = buffer[..count].split_at(count.div_ceil(2));
                heard.extend_from_slice(now);
                event_loop.put_back(id, later);
                None
            }
            Received::Nothing => None,
            Received::Eof => Some(()),
            Received::Broken(error) => panic!("{error}"),
        }
    });
    assert!(heard == sent, "{} bytes of {}", heard.len(), sent.len());
}

#[test]
fn everything_sent_arrives_though_the_peer_reads_late() {
    let (mut event_loop, address) = event_loop(10);
    let client = connect(address);
    let id = opened(&mut event_loop);
    let piece: Rc<[u8]> = (0..=255).cycle().take(1 << 20).collect();
    for _ in 0..16 {
        event_loop.send(id, Bytes::Shared(Rc::clone(&piece)));
    }
    event_loop.finish(id, PATIENCE);
    let reader = std::thread::spawn(move || read_to_end(client));
    until(&mut event_loop, |event_loop, _| (event_loop.connections() == 0).then_some(()));
    let heard = reader.join().unwrap();
    assert_eq!(heard.len(), 16 << 20);
    assert!(heard.chunks(1 << 20).all(|chunk| *chunk == *piece));
}

#[test]
fn the_last_words_arrive_though_unread_input_waits() {
    let (mut event_loop, address) = event_loop(10);
    let mut client = connect(address);
    let id = opened(&mut event_loop);
    client.write_all(&vec![b'x'; 300_000]).unwrap();
    event_loop.send(id, Bytes::Own(b"goodbye".to_vec()));
    event_loop.finish(id, PATIENCE);
    let reader = std::thread::spawn(move || read_to_end(client));
    until(&mut event_loop, |event_loop, _| (event_loop.connections() == 0).then_some(()));
    assert_eq!(reader.join().unwrap(), b"goodbye", "no reset has eaten it");
}

#[test]
fn a_finished_peer_that_never_closes_is_dropped_when_patience_is_over() {
    let (mut event_loop, address) = event_loop(10);
    let client = connect(address);
    let id = opened(&mut event_loop);
    event_loop.finish(id, Duration::from_millis(50));
    until(&mut event_loop, |event_loop, _| (event_loop.connections() == 0).then_some(()));
    drop(client);
}

#[test]
fn a_deadline_comes_once_and_can_be_moved() {
    let (mut event_loop, address) = event_loop(10);
    let _client = connect(address);
    let id = opened(&mut event_loop);
    let now = event_loop.now();
    event_loop.set_deadline(id, Some(now + Duration::from_millis(10)));
    event_loop.set_deadline(id, Some(now + Duration::from_millis(60)));
    until(&mut event_loop, |_, event| (event == Event::Expired(id)).then_some(()));
    assert!(event_loop.now() >= now + Duration::from_millis(60), "the later deadline replaced the earlier");
    let ticks = event_loop.now() + Duration::from_millis(100);
    event_loop.tick_at(ticks);
    until(&mut event_loop, |_, event| {
        assert_ne!(event, Event::Expired(id), "it comes once");
        matches!(event, Event::Tick(now) if now >= ticks).then_some(())
    });
}

/// Waits outside of the loop until a deadline has passed and bytes have come, so that one turn finds both, the bytes
/// first; there `act` says what it does about them. Returns what the next 300 ms bring beside ticks.
fn after_bytes_and_deadline_together(act: impl Fn(&mut EventLoop, ConnId)) -> Vec<Event> {
    let (mut event_loop, address) = event_loop(10);
    let mut client = connect(address);
    let id = opened(&mut event_loop);
    let deadline = event_loop.now() + Duration::from_millis(20);
    event_loop.set_deadline(id, Some(deadline));
    client.write_all(b"in time").unwrap();
    std::thread::sleep(deadline.saturating_duration_since(Instant::now()) + Duration::from_millis(1));
    until(&mut event_loop, |_, event| (event == Event::Readable(id)).then_some(()));
    act(&mut event_loop, id);
    let (mut events, end) = (Vec::new(), Instant::now() + Duration::from_millis(300));
    until(&mut event_loop, |_, event| match event {
        Event::Tick(now) => (now >= end).then_some(()),
        event => {
            events.push(event);
            None
        }
    });
    events
}

#[test]
fn a_deadline_that_is_moved_in_the_turn_in_which_it_passed_does_not_come() {
    let events = after_bytes_and_deadline_together(|_, _| {});
    assert!(matches!(events[..], [Event::Expired(_)]), "left alone it comes: {events:?}");
    let events = after_bytes_and_deadline_together(|event_loop, id| {
        event_loop.set_deadline(id, Some(event_loop.now() + PATIENCE));
    });
    assert_eq!(events, []);
}

#[test]
fn no_event_comes_of_a_connection_that_is_finished_with() {
    let events =
        after_bytes_and_deadline_together(|event_loop, id| event_loop.finish(id, Duration::from_millis(50)));
    assert_eq!(events, []);
}

#[test]
fn a_crowd_that_only_lingers_makes_room() {
    let (mut event_loop, address) = event_loop(2);
    let lingering = [connect(address), connect(address)];
    for _ in &lingering {
        let id = opened(&mut event_loop);
        event_loop.send(id, Bytes::Own(b"goodbye".to_vec()));
        event_loop.finish(id, 2 * PATIENCE);
    }
    let _newcomer = connect(address);
    opened(&mut event_loop);
    let [first, _] = lingering;
    assert_eq!(read_to_end(first), b"goodbye");
}

#[test]
fn the_oldest_unsettled_makes_room_and_the_settled_stay() {
    let (mut event_loop, address) = event_loop(2);
    let _settled = connect(address);
    let first = opened(&mut event_loop);
    event_loop.settle(first);
    let idle = connect(address);
    let second = opened(&mut event_loop);
    let _third = connect(address);
    let (mut closed, mut newcomer) = (None, None);
    until(&mut event_loop, |_, event| {
        match event {
            Event::Closed(id) => closed = Some(id),
            Event::Opened(id, _) => newcomer = Some(id),
            _ => {}
        }
        (closed.is_some() && newcomer.is_some()).then_some(())
    });
    assert_eq!(closed, Some(second));
    assert_eq!(read_to_end(idle), b"");
    // Everyone has settled: a newcomer is told, and nobody is disturbed.
    event_loop.settle(newcomer.unwrap());
    let refused = connect(address);
    let reader = std::thread::spawn(move || read_to_end(refused));
    until(&mut event_loop, |_, event| {
        assert!(!matches!(event, Event::Closed(_) | Event::Opened(..)), "{event:?}");
        reader.is_finished().then_some(())
    });
    assert_eq!(reader.join().unwrap(), b"no room");
}

#[test]
fn a_watched_descriptor_wakes_the_loop() {
    let (mut event_loop, _) = event_loop(2);
    let (mut one, other) = std::os::unix::net::UnixStream::pair().unwrap();
    let watch = event_loop.watch(&other).unwrap();
    one.write_all(b"!").unwrap();
    until(&mut event_loop, |_, event| (event == Event::Woken(watch)).then_some(()));
}

#[test]
fn what_is_said_and_what_is_sent_arrive_in_their_order() {
    let (mut event_loop, address) = event_loop(10);
    let (one, other) = (connect(address), connect(address));
    let (first, second) = (opened(&mut event_loop), opened(&mut event_loop));
    event_loop.output(first).extend_from_slice(b"one ");
    event_loop.send(first, Bytes::Own(b"two ".to_vec()));
    event_loop.output(first).extend_from_slice(b"three ");
    event_loop.output(second).extend_from_slice(b"in between");
    event_loop.output(first).extend_from_slice(b"half a word");
    event_loop.unsay(first);
    event_loop.output(first).extend_from_slice(b"four");
    assert_eq!(event_loop.unsent(first), "four".len(), "what was said before another spoke has been written");
    event_loop.finish(first, PATIENCE);
    event_loop.output(first).extend_from_slice(b"too late");
    event_loop.output(second).extend_from_slice(b", still");
    event_loop.finish(second, PATIENCE);
    let readers = [one, other].map(|client| std::thread::spawn(move || read_to_end(client)));
    until(&mut event_loop, |event_loop, _| (event_loop.connections() == 0).then_some(()));
    let heard = readers.map(|reader| String::from_utf8(reader.join().unwrap()).unwrap());
    assert_eq!(heard, ["one two three four", "in between, still"]);
}

#[test]
fn everything_said_arrives_though_the_peer_reads_late() {
    let (mut event_loop, address) = event_loop(10);
    let client = connect(address);
    let id = opened(&mut event_loop);
    let piece: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    for number in 0..32 {
        event_loop.output(id).extend_from_slice(&piece);
        if number % 3 == 0 {
            event_loop.say();
        }
    }
    assert!(event_loop.is_stuck(id), "no kernel takes 32 MiB for somebody who does not read");
    event_loop.finish(id, PATIENCE);
    let reader = std::thread::spawn(move || read_to_end(client));
    until(&mut event_loop, |event_loop, _| (event_loop.connections() == 0).then_some(()));
    let heard = reader.join().unwrap();
    assert_eq!(heard.len(), 32 << 20);
    assert!(heard.chunks(1 << 20).all(|chunk| *chunk == *piece));
}

/// All events of `id` in the next 300 ms.
fn events_of(event_loop: &mut EventLoop, id: ConnId) -> Vec<Event> {
    let (mut events, end) = (Vec::new(), Instant::now() + Duration::from_millis(300));
    until(event_loop, |_, event| match event {
        Event::Readable(it) | Event::Drained(it) | Event::Expired(it) | Event::Closed(it) if it == id => {
            events.push(event);
            None
        }
        Event::Tick(now) => (now >= end).then_some(()),
        _ => None,
    });
    events
}

#[test]
fn that_all_is_written_is_told_to_who_asked_or_had_to_wait() {
    let (mut event_loop, address) = event_loop(10);
    let mut client = connect(address);
    let id = opened(&mut event_loop);
    event_loop.output(id).extend_from_slice(b"x");
    assert_eq!(events_of(&mut event_loop, id), [], "nobody asked");
    event_loop.output(id).extend_from_slice(b"x");
    event_loop.tell_when_drained(id);
    assert_eq!(events_of(&mut event_loop, id), [Event::Drained(id)]);
    event_loop.tell_when_drained(id);
    assert_eq!(events_of(&mut event_loop, id), [Event::Drained(id)], "also if nothing is owed");
    let much = vec![b'x'; 32 << 20];
    event_loop.send(id, Bytes::Own(much.clone()));
    assert_eq!(events_of(&mut event_loop, id), [], "it is not written yet");
    let reader = std::thread::spawn(move || client.read_exact(&mut vec![0; 2 + much.len()]).map(|()| client));
    until(&mut event_loop, |_, event| (event == Event::Drained(id)).then_some(()));
    assert!(reader.join().unwrap().is_ok());
}

#[test]
fn what_is_put_back_comes_again_and_before_the_rest() {
    let (mut event_loop, address) = event_loop(10);
    let mut client = connect(address);
    let id = opened(&mut event_loop);
    client.write_all(b"0123456789").unwrap();
    let (mut heard, mut buffer, mut more) = (Vec::new(), [0; 64], Some(client));
    until(&mut event_loop, |event_loop, event| {
        if event != Event::Readable(id) {
            return None;
        }
        // The second read has room for less than was put back.
        let room = if heard.len() == 1 { 3 } else { buffer.len() };
        match event_loop.read(id, &mut buffer[..room]) {
            Received::Bytes(count) => {
                heard.push(buffer[0]);
                event_loop.put_back(id, &buffer[1..count]);
                if let Some(mut client) = more.take() {
                    client.write_all(b"abc").unwrap();
                }
                None
            }
            Received::Nothing => None,
            Received::Eof => Some(()),
            Received::Broken(error) => panic!("{error}"),
        }
    });
    assert_eq!(String::from_utf8(heard).unwrap(), "0123456789abc");
}
