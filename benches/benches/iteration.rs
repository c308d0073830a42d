//! What our own code costs when a host looks for a DC that passes, by strategy and domain; and, with
//! `-- --table`, how long it takes in virtual time.
//!
//! In the fleet world waiting costs nothing, so all that is measured is work: probes, handshakes of
//! both ends, DCs, ledger. Over sockets only kinds of DCs are used that let nobody wait.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench whose world is not there cannot go on"
)]

use std::{
    env,
    time::{Duration, Instant},
};

use criterion::{BenchmarkGroup, BenchmarkId, Criterion, measurement::WallTime};
use runner::fleet::{Fleet, Kind, Shares, Strategy, StrategySettings, markdown, standard};
use tokio::runtime::Runtime;

const SEED: u64 = 1;

fn main() {
    if env::args().any(|argument| argument == "--table") {
        let tables = standard(SEED).unwrap();
        println!("{}", tables.iter().map(markdown).collect::<Vec<_>>().join("\n").trim_end());
        return;
    }
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(10)
        .configure_from_args();
    starts(&mut criterion);
    in_memory(&mut criterion);
    on_sockets(&mut criterion);
    criterion.final_summary();
}

/// From nothing to a fleet that can be asked.
fn starts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fleet-start");
    for count in [10, 100, 1_000] {
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter_custom(|times| {
                let mut sum = Duration::ZERO;
                for _ in 0..times {
                    let runtime = Fleet::runtime().unwrap();
                    let started = Instant::now();
                    let fleet =
                        runtime.block_on(Fleet::in_memory(count, &Shares::standard(), SEED));
                    sum += started.elapsed();
                    runtime.block_on(fleet.unwrap().stop());
                }
                sum
            });
        });
    }
}

fn in_memory(criterion: &mut Criterion) {
    let dark = Shares::mostly(Kind::BlackHole, 90.0);
    let domains = [
        ("10", 10, Shares::standard()),
        ("100", 100, Shares::standard()),
        ("1000", 1_000, Shares::standard()),
        ("1000-of-which-900-dark", 1_000, dark.clone()),
        ("1000-of-which-the-first-900-dark", 1_000, dark.worst_first()),
    ];
    for (name, count, shares) in domains {
        let mut group = criterion.benchmark_group(format!("fleet-{name}"));
        let runtime = Fleet::runtime().unwrap();
        let fleet = runtime.block_on(Fleet::in_memory(count, &shares, SEED)).unwrap();
        strategies(&mut group, &runtime, &fleet);
        runtime.block_on(fleet.stop());
    }
}

fn on_sockets(criterion: &mut Criterion) {
    let shares: Shares = "refused=60,bad-certificate=20".parse().unwrap();
    for count in [1, 3, 10, 30] {
        let mut group = criterion.benchmark_group(format!("sockets-{count}"));
        let runtime = Runtime::new().unwrap();
        let fleet = runtime.block_on(Fleet::on_sockets(count, &shares, SEED)).unwrap();
        strategies(&mut group, &runtime, &fleet);
        runtime.block_on(fleet.stop());
    }
}

fn strategies(group: &mut BenchmarkGroup<'_, WallTime>, runtime: &Runtime, fleet: &Fleet) {
    // The last good one is known beforehand: the search for it is no part of the strategy.
    let last_good =
        runtime.block_on(fleet.run(Strategy::Sequential, &StrategySettings::default(), SEED));
    let last_good = last_good.found.and_then(|name| fleet.number_of(&name));
    let settings = StrategySettings { last_good, ..StrategySettings::default() };
    for strategy in Strategy::ALL {
        group.bench_function(strategy.name(), |bencher| {
            bencher.iter_custom(|times| {
                let runs =
                    (0..times).map(|_| runtime.block_on(fleet.run(strategy, &settings, SEED)));
                runs.map(|ran| ran.wall).sum()
            });
        });
    }
}
