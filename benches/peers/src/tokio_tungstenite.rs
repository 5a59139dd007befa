//! tokio-tungstenite: `send` for each message as in its example, or `feed` and one `flush`.

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tungstenite::{Error, Message};

use crate::{BATCH, Flush};

pub fn serve(flush: Flush) {
    crate::runtime().block_on(async {
        let listener = TcpListener::bind(crate::anywhere()).await.expect("a listener");
        crate::announce(listener.local_addr().expect("an address"));
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            tokio::spawn(async move {
                let Ok(connection) = tokio_tungstenite::accept_async(stream).await else { return };
                let _ = match flush {
                    Flush::Each => echo_each(connection).await,
                    Flush::Batch => echo_batches(connection).await,
                };
            });
        }
    });
}

async fn echo_each(mut connection: WebSocketStream<TcpStream>) -> Result<(), Error> {
    while let Some(message) = connection.next().await {
        let message = message?;
        if is_data(&message) {
            connection.send(message).await?;
        }
    }
    Ok(())
}

async fn echo_batches(mut connection: WebSocketStream<TcpStream>) -> Result<(), Error> {
    while let Some(message) = connection.next().await {
        let mut ready = Some(message?);
        for _ in 0..BATCH {
            let Some(message) = ready else { break };
            if is_data(&message) {
                connection.feed(message).await?;
            }
            ready = connection.next().now_or_never().flatten().transpose()?;
        }
        if let Some(message) = ready.filter(is_data) {
            connection.feed(message).await?;
        }
        connection.flush().await?;
    }
    Ok(())
}

fn is_data(message: &Message) -> bool {
    message.is_text() || message.is_binary()
}
