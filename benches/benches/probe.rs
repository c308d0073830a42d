//! One LDAPS probe and its parts, over loopback TCP against a fake DC with the full directory.
//!
//! Client and DC are on one thread, so a part's figure is the time of both ends. `whole` is also
//! taken as processor time, and beside a bare handshake, by the bench `goals`.

use std::time::Duration;

use benches::{Bare, Failure, Part, Parts, Policy, Prober, Scene, Served, Spent, processor_time};
use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::{Builder, Runtime};

criterion_group! {
    name = probe;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = probe_and_parts
}
criterion_main!(probe);

fn probe_and_parts(criterion: &mut Criterion) {
    for policy in Policy::ALL {
        of_policy(criterion, policy).expect("a sound domain");
    }
}

fn of_policy(criterion: &mut Criterion, policy: Policy) -> Result<(), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let scene = Scene::new(policy)?;
    let served = runtime.block_on(Served::start(&scene))?;
    let dc = served.domain.dcs().next().ok_or("no DC")?;
    let prober = Prober::new(&scene, dc.ldaps())?;
    let handshake = scene.handshake()?;
    let bare = runtime.block_on(Bare::start(handshake.clone()))?;

    let mut group = criterion.benchmark_group(format!("probe-{}", policy.name()));
    let mut part = |name: &str, part: &dyn Fn(&Parts) -> Duration| {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| sum(&runtime, &prober, rounds, part));
        });
    };
    for each in Part::ALL {
        part(each.name(), &|parts| parts[each]);
    }
    part("whole", &Parts::whole);
    let mut end = |name: &str, of: fn(Spent) -> Duration| {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                let each = (0..rounds).map(|_| handshake.run().map(of));
                each.sum::<Result<Duration, Failure>>().expect("a handshake")
            });
        });
    };
    end("handshake-client", |spent| spent.client);
    end("handshake-server", |spent| spent.server);
    group.bench_function("bare-handshake", |bencher| {
        bencher.iter_custom(|rounds| {
            let start = processor_time();
            let all = async {
                for _ in 0..rounds {
                    bare.shake_hands().await?;
                }
                Ok::<_, Failure>(())
            };
            runtime.block_on(all).expect("handshakes");
            processor_time().saturating_sub(start)
        });
    });
    group.finish();
    Ok(())
}

/// What one part of so many probes takes, in processor time.
fn sum(
    runtime: &Runtime,
    prober: &Prober,
    rounds: u64,
    part: &dyn Fn(&Parts) -> Duration,
) -> Duration {
    let all = async {
        let mut sum = Duration::ZERO;
        for _ in 0..rounds {
            sum += part(&prober.probe(processor_time).await?);
        }
        Ok::<_, Failure>(sum)
    };
    runtime.block_on(all).expect("probes")
}
