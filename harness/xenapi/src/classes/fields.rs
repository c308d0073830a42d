//! What each class has: one row for each field (xenapi-wire.md §7).

use std::collections::BTreeMap;

use sim_host::{
    Certificate, HostRecord, Message, PoolOperation, PoolRecord, Reference, Session, Subject, Task,
    datamodel::RoleRecord,
};

use super::{Field, Record, View, field, in_space};
use xenapi_client::Value;

const API_VENDOR: &str = "XenSource";

impl Record for Certificate {
    const CLASS: &'static str = "Certificate";
    const FIELDS: &'static [Field<Self>] = &[
        field("uuid", |row, _| Value::text(row.uuid)),
        field("name", |row, _| Value::text(&row.name)),
        field("type", |row, _| Value::text(row.kind.name())),
        field("host", |row, _| Value::text(&row.host)),
        field("not_before", |row, _| Value::Date(row.not_before)),
        field("not_after", |row, _| Value::Date(row.not_after)),
        field("fingerprint", |row, _| Value::text(&row.fingerprint_sha256)),
        field("fingerprint_sha256", |row, _| Value::text(&row.fingerprint_sha256)),
        field("fingerprint_sha1", |row, _| Value::text(&row.fingerprint_sha1)),
        field("purpose", |row, _| Value::texts(&row.purpose)),
    ];

    fn rows(view: &View) -> &[Self] {
        &view.records.certificates
    }

    fn reference(&self) -> &Reference {
        &self.reference
    }
}

impl Record for HostRecord {
    const CLASS: &'static str = "host";
    const FIELDS: &'static [Field<Self>] = &[
        field("uuid", |row, _| Value::text(row.uuid)),
        in_space("name_label", "name__label", |row, _| Value::text(&row.name_label)),
        in_space("name_description", "name__description", |row, _| {
            Value::text(&row.name_description)
        }),
        field("hostname", |row, _| Value::text(&row.hostname)),
        field("address", |row, _| Value::text(&row.address)),
        field("enabled", |row, _| Value::Bool(row.enabled)),
        in_space("API_version_major", "API_version__major", |_, view| {
            Value::Int(view.estate.api_version.0)
        }),
        in_space("API_version_minor", "API_version__minor", |_, view| {
            Value::Int(view.estate.api_version.1)
        }),
        in_space("API_version_vendor", "API_version__vendor", |_, _| Value::text(API_VENDOR)),
        field("software_version", |_, view| map(&view.estate.software_version)),
        field("other_config", |row, _| map(&row.other_config)),
        field("tags", |row, _| Value::texts(&row.tags)),
        field("edition", |row, _| Value::text(&row.edition)),
        field("cpu_info", |_, view| cpu_info(1, &view.estate.cpu_vendor)),
        field("pending_guidances", |_, view| Value::texts(&view.estate.pending_guidances)),
        field("updates", |_, view| {
            Value::texts(view.estate.updates.iter().map(|update| &update.identity.reference))
        }),
        field("external_auth_type", |row, _| Value::text(&row.external_auth_type)),
        field("external_auth_service_name", |row, _| Value::text(&row.external_auth_service_name)),
        field("external_auth_configuration", |row, _| map(&row.external_auth_configuration)),
        field("certificates", |row, view| {
            let own = |certificate: &&Certificate| certificate.host == row.reference;
            let certificates = view.records.certificates.iter().filter(own);
            Value::texts(certificates.map(|certificate| &certificate.reference))
        }),
        field("tls_verification_enabled", |row, _| Value::Bool(row.tls_verification_enabled)),
        field("metrics", |row, _| Value::text(&row.metrics)),
    ];
    const BY_NAME_LABEL: bool = true;

    fn rows(view: &View) -> &[Self] {
        &view.records.hosts
    }

    fn reference(&self) -> &Reference {
        &self.reference
    }
}

