//! What takes part in a client's handshake: judges the server, has the application decide, chooses
//! the client's certificate, and keeps what came of it for whoever started the handshake.

use std::{
    fmt, panic,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use ground::{Timestamp, Trail};
use rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, SignatureScheme,
    client::{
        ResolvesClientCert,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
    sign::CertifiedKey,
};
use trust_verdict::Check;
use x509_parser::{
    prelude::{FromDer as _, X509Certificate},
    x509::X509Name,
};

use super::{
    Answer, ConnectError, Judgement, Known, Question, Validator,
    facts::{Asked, CertificateWanted, Judged},
    judgement::{Court, fingerprint},
    trusted::TrustedServers,
};
use crate::wire::{ChecksPossession, SchemeMeaning, checked_by_webpki, signatures_by_possession};

/// One handshake of a client.
pub(super) struct Witness {
    pub(super) host: String,
    pub(super) at: Timestamp,
    pub(super) court: Arc<Court>,
    pub(super) trusted: TrustedServers,
    pub(super) validator: Option<Arc<dyn Validator>>,
    pub(super) asks_about_untrusted: bool,
    pub(super) own: Option<Arc<CertifiedKey>>,
    /// When the application's answer comes too late.
    pub(super) until: Instant,
    pub(super) limit: Duration,
    pub(super) trail: Trail,
    pub(super) seen: Mutex<Seen>,
}

/// What has happened so far.
#[derive(Default)]
pub(super) struct Seen {
    /// Why this end refuses.
    pub(super) refusal: Option<ConnectError>,
    pub(super) judgement: Option<Judgement>,
    pub(super) known: Option<Known>,
    pub(super) answer: Option<Answer>,
    pub(super) certificate: Option<CertificateDer<'static>>,
    /// What the server wants of the client.
    pub(super) wanted: Option<Wanted>,
    /// Whether it gets that next, and the handshake goes on with its word about it: so in TLS 1.2.
    pub(super) has_answered: bool,
}

/// A server's wish for a client certificate.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) authorities: Vec<String>,
    /// Fingerprint of what was shown.
    pub(super) shown: Option<String>,
    /// Whether there was one, of another CA.
    pub(super) withheld: bool,
}

