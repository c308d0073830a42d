//! Determinism, composition, and reading real chains.

use std::collections::BTreeSet;

use crate::common::{chain, dc1, describe, faults, now, parse, pki};
use fake_dc_pki::{
    CaCertificate, Chain, Crls, DcIdentity, Hash, KeyChoice, KeyKind, KeyOwner, PemFile, Pki,
    PkiError, SignatureAlgorithm, SigningKey, catalogue,
};
use ground::Seed;
use proptest::prelude::*;
use x509_parser::time::ASN1Time;

#[test]
fn the_same_seed_and_time_give_the_same_bytes() {
    for fault in catalogue() {
        assert_eq!(chain(&[fault.id]), chain(&[fault.id]), "{}", fault.id);
    }
    // ECDSA signatures, too.
    let ecdsa = ["algorithm.ecdsa-p256", "anchor.self-signed-leaf"];
    assert_eq!(chain(&ecdsa), chain(&ecdsa));
    let ecdsa = ["algorithm.ecdsa-p384", "anchor.self-signed-leaf"];
    assert_eq!(chain(&ecdsa), chain(&ecdsa));
}

#[test]
fn another_seed_gives_other_keys_and_serials() {
    let other = Pki::new(&Seed::new(8), now(), "corp.example").unwrap();
    assert_ne!(other.root_pem(), pki().root_pem());
    let (other, own) = (other.chain(&dc1(), &[]).unwrap(), chain(&[]));
    let (other, own) = (parse(&other.certificates[0]), parse(&own.certificates[0]));
    assert_ne!(other.raw_serial(), own.raw_serial());
    assert_eq!(other.subject(), own.subject());
}

#[test]
fn a_dc_enrols_at_its_own_time_under_the_same_ca() {
    let later = now().plus_days(700);
    let chain = pki().chain_at(later, &dc1(), &[]).unwrap();
    let leaf = parse(&chain.certificates[0]);
    assert!(leaf.validity().is_valid_at(ASN1Time::from_timestamp(later.unix()).unwrap()));
    assert!(!leaf.validity().is_valid_at(ASN1Time::from_timestamp(now().unix()).unwrap()));
    assert_eq!(chain.certificates[1], self::chain(&[]).certificates[1]);
    assert_eq!(chain.anchor_pem().unwrap(), pki().root_pem());
}

#[test]
fn dates_are_whole_seconds() {
    let odd = ground::Timestamp::from(now().to_date_time() + std::time::Duration::from_millis(900));
    let pki = Pki::new(&Seed::new(7), odd, "corp.example").unwrap();
    let chain = pki.chain(&dc1(), &faults(&["time.one-second-after"])).unwrap();
    let end = parse(&chain.certificates[0]).validity().not_after.timestamp();
    assert_eq!(end, now().unix() - 1);
}

#[test]
fn faults_compose() {
    let both = describe(&chain(&["time.leaf-expired", "name.other-host"]));
    assert!(both.contains("subject `CN=other.corp.example`"));
    assert!(both.contains("valid from -395 days until -30 days"));

    let self_signed_and_expired = chain(&["anchor.self-signed-leaf", "time.root-expired"]);
    let [leaf] = self_signed_and_expired.certificates.as_slice() else {
        panic!("a self-signed leaf is sent alone")
    };
    assert_eq!(self_signed_and_expired.anchor.as_ref(), Some(leaf));
    assert!(parse(leaf).validity().not_after.timestamp() < now().unix());

    let unknown = chain(&["anchor.unknown-root"]);
    let both = chain(&["anchor.unknown-root", "chain.missing-intermediate"]);
    assert_eq!(both.certificates, unknown.certificates[..1]);

    // The root that is sent is the one the earlier fault put there.
    let sent = chain(&["anchor.unknown-root", "chain.reversed"]);
    assert_eq!(sent.certificates[1], unknown.anchor.unwrap());
}

#[test]
fn any_three_faults_can_be_on_one_dc() {
    let ids: Vec<_> = catalogue().map(|fault| fault.id).collect();
    for (index, first) in ids.iter().enumerate() {
        let other = |step| ids[(index + step) % ids.len()];
        for three in [[first, other(1), other(17)], [other(29), first, other(11)]] {
            let made = chain(&three);
            let may_be_empty = three.iter().any(|id| id.starts_with("store."));
            assert!(may_be_empty || !made.certificates.is_empty(), "{three:?}");
        }
    }
}

