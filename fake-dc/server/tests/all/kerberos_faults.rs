//! Every fault of the family `kerberos`, and that of the DC's clock, as MIT's `kinit` and `kvno` see
//! it.
//!
//! Each fault has a DC of its own, whose KDC is the only one that the client knows, beside one that
//! is sound. The transcripts are a snapshot.
//!
//! Needs the programs (Debian: `krb5-user`). Without them the tests say that they are skipped; with
//! `TRUSTRIG_REQUIRE_TOOLS=1` they fail.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{fmt::Write as _, fs, path::PathBuf};

use crate::common::{ADMINISTRATOR, PASSWORD};
use crate::programs::{Program, Run};
use fake_dc::{DcSpec, Domain, facts::KdcRequest};
use ground::Clock;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// An account of a host, which a domain has not by itself.
const HOST: &str = "dn: CN=XS1,CN=Computers,DC=corp,DC=example\nobjectClass: computer\n\
                    sAMAccountName: XS1$\nuserAccountControl: 4096\n";

/// A domain with a DC for each fault, and a folder for what its clients need.
struct Lab {
    runtime: Runtime,
    domain: Domain,
    folder: TempDir,
}

impl Lab {
    /// `None` where the programs are missing. The first DC is called `sound`, the others `dc0` and
    /// so on.
    fn start(faults: &[&str]) -> Option<Self> {
        if !["kinit", "kvno"].iter().all(|program| crate::programs::has(program, "krb5-user")) {
            return None;
        }
        let runtime = Runtime::new().unwrap();
        let dcs = faults.iter().enumerate();
        let dcs = dcs.map(|(n, fault)| DcSpec::new(format!("dc{n}")).fault(*fault));
        let builder = Domain::builder("corp.example").ldif("host.ldif", HOST);
        let builder = dcs.fold(builder.dc(DcSpec::new("sound")), fake_dc::Builder::dc);
        let domain = runtime.block_on(builder.start()).unwrap();
        let folder = TempDir::new().unwrap();
        for account in ["alice", "SOUND$"] {
            let keytab = domain.keytab(account).unwrap();
            fs::write(folder.path().join(account), keytab).unwrap();
        }
        Some(Self { runtime, domain, folder })
    }

    /// A client that knows the KDC of that DC and no other.
    fn client<'a>(&'a self, dc: &'a str) -> Client<'a> {
        let folder = self.folder.path().join(format!("client of {dc}"));
        fs::create_dir_all(&folder).unwrap();
        Client { lab: self, dc, folder }
    }

    fn stop(self) {
        self.runtime.block_on(self.domain.stop());
    }
}

struct Client<'a> {
    lab: &'a Lab,
    dc: &'a str,
    folder: PathBuf,
}

impl Client<'_> {
    fn run(&self, program: &str, arguments: &[&str]) -> Run {
        self.run_with(&[self.dc], program, arguments)
    }

    /// The same with the KDCs of these DCs, in this order.
    fn run_with(&self, dcs: &[&str], program: &str, arguments: &[&str]) -> Run {
        let address = |dc: &&str| format!("  kdc = {}\n", self.lab.domain.dc(dc).unwrap().kdc());
        let kdcs: String = dcs.iter().map(address).collect();
        let config = format!(
            "[libdefaults]\n default_realm = CORP.EXAMPLE\n dns_lookup_kdc = false\n \
             dns_lookup_realm = false\n dns_canonicalize_hostname = false\n kdc_timesync = 0\n\
             [realms]\n CORP.EXAMPLE = {{\n{kdcs} }}\n\
             [domain_realm]\n .corp.example = CORP.EXAMPLE\n"
        );
        let file = self.folder.join("krb5.conf");
        fs::write(&file, config).unwrap();
        let cache = self.folder.join("cache");
        Program::new(program)
            .arguments(arguments)
            .variable("KRB5_CONFIG", file.to_str().unwrap())
            .variable("KRB5CCNAME", cache.to_str().unwrap())
            .input(&format!("{PASSWORD}\n"))
            .replacing(&format!("{}/", self.lab.folder.path().display()), "")
            .run()
    }

    fn file(&self, name: &str) -> String {
        self.lab.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Gets a ticket for a service of the sound DC and opens it with that DC's keytab.
    fn service_ticket(&self) -> Run {
        self.run("kvno", &["-k", &self.file("SOUND$"), "ldap/sound.corp.example"])
    }
}

