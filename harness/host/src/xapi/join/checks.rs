//! The pre-checks of pool.join, in their order (xapi-flows.md §12.2): functions over what both sides
//! say, which change nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::side::{CertificateSide, HostSide, Side};
use crate::{
    ApiError, Circumstance as C, Estate, Quirk, Quirks, Reference,
    estate::{EDITIONS, Interface},
};

/// A host that wants to join a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) joiner: &'a Side,
    pub(crate) pool: &'a Side,
    /// `pool.join_force`: software and processors may differ.
    pub(crate) force: bool,
    pub(crate) quirks: &'a Quirks,
}

/// How many there are.
const CHECKS: u8 = 33;
/// A pool may have this many hosts where the licence limits it.
const LIMITED_POOL_SIZE: usize = 3;

impl Candidate<'_> {
    /// The first check that fails, by its number, with its error.
    pub(crate) fn first_failure(&self) -> Option<(u8, ApiError)> {
        (1..=CHECKS).find_map(|number| Some((number, self.check(number).err()?)))
    }

    /// The check of this number in the table of §12.2.
    fn check(&self, number: u8) -> Result<(), ApiError> {
        match number {
            1 => self.pool_size(),
            2 => self.management_interface(),
            3 => self.no_ha(self.joiner),
            4 => self.no_cluster(),
            5 => self.cluster_network(),
            6 => self.no_ha(self.pool),
            7 => self.not_itself(),
            8 => self.no_members(),
            9 => self.without(C::RunningVms, "JOINING_HOST_CANNOT_HAVE_RUNNING_VMS"),
            10 => self
                .without(C::VmOperations, "JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS"),
            11 => self.no_mandatory_guidance(),
            12 => self.same_platform(),
            13 => self.homogeneous(),
            14 => self.without(C::SharedSrs, "JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS"),
            15 => self.without(C::Bonds, "POOL_JOINING_HOST_HAS_BONDS"),
            16 => self.without(C::Tunnels, "POOL_JOINING_HOST_HAS_TUNNELS"),
            17 => self.without(C::NetworkSriovs, "POOL_JOINING_HOST_HAS_NETWORK_SRIOVS"),
            18 => self.without(C::NonManagementVlans, "POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS"),
            19 => self.same_management_vlan(),
            20 => self.same_external_auth(),
            21 => self.same_edition(),
            22 => self.same_network_backend(),
            23 => self.same_api_version(),
            24 => self.same_database_schema(),
            25 => self.same_updates(),
            26 => self.same_primary_address_type(),
            27 => self.compatible_network_purposes(),
            28 => self.same_tls_verification(),
            29 => self.no_legacy_ca_conflict(),
            30 => self.no_trusted_certificate_conflict(),
            31 => self.not_applying_updates(self.joiner),
            32 => self.not_applying_updates(self.pool),
            33 => self.storage_features(),
            _ => Ok(()),
        }
    }

    fn me(&self) -> Result<&HostSide, ApiError> {
        self.joiner.coordinator()
    }

    fn pool_size(&self) -> Result<(), ApiError> {
        let is_full = self.pool.hosts.len() >= LIMITED_POOL_SIZE;
        demand(!(self.joiner.has(C::PoolSizeLimited) && is_full), || {
            ApiError::new("LICENCE_RESTRICTION", ["Pool_size"])
        })
    }

    fn management_interface(&self) -> Result<(), ApiError> {
        demand(self.joiner.management().is_some(), || ApiError::bare("HOST_STILL_BOOTING"))
    }

    fn no_ha(&self, side: &Side) -> Result<(), ApiError> {
        demand(!side.pool.ha_enabled, || ApiError::bare("HA_IS_ENABLED"))
    }

    fn no_cluster(&self) -> Result<(), ApiError> {
        match self.joiner.estate.cluster_hosts.first() {
            Some(host) => {
                Err(ApiError::new("CLUSTERING_ENABLED", [host.identity.reference.as_str()]))
            }
            None => Ok(()),
        }
    }

    fn cluster_network(&self) -> Result<(), ApiError> {
        const ON_VLAN: &str = "POOL_JOINING_POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK";
        const ONE_IP: &str = "POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK";
        let Estate { cluster_hosts, interfaces, .. } = &self.pool.estate;
        let vlan = cluster_hosts.first().map(|host| {
            let interface = interfaces.iter().find(|i| i.identity.reference == host.interface);
            interface.map_or(0, |interface| interface.vlan)
        });
        match vlan {
            Some(vlan) if vlan > 0 => Err(ApiError::new(ON_VLAN, [vlan.to_string()])),
            Some(_) if self.joiner.has(C::TwoClusterAddresses) => Err(ApiError::bare(ONE_IP)),
            Some(_) | None => Ok(()),
        }
    }

    fn not_itself(&self) -> Result<(), ApiError> {
        let (me, coordinator) = (self.me()?, self.pool.coordinator()?);
        demand(me.uuid != coordinator.uuid, || {
            not_allowed(if self.joiner.hosts.len() > 1 {
                "Host is already part of a pool"
            } else {
                "Host cannot become slave of itself"
            })
        })
    }

    fn no_members(&self) -> Result<(), ApiError> {
        demand(self.joiner.hosts.len() == 1, || {
            ApiError::bare("JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS")
        })
    }

    fn without(&self, circumstance: C, code: &str) -> Result<(), ApiError> {
        demand(!self.joiner.has(circumstance), || ApiError::bare(code))
    }

    fn no_mandatory_guidance(&self) -> Result<(), ApiError> {
        for side in [self.joiner, self.pool] {
            demand(side.estate.pending_guidances.is_empty(), || {
                let host = side.hosts.first().map_or(Reference::null(), |h| h.reference.clone());
                ApiError::new("HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY", [host.as_str()])
            })?;
        }
        Ok(())
    }

    fn same_platform(&self) -> Result<(), ApiError> {
        demand(self.same_software(&["platform_version", "product_brand"]), || {
            ApiError::bare("HOSTS_NOT_COMPATIBLE")
        })
    }

    fn homogeneous(&self) -> Result<(), ApiError> {
        if self.force {
            return Ok(());
        }
        demand(self.same_software(&["xapi", "product_brand", "git_id"]), || {
            not_homogeneous("Software version differs")
        })?;
        let vendors = [self.joiner, self.pool].map(|side| &side.estate.cpu_vendor);
        demand(vendors[0] == vendors[1], || not_homogeneous("CPUs differ"))
    }

    fn same_management_vlan(&self) -> Result<(), ApiError> {
        self.compare_management(
            |interface| interface.vlan.to_string(),
            |vlans| ApiError::new("POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH", vlans),
        )
    }

    /// `ldaps` takes no part.
    fn same_external_auth(&self) -> Result<(), ApiError> {
        let (me, coordinator) = (self.me()?, self.pool.coordinator()?);
        let same_service = me
            .external_auth_service_name
            .eq_ignore_ascii_case(&coordinator.external_auth_service_name);
        demand(me.external_auth_type == coordinator.external_auth_type && same_service, || {
            ApiError::bare("POOL_JOINING_EXTERNAL_AUTH_MISMATCH")
        })
    }

    /// The cheapest edition of the pool counts.
    fn same_edition(&self) -> Result<(), ApiError> {
        let mine = &self.me()?.edition;
        let theirs: Vec<_> = self.pool.hosts.iter().map(|host| host.edition.as_str()).collect();
        if theirs.iter().all(|edition| edition == mine) {
            return Ok(());
        }
        if self.joiner.has(C::NoLicenceDaemon) {
            let text = format!("The pool uses v6d. Pool edition list = [{}]", theirs.join("; "));
            return Err(ApiError::new("V6D_FAILURE", [text]));
        }
        let mismatch = |params: Vec<String>| ApiError::new("LICENSE_HOST_POOL_MISMATCH", params);
        let order = |edition: &str| {
            EDITIONS.iter().position(|known| *known == edition).ok_or_else(|| {
                mismatch(vec![format!("Edition \"{edition}\" from pool is not known to v6d.")])
            })
        };
        let mut cheapest = None;
        for edition in theirs {
            let found = (order(edition)?, edition);
            cheapest = Some(cheapest.map_or(found, |cheapest| found.min(cheapest)));
        }
        match cheapest {
            Some((theirs, edition)) if theirs != order(mine)? => Err(mismatch(vec![
                format!("host edition = \"{mine}\""),
                format!("pool edition = \"{edition}\""),
            ])),
            Some(_) | None => Ok(()),
        }
    }

    fn same_network_backend(&self) -> Result<(), ApiError> {
        demand(self.same_software(&["network_backend"]), || {
            not_allowed("Network backends differ")
        })?;
        let (mine, theirs) = (&self.joiner.estate, &self.pool.estate);
        let backend = mine.software_version.get("network_backend").map(String::as_str);
        let [own, other] = [mine, theirs]
            .map(|estate| estate.sdn_controllers.first().map(|controller| &controller.address));
        demand(backend != Some("openvswitch") || own.is_none() || own == other, || {
            not_allowed("SDN controller differs")
        })
    }

    fn same_api_version(&self) -> Result<(), ApiError> {
        let [mine, theirs] = [self.joiner, self.pool].map(|side| {
            let (major, minor) = side.estate.api_version;
            format!("{major}.{minor}")
        });
        demand(mine == theirs, || {
            ApiError::new("POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION", [mine, theirs])
        })
    }

    fn same_database_schema(&self) -> Result<(), ApiError> {
        let [mine, theirs] = [self.joiner, self.pool]
            .map(|side| side.estate.software_version.get("db_schema").cloned().unwrap_or_default());
        demand(!mine.is_empty() && mine == theirs, || {
            ApiError::new("POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA", [mine, theirs])
        })
    }

    fn same_updates(&self) -> Result<(), ApiError> {
        let (me, coordinator) = (self.me()?, self.pool.coordinator()?);
        let [mine, theirs] = [self.joiner, self.pool].map(|side| {
            let enforced = side.estate.updates.iter().filter(|update| update.enforce_homogeneity);
            enforced.map(|update| update.identity.uuid).collect::<BTreeSet<_>>()
        });
        demand(mine == theirs, || {
            not_homogeneous(&format!(
                "Updates on local host {} and pool host {} differ",
                me.name_label, coordinator.name_label
            ))
        })
    }

    fn same_primary_address_type(&self) -> Result<(), ApiError> {
        self.compare_management(
            |interface| interface.primary_address_type.clone(),
            |_| not_allowed("Primary address type differs"),
        )
    }

    /// A pool has networks for NBD with TLS, or without, or none.
    fn compatible_network_purposes(&self) -> Result<(), ApiError> {
        let [mine, theirs] = [self.joiner, self.pool].map(|side| {
            let mut purposes = side.estate.networks.iter().flat_map(|network| &network.purpose);
            purposes.find(|purpose| matches!(purpose.as_str(), "nbd" | "insecure_nbd"))
        });
        demand(mine.is_none() || theirs.is_none() || mine == theirs, || {
            not_allowed("Incompatible network purposes: nbd and insecure_nbd")
        })
    }

    fn same_tls_verification(&self) -> Result<(), ApiError> {
        let [mine, theirs] =
            [self.joiner, self.pool].map(|side| side.pool.tls_verification_enabled);
        demand(mine == theirs, || ApiError::bare("POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH"))
    }

    fn no_legacy_ca_conflict(&self) -> Result<(), ApiError> {
        let theirs: BTreeMap<_, _> = legacy(self.pool).collect();
        let conflicting: BTreeSet<_> = legacy(self.joiner)
            .filter(|(name, mine)| theirs.get(name).is_some_and(|theirs| theirs != mine))
            .map(|(name, _)| name)
            .collect();
        demand(conflicting.is_empty(), || {
            ApiError::new("POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT", conflicting)
        })
    }

    fn no_trusted_certificate_conflict(&self) -> Result<(), ApiError> {
        if !self.quirks.has(Quirk::JoinPurposePrecheck) {
            return Ok(());
        }
        let [mine, theirs] = [self.joiner, self.pool].map(|side| self.compared(side));
        for theirs in theirs {
            let overlaps = |mine: &&&CertificateSide| {
                mine.fingerprint_sha256 == theirs.fingerprint_sha256
                    && mine.purpose != theirs.purpose
                    && !mine.purpose.is_disjoint(&theirs.purpose)
            };
            if let Some(mine) = mine.iter().find(overlaps) {
                return Err(ApiError::new(
                    "POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT",
                    [theirs.reference.as_str(), mine.reference.as_str()],
                ));
            }
        }
        Ok(())
    }

    fn not_applying_updates(&self, side: &Side) -> Result<(), ApiError> {
        demand(!side.pool.is_applying_updates, || ApiError::bare("NOT_SUPPORTED_DURING_UPGRADE"))
    }

    /// The joiner must be able to do all that the pool can, of each kind of storage.
    fn storage_features(&self) -> Result<(), ApiError> {
        for theirs in &self.pool.estate.storage_managers {
            let mine = self.joiner.estate.storage_managers.iter().find(|m| m.kind == theirs.kind);
            let suffices = mine.is_some_and(|mine| {
                let has = |(feature, version)| mine.features.get(feature) >= Some(version);
                theirs.features.iter().all(has)
            });
            demand(suffices, || {
                let mine = mine.map_or("", |mine| mine.identity.reference.as_str());
                let params = [theirs.identity.reference.as_str(), mine];
                ApiError::new("POOL_JOINING_SM_FEATURES_INCOMPATIBLE", params)
            })?;
        }
        Ok(())
    }

    fn same_software(&self, keys: &[&str]) -> bool {
        let [mine, theirs] = [self.joiner, self.pool].map(|side| &side.estate.software_version);
        keys.iter().all(|key| mine.get(*key) == theirs.get(*key))
    }

    /// Fails if the management interfaces differ in what `look` sees, with mine and theirs.
    fn compare_management(
        &self,
        look: impl Fn(&Interface) -> String,
        error: impl FnOnce([String; 2]) -> ApiError,
    ) -> Result<(), ApiError> {
        let [mine, theirs] = [self.joiner, self.pool].map(Side::management);
        match (mine, theirs) {
            (Some(mine), Some(theirs)) if look(mine) != look(theirs) => {
                Err(error([look(mine), look(theirs)]))
            }
            _ => Ok(()),
        }
    }

    /// The trusted certificates that are compared. Quirk Q45: of those with one fingerprint only
    /// the last, at its place.
    fn compared<'s>(&self, side: &'s Side) -> Vec<&'s CertificateSide> {
        let trusted: Vec<_> = side.certificates.iter().filter(|row| row.is_trusted()).collect();
        if !self.quirks.has(Quirk::JoinPrecheckOneRowPerFingerprint) {
            return trusted;
        }
        let last: BTreeMap<_, _> = trusted
            .iter()
            .map(|row| (row.fingerprint_sha256.as_str(), row.reference.as_str()))
            .collect();
        let is_last = |row: &&CertificateSide| {
            last.get(row.fingerprint_sha256.as_str()) == Some(&row.reference.as_str())
        };
        trusted.into_iter().filter(is_last).collect()
    }
}

impl Side {
    fn management(&self) -> Option<&Interface> {
        let host = &self.hosts.first()?.reference;
        let mut interfaces = self.estate.interfaces.iter();
        interfaces.find(|interface| interface.management && interface.host == *host)
    }

    pub(crate) fn coordinator(&self) -> Result<&HostSide, ApiError> {
        self.hosts.first().ok_or_else(|| ApiError::internal("a pool without hosts"))
    }
}

/// Names and fingerprints of the legacy CAs.
fn legacy(side: &Side) -> impl Iterator<Item = (&str, &str)> {
    let legacy = side.certificates.iter().filter(|row| row.kind == "ca" && !row.is_trusted());
    legacy.map(|row| (row.name.as_str(), row.fingerprint_sha256.as_str()))
}

fn demand(holds: bool, error: impl FnOnce() -> ApiError) -> Result<(), ApiError> {
    if holds { Ok(()) } else { Err(error()) }
}

fn not_allowed(reason: &str) -> ApiError {
    ApiError::new("OPERATION_NOT_ALLOWED", [reason])
}

fn not_homogeneous(reason: &str) -> ApiError {
    ApiError::new("HOSTS_NOT_HOMOGENEOUS", [reason])
}

#[cfg(test)]
mod tests;
