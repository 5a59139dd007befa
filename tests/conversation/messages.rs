//! What is heard and said when all goes well (RFC 6455 §5.2 to §5.6).

use super::*;

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
    assert!(
        matches!(first, Some(Event::Message(Message::Text(text))) if text.is_borrowed() && text == "whole")
    );
    let second = connection.receive(&mut input, &mut out);
    assert!(
        matches!(second, Some(Event::Message(Message::Text(text))) if !text.is_borrowed() && text == "in two")
    );
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
