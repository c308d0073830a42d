//! A TLS server that may ask for client certificates: what libvirt's daemon is to its clients.
//!
//! Clients are judged by the same rules as servers, without a name. A server that requires a
//! certificate names its CAs in the handshake, as GnuTLS does.

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use ground::{Clock, Trail};
use rustls::{
    DistinguishedName, Error as TlsError, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime},
    server::{
        NoClientAuth, NoServerSessionStorage,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use x509_parser::{
    asn1_rs::Any,
    prelude::{FromDer as _, X509Certificate},
};

use super::{
    Judgement, SetupError,
    client::{CONSENT, HANDSHAKE_LIMIT},
    data::CertData,
    facts::{Accepted, Judged, Refused},
    judgement::Court,
    witness::alert_of,
};
use crate::wire::{self, ChecksPossession, Moment, close, provider, signatures_by_possession};

/// What a server wants of its clients.
#[derive(Clone, Debug, Default)]
pub enum ClientPolicy {
    /// Nothing.
    #[default]
    NotAsked,
    /// A certificate, if they have one. One that is shown must pass.
    Requested(ClientTrust),
    /// A certificate that passes.
    Required(ClientTrust),
}

/// What a server judges its clients by.
#[derive(Clone, Debug)]
pub struct ClientTrust(Arc<Court>);

impl ClientTrust {
    /// The CA certificates and revocation lists of `data`; the rest of it is of no matter.
    ///
    /// # Errors
    ///
    /// There is no CA certificate, or they cannot be used.
    pub fn new(data: &CertData) -> Result<Self, SetupError> {
        Ok(Self(Arc::new(Court::new(data)?)))
    }
}

/// Serves one chain, and judges clients.
pub struct Server {
    shown: RwLock<Arc<CertifiedKey>>,
    policy: RwLock<ClientPolicy>,
    says_consent: bool,
    clock: Clock,
    trail: Trail,
}

/// A connection whose client was let in.
#[derive(Debug)]
pub struct Served {
    /// What travels over it.
    pub stream: TlsStream<TcpStream>,
    /// What was concluded about the client, if it has shown a certificate.
    pub client: Option<Judgement>,
}

/// A client that was not let in, or did not come in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The handshake came to nothing; what the client said is in the error.
    #[error("the handshake failed: {0}")]
    Handshake(io::Error),
    /// The client's certificate did not pass.
    #[error("{0}")]
    Refused(Box<Judgement>),
    /// The client does not answer.
    #[error("the handshake was not over in time")]
    Silent,
}

impl Server {
    /// A server that shows `certificates`, its own first, and signs with `key`. Nothing about them is
    /// checked.
    ///
    /// # Errors
    ///
    /// The key cannot sign.
    pub fn new(
        certificates: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        clock: Clock,
        trail: Trail,
    ) -> Result<Self, TlsError> {
        let key = provider().key_provider.load_private_key(key)?;
        Ok(Self {
            shown: RwLock::new(Arc::new(CertifiedKey::new(certificates, key))),
            policy: RwLock::default(),
            says_consent: false,
            clock,
            trail,
        })
    }

    /// Says that a client is let in, by one byte, as libvirt's does.
    #[must_use]
    pub fn saying_consent(mut self) -> Self {
        self.says_consent = true;
        self
    }

    /// Shows another chain from the next connection on.
    ///
    /// # Errors
    ///
    /// The key cannot sign.
    pub fn switch_to(
        &self,
        certificates: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), TlsError> {
        let key = provider().key_provider.load_private_key(key)?;
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(CertifiedKey::new(certificates, key));
        Ok(())
    }

    /// Wants something else of clients from the next connection on.
    pub fn set_policy(&self, policy: ClientPolicy) {
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
    }

