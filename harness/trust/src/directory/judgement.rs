//! What the library concludes about a chain.
//!
//! libvirt lets GnuTLS judge (`virNetTLSContextValidCertificate`, libvirt 10: the status of
//! `gnutls_certificate_verify_peers2`, then the dates, then `gnutls_x509_crt_check_hostname`). So
//! does Samba, whose judgement `trust-verdict` models: chain, dates, revocation and names are judged
//! by it, and reasons are its reasons. Three things differ, and are done here:
//!
//! * A host that is given as an address: Samba skips the name, libvirt compares it with the
//!   addresses in the certificate, and with its DNS names as if it were one.
//! * Channel bindings are Samba's own: a certificate that cannot be bound to is no fault here.
//! * GnuTLS 3.8.9 looks at no date, issuer or signature of a revocation list. What is wrong with
//!   the lists is told beside the reasons, as [`Notice`]s, which refuse nothing by themselves.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use ground::Timestamp;
use rustls::pki_types::CertificateDer;
use trust_verdict::{
    Check, Class, Client, ClientConfig, PeerName, PemFile, Presented, Reason, SAMBA_PRIORITY,
    StatusBits, TlsVersion, TrustFiles, VerifyPeer, WireCertificate,
};
use x509_parser::{
    extensions::GeneralName,
    prelude::{CertificateRevocationList, FromDer as _, X509Certificate},
};

use super::{
    data::{CertData, Item, Origin},
    error::SetupError,
    pem,
};

/// What was concluded about a certificate, and why.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// When.
    pub at: Timestamp,
    /// SHA-256 fingerprint of the certificate.
    pub certificate: String,
    /// Its subject.
    pub subject: String,
    /// All that is wrong with it; nothing if it passed.
    pub reasons: Vec<Reason>,
    /// What is wrong with the revocation lists.
    pub notices: Vec<Notice>,
}

impl Judgement {
    /// Whether nothing is wrong.
    pub fn passed(&self) -> bool {
        self.reasons.is_empty()
    }

    /// Whether a check of that kind failed.
    pub fn failed(&self, check: Check) -> bool {
        self.reasons.iter().any(|reason| reason.check == check)
    }

    /// Whether an application may accept it nevertheless. As with browsers, not if it is revoked,
    /// and not if it cannot be read.
    pub fn is_negotiable(&self) -> bool {
        !self
            .reasons
            .iter()
            .any(|reason| matches!(reason.check, Check::Revocation | Check::Parse | Check::Count))
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) at {}", self.subject, self.certificate, self.at)?;
        if self.passed() {
            f.write_str(" passes")?;
        }
        for (index, reason) in self.reasons.iter().enumerate() {
            write!(f, "{} {reason}", if index == 0 { ":" } else { ";" })?;
        }
        for notice in &self.notices {
            write!(f, "; {notice}")?;
        }
        Ok(())
    }
}

/// What is wrong with revocation lists: reported, and no reason to refuse, unless the application
/// wants to know for certain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The list is out of date: what was revoked since is not in it.
    CrlExpired {
        /// Whose.
        issuer: String,
        /// When the next was due.
        next_update: Timestamp,
        /// Where it comes from.
        origin: Origin,
    },
    /// There is no list. Told only if the application wants to know for certain.
    CrlMissing {
        /// Whose.
        issuer: String,
    },
    /// There are lists, and none of them is of the CA that issued the certificate.
    CrlOfAnotherIssuer {
        /// Whose would have to be there.
        issuer: String,
        /// Whose are there.
        found: Vec<String>,
    },
    /// The list bears the name of the CA and is not signed with its key.
    CrlSignature {
        /// Whose name.
        issuer: String,
        /// Where it comes from.
        origin: Origin,
    },
}

