//! One handshake with a server that nobody simulates, for what it presents.

use std::{io, net::SocketAddr};

use ground::Timestamp;
use tokio::{net::TcpStream, time::timeout};
use trust_verdict::{Client, HandshakeFailure, PeerName, Presented};

use super::{
    timeouts::{TCP_CONNECT, TLS_HANDSHAKE},
    tls,
    trust::{Trust, handshake_failure, presented},
};

/// Why there is nothing to judge.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// No connection, so nothing about TLS.
    #[error("connect to {server}: {source}")]
    Connect {
        /// Where to.
        server: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The handshake failed.
    #[error("finish the handshake: {cause}")]
    Handshake {
        /// What the client makes of it.
        failure: HandshakeFailure,
        /// What happened.
        cause: String,
    },
}

/// Connects to `server`, offers what `client` would offer to `peer`, and returns what the server
/// presents. Nothing is verified but that the server owns its key.
///
/// It waits as long as Samba 4.22 does: 15 s for the connection, 2 s for the handshake. Of the
/// offer, TLS 1.0 and 1.1, finite fields, static RSA and CBC are left out, which rustls does not
/// have; the priority string that xapi writes names none of them.
pub async fn capture(
    client: &Client,
    server: SocketAddr,
    peer: &PeerName,
    at: Timestamp,
) -> Result<Presented, CaptureError> {
    let connecting = timeout(TCP_CONNECT.real, TcpStream::connect(server));
    let tcp = connecting
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(|source| CaptureError::Connect { server, source })?;
    let hello = Trust::of(client.clone()).hello(peer, at);
    match tls::handshake(tcp, hello, TLS_HANDSHAKE.real).await {
        Ok((stream, shown)) => {
            stream.close().await;
            Ok(presented(&shown))
        }
        Err(error) => Err(CaptureError::Handshake {
            failure: handshake_failure(&error),
            cause: error.to_string(),
        }),
    }
}
