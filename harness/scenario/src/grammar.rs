//! How a Rust type becomes part of the language: one declaration gives the type, its reader and its
//! schema.
//!
//! A type of the language implements [`Read`]. The four macros declare the four shapes it can have:
//!
//! | macro | in TOML | in Rust |
//! | --- | --- | --- |
//! | `table!` | a table with fixed keys | a struct |
//! | `choice!` | a table with exactly one of several keys | an enum |
//! | `words!` | a string out of a list | an enum |
//! | `text!` | a string that follows a rule | a newtype |
//!
//! A reader never stops at the first mistake. It reports to the [`Reader`] and goes on, so that
//! `None` means "reported", and one run shows every mistake.

mod reader;

use std::{collections::BTreeMap, fmt, ops::Deref};

use schemars::{Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

pub(crate) use reader::Reader;

use crate::{Span, diagnostics::Mistake};

/// A value of the TOML text with its place.
pub(crate) type Value<'a> = toml::Spanned<DeValue<'a>>;

/// A type of the language.
pub(crate) trait Read: Sized {
    /// Reads `value`. `None`: every mistake in it has been reported.
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self>;

    /// What a missing key means; `None` if the key is required.
    fn absent() -> Option<Self> {
        None
    }

    /// The values that `read` takes, as far as a schema can say.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

/// An enum of which a table holds exactly one key.
pub(crate) trait Choice: Sized {
    /// What is chosen: `action`.
    const WHAT: &'static str;

    /// The keys to choose from.
    const KEYS: &'static [&'static str];

    /// Reads the value of the chosen key.
    fn read_chosen(key: &str, value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self>;

    /// The schema of each key's value.
    fn options(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)>;
}

/// A value of the language with its place in the text, for reports about it.
#[derive(Clone)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its place. For a table that has a header or dotted keys: the header or first key.
    pub span: Span,
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Spanned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// Equal values are equal wherever they stand.
impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Spanned<T> {}

impl<T: Read> Read for Spanned<T> {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(value, reader).map(|read| Self { value: read, span: value.span() })
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

impl<T: Choice> Choice for Spanned<T> {
    const WHAT: &'static str = T::WHAT;
    const KEYS: &'static [&'static str] = T::KEYS;

    fn read_chosen(key: &str, value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let read = T::read_chosen(key, value, reader)?;
        // Of `pool.certificate_sync = {}` the last word is the one to underline.
        let span = match value.get_ref() {
            DeValue::Table(table) if table.len() == 1 => table.iter().next().map(|(k, _)| k.span()),
            _ => None,
        };
        Some(Self { value: read, span: span.unwrap_or_else(|| value.span()) })
    }

    fn options(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        T::options(generator)
    }
}

impl<T: Read> Read for Option<T> {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(value, reader).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Array(array) = value.get_ref() else {
            return reader.wrong_type(value, "a list");
        };
        // Every item is read, also after a mistake.
        let items: Vec<Option<T>> = array.iter().map(|item| T::read(item, reader)).collect();
        items.into_iter().collect()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let items = T::schema(generator);
        json_schema!({ "type": "array", "items": items })
    }
}

/// A list with at least one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonEmpty<T>(Vec<T>);

impl<T> NonEmpty<T> {
    /// The items, unless there are none.
    pub fn new(items: Vec<T>) -> Option<Self> {
        (!items.is_empty()).then_some(Self(items))
    }

    /// The first item: of hosts the coordinator.
    pub fn head(&self) -> &T {
        &self.0[0]
    }
}

impl<T> Deref for NonEmpty<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T> IntoIterator for &'a NonEmpty<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Read> Read for NonEmpty<T> {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let read = Self::new(Vec::read(value, reader)?);
        if read.is_none() {
            reader.report(value.span(), Mistake::Empty);
        }
        read
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Vec::<T>::schema(generator);
        schema.insert("minItems".into(), 1.into());
        schema
    }
}

impl<K: Key, T: Read> Read for BTreeMap<K, T> {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Table(table) = value.get_ref() else {
            return reader.wrong_type(value, "a table");
        };
        let entries: Vec<Option<(K, T)>> = table
            .iter()
            .map(|(key, value)| {
                let name = K::read_key(key.get_ref(), key.span(), reader);
                let value = T::read(value, reader);
                Some((name?, value?))
            })
            .collect();
        entries.into_iter().collect()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let values = T::schema(generator);
        json_schema!({ "type": "object", "additionalProperties": values })
    }
}

