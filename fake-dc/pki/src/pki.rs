//! The certification authority of one domain.

use std::{fmt, net::IpAddr, str::FromStr};

use ground::{Seed, Timestamp};
use rustls_pki_types::CertificateDer;

use crate::{
    certificate::CertificatePlan,
    chain::{Chain, certificate_pem},
    error::{PkiError, nearest},
    faults::ChainFault,
    key::Authority,
    plan::{CertificateId, ChainPlan},
    register::Register,
    renewal::Renewal,
};

/// Root, intermediate and the certificates of the DCs of one domain.
///
/// Certificates of DCs are made when asked for, and the same question gets the same bytes.
#[derive(Clone, Debug)]
pub struct Pki {
    seed: Seed,
    founded: Timestamp,
    pub(crate) renewal: Option<Renewal>,
    register: Register,
    domain: String,
    root_pem: String,
    intermediate_pem: String,
}

/// The domain controller that a chain is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DcIdentity {
    /// Short name, such as `dc1`.
    pub name: String,
    /// DNS name, such as `dc1.corp.example`.
    pub dns_name: String,
    /// DNS name of its domain.
    pub domain: String,
    /// Its addresses; at least one.
    pub addresses: Vec<IpAddr>,
}

impl DcIdentity {
    /// The DC `name` of `domain` with one address.
    pub fn new(name: &str, domain: &str, address: IpAddr) -> Self {
        Self {
            name: name.to_owned(),
            dns_name: format!("{name}.{domain}"),
            domain: domain.to_owned(),
            addresses: vec![address],
        }
    }
}

impl Pki {
    /// The CA of `domain`, founded so that its certificates are valid for years around `now`.
    ///
    /// # Errors
    ///
    /// `domain` cannot be written into a certificate: it is empty or not ASCII.
    pub fn new(seed: &Seed, now: Timestamp, domain: &str) -> Result<Self, PkiError> {
        writable("domain", domain)?;
        let mut pki = Self {
            seed: seed.child(&format!("pki of {domain}")),
            founded: now,
            renewal: None,
            register: Register::default(),
            domain: domain.to_owned(),
            root_pem: String::new(),
            intermediate_pem: String::new(),
        };
        pki.write_own()?;
        Ok(pki)
    }

    /// Makes the certificates that it is known by.
    pub(crate) fn write_own(&mut self) -> Result<(), PkiError> {
        self.root_pem = self.certificate_pem(CaCertificate::Root)?;
        self.intermediate_pem = self.certificate_pem(CaCertificate::Intermediate)?;
        Ok(())
    }

    /// The chain of `dc` with `faults`, applied in the given order, issued when the CA was founded.
    ///
    /// # Errors
    ///
    /// The DC has no address, or a name that cannot be written into a certificate.
    pub fn chain(&self, dc: &DcIdentity, faults: &[ChainFault]) -> Result<Chain, PkiError> {
        self.chain_at(self.founded, dc, faults)
    }

    /// As [`Pki::chain`], issued at `now`: what a DC enrols for later in its life.
    ///
    /// The CA's own certificates stay as they were founded unless a fault says otherwise.
    ///
    /// # Errors
    ///
    /// As [`Pki::chain`].
    pub fn chain_at(
        &self,
        now: Timestamp,
        dc: &DcIdentity,
        faults: &[ChainFault],
    ) -> Result<Chain, PkiError> {
        let mut plan = self.plan_at(now, dc)?;
        for fault in faults {
            fault.apply(&mut plan);
        }
        plan.issue()
    }

    /// The sound chain of `dc` to be edited by hand.
    ///
    /// # Errors
    ///
    /// As [`Pki::chain`].
    pub fn plan(&self, dc: &DcIdentity) -> Result<ChainPlan, PkiError> {
        self.plan_at(self.founded, dc)
    }

    /// As [`Pki::plan`], with dates as [`Pki::chain_at`] has them.
    ///
    /// # Errors
    ///
    /// As [`Pki::chain`].
    pub fn plan_at(&self, now: Timestamp, dc: &DcIdentity) -> Result<ChainPlan, PkiError> {
        writable("dc name", &dc.dns_name)?;
        writable("domain", &dc.domain)?;
        if dc.addresses.is_empty() {
            return Err(PkiError::NoAddress { dc: dc.name.clone() });
        }
        let mut plan = ChainPlan::sound(self.seed, &self.domain, self.founded, dc, now);
        plan.register = self.register.clone();
        if let Some(renewal) = &self.renewal {
            renewal.apply(&mut plan);
        }
        Ok(plan)
    }

