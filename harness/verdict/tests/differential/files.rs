//! Bundles and CRL files as people edit them.

use crate::{
    gnutls::{Case, Gnutls},
    maker::{self, Spec, crl, name},
    support,
};

#[test]
fn trust_files_agree_with_gnutls() {
    let Some(mut gnutls) = Gnutls::start() else { return };
    let at = support::now();
    let (root, leaf) = (Spec::root("root", 1), Spec::leaf("root", 1).der());
    let (good, other) = (root.pem(), Spec::root("other", 2).pem());
    let old = good.replace("CERTIFICATE", "X509 CERTIFICATE");
    let broken = good.replace("MII", "M!I").replace("MIH", "M!H");
    let texts = [
        good.clone(),
        other.clone(),
        old.clone(),
        format!("{old}{other}"),
        format!("{other}{old}"),
        format!("{other}{old}{other}"),
        format!("{broken}{good}"),
        format!("{good}{broken}"),
        format!("{broken}{old}"),
        good.replace('\n', "\r\n"),
        format!("text before {good} text after"),
        good.replace("CERTIFICATE", "TRUSTED CERTIFICATE") + &other,
        good.replace("CERTIFICATE", "CERTIFICATE REQUEST"),
        maker::pem("CERTIFICATE", b"garbage"),
        maker::pem("CERTIFICATE", &[0x30, 0]),
        format!("{other}-----BEGIN CERTIFICATE"),
        format!("{other}-----BEGIN CERTIFICATE-----\n"),
        format!("{other}-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        good.replace("-----END CERTIFICATE-----", ""),
        good.replace("END CERTIFICATE", "END"),
        good.replace("-----END", "=-----END"),
        good.replace("-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nA: b\n\n"),
        good.replace("-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----"),
        good.replace("-----END", "\n\n \t\n-----END"),
        good.replace("-----BEGIN", "----BEGIN") + &other,
        format!("{good}{good}"),
    ];
    let crls = [
        String::new(),
        "text".to_owned(),
        good.clone(),
        crl(&name(&["root"]), "250101000000Z", &[vec![200, 1, 1]]),
        crl(&name(&["root"]), "250101000000Z", &[]),
        maker::pem("X509 CRL", b"garbage"),
        crl(&name(&["root"]), "250101000000Z", &[vec![200, 1, 1]])
            + &crl(&name(&["root"]), "250101000000Z", &[]),
        crl(&name(&["root"]), "250102000000Z", &[vec![200, 1, 1]])
            + &crl(&name(&["root"]), "250101000000Z", &[]),
        crl(&name(&["root"]), "250101000000Z", &[vec![0, 200, 1, 1]]),
        crl(&name(&["root"]), "250101000000Z", &[]).replace("X509 CRL", "CRL"),
        crl(&name(&["root"]), "250101000000Z", &[]).replace("MI", "M!"),
    ];
    let mut wrong = Vec::new();
    let mut compare = |cafile: &String, crlfile: &String| {
        let case = Case {
            cafile: cafile.clone(),
            crlfile: crlfile.clone(),
            sent: vec![leaf.clone()],
            story: String::new(),
        };
        let (ours, theirs) = (case.judge(at), gnutls.verify(&case, at));
        if !ours.agrees(&theirs) {
            wrong.push(format!("ours {}, GnuTLS {theirs}:\n{cafile}{crlfile}", ours.answer));
        }
    };
    for text in &texts {
        compare(text, &String::new());
    }
    for text in &crls {
        compare(&good, text);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
