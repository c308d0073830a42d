//! A chain before anything is signed: certificates, their roles, and what the server sends.

use ground::{Seed, Timestamp};

use crate::{
    certificate::CertificatePlan, crl::CrlPlan, key::Authority, pki::DcIdentity,
    register::Register, store::CertificateStore,
};

/// A certificate of a [`ChainPlan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CertificateId(usize);

/// The chain of one DC as it shall become. Faults edit it; [`ChainPlan::issue`] makes it real.
///
/// ```text
/// root ──▶ intermediate ──▶ leaf        who signs whom
/// sent: leaf, intermediate              what the server shows
/// ```
#[derive(Clone, Debug)]
pub struct ChainPlan {
    pub(crate) seed: Seed,
    /// Of the authorities that sign what it says.
    pub(crate) register: Register,
    domain: String,
    dc: DcIdentity,
    founded: Timestamp,
    now: Timestamp,
    certificates: Vec<CertificatePlan>,
    leaf: CertificateId,
    intermediate: CertificateId,
    anchor: CertificateId,
    /// What the server sends, in that order. Repeats are sent twice.
    pub sent: Vec<Sent>,
    pub(crate) crls: Vec<CrlPlan>,
    stores: Option<CertificateStore>,
}

/// An entry of the list of certificates that a server sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Bytes in place of a certificate.
    Bytes(Vec<u8>),
    /// A certificate of the plan.
    Certificate(CertificateId),
}

impl From<CertificateId> for Sent {
    fn from(id: CertificateId) -> Self {
        Self::Certificate(id)
    }
}

impl ChainPlan {
    /// A sound chain. The CA's dates are relative to `founded`, the leaf's to `now`.
    pub(crate) fn sound(
        seed: Seed,
        domain: &str,
        founded: Timestamp,
        dc: &DcIdentity,
        now: Timestamp,
    ) -> Self {
        let (root, intermediate, leaf) = (CertificateId(0), CertificateId(1), CertificateId(2));
        Self {
            seed,
            register: Register::default(),
            domain: domain.to_owned(),
            dc: dc.clone(),
            founded,
            now,
            certificates: vec![
                CertificatePlan::root(
                    Authority::Root,
                    &format!("{domain} Root CA"),
                    domain,
                    founded,
                ),
                CertificatePlan::intermediate(
                    Authority::Intermediate,
                    &format!("{domain} Issuing CA"),
                    domain,
                    root,
                    founded,
                ),
                CertificatePlan::leaf(dc, intermediate, now),
            ],
            leaf,
            intermediate,
            anchor: root,
            sent: vec![leaf.into(), intermediate.into()],
            crls: vec![
                // A root is kept offline and publishes once a year.
                CrlPlan::of(root, now.plus_days(-30), now.plus_days(335)),
                CrlPlan::of(intermediate, now.plus_days(-1), now.plus_days(7)),
            ],
            stores: None,
        }
    }

    /// The DC's own certificate.
    pub fn leaf(&mut self) -> &mut CertificatePlan {
        &mut self.certificates[self.leaf.0]
    }

    /// The CA certificate that issues the leaf.
    pub fn intermediate(&mut self) -> &mut CertificatePlan {
        &mut self.certificates[self.intermediate.0]
    }

    /// The certificate at the top: what an administrator would install to trust this DC.
    pub fn anchor(&mut self) -> &mut CertificatePlan {
        &mut self.certificates[self.anchor.0]
    }

    /// A certificate of the plan, to be changed.
    pub fn certificate_mut(&mut self, id: CertificateId) -> &mut CertificatePlan {
        &mut self.certificates[id.0]
    }

    /// The stores that the DC chooses its certificate from. Once asked for, they decide what is
    /// sent; until then, the leaf is sent whatever it is.
    pub fn stores_mut(&mut self) -> &mut CertificateStore {
        self.stores.get_or_insert_with(|| CertificateStore::holding(self.leaf, self.now))
    }

    /// The stores that the DC chooses its certificate from, if they matter.
    pub fn stores(&self) -> Option<&CertificateStore> {
        self.stores.as_ref()
    }

    pub(crate) fn leaf_is(&mut self, leaf: CertificateId) {
        self.leaf = leaf;
    }

    /// Sends exactly these.
    pub fn send_only(&mut self, certificates: impl IntoIterator<Item = CertificateId>) {
        self.sent = certificates.into_iter().map(Sent::from).collect();
    }

    /// Sends one more, in the last place.
    pub fn send_last(&mut self, entry: impl Into<Sent>) {
        self.sent.push(entry.into());
    }

    /// Sends one more right behind the leaf.
    pub fn send_behind_leaf(&mut self, entry: impl Into<Sent>) {
        self.sent.insert(self.sent.len().min(1), entry.into());
    }

    /// Whether a certificate is sent, and at which place first.
    pub fn place_of(&self, id: CertificateId) -> Option<usize> {
        self.sent.iter().position(|sent| *sent == Sent::Certificate(id))
    }

    /// Adds a certificate. It is not sent unless it is put into `sent`.
    pub fn add(&mut self, certificate: CertificatePlan) -> CertificateId {
        self.certificates.push(certificate);
        CertificateId(self.certificates.len() - 1)
    }

    /// Makes another certificate the top of the chain.
    pub fn anchor_at(&mut self, certificate: CertificateId) {
        self.anchor = certificate;
    }

    /// Where the leaf is.
    pub fn leaf_id(&self) -> CertificateId {
        self.leaf
    }

    /// Where the intermediate is.
    pub fn intermediate_id(&self) -> CertificateId {
        self.intermediate
    }

    /// Where the top of the chain is.
    pub fn anchor_id(&self) -> CertificateId {
        self.anchor
    }

    /// What the certificate `id` will say.
    pub fn certificate(&self, id: CertificateId) -> &CertificatePlan {
        &self.certificates[id.0]
    }

    /// The DC that the chain is for.
    pub fn dc(&self) -> &DcIdentity {
        &self.dc
    }

    /// The DNS name of the domain that owns the CA.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The time that the dates of the CA are relative to.
    pub fn founded(&self) -> Timestamp {
        self.founded
    }

    /// The time that the dates of the leaf, and of faults, are relative to.
    pub fn now(&self) -> Timestamp {
        self.now
    }
}
