//! Clients with certificates: whom they stand for, SASL EXTERNAL, and servers that insist.
//!
//! The real clients are `ldapwhoami` and `ldapsearch` (Debian: `ldap-utils`), `openssl` and
//! `gnutls-cli` (`gnutls-bin`).

use std::{fs, sync::Arc};

use fake_dc::{ClientCertificates, Domain};
use fake_dc_directory::Flavour;
use fake_dc_pki::{AltName, Chain, DcIdentity, Pki, Purpose, RevocationReason};
use ground::{Clock, Seed, Timestamp};
use ldap3::{
    Ldap,
    exop::{WhoAmI, WhoAmIResp},
};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer, pki_types::pem::PemObject};
use tempfile::TempDir;

use crate::common::{
    self, PASSWORD, Way,
    tools::{are_here, run},
};

/// The CA of another place, which the DC is told of.
fn elsewhere() -> Pki {
    Pki::new(&Seed::new(7), now(), "users.example").unwrap()
}

fn now() -> Timestamp {
    Clock::system().now()
}

/// A certificate of a person.
fn of_person(pki: &Pki, names: impl IntoIterator<Item = AltName>) -> Chain {
    let mut plan =
        pki.plan(&DcIdentity::new("person", "corp.example", [127, 0, 0, 1].into())).unwrap();
    plan.leaf().named("a person").also_named(names).meant_for([Purpose::ClientAuth]);
    plan.issue().unwrap()
}

fn upn(name: &str) -> AltName {
    AltName::UserPrincipalName(name.to_owned())
}

async fn domain(clients: ClientCertificates, flavour: Flavour) -> Domain {
    Domain::builder("corp.example")
        .flavour(flavour)
        .addresses_in_certificates(true)
        .client_certificates(clients)
        .start()
        .await
        .unwrap()
}

async fn asking() -> Domain {
    let clients = ClientCertificates::requested().authority(elsewhere().root_pem()).unwrap();
    domain(clients, Flavour::WindowsServer2022).await
}

/// A client of the ldap3 crate with a certificate.
async fn connect(domain: &Domain, own: Option<&Chain>) -> Ldap {
    connect_by(Way::Ldaps, domain, own).await
}

