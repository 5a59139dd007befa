//! Filters against naive twins: every position tried, every line taken alone.

use super::*;
use proptest::prelude::*;
use regex::bytes::RegexBuilder;

fn spec(grep: &[&str], not: &[&str]) -> FilterSpec {
    let owned = |patterns: &[&str]| patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    FilterSpec { grep: owned(grep), not: owned(not), ..FilterSpec::default() }
}

fn filter(grep: &[&str], not: &[&str]) -> Filter {
    Filter::new(&spec(grep, not)).unwrap()
}

/// The lines of `block` as one would take them without thinking of speed.
fn lines(block: &[u8]) -> Vec<&[u8]> {
    let whole = block.strip_suffix(b"\n").unwrap_or(block);
    let lines = whole.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    if block.is_empty() { Vec::new() } else { lines.collect() }
}

fn shown<'a>(filter: &'a Filter, block: &'a [u8]) -> Vec<&'a [u8]> {
    filter.shown_in(block).map(|line| &block[line]).collect()
}

#[test]
fn every_grep_must_match_and_no_not() {
    let some = filter(&["err", "disk"], &["debug", "^#"]);
    assert!(some.shows(b"disk error"));
    assert!(!some.shows(b"error"));
    assert!(!some.shows(b"debug: disk error"));
    assert!(!some.shows(b"# disk error"));
    assert!(filter(&[], &["x"]).shows(b""));
    let all = filter(&[], &[]);
    assert!(all.is_empty() && all.shows(b"anything"));
    assert_eq!(shown(&all, b"one\n\nthree"), [&b"one"[..], b"", b"three"]);
}

#[test]
fn an_expression_stays_within_its_line() {
    for pattern in [r"a[^x]*b", r"a\s+b", r"(?s)a.b", r"a\W*b", r"a[\x00-\xff]b", r"(?-u)a[^x]b"] {
        let filter = filter(&[pattern], &[]);
        assert!(shown(&filter, b"a\nb\na\n\nb\n").is_empty(), "{pattern}");
    }
    assert_eq!(shown(&filter(&[r"\Ab\z"], &[]), b"ab\nb\nba\nb"), [b"b", b"b"]);
    assert_eq!(shown(&filter(&[r"(?-m)^b$"], &[]), b"ab\nb\nba\nb"), [b"b", b"b"]);
    assert_eq!(shown(&filter(&["^$"], &[]), b"a\n\nb\n"), [b""]);
    assert_eq!(filter(&["^$"], &[]).shown_in(b"").count(), 0, "no line is not an empty line");
}

#[test]
fn a_carriage_return_belongs_to_the_end_of_the_line() {
    let block = b"one\r\ntwo\r\n\r\n";
    assert_eq!(shown(&filter(&["o$"], &[]), block), [b"two"]);
    assert_eq!(shown(&filter(&["^t.*o$"], &[]), block), [b"two"]);
    assert_eq!(shown(&filter(&["^$"], &[]), block), [b""]);
    assert!(shown(&filter(&["\\r"], &[]), block).is_empty());
    assert_eq!(shown(&filter(&["^2$"], &[]), b"1\r2\r\n"), [b"1\r2"], "as a terminal would show it");
}

#[test]
fn bytes_that_are_no_text_disturb_nothing() {
    let line = b"\xff\xfe caf\xc3\xa9 \x00 \xc3 error\x80";
    for pattern in ["café", "error", r"\w+é", "(?-u)\\xff\\xfe", "(?i)CAFÉ", "\\bcafé\\b", "é . . error"]
    {
        assert_eq!(filter(&[pattern], &[]).shows(line), pattern != "é . . error", "{pattern}");
    }
}

#[test]
fn words_are_words_in_any_script() {
    let words = |pattern: &str, line: &str| {
        let spec = FilterSpec { words: true, ..spec(&[pattern], &[]) };
        let filter = Filter::new(&spec).unwrap();
        let all = shown(&filter, line.as_bytes());
        assert_eq!(!all.is_empty(), filter.shows(line.as_bytes()));
        filter.shows(line.as_bytes())
    };
    assert!(words("caf", "caf bar") && !words("caf", "café bar") && words("café", "un café."));
    assert!(words("-x", "ls -x") && !words("-x", "ls -xy"), "as grep -w: no letter need precede it");
    assert!(words("foo|foobar", "foobar") && !words("foo|bar", "foobar"));
    assert!(!words("日", "日志") && words("日志", "日志: x"));
}

