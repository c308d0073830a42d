//! What the model and `net` say of a DC that is found badly: `net lookup kdc`, `net ads lookup` and
//! `net ads search` under every fault of discovery, with two sound DCs beside.

use std::{collections::BTreeSet, iter, sync::Arc};

use fake_dc::{Domain, Ports};
use ground::{Clock, Secret, Seed};
use sim_host::{Credentials, Output, SambaCommand, Server, real::Unfinished};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{namespace::in_namespace, world::Host};

/// Pairs of programs that run at once: the real one is idle while a DC is silent.
const AT_ONCE: usize = 16;

/// Faults of a way, where they change how a DC is found.
const OF_THE_WAY: [&str; 3] = ["net.refuse@cldap", "net.black-hole@cldap", "net.latency@cldap"];

/// Kerberos looks for its servers once for every transport and again for every ticket, and waits for
/// each answer as long as the C library does.
const TOO_LONG: [&str; 3] =
    ["discovery.dns-garbage", "discovery.dns-timeout", "discovery.dns-wrong-id"];

#[test]
fn model_and_net_find_the_same() {
    in_namespace("faults::model_and_net_find_the_same", || {
        let rows = tokio::runtime::Runtime::new().unwrap().block_on(async {
            let found_by = |id: &&str| id.starts_with("discovery.") || id.starts_with("name.cldap");
            let faults = fake_dc::faults::catalogue().into_iter().map(|fault| fault.id);
            let faults = iter::once("").chain(faults.filter(found_by)).chain(OF_THE_WAY);
            let (mut tasks, places) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
            for (network, fault) in (1..).zip(faults) {
                let place = Arc::clone(&places).acquire_owned().await.unwrap();
                tasks.spawn(async move {
                    let _place = place;
                    compare(network, fault).await
                });
            }
            let mut rows: Vec<Row> = tasks.join_all().await.into_iter().flatten().collect();
            // The model waits for an answer as long as a quiet machine needs, and this was a busy
            // one: what differs is looked at once more, alone.
            let differs = |row: &&Row| row.real.as_ref().is_some_and(|real| *real != row.model);
            let again: BTreeSet<&str> = rows.iter().filter(differs).map(|row| row.fault).collect();
            for (network, fault) in (200..).zip(again) {
                rows.retain(|row| row.fault != fault);
                rows.extend(compare(network, fault).await);
            }
            rows
        });
        let (mut compared, mut different) = (0, Vec::new());
        for Row { command, fault, model, real } in rows {
            match real {
                None => eprintln!("SKIPPED: {command}, {fault}: net waits longer than this test"),
                Some(real) => {
                    compared += 1;
                    if real != model {
                        different.push(format!(
                            "== {command}, {fault}\n--- model\n{model}\n--- net\n{real}"
                        ));
                    }
                }
            }
        }
        different.sort();
        assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
        assert!(compared > 90, "{compared} were compared");
    });
}

struct Row {
    command: &'static str,
    fault: &'static str,
    model: String,
    real: Option<String>,
}

/// What both say of the DC with `fault`, which is the first of three at 127.0.`network`.10.
async fn compare(network: u8, fault: &'static str) -> Vec<Row> {
    let clock = Clock::system();
    let mut builder = Domain::builder("lab.example")
        .index(network)
        .seed(Seed::new(1))
        .clock(clock.clone())
        .dcs(3)
        .ports(Ports::STANDARD);
    if !fault.is_empty() {
        builder = builder.fault("dc1", fault);
    }
    let domain = builder.start().await.unwrap();
    let host = Host::of(&domain, clock);
    let server = domain.dc("dc1").unwrap().ip().into();
    let credentials = Credentials::User {
        user: "Administrator".to_owned(),
        password: Secret::new("Passw0rd!Lab1"),
    };
    let mut commands = vec![
        ("lookup kdc", SambaCommand::LookupKdc { domain: "lab.example".to_owned() }),
        ("ads lookup", SambaCommand::AdsLookup { server }),
        (
            "ads search",
            SambaCommand::AdsSearch {
                server: Server::Address(server),
                credentials: credentials.clone(),
                filter: "(sAMAccountName=krbtgt)".to_owned(),
                attributes: vec!["objectSid".to_owned()],
            },
        ),
    ];
    let domain_sid = domain.directory().domain_sid();
    let sids = [format!("{domain_sid}-500"), format!("{domain_sid}-99999"), "krbtgt".to_owned()];
    if fault.is_empty() {
        commands.extend(sids.map(|sid| {
            let attributes = vec!["name".to_owned(), "objectSid".to_owned()];
            let credentials = credentials.clone();
            let server = Server::Address(server);
            ("ads sid", SambaCommand::AdsSid { server, credentials, sid, attributes })
        }));
    }
    let mut rows = Vec::new();
    for (name, command) in commands {
        if name == "ads search" && TOO_LONG.contains(&fault) {
            continue;
        }
        let model = host.model(command.clone()).await;
        // What one command learns of DCs, the next knows.
        host.net(&["cache", "flush"], None).await;
        let real = match host.real(command).await {
            Ok(output) => Some(decisive(fault, &output)),
            Err(Unfinished::TooLong { .. }) => None,
            Err(error) => panic!("{error}"),
        };
        rows.push(Row { command: name, fault, model: decisive(fault, &model), real });
    }
    domain.stop().await;
    rows
}

/// Without the order of addresses, where it differs from question to question, and without lines that depend on the machine, or explain how bytes that are none of netlogon failed
/// to be read.
fn decisive(fault: &str, output: &Output) -> String {
    const NOISE: [&str; 3] = ["added interface", "ndr_pull", "failed to parse netlogon response"];
    let is_noise = |line: &str| NOISE.iter().any(|noise| line.starts_with(noise));
    let stderr: Vec<&str> = output.stderr.lines().filter(|line| !is_noise(line)).collect();
    let mut stdout: Vec<&str> = output.stdout.trim().lines().collect();
    if fault == "discovery.round-robin" {
        stdout.sort_unstable();
    }
    format!("exit {}\n{}\n{}", output.exit, stdout.join("\n"), stderr.join("\n"))
}
