//! The forms in which people have a chain.

use std::fs;

use fake_dc_pki::{
    PemFile, PkiError,
    clone::{CloneOptions, Original},
};

use crate::{fixture, openssl::openssl, options};

type Reader = fn(&PemFile<'_>) -> Result<Original, PkiError>;

#[test]
fn every_form_of_a_chain_makes_the_same_clone() {
    let clone = |reader: Reader, name: &str| {
        let original = reader(&PemFile::new(name, &fixture(name))).unwrap();
        original.clone_with(&options()).unwrap().chain().clone()
    };
    let wanted = clone(Original::from_pem, "oracle/ok-int/chain.pem");
    assert_eq!(wanted.certificates.len(), 2);
    for (reader, name) in [
        (Original::from_showcerts as Reader, "chain-forms/showcerts.txt"),
        (Original::from_pkcs7, "chain-forms/chain.p7b"),
        (Original::from_pkcs7, "chain-forms/chain.p7c"),
        (Original::from_pem, "chain-forms/chain.p7b"),
    ] {
        assert_eq!(clone(reader, name), wanted, "{name}");
        assert_eq!(clone(Original::from_file, name), wanted, "{name}");
    }
    // The issuer of the leaf alone is not in the input.
    let leaf = clone(Original::from_der, "chain-forms/leaf.der");
    assert_eq!(leaf, clone(Original::from_file, "chain-forms/leaf.der"));
    assert_eq!(leaf.certificates.len(), 1);
}

/// PowerShell writes UTF-16 with a byte order mark, and some editors mark UTF-8.
#[test]
fn text_of_windows_is_read() {
    let shown = String::from_utf8(fixture("chain-forms/showcerts.txt")).unwrap();
    let clone = |content: Vec<u8>| {
        let original = Original::from_file(&PemFile::new("shown.txt", &content)).unwrap();
        original.clone_with(&options()).unwrap().chain().clone()
    };
    let text = shown.replace('\n', "\r\n");
    let wide = || format!("\u{feff}{text}").encode_utf16().collect::<Vec<_>>();
    let wanted = clone(shown.clone().into_bytes());
    for content in [
        wide().into_iter().flat_map(u16::to_le_bytes).collect(),
        wide().into_iter().flat_map(u16::to_be_bytes).collect(),
        format!("\u{feff}{text}").into_bytes(),
    ] {
        assert_eq!(clone(content), wanted);
    }
}

/// OpenSSL's TRUSTED form has its own trust behind the certificate; no server sends that.
#[test]
fn trust_of_openssl_is_no_part_of_a_chain() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("leaf.der"), fixture("chain-forms/leaf.der")).unwrap();
    let arguments = [
        "x509",
        "-inform",
        "DER",
        "-in",
        "leaf.der",
        "-trustout",
        "-addtrust",
        "serverAuth",
        "-setalias",
        "Contoso",
    ];
    let Some(trusted) = openssl(folder.path(), &arguments) else { return };
    let clone = |original: Result<Original, PkiError>| {
        original.unwrap().clone_with(&options()).unwrap().chain().clone()
    };
    let wanted =
        clone(Original::from_der(&PemFile::new("leaf.der", &fixture("chain-forms/leaf.der"))));
    assert_eq!(clone(Original::from_pem(&PemFile::new("trusted.pem", &trusted))), wanted);

    // In a bundle it stays, but for the name.
    let original = Original::from_pem(&PemFile::new("trusted.pem", &trusted)).unwrap();
    let original = original.trusted_by(&PemFile::new("trusted.pem", &trusted));
    let bundle =
        |options: &CloneOptions| original.clone_with(options).unwrap().trusted()[0].clone();
    let read = |bundle: &[u8]| pem::parse(bundle).unwrap();
    let (kept, scrubbed) = (read(&bundle(&options())), read(&bundle(&options().scrubbing_names())));
    assert_eq!((kept.tag(), scrubbed.tag()), ("TRUSTED CERTIFICATE", "TRUSTED CERTIFICATE"));
    let names = |block: &pem::Pem| block.contents().windows(7).any(|window| window == b"Contoso");
    assert!(names(&kept) && !names(&scrubbed));
}

#[test]
fn the_leaf_of_a_bag_comes_first() {
    let chain = String::from_utf8(fixture("oracle/ok-int/chain.pem")).unwrap();
    let Some(reversed) = bag(&chain, true) else { return };
    let clone = |bag: &[u8]| {
        let original = Original::from_pkcs7(&PemFile::new("bag.p7b", bag)).unwrap();
        original.clone_with(&options()).unwrap().chain().clone()
    };
    assert_eq!(clone(&reversed), clone(&fixture("chain-forms/chain.p7b")));
}

/// PKCS#7 of the certificates, perhaps in reverse.
fn bag(chain: &str, reversed: bool) -> Option<Vec<u8>> {
    let mut blocks: Vec<&str> = chain.split_inclusive("-----END CERTIFICATE-----\n").collect();
    if reversed {
        blocks.reverse();
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("chain.pem"), blocks.concat()).unwrap();
    openssl(folder.path(), &["crl2pkcs7", "-nocrl", "-certfile", "chain.pem"])
}
