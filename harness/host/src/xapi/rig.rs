//! All pools of a world, and which machine is in which of them.
//!
//! A pool reaches another only over the network. What cannot pass there is the simulated machine
//! itself: when its files say that it belongs elsewhere, the rig puts it there.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use ground::Trail;

use crate::{
    HostError,
    facts::HostMoved,
    xapi::{
        Host, Pool, PoolConfig,
        founding::PoolPlan,
        machine::{Machine, Membership},
    },
};

/// The pools of a world.
#[derive(Debug, Default)]
pub struct Rig {
    /// In the order of their beginning.
    pools: RwLock<Vec<Arc<Pool>>>,
}

impl Rig {
    /// A rig without pools.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Sets up a pool, as [`Pool::create`] does.
    pub fn create_pool(self: &Arc<Self>, config: PoolConfig) -> Result<Arc<Pool>, HostError> {
        let taken = |name: &str| self.host(name).is_some();
        if let Some(host) = config.hosts.iter().find(|host| taken(&host.name)) {
            return Err(HostError::DuplicateHost { name: host.name.clone() });
        }
        let pool = Arc::new(Pool::create_in(config, Arc::downgrade(self))?);
        self.change(|pools| pools.push(Arc::clone(&pool)));
        Ok(pool)
    }

    /// The pools in the order of their beginning.
    pub fn pools(&self) -> Vec<Arc<Pool>> {
        self.pools.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The pool that the host of this name is in.
    pub fn pool_of(&self, host: &str) -> Option<Arc<Pool>> {
        self.pools().into_iter().find(|pool| pool.host(host).is_some())
    }

    /// The host of this name.
    pub fn host(&self, name: &str) -> Option<Arc<Host>> {
        self.pools().iter().find_map(|pool| pool.host(name))
    }

    /// Restarts xapi of a host. Where its files say that it belongs to another pool than before, it
    /// starts there; if that pool has no record of it, it is stranded ([`Pool::emergency`]).
    ///
    /// # Errors
    ///
    /// There is no such host, its files cannot be used, or no pool has the coordinator that they
    /// name, or that coordinator does not know the host, which is a member of another pool.
    pub async fn restart(self: &Arc<Self>, name: &str, trail: &Trail) -> Result<(), HostError> {
        let unknown = || HostError::UnknownHost { name: name.to_owned() };
        let pool = self.pool_of(name).ok_or_else(unknown)?;
        let host = pool.host(name).ok_or_else(unknown)?;
        let is_coordinator = pool.is_coordinator(&host);
        match host.machine().membership()? {
            Membership::Coordinator if is_coordinator => {
                pool.leave_emergency();
                pool.restart(name, trail).await
            }
            Membership::Coordinator => {
                let alone = self.found(&pool, host.machine(), trail)?;
                pool.forget_host(&host);
                self.change(|pools| pools.push(Arc::clone(&alone)));
                alone.restart(name, trail).await
            }
            Membership::MemberOf(address) => {
                let has_it = |pool: &Arc<Pool>| pool.coordinator().machine().address == address;
                let unreachable = || HostError::NoCoordinator { host: name.to_owned(), address };
                let Some(target) = self.pools().into_iter().find(has_it) else {
                    let elsewhere =
                        self.pools().into_iter().filter(|other| !Arc::ptr_eq(other, &pool));
                    let mut elsewhere = elsewhere.flat_map(|other| other.hosts());
                    let asked = elsewhere.find(|asked| asked.machine().address == address);
                    return match asked {
                        // It has the secret of another pool now, and so does not know this one.
                        Some(asked) if pool.hosts().len() == 1 => {
                            let its = self.pool_of(asked.name()).ok_or_else(unknown)?;
                            pool.enter_emergency(&its, &asked, trail)
                        }
                        _ => Err(unreachable()),
                    };
                };
                if !Arc::ptr_eq(&target, &pool) {
                    match target.take_in(host.machine()) {
                        Err(HostError::UnknownToCoordinator { .. }) if pool.hosts().len() == 1 => {
                            return pool.enter_emergency(&target, &target.coordinator(), trail);
                        }
                        taken_in => taken_in?,
                    }
                    pool.forget_host(&host);
                    if is_coordinator {
                        self.change(|pools| pools.retain(|known| !Arc::ptr_eq(known, &pool)));
                        pool.close()?;
                    }
                    let (from, to) = (pool.name(), target.name());
                    trail.record(HostMoved { host: name.to_owned(), from, to });
                }
                target.restart(name, trail).await
            }
        }
    }

    /// A pool of its own for a machine that has left one.
    fn found(
        self: &Arc<Self>,
        left: &Pool,
        machine: &Arc<Machine>,
        trail: &Trail,
    ) -> Result<Arc<Pool>, HostError> {
        let plan = PoolPlan::of_one_that_left(left, machine);
        let machines = vec![Arc::clone(machine)];
        let link = Arc::downgrade(self);
        Pool::found(plan, machines, link, trail).map(Arc::new)
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Pool>>)) {
        // A list is consistent after every statement under the lock.
        change(&mut self.pools.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// How a pool knows its rig: not at all, if it was made alone.
pub(crate) type RigLink = Weak<Rig>;
