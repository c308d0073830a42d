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
    pub(crate) ca: Option<PathLength>,
    pub(crate) key_usages: Vec<KeyUsagePurpose>,
    pub(crate) purposes: Vec<ExtendedKeyUsagePurpose>,
    pub(crate) ca_issuers_url: Option<String>,
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

/// The `pathLenConstraint` of a CA; `None` is no limit.
pub(crate) type PathLength = Option<u8>;

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
            .ca_of_path_length(Some(0));
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
            key: KeyChoice::new(KeyOwner::Server(dc.name.clone())),
            signer: Signer::Certificate(issuer),
            not_before: now.plus_days(-30),
            not_after: now.plus_days(YEAR - 30),
            ca: None,
            key_usages: vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment],
            purposes: vec![
                ExtendedKeyUsagePurpose::ClientAuth,
                ExtendedKeyUsagePurpose::ServerAuth,
            ],
            ca_issuers_url: None,
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
            ca: Some(None),
            key_usages: vec![
                KeyUsagePurpose::DigitalSignature,
                KeyUsagePurpose::KeyCertSign,
                KeyUsagePurpose::CrlSign,
            ],
            purposes: Vec::new(),
            ca_issuers_url: None,
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

    /// Makes it a CA that may have `intermediates` more below it; `None` is no limit.
    pub fn ca_of_path_length(&mut self, intermediates: Option<u8>) -> &mut Self {
        self.ca = Some(intermediates);
        self
    }

    /// Takes the basic constraints away, and with them the right to issue.
    pub fn no_ca(&mut self) -> &mut Self {
        self.ca = None;
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

    /// Says where the issuer's certificate can be fetched (authority information access).
    pub fn issuer_at(&mut self, url: &str) -> &mut Self {
        self.ca_issuers_url = Some(url.to_owned());
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
