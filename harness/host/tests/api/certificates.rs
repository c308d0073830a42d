//! Trusted certificates (xapi-flows.md §§2, 3, 4.1, 4.2).

use ground::{Seed, Timestamp};
use sim_host::{Call, CallResult, CertificateType, Liveness, Profile, Purpose, Quirk, Reference};

use crate::support::{DOMAIN, GENERAL_BUNDLE, LDAPS_BUNDLE, Plan, Rig, authority, error, install};

const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

async fn uninstall(rig: &Rig, certificate: &Reference) -> Result<(), sim_host::ApiError> {
    let certificate = certificate.clone();
    rig.call(Call::PoolUninstallTrustedCertificate { pool: None, certificate }).await
}

#[tokio::test]
async fn a_bundle_exists_while_its_directory_holds_a_certificate() {
    for profile in Profile::ALL {
        let rig = Plan::new(profile, 2).build();
        let pem = authority(DOMAIN);
        rig.install(&pem, &["ldaps"]).await.unwrap();
        rig.install(&authority("other.example"), &[]).await.unwrap();
        let certificates = rig.pool.certificates();
        let row = &certificates[0];
        assert_eq!(row.kind, CertificateType::Ca);
        assert!(row.name.is_empty());
        assert_eq!(row.purpose.iter().collect::<Vec<_>>(), [&Purpose::Ldaps]);
        assert_eq!(row.fingerprint_sha256.len(), 95);
        assert_eq!(row.fingerprint_sha1.len(), 59);
        let path = format!("/etc/trusted-certs/ca-ldaps/{}.pem", row.uuid);
        assert_eq!(rig.text(1, &path).unwrap(), pem);
        assert_eq!(rig.text(1, LDAPS_BUNDLE).unwrap(), format!("{pem}\n"));
        let copy = rig.text(2, &path).unwrap();
        let same = profile == Profile::DesignV1;
        assert_eq!(copy == pem, same, "quirk Q16");
        assert_eq!(copy.trim_end(), pem.trim_end());

        assert_eq!(uninstall(&rig, &row.reference).await, Ok(()));
        for number in [1, 2] {
            assert_eq!(rig.text(number, LDAPS_BUNDLE), None);
            assert!(rig.text(number, GENERAL_BUNDLE).is_some());
            assert!(
                rig.host(number).root().list("/etc/trusted-certs/ca-ldaps").unwrap().is_empty()
            );
        }
        assert_eq!(rig.pool.certificates().len(), 1);
    }
}

#[tokio::test]
async fn the_order_of_a_bundle_is_the_order_of_names() {
    let rig = Rig::landed(1);
    let pems: Vec<_> = ["a.example", "b.example", "c.example"].map(authority).into();
    for pem in &pems {
        rig.install(pem, &[]).await.unwrap();
    }
    let mut rows: Vec<_> = rig.pool.certificates().into_iter().zip(&pems).collect();
    rows.sort_by_key(|(row, _)| row.uuid.to_string());
    let expected: String = rows.iter().map(|(_, pem)| format!("{pem}\n")).collect();
    assert_eq!(rig.text(1, GENERAL_BUNDLE).unwrap(), expected);
}

#[tokio::test]
async fn texts_that_are_refused() {
    let rig = Rig::landed(1);
    let pem = authority(DOMAIN);
    let cases = [
        String::new(),
        "not a certificate".to_owned(),
        format!("{pem}{pem}"),
        pem.replace("-----BEGIN", " -----BEGIN"),
        pem.replace("END CERTIFICATE-----", "END CERTIFICATE----- "),
        pem.replace("END CERTIFICATE", "END PRIVATE KEY"),
        pem.replace("-----END CERTIFICATE-----", ""),
        pem.replace("MII", "MI!"),
        pem.replacen("MII", "MIJ", 1),
        KEY.to_owned(),
    ];
    for text in cases {
        let refused = error("TRUSTED_CERTIFICATE_INVALID", []);
        assert_eq!(rig.install(&text, &["ldaps"]).await, refused, "{text}");
    }
    assert!(rig.pool.certificates().is_empty());
}

