//! The two ways in, and what is said of data that is not what it should be.

use std::fs;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use trust_models::directory::{CertData, DataKind, PkiDirectory};

use crate::world::{ca, chain, crl_of};

/// Sound data of each kind.
fn sound(kind: DataKind) -> String {
    let ca = ca(1);
    let own = chain(&ca, "client1");
    match kind {
        DataKind::CaCertificate | DataKind::TrustedServers => ca.root_pem().to_owned(),
        DataKind::CaRevocationList => crl_of(&own),
        DataKind::ClientKey => own.key.to_pem(),
        DataKind::ClientCertificate => own.to_pem(),
    }
}

/// The first block of PEM as bare base64.
fn bare(text: &str) -> String {
    BASE64_STANDARD.encode(pem::parse(text).unwrap().contents())
}

#[test]
fn each_kind_comes_from_memory_and_from_a_file_as_pem_and_as_base64() {
    let folder = tempfile::tempdir().unwrap();
    for kind in DataKind::ALL {
        let text = sound(kind);
        for text in [bare(&text), text.replace('\n', "\r\n"), format!("# ours\n{text}\n"), text] {
            let mut data = CertData::new();
            data.add(kind, &text).unwrap();
            let path = folder.path().join("data.pem");
            fs::write(&path, &text).unwrap();
            data.add_file(kind, &path).unwrap();
        }
    }
}

/// Which file, which block, what to do.
#[test]
fn bad_data_is_told_precisely() {
    let root = sound(DataKind::CaCertificate);
    let key = sound(DataKind::ClientKey);
    let second = format!("{root}{}", root.replace("MI", "!!"));
    let cut = &root[..root.len() - 30];
    let cases = [
        (DataKind::CaCertificate, String::new()),
        (DataKind::CaCertificate, "no certificate\n".to_owned()),
        (DataKind::CaCertificate, second),
        (DataKind::CaCertificate, cut.to_owned()),
        (DataKind::CaCertificate, key.clone()),
        (DataKind::CaRevocationList, root.clone()),
        (DataKind::CaRevocationList, root.replace("CERTIFICATE", "X509 CRL")),
        (DataKind::ClientKey, key.replace("PRIVATE", "ENCRYPTED PRIVATE")),
        (DataKind::ClientKey, format!("{key}{key}")),
        (DataKind::ClientCertificate, bare(&root)[4..].to_owned()),
        (DataKind::TrustedServers, key),
    ];
    let told: Vec<_> = cases
        .iter()
        .map(|(kind, text)| {
            let error = CertData::new().add(*kind, text).unwrap_err();
            format!("{error}\n    {}", error.advice())
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn files_that_cannot_be_read_are_told_with_their_path() {
    let folder = tempfile::tempdir().unwrap();
    let directory = PkiDirectory::at(folder.path());
    let missing = directory.load().unwrap_err();
    let ca = directory.path(DataKind::CaCertificate);
    let expected = format!("CA certificate from {}: No such file", ca.display());
    assert!(missing.to_string().starts_with(&expected), "{missing}");
    fs::create_dir_all(&ca).unwrap();
    assert!(directory.load().unwrap_err().to_string().contains("directory"));
    fs::remove_dir(&ca).unwrap();
    fs::write(&ca, [0x30, 0x82, 0xff]).unwrap();
    let binary = directory.load().unwrap_err();
    assert!(binary.to_string().ends_with("it is no text"), "{binary}");
    assert!(binary.advice().contains("-inform DER"));
    // A damaged list is not taken for an empty one.
    fs::write(&ca, sound(DataKind::CaCertificate)).unwrap();
    directory.load().unwrap();
    fs::create_dir_all(directory.path(DataKind::TrustedServers).parent().unwrap()).unwrap();
    fs::write(directory.path(DataKind::TrustedServers), "-----BEGIN CERTIFICATE-----\n").unwrap();
    assert!(directory.load().unwrap_err().to_string().contains("has no line"));
}
