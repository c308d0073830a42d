//! How long a fake domain takes until every listener takes connections.
//!
//! Each DC has a chain of its own, signed anew, and ports that the system chooses. What one more DC
//! costs is the slope over `domain-start/*`.

use std::time::{Duration, Instant};

use benches::{DOMAIN, START};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fake_dc::Domain;
use ground::{Seed, VirtualClock};
use tokio::runtime::Builder;

criterion_group! {
    name = domain;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = start
}
criterion_main!(domain);

/// DCs of a domain.
const SIZES: [usize; 5] = [1, 2, 20, 100, 200];

fn start(criterion: &mut Criterion) {
    let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let at = START.parse().expect("a time");
    let mut group = criterion.benchmark_group("domain-start");
    for dcs in SIZES {
        group.bench_with_input(BenchmarkId::from_parameter(dcs), &dcs, |bencher, &dcs| {
            bencher.iter_custom(|rounds| {
                let mut sum = Duration::ZERO;
                for round in 0..rounds {
                    let clock = VirtualClock::starting_at(at).clock();
                    let builder = Domain::builder(DOMAIN).dcs(dcs).seed(Seed::new(round));
                    let start = Instant::now();
                    let domain = runtime.block_on(builder.clock(clock).start());
                    sum += start.elapsed();
                    runtime.block_on(domain.expect("a domain").stop());
                }
                sum
            });
        });
    }
    group.finish();
}
