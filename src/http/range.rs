//! Parts of a body: the `Range` field and what is answered to it (RFC 9110 §14).
//!
//! Knows numbers only: no file, no request. One range is enough for what asks for parts of a log (a download that is
//! continued, a script that fetches what is new); of several the whole is given, as "a server MAY ignore the Range
//! header field" (§14.2).

/// Which bytes of a body of a known length are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// All of them: nothing was said, or nothing that has to be heeded.
    Whole,
    /// From the first to the last, both included, as `Content-Range` spells it.
    Part {
        /// Offset of the first byte.
        first: u64,
        /// Offset of the last one; not before the first, and within the body.
        last: u64,
    },
    /// "none of the ranges-specifier's range-spec values are satisfiable" (§14.1.2): 416.
    Unsatisfiable,
}

impl Range {
    /// What `field`, the value of `Range`, wants of a body of `len` bytes.
    ///
    /// ```
    /// use wiretail::http::Range;
    ///
    /// assert_eq!(Range::parse("bytes=0-99", 1000), Range::Part { first: 0, last: 99 });
    /// assert_eq!(Range::parse("bytes=-10", 1000), Range::Part { first: 990, last: 999 });
    /// assert_eq!(Range::parse("bytes=1000-", 1000), Range::Unsatisfiable);
    /// assert_eq!(Range::parse("lines=1-2", 1000), Range::Whole);
    /// ```
    pub fn parse(field: &str, len: u64) -> Self {
        Self::spec(field, len).unwrap_or(Self::Whole)
    }

    /// `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-SUFFIX`. None of what is no such thing: "An origin server MUST
    /// ignore a Range header field that contains a range unit it does not understand", and an invalid one is ignored
    /// as well (§14.2).
    fn spec(field: &str, len: u64) -> Option<Self> {
        let (unit, set) = field.split_once('=')?;
        let (first, last) = set.trim_matches([' ', '\t']).split_once('-')?;
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        if first.is_empty() {
            let suffix = number(last)?;
            // "If the selected representation is shorter than the specified suffix-length, the entire representation
            // is used"; of a suffix of nothing there is nothing to satisfy (§14.1.2).
            return Some(match (suffix, len) {
                (0, _) | (_, 0) => Self::Unsatisfiable,
                _ => Self::Part { first: len.saturating_sub(suffix), last: len - 1 },
            });
        }
        let first = number(first)?;
        let last = if last.is_empty() { u64::MAX } else { number(last)? };
        // "An int-range is invalid if the last-pos value is present and less than first-pos."
        if last < first {
            return None;
        }
        Some(if first < len { Self::Part { first, last: last.min(len - 1) } } else { Self::Unsatisfiable })
    }
}

/// `1*DIGIT`. What is too large for us is larger than any file.
fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms() {
        let part = |first, last| Range::Part { first, last };
        for (field, wanted) in [
            ("bytes=0-0", part(0, 0)),
            ("bytes=5-", part(5, 9)),
            ("bytes=5-7", part(5, 7)),
            ("BYTES=5-700", part(5, 9)),
            ("bytes= 2-3 ", part(2, 3)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-99", part(0, 9)),
            ("bytes=0-99999999999999999999999", part(0, 9)),
        ] {
            assert_eq!(Range::parse(field, 10), wanted, "{field}");
        }
    }

    #[test]
    fn what_lies_behind_the_end_cannot_be_satisfied() {
        for field in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(Range::parse(field, 10), Range::Unsatisfiable, "{field}");
        }
        assert_eq!(Range::parse("bytes=0-", 0), Range::Unsatisfiable);
        assert_eq!(Range::parse("bytes=-1", 0), Range::Unsatisfiable);
    }

    #[test]
    fn what_is_no_range_of_bytes_is_ignored() {
        let fields = [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=7-5",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=0-1,3-4",
            "=1-2",
        ];
        for field in fields {
            assert_eq!(Range::parse(field, 10), Range::Whole, "{field}");
        }
    }

    #[test]
    fn a_part_never_leaves_the_body() {
        for len in 0..12 {
            for first in 0..14 {
                for last in 0..14 {
                    let naive: Vec<u64> = (first..=last).filter(|&at| at < len).collect();
                    let range = Range::parse(&format!("bytes={first}-{last}"), len);
                    match range {
                        Range::Part { first, last } => assert_eq!((first..=last).collect::<Vec<_>>(), naive),
                        Range::Unsatisfiable => assert!(naive.is_empty() && first <= last),
                        Range::Whole => assert!(last < first),
                    }
                }
            }
        }
    }
}
