//! A client and a server, back to back.

use super::*;

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
