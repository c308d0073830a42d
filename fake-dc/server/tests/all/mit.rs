//! MIT Kerberos' `kinit`, `kvno` and `klist` against a DC.
//!
//! Needs them (Debian: `krb5-user`). Without them the tests say that they are skipped; with
//! `TRUSTRIG_REQUIRE_TOOLS=1` they fail.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use fake_dc::{Builder, Domain, facts::KdcRequest};
use ground::Clock;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const PASSWORD: &str = "Passw0rd!Lab1";

/// A domain, and a folder with what a client needs to use its KDC.
struct Lab {
    runtime: Runtime,
    domain: Option<Domain>,
    folder: TempDir,
}

impl Lab {
    /// `None` where the programs are missing.
    fn start(configure: impl FnOnce(Builder) -> Builder, settings: &str) -> Option<Self> {
        if Command::new("kinit").arg("-V").stderr(Stdio::null()).output().is_err() {
            let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|one| one == "1");
            assert!(!required, "kinit is missing, and TRUSTRIG_REQUIRE_TOOLS is set");
            eprintln!("SKIPPED: kinit is not installed (Debian: apt-get install krb5-user)");
            return None;
        }
        let runtime = Runtime::new().unwrap();
        let builder = configure(Domain::builder("corp.example"));
        let domain = runtime.block_on(builder.start()).unwrap();
        let folder = TempDir::new().unwrap();
        let kdc = domain.dc("dc1").unwrap().kdc();
        let config = format!(
            "[libdefaults]\n default_realm = CORP.EXAMPLE\n dns_lookup_kdc = false\n \
             dns_lookup_realm = false\n dns_canonicalize_hostname = false\n{settings}\
             [realms]\n CORP.EXAMPLE = {{\n  kdc = {kdc}\n }}\n\
             [domain_realm]\n .corp.example = CORP.EXAMPLE\n"
        );
        fs::write(folder.path().join("krb5.conf"), config).unwrap();
        Some(Self { runtime, domain: Some(domain), folder })
    }

    fn domain(&self) -> &Domain {
        self.domain.as_ref().unwrap()
    }

    /// What the program prints, or the last line of its complaint.
    fn run(&self, program: &str, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("KRB5_CONFIG", self.folder.path().join("krb5.conf"))
            .env("KRB5CCNAME", self.folder.path().join("cache"))
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that asks for no password does not read.
        let _ = child.stdin.take().unwrap().write_all(format!("{input}\n").as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        if output.status.success() {
            return Ok(text(output.stdout));
        }
        Err(text(output.stderr).lines().last().unwrap_or_default().to_owned())
    }

    fn kinit(&self, arguments: &[&str]) -> Result<String, String> {
        self.run("kinit", arguments, PASSWORD)
    }

    /// Requests that reached the KDC since the ledger began, in few words.
    fn requests(&self) -> Vec<String> {
        let events = self.domain().ledger().events();
        let requests = events.iter().filter_map(|event| event.fact::<KdcRequest>());
        requests
            .map(|asked| {
                let service = asked.service.as_deref().unwrap_or("nothing");
                let error = asked.error.as_deref().unwrap_or("ticket");
                format!("{} {service}: {error}", asked.request)
            })
            .collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Some(domain) = self.domain.take() {
            self.runtime.block_on(domain.stop());
        }
    }
}

#[test]
fn a_user_gets_tickets_that_fit_no_datagram() {
    let Some(lab) = Lab::start(|builder| builder, "") else { return };
    lab.kinit(&["-f", "alice"]).unwrap();
    for service in ["ldap/dc1.corp.example", "host/dc1.corp.example", "cifs/dc1.corp.example"] {
        let ticket = lab.run("kvno", &[service], "").unwrap();
        assert_eq!(ticket, format!("{service}@CORP.EXAMPLE: kvno = 2\n"));
    }
    let list = lab.run("klist", &["-f", "-e"], "").unwrap();
    assert!(list.contains("Default principal: alice@CORP.EXAMPLE"), "{list}");
    assert!(list.contains("Flags: FRIA"), "{list}");
    // A DC is trusted for delegation.
    assert!(list.contains("Flags: FRAO"), "{list}");
    assert_eq!(list.matches("aes256-cts-hmac-sha1-96, aes256-cts-hmac-sha1-96").count(), 4);
    lab.kinit(&["-R"]).unwrap();
    assert_eq!(
        lab.requests(),
        [
            "AS-REQ krbtgt/CORP.EXAMPLE: 25 KDC_ERR_PREAUTH_REQUIRED",
            "AS-REQ krbtgt/CORP.EXAMPLE: 52 KRB_ERR_RESPONSE_TOO_BIG",
            "AS-REQ krbtgt/CORP.EXAMPLE: ticket",
            "TGS-REQ ldap/dc1.corp.example: ticket",
            "TGS-REQ host/dc1.corp.example: ticket",
            "TGS-REQ cifs/dc1.corp.example: ticket",
            "TGS-REQ krbtgt/CORP.EXAMPLE: ticket",
        ]
    );
}

