//! A probe against a bare handshake of the same policy, both ends of either on one core.

use std::time::Duration;

use benches::{
    Bare, Failure, Member, Part, Policy, Prober, Report, Scene, Served, Unit, on_one_core,
    processor_time,
};
use tokio::runtime::Builder;

/// Pairs of rounds.
const ROUNDS: usize = 15;
/// Handshakes or probes of a round.
const EACH: u32 = 30;
/// What a probe may cost in handshakes.
const GOAL: f64 = 1.2;

pub(crate) fn measure(report: &mut Report) -> Result<(), Failure> {
    // The others may use all cores.
    std::thread::scope(|scope| {
        let measured = scope.spawn(|| {
            on_one_core()?;
            Policy::ALL.into_iter().try_for_each(|policy| of_policy(policy, report))
        });
        measured.join().unwrap_or_else(|_| Err("the measuring thread panicked".into()))
    })
}

fn of_policy(policy: Policy, report: &mut Report) -> Result<(), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (mut bare_us, mut probe_us, mut host_us) = (Vec::new(), Vec::new(), Vec::new());
    let mut parts = Part::ALL.map(|_| Vec::new());
    runtime.block_on(async {
        let scene = Scene::new(policy)?;
        let served = Served::start(&scene).await?;
        let dc = served.domain.dcs().next().ok_or("the domain has no DC")?;
        let bare = Bare::start(scene.handshake()?).await?;
        let prober = Prober::new(&scene, dc.ldaps())?;
        // A simulated host has xapi's policy.
        let member = match policy {
            Policy::XapiRsa2048 => Some(Member::join(&served, 1..=1).await?),
            _ => None,
        };
        // The first round warms up.
        for round in 0..=ROUNDS {
            let start = processor_time();
            for _ in 0..EACH {
                bare.shake_hands().await?;
            }
            let after_bare = processor_time();
            let mut sums = Part::ALL.map(|_| Duration::ZERO);
            for _ in 0..EACH {
                let probe = prober.probe(processor_time).await?;
                for (sum, part) in sums.iter_mut().zip(Part::ALL) {
                    *sum += probe[part];
                }
            }
            let after_probes = processor_time();
            if let Some(member) = &member {
                for _ in 0..EACH {
                    member.probe().await?;
                }
            }
            let after_hosts = processor_time();
            if round == 0 {
                continue;
            }
            bare_us.push(micros(after_bare - start));
            probe_us.push(micros(after_probes - after_bare));
            for (samples, sum) in parts.iter_mut().zip(sums) {
                samples.push(micros(sum));
            }
            if member.is_some() {
                host_us.push(micros(after_hosts - after_probes));
            }
        }
        served.domain.stop().await;
        Ok::<_, Failure>(())
    })?;
    let path = format!("probe/{}", policy.name());
    let ratios = |of: &[f64]| -> Vec<f64> {
        of.iter().zip(&bare_us).map(|(probe, bare)| probe / bare).collect()
    };
    report.add(format!("{path}/ratio"), Unit::Ratio, &ratios(&probe_us), Some(GOAL));
    report.add(format!("{path}/bare-handshake"), Unit::Microseconds, &bare_us, None);
    report.add(format!("{path}/whole"), Unit::Microseconds, &probe_us, None);
    for (samples, part) in parts.iter().zip(Part::ALL) {
        report.add(format!("{path}/{}", part.name()), Unit::Microseconds, samples, None);
    }
    if !host_us.is_empty() {
        report.add(format!("{path}/net-ads-search/ratio"), Unit::Ratio, &ratios(&host_us), None);
        report.add(format!("{path}/net-ads-search"), Unit::Microseconds, &host_us, None);
        let rate: Vec<f64> = host_us.iter().map(|us| 1e6 / us).collect();
        report.add(format!("{path}/net-ads-search/rate"), Unit::PerSecond, &rate, None);
    }
    Ok(())
}

/// Of one of a round.
fn micros(round: Duration) -> f64 {
    round.as_secs_f64() * 1e6 / f64::from(EACH)
}
