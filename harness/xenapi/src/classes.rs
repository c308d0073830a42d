//! The read methods that every class has (xenapi-wire.md §7), computed from tables of fields.
//!
//! [`Read`] finds the method and carries it out; what a class has is said in `fields`.

mod estate;
mod fields;

use sim_host::{
    ApiError, Certificate, Estate, HostRecord, Message, MessageClass, Pool, PoolRecord, Records,
    Reference, Session, Subject, Task,
    datamodel::{self, RoleRecord},
    estate::{ClusterHost, Interface, Network, PoolUpdate, SdnController, StorageManager},
};
use xenapi_client::{Value, write_date};

use crate::{calls::Arguments, filter::Filter};

/// All that can be read, at one moment.
pub(crate) struct View {
    records: Records,
    roles: Vec<RoleRecord>,
    sessions: Vec<Session>,
    tasks: Vec<Task>,
    estate: Estate,
}

impl View {
    /// What can be read of a pool now.
    pub(crate) fn of(pool: &Pool) -> Self {
        let records = pool.database_view();
        Self {
            roles: datamodel::role_records(),
            sessions: pool.open_sessions(),
            tasks: pool.tasks_in_order(),
            estate: records.estate(),
            records,
        }
    }
}

/// A read method.
#[derive(Clone, Copy)]
pub(crate) struct Read {
    class: Class,
    verb: Verb,
}

/// What is to be read. A filter is read late: it is no parameter that can be of a wrong type.
pub(crate) enum Wanted {
    Everything,
    Text(String),
    /// Messages after a moment, of one object or of all.
    Since(Option<(MessageClass, String)>, ground::Timestamp),
}

#[derive(Clone, Copy)]
enum Class {
    Certificate,
    ClusterHost,
    Host,
    Interface,
    Message,
    Network,
    Pool,
    Role,
    SdnController,
    Session,
    StorageManager,
    Subject,
    Task,
    Update,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    All,
    AllRecords,
    AllRecordsWhere,
    ByNameLabel,
    ByUuid,
    Field(&'static str),
    Record,
    /// `message.get`.
    SinceOfObject,
    /// `message.get_since`.
    Since,
}

impl Read {
    /// The method `class.message`, if there is one.
    pub(crate) fn find(class: &str, message: &str) -> Option<Self> {
        let (class, verb) = match class {
            Certificate::CLASS => (Class::Certificate, verb::<Certificate>(message)),
            ClusterHost::CLASS => (Class::ClusterHost, verb::<ClusterHost>(message)),
            HostRecord::CLASS => (Class::Host, verb::<HostRecord>(message)),
            Message::CLASS => match message {
                "get" => (Class::Message, Some(Verb::SinceOfObject)),
                "get_since" => (Class::Message, Some(Verb::Since)),
                _ => (Class::Message, verb::<Message>(message)),
            },
            Interface::CLASS => (Class::Interface, verb::<Interface>(message)),
            Network::CLASS => (Class::Network, verb::<Network>(message)),
            PoolRecord::CLASS => (Class::Pool, verb::<PoolRecord>(message)),
            RoleRecord::CLASS => (Class::Role, verb::<RoleRecord>(message)),
            SdnController::CLASS => (Class::SdnController, verb::<SdnController>(message)),
            StorageManager::CLASS => (Class::StorageManager, verb::<StorageManager>(message)),
            Session::CLASS => (Class::Session, verb::<Session>(message)),
            Subject::CLASS => (Class::Subject, verb::<Subject>(message)),
            Task::CLASS => (Class::Task, verb::<Task>(message)),
            PoolUpdate::CLASS => (Class::Update, verb::<PoolUpdate>(message)),
            _ => return None,
        };
        Some(Self { class, verb: verb? })
    }

    /// How many parameters it has after the session.
    pub(crate) fn parameters(self) -> usize {
        match self.verb {
            Verb::All | Verb::AllRecords => 0,
            Verb::AllRecordsWhere
            | Verb::ByNameLabel
            | Verb::ByUuid
            | Verb::Field(_)
            | Verb::Record
            | Verb::Since => 1,
            Verb::SinceOfObject => 3,
        }
    }

