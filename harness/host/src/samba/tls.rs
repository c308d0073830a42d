//! The TLS of the client: a handshake that accepts whatever is shown, and a stream after it.
//!
//! Samba verifies the certificate after the handshake is complete, and when it gives up it says
//! nothing in TLS: it writes the seven bytes of an LDAP unbind into the bare TCP stream
//! (samba-tls-verify.md §11). So the rustls session is driven by hand here, and no alert of rustls
//! reaches the wire.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ground::Timestamp;
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, DigitallySignedStruct, Error as TlsError,
    InvalidMessage, PeerIncompatible, PeerMisbehaved, ProtocolVersion, SignatureScheme,
    SupportedProtocolVersion,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    time_provider::TimeProvider,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::{
    possession::{self, Possession, SCHEMES},
    sockets::Tcp,
    timeouts::CLOSING,
    watched,
};
use crate::Patience;

/// An LDAP unbind, message 1, as the client writes it in clear text when it gives up on TLS.
const CLEAR_UNBIND: [u8; 7] = [0x30, 0x05, 0x02, 0x01, 0x01, 0x42, 0x00];
// An alert in clear: type of its record, level and description.
const ALERT: u8 = 21;
const WARNING: u8 = 1;
const CLOSE_NOTIFY: u8 = 0;
/// Bytes read from the socket at once.
const READ_SIZE: usize = 16_384;

/// What the client offers.
#[derive(Debug)]
pub(super) struct Hello {
    /// Cipher suites and groups.
    pub(super) provider: CryptoProvider,
    /// Protocol versions.
    pub(super) versions: Vec<&'static SupportedProtocolVersion>,
    /// The name to send, if one is sent.
    pub(super) sni: Option<String>,
    /// The present, for rustls.
    pub(super) at: Timestamp,
}

/// What the server showed in a complete handshake.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    /// The certificates in the order they were sent.
    pub(super) certificates: Vec<Vec<u8>>,
    /// The version agreed on.
    pub(super) version: ProtocolVersion,
    /// The cipher suite agreed on.
    pub(super) suite: String,
}

/// How a handshake failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HandshakeError {
    /// The server sent a fatal alert.
    #[error("fatal alert {0:?} received")]
    Alert(AlertDescription),
    /// The server closed the connection.
    #[error("the server closed the connection")]
    Closed,
    /// The server closed the connection and said so.
    #[error("the server closed the connection with a close_notify")]
    ClosedWithNotice,
    /// The server chose a curve that was not offered.
    #[error("the server chose a curve that was not offered")]
    Curve,
    /// A record could not be decrypted.
    #[error("a record of the server could not be decrypted")]
    Decryption,
    /// The Finished message is wrong.
    #[error("the Finished message of the server is wrong")]
    Finished,
    /// The server contradicts what was offered.
    #[error("{0}")]
    Illegal(String),
    /// The parts of a message do not fill it, or do not fit into it.
    #[error("{0}")]
    Length(String),
    /// The server sent no certificate.
    #[error("the server sent no certificate")]
    NoCertificate,
    /// The client has nothing to offer that its TLS library can do.
    #[error("{0}")]
    Offer(String),
    /// A message that is not due.
    #[error("{0}")]
    OutOfTurn(String),
    /// A record is longer than it may be.
    #[error("a record of the server is longer than TLS allows")]
    Overflow,
    /// The server did something the client cannot go on with.
    #[error("{0}")]
    Protocol(String),
    /// The server reset the connection, or the network failed.
    #[error("the connection broke: {0}")]
    Reset(io::ErrorKind),
    /// The server does not own the key of its certificate.
    #[error("the server does not own the key of its certificate")]
    Signature,
    /// The server did not answer in time.
    #[error("the server did not answer in time")]
    Silent,
    /// The server chose a cipher suite that was not offered.
    #[error("the server chose a cipher suite that was not offered")]
    Suite,
    /// A message is larger than the client takes: 64 KiB with rustls, 128 KiB with GnuTLS.
    #[error("a message of the server is too large")]
    TooLarge,
    /// What came is no TLS.
    #[error("what came is no TLS")]
    UnexpectedPacket,
    /// The server chose a version that was not offered.
    #[error("the server chose a version that was not offered")]
    Version,
}

