//! The loop, as its caller sees it: what happened, reading, what there is to say, and the end of a connection. How it waits
//! is in `turn`.
//!
//! Knows sockets and time; not what the bytes mean. The rules beneath it are mio's:
//!
//! - Readiness is an edge. A socket stays readable until a read would block or came back short, and even a short read
//!   does not settle it when the event said that the peer has finished writing: data and FIN may have come together,
//!   and then no second event follows.
//! - An event is a hint. The read may still block; the connection may be gone.
//! - Sockets are registered once, for both directions, and never again.
//! - An accept error is logged and never ends the loop.

mod turn;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::clock::{Clock, Deadlines};
use super::crowd::Crowd;
use super::event::{Event, WatchId};
use super::listener::{Limits, Listener};
use super::outbox::{Bytes, Spare};
use super::socket::{Drained, Phase, Received, Room, Socket, Written};
use super::speech::Speech;
use super::table::{ConnId, Ids, Table};

/// How many readiness events one turn takes from the kernel.
const EVENTS_PER_TURN: usize = 1024;
/// How many bytes a connection that is on its way out is read and forgotten, each turn.
const DISCARD: usize = 16 * 1024;
/// The tick when nobody asks for an earlier one.
const SLOW_TICK: Duration = Duration::from_millis(250);

/// Tokens from here on are listeners, and from `WATCHES` on watched descriptors; below are the connections' slots.
const LISTENERS: usize = usize::MAX - 0xffff;
const WATCHES: usize = usize::MAX - 0xff;

/// One thread's sockets and clock. The [module](super) has an example with all that can happen; this is a server that
/// has nothing to say:
///
/// ```
/// use std::time::Duration;
/// use wiretail::net::{Bytes, Event, EventLoop, Limits, TcpListener};
///
/// let listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
/// let peer = std::net::TcpStream::connect(listener.local_addr()?)?;
/// let mut event_loop = EventLoop::new(vec![listener], Limits::default())?;
/// loop {
///     if let Event::Opened(id, _) = event_loop.next_event()? {
///         event_loop.send(id, Bytes::Own(b"not now\n".to_vec()));
///         event_loop.finish(id, Duration::from_secs(2)); // once that is written; and then the peer is to hang up
///         break;
///     }
/// }
/// event_loop.stop_listening();
/// drop(peer);
/// while event_loop.connections() > 0 {
///     event_loop.next_event()?;
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct EventLoop {
    poll: Poll,
    events: Events,
    listeners: Vec<Listener>,
    /// Accepting stopped short: at the burst's bound (go on next turn) or at an error (go on next tick).
    accept_next_turn: bool,
    accept_next_tick: bool,
    watches: usize,
    limits: Limits,
    ids: Ids,
    sockets: Table<Socket>,
    crowd: Crowd,
    /// Those who have not shown yet what they are for, or never did, oldest first; they make room for newcomers.
    unsettled: VecDeque<ConnId>,
    queue: VecDeque<Event>,
    /// What callers have read and not dealt with.
    put_back: HashMap<ConnId, Box<[u8]>>,
    /// Who has something to do in the next turn though no event of the kernel's may come: still readable after a read, not
    /// all written by a write, or due to be told that it is.
    again: Vec<ConnId>,
    speech: Speech,
    /// When somebody took something last that had had to wait: see [`EventLoop::took_at`].
    took_at: HashMap<ConnId, Instant>,
    /// Whose outbox is to be written.
    dirty: Vec<ConnId>,
    /// What outboxes were in that are empty now.
    spare: Spare,
    clock: Clock,
    deadlines: Deadlines,
    tick_at: Instant,
    discard: Box<[u8; DISCARD]>,
}

