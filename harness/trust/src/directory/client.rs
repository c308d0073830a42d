//! The client: brings its data, judges servers, and tells why there is no connection.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ground::{Clock, Trail};
use rustls::{
    AlertDescription, ClientConfig, Error as TlsError,
    client::Resumption,
    pki_types::{IpAddr, ServerName},
    sign::{CertifiedKey, SigningKey},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use trust_verdict::Check;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{
    Answer, ConnectError, Judgement, Known, OwnFault, SetupError, Validator,
    data::{CertData, Item, Key},
    facts::{Dialled, Refused, Remembered},
    judgement::{Court, fingerprint},
    trusted::{self, TrustedServers},
    witness::{Seen, Wanted, Witness},
};
use crate::wire::{self, Moment, close, provider};

/// How long a connection may take in real time to come about, the application's answer included,
/// unless [`Client::within`] says otherwise.
pub const HANDSHAKE_LIMIT: Duration = Duration::from_secs(30);
/// What libvirt's server sends when it has let a client in.
pub(super) const CONSENT: u8 = 1;

/// Opens TLS connections to servers that may ask for a client certificate.
///
/// It is strict until told otherwise: what does not pass the validation is refused, and so is a
/// server that is known with another certificate. Nobody is asked.
pub struct Client {
    court: Court,
    own: Option<Own>,
    trusted: Arc<Mutex<TrustedServers>>,
    validator: Option<Arc<dyn Validator>>,
    asks_about_untrusted: bool,
    skips_own_check: bool,
    awaits_consent: bool,
    limit: Duration,
    clock: Clock,
    trail: Trail,
}

/// A certificate of the client, with its key.
struct Own(Arc<CertifiedKey>);

/// A connection whose server was accepted.
#[derive(Debug)]
pub struct Connection<S> {
    /// What travels over it.
    pub stream: TlsStream<S>,
    /// What was concluded about the server.
    pub judgement: Judgement,
    /// Whether it was known.
    pub known: Known,
    /// What the application has answered, if it was asked.
    pub answer: Option<Answer>,
    /// Below this, whatever happens over the connection is recorded.
    pub trail: Trail,
    wanted: Option<Wanted>,
    /// Whether the server has said that it takes the client.
    has_consent: bool,
}

impl Client {
    /// A client with that data. Dates are judged by `clock`; what it does is recorded on `trail`,
    /// whose actor it is.
    ///
    /// # Errors
    ///
    /// The data does not go together.
    pub fn new(data: CertData, clock: Clock, trail: Trail) -> Result<Self, SetupError> {
        Ok(Self {
            court: Court::new(&data)?,
            own: Own::new(&data)?,
            trusted: Arc::new(Mutex::new(data.trusted)),
            validator: None,
            asks_about_untrusted: false,
            skips_own_check: false,
            awaits_consent: false,
            limit: HANDSHAKE_LIMIT,
            clock,
            trail,
        })
    }

    /// Has `validator` decide about every server that passed.
    #[must_use]
    pub fn asking(mut self, validator: impl Validator + 'static) -> Self {
        self.validator = Some(Arc::new(validator));
        self
    }

    /// Has the validator decide about servers that did not pass, too, as browsers do. A revoked
    /// certificate, and one that cannot be read, is refused nevertheless.
    #[must_use]
    pub fn asking_about_untrusted(mut self) -> Self {
        self.asks_about_untrusted = true;
        self
    }

    /// Refuses servers of which it is not known for certain that they are not revoked: what would be
    /// a [`Notice`](super::Notice) is a reason.
    #[must_use]
    pub fn demanding_current_lists(mut self) -> Self {
        self.court.is_certain = true;
        self
    }

    /// Shows its own certificate without judging it first, as libvirt with `no_sanity=1`. What is
    /// wrong with it is then told by the server, or not at all.
    #[must_use]
    pub fn without_own_check(mut self) -> Self {
        self.skips_own_check = true;
        self
    }

    /// Waits for the byte 1 by which libvirt's server says that it lets the client in. In TLS 1.3 a
    /// client is done before the server has looked at its certificate: without such a word,
    /// [`Connection::explain`] tells of a refusal when it comes.
    #[must_use]
    pub fn awaiting_consent(mut self) -> Self {
        self.awaits_consent = true;
        self
    }

    /// Gives up what has not come about after `limit` of real time: the TCP connection, the
    /// handshake, the application's answer and the server's consent together.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Servers that were accepted permanently by this client and are in no file, to be kept by the
    /// application.
    pub fn trusted_servers_pem(&self) -> String {
        self.trusted.lock().unwrap_or_else(PoisonError::into_inner).to_pem()
    }

    /// Connects to the server called `host` at `address`.
    ///
    /// # Errors
    ///
    /// One of the two refuses the other, or they do not meet.
    pub async fn connect(
        &self,
        host: &str,
        address: SocketAddr,
    ) -> Result<Connection<TcpStream>, ConnectError> {
        let dialled = Dialled { host: host.to_owned(), address: address.to_string() };
        let trail = self.trail.begin(dialled);
        let until = Instant::now() + self.limit;
        let connecting = async {
            self.check_own()?;
            let tcp = timeout_at(until, wire::connect(address, &trail))
                .await
                .map_err(|_| self.silent())?
                .map_err(|source| ConnectError::Connect { address, source })?;
            self.shake(host, tcp, until, &trail).await
        };
        recorded(connecting.await, &trail)
    }

    /// The same over a stream that is open already, such as that of LDAP after StartTLS.
    ///
    /// # Errors
    ///
    /// As [`Client::connect`].
    pub async fn secure<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        host: &str,
        stream: S,
        trail: &Trail,
    ) -> Result<Connection<S>, ConnectError> {
        let until = Instant::now() + self.limit;
        let securing = async {
            self.check_own()?;
            self.shake(host, stream, until, trail).await
        };
        recorded(securing.await, trail)
    }

    /// libvirt judges its own certificate before it shows it (`virNetTLSCertSanityCheck`), by the
    /// CAs that it judges servers by.
    fn check_own(&self) -> Result<(), ConnectError> {
        let Some(Own(own)) = self.own.as_ref().filter(|_| !self.skips_own_check) else {
            return Ok(());
        };
        let judgement = self.court.judge(None, &own.cert, self.clock.now());
        let Some(reason) = judgement.reasons.first() else { return Ok(()) };
        let fault = match reason.check {
            Check::Validity => OwnFault::Expired,
            Check::Revocation => OwnFault::Revoked,
            Check::Signer | Check::Authority => OwnFault::WrongCa,
            _ => OwnFault::Refused,
        };
        Err(ConnectError::Own { fault, judgement: Box::new(judgement) })
    }

    async fn shake<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        host: &str,
        stream: S,
        until: Instant,
        trail: &Trail,
    ) -> Result<Connection<S>, ConnectError> {
        let name = server_name(host)?;
        let witness = Arc::new(Witness {
            host: host.to_owned(),
            at: self.clock.now(),
            court: Arc::new(self.court.clone()),
            trusted: self.trusted.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            validator: self.validator.clone(),
            asks_about_untrusted: self.asks_about_untrusted,
            own: self.own.as_ref().map(|own| Arc::clone(&own.0)),
            until: until.into_std(),
            limit: self.limit,
            trail: trail.clone(),
            seen: Mutex::default(),
        });
        let connector = TlsConnector::from(Arc::new(config(&witness)));
        let handshake = async {
            let mut stream = match connector.connect(name, stream).into_fallible().await {
                Ok(stream) => stream,
                Err((error, stream)) => {
                    close(stream).await;
                    let mut seen = witness.seen();
                    let refusal = seen.refusal.take();
                    let answered = seen.has_answered;
                    return Err(refusal.unwrap_or_else(|| {
                        explain(error, seen.wanted.as_ref(), answered, ConnectError::Handshake)
                    }));
                }
            };
            if self.awaits_consent {
                match stream.read_u8().await {
                    Ok(CONSENT) => {}
                    Ok(other) => {
                        let words = format!("the server says {other}, not {CONSENT} for consent");
                        let error = io::Error::new(io::ErrorKind::InvalidData, words);
                        return Err(ConnectError::Lost(error));
                    }
                    Err(error) => {
                        let wanted = witness.seen().wanted.take();
                        return Err(explain(error, wanted.as_ref(), true, ConnectError::Lost));
                    }
                }
            }
            Ok(stream)
        };
        // Whoever has refused may still wait for the server to go.
        let refused = || witness.seen().refusal.take().unwrap_or_else(|| self.silent());
        let stream = timeout_at(until, handshake).await.map_err(|_| refused())??;
        let seen = std::mem::take(&mut *witness.seen());
        self.finish(host, stream, seen, trail).await
    }

    fn silent(&self) -> ConnectError {
        ConnectError::Silent { limit: self.limit }
    }

    /// Writes down what is to be remembered: the server has proved that the key is its own.
    async fn finish<S>(
        &self,
        host: &str,
        stream: TlsStream<S>,
        seen: Seen,
        trail: &Trail,
    ) -> Result<Connection<S>, ConnectError> {
        let Seen { judgement, known, answer, certificate, wanted, .. } = seen;
        // A handshake that is complete has judged.
        let (Some(judgement), Some(known), Some(certificate)) = (judgement, known, certificate)
        else {
            return Err(ConnectError::Handshake(io::ErrorKind::InvalidData.into()));
        };
        if answer == Some(Answer::AcceptPermanently) && known != Known::Trusted {
            let trusted = Arc::clone(&self.trusted);
            let digest = judgement.certificate.clone();
            let host_name = host.to_owned();
            let written = tokio::task::spawn_blocking(move || {
                let lock = || trusted.lock().unwrap_or_else(PoisonError::into_inner);
                // The file without the mutex: others may hold its lock.
                let mut list = lock().of_file_alone();
                list.trust(&host_name, &certificate)?;
                lock().remember(&host_name, &certificate);
                Ok(list.file().is_some())
            });
            let in_file = written
                .await
                .map_err(|error| ConnectError::Handshake(io::Error::other(error)))?
                .map_err(ConnectError::Store)?;
            trail.record(Remembered { host: host.to_owned(), certificate: digest, in_file });
        }
        let (trail, has_consent) = (trail.clone(), self.awaits_consent);
        Ok(Connection { stream, judgement, known, answer, trail, wanted, has_consent })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = self.own.as_ref().and_then(|own| own.0.cert.first());
        f.debug_struct("Client")
            .field("own", &own.map(|certificate| fingerprint(certificate)))
            .field("trusted", &self.trusted)
            .finish_non_exhaustive()
    }
}

