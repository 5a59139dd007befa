//! The page where one logs in, and what its form says. It is made here, in the language that the browser asks for, and
//! needs no script.
//!
//! Knows requests and words; not users, nor whether a password is right.

use super::password::LONGEST;
use crate::http::{Request, Response, Status, pages};

/// A name is no longer than that, whoever's it is.
const LONGEST_NAME: usize = 128;

/// The languages of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Chinese, in simplified characters.
    Chinese,
}

/// What the page has to say beside its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// That one has just logged out.
    LoggedOut,
    /// That the session is over.
    Over,
    /// The name or the password.
    Wrong,
    /// It can be tried again in so many seconds.
    TooOften(u64),
    /// It can be tried again soon.
    Busy,
}

/// What stands in the form.
#[derive(Clone, PartialEq, Eq)]
pub struct Form {
    /// Who wants to log in.
    pub name: String,
    /// What was typed.
    pub password: String,
    /// What is shown around the form.
    pub frame: Frame,
    /// Whether the browser came over TLS: it says so in `Origin`, to nobody's harm but its own.
    pub secure: bool,
}

/// What goes round with the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where to go then: a path on this server, as it may stand in `Location`.
    pub next: String,
    /// What to speak.
    pub language: Language,
}

impl Frame {
    /// What a request for the page says; everything is below `base`.
    pub fn of_query(request: &Request, base: &str) -> Self {
        Self::new(request, request.query("next"), request.query("lang").as_deref(), base)
    }

    fn new(request: &Request, next: Option<String>, lang: Option<&str>, base: &str) -> Self {
        let next = next.filter(|next| is_ours(next, base)).unwrap_or_else(|| format!("{base}/"));
        let chosen = lang.and_then(language);
        let asked = || request.list("accept-language").find_map(language);
        Self { next, language: chosen.or_else(asked).unwrap_or(Language::English) }
    }
}

impl Note {
    /// What a request for the page says that it should say.
    pub fn of_query(request: &Request) -> Option<Self> {
        match request.query("why").as_deref() {
            Some("out") => Some(Self::LoggedOut),
            Some("over") => Some(Self::Over),
            _ => None,
        }
    }

    fn status(self) -> Status {
        match self {
            Self::LoggedOut | Self::Over => Status::OK,
            Self::Wrong => Status::UNAUTHORIZED,
            Self::TooOften(_) => Status::TOO_MANY_REQUESTS,
            Self::Busy => Status::SERVICE_UNAVAILABLE,
        }
    }

    fn words(self, language: Language) -> String {
        let (english, chinese) = match self {
            Self::LoggedOut => ("You are logged out.", "您已退出登录。"),
            Self::Over => ("Your session is over. Please log in again.", "登录已失效，请重新登录。"),
            Self::Wrong => ("The name or the password is wrong.", "名字或密码不对。"),
            Self::TooOften(seconds) => {
                return match language {
                    Language::English => format!("That was tried too often. Try again in {seconds} s."),
                    Language::Chinese => format!("尝试太频繁，请在 {seconds} 秒后再试。"),
                };
            }
            Self::Busy => {
                ("Too many are logging in at this moment. Try again.", "现在登录的人太多，请稍后再试。")
            }
        };
        match language {
            Language::English => english,
            Language::Chinese => chinese,
        }
        .to_owned()
    }
}

impl Form {
    /// What the body of `request` says.
    ///
    /// # Errors
    /// A sentence, if it is no such form.
    pub fn of_request(request: &Request, base: &str) -> Result<Self, &'static str> {
        let kind = request.field("content-type").and_then(|kind| kind.split(';').next()).unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err("A login is a form (application/x-www-form-urlencoded).");
        }
        let field = |name: &str| request.form(name).next().flatten();
        let (Some(name), Some(password)) = (field("name"), field("password")) else {
            return Err("A login needs the fields name and password, in UTF-8.");
        };
        if name.len() > LONGEST_NAME || password.len() > LONGEST {
            return Err("This name or password is too long.");
        }
        let frame = Frame::new(request, field("next"), field("lang").as_deref(), base);
        let secure = request.fields("origin").any(|origin| origin.starts_with("https://"));
        Ok(Self { name, password, frame, secure })
    }
}

