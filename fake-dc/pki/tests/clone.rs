//! Clones of chains that somebody else made: every form, every kind of key, everything that a
//! certificate of AD CS has in it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use fake_dc_pki::{
    PemFile, PkiError,
    clone::{CloneOptions, ClonedChain, Original},
};
use ground::Seed;
use proptest::prelude::*;
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)).unwrap()
}

fn options() -> CloneOptions {
    CloneOptions::new(Seed::new(7))
}

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

fn der(text: &[u8]) -> Vec<Vec<u8>> {
    pem::parse_many(text).unwrap().iter().map(|block| block.contents().to_vec()).collect()
}

/// No key, no signature, and no identifier made from a key.
fn shares_nothing(originals: &[Vec<u8>], clones: &[CertificateDer<'_>]) {
    let all: Vec<u8> = clones.iter().flat_map(|clone| clone.iter().copied()).collect();
    for original in originals {
        let (_, certificate) = X509Certificate::from_der(original).unwrap();
        let key = certificate.public_key().subject_public_key.data.to_vec();
        let middle = key[key.len() / 3..key.len() * 2 / 3].to_vec();
        for part in [middle, certificate.signature_value.data.to_vec()] {
            assert!(!all.windows(part.len()).any(|window| window == part), "{part:02x?}");
        }
    }
}

/// What AD CS and its administrators put into certificates of domain controllers.
const AD_CS: &str = r"
[req]
prompt = no
distinguished_name = dn
utf8 = yes
[dn]
0.DC = com
1.DC = contoso
2.DC = ad
O = Contoso Nürnberg
OU = Domänencontroller
CN = dc1.ad.contoso.com
emailAddress = pki.team@contoso.com
[leaf]
subjectAltName = @san
1.3.6.1.4.1.311.20.2 = ASN1:BMPSTRING:ContosoDomainController
1.3.6.1.4.1.311.21.7 = ASN1:SEQUENCE:template
1.3.6.1.4.1.311.25.2 = ASN1:SEQUENCE:security
crlDistributionPoints = cdp
authorityInfoAccess = caIssuers;URI:http://pki.contoso.com/CertEnroll/Contoso-Issuing-CA.crt
certificatePolicies = 1.3.6.1.4.1.311.21.8.1234567.7654321.1.402
nsComment = Issued for Contoso by the Helvetia team
[san]
otherName.1 = 1.3.6.1.4.1.311.20.2.3;UTF8:DC1\$@AD.CONTOSO.COM
otherName.2 = 1.3.6.1.4.1.311.25.1;FORMAT:HEX,OCTETSTRING:00112233445566778899aabbccddeeff
DNS.1 = DC1.ad.contoso.com
DNS.2 = *.apps.contoso.com
DNS.3 = xn--mnchen-3ya.contoso.com
IP.1 = 10.20.30.40
IP.2 = 2001:db8::77
email.1 = pki.team@contoso.com
URI.1 = https://www.contoso.com:8443/start?user=helvetia
dirName.1 = dn
[template]
id = OID:1.3.6.1.4.1.311.21.8.1234567.7654321.1.402
major = INTEGER:100
[security]
sid = IMPLICIT:0,SEQUENCE:sid
[sid]
id = OID:1.3.6.1.4.1.311.25.2.1
value = EXPLICIT:0,FORMAT:ASCII,OCTETSTRING:S-1-5-21-3623811015-3361044348-30300820-1013
[cdp]
fullname = @cdp_names
[cdp_names]
URI.1 = ldap:///CN=Contoso-Issuing-CA,CN=pki1,CN=CDP,CN=Public%20Key%20Services,CN=Services,CN=Configuration,DC=ad,DC=contoso,DC=com?certificateRevocationList?base?objectClass=cRLDistributionPoint
URI.2 = http://pki.contoso.com/CertEnroll/Contoso-Issuing-CA.crl
[root]
basicConstraints = critical,CA:TRUE
nameConstraints = permitted;DNS:.contoso.com, permitted;IP:10.20.0.0/255.255.0.0, excluded;email:helvetia.contoso.com
";

fn ad_cs(here: &Path) -> Option<(Vec<u8>, Vec<u8>)> {
    fs::write(here.join("ad.cnf"), AD_CS).unwrap();
    for key in ["root.key", "leaf.key"] {
        openssl(here, &["genrsa", "-out", key, "2048"])?;
    }
    openssl(
        here,
        &[
            "req",
            "-x509",
            "-new",
            "-config",
            "ad.cnf",
            "-extensions",
            "root",
            "-key",
            "root.key",
            "-subj",
            "/DC=com/DC=contoso/CN=Contoso Root CA",
            "-days",
            "9000",
            "-out",
            "root.pem",
        ],
    )?;
    openssl(here, &["req", "-new", "-config", "ad.cnf", "-key", "leaf.key", "-out", "leaf.csr"])?;
    openssl(
        here,
        &[
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
            "-extfile",
            "ad.cnf",
            "-extensions",
            "leaf",
            "-out",
            "leaf.pem",
        ],
    )?;
    Some((fs::read(here.join("leaf.pem")).unwrap(), fs::read(here.join("root.pem")).unwrap()))
}

fn ad_cs_clone(leaf: &[u8], root: &[u8], options: &CloneOptions) -> ClonedChain {
    Original::from_pem(&PemFile::new("leaf.pem", leaf))
        .unwrap()
        .trusted_by(&PemFile::new("root.pem", root))
        .clone_with(options)
        .unwrap()
}

#[test]
fn a_certificate_of_ad_cs_is_cloned_to_the_last_octet() {
    let folder = tempfile::tempdir().unwrap();
    let Some((leaf, root)) = ad_cs(folder.path()) else { return };
    let clone = ad_cs_clone(&leaf, &root, &options());
    let old = &der(&leaf)[0];
    let new = clone.chain().certificates[0].to_vec();
    let (_, old) = X509Certificate::from_der(old).unwrap();
    let (_, new) = X509Certificate::from_der(&new).unwrap();
    assert_eq!(new.subject().as_raw(), old.subject().as_raw());
    assert_eq!(new.issuer().as_raw(), old.issuer().as_raw());
    assert_eq!(new.raw_serial(), old.raw_serial());
    assert_eq!(new.validity(), old.validity());
    assert_eq!(new.extensions().len(), old.extensions().len());
    for (new, old) in new.extensions().iter().zip(old.extensions()) {
        assert_eq!((&new.oid, new.critical), (&old.oid, old.critical));
        if !["2.5.29.14", "2.5.29.35"].contains(&old.oid.to_id_string().as_str()) {
            assert_eq!(new.value, old.value);
        }
    }
}

#[test]
fn a_certificate_of_ad_cs_is_scrubbed_of_every_name() {
    let folder = tempfile::tempdir().unwrap();
    let Some((leaf, root)) = ad_cs(folder.path()) else { return };
    let clone = ad_cs_clone(&leaf, &root, &options().scrubbing_names());
    let mut map = clone.map().unwrap().clone();
    let made = [clone.chain().certificates[0].to_vec(), der(&clone.trusted()[0])[0].clone()];
    let all = made.concat().to_ascii_lowercase();
    let held = |part: &[u8]| all.windows(part.len()).any(|window| window == part);
    for name in [
        "contoso",
        "rnberg",
        "nencontroller",
        "helvetia",
        "team",
        "nchen",
        "apps",
        "dc1",
        "pki1",
        "3623811015",
        "3361044348",
        "30300820",
        "1013",
    ] {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert!(!held(name.as_bytes()) && !held(&wide), "`{name}` is left");
    }
    for octets in
        [&[0x00, 0x11, 0x22, 0x33, 0x44, 0x55][..], &[10, 20, 30, 40], &[0x04, 0x10, 0, 0x11]]
    {
        assert!(!held(octets), "{octets:?} is left");
    }

    // The outline is the same: every tag in the same place.
    let print = |der: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("it.der"), der).unwrap();
        let text =
            openssl(folder.path(), &["asn1parse", "-inform", "DER", "-in", "it.der"]).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        let outline = text.lines().filter_map(|line| {
            let (_, line) = line.split_once("d=")?;
            let (depth, _) = line.split_once(' ')?;
            let (_, what) = line.split_once(": ")?;
            let what = what.split(':').next()?.trim();
            Some(format!("{depth} {what}\n"))
        });
        outline.collect::<String>()
    };
    assert_eq!(print(&made[0]), print(&der(&leaf)[0]));

    // Names that belonged together still do.
    let (_, leaf) = X509Certificate::from_der(&made[0]).unwrap();
    let (_, root) = X509Certificate::from_der(&made[1]).unwrap();
    assert_eq!(leaf.issuer().as_raw(), root.subject().as_raw());
    let host = map.name("dc1.ad.contoso.com");
    let domain = map.name("contoso.com");
    assert!(host.ends_with(&format!(".{domain}")), "{host} {domain}");
    let common_name = leaf.subject().iter_common_name().next().unwrap().as_str().unwrap();
    assert_eq!(common_name, host);
    let san = leaf.subject_alternative_name().unwrap().unwrap().value.general_names.clone();
    let names: Vec<String> = san
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        })
        .collect();
    assert!(
        names[0].eq_ignore_ascii_case(&host) && names[0].starts_with(|it: char| it.is_uppercase())
    );
    assert!(names[1].starts_with("*.") && names[1].ends_with(&domain), "{names:?}");
    assert!(names[2].starts_with("xn--") && names[2].ends_with(&domain), "{names:?}");
    assert_ne!(idna_decoded(&names[2]), None);
    let constraints = root.name_constraints().unwrap().unwrap().value.clone();
    let permitted: Vec<String> =
        constraints.permitted_subtrees.unwrap().iter().map(|it| format!("{:?}", it.base)).collect();
    assert!(permitted[0].contains(&format!(".{domain}")), "{permitted:?}");
    // 10.20.0.0/16 covered 10.20.30.40, and its exchange covers what that became.
    let range = root.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::NameConstraints(it) => {
            it.permitted_subtrees.as_ref()?.iter().find_map(|it| match it.base {
                GeneralName::IPAddress(range) => Some(range.to_vec()),
                _ => None,
            })
        }
        _ => None,
    });
    let address = san.iter().find_map(|name| match name {
        GeneralName::IPAddress(address) if address.len() == 4 => Some(address.to_vec()),
        _ => None,
    });
    let (range, address) = (range.unwrap(), address.unwrap());
    assert_eq!(range[..2], address[..2]);
    assert_eq!(range[2..], [0, 0, 255, 255, 0, 0]);
    assert_ne!(range[..2], [10, 20]);
}

