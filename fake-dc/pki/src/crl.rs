//! Revocation lists: what the CAs of a chain publish, before and after signing.
//!
//! An AD CS installation publishes a list for each of its CAs, by default weekly, in the
//! directory below `CN=CDP,CN=Public Key Services,CN=Services,CN=Configuration` ([MS-WCCE]
//! 3.2.1.4.1; AD CS of Windows Server 2022). The container below that bears the name of the
//! machine that the CA runs on; here that is the DC, as in small domains, so that each DC has
//! lists of its own. Certificates point there with an `ldap:` URL without a host, which the
//! client asks of its own domain.

use std::{
    fmt::{self, Write as _},
    ops::Deref,
    slice,
    sync::{Arc, OnceLock},
};

use ground::Timestamp;

use crate::{
    body,
    certificate::Signer,
    der::{self, Element},
    error::PkiError,
    extension::Extension,
    name::NameAttribute,
    oid,
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

/// Why a certificate is revoked (RFC 5280, section 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they are the names of the standard")]
pub enum RevocationReason {
    Unspecified = 0,
    KeyCompromise = 1,
    CaCompromise = 2,
    AffiliationChanged = 3,
    Superseded = 4,
    CessationOfOperation = 5,
    CertificateHold = 6,
    RemoveFromCrl = 8,
    PrivilegeWithdrawn = 9,
    AaCompromise = 10,
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

/// The revocation lists of a chain. They are signed when somebody looks at them for the first time,
/// which few clients do; a signature takes longer than all else about a list.
#[derive(Clone, Default)]
pub struct Crls(Arc<Lists>);

#[derive(Default)]
struct Lists {
    /// The common names of the CAs, list by list.
    cas: Vec<String>,
    plan: Option<ChainPlan>,
    signed: OnceLock<Vec<Crl>>,
}

impl Crls {
    /// The common names of the CAs that the lists are published for, without a look at the lists.
    pub fn cas(&self) -> &[String] {
        &self.0.cas
    }
}

impl Deref for Crls {
    type Target = [Crl];

    fn deref(&self) -> &[Crl] {
        let Lists { plan, signed, .. } = &*self.0;
        signed.get_or_init(|| {
            let signed = plan.as_ref().map(ChainPlan::sign_crls).transpose();
            signed.expect("that it can be signed was seen when it was promised").unwrap_or_default()
        })
    }
}

impl<'a> IntoIterator for &'a Crls {
    type Item = &'a Crl;
    type IntoIter = slice::Iter<'a, Crl>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for Crls {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Crls {}

impl fmt::Debug for Crls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.cas()).finish()
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
        self.certificate_mut(certificate).with_instead(extension);
        self
    }

    /// The certificate that issues another; a self-signed one issues itself.
    pub fn issuer_of(&self, certificate: CertificateId) -> CertificateId {
        match self.certificate(certificate).signer {
            Signer::Certificate(issuer) => issuer,
            Signer::Itself => certificate,
        }
    }

    /// Promises the lists, after a look at all that can go wrong with them.
    pub(crate) fn issue_crls(&self) -> Result<Crls, PkiError> {
        for crl in &self.crls {
            let key = self.key_of(crl.issuer)?;
            let algorithm = key.usual_algorithm();
            if !matches!(crl.form, Form::Replaced(_)) && !key.fits(algorithm) {
                return Err(PkiError::UnfitKey { key: key.to_string(), algorithm });
            }
            crl.revoked.iter().try_for_each(|&(id, ..)| self.serial_of(id).map(drop))?;
        }
        let cas = self.crl_cas();
        let plan = (!self.crls.is_empty()).then(|| self.clone());
        Ok(Crls(Arc::new(Lists { cas, plan, signed: OnceLock::new() })))
    }

    fn sign_crls(&self) -> Result<Vec<Crl>, PkiError> {
        self.crls
            .iter()
            .map(|crl| {
                let der = match &crl.form {
                    Form::Replaced(bytes) => bytes.clone(),
                    Form::Sound => self.sign_crl(crl)?,
                    Form::BadSignature => {
                        let mut der = self.sign_crl(crl)?;
                        // The end of the list is the end of the signature.
                        der.iter_mut().rev().take(1).for_each(|octet| *octet ^= 1);
                        der
                    }
                };
                Ok(Crl { ca: self.common_name(crl.published_for), der })
            })
            .collect()
    }

    /// RFC 5280, section 5.1, with the extensions that AD CS writes: authority key identifier and
    /// number.
    fn sign_crl(&self, crl: &CrlPlan) -> Result<Vec<u8>, PkiError> {
        let key = self.key_of(crl.issuer)?;
        let algorithm = key.usual_algorithm();
        let mut body = vec![
            // v2
            Element::integer(1),
            algorithm.identifier(),
            self.certificate(crl.issuer).subject().element(),
            body::time(crl.this_update),
            body::time(crl.next_update),
        ];
        let mut revoked = Vec::new();
        for &(certificate, at, reason) in &crl.revoked {
            let serial = Element::primitive(der::INTEGER, self.serial_of(certificate)?);
            let reason = Element::primitive(der::ENUMERATED, [reason as u8]);
            let reason = Extension::new(oid::REASON_CODE, reason).element();
            revoked.push(Element::sequence([serial, body::time(at), Element::sequence([reason])]));
        }
        if !revoked.is_empty() {
            body.push(Element::sequence(revoked));
        }
        let issuer_key = Element::sequence([Element::context(0, key.identifier())]);
        // Grows with time; the unit is of no matter.
        let number = Element::integer(crl.this_update.unix().unsigned_abs());
        let extensions = [
            Extension::new(oid::AUTHORITY_KEY_ID, issuer_key).element(),
            Extension::new(oid::CRL_NUMBER, number).element(),
        ];
        body.push(Element::explicit(0, Element::sequence(extensions)));
        Ok(self.register.sign(&key, algorithm, Element::sequence(body))?.to_bytes())
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

    /// The common names of the CAs that publish lists, list by list.
    pub fn crl_cas(&self) -> Vec<String> {
        self.crls.iter().map(|crl| self.common_name(crl.published_for)).collect()
    }

    pub(crate) fn common_name(&self, certificate: CertificateId) -> String {
        let subject = self.certificate(certificate).subject();
        subject.values(NameAttribute::CommonName).next().unwrap_or_default().to_owned()
    }
}

/// The extension of RFC 5280, section 4.2.1.13, with one URL.
fn distribution_point(url: &str) -> Extension {
    // DistributionPoint { [0] distributionPoint { [0] fullName { [6] URI } } }
    let full_name = Element::context_of(0, [Element::context(6, url)]);
    let point = Element::sequence([Element::explicit(0, full_name)]);
    Extension::new(oid::CRL_DISTRIBUTION_POINTS, Element::sequence([point]))
}
