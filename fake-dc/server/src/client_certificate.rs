//! Certificates of clients: whether a DC asks for one, which it takes, and whom it stands for.
//!
//! A DC of Windows asks every client and takes whatever it shows; a certificate that is not good,
//! or stands for nobody, leaves the client anonymous ([MS-ADTS] 5.1.1.2). That is
//! [`ClientCertificates::requested`]. A server in front of one that insists is
//! [`ClientCertificates::required`]: there a certificate that is not good ends the handshake.

use std::sync::Arc;

use fake_dc_directory::CertificateNames;
use fake_dc_pki::CaCertificate;
use ground::Timestamp;
use rustls::{
    Error as TlsError, RootCertStore,
    pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use x509_parser::{
    asn1_rs::{Any, Tag},
    extensions::{GeneralName, ParsedExtension},
    prelude::{FromDer as _, X509Certificate},
    x509::X509Name,
};

use crate::{authority::Authority, domain::Common, error::Error, tls::ClientAuth};

/// Whether the DCs of a domain ask clients for a certificate, and whose they take: those of the
/// domain's CA, and of others that are added. The default is not to ask.
#[derive(Clone, Debug, Default)]
pub struct ClientCertificates {
    pub(crate) demand: ClientAuth,
    authorities: Vec<CertificateDer<'static>>,
    lists: Vec<CertificateRevocationListDer<'static>>,
}

impl ClientCertificates {
    /// Clients are asked, and need not have one, as AD does.
    pub fn requested() -> Self {
        Self { demand: ClientAuth::Requested, ..Self::default() }
    }

    /// Clients must show one that is good.
    pub fn required() -> Self {
        Self { demand: ClientAuth::Required, ..Self::default() }
    }

    /// Takes those of another CA, too: the certificates of its PEM text are roots.
    ///
    /// # Errors
    ///
    /// There is no certificate in the text.
    pub fn authority(mut self, pem: &str) -> Result<Self, Error> {
        let unusable = |cause: String| Error::ClientCertificates { what: "CA certificate", cause };
        let found = CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unusable(error.to_string()))?;
        if found.is_empty() {
            return Err(unusable("there is none in it".to_owned()));
        }
        let mut store = RootCertStore::empty();
        for certificate in &found {
            store.add(certificate.clone()).map_err(|error| unusable(error.to_string()))?;
        }
        self.authorities.extend(found);
        Ok(self)
    }

    /// Takes none that is on this list, which is PEM text. Certificates of a CA without a list are
    /// taken; with a list that is out of date, none of that CA's is.
    ///
    /// # Errors
    ///
    /// There is no list in the text that can be used.
    pub fn revocation_list(mut self, pem: &str) -> Result<Self, Error> {
        let unusable = |cause: String| Error::ClientCertificates { what: "revocation list", cause };
        let found = CertificateRevocationListDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unusable(error.to_string()))?;
        if found.is_empty() {
            return Err(unusable("there is none in it".to_owned()));
        }
        self.lists.extend(found);
        Ok(self)
    }

    /// Whether the lists can be used: with the CA of the domain, since there must be one.
    pub(crate) fn check(&self, authority: &Authority) -> Result<(), Error> {
        let made = self.verifier(authority);
        made.map(drop).map_err(|cause| Error::ClientCertificates { what: "revocation list", cause })
    }

    fn verifier(&self, authority: &Authority) -> Result<Arc<dyn ClientCertVerifier>, String> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(own(authority, CaCertificate::Root));
        roots.add_parsable_certificates(self.authorities.iter().cloned());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .with_crls(self.lists.iter().cloned())
            .allow_unknown_revocation_status()
            .only_check_end_entity_revocation()
            .enforce_revocation_expiration()
            .build()
            .map_err(|error| error.to_string())
    }
}

/// Whether the certificate that a client has shown first in `chain` is good. Issuing CAs of the
/// domain need not be sent: a DC has them in its stores.
pub(crate) fn judge(
    domain: &Common,
    chain: &[CertificateDer<'_>],
    at: Timestamp,
) -> Result<(), TlsError> {
    let Some((leaf, others)) = chain.split_first() else {
        return Err(TlsError::NoCertificatesPresented);
    };
    let verifier =
        domain.client_certificates.verifier(&domain.authority).map_err(TlsError::General)?;
    let issuing = own(&domain.authority, CaCertificate::Intermediate);
    let others: Vec<_> = others.iter().map(|der| der.clone().into_owned()).chain(issuing).collect();
    let seconds = u64::try_from(at.unix()).unwrap_or_default();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    verifier.verify_client_cert(leaf, &others, at).map(drop)
}

fn own(
    authority: &Authority,
    which: CaCertificate,
) -> impl Iterator<Item = CertificateDer<'static>> {
    authority.all().filter_map(move |pki| pki.certificate(which).ok())
}

/// What a certificate says that could stand for an account.
pub(crate) fn names(certificate: &[u8]) -> CertificateNames {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
        return CertificateNames::default();
    };
    let (issuer, subject) = (name_text(certificate.issuer()), name_text(certificate.subject()));
    let mut serial = certificate.raw_serial().to_vec();
    if serial.len() > 1 && serial[0] == 0 {
        serial.remove(0);
    }
    serial.reverse();
    let mut names = CertificateNames {
        mappings: vec![
            format!("X509:<I>{issuer}<S>{subject}"),
            format!("X509:<I>{issuer}<SR>{}", hex(&serial)),
            format!("X509:<S>{subject}"),
        ],
        ..CertificateNames::default()
    };
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(identifier) => {
                names.mappings.push(format!("X509:<SKI>{}", hex(identifier.0)));
            }
            ParsedExtension::SubjectAlternativeName(found) => {
                for name in &found.general_names {
                    match name {
                        GeneralName::DNSName(name) => names.dns_names.push((*name).to_owned()),
                        GeneralName::RFC822Name(address) => {
                            names.mappings.push(format!("X509:<RFC822>{address}"));
                        }
                        GeneralName::OtherName(kind, value)
                            if kind.to_id_string() == USER_PRINCIPAL_NAME =>
                        {
                            names.user_principal_name = utf8_string(value);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    names
}

const USER_PRINCIPAL_NAME: &str = "1.3.6.1.4.1.311.20.2.3";

/// `[0] EXPLICIT UTF8String`.
fn utf8_string(value: &[u8]) -> Option<String> {
    let (_, outer) = Any::from_der(value).ok()?;
    let (_, text) = Any::from_der(outer.data).ok()?;
    let is_text = text.tag() == Tag::Utf8String;
    is_text.then(|| std::str::from_utf8(text.data).ok().map(str::to_owned)).flatten()
}

/// A name as `altSecurityIdentities` has it: in the order of the certificate, without blanks.
fn name_text(name: &X509Name<'_>) -> String {
    let attributes = name.iter_attributes().map(|attribute| {
        let kind = attribute.attr_type().to_id_string();
        let kind = SHORT_NAMES
            .iter()
            .find(|(known, _)| *known == kind)
            .map_or(kind.as_str(), |(_, short)| short);
        format!("{kind}={}", attribute.as_str().unwrap_or_default())
    });
    attributes.collect::<Vec<_>>().join(",")
}

/// The short names that Windows writes.
const SHORT_NAMES: [(&str, &str); 8] = [
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "E"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.3", "CN"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "S"),
];

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
