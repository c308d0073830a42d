//! Single values: times, durations, status bits, patterns, the map `config`.

use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr, time::Duration};

use ground::{Timestamp, TimestampError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

use super::HostRef;
use crate::{
    grammar::{Key as _, Read, Reader, Value},
    mistake::Mistake,
    schema,
};

/// A point in virtual time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Timestamp);

impl Default for Time {
    /// 2026-08-21T02:00:23Z, the moment that the reference captures were made at.
    fn default() -> Self {
        Self(Timestamp::from_unix(1_787_277_623))
    }
}

impl Read for Time {
    /// Takes a string, and also TOML's own date-time.
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let text = match value.get_ref() {
            DeValue::Datetime(written) => Cow::Owned(written.to_string()),
            _ => Cow::Borrowed(reader.string(value)?),
        };
        let read: Result<Timestamp, TimestampError> = text.parse();
        if read.is_err() {
            let rule = "a time such as 2026-08-21T02:00:23Z".into();
            let mistake = Mistake::Malformed { what: "time", text: text.into_owned(), rule };
            reader.report(value.span(), mistake);
        }
        read.ok().map(Self)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// A distance in virtual time: days, hours, minutes and seconds, such as `1d12h` or `90s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance(pub Duration);

impl Advance {
    /// How far one scenario may move the clock in all: ten years.
    pub const TOTAL_MAX: Duration = Duration::from_secs(3_650 * 86_400);

    const RULE: &str = "numbers with their units in the order d, h, m, s, such as `8d` or `1d12h`";
    const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

    fn duration(text: &str) -> Option<Duration> {
        let mut seconds = 0_u64;
        let mut rest = text;
        for (unit, factor) in Self::UNITS {
            let Some((number, after)) = rest.split_once(unit) else { continue };
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            // A number too long for 64 bits is over every limit; let the limit say so.
            let number = number.parse().unwrap_or(u64::MAX);
            seconds = seconds.saturating_add(factor.saturating_mul(number));
            rest = after;
        }
        (rest.is_empty() && !text.is_empty()).then(|| Duration::from_secs(seconds))
    }
}

impl FromStr for Advance {
    type Err = NoDuration;

    fn from_str(text: &str) -> Result<Self, NoDuration> {
        Self::duration(text).map(Self).ok_or_else(|| NoDuration { text: text.to_owned() })
    }
}

/// Text that is no distance in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no duration; expected {}", Advance::RULE)]
pub struct NoDuration {
    text: String,
}

impl Read for Advance {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.string(value)?;
        let Some(duration) = Self::duration(text) else {
            let rule = Self::RULE;
            let text = text.to_owned();
            let mistake = Mistake::Malformed { what: "duration", text, rule: rule.into() };
            reader.report(value.span(), mistake);
            return None;
        };
        let total = reader.advanced.saturating_add(duration);
        if total > Self::TOTAL_MAX {
            let days = |duration: Duration| {
                usize::try_from(duration.as_secs().div_ceil(86_400)).unwrap_or(usize::MAX)
            };
            let limit = days(Self::TOTAL_MAX);
            let mistake =
                Mistake::Limit { what: "days of virtual time", limit, found: days(total) };
            reader.report(value.span(), mistake);
            return None;
        }
        reader.advanced = total;
        Some(Self(duration))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 2,
            "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$",
        })
    }
}

/// GnuTLS status bits in hexadecimal, such as `0x42`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u32);

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Status({self})")
    }
}

impl Read for Status {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.string(value)?;
        let digits = text.strip_prefix("0x").filter(|digits| !digits.starts_with('+'));
        let read = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if read.is_none() {
            let rule = "hexadecimal with at most eight digits, such as `0x42`".into();
            let mistake = Mistake::Malformed { what: "status", text: text.to_owned(), rule };
            reader.report(value.span(), mistake);
        }
        read.map(Self)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^0x[0-9A-Fa-f]{1,8}$" })
    }
}

/// Version of the language: the number 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version;

