//! The database: on disk and in memory, and its records with each other.

use std::collections::{BTreeMap, BTreeSet};

use scenario::{Action, PoolCall};
use serde_json::Value;
use sim_host::{Profile, Records, Reference};

use super::{Breach, look::Look};

/// After a successful call of the pool that is about all hosts, all hosts say the same of what it
/// is about: the toggle leaves their domains alone, which may be spelled in two ways.
pub(super) fn hosts_agree(look: &Look<'_>) -> Vec<Breach> {
    let Action::Pool(call) = &look.view.step.action.value else { return Vec::new() };
    let toggles = matches!(call, PoolCall::ExternalAuthSetLdaps(_));
    let joins = matches!(call, PoolCall::EnableExternalAuth(_) | PoolCall::DisableExternalAuth(_));
    if !(toggles || joins) || !look.is_of_step || look.view.done.result.is_err() {
        return Vec::new();
    }
    let states: Vec<(&str, String)> = look
        .records
        .hosts
        .iter()
        .map(|record| {
            let kind = &record.external_auth_type;
            // Without AD the configuration may be what a failed enable has left (§7.2).
            let ldaps = !kind.is_empty() && record.ldaps();
            let mut state = format!("type `{kind}`, ldaps {ldaps}");
            if joins {
                state += &format!(", service `{}`", record.external_auth_service_name);
            }
            (record.name_label.as_str(), state)
        })
        .collect();
    let Some((first, expected)) = states.first() else { return Vec::new() };
    let differing = states.iter().filter(|(_, state)| state != expected);
    differing
        .map(|(host, state)| {
            Breach::new(host, format!("{first} has {expected}; {host} has {state}"))
        })
        .collect()
}

/// A restart of the coordinator would lose nothing (§1).
pub(super) fn is_on_disk(look: &Look<'_>) -> Vec<Breach> {
    let by_hand = look.coordinator().is_some_and(|host| host.memory.was_edited(DATABASE));
    if by_hand { Vec::new() } else { look.database_differs() }
}

impl Look<'_> {
    /// How the file of the database and the database in memory differ.
    pub(super) fn database_differs(&self) -> Vec<Breach> {
        let on_disk = match self.pool.database_on_disk() {
            Ok(on_disk) => on_disk,
            Err(error) => {
                return vec![Breach::of_pool(format!("the file cannot be used: {error}"))];
            }
        };
        // What is not written, such as the operations that are going on, ends with the process.
        let written = |records: &Records| serde_json::to_value(records).unwrap_or_default();
        let (disk, memory) = (written(&on_disk), written(&self.records));
        if disk == memory {
            return Vec::new();
        }
        let classes: Vec<&String> = memory
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(class, records)| disk.get(class) != Some(records))
            .map(|(class, _)| class)
            .collect();
        vec![Breach::of_pool(format!("memory and file differ in {classes:?}"))]
    }
}

/// The file of the database on the coordinator.
pub(super) const DATABASE: &str = "/var/lib/xcp/state.json";

/// References are the null one or lead to a record of the right class, and every record has a
/// reference and a uuid of its own.
pub(super) fn references_lead_to_records(look: &Look<'_>) -> Vec<Breach> {
    let records = &look.records;
    let mut breaches = Vec::new();
    let mut broken = |what: String| breaches.push(Breach::of_pool(what));
    let hosts: BTreeSet<&Reference> = records.hosts.iter().map(|host| &host.reference).collect();
    if !hosts.contains(&records.pool.master) {
        broken("the pool's coordinator is no host".to_owned());
    }
    for row in &records.certificates {
        let of_host = matches!(row.kind.name(), "host" | "host_internal");
        let null = row.host == Reference::null();
        if of_host == null || (of_host && !hosts.contains(&row.host)) {
            broken(format!(
                "the certificate {} of type {} names a wrong host",
                row.uuid,
                row.kind.name()
            ));
        }
    }
    // The subject of a session may be gone: xapi looks at that when it revalidates the session.
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let all = serde_json::to_value(records).unwrap_or_default();
    for class in ["hosts", "certificates", "messages", "sessions", "subjects"] {
        for record in all.get(class).and_then(Value::as_array).into_iter().flatten() {
            for key in ["reference", "uuid"] {
                let Some(id) = record.get(key).and_then(Value::as_str) else { continue };
                if let Some(other) = seen.insert(id.to_owned(), class) {
                    let uuid = record.get("uuid").and_then(Value::as_str).unwrap_or_default();
                    broken(format!(
                        "one of the {class}, {uuid}, shares its {key} with one of the {other}"
                    ));
                }
            }
        }
    }
    breaches
}

/// Type, service name and configuration of a host belong together (§§1.2, 1.3). What a failed
/// enable leaves in the configuration of a host without AD is documented (§7.2).
pub(super) fn fields_go_together(look: &Look<'_>) -> Vec<Breach> {
    let landed = look.pool.profile() == Profile::Landed;
    let mut breaches = Vec::new();
    for record in &look.records.hosts {
        let host = record.name_label.as_str();
        let mut broken = |what: String| breaches.push(Breach::new(host, format!("{host} {what}")));
        let service = &record.external_auth_service_name;
        let value = |key: &str| record.external_auth_configuration.get(key);
        match record.external_auth_type.as_str() {
            "" if service.is_empty() => {}
            "" => broken(format!("has no AD and the service name `{service}`")),
            "AD" => {
                if value("domain") != Some(service) || service.is_empty() {
                    broken(format!("has the service name `{service}` and another domain"));
                }
                let old = look.coordinator().is_some_and(|host| host.memory.edited_database);
                for key in ["user", "workgroup", "netbios_name", "machine_pwd_last_change_time"] {
                    if !old && value(key).is_none_or(String::is_empty) {
                        broken(format!("has AD and no `{key}`"));
                    }
                }
                let ldaps = value("ldaps").map(String::as_str);
                if !matches!(ldaps, Some("true" | "false")) && (landed || ldaps.is_some()) {
                    broken(format!("has AD and says of ldaps: {ldaps:?}"));
                }
            }
            other => broken(format!("has external authentication of the type `{other}`")),
        }
    }
    breaches
}
