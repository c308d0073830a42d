//! The two ends of a TCP connection: politely and with a reset.

use std::time::Duration;

use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Ends the connection so that the client gets everything sent before.
///
/// The kernel answers bytes that arrive at a closed socket with a reset, and a reset discards what
/// the client has not read yet. So what it still sends is read and dropped until it closes.
pub(crate) async fn close(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut rest = [0; 1_024];
    let drained = async { while matches!(stream.read(&mut rest).await, Ok(size) if size > 0) {} };
    // A client that goes on talking gets its reset.
    let _ = timeout(LINGER, drained).await;
}

/// How long a client may take to notice the end of the connection.
const LINGER: Duration = Duration::from_secs(5);

/// Makes the coming close of `stream` a reset.
pub(crate) fn reset(stream: &TcpStream) {
    // Fails only on a socket that is none.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
