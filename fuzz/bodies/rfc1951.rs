//! DEFLATE read bit by bit from the pages of RFC 1951: slow, short, and nobody's code but ours. What a fast library
//! inflates must be the same.

use std::sync::LazyLock;

/// What became of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// They end between two blocks, the last of which may have said that it is the last.
    Between {
        /// It has: what follows begins anew.
        last: bool,
    },
    /// They end inside a block.
    Inside,
    /// They are not DEFLATE.
    Broken,
    /// They mean more than was asked for.
    TooMuch,
}

/// What some bytes mean.
#[derive(Debug)]
pub struct Inflated {
    pub bytes: Vec<u8>,
    pub end: End,
    /// The largest distance that was referred back.
    pub farthest: usize,
}

/// Why there is no more.
enum Stop {
    NoMoreBits,
    Broken,
    TooMuch,
}

struct Reader<'a> {
    data: &'a [u8],
    at: usize,
    out: Vec<u8>,
    /// Where in `out` the present stream of blocks began.
    begun: usize,
    most: usize,
    farthest: usize,
}

/// Inflates one stream of blocks after another, until `data` ends or `most` bytes are exceeded. Behind `history`, to
/// which the first stream may refer.
pub fn inflate(data: &[u8], history: &[u8], most: usize) -> Inflated {
    let out = history.to_vec();
    let mut reader = Reader { data, at: 0, out, begun: 0, most: most + history.len(), farthest: 0 };
    let mut last = false;
    let end = loop {
        if last {
            // The rest of the last byte is padding.
            reader.at = reader.at.next_multiple_of(8);
            if reader.at < data.len() * 8 {
                reader.begun = reader.out.len();
            }
        }
        if reader.at == data.len() * 8 {
            break End::Between { last };
        }
        match reader.block() {
            Ok(was_last) => last = was_last,
            Err(Stop::NoMoreBits) => break End::Inside,
            Err(Stop::Broken) => break End::Broken,
            Err(Stop::TooMuch) => break End::TooMuch,
        }
    };
    Inflated { bytes: reader.out.split_off(history.len()), end, farthest: reader.farthest }
}

/// Inflates one stream of blocks, as long as it means no more than `most` bytes, and says how many bytes of `data` it takes
/// up.
pub fn inflate_one(data: &[u8], most: usize) -> (Inflated, usize) {
    let mut reader = Reader { data, at: 0, out: Vec::new(), begun: 0, most, farthest: 0 };
    let end = loop {
        match reader.block() {
            Ok(true) => break End::Between { last: true },
            Ok(false) => {}
            Err(Stop::NoMoreBits) => break End::Inside,
            Err(Stop::Broken) => break End::Broken,
            Err(Stop::TooMuch) => break End::TooMuch,
        }
    };
    let used = reader.at.div_ceil(8);
    (Inflated { bytes: reader.out, end, farthest: reader.farthest }, used)
}

