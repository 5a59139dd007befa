//! DEFLATE (RFC 1951) written out by hand, as nobody honest writes it: what is vast, what is nothing, what takes long.

/// The first byte of a finished text frame, and of a finished binary frame, whose message is compressed (RFC 7692 §6):
/// RSV1 is set.
pub const COMPRESSED_TEXT: u8 = 0xc1;
/// See [`COMPRESSED_TEXT`].
pub const COMPRESSED_BINARY: u8 = 0xc2;

/// How many bytes of the message stand behind each byte of a [`bomb`].
pub const BOMB_RATIO: usize = 4 * 258;

/// A payload of some `len` bytes that inflates to [`BOMB_RATIO`] times as many zeroes, and does not end.
///
/// It begins with a block of two codes, of one bit each, for "258 bytes" and "as one byte before": every further zero
/// byte says both four times.
pub fn bomb(len: usize) -> Vec<u8> {
    let mut payload = BOMB.to_vec();
    payload.resize(len.max(BOMB.len()), 0);
    payload
}

/// A mebibyte of zeroes, compressed to a thousandth.
pub fn mebibyte() -> Vec<u8> {
    [&bomb(1031)[..], &[0x3e, 0x03]].concat()
}

const BOMB: [u8; 15] =
    [0xec, 0xc1, 0x31, 0x01, 0x00, 0x00, 0x00, 0xc2, 0xa0, 0xf5, 0x4f, 0x6d, 0x08, 0x5f, 0xa0];

/// A last block, of nothing. A stream that ends, so that the next one begins: two bytes, for which the inflater starts
/// anew.
pub const END_OF_STREAM: [u8; 2] = [0x03, 0x00];

/// A stored block, of nothing.
pub const NOTHING: [u8; 5] = [0x00, 0x00, 0x00, 0xff, 0xff];

/// Blocks as a payload: behind the last one begins a stored block, the rest of which the receiver appends (RFC 7692
/// §7.2.2).
pub fn ended(blocks: &[u8]) -> Vec<u8> {
    [blocks, &[0x00]].concat()
}

/// Eight blocks of nothing, each of which brings a table of 286 and one of 30 codes that must be built first.
pub fn eight_tables() -> Vec<u8> {
    let mut bits = Bits::default();
    for _ in 0..8 {
        // Not the last block; with tables; how many codes there are in each (RFC 1951 §3.2.7).
        bits.put(0, 1);
        bits.put(2, 2);
        bits.put(286 - 257, 5);
        bits.put(30 - 1, 5);
        // The tables are themselves coded. Four lengths occur in them, in two bits each: 4, 5, 8 and 9.
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4];
        bits.put(order.len() as u32 - 4, 4);
        for length in order {
            bits.put(if [4, 5, 8, 9].contains(&length) { 2 } else { 0 }, 3);
        }
        // Codes that leave no gap: 226 of 8 bits and 60 of 9, 2 of 4 bits and 28 of 5.
        let lengths = [(226, 8), (60, 9), (2, 4), (28, 5)];
        for (count, length) in lengths {
            let code = [4, 5, 8, 9].iter().position(|&other| other == length).expect("one of the four");
            // The most significant bit of a code comes first.
            (0..count).for_each(|_| bits.put([0b00, 0b10, 0b01, 0b11][code], 2));
        }
        // The end of the block is code 256, the 31st of those with 9 bits, behind 226 of 8.
        let end = (226 << 1) + 30;
        (0..9).for_each(|bit| bits.put(end >> (8 - bit) & 1, 1));
    }
    bits.0
}

/// Bits in the order of DEFLATE: the least significant one of a byte comes first.
#[derive(Default)]
struct Bits(Vec<u8>, u32);

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        for bit in 0..count {
            if self.1.is_multiple_of(8) {
                self.0.push(0);
            }
            let last = self.0.len() - 1;
            self.0[last] |= ((value >> bit & 1) as u8) << (self.1 % 8);
            self.1 += 1;
        }
    }
}
