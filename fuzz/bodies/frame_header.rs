//! Frame headers: what we read is what a parser reads that follows the RFC's diagram bit by bit; what is encoded parses
//! back; and no byte that is still to come changes a verdict.

use wiretail::ws::frame::{FrameHeader, MAX_HEADER, Rsv1};
use wiretail::ws::{Opcode, ProtocolError};

/// Reads the beginning of `data` as a header, and makes a header out of its bytes.
pub fn run(data: &[u8]) {
    for rsv1 in [Rsv1::Reserved, Rsv1::Compressed] {
        parse_and_encode(data, rsv1);
    }
    if let Some(header) = header_from(data) {
        let bytes = header.encode();
        assert!(bytes.len() <= MAX_HEADER);
        assert_eq!(FrameHeader::parse(&bytes, Rsv1::Compressed), Ok(Some((header, bytes.len()))));
        let plain = FrameHeader { compressed: false, ..header }.encode();
        assert!(FrameHeader::parse(&plain, Rsv1::Reserved).is_ok());
    }
}

fn parse_and_encode(data: &[u8], rsv1: Rsv1) {
    let whole = FrameHeader::parse(data, rsv1);
    match (whole, naive(data, rsv1)) {
        (Ok(Some((header, len))), Some((Ok(expected), bits))) => {
            assert_eq!((header, len * 8), (expected, bits));
            assert_eq!(header.encode()[..], data[..len], "{header:?}");
        }
        (Err(sin), Some((Err(sins), _))) => assert!(sins.contains(&sin), "{sin:?} instead of {sins:?}"),
        // The sin was seen before the header was whole.
        (Err(_), None) | (Ok(None), None) => {}
        other => panic!("we and the diagram differ: {other:?}"),
    }
    // The verdict on a beginning stands: incomplete until it is known, and then it never changes.
    let mut known = None;
    for end in 0..=data.len().min(MAX_HEADER + 2) {
        let verdict = FrameHeader::parse(&data[..end], rsv1);
        match known {
            None if verdict != Ok(None) => known = Some(verdict),
            None => {}
            Some(known) => assert_eq!(verdict, known, "after {end} bytes"),
        }
    }
    assert_eq!(known.unwrap_or(Ok(None)), whole);
}

/// Reads numbers of so many bits, the most significant one first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u64> {
        let mut number = 0;
        for at in self.at..self.at + count {
            number = number << 1 | u64::from(self.bytes.get(at / 8)? >> (7 - at % 8) & 1);
        }
        self.at += count;
        Some(number)
    }
}

/// The diagram of RFC 6455 §5.2, field by field, and then everything that may be wrong with what stands in them. `None`
/// if it is not whole; with it, how many bits it takes.
fn naive(bytes: &[u8], rsv1: Rsv1) -> Option<(Result<FrameHeader, Vec<ProtocolError>>, usize)> {
    let mut bits = Bits { bytes, at: 0 };
    let fin = bits.take(1)? == 1;
    let (first, second_and_third) = (bits.take(1)? == 1, bits.take(2)?);
    let opcode = bits.take(4)?;
    let masked = bits.take(1)? == 1;
    let short = bits.take(7)?;
    let (payload_len, least) = match short {
        126 => (bits.take(16)?, 126),
        127 => (bits.take(64)?, 0x1_0000),
        len => (len, 0),
    };
    let mask = if masked { Some((bits.take(32)? as u32).to_be_bytes()) } else { None };

    let mut sins = Vec::new();
    let allowed = rsv1 == Rsv1::Compressed && (opcode == 1 || opcode == 2);
    if second_and_third != 0 || (first && !allowed) {
        sins.push(ProtocolError::ReservedBits);
    }
    if (3..=7).contains(&opcode) || opcode >= 11 {
        sins.push(ProtocolError::UnknownOpcode(opcode as u8));
    }
    if opcode >= 8 && !fin {
        sins.push(ProtocolError::ControlFragmented);
    }
    if opcode >= 8 && short > 125 {
        sins.push(ProtocolError::ControlTooLong);
    }
    if payload_len >= 1 << 63 {
        sins.push(ProtocolError::LengthTooLarge);
    }
    if payload_len < least {
        sins.push(ProtocolError::LengthNotMinimal);
    }
    let header = || FrameHeader {
        fin,
        opcode: Opcode::from_bits(opcode as u8).expect("it is none of the unknown ones"),
        compressed: first,
        mask,
        payload_len,
    };
    Some((if sins.is_empty() { Ok(header()) } else { Err(sins) }, bits.at))
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
    let compressed = kind & 0x20 != 0 && matches!(opcode, Opcode::Text | Opcode::Binary);
    Some(FrameHeader { fin, opcode, compressed, mask, payload_len })
}