async fn connect_by(way: Way, domain: &Domain, own: Option<&Chain>) -> Ldap {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(domain.ca_pem().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_protocol_versions(rustls::ALL_VERSIONS)
    .unwrap()
    .with_root_certificates(roots);
    let config = match own {
        Some(own) => {
            config.with_client_auth_cert(own.certificates.clone(), own.key.to_der()).unwrap()
        }
        None => config.with_no_client_auth(),
    };
    common::ldap(domain.dc("dc1").unwrap(), way, Arc::new(config)).await.unwrap()
}

async fn who(ldap: &mut Ldap) -> String {
    let (response, _) = ldap.extended(WhoAmI).await.unwrap().success().unwrap();
    if response.val.is_none() {
        return "nobody".to_owned();
    }
    response.parse::<WhoAmIResp>().authzid
}

#[tokio::test]
async fn on_ldaps_a_certificate_binds_at_once() {
    let domain = asking().await;
    let (own, other) = (elsewhere(), Pki::new(&Seed::new(8), now(), "else.example").unwrap());
    let alice = of_person(&own, [upn("alice@corp.example")]);
    let other_root = of_person(&other, []).anchor;
    let cases = [
        (None, "nobody"),
        (Some(alice), "u:CORP\\alice"),
        (Some(of_person(&own, [upn("bob@corp.example")])), "nobody"),
        (Some(of_person(&own, [upn("who@corp.example")])), "nobody"),
        (Some(of_person(&own, [])), "nobody"),
        (Some(of_person(&other, [upn("alice@corp.example")])), "nobody"),
    ];
    for (shown, expected) in &cases {
        let mut ldap = connect(&domain, shown.as_ref()).await;
        assert_eq!(who(&mut ldap).await, *expected);
        let external = ldap.sasl_external_bind().await.unwrap();
        let is_good = shown.as_ref().is_some_and(|shown| shown.anchor != other_root);
        // [MS-ADTS] 5.1.1.2: whoever came with a certificate must not, the others cannot.
        assert_eq!(external.rc, if is_good { 7 } else { 49 }, "{external}");
        assert_eq!(who(&mut ldap).await, "nobody");
    }
    let events = domain.ledger().events();
    let shown: Vec<_> =
        events.iter().filter(|event| event.kind() == "tls.client-certificate").collect();
    assert_eq!(shown.len(), 5);
    assert_eq!(shown[0].fields()["account"], "alice");
    assert_eq!(shown[4].fields()["reason"], "invalid peer certificate: UnknownIssuer");
    domain.stop().await;
}

#[tokio::test]
async fn who_has_no_certificate_cannot_bind_with_external() {
    let words = "The server did not receive any credentials via TLS";
    for domain in
        [asking().await, domain(ClientCertificates::default(), Flavour::WindowsServer2022).await]
    {
        for way in [Way::Plain, Way::StartTls, Way::Ldaps] {
            let mut ldap = connect_by(way, &domain, None).await;
            let external = ldap.sasl_external_bind().await.unwrap();
            assert_eq!((external.rc, external.text.contains(words)), (49, true), "{external}");
        }
        domain.stop().await;
    }
}

#[tokio::test]
async fn an_account_may_say_which_certificate_is_its_own() {
    let own = elsewhere();
    let shown = of_person(&own, [AltName::Email("a@users.example".to_owned())]);
    let issuer = "O=users.example,CN=users.example Issuing CA";
    let forms = [
        format!("X509:<I>{issuer}<S>CN=a person"),
        "X509:<S>CN=a person".to_owned(),
        "x509:<rfc822>A@users.example".to_owned(),
    ];
    for form in forms {
        let ldif = format!(
            "dn: CN=Zoe,CN=Users,DC=corp,DC=example\nobjectClass: user\nsAMAccountName: zoe\n\
             altSecurityIdentities: {form}\n"
        );
        let domain = Domain::builder("corp.example")
            .ldif("zoe", ldif)
            .addresses_in_certificates(true)
            .client_certificates(ClientCertificates::requested().authority(own.root_pem()).unwrap())
            .start()
            .await
            .unwrap();
        assert_eq!(who(&mut connect(&domain, Some(&shown)).await).await, "u:CORP\\zoe", "{form}");
        domain.stop().await;
    }
}

#[tokio::test]
async fn a_list_revokes_and_the_domains_own_ca_is_taken() {
    // The CA of the domain, from its seed.
    let own = Pki::new(&Seed::new(0), now(), "corp.example").unwrap();
    let mut plan = own.plan(&DcIdentity::new("p", "corp.example", [127, 0, 0, 1].into())).unwrap();
    plan.leaf().also_named([upn("alice@corp.example")]);
    let (leaf, issuer) = (plan.leaf_id(), plan.intermediate_id());
    let good = plan.issue().unwrap();
    plan.crl_of(issuer).revoking(leaf, now().plus_days(-1), RevocationReason::KeyCompromise);
    let list = plan.issue().unwrap().crl_pem();
    for (clients, expected) in [
        (ClientCertificates::requested(), "u:CORP\\alice"),
        (ClientCertificates::requested().revocation_list(&list).unwrap(), "nobody"),
    ] {
        let domain = domain(clients, Flavour::WindowsServer2022).await;
        // The authority of the domain began a moment later; what it signs has the same keys.
        assert_eq!(who(&mut connect(&domain, Some(&good)).await).await, expected);
        domain.stop().await;
    }
    assert!(ClientCertificates::requested().authority("nothing").is_err());
    assert!(ClientCertificates::requested().revocation_list(own.root_pem()).is_err());
}

#[tokio::test]
async fn a_samba_dc_makes_nothing_of_certificates() {
    let clients = ClientCertificates::requested().authority(elsewhere().root_pem()).unwrap();
    let domain = domain(clients, Flavour::Samba4_22).await;
    let alice = of_person(&elsewhere(), [upn("alice@corp.example")]);
    let mut ldap = connect(&domain, Some(&alice)).await;
    assert_eq!(who(&mut ldap).await, "nobody");
    let external = ldap.sasl_external_bind().await.unwrap();
    assert_eq!((external.rc, external.text.contains("NT_STATUS_INVALID_PARAMETER")), (1, true));
    domain.stop().await;
}

/// Files as programs want them.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new(domain: &Domain) -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(files.path("ca.pem"), domain.ca_pem()).unwrap();
        files
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn person(&self, name: &str, chain: &Chain) -> [String; 2] {
        let (certificate, key) =
            (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        fs::write(&certificate, chain.to_pem()).unwrap();
        fs::write(&key, chain.key.to_pem()).unwrap();
        [certificate, key]
    }
}

/// An OpenLDAP program with a certificate; `LDAPTLS_CERT` is read from the environment only.
fn openldap(
    program: &str,
    files: &Files,
    own: Option<&[String; 2]>,
    arguments: &[&str],
) -> (Option<i32>, String) {
    let mut command = std::process::Command::new(program);
    command.args(arguments).env_remove("LDAPRC").env("LDAPTLS_CACERT", files.path("ca.pem"));
    if let Some([certificate, key]) = own {
        command.env("LDAPTLS_CERT", certificate).env("LDAPTLS_KEY", key);
    }
    let ended = command.output().unwrap();
    let text = [ended.stdout, ended.stderr].concat();
    (ended.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn openldap_binds_with_external_after_starttls() {
    if !are_here(&["ldapwhoami", "ldapsearch"]) {
        return;
    }
    let domain = asking().await;
    let files = Files::new(&domain);
    let dc = domain.dc("dc1").unwrap();
    let (clear, tls) = (format!("ldap://{}", dc.ldap()), format!("ldaps://{}", dc.ldaps()));
    let alice = files.person("alice", &of_person(&elsewhere(), [upn("alice@corp.example")]));
    let nobody = files.person("nobody", &of_person(&elsewhere(), [upn("who@corp.example")]));
    let external = |own, url: &str, more: &[&str]| {
        let arguments = [&["-Y", "EXTERNAL", "-H", url][..], more].concat();
        openldap("ldapwhoami", &files, own, &arguments)
    };

    let (code, text) = external(Some(&alice), &clear, &["-ZZ"]);
    assert_eq!((code, text.contains("u:CORP\\alice")), (Some(0), true), "{text}");
    let own_name = "dn:CN=Alice Normal,CN=Users,DC=corp,DC=example";
    let (code, text) = external(Some(&alice), &clear, &["-ZZ", "-X", own_name]);
    assert_eq!((code, text.contains("u:CORP\\alice")), (Some(0), true), "{text}");
    for other in ["dn:CN=Administrator,CN=Users,DC=corp,DC=example", "u:alice"] {
        let (code, text) = external(Some(&alice), &clear, &["-ZZ", "-X", other]);
        assert_eq!(code, Some(49), "{text}");
    }
    for (url, more, expected) in [(&clear, &["-ZZ"][..], 49), (&tls, &[], 7)] {
        let own = if url == &tls { &alice } else { &nobody };
        let (code, text) = external(Some(own), url, more);
        assert_eq!(code, Some(expected), "{text}");
    }
    // Without a certificate, or without TLS, these programs do not even try.
    for (own, more) in [(None, &["-ZZ"][..]), (Some(&alice), &[])] {
        let (code, text) = external(own, &clear, more);
        assert_eq!((code, text.contains("no mechanism available")), (Some(250), true), "{text}");
    }

    let search = ["-Y", "EXTERNAL", "-ZZ", "-LLL", "-H", &clear, "-b", "DC=corp,DC=example"];
    let search = [&search[..], &["(sAMAccountName=alice)", "userPrincipalName"]].concat();
    let (code, text) = openldap("ldapsearch", &files, Some(&alice), &search);
    assert_eq!((code, text.contains("alice@corp.example")), (Some(0), true), "{text}");
    // A simple bind makes nothing of the certificate.
    let simple = ["-x", "-ZZ", "-H", &clear, "-D", "eve@corp.example", "-w", PASSWORD];
    let (_, text) = openldap("ldapwhoami", &files, Some(&alice), &simple);
    assert!(!text.contains("alice"), "{text}");
    domain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_insists_refuses_the_others_in_the_handshake() {
    if !are_here(&["openssl", "gnutls-cli"]) {
        return;
    }
    let own = elsewhere();
    let mut revoked =
        own.plan(&DcIdentity::new("r", "corp.example", [127, 0, 0, 1].into())).unwrap();
    let (leaf, issuer) = (revoked.leaf_id(), revoked.intermediate_id());
    revoked.crl_of(issuer).revoking(leaf, now().plus_days(-1), RevocationReason::KeyCompromise);
    let revoked = revoked.issue().unwrap();
    let mut expired =
        own.plan(&DcIdentity::new("e", "corp.example", [127, 0, 0, 1].into())).unwrap();
    expired.leaf().valid(now().plus_days(-9), now().plus_days(-1));
    let expired = expired.issue().unwrap();
    let strange = Pki::new(&Seed::new(8), now(), "else.example").unwrap();
    let clients = ClientCertificates::required()
        .authority(own.root_pem())
        .unwrap()
        .revocation_list(&revoked.crl_pem())
        .unwrap();
    let domain = domain(clients, Flavour::WindowsServer2022).await;
    let files = Files::new(&domain);
    let dc = domain.dc("dc1").unwrap();
    let (address, port) = (dc.ldaps().to_string(), dc.ldaps().port().to_string());
    let ip = dc.ldaps().ip().to_string();

    let cases = [
        ("alice", Some(of_person(&own, [upn("alice@corp.example")])), None),
        ("none", None, Some("alert number 116")),
        ("revoked", Some(revoked), Some("alert number 44")),
        ("expired", Some(expired), Some("alert number 45")),
        ("strange", Some(of_person(&strange, [])), Some("alert number 48")),
    ];
    for (name, chain, alert) in &cases {
        let person = chain.as_ref().map(|chain| files.person(name, chain));
        for version in ["-tls1_2", "-tls1_3"] {
            let ca = files.path("ca.pem");
            let mut arguments = vec!["s_client", "-connect", &address, "-CAfile", &ca, version];
            if let Some([certificate, key]) = &person {
                arguments.extend(["-cert", certificate, "-cert_chain", certificate, "-key", key]);
            }
            // Asks who it is, and waits for the answer.
            let said = run("openssl", &[&arguments[..], &["-quiet"]].concat(), WHO_AM_I_AND_UNBIND);
            match alert {
                Some(alert) => {
                    said.shows(&[alert]);
                }
                None => {
                    said.shows(&["u:CORP\\alice"]);
                }
            }
        }
        let ca = format!("--x509cafile={}", files.path("ca.pem"));
        let mut arguments = vec![ca, "--port".to_owned(), port.clone()];
        if let Some([certificate, key]) = &person {
            arguments.push(format!("--x509certfile={certificate}"));
            arguments.push(format!("--x509keyfile={key}"));
        }
        arguments.push(ip.clone());
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let said = run("gnutls-cli", &arguments, WHO_AM_I_AND_UNBIND);
        match alert {
            Some(_) => {
                said.shows(&["fatal alert has been received"]);
            }
            None => {
                said.shows(&["u:CORP\\alice"]);
            }
        }
    }
    domain.stop().await;
}

/// "Who am I?" (RFC 4532), and an unbind.
const WHO_AM_I_AND_UNBIND: &[u8] =
    b"\x30\x1e\x02\x01\x01\x77\x19\x80\x171.3.6.1.4.1.4203.1.11.3\x30\x05\x02\x01\x02\x42\x00";

#[test]
fn the_program_asks_for_certificates_too() {
    if !are_here(&["ldapwhoami"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("users.pem");
    fs::write(&ca, elsewhere().root_pem()).unwrap();
    let ca = ca.display().to_string();
    let served = crate::served::Served::start(&[
        "--client-certificates",
        "requested",
        "--client-ca",
        &ca,
        "--address",
        "127.0.0.10",
    ]);
    let alice = of_person(&elsewhere(), [upn("alice@corp.example")]);
    let (certificate, key) = (folder.path().join("alice.pem"), folder.path().join("alice.key"));
    fs::write(&certificate, alice.to_pem()).unwrap();
    fs::write(&key, alice.key.to_pem()).unwrap();
    let ended = std::process::Command::new("ldapwhoami")
        .args([
            "-Y",
            "EXTERNAL",
            "-ZZ",
            "-H",
            &format!("ldap://127.0.0.10:{}", served.port(0, "ldap")),
        ])
        .env_remove("LDAPRC")
        .env("LDAPTLS_CACERT", served.dc(0)["ca_file"].as_str().unwrap())
        .env("LDAPTLS_CERT", &certificate)
        .env("LDAPTLS_KEY", &key)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ended.stdout);
    assert!(text.contains("u:CORP\\alice"), "{text}{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(served.stop(), Some(0));
}
