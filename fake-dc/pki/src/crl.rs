//! Revocation lists: what the CAs of a chain publish, before and after signing.
//!
//! An AD CS installation publishes a list for each of its CAs, by default weekly, in the
//! directory below `CN=CDP,CN=Public Key Services,CN=Services,CN=Configuration` ([MS-WCCE]
//! 3.2.1.4.1; AD CS of Windows Server 2022). The container below that bears the name of the
//! machine that the CA runs on; here that is the DC, as in small domains, so that each DC has
//! lists of its own. Certificates point there with an `ldap:` URL without a host, which the
//! client asks of its own domain.

use std::fmt::Write as _;

use ground::Timestamp;
use rcgen::{
    CertificateParams, CertificateRevocationListParams, Issuer, KeyIdMethod, RevocationReason,
    RevokedCertParams, SerialNumber,
};

use crate::{
    certificate::{Extension, NameAttribute, Signer},
    der,
    error::PkiError,
    issue::distinguished_name,
    key::Signing,
    plan::{CertificateId, ChainPlan},
};

/// A revocation list to be signed and published. Its methods read as a sentence.
///
/// ```
/// use fake_dc_pki::{DcIdentity, Pki, RevocationReason};
/// use ground::{Seed, Timestamp};
///
/// let now = Timestamp::from_unix(1_787_277_600);
/// let pki = Pki::new(&Seed::new(1), now, "corp.example")?;
/// let dc1 = DcIdentity::new("dc1", "corp.example", [127, 0, 1, 11].into());
///
/// let mut plan = pki.plan(&dc1)?;
/// let (leaf, issuer) = (plan.leaf_id(), plan.intermediate_id());
/// plan.pointing_to_its_crl(leaf)
///     .crl_of(issuer)
///     .revoking(leaf, now.plus_days(-1), RevocationReason::KeyCompromise)
///     .valid(now.plus_days(-1), now.plus_days(7));
/// assert!(plan.issue()?.crl_pem().starts_with("-----BEGIN X509 CRL-----"));
/// # Ok::<(), fake_dc_pki::PkiError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlPlan {
    /// Under whose name it is published.
    published_for: CertificateId,
    issuer: CertificateId,
    this_update: Timestamp,
    next_update: Timestamp,
    revoked: Vec<(CertificateId, Timestamp, RevocationReason)>,
    form: Form,
}

/// What becomes of the list once it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    BadSignature,
    Replaced(Vec<u8>),
    Sound,
}

/// A revocation list as it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crl {
    /// Common name of the CA that it is published for.
    pub ca: String,
    /// What is found there. Nothing is checked.
    pub der: Vec<u8>,
}

impl Crl {
    /// As PEM text, in a block called `X509 CRL`.
    pub fn to_pem(&self) -> String {
        pem::encode_config(
            &pem::Pem::new("X509 CRL", self.der.as_slice()),
            pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
        )
    }
}

impl CrlPlan {
    /// The empty list of `ca`.
    pub(crate) fn of(ca: CertificateId, this_update: Timestamp, next_update: Timestamp) -> Self {
        Self {
            published_for: ca,
            issuer: ca,
            this_update,
            next_update,
            revoked: Vec::new(),
            form: Form::Sound,
        }
    }

    /// Lists a certificate, by the serial that it will have.
    pub fn revoking(
        &mut self,
        certificate: CertificateId,
        at: Timestamp,
        reason: RevocationReason,
    ) -> &mut Self {
        self.revoked.push((certificate, at, reason));
        self
    }

    /// Sets when it was made and when the next is due.
    pub fn valid(&mut self, this_update: Timestamp, next_update: Timestamp) -> &mut Self {
        self.this_update = this_update;
        self.next_update = next_update;
        self
    }

    /// Has another CA name and sign itself in it.
    pub fn issued_by(&mut self, issuer: CertificateId) -> &mut Self {
        self.issuer = issuer;
        self
    }

    /// Breaks its signature.
    pub fn with_bad_signature(&mut self) -> &mut Self {
        self.form = Form::BadSignature;
        self
    }

    /// Publishes these bytes in its place.
    pub fn replaced_by(&mut self, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.form = Form::Replaced(bytes.into());
        self
    }
}

/// The lists of a plan.
impl ChainPlan {
    /// The list that `ca` publishes.
    pub fn crl_of(&mut self, ca: CertificateId) -> &mut CrlPlan {
        let known = self.crls.iter().position(|crl| crl.published_for == ca);
        let at = known.unwrap_or_else(|| {
            self.crls.push(CrlPlan::of(ca, self.now().plus_days(-1), self.now().plus_days(7)));
            self.crls.len() - 1
        });
        &mut self.crls[at]
    }

