//! A pool: its hosts, its database, and the door through which calls come in.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex as SyncMutex, MutexGuard as SyncMutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use ground::{Actor, Secret, Seed, Trail};

use crate::{
    ApiError, Certificate, HostError, HostRecord, HostRoot, Message, Output, PoolRecord, Profile,
    Quirk, Quirks, Records, Reference, SambaCommand,
    certificate::ParsedCertificate,
    database::Database,
    facts::{CallBegan, CallEnded, HostTurn, PoolCreated},
    identity::Identity,
    trust_store::{Files, StoreDirectory},
    xapi::{
        Call, CallResult, Host, HostConfig, Liveness, WaitingRoom,
        certificates::{NamedStore, drop_newline},
        lock::{Lock, LockName},
        login_cache::LoginCache,
        on_host::OnHost,
        operations::Operations,
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

/// A pool of simulated hosts. Shared by reference: several callers may call at once.
#[derive(Debug)]
pub struct Pool {
    profile: Profile,
    quirks: Quirks,
    reference: Reference,
    /// The coordinator first, then members in database order.
    hosts: Vec<Arc<Host>>,
    database: Database,
    sessions: Sessions,
    tasks: Tasks,
    login_cache: SyncMutex<LoginCache>,
    login_places: Lock,
    /// Reasons for which the extauth hook is due, and on whose behalf.
    due_hooks: SyncMutex<BTreeMap<&'static str, Trail>>,
    /// The pool extauth lock of xapi-flows.md §17.
    extauth_lock: Lock,
    ad_licensed: AtomicBool,
    room: WaitingRoom,
    operations: Operations,
}

impl Pool {
    /// Sets up a pool. If the coordinator's root holds a database already, that pool goes on.
    pub fn create(config: PoolConfig) -> Result<Self, HostError> {
        let PoolConfig { name, profile, quirks, seed, root_password, hosts, trail } = config;
        let mut names = BTreeSet::new();
        if let Some(host) = hosts.iter().find(|host| !names.insert(host.name.as_str())) {
            return Err(HostError::DuplicateHost { name: host.name.clone() });
        }
        let root = HostRoot::open(&hosts.first().ok_or(HostError::NoHosts)?.root)?;
        let seed = seed.child(&format!("pool {name}"));
        let database = match Database::load(root.clone(), seed)? {
            Some(database) => database,
            None => Database::create(root, seed, first_records(&name, seed, &hosts)?)?,
        };
        let records = database.snapshot();
        let expected: Vec<_> = hosts.iter().map(|host| host.name.clone()).collect();
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
        let room = WaitingRoom::default();
        let hosts = hosts
            .into_iter()
            .zip(&records.hosts)
            .map(|(host, record)| {
                let seed = seed.child(&format!("host {}", host.name));
                Host::open(host, record.reference.clone(), seed, profile, &room).map(Arc::new)
            })
            .collect::<Result<Vec<_>, _>>()?;
        establish_pool_internal(&hosts, &records, &quirks)?;
        let clock = hosts.first().ok_or(HostError::NoHosts)?.clock().clone();
        let places = usize::try_from(records.pool.ext_auth_max_threads).unwrap_or(usize::MAX);
        Ok(Self {
            profile,
            quirks,
            reference: records.pool.reference,
            hosts,
            database,
            sessions: Sessions::new(root_password, seed, clock.clone()),
            tasks: Tasks::new(seed, clock),
            login_cache: SyncMutex::new(LoginCache::new(seed)),
            login_places: Lock::with_places(LockName::Login, places, &room),
            due_hooks: SyncMutex::default(),
            extauth_lock: Lock::new(LockName::PoolExtauth, &room),
            ad_licensed: AtomicBool::new(true),
            operations: Operations::new(seed, &room),
            room,
        })
    }

    /// Those of its callers that stand still.
    pub fn waiting_room(&self) -> &WaitingRoom {
        &self.room
    }

    /// Calls xapi on the coordinator.
    pub async fn call(&self, call: Call, trail: &Trail) -> Result<CallResult, ApiError> {
        let trail = trail.of(Actor::Host(self.coordinator().name().to_owned()));
        match &call {
            Call::AuthGetGroupMembership { .. }
            | Call::AuthGetSubjectIdentifier { .. }
            | Call::AuthGetSubjectInformationFromIdentifier { .. }
            | Call::PoolSetExtAuth { .. }
            | Call::SessionGetAllSubjectIdentifiers
            | Call::SubjectAddToRoles { .. }
            | Call::SubjectCreate { .. }
            | Call::SubjectDestroy { .. }
            | Call::SubjectRemoveFromRoles { .. } => {
                return self.call_about_accounts(&call, &trail).await;
            }
            Call::HostCertificateSync { .. }
            | Call::HostDisableExternalAuth { .. }
            | Call::HostEnableExternalAuth { .. }
            | Call::HostExternalAuthSetLdaps { .. }
            | Call::HostGetServerCertificate { .. } => self.call_host(call, &trail).await,
            Call::MessageCreate { .. }
            | Call::MessageDestroy { .. }
            | Call::MessageDestroyMany { .. } => self.call_message(&call, &trail),
            _ => self.call_pool(call, &trail).await,
        }
    }

    /// Reference of the pool.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// Which xapi it runs.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Which quirks are on.
    pub fn quirks(&self) -> &Quirks {
        &self.quirks
    }

    /// The host of this name.
    pub fn host(&self, name: &str) -> Option<Arc<Host>> {
        self.hosts.iter().find(|host| host.name() == name).cloned()
    }

    /// All hosts, the coordinator first.
    pub fn hosts(&self) -> &[Arc<Host>] {
        &self.hosts
    }

    /// A copy of the database.
    pub fn database_view(&self) -> Records {
        let mut records = self.database.snapshot();
        records.pool.current_operations = self.operations.current();
        records.pool.allowed_operations = self.operations.allowed();
        records
    }

    /// What a restart of the coordinator would find: the database as its file has it.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn database_on_disk(&self) -> Result<Records, HostError> {
        self.database.on_disk()
    }

    /// The certificates that were installed, in order of creation: trusted ones and legacy CAs.
    pub fn certificates(&self) -> Vec<Certificate> {
        let is_installed = |row: &&Certificate| row.host == Reference::null();
        self.database
            .read(|records| records.certificates.iter().filter(is_installed).cloned().collect())
    }

    /// The messages in order of creation.
    pub fn messages(&self) -> Vec<Message> {
        self.database.read(|records| records.messages.clone())
    }

    /// The first trusted certificate that is the one in this text, which must hold just one.
    pub fn certificate_by_pem(&self, pem: &str) -> Option<Reference> {
        let wanted = ParsedCertificate::from_pem(pem, false)?.fingerprint_sha256;
        let is_wanted = |row: &&Certificate| row.is_trusted() && row.fingerprint_sha256 == wanted;
        self.database
            .read(|records| records.certificates.iter().find(is_wanted).cloned())
            .map(|row| row.reference)
    }

    /// Whether the pool's licence has the feature AD; without it no host can be enabled.
    pub fn set_ad_licensed(&self, licensed: bool) {
        self.ad_licensed.store(licensed, Ordering::SeqCst);
    }

    /// Runs a program on a host by hand, as an administrator would.
    pub async fn run_program(
        &self,
        host: &str,
        command: SambaCommand,
        trail: &Trail,
    ) -> Result<Output, HostError> {
        let unknown = || HostError::UnknownHost { name: host.to_owned() };
        let host = self.host(host).ok_or_else(unknown)?;
        Ok(self.on_host(&host, trail).run(command).await)
    }

    pub(super) fn coordinator(&self) -> &Host {
        &self.hosts[0]
    }

    pub(super) fn is_coordinator(&self, host: &Host) -> bool {
        host.reference() == self.coordinator().reference()
    }

    /// The order in which hosts are visited.
    pub(super) fn hosts_in_order(&self) -> Vec<&Host> {
        self.hosts.iter().map(|host| &**host).collect()
    }

    pub(super) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    pub(super) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    pub(super) fn host_record(&self, reference: &Reference) -> Result<HostRecord, ApiError> {
        self.database
            .read(|records| records.host(reference).cloned())
            .ok_or_else(|| ApiError::handle_invalid("host", reference))
    }

    pub(super) fn coordinator_record(&self) -> Result<HostRecord, ApiError> {
        self.host_record(self.coordinator().reference())
    }

    pub(super) fn login_cache(&self) -> SyncMutexGuard<'_, LoginCache> {
        // Consistent after every statement under the lock.
        self.login_cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn login_places(&self) -> &Lock {
        &self.login_places
    }

    pub(super) fn due_hooks(&self) -> SyncMutexGuard<'_, BTreeMap<&'static str, Trail>> {
        // Consistent after every statement under the lock.
        self.due_hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn extauth_lock(&self) -> &Lock {
        &self.extauth_lock
    }

    pub(super) fn operations(&self) -> &Operations {
        &self.operations
    }

    /// The coordinator at work for a call of the pool.
    pub(super) fn coordinator_at_work(&self, trail: &Trail) -> OnHost<'_> {
        self.on_host(self.coordinator(), trail)
    }

    /// A host at work, whether or not the coordinator reaches it.
    pub(super) fn on_host<'a>(&'a self, host: &'a Host, trail: &Trail) -> OnHost<'a> {
        let trail = trail.of(Actor::Host(host.name().to_owned()));
        OnHost { pool: self, host, process: host.process(), trail }
    }

    /// A host at work, if the coordinator reaches it.
    pub(super) fn at_work<'a>(
        &'a self,
        host: &'a Host,
        trail: &Trail,
    ) -> Result<OnHost<'a>, ApiError> {
        let is_coordinator = self.is_coordinator(host);
        let code = match host.liveness() {
            Liveness::Offline if !is_coordinator => "HOST_OFFLINE",
            Liveness::Unreachable if !is_coordinator => "CANNOT_CONTACT_HOST",
            Liveness::Live | Liveness::Offline | Liveness::Unreachable => {
                return Ok(self.on_host(host, trail));
            }
        };
        Err(ApiError::new(code, [host.reference().as_str()]))
    }

    /// The same for a part of a pool's call, which it names in the ledger.
    pub(super) fn take_turn<'a>(
        &'a self,
        host: &'a Host,
        task: &'static str,
        trail: &Trail,
    ) -> Result<OnHost<'a>, ApiError> {
        self.at_work(host, &trail.begin(HostTurn { host: host.name().to_owned(), task }))
    }

    /// Runs a call of one host there, and records it.
    pub(super) async fn call_host(
        &self,
        call: Call,
        trail: &Trail,
    ) -> Result<CallResult, ApiError> {
        let target = match &call {
            Call::HostCertificateSync { host }
            | Call::HostDisableExternalAuth { host, .. }
            | Call::HostEnableExternalAuth { host, .. }
            | Call::HostExternalAuthSetLdaps { host, .. }
            | Call::HostGetServerCertificate { host } => self
                .hosts
                .iter()
                .find(|known| known.reference() == host)
                .ok_or_else(|| ApiError::handle_invalid("host", host)),
            _ => Err(ApiError::internal(format!("{} is no call of a host", call.name()))),
        };
        let target = self.check_licence(&call).and(target);
        // The coordinator calls; what follows, up to the result, happens on the host itself.
        let name = target.as_ref().ok().map(|host| host.name().to_owned());
        let trail = begin(&call, name, trail);
        let result = match target.and_then(|host| self.at_work(host, &trail)) {
            Ok(on_host) => {
                let result = self.run_on_host(&call, &on_host).await;
                end(call.name(), &on_host.trail, &result);
                return result;
            }
            Err(error) => Err(error),
        };
        end(call.name(), &trail, &result);
        result
    }

    async fn run_on_host(&self, call: &Call, on_host: &OnHost<'_>) -> Result<CallResult, ApiError> {
        match call {
            Call::HostCertificateSync { .. } => on_host.certificate_sync()?,
            Call::HostDisableExternalAuth { config, force, .. } => {
                on_host.disable_external_auth(config, *force).await?;
            }
            Call::HostEnableExternalAuth { config, service_name, auth_type, .. } => {
                on_host.enable_external_auth(config, service_name, auth_type).await?;
            }
            Call::HostExternalAuthSetLdaps { ldaps, force, .. } => {
                self.check_force(call.name(), *force)?;
                on_host.external_auth_set_ldaps(*ldaps, force.unwrap_or(false)).await?;
            }
            Call::HostGetServerCertificate { .. } => {
                return on_host.get_server_certificate().map(CallResult::Text);
            }
            _ => return Err(ApiError::internal(format!("{} is no call of a host", call.name()))),
        }
        Ok(CallResult::Void)
    }

    async fn call_pool(&self, call: Call, trail: &Trail) -> Result<CallResult, ApiError> {
        let trail = begin(&call, None, trail);
        let result = match self.check_pool(call.pool()) {
            Ok(()) => self.run_on_pool(&call, &trail).await,
            Err(error) => Err(error),
        };
        end(call.name(), &trail, &result);
        result
    }

    async fn run_on_pool(&self, call: &Call, trail: &Trail) -> Result<CallResult, ApiError> {
        match call {
            Call::PoolDetectNonhomogeneousExternalAuth { .. } => {
                self.detect_nonhomogeneous_external_auth(trail).await?;
            }
            Call::HostCopyPrimaryHostCerts { host } => {
                self.copy_primary_host_certs(host, trail).await?;
            }
            Call::PoolCertificateList => {
                return self.list_named(NamedStore::LegacyCa).map(CallResult::Texts);
            }
            Call::PoolCertificateSync => self.certificate_sync(trail).await?,
            Call::PoolCrlInstall { name, crl } => self.crl_install(name, crl, trail)?,
            Call::PoolCrlList => return self.list_named(NamedStore::Crl).map(CallResult::Texts),
            Call::PoolCrlUninstall { name } => self.crl_uninstall(name, trail)?,
            Call::PoolDisableExternalAuth { config, .. } => {
                self.disable_external_auth(config, trail).await?;
            }
            Call::PoolEnableExternalAuth { config, service_name, auth_type, .. } => {
                self.enable_external_auth(config, service_name, auth_type, trail).await?;
            }
            Call::PoolExternalAuthSetLdaps { ldaps, force, .. } => {
                self.check_force(call.name(), *force)?;
                self.external_auth_set_ldaps(*ldaps, *force, trail).await?;
            }
            Call::PoolCertificateInstall { name, certificate }
            | Call::PoolInstallCaCertificate { name, certificate } => {
                self.install_ca_certificate(name, certificate, trail)?;
            }
            Call::PoolInstallTrustedCertificate { ca, certificate, purpose, .. } => {
                self.install_trusted_certificate(*ca, certificate, purpose, trail).await?;
            }
            Call::PoolCertificateUninstall { name } => {
                self.uninstall_ca_certificate(name, false, trail)?;
            }
            Call::PoolUninstallCaCertificate { name, force } => {
                self.uninstall_ca_certificate(name, *force, trail)?;
            }
            Call::PoolUninstallTrustedCertificate { certificate, .. } => {
                self.uninstall_trusted_certificate(certificate, trail).await?;
            }
            _ => return Err(ApiError::internal(format!("{} is no call of the pool", call.name()))),
        }
        Ok(CallResult::Void)
    }

    /// The coordinator looks at the licence before it passes the call on (§7.2).
    fn check_licence(&self, call: &Call) -> Result<(), ApiError> {
        match call {
            Call::HostEnableExternalAuth { .. } if !self.ad_licensed.load(Ordering::SeqCst) => {
                Err(ApiError::new("LICENCE_RESTRICTION", ["AD"]))
            }
            _ => Ok(()),
        }
    }

    /// Quirk Q46: landed accepts any text for the pool.
    fn check_pool(&self, given: Option<&Reference>) -> Result<(), ApiError> {
        match given {
            Some(pool) if *pool != self.reference && !self.quirks.has(Quirk::PoolRefNotChecked) => {
                Err(ApiError::handle_invalid("pool", pool))
            }
            _ => Ok(()),
        }
    }

    /// `force` came with the landed profile (P1).
    fn check_force(&self, method: &str, force: Option<bool>) -> Result<(), ApiError> {
        if force.is_none() || self.profile == Profile::Landed {
            return Ok(());
        }
        Err(ApiError::new("MESSAGE_PARAMETER_COUNT_MISMATCH", [method, "2", "3"]))
    }
}

