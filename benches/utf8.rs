//! The speed at which text is checked: ours, and the standard library's, which is the twin in our tests.
//!
//! ```text
//! cargo bench --bench utf8
//! ```
//!
//! Each figure is that of the fastest of nine runs, as nothing but luck makes one slower.

use std::hint::black_box;
use std::time::Instant;

use wiretail::ws::Text;

const RUNS: usize = 9;
/// How many bytes are checked in one run.
const BYTES: usize = 64 << 20;

fn main() {
    let texts = [
        ("a log", "2026-11-25 12:00:00.123 INFO  [worker-7] request 4711 was answered after 12 ms\n"),
        ("a log in Chinese", "2026-11-25 12:00:00.123 错误 数据库写入失败：连接超时，第 3 次重试\n"),
        ("Chinese", "数据库写入失败：连接超时，正在重试。"),
        ("Korean", "데이터베이스쓰기실패퇴장연결시간초과"),
        ("Greek", "ηβάσηδεδομένωνδενανταποκρίνεται"),
        ("emoji", "\u{1f600}\u{1f680}\u{1f980}"),
    ];
    println!("{:<18} {:>6}   {:>12} {:>12} {:>8}", "text", "bytes", "std", "ours", "ratio");
    for (name, pattern) in texts {
        for len in [64, 1024, 16 * 1024] {
            let text = pattern.repeat((len / pattern.len()).max(1));
            let bytes = text.as_bytes();
            let theirs = gigabytes_per_second(bytes, |bytes| std::str::from_utf8(bytes).is_ok());
            let ours = gigabytes_per_second(bytes, |bytes| Text::from_utf8(bytes).is_ok());
            let ratio = ours / theirs;
            println!(
                "{name:<18} {len:>6}   {theirs:>7.2} GB/s {ours:>7.2} GB/s {ratio:>8.2}",
                len = bytes.len()
            );
        }
    }
}

/// How fast `check` goes through `bytes`, which must be good.
fn gigabytes_per_second(bytes: &[u8], check: impl Fn(&[u8]) -> bool) -> f64 {
    let times = BYTES / bytes.len();
    let run = || {
        let start = Instant::now();
        for _ in 0..times {
            assert!(black_box(check(black_box(bytes))));
        }
        start.elapsed().as_secs_f64()
    };
    let fastest = (0..RUNS).map(|_| run()).fold(f64::INFINITY, f64::min);
    (times * bytes.len()) as f64 / fastest / 1e9
}
