//! From the coordinator to members (xapi-flows.md §§2.3, 2.5, 4.5).

use std::collections::BTreeSet;

use ground::Trail;

use super::trusted::trusted_kind;
use crate::{
    ApiError, Certificate, CertificateType, Quirk, Reference,
    facts::CertificatesMissing,
    trust_store::{StoreDirectory, TrustedKind},
    xapi::{Call, Pool, PoolOperation, on_host::OnHost},
};

impl Pool {
    /// `pool.certificate_sync`: copies to all, then lets every host look after its directories.
    pub(in crate::xapi) async fn certificate_sync(&self, trail: &Trail) -> Result<(), ApiError> {
        self.copy_to_all(trail)?;
        let mut outcome = Ok(());
        for host in self.hosts() {
            let host = host.reference().clone();
            let synced = self.call_host(Call::HostCertificateSync { host }, trail).await;
            outcome = outcome.and(synced.map(drop));
        }
        outcome
    }

    /// Copies every directory of the coordinator to all members. Every member is tried; the first
    /// failure is raised at the end.
    pub(in crate::xapi) fn copy_to_all(&self, trail: &Trail) -> Result<(), ApiError> {
        let members = self.hosts().into_iter().skip(1);
        let outcomes: Vec<_> =
            members.map(|member| self.copy_to(member.reference(), trail)).collect();
        outcomes.into_iter().collect()
    }

    /// `host.copy_primary_host_certs`, which a member asks for when it starts.
    pub(in crate::xapi) async fn copy_primary_host_certs(
        &self,
        host: &Reference,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let _operation = self.register(PoolOperation::CopyPrimaryHostCerts, trail).await?;
        // Here it only says so: what the coordinator lacks, nobody else has.
        let _ = self.coordinator_at_work(trail).misses_certificates();
        self.copy_to(host, trail)
    }

    fn copy_to(&self, host: &Reference, trail: &Trail) -> Result<(), ApiError> {
        let host = self
            .hosts()
            .into_iter()
            .find(|known| known.reference() == host)
            .ok_or_else(|| ApiError::handle_invalid("host", host))?;
        let member = self.take_turn(&host, "copy-certificates", trail)?;
        let _one_at_a_time = self.operations().copying();
        member.receive_copy()
    }
}

impl OnHost<'_> {
    /// Takes a copy of all the coordinator's directories, then renews what is made of them. No host
    /// of this pool is in a cluster, whose certificate would follow.
    fn receive_copy(&self) -> Result<(), ApiError> {
        let coordinator = self.pool.coordinator();
        let source = coordinator.trust_store();
        let store = self.host.trust_store();
        let drops_newline = self.has(Quirk::MemberCopyDropsNewline);
        for directory in StoreDirectory::ALL {
            let mut files = source.files(directory)?;
            if drops_newline {
                files.values_mut().for_each(drop_newline);
            }
            store
                .replace(directory, &files, &self.trail)
                .map_err(|_| ApiError::internal("write_certs_fs: failed to write certs"))?;
        }
        store.renew_bundles(&self.trail)?;
        self.certificate_sync()
    }

    /// `host.certificate_sync`: missing directories are created, all are hashed anew, empty bundles
    /// dropped.
    pub(in crate::xapi) fn certificate_sync(&self) -> Result<(), ApiError> {
        let store = self.host.trust_store();
        store
            .create_directories()
            .and_then(|()| store.rehash_all())
            .and_then(|()| store.drop_empty_bundles(&self.trail))
            .map_err(|_| ApiError::bare("CERTIFICATE_LIBRARY_CORRUPT"))
    }

    /// Whether the host lacks a file that the database names (§2.5). Says which.
    pub(in crate::xapi) fn misses_certificates(&self) -> Result<bool, ApiError> {
        let mut missing = false;
        for (directory, expected) in self.expected_files() {
            let found: BTreeSet<_> =
                self.host.trust_store().names(directory)?.into_iter().collect();
            let names: Vec<_> = expected.difference(&found).cloned().collect();
            if !names.is_empty() {
                missing = true;
                self.trail.record(CertificatesMissing { directory: directory.path(), names });
            }
        }
        Ok(missing)
    }

    /// The files that each directory must have. Quirk Q15: the test of the legacy CAs takes the
    /// empty names of trusted ones for names of files.
    fn expected_files(&self) -> Vec<(StoreDirectory, BTreeSet<String>)> {
        let (hosts, certificates) = self
            .pool
            .database()
            .read(|records| (records.hosts.clone(), records.certificates.clone()));
        let counts_trusted = self.has(Quirk::MissingCertsAlways);
        let is_ca = |row: &&Certificate| {
            row.kind == CertificateType::Ca && (counts_trusted || !row.is_trusted())
        };
        let internal = hosts.iter().map(|host| format!("{}.pem", host.uuid)).collect();
        let legacy = certificates.iter().filter(is_ca).map(|row| row.name.clone()).collect();
        let mut expected =
            vec![(StoreDirectory::PoolInternal, internal), (StoreDirectory::LegacyCa, legacy)];
        for directory in StoreDirectory::TRUSTED {
            let is_in = |row: &&Certificate| {
                let kind = trusted_kind(row.kind).filter(|_| row.is_trusted());
                kind.is_some_and(|kind: TrustedKind| {
                    StoreDirectory::of_purposes(kind, &row.purpose).contains(&directory)
                })
            };
            let names = certificates.iter().filter(is_in).map(Certificate::file_name).collect();
            expected.push((directory, names));
        }
        expected
    }
}

/// Quirk Q16: files travel line by line, and the last line feed gets lost.
pub(in crate::xapi) fn drop_newline(content: &mut Vec<u8>) {
    if content.last() == Some(&b'\n') {
        content.pop();
    }
}