impl Notice {
    /// Its id.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::CrlExpired { .. } => "crl-expired",
            Self::CrlMissing { .. } => "crl-missing",
            Self::CrlOfAnotherIssuer { .. } => "crl-of-another-issuer",
            Self::CrlSignature { .. } => "crl-signature",
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CrlExpired { issuer, next_update, origin } => write!(
                f,
                "the revocation list of {issuer} (from {origin}) is out of date: the next was due \
                 at {next_update}"
            ),
            Self::CrlMissing { issuer } => write!(f, "there is no revocation list of {issuer}"),
            Self::CrlOfAnotherIssuer { issuer, found } => write!(
                f,
                "there is no revocation list of {issuer}, only of {}",
                found.join(" and ")
            ),
            Self::CrlSignature { issuer, origin } => write!(
                f,
                "the revocation list from {origin} bears the name of {issuer} and is not signed \
                 with its key"
            ),
        }
    }
}

/// CA certificates and revocation lists, ready to judge by.
#[derive(Clone, Debug)]
pub(super) struct Court {
    files: TrustFiles,
    cas: Vec<Vec<u8>>,
    crls: Vec<Item>,
    /// Whether it must be known for certain what is revoked.
    pub(super) is_certain: bool,
}

impl Court {
    pub(super) fn new(data: &CertData) -> Result<Self, SetupError> {
        if data.cas.is_empty() {
            return Err(SetupError::NoCaCertificate);
        }
        let file = |label, items: &[Item]| {
            let text: String = items.iter().map(|item| pem::encode(label, &item.der)).collect();
            let mut origins: Vec<_> = items.iter().map(|item| item.origin.to_string()).collect();
            origins.dedup();
            PemFile::new(origins.join(", "), text)
        };
        let court = Self {
            files: TrustFiles {
                cafile: Some(file("CERTIFICATE", &data.cas)),
                crlfile: (!data.crls.is_empty()).then(|| file("X509 CRL", &data.crls)),
                ..TrustFiles::default()
            },
            cas: data.cas.iter().map(|item| item.der.clone()).collect(),
            crls: data.crls.clone(),
            is_certain: false,
        };
        // Whatever GnuTLS refuses to load is refused before any connection.
        court
            .client(VerifyPeer::CaOnly)
            .map_err(|reason| SetupError::Unusable(reason.to_string()))?;
        Ok(court)
    }