    /// Reads the parameters.
    pub(crate) fn wanted(self, arguments: &Arguments<'_>) -> Result<Wanted, ApiError> {
        Ok(match self.verb {
            Verb::All | Verb::AllRecords => Wanted::Everything,
            Verb::AllRecordsWhere
            | Verb::ByNameLabel
            | Verb::ByUuid
            | Verb::Field(_)
            | Verb::Record => Wanted::Text(arguments.text(0)?.to_owned()),
            Verb::Since => Wanted::Since(None, arguments.date(0)?),
            Verb::SinceOfObject => {
                let object = (arguments.message_class(0)?, arguments.text(1)?.to_owned());
                Wanted::Since(Some(object), arguments.date(2)?)
            }
        })
    }

    /// Reads. `not_is_loose` is quirk Q42.
    pub(crate) fn run(
        self,
        view: &View,
        wanted: &Wanted,
        not_is_loose: bool,
    ) -> Result<Value, ApiError> {
        let text = match wanted {
            Wanted::Everything => "",
            Wanted::Text(text) => text,
            Wanted::Since(object, since) => return messages_since(view, object.as_ref(), *since),
        };
        let job = Job { verb: self.verb, view, text, not_is_loose };
        match self.class {
            Class::Certificate => job.read::<Certificate>(),
            Class::ClusterHost => job.read::<ClusterHost>(),
            Class::Host => job.read::<HostRecord>(),
            Class::Interface => job.read::<Interface>(),
            Class::Message => job.read::<Message>(),
            Class::Network => job.read::<Network>(),
            Class::Pool => job.read::<PoolRecord>(),
            Class::Role => job.read::<RoleRecord>(),
            Class::SdnController => job.read::<SdnController>(),
            Class::Session => job.read::<Session>(),
            Class::StorageManager => job.read::<StorageManager>(),
            Class::Subject => job.read::<Subject>(),
            Class::Task => job.read::<Task>(),
            Class::Update => job.read::<PoolUpdate>(),
        }
    }
}

/// A class of the wire.
trait Record: Sized + 'static {
    const CLASS: &'static str;
    const FIELDS: &'static [Field<Self>];
    /// Whether it has `get_all`, `get_all_records`, `get_all_records_where` and `get_by_uuid`.
    const LISTED: bool = true;
    /// Whether it has `get_<field>`.
    const GETTERS: bool = true;
    /// Whether it has `get_by_name_label`.
    const BY_NAME_LABEL: bool = false;
    /// Whether `get_all_records_where` looks at its expression.
    const FILTERED: bool = true;

    fn rows(view: &View) -> &[Self];
    fn reference(&self) -> &Reference;
}

struct Field<T> {
    /// Name on the wire.
    name: &'static str,
    /// Name in the database, which expressions use: two underscores after a name space.
    column: &'static str,
    value: fn(&T, &View) -> Value,
}

const fn field<T>(name: &'static str, value: fn(&T, &View) -> Value) -> Field<T> {
    Field { name, column: name, value }
}

const fn in_space<T>(
    name: &'static str,
    column: &'static str,
    value: fn(&T, &View) -> Value,
) -> Field<T> {
    Field { name, column, value }
}

fn verb<T: Record>(message: &str) -> Option<Verb> {
    let verb = match message {
        "get_all" => Verb::All,
        "get_all_records" => Verb::AllRecords,
        "get_all_records_where" => Verb::AllRecordsWhere,
        "get_by_name_label" => Verb::ByNameLabel,
        "get_by_uuid" => Verb::ByUuid,
        "get_record" => Verb::Record,
        _ => {
            let name = message.strip_prefix("get_")?;
            Verb::Field(T::FIELDS.iter().find(|field| field.name == name)?.name)
        }
    };
    let has = match verb {
        Verb::All | Verb::AllRecords | Verb::AllRecordsWhere | Verb::ByUuid => T::LISTED,
        Verb::ByNameLabel => T::BY_NAME_LABEL,
        Verb::Field(_) => T::GETTERS,
        Verb::Record | Verb::Since | Verb::SinceOfObject => true,
    };
    has.then_some(verb)
}

/// A read method with its parameter: a reference, a uuid, a label or an expression.
struct Job<'a> {
    verb: Verb,
    view: &'a View,
    text: &'a str,
    not_is_loose: bool,
}