#[tokio::test]
async fn what_stands_around_the_certificate() {
    for (profile, kept) in [(Profile::Landed, true), (Profile::DesignV1, false)] {
        let rig = Plan::new(profile, 1).build();
        let pem = authority(DOMAIN);
        let text = format!("Subject: CN=CA\n# comment\n\n{KEY}{pem}tail\n").replace('\n', "\r\n");
        rig.install(&text, &[]).await.unwrap();
        let stored = rig.text(1, GENERAL_BUNDLE).unwrap();
        assert_eq!(stored.contains("PRIVATE KEY"), kept);
        assert_eq!(stored, if kept { format!("{text}\n") } else { format!("{pem}\n") });
    }
}

#[tokio::test]
async fn times_are_checked_and_reported() {
    let rig = Rig::landed(1);
    let now = "2026-01-04T06:38:29Z".parse::<Timestamp>().unwrap();
    let made_at = |days| {
        let pki = fake_dc_pki::Pki::new(&Seed::new(1), now.plus_days(days), DOMAIN).unwrap();
        pki.root_pem().to_owned()
    };
    for (days, code) in
        [(40_000, "TRUSTED_CERTIFICATE_NOT_VALID_YET"), (-20_000, "TRUSTED_CERTIFICATE_EXPIRED")]
    {
        let failed = rig.install(&made_at(days), &["ldaps"]).await.unwrap_err();
        assert_eq!(failed.code, code);
        assert_eq!(failed.params[0], "2026-01-04T06:38:29Z");
        let limit: Timestamp = failed.params[1].parse().unwrap();
        assert_eq!(limit.to_string(), failed.params[1]);
        assert_eq!(limit > now, days > 0);
    }

    // Both bounds are inclusive.
    let rig = Rig::landed(1);
    rig.install(&authority(DOMAIN), &[]).await.unwrap();
    let end = rig.pool.certificates()[0].not_after;
    let seconds = u64::try_from(end.unix() - now.unix()).unwrap();
    rig.time.advance(std::time::Duration::from_secs(seconds));
    assert_eq!(rig.install(&authority(DOMAIN), &["ldaps"]).await, Ok(()));
    rig.time.advance(std::time::Duration::from_secs(1));
    let late = rig.install(&authority(DOMAIN), &["licensing"]).await.unwrap_err();
    assert_eq!(late.code, "TRUSTED_CERTIFICATE_EXPIRED");
}

#[tokio::test]
async fn the_duplicate_rule() {
    let cases: [(&[&str], &[&str], bool); 6] = [
        (&[], &[], true),
        (&[], &["ldaps"], false),
        (&["ldaps"], &[], false),
        (&["ldaps"], &["ldaps"], true),
        (&["licensing", "ldaps"], &["ldaps"], true),
        (&["licensing"], &["ldaps"], false),
    ];
    let pem = authority(DOMAIN);
    for (existing, new, duplicate) in cases {
        let rig = Rig::landed(1);
        rig.install(&pem, existing).await.unwrap();
        let fingerprint = rig.pool.certificates()[0].fingerprint_sha256.clone();
        let expected = if duplicate {
            error("TRUSTED_CERTIFICATE_ALREADY_EXISTS", [&fingerprint])
        } else {
            Ok(())
        };
        assert_eq!(rig.install(&pem, new).await, expected, "{existing:?} {new:?}");
    }
    let rig = Rig::landed(1);
    rig.install(&pem, &["licensing"]).await.unwrap();
    assert_eq!(rig.call(install(false, &pem, &["licensing"])).await, Ok(()), "another type");
    assert!(rig.text(1, "/etc/trusted-certs/pinned-bundle-licensing.pem").is_some());
}

