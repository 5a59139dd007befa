//! Wherever pieces and parts end, whole lines are judged.

use super::*;
use crate::tail::cursor::{GuardPrint, HeadPrint, Place};
use crate::tail::pattern::FilterSpec;
use crate::tail::standing::Spot;

pub(super) fn sieve(grep: &str) -> Sieve {
    let spec = FilterSpec { grep: vec![grep.to_owned()], ..FilterSpec::default() };
    Sieve { filter: Rc::new(Filter::new(&spec).unwrap()), halves: Halves::default() }
}

/// Standing in generations, by id and offset.
fn at(spots: &[(u64, usize)]) -> Standing {
    let spot = |&(id, offset): &(u64, usize)| {
        let (head, guard) = (HeadPrint::of(b"", 0), GuardPrint::of(b""));
        Spot { id: GenerationId(id), place: Place { inode: id, head, guard, offset: offset as u64 } }
    };
    Standing::new(spots.iter().map(spot).collect())
}

/// What is shown of a piece, however many parts it takes.
fn sift(sieve: &Sieve, kind: &PieceKind, from: &Standing, to: &Standing) -> Passed {
    let mut sifting = sieve.begin(kind, from, to);
    loop {
        if let Some(passed) = sieve.go_on(&mut sifting, kind) {
            return passed;
        }
    }
}

/// One viewer who reads a log of several generations.
struct Viewer {
    sieve: Sieve,
    at: Vec<(u64, usize)>,
    shown: String,
}

impl Viewer {
    fn new(grep: &str) -> Self {
        Self { sieve: sieve(grep), at: vec![(1, 0)], shown: String::new() }
    }

    fn step(&mut self, kind: &PieceKind, to: Vec<(u64, usize)>) {
        loop {
            let (text, halves, again) = match sift(&self.sieve, kind, &at(&self.at), &at(&to)) {
                Passed::Whole(halves) => {
                    let text = match kind {
                        PieceKind::Lines { text, .. } => Rc::clone(text),
                        _ => Rc::from(*b""),
                    };
                    (text, halves, false)
                }
                Passed::Text(text, halves) => (text, halves, false),
                Passed::Before(text, halves) => (text, halves, true),
            };
            self.shown += std::str::from_utf8(&text).unwrap();
            self.sieve.halves = halves;
            if !again {
                self.at = to;
                return;
            }
        }
    }

    fn reads(&mut self, id: u64, text: &str) {
        let mut to = self.at.clone();
        to.iter_mut().find(|spot| spot.0 == id).unwrap().1 += text.len();
        self.step(&lines(text), to);
    }

    /// A mark, or a gap, that leads there.
    fn goes(&mut self, kind: &PieceKind, to: &[(u64, usize)]) {
        self.step(kind, to.to_vec());
    }
}

pub(super) fn lines(text: &str) -> PieceKind {
    let cursor = at(&[(1, 0)]).cursor();
    let bytes = text.len() as u64;
    PieceKind::Lines { from: cursor.clone(), to: cursor, text: text.as_bytes().into(), bytes }
}

fn rotated() -> PieceKind {
    PieceKind::Rotated { at: at(&[(2, 0)]).cursor() }
}

