//! Several callers at once (xapi-flows.md §17).
//!
//! A program is held up where a caller must stand still, and the pool's waiting room says when
//! nobody moves any more: no timer decides. The last test lets callers run as they come.

use std::{collections::BTreeSet, sync::Arc};

use ground::{Seed, Trail};
use rand::RngExt as _;
use sim_host::{
    ApiError, Call, LockName, Pool, PoolOperation, Profile, Quirk,
    facts::{LockTaken, LockWaiting, OperationBegan},
};
use tokio::task::JoinHandle;

use crate::{
    estate::{Estate, Plan, Rig, host_set_ldaps, install, set_ldaps, uninstall},
    state::{Conf, Configuration, HostState},
};

const RESTART: &str = "systemctl restart winbind";

/// A pool that several tasks share.
struct Shared {
    rig: Arc<Rig>,
}

impl Shared {
    fn new(rig: Rig) -> Self {
        Self { rig: Arc::new(rig) }
    }

    /// Somebody calls, and goes on by himself.
    fn spawn(&self, call: Call) -> JoinHandle<Result<(), ApiError>> {
        let rig = Arc::clone(&self.rig);
        tokio::spawn(async move { rig.call(call).await })
    }

    /// Comes back when so many callers stand still.
    async fn standing(&self, count: usize) {
        self.rig.pool.waiting_room().holds(count).await;
    }

    fn pool(&self) -> &Pool {
        &self.rig.pool
    }

    fn trail(&self) -> &Trail {
        &self.rig.trail
    }

    /// Who has waited for a lock so far, and which.
    fn waiting(&self) -> Vec<(LockName, &'static str)> {
        let events = self.trail().ledger().events();
        let waiting = events.iter().filter_map(|event| event.fact::<LockWaiting>());
        waiting.map(|fact| (fact.lock, fact.task)).collect()
    }

    fn ldaps(&self) -> Vec<bool> {
        self.pool().database_view().hosts.iter().map(sim_host::HostRecord::ldaps).collect()
    }
}

/// "External auth calls and certificate calls do not exclude each other."
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificate_calls_pass_external_auth_calls_and_are_passed() {
    let estate = Estate::start().await;
    for profile in Profile::ALL {
        let image = estate.joined(&Plan::new(profile, 3), false).await;
        let shared = Shared::new(estate.begin(&image));
        shared.rig.host(1).hold_program(RESTART);
        let toggle = shared.spawn(set_ldaps(true, None));
        shared.standing(1).await;
        let events = shared.trail().ledger().events();
        let operations = events.iter().filter(|event| event.fact::<OperationBegan>().is_some());
        assert_eq!(operations.count(), 0, "the pool extauth lock is not a pool operation");
        let other = estate.domain.pki().certificate_pem(fake_dc_pki::CaCertificate::UnknownRoot);
        let other = other.unwrap();
        shared.rig.call(install(&other, &["ldaps"])).await.unwrap();
        let reference = shared.pool().certificate_by_pem(&other).unwrap();
        shared.rig.call(uninstall(reference)).await.unwrap();
        shared.rig.host(1).release_program(RESTART);
        assert_eq!(toggle.await.unwrap(), Ok(()));
        assert_eq!(shared.ldaps(), [true; 3]);

        // The other way round: certificate calls would wait for an operation, a toggle does not.
        shared.pool().begin_operation(PoolOperation::HaEnable, None, shared.trail());
        assert_eq!(shared.rig.set_ldaps(false, None).await, Ok(()));
        let waits = shared.rig.call(install(&other, &[])).await.unwrap_err();
        assert_eq!(waits.code, "OTHER_OPERATION_IN_PROGRESS", "after two hours");
        assert_eq!(shared.waiting(), [], "{profile}: nobody has waited for a lock");
    }
    estate.domain.stop().await;
}

/// The pool extauth lock is held for the whole call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_toggles_take_turns() {
    let estate = Estate::start().await;
    for profile in Profile::ALL {
        let image = estate.joined(&Plan::new(profile, 3), false).await;
        for host in 0..3 {
            let shared = Shared::new(estate.begin(&image));
            shared.rig.host(host).hold_program(RESTART);
            let first = shared.spawn(set_ldaps(true, None));
            shared.standing(1).await;
            let done = shared.ldaps();
            let second = shared.spawn(set_ldaps(false, None));
            shared.standing(2).await;
            let waiting = [(LockName::PoolExtauth, "pool.external_auth_set_ldaps")];
            assert_eq!(shared.waiting(), waiting);
            assert_eq!(shared.ldaps(), done, "the second has changed nothing");
            shared.rig.host(host).release_program(RESTART);
            assert_eq!(first.await.unwrap(), Ok(()));
            assert_eq!(second.await.unwrap(), Ok(()));
            assert_eq!(shared.ldaps(), [false; 3], "{profile}");
            let taken = shared.trail().ledger().events();
            let taken = taken.iter().filter(|event| event.fact::<LockTaken>().is_some()).count();
            assert_eq!(taken, 1);
        }
    }
    estate.domain.stop().await;
}

