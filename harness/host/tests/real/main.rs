//! The model beside the real `net` of Samba 4.22: the same smb.conf, the same DC with the same
//! fault, and what both print.
//!
//! Samba knows no ports but the standard ones, so the tests run in a network namespace of their
//! own, without privileges. Needs `net` of Samba 4.22 and a kernel that lets users make namespaces.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod namespace;
mod own_network;

use std::{iter, net::IpAddr, sync::Arc, time::Duration};

use fake_dc::{Domain, Ports};
use ground::{Actor, Clock, Ledger, Secret, Seed};
use sim_host::{
    Credentials, HostRoot, Network, Output, Patience, Programs as _, SambaCommand, SharedNetwork,
    real::{self, Namespace, Unfinished},
    samba::Client,
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

use crate::namespace::in_namespace;

/// How long the real program is waited for: silence of 636, of LDAP and of CLDAP costs it less,
/// silence of a KDC, of DNS and of a handshake more (`real-client-wire.md`, last table).
const PATIENCE: Duration = Duration::from_secs(28);

/// Of the client that the words were captured from.
const KRB5_CONF: &str = "[libdefaults]\ndns_lookup_realm = false\ndefault_realm = LAB.EXAMPLE\n";

/// Pairs of programs that run at once: the real one is idle while a DC is silent.
const AT_ONCE: usize = 24;
/// Networks that the domains take in turn. A program that is being started holds this process's
/// sockets for a moment, so the next domain has another address than the last.
const NETWORKS: u8 = 240;

#[test]
fn model_and_net_conclude_the_same_of_every_fault() {
    in_namespace("model_and_net_conclude_the_same_of_every_fault", || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let rows = runtime.block_on(async {
            let faults = fake_dc::faults::catalogue().into_iter().map(|fault| fault.id);
            let faults = faults.filter(|id| !NOT_COMPARED.contains(id));
            let mut tasks = JoinSet::new();
            let (give, mut free) = mpsc::unbounded_channel();
            (1..=NETWORKS).for_each(|network| give.send(network).unwrap());
            let places = Arc::new(Semaphore::new(AT_ONCE));
            let asked = iter::once("").chain(faults).flat_map(|fault| {
                Question::about(fault).iter().map(move |question| (fault, *question))
            });
            for (index, (fault, question)) in asked.enumerate() {
                let place = Arc::clone(&places).acquire_owned().await.unwrap();
                let (network, give) = (free.recv().await.unwrap(), give.clone());
                tasks.spawn(async move {
                    let _place = place;
                    let row = compare(network, fault, question).await;
                    give.send(network).unwrap();
                    (index, row)
                });
            }
            let mut rows = tasks.join_all().await;
            // The real program has little patience with a handshake, and the machine was busy: what
            // differs is looked at once more, alone.
            for (_, row) in &mut rows {
                if row.real.as_ref().is_some_and(|real| *real != row.model) {
                    let network = free.recv().await.unwrap();
                    *row = compare(network, &row.fault, row.question).await;
                }
            }
            rows.sort();
            rows
        });
        let mut different = 0;
        for (_, row) in &rows {
            match &row.real {
                None => eprintln!(
                    "SKIPPED: {}, {:?}: net waits longer than this test",
                    row.fault, row.question
                ),
                Some(real) if *real == row.model => {}
                Some(real) => {
                    different += 1;
                    let Row { fault, question, model, .. } = row;
                    eprintln!("== {fault}, {question:?}\n--- model\n{model}\n--- net\n{real}");
                }
            }
        }
        assert_eq!(different, 0, "of {}", rows.len());
    });
}

/// Faults over which the two are known to differ.
const NOT_COMPARED: [&str; 2] = [
    // rustls, which is the model's TLS, takes no signature of the schemes `rsa_pss_pss_*`.
    "algorithm.rsa-pss-key",
    // The certificate becomes valid between the two programs.
    "time.one-second-before",
];

/// What a host asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    /// xapi's probe before a join.
    SearchAsUser,
    /// xapi's probe of a member.
    SearchAsMachine,
    AdsLookup,
    LookupKdc,
}

