//! Families `store` and `revocation` as the outside sees them: OpenSSL and GnuTLS on what a running
//! DC shows and publishes, OpenLDAP asking and telling it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use crate::common::{
    ADMINISTRATOR, PASSWORD, event,
    tools::{Said, are_here, run},
};
use fake_dc::{Dc, Domain};
use fake_dc_directory::Flavour;
use ground::{Timestamp, VirtualClock};
use tempfile::TempDir;

const PROGRAMS: [&str; 6] =
    ["openssl", "certtool", "gnutls-cli", "ldapsearch", "ldapmodify", "base64"];

/// What the two TLS libraries say about what a DC with the fault shows.
struct Shown {
    fault: &'static str,
    /// In `openssl x509 -text` and in `certtool --certificate-info` of the leaf.
    leaf: [&'static str; 2],
    /// Of `openssl verify` and `certtool --verify` with the domain's root.
    verdict: [&'static str; 2],
}

const SHOWN: &[Shown] = &[
    Shown {
        fault: "store.several-eligible",
        leaf: ["Issuer: CN=dc1.corp.example\n", "Issuer: CN=dc1.corp.example\n"],
        verdict: ["error 18 at 0 depth", "NOT trusted. The certificate issuer is unknown"],
    },
    Shown {
        fault: "store.ntds-store-wins",
        leaf: ["CN=corp.example Old Root CA\n", "Issuer: CN=corp.example Old Root CA,"],
        verdict: ["error 20 at 0 depth", "NOT trusted. The certificate issuer is unknown"],
    },
    Shown {
        fault: "store.newest-not-longest",
        leaf: ["Public Key Algorithm: id-ecPublicKey", "Public Key Algorithm: EC/ECDSA"],
        verdict: ["leaf.pem: OK", "Verified. The certificate is trusted"],
    },
    Shown {
        fault: "store.renewed-not-reloaded",
        leaf: ["Subject: CN=dc1.corp.example", "Subject: CN=dc1.corp.example"],
        verdict: ["error 10 at 0 depth", "uses expired certificate"],
    },
    Shown {
        fault: "store.auto-enrolled-empty-subject",
        leaf: ["Subject: \n", "Subject Alternative Name (critical)"],
        verdict: ["leaf.pem: OK", "Verified. The certificate is trusted"],
    },
];

/// Without a certificate that the DC can use: 636 takes connections and resets them, StartTLS is
/// refused.
const WITHOUT_IDENTITY: &[&str] = &[
    "store.empty",
    "store.no-private-key",
    "store.template-without-server-auth",
    "store.other-name",
    "store.untrusted-issuer",
    "store.expired-at-start",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_dc_shows_what_windows_would_choose() {
    if !are_here(&PROGRAMS) {
        return;
    }
    for shown in SHOWN {
        let lab = Lab::start(shown.fault).await;
        let chain = lab.s_client();
        lab.file("chain.pem", &chain);
        let leaf = lab.file("leaf.pem", &first_block(&chain));
        run("openssl", &["x509", "-noout", "-text", "-in", &leaf], "").shows(&shown.leaf[..1]);
        run("certtool", &["--certificate-info", "--infile", &leaf], "").shows(&shown.leaf[1..]);
        lab.openssl_verify(&[]).shows(&shown.verdict[..1]);
        lab.certtool_verify(&[]).shows(&shown.verdict[1..]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dc_without_a_usable_certificate_has_no_ldaps_and_no_start_tls() {
    if !are_here(&PROGRAMS) {
        return;
    }
    for fault in WITHOUT_IDENTITY {
        let lab = Lab::start(fault).await;
        let ldaps = lab.dc().ldaps();
        run("openssl", &["s_client", "-connect", &ldaps.to_string()], "").shows(&[
            "CONNECTED",
            "errno=104",
            "no peer certificate available",
        ]);
        let (address, port) = (ldaps.ip().to_string(), ldaps.port().to_string());
        let said = run("gnutls-cli", &["--insecure", "-p", &port, &address], "");
        assert_eq!(said.code, Some(1), "{fault}: {}", said.text);
        lab.ldap("ldapsearch", &["-ZZ", "-s", "base"], "")
            .shows(&["Server is unavailable (52)", "Error initializing SSL/TLS"]);
        // LDAP without TLS is as ever, and the DC comes back when it has a certificate.
        lab.ldap("ldapsearch", &["-s", "base", "dnsHostName"], "").shows(&["dc1.corp.example"]);
        lab.domain.clear_faults("dc1").unwrap();
        assert!(lab.s_client().contains("BEGIN CERTIFICATE"));
    }
}

/// What is reset on one port and refused on the other can be limited to one of them.
#[tokio::test(flavor = "multi_thread")]
async fn start_tls_alone_can_lack_a_certificate() {
    if !are_here(&PROGRAMS) {
        return;
    }
    let lab = Lab::start("store.empty@ldap").await;
    assert!(lab.s_client().contains("BEGIN CERTIFICATE"));
    lab.ldap("ldapsearch", &["-ZZ", "-s", "base"], "").shows(&["Server is unavailable (52)"]);
}

const RENEW: &str = "dn:\nchangetype: modify\nadd: renewServerCertificate\n\
                     renewServerCertificate: 1\n-\n";

#[tokio::test(flavor = "multi_thread")]
async fn ldapmodify_has_the_dc_load_the_renewed_certificate() {
    if !are_here(&PROGRAMS) {
        return;
    }
    let lab = Lab::start("store.renewed-not-reloaded").await;
    let before = lab.s_client();
    lab.file("chain.pem", &before);
    lab.file("leaf.pem", &first_block(&before));
    lab.openssl_verify(&[]).shows(&["error 10 at 0 depth"]);

    lab.ldap("ldapmodify", &[], RENEW).shows(&["Operations error (1)", "successful bind"]);
    let alice = ["-D", "alice@corp.example", "-w", PASSWORD];
    lab.ldap("ldapmodify", &alice, RENEW).shows(&["Insufficient access (50)"]);
    assert_eq!(lab.s_client(), before);

    let administrator = ["-D", ADMINISTRATOR, "-w", PASSWORD];
    let said = lab.ldap("ldapmodify", &administrator, RENEW);
    assert_eq!(said.code, Some(0), "{}", said.text);
    let after = lab.s_client();
    assert_ne!(after, before);
    lab.file("leaf.pem", &first_block(&after));
    lab.openssl_verify(&[]).shows(&["leaf.pem: OK"]);
    assert_eq!(lab.s_client(), after);
    let loaded = event(&lab.domain, "dc1", "dc.certificate-loaded").await;
    let fingerprint = run("openssl", &["x509", "-noout", "-fingerprint", "-sha256"], &after);
    let fingerprint = fingerprint.text.trim().rsplit('=').next().unwrap().replace(':', "");
    assert_eq!(loaded.fields()["leaf"], fingerprint.to_lowercase());

    // Replacing does as well as adding, whatever the value; removing does not, nor another name.
    let with = |from: &str, to: &str| {
        let changed = RENEW.replace(from, to);
        lab.ldap("ldapmodify", &administrator, &changed)
    };
    assert_eq!(with("add:", "replace:").code, Some(0));
    with("add:", "delete:").shows(&["Server is unwilling to perform (53)"]);
    with("renewServerCertificate", "renewServer").shows(&["No such attribute (16)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn samba_has_no_such_order() {
    if !are_here(&PROGRAMS) {
        return;
    }
    let domain = Domain::builder("corp.example").flavour(Flavour::Samba4_22).start().await;
    let lab = Lab::with(domain.unwrap());
    let said = lab.ldap("ldapmodify", &["-D", ADMINISTRATOR, "-w", PASSWORD, "-ZZ"], RENEW);
    said.shows(&["Server is unwilling to perform (53)", "unknown attribute to change!"]);
    lab.domain.renew_certificate("dc1").unwrap();
}

/// A DC enrols by itself six weeks before the end, and shows that once it is told to.
#[tokio::test]
async fn a_dc_without_faults_renews_when_its_certificate_comes_to_an_end() {
    const DAY: Duration = Duration::from_secs(86_400);
    let time = VirtualClock::starting_at(Timestamp::from_unix(1_787_277_600));
    let domain = Domain::builder("corp.example").clock(time.clock()).start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    let first = dc.chain();
    let renewed = || {
        domain.renew_certificate("dc1").unwrap();
        dc.chain().certificates[0] != first.certificates[0]
    };
    assert!(!renewed());
    time.advance(DAY * (335 - 43));
    assert!(!renewed());
    time.advance(DAY);
    assert_eq!(dc.chain(), first);
    assert!(renewed());
    assert_eq!(dc.chain().certificates[1], first.certificates[1]);
    let unknown = domain.renew_certificate("dc9").unwrap_err();
    assert_eq!(unknown.to_string(), "no DC is called `dc9`; the domain has dc1");
}

/// What both libraries say about the list that a fault is about, and with it about the chain.
struct Listed {
    fault: &'static str,
    /// Number of the certificate that says where the list is, from 0.
    certificate: usize,
    /// In `openssl crl -text` and in `certtool --crl-info`; nothing if there is no list to read.
    list: Option<[&'static str; 2]>,
    /// Of `openssl verify -crl_check_all` and `certtool --verify --load-crl`.
    verdict: [&'static str; 2],
    /// Of `certtool --verify-crl`.
    signature: &'static str,
}

const LISTED: &[Listed] = &[
    Listed {
        fault: "revocation.leaf-revoked",
        certificate: 0,
        list: Some(["Key Compromise", "Revoked certificates (1)"]),
        verdict: ["error 23 at 0 depth", "certificate chain is revoked"],
        signature: "Verified. The certificate is trusted",
    },
    Listed {
        fault: "revocation.intermediate-revoked",
        certificate: 1,
        list: Some(["Superseded", "Revoked certificates (1)"]),
        verdict: ["error 23 at 1 depth", "certificate chain is revoked"],
        signature: "Verified. The certificate is trusted",
    },
    Listed {
        fault: "revocation.certificate-hold",
        certificate: 0,
        list: Some(["Certificate Hold", "Revoked certificates (1)"]),
        verdict: ["error 23 at 0 depth", "certificate chain is revoked"],
        signature: "Verified. The certificate is trusted",
    },
    Listed {
        fault: "revocation.removed-from-crl",
        certificate: 0,
        list: Some(["Remove From CRL", "Revoked certificates (1)"]),
        // GnuTLS does not look at reasons.
        verdict: ["leaf.pem: OK", "certificate chain is revoked"],
        signature: "Verified. The certificate is trusted",
    },
    Listed {
        fault: "revocation.crl-expired",
        certificate: 0,
        list: Some(["No Revoked Certificates", "No revoked certificates"]),
        // Nor, in a chain, at the dates of lists.
        verdict: ["error 12 at 0 depth", "Verified. The certificate is trusted"],
        signature: "are old and have been superseded",
    },
    Listed {
        fault: "revocation.crl-not-yet-valid",
        certificate: 0,
        list: Some(["No Revoked Certificates", "No revoked certificates"]),
        verdict: ["error 11 at 0 depth", "Verified. The certificate is trusted"],
        signature: "issued with a future date",
    },
    Listed {
        fault: "revocation.crl-wrong-issuer",
        certificate: 0,
        list: Some(["CN=Printer Management CA", "Issuer: CN=Printer Management CA"]),
        verdict: ["error 3 at 0 depth", "Verified. The certificate is trusted"],
        signature: "issuer is unknown",
    },
    Listed {
        fault: "revocation.crl-bad-signature",
        certificate: 0,
        list: Some(["Key Compromise", "Revoked certificates (1)"]),
        // Nor at their signatures.
        verdict: ["error 8 at 0 depth", "certificate chain is revoked"],
        signature: "Not verified",
    },
    Listed {
        fault: "revocation.crl-missing-when-required",
        certificate: 0,
        list: None,
        verdict: ["error 3 at 0 depth", "Verified. The certificate is trusted"],
        signature: "",
    },
    Listed {
        fault: "revocation.crl-garbage",
        certificate: 0,
        list: None,
        verdict: ["error 3 at 0 depth", "Verified. The certificate is trusted"],
        signature: "",
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_in_the_directory_where_the_certificates_say() {
    if !are_here(&PROGRAMS) {
        return;
    }
    for listed in LISTED {
        let lab = Lab::start(listed.fault).await;
        let chain = lab.s_client();
        lab.file("chain.pem", &chain);
        lab.file("leaf.pem", &first_block(&chain));
        let place = lab.file("place.pem", &block(&chain, listed.certificate));
        let text = run("openssl", &["x509", "-noout", "-text", "-in", &place], "").text;
        let place = distribution_point(&text);
        let list = lab.list(&place);
        let readable = run("openssl", &["crl", "-inform", "DER"], &list);
        let certtool = run("certtool", &["--crl-info", "--inder"], &list);
        match listed.list {
            Some([by_openssl, by_gnutls]) => {
                run("openssl", &["crl", "-inform", "DER", "-noout", "-text"], &list)
                    .shows(&[by_openssl]);
                certtool.shows(&[by_gnutls]);
                assert!(lab.dc().crl_pem().contains(readable.text.trim()), "{}", listed.fault);
                let issuer = lab.issuer_of(listed.certificate, &chain);
                let list = lab.file("list.pem", &readable.text);
                let arguments =
                    ["--verify-crl", "--load-ca-certificate", &issuer, "--infile", &list];
                run("certtool", &arguments, "").shows(&[listed.signature]);
            }
            None => {
                assert_ne!(readable.code, Some(0), "{}", listed.fault);
                assert_ne!(certtool.code, Some(0), "{}", listed.fault);
            }
        }
        // Both lists as they are in the directory, as far as they are lists.
        let mut lists = String::new();
        for ca in ["Issuing", "Root"] {
            let dn = format!("CN=corp.example {ca} CA,CN=DC1,{CDP}");
            let list = run("openssl", &["crl", "-inform", "DER"], lab.list(&dn));
            lists += if list.code == Some(0) { &list.text } else { "" };
        }
        let lists = lab.file("lists.pem", &lists);
        lab.openssl_verify(&["-crl_check_all", "-CRLfile", &lists]).shows(&listed.verdict[..1]);
        lab.certtool_verify(&["--load-crl", &lists]).shows(&listed.verdict[1..]);

        lab.domain.clear_faults("dc1").unwrap();
        let good = run("openssl", &["crl", "-inform", "DER", "-noout", "-text"], lab.list(&place));
        good.shows(&["No Revoked Certificates"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ca_certificates_are_in_the_directory() {
    if !are_here(&PROGRAMS) {
        return;
    }
    let lab = Lab::with(Domain::builder("corp.example").start().await.unwrap());
    for (place, subject) in [
        ("CN=corp.example Root CA,CN=Certification Authorities", "CN=corp.example Root CA"),
        ("CN=corp.example Root CA,CN=AIA", "CN=corp.example Root CA"),
        ("CN=corp.example Issuing CA,CN=AIA", "CN=corp.example Issuing CA"),
        ("CN=NTAuthCertificates", "CN=corp.example Issuing CA"),
    ] {
        let dn = format!("{place},{SERVICES}");
        let certificate = lab.value(&dn, "certificationAuthority", "cACertificate");
        run("openssl", &["x509", "-inform", "DER", "-noout", "-subject"], &certificate)
            .shows(&[subject]);
        run("certtool", &["--certificate-info", "--inder"], &certificate).shows(&[subject]);
    }
}

#[test]
fn every_fault_of_both_families_is_in_a_table() {
    let tested = SHOWN.iter().map(|shown| shown.fault);
    let tested = tested.chain(WITHOUT_IDENTITY.iter().copied());
    let mut tested: Vec<_> = tested.chain(LISTED.iter().map(|listed| listed.fault)).collect();
    let families = fake_dc::faults::catalogue();
    let mut known: Vec<_> = families
        .iter()
        .filter(|fault| fault.id.starts_with("store.") || fault.id.starts_with("revocation."))
        .inspect(|fault| assert!(!fault.cause.is_empty() && !fault.drawing.is_empty()))
        .map(|fault| fault.id)
        .collect();
    tested.sort_unstable();
    known.sort_unstable();
    assert_eq!(tested, known);
}

const SERVICES: &str = "CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=example";
const CDP: &str = "CN=CDP,CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=example";

/// A domain of one DC, and a folder for the programs that look at it.
struct Lab {
    domain: Domain,
    folder: TempDir,
}

impl Lab {
    async fn start(fault: &str) -> Self {
        Self::with(Domain::builder("corp.example").fault("dc1", fault).start().await.unwrap())
    }

    fn with(domain: Domain) -> Self {
        let lab = Self { domain, folder: tempfile::tempdir().unwrap() };
        lab.file("ca.pem", lab.domain.ca_pem());
        lab
    }

    fn dc(&self) -> &Dc {
        self.domain.dc("dc1").unwrap()
    }

    fn file(&self, name: &str, content: &str) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The certificates that LDAPS shows, in PEM.
    fn s_client(&self) -> String {
        let address = self.dc().ldaps().to_string();
        let said = run("openssl", &["s_client", "-showcerts", "-connect", &address], "");
        (0..said.text.matches("-----BEGIN CERTIFICATE-----").count())
            .map(|number| block(&said.text, number))
            .collect()
    }

    fn openssl_verify(&self, more: &[&str]) -> Said {
        let (ca, chain) = (self.path("ca.pem"), self.path("chain.pem"));
        let leaf = self.path("leaf.pem");
        let own = ["verify", "-CAfile", &ca, "-untrusted", &chain];
        run("openssl", &[&own, more, &[&leaf]].concat(), "")
    }

    fn certtool_verify(&self, more: &[&str]) -> Said {
        let (ca, chain) = (self.path("ca.pem"), self.path("chain.pem"));
        let own = ["--verify", "--load-ca-certificate", &ca, "--infile", &chain];
        run("certtool", &[&own, more].concat(), "")
    }

    /// The certificate above the `number`th, in a file.
    fn issuer_of(&self, number: usize, chain: &str) -> String {
        match number {
            0 => self.file("issuer.pem", &block(chain, 1)),
            _ => self.path("ca.pem"),
        }
    }

    /// A program of OpenLDAP at the LDAP port.
    fn ldap(&self, program: &str, arguments: &[&str], input: &str) -> Said {
        let url = format!("ldap://{}", self.dc().ldap());
        run(program, &[&["-x", "-H", &url], arguments].concat(), input)
    }

    fn list(&self, dn: &str) -> Vec<u8> {
        self.value(dn, "cRLDistributionPoint", "certificateRevocationList")
    }

    /// The value of an attribute, asked for with and without `;binary`; empty if there is none.
    fn value(&self, dn: &str, class: &str, attribute: &str) -> Vec<u8> {
        let filter = format!("(objectClass={class})");
        let binary = format!("{attribute};binary");
        let [plain, binary] = [attribute, binary.as_str()].map(|name| {
            let asked = ["-LLL", "-o", "ldif-wrap=no", "-s", "base", "-b", dn, &filter, name];
            let who = ["-D", ADMINISTRATOR, "-w", PASSWORD];
            let said = self.ldap("ldapsearch", &[&who[..], &asked].concat(), "");
            let prefix = format!("{name}:: ");
            let base64 = said.text.lines().find_map(|line| line.strip_prefix(&prefix));
            run("base64", &["-d"], base64.unwrap_or_default()).output
        });
        assert_eq!(plain, binary);
        plain
    }
}

fn first_block(pem: &str) -> String {
    block(pem, 0)
}

fn block(pem: &str, number: usize) -> String {
    const END: &str = "-----END CERTIFICATE-----\n";
    let (start, _) = pem.match_indices("-----BEGIN CERTIFICATE-----").nth(number).unwrap();
    let end = start + pem[start..].find(END).unwrap() + END.len();
    pem[start..end].to_owned()
}

/// The DN in the LDAP URL of a certificate's distribution point.
fn distribution_point(text: &str) -> String {
    let url = text.split("URI:ldap:///").nth(1).unwrap();
    url.split('?').next().unwrap().replace("%20", " ")
}
