//! Whose pages may ask: other web sites are kept out.
//!
//! Knows requests, neither logs nor users. Two fields decide, and both are there to stop *other web sites* from using a visitor's
//! browser against a server that only the visitor can reach:
//!
//! - `Host` must be a name we go by. A site that makes its own name resolve to our address (DNS rebinding) still says
//!   its own name here.
//! - `Origin`, when present, must be the site we are ourselves. "The |Origin| header field is used to protect against
//!   unauthorized cross-origin use of a WebSocket server by scripts using the WebSocket API in a web browser"
//!   (RFC 6455 §1.6). Programs that are not browsers send none.
//!
//! What changes something here (a message for a room, the start of a job) must pass one more: browsers send `Origin` with
//! such requests, but may leave it out for privacy's sake. `Sec-Fetch-Site`, which no page can forge, still says then whether
//! the request came from elsewhere (W3C Fetch Metadata). A program that is no browser, `curl` say, sends neither and may do
//! what it may see: whoever can run it can reach us anyway.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::http::Request;

/// The names we go by, and the sites whose pages may use us.
#[derive(Clone, Debug, Default)]
pub struct Sites {
    /// Host names beside the loopback ones, lower case.
    pub hosts: Vec<String>,
    /// Origins beside our own, as browsers write them: `https://example.org`.
    pub origins: Vec<String>,
    /// Whether any IP address is a good host. Only a name can be rebound, so this is safe; it is on when we listen
    /// beyond loopback, where people type addresses.
    pub any_address: bool,
}

/// Why a request was not let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The request was for a host that we are not.
    Host(String),
    /// The request came from another site's page.
    Origin(String),
    /// The request would change something, and came from a page that does not say of which site it is.
    Elsewhere,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => write!(
                f,
                "This server does not go by the name \"{host}\". If it should, start it with --allow-host {host}."
            ),
            Self::Origin(origin) => write!(
                f,
                "Pages of \"{origin}\" may not use this server. If they should, start it with --allow-origin {origin}."
            ),
            Self::Elsewhere => f.write_str("Pages of other sites may not change anything here."),
        }
    }
}

impl Sites {
    /// Lets `request` through or says why not. A request of HTTP/1.1 has exactly one `Host` by the time it gets here
    /// (RFC 9112 §3.2); one of HTTP/1.0 may have none, and then nobody was misled about who we are.
    ///
    /// # Errors
    /// [`Denied`], which names what was asked for, cleaned of anything that is not printable ASCII.
    pub fn check(&self, request: &Request) -> Result<(), Denied> {
        let host = request.host();
        if !host.is_empty() && !self.is_ours(host) {
            return Err(Denied::Host(printable(name_of(host))));
        }
        for origin in request.fields("origin") {
            if !self.may_use_us(origin, host) {
                return Err(Denied::Origin(printable(origin)));
            }
        }
        if changes_something(request)
            && request.fields("origin").next().is_none()
            && is_from_elsewhere(request)
        {
            return Err(Denied::Elsewhere);
        }
        Ok(())
    }

    fn is_ours(&self, host: &str) -> bool {
        let name = name_of(host).trim_end_matches('.').to_ascii_lowercase();
        if name == "localhost" || name.ends_with(".localhost") || self.hosts.contains(&name) {
            return true;
        }
        match address(&name) {
            Some(address) => self.any_address || address.to_canonical().is_loopback(),
            None => false,
        }
    }

    /// Our own origin is the scheme that the page came by, and our host. We cannot see the scheme (a proxy may speak
    /// TLS for us), so either goes; the host and port must be the ones of the request itself.
    fn may_use_us(&self, origin: &str, host: &str) -> bool {
        let own = [("http://", ":80"), ("https://", ":443")].iter().any(|(scheme, port)| {
            origin.strip_prefix(scheme).is_some_and(|authority| {
                let authority = authority.strip_suffix(port).unwrap_or(authority);
                let host = host.strip_suffix(port).unwrap_or(host);
                !authority.is_empty() && authority.eq_ignore_ascii_case(host)
            })
        });
        own || self.origins.iter().any(|listed| listed.eq_ignore_ascii_case(origin))
    }
}

/// Whether a request may do more than look: "the GET, HEAD, OPTIONS, and TRACE methods are defined to be safe" (RFC 9110
/// §9.2.1).
fn changes_something(request: &Request) -> bool {
    !matches!(request.method(), "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

/// Whether a browser says that neither a page of ours nor its user made this request.
fn is_from_elsewhere(request: &Request) -> bool {
    request.fields("sec-fetch-site").any(|site| !matches!(site, "same-origin" | "none"))
}

/// A `Host` value without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !is_bare_v6(host) => name,
        _ => host,
    }
}

fn is_bare_v6(host: &str) -> bool {
    !host.starts_with('[') && host.matches(':').count() > 1
}

