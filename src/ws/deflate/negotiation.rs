//! What both sides agree on before the first compressed message (RFC 7692 §5 and §7.1).
//!
//! Pure text: reads and writes the parameters of `Sec-WebSocket-Extensions`. Does not know DEFLATE.
//!
//! ```text
//!   client: permessage-deflate; client_max_window_bits, permessage-deflate; server_no_context_takeover
//!           '---------------- one offer --------------'  '-------- another, liked less ------------'
//!   server: permessage-deflate; client_max_window_bits=12
//!           '------- its answer to one of them --------'
//! ```

use std::fmt;

use crate::ws::handshake::Extension;

/// The name that is registered for the extension.
pub const NAME: &str = "permessage-deflate";

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// How far back a compressor may refer: 2 to the power of this, in bytes. From 8 (256 bytes) to 15 (32 KiB).
///
/// ```
/// use wiretail::ws::deflate::WindowBits;
///
/// let window = WindowBits::new(10).expect("8 to 15");
/// assert_eq!(1 << window.bits(), 1024);
/// assert_eq!(WindowBits::new(16), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WindowBits(u8);

impl WindowBits {
    /// 256 bytes.
    pub const LEAST: Self = Self(8);
    /// 32 KiB, as far as DEFLATE reaches.
    pub const MOST: Self = Self(15);

    /// The window of that many bits, if there is one.
    pub const fn new(bits: u8) -> Option<Self> {
        match bits {
            8..=15 => Some(Self(bits)),
            _ => None,
        }
    }

    /// The number of bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// "a decimal integer value without leading zeroes between 8 to 15, inclusive" (§7.1.2.1).
    fn parse(text: &str) -> Option<Self> {
        (8..=15).find(|bits: &u8| bits.to_string() == text).map(Self)
    }
}

/// The four parameters of the extension (§7.1): as one side wishes them, or as both have agreed.
///
/// A client offers, a server chooses among the offers and answers, the client reads the answer; in the end both hold the
/// same parameters:
///
/// ```
/// use wiretail::ws::deflate::{Parameters, WindowBits};
/// use wiretail::ws::handshake::extensions;
///
/// // The client takes whatever it is sent; a window of its own it can limit, if the server asks for that.
/// let offered = Parameters::default();
/// assert_eq!(offered.offer(), "permessage-deflate; client_max_window_bits");
///
/// // The server will not keep a window for what it sends, and keeps 4 KiB for what it receives.
/// let wish = Parameters {
///     server_no_context_takeover: true,
///     client_max_window_bits: WindowBits::new(12).expect("8 to 15"),
///     ..Parameters::default()
/// };
/// let offers = extensions::parse([offered.offer().as_str()].into_iter()).expect("it is well-formed");
/// let agreed = wish.choose(&offers).expect("an acceptable offer");
/// let field = agreed.answer(&offers);
/// assert_eq!(field, "permessage-deflate; server_no_context_takeover; client_max_window_bits=12");
///
/// let answer = extensions::parse([field.as_str()].into_iter()).expect("it is well-formed");
/// assert_eq!(offered.understand(&answer), Ok(Some(agreed)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// The server's messages do not refer to its earlier ones.
    pub server_no_context_takeover: bool,
    /// The client's messages do not refer to its earlier ones.
    pub client_no_context_takeover: bool,
    /// How far back the server may refer.
    pub server_max_window_bits: WindowBits,
    /// How far back the client may refer.
    pub client_max_window_bits: WindowBits,
}

impl Default for Parameters {
    /// The best compression: each side goes on with the context of its earlier messages, in the largest window.
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: WindowBits::MOST,
            client_max_window_bits: WindowBits::MOST,
        }
    }
}

