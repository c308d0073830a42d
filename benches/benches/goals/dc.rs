//! Memory of a process with fake DCs: idle, for each further DC, for each connection; and how soon
//! it is ready.

use std::time::Instant;

use benches::{Failure, Policy, Prober, Report, Scene, Unit};
use tokio::{io::AsyncReadExt as _, runtime::Builder, time::timeout};

use crate::child::Held;

/// Processes of each kind.
const PROCESSES: usize = 5;
/// DCs of a large domain.
const MANY: usize = 200;
/// Connections of each kind.
const CONNECTIONS: usize = 200;

pub(crate) fn measure(report: &mut Report) -> Result<(), Failure> {
    let (mut one, mut many, mut further) = (Vec::new(), Vec::new(), Vec::new());
    let (mut one_ready, mut many_ready) = (Vec::new(), Vec::new());
    let (mut one_used, mut many_used) = (Vec::new(), Vec::new());
    for _ in 0..PROCESSES {
        let start = Instant::now();
        let single = Held::start("domain", 1)?;
        one_ready.push(start.elapsed().as_secs_f64() * 1e3);
        one_used.push(single.processor_ms);
        let single = kib(&single)?;
        let start = Instant::now();
        let domain = Held::start("domain", MANY)?;
        many_ready.push(start.elapsed().as_secs_f64() * 1e3);
        many_used.push(domain.processor_ms);
        let domain = kib(&domain)?;
        one.push(single);
        many.push(domain);
        further.push((domain - single) / (MANY - 1) as f64);
    }
    report.add("dc/idle", Unit::Kib, &one, Some(8.0 * 1_024.0));
    report.add("dc/ready", Unit::Milliseconds, &one_ready, Some(10.0));
    report.add("dc/ready-processor", Unit::Milliseconds, &one_used, None);
    report.add("dc/further", Unit::Kib, &further, Some(300.0));
    report.add("dc/200/idle", Unit::Kib, &many, Some(64.0 * 1_024.0));
    report.add("dc/200/ready", Unit::Milliseconds, &many_ready, Some(300.0));
    report.add("dc/200/ready-processor", Unit::Milliseconds, &many_used, None);
    connections(report)
}

/// What the server holds for a connection that has only shaken hands, and for one that has searched.
fn connections(report: &mut Report) -> Result<(), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let scene = Scene::new(Policy::XapiRsa2048)?;
    let server = Held::start("scene", 1)?;
    let prober = Prober::new(&scene, server.said.parse()?)?;
    runtime.block_on(async {
        // What the first one makes stays.
        drop(prober.connect_and_search().await?);
        let before = kib(&server)?;
        let mut held = Vec::with_capacity(2 * CONNECTIONS);
        for _ in 0..CONNECTIONS {
            held.push(prober.connect().await?);
        }
        let idle = kib(&server)?;
        for _ in 0..CONNECTIONS {
            held.push(prober.connect_and_search().await?);
        }
        let active = kib(&server)?;
        let each = |more: f64| [more / CONNECTIONS as f64];
        report.add("dc/connection/idle", Unit::Kib, &each(idle - before), None);
        report.add("dc/connection/active", Unit::Kib, &each(active - idle), None);
        // None of them has been closed.
        for tls in &mut held {
            let mut unread = [0; 1];
            if timeout(std::time::Duration::ZERO, tls.read(&mut unread)).await.is_ok() {
                return Err("the DC closed a connection".into());
            }
        }
        Ok(())
    })
}

/// What the process holds.
fn kib(held: &Held) -> Result<f64, Failure> {
    Ok(held.memory()?.rss as f64)
}
