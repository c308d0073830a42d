//! Every fault names its culprit and a remedy, and the remedy, applied by a program, is one.

#[path = "../support/maker.rs"]
mod maker;
#[path = "../support/mod.rs"]
mod support;
mod world;

use std::fmt::Write;

use trust_verdict::{Reason, TlsVersion, Verdict, VerifyPeer, XAPI_PRIORITY};

use maker::{Ext, RSA_512, RSA_2048, Spec, crl, der, name, utc};
use world::{PEER, World};

/// Remedies that may be needed one after the other.
const ROUNDS_MAX: usize = 4;

#[test]
fn following_the_advice_leads_to_acceptance() {
    let mut table = String::new();
    for (fault, world) in faults() {
        let verdict = world.judge();
        assert!(!verdict.is_accept(), "{fault} is no fault");
        writeln!(table, "{fault}: {} {}", verdict.class.name(), verdict.flags.join(" "))
            .expect("a String");
        for reason in &verdict.reasons {
            writeln!(table, "  {}: {reason}", culprit(reason)).expect("a String");
        }
        let mut world = world;
        let mut verdict = verdict;
        for _ in 0..ROUNDS_MAX {
            if verdict.is_accept() {
                break;
            }
            let (text, changed) = first_remedy(&world, &verdict)
                .unwrap_or_else(|| panic!("{fault}: no remedy\n{}", verdict.explain()));
            writeln!(table, "  → {text}").expect("a String");
            world = changed;
            verdict = world.judge();
        }
        assert!(verdict.is_accept(), "{fault}: still refused\n{table}\n{}", verdict.explain());
    }
    insta::assert_snapshot!(table);
}

/// Alternatives too: each piece of advice removes the reason it answers.
#[test]
fn no_advice_is_without_effect() {
    let mut applied = 0;
    for (fault, world) in faults() {
        let verdict = world.judge();
        for advice in &verdict.advice {
            let reason = &verdict.reasons[advice.reason];
            let Some(changed) = world.after(&advice.remedy) else { continue };
            applied += 1;
            let again = changed.judge();
            let same = |other: &&Reason| {
                (other.check, &other.found, &other.expected)
                    == (reason.check, &reason.found, &reason.expected)
            };
            assert_eq!(again.reasons.iter().find(same), None, "{fault}: {}", advice.text);
        }
    }
    support::say(&format!("remedies: {applied} applied, each with effect"));
    assert!(applied > 60, "only {applied} remedies could be applied");
}

/// The first advice on the first reason that can be followed.
fn first_remedy(world: &World, verdict: &Verdict) -> Option<(String, World)> {
    let advice = verdict.advice.iter().filter(|advice| advice.reason == 0);
    advice.filter_map(|advice| Some((advice.text.clone(), world.after(&advice.remedy)?))).next()
}

fn culprit(reason: &Reason) -> String {
    match (&reason.certificate, &reason.anchor, &reason.file) {
        (Some(certificate), Some(anchor), _) => format!("{certificate} below {anchor}"),
        (Some(certificate), None, _) => certificate.to_string(),
        (None, Some(anchor), _) => anchor.to_string(),
        (None, None, Some(file)) => file.clone(),
        (None, None, None) => "settings".to_owned(),
    }
}

