//! Rules of the document that no sample exercises, on certificates made for them.

use trust_verdict::{
    Class, Client, ClientConfig, FileContent, GnutlsError, HandshakeFailure, NtStatus, PeerName,
    PemFile, Presented, TlsVersion, TrustDirectory, TrustFiles, VerifyPeer, XapiTag,
};

use crate::maker::{Ext, Spec, crl, name};

const PEER: &str = "dc1.ad.example.test";

fn client(mode: VerifyPeer, cafile: &str, crlfile: Option<&str>) -> Client {
    let config = ClientConfig {
        mode,
        trust: TrustFiles {
            cafile: Some(PemFile::new("/etc/ca.pem", cafile)),
            crlfile: crlfile.map(|text| PemFile::new("/etc/crl.pem", text)),
            ..TrustFiles::default()
        },
        priority: "NORMAL".to_owned(),
    };
    Client::new(config).expect("a sound configuration")
}

#[test]
fn a_directory_skips_bad_files_and_uses_good_ones() {
    let root = Spec::root("root", 1);
    let directory = TrustDirectory {
        path: "/etc/cas".to_owned(),
        files: vec![
            ("README".to_owned(), b"nothing".to_vec()),
            ("bad".to_owned(), crate::maker::pem("CERTIFICATE", b"bad").into_bytes()),
            ("good".to_owned(), root.pem().into_bytes()),
        ],
    };
    let config = ClientConfig {
        mode: VerifyPeer::CaAndName,
        trust: TrustFiles {
            cafile: Some(PemFile { path: "/etc".to_owned(), content: FileContent::Directory }),
            ca_directories: vec![directory],
            system_cas: Some(PemFile::missing("/etc/ssl/certs/ca-certificates.crt")),
            crlfile: None,
        },
        priority: "NORMAL".to_owned(),
    };
    let client = Client::new(config).expect("the good file is enough");
    let presented =
        Presented { certificates: vec![Spec::leaf("root", 1).der()], tls: TlsVersion::Tls13 };
    let verdict = client.judge(&PEER.into(), &presented, crate::support::now());
    assert!(verdict.is_accept());
    let anchor = verdict.chain[0].anchor.as_ref().expect("the root");
    assert_eq!((anchor.file.as_str(), anchor.line), ("/etc/cas/good", 1));
}

#[test]
fn a_bad_priority_string_is_told_in_sambas_words() {
    let config = |priority: &str| ClientConfig {
        mode: VerifyPeer::NoCheck,
        trust: TrustFiles::default(),
        priority: priority.to_owned(),
    };
    let verdict = |priority: &str| {
        let error = Client::new(config(priority)).expect_err("refused");
        error.verdict(&PEER.into(), crate::support::now())
    };
    let unknown = verdict("NORMAL:+FOO");
    assert_eq!(
        unknown.words(1).stderr[0],
        "tstream_tls_prepare_gnutls: GNUTLS ERROR: \
        GNUTLS_E_INVALID_REQUEST, NTSTATUS: NT_STATUS_INVALID_VARIANT at \
        source4/lib/tls/tls_tstream.c:1234"
    );
    assert_eq!(unknown.words(1).last, "The supplied variant structure contains invalid data.");
    let none = verdict("NONE");
    assert_eq!(
        (none.gnutls, none.ntstatus),
        (Some(GnutlsError::NoPrioritiesWereSet), NtStatus::InternalError,)
    );
    assert_eq!(none.words(1).xapi, XapiTag::Generic);
}

#[test]
fn what_xapi_makes_of_it_depends_on_the_debug_level() {
    let client = client(VerifyPeer::CaAndNameIfAvailable, &Spec::root("root", 1).pem(), None);
    let verdict =
        client.handshake_failure(&PEER.into(), HandshakeFailure::FatalAlert, crate::support::now());
    assert_eq!(verdict.class, Class::TlsError);
    assert_eq!(verdict.words(0).xapi, XapiTag::Generic);
    assert_eq!(verdict.words(1).xapi, XapiTag::TlsSetupFailed);
    let refused =
        Presented { certificates: vec![Spec::leaf("unknown", 9).der()], tls: TlsVersion::Tls13 };
    let verdict = client.judge(&PEER.into(), &refused, crate::support::now());
    let words = verdict.words(0);
    assert_eq!((words.xapi, words.exit), (XapiTag::InvalidTrustedCerts, 255));
    let join = words.join.expect("a join fails");
    assert!(join.starts_with("Failed to join domain: failed to connect to AD: Windows cannot"));
}