    /// The CA certificates, in DER.
    pub(super) fn ca_certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.cas.iter().map(Vec::as_slice)
    }

    /// Judges what a server of that name shows; without a name, what a client shows.
    pub(super) fn judge(
        &self,
        name: Option<&str>,
        chain: &[CertificateDer<'_>],
        at: Timestamp,
    ) -> Judgement {
        let mode =
            if name.is_some() { VerifyPeer::CaAndNameIfAvailable } else { VerifyPeer::CaOnly };
        let peer = PeerName::new(name.unwrap_or("client"));
        let presented = Presented {
            certificates: chain.iter().map(|der| der.to_vec()).collect(),
            // Of no matter: no rule depends on it that libvirt has.
            tls: TlsVersion::Tls13,
        };
        let verdict = match self.client(mode) {
            Ok(client) => client.judge(&peer, &presented, at),
            Err(error) => error.verdict(&peer, at),
        };
        let is_samba_alone = verdict.class == Class::BindingError;
        let leaf = chain.first().map(|der| der.as_ref()).unwrap_or_default();
        let parsed = X509Certificate::from_der(leaf).ok().map(|(_, certificate)| certificate);
        let subject = verdict.chain.first().and_then(|link| link.subject.clone());
        let mut judgement = Judgement {
            at,
            certificate: fingerprint(leaf),
            subject: subject.unwrap_or_default(),
            reasons: if is_samba_alone { Vec::new() } else { verdict.reasons },
            notices: Vec::new(),
        };
        if let Some(address) = name.and_then(|name| name.parse().ok())
            && let Some(link) = verdict.chain.first()
            && parsed.as_ref().is_some_and(|leaf| !names_address(leaf, address))
        {
            judgement.reasons.push(Reason {
                check: Check::Name,
                status: StatusBits::UNEXPECTED_OWNER | StatusBits::INVALID,
                certificate: Some(WireCertificate {
                    position: 0,
                    subject: judgement.subject.clone(),
                    fingerprint: link.fingerprint,
                }),
                anchor: None,
                file: None,
                at,
                expected: format!("the address {address}"),
                found: "a certificate that does not name it".to_owned(),
            });
        }
        if let Some(leaf) = &parsed {
            judgement.notices = self.notices(leaf, chain, at);
        }
        judgement
    }

    /// What is wrong with the lists that concern `leaf`.
    fn notices(
        &self,
        leaf: &X509Certificate<'_>,
        chain: &[CertificateDer<'_>],
        at: Timestamp,
    ) -> Vec<Notice> {
        let issuer = leaf.issuer().to_string();
        let crls: Vec<_> = self
            .crls
            .iter()
            .filter_map(|item| {
                let (_, crl) = CertificateRevocationList::from_der(&item.der).ok()?;
                Some((item, crl))
            })
            .collect();
        if crls.is_empty() {
            return if self.is_certain { vec![Notice::CrlMissing { issuer }] } else { Vec::new() };
        }
        // The newest counts, as with GnuTLS.
        let own = crls
            .iter()
            .filter(|(_, crl)| crl.issuer().as_raw() == leaf.issuer().as_raw())
            .max_by_key(|(_, crl)| crl.last_update().timestamp());
        let Some((item, crl)) = own else {
            let found = crls.iter().map(|(_, crl)| crl.issuer().to_string()).collect();
            return vec![Notice::CrlOfAnotherIssuer { issuer, found }];
        };
        let mut notices = Vec::new();
        let sent = chain.iter().map(|der| der.as_ref());
        let mut signers = sent.chain(self.cas.iter().map(Vec::as_slice)).filter_map(|der| {
            let (_, ca) = X509Certificate::from_der(der).ok()?;
            (ca.subject().as_raw() == leaf.issuer().as_raw()).then_some(ca)
        });
        let signed_by = |ca: X509Certificate<'_>| crl.verify_signature(ca.public_key()).is_ok();
        if !signers.any(signed_by) {
            notices
                .push(Notice::CrlSignature { issuer: issuer.clone(), origin: item.origin.clone() });
        }
        let next_update = crl.next_update().map(|time| Timestamp::from_unix(time.timestamp()));
        if let Some(next_update) = next_update.filter(|&next_update| next_update < at) {
            notices.push(Notice::CrlExpired { issuer, next_update, origin: item.origin.clone() });
        }
        notices
    }

    fn client(&self, mode: VerifyPeer) -> Result<Client, trust_verdict::ConfigError> {
        Client::new(ClientConfig {
            mode,
            trust: self.files.clone(),
            priority: SAMBA_PRIORITY.to_owned(),
        })
    }
}

/// `gnutls_x509_crt_check_hostname2` with an address, which also takes it for a DNS name.
fn names_address(leaf: &X509Certificate<'_>, address: std::net::IpAddr) -> bool {
    let octets = match address {
        std::net::IpAddr::V4(address) => address.octets().to_vec(),
        std::net::IpAddr::V6(address) => address.octets().to_vec(),
    };
    let text = address.to_string();
    let Ok(Some(names)) = leaf.subject_alternative_name() else { return false };
    names.value.general_names.iter().any(|name| match name {
        GeneralName::IPAddress(found) => *found == octets,
        GeneralName::DNSName(found) => found.eq_ignore_ascii_case(&text),
        _ => false,
    })
}

/// SHA-256 of a certificate, in hexadecimal with colons, as people compare it.
pub(super) fn fingerprint(der: &[u8]) -> String {
    let octets = digest(&SHA256, der);
    octets.as_ref().iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}
