//! Each refusal has its own error, and leaves the table as it was.

use std::{collections::BTreeSet, fs};

use ground::{Secret, Seed};
use proptest::prelude::*;
use trust_models::ordered::{
    Keystore, Material as Issued, Row, TrustStore, Upload, UploadError, Uploaded,
};

use crate::world::{Material, SUFFIX, link, now};

fn keystore(uploads: &[Upload]) -> Keystore {
    let mut keystore = Keystore::in_memory().unwrap();
    for upload in uploads {
        keystore.upload(upload).unwrap();
    }
    keystore
}

fn names(rows: &[Row]) -> Vec<(i64, &str, Option<i32>)> {
    rows.iter().map(|row| (row.id, row.name.as_str(), row.seq)).collect()
}

#[test]
fn a_chain_is_uploaded_in_order() {
    let material = Material::new(1);
    let mut keystore = keystore(&[material.root(), material.intermediate()]);
    assert_eq!(keystore.server_certificate(SUFFIX).unwrap(), None);

    let uploaded = keystore.upload(&material.server()).unwrap();
    assert_eq!(uploaded, Uploaded { replaced: false, server: true });
    let rows = keystore.rows().unwrap();
    assert_eq!(
        names(&rows),
        [(1, "root", Some(1)), (2, "intermediate1", Some(2)), (3, "server", None)]
    );
    let found = keystore.server_certificate(SUFFIX).unwrap().unwrap();
    assert_eq!(found.chain, [material.root, material.intermediate]);
    assert_eq!((found.certificate, found.key.expose()), (material.server, material.key.as_str()));
    assert_eq!(keystore.server_certificate("other.example").unwrap(), None);
}

#[test]
fn a_wrong_root_is_corrected_by_another_upload() {
    let (material, other) = (Material::new(1), Material::new(2));
    let mut keystore = keystore(&[material.root(), material.intermediate()]);
    // Nobody can tell that it is the wrong one, but what follows shows it.
    let replaced = keystore.upload(&other.root()).unwrap();
    assert_eq!(replaced, Uploaded { replaced: true, server: false });
    let error = keystore.upload(&material.server()).unwrap_err();
    assert!(
        matches!(&error, UploadError::ChainBroken { previous, .. } if previous == "the root (`root`)"),
        "{error}"
    );
    keystore.upload(&material.root()).unwrap();
    keystore.upload(&material.server()).unwrap();
    let rows = keystore.rows().unwrap();
    assert_eq!(
        names(&rows),
        [(1, "root", Some(1)), (2, "intermediate1", Some(2)), (3, "server", None)]
    );
}

/// ```text
/// root ──▶ server certificate
/// ```
#[test]
fn a_chain_without_intermediates_is_enough() {
    let direct = Issued::issue_with(&Seed::new(1), "direct", SUFFIX, now(), |plan| {
        let root = plan.anchor_id();
        plan.leaf().signed_by(root);
    })
    .unwrap();
    let [root, _, server] = direct.uploads();
    let keystore = keystore(&[root, server]);
    let found = keystore.server_certificate(SUFFIX).unwrap().unwrap();
    assert_eq!(found.chain, [direct.root]);

    // Where there is one, it cannot be left out.
    let material = Material::new(1);
    let mut keystore = Keystore::in_memory().unwrap();
    keystore.upload(&material.root()).unwrap();
    let error = keystore.upload(&material.server()).unwrap_err();
    assert!(matches!(error, UploadError::ServerNotSigned { .. }), "{error}");
}

