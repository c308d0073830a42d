//! Every fault of the catalogue: that it is explained, and what it changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use crate::common::{chain, describe};
use fake_dc_pki::{ChainFault, FaultInfo, catalogue, fault};
use similar::{ChangeTag, TextDiff};
use x509_parser::prelude::{FromDer as _, X509Certificate};

#[test]
fn each_fault_is_explained_once() {
    let ids: BTreeSet<_> = catalogue().map(|fault| fault.id).collect();
    assert_eq!(ids.len(), catalogue().count(), "an id is there twice");
    for FaultInfo { id, summary, cause, chain, .. } in catalogue() {
        assert_eq!(fault(id).map(ChainFault::id), Some(*id));
        assert!(summary.len() > 10 && cause.len() > 10, "{id} is not explained");
        let (drawing, sent) =
            chain.rsplit_once("\nsent: ").expect("each drawing says what is sent");
        assert!(
            drawing.contains('[') || sent.contains('['),
            "the drawing of {id} does not mark the flaw"
        );
        assert!(chain.lines().all(|line| line.chars().count() <= 100), "{id} is drawn too wide");
    }
}

/// The defect is there and nothing else is: the snapshot holds every line that a fault changes.
#[test]
fn a_fault_changes_what_it_says_and_nothing_else() {
    let sound = describe(&chain(&[]));
    let mut changes = format!("sound chain\n\n{sound}\n");
    for fault in catalogue() {
        let wrong = describe(&chain(&[fault.id]));
        assert_ne!(sound, wrong, "{} changes nothing", fault.id);
        writeln!(changes, "\n{}\n", fault.id).unwrap();
        for change in TextDiff::from_lines(&sound, &wrong).iter_all_changes() {
            match change.tag() {
                ChangeTag::Delete => write!(changes, "- {change}").unwrap(),
                ChangeTag::Equal => {}
                ChangeTag::Insert => write!(changes, "+ {change}").unwrap(),
            }
        }
    }
    insta::assert_snapshot!(changes);
}

/// Serials differ whenever what is signed differs, unless a fault is about them.
#[test]
fn no_two_certificates_share_a_serial() {
    let mut seen = BTreeMap::new();
    for fault in catalogue().filter(|fault| !fault.id.ends_with("serial-of-issuer")) {
        for der in chain(&[fault.id]).certificates {
            let Ok((_, certificate)) = X509Certificate::from_der(&der) else { continue };
            let signed = certificate.tbs_certificate.as_ref();
            let first =
                seen.entry(certificate.raw_serial().to_vec()).or_insert_with(|| signed.to_vec());
            assert!(first == signed, "{} repeats a serial", fault.id);
        }
    }
}
