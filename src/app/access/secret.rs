//! Secrets that nobody can guess, and what is kept of them: a fingerprint, from which they cannot be read back.
//!
//! Knows bytes; not what they open.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Bytes from the system's generator.
///
/// # Panics
/// If the system gives none: nothing that needs them can go on then.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("the system gives no random bytes: {error}"),
        }
    }
    bytes
}

/// 256 random bits, as letters, digits, `-` and `_`. It is shown to whom it belongs, once, and not kept.
pub struct Secret(String);

impl Secret {
    /// A new one.
    pub fn new() -> Self {
        Self(URL_SAFE_NO_PAD.encode(random::<32>()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Secret {
    fn default() -> Self {
        Self::new()
    }
}

/// What is kept of a secret: its SHA-256. Of 256 random bits that is as good as nothing to whoever reads it; for passwords,
/// which can be guessed, there is [`Password`](super::password::Password).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// That of `secret`.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = ();

    /// 64 hexadecimal digits, as `sha256sum` writes them.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut bytes = [0; 32];
        let digits = text.as_bytes();
        if digits.len() != 2 * bytes.len() {
            return Err(());
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16).ok_or(());
            *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).map_err(|_| ())?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_sha_256_in_hexadecimal() {
        // FIPS 180-4, the example of one block.
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Fingerprint::of("abc").to_string(), hex);
        assert_eq!(hex.parse(), Ok(Fingerprint::of("abc")));
        assert_eq!(hex.to_uppercase().parse(), Ok(Fingerprint::of("abc")));
        for bad in ["", &hex[1..], &format!("{hex}0"), &hex.replace('b', "x"), &"é".repeat(32)] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(()), "{bad}");
        }
    }

    #[test]
    fn no_secret_is_like_another() {
        let (one, other) = (Secret::new(), Secret::new());
        assert_ne!(one.as_str(), other.as_str());
        assert_eq!(one.as_str().len(), 43);
        assert!(one.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }
}
