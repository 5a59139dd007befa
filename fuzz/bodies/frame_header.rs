//! Frame headers: what parses encodes back to the same bytes, what is encoded parses back to the same header, and no
//! byte that is still to come changes a verdict.

use wiretail::ws::Opcode;
use wiretail::ws::frame::{FrameHeader, MAX_HEADER, Rsv1};

/// Reads the beginning of `data` as a header, and makes a header out of its bytes.
pub fn run(data: &[u8]) {
    parse_and_encode(data);
    if let Some(header) = header_from(data) {
        let bytes = header.encode();
        assert!(bytes.len() <= MAX_HEADER);
        assert_eq!(FrameHeader::parse(&bytes, Rsv1::Reserved), Ok(Some((header, bytes.len()))));
    }
}

fn parse_and_encode(data: &[u8]) {
    let whole = FrameHeader::parse(data, Rsv1::Reserved);
    if let Ok(Some((header, len))) = whole {
        assert_eq!(header.encode()[..], data[..len], "{header:?}");
    }
    // The verdict on a beginning stands: incomplete until it is known, and then it never changes.
    let mut known = None;
    for end in 0..=data.len().min(MAX_HEADER + 2) {
        let verdict = FrameHeader::parse(&data[..end], Rsv1::Reserved);
        match known {
            None if verdict != Ok(None) => known = Some(verdict),
            None => {}
            Some(known) => assert_eq!(verdict, known, "after {end} bytes"),
        }
    }
    assert_eq!(known.unwrap_or(Ok(None)), whole);
}

/// Any header that may be sent.
fn header_from(data: &[u8]) -> Option<FrameHeader> {
    let (&[kind, size, a, b, c, d], rest) = data.split_first_chunk()?;
    let opcode = Opcode::from_bits(kind & 0x0f).ok()?;
    let any = rest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let payload_len = match size % 4 {
        _ if opcode.is_control() => any % 126,
        0 => any % 126,
        1 => any & 0xffff,
        2 => any & 0xffff_ffff,
        _ => any & (u64::MAX >> 1),
    };
    let fin = kind & 0x80 != 0 || opcode.is_control();
    let mask = (kind & 0x40 != 0).then_some([a, b, c, d]);
    Some(FrameHeader { fin, opcode, compressed: false, mask, payload_len })
}
