//! Whatever a peer says, some things always hold.

use proptest::prelude::*;

use super::*;

/// Something like a frame: mostly right, sometimes a fragment, sometimes nonsense.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        6 => prop::sample::select(vec![FIN_TEXT, FIN_BINARY, TEXT, BINARY, MORE, END, PING, PONG]),
        1 => Just(CLOSE),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        3 => "\\PC{0,40}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..140),
        1 => (any::<u16>(), "\\PC{0,20}").prop_map(|(code, reason)| goodbye(code, &reason)),
    ];
    (first, payload, prop::bool::weighted(0.97))
        .prop_map(|(first, payload, mask)| if mask { masked(first, payload) } else { plain(first, payload) })
}

/// The first bytes and payloads of what a server has said; every frame must be whole and as a server may send it.
fn frames_said(mut out: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = out {
        // Nothing is echoed here, so only control frames are said.
        assert!([PONG, CLOSE].contains(first) && *second <= 125, "{first:#04x} {second:#04x}");
        let (payload, rest) = rest.split_at(usize::from(*second));
        frames.push((*first, payload.to_vec()));
        out = rest;
    }
    assert!(out.is_empty());
    frames
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_cuts_do_not_matter_and_the_end_is_the_end(
        frames in prop::collection::vec(frame(), 0..12),
        sizes in prop::collection::vec(1usize..50, 1..20),
    ) {
        let script = frames.concat();
        let mut whole = Talk::with(Limits { message: 200, fragments: 4 });
        whole.hear(&script);

        let mut cut = Talk::with(Limits { message: 200, fragments: 4 });
        let mut rest = &script[..];
        for size in sizes.iter().cycle() {
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            cut.hear(piece);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(&whole.events, &cut.events);
        prop_assert_eq!(&whole.out, &cut.out);

        let said = frames_said(&whole.out);
        let ends = |event: &Event<'_>| matches!(event, Event::Closed(_));
        let closed_at = whole.events.iter().position(ends);
        prop_assert_eq!(closed_at.is_some(), whole.connection.is_over());
        prop_assert!(closed_at.is_none_or(|at| at + 1 == whole.events.len()), "nothing is told after the end");
        let said_close = said.iter().position(|(first, _)| *first == CLOSE);
        prop_assert_eq!(said_close, closed_at.map(|_| said.len() - 1), "one close frame, at the end");
        let pings = whole.events.iter().filter(|event| matches!(event, Event::Ping(_))).count();
        prop_assert_eq!(said.len(), pings + usize::from(closed_at.is_some()), "a pong for every ping");
    }
}
