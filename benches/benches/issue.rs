//! What certificates cost: those of a DC, and those of a domain.

use std::{hint::black_box, time::Duration};

use benches::{DOMAIN, START, chain};
use criterion::{Criterion, criterion_group, criterion_main};
use fake_dc_pki::{DcIdentity, KeyKind, Pki};
use ground::Seed;

criterion_group! {
    name = issue;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = certificates
}
criterion_main!(issue);

fn certificates(criterion: &mut Criterion) {
    let at = START.parse().expect("a time");
    let pki = Pki::new(&Seed::new(1), at, DOMAIN).expect("a CA");
    let dc = DcIdentity::new("dc1", DOMAIN, [127, 0, 0, 10].into());
    let mut group = criterion.benchmark_group("issue");
    group.bench_function("authority", |bencher| {
        bencher.iter(|| Pki::new(black_box(&Seed::new(1)), at, DOMAIN));
    });
    for (name, kind) in [("rsa2048", KeyKind::Rsa2048), ("p256", KeyKind::EcdsaP256)] {
        // Leaf and intermediate, with the lists of both CAs.
        group.bench_function(format!("chain-{name}"), |bencher| {
            bencher.iter(|| chain(black_box(&pki), kind));
        });
        let mut plan = pki.plan(&dc).expect("a plan");
        plan.leaf().of_kind(kind);
        let leaf = plan.leaf_id();
        group.bench_function(format!("leaf-{name}"), |bencher| {
            bencher.iter(|| black_box(&plan).issue_certificate(leaf));
        });
    }
    group.finish();
}