impl Witness {
    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        // Each field is set at once.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the connection may go on, as far as this end is concerned.
    fn decide(&self, chain: &[CertificateDer<'_>]) -> Result<(), ConnectError> {
        let judgement = self.court.judge(Some(&self.host), chain, self.at);
        let Some(leaf) = chain.first() else {
            return Err(ConnectError::Untrusted(Box::new(judgement)));
        };
        let known = self.trusted.known(&self.host, leaf);
        let state = known.as_ref().ok().map(Known::name);
        self.trail.record(Judged::new("server", &judgement, state));
        let known = known.map_err(|error| ConnectError::Store(error.into()))?;
        {
            let mut seen = self.seen();
            seen.certificate = Some(leaf.clone().into_owned());
            seen.judgement = Some(judgement.clone());
            seen.known = Some(known.clone());
        }
        let is_asked_about =
            judgement.passed() || self.asks_about_untrusted && judgement.is_negotiable();
        let validator = self.validator.as_ref().filter(|_| is_asked_about);
        if validator.is_none() && !judgement.passed() {
            return Err(ConnectError::Untrusted(Box::new(judgement)));
        }
        if self.court.is_certain
            && let Some(notice) = judgement.notices.first()
        {
            return Err(ConnectError::RevocationUnknown(notice.clone()));
        }
        let (host, found) = (self.host.clone(), judgement.certificate.clone());
        let Some(validator) = validator else {
            return match known {
                Known::Changed { .. } => Err(ConnectError::Changed { host, found, before: known }),
                Known::New | Known::Trusted => Ok(()),
            };
        };
        let answer = self.ask(validator, leaf, known, judgement)?;
        self.trail.record(Asked { host: self.host.clone(), answer: answer.name() });
        self.seen().answer = Some(answer);
        match answer {
            Answer::AcceptOnce | Answer::AcceptPermanently => Ok(()),
            Answer::Reject => Err(ConnectError::Rejected { host, found }),
        }
    }

    /// The application's answer, on a thread of its own: one that comes too late is not waited for.
    fn ask(
        &self,
        validator: &Arc<dyn Validator>,
        leaf: &CertificateDer<'_>,
        known: Known,
        judgement: Judgement,
    ) -> Result<Answer, ConnectError> {
        let (validator, host) = (Arc::clone(validator), self.host.clone());
        let certificate = leaf.clone().into_owned();
        let (says, said) = mpsc::sync_channel(1);
        let asking = thread::Builder::new().name("validator".to_owned()).spawn(move || {
            let (host, certificate) = (host.as_str(), &certificate);
            let (known, judgement) = (&known, &judgement);
            let answer = validator.decide(&Question { host, certificate, known, judgement });
            // Nobody listens any more if it comes too late.
            let _ = says.send(answer);
        });
        let asking = asking.map_err(ConnectError::Handshake)?;
        match said.recv_timeout(self.until.saturating_duration_since(Instant::now())) {
            Ok(answer) => Ok(answer),
            Err(RecvTimeoutError::Timeout) => Err(ConnectError::Silent { limit: self.limit }),
            Err(RecvTimeoutError::Disconnected) => match asking.join() {
                // The application's own, on the thread where it waits for the connection.
                Err(panic) => panic::resume_unwind(panic),
                Ok(()) => Err(ConnectError::Silent { limit: self.limit }),
            },
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
        let chain: Vec<_> = [leaf].into_iter().chain(others).cloned().collect();
        self.decide(&chain).map(|()| ServerCertVerified::assertion()).map_err(|refusal| {
            let told = match &refusal {
                ConnectError::Untrusted(judgement) => alert_of(judgement),
                _ => CertificateError::ApplicationVerificationFailure,
            };
            self.seen().refusal = Some(refusal);
            told.into()
        })
    }

    signatures_by_possession!();
}

impl ChecksPossession for Witness {
    fn check_possession(
        &self,
        meaning: SchemeMeaning,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let checked = checked_by_webpki(meaning, message, certificate, signed)?;
        self.seen().has_answered = meaning == SchemeMeaning::Tls12;
        Ok(checked)
    }
}

/// Chooses as GnuTLS does (`find_x509_client_cert` of 3.8): the certificate is shown if the server
/// names no CA, or one that issued a certificate of the chain; libvirt does not ask it to show one
/// in any case.
impl ResolvesClientCert for Witness {
    fn resolve(
        &self,
        authorities: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let fits = |own: &Arc<CertifiedKey>| {
            authorities.is_empty()
                || own.cert.iter().any(|der| {
                    X509Certificate::from_der(der)
                        .is_ok_and(|(_, one)| authorities.contains(&one.issuer().as_raw()))
                })
        };
        let shown = self.own.clone().filter(fits);
        let wanted = Wanted {
            authorities: authorities.iter().map(|der| name_text(der)).collect(),
            shown: shown
                .as_ref()
                .and_then(|own| own.cert.first())
                .map(|certificate| fingerprint(certificate)),
            withheld: self.own.is_some() && shown.is_none(),
        };
        self.trail.record(CertificateWanted {
            wanted: wanted.authorities.clone(),
            shown: wanted.shown.clone(),
        });
        self.seen().wanted = Some(wanted);
        shown
    }

    /// True even without one: what the server asks for is recorded.
    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").field("host", &self.host).finish_non_exhaustive()
    }
}

/// What the peer is told, as an alert: the first thing that is wrong.
pub(super) fn alert_of(judgement: &Judgement) -> CertificateError {
    match judgement.reasons.first().map(|reason| reason.check) {
        Some(Check::Validity) => CertificateError::Expired,
        Some(Check::Revocation) => CertificateError::Revoked,
        Some(Check::Signer | Check::Authority) => CertificateError::UnknownIssuer,
        Some(Check::Name) => CertificateError::NotValidForName,
        Some(Check::Parse) => CertificateError::BadEncoding,
        _ => CertificateError::ApplicationVerificationFailure,
    }
}

fn name_text(der: &[u8]) -> String {
    X509Name::from_der(der)
        .map_or_else(|_| "an unreadable name".to_owned(), |(_, name)| name.to_string())
}