fn idna_decoded(name: &str) -> Option<String> {
    let label = name.split('.').next()?.strip_prefix("xn--")?;
    // An A-label ends in the digits of its extended characters (RFC 3492).
    label.rsplit_once('-').map(|(basic, _)| basic.to_owned())
}

/// Whatever stands among the certificates: no panic, no key, the same number of entries.
fn broken_entry() -> impl Strategy<Value = Vec<u8>> {
    let whole = || der(&fixture("oracle/ok-int/chain.pem"))[0].clone();
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        (0_usize..900).prop_map(move |size| whole()[..size].to_vec()),
        (0_usize..900, any::<u8>()).prop_map(move |(place, octet)| {
            let mut bytes = whole();
            bytes[place] ^= octet;
            bytes
        }),
    ]
}

proptest! {
    #[test]
    fn broken_entries_are_cloned_without_their_keys(
        entry in broken_entry(), behind in prop::collection::vec(any::<u8>(), 0..20)
    ) {
        let sound = der(&fixture("oracle/ok-int/chain.pem"));
        let sent: Vec<CertificateDer<'_>> = [sound[0].clone(), sound[1].clone(),
            [entry.clone(), behind].concat()].map(CertificateDer::from).to_vec();
        let original = Original::from_handshake("a DC", &sent);
        for options in [options(), options().scrubbing_names()] {
            let clone = original.clone_with(&options).unwrap();
            prop_assert_eq!(clone.chain().certificates.len(), 3);
            let garbled = &clone.chain().certificates[2];
            // 24 octets of the middle of the modulus, and of the signature.
            for place in [300, 330, 360, 700, 800] {
                let part = &sound[0][place..place + 24];
                prop_assert!(!garbled.windows(24).any(|window| window == part), "octet {place}");
            }
        }
    }
}

