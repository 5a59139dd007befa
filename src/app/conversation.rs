//! A WebSocket connection as the program holds it: the protocol's state, a pulse, and the end.
//!
//! Knows the protocol core and the clock as an argument; not what the messages mean.

use std::time::Duration;

use super::Context;
use super::pulse::{Pulse, Verdict};
use crate::ws::deflate::Parameters;
use crate::ws::{Budget, CloseCode, Connection, Event, Input, Limits, Message};

/// How long the peer may take to answer our close frame.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// What one peer's input may cost the others in a turn.
const TURN: Budget = Budget { frames: 256, inflated: 256 << 10 };

/// What becomes of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on.
    Open,
    /// Everything is said: write what is owed, then close TCP, which is the server's to do first (RFC 6455 §7.1.1).
    Over,
    /// The peer is gone.
    Gone,
}

/// One WebSocket conversation of the server's.
#[derive(Debug)]
pub struct Conversation {
    connection: Connection,
    pulse: Pulse,
}

impl Conversation {
    /// The opening handshake has just been answered. The first pulse is taken in 15 s.
    pub fn begin(limits: Limits, deflate: Option<&Parameters>, context: &mut Context<'_>) -> Self {
        let mut pulse = Pulse::new(context.now);
        if let Verdict::Fine(when) = pulse.check(context.now) {
            context.wake_at(when);
        }
        Self { connection: Connection::server(limits).with_deflate(deflate.copied()), pulse }
    }

    /// About how much memory it needs at the moment: see [`Connection::owned_bytes`], and what is not sent or not heard yet.
    pub fn owned_bytes(&self, context: &Context<'_>) -> usize {
        self.connection.owned_bytes() + context.unsent() + context.event_loop.unheard(context.id)
    }

    /// Whether data may still be sent.
    pub fn may_send(&self) -> bool {
        self.connection.may_send()
    }