proptest! {
    /// Whatever is uploaded arrives as it was, if it is URL-encoded.
    #[test]
    fn a_query_is_read_as_it_was_written(
        certificate in "\\PC{1,80}",
        name in "\\PC{1,20}",
        id in proptest::option::of(1..1_000_i32),
        key in proptest::option::of("\\PC{1,80}"),
    ) {
        let private_key = key.map(Secret::new);
        let upload =
            Upload { certificate, domain_suffix: SUFFIX.to_owned(), id, name, private_key };
        prop_assert_eq!(Upload::from_query(&upload.to_query(true)).unwrap(), upload);
    }

    /// A trust store that was damaged is refused; one that was written is read.
    #[test]
    fn a_trust_store_is_read_as_it_was_written(
        entries in proptest::collection::vec(("[a-z]{1,8}", proptest::collection::vec(any::<u8>(), 0..40)), 0..5),
        damage in any::<(usize, u8)>(),
    ) {
        let mut store = TrustStore::default();
        for (alias, der) in entries {
            store.import(&alias, der.into(), now());
        }
        let mut bytes = store.to_bytes();
        prop_assert_eq!(&TrustStore::from_bytes(&bytes).unwrap(), &store);
        let place = damage.0 % bytes.len();
        bytes[place] ^= damage.1.max(1);
        prop_assert!(TrustStore::from_bytes(&bytes).is_err());
        prop_assert!(TrustStore::from_bytes(&bytes[..place]).is_err());
    }
}

/// What is there, what comes, and the words of the refusal.
#[test]
fn refusals() {
    let (material, other) = (Material::new(1), Material::new(2));
    let (root, intermediate, server) =
        (material.root(), material.intermediate(), material.server());
    let chain = [root.clone(), intermediate.clone()];
    let whole = [root.clone(), intermediate.clone(), server.clone()];
    let blank = material.root.replace('+', " ");
    assert_ne!(blank, material.root);
    // A `+` is lost at the end of a line, too.
    let lines: Vec<&str> = material.root.lines().collect();
    let last_of_line = format!("{} \n{}\n", &lines[1][..63], lines[2..].join("\n"));
    let last_of_line = format!("{}\n{last_of_line}", lines[0]);
    let explained = |pem: &str| format!("Bag Attributes\n    friendlyName: one\n{pem}");
    let broken = [root.clone(), intermediate.clone(), link(1, "root", &other.root)];
    let cases: Vec<(&[Upload], Upload)> = vec![
        (&[], intermediate.clone()),
        (&[], server.clone()),
        (&chain[..1], link(3, "late", &material.intermediate)),
        (&chain, link(1, "root2", &other.root)),
        (&chain, link(2, "intermediate2", &material.intermediate)),
        (&chain, link(2, "root", &material.intermediate)),
        (&whole, link(3, "intermediate2", &material.intermediate)),
        (&whole, Upload { name: "server2".to_owned(), ..server.clone() }),
        (&chain, Upload { id: None, ..intermediate.clone() }),
        (&chain, Upload { id: Some(3), ..server.clone() }),
        (&chain, Upload { domain_suffix: "other.example".to_owned(), ..root.clone() }),
        (&[], link(1, "root", &material.intermediate)),
        (&chain[..1], link(2, "intermediate1", &other.intermediate)),
        (&chain[..1], link(2, "leaf", &material.server)),
        (&chain, Upload { certificate: other.server.clone(), ..server.clone() }),
        (&chain, Upload { certificate: other.root.clone(), ..server.clone() }),
        (&chain, Upload { private_key: Some(Secret::new(&other.key)), ..server.clone() }),
        (&chain, Upload { private_key: Some(Secret::new(&material.root)), ..server.clone() }),
        (&chain, Upload { private_key: Some(Secret::new("none")), ..server.clone() }),
        (&[], link(1, &"r".repeat(65), &material.root)),
        (&[], Upload { domain_suffix: "d".repeat(257), ..root.clone() }),
        (&broken, server.clone()),
        (&[], link(1, "root", &blank)),
        (&[], link(1, "root", &explained(&blank))),
        (&[], link(1, "root", &last_of_line)),
        (
            &chain,
            Upload { private_key: Some(Secret::new(explained(&material.key))), ..server.clone() },
        ),
        (&[], link(1, "root", material.root.trim_end().trim_end_matches('-'))),
        (&[], link(1, "root", &material.root.replace("END CERTIFICATE", "END KEY"))),
        (&[], link(1, "root", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
        (&[], link(1, "root", &format!("{}{}", material.root, material.intermediate))),
        (&[], link(1, "root", &material.key)),
    ];
    let mut said = String::new();
    let mut reasons = BTreeSet::new();
    let directory = tempfile::tempdir().unwrap();
    for (number, (before, upload)) in cases.into_iter().enumerate() {
        let path = directory.path().join(format!("{number}.db"));
        let mut keystore = Keystore::open(&path).unwrap();
        for upload in before {
            keystore.upload(upload).unwrap();
        }
        let bytes = fs::read(&path).unwrap();
        let error = keystore.upload(&upload).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), bytes, "{error}");
        said += &format!("{}: {error}\n", error.reason());
        reasons.insert(error.reason());
    }
    insta::assert_snapshot!(said);
    // Those of a query, of rows that somebody has edited, and of a table that is gone.
    reasons.extend(["parameter-missing", "parameter-twice", "id-no-place"]);
    reasons.extend(["row-unreadable", "keystore-unusable"]);
    let all: BTreeSet<_> = UploadError::REASONS.iter().copied().collect();
    assert_eq!(reasons, all);
    assert_eq!(all.len(), UploadError::REASONS.len(), "two refusals share a reason");
}