impl Question {
    /// Those that can meet the fault, beyond the first in a way of their own.
    fn about(fault: &str) -> &'static [Self] {
        match fault.split('.').next() {
            Some("discovery") => &[Self::SearchAsUser, Self::AdsLookup, Self::LookupKdc],
            Some("kerberos") => &[Self::SearchAsUser, Self::SearchAsMachine],
            Some("") => {
                &[Self::SearchAsUser, Self::SearchAsMachine, Self::AdsLookup, Self::LookupKdc]
            }
            _ => &[Self::SearchAsUser],
        }
    }

    fn command(self, dc: IpAddr) -> SambaCommand {
        let search = |credentials| SambaCommand::AdsSearch {
            server: dc.into(),
            credentials,
            filter: "(|(sAMAccountName=krbtgt)(name=krbtgt))".into(),
            attributes: vec!["objectSid".into()],
        };
        let (user, password) = administrator();
        match self {
            Self::SearchAsUser => search(Credentials::User { user, password }),
            Self::SearchAsMachine => search(Credentials::Machine),
            Self::AdsLookup => SambaCommand::AdsLookup { server: dc },
            Self::LookupKdc => SambaCommand::LookupKdc { domain: "lab.example".into() },
        }
    }
}

fn administrator() -> (String, Secret) {
    ("Administrator".into(), Secret::new("Passw0rd!Lab1"))
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    fault: String,
    question: Question,
    model: String,
    real: Option<String>,
}

/// What both clients say of a DC with `fault`, which is alone in a domain at 127.0.`network`.10.
async fn compare(network: u8, fault: &str, question: Question) -> Row {
    let clock = Clock::system();
    let ledger = Ledger::new(clock.clone());
    let mut builder = Domain::builder("lab.example")
        .index(network)
        .seed(Seed::new(1))
        .clock(clock.clone())
        .ledger(ledger.clone())
        .ports(Ports::STANDARD);
    let is_member = question == Question::SearchAsMachine;
    if !fault.is_empty() && !is_member {
        builder = builder.fault("dc1", fault);
    }
    let domain = builder.start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    let command = question.command(dc.ip().into());

    let folder = tempfile::tempdir().unwrap();
    let root = HostRoot::open(folder.path()).unwrap();
    root.write("/etc/samba/smb.extra.conf", b"", 0o644).unwrap();
    root.write("/etc/krb5.conf", KRB5_CONF.as_bytes(), 0o644).unwrap();
    let smb_conf = include_str!("../../../../fixtures/samba-client/smb.conf");
    root.write("/etc/samba/smb.conf", smb_conf.as_bytes(), 0o644).unwrap();
    root.write("/etc/trusted-certs/ca-bundle-ldaps.pem", domain.ca_pem().as_bytes(), 0o644)
        .unwrap();
    // Keys of 8192 bits are slow, and many pairs run at once.
    let patience = Patience(4);
    let network = Network { nameservers: domain.name_servers(), patience, ..Network::default() };
    let network = SharedNetwork::new(network);
    let client = || Client::new(root.clone(), network.clone(), clock.clone(), Seed::new(1));
    let trail = ledger.trail(Actor::Host("host1".into()));
    let namespace = Arc::new(Namespace::with_shared_network(&root, "xs1").unwrap());
    let real = real::Client::new(
        root.clone(),
        network.clone(),
        clock.clone(),
        namespace,
        client(),
        PATIENCE,
    );

    // Some faults count connections: they begin anew.
    let begin_anew = || {
        domain.clear_faults("dc1").unwrap();
        domain.set_faults("dc1", (!fault.is_empty()).then_some(fault)).unwrap();
    };
    if is_member {
        let (user, password) = administrator();
        let join = SambaCommand::AdsJoin {
            domain: "lab.example".into(),
            user,
            password,
            netbios_name: "XS1".into(),
            server: None,
            ou: None,
            dns_hostname: None,
        };
        let joined = client().run(join, 2, &trail).await;
        assert!(joined.succeeded(), "{joined:?}");
        begin_anew();
    }
    let model = client().run(command.clone(), 2, &trail).await;
    begin_anew();
    let real = match real.finish(command, 2, &trail).await {
        Ok(output) => Some(decisive(&output)),
        Err(Unfinished::TooLong { .. }) => None,
        Err(error) => panic!("{error}"),
    };
    let row = Row { fault: fault.to_owned(), question, model: decisive(&model), real };
    domain.stop().await;
    row
}

/// Beginnings of lines that depend on the machine, or explain how bytes that are none of netlogon
/// or SID failed to be read.
const NOISE: [&str; 5] = [
    "added interface",
    "Registered MSG_REQ",
    "return code",
    "ndr_pull",
    "failed to parse netlogon response",
];

/// What xapi can see of an output, without what differs between two processes.
fn decisive(output: &Output) -> String {
    let is_noise = |line: &str| NOISE.iter().any(|noise| line.starts_with(noise));
    let stderr: Vec<&str> = output.stderr.lines().filter(|line| !is_noise(line)).collect();
    format!("exit {}\n{}\n{}", output.exit, output.stdout.trim(), stderr.join("\n"))
}
