//! What one certificate will say, before it is signed.

use std::fmt;

use ground::Timestamp;

use crate::{
    algorithm::SignatureAlgorithm,
    der::Element,
    extension::{AltName, BasicConstraints, Extension, ExtensionEdit, KeyUsage, Purpose},
    key::{Authority, KeyChoice, KeyKind, KeyOwner},
    name::{Name, NameAttribute, Spelling},
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
    /// As people count: 3 is the usual.
    pub(crate) version: u8,
    /// The content of the INTEGER; `None` draws one.
    pub(crate) serial: Option<Vec<u8>>,
    pub(crate) subject: Name,
    /// `None` is the subject of the signer.
    pub(crate) issuer: Option<Name>,
    pub(crate) alt_names: Vec<AltName>,
    pub(crate) key: KeyChoice,
    pub(crate) signer: Signer,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) basic_constraints: BasicConstraints,
    pub(crate) key_usages: Vec<KeyUsage>,
    pub(crate) purposes: Vec<Purpose>,
    pub(crate) permitted: Vec<String>,
    pub(crate) excluded: Vec<String>,
    pub(crate) issuer_key_id: Option<Vec<u8>>,
    /// In the order in which they were asked for, behind what is above.
    pub(crate) edits: Vec<ExtensionEdit>,
    pub(crate) signature: SignaturePlan,
    pub(crate) time_form: TimeForm,
    /// The algorithm that the key says it is of, if not the truth.
    pub(crate) key_algorithm: Option<Vec<u64>>,
    pub(crate) unique_ids: bool,
    /// Bytes behind the certificate.
    pub(crate) trailer: Vec<u8>,
}

/// How the dates of a certificate are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeForm {
    /// As RFC 5280, section 4.1.2.5, has it: UTCTime until 2049, GeneralizedTime later.
    #[default]
    Usual,
    /// GeneralizedTime for all years.
    Generalized,
    /// UTCTime without seconds, which BER allows and X.509 does not.
    WithoutSeconds,
}

/// How a certificate is signed. The default is what its signer's key usually does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SignaturePlan {
    pub(crate) algorithm: Option<SignatureAlgorithm>,
    /// What the body says that it will be signed with, if not the truth.
    pub(crate) named_inside: Option<AlgorithmName>,
    /// What stands before the signature, if not the truth.
    pub(crate) named_outside: Option<AlgorithmName>,
    pub(crate) broken: bool,
}

/// What a certificate calls the algorithm of its signature, true or not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AlgorithmName {
    /// One that exists.
    Known(SignatureAlgorithm),
    /// Any object identifier, without parameters.
    Oid(Vec<u64>),
}

impl AlgorithmName {
    pub(crate) fn identifier(&self) -> Element {
        match self {
            Self::Known(algorithm) => algorithm.identifier(),
            Self::Oid(arcs) => Element::sequence([Element::object_identifier(arcs)]),
        }
    }
}