pub(super) fn begin(call: &Call, host: Option<String>, trail: &Trail) -> Trail {
    trail.begin(CallBegan { call: call.name(), host, parameters: call.parameters() })
}

pub(super) fn end<T>(call: &'static str, trail: &Trail, result: &Result<T, ApiError>) {
    let error = result.as_ref().err();
    trail.record(CallEnded {
        call,
        error: error.map(|error| error.code.clone()),
        params: error.map(|error| error.params.clone()).unwrap_or_default(),
    });
}

pub(super) fn first_records(
    name: &str,
    seed: Seed,
    hosts: &[HostConfig],
) -> Result<Records, HostError> {
    let identity = |of: &str| {
        (
            Reference::from(seed.uuid(&format!("reference of {of}"))),
            seed.uuid(&format!("uuid of {of}")),
        )
    };
    let records: Vec<_> = hosts
        .iter()
        .map(|host| {
            let (reference, uuid) = identity(&format!("host {}", host.name));
            HostRecord {
                reference,
                uuid,
                name_label: host.name.clone(),
                hostname: host.hostname.clone().unwrap_or_else(|| host.name.clone()),
                address: host.address.to_string(),
                name_description: String::new(),
                enabled: true,
                tls_verification_enabled: true,
                other_config: Default::default(),
                tags: Default::default(),
                edition: "enterprise-per-socket".to_owned(),
                metrics: seed.uuid(&format!("metrics of host {}", host.name)).into(),
                external_auth_type: String::new(),
                external_auth_service_name: String::new(),
                external_auth_configuration: Default::default(),
            }
        })
        .collect();
    let mut certificates = Vec::new();
    for (host, record) in hosts.iter().zip(&records) {
        let (root, seed) =
            (HostRoot::open(&host.root)?, seed.child(&format!("host {}", host.name)));
        let now = host.clock.skewed_by(&host.skew).now();
        for own in Identity::ALL {
            let identity = identity(&format!("{} of host {}", own.path(), host.name));
            let row = own.establish(&root, record, &seed, now)?.row(own.kind(), identity);
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