impl<S> Connection<S> {
    /// Whether the server has asked for a certificate, and got one.
    pub fn has_shown_certificate(&self) -> bool {
        self.wanted.as_ref().is_some_and(|wanted| wanted.shown.is_some())
    }

    /// Why there is no more of the connection, from what the **first** reading or writing of it has
    /// failed with: the caller knows whether it is the first. In TLS 1.3 this is how a refusal of the
    /// client's certificate arrives: as an alert, or as the mere end of the connection. Whatever else
    /// fails keeps its own words, and so does all that fails after a server's consent.
    pub fn explain(&self, error: io::Error) -> ConnectError {
        let wanted = self.wanted.as_ref().filter(|_| !self.has_consent);
        explain(error, wanted, true, ConnectError::Lost)
    }
}

impl Own {
    fn new(data: &CertData) -> Result<Option<Self>, SetupError> {
        let (first, key) = match (data.certificates.first(), &data.key) {
            (None, None) => return Ok(None),
            (None, Some(key)) => {
                return Err(SetupError::KeyWithoutCertificate { key: key.origin.clone() });
            }
            (Some(Item { origin, .. }), None) => {
                return Err(SetupError::CertificateWithoutKey { certificate: origin.clone() });
            }
            (Some(first), Some(key)) => (first, key),
        };
        let signing = signing_key(key)?;
        let in_certificate = X509Certificate::from_der(&first.der)
            .map(|(_, certificate)| certificate.public_key().raw.to_vec())
            .unwrap_or_default();
        if let Some(public) = signing.public_key()
            && public.as_ref() != in_certificate
        {
            return Err(SetupError::KeyMismatch {
                key: key.origin.clone(),
                certificate: first.origin.clone(),
                key_digest: fingerprint(&public),
                certificate_digest: fingerprint(&in_certificate),
            });
        }
        Ok(Some(Self(Arc::new(CertifiedKey::new(data.own_certificates(), signing)))))
    }
}

