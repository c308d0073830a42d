//! What the invariants look at: files and records after a step, and what is known of the past.

use std::{collections::BTreeMap, fs, sync::Arc};

use ground::Actor;
use sim_host::{Host, HostRecord, Pool, Quirk, Records, facts::SmbConfWritten, smb_conf};

use super::{
    joins::BeforeJoin,
    memory::{HostMemory, Memories},
};
use crate::expect::StepView;

/// One pool after a step.
pub(super) struct Look<'v> {
    pub(super) view: &'v StepView<'v>,
    /// The pool that is looked at.
    pub(super) pool: Arc<Pool>,
    /// Whether the step is about this pool.
    pub(super) is_of_step: bool,
    /// The database in memory.
    pub(super) records: Records,
    /// The coordinator first.
    pub(super) hosts: Vec<HostLook>,
    /// Passwords that must not be told, besides those of the scenario.
    pub(super) secrets: Vec<String>,
    /// References of the open sessions, which must not be told either.
    pub(super) sessions: Vec<String>,
    /// The host that joins a pool with the step, as it was.
    pub(super) before_join: Option<Arc<BeforeJoin>>,
}

/// One host after a step.
pub(super) struct HostLook {
    pub(super) host: Arc<Host>,
    pub(super) record: Option<HostRecord>,
    pub(super) stores: Vec<StoreLook>,
    pub(super) smb_conf: Option<String>,
    /// Whether xapi wrote it during the step.
    pub(super) wrote_smb_conf: bool,
    /// What was known of it before, with what the step has changed by hand.
    pub(super) memory: HostMemory,
}

/// One directory of the trust store (xapi-flows.md §2.1).
pub(super) struct StoreLook {
    pub(super) store: &'static Store,
    /// Its certificates, or lists of revoked ones.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) bundle: Option<Vec<u8>>,
    /// Whether somebody has put something in the place of the bundle that is no file.
    pub(super) is_blocked: bool,
}

/// Where a store is.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) directory: &'static str,
    pub(super) bundle: Option<&'static str>,
    pub(super) holds: Holds,
}

/// What the files of a store are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Crls,
    LegacyCas,
    PoolInternal,
    /// Trusted certificates of this type with this purpose; no purpose is the general one.
    Trusted(&'static str, Option<&'static str>),
}

/// The stores of every host (xapi-flows.md §2.1).
pub(super) const STORES: &[Store] = &[
    Store {
        directory: "/etc/stunnel/certs-pool",
        bundle: Some("/etc/stunnel/xapi-pool-ca-bundle.pem"),
        holds: Holds::PoolInternal,
    },
    Store {
        directory: "/etc/stunnel/certs",
        bundle: Some("/etc/stunnel/xapi-stunnel-ca-bundle.pem"),
        holds: Holds::LegacyCas,
    },
    Store { directory: "/etc/stunnel/crls", bundle: None, holds: Holds::Crls },
    Store {
        directory: "/etc/trusted-certs/ca-general",
        bundle: Some("/etc/trusted-certs/ca-bundle-general.pem"),
        holds: Holds::Trusted("ca", None),
    },
    Store {
        directory: "/etc/trusted-certs/ca-ldaps",
        bundle: Some("/etc/trusted-certs/ca-bundle-ldaps.pem"),
        holds: Holds::Trusted("ca", Some("ldaps")),
    },
    Store {
        directory: "/etc/trusted-certs/ca-licensing",
        bundle: Some("/etc/trusted-certs/ca-bundle-licensing.pem"),
        holds: Holds::Trusted("ca", Some("licensing")),
    },
    Store {
        directory: "/etc/trusted-certs/pinned-general",
        bundle: Some("/etc/trusted-certs/pinned-bundle-general.pem"),
        holds: Holds::Trusted("pinned", None),
    },
    Store {
        directory: "/etc/trusted-certs/pinned-ldaps",
        bundle: Some("/etc/trusted-certs/pinned-bundle-ldaps.pem"),
        holds: Holds::Trusted("pinned", Some("ldaps")),
    },
    Store {
        directory: "/etc/trusted-certs/pinned-licensing",
        bundle: Some("/etc/trusted-certs/pinned-bundle-licensing.pem"),
        holds: Holds::Trusted("pinned", Some("licensing")),
    },
];

