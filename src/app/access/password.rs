//! Passwords, as they are kept: argon2id (RFC 9106) in the form of the PHC, `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.
//!
//! Whoever reads that has to guess, and each guess takes memory and time. So does each look whether a password is right:
//! it is for the [verifier](super::verifier) to ask, not for the loop.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params};

use super::secret::random;

/// A hash may ask for so many KiB of memory, and so many passes over them, at most: nobody waits long for one look.
const MOST_MEMORY: u32 = 1 << 20;
const MOST_PASSES: u32 = 32;
/// A password has at most so many bytes. The form it comes by has room for no more than that.
pub const LONGEST: usize = 1024;

/// What is kept of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(PasswordHash);

/// It says nothing: logs are for everybody.
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// As it is written into a configuration.
impl fmt::Display for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Password {
    /// What is to be kept of `password`, with a salt of its own, at the cost that OWASP recommends: 19 MiB, two passes.
    ///
    /// # Errors
    /// A sentence, if it is empty or too long.
    pub fn of(password: &str) -> Result<Self, String> {
        if password.is_empty() {
            return Err("a password needs characters".to_owned());
        }
        if password.len() > LONGEST {
            return Err(format!("a password has at most {LONGEST} bytes"));
        }
        let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &random::<16>());
        hash.map(Self).map_err(|error| format!("it cannot be hashed: {error}"))
    }

    /// What is written in a configuration.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("{why}; `wiretail hash-password` makes one");
        let hash = PasswordHash::new(text)
            .map_err(|_| wrong("this is no password hash, which begins with $argon2id$"))?;
        if hash.algorithm != argon2::ARGON2ID_IDENT || hash.version != Some(19) {
            return Err(wrong("only hashes by argon2id are understood, of version 19"));
        }
        let Ok(params) = Params::try_from(&hash) else {
            return Err(wrong("its m=, t= and p= cannot be understood"));
        };
        if hash.salt.is_none() || hash.hash.as_ref().is_none_or(|hash| hash.len() < 16) {
            return Err(wrong("its salt or the hash itself is missing or too short"));
        }
        if params.m_cost() > MOST_MEMORY || params.t_cost() > MOST_PASSES {
            return Err(wrong(&format!(
                "to look at a password would take too long; at most m={MOST_MEMORY} and t={MOST_PASSES} are taken"
            )));
        }
        Ok(Self(hash))
    }

    /// Whether this is the password. Takes tens of milliseconds and the memory that the hash says, always the same.
    pub fn is(&self, password: &str) -> bool {
        Argon2::default().verify_password(password.as_bytes(), &self.0).is_ok()
    }

    /// What to look at for a name that nobody has, so that it takes as long: like this one, and no password is it.
    #[must_use]
    pub fn stand_in(&self) -> Self {
        let mut hash = self.0.clone();
        let output = hash.hash.as_ref().and_then(|hash| {
            let other: Vec<u8> = random::<64>().into_iter().take(hash.len()).collect();
            argon2::password_hash::phc::Output::new(&other).ok()
        });
        hash.hash = output.or(hash.hash);
        Self(hash)
    }

    /// How much work a look is.
    pub fn cost(&self) -> u64 {
        Params::try_from(&self.0).map_or(0, |params| u64::from(params.m_cost()) * u64::from(params.t_cost()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the `argon2` of its authors: `printf %s password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32 -e`.
    const FOREIGN: &str =
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    #[test]
    fn hashes_of_other_programs_are_understood() {
        let password = Password::parse(FOREIGN).unwrap();
        assert!(password.is("password"));
        assert!(!password.is("Password") && !password.is(""));
        assert_eq!(password.to_string(), FOREIGN);
    }

    #[test]
    fn what_is_kept_says_whether_it_is_the_password_and_is_another_each_time() {
        let (one, other) = (Password::of("a\u{e9} b").unwrap(), Password::of("a\u{e9} b").unwrap());
        assert_ne!(one.to_string(), other.to_string());
        assert!(one.is("a\u{e9} b") && !one.is("a\u{e9} b "));
        assert_eq!(Password::parse(&one.to_string()).as_ref(), Ok(&one));
        assert!(one.to_string().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(Password::of("").is_err() && Password::of(&"x".repeat(LONGEST + 1)).is_err());
    }

    #[test]
    fn a_stand_in_costs_as_much_and_is_nobodys() {
        let password = Password::parse(FOREIGN).unwrap();
        let stand_in = password.stand_in();
        assert_eq!(stand_in.cost(), password.cost());
        assert!(!stand_in.is("password"));
    }

    #[test]
    fn what_is_no_hash_or_too_dear_is_refused_with_a_sentence() {
        let cut = (0..FOREIGN.len()).map(|len| FOREIGN[..len].to_owned());
        // Some base64 characters short, it is still one; of fewer than 16 bytes it is none.
        for bad in cut.take_while(|cut| cut.len() < FOREIGN.len() - 22) {
            assert!(Password::parse(&bad).is_err(), "{bad}");
        }
        for (bad, said) in [
            ("secret".to_owned(), "this is no password hash"),
            ("$2b$12$EXRkfkdmXn2gzds2SSitu.MW9.gAVqa9eLS1//RYtYCmB1eLHg.9q".to_owned(), "no password hash"),
            (FOREIGN.replace("argon2id", "argon2i"), "only hashes by argon2id"),
            (FOREIGN.replace("m=65536", "m=4294967295"), "would take too long"),
            (FOREIGN.replace("t=2", "t=1000"), "would take too long"),
            (FOREIGN.replace("m=65536", "x=1"), "m=, t= and p="),
        ] {
            let why = Password::parse(&bad).unwrap_err();
            assert!(why.contains(said) && why.contains("hash-password"), "{bad}: {why}");
        }
    }
}