impl Reader<'_> {
    /// "Data elements other than Huffman codes are packed starting with the least-significant bit" (§3.1.1).
    fn bits(&mut self, count: usize) -> Result<usize, Stop> {
        let mut number = 0;
        for place in 0..count {
            let byte = self.data.get(self.at / 8).ok_or(Stop::NoMoreBits)?;
            number |= usize::from(byte >> (self.at % 8) & 1) << place;
            self.at += 1;
        }
        Ok(number)
    }

    fn put(&mut self, byte: u8) -> Result<(), Stop> {
        if self.out.len() == self.most {
            return Err(Stop::TooMuch);
        }
        self.out.push(byte);
        Ok(())
    }

    /// One block (§3.2.3). True if it is the last.
    fn block(&mut self) -> Result<bool, Stop> {
        let last = self.bits(1)? == 1;
        match self.bits(2)? {
            0 => self.stored()?,
            1 => self.compressed(&FIXED.0, &FIXED.1)?,
            2 => {
                let (literals, distances) = self.codes()?;
                self.compressed(&literals, &distances)?;
            }
            _ => return Err(Stop::Broken),
        }
        Ok(last)
    }

    /// "Any bits of input up to the next byte boundary are ignored" (§3.2.4).
    fn stored(&mut self) -> Result<(), Stop> {
        self.at = self.at.next_multiple_of(8);
        let (len, complement) = (self.bits(16)?, self.bits(16)?);
        if len != !complement & 0xffff {
            return Err(Stop::Broken);
        }
        for _ in 0..len {
            let byte = self.bits(8)? as u8;
            self.put(byte)?;
        }
        Ok(())
    }

    /// The codes of a block that brings its own (§3.2.7).
    fn codes(&mut self) -> Result<(Code, Code), Stop> {
        const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let (literals, distances) = (self.bits(5)? + 257, self.bits(5)? + 1);
        let count = self.bits(4)? + 4;
        if literals > 286 || distances > 30 {
            return Err(Stop::Broken);
        }
        let mut lengths = [0; 19];
        for place in &ORDER[..count] {
            lengths[*place] = self.bits(3)?;
        }
        let code = Code::new(&lengths).ok_or(Stop::Broken)?;
        if code.symbols.is_empty() {
            // Our library takes every bit for a length of 0, and finds in the end that no symbol ends the block.
            for _ in 0..literals + distances {
                self.bits(1)?;
            }
            return Err(Stop::Broken);
        }
        // Unlike the other two, it has to be whole.
        if !code.is_whole() {
            return Err(Stop::Broken);
        }
        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            let (length, times) = match self.symbol(&code)? {
                16 => {
                    let times = 3 + self.bits(2)?;
                    (*lengths.last().ok_or(Stop::Broken)?, times)
                }
                17 => (0, 3 + self.bits(3)?),
                18 => (0, 11 + self.bits(7)?),
                length => (length, 1),
            };
            lengths.extend(std::iter::repeat_n(length, times));
            if lengths.len() > literals + distances {
                return Err(Stop::Broken);
            }
        }
        // A block without an end.
        if lengths[256] == 0 {
            return Err(Stop::Broken);
        }
        let distances = lengths.split_off(literals);
        let code = |lengths: &[usize]| Code::new(lengths).filter(Code::may_be_used).ok_or(Stop::Broken);
        Ok((code(&lengths)?, code(&distances)?))
    }

    /// Literals, and references to what was before (§3.2.5).
    fn compressed(&mut self, literals: &Code, distances: &Code) -> Result<(), Stop> {
        loop {
            let symbol = self.symbol(literals)?;
            let len = match symbol {
                0..=255 => {
                    self.put(symbol as u8)?;
                    continue;
                }
                256 => return Ok(()),
                257..=264 => symbol - 254,
                265..=284 => {
                    let (group, place) = ((symbol - 261) / 4, (symbol - 265) % 4);
                    (((4 + place) << group) + 3) + self.bits(group)?
                }
                285 => 258,
                _ => return Err(Stop::Broken),
            };
            let symbol = self.symbol(distances)?;
            let distance = match symbol {
                0..=3 => symbol + 1,
                4..=29 => {
                    let extra = symbol / 2 - 1;
                    ((2 + symbol % 2) << extra) + 1 + self.bits(extra)?
                }
                _ => return Err(Stop::Broken),
            };
            if distance > self.out.len() - self.begun {
                return Err(Stop::Broken);
            }
            self.farthest = self.farthest.max(distance);
            for _ in 0..len {
                let byte = self.out[self.out.len() - distance];
                self.put(byte)?;
            }
        }
    }

    /// "Huffman codes are packed starting with the most-significant bit of the code" (§3.1.1).
    fn symbol(&mut self, code: &Code) -> Result<usize, Stop> {
        let (mut bits, mut first, mut index) = (0, 0, 0);
        for &count in &code.counts[1..] {
            bits = bits << 1 | self.bits(1)?;
            if bits < first + count {
                return Ok(code.symbols[index + bits - first]);
            }
            index += count;
            first = (first + count) << 1;
            if index == code.symbols.len() {
                break;
            }
        }
        Err(Stop::Broken)
    }
}

/// A Huffman code: "all codes of a given bit length have lexicographically consecutive values, in the same order as the
/// symbols they represent" (§3.2.2).
struct Code {
    /// How many symbols have a code of so many bits.
    counts: [usize; 16],
    /// The symbols in the order of their codes.
    symbols: Vec<usize>,
    /// How many codes of 15 bits are left over.
    left: usize,
}

impl Code {
    /// `None` if there are more codes of some length than that length has room for.
    fn new(lengths: &[usize]) -> Option<Self> {
        let mut symbols: Vec<usize> = (0..lengths.len()).filter(|&symbol| lengths[symbol] > 0).collect();
        symbols.sort_by_key(|&symbol| lengths[symbol]);
        let mut counts = [0; 16];
        symbols.iter().for_each(|&symbol| counts[lengths[symbol]] += 1);
        let mut left = 1_usize;
        for count in &counts[1..] {
            left = (left * 2).checked_sub(*count)?;
        }
        Some(Self { counts, symbols, left })
    }

    fn is_whole(&self) -> bool {
        self.left == 0
    }

    /// "If only one distance code is used, it is encoded using one bit, not zero bits; in this case there is a single
    /// code length of one, with one unused code" (§3.2.7). None at all means that there are only literals.
    fn may_be_used(&self) -> bool {
        self.is_whole() || self.symbols.is_empty() || (self.symbols.len() == 1 && self.counts[1] == 1)
    }
}

/// The codes of §3.2.6, for literals and lengths, and for distances.
static FIXED: LazyLock<(Code, Code)> = LazyLock::new(|| {
    let length = |symbol| match symbol {
        0..=143 => 8,
        144..=255 => 9,
        256..=279 => 7,
        _ => 8,
    };
    let literals: Vec<usize> = (0..288).map(length).collect();
    let code = |lengths: &[usize]| Code::new(lengths).expect("the RFC has room for its own");
    (code(&literals), code(&[5; 30]))
});