#[test]
fn a_user_gets_tickets_over_tcp_and_of_aes128() {
    let settings = " udp_preference_limit = 1\n permitted_enctypes = aes128-cts-hmac-sha1-96\n";
    let Some(lab) = Lab::start(|builder| builder, settings) else { return };
    lab.kinit(&["alice"]).unwrap();
    let list = lab.run("klist", &["-e"], "").unwrap();
    // The KDC's own key is of the strongest type whatever the client takes.
    assert!(list.contains("aes128-cts-hmac-sha1-96, aes256-cts-hmac-sha1-96"), "{list}");
    let connections = lab.domain().ledger().events();
    assert_eq!(connections.iter().filter(|event| event.kind() == "dc.connection").count(), 2);
}

#[test]
fn a_user_principal_name_becomes_the_account() {
    let ldif = "dn: CN=Long,CN=Users,DC=corp,DC=example\nobjectClass: user\n\
                sAMAccountName: short\nuserPrincipalName: long.name@corp.example\n";
    let Some(lab) = Lab::start(|builder| builder.ldif("test.ldif", ldif), "") else { return };
    lab.kinit(&["-E", "long.name@corp.example"]).unwrap();
    let list = lab.run("klist", &[], "").unwrap();
    assert!(list.contains("Default principal: short@CORP.EXAMPLE"), "{list}");
}

#[test]
fn refusals_are_told_in_the_words_of_kinit() {
    let Some(lab) = Lab::start(|builder| builder, "") else { return };
    let refused = |account, words: &str| {
        let complaint = lab.kinit(&[account]).unwrap_err();
        assert!(complaint.contains(words), "{account}: {complaint}");
    };
    refused("nobody", "Client 'nobody@CORP.EXAMPLE' not found in Kerberos database");
    refused("bob", "Client's credentials have been revoked");
    refused("carol", "Client's credentials have been revoked");
    refused("dave", "Client's credentials have been revoked");
    let wrong = lab.run("kinit", &["alice"], "wrong").unwrap_err();
    assert!(wrong.contains("Password incorrect"), "{wrong}");
    // Who must change the password is asked for a new one, for which there is a ticket.
    for account in ["eve", "grace"] {
        lab.kinit(&[account]).unwrap_err();
    }
    let asked = lab.requests();
    let changes = asked.iter().filter(|asked| *asked == "AS-REQ kadmin/changepw: ticket").count();
    assert_eq!(changes, 2, "{asked:#?}");

    lab.kinit(&["alice"]).unwrap();
    let unknown = lab.run("kvno", &["ldap/dc9.corp.example"], "").unwrap_err();
    assert!(unknown.contains("Server not found in Kerberos database"), "{unknown}");
}

#[test]
fn a_wrong_clock_is_refused() {
    let slow = |builder: Builder| builder.clock(Clock::system().offset_by(-600));
    let Some(lab) = Lab::start(slow, " kdc_timesync = 0\n") else { return };
    let complaint = lab.kinit(&["alice"]).unwrap_err();
    assert!(complaint.contains("Clock skew too great"), "{complaint}");
}

#[test]
fn an_exported_keytab_logs_on_and_opens_tickets() {
    let Some(lab) = Lab::start(|builder| builder, "") else { return };
    let keytab = lab.domain().keytab("DC1$").unwrap();
    fs::write(lab.folder.path().join("keytab"), keytab).unwrap();
    let list = lab.run("klist", &["-k", "keytab"], "").unwrap();
    assert!(list.contains("   2 DC1$@CORP.EXAMPLE"), "{list}");
    lab.kinit(&["-k", "-t", "keytab", "DC1$"]).unwrap();
    let service = "ldap/dc1.corp.example";
    let opened = lab.run("kvno", &["-k", "keytab", service], "").unwrap();
    assert_eq!(opened, format!("{service}@CORP.EXAMPLE: kvno = 2, keytab entry valid\n"));
    assert!(lab.domain().keytab("nobody").is_none());
}