#[test]
fn marks_are_what_matched() {
    let marks = |grep: &[&str], line: &str| filter(grep, &[]).marks(line.as_bytes());
    assert_eq!(marks(&["o", "foo"], "foo o"), [0..3, 4..5]);
    assert_eq!(marks(&["ab", "bc", "cd"], "abcd bc"), [0..4, 5..7], "what overlaps is one");
    assert!(marks(&["x*"], "aaa").is_empty(), "nothing is not marked");
    assert_eq!(marks(&["é"], "aé é"), [1..3, 4..6]);
    assert_eq!(marks(&["a"], &"a ".repeat(10_000)).len(), MOST_MARKS);
    assert!(marks(&["b$"], &format!("{}b", "a".repeat(MOST_MARKED))).is_empty(), "too far behind");
}

#[test]
fn what_is_wrong_is_said_with_the_pattern() {
    let said = |grep: &[&str]| Filter::new(&spec(grep, &[])).unwrap_err().to_string();
    assert_eq!(said(&["fine", "foo("]), "the pattern \"foo(\" is no regular expression: unclosed group");
    assert_eq!(
        said(&[r"(a)\1"]),
        r#"the pattern "(a)\\1" is no regular expression: backreferences are not supported"#
    );
    let newline = "the pattern \"a\\\\nb\" asks for a newline, and no line has one in it";
    assert_eq!(said(&[r"a\nb"]), newline);
    assert_eq!(said(&["x"; 17]), "17 patterns are too many: 16 at most");
    let long = "y".repeat(LONGEST_PATTERN + 1);
    assert_eq!(said(&[&long]), format!("the pattern \"{}…\" is too long: 1024 bytes at most", &long[..60]));
    assert_eq!(
        said(&[r"\w{1000}"]),
        r#"the pattern "\\w{1000}" is too large: fewer or smaller repetitions would do, or [a-z] for \w"#
    );
    assert!(Filter::new(&FilterSpec { literal: true, ..spec(&["foo(", r"(a)\1", r"a\nb"], &[]) }).is_ok());
}

#[test]
fn hostile_patterns_are_refused_or_take_linear_time() {
    let deep = "(".repeat(200) + &")".repeat(200);
    let classes = r"\w".repeat(500);
    for pattern in ["((a{0,999}){0,999}){0,999}", deep.as_str(), classes.as_str(), r"[\w\d]{900}"] {
        assert!(Filter::new(&spec(&[pattern], &[])).is_err(), "{pattern}");
    }
    // What takes a backtracking engine for ever, on half a million bytes. A deadline is no measure here: it would end in
    // the same year as the test.
    let line = [&b"a".repeat(500_000)[..], b"!"].concat();
    for pattern in ["(a+)+$", "(a|aa)+$", "(a*)*b", "(.*)(.*)(.*)(.*)x", "^(([a-z])+.)+[A-Z]([a-z])+$"] {
        assert!(!filter(&[pattern], &[]).shows(&line), "{pattern}");
    }
}

#[test]
fn few_patterns_may_ask_for_words_as_each_takes_long_in_text_that_is_not_ascii() {
    let four = [r"\bone", r"two\b", r"\Bthree", r"\b{start}four"];
    assert_eq!(filter(&four, &["five"]).part(), Some(128 * 1024 / 21));
    let wrong = Filter::new(&spec(&four, &[r"\bfive"])).unwrap_err();
    assert_eq!(wrong.to_string(), "more than 4 patterns ask for whole words, or for the borders of words");
    let words = FilterSpec { words: true, ..spec(&["a", "b", "c", "d", "e"], &[]) };
    assert_eq!(Filter::new(&words).unwrap_err(), wrong);
}