    /// Takes one connection.
    ///
    /// # Errors
    ///
    /// One of the two refuses the other, or the handshake fails.
    pub async fn accept(&self, tcp: TcpStream) -> Result<Served, ServeError> {
        let trail = wire::accepted(&tcp, &self.trail).begin(Accepted {});
        let policy = self.policy.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (trust, is_required) = match policy {
            ClientPolicy::NotAsked => (None, false),
            ClientPolicy::Requested(trust) => (Some(trust), false),
            ClientPolicy::Required(trust) => (Some(trust), true),
        };
        let doorman = trust.map(|trust| Arc::new(Doorman::new(trust, is_required, self, &trail)));
        let acceptor = TlsAcceptor::from(Arc::new(self.config(doorman.as_ref())));
        let judged_wrong = || {
            let judged = doorman.as_ref().and_then(|doorman| doorman.judgement());
            let wrong = judged.filter(|judgement| !judgement.passed())?;
            Some(ServeError::Refused(Box::new(wrong)))
        };
        let handshake = async {
            match acceptor.accept(tcp).into_fallible().await {
                Ok(mut stream) => {
                    if self.says_consent {
                        let said = async {
                            stream.write_u8(CONSENT).await?;
                            stream.flush().await
                        };
                        said.await.map_err(ServeError::Handshake)?;
                    }
                    Ok(stream)
                }
                Err((error, tcp)) => {
                    close(tcp).await;
                    Err(judged_wrong().unwrap_or(ServeError::Handshake(error)))
                }
            }
        };
        // Whoever has refused may still wait for the client to go.
        let outcome = match timeout(HANDSHAKE_LIMIT, handshake).await {
            Ok(outcome) => outcome,
            Err(_) => Err(judged_wrong().unwrap_or(ServeError::Silent)),
        };
        match outcome {
            Ok(stream) => {
                let client = doorman.and_then(|doorman| doorman.judgement());
                Ok(Served { stream, client })
            }
            Err(error) => {
                let reason = match &error {
                    ServeError::Handshake(_) => "handshake",
                    ServeError::Refused(_) => "client-certificate",
                    ServeError::Silent => "silent",
                };
                trail.record(Refused { reason: reason.to_owned(), words: error.to_string() });
                Err(error)
            }
        }
    }

    fn config(&self, doorman: Option<&Arc<Doorman>>) -> ServerConfig {
        let shown = Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner));
        let time = Arc::new(Moment(self.clock.now()));
        let mut config = ServerConfig::builder_with_details(Arc::clone(provider()), time)
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .expect("the provider has suites of both versions")
            .with_client_cert_verifier(match doorman {
                Some(doorman) => Arc::clone(doorman) as _,
                None => Arc::new(NoClientAuth),
            })
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::clone(&shown))));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// Judges the client of one handshake.
#[derive(Debug)]
struct Doorman {
    trust: ClientTrust,
    is_required: bool,
    authorities: Vec<DistinguishedName>,
    clock: Clock,
    trail: Trail,
    judgement: Mutex<Option<Judgement>>,
}

impl Doorman {
    fn new(trust: ClientTrust, is_required: bool, server: &Server, trail: &Trail) -> Self {
        let authorities = trust.0.ca_certificates().filter_map(|der| {
            let (_, ca) = X509Certificate::from_der(der).ok()?;
            // rustls writes the outer SEQUENCE itself.
            let (_, outer) = Any::from_der(ca.subject().as_raw()).ok()?;
            Some(DistinguishedName::in_sequence(outer.data))
        });
        Self {
            authorities: authorities.collect(),
            trust: trust.clone(),
            is_required,
            clock: server.clock.clone(),
            trail: trail.clone(),
            judgement: Mutex::default(),
        }
    }

    fn judgement(&self) -> Option<Judgement> {
        self.judgement.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientCertVerifier for Doorman {
    fn client_auth_mandatory(&self) -> bool {
        self.is_required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.authorities
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        let chain: Vec<_> = [leaf].into_iter().chain(others).cloned().collect();
        let judgement = self.trust.0.judge(None, &chain, self.clock.now());
        self.trail.record(Judged::new("client", &judgement, None));
        let outcome = match judgement.passed() {
            true => Ok(ClientCertVerified::assertion()),
            false => Err(alert_of(&judgement).into()),
        };
        *self.judgement.lock().unwrap_or_else(PoisonError::into_inner) = Some(judgement);
        outcome
    }

    signatures_by_possession!();
}

impl ChecksPossession for Doorman {}
