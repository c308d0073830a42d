//! Certificates that GnuTLS can just read, or just cannot.

use crate::{
    gnutls::{Case, Gnutls, PEER},
    maker::{self, Ext, Spec, der, name, utc},
    support,
};

#[test]
fn odd_certificates_agree_with_gnutls() {
    let Some(mut gnutls) = Gnutls::start() else { return };
    let at = support::now();
    let root = Spec::root("root", 1);
    let mut wrong = Vec::new();
    for (title, leaf) in odd_leaves() {
        let case = Case {
            cafile: root.pem(),
            crlfile: String::new(),
            sent: vec![leaf],
            story: String::new(),
        };
        let (ours, theirs) = (case.judge(at), gnutls.verify(&case, at));
        if !ours.agrees(&theirs) {
            wrong.push(format!("{title}: ours {}, GnuTLS {theirs}", ours.answer));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn odd_leaves() -> Vec<(&'static str, Vec<u8>)> {
    let leaf = || Spec::leaf("root", 1);
    let edit = |change: &dyn Fn(&mut Spec)| {
        let mut spec = leaf();
        change(&mut spec);
        spec.der()
    };
    let ext = |oid: &'static str, value: &[u8]| leaf().with(Ext(oid, false, value.to_vec())).der();
    let san = |names: &[(u8, &[u8])]| Spec::new(PEER, 200, "root", 1).with(Ext::names(names)).der();
    let raw_san = |value: &[u8]| {
        Spec::new(PEER, 200, "root", 1).with(Ext("2.5.29.17", false, value.to_vec())).der()
    };
    let long = vec![b'a'; 300];
    let long_email = [&long[..], b"@x"].concat();
    let mut trailing = leaf().der();
    trailing.push(0);
    let mut cut = leaf().der();
    cut.pop();
    vec![
        ("sound", leaf().der()),
        ("trailing octet", trailing),
        ("cut", cut),
        ("empty", Vec::new()),
        ("garbage", b"garbage".to_vec()),
        ("not a certificate", der(0x30, &[2, 1, 1])),
        (
            "version 1",
            edit(&|s| {
                s.version = None;
                s.extensions = None;
            }),
        ),
        ("version 1 with extensions", edit(&|s| s.version = None)),
        ("version 2 with extensions", edit(&|s| s.version = Some(1))),
        (
            "version 2",
            edit(&|s| {
                s.version = Some(1);
                s.extensions = None;
            }),
        ),
        ("version 4", edit(&|s| s.version = Some(3))),
        ("version 200", edit(&|s| s.version = Some(200))),
        (
            "version 1 with empty extensions",
            edit(&|s| {
                s.version = None;
                s.extensions = Some(vec![]);
            }),
        ),
        ("empty extensions", edit(&|s| s.extensions = Some(vec![]))),
        ("negative serial", edit(&|s| s.serial = vec![0xff])),
        ("zero serial", edit(&|s| s.serial = vec![0])),
        ("padded serial", edit(&|s| s.serial = vec![0, 0, 1])),
        ("long serial", edit(&|s| s.serial = vec![1; 60])),
        ("empty serial", edit(&|s| s.serial = vec![])),
        ("no seconds", edit(&|s| s.validity[0] = utc("2401010000Z"))),
        ("no Z", edit(&|s| s.validity[0] = utc("240101000000"))),
        ("offset", edit(&|s| s.validity[0] = utc("240101000000+0100"))),
        ("month 13", edit(&|s| s.validity[0] = utc("241301000000Z"))),
        ("day 0", edit(&|s| s.validity[0] = utc("240100000000Z"))),
        ("day 31 of February", edit(&|s| s.validity[0] = utc("240231000000Z"))),
        ("day 32", edit(&|s| s.validity[0] = utc("240132000000Z"))),
        ("hour 25", edit(&|s| s.validity[0] = utc("240101250000Z"))),
        ("minute 61", edit(&|s| s.validity[0] = utc("240101006100Z"))),
        ("second 61", edit(&|s| s.validity[0] = utc("240101000061Z"))),
        ("second 60", edit(&|s| s.validity[0] = utc("240101000060Z"))),
        ("minute 60", edit(&|s| s.validity[0] = utc("240101006000Z"))),
        ("hour 24", edit(&|s| s.validity[0] = utc("240101240000Z"))),
        ("ends 1969", edit(&|s| s.validity[1] = utc("691231235959Z"))),
        ("too long", edit(&|s| s.validity[0] = utc("24010100000000Z"))),
        ("one second digit", edit(&|s| s.validity[0] = utc("24010100000Z"))),
        ("no minutes", edit(&|s| s.validity[0] = utc("24010100Z"))),
        ("generalized month 13", edit(&|s| s.validity[0] = maker::generalized("20241301000000Z"))),
        ("generalized day 0", edit(&|s| s.validity[0] = maker::generalized("20240100000000Z"))),
        ("generalized no seconds", edit(&|s| s.validity[0] = maker::generalized("202401010000Z"))),
        ("generalized no minutes", edit(&|s| s.validity[0] = maker::generalized("2024010100Z"))),
        (
            "generalized 1960 month 13",
            edit(&|s| s.validity[0] = maker::generalized("19601301000000Z")),
        ),
        ("generalized ends 1960", edit(&|s| s.validity[1] = maker::generalized("19600101000000Z"))),
        ("generalized ends 1970", edit(&|s| s.validity[1] = maker::generalized("19700101000000Z"))),
        ("generalized year 0", edit(&|s| s.validity[0] = maker::generalized("00000101000000Z"))),
        ("version padded", edit_version(&[0, 2])),
        ("version large", edit_version(&[1, 2])),
        ("version negative", edit_version(&[0xff])),
        ("version empty", edit_version(&[])),
        ("letters", edit(&|s| s.validity[0] = utc("24010100000aZ"))),
        ("letters first", edit(&|s| s.validity[0] = utc("aa0101000000Z"))),
        ("short", edit(&|s| s.validity[0] = utc("24"))),
        ("empty time", edit(&|s| s.validity[0] = utc(""))),
        ("1950", edit(&|s| s.validity[0] = utc("500101000000Z"))),
        ("1969", edit(&|s| s.validity[0] = utc("691231235959Z"))),
        ("generalized", edit(&|s| s.validity[0] = maker::generalized("20240101000000Z"))),
        ("generalized 1960", edit(&|s| s.validity[0] = maker::generalized("19600101000000Z"))),
        (
            "generalized offset",
            edit(&|s| s.validity[0] = maker::generalized("20240101000000+0100")),
        ),
        (
            "generalized fraction",
            edit(&|s| s.validity[0] = maker::generalized("20240101000000.5Z")),
        ),
        ("year 9999", edit(&|s| s.validity[1] = maker::generalized("99991231235959Z"))),
        ("a number as time", edit(&|s| s.validity[0] = der(2, &[1]))),
        ("unique ids", edit(&|s| s.unique_ids = [der(0x81, &[0, 1]), der(0x82, &[0, 2])].concat())),
        (
            "unique ids in version 1",
            edit(&|s| {
                s.version = None;
                s.extensions = None;
                s.unique_ids = der(0x81, &[0, 1]);
            }),
        ),
        ("empty subject", edit(&|s| s.subject = name(&[]))),
        ("empty set in subject", edit(&|s| s.subject = der(0x30, &der(0x31, &[])))),
        ("broken subject", edit(&|s| s.subject = der(0x30, &der(0x31, &[1, 2, 3])))),
        ("inner algorithm", edit(&|s| s.inner_algorithm = maker::algorithm("1.2.3"))),
        (
            "inner parameters",
            edit(&|s| {
                s.inner_algorithm = maker::sequence(&[maker::oid("1.3.101.112"), der(5, &[])]);
            }),
        ),
        (
            "inner integer parameter",
            edit(&|s| {
                s.inner_algorithm = maker::sequence(&[maker::oid("1.3.101.112"), der(2, &[1])]);
            }),
        ),
        (
            "unknown algorithm",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.2.3.4");
                s.outer_algorithm = maker::algorithm("1.2.3.4");
            }),
        ),
        (
            "RSA signature, Ed25519 issuer",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.2.840.113549.1.1.11");
                s.outer_algorithm = maker::algorithm("1.2.840.113549.1.1.11");
            }),
        ),
        (
            "MD5 signature, Ed25519 issuer",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.2.840.113549.1.1.4");
                s.outer_algorithm = maker::algorithm("1.2.840.113549.1.1.4");
            }),
        ),
        (
            "MD2 signature",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.2.840.113549.1.1.2");
                s.outer_algorithm = maker::algorithm("1.2.840.113549.1.1.2");
            }),
        ),
        (
            "OIW SHA-1",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.3.14.3.2.29");
                s.outer_algorithm = maker::algorithm("1.3.14.3.2.29");
            }),
        ),
        (
            "RIPEMD",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.3.36.3.3.1.2");
                s.outer_algorithm = maker::algorithm("1.3.36.3.3.1.2");
            }),
        ),
        (
            "Ed448 signature",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.3.101.113");
                s.outer_algorithm = maker::algorithm("1.3.101.113");
            }),
        ),
        (
            "PSS without parameters",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.2.840.113549.1.1.10");
                s.outer_algorithm = maker::algorithm("1.2.840.113549.1.1.10");
            }),
        ),
        ("undecodable constraints", ext("2.5.29.30", &[1, 2, 3])),
        ("undecodable usage", ext("2.5.29.15", &[4, 1, 0])),
        ("empty usage", ext("2.5.29.15", &[3, 1, 0])),
        ("undecodable purposes", ext("2.5.29.37", &[4, 1, 0])),
        ("undecodable key id", ext("2.5.29.35", &[4, 1, 0])),
        ("empty key id", ext("2.5.29.35", &[0x30, 0])),
        ("undecodable features", ext("1.3.6.1.5.5.7.1.24", &[4, 1, 0])),
        ("empty value", ext("2.5.29.19", &[])),
        ("empty critical value", leaf().with(Ext("2.5.29.19", true, vec![])).der()),
        ("critical policy constraints", leaf().with(Ext("2.5.29.36", true, vec![0x30, 0])).der()),
        ("critical policy mappings", leaf().with(Ext("2.5.29.33", true, vec![0x30, 0])).der()),
        ("critical inhibit any", leaf().with(Ext("2.5.29.54", true, vec![2, 1, 0])).der()),
        ("critical policies", leaf().with(Ext("2.5.29.32", true, vec![0x30, 0])).der()),
        ("critical distribution", leaf().with(Ext("2.5.29.31", true, vec![0x30, 0])).der()),
        ("critical issuer name", leaf().with(Ext("2.5.29.18", true, vec![0x30, 0])).der()),
        ("critical access", leaf().with(Ext("1.3.6.1.5.5.7.1.1", true, vec![0x30, 0])).der()),
        ("critical proxy", leaf().with(Ext("1.3.6.1.5.5.7.1.14", true, vec![0x30, 0])).der()),
        ("critical features", leaf().with(Ext("1.3.6.1.5.5.7.1.24", true, vec![0x30, 0])).der()),
        ("critical private key period", leaf().with(Ext("2.5.29.16", true, vec![0x30, 0])).der()),
        (
            "critical netscape type",
            leaf().with(Ext("2.16.840.1.113730.1.1", true, vec![5, 0])).der(),
        ),
        ("critical subject directory", leaf().with(Ext("2.5.29.9", true, vec![0x30, 0])).der()),
        ("critical freshest", leaf().with(Ext("2.5.29.46", true, vec![0x30, 0])).der()),
        (
            "critical subject access",
            leaf().with(Ext("1.3.6.1.5.5.7.1.11", true, vec![0x30, 0])).der(),
        ),
        (
            "critical timestamps",
            leaf().with(Ext("1.3.6.1.4.1.11129.2.4.2", true, vec![4, 0])).der(),
        ),
        (
            "unknown twice",
            leaf()
                .with(Ext("1.2.3", false, vec![5, 0]))
                .with(Ext("1.2.3", false, vec![5, 0]))
                .der(),
        ),
        ("two names extensions", leaf().with(Ext::dns(&["x"])).der()),
        ("name extension empty", raw_san(&[0x30, 0])),
        ("name extension zero octets", raw_san(&[])),
        ("name extension not a list", raw_san(&[4, 1, 0])),
        ("name extension trailing", raw_san(&[0x30, 0, 0])),
        ("name of unknown form", san(&[(0x89, b"x")])),
        ("x400", san(&[(0xa3, b"")])),
        ("edi", san(&[(0xa5, b"")])),
        ("edi with party", san(&[(0xa5, &[0xa1, 3, 0x0c, 1, b'x'])])),
        ("empty dns", san(&[(0x82, b"")])),
        ("empty email", san(&[(0x81, b"")])),
        ("empty uri", san(&[(0x86, b"")])),
        ("empty ip", san(&[(0x87, b"")])),
        ("odd ip", san(&[(0x87, b"123")])),
        ("ip blocks the common name", san(&[(0x87, &[192, 0, 2, 10])])),
        ("uri and common name", san(&[(0x86, b"https://x/")])),
        ("email and common name", san(&[(0x81, b"a@b")])),
        ("registered id", san(&[(0x88, &[0x2a, 3])])),
        ("empty registered id", san(&[(0x88, b"")])),
        ("directory", san(&[(0xa4, &[0x30, 0])])),
        ("broken directory", san(&[(0xa4, &[1])])),
        (
            "upn",
            san(&[(
                0xa0,
                &[maker::oid("1.3.6.1.4.1.311.20.2.3"), der(0xa0, &der(12, b"u@x"))].concat(),
            )]),
        ),
        (
            "srv",
            san(&[(
                0xa0,
                &[maker::oid("1.3.6.1.5.5.7.8.7"), der(0xa0, &der(22, b"_ldap.x"))].concat(),
            )]),
        ),
        ("other name without value", san(&[(0xa0, &maker::oid("1.2.3"))])),
        (
            "other name with empty value",
            san(&[(0xa0, &[maker::oid("1.2.3"), der(0xa0, &[])].concat())]),
        ),
        ("long email", san(&[(0x81, &long_email)])),
        ("long dns", san(&[(0x82, &long)])),
        ("long dns, then right", san(&[(0x82, &long), (0x82, PEER.as_bytes())])),
        (
            "long other name",
            san(&[(0xa0, &[maker::oid("1.2.3"), der(0xa0, &der(12, &long))].concat())]),
        ),
        ("long registered id", san(&[(0x88, &[0x2a; 300])])),
        ("long directory", san(&[(0xa4, &name(&[&"a".repeat(300)]))])),
        ("nul in dns", san(&[(0x82, b"dc1.ad.example.test\0x"), (0x82, PEER.as_bytes())])),
        ("latin dns", san(&[(0x82, b"dc\xe4.test")])),
        ("boolean of two octets", leaf_with_boolean(&[0xff, 0xff])),
        ("boolean of value 1", leaf_with_boolean(&[1])),
        ("boolean false", leaf_with_boolean(&[0])),
        ("signature with spare bits", spare_bits()),
        ("length not minimal", long_length()),
        ("no serial", without_field(1)),
        ("no algorithm", without_field(2)),
        ("no issuer", without_field(3)),
        ("no validity", without_field(4)),
        ("no subject", without_field(5)),
        ("no key", without_field(6)),
    ]
}

