//! A user of one domain goes to another that trusts it, with MIT's and OpenLDAP's programs.
//!
//! Needs them, and the right to make a mount namespace, in which the DCs have their names (Debian:
//! `krb5-user`, `ldap-utils`, `libsasl2-modules-gssapi-mit`). Without them the tests say that they
//! are skipped; with `TRUSTRIG_REQUIRE_TOOLS=1` they fail.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, process::Output};

use fake_dc::{Domain, facts::KdcRequest};
use fake_dc_directory::{TrustDirection, TrustKind};
use ground::Clock;
use tempfile::TempDir;

use crate::served::Served;

/// A domain, the addresses of its DC, and where a client finds it.
struct Place<'a> {
    domain: &'a str,
    ip: String,
    kdc: String,
}

impl<'a> Place<'a> {
    fn of(domain: &'a Domain) -> Self {
        let dc = domain.dc("dc1").unwrap();
        Self { domain: domain.name(), ip: dc.ip().to_string(), kdc: dc.kdc().to_string() }
    }

    fn of_served(domain: &'a str, served: &Served) -> Self {
        let ip = served.dc(0)["address"].as_str().unwrap().to_owned();
        Self { domain, kdc: format!("{ip}:{}", served.port(0, "kdc")), ip }
    }
}

/// A folder with what a client needs to find the KDCs and DCs of several domains.
struct Client {
    folder: TempDir,
}

impl Client {
    fn of(places: &[Place<'_>]) -> Self {
        let folder = TempDir::new().unwrap();
        let hosts = places.iter().map(|one| format!("{} dc1.{}\n", one.ip, one.domain));
        fs::write(folder.path().join("hosts"), hosts.collect::<String>()).unwrap();
        let realm = |one: &Place<'_>| {
            format!(" {} = {{\n  kdc = {}\n }}\n", one.domain.to_uppercase(), one.kdc)
        };
        let realms: String = places.iter().map(realm).collect();
        let home = places.first().unwrap().domain.to_uppercase();
        // Nothing says of which realm a host is: the KDCs do.
        let config = format!(
            "[libdefaults]\n default_realm = {home}\n dns_lookup_kdc = false\n \
             dns_lookup_realm = false\n dns_canonicalize_hostname = false\n rdns = false\n\
             [realms]\n{realms}"
        );
        fs::write(folder.path().join("krb5.conf"), config).unwrap();
        Self { folder }
    }

    fn run(&self, program: &str, arguments: &[&str], input: &str) -> Output {
        crate::named_dcs::run(self.folder.path(), program, arguments, input)
    }