#[tokio::test]
async fn pinned_certificates_need_a_purpose_and_ldaps_is_none_in_design() {
    let pem = authority(DOMAIN);
    let rig = Rig::landed(1);
    let lacking = error("CERTIFICATE_LACKS_PURPOSE", []);
    assert_eq!(rig.call(install(false, &pem, &[])).await, lacking);
    assert_eq!(rig.call(install(false, &pem, &["ldaps"])).await, Ok(()));
    assert_eq!(rig.pool.certificates()[0].kind, CertificateType::Pinned);
    assert_eq!(rig.text(1, LDAPS_BUNDLE), None, "LDAPS never reads the pinned store");
    let unknown = rig.call(install(true, &pem, &["mail"])).await.unwrap_err();
    assert_eq!(unknown.code, "INTERNAL_ERROR");

    let rig = Rig::design(1);
    let rejected = error("INVALID_VALUE", ["ca", "false"]);
    assert_eq!(rig.call(install(false, &pem, &["ldaps"])).await, rejected);
}

#[tokio::test]
async fn a_purpose_listed_twice() {
    let pem = authority(DOMAIN);
    let rig = Rig::landed(1);
    let failed = rig.install(&pem, &["ldaps", "ldaps"]).await;
    let row = &rig.pool.certificates()[0];
    let name = format!("{}.pem", row.uuid);
    assert_eq!(failed, error("CERTIFICATE_ALREADY_EXISTS", [&name]));
    assert_eq!(rig.certificate_files(1, "/etc/trusted-certs/ca-ldaps"), [name]);

    let rig = Rig::design(1);
    assert_eq!(rig.install(&pem, &["ldaps", "ldaps"]).await, Ok(()));
    assert_eq!(rig.pool.certificates().len(), 1);
}

