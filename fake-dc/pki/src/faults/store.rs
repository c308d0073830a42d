//! Family `store`: each certificate in the DC's stores may be fine, but the DC shows the other
//! one, or none.
//!
//! The rules by which a DC chooses are those of [`crate::CertificateStore`]. Each drawing shows
//! the stores with the certificates in them, and what the DC loads.

use super::FaultInfo;
use crate::{
    certificate::CertificatePlan,
    extension::{AltName, Purpose},
    key::{KeyKind, KeyOwner},
    plan::ChainPlan,
    store::{StoreLocation, StoredCertificate},
};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo {
        id: "store.several-eligible",
        summary: "of two certificates that would do, the DC shows the self-signed one",
        cause: "one was made by hand before AD CS came, and was left in the store: it ends later",
        chain: "Personal: A, of the CA, ends in 335 days\n\
                Personal: B, self-signed, ends in 1600 days [is taken: it ends last]\n\
                sent: leaf B",
        apply: |plan| {
            let mut other = predecessor(plan, -200, 1_600);
            other.signed_by_itself();
            keep(plan, other, -200, StoreLocation::Personal);
        },
    },
    FaultInfo {
        id: "store.ntds-store-wins",
        summary: "a certificate of the old CA in the NTDS store hides the right one in Personal",
        cause: "it was put there by hand once; since then the CA was replaced",
        chain: "NTDS\\Personal: B, of the old root, ends in 265 days [wins over Personal]\n\
                Personal: A, of the CA, ends in 335 days\n\
                sent: leaf B",
        apply: |plan| {
            let old_root = plan.add(plan.old_root());
            let mut other = predecessor(plan, -100, 265);
            other.signed_by(old_root);
            keep(plan, other, -100, StoreLocation::Ntds);
        },
    },
    FaultInfo {
        id: "store.newest-not-longest",
        summary: "the certificate that was installed last is not shown: an older one ends later",
        cause: "a short-lived RSA certificate was installed for clients that take no ECDSA",
        chain: "Personal: A, RSA, installed yesterday, ends in 89 days\n\
                Personal: B, ECDSA, installed 300 days ago, ends in 430 days [is taken]\n\
                sent: leaf B, intermediate",
        apply: |plan| {
            let mut other = predecessor(plan, -300, 430);
            other.of_kind(KeyKind::EcdsaP256);
            keep(plan, other, -300, StoreLocation::Personal);
            let now = plan.now();
            plan.leaf().valid(now.plus_days(-1), now.plus_days(89));
        },
    },
    FaultInfo {
        id: "store.renewed-not-reloaded",
        summary: "the certificate was renewed in time, but the DC still shows the expired one",
        cause: "the DC was neither restarted nor told to look again (renewServerCertificate)",
        chain: "Personal: B, ended yesterday [loaded 40 days ago, when the DC started]\n\
                Personal: A, installed 30 days ago, ends in 335 days\n\
                sent: leaf B, intermediate",
        apply: |plan| {
            let other = predecessor(plan, -366, -1);
            keep(plan, other, -366, StoreLocation::Personal);
            let (leaf, now) = (plan.leaf_id(), plan.now());
            let stores = plan.stores_mut().loaded(now.plus_days(-40));
            if let Some(renewed) = stores.entry(leaf) {
                renewed.installed(now.plus_days(-30));
            }
        },
    },
    FaultInfo {
        id: "store.auto-enrolled-empty-subject",
        summary: "the DC has enrolled by itself for a certificate without a subject and shows that",
        cause: "the template Kerberos Authentication leaves the subject empty and names the DC, \
                the domain and its NetBIOS name as alternative names",
        chain: "Personal: B, CN=dc1, ends in 60 days\n\
                Personal: A, no subject [enrolled by itself], ends in 335 days\n\
                sent: leaf A, intermediate",
        apply: |plan| {
            let other = predecessor(plan, -305, 60);
            keep(plan, other, -305, StoreLocation::Personal);
            let domain = plan.dc().domain.clone();
            let netbios = domain.split('.').next().unwrap_or_default().to_ascii_uppercase();
            let names = [plan.dc().dns_name.clone(), domain, netbios];
            plan.leaf().named_by([]).also_named(names.map(AltName::Dns));
        },
    },
    FaultInfo {
        id: "store.empty",
        summary: "the DC has no certificate at all, so that it has no LDAPS",
        cause: "there is no AD CS in the domain, and nobody installed a certificate",
        chain: "Personal: [empty]\n\
                sent: nothing",
        apply: |plan| {
            plan.stores_mut().clear();
        },
    },
    FaultInfo {
        id: "store.no-private-key",
        summary: "the only certificate has no private key, so that the DC has no LDAPS",
        cause: "the .cer file was imported, and not the .pfx file; or the key was not restored",
        chain: "Personal: A, of the CA, ends in 335 days [no key]\n\
                sent: nothing",
        apply: |plan| {
            let leaf = plan.leaf_id();
            if let Some(own) = plan.stores_mut().entry(leaf) {
                own.without_key();
            }
        },
    },
    FaultInfo {
        id: "store.template-without-server-auth",
        summary: "the only certificate is for client authentication, so that the DC has no LDAPS",
        cause: "the DC enrolled with the template Workstation Authentication",
        chain: "Personal: A, of the CA [client authentication only]\n\
                sent: nothing",
        apply: |plan| {
            plan.stores_mut();
            plan.leaf().meant_for([Purpose::ClientAuth]);
        },
    },
    FaultInfo {
        id: "store.other-name",
        summary: "the only certificate names another machine, so that the DC has no LDAPS",
        cause: "the DC was renamed, or got the certificate of the DC that it replaces",
        chain: "Personal: A, CN=old-dc1 [not the DC's name]\n\
                sent: nothing",
        apply: |plan| {
            plan.stores_mut();
            let name = format!("old-{}", plan.dc().dns_name);
            plan.leaf().named(&name).also_named([name]);
        },
    },
    FaultInfo {
        id: "store.untrusted-issuer",
        summary: "the DC itself does not trust the CA of its certificate, and has no LDAPS",
        cause: "the certificate of another CA was installed without that CA's root",
        chain: "unknown root [not in the DC's root store] → A\n\
                Personal: A, ends in 335 days\n\
                sent: nothing",
        apply: |plan| {
            let root = plan.add(plan.unknown_root());
            plan.leaf().signed_by(root);
            let leaf = plan.leaf_id();
            if let Some(own) = plan.stores_mut().entry(leaf) {
                own.untrusted();
            }
        },
    },
    FaultInfo {
        id: "store.expired-at-start",
        summary: "the only certificate had expired when the DC started, and it has no LDAPS",
        cause: "enrolment had stopped, which nobody noticed before the DC was restarted",
        chain: "Personal: A, of the CA, ended yesterday [the DC started today]\n\
                sent: nothing",
        apply: |plan| {
            plan.stores_mut();
            let now = plan.now();
            plan.leaf().valid(now.plus_days(-366), now.plus_days(-1));
        },
    },
];

/// A certificate like the leaf that the DC had before, with a key of its own.
fn predecessor(plan: &ChainPlan, from_days: i64, until_days: i64) -> CertificatePlan {
    let mut other = plan.certificate(plan.leaf_id()).clone();
    other
        .keyed(KeyOwner::Named(format!("{} before", plan.dc().name)))
        .valid(plan.now().plus_days(from_days), plan.now().plus_days(until_days));
    other
}

fn keep(plan: &mut ChainPlan, other: CertificatePlan, days: i64, location: StoreLocation) {
    let other = plan.add(other);
    let installed = plan.now().plus_days(days);
    plan.stores_mut().put(StoredCertificate::new(other, installed).kept_in(location));
}
