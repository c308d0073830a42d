//! A chain before anything is signed: certificates, their roles, and what the server sends.

use ground::{Seed, Timestamp};

use crate::{certificate::CertificatePlan, key::Authority, pki::DcIdentity};

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
    domain: String,
    dc: DcIdentity,
    founded: Timestamp,
    now: Timestamp,
    certificates: Vec<CertificatePlan>,
    leaf: CertificateId,
    intermediate: CertificateId,
    anchor: CertificateId,
    /// The certificates that the server sends, in that order. Repeats are sent twice.
    pub sent: Vec<CertificateId>,
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
            sent: vec![leaf, intermediate],
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