    /// The root certificate, which a client must trust.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The certificate that issues those of the DCs.
    pub fn intermediate_pem(&self) -> &str {
        &self.intermediate_pem
    }

    /// One of the CA certificates that a scenario may install somewhere.
    ///
    /// # Errors
    ///
    /// The domain's name does not fit into a certificate.
    pub fn certificate_pem(&self, which: CaCertificate) -> Result<String, PkiError> {
        Ok(certificate_pem(&self.certificate(which)?))
    }

    /// As [`Pki::certificate_pem`], in DER.
    ///
    /// # Errors
    ///
    /// As [`Pki::certificate_pem`].
    pub fn certificate(&self, which: CaCertificate) -> Result<CertificateDer<'static>, PkiError> {
        let (plan, id) = self.ca(which)?;
        plan.issue_certificate(id)
    }

    /// The common name in the subject of a CA, which is also what it is called in the directory.
    ///
    /// # Errors
    ///
    /// As [`Pki::certificate_pem`].
    pub fn ca_name(&self, which: CaCertificate) -> Result<String, PkiError> {
        let (plan, id) = self.ca(which)?;
        Ok(plan.common_name(id))
    }

    fn ca(&self, which: CaCertificate) -> Result<(ChainPlan, CertificateId), PkiError> {
        // The CA certificates do not depend on the DC.
        let nobody = DcIdentity::new("dc", &self.domain, IpAddr::from([127, 0, 0, 1]));
        let mut plan = self.plan(&nobody)?;
        let id = match which {
            CaCertificate::Intermediate => plan.intermediate_id(),
            CaCertificate::Root => plan.anchor_id(),
            CaCertificate::NamesakeRoot => plan.add(plan.namesake_root()),
            CaCertificate::OldRoot => plan.add(plan.old_root()),
            CaCertificate::UnknownRoot => plan.add(plan.unknown_root()),
            CaCertificate::Unrelated => plan.add(plan.unrelated_root()),
        };
        Ok((plan, id))
    }
}

/// The CA certificates of a domain and of those around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CaCertificate {
    /// The CA that issues the certificates of the DCs.
    Intermediate,
    /// A root of the same subject as [`CaCertificate::Root`] with another key.
    NamesakeRoot,
    /// The root that the domain used before; `anchor.cross-signed-old-root-removed` shows it.
    OldRoot,
    /// The root of the domain.
    Root,
    /// The root that `anchor.unknown-root` leads to.
    UnknownRoot,
    /// A root that has nothing to do with the domain.
    Unrelated,
}

impl CaCertificate {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Intermediate,
        Self::NamesakeRoot,
        Self::OldRoot,
        Self::Root,
        Self::UnknownRoot,
        Self::Unrelated,
    ];

    /// The name that [`FromStr`] reads.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intermediate => "intermediate",
            Self::NamesakeRoot => "namesake-root",
            Self::OldRoot => "old-root",
            Self::Root => "root",
            Self::UnknownRoot => "unknown-root",
            Self::Unrelated => "unrelated",
        }
    }
}

impl fmt::Display for CaCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for CaCertificate {
    type Err = PkiError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|which| which.name() == name).ok_or_else(|| {
            PkiError::UnknownCaCertificate {
                name: name.to_owned(),
                nearest: nearest(name, Self::ALL.map(Self::name)),
            }
        })
    }
}

/// The other authorities, next to the domain's own.
impl ChainPlan {
    pub(crate) fn namesake_root(&self) -> CertificatePlan {
        self.other_root(Authority::NamesakeRoot, &format!("{} Root CA", self.domain()))
    }

    pub(crate) fn old_root(&self) -> CertificatePlan {
        self.other_root(Authority::OldRoot, &format!("{} Old Root CA", self.domain()))
    }

    pub(crate) fn unknown_root(&self) -> CertificatePlan {
        self.other_root(Authority::UnknownRoot, &format!("{} Lab Root CA", self.domain()))
    }

    pub(crate) fn unrelated_root(&self) -> CertificatePlan {
        CertificatePlan::root(
            Authority::Unrelated,
            "Printer Management CA",
            "Unrelated Appliances",
            self.founded(),
        )
    }

    fn other_root(&self, authority: Authority, name: &str) -> CertificatePlan {
        CertificatePlan::root(authority, name, self.domain(), self.founded())
    }
}

fn writable(what: &'static str, name: &str) -> Result<(), PkiError> {
    if name.is_empty() || !name.is_ascii() {
        return Err(PkiError::UnwritableName { what, name: name.to_owned() });
    }
    Ok(())
}
