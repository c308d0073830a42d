//! One judgement of a three-certificate chain, beside the TLS handshake it belongs to.
//!
//! The goal (issue 3): judging costs less than a tenth of the handshake, client and server
//! together. What a judgement is made of is measured apart.

use std::{hint::black_box, time::Duration};

use benches::{Failure, Policy, Scene};
use criterion::{Criterion, criterion_group, criterion_main};
use trust_verdict::{Client, PeerName, PemFile, Presented, TlsVersion};

criterion_group! {
    name = judgement;
    config = Criterion::default().measurement_time(Duration::from_secs(5));
    targets = judge, handshake, files
}
criterion_main!(judgement);

fn judge(criterion: &mut Criterion) {
    let scene = Scene::new(Policy::XapiRsa2048).expect("a domain");
    let client = Client::new(scene.client.clone()).expect("sound settings");
    let peer = PeerName::new(scene.peer.as_str());
    let mut group = criterion.benchmark_group("judge");
    group.bench_function("three-certificates", |bencher| {
        bencher.iter(|| client.judge(black_box(&peer), black_box(&scene.presented), scene.at));
    });
    let late = "2126-01-01T00:00:00Z".parse().expect("a time");
    group.bench_function("three-certificates-refused", |bencher| {
        bencher.iter(|| client.judge(black_box(&peer), black_box(&scene.presented), late));
    });
    group.finish();
}

fn handshake(criterion: &mut Criterion) {
    let scene = Scene::new(Policy::XapiRsa2048).expect("a domain");
    let handshake = scene.handshake().expect("sound configurations");
    let mut group = criterion.benchmark_group("handshake");
    group.bench_function("client-and-server", |bencher| bencher.iter(|| handshake.run()));
    let mut halves = |name: &str, half: fn(benches::Spent) -> Duration| {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                let each = (0..rounds).map(|_| handshake.run().map(half));
                each.sum::<Result<Duration, Failure>>().expect("a handshake")
            });
        });
    };
    halves("client", |spent| spent.client);
    halves("server", |spent| spent.server);
    group.finish();
}

fn files(criterion: &mut Criterion) {
    let scene = Scene::new(Policy::XapiRsa2048).expect("a domain");
    let der = scene.presented.certificates.concat();
    let mut group = criterion.benchmark_group("read");
    group.bench_function("chain-of-three", |bencher| {
        bencher.iter(|| Presented::from_bytes(black_box(&der), TlsVersion::Tls12));
    });
    group.bench_function("client-with-one-anchor", |bencher| {
        bencher.iter(|| Client::new(black_box(scene.client.clone())));
    });
    // A distribution's bundle is about that long. Repeats are read and compared like others.
    let mut large = scene.client.clone();
    if let Some(file) = &scene.client.trust.cafile
        && let trust_verdict::FileContent::Bytes(one) = &file.content
    {
        large.trust.cafile = Some(PemFile::new(file.path.as_str(), one.repeat(150)));
    }
    group.bench_function("client-with-150-blocks", |bencher| {
        bencher.iter(|| Client::new(black_box(large.clone())));
    });
    group.finish();
}
