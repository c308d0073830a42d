//! One handshake with a server that nobody simulates, for what it presents.

use std::{io, net::SocketAddr};

use ground::Timestamp;
use tokio::{net::TcpStream, time::timeout};
use trust_verdict::{Client, HandshakeFailure, PeerName, Presented};

use super::{
    sockets::Tcp,
    timeouts::{TCP_CONNECT, TLS_HANDSHAKE},
    tls,
    trust::{Trust, handshake_failure, presented},
};

/// Why there is nothing to judge.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// No address takes connections, so there is nothing to say about TLS.
    #[error("connect to {server}: {source}")]
    Connect {
        /// The last one tried.
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
        /// Whether the real client would have offered more: TLS 1.0 or 1.1, finite fields, static
        /// RSA or CBC, which rustls does not have. The string that xapi writes names none of them.
        narrowed: bool,
    },
    /// The name has no address.
    #[error("find an address: there is none")]
    NoAddress,
}

/// Connects to the first of `addresses` that takes connections, offers what `client` would offer
/// to `peer`, and returns what the server presents. Nothing is verified but that the server owns
/// its key.
///
/// It waits as long as Samba 4.22 does: 15 s for a connection, 2 s for the handshake.
pub async fn capture(
    client: &Client,
    addresses: &[SocketAddr],
    peer: &PeerName,
    at: Timestamp,
) -> Result<Presented, CaptureError> {
    let tcp = connect(addresses).await?;
    let hello = Trust::of(client.clone()).hello(peer, at);
    let offer = client.offer();
    let narrowed = hello.versions.len() < offer.versions.len()
        || hello.provider.cipher_suites.len() < offer.cipher_suites.len();
    match tls::handshake(Tcp::Right(tcp), &[], hello, TLS_HANDSHAKE.real).await {
        Ok((stream, shown)) => {
            stream.close().await;
            Ok(presented(&shown))
        }
        Err(error) => Err(CaptureError::Handshake {
            failure: handshake_failure(&error),
            cause: error.to_string(),
            narrowed,
        }),
    }
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, CaptureError> {
    let mut failed = CaptureError::NoAddress;
    for &server in addresses {
        let connecting = timeout(TCP_CONNECT.real, TcpStream::connect(server));
        match connecting.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(tcp) => return Ok(tcp),
            Err(source) => failed = CaptureError::Connect { server, source },
        }
    }
    Err(failed)
}