impl Parameters {
    /// Every message for itself: neither side keeps anything between two messages, and what a server has compressed
    /// once can be sent to many.
    ///
    /// ```
    /// use wiretail::ws::deflate::{Parameters, WindowBits};
    ///
    /// let wish = Parameters::without_context();
    /// assert!(wish.server_no_context_takeover && wish.client_no_context_takeover);
    /// assert_eq!(wish.server_max_window_bits, WindowBits::MOST); // a window within each message
    /// ```
    pub fn without_context() -> Self {
        Self { server_no_context_takeover: true, client_no_context_takeover: true, ..Self::default() }
    }

    /// The server's choice: `self` as far as the first acceptable one of the client's `offers` allows. `None` if it
    /// declines them all, and the connection goes on without compression.
    ///
    /// "A server MUST decline an extension negotiation offer for this extension" that has an unknown parameter, an
    /// invalid value, or the same parameter twice (§7.1). Unknown extensions are passed over.
    ///
    /// ```
    /// use wiretail::ws::deflate::Parameters;
    /// use wiretail::ws::handshake::extensions;
    ///
    /// // The first offer asks for a window that does not exist, and is passed over; the second will do.
    /// let field = "permessage-deflate; server_max_window_bits=99, permessage-deflate; server_max_window_bits=10";
    /// let offers = extensions::parse([field].into_iter()).expect("it is well-formed");
    /// let agreed = Parameters::default().choose(&offers).expect("the second one");
    /// assert_eq!(agreed.answer(&offers), "permessage-deflate; server_max_window_bits=10");
    /// assert_eq!(Parameters::default().choose(&offers[..1]), None);
    /// ```
    pub fn choose(&self, offers: &[Extension]) -> Option<Self> {
        acceptable(offers).map(|asked| self.accept(&asked))
    }

    fn accept(&self, asked: &Asked) -> Self {
        Self {
            // "A server accepts [...] by including the "server_no_context_takeover" extension parameter in the
            // corresponding extension negotiation response" (§7.1.1.1), and may do so unasked.
            server_no_context_takeover: self.server_no_context_takeover || asked.server_no_context_takeover,
            // From a client, a hint that it will not use it anyway; from a server, an order (§7.1.1.2). Taking the
            // hint costs the client nothing and saves us its window.
            client_no_context_takeover: self.client_no_context_takeover || asked.client_no_context_takeover,
            // "By including this parameter, a client limits the LZ77 sliding window size that the server will use"
            // (§7.1.2.1)
            server_max_window_bits: match asked.server_max_window_bits {
                Some(Bits::Value(most)) => self.server_max_window_bits.min(most),
                Some(Bits::NoValue) | None => self.server_max_window_bits,
            },
            // "If a received extension negotiation offer doesn't have the "client_max_window_bits" extension parameter,
            // the corresponding extension negotiation response to the offer MUST NOT include" it (§7.1.2.2).
            client_max_window_bits: match asked.client_max_window_bits {
                Some(Bits::Value(most)) => self.client_max_window_bits.min(most),
                Some(Bits::NoValue) => self.client_max_window_bits,
                None => WindowBits::MOST,
            },
        }
    }

    /// The server's answer to the `offers` from which these parameters were [chosen](Self::choose), as it stands in the
    /// field.
    pub fn answer(&self, offers: &[Extension]) -> String {
        let mut text = NAME.to_owned();
        self.write_flags(&mut text);
        // "A server accepts an extension negotiation offer with this parameter by including the
        // "server_max_window_bits" extension parameter in the corresponding extension negotiation response" (§7.1.2.1):
        // also where it limits nothing.
        match acceptable(offers).and_then(|asked| asked.server_max_window_bits) {
            Some(_) => text += &format!("; {SERVER_MAX_WINDOW_BITS}={}", self.server_max_window_bits.bits()),
            None => write_bits(&mut text, SERVER_MAX_WINDOW_BITS, self.server_max_window_bits),
        }
        write_bits(&mut text, CLIENT_MAX_WINDOW_BITS, self.client_max_window_bits);
        text
    }

