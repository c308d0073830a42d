//! The CAs of the model.

use std::collections::BTreeMap;

use fake_dc_pki::{
    CaCertificate, CertificatePlan, Chain, ChainFault, DcIdentity, Pki, RevocationReason,
    serial_number,
};
use ground::{Seed, Timestamp};

use super::PkiError;

/// CAs by their names. One is founded when it is first named.
#[derive(Debug)]
pub(super) struct Authorities {
    /// Domains, which have CAs of their own.
    domains: Vec<String>,
    seed: Seed,
    founded: Timestamp,
    known: BTreeMap<String, Authority>,
}

#[derive(Debug)]
struct Authority {
    pki: Pki,
    /// Certificates issued so far.
    issued: u32,
    revoked: Vec<(CertificatePlan, Timestamp)>,
}

impl Authorities {
    pub(super) fn new(domains: Vec<String>, seed: Seed, founded: Timestamp) -> Self {
        Self { domains, seed, founded, known: BTreeMap::new() }
    }

    /// The root certificate of a CA, in PEM.
    pub(super) fn root(&mut self, name: &str) -> Result<String, PkiError> {
        Ok(self.authority(name)?.pki.root_pem().to_owned())
    }

    /// Issues a certificate as `edit` wants it, which also gets to know how many were issued before, in a chain with
    /// these faults.
    pub(super) fn issue(
        &mut self,
        ca: &str,
        now: Timestamp,
        days: u32,
        faults: &[ChainFault],
        edit: impl FnOnce(&mut CertificatePlan, u32),
    ) -> Result<(Chain, CertificatePlan), PkiError> {
        let seed = self.seed.child(ca);
        let authority = self.authority(ca)?;
        let number = authority.issued;
        // Numbered by the CA, whatever faults the certificate comes to have: by this it is revoked.
        let serial = serial_number(&seed, &format!("serial {number}"));
        authority.issued += 1;
        let mut plan = authority.pki.plan_at(now, &subject())?;
        let leaf = plan.leaf();
        // A CA allows for clocks that are slow; no two certificates begin at one time.
        let begun = now.plus_seconds(-600 - i64::from(number));
        leaf.valid(begun, now.plus_days(i64::from(days)));
        edit(leaf, number);
        leaf.numbered(&serial);
        let own = leaf.clone();
        for fault in faults {
            fault.apply(&mut plan);
        }
        Ok((plan.issue()?, own))
    }

    pub(super) fn revoke(
        &mut self,
        ca: &str,
        certificate: CertificatePlan,
        now: Timestamp,
    ) -> Result<(), PkiError> {
        self.authority(ca)?.revoked.push((certificate, now));
        Ok(())
    }

    /// The list of the issuing CA, as it is published now: for a week.
    pub(super) fn list(&mut self, ca: &str, now: Timestamp) -> Result<String, PkiError> {
        let authority = self.authority(ca)?;
        let mut plan = authority.pki.plan_at(now, &subject())?;
        let issuer = plan.intermediate_id();
        plan.crl_of(issuer).valid(now.plus_seconds(-600), now.plus_days(7));
        for (certificate, at) in authority.revoked.clone() {
            let listed = plan.add(certificate);
            plan.crl_of(issuer).revoking(listed, at, RevocationReason::KeyCompromise);
        }
        let ca = authority.pki.ca_name(CaCertificate::Intermediate)?;
        let lists = plan.issue()?.crls;
        Ok(lists.into_iter().filter(|list| list.ca == ca).map(|list| list.to_pem()).collect())
    }

    fn authority(&mut self, name: &str) -> Result<&mut Authority, PkiError> {
        if !self.known.contains_key(name) {
            // As `World::build` has a domain made.
            let is_domain = self.domains.iter().any(|domain| domain == name);
            let seed = self.seed.child(if is_domain { "domain" } else { "pki" });
            let pki = Pki::new(&seed, self.founded, name)?;
            let authority = Authority { pki, issued: 0, revoked: Vec::new() };
            self.known.insert(name.to_owned(), authority);
        }
        self.known
            .get_mut(name)
            .ok_or_else(|| PkiError::Unknown { what: "CA", name: name.to_owned() })
    }
}

/// Nothing of it is left once the plan is edited.
fn subject() -> DcIdentity {
    DcIdentity::new("holder", "example", [127, 0, 0, 1].into())
}
