//! Pings and their pongs, and how a conversation ends (RFC 6455 §5.5, §7).

use super::*;

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
