//! A pool: its hosts, its database, and the door through which calls come in.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex as SyncMutex, MutexGuard as SyncMutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use ground::{Actor, Trail, WaitingRoom};

use crate::{
    ApiError, Certificate, HostError, HostRecord, Message, Output, Profile, Quirk, Quirks, Records,
    Reference, SambaCommand,
    certificate::ParsedCertificate,
    database::Database,
    facts::{CallBegan, CallEnded, HostTurn},
    xapi::{
        Call, CallResult, Host, Liveness, Rig, certificates::NamedStore, emergency::Emergency,
        lock::Lock, login_cache::LoginCache, machine::Machine, offered::Offered, on_host::OnHost,
        operations::Operations, rig::RigLink, session::Sessions, tasks::Tasks,
    },
};

/// A pool of simulated hosts. Shared by reference: several callers may call at once.
#[derive(Debug)]
pub struct Pool {
    pub(super) profile: Profile,
    pub(super) quirks: Quirks,
    pub(super) reference: Reference,
    /// The coordinator first, then members in database order. Never empty.
    pub(super) hosts: RwLock<Vec<Arc<Host>>>,
    pub(super) database: Database,
    pub(super) sessions: Sessions,
    pub(super) tasks: Tasks,
    pub(super) login_cache: SyncMutex<LoginCache>,
    pub(super) login_places: Lock,
    /// Reasons for which the extauth hook is due, and on whose behalf.
    pub(super) due_hooks: SyncMutex<BTreeMap<&'static str, Trail>>,
    /// The pool extauth lock of xapi-flows.md §17.
    pub(super) extauth_lock: Lock,
    pub(super) ad_licensed: AtomicBool,
    pub(super) room: WaitingRoom,
    pub(super) operations: Operations,
    pub(super) offered: Offered,
    pub(super) emergency: Emergency,
    pub(super) rig: RigLink,
}

impl Pool {
    /// Those of its callers that stand still.
    pub fn waiting_room(&self) -> &WaitingRoom {
        &self.room
    }

    /// Calls xapi on the coordinator.
    pub async fn call(&self, call: Call, trail: &Trail) -> Result<CallResult, ApiError> {
        let trail = trail.of(Actor::Host(self.coordinator().name().to_owned()));
        if let Some(error) = self.emergency() {
            let trail = begin(&call, None, &trail);
            let result = Err(error);
            end(call.name(), &trail, &result);
            return result;
        }
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

    /// Its name for people.
    pub fn name(&self) -> String {
        self.database.read(|records| records.pool.name_label.clone())
    }

    /// The rig that it is a part of, if it is.
    pub fn rig(&self) -> Option<Arc<Rig>> {
        self.rig.upgrade()
    }

    /// The host of this name.
    pub fn host(&self, name: &str) -> Option<Arc<Host>> {
        self.hosts().into_iter().find(|host| host.name() == name)
    }

    /// All hosts at this moment, the coordinator first.
    pub fn hosts(&self) -> Vec<Arc<Host>> {
        self.hosts.read().unwrap_or_else(PoisonError::into_inner).clone()
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

    pub(super) fn coordinator(&self) -> Arc<Host> {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&hosts[0])
    }

    pub(super) fn is_coordinator(&self, host: &Host) -> bool {
        host.reference() == self.coordinator().reference()
    }

    /// A machine of which the database knows comes in.
    pub(super) fn take_in(&self, machine: &Arc<Machine>) -> Result<(), HostError> {
        let uuid = machine.uuid()?;
        let known = |records: &Records| {
            let record = records.hosts.iter().find(|record| record.uuid == uuid);
            record.map(|record| record.reference.clone())
        };
        let unknown = || HostError::UnknownToCoordinator { host: machine.name.clone() };
        let reference = self.database.read(known).ok_or_else(unknown)?;
        let host = Host::start(Arc::clone(machine), reference, self.profile)?;
        self.hosts.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(host));
        Ok(())
    }

    /// A member is in another pool from now on. The last host of a pool that is closed stays, for
    /// calls that have begun.
    pub(super) fn forget_host(&self, gone: &Host) {
        gone.process().schedule.end();
        let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() > 1 {
            hosts.retain(|host| host.reference() != gone.reference());
        }
    }

    /// The pool ends, since its coordinator has become a member of another one: its database is
    /// gone.
    pub(super) fn close(&self) -> Result<(), HostError> {
        self.coordinator().process().schedule.end();
        self.forget_sessions();
        self.tasks.forget();
        self.operations.forget();
        self.database.close()
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

    pub(super) fn offered(&self) -> &Offered {
        &self.offered
    }

    /// The coordinator at work for a call of the pool.
    pub(super) fn coordinator_at_work(&self, trail: &Trail) -> OnHost<'_> {
        self.on_host(&self.coordinator(), trail)
    }

    /// A host at work, whether or not the coordinator reaches it.
    pub(super) fn on_host(&self, host: &Arc<Host>, trail: &Trail) -> OnHost<'_> {
        let trail = trail.of(Actor::Host(host.name().to_owned()));
        OnHost { pool: self, host: Arc::clone(host), process: host.process(), trail }
    }

    /// A host at work, if the coordinator reaches it.
    pub(super) fn at_work(&self, host: &Arc<Host>, trail: &Trail) -> Result<OnHost<'_>, ApiError> {
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
    pub(super) fn take_turn(
        &self,
        host: &Arc<Host>,
        task: &'static str,
        trail: &Trail,
    ) -> Result<OnHost<'_>, ApiError> {
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
                .hosts()
                .into_iter()
                .find(|known| known.reference() == host)
                .ok_or_else(|| ApiError::handle_invalid("host", host)),
            _ => Err(ApiError::internal(format!("{} is no call of a host", call.name()))),
        };
        let target = self.check_licence(&call).and(target);
        // The coordinator calls; what follows, up to the result, happens on the host itself.
        let name = target.as_ref().ok().map(|host| host.name().to_owned());
        let trail = begin(&call, name, trail);
        let result = match target.and_then(|host| self.at_work(&host, &trail)) {
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
            Call::Exchange(call) => return self.run_exchange(call, trail).await,
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
            Call::HostCreate(creation) => {
                return self.create_host(creation, trail).map(CallResult::Reference);
            }
            Call::PoolEject { host } => Box::pin(self.eject(host, trail)).await?,
            Call::PoolInitialAuth => {
                let secret = self.coordinator().machine().pool_secret()?;
                return Ok(CallResult::Text(secret.expose().to_owned()));
            }
            // Boxed: it waits for calls of its own.
            Call::PoolJoin(parameters) => Box::pin(self.join(parameters, trail)).await?,
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
    let params = match error {
        // The session may be one of another pool, where it is open.
        Some(error) if error.code == "SESSION_INVALID" => vec!["***".to_owned()],
        Some(error) => error.params.clone(),
        None => Vec::new(),
    };
    trail.record(CallEnded { call, error: error.map(|error| error.code.clone()), params });
}
