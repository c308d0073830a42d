//! The fleet world: what strategies find there, that it is exact, and that it shows what sockets show.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::{thread, time::Duration};

use fake_dc::DcSpec;
use runner::fleet::{End, Fleet, FleetReport, Kind, Ran, Shares, Strategy, StrategySettings};

const SEED: u64 = 11;

fn report(count: usize, shares: &Shares, strategies: &[Strategy]) -> FleetReport {
    let settings = StrategySettings::default();
    FleetReport::in_memory(count, shares, strategies, &settings, [SEED]).unwrap()
}

fn exact(report: FleetReport) -> String {
    let runs: Vec<Ran> = report.runs.into_iter().map(Ran::exact).collect();
    serde_json::to_string_pretty(&runs).unwrap()
}

#[test]
fn two_runs_agree_to_the_millisecond_whatever_else_the_machine_does() {
    let once = || exact(report(30, &Shares::standard(), &Strategy::ALL));
    let alone = once();
    let together: Vec<_> = (0..4).map(|_| thread::spawn(once)).collect();
    for other in together {
        assert_eq!(other.join().unwrap(), alone);
    }
}

#[test]
fn every_strategy_finds_a_dc_that_is_sound_and_asks_each_at_most_once() {
    let shares = Shares::standard();
    let kinds = shares.draw(30, &ground::Seed::new(SEED).child("fleet"));
    let report = report(30, &shares, &Strategy::ALL);
    let took = |strategy| {
        report.runs.iter().find(|ran| ran.strategy == strategy).map(|ran| ran.took).unwrap()
    };
    assert!(took(Strategy::Parallel) <= took(Strategy::Staggered));
    assert!(took(Strategy::Staggered) <= took(Strategy::Sequential));
    assert!(took(Strategy::LastGoodFirst) <= took(Strategy::Sequential));
    for ran in &report.runs {
        let kind_of = |dc: &str| kinds[dc[2..].parse::<usize>().unwrap() - 1];
        let found = ran.found.as_deref().unwrap();
        assert!(kind_of(found).passes(), "{}: {found}", ran.strategy);
        let mut asked: Vec<&str> = ran.attempts.iter().map(|tried| tried.dc.as_str()).collect();
        let count = asked.len();
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(asked.len(), count, "{}", ran.strategy);
        for load in &ran.load {
            assert!(load.connections <= 1 && asked.contains(&load.dc.as_str()), "{load:?}");
        }
        assert_eq!(ran.ended(End::Passed), 1);
        for failed in ran.attempts.iter().filter(|tried| tried.end == End::Failed) {
            let tag = match kind_of(&failed.dc) {
                Kind::BadCertificate => "invalid-trusted-certs",
                _ => "generic",
            };
            assert_eq!(failed.verdict, Some(tag), "{failed:?}");
            assert!(failed.met.is_some(), "{failed:?}");
        }
    }
}

/// One after the other they take 15 s each, and none passes.
#[test]
fn black_holes_cost_virtual_time_only() {
    let dark = Shares::mostly(Kind::BlackHole, 100.0);
    let report = report(40, &dark, &[Strategy::Sequential, Strategy::Staggered]);
    let [sequential, staggered]: [Ran; 2] = report.runs.try_into().unwrap();
    // Samba waits 15 s for the answer to each ping.
    assert_eq!(sequential.took, Duration::from_secs(40 * 15));
    assert_eq!(staggered.took, Duration::from_millis(39 * 250 + 15_000));
    assert!(staggered.load.iter().all(|load| load.pings == 1 && load.connections == 0));
    assert_eq!(staggered.found, None);
}

/// Of each family one that the client meets in its own way.
const FAULTS: &[&str] = &[
    "algorithm.md5-leaf",
    "chain.missing-intermediate",
    "handshake.close-on-hello",
    "handshake.reset-on-hello",
    "handshake.tls13-only",
    "ldap.close-on-search",
    "ldap.empty-search-result",
    "ldap.reset-mid-search",
    "name.other-host",
    "net.connection-limit:0",
    "net.latency:20ms",
    "net.refuse",
    "net.reset-at-byte:100",
    "time.leaf-expired",
];

#[test]
fn the_fleet_shows_what_sockets_show() {
    let specs = || {
        let dc = |(index, fault): (usize, &&str)| {
            // The KDC is sound, so that every probe comes as far as the fault.
            let spec = DcSpec::new(format!("dc{}", index + 1));
            match fault.starts_with("net.") {
                true => ["cldap", "ldap", "ldaps"]
                    .into_iter()
                    .map(|at| format!("{fault}@{at}"))
                    .filter(|text| text.parse::<fake_dc::Fault>().is_ok())
                    .fold(spec, DcSpec::fault),
                false => spec.fault(*fault),
            }
        };
        let sound = DcSpec::new("sound");
        FAULTS.iter().enumerate().map(dc).chain([sound]).collect::<Vec<_>>()
    };
    let names: Vec<String> = specs()
        .iter()
        .enumerate()
        .map(|(i, _)| match FAULTS.get(i) {
            Some(_) => format!("dc{}", i + 1),
            None => "sound".to_owned(),
        })
        .collect();
    let probe_all = async |in_memory| {
        let fleet = Fleet::of_dcs(specs(), SEED, in_memory).await.unwrap();
        let mut verdicts = Vec::new();
        for (name, fault) in names.iter().zip(FAULTS.iter().chain([&"none"])) {
            verdicts.push((*fault, fleet.probe(name).await.unwrap()));
        }
        fleet.stop().await;
        verdicts
    };
    let in_memory = Fleet::runtime().unwrap().block_on(probe_all(true));
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let on_sockets = threads.block_on(probe_all(false));
    assert_eq!(in_memory, on_sockets);
    assert_eq!(in_memory.last(), Some(&("none", None)));
}
