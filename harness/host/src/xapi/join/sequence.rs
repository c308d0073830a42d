//! `pool.join` and `pool.join_force`, on the joiner (xapi-flows.md §12.1; xen-api, `join_common`).

use std::net::{IpAddr, SocketAddr};

use ground::{Secret, Trail};
use xenapi_client::Value;

use super::{
    checks::Candidate,
    remote::Remote,
    side::{CertificateSide, Side},
};
use crate::{
    ApiError, Certificate, Circumstance, Profile, Quirk, Records, Reference,
    facts::{JoinRefused, JoinStep},
    identity::Identity,
    trust_store::{Files, StoreDirectory},
    xapi::{Call, Pool, machine::Membership, remote::API_PORT},
};

/// Parameters of `pool.join` and `pool.join_force`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinParameters {
    /// Address of the coordinator.
    pub master_address: String,
    /// An account of the pool to join.
    pub master_username: String,
    /// Its password.
    pub master_password: Secret,
    /// `pool.join_force`: software and processors may differ.
    pub force: bool,
}

impl Pool {
    /// Makes the only host of this pool a member of another one.
    pub(in crate::xapi) async fn join(
        &self,
        parameters: &JoinParameters,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let joiner = Joiner { pool: self, parameters, trail };
        joiner.step(1, "licence");
        let circumstances = joiner.records().pool.circumstances;
        if circumstances.contains(&Circumstance::PoolingUnlicensed) {
            return Err(ApiError::bare("LICENCE_RESTRICTION"));
        }
        let keeps = self.quirks().has(Quirk::JoinKeepsExchangedCertificates);
        let before = if keeps { None } else { Some(self.certificates_before()?) };
        let joined = joiner.become_known().await;
        if let (Some(before), Err(_)) = (before, &joined) {
            // As far as it goes: the failure of the join is the one to report.
            let _ = self.put_certificates_back(before, trail);
        }
        let secret = joined?;
        joiner.restart_as_member(&secret).await
    }

    /// The files of the trust store and the rows about them.
    fn certificates_before(&self) -> Result<Exchanged, ApiError> {
        let store = self.coordinator();
        let files = StoreDirectory::ALL
            .into_iter()
            .map(|directory| Ok((directory, store.trust_store().files(directory)?)))
            .collect::<Result<_, ApiError>>()?;
        Ok(Exchanged { files, rows: self.database().read(|records| records.certificates.clone()) })
    }

    fn put_certificates_back(&self, before: Exchanged, trail: &Trail) -> Result<(), ApiError> {
        let coordinator = self.coordinator_at_work(trail);
        let store = coordinator.host.trust_store();
        for (directory, files) in before.files {
            if store.files(directory)? != files {
                store.replace(directory, &files, &coordinator.trail)?;
                store.renew_bundle(directory, &coordinator.trail)?;
            }
        }
        store.rehash_all()?;
        self.database()
            .change(&coordinator.trail, |draft| draft.records.certificates = before.rows)?;
        Ok(())
    }
}

/// What the exchange of certificates changes on a joiner.
struct Exchanged {
    files: Vec<(StoreDirectory, Files)>,
    rows: Vec<Certificate>,
}

/// A host on its way into another pool.
struct Joiner<'a> {
    pool: &'a Pool,
    parameters: &'a JoinParameters,
    trail: &'a Trail,
}