/// The page, with `note`, and with `name` in its form already.
///
/// # Panics
/// Never: the page is embedded.
pub fn page(frame: &Frame, name: &str, note: Option<Note>) -> Response {
    let Frame { next, language } = frame;
    let template = pages::find("/login.html").map_or(&b""[..], |page| page.bytes);
    let words = match language {
        Language::English => &ENGLISH,
        Language::Chinese => &CHINESE,
    };
    let said = note.map(|note| note.words(*language)).unwrap_or_default();
    let kind = match note {
        None => "none",
        Some(Note::LoggedOut | Note::Over) => "plain",
        Some(Note::Wrong | Note::TooOften(_) | Note::Busy) => "bad",
    };
    let other = format!("login?lang={}&next={}", words.other.0, encoded(next));
    let mut html = String::from_utf8_lossy(template).into_owned();
    // Once, in this order: what a visitor has typed comes last, so nothing in it is a place for anything.
    for (place, text) in [
        ("{{lang}}", words.tag),
        ("{{title}}", words.title),
        ("{{name-label}}", words.name),
        ("{{password-label}}", words.password),
        ("{{button}}", words.button),
        ("{{code}}", words.code),
        ("{{other-code}}", words.other.0),
        ("{{other}}", words.other.1),
        ("{{name-focus}}", if name.is_empty() { "autofocus" } else { "" }),
        ("{{password-focus}}", if name.is_empty() { "" } else { "autofocus" }),
        ("{{kind}}", kind),
        ("{{note}}", &said),
        ("{{other-href}}", &other),
        ("{{next}}", next),
        ("{{name}}", name),
    ] {
        html = html.replace(place, &escaped(text));
    }
    let response = Response::new(note.map_or(Status::OK, Note::status))
        .body("text/html; charset=utf-8", html.into_bytes())
        .field("Cache-Control", "no-store");
    match note {
        Some(Note::TooOften(seconds)) => response.field("Retry-After", seconds.to_string()),
        Some(Note::Busy) => response.field("Retry-After", "1"),
        Some(Note::Wrong) => response.field("WWW-Authenticate", CHALLENGE),
        Some(Note::LoggedOut | Note::Over) | None => response,
    }
}

/// By what else one can say who one is (RFC 6750 §3). Without it a 401 is none (RFC 9110 §15.5.2).
pub const CHALLENGE: &str = "Bearer realm=\"wiretail\"";

/// Where the page is, for whoever asked for `target` and may go there then.
pub fn address(base: &str, target: &str) -> String {
    format!("{base}/login?next={}", encoded(target))
}

