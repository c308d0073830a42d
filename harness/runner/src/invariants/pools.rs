//! Hosts that come to a pool and leave it, and what a pool says to people (xapi-flows.md §§11–15).

use std::collections::BTreeMap;

use scenario::{Action, ClientAction, PoolCall};
use sim_host::Host;

use super::{
    Breach,
    look::{HostLook, Look},
};

/// Where a host says whose member it is.
const MEMBERSHIP: &str = "/etc/xensource/pool.conf";

/// A host's files name the pool that it is in (§12.1 step 14, §13).
pub(super) fn hosts_know_their_pool(look: &Look<'_>) -> Vec<Breach> {
    let Some(coordinator) = look.coordinator() else { return Vec::new() };
    let address = coordinator.record.as_ref().map(|record| record.address.as_str());
    let slave = format!("slave:{}", address.unwrap_or_default());
    if look.pool.emergency().is_some() {
        return stranded_hosts_belong_elsewhere(look, coordinator);
    }
    let wrong = |host: &HostLook| {
        let expected = if host.name() == coordinator.name() { "master" } else { &slave };
        let found = membership_of(&host.host).unwrap_or_default();
        (found != expected && !host.memory.was_edited(MEMBERSHIP)).then(|| {
            let name = host.name();
            Breach::new(name, format!("{name}:{MEMBERSHIP} says `{found}`, not `{expected}`"))
        })
    };
    look.hosts.iter().filter_map(wrong).collect()
}

/// A host that is stranded, which is alone, belongs to another pool by its files alone (§12.1 step
/// 13), and goes on belonging to it when the coordinator of that pool, which knows nothing of it, has
/// gone elsewhere.
fn stranded_hosts_belong_elsewhere(look: &Look<'_>, host: &HostLook) -> Vec<Breach> {
    let found = membership_of(&host.host);
    let elsewhere = look.view.world.rig.pools().into_iter().any(|pool| {
        let records = pool.database_view();
        let coordinator = records.host(&records.pool.master);
        let address = coordinator.map(|record| record.address.as_str()).unwrap_or_default();
        let slave = format!("slave:{address}");
        pool.reference() != look.pool.reference() && found.as_deref() == Some(&slave)
    });
    if elsewhere || found == host.memory.membership || host.memory.was_edited(MEMBERSHIP) {
        return Vec::new();
    }
    let (name, found) = (host.name(), found.unwrap_or_default());
    let what = format!("{name} is stranded, and {MEMBERSHIP} says `{found}`, which no pool has");
    vec![Breach::new(name, what)]
}

/// What a host says of whose member it is.
pub(super) fn membership_of(host: &Host) -> Option<String> {
    let text = host.root().read_text_if_present(MEMBERSHIP).ok().flatten();
    text.map(|text| text.trim().to_owned())
}

/// `pool.disable_external_auth` ends the sessions that came in through AD (§11.1).
pub(super) fn sessions_of_ad_end_with_it(look: &Look<'_>) -> Vec<Breach> {
    let disables =
        matches!(&look.view.step.action.value, Action::Pool(PoolCall::DisableExternalAuth(_)));
    if !disables || !look.is_of_step || look.view.done.result.is_err() {
        return Vec::new();
    }
    let sessions = look.pool.open_sessions().into_iter();
    sessions
        .filter(|session| !session.auth_user_sid.is_empty())
        .map(|session| {
            let user = &session.auth_user_name;
            Breach::of_pool(format!("the session of {user} outlives the pool's membership"))
        })
        .collect()
}

/// Of the messages about the end of a certificate the last one alone stays (§15).
pub(super) fn one_alert_about_an_object(look: &Look<'_>) -> Vec<Breach> {
    let mut alerts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for message in &look.records.messages {
        let family = message.name.split_once("_EXPIR").map(|(family, _)| family);
        if let Some(family) = family.filter(|family| family.ends_with("CERTIFICATE")) {
            *alerts.entry((family, message.obj_uuid.to_string())).or_default() += 1;
        }
    }
    let several = alerts.into_iter().filter(|(_, count)| *count > 1);
    several
        .map(|((family, object), count)| {
            Breach::of_pool(format!("there are {count} messages {family}_… about {object}"))
        })
        .collect()
}

impl Look<'_> {
    /// Whether a host comes or goes with the step: others hear of it as far as they can be
    /// reached, or with the next copy (§§5.4, 13).
    pub(super) fn moves_a_host(view: &crate::expect::StepView<'_>) -> bool {
        matches!(
            &view.step.action.value,
            Action::Client(ClientAction::Join(_))
                | Action::Pool(PoolCall::Eject(_) | PoolCall::Join(_) | PoolCall::JoinForce(_))
        )
    }
}