    /// The client's offer, as it stands in the field. It always allows the server to limit the client's window.
    pub fn offer(&self) -> String {
        let mut text = NAME.to_owned();
        self.write_flags(&mut text);
        write_bits(&mut text, SERVER_MAX_WINDOW_BITS, self.server_max_window_bits);
        if self.client_max_window_bits == WindowBits::MOST {
            text += "; ";
            text += CLIENT_MAX_WINDOW_BITS;
        } else {
            write_bits(&mut text, CLIENT_MAX_WINDOW_BITS, self.client_max_window_bits);
        }
        text
    }

    fn write_flags(&self, text: &mut String) {
        for (set, name) in [
            (self.server_no_context_takeover, SERVER_NO_CONTEXT_TAKEOVER),
            (self.client_no_context_takeover, CLIENT_NO_CONTEXT_TAKEOVER),
        ] {
            if set {
                text.push_str("; ");
                text.push_str(name);
            }
        }
    }

    /// What the server's `answer` to our offer of `self` means: what is agreed on, or `None` if it declined.
    ///
    /// # Errors
    /// "A client MUST _Fail the WebSocket Connection_ if the peer server accepted an extension negotiation offer for
    /// this extension with an extension negotiation response" that has an unknown parameter, one that this offer does
    /// not allow, an invalid value, or the same one twice (§7.1). Nor may the answer name what was not offered
    /// (RFC 6455 §4.1).
    ///
    /// ```
    /// use wiretail::ws::deflate::{BadAnswer, Parameters};
    /// use wiretail::ws::handshake::extensions;
    ///
    /// let offered = Parameters { server_no_context_takeover: true, ..Parameters::default() };
    /// assert_eq!(offered.understand(&[]), Ok(None)); // declined, which is the server's right
    ///
    /// // It must not agree and leave out what it was asked for.
    /// let answer = extensions::parse(["permessage-deflate"].into_iter()).expect("it is well-formed");
    /// assert_eq!(offered.understand(&answer), Err(BadAnswer));
    /// ```
    pub fn understand(&self, answer: &[Extension]) -> Result<Option<Self>, BadAnswer> {
        let accepted = match answer {
            [] => return Ok(None),
            [accepted] if accepted.name == NAME => Asked::read(accepted)?,
            _ => return Err(BadAnswer),
        };
        let server_max_window_bits = match accepted.server_max_window_bits {
            // "[...] with a value equal to or smaller than" that of the offer (§7.1.2.1)
            Some(Bits::Value(bits)) if bits <= self.server_max_window_bits => bits,
            None if self.server_max_window_bits == WindowBits::MOST => WindowBits::MOST,
            _ => return Err(BadAnswer),
        };
        let client_max_window_bits = match accepted.client_max_window_bits {
            Some(Bits::Value(bits)) if bits <= self.client_max_window_bits => bits,
            // Without an order we still keep to what we said of ourselves.
            None => self.client_max_window_bits,
            _ => return Err(BadAnswer),
        };
        if self.server_no_context_takeover && !accepted.server_no_context_takeover {
            return Err(BadAnswer);
        }
        Ok(Some(Self {
            server_no_context_takeover: accepted.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover
                || accepted.client_no_context_takeover,
            server_max_window_bits,
            client_max_window_bits,
        }))
    }
}

/// The first of a client's `offers` that a server may accept.
fn acceptable(offers: &[Extension]) -> Option<Asked> {
    let ours = offers.iter().filter(|offer| offer.name == NAME);
    // Of the server's window, "This parameter in an extension negotiation offer has [...] a value" (§7.1.2.1).
    ours.filter_map(|offer| Asked::read(offer).ok())
        .find(|asked| !matches!(asked.server_max_window_bits, Some(Bits::NoValue)))
}

/// The largest window need not be mentioned.
fn write_bits(text: &mut String, name: &str, bits: WindowBits) {
    if bits < WindowBits::MOST {
        *text += &format!("; {name}={}", bits.bits());
    }
}

/// The server's answer does not fit what was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadAnswer;

impl fmt::Display for BadAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer to permessage-deflate does not fit the offer")
    }
}

impl std::error::Error for BadAnswer {}

