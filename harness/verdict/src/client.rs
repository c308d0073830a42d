//! The client: its settings, and what it concludes about a server.

use std::{fmt, str::FromStr};

use ground::Timestamp;
use serde::{Serialize, Serializer};

use crate::{
    advice,
    certificate::{Certificate, fingerprint},
    crl::CrlSet,
    evidence::Presented,
    facts::Facts,
    key::PublicKey,
    name::PeerName,
    priority::{PriorityError, TlsOffer},
    reason::{Check, Reason},
    status::{GnutlsError, StatusBits},
    subject::subject_text,
    suites::ServerKey,
    trust::{FileContent, TrustFiles, TrustSet},
    verdict::{Cause, Link, OtherMode, Verdict},
};

/// `tls verify peer` of smb.conf (Samba 4.22), least strict first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerifyPeer {
    /// `no_check`.
    NoCheck,
    /// `ca_only`.
    CaOnly,
    /// `ca_and_name_if_available`, which xapi writes.
    CaAndNameIfAvailable,
    /// `ca_and_name`.
    CaAndName,
    /// `as_strict_as_possible`, Samba's default.
    #[default]
    AsStrictAsPossible,
}

impl VerifyPeer {
    /// All modes, least strict first.
    pub const ALL: [Self; 5] = [
        Self::NoCheck,
        Self::CaOnly,
        Self::CaAndNameIfAvailable,
        Self::CaAndName,
        Self::AsStrictAsPossible,
    ];

    /// The value as written in smb.conf and in Samba's messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoCheck => "no_check",
            Self::CaOnly => "ca_only",
            Self::CaAndNameIfAvailable => "ca_and_name_if_available",
            Self::CaAndName => "ca_and_name",
            Self::AsStrictAsPossible => "as_strict_as_possible",
        }
    }
}

impl fmt::Display for VerifyPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for VerifyPeer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A value `tls verify peer` does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "understand `tls verify peer = {0}`: expected no_check, ca_only, ca_and_name_if_available, \
     ca_and_name or as_strict_as_possible"
)]
pub struct VerifyPeerError(pub String);

impl FromStr for VerifyPeer {
    type Err = VerifyPeerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| VerifyPeerError(text.to_owned()))
    }
}

/// The settings of smb.conf that matter, with the files they name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// `tls verify peer`.
    pub mode: VerifyPeer,
    /// The files.
    pub trust: TrustFiles,
    /// `tls priority`.
    pub priority: String,
}

/// A configuration that ends every connection before TLS starts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("set up TLS: {}", .0.reasons.first().map(ToString::to_string).unwrap_or_default())]
pub struct ConfigError(Box<Verdict>);

impl ConfigError {
    /// The verdict on any server, of class [`crate::Class::ConfigError`].
    pub fn verdict(&self, peer: &PeerName, at: Timestamp) -> Verdict {
        let mut verdict = Verdict::clone(&self.0);
        verdict.peer = Some(peer.clone());
        verdict.at = Some(at);
        for reason in &mut verdict.reasons {
            reason.at = at;
        }
        verdict
    }
}

/// How a handshake failed before there was anything to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeFailure {
    /// The server closed the connection after a close_notify.
    CloseNotify,
    /// A record of the server cannot be decrypted.
    Decryption,
    /// The server sent a fatal alert, whichever.
    FatalAlert,
    /// The check value in the server's Finished is wrong.
    Finished,
    /// A message of the server is larger than 128 KiB.
    HandshakeTooLarge,
    /// The server chose or said something that contradicts what was offered.
    IllegalParameter,
    /// The leaf's key usage forbids its use.
    KeyUsage,
    /// The server sent no certificate.
    NoCertificate,
    /// The parts of a message do not fill it, or do not fit into it.
    PacketLength,
    /// The server closed the connection.
    PrematureTermination,
    /// The server reset the connection, or stalled until the time-out.
    PullError,
    /// A record of the server is longer than TLS allows.
    RecordOverflow,
    /// A signature of the server is not made with the key of its certificate.
    Signature,
    /// The server sent a handshake message out of turn.
    UnexpectedHandshake,
    /// The server speaks something else.
    UnexpectedPacket,
    /// The server chose a cipher suite the client did not offer.
    UnofferedCipherSuite,
    /// The server chose a curve the client did not offer.
    UnofferedCurve,
    /// The server chose a version the client did not offer.
    UnsupportedVersion,
}