#[tokio::test]
async fn a_member_that_is_away_at_install() {
    let pem = authority(DOMAIN);
    for (profile, rows) in [(Profile::Landed, 1), (Profile::DesignV1, 0)] {
        let rig = Plan::new(profile, 3).build();
        rig.host(2).set_liveness(Liveness::Offline);
        let offline = error("HOST_OFFLINE", [&rig.reference(2)]);
        assert_eq!(rig.install(&pem, &["ldaps"]).await, offline);
        assert_eq!(rig.pool.certificates().len(), rows, "quirk Q12");
        assert_eq!(rig.text(3, LDAPS_BUNDLE).is_some(), rows == 1, "the other member is served");
        rig.host(2).set_liveness(Liveness::Live);
        let again = rig.install(&pem, &["ldaps"]).await;
        assert_eq!(again.is_ok(), rows == 0);
        rig.call(Call::PoolCertificateSync).await.unwrap();
        assert!(rig.text(2, LDAPS_BUNDLE).is_some());
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_written() {
    let rig = Rig::landed(1);
    let root = rig.host(1).root().clone();
    // Somebody has made a directory where the bundle belongs.
    root.create_directory(&format!("{LDAPS_BUNDLE}/x"), 0o755).unwrap();
    let corrupt = error("CERTIFICATE_LIBRARY_CORRUPT", []);
    assert_eq!(rig.install(&authority(DOMAIN), &["ldaps"]).await, corrupt);
    assert_eq!(rig.pool.certificates().len(), 1);
}

#[tokio::test]
async fn a_member_that_cannot_take_the_copy_keeps_what_it_had() {
    let rig = Rig::landed(2);
    rig.install(&authority(DOMAIN), &["ldaps"]).await.unwrap();
    let root = rig.host(2).root().clone();
    let before = rig.text(2, LDAPS_BUNDLE);
    // A file where a directory belongs: the copy stops there.
    root.remove_directory("/etc/stunnel/crls").unwrap();
    root.write("/etc/stunnel/crls", b"x", 0o644).unwrap();
    let failed = rig.install(&authority("other.example"), &["ldaps"]).await.unwrap_err();
    assert_eq!(failed.code, "INTERNAL_ERROR");
    assert_eq!(rig.text(2, LDAPS_BUNDLE), before);
    assert!(!root.exists("/etc/stunnel/certs.bk").unwrap());
}

#[tokio::test]
async fn what_cannot_be_uninstalled() {
    let rig = Rig::landed(1);
    let unknown = Reference::new("OpaqueRef:none");
    let invalid = error("HANDLE_INVALID", ["certificate", "OpaqueRef:none"]);
    assert_eq!(uninstall(&rig, &unknown).await, invalid);
    rig.install(&authority(DOMAIN), &["ldaps"]).await.unwrap();
    let row = rig.pool.certificates().remove(0);
    let path = format!("/etc/trusted-certs/ca-ldaps/{}.pem", row.uuid);
    rig.host(1).root().remove(&path).unwrap();
    assert_eq!(uninstall(&rig, &row.reference).await, Ok(()), "a missing file is tolerated");
    assert_eq!(uninstall(&rig, &row.reference).await.unwrap_err().code, "HANDLE_INVALID");
}

#[tokio::test]
async fn hosts_have_certificates_of_their_own() {
    for profile in Profile::ALL {
        let rig = Plan::new(profile, 3).build();
        let rows = rig.pool.database_view().certificates;
        assert_eq!(rows.len(), 6);
        for number in 1..=3 {
            let host = rig.record(number);
            let own: Vec<_> = rows.iter().filter(|row| row.host == host.reference).collect();
            let kinds: Vec<_> = own.iter().map(|row| row.kind).collect();
            assert_eq!(kinds, [CertificateType::Host, CertificateType::HostInternal]);
            assert!(own.iter().all(|row| row.name.is_empty() && row.purpose.is_empty()));
            let call = Call::HostGetServerCertificate { host: host.reference.clone() };
            let Ok(CallResult::Text(pem)) = rig.pool.call(call, &rig.trail).await else {
                panic!("host.get_server_certificate returns a text")
            };
            assert_eq!(pem.matches("-----BEGIN").count(), 1, "neither key nor chain");
            assert!(rig.text(number, "/etc/xensource/xapi-ssl.pem").unwrap().ends_with(&pem));
            let digest = fingerprint(&pem);
            assert_eq!(own[0].fingerprint_sha256, digest);
            // What a host shows to the others is what they have of it.
            let internal = rig.text(number, "/etc/xensource/xapi-pool-tls.pem").unwrap();
            let leaf = &internal[internal.find("-----BEGIN CERTIFICATE").unwrap()..];
            assert_eq!(own[1].fingerprint_sha256, fingerprint(leaf));
            for other in 1..=3 {
                let path = format!("/etc/stunnel/certs-pool/{}.pem", host.uuid);
                assert_eq!(rig.text(other, &path).unwrap().trim_end(), leaf.trim_end());
                let bundle = rig.text(other, "/etc/stunnel/xapi-pool-ca-bundle.pem").unwrap();
                assert!(bundle.contains(leaf.trim_end()));
            }
            for path in ["/etc/xensource/xapi-ssl.pem", "/etc/xensource/xapi-pool-tls.pem"] {
                assert_eq!(rig.host(number).root().mode(path).unwrap(), 0o600);
            }
        }
        // The same seed makes the same bytes.
        let again = Plan::new(profile, 3).build().pool.database_view().certificates;
        assert_eq!(again, rows);
    }
}

fn fingerprint(pem: &str) -> String {
    let data: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, data).unwrap();
    let digest = <sha2::Sha256 as sha2::Digest>::digest(der);
    digest.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}

#[tokio::test]
async fn removing_the_bundle_in_use_leaves_its_name_in_smb_conf() {
    let rig = Rig::landed(1);
    rig.install(&authority(DOMAIN), &["ldaps"]).await.unwrap();
    rig.enable(&[("ldaps", "true")]).await.unwrap();
    let row = rig.pool.certificates().remove(0);
    uninstall(&rig, &row.reference).await.unwrap();
    assert_eq!(rig.line(1, "tls cafile").as_deref(), Some(LDAPS_BUNDLE));
    assert_eq!(rig.text(1, LDAPS_BUNDLE), None);
    let quirk = Quirk::SmbConfNotRefreshed;
    assert!(rig.pool.quirks().has(quirk) && quirk.id() == "Q21");
}