fn address(name: &str) -> Option<IpAddr> {
    match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(v6) => v6.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => name.parse().ok(),
    }
}

/// What a peer wrote, fit for an answer or a terminal.
fn printable(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::RequestReader;

    fn asked(fields: &str) -> Request {
        let head = format!("GET / HTTP/1.1\r\n{fields}\r\n");
        RequestReader::new().receive(head.as_bytes()).unwrap().unwrap().0
    }

    fn verdict(sites: &Sites, fields: &str) -> Result<(), Denied> {
        sites.check(&asked(fields))
    }

    #[test]
    fn loopback_names_are_ours_whatever_the_port() {
        let sites = Sites::default();
        for host in [
            "localhost",
            "localhost:8080",
            "LOCALHOST.",
            "127.0.0.1:1",
            "127.8.9.1",
            "[::1]:80",
            "logs.localhost",
        ] {
            assert_eq!(verdict(&sites, &format!("Host: {host}\r\n")), Ok(()), "{host}");
        }
    }

    #[test]
    fn other_names_are_refused_by_name() {
        let sites = Sites::default();
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "192.168.1.5",
            "[::2]",
            "1",
        ] {
            let refused = verdict(&sites, &format!("Host: {host}\r\n"));
            assert!(matches!(refused, Err(Denied::Host(_))), "{host}: {refused:?}");
        }
    }

    #[test]
    fn configured_names_and_on_a_network_addresses_are_ours() {
        let sites = Sites { hosts: vec!["logs.example".into()], any_address: true, ..Sites::default() };
        for host in ["logs.example", "Logs.Example:8080", "192.168.1.5:8080", "[fe80::1]:8080"] {
            assert_eq!(verdict(&sites, &format!("Host: {host}\r\n")), Ok(()), "{host}");
        }
        assert!(verdict(&sites, "Host: example\r\n").is_err());
    }

    #[test]
    fn an_origin_must_be_the_host_itself_port_included() {
        let sites = Sites::default();
        let ask = |origin: &str| verdict(&sites, &format!("Host: localhost:8080\r\nOrigin: {origin}\r\n"));
        assert_eq!(ask("http://localhost:8080"), Ok(()));
        assert_eq!(ask("https://LOCALHOST:8080"), Ok(()));
        for other in [
            "http://localhost:8081",
            "http://localhost",
            "http://127.0.0.1:8080",
            "null",
            "http://",
            "ftp://localhost:8080",
        ] {
            assert!(matches!(ask(other), Err(Denied::Origin(_))), "{other}");
        }
        assert_eq!(verdict(&sites, "Host: localhost:80\r\nOrigin: http://localhost\r\n"), Ok(()));
    }

    #[test]
    fn every_origin_of_several_must_pass() {
        let sites = Sites::default();
        let fields = "Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://evil.example\r\n";
        assert!(verdict(&sites, fields).is_err());
    }

    #[test]
    fn what_changes_something_must_not_come_from_elsewhere_without_an_origin() {
        let sites = Sites::default();
        let ask = |method: &str, fields: &str| {
            let head = format!("{method} / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
            sites.check(&RequestReader::new().receive(head.as_bytes()).unwrap().unwrap().0)
        };
        for method in ["POST", "DELETE", "PUT", "PATCH", "post", "X"] {
            assert_eq!(ask(method, ""), Ok(()), "{method}: a program sends neither");
            assert_eq!(ask(method, "Sec-Fetch-Site: same-origin\r\n"), Ok(()), "{method}");
            for site in ["cross-site", "same-site", "", "Same-Origin", "\u{e9}"] {
                let fields = format!("Sec-Fetch-Site: {site}\r\n");
                assert_eq!(ask(method, &fields), Err(Denied::Elsewhere), "{method} {site}");
                let own = format!("{fields}Origin: http://localhost\r\n");
                assert_eq!(ask(method, &own), Ok(()), "{method} {site}: the origin counts more");
                let null = format!("{fields}Origin: null\r\n");
                assert_eq!(ask(method, &null), Err(Denied::Origin("null".to_owned())), "{method} {site}");
            }
            let both = "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n";
            assert_eq!(ask(method, both), Err(Denied::Elsewhere), "{method}");
        }
        assert_eq!(ask("GET", "Sec-Fetch-Site: cross-site\r\n"), Ok(()), "a link from another site");
    }

    #[test]
    fn listed_origins_may_use_us() {
        let sites = Sites { origins: vec!["https://portal.example".into()], ..Sites::default() };
        assert_eq!(verdict(&sites, "Host: localhost\r\nOrigin: https://portal.example\r\n"), Ok(()));
        assert!(verdict(&sites, "Host: localhost\r\nOrigin: https://portal.example:444\r\n").is_err());
    }
}
