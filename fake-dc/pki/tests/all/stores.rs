//! The rules by which a DC chooses its certificate, one by one.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![allow(dead_code, reason = "of the common helpers, some are used")]

use crate::common::{dc1, now, pki};
use fake_dc_pki::{
    CertificateId, CertificatePlan, ChainPlan, Purpose, StoreLocation, StoredCertificate, Unfit,
};

/// A DC with its usual certificate, and another one like it that lives from and until these days.
fn with_other(days: [i64; 2], change: impl Fn(&mut CertificatePlan)) -> (ChainPlan, CertificateId) {
    let mut plan = pki().plan(&dc1()).unwrap();
    let mut other = plan.certificate(plan.leaf_id()).clone();
    other.valid(now().plus_days(days[0]), now().plus_days(days[1]));
    change(&mut other);
    let other = plan.add(other);
    plan.stores_mut().put(StoredCertificate::new(other, now().plus_days(days[0])));
    (plan, other)
}

fn unfit(
    change: impl for<'a> Fn(&'a mut CertificatePlan) -> &'a mut CertificatePlan,
) -> Option<Unfit> {
    let (plan, other) = with_other([-10, 600], |other| {
        change(other);
    });
    let reason = plan.fitness(&StoredCertificate::new(other, now())).err();
    // What cannot be used is never chosen, however long it lasts.
    assert_eq!(plan.choice(), Some(if reason.is_none() { other } else { plan.leaf_id() }));
    reason
}

#[test]
fn the_one_that_ends_last_is_taken_not_the_newest() {
    let (plan, other) = with_other([-300, 336], |_| {});
    assert_eq!(plan.choice(), Some(other));
    let (plan, _) = with_other([-1, 334], |_| {});
    assert_eq!(plan.choice(), Some(plan.leaf_id()));
    let (plan, _) = with_other([-1, 335], |_| {});
    assert_eq!(plan.choice(), Some(plan.leaf_id()), "of two that end at once, the first");
}

#[test]
fn the_ntds_store_is_preferred_unless_nothing_in_it_can_be_used() {
    let in_ntds = |until| {
        let (mut plan, other) = with_other([-100, until], |_| {});
        let stored = StoredCertificate::new(other, now().plus_days(-100));
        let leaf = plan.leaf_id();
        plan.stores_mut()
            .clear()
            .put(stored.kept_in(StoreLocation::Ntds))
            .put(StoredCertificate::new(leaf, now()));
        (plan.choice(), other, leaf)
    };
    let (choice, other, _) = in_ntds(1);
    assert_eq!(choice, Some(other));
    let (choice, _, leaf) = in_ntds(-1);
    assert_eq!(choice, Some(leaf));
}

#[test]
fn each_requirement_counts_by_itself() {
    assert_eq!(unfit(|other| other), None);
    assert_eq!(unfit(|other| other.meant_for([])), None, "no usages are all of them");
    assert_eq!(
        unfit(|other| other.meant_for([Purpose::ClientAuth])),
        Some(Unfit::NoServerAuthentication)
    );
    assert_eq!(unfit(|other| other.named("x")), None, "an alternative name is enough");
    assert_eq!(unfit(|other| other.also_named(["x"])), None, "the CN is enough");
    assert_eq!(unfit(|other| other.named("DC1.Corp.Example").also_named(["x"])), None);
    assert_eq!(
        unfit(|other| other.named("x").also_named(["*.corp.example"])),
        Some(Unfit::OtherName)
    );
    assert_eq!(
        unfit(|other| other.valid(now().plus_days(1), now().plus_days(600))),
        Some(Unfit::NotYetValid)
    );

    let (mut plan, other) = with_other([-10, 600], |_| {});
    plan.stores_mut().entry(other).unwrap().without_key();
    assert_eq!(plan.choice(), Some(plan.leaf_id()));
    let (mut plan, other) = with_other([-10, 600], |_| {});
    plan.stores_mut().entry(other).unwrap().untrusted();
    assert_eq!(plan.choice(), Some(plan.leaf_id()));
}

#[test]
fn what_is_loaded_stays_until_the_dc_looks_again() {
    let (mut plan, other) = with_other([-10, 600], |_| {});
    let leaf = plan.leaf_id();
    plan.leaf().valid(now().plus_days(-100), now().plus_days(-1));
    let stores = plan.stores_mut();
    stores.loaded(now().plus_days(-20)).entry(leaf).unwrap().installed(now().plus_days(-100));
    assert_eq!(plan.choice(), Some(leaf), "though it has expired");
    plan.reload(now());
    assert_eq!(plan.choice(), Some(other));
    plan.reload(now().plus_days(601));
    assert_eq!(plan.choice(), None);
    assert!(plan.issue().unwrap().certificates.is_empty());
}

#[test]
fn what_is_put_into_the_ntds_store_is_noticed() {
    let (mut plan, other) = with_other([-10, 600], |_| {});
    let leaf = plan.leaf_id();
    let stores = plan.stores_mut();
    stores.loaded(now().plus_days(-20)).entry(leaf).unwrap().installed(now().plus_days(-25));
    assert_eq!(plan.choice(), Some(leaf));
    let noticed = StoredCertificate::new(other, now().plus_days(-5)).kept_in(StoreLocation::Ntds);
    plan.stores_mut().put(noticed);
    assert_eq!(plan.choice(), Some(other));
}

#[test]
fn without_stores_the_leaf_is_sent_whatever_it_is() {
    let mut plan = pki().plan(&dc1()).unwrap();
    plan.leaf().meant_for([Purpose::ClientAuth]).named("x");
    assert_eq!(plan.choice(), Some(plan.leaf_id()));
    plan.stores_mut();
    assert_eq!(plan.choice(), None);
}
