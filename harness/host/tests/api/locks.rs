//! Many callers at once (xapi-flows.md §17): all get their turn, and nobody waits for ever.
//!
//! Which calls there are is drawn from a seed, and the programs give way to other callers wherever
//! they run, on several threads. There is no timer: a caller that has ended stands still like one
//! that waits, so in the moment in which all stand still either all have ended, or those that have
//! not are in a deadlock.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use ground::{Secret, Seed};
use rand::RngExt as _;
use sim_host::{
    AuthConfig, Call, ExtAuthSetting, Pool, Profile, Quirk, Reference,
    facts::{CallBegan, CallEnded, LockTaken, LockWaiting},
};

use crate::support::{DOMAIN, PASSWORD, Plan};

const CALLERS: usize = 120;
const SEEDS: u64 = 6;

/// What one caller does.
enum Request {
    Call(Call),
    Login(&'static str),
}

async fn make(pool: &Pool, request: Request, trail: &ground::Trail) {
    // Most calls fail for some reason: others have just undone what they need.
    match request {
        Request::Call(call) => drop(pool.call(call, trail).await),
        Request::Login(user) => {
            let password = Secret::new(if user == "root" { "xenroot" } else { PASSWORD });
            drop(pool.login(user, &password, "stress", trail).await);
        }
    }
}

fn draw(random: &mut ground::Stream, pool: &Pool) -> Request {
    let config =
        || [("user", "Administrator"), ("pass", PASSWORD)].into_iter().collect::<AuthConfig>();
    let host = pool.hosts()[random.random_range(0..pool.hosts().len())].reference().clone();
    let sid = format!("S-1-5-21-1-2-3-{}", random.random_range(1_100..1_105));
    let ldaps = random.random_range(0..2) == 0;
    let force = (pool.profile() == Profile::Landed).then_some(true);
    let (service_name, auth_type) = (DOMAIN.to_owned(), "AD".to_owned());
    Request::Call(match random.random_range(0..16) {
        0 | 1 => {
            Call::PoolEnableExternalAuth { pool: None, config: config(), service_name, auth_type }
        }
        2 => Call::PoolDisableExternalAuth { pool: None, config: config() },
        3 | 4 => Call::PoolExternalAuthSetLdaps { pool: None, ldaps, force },
        5 => Call::HostEnableExternalAuth { host, config: config(), service_name, auth_type },
        6 => Call::HostDisableExternalAuth { host, config: config(), force: ldaps },
        7 => Call::HostExternalAuthSetLdaps { host, ldaps, force },
        8 => Call::AuthGetSubjectIdentifier { subject_name: "alice".to_owned() },
        9 => Call::AuthGetGroupMembership { subject_identifier: sid },
        10 => Call::SubjectCreate { subject_identifier: sid },
        11 => match pool.database_view().subjects.first() {
            Some(subject) => Call::SubjectDestroy { subject: subject.reference.clone() },
            None => Call::SubjectDestroy { subject: Reference::null() },
        },
        12 => {
            Call::PoolSetExtAuth { setting: ExtAuthSetting::MaxThreads(random.random_range(1..4)) }
        }
        13 => Call::PoolCertificateSync,
        14 => return Request::Login("root"),
        _ => return Request::Login("alice"),
    })
}

async fn all_end(plan: Plan, seed: u64) {
    let rig = plan.build();
    for number in 1..=rig.scripts.len() {
        rig.scripts[number - 1].gives_way();
    }
    let (pool, trail) = (Arc::new(rig.pool), rig.trail);
    let ended = Arc::new(AtomicUsize::new(0));
    let mut random = Seed::new(seed).stream("callers");
    for _ in 0..CALLERS {
        let request = draw(&mut random, &pool);
        let (pool, trail, ended) = (Arc::clone(&pool), trail.clone(), Arc::clone(&ended));
        tokio::spawn(async move {
            make(&pool, request, &trail).await;
            ended.fetch_add(1, Ordering::SeqCst);
            pool.waiting_room().enter();
        });
    }
    pool.waiting_room().holds(CALLERS).await;
    let events = trail.ledger().events();
    let waits: Vec<_> = events.iter().filter_map(|event| event.fact::<LockWaiting>()).collect();
    assert_eq!(ended.load(Ordering::SeqCst), CALLERS, "seed {seed}: a deadlock: {waits:?}");
    // Whoever waited has had the lock, and every call that began has ended.
    let count = |is: fn(&ground::Event) -> bool| events.iter().filter(|event| is(event)).count();
    assert!(waits.len() > CALLERS / 4, "seed {seed}: {} waits", waits.len());
    assert_eq!(waits.len(), count(|event| event.fact::<LockTaken>().is_some()));
    let begun = count(|event| event.fact::<CallBegan>().is_some());
    assert_eq!(begun, count(|event| event.fact::<CallEnded>().is_some()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_of_the_released_toolstack_all_end() {
    for seed in 0..SEEDS {
        all_end(Plan::new(Profile::Landed, 3), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_of_the_design_all_end_also_where_logins_wait() {
    for seed in 0..SEEDS {
        let plan = Plan::new(Profile::DesignV1, 3);
        let waits = seed % 2 == 0;
        all_end(plan.quirk(Quirk::LoginBlocksDuringSetLdaps, waits), seed).await;
    }
}