/// One sound world per fault with that fault in it.
#[expect(clippy::too_many_lines, reason = "a table")]
fn faults() -> Vec<(&'static str, World)> {
    let root = Spec::root("root", 1);
    let other = Spec::root("other", 9);
    let int = Spec::new("int", 2, "root", 1).with(Ext::ca(None));
    let low = Spec::leaf("int", 2);
    let leaf = Spec::leaf("root", 1);
    // root ← leaf with one change to the leaf.
    let leaf_with = |change: &dyn Fn(Spec) -> Spec| World::new(&[&change(leaf.clone())], &[&root]);
    // root ← int ← leaf with one change to the intermediate.
    let int_with =
        |change: &dyn Fn(Spec) -> Spec| World::new(&[&low, &change(int.clone())], &[&root]);
    // root ← leaf with one change to the anchor.
    let root_with = |change: &dyn Fn(Spec) -> Spec| World::new(&[&leaf], &[&change(root.clone())]);
    let ended = |mut spec: Spec| {
        spec.validity[1] = utc("250101000000Z");
        spec
    };
    let future = |mut spec: Spec| {
        spec.validity[0] = utc("450101000000Z");
        spec
    };
    let broken = |mut spec: Spec| {
        spec.broken_signature = true;
        spec
    };
    let unknown = |spec: Spec| spec.with(Ext("1.2.3.4", true, vec![5, 0]));
    let mode = |mode: VerifyPeer, world: World| World { mode, ..world };
    let peer = |peer: &str, world: World| World { peer: peer.to_owned(), ..world };
    let sound = || World::new(&[&leaf], &[&root]);
    let listed = crl(&name(&["root"]), "250101000000Z", std::slice::from_ref(&leaf.serial));
    let rsa_root = |key: u8| Spec::new("root", key, "root", key).with(Ext::ca(None));
    let chain_of = |count: u8| {
        let mut sent = vec![Spec::leaf(&format!("ca{count}"), 20 + count)];
        for number in (1..=count).rev() {
            let above = number - 1;
            let subject = format!("ca{number}");
            let issuer = if above == 0 { "root".to_owned() } else { format!("ca{above}") };
            let signer = if above == 0 { 1 } else { 20 + above };
            sent.push(Spec::new(&subject, 20 + number, &issuer, signer).with(Ext::ca(None)));
        }
        let sent: Vec<&Spec> = sent.iter().collect();
        World::new(&sent, &[&root]).and(&sent)
    };
    let old_int = ended(Spec::new("int", 2, "other", 9).with(Ext::ca(None)));
    let mut odd_case = leaf.clone();
    odd_case.issuer = name(&["ROOT"]);
    let mut weak_hash = Spec::leaf("root", RSA_2048);
    weak_hash.inner_algorithm = maker::sha1_with_rsa();
    weak_hash.outer_algorithm = maker::sha1_with_rsa();
    vec![
        ("unknown-root", World::new(&[&leaf], &[&other]).and(&[&root])),
        ("unknown-root-sent", World::new(&[&leaf, &root], &[&other])),
        ("missing-intermediate", World::new(&[&low], &[&root]).and(&[&int])),
        ("missing-root-intermediate-sent", World::new(&[&low, &int], &[&other]).and(&[&root])),
        ("self-signed-leaf", World::new(&[&Spec::root(PEER, 3).with(Ext::dns(&[PEER]))], &[&root])),
        ("pinned-leaf-with-intermediate", World::new(&[&low, &int], &[&low]).and(&[&root])),
        ("key-rollover", {
            let id = |spec: Spec, id: u8| spec.with(Ext::subject_key(&[id; 4]));
            let (old, new) = (id(Spec::root("root", 1), 1), id(Spec::root("root", 4), 4));
            let leaf = Spec::leaf("root", 4).with(Ext::authority_key(&[4; 4]));
            World::new(&[&leaf], &[&old]).and(&[&new])
        }),
        ("authority-key-id-wrong", {
            let root = root.clone().with(Ext::subject_key(&[1; 4]));
            World::new(&[&leaf.clone().with(Ext::authority_key(&[7; 4]))], &[&root])
        }),
        ("issuer-in-other-case", World::new(&[&odd_case], &[&root])),
        ("dead-end-first", World::new(&[&low, &old_int, &int], &[&root])),
        ("rebuilt-root-of-one-name", { World::new(&[&leaf], &[&root, &Spec::root("root", 5)]) }),
        ("expired-leaf", leaf_with(&ended)),
        ("expired-intermediate", int_with(&ended)),
        ("expired-root", root_with(&ended)),
        ("expired-pinned-leaf", {
            let leaf = ended(leaf.clone());
            World::new(&[&leaf], &[&leaf])
        }),
        ("future-leaf", leaf_with(&future)),
        ("future-intermediate", int_with(&future)),
        ("future-root", root_with(&future)),
        ("expired-leaf-below-unknown-root", {
            World::new(&[&ended(leaf.clone())], &[&other]).and(&[&root])
        }),
        ("broken-signature-leaf", leaf_with(&broken)),
        ("broken-signature-intermediate", int_with(&broken)),
        ("rsa-signature-below-other-key", {
            leaf_with(&|mut spec| {
                spec.inner_algorithm = maker::sha1_with_rsa();
                spec.outer_algorithm = maker::sha1_with_rsa();
                spec
            })
        }),
        ("unknown-signature-algorithm", {
            leaf_with(&|mut spec| {
                spec.inner_algorithm = maker::algorithm("1.2.3.4");
                spec.outer_algorithm = maker::algorithm("1.2.3.4");
                spec
            })
        }),
        ("unknown-signature-algorithm-unchecked", {
            let world = leaf_with(&|mut spec| {
                spec.inner_algorithm = maker::algorithm("1.2.3.4");
                spec.outer_algorithm = maker::algorithm("1.2.3.4");
                spec
            });
            mode(VerifyPeer::NoCheck, world)
        }),
        ("sha1-leaf", World::new(&[&weak_hash], &[&rsa_root(RSA_2048)])),
        ("rsa-512-leaf", {
            leaf_with(&|mut spec| {
                spec.spki = maker::spki(RSA_512);
                spec
            })
        }),
        ("rsa-512-root", World::new(&[&Spec::leaf("root", RSA_512)], &[&rsa_root(RSA_512)])),
        ("intermediate-no-ca", { World::new(&[&low, &Spec::new("int", 2, "root", 1)], &[&root]) }),
        ("intermediate-ca-false", int_with(&|spec| spec.without("2.5.29.19").with(Ext::not_ca()))),
        ("intermediate-version-1", {
            int_with(&|mut spec| {
                spec.version = None;
                spec.without_extensions()
            })
        }),
        ("root-ca-false", root_with(&|spec| spec.without("2.5.29.19").with(Ext::not_ca()))),
        ("intermediate-may-not-sign", int_with(&|spec| spec.with(Ext::usage(0x80)))),
        ("path-too-long-for-root", {
            let root = root.clone().without("2.5.29.19").with(Ext::ca(Some(0)));
            World::new(&[&low, &int], &[&root])
        }),
        ("name-constraints-of-root", {
            root_with(&|spec| spec.with(Ext::constraints(&[(0x82, b"other.test")], &[])))
        }),
        ("name-constraints-of-intermediate", {
            int_with(&|spec| spec.with(Ext::constraints(&[], &[(0x82, b"example.test")])))
        }),
        ("name-constraints-undecodable", {
            int_with(&|spec| spec.with(Ext("2.5.29.30", true, vec![1, 2, 3])))
        }),
        ("tls-feature-of-root", root_with(&|spec| spec.with(Ext::features(&[17])))),
        ("must-staple-leaf", leaf_with(&|spec| spec.with(Ext::features(&[5])))),
        ("must-staple-intermediate", int_with(&|spec| spec.with(Ext::features(&[5])))),
        ("unknown-critical-leaf", leaf_with(&unknown)),
        ("unknown-critical-intermediate", int_with(&unknown)),
        ("unknown-critical-root", root_with(&unknown)),
        ("revoked-leaf", World { crlfile: Some(listed), ..sound() }),
        ("wrong-name", {
            World::new(
                &[&Spec::new("x", 200, "root", 1).with(Ext::dns(&["ad.example.test"]))],
                &[&root],
            )
        }),
        ("wrong-name-and-no-other", World::new(&[&Spec::new("x", 200, "root", 1)], &[&root])),
        ("address", peer("192.0.2.10", sound())),
        ("blank-in-name", peer("dc 1", sound())),
        ("duplicate-extension-leaf", leaf_with(&|spec| spec.with(Ext::dns(&["x"])))),
        ("extra-unreadable", {
            let extra = Spec::root("extra", 6).with(Ext::ca(None));
            World::new(&[&leaf, &extra], &[&root])
        }),
        ("seventeen-certificates", chain_of(16)),
        ("key-usage-of-leaf", leaf_with(&|spec| spec.with(Ext::usage(0x08)))),
        ("key-for-no-suite", {
            World { priority: XAPI_PRIORITY.to_owned(), tls: TlsVersion::Tls12, ..sound() }
        }),
        ("version-not-offered", {
            let leaf = Spec { spki: maker::spki(RSA_2048), ..leaf.clone() };
            World { priority: XAPI_PRIORITY.to_owned(), ..World::new(&[&leaf], &[&root]) }
        }),
        ("empty-bundle", World { cafile: String::new(), ..sound() }),
        ("bad-block-in-bundle", {
            let cafile = root.pem() + &maker::pem("CERTIFICATE", &der(0x30, &[2, 1, 1]));
            World { cafile, ..sound() }
        }),
        ("garbage-as-crls", World { crlfile: Some("text".to_owned()), ..sound() }),
        ("strict-without-crls", mode(VerifyPeer::AsStrictAsPossible, sound())),
        ("unknown-priority", World { priority: "NORMAL:+FOO:%BAR".to_owned(), ..sound() }),
    ]
}