/// Whether `next` is a place below `base` on this server, and so for every browser: "//elsewhere" is another one's, and so is
/// "/\elsewhere" to many (WHATWG URL, 4.4); white space and control characters would be left out.
fn is_ours(next: &str, base: &str) -> bool {
    let beneath = next.strip_prefix(base).unwrap_or_default();
    beneath.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

fn language(tag: &str) -> Option<Language> {
    match tag.split(['-', ';']).next()?.trim().to_ascii_lowercase().as_str() {
        "en" => Some(Language::English),
        "zh" => Some(Language::Chinese),
        _ => None,
    }
}

/// Text as it may stand in a page, between quotes as well.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // It would be a place for what comes later.
            '{' => escaped.push_str("&#123;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Text as a value in a query (RFC 3986 §3.4).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

struct Words {
    code: &'static str,
    tag: &'static str,
    title: &'static str,
    name: &'static str,
    password: &'static str,
    button: &'static str,
    /// The other language, by its code and its own name.
    other: (&'static str, &'static str),
}

const ENGLISH: Words = Words {
    code: "en",
    tag: "en",
    title: "Log in",
    name: "Name",
    password: "Password",
    button: "Log in",
    other: ("zh", "中文"),
};

const CHINESE: Words = Words {
    code: "zh",
    tag: "zh-CN",
    title: "登录",
    name: "名字",
    password: "密码",
    button: "登录",
    other: ("en", "English"),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{MAX_BODY, RequestReader};
    use proptest::prelude::*;

    fn request(head: &str, body: &[u8]) -> Request {
        let head = format!("{head}\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len());
        let bytes = [head.as_bytes(), body].concat();
        RequestReader::new().receive_with_body(&bytes, |_| MAX_BODY).unwrap().unwrap().0
    }

    fn form(body: &[u8]) -> Result<Form, &'static str> {
        let head = "POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded";
        Form::of_request(&request(head, body), "")
    }

    #[test]
    fn a_form_has_a_name_a_password_and_where_to_go() {
        let form = form(b"name=ada&password=a%26b+c&next=%2Fx%3Fy%23%2Fapp.log&lang=zh").unwrap();
        assert_eq!((form.name.as_str(), form.password.as_str(), form.secure), ("ada", "a&b c", false));
        assert_eq!(form.frame, Frame { next: "/x?y#/app.log".to_owned(), language: Language::Chinese });
        let head = "POST /logs/login HTTP/1.1\r\nOrigin: https://h\r\nContent-Type: application/X-www-form-urlencoded; a=b";
        let form = Form::of_request(&request(head, b"name=&password="), "/logs").unwrap();
        assert_eq!((form.frame.next.as_str(), form.secure), ("/logs/", true));
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for bad in
            [&b""[..], b"name=ada", b"password=x", b"name=%ff&password=x", b"name=a&password=%00", b"\xff"]
        {
            assert!(form(bad).is_err(), "{bad:?}");
        }
        assert!(form(format!("name={}&password=x", "x".repeat(129)).as_bytes()).is_err());
        assert!(form(format!("name=x&password={}", "x".repeat(1025)).as_bytes()).is_err());
        let json = request("POST /login HTTP/1.1\r\nContent-Type: application/json", b"{}");
        assert!(Form::of_request(&json, "").is_err());
    }

    #[test]
    fn one_is_led_nowhere_but_to_this_server() {
        for (base, good) in [("", "/"), ("", "/raw/a?b=c"), ("/logs", "/logs/#/a%20b"), ("", "/a//b")] {
            assert!(is_ours(good, base), "{base} {good}");
        }
        for (base, bad) in [
            ("", ""),
            ("", "//evil.example"),
            ("", "/\\evil.example"),
            ("", "/\t/evil.example"),
            ("", "/a\r\nSet-Cookie: x"),
            ("", "https://evil.example/"),
            ("", "evil.example"),
            ("", "/日"),
            ("/logs", "/"),
            ("/logs", "/logs"),
            ("/logs", "/logsx/"),
        ] {
            assert!(!is_ours(bad, base), "{base} {bad:?}");
        }
        assert_eq!(address("/logs", "/logs/raw/a b?c=d&e"), "/logs/login?next=/logs/raw/a%20b%3Fc%3Dd%26e");
    }

    #[test]
    fn the_page_speaks_the_language_that_is_asked_for() {
        let of = |head: &str| Frame::of_query(&request(head, b""), "").language;
        assert_eq!(of("GET /login HTTP/1.1"), Language::English);
        assert_eq!(
            of("GET /login HTTP/1.1\r\nAccept-Language: de, zh-TW;q=0.9, en;q=0.8"),
            Language::Chinese
        );
        assert_eq!(of("GET /login?lang=en HTTP/1.1\r\nAccept-Language: zh"), Language::English);
    }

    #[test]
    fn nothing_is_left_to_be_filled_in_and_nothing_typed_is_markup() {
        for language in [Language::English, Language::Chinese] {
            let frame = Frame { next: "/\"><script>{{name}}".to_owned(), language };
            for note in
                [None, Some(Note::Wrong), Some(Note::TooOften(12)), Some(Note::Busy), Some(Note::Over)]
            {
                let bytes = page(&frame, "{{note}}<b>\"'&", note).into_bytes(false, true);
                let text = String::from_utf8(bytes).unwrap();
                let (_, html) = text.split_once("\r\n\r\n").unwrap();
                assert!(!html.contains("{{"), "{html}");
                assert!(!html.contains("<script>") && !html.contains("<b>"), "{html}");
                assert!(html.contains("value=\"&#123;&#123;note}}&lt;b&gt;&quot;&#39;&amp;\""), "{html}");
                assert_eq!(html.matches("role=\"alert\"").count(), 1);
            }
        }
    }

    proptest! {
        /// Cut anywhere and whatever is in it, a form is understood or refused, and leads nowhere else.
        #[test]
        fn a_hostile_form_leads_nowhere_else(next in "[ -~\t\r\n\u{e9}]{0,40}", cut in 0..200usize) {
            let body = format!("name=a&password=b&next={}", encoded(&next));
            let cut = &body.as_bytes()[..cut.min(body.len())];
            for body in [body.as_bytes(), cut, next.as_bytes()] {
                if let Ok(form) = form(body) {
                    let next = form.frame.next;
                    prop_assert!(next.starts_with('/') && !next.starts_with("//"), "{next:?}");
                    prop_assert!(next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'), "{next:?}");
                }
            }
        }
    }
}
