//! Methods of the XenAPI, called over the wire as a client would (xenapi-wire.md).

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

use super::{CallRef, DomainRef, HostRef, MessageName, Password, StepRef, True};
use crate::{
    grammar::{Key as _, Read, Reader, Spanned, Value},
    mistake::Mistake,
    schema,
};

choice! {
    /// Something done over the XenAPI.
    pub enum XenapiAction: "action of the XenAPI" {
        /// Calls any method over HTTP.
        call => Call(XenapiCall),
    }
}

table! {
    /// Parameters of `xenapi.call`.
    pub struct XenapiCall {
        /// Name of the method: `pool.get_all`, `Async.pool.certificate_sync`.
        pub method: String,
        /// Its parameters after the session.
        pub params: Vec<Argument>,
        /// The host that is asked. Default: the coordinator.
        pub host: Option<Spanned<HostRef>>,
        one_of {
            /// Whose session it is. Default: one of `root`.
            pub caller: Caller = Caller::Root(True)
        }
    }
}

choice! {
    /// Whose session a method is called in. A session is kept from step to step, and opened again
    /// once it has ended.
    pub enum Caller: "caller" {
        /// Somebody with this name and password, who logs in at the coordinator.
        account => Account(Account),
        /// Nobody: no session is sent, as with a login.
        nobody => Nobody(True),
        /// `root`, who logs in at the coordinator.
        root => Root(True),
        /// This text, sent where the session belongs.
        session => Session(String),
        /// The session that the step of this name opened; it is not opened again.
        session_of => SessionOf(Spanned<CallRef>),
    }
}

table! {
    /// Somebody who logs in.
    pub struct Account {
        /// Name.
        pub user: String,
        /// Password.
        pub password: Password,
    }
}

/// A parameter of a method, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A boolean.
    Bool(bool),
    /// `ref:HOST`: the reference of a host.
    HostReference(HostRef),
    /// `uuid:HOST`: its uuid.
    HostUuid(HostRef),
    /// `installed:STEP`: the reference of the certificate that an earlier step installed.
    Installed(StepRef),
    /// An integer.
    Int(i64),
    /// A set.
    List(Vec<Argument>),
    /// A map or a record.
    Map(BTreeMap<String, Argument>),
    /// `message:NAME`: the reference of the oldest message of this name.
    MessageReference(MessageName),
    /// `pool:ref`: the reference of the pool.
    PoolReference,
    /// `pool:uuid`: its uuid.
    PoolUuid,
    /// `returned:STEP`: the text or reference that the call of an earlier step returned.
    Returned(CallRef),
    /// `root:DOMAIN`: the root certificate of a domain, as PEM.
    Root(DomainRef),
    /// `session:own`: the session that is sent.
    Session,
    /// Any other text; one that begins with `text:` is what follows.
    Text(String),
}

impl Argument {
    fn of_text(text: &str, value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let Some((kind, rest)) = text.split_once(':') else {
            return Some(Self::Text(text.to_owned()));
        };
        let span = value.span();
        match kind {
            "ref" => HostRef::read_key(rest, span, reader).map(Self::HostReference),
            "uuid" => HostRef::read_key(rest, span, reader).map(Self::HostUuid),
            "installed" => StepRef::read_key(rest, span, reader).map(Self::Installed),
            "message" => MessageName::read_key(rest, span, reader).map(Self::MessageReference),
            "returned" => CallRef::read_key(rest, span, reader).map(Self::Returned),
            "root" => DomainRef::read_key(rest, span, reader).map(Self::Root),
            "text" => Some(Self::Text(rest.to_owned())),
            "pool" | "session" => match text {
                "pool:ref" => Some(Self::PoolReference),
                "pool:uuid" => Some(Self::PoolUuid),
                "session:own" => Some(Self::Session),
                _ => {
                    let known = ["pool:ref", "pool:uuid", "session:own"];
                    reader.report(span, Mistake::unknown("argument", text, known));
                    None
                }
            },
            _ => Some(Self::Text(text.to_owned())),
        }
    }
}

impl Read for Argument {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match value.get_ref() {
            DeValue::Array(_) => Vec::read(value, reader).map(Self::List),
            DeValue::Boolean(read) => Some(Self::Bool(*read)),
            DeValue::Datetime(written) => Some(Self::Text(written.to_string())),
            DeValue::Integer(integer) => {
                let read = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
                if read.is_none() {
                    let rule = "a whole number of 64 bits".into();
                    let text = integer.to_string();
                    let mistake = Mistake::Malformed { what: "number", text, rule };
                    reader.report(value.span(), mistake);
                }
                read.map(Self::Int)
            }
            DeValue::String(text) => Self::of_text(text, value, reader),
            DeValue::Table(_) => BTreeMap::read(value, reader).map(Self::Map),
            DeValue::Float(_) => {
                reader.wrong_type(value, "a string, an integer, a boolean, a list or a table")
            }
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl JsonSchema for Argument {
    fn schema_name() -> Cow<'static, str> {
        "Argument".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let part = generator.subschema_for::<Self>();
        schema::described(
            json_schema!({
                "type": ["string", "integer", "boolean", "array", "object"],
                "items": part.clone(),
                "additionalProperties": part,
            }),
            &[
                "A parameter of a method: `ref:HOST` and `uuid:HOST` stand for those of a host,",
                "`pool:ref` and `pool:uuid` for those of the pool, `installed:STEP` for the reference of",
                "the certificate that this step installed, `message:NAME` for that of the oldest message",
                "of this name, `returned:STEP` for what the call of that step returned, `root:DOMAIN`",
                "for the root certificate of a domain,",
                "`session:own` for the session that is sent, `text:TEXT` for just that text.",
            ],
        )
    }
}
