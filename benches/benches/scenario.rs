//! Scenarios: their text to a plan, and one of them from its file to its verdict.

use std::{fs, hint::black_box, path::Path, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use runner::{RunOptions, Suite, vocabulary};
use tokio::runtime::Builder;

criterion_group! {
    name = scenarios;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = parse, run
}
criterion_main!(scenarios);

/// A small one with one DC and one host, and one of the largest.
const FILES: [(&str, &str); 2] =
    [("small", "toggle-while-ad-is-disabled"), ("large", "extensions-that-forbid-the-use")];
/// A host joins with LDAPS: three DCs are probed.
const JOIN: &str = "one-good-dc-among-bad";

fn file(scenario: &str) -> std::path::PathBuf {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    scenarios.join(scenario).join("scenario.toml")
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scenario");
    group.bench_function("vocabulary", |bencher| bencher.iter(vocabulary));
    let words = vocabulary();
    for (name, scenario) in FILES {
        let text = fs::read_to_string(file(scenario)).expect("a bundled scenario");
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(format!("parse-{name}"), |bencher| {
            bencher.iter(|| scenario::parse(scenario, black_box(&text), &words).expect("sound"));
        });
    }
    group.finish();
}

fn run(criterion: &mut Criterion) {
    let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut group = criterion.benchmark_group("scenario");
    for (name, scenario) in [("run-small", FILES[0].1), ("run-join", JOIN)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let suite = Suite::load(&[file(scenario)]).expect("a bundled scenario");
                let options = RunOptions::default();
                let report = runtime.block_on(runner::run(&suite, &options, &mut |_| {}));
                assert!(report.held());
            });
        });
    }
    group.finish();
}
