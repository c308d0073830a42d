//! What is remembered from step to step: what was broken, what people have changed by hand, which
//! members may be behind.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use scenario::Step;
use sim_host::{Host, Liveness, Reference, smb_conf};

use super::{
    database::DATABASE,
    joins::BeforeJoin,
    look::{HostLook, Look, is_certificate_call},
    pools::membership_of,
};
use crate::{expect::StepView, world::World};

/// What is remembered of a case.
#[derive(Debug, Default)]
pub(crate) struct Memories {
    /// What was broken after the last step, by pool, invariant and host: it is reported once.
    broken: BTreeSet<Broken>,
    /// By the names of hosts, which go from pool to pool.
    hosts: BTreeMap<String, HostMemory>,
    /// Passwords of machine accounts that there were.
    secrets: BTreeSet<String>,
    /// The host that joins a pool with the present step, as it was.
    before_join: Option<Arc<BeforeJoin>>,
}

/// What is remembered of one host.
#[derive(Clone, Debug, Default)]
pub(super) struct HostMemory {
    /// Files that somebody has changed by hand, and that are not in order again.
    edited: BTreeSet<String>,
    /// How many changes by hand there were.
    edits: usize,
    /// Whether anybody has ever changed the database by hand: records may be those of an older
    /// release, which did not store the names of §14 step 3.
    pub(super) edited_database: bool,
    /// Whether the last step has changed stores by hand.
    pub(super) edited_stores: bool,
    /// smb.conf after the last step.
    pub(super) smb_conf: Option<String>,
    /// Whose member the host was by its files after the last step.
    pub(super) membership: Option<String>,
    /// The line of smb.conf that names what is trusted, as xapi chose it when it last wrote.
    pub(super) trust_line: Option<String>,
    /// Of a member: whether a copy of the stores has failed to reach it, or somebody has changed
    /// its stores or those of the coordinator, since the last copy.
    pub(super) is_behind: bool,
}

/// What a step has taught.
#[derive(Debug)]
pub(super) struct Learnt {
    hosts: BTreeMap<String, HostMemory>,
    secrets: Vec<String>,
}