#[test]
fn marks_that_take_too_long_to_find_are_left() {
    let line = b"a.".repeat(MOST_MARKED);
    assert_eq!(filter(&["a"], &[]).marks(&line).len(), MOST_MARKS);
    assert_eq!(filter(&["a[^b]*b|a"], &[]).marks(&line).len(), 17);
    let sixteen = ["a[^b]*b|a"; MOST_PATTERNS];
    assert_eq!(filter(&sixteen, &[]).marks(&line).len(), 2, "together they may look as far as one");
}

#[test]
fn the_costlier_the_patterns_the_less_is_looked_through_at_a_time() {
    let part = |grep: &[&str]| filter(grep, &[]).part();
    for light in ["needle", "one|other", "[0-9]{3} .*x", "[ab]*a[ab]{9}c"] {
        assert_eq!(part(&[light]), None, "{light}");
    }
    assert_eq!(part(&["[ab]*a[ab]{20}c"]), Some(128 * 1024 / 23));
    assert_eq!(part(&["a", "b"]), Some(64 * 1024));
    assert_eq!(part(&[r"\bab\b"]), Some(128 * 1024 / 5), "the borders of words take a slower engine");
    assert_eq!(part(&["a.{500}"]), Some(1024));
    let long = "long text ".repeat(100);
    let text = FilterSpec { literal: true, ignore_case: true, ..spec(&[&long], &[]) };
    assert_eq!(Filter::new(&text).unwrap().part(), None);
    // Too many places, in one pattern or in all together.
    assert!(Filter::new(&spec(&["a.{600}"], &[])).is_err());
    let wrong = Filter::new(&spec(&["x", "a.{200}"], &["b.{350}"])).unwrap_err().to_string();
    assert_eq!(
        wrong,
        r#"the pattern "b.{350}" is too large: fewer or smaller repetitions would do, or [a-z] for \w"#
    );
}

#[test]
fn of_a_long_line_under_costly_patterns_the_beginning_is_judged() {
    let costly = filter(&["x[^y]{100}z|needle"], &[]);
    let judged = costly.judged();
    assert_eq!(judged, 8 * costly.part().unwrap());
    for (at, shown) in [(0, true), (judged - 6, true), (judged - 5, false), (judged, false)] {
        let line = [&vec![b'.'; at][..], b"needle", &vec![b'.'; judged]].concat();
        assert_eq!(costly.shows(&line), shown, "{at}");
        let block = [&b"a needle\n"[..], &line, b"\r\nneedles\n"].concat();
        let lines: Vec<&[u8]> =
            [&b"a needle"[..], &line, b"needles"].into_iter().filter(|line| costly.shows(line)).collect();
        assert_eq!(self::shown(&costly, &block), lines, "{at}");
        assert_eq!(lines.len(), 2 + usize::from(shown), "{at}");
    }
    assert_eq!(filter(&["x[^y]{9}z"], &[]).judged(), usize::MAX, "light ones judge all of it");
    assert!(filter(&["a.{500}"], &[]).judged() >= 8 * 1024);
}

#[test]
fn sixteen_patterns_fit_and_four_with_the_letters_of_all_scripts() {
    let many = [r"[a-z0-9]+@\d+\.com"; MOST_PATTERNS];
    assert!(filter(&many, &[]).shows(b"who@42.com"));
    let large = [r"\w+@\w+\.com"; 4];
    assert!(filter(&large, &[]).shows("wer@世界.com".as_bytes()));
    let wrong = Filter::new(&spec(&[r"\w+@\w+\.com"; 5], &[])).unwrap_err();
    assert!(matches!(wrong, FilterError::TooLarge { .. }), "{wrong}");
}

#[test]
fn a_filter_says_what_it_costs() {
    let cost = |grep: &[&str]| filter(grep, &[]).cost();
    assert!(cost(&["text"; MOST_PATTERNS]) <= 1024 * 1024, "text is cheap");
    assert!((256 * 1024..512 * 1024).contains(&cost(&[r"\d+ ms"])));
    let costly = [r"\b\w{1,2}\b", "[a-m][^x]{12}z", "a.{100}"];
    for (few, more) in (1..costly.len()).map(|count| (&costly[..count], &costly[..=count])) {
        assert!(cost(few) < cost(more));
    }
    assert!(cost(&costly) < 8 * 1024 * 1024);
}