#[test]
fn what_is_no_certificate_stays_as_it_is() {
    let sound = der(&fixture("oracle/ok-int/chain.pem"));
    for junk in [&b""[..], b"junk", &[0x30, 0x03, 0x02, 0x01, 0x05], &[0; 40]] {
        let sent = [CertificateDer::from(sound[0].clone()), CertificateDer::from(junk.to_vec())];
        let clone = Original::from_handshake("a DC", &sent).clone_with(&options()).unwrap();
        assert_eq!(clone.chain().certificates[1].as_ref(), junk);
        assert_eq!(clone.account()[1].to_string(), "2: no certificate, kept");
    }
}

/// Runs OpenSSL, which must do as it is told. `None` if there is none.
fn openssl(here: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let output = command(here, arguments)?;
    assert!(output.0, "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.2));
    Some(output.1)
}

/// Runs OpenSSL and returns all that it says.
fn run(here: &Path, arguments: &[&str]) -> Option<String> {
    let (_, out, err) = command(here, arguments)?;
    Some(String::from_utf8_lossy(&[out, err].concat()).into_owned())
}

#[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
fn command(here: &Path, arguments: &[&str]) -> Option<(bool, Vec<u8>, Vec<u8>)> {
    let spawned = Command::new("openssl")
        .args(arguments)
        .current_dir(here)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    match spawned {
        Ok(mut process) => {
            process.stdin.take().unwrap().write_all(b"").unwrap();
            let output = process.wait_with_output().unwrap();
            Some((output.status.success(), output.stdout, output.stderr))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some();
            assert!(!required, "openssl is missing, and TRUSTRIG_REQUIRE_TOOLS is set");
            eprintln!("SKIPPED: openssl is not installed (Debian: apt-get install openssl)");
            None
        }
        Err(error) => panic!("openssl cannot be run: {error}"),
    }
}
