//! Who is who: connection ids that are never used twice, and tables keyed by them.
//!
//! Knows nothing of sockets. A late event for a connection that is gone carries an id that nobody has any more, so it
//! can miss but never hit a stranger.

/// The name of one connection, for as long as the program runs. Never reused.
///
/// [`EventLoop`](super::EventLoop) hands them out, with [`Event::Opened`](super::Event::Opened).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId {
    slot: u32,
    birth: u32,
}

impl ConnId {
    /// Which of the slots it sits in: small numbers, used again by others.
    pub(crate) fn slot(self) -> usize {
        self.slot as usize
    }
}

impl std::fmt::Display for ConnId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{}.{}", self.slot, self.birth)
    }
}

/// Hands out ids: slots are used again, births are not, so tables stay as small as the largest crowd was.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    free: Vec<u32>,
    slots: u32,
    births: u32,
}

impl Ids {
    /// An id nobody has or had. The birth number wraps after four billion connections; by then the slot's last owner
    /// is long forgotten.
    pub(crate) fn issue(&mut self) -> ConnId {
        self.births = self.births.wrapping_add(1);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        });
        ConnId { slot, birth: self.births }
    }

    /// The connection is gone: its slot may be used again.
    pub(crate) fn retire(&mut self, id: ConnId) {
        self.free.push(id.slot);
    }
}

/// Something per connection, found by its id in constant time.
///
/// What a program keeps for its connections lives in one of these, while the loop keeps their sockets:
///
/// ```
/// use wiretail::net::{Event, EventLoop, Limits, Table, TcpListener};
///
/// let listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
/// let address = listener.local_addr()?;
/// let mut event_loop = EventLoop::new(vec![listener], Limits::default())?;
/// let mut names = Table::default();
/// for name in ["first", "second"] {
///     let peer = std::net::TcpStream::connect(address)?;
///     let id = loop {
///         if let Event::Opened(id, _) = event_loop.next_event()? {
///             break id;
///         }
///     };
///     names.insert(id, name);
///     assert_eq!(names.get(id), Some(&name));
///
///     assert_eq!(names.remove(id), Some(name));
///     event_loop.discard(id);
///     // Whatever is still said about this one misses: the next may get its slot, but never its id.
///     assert_eq!(names.get(id), None);
///     drop(peer);
/// }
/// assert!(names.is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Table<T> {
    rows: Vec<Option<(ConnId, T)>>,
    len: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), len: 0 }
    }
}

impl<T> Table<T> {
    /// How many connections have something here.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nobody has anything here.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Keeps `value` for `id`; what was there before is dropped.
    pub fn insert(&mut self, id: ConnId, value: T) {
        let slot = id.slot as usize;
        if self.rows.len() <= slot {
            self.rows.resize_with(slot + 1, || None);
        }
        if self.rows[slot].replace((id, value)).is_none() {
            self.len += 1;
        }
    }

    /// What is kept for `id`.
    pub fn get(&self, id: ConnId) -> Option<&T> {
        match self.rows.get(id.slot as usize) {
            Some(Some((owner, value))) if *owner == id => Some(value),
            _ => None,
        }
    }

    /// What is kept for `id`, to be changed.
    pub fn get_mut(&mut self, id: ConnId) -> Option<&mut T> {
        match self.rows.get_mut(id.slot as usize) {
            Some(Some((owner, value))) if *owner == id => Some(value),
            _ => None,
        }
    }

    /// Who sits in `slot` now, and what is kept there.
    pub(crate) fn in_slot(&mut self, slot: usize) -> Option<(ConnId, &mut T)> {
        self.rows.get_mut(slot)?.as_mut().map(|(id, value)| (*id, value))
    }

    /// Takes out what was kept for `id`.
    pub fn remove(&mut self, id: ConnId) -> Option<T> {
        let row = self.rows.get_mut(id.slot as usize)?;
        if row.as_ref().is_none_or(|(owner, _)| *owner != id) {
            return None;
        }
        self.len -= 1;
        row.take().map(|(_, value)| value)
    }

    /// The ids of all who have something here, oldest slot first. O(largest crowd).
    pub fn ids(&self) -> Vec<ConnId> {
        self.rows.iter().flatten().map(|(id, _)| *id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_never_reused_though_its_slot_is() {
        let (mut ids, mut table) = (Ids::default(), Table::default());
        let first = ids.issue();
        table.insert(first, "first");
        assert_eq!(table.remove(first), Some("first"));
        ids.retire(first);
        let second = ids.issue();
        assert_eq!(second.slot, first.slot);
        table.insert(second, "second");
        assert_eq!(table.get(first), None, "a late event misses");
        assert_eq!(table.remove(first), None);
        assert_eq!(table.get(second), Some(&"second"));
        assert_eq!((table.len(), table.ids()), (1, vec![second]));
    }
}
