//! What a join that fails leaves on the joiner: nothing (xapi-flows.md §§5.1, 12.1, 12.3).

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use ground::Actor;
use scenario::{Action, ClientAction, PoolCall, Step};
use serde_json::{Map, Value};
use sim_host::{
    Host, Pool,
    facts::{CallEnded, DutyBegan, SmbConfWritten},
    smb_conf,
};

use super::{
    Breach,
    database::DATABASE,
    look::{HostLook, Look},
    memory::is_below,
};
use crate::world::World;

/// A joiner before the step that lets it join.
#[derive(Debug)]
pub(super) struct BeforeJoin {
    joiner: String,
    /// The classes of its pool's database.
    records: Value,
    /// Content by path.
    files: BTreeMap<String, Vec<u8>>,
}

impl BeforeJoin {
    /// `None` if no host joins with this step.
    pub(super) fn of(world: &World, step: &Step) -> Option<Self> {
        let joiner = joiner_of(step)?;
        let (host, pool) = (world.host(joiner).ok()?, world.pool_of(joiner).ok()?);
        let joiner = joiner.to_owned();
        Some(Self { joiner, records: records_of(&pool), files: files_of(&host) })
    }
}

/// The host that joins a pool with this step.
fn joiner_of(step: &Step) -> Option<&str> {
    match &step.action.value {
        Action::Client(ClientAction::Join(join)) => Some(join.joiner.as_str()),
        Action::Pool(PoolCall::Join(_) | PoolCall::JoinForce(_)) => {
            step.on.as_ref().map(|host| host.as_str())
        }
        _ => None,
    }
}

/// The certificates are those that it had. What `pool.join` has exchanged before it failed stays
/// with quirk O4 (§12.1).
pub(super) fn failed_joins_leave_no_certificates(look: &Look<'_>) -> Vec<Breach> {
    let Some(failed) = FailedJoin::of(look) else { return Vec::new() };
    let mut differing = failed.differing_files(is_of_certificates);
    differing.extend(failed.differing_classes(|class| class == CERTIFICATES));
    failed.breaches(differing)
}

/// All else is as it was, too: the database and the files. What the joiner's xapi did by itself in
/// the meantime is not the join's. The rest of a domain that the client has let it join and leave
/// is what leaving one leaves (§8), with an `external_auth_configuration` that is empty whatever it was
/// before, and what enabling that fails leaves, which does not take back that field (§7.4).
pub(super) fn failed_joins_leave_nothing(look: &Look<'_>) -> Vec<Breach> {
    let Some(mut failed) = FailedJoin::of(look) else { return Vec::new() };
    let actor = Actor::Host(failed.host.name().to_owned());
    let own = || look.view.done.events.iter().filter(|event| *event.actor == actor);
    if own().any(|event| event.fact::<DutyBegan>().is_some()) {
        return Vec::new();
    }
    let wrote_samba = own().any(|event| event.fact::<SmbConfWritten>().is_some());
    let is_samba = |path: &str| wrote_samba && WRITTEN_WITH_SAMBA.contains(&path);
    let mut differing = failed.differing_files(|path| !is_of_certificates(path) && !is_samba(path));
    for ended in own().filter_map(|event| event.fact::<CallEnded>()) {
        match ended.call {
            "host.disable_external_auth" => forget_configuration(&mut failed.records[0]),
            "host.enable_external_auth" if ended.error.is_some() && wrote_samba => {
                failed.records.iter_mut().for_each(forget_configuration);
            }
            _ => {}
        }
    }
    differing.extend(failed.differing_classes(|class| class != CERTIFICATES));
    failed.breaches(differing)
}

/// A step by which a host should have joined a pool, and did not.
struct FailedJoin<'l> {
    before: Arc<BeforeJoin>,
    host: &'l HostLook,
    /// The classes of its pool's database, before and now.
    records: [Value; 2],
}

impl<'l> FailedJoin<'l> {
    fn of(look: &'l Look<'_>) -> Option<Self> {
        let before = look.before_join.clone()?;
        let host = look.hosts.iter().find(|host| host.name() == before.joiner)?;
        if look.view.done.result.is_ok() {
            return None;
        }
        let records = [before.records.clone(), records_of(&look.pool)];
        Some(Self { before, host, records })
    }

    /// What nobody has changed by hand.
    fn differing_files(&self, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
        let now = files_of(&self.host.host);
        let before = &self.before.files;
        let all = before.keys().chain(now.keys().filter(|path| !before.contains_key(*path)));
        let differing = all.filter(|path| is_meant(path) && before.get(*path) != now.get(*path));
        let differing = differing.filter(|path| !self.host.memory.concerns_edit(path));
        differing.map(|path| format!("another file {path}")).collect()
    }

    fn differing_classes(&self, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
        let [before, now] = &self.records;
        let Value::Object(now) = now else { return Vec::new() };
        let classes = now.iter().filter(|(class, _)| *class != CREATED && is_meant(class));
        let differing = classes.filter(|(class, now)| before.get(class) != Some(*now));
        differing.map(|(class, _)| format!("other {class} in its database")).collect()
    }

    fn breaches(&self, differing: Vec<String>) -> Vec<Breach> {
        let name = self.host.name();
        let breach = |what: String| Breach::new(name, format!("{name} has {what} than before"));
        differing.into_iter().map(breach).collect()
    }
}

/// Empties `external_auth_configuration` of all hosts.
fn forget_configuration(records: &mut Value) {
    let hosts = records.get_mut("hosts").and_then(Value::as_array_mut);
    for host in hosts.into_iter().flatten().filter_map(Value::as_object_mut) {
        host.insert("external_auth_configuration".to_owned(), Value::Object(Map::new()));
    }
}

const CERTIFICATES: &str = "certificates";
/// Counts identities, which are drawn for rows that do not stay, too.
const CREATED: &str = "created";

/// Written when a host comes into a domain or leaves it, or with another choice of certificates.
const WRITTEN_WITH_SAMBA: [&str; 3] = [smb_conf::PATH, "/etc/hosts", "/etc/nsswitch.conf"];

fn is_of_certificates(path: &str) -> bool {
    ["/etc/trusted-certs", "/etc/stunnel"].iter().any(|folder| is_below(path, folder))
}

fn records_of(pool: &Pool) -> Value {
    serde_json::to_value(pool.database_view()).unwrap_or_default()
}

/// Every file of a host that is xapi's: not that of the database, which is compared record by
/// record, and not what Samba remembers.
fn files_of(host: &Host) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    collect(host.root().directory(), "", &mut files);
    files
}

const LEFT_OUT: [&str; 4] = [DATABASE, "/var/lib/samba", "/var/cache", "/run"];

/// Adds what is in `folder`, a path on a host whose files are below `root`. Links are OpenSSL's,
/// which are ignored everywhere (§2.2).
fn collect(root: &Path, folder: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    // Past the checks of `HostRoot`, which resolve every link of every path: a judge reads much.
    let entries = fs::read_dir(root.join(folder.trim_start_matches('/')));
    for entry in entries.into_iter().flatten().flatten() {
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        let Ok(kind) = entry.file_type() else { continue };
        if LEFT_OUT.contains(&path.as_str()) || kind.is_symlink() {
            continue;
        }
        if kind.is_dir() {
            collect(root, &path, files);
        } else if let Ok(content) = fs::read(entry.path()) {
            files.insert(path, content);
        }
    }
}
