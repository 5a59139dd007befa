//! The log of a web shop that does not exist.
//!
//! For trying things out and for showing: lines as real programs write them, with what makes real logs
//! difficult. Some are coloured, some are JSON, some are Chinese, some belong together, one now and then is
//! very long or tries to be HTML. The same seed gives the same lines.
//!
//! Knows no files and no pace; who calls decides when there is a line.

use std::collections::VecDeque;
use std::fmt::Write;
use std::time::SystemTime;

use super::voice::Voice;
use crate::tail::utc::Utc;

/// Makes up log lines, one after the other.
#[derive(Clone, Debug)]
pub struct Chatter {
    random: Random,
    line: String,
    // The rest of an entry of several lines.
    rest: VecDeque<String>,
    // None: of everything something.
    voice: Option<Voice>,
}

/// How grave a line says it is.
#[derive(Clone, Copy)]
enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO ",
            Self::Warn => "WARN ",
            Self::Error => "ERROR",
        }
    }

    /// As a terminal is told: "Select Graphic Rendition", ECMA-48 §8.3.117.
    fn colour(self) -> &'static str {
        match self {
            Self::Debug => "\x1b[2m",
            Self::Info => "\x1b[32m",
            Self::Warn => "\x1b[33m",
            Self::Error => "\x1b[1;31m",
        }
    }
}

/// Writes the line, or the first of several, of one entry.
type Topic = fn(&mut Chatter, SystemTime);

/// What a line is about, each with how many of a hundred are.
const TOPICS: [(u64, Topic); 11] = [
    (50, Chatter::request),
    (14, Chatter::order),
    (9, Chatter::query),
    (7, Chatter::warning),
    (5, Chatter::chinese),
    (6, Chatter::json),
    (3, Chatter::failure),
    (2, Chatter::stack_trace),
    (2, Chatter::attack),
    (1, Chatter::long),
    (1, Chatter::cheer),
];

const PRODUCTS: [&str; 8] = [
    "teapot",
    "umbrella",
    "Gießkanne",
    "espresso-cups",
    "mechanical-keyboard",
    "雨伞",
    "notebook-a5",
    "lampe-été",
];
const CITIES: [&str; 8] = ["Berlin", "上海", "São Paulo", "Nairobi", "Kraków", "Oslo", "東京", "Montréal"];
const PATHS: [&str; 7] =
    ["/", "/products", "/cart", "/checkout", "/api/v2/recommendations", "/static/app.9f3c.js", "/healthz"];

