//! The same shop in one voice: every line of one format, in one language.
//!
//! Where [`chatter`](super::chatter) mixes what real logs are made of, this is for trying out one thing at a time.
//!
//! Knows what an entry says and how it is written; no files, no pace.

use std::collections::VecDeque;

use serde::Serialize;

use super::chatter::Random;
use crate::tail::utc::Utc;

/// How each line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `TIME LEVEL service [request] message`
    Plain,
    /// One object in each line.
    Json,
    /// As plain, with the colours of a terminal.
    Colour,
    /// As plain, and every few entries an error with the stack it happened in.
    Multiline,
}

/// In which language it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Chinese, in characters beyond ASCII.
    Chinese,
    /// Now one, now the other.
    Both,
}

/// A format and a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voice {
    /// How each line is written.
    pub format: Format,
    /// In which language.
    pub language: Language,
}

/// A kind of entry: its level, the service that says it, and what it says in English and in Chinese. `{}` stands for a
/// number.
type Saying = (&'static str, &'static str, &'static str, &'static str);

const SAYINGS: [Saying; 10] = [
    ("INFO", "web", "GET /products answered 200 in {} ms", "GET /products 返回 200，耗时 {} 毫秒"),
    ("INFO", "orders", "order {} placed", "订单 {} 已提交"),
    ("INFO", "delivery", "order {} is on its way, three days at most", "订单 {} 已发货，预计三天内送达"),
    ("INFO", "payments", "order {} paid", "支付完成：订单 {}"),
    ("DEBUG", "db", "SELECT price FROM items WHERE id = {}", "查询商品 {} 的价格"),
    ("DEBUG", "cache", "{} entries in use", "缓存中有 {} 个条目"),
    ("WARN", "stock", "only {} umbrellas left", "雨伞库存仅剩 {} 把"),
    ("WARN", "payments", "the bank does not answer, next attempt in {} ms", "银行没有响应，{} 毫秒后重试"),
    ("ERROR", "payments", "order {}: card declined by the issuer", "订单 {}：发卡行拒绝付款"),
    ("ERROR", "mail", "order {}: mailbox full", "订单 {}：邮箱已满"),
];

/// What an error with a stack begins with, in both languages.
const THROWN: [&str; 2] = [
    "java.lang.IllegalStateException: no price for item {}",
    "java.lang.IllegalStateException: 商品 {} 没有价格",
];
const CAUSE: [&str; 2] = [
    "Caused by: java.sql.SQLTimeoutException: cancelled after 5000 ms",
    "Caused by: java.sql.SQLTimeoutException: 查询超时，5000 毫秒后取消",
];

/// An entry as JSON.
#[derive(Serialize)]
struct Object<'a> {
    time: String,
    level: &'a str,
    service: &'a str,
    request: String,
    number: u64,
    message: &'a str,
}

impl Voice {
    /// One entry: its first line, and those that belong to it.
    pub(super) fn entry(self, random: &mut Random, now: Utc) -> (String, VecDeque<String>) {
        let chinese = match self.language {
            Language::English => false,
            Language::Chinese => true,
            Language::Both => random.one_in(2),
        };
        let (number, request) = (random.below(90_000) + 10_000, random.next() >> 32);
        let filled = |text: &str| text.replace("{}", &number.to_string());
        if self.format == Format::Multiline && random.one_in(4) {
            let head =
                format!("{now} ERROR pricing [{request:08x}] {}", filled(THROWN[usize::from(chinese)]));
            return (head, stack(number, CAUSE[usize::from(chinese)]));
        }
        let (level, service, english, other) = SAYINGS[random.below(SAYINGS.len() as u64) as usize];
        let message = filled(if chinese { other } else { english });
        let line = match self.format {
            Format::Plain | Format::Multiline => {
                format!("{now} {level:5} {service} [{request:08x}] {message}")
            }
            Format::Colour => {
                let colour = colour_of(level);
                format!(
                    "\x1b[2m{now}\x1b[0m \x1b[{colour}m{level:5}\x1b[0m \x1b[36m{service}\x1b[0m [{request:08x}] {message}"
                )
            }
            Format::Json => {
                let (time, request) = (now.to_string(), format!("{request:08x}"));
                let object = Object { time, level, service, request, number, message: &message };
                serde_json::to_string(&object).expect("strings and numbers always make JSON")
            }
        };
        (line, VecDeque::new())
    }
}

/// As a terminal is told: "Select Graphic Rendition", ECMA-48 §8.3.117.
fn colour_of(level: &str) -> &'static str {
    match level {
        "ERROR" => "1;31",
        "WARN" => "33",
        "INFO" => "32",
        _ => "2",
    }
}

fn stack(number: u64, cause: &str) -> VecDeque<String> {
    let line = number % 300;
    let frames = ["PriceList.find(PriceList.java", "Cart.total(Cart.java", "Checkout.submit(Checkout.java"];
    let frames = frames.iter().map(|frame| format!("\tat shop.wiretail.{frame}:{})", line + 7));
    frames.chain([cause.to_owned(), "\t... 41 more".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::super::chatter::Chatter;
    use super::*;

    fn lines(format: Format, language: Language) -> Vec<String> {
        let mut chatter = Chatter::speaking(7, Voice { format, language });
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        (0..500).map(|_| chatter.next_line(now).to_owned()).collect()
    }

    fn is_chinese(line: &str) -> bool {
        line.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    #[test]
    fn each_format_is_what_it_says() {
        for line in lines(Format::Plain, Language::Both) {
            assert!(
                line.starts_with("2001-09-09T01:46:40.000Z ") && !line.contains(char::is_control),
                "{line:?}"
            );
        }
        for line in lines(Format::Json, Language::Both) {
            let object: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(
                (&object["time"], object.as_object().unwrap().len()),
                (&"2001-09-09T01:46:40.000Z".into(), 6)
            );
        }
        assert!(
            lines(Format::Colour, Language::Both).iter().all(|line| line.matches("\x1b[0m").count() == 3)
        );
        let lines = lines(Format::Multiline, Language::Both);
        let thrown: Vec<usize> =
            (0..lines.len() - 6).filter(|&at| lines[at].contains("IllegalStateException")).collect();
        assert!(thrown.len() > 20, "{}", thrown.len());
        for at in thrown {
            assert!(lines[at + 1].starts_with("\tat ") && lines[at + 4].starts_with("Caused by: "));
            assert_eq!(lines[at + 5], "\t... 41 more");
            assert!(lines[at + 6].starts_with("2001-"), "{:?}", lines[at + 6]);
        }
    }

    #[test]
    fn each_language_is_spoken_throughout() {
        for format in [Format::Plain, Format::Json, Format::Colour] {
            assert!(lines(format, Language::Chinese).iter().all(|line| is_chinese(line)));
            assert!(!lines(format, Language::English).iter().any(|line| is_chinese(line)));
            let both = lines(format, Language::Both).iter().filter(|line| is_chinese(line)).count();
            assert!((150..350).contains(&both), "{both}");
        }
    }
}
