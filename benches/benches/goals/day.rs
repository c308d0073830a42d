//! A simulated day of a pool with sessions, all duties of its hosts included.

use std::time::{Duration, Instant};

use benches::{Failure, Member, PASSWORD, Policy, Report, Scene, Served, Unit, processor_time};
use ground::Secret;
use sim_host::{Call, Timekeeper};
use tokio::runtime::Builder;

const HOSTS: usize = 16;
const SESSIONS: usize = 1_000;
const DAYS: u32 = 5;
const DAY: Duration = Duration::from_secs(86_400);
/// Milliseconds of a day.
const GOAL: f64 = 100.0;

pub(crate) fn measure(report: &mut Report) -> Result<(), Failure> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let (mut wall, mut processor) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        let scene = Scene::new(Policy::XapiRsa2048)?;
        let served = Served::start(&scene).await?;
        let member = Member::join(&served, HOSTS).await?;
        let directory = served.domain.directory();
        let sid = directory.sid_of("Administrator").ok_or("nobody is Administrator")?;
        member.call(Call::SubjectCreate { subject_identifier: sid.to_string() }).await?;
        let password = Secret::new(PASSWORD);
        for _ in 0..SESSIONS {
            member.pool.login("Administrator", &password, "bench", &member.trail).await?;
        }
        let keeper = Timekeeper::new(served.time.clone());
        // The first day has what is done once.
        for day in 0..=DAYS {
            let (start, used) = (Instant::now(), processor_time());
            keeper.advance(&member.pool, &member.trail, DAY).await;
            if day > 0 {
                wall.push(start.elapsed().as_secs_f64() * 1e3);
                processor.push((processor_time() - used).as_secs_f64() * 1e3);
            }
        }
        let left = member.pool.open_sessions().len();
        if left < SESSIONS {
            return Err(format!("{left} of {SESSIONS} sessions are left").into());
        }
        served.domain.stop().await;
        Ok::<_, Failure>(())
    })?;
    report.add("day/wall", Unit::Milliseconds, &wall, Some(GOAL));
    report.add("day/processor", Unit::Milliseconds, &processor, None);
    Ok(())
}