/// As Java finds a certificate: whatever stands around it, and however its lines are set.
#[test]
fn a_certificate_is_found_in_its_text() {
    let material = Material::new(1);
    let around = format!("Bag Attributes\n    localKeyID: 01 02\n{}\n and more\n", material.root);
    let set = material.root.replace("\n", "  \r\n").replace("\nM", "\n   M");
    for root in [around, set, material.root.replace('\n', "\n\n")] {
        let mut keystore = Keystore::in_memory().unwrap();
        keystore.upload(&link(1, "root", &root)).unwrap();
        assert_eq!(keystore.rows().unwrap()[0].certificate, root, "it is kept as it was");
        keystore.upload(&material.intermediate()).unwrap();
    }
}

/// Whoever edits the table gets to know which row is meant.
#[test]
fn a_row_that_cannot_be_read_is_named() {
    let material = Material::new(1);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cloud.db");
    let mut keystore = Keystore::open(&path).unwrap();
    keystore.upload(&material.root()).unwrap();
    let sql = "update keystore set certificate = 'none'";
    rusqlite::Connection::open(&path).unwrap().execute(sql, []).unwrap();
    let error = keystore.upload(&material.intermediate()).unwrap_err();
    assert_eq!(error.reason(), "row-unreadable");
    assert_eq!(
        error.to_string(),
        "the certificate of row `root` cannot be read: `certificate` is not one certificate in PEM: \
         there are 0 blocks; replace it under its name"
    );
}

#[test]
fn parameters_are_read_from_a_query() {
    let upload = Upload::from_query(
        "command=uploadCustomCertificate&certificate=a%2Bb%0A&domainSuffix=corp.example&id=2&name=ca",
    )
    .unwrap();
    assert_eq!(upload, link(2, "ca", "a+b\n"));
    for (query, words) in [
        ("name=ca&domainsuffix=x", "`certificate` is missing"),
        ("name=&certificate=x&domainsuffix=x", "`name` is missing"),
        ("name=a&NAME=b", "`name` stands twice; give it once"),
        (
            "name=a&certificate=x&domainsuffix=x&id=0",
            "`id` is `0`; 1 is the root, 2 and on are intermediates",
        ),
        (
            "name=a&certificate=x&domainsuffix=x&id=two",
            "`id` is `two`; 1 is the root, 2 and on are intermediates",
        ),
    ] {
        assert_eq!(Upload::from_query(query).unwrap_err().to_string(), words);
    }
}

#[test]
fn no_key_is_shown() {
    let material = Material::new(1);
    let secret = material.key.lines().nth(1).unwrap();
    let keystore = keystore(&[material.root(), material.intermediate(), material.server()]);
    let shown = format!("{:?} {:?} {keystore:?}", material.server(), keystore.rows().unwrap());
    assert!(!shown.contains(secret));
}
