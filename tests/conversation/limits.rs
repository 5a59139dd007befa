//! How much a peer may say, in one message and in how many pieces (RFC 6455 §10.4).

use super::*;

const SMALL: Limits = Limits { message: 10, fragments: 3 };

#[test]
fn a_message_of_the_most_bytes_in_the_most_fragments_is_heard() {
    let script = [masked(FIN_BINARY, [1; 10]), masked(TEXT, "01234"), masked(MORE, ""), masked(END, "56789")];
    let (events, _) = outcome(SMALL, &script.concat());
    assert_eq!(events, [binary(&[1; 10]), text("0123456789")]);
}

#[test]
fn a_message_beyond_the_limit_is_refused_from_its_header() {
    let mut talk = Talk::with(SMALL);
    talk.hear(&masked(FIN_TEXT, [b'x'; 11])[..6]);
    let (event, payload) = failed(ProtocolError::TooBig { limit: 10 });
    talk.tells(&[event]);
    talk.says(plain(CLOSE, payload));
    // However much is claimed: 2^63 - 1 bytes.
    let claim = [0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4];
    sins_with(SMALL, claim, ProtocolError::TooBig { limit: 10 });
}

#[test]
fn the_limit_is_on_the_sum_of_the_fragments() {
    let script = [masked(TEXT, "01234567"), masked(MORE, "012")].concat();
    sins_with(SMALL, script, ProtocolError::TooBig { limit: 10 });
    // Bytes of a character that is not whole yet count, too.
    let script = [masked(TEXT, b"01234567\xe2"), masked(MORE, b"\x82\xac")].concat();
    sins_with(SMALL, script, ProtocolError::TooBig { limit: 10 });
}

#[test]
fn empty_fragments_count() {
    let script = [masked(TEXT, ""), masked(MORE, ""), masked(MORE, ""), masked(MORE, "")].concat();
    sins_with(SMALL, script, ProtocolError::TooManyFragments { limit: 3 });
}

#[test]
fn each_message_and_each_ping_starts_the_count_anew() {
    let message =
        [masked(TEXT, "a"), masked(PING, ""), masked(MORE, "b"), masked(PONG, ""), masked(END, "c")];
    let (events, _) = outcome(SMALL, &message.concat().repeat(5));
    assert_eq!(events.iter().filter(|event| **event == text("abc")).count(), 5);
    let (events, _) = outcome(SMALL, &masked(FIN_TEXT, "x").repeat(9));
    assert_eq!(events, vec![text("x"); 9]);
}
