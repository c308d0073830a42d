//! What a DC shows of itself on TLS at the moment, and how that is made of its faults.

use std::{collections::BTreeMap, sync::Arc};

use fake_dc_directory::DcView;
use fake_dc_pki::{AltName, Chain, ChainFault, ChainPlan, Crl, DcIdentity, PrivateKey};
use ground::Timestamp;

use crate::{
    domain::Common,
    enrolment::Enrolment,
    error::Error,
    facts::Listener,
    fault::{Fault, Faults},
    faults::Greeting,
    tls::{Identity, Proof, TlsPolicy},
};

/// How a DC is at the moment. Replaced as a whole; whoever holds one keeps it.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) faults: Faults,
    /// Those of [`Listener::LDAP`]; the same one where the faults are the same.
    faces: BTreeMap<Listener, Arc<Face>>,
    /// That of LDAPS.
    usual: Arc<Face>,
}

impl Condition {
    /// What `listener` shows of the DC on TLS.
    pub(crate) fn face(&self, listener: Listener) -> &Arc<Face> {
        self.faces.get(&listener).unwrap_or(&self.usual)
    }

    /// The revocation lists of its CAs: those of LDAPS, unless only another listener is wrong in
    /// that way.
    pub(crate) fn crls(&self) -> &[Crl] {
        let wrong = |&listener: &Listener| {
            let faults = self.faults.chain(listener);
            faults.iter().any(|fault| fault.id().starts_with("revocation."))
        };
        let listener = Listener::LDAP.iter().rev().copied().find(wrong);
        &self.face(listener.unwrap_or(Listener::Ldaps)).chain.crls
    }
}

/// What a TLS listener of a DC shows.
#[derive(Debug)]
pub(crate) struct Face {
    pub(crate) chain: Arc<Chain>,
    identity: Identity,
    others: Vec<OtherFace>,
}

/// What some clients are shown instead, because of a fault.
#[derive(Debug)]
struct OtherFace {
    fault: Fault,
    chain: Arc<Chain>,
    identity: Identity,
    /// How many hellos there had been when the fault was set.
    since: u64,
}

impl Face {
    /// What this client is shown.
    pub(crate) fn identity(&self, greeting: &Greeting<'_>) -> &Identity {
        let other = self.others.iter().find(|other| {
            let number = greeting.number.saturating_sub(other.since);
            let greeting = Greeting { number, ..*greeting };
            other.fault.server().is_some_and(|fault| fault.shows_other_chain(&greeting))
        });
        other.map_or(&self.identity, |other| &other.identity)
    }
}

pub(crate) fn chain(
    domain: &Common,
    view: &DcView,
    enrolment: &Enrolment,
    given: Option<&Arc<Chain>>,
    faults: &[ChainFault],
) -> Result<Arc<Chain>, Error> {
    match (given, faults.first()) {
        (None, _) => issue(domain, view, enrolment, faults),
        (Some(chain), None) => Ok(Arc::clone(chain)),
        (Some(_), Some(fault)) => {
            Err(Error::ChainIsGiven { dc: view.name.clone(), fault: fault.id() })
        }
    }
}

/// A chain from the domain's CA.
///
/// One that somebody enrolled the DC for stays what it is when a fault has come and gone. That of a
/// front is as old as the front: the real DC may have been given it, and must find the
/// same certificate here when a fault has come and gone. Faults of time are relative to now.
fn issue(
    domain: &Common,
    view: &DcView,
    enrolment: &Enrolment,
    faults: &[ChainFault],
) -> Result<Arc<Chain>, Error> {
    let is_of_now = faults.iter().any(|fault| fault.id().starts_with("time."));
    let enrolled =
        enrolment.at().or_else(|| domain.behind.as_ref().map(|behind| behind.enrolled()));
    let time = enrolled.filter(|_| !is_of_now).unwrap_or_else(|| domain.clock.now());
    Ok(Arc::new(plan(domain, view, enrolment, faults, time)?.issue()?))
}