/// The parameters of one offer or answer, as they are written.
#[derive(Default)]
struct Asked {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<Bits>,
    client_max_window_bits: Option<Bits>,
}

enum Bits {
    NoValue,
    Value(WindowBits),
}

impl Asked {
    /// Reads the parameters; anything that §7.1 does not define is an error, and so is anything said twice.
    fn read(extension: &Extension) -> Result<Self, BadAnswer> {
        let mut asked = Self::default();
        for (name, value) in &extension.parameters {
            let value = value.as_deref();
            let fresh = match name.as_str() {
                SERVER_NO_CONTEXT_TAKEOVER => set_flag(&mut asked.server_no_context_takeover, value),
                CLIENT_NO_CONTEXT_TAKEOVER => set_flag(&mut asked.client_no_context_takeover, value),
                SERVER_MAX_WINDOW_BITS => set_bits(&mut asked.server_max_window_bits, value),
                CLIENT_MAX_WINDOW_BITS => set_bits(&mut asked.client_max_window_bits, value),
                _ => false,
            };
            if !fresh {
                return Err(BadAnswer);
            }
        }
        Ok(asked)
    }
}

/// Whether the parameter may stand like this: once, and without a value (§7.1.1).
fn set_flag(flag: &mut bool, value: Option<&str>) -> bool {
    !std::mem::replace(flag, true) && value.is_none()
}

