//! Values as XenAPI has them (xenapi-wire.md §2), in either encoding.

use std::fmt;

use ground::Timestamp;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor},
    ser::SerializeMap as _,
};

/// A value. Members of a struct keep their order and may repeat. `Debug` hides texts outside of
/// tests: most requests hold a secret.
#[derive(Clone, PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub enum Value {
    /// A set.
    Array(Vec<Value>),
    /// A truth value.
    Bool(bool),
    /// A moment, to the second.
    Date(Timestamp),
    /// A float.
    Double(f64),
    /// An integer. One that has come over XML-RPC is [`Value::Text`].
    Int(i64),
    /// Python's `None`.
    Nil,
    /// A map or a record.
    Struct(Vec<(String, Value)>),
    /// A string, an enum, a reference; everything that has no type of its own.
    Text(String),
}

impl Value {
    /// The result of a call that returns nothing.
    pub fn void() -> Self {
        Self::Text(String::new())
    }

    /// A string.
    pub fn text(text: impl fmt::Display) -> Self {
        Self::Text(text.to_string())
    }

    /// A set of strings.
    pub fn texts(texts: impl IntoIterator<Item = impl fmt::Display>) -> Self {
        Self::Array(texts.into_iter().map(Self::text).collect())
    }

    /// The first member of that name, of a struct.
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Struct(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The members in order, of a struct.
    pub fn members(&self) -> Option<&[(String, Self)]> {
        if let Self::Struct(members) = self { Some(members) } else { None }
    }

    /// The text, of a text.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The texts, of a set that holds nothing else.
    pub fn as_texts(&self) -> Option<Vec<&str>> {
        let Self::Array(values) = self else { return None };
        values.iter().map(Self::as_text).collect()
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("names of members are strings")
    }
}

/// Only the shape.
#[cfg(not(test))]
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Array(values) => f.debug_list().entries(values).finish(),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Date(date) => write!(f, "{date}"),
            Self::Double(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Nil => f.write_str("nil"),
            Self::Struct(members) => write!(f, "struct of {}", members.len()),
            Self::Text(_) => f.write_str("text"),
        }
    }
}

/// A date without hyphens and with a final `Z`: `20260821T02:00:23Z`.
pub fn write_date(date: Timestamp) -> String {
    Timestamp::from_unix(date.unix()).to_string().replace('-', "")
}

/// Reads a date with or without hyphens; without a zone it is UTC.
pub fn read_date(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once('T')?;
    let date = date.replace('-', "");
    if date.len() != 8 || !date.is_ascii() {
        return None;
    }
    let (year, month, day) = (&date[..4], &date[4..6], &date[6..]);
    let (time, zone) = match time.find(['Z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => (time, "Z"),
    };
    let digits = zone.strip_prefix(['+', '-']).filter(|digits| digits.is_ascii());
    let zone = match digits.map(|digits| (digits.len(), digits)) {
        Some((2, hours)) => format!("{}{hours}:00", &zone[..1]),
        Some((4, digits)) => format!("{}{}:{}", &zone[..1], &digits[..2], &digits[2..]),
        _ => zone.to_owned(),
    };
    format!("{year}-{month}-{day}T{time}{zone}").parse().ok()
}

/// The JSON form.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Array(values) => values.serialize(serializer),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Date(date) => serializer.serialize_str(&write_date(*date)),
            Self::Double(value) => serializer.serialize_f64(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Nil => serializer.serialize_unit(),
            Self::Struct(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Double(value as f64), Value::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Double(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = entries.next_entry()? {
            members.push(member);
        }
        Ok(Value::Struct(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_every_form_and_written_in_one() {
        for text in [
            "20260821T02:00:23Z",
            "2026-08-21T02:00:23Z",
            "20260821T02:00:23",
            "20260821T04:00:23+0200",
            "2026-08-21T04:00:23+02:00",
            "20260820T21:00:23-05",
        ] {
            assert_eq!(read_date(text).map(write_date).as_deref(), Some("20260821T02:00:23Z"));
        }
        for text in ["", "T", "2026", "20261321T02:00:23Z", "20260821T02:00Z", "2026ö21T02:00:23Z"]
        {
            assert_eq!(read_date(text), None, "{text}");
        }
        assert_eq!(read_date("20260821T02:00:23+ö"), None);
        assert_eq!(read_date("20260821T02:00:23+aöc"), None);
    }

    #[test]
    fn members_repeat_in_order_in_json() {
        let text = r#"{"b":1,"a":"x","b":[true,null,2.5]}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
        assert_eq!(value.member("b"), Some(&Value::Int(1)));
    }
}