    /// Hands what came to the protocol, and every message to `heard`, which may answer through the connection and the
    /// output it is given: the loop's own, from where it goes to the kernel.
    ///
    /// While the peer has not taken what it was sent before, only its latest ping is kept to be answered (§5.5.3).
    ///
    /// Bound: 256 frames and about 256 KiB of inflated bytes. What is left after that is put back for the next turn;
    /// the peer's own TCP holds back what is behind.
    pub fn receive(
        &mut self,
        bytes: &mut [u8],
        context: &mut Context<'_>,
        mut heard: impl FnMut(&mut Connection, Message<'_>, &mut Vec<u8>),
    ) -> Outcome {
        self.pulse.heard(context.now);
        let mut outcome = Outcome::Open;
        let (id, stuck) = (context.id, context.is_stuck());
        let out = context.output();
        self.connection.hold_pongs(stuck, out);
        let mut input = Input::bounded(bytes, TURN);
        while let Some(event) = self.connection.receive(&mut input, out) {
            match event {
                Event::Message(message) => heard(&mut self.connection, message, out),
                Event::Ping(_) | Event::Pong(_) => {}
                Event::Closed(closed) => {
                    log::debug!("{id}: closed: {closed:?}");
                    outcome = Outcome::Over;
                }
            }
        }
        if !input.is_empty() {
            context.event_loop.put_back(context.id, input.rest());
        }
        outcome
    }

    /// Everything has been written: the moment for a pong that waited.
    pub fn drained(&mut self, context: &mut Context<'_>) {
        self.say(context, |connection, out| connection.hold_pongs(false, out));
    }

    /// Takes the pulse, or gives up on a peer that does not answer our close.
    pub fn expired(&mut self, context: &mut Context<'_>) -> Outcome {
        // We have said goodbye, and the deadline was that of the answer.
        if !self.may_send() {
            return Outcome::Over;
        }
        if let Some(when) = context.took_at() {
            self.pulse.heard(when);
        }
        match self.pulse.check(context.now) {
            Verdict::Fine(when) => context.wake_at(when),
            Verdict::Ping(when) => {
                self.say(context, |connection, out| connection.send_ping(b"", out));
                context.wake_at(when);
            }
            Verdict::Gone => return Outcome::Gone,
        }
        Outcome::Open
    }

    /// Starts the closing handshake; the peer has 2 s to answer.
    pub fn close(&mut self, code: CloseCode, reason: &str, context: &mut Context<'_>) {
        if self.may_send() {
            self.say(context, |connection, out| connection.close(code, reason, out));
            context.wake_at(context.now + CLOSE_WITHIN);
        }
    }

    fn say(&mut self, context: &mut Context<'_>, what: impl FnOnce(&mut Connection, &mut Vec<u8>)) {
        what(&mut self.connection, context.output());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpStream;
    use std::time::{Instant, SystemTime};

    use super::*;
    use crate::app::access::{Access, Gate};
    use crate::app::logs::Logs;
    use crate::app::pool::Pool;
    use crate::app::pulse::{PING_AFTER, PONG_WITHIN};
    use crate::app::rooms::Rooms;
    use crate::app::routes::Site;
    use crate::app::turns::Turns;
    use crate::app::wire::Framer;
    use crate::jobs::Jobs;
    use crate::net::{self, Bytes, ConnId, EventLoop};
    use crate::tail::catalogue::Catalogue;
    use crate::tail::disk::Disk;

    /// One connection in a loop of its own; what it says to us is read from `peer`.
    struct Scene {
        event_loop: EventLoop,
        framer: Framer,
        logs: Logs,
        gate: Gate,
        jobs: Jobs,
        site: Site,
        heads: Pool,
        echoes: Pool,
        answers: Pool,
        turns: Turns,
        rooms: Rooms,
        id: ConnId,
        peer: TcpStream,
    }

    impl Scene {
        fn new() -> Self {
            let listener = mio::net::TcpListener::bind(([127, 0, 0, 1], 0).into()).unwrap();
            let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let limits =
                net::Limits { connections: 9, per_address: 9, no_room: Vec::new(), too_many: Vec::new() };
            let mut event_loop = EventLoop::new(vec![listener], limits).unwrap();
            let id = loop {
                if let net::Event::Opened(id, _) = event_loop.next_event().unwrap() {
                    break id;
                }
            };
            let catalogue = Catalogue::new(Disk::default(), Vec::new(), None, event_loop.now()).unwrap();
            let logs = Logs::new(catalogue, Duration::ZERO, 0);
            Self {
                event_loop,
                framer: Framer::default(),
                heads: Pool::new(0),
                echoes: Pool::new(0),
                answers: Pool::new(0),
                turns: Turns::default(),
                rooms: Rooms::default(),
                logs,
                gate: Gate::new(Access::default()).unwrap(),
                jobs: Jobs::default(),
                site: Site::new("/", true, 10, false),
                id,
                peer,
            }
        }

        fn at(&mut self, now: Instant) -> Context<'_> {
            let Self {
                event_loop,
                framer,
                logs,
                gate,
                jobs,
                site,
                heads,
                echoes,
                answers,
                turns,
                rooms,
                id,
                ..
            } = self;
            let (id, wall_clock) = (*id, || SystemTime::UNIX_EPOCH);
            Context {
                id,
                now,
                event_loop,
                framer,
                logs,
                gate,
                jobs,
                site,
                heads,
                echoes,
                answers,
                turns,
                rooms,
                wall_clock,
            }
        }

        /// Lets the loop write, and tells `conversation` when it has, at `now`.
        fn drain(&mut self, conversation: &mut Conversation, now: Instant) {
            self.event_loop.tell_when_drained(self.id);
            while self.event_loop.next_event().unwrap() != net::Event::Drained(self.id) {}
            conversation.drained(&mut self.at(now));
        }
    }

    #[test]
    fn what_is_put_off_to_the_next_turn_counts_until_it_is_heard() {
        let mut scene = Scene::new();
        let start = scene.event_loop.now();
        let mut conversation = Conversation::begin(Limits::default(), None, &mut scene.at(start));
        // One frame more than a turn has time for, each an empty pong.
        let mut pongs = [0x8a, 0x80, 0, 0, 0, 0].repeat(TURN.frames + 1);
        conversation.receive(&mut pongs, &mut scene.at(start), |_, _, _| {});
        assert_eq!(conversation.owned_bytes(&scene.at(start)), 6);
        let mut again = [0; 64];
        assert!(matches!(scene.event_loop.read(scene.id, &mut again), net::Received::Bytes(6)));
        conversation.receive(&mut again[..6], &mut scene.at(start), |_, _, _| {});
        assert_eq!(conversation.owned_bytes(&scene.at(start)), 0);
    }

    #[test]
    fn a_peer_that_leaves_a_ping_unanswered_is_given_up_though_the_kernel_took_the_ping() {
        let mut scene = Scene::new();
        let start = scene.event_loop.now();
        let mut conversation = Conversation::begin(Limits::default(), None, &mut scene.at(start));
        let asked = start + PING_AFTER;
        assert_eq!(conversation.expired(&mut scene.at(asked)), Outcome::Open);
        scene.drain(&mut conversation, asked);
        let mut ping = [0; 2];
        scene.peer.read_exact(&mut ping).unwrap();
        assert_eq!(ping, [0x89, 0]);
        assert_eq!(conversation.expired(&mut scene.at(asked + PONG_WITHIN)), Outcome::Gone);
    }

    #[test]
    fn a_peer_that_takes_what_had_to_wait_is_alive_though_it_says_nothing() {
        let mut scene = Scene::new();
        let start = scene.event_loop.now();
        let mut conversation = Conversation::begin(Limits::default(), None, &mut scene.at(start));
        let much = vec![b'x'; 32 << 20];
        scene.at(start).send(Bytes::Own(much.clone()));
        while !scene.event_loop.is_stuck(scene.id) {
            scene.event_loop.next_event().unwrap();
        }
        let mut peer = scene.peer.try_clone().unwrap();
        let reader = std::thread::spawn(move || peer.read_exact(&mut vec![0; much.len()]).unwrap());
        scene.drain(&mut conversation, start);
        reader.join().unwrap();
        let took = scene.event_loop.took_at(scene.id).expect("it had to wait");
        let before_the_ping = took + PING_AFTER - Duration::from_millis(1);
        assert_eq!(conversation.expired(&mut scene.at(before_the_ping)), Outcome::Open);
        assert_eq!(scene.event_loop.unsent(scene.id), 0, "it is not asked yet");
    }
}