impl Job<'_> {
    fn read<T: Record>(&self) -> Result<Value, ApiError> {
        let Self { verb, view, text, .. } = *self;
        let rows = T::rows(view);
        let by_reference = || {
            rows.iter()
                .find(|row| row.reference().as_str() == text)
                .ok_or_else(|| ApiError::new("HANDLE_INVALID", [T::CLASS, text]))
        };
        let having = |field| {
            rows.iter()
                .filter(move |row| value_of(*row, field, view) == Some(Value::text(text)))
                .map(Record::reference)
        };
        Ok(match verb {
            Verb::All => Value::texts(rows.iter().map(Record::reference)),
            Verb::AllRecords => records(rows.iter(), view),
            Verb::AllRecordsWhere if T::FILTERED => self.filtered::<T>()?,
            Verb::AllRecordsWhere => records(rows.iter(), view),
            Verb::ByNameLabel => Value::texts(having("name_label")),
            Verb::ByUuid => having("uuid")
                .next()
                .map(Value::text)
                .ok_or_else(|| ApiError::new("UUID_INVALID", [T::CLASS, text]))?,
            Verb::Field(name) => value_of(by_reference()?, name, view).unwrap_or(Value::Nil),
            Verb::Record => record(by_reference()?, view),
            // Their parameters are others: see `Read::run`.
            Verb::Since | Verb::SinceOfObject => Value::Nil,
        })
    }

    fn filtered<T: Record>(&self) -> Result<Value, ApiError> {
        let filter = Filter::parse(self.text, self.not_is_loose)?;
        let mut found = Vec::new();
        for row in T::rows(self.view) {
            let stored = |column: &str| match column {
                "_ref" => Some(row.reference().to_string()),
                _ => {
                    let field = T::FIELDS.iter().find(|field| field.column == column)?;
                    Some(stored(&(field.value)(row, self.view)))
                }
            };
            if filter.holds(&stored)? {
                found.push(row);
            }
        }
        Ok(records(found.into_iter(), self.view))
    }
}

fn value_of<T: Record>(row: &T, name: &str, view: &View) -> Option<Value> {
    let field = T::FIELDS.iter().find(|field| field.name == name)?;
    Some((field.value)(row, view))
}

fn record<T: Record>(row: &T, view: &View) -> Value {
    let members = T::FIELDS.iter().map(|field| (field.name.to_owned(), (field.value)(row, view)));
    Value::Struct(members.collect())
}

fn records<'a, T: Record>(rows: impl Iterator<Item = &'a T>, view: &View) -> Value {
    Value::Struct(rows.map(|row| (row.reference().to_string(), record(row, view))).collect())
}

/// `message.get` and `message.get_since`: the newest first.
fn messages_since(
    view: &View,
    object: Option<&(MessageClass, String)>,
    since: ground::Timestamp,
) -> Result<Value, ApiError> {
    let object = match object {
        None => None,
        // Without parameters, as in xapi.
        Some((class, uuid)) => match view.records.object(*class, uuid) {
            None => return Err(ApiError::new("UUID_INVALID", [""; 0])),
            Some(uuid) => Some((*class, uuid)),
        },
    };
    let mut found: Vec<&Message> = view
        .records
        .messages
        .iter()
        .filter(|message| message.timestamp > since)
        .filter(|message| object.is_none_or(|object| object == (message.class, message.obj_uuid)))
        .collect();
    found.reverse();
    Ok(records(found.into_iter(), view))
}

/// The text that xapi's database stores for a value.
fn stored(value: &Value) -> String {
    match value {
        Value::Array(values) => in_brackets(values.iter().map(quoted)),
        Value::Bool(value) => value.to_string(),
        Value::Date(date) => write_date(*date),
        Value::Double(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Nil => String::new(),
        Value::Struct(members) => in_brackets(members.iter().map(|(key, value)| {
            in_brackets([quoted(&Value::text(key)), quoted(value)].into_iter())
        })),
        Value::Text(text) => text.clone(),
    }
}

fn in_brackets(items: impl Iterator<Item = String>) -> String {
    format!("({})", items.collect::<Vec<_>>().join(" "))
}

fn quoted(value: &Value) -> String {
    format!("'{}'", stored(value).replace('\\', r"\\").replace('\'', r"\'"))
}