/// The chain that the DC got at `now`, with what is wrong with it.
pub(crate) fn plan(
    domain: &Common,
    view: &DcView,
    enrolment: &Enrolment,
    faults: &[ChainFault],
    now: Timestamp,
) -> Result<ChainPlan, Error> {
    let identity = DcIdentity {
        name: view.name.clone(),
        dns_name: view.dns_name.clone(),
        domain: domain.name.clone(),
        addresses: vec![view.address.into()],
    };
    let mut plan = enrolment.plan(domain, &identity, now)?;
    if domain.addresses_in_certificates {
        plan.leaf().also_named([view.dns_name.as_str().into(), AltName::Ip(view.address.into())]);
    }
    for fault in faults {
        fault.apply(&mut plan);
    }
    Ok(plan)
}

/// The condition with `faults`, each face made by `face`, but one for all that are alike.
pub(crate) fn condition(
    faults: Faults,
    face: impl Fn(&Faults, Listener) -> Result<Face, Error>,
) -> Result<Condition, Error> {
    let usual = Arc::new(face(&faults, Listener::Ldaps)?);
    let mut faces = BTreeMap::from([(Listener::Ldaps, Arc::clone(&usual))]);
    for &listener in Listener::LDAP {
        let alike = |&&other: &&Listener| faults.at(listener).eq(faults.at(other));
        let made = match faces.keys().find(alike) {
            Some(other) => Arc::clone(&faces[other]),
            None => Arc::new(face(&faults, listener)?),
        };
        faces.insert(listener, made);
    }
    let faults = Faults::new(faults.all().to_vec());
    let faults = faces
        .iter()
        .filter(|(_, face)| face.chain.certificates.is_empty())
        .fold(faults, |faults, (&listener, _)| faults.without_certificate(listener));
    Ok(Condition { faults, faces, usual })
}

/// Makes the faces of a DC.
pub(crate) struct Maker<'a> {
    pub(crate) domain: &'a Common,
    pub(crate) view: &'a DcView,
    pub(crate) enrolment: Enrolment,
    /// How many clients have said hello.
    pub(crate) hellos: u64,
    /// How the DC was until now.
    pub(crate) before: Option<&'a Condition>,
}

impl Maker<'_> {
    pub(crate) fn face(
        &self,
        chain: Arc<Chain>,
        faults: &Faults,
        listener: Listener,
    ) -> Result<Face, Error> {
        let mut others = Vec::new();
        for fault in faults.at(listener) {
            let Some(wrong) = fault.server().and_then(|fault| fault.other_chain()) else {
                continue;
            };
            let (chain, since) = match self.known(fault) {
                Some(other) => (Arc::clone(&other.chain), other.since),
                None => {
                    let wrong: Vec<ChainFault> =
                        wrong.iter().filter_map(|id| fake_dc_pki::fault(id)).collect();
                    (issue(self.domain, self.view, &self.enrolment, &wrong)?, self.hellos)
                }
            };
            let identity = self.identity(&chain, faults, listener)?;
            others.push(OtherFace { fault: fault.clone(), chain, identity, since });
        }
        let identity = self.identity(&chain, faults, listener)?;
        Ok(Face { chain, identity, others })
    }

    /// What there was of `fault` until now.
    fn known(&self, fault: &Fault) -> Option<&OtherFace> {
        let faces = self.before.iter().flat_map(|before| before.faces.values());
        faces.flat_map(|face| &face.others).find(|other| other.fault == *fault)
    }

    fn identity(
        &self,
        chain: &Chain,
        faults: &Faults,
        listener: Listener,
    ) -> Result<Identity, Error> {
        let mut policy = TlsPolicy::open(&self.domain.provider);
        for fault in faults.server(listener) {
            fault.tls_policy(&mut policy);
        }
        let stranger = match policy.proof {
            Proof::OtherKey => Some(self.stranger(chain)?),
            Proof::Sha1 | Proof::Sound | Proof::Spoilt => None,
        };
        Identity::new(policy, chain, stranger)
            .map_err(|source| Error::Unservable { dc: self.view.name.clone(), source })
    }

    /// A key of the domain that is not that of `chain`. Few names share a key, so the first or
    /// second try is the last.
    fn stranger(&self, chain: &Chain) -> Result<PrivateKey, Error> {
        let mut number = 0;
        loop {
            let mut view = self.view.clone();
            view.name = format!("{} before renewal {number}", self.view.name);
            let key = issue(self.domain, &view, &self.enrolment, &[])?.key.clone();
            if key != chain.key {
                return Ok(key);
            }
            number += 1;
        }
    }
}