/// Who signs a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Another certificate of the same plan.
    Certificate(CertificateId),
    /// Its own key.
    Itself,
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
        let mut leaf = Self::bare(KeyOwner::Named(dc.name.clone()), Signer::Certificate(issuer));
        leaf.named(&dc.dns_name)
            .also_named([dc.dns_name.as_str()])
            .valid(now.plus_days(-30), now.plus_days(YEAR - 30))
            .usable_for([KeyUsage::DigitalSignature, KeyUsage::KeyEncipherment])
            .meant_for([Purpose::ClientAuth, Purpose::ServerAuth]);
        leaf
    }

    /// The certificate of a server of this name that no CA has signed. Names and dates are still to
    /// be given.
    pub fn server(owner: &str) -> Self {
        let mut server = Self::bare(KeyOwner::Named(owner.to_owned()), Signer::Itself);
        server
            .constrained(BasicConstraints::NotCa)
            .usable_for([KeyUsage::DigitalSignature, KeyUsage::KeyEncipherment])
            .meant_for([Purpose::ServerAuth]);
        server
    }

    fn authority(authority: Authority, name: &str, organization: &str) -> Self {
        let mut plan = Self::bare(KeyOwner::Authority(authority), Signer::Itself);
        plan.named_by([
            (NameAttribute::Organization, organization),
            (NameAttribute::CommonName, name),
        ])
        .constrained(BasicConstraints::Ca(None))
        .usable_for([
            KeyUsage::DigitalSignature,
            KeyUsage::KeyCertSign,
            KeyUsage::CrlSign,
        ]);
        plan
    }

    fn bare(owner: KeyOwner, signer: Signer) -> Self {
        Self {
            version: 3,
            serial: None,
            subject: Name::default(),
            issuer: None,
            alt_names: Vec::new(),
            key: KeyChoice::new(owner),
            signer,
            not_before: Timestamp::from_unix(0),
            not_after: Timestamp::from_unix(0),
            basic_constraints: BasicConstraints::Absent,
            key_usages: Vec::new(),
            purposes: Vec::new(),
            permitted: Vec::new(),
            excluded: Vec::new(),
            issuer_key_id: None,
            edits: Vec::new(),
            signature: SignaturePlan::default(),
            time_form: TimeForm::Usual,
            key_algorithm: None,
            unique_ids: false,
            trailer: Vec::new(),
        }
    }

    /// Makes it a certificate of version 1, 2, or 3. The extensions stay unless they are removed.
    pub fn of_version(&mut self, version: u8) -> &mut Self {
        self.version = version;
        self
    }

    /// Gives it a serial number: the content octets of the INTEGER, written as given.
    pub fn numbered(&mut self, content: &[u8]) -> &mut Self {
        self.serial = Some(content.to_owned());
        self
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
        self.subject = attributes.into_iter().collect();
        self
    }

    /// Spells the subject in another kind of string. Those that it issues follow.
    pub fn spelt_in(&mut self, spelling: Spelling) -> &mut Self {
        self.subject.spell_in(spelling);
        self
    }

    /// Names another issuer than the one that signs.
    pub fn claiming_issuer(&mut self, issuer: Name) -> &mut Self {
        self.issuer = Some(issuer);
        self
    }

    /// Its subject.
    pub fn subject(&self) -> &Name {
        &self.subject
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

    /// Writes both dates in another form.
    pub fn dated_in(&mut self, form: TimeForm) -> &mut Self {
        self.time_form = form;
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

    /// Says that its key is of this algorithm.
    pub fn claiming_key_algorithm(&mut self, oid: &[u64]) -> &mut Self {
        self.key_algorithm = Some(oid.to_owned());
        self
    }

    /// Gives issuer and subject a unique identifier (RFC 5280, section 4.1.2.8).
    pub fn with_unique_ids(&mut self) -> &mut Self {
        self.unique_ids = true;
        self
    }

    /// Puts bytes behind the certificate, where none belong.
    pub fn followed_by(&mut self, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.trailer = bytes.into();
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
    pub fn usable_for(&mut self, usages: impl IntoIterator<Item = KeyUsage>) -> &mut Self {
        self.key_usages = usages.into_iter().collect();
        self
    }

    /// Replaces the extended key usages. Nothing leaves the extension out.
    pub fn meant_for(&mut self, purposes: impl IntoIterator<Item = Purpose>) -> &mut Self {
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
        self.edits.push(ExtensionEdit::Add(extension));
        self
    }

    /// Puts an extension in the place of the one of its kind, or adds it if there is none.
    pub fn with_instead(&mut self, extension: Extension) -> &mut Self {
        self.edits.push(ExtensionEdit::Replace(extension));
        self
    }

    /// Has the extension of this kind twice, one behind the other.
    pub fn with_twice(&mut self, oid: &[u64]) -> &mut Self {
        self.edits.push(ExtensionEdit::Repeat(oid.to_owned()));
        self
    }

    /// Removes the extension of this kind.
    pub fn without(&mut self, oid: &[u64]) -> &mut Self {
        self.edits.push(ExtensionEdit::Remove(oid.to_owned()));
        self
    }

    /// Removes all extensions that were asked for so far.
    pub fn without_extensions(&mut self) -> &mut Self {
        self.edits.push(ExtensionEdit::RemoveAll);
        self
    }

    /// Has it signed in this way. A signer whose key cannot do that signs as it usually does.
    pub fn signed_with(&mut self, algorithm: SignatureAlgorithm) -> &mut Self {
        self.signature.algorithm = Some(algorithm);
        self
    }

    /// Has its body name another algorithm than the one that signs it.
    pub fn claiming_inside(&mut self, algorithm: AlgorithmName) -> &mut Self {
        self.signature.named_inside = Some(algorithm);
        self
    }

    /// Has body and signature name another algorithm than the one that signs it.
    pub fn claiming_algorithm(&mut self, algorithm: AlgorithmName) -> &mut Self {
        self.signature.named_outside = Some(algorithm.clone());
        self.claiming_inside(algorithm)
    }

    /// Damages the signature in its last octet, where any client must see it.
    pub fn with_broken_signature(&mut self) -> &mut Self {
        self.signature.broken = true;
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
        self.subject.fmt(f)
    }
}
