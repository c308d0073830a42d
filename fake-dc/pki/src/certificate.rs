//! What one certificate will say, before it is signed.

use std::{
    fmt::{self, Write as _},
    net::IpAddr,
};

use ground::Timestamp;
use rcgen::{ExtendedKeyUsagePurpose, KeyUsagePurpose};

use crate::{
    key::{Authority, KeyChoice, KeyKind, KeyOwner},
    pki::DcIdentity,
    plan::CertificateId,
};

/// One certificate to be issued. Its methods read as a sentence and change it in place.
///
/// ```
/// use fake_dc_pki::{DcIdentity, Pki};
/// use ground::{Seed, Timestamp};
///
/// let now = Timestamp::from_unix(1_787_277_600);
/// let pki = Pki::new(&Seed::new(1), now, "corp.example")?;
/// let dc1 = DcIdentity::new("dc1", "corp.example", [127, 0, 1, 11].into());
///
/// let mut plan = pki.plan(&dc1)?;
/// plan.leaf()
///     .named("web7.corp.example")
///     .also_named(["web7.corp.example", "*.apps.corp.example"])
///     .valid(now.plus_days(-1), now.plus_days(90));
/// let chain = plan.issue()?;
/// # Ok::<(), fake_dc_pki::PkiError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificatePlan {
    pub(crate) subject: Vec<(NameAttribute, String)>,
    pub(crate) alt_names: Vec<AltName>,
    pub(crate) key: KeyChoice,
    pub(crate) signer: Signer,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) basic_constraints: BasicConstraints,
    pub(crate) key_usages: Vec<KeyUsagePurpose>,
    pub(crate) purposes: Vec<ExtendedKeyUsagePurpose>,
    pub(crate) permitted: Vec<String>,
    pub(crate) excluded: Vec<String>,
    pub(crate) issuer_key_id: Option<Vec<u8>>,
    pub(crate) further: Vec<Extension>,
}

/// Who signs a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Another certificate of the same plan.
    Certificate(CertificateId),
    /// Its own key.
    Itself,
}

/// An attribute of a subject name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameAttribute {
    /// CN.
    CommonName,
    /// O.
    Organization,
}

/// An entry of the subject alternative name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AltName {
    /// A `dNSName`, written as given.
    Dns(String),
    /// An `iPAddress`.
    Ip(IpAddr),
}

impl From<&str> for AltName {
    fn from(name: &str) -> Self {
        Self::Dns(name.to_owned())
    }
}

impl From<String> for AltName {
    fn from(name: String) -> Self {
        Self::Dns(name)
    }
}

impl From<IpAddr> for AltName {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address)
    }
}

/// Whether a certificate may issue others (RFC 5280, section 4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BasicConstraints {
    /// The certificate does not say.
    Absent,
    /// It may, with this many more CAs between it and a leaf; `None` is no limit.
    Ca(Option<u8>),
    /// It says that it may not.
    NotCa,
}

/// An extension given as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its object identifier.
    pub oid: Vec<u64>,
    /// Whether a client that does not know it must refuse the certificate.
    pub critical: bool,
    /// Its value in DER.
    pub value: Vec<u8>,
}

impl CertificatePlan {
    /// A self-signed root with a life of 20 years around `now`.
    pub fn root(authority: Authority, name: &str, organization: &str, now: Timestamp) -> Self {
        let mut root = Self::authority(authority, name, organization);
        root.valid(now.plus_days(-10 * YEAR), now.plus_days(10 * YEAR));
        root
    }

    /// An issuing CA below `root` with a life of five years around `now`.
    pub fn intermediate(
        authority: Authority,
        name: &str,
        organization: &str,
        root: CertificateId,
        now: Timestamp,
    ) -> Self {
        let mut intermediate = Self::authority(authority, name, organization);
        intermediate
            .signed_by(root)
            .valid(now.plus_days(-2 * YEAR), now.plus_days(3 * YEAR))
            .constrained(BasicConstraints::Ca(Some(0)));
        intermediate
    }