fn edit_version(number: &[u8]) -> Vec<u8> {
    resign(&|body| {
        let found = body.windows(5).position(|window| window == [0xa0, 3, 2, 1, 2]).expect("there");
        body.splice(found..found + 5, der(0xa0, &der(2, number)));
    })
}

/// The body without one of its fields.
fn without_field(number: usize) -> Vec<u8> {
    resign(&|body| {
        let mut at = 0;
        for _ in 0..number {
            at += 2 + usize::from(body[at + 1]);
        }
        body.drain(at..at + 2 + usize::from(body[at + 1]));
    })
}

fn leaf_with_boolean(content: &[u8]) -> Vec<u8> {
    // The writer makes sound flags only, so one is put where a value's octets would be.
    let flagged = maker::sequence(&[maker::oid("1.2.3"), der(1, content), der(4, &[5, 0])]);
    resign(&|body: &mut Vec<u8>| {
        let list = der(0xa3, &maker::sequence(std::slice::from_ref(&flagged)));
        body.extend(list);
    })
}

fn resign(change: &dyn Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut spec = Spec::leaf("root", 1);
    spec.subject = name(&[PEER]);
    let mut body = [
        der(0xa0, &der(2, &[2])),
        der(2, &[5]),
        spec.inner_algorithm.clone(),
        spec.issuer.clone(),
        maker::sequence(&spec.validity),
        spec.subject.clone(),
        spec.spki.clone(),
    ]
    .concat();
    change(&mut body);
    let tbs = der(0x30, &body);
    let signature = maker::key(1).sign(&tbs).as_ref().to_vec();
    maker::sequence(&[tbs, spec.outer_algorithm, der(3, &[&[0], &signature[..]].concat())])
}

fn spare_bits() -> Vec<u8> {
    let mut bytes = resign(&|_| {});
    let at = bytes.len() - 65;
    bytes[at] = 1;
    bytes
}

fn long_length() -> Vec<u8> {
    resign(&|body| {
        let list =
            maker::sequence(&[maker::sequence(&[maker::oid("1.2.3"), vec![4, 0x81, 2, 5, 0]])]);
        body.extend(der(0xa3, &list));
    })
}