/// The host extauth lock belongs to each host's process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_work_side_by_side_and_each_does_one_thing_at_a_time() {
    let estate = Estate::start().await;
    for profile in Profile::ALL {
        let image = estate.joined(&Plan::new(profile, 3), false).await;
        let shared = Shared::new(estate.begin(&image));
        let call = |host, ldaps| host_set_ldaps(shared.rig.reference(host), ldaps);
        for host in [0, 1] {
            shared.rig.host(host).hold_program(RESTART);
        }
        let first = shared.spawn(call(0, true));
        let second = shared.spawn(call(1, true));
        shared.standing(2).await;
        assert_eq!(shared.waiting(), [], "both have come as far as their restarts");
        assert_eq!(shared.rig.call(call(2, true)).await, Ok(()), "{profile}");
        let third = shared.spawn(call(0, false));
        shared.standing(3).await;
        let waiting = [(LockName::HostExtauth, "host.external_auth_set_ldaps")];
        assert_eq!(shared.waiting(), waiting);
        shared.rig.host(1).release_program(RESTART);
        assert_eq!(second.await.unwrap(), Ok(()));
        assert_eq!(shared.ldaps(), [false, true, true], "host1 still stands");
        shared.rig.host(0).release_program(RESTART);
        assert_eq!(first.await.unwrap(), Ok(()));
        assert_eq!(third.await.unwrap(), Ok(()));
        assert_eq!(shared.ldaps(), [false, true, true]);
    }
    estate.domain.stop().await;
}

/// Q4: who has waited for the lock goes back to what was true before the other's call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_old_value_is_read_before_the_lock_or_under_it() {
    let estate = Estate::start().await;
    for profile in Profile::ALL {
        for race in [true, false] {
            let plan = Plan::new(profile, 2).quirk(Quirk::SetLdapsOldValueRace, race);
            let image = estate.joined(&plan, false).await;
            let shared = Shared::new(estate.begin(&image));
            shared.rig.host(0).hold_program(RESTART);
            let first = shared.spawn(set_ldaps(true, None));
            shared.standing(1).await;
            // While it waits the old value is `false`; when its turn comes, `true`.
            let second = shared.spawn(set_ldaps(false, None));
            shared.standing(2).await;
            // What the second finds on its way: the member goes away after the first.
            let member = shared.rig.host(1).clone();
            let programs = &shared.rig.programs[0];
            let at = programs.log().len() + 4;
            programs.at(at, false, move |_| {
                member.set_liveness(sim_host::Liveness::Offline);
                None
            });
            shared.rig.host(0).release_program(RESTART);
            assert_eq!(first.await.unwrap(), Ok(()));
            assert_eq!(second.await.unwrap().unwrap_err().code, "HOST_OFFLINE");
            // With the race `old` equals the wanted value, and "nothing is reverted".
            assert_eq!(shared.ldaps(), [!race, true], "{profile}, race {race}");
        }
    }
    estate.domain.stop().await;
}

/// Callers as they come: everybody comes back, and no host is left between two states.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_order_every_host_ends_in_one_state() {
    let estate = Estate::start().await;
    let seed = Seed::new(6);
    let mut outcomes = BTreeSet::new();
    for profile in Profile::ALL {
        let image = estate.joined(&Plan::new(profile, 3), false).await;
        for round in 0..8 {
            let shared = Shared::new(estate.begin(&image));
            let mut random = seed.stream(&format!("round {round}"));
            let callers: Vec<_> = (0..6)
                .map(|_| {
                    let ldaps = random.random_range(0..2) == 1;
                    let host = random.random_range(0..3);
                    match random.random_range(0..4) {
                        0 => shared.spawn(install(estate.domain.ca_pem(), &[])),
                        1 => {
                            let host = shared.rig.reference(host);
                            shared.spawn(host_set_ldaps(host, ldaps))
                        }
                        _ => {
                            let force = (profile == Profile::Landed).then_some(true);
                            shared.spawn(set_ldaps(ldaps, force))
                        }
                    }
                })
                .collect();
            for caller in callers {
                outcomes.insert(caller.await.unwrap().map_err(|error| error.code).err());
            }
            for index in 0..3 {
                let state = HostState::of(&estate, &shared.rig, index);
                let Configuration::Written { ldaps } = state.configuration else {
                    panic!("{profile}, round {round}: {state}");
                };
                assert_eq!(state.conf, Conf::Joined { ldaps }, "{profile}, round {round}");
                assert!(state.winbind, "{profile}, round {round}");
            }
            // Nobody has kept a lock.
            let force = (profile == Profile::Landed).then_some(true);
            assert_eq!(shared.rig.set_ldaps(true, force).await, Ok(()), "round {round}");
            assert_eq!(shared.ldaps(), [true; 3]);
        }
    }
    assert!(outcomes.contains(&None), "{outcomes:?}");
    estate.domain.stop().await;
}
