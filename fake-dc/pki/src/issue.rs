//! From plan to bytes.

use rand::Rng as _;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, IsCa, Issuer,
    KeyIdMethod, SanType, SerialNumber,
};
use rustls_pki_types::CertificateDer;

use crate::{
    certificate::{AltName, CertificatePlan, NameAttribute, Signer},
    chain::Chain,
    error::PkiError,
    key::Signing,
    plan::{CertificateId, ChainPlan},
};

impl ChainPlan {
    /// Signs what the plan says.
    ///
    /// # Errors
    ///
    /// A name that a certificate cannot hold.
    pub fn issue(&self) -> Result<Chain, PkiError> {
        let leaf = self.certificate(self.leaf_id());
        let refused = |error| refused(leaf, &error);
        let key = Signing::choose(&self.seed, &leaf.key).and_then(|key| key.to_private_key());
        Ok(Chain {
            certificates: self
                .sent
                .iter()
                .map(|&id| self.issue_certificate(id))
                .collect::<Result<_, _>>()?,
            key: key.map_err(refused)?,
            anchor: Some(self.issue_certificate(self.anchor_id())?),
        })
    }

    /// Signs one certificate of the plan.
    ///
    /// # Errors
    ///
    /// A name that a certificate cannot hold.
    pub fn issue_certificate(
        &self,
        id: CertificateId,
    ) -> Result<CertificateDer<'static>, PkiError> {
        let certificate = self.certificate(id);
        self.sign(certificate).map_err(|error| refused(certificate, &error))
    }

    fn sign(&self, certificate: &CertificatePlan) -> Result<CertificateDer<'static>, rcgen::Error> {
        let issuer = match certificate.signer {
            Signer::Certificate(id) => self.certificate(id),
            Signer::Itself => certificate,
        };
        let issuer_key = Signing::choose(&self.seed, &issuer.key)?;
        let mut issuer_params = CertificateParams::default();
        issuer_params.distinguished_name = distinguished_name(issuer);
        issuer_params.key_identifier_method = KeyIdMethod::PreSpecified(issuer_key.identifier());
        let issuer = Issuer::new(issuer_params, issuer_key);

        let key = Signing::choose(&self.seed, &certificate.key)?;
        let mut params = params(certificate, &key)?;
        params.serial_number = Some(self.serial(certificate));
        Ok(params.signed_by(&key, &issuer)?.into())
    }

    /// 16 octets as AD CS draws them, so that certificates that differ have serials that differ.
    fn serial(&self, certificate: &CertificatePlan) -> SerialNumber {
        let mut serial = [0; 16];
        self.seed.stream(&format!("serial of {certificate:?}")).fill_bytes(&mut serial);
        // Positive, and never shorter than it looks.
        serial[0] = serial[0] & 0x7f | 0x40;
        SerialNumber::from_slice(&serial)
    }
}

fn params(plan: &CertificatePlan, key: &Signing) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.not_before = plan.not_before.to_date_time();
    params.not_after = plan.not_after.to_date_time();
    params.distinguished_name = distinguished_name(plan);
    params.subject_alt_names = plan.alt_names.iter().map(alt_name).collect::<Result<_, _>>()?;
    params.key_usages.clone_from(&plan.key_usages);
    params.extended_key_usages.clone_from(&plan.purposes);
    params.use_authority_key_identifier_extension = true;
    params.key_identifier_method = KeyIdMethod::PreSpecified(key.identifier());
    match plan.ca {
        Some(None) => params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
        Some(Some(length)) => params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length)),
        // rcgen writes the subject key identifier together with basic constraints or not at all.
        None => params.custom_extensions.push(CustomExtension::from_oid_content(
            SUBJECT_KEY_IDENTIFIER,
            der(OCTET_STRING, &key.identifier()),
        )),
    }
    if let Some(url) = &plan.ca_issuers_url {
        params.custom_extensions.push(authority_information_access(url));
    }
    Ok(params)
}

fn distinguished_name(plan: &CertificatePlan) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for (attribute, value) in &plan.subject {
        let kind = match attribute {
            NameAttribute::CommonName => DnType::CommonName,
            NameAttribute::Organization => DnType::OrganizationName,
        };
        name.push(kind, value.as_str());
    }
    name
}

fn alt_name(name: &AltName) -> Result<SanType, rcgen::Error> {
    Ok(match name {
        AltName::Dns(name) => SanType::DnsName(name.as_str().try_into()?),
        AltName::Ip(address) => SanType::IpAddress(*address),
    })
}

/// RFC 5280, section 4.2.2.1, with one `caIssuers` URL.
fn authority_information_access(url: &str) -> CustomExtension {
    let method = der(OBJECT_IDENTIFIER, CA_ISSUERS);
    let location = der(UNIFORM_RESOURCE_IDENTIFIER, url.as_bytes());
    let description = der(SEQUENCE, &[method, location].concat());
    CustomExtension::from_oid_content(AUTHORITY_INFORMATION_ACCESS, der(SEQUENCE, &description))
}

const AUTHORITY_INFORMATION_ACCESS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
const SUBJECT_KEY_IDENTIFIER: &[u64] = &[2, 5, 29, 14];
/// 1.3.6.1.5.5.7.48.2, encoded.
const CA_ISSUERS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 2];

const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// `[6]` of a `GeneralName`.
const UNIFORM_RESOURCE_IDENTIFIER: u8 = 0x86;

/// One DER element.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|&&octet| octet == 0).count()..];
    let mut element = vec![tag];
    if content.len() < 0x80 {
        element.push(content.len() as u8);
    } else {
        element.push(0x80 | significant.len() as u8);
        element.extend_from_slice(significant);
    }
    element.extend_from_slice(content);
    element
}

fn refused(certificate: &CertificatePlan, error: &rcgen::Error) -> PkiError {
    PkiError::Refused { certificate: certificate.to_string(), cause: error.to_string() }
}
