//! A real Samba AD DC behind a fake DC's front, and the real Samba client before it: the whole life
//! of a member (`net ads join` to `net ads leave`, with winbind in between), and what the client
//! says while the front is wrong in one way or another, beside what the model says.
//!
//! Samba knows no ports but the standard ones, so DC, front and client have addresses of a network
//! namespace. Needs `samba` of version 4.22 with what makes it a DC, and root: a file server takes
//! on the identities of its users.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod client;
mod namespace;
mod samba_dc;

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

use fake_dc::{DcSpec, Domain, Ports, RealDc, Trust};
use ground::{Actor, Clock, Ledger, Secret, Seed};
use sim_host::{
    Credentials, HostRoot, Network, Output, Patience, Programs as _, SambaCommand, SharedNetwork,
    samba::Client as Model,
};
use tokio::task::spawn_blocking;

use crate::{client::Member, namespace::in_namespace, samba_dc::SambaDc};

const FRONT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 11);
const PASSWORD: &str = "Passw0rd!Lab1";

#[test]
fn a_member_lives_behind_a_faulty_front() {
    in_namespace("a_member_lives_behind_a_faulty_front", || {
        let folder = tempfile::tempdir().unwrap();
        let mut dc = SambaDc::provision(&folder.path().join("dc"), PASSWORD);
        dc.start();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(live(dc, folder.path()));
    });
}

async fn live(mut dc: SambaDc, folder: &Path) {
    let ledger = Ledger::new(Clock::system());
    let front = front(&dc, &ledger).await;
    let member = Member::new(&folder.join("member"), FRONT, front.ca_pem());
    let model = Modelled::new(&folder.join("model"), &front, &ledger);

    // Each shows a certificate of its own: TLS is well, and a bind that is bound to it is not.
    let only = front.dc("dc1").unwrap();
    assert_eq!(only.channel_bindings_hold().await.unwrap(), Some(false));
    member.search().fails("Invalid credentials");
    dc.show(&only.chain());
    while only.channel_bindings_hold().await.unwrap() != Some(true) {
        tokio::task::yield_now().await;
    }
    member.search().prints("objectSid: S-1-5-21-");

    member
        .net(&["ads", "join", "lab.example", "-n", "XS1", "--no-dns-updates"])
        .prints("Joined 'XS1'");
    member.net(&["ads", "search", "--machine-pass", "(cn=krbtgt)", "cn"]).prints("cn: krbtgt");
    let winbind = member.start_winbind();
    member.wbinfo(&["-t"]).prints("succeeded");
    member.wbinfo(&["-n", "krbtgt"]).prints("SID_USER (1)");
    let dynamic = only.passed_ports().into_iter().filter(|passed| passed.port >= 49_152).count();
    assert!(dynamic >= 2, "NETLOGON and LSARPC are reached through the front");

    // An update that is signed, and a name that the zone of the front has not got.
    member
        .net(&["ads", "dns", "register", "xs1.lab.example", "192.0.2.20", "--machine-pass"])
        .prints("Successfully registered hostname with DNS");
    member.run("host", &["xs1.lab.example"]).prints("xs1.lab.example has address 192.0.2.20");
    member.run("host", &["dc1.lab.example"]).prints("dc1.lab.example has address 192.0.2.11");

    starttls(&member);
    let passwords = format!("{PASSWORD}\n{PASSWORD}2\n{PASSWORD}2\n");
    member
        .run_with_input("kpasswd", &["Administrator@LAB.EXAMPLE"], &passwords)
        .fails("the minimum password age");

    let mut rows = String::new();
    let mut different = Vec::new();
    for fault in FAULTS {
        front.set_faults("dc1", [fault]).unwrap();
        // Without the memory of others, as the model is.
        let stranger = Member::new(&folder.join(fault), FRONT, front.ca_pem());
        let real = spawn_blocking(move || stranger.search().decisive());
        let (modelled, real) = (model.search().await, real.await.unwrap());
        if modelled != real {
            different.push(format!("== {fault}\n--- model\n{modelled}\n--- net\n{real}"));
        }
        rows += &format!("{fault}\n");
        let lines = real.lines().filter(|line| !line.is_empty());
        lines.for_each(|line| rows += &format!("    {}\n", without_domain(line)));
    }
    assert_eq!(different, [] as [String; 0], "what the model says and what net says");
    insta::assert_snapshot!("what_net_says_of_a_faulty_front", rows);
    // winbind has no need of LDAP, and does not notice.
    front
        .set_faults("dc1", ["time.leaf-expired", "anchor.unknown-root", "net.refuse@ldaps"])
        .unwrap();
    member.wbinfo(&["-t"]).prints("succeeded");
    member.wbinfo(&["-n", "krbtgt"]).prints("SID_USER (1)");
    front.set_faults("dc1", ["net.refuse"]).unwrap();
    member.net(&["ads", "search", "--machine-pass", "(cn=krbtgt)", "cn"]).fails("");
    front.clear_faults("dc1").unwrap();
    member.search().prints("objectSid: S-1-5-21-");

    unbound(&mut dc, &front, &member);

    winbind.end();
    member.net(&["ads", "leave"]).prints("Deleted account for 'XS1'");
    front.stop().await;
}