/// It has no `get_<field>`, and `get_all_records_where` does not look at its expression, as in xapi.
impl Record for Message {
    const CLASS: &'static str = "message";
    const FIELDS: &'static [Field<Self>] = &[
        field("uuid", |row, _| Value::text(row.uuid)),
        field("name", |row, _| Value::text(&row.name)),
        field("priority", |row, _| Value::Int(row.priority)),
        field("cls", |row, _| Value::text(row.class.name())),
        field("obj_uuid", |row, _| Value::text(row.obj_uuid)),
        field("timestamp", |row, _| Value::Date(row.timestamp)),
        field("body", |row, _| Value::text(&row.body)),
    ];
    const GETTERS: bool = false;
    const FILTERED: bool = false;

    fn rows(view: &View) -> &[Self] {
        &view.records.messages
    }

    fn reference(&self) -> &Reference {
        &self.reference
    }
}

impl Record for PoolRecord {
    const CLASS: &'static str = "pool";
    const FIELDS: &'static [Field<Self>] = &[
        field("uuid", |row, _| Value::text(row.uuid)),
        field("name_label", |row, _| Value::text(&row.name_label)),
        field("name_description", |row, _| Value::text(&row.name_description)),
        field("master", |row, _| Value::text(&row.master)),
        field("other_config", |row, _| map(&row.other_config)),
        field("ha_enabled", |row, _| Value::Bool(row.ha_enabled)),
        field("ha_configuration", |row, _| map(&row.ha_configuration)),
        field("tags", |row, _| Value::texts(&row.tags)),
        field("allowed_operations", |row, _| {
            Value::texts(row.allowed_operations.iter().map(|operation| operation.name()))
        }),
        field("current_operations", |row, _| {
            let members = row.current_operations.iter();
            let member = |(task, operation): (&Reference, &PoolOperation)| {
                (task.to_string(), Value::text(operation.name()))
            };
            Value::Struct(members.map(member).collect())
        }),
        field("tls_verification_enabled", |row, _| Value::Bool(row.tls_verification_enabled)),
        field("is_psr_pending", |row, _| Value::Bool(row.is_psr_pending)),
        field("wlb_enabled", |row, _| Value::Bool(row.wlb_enabled)),
        field("wlb_verify_cert", |row, _| Value::Bool(row.wlb_verify_cert)),
        field("cpu_info", |_, view| cpu_info(view.records.hosts.len(), &view.estate.cpu_vendor)),
        field("ext_auth_max_threads", |row, _| Value::Int(row.ext_auth_max_threads.into())),
        field("local_auth_max_threads", |row, _| Value::Int(row.local_auth_max_threads.into())),
        field("ext_auth_cache_enabled", |row, _| Value::Bool(row.ext_auth_cache_enabled)),
        field("ext_auth_cache_size", |row, _| Value::Int(row.ext_auth_cache_size.into())),
        field("ext_auth_cache_expiry", |row, _| Value::Int(row.ext_auth_cache_expiry.into())),
    ];

    fn rows(view: &View) -> &[Self] {
        std::slice::from_ref(&view.records.pool)
    }

    fn reference(&self) -> &Reference {
        &self.reference
    }
}

/// Permissions come before the roles that are made of them. `get_all_records_where` does not look
/// at its expression, as in xapi.
impl Record for RoleRecord {
    const CLASS: &'static str = "role";
    const FIELDS: &'static [Field<Self>] = &[
        field("uuid", |row, _| Value::text(row.uuid)),
        field("name_label", |row, _| Value::text(&row.name_label)),
        field("name_description", |row, _| Value::text(row.name_description)),
        field("subroles", |row, _| Value::texts(&row.subroles)),
        field("is_internal", |row, _| Value::Bool(row.is_internal)),
    ];
    const BY_NAME_LABEL: bool = true;
    const FILTERED: bool = false;

    fn rows(view: &View) -> &[Self] {
        &view.roles
    }

    fn reference(&self) -> &Reference {
        &self.reference
    }
}

