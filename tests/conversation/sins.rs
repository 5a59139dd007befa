//! What no peer may do, and what becomes of one that does (RFC 6455 §5, §7.1.7, §8.1).

use super::*;

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
