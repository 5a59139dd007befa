//! Every cut, in every encoding, against the naive way: the whole decoded at once, each line redacted by itself.

use super::*;

const LABELS: [&str; 12] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "gbk",
    "gb18030",
    "big5",
    "shift_jis",
    "euc-jp",
    "euc-kr",
    "latin1",
    "koi8-r",
    "x-user-defined",
];

fn lens(label: &str, redact: &[&str]) -> Lens {
    let redact: Vec<String> = redact.iter().map(|&pattern| pattern.to_owned()).collect();
    Lens::new(Some(label), &redact, Seal::of(b"test")).unwrap()
}

/// A generator of bytes that are likely to mean something: leads, trails, digits, newlines, surrogates.
struct Bytes(u64);

impl Bytes {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn of(&mut self, len: usize) -> Vec<u8> {
        const LIKELY: &[u8] =
            b"\n\0\nA 09\x30\x40\x7e\x80\x81\x84\x8e\x8f\x95\xa1\xd8\xdb\xdc\xdf\xe2\x82\xac\xf0\xfe\xff";
        (0..len)
            .map(|_| match self.next() % 4 {
                0 => self.next().to_le_bytes()[0],
                _ => LIKELY[usize::try_from(self.next()).unwrap() % LIKELY.len()],
            })
            .collect()
    }
}

/// As readers do: what is unfinished waits for the next piece; at the end all is said.
fn piecewise(lens: &Lens, whole: &[u8], cuts: &[usize]) -> Vec<u8> {
    let (mut said, mut from) = (Vec::new(), 0);
    for &cut in cuts.iter().chain([&whole.len()]) {
        let is_last = cut == whole.len();
        let bytes = &whole[from..cut];
        let waits = match (is_last, lens.wants_whole_lines()) {
            (true, _) => 0,
            (false, true) => bytes.len() - lens.after_last_newline(from as u64, bytes).unwrap_or(0),
            (false, false) => lens.unfinished(from as u64, bytes),
        };
        assert!(lens.wants_whole_lines() || waits <= 3, "{waits} of {bytes:x?}");
        let bytes = &bytes[..bytes.len() - waits];
        let begins_line = lens.begins_line(from as u64, &whole[from.saturating_sub(64)..from]);
        said.extend_from_slice(&lens.text(&Stretch { at: from as u64, bytes, begins_line, is_last }));
        from += bytes.len();
    }
    said
}

fn naive(lens: &Lens, whole: &[u8]) -> Vec<u8> {
    let whole = whole.strip_prefix(lens.encoding.mark()).unwrap_or(whole);
    lens.encoding.of().decode_without_bom_handling(whole).0.as_bytes().to_vec()
}

#[test]
fn pieces_say_what_the_whole_would_wherever_they_are_cut() {
    let mut random = Bytes(1);
    for label in LABELS {
        let lens = lens(label, &[]);
        for _ in 0..400 {
            let len = usize::try_from(random.next() % 24).unwrap();
            let whole = random.of(len);
            let expected = naive(&lens, &whole);
            for i in 0..=len {
                for j in i..=len {
                    let said = piecewise(&lens, &whole, &[i, j]);
                    assert_eq!(said, expected, "{label}: {whole:x?} cut at {i} and {j}");
                }
            }
            let each: Vec<usize> = (0..len).collect();
            assert_eq!(piecewise(&lens, &whole, &each), expected, "{label}: {whole:x?} byte by byte");
        }
    }
}

#[test]
fn newlines_of_the_source_are_those_of_the_text() {
    let mut random = Bytes(2);
    for label in LABELS {
        let lens = lens(label, &[]);
        for len in 0..200 {
            let whole = random.of(len);
            let text = naive(&lens, &whole);
            let newlines = memchr::memchr_iter(b'\n', &text).count();
            assert_eq!(lens.newlines(0, &whole), newlines, "{label}: {whole:x?}");
            let (mut at, mut count) = (0, 0);
            while let Some(end) = lens.after_first_newline(at as u64, &whole[at..]) {
                (at, count) = (at + end, count + 1);
                assert_eq!(lens.after_last_newline(0, &whole[..at]), Some(at));
            }
            assert_eq!(count, newlines);
            for back in 1..=count {
                let after = lens.after_last_newlines(0, &whole, back).unwrap();
                assert_eq!(lens.newlines(after as u64, &whole[after..]), back - 1);
            }
        }
    }
}

#[test]
fn a_border_in_a_file_is_one_that_the_pieces_have_too() {
    use std::io::Write;
    let mut random = Bytes(3);
    for label in LABELS {
        let lens = lens(label, &[]);
        for _ in 0..60 {
            let whole = random.of(40);
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&whole).unwrap();
            let file = file.into();
            for at in 0..=whole.len() {
                let border = usize::try_from(lens.border(&file, at as u64).unwrap()).unwrap();
                assert!(border <= at && at - border <= 3, "{label}: {whole:x?} at {at}");
                let (before, after) = whole.split_at(border);
                let text = |at: usize, bytes: &[u8]| {
                    lens.text(&Stretch { at: at as u64, bytes, begins_line: true, is_last: true }).to_vec()
                };
                let parts = [text(0, before), text(border, after)].concat();
                assert_eq!(parts, naive(&lens, &whole), "{label}: {whole:x?} at {at}");
            }
        }
    }
}

