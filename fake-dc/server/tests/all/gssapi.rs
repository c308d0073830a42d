//! OpenLDAP's tools log in with Kerberos: GSSAPI and GSS-SPNEGO, sealed on 389, bound to TLS on 636.
//!
//! Needs them with their plugin, MIT Kerberos, and the right to make a mount namespace, in which
//! the DC has its name (Debian: `ldap-utils`, `libsasl2-modules-gssapi-mit`, `krb5-user`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{fs, process::Output};

use fake_dc::{Domain, facts::SaslRefused};
use fake_dc_kerberos::gss::BindingPolicy;
use ground::Clock;
use tempfile::TempDir;

/// A folder with what a client needs to log in at `dc1`.
struct Client {
    folder: TempDir,
}

impl Client {
    fn of(domain: &Domain) -> Self {
        let folder = TempDir::new().unwrap();
        let dc = domain.dc("dc1").unwrap();
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
        write("hosts", format!("{} dc1.corp.example\n", dc.ip()));
        write("ca.pem", domain.ca_pem().to_owned());
        write(
            "krb5.conf",
            format!(
                "[libdefaults]\n default_realm = CORP.EXAMPLE\n dns_lookup_kdc = false\n \
                 dns_canonicalize_hostname = false\n rdns = false\n\
                 [realms]\n CORP.EXAMPLE = {{\n  kdc = {}\n }}\n\
                 [domain_realm]\n .corp.example = CORP.EXAMPLE\n",
                dc.kdc()
            ),
        );
        Self { folder }
    }

    /// Runs a program that finds the DC by its name.
    fn run(&self, program: &str, arguments: &[&str], input: &str) -> Output {
        crate::named_dcs::run(self.folder.path(), program, arguments, input)
    }

    fn kinit(&self) {
        let output = self.run("kinit", &["alice"], "Passw0rd!Lab1\n");
        assert!(output.status.success(), "{output:?}");
    }

    fn who_am_i(&self, url: &str, mechanism: &str, options: &[&str]) -> Output {
        let arguments = [&["-N", "-H", url, "-Y", mechanism], options].concat();
        self.run("ldapwhoami", &arguments, "")
    }
}

#[test]
fn alice_logs_in_with_her_ticket() {
    if !crate::named_dcs::tools_are_there() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let builder = Domain::builder("corp.example").clock(Clock::system());
    let domain = runtime.block_on(builder.start()).unwrap();
    let dc = domain.dc("dc1").unwrap();
    let ldap = format!("ldap://dc1.corp.example:{}", dc.ldap().port());
    let ldaps = format!("ldaps://dc1.corp.example:{}", dc.ldaps().port());
    let client = Client::of(&domain);

    let without_ticket = client.who_am_i(&ldap, "GSSAPI", &[]);
    assert!(!without_ticket.status.success());
    client.kinit();
    for mechanism in ["GSSAPI", "GSS-SPNEGO"] {
        for (url, options, strength) in [
            (&ldap, &[][..], "256"),
            (&ldaps, &["-O", "maxssf=0"], "0"),
            (&ldap, &["-ZZ", "-O", "maxssf=0"], "0"),
        ] {
            let output = client.who_am_i(url, mechanism, options);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.stdout, b"u:CORP\\alice\n", "{mechanism} {url}: {said}");
            assert!(said.contains(&format!("SASL SSF: {strength}\n")), "{said}");
        }
    }
    // What is only signed, and what nothing protects; and both at once, which AD does not take.
    let signed = client.who_am_i(&ldap, "GSSAPI", &["-O", "minssf=1,maxssf=1"]);
    assert!(String::from_utf8_lossy(&signed.stderr).contains("SASL SSF: 1\n"), "{signed:?}");
    let twice = client.who_am_i(&ldaps, "GSS-SPNEGO", &[]);
    let said = String::from_utf8_lossy(&twice.stderr);
    assert!(said.contains("Server is unwilling to perform (53)"), "{said}");
    assert!(said.contains("Cannot start kerberos signing/sealing when using TLS/SSL"), "{said}");
    // A sealed session takes answers of any length, one token after the other.
    let search = [
        "-N",
        "-LLL",
        "-H",
        &ldap,
        "-Y",
        "GSSAPI",
        "-b",
        "cn=schema,cn=configuration,\
                   dc=corp,dc=example",
        "-s",
        "base",
        "*",
        "+",
    ];
    let output = client.run("ldapsearch", &search, "");
    assert!(output.status.success(), "{output:?}");

    runtime.block_on(domain.stop());
}

#[test]
fn bindings_to_tls_are_demanded_and_believed() {
    if !crate::named_dcs::tools_are_there() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let builder = Domain::builder("corp.example")
        .clock(Clock::system())
        .channel_binding(BindingPolicy::Always);
    let domain = runtime.block_on(builder.start()).unwrap();
    let dc = domain.dc("dc1").unwrap();
    let ldaps = format!("ldaps://dc1.corp.example:{}", dc.ldaps().port());
    let client = Client::of(&domain);
    client.kinit();
    let unbound = client.who_am_i(&ldaps, "GSS-SPNEGO", &["-O", "maxssf=0"]);
    let said = String::from_utf8_lossy(&unbound.stderr);
    assert!(said.contains("Invalid credentials (49)") && said.contains("80090346: "), "{said}");
    let reasons: Vec<String> = domain
        .ledger()
        .events()
        .iter()
        .filter_map(|event| event.fact::<SaslRefused>().map(|refused| refused.reason.clone()))
        .collect();
    assert_eq!(reasons, ["channel bindings are missing"]);
    let options = ["-O", "maxssf=0", "-o", "SASL_CBINDING=tls-endpoint"];
    let bound = client.who_am_i(&ldaps, "GSS-SPNEGO", &options);
    assert_eq!(bound.stdout, b"u:CORP\\alice\n", "{bound:?}");
    runtime.block_on(domain.stop());
}
