//! Conversations in memory: bytes go in, events and bytes come out, no sockets (RFC 6455 §5 to §7).
//!
//! Frames are written out by hand here, so that an error of our encoder cannot hide one of our decoder. What must hold
//! however the network cuts the bytes is checked for every cut.

use std::borrow::Cow;

use wiretail::ws::{
    CloseCode, Closed, ClosedBy, Connection, Event, Input, Limits, MaskKeys, Message, ProtocolError,
};

const FIN_TEXT: u8 = 0x81;
const FIN_BINARY: u8 = 0x82;
const TEXT: u8 = 0x01;
const BINARY: u8 = 0x02;
const MORE: u8 = 0x00;
const END: u8 = 0x80;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// A frame as a server sends it.
fn plain(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    framed(first, 0, &[], payload.as_ref())
}

/// A frame as a client sends it, masked with the key of the RFC's examples.
fn masked(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let payload: Vec<u8> = payload.as_ref().iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b).collect();
    framed(first, 0x80, &key, &payload)
}

fn framed(first: u8, mask_bit: u8, key: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(mask_bit | len as u8),
        len @ 126..=0xffff => {
            frame.push(mask_bit | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(mask_bit | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(key);
    frame.extend(payload);
    frame
}

/// The payload of a close frame.
fn goodbye(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

fn text(text: &str) -> Event<'static> {
    Event::Message(Message::Text(Cow::Owned(text.to_owned())))
}

fn binary(bytes: &[u8]) -> Event<'static> {
    Event::Message(Message::Binary(Cow::Owned(bytes.to_owned())))
}

fn ping(payload: &str) -> Event<'static> {
    Event::Ping(Cow::Owned(payload.as_bytes().to_owned()))
}

fn pong(payload: &str) -> Event<'static> {
    Event::Pong(Cow::Owned(payload.as_bytes().to_owned()))
}

fn closed(code: Option<u16>, reason: &str, by: ClosedBy) -> Event<'static> {
    let code = code.map(|code| CloseCode::new(code).expect("a code that may be sent"));
    Event::Closed(Closed { code, reason: reason.to_owned(), by })
}

/// What the connection does when a peer commits `sin`: the event, and the close frame.
fn failed(sin: ProtocolError) -> (Event<'static>, Vec<u8>) {
    let (code, reason) = (sin.close_code().number(), sin.to_string());
    (closed(Some(code), &reason, ClosedBy::Failure(sin)), goodbye(code, &reason))
}

/// An event that outlives the bytes it was read from.
fn keep(event: Event<'_>) -> Event<'static> {
    let own = |bytes: Cow<'_, [u8]>| Cow::Owned(bytes.into_owned());
    match event {
        Event::Message(Message::Text(text)) => Event::Message(Message::Text(Cow::Owned(text.into_owned()))),
        Event::Message(Message::Binary(bytes)) => Event::Message(Message::Binary(own(bytes))),
        Event::Ping(payload) => Event::Ping(own(payload)),
        Event::Pong(payload) => Event::Pong(own(payload)),
        Event::Closed(closed) => Event::Closed(closed),
    }
}

/// A connection, what it has told us, and what it has said to its peer.
struct Talk {
    connection: Connection,
    events: Vec<Event<'static>>,
    out: Vec<u8>,
}

impl Talk {
    fn server() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        Self { connection: Connection::server(limits), events: Vec::new(), out: Vec::new() }
    }

    fn client() -> Self {
        let connection = Connection::client(Limits::default(), MaskKeys::new([7; 32]));
        Self { connection, events: Vec::new(), out: Vec::new() }
    }

    /// The peer says this.
    fn hear(&mut self, bytes: impl AsRef<[u8]>) {
        let mut bytes = bytes.as_ref().to_vec();
        let mut input = Input::new(&mut bytes);
        while let Some(event) = self.connection.receive(&mut input, &mut self.out) {
            self.events.push(keep(event));
        }
        assert!(input.is_empty(), "`None` means that everything is read");
    }

    /// We were told exactly this since the last time.
    fn tells(&mut self, events: &[Event<'static>]) {
        assert_eq!(std::mem::take(&mut self.events), events);
    }

    /// Exactly this was said to the peer since the last time.
    fn says(&mut self, bytes: impl AsRef<[u8]>) {
        assert_eq!(std::mem::take(&mut self.out), bytes.as_ref());
    }
}

/// What a server makes of `bytes`, which must not depend on how they are cut.
fn outcome(limits: Limits, bytes: &[u8]) -> (Vec<Event<'static>>, Vec<u8>) {
    let in_pieces = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut talk = Talk::with(limits);
        pieces.for_each(|piece| talk.hear(piece));
        (talk.events, talk.out)
    };
    let whole = in_pieces(&mut [bytes].into_iter());
    for cut in 0..=bytes.len() {
        assert_eq!(in_pieces(&mut [&bytes[..cut], &bytes[cut..]].into_iter()), whole, "cut at {cut}");
    }
    for size in [1, 2, 3, 7] {
        assert_eq!(in_pieces(&mut bytes.chunks(size)), whole, "in pieces of {size}");
    }
    whole
}