/// A type that can be the key of a map.
pub(crate) trait Key: Ord + Sized {
    fn read_key(text: &str, span: Span, reader: &mut Reader<'_>) -> Option<Self>;
}

impl Key for String {
    fn read_key(text: &str, _: Span, _: &mut Reader<'_>) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Read for bool {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match value.get_ref() {
            DeValue::Boolean(read) => Some(*read),
            _ => reader.wrong_type(value, "a boolean"),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

impl Read for u32 {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Integer(integer) = value.get_ref() else {
            return reader.wrong_type(value, "an integer");
        };
        let read = Self::from_str_radix(integer.as_str(), integer.radix()).ok();
        if read.is_none() {
            reader.report(
                value.span(),
                Mistake::Malformed {
                    what: "number",
                    text: integer.to_string(),
                    rule: "a whole number from 0 to 4294967295".into(),
                },
            );
        }
        read
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": u32::MAX })
    }
}

impl Read for String {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        reader.string(value).map(str::to_owned)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// Joins the lines of a doc comment into the sentence that the schema shows.
pub(crate) fn doc(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// The key of a field in TOML: the last of its names.
pub(crate) const fn key(names: &[&'static str]) -> &'static str {
    names[names.len() - 1]
}

/// Declares a table with fixed keys: a struct.
///
/// A key is required unless its type says what absence means (`Option`, `Vec`, maps) or a default
/// follows `=`. A literal after the field's name is its key, where that differs. `one_of` adds the
/// keys of a `choice!` to the table. `check` names a function for rules between fields.
macro_rules! table {
    (
        $(#[doc = $doc:literal])+
        pub struct $name:ident {
            $(
                $(#[doc = $field_doc:literal])+
                pub $field:ident $($key:literal)?: $type:ty $(= $default:expr)?,
            )*
            $(one_of {
                $(#[doc = $choice_doc:literal])+
                pub $choice:ident: $choice_type:ty $(= $choice_default:expr)?
            })?
        }
        $(check $check:path;)?
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[doc = $field_doc])+ pub $field: $type,)*
            $($(#[doc = $choice_doc])+ pub $choice: $choice_type,)?
        }

        impl $crate::grammar::Read for $name {
            fn read(
                value: &$crate::grammar::Value<'_>,
                reader: &mut $crate::grammar::Reader<'_>,
            ) -> Option<Self> {
                const FIELDS: &[&str] =
                    &[$($crate::grammar::key(&[stringify!($field) $(, $key)?]),)*];
                const CHOICES: &[&str] = table!(@keys $($choice_type)?);
                #[allow(unused_variables, reason = "a table may have no keys")]
                let table = reader.table(value, FIELDS, CHOICES)?;
                $(
                    let $field = table.field::<$type>(
                        $crate::grammar::key(&[stringify!($field) $(, $key)?]),
                        table!(@default $($default)?),
                        reader,
                    );
                )*
                $(
                    let $choice = table.choice::<$choice_type>(
                        table!(@default $($choice_default)?),
                        reader,
                    );
                )?
                let read = Self { $($field: $field?,)* $($choice: $choice?,)? };
                $($check(&read, value.span(), reader)?;)?
                Some(read)
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            #[allow(unused_variables, reason = "a table may have no keys")]
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                #[allow(unused_mut, reason = "a table may have no keys")]
                let mut table = $crate::schema::Table::new(&[$($doc),+]);
                $(
                    let default: Option<$type> = table!(@default $($default)?);
                    let optional = default.is_some()
                        || <$type as $crate::grammar::Read>::absent().is_some();
                    let schema = <$type as $crate::grammar::Read>::schema(generator);
                    table.field(
                        $crate::grammar::key(&[stringify!($field) $(, $key)?]),
                        &[$($field_doc),+],
                        schema,
                        optional,
                    );
                )*
                $(
                    let optional: Option<$choice_type> = table!(@default $($choice_default)?);
                    let options = <$choice_type as $crate::grammar::Choice>::options(generator);
                    table.choice(options, optional.is_some());
                )?
                table.finish()
            }
        }
    };
    (@keys) => { &[] };
    (@keys $choice_type:ty) => { <$choice_type as $crate::grammar::Choice>::KEYS };
    (@default) => { None };
    (@default $default:expr) => { Some($default) };
}

/// Declares a table with exactly one of several keys: an enum.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])+
        pub enum $name:ident: $what:literal {
            $(
                $(#[doc = $option_doc:literal])+
                $key:ident => $variant:ident($type:ty),
            )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $option_doc])+ $variant($type),)+
        }

        impl $name {
            /// The key as it stands in the text.
            pub fn key(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($key),)+
                }
            }
        }

        impl $crate::grammar::Choice for $name {
            const WHAT: &'static str = $what;
            const KEYS: &'static [&'static str] = &[$(stringify!($key)),+];

            fn read_chosen(
                key: &str,
                value: &$crate::grammar::Value<'_>,
                reader: &mut $crate::grammar::Reader<'_>,
            ) -> Option<Self> {
                match key {
                    $(
                        stringify!($key) => <$type as $crate::grammar::Read>::read(value, reader)
                            .map(Self::$variant),
                    )+
                    _ => None,
                }
            }

            fn options(
                generator: &mut schemars::SchemaGenerator,
            ) -> Vec<(&'static str, schemars::Schema)> {
                vec![$((
                    stringify!($key),
                    $crate::schema::described(
                        <$type as $crate::grammar::Read>::schema(generator),
                        &[$($option_doc),+],
                    ),
                )),+]
            }
        }