impl Chatter {
    /// Begins the log that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self { random: Random(seed), line: String::new(), rest: VecDeque::new(), voice: None }
    }

    /// The same in one voice.
    pub fn speaking(seed: u64, voice: Voice) -> Self {
        Self { voice: Some(voice), ..Self::new(seed) }
    }

    /// The next line, without its end.
    pub fn next_line(&mut self, now: SystemTime) -> &str {
        match self.rest.pop_front() {
            Some(line) => self.line = line,
            None => self.begin_entry(now),
        }
        &self.line
    }

    fn begin_entry(&mut self, now: SystemTime) {
        if let Some(voice) = self.voice {
            (self.line, self.rest) = voice.entry(&mut self.random, Utc::from(now));
            return;
        }
        self.line.clear();
        let mut roll = self.random.below(100);
        for (share, topic) in TOPICS {
            if roll < share {
                return topic(self, now);
            }
            roll -= share;
        }
    }

    /// What most lines begin with. Only one of the services believes that it writes to a terminal.
    fn head(&mut self, now: SystemTime, level: Level, service: &str) {
        let (time, name, request) = (Utc::from(now), level.name(), self.random.next() >> 32);
        if service == "web" {
            let colour = level.colour();
            self.put(format_args!("{time} {colour}{name}\x1b[0m \x1b[36m{service}\x1b[0m [{request:08x}] "));
        } else {
            self.put(format_args!("{time} {name} {service} [{request:08x}] "));
        }
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        self.line.write_fmt(text).expect("a string takes everything");
    }

    fn request(&mut self, now: SystemTime) {
        let service = if self.random.one_in(3) { "web" } else { "edge" };
        let path = self.random.pick(&PATHS);
        let method = if path == "/cart" || path == "/checkout" { "POST" } else { "GET" };
        let status = match self.random.below(40) {
            0 => 404,
            1 => 304,
            2 if path == "/checkout" => 502,
            _ => 200,
        };
        let level = match status {
            502 => Level::Error,
            404 => Level::Warn,
            _ => Level::Info,
        };
        let (millis, bytes) = (self.random.skewed(900), self.random.skewed(80_000));
        let (net, host) = (self.random.below(256), self.random.below(254) + 1);
        self.head(now, level, service);
        self.put(format_args!("203.0.{net}.{host} {method} {path} {status} {bytes}B {millis}ms"));
        if path == "/products" {
            let product = self.random.pick(&PRODUCTS);
            self.put(format_args!(" item={product}"));
        }
    }

    fn order(&mut self, now: SystemTime) {
        let (product, city) = (self.random.pick(&PRODUCTS), self.random.pick(&CITIES));
        let (order, count, cents) =
            (self.random.below(90_000) + 10_000, self.random.below(5) + 1, self.random.below(20_000));
        self.head(now, Level::Info, "orders");
        self.put(format_args!(
            "order {order} placed: {count} x {product} to {city}, {}.{:02} EUR",
            cents / 100,
            cents % 100
        ));
    }

    fn query(&mut self, now: SystemTime) {
        let (id, millis, rows) = (self.random.below(5000), self.random.skewed(40), self.random.skewed(300));
        self.head(now, Level::Debug, "db");
        self.put(format_args!(
            "SELECT id, price, stock FROM items WHERE category = {id} -- {rows} rows, {millis} ms"
        ));
    }

    fn warning(&mut self, now: SystemTime) {
        let number = self.random.below(9) + 1;
        let product = self.random.pick(&PRODUCTS);
        match self.random.below(4) {
            0 => {
                self.head(now, Level::Warn, "stock");
                self.put(format_args!("only {number} of {product} left"));
            }
            1 => {
                self.head(now, Level::Warn, "payments");
                self.put(format_args!("bank answered 503, attempt {number} of 10 in {} ms", number * 250));
            }
            2 => {
                self.head(now, Level::Warn, "db");
                self.put(format_args!(
                    "slow query: {number}.{number}s for the recommendations of \"{product}\""
                ));
            }
            _ => {
                self.head(now, Level::Warn, "web");
                self.put(format_args!(
                    "session expired after {number}0 minutes, redirecting to \x1b[4m/login\x1b[0m"
                ));
            }
        }
    }

    fn chinese(&mut self, now: SystemTime) {
        let (order, seconds, city) =
            (self.random.below(90_000) + 10_000, self.random.below(50) + 3, self.random.pick(&CITIES));
        self.head(now, Level::Info, "delivery");
        match self.random.below(3) {
            0 => self.put(format_args!("订单 {order} 已发货，目的地：{city}，预计三天内送达")),
            1 => self.put(format_args!("用户登录成功，欢迎回来！购物车中有 {} 件商品", seconds % 9 + 1)),
            _ => self.put(format_args!("支付完成：订单 {order}，耗时 {seconds} 秒")),
        }
    }

    fn json(&mut self, now: SystemTime) {
        let time = Utc::from(now);
        let (user, millis, product) =
            (self.random.below(7000), self.random.skewed(700), self.random.pick(&PRODUCTS));
        self.put(format_args!(
            r#"{{"time":"{time}","level":"info","event":"view","user":{user},"item":"{product}","ms":{millis},"ab":["red","{}"]}}"#,
            if user % 2 == 0 { "big" } else { "small" }
        ));
    }

    fn failure(&mut self, now: SystemTime) {
        let order = self.random.below(90_000) + 10_000;
        match self.random.below(3) {
            0 => {
                self.head(now, Level::Error, "payments");
                self.put(format_args!("order {order}: card declined by the issuer (code 51)"));
            }
            1 => {
                self.head(now, Level::Error, "mail");
                self.put(format_args!("order {order}: smtp: 452 4.2.2 mailbox full"));
            }
            _ => {
                self.head(now, Level::Error, "web");
                self.put(format_args!("upstream closed the connection, order {order} is retried"));
            }
        }
    }

    fn stack_trace(&mut self, now: SystemTime) {
        let line = self.random.below(300) + 1;
        self.head(now, Level::Error, "pricing");
        self.put(format_args!("java.lang.IllegalStateException: no price for item {line}"));
        let frames = [
            "PriceList.find(PriceList.java",
            "Cart.total(Cart.java",
            "CheckoutController.submit(CheckoutController.java",
        ];
        for (depth, frame) in (7..).step_by(31).zip(frames) {
            self.rest.push_back(format!("\tat shop.wiretail.{frame}:{})", line + depth));
        }
        self.rest.push_back(
            "Caused by: java.sql.SQLTimeoutException: statement cancelled after 5000 ms".to_owned(),
        );
        self.rest.push_back(format!("\tat shop.wiretail.db.Pool.query(Pool.java:{})", line + 3));
        self.rest.push_back("\t... 41 more".to_owned());
    }

    /// What a viewer must show as it is, and never obey.
    fn attack(&mut self, now: SystemTime) {
        let attack = self.random.pick(&[
            "/search?q=<script>alert('xss')</script>",
            "/../../etc/passwd",
            "/products?id=1%27%20OR%20%271%27=%271",
            "/login?next=\"><img src=x onerror=alert(1)>",
        ]);
        let host = self.random.below(254) + 1;
        self.head(now, Level::Warn, "edge");
        self.put(format_args!("198.51.100.{host} GET {attack} 400 blocked"));
    }

    fn long(&mut self, now: SystemTime) {
        let count = self.random.below(150) + 50;
        self.head(now, Level::Debug, "recommend");
        self.put(format_args!("scores: "));
        for item in 0..count {
            let score = self.random.below(1000);
            self.put(format_args!("item-{item}=0.{score:03} "));
        }
    }

    fn cheer(&mut self, now: SystemTime) {
        let count = (self.random.below(90) + 10) * 1000;
        self.head(now, Level::Info, "orders");
        self.put(format_args!("🎉 {count} orders today, thank you 👩‍💻👨🏽‍🔧 all"));
    }
}