/// Does the handshake, within `limit`. Nothing is verified but the possession of the key. After a
/// failure of the client's own making the clear-text unbind has been written.
///
/// `heard` is what the server has said in clear after it agreed to StartTLS: Samba reads no byte
/// more than the answer, so GnuTLS gets it for the first record.
pub(super) async fn handshake(
    tcp: Tcp,
    heard: &[u8],
    hello: Hello,
    limit: Duration,
) -> Result<(TlsStream, Shown), HandshakeError> {
    let witness = Arc::new(Witness::default());
    let session = session(hello, &witness)?;
    let mut stream = TlsStream { tcp, session, has_ended: false };
    let outcome = match timeout(limit, stream.negotiate(heard)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(HandshakeError::Silent),
    };
    if let Err(error) = outcome {
        let error = if witness.refuted() { HandshakeError::Signature } else { error };
        stream.give_up().await;
        return Err(error);
    }
    let shown = Shown {
        certificates: witness.certificates(),
        version: stream.session.protocol_version().unwrap_or(ProtocolVersion::TLSv1_2),
        suite: stream
            .session
            .negotiated_cipher_suite()
            .map(|suite| format!("{:?}", suite.suite()))
            .unwrap_or_default(),
    };
    Ok((stream, shown))
}

/// Writes the clear-text unbind into a stream that never saw TLS, and closes it.
pub(super) async fn give_up_before_tls(mut tcp: Tcp) {
    close(&mut tcp, &CLEAR_UNBIND).await;
}

fn session(hello: Hello, witness: &Arc<Witness>) -> Result<ClientConnection, HandshakeError> {
    let refused = |error: TlsError| HandshakeError::Offer(error.to_string());
    let verifier = Arc::clone(witness);
    let time = Arc::new(At(hello.at));
    let mut config = ClientConfig::builder_with_details(Arc::new(hello.provider), time)
        .with_protocol_versions(&hello.versions)
        .map_err(refused)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    // A name that rustls cannot write into the handshake is left out.
    let name = hello.sni.and_then(|name| ServerName::try_from(name).ok());
    config.enable_sni = name.is_some();
    let name = name.unwrap_or(ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()));
    ClientConnection::new(Arc::new(config), name).map_err(refused)
}

/// A TLS connection whose handshake is complete.
#[derive(Debug)]
pub(super) struct TlsStream {
    tcp: Tcp,
    session: ClientConnection,
    /// Whether the last bytes of the server, before anything was protected, were a close_notify.
    has_ended: bool,
}

