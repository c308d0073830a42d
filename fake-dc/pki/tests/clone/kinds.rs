//! Kinds of keys and signatures, as OpenSSL makes them and sees them.

use std::{fs, path::Path};

use fake_dc_pki::{PemFile, clone::Original};
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

use crate::{
    der,
    openssl::{openssl, run},
    options, shares_nothing,
};

/// A root and a leaf below it with each kind of key. OpenSSL finds both or neither sound, and
/// prints the same of them.
#[test]
fn keys_of_every_kind_are_cloned_in_kind() {
    const KINDS: [(&str, &[&str]); 12] = [
        ("rsa-1024", &["RSA", "rsa_keygen_bits:1024"]),
        ("rsa-2048-e3", &["RSA", "rsa_keygen_bits:2048", "rsa_keygen_pubexp:3"]),
        ("rsa-1100", &["RSA", "rsa_keygen_bits:1100"]),
        ("rsa-3072", &["RSA", "rsa_keygen_bits:3072"]),
        ("pss-any", &["RSA-PSS", "rsa_keygen_bits:2048"]),
        (
            "pss-bound",
            &[
                "RSA-PSS",
                "rsa_keygen_bits:2048",
                "rsa_pss_keygen_md:sha384",
                "rsa_pss_keygen_mgf1_md:sha384",
                "rsa_pss_keygen_saltlen:48",
            ],
        ),
        ("p-192", &["EC", "ec_paramgen_curve:prime192v1"]),
        ("p-224", &["EC", "ec_paramgen_curve:secp224r1"]),
        ("p-256", &["EC", "ec_paramgen_curve:prime256v1"]),
        ("p-384", &["EC", "ec_paramgen_curve:secp384r1"]),
        ("p-521", &["EC", "ec_paramgen_curve:secp521r1"]),
        ("ed25519", &["ED25519"]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for (kind, algorithm) in KINDS {
        let mut generate = vec!["genpkey", "-quiet", "-algorithm", algorithm[0]];
        generate.extend(algorithm[1..].iter().flat_map(|option| ["-pkeyopt", option]));
        for key in ["root.key", "leaf.key"] {
            let made = openssl(here, &[generate.as_slice(), &["-out", key]].concat());
            let Some(_) = made else { return };
        }
        issue(here, &[]);
        agrees(here, kind);
    }
}

#[test]
fn dsa_is_cloned_in_kind() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let domain = [
        "genpkey",
        "-quiet",
        "-genparam",
        "-algorithm",
        "DSA",
        "-pkeyopt",
        "dsa_paramgen_bits:1024",
        "-out",
        "dsa.pem",
    ];
    let Some(_) = openssl(here, &domain) else { return };
    for key in ["root.key", "leaf.key"] {
        openssl(here, &["genpkey", "-quiet", "-paramfile", "dsa.pem", "-out", key]).unwrap();
    }
    issue(here, &[]);
    agrees(here, "dsa");
}

#[test]
fn signatures_of_every_kind_are_cloned_in_kind() {
    const KINDS: [&[&str]; 9] = [
        &["-md5"],
        &["-sha1"],
        &["-sha224"],
        &["-sha512"],
        &["-sha3-256"],
        &["-sha3-224"],
        &["-sha256", "-sigopt", "rsa_padding_mode:pss"],
        &[
            "-sha512",
            "-sigopt",
            "rsa_padding_mode:pss",
            "-sigopt",
            "rsa_pss_saltlen:20",
            "-sigopt",
            "rsa_mgf1_md:sha256",
        ],
        &["-sha1", "-sigopt", "rsa_padding_mode:pss"],
    ];
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for key in ["root.key", "leaf.key"] {
        let Some(_) = openssl(here, &["genrsa", "-out", key, "2048"]) else { return };
    }
    for kind in KINDS {
        issue(here, kind);
        agrees(here, &kind.join(" "));
    }
}

/// Key identifiers that are made from keys follow the new keys; others stay, or are exchanged as
/// names are.
#[test]
fn identifiers_follow_the_keys_that_they_are_made_from() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for key in ["root.key", "leaf.key"] {
        let Some(_) = openssl(here, &["genrsa", "-out", key, "2048"]) else { return };
    }
    let own = [0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f, 0x60, 0x71, 0x82, 0x93];
    let hex: String = own.iter().map(|octet| format!("{octet:02X}")).collect();
    issue(here, &[]);
    fs::write(
        here.join("leaf.ext"),
        format!("subjectKeyIdentifier={hex}\nauthorityKeyIdentifier=keyid\n"),
    )
    .unwrap();
    let sign = [
        "x509", "-req", "-in", "leaf.csr", "-CA", "root.pem", "-CAkey", "root.key", "-days",
        "9000", "-extfile", "leaf.ext", "-out", "leaf.pem",
    ];
    openssl(here, &sign).unwrap();
    let read = |name: &str| fs::read(here.join(name)).unwrap();
    let original = Original::from_pem(&PemFile::new("leaf.pem", &read("leaf.pem")))
        .unwrap()
        .trusted_by(&PemFile::new("root.pem", &read("root.pem")));
    for (options, is_kept) in [(options(), true), (options().scrubbing_names(), false)] {
        let clone = original.clone_with(&options).unwrap();
        let root = der(&clone.trusted()[0]).remove(0);
        let (_, root) = X509Certificate::from_der(&root).unwrap();
        let leaf = clone.chain().certificates[0].to_vec();
        let (_, leaf) = X509Certificate::from_der(&leaf).unwrap();
        let of = |certificate: &X509Certificate<'_>, authority: bool| {
            certificate.extensions().iter().find_map(|it| match it.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) if !authority => Some(id.0.to_vec()),
                ParsedExtension::AuthorityKeyIdentifier(id) if authority => {
                    id.key_identifier.as_ref().map(|id| id.0.to_vec())
                }
                _ => None,
            })
        };
        let key = &root.public_key().subject_public_key.data;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, key);
        assert_eq!(of(&root, false).unwrap(), digest.as_ref());
        assert_eq!(of(&leaf, true), of(&root, false));
        let id = of(&leaf, false).unwrap();
        assert_eq!((id.len(), id == own), (own.len(), is_kept));
    }
}

