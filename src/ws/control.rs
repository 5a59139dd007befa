//! The payload of a control frame: never more than 125 bytes (RFC 6455 §5.5), so it has a fixed place.

use super::frame::MAX_CONTROL;

/// Up to 125 bytes.
///
/// ```
/// use wiretail::ws::control::ControlPayload;
///
/// let mut payload = ControlPayload::from_slice(b"are you ");
/// payload.push(b"there?");
/// assert_eq!(&*payload, b"are you there?");
/// assert_eq!(ControlPayload::from_slice(&[0; 200]).len(), 125);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ControlPayload {
    bytes: [u8; MAX_CONTROL],
    len: u8,
}

impl ControlPayload {
    /// No bytes yet.
    pub fn new() -> Self {
        Self { bytes: [0; MAX_CONTROL], len: 0 }
    }

    /// The bytes of `payload`, or as many as fit.
    pub fn from_slice(payload: &[u8]) -> Self {
        let mut new = Self::new();
        new.push(payload);
        new
    }

    /// Puts `more` behind what is there, as far as it fits. A frame that claims more was refused at its header.
    pub fn push(&mut self, more: &[u8]) {
        let free = &mut self.bytes[usize::from(self.len)..];
        let count = more.len().min(free.len());
        free[..count].copy_from_slice(&more[..count]);
        self.len += count as u8;
    }
}

impl Default for ControlPayload {
    fn default() -> Self {
        Self::new()
    }
}

impl std::ops::Deref for ControlPayload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_125_bytes_in_any_pieces_and_no_more() {
        let mut payload = ControlPayload::new();
        for piece in [&[1; 100][..], &[2; 25], &[3; 9]] {
            payload.push(piece);
        }
        assert_eq!(payload.len(), 125);
        assert_eq!(&payload[99..101], [1, 2]);
        assert_eq!(payload[124], 2);
        assert_eq!(&*ControlPayload::from_slice(b"abc"), b"abc");
    }
}