impl<'v> Look<'v> {
    pub(super) fn at(view: &'v StepView<'v>, pool: Arc<Pool>, memories: &Memories) -> Self {
        let records = pool.database_view();
        let is_of_step = view.world.pool().is_ok_and(|own| Arc::ptr_eq(&pool, own));
        let mut hosts: Vec<HostLook> = Vec::new();
        for host in pool.hosts() {
            let mut look = HostLook::at(view, host, &records, memories);
            let is_coordinator = hosts.is_empty();
            look.memory.notice(view, &look.host, look.wrote_smb_conf);
            if is_of_step {
                look.memory.notice_call(view, &look.host, is_coordinator);
            }
            hosts.push(look);
        }
        let edited = hosts.iter().any(|host| host.memory.edited_stores);
        if edited || Self::moves_a_host(view) || !view.world.backgrounds.is_empty() {
            // A member's stores were changed, or those that it has a copy of; or a host has come or
            // gone; or a call in the background may be changing them.
            hosts.iter_mut().for_each(|host| host.memory.is_behind = true);
        }
        let mut secrets = memories.secrets();
        for host in &hosts {
            secrets.extend(machine_password(&host.host));
        }
        secrets.sort();
        secrets.dedup();
        // One that has ended opens nothing, and is named in SESSION_INVALID.
        let sessions = pool.open_sessions().into_iter();
        let sessions = sessions.map(|session| session.reference.to_string()).collect();
        let before_join = memories.before_join();
        Self { view, pool, is_of_step, records, hosts, secrets, sessions, before_join }
    }

    /// The host that has the database; there is one in every pool.
    pub(super) fn coordinator(&self) -> Option<&HostLook> {
        self.hosts.first()
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &HostLook> {
        self.hosts.iter().skip(1)
    }

    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.pool.quirks().has(quirk)
    }

    /// Whether the step was a call that copies the stores to all members, and it succeeded.
    pub(super) fn has_copied(&self) -> bool {
        self.is_of_step
            && self.view.done.result.is_ok()
            && is_certificate_call(&self.view.step.action.name())
    }
}

impl HostLook {
    fn at(view: &StepView<'_>, host: Arc<Host>, records: &Records, memories: &Memories) -> Self {
        let actor = Actor::Host(host.name().to_owned());
        let wrote_smb_conf = view
            .done
            .events
            .iter()
            .any(|event| *event.actor == actor && event.fact::<SmbConfWritten>().is_some());
        let stores = STORES.iter().map(|store| StoreLook::at(store, &host)).collect();
        Self {
            record: records.host(host.reference()).cloned(),
            stores,
            smb_conf: host.root().read_text_if_present(smb_conf::PATH).ok().flatten(),
            wrote_smb_conf,
            memory: memories.of_host(host.name()),
            host,
        }
    }

    pub(super) fn name(&self) -> &str {
        self.host.name()
    }

    pub(super) fn has_ad(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.external_auth_type == "AD")
    }
}

impl StoreLook {
    fn at(store: &'static Store, host: &Host) -> Self {
        // Past the checks of `HostRoot`, which resolve every link of every path: a judge reads much.
        let real = |path: &str| host.root().directory().join(path.trim_start_matches('/'));
        let entries = fs::read_dir(real(store.directory)).into_iter().flatten().flatten();
        // Others are OpenSSL's hash links, which are ignored everywhere (§2.2).
        let certificates = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            // A directory among the files has no content.
            name.ends_with(".pem").then_some(())?;
            Some((name, fs::read(entry.path()).ok()?))
        });
        let bundle = store.bundle.map(real);
        Self {
            store,
            files: certificates.collect(),
            is_blocked: bundle.as_ref().is_some_and(|bundle| bundle.is_dir()),
            bundle: bundle.and_then(|bundle| fs::read(bundle).ok()),
        }
    }
}

/// Calls of xapi-flows.md §4 that end with a copy to all members (§2.3).
pub(super) fn is_certificate_call(action: &str) -> bool {
    const CALLS: [&str; 9] = [
        "pool.certificate_install",
        "pool.certificate_sync",
        "pool.certificate_uninstall",
        "pool.crl_install",
        "pool.crl_uninstall",
        "pool.install_ca_certificate",
        "pool.install_trusted_certificate",
        "pool.uninstall_ca_certificate",
        "pool.uninstall_trusted_certificate",
    ];
    CALLS.contains(&action)
}

/// The password of the host's machine account, as the model of Samba keeps it.
fn machine_password(host: &Host) -> Option<String> {
    let text = host.root().read_if_present("/var/lib/samba/private/secrets.json").ok()??;
    let secrets: serde_json::Value = serde_json::from_slice(&text).ok()?;
    secrets.get("password")?.as_str().map(str::to_owned)
}
