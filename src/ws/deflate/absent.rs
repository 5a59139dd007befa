//! Without the Cargo feature `deflate` nothing is ever agreed on, and this cannot exist.

use crate::ws::close::ProtocolError;
use crate::ws::message::Limits;

/// See the feature `deflate`.
#[derive(Debug)]
pub(in crate::ws) enum PerMessageDeflate {}

impl PerMessageDeflate {
    pub(in crate::ws) fn compress(&mut self, _: &[u8]) -> Option<Vec<u8>> {
        match *self {}
    }

    pub(in crate::ws) fn owned_bytes(&self) -> usize {
        match *self {}
    }

    pub(in crate::ws) fn admit(&mut self, _: u64, _: Limits) -> Result<(), ProtocolError> {
        match *self {}
    }

    pub(in crate::ws) fn inflate(
        &mut self,
        _: &[u8],
        _: bool,
        _: impl FnMut(&[u8]) -> Result<(), ProtocolError>,
    ) -> Result<usize, ProtocolError> {
        match *self {}
    }
}