impl TlsStream {
    /// Sends bytes.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        io::Write::write_all(&mut self.session.writer(), bytes)?;
        self.flush().await
    }

    /// Appends what comes next. Zero after a close_notify; `UnexpectedEof` without one.
    pub(super) async fn receive(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        loop {
            let before = buffer.len();
            match io::Read::read_to_end(&mut self.session.reader(), buffer) {
                Ok(_) => return Ok(buffer.len() - before),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            if buffer.len() > before {
                return Ok(buffer.len() - before);
            }
            let read = self.read_records().await?;
            self.flush().await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Gives up: no alert, the unbind in clear text, and the end.
    pub(super) async fn give_up(mut self) {
        close(&mut self.tcp, &CLEAR_UNBIND).await;
    }

    /// Closes as is polite.
    pub(super) async fn close(mut self) {
        self.session.send_close_notify();
        // The peer may be gone already.
        let _ = self.flush().await;
        close(&mut self.tcp, &[]).await;
    }

    async fn negotiate(&mut self, heard: &[u8]) -> Result<(), HandshakeError> {
        self.flush().await.map_err(|error| HandshakeError::Reset(error.kind()))?;
        self.take_records(heard).map_err(|error| explain(&error))?;
        loop {
            self.flush().await.map_err(|error| HandshakeError::Reset(error.kind()))?;
            if !self.session.is_handshaking() {
                return Ok(());
            }
            match self.read_records().await {
                Ok(0) => return Err(HandshakeError::Closed),
                Ok(_) => {}
                Err(error) => return Err(explain(&error)),
            }
            if self.has_ended {
                return Err(HandshakeError::ClosedWithNotice);
            }
        }
    }

    async fn read_records(&mut self) -> io::Result<usize> {
        let mut buffer = vec![0; READ_SIZE];
        let read = self.tcp.read(&mut buffer).await?;
        self.take_records(&buffer[..read])?;
        // rustls reads on after a close_notify that nothing protects.
        self.has_ended = matches!(buffer[..read], [.., ALERT, 3, _, 0, 2, WARNING, CLOSE_NOTIFY]);
        Ok(read)
    }

    fn take_records(&mut self, mut rest: &[u8]) -> io::Result<()> {
        while !rest.is_empty() {
            self.session.read_tls(&mut rest)?;
            watched::begin();
            self.session
                .process_new_packets()
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> io::Result<()> {
        let mut records = Vec::new();
        while self.session.wants_write() {
            self.session.write_tls(&mut records)?;
        }
        self.tcp.write_all(&records).await
    }
}

/// Writes `last`, ends the stream and waits until the peer has ended its side too, so that what
/// was written is not lost to a reset.
pub(super) async fn close(tcp: &mut Tcp, last: &[u8]) {
    let closing = async {
        tcp.write_all(last).await?;
        tcp.shutdown().await?;
        if matches!(tcp, Tcp::Left(_)) {
            // What was written arrives.
            return Ok(());
        }
        let mut unread = vec![0; READ_SIZE];
        while tcp.read(&mut unread).await? > 0 {}
        io::Result::Ok(())
    };
    // Nothing depends on how it ends.
    let _ = timeout(CLOSING.waited(Patience::default()), closing).await;
}

fn explain(error: &io::Error) -> HandshakeError {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    match tls {
        Some(TlsError::AlertReceived(alert)) => HandshakeError::Alert(*alert),
        Some(TlsError::DecryptError) if watched::is_sound() => HandshakeError::Finished,
        Some(TlsError::DecryptError) => HandshakeError::Decryption,
        Some(
            error @ (TlsError::InappropriateHandshakeMessage { .. }
            | TlsError::InappropriateMessage { .. }),
        ) => HandshakeError::OutOfTurn(error.to_string()),
        Some(TlsError::InvalidMessage(invalid)) => match invalid {
            InvalidMessage::InvalidContentType
            | InvalidMessage::InvalidEmptyPayload
            | InvalidMessage::UnknownProtocolVersion => HandshakeError::UnexpectedPacket,
            InvalidMessage::CertificatePayloadTooLarge
            | InvalidMessage::HandshakePayloadTooLarge => HandshakeError::TooLarge,
            InvalidMessage::MessageTooLarge => HandshakeError::Overflow,
            InvalidMessage::MessageTooShort
            | InvalidMessage::MissingData(_)
            | InvalidMessage::TrailingData(_) => HandshakeError::Length(format!("{invalid:?}")),
            other => HandshakeError::Protocol(format!("{other:?}")),
        },
        Some(TlsError::NoCertificatesPresented) => HandshakeError::NoCertificate,
        Some(TlsError::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )) => HandshakeError::Version,
        Some(TlsError::PeerMisbehaved(misdeed)) => match misdeed {
            PeerMisbehaved::SelectedUnofferedCipherSuite
            | PeerMisbehaved::SelectedUnusableCipherSuiteForVersion => HandshakeError::Suite,
            PeerMisbehaved::SelectedUnofferedKxGroup => HandshakeError::Curve,
            other => HandshakeError::Illegal(format!("{other:?}")),
        },
        Some(other) => HandshakeError::Protocol(other.to_string()),
        None => HandshakeError::Reset(error.kind()),
    }
}

/// Watches the handshake: keeps the certificates, checks the signature, and judges nothing.
#[derive(Debug, Default)]
struct Witness {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    certificates: Vec<Vec<u8>>,
    refuted: bool,
}

impl Witness {
    fn certificates(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).certificates.clone()
    }

    fn refuted(&self) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).refuted
    }

    fn check(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        match possession::check(leaf, signed.scheme, message, signed.signature()) {
            Possession::Proven | Possession::Unknown => Ok(HandshakeSignatureValid::assertion()),
            Possession::Refuted => {
                self.seen.lock().unwrap_or_else(PoisonError::into_inner).refuted = true;
                Err(TlsError::General("wrong signature".to_owned()))
            }
        }
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let all = std::iter::once(leaf).chain(others);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.certificates = all.map(|certificate| certificate.to_vec()).collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.check(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.check(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        SCHEMES.to_vec()
    }
}

/// Keeps rustls from reading the machine's clock.
#[derive(Debug)]
struct At(Timestamp);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.unix()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}