/// A key that nobody can make anew may not sign; if it does not, it becomes noise.
#[test]
fn ed448_is_refused_where_it_signs() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for key in ["root.key", "leaf.key"] {
        let made = openssl(here, &["genpkey", "-quiet", "-algorithm", "ED448", "-out", key]);
        let Some(_) = made else { return };
    }
    issue(here, &[]);
    let chain = fs::read(here.join("leaf.pem")).unwrap();
    let root = fs::read(here.join("root.pem")).unwrap();
    let original = Original::from_pem(&PemFile::new("leaf.pem", &chain)).unwrap();
    let error =
        original.clone().trusted_by(&PemFile::new("root.pem", &root)).clone_with(&options());
    let error = error.unwrap_err();
    assert_eq!(
        error.to_string(),
        "certificate 1 of leaf.pem is signed by a key that cannot be made anew (Ed448)"
    );
    assert!(error.remedy().is_some());
    let clone = original.clone_with(&options()).unwrap();
    assert!(!clone.key_fits());
    assert_eq!(
        clone.account()[0].to_string(),
        "1: a key of unknown type, signed in a way that is not understood (nobody has the private \
         half of its key)"
    );
    shares_nothing(&der(&chain), &clone.chain().certificates);
}

/// Makes `root.pem` and `leaf.pem` from `root.key` and `leaf.key`, signed in this way.
fn issue(here: &Path, signed: &[&str]) {
    let root = [
        "req",
        "-x509",
        "-new",
        "-key",
        "root.key",
        "-subj",
        "/CN=Some Root",
        "-days",
        "9000",
        "-out",
        "root.pem",
    ];
    openssl(here, &[&root[..], signed].concat()).unwrap();
    openssl(
        here,
        &["req", "-new", "-key", "leaf.key", "-subj", "/CN=dc1.corp.example", "-out", "leaf.csr"],
    )
    .unwrap();
    fs::write(
        here.join("leaf.ext"),
        "subjectAltName=DNS:dc1.corp.example\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid,issuer\n",
    )
    .unwrap();
    let leaf = [
        "x509",
        "-req",
        "-in",
        "leaf.csr",
        "-CA",
        "root.pem",
        "-CAkey",
        "root.key",
        "-days",
        "9000",
        "-set_serial",
        "77",
        "-extfile",
        "leaf.ext",
        "-out",
        "leaf.pem",
    ];
    openssl(here, &[&leaf[..], signed].concat()).unwrap();
}

/// Clones `leaf.pem` trusted by `root.pem`, and compares what OpenSSL says of both.
fn agrees(here: &Path, kind: &str) {
    let read = |name: &str| fs::read(here.join(name)).unwrap();
    let (leaf, root) = (read("leaf.pem"), read("root.pem"));
    let clone = Original::from_pem(&PemFile::new("leaf.pem", &leaf))
        .unwrap()
        .trusted_by(&PemFile::new("root.pem", &root))
        .clone_with(&options())
        .unwrap();
    assert_eq!(clone.account()[0].note, None, "{kind}");
    fs::write(here.join("new-leaf.pem"), clone.chain().to_pem()).unwrap();
    fs::write(here.join("new-root.pem"), &clone.trusted()[0]).unwrap();
    let verify = |root: &str, leaf: &str| {
        let options = ["verify", "-auth_level", "0", "-CAfile", root, leaf];
        let said = run(here, &options).unwrap();
        said.replace("new-", "")
    };
    assert_eq!(verify("new-root.pem", "new-leaf.pem"), verify("root.pem", "leaf.pem"), "{kind}");
    let print = |name: &str| {
        let text =
            String::from_utf8(openssl(here, &["x509", "-noout", "-text", "-in", name]).unwrap());
        // What is left out is keys, signatures and identifiers: lines of hexadecimal.
        let kept = |line: &&str| {
            let line = line.trim();
            !line.bytes().all(|octet| octet.is_ascii_hexdigit() || octet == b':')
        };
        text.unwrap().lines().filter(kept).map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_eq!(print("new-leaf.pem"), print("leaf.pem"), "{kind}");
    assert_eq!(print("new-root.pem"), print("root.pem"), "{kind}");
    shares_nothing(&der(&leaf), &clone.chain().certificates);
    // The key belongs to the certificate.
    if clone.key_fits() {
        fs::write(here.join("new-leaf.key"), clone.chain().key.to_pem()).unwrap();
        let public = |options: &[&str]| openssl(here, options).unwrap();
        assert_eq!(
            public(&["pkey", "-pubout", "-in", "new-leaf.key"]),
            public(&["x509", "-noout", "-pubkey", "-in", "new-leaf.pem"]),
            "{kind}"
        );
    }
}
