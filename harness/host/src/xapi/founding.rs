//! Setting up a pool: the machines of a new one, its first records, and the files by which its
//! hosts know each other.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex as SyncMutex, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use ground::{Secret, Seed, Trail};

use crate::{
    Certificate, Estate, HostError, HostRecord, PoolRecord, Profile, Quirk, Quirks, Records,
    Reference,
    database::Database,
    facts::PoolCreated,
    identity::Identity,
    trust_store::{Files, StoreDirectory},
    xapi::{
        Host, HostConfig, Pool,
        certificates::drop_newline,
        emergency::Emergency,
        lock::{Lock, LockName},
        login_cache::LoginCache,
        machine::{Machine, Membership},
        offered::Offered,
        operations::Operations,
        rig::RigLink,
        session::Sessions,
        tasks::Tasks,
    },
};

/// How to set up a pool.
#[derive(Debug)]
pub struct PoolConfig {
    /// Name of the pool.
    pub name: String,
    /// Which xapi its hosts run.
    pub profile: Profile,
    /// Which of its quirks are on.
    pub quirks: Quirks,
    /// Identities and random names are drawn from it.
    pub seed: Seed,
    /// The password of `root`.
    pub root_password: Secret,
    /// The hosts; the first is the coordinator.
    pub hosts: Vec<HostConfig>,
    /// Where the first facts go.
    pub trail: Trail,
}

/// The same for machines that are there already.
#[derive(Debug)]
pub(super) struct PoolPlan {
    name: String,
    profile: Profile,
    quirks: Quirks,
    seed: Seed,
    root_password: Secret,
    ad_licensed: bool,
    offered: Offered,
}

impl PoolPlan {
    /// A host that has left a pool begins as the installer left it: nobody has named its pool.
    pub(super) fn of_one_that_left(left: &Pool, machine: &Machine) -> Self {
        let occasion = format!("pool that {} begins at {}", machine.name, machine.clock.now());
        Self {
            name: String::new(),
            profile: left.profile,
            quirks: left.quirks.clone(),
            seed: machine.seed.child(&occasion),
            root_password: left.sessions.root_password().clone(),
            ad_licensed: left.ad_licensed.load(Ordering::SeqCst),
            offered: left.offered.clone(),
        }
    }
}

impl Pool {
    /// Sets up a pool that reaches no other one. If the coordinator's root holds a database already,
    /// that pool goes on.
    pub fn create(config: PoolConfig) -> Result<Self, HostError> {
        Self::create_in(config, RigLink::new())
    }