        impl $crate::grammar::Read for $name {
            fn read(
                value: &$crate::grammar::Value<'_>,
                reader: &mut $crate::grammar::Reader<'_>,
            ) -> Option<Self> {
                let keys = <Self as $crate::grammar::Choice>::KEYS;
                reader.table(value, &[], keys)?.choice::<Self>(None, reader)
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut table = $crate::schema::Table::new(&[$($doc),+]);
                table.choice(<Self as $crate::grammar::Choice>::options(generator), false);
                table.finish()
            }
        }
    };
}

/// Declares a string out of a list: an enum.
macro_rules! words {
    (
        $(#[doc = $doc:literal])+
        pub enum $name:ident: $what:literal {
            $(
                $(#[doc = $word_doc:literal])+
                $variant:ident = $word:literal,
            )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $word_doc])+ $variant,)+
        }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands in the text.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::grammar::Read for $name {
            fn read(
                value: &$crate::grammar::Value<'_>,
                reader: &mut $crate::grammar::Reader<'_>,
            ) -> Option<Self> {
                let text = reader.string(value)?;
                let read = Self::ALL.iter().copied().find(|word| word.as_str() == text);
                if read.is_none() {
                    let known = [$($word),+];
                    reader.report(
                        value.span(),
                        $crate::diagnostics::Mistake::unknown($what, text, known),
                    );
                }
                read
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::schema::described(
                    schemars::json_schema!({ "type": "string", "enum": [$($word),+] }),
                    &[$($doc),+],
                )
            }
        }
    };
}

/// Declares a string that follows a rule: a newtype.
///
/// `rule` is a function from the text, its place and the reader to what is wrong with it; `pattern` says as
/// much of the rule as a regular expression can.
macro_rules! text {
    (
        $(#[doc = $doc:literal])+
        pub struct $name:ident: $rule:path $(, pattern = $pattern:literal)?;
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }

        impl $crate::grammar::Key for $name {
            fn read_key(
                text: &str,
                span: $crate::Span,
                reader: &mut $crate::grammar::Reader<'_>,
            ) -> Option<Self> {
                match $rule(text, &span, reader) {
                    Ok(()) => Some(Self(text.to_owned())),
                    Err(mistake) => {
                        reader.report(span, mistake);
                        None
                    }
                }
            }
        }

        impl $crate::grammar::Read for $name {
            fn read(
                value: &$crate::grammar::Value<'_>,
                reader: &mut $crate::grammar::Reader<'_>,
            ) -> Option<Self> {
                let text = reader.string(value)?;
                $crate::grammar::Key::read_key(text, value.span(), reader)
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::schema::described(
                    schemars::json_schema!({ "type": "string" $(, "pattern": $pattern)? }),
                    &[$($doc),+],
                )
            }
        }
    };
}