impl EventLoop {
    /// A loop that listens on `listeners`.
    ///
    /// # Errors
    /// When the system gives no poll or refuses a listener.
    pub fn new(listeners: Vec<TcpListener>, limits: Limits) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listeners: Vec<Listener> = listeners.into_iter().map(Listener::new).collect();
        for (number, listener) in listeners.iter_mut().enumerate() {
            poll.registry().register(&mut listener.socket, Token(LISTENERS + number), Interest::READABLE)?;
        }
        let clock = Clock::start();
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS_PER_TURN),
            listeners,
            accept_next_turn: false,
            accept_next_tick: false,
            watches: 0,
            crowd: Crowd::new(limits.per_address),
            limits,
            ids: Ids::default(),
            sockets: Table::default(),
            unsettled: VecDeque::new(),
            queue: VecDeque::new(),
            put_back: HashMap::new(),
            again: Vec::new(),
            speech: Speech::default(),
            took_at: HashMap::new(),
            dirty: Vec::new(),
            spare: Spare::default(),
            clock,
            deadlines: Deadlines::default(),
            tick_at: clock.now() + SLOW_TICK,
            discard: Box::new([0; DISCARD]),
        })
    }

    /// The instant at which this turn began.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// How many connections there are, those on their way out included.
    pub fn connections(&self) -> usize {
        self.sockets.len()
    }

    /// Wakes the loop with [`Event::Woken`] whenever `descriptor` becomes readable. It must be read until nothing is
    /// left after each event; when it is closed, that is all there is to be heard of it.
    ///
    /// # Errors
    /// When the descriptor cannot be polled, as a regular file.
    pub fn watch(&mut self, descriptor: &impl AsRawFd) -> io::Result<WatchId> {
        let raw: RawFd = descriptor.as_raw_fd();
        let id = WatchId(self.watches);
        self.poll.registry().register(&mut SourceFd(&raw), Token(WATCHES + id.0), Interest::READABLE)?;
        self.watches += 1;
        Ok(id)
    }

    /// Asks for an [`Event::Tick`] at `when`, if none is due before.
    pub fn tick_at(&mut self, when: Instant) {
        self.tick_at = self.tick_at.min(when);
    }

    /// What happened next; sleeps until something does. Before that, everything that was sent since the last event is
    /// written: one write for each connection, however often it was sent something.
    ///
    /// # Errors
    /// Only when the poll itself fails; what goes wrong with one connection is that connection's
    /// [`Closed`](Event::Closed).
    pub fn next_event(&mut self) -> io::Result<Event> {
        loop {
            self.flush();
            while let Some(event) = self.queue.pop_front() {
                if self.still_holds(event) {
                    return Ok(event);
                }
            }
            self.wait()?;
        }
    }

    /// Reads once from `id` into `buffer`. One read a turn: a peer that sends without pause costs the others one
    /// buffer's worth each turn.
    pub fn read(&mut self, id: ConnId, buffer: &mut [u8]) -> Received {
        let Some(socket) = self.sockets.get_mut(id) else { return Received::Nothing };
        if !self.put_back.is_empty()
            && let Some(bytes) = self.put_back.remove(&id)
        {
            return self.read_again(id, &bytes, buffer);
        }
        let received = socket.read(buffer);
        if socket.readable {
            self.again.push(id);
        }
        received
    }

    /// Gives what was put back. What the kernel holds comes after it, in another turn.
    fn read_again(&mut self, id: ConnId, bytes: &[u8], buffer: &mut [u8]) -> Received {
        let (now, later) = bytes.split_at(bytes.len().min(buffer.len()));
        buffer[..now.len()].copy_from_slice(now);
        self.put_back(id, later);
        Received::Bytes(now.len())
    }

    /// Asks for another turn at `id` if the kernel still holds something for it: for callers who put off reading.
    pub fn read_later(&mut self, id: ConnId) {
        if self.sockets.get(id).is_some_and(|socket| socket.readable) {
            self.again.push(id);
        }
    }

    /// Takes back what has been read from `id` and not been dealt with, because that would take too long in one turn: the
    /// next [`read`](Self::read) gives it again, and there will be an [`Event::Readable`] for that.
    pub fn put_back(&mut self, id: ConnId, bytes: &[u8]) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        socket.readable = true;
        self.again.push(id);
        if !bytes.is_empty() {
            // What a smaller buffer had no room for comes behind them.
            let later = self.put_back.remove(&id).unwrap_or_default();
            self.put_back.insert(id, [bytes, &later].concat().into());
        }
    }

    /// How many bytes of `id` have been put back and not been read again.
    pub fn unheard(&self, id: ConnId) -> usize {
        self.put_back.get(&id).map_or(0, |bytes| bytes.len())
    }

    /// Puts `bytes` behind what `id` is still owed.
    pub fn send(&mut self, id: ConnId, bytes: Bytes) {
        self.own_words(id);
        let Some(socket) = self.sockets.get_mut(id) else { return };
        if socket.phase == Phase::Open {
            socket.outbox.push(bytes, &mut self.spare);
            self.soil(id);
        }
    }

    /// A buffer for what `id` has to say now, behind all that it is owed. What is put behind the bytes that may be there
    /// already is sent as by [`send`](Self::send), but from here: as long as the peer takes it, nothing is allocated.
    pub fn output(&mut self, id: ConnId) -> &mut Vec<u8> {
        if self.speech.speaker() == Some(id) {
            return self.speech.words();
        }
        self.say();
        let speaker = self.sockets.get(id).filter(|socket| socket.phase == Phase::Open);
        self.speech.begin(speaker.map(|_| id))
    }

    /// Writes what has been put into an [`output`](Self::output) now, rather than before the next event: then
    /// [`unsent`](Self::unsent) tells what the kernel had no room for.
    pub fn say(&mut self) {
        if let Some(id) = self.speech.speaker() {
            if let Some(socket) = self.sockets.get_mut(id) {
                let written = socket.say(self.speech.words(), &mut self.spare);
                self.follow_up(id, written);
            }
            self.speech.end();
        }
    }

    /// Forgets what has been put into the [`output`](Self::output) of `id` and is not written yet: it may be half a
    /// sentence.
    pub fn unsay(&mut self, id: ConnId) {
        if self.speech.speaker() == Some(id) {
            self.speech.end();
        }
    }

    /// Asks for [`Event::Drained`] when all that `id` is owed has been written, also if that is at once. It comes in a
    /// later turn in any case.
    pub fn tell_when_drained(&mut self, id: ConnId) {
        if let Some(socket) = self.sockets.get_mut(id) {
            socket.drained = Drained::Wanted;
            self.soil(id);
        }
    }

    /// How many bytes `id` is still owed; zero also when it is gone.
    pub fn unsent(&self, id: ConnId) -> usize {
        self.sockets.get(id).map_or(0, |socket| socket.outbox.unsent() + self.speech.len_of(id))
    }

    /// Whether `id` has not taken all that was written to it.
    pub fn is_stuck(&self, id: ConnId) -> bool {
        self.sockets.get(id).is_some_and(|socket| socket.stuck)
    }

    /// When `id` last took something that the kernel had had no room for, if it ever did: a sign of life, as only the
    /// peer can have made that room. What the kernel takes at once proves nothing.
    pub fn took_at(&self, id: ConnId) -> Option<Instant> {
        self.took_at.get(&id).copied()
    }

    /// The socket of `id`, to set its options.
    pub fn socket(&self, id: ConnId) -> Option<&TcpStream> {
        self.sockets.get(id).map(|socket| &socket.stream)
    }

    /// Asks for [`Event::Expired`] at `deadline`, instead of any that was set before; `None` for none.
    pub fn set_deadline(&mut self, id: ConnId, deadline: Option<Instant>) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        socket.expired = false;
        let new = deadline.map(|instant| self.clock.moment_of(instant));
        let old = std::mem::replace(&mut socket.deadline, new);
        self.deadlines.change(id, old, new);
    }

    /// `id` has shown what it is for, and need not make room for newcomers any more.
    // O(unsettled), but at once for the oldest, whose time is up first.
    pub fn settle(&mut self, id: ConnId) {
        if self.unsettled.front() == Some(&id) {
            self.unsettled.pop_front();
        } else if let Some(place) = self.unsettled.iter().rposition(|&other| other == id) {
            self.unsettled.remove(place);
        }
    }

    /// The caller is done with `id`: what it is owed is written, our side is closed, and what still comes is read and
    /// forgotten until the peer closes too or `patience` is over. No more events come of it. Unless it had settled, it
    /// still makes room for newcomers: a crowd that only lingers must not keep them out.
    pub fn finish(&mut self, id: ConnId, patience: Duration) {
        self.set_deadline(id, Some(self.now() + patience));
        self.put_back.remove(&id);
        self.own_words(id);
        if let Some(socket) = self.sockets.get_mut(id) {
            socket.phase = Phase::Finishing;
            self.soil(id);
        }
    }

    /// Closes `id` at once. No more events come of it.
    pub fn discard(&mut self, id: ConnId) {
        self.set_deadline(id, None);
        self.settle(id);
        self.put_back.remove(&id);
        self.took_at.remove(&id);
        let Some(mut socket) = self.sockets.remove(id) else { return };
        let _ = self.poll.registry().deregister(&mut socket.stream);
        self.ids.retire(id);
        self.crowd.leave(socket.address);
    }

    /// No more newcomers: the listeners are closed.
    pub fn stop_listening(&mut self) {
        for mut listener in self.listeners.drain(..) {
            let _ = self.poll.registry().deregister(&mut listener.socket);
        }
        (self.accept_next_turn, self.accept_next_tick) = (false, false);
    }

    /// The oldest of those who have not settled is closed, because something it holds is needed elsewhere; false if
    /// all have settled.
    pub fn make_room(&mut self) -> bool {
        let Some(&oldest) = self.unsettled.front() else { return false };
        log::debug!("{oldest}: makes room");
        self.lose(oldest);
        true
    }

    /// Broken, evicted or expired by itself: gone here, and the caller is told if it still cared.
    fn lose(&mut self, id: ConnId) {
        if self.sockets.get(id).is_some_and(|socket| socket.phase == Phase::Open) {
            self.queue.push_back(Event::Closed(id));
        }
        self.discard(id);
    }

    /// Whether `event`, which is about to be handed out, has not been overtaken by what the caller did since it was
    /// queued: finished with the connection, or set another deadline.
    fn still_holds(&mut self, event: Event) -> bool {
        let (Event::Readable(id) | Event::Drained(id) | Event::Expired(id)) = event else { return true };
        let Some(socket) = self.sockets.get_mut(id).filter(|socket| socket.phase == Phase::Open) else {
            return false;
        };
        match event {
            Event::Readable(_) => std::mem::take(&mut socket.announced),
            Event::Expired(_) => std::mem::take(&mut socket.expired),
            _ => {
                let drained = std::mem::replace(&mut socket.drained, Drained::Unwanted);
                drained == Drained::Due
            }
        }
    }

    /// The outbox of `id` is to be written.
    fn soil(&mut self, id: ConnId) {
        if let Some(socket) = self.sockets.get_mut(id)
            && !socket.dirty
        {
            socket.dirty = true;
            self.dirty.push(id);
        }
    }

    /// What `id` has said, if it has the floor, is put into its outbox, where other pieces can follow it.
    fn own_words(&mut self, id: ConnId) {
        if self.speech.speaker() == Some(id) {
            if let Some(socket) = self.sockets.get_mut(id) {
                socket.outbox.push(Bytes::Own(self.speech.words().clone()), &mut self.spare);
                self.soil(id);
            }
            self.speech.end();
        }
    }

    /// Writes what the connection at hand has said, and then to everyone else who is owed something: one write each.
    fn flush(&mut self) {
        self.say();
        let mut done = 0;
        while let Some(&id) = self.dirty.get(done) {
            done += 1;
            if let Some(socket) = self.sockets.get_mut(id) {
                socket.dirty = false;
                let written = socket.write(&mut self.spare);
                self.follow_up(id, written);
            }
        }
        self.dirty.clear();
    }

    /// What follows from a write.
    fn follow_up(&mut self, id: ConnId, written: io::Result<Written>) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        if socket.room == Room::Again {
            socket.room = Room::Enough;
            self.took_at.insert(id, self.clock.now());
        }
        match written {
            Ok(Written::All) if socket.phase != Phase::Open => self.hang_up(id),
            Ok(Written::All) if socket.drained == Drained::Due => self.again.push(id),
            Ok(Written::All | Written::Nothing) => {}
            Ok(Written::Some) => self.again.push(id),
            Err(error) => {
                log::debug!("{id}: writing failed: {error}");
                self.lose(id);
            }
        }
    }

    /// All is said and written: closes our side first, and waits for the peer's.
    fn hang_up(&mut self, id: ConnId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        if socket.phase == Phase::Finishing {
            socket.phase = Phase::Draining;
            if socket.stream.shutdown(Shutdown::Write).is_err() {
                return self.discard(id);
            }
        }
        self.drain(id);
    }

    /// Reads and forgets one bounded portion of what a finished connection still sends.
    fn drain(&mut self, id: ConnId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        match socket.read(self.discard.as_mut_slice()) {
            Received::Bytes(_) if socket.readable => self.again.push(id),
            Received::Bytes(_) | Received::Nothing => {}
            Received::Eof | Received::Broken(_) => self.discard(id),
        }
    }
}