/// What is wrong with the front.
const FAULTS: [&str; 24] = [
    "time.leaf-expired",
    "time.intermediate-not-yet-valid",
    "anchor.unknown-root",
    "anchor.self-signed-leaf",
    "chain.missing-intermediate",
    "chain.reversed",
    "name.other-host",
    "name.domain-only",
    "profile.no-server-auth",
    "algorithm.bad-signature",
    // TLS is well, but the certificate is no longer that of the real DC.
    "algorithm.rsa-4096",
    "handshake.tls13-only",
    "handshake.tls10-only",
    "handshake.reset-on-hello",
    "handshake.no-common-cipher",
    "net.refuse",
    "net.refuse@ldaps",
    "name.cldap-name-differs",
    "discovery.cldap-other-domain",
    "discovery.cldap-garbage",
    "discovery.nxdomain",
    "ldap.busy",
    "ldap.close-on-search",
    "ldap.empty-search-result",
];

/// A line with a SID, without that of the domain, which is drawn when it is made.
fn without_domain(line: &str) -> String {
    match line.split_once("S-1-5-21-") {
        Some((before, sid)) => {
            let last = sid.rsplit('-').next().unwrap_or_default();
            format!("{before}S-1-5-21-…-{last}")
        }
        None => line.to_owned(),
    }
}

/// OpenLDAP's client begins in clear, and its bind in clear is sealed: both pass the front.
fn starttls(member: &Member) {
    let user = ["-D", "Administrator@lab.example", "-w", PASSWORD, "-b", "DC=lab,DC=example"];
    let rest = ["-LLL", "(cn=krbtgt)", "cn"];
    for url in ["ldap://dc1.lab.example", "ldap://dc1.lab.example:3268"] {
        let arguments = [&["-x", "-ZZ", "-H", url][..], &user, &rest].concat();
        member.run("ldapsearch", &arguments).prints("cn: krbtgt");
    }
    let arguments = [&["-x", "-H", "ldaps://dc1.lab.example:3269"][..], &user, &rest].concat();
    member.run("ldapsearch", &arguments).prints("cn: krbtgt");
    member.run_with_input("kinit", &["Administrator@LAB.EXAMPLE"], PASSWORD).prints("");
    let arguments =
        [&["-Y", "GSSAPI", "-H", "ldap://dc1.lab.example", "-b", "DC=lab,DC=example"][..], &rest]
            .concat();
    member.run("ldapsearch", &arguments).prints("cn: krbtgt");
    member.run("kdestroy", &[]).prints("");
}

/// A bind inside TLS that is not bound to it, as OpenLDAP and adcli make it: whether that will do is
/// for the real DC to say, whatever the front shows. What is bound to another certificate never does.
fn unbound(dc: &mut SambaDc, front: &Domain, member: &Member) {
    member.run_with_input("kinit", &["Administrator@LAB.EXAMPLE"], PASSWORD).prints("");
    let base = ["-b", "DC=lab,DC=example", "-LLL", "(cn=krbtgt)", "cn"];
    let bind = ["-Y", "GSSAPI", "-O", "maxssf=0", "-H", "ldaps://dc1.lab.example"];
    let search = || member.run("ldapsearch", &[&bind[..], &base].concat());
    search().fails("80090346");
    dc.restart_with("ldap server require strong auth = allow_sasl_without_tls_channel_bindings");
    search().prints("cn: krbtgt");
    front.set_faults("dc1", ["algorithm.rsa-4096"]).unwrap();
    search().prints("cn: krbtgt");
    member.run("kdestroy", &[]).prints("");
    member.search().fails("Invalid credentials");
    front.clear_faults("dc1").unwrap();
    member.search().prints("objectSid: S-1-5-21-");
}

/// A front at its own address, with standard ports.
async fn front(dc: &SambaDc, ledger: &Ledger) -> Domain {
    let trust = Trust::in_pem(dc.ca_pem().as_bytes()).unwrap();
    let real = RealDc::find(samba_dc::ADDRESS.into(), trust).await.unwrap();
    let only = DcSpec::new(real.name()).address(FRONT);
    let builder = Domain::builder(real.domain()).ledger(ledger.clone()).ports(Ports::STANDARD);
    builder.behind(real).dc(only).start().await.unwrap()
}

/// The model of the same client.
struct Modelled {
    client: Model,
    ledger: Ledger,
}

impl Modelled {
    fn new(folder: &Path, front: &Domain, ledger: &Ledger) -> Self {
        fs::create_dir_all(folder).unwrap();
        let root = HostRoot::open(folder).unwrap();
        root.write("/etc/samba/smb.extra.conf", b"", 0o644).unwrap();
        root.write("/etc/samba/smb.conf", client::SMB_CONF.as_bytes(), 0o644).unwrap();
        let ca = front.ca_pem().as_bytes();
        root.write("/etc/trusted-certs/ca-bundle-ldaps.pem", ca, 0o644).unwrap();
        let nameservers = front.name_servers();
        let network = Network { nameservers, patience: Patience(4), ..Network::default() };
        let network = SharedNetwork::new(network);
        let client = Model::new(root, network, Clock::system(), Seed::new(1));
        Self { client, ledger: ledger.clone() }
    }

    async fn search(&self) -> String {
        let command = SambaCommand::AdsSearch {
            server: IpAddr::from(FRONT).into(),
            credentials: Credentials::User {
                user: "Administrator".into(),
                password: Secret::new(PASSWORD),
            },
            filter: client::FILTER.into(),
            attributes: vec!["objectSid".into()],
        };
        let trail = self.ledger.trail(Actor::Host("model".into()));
        let Output { exit, stdout, stderr } = self.client.run(command, 2, &trail).await;
        client::decisive(exit, &stdout, &stderr)
    }
}
