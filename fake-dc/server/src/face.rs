//! What a DC shows of itself on TLS at the moment, and how that is made of its faults.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use fake_dc_directory::{DcView, ListSource};
use fake_dc_pki::{AltName, Chain, ChainFault, ChainPlan, DcIdentity, PrivateKey};
use ground::Timestamp;

use crate::{
    client_certificate::judge,
    domain::Common,
    enrolment::Enrolment,
    error::Error,
    facts::Listener,
    fault::{Fault, Faults},
    faults::Greeting,
    tls::{ClientAuth, Identity, Proof, TlsPolicy},
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

    /// The chain whose revocation lists are published: that of LDAPS, unless only another listener is
    /// wrong in that way.
    pub(crate) fn published(&self) -> &Arc<Shown> {
        let wrong = |&listener: &Listener| {
            let faults = self.faults.chain(listener);
            faults.iter().any(|fault| fault.id().starts_with("revocation."))
        };
        let listener = Listener::LDAP.iter().rev().copied().find(wrong);
        &self.face(listener.unwrap_or(Listener::Ldaps)).shown
    }
}

/// What is made when it is first needed.
type Lazily<T> = LazyLock<T, Box<dyn FnOnce() -> T + Send>>;

/// A chain that a DC has. A sound one from the domain's CA is issued when it is first looked at: of a
/// thousand DCs most are never asked for theirs.
#[derive(Debug)]
pub(crate) struct Shown {
    chain: Lazily<Arc<Chain>>,
    /// The common names of the CAs that publish revocation lists with it.
    cas: Vec<String>,
    /// Whether it has certificates at all.
    is_something: bool,
    /// Whether nothing can be wrong with it.
    is_sound: bool,
}

impl Shown {
    /// A chain that is there.
    pub(crate) fn there(chain: Arc<Chain>) -> Arc<Self> {
        Arc::new(Self {
            cas: chain.crls.cas().to_vec(),
            is_something: !chain.certificates.is_empty(),
            is_sound: false,
            chain: LazyLock::new(Box::new(|| chain)),
        })
    }

    /// The chain of a plan that no fault has touched.
    fn sound(plan: ChainPlan) -> Arc<Self> {
        Arc::new(Self {
            cas: plan.crl_cas(),
            is_something: true,
            is_sound: true,
            chain: LazyLock::new(Box::new(move || {
                let issued = plan.issue();
                Arc::new(issued.expect("the CA's keys sign what the CA has planned"))
            })),
        })
    }

    pub(crate) fn chain(&self) -> &Arc<Chain> {
        &self.chain
    }

    /// Its revocation lists by the common names of their CAs.
    pub(crate) fn lists(self: &Arc<Self>) -> impl Iterator<Item = (&str, ListSource)> {
        self.cas.iter().enumerate().map(|(at, ca)| {
            let shown = Arc::clone(self);
            let list = move || shown.chain().crls[at].der.clone();
            (ca.as_str(), Box::new(list) as ListSource)
        })
    }
}

/// What a TLS listener of a DC shows.
#[derive(Debug)]
pub(crate) struct Face {
    pub(crate) shown: Arc<Shown>,
    identity: Lazily<Identity>,
    others: Vec<OtherFace>,
}

/// What some clients are shown instead, because of a fault.
#[derive(Debug)]
struct OtherFace {
    fault: Fault,
    shown: Arc<Shown>,
    identity: Lazily<Identity>,
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
) -> Result<Arc<Shown>, Error> {
    match (given, faults.first()) {
        (None, _) => issue(domain, view, enrolment, faults),
        (Some(chain), None) => Ok(Shown::there(Arc::clone(chain))),
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
) -> Result<Arc<Shown>, Error> {
    let is_of_now = faults.iter().any(|fault| fault.id().starts_with("time."));
    let enrolled =
        enrolment.at().or_else(|| domain.behind.as_ref().map(|behind| behind.enrolled()));
    let time = enrolled.filter(|_| !is_of_now).unwrap_or_else(|| domain.clock.now());
    let plan = plan(domain, view, enrolment, faults, time)?;
    Ok(if faults.is_empty() { Shown::sound(plan) } else { Shown::there(Arc::new(plan.issue()?)) })
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
        .filter(|(_, face)| !face.shown.is_something)
        .fold(faults, |faults, (&listener, _)| faults.without_certificate(listener));
    Ok(Condition { faults, faces, usual })
}

/// Makes the faces of a DC.
pub(crate) struct Maker<'a> {
    pub(crate) domain: &'a Arc<Common>,
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
        shown: Arc<Shown>,
        faults: &Faults,
        listener: Listener,
    ) -> Result<Face, Error> {
        let mut others = Vec::new();
        for fault in faults.at(listener) {
            let Some(wrong) = fault.server().and_then(|fault| fault.other_chain()) else {
                continue;
            };
            let (shown, since) = match self.known(fault) {
                Some(other) => (Arc::clone(&other.shown), other.since),
                None => {
                    let wrong: Vec<ChainFault> =
                        wrong.iter().filter_map(|id| fake_dc_pki::fault(id)).collect();
                    (issue(self.domain, self.view, &self.enrolment, &wrong)?, self.hellos)
                }
            };
            let identity = self.identity(&shown, faults, listener)?;
            others.push(OtherFace { fault: fault.clone(), shown, identity, since });
        }
        let identity = self.identity(&shown, faults, listener)?;
        Ok(Face { shown, identity, others })
    }

    /// What there was of `fault` until now.
    fn known(&self, fault: &Fault) -> Option<&OtherFace> {
        let faces = self.before.iter().flat_map(|before| before.faces.values());
        faces.flat_map(|face| &face.others).find(|other| other.fault == *fault)
    }

    fn identity(
        &self,
        shown: &Arc<Shown>,
        faults: &Faults,
        listener: Listener,
    ) -> Result<Lazily<Identity>, Error> {
        let mut policy = TlsPolicy::open(&self.domain.provider);
        policy.client_auth = self.domain.client_certificates.demand;
        if policy.client_auth == ClientAuth::Required {
            let domain = Arc::clone(self.domain);
            policy.client_judge =
                Some(Arc::new(move |chain| judge(&domain, chain, domain.clock.now())));
        }
        for fault in faults.server(listener) {
            fault.tls_policy(&mut policy);
        }
        if shown.is_sound && policy.is_open(&self.domain.provider) {
            let shown = Arc::clone(shown);
            let identity = move || Identity::new(policy, shown.chain(), None);
            return Ok(LazyLock::new(Box::new(move || {
                identity().expect("rustls signs with the keys of a sound chain")
            })));
        }
        let chain = shown.chain();
        let stranger = match policy.proof {
            Proof::OtherKey => Some(self.stranger(chain)?),
            Proof::Sha1 | Proof::Sound | Proof::Spoilt => None,
        };
        let identity = Identity::new(policy, chain, stranger)
            .map_err(|source| Error::Unservable { dc: self.view.name.clone(), source })?;
        Ok(LazyLock::new(Box::new(|| identity)))
    }

    /// A key of the domain that is not that of `chain`. Few names share a key, so the first or
    /// second try is the last.
    fn stranger(&self, chain: &Chain) -> Result<PrivateKey, Error> {
        let mut number = 0;
        loop {
            let mut view = self.view.clone();
            view.name = format!("{} before renewal {number}", self.view.name);
            let key = issue(self.domain, &view, &self.enrolment, &[])?.chain().key.clone();
            if key != chain.key {
                return Ok(key);
            }
            number += 1;
        }
    }
}