/// `SplitMix64` (Steele, Lea, Flood 2014): enough for a play, and the same everywhere. Nothing secret may
/// hang on it.
#[derive(Clone, Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `bound`. (Very slightly uneven, which nobody will see.)
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(super) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    /// Less than `bound`, mostly far less: as durations and sizes are.
    fn skewed(&mut self, bound: u64) -> u64 {
        let ceiling = self.below(bound) + 1;
        self.below(ceiling)
    }

    fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        choices[self.below(choices.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn lines(seed: u64, count: usize) -> Vec<String> {
        let mut chatter = Chatter::new(seed);
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        (0..count).map(|_| chatter.next_line(now).to_owned()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_lines() {
        assert_eq!(lines(7, 500), lines(7, 500));
        assert_ne!(lines(7, 500), lines(8, 500));
    }

    #[test]
    fn every_line_is_one_line_and_not_empty() {
        for line in lines(1, 5000) {
            assert!(!line.is_empty() && !line.contains(['\n', '\r']), "{line:?}");
        }
    }

    #[test]
    fn the_shares_make_a_hundred() {
        assert_eq!(TOPICS.iter().map(|(share, _)| share).sum::<u64>(), 100);
    }

    #[test]
    fn what_makes_logs_difficult_is_there() {
        let lines = lines(1, 2000);
        let has = |part: &str| lines.iter().any(|line| line.contains(part));
        for part in
            ["\x1b[1;31mERROR", "已发货", "Caused by: ", "<script>", "🎉", "INFO  edge", "DEBUG db", "WARN "]
        {
            assert!(has(part), "{part}");
        }
        assert!(lines.iter().any(|line| line.len() > 1500));
        let json = lines.iter().find(|line| line.starts_with('{')).unwrap();
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(json["time"], "2001-09-09T01:46:40.000Z");
    }

    #[test]
    fn a_stack_trace_follows_its_error() {
        let lines = lines(1, 2000);
        let start = lines.iter().position(|line| line.contains("IllegalStateException")).unwrap();
        assert!(lines[start].starts_with("2001-09-09T01:46:40.000Z ERROR pricing ["));
        assert!(lines[start + 1].starts_with("\tat shop.wiretail.PriceList"));
        assert_eq!(lines[start + 6], "\t... 41 more");
    }
}