/// What a user sees who logs on and turns to LDAP.
fn log_on(lab: &Lab, dc: &str, fault: &str) -> Vec<Run> {
    let client = lab.client(dc);
    let first = match fault {
        // With a password the program asks for a new one.
        "kerberos.password-expired" => {
            client.run("kinit", &["-k", "-t", &client.file("alice"), "alice"])
        }
        "kerberos.machine-password-not-replicated" => client.run("kinit", &["XS1$"]),
        // The ticket is of a KDC that has the newest key.
        "kerberos.krbtgt-not-replicated" => {
            let sound = Client { lab, dc: "sound", folder: client.folder.clone() };
            sound.run("kinit", &["alice"])
        }
        _ => client.run("kinit", &["alice"]),
    };
    let goes_on = first.exit == 0;
    let mut runs = vec![first];
    if goes_on {
        runs.push(client.service_ticket());
    }
    runs
}

/// What costs a client that has no other KDC half a minute. Another test looks at these.
const SLOW: [&str; 3] =
    ["kerberos.unreachable", "kerberos.tcp-blocked", "kerberos.service-unavailable"];

fn faults() -> Vec<&'static str> {
    let catalogue = fake_dc::faults::catalogue();
    let server = ["time.dc-clock-skewed"];
    let wanted =
        |id: &&str| (id.starts_with("kerberos.") || server.contains(id)) && !SLOW.contains(id);
    catalogue.iter().map(|fault| fault.id).filter(wanted).collect()
}

#[test]
fn every_fault_is_seen_by_kinit_or_kvno() {
    let faults = faults();
    let Some(lab) = Lab::start(&faults) else { return };
    let mut transcript = String::new();
    let mut write = |name: &str, runs: &[Run]| {
        writeln!(transcript, "== {name}").unwrap();
        for (program, run) in ["kinit", "kvno"].iter().zip(runs) {
            // The prompt has no end of line.
            let run = run.to_string().replace("Password for ", "\nPassword for ");
            let lines = run.lines().filter(|line| !line.starts_with("Password for "));
            let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
            writeln!(transcript, "$ {program}\n{}", lines.join("\n")).unwrap();
        }
    };
    let control = log_on(&lab, "sound", "none");
    assert!(control.len() == 2 && control.iter().all(|run| run.exit == 0), "{control:?}");
    write("no fault", &control);
    let seen = crate::programs::in_parallel(&faults, |number, fault| {
        log_on(&lab, &format!("dc{number}"), fault)
    });
    for (fault, runs) in faults.iter().zip(seen) {
        if *fault == "kerberos.udp-blocked" {
            assert_eq!(runs, control, "all is well, but slow");
        } else {
            assert!(runs.last().unwrap().exit != 0, "{fault} is not seen");
        }
        write(fault, &runs);
    }
    insta::assert_snapshot!("kinit_and_kvno", transcript);
    lab.stop();
}

#[test]
fn a_client_turns_to_the_next_kdc() {
    let Some(lab) = Lab::start(&SLOW) else { return };
    let both = |number: usize, _: &&str| {
        let dc = format!("dc{number}");
        let client = lab.client(&dc);
        client.run_with(&[&dc, "sound"], "kinit", &["alice"]).exit
    };
    assert_eq!(crate::programs::in_parallel(&SLOW, both), [0, 0, 0]);
    let events = lab.domain.ledger().events();
    let answers = |dc: &str| -> Vec<String> {
        let actor = format!("dc:{dc}");
        let of_dc = events.iter().filter(|event| event.actor.to_string() == actor);
        let requests = of_dc.filter_map(|event| event.fact::<KdcRequest>());
        requests.map(|asked| asked.error.clone().unwrap_or_else(|| "ticket".to_owned())).collect()
    };
    assert_eq!(answers("dc0"), [""; 0]);
    assert_eq!(answers("dc1"), ["25 KDC_ERR_PREAUTH_REQUIRED", "52 KRB_ERR_RESPONSE_TOO_BIG"]);
    assert_eq!(answers("dc2")[0], "29 KDC_ERR_SVC_UNAVAILABLE");
    assert_eq!(answers("sound").iter().filter(|answer| *answer == "ticket").count(), 3);
    lab.stop();
}

#[test]
fn blocked_datagrams_send_the_client_to_tcp() {
    let Some(lab) = Lab::start(&["kerberos.udp-blocked"]) else { return };
    assert_eq!(lab.client("dc0").run("kinit", &["alice"]).exit, 0);
    let events = lab.domain.ledger().events();
    let of_kdc = events.iter().filter(|event| event.actor.to_string() == "dc:dc0");
    let connections = of_kdc.filter(|event| event.kind() == "dc.connection");
    assert!(connections.count() >= 2);
    lab.stop();
}

