//! Where a log is served, as people write it: the address of the stream, or that of the page.

use std::collections::HashSet;

use super::token::Token;
use crate::cli::CliError;

/// Where the server is, taken from the URL.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// As in `Host`: name and perhaps port.
    pub(super) authority: String,
    /// Name and port to connect to.
    pub(super) address: (String, u16),
    /// The path, as typed.
    pub(super) path: String,
    /// What says there who asks.
    pub(super) token: Option<Token>,
}

impl Target {
    /// What the log is called on its server.
    pub(super) fn name(&self) -> String {
        let (_, name) = self.path.split_once("/tail/").unwrap_or(("", &self.path));
        let mut bytes = Vec::with_capacity(name.len());
        let mut rest = name.as_bytes();
        while let [first, more @ ..] = rest {
            let hex = more.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
            let decoded = hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
            bytes.push(decoded.unwrap_or(*first));
            rest = if decoded.is_some() { &more[2..] } else { more };
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Their names, with the servers in front where two would be the same.
    pub(super) fn names(targets: &[Self]) -> Vec<String> {
        let short: Vec<String> = targets.iter().map(Self::name).collect();
        let differ = short.iter().collect::<HashSet<_>>().len() == short.len();
        let long = targets.iter().zip(&short).map(|(target, name)| format!("{}/{name}", target.authority));
        if differ { short } else { long.collect() }
    }
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, CliError> {
        let wrong = |why: &str| CliError::Usage(format!("{url}: {why}"));
        let rest = match url.split_once("://") {
            Some(("http" | "ws", rest)) => rest,
            Some(("https" | "wss", _)) => {
                return Err(wrong("TLS is not spoken yet; ask a server or a tunnel that speaks plain HTTP."));
            }
            Some(_) => return Err(wrong("a URL begins with http:// or ws://.")),
            None => url,
        };
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (path, fragment) = path.split_once('#').unwrap_or((path, ""));
        if path.contains('?') {
            return Err(wrong(
                "what stands behind the ? is said by --lines, --from, --grep and their like here.",
            ));
        }
        // The page's own address, as it is copied from a browser: http://127.0.0.1:8080/#/app.log
        let path = match fragment.strip_prefix('/') {
            Some(name) if path.ends_with('/') => format!("{path}tail/{name}"),
            _ if fragment.is_empty() => path.to_owned(),
            _ => return Err(wrong("a # in a log's name is written as %23.")),
        };
        if !path.contains("/tail/") || path.ends_with("/tail/") {
            return Err(wrong(
                "the URL must name a log, as http://127.0.0.1:8080/tail/app.log; the page lists their names.",
            ));
        }
        let path = path.bytes().fold(String::new(), |path, byte| match byte {
            b'!'..=b'~' => path + char::from(byte).encode_utf8(&mut [0; 4]),
            _ => path + &format!("%{byte:02X}"),
        });
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| wrong("the port is no number."))?)
            }
            _ => (authority, 80),
        };
        if host.is_empty()
            || !authority.bytes().all(|byte| byte.is_ascii_graphic())
            || authority.contains('@')
        {
            return Err(wrong("the URL names no host."));
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { authority: authority.to_owned(), address: (host, port), path, token: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_host_and_a_log() {
        let target = Target::parse("http://localhost:8080/logs/tail/a/b%20c").unwrap();
        assert_eq!(target.address, ("localhost".to_owned(), 8080));
        assert_eq!(target.path, "/logs/tail/a/b%20c");
        assert_eq!(Target::parse("http://h/tail/a b日").unwrap().path, "/tail/a%20b%E6%97%A5", "as typed");
        assert_eq!(
            (target.name(), Target::parse("h/tail/%zz%E6%97%A5%").unwrap().name()),
            ("a/b c".into(), "%zz日%".into())
        );
        let page = Target::parse("http://h/logs/#/a/b%20c").unwrap();
        assert_eq!(page.path, "/logs/tail/a/b%20c", "the page's own address");
        assert_eq!(Target::parse("ws://[::1]:90/tail/x").unwrap().address, ("::1".to_owned(), 90));
        assert_eq!(Target::parse("[::1]/tail/x").unwrap().address, ("::1".to_owned(), 80));
        for bad in [
            "",
            "http://",
            "http://h/",
            "http://h/tail/",
            "https://h/tail/x",
            "ftp://h/tail/x",
            "http://h:x/tail/y",
            "http:///tail/x",
            "http://h/tail/x?lines=5",
            "http://h/tail/a#b",
            "http://h/#/",
            "http://u@h/tail/x",
        ] {
            assert!(Target::parse(bad).is_err(), "{bad}");
        }
    }
}
