//! A CA that is renewed, judged by OpenSSL: who trusts what it issued before and after.
//!
//! ```text
//! root (old key) ─▶ issuing CA (old key) ─▶ leaf of dc1, before
//! root (new key) ─▶ issuing CA (new key) ─▶ leaf of dc1, after    [the names are the same]
//! ```

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{collections::BTreeSet, fs, process::Command};

use crate::common::{dc1, describe, now, parse, pki, program_is_there};
use fake_dc_pki::{CaCertificate, Chain, Pki, PkiError, RENEWALS_MAX, RenewalKey};

/// What a DC gets from `pki` after so many days, for a year.
fn enrolled(pki: &Pki, days: i64) -> Chain {
    let mut plan = pki.plan_at(now().plus_days(days), &dc1()).unwrap();
    plan.enrolled_for(365);
    plan.issue().unwrap()
}

fn renewed(pki: &Pki, days: i64, key: RenewalKey) -> Pki {
    pki.renewed(now().plus_days(days), key, 3_650).unwrap()
}

/// Whether OpenSSL believes `chain` with `bundle` as its only anchors, after so many days.
fn is_believed(chain: &Chain, bundle: &[&str], days: i64) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let said = Command::new("openssl")
        .args(["verify", "-no-CApath", "-no-CAstore", "-purpose", "sslserver", "-attime"])
        .arg(now().plus_days(days).plus_seconds(1).unix().to_string())
        .arg("-CAfile")
        .arg(file("bundle.pem", &bundle.concat()))
        .arg("-untrusted")
        .arg(file("chain.pem", &chain.to_pem()))
        .arg(file("leaf.pem", &chain.leaf_pem()))
        .output()
        .unwrap();
    said.status.success()
}

#[test]
fn who_trusts_what() {
    if !program_is_there("openssl") {
        return;
    }
    let before = pki();
    let old = enrolled(&before, 0);
    for (key, old_root_suffices) in [(RenewalKey::New, false), (RenewalKey::Same, true)] {
        let after = renewed(&before, 100, key);
        let new = enrolled(&after, 100);
        let (old_root, new_root) = (before.root_pem(), after.root_pem());
        for (chain, bundle, days, expected) in [
            (&old, &[old_root][..], 0, true),
            (&old, &[old_root], 100, true),
            (&old, &[new_root], 100, old_root_suffices),
            (&new, &[old_root], 100, old_root_suffices),
            (&new, &[new_root], 100, true),
            (&old, &[new_root, old_root], 100, true),
            (&new, &[new_root, old_root], 100, true),
            (&new, &[old_root, new_root], 464, true),
            (&new, &[old_root, new_root], 466, false),
        ] {
            assert_eq!(is_believed(chain, bundle, days), expected, "{key:?} {days}");
        }
    }
}

#[test]
fn names_stay_and_keys_change() {
    let before = pki();
    let after = renewed(&before, 100, RenewalKey::New);
    for which in [CaCertificate::Root, CaCertificate::Intermediate] {
        assert_eq!(before.ca_name(which).unwrap(), after.ca_name(which).unwrap());
        let (old, new) = (before.certificate(which).unwrap(), after.certificate(which).unwrap());
        let (old, new) = (parse(&old), parse(&new));
        assert_eq!(old.subject(), new.subject());
        assert_ne!(old.public_key(), new.public_key());
        assert_ne!(old.raw_serial(), new.raw_serial());
        let again = renewed(&after, 200, RenewalKey::Same).certificate(which).unwrap();
        let again = parse(&again);
        assert_eq!(new.public_key(), again.public_key());
        assert!(new.validity().not_after < again.validity().not_after);
    }
    // What has nothing to do with the domain's own CA stays as it is.
    for which in [CaCertificate::UnknownRoot, CaCertificate::NamesakeRoot] {
        assert_eq!(before.certificate(which).unwrap(), after.certificate(which).unwrap());
    }
    // The CA that there was still issues what it did.
    assert_eq!(describe(&enrolled(&before, 0)), describe(&enrolled(&pki(), 0)));
}

#[test]
fn nothing_outlives_its_issuer() {
    let short = pki().renewed(now(), RenewalKey::New, 40).unwrap();
    let chain = enrolled(&short, 10);
    let [leaf, issuing] = [0, 1].map(|place| parse(&chain.certificates[place]));
    let end = now().plus_days(40).unix();
    assert_eq!(leaf.validity().not_after.timestamp(), end);
    assert_eq!(issuing.validity().not_after.timestamp(), end);
    let by_itself = short.chain_at(now().plus_days(10), &dc1(), &[]).unwrap();
    let leaf = parse(&by_itself.certificates[0]);
    assert_eq!(leaf.validity().not_after.timestamp(), end);
    assert_eq!(leaf.validity().not_before, issuing.validity().not_before);
    // An issuing CA has five years at most.
    let long = pki().renewed(now(), RenewalKey::New, 7_300).unwrap();
    let issuing = long.certificate(CaCertificate::Intermediate).unwrap();
    let five_years = now().plus_days(5 * 365).unix();
    assert_eq!(parse(&issuing).validity().not_after.timestamp(), five_years);
}

#[test]
fn every_renewal_has_keys_of_its_own() {
    let mut pki = pki();
    let mut keys = BTreeSet::new();
    for number in 0..=RENEWALS_MAX {
        for which in [CaCertificate::Root, CaCertificate::Intermediate] {
            let certificate = pki.certificate(which).unwrap();
            let is_new = keys.insert(parse(&certificate).public_key().raw.to_vec());
            assert!(is_new, "{which} after {number} renewals");
        }
        let renewal = pki.renewed(now().plus_days(100), RenewalKey::New, 3_650);
        match renewal {
            Ok(renewed) => pki = renewed,
            Err(error) => {
                assert_eq!(number, RENEWALS_MAX);
                assert_eq!(error, PkiError::TooManyRenewals { max: RENEWALS_MAX });
                return;
            }
        }
    }
    assert!(keys.is_empty(), "the limit was never reached");
}