    /// The certificate of a domain controller, with a life of one year around `now`.
    ///
    /// Subject, alternative name, key usages and purposes are those of the template "Domain
    /// Controller Authentication" of AD CS (Windows Server 2008 and later): the DNS name as CN
    /// and as the only `dNSName`; digital signature and key encipherment; client and server
    /// authentication. On purpose without the extension that names the template.
    pub fn leaf(dc: &DcIdentity, issuer: CertificateId, now: Timestamp) -> Self {
        Self {
            subject: vec![(NameAttribute::CommonName, dc.dns_name.clone())],
            alt_names: vec![dc.dns_name.as_str().into()],
            key: KeyChoice::new(KeyOwner::Named(dc.name.clone())),
            signer: Signer::Certificate(issuer),
            not_before: now.plus_days(-30),
            not_after: now.plus_days(YEAR - 30),
            basic_constraints: BasicConstraints::Absent,
            key_usages: vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment],
            purposes: vec![
                ExtendedKeyUsagePurpose::ClientAuth,
                ExtendedKeyUsagePurpose::ServerAuth,
            ],
            permitted: Vec::new(),
            excluded: Vec::new(),
            issuer_key_id: None,
            further: Vec::new(),
        }
    }

    fn authority(authority: Authority, name: &str, organization: &str) -> Self {
        Self {
            subject: vec![
                (NameAttribute::Organization, organization.to_owned()),
                (NameAttribute::CommonName, name.to_owned()),
            ],
            alt_names: Vec::new(),
            key: KeyChoice::new(KeyOwner::Authority(authority)),
            signer: Signer::Itself,
            not_before: Timestamp::from_unix(0),
            not_after: Timestamp::from_unix(0),
            basic_constraints: BasicConstraints::Ca(None),
            key_usages: vec![
                KeyUsagePurpose::DigitalSignature,
                KeyUsagePurpose::KeyCertSign,
                KeyUsagePurpose::CrlSign,
            ],
            purposes: Vec::new(),
            permitted: Vec::new(),
            excluded: Vec::new(),
            issuer_key_id: None,
            further: Vec::new(),
        }
    }

    /// Replaces the subject by a single CN. Leaves the alternative names alone.
    pub fn named(&mut self, common_name: &str) -> &mut Self {
        self.named_by([(NameAttribute::CommonName, common_name)])
    }

    /// Replaces the whole subject. Nothing gives the empty name.
    pub fn named_by<'a>(
        &mut self,
        attributes: impl IntoIterator<Item = (NameAttribute, &'a str)>,
    ) -> &mut Self {
        self.subject = attributes
            .into_iter()
            .map(|(attribute, value)| (attribute, value.to_owned()))
            .collect();
        self
    }

    /// Replaces the alternative names. Nothing leaves the extension out.
    pub fn also_named<N: Into<AltName>>(
        &mut self,
        names: impl IntoIterator<Item = N>,
    ) -> &mut Self {
        self.alt_names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Sets both ends of the validity. X.509 keeps whole seconds; the rest is cut off.
    pub fn valid(&mut self, from: Timestamp, until: Timestamp) -> &mut Self {
        self.not_before = from;
        self.not_after = until;
        self
    }

    /// Gives it the key of `owner`. Its kind stays as it is.
    pub fn keyed(&mut self, owner: KeyOwner) -> &mut Self {
        self.key.owner = owner;
        self
    }

    /// Gives it a key of another kind.
    pub fn of_kind(&mut self, kind: KeyKind) -> &mut Self {
        self.key.kind = kind;
        self
    }

    /// Has it issued by another certificate of the plan.
    pub fn signed_by(&mut self, issuer: CertificateId) -> &mut Self {
        self.signer = Signer::Certificate(issuer);
        self
    }

    /// Has it signed by its own key.
    pub fn signed_by_itself(&mut self) -> &mut Self {
        self.signer = Signer::Itself;
        self
    }

    /// Says whether it is a CA.
    pub fn constrained(&mut self, constraints: BasicConstraints) -> &mut Self {
        self.basic_constraints = constraints;
        self
    }

    /// Allows certificates below it for DNS names under `domain` only.
    pub fn permitting(&mut self, domain: &str) -> &mut Self {
        self.permitted.push(domain.to_owned());
        self
    }

    /// Forbids certificates below it for DNS names under `domain`.
    pub fn excluding(&mut self, domain: &str) -> &mut Self {
        self.excluded.push(domain.to_owned());
        self
    }

    /// Replaces the key usages. Nothing leaves the extension out.
    pub fn usable_for(&mut self, usages: impl IntoIterator<Item = KeyUsagePurpose>) -> &mut Self {
        self.key_usages = usages.into_iter().collect();
        self
    }

    /// Replaces the extended key usages. Nothing leaves the extension out.
    pub fn meant_for(
        &mut self,
        purposes: impl IntoIterator<Item = ExtendedKeyUsagePurpose>,
    ) -> &mut Self {
        self.purposes = purposes.into_iter().collect();
        self
    }

    /// Names another issuer key in the authority key identifier than the one that signs.
    pub fn claiming_issuer_key(&mut self, identifier: &[u8]) -> &mut Self {
        self.issuer_key_id = Some(identifier.to_owned());
        self
    }

    /// Adds an extension. A second one of the same kind is added, too.
    pub fn with(&mut self, extension: Extension) -> &mut Self {
        self.further.push(extension);
        self
    }

    /// Start of the validity.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// End of the validity.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }
}

const YEAR: i64 = 365;

/// The subject, as `O=corp.example, CN=corp.example Root CA`.
impl fmt::Display for CertificatePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.subject.is_empty() {
            return f.write_str("a certificate with an empty subject");
        }
        for (index, (attribute, value)) in self.subject.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(match attribute {
                NameAttribute::CommonName => "CN",
                NameAttribute::Organization => "O",
            })?;
            f.write_char('=')?;
            f.write_str(value)?;
        }
        Ok(())
    }
}