impl HandshakeFailure {
    /// Observed with libgnutls 3.7.9 and the priority string of xapi (`sim-host`, test `handshakes`), but
    /// for `IllegalParameter`, `PacketLength` and `UnexpectedHandshake`, which follow its source.
    fn error(self) -> GnutlsError {
        match self {
            Self::CloseNotify => GnutlsError::SessionEof,
            Self::Decryption => GnutlsError::DecryptionFailed,
            Self::FatalAlert => GnutlsError::FatalAlertReceived,
            Self::Finished => GnutlsError::ErrorInFinishedPacket,
            Self::HandshakeTooLarge => GnutlsError::HandshakeTooLarge,
            Self::IllegalParameter => GnutlsError::ReceivedIllegalParameter,
            Self::KeyUsage => GnutlsError::KeyUsageViolation,
            Self::NoCertificate => GnutlsError::NoCertificateFound,
            Self::PacketLength => GnutlsError::UnexpectedPacketLength,
            Self::PrematureTermination => GnutlsError::PrematureTermination,
            Self::PullError => GnutlsError::PullError,
            Self::RecordOverflow => GnutlsError::RecordOverflow,
            Self::Signature => GnutlsError::PkSigVerifyFailed,
            Self::UnexpectedHandshake => GnutlsError::UnexpectedHandshakePacket,
            Self::UnexpectedPacket => GnutlsError::UnexpectedPacket,
            Self::UnofferedCipherSuite => GnutlsError::UnknownCipherSuite,
            Self::UnofferedCurve => GnutlsError::EccUnsupportedCurve,
            Self::UnsupportedVersion => GnutlsError::UnsupportedVersionPacket,
        }
    }
}

/// A Samba client, ready to judge. Files are read once, when it is made.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) mode: VerifyPeer,
    pub(crate) files: TrustFiles,
    pub(crate) trust: TrustSet,
    pub(crate) crls: CrlSet,
    pub(crate) offer: TlsOffer,
}

impl Client {
    /// Loads the files and reads the priority string, in Samba's order.
    pub fn new(config: ClientConfig) -> Result<Self, ConfigError> {
        let ClientConfig { mode, trust: files, priority } = config;
        let trust = TrustSet::load(&files).map_err(|bad| {
            let found = format!("{} at line {}", bad.error.text(), bad.line);
            let path = bad.path.clone();
            let cause = Cause::BadCafile { path, line: bad.line, error: bad.error };
            let expected = "only certificates GnuTLS can read";
            config_error(mode, cause, Check::TrustFile, Some(bad.path), expected, found)
        })?;
        let mut client = Self {
            mode,
            files,
            trust,
            crls: CrlSet::default(),
            offer: TlsOffer::parse(crate::SAMBA_PRIORITY)
                .map_err(|error| config_error_of_priority(mode, &priority, &error))?,
        };
        if let Some(cause) = client.trust_obstacle(mode) {
            let path = client.files.cafile.as_ref().map(|file| file.path.clone());
            let expected = "at least one trusted certificate";
            return Err(config_error(
                mode,
                cause,
                Check::TrustSet,
                path,
                expected,
                "none".to_owned(),
            ));
        }
        if let Some(file) = &client.files.crlfile
            && let FileContent::Bytes(bytes) = &file.content
        {
            client.crls = CrlSet::load(bytes).map_err(|(line, error)| {
                let found = format!("{} at line {line}", error.text());
                let cause = Cause::BadCrlfile { path: file.path.clone(), error };
                let path = Some(file.path.clone());
                config_error(mode, cause, Check::CrlFile, path, "CRLs in PEM form", found)
            })?;
        }
        if let Some(cause) = client.crl_obstacle(mode) {
            let path = client.files.crlfile.as_ref().map(|file| file.path.clone());
            let expected = "an existing `tls crlfile` for as_strict_as_possible";
            let found = if path.is_some() { "no such file" } else { "none configured" };
            return Err(config_error(
                mode,
                cause,
                Check::CrlFile,
                path,
                expected,
                found.to_owned(),
            ));
        }
        client.offer = TlsOffer::parse(&priority)
            .map_err(|error| config_error_of_priority(mode, &priority, &error))?;
        Ok(client)
    }