#[test]
fn a_key_belongs_to_its_leaf() {
    let mut kinds = BTreeSet::new();
    for fault in catalogue().filter(|fault| fault.id.starts_with("algorithm.")) {
        let chain = chain(&[fault.id]);
        let key = SigningKey::from_private_key(&chain.key).unwrap();
        let leaf = parse(&chain.certificates[0]);
        let same = leaf.public_key().raw == key.public_key_der();
        assert_eq!(same, fault.id != "algorithm.unknown-key", "{}", fault.id);
        kinds.insert(key.to_string());
    }
    assert_eq!(kinds.len(), 11, "{kinds:?}");
}

#[test]
fn the_ca_certificates_around_a_domain_are_different() {
    let all = CaCertificate::ALL.map(|which| pki().certificate_pem(which).unwrap());
    for (index, pem) in all.iter().enumerate() {
        assert!(!all[..index].contains(pem));
    }
    assert_eq!(all[3], pki().root_pem());
    assert_eq!(all[0], pki().intermediate_pem());
    assert_eq!(chain(&["anchor.unknown-root"]).anchor_pem().unwrap(), all[4]);
    assert_eq!(chain(&["anchor.same-name-other-key"]).anchor_pem().unwrap(), all[1]);
    for which in CaCertificate::ALL {
        assert_eq!(which.to_string().parse(), Ok(which));
    }
    assert_eq!(
        "namesakeroot".parse::<CaCertificate>().unwrap_err().to_string(),
        "`namesakeroot` is no CA certificate; did you mean `namesake-root`"
    );
}

#[test]
fn what_cannot_be_issued_is_an_error() {
    assert_eq!(
        Pki::new(&Seed::new(7), now(), "dömäne.example").unwrap_err().to_string(),
        "domain `dömäne.example` cannot be written into a certificate: it is empty or not ASCII"
    );
    let homeless = DcIdentity { addresses: Vec::new(), ..dc1() };
    assert_eq!(pki().chain(&homeless, &[]).unwrap_err().to_string(), "dc `dc1` has no address");
    let owner = || KeyOwner::Named("dc1".to_owned());
    assert_eq!(
        SigningKey::rsa(&Seed::new(7), &owner(), 100, 65_537).unwrap_err().to_string(),
        "an RSA key of 100 bits with the exponent 65537 cannot be made: a size from 384 to 8192 \
         and an odd exponent from 3 can"
    );
    let key = |kind| {
        let choice = KeyChoice { owner: owner(), kind };
        SigningKey::choose(&Seed::new(7), &choice).unwrap()
    };
    for (kind, algorithm, said) in [
        (
            KeyKind::Ed25519,
            SignatureAlgorithm::RsaPkcs1(Hash::Sha256),
            "an Ed25519 key cannot sign RSA with SHA-256",
        ),
        (
            KeyKind::Rsa512,
            SignatureAlgorithm::RsaPkcs1(Hash::Sha512),
            "an RSA key of 512 bits cannot sign RSA with SHA-512",
        ),
        (
            KeyKind::RsaPss2048,
            SignatureAlgorithm::RsaPkcs1(Hash::Sha256),
            "an RSA key of 2048 bits for RSASSA-PSS only cannot sign RSA with SHA-256",
        ),
    ] {
        assert!(!key(kind).fits(algorithm));
        assert_eq!(key(kind).sign(algorithm, b"").unwrap_err().to_string(), said);
    }
}

#[test]
fn nearest_faults_are_named() {
    let unknown = |id: &str| id.parse::<fake_dc_pki::ChainFault>().unwrap_err().to_string();
    assert_eq!(
        unknown("leaf-expired"),
        "`leaf-expired` is no certificate fault; did you mean `time.leaf-expired`"
    );
    assert_eq!(unknown("handshake.garbage"), "`handshake.garbage` is no certificate fault");
}

#[test]
fn debug_hides_the_key() {
    let shown = format!("{:?}", chain(&[]));
    assert!(shown.contains("PrivateKey(***)"), "{shown}");
}

#[test]
fn a_chain_survives_pem() {
    let made = chain(&["chain.extra-unrelated"]);
    let (certificates, key) = (made.to_pem(), made.key.to_pem());
    let read = Chain::from_pem(
        &PemFile::new("chain.pem", &certificates),
        &PemFile::new("server.key", &key),
    )
    .unwrap();
    assert_eq!(read, Chain { anchor: None, crls: Crls::default(), planned: None, ..made });
}

