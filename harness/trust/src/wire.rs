//! What the models do alike at their sockets: TCP whose two ends have one story in the ledger, and the parts of a
//! verifier of TLS that do not judge. Whom an end believes is said in each model, and nowhere here.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, LazyLock},
    time::Duration,
};

use ground::{Timestamp, Trail, Transport};
use rustls::{
    DigitallySignedStruct, Error as TlsError,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, UnixTime},
    time_provider::TimeProvider,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

/// How many connections a port serves at once. Whoever comes then waits until one has ended.
pub(crate) const CONNECTIONS_MAX: usize = 256;
/// For how long in real time a port that could not take a connection takes none.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a peer has in real time to close its side after a failure.
const CLOSING_LIMIT: Duration = Duration::from_secs(1);

/// The TLS of all ends.
pub(crate) fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));
    &PROVIDER
}

/// The moment of a handshake: of the clock that was passed in, and no other.
#[derive(Debug)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl TimeProvider for Moment {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.unix()).unwrap_or_default();
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// The next connection of a port. What keeps a port from taking one, such as a lack of descriptors, passes; to ask
/// again at once would be to do nothing else.
pub(crate) async fn next_connection<T, Accepted>(mut accept: impl FnMut() -> Accepted) -> T
where
    Accepted: Future<Output = io::Result<T>>,
{
    loop {
        match accept().await {
            Ok(connection) => return connection,
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Announces the flow before it opens it, so that what the other end sees is caused by it. From an address that is
/// this machine's alone nobody else can be reached: flows to elsewhere are opened without a word.
pub(crate) async fn connect(address: SocketAddr, trail: &Trail) -> io::Result<TcpStream> {
    if !address.ip().is_loopback() {
        return TcpStream::connect(address).await;
    }
    let (socket, local) = match address {
        SocketAddr::V4(_) => (TcpSocket::new_v4()?, (Ipv4Addr::LOCALHOST, 0).into()),
        SocketAddr::V6(_) => (TcpSocket::new_v6()?, (Ipv6Addr::LOCALHOST, 0).into()),
    };
    socket.bind(local)?;
    if let Some(cause) = trail.cause() {
        trail.ledger().open_flow(Transport::Tcp, socket.local_addr()?, cause);
    }
    // Conversations are of short messages in turn.
    socket.set_nodelay(true)?;
    socket.connect(address).await
}

/// The same, if it comes about within `limit` of real time.
pub(crate) async fn connect_within(
    limit: Duration,
    address: SocketAddr,
    trail: &Trail,
) -> io::Result<TcpStream> {
    in_time(limit, connect(address, trail)).await
}

/// What takes longer than `limit` of real time fails.
pub(crate) async fn in_time<T>(
    limit: Duration,
    conversation: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    timeout(limit, conversation).await.map_err(|_| io::ErrorKind::TimedOut)?
}

/// `trail` for what happens on a connection that was accepted: below what its other end did, if that is known.
pub(crate) fn accepted(tcp: &TcpStream, trail: &Trail) -> Trail {
    let dialler = tcp.peer_addr().ok();
    let cause = dialler.and_then(|from| trail.ledger().cause_of_flow(Transport::Tcp, from));
    trail.under(cause.or(trail.cause()))
}

/// Waits until the peer has read the alert: an early close could take it back.
pub(crate) async fn close(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let closing = async {
        stream.shutdown().await?;
        let mut unread = [0; 1024];
        while stream.read(&mut unread).await? > 0 {}
        io::Result::Ok(())
    };
    // Nothing depends on how it ends.
    let _ = timeout(CLOSING_LIMIT, closing).await;
}

/// In TLS 1.2 a signature scheme names the hash only; in TLS 1.3 the curve too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemeMeaning {
    Tls12,
    Tls13,
}

/// How a verifier of TLS has the peer prove that it owns the key of its certificate.
pub(crate) trait ChecksPossession {
    /// As webpki does: the certificate must be one that it can read.
    fn check_possession(
        &self,
        meaning: SchemeMeaning,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        checked_by_webpki(meaning, message, certificate, signed)
    }
}

/// What [`ChecksPossession`] does unless a type does more.
pub(crate) fn checked_by_webpki(
    meaning: SchemeMeaning,
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, TlsError> {
    let check = match meaning {
        SchemeMeaning::Tls12 => verify_tls12_signature,
        SchemeMeaning::Tls13 => verify_tls13_signature,
    };
    check(message, certificate, signed, &provider().signature_verification_algorithms)
}

/// In `impl ServerCertVerifier` and `impl ClientCertVerifier`: what they ask of a type that [`ChecksPossession`].
macro_rules! signatures_by_possession {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &rustls::pki_types::CertificateDer<'_>,
            signed: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            use $crate::wire::{ChecksPossession as _, SchemeMeaning};
            self.check_possession(SchemeMeaning::Tls12, message, certificate, signed)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &rustls::pki_types::CertificateDer<'_>,
            signed: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            use $crate::wire::{ChecksPossession as _, SchemeMeaning};
            self.check_possession(SchemeMeaning::Tls13, message, certificate, signed)
        }

        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            $crate::wire::provider().signature_verification_algorithms.supported_schemes()
        }
    };
}
pub(crate) use signatures_by_possession;

#[cfg(test)]
mod tests {
    use std::future::ready;

    use tokio::time::Instant;

    use super::*;

    /// The clock is paused: it jumps to the next time that somebody waits for.
    #[tokio::test(start_paused = true)]
    async fn a_port_that_takes_nobody_pauses() {
        let mut outcomes = vec![Ok("taken"), Err(24), Err(24)];
        let began = Instant::now();
        let taken = next_connection(|| {
            let outcome = outcomes.pop().expect("it is asked no more than three times");
            ready(outcome.map_err(io::Error::from_raw_os_error))
        });
        assert_eq!(taken.await, "taken");
        assert_eq!(began.elapsed(), 2 * ACCEPT_PAUSE);
    }
}
