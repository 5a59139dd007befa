//! What a request points at: the forms of a target, and what their characters stand for (RFC 9112 §3.2, RFC 3986).
//!
//! Knows text only: no request, no file.

/// The target's authority, if it is in absolute form, and its path and query.
pub(super) fn split(target: &str) -> (Option<&str>, &str) {
    let Some(rest) = ["http://", "https://"].iter().find_map(|scheme| {
        let start = target.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| &target[scheme.len()..])
    }) else {
        return (None, target);
    };
    match rest.find(['/', '?']) {
        Some(at) if rest[at..].starts_with('/') => (Some(&rest[..at]), &rest[at..]),
        // "If the target URI's path component is empty, the client MUST send "/" as the path" (RFC 9112 §3.2.1): a
        // query straight behind the authority is a path to nowhere, and is refused as one.
        Some(at) => (Some(&rest[..at]), ""),
        // No path at all is common enough.
        None => (Some(rest), "/"),
    }
}

/// `Host = uri-host [ ":" port ]` (RFC 9110 §7.2), where the host is a name, an IPv4 address or an IPv6 address in
/// brackets (RFC 3986 §3.2.2), and may be empty. No user name may stand before it.
pub(super) fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((address, port))) => {
            if address.parse::<core::net::Ipv6Addr>().is_err() {
                return false;
            }
            ("", port)
        }
        Some(None) => return false,
        None => text.find(':').map_or((text, ""), |at| text.split_at(at)),
    };
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte);
    let port = if port.is_empty() { Some("") } else { port.strip_prefix(':') };
    host.bytes().all(in_name) && port.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// All values of `name` in pairs as forms and queries have them, decoded; `None` for one that does not decode to text.
pub(super) fn values(pairs: &str, name: &str) -> impl Iterator<Item = Option<String>> {
    let pairs = pairs.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let named = pairs.filter(move |(other, _)| decode(other, true).as_deref() == Some(name));
    named.map(|(_, value)| decode(value, true))
}

/// Undoes percent-encoding (RFC 3986 §2.1), and in a form also `+` for a space.
pub(super) fn decode(text: &str, form: bool) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        let (byte, after) = match rest {
            [] => break,
            [b'%', high, low, after @ ..] => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                (u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?, after)
            }
            [b'%', ..] => return None,
            [b'+', after @ ..] if form => (b' ', after),
            [byte, after @ ..] => (*byte, after),
        };
        decoded.push(byte);
        rest = after;
    }
    if decoded.contains(&0) { None } else { String::from_utf8(decoded).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_may_name_its_host() {
        assert_eq!(split("/a?b"), (None, "/a?b"));
        assert_eq!(split("http://h:80/a?b"), (Some("h:80"), "/a?b"));
        assert_eq!(split("HTTPS://h"), (Some("h"), "/"));
        assert_eq!(split("http://h?b"), (Some("h"), ""));
        assert_eq!(split("httq://h/"), (None, "httq://h/"));
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for good in ["", "a", "a.b-c_d:80", "127.0.0.1:8080", "[::1]", "[::1]:80", "a:", "xn--a%20b"] {
            assert!(is_host(good), "{good}");
        }
        let bad = [
            "a b",
            "a,b c",
            "a:8o",
            "a:1:2",
            "[::1",
            "[::1]80",
            "[a]",
            "user@host",
            "a/b",
            "h\u{f6}st",
            "[]",
        ];
        for bad in bad {
            assert!(!is_host(bad), "{bad}");
        }
    }

    #[test]
    fn an_escape_is_two_digits_and_hides_neither_nul_nor_half_a_character() {
        assert_eq!(decode("a%20b+c%2f%C3%a9", false).as_deref(), Some("a b+c/\u{e9}"));
        assert_eq!(decode("a+b%2B", true).as_deref(), Some("a b+"));
        for bad in ["%", "%4", "%4g", "%+1", "%00", "%C3", "%c3%28", "\0"] {
            assert_eq!(decode(bad, false), None, "{bad}");
        }
    }
}
