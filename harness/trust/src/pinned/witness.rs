//! The verifier of one handshake, for either end: compares keys, checks possession, and keeps the
//! verdict for whoever started the handshake.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error as TlsError,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
    time_provider::TimeProvider,
};

use super::{Conclusion, KeySets, PublicKey, Reason, Verdict, key::Possession};
use crate::wire::{ChecksPossession, SchemeMeaning, provider, signatures_by_possession};

/// Dates are not looked at, so no clock is: it is always 1970.
#[derive(Debug)]
pub(super) struct Timeless;

impl TimeProvider for Timeless {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::ZERO))
    }
}

/// Compares the key that a peer shows with those expected, and has the peer prove that it owns it.
#[derive(Debug)]
pub struct Witness {
    expected: KeySets,
    verdict: Mutex<Verdict>,
}

impl Witness {
    /// Expects one of these keys.
    pub fn new(expected: KeySets) -> Arc<Self> {
        let verdict = Mutex::new(Verdict::without_certificate(None, &expected));
        Arc::new(Self { expected, verdict })
    }

    /// The verdict, as far as the handshake went.
    pub fn verdict(&self) -> Verdict {
        self.lock().clone()
    }

    fn compare(&self, certificate: &CertificateDer<'_>) -> Result<(), TlsError> {
        let found = PublicKey::of_certificate(certificate).ok();
        let verdict = Verdict::of_key(found.as_ref(), &self.expected);
        let trusted = verdict.trusted().is_some();
        *self.lock() = verdict;
        if trusted { Ok(()) } else { Err(refusal()) }
    }

    fn lock(&self) -> MutexGuard<'_, Verdict> {
        // A verdict is replaced whole.
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By the key alone: webpki would look at the certificate.
impl ChecksPossession for Witness {
    fn check_possession(
        &self,
        meaning: SchemeMeaning,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &provider().signature_verification_algorithms;
        let possession = PublicKey::of_certificate(certificate)
            .map(|key| key.check(algorithms, meaning, signed.scheme, message, signed.signature()));
        let reason = match possession {
            Ok(Possession::Proven) => return Ok(HandshakeSignatureValid::assertion()),
            Ok(Possession::Refuted) => Reason::PossessionRefuted,
            Ok(Possession::Unsupported) => Reason::SchemeUnsupported(signed.scheme),
            Err(_) => Reason::NoPublicKey,
        };
        self.lock().conclusion = Conclusion::Refused(reason);
        Err(refusal())
    }
}

/// Sent to the peer as the alert `access_denied`.
fn refusal() -> TlsError {
    CertificateError::ApplicationVerificationFailure.into()
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        self.compare(own).map(|()| ServerCertVerified::assertion())
    }

    signatures_by_possession!();
}

impl ClientCertVerifier for Witness {
    /// No issuer is wanted.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        self.compare(own).map(|()| ClientCertVerified::assertion())
    }

    signatures_by_possession!();
}