/// Something that is broken: the pool, the invariant, the host.
pub(super) type Broken = (Reference, &'static str, String);

impl Memories {
    /// Takes in what `step`, which comes next, may have to leave as it is.
    pub(crate) fn prepare(&mut self, world: &World, step: &Step) {
        self.before_join = BeforeJoin::of(world, step).map(Arc::new);
    }

    pub(super) fn before_join(&self) -> Option<Arc<BeforeJoin>> {
        self.before_join.clone()
    }

    pub(super) fn is_broken(&self, key: &Broken) -> bool {
        self.broken.contains(key)
    }

    pub(super) fn of_host(&self, host: &str) -> HostMemory {
        self.hosts.get(host).cloned().unwrap_or_default()
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        self.secrets.iter().cloned().collect()
    }

    pub(super) fn learn(&mut self, learnt: Learnt) {
        self.hosts.extend(learnt.hosts);
        self.secrets.extend(learnt.secrets);
    }

    pub(super) fn set_broken(&mut self, broken: BTreeSet<Broken>) {
        self.broken = broken;
    }
}

impl HostMemory {
    /// Whether somebody changed `path` or something below it by hand.
    pub(super) fn was_edited(&self, path: &str) -> bool {
        self.edited.iter().any(|edit| is_below(edit, path))
    }

    /// Whether somebody changed the file `path`, or a folder that it is in, by hand.
    pub(super) fn concerns_edit(&self, path: &str) -> bool {
        self.was_edited(path) || self.edited.iter().any(|edit| is_below(path, edit))
    }

    /// Takes in what the step has done to the host's files by hand.
    pub(super) fn notice(&mut self, view: &StepView<'_>, host: &Host, wrote_smb_conf: bool) {
        let edited = view.world.edited.get(host.name()).map(Vec::as_slice).unwrap_or_default();
        let new = edited.iter().skip(self.edits);
        self.edited_stores = new.clone().any(|path| is_of_stores(path));
        self.edited.extend(new.cloned());
        self.edits = edited.len();
        self.edited_database |= self.was_edited(DATABASE);
        if wrote_smb_conf {
            self.edited.remove(smb_conf::PATH);
        }
    }

    /// Takes in what the call of the step has done to the stores of its pool.
    pub(super) fn notice_call(&mut self, view: &StepView<'_>, host: &Host, is_coordinator: bool) {
        let action = view.step.action.name();
        match &view.done.result {
            Ok(_) if is_certificate_call(&action) => {
                if !is_coordinator {
                    // All of its stores are new.
                    self.edited.retain(|path| !is_of_stores(path));
                }
                self.is_behind = false;
            }
            // A joiner takes a copy where hosts verify each other (§14 step 1). The others get what
            // it brings with the next one.
            _ if JOINS.contains(&action.as_str()) => {
                let records = view.world.pool().map(|pool| pool.database_view());
                let verified = records.is_ok_and(|its| its.pool.tls_verification_enabled);
                let joins = view.step.on.as_ref().is_some_and(|on| on.as_str() == host.name());
                self.is_behind = !(verified && joins);
            }
            // Members get these certificates as far as they can be reached, or with the next copy
            // (§5.4).
            _ if LEAVES_MEMBERS.contains(&action.as_str()) => self.is_behind = true,
            Err(_) if EXCHANGES.contains(&action.as_str()) => self.is_behind = true,
            // The files of a legacy CA come before its row, and go before it (§4.3). A copy that fails
            // takes the file from the coordinator alone, of a CA or a list: not from the members
            // that have it already (xapi's certificates.ml, `pool_install`).
            Err(_) if is_legacy_call(&action) || action.starts_with("pool.crl_") => {
                self.edited.insert(LEGACY.to_owned());
                self.is_behind = true;
            }
            // The coordinator's own files could not be changed, so nothing was copied; or a member's
            // could not be replaced.
            Err(error) if STORE_TROUBLE.contains(&error.code.as_str()) => self.is_behind = true,
            Err(_) if host.liveness() != Liveness::Live => self.is_behind = true,
            _ => {}
        }
    }
}

/// Whether `path` is `folder` or something in it.
pub(super) fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

const LEGACY: &str = "/etc/stunnel/certs";

/// Errors of certificate calls after which stores are not what records say, or not everywhere.
const STORE_TROUBLE: [&str; 3] =
    ["CERTIFICATE_CORRUPT", "CERTIFICATE_LIBRARY_CORRUPT", "INTERNAL_ERROR"];

/// Calls by which a host comes in.
const JOINS: [&str; 3] = ["client.join", "pool.join", "pool.join_force"];

/// Calls that may leave members without what the coordinator gets.
const LEAVES_MEMBERS: [&str; 2] =
    ["pool.exchange_ca_certificates_on_join", "pool.exchange_certificates_on_join"];

/// Calls that install many certificates and lists, and may fail between two.
const EXCHANGES: [&str; 3] = [
    "pool.exchange_crls_on_join",
    "pool.exchange_trusted_certificates_on_join",
    "pool.sync_trusted_certificates_from",
];

fn is_legacy_call(action: &str) -> bool {
    is_certificate_call(action)
        && (action.ends_with("_ca_certificate") || action.starts_with("pool.certificate_"))
}

fn is_of_stores(path: &str) -> bool {
    path.starts_with("/etc/trusted-certs") || path.starts_with("/etc/stunnel")
}

impl Look<'_> {
    /// What is remembered until the next step. What is in order again is no longer edited.
    pub(super) fn into_learnt(self) -> Learnt {
        let behind: Vec<bool> =
            self.hosts.iter().map(|host| !self.has_the_stores_of_the_coordinator(host)).collect();
        let database_in_order = self.database_differs().is_empty();
        let names_in_order = self.hosts.first().map(|coordinator| {
            let stores = coordinator.stores.iter();
            stores.filter(|store| self.is_as_recorded(store)).map(|s| s.store.directory).collect()
        });
        let names_in_order: Vec<&str> = names_in_order.unwrap_or_default();
        let hosts = self.hosts.into_iter().zip(behind).map(|(host, behind)| {
            let HostLook { host, stores, smb_conf, mut memory, .. } = host;
            for look in stores.iter().filter(|look| !look.is_blocked && look.bundle_is_in_order()) {
                let directory = look.store.directory;
                memory.edited.retain(|path| Some(path.as_str()) != look.store.bundle);
                if names_in_order.contains(&directory) {
                    memory.edited.retain(|path| !is_below(path, directory));
                }
            }
            memory.edited.retain(|path| path != DATABASE || !database_in_order);
            memory.is_behind &= behind;
            memory.trust_line =
                smb_conf.as_deref().and_then(super::smb_conf::trust_line).map(str::to_owned);
            memory.smb_conf = smb_conf;
            memory.membership = membership_of(&host);
            (host.name().to_owned(), memory)
        });
        Learnt { hosts: hosts.collect(), secrets: self.secrets }
    }
}