    /// What the client offers in its hello.
    pub fn offer(&self) -> &TlsOffer {
        &self.offer
    }

    /// The server name the client sends in its hello, if it does.
    pub fn sni<'a>(&self, peer: &'a PeerName) -> Option<&'a str> {
        let sends = self.mode >= VerifyPeer::CaAndName && !peer.is_address();
        (sends && !peer.as_str().is_empty()).then(|| peer.as_str())
    }

    /// The verdict on a server that presented `presented` at the time `at`.
    pub fn judge(&self, peer: &PeerName, presented: &Presented, at: Timestamp) -> Verdict {
        let facts = Facts::gather(self, peer, presented, at);
        let (cause, status, findings) = facts.conclude(self.mode);
        let other_modes = VerifyPeer::ALL
            .into_iter()
            .filter(|&mode| mode != self.mode)
            .map(|mode| {
                let obstacle = self.trust_obstacle(mode).or_else(|| self.crl_obstacle(mode));
                match obstacle {
                    Some(cause) => {
                        OtherMode { mode, class: cause.class(), status: StatusBits::NONE }
                    }
                    None => {
                        let (cause, status, _) = facts.conclude(mode);
                        OtherMode { mode, class: cause.class(), status }
                    }
                }
            })
            .collect();
        let advice = advice::advise(&findings, self, peer, presented, at);
        let reasons = findings.into_iter().map(|finding| finding.reason).collect();
        let mut verdict = new_verdict(self.mode, cause, status, reasons);
        verdict.peer = Some(peer.clone());
        verdict.at = Some(at);
        verdict.tls = Some(presented.tls);
        verdict.other_modes = other_modes;
        verdict.chain = self.links(&facts, presented);
        verdict.advice = advice;
        verdict
    }

    /// The verdict on a server whose handshake failed.
    pub fn handshake_failure(
        &self,
        peer: &PeerName,
        failure: HandshakeFailure,
        at: Timestamp,
    ) -> Verdict {
        let error = failure.error();
        let reason = Reason {
            check: Check::Handshake,
            status: StatusBits::NONE,
            certificate: None,
            anchor: None,
            file: None,
            at,
            expected: "a finished handshake".to_owned(),
            found: error.text().to_owned(),
        };
        let mut verdict =
            new_verdict(self.mode, Cause::Handshake(error), StatusBits::NONE, vec![reason]);
        verdict.peer = Some(peer.clone());
        verdict.at = Some(at);
        verdict
    }

    fn trust_obstacle(&self, mode: VerifyPeer) -> Option<Cause> {
        let lacks = self.trust.anchors.is_empty() && mode >= VerifyPeer::CaOnly;
        lacks.then_some(Cause::NoTrustSource)
    }

    fn crl_obstacle(&self, mode: VerifyPeer) -> Option<Cause> {
        let file = self.files.crlfile.as_ref();
        let exists = file.is_some_and(|file| matches!(file.content, FileContent::Bytes(_)));
        let lacks = !exists && mode == VerifyPeer::AsStrictAsPossible;
        lacks.then(|| Cause::StrictWithoutCrl {
            path: file.map(|file| file.path.clone()).unwrap_or_default(),
        })
    }

    fn links(&self, facts: &Facts<'_>, presented: &Presented) -> Vec<Link> {
        let of_parsed = |position: usize, certificate: &Certificate| {
            let twin = self.trust.twin(&certificate.der);
            let anchors = self.trust.with_subject(&certificate.issuer);
            let issuer =
                anchors.into_iter().find(|anchor| certificate.is_issued_by(&anchor.certificate));
            Link {
                position,
                subject: Some(subject_text(&certificate.subject)),
                issuer: Some(subject_text(&certificate.issuer)),
                fingerprint: certificate.fingerprint(),
                validity: Some((
                    Timestamp::from_unix(certificate.not_before),
                    Timestamp::from_unix(certificate.not_after),
                )),
                algorithms: Some(format!(
                    "{}, signed {}",
                    certificate.key.text(),
                    certificate.algorithm.text()
                )),
                step: facts.path.iter().position(|&index| index == position),
                anchor: twin.or(issuer).map(|anchor| anchor.reference()),
            }
        };
        presented
            .certificates
            .iter()
            .enumerate()
            .map(|(position, der)| match facts.parsed.get(position) {
                Some(Ok(certificate)) => of_parsed(position, certificate),
                _ => Link {
                    position,
                    subject: None,
                    issuer: None,
                    fingerprint: fingerprint(der),
                    validity: None,
                    algorithms: None,
                    step: None,
                    anchor: None,
                },
            })
            .collect()
    }
}