#[test]
fn values_limit_a_fault_to_an_account_or_a_service() {
    let faults = [
        "kerberos.account-revoked:bob",
        "kerberos.principal-unknown:ALICE",
        "kerberos.spn-missing:cifs",
        "kerberos.wrong-spn:LDAP",
    ];
    let Some(lab) = Lab::start(&faults) else { return };
    assert_eq!(lab.client("dc0").run("kinit", &["alice"]).exit, 0);
    let unknown = lab.client("dc1").run("kinit", &["alice"]);
    assert!(unknown.stderr.contains("not found in Kerberos database"), "{unknown}");
    assert_eq!(lab.client("dc1").run("kinit", &["Administrator"]).exit, 0);
    let other_service = lab.client("dc2");
    assert_eq!(other_service.run("kinit", &["alice"]).exit, 0);
    assert_eq!(other_service.service_ticket().exit, 0);
    let cifs = other_service.run("kvno", &["cifs/sound.corp.example"]);
    assert!(cifs.stderr.contains("Server not found in Kerberos database"), "{cifs}");
    let wrong = lab.client("dc3");
    assert_eq!(wrong.run("kinit", &["alice"]).exit, 0);
    assert_ne!(wrong.service_ticket().exit, 0);
    assert_eq!(
        wrong.run("kvno", &["-k", &wrong.file("SOUND$"), "host/sound.corp.example"]).exit,
        0
    );
    for mistake in [
        "kerberos.clock-skew:soon",
        "kerberos.wrong-spn:",
        "kerberos.stopped:1",
        "kerberos.principal-unknown@ldap",
        "time.dc-clock-skewed:10",
    ] {
        assert!(lab.domain.set_faults("dc0", [mistake]).is_err(), "{mistake}");
    }
    lab.stop();
}

/// The time that each of the DC's services tells is wrong by the same offset.
#[test]
fn a_dc_has_one_wrong_clock() {
    let faults = ["time.dc-clock-skewed:-2d", "time.dc-clock-skewed:+2m", "kerberos.clock-skew:1h"];
    let Some(lab) = Lab::start(&faults) else { return };
    if !crate::programs::has("ldapsearch", "ldap-utils") {
        return;
    }
    let now = Clock::system().now();
    for (dc, offset) in [("sound", 0), ("dc0", -172_800), ("dc1", 120), ("dc2", 0)] {
        let url = format!("ldap://{}", lab.domain.dc(dc).unwrap().ldap());
        let run = Program::new("ldapsearch")
            .arguments(["-x", "-LLL", "-H", &url, "-s", "base", "-b", "", "currentTime"])
            .run();
        let told = run.stdout.lines().find_map(|line| line.strip_prefix("currentTime: "));
        let told = told.unwrap_or_else(|| panic!("{run}"));
        let expected = now.plus_seconds(offset);
        let near = (0..60).map(|later| generalized(expected.plus_seconds(later)));
        assert!(near.into_iter().any(|time| time == told), "{dc}: {told}");
    }
    // Within the 5 minutes that Kerberos allows, and beyond.
    assert_eq!(lab.client("dc1").run("kinit", &["alice"]).exit, 0);
    for dc in ["dc0", "dc2"] {
        let skewed = lab.client(dc).run("kinit", &["alice"]);
        assert!(skewed.stderr.contains("Clock skew too great"), "{dc}: {skewed}");
    }
    lab.stop();
}

/// As AD writes times.
fn generalized(at: ground::Timestamp) -> String {
    let digits: String = at.to_string().chars().filter(char::is_ascii_digit).take(14).collect();
    format!("{digits}.0Z")
}

#[test]
fn a_machine_password_is_old_for_binds_too() {
    let fault = "kerberos.machine-password-not-replicated";
    let Some(lab) = Lab::start(&[fault]) else { return };
    if !crate::programs::has("ldapwhoami", "ldap-utils") {
        return;
    }
    let bind = |dc: &str, name: &str| {
        let url = format!("ldap://{}", lab.domain.dc(dc).unwrap().ldap());
        Program::new("ldapwhoami").arguments(["-x", "-H", &url, "-D", name, "-w", PASSWORD]).run()
    };
    for name in ["XS1$@corp.example", "CORP\\XS1$"] {
        assert_eq!(bind("sound", name).exit, 0);
        let refused = bind("dc0", name);
        assert_eq!(refused.exit, 49, "{refused}");
        assert!(refused.stderr.contains("data 52e"), "{refused}");
    }
    assert_eq!(bind("dc0", ADMINISTRATOR).exit, 0);
    assert_eq!(lab.client("dc0").run("kinit", &["alice"]).exit, 0);
    lab.stop();
}