/// Lines of few letters, so that much matches; with what is no text, and ends of all kinds.
fn block() -> impl Strategy<Value = Vec<u8>> {
    let parts = prop::sample::select(vec![
        &b"a"[..],
        b"b",
        b"A",
        b"ab",
        b" ",
        b"_",
        b"-",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        "é".as_bytes(),
        "É".as_bytes(),
        b"\xff",
        b"\xc3",
        b"\0",
        "日".as_bytes(),
    ]);
    prop::collection::vec(parts, 0..40).prop_map(|parts| parts.concat())
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Whether `needle` is in `line`, by trying every position.
fn naive(line: &[u8], needle: &str, ignore_case: bool, words: bool) -> bool {
    let lower = |text: &[u8]| {
        let text = String::from_utf8_lossy(text).into_owned();
        if ignore_case { text.to_lowercase() } else { text }
    };
    let needle = lower(needle.as_bytes());
    let line = lower(line);
    let whole = |at: usize| {
        let (before, after) = (line[..at].chars().next_back(), line[at + needle.len()..].chars().next());
        // Beside what is no text nobody can tell whether a word ends.
        let is_word = |char: char| is_word(char) || char == char::REPLACEMENT_CHARACTER;
        !words || !before.is_some_and(is_word) && !after.is_some_and(is_word)
    };
    (0..=line.len()).any(|at| line.is_char_boundary(at) && line[at..].starts_with(&needle) && whole(at))
}

proptest! {
    #[test]
    fn literals_are_found_as_by_trying_every_position(
        block in block(),
        needles in prop::collection::vec("[abA_é日 -]{1,3}", 1..4),
        refused in prop::collection::vec("[abé-]{1,2}", 0..2),
        ignore_case: bool,
        words: bool,
    ) {
        let (grep, not) = (needles.clone(), refused.clone());
        let filter = Filter::new(&FilterSpec { grep, not, ignore_case, words, literal: true }).unwrap();
        let passes = |line: &[u8]| {
            needles.iter().all(|needle| naive(line, needle, ignore_case, words))
                && !refused.iter().any(|needle| naive(line, needle, ignore_case, words))
        };
        let expected: Vec<&[u8]> = lines(&block).into_iter().filter(|line| passes(line)).collect();
        prop_assert_eq!(shown(&filter, &block), expected);
    }

    #[test]
    fn expressions_find_in_a_block_what_they_find_in_its_lines(
        block in block(),
        pattern in prop::sample::select(vec![
            "a", "^a", "b$", "a.b", "a[^a]b", r"\ba", r"a\b", r"\Ba", "^$", "", r"\s", r"[^a]+b", "(a|b)+$", "(?i)É",
            r"\w\W\w", "a*", "(?-u:\\xff)", r"\b{start}b", "^.*$", r"\r", "b\\r", "..", "a{2,3}|b{2}", "[^\\r]$",
        ]),
        ignore_case: bool,
    ) {
        let filter = Filter::new(&FilterSpec { ignore_case, ..spec(&[pattern], &[]) }).unwrap();
        // The same crate as people use it, on each line alone.
        let mut plain = RegexBuilder::new(pattern);
        let plain = plain.multi_line(true).crlf(true).case_insensitive(ignore_case).build().unwrap();
        let expected: Vec<&[u8]> = lines(&block).into_iter().filter(|line| plain.is_match(line)).collect();
        prop_assert_eq!(shown(&filter, &block), expected);
        for line in lines(&block).into_iter().filter(|line| !line.ends_with(b"\r") && line.len() < 64) {
            prop_assert_eq!(filter.shows(line), plain.is_match(line));
            let marked = plain.find_iter(line).map(|found| found.range()).filter(|range| !range.is_empty());
            let marked: usize = marked.map(|range| range.len()).sum();
            prop_assert_eq!(filter.marks(line).iter().map(ExactSizeIterator::len).sum::<usize>(), marked);
        }
    }
}