pub(crate) fn new_verdict(
    mode: VerifyPeer,
    cause: Cause,
    status: StatusBits,
    reasons: Vec<Reason>,
) -> Verdict {
    Verdict {
        class: cause.class(),
        status,
        flags: status.names(),
        gnutls: cause.gnutls(),
        ntstatus: cause.ntstatus(),
        mode,
        peer: None,
        at: None,
        tls: None,
        reasons,
        advice: Vec::new(),
        other_modes: Vec::new(),
        chain: Vec::new(),
        cause,
    }
}

fn config_error(
    mode: VerifyPeer,
    cause: Cause,
    check: Check,
    file: Option<String>,
    expected: &str,
    found: String,
) -> ConfigError {
    let reason = Reason {
        check,
        status: StatusBits::NONE,
        certificate: None,
        anchor: None,
        file,
        at: Timestamp::from_unix(0),
        expected: expected.to_owned(),
        found,
    };
    let advice = advice::advise_config(&cause, mode, &reason);
    let mut verdict = new_verdict(mode, cause, StatusBits::NONE, vec![reason]);
    verdict.advice = advice;
    ConfigError(Box::new(verdict))
}

fn config_error_of_priority(mode: VerifyPeer, text: &str, error: &PriorityError) -> ConfigError {
    let found = match error.error {
        GnutlsError::NoPrioritiesWereSet => {
            "one that enables no version or no cipher suite".to_owned()
        }
        _ => format!("`{}`", error.token),
    };
    let expected = "a priority string GnuTLS understands";
    let cause = Cause::Prepare(error.error);
    let ConfigError(mut verdict) =
        config_error(mode, cause, Check::Priority, None, expected, found);
    verdict.advice = advice::advise_priority(text);
    ConfigError(verdict)
}

/// Which suites a key can serve in TLS 1.2.
pub(crate) fn suite_key(key: &PublicKey) -> Option<ServerKey> {
    match key {
        PublicKey::Rsa(_) | PublicKey::RsaPss(..) => Some(ServerKey::Rsa),
        PublicKey::Ec { .. } | PublicKey::Ed25519(_) | PublicKey::Ed448 => Some(ServerKey::Ecdsa),
        PublicKey::Dsa { .. } | PublicKey::Unusable => None,
    }
}