#[test]
fn a_byte_order_mark_tells_the_encoding_and_is_not_shown() {
    let log = Rc::new(lens("gbk", &[]));
    for (head, name, text) in [
        (&b"\xff\xfea\0\n\0"[..], "UTF-16LE", "a\n"),
        (b"\xfe\xff\0a\0\n", "UTF-16BE", "a\n"),
        (b"\xef\xbb\xbf\xc3\xa9\n", "UTF-8", "\u{e9}\n"),
        (b"\xc4\xe3\n", "GBK", "\u{4f60}\n"),
    ] {
        let lens = log.for_head(head);
        assert_eq!(lens.encoding(), name);
        let stretch = Stretch { at: 0, bytes: head, begins_line: true, is_last: false };
        assert_eq!(&*lens.text(&stretch), text.as_bytes());
    }
    assert_eq!(log.unfinished(0, b"\xff"), 1, "perhaps the first half of a mark");
}

#[test]
fn labels_are_those_of_the_standard_but_for_what_cannot_be_read_from_the_middle() {
    assert_eq!(lens("Latin1", &[]).encoding(), "windows-1252");
    assert_eq!(lens("gb2312", &[]).encoding(), "GBK");
    for bad in ["utf-9", "", "iso-2022-jp", "replacement", "hz-gb-2312"] {
        assert!(Lens::new(Some(bad), &[], Seal::default()).is_err(), "{bad}");
    }
}

#[test]
fn what_any_rule_matches_is_masked_and_rules_do_not_hide_from_each_other() {
    let lens = lens("utf-8", &["abcd", "cdef", "[0-9]+", "^key=.*$"]);
    for (line, shown) in [
        ("nothing here\n", "nothing here\n"),
        ("abcdef\n", "█████\n"),
        ("xabcdefx 12 3\r\n", "x█████x █████ █████\r\n"),
        ("key=x\r\n", "█████\r\n"),
        ("1\n2\n", "█████\n█████\n"),
    ] {
        let stretch = Stretch { at: 0, bytes: line.as_bytes(), begins_line: true, is_last: false };
        assert_eq!(std::str::from_utf8(&lens.text(&stretch)).unwrap(), shown);
    }
    for bad in ["(", "x*", "a{1000}{1000}", ""] {
        assert!(Lens::new(None, &[bad.to_owned()], Seal::default()).is_err(), "{bad:?}");
    }
}

#[test]
fn where_a_rule_would_take_too_long_the_rest_of_the_line_is_masked() {
    let shown = |rule: &str, line: &[u8]| {
        let stretch = Stretch { at: 0, bytes: line, begins_line: true, is_last: false };
        String::from_utf8(lens("utf-8", &[rule]).text(&stretch).to_vec()).unwrap()
    };
    let hostile = [&b"a.".repeat(READ / 2 - 1)[..], b"\n"].concat();
    assert_eq!(shown("a[^b]*b|a", &hostile), format!("{}{MASK}\n", format!("{MASK}.").repeat(16)));
    // What has an end is found to the end.
    assert_eq!(shown("a.?b|a", &hostile), format!("{}\n", format!("{MASK}.").repeat(READ / 2 - 1)));
    let tokens = b"token=secret and more text; ".repeat(16);
    let tokens = String::from_utf8([&tokens[..], b"\n"].concat()).unwrap();
    assert_eq!(shown(r"token=\w+", tokens.as_bytes()), tokens.replace("token=secret", MASK));
}

#[test]
fn no_cut_and_no_place_to_begin_shows_any_of_a_secret() {
    let secret = "\u{79d8}\u{5bc6}=7391";
    let log = format!("one\nuser \u{674e} {secret} x\n{secret}\nlast {secret}");
    for label in ["utf-8", "gbk", "utf-16le", "utf-16be", "shift_jis", "big5"] {
        let lens = lens(label, &["\u{79d8}\u{5bc6}=[0-9]{4}"]);
        let whole: Vec<u8> = match label {
            "utf-16le" => log.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "utf-16be" => log.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            _ => encoding_rs::Encoding::for_label(label.as_bytes()).unwrap().encode(&log).0.into_owned(),
        };
        let expected = log.replace(secret, MASK);
        for from in 0..=whole.len() {
            for to in from..=whole.len() {
                let begins_line = lens.begins_line(from as u64, &whole[from.saturating_sub(8)..from]);
                let is_last = to == whole.len();
                let stretch = Stretch { at: from as u64, bytes: &whole[from..to], begins_line, is_last };
                let text = lens.text(&stretch);
                let text = std::str::from_utf8(&text).unwrap();
                assert!(!text.contains(|c: char| c.is_ascii_digit()), "{label}, {from}..{to}: {text}");
                assert!(!text.contains('\u{5bc6}') && !text.contains('='), "{label}, {from}..{to}: {text}");
            }
            let said = piecewise(&lens, &whole, &[from]);
            assert_eq!(std::str::from_utf8(&said).unwrap(), expected, "{label} cut at {from}");
        }
    }
}

#[test]
fn a_line_beyond_64_kib_is_masked_as_a_whole() {
    let lens = lens("utf-8", &["secret"]);
    let whole = [&b"a\n"[..], &vec![b'x'; READ], b" se", b"cret\nb\n"].concat();
    for cut in [2, 3, 100, READ, READ + 2, READ + 4, READ + 5, READ + 9, READ + 10] {
        let text = |at: usize, bytes: &[u8]| {
            let begins_line = lens.begins_line(at as u64, &whole[at.saturating_sub(8)..at]);
            lens.text(&Stretch { at: at as u64, bytes, begins_line, is_last: false }).to_vec()
        };
        let said = [text(0, &whole[..cut]), text(cut, &whole[cut..])].concat();
        assert_eq!(said, "a\n█████\nb\n".as_bytes(), "cut at {cut}");
    }
}
