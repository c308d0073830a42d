//! The read methods that every class has (xenapi-wire.md §7), computed from tables of fields.
//!
//! A class serves the fields that the pool's database holds. A new field is one row here.

use sim_host::{
    ApiError, Certificate, HostRecord, Message, PoolRecord, Records, Reference, Session,
};

use crate::value::Value;

/// API version of the release that is modelled.
const API_VERSION: (i64, i64) = (2, 23);
const API_VENDOR: &str = "XenSource";

/// All that can be read, at one moment.
pub(crate) struct View {
    pub(crate) records: Records,
    pub(crate) sessions: Vec<Session>,
}

/// A read method.
#[derive(Clone, Copy)]
pub(crate) struct Read {
    class: Class,
    verb: Verb,
}

#[derive(Clone, Copy)]
enum Class {
    Certificate,
    Host,
    Message,
    Pool,
    Session,
}

#[derive(Clone, Copy)]
enum Verb {
    All,
    AllRecords,
    ByNameLabel,
    ByUuid,
    Field(&'static str),
    Record,
}

impl Read {
    /// The method `class.message`, if there is one.
    pub(crate) fn find(class: &str, message: &str) -> Option<Self> {
        let (class, verb) = match class {
            Certificate::CLASS => (Class::Certificate, verb::<Certificate>(message)),
            HostRecord::CLASS => (Class::Host, verb::<HostRecord>(message)),
            Message::CLASS => (Class::Message, verb::<Message>(message)),
            PoolRecord::CLASS => (Class::Pool, verb::<PoolRecord>(message)),
            Session::CLASS => (Class::Session, verb::<Session>(message)),
            _ => return None,
        };
        Some(Self { class, verb: verb? })
    }

    /// How many parameters it has after the session.
    pub(crate) fn parameters(self) -> usize {
        match self.verb {
            Verb::All | Verb::AllRecords => 0,
            Verb::ByNameLabel | Verb::ByUuid | Verb::Field(_) | Verb::Record => 1,
        }
    }

    /// Reads. `wanted` is the parameter: a reference, a uuid or a label.
    pub(crate) fn run(self, view: &View, wanted: &str) -> Result<Value, ApiError> {
        match self.class {
            Class::Certificate => read::<Certificate>(self.verb, view, wanted),
            Class::Host => read::<HostRecord>(self.verb, view, wanted),
            Class::Message => read::<Message>(self.verb, view, wanted),
            Class::Pool => read::<PoolRecord>(self.verb, view, wanted),
            Class::Session => read::<Session>(self.verb, view, wanted),
        }
    }
}

/// A class of the wire.
trait Record: Sized + 'static {
    const CLASS: &'static str;
    const FIELDS: &'static [Field<Self>];
    /// Whether it has `get_all`, `get_all_records` and `get_by_uuid`.
    const LISTED: bool = true;
    /// Whether it has `get_<field>`.
    const GETTERS: bool = true;
    /// Whether it has `get_by_name_label`.
    const BY_NAME_LABEL: bool = false;

    fn rows(view: &View) -> &[Self];
    fn reference(&self) -> &Reference;
}

struct Field<T> {
    name: &'static str,
    value: fn(&T, &View) -> Value,
}

const fn field<T>(name: &'static str, value: fn(&T, &View) -> Value) -> Field<T> {
    Field { name, value }
}

fn verb<T: Record>(message: &str) -> Option<Verb> {
    let verb = match message {
        "get_all" => Verb::All,
        "get_all_records" => Verb::AllRecords,
        "get_by_name_label" => Verb::ByNameLabel,
        "get_by_uuid" => Verb::ByUuid,
        "get_record" => Verb::Record,
        _ => {
            let name = message.strip_prefix("get_")?;
            Verb::Field(T::FIELDS.iter().find(|field| field.name == name)?.name)
        }
    };
    let has = match verb {
        Verb::All | Verb::AllRecords | Verb::ByUuid => T::LISTED,
        Verb::ByNameLabel => T::BY_NAME_LABEL,
        Verb::Field(_) => T::GETTERS,
        Verb::Record => true,
    };
    has.then_some(verb)
}

