//! Both ends of a handshake, with permessage-deflate where this build has it.

use wiretail::ws::deflate::{Parameters, WindowBits};
use wiretail::ws::handshake::{Client, Upgrade};
use wiretail::ws::{Connection, Limits, MaskKeys};

use super::choices::Choices;

/// The nonce of RFC 6455 §1.3, whose answer everybody knows.
pub const NONCE: [u8; 16] = *b"the sample nonce";

/// Which side somebody plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Server,
    Client,
}

impl Role {
    /// The one it talks to.
    pub fn other(self) -> Self {
        match self {
            Self::Server => Self::Client,
            Self::Client => Self::Server,
        }
    }
}

/// A side of a conversation that has just been opened.
pub fn open(role: Role, limits: Limits, agreed: Option<&Parameters>) -> Connection {
    let connection = match role {
        Role::Server => Connection::server(limits),
        Role::Client => Connection::client(limits, MaskKeys::new([7; 32])),
    };
    match agreed {
        Some(agreed) => compressing(connection, agreed),
        None => connection,
    }
}

#[cfg(feature = "deflate")]
fn compressing(connection: Connection, agreed: &Parameters) -> Connection {
    connection.with_deflate(*agreed)
}

#[cfg(not(feature = "deflate"))]
fn compressing(_: Connection, agreed: &Parameters) -> Connection {
    panic!("{agreed:?} was agreed on without the feature")
}

/// A client that offers permessage-deflate, if this build has it.
#[cfg(feature = "deflate")]
pub fn offering(client: Client, wish: &Parameters) -> Client {
    client.offering_deflate(wish)
}

/// A client that offers permessage-deflate, if this build has it.
#[cfg(not(feature = "deflate"))]
pub fn offering(client: Client, _: &Parameters) -> Client {
    client
}

/// What a server with that wish agrees to.
#[cfg(feature = "deflate")]
pub fn agree(upgrade: &mut Upgrade, wish: &Parameters) -> Option<Parameters> {
    upgrade.agree_deflate(wish)
}

/// What a server with that wish agrees to.
#[cfg(not(feature = "deflate"))]
pub fn agree(_: &mut Upgrade, _: &Parameters) -> Option<Parameters> {
    None
}

/// Any parameters.
pub fn parameters_from(choices: &mut Choices<'_>) -> Parameters {
    let (flags, windows) = (choices.byte(), choices.byte());
    let bits = |bits: u8| WindowBits::new(8 + bits % 8).expect("from 8 to 15");
    Parameters {
        server_no_context_takeover: flags & 1 != 0,
        client_no_context_takeover: flags & 2 != 0,
        server_max_window_bits: bits(windows),
        client_max_window_bits: bits(windows >> 4),
    }
}
