//! The turn: wait until something happens, and queue what did; let newcomers in; see whose time is up.
//!
//! Knows what the whole loop knows, of which it is a part.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Token};

use super::{EventLoop, LISTENERS, SLOW_TICK, WATCHES};
use crate::net::event::{Event, WatchId};
use crate::net::listener::{Accepted, refuse};
use crate::net::socket::{Drained, Phase, Socket};
use crate::net::table::ConnId;

/// How many newcomers one turn lets in at most, for each listener; the others wait in the kernel's queue.
const ACCEPTS_PER_TURN: usize = 64;

impl EventLoop {
    /// Sleeps until something happens, and queues what did. Bound: 1024 events, 64 newcomers a listener, and everyone
    /// who has more to read or whose time is up, once.
    pub(super) fn wait(&mut self) -> io::Result<()> {
        let patience = self.patience();
        let again = self.again.len();
        match self.poll.poll(&mut self.events, Some(patience)) {
            Ok(()) => {}
            // A signal landed; what it means comes through its own descriptor.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            Err(error) => return Err(error),
        }
        self.clock.read();
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            match event.token().0 {
                token if token >= WATCHES => self.queue.push_back(Event::Woken(WatchId(token - WATCHES))),
                token if token >= LISTENERS => self.accept_next_turn = true,
                slot => self.note_readiness(slot, event),
            }
        }
        self.events = events;
        if std::mem::take(&mut self.accept_next_turn) {
            self.accept();
        }
        for number in 0..again {
            self.announce(self.again[number]);
        }
        self.again.drain(..again);
        self.expire();
        self.tick();
        Ok(())
    }

    /// How long the poll may sleep.
    fn patience(&self) -> Duration {
        if !self.queue.is_empty() || !self.again.is_empty() || self.accept_next_turn {
            return Duration::ZERO;
        }
        let deadline = self.deadlines.first().map(|(moment, _)| self.clock.instant_of(moment));
        let first = deadline.map_or(self.tick_at, |deadline| deadline.min(self.tick_at));
        first.saturating_duration_since(Instant::now())
    }

    fn note_readiness(&mut self, slot: usize, event: &mio::event::Event) {
        let Some((id, socket)) = self.sockets.in_slot(slot) else { return };
        if event.is_read_closed() || event.is_error() {
            socket.read_closed = true;
        }
        socket.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        socket.writable |= event.is_writable();
        self.announce(id);
    }

    /// Does for `id` what is due without the caller, and queues what the caller is to be told.
    fn announce(&mut self, id: ConnId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        let owes = socket.writable && !socket.outbox.is_empty();
        match socket.phase {
            Phase::Open => {
                if socket.drained == Drained::Due {
                    self.queue.push_back(Event::Drained(id));
                }
                if socket.readable && !socket.announced {
                    socket.announced = true;
                    self.queue.push_back(Event::Readable(id));
                }
            }
            Phase::Draining if socket.readable => return self.drain(id),
            Phase::Finishing | Phase::Draining => {}
        }
        if owes {
            self.soil(id);
        }
    }

    /// Lets newcomers in, at most 64 for each listener.
    fn accept(&mut self) {
        for number in 0..self.listeners.len() {
            let mut left = ACCEPTS_PER_TURN;
            loop {
                if left == 0 {
                    self.accept_next_turn = true;
                    break;
                }
                left -= 1;
                match self.listeners[number].accept() {
                    Accepted::New(stream, peer) => self.welcome(stream, peer),
                    Accepted::Last(stream, peer) => {
                        if self.make_room() {
                            self.welcome(stream, peer);
                        } else {
                            refuse(stream, &self.limits.no_room);
                        }
                        self.listeners[number].keep_a_spare();
                    }
                    Accepted::Gone => {}
                    Accepted::Nobody => break,
                    Accepted::Failed(error) => {
                        log::warn!("accepting failed: {error}");
                        self.accept_next_tick = true;
                        break;
                    }
                }
            }
        }
    }

    /// Gives the newcomer an id, making room if there is none.
    fn welcome(&mut self, mut stream: TcpStream, peer: SocketAddr) {
        let address = peer.ip();
        if !self.crowd.enter(address) {
            return refuse(stream, &self.limits.too_many);
        }
        if self.sockets.len() >= self.limits.connections && !self.make_room() {
            self.crowd.leave(address);
            return refuse(stream, &self.limits.no_room);
        }
        // Small frames must not wait for each other (Nagle).
        let _ = stream.set_nodelay(true);
        let id = self.ids.issue();
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(&mut stream, Token(id.slot()), interest) {
            log::warn!("{peer}: cannot be polled: {error}");
            self.crowd.leave(address);
            return self.ids.retire(id);
        }
        self.sockets.insert(id, Socket::new(stream, address));
        self.unsettled.push_back(id);
        self.queue.push_back(Event::Opened(id, peer));
    }

    /// Tells of every deadline that has passed; ends those connections that were only being finished.
    fn expire(&mut self) {
        let now = self.clock.moment();
        while let Some((deadline, id)) = self.deadlines.first() {
            if deadline > now {
                return;
            }
            self.set_deadline(id, None);
            let Some(socket) = self.sockets.get_mut(id) else { continue };
            match socket.phase {
                Phase::Open => {
                    socket.expired = true;
                    self.queue.push_back(Event::Expired(id));
                }
                Phase::Finishing | Phase::Draining => self.discard(id),
            }
        }
    }

    fn tick(&mut self) {
        if self.now() < self.tick_at {
            return;
        }
        self.tick_at = self.now() + SLOW_TICK;
        self.accept_next_turn |= std::mem::take(&mut self.accept_next_tick);
        self.queue.push_back(Event::Tick(self.now()));
    }
}