/// `bytes` make a server fail its peer, with everything before them answered.
fn sins(bytes: impl AsRef<[u8]>, sin: ProtocolError) {
    sins_with(Limits::default(), bytes, sin);
}

fn sins_with(limits: Limits, bytes: impl AsRef<[u8]>, sin: ProtocolError) {
    let script =
        [&masked(PING, "due")[..], bytes.as_ref(), &masked(FIN_TEXT, "never heard"), &masked(PING, "x")]
            .concat();
    let (event, payload) = failed(sin);
    let (events, out) = outcome(limits, &script);
    assert_eq!(events, [ping("due"), event], "{sin:?}");
    assert_eq!(out, [plain(PONG, "due"), plain(CLOSE, payload)].concat(), "{sin:?}");
}

// --- messages

#[test]
fn s5_7_the_examples_of_the_rfc() {
    let mut talk = Talk::server();
    talk.hear([0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    talk.tells(&[text("Hello")]);
    let mut talk = Talk::client();
    talk.hear([0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
    talk.hear([0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f]);
    talk.tells(&[text("Hello"), text("Hello")]);
    talk.hear([&[0x82, 0x7e, 0x01, 0x00][..], &[9; 256]].concat());
    talk.tells(&[binary(&[9; 256])]);
}

#[test]
fn everything_at_once_is_the_same_however_it_is_cut() {
    let long: String = ('a'..='z').cycle().take(300).collect();
    let script = [
        masked(FIN_TEXT, "h\u{e9}llo"),
        masked(PING, "1"),
        masked(TEXT, "\u{20ac}".as_bytes().split_at(1).0),
        masked(PING, "2"),
        masked(MORE, ""),
        masked(PONG, "unasked"),
        masked(END, "\u{20ac}".as_bytes().split_at(1).1),
        masked(FIN_BINARY, ""),
        masked(BINARY, [0, 255]),
        masked(END, &long),
        masked(CLOSE, goodbye(3000, "b\u{fc}e")),
        masked(FIN_TEXT, "too late"),
    ]
    .concat();
    let (events, out) = outcome(Limits::default(), &script);
    assert_eq!(
        events,
        [
            text("h\u{e9}llo"),
            ping("1"),
            ping("2"),
            pong("unasked"),
            text("\u{20ac}"),
            binary(b""),
            binary(&[&[0, 255], long.as_bytes()].concat()),
            closed(Some(3000), "b\u{fc}e", ClosedBy::Peer),
        ]
    );
    assert_eq!(out, [plain(PONG, "1"), plain(PONG, "2"), plain(CLOSE, goodbye(3000, ""))].concat());
}

#[test]
fn a_message_that_lies_whole_in_the_input_is_lent_and_any_other_is_given() {
    let mut connection = Connection::server(Limits::default());
    let mut bytes = [masked(FIN_TEXT, "whole"), masked(TEXT, "in "), masked(END, "two")].concat();
    let mut input = Input::new(&mut bytes);
    let mut out = Vec::new();
    let first = connection.receive(&mut input, &mut out);
    assert!(matches!(first, Some(Event::Message(Message::Text(Cow::Borrowed("whole"))))));
    let second = connection.receive(&mut input, &mut out);
    assert!(matches!(second, Some(Event::Message(Message::Text(Cow::Owned(_))))));
    assert_eq!(connection.receive(&mut input, &mut out), None);
}

#[test]
fn a_ping_between_two_fragments_is_answered_before_the_message_ends() {
    let mut talk = Talk::server();
    talk.hear(masked(TEXT, "he"));
    talk.hear(masked(PING, "are you there"));
    talk.says(plain(PONG, "are you there"));
    talk.hear(masked(END, "llo"));
    talk.tells(&[ping("are you there"), text("hello")]);
}

#[test]
fn what_we_send_has_the_shortest_length() {
    for (len, header) in [
        (0, &[0x82, 0][..]),
        (125, &[0x82, 125]),
        (126, &[0x82, 126, 0, 126]),
        (65535, &[0x82, 126, 255, 255]),
        (65536, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] {
        let mut talk = Talk::server();
        talk.connection.send_binary(&vec![5; len], &mut talk.out);
        talk.says([header, &vec![5; len]].concat());
    }
}

#[test]
fn a_ping_of_ours_is_cut_to_125_bytes() {
    let mut talk = Talk::server();
    talk.connection.send_ping(&[1; 200], &mut talk.out);
    talk.says(plain(PING, [1; 125]));
}

// --- sins

#[test]
fn a_header_that_breaks_a_rule_fails_the_connection() {
    sins([0xc1, 0x80], ProtocolError::ReservedBits);
    sins([0x83, 0x80], ProtocolError::UnknownOpcode(3));
    sins([0x8f, 0x80], ProtocolError::UnknownOpcode(15));
    sins([0x09, 0x80], ProtocolError::ControlFragmented);
    sins([0x89, 0xfe], ProtocolError::ControlTooLong);
    sins([0x82, 0xfe, 0, 125], ProtocolError::LengthNotMinimal);
    sins([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0], ProtocolError::LengthTooLarge);
}

#[test]
fn s5_1_a_server_fails_a_client_that_does_not_mask() {
    sins(plain(FIN_TEXT, "bare"), ProtocolError::NotMasked);
    sins(plain(PING, ""), ProtocolError::NotMasked);
    sins(plain(CLOSE, goodbye(1000, "")), ProtocolError::NotMasked);
}

#[test]
fn s5_1_a_client_fails_a_server_that_masks_and_masks_what_it_says() {
    let mut talk = Talk::client();
    talk.hear(masked(FIN_TEXT, "masked"));
    let (event, payload) = failed(ProtocolError::Masked);
    talk.tells(&[event]);
    let (header, masked_payload) = talk.out.split_at(6);
    assert_eq!(header[..2], [CLOSE, 0x80 | payload.len() as u8]);
    let key = header[2..].iter().cycle();
    assert_eq!(masked_payload.iter().zip(key).map(|(a, b)| a ^ b).collect::<Vec<_>>(), payload);
}

#[test]
fn s5_4_fragments_of_two_messages_do_not_mix() {
    sins(masked(MORE, "x"), ProtocolError::NothingToContinue);
    sins(masked(END, ""), ProtocolError::NothingToContinue);
    sins([masked(TEXT, "a"), masked(FIN_TEXT, "b")].concat(), ProtocolError::MessageUnfinished);
    sins([masked(BINARY, "a"), masked(TEXT, "b")].concat(), ProtocolError::MessageUnfinished);
    sins([masked(TEXT, ""), masked(FIN_BINARY, "")].concat(), ProtocolError::MessageUnfinished);
}

#[test]
fn s8_1_text_that_is_not_utf8_fails_in_one_frame_and_in_many() {
    sins(masked(FIN_TEXT, b"\xce\xba\xff"), ProtocolError::NotUtf8);
    sins(masked(FIN_TEXT, b"\xe2\x82"), ProtocolError::NotUtf8);
    sins([masked(TEXT, b"\xe2"), masked(END, b"\x28")].concat(), ProtocolError::NotUtf8);
    sins([masked(TEXT, b"\xe2"), masked(END, b"\x82")].concat(), ProtocolError::NotUtf8);
    sins(masked(TEXT, b"\xed\xa0"), ProtocolError::NotUtf8);
}

#[test]
fn s8_1_impossible_text_fails_inside_an_unfinished_frame() {
    let mut talk = Talk::server();
    let frame = masked(FIN_TEXT, b"\xce\xba\xf4\x90\x80\x80 and much more");
    talk.hear(&frame[..6 + 3]);
    talk.tells(&[]);
    talk.hear(&frame[9..10]);
    let (event, payload) = failed(ProtocolError::NotUtf8);
    talk.tells(&[event]);
    talk.says(plain(CLOSE, payload));
}

#[test]
fn binary_need_not_be_utf8() {
    let script = [masked(BINARY, b"\xff"), masked(END, b"\xed\xa0")].concat();
    assert_eq!(outcome(Limits::default(), &script).0, [binary(b"\xff\xed\xa0")]);
}

#[test]
fn after_a_failure_nothing_is_told_or_said() {
    let mut talk = Talk::server();
    talk.hear(plain(FIN_TEXT, "bare"));
    talk.events.clear();
    talk.out.clear();
    talk.hear(masked(CLOSE, goodbye(1000, "")));
    talk.hear(masked(PING, ""));
    talk.connection.send_text("x", &mut talk.out);
    talk.connection.close(CloseCode::NORMAL, "", &mut talk.out);
    assert_eq!(talk.connection.receive_eof(), None);
    assert!(talk.connection.is_over());
    talk.tells(&[]);
    talk.says([]);
}

// --- limits

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

// --- pongs

#[test]
fn every_ping_is_answered_in_order_while_our_answers_leave() {
    let mut talk = Talk::server();
    talk.hear([masked(PING, "1"), masked(PING, ""), masked(PING, [b'3'; 125])].concat());
    talk.says([plain(PONG, "1"), plain(PONG, ""), plain(PONG, [b'3'; 125])].concat());
}

#[test]
fn while_pongs_are_held_only_the_latest_ping_is_remembered() {
    let mut talk = Talk::server();
    talk.connection.hold_pongs(true, &mut talk.out);
    talk.hear([masked(PING, "1"), masked(PING, "2")].concat());
    talk.connection.hold_pongs(true, &mut talk.out);
    talk.hear(masked(PING, "3"));
    talk.says([]);
    talk.tells(&[ping("1"), ping("2"), ping("3")]);
    talk.connection.hold_pongs(false, &mut talk.out);
    talk.says(plain(PONG, "3"));
    talk.connection.hold_pongs(false, &mut talk.out);
    talk.says([]);
    talk.hear(masked(PING, "4"));
    talk.says(plain(PONG, "4"));
}

#[test]
fn a_held_pong_goes_before_our_close_and_not_behind_the_peers() {
    let mut talk = Talk::server();
    talk.connection.hold_pongs(true, &mut talk.out);
    talk.hear(masked(PING, "1"));
    talk.connection.close(CloseCode::GOING_AWAY, "", &mut talk.out);
    talk.says([plain(PONG, "1"), plain(CLOSE, goodbye(1001, ""))].concat());
    let mut talk = Talk::server();
    talk.connection.hold_pongs(true, &mut talk.out);
    talk.hear([masked(PING, "1"), masked(CLOSE, "")].concat());
    talk.connection.hold_pongs(false, &mut talk.out);
    talk.says(plain(CLOSE, ""));
}

// --- closing

#[test]
fn s5_5_1_a_close_is_answered_with_the_code_it_came_with() {
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999] {
        let (events, out) = outcome(Limits::default(), &masked(CLOSE, goodbye(code, "so long")));
        assert_eq!(events, [closed(Some(code), "so long", ClosedBy::Peer)]);
        assert_eq!(out, plain(CLOSE, goodbye(code, "")));
    }
    let (events, out) = outcome(Limits::default(), &masked(CLOSE, ""));
    assert_eq!(events, [closed(None, "", ClosedBy::Peer)]);
    assert_eq!(out, plain(CLOSE, ""));
}

#[test]
fn s5_5_1_when_we_close_first_the_peers_answer_ends_it() {
    let mut talk = Talk::server();
    assert!(talk.connection.may_send());
    talk.connection.close(CloseCode::GOING_AWAY, "the server stops", &mut talk.out);
    talk.connection.close(CloseCode::NORMAL, "again", &mut talk.out);
    talk.connection.send_text("not any more", &mut talk.out);
    talk.says(plain(CLOSE, goodbye(1001, "the server stops")));
    assert!(!talk.connection.may_send() && !talk.connection.is_over());
    talk.hear(masked(CLOSE, goodbye(1001, "")));
    talk.tells(&[closed(Some(1001), "", ClosedBy::Us)]);
    talk.says([]);
}

#[test]
fn s7_1_when_both_close_at_once_nobody_answers_twice() {
    let (mut ours, mut theirs) = (Talk::server(), Talk::client());
    ours.connection.close(CloseCode::GOING_AWAY, "", &mut ours.out);
    theirs.connection.close(CloseCode::NORMAL, "", &mut theirs.out);
    let (from_us, from_them) = (std::mem::take(&mut ours.out), std::mem::take(&mut theirs.out));
    ours.hear(from_them);
    theirs.hear(from_us);
    ours.tells(&[closed(Some(1000), "", ClosedBy::Us)]);
    theirs.tells(&[closed(Some(1001), "", ClosedBy::Us)]);
    ours.says([]);
    theirs.says([]);
}

#[test]
fn what_the_peer_says_between_our_close_and_its_own_is_heard_and_pings_are_answered() {
    let mut talk = Talk::server();
    talk.connection.close(CloseCode::NORMAL, "", &mut talk.out);
    talk.out.clear();
    talk.hear([masked(FIN_TEXT, "last words"), masked(PING, "?")].concat());
    talk.tells(&[text("last words"), ping("?")]);
    talk.says(plain(PONG, "?"));
}

#[test]
fn a_sin_after_our_close_ends_it_without_a_second_close() {
    let mut talk = Talk::server();
    talk.connection.close(CloseCode::NORMAL, "", &mut talk.out);
    talk.out.clear();
    talk.hear(plain(FIN_TEXT, "bare"));
    talk.tells(&[failed(ProtocolError::NotMasked).0]);
    talk.says([]);
}

#[test]
fn a_close_between_the_fragments_of_a_message_is_legal() {
    let script = [masked(TEXT, "never fin"), masked(CLOSE, goodbye(1000, ""))].concat();
    let (events, out) = outcome(Limits::default(), &script);
    assert_eq!(events, [closed(Some(1000), "", ClosedBy::Peer)]);
    assert_eq!(out, plain(CLOSE, goodbye(1000, "")));
}

#[test]
fn everything_behind_a_close_is_ignored() {
    for behind in [masked(PING, "?"), masked(FIN_TEXT, "x"), masked(CLOSE, ""), b"\xff\xff\xff".to_vec()] {
        let script = [masked(CLOSE, goodbye(1000, "")), behind].concat();
        let (events, out) = outcome(Limits::default(), &script);
        assert_eq!(events, [closed(Some(1000), "", ClosedBy::Peer)]);
        assert_eq!(out, plain(CLOSE, goodbye(1000, "")));
    }
}

#[test]
fn a_malformed_close_is_never_echoed() {
    sins(masked(CLOSE, [3]), ProtocolError::CloseTooShort);
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        sins(masked(CLOSE, goodbye(code, "")), ProtocolError::CloseCode(code));
    }
    sins(masked(CLOSE, b"\x03\xe8\xce\xba\xff"), ProtocolError::CloseReason);
    sins(masked(CLOSE, [3; 126]), ProtocolError::ControlTooLong);
}

#[test]
fn the_longest_close_is_understood() {
    let reason = "r".repeat(123);
    let (events, _) = outcome(Limits::default(), &masked(CLOSE, goodbye(1000, &reason)));
    assert_eq!(events, [closed(Some(1000), &reason, ClosedBy::Peer)]);
}

#[test]
fn an_end_without_a_close_is_a_loss_and_told_once() {
    for close_first in [false, true] {
        let mut talk = Talk::server();
        talk.hear(&masked(FIN_TEXT, "half")[..7]);
        if close_first {
            talk.connection.close(CloseCode::NORMAL, "", &mut talk.out);
        }
        assert_eq!(talk.connection.receive_eof(), Some(closed(None, "", ClosedBy::Lost)));
        assert_eq!(talk.connection.receive_eof(), None);
    }
}

// --- both roles, back to back

/// Carries what each has said to the other until both are silent.
fn exchange(one: &mut Talk, other: &mut Talk) {
    while !(one.out.is_empty() && other.out.is_empty()) {
        let (from_one, from_other) = (std::mem::take(&mut one.out), std::mem::take(&mut other.out));
        one.hear(from_other);
        other.hear(from_one);
    }
}

#[test]
fn a_client_and_a_server_understand_each_other() {
    let (mut server, mut client) = (Talk::server(), Talk::client());
    client.connection.send_text("to the server", &mut client.out);
    client.connection.send_binary(&[0; 1000], &mut client.out);
    server.connection.send_text("to the client", &mut server.out);
    server.connection.send_ping(b"?", &mut server.out);
    exchange(&mut server, &mut client);
    server.tells(&[text("to the server"), binary(&[0; 1000]), pong("?")]);
    client.tells(&[text("to the client"), ping("?")]);
    client.connection.close(CloseCode::NORMAL, "enough", &mut client.out);
    exchange(&mut server, &mut client);
    server.tells(&[closed(Some(1000), "enough", ClosedBy::Peer)]);
    client.tells(&[closed(Some(1000), "", ClosedBy::Us)]);
}

#[test]
fn s5_3_a_client_masks_each_frame_with_another_key() {
    let mut talk = Talk::client();
    for _ in 0..20 {
        talk.connection.send_text("the same", &mut talk.out);
    }
    let mut frames: Vec<&[u8]> = talk.out.chunks(2 + 4 + 8).collect();
    assert!(frames.iter().all(|frame| frame[..2] == [FIN_TEXT, 0x80 | 8]));
    frames.sort_unstable();
    frames.dedup();
    assert_eq!(frames.len(), 20);
}