fn read<T: Record>(verb: Verb, view: &View, wanted: &str) -> Result<Value, ApiError> {
    let rows = T::rows(view);
    let by_reference = || {
        rows.iter()
            .find(|row| row.reference().as_str() == wanted)
            .ok_or_else(|| ApiError::new("HANDLE_INVALID", [T::CLASS, wanted]))
    };
    let having = |field| {
        rows.iter()
            .filter(move |row| value_of(*row, field, view) == Some(Value::text(wanted)))
            .map(Record::reference)
    };
    Ok(match verb {
        Verb::All => Value::texts(rows.iter().map(Record::reference)),
        Verb::AllRecords => Value::Struct(
            rows.iter().map(|row| (row.reference().to_string(), record(row, view))).collect(),
        ),
        Verb::ByNameLabel => Value::texts(having("name_label")),
        Verb::ByUuid => having("uuid")
            .next()
            .map(Value::text)
            .ok_or_else(|| ApiError::new("UUID_INVALID", [T::CLASS, wanted]))?,
        Verb::Field(name) => value_of(by_reference()?, name, view).unwrap_or(Value::Nil),
        Verb::Record => record(by_reference()?, view),
    })
}

fn value_of<T: Record>(row: &T, name: &str, view: &View) -> Option<Value> {
    let field = T::FIELDS.iter().find(|field| field.name == name)?;
    Some((field.value)(row, view))
}

fn record<T: Record>(row: &T, view: &View) -> Value {
    let members = T::FIELDS.iter().map(|field| (field.name.to_owned(), (field.value)(row, view)));
    Value::Struct(members.collect())
}

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
        field("name_label", |row, _| Value::text(&row.name_label)),
        field("hostname", |row, _| Value::text(&row.hostname)),
        field("address", |row, _| Value::text(&row.address)),
        field("API_version_major", |_, _| Value::Int(API_VERSION.0)),
        field("API_version_minor", |_, _| Value::Int(API_VERSION.1)),
        field("API_version_vendor", |_, _| Value::text(API_VENDOR)),
        field("external_auth_type", |row, _| Value::text(&row.external_auth_type)),
        field("external_auth_service_name", |row, _| Value::text(&row.external_auth_service_name)),
        field("external_auth_configuration", |row, _| {
            let members = row.external_auth_configuration.iter();
            Value::Struct(members.map(|(key, value)| (key.clone(), Value::text(value))).collect())
        }),
        field("certificates", |row, view| {
            let own = |certificate: &&Certificate| certificate.host == row.reference;
            let certificates = view.records.certificates.iter().filter(own);
            Value::texts(certificates.map(|certificate| &certificate.reference))
        }),
    ];
    const BY_NAME_LABEL: bool = true;

    fn rows(view: &View) -> &[Self] {
        &view.records.hosts
    }

    fn reference(&self) -> &Reference {
        &self.reference
    }
}

impl Record for Message {
    const CLASS: &'static str = "message";
    const FIELDS: &'static [Field<Self>] = &[
        field("uuid", |row, _| Value::text(row.uuid)),
        field("name", |row, _| Value::text(&row.name)),
        field("priority", |row, _| Value::Int(row.priority.into())),
        field("cls", |row, _| Value::text(&row.class)),
        field("obj_uuid", |row, _| Value::text(row.obj_uuid)),
        field("timestamp", |row, _| Value::Date(row.timestamp)),
        field("body", |row, _| Value::text(&row.body)),
    ];
    const GETTERS: bool = false;

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
        field("master", |row, _| Value::text(&row.master)),
        field("tls_verification_enabled", |row, _| Value::Bool(row.tls_verification_enabled)),
    ];

    fn rows(view: &View) -> &[Self] {
        std::slice::from_ref(&view.records.pool)
    }

    fn reference(&self) -> &Reference {
        &self.reference
    }
}

impl Record for Session {
    const CLASS: &'static str = "session";
    const FIELDS: &'static [Field<Self>] = &[
        field("uuid", |row, _| Value::text(row.uuid)),
        field("this_host", |_, view| Value::text(&view.records.pool.master)),
        field("is_local_superuser", |row, _| Value::Bool(row.is_local_superuser)),
        field("client_certificate", |row, _| Value::Bool(row.client_certificate)),
        field("subject", |row, _| Value::text(&row.subject)),
        field("auth_user_sid", |row, _| Value::text(&row.auth_user_sid)),
        field("auth_user_name", |row, _| Value::text(&row.auth_user_name)),
        field("validation_time", |row, _| Value::Date(row.validation_time)),
        field("last_active", |row, _| Value::Date(row.last_active)),
    ];
    const LISTED: bool = false;

    fn rows(view: &View) -> &[Self] {
        &view.sessions
    }

    fn reference(&self) -> &Reference {
        &self.reference
    }
}