/// There is no `session.get_all`.
impl Record for Session {
    const CLASS: &'static str = "session";
    const FIELDS: &'static [Field<Self>] = &[
        field("uuid", |row, _| Value::text(row.uuid)),
        field("this_host", |_, view| Value::text(&view.records.pool.master)),
        field("this_user", |_, _| Value::text(Reference::null())),
        field("is_local_superuser", |row, _| Value::Bool(row.is_local_superuser)),
        field("client_certificate", |row, _| Value::Bool(row.client_certificate)),
        field("pool", |row, _| Value::Bool(row.pool)),
        field("subject", |row, _| Value::text(&row.subject)),
        field("auth_user_sid", |row, _| Value::text(&row.auth_user_sid)),
        field("auth_user_name", |row, _| Value::text(&row.auth_user_name)),
        field("validation_time", |row, _| Value::Date(row.validation_time)),
        field("last_active", |row, _| Value::Date(row.last_active)),
        field("rbac_permissions", |row, _| Value::texts(&*row.rbac_permissions)),
        field("originator", |row, _| Value::text(&row.originator)),
    ];
    const LISTED: bool = false;

    fn rows(view: &View) -> &[Self] {
        &view.sessions
    }

    fn reference(&self) -> &Reference {
        &self.reference
    }
}

impl Record for Subject {
    const CLASS: &'static str = "subject";
    const FIELDS: &'static [Field<Self>] = &[
        field("uuid", |row, _| Value::text(row.uuid)),
        field("subject_identifier", |row, _| Value::text(&row.subject_identifier)),
        field("other_config", |row, _| map(&row.other_config)),
        field("roles", |row, _| Value::texts(&row.roles)),
    ];

    fn rows(view: &View) -> &[Self] {
        &view.records.subjects
    }

    fn reference(&self) -> &Reference {
        &self.reference
    }
}

impl Record for Task {
    const CLASS: &'static str = "task";
    const FIELDS: &'static [Field<Self>] = &[
        field("uuid", |row, _| Value::text(row.uuid)),
        in_space("name_label", "name__label", |row, _| Value::text(&row.name_label)),
        in_space("name_description", "name__description", |row, _| {
            Value::text(&row.name_description)
        }),
        // Nothing that is modelled can be cancelled while it works.
        field("allowed_operations", |_, _| Value::Array(Vec::new())),
        field("current_operations", |row, _| {
            let members = row.current_operations.iter();
            Value::Struct(members.map(|(key, what)| (key.to_string(), Value::text(what))).collect())
        }),
        field("created", |row, _| Value::Date(row.created)),
        field("finished", |row, _| Value::Date(row.finished)),
        field("status", |row, _| Value::text(row.status.name())),
        field("resident_on", |row, _| Value::text(&row.resident_on)),
        field("progress", |row, _| Value::Double(row.progress())),
        field("type", |_, _| Value::void()),
        field("result", |row, _| Value::text(&row.result)),
        field("error_info", |row, _| Value::texts(&row.error_info)),
        field("other_config", |_, _| Value::Struct(Vec::new())),
        field("subtask_of", |_, _| Value::text(Reference::null())),
        field("subtasks", |_, _| Value::Array(Vec::new())),
        // How xapi writes that there is none.
        field("backtrace", |_, _| Value::text("()")),
    ];
    const BY_NAME_LABEL: bool = true;

    fn rows(view: &View) -> &[Self] {
        &view.tasks
    }

    fn reference(&self) -> &Reference {
        &self.reference
    }
}

pub(super) fn map(members: &BTreeMap<String, String>) -> Value {
    let members = members.iter().map(|(key, value)| (key.clone(), Value::text(value)));
    Value::Struct(members.collect())
}

/// One processor for each host.
fn cpu_info(count: usize, vendor: &str) -> Value {
    let count = Value::text(count);
    let members =
        [("cpu_count", count.clone()), ("socket_count", count), ("vendor", Value::text(vendor))];
    Value::Struct(members.map(|(key, value)| (key.to_owned(), value)).to_vec())
}
