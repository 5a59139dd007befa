//! Random operations on a log, as proptest draws them. What they do is in `history`.

use proptest::prelude::*;

use super::history::{Bytes, Operation, Packing};

fn bytes() -> impl Strategy<Value = Bytes> {
    let len = prop_oneof![6 => 0..100_usize, 3 => 0..2_000_usize, 1 => 0..200_000_usize];
    (any::<u8>(), len, any::<u64>()).prop_map(|(kind, len, seed)| Bytes { kind, len, seed })
}

/// Any operation, the likelier ones more often.
pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        10 => bytes().prop_map(Operation::Append),
        4 => (0..2_usize, bytes()).prop_map(|(back, bytes)| Operation::Late(back, bytes)),
        3 => Just(Operation::Rotate),
        2 => Just(Operation::CopyTruncate),
        4 => (0..3_usize, any::<u8>()).prop_map(|(back, kind)| {
            Operation::Compress(back, Packing::choose(kind))
        }),
        1 => Just(Operation::DeleteOldest),
        1 => Just(Operation::Truncate),
        1 => Just(Operation::Delete),
        1 => bytes().prop_map(Operation::Replace),
        4 => (0..2_000_u64).prop_map(Operation::Pause),
    ]
}