    /// What the program prints.
    fn says(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, arguments, "Passw0rd!Lab1\n");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the program complains of.
    fn complains(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, arguments, "Passw0rd!Lab1\n");
        assert!(!output.status.success(), "{program} {arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

/// Two domains with a trust of that direction, as the first, `lab.example`, sees it.
struct Pair {
    runtime: tokio::runtime::Runtime,
    lab: Option<Domain>,
    other: Option<Domain>,
}

impl Pair {
    fn start(direction: TrustDirection) -> Self {
        Self::with("other.example", TrustKind::Forest, direction)
    }

    fn with(other: &str, kind: TrustKind, direction: TrustDirection) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let start = |name| {
            let builder = Domain::builder(name).clock(Clock::system());
            Some(runtime.block_on(builder.start()).unwrap())
        };
        let pair = Self { lab: start("lab.example"), other: start(other), runtime };
        let (lab, other) = (pair.lab().directory(), pair.other().directory());
        lab.trust(other, kind, direction).unwrap();
        pair
    }

    fn lab(&self) -> &Domain {
        self.lab.as_ref().unwrap()
    }

    fn other(&self) -> &Domain {
        self.other.as_ref().unwrap()
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for domain in [self.lab.take(), self.other.take()].into_iter().flatten() {
            self.runtime.block_on(domain.stop());
        }
    }
}

#[test]
fn a_user_logs_in_at_a_domain_that_trusts_hers() {
    if !crate::named_dcs::tools_are_there() {
        return;
    }
    let pair = Pair::start(TrustDirection::Both);
    let client = Client::of(&[Place::of(pair.lab()), Place::of(pair.other())]);
    client.says("kinit", &["alice"]);
    let ticket = client.says("kvno", &["ldap/dc1.other.example"]);
    assert_eq!(ticket, "ldap/dc1.other.example@LAB.EXAMPLE: kvno = 2\n");
    assert!(
        client.says("klist", &[]).contains("Ticket server: ldap/dc1.other.example@OTHER.EXAMPLE")
    );
    // The same by the other realm's own name.
    client.says("kvno", &["host/dc1.other.example@OTHER.EXAMPLE"]);
    assert!(client.says("klist", &[]).contains("krbtgt/OTHER.EXAMPLE@LAB.EXAMPLE"));
    let granted = |domain: &Domain| {
        let events = domain.ledger().events();
        let asked = events.iter().filter_map(|event| event.fact::<KdcRequest>());
        let granted = asked.filter(|asked| asked.request == "TGS-REQ" && asked.error.is_none());
        granted.filter_map(|asked| asked.service.clone()).collect::<Vec<_>>()
    };
    assert_eq!(granted(pair.lab()), ["ldap/dc1.other.example", "krbtgt/OTHER.EXAMPLE"]);
    assert_eq!(granted(pair.other()), ["ldap/dc1.other.example", "host/dc1.other.example"]);

    let url = format!("ldap://dc1.other.example:{}", pair.other().dc("dc1").unwrap().ldap().port());
    for mechanism in ["GSSAPI", "GSS-SPNEGO"] {
        let bind = ["-Q", "-N", "-H", &url, "-Y", mechanism];
        let who = client.says("ldapwhoami", &bind);
        assert_eq!(who, "u:LAB\\alice\n", "{mechanism}");
    }
    let base = "CN=Administrator,CN=Users,DC=other,DC=example";
    let bind = ["-Q", "-N", "-LLL", "-H", &url, "-Y", "GSSAPI"];
    let found = client
        .says("ldapsearch", &[&bind[..], &["-b", base, "-s", "base", "sAMAccountName"]].concat());
    assert!(found.contains("sAMAccountName: Administrator"), "{found}");
    let token = client.says(
        "ldapsearch",
        &[&bind[..], &["-b", "", "-s", "base", "msDS-PrincipalName", "tokenGroups"]].concat(),
    );
    assert!(token.contains("msDS-PrincipalName: LAB\\alice"), "{token}");
    let refused = client.complains("ldapdelete", &["-Q", "-N", "-H", &url, "-Y", "GSSAPI", base]);
    assert!(refused.contains("Insufficient access (50)"), "{refused}");
}

#[test]
fn an_administrator_elsewhere_is_none_here() {
    if !crate::named_dcs::tools_are_there() {
        return;
    }
    let pair = Pair::start(TrustDirection::Both);
    let client = Client::of(&[Place::of(pair.other()), Place::of(pair.lab())]);
    client.says("kinit", &["Administrator"]);
    let url = format!("ldap://dc1.lab.example:{}", pair.lab().dc("dc1").unwrap().ldap().port());
    let bind = ["-Q", "-N", "-H", &url, "-Y", "GSSAPI"];
    assert_eq!(client.says("ldapwhoami", &bind), "u:OTHER\\Administrator\n");
    let delete = [&bind[..], &["CN=Administrator,CN=Users,DC=lab,DC=example"]].concat();
    let refused = client.complains("ldapdelete", &delete);
    assert!(refused.contains("Insufficient access (50)"), "{refused}");
}

#[test]
fn a_user_is_referred_to_her_own_realm() {
    if !crate::named_dcs::tools_are_there() {
        return;
    }
    let pair = Pair::start(TrustDirection::Both);
    let client = Client::of(&[Place::of(pair.other()), Place::of(pair.lab())]);
    client.says("kinit", &["-E", "alice@lab.example"]);
    let list = client.says("klist", &[]);
    assert!(list.contains("Default principal: alice@LAB.EXAMPLE"), "{list}");
}

#[test]
fn parent_and_child_of_a_forest_lead_to_each_other() {
    if !crate::named_dcs::tools_are_there() {
        return;
    }
    let pair = Pair::with("child.lab.example", TrustKind::WithinForest, TrustDirection::Both);
    let (parent, child) = (|| Place::of(pair.lab()), || Place::of(pair.other()));
    for (places, service) in [
        ([parent(), child()], "ldap/dc1.child.lab.example"),
        ([child(), parent()], "ldap/dc1.lab.example"),
    ] {
        let client = Client::of(&places);
        client.says("kinit", &["alice"]);
        client.says("kvno", &[service]);
        let unknown = service.replace("dc1", "dc9");
        let refused = client.complains("kvno", &[&unknown]);
        assert!(refused.contains("Server not found in Kerberos database"), "{refused}");
    }
}

#[test]
fn nobody_goes_where_her_domain_is_not_trusted() {
    if !crate::named_dcs::tools_are_there() {
        return;
    }
    let pair = Pair::start(TrustDirection::Outbound);
    let client = Client::of(&[Place::of(pair.lab()), Place::of(pair.other())]);
    client.says("kinit", &["alice"]);
    for service in ["ldap/dc1.other.example", "krbtgt/OTHER.EXAMPLE"] {
        let refused = client.complains("kvno", &[service]);
        assert!(refused.contains("Server not found in Kerberos database"), "{refused}");
    }
    let client = Client::of(&[Place::of(pair.other()), Place::of(pair.lab())]);
    client.says("kinit", &["alice"]);
    client.says("kvno", &["ldap/dc1.lab.example"]);
}

#[test]
fn two_programs_with_one_seed_trust_each_other() {
    if !crate::named_dcs::tools_are_there() {
        return;
    }
    let serve = |domain: &str, partner: &str| {
        let trust = format!("{partner}=forest:both");
        let usual = ["--domain", domain, "--ports", "system", "--seed", "11", "--trust", &trust];
        Served::start_just(&usual)
    };
    let lab = serve("lab.example", "other.example");
    let other = serve("other.example", "lab.example");
    let places = [Place::of_served("lab.example", &lab), Place::of_served("other.example", &other)];
    let client = Client::of(&places);
    client.says("kinit", &["alice"]);
    let url = format!("ldap://dc1.other.example:{}", other.port(0, "ldap"));
    let who = client.says("ldapwhoami", &["-Q", "-N", "-H", &url, "-Y", "GSSAPI"]);
    assert_eq!(who, "u:LAB\\alice\n");
    assert_eq!((lab.stop(), other.stop()), (Some(0), Some(0)));
}