    /// Sets up a pool of a rig.
    pub(super) fn create_in(config: PoolConfig, rig: RigLink) -> Result<Self, HostError> {
        let PoolConfig { name, profile, quirks, seed, root_password, hosts, trail } = config;
        let mut names = BTreeSet::new();
        if let Some(host) = hosts.iter().find(|host| !names.insert(host.name.as_str())) {
            return Err(HostError::DuplicateHost { name: host.name.clone() });
        }
        let seed = seed.child(&format!("pool {name}"));
        let machines = hosts
            .into_iter()
            .map(|host| {
                let own = seed.child(&format!("host {}", host.name));
                let uuid = seed.uuid(&format!("uuid of host {}", host.name));
                Machine::set_up(host, own, uuid).map(Arc::new)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let (ad_licensed, offered) = (true, Offered::default());
        let plan = PoolPlan { name, profile, quirks, seed, root_password, ad_licensed, offered };
        let pool = Self::found(plan, machines, rig, &trail)?;
        for host in pool.hosts() {
            // It has been running for long.
            host.process().note_auth_initialised();
            pool.on_host(&host, &trail).begin_schedule();
        }
        Ok(pool)
    }

    /// A pool of these machines, the first of which is the coordinator. It goes on with the
    /// database that is there.
    pub(super) fn found(
        plan: PoolPlan,
        machines: Vec<Arc<Machine>>,
        rig: RigLink,
        trail: &Trail,
    ) -> Result<Self, HostError> {
        let PoolPlan { name, profile, quirks, seed, root_password, ad_licensed, offered } = plan;
        let coordinator = machines.first().ok_or(HostError::NoHosts)?;
        let (root, clock) = (coordinator.root.clone(), coordinator.clock.clone());
        let database = match Database::load(root.clone(), seed)? {
            Some(database) => database,
            None => Database::create(root, seed, first_records(&name, seed, &machines)?)?,
        };
        let records = database.snapshot();
        let expected: Vec<_> = machines.iter().map(|machine| machine.name.clone()).collect();
        let found: Vec<_> = records.hosts.iter().map(|host| host.name_label.clone()).collect();
        if expected != found {
            return Err(HostError::OtherHosts { expected, found });
        }
        trail.record(PoolCreated {
            pool: name,
            profile,
            hosts: expected,
            switched_quirks: quirks.switched(profile).map(Quirk::name).collect(),
        });
        settle_membership(&machines, seed)?;
        let hosts = machines
            .into_iter()
            .zip(&records.hosts)
            .map(|(machine, record)| {
                Host::start(machine, record.reference.clone(), profile).map(Arc::new)
            })
            .collect::<Result<Vec<_>, _>>()?;
        establish_pool_internal(&hosts, &records, &quirks)?;
        let room = clock.waiting_room().clone();
        let places = usize::try_from(records.pool.ext_auth_max_threads).unwrap_or(usize::MAX);
        Ok(Self {
            profile,
            quirks,
            reference: records.pool.reference,
            hosts: RwLock::new(hosts),
            database,
            sessions: Sessions::new(root_password, seed, clock.clone()),
            tasks: Tasks::new(seed, clock),
            login_cache: SyncMutex::new(LoginCache::new(seed)),
            login_places: Lock::with_places(LockName::Login, places, &room),
            due_hooks: SyncMutex::default(),
            extauth_lock: Lock::new(LockName::PoolExtauth, &room),
            ad_licensed: AtomicBool::new(ad_licensed),
            operations: Operations::new(seed, &room),
            offered,
            emergency: Emergency::default(),
            room,
            rig,
        })
    }
}

pub(super) fn first_records(
    name: &str,
    seed: Seed,
    machines: &[Arc<Machine>],
) -> Result<Records, HostError> {
    let identity = |of: &str| {
        (
            Reference::from(seed.uuid(&format!("reference of {of}"))),
            seed.uuid(&format!("uuid of {of}")),
        )
    };
    let records = machines
        .iter()
        .map(|host| {
            let (reference, _) = identity(&format!("host {}", host.name));
            Ok(HostRecord {
                reference,
                uuid: host.uuid()?,
                name_label: host.name.clone(),
                hostname: host.hostname.clone(),
                address: host.address.to_string(),
                name_description: String::new(),
                enabled: true,
                tls_verification_enabled: true,
                other_config: Default::default(),
                tags: Default::default(),
                edition: Estate::edition(&BTreeSet::new()).to_owned(),
                metrics: seed.uuid(&format!("metrics of host {}", host.name)).into(),
                external_auth_type: String::new(),
                external_auth_service_name: String::new(),
                external_auth_configuration: Default::default(),
            })
        })
        .collect::<Result<Vec<_>, HostError>>()?;
    let mut certificates = Vec::new();
    for (host, record) in machines.iter().zip(&records) {
        let now = host.clock.now();
        for own in Identity::ALL {
            let identity = identity(&format!("{} of host {}", own.path(), host.name));
            let row = own.establish(&host.root, record, &host.seed, now)?.row(own.kind(), identity);
            certificates.push(Certificate { host: record.reference.clone(), ..row });
        }
    }
    let hosts = records;
    let (reference, uuid) = identity("pool");
    let pool = PoolRecord {
        reference,
        uuid,
        name_label: name.to_owned(),
        name_description: String::new(),
        other_config: Default::default(),
        tags: Default::default(),
        ha_enabled: false,
        ha_configuration: Default::default(),
        wlb_enabled: false,
        wlb_verify_cert: true,
        master: hosts.first().map_or_else(Reference::null, |host| host.reference.clone()),
        tls_verification_enabled: true,
        is_psr_pending: false,
        ext_auth_max_threads: 1,
        local_auth_max_threads: 8,
        ext_auth_cache_enabled: true,
        ext_auth_cache_size: 50,
        ext_auth_cache_expiry: 300,
        circumstances: Default::default(),
        current_operations: Default::default(),
        allowed_operations: Default::default(),
    };
    Ok(Records {
        created: 0,
        pool,
        hosts,
        certificates,
        messages: Vec::new(),
        subjects: Vec::new(),
    })
}

/// Every host of a pool knows its coordinator and the secret that they share.
fn settle_membership(machines: &[Arc<Machine>], seed: Seed) -> Result<(), HostError> {
    let Some(coordinator) = machines.first() else { return Err(HostError::NoHosts) };
    let mut secret = coordinator.pool_secret()?;
    if secret.expose().is_empty() {
        secret = Secret::new(seed.uuid("pool secret").to_string());
    }
    for machine in machines {
        let is_coordinator = machine.name == coordinator.name;
        machine.set_membership(if is_coordinator {
            Membership::Coordinator
        } else {
            Membership::MemberOf(coordinator.address)
        })?;
        machine.set_pool_secret(&secret)?;
    }
    Ok(())
}

/// Gives the hosts of a new pool each other's certificates. Members have them as copies.
fn establish_pool_internal(
    hosts: &[Arc<Host>],
    records: &Records,
    quirks: &Quirks,
) -> Result<(), HostError> {
    let mut files = Files::new();
    for (host, record) in hosts.iter().zip(&records.hosts) {
        if let Some(certificate) = Identity::Internal.read(host.root())? {
            files.insert(format!("{}.pem", record.uuid), certificate.pem.into_bytes());
        }
    }
    for (number, host) in hosts.iter().enumerate() {
        if number == 1 && quirks.has(Quirk::MemberCopyDropsNewline) {
            files.values_mut().for_each(drop_newline);
        }
        host.trust_store().establish(StoreDirectory::PoolInternal, &files)?;
    }
    Ok(())
}