impl Joiner<'_> {
    /// Steps 2 to 13: afterwards the pool knows the host. Returns the pool's secret.
    async fn become_known(&self) -> Result<Secret, ApiError> {
        let remote = self.log_in(2, "log in without verification", None).await?;
        let trusted = self.get_to_know(&remote).await;
        remote.log_out(self.trail).await;
        let (pool, secret) = trusted?;
        // Without TLS verification xapi has nothing to verify by.
        let verifies = self.records().pool.tls_verification_enabled;
        let bundle = if verifies { Some(self.pool_bundle()?) } else { None };
        let remote = self.log_in(7, "log in, verified against the pool bundle", bundle).await?;
        let exchanged = self.exchange(&remote, &pool).await;
        remote.log_out(self.trail).await;
        exchanged.map(|()| secret)
    }

    /// Steps 3 to 6.
    async fn get_to_know(&self, remote: &Remote) -> Result<(Side, Secret), ApiError> {
        let trail = self.step(3, "pre-checks");
        let pool = remote.side(&trail).await?;
        let joiner = Side::of_records(&self.records());
        let candidate = Candidate {
            joiner: &joiner,
            pool: &pool,
            force: self.parameters.force,
            quirks: self.pool.quirks(),
        };
        if let Some((check, error)) = candidate.first_failure() {
            trail.record(JoinRefused { check, error: error.code.clone() });
            return Err(error);
        }
        let trail = self.step(4, "fetch the pool secret");
        let secret = remote.call("pool.initial_auth", &[], &trail).await?;
        let secret = Secret::new(secret.as_text().unwrap_or_default());
        let trail = self.step(5, "exchange pool-internal certificates");
        let own = Identity::Internal
            .read(self.pool.coordinator().root())?
            .ok_or_else(|| ApiError::internal("the host has no internal certificate"))?;
        let params = [Value::text(&joiner.coordinator()?.uuid), Value::text(own.pem)];
        let method = "pool.exchange_certificates_on_join";
        let certificates = remote.call_for_texts(method, &params, &trail).await?;
        let coordinator = &pool.coordinator()?.uuid;
        if !certificates.iter().any(|(name, _)| *name == format!("{coordinator}.pem")) {
            let code = "POOL_JOINING_MASTER_CERTIFICATE_NOT_IN_POOL_BUNDLE";
            return Err(ApiError::new(code, [coordinator.as_str()]));
        }
        let trail = self.step(6, "import pool-internal certificates");
        self.pool.coordinator_at_work(&trail).merge(StoreDirectory::PoolInternal, &certificates)?;
        self.pool_bundle()?;
        Ok((pool, secret))
    }

    /// Steps 8 to 13.
    async fn exchange(&self, remote: &Remote, pool: &Side) -> Result<(), ApiError> {
        let joiner = Side::of_records(&self.records());
        self.exchange_legacy(remote, &joiner, pool).await?;
        self.exchange_trusted(remote, &joiner, pool, true).await?;
        self.exchange_trusted(remote, &joiner, pool, false).await?;
        self.exchange_crls(remote, pool).await?;
        // Step 11 brings copies of what is not modelled: a backup of the database, UEFI
        // certificates, SSH settings.
        let coordinator = pool.coordinator()?;
        let me = joiner.coordinator()?;
        if self.pool.profile() == Profile::Landed
            && !coordinator.external_auth_type.is_empty()
            && me.external_auth_ldaps != coordinator.external_auth_ldaps
        {
            let trail = self.step(12, "adopt the coordinator's ldaps");
            let call = Call::HostExternalAuthSetLdaps {
                host: me.reference.clone(),
                ldaps: coordinator.external_auth_ldaps,
                force: Some(true),
            };
            let adopted = self.pool.call_host(call, &trail).await;
            if !self.pool.quirks().has(Quirk::JoinLdapsSyncBestEffort) {
                adopted?;
            }
        }
        // Best effort: a host of which the coordinator has no record is stranded.
        let _ = self.push_host_record(remote).await;
        Ok(())
    }

    /// Only the names that the other side lacks.
    async fn exchange_legacy(
        &self,
        remote: &Remote,
        joiner: &Side,
        pool: &Side,
    ) -> Result<(), ApiError> {
        let trail = self.step(8, "exchange legacy CAs");
        let lacks = |side: &Side, name: &str| !side.certificates.iter().any(|row| row.name == name);
        let wanted = pool.certificates.iter().filter(|row| !row.is_trusted());
        let export: Vec<_> =
            wanted.filter(|row| lacks(joiner, &row.name)).map(|row| &row.reference).collect();
        let mut import = Vec::new();
        for row in joiner.certificates.iter().filter(|row| !row.is_trusted()) {
            if lacks(pool, &row.name) {
                let text = self.pool.sent(StoreDirectory::LegacyCa, &row.name)?;
                import.push((row.name.clone(), text));
            }
        }
        let params = [Value::texts_by_key(import), Value::texts(export)];
        let method = "pool.exchange_ca_certificates_on_join";
        let sent = remote.call_for_texts(method, &params, &trail).await?;
        self.pool.import_legacy(&sent, &trail)
    }

    /// All of this type both ways; what is there already is passed over.
    async fn exchange_trusted(
        &self,
        remote: &Remote,
        joiner: &Side,
        pool: &Side,
        ca: bool,
    ) -> Result<(), ApiError> {
        let (kind, what) = match ca {
            true => ("ca", "exchange trusted CAs"),
            false => ("pinned", "exchange pinned certificates"),
        };
        let trail = self.step(9, what);
        let is_meant = |row: &&CertificateSide| row.kind == kind && row.is_trusted();
        let mut import = Vec::new();
        for row in joiner.certificates.iter().filter(is_meant) {
            import.push(self.pool.export_trusted(ca, &row.reference)?);
        }
        let export = pool.certificates.iter().filter(is_meant).map(|row| &row.reference);
        let import = if self.pool.quirks().has(Quirk::ExchangeMapDuplicateKeys) {
            Value::sets_by_key(import)
        } else {
            Value::pairs_of_sets(import)
        };
        let reference = Value::text(&pool.pool.reference);
        let params = [reference, Value::Bool(ca), import, Value::texts(export)];
        let method = "pool.exchange_trusted_certificates_on_join";
        for (pem, purposes) in remote.call_for_sets(method, &params, &trail).await? {
            self.pool.import_trusted(ca, &pem, &purposes, &trail)?;
        }
        Ok(())
    }

    /// All names both ways.
    async fn exchange_crls(&self, remote: &Remote, pool: &Side) -> Result<(), ApiError> {
        let trail = self.step(10, "exchange revocation lists");
        let listed = remote.call("pool.crl_list", &[], &trail).await?;
        let mut import = Vec::new();
        for name in self.pool.coordinator().trust_store().names(StoreDirectory::Crl)? {
            let text = self.pool.sent(StoreDirectory::Crl, &name)?;
            import.push((name, text));
        }
        let params = [Value::text(&pool.pool.reference), Value::texts_by_key(import), listed];
        let method = "pool.exchange_crls_on_join";
        for (name, text) in remote.call_for_texts(method, &params, &trail).await? {
            self.pool.import_crl(&name, &text, &trail)?;
        }
        Ok(())
    }

    /// The coordinator gets a record of the host, unless it has one of that uuid.
    async fn push_host_record(&self, remote: &Remote) -> Result<(), ApiError> {
        let trail = self.step(13, "push the host record");
        let record = self.pool.coordinator_record()?;
        if remote.call("host.get_by_uuid", &[Value::text(record.uuid)], &trail).await.is_ok() {
            return Ok(());
        }
        let params = [
            Value::text(record.uuid),
            Value::Text(record.name_label),
            Value::Text(record.name_description),
            Value::Text(record.hostname),
            Value::Text(record.address),
            Value::Text(record.external_auth_type),
            Value::Text(record.external_auth_service_name),
            Value::texts_by_key(record.external_auth_configuration),
            // license_params
            Value::Struct(Vec::new()),
            Value::Text(record.edition),
            // license_server, local_cache_sr, chipset_info
            Value::Struct(Vec::new()),
            Value::text(Reference::null()),
            Value::Struct(Vec::new()),
        ];
        remote.call("host.create", &params, &trail).await.map(drop)
    }

    /// Step 14. The host has no storage to unplug.
    async fn restart_as_member(&self, secret: &Secret) -> Result<(), ApiError> {
        let trail = self.step(14, "restart as a member");
        let host = self.pool.coordinator();
        let rig = self.pool.rig().ok_or_else(|| ApiError::internal("the host stands alone"))?;
        host.machine().set_pool_secret(secret)?;
        host.machine().set_membership(Membership::MemberOf(self.address()?.ip()))?;
        Ok(rig.restart(host.name(), &trail).await?)
    }

    async fn log_in(
        &self,
        number: u8,
        what: &'static str,
        bundle: Option<String>,
    ) -> Result<Remote, ApiError> {
        let trail = self.step(number, what);
        let JoinParameters { master_username, master_password, .. } = self.parameters;
        let to = self.pool.coordinator().network().route(self.address()?);
        Remote::log_in(to, bundle, master_username, master_password, &trail).await
    }

    /// The coordinator's, as the host believes in it.
    fn address(&self) -> Result<SocketAddr, ApiError> {
        let text = &self.parameters.master_address;
        let address = text.parse::<IpAddr>().map_err(|_| {
            ApiError::internal(format!("the name `{text}` is not known; give an address"))
        })?;
        Ok((address, API_PORT).into())
    }

    /// The bundle of pool-internal certificates.
    fn pool_bundle(&self) -> Result<String, ApiError> {
        const EMPTY: &str = "POOL_JOINING_POOL_BUNDLE_EMPTY_AFTER_IMPORT";
        let path = StoreDirectory::PoolInternal.bundle().unwrap_or_default();
        let text = self.pool.coordinator().root().read_text_if_present(&path)?;
        text.filter(|text| !text.trim().is_empty()).ok_or_else(|| ApiError::new(EMPTY, [path]))
    }

    fn records(&self) -> Records {
        self.pool.database_view()
    }

    /// Notes that a step of §12.1 begins.
    fn step(&self, step: u8, what: &'static str) -> Trail {
        self.trail.begin(JoinStep { step, what })
    }
}