#[test]
fn only_the_strict_modes_send_a_server_name() {
    let root = Spec::root("root", 1).pem();
    for (mode, sends) in [
        (VerifyPeer::NoCheck, false),
        (VerifyPeer::CaAndNameIfAvailable, false),
        (VerifyPeer::CaAndName, true),
    ] {
        let client = client(mode, &root, None);
        assert_eq!(client.sni(&PeerName::new(PEER)).is_some(), sends, "{mode}");
        assert_eq!(client.sni(&PeerName::new("192.0.2.10")), None);
    }
}

/// A pinned leaf of a CA is not found in that CA's CRL; a pinned self-signed leaf is in its own.
#[test]
fn pinned_leaves_and_crls() {
    let leaf = Spec::leaf("root", 1);
    let listed = crl(&name(&["root"]), "250101000000Z", std::slice::from_ref(&leaf.serial));
    let verdict = |leaf: &Spec, cafile: &str, crlfile: &str| {
        let presented = Presented { certificates: vec![leaf.der()], tls: TlsVersion::Tls13 };
        client(VerifyPeer::CaAndName, cafile, Some(crlfile)).judge(
            &PEER.into(),
            &presented,
            crate::support::now(),
        )
    };
    assert_eq!(verdict(&leaf, &Spec::root("root", 1).pem(), &listed).status.bits(), 0x22);
    assert!(verdict(&leaf, &leaf.pem(), &listed).is_accept());
    let own = Spec::new(PEER, 7, PEER, 7);
    let listed = crl(&own.issuer, "250101000000Z", std::slice::from_ref(&own.serial));
    assert_eq!(verdict(&own, &own.pem(), &listed).status.bits(), 0x22);
}

#[test]
fn browsers_and_hosts_can_disagree() {
    let root = Spec::root("root", 1);
    let leaf = Spec::leaf("root", 1).with(Ext::purposes(&["1.3.6.1.5.5.7.3.2"]));
    let client = client(VerifyPeer::CaAndName, &root.pem(), None);
    let presented = Presented { certificates: vec![leaf.der()], tls: TlsVersion::Tls13 };
    assert!(client.judge(&PEER.into(), &presented, crate::support::now()).is_accept());
    let others = client.compare(&PEER.into(), &presented, crate::support::now());
    assert!(others.iter().all(|other| !other.accepts), "{others:?}");
    let sound =
        Presented { certificates: vec![Spec::leaf("root", 1).der()], tls: TlsVersion::Tls13 };
    let others = client.compare(&PEER.into(), &sound, crate::support::now());
    assert!(others.iter().all(|other| other.accepts), "{others:?}");
}

#[test]
fn evidence_is_read_in_every_form() {
    let (leaf, root) = (Spec::leaf("root", 1).der(), Spec::root("root", 1).der());
    let both = [leaf.clone(), root.clone()];
    let read = |bytes: &[u8]| {
        Presented::from_bytes(bytes, TlsVersion::Tls12).map(|found| found.certificates)
    };
    let pem = format!(
        "CONNECTED\n 0 s:CN = leaf\n{} 1 s:CN = root\n{}---\n",
        crate::maker::pem("CERTIFICATE", &leaf),
        crate::maker::pem("CERTIFICATE", &root)
    );
    assert_eq!(read(pem.as_bytes()), Ok(both.to_vec()));
    assert_eq!(read(&both.concat()), Ok(both.to_vec()));
    let signed = crate::maker::sequence(&[
        crate::maker::der(2, &[1]),
        crate::maker::der(0x31, &[]),
        crate::maker::sequence(&[crate::maker::oid("1.2.840.113549.1.7.1")]),
        crate::maker::der(0xa0, &both.concat()),
        crate::maker::der(0x31, &[]),
    ]);
    let pkcs7 = crate::maker::sequence(&[
        crate::maker::oid("1.2.840.113549.1.7.2"),
        crate::maker::der(0xa0, &signed),
    ]);
    assert_eq!(read(&pkcs7), Ok(both.to_vec()));
    assert_eq!(read(crate::maker::pem("PKCS7", &pkcs7).as_bytes()), Ok(both.to_vec()));
    assert_eq!(
        read(crate::maker::pem("CERTIFICATE", b"bad").as_bytes()),
        Ok(vec![b"bad".to_vec()])
    );
    assert!(read(b"nothing here").is_err());
    let broken = crate::maker::pem("CERTIFICATE", &leaf).replace("MI", "M!");
    assert!(read(broken.as_bytes()).expect_err("broken").to_string().contains("line 1"));
}