/// As `grep` would.
fn naive(grep: &str, text: &str) -> String {
    text.lines().filter(|line| line.contains(grep)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn wherever_the_text_is_cut_its_lines_are_judged_whole() {
    let text = "an ox\n\nno\nox ox\n\u{20ac} fox\nfo\nthe end of ox\n";
    let borders: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    for &i in &borders {
        for &j in borders.iter().filter(|&&j| j >= i) {
            let mut viewer = Viewer::new("ox");
            for piece in [&text[..i], &text[i..j], &text[j..]].into_iter().filter(|piece| !piece.is_empty()) {
                viewer.reads(1, piece);
            }
            assert_eq!(viewer.shown, naive("ox", text), "cut at {i} and {j}");
            assert!(viewer.sieve.halves.is_empty());
        }
    }
}

#[test]
fn where_all_lines_pass_the_piece_stays_as_it_is() {
    let (from, to) = (at(&[(1, 0)]), at(&[(1, 8)]));
    assert_eq!(sift(&sieve("o"), &lines("one\ntwo\n"), &from, &to), Passed::Whole(Halves::default()));
    let returns = at(&[(1, 10)]);
    assert_eq!(sift(&sieve("o$"), &lines("to\r\nno\r\n"), &from, &returns), Passed::Whole(Halves::default()));
    let passed = sift(&sieve("n"), &lines("one\ntwo\n"), &from, &to);
    assert_eq!(passed, Passed::Text(b"one\n"[..].into(), Halves::default()));
}

#[test]
fn what_ended_before_comes_first_though_all_lines_of_the_piece_pass() {
    let mut viewer = Viewer::new("o");
    viewer.reads(1, "fo");
    viewer.at.push((2, 0));
    viewer.step(&lines("one\ntwo\n"), vec![(2, 8)]);
    assert_eq!(viewer.shown, "fo\none\ntwo\n");
}

#[test]
fn late_lines_do_not_mix_with_those_of_the_successor() {
    let mut viewer = Viewer::new("o");
    viewer.reads(1, "one\nhalf of t");
    viewer.goes(&rotated(), &[(1, 13), (2, 0)]);
    viewer.reads(2, "fo");
    viewer.reads(1, "wo\n");
    viewer.reads(2, "ur\n");
    assert_eq!(viewer.shown, "one\nhalf of two\nfour\n");
}

#[test]
fn half_a_line_is_judged_when_its_generation_has_ended_or_bytes_are_missing() {
    let mut viewer = Viewer::new("o");
    viewer.reads(1, "zero\none");
    viewer.goes(&rotated(), &[(2, 0)]);
    assert_eq!(viewer.shown, "zero\none\n");
    viewer.reads(2, "two");
    let cursor = at(&[(2, 0)]).cursor();
    let why = crate::tail::GapReason::Hole;
    viewer.goes(&PieceKind::Gap { from: cursor.clone(), to: cursor, bytes: Some(5), why }, &[(2, 8)]);
    viewer.reads(2, "no more\n");
    assert_eq!(viewer.shown, "zero\none\ntwo\nno more\n");
    viewer.reads(2, "half of it");
    let (passed, halves) = viewer.sieve.end(|_| true);
    assert_eq!((passed.as_slice(), halves), (&b"half of it\n"[..], Halves::default()));
}

#[test]
fn a_long_line_is_judged_in_parts_and_never_held() {
    let mut viewer = Viewer::new("needle");
    viewer.reads(1, "short\nneedle ");
    viewer.reads(1, &"x".repeat(LONGEST));
    assert!(viewer.shown.starts_with("needle xxx") && viewer.shown.ends_with("x\n"));
    assert_eq!(viewer.sieve.halves.of(GenerationId(1)), Some(&Begun::Long), "nothing is held");
    let before = viewer.shown.len();
    viewer.reads(1, &"y".repeat(LONGEST));
    viewer.reads(1, "and a needle");
    viewer.reads(1, " z\nneedle\n");
    assert_eq!(&viewer.shown[before..], "and a needle\nneedle\n");
}

#[test]
fn what_costs_much_is_judged_a_part_at_a_time_and_comes_to_the_same() {
    // Some 400 places, so that a part is of 1 KiB; it finds what a plain "ox" finds.
    let costly = sieve(&format!("ox|(?:{}!)", "(?:a|b)".repeat(130)));
    let part = costly.filter.part().unwrap();
    let text =
        ["an ox\n", "no\n", "x ox x\r\n", &"-".repeat(3 * part), "\n"].concat().repeat(9) + "half an o";
    for begun in ["", "o", "some ", "x\nan o"] {
        let mut viewer = Viewer::new("none yet");
        viewer.sieve.filter = Rc::clone(&costly.filter);
        viewer.reads(1, begun);
        let to = at(&[(1, begun.len() + text.len())]);
        let kind = lines(&text);
        let mut sifting = viewer.sieve.begin(&kind, &at(&viewer.at), &to);
        let (mut parts, mut done) = (1, 0);
        let passed = loop {
            if let Some(passed) = viewer.sieve.go_on(&mut sifting, &kind) {
                break passed;
            }
            assert!(sifting.at - done < 5 * part, "no more than a part and a line");
            (parts, done) = (parts + 1, sifting.at);
        };
        assert!(parts >= 9, "{parts} parts");
        let Passed::Text(passed, halves) = passed else { panic!("some lines pass") };
        let shown = viewer.shown + std::str::from_utf8(&passed).unwrap();
        let all = format!("{begun}{text}");
        let naive: String =
            all.split_inclusive('\n').filter(|line| line.contains("ox") && line.ends_with('\n')).collect();
        assert_eq!(shown, naive, "behind {begun:?}");
        assert_eq!(halves.of(GenerationId(1)), Some(&Begun::Short(b"half an o"[..].into())));
    }
}