fn signing_key(key: &Key) -> Result<Arc<dyn SigningKey>, SetupError> {
    provider()
        .key_provider
        .load_private_key(key.der.clone_key())
        .map_err(|source| SetupError::KeyUnusable { key: key.origin.clone(), source })
}

/// As libvirt: TLS 1.2 and 1.3 (GnuTLS' `NORMAL` has older ones, which nobody should need), no
/// server name in the hello, no session taken up again.
fn config(witness: &Arc<Witness>) -> ClientConfig {
    let time = Arc::new(Moment(witness.at));
    let mut config = ClientConfig::builder_with_details(Arc::clone(provider()), time)
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .expect("the provider has suites of both versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(witness) as _)
        .with_client_cert_resolver(Arc::clone(witness) as _);
    config.enable_sni = false;
    config.resumption = Resumption::disabled();
    config
}

/// rustls wants a name, and nothing is done with it.
fn server_name(host: &str) -> Result<ServerName<'static>, ConnectError> {
    if !trusted::is_host(host) {
        return Err(ConnectError::Host(host.to_owned()));
    }
    Ok(ServerName::IpAddress(IpAddr::from(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST))))
}

fn recorded<S>(
    outcome: Result<Connection<S>, ConnectError>,
    trail: &Trail,
) -> Result<Connection<S>, ConnectError> {
    if let Err(error) = &outcome {
        trail.record(Refused { reason: error.id(), words: error.to_string() });
    }
    outcome
}

