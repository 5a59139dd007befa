//! Masking: a client XORs every payload with a key it has just drawn (RFC 6455 §5.3).
//!
//! It hides nothing from anybody who reads along, as the key stands in front of the payload. It keeps a page's script
//! from choosing the bytes on the wire, which could otherwise be made to look like an HTTP request to an old proxy
//! (§10.3). Does not know frames: only bytes, a key, and where in the payload the bytes stand.

use sha1::{Digest, Sha1};

/// Masks or unmasks `bytes` in place; the operation undoes itself. `phase` is how many bytes of the same payload came
/// before.
///
/// "Octet i of the transformed data ("transformed-octet-i") is the XOR of octet i of the original data
/// ("original-octet-i") with octet at index i modulo 4 of the masking key ("masking-key-octet-j")" (§5.3).
///
/// ```
/// use wiretail::ws::mask;
///
/// let key = [0x37, 0xfa, 0x21, 0x3d];
/// let mut payload = *b"Hello";
/// mask::apply(&mut payload, key, 0);
/// assert_eq!(payload, [0x7f, 0x9f, 0x4d, 0x51, 0x58]); // as it stands in §5.7
///
/// // It undoes itself, also when the payload comes in two pieces: the second begins two bytes into the key.
/// let (front, back) = payload.split_at_mut(2);
/// mask::apply(front, key, 0);
/// mask::apply(back, key, 2);
/// assert_eq!(&payload, b"Hello");
/// ```
pub fn apply(bytes: &mut [u8], mut key: [u8; 4], phase: u64) {
    key.rotate_left((phase & 3) as usize);
    let [a, b, c, d] = key;
    // Eight bytes are XORed as one number; the compiler makes wider steps of it where the machine has them.
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (eights, rest) = bytes.as_chunks_mut::<8>();
    for eight in eights {
        *eight = (u64::from_ne_bytes(*eight) ^ wide).to_ne_bytes();
    }
    // Eight is a multiple of four, so the key begins anew here.
    for (byte, key) in rest.iter_mut().zip(key.into_iter().cycle()) {
        *byte ^= key;
    }
}

/// The keys of a client, one per frame.
///
/// "The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong source of entropy,
/// and the masking key for a given frame MUST NOT make it simple for a server/proxy to predict the masking key for a
/// subsequent frame" (§5.3). The entropy is the caller's seed; SHA-1 of the seed and a counter stretches it. Going
/// from some keys to the next would mean inverting SHA-1, which is still out of reach, broken for signatures as it is.
///
/// ```
/// use std::fs::File;
/// use std::io::Read;
/// use wiretail::ws::{Connection, Limits, MaskKeys};
///
/// let mut seed = [0; 32];
/// File::open("/dev/urandom")?.read_exact(&mut seed)?;
/// let keys = MaskKeys::new(seed);
/// assert_eq!(format!("{keys:?}"), "MaskKeys { .. }"); // the seed does not find its way into a log
/// let mut client = Connection::client(Limits::default(), keys);
///
/// let mut out = Vec::new();
/// client.send_text("Hello", &mut out);
/// assert_eq!(out[..2], [0x81, 0x85]); // text of five bytes, masked; the key and the payload are behind it
/// assert_eq!(out.len(), 2 + 4 + 5);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct MaskKeys {
    seed: [u8; 32],
    counter: u64,
    /// What the last hash gave, five keys, and how many of them are spent.
    drawn: [[u8; 4]; 5],
    spent: usize,
}

impl MaskKeys {
    /// Keys that follow from `seed`, which must come from the operating system's generator.
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0, drawn: [[0; 4]; 5], spent: 5 }
    }

    /// The key for the next frame.
    pub fn next_key(&mut self) -> [u8; 4] {
        if self.spent == self.drawn.len() {
            let hash =
                Sha1::new().chain_update(self.seed).chain_update(self.counter.to_be_bytes()).finalize();
            for (key, piece) in self.drawn.iter_mut().zip(hash.chunks_exact(4)) {
                key.copy_from_slice(piece);
            }
            self.counter += 1;
            self.spent = 0;
        }
        self.spent += 1;
        self.drawn[self.spent - 1]
    }
}

impl std::fmt::Debug for MaskKeys {
    /// Does not tell the seed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MaskKeys").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    /// The definition in §5.3, word for word.
    fn naive(payload: &mut [u8], key: [u8; 4], phase: usize) {
        for (i, byte) in payload.iter_mut().enumerate() {
            *byte ^= key[(phase + i) % 4];
        }
    }

    #[test]
    fn agrees_with_the_definition_for_every_length_and_phase() {
        for len in 0..=70 {
            for phase in 0..8 {
                let mut ours: Vec<u8> = (0..len).collect();
                let mut theirs = ours.clone();
                apply(&mut ours, KEY, phase);
                naive(&mut theirs, KEY, usize::try_from(phase).unwrap());
                assert_eq!(ours, theirs, "len {len}, phase {phase}");
            }
        }
    }

    #[test]
    fn a_payload_cut_anywhere_is_unmasked_the_same() {
        let whole: Vec<u8> = (0..70).collect();
        for cut in 0..=whole.len() {
            let mut pieces = whole.clone();
            let (front, back) = pieces.split_at_mut(cut);
            apply(front, KEY, 0);
            apply(back, KEY, cut as u64);
            apply(&mut pieces, KEY, 0);
            assert_eq!(pieces, whole, "cut at {cut}");
        }
    }

    #[test]
    fn the_phase_may_be_beyond_32_bits() {
        let mut bytes = *b"abcdefghij";
        apply(&mut bytes, KEY, (1 << 40) + 3);
        naive(&mut bytes, KEY, 3);
        assert_eq!(&bytes, b"abcdefghij");
    }

    #[test]
    fn keys_follow_from_the_seed_and_none_comes_twice() {
        let draw = |seed: u8| {
            let mut keys = MaskKeys::new([seed; 32]);
            (0..1000).map(|_| keys.next_key()).collect::<Vec<_>>()
        };
        let mut keys = draw(1);
        assert_eq!(keys, draw(1));
        assert_ne!(keys, draw(2));
        keys.sort_unstable();
        keys.dedup();
        assert!(keys.len() >= 998, "1000 keys of 32 bits hardly ever meet");
    }

    #[test]
    fn the_seed_does_not_reach_a_log() {
        assert_eq!(format!("{:?}", MaskKeys::new([7; 32])), "MaskKeys { .. }");
    }
}