impl Read for Version {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let read = u32::read(value, reader)?;
        if read != 1 {
            let mistake = Mistake::Malformed {
                what: "version",
                text: read.to_string(),
                rule: "1; a later version needs a later trustrig".into(),
            };
            reader.report(value.span(), mistake);
        }
        (read == 1).then_some(Self)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "enum": [1] })
    }
}

/// The only value of a key whose presence says everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct True;

impl Read for True {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let read = bool::read(value, reader)?;
        if !read {
            let rule = "`true`; to say the opposite, leave the key out or use its counterpart";
            let text = read.to_string();
            let mistake = Mistake::Malformed { what: "value", text, rule: rule.into() };
            reader.report(value.span(), mistake);
        }
        read.then_some(Self)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean", "enum": [true] })
    }
}

/// What a text must be. Numbers and booleans are compared as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// `*`: anything.
    Any,
    /// `contains:TEXT`: this occurs in it.
    Contains(String),
    /// Any other string: exactly this.
    Exact(String),
    /// `ref:HOST`: the opaque reference of this host.
    Host(HostRef),
}

impl Pattern {
    /// Whether `text` is as described; `reference_of` gives a host's opaque reference.
    pub fn matches(&self, text: &str, reference_of: impl Fn(&HostRef) -> Option<String>) -> bool {
        match self {
            Self::Any => true,
            Self::Contains(part) => text.contains(part),
            Self::Exact(whole) => text == whole,
            Self::Host(host) => reference_of(host).is_some_and(|reference| reference == text),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Contains(part) => write!(f, "contains:{part}"),
            Self::Exact(whole) => f.write_str(whole),
            Self::Host(host) => write!(f, "ref:{host}"),
        }
    }
}

impl Read for Pattern {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let text = match value.get_ref() {
            DeValue::Boolean(written) => return Some(Self::Exact(written.to_string())),
            DeValue::Integer(_) => {
                return u32::read(value, reader).map(|read| Self::Exact(read.to_string()));
            }
            DeValue::String(text) => text,
            _ => return reader.wrong_type(value, "a string, a number or a boolean"),
        };
        if text == "*" {
            return Some(Self::Any);
        }
        if let Some(part) = text.strip_prefix("contains:") {
            return Some(Self::Contains(part.to_owned()));
        }
        match text.strip_prefix("ref:") {
            Some(host) => HostRef::read_key(host, value.span(), reader).map(Self::Host),
            None => Some(Self::Exact(text.to_string())),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema::described(
            json_schema!({ "type": ["string", "integer", "boolean"], "minimum": 0 }),
            &[
                "What a text must be: `*` anything, `contains:TEXT`, `ref:HOST` the reference of",
                "that host, otherwise exactly this.",
            ],
        )
    }
}

/// The map `config` of a call that enables or disables external authentication.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AuthConfig(pub BTreeMap<String, String>);

impl AuthConfig {
    /// The keys that the toolstack reads (xapi-flows.md §6.1).
    pub const KEYS: &'static [&'static str] =
        &["user", "pass", "domain", "ldaps", "netbios-name", "dns-hostname", "ou"];
}

impl fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(key, value): (&'_ String, &'_ String)| {
            (key.clone(), if key == "pass" { "***".to_owned() } else { value.clone() })
        };
        f.debug_map().entries(self.0.iter().map(shown)).finish()
    }
}

impl Read for AuthConfig {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        // Unknown keys are reported here: the toolstack would silently ignore them.
        reader.table(value, Self::KEYS, &[])?;
        BTreeMap::read(value, reader).map(Self)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl JsonSchema for AuthConfig {
    fn schema_name() -> Cow<'static, str> {
        "AuthConfig".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut table = schema::Table::new(&["Join account and options (xapi-flows.md §6.1)."]);
        for key in Self::KEYS {
            table.field(key, &[], String::schema(generator), true);
        }
        table.finish()
    }
}

/// A password. `Debug` prints stars.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The text, for the one place that must use it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

impl Read for Password {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        String::read(value, reader).map(Self)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        String::schema(generator)
    }
}
