//! The answer to a client's handshake: every cutting gives the same verdict, and a 101 is taken only with the one right
//! accept value.

use wiretail::ws::handshake::Client;

use super::cuttings;

/// Of the key below, which is the one of RFC 6455 §1.3.
const ACCEPT: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Reads `data` as what a server says to a client that asked for `wiretail.v1`.
pub fn run(data: &[u8]) {
    let outcomes: Vec<String> = cuttings(data).iter().map(|pieces| read(pieces)).collect();
    for other in &outcomes[1..] {
        assert_eq!(&outcomes[0], other, "the cutting made a difference");
    }
    if outcomes[0].starts_with("accepted") {
        // At once: only a server passes over empty lines in front (RFC 9112 §2.2).
        assert!(data.starts_with(b"HTTP/1.1 101"), "only 101 is accepted");
        assert!(data.windows(ACCEPT.len()).any(|bytes| bytes == ACCEPT), "accepted without the accept value");
    }
}

fn read(pieces: &[&[u8]]) -> String {
    let mut client = Client::new(*b"the sample nonce", "localhost", "/tail/a", &["wiretail.v1"], &[]);
    let mut at = 0;
    for piece in pieces {
        match client.receive(piece) {
            Ok(None) => at += piece.len(),
            Ok(Some((accepted, used))) => {
                assert!(0 < used && used <= piece.len());
                return format!("accepted {accepted:?}, the head ended at {}", at + used);
            }
            Err(error) => return format!("refused: {error:?}"),
        }
    }
    "incomplete".to_owned()
}
