//! Parties with deterministic keys, and what happens when one dials another.

use fake_dc_pki::{Chain, ChainFault, DcIdentity, KeyKind, KeyOwner, Pki};
use ground::{Actor, Ledger, Seed, Timestamp, VirtualClock};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use trust_models::pinned::{Connection, Identity, Party, PeerName, PinnedError};

pub(crate) fn now() -> Timestamp {
    "2026-01-04T06:38:29Z".parse().unwrap()
}

pub(crate) fn ledger() -> Ledger {
    Ledger::new(VirtualClock::starting_at(now()).clock())
}

fn pki() -> Pki {
    Pki::new(&Seed::new(1), now(), "lab.example").unwrap()
}

fn holder(name: &str) -> DcIdentity {
    DcIdentity::new(name, "lab.example", [127, 0, 0, 1].into())
}

/// A certificate signed by its own key, which only `owner` has.
///
/// ```text
/// leaf ⟲
/// ```
pub(crate) fn self_signed(name: &str, owner: &str, kind: KeyKind) -> Chain {
    let mut plan = pki().plan(&holder(name)).unwrap();
    plan.leaf().keyed(KeyOwner::Named(owner.to_owned())).of_kind(kind).signed_by_itself();
    plan.send_only([plan.leaf_id()]);
    plan.issue().unwrap()
}

/// A certificate of the lab's CA.
///
/// ```text
/// root ──▶ intermediate ──▶ leaf
/// ```
pub(crate) fn from_ca(name: &str, owner: &str) -> Chain {
    let mut plan = pki().plan(&holder(name)).unwrap();
    plan.leaf().keyed(KeyOwner::Named(owner.to_owned())).of_kind(KeyKind::EcdsaP256);
    plan.issue().unwrap()
}

/// A certificate of the lab's CA with a fault.
pub(crate) fn faulty(name: &str, fault: ChainFault) -> Chain {
    pki().chain(&holder(name), &[fault]).unwrap()
}

pub(crate) fn identity(chain: &Chain) -> Identity {
    Identity::new(chain.certificates.clone(), chain.key.to_der()).unwrap()
}

/// The `number`th key of `name`, in a certificate of its own.
pub(crate) fn key_of(name: &str, number: u32) -> Identity {
    identity(&self_signed(name, &format!("{name} key {number}"), KeyKind::EcdsaP256))
}

pub(crate) fn parts(chain: &Chain) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    (chain.certificates.clone(), chain.key.to_der())
}

pub(crate) fn party(ledger: &Ledger, name: &str, identity: Identity) -> Party {
    Party::new(identity, ledger.trail(Actor::Host(name.to_owned())))
}

/// A manager and an agent who hold each other's key.
pub(crate) fn deployed() -> (Party, Party) {
    let ledger = ledger();
    let manager = party(&ledger, "manager1", key_of("manager1", 1));
    let agent = party(&ledger, "agent1", key_of("agent1", 1));
    introduce(&manager, "manager1", &agent, "agent1");
    (manager, agent)
}

/// Gives each the key that the other shows now.
pub(crate) fn introduce(one: &Party, one_name: &str, other: &Party, other_name: &str) {
    one.known_keys().add(other_name.into(), other.identity().public_key().clone());
    other.known_keys().add(one_name.into(), one.identity().public_key().clone());
}

type Outcome = Result<Connection, PinnedError>;

/// Has `dialler` dial `dialled` as `name`; what each makes of it.
pub(crate) async fn meet(dialler: &Party, dialled: &Party, name: &str) -> (Outcome, Outcome) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let name = PeerName::from(name);
    tokio::join!(dialler.dial(&name, address), async {
        dialled.accept(listener.accept().await.unwrap().0).await
    })
}

pub(crate) async fn connects(dialler: &Party, dialled: &Party, name: &str) -> bool {
    match meet(dialler, dialled, name).await {
        (Ok(_), Ok(_)) => true,
        (Err(_), Err(_)) => false,
        disagree => panic!("{disagree:?}"),
    }
}