/// Whether the parameter may stand like this: once, and with a valid value if any (§7.1.2).
fn set_bits(bits: &mut Option<Bits>, value: Option<&str>) -> bool {
    let parsed = match value {
        None => Bits::NoValue,
        Some(text) => match WindowBits::parse(text) {
            Some(bits) => Bits::Value(bits),
            None => return false,
        },
    };
    bits.replace(parsed).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ws::handshake::extensions;

    fn read(line: &str) -> Vec<Extension> {
        if line.is_empty() { Vec::new() } else { extensions::parse([line].into_iter()).unwrap() }
    }

    /// What a server with that wish answers to `offers`; "" if it declines.
    fn answer(wish: Parameters, offers: &str) -> String {
        let offers = read(offers);
        wish.choose(&offers).map(|agreed| agreed.answer(&offers)).unwrap_or_default()
    }

    fn bits(bits: u8) -> WindowBits {
        WindowBits::new(bits).unwrap()
    }

    #[test]
    fn s7_1_3_the_examples_of_the_rfc() {
        let any = Parameters::default();
        assert_eq!(answer(any, "permessage-deflate"), "permessage-deflate");
        let fallback = "permessage-deflate; client_max_window_bits; server_max_window_bits=10, \
                        permessage-deflate; client_max_window_bits";
        assert_eq!(answer(any, fallback), "permessage-deflate; server_max_window_bits=10");
    }

    #[test]
    fn a_server_gives_what_is_asked_of_it_and_asks_what_it_wishes() {
        let any = Parameters::default();
        let frugal = Parameters::without_context();
        let small = Parameters { server_max_window_bits: bits(11), client_max_window_bits: bits(10), ..any };
        for (wish, offer, expected) in [
            (any, "; server_no_context_takeover", "; server_no_context_takeover"),
            (any, "; client_no_context_takeover", "; client_no_context_takeover"),
            (any, "; client_max_window_bits", ""),
            (any, "; client_max_window_bits=12", "; client_max_window_bits=12"),
            (any, "; server_max_window_bits=8", "; server_max_window_bits=8"),
            (any, "; server_max_window_bits=\"9\"", "; server_max_window_bits=9"),
            (any, "; server_max_window_bits=15", "; server_max_window_bits=15"),
            (frugal, "", "; server_no_context_takeover; client_no_context_takeover"),
            (small, "", "; server_max_window_bits=11"),
            (small, "; client_max_window_bits", "; server_max_window_bits=11; client_max_window_bits=10"),
            (
                small,
                "; client_max_window_bits=9; server_max_window_bits=12",
                "; server_max_window_bits=11; client_max_window_bits=9",
            ),
        ] {
            assert_eq!(answer(wish, &format!("{NAME}{offer}")), format!("{NAME}{expected}"), "{offer}");
        }
    }

    #[test]
    fn s7_1_offers_that_are_not_understood_are_declined_and_the_next_is_tried() {
        let any = Parameters::default();
        for bad in [
            "; unknown",
            "; server_no_context_takeover=1",
            "; client_no_context_takeover; client_no_context_takeover",
            "; server_max_window_bits",
            "; server_max_window_bits=7",
            "; server_max_window_bits=16",
            "; server_max_window_bits=09",
            "; server_max_window_bits=010",
            "; server_max_window_bits=+9",
            "; server_max_window_bits=10; server_max_window_bits=10",
            "; client_max_window_bits; client_max_window_bits=10",
            "; client_max_window_bits=ten",
        ] {
            assert_eq!(answer(any, &format!("{NAME}{bad}")), "", "{bad}");
            assert_eq!(answer(any, &format!("{NAME}{bad}, {NAME}")), NAME, "{bad}");
        }
        assert_eq!(answer(any, ""), "");
        assert_eq!(answer(any, "constructor, x-webkit-deflate-frame, permessage-bzip2"), "");
    }

    #[test]
    fn a_client_offers_what_it_wishes() {
        assert_eq!(Parameters::default().offer(), "permessage-deflate; client_max_window_bits");
        let wish = Parameters {
            server_no_context_takeover: true,
            server_max_window_bits: bits(9),
            client_max_window_bits: bits(12),
            ..Parameters::default()
        };
        assert_eq!(
            wish.offer(),
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=9; client_max_window_bits=12"
        );
    }

    #[test]
    fn our_client_understands_every_answer_of_our_server() {
        let wishes = || {
            (0..16).flat_map(|flags| {
                [8, 9, 12, 15].map(|window| Parameters {
                    server_no_context_takeover: flags & 1 != 0,
                    client_no_context_takeover: flags & 2 != 0,
                    server_max_window_bits: if flags & 4 != 0 { bits(window) } else { WindowBits::MOST },
                    client_max_window_bits: if flags & 8 != 0 { bits(window) } else { WindowBits::MOST },
                })
            })
        };
        for (server, client) in wishes().flat_map(|server| wishes().map(move |client| (server, client))) {
            let offers = read(&client.offer());
            let agreed = server.choose(&offers).expect("nothing in it is to be declined");
            let answer = read(&agreed.answer(&offers));
            assert_eq!(client.understand(&answer), Ok(Some(agreed)), "{server:?} {client:?}");
        }
    }

    #[test]
    fn s7_1_an_answer_that_does_not_fit_the_offer_fails_the_connection() {
        let any = Parameters::default();
        let strict = Parameters {
            server_no_context_takeover: true,
            server_max_window_bits: bits(10),
            client_max_window_bits: bits(10),
            ..any
        };
        let right = "permessage-deflate; server_no_context_takeover; server_max_window_bits=10";
        assert!(strict.understand(&read(right)).is_ok());
        for (wish, answer) in [
            (any, "permessage-bzip2"),
            (any, "permessage-deflate, permessage-deflate"),
            (any, "permessage-deflate; unknown"),
            (any, "permessage-deflate; client_max_window_bits"),
            (any, "permessage-deflate; server_max_window_bits"),
            (any, "permessage-deflate; server_max_window_bits=16"),
            (any, "permessage-deflate; server_no_context_takeover; server_no_context_takeover"),
            (strict, "permessage-deflate; server_max_window_bits=10"),
            (strict, "permessage-deflate; server_no_context_takeover"),
            (strict, "permessage-deflate; server_no_context_takeover; server_max_window_bits=11"),
            (strict, &format!("{right}; client_max_window_bits=11")),
        ] {
            assert_eq!(wish.understand(&read(answer)), Err(BadAnswer), "{answer}");
        }
        assert_eq!(any.understand(&[]), Ok(None), "declining is the server's right");
    }
}