/// What the end of a handshake, or of a connection, means. That the server just went away means
/// something only where it `has_answer` to its wish for a certificate and has to say whether that
/// will do.
fn explain(
    error: io::Error,
    wanted: Option<&Wanted>,
    has_answer: bool,
    otherwise: fn(io::Error) -> ConnectError,
) -> ConnectError {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    match (tls, wanted) {
        (Some(&TlsError::AlertReceived(alert)), Some(wanted)) if concerns_certificate(alert) => {
            refused(wanted, Some(alert))
        }
        (Some(&TlsError::AlertReceived(alert)), _) => ConnectError::Peer { alert },
        (None, Some(wanted)) if has_answer && is_end(&error) => refused(wanted, None),
        _ => otherwise(error),
    }
}

/// Whether the other end has closed the connection, with or without what was on its way.
fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::UnexpectedEof | Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe
    )
}

/// Alerts by which servers refuse a client's certificate, or that there is none.
fn concerns_certificate(alert: AlertDescription) -> bool {
    use AlertDescription as Alert;
    matches!(
        alert,
        Alert::AccessDenied
            | Alert::BadCertificate
            | Alert::CertificateExpired
            | Alert::CertificateRequired
            | Alert::CertificateRevoked
            | Alert::CertificateUnknown
            | Alert::DecryptError
            | Alert::HandshakeFailure
            | Alert::NoCertificate
            | Alert::UnknownCA
            | Alert::UnsupportedCertificate
    )
}

/// Whoever has shown nothing is refused for that, whatever the alert: OpenSSL says
/// `certificate_required` in TLS 1.3 and `handshake_failure` in 1.2, GnuTLS `certificate_required`
/// and `bad_certificate`. Of what was shown, the alert says what is wrong, if it does.
fn refused(wanted: &Wanted, alert: Option<AlertDescription>) -> ConnectError {
    use AlertDescription as Alert;
    let fault = match (&wanted.shown, alert) {
        (None, _) if wanted.withheld => OwnFault::WrongCa,
        (None, _) => OwnFault::Missing,
        (Some(_), Some(Alert::CertificateExpired)) => OwnFault::Expired,
        (Some(_), Some(Alert::CertificateRevoked)) => OwnFault::Revoked,
        (Some(_), Some(Alert::UnknownCA)) => OwnFault::WrongCa,
        (Some(_), Some(Alert::DecryptError)) => OwnFault::Unproven,
        (Some(_), _) => OwnFault::Refused,
    };
    ConnectError::RefusedByServer {
        fault,
        alert,
        shown: wanted.shown.clone(),
        wanted: wanted.authorities.clone(),
    }
}