/// As `openssl s_client -showcerts` prints it, with CRLF, and the key in the same file.
#[test]
fn text_around_blocks_is_ignored() {
    let made = chain(&[]);
    let mut text = "CONNECTED(00000003)\r\n---\r\nCertificate chain\r\n".to_owned();
    for pem in made.to_pem().replace('\n', "\r\n").split_inclusive("-----END CERTIFICATE-----\r\n")
    {
        text += " 0 s:CN = dc1.corp.example\r\n   i:O = corp.example\r\n";
        text += pem;
    }
    text += "-----END CERTIFICATE-----\r\n";
    text += &made.key.to_pem();
    let file = PemFile::new("both.pem", &text);
    assert_eq!(
        Chain::from_pem(&file, &file).unwrap(),
        Chain { anchor: None, crls: Crls::default(), planned: None, ..made }
    );
}

/// A fake DC serves what it is given, be it a certificate or not.
#[test]
fn certificates_need_not_parse() {
    let garbage = "-----BEGIN CERTIFICATE-----\nZ2FyYmFnZQ==\n-----END CERTIFICATE-----\n";
    let key = chain(&[]).key.to_pem();
    let read = Chain::from_pem(&PemFile::new("g.pem", garbage), &PemFile::new("k", &key)).unwrap();
    assert_eq!(read.certificates[0].as_ref(), b"garbage");
}

#[test]
fn every_form_of_key_keeps_its_form() {
    // SEQUENCE { INTEGER 0 }: the content is not looked into.
    for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
        let key = format!("-----BEGIN {label}-----\nMAMCAQA=\n-----END {label}-----\n");
        let certificates = chain(&[]).to_pem();
        let read = Chain::from_pem(
            &PemFile::new("chain.pem", &certificates),
            &PemFile::new("server.key", &key),
        );
        assert_eq!(read.unwrap().key.to_pem(), key);
    }
}

#[test]
fn a_bad_file_is_named_with_its_spot_and_remedy() {
    let good = chain(&[]).to_pem();
    let der = chain(&[]).certificates[0].to_vec();
    let wrapped = |label: &str, body: &str| {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    };
    let second_broken = format!("{good}{}", wrapped("CERTIFICATE", "MAMC\nAQA=\nMA#A"));
    let cut = &good[..good.len() - 30];
    let files: [(&str, &[u8]); 14] = [
        ("empty", b""),
        ("prose", b"Dear administrator,\n"),
        ("der", &der),
        ("broken-base64", second_broken.as_bytes()),
        ("cut", cut.as_bytes()),
        ("empty-block", b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        ("nested", b"-----BEGIN CERTIFICATE-----\nMAMC\n-----BEGIN CERTIFICATE-----\n"),
        ("wrong-end", b"-----BEGIN CERTIFICATE-----\nMAMC\n-----END PRIVATE KEY-----\n"),
        ("trusted", wrapped("TRUSTED CERTIFICATE", "MAMCAQA=").leak().as_bytes()),
        ("request-only", wrapped("CERTIFICATE REQUEST", "MAMCAQA=").leak().as_bytes()),
        ("encrypted", wrapped("ENCRYPTED PRIVATE KEY", "MAMCAQA=").leak().as_bytes()),
        (
            "encrypted-traditional",
            wrapped("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nMAMCAQA=").leak().as_bytes(),
        ),
        ("cut-key", wrapped("PRIVATE KEY", "MAMCAQ==").leak().as_bytes()),
        ("not-text", &[0xff, 0xfe, 0x00]),
    ];
    let key = chain(&[]).key.to_pem();
    let mut said = String::new();
    for (name, content) in files {
        let file = PemFile::new(name, content);
        let as_chain = Chain::from_pem(&file, &PemFile::new("server.key", &key));
        let as_key = Chain::from_pem(&PemFile::new("chain.pem", &good), &file);
        for (role, read) in [("chain", as_chain), ("key", as_key)] {
            let Err(PkiError::Pem(error)) = read else { panic!("{name} was taken as {role}") };
            said += &format!("{role}: {error}\n    {}\n", error.cause.remedy());
        }
    }
    insta::assert_snapshot!(said);
}

proptest! {
    /// Whatever a file holds, reading it ends with a chain or an error.
    #[test]
    fn no_file_is_too_odd_to_be_read(
        pieces in prop::collection::vec(
            prop_oneof![
                Just(b"-----BEGIN CERTIFICATE-----\n".to_vec()),
                Just(b"-----END CERTIFICATE-----\n".to_vec()),
                Just(b"-----BEGIN PRIVATE KEY-----\n".to_vec()),
                Just(b"-----END PRIVATE KEY-----\n".to_vec()),
                Just(b"MAMCAQA=\n".to_vec()),
                prop::collection::vec(any::<u8>(), 0..20),
            ],
            0..8,
        )
    ) {
        let content = pieces.concat();
        let file = PemFile::new("odd.pem", &content);
        if let Ok(chain) = Chain::from_pem(&file, &file) {
            prop_assert!(!chain.certificates.is_empty());
        }
    }
}
