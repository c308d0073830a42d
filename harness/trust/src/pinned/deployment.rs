//! How a host becomes an agent: over a channel like SSH's, in which the host shows a key of its own and
//! the manager may compare its fingerprint, and in two phases, so that both stores change or none does.
//!
//! ```text
//! manager                                    host
//!   compares the fingerprint
//!   writes down: deploying
//!                ── Prepare, Register ─▶
//!                                             writes down: pending, which nobody trusts yet
//!                ◀─ Offer, Prepared ──
//!   writes down the agent                     the decision: one replacement of one file
//!                ── Commit ──────────▶
//!                                             pending becomes trusted
//!                ◀─ Done ────────────
//!   writes down: settled
//! ```
//!
//! Whoever dies leaves something written down. The manager settles it, at its next start or when the
//! host is there again: before the decision, everything is taken back (`Abort`); after it, everything
//! is carried out (`Commit`). Both may be said as often as need be, and name the deployment by its token. A
//! manager does so before it deploys the same agent again, and a host has one deployment at a time.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use ground::{Secret, Trail};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, ServerConfig,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
    version::TLS13,
};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{
    Fingerprint, Frames, HANDSHAKE_LIMIT, Identity, PeerName, PinnedError, PublicKey,
    encoding::Bytes, facts::FingerprintCompared, key::Possession, witness::Timeless,
};
use crate::wire::{
    ChecksPossession, SchemeMeaning, close, connect_within, provider, signatures_by_possession,
};

/// What an operator orders.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// What the manager is going to call the host.
    pub agent: PeerName,
    /// Where the host takes deployments.
    pub address: SocketAddr,
    /// The host's key, as the operator knows it. Without it any key is believed, once.
    pub fingerprint: Option<Fingerprint>,
    /// Of the host's superuser.
    pub password: Secret,
    /// Where the agent is going to listen.
    pub service: SocketAddr,
}

/// A deployment that only its two ends know of, so that nobody else can commit or abort it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(transparent)]
pub(super) struct Token(pub(super) Secret);

/// From the manager to the host.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ToHost {
    Prepare {
        token: Token,
        /// What the manager is going to call the host.
        agent: PeerName,
        manager: PeerName,
        key: PublicKey,
        password: Secret,
    },
    Register {
        reply: Bytes,
    },
    Commit {
        token: Token,
    },
    Abort {
        token: Token,
    },
}

/// From the host to the manager.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FromHost {
    Offer {
        key: PublicKey,
        request: Bytes,
    },
    Prepared {
        record: Bytes,
    },
    /// It is committed, or aborted, now or before.
    Done,
    /// It is to be committed, and the host has nothing of it.
    Unknown,
    Refused {
        reason: String,
        words: String,
    },
}

impl FromHost {
    pub(super) fn refusal(self, agent: &PeerName) -> PinnedError {
        match self {
            Self::Refused { reason, words } => {
                PinnedError::OrderRefused { peer: agent.clone(), reason, words }
            }
            _ => PinnedError::Malformed,
        }
    }
}

/// Which key a host must show.
pub(super) enum Expected {
    /// As an operator gave it; any if none did.
    Fingerprint(Option<Fingerprint>),
    /// The one of the first conversation.
    Key(PublicKey),
}

/// Opens the channel to a host; with it, the key that the host has shown and owns.
pub(super) async fn open(
    address: SocketAddr,
    expected: &Expected,
    trail: &Trail,
) -> Result<(Frames, PublicKey), PinnedError> {
    let expected = match expected {
        Expected::Fingerprint(fingerprint) => fingerprint.clone(),
        Expected::Key(key) => Some(key.fingerprint()),
    };
    let tcp = connect_within(HANDSHAKE_LIMIT, address, trail)
        .await
        .map_err(|source| PinnedError::Connect { address, source })?;
    let shown = Arc::new(HostKey { expected: expected.clone(), shown: Mutex::default() });
    let config = ClientConfig::builder_with_details(Arc::clone(provider()), Arc::new(Timeless))
        .with_protocol_versions(&[&TLS13])
        .expect("the provider has suites of TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&shown) as _)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let handshake = connector.connect(ServerName::from(address.ip()), tcp).into_fallible();
    let outcome = timeout(HANDSHAKE_LIMIT, handshake)
        .await
        .map_err(|_| PinnedError::Silent { limit: HANDSHAKE_LIMIT })?;
    let key = shown.shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(key) = &key {
        let shown = key.fingerprint();
        let same = expected.as_ref().map(|expected| *expected == shown);
        trail.record(FingerprintCompared { shown, expected: expected.clone(), same });
    }
    match (outcome, key, expected) {
        (Ok(stream), Some(key), _) => Ok((Frames::over(stream), key)),
        (Err((_, tcp)), Some(key), Some(expected)) if key.fingerprint() != expected => {
            close(tcp).await;
            Err(PinnedError::WrongFingerprint { shown: key.fingerprint(), expected })
        }
        (Err((error, _)), ..) => Err(PinnedError::of_handshake(error)),
        (Ok(_), None, _) => Err(PinnedError::Malformed),
    }
}

/// The host's end of the channel. Whoever dials is not known before it gives the password.
pub(super) async fn accept(host_key: &Identity, tcp: TcpStream) -> Result<Frames, PinnedError> {
    let config = ServerConfig::builder_with_details(Arc::clone(provider()), Arc::new(Timeless))
        .with_protocol_versions(&[&TLS13])
        .expect("the provider has suites of TLS 1.3")
        .with_no_client_auth()
        .with_cert_resolver(host_key.resolver());
    let handshake = TlsAcceptor::from(Arc::new(config)).accept(tcp);
    match timeout(HANDSHAKE_LIMIT, handshake).await {
        Ok(stream) => Ok(Frames::over(stream.map_err(PinnedError::of_handshake)?)),
        Err(_) => Err(PinnedError::Silent { limit: HANDSHAKE_LIMIT }),
    }
}

/// Lets pass who owns the key that is expected, and keeps the key.
#[derive(Debug)]
struct HostKey {
    expected: Option<Fingerprint>,
    shown: Mutex<Option<PublicKey>>,
}

impl ServerCertVerifier for HostKey {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let refused = || TlsError::from(CertificateError::ApplicationVerificationFailure);
        let key = PublicKey::of_certificate(own).map_err(|_| refused())?;
        let right = self.expected.as_ref().is_none_or(|expected| *expected == key.fingerprint());
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        if right { Ok(ServerCertVerified::assertion()) } else { Err(refused()) }
    }

    signatures_by_possession!();
}

impl ChecksPossession for HostKey {
    fn check_possession(
        &self,
        meaning: SchemeMeaning,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &provider().signature_verification_algorithms;
        let (scheme, signature) = (signed.scheme, signed.signature());
        match PublicKey::of_certificate(certificate)
            .map(|key| key.check(algorithms, meaning, scheme, message, signature))
        {
            Ok(Possession::Proven) => Ok(HandshakeSignatureValid::assertion()),
            _ => Err(CertificateError::BadSignature.into()),
        }
    }
}