#[test]
fn names_beyond_ascii_are_compared_as_a_labels() {
    let root = Spec::root("root", 1);
    let leaf = |san: &str| Spec::new("leaf", 200, "root", 1).with(Ext::dns(&[san]));
    let verdict = |leaf: &Spec, peer: &str| {
        let presented = Presented { certificates: vec![leaf.der()], tls: TlsVersion::Tls13 };
        client(VerifyPeer::CaAndName, &root.pem(), None)
            .judge(&peer.into(), &presented, crate::support::now())
            .status
            .bits()
    };
    assert_eq!(verdict(&leaf("xn--mnchen-3ya.example.test"), "münchen.example.test"), 0);
    assert_eq!(verdict(&leaf("*.example.test"), "münchen.example.test"), 0);
    assert_eq!(verdict(&leaf("münchen.example.test"), "münchen.example.test"), 0x4002);
    assert_eq!(verdict(&leaf(PEER), ""), 0x4002);
}

/// A broken certificate ends the handshake in TLS 1.2 wherever it stands, in TLS 1.3 as the leaf.
#[test]
fn unparsable_certificates_by_place_and_version() {
    let root = Spec::root("root", 1);
    let twice = Spec::leaf("root", 1).with(Ext::dns(&["x"]));
    let good = Spec::leaf("root", 1);
    let verdict = |mode, tls, sent: &[&Spec]| {
        let presented =
            Presented { certificates: sent.iter().map(|spec| spec.der()).collect(), tls };
        let verdict =
            client(mode, &root.pem(), None).judge(&PEER.into(), &presented, crate::support::now());
        (verdict.class, verdict.gnutls)
    };
    let (check, no_check) = (VerifyPeer::CaAndName, VerifyPeer::NoCheck);
    let (general, specific) =
        (Some(GnutlsError::CertificateError), Some(GnutlsError::X509DuplicateExtension));
    assert_eq!(verdict(check, TlsVersion::Tls12, &[&twice]), (Class::TlsError, general));
    assert_eq!(verdict(no_check, TlsVersion::Tls12, &[&good, &twice]), (Class::TlsError, general));
    assert_eq!(verdict(check, TlsVersion::Tls13, &[&twice]), (Class::TlsError, specific));
    assert_eq!(verdict(check, TlsVersion::Tls13, &[&good, &twice]), (Class::VerifyError, specific));
    assert_eq!(verdict(no_check, TlsVersion::Tls13, &[&good, &twice]), (Class::Accept, None));
}

/// A leaf signed in a way GnuTLS does not know fails later the less is checked.
#[test]
fn unknown_signature_algorithms_spoil_the_channel_binding() {
    let root = Spec::root("root", 1);
    let mut leaf = Spec::leaf("root", 1);
    leaf.inner_algorithm = crate::maker::algorithm("1.2.3.4");
    leaf.outer_algorithm = leaf.inner_algorithm.clone();
    let presented = Presented { certificates: vec![leaf.der()], tls: TlsVersion::Tls13 };
    let verdict = |mode, cafile: &str| {
        client(mode, cafile, None).judge(&PEER.into(), &presented, crate::support::now())
    };
    assert_eq!(verdict(VerifyPeer::CaAndName, &root.pem()).status.bits(), 0x2);
    for verdict in [
        verdict(VerifyPeer::NoCheck, &root.pem()),
        // Pinned: nothing but the binding is left to fail.
        verdict(VerifyPeer::CaAndName, &leaf.pem()),
    ] {
        assert_eq!(verdict.class, Class::BindingError);
        assert_eq!(
            verdict.words(1).stderr[0],
            "tstream_tls_setup_channel_bindings: GNUTLS ERROR: GNUTLS_E_UNIMPLEMENTED_FEATURE, \
             NTSTATUS: NT_STATUS_INTERNAL_ERROR at source4/lib/tls/tls_tstream.c:916"
        );
    }
}
