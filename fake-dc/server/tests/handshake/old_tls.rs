//! LDAP over what rustls has not got: OpenLDAP's `ldapsearch` (with GnuTLS, as Debian builds it) and
//! bytes that are no TLS.

use std::process::{Command, Stdio};

use fake_dc::Domain;
use rand::RngExt as _;
use tokio::{io::AsyncWriteExt as _, time::timeout};

use crate::{
    common::{ADMINISTRATOR, PASSWORD, PATIENCE, tools::are_here},
    dc, domain, greeted,
};

/// What `ldapsearch` finds in the whole directory, with that priority string of GnuTLS.
async fn find_all(domain: &Domain, priority: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, domain.ca_pem()).unwrap();
    let mut command = Command::new("ldapsearch");
    let address = dc(domain).ldaps();
    command.args(["-LLL", "-x", "-D", ADMINISTRATOR, "-w", PASSWORD, "-H"]);
    command.arg(format!("ldaps://{address}"));
    command.args(["-b", "DC=corp,DC=example", "(objectClass=*)", "objectSid", "description"]);
    command.env("LDAPTLS_CACERT", &ca).env("LDAPTLS_CIPHER_SUITE", priority);
    // The certificate has a name, and the URL an address.
    command.env("LDAPTLS_REQSAN", "allow").env("LDAPTLS_REQCERT", "allow").stdin(Stdio::null());
    let running = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = timeout(PATIENCE, running).await.unwrap().unwrap();
    assert!(output.status.success(), "{priority}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A domain with so many entries that its answers fill several records.
async fn large_domain() -> Domain {
    let mut users = String::new();
    for number in 0..300 {
        users.push_str(&format!(
            "dn: CN=user{number},CN=Users,DC=corp,DC=example\nobjectClass: user\n\
             sAMAccountName: user{number}\ndescription: {}\n\n",
            "of little interest, ".repeat(10)
        ));
    }
    Domain::builder("corp.example").ldif("users.ldif", &users).start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ldap_is_the_same_over_old_tls() {
    if !are_here(&["ldapsearch"]) {
        return;
    }
    let domain = large_domain().await;
    let sound = find_all(&domain, "NORMAL").await;
    assert!(sound.len() > 80_000, "several records: {} bytes", sound.len());
    for (fault, priority, version, suite) in [
        ("tls10-only", "NORMAL:+VERS-TLS1.0", "TLSv1.0", "TLS_RSA_WITH_AES_128_CBC_SHA"),
        ("tls11-only", "NORMAL:+VERS-TLS1.1", "TLSv1.1", "TLS_RSA_WITH_AES_128_CBC_SHA"),
        ("static-rsa-only", "NORMAL", "TLSv1.2", "TLS_RSA_WITH_AES_256_GCM_SHA384"),
        (
            "static-rsa-only",
            "NORMAL:-AES-256-GCM:-AES-128-GCM:-AES-128-CBC",
            "TLSv1.2",
            "TLS_RSA_WITH_AES_256_CBC_SHA",
        ),
        ("cbc-only", "NORMAL", "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
        ("no-extended-master-secret", "NORMAL", "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    ] {
        domain.set_faults("dc1", [format!("handshake.{fault}")]).unwrap();
        assert_eq!(find_all(&domain, priority).await, sound, "{fault}");
        let events = domain.ledger().events();
        let agreed = events.iter().rfind(|event| event.kind() == "tls.handshake").unwrap();
        let agreed = agreed.fields();
        assert_eq!((&agreed["version"], &agreed["cipher_suite"]), (&version.into(), &suite.into()));
    }
}

/// Whatever comes in place of the rest of a handshake ends the connection, and the connection alone.
#[tokio::test]
async fn bytes_that_are_no_handshake() {
    let domain = domain("handshake.no-extended-master-secret").await;
    let mut dice = ground::Seed::new(3).stream("bytes");
    for round in 0..200 {
        let mut stream = greeted(&domain).await;
        let mut bytes = vec![0; dice.random_range(1..300)];
        bytes.iter_mut().for_each(|byte| *byte = dice.random());
        if round % 2 == 0 {
            // A record of a likely kind, with a size of its own.
            let size = u16::try_from(bytes.len()).unwrap().to_be_bytes();
            let kind = dice.random_range(20..24);
            bytes.splice(0..0, [kind, 3, 3, size[0], size[1]]);
        }
        // It may have closed already.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
    }
    timeout(PATIENCE, domain.quiet()).await.unwrap();
    let failed = domain.ledger().events();
    let failed = failed.iter().filter(|event| event.kind() == "tls.handshake");
    assert!(failed.clone().all(|event| event.fields()["outcome"] == "failed"));
    assert_eq!(failed.count(), 200);
}
