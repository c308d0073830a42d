//! A simulated day of pools with sessions, all duties of their hosts included.
//!
//! A pool has no more than 500 sessions, so there are two. All are of one user, whom each run of
//! revalidation asks about once (xapi-flows.md §11.2 step 3), over real sockets.

use std::time::{Duration, Instant};

use benches::{Failure, Member, PASSWORD, Policy, Report, Scene, Served, Unit, processor_time};
use ground::{Secret, Trail};
use sim_host::{Call, CallResult, Due, Duties, Role, Timekeeper};
use tokio::runtime::Builder;

/// Hosts of each pool.
const HOSTS: usize = 8;
const POOLS: usize = 2;
/// Sessions of each pool.
const SESSIONS: usize = 500;
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
        let mut pools = Pools(Vec::new());
        for pool in 0..POOLS {
            pools.0.push(joined(&served, pool).await?);
        }
        let trail = pools.0.first().ok_or("there is no pool")?.trail.clone();
        let keeper = Timekeeper::new(served.time.clone());
        // The first day has what is done once.
        for day in 0..=DAYS {
            let (start, used) = (Instant::now(), processor_time());
            keeper.advance(&pools, &trail, DAY).await;
            if day > 0 {
                wall.push(start.elapsed().as_secs_f64() * 1e3);
                processor.push((processor_time() - used).as_secs_f64() * 1e3);
            }
        }
        for member in &pools.0 {
            let left = member.pool.open_sessions().len();
            if left < SESSIONS {
                return Err(format!("{left} of {SESSIONS} sessions are left").into());
            }
        }
        served.domain.stop().await;
        Ok::<_, Failure>(())
    })?;
    report.add("day/wall", Unit::Milliseconds, &wall, Some(GOAL));
    report.add("day/processor", Unit::Milliseconds, &processor, None);
    Ok(())
}

/// The pools of the day.
struct Pools(Vec<Member>);

impl Duties for Pools {
    fn next_due(&self) -> Option<Due> {
        self.0.iter().filter_map(|member| member.pool.next_due()).min()
    }

    fn begin_due(&self, due: Due, trail: &Trail) {
        if let Some(member) = self.0.iter().find(|member| member.pool.host(&due.host).is_some()) {
            member.pool.begin_due(due, trail);
        }
    }
}

async fn joined(served: &Served, pool: usize) -> Result<Member, Failure> {
    let first = pool * HOSTS + 1;
    let member = Member::join(served, first..=first + HOSTS - 1).await?;
    let directory = served.domain.directory();
    let sid = directory.sid_of("Administrator").ok_or("nobody is Administrator")?;
    let create = Call::SubjectCreate { subject_identifier: sid.to_string() };
    let CallResult::Reference(subject) = member.pool.call(create, &member.trail).await? else {
        return Err("subject.create gave no reference".into());
    };
    let role = Role::PoolAdmin.reference();
    member.call(Call::SubjectAddToRoles { subject, role }).await?;
    let password = Secret::new(PASSWORD);
    for _ in 0..SESSIONS {
        member.pool.login("Administrator", &password, "bench", &member.trail).await?;
    }
    Ok(member)
}