    /// Takes the list of `ca` from where it is published.
    pub fn without_crl_of(&mut self, ca: CertificateId) -> &mut Self {
        self.crls.retain(|crl| crl.published_for != ca);
        self
    }

    /// Has a certificate say where the list of its issuer is.
    pub fn pointing_to_its_crl(&mut self, certificate: CertificateId) -> &mut Self {
        let url = self.crl_url(self.issuer_of(certificate));
        let extension = distribution_point(&url);
        let certificate = self.certificate_mut(certificate);
        if !certificate.further.contains(&extension) {
            certificate.with(extension);
        }
        self
    }

    /// The certificate that issues another; a self-signed one issues itself.
    pub fn issuer_of(&self, certificate: CertificateId) -> CertificateId {
        match self.certificate(certificate).signer {
            Signer::Certificate(issuer) => issuer,
            Signer::Itself => certificate,
        }
    }

    pub(crate) fn issue_crls(&self) -> Result<Vec<Crl>, PkiError> {
        self.crls
            .iter()
            .map(|crl| {
                let refused = |error: rcgen::Error| PkiError::Refused {
                    certificate: format!("revocation list of {}", self.certificate(crl.issuer)),
                    cause: error.to_string(),
                };
                let der = match &crl.form {
                    Form::Replaced(bytes) => bytes.clone(),
                    Form::Sound => self.sign_crl(crl).map_err(refused)?,
                    Form::BadSignature => {
                        let mut der = self.sign_crl(crl).map_err(refused)?;
                        // The end of the list is the end of the signature.
                        der.iter_mut().rev().take(1).for_each(|octet| *octet ^= 1);
                        der
                    }
                };
                Ok(Crl { ca: self.common_name(crl.published_for), der })
            })
            .collect()
    }

    fn sign_crl(&self, crl: &CrlPlan) -> Result<Vec<u8>, rcgen::Error> {
        let issuer = self.certificate(crl.issuer);
        let key = Signing::choose(&self.seed, &issuer.key)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished_name(issuer);
        // Without usages: rcgen would refuse to sign for a CA that must not.
        params.key_identifier_method = KeyIdMethod::PreSpecified(key.identifier());
        let revoked = crl.revoked.iter().map(|&(certificate, at, reason)| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&self.serial(self.certificate(certificate))),
            revocation_time: at.to_date_time(),
            reason_code: Some(reason),
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: crl.this_update.to_date_time(),
            next_update: crl.next_update.to_date_time(),
            // Grows with time; the unit is of no matter.
            crl_number: SerialNumber::from(crl.this_update.unix().unsigned_abs()),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: params.key_identifier_method.clone(),
        };
        let list = list.signed_by(&Issuer::new(params, key))?;
        Ok(list.der().to_vec())
    }

    /// Where the list of `ca` is published: without a host, so that clients ask their own DC.
    fn crl_url(&self, ca: CertificateId) -> String {
        let names = [
            self.common_name(ca),
            self.dc().name.to_ascii_uppercase(),
            "CDP".to_owned(),
            "Public Key Services".to_owned(),
            "Services".to_owned(),
            "Configuration".to_owned(),
        ];
        let mut url = "ldap:///".to_owned();
        for name in names {
            // A `String` takes everything.
            let _ = write!(url, "CN={},", name.replace(' ', "%20"));
        }
        let domain: Vec<_> =
            self.dc().domain.split('.').map(|label| format!("DC={label}")).collect();
        url + &domain.join(",") + "?certificateRevocationList?base?objectClass=cRLDistributionPoint"
    }

    fn common_name(&self, certificate: CertificateId) -> String {
        let subject = &self.certificate(certificate).subject;
        subject
            .iter()
            .find(|(attribute, _)| *attribute == NameAttribute::CommonName)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }
}

/// The extension of RFC 5280, section 4.2.1.13, with one URL.
fn distribution_point(url: &str) -> Extension {
    // DistributionPoint { [0] distributionPoint { [0] fullName { [6] URI } } }
    let name = der::context(6, url.as_bytes());
    let full_name = der::context(0x20, &name);
    let point = der::sequence(&[der::context(0x20, &full_name)]);
    Extension { oid: vec![2, 5, 29, 31], critical: false, value: der::sequence(&[point]) }
}
